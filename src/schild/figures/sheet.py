"""SVG that sits in a page, written compactly: text remains text, colours follow light and dark mode."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence

from schild.textfile import without_controls

#: Colour that the page replaces by its text colour.
INK = "#010203"
#: Width of a panel [px]: a phone of 390 px shows it at its own size.
WIDTH = 360
#: Size of the smallest text of a panel. [px]
SMALLEST = 11.0

#: Frequent styles (grid, ticks, frame, first lines and bands), which are in the style sheet of pages.
_CLASSES = {
    ' stroke="#888888" stroke-width="0.7" stroke-opacity="0.25"': ' class="g"',
    ' fill="currentColor" stroke="currentColor" stroke-width="0.8"': ' class="t"',
    ' stroke="currentColor" stroke-width="0.8"': ' class="f"',
    ' fill="currentColor" stroke="currentColor" stroke-width="0.6"': ' class="t"',
    ' stroke="#0072b2" stroke-width="1.7"': ' class="b"',
    ' stroke="#d55e00" stroke-width="1.7" stroke-dasharray="6.29 2.72"': ' class="r"',
    ' stroke="#009e73" stroke-width="1.7" stroke-dasharray="10.9 2.72 1.7 2.72"': ' class="v"',
    ' stroke="currentColor" stroke-width="0.8" stroke-dasharray="0.8 1.32"': ' class="d"',
    ' fill="#0072b2" fill-opacity="0.18"': ' class="p"',
    ' fill="#d55e00" fill-opacity="0.18"': ' class="q"',
}
#: A path that is one horizontal or vertical stroke: start, direction, length.
_STRAIGHT = re.compile(r"M([-\d.]+?) ?(-?[\d.]+)([hv])([-\d.]+)")
POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def with_foot(svg: str, foot: Sequence[str]) -> str:
    """Add lines of text below an existing drawing, at the text size of a column of a page.

    >>> with_foot('<svg viewBox="0 0 720 100"></svg>', ["a"])
    '<svg viewBox="0 0 720 133"><text x="0" y="122" font-size="22" opacity=".75">a</text></svg>'
    """
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if found is None or not foot:
        return svg
    wide, high = float(found[1]), float(found[2])
    size = SMALLEST * wide / WIDTH
    lines = "".join(
        f'<text x="0" y="{high + size * (1 + 1.3 * k):g}" font-size="{size:g}" opacity=".75">{html.escape(line)}</text>'
        for k, line in enumerate(foot)
    )
    taller = f'viewBox="0 0 {wide:g} {high + size * (1.3 * len(foot) + 0.2):g}"'
    return svg.replace(found[0], taller).replace("</svg>", f"{lines}</svg>")


def pixels(tenths: float) -> str:
    """Write tenths of a pixel as pixels, in as few characters as possible.

    >>> pixels(5), pixels(-120)
    ('.5', '-12')
    """
    return f"{tenths / 10:g}".replace("0.", ".", 1) if abs(tenths) < 10 else f"{tenths / 10:g}"


def stroke(dx: float, dy: float) -> str:
    """Write a straight step, in tenths of a pixel, as part of a path."""
    if dx and dy:
        return f"l{pixels(dx)} {pixels(dy)}"
    return f"h{pixels(dx)}" if dx else f"v{pixels(dy)}" if dy else ""


def style_of(
    fill: str = "", fill_alpha: float = 1.0, ink: str = "", width: float = 0.0, alpha: float = 1.0,
    dashes: Sequence[float] = (),
) -> str:  # fmt: skip
    """Write fill and stroke of a shape as attributes; without a colour neither.

    >>> style_of(ink="currentColor", width=0.8), style_of(ink="#cc79a7", width=1.25)
    (' class="f"', ' stroke="#cc79a7" stroke-width="1.25"')
    """
    found = f' fill="{fill}"' if fill else ""
    if fill and fill_alpha < 1:
        found += f' fill-opacity="{fill_alpha:.2g}"'
    if ink and width > 0:
        found += f' stroke="{ink}" stroke-width="{width:.3g}"'
        if alpha < 1:
            found += f' stroke-opacity="{alpha:.2g}"'
        if dashes:
            found += f' stroke-dasharray="{" ".join(f"{v:.3g}" for v in dashes)}"'
    return _CLASSES.get(found, found)


class Sheet:
    """The elements of a drawing, written compactly."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.short: dict[str, tuple[int, tuple[int, int] | None]] = {}  # place and end of each shared path

    def add(self, d: str, style: str) -> None:
        """Add a path; ``style``: its attributes, as ``style_of`` writes them.

        Short strokes of one kind, such as ticks and lines of the grid, share a path; a straight one starts from the
        end that is nearer to the end of the path.
        """
        if not d:
            return
        if len(d) >= 40:
            self.parts.append(f'<path d="{d}"{style}/>')
            return
        straight = _STRAIGHT.fullmatch(d)
        place, here = self.short.get(style, (len(self.parts), None))
        end = None
        if straight:
            x, y, size = (round(10 * float(straight[k])) for k in (1, 2, 4))
            start, end = (x, y), (x + size, y) if straight[3] == "h" else (x, y + size)
            if here is not None:
                if math.dist(here, end) < math.dist(here, start):
                    start, end, size = end, start, -size
                d = f"m{pixels(start[0] - here[0])} {pixels(start[1] - here[1])}{straight[3]}{pixels(size)}"
                d = d.replace(" -", "-")
        if place == len(self.parts):
            self.parts.append(f'<path d="{d}"{style}/>')
        else:
            self.parts[place] = self.parts[place].replace('" ', f'{d}" ', 1)
        self.short[style] = place, end

    def text(self, x: float, y: float, said: str, more: str = "", size: float = SMALLEST) -> None:
        """Add a line of text with its baseline there; ``more``: further attributes."""
        larger = "" if size == SMALLEST else f' font-size="{size:g}"'
        self.parts.append(
            f'<text x="{x:.0f}" y="{y:.0f}"{larger}{more and " " + more}>{html.escape(without_controls(said))}</text>'
        )

    def element(self, width: float, height: float, key: str, alt: str, foot: Sequence[str] = ()) -> str:
        """Return the whole as an ``svg`` element, with lines below the drawing."""
        for k, line in enumerate(foot):
            self.text(4.0, height + 13 + 14 * k, line, 'class="o"')  # off the edge of a card
        return (
            f'<svg role="img" aria-label="{html.escape(alt)}" data-key="{html.escape(key)}" '
            f'class="plot" viewBox="0 0 {width:g} {height + 14 * len(foot) + 4 * bool(foot):g}">\n'
            + "".join(self.parts)
            + "</svg>"
        )
