"""Matplotlib figures as small inline SVG: text remains text, colours follow light and dark mode."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from schild.figures import plain_texts
from schild.textfile import without_controls

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Colour that the page replaces by its text colour.
INK = "#010203"
#: Width of a panel [px]: a phone of 390 px shows it at its own size.
WIDTH = 360
#: Size of the smallest text of a panel. [px]
SMALLEST = 11.0

_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.size": SMALLEST,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": SMALLEST,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALLEST,
    "ytick.labelsize": SMALLEST,
    "grid.color": "#888888",
    "grid.alpha": 0.25,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": SMALLEST,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "figure.dpi": 72,  # a point is a pixel
}
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
#: Style of a mark filled with the colour of its edge.
_DOT = re.compile(r' fill="([^"]+)" stroke="\1" stroke-width="([\d.]+)"')
POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
#: Width, height and descent of texts, by text, font, size, weight, style and kind; emptied when it is full. [px]
_MEASURED: dict[tuple[Any, ...], tuple[float, float, float]] = {}
_ANCHORS = {"center": (0.5, ""), "right": (1.0, "e")}


@contextmanager
def draw_on() -> Iterator[None]:
    """Draw in the style of pages inside the block."""
    import matplotlib as mpl

    with mpl.rc_context(_SETTINGS):
        yield


def new_figure(width: float = 7.4, height: float = 3.2) -> Figure:
    """Return an empty figure [inch, 72 px each]; call it inside ``draw_on``."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def svg_of(figure: Figure, key: str, alt: str, foot: Sequence[str] = ()) -> str:
    """Write a figure as inline SVG.

    ``figure``: drawn inside ``draw_on``; ``key``: names the figure on its page; ``alt``: description for
    those who cannot see it; ``foot``: lines below it, such as source and version, which remain in a picture of
    the screen. Returns an ``svg`` element that loads nothing.

    >>> with draw_on():
    ...     f = new_figure()
    ...     _ = f.subplots().plot([0, 1], [0, 1])
    ...     svg_of(f, "a", "a line")[:21]
    '<svg role="img" aria-'
    """
    import matplotlib as mpl

    with mpl.rc_context(_SETTINGS):
        figure.set_dpi(72)
        plain_texts(figure)
        width, height = figure.get_size_inches() * 72
        pen = _pen(width, height)
        figure.draw(pen)
    sheet: Sheet = pen.sheet
    return sheet.element(width, height, key, alt, foot)


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
            self.text(0.0, height + 13 + 14 * k, line, 'class="o"')
        return (
            f'<svg role="img" aria-label="{html.escape(alt)}" data-key="{html.escape(key)}" '
            f'class="plot" viewBox="0 0 {width:g} {height + 14 * len(foot) + 4 * bool(foot):g}">\n'
            + "".join(self.parts)
            + "</svg>"
        )


def _pen(width: float, height: float) -> Any:
    """Return a renderer that collects SVG elements, with lines thinned to a tenth of a pixel."""
    from matplotlib.backend_bases import RendererBase
    from matplotlib.colors import to_hex
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D, Bbox

    flip = Affine2D().scale(1, -1).translate(0, height)

    def colour(rgb: Any) -> str:
        found = to_hex(rgb[:3])
        return "currentColor" if found in (INK, "#000000") else found

    def steps(path: Any, transform: Any, clip: Any, filled: bool, solid: bool) -> str:
        found, here = [], (0, 0)
        curved = path.codes is not None and bool({Path.CURVE3, Path.CURVE4} & set(path.codes))
        if filled and clip is not None and not curved:
            path = transform.transform_path(path).clip_to_bbox(Bbox.from_extents(*clip))
            transform, clip = Affine2D(), None
        flat = (transform + flip).transform_path(path)
        if clip is not None:
            clip = (clip[0] - 1, height - clip[3] - 1, clip[2] + 1, height - clip[1] + 1)
        simple = len(path.vertices) > 24 and not curved
        flat.simplify_threshold = 0.3 if solid else 1.2  # areas that touch must not separate
        for points, code in flat.iter_segments(
            simplify=simple, clip=None if filled else clip, curves=True, remove_nans=True
        ):
            at = [round(10 * float(v)) for v in points]
            if code == Path.CLOSEPOLY:
                found.append("z")
            elif code == Path.LINETO:
                found.append(stroke(at[0] - here[0], at[1] - here[1]))
            else:
                letter = {Path.MOVETO: "M", Path.CURVE3: "Q", Path.CURVE4: "C"}[code]
                found.append(letter + " ".join(pixels(v) for v in at))
            if code != Path.CLOSEPOLY:
                here = (at[-2], at[-1])
        return "".join(found).replace(" -", "-")

    class Pen(RendererBase):
        def __init__(self) -> None:
            super().__init__()
            self.sheet = Sheet()

        def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> tuple[float, float, float]:
            # Labels of axes recur in every panel, and are measured three times in each.
            font = (*prop.get_family(), prop.get_size_in_points(), prop.get_weight(), prop.get_style())
            key = (s, font, ismath)
            if key not in _MEASURED:
                if len(_MEASURED) > 10_000:
                    _MEASURED.clear()
                _MEASURED[key] = super().get_text_width_height_descent(s, prop, ismath)
            return _MEASURED[key]

        def get_canvas_width_height(self) -> tuple[float, float]:
            return width, height

        def draw_path(self, gc: Any, path: Any, transform: Any, rgbFace: Any = None) -> None:
            clip, style = gc.get_clip_rectangle(), self._style(gc, rgbFace)
            solid = style.startswith(' fill="') and "opacity" not in style
            d = steps(path, transform, None if clip is None else clip.extents, rgbFace is not None, solid)
            if d and style:
                self.sheet.add(d, style)

        def draw_markers(
            self, gc: Any, marker_path: Any, marker_trans: Any, path: Any, trans: Any, rgbFace: Any = None
        ) -> None:
            if marker_path.codes is None or Path.CURVE4 not in marker_path.codes:
                super().draw_markers(gc, marker_path, marker_trans, path, trans, rgbFace)
                return
            places, clip = (trans + flip).transform(path.vertices), gc.get_clip_rectangle()
            if clip is not None:
                x0, y0, x1, y1 = clip.extents
                inside = (places[:, 0] > x0 - 1) & (places[:, 0] < x1 + 1)
                places = places[inside & (places[:, 1] > height - y1 - 1) & (places[:, 1] < height - y0 + 1)]
            style, r = self._style(gc, rgbFace), marker_trans.transform_path(marker_path).get_extents().width / 2
            edge = _DOT.fullmatch(style)
            if edge or ("stroke" not in style and len(places) > 20):  # dots: round caps of lines without length
                wide = 2 * r + (float(edge[2]) if edge else 0.0)
                ink = f' stroke="{edge[1]}"' if edge else style.replace("fill", "stroke")
                self.sheet.add(
                    "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places),
                    f'{ink} stroke-width="{wide:.3g}" stroke-linecap="round"',
                )
            else:
                self.sheet.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.3g}"{style}/>' for x, y in places]

        def draw_text(
            self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None
        ) -> None:
            size = float(prop.get_size_in_points())
            wide = self.get_text_width_height_descent(s, prop, ismath)[0]
            share, anchor = _ANCHORS.get(mtext.get_ha() if mtext else "left", (0.0, "s"))
            turn = math.radians(angle)
            x, y = x + share * wide * math.cos(turn), y - share * wide * math.sin(turn)
            said = s
            if ismath:
                said = re.sub(r"\$(?:\\mathdefault\{(.*)\}|(.*))\$", lambda m: m.group(1) or m.group(2), s)
                said = re.sub(r"\^\{(.*?)\}", lambda m: m.group(1).translate(POWERS), said)
            more = [f'class="{anchor}"'] if anchor else []
            more += [f'transform="rotate({-angle:g} {x:.1f} {y:.1f})"'] if angle else []
            ink = colour(gc.get_rgb())
            more += [f'fill="{ink}"'] if ink != "currentColor" else []
            self.sheet.text(x, y, said, " ".join(more), size)

        def draw_image(self, gc: Any, x: float, y: float, im: Any, transform: Any = None) -> None:
            raise NotImplementedError("pages draw no images; use pcolormesh")

        def _style(self, gc: Any, face: Any) -> str:
            ink, forced = (*gc.get_rgb(), 1.0), gc.get_forced_alpha()
            filled = 0.0 if face is None else gc.get_alpha() if forced else (*face, 1.0)[3]
            return style_of(
                colour(face) if filled else "", filled, colour(ink) if ink[3] > 0 else "", gc.get_linewidth(), ink[3],
                () if gc.get_dashes()[1] is None else gc.get_dashes()[1],
            )  # fmt: skip

    return Pen()
