"""Doses as the engine reads them: entries at ticks, steady states in closed form, columns that scale a dose."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import lcm
from typing import Any, TypeAlias

import numpy as np

from schild.array_types import Floats
from schild.catalog import ByDose, Drug, Route
from schild.errors import InputError
from schild.model.ports import Port, base_nmol, disposition_of, fraction, parts_of, port_name
from schild.people import Values
from schild.regimen import Event
from schild.regimen.dose import MAX_DOSES
from schild.units import TICKS_PER_HOUR, Amount, format_ticks

# Kinds of engine entries, in the order in which they act at one tick.
END, RESET, CLEAR, TRAIN, RECEPTORS_AT, ADD = range(6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of the engine at one tick.

    ``amount`` is in nmol (or nmol/h for a prolonged input) times the column ``scale``; ``ages`` are the hours since
    the newest start and end of a steady-state train, ``interval`` its spacing [h], ``running`` its unfinished inputs.
    """

    tick: int
    kind: int
    order: int = 0
    port: str = ""
    amount: float = 0.0
    scale: str = "one"
    ages: tuple[float, float] = (0.0, -1.0)
    interval: float = 0.0
    running: int = 0


#: An input of a dose: port, lag and duration [us], amount [nmol, or nmol/h where prolonged], column.
_Input: TypeAlias = tuple[str, int, int, float, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyStart:
    """Periodic course on which receptors start at ``tick``: one period of ``period`` ticks of these events."""

    tick: int
    period: int
    events: tuple[Event, ...]


class EntryMaker:
    """Turns events into entries, and keeps the columns that they share.

    ``ports``: inputs of the model; ``kept``: what was made of earlier doses into them, of the same people; ``scales``:
    columns that multiply a dose, by name: floats, or arrays of shape (n,).
    """

    def __init__(self, values: Values, ports: Mapping[str, Port], kept: dict[Hashable, Any] | None = None) -> None:
        self.values, self.ports, self._kept = values, ports, kept
        self.scales: dict[str, float | Floats] = {}
        self.said: list[str] = []
        self._known: dict[Hashable, list[_Input]] = {}

    def entries(self, events: Sequence[Event]) -> tuple[tuple[Entry, ...], tuple[SteadyStart, ...]]:
        """Turn events into entries, and into the periodic courses on which receptors start."""
        made: list[Entry] = []
        starts: list[SteadyStart] = []
        first = events[0].tick if events else 0
        steady: dict[int, list[Event]] = {}
        for event in events:
            if event.clears:
                # Everything still on its way from earlier records is cancelled, infusion ends included.
                made = [e for e in made if e.tick < event.tick or e.kind == RESET]
                made.append(Entry(tick=event.tick, kind=RESET, order=event.order))
                steady.pop(event.tick, None)
            if event.evid == 5:
                made = [e for e in made if e.tick < event.tick]
                made.append(Entry(tick=event.tick, kind=CLEAR, order=event.order))
            if event.drug is None:
                continue
            if event.ss and event.past is None:
                steady.setdefault(event.tick, []).append(event)
            made += self._dose(event)
        for tick, group in sorted(steady.items()):
            if tick == first or any(e.ss == 1 for e in group):
                periods = [e.ii_tick for e in group if e.ii_tick] or [24 * TICKS_PER_HOUR]
                period = lcm(*periods)
                if period > 400 * 24 * TICKS_PER_HOUR or sum(period // p for p in periods) > 10_000:
                    said = ", ".join(format_ticks(p) for p in periods)
                    raise InputError(
                        f"Steady states that begin together have intervals {said}, which coincide only every "
                        f"{format_ticks(period)}; expected intervals with a common multiple. Round the intervals."
                    )
                made.append(Entry(tick=tick, kind=RECEPTORS_AT, port=str(len(starts))))
                starts.append(SteadyStart(tick=tick, period=period, events=tuple(group)))
        made.sort(key=lambda e: (e.tick, e.kind, e.order))
        return tuple(made), tuple(starts)

    def _dose(self, event: Event) -> list[Entry]:
        # Doses of a regimen differ in their times and occasions alone.
        occasion = 0 if self.values.people.between_occasion is None else event.occasion
        kind = (event.drug, event.route, event.product, event.amount, event.basis, event.f, event.rate,
                event.duration_tick, bool(event.ss), occasion)  # fmt: skip
        if (inputs := self._known.get(kind)) is None:
            inputs = self._known[kind] = self._inputs_of(kind, event)
        entries: list[Entry] = []
        for port, lag, duration, amount, scale in inputs:
            entry = partial(Entry, order=event.order, port=port, scale=scale)
            if event.rate is not None:  # a constant infusion without a beginning that stops now
                entries.append(entry(tick=event.tick, kind=TRAIN, amount=amount, running=1))
                entries.append(entry(tick=event.tick, kind=ADD, amount=-amount))
                continue
            lag += event.lag_tick
            if event.past is not None:
                # A finite number of earlier doses: an endless train minus one that ended before the first of them.
                since = lag + event.ii_tick - event.ago_tick
                entries += _train(event, entry, amount, since, duration)
                entries += _train(event, entry, -amount, since - event.past * event.ii_tick, duration)
            elif event.ss:
                entries += _train(event, entry, amount, lag, duration)
            if event.evid == 2:
                continue
            start = event.tick + lag
            entries.append(entry(tick=start, kind=ADD, amount=amount))
            if duration:
                entries.append(entry(tick=start + duration, kind=END, amount=-amount))
        return entries

    def _inputs_of(self, kind: Hashable, event: Event) -> list[_Input]:
        """Make the inputs of a kind of dose, or return those of an earlier model with what they used."""
        if self._kept is None:
            return list(self._inputs(event))
        if ("dose", kind) not in self._kept:
            maker = EntryMaker(self.values.apart(), self.ports)
            self._kept["dose", kind] = list(maker._inputs(event)), maker
        inputs: list[_Input]
        inputs, maker = self._kept["dose", kind]
        self.values.take_over(maker.values)
        self.scales |= {name: scale for name, scale in maker.scales.items() if name not in self.scales}
        for warning in maker.said:
            self._say(warning)
        return inputs

    def _inputs(self, event: Event) -> Iterator[_Input]:
        """Give the inputs of a dose."""
        drug = self.values.catalogue.drug(str(event.drug))
        route = drug.route(str(event.route), event.product)
        prolonged = bool(event.duration_tick or event.rate)
        if event.ss and disposition_of(drug).saturable:
            raise InputError(
                f"A steady state of {drug.name} was asked for; its elimination saturates, so there is none in closed "
                "form. Begin the doses earlier instead, such as 'from -7 d'."
            )
        labels = [
            (label, branch)
            for k, branch in enumerate(route.branches)
            for label, _, _ in parts_of(
                self.values, port_name(drug.key, route.key, k) + (".infusion" if prolonged else ""), drug, branch
            )
        ]
        for port, branch in labels:
            lag, duration = 0, event.duration_tick
            if branch.lag is not None:
                lag = round(self.values.typical(drug.key, branch.lag) * TICKS_PER_HOUR)
            if branch.input == "zero_order":
                duration = round(self.values.typical(drug.key, str(branch.duration)) * TICKS_PER_HOUR)
            scale = self._scale(event, port, [self.ports[label] for label, _ in labels], self.ports[port])
            given = event.amount if event.rate is None else event.rate.over(TICKS_PER_HOUR)
            assert given is not None  # a dose without a rate has an amount
            amount = self._nmol(drug, route, given, event.basis) * event.f
            if duration and event.rate is None:
                amount *= TICKS_PER_HOUR / duration
            yield port, lag, duration, amount, scale

    def _nmol(self, drug: Drug, route: Route, amount: Amount, basis: str | None) -> float:
        # Amounts per kilogram are scaled by the person's own weight: a column, see `_scale`.
        return base_nmol(self.values, drug, basis or route.salt, amount)

    def _by_dose(self, event: Event, route: Route, of: ByDose, parts: Sequence[Port]) -> float | Floats:
        """Factor on the share of this dose that arrives; ``parts`` are all inputs of the dose."""
        drug = parts[0].drug
        if event.amount is None:
            raise InputError(
                f"{drug.name} by {route.key} at a constant rate without a beginning was given; the share that is "
                "absorbed depends on the dose, and an endless infusion has none. Write doses with an interval and ss."
            )
        exponent = self.values.of(drug.key, of.exponent)
        if np.any(np.asarray(exponent) <= -1.0):
            raise InputError(
                f"{drug.key}.{of.exponent} is {np.min(exponent):g}; expected above -1, or a larger dose would bring "
                "less. Correct it."
            )
        dose: float | Floats = self._nmol(drug, route, event.amount, event.basis)
        if event.amount.per_kg:
            dose = dose * self.values.covariate("weight_kg")
        reference = self._nmol(drug, route, Amount(1.0, "mg"), None) * self.values.of(drug.key, of.reference)
        factor = (dose / reference) ** exponent
        whole = sum(fraction(self.values, port, d, event.occasion) for port in parts for d in port.deliver)
        if np.any(np.asarray(factor * whole) > 1.0):
            self._say(f"{drug.key}: the share absorbed of {event.amount} {route.key} is limited to the whole dose.")
            factor = np.minimum(factor, 1.0 / np.maximum(whole, 1e-300))
        return factor

    def _say(self, warning: str) -> None:
        if warning not in self.said:
            self.said.append(warning)

    def _scale(self, event: Event, label: str, parts: Sequence[Port], port: Port) -> str:
        """Column that multiplies this dose.

        It holds body weight for an amount per kilogram, the fraction of its occasion, and the factor of this dose where
        the share absorbed depends on it; ``parts`` are all its inputs.
        """
        per_kg = (event.amount is not None and event.amount.per_kg) or (
            event.rate is not None and event.rate.unit.endswith("/kg")
        )
        by_dose = port.route.by_dose
        of_dose = "" if by_dose is None else f"{port.drug.key}.{port.route.key}({event.amount} {event.basis or ''})"
        if of_dose and any(part.varies for part in parts):
            of_dose += f"@{event.occasion}"
        name = "*".join(
            x for x in ("weight" if per_kg else "", of_dose, f"{label}@{event.occasion}" if port.varies else "") if x
        )
        if not name:
            return "one"
        if name not in self.scales:
            value: float | Floats = 1.0
            if per_kg:
                value = self.values.covariate("weight_kg")
            if port.varies:
                value = value * fraction(self.values, port, port.deliver[0], event.occasion)
            if by_dose is not None:
                value = value * self._by_dose(event, port.route, by_dose, parts)
            self.scales[name] = value
        return name


def _train(event: Event, entry: Callable[..., Entry], amount: float, lag: int, duration: int) -> list[Entry]:
    """What an endless train of equal doses before this one, every ``ii``, has left in the body or has yet to bring.

    Doses number n = 1, 2, ... came ``n ii`` before the event and enter ``lag`` later. Those that have entered form a
    geometric sum; those that have not (a lag longer than the interval) are later entries.
    """
    ii = event.ii_tick
    if (most := max(lag, duration) // ii) > MAX_DOSES:
        raise InputError(
            f"{event.amount} of {event.drug} every {format_ticks(ii)} for ever has {most:,} doses on their way at "
            f"once; expected at most {MAX_DOSES:,}. Give a longer interval, or a constant rate."
        )
    entries: list[Entry] = []
    waiting = 0
    # Future starts: lag - n ii > 0. At exactly zero it enters now and counts as entered, with age zero.
    while (start := lag - (waiting + 1) * ii) > 0:
        waiting += 1
        entries.append(entry(tick=event.tick + start, kind=ADD, amount=amount))
        if duration:
            entries.append(entry(tick=event.tick + start + duration, kind=END, amount=-amount))
    age, age_off, running = (waiting + 1) * ii - lag, -TICKS_PER_HOUR, 0
    if duration:
        while (end := duration - age - running * ii) > 0:  # inputs that have begun and have not ended
            running += 1
            entries.append(entry(tick=event.tick + end, kind=END, amount=-amount))
        age_off = age + running * ii - duration
    ages = (age / TICKS_PER_HOUR, age_off / TICKS_PER_HOUR)
    train = {"amount": amount, "ages": ages, "interval": ii / TICKS_PER_HOUR, "running": running}
    return [*entries, entry(tick=event.tick, kind=TRAIN, **train)]
