"""Matplotlib figures as SVG that sits in a page: text stays text, ink follows light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any

from schild.figures import plain_texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Colour that the page replaces by its own text colour.
INK = "#010203"
#: Replaced by the page's background.
PAPER = "#fdfefc"

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": "#888888",
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


@contextmanager
def draw_on() -> Iterator[None]:
    """Draw in the style of pages inside the block."""
    import matplotlib as mpl

    with mpl.rc_context(_SETTINGS):
        yield


def new_figure(width: float = 7.2, height: float = 3.2) -> Figure:
    """Return an empty figure; call it inside ``draw_on``."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def svg_of(figure: Figure, key: str, alt: str) -> str:
    """Write a figure as inline SVG.

    ``figure``: drawn inside ``draw_on``; ``key``: unique on the page; ids start with it; ``alt``: what the figure
    shows, for people who do not see it. Returns an ``svg`` element without declaration, metadata or addresses to load.

    >>> with draw_on():
    ...     f = new_figure()
    ...     _ = f.subplots().plot([0, 1], [0, 1])
    ...     svg_of(f, "a", "a line")[:21]
    '<svg role="img" aria-'
    """
    import html

    import matplotlib as mpl

    buffer = StringIO()
    plain_texts(figure)
    with mpl.rc_context({**_SETTINGS, "svg.hashsalt": key}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1">', text, count=1)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{key}-\1"', text)
    text = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{key}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{key}-\1)", text)
    text = text.replace(INK, "currentColor").replace(PAPER, "var(--paper)")
    text = re.sub(r"\s*\n\s*", "\n", text)
    label = html.escape(alt, quote=True)
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1).strip()
