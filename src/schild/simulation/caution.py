"""Warnings about adaptation in a run: withdrawal precipitated by an antagonist, and loss of tolerance.

Warnings with ranges, never a dose and never an interval to follow: severity in one person cannot be predicted, and no
interval and no test is wholly reliable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.catalog import Catalogue
from schild.people import Values
from schild.regimen import Event
from schild.simulation.aloud import PRESENT, band_words
from schild.simulation.guard import AGONISTS
from schild.simulation.result import Result
from schild.simulation.runfile import Run, SubjectEntry
from schild.tables import between, time_words
from schild.units import TICKS_PER_HOUR, format_ticks

#: Dependence above which an antagonist is begun in a dependent person; 1 is steady use of morphine 120 mg a day. [1]
DEPENDENT = 0.05

#: Time after the first dose of an antagonist over which its reaction is followed, and the step. [h]
WINDOW_H, STEP_H = 24.0, 0.25

#: Tolerance counts as lost when it was at least the first number and its excess over 1 has fallen to the second. [1]
TOLERANT, LOST = 1.25, 0.75

#: Virtual people behind a range; fewer where the run is long. [1], [h]
PEOPLE, FEWER, LONG_H = 200, 50, 60 * 24.0

UNRELIABLE = "No interval and no test is wholly reliable, and severity in one person cannot be predicted."
ONCE_USUAL = "After tolerance is lost, a dose that was once usual can kill."


class _Begun(NamedTuple):
    """The first dose of a drug that can precipitate withdrawal, and the last opioid before it."""

    drug: str
    tick: int
    last: Event


def cautions(
    run: Run, events: Sequence[Event], catalogue: Catalogue, solve: Callable[[Run, Sequence[int]], Result]
) -> Iterator[str]:
    """Warn of precipitated withdrawal and of lost tolerance.

    ``run``: a run with adaptation; ``events``: its expanded doses, earlier use included; ``catalogue``: for the roles
    of the drugs; ``solve``: simulates a run at given times [us], without warnings of this kind.
    """
    until = run.until_tick
    begun = _begun(catalogue, events, until)
    start = max(0, until if begun is None else begun.tick)
    stop = min(until, start + round(WINDOW_H * TICKS_PER_HOUR))
    step = round(STEP_H * TICKS_PER_HOUR)
    inside = [*range(start, stop, step), stop] if begun is not None else []
    times = sorted({0, *inside, until, *(until * k // 24 for k in range(1, 24))})
    hours = np.array(times, dtype=np.float64) / TICKS_PER_HOUR
    one = solve(_as(run, None), times)
    if one.status.any():
        return
    window = (hours >= start / TICKS_PER_HOUR) & (hours <= stop / TICKS_PER_HOUR)
    reacts = begun is not None and _reacts(run, begun, one, hours, window, times, catalogue, solve)
    tolerance = np.asarray(one["tolerance"].values[0], dtype=np.float64)
    top = int(tolerance.argmax())
    lost = tolerance[top] >= TOLERANT and tolerance[-1] - 1.0 <= LOST * (tolerance[top] - 1.0)
    if not reacts and not lost:
        return
    n = PEOPLE if until <= LONG_H * TICKS_PER_HOUR else FEWER
    people = solve(_as(run, n), times)
    good = people.status == 0
    if reacts and begun is not None:
        who = catalogue.drug(begun.drug).name
        taken = catalogue.drug(str(begun.last.drug)).name
        peaks = np.asarray(people["cows"].values[good][:, window].max(axis=1), dtype=np.float64)
        peak = float(one["cows"].values[0][window].max())
        dependence = float(one["dependence"].at(start / TICKS_PER_HOUR))
        low, high = (float(x) for x in np.quantile(peaks, (0.05, 0.95)))
        ago = time_words(max(0, begun.tick - begun.last.tick - begun.last.duration_tick) / TICKS_PER_HOUR)
        span = time_words((stop - start) / TICKS_PER_HOUR)
        yield (
            f"{who[:1].upper()}{who[1:]} is begun {ago} after the last dose of {taken}, at a dependence of "
            f"{dependence:.2f} (1 is steady use of morphine 120 mg a day). Within {span} the latent withdrawal score "
            f"(COWS, 0 to 48) is predicted to reach {peak:.0f} ({band_words(peak)}) in the typical person, and "
            f"{low:.0f} to {high:.0f} ({_bands(low, high)}) in 90 % of {int(good.sum())} virtual people. {UNRELIABLE}"
        )
    if lost:
        values = np.asarray(people["tolerance"].values[good], dtype=np.float64)
        before = [f"{x:.2g}" for x in np.quantile(values[:, top], (0.05, 0.95))]
        after = [f"{x:.2g}" for x in np.quantile(values[:, -1], (0.05, 0.95))]
        yield (
            f"Tolerance falls in this run: equal slowing of breathing needed {tolerance[top]:.2g} times "
            f"({between(*before)} in 90 % of {int(good.sum())} virtual people) the concentration of a person who never "
            f"took opioids, {_when(hours[top])}, and needs {tolerance[-1]:.2g} times ({between(*after)}) at the end. "
            f"How fast people lose tolerance has not been measured. {ONCE_USUAL}"
        )


def unit_slips(catalogue: Catalogue, events: Sequence[Event]) -> Iterator[str]:
    """Warn of an amount that looks like one in another unit, or a rate that looks like a daily dose.

    ``catalogue``: holds the studies; ``events``: expanded doses. Yields one warning for each amount that
    is far outside the published doses of its drug while the same number in the next unit of mass lies among them, and
    for each dose that is spread over half a day or more by a route that is not an infusion (50 mg/d by mouth).

    >>> from schild.catalog import load
    >>> from schild.regimen import expand, parse_regimen
    >>> [said[:62] for said in unit_slips(load(), expand(parse_regimen("naltrexone 50 g po"), 1))]
    ['50 g of naltrexone is far from the published doses (of 1 to 38']
    """
    seen: set[tuple[str, str, str]] = set()
    first: dict[Any, Event] = {}
    for event in events:  # a history has hundreds of equal ones
        first.setdefault((event.drug, event.route, event.amount), event)
    for event in first.values():
        amount = event.amount
        if event.drug is None or amount is None or amount.per_kg or amount.unit not in _MASS:
            continue
        drug = catalogue.drug(event.drug)
        if (place := (drug.key, str(event.route), str(amount))) in seen:
            continue
        seen.add(place)
        if event.duration_tick >= 12 * TICKS_PER_HOUR and event.route not in _INFUSED:
            yield (
                f"{drug.name} {amount} {event.route} goes in evenly over {format_ticks(event.duration_tick)}, as an "
                "infusion does. One dose a day is written with q24h."
            )
        given = amount.value * _MASS[amount.unit]
        if any(usual / 30 <= given <= 30 * usual for usual in _usual_mg(catalogue, drug.key)):
            continue  # the studies take a quarter of a second to read
        published = _published_mg(catalogue, drug.key)
        if not published:
            continue
        low, high = min(published), max(published)
        factor = 1e-3 if given > 30 * high else 1e3 if given < low / 30 else 0.0
        if factor and low / 3 <= given * factor <= 3 * high:
            units = {value: unit for unit, value in _MASS.items()}
            meant = units.get(_MASS[amount.unit] * factor)
            range_ = between(f"{low:g} mg", f"{high:g} mg")
            yield (
                f"{amount} of {drug.name} is far from the published doses (of {range_}). "
                + (f"Was {amount.value:g} {meant} meant? " if meant else "")
                + "Check the unit."
            )


def left_out(run: Run) -> Iterator[str]:
    """Name the regimens and resets of a run that begin after its end."""
    until = run.until_tick
    for dose in run.doses:
        if dose.time_tick > until:
            yield f"{dose.to_words()} lies after the end of the run at {format_ticks(until)}; it is left out."


#: Routes by which a dose may enter evenly over many hours.
_INFUSED = ("iv", "sc", "im", "transdermal")
#: Units of mass, in mg.
_MASS = {"kg": 1e6, "g": 1e3, "mg": 1.0, "ug": 1e-3, "ng": 1e-6}


@lru_cache(maxsize=64)
def _usual_mg(catalogue: Catalogue, key: str) -> tuple[float, ...]:
    """Content of a unit as it is sold, and largest doses of published challenges. [mg]"""
    drug = catalogue.drug(key)
    sold = (strength.mg for strength in drug.strengths.values())
    challenges = (route.challenge for route in drug.routes.values())
    return (*sold, *(Values(catalogue).typical(key, name) for name in challenges if name is not None))


@lru_cache(maxsize=64)
def _published_mg(catalogue: Catalogue, key: str) -> tuple[float, ...]:
    """Amounts of a drug in the published studies. [mg]"""
    rows = (o.regimen for study in catalogue.studies.values() for o in study.observations)
    given = (found for words in dict.fromkeys(rows) for found in re.findall(r"(\w+) ([\d.]+) (kg|g|mg|ug|ng) ", words))
    names = {**catalogue.aliases, **{name: name for name in catalogue.drugs}}
    return tuple(float(amount) * _MASS[unit] for drug, amount, unit in given if names.get(drug) == key)


def label_cautions(values: Values, events: Sequence[Event]) -> Iterator[str]:
    """State the label's interval where a drug is begun sooner after an opioid, whatever the model computes.

    ``values``: numbers of the run, the intervals of the labels among them; ``events``: expanded doses, earlier use
    included, in the order of time. Yields one warning for each drug that is begun within an interval of its label, with
    the label's sentence in our words.

    >>> from schild.catalog import load
    >>> from schild.regimen import expand, parse_regimen
    >>> events = expand(parse_regimen("heroin 25 mg iv; naltrexone 50 mg po at 3 d"), 10**12)
    >>> print(*label_cautions(Values(load()), events))  # doctest: +NORMALIZE_WHITESPACE
    Naltrexone follows the last dose of heroin by 72 h. The label asks for at least 7 to 10 days without opioids \
    before naltrexone is begun after short-acting ones. No interval and no test is wholly reliable, and severity in one \
    person cannot be predicted.
    """  # noqa: E501
    catalogue = values.catalogue
    last: dict[str, Event] = {}
    begun: set[str] = set()
    drugs = {name: catalogue.drug(name) for name in {e.drug for e in events} if name is not None}
    if not any(drug.starts for drug in drugs.values()):
        return
    for event in events:
        if event.drug is None:
            continue
        drug = drugs[event.drug]
        if drug.starts and drug.key not in begun:
            begun.add(drug.key)
            for key, before in sorted(last.items(), key=lambda item: -_end(item[1])):
                start = next((x for x in drug.starts if key in x.after or not x.after), None)
                since_h = max(0, event.tick + event.lag_tick - _end(before)) / TICKS_PER_HOUR
                if start is not None and since_h < 24.0 * values.typical(drug.key, start.wait):
                    who, taken = drug.name[:1].upper() + drug.name[1:], catalogue.drug(key).name
                    yield (
                        f"{who} follows the last dose of {taken} by {time_words(since_h)}. {start.says} {UNRELIABLE}"
                    )
                    break
        if drug.role in AGONISTS:
            last[drug.key] = event


def _end(event: Event) -> int:
    return event.tick + event.lag_tick + event.duration_tick


def _begun(catalogue: Catalogue, events: Sequence[Event], until: int) -> _Begun | None:
    """Find the first antagonist, or new partial agonist, that is given after an opioid."""
    last: Event | None = None
    taken: set[str] = set()
    for event in events:
        if event.drug is None or event.tick > until:
            continue
        drug = catalogue.drug(event.drug)
        if drug.role == "antagonist" or (drug.role == "partial agonist" and drug.key not in taken):
            if last is not None:
                return _Begun(drug.key, event.tick, last)
            if drug.role == "antagonist":
                continue
        if drug.role in AGONISTS:
            taken.add(drug.key)
            last = event
    return None


def _reacts(
    run: Run,
    begun: _Begun,
    one: Result,
    hours: Floats,
    window: NDArray[np.bool_],
    times: Sequence[int],
    catalogue: Catalogue,
    solve: Callable[[Run, Sequence[int]], Result],
) -> bool:
    """Whether a person is dependent when a drug is begun; of a partial agonist, whether it adds to withdrawal."""
    scores = one["cows"].values[0]
    dependent = one["dependence"].values[0][window][0] > DEPENDENT or scores[window].max() >= PRESENT
    if not dependent or catalogue.drug(begun.drug).role == "antagonist":
        return bool(dependent)
    names = {d.drug for d in run.doses if d.drug is not None and catalogue.drug(d.drug).key == begun.drug}
    without = solve(_as(run, None, leave_out=names), times)["cows"].values[0]
    return bool((scores - without)[window].max() >= PRESENT)


def _as(run: Run, n: int | None, leave_out: Collection[str] = ()) -> Run:
    """Rewrite a run for its typical person, or for ``n`` people like those of the run; without doses of some names."""
    data: dict[str, Any] = run.model_dump(exclude_unset=True)
    data["run"] = {
        **data.get("run", {}),
        "until": f"{run.until_tick / TICKS_PER_HOUR!r} h",
        "outputs": ["cows", "tolerance", "dependence"],
    }
    subject = {**SubjectEntry().model_dump(), **(data.pop("subject", None) or {})}
    many = data.pop("population", None)
    if n is not None:
        data["population"] = {**(many or subject), "n": n if many is None else min(n, many["n"]), "uncertainty": 0}
    elif many is not None:
        known = SubjectEntry.model_fields
        data["subject"] = {**SubjectEntry().model_dump(), **{k: v for k, v in many.items() if k in known and v}}
    else:
        data["subject"] = subject
    if leave_out:
        data["dose"] = [dose.to_words() for dose in run.doses if dose.drug not in leave_out]
    return Run.parse(data)


def _bands(low: float, high: float) -> str:
    a, b = band_words(low), band_words(high)
    return a if a == b else f"{a} to {b}"


def _when(hours: float) -> str:
    return "at the start" if hours == 0 else f"{time_words(float(hours))} after the start"
