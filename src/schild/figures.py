"""Figures: colours, panels, bands and axes shared by all figures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.errors import InputError
from schild.textfile import without_controls

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "GREY", "headline", "panels", "plain_powers", "plain_texts", "shade", "time_scale"]

#: Colours that people with any kind of colour vision can tell apart (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

#: Most characters in a line of text of a figure.
LONGEST = 100

#: For lines that only guide the eye.
GREY = "#888888"


def panels(
    rows: int, columns: int, size: tuple[float, float], ax: Any = None, **layout: Any
) -> tuple[list[Axes], Figure | Any]:
    """Make the panels of a figure, or take those that were given.

    ``rows`` and ``columns``: of panels; ``size``: width and height of a new figure [inch]; ``ax``: panels to draw on,
    row by row; ``layout``: as for ``Figure.subplots``, for a new figure. Returns the panels, and what ``plot`` gives
    back: the new figure, or ``ax``. Raises InputError for another number of panels than the figure has.

    >>> axes, figure = panels(1, 2, (6.0, 3.0))
    >>> len(axes), panels(1, 1, (3.0, 3.0), axes[0])[1] is axes[0]
    (2, True)
    """
    if ax is None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
        figure._repr_png_ = partial(_png, figure)  # type: ignore[attr-defined]  # a notebook shows it without pyplot
        return list(figure.subplots(rows, columns, squeeze=False, **layout).flat), figure
    given = list(np.asarray(ax, dtype=object).ravel())
    if len(given) != rows * columns:
        raise InputError(
            f"{len(given)} axes were given as ax; this figure has {rows * columns} panels. Give as many, or leave ax "
            "out for a new figure."
        )
    return given, ax


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def headline(drawn: Figure | Any, axes: Sequence[Axes], title: str) -> None:
    """Put a title above a figure, or above the first panel where panels were given."""
    if hasattr(drawn, "suptitle"):
        drawn.suptitle(title, fontsize="medium")
    else:
        axes[0].set_title(title, fontsize="medium")


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


def shade(axis: Axes, t: Any, low: Any, high: Any, colour: str, alpha: float = 0.15, **options: Any) -> None:
    """Fill a band between two lines."""
    axis.fill_between(t, low, high, color=colour, alpha=alpha, linewidth=0, **options)


def time_scale(span_h: float) -> tuple[float, str]:
    """Choose the unit of a time axis: hours in one of it, and its name.

    >>> time_scale(1.0)[1], time_scale(24.0)[1], time_scale(240.0)
    ('minutes', 'hours', (24.0, 'days'))
    """
    return (24.0, "days") if span_h > 72 else ((1.0, "hours") if span_h > 2 else (1 / 60.0, "minutes"))


def plain_powers(axis: Axis) -> None:
    """Label powers of ten in plain letters: a figure may be shown where formulas are not read."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    def power(x: float, _: int) -> str:
        raised = str(round(float(np.log10(x)))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{x:g}" if 1e-3 < x < 1e4 else f"10{raised}"

    axis.set_major_locator(LogLocator(numticks=9))
    axis.set_major_formatter(FuncFormatter(power))
    axis.set_minor_formatter(NullFormatter())
