"""Oral kinetics of naltrexone and the peak of its metabolite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from calibration import Fit, Fitted, gauss_newton
from schild.array_types import Floats
from schild.catalog import Observation, load
from schild.validation.oral import QUANTITIES, arms, geometric_mean, scaled
from schild.validation.oral import predicted as predicted_quantity

#: Species and quantities that are fitted.
TARGETS = (*(("naltrexone", quantity) for quantity in QUANTITIES), ("beta_naltrexol", "cmax"))

#: What is fitted, and where the fit begins.
START = {
    "naltrexone.oral.f": 0.124, "naltrexone.vc": 190.0, "naltrexone.oral.ka": 1.6, "naltrexone.vp": 290.0,
    "beta_naltrexol.vc": 234.0,
}  # fmt: skip


def targets() -> dict[str, tuple[float, float, tuple[Observation, ...]]]:
    """Targets at 50 mg: value, between-study spread of the logarithm, and rows used."""
    groups = arms(load(), ("calibration",))
    return {" of ".join(key[::-1]): (*geometric_mean(groups[key]), tuple(groups[key])) for key in TARGETS}


def predicted(overrides: Mapping[str, float]) -> dict[str, float]:
    """Prediction of the model for each target."""
    # The minimum is flat: 1e-6 of the time of the peak would move it by 4e-4.
    options: dict[str, Any] = {"overrides": dict(overrides), "rtol": 1e-9}
    return {" of ".join(key[::-1]): predicted_quantity(*key, **options) for key in TARGETS}


def fit() -> Fit:
    """Fit bioavailability, volumes and absorption rate to the pooled targets."""
    goal = targets()

    def numbers(x: Floats) -> dict[str, float]:
        return dict(zip(START, map(float, x), strict=True))

    def residuals(x: Floats) -> Floats:
        said = predicted(numbers(x))
        return np.array([np.log(said[name] / goal[name][0]) for name in goal])

    value, left, _ = gauss_newton(residuals, START.values())
    said = predicted(numbers(value))
    lines = [
        f"{name:24s} target {goal[name][0]:8.4g}  model {said[name]:8.4g}  between-study SD of log {goal[name][1]:.3f}"
        for name in goal
    ]
    for name, (mean, _, rows) in goal.items():
        lines += [
            f"    {o.id:34s} {scaled(o):8.4g} at 50 mg, {scaled(o) / mean:5.2f} of the mean, "
            f"model {said[name] / scaled(o):5.2f} of it"
            for o in rows
        ]
    lines.append(f"largest log residual {np.abs(left).max():.2g}")
    between = goal["auc of naltrexone"][1]
    k = len({o.study for o in goal["auc of naltrexone"][2]})
    cv = float(np.sqrt(np.expm1(between**2 * (1 + 1 / k))))
    fitted = [Fitted.of(k, v, cv if k == "naltrexone.oral.f" else None) for k, v in numbers(value).items()]
    return Fit(title="oral kinetics", numbers=tuple(fitted), lines=tuple(lines))
