"""Tables of NONMEM and similar programs become regimens: the meaning of each row, checked by column."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from schild.delimited import Source, read_rows
from schild.errors import InputError
from schild.regimen.dose import MAX_DOSES, Dose, Regimen, canonical_name
from schild.regimen.nonmem_columns import clean, known_as
from schild.regimen.nonmem_table import NONE, Table
from schild.regimen.nonmem_times import check_columns_aside, times, unit_of_time
from schild.units import MAX_TICKS, TICKS_PER_HOUR, Amount, Rate, parse_amount, ticks

if TYPE_CHECKING:
    import pandas as pd

Compartments = Mapping[int | str, tuple[str, str]]
_DOSE_ITEMS = ("AMT", "RATE", "DUR", "II", "ADDL", "SS")
_OTHER_EVID = {
    5: ", which replaces an amount in rxode2",
    6: ", which multiplies an amount in rxode2",
    7: ", which is a phantom dose in rxode2",
    8: ", which replaces an amount in mrgsolve",
}


def read_nonmem(
    source: Source,
    cmt: Compartments | None = None,
    *,
    id: Hashable | None = None,
    drug: str | None = None,
    route: str | None = None,
    basis: str | None = None,
    amount_unit: str | None = None,
    time_unit: str | None = None,
    drop: Collection[str] = (),
) -> Regimen:
    """Read the event table of one person.

    - ``source``: text with a header, its columns separated by commas, tabs, semicolons or blanks; case of the names
      does not matter. ``TIME`` and ``AMT`` are needed; the other names that are read, refused or harmless are listed on
      the page *Event semantics*. A point, ``NA`` or an empty cell is 0. Lines that begin with ``#`` are comments.
    - ``cmt``: drug and route of a dose into each compartment; doses without compartment go into 1.
    - ``id``: the person to read from a table of several; the rows of the others are not checked.
    - ``drug`` and ``route``: those of every dose, for a table that names neither compartment nor drug.
    - ``basis``: ``base`` or the salt weighed, for a table without ``BASIS``.
    - ``amount_unit``: unit of ``AMT`` (and of the amount in ``RATE``), for a table without ``AMTU``.
    - ``time_unit``: unit of ``TIME``, ``II``, ``DUR``, ``LAG`` and of the time in ``RATE``, for a table without
      ``TIMEUNIT``; h by default.
    - ``drop``: columns that are left out on purpose, as ``DROP`` does in NONMEM.

    Returns one dose per dosing row, in row order; observation times (EVID 0) and other events (EVID 2) beside them.
    Raises InputError if a column is missing or not known, or a row cannot mean anything; the message names the line in
    the file (the row of a data frame, from 1) and the column. Also if the table holds several persons and `id` is not
    given.

    >>> import io
    >>> rows = ["TIME,AMT,II,ADDL,EVID", "0,50,24,6,1", "24,.,.,.,0"]
    >>> table = io.StringIO(chr(10).join(rows))
    >>> regimen = read_nonmem(table, drug="naltrexone", route="po", amount_unit="mg")
    >>> regimen.to_words(), regimen.observations
    ('naltrexone 50 mg oral q24h x7', (24.0,))
    """
    table = Table(read_rows(source, known_as, ("TIME", "AMT")), drop, id)
    if len(table.ids) > 1:
        some = ", ".join(map(str, table.ids[:8])) + (", ..." if len(table.ids) > 8 else "")
        raise InputError(
            f"{table.rows.name} holds {len(table.ids)} persons ({some}); expected one. Choose one with id=..., or use "
            "read_nonmem_rows, which gives a regimen for each."
        )
    people = _Meaning(table, time_unit).people(cmt, drug, route, basis, amount_unit)
    return next(iter(people.values()))


def read_nonmem_rows(
    source: Source,
    cmt: Compartments | None = None,
    *,
    drug: str | None = None,
    route: str | None = None,
    basis: str | None = None,
    amount_unit: str | None = None,
    time_unit: str | None = None,
    drop: Collection[str] = (),
) -> tuple[dict[Hashable, Regimen], pd.DataFrame]:
    """Read the event table of several persons, with its rows.

    Parameters as for :func:`read_nonmem`. Returns the regimen of each person in the order of the table (the key is 1
    without a column ``ID``), and every row: ``PERSON``, ``TIME`` [h], ``EVID``, ``MDV``, ``LINE`` (place in words), and
    as text under their names in capitals CMT and the columns that say nothing of what is given (DV, covariates,
    analyte). Raises InputError as for :func:`read_nonmem`, and if the rows of one person do not stand together.

    >>> import io
    >>> table = io.StringIO(chr(10).join(["ID,TIME,AMT,CMT", "1,0,50,1", "2,0,100,1"]))
    >>> people, rows = read_nonmem_rows(table, {1: ("naltrexone", "oral")}, amount_unit="mg")
    >>> [regimen.to_words() for regimen in people.values()]
    ['naltrexone 50 mg oral', 'naltrexone 100 mg oral']
    """
    import pandas as pd

    table = Table(read_rows(source, known_as, ("TIME", "AMT")), drop)
    meaning = _Meaning(table, time_unit)
    people = meaning.people(cmt, drug, route, basis, amount_unit)
    rows = pd.DataFrame(
        {
            "PERSON": [table.ids[k] for k in table.code],
            "TIME": meaning.tick["TIME"] / TICKS_PER_HOUR,
            "EVID": meaning.number["EVID"],
            "MDV": meaning.number["MDV"],
            "LINE": [table.rows.place(k) for k in range(table.n)],
        }
    )
    columns = {**table.other, **({"CMT": table.columns["CMT"]} if "CMT" in table.columns else {})}
    for name, column in columns.items():
        rows[clean(name)] = table.text(column).to_numpy(dtype=object)
    return people, rows


class _Meaning:
    """Columns of a table as arrays, each checked as a whole: a million rows take about a second."""

    def __init__(self, table: Table, time_unit: str | None) -> None:
        self.table = table
        self.time_unit = unit_of_time(table, time_unit)
        self.unit_tick = ticks(f"1 {self.time_unit}")
        v = self.number = {"TIME": times(table, self.time_unit)}
        v |= {key: table.numbers(key) for key in (*_DOSE_ITEMS, "LAG", "EVID", "MDV")}
        if table.clock and self.time_unit != "h":
            raise InputError(f"The table has clock times, in hours; expected times in {self.time_unit}. Convert them.")
        if "EVID" not in table.columns:
            dosing = (v["AMT"] != 0) | ((v["RATE"] > 0) & (v["SS"] > 0))
            v["EVID"] = np.where(dosing, 1.0, np.where(v["MDV"] != 0, 2.0, 0.0))
        self._check()
        self._blocks()
        check_columns_aside(table, self.tick["TIME"] / TICKS_PER_HOUR, np.isin(v["EVID"], (1, 4)))

    def _refuse(self, bad: NDArray[np.bool_], key: str, message: str) -> None:
        """Refuse the first row where `bad` is true; `message` may use {value} and the names of columns."""
        if bad.any():
            row = int(bad.argmax())
            cells = {name: f"{values[row]:g}" for name, values in self.number.items()}
            self.table.fail(row, message.format(value=cells[key], **cells))

    # ----------------------------------------------------------------------------------------- checking

    def _check(self) -> None:
        v = self.number
        evid = v["EVID"]
        if (odd := ~np.isin(evid, (0, 1, 2, 3, 4))).any():
            row = int(odd.argmax())
            other = _OTHER_EVID.get(int(evid[row])) if evid[row] % 1 == 0 else None
            self.table.fail(
                row,
                f"EVID is {evid[row]:g}{other or ''}; expected 0, 1, 2, 3 or 4. "
                + (
                    "Write what is given as doses, and what is taken away as a reset (EVID 3)."
                    if other
                    else "Correct it."
                ),
            )
        dose = np.isin(evid, (1, 4))
        for key in _DOSE_ITEMS:
            self._refuse(
                ~dose & (v[key] != 0),
                key,
                f"{key} is {{value}} but EVID is {{EVID}}; expected 0 or a point, because only EVID 1 and 4 "
                "give a dose. Set EVID to 1, or empty the cell.",
            )
        for key in ("AMT", "DUR", "II", "ADDL", "LAG"):
            self._refuse(v[key] < 0, key, f"{key} is {{value}}; expected 0 or more. Correct it.")
        self._refuse(v["AMT"] > 1e15, "AMT", "AMT is {value}; expected at most 1e15. Check its unit.")
        for key in ("TIME", "II", "DUR", "LAG"):
            self._refuse(
                np.abs(v[key]) > MAX_TICKS / self.unit_tick,
                key,
                f"{key} is {{value}} {self.time_unit}; expected less than 100 years. Check time_unit.",
            )
        self._refuse(
            (v["ADDL"] != np.floor(v["ADDL"])) | (v["ADDL"] > MAX_DOSES - 1),
            "ADDL",
            f"ADDL is {{value}}; expected a whole number up to {MAX_DOSES - 1}. Correct it.",
        )
        self._refuse(
            ~np.isin(v["SS"], (0, 1, 2)),
            "SS",
            "SS is {value}; expected 0, 1 or 2 (SS 3 differs from 1 only in how a solver starts). Write 1.",
        )

        rate, dur, ss, ii = v["RATE"], v["DUR"], v["SS"], v["II"]
        self._refuse((rate < 0) & ~np.isin(rate, (-1, -2)), "RATE", "RATE is {value}; expected 0 or more. Correct it.")
        self._refuse(
            (rate < 0) & (dur == 0),
            "RATE",
            "RATE is {value}, which leaves the infusion to a model file (-1 its rate, -2 its duration); "
            "expected a number. Give the duration in a column DUR, or the rate.",
        )
        constant = dose & (v["AMT"] == 0) & (rate > 0) & (ss > 0) & (ii == 0)
        self._refuse(
            dose & (v["AMT"] == 0) & ~constant,
            "AMT",
            "AMT is 0 in a dose (EVID {EVID}); expected an amount above 0. Only a constant infusion at "
            "steady state has none (AMT 0, RATE above 0, SS 1 or 2, II 0). Give AMT, or set EVID to 0.",
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            lasts = np.where(rate > 0, v["AMT"] / rate, dur)
        self._refuse(
            (rate > 0) & (dur > 0) & (np.abs(lasts - dur) > 1e-6 * dur),
            "RATE",
            "RATE is {value} and DUR is {DUR}, but AMT {AMT} at that rate does not last that long; "
            "expected one of them, or two that agree. Empty one.",
        )
        self._refuse(
            constant & ((v["ADDL"] > 0) | (dur > 0)),
            "ADDL",
            "ADDL is {value} and DUR is {DUR} in a constant infusion at steady state, which stops at its "
            "TIME; expected 0. Add a row with AMT and RATE for what follows.",
        )
        self._refuse(
            dose & (v["ADDL"] > 0) & (ii == 0),
            "II",
            "II is 0 but ADDL is {ADDL}; additional doses need an interval, expected II above 0. Give II "
            f"in {self.time_unit}.",
        )
        self._refuse(
            dose & (ss > 0) & (ii == 0) & ~constant,
            "II",
            "II is 0 but SS is {SS}; a steady state needs an interval, expected II above 0 (or AMT 0 "
            f"with RATE for a constant infusion). Give II in {self.time_unit}.",
        )
        self._refuse(
            lasts > MAX_TICKS / self.unit_tick,
            "RATE",
            "RATE is {value}: AMT {AMT} takes more than 100 years; expected less. Check the units.",
        )
        if single := int((dose & (ii > 0) & (v["ADDL"] == 0) & (ss == 0)).sum()):
            self.table.notes.append(f"Doses with II but neither ADDL nor SS, which are not repeated: {single}.")
        if (dose & (v["LAG"] > 0)).any():
            self.table.notes.append("The lag of the table is added to the route's own.")
        self.constant = constant
        self.tick = {
            "TIME": _to_ticks(v["TIME"], self.unit_tick),
            "II": _to_ticks(ii, self.unit_tick),
            "LAG": _to_ticks(v["LAG"], self.unit_tick),
            "DUR": _to_ticks(np.where(constant, 0.0, lasts), self.unit_tick),
        }
        self._refuse(
            (ii > 0) & (self.tick["II"] == 0),
            "II",
            "II is {value}; expected at least a microsecond. Correct it.",
        )
        self._refuse(
            (lasts > 0) & (self.tick["DUR"] == 0) & ~constant,
            "RATE",
            "RATE is {value} and DUR is {DUR}: the infusion lasts under a microsecond; expected longer. "
            "Set both to 0 for a bolus.",
        )

    def _blocks(self) -> None:
        """Find where each person starts, and refuse time that runs back."""
        code = self.table.code
        new = np.r_[True, code[1:] != code[:-1]]
        self.starts = np.flatnonzero(new)
        again = code[self.starts] != np.arange(len(self.starts))
        if again.any():
            row = int(self.starts[again.argmax()])
            self.table.fail(
                row,
                f"ID {self.table.ids[code[row]]} comes back after another person; expected the rows of a person "
                "together. Sort the table by ID and TIME.",
            )
        back = np.r_[False, np.diff(self.tick["TIME"]) < 0] & ~new
        if back.any():
            row = int(back.argmax())
            now, before = self.number["TIME"][row], self.number["TIME"][row - 1]
            days = " Give the day in a column DATE." if self.table.clock else ""
            self.table.fail(
                row,
                f"TIME is {now:g} after {before:g}; expected times that do not go back, also not at a "
                f"reset. Sort the rows of the person, or count time on from the first.{days}",
            )

    # ----------------------------------------------------------------------------------------- building

    def _names(self, key: str, default: str | None) -> list[str | None]:
        kind = "salt" if key == "BASIS" else key.lower()
        default = default and canonical_name(default, kind)
        if key not in self.table.columns:
            return [default] * self.table.n
        return self.table.each(key, lambda name: default if name in NONE else canonical_name(name, kind))

    def _compartments(self) -> list[int | str]:
        """Give the compartment of each row, 0 where none is said; only an observation may switch one off."""
        if "CMT" not in self.table.columns:
            return [0] * self.table.n
        found = self.table.each("CMT", _compartment)
        for row in np.flatnonzero(np.array([isinstance(c, int) and c < 0 for c in found]) & (self.number["EVID"] != 0)):
            self.table.fail(
                int(row),
                f"CMT is {found[row]}, which switches a compartment off; expected one that is filled. Delete the "
                "row if the compartment only collects, as urine does; a reset (EVID 3) takes all drug away.",
            )
        return found

    def people(
        self,
        cmt: Compartments | None,
        drug: str | None,
        route: str | None,
        basis: str | None,
        amount_unit: str | None,
    ) -> dict[Hashable, Regimen]:
        evid = self.number["EVID"]
        dose = np.isin(evid, (1, 4))
        compartment = self._compartments()
        meaning = {
            key.lower() if isinstance(key, str) else int(key): (canonical_name(d, "drug"), canonical_name(r, "route"))
            for key, (d, r) in (cmt or {}).items()
        }
        drugs, routes = self._names("DRUG", drug), self._names("ROUTE", route)
        bases, products = self._names("BASIS", basis), self._names("PRODUCT", None)
        units = self._units(amount_unit, dose)
        used: set[int | str] = set()
        for key, given in (("DRUG", drug), ("ROUTE", route), ("BASIS", basis), ("AMTU", amount_unit)):
            if given and dose.any() and key in self.table.columns:
                text = self.table.text(self.table.columns[key])[dose]
                if not text.isin(NONE).any():
                    self.table.notes.append(f"{given!r} was given and is not used: {key} says it of every dose.")
        rows = np.flatnonzero(dose | (evid == 3))
        built: list[Dose] = []
        amounts: dict[tuple[float, str, float], Amount] = {}
        v, hour = self.number, {key: (tick / TICKS_PER_HOUR).tolist() for key, tick in self.tick.items()}
        for row in rows.tolist():
            made = object.__new__(Dose)  # everything was checked above, column by column
            place = compartment[row]
            kept = place if isinstance(place, int) and place > 0 else None
            if evid[row] == 3:
                made._store(time=hour["TIME"][row], evid=3, cmt=kept)
                built.append(made)
                continue
            who, way = drugs[row], routes[row]
            if who is None or way is None:
                known = self._meaning(row, place, meaning)
                used.add(place.lower() if isinstance(place, str) else place or 1)
                who, way = who or known[0], way or known[1]
            unit, scale = units[row]
            amt = float(v["AMT"][row])
            try:
                amount, speed = None, None
                if self.constant[row]:
                    speed = Rate(float(v["RATE"][row]) * scale, unit, self.time_unit)
                elif (amount := amounts.get((amt, unit, scale))) is None:
                    amount = amounts[amt, unit, scale] = Amount(amt * scale, unit)
            except InputError as error:
                self.table.fail(row, f"AMT: {error}")
            made._store(
                drug=who,
                amount=amount,
                route=way,
                time=hour["TIME"][row],
                duration=hour["DUR"][row] or None,
                rate=speed,
                every=hour["II"][row] or None,
                count=int(v["ADDL"][row]) + 1,
                basis=bases[row],
                product=products[row],
                ss=int(v["SS"][row]),
                evid=int(evid[row]),
                lag=hour["LAG"][row] or None,
                cmt=kept,
            )
            built.append(made)
        if idle := [str(key) for key in meaning if key not in used]:
            self.table.notes.append(f"Compartments that were explained and that no dose goes into: {', '.join(idle)}.")
        ends = np.r_[self.starts[1:], self.table.n]
        times = np.array(hour["TIME"])
        people: dict[Hashable, Regimen] = {}
        for who_, start, end in zip(self.table.ids, self.starts.tolist(), ends.tolist(), strict=True):
            low, high = np.searchsorted(rows, (start, end))
            part = slice(start, end)
            people[who_] = Regimen(
                tuple(built[low:high]),
                self.table.rows.name,
                tuple(times[part][evid[part] == 0].tolist()),
                tuple(times[part][evid[part] == 2].tolist()),
                tuple(self.table.notes),
            )
        return people

    def _meaning(self, row: int, place: int | str, meaning: Compartments) -> tuple[str, str]:
        """Return drug and route of a dose into a compartment; without one it goes into the first."""
        key = place.lower() if isinstance(place, str) else place or 1
        if key in meaning:
            return meaning[key]
        if not place:
            self.table.fail(
                row,
                "a dose, but nothing says of which drug and route; expected both. "
                "Give drug='naltrexone' and route='oral', or columns DRUG and ROUTE.",
            )
        known = ", ".join(map(str, meaning)) or "none"
        self.table.fail(
            row,
            f"CMT is {place}, and nothing says which drug and route that is; expected a "
            f"compartment that is named (named: {known}). "
            f"Give cmt={{{place!r}: ('naltrexone', 'oral')}}, or columns DRUG and ROUTE.",
        )

    def _units(self, amount_unit: str | None, dose: NDArray[np.bool_]) -> list[tuple[str, float]]:
        """Give the unit of each amount, and its size."""
        if "AMTU" in self.table.columns:
            units = self.table.each("AMTU", lambda name: _unit(amount_unit if name in NONE else name))
        else:
            units = [_unit(amount_unit)] * self.table.n
        for row in np.flatnonzero(dose):
            unit = units[row]
            if unit is None:
                self.table.fail(
                    int(row),
                    "AMT has no unit; expected one, because 50 may be mg, ug or nmol. Give "
                    "amount_unit='mg', or a column AMTU.",
                )
            if unit[0].endswith("/kg"):
                weights = [name for name in self.table.other if clean(name) in ("WT", "BWT", "WEIGHT", "WTKG")]
                if weights and (self.table.text(self.table.other[weights[0]]) != "").any():
                    self.table.fail(
                        int(row),
                        f"AMT is in {unit[0]} and the weight stands in {weights[0]}, which is not read; expected "
                        f"amounts. Multiply them, or leave the weight out with drop=('{weights[0]}',).",
                    )
        return [unit or ("mg", 1.0) for unit in units]


def _unit(name: str | None) -> tuple[str, float] | None:
    if name is None:
        return None
    one = parse_amount(f"1 {name}")
    return one.unit, one.value


def _compartment(text: str) -> int | str:
    if text in NONE:
        return 0
    if re.fullmatch(r"[+-]?\d+(\.0*)?([eE]\+?0?\d)?", text):
        number = float(text)
        if number % 1 == 0 and number <= 1e9:
            return int(number)
    if re.fullmatch(r"[A-Za-z_]\w*", text):
        return text
    raise InputError(f"{text!r} is not a compartment; expected a whole number or a name. Correct it.")


def _to_ticks(values: NDArray[np.float64], unit_tick: int) -> NDArray[np.int64]:
    """Nearest ticks; whole units and the rest apart, so that no digit is lost far from time 0."""
    whole = np.floor(values)
    rest = np.rint((values - whole) * unit_tick).astype(np.int64)
    ticks_: NDArray[np.int64] = whole.astype(np.int64) * unit_tick + rest
    return ticks_
