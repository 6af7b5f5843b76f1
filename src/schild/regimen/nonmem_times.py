"""Times in tables of NONMEM and similar programs: units, clock times and dates become one column of numbers."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.errors import InputError
from schild.regimen.nonmem_columns import clean, columns
from schild.regimen.nonmem_table import DATES, NONE, Table, clock_hours
from schild.units.reading import PER, TIME

_MOMENT = r"(\d{4}-\d\d-\d\d)[T ](\d\d?:[\d:.]+)Z?"
_DAY = re.compile(r"(\d{1,4})[/-](\d{1,2})[/-](\d{1,4})")
_ORDER = {"DATE": "mdy", "DAT1": "dmy", "DAT2": "ymd", "DAT3": "ydm"}


def unit_of_time(table: Table, said: str | None) -> str:
    """Settle the unit of TIME, II, DUR and LAG: what the caller said, or the column TIMEUNIT, or hours."""
    if said is not None and said not in PER.values():
        raise InputError(f"time_unit is {said!r}; expected 'h', 'min', 's' or 'd'. Choose one.")
    if "TIMEUNIT" not in table.columns:
        return said or "h"
    units = table.each("TIMEUNIT", _unit)
    own = next((unit for unit in units if unit), "")
    if (odd := np.array([unit not in ("", own) for unit in units])).any():
        row = int(odd.argmax())
        table.fail(row, f"TIMEUNIT is {units[row]} after {own}; expected one. Convert all times to one unit.")
    if own and said not in (None, own):
        raise InputError(f"time_unit is {said!r} but TIMEUNIT says {own}; expected one of them. Leave one out.")
    return own or said or "h"


def times(table: Table, unit: str) -> NDArray[np.float64]:
    """Read TIME, and count clock times and dates from the first row of each person."""
    text = table.text(table.columns["TIME"])
    moment = text.str.fullmatch(_MOMENT).to_numpy(dtype=bool)
    day = next((key for key in DATES if key in table.columns), None)
    kinds = np.where(moment, 2, text.str.contains(":").to_numpy(dtype=bool))
    if not kinds.any() and day is None:
        return table.numbers("TIME")
    if unit != "h":
        raise InputError(
            f"The unit of time is {unit!r}, but TIME is a clock time or stands beside {day or 'a date'}; expected "
            "hours. Leave the unit out."
        )
    if (odd := kinds != kinds[0]).any():
        row = int(odd.argmax())
        table.fail(
            row,
            f"TIME is {text.iloc[row]!r} where the rows before are written otherwise; expected numbers, clock times, "
            "or dates with clock times in all rows. Write all in one way.",
        )
    days = [0] * table.n
    if moment.any():
        if day is not None:
            raise InputError(f"TIME holds dates beside {day}; expected one. Leave it out with drop=('{day}',).")
        days = table.each("TIME", lambda cell: _day_number(cell[:10], "DATE"), text)
        clocks = text.str.replace(r"^.*[T ]|Z$", "", regex=True)
        hour = np.array(table.each("TIME", lambda cell: float(clock_hours(cell)), clocks))
    else:
        hour = table.numbers("TIME")
    if day is not None:
        days = table.each(day, lambda cell: _day_number(cell, day))
        if (out := (hour < 0) | (hour > 24)).any():
            row = int(out.argmax())
            table.fail(
                row,
                f"TIME is {hour[row]:g} beside {day}; expected the hour of the day, 0 to 24. If TIME counts from one "
                f"moment, leave the date out with drop=('{day}',).",
            )
        if day == "DATE" and table.text(table.columns[day]).str.contains("/").any():
            table.notes.append("DATE is read as month/day/year, as NONMEM does; call it DAT1 if it is day/month/year.")
    table.clock = True
    table.notes.append("Times are hours from the first row of the person.")
    hour = hour + 24.0 * (np.array(days) - days[0])
    first = np.r_[True, table.code[1:] != table.code[:-1]]
    start = np.maximum.accumulate(np.where(first, np.arange(table.n), 0))
    return np.asarray(hour - hour[start])


def check_columns_aside(table: Table, time_h: NDArray[np.float64], dose: NDArray[np.bool_]) -> None:
    """Refuse a table whose harmless columns say that what is read as one person, or as one moment, is not.

    ``time_h``, the time of each row [h], and ``dose``, whether it gives one: shape (n_rows,).
    """
    dated = any(key in table.columns for key in DATES)
    by = "under one ID" if "ID" in table.columns else "and there is no column ID"
    known = columns()
    for name, column in table.other.items():
        key = clean(name)
        if key not in known.one_in_a_person | known.one_at_a_time:
            continue
        text = table.text(column).to_numpy(dtype=object)
        told = ~np.isin(text, NONE)
        doses = np.flatnonzero(told & dose)
        rows = np.flatnonzero(told)
        checks: list[tuple[bool, NDArray[np.intp], Any, str]] = [
            (key in known.one_in_a_person, rows, np.inf, f"{by}; expected one in each person. Call it ID")
        ]
        if key in known.days and table.clock and not dated:
            what = (
                "and TIME is a clock time without a day; expected it in DATE, or yyyy-mm-ddThh:mm in TIME. Write it so"
            )
            checks.append((True, rows, np.inf, what))
        what = "but TIME stays behind; expected times that go on with it. Count TIME from one moment on"
        checks.append((key in known.one_at_a_time, doses, 0.0, what))
        if key in ("DAY", "DAYS", "NDAY") and all(re.fullmatch(r"-?\d{1,5}(\.0*)?", cell) for cell in text[told]):
            day = text[told].astype(float)
            if not (day == 0).any():
                day += day < 0  # days of a study are -1, 1: none is 0
            checks.append((True, rows, 24.0 * (np.diff(day) - 1.0) - 1e-6, what))
        for asked, some, most_h, what in checks:
            a, b = some[:-1], some[1:]
            bad = asked & (table.code[a] == table.code[b]) & (text[a] != text[b]) & (time_h[b] - time_h[a] <= most_h)
            if bad.any():
                k = int(bad.argmax())
                out = f"leave the column out with drop=('{name}',) if it does not count"
                table.fail(int(b[k]), f"{name} is {text[b[k]]!r} after {text[a[k]]!r}, {what}, or {out}.")


def _unit(text: str) -> str:
    if text in NONE:
        return ""
    if (size := TIME.get(text.lower())) not in PER:
        raise InputError(f"{text!r} is not a unit of time; expected h, min, s or d. Convert the times to one of them.")
    return PER[size]


def _day_number(text: str, column: str) -> int:
    """Turn a date into a day: a number as it is, else by the order of day, month and year of the column."""
    if re.fullmatch(r"\d{1,6}(\.0*)?", text):
        return int(float(text))
    parts = _DAY.fullmatch(text)
    order = "ymd" if column == "DATE" and re.match(r"\d{4}-", text) else _ORDER[column]
    if parts is not None:
        at = dict(zip(order, map(int, parts.groups()), strict=True))
        year = at["y"] + (2000 if at["y"] < 50 else 1900 if at["y"] < 100 else 0)
        try:
            return date(year, at["m"], at["d"]).toordinal()
        except ValueError:
            pass
    shape = "/".join({"y": "year", "m": "month", "d": "day"}[letter] for letter in order)
    raise InputError(
        f"{text!r} is not a date as {shape}; expected that, a number of days, or yyyy-mm-dd in DATE. Rewrite it, or "
        "call the column DAT1 (day/month/year), DAT2 (year/month/day) or DAT3 (year/day/month)."
    )
