"""What figures of an answer are made of: panels, bands, columns of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schild.figures import COLOURS
from schild.report import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "GREEN",
    "ORANGE",
    "PINK",
    "YELLOW",
    "Columns",
    "Drawn",
    "axes_of",
    "band",
    "even",
    "keep_in",
    "legend_above",
]

Floats = NDArray[np.floating]
Columns = dict[str, list[Any]]

BLUE, ORANGE, GREEN, PINK, YELLOW, _, _ = COLOURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A figure for a page: drawing, alternative text, caption, the numbers behind it."""

    svg: str
    caption: str
    data: Columns


def axes_of(n: int, height: float = 3.1) -> tuple[Figure, list[Axes]]:
    """Panels side by side."""
    figure = new_figure(7.4, height)
    return figure, list(figure.subplots(1, n, squeeze=False)[0])


def legend_above(figure: Figure, axis: Axes, columns: int) -> None:
    """One legend for all panels, above them."""
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=columns)


def band(
    axis: Axes, t: Floats, y: Floats, low: Floats, high: Floats, colour: str, label: str, style: str = "-"
) -> None:
    """Line with its band."""
    axis.fill_between(t, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.plot(t, y, color=colour, label=label, linewidth=1.7, linestyle=style)


def keep_in(data: Columns, name: str, *values: Floats) -> None:
    """Keep the numbers behind a line, with the ends of its band."""
    for suffix, column in zip(("", " 5 %", " 95 %"), values, strict=False):
        data[name + suffix] = [float(v) for v in column]


def even(data: Columns) -> Columns:
    """Columns of one length, for a table."""
    longest = max(len(column) for column in data.values())
    return {name: [*column, *[""] * (longest - len(column))] for name, column in data.items()}
