"""From doses as ordered to single events, by exact rules (docs/event-semantics.md)."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schild.errors import InputError
from schild.regimen.dose import MAX_DOSES, Dose, Event
from schild.units import format_ticks


class Given(NamedTuple):
    """One scheduled dose: when, by which record, and its number there, from 1."""

    tick: int
    order: int
    number: int


def schedule(doses: Iterable[Dose], until_tick: int) -> Iterator[tuple[Dose, list[Given]]]:
    """Give each dose with its times, cancelled ones left out and skipped ones kept.

    ``doses``: in the order written; ``until_tick``: nothing later is given [us]. Yields its times, in order.
    """
    records = [(dose.time_tick, order, dose) for order, dose in enumerate(doses)]
    total = sum(_count(dose, start, dose.every_tick, until_tick) for start, _, dose in records)
    if total > MAX_DOSES:
        most = max((dose for _, _, dose in records), key=lambda d: _count(d, d.time_tick, d.every_tick, until_tick))
        raise InputError(
            f"The run has {total:,} doses until {format_ticks(until_tick)}, most of them from '{most.to_words()}'; "
            f"expected at most {MAX_DOSES:,}. Give a count, a longer interval, or an infusion."
        )
    clears = sorted((tick, order) for tick, order, dose in records if dose.evid in (3, 4) or dose.ss == 1)
    for start, order, dose in records:
        # The first record after this one that clears the system cancels what this one still has to come.
        later = bisect_right(clears, (start, order))
        cut = clears[later] if later < len(clears) else None
        every = dose.every_tick
        count = _count(dose, start, every, until_tick)
        times = [Given(start + k * every, order, k + 1) for k in range(count)]
        yield dose, times if cut is None else [g for g in times if g.number == 1 or (g.tick, g.order) < cut]


def _count(dose: Dose, start: int, every: int, until_tick: int) -> int:
    if start > until_tick:
        return 0
    if not every:
        return 1
    room = (until_tick - start) // every + 1
    return room if dose.count is None else min(room, dose.count)


def expand(doses: Iterable[Dose], until_tick: int) -> tuple[Event, ...]:
    """Turn doses into single events in the order in which they act.

    ``doses``: in the order written; ``until_tick``: end of the run; what happens exactly then still happens [us].
    Returns sorted by time, and at one time in the order the doses were written. Raises InputError if there
    are more than 20,000 doses, or a dose would be wiped out at the moment it is given by a steady state (ss 1)
    written after it.

    A reset (evid 3 or 4) and a start at steady state (ss 1) cancel the doses still to come from records
    before them; "before" is by time, then by order written. What such a record gave earlier but has not yet
    entered (a running infusion, a lagged dose) is for the model to cancel.

    >>> from schild.units import ticks
    >>> week = Dose(drug="naltrexone", amount="50 mg", route="po", every="24 h", count=7, skip=[2])
    >>> [event.time for event in expand([week], ticks("3 d"))]
    [0.0, 48.0, 72.0]
    """
    records = list(schedule(doses, until_tick))
    dose_of = {order: dose for order, (dose, _) in enumerate(records)}
    # What the events of a dose have in common: a history has hundreds of equal ones.
    common = {
        order: (dose.drug, dose.route, dose.amount, dose.basis, dose.duration_tick) for order, dose in dose_of.items()
    }
    after = {
        order: (1.0 if dose.f is None else dose.f, dose.lag_tick, dose.rate if dose.constant else None, dose.product)
        for order, dose in dose_of.items()
    }
    numbers: Counter[str] = Counter()
    events: list[Event] = []
    first_here: Dose | None = None
    here: int | None = None
    for tick, order, number in sorted(given for _, times in records for given in times):
        dose = dose_of[order]
        if dose.drug is None:
            events.append(Event(tick, order, 3))
            continue
        numbers[dose.drug] += 1
        if number in dose.skip:
            continue
        if tick != here:
            here, first_here = tick, None
        evid, ss, ii_tick = 1, 0, 0
        if number == 1:
            if dose.ss == 1 and first_here is not None:
                raise InputError(
                    f"'{dose.to_words()}' starts at steady state and would wipe out '{first_here.to_words()}', "
                    "given at the same time; expected it to come first or to add. Write it first, or with ss2."
                )
            first_here = first_here or dose
            evid, ss, ii_tick = dose.evid, dose.ss, dose.every_tick if dose.ss else 0
        events.append(Event(tick, order, evid, *common[order], ii_tick, ss, numbers[dose.drug], *after[order]))
    return tuple(events)
