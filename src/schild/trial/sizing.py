"""Sample size of a trial: power, assurance and precision of each endpoint.

Effects are computed in the same people in both arms, which makes them precise with few people; the planned trial has
different people in each arm, so its variance is that of two groups.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from schild import __version__
from schild.array_types import Floats
from schild.catalog import Catalogue, load
from schild.errors import InputError
from schild.figures import COLOURS, Chart, Picture
from schild.people import Given, Overrides
from schild.population import Population
from schild.results import Shown, cited, plain
from schild.trial.cautions import cautions
from schild.trial.endpoints import ENDPOINTS, endpoints_of, values
from schild.trial.kinds import Kind, unit_of_difference, words_of
from schild.trial.numbers import trial_numbers
from schild.trial.parts import run_parts, uses_of
from schild.trial.trialfile import Trial

LEVEL = 0.05
#: People for the effect; parameter sets, and people under each, for assurance; trials for simulated power.
PEOPLE, SETS, PER_SET, TRIALS = 2000, 40, 300, 2000
#: Endpoints of adherence or harm, which no trial is sized for.
_NO_OUTCOME = ("doses_taken", "inducted", "left", "nausea")
#: Largest number of people in each arm that is searched.
MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """People in each arm for one endpoint of one arm against the reference.

    ``difference`` with its Monte Carlo error ``mc_se``, in ``unit``; ``n``: people in each arm for the power asked for,
    by the closed form of the test, None where more than a million would do; ``n_low`` and ``n_high``: with the
    difference two Monte Carlo errors larger and smaller; ``power``: share of virtual trials of that size with p below
    0.05, with the error ``power_se``; ``assurance``: chance of that over the uncertainty of the numbers, at ``n``,
    with the error ``assurance_se``; ``n_assurance``: people in each arm for an assurance equal to the power asked
    for, None where no size gives it; ``highest``: limit of the assurance; ``half_width``: of the 95 % interval
    of the difference at ``n``.
    """

    name: str
    arm: str
    against: str
    unit: str
    difference: float
    mc_se: float
    n: int | None
    n_low: int | None
    n_high: int | None
    power: float | None
    power_se: float | None
    assurance: float | None
    assurance_se: float | None
    n_assurance: int | None
    highest: float
    half_width: float | None


@dataclass(frozen=True, kw_only=True, repr=False)
class Sizing(Shown):
    """Sizes of a trial by endpoint, those that need fewest people first."""

    trial: Trial
    target: float  #: Power asked for [1]
    rows: tuple[Needed, ...]
    manifest: Mapping[str, Any]
    sources: Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...]
    catalogue: Catalogue = field(repr=False)

    def fewest(self) -> list[str]:
        """Sentences on the outcome that needs fewest people, of all randomised and of those who had a first dose."""
        said = []
        for inducted, among in ((False, ""), (True, ", of those who had a first dose")):
            rows = [
                r for r in self.rows
                if r.n is not None and r.name.endswith("_inducted") is inducted and r.name not in _NO_OUTCOME
            ]  # fmt: skip
            if rows:
                n = "" if rows[0].n_assurance is None else f", {rows[0].n_assurance:,} for the same assurance"
                name = words_of(rows[0].name.removesuffix("_inducted"))
                said.append(f"Fewest people{among}: {name}, {rows[0].n:,} in each arm{n}.")
        if len(said) > 1:
            said.append(
                "Who had a first dose is known after randomisation only: comparisons among them are no test of the "
                "treatment. Their n counts all randomised."
            )
        return said or ["No outcome differs."]

    def about(self) -> str:
        """Describe the result in one line."""
        return f"people for {100 * self.target:g} % power; {self.trial.trial.title or 'a trial'}"

    def summary(self) -> list[dict[str, Any]]:
        """Return sizes as rows."""
        return [plain(asdict(row)) for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract as Python data."""
        return {
            "manifest": dict(self.manifest), "target": self.target, "level": LEVEL, "sizes": self.summary(),
            "warnings": list(self.warnings), "cite": cited(self.sources),
        }  # fmt: skip

    def picture(self) -> Picture:
        """Chart of people in each arm by endpoint, for power and for assurance, on a logarithmic scale."""
        shown = [row for row in self.rows if row.n is not None][:12]
        chart = Chart(0.0)
        chart.rows([words_of(row.name) for row in shown])
        for k, row in enumerate(shown):
            for x, colour, mark in ((row.n, COLOURS[0], "o"), (row.n_assurance, COLOURS[1], "s")):
                if x is not None:
                    chart.marks([x], [k], mark, color=colour, size=6.0)
        chart.x.log = True
        chart.x.label = f"people in each arm: circle, {100 * self.target:g} % power; square, assurance"
        return Picture([chart], caption="Fewest first.")


def size_cells(row: Needed) -> tuple[str, ...]:
    """Write a row for a table: endpoint, arm, difference, sizes with their errors."""

    def share(x: float | None, se: float | None) -> str:
        return "" if x is None else f"{100 * x:.0f} %" if se is None else f"{100 * x:.0f} (error {100 * se:.1f}) %"

    spread = "" if row.n_low is None else f" ({row.n_low:,} to {'more' if row.n_high is None else f'{row.n_high:,}'})"
    needed = f"none: at most {100 * row.highest:.0f} %" if row.n_assurance is None else f"{row.n_assurance:,}"
    unit = unit_of_difference(row.unit)
    return (
        words_of(row.name), row.arm, f"{row.difference:+.2f} ({row.mc_se:.2f}){unit}",
        "none" if row.n is None else f"{row.n:,}{spread}", share(row.power, row.power_se),
        share(row.assurance, row.assurance_se), needed,
        "" if row.half_width is None else f"±{row.half_width:.2g}{unit}",
    )  # fmt: skip


def power_of(kind: Kind, n: float, x: float, y: float, sd_x: float, sd_y: float) -> float:
    """Power of the trial's own test with ``n`` people in each arm, two-sided at 5 %, by its closed form.

    ``kind``: shares are tested with the pooled z test, others with Welch's; ``x`` and ``y``: expected values, shares in
    percent; ``sd_x`` and ``sd_y``: standard deviations of one person.

    >>> share, mean = Kind(unit="%", says="", share=True), Kind(unit="%", says="")
    >>> round(power_of(share, 392, 60.0, 50.0, 0.0, 0.0), 2), round(power_of(mean, 64, 0.5, 0.0, 1.0, 1.0), 2)
    (0.8, 0.8)
    """
    from scipy import stats  # half a second to import

    d = abs(x - y)
    if d == 0.0 or n < 2:
        return LEVEL
    if kind.share:
        p, q = x / 100.0, y / 100.0
        middle = (p + q) / 2.0
        null = math.sqrt(2.0 * middle * (1.0 - middle) / n)
        se = math.sqrt(max(p * (1.0 - p) + q * (1.0 - q), 1e-12) / n)
        z = stats.norm.ppf(1.0 - LEVEL / 2.0)
        return float(stats.norm.cdf((d / 100.0 - z * null) / se) + stats.norm.cdf((-d / 100.0 - z * null) / se))
    a, b = sd_x**2 / n, sd_y**2 / n
    if a + b == 0.0:
        return 1.0
    free = (a + b) ** 2 * (n - 1.0) / (a**2 + b**2)
    t, shift = stats.t.ppf(1.0 - LEVEL / 2.0, free), d / math.sqrt(a + b)
    if free > 300.0:  # nearly normal, and SciPy's noncentral t gives NaN in the far tail
        return float(stats.norm.cdf(shift - t) + stats.norm.cdf(-shift - t))
    return float(stats.nct.sf(t, free, shift) + stats.nct.cdf(-t, free, shift))


def _smallest(power: Callable[[float], float], target: float) -> int | None:
    """Smallest n with the power; None beyond ``MOST``."""
    from scipy.optimize import brentq

    if power(MOST) < target:
        return None
    if power(2) >= target:
        return 2
    low, high = math.log(2), math.log(MOST)
    return math.ceil(math.exp(float(brentq(lambda x: power(math.exp(x)) - target, low, high, xtol=1e-5))))


def simulated_power(kind: Kind, x: Floats, y: Floats, n: int) -> float:
    """Share of virtual trials with p below 0.05: ``n`` different people in each arm, drawn from those of a large trial.

    ``x`` and ``y``, shape (n_people,): values of people of each arm.
    """
    from scipy import stats

    rng = np.random.default_rng(1)
    count = 0
    for _ in range(TRIALS):
        a, b = x[rng.integers(0, x.size, n)], y[rng.integers(0, y.size, n)]
        d = float(a.mean() - b.mean())
        if kind.share:
            middle = (float(a.mean()) + float(b.mean())) / 200.0
            se = 100.0 * math.sqrt(2.0 * middle * (1.0 - middle) / n)
            count += se > 0.0 and abs(d) / se > 1.959963984540054
        else:
            u, v = float(a.var(ddof=1)) / n, float(b.var(ddof=1)) / n
            if u + v > 0.0:
                free = (u + v) ** 2 * (n - 1.0) / (u**2 + v**2)
                count += abs(d) / math.sqrt(u + v) > stats.t.ppf(1.0 - LEVEL / 2.0, free)
    return count / TRIALS


def _of_arms(trial: Trial, catalogue: Catalogue, given: Given, people: int, sets: int, progress: Any) -> list[Any]:
    """Values of people by set, arm and endpoint; the same people in every arm."""
    head = trial.trial.model_copy(
        update={"n": people, "replicates": sets, "people": "shared", "uncertainty": sets > 1,
                "between_trials": sets > 1 and trial.disorder == "alcohol"}
    )  # fmt: skip
    run = trial.model_copy(update={"trial": head})
    part = run_parts(run, catalogue=catalogue, overrides=given, progress=progress)
    found = []
    for r in range(sets):
        some, numbers = slice(r * people, (r + 1) * people), trial_numbers(run, catalogue, r, given)
        found.append([values(run, part.counts[some, k], part.people[some, k], numbers) for k in range(len(run.arm))])
    return found


def size_trial(
    trial: Trial | Mapping[str, Any],
    power: float = 0.8,
    *,
    endpoints: Sequence[str] = (),
    sets: int = SETS,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sizing:
    """Find the people that a trial needs in each arm, for each endpoint.

    Parameters
    ----------
    trial : Trial or mapping
        The planned trial; its ``n`` and ``replicates`` are ignored.
    power : float
        Power, and assurance, to look for. [1]
    endpoints : sequence of str
        Endpoints; all by default.
    sets : int
        Parameter sets for assurance; in trials of alcohol each with its own effect and response.
    catalogue, overrides, progress
        As for ``run_trial``.

    Returns
    -------
    Sizing
        Sizes by endpoint and arm, fewest people first.

    Raises
    ------
    InputError
        For an invalid power, an unknown endpoint, or a trial with one arm.

    Examples
    --------
    >>> trial = Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"}, weeks=4)
    >>> found = size_trial(trial, endpoints=["percent_heavy_drinking_days"], sets=4)
    >>> found.rows[0].n > 100
    True
    """
    trial = Trial.given(trial)
    catalogue = catalogue or load()
    trial = trial.by_key(catalogue)
    given = Overrides.of(overrides, catalogue)
    if not 0.05 < power < 1.0:
        raise InputError(f"A power of {power:g} was asked for; expected more than 0.05 and less than 1. Ask for 0.8.")
    if len(trial.arm) < 2:
        raise InputError("The trial has one arm; expected one to compare it with. Add an [[arm]].")
    known = endpoints_of(trial)
    if odd := [name for name in endpoints if name not in known]:
        raise InputError(f"{odd[0]!r} is not an endpoint of this trial; expected one of {', '.join(known)}.")
    at = trial.arm.index(trial.reference)
    typical = _of_arms(trial, catalogue, given, PEOPLE, 1, progress)[0]
    drawn = _of_arms(trial, catalogue, given, PER_SET, sets, progress)
    rows = [
        row
        for k, arm in enumerate(trial.arm)
        if k != at
        for name in (endpoints or known)
        if (row := _needed(name, arm.name, trial, typical[k], typical[at], [(s[k], s[at]) for s in drawn], power))
    ]
    rows.sort(key=lambda r: (r.n is None, r.n or 0))
    uses = uses_of(trial, catalogue, given)
    fixed = Population(n=1, fixed=trial.population.fixed).given
    manifest = {
        "schild": __version__, "trial": trial.said(), "people": PEOPLE, "sets": sets, "people_of_a_set": PER_SET,
        "virtual_trials": TRIALS, "numbers": dict(given), "catalogue": uses.digests(catalogue), **catalogue.stamp,
    }  # fmt: skip
    return Sizing(
        trial=trial, target=power, rows=tuple(rows), manifest=manifest, sources=uses.sources,
        warnings=(*cautions(trial, catalogue, given), *uses.unused(given, fixed)), catalogue=catalogue,
    )  # fmt: skip


def _needed(
    name: str,
    arm: str,
    trial: Trial,
    of_arm: Mapping[str, Floats],
    of_reference: Mapping[str, Floats],
    drawn: Sequence[tuple[Mapping[str, Floats], Mapping[str, Floats]]],
    target: float,
) -> Needed | None:
    kind = ENDPOINTS[name]
    x, y = of_arm[name], of_reference[name]
    both = np.isfinite(x) & np.isfinite(y)
    own_x, own_y = x[np.isfinite(x)], y[np.isfinite(y)]
    if own_x.size < 2 or own_y.size < 2:
        return None
    difference = float(own_x.mean() - own_y.mean())
    paired = both.sum() == own_x.size == own_y.size
    spread = (x[both] - y[both]).std(ddof=1) / math.sqrt(max(int(both.sum()), 1)) if both.sum() > 1 else math.nan
    mc = float(spread if paired else math.hypot(own_x.std(ddof=1) / math.sqrt(own_x.size),
                                                own_y.std(ddof=1) / math.sqrt(own_y.size)))  # fmt: skip
    # People without a value, such as those without a first dose, are randomised as well.
    share = min(own_x.size, own_y.size) / x.size
    mean_y, sd_x, sd_y = float(own_y.mean()), float(own_x.std(ddof=1)), float(own_y.std(ddof=1))

    def power(n: float, d: float = difference) -> float:
        return power_of(kind, n * share, mean_y + d, mean_y, sd_x, sd_y)

    def bounded(d: float) -> float:
        return min(max(d, -mean_y), 100.0 - mean_y) if kind.share else d

    n = _smallest(power, target)
    sign = math.copysign(1.0, difference)
    larger, smaller = (bounded(difference + k * sign * 2.0 * mc) for k in (1, -1))
    n_low = _smallest(lambda m: power(m, larger), target)
    n_high = _smallest(lambda m: power(m, smaller), target) if smaller * difference > 0 else None
    sets = []
    for a, b in drawn:
        u, v = (z[np.isfinite(z)] for z in (a[name], b[name]))
        if u.size > 1 and v.size > 1:
            sets.append((float(u.mean()), float(v.mean()), float(u.std(ddof=1)), float(v.std(ddof=1))))

    def each(m: float) -> Floats:
        # A set with an effect in the other direction counts as a failure, whatever its p.
        return np.array([
            power_of(kind, m * share, *s) if (s[0] - s[1]) * sign > 0 else LEVEL / 2.0 for s in sets
        ])  # fmt: skip

    highest = float(np.mean([(s[0] - s[1]) * sign > 0 for s in sets])) if sets else math.nan
    n_assurance = _smallest(lambda m: float(each(m).mean()), target) if sets and highest > target else None
    at_n = each(n) if n is not None and sets else None
    shown = simulated_power(kind, own_x, own_y, max(2, round(n * share))) if n is not None and n <= 20_000 else None
    slope = 0.0 if n is None else abs(power(n, bounded(difference + sign * mc)) - power(n))
    half = None
    if n is not None:
        half = float(1.96 * math.sqrt((sd_x**2 + sd_y**2) / max(n * share, 2.0)))
    return Needed(
        name=name, arm=arm, against=trial.reference.name, unit=kind.unit, difference=difference, mc_se=mc, n=n,
        n_low=n_low, n_high=n_high, power=shown,
        power_se=None if shown is None else math.hypot(math.sqrt(shown * (1.0 - shown) / TRIALS), slope),
        assurance=None if at_n is None else float(at_n.mean()),
        assurance_se=None if at_n is None else float(at_n.std(ddof=1) / math.sqrt(len(at_n))),
        n_assurance=n_assurance, highest=highest, half_width=half,
    )  # fmt: skip
