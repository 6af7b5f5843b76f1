"""Figure of a run: outputs over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.figures import COLOURS, headline, panels, plain_powers, shade, time_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from schild.simulation.output import Output


def draw(outputs: Sequence[Output], title: str = "", ax: Any = None) -> Figure | Any:
    """Draw outputs over time, one panel for each unit, populations as median with 50 % and 90 % bands."""
    groups: dict[tuple[str, bool], list[Output]] = {}
    for o in outputs:
        groups.setdefault((o.unit, o.kind.ratio), []).append(o)
    rows = max(len(groups), 1)
    axes, drawn = panels(rows, 1, (8.0, 0.9 + 2.6 * rows), ax, sharex=True)
    scale, word = time_scale(float(outputs[0].time_h[-1]) if outputs else 1.0)
    for axis, same in zip(axes, groups.values(), strict=False):
        for k, o in enumerate(same):
            _course(axis, o, COLOURS[k % len(COLOURS)], o.kind.words, scale)
        _dress(axis, same)
    axes[-1].set_xlabel(f"time [{word}]")
    if title:
        headline(drawn, axes, title)
    return drawn


def overlay(outputs: Mapping[str, Mapping[str, Output]], ax: Any = None) -> Figure | Any:
    """Draw the same outputs of several runs over one another, one panel for each output.

    ``outputs``: name of an output to label and course; ``ax``: panels to draw on. Returns the figure, or ``ax``.
    """
    rows = max(len(outputs), 1)
    axes, drawn = panels(rows, 1, (8.0, 0.9 + 2.6 * rows), ax, sharex=True)
    every = [o for arms in outputs.values() for o in arms.values()]
    scale, word = time_scale(max((float(o.time_h[-1]) for o in every), default=1.0))
    labels = list(dict.fromkeys(label for arms in outputs.values() for label in arms))
    for axis, arms in zip(axes, outputs.values(), strict=False):
        for label, o in arms.items():
            _course(axis, o, COLOURS[labels.index(label) % len(COLOURS)], label, scale)
        same = list(arms.values())
        _dress(axis, same)
        axis.set_title(same[0].kind.words, fontsize="medium")
    axes[-1].set_xlabel(f"time [{word}]")
    return drawn


def _course(axis: Axes, o: Output, colour: str, label: str, scale: float) -> None:
    t = np.asarray(o.time_h) / scale
    if len(o.values) > 1:
        shade(axis, t, o.quantile(0.05), o.quantile(0.95), colour)
        shade(axis, t, o.quantile(0.25), o.quantile(0.75), colour, 0.25)
    axis.plot(t, o.value, color=colour, label=label, linewidth=1.6)


def _dress(axis: Axes, same: Sequence[Output]) -> None:
    """Set axes, scale and legend of a panel whose outputs have one unit."""
    unit, ratio = same[0].unit, same[0].kind.ratio
    axis.set_ylabel({"1": "ratio" if ratio else "fraction"}.get(unit, unit))
    if unit == "1" and not ratio:
        axis.set_ylim(-0.02, 1.02)
    elif same[0].kind.logarithmic and (top := max(float(np.nanmax(o.value, initial=0.0)) for o in same)) > 0:
        # Concentrations more than three decades below the peak are not measured, so the axis ends there.
        axis.set_yscale("log")
        plain_powers(axis.yaxis)
        axis.set_ylim(top / 2000, top * 4)
    axis.grid(alpha=0.25)
    axis.legend(loc="best", fontsize="small", frameon=False)
