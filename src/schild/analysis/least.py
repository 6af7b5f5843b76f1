"""Least squares of curves that may or may not share their shape and their shift."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from schild.pharmacology.antagonism import log_dose_ratio

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
#: Starting values: one number for all curves, or one for each.
Start: TypeAlias = Mapping[str, Floats | float]

_LN10 = math.log(10.0)
_TINY = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Measured responses, each belonging to one curve.

    Parameters
    ----------
    x : ndarray, shape (n_points,)
        Logarithm of the agonist, less its centre; minus infinity for none.
    y : ndarray, shape (n_points,)
        Response, between about 0 and 1.
    weight : ndarray, shape (n_points,)
        Square roots of the weights.
    curve : ndarray of int, shape (n_points,)
        Which curve a point belongs to.
    b : ndarray, shape (n_curves,)
        Logarithm of the antagonist, less its centre; minus infinity for the curves without.
    """

    x: Floats
    y: Floats
    weight: Floats
    curve: Ints
    b: Floats

    @property
    def n_curves(self) -> int:
        """Number of curves."""
        return len(self.b)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What the curves share.

    Parameters
    ----------
    top, hill : {"common", "separate"}
        Whether all curves have one maximum and one Hill slope.
    shift : {"schild", "separate"}
        Whether the curves shift as Gaddum and Schild say, or each as it likes.
    held : mapping of str to float
        Parameters that are not fitted: ``bottom``, ``top``, ``slope``, ``pa2``.
    """

    top: str = "common"
    hill: str = "common"
    shift: str = "schild"
    held: Mapping[str, float] = field(default_factory=dict)

    def names(self, n_curves: int) -> list[tuple[str, int]]:
        """Name of each fitted parameter and the curve it belongs to; -1 for all."""
        found: list[tuple[str, int]] = []
        if "bottom" not in self.held:
            found.append(("bottom", -1))
        if "top" not in self.held:
            found += [("top", -1)] if self.top == "common" else [("top", k) for k in range(n_curves)]
        found += [("log_hill", -1)] if self.hill == "common" else [("log_hill", k) for k in range(n_curves)]
        if self.shift == "separate":
            found += [("log_ec50", k) for k in range(n_curves)]
        else:
            found.append(("log_ec50", -1))
            found += [(name, -1) for name in ("pa2", "slope") if name not in self.held]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A minimum of the weighted sum of squares."""

    form: Form
    names: tuple[tuple[str, int], ...]
    theta: Floats
    rss: float
    covariance: Floats
    n: int
    rank_deficient: bool

    @property
    def df(self) -> int:
        """Degrees of freedom of the residuals."""
        return self.n - len(self.theta)

    def value(self, name: str, curve: int = -1) -> float:
        """Value of a parameter, held or fitted; of one curve, or of all."""
        if name in self.form.held:
            return float(self.form.held[name])
        return float(self.theta[self.index(name, curve)])

    def index(self, name: str, curve: int = -1) -> int:
        """Place of a fitted parameter."""
        return self.names.index((name, -1) if (name, -1) in self.names else (name, curve))

    def variance(self, name: str) -> float:
        """Variance of a parameter of all curves; 0 when held."""
        if name in self.form.held:
            return 0.0
        k = self.index(name)
        return float(self.covariance[k, k])


def predict(form: Form, points: Points, theta: Floats, *, jacobian: bool = True) -> tuple[Floats, Floats]:
    """Responses of a form at the points, and their derivatives by the fitted parameters."""
    from scipy.special import expit

    names = form.names(points.n_curves)
    shape = {name: np.full(points.n_curves, value) for name, value in form.held.items()}
    for (name, curve), value in zip(names, theta, strict=True):
        if curve < 0:
            shape[name] = np.full(points.n_curves, value)
        else:
            shape.setdefault(name, np.empty(points.n_curves))[curve] = value
    bottom, top = shape["bottom"], shape["top"]
    x50 = shape["log_ec50"]
    there = np.isfinite(points.b)
    gain = np.zeros(points.n_curves)
    lever = np.zeros(points.n_curves)
    slope = np.ones(points.n_curves)
    if form.shift == "schild":
        slope = shape["slope"]
        lever = np.where(there, np.where(there, points.b, 0.0) + shape["pa2"], 0.0)
        gain = np.where(there, expit(_LN10 * slope * lever), 0.0)
        x50 = x50 + log_dose_ratio(points.b, float(shape["pa2"][0]), float(slope[0]))
    g = points.curve
    hill = np.exp(shape["log_hill"])[g]
    given = np.isfinite(points.x)
    u = np.where(given, np.where(given, points.x, 0.0) - x50[g], 0.0)
    s = np.where(given, expit(_LN10 * hill * u), 0.0)
    y = bottom[g] + (top - bottom)[g] * s
    if not jacobian:
        return y, np.empty((0, 0))
    steep = (top - bottom)[g] * s * (1.0 - s) * _LN10 * hill
    by = {
        "bottom": 1.0 - s,
        "top": s,
        "log_hill": steep * u,
        "log_ec50": -steep,
        "pa2": -steep * (slope * gain)[g],
        "slope": -steep * (lever * gain)[g],
    }
    columns = [by[name] if curve < 0 else np.where(g == curve, by[name], 0.0) for name, curve in names]
    return y, np.stack(columns, axis=1) if columns else np.empty((len(y), 0))


def least(form: Form, points: Points, starts: list[Start]) -> Fit:
    """Minimise from several starts and keep the best.

    Parameters
    ----------
    form : Form
        What is shared.
    points : Points
        At least as many as there are parameters.
    starts : list of mapping
        ``bottom``, ``top``, ``log_hill``, ``pa2``, ``slope`` as numbers and ``log_ec50`` by curve.

    Returns
    -------
    Fit
        With the covariance of the parameters.
    """
    names = tuple(form.names(points.n_curves))
    best: Fit | None = None
    for start in starts:
        values = [np.asarray(start[name]) for name, _ in names]
        theta0 = np.array(
            [float(v) if v.ndim == 0 else float(v[max(curve, 0)]) for v, (_, curve) in zip(values, names, strict=True)]
        )
        found = _solve(form, points, names, theta0)
        if best is None or found.rss < best.rss:
            best = found
        if best.rss <= _TINY * len(points.y):
            break
    assert best is not None  # there is always a start
    return best


def _solve(form: Form, points: Points, names: tuple[tuple[str, int], ...], theta0: Floats) -> Fit:
    from scipy.optimize import least_squares

    def residuals(theta: Floats) -> Floats:
        return (predict(form, points, theta, jacobian=False)[0] - points.y) * points.weight

    def slopes(theta: Floats) -> Floats:
        return predict(form, points, theta)[1] * points.weight[:, None]

    n = len(points.y)
    if len(theta0):
        with np.errstate(over="ignore", under="ignore"):
            done = least_squares(residuals, theta0, jac=slopes, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14)
        theta, jac, rss = np.asarray(done.x), np.asarray(done.jac), 2.0 * float(done.cost)
    else:
        theta, jac, rss = theta0, np.empty((n, 0)), float(np.sum(residuals(theta0) ** 2))
    df = n - len(theta)
    noise = rss / df if df > 0 else math.nan
    _, singular, vt = np.linalg.svd(jac, full_matrices=False)
    cut = np.finfo(float).eps * max(jac.shape) * (singular[0] if len(singular) else 0.0)
    deficient = bool((singular <= 1e6 * cut).any()) if len(singular) else False
    inverse = np.where(singular > cut, 1.0 / np.maximum(singular, np.finfo(float).tiny), 0.0)
    half = vt.T * inverse
    return Fit(
        form=form, names=names, theta=theta, rss=rss, covariance=half @ half.T * noise, n=n, rank_deficient=deficient
    )


def start_values(points: Points, held: Mapping[str, float]) -> list[Start]:
    """Starting points from the data: ends of the curves, half responses, then the shift."""
    control = ~np.isfinite(points.b[points.curve])
    x, y = points.x, points.y
    finite = np.isfinite(x)
    low, high = np.quantile(x[control & finite], [0.0, 1.0])
    bottom = held.get("bottom", float(np.mean(y[control & (x <= low)])))
    top = held.get("top", float(np.mean(y[control & (x >= high)])))
    if abs(top - bottom) < 0.05 * (np.ptp(y) or 1.0):
        bottom, top = held.get("bottom", float(y.min())), held.get("top", float(y.max()))
    grid = np.linspace(float(x[finite].min()) - 1.0, float(x[finite].max()) + 2.0, 121)
    found: list[Start] = []
    for hill in (1.0, 2.5, 0.5):
        x50 = np.empty(points.n_curves)
        for k in range(points.n_curves):
            at = points.curve == k
            with np.errstate(over="ignore"):
                curves = bottom + (top - bottom) / (1.0 + 10.0 ** (hill * (grid[:, None] - x[at][None, :])))
            x50[k] = grid[int(np.argmin(((curves - y[at]) ** 2 * points.weight[at] ** 2).sum(axis=1)))]
        base = float(np.mean(x50[~np.isfinite(points.b)]))
        with_b = np.isfinite(points.b)
        ratio = np.maximum(10.0 ** (x50[with_b] - base) - 1.0, 0.05)
        slope = held.get("slope", 1.0)
        pa2 = held.get("pa2", float(np.mean(np.log10(ratio) / slope - points.b[with_b])) if with_b.any() else 0.0)
        # The control curve comes first, so that a common EC50 starts from it.
        found.append(
            {"bottom": bottom, "top": top, "log_hill": math.log(hill), "log_ec50": x50, "pa2": pa2, "slope": slope}
        )
    return found


def profile(fit: Fit, points: Points, name: str, *, level: float = 0.95) -> tuple[float | None, float | None]:
    """Limits of a parameter by its profile: where the best sum of squares rises by the F quantile.

    Parameters
    ----------
    fit : Fit
        The minimum.
    points : Points
        What was fitted.
    name : str
        ``"pa2"`` or ``"slope"``.
    level : float
        Coverage. [1]

    Returns
    -------
    (float or None, float or None)
        None where the profile stays below its threshold within four decades.
    """
    from scipy.optimize import brentq
    from scipy.stats import f as f_distribution

    best = fit.value(name)
    if fit.rss <= _TINY * fit.n or fit.df < 1:
        return (best, best) if fit.df >= 1 else (None, None)
    threshold = fit.rss * (1.0 + float(f_distribution.ppf(level, 1, fit.df)) / fit.df)
    se = math.sqrt(max(fit.variance(name), 0.0))
    if not 1e-9 < se < 4.0:
        se = 0.1
    limits: list[float | None] = []
    for sign in (-1.0, 1.0):
        at = dict(zip(fit.names, fit.theta, strict=True))

        def excess(value: float, at: dict[tuple[str, int], float] = at) -> float:
            form = replace(fit.form, held={**fit.form.held, name: value})
            names = tuple(form.names(points.n_curves))
            found = _solve(form, points, names, np.array([at[key] for key in names]))
            at.update(zip(found.names, found.theta, strict=True))
            return found.rss - threshold

        inner, step, outer = best, 2.0 * se, None
        while step <= 4.0:
            if excess(best + sign * step) > 0:
                outer = best + sign * step
                break
            inner, step = best + sign * step, step * 1.6
        limits.append(None if outer is None else float(brentq(excess, inner, outer, xtol=1e-10, rtol=1e-12)))
    return limits[0], limits[1]
