"""Observed data of many persons: read from a table of NONMEM and its kin, compared with the model, written again."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Catalogue, load
from schild.delimited import Source
from schild.errors import InputError, UnknownNameError
from schild.figures import COLOURS, panels, plain_powers, time_scale
from schild.people import Given
from schild.population import Subject
from schild.regimen import Regimen, read_nonmem_rows, to_nonmem
from schild.simulation import Result, Run, simulate_run
from schild.simulation.registry import schema
from schild.units import TICKS_PER_HOUR, format_ticks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

__all__ = ["Observed", "Person", "read_observed", "simulated_table"]

#: Columns of covariates: those of ``Subject``, with the unit that they are read in.
COVARIATES: Mapping[str, tuple[str, ...]] = {
    "weight_kg": ("WT", "BWT", "WTB", "WEIGHT", "WEIGHTB", "WTKG", "BW"),
    "age_years": ("AGE", "AGEY"),
    "crcl_ml_min": ("CRCL", "CLCR"),
    "sex": ("SEX", "GENDER", "SEXF", "FEMALE", "SEXM", "MALE"),
    "liver": ("LIVER", "HEPA"),
    "cyp2d6": ("CYP2D6",),
}
_LIVER = ("normal", "mild", "moderate", "severe")
#: Units of a concentration in ng/mL.
UNITS = {"ng/ml": 1.0, "ug/l": 1.0, "mcg/l": 1.0, "ug/ml": 1e3, "mg/l": 1e3, "pg/ml": 1e-3, "ng/l": 1e-3}
#: Columns of observations that are read.
_READ = ("PERSON", "TIME", "EVID", "MDV", "LINE", "CMT", "DV", "CENS", "BLQ", "BQL", "BLOQ", "LLOQ", "LOQ", "LIMIT",
         "ANALYTE", "DVID", "DVNAME", "YTYPE", "NAME")  # fmt: skip
_NONE = ("", ".", "NA", "<NA>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person of a table: what was taken, who it is, what was observed."""

    id: Hashable
    regimen: Regimen
    covariates: Mapping[str, float | str]  #: By the names of ``Subject``; those that the table gives
    tick: NDArray[np.int64]  #: Times of observations, rising; one before a dose at the same time is 1 us earlier [us]
    output: tuple[str, ...]  #: Output that each observation is of
    value: Floats  #: Observed values, in the unit of the output; the limit where they are below it
    below: NDArray[np.bool_]  #: Whether the value is below the limit of quantification
    limit: Floats  #: Limit of quantification, 0 where the table gives none, in the unit of the output

    def run(self, **head: Any) -> Run:
        """Give the run that predicts this person: its doses and covariates."""
        who = Subject(**self.covariates)  # type: ignore[arg-type]  # the reader has checked the names
        subject = {
            "weight": f"{who.weight_kg:.12g} kg",
            "age": f"{who.age_years:.12g} years",
            "crcl": f"{who.crcl_ml_min:.12g} mL/min",
            "sex": who.sex,
            "liver": who.liver,
            "cyp2d6": who.cyp2d6,
        }
        last = int(self.tick[-1]) if self.tick.size else 24 * TICKS_PER_HOUR
        entries = {"until": format_ticks(max(last, TICKS_PER_HOUR)), "title": f"person {self.id}", **head}
        return Run.parse({"run": entries, "subject": subject, "dose": [dose.to_words() for dose in self.regimen]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Observed data of some persons.

    Examples
    --------
    >>> import io
    >>> text = chr(10).join(["ID,TIME,AMT,DV,WT", "1,0,50,.,80", "1,1,.,10.5,80", "1,4,.,4.2,80"])
    >>> data = read_observed(io.StringIO(text), drug="naltrexone", route="oral", amount_unit="mg")
    >>> data.people[0].covariates, data.predict()["observed"].tolist()
    ({'weight_kg': 80.0}, [10.5, 4.2])
    """

    people: tuple[Person, ...]
    name: str = "The table"
    notes: tuple[str, ...] = field(default=())

    @property
    def outputs(self) -> tuple[str, ...]:
        """Outputs that were observed."""
        return tuple(dict.fromkeys(name for person in self.people for name in person.output))

    def _empty(self) -> InputError:
        said = "holds no observations; expected rows with EVID 0 and a DV. Check DV and MDV."
        return InputError(f"{self.name} {said}")

    def summary(self) -> list[dict[str, Any]]:
        """Return what was read, a row for each person: doses, covariates, observations, first and last time."""
        return [
            {
                "person": p.id,
                "doses": p.regimen.to_words(),
                **{name: p.covariates.get(name) for name in COVARIATES},
                "observations": int(p.tick.size),
                "below the limit": int(p.below.sum()),
                "of": ", ".join(dict.fromkeys(p.output)),
                "first_h": float(p.tick[0]) / TICKS_PER_HOUR if p.tick.size else None,
                "last_h": float(p.tick[-1]) / TICKS_PER_HOUR if p.tick.size else None,
            }
            for p in self.people
        ]

    def predict(
        self,
        *,
        overrides: Given | None = None,
        structure: str | None = None,
        catalogue: Catalogue | None = None,
    ) -> pd.DataFrame:
        """Predict every observation for a typical person with the same covariates.

        Parameters
        ----------
        overrides, structure, catalogue
            As for ``schild.simulate``.

        Returns
        -------
        DataFrame
            person, output, time_h, observed, below (the limit of quantification), predicted, residual (observed less
            predicted) and log_residual.
        """
        import pandas as pd

        frames = []
        for person in self.people:
            if not person.tick.size:
                continue
            predicted = predictions(person, overrides=overrides, structure=structure, catalogue=catalogue)
            with np.errstate(divide="ignore", invalid="ignore"):
                log = np.log(person.value / predicted)
            frames.append(
                pd.DataFrame(
                    {
                        "person": person.id,
                        "output": person.output,
                        "time_h": person.tick / TICKS_PER_HOUR,
                        "observed": person.value,
                        "below": person.below,
                        "predicted": predicted,
                        "residual": person.value - predicted,
                        "log_residual": log,
                    }
                )
            )
        if not frames:
            raise InputError(
                f"{self.name} holds no observations; expected rows with EVID 0 and a DV. Check DV and MDV."
            )
        return pd.concat(frames, ignore_index=True)

    def vpc(
        self,
        *,
        n: int = 200,
        bins: int = 8,
        error: float = 0.0,
        seed: int = 1,
        overrides: Given | None = None,
        catalogue: Catalogue | None = None,
    ) -> pd.DataFrame:
        """Visual predictive check: quantiles of the observed values beside those of simulated tables.

        Parameters
        ----------
        n : int
            Simulated tables; in each, every person has the doses and covariates of the table and parameters drawn from
            the catalogue's variability.
        bins : int
            Groups of times, with about as many observations each.
        error : float
            Residual error that is added to what is simulated, as a coefficient of variation. [1]
        seed : int
            Seed of the draws.
        overrides, catalogue
            As for ``schild.simulate``.

        Returns
        -------
        DataFrame
            A row for each output, bin and quantile (5, 50, 95 %): time_h (the median time), observations, observed, and
            the median and 5th and 95th percentile of that quantile over the simulated tables. Values below the limit
            of quantification count with the limit, observed and simulated.
        """
        import pandas as pd

        rng = np.random.default_rng(seed)
        simulated: list[Floats] = []
        for k, person in enumerate(self.people):
            if not person.tick.size:
                continue
            run = person.run()
            data = run.model_dump(exclude_unset=True)
            data["population"] = {**data.pop("subject"), "n": n}
            data["run"] |= {"seed": seed + k, "outputs": list(dict.fromkeys(person.output))}
            found = predictions(person, Run.parse(data), overrides=overrides, catalogue=catalogue)
            if error:
                found = found * np.exp(math.sqrt(math.log1p(error**2)) * rng.standard_normal(found.shape))
            simulated.append(np.maximum(found, person.limit))
        if not simulated:
            raise InputError(
                f"{self.name} holds no observations; expected rows with EVID 0 and a DV. Check DV and MDV."
            )
        of = np.array([name for p in self.people for name in p.output])
        time = np.concatenate([p.tick for p in self.people]) / TICKS_PER_HOUR
        value = np.concatenate([p.value for p in self.people])
        draws = np.concatenate(simulated, axis=1)
        rows = []
        for name in self.outputs:
            here = np.flatnonzero(of == name)
            edges = np.unique(np.quantile(time[here], np.linspace(0, 1, bins + 1)))
            group = np.clip(np.searchsorted(edges, time[here], side="right") - 1, 0, max(len(edges) - 2, 0))
            for g in np.unique(group):
                some = here[group == g]
                for q in (0.05, 0.5, 0.95):
                    spread = np.quantile(draws[:, some], q, axis=1)
                    low, middle, high = np.quantile(spread, (0.05, 0.5, 0.95))
                    rows.append(
                        {
                            "output": name, "time_h": float(np.median(time[some])), "quantile": q,
                            "observations": len(some), "observed": float(np.quantile(value[some], q)),
                            "simulated": middle, "simulated_q05": low, "simulated_q95": high,
                        }
                    )  # fmt: skip
        return pd.DataFrame(rows)

    def plot(self, *, ax: Any = None, **options: Any) -> Figure | Any:
        """Draw observed values over the course that is predicted for each person, one panel for each output.

        Parameters
        ----------
        ax : Axes or sequence of Axes, optional
            Panels to draw on; a new figure by default.
        **options
            As for ``predict``.

        Returns
        -------
        matplotlib.figure.Figure, or ``ax``
            The panels. Values below the limit of quantification are open.
        """
        frame = self.predict(**options)
        names = self.outputs
        axes, drawn = panels(len(names), 1, (8.0, 0.9 + 2.8 * len(names)), ax, sharex=True)
        scale, word = time_scale(float(frame["time_h"].max()))
        for axis, name in zip(axes, names, strict=True):
            mine = frame[frame["output"] == name]
            for k, (_, one) in enumerate(mine.groupby("person", sort=False)):
                colour = COLOURS[k % len(COLOURS)]
                axis.plot(one["time_h"] / scale, one["predicted"], color=colour, linewidth=1.0, alpha=0.7)
                for below, face in ((False, colour), (True, "none")):
                    part = one[one["below"] == below]
                    axis.scatter(part["time_h"] / scale, part["observed"], s=14, edgecolors=colour, facecolors=face)
            positive = mine["observed"].to_numpy()[mine["observed"].to_numpy() > 0]
            if name.startswith("plasma_") and positive.size:
                axis.set_yscale("log")
                plain_powers(axis.yaxis)
                axis.set_ylim(positive.min() / 3, max(positive.max(), float(mine["predicted"].max())) * 3)
            axis.set_ylabel("ng/mL" if name.startswith("plasma_") else "")
            axis.set_title(f"{name.removeprefix('plasma_').replace('_', ' ')}: observed (points), predicted (lines)")
            axis.grid(alpha=0.25)
        axes[-1].set_xlabel(f"time [{word}]")
        return drawn


def predictions(
    person: Person,
    run: Run | None = None,
    *,
    overrides: Given | None = None,
    structure: str | None = None,
    catalogue: Catalogue | None = None,
) -> Floats:
    """Predict the observations of a person: shape (n_observations,), or (n_people, n_observations) for a population."""
    wanted = list(dict.fromkeys(person.output))
    head: dict[str, Any] = {"outputs": wanted, "receptors": ["mor"]} if all(map(_is_plasma, wanted)) else {}
    run = run or person.run(**(head or {"outputs": wanted}), **({"structure": structure} if structure else {}))
    ticks = sorted({0, *person.tick.tolist()})
    result = simulate_run(run, catalogue=catalogue, overrides=overrides, times_tick=ticks, warn=False)
    at = np.searchsorted(ticks, person.tick)
    found = np.stack([result[name].values[:, k] for name, k in zip(person.output, at, strict=True)], axis=1)
    return np.asarray(found[0] if result.n == 1 else found, dtype=np.float64)


def _is_plasma(name: str) -> bool:
    return name.startswith("plasma_")


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
        scale = factor if _is_plasma(of[k]) else 1.0
        value = _number(some, k, "DV")
        assert value is not None  # a row without is no observation
        if value < 0 and _is_plasma(of[k]):
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


def simulated_table(
    result: Result,
    times: Sequence[float],
    *,
    outputs: Sequence[str] | None = None,
    error: float = 0.0,
    lloq: float = 0.0,
    seed: int = 1,
) -> pd.DataFrame:
    """Write a simulated data set as a NONMEM table, which ``read_observed`` reads back.

    Parameters
    ----------
    result : Result
        Of ``simulate``, one person or many.
    times : sequence of float
        Times of observations. [h]
    outputs : sequence of str, optional
        Plasma levels that are observed; all of the result by default.
    error : float
        Residual error, as a coefficient of variation of a log-normal factor. [1]
    lloq : float
        Lower limit of quantification; a value below it is written as the limit, with CENS 1. [ng/mL]
    seed : int
        Seed of the residual error.

    Returns
    -------
    DataFrame
        ID, TIME, EVID, AMT, AMTU, RATE, II, ADDL, SS, CMT, DRUG, ROUTE, BASIS, DV, MDV, CENS, LLOQ, ANALYTE, WT, AGE,
        SEX, CRCL, LIVER and CYP2D6, in the order of persons and times.

    Raises
    ------
    InputError
        For a result without people or run, or an output that is no plasma level.

    Examples
    --------
    >>> import schild
    >>> result = schild.simulate("naltrexone 50 mg po", until="1 d", n=2)
    >>> table = simulated_table(result, [1.0, 4.0], outputs=["plasma_naltrexone"])
    >>> list(zip(table["ID"], table["TIME"], table["EVID"], strict=True))
    [(1, 0.0, 1), (1, 1.0, 0), (1, 4.0, 0), (2, 0.0, 1), (2, 1.0, 0), (2, 4.0, 0)]
    """
    import pandas as pd

    if result.run is None or result.values is None:
        raise InputError("This result does not know its run; expected that of `simulate`. Simulate the run.")
    names = [name for name in result.outputs if _is_plasma(name)] if outputs is None else list(outputs)
    if odd := [name for name in names if name not in result.outputs or not _is_plasma(name)]:
        raise UnknownNameError("plasma level of this result", odd[0], [n for n in result.outputs if _is_plasma(n)])
    rng = np.random.default_rng(seed)
    sigma = math.sqrt(math.log1p(error**2))
    doses = to_nonmem(result.run.doses, result.run.until_h)
    levels = {name: [np.atleast_1d(result[name].at(float(t))) for t in times] for name in names}
    covariates = result.values.people.covariates
    frames = []
    for k in range(result.n):
        seen = [
            (
                float(t),
                name.removeprefix("plasma_"),
                float(levels[name][j][k]) * math.exp(sigma * rng.standard_normal()),
            )
            for j, t in enumerate(times)
            for name in names
        ]
        table = pd.DataFrame(
            {
                "TIME": [t for t, _, _ in seen],
                "EVID": 0,
                "DV": [max(v, lloq) for _, _, v in seen],
                "CENS": [int(v < lloq) for _, _, v in seen],
                "ANALYTE": [a for _, a, _ in seen],
            }
        )
        both = pd.concat([doses.assign(ANALYTE="."), table], ignore_index=True).sort_values("TIME", kind="stable")
        both.insert(0, "ID", k + 1)
        both["MDV"] = (both["EVID"] != 0).astype(int)
        both["LLOQ"] = lloq
        for column, name in (("WT", "weight_kg"), ("AGE", "age_years"), ("SEX", "sex"), ("CRCL", "crcl_ml_min"),
                             ("LIVER", "liver"), ("CYP2D6", "cyp2d6")):  # fmt: skip
            both[column] = covariates[name][k]
        frames.append(both)
    whole = pd.concat(frames, ignore_index=True)
    zero = ["AMT", "RATE", "II", "ADDL", "SS", "CMT", "CENS"]
    whole[zero] = whole[zero].fillna(0)
    text = ["AMTU", "DRUG", "ROUTE", "BASIS"]
    whole[text] = whole[text].fillna(".")
    return whole.astype({"EVID": int, "ADDL": int, "SS": int, "CMT": int, "CENS": int})
