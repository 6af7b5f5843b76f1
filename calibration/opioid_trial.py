"""Fit behaviour in opioid trials to published counts: ``python -m calibration.opioid_trial [--write | --rows]``.

``--rows`` fits nothing and prints each row under the numbers of the catalogue.

Simulated moments with common random numbers; docs/design/opioid-trials.md lists numbers and their rows. Loads of
doses do not depend on behaviour, so they are computed once.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from calibration import Fit, Fitted
from calibration.files import run_script
from schild.array_types import Floats
from schild.catalog import load
from schild.trial.numbers import TrialNumbers, trial_numbers
from schild.trial.opioid import Body, body_of, follow_arm, treatment_load
from schild.trial.opioid_checks import measure, opioid_rows, scenario
from schild.trial.trialfile import Trial

__all__ = ["NUMBERS", "fit", "predicted"]


_DATA = tomllib.loads(files("calibration").joinpath("opioid_trial.toml").read_text(encoding="utf-8"))
#: Fitted numbers with scale, step, limits and start, and what is told of scenarios, as ``opioid_trial.toml`` has them.
NUMBERS: Mapping[str, Mapping[str, Any]] = _DATA["number"]
_SCENARIOS: Mapping[str, Mapping[str, Any]] = _DATA["scenario"]
#: People of each scenario.
PEOPLE = 800


def _plain(name: str, x: float) -> float:
    scale = NUMBERS[name]["scale"]
    return float(np.exp(x)) if scale == "log" else float(1 / (1 + np.exp(-x))) if scale == "logit" else float(x)


def _moved(name: str, value: float) -> float:
    scale = NUMBERS[name]["scale"]
    return float(np.log(value)) if scale == "log" else float(np.log(value / (1 - value))) if scale == "logit" else value


@cache
def _made(name: str, people: int) -> tuple[Trial, Body, Floats | None]:
    trial = scenario(name, n=people, weeks=_SCENARIOS[name].get("weeks", 24))
    numbers = trial_numbers(trial, load())
    return trial, body_of(numbers, 0.0), treatment_load(trial, trial.arm[0], numbers, 0, people, 0)


def _numbers(trial: Trial, given: Mapping[str, float]) -> TrialNumbers:
    return trial_numbers(trial, load(), overrides={f"trial.oud.{k}": v for k, v in given.items()})


@lru_cache(maxsize=128)
def _measured(name: str, people: int, given: tuple[tuple[str, float], ...]) -> dict[str, float]:
    trial, body, made = _made(name, people)
    numbers = _numbers(trial, dict(given))
    result, who = follow_arm(trial, trial.arm[0], numbers, body, 0, people, 0, made)
    share = numbers["oud.report"]
    return {r.id: measure(r.measure, result, who, share) for r in opioid_rows("calibration") if r.scenario == name}


def predicted(given: Mapping[str, float], people: int = PEOPLE) -> dict[str, float]:
    """Prediction of the model for each row of calibration, by row.

    ``given``: fitted numbers without the prefix ``oud.``; ``people``: of each scenario.
    """
    found: dict[str, float] = {}
    for name in dict.fromkeys(r.scenario for r in opioid_rows("calibration")):
        found |= _measured(name, people, tuple((k, v) for k, v in given.items() if k not in _SCENARIOS[name]["idle"]))
    return found


def _off(value: float, observed: float, se: float) -> float:
    """Distance in standard errors of log odds, a scale that resolves both rare and common outcomes."""
    p, q = (min(max(x / 100.0, 5e-4), 0.9995) for x in (value, observed))
    spread = max(se / 100.0, 1e-4) / (q * (1.0 - q))
    return float((np.log(p / (1 - p)) - np.log(q / (1 - q))) / spread)


def _distances(found: Mapping[str, float]) -> tuple[dict[str, float], list[str]]:
    """Distance of each row of calibration in standard errors, and the lines that report it."""
    rows = opioid_rows("calibration")
    scores = {r.id: (found[r.id] - r.value) / (r.se or 1.0) for r in rows}
    lines = [f"  {r.id:32s} observed {r.value:7.2f}  model {found[r.id]:7.2f}  {scores[r.id]:+6.2f} SE" for r in rows]
    within = sum(abs(v) <= 2 for v in scores.values())
    return scores, [*lines, f"  {within} of {len(scores)} rows within two standard errors"]


def fit(people: int = PEOPLE, most: int = 6) -> Fit:
    """Fit all numbers together.

    ``people``: of each scenario; ``most``: iterations.
    """
    rows = {r.id: r for r in opioid_rows("calibration")}
    names = list(NUMBERS)
    steps, *ends, begin = (np.array([n[key] for n in NUMBERS.values()]) for key in ("step", "low", "high", "start"))
    x0 = np.clip([_moved(name, v) for name, v in zip(names, begin, strict=True)], ends[0] + 1e-6, ends[1] - 1e-6)

    def of(x: Floats) -> Floats:
        found = predicted({name: _plain(name, v) for name, v in zip(names, x, strict=True)}, people)
        off = np.array([_off(found[k], r.value, r.se or 1.0) for k, r in rows.items()])
        return np.asarray(np.nan_to_num(np.clip(off, -30, 30), nan=10.0), dtype=np.float64)

    def slopes(x: Floats) -> Floats:
        columns, here = [], of(x)
        for k, step in enumerate(steps):
            other = x.copy()
            other[k] += step if x[k] + step < ends[1][k] else -step
            columns.append((of(other) - here) / (other[k] - x[k]))
        return np.column_stack(columns)

    done = least_squares(
        of,
        x0,
        jac=slopes,
        bounds=(ends[0], ends[1]),
        x_scale=steps,
        loss="soft_l1",
        ftol=1e-3,
        xtol=1e-3,
        max_nfev=most,
    )
    x = np.asarray(done.x)
    jacobian = slopes(x)
    off = of(x)
    free = max(1, len(rows) - len(x))
    excess = max(1.0, float(np.sum(off**2)) / free)
    error = np.sqrt(np.diag(np.linalg.pinv(jacobian.T @ jacobian + np.diag(1.0 / (20 * steps) ** 2)) * excess))
    given = {name: _plain(name, v) for name, v in zip(names, x, strict=True)}
    found = predicted(given, people)
    lines = [f"  chi square {float(np.sum(off**2)):.1f} on {free} degrees of freedom; {done.nfev} evaluations"]
    scores, told = _distances(found)
    lines += told
    numbers = []
    for name, v, e in zip(names, x, error, strict=True):
        wide = {"log": e, "logit": e * (1 - given[name]), "plain": e / abs(v)}[NUMBERS[name]["scale"]]
        numbers.append(Fitted(drug="trial", name=f"oud.{name}", value=given[name], cv=float(min(wide, 1.5))))
    return Fit(title="Trials in opioid use disorder", numbers=tuple(numbers), lines=tuple(lines), scores=scores)


def main(arguments: list[str] | None = None) -> int:
    """Refit, print, compare; 0 if the catalogue has the same numbers to three digits."""
    if "--rows" not in (sys.argv[1:] if arguments is None else arguments):
        return run_script(fit, arguments)
    numbers = trial_numbers(scenario(opioid_rows("calibration")[0].scenario, n=2), load())
    print(*_distances(predicted({name: numbers[f"oud.{name}"] for name in NUMBERS}))[1], sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
