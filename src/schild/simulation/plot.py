"""Charts of a run: outputs over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from schild.figures import COLOURS, Chart, Picture, time_scale

if TYPE_CHECKING:
    from schild.simulation.output import Output


def draw(outputs: Sequence[Output], title: str = "") -> Picture:
    """Draw outputs over time, one chart for each unit, populations as median with 50 % and 90 % bands."""
    groups: dict[tuple[str, bool], list[Output]] = {}
    for o in outputs:
        groups.setdefault((o.unit, o.kind.ratio), []).append(o)
    end = float(outputs[0].time_h[-1]) if outputs else 1.0
    return Picture([_chart([(o.kind.words, k, o) for k, o in enumerate(same)], end) for same in groups.values()], title)


def overlay(outputs: Mapping[str, Mapping[str, Output]]) -> Picture:
    """Draw the same outputs of several runs over one another, one chart for each output.

    ``outputs``: name of an output to label and course.
    """
    labels = list(dict.fromkeys(label for arms in outputs.values() for label in arms))
    end = max((float(o.time_h[-1]) for arms in outputs.values() for o in arms.values()), default=1.0)
    charts = []
    for arms in outputs.values():
        charts.append(_chart([(label, labels.index(label), o) for label, o in arms.items()], end))
        charts[-1].title = next(iter(arms.values())).kind.words
    return Picture(charts)


def _chart(courses: Sequence[tuple[str, int, Output]], end: float) -> Chart:
    """Draw courses of one unit: their labels, the places of their colours, and their outputs."""
    chart, (scale, word) = Chart(240.0), time_scale(end)
    for label, k, o in courses:
        t, colour = np.asarray(o.time_h) / scale, COLOURS[k % len(COLOURS)]
        if len(o.values) > 1:
            chart.band(t, o.quantile(0.05), o.quantile(0.95), color=colour, alpha=0.15)
            chart.band(t, o.quantile(0.25), o.quantile(0.75), color=colour, alpha=0.25)
        chart.line(t, o.value, color=colour, label=label)
    kind, unit = courses[0][2].kind, courses[0][2].unit
    chart.x.label, chart.y.label = f"time [{word}]", {"1": "ratio" if kind.ratio else "fraction"}.get(unit, unit)
    chart.legend = "below"
    if unit == "1" and not kind.ratio:
        chart.y.lim = (-0.02, 1.02)
    elif kind.logarithmic and (top := max(float(np.nanmax(o.value, initial=0.0)) for *_, o in courses)) > 0:
        # Concentrations more than three decades below the peak are not measured, so the axis ends there.
        chart.y.log, chart.y.lim = True, (top / 2000, top * 4)
    return chart
