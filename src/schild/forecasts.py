"""What measured plasma levels say of one person: levels and receptors to come."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schild import __version__
from schild.catalog import Catalogue, load
from schild.errors import InputError
from schild.figures import COLOURS, GREY, panels, plain_powers, shade, time_scale
from schild.observed.read import UNITS
from schild.people import Given
from schild.regimen import combine
from schild.results import Shown, cited, plain
from schild.simulation import Result, Run, simulate
from schild.units import TICKS_PER_HOUR, hours

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

__all__ = ["Forecast", "Level", "forecast", "level_of", "people_like", "quantile", "weights_of"]

#: Fewer people than this behind a posterior are said. [1]
_FEW = 30

#: What the forecast assumes and nothing measured says.
ASSUMED = (
    "People differ as the catalogue's variability says; structures between plasma and receptor count alike, because "
    "plasma levels do not tell them apart; the error of a measured level is assumed."
)

_LEVEL = re.compile(
    r"(?:(?P<drug>\S+)\s+)?(?P<below><\s*)?(?P<value>\d+(?:\.\d*)?|\.\d+)\s*(?P<unit>[A-Za-zµμ]+/[A-Za-z]+)\s+at\s+(?P<time>.+)"
)


class Level(NamedTuple):
    """A measured plasma level."""

    species: str
    value: float  #: [ng/mL]
    time_h: float
    below: bool  #: Whether it lies below ``value``, the limit of quantification


def level_of(words: str, drug: str, catalogue: Catalogue) -> Level:
    """Read a level in words.

    ``words``: such as ``"0.8 ng/mL at 25 d"``, ``"6-beta-naltrexol 1.1 ng/mL at 25 d"`` or ``"<0.5 ng/mL at 25 d"``;
    ``drug``: whose level it is where none is named. Raises InputError for anything else.

    >>> level_of("6-beta-naltrexol 1.1 ug/L at 1 d", "naltrexone", load())
    Level(species='beta_naltrexol', value=1.1, time_h=24.0, below=False)
    """
    found = _LEVEL.fullmatch(words.strip())
    if found is None:
        raise InputError(
            f"{words!r} is no level; expected an amount, a unit and a time. Write it like '0.8 ng/mL at 25 d'."
        )
    unit = found["unit"].lower().replace("µ", "u").replace("μ", "u")
    if unit not in UNITS:
        raise InputError(
            f"{words!r} has the unit {found['unit']}; expected one of {', '.join(UNITS)}. Turn it into one."
        )
    value = float(found["value"]) * UNITS[unit]
    if value <= 0:
        raise InputError(
            f"{words!r} is not above 0; expected a level, or '<' and the limit of quantification. Correct it."
        )
    species = catalogue.drug((found["drug"] or drug).lower()).key
    return Level(species, value, hours(found["time"]), found["below"] is not None)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Forecast(Shown):
    """What is to be expected of one person after levels were measured.

    Examples
    --------
    >>> import schild
    >>> found = schild.forecast("naltrexone 50 mg po q24h x3", levels=["1.2 ng/mL at 56 h"], n=60, structures=1)
    >>> 0.5 < found.row("mor_pet_occupancy", 72.0)["q50"] < 1.0
    True
    """

    title: str
    levels: tuple[Level, ...]
    time_h: Floats  #: Shape (n_times,)
    courses: Mapping[str, Floats]  #: By output: shape (n_people, n_times); plasma levels [ng/mL] and mu occupancy [1]
    weights: Floats  #: Of each person and structure; sum 1
    protected_h: Floats  #: Until when the occupancy stays at or above the target; the end of the run where it does
    last_dose_h: float
    target: float
    share: float
    effective: float  #: Number of people that the posterior amounts to
    warnings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = (ASSUMED,)
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    catalogue: Catalogue | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what is needed to repeat the forecast."""
        stamp = {} if self.catalogue is None else dict(self.catalogue.stamp)
        return {"schild": __version__, "regimens": self.title, "levels": [list(x) for x in self.levels], **stamp}

    @property
    def next_dose_h(self) -> float:
        """Latest time of the next dose that keeps the target in the wanted share. [h]"""
        return float(quantile(self.protected_h, self.weights, 1.0 - self.share))

    def row(self, output: str, time_h: float) -> dict[str, float]:
        """Median and 90 % band of an output at the nearest output time."""
        k = int(np.argmin(np.abs(self.time_h - time_h)))
        q = quantile(self.courses[output][:, k], self.weights, (0.05, 0.5, 0.95))
        return {"time_h": float(self.time_h[k]), "q05": float(q[0]), "q50": float(q[1]), "q95": float(q[2])}

    def about(self) -> str:
        """Say in a line what was forecast."""
        n = len(self.levels)
        return f"{self.title}; {n} level{'' if n == 1 else 's'}; {self.said()}"

    def said(self) -> str:
        """Say until when the receptors stay occupied."""
        low, middle, high = quantile(self.protected_h, self.weights, (0.05, 0.5, 0.95)) / 24.0
        more = "at least " if high >= self.time_h[-1] / 24.0 - 1e-6 else ""
        return (
            f"mu receptors stay at {100 * self.target:g} % or more until day {middle:.3g} (90 %: {low:.3g} to "
            f"{more}{high:.3g}); a next dose by day {self.next_dose_h / 24:.3g} keeps that in {100 * self.share:g} %"
        )

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each output at the last dose, every week after it, and the end of the run."""
        asked = np.unique(np.append(np.arange(self.last_dose_h, self.time_h[-1], 168.0), self.time_h[-1]))
        return [{"output": name, **self.row(name, t)} for name in self.courses for t in asked]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract as Python data."""
        return {
            "manifest": self.manifest,
            "forecast": plain(self.summary()),
            "target": self.target,
            "share": self.share,
            "protected_until_h": dict(
                zip(
                    ("q05", "q50", "q95"),
                    plain(quantile(self.protected_h, self.weights, (0.05, 0.5, 0.95))),
                    strict=True,
                )
            ),
            "next_dose_by_h": self.next_dose_h,
            "effective_people": self.effective,
            "evidence": {"kinetics and binding": "catalogue", "error of levels, weights of structures": "assumed"},
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
            "cite": cited(self.sources),
        }

    def plot(self, *, ax: Any = None) -> Figure | Any:
        """Draw the posterior of plasma and mu occupancy, with what was measured.

        Parameters
        ----------
        ax : sequence of Axes, optional
            Panels to draw on, one for each output; a new figure by default.

        Returns
        -------
        matplotlib.figure.Figure, or ``ax``
            Medians with the middle 90 %.
        """
        axes, drawn = panels(len(self.courses), 1, (8.0, 0.9 + 2.5 * len(self.courses)), ax, sharex=True)
        scale, word = time_scale(float(self.time_h[-1]))
        for axis, (name, values) in zip(axes, self.courses.items(), strict=True):
            bands = np.array([quantile(column, self.weights, (0.05, 0.5, 0.95)) for column in values.T])
            shade(axis, self.time_h / scale, bands[:, 0], bands[:, 2], COLOURS[0], 0.25)
            axis.plot(self.time_h / scale, bands[:, 1], color=COLOURS[0], linewidth=1.6)
            species = name.removeprefix("plasma_")
            if name.startswith("plasma_"):
                mine = [x for x in self.levels if x.species == species]
                axis.scatter([x.time_h / scale for x in mine], [x.value for x in mine], color=COLOURS[1], zorder=3)
                axis.set_yscale("log")
                plain_powers(axis.yaxis)
                top = float(bands[:, 2].max())
                axis.set_ylim(top / 2000, top * 3)
                axis.set_ylabel("ng/mL")
            else:
                axis.axhline(self.target, color=GREY, linewidth=1)
                axis.set_ylim(0, 1.02)
                axis.set_ylabel("fraction")
            axis.set_title(species.replace("_", " "), fontsize="medium")
            axis.grid(alpha=0.25)
        axes[-1].set_xlabel(f"time [{word}]")
        return drawn


def forecast(
    *regimens: str,
    levels: Sequence[str],
    subject: Mapping[str, Any] | None = None,
    until: str | None = None,
    target: float = 0.8,
    share: float = 0.9,
    error: float = 0.2,
    n: int = 400,
    structures: int | Sequence[str] | None = None,
    seed: int = 1,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Forecast:
    """Forecast plasma and mu occupancy of one person from measured plasma levels.

    Parameters
    ----------
    *regimens : str
        What was and will be taken, in words; the first drug is the one whose levels are meant where none is named.
    levels : sequence of str
        Measured levels: ``"0.8 ng/mL at 25 d"``, ``"6-beta-naltrexol 1.1 ng/mL at 25 d"``, ``"<0.5 ng/mL at 30 d"``.
    subject : mapping, optional
        The person, as for ``schild.simulate``.
    until : str, optional
        End of the forecast.
    target, share : float
        Occupancy of mu receptors that is wanted, and in which share of the posterior. [1]
    error : float
        Error of a measured level (assay, time, model), as a coefficient of variation; assumed. [1]
    n : int
        Virtual people in each structure, with the covariates of the person.
    structures : int or sequence of str, optional
        Structures between plasma and receptor of the first drug: names, or how many; all by default.
    seed, catalogue, overrides, progress
        As for ``schild.simulate``.

    Returns
    -------
    Forecast
        Posterior of the courses, and how long receptors stay occupied.

    Raises
    ------
    InputError
        For a level that cannot be read or lies outside the run, or that nobody of the population has.

    Notes
    -----
    Virtual people with the covariates of the person are weighted by the likelihood of the levels (importance sampling
    from the population; log-normal error). Structures have equal weights before, and the same people.

    Examples
    --------
    >>> found = forecast("naltrexone 50 mg po", levels=["10 ng/mL at 1 h"], until="2 d", n=40, structures=1)
    >>> found.courses["mor_pet_occupancy"].shape[0]
    40
    """
    catalogue = catalogue or load()
    check_shares(target=target, share=share, error=error)
    doses = combine(*regimens)
    drug = next((dose.drug for dose in doses if dose.drug is not None), None)
    if drug is None:
        raise InputError(
            "No regimen was given; expected what is taken. Write for example 'naltrexone 380 mg im_depot'."
        )
    key = catalogue.drug(drug).key
    read = tuple(level_of(words, key, catalogue) for words in levels)
    if not read:
        raise InputError(
            "No level was given; expected one or more. Write levels=['0.8 ng/mL at 25 d'], or use `coverage`."
        )
    names = list(catalogue.drug(key).structures)
    if isinstance(structures, int):
        default = [k for k, s in catalogue.drug(key).structures.items() if s.default]
        names = [*default, *(name for name in names if name not in default)][: max(structures, 1)]
    elif structures is not None:
        names = list(structures)
    wanted = [*dict.fromkeys(f"plasma_{level.species}" for level in read), "mor_pet_occupancy"]
    results: list[Result] = []
    for k, name in enumerate(names or [None]):
        results.append(
            people_like(regimens, subject, until, n, seed, {key: name} if name else None, wanted, catalogue, overrides)
        )
        if progress is not None:
            progress(k + 1, len(names))
    first = results[0]
    seen = np.stack(
        [np.concatenate([np.ravel(r[f"plasma_{x.species}"].at(x.time_h)) for r in results]) for x in read], axis=1
    )
    weights, effective = weights_of(seen, read, error)
    warnings = []
    if effective < _FEW:
        warnings.append(
            f"The forecast rests on {effective:.0f} of {len(weights):,} virtual people: such levels are rare in the "
            "population. Check doses, times and units, or raise n."
        )
    time = np.asarray(first["mor_pet_occupancy"].time_h, dtype=np.float64)
    courses = {name: np.concatenate([np.asarray(r[name].values, dtype=np.float64) for r in results]) for name in wanted}
    last = max(e.tick for e in first.doses[None]) / TICKS_PER_HOUR
    return Forecast(
        title=first.title, levels=read, time_h=time, courses=courses, weights=weights,
        protected_h=protected(time, courses["mor_pet_occupancy"], last, target), last_dose_h=last, target=target,
        share=share, effective=effective, warnings=(*warnings, *first.warnings), sources=first.sources,
        catalogue=catalogue,
    )  # fmt: skip


def people_like(
    regimens: Sequence[str], subject: Mapping[str, Any] | None, until: str | None, n: int, seed: int,
    structure: Mapping[str, str] | None, outputs: list[str], catalogue: Catalogue, overrides: Given | None,
    every: str | None = None,
) -> Result:  # fmt: skip
    """Simulate people with the covariates of one person."""
    who = Run.parse({"subject": dict(subject or {}), "dose": list(regimens)}).subject
    fixed = {k: v for k, v in (who.model_dump() if who else {}).items() if k != "history"}
    return simulate(
        *regimens, until=until, every=every, population={"n": n, **fixed}, seed=seed, structure=structure,
        receptors=("mor",), outputs=outputs, catalogue=catalogue, overrides=overrides, warn=False,
    )  # fmt: skip


def weights_of(seen: Floats, levels: Sequence[Level], error: float) -> tuple[Floats, float]:
    """Weigh people by the likelihood of measured levels.

    ``seen``, shape (n_people, n_levels): the level of each at the times [ng/mL]; ``error``: coefficient of variation of
    a log-normal error. Returns weights that sum to 1, and the number of people that they amount to (Kish). Raises
    InputError if nobody has such levels.
    """
    from scipy.special import log_ndtr

    sigma = math.sqrt(math.log1p(error**2))
    with np.errstate(divide="ignore"):
        off = (np.log([x.value for x in levels]) - np.log(seen)) / sigma
    log = np.where([x.below for x in levels], log_ndtr(off), -0.5 * off**2).sum(axis=1)
    best = float(np.max(log))
    if not best > -200.0:
        raise InputError(
            "Nobody of the virtual population has such levels; expected doses, times and units that fit. Check them."
        )
    weights = np.exp(log - best)
    weights /= weights.sum()
    return weights, float(1.0 / np.sum(weights**2))


def quantile(values: Floats, weights: Floats, q: float | Sequence[float]) -> Any:
    """Weighted quantiles: where the cumulative weight passes ``q``.

    >>> float(quantile(np.array([3.0, 1.0, 2.0]), np.array([0.2, 0.2, 0.6]), 0.5))
    2.0
    """
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    found = np.searchsorted(total, np.asarray(q) * total[-1])
    return np.asarray(values)[order][np.minimum(found, len(values) - 1)]


def protected(time_h: Floats, occupancy: Floats, last_dose_h: float, target: float) -> Floats:
    """Until when occupancy is at or above the target after the last dose, shape (n,). [h]

    That is the last time at which it falls below; the time of the last dose where the target is never reached, and the
    end of the run where it does not fall below.
    """
    after = time_h >= last_dose_h
    t, y = time_h[after], occupancy[:, after]
    found = np.full(len(y), t[-1])
    for k, course in enumerate(y):
        above = np.flatnonzero(course >= target)
        if not above.size:
            found[k] = last_dose_h
        elif (j := int(above[-1])) < len(t) - 1:
            found[k] = t[j] + (t[j + 1] - t[j]) * (course[j] - target) / (course[j] - course[j + 1])
    return found


def check_shares(**values: float) -> None:
    for name, value in values.items():
        high = 2.0 if name == "error" else 1.0
        if not 0.0 < value < high:
            raise InputError(f"{name} is {value:g}; expected between 0 and {high:g}. Correct it.")
