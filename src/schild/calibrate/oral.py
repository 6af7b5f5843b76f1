"""Oral kinetics of naltrexone and the peak of its metabolite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from schild.array_types import Floats
from schild.calibrate import Fit, Fitted, calibration_rows, gauss_newton
from schild.catalog import Observation
from schild.regimen import parse_regimen
from schild.simulation.observe import predict

STUDY = "naltrexone_oral_pk"
DOSE_MG = 50.0
REGIMEN = "naltrexone 50 mg po"


def scaled(o: Observation) -> float:
    """Value of a row scaled to 50 mg; concentrations and areas are proportional to dose."""
    dose = parse_regimen(o.regimen).doses[0].amount
    assert dose is not None
    return o.value * (DOSE_MG / dose.value if o.observable in ("cmax", "auc", "auc_last") else 1.0)


def geometric_mean(rows: Sequence[Observation]) -> tuple[float, float]:
    """n-weighted geometric mean of rows scaled to 50 mg, and the standard deviation of log values between studies."""
    smallest = min((o.n for o in rows if o.n), default=1)
    weight = np.array([o.n or smallest for o in rows], dtype=np.float64)
    logs = np.log([scaled(o) for o in rows])
    mean = float(np.average(logs, weights=weight))
    studies = {o.study for o in rows}
    by_study = [np.average([x for x, o in zip(logs, rows, strict=True) if o.study == s]) for s in sorted(studies)]
    return float(np.exp(mean)), float(np.std(by_study, ddof=1)) if len(by_study) > 1 else 0.0


def targets() -> dict[str, tuple[float, float, tuple[Observation, ...]]]:
    """Targets at 50 mg: value, between-study spread of the logarithm, and the rows behind."""
    rows = calibration_rows(STUDY)
    groups = {
        "auc": [o for o in rows if o.species == "naltrexone" and o.observable in ("auc", "auc_last")],
        "cmax": [o for o in rows if o.species == "naltrexone" and o.observable == "cmax"],
        "tmax": [o for o in rows if o.species == "naltrexone" and o.observable == "tmax"],
        "half_life": [o for o in rows if o.species == "naltrexone" and o.observable == "half_life"],
        "cmax_beta_naltrexol": [o for o in rows if o.species == "beta_naltrexol" and o.observable == "cmax"],
    }
    return {name: (*geometric_mean(group), tuple(group)) for name, group in groups.items()}


def predicted(overrides: Mapping[str, float]) -> dict[str, float]:
    """Prediction of the model for each target."""

    def row(species: str, observable: str) -> float:
        o = Observation(
            id=observable, study="", observable=observable, species=species, regimen=REGIMEN, value=1.0,
            unit="h" if observable in ("tmax", "half_life") else "",
        )  # fmt: skip
        # The minimum is flat: 1e-6 of the time of the peak would move it by 4e-4.
        return float(predict(o, overrides=dict(overrides), receptors=["mor"], rtol=1e-9)[0])

    found = {name: row("naltrexone", name) for name in ("auc", "cmax", "tmax", "half_life")}
    return found | {"cmax_beta_naltrexol": row("beta_naltrexol", "cmax")}


def fit() -> Fit:
    """Fit bioavailability, volumes and absorption rate to the pooled targets."""
    names = (
        ("naltrexone", "oral.f"), ("naltrexone", "vc"), ("naltrexone", "oral.ka"), ("naltrexone", "vp"),
        ("beta_naltrexol", "vc"),
    )  # fmt: skip
    goal = targets()
    start = (0.124, 190.0, 1.6, 290.0, 234.0)

    def overrides(x: Floats) -> dict[str, float]:
        return {f"{drug}.{name}": float(v) for (drug, name), v in zip(names, x, strict=True)}

    def residuals(x: Floats) -> Floats:
        said = predicted(overrides(x))
        return np.array([np.log(said[name] / goal[name][0]) for name in goal])

    value, left, _ = gauss_newton(residuals, start)
    said = predicted(overrides(value))
    lines = [
        f"{name:22s} target {goal[name][0]:8.4g}  model {said[name]:8.4g}  between-study SD of log {goal[name][1]:.3f}"
        for name in goal
    ]
    for name, (mean, _, rows) in goal.items():
        lines += [
            f"    {o.id:34s} {scaled(o):8.4g} at 50 mg, {scaled(o) / mean:5.2f} of the mean, "
            f"model {said[name] / scaled(o):5.2f} of it"
            for o in rows
        ]
    lines.append(f"largest log residual {np.abs(left).max():.2g}")
    between = goal["auc"][1]
    k = len({o.study for o in goal["auc"][2]})
    cv = float(np.sqrt(np.expm1(between**2 * (1 + 1 / k))))
    numbers = [
        Fitted(drug=drug, name=name, value=float(v), cv=cv if name == "oral.f" else None)
        for (drug, name), v in zip(names, value, strict=True)
    ]
    return Fit(title="oral kinetics", numbers=tuple(numbers), lines=tuple(lines))
