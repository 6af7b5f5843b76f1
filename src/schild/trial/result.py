"""Running a trial, and its result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from schild import __version__
from schild.array_types import Floats
from schild.catalog import Catalogue, load
from schild.figures import COLOURS, Chart, Picture, stairs
from schild.people import Given, Overrides, Uses
from schild.population import Population
from schild.results import Shown, plain
from schild.trial.cautions import cautions
from schild.trial.endpoints import (
    ENDPOINTS,
    Contrast,
    Endpoint,
    Survival,
    compare,
    describe,
    effect_only,
    endpoints_of,
    event_of,
    hazard_ratio,
    number_needed,
    survival,
    values,
)
from schild.trial.follow import COUNTS, Part, counts_of, people_of_part, weekly_of
from schild.trial.kinds import unit_of_difference, words_of
from schild.trial.numbers import trial_numbers
from schild.trial.partfile import part_digest
from schild.trial.parts import PEOPLE, run_parts, trial_key, uses_of
from schild.trial.trialfile import ESTIMANDS, MISSING, RULES_OF_ENDPOINTS, Trial

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Individual:
    """Difference of one person's heavy days between arms, with the same random numbers."""

    arm: str
    against: str
    #: Heavy days in the arm minus those in the reference arm, over the whole trial, observed or not; shape (n,)
    difference: Floats
    foreseen: float  #: Share of its variance that sex, drinking before treatment and release explain (linear) [1]

    def shares(self) -> tuple[float, float, float]:
        """Shares of people with fewer, as many and more heavy days. [1]"""
        d = self.difference
        return float((d < 0).mean()), float((d == 0).mean()), float((d > 0).mean())


@dataclass(frozen=True, kw_only=True, repr=False)
class TrialResult(Shown):
    """Result of a virtual trial."""

    trial: Trial  #: The trial that was run
    part: Part  #: Counts of every person in every arm
    endpoints: tuple[Endpoint, ...]  #: By arm
    contrasts: tuple[Contrast, ...]  #: Comparisons with the reference arm
    warnings: tuple[str, ...]  #: For the reader
    manifest: Mapping[str, Any]  #: Data needed to repeat the trial
    sources: Mapping[str, tuple[str, ...]]  #: Citation key to the numbers it is used for
    catalogue: Catalogue = field(repr=False)

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms."""
        return tuple(arm.name for arm in self.trial.arm)

    @cached_property
    def survival(self) -> dict[str, Survival]:
        """Kaplan-Meier of the first heavy day, or of relapse, in each arm, all replicates together."""
        return {name: survival(self.trial, self.part.counts[:, k]) for k, name in enumerate(self.arms)}

    @cached_property
    def individual(self) -> tuple[Individual, ...]:
        """Effect on each person, where arms share their people."""
        if self.trial.trial.people != "shared" or self.trial.disorder == "opioid":
            return ()
        at = self.arms.index(self.trial.reference.name)
        days = self.part.counts[:, :, COUNTS.index("all_heavy")].astype(np.float64)
        known = np.column_stack([np.ones(len(days)), self.part.people[:, at, :5]])
        found = []
        for k, name in enumerate(self.arms):
            if k == at:
                continue
            d = days[:, k] - days[:, at]
            fit = known @ np.linalg.lstsq(known, d, rcond=None)[0]
            explained = float(1.0 - (d - fit).var() / d.var()) if d.var() > 0 else 0.0
            found.append(Individual(arm=name, against=self.trial.reference.name, difference=d, foreseen=explained))
        return tuple(found)

    def endpoint(self, name: str, arm: str) -> Endpoint:
        """Return one endpoint of one arm."""
        return next(e for e in self.endpoints if (e.name, e.arm) == (name, arm))

    def contrast(self, name: str, arm: str, measure: str = "difference") -> Contrast:
        """Return the comparison of an arm with another for one endpoint."""
        return next(c for c in self.contrasts if (c.name, c.arm, c.measure) == (name, arm, measure))

    def about(self) -> str:
        """Describe the result in one line."""
        head = self.trial.trial
        return f"{head.title or 'a trial'}; arms {', '.join(self.arms)}; {head.n:,} people in each, {head.weeks} weeks"

    def summary(self) -> list[dict[str, Any]]:
        """Return endpoints as rows."""
        return [plain(asdict(e)) for e in self.endpoints]

    def comparisons(self) -> list[dict[str, Any]]:
        """Return comparisons as rows."""
        return [plain(asdict(c)) for c in self.contrasts]

    def comparison_cells(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        """Write the comparisons of some endpoints for a table, one row for each endpoint and arm.

        Cells are endpoint, arm, difference, risk or hazard ratio, number needed to treat, and p (over replicates the
        power), each with its 95 % limits, or with its Monte Carlo error where there are no limits.
        """
        by = {(c.name, c.arm, c.measure): c for c in self.contrasts}
        rows: list[tuple[str, ...]] = []
        for arm in self.arms:
            for name in names:
                difference, needed = (by.get((name, arm, m)) for m in ("difference", "number_needed"))
                ratio = by.get((name, arm, "risk_ratio")) or by.get((name, arm, "hazard_ratio"))
                first = difference or ratio
                if first is None:
                    continue
                digits = ENDPOINTS[name].digits if name in ENDPOINTS else 2
                tested = "" if first.p is None else f"{first.p:.2g}" if first.p >= 0.0001 else "<0.0001"
                tested = tested if first.power is None else f"{100 * first.power:.0f} %"
                rows.append((words_of(name), arm, _cell(difference, digits), _cell(ratio, 2), _cell(needed, 1), tested))
        return rows

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each person and arm."""
        import pandas as pd

        n = len(self.part.counts)
        frames = [
            pd.DataFrame(
                {"person": np.arange(n), "arm": name}
                | {column: self.part.people[:, at, k] for k, column in enumerate(people_of_part(self.trial))}
                | {column: self.part.counts[:, at, k] for k, column in enumerate(counts_of(self.trial))}
            )
            for at, name in enumerate(self.arms)
        ]
        return pd.concat(frames, ignore_index=True)

    def weekly(self) -> dict[str, dict[str, Floats]]:
        """Return shares of each week by arm.

        Alcohol: none, low, heavy of days seen; seen and in treatment, of all days; mean evening occupancy. Opioids:
        use, seen and in treatment, of all days; urines positive and negative, of people; mean occupancy by the
        treatment, craving and COWS; overdose ratio.
        """
        found = {}
        days = 7.0 * len(self.part.counts)
        for k, name in enumerate(self.arms):
            w = {column: self.part.weekly[k, :, j] for j, column in enumerate(weekly_of(self.trial))}
            if self.trial.disorder == "opioid":
                by_days = {column: w[column] / days for column in ("seen", "on", "used")}
                found[name] = by_days | {column: 7.0 * w[column] / days for column in w if column not in by_days}
                found[name]["overdose"] /= 28.0
                continue
            seen = np.maximum(w["seen"], 1.0)
            found[name] = {
                "none": 1.0 - w["drinking"] / seen,
                "low": (w["drinking"] - w["heavy"]) / seen,
                "heavy": w["heavy"] / seen,
                "seen": w["seen"] / days,
                "on": w["on"] / days,
                "occupancy": w["occupancy"] / days,
            }
        return found

    def picture(self) -> Picture:
        """Kaplan-Meier curves of the trial's time, with pointwise 95 % bands."""
        chart = Chart(250.0)
        for k, (name, s) in enumerate(self.survival.items()):
            day = np.concatenate([[0.0], s.time_day, [float(self.trial.days)]])
            share, se = np.r_[1.0, s.share], np.r_[0.0, s.se]  # no further steps where nobody had the event
            share, se = np.r_[share, share[-1]], np.r_[se, se[-1]]
            x, y, low, high = stairs(day, share, *(np.clip(share + z * se, 0, 1) for z in (-1.96, 1.96)))
            chart.line(x, y, color=COLOURS[k % len(COLOURS)], label=name)
            chart.band(x, low, high, color=COLOURS[k % len(COLOURS)])
        chart.x.label, chart.y.label = "day of treatment", f"share without {event_of(self.trial)[1]}"
        chart.x.lim, chart.y.lim, chart.legend = (0.0, self.trial.days), (0.0, 1.0), "below"
        return Picture([chart], caption="Kaplan-Meier with pointwise 95 % bands.")

    def content(self) -> dict[str, Any]:
        """Return endpoints, comparisons and survival."""
        return {
            "endpoints": self.summary(),
            "contrasts": self.comparisons(),
            event_of(self.trial)[0]: [
                {"arm": name, "median_day": s.median, "low": s.low, "high": s.high} for name, s in self.survival.items()
            ],
        }


def _cell(c: Contrast | None, digits: int) -> str:
    """Write one comparison: estimate, its limits or else its error, and the unit of a difference."""
    if c is None or c.estimate is None:
        return ""
    unit = unit_of_difference(c.unit)

    def said(x: float) -> str:
        return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.{digits}f}"

    if c.low is not None and c.high is not None:
        return f"{said(c.estimate)} ({said(c.low)} to {said(c.high)}){unit}"
    error = "" if c.mc_se is None or not math.isfinite(c.mc_se) else f" (error {c.mc_se:.{digits + 1}f})"
    return f"{said(c.estimate)}{error}{unit}"


def run_trial(
    trial: Trial | Mapping[str, Any],
    *,
    out: str | Path | None = None,
    workers: int = 1,
    cluster: str | None = None,
    people: int = PEOPLE,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> TrialResult:
    """Run a virtual trial.

    Parameters
    ----------
    trial : Trial or mapping
        The trial to run.
    out : path-like, optional
        Folder in which parts are kept, so that an interrupted trial continues where it stopped.
    workers : int
        Number of processes; it never changes a result.
    cluster : str, optional
        Address of a Dask scheduler, ``"tls://host:8786"``, in place of processes; ``out`` is then a folder that all its
        machines share.
    people : int
        People of a part; it bounds the memory and never changes a result.
    catalogue : Catalogue, optional
        Another catalogue than the built-in one.
    overrides : mapping, optional
        Numbers in place of the catalogue's, as for ``simulate``: ``"trial.<number>"``, ``"alcohol.<number>"``, ...
    progress : callable, optional
        Called with the number of people done and their total.

    Returns
    -------
    TrialResult
        Endpoints, comparisons, survival.

    Raises
    ------
    InputError
        For a trial that cannot be run, or if statsmodels is missing.

    Examples
    --------
    >>> found = run_trial(Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"}, n=200, weeks=4))
    >>> found.contrast("percent_heavy_drinking_days", "a").estimate < 0
    True
    """
    trial = Trial.given(trial)
    catalogue = catalogue or load()
    trial = trial.by_key(catalogue)
    given = Overrides.of(overrides, catalogue)
    describe("left", "", np.zeros(2))  # reports at once if statsmodels is missing
    folder = None if out is None else Path(out)
    uses = uses_of(trial, catalogue, given)
    again: list[str] = []
    part = run_parts(
        trial, out=folder, workers=workers, cluster=cluster, people=people, catalogue=catalogue, overrides=given,
        progress=progress, say=again.append,
    )  # fmt: skip
    endpoints, contrasts = analyse(trial, part, catalogue, given, uses=uses)
    fixed = Population(n=1, fixed=trial.population.fixed).given
    return TrialResult(
        trial=trial,
        part=part,
        endpoints=endpoints,
        contrasts=contrasts,
        warnings=(
            *cautions(trial, catalogue, given),
            *again,
            *_not_estimable(trial, endpoints, contrasts),
            *uses.unused(given, fixed),
        ),
        manifest={
            "schild": __version__,
            "trial": trial.said(),
            "key": trial_key(trial, catalogue, given),
            "catalogue": uses.digests(catalogue),
            **catalogue.stamp,
            "people": trial.size,
            "estimand": ESTIMANDS[trial.trial.estimand],
            "missing": RULES_OF_ENDPOINTS if trial.disorder == "opioid" else MISSING[trial.trial.missing],
            "numbers": dict(given),
            "people_hash": part_digest(part),
        },
        sources=uses.sources,
        catalogue=catalogue,
    )


def analyse(
    trial: Trial,
    part: Part,
    catalogue: Catalogue,
    overrides: Given | None = None,
    names: Sequence[str] | None = None,
    *,
    time: bool = True,
    uses: Uses | None = None,
) -> tuple[tuple[Endpoint, ...], tuple[Contrast, ...]]:
    """Estimate endpoints and comparisons; over replicates, their mean and the middle 95 %."""
    per = list(analyse_each(trial, part, catalogue, overrides, names, time=time, uses=uses))
    if trial.trial.replicates == 1:
        return tuple(per[0][0]), tuple(per[0][1])
    return _over_endpoints([p[0] for p in per]), _over_contrasts([p[1] for p in per], trial.trial.people == "shared")


def analyse_each(
    trial: Trial,
    part: Part,
    catalogue: Catalogue,
    overrides: Given | None = None,
    names: Sequence[str] | None = None,
    *,
    time: bool = True,
    uses: Uses | None = None,
) -> Iterator[tuple[list[Endpoint], list[Contrast]]]:
    """Estimate endpoints and comparisons of each replicate."""
    n = trial.trial.n
    names = endpoints_of(trial) if names is None else names
    paired = trial.trial.people == "shared"
    at = trial.arm.index(trial.reference)
    for r in range(trial.trial.replicates):
        some = slice(r * n, (r + 1) * n)
        numbers = trial_numbers(trial, catalogue, r, overrides, uses=uses)
        of = [values(trial, part.counts[some, k], part.people[some, k], numbers) for k in range(len(trial.arm))]
        endpoints = [describe(name, arm.name, of[k][name]) for name in names for k, arm in enumerate(trial.arm)]
        contrasts: list[Contrast] = []
        for k, arm in enumerate(trial.arm):
            if k == at:
                continue
            for name in names:
                contrasts += compare(name, arm.name, trial.reference.name, of[k][name], of[at][name], paired=paired)
            if not time:
                continue
            both = part.counts[some, k], part.counts[some, at]
            if hazard := hazard_ratio(trial, arm.name, trial.reference.name, *both):
                contrasts.append(effect_only(hazard) if paired else hazard)
        yield endpoints, contrasts


def _over_endpoints(per: list[list[Endpoint]]) -> tuple[Endpoint, ...]:
    found = []
    for group in zip(*per, strict=True):
        x = np.array([e.estimate for e in group])
        x = x[np.isfinite(x)]
        if not x.size:
            found.append(group[0])
            continue
        low, high = np.quantile(x, [0.025, 0.975])
        se = float(x.std(ddof=1) / math.sqrt(x.size)) if x.size > 1 else math.nan
        found.append(
            replace(group[0], estimate=float(x.mean()), low=float(low), high=float(high), mc_se=se,
                    n=int(sum(e.n for e in group)))
        )  # fmt: skip
    return tuple(found)


def _over_contrasts(per: list[list[Contrast]], paired: bool) -> tuple[Contrast, ...]:
    groups: dict[tuple[str, str, str], list[Contrast]] = {}
    for some in per:
        for c in some:
            groups.setdefault((c.name, c.arm, c.measure), []).append(c)
    found: list[Contrast] = []
    for (name, arm, measure), group in groups.items():
        p = np.array([math.nan if c.p is None else c.p for c in group])
        power = float(np.mean(p[np.isfinite(p)] < 0.05)) if np.isfinite(p).any() else None
        if measure == "number_needed":
            # A number needed has no mean over trials: near a difference of zero it is infinite.
            d = next(c for c in found if (c.name, c.arm, c.measure) == (name, arm, "difference"))
            assert d.estimate is not None
            assert d.low is not None
            assert d.high is not None
            needed = number_needed(ENDPOINTS[name], d.estimate, d.low, d.high)
            found.append(replace(group[0], **needed, p=None, power=power, mc_se=None))
            continue
        x = np.array([math.nan if c.estimate is None else c.estimate for c in group])
        x = x[np.isfinite(x)]
        if not x.size:
            continue
        low, high = (float(v) for v in np.quantile(x, [0.025, 0.975]))
        centre = float(np.exp(np.log(x).mean())) if measure.endswith("ratio") and (x > 0).all() else float(x.mean())
        se = float(x.std(ddof=1) / math.sqrt(x.size)) if x.size > 1 else None
        found.append(replace(group[0], estimate=centre, low=low, high=high, p=None, mc_se=se, power=power))
    return tuple(effect_only(c) for c in found) if paired else tuple(found)


def _not_estimable(trial: Trial, endpoints: Sequence[Endpoint], contrasts: Sequence[Contrast]) -> list[str]:
    """Warnings of endpoints without an estimate or without spread, with the reason."""
    said = []
    for name in dict.fromkeys(e.name for e in endpoints):
        of = [e for e in endpoints if e.name == name]
        if none := [e.arm for e in of if not math.isfinite(e.estimate)]:
            said.append(
                f"{name} is not estimable in {', '.join(none)}: nobody has a value ({ENDPOINTS[name].says}), so there "
                "is no comparison."
            )
        same = [e.arm for e in of if e.mc_se == 0.0 and not ENDPOINTS[name].share and trial.trial.replicates == 1]
        if same:
            said.append(f"{name} is the same for everybody in {', '.join(same)}: its interval has no width.")
    if len(trial.arm) > 1:
        known = {c.arm for c in contrasts if c.measure == "hazard_ratio" and c.estimate is not None}
        if missing := [a.name for a in trial.arm if a.name not in known and a is not trial.reference]:
            what = "relapse" if trial.disorder == "opioid" else "the first heavy day"
            said.append(
                f"The hazard ratio of {what} is not estimable for {', '.join(missing)}: in one of the arms nobody had "
                "the event, or all times are equal."
            )
    return said
