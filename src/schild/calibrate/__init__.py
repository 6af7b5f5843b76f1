"""Fits of the catalogue's fitted numbers, each from its calibration rows; see docs/design/calibration.md.

``python -m schild.calibrate`` refits everything, compares with the catalogue and exits 1 where a number differs in its
first three digits; ``--write`` puts the new numbers into the catalogue's files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from schild.array_types import Floats
from schild.catalog import Observation, load

__all__ = ["Fit", "Fitted", "calibration_rows", "cv_of", "gauss_newton"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """One fitted number: drug, name, value, and the CV of its uncertainty (None leaves the catalogue's)."""

    drug: str
    name: str
    value: float
    cv: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Result of a fit: numbers, and lines that report on it."""

    title: str
    numbers: tuple[Fitted, ...]
    lines: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    #: Of the logarithms of the fitted numbers of a mechanism of adaptation, in the order of the catalogue
    correlations: dict[str, Floats] = field(default_factory=dict)


def calibration_rows(study: str, *ids: str) -> tuple[Observation, ...]:
    """Return rows of a study that may be fitted.

    ``study``: key of the study; ``ids``: beginnings of row ids; every calibration row by default. Returns rows in the
    order of the file. Raises ValueError if a wanted row is not marked for calibration: check rows are never fitted.

    >>> len(calibration_rows("naltrexone_pet", "rabiner2011", "lee1988", "weerts2008_mor"))
    12
    """
    rows = [o for o in load().study(study).observations if not ids or o.id.startswith(ids)]
    rows = [o for o in rows if ids or o.role == "calibration"]
    found = tuple(o for o in rows if o.role == "calibration")
    if not found:
        raise ValueError(f"{study} has no calibration rows called {', '.join(ids)}.")
    return found


def cv_of(variance: float) -> float:
    """Return the coefficient of variation for a variance of the logarithm, which counts as at most 4."""
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
        low, high = (np.log(np.array(list(side), dtype=np.float64)) for side in bounds)

    def of_logs(x: Floats) -> Floats:
        return residuals(np.exp(x))

    # Steps of 1e-3 rise above the tolerance of the runs; 1e-8 in the minimum is far below three digits.
    steps = np.full(len(begin), 1e-3)
    found = least_squares(of_logs, begin, bounds=(low, high), diff_step=steps, xtol=1e-8, ftol=1e-10, gtol=1e-10)
    left = np.asarray(found.fun, dtype=np.float64)
    jacobian = np.asarray(found.jac, dtype=np.float64)
    covariance = np.linalg.pinv(jacobian.T @ jacobian)
    value = np.asarray(np.exp(found.x), dtype=np.float64)
    return value, left, np.asarray(covariance * max(1.0, float(np.mean(left**2))), dtype=np.float64)
