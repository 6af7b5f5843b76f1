"""Charts of Schild analyses: curves, and the classical plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from schild.figures import COLOURS, GREY, INK, Chart, Picture

if TYPE_CHECKING:
    from schild.analysis.curves import ModelCurves
    from schild.analysis.fit_result import SchildFit
    from schild.analysis.regression import Line, SchildRegression

#: From much antagonist to little, between which the colours of curves lie (red, green and blue).
_SCALE = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (180, 200, 40)], dtype=np.float64)


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.2f}"


def draw_fit(fit: SchildFit) -> Picture:
    """Draw data with fitted curves, and dose ratios with the Schild line."""
    left, right = Chart(300.0), Chart(300.0)
    level, agonist, y = (fit.table.numbers(name) for name in ("antagonist", "agonist", "response"))
    several = len(fit.tissues) > 1
    tissue = np.array(fit.table.words("tissue" if "tissue" in fit.table.columns else "curve"))
    positive = agonist[agonist > 0]
    grid = np.geomspace(positive.min() / 2, positive.max() * 2, 200)
    levels = sorted(set(level.tolist()))
    for k, b in enumerate(levels):
        colour = _shade(k, len(levels))
        for j, one in enumerate(fit.tissues):
            here = (level == b) & (agonist > 0) & ((tissue == one) | (not several))
            if not here.any():
                continue
            left.marks(agonist[here], y[here], "os^Dv<>X"[j % 8], color=colour, size=5.0, alpha=0.75)
            label = "" if j else "without antagonist" if b == 0 else f"{b:g} {fit.antagonist.unit}"
            left.line(grid, fit.predict(b, grid, one), color=colour, width=1.5, label=label)
    left.x.log, left.legend = True, "below"
    left.x.label = f"agonist [{fit.agonist.unit}]"
    left.y.label = f"response [{fit.response_unit}]" if fit.response_unit else "response"

    used = [r for r in fit.ratios if r.ratio > 1 and np.isfinite(r.ratio)]
    x = np.log10([r.level for r in used]) + fit.antagonist.log_factor
    if used:
        low = [np.log10(max(r.low - 1, 1e-2 * (r.ratio - 1))) for r in used]
        high = [np.log10(max(r.high, r.ratio) - 1) for r in used]
        right.whiskers(x, None, low, high, color=COLOURS[0], width=1.2)
        middle = np.log10([r.ratio - 1 for r in used])
        right.marks(x, middle, color=COLOURS[0], size=6.0, label="dose ratios (95 %)")
    pa2, slope = fit["pa2"], fit["slope"]
    pkb = fit["pkb"] if "pkb" in fit.estimates else None
    if pa2.value is None or slope.value is None:
        limit = None if pkb is None else pkb.profile_high
        ends = _ends(x if used else [0.0], x[0] if used else 0.0)
        right.title = f"no shift is seen: pKB below {_number(limit)}"
    else:
        ends = _ends(x, -pa2.value)
        words = f"global fit: pA2 {_number(pa2.value)}, slope {_number(slope.value)}"
        right.line(ends, slope.value * (ends + pa2.value), color=COLOURS[0], width=1.5, label=words)
        if pkb is not None and pkb.value is not None and not slope.held:
            words = f"slope 1: pKB {_number(pkb.value)}"
            right.line(ends, ends + pkb.value, color=GREY, width=1.2, dashes="--", label=words)
    _classical(right, fit.line, ends, COLOURS[1], "regression", ":")
    _schild_axes(right, fit.antagonist.canonical)
    return Picture((left, right), fit.title, columns=2)


def draw_regression(found: SchildRegression) -> Picture:
    """Draw the Schild plot of each series."""
    chart = Chart(300.0)
    series = [name for name in found.lines if name != "all"] or ["all"]
    every = np.concatenate([found.lines[name].log_b for name in series])
    ends = _ends(every, -found.lines[series[-1]].pkb)
    for k, name in enumerate(series):
        line, colour = found.lines[name], COLOURS[k % len(COLOURS)]
        chart.marks(line.log_b, line.log_dr_1, color=colour, size=6.0)
        _classical(chart, line, ends, colour, name if name != "all" else "regression", "-")
    if "all" in found.lines and len(series) > 1:
        pkb = found.lines["all"].pkb
        chart.line(ends, ends + pkb, color=GREY, width=1.2, dashes="--", label=f"all, slope 1: {_number(pkb)}")
    _schild_axes(chart, found.scale.canonical)
    return Picture([chart], found.title)


def draw_curves(curves: ModelCurves) -> Picture:
    """Draw agonist curves of the model over C/Kd."""
    chart = Chart(300.0)
    for k, (label, y) in enumerate(zip(curves.labels, curves.response, strict=True)):
        words = "without antagonist" if label == "without" else label
        chart.line(curves.agonist_load, y, color=_shade(k, len(curves.labels)), label=words)
    chart.x.log, chart.x.label, chart.legend = True, "agonist at the receptor, C/Kd", "below"
    chart.y.lim = (-0.02, 1.02)
    chart.y.label = "occupied by the agonist"
    return Picture([chart], curves.title)


def _shade(k: int, n: int) -> str:
    """Ink for the control, then one scale from light to dark."""
    if k == 0:
        return INK
    at = 4.0 * (1 - (k - 1) / max(n - 2, 1))
    red, green, blue = (round(float(np.interp(at, range(5), _SCALE[:, j]))) for j in range(3))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _ends(x: Any, zero: float) -> Any:
    points = [*x, zero]
    return np.array([min(points) - 0.25, max(points) + 0.25])


def _classical(chart: Chart, line: Line, ends: Any, colour: str, name: str, dashes: str) -> None:
    if np.isfinite(line.slope):
        words = f"{name}: pA2 {_number(line.pa2)}, slope {_number(line.slope)}"
        chart.line(ends, line.intercept + line.slope * ends, color=colour, width=1.1, dashes=dashes, label=words)


def _schild_axes(chart: Chart, unit: str) -> None:
    chart.rule(y=0.0, dashes="-", color=GREY)
    chart.x.label, chart.y.label = f"log10 antagonist [{unit}]", "log10 (dose ratio - 1)"
    chart.legend = "below"  # no line without a shift
