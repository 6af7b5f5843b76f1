"""Least squares for curves with common or separate shapes and shifts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.pharmacology.antagonism import log_dose_ratio

Ints = NDArray[np.intp]
#: Starting values: one number for all curves, or one for each.
Start: TypeAlias = Mapping[str, Floats | float]

_LN10 = math.log(10.0)
_TINY = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Measured responses, each belonging to one curve."""

    x: Floats  #: Centred logarithm of the agonist; minus infinity for none; shape (n_points,)
    y: Floats  #: Response, between about 0 and 1; shape (n_points,)
    weight: Floats  #: Square roots of the weights; shape (n_points,)
    curve: Ints  #: Curve of each point; shape (n_points,)
    b: Floats  #: Centred logarithm of the antagonist; minus infinity for controls; shape (n_curves,)
    tissue: Ints  #: Tissue of each curve; the control comes first in each tissue; shape (n_curves,)

    @property
    def n_curves(self) -> int:
        """Number of curves."""
        return len(self.b)

    @property
    def n_tissues(self) -> int:
        """Number of tissues."""
        return int(self.tissue.max()) + 1

    def mean_control(self, of_curves: Floats) -> Floats:
        """Mean of a number over the controls of a tissue, for each curve of the tissue."""
        control = ~np.isfinite(self.b)
        sums = np.bincount(self.tissue, np.where(control, of_curves, 0.0))
        return np.asarray((sums / np.bincount(self.tissue, control))[self.tissue])


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Parameters that the curves share."""

    #: Whether the curves of a tissue have a common maximum and Hill slope, or separate ones
    top: str = "tissue"
    hill: str = "tissue"
    #: Whether the curves of a tissue shift by Gaddum and Schild's equation, not at all, or freely
    shift: str = "schild"
    #: Parameters that are not fitted: ``bottom``, ``top``, ``slope``, ``pa2``
    held: Mapping[str, float] = field(default_factory=dict)

    def share(self, name: str) -> str:
        """Level at which a parameter has separate values: ``tissue``, ``curve`` or ``all``."""
        own = {"bottom": "tissue", "top": self.top, "log_hill": self.hill, "pa2": "all", "slope": "all"}
        return own.get(name, "curve" if self.shift == "curve" else "tissue")

    def names(self, points: Points) -> list[tuple[str, int]]:
        """Name of each fitted parameter, and its tissue or curve."""
        fitted = ["bottom", "top", "log_hill", "log_ec50", *(("pa2", "slope") if self.shift == "schild" else ())]
        count = {"tissue": points.n_tissues, "curve": points.n_curves, "all": 1}
        return [(name, k) for name in fitted if name not in self.held for k in range(count[self.share(name)])]


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

    def value(self, name: str, of: int = 0) -> float:
        """Value of a parameter, fixed or fitted; of one tissue or curve, or of all."""
        if name in self.form.held:
            return float(self.form.held[name])
        return float(self.theta[self.names.index((name, of))])

    def by_curve(self, name: str, points: Points) -> Floats:
        """Values of a parameter for each curve, shape (n_curves,)."""
        place = {"all": np.zeros_like(points.tissue), "tissue": points.tissue}.get(
            self.form.share(name), np.arange(points.n_curves)
        )
        return np.array([self.value(name, int(k)) for k in place])

    def variance(self, name: str, of: int = 0) -> float:
        """Variance of a parameter; 0 if fixed."""
        if name in self.form.held:
            return 0.0
        k = self.names.index((name, of))
        return float(self.covariance[k, k])


def predict(form: Form, points: Points, theta: Floats, *, jacobian: bool = True) -> tuple[Floats, Floats]:
    """Responses of a form at the points, and their derivatives with respect to the fitted parameters."""
    from scipy.special import expit

    names = form.names(points)
    place = {"all": np.zeros_like(points.tissue), "tissue": points.tissue, "curve": np.arange(points.n_curves)}
    shape = {name: np.full(points.n_curves, value) for name, value in form.held.items()}
    for name in dict.fromkeys(name for name, _ in names):
        own = np.array([value for (other, _), value in zip(names, theta, strict=True) if other == name])
        shape[name] = own[place[form.share(name)]]
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
    columns = [np.where(place[form.share(name)][g] == k, by[name], 0.0) for name, k in names]
    return y, np.stack(columns, axis=1) if columns else np.empty((len(y), 0))


def least(form: Form, points: Points, starts: list[Start]) -> Fit:
    """Minimise from several starts and keep the best.

    ``points``: at least as many as there are parameters; ``starts``: ``bottom``, ``top``, ``log_hill``, ``log_ec50``,
    ``pa2`` and ``slope``, as one number or by curve. Returns the estimates with the covariance of the parameters.
    """
    names = tuple(form.names(points))
    by_tissue = np.unique(points.tissue, return_index=True)[1]
    first = {"all": np.zeros(1, dtype=np.intp), "tissue": by_tissue, "curve": np.arange(points.n_curves)}
    best: Fit | None = None
    for start in starts:
        wide = {name: np.broadcast_to(np.asarray(start[name], dtype=np.float64), points.n_curves) for name, _ in names}
        theta0 = np.array([wide[name][first[form.share(name)][k]] for name, k in names])
        found = _solve(form, points, names, theta0)
        if best is None or found.rss < best.rss:
            best = found
        if best.rss <= _TINY * len(points.y):
            break
    assert best is not None  # there is always a start
    return best


def _solve(form: Form, points: Points, names: tuple[tuple[str, int], ...], theta0: Floats) -> Fit:
    from scipy.optimize import least_squares

    # Where the data do not determine pA2 and slope they may diverge; such a step must be rejected, not fail.
    def residuals(theta: Floats) -> Floats:
        off = (predict(form, points, theta, jacobian=False)[0] - points.y) * points.weight
        return np.nan_to_num(off, nan=1e6, posinf=1e6, neginf=-1e6)

    def slopes(theta: Floats) -> Floats:
        return np.nan_to_num(predict(form, points, theta)[1] * points.weight[:, None], posinf=0.0, neginf=0.0)

    n = len(points.y)
    if len(theta0):
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
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
    x, y = points.x, points.y
    finite = np.isfinite(x)
    control = ~np.isfinite(points.b[points.curve])
    bottom, top = np.empty(points.n_curves), np.empty(points.n_curves)
    for tissue in range(points.n_tissues):
        here, curves = points.tissue[points.curve] == tissue, points.tissue == tissue
        low, high = np.quantile(x[control & finite & here], [0.0, 1.0])
        ends = float(np.mean(y[control & here & (x <= low)])), float(np.mean(y[control & here & (x >= high)]))
        if abs(ends[1] - ends[0]) < 0.05 * (np.ptp(y) or 1.0):
            ends = float(y[here].min()), float(y[here].max())
        bottom[curves], top[curves] = held.get("bottom", ends[0]), held.get("top", ends[1])
    grid = np.linspace(float(x[finite].min()) - 1.0, float(x[finite].max()) + 2.0, 121)
    found: list[Start] = []
    for hill in (1.0, 2.5, 0.5):
        x50 = np.empty(points.n_curves)
        for k in range(points.n_curves):
            at = points.curve == k
            with np.errstate(over="ignore"):
                drawn = bottom[k] + (top - bottom)[k] / (1.0 + 10.0 ** (hill * (grid[:, None] - x[at][None, :])))
            x50[k] = grid[int(np.argmin(((drawn - y[at]) ** 2 * points.weight[at] ** 2).sum(axis=1)))]
        with_b = np.isfinite(points.b)
        ratio = np.maximum(10.0 ** (x50 - points.mean_control(x50))[with_b] - 1.0, 0.05)
        slope = held.get("slope", 1.0)
        pa2 = held.get("pa2", float(np.mean(np.log10(ratio) / slope - points.b[with_b])) if with_b.any() else 0.0)
        # A control curve comes first in each tissue, so that the EC50 of the tissue starts from it.
        found.append(
            {"bottom": bottom, "top": top, "log_hill": math.log(hill), "log_ec50": x50, "pa2": pa2, "slope": slope}
        )
    return found


def profile(fit: Fit, points: Points, name: str) -> tuple[float | None, float | None]:
    """Limits of 95 % of a parameter by its profile: where the best sum of squares rises by the F quantile.

    ``name``: ``"pa2"`` or ``"slope"``. A limit is None where the profile stays below its threshold within four decades.
    """
    from scipy.optimize import brentq
    from scipy.stats import f as f_distribution

    best = fit.value(name)
    if fit.rss <= _TINY * fit.n or fit.df < 1:
        return (best, best) if fit.df >= 1 else (None, None)
    threshold = fit.rss * (1.0 + float(f_distribution.ppf(0.95, 1, fit.df)) / fit.df)
    se = math.sqrt(max(fit.variance(name), 0.0))
    if not 1e-9 < se < 4.0:
        se = 0.1
    limits: list[float | None] = []
    for sign in (-1.0, 1.0):
        at = dict(zip(fit.names, fit.theta, strict=True))

        # Each search begins where the last one ended and keeps its value, which could differ if found again.
        kept = {best: fit.rss - threshold}

        def excess(value: float, at: dict[tuple[str, int], float] = at, kept: dict[float, float] = kept) -> float:
            if value in kept:
                return kept[value]
            form = replace(fit.form, held={**fit.form.held, name: value})
            names = tuple(form.names(points))
            found = _solve(form, points, names, np.array([at[key] for key in names]))
            at.update(zip(found.names, found.theta, strict=True))
            kept[value] = found.rss - threshold
            return kept[value]

        inner, step, outer = best, 2.0 * se, None
        while step <= 4.0:
            if excess(best + sign * step) > 0:
                outer = best + sign * step
                break
            inner, step = best + sign * step, step * 1.6
        limits.append(None if outer is None else float(brentq(excess, inner, outer, xtol=1e-10, rtol=1e-12)))
    return limits[0], limits[1]


def highest_pa2(points: Points, held: Mapping[str, float], starts: list[Start]) -> float | None:
    """Upper 95 % limit of pA2 where the curves do not shift: there the sum of squares rises by the F quantile.

    ``held``: parameters that are not fitted, ``slope`` among them; ``starts``: as for `least`. Returns None where
    the data give no bound.
    """
    from scipy.optimize import brentq
    from scipy.stats import f as f_distribution

    def rss(value: float) -> float:
        return least(Form(held={**held, "pa2": value}), points, starts).rss

    none = least(Form(shift="none", held=held), points, starts)
    if none.df < 1:
        return None
    lowest = -float(points.b[np.isfinite(points.b)].max()) - 4.0
    grid = [lowest + 0.25 * step for step in range(41)]
    sums = [rss(value) for value in grid]
    threshold = min(none.rss, *sums) * (1.0 + float(f_distribution.ppf(0.95, 1, none.df)) / none.df)
    above = [value for value, found in zip(grid, sums, strict=True) if found <= threshold]
    if not above or above[-1] == grid[-1]:
        return None
    return float(brentq(lambda value: rss(value) - threshold, above[-1], above[-1] + 0.25, xtol=1e-10))
