"""Figure of a rescue: courses of breathing and oxygen, and percentages of arrest."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.figures import COLOURS, GREY, headline, panels, shade
from schild.overdose.table import Rescued, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Largest number of rows in one panel; the bars below show all.
MOST = 5


def label(row: Row) -> str:
    """Name a row in a figure."""
    return ", ".join(x for x in (row.regimen, row.delay and f"after {row.delay}", row.tolerance) if x)


def draw(rescued: Rescued, ax: Any = None) -> Figure | Any:
    """Draw breathing, arterial oxygen, and arrest with its interval, one colour for each row.

    ``ax``: three panels to draw on; a new figure by default. Lines are medians of people with the middle half
    as a band; dashed lines are the typical person. After an arrest breathing is zero, and oxygen is left
    out.
    """
    rows = rescued.rows
    bars = 0.7 + 0.36 * len(rows)
    axes, drawn = panels(3, 1, (8.0, 5.6 + bars), ax, height_ratios=[2.6, 2.6, bars])
    top, middle, bottom = axes
    hours = rescued.horizon_s > 3.0 * 3600.0
    t = rescued.times_s / (3600.0 if hours else 60.0)
    if ax is None:
        middle.sharex(top)
    for axis, name, unit in ((top, "ventilation", "breathing [L/min]"), (middle, "pao2", "arterial oxygen [mmHg]")):
        for k, row in enumerate(rows[:MOST]):
            _course(axis, t, row, name, COLOURS[k % len(COLOURS)])
        axis.set_ylabel(unit)
        axis.grid(alpha=0.25)
        axis.set_ylim(bottom=0.0)
    top.axhline(0.4 * rescued.baseline_l_min, color=GREY, linewidth=1, linestyle=":")
    top.legend(loc="best", fontsize="small", frameon=False)
    middle.set_xlabel(f"time after the opioid [{'hours' if hours else 'minutes'}]")
    for k, row in enumerate(rows):
        percent, low, high, _ = row.arrest()
        colour = COLOURS[k % len(COLOURS)] if k < MOST else GREY
        bottom.errorbar(percent, k, xerr=[[percent - low], [high - percent]], fmt="o", color=colour, capsize=3)
    bottom.set_yticks(range(len(rows)), [fill(label(row), 24) for row in rows], fontsize="small")
    bottom.invert_yaxis()
    bottom.set_xlim(0, 100)
    bottom.set_ylim(len(rows) - 0.5, -0.5)
    bottom.set_xlabel("cardiac arrest [%]")
    bottom.grid(alpha=0.25, axis="x")
    headline(drawn, axes, rescued.opioid)
    return drawn


def _course(axis: Axes, t: np.ndarray, row: Row, name: str, colour: str) -> None:
    values = getattr(row.people, name)
    # Oxygen is not defined after an arrest: bands are of those whose heart beats.
    some = np.isfinite(values).any(axis=0)
    low, mid, high = np.nanquantile(values[:, some], (0.25, 0.5, 0.75), axis=0)
    shade(axis, t[some], low, high, colour)
    axis.plot(t[some], mid, color=colour, linewidth=1.6, label=label(row))
    axis.plot(t, getattr(row.typical, name)[0], color=colour, linewidth=1.0, linestyle="--")
