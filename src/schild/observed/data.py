"""Observed levels of many persons, and their predictions."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.catalog import Catalogue
from schild.errors import InputError
from schild.figures import COLOURS, Chart, Picture, time_scale
from schild.people import Given, Uses
from schild.population import Subject
from schild.regimen import Regimen
from schild.simulation import Run, simulate_run
from schild.units import TICKS_PER_HOUR, format_ticks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


#: Columns of covariates: those of ``Subject``, with their units.
COVARIATES: Mapping[str, tuple[str, ...]] = {
    "weight_kg": ("WT", "BWT", "WTB", "WEIGHT", "WEIGHTB", "WTKG", "BW"),
    "age_years": ("AGE", "AGEY"),
    "crcl_ml_min": ("CRCL", "CLCR"),
    "sex": ("SEX", "GENDER", "SEXF", "FEMALE", "SEXM", "MALE"),
    "liver": ("LIVER", "HEPA"),
    "cyp2d6": ("CYP2D6",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person of a table: doses, covariates and observations."""

    id: Hashable
    regimen: Regimen
    covariates: Mapping[str, float | str]  #: Covariates in the table, by the names of ``Subject``
    tick: NDArray[np.int64]  #: Times of observations, rising; one before a dose at the same time is 1 us earlier [us]
    output: tuple[str, ...]  #: Output of each observation
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
    >>> from schild.observed import read_observed
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

    @property
    def seen(self) -> list[tuple[int, Person]]:
        """Persons with observations, each with its place among all; InputError where nobody has one."""
        found = [(k, person) for k, person in enumerate(self.people) if person.tick.size]
        if not found:
            raise InputError(
                f"{self.name} holds no observations; expected rows with EVID 0 and a DV. Check DV and MDV."
            )
        return found

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each person: doses, covariates, observations, first and last time."""
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
            person, output, time_h, observed, below (the limit of quantification), predicted, residual (observed minus
            predicted) and log_residual.
        """
        import pandas as pd

        frames = []
        for _, person in self.seen:
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
            Residual error that is added to simulated values, as a coefficient of variation. [1]
        seed : int
            Seed of the draws.
        overrides, catalogue
            As for ``schild.simulate``.

        Returns
        -------
        DataFrame
            A row for each output, bin and quantile (5, 50, 95 %): time_h (the median time), observations, observed, and
            the median and 5th and 95th percentile of that quantile over the simulated tables. Observed and simulated
            values below the limit of quantification are replaced by the limit.
        """
        import pandas as pd

        rng = np.random.default_rng(seed)
        simulated: list[Floats] = []
        for k, person in self.seen:
            found = np.zeros((n, person.tick.size))
            if tuple(person.regimen):
                data = person.run().model_dump(exclude_unset=True)
                data["population"] = {**data.pop("subject"), "n": n}
                data["run"] |= {"seed": seed + k, "outputs": list(dict.fromkeys(person.output))}
                found = predictions(person, Run.parse(data), overrides=overrides, catalogue=catalogue)
            if error:
                found = found * np.exp(math.sqrt(math.log1p(error**2)) * rng.standard_normal(found.shape))
            simulated.append(np.maximum(found, person.limit))
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

    def picture(self, **options: Any) -> Picture:
        """Chart observed values and the predicted course of each person, one chart for each output.

        Parameters
        ----------
        **options
            As for ``predict``.

        Returns
        -------
        Picture
            Values below the limit of quantification are open.
        """
        frame = self.predict(**options)
        charts = []
        scale, word = time_scale(float(frame["time_h"].max()))
        for name in self.outputs:
            chart, mine, level = Chart(240.0), frame[frame["output"] == name], name.startswith("plasma_")
            for k, (_, one) in enumerate(mine.groupby("person", sort=False)):
                colour = COLOURS[k % len(COLOURS)]
                chart.line(one["time_h"] / scale, one["predicted"], color=colour, width=1.0, alpha=0.7)
                for below in (False, True):
                    part = one[one["below"] == below]
                    chart.marks(part["time_h"] / scale, part["observed"], color=colour, size=4.5, hollow=below)
            positive = mine["observed"].to_numpy()[mine["observed"].to_numpy() > 0]
            if level and positive.size:
                chart.y.log = True
                chart.y.lim = positive.min() / 3, max(positive.max(), float(mine["predicted"].max())) * 3
            chart.x.label, chart.y.label = f"time [{word}]", "ng/mL" if level else ""
            chart.title = f"{name.removeprefix('plasma_').replace('_', ' ')}: observed (points), predicted (lines)"
            charts.append(chart)
        return Picture(charts, caption="Points are open below the limit of quantification; lines: each person.")

    def plot(self, *, ax: Any = None, **options: Any) -> Figure | Any:
        """Draw the charts of ``picture`` with matplotlib: on ``ax``, one panel for each output, or as a new figure."""
        return self.picture(**options).image(ax)


def predictions(
    person: Person,
    run: Run | None = None,
    *,
    overrides: Given | None = None,
    structure: str | None = None,
    catalogue: Catalogue | None = None,
    uses: Uses | None = None,
) -> Floats:
    """Predict the observations of a person: shape (n_observations,), or (n_people, n_observations) for a population."""
    wanted = list(dict.fromkeys(person.output))
    if not tuple(person.regimen):
        if all(map(is_plasma, wanted)):
            return np.zeros(person.tick.size)
        raise InputError(f"Person {person.id} has no dose; expected one where {', '.join(wanted)} is observed.")
    head: dict[str, Any] = {"outputs": wanted, "receptors": ["mor"]} if all(map(is_plasma, wanted)) else {}
    run = run or person.run(**(head or {"outputs": wanted}), **({"structure": structure} if structure else {}))
    ticks = sorted({0, *person.tick.tolist()})
    result = simulate_run(run, catalogue=catalogue, overrides=overrides, times_tick=ticks, warn=False, uses=uses)
    at = np.searchsorted(ticks, person.tick)
    found = np.stack([result[name].values[:, k] for name, k in zip(person.output, at, strict=True)], axis=1)
    return np.asarray(found[0] if result.n == 1 else found, dtype=np.float64)


def is_plasma(name: str) -> bool:
    """Whether an output is a plasma level. [ng/mL]"""
    return name.startswith("plasma_")
