"""Published trials compared with the model, shown by ``schild validate alcohol_trials`` (docs/design/trial.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from schild.array_types import Floats
from schild.catalog import Catalogue, Observation, load
from schild.errors import InputError
from schild.regimen import parse_regimen
from schild.trial.endpoints import ENDPOINTS, values
from schild.trial.follow import COUNTS
from schild.trial.numbers import trial_numbers
from schild.trial.parts import run_parts
from schild.trial.trialfile import Trial

__all__ = ["STUDY", "TrialCheck", "arm_of", "check_trial"]


STUDY = "alcohol_trials"
#: People behind an expected value, and virtual trials behind the interval of a single one.
PEOPLE, TRIALS = 8000, 200
#: Reviews: their expected value must lie in the printed interval; all others are single trials.
REVIEWS = ("Roesner2010", "Jonas2014", "McPheeters2023")


#: First words of the observables of trials: a value of one arm, or a comparison of the two.
MEASURES = ("placebo", "active", "difference", "risk_ratio", "rate_ratio", "odds_ratio", "number_needed")


class TrialCheck(NamedTuple):
    """The model's prediction of a published result."""

    single: bool  #: Whether it is of one trial; else of a review, or fitted
    predicted: float  #: Expected value; of a single trial the median of virtual trials
    #: Middle 95 % of virtual trials of that size; NaN where the result is not of a single trial
    low: float = math.nan
    high: float = math.nan


def arm_of(regimen: str) -> dict[str, object]:
    """Write one regimen as the active arm of a trial; its number of doses is ignored.

    >>> arm_of("naltrexone 380 mg im_depot q28d x3")["every"]
    '28 d'
    """
    (dose,) = parse_regimen(regimen)
    assert dose.amount is not None
    arm: dict[str, object] = {
        "name": "active", "drug": dose.drug, "amount": f"{dose.amount.value:g} {dose.amount.unit}", "route": dose.route,
    }  # fmt: skip
    if not dose.every_tick:
        arm["dosing"] = "as_needed"
    elif dose.every_tick / 3.6e9 > 24.0:
        arm |= {"dosing": "schedule", "every": f"{dose.every_tick / 3.6e9 / 24:g} d"}
    return arm


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


def check_trial(
    o: Observation,
    *,
    people: int = PEOPLE,
    trials: int = TRIALS,
    seed: int = 1,
    catalogue: Catalogue | None = None,
) -> TrialCheck:
    """Predict one row.

    ``o``: of the study ``alcohol_trials``; ``people``, ``trials`` and ``seed``: of expected values, and of
    intervals of single trials.
    """
    time = o.time_h or 0.0
    catalogue = catalogue or load()
    if _single_trial(o):
        # A smaller trial is the first people of the largest of its regimen: docs/design/trial.md, Criteria.
        size = _arm_size(o)
        most = max(size, _largest(catalogue, o.regimen, time))
        x = _measure(o.observable, _single(catalogue, o.regimen, time, most, trials, seed), size)
        low, middle, high = (float(v) for v in np.quantile(x, [0.025, 0.5, 0.975]))
        return TrialCheck(single=True, predicted=middle, low=low, high=high)
    # The rates of one trial were fitted with its own effect, which the scenario of a row lacks.
    found = _measure(o.observable, _expected(catalogue, o.regimen, time, people), people)
    return TrialCheck(single=False, predicted=float(found[0]))
