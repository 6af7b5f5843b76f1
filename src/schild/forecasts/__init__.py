"""Forecast of plasma levels and receptor occupancy of one person from measured plasma levels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from schild import __version__
from schild.array_types import Floats
from schild.catalog import Catalogue, load
from schild.errors import InputError, UnknownNameError
from schild.evidence import BASES
from schild.figures import COLOURS, GREY, Chart, Picture, time_scale
from schild.forecasts.levels import Level, level_of, quantile
from schild.forecasts.posterior import sample
from schild.people import Given
from schild.pharmacology.nca import last_time_at
from schild.regimen import Dose, parse_regimen
from schild.results import ShownRun, plain
from schild.simulation import Result, Run, simulate_run
from schild.units import TICKS_PER_HOUR

__all__ = ["Forecast", "Level", "forecast", "level_of"]

#: Effective number of people of a posterior below which the forecast warns. [1]
_FEW = 30

#: Share of the people drawn below which the levels count as rare. [1]
_SHARE = 0.1

#: Distance of a person from the typical one above which the forecast warns. [standard deviations]
_RARE = 3.0

#: Assumptions of every forecast.
ASSUMED = (
    "People differ by the catalogue's variability; typical values are taken as known; the error of a measured "
    "level is assumed."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Forecast(ShownRun):
    """Forecast for one person from measured levels.

    Examples
    --------
    >>> import schild
    >>> found = schild.forecast("naltrexone 50 mg po q24h x3", levels=["1.2 ng/mL at 56 h"], n=60)
    >>> 0.5 < found.row("mor_pet_occupancy", 72.0)["q50"] < 1.0
    True
    """

    title: str
    levels: tuple[Level, ...]
    time_h: Floats  #: Shape (n_times,)
    courses: Mapping[str, Floats]  #: By output: shape (n_people, n_times); plasma levels [ng/mL] and mu occupancy [1]
    weights: Floats  #: Weight of each person and structure; sum 1
    protected_h: Floats  #: Time until which occupancy stays at or above the target; the end of the run if it does [h]
    last_dose_h: float
    target: float
    share: float
    effective: float  #: Effective number of people in the posterior
    structures: Mapping[str, float]  #: Weights of the structures between plasma and receptor; sum 1
    #: Effect of missing the first dose after the last level, None without one: its time [h], and hours at the target
    #: lost until the dose after it, as median and 90 % of the posterior
    missed: Mapping[str, float] | None
    evidence: Mapping[str, Mapping[str, int]]  #: By output: count of the numbers behind it, by basis
    result: Result  #: The run of the first structure
    warnings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = (ASSUMED,)
    protects: bool = True  #: Whether the drug protects: an agonist does not, and no next dose is given for it

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what is needed to repeat the forecast."""
        stamp = {} if self.catalogue is None else dict(self.catalogue.stamp)
        return {
            "schild": __version__, "regimens": self.title, "levels": [list(x) for x in self.levels],
            "seed": self.result.manifest.get("seed"), **stamp,
        }  # fmt: skip

    @property
    def next_dose_h(self) -> float:
        """Latest time of the next dose that keeps the target in the wanted share; NaN without one. [h]"""
        found = float(quantile(self.protected_h, self.weights, 1.0 - self.share))
        return found if self.protects and found > self.last_dose_h else math.nan

    def row(self, output: str, time_h: float) -> dict[str, float]:
        """Median and 90 % band of an output at the nearest output time."""
        k = int(np.argmin(np.abs(self.time_h - time_h)))
        q = quantile(self.courses[output][:, k], self.weights, (0.05, 0.5, 0.95))
        return {"time_h": float(self.time_h[k]), "q05": float(q[0]), "q50": float(q[1]), "q95": float(q[2])}

    def about(self) -> str:
        """Describe the forecast in one line."""
        n = len(self.levels)
        return f"{self.title}; {n} level{'' if n == 1 else 's'}; {self.said()}"

    def said(self) -> str:
        """Sentence on the time until which receptors stay occupied."""
        if not self.protects:
            return "an agonist occupies receptors and protects nothing: no time of protection and no next dose is given"
        target, reached = f"{100 * self.target:g} %", self.protected_h > self.last_dose_h
        low, middle, high = quantile(self.protected_h, self.weights, (0.05, 0.5, 0.95)) / 24.0
        if middle * 24.0 <= self.last_dose_h:
            never = f"{100 * (1.0 - float(self.weights[reached].sum())):.0f} %"
            return f"mu receptors are never at {target} after the last dose, with a probability of {never}"
        more = "at least " if high >= self.time_h[-1] / 24.0 - 1e-6 else ""
        least = f"{low:.3g}" if low * 24.0 > self.last_dose_h else "never reached"
        following = (
            f"no time of a next dose keeps them there with a probability of {100 * self.share:g} %"
            if math.isnan(self.next_dose_h)
            else f"a next dose by day {self.next_dose_h / 24:.3g} keeps them there with a probability of "
            f"{100 * self.share:g} %"
        )
        return (
            f"mu receptors stay at {target} or more until day {middle:.3g} (90 % interval {least} to "
            f"{more}{high:.3g}); {following}{self._missed_words()}"
        )

    def _missed_words(self) -> str:
        if self.missed is None:
            return ""
        at, low, middle, high = (self.missed[k] for k in ("missed_at_h", "q05", "q50", "q95"))
        return (
            f"; missing the dose of day {at / 24:.3g} costs {middle:.3g} h at the target until the dose after it "
            f"(90 % interval {low:.3g} to {high:.3g})"
        )

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each output at the last dose, every week after it, and the end of the run."""
        asked = np.unique(np.append(np.arange(self.last_dose_h, self.time_h[-1], 168.0), self.time_h[-1]))
        said = {
            name: ", ".join(f"{count} {basis}" for basis, count in self.evidence[name].items()) for name in self.courses
        }
        return [{"output": name, **self.row(name, t), "evidence": said[name]} for name in self.courses for t in asked]

    def content(self) -> dict[str, Any]:
        """Return the posterior, its assumptions and its evidence."""
        low, middle, high = plain(quantile(self.protected_h, self.weights, (0.05, 0.5, 0.95)))
        return {
            "forecast": plain(self.summary()),
            "target": self.target,
            "share": self.share,
            "protected_until_h": {"q05": low, "q50": middle, "q95": high} if self.protects else None,
            "next_dose_by_h": plain(self.next_dose_h),
            "effective_people": self.effective,
            "missed_dose": None if self.missed is None else dict(self.missed),
            "structures": dict(self.structures),
            "evidence": {
                **{name: dict(counts) for name, counts in self.evidence.items()},
                "protected_until_h": dict(self.evidence["mor_pet_occupancy"]),
                "error of levels": "assumed",
                "weights of structures": "fitted" if "Akaike" in self.assumptions[-1] else "assumed",
            },
            "assumptions": list(self.assumptions),
        }

    def picture(self) -> Picture:
        """Charts of the posterior of plasma and mu occupancy, medians with the middle 90 %, with what was measured."""
        charts = []
        scale, word = time_scale(float(self.time_h[-1]))
        for name, values in self.courses.items():
            chart, t = Chart(230.0), self.time_h / scale
            bands = np.array([quantile(column, self.weights, (0.05, 0.5, 0.95)) for column in values.T])
            chart.band(t, bands[:, 0], bands[:, 2], color=COLOURS[0], alpha=0.25)
            chart.line(t, bands[:, 1], color=COLOURS[0])
            species = name.removeprefix("plasma_")
            if name.startswith("plasma_"):
                mine = [x for x in self.levels if x.species == species]
                chart.marks(
                    [x.time_h / scale for x in mine], [x.value for x in mine], color=COLOURS[1], size=6.0, over=3
                )
                top = float(bands[:, 2].max())
                chart.y.log, chart.y.lim, chart.y.label = True, (top / 2000, top * 3), "ng/mL"
            else:
                chart.rule(y=self.target, dashes="-", color=GREY)
                chart.y.lim, chart.y.label = (0.0, 1.02), "fraction"
            chart.title, chart.x.label = self.result[name].kind.words, f"time [{word}]"
            charts.append(chart)
        caption = "Medians with the middle 90 %; dots: what was measured; grey line: the occupancy that protects."
        return Picture(charts, caption=caption)


def forecast(
    *regimens: str,
    levels: Sequence[str],
    subject: Mapping[str, Any] | None = None,
    until: str | None = None,
    target: float = 0.8,
    share: float = 0.9,
    error: float = 0.2,
    n: int = 200,
    structures: Sequence[str] | None = None,
    seed: int = 1,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Forecast:
    """Forecast plasma and mu occupancy of one person from measured plasma levels.

    Parameters
    ----------
    *regimens : str
        Past and future doses, in words; a level without a name is of the first drug.
    levels : sequence of str
        Measured levels: ``"0.8 ng/mL at 25 d"``, ``"6-beta-naltrexol 1.1 ng/mL at 25 d"``, ``"<0.5 ng/mL at 30 d"``.
    subject : mapping, optional
        The person, as for ``schild.simulate``.
    until : str, optional
        End of the forecast, such as 120d.
    target : float
        Occupancy of mu receptors that is wanted, 0 to 1.
    share : float
        Share of the posterior in which it is wanted, 0 to 1.
    error : float
        Error of a measured level (assay, time, model), as a coefficient of variation; assumed. [1]
    n : int
        Virtual people of the posterior, over all structures.
    structures : sequence of str, optional
        Structures between plasma and receptor of the first drug; all by default.
    seed, catalogue, overrides, progress
        As for ``schild.simulate``.

    Returns
    -------
    Forecast
        Posterior of the courses, and the time over which receptors stay occupied.

    Raises
    ------
    InputError
        For a level that cannot be read, lies outside the run, or does not occur in the population.

    Notes
    -----
    Virtual people with the covariates of the person are drawn from the population; where few of them have such levels,
    as many more are drawn around the most probable person (the mode of the posterior, its curvature from the slopes of
    the levels), and all are weighted by prior times likelihood over the density that they were drawn from (log-normal
    error). Occupancy is solved for people drawn by these weights, in each structure between plasma and receptor. Plasma
    levels do not distinguish structures, which have the Akaike weights of their fits to human occupancy, or equal ones
    where the catalogue has none.

    Examples
    --------
    >>> found = forecast("naltrexone 50 mg po", levels=["10 ng/mL at 1 h"], until="2 d", n=40)
    >>> found.courses["mor_pet_occupancy"].shape[0]
    40
    """
    catalogue = catalogue or load()
    check_shares(target=target, share=share, error=error)
    if not 20 <= n <= 20_000:
        raise InputError(f"n is {n}; expected 20 to 20,000 virtual people. Choose one of them.")
    doses = tuple(dose for words in regimens for dose in parse_regimen(words))
    drug = next((dose.drug for dose in doses if dose.drug is not None), None)
    if drug is None:
        raise InputError(
            "No regimen was given; expected the doses that are taken, such as 'naltrexone 380 mg im_depot'."
        )
    key = catalogue.drug(drug).key
    read = tuple(level_of(words, key, catalogue) for words in levels or ())
    if not read:
        raise InputError(
            "No level was given; expected one or more. Write levels=['0.8 ng/mL at 25 d'], or use `coverage`."
        )
    shares, why = structure_weights(catalogue, key, structures)
    wanted = [*dict.fromkeys(f"plasma_{level.species}" for level in read), "mor_pet_occupancy"]
    run = run_like(regimens, subject, until, 2 * n, seed, None, wanted)
    posterior = sample(run, read, error, n, catalogue, overrides)
    parts, results, missed = [], [], []
    skipped, late = without_next(doses, max(level.time_h for level in read), run.until_tick)
    protects = catalogue.drug(key).role not in ("agonist", "prodrug")
    skipped = skipped if protects else None
    counts = allot(n, shares)
    for k, (name, count) in enumerate(counts.items()):
        people = posterior.people(count, k)
        options: dict[str, Any] = {"people": people, "catalogue": catalogue, "overrides": overrides, "warn": False}
        chosen = {key: name} if name else None
        results.append(simulate_run(run_like(regimens, subject, until, count, seed, chosen, wanted), **options))
        if skipped is not None:
            end = f"{run.until_h:.12g} h"
            other = run_like(skipped, subject, end, count, seed, chosen, ["mor_pet_occupancy"])
            missed.append(hours_lost(results[-1], simulate_run(other, **options), late, target))
        parts.append(np.full(count, shares[name] / count))
        if progress is not None:
            progress(k + 1, len(counts))
    first = results[0]
    warnings = []
    rests = f"The forecast rests on {posterior.effective:.0f} of {2 * n:,} virtual people"
    if posterior.far > _RARE or posterior.effective < _SHARE * 2 * n:
        warnings.append(
            f"{rests}, and the most probable one lies {posterior.far:.2g} standard deviations from the typical person: "
            "such levels are rare. Check doses, times and units."
        )
    elif posterior.effective < _FEW:
        warnings.append(f"{rests}: its limits are rough. Ask for more people (n).")
    time = np.asarray(first["mor_pet_occupancy"].time_h, dtype=np.float64)
    courses = {name: np.concatenate([np.asarray(r[name].values, dtype=np.float64) for r in results]) for name in wanted}
    last = max(e.tick for e in first.doses[None]) / TICKS_PER_HOUR
    weights = np.concatenate(parts)
    cost = None
    if missed:
        low, middle, high = quantile(np.concatenate(missed), weights / weights.sum(), (0.05, 0.5, 0.95))
        cost = {"missed_at_h": late[0], "q05": float(low), "q50": float(middle), "q95": float(high)}
    return Forecast(
        title=first.title, levels=read, time_h=time, courses=courses, weights=weights / weights.sum(),
        protected_h=protected(time, courses["mor_pet_occupancy"], last, target), last_dose_h=last, target=target,
        share=share, effective=posterior.effective, missed=cost, structures=shares, result=first,
        warnings=(*warnings, *first.warnings), assumptions=(ASSUMED, why),
        evidence={name: evidence_of(first, name) for name in wanted}, protects=protects,
    )  # fmt: skip


def run_like(
    regimens: Sequence[Any], subject: Mapping[str, Any] | None, until: str | None, n: int, seed: int,
    structure: Mapping[str, str] | None, outputs: list[str], every: str | None = None,
) -> Run:  # fmt: skip
    """Return the run of people with the covariates of one person."""
    who = Run.parse({"subject": dict(subject or {}), "dose": list(regimens)}).subject
    fixed = {k: v for k, v in (who.model_dump() if who else {}).items() if k != "history"}
    return Run.of(
        *regimens, population={"n": n, **fixed}, seed=seed, receptors=["mor"], outputs=outputs, until=until,
        every=every, structure=structure,
    )  # fmt: skip


def allot(n: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Divide people between structures, at least ten each; structures with a weight below 0.001 have none.

    >>> allot(100, {"a": 0.9999, "b": 0.0001}), allot(100, {"a": 0.98, "b": 0.02})
    ({'a': 100}, {'a': 90, 'b': 10})
    """
    kept = {name: share for name, share in shares.items() if share >= 1e-3}
    few = {name: max(10, round(n * share)) for name, share in kept.items() if n * share < n / len(kept)}
    rest = {name: share for name, share in kept.items() if name not in few}
    left, whole = n - sum(few.values()), sum(rest.values())
    found = few | {name: max(10, round(left * share / whole)) for name, share in rest.items()}
    return {name: found[name] for name in kept}


def structure_weights(catalogue: Catalogue, drug: str, chosen: Sequence[str] | None) -> tuple[dict[str, float], str]:
    """Weights of the structures of a drug by their fits to human occupancy, and their basis in words.

    >>> weights, _ = structure_weights(load(), "naltrexone", None)
    >>> {name: round(weight, 2) for name, weight in weights.items() if weight > 0.01}
    {'effect_compartment': 0.03, 'slow_receptor': 0.16, 'plasma_and_store': 0.81}
    """
    known = catalogue.drug(drug).structures
    for name in chosen or ():
        if name not in known:
            raise UnknownNameError(f"structure of {drug}", name, known)
    names = list(chosen) if chosen is not None else list(known)
    if not names:
        return {"": 1.0}, "No rival structures between plasma and receptor are known for this drug."
    fits = [(known[name].chi_square, known[name].fitted) for name in names]
    if len(names) == 1 or any(chi is None or fitted is None for chi, fitted in fits):
        return dict.fromkeys(names, 1.0 / len(names)), "Structures between plasma and receptor have equal weights."
    criterion = np.array([float(chi or 0.0) + 2.0 * float(fitted or 0) for chi, fitted in fits])
    weights = np.exp(-0.5 * (criterion - criterion.min()))
    weights /= weights.sum()
    said = ", ".join(
        f"{name.replace('_', ' ')} {100 * w:.2g} %" for name, w in zip(names, weights, strict=True) if w > 1e-3
    )
    return dict(zip(names, weights.tolist(), strict=True)), (
        f"Structures between plasma and receptor have the Akaike weights of their fits to scans: {said}."
    )


def without_next(
    doses: tuple[Dose, ...], now_h: float, until_tick: int
) -> tuple[list[str] | None, tuple[float, float]]:
    """Regimens without the first dose after a time, and begin and end of its interval [h]; None without such a dose.

    >>> without_next(parse_regimen("naltrexone 50 mg po q24h x4").doses, 30.0, 96 * TICKS_PER_HOUR)
    (['naltrexone 50 mg oral q24h x4 skip 3'], (48.0, 72.0))
    """
    due = sorted(
        (dose.time_tick + k * dose.every_tick, j, k)
        for j, dose in enumerate(doses)
        if dose.drug is not None
        for k in range(dose.count or (until_tick - dose.time_tick) // dose.every_tick + 1)
        if k + 1 not in dose.skip
    )
    coming = [x for x in due if now_h * TICKS_PER_HOUR < x[0] < until_tick]
    if not coming or len(due) == 1:
        return None, (0.0, 0.0)
    tick, j, k = coming[0]
    end = next((x[0] for x in coming[1:] if doses[x[1]].drug == doses[j].drug), until_tick)
    left = list(doses)
    skip = tuple(sorted({*doses[j].skip, k + 1}))
    if len(skip) == doses[j].count:
        left.pop(j)
    elif k == 0 and (doses[j].ss or doses[j].evid == 4):
        return None, (0.0, 0.0)
    else:
        left[j] = copy(doses[j])
        object.__setattr__(left[j], "skip", skip)
    return [dose.to_words() for dose in left], (tick / TICKS_PER_HOUR, end / TICKS_PER_HOUR)


def hours_lost(taken: Result, other: Result, when: tuple[float, float], target: float) -> Floats:
    """Hours at the target that a missed dose costs each person until the dose after it, shape (n,)."""
    found = []
    for result in (taken, other):
        output = result["mor_pet_occupancy"]
        t, y = np.asarray(output.time_h, dtype=np.float64), np.asarray(output.values, dtype=np.float64)
        grid = np.linspace(*when, 97)
        above = np.stack([np.interp(grid, t, row) for row in y]) >= target
        found.append(above.mean(axis=1) * (when[1] - when[0]))
    return np.asarray(found[0] - found[1])


def evidence_of(result: Result, output: str) -> dict[str, int]:
    """Count the numbers behind an output by their basis: reported, digitised, derived, fitted, assumed.

    Numbers of receptors do not affect plasma.
    """
    assert result.values is not None  # simulate gives them
    receptors = result.values.catalogue.receptors
    counts: dict[str, int] = {}
    for (owner, name), number in result.values.uses.numbers.items():
        if output.startswith("plasma_") and (owner == "endogenous" or any(r in name.split(".") for r in receptors)):
            continue
        counts[number.chosen.basis] = counts.get(number.chosen.basis, 0) + 1
    return {basis: counts[basis] for basis in BASES if basis in counts}


def protected(time_h: Floats, occupancy: Floats, last_dose_h: float, target: float) -> Floats:
    """Time until which occupancy is at or above the target after the last dose, shape (n,). [h]

    That is the last time at which it falls below the target; the time of the last dose if the target is never reached,
    and the end of the run if it does not fall below.
    """
    after = time_h >= last_dose_h
    t, y = time_h[after], occupancy[:, after]
    found = np.array([last_time_at(t, course, target) for course in y])
    return np.asarray(np.nan_to_num(found, nan=last_dose_h, posinf=float(t[-1])))


def check_shares(**values: float) -> None:
    """Raise InputError unless each value lies between 0 and 1, a relative error between 0 and 2."""
    for name, value in values.items():
        high = 2.0 if name == "error" else 1.0
        if not 0.0 < value < high:
            raise InputError(f"{name} is {value:g}; expected between 0 and {high:g}. Correct it.")
