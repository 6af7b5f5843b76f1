"""Receptor constants of naltrexone from tomography, for five rival structures on the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from calibration import Fit, Fitted, Solved, calibration_rows, cv_of, distances, fit_rows
from schild.array_types import Floats
from schild.catalog import Observation

STUDY = "naltrexone_pet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A structure, the mu numbers it fits with starting values, and whether competition is at equilibrium in an hour.

    ``limits`` keep a number in the range that defines the structure.
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
        # Slow on the scale of an hour but not of days: half-life 1 to 24 h. Outside, it is one of the other three.
        limits={"mor.koff": (float(np.log(2) / 24), float(np.log(2)))},
    ),
    # Fast exchange beside a slow store. With a share of 1 it is plasma, with 0 the effect compartment.
    Rival(
        key="plasma_and_store",
        start={"mor.kd": 0.18, "ke0": 0.027, "direct": 0.1},
        equilibrium=True,
        limits={"direct": (0.005, 0.995)},
    ),
)

#: Limits of all other numbers. A flat minimum is searched to where these let it.
_WIDE = (1e-6, 1e6)


def mu_rows() -> tuple[Observation, ...]:
    """Return the twelve mu points."""
    return calibration_rows(STUDY, "rabiner2011", "lee1988", "weerts2008_mor")


def fit_mu(rival: Rival, rows: Sequence[Observation], base: Mapping[str, float]) -> Solved:
    """Fit one structure to mu rows."""
    start = {f"naltrexone.{rival.key}.{name}": value for name, value in rival.start.items()}
    limits = {f"naltrexone.{rival.key}.{name}": rival.limits.get(name, _WIDE) for name in rival.start}
    return fit_rows(rows, start, base, limits=limits, structure=rival.key)


def rmse(left: Floats) -> float:
    """Weighted root mean squared error."""
    return float(np.sqrt(np.mean(left**2)))


def leave_one_study_out(rival: Rival, rows: Sequence[Observation], base: Mapping[str, float]) -> dict[str, Floats]:
    """Standardised residuals of each study, predicted from the others."""
    found = {}
    for study in sorted({o.study for o in rows}):
        kept = [o for o in rows if o.study != study]
        numbers = {**base, **fit_mu(rival, kept, base).numbers}
        found[study] = distances([o for o in rows if o.study == study], numbers, structure=rival.key)
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


def fit(base: Mapping[str, float]) -> Fit:
    """Fit every structure to mu, then kappa and delta with one number each; score them and apply the rule.

    ``base``: overrides from the kinetic fits, so that all fits of one refit are consistent.
    """
    rows = mu_rows()
    (kor,) = calibration_rows(STUDY, "delaat2021_kor")
    (dor,) = calibration_rows(STUDY, "weerts2008_dor")
    numbers: list[Fitted] = []
    lines: list[str] = []
    scores: dict[str, float] = {}
    for rival in RIVALS:
        mu = fit_mu(rival, rows, base)
        out = leave_one_study_out(rival, rows, base)
        scores[rival.key] = rmse(np.concatenate(list(out.values())))
        head = f"naltrexone.{rival.key}."
        said = ", ".join(f"{name.removeprefix(head)} {value:.4g}" for name, value in mu.numbers.items())
        lines.append(
            f"{rival.key:34s} weighted RMSE {rmse(mu.off):.3f}   leave one study out {scores[rival.key]:.3f} "
            f"({', '.join(f'{s} {rmse(r):.2f}' for s, r in out.items())})   {said}"
        )
        lines += mu.lines(base)
        if len(rival.start) > 1:
            spread = np.sqrt(np.diag(mu.covariance))
            correlation = mu.covariance / np.outer(spread, spread)
            names = list(rival.start)
            pairs = [f"{names[i]} and {names[j]} {correlation[i, j]:+.2f}" for i in range(len(names)) for j in range(i)]
            lines.append(f"    correlation of estimates: {'; '.join(pairs)}")
        numbers += [Fitted.of(name, value, mu.cv[name]) for name, value in mu.numbers.items()]
        known = {**base, **mu.numbers}
        for row, receptor, ratio in ((kor, "kor", 8.0), (dor, "dor", 160.0)):
            name = f"{head}{receptor}.kd"
            own = fit_rows([row], {name: ratio * known[f"{head}mor.kd"]}, known, structure=rival.key)
            # A printed SD is the spread between people; the uncertainty is that of their mean.
            people = float(row.n or 1) if row.spread_stat == "SD" else 1.0
            numbers.append(Fitted.of(name, own.numbers[name], cv_of(own.covariance[0, 0] / people)))
            lines += [f"{line}  {receptor}.kd {own.numbers[name]:.4g}" for line in own.lines(known)]
    lines.append(f"default by the rule: {choose(scores)}")
    return Fit(title="receptor constants", numbers=tuple(numbers), lines=tuple(lines), scores=scores)
