"""Charts of a column's width: lines, bands, marks and bars over two axes, as SVG of pages and as panels of images."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.figures.sheet import INK, POWERS, WIDTH, Sheet, pixels, stroke, style_of

#: Place of a legend; ``best``: where it hides the fewest points of lines; empty: no legend.
Place = Literal[
    "", "below", "best", "upper right", "upper left", "upper center", "lower right", "lower left", "lower center",
    "center right", "center left", "center",
]  # fmt: skip
#: Places on an axis and their labels.
Ticks = list[tuple[float, str]]
#: Left, top, right and bottom of the plot area. [px]
Box = tuple[float, float, float, float]

#: Advance widths of characters of DejaVu Sans, which is wider than most; others have 0.62. [size of the font]
_ADVANCE = {
    c: width
    for width, some in (
        (0.28, "'IJijl·"), (0.32, " ,."), (0.35, "-/:;\\f|"), (0.41, "!()[]rt⁰¹²³⁴⁵⁶⁷⁸⁹"), (0.53, '"*_`sz'),
        (0.55, "?Lc⁻"), (0.65, "$0123456789EKSbdghnpqu{}µ"), (0.7, "ABCRVXZ"), (0.75, "DGHNU"), (0.8, "&OQw"),
        (0.85, "#+<=>M^~−×"), (0.95, "%m½"), (1.0, "@W"),
    )
    for c in some
}  # fmt: skip
_DASHES = {"-": (), "--": (3.7, 1.6), "-.": (6.4, 1.6, 1.0, 1.6), ":": (1.0, 1.65)}
_SIZE, _TITLE, _LINE = 11.0, 12.0, 13.0  # font sizes and line height [px]
_TICK, _GAP = 3.5, 3.5
_ROOM = WIDTH - 8.0  # for words across the whole, whatever the font
#: Corners of a mark whose half width is 1.
_CORNERS = {
    "D": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)), "^": ((0, -1), (1, 1), (-1, 1)), "v": ((0, 1), (1, -1), (-1, -1)),
    ">": ((1, 0), (-1, 1), (-1, -1)), "<": ((-1, 0), (1, 1), (1, -1)),
    "X": ((-1, -0.6), (-0.6, -1), (0, -0.4), (0.6, -1), (1, -0.6), (0.4, 0), (1, 0.6), (0.6, 1), (0, 0.4), (-0.6, 1),
          (-1, 0.6), (-0.4, 0)),
}  # fmt: skip


class Named(NamedTuple):
    """Entry of a legend for a line, a mark or an area."""

    kind: Literal["line", "mark", "patch"]
    ink: str
    alpha: float
    form: str  #: Dashes of a line, shape of a mark
    words: str
    hollow: bool = False


@dataclass(slots=True)
class Axis:
    """One axis: its labels, its limits where they are set, and the range of the data."""

    label: str = ""
    lim: tuple[float | None, float | None] = (None, None)  #: First and last value; None: from the data
    log: bool = False
    ticks: Sequence[float] | None = None  #: Places of ticks; None: round numbers
    words: Sequence[str] = ()  #: Labels of those ticks
    seen: list[Floats] = field(default_factory=list)
    edges: set[float] = field(default_factory=set)  #: Ends of the data without a margin
    ends: tuple[float, float] = (0.0, 1.0)  #: Begin and end of the axis [px]

    def reach(self, *values: Any) -> None:
        """Extend the range of the data by values."""
        self.seen += [np.asarray(v, dtype=np.float64).ravel() for v in values]

    def limits(self) -> tuple[float, float]:
        """Return the first and the last value: as set, else the range of the data with a margin of a twentieth.

        On a logarithmic axis values that are not above zero set no limit.
        """
        found = np.concatenate([np.zeros(0), *self.seen])
        found = found[np.isfinite(found) & ((found > 0) | (not self.log))]
        low, high = (float(found.min()), float(found.max())) if found.size else (0.1, 1.0)
        first, last = (low, high) if self.log else _apart(low, high, low not in self.edges, high not in self.edges)
        if self.log:
            first, last = (10.0**v for v in _apart(math.log10(low), math.log10(high)))
        start, end = (None if v is None or (self.log and v <= 0) else float(v) for v in self.lim)
        first, last = first if start is None else start, last if end is None else end
        return (first, last) if first != last else _apart(first, last)

    def place(self, values: Any) -> Floats:
        """Return the positions of values; NaN for a value that is not finite. [px]"""
        (first, last), (start, end) = self.limits(), self.ends
        found = np.asarray(values, dtype=np.float64)
        found = np.where(np.isfinite(found), found, np.nan)
        if self.log:
            found = np.log10(np.where(found > 0, found, 1e-300))
            first, last = math.log10(first), math.log10(last)
        return np.asarray(start + (found - first) * ((end - start) / ((last - first) or 1.0)))

    def marks(self, room: float = 0.0) -> Ticks:
        """Return places and labels of ticks; ``room``: least gap between labels side by side [px]."""
        low, high = sorted(self.limits())
        if self.ticks is None:
            return ticks_of(low, high, abs(self.ends[1] - self.ends[0]), self.log, room)
        slack = 1e-9 * (high - low)
        words = self.words or [f"{v:g}".replace("-", "−") for v in self.ticks]
        return [(v, w) for v, w in zip(self.ticks, words, strict=True) if low - slack <= v <= high + slack]


def _apart(low: float, high: float, below: bool = True, above: bool = True) -> tuple[float, float]:
    """Two ends with a margin of a twentieth of their distance, or of their size where they are equal."""
    room = 0.05 * (high - low if high > low else abs(high) or 1.0)
    return low - room * below, high + room * above


def ticks_of(low: float, high: float, size: float, log: bool = False, room: float = 0.0) -> Ticks:
    """Choose round numbers for an axis, at most ten, with their labels.

    ``size``: length of the axis; ``room``: least gap between labels side by side, 0 for labels above each other [px].

    >>> [words for _, words in ticks_of(0.0, 1.0, 120.0)]
    ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']
    >>> [words for _, words in ticks_of(0.01, 100.0, 120.0, log=True)]
    ['10⁻²', '10⁻¹', '10⁰', '10¹', '10²']
    """
    if log:
        first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        every = -(-(last - first + 1) // max(2, min(9, int(size / 22))))
        powers = [(10.0**k, f"10{str(k).translate(POWERS)}") for k in range(first, last + 1, every or 1)]
        found = [m * 10.0**k for k in range(first - 1, last + 1) for m in (1, 2, 5)]
        fewer = [(v, f"{v:g}") for v in found if low <= v * (1 + 1e-9) and v <= high * (1 + 1e-9)]
        if len(powers) > 1 or len(fewer) > 1:
            return powers if len(powers) > 1 else fewer
    span = high - low
    most = max(1, min(9, int(size / (33 if room else 22))))
    power = math.floor(math.log10(span / most))
    told: Ticks = []
    for step in (m * 10.0**e for e in range(power, power + 3) for m in (1.0, 2.0, 2.5, 5.0)):
        if span / step > most * (1 + 1e-9):
            continue
        places = [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
        digits = max(0, -math.floor(math.log10(step) + 1e-9) + f"{step:e}".startswith("2.5"))
        said = f".{digits}f" if digits < 5 and max(abs(low), abs(high)) < 1e7 else "g"
        told = [(v, f"{v + 0.0:{said}}".replace("-", "−")) for v in places]
        if not room or all(_wide(words) + room <= step / span * size for _, words in told):
            break
    return told


def _wide(words: str, size: float = _SIZE) -> float:
    """Width of a text, that of its widest line. [px]"""
    return size * max(sum(_ADVANCE.get(c, 0.62) for c in line) for line in words.split("\n"))


def folded(words: str, room: float) -> str:
    r"""Break words into lines that fit, at blanks and after ``_``, ``/`` and ``-``; ``room``: width of a line [px].

    >>> folded("return to heavy drinking", 80.0)
    'return to\nheavy\ndrinking'
    """
    lines = [""]
    for part in re.findall(r".+?(?:[\s_/-]+|$)", words):
        if lines[-1] and _wide((lines[-1] + part).rstrip()) > room:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def stairs(x: Any, *ys: Any) -> tuple[Floats, ...]:
    """Points of lines that keep each value until the next place.

    >>> [v.tolist() for v in stairs([0.0, 1.0], [5.0, 7.0])]
    [[0.0, 1.0, 1.0], [5.0, 5.0, 7.0]]
    """
    return (np.repeat(x, 2)[1:], *(np.repeat(y, 2)[:-1] for y in ys))


def _ink(colour: str) -> str:
    return "currentColor" if colour in (INK, "#000000") else colour.lower()


class Chart:
    """A chart of two axes; later items are drawn above earlier ones, fills below lines.

    ``height``: of the whole [px].

    >>> chart = Chart(200.0)
    >>> chart.line([0, 1, 2], [0, 1, 4], color="#0072B2")
    >>> chart.svg("a", "a parabola")[:21]
    '<svg role="img" aria-'
    """

    def __init__(self, height: float) -> None:
        self.height = height
        self.title = ""
        self.legend: Place = ""  # place of the legend
        self.x, self.y = Axis(), Axis()
        self.right: tuple[str, float] | None = (
            None  # label of a second vertical axis, ratio of its values to the first's
        )
        self.shown, self.grid, self.tick = True, True, _TICK  # whether axes and grid are drawn, length of ticks [px]
        self.named: list[Named] = []
        #: What is drawn: its order, how it is put on a sheet, and the call that draws it on the axes of an image
        self.drawn: list[tuple[int, Callable[[Sheet, Box], None], tuple[str, tuple[Any, ...], dict[str, Any]]]] = []
        self._beside = 0.0  # width of text to the right of the plot area
        self._dots: list[Floats] = []  # points of lines, for a legend that avoids them

    # ------------------------------------------------------------------------------------------ what is drawn

    def rows(self, names: Sequence[str]) -> None:
        """Name rows on the vertical axis, the first on top; the chart becomes as high as they need."""
        words = [folded(name, 0.4 * WIDTH) for name in names]
        self.y.ticks, self.y.words, self.y.lim = range(len(names)), words, (len(names) - 0.5, -0.5)
        lines = max((w.count("\n") for w in words), default=0)
        self.height = 60.0 + (20.0 + _LINE * lines) * len(names)

    def _add(self, over: int, put: Callable[[Sheet, Box], None], method: str, *args: Any, **options: Any) -> None:
        self.drawn.append((over, put, (method, args, options)))

    def _take(self, x: Any, y: Any, named: Named) -> None:
        self.x.reach(x)
        self.y.reach(y)
        self.named += [named] * bool(named.words)

    def line(
        self, x: Any, y: Any, *, color: str, dashes: str = "-", width: float = 1.7, alpha: float = 1.0,
        label: str = "", mark: str = "", size: float = 4.0, over: int = 2,
    ) -> None:  # fmt: skip
        """Draw a line through points, with a mark at each if ``mark`` is given; a higher ``over`` is drawn above."""
        self._take(x, y, Named("line", _ink(color), alpha, dashes, label))
        style = style_of(ink=_ink(color), width=width, alpha=alpha, dashes=[width * v for v in _DASHES[dashes]])

        def put(sheet: Sheet, box: Box) -> None:
            points = self._points(x, y)
            self._dots.append(points)
            sheet.add(_path(points, box, 0.3), style)

        told = {"linestyle": dashes, "linewidth": width, "label": label or None}
        self._add(over, put, "plot", x, y, color=color, alpha=alpha, **told)
        if mark:
            self.marks(x, y, mark, color=color, size=size, over=over)

    def marks(
        self, x: Any, y: Any, shape: str = "o", *, color: str, size: float, hollow: bool = False, alpha: float = 1.0,
        edge: str = "", label: str = "", over: int = 2,
    ) -> None:  # fmt: skip
        """Draw a mark at each point: ``o``, ``s``, ``D``, ``X``, ``^``, ``v``, ``<`` or ``>``, ``size`` wide [px]."""
        self._take(x, y, Named("mark", _ink(color), alpha, shape, label, hollow))

        def put(sheet: Sheet, box: Box) -> None:
            points = self._points(x, y)
            self._dots.append(points)
            points = points[_inside(points, box, 1.0)]
            if len(points):
                _marks(sheet, points, shape, _ink(color), size, hollow, alpha, edge and _ink(edge))

        told = {"markeredgecolor": edge or color, "markersize": size, "linestyle": "none", "label": label or None}
        told["markerfacecolor"] = "none" if hollow else color
        self._add(over, put, "plot", x, y, marker=shape, alpha=alpha, **told)

    def whiskers(
        self, x: Any, y: Any, low: Any, high: Any, *, color: str, width: float = 1.0, across: bool = False,
        over: int = 2,
    ) -> None:  # fmt: skip
        """Draw a vertical stroke from ``low`` to ``high`` at each ``x``, or horizontal ones at each ``y``."""
        ends = np.column_stack([low, high, np.full(len(low), np.nan)]).ravel()  # NaN separates the strokes
        at = np.repeat(np.asarray(y if across else x, dtype=np.float64), 3)
        self.line(*((ends, at) if across else (at, ends)), color=color, width=width, over=over)

    def band(self, x: Any, low: Any, high: Any, *, color: str, alpha: float = 0.18, label: str = "") -> None:
        """Fill the area between two lines over x."""
        self._take(x, [*low, *high], Named("patch", _ink(color), alpha, "", label))
        style = style_of(_ink(color), alpha)

        def put(sheet: Sheet, box: Box) -> None:
            coarse = 0.3 if alpha < 1 else 0.1  # areas that touch must not separate
            ends = [p[np.isfinite(p).all(axis=1)] for p in (self._points(x, v) for v in (low, high))]
            there, back = (p[_thinned(p, coarse)] for p in ends)
            sheet.add(_area(np.concatenate([there, back[::-1]]), box), style)

        self._add(1, put, "fill_between", x, low, high, color=color, alpha=alpha, linewidth=0, label=label or None)

    def bars(
        self, left: Any, right: Any, bottom: Any, top: Any, *, color: str, alpha: float = 1.0, edge: str = "",
        label: str = "", across: bool = False,
    ) -> None:  # fmt: skip
        """Draw rectangles between limits on both axes, which are broadcast.

        There is no margin below ``bottom``, or left of ``left`` where the bars lie ``across``.
        """
        sides = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (left, right, bottom, top)))
        self._take(sides[:2], sides[2:], Named("patch", _ink(color), alpha, "", label))
        (self.x if across else self.y).edges.update(sides[0 if across else 2].ravel().tolist())
        style = style_of(_ink(color), alpha, edge and _ink(edge), 0.3 if edge else 0.0)

        def put(sheet: Sheet, box: Box) -> None:
            for x0, x1, y0, y1 in np.column_stack([side.ravel() for side in sides]):
                sheet.add(_area(self._points([x0, x0, x1, x1], [y0, y1, y1, y0]), box), style)

        x0, x1, y0, y1 = (side.ravel() for side in sides)
        told = {"color": color, "edgecolor": edge or "none", "linewidth": 0.3, "label": label or None}
        with np.errstate(invalid="ignore"):
            self._add(1, put, "bar", x0, y1 - y0, x1 - x0, y0, align="edge", alpha=alpha, **told)

    def rule(
        self, *, x: Any = None, y: Any = None, width: float = 0.8, dashes: str = ":", alpha: float = 0.07,
        color: str = INK, label: str = "", over: int = 2,
    ) -> None:  # fmt: skip
        """Draw a line across the plot area at a place of one axis, or shade the area between two places."""
        axis, places = (self.y, np.atleast_1d(y)) if x is None else (self.x, np.atleast_1d(x))
        axis.reach(places)
        area, ink = len(places) > 1, _ink(color)
        line = style_of(ink=ink, width=width, dashes=[width * v for v in _DASHES[dashes]])
        entry = Named("patch", ink, alpha, "", label) if area else Named("line", ink, 1.0, dashes, label)
        self.named += [entry] * bool(label)

        def put(sheet: Sheet, box: Box) -> None:
            left, top, right, bottom = box
            first, last = axis.place(places)[[0, -1]]
            ends = [[first, bottom], [first, top], [last, top], [last, bottom]]
            if axis is self.y:
                ends = [[left, first], [right, first], [right, last], [left, last]]
            if area:
                sheet.add(_area(np.array(ends), box), style_of(ink, alpha))
            else:
                sheet.add(_path(np.array(ends[:2]), box, 0.0), line)

        told: dict[str, Any] = {"alpha": alpha, "linewidth": 0} if area else {"linestyle": dashes, "linewidth": width}
        name = f"ax{'h' if axis is self.y else 'v'}{'span' if area else 'line'}"
        self._add(1 if area else over, put, name, *places, color=color, label=label or None, **told)

    def note(
        self, words: str, x: float, y: float, *, ha: Literal["left", "center", "right"] = "left",
        va: Literal["top", "center", "bottom"] = "bottom", shares: str = "", color: str = INK, right_by: float = 0.0,
    ) -> None:  # fmt: skip
        """Write text at a place; ``shares``: letters of axes on which the place is a share of the plot area."""
        lines = words.split("\n")
        if "x" in shares and x > 1:
            self._beside = max(self._beside, _wide(words) + 5)

        def put(sheet: Sheet, box: Box) -> None:
            left, top, right, bottom = box
            at = left + x * (right - left) if "x" in shares else float(self.x.place(x))
            down = bottom - y * (bottom - top) if "y" in shares else float(self.y.place(y))
            taller = _LINE * (len(lines) - 1)
            down += {"top": 9.0, "center": 4.0 - taller / 2, "bottom": -3 - taller}[va]
            more = {"left": 'class="s"', "center": "", "right": 'class="e"'}[ha]
            more += f' fill="{color}"' if color != INK else ""
            for k, line in enumerate(lines):
                sheet.text(at + right_by, down + _LINE * k, line, more.strip())

        where = tuple("axes fraction" if letter in shares else "data" for letter in "xy")
        told = {"xytext": (right_by, 0), "textcoords": "offset points", "ha": ha, "va": va, "color": color}
        self._add(6, put, "annotate", words, (x, y), xycoords=where, fontsize="small", **told)

    # ------------------------------------------------------------------------------------------------ writing

    def _points(self, x: Any, y: Any) -> Floats:
        return np.column_stack([self.x.place(x), self.y.place(y)])

    def svg(self, key: str, alt: str, foot: Sequence[str] = ()) -> str:
        """Write the chart; ``key``, ``alt`` and ``foot`` as for ``svg_of``."""
        sheet = Sheet()
        box, *marks = self._layout()
        for over in range(8):
            for _, put, _ in (each for each in self.drawn if each[0] == over):
                put(sheet, box)
            if self.shown and over == 1:
                self._axes(sheet, box, *marks)
        for k, line in enumerate(reversed(self._heading())):
            wide = _wide(line, _TITLE)
            sheet.text(max(0.0, min(box[0], WIDTH - wide)), box[1] - 7 - 14 * k, line, 'class="s"', _TITLE)
        below = self._legend(sheet, box) if self.legend and self.named else 0.0
        return sheet.element(WIDTH, self.height + below, key, alt, foot)

    def _heading(self) -> list[str]:
        return folded(self.title, _ROOM * _SIZE / _TITLE).split("\n") if self.title else []

    def _layout(self) -> tuple[Box, Ticks, Ticks, Ticks]:
        """Place the plot area with room for text around it, and choose the ticks of the axes."""
        side, others = self.tick + _GAP, []
        low = 1 + max((w.count("\n") for w in self.x.words), default=0)
        top = 8.0 + 14 * len(self._heading()) if self.title else 9.0
        label = folded(self.x.label, _ROOM)
        bottom = self.height - 3 - side - _LINE * low - (15 + _LINE * label.count("\n") if label else 0)
        self.y.ends = bottom, top
        ys = self.y.marks()
        left = 3 + side + (16 if self.y.label else 0) + max((_wide(w) for _, w in ys), default=0.0)
        right = WIDTH - 4 - self._beside
        if self.right is not None:
            factor = self.right[1]
            least, most = sorted(v * factor for v in self.y.limits())
            others = [(v / factor, w) for v, w in ticks_of(least, most, bottom - top)]
            right -= 16 + side + max(_wide(w) for _, w in others)
        xs: Ticks = []
        for _ in range(2):  # once more, if the last text would leave the picture
            self.x.ends = left, right
            xs = self.x.marks(6.0)
            right -= max([0.0, *(float(self.x.place(v)) + _wide(w) / 2 + 2 - WIDTH for v, w in xs)])
        self.x.ends = left, right
        return (left, top, right, bottom), xs, ys, others

    def _axes(self, sheet: Sheet, box: Box, xs: Ticks, ys: Ticks, others: Ticks) -> None:
        left, top, right, bottom = box
        frame, grid = style_of(ink="currentColor", width=0.8), style_of(ink="#888888", width=0.7, alpha=0.25)
        side = self.tick + _GAP

        def put(x: float, y: float, dx: float, dy: float, style: str = ' class="t"') -> None:
            if d := stroke(round(10 * dx), round(10 * dy)):
                sheet.add(f"M{pixels(round(10 * x))} {pixels(round(10 * y))}{d}", style)

        for (_, words), at in zip(xs, self.x.place([v for v, _ in xs]), strict=True):
            put(at, bottom, 0, (top - bottom) * self.grid, grid)
            put(at, bottom, 0, self.tick)
            for k, line in enumerate(words.split("\n")):
                sheet.text(at, bottom + side + 9 + _LINE * k, line)
        for (_, words), at in zip(ys, self.y.place([v for v, _ in ys]), strict=True):
            put(left, at, (right - left) * self.grid, 0, grid)
            put(left, at, -self.tick, 0)
            for k, line in enumerate(words.split("\n")):
                sheet.text(left - side, at + 4 + _LINE * (k - words.count("\n") / 2), line, 'class="e"')
        for (_, words), at in zip(others, self.y.place([v for v, _ in others]), strict=True):
            put(right, at, self.tick, 0)
            sheet.text(right + side, at + 4, words, 'class="s"')
        for axis in (self.x, self.y):
            low, high = sorted(axis.limits())
            if axis.log and axis.ticks is None and high / low < 1e8:
                powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
                small = [m * 10.0**k for k in powers for m in range(2, 10) if low <= m * 10.0**k <= high]
                for at in axis.place(small):
                    put(*((at, bottom, 0, 2) if axis is self.x else (left, at, -2, 0)))
        put(left, bottom, 0, top - bottom, frame)
        put(left, bottom, right - left, 0, frame)
        if self.x.label:
            for k, line in enumerate(reversed(folded(self.x.label, _ROOM).split("\n"))):
                half = _wide(line) / 2
                sheet.text(max(half, min((left + right) / 2, WIDTH - half)), self.height - 6 - _LINE * k, line)
        for label, x in ((self.y.label, 13.0), (self.right[0] if self.right else "", WIDTH - 5.0)):
            if label:
                half = min(_wide(label), self.height) / 2
                y = min(max((top + bottom) / 2, half), self.height - half)
                sheet.text(x, y, label, f'transform="rotate(-90 {x:.1f} {y:.1f})"')

    def _legend(self, sheet: Sheet, box: Box) -> float:
        """Draw the legend, and return the room that it takes below the chart. [px]"""
        if self.legend == "below":
            x, y = 4.0, self.height + 10
            for each in self.named:
                each = each._replace(words=folded(each.words, WIDTH - 39))
                wide, lines = 31 + _wide(each.words), each.words.count("\n")
                if x > 4 and x + wide > WIDTH:
                    x, y = 4.0, y + 16.5
                _entry(sheet, each, x, y)
                x, y = (WIDTH, y + _LINE * lines) if lines else (x + wide + 12, y)
            return y + 10 - self.height
        left, top, right, bottom = box
        wide = 33 + max(_wide(each.words) for each in self.named)
        high = 16.5 * len(self.named)
        places = {
            f"{v} {h}".replace("center center", "center"): (x, y)
            for h, x in (("right", right - wide - 9), ("left", left + 9), ("center", (left + right - wide) / 2))
            for v, y in (("upper", top + 7), ("lower", bottom - high - 7), ("center", (top + bottom - high) / 2))
        }
        if self.legend == "best":  # where it hides the fewest points of lines
            dots = np.concatenate([*map(_dense, self._dots), np.zeros((0, 2))])
            x, y = min(places.values(), key=lambda at: _inside(dots, (*at, at[0] + wide, at[1] + high), 0.0).sum())
        else:
            x, y = places[self.legend]
        for k, each in enumerate(self.named):
            _entry(sheet, each, x, y + 16.5 * k + 8)
        return 0.0


def _entry(sheet: Sheet, entry: Named, x: float, y: float) -> None:
    """Draw an entry of a legend there."""
    kind, ink, alpha, form, words, hollow = entry
    if kind == "line":
        style = style_of(ink=ink, width=1.7, alpha=alpha, dashes=[1.7 * v for v in _DASHES[form]])
        sheet.add(f"M{x:.1f} {y:.1f}h22", style)
    elif kind == "mark":
        _marks(sheet, np.array([[x + 11, y]]), form, ink, 5.0, hollow, alpha)
    else:
        sheet.add(f"M{x:.1f} {y - 4:.1f}h22v8h-22z", style_of(ink, alpha))
    for k, line in enumerate(words.split("\n")):
        sheet.text(x + 31, y + 4 + _LINE * k, line, 'class="s"')


# ------------------------------------------------------------------------------------------------ paths


def _marks(
    sheet: Sheet, points: Floats, shape: str, ink: str, size: float, hollow: bool, alpha: float, edge: str = ""
) -> None:
    """Draw marks at points; dots and squares are caps of lines without length."""
    if hollow or edge:
        style = style_of("" if hollow else ink, alpha, edge or ink, 1.0)
        sheet.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size / 2:.3g}"{style}/>' for x, y in points]
    elif shape in _CORNERS:
        for x, y in points:
            corners = np.array([(x + a * size / 2, y + b * size / 2) for a, b in _CORNERS[shape]])
            sheet.add(_walk(corners) + "z", style_of(ink, alpha))
    else:
        cap = ' stroke-linecap="round"' if shape == "o" else ' stroke-linecap="square"'
        d = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
        sheet.add(d, style_of(ink=ink, width=size, alpha=alpha) + cap)


def _walk(points: Floats) -> str:
    """Write points as a path from the first to the last, to a tenth of a pixel."""
    tenths = np.rint(10 * points).astype(np.int64)
    steps = np.diff(tenths, axis=0).tolist()
    start = " ".join(pixels(v) for v in tenths[0].tolist())
    return f"M{start}{''.join(stroke(dx, dy) for dx, dy in steps)}".replace(" -", "-")


def _path(points: Floats, box: Box, coarse: float) -> str:
    """Write a line inside the plot area, without points that make no visible difference; NaN separates parts."""
    points = _cut(points, box, 1.0) if len(points) else points
    inside = np.isfinite(points[:, 0])
    ends = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    runs = [points[a:b] for a, b in zip(ends[::2], ends[1::2], strict=True)]
    return "".join(_walk(run[_thinned(run, coarse)]) for run in runs if len(run) > 1)


def _area(points: Floats, box: Box) -> str:
    """Write an area inside the plot area."""
    for side in range(4):
        points = _cut(points, box, 0.0, (side,), closed=True) if len(points) else points
    return _walk(points) + "z" if len(points) > 2 else ""


def _dense(points: Floats) -> Floats:
    """Points along a line, close enough that any text on it covers one."""
    order = np.arange(len(points))
    at = np.linspace(0, len(points) - 1, 200) if len(points) else order
    return np.column_stack([np.interp(at, order, points[:, k]) if len(points) else order for k in (0, 1)])


def _inside(points: Floats, box: Box, slack: float, sides: Sequence[int] = (0, 1, 2, 3)) -> NDArray[np.bool_]:
    found = np.isfinite(points).all(axis=1)
    for side in sides:
        found = found & ((1 - 2 * (side > 1)) * (points[:, side % 2] - box[side]) + slack > -1e-6)
    return np.asarray(found)


def _cut(points: Floats, box: Box, slack: float, sides: Sequence[int] = (0, 1, 2, 3), closed: bool = False) -> Floats:
    """Add points where a line crosses sides of the plot area, and remove points outside: NaN in a line."""
    for side in sides:
        off = (1 - 2 * (side > 1)) * (points[:, side % 2] - box[side]) + slack  # below 0: outside
        after, to = np.roll(points, -1, axis=0), np.roll(off, -1)
        cross = off * to < 0
        cross[-1] &= closed
        at = np.flatnonzero(cross)
        share = (off[at] / (off[at] - to[at]))[:, None]
        points = np.insert(points, at + 1, points[at] + share * (after[at] - points[at]), axis=0)
    inside = _inside(points, box, slack, sides)
    return points[inside] if closed else np.where(inside[:, None], points, np.nan)


def _thinned(points: Floats, coarse: float) -> NDArray[np.bool_]:
    """Points that a line needs to pass within ``coarse`` of all of them [px]; Douglas and Peucker."""
    keep = np.zeros(len(points), dtype=bool)
    keep[:1] = keep[-1:] = True
    left = [(0, len(points) - 1)]
    while left:
        a, b = left.pop()
        if b - a < 2:
            continue
        (dx, dy), rest = points[b] - points[a], points[a + 1 : b] - points[a]
        size = math.hypot(dx, dy)
        away = np.abs(rest[:, 0] * dy - rest[:, 1] * dx) / size if size else np.hypot(rest[:, 0], rest[:, 1])
        k = int(away.argmax())
        if away[k] > coarse:
            keep[a + 1 + k] = True
            left += [(a, a + 1 + k), (a + 1 + k, b)]
    return keep
