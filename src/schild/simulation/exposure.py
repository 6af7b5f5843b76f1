"""Non-compartmental metrics of a run: drugs, metabolites, occupancies, effects, after the first and the last dose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.array_types import Floats
from schild.errors import InputError
from schild.model.ports import base_nmol
from schild.pharmacology import nca
from schild.regimen import Event
from schild.simulation.output import Output
from schild.simulation.result import Result, metric
from schild.simulation.times import nodes_after
from schild.tables import QUANTIFIED_NG_ML
from schild.units import TICKS_PER_HOUR

if TYPE_CHECKING:
    import pandas as pd


#: Spacing of the times after the first and the last dose, on a logarithmic scale.
_GROWTH = 0.04

#: Metrics of outputs that are not concentrations, over the interval of a dose.
COURSE = ("peak", "peak_h", "lowest", "mean", "at_end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One metric of one output after one dose, of every person."""

    output: str  #: Key of the species, or name of the output
    dose: int  #: Number of the dose, from 1
    metric: str  #: CDISC test code, or a name in words
    unit: str
    values: Floats  #: Shape (n_subjects,); NaN where a person's curve does not allow it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interval:
    """Times from a dose to the next, or of the last dose to the end of the run or a reset."""

    number: int
    begin: int  #: [us]
    end: int  #: End of the times that are used [us]
    tau: int  #: Dosing interval, 0 after a single dose [us]
    events: tuple[Event, ...]  #: Doses at its beginning
    cut: bool = False  #: Whether a reset ends it, after which nothing is extrapolated


def exposure(
    result: Result,
    *,
    lloq: float = QUANTIFIED_NG_ML,
    between: nca.Between = "drop",
    parts: Sequence[tuple[float, float]] = (),
    above: float = 0.8,
) -> list[Row]:
    """Compute non-compartmental metrics of every person of a result.

    Parameters
    ----------
    result : Result
        Result of ``simulate``, with the output times of a run.
    lloq, between
        Rules for plasma below the limit of quantification, as in ``schild.pharmacology.nca.measured``. [ng/mL]
    parts : sequence of (start, end)
        Partial areas, in hours after the last dose.
    above : float
        Level of occupancies for ``hours_above``. [1]

    Returns
    -------
    list of Row
        Metrics of each output after the first and the last dose.

    Raises
    ------
    InputError
        For a result with a plain grid or times of its own, or without plasma, occupancies and effects.

    Notes
    -----
    The curve is computed on the times of the run and on a dense grid after the first and the last dose. The dosing
    interval of a dose ends at the next dose of the drug; that of the last one is as long as the one before it, or the
    interval of a steady state. Doses are amounts of base, as plasma is measured; clearance is of the drug that was
    given, not of its metabolites. The terminal slope of these curves without noise takes the best adjusted R squared
    without a tie.
    """
    first = next(iter(result.outputs.values()), None)
    if first is None or first.solve is None or not result.doses:
        raise InputError(
            "Non-compartmental metrics need the output times of a run, with both sides of every dose, and a dose in "
            "it; this result has a plain grid or no dose. Simulate it without plain_grid."
        )
    intervals = {key: _intervals(some, result) for key, some in result.doses.items()}
    wanted = set().union(
        *(
            nodes_after(i.begin, i.end, _GROWTH) | ({i.begin + i.tau - 1, i.begin + i.tau} if i.tau else set())
            for some in intervals.values()
            for i in some
        )
    )
    outputs = first.solve.at_times(sorted(wanted))
    rows: list[Row] = []
    for name, output in outputs.items():
        kind, _, key = name.partition("_")
        if kind == "plasma" and output.unit == "ng/mL" and key in intervals:
            rows += _plasma(result, key, output, intervals[key], lloq=lloq, between=between, parts=parts)
        elif output.kind.group != "plasma" and (output.kind.drawn or output.kind.tabled):
            rows += [row for i in intervals[None] for row in _course(output, i, above)]
    if not rows:
        raise InputError(
            "The outputs of this run hold no plasma, occupancy or effect; expected one. Leave `outputs` out, or add "
            "plasma_naltrexone or mor_pet_occupancy."
        )
    return rows


def _intervals(events: Sequence[Event], result: Result) -> list[_Interval]:
    """Give the interval of the first dose and that of the last one before the end of the run; one of a single dose."""
    first_output = next(iter(result.outputs.values()))
    until = round(float(first_output.time_h[-1]) * TICKS_PER_HOUR)
    at: dict[int, tuple[Event, ...]] = {}
    for event in events:
        if event.tick < until or event.tick == events[0].tick:
            at[event.tick] = (*at.get(event.tick, ()), event)
    ticks = sorted(at)
    tau = at[ticks[-1]][0].ii_tick or (ticks[-1] - ticks[-2] if len(ticks) > 1 else 0)
    resets = () if result.run is None else sorted(dose.time_tick for dose in result.run.doses if dose.evid == 3)

    def interval(number: int, end: int, tau: int) -> _Interval:
        begin = ticks[number - 1]
        reset = next((tick for tick in resets if begin < tick < min(end, begin + tau if tau else end)), None)
        if reset is None:
            return _Interval(number=number, begin=begin, end=end, tau=tau, events=at[begin])
        return _Interval(number=number, begin=begin, end=reset - 1, tau=0, events=at[begin], cut=True)

    found = [] if len(ticks) == 1 else [interval(1, ticks[1], ticks[1] - ticks[0])]
    return [*found, interval(len(ticks), until, tau)]


def _part(output: Output, interval: _Interval, end: int) -> tuple[Floats, Floats]:
    """Hours after the dose and values up to a time."""
    ticks = np.rint(output.time_h * TICKS_PER_HOUR).astype(np.int64)
    here = (ticks >= interval.begin) & (ticks <= end)
    return (ticks[here] - interval.begin) / TICKS_PER_HOUR, np.asarray(output.values[:, here], dtype=np.float64)


def _plasma(
    result: Result, species: str, output: Output, intervals: Sequence[_Interval], *, parts: Any, **rules: Any
) -> list[Row]:
    rows: list[Row] = []
    for i in intervals:
        before_next = i is not intervals[-1]
        t, c = _part(output, i, i.end - 1 if before_next else i.end)
        if before_next:
            # A microsecond before the next dose stands for the end of the interval.
            t[-1] = (i.end - i.begin) / TICKS_PER_HOUR
        doses = [_dose_ng(result, e) for e in i.events if e.drug == species]
        # Without the amount of every dose there is no clearance.
        known = [d for d in doses if d is not None]
        dose = sum(known, np.zeros(result.n)) if known and len(known) == len(i.events) and not i.cut else None
        vein = all(e.route in ("iv", "ia") for e in i.events)
        people = [
            nca.metrics(
                t,
                np.maximum(c[k], 0.0),
                tau=i.tau / TICKS_PER_HOUR if i.tau else None,
                dose=None if dose is None else float(dose[k]),
                intravenous=vein,
                tie=0.0,
                parts=() if before_next else parts,
                **rules,
            )
            for k in range(result.n)
        ]
        names = [*nca.NAMES, *(f"AUC_{a:g}_{b:g}" for a, b in parts)]
        for name in names:
            terminal = name.startswith(("LAMZ", "R2", "AUCIFO", "AUCPEO"))
            if any(name in one for one in people) and not (terminal and (before_next or i.cut)):
                unit = nca.NAMES[name][0] if name in nca.NAMES else "h*<C>"
                values = np.array([one.get(name, np.nan) for one in people])
                rows.append(
                    Row(output=species, dose=i.number, metric=name, unit=unit.replace("<C>", "ng/mL"), values=values)
                )
    if len(intervals) == 2 and _same_doses(intervals[0].events, intervals[1].events):
        at = {(row.dose, row.metric): row.values for row in rows}
        for name, of in (("ARAUC", "AUCTAU"), ("ARCMAX", "CMAX"), ("ARCTROUG", "CTROUGH")):
            early, late = (at.get((i.number, of)) for i in intervals)
            if early is not None and late is not None:
                with np.errstate(divide="ignore", invalid="ignore"):
                    ratio = np.where(early > 0, late / early, np.nan)
                rows.append(Row(output=species, dose=intervals[1].number, metric=name, unit="1", values=ratio))
    return rows


def _same_doses(a: Sequence[Event], b: Sequence[Event]) -> bool:
    def given(events: Sequence[Event]) -> list[object]:
        return [(e.drug, e.route, e.amount, e.basis, e.ss) for e in events]

    return given(a) == given(b)


def _dose_ng(result: Result, event: Event) -> Floats | None:
    """Base in a dose, for every person. [ng]"""
    values = result.values
    if values is None or event.amount is None or event.drug is None or event.route is None:
        return None
    drug = values.catalogue.drug(event.drug)
    salt = event.basis or drug.route(event.route, event.product).salt
    mass = base_nmol(values, drug, salt, event.amount) * event.f * values.typical(drug.key, str(drug.mw))
    if event.amount.per_kg:
        return mass * np.asarray(values.people.covariates["weight_kg"], dtype=np.float64)
    return np.full(values.people.n, mass)


def _course(output: Output, interval: _Interval, above: float) -> list[Row]:
    """Peak, lowest and mean of an occupancy or effect over the interval of a dose, and the time above a level."""
    end = min(interval.begin + interval.tau, interval.end) if interval.tau else interval.end
    t, y = _part(output, interval, end if end == interval.end else end - 1)
    if len(t) < 2 or not np.isfinite(y).any():
        return []
    span = float(t[-1] - t[0])
    high, low = np.argmax(y, axis=1), np.argmin(y, axis=1)
    each = np.arange(len(y))
    mean = np.sum(0.5 * (y[:, 1:] + y[:, :-1]) * np.diff(t), axis=1) / span
    values = (y[each, high], t[high], y[each, low], mean, y[:, -1])
    units = (output.unit, "h", *[output.unit] * 3)
    rows = [
        Row(output=output.name, dose=interval.number, metric=name, unit=unit, values=np.asarray(value))
        for name, unit, value in zip(COURSE, units, values, strict=True)
    ]
    if output.unit == "1" and not output.kind.ratio:
        passed = np.array([nca.time_above(t, row, above, straight=True) for row in y])
        rows.append(
            Row(
                output=output.name,
                dose=interval.number,
                metric=f"hours_above_{100 * above:g}_percent",
                unit="h",
                values=passed,
            )
        )
    return rows


def summary_of(rows: Sequence[Row]) -> pd.DataFrame:
    """Write rows as a table: the value of one person, or how many have it and quantiles over them."""
    import pandas as pd

    found = []
    for row in rows:
        entry: dict[str, Any] = {"output": row.output, "dose": row.dose, "metric": row.metric, "unit": row.unit}
        said = metric(row.values)
        if isinstance(said, Mapping):
            entry |= {"n": int(np.isfinite(row.values).sum()), **said}
        else:
            entry["value"] = said
        found.append(entry)
    return pd.DataFrame(found, columns=[*found[0]])


def people_of_result(result: Result, **options: Any) -> pd.DataFrame:
    """Write one row for each person, as ``Result.people`` returns them."""
    import pandas as pd

    if result.values is None:
        raise InputError("This result has no people; expected the result of `simulate`. Simulate the run.")
    rows = exposure(result, **options)
    last = {row.output: row.dose for row in rows}  # rows of the last dose come last
    columns: dict[str, Any] = {"person": np.arange(1, result.n + 1)}
    columns |= result.values.people.covariates
    columns |= result.values.differing()
    columns |= result.each
    columns |= {f"{row.output}.{row.metric}": row.values for row in rows if row.dose == last[row.output]}
    return pd.DataFrame(columns)
