"""NONMEM event tables, written from a regimen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schild.errors import InputError
from schild.regimen.dose import Dose, Regimen
from schild.regimen.expand import schedule
from schild.units import MAX_TICKS, TICKS_PER_HOUR, TimeLike, format_hours, ticks

if TYPE_CHECKING:
    import pandas as pd


def to_nonmem(regimen: Regimen | tuple[Dose, ...], until: TimeLike | None = None) -> pd.DataFrame:
    """Write a regimen as a NONMEM event table.

    ``until``: end of the run; needed by doses that repeat until then [h]. Returns columns TIME, EVID, AMT, AMTU, RATE,
    II, ADDL, SS, CMT, DRUG, ROUTE, BASIS, and PRODUCT where one is named, in the order of time. A dose with skipped
    numbers becomes several rows. Raises InputError if doses repeat without end, or a dose has its own lag or
    bioavailability, which a table cannot hold.

    >>> from schild.regimen import parse_regimen
    >>> table = to_nonmem(parse_regimen("naltrexone 50 mg po q24h x7 skip 3"))
    >>> table[["TIME", "AMT", "II", "ADDL"]].to_numpy().tolist()
    [[0.0, 50.0, 24.0, 1.0], [72.0, 50.0, 24.0, 3.0]]
    """
    import pandas as pd

    limit = MAX_TICKS if until is None else ticks(until)
    doses = tuple(regimen)
    for dose in doses:
        if dose.count is None and until is None:
            raise InputError(
                f"'{dose.to_words()}' repeats until the end of the run; expected an end. Give `until`, or a count."
            )
        if dose.lag is not None or dose.f is not None:
            raise InputError(
                f"'{dose.to_words()}' has its own lag or f; expected none, because a NONMEM table keeps "
                "these in the model file (ALAG, F). Leave them out."
            )
    numbers: dict[tuple[str, str], int] = {}
    for dose in doses:
        if dose.drug is not None and dose.route is not None and dose.cmt is not None:
            numbers.setdefault((dose.drug, dose.route), dose.cmt)
    rows: list[tuple[int, int, dict[str, Any]]] = []
    for order, (dose, times) in enumerate(schedule(doses, limit)):
        runs = _runs(dose, [g.tick for g in times if g.number not in dose.skip])
        if until is None and not dose.skip and dose.count is not None:
            runs = [(dose.time_tick, dose.count)]  # a reset cancels the rest when the table is read
        for start, count in runs:
            first = start == dose.time_tick
            rows.append((start, order, _row(dose, start, count, first, numbers)))
    if isinstance(regimen, Regimen):
        rows += [
            (ticks(t), len(doses), {"TIME": ticks(t) / TICKS_PER_HOUR, "EVID": evid})
            for evid, times_h in ((0, regimen.observations), (2, regimen.marks))
            for t in times_h
        ]
    rows.sort(key=lambda row: row[:2])
    empty = {"AMT": 0.0, "AMTU": ".", "RATE": 0.0, "II": 0.0, "ADDL": 0, "SS": 0, "CMT": 0}
    names = {"DRUG": ".", "ROUTE": ".", "BASIS": ".", "PRODUCT": "."}
    table = pd.DataFrame([{"TIME": 0.0, "EVID": 0} | empty | names | row for _, _, row in rows])
    order_ = ["TIME", "EVID", "AMT", "AMTU", "RATE", "II", "ADDL", "SS", "CMT", "DRUG", "ROUTE", "BASIS"]
    named = "PRODUCT" in table.columns and (table["PRODUCT"] != ".").any()
    return table.reindex(columns=[*order_, "PRODUCT"] if named else order_)


def _runs(dose: Dose, given: list[int]) -> list[tuple[int, int]]:
    """Runs of doses one interval apart, as (first tick, number of doses)."""
    runs: list[tuple[int, int]] = []
    for tick in given:
        if runs and tick == runs[-1][0] + runs[-1][1] * dose.every_tick:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((tick, 1))
    return runs


def _row(
    dose: Dose,
    start: int,
    count: int,
    first: bool,
    numbers: dict[tuple[str, str], int],
) -> dict[str, Any]:
    row: dict[str, Any] = {"TIME": start / TICKS_PER_HOUR, "EVID": dose.evid if first else 1, "CMT": dose.cmt or 0}
    if dose.drug is None or dose.route is None:
        return row
    key = (dose.drug, dose.route)
    numbers.setdefault(key, max(numbers.values(), default=0) + 1)
    row |= {"CMT": numbers[key], "DRUG": dose.drug, "ROUTE": dose.route, "BASIS": dose.basis or "."}
    row["PRODUCT"] = dose.product or "."
    row |= {"ADDL": count - 1, "SS": dose.ss if first else 0}
    if row["ADDL"] or row["SS"]:
        row["II"] = dose.every_tick / TICKS_PER_HOUR
    if dose.constant and dose.rate is not None:
        per = ticks(f"1 {dose.rate.per}")
        row |= {"RATE": dose.rate.value * TICKS_PER_HOUR / per, "AMTU": dose.rate.unit, "AMT": 0.0}
    elif dose.amount is not None:
        row |= {"AMT": dose.amount.value, "AMTU": dose.amount.unit}
        if dose.duration_tick:
            row["RATE"] = dose.amount.value / (dose.duration_tick / TICKS_PER_HOUR)
            if round(dose.amount.value / row["RATE"] * TICKS_PER_HOUR) != dose.duration_tick:  # pragma: no cover
                raise InputError(
                    f"'{dose.to_words()}' lasts {format_hours(dose.duration_tick / TICKS_PER_HOUR)}, which "
                    "no RATE expresses to the microsecond; expected a rounder time. Change the duration."
                )
    return row
