"""Receptor constants of naltrexone from tomography, for five rival structures on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from schild.array_types import Floats
from schild.calibrate import Fit, Fitted, calibration_rows, cv_of, gauss_newton
from schild.catalog import Observation
from schild.simulation.observe import predict

STUDY = "naltrexone_pet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A structure, the mu numbers it fits with starting values, and whether competition is at equilibrium in an hour.

    ``limits`` hold a number to what the structure means by it.
    """

    key: str
    start: Mapping[str, float]
    equilibrium: bool
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)


RIVALS = (
    Rival(key="plasma_equilibrium", start={"mor.kd": 0.5}, equilibrium=True),
    Rival(key="effect_compartment", start={"mor.kd": 0.18, "ke0": 0.027}, equilibrium=True),
    Rival(key="slow_receptor", start={"mor.kd": 0.093, "mor.koff": 0.0079}, equilibrium=False),
    Rival(
        key="effect_compartment_slow_receptor",
        start={"mor.kd": 0.15, "ke0": 0.05, "mor.koff": 0.1},
        equilibrium=False,
        # Slow on the scale of an hour but not of days: half-life 1 to 24 h. Beyond, it is one of the other three.
        limits={"mor.koff": (float(np.log(2) / 24), float(np.log(2)))},
    ),
    # Fast exchange beside a slow store. With a share of one it is plasma, with none the effect compartment.
    Rival(
        key="plasma_and_store",
        start={"mor.kd": 0.18, "ke0": 0.027, "direct": 0.1},
        equilibrium=True,
        limits={"direct": (0.005, 0.995)},
    ),
)


def mu_rows() -> tuple[Observation, ...]:
    """Return the twelve mu points."""
    return calibration_rows(STUDY, "rabiner2011", "lee1988", "weerts2008_mor")


def residuals(
    rows: Sequence[Observation], structure: str, numbers: Mapping[str, float], base: Mapping[str, float]
) -> Floats:
    """Standardised residuals (predicted minus observed over the fixed SD)."""
    overrides = {**base, **{f"naltrexone.{structure}.{name}": value for name, value in numbers.items()}}
    out = []
    for o in rows:
        assert o.sd_fixed is not None  # rows for calibration carry it
        found = float(predict(o, structure=structure, overrides=overrides, receptors=[o.species])[0])
        out.append((found - o.value) / o.sd_fixed)
    return np.array(out)


def fit_mu(
    rival: Rival, rows: Sequence[Observation], base: Mapping[str, float]
) -> tuple[dict[str, float], Floats, Floats]:
    """Fit one structure to mu rows; numbers, residuals, covariance of the logarithms."""
    names = tuple(rival.start)

    def of(x: Floats) -> Floats:
        return residuals(rows, rival.key, dict(zip(names, x, strict=True)), base)

    limits = [rival.limits.get(name, (1e-6, 1e6)) for name in names]
    bounds = [low for low, _ in limits], [high for _, high in limits]
    value, left, covariance = gauss_newton(of, rival.start.values(), bounds)
    return dict(zip(names, (float(v) for v in value), strict=True)), left, covariance


def rmse(left: Floats) -> float:
    """Weighted root mean squared error."""
    return float(np.sqrt(np.mean(left**2)))


def leave_one_study_out(rival: Rival, rows: Sequence[Observation], base: Mapping[str, float]) -> dict[str, Floats]:
    """Standardised residuals of each study, predicted from the others."""
    found = {}
    for study in sorted({o.study for o in rows}):
        kept = [o for o in rows if o.study != study]
        numbers, _, _ = fit_mu(rival, kept, base)
        found[study] = residuals([o for o in rows if o.study == study], rival.key, numbers, base)
    return found


def choose(scores: Mapping[str, float]) -> str:
    """Apply the rule for the default to scores under leave-one-study-out (docs/design/calibration.md).

    >>> choose({"plasma_equilibrium": 5.0, "effect_compartment": 1.1, "slow_receptor": 1.0,
    ...         "effect_compartment_slow_receptor": 1.0, "plasma_and_store": 3.0})
    'effect_compartment'
    """
    best = min(scores.values())
    near = [r for r in RIVALS if scores[r.key] <= 1.15 * best]
    near.sort(key=lambda r: (not r.equilibrium, len(r.start), scores[r.key]))
    return near[0].key


def _of_one(
    row: Observation, structure: str, mu: Mapping[str, float], receptor: str, base: Mapping[str, float]
) -> Callable[[Floats], Floats]:
    """Residual of one row as a function of one receptor's kd."""
    return lambda x: residuals([row], structure, {**mu, f"{receptor}.kd": float(x[0])}, base)


def fit(base: Mapping[str, float]) -> Fit:
    """Fit every structure to mu, then kappa and delta with one number each; score them and apply the rule.

    ``base``: overrides from the kinetic fits, so that one refit is consistent in itself.
    """
    rows = mu_rows()
    (kor,) = calibration_rows(STUDY, "delaat2021_kor")
    (dor,) = calibration_rows(STUDY, "weerts2008_dor")
    numbers: list[Fitted] = []
    lines: list[str] = []
    scores: dict[str, float] = {}
    for rival in RIVALS:
        mu, left, covariance = fit_mu(rival, rows, base)
        out = leave_one_study_out(rival, rows, base)
        pooled = np.concatenate(list(out.values()))
        scores[rival.key] = rmse(pooled)
        said = ", ".join(f"{name} {value:.4g}" for name, value in mu.items())
        lines.append(
            f"{rival.key:34s} weighted RMSE {rmse(left):.3f}   leave one study out {scores[rival.key]:.3f} "
            f"({', '.join(f'{s} {rmse(r):.2f}' for s, r in out.items())})   {said}"
        )
        lines += [
            f"    {o.id:22s} observed {o.value:5.1f} %  "
            f"model {o.value + r * float(o.sd_fixed or 0):6.1f} %  ({r:+.2f} SD)"
            for o, r in zip(rows, left, strict=True)
        ]
        if len(mu) > 1:
            spread = np.sqrt(np.diag(covariance))
            correlation = covariance / np.outer(spread, spread)
            names = list(mu)
            pairs = [f"{names[i]} and {names[j]} {correlation[i, j]:+.2f}" for i in range(len(names)) for j in range(i)]
            lines.append(f"    correlation of estimates: {'; '.join(pairs)}")
        for (name, value), variance in zip(mu.items(), np.diag(covariance), strict=True):
            numbers.append(Fitted(drug="naltrexone", name=f"{rival.key}.{name}", value=value, cv=cv_of(variance)))
        for receptor, row in (("kor", kor), ("dor", dor)):
            start = mu["mor.kd"] * (8.0 if receptor == "kor" else 160.0)

            found, left_one, cov = gauss_newton(_of_one(row, rival.key, mu, receptor, base), [start])
            # A printed SD is the spread of people; what is uncertain is their mean.
            people = float(row.n or 1) if row.spread_stat == "SD" else 1.0
            cv = cv_of(cov[0, 0] / people)
            numbers.append(Fitted(drug="naltrexone", name=f"{rival.key}.{receptor}.kd", value=float(found[0]), cv=cv))
            lines.append(
                f"    {row.id:22s} observed {row.value:5.1f} %  ({left_one[0]:+.2f} SD)  {receptor}.kd {found[0]:.4g}"
            )
    lines.append(f"default by the rule: {choose(scores)}")
    return Fit(title="receptor constants", numbers=tuple(numbers), lines=tuple(lines), scores=scores)
