"""Tables of NONMEM and its kin become observed levels: doses, covariates, observations, limits of quantification."""

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

__all__ = ["read_observed"]

_LIVER = ("normal", "mild", "moderate", "severe")
#: Units of a concentration in ng/mL.
UNITS = {"ng/ml": 1.0, "ug/l": 1.0, "mcg/l": 1.0, "ug/ml": 1e3, "mg/l": 1e3, "pg/ml": 1e-3, "ng/l": 1e-3}
#: Columns of observations that are read.
_READ = ("PERSON", "TIME", "EVID", "MDV", "LINE", "CMT", "DV", "CENS", "BLQ", "BQL", "BLOQ", "LLOQ", "LOQ", "LIMIT",
         "ANALYTE", "DVID", "DVNAME", "YTYPE", "NAME")  # fmt: skip
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
        As for ``schild.regimen.read_nonmem_people``; ``source`` may be a DataFrame.
    dv : str or mapping, optional
        Output that DV is of, such as ``"plasma_naltrexone"``; for several analytes a mapping from values of ANALYTE,
        DVID, YTYPE or CMT. By default ANALYTE may name drugs, and without such a column DV is the plasma level of the
        drug that is given, if there is one.
    dv_unit : str
        Unit of plasma levels in DV: ng/mL, ug/L, ug/mL, mg/L, pg/mL or ng/L.
    sex : mapping, optional
        What the numbers of SEX mean, such as ``{"0": "male", "1": "female"}``; SEXF and MALE need none.
    catalogue : Catalogue, optional
        The one that comes with schild by default.

    Returns
    -------
    Observed
        Persons in the order of the table.

    Raises
    ------
    InputError
        For a cell that cannot be what its column says; the message names the line and the column.

    Notes
    -----
    A row is an observation where EVID is 0 and MDV is not 1 and DV holds a number. It is below the limit of
    quantification where CENS, BLQ, BQL or BLOQ is 1, or DV is below LLOQ; its value is then LLOQ, or DV where CENS is 1
    without a limit. Covariates are those of a person's first row. An observation in a row before a dose at the same
    time is taken before it.
    """
    catalogue = catalogue or load()
    if dv_unit.lower().replace("µ", "u").replace("μ", "u") not in UNITS:
        raise InputError(f"dv_unit is {dv_unit!r}; expected one of {', '.join(UNITS)}. Turn DV into one of them.")
    factor = UNITS[dv_unit.lower().replace("µ", "u").replace("μ", "u")]
    regimens, table = read_nonmem_rows(
        source, cmt, drug=drug, route=route, basis=basis, amount_unit=amount_unit, time_unit=time_unit, drop=drop
    )
    rows: Any = table
    if "DV" not in rows.columns:
        raise InputError("The table has no column DV; expected the observed values there. Rename or add it.")
    people: list[Person] = []
    notes: list[str] = []
    of = _analytes(rows, dv, regimens, catalogue)
    for who, some in rows.groupby("PERSON", sort=False):
        covariates = _covariates(some, sex, notes)
        people.append(_person(who, regimens[who], covariates, some, of, factor))
    missing = [name for name in COVARIATES if not any(name in p.covariates for p in people)]
    if missing:
        notes.append(f"Not in the table, so that of a typical person is taken: {', '.join(missing)}.")
    first = next(iter(regimens.values()))
    read = {*(c for columns in COVARIATES.values() for c in columns), *_READ}
    idle = [name for name in rows.columns if name not in read]
    if idle:
        notes.append(f"Columns that are not read: {', '.join(idle)}.")
    said = [note for note in first.notes if not note.startswith("Columns that are not read")]
    return Observed(people=tuple(people), name=first.text or "The table", notes=tuple(dict.fromkeys((*said, *notes))))


def _analytes(
    rows: Any, dv: str | Mapping[str, str] | None, regimens: Mapping[Hashable, Regimen], catalogue: Catalogue
) -> dict[int, str]:
    """Output of each observation, by row."""
    seen = rows.index[(rows["EVID"] == 0) & (rows["MDV"] != 1) & ~rows["DV"].isin(_NONE)]
    for name in [dv] if isinstance(dv, str) else (dv or {}).values():
        patterns = schema(catalogue)["patternProperties"]
        if not any(re.fullmatch(pattern, name) for pattern in patterns):
            raise InputError(
                f"dv says {name!r}, which is no output; expected one such as plasma_naltrexone or pupil. "
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
    if column is not None or len(drugs) != 1:
        raise InputError(
            f"Nothing says what DV is of ({column or 'no column ANALYTE'}; drugs: {', '.join(sorted(drugs)) or 'none'})"
            "; expected an output. Give dv='plasma_naltrexone', or dv={'1': 'plasma_naltrexone', ...} for each analyte."
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
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{some.at[k, 'LINE']}: {column} is {cell!r}; expected a number. Correct it.")
    return value


def _person(
    who: Any, regimen: Regimen, covariates: Mapping[str, float | str], some: Any, of: Mapping[int, str],
    factor: float,
) -> Person:  # fmt: skip
    doses: dict[int, int] = {}
    for k in some.index[some["EVID"].isin((1, 4))]:
        doses.setdefault(round(some.at[k, "TIME"] * TICKS_PER_HOUR), k)
    censored = next((c for c in ("CENS", "BLQ", "BQL", "BLOQ") if c in some.columns), None)
    limit = next((c for c in ("LLOQ", "LOQ", "LIMIT") if c in some.columns), None)
    found: list[tuple[int, str, float, bool, float]] = []
    for k in (k for k in some.index if k in of):
        scale = factor if is_plasma(of[k]) else 1.0
        value = _number(some, k, "DV")
        assert value is not None  # a row without is no observation
        if value < 0 and is_plasma(of[k]):
            raise InputError(f"{some.at[k, 'LINE']}: DV is {value:g}; expected 0 or more, not a logarithm. Correct it.")
        low = None if limit is None else _number(some, k, limit)
        marked = censored is not None and _number(some, k, censored) == 1
        below = marked or (low is not None and value < low)
        tick = round(some.at[k, "TIME"] * TICKS_PER_HOUR)
        if tick in doses and k < doses[tick] and tick > 0:
            tick -= 1
        if tick < 0:
            raise InputError(
                f"{some.at[k, 'LINE']}: TIME is before 0; expected observations from 0 on. Count from the first row."
            )
        value = scale * (low if below and low is not None else value)
        found.append((tick, of[k], value, below, value if below else scale * (low or 0.0)))
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
    first = some.index[0]
    found: dict[str, Any] = {}
    place = some.at[first, "LINE"]
    for name, columns in COVARIATES.items():
        column = next((c for c in columns if c in some.columns and str(some.at[first, c]) not in _NONE), None)
        if column is None:
            continue
        cell = str(some.at[first, column])
        if len({x for x in some[column] if x not in _NONE}) > 1:
            notes.append(f"{column} changes within a person; the value of the first row is taken.")
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
