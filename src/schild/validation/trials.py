"""Published trials of alcohol use disorder compared with virtual ones; criteria in docs/design/trial.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.catalog import Catalogue, Observation, load
from schild.errors import InputError
from schild.trial.endpoints import ENDPOINTS, values
from schild.trial.follow import COUNTS
from schild.trial.numbers import trial_numbers
from schild.trial.parts import run_parts
from schild.trial.trialfile import Trial, arm_of
from schild.validation.withdrawal import Statement

STUDY = "alcohol_trials"
#: People behind an expected value and virtual trials behind the interval of a single one, and of a quick validation.
WHOLE, QUICK = (8000, 200), (1500, 20)
#: Reviews: their expected value must lie in the printed interval; all others are single trials.
REVIEWS = ("Roesner2010", "Jonas2014", "McPheeters2023")
#: First words of the observables of trials: a value of one arm, or a comparison of the two.
MEASURES = ("placebo", "active", "difference", "risk_ratio", "rate_ratio", "odds_ratio", "number_needed")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStatement(Statement):
    """A published trial or review and its prediction.

    ``single`` trials hold where the observed value lies in the middle 95 % of virtual trials of that size; reviews and
    fitted rows where the expected value lies in the printed interval, or within 1.96 standard errors.

    >>> from schild.catalog import load
    >>> rows = {o.id: o for o in load().studies[STUDY].observations}
    >>> row = rows["anton1999_relapse"]
    >>> one = TrialStatement(observation=row, table=STUDY, predicted=8, low=-11, high=34, people=9, single=True)
    >>> one.holds, one.window
    (True, 'observed 22 % in the middle 95 % of such trials')
    """

    single: bool = False

    @property
    def wanted(self) -> tuple[float, float]:
        """The printed interval, or 1.96 standard errors; for a single trial the middle 95 % of virtual ones."""
        o = self.observation
        if self.single:
            return self.low, self.high
        if o.low is not None and o.high is not None:
            return o.low, o.high
        half = 1.96 * float(o.sd_fixed or 0.0)
        return o.value - half, o.value + half

    @property
    def judged(self) -> float:
        """The observed value of a single trial, the expected one otherwise."""
        return self.observation.value if self.single else self.predicted

    @property
    def size(self) -> float:
        """Distance to the window as a share of the observed value, for sorting."""
        return self.miss / max(abs(self.observation.value), 0.1)

    @property
    def words(self) -> str:
        """Subject of the row."""
        measure, _, name = self.observation.observable.partition(":")
        weeks = (self.observation.time_h or 0.0) / 168.0
        what = f"{measure.replace('_', ' ')}: {name.replace('_', ' ')}"
        return f"{what}; {self.observation.regimen}, {weeks:g} weeks, against placebo"

    @property
    def window(self) -> str:
        """Return the window in words."""
        unit = "" if self.observation.unit == "1" else f" {self.observation.unit}"
        if self.single:
            return f"observed {self.observation.value:g}{unit} in the middle 95 % of such trials"
        return "{:.3g} to {:.3g}".format(*self.wanted) + unit


def _scenario(regimen: str, time_h: float, **head: Any) -> Trial:
    return Trial.of(arm_of(regimen), weeks=round(time_h / 168.0), **head)


def _people(catalogue: Catalogue, trial: Trial) -> dict[str, dict[str, Floats]]:
    """Endpoints and days of each person by arm and name, shape (n_replicates, n)."""
    part, found = run_parts(trial, catalogue=catalogue), {}
    replicates, n = trial.trial.replicates, trial.trial.n
    numbers = [trial_numbers(trial, catalogue, r) for r in range(replicates)]
    for k, arm in enumerate(trial.arm):
        counts, people = part.counts[:, k].reshape(replicates, n, -1), part.people[:, k].reshape(replicates, n, -1)
        each = [values(trial, c, p, of) for c, p, of in zip(counts, people, numbers, strict=True)]
        found[arm.name] = {name: np.stack([of[name] for of in each]) for name in each[0]}
        days = counts.astype(np.float64)
        found[arm.name] |= {name: days[..., COUNTS.index(name)] for name in ("seen", "drinking", "heavy")}
    return found


def _mean(of: Mapping[str, Floats], name: str, people: int) -> Floats:
    """Mean of an endpoint, or rate of days, over the first people of an arm, shape (n_replicates,)."""
    if name not in ("abstinent_days", "heavy_days"):
        return np.asarray(np.nanmean(of[name][:, :people], axis=1))
    seen, drinking, heavy = (of[c][:, :people].sum(axis=1) for c in ("seen", "drinking", "heavy"))
    return np.asarray(100.0 * (1.0 - drinking / seen) if name == "abstinent_days" else 100.0 * heavy / seen)


def _measure(observable: str, each: Mapping[str, Mapping[str, Floats]], people: int) -> Floats:
    """A published result in every replicate, shape (n_replicates,)."""
    measure, _, name = observable.partition(":")
    if measure not in MEASURES:
        raise InputError(
            f"{observable!r} is not a result of a trial; expected a measure and an endpoint. Correct the row."
        )
    a, b = (_mean(each[arm], name, people) for arm in ("active", "placebo"))
    if measure in ("placebo", "active"):
        return a if measure == "active" else b
    if measure == "difference":
        return a - b
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure in ("risk_ratio", "rate_ratio"):
            return np.where(b == 0.0, np.inf, a / b)
        if measure == "odds_ratio":
            return np.where((b > 0.0) & (b < 100.0) & (a < 100.0), (a / (100.0 - a)) / (b / (100.0 - b)), np.inf)
        sign = 1.0 if ENDPOINTS[name].good else -1.0
        return np.where(a == b, np.inf, 100.0 * sign / (a - b))


def _single_trial(o: Observation) -> bool:
    return o.role != "calibration" and not (o.study in REVIEWS and o.low is not None and o.high is not None)


def _arm_size(o: Observation) -> int:
    return max(2, (o.n or 100) // 2)


@cache
def _expected(catalogue: Catalogue, regimen: str, time_h: float, people: int) -> dict[str, dict[str, Floats]]:
    return _people(catalogue, _scenario(regimen, time_h, n=people, people="shared"))


@cache
def _largest(catalogue: Catalogue, regimen: str, time_h: float) -> int:
    """People in an arm of the largest single trial of a regimen."""
    rows = catalogue.studies[STUDY].observations
    of_regimen = [o for o in rows if _single_trial(o) and (o.regimen, o.time_h or 0.0) == (regimen, time_h)]
    return max(map(_arm_size, of_regimen), default=0)


@cache
def _single(
    catalogue: Catalogue, regimen: str, time_h: float, people: int, trials: int, seed: int
) -> dict[str, dict[str, Floats]]:
    head = {"n": people, "replicates": trials, "people": "own", "uncertainty": True, "between_trials": True}
    return _people(catalogue, _scenario(regimen, time_h, seed=seed, **head))


def state_trial(
    o: Observation,
    table: str = STUDY,
    *,
    quick: bool = False,
    trials: int | None = None,
    seed: int = 1,
    catalogue: Catalogue | None = None,
) -> TrialStatement:
    """Compare one row with virtual trials.

    ``table``: key of its study file; ``quick``: fewer people and fewer virtual trials; ``trials``: their number.
    Returns the expected value, or the median and the middle 95 % of virtual trials.
    """
    people, usual = QUICK if quick else WHOLE
    trials = usual if trials is None else trials
    time, catalogue = o.time_h or 0.0, catalogue or load()
    if _single_trial(o):
        # A smaller trial is the first people of the largest of its regimen: docs/design/trial.md, Criteria.
        size = _arm_size(o)
        most = max(size, _largest(catalogue, o.regimen, time))
        x = _measure(o.observable, _single(catalogue, o.regimen, time, most, trials, seed), size)
        low, middle, high = (float(v) for v in np.quantile(x, [0.025, 0.5, 0.975]))
        return TrialStatement(
            observation=o, table=table, predicted=middle, low=low, high=high, people=trials, single=True
        )
    # The rates of one trial were fitted with its own effect, which the scenario of a row lacks.
    found = _measure(o.observable, _expected(catalogue, o.regimen, time, people), people)
    return TrialStatement(observation=o, table=table, predicted=float(found[0]), low=np.nan, high=np.nan, people=people)
