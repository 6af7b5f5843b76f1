"""Figure of a run: outputs over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.figures import COLOURS, headline, panels, plain_powers, shade, time_scale

if TYPE_CHECKING:
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
    for axis, ((unit, ratio), same) in zip(axes, groups.items(), strict=False):
        for k, o in enumerate(same):
            colour = COLOURS[k % len(COLOURS)]
            t = np.asarray(o.time_h) / scale
            if len(o.values) > 1:
                shade(axis, t, o.quantile(0.05), o.quantile(0.95), colour)
                shade(axis, t, o.quantile(0.25), o.quantile(0.75), colour, 0.25)
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
    axes[-1].set_xlabel(f"time [{word}]")
    if title:
        headline(drawn, axes, title)
    return drawn
