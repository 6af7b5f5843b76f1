"""Response to participation and effect of a tablet in trials, from rates of one trial and pooled effects.

``python -m calibration.trial`` refits, compares with the catalogue and exits 1 where a number differs in its first
three digits; ``--write`` puts the new numbers into the catalogue. docs/design/trial.md lists numbers and their rows.
It takes about a minute, so ``make refit`` leaves it out; run it after a change of ``reward.share`` or
``sedation.occupied``, on which the coefficients depend.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from calibration import Fit, Fitted, calibration_rows
from calibration.files import run_script
from schild.array_types import Floats
from schild.catalog import Observation, load
from schild.drinking.value import day_value
from schild.people import Values
from schild.trial.endpoints import values
from schild.trial.follow import Course, Draws, counted, course, draws_of
from schild.trial.numbers import trial_numbers
from schild.trial.people import Drinkers, enrol, kinetic_people
from schild.trial.trialfile import Trial

__all__ = ["NUMBERS", "Scenario", "coefficients", "fit", "main", "predicted", "rows"]


STUDY = "alcohol_trials"

#: Virtual people of each evaluation; the Monte Carlo error is a fifth of that of the rows.
PEOPLE = 8000

#: Occupancy at which effects are stated, that of a tablet a day. [1]
OCCUPANCY = 0.95

#: Fitted numbers: two effects as log odds at that occupancy, and the deviation of the one trial from the mean.
NUMBERS = ("response.drinking", "response.between", "response.heavy", "effect.drinking", "effect.heavy", "trial")

_START = np.array([-2.0, 2.0, -0.5, 0.30, 0.29, 0.0])
_LOW = np.array([-8.0, 0.2, -6.0, 0.0, 0.0, -3.0])
_HIGH = np.array([2.0, 8.0, 4.0, 2.0, 2.0, 3.0])
#: Steps of the derivatives: large enough that many people cross their limits.
_STEP = np.array([0.15, 0.15, 0.15, 0.05, 0.05, 0.2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """People of one regimen, ready to be followed again under other numbers."""

    trial: Trial
    who: Drinkers
    draws: Draws
    people: Floats
    courses: tuple[Course, ...]


#: Assumed numbers that ``--assumptions`` varies one at a time.
ASSUMED = (
    "day.drinking", "day.drinking.between", "day.heavy", "day.habit.drinking", "craving.weight", "response.share",
    "adherence.daily", "leave.weekly",
)  # fmt: skip

#: Assumed numbers given in place of the catalogue's.
Given = tuple[tuple[str, float], ...]


@cache
def scenarios(given: Given = ()) -> tuple[Scenario, Scenario]:
    """The one trial (100 mg, 16 weeks) and the review (50 mg, 12 weeks), with the same people."""
    made = []
    for amount, weeks in (("100 mg", 16), ("50 mg", 12)):
        trial = Trial.of({"name": "active", "drug": "naltrexone", "amount": amount}, n=PEOPLE, weeks=weeks)
        catalogue = load()
        numbers = trial_numbers(trial, catalogue, overrides=dict(given))
        who = enrol(trial, numbers, kinetic_people(trial, numbers, 0, PEOPLE, 0), 0)
        draws = draws_of(trial, 0, PEOPLE)
        courses = tuple(course(trial, arm, who, numbers, draws) for arm in trial.arm)
        people = np.column_stack([who.female, who.baseline, who.gain, np.zeros(PEOPLE)])
        made.append(Scenario(trial=trial, who=who, draws=draws, people=people, courses=courses))
    return made[0], made[1]


def coefficients(drinking: float, heavy: float) -> dict[str, float]:
    """Weights of reward lost and aversion that give these changes of log odds at the occupancy of a tablet a day.

    Half of the effect is attributed to each, by the rule of docs/design/alcohol.md: no row separates them.

    >>> given = {f"alcohol.{name}": value for name, value in coefficients(0.3, 0.4).items()}
    >>> value = day_value(Values(load(), overrides=given))
    >>> felt = value.felt(0.95)
    >>> round(float(value.drink(*felt)), 6), round(float(value.heavy(*felt)), 6)
    (-0.3, -0.4)
    """
    lost, averse = map(float, day_value(Values(load())).felt(OCCUPANCY))
    return {
        "day.drink.reward": drinking / 2 / lost,
        "day.drink.aversion": drinking / 2 / averse,
        "day.heavy.reward": heavy / 2 / lost,
        "day.heavy.aversion": heavy / 2 / averse,
    }


def _arms(scenario: Scenario, x: Floats, effect: float, assumed: Given) -> dict[str, dict[str, float]]:
    """Mean of every endpoint in each arm."""
    drinking, between, heavy, on_drinking, on_heavy, _ = (float(v) for v in x)
    given = dict(assumed) | {
        "trial.response.drinking": drinking,
        "trial.response.between": between,
        "trial.response.heavy": heavy,
    }
    given |= {f"alcohol.{k}": v for k, v in coefficients(effect * on_drinking, effect * on_heavy).items()}
    catalogue = load()
    numbers = trial_numbers(scenario.trial, catalogue, overrides=given)
    found = {}
    for arm, before in zip(scenario.trial.arm, scenario.courses, strict=True):
        done = course(scenario.trial, arm, scenario.who, numbers, scenario.draws, before)
        of = values(scenario.trial, counted(scenario.trial, arm, done), scenario.people, numbers)
        found[arm.name] = {name: float(np.nanmean(v)) for name, v in of.items()}
    return found


def rows() -> tuple[Observation, ...]:
    """Rows of the fit: those of the one trial first."""
    return calibration_rows(STUDY)


def predicted(x: Floats, given: Given = ()) -> dict[str, float]:
    """Prediction of the model for each row of the fit.

    ``x``, shape (6,): numbers in the order of ``NUMBERS``; ``given``: assumed numbers in place of the catalogue's.
    Returns values by row; the one trial has its own effect.
    """
    between = load().trial["trials.effect"].value
    one, review = scenarios(given)
    trial, pooled = _arms(one, x, 1.0 + between * float(x[-1]), given), _arms(review, x, 1.0, given)
    found = {}
    for o in rows():
        measure, _, name = o.observable.partition(":")
        if measure in ("placebo", "active"):
            found[o.id] = trial[measure][name]
        elif measure == "difference":
            found[o.id] = pooled["active"][name] - pooled["placebo"][name]
        else:
            found[o.id] = pooled["active"][name] / pooled["placebo"][name]
    return found


def residuals(found: Mapping[str, float], z: float) -> Floats:
    """Standardised residuals: nested rates whitened by their covariance, pooled effects, and the trial's deviation."""
    left: list[float] = []
    for arm in ("placebo", "active"):
        some = sorted((o for o in rows() if o.observable.startswith(f"{arm}:")), key=lambda o: o.value)
        p = np.array([o.value / 100 for o in some])
        n = some[0].n or 0
        # Nested: people who meet a rarer criterion also meet the more common ones.
        covariance = np.minimum.outer(p, p) * (1.0 - np.maximum.outer(p, p)) / n
        off = np.array([found[o.id] / 100 for o in some]) - p
        left += np.linalg.solve(np.linalg.cholesky(covariance), off).tolist()
    for o in rows():
        measure = o.observable.partition(":")[0]
        if measure == "difference":
            left.append((found[o.id] - o.value) / float(o.sd_fixed or 1.0))
        elif measure == "risk_ratio":
            left.append(np.log(found[o.id] / o.value) / (float(o.sd_fixed or 1.0) / o.value))
    return np.array([*left, z])


def fit(given: Given = ()) -> Fit:
    """Fit the six numbers together.

    ``given``: assumed numbers in place of the catalogue's. Returns numbers of ``trial.toml`` and ``alcohol.toml``, and
    a line for each row.
    """
    from scipy.optimize import least_squares

    def of(x: Floats) -> Floats:
        return residuals(predicted(x, given), float(x[-1]))

    def slopes(x: Floats) -> Floats:
        columns = []
        for k, step in enumerate(_STEP):
            up, down = x.copy(), x.copy()
            up[k], down[k] = min(x[k] + step, _HIGH[k]), max(x[k] - step, _LOW[k])
            columns.append((of(up) - of(down)) / (up[k] - down[k]))
        return np.column_stack(columns)

    done = least_squares(of, _START, jac=slopes, bounds=(_LOW, _HIGH), x_scale=_STEP, ftol=1e-4, xtol=1e-4, max_nfev=30)
    x = np.asarray(done.x, dtype=np.float64)
    jacobian = slopes(x)
    free = max(1, len(done.fun) - len(x))
    excess = max(1.0, float(np.sum(done.fun**2)) / free)
    covariance = np.linalg.pinv(jacobian.T @ jacobian) * excess
    error = np.sqrt(np.diag(covariance))
    found = predicted(x, given)
    lines = [f"  chi square {float(np.sum(done.fun**2)):.2f} on {free} degrees of freedom; {done.nfev} evaluations"]
    for o in rows():
        off = (found[o.id] - o.value) / float(o.sd_fixed or 1.0)
        lines.append(f"  {o.id:36s} observed {o.value:7.2f}  model {found[o.id]:7.2f}  {off:+.2f} SE")
    lines += [f"  {name:20s} {value:+.4f} (SE {e:.4f})" for name, value, e in zip(NUMBERS, x, error, strict=True)]
    numbers = [
        Fitted(drug="trial", name=name, value=float(x[k]), cv=float(error[k] / abs(x[k])))
        for k, name in enumerate(NUMBERS[:3])
    ]
    for name, value in coefficients(float(x[3]), float(x[4])).items():
        k = 3 if name.startswith("day.drink") else 4
        numbers.append(Fitted(drug="alcohol", name=name, value=value, cv=float(error[k] / max(x[k], 1e-9))))
    scores = found | {name: float(v) for name, v in zip(NUMBERS, x, strict=True)}
    scores["chi_square"] = float(np.sum(done.fun**2))
    return Fit(title="Trials of naltrexone", numbers=tuple(numbers), lines=tuple(lines), scores=scores)


def assumptions() -> None:
    """Fit again with one assumed number at either end of its range; print the changes."""
    shown = ("effect.drinking", "effect.heavy", "roesner2010_heavy", "roesner2010_heavy_days", "chi_square")
    print(f"{'assumed':24s} {'value':>7s} " + " ".join(f"{name:>22s}" for name in shown))
    for name in ASSUMED:
        chosen = load().trial[name].chosen
        for end in (chosen.low, chosen.high):
            assert end is not None
            scores = fit(((f"trial.{name}", end),)).scores
            scenarios.cache_clear()
            print(f"{name:24s} {end:7.3g} " + " ".join(f"{scores[k]:22.3f}" for k in shown), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Refit, print, compare; 0 if the catalogue has the same numbers to three digits."""
    if "--assumptions" in (sys.argv[1:] if arguments is None else arguments):
        assumptions()
        return 0
    return run_script(fit, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
