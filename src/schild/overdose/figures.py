"""Charts of a rescue: courses of breathing and oxygen, and percentages of arrest."""

from __future__ import annotations

import numpy as np

from schild.figures import COLOURS, GREY, Chart, Picture
from schild.overdose.table import Rescued, Row

#: Largest number of rows in one panel; the bars below show all.
MOST = 5


def label(row: Row) -> str:
    """Name a row in a figure."""
    return ", ".join(x for x in (row.regimen, row.delay and f"after {row.delay}", row.tolerance) if x)


def draw(rescued: Rescued) -> Picture:
    """Draw breathing, arterial oxygen, and arrest with its interval, one colour for each row.

    Lines are medians of people with the middle half as a band; dashed lines are the typical person. After an
    arrest breathing is zero, and oxygen is left out.
    """
    rows = rescued.rows
    hours = rescued.horizon_s > 3.0 * 3600.0
    t = rescued.times_s / (3600.0 if hours else 60.0)
    breathing, oxygen, arrest = Chart(260.0), Chart(260.0), Chart(0.0)
    for chart, name, words in (
        (breathing, "ventilation", "breathing [L/min]"), (oxygen, "pao2", "arterial oxygen [mmHg]"),
    ):  # fmt: skip
        for k, row in enumerate(rows[:MOST]):
            _course(chart, t, row, name, COLOURS[k % len(COLOURS)])
        chart.x.label, chart.y.label = f"time after the opioid [{'hours' if hours else 'minutes'}]", words
        chart.y.lim, chart.legend = (0.0, None), "below"
    breathing.rule(y=0.4 * rescued.baseline_l_min, color=GREY)
    arrest.rows([label(row) for row in rows])
    for k, row in enumerate(rows):
        percent, low, high, _ = row.arrest()
        colour = COLOURS[k % len(COLOURS)] if k < MOST else GREY
        arrest.line([low, high], [k, k], color=colour, width=1.4)
        arrest.marks([percent], [k], color=colour, size=6.0)
    arrest.x.lim, arrest.x.label = (0.0, 100.0), "cardiac arrest [%]"
    caption = "Medians of people with the middle half; dashed: the typical person; dotted: limit of lost breathing."
    return Picture((breathing, oxygen, arrest), rescued.opioid, caption)


def _course(chart: Chart, t: np.ndarray, row: Row, name: str, colour: str) -> None:
    values = getattr(row.people, name)
    # Oxygen is not defined after an arrest: bands are of those whose heart beats.
    some = np.isfinite(values).any(axis=0)
    low, mid, high = np.nanquantile(values[:, some], (0.25, 0.5, 0.75), axis=0)
    chart.band(t[some], low, high, color=colour, alpha=0.15)
    chart.line(t[some], mid, color=colour, label=label(row))
    chart.line(t, getattr(row.typical, name)[0], color=colour, width=1.0, dashes="--")
