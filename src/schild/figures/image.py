"""Charts as panels of an image, drawn by matplotlib: for ``plot()`` and files of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.errors import InputError
from schild.figures.chart import Chart
from schild.textfile import without_controls

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

#: Most characters in a line of text of a figure.
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Picture:
    """Charts of a result: pages write each as SVG, an image has them as panels."""

    charts: Sequence[Chart]
    title: str = ""  #: Above an image
    caption: str = ""  #: How to read it, below it on a page
    columns: int = 1  #: Panels side by side in an image

    def image(self, ax: Any = None) -> Figure | Any:
        """Draw the charts with matplotlib, on ``ax`` row by row or as a new figure; None where nothing is to be drawn.

        Raises InputError for another number of panels than there are charts.

        >>> chart = Chart(200.0)
        >>> chart.line([0, 1, 2], [0, 1, 4], color="#0072B2")
        >>> len(Picture([chart]).image().axes)
        1
        """
        if not self.charts:
            return None
        rows, wide = -(-len(self.charts) // self.columns), 8.0 if self.columns == 1 else 4.6 * self.columns
        high = [max(c.height for c in self.charts[k * self.columns :][: self.columns]) / 72 for k in range(rows)]
        given = list(np.asarray(ax, dtype=object).ravel())
        if ax is None:
            from matplotlib.figure import Figure

            figure = Figure(figsize=(wide, 0.3 + sum(high)), layout="constrained")
            figure._repr_png_ = partial(_png, figure)  # type: ignore[attr-defined]  # for notebooks, without pyplot
            figure.suptitle(self.title, fontsize="medium")
            given = list(figure.subplots(rows, self.columns, squeeze=False, height_ratios=high).flat)
        if len(given) != len(self.charts):
            raise InputError(
                f"{len(given)} axes were given as ax; this figure has {len(self.charts)} panels. Give as many, or "
                "leave ax out for a new figure."
            )
        for chart, axes in zip(self.charts, given, strict=True):
            _draw(chart, axes)
        return figure if ax is None else ax


def _draw(chart: Chart, axes: Axes) -> None:
    for over, _, (method, args, options) in chart.drawn:
        getattr(axes, method)(*args, zorder=over, **options)
    for axis, letter, lines in ((chart.x, "x", axes.xaxis), (chart.y, "y", axes.yaxis)):
        if axis.log:
            axes.set(**{f"{letter}scale": "log"})
            _plain_powers(lines)
        axes.set(**{f"{letter}label": axis.label, f"{letter}lim": axis.limits()})
        if axis.ticks is not None:
            lines.set_ticks(list(axis.ticks), axis.words or None, minor=False)
            axes.minorticks_off()
    axes.set_title(chart.title, fontsize="medium")
    if chart.grid:
        axes.grid(alpha=0.25)
    if chart.named and chart.legend:
        axes.legend(loc="best" if chart.legend == "below" else chart.legend, fontsize="small", frameon=False)


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def plain_texts(figure: Figure) -> None:
    """Show the texts of a figure as a user wrote them: a dollar sign begins no formula, and controls are blanks.

    A line of more than ``LONGEST`` characters is cut, since it would leave no room for the panels.
    """
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        said = text.get_text()
        if "$" in said:
            text.set_parse_math(False)
        plain = "\n".join(
            line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in without_controls(said).split("\n")
        )
        if plain != said:
            text.set_text(plain)


def _plain_powers(axis: Axis) -> None:
    """Label powers of ten in plain letters: a figure may be shown where formulas are not read."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    def power(x: float, _: int) -> str:
        raised = str(round(float(np.log10(x)))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{x:g}" if 1e-3 < x < 1e4 else f"10{raised}"

    axis.set_major_locator(LogLocator(numticks=9))
    axis.set_major_formatter(FuncFormatter(power))
    axis.set_minor_formatter(NullFormatter())
