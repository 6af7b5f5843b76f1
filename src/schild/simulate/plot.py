"""Figures of outputs over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from schild.simulate.output import Output

#: Colours that people with any kind of colour vision can tell apart (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def draw(outputs: Sequence[Output], title: str = "") -> Figure:
    """Draw outputs over time, one panel for each unit, populations as median with 50 % and 90 % bands."""
    from matplotlib.figure import Figure

    panels: dict[tuple[str, bool], list[Output]] = {}
    for o in outputs:
        panels.setdefault((o.unit, o.kind.ratio), []).append(o)
    figure = Figure(figsize=(8.0, 0.9 + 2.6 * max(len(panels), 1)), layout="constrained")
    axes = figure.subplots(max(len(panels), 1), 1, sharex=True, squeeze=False)[:, 0]
    span = float(outputs[0].time_h[-1]) if outputs else 1.0
    scale, word = (24.0, "days") if span > 72 else ((1.0, "hours") if span > 2 else (1 / 60.0, "minutes"))
    for axis, ((unit, ratio), same) in zip(axes, panels.items(), strict=False):
        for k, o in enumerate(same):
            colour = COLOURS[k % len(COLOURS)]
            t = np.asarray(o.time_h) / scale
            if len(o.values) > 1:
                axis.fill_between(t, o.quantile(0.05), o.quantile(0.95), color=colour, alpha=0.15, linewidth=0)
                axis.fill_between(t, o.quantile(0.25), o.quantile(0.75), color=colour, alpha=0.25, linewidth=0)
            axis.plot(t, o.value, color=colour, label=o.kind.words, linewidth=1.6)
        axis.set_ylabel({"1": "ratio" if ratio else "fraction"}.get(unit, unit))
        if unit == "1" and not ratio:
            axis.set_ylim(-0.02, 1.02)
        elif same[0].kind.logarithmic and (top := max(float(np.nanmax(o.value, initial=0.0)) for o in same)) > 0:
            # Concentrations span decades; what lies three decades below the peak is not measured by anyone.
            axis.set_yscale("log")
            plain_powers(axis.yaxis)
            axis.set_ylim(top / 2000, top * 4)
        axis.grid(alpha=0.25)
        axis.legend(loc="best", fontsize="small", frameon=False)
    if len(axes):
        axes[-1].set_xlabel(f"time [{word}]")
    if title:
        figure.suptitle(title, fontsize="medium")
    return figure


def plain_powers(axis: Axis) -> None:
    """Label powers of ten in plain letters: a figure may be shown where formulas are not read."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    def power(x: float, _: int) -> str:
        raised = str(round(float(np.log10(x)))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{x:g}" if 1e-3 < x < 1e4 else f"10{raised}"

    axis.set_major_locator(LogLocator(numticks=9))
    axis.set_major_formatter(FuncFormatter(power))
    axis.set_minor_formatter(NullFormatter())
