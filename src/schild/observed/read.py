"""Reading tables of NONMEM and similar programs as observed levels: doses, covariates, observations, limits."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Hashable, Mapping
from typing import Any

import numpy as np

from schild.catalog import Catalogue, load
from schild.delimited import Source
from schild.errors import InputError, UnknownNameError
from schild.observed.data import COVARIATES, Observed, Person, is_plasma
from schild.population import Subject
from schild.regimen import Regimen, read_nonmem_rows
from schild.simulation.registry import schema
from schild.units import TICKS_PER_HOUR

_LIVER = ("normal", "mild", "moderate", "severe")
#: Units of a concentration in ng/mL.
UNITS = {"ng/ml": 1.0, "ug/l": 1.0, "mcg/l": 1.0, "ug/ml": 1e3, "mg/l": 1e3, "pg/ml": 1e-3, "ng/l": 1e-3}
#: Columns of observations that are read.
_READ = ("PERSON", "TIME", "EVID", "MDV", "LINE", "CMT", "DV", "CENS", "BLQ", "BQL", "BLOQ", "LLOQ", "LOQ", "LIMIT",
         "ANALYTE", "DVID", "DVNAME", "YTYPE", "NAME", "DVU", "DVUNIT")  # fmt: skip
_MARKS, _LIMITS, _DV_UNITS = ("CENS", "BLQ", "BQL", "BLOQ"), ("LLOQ", "LOQ"), ("DVU", "DVUNIT")
_NONE = ("", ".", "NA", "<NA>")


def read_observed(
    source: Source,
    cmt: Mapping[int | str, tuple[str, str]] | None = None,
    *,
    drug: str | None = None,
    route: str | None = None,
    basis: str | None = None,
    amount_unit: str | None = None,
    time_unit: str | None = None,
    drop: Collection[str] = (),
    dv: str | Mapping[str, str] | None = None,
    dv_unit: str = "ng/mL",
    sex: Mapping[str, str] | None = None,
    catalogue: Catalogue | None = None,
) -> Observed:
    """Read doses, covariates and observations of many persons.

    Parameters
    ----------
    source, cmt, drug, route, basis, amount_unit, time_unit, drop
        As for ``schild.regimen.read_nonmem_rows``; ``source`` may be a DataFrame.
    dv : str or mapping, optional
        Output that DV measures, such as ``"plasma_naltrexone"``; for several analytes a mapping from values of ANALYTE,
        DVID, YTYPE or CMT. By default ANALYTE may name drugs, and without such a column DV is the plasma level of the
        drug that is given, if there is one.
    dv_unit : str
        Unit of plasma levels in DV: ng/mL, ug/L, ug/mL, mg/L, pg/mL or ng/L.
    sex : mapping, optional
        Meaning of the numbers of SEX, such as ``{"0": "male", "1": "female"}``; SEXF and MALE need none.
    catalogue : Catalogue, optional
        Another catalogue than the built-in one.

    Returns
    -------
    Observed
        Persons in the order of the table.

    Raises
    ------
    InputError
        For a cell that does not fit its column; the message names the line and the column.

    Notes
    -----
    A row is an observation where EVID and MDV are 0 and DV holds a number, or a mark says that it is below the limit of
    quantification: CENS, BLQ, BQL or BLOQ is 1, or DV is below LLOQ. Its limit is then the larger of DV and LLOQ.
    LIMIT is the lower end of a censored interval, as in Monolix and nlmixr2, and must be 0. A covariate is the first
    value of a person in the table. An observation in a row before a dose at the same time is taken before it; a plasma
    level at time 0 in a row before the first dose has no prediction and is left out.
    """
    catalogue = catalogue or load()
    factor = ng_ml(dv_unit)
    if factor is None:
        raise InputError(f"dv_unit is {dv_unit!r}; expected one of {', '.join(UNITS)}. Convert DV to one of them.")
    regimens, table = read_nonmem_rows(
        source, cmt, drug=drug, route=route, basis=basis, amount_unit=amount_unit, time_unit=time_unit, drop=drop
    )
    rows: Any = table
    if "DV" not in rows.columns:
        raise InputError("The table has no column DV; expected the observed values there. Rename or add it.")
    people: list[Person] = []
    notes: list[str] = []
    seen = _observations(rows, notes)
    of = _analytes(rows, seen, dv, regimens, catalogue)
    _same_unit(rows, of, factor, dv_unit)
    notes += _repeated(rows.loc[list(seen)], regimens)
    for who, some in rows.groupby("PERSON", sort=False):
        covariates = _covariates(some, sex, notes)
        people.append(_person(who, regimens[who], covariates, some, of, factor, notes))
    missing = [name for name in COVARIATES if not any(name in p.covariates for p in people)]
    if sex and not any(str(cell) in sex for c in COVARIATES["sex"] if c in rows.columns for cell in rows[c]):
        notes.append("A meaning of numbers as sex was given, but no row has such a number.")
    if missing:
        notes.append(f"Missing in the table, so the value of a typical person is used: {', '.join(missing)}.")
    first = next(iter(regimens.values()))
    read = {*(c for columns in COVARIATES.values() for c in columns), *_READ}
    idle = [name for name in rows.columns if name not in read]
    if idle:
        notes.append(f"Columns that are not read: {', '.join(idle)}.")
    said = [note for note in first.notes if not note.startswith("Columns that are not read")]
    return Observed(people=tuple(people), name=first.text or "The table", notes=tuple(dict.fromkeys((*said, *notes))))


def ng_ml(unit: str) -> float | None:
    """Size of a unit of concentration in ng/mL; None for another unit."""
    return UNITS.get(unit.lower().replace("µ", "u").replace("μ", "u"))


def _same_unit(rows: Any, of: Mapping[int, str], factor: float, dv_unit: str) -> None:
    """Refuse levels whose unit in the table differs from that of DV."""
    for column in (c for c in _DV_UNITS if c in rows.columns):
        for k in (k for k, name in of.items() if is_plasma(name)):
            if (cell := str(rows.at[k, column])) not in _NONE and ng_ml(cell) != factor:
                raise InputError(
                    f"{rows.at[k, 'LINE']}: {column} is {cell!r} where DV is read in {dv_unit}; expected one unit, of "
                    f"{', '.join(UNITS)}. Give it as dv_unit, or convert DV to it."
                )


def _repeated(rows: Any, regimens: Mapping[Hashable, Regimen]) -> list[str]:
    """Name observations and doses that stand twice: a row copied by mistake counts double."""
    notes = []
    again = rows.drop(columns="LINE").duplicated()
    if again.any():
        places = ", ".join(map(str, rows.loc[again, "LINE"][:3]))
        notes.append(f"{int(again.sum())} rows repeat an observation above them, and count again ({places}).")
    for who, regimen in regimens.items():
        words = [dose.to_words() for dose in regimen if dose.evid != 3]
        if twice := [w for k, w in enumerate(words) if w in words[:k]]:
            notes.append(f"{who}: {twice[0]} is given twice at one time; leave a row out if it was copied by mistake.")
    return notes


def _observations(rows: Any, notes: list[str]) -> Any:
    """Find the rows that are observations: those with a value, and those marked as below a limit."""
    marks = [c for c in _MARKS if c in rows.columns]
    marked = rows[marks].isin(("1", "1.0")).any(axis=1)
    if out := int((marked & rows["EVID"].isin((0, 2)) & (rows["MDV"] != 0)).sum()):
        notes.append(f"Rows below the limit of quantification with MDV 1, which are left out: {out}.")
    return rows.index[(rows["EVID"] == 0) & (rows["MDV"] == 0) & (~rows["DV"].isin(_NONE) | marked)]


def _analytes(
    rows: Any,
    seen: Any,
    dv: str | Mapping[str, str] | None,
    regimens: Mapping[Hashable, Regimen],
    catalogue: Catalogue,
) -> dict[int, str]:
    """Output of each observation, by row."""
    for name in [dv] if isinstance(dv, str) else (dv or {}).values():
        patterns = schema(catalogue)["patternProperties"]
        if not any(re.fullmatch(pattern, name) for pattern in patterns):
            raise InputError(
                f"dv says {name!r}, which is not an output; expected one such as plasma_naltrexone or pupil. "
                "`schild schema outputs` lists them."
            )
    if isinstance(dv, str):
        return dict.fromkeys(seen, dv)
    column = next((c for c in ("ANALYTE", "DVID", "DVNAME", "YTYPE", "NAME") if c in rows.columns), None)
    if dv is not None:
        column = column or "CMT"
        found = {}
        for k in seen:
            cell = str(rows.at[k, column]) if column in rows.columns else ""
            if cell not in dv:
                raise InputError(
                    f"{rows.at[k, 'LINE']}: {column} is {cell!r}, and dv does not say what that is; expected one of "
                    f"{', '.join(map(str, dv))}. Add it to dv."
                )
            found[k] = dv[cell]
        return found
    if column in ("ANALYTE", "NAME", "DVNAME"):
        return {k: _plasma_of(str(rows.at[k, column]), str(rows.at[k, "LINE"]), catalogue) for k in seen}
    drugs = {catalogue.drug(d.drug).key for regimen in regimens.values() for d in regimen if d.drug is not None}
    if column is None and "CMT" in rows.columns and rows.loc[seen, "CMT"].nunique() > 1:
        column = "CMT"
    if column is not None or len(drugs) != 1:
        raise InputError(
            f"Nothing says which output DV is ({column or 'no column ANALYTE'}; drugs: "
            f"{', '.join(sorted(drugs)) or 'none'}); expected an output. Give dv='plasma_naltrexone', or "
            "dv={'1': 'plasma_naltrexone', ...} for each analyte."
        )
    return dict.fromkeys(seen, f"plasma_{drugs.pop()}")


def _plasma_of(name: str, place: str, catalogue: Catalogue) -> str:
    try:
        return f"plasma_{catalogue.drug(name.removeprefix('plasma_').lower()).key}"
    except UnknownNameError as error:
        raise InputError(f"{place}: ANALYTE: {error}") from None


def _number(some: Any, k: int, column: str) -> float | None:
    cell = str(some.at[k, column])
    if cell in _NONE:
        return None
    import pandas as pd

    # pandas refuses other digits and 1_000, which float() accepts; before its third version it rounds the last digit.
    if not math.isfinite(pd.to_numeric(cell, errors="coerce")):
        out = " A value below the limit of quantification is marked by CENS 1, with the limit in DV."
        raise InputError(
            f"{some.at[k, 'LINE']}: {column} is {cell!r}; expected a number. Correct it.{out if column == 'DV' else ''}"
        )
    return float(cell)


def _below(some: Any, k: int, plasma: bool) -> tuple[float, bool, float]:
    """Read the value of an observation, whether it is below the limit of quantification, and the limit (0 for none)."""
    place = some.at[k, "LINE"]
    value, marked = _number(some, k, "DV"), False
    if plasma and value is not None and value < 0:
        raise InputError(f"{place}: DV is {value:g}; expected 0 or more, not a logarithm. Correct it.")
    low = next((x for c in _LIMITS if c in some.columns and (x := _number(some, k, c)) is not None), 0.0)
    for column in (c for c in _MARKS if c in some.columns):
        mark = _number(some, k, column) or 0.0
        if mark not in (0.0, 1.0):
            above = ", which marks a value above a limit" if mark == -1 else ""
            raise InputError(
                f"{place}: {column} is {mark:g}{above}; expected 1 below the limit of quantification, else 0. "
                "Leave the row out with MDV 1 if it is something else."
            )
        marked = marked or mark == 1.0
    if not marked:
        assert value is not None  # a row without a value is not an observation
        return (low, True, low) if low > 0 and value < low else (value, False, low)
    if "LIMIT" in some.columns and (lower := _number(some, k, "LIMIT") or 0.0) != 0.0:
        raise InputError(
            f"{place}: LIMIT is {lower:g}, the lower end of a censored interval; expected 0, as only a limit of "
            "quantification is read. Call it LLOQ if it is one, or leave it out with drop=('LIMIT',)."
        )
    limit = max(value or 0.0, low)
    if limit <= 0.0:
        raise InputError(
            f"{place}: the value is marked as below the limit of quantification, and nothing says the limit; expected "
            "it in LLOQ or in DV. Write it there."
        )
    return limit, True, limit


def _person(
    who: Any, regimen: Regimen, covariates: Mapping[str, float | str], some: Any, of: Mapping[int, str],
    factor: float, notes: list[str],
) -> Person:  # fmt: skip
    doses: dict[int, int] = {}
    for k in some.index[some["EVID"].isin((1, 4))]:
        doses.setdefault(round(some.at[k, "TIME"] * TICKS_PER_HOUR), k)
    found: list[tuple[int, str, float, bool, float]] = []
    before = 0
    for k in (k for k in some.index if k in of):
        scale = factor if is_plasma(of[k]) else 1.0
        tick = round(some.at[k, "TIME"] * TICKS_PER_HOUR)
        if tick in doses and k < doses[tick]:
            if tick > 0:
                tick -= 1
            elif is_plasma(of[k]) and tick == min(doses):
                before += 1
                continue
        if tick < 0:
            raise InputError(
                f"{some.at[k, 'LINE']}: TIME is before 0; expected observations from 0 on. Count from the first row."
            )
        value, below, limit = _below(some, k, is_plasma(of[k]))
        found.append((tick, of[k], scale * value, below, scale * limit))
    if before:
        notes.append("Plasma levels at time 0 before the first dose have no prediction and are left out.")
    found.sort(key=lambda entry: entry[0])
    return Person(
        id=who,
        regimen=regimen,
        covariates=covariates,
        tick=np.array([f[0] for f in found], dtype=np.int64),
        output=tuple(f[1] for f in found),
        value=np.array([f[2] for f in found], dtype=np.float64),
        below=np.array([f[3] for f in found], dtype=bool),
        limit=np.array([f[4] for f in found], dtype=np.float64),
    )


def _covariates(some: Any, sex: Mapping[str, str] | None, notes: list[str]) -> dict[str, float | str]:
    found: dict[str, Any] = {}
    place = some.at[some.index[0], "LINE"]
    for name, columns in COVARIATES.items():
        told = {c: some.index[~some[c].isin(_NONE)] for c in columns if c in some.columns}
        column = next((c for c, rows in told.items() if len(rows)), None)
        if column is None:
            continue
        first = told[column][0]
        place, cell = some.at[first, "LINE"], str(some.at[first, column])
        if some.loc[told[column], column].nunique() > 1:
            notes.append(f"{column} changes within a person; its first value is taken.")
        if name in ("weight_kg", "age_years", "crcl_ml_min"):
            found[name] = _number(some, first, column)
        elif name == "sex":
            found[name] = _sex(column, cell, sex, place)
        elif name == "liver":
            number = _LIVER[int(float(cell))] if cell in ("0", "1", "2", "3", "0.0", "1.0", "2.0", "3.0") else cell
            found[name] = number.lower()
        else:
            found[name] = cell.upper()
    try:
        Subject(**found)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    return found


def _sex(column: str, cell: str, sex: Mapping[str, str] | None, place: str) -> str:
    low = cell.lower()
    if sex is not None and cell in sex:
        return sex[cell]
    if low in ("m", "male", "f", "female"):
        return "male" if low.startswith("m") else "female"
    if column in ("SEXF", "FEMALE", "SEXM", "MALE") and low in ("0", "1", "0.0", "1.0"):
        return "female" if (low.startswith("1")) == (column in ("SEXF", "FEMALE")) else "male"
    raise InputError(
        f"{place}: {column} is {cell!r}, which may be either; expected male or female. Say what the numbers mean with "
        "sex={'0': 'male', '1': 'female'}, or call the column SEXF."
    )
