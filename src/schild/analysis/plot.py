"""Figures of Schild analyses: curves, and the classical plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from schild.figures import COLOURS, headline, panels, plain_powers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from schild.analysis.curves import ModelCurves
    from schild.analysis.fit_result import SchildFit
    from schild.analysis.regression import Line, SchildRegression


def _panels(columns: int, title: str, ax: Any) -> tuple[list[Any], Figure | Any]:
    axes, drawn = panels(1, columns, (4.9 * columns, 4.1), ax)
    for axis in axes:
        axis.grid(alpha=0.25)
    headline(drawn, axes, title)
    return axes, drawn


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.2f}"


def draw_fit(fit: SchildFit, ax: Any = None) -> Figure | Any:
    """Draw data with fitted curves, and dose ratios with the Schild line."""
    (left, right), drawn = _panels(2, fit.title, ax)
    level, agonist, y = (fit.table.numbers(name) for name in ("antagonist", "agonist", "response"))
    several = len(fit.tissues) > 1
    tissue = np.array(fit.table.words("tissue" if "tissue" in fit.table.columns else "curve"))
    positive = agonist[agonist > 0]
    low, high = positive.min(), positive.max()
    grid = np.geomspace(low / 2, high * 2, 200)
    levels = sorted(set(level.tolist()))
    for k, b in enumerate(levels):
        colour = _shade(k, len(levels))
        for j, one in enumerate(fit.tissues):
            here = (level == b) & (agonist > 0) & ((tissue == one) | (not several))
            if not here.any():
                continue
            left.plot(agonist[here], y[here], "os^Dv<>p"[j % 8], color=colour, markersize=4, alpha=0.75)
            label = None if j else "without" if b == 0 else f"{b:g} {fit.antagonist.unit}"
            left.plot(grid, fit.predict(b, grid, one), color=colour, linewidth=1.5, label=label)
    _log_axis(left)
    left.set_xlabel(f"agonist [{fit.agonist.unit}]")
    left.set_ylabel(f"response [{fit.response_unit}]" if fit.response_unit else "response")
    left.legend(title="antagonist", fontsize="small", title_fontsize="small", frameon=False)

    used = [r for r in fit.ratios if r.ratio > 1 and np.isfinite(r.ratio)]
    x = np.log10([r.level for r in used]) + fit.antagonist.log_factor
    mid = np.log10([r.ratio - 1 for r in used])
    bars = np.array(
        [
            (m - np.log10(max(r.low - 1, 1e-2 * (r.ratio - 1))), np.log10(max(r.high, r.ratio) - 1) - m)
            for m, r in zip(mid, used, strict=True)
        ]
    ).T
    if used:
        right.errorbar(x, mid, yerr=bars, fmt="o", color=COLOURS[0], markersize=5, capsize=3, linewidth=1.2,
                       label="dose ratios (95 %)")  # fmt: skip
    pa2, slope = fit["pa2"], fit["slope"]
    pkb = fit["pkb"] if "pkb" in fit.estimates else None
    if pa2.value is None or slope.value is None:
        limit = None if pkb is None else pkb.profile_high
        ends = _ends(x if used else [0.0], x[0] if used else 0.0)
        right.set_title(f"no shift is seen: pKB below {_number(limit)}", fontsize="small")
    else:
        ends = _ends(x, -pa2.value)
        right.plot(ends, slope.value * (ends + pa2.value), color=COLOURS[0], linewidth=1.5,
                   label=f"global fit: pA2 {_number(pa2.value)}, slope {_number(slope.value)}")  # fmt: skip
        if pkb is not None and pkb.value is not None and not slope.held:
            right.plot(ends, ends + pkb.value, color="0.35", linewidth=1.2, linestyle="--",
                       label=f"slope 1: pKB {_number(pkb.value)}")  # fmt: skip
    _classical(right, fit.line, ends, COLOURS[1], "regression")
    _schild_axes(right, fit.antagonist.canonical)
    return drawn


def draw_regression(found: SchildRegression, ax: Any = None) -> Figure | Any:
    """Draw the Schild plot of each series."""
    (axis,), drawn = _panels(1, found.title, ax)
    series = [name for name in found.lines if name != "all"] or ["all"]
    every = np.concatenate([found.lines[name].log_b for name in series])
    ends = _ends(every, -found.lines[series[-1]].pkb)
    for k, name in enumerate(series):
        line, colour = found.lines[name], COLOURS[k % len(COLOURS)]
        axis.plot(line.log_b, line.log_dr_1, "o", color=colour, markersize=5)
        _classical(axis, line, ends, colour, name if name != "all" else "regression", "-")
    if "all" in found.lines and len(series) > 1:
        pkb = found.lines["all"].pkb
        axis.plot(ends, ends + pkb, color="0.35", linewidth=1.2, linestyle="--",
                  label=f"all, slope 1: {_number(pkb)}")  # fmt: skip
    _schild_axes(axis, found.scale.canonical)
    return drawn


def draw_curves(curves: ModelCurves, ax: Any = None) -> Figure | Any:
    """Draw agonist curves of the model over C/Kd."""
    (axis,), drawn = _panels(1, curves.title, ax)
    for k, (label, y) in enumerate(zip(curves.labels, curves.response, strict=True)):
        axis.plot(curves.agonist_load, y, color=_shade(k, len(curves.labels)), linewidth=1.6, label=label)
    _log_axis(axis)
    axis.set_ylim(-0.02, 1.02)
    axis.set_xlabel("agonist at the receptor, C/Kd")
    axis.set_ylabel("occupied by the agonist" if curves.manifest.get("tau") is None else "effect")
    axis.legend(title="antagonist", fontsize="small", title_fontsize="small", frameon=False)
    return drawn


def _log_axis(axis: Any) -> None:
    axis.set_xscale("log")
    plain_powers(axis.xaxis)


def _shade(k: int, n: int) -> Any:
    """Black for the control, then one scale from light to dark."""
    from matplotlib import colormaps

    return "black" if k == 0 else colormaps["viridis"](0.85 * (1 - (k - 1) / max(n - 2, 1)))


def _ends(x: Any, zero: float) -> Any:
    points = [*x, zero]
    return np.array([min(points) - 0.25, max(points) + 0.25])


def _classical(axis: Any, line: Line, ends: Any, colour: str, name: str, style: str = ":") -> None:
    if np.isfinite(line.slope):
        axis.plot(ends, line.intercept + line.slope * ends, color=colour, linewidth=1.1, linestyle=style,
                  label=f"{name}: pA2 {_number(line.pa2)}, slope {_number(line.slope)}")  # fmt: skip


def _schild_axes(axis: Any, unit: str) -> None:
    axis.axhline(0, color="0.6", linewidth=0.8)
    axis.set_xlabel(f"log10 antagonist [{unit}]")
    axis.set_ylabel("log10 (dose ratio - 1)")
    if axis.get_legend_handles_labels()[0]:  # no line without a shift
        axis.legend(fontsize="x-small", frameon=False)
