"""Standard endpoints from counts of people: definitions, estimates, comparisons, survival."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from schild.array_types import Floats
from schild.errors import needed
from schild.trial.follow import COUNTS, LAST, counts_of
from schild.trial.kinds import Kind
from schild.trial.numbers import TrialNumbers
from schild.trial.opioid_part import OPIOID_ENDPOINTS, opioid_times, opioid_values
from schild.trial.people import BASELINE_DAYS
from schild.trial.trialfile import Trial

LEVEL = 0.05


#: Endpoints of trials of alcohol use disorder by name. Shares are in percent of people.
ALCOHOL_ENDPOINTS: Mapping[str, Kind] = {
    "percent_drinking_days": Kind(unit="%", says="days with drinking, of days seen"),
    "percent_heavy_drinking_days": Kind(unit="%", says="heavy drinking days, of days seen"),
    "drinks_per_drinking_day": Kind(unit="drinks", says="drinks on a day with drinking, of people who drank"),
    "alcohol_per_day": Kind(unit="g", says="mean alcohol of a day"),
    "any_drinking": Kind(unit="%", says="at least one day with drinking", share=True),
    "return_to_heavy_drinking": Kind(unit="%", says="at least one heavy drinking day", share=True),
    "abstinence": Kind(unit="%", says="no day with drinking", share=True, good=True),
    "no_heavy_drinking_days": Kind(unit="%", says="no heavy drinking day", share=True, good=True),
    "last4_abstinence": Kind(unit="%", says="no drinking in the last four weeks", share=True, good=True),
    "last4_no_heavy": Kind(unit="%", says="no heavy day in the last four weeks", share=True, good=True),
    "last4_who1": Kind(
        unit="%", says="WHO risk level at least one lower in the last four weeks", share=True, good=True
    ),
    "last4_who2": Kind(
        unit="%", says="WHO risk level at least two lower in the last four weeks", share=True, good=True
    ),
    "doses_taken": Kind(unit="%", says="doses taken, of those due", good=True),
    "nausea": Kind(unit="%", says="nausea", share=True),
    "left": Kind(unit="%", says="left before the end", share=True),
}
#: Every endpoint of either disorder.
ENDPOINTS: Mapping[str, Kind] = {**ALCOHOL_ENDPOINTS, **OPIOID_ENDPOINTS}
_OPIOID = (*OPIOID_ENDPOINTS, "doses_taken", "left")


def endpoints_of(trial: Trial) -> tuple[str, ...]:
    """Name the endpoints of a trial."""
    return _OPIOID if trial.disorder == "opioid" else tuple(ALCOHOL_ENDPOINTS)


def event_of(trial: Trial) -> tuple[str, str]:
    """Name of the time whose survival is estimated, and its event in words."""
    if trial.disorder == "opioid":
        return "time_to_relapse", "relapse"
    return "time_to_first_heavy_day", "a heavy drinking day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint in one arm; ``low`` and ``high`` are 95 % limits, ``mc_se`` is the Monte Carlo error."""

    name: str
    arm: str
    unit: str
    estimate: float
    low: float
    high: float
    mc_se: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One comparison with the reference arm.

    ``measure`` is ``difference``, ``risk_ratio``, ``number_needed`` (above 0 to benefit one, below 0 to harm one; its
    limits are None where the interval of the difference holds 0) or ``hazard_ratio``. Over replicates, estimate is
    their mean (of a number needed: from the mean difference), limits hold 95 % of them, ``p`` is None and ``power`` the
    share with p below 0.05. Where both arms are the same people there are no limits, no p and no power.
    """

    name: str
    arm: str
    against: str
    measure: str
    unit: str
    estimate: float | None
    low: float | None
    high: float | None
    p: float | None
    mc_se: float | None
    power: float | None = None


def risk_level(grams: Floats, female: NDArray[np.bool_], numbers: TrialNumbers) -> NDArray[np.int64]:
    """Level of risk by mean alcohol of a day: 0 none, 1 low, 2 medium, 3 high, 4 very high [WHO2000].

    ``grams``: mean alcohol of a day [g]; ``female``: women have other limits; ``numbers``: upper ends of the
    levels.

    >>> from schild.catalog import load
    >>> from schild.trial.numbers import trial_numbers
    >>> numbers = trial_numbers(Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"}), load())
    >>> risk_level(np.array([0.0, 20.0, 41.0, 61.0]), np.array([True, True, True, False]), numbers).tolist()
    [0, 1, 3, 3]
    """
    level = (grams > 0.0).astype(np.int64)
    for name in ("low", "medium", "high"):
        top = np.where(female, numbers[f"who.{name}.female"], numbers[f"who.{name}.male"])
        level += grams > top + 1e-9  # a mean that equals the limit up to rounding is at the limit
    return level


#: People whose endpoints are computed at a time: bounds the memory, changes no result.
_BLOCK = 100_000


def values(trial: Trial, counts: NDArray[np.int32], people: Floats, numbers: TrialNumbers) -> dict[str, Floats]:
    """Endpoints of each person of one arm, by the trial's rule for missing days.

    ``counts``, shape (n, n_counts): of ``follow``, of the arm; ``people``, shape (n, 6): of ``follow``, of the arm;
    ``numbers``: levels, and alcohol of a drink. Returns shares as 0 or 100; NaN for people who do not count, shape
    (n,).
    """
    some = [slice(k, k + _BLOCK) for k in range(0, max(len(counts), 1), _BLOCK)]
    found = [_values(trial, counts[k], people[k], numbers) for k in some]
    return found[0] if len(found) == 1 else {name: np.concatenate([f[name] for f in found]) for name in found[0]}


def _values(trial: Trial, counts: NDArray[np.int32], people: Floats, numbers: TrialNumbers) -> dict[str, Floats]:
    c = {
        name: counts[:, k].astype(np.float64) for k, name in enumerate(counts_of(trial)) if not name.startswith("week_")
    }
    days, rule = trial.days, trial.trial.missing
    if trial.disorder == "opioid":
        with np.errstate(divide="ignore", invalid="ignore"):
            taken = np.where(c["due"] > 0, 100.0 * c["taken"] / c["due"], np.nan)
        return opioid_values(trial, counts) | {"doses_taken": taken, "left": 100.0 * (c["leave"] < days)}
    female = people[:, 0] > 0.5
    # A missing day has the drinks of the person's drinking day before treatment, or the least of a heavy day.
    limit = np.where(female, numbers["limit.female"], numbers["limit.male"])
    usual = np.maximum(people[:, 3] / np.maximum(people[:, 1], 1.0), limit)

    def over(head: str, length: int) -> tuple[Floats, Floats, Floats, Floats, Any]:
        """Days seen, with drinking, and heavy; drinks; and who fails for missing days."""
        seen, drinking, heavy, drinks = (c[f"{head}{k}"] for k in ("seen", "drinking", "heavy", "drinks"))
        missing = length - seen
        if rule == "heavy":
            whole = np.full_like(seen, length)
            return whole, drinking + missing, heavy + missing, drinks + missing * usual, whole < 0
        return seen, drinking, heavy, drinks, (missing > 0) & (rule == "nonresponder")

    seen, drinking, heavy, drinks, fails = over("", days)
    last_seen, last_drinking, last_heavy, last_drinks, last_fails = over("last_", LAST)

    def yes(which: NDArray[np.bool_], among: Floats) -> Floats:
        shown = 100.0 * which.astype(np.float64)
        return np.where(among > 0, shown, np.nan) if rule == "observed" else shown

    before = risk_level(numbers.drink_g * people[:, 3] / BASELINE_DAYS, female, numbers)
    with np.errstate(divide="ignore", invalid="ignore"):
        grams = numbers.drink_g * last_drinks / last_seen
        fall = before - risk_level(np.nan_to_num(grams), female, numbers)
        found = {
            "percent_drinking_days": 100.0 * drinking / seen,
            "percent_heavy_drinking_days": 100.0 * heavy / seen,
            "drinks_per_drinking_day": drinks / drinking,
            "alcohol_per_day": numbers.drink_g * drinks / seen,
            "any_drinking": yes((drinking > 0) | fails, seen),
            "return_to_heavy_drinking": yes((heavy > 0) | fails, seen),
            "abstinence": yes((drinking == 0) & ~fails, seen),
            "no_heavy_drinking_days": yes((heavy == 0) & ~fails, seen),
            "last4_abstinence": yes((last_drinking == 0) & ~last_fails, last_seen),
            "last4_no_heavy": yes((last_heavy == 0) & ~last_fails, last_seen),
            "last4_who1": yes((fall >= 1) & ~last_fails, last_seen),
            "last4_who2": yes((fall >= 2) & ~last_fails, last_seen),
            "doses_taken": 100.0 * c["taken"] / c["due"],
            "nausea": 100.0 * c["nausea"],
            "left": 100.0 * (c["leave"] < days),
        }
    return {name: np.where(np.isfinite(v), v, np.nan) for name, v in found.items()}


def _stats() -> Any:
    names = ("statsmodels.api", "statsmodels.stats.proportion", "statsmodels.stats.weightstats")
    return needed("stats", "The analysis of a trial", *names)[1:]


def describe(name: str, arm: str, x: Floats) -> Endpoint:
    """Estimate one endpoint in one arm with its 95 % interval.

    Shares of people have Wilson's interval; mean percentages that of fractional logistic regression, which is skewed as
    they are and stays within 0 to 100; other means the t interval.
    """
    proportion, weightstats = _stats()
    kind = ENDPOINTS[name]
    x = x[np.isfinite(x)]
    n = int(x.size)
    if n == 0:
        return Endpoint(
            name=name, arm=arm, unit=kind.unit, estimate=math.nan, low=math.nan, high=math.nan, mc_se=math.nan, n=0
        )
    mean = float(x.mean())
    se = float(x.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    if kind.share:
        low, high = (100.0 * float(v) for v in proportion.proportion_confint(round(mean * n / 100), n, method="wilson"))
    elif se > 0.0 and kind.unit == "%":
        low, high = _fractional(mean, se, n)
    elif se > 0.0:
        low, high = (float(v) for v in weightstats.DescrStatsW(x).tconfint_mean(LEVEL))
    else:
        low = high = mean
    return Endpoint(name=name, arm=arm, unit=kind.unit, estimate=mean, low=low, high=high, mc_se=se, n=n)


def _fractional(mean: float, se: float, n: int) -> tuple[float, float]:
    """Limits of a mean percentage with the standard error ``se``, computed in log odds.

    Those of a quasi-binomial regression without covariates (Papke and Wooldridge 1996, J Appl Econometrics 11:619),
    with the robust standard error and n - 1 degrees of freedom.
    """
    share = mean / 100.0
    half = float(special.stdtrit(n - 1, 1.0 - LEVEL / 2.0)) * se / 100.0 / (share * (1.0 - share))
    low, high = 100.0 * special.expit(special.logit(share) + np.array([-half, half]))
    return float(low), float(high)


def effect_only(c: Contrast) -> Contrast:
    """Keep what is valid where both arms have the same people: the estimate, and its Monte Carlo error."""
    return replace(c, low=None, high=None, p=None, power=None)


def _paired_error(x: Floats, y: Floats) -> float:
    """Standard error of the mean of each person's own difference."""
    both = np.isfinite(x) & np.isfinite(y)
    n = int(both.sum())
    return float((x[both] - y[both]).std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan


def compare(
    name: str, arm: str, against: str, x: Floats, y: Floats, *, paired: bool, mc_se: float = math.nan
) -> list[Contrast]:
    """Compare an arm with the reference arm.

    ``arm`` and ``against``: names of the arms; ``x`` and ``y``, shape (n,): values of the people of each; ``paired``:
    whether both are the same people. Then only the estimate and its Monte Carlo error are given, which is that of
    the differences within people: tests and intervals for two groups do not hold for one group that is counted twice.
    Returns difference; for shares also risk ratio and number needed to treat.
    """
    if paired:
        return [effect_only(c) for c in compare(name, arm, against, x, y, paired=False, mc_se=_paired_error(x, y))]
    proportion, weightstats = _stats()
    kind = ENDPOINTS[name]
    x, y = x[np.isfinite(x)], y[np.isfinite(y)]
    if x.size < 2 or y.size < 2:
        return []
    difference = float(x.mean() - y.mean())
    spread = math.sqrt(x.var(ddof=1) / x.size + y.var(ddof=1) / y.size)
    mc = mc_se if math.isfinite(mc_se) else spread
    made: dict[str, Any] = {"name": name, "arm": arm, "against": against}
    if not kind.share:
        if spread == 0.0:
            low = high = difference
            p = 1.0 if difference == 0.0 else 0.0
        else:
            means = weightstats.CompareMeans(weightstats.DescrStatsW(x), weightstats.DescrStatsW(y))
            low, high = (float(v) for v in means.tconfint_diff(LEVEL, usevar="unequal"))
            p = float(means.ttest_ind(usevar="unequal")[1])
        return [
            Contrast(
                **made, measure="difference", unit=kind.unit, estimate=difference, low=low, high=high, p=p, mc_se=mc
            )
        ]
    a, n_a, b, n_b = round(x.sum() / 100), x.size, round(y.sum() / 100), y.size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # full cells: limits may be infinite, and become None
        low, high = (
            100.0 * float(v)
            for v in proportion.confint_proportions_2indep(a, n_a, b, n_b, compare="diff", method="newcomb")
        )
        ratio_low = ratio_high = math.nan  # no limits where nobody in an arm has the outcome
        if a and b:
            ratio_low, ratio_high = proportion.confint_proportions_2indep(a, n_a, b, n_b, compare="ratio", method="log")
        p = float(proportion.proportions_ztest([a, b], [n_a, n_b])[1]) if 0 < a + b < n_a + n_b else 1.0
    ratio = (a / n_a) / (b / n_b) if b else None
    return [
        Contrast(**made, measure="difference", unit="%", estimate=difference, low=low, high=high, p=p, mc_se=mc),
        Contrast(
            **made, measure="risk_ratio", unit="1", estimate=ratio, low=_finite(ratio_low), high=_finite(ratio_high),
            p=p, mc_se=None,
        ),
        Contrast(
            **made, measure="number_needed", unit="people", p=p, mc_se=None,
            **number_needed(kind, difference, low, high),
        ),
    ]  # fmt: skip


def number_needed(kind: Kind, difference: float, low: float, high: float) -> dict[str, Any]:
    """People treated for one more who gains, from a difference of shares and its limits. [percent of people]

    Where nobody gains there is no estimate; where the interval of the difference holds 0 there are no limits.

    >>> number_needed(Kind(unit="%", says="", share=True, good=True), 12.5, 10.0, 20.0)
    {'estimate': 8.0, 'low': 5.0, 'high': 10.0}
    """
    gain, *ends = (x if kind.good else -x for x in (difference, low, high))
    estimate = 100.0 / gain if abs(gain) > 1e-9 else None  # a sum of shares that cancel leaves a rounding error
    worst, best = sorted(ends)
    if not (worst > 0.0 or best < 0.0):
        return {"estimate": estimate, "low": None, "high": None}
    return {"estimate": estimate, "low": 100.0 / best, "high": 100.0 / worst}


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) and value > 0.0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """Time to the first heavy drinking day, or to relapse, in one arm: Kaplan-Meier."""

    #: Steps: day, share without the event so far, standard error
    time_day: Floats
    share: Floats
    se: Floats
    #: Median day and its 95 % interval, None where not reached
    median: float | None
    low: float | None
    high: float | None


def times_of(trial: Trial, counts: NDArray[np.int32]) -> tuple[Floats, NDArray[np.int64]]:
    """Days to the first heavy day or to relapse, and whether it occurred; missing days by the trial's rule."""
    if trial.disorder == "opioid":
        return opioid_times(trial, counts)
    seen, first = (counts[:, COUNTS.index(k)].astype(np.int64) for k in ("seen", "first_heavy"))
    came = first >= 0
    if trial.trial.missing == "heavy":
        gone = ~came & (seen < trial.days)
        came, first = came | gone, np.where(gone, seen, first)
    # Day 1 is the first day; a person who was never observed is censored at once.
    return np.where(came, first + 1, np.maximum(seen, 0.5)).astype(np.float64), came.astype(np.int64)


def survival(trial: Trial, counts: NDArray[np.int32]) -> Survival:
    """Kaplan-Meier of the trial's time (statsmodels); the median is the first day with at most half."""
    _stats()
    from statsmodels.duration.survfunc import SurvfuncRight

    time, came = times_of(trial, counts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = SurvfuncRight(time, came)
        # The first day on which at most half are left; statsmodels asks for less than half, as SAS does.
        half = np.flatnonzero(np.asarray(found.surv_prob) <= 0.5 + 1e-12)
        median = float(found.surv_times[half[0]]) if half.size else None
        low, high = found.quantile_ci(0.5) if came.any() else (math.nan, math.nan)
        se = np.nan_to_num(np.asarray(found.surv_prob_se, dtype=np.float64))
    return Survival(
        time_day=np.asarray(found.surv_times, dtype=np.float64),
        share=np.asarray(found.surv_prob, dtype=np.float64),
        se=se,
        median=median,
        low=_finite(low),
        high=_finite(high),
    )


def hazard_ratio(trial: Trial, arm: str, against: str, x: NDArray[np.int32], y: NDArray[np.int32]) -> Contrast | None:
    """Cox's hazard ratio of the trial's time with the log-rank p (statsmodels); None where it is not estimable.

    Days are whole, and weeks of urine are few, so many people share a time: ties by Efron's method.
    """
    _stats()
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.duration.survfunc import survdiff

    (t_x, e_x), (t_y, e_y) = times_of(trial, x), times_of(trial, y)
    if not e_x.any() or not e_y.any():
        return None
    time, came = np.concatenate([t_x, t_y]), np.concatenate([e_x, e_y])
    group = np.repeat([1.0, 0.0], [t_x.size, t_y.size])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = PHReg(time, group[:, None], status=came, ties="efron").fit(disp=0)
            ratio, low, high = (float(v) for v in np.exp([fit.params[0], *fit.conf_int()[0]]))
            p = float(survdiff(time, came, group)[1])
        except np.linalg.LinAlgError:
            return None
    if not np.isfinite([ratio, low, high, p]).all():
        return None
    return Contrast(
        name=event_of(trial)[0], arm=arm, against=against, measure="hazard_ratio", unit="1",
        estimate=ratio, low=low, high=high, p=p, mc_se=None,
    )  # fmt: skip
