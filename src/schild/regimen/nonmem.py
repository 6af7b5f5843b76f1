"""NONMEM event tables: TIME AMT RATE DUR II ADDL SS EVID CMT, read and written."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from schild.errors import InputError
from schild.regimen.dose import MAX_DOSES, Dose, Regimen, canonical_name
from schild.regimen.expand import schedule
from schild.units import (
    MAX_TICKS,
    TICKS_PER_HOUR,
    Amount,
    Rate,
    TimeLike,
    format_hours,
    parse_amount,
    ticks,
)

if TYPE_CHECKING:
    import pandas as pd

_DOSE_ITEMS = ("AMT", "RATE", "DUR", "II", "ADDL", "SS")
_NUMERIC = ("TIME", *_DOSE_ITEMS, "EVID", "CMT")
_TEXT = ("DRUG", "ROUTE", "AMTU", "BASIS", "PRODUCT")
_UNITS_OF_TIME = ("h", "min", "s", "d")

Source: TypeAlias = "str | PathLike[str] | IO[str] | pd.DataFrame"


def read_nonmem(
    source: Source,
    cmt: Mapping[int, tuple[str, str]] | None = None,
    *,
    drug: str | None = None,
    route: str | None = None,
    basis: str | None = None,
    amount_unit: str | None = None,
    time_unit: str = "h",
) -> Regimen:
    """Read the event table of one person.

    Parameters
    ----------
    source : path, open file or DataFrame
        A CSV with a header; case of the column names does not matter. ``TIME`` and ``AMT`` are needed;
        ``RATE``, ``DUR``, ``II``, ``ADDL``, ``SS``, ``EVID``, ``CMT`` and ``ID`` are read, and ``DRUG``,
        ``ROUTE``, ``AMTU`` (unit of AMT), ``BASIS`` (salt), ``PRODUCT`` in words. A point or an empty cell is 0.
    cmt : mapping of int to (drug, route), optional
        What a dose into each compartment is.
    drug, route : str, optional
        What every dose is, for a table that names neither compartment nor drug.
    basis : str, optional
        ``base`` or the salt weighed, for a table without ``BASIS``.
    amount_unit : str, optional
        Unit of ``AMT`` (and of the amount in ``RATE``), for a table without ``AMTU``.
    time_unit : {"h", "min", "s", "d"}, default "h"
        Unit of ``TIME``, ``II``, ``DUR`` and of the time in ``RATE``.

    Returns
    -------
    Regimen
        One dose per dosing row, in row order; observation times (EVID 0) and other events (EVID 2) beside
        them.

    Raises
    ------
    InputError
        If a column is missing or a row cannot mean anything; the message names the row (1 is the first under
        the header) and the column. Also if the table holds several persons.

    Examples
    --------
    >>> import io
    >>> rows = ["TIME,AMT,II,ADDL,EVID", "0,50,24,6,1", "24,.,.,.,0"]
    >>> table = io.StringIO(chr(10).join(rows))
    >>> regimen = read_nonmem(table, drug="naltrexone", route="po", amount_unit="mg")
    >>> regimen.to_words(), regimen.observations
    ('naltrexone 50 mg oral q24h x7', (24.0,))
    """
    people = read_nonmem_people(
        source, cmt, drug=drug, route=route, basis=basis, amount_unit=amount_unit, time_unit=time_unit
    )
    if len(people) > 1:
        raise InputError(
            f"The table holds {len(people)} persons (ID); expected one. Use read_nonmem_people, which gives "
            "a regimen for each."
        )
    return next(iter(people.values()))


def read_nonmem_people(
    source: Source,
    cmt: Mapping[int, tuple[str, str]] | None = None,
    *,
    drug: str | None = None,
    route: str | None = None,
    basis: str | None = None,
    amount_unit: str | None = None,
    time_unit: str = "h",
) -> dict[Hashable, Regimen]:
    """Read the event table of several persons.

    Parameters
    ----------
    source, cmt, drug, route, basis, amount_unit, time_unit
        As for :func:`read_nonmem`.

    Returns
    -------
    dict of ID to Regimen
        In the order of the table; the key is 1 without a column ``ID``.

    Raises
    ------
    InputError
        As for :func:`read_nonmem`, and if the rows of one person do not stand together.

    Examples
    --------
    >>> import io
    >>> table = io.StringIO(chr(10).join(["ID,TIME,AMT,CMT", "1,0,50,1", "2,0,100,1"]))
    >>> people = read_nonmem_people(table, {1: ("naltrexone", "oral")}, amount_unit="mg")
    >>> [regimen.to_words() for regimen in people.values()]
    ['naltrexone 50 mg oral', 'naltrexone 100 mg oral']
    """
    return _Table(source, time_unit).people(cmt, drug, route, basis, amount_unit)


class _Table:
    """The columns of a table as arrays, checked as wholes: a million rows take about a second."""

    def __init__(self, source: Source, time_unit: str) -> None:
        if time_unit not in _UNITS_OF_TIME:
            raise InputError(f"time_unit is {time_unit!r}; expected 'h', 'min', 's' or 'd'. Choose one.")
        self.time_unit = time_unit
        self.unit_tick = ticks(f"1 {time_unit}")
        self.name, frame, self.from_file = _load(source)
        self.n = len(frame)
        if not self.n:
            raise InputError(f"{self.name} has no rows; expected a header and at least one dose. Check the file.")
        self.columns: dict[str, Any] = {}
        ignored = []
        for column in frame.columns:
            key = str(column).strip().lstrip("#").strip().upper()
            if key in (*_NUMERIC, *_TEXT, "ID"):
                if key in self.columns:
                    self._twice(key)
                self.columns[key] = frame[column]
            elif key.removesuffix(".1") in self.columns:  # how pandas marks a second one
                self._twice(key.removesuffix(".1"))
            elif key in ("DATE", "DAT1", "DAT2", "DAT3"):
                raise InputError(
                    f"{self.name} has a column {column}, which shifts TIME; expected TIME alone, counted "
                    "from one moment. Turn date and clock time into hours."
                )
            else:
                ignored.append(str(column))
        missing = [key for key in ("TIME", "AMT") if key not in self.columns]
        if missing:
            found = ", ".join(map(str, frame.columns)) or "none"
            raise InputError(
                f"{self.name} has no column {' and no '.join(missing)}; expected at least TIME and AMT "
                f"(found: {found}). Rename or add it."
            )
        self.notes = (
            (f"Columns left aside, as they do not say what is given: {', '.join(ignored)}.",) if ignored else ()
        )
        self.number = {key: self._numbers(key) for key in _NUMERIC}
        self._fill_evid()
        self._check()

    def _twice(self, key: str) -> NoReturn:
        raise InputError(f"{self.name} has two columns {key}; expected one. Rename one of them.")

    # ------------------------------------------------------------------------------------------ reading

    def _numbers(self, key: str) -> NDArray[np.float64]:
        import pandas as pd

        if key not in self.columns:
            return np.zeros(self.n)
        column = self.columns[key]
        blank = np.zeros(self.n, dtype=bool)
        if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
            text = column.astype("string").fillna("").str.strip()
            blank = text.isin(["", "."]).to_numpy(dtype=bool)
            column = pd.to_numeric(text.mask(blank, "0"), errors="coerce")
        values = np.array(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
        if self.from_file:  # there a missing number can only be an empty cell or a point
            empty = np.isnan(values) & self.columns[key].isna().to_numpy()
            values[empty] = 0.0
            blank = blank | empty
        bad = ~np.isfinite(values)
        if key == "TIME":
            bad |= blank
        if bad.any():
            row = int(bad.argmax())
            cell = self.columns[key].iloc[row]
            hint = "Write 0 or a point where there is none." if key != "TIME" else "Give the time of the row."
            if isinstance(cell, str) and ":" in cell:
                hint = "Turn clock times into hours from one moment."
            shown = repr(cell) if isinstance(cell, str) else "missing" if cell != cell else str(cell)
            self._fail(row, f"{key} is {shown}; expected a finite number. {hint}")
        return values

    def _fill_evid(self) -> None:
        dosing = (self.number["AMT"] != 0) | ((self.number["RATE"] > 0) & (self.number["SS"] > 0))
        if "EVID" not in self.columns:
            self.number["EVID"] = np.where(dosing, 1.0, 0.0)

    def _fail(self, row: int, message: str) -> NoReturn:
        raise InputError(f"Row {row + 1}: {message}")

    def _refuse(self, bad: NDArray[np.bool_], key: str, message: str) -> None:
        """Refuse the first row where `bad` holds; `message` may use {value} and the names of columns."""
        if bad.any():
            row = int(bad.argmax())
            cells = {name: f"{values[row]:g}" for name, values in self.number.items()}
            self._fail(row, message.format(value=cells[key], **cells))

    # ----------------------------------------------------------------------------------------- checking

    def _check(self) -> None:
        v = self.number
        evid = v["EVID"]
        self._refuse(~np.isin(evid, (0, 1, 2, 3, 4)), "EVID", "EVID is {value}; expected 0, 1, 2, 3 or 4. Correct it.")
        dose = np.isin(evid, (1, 4))
        for key in _DOSE_ITEMS:
            self._refuse(
                ~dose & (v[key] != 0),
                key,
                f"{key} is {{value}} but EVID is {{EVID}}; expected 0 or a point, because only EVID 1 and 4 "
                "give a dose. Set EVID to 1, or empty the cell.",
            )
        for key in ("AMT", "DUR", "II", "ADDL"):
            self._refuse(v[key] < 0, key, f"{key} is {{value}}; expected 0 or more. Correct it.")
        self._refuse(v["AMT"] > 1e15, "AMT", "AMT is {value}; expected at most 1e15. Check its unit.")
        for key, most in (("TIME", MAX_TICKS), ("II", MAX_TICKS), ("DUR", MAX_TICKS)):
            self._refuse(
                np.abs(v[key]) > most / self.unit_tick,
                key,
                f"{key} is {{value}} {self.time_unit}; expected less than 100 years. Check time_unit.",
            )
        for key, most in (("ADDL", MAX_DOSES - 1), ("CMT", 10**9)):
            self._refuse(
                (v[key] != np.floor(v[key])) | (v[key] > most),
                key,
                f"{key} is {{value}}; expected a whole number up to {most}. Correct it.",
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
        self.constant = constant
        self.tick = {
            "TIME": _to_ticks(v["TIME"], self.unit_tick),
            "II": _to_ticks(ii, self.unit_tick),
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
        self._blocks()

    def _blocks(self) -> None:
        """Find where each person starts, and refuse time that runs back."""
        import pandas as pd

        if "ID" in self.columns:
            code, self.ids = pd.factorize(self.columns["ID"].astype(object), use_na_sentinel=True)
            if (code < 0).any():
                self._fail(int((code < 0).argmax()), "ID is missing; expected one in each row. Give it.")
        else:
            code, self.ids = np.zeros(self.n, dtype=np.intp), np.array([1], dtype=object)
        new = np.r_[True, code[1:] != code[:-1]]
        self.starts = np.flatnonzero(new)
        again = code[self.starts] != np.arange(len(self.starts))
        if again.any():
            row = int(self.starts[again.argmax()])
            self._fail(
                row,
                f"ID {self.ids[code[row]]} comes back after another person; expected the rows of a person "
                "together. Sort the table by ID and TIME.",
            )
        back = np.r_[False, np.diff(self.tick["TIME"]) < 0] & ~new
        if back.any():
            row = int(back.argmax())
            now, before = self.number["TIME"][row], self.number["TIME"][row - 1]
            self._fail(
                row,
                f"TIME is {now:g} after {before:g}; expected times that do not go back, also not at a "
                "reset. Sort the rows of the person, or count time on from the first.",
            )

    # ----------------------------------------------------------------------------------------- building

    def _words(self, key: str, default: str | None) -> tuple[NDArray[np.intp], list[str | None]]:
        """Distinct texts of a column and which each row has."""
        import pandas as pd

        if key not in self.columns:
            return np.zeros(self.n, dtype=np.intp), [default]
        text = self.columns[key].astype("string").fillna("").str.strip()
        code, names = pd.factorize(text.to_numpy(dtype=object))
        return code, [default if name in ("", ".") else str(name) for name in names]

    def _named(self, key: str, default: str | None, kind: str) -> tuple[NDArray[np.intp], list[str | None]]:
        code, names = self._words(key, default)
        spelled: list[str | None] = []
        for k, name in enumerate(names):
            try:
                spelled.append(None if name is None else canonical_name(name, kind))
            except InputError as error:
                self._fail(int((code == k).argmax()), f"{key}: {error}")
        return code, spelled

    def people(
        self,
        cmt: Mapping[int, tuple[str, str]] | None,
        drug: str | None,
        route: str | None,
        basis: str | None,
        amount_unit: str | None,
    ) -> dict[Hashable, Regimen]:
        dose = np.isin(self.number["EVID"], (1, 4))
        compartment = self.number["CMT"].astype(np.int64)
        meaning = {int(k): (canonical_name(d, "drug"), canonical_name(r, "route")) for k, (d, r) in (cmt or {}).items()}
        drug_code, drugs = self._named("DRUG", drug, "drug")
        route_code, routes = self._named("ROUTE", route, "route")
        basis_code, bases = self._named("BASIS", basis, "salt")
        product_code, products = self._named("PRODUCT", None, "product")
        nameless = dose & (
            np.array([d is None for d in drugs])[drug_code] | np.array([r is None for r in routes])[route_code]
        )
        unknown = nameless & ~np.isin(compartment, list(meaning))
        if unknown.any():
            row = int(unknown.argmax())
            if "CMT" not in self.columns:
                self._fail(
                    row,
                    "a dose, but nothing says of which drug and route; expected both. "
                    "Give drug='naltrexone' and route='oral', or columns DRUG and ROUTE.",
                )
            known = ", ".join(map(str, sorted(meaning))) or "none"
            self._fail(
                row,
                f"CMT is {compartment[row]}, and nothing says which drug and route that is; expected a "
                f"compartment that is named (named: {known}). "
                f"Give cmt={{{compartment[row]}: ('naltrexone', 'oral')}}, or columns DRUG and ROUTE.",
            )
        unit_code, units = self._units(amount_unit, dose)

        rows = np.flatnonzero(dose | (self.number["EVID"] == 3))
        built = self._build(
            rows,
            compartment,
            meaning,
            (drug_code, drugs),
            (route_code, routes),
            (basis_code, bases),
            (product_code, products),
            (unit_code, units),
        )
        hour = self.tick["TIME"] / TICKS_PER_HOUR
        evid = self.number["EVID"]
        ends = np.r_[self.starts[1:], self.n]
        people: dict[Hashable, Regimen] = {}
        for who, start, end in zip(self.ids, self.starts.tolist(), ends.tolist(), strict=True):
            low, high = np.searchsorted(rows, (start, end))
            part = slice(start, end)
            people[who] = Regimen(
                tuple(built[low:high]),
                self.name,
                tuple(hour[part][evid[part] == 0].tolist()),
                tuple(hour[part][evid[part] == 2].tolist()),
                self.notes,
            )
        return people

    def _units(
        self, amount_unit: str | None, dose: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], list[tuple[str, float] | None]]:
        code, names = self._words("AMTU", amount_unit)
        units: list[tuple[str, float] | None] = []
        for k, name in enumerate(names):
            here = (code == k) & dose
            if name is None:
                if here.any():
                    self._fail(
                        int(here.argmax()),
                        "AMT has no unit; expected one, because 50 may be mg, ug or nmol. Give "
                        "amount_unit='mg', or a column AMTU.",
                    )
                units.append(None)
                continue
            try:
                one = parse_amount(f"1 {name}")
            except InputError as error:
                if "AMTU" not in self.columns:
                    raise
                self._fail(int((code == k).argmax()), f"AMTU: {error}")
            units.append((one.unit, one.value))
        return code, units

    def _build(
        self,
        rows: NDArray[np.intp],
        compartment: NDArray[np.int64],
        meaning: Mapping[int, tuple[str, str]],
        drugs: tuple[NDArray[np.intp], list[str | None]],
        routes: tuple[NDArray[np.intp], list[str | None]],
        bases: tuple[NDArray[np.intp], list[str | None]],
        products: tuple[NDArray[np.intp], list[str | None]],
        units: tuple[NDArray[np.intp], list[tuple[str, float] | None]],
    ) -> list[Dose]:
        # Everything was checked above, column by column, so doses are filled without their own checks.
        v, tick = self.number, self.tick
        columns = zip(
            (tick["TIME"][rows] / TICKS_PER_HOUR).tolist(),
            v["EVID"][rows].astype(int).tolist(),
            v["AMT"][rows].tolist(),
            v["RATE"][rows].tolist(),
            (tick["DUR"][rows] / TICKS_PER_HOUR).tolist(),
            (tick["II"][rows] / TICKS_PER_HOUR).tolist(),
            (v["ADDL"][rows].astype(int) + 1).tolist(),
            v["SS"][rows].astype(int).tolist(),
            self.constant[rows].tolist(),
            compartment[rows].tolist(),
            drugs[0][rows].tolist(),
            routes[0][rows].tolist(),
            bases[0][rows].tolist(),
            products[0][rows].tolist(),
            units[0][rows].tolist(),
            strict=True,
        )
        doses: list[Dose] = []
        amounts: dict[tuple[float, int], Amount] = {}
        for (
            time,
            evid,
            amt,
            rate,
            dur,
            ii,
            count,
            ss,
            constant,
            number,
            i_drug,
            i_route,
            i_basis,
            i_product,
            i_unit,
        ) in columns:
            dose = object.__new__(Dose)
            kept = number or None
            if evid == 3:
                dose._store(time=time, evid=3, cmt=kept)
                doses.append(dose)
                continue
            unit = units[1][i_unit]
            assert unit is not None
            name, way = drugs[1][i_drug], routes[1][i_route]
            if name is None or way is None:
                name, way = name or meaning[number][0], way or meaning[number][1]
            try:
                amount = None if constant else amounts.get((amt, i_unit))
                if amount is None and not constant:
                    amount = amounts[amt, i_unit] = Amount(amt * unit[1], unit[0])
                speed = Rate(rate * unit[1], unit[0], self.time_unit) if constant else None
            except InputError as error:
                self._fail(int(rows[len(doses)]), f"AMT: {error}")
            dose._store(
                drug=name,
                amount=amount,
                route=way,
                time=time,
                duration=dur or None,
                rate=speed,
                every=ii or None,
                count=count,
                basis=bases[1][i_basis],
                product=products[1][i_product],
                ss=ss,
                evid=evid,
                cmt=kept,
            )
            doses.append(dose)
        return doses


def _load(source: Source) -> tuple[str, pd.DataFrame, bool]:
    import warnings

    import pandas as pd

    if isinstance(source, pd.DataFrame):
        return "The table", source, False
    name = "The table"
    if isinstance(source, str | PathLike):
        path = Path(source)
        name = path.name
        if not path.is_file():
            raise InputError(f"{str(source)!r} is not a file; expected a NONMEM table as CSV. Check the path.")
        source = str(path)
    try:
        with warnings.catch_warnings():
            # A row longer than the header is an error, not cut off.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                source,
                na_values=["", "."],
                keep_default_na=False,
                skipinitialspace=True,
                low_memory=False,
                index_col=False,
            )
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{name} is empty; expected a header and rows. Check the file.") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning, UnicodeDecodeError) as error:
        raise InputError(f"{name} is not a CSV: {error}; expected commas between columns. Check the file.") from error
    return name, frame, True


def _to_ticks(values: NDArray[np.float64], unit_tick: int) -> NDArray[np.int64]:
    """Nearest ticks; whole units and the rest apart, so that no digit is lost far from time 0."""
    whole = np.floor(values)
    rest = np.rint((values - whole) * unit_tick).astype(np.int64)
    ticks_: NDArray[np.int64] = whole.astype(np.int64) * unit_tick + rest
    return ticks_


def to_nonmem(regimen: Regimen | tuple[Dose, ...], until: TimeLike | None = None, time_unit: str = "h") -> pd.DataFrame:
    """Write a regimen as a NONMEM event table.

    Parameters
    ----------
    regimen : Regimen or tuple of Dose
        What is given.
    until : str or float, optional
        End of the run; needed by doses that repeat until then. [h]
    time_unit : {"h", "min", "s", "d"}, default "h"
        Unit of TIME, II and of the time in RATE.

    Returns
    -------
    DataFrame
        Columns TIME, EVID, AMT, AMTU, RATE, II, ADDL, SS, CMT, DRUG, ROUTE, BASIS, and PRODUCT where one is named,
        in the order of time. A dose with skipped numbers becomes several rows.

    Raises
    ------
    InputError
        If doses repeat without end, or a dose has its own lag or bioavailability, which a table cannot hold.

    Examples
    --------
    >>> from schild.regimen import parse_regimen
    >>> table = to_nonmem(parse_regimen("naltrexone 50 mg po q24h x7 skip 3"))
    >>> table[["TIME", "AMT", "II", "ADDL"]].to_numpy().tolist()
    [[0.0, 50.0, 24.0, 1.0], [72.0, 50.0, 24.0, 3.0]]
    """
    import pandas as pd

    if time_unit not in _UNITS_OF_TIME:
        raise InputError(f"time_unit is {time_unit!r}; expected 'h', 'min', 's' or 'd'. Choose one.")
    unit_tick = ticks(f"1 {time_unit}")
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
            rows.append((start, order, _row(dose, start, count, first, unit_tick, time_unit, numbers)))
    if isinstance(regimen, Regimen):
        rows += [
            (ticks(t), len(doses), {"TIME": ticks(t) / unit_tick, "EVID": evid})
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
    unit_tick: int,
    time_unit: str,
    numbers: dict[tuple[str, str], int],
) -> dict[str, Any]:
    row: dict[str, Any] = {"TIME": start / unit_tick, "EVID": dose.evid if first else 1, "CMT": dose.cmt or 0}
    if dose.drug is None or dose.route is None:
        return row
    key = (dose.drug, dose.route)
    numbers.setdefault(key, max(numbers.values(), default=0) + 1)
    row |= {"CMT": numbers[key], "DRUG": dose.drug, "ROUTE": dose.route, "BASIS": dose.basis or "."}
    row["PRODUCT"] = dose.product or "."
    row |= {"ADDL": count - 1, "SS": dose.ss if first else 0}
    if row["ADDL"] or row["SS"]:
        row["II"] = dose.every_tick / unit_tick
    if dose.constant and dose.rate is not None:
        per = ticks(f"1 {dose.rate.per}")
        row |= {"RATE": dose.rate.value * unit_tick / per, "AMTU": dose.rate.unit, "AMT": 0.0}
    elif dose.amount is not None:
        row |= {"AMT": dose.amount.value, "AMTU": dose.amount.unit}
        if dose.duration_tick:
            row["RATE"] = dose.amount.value / (dose.duration_tick / unit_tick)
            if round(dose.amount.value / row["RATE"] * unit_tick) != dose.duration_tick:  # pragma: no cover
                raise InputError(
                    f"'{dose.to_words()}' lasts {format_hours(dose.duration_tick / TICKS_PER_HOUR)}, which "
                    "no RATE expresses to the microsecond; expected a rounder time. Change the duration."
                )
    return row
