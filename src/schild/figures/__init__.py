"""Figures: charts that pages write as SVG and ``plot()`` draws as images, their colours and scale of time."""

from __future__ import annotations

from schild.figures.chart import Axis, Chart, Place, folded, stairs
from schild.figures.image import Picture, plain_texts
from schild.figures.sheet import INK, WIDTH, with_foot

__all__ = [
    "COLOURS", "GREY", "INK", "WIDTH", "Axis", "Chart", "Picture", "Place", "folded", "plain_texts",
    "stairs", "time_scale", "with_foot",
]  # fmt: skip

#: Colours that people with any kind of colour vision can tell apart (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

#: For lines that only guide the eye.
GREY = "#888888"


def time_scale(span_h: float) -> tuple[float, str]:
    """Choose the unit of a time axis: hours in one of it, and its name.

    Examples
    --------
    >>> time_scale(1.0)[1], time_scale(24.0)[1], time_scale(240.0)
    ('minutes', 'hours', (24.0, 'days'))
    """
    return (24.0, "days") if span_h > 72 else ((1.0, "hours") if span_h > 2 else (1 / 60.0, "minutes"))
