"""Fits of the catalogue's fitted numbers, each from its calibration rows; see docs/design/calibration.md.

``python -m calibration`` refits everything, compares with the catalogue and exits 1 where a number differs in its
first three digits; ``--write`` puts the new numbers into the catalogue's files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.catalog import Observation, load
from schild.simulation.observe import predict
from schild.validation.check import PLASMA_RESIDUAL

__all__ = [
    "Fit", "Fitted", "Solved", "calibration_rows", "cv_of", "distances", "fit_rows", "gauss_newton", "predicted",
    "told",
]  # fmt: skip

#: Prior of a number: centre, and standard deviation of the logarithm.
Prior = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """One fitted number: drug, name, value, and CVs of its uncertainty and between people (None: the catalogue's)."""

    drug: str
    name: str
    value: float
    cv: float | None = None
    between_people: float | None = None

    @classmethod
    def of(cls, label: str, value: float, cv: float | None = None) -> Fitted:
        """Make one by its name in overrides, such as ``naltrexone.cl``."""
        drug, _, name = label.partition(".")
        return cls(drug=drug, name=name, value=float(value), cv=cv)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Result of a fit: numbers, and lines that report on it."""

    title: str
    numbers: tuple[Fitted, ...]
    lines: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    #: Correlations of the logarithms of the fitted numbers of a mechanism of adaptation, in the catalogue's order
    correlations: dict[str, Floats] = field(default_factory=dict)


def calibration_rows(study: str, *ids: str) -> tuple[Observation, ...]:
    """Return rows of a study that may be fitted.

    ``study``: key of the study; ``ids``: beginnings of row ids; every calibration row by default. Returns rows in the
    order of the file. Raises ValueError if a wanted row is not marked for calibration: check rows are never fitted.

    >>> len(calibration_rows("naltrexone_pet", "rabiner2011", "lee1988", "weerts2008_mor"))
    12
    """
    rows = [o for o in load().studies[study].observations if not ids or o.id.startswith(ids)]
    rows = [o for o in rows if ids or o.role == "calibration"]
    found = tuple(o for o in rows if o.role == "calibration")
    if not found:
        raise ValueError(f"{study} has no calibration rows called {', '.join(ids)}.")
    return found


def cv_of(variance: float) -> float:
    """Return the coefficient of variation for a variance of the logarithm, limited to 4."""
    return float(np.sqrt(np.expm1(min(float(variance), 4.0))))


def gauss_newton(
    residuals: Callable[[Floats], Floats],
    start: Iterable[float],
    bounds: tuple[Iterable[float], Iterable[float]] | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Least squares in the logarithms of positive numbers.

    ``residuals``: standardised residuals of natural values, shape (n_rows,); ``bounds``: lower and upper limits,
    natural values. Returns ``value``: natural values at the minimum; ``residual``: residuals there; ``covariance``: of
    the logarithms: inverse of J'J, times the mean squared residual where that exceeds one.
    """
    from scipy.optimize import least_squares

    begin = np.log(np.array(list(start), dtype=np.float64))
    low, high = np.full(len(begin), -np.inf), np.full(len(begin), np.inf)
    if bounds is not None:
        with np.errstate(divide="ignore"):  # 0 is no limit
            low, high = (np.log(np.array(list(side), dtype=np.float64)) for side in bounds)

    def of_logs(x: Floats) -> Floats:
        return residuals(np.exp(x))

    # Steps of 1e-3 exceed the tolerance of the runs; 1e-8 in the minimum is far below three digits.
    steps = np.full(len(begin), 1e-3)
    found = least_squares(of_logs, begin, bounds=(low, high), diff_step=steps, xtol=1e-8, ftol=1e-10, gtol=1e-10)
    left = np.asarray(found.fun, dtype=np.float64)
    jacobian = np.asarray(found.jac, dtype=np.float64)
    covariance = np.linalg.pinv(jacobian.T @ jacobian)
    value = np.asarray(np.exp(found.x), dtype=np.float64)
    return value, left, np.asarray(covariance * max(1.0, float(np.mean(left**2))), dtype=np.float64)


def predicted(o: Observation, overrides: Mapping[str, float], **options: Any) -> float:
    """Predict a row for the typical person; ``options``: of ``schild.simulation.observe.predict``."""
    return float(predict(o, overrides=dict(overrides), **options)[0])


def distances(rows: Iterable[Observation], overrides: Mapping[str, float], **options: Any) -> Floats:
    """Distance of each row from its prediction in standard deviations, shape (n_rows,).

    A scan has the standard deviation of its row. Everything else is positive and skewed: it has a relative one, on the
    logarithm, that of assay and sampling where the row has none. What a curve does not have, such as a first peak, is
    as wrong as something 20 times too large.
    """
    found = []
    for o in rows:
        said = predicted(o, overrides, **options)
        if o.observable == "occupancy":
            assert o.sd_fixed is not None  # scans for calibration carry it
            found.append((said - o.value) / o.sd_fixed)
        else:
            log = np.log(said / o.value) if np.isfinite(said) else 3.0
            found.append(log / (o.sd_fixed / o.value if o.sd_fixed else PLASMA_RESIDUAL))
    return np.array(found)


def told(o: Observation, said: float, how: str) -> str:
    """Write the line of a report on one row.

    >>> told(calibration_rows("naltrexone_pet", "weerts2008_mor")[0], 90.0, "(not fitted)")
    '    weerts2008_mor                   observed   94.9 %        model      90  (not fitted)'
    """
    return f"    {o.id:32s} observed {o.value:6.4g} {o.unit:8s} model {said:7.4g}  {how}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """Numbers fitted to rows, by their names in overrides."""

    rows: Sequence[Observation]
    numbers: dict[str, float]
    off: Floats  #: Distances of the rows in standard deviations
    covariance: Floats  #: Of the logarithms of the numbers
    options: Mapping[str, Any]  #: Of the predictions

    @property
    def cv(self) -> dict[str, float]:
        """Coefficients of variation of the numbers."""
        return {name: cv_of(v) for name, v in zip(self.numbers, np.diag(self.covariance), strict=True)}

    def lines(self, base: Mapping[str, float]) -> list[str]:
        """Write a line for each row; ``base``: as for the fit."""
        overrides = {**base, **self.numbers}
        return [
            told(o, predicted(o, overrides, **self.options), f"({z:+.2f} SD)")
            for o, z in zip(self.rows, self.off, strict=True)
        ]


def fit_rows(
    rows: Sequence[Observation],
    start: Mapping[str, float],
    base: Mapping[str, float],
    *,
    priors: Mapping[str, Prior] | None = None,
    limits: Mapping[str, tuple[float, float]] | None = None,
    **options: Any,
) -> Solved:
    """Fit numbers to rows by least squares of their distances.

    ``start``: starting values by name in overrides; ``base``: further overrides, from the fits before; ``limits``: of
    numbers that have some; ``options``: of ``schild.simulation.observe.predict``.
    """
    priors, limits = priors or {}, limits or {}

    def numbers(x: Floats) -> dict[str, float]:
        return dict(zip(start, map(float, x), strict=True))

    def residuals(x: Floats) -> Floats:
        now = numbers(x)
        held = [np.log(now[name] / centre) / spread for name, (centre, spread) in priors.items()]
        return np.concatenate([distances(rows, {**base, **now}, **options), held])

    ends = np.array([limits.get(name, (0.0, np.inf)) for name in start])
    value, left, covariance = gauss_newton(residuals, start.values(), (ends[:, 0], ends[:, 1]))
    return Solved(rows=rows, numbers=numbers(value), off=left[: len(rows)], covariance=covariance, options=options)
