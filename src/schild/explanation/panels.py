"""Figures of an answer: panels side by side, each drawn by a named function from runs, with its numbers as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from markupsafe import escape

from schild.array_types import Floats
from schild.catalog import Catalogue
from schild.errors import CatalogueError, UnknownNameError
from schild.explanation.lab import Lab
from schild.explanation.options import read_options
from schild.figures import COLOURS, INK, Axis, Chart, Place, with_foot

Columns = dict[str, list[Any]]
#: Least height of a panel. [inch of 72 px]
LOWEST = 3.0

BLUE, ORANGE, GREEN, PINK, YELLOW, _, _ = COLOURS
#: Colour and style of the first, second, ... line of a panel.
LINES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PINK, ":"), (YELLOW, "-"), (COLOURS[5], "--"), (INK, "-."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A figure for a page: one drawing for each panel, and the numbers behind them."""

    alt: str  #: Description for those who cannot see it
    panels: tuple[str, ...]  #: SVG of each panel
    legend: tuple[tuple[str, str], ...]  #: SVG of a line or mark, and its words
    legend_title: str
    caption: str
    data: Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Options of every panel: words, limits, reference lines."""

    draw: str  #: Name of the function that draws it
    #: Heading and names of axes
    title: str = ""
    x: str | None = None
    y: str | None = None
    xlim: tuple[float, float] | None = None
    ylim: tuple[float, float] | None = None
    #: Ticks of the horizontal axis and their labels
    xticks: Sequence[float] = ()
    xlabels: Sequence[str] = ()
    log: str = ""  #: Axes that are logarithmic: ``x``, ``y`` or ``xy``
    legend: Place = ""  #: Place of the legend in the panel
    hlines: Sequence[float] = ()  #: Heights of dotted lines
    vlines: Sequence[tuple[float, str]] = ()  #: Places of dotted lines, and words beside them


_FRAME = tuple(Frame.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSpec:
    """A figure described as data."""

    #: Description for those who cannot see it, and caption. ``{runs}`` stands for the runs of virtual people behind a
    #: band, ``{adults}`` for the people of a histogram, ``{drive}`` for what adaptation follows.
    alt: str
    caption: str
    panel: Sequence[Mapping[str, Any]]  #: Fields of ``Frame`` and options of the function that draws the panel
    rows: int = 1
    height: float = 3.1  #: [inch]
    #: Panels that share an axis: ``none``, ``all``, ``row`` or ``col``
    sharex: Literal["none", "all", "row", "col"] = "none"
    sharey: Literal["none", "all", "row", "col"] = "none"
    #: Columns of a legend above all panels (0 for none), and the panel that it names the lines of
    legend: int = 0
    legend_of: int = 0
    legend_title: str = ""  #: Title of that legend


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel that is being drawn."""

    chart: Chart
    lab: Lab
    data: Columns = field(default_factory=dict)  #: Columns of the figure
    prefix: str = ""  #: Prefix of this panel's columns where there are several panels

    def keep(self, name: str, *columns: Any) -> None:
        """Keep the numbers behind a line, with the ends of its band."""
        for suffix, column in zip(("", " 5 %", " 95 %"), columns, strict=False):
            self.data[f"{self.prefix}{name}{suffix}"] = [v if isinstance(v, str) else float(v) for v in column]

    def line(
        self, k: int, x: Floats, y: Floats, band: tuple[Floats, Floats] | None = None, label: str = "", **style: Any
    ) -> None:
        """Draw the k-th line, with its band."""
        colour, dashes = LINES[k % len(LINES)]
        style = {"color": colour, "dashes": dashes, "label": label, **style}
        if band is not None:
            self.chart.band(x, *band, color=style["color"])
        self.chart.line(x, y, **style)

    def points(self, x: Any, y: Any, sd: Any, label: str = "") -> None:
        """Draw observed values."""
        low, high = np.subtract(y, sd), np.add(y, sd)
        self.chart.whiskers(x, y, low, high, color=INK, over=5)
        self.chart.marks(x, y, color=INK, size=4.5, hollow=True, label=label, over=5)


#: Functions that draw a panel, by name; their keyword-only parameters are its options.
PANELS: dict[str, Callable[..., str | None]] = {}


def panel(function: Callable[..., str | None]) -> Callable[..., str | None]:
    """Register a function that draws a panel; if it returns SVG, that is the whole figure."""
    PANELS[function.__name__] = function
    return function


def read_figure(
    given: Mapping[str, Any],
    catalogue: Catalogue,
    places: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> tuple[FigureSpec, list[tuple[Frame, dict[str, Any]]]]:
    """Check a figure and the options of its panels, before anything is run.

    ``given``: fields of ``FigureSpec``; ``places``: file and line of each key, as ``Claim.places`` has them;
    ``defaults``: options of every panel that takes one of that name. Returns its panels, and their own
    options. Raises CatalogueError for a panel that is unknown, or an option that is unknown, missing or wrong.
    """
    places = places or {}
    spec = FigureSpec(**read_options("the figure", FigureSpec, given, catalogue, places=places))
    panels = []
    for k, raw in enumerate(spec.panel):
        what = f"panel {k + 1}"
        here = {key.removeprefix(f"{what}."): place for key, place in places.items() if key.startswith(f"{what}.")}
        here[""] = places.get(what, places.get("", ""))
        frame = read_options(what, Frame, {n: v for n, v in raw.items() if n in _FRAME}, catalogue, places=here)
        if frame["draw"] not in PANELS:
            said = str(UnknownNameError("panel", frame["draw"], PANELS))
            raise CatalogueError(f"{here.get('draw', here[''])}: {said}".removeprefix(": "))
        if frame.get("xlabels") and len(frame["xlabels"]) != len(frame.get("xticks", ())):
            said = f"{what} has {len(frame['xlabels'])} xlabels for {len(frame.get('xticks', ()))} xticks"
            raise CatalogueError(f"{here.get('xlabels', here[''])}: {said}; give as many.".removeprefix(": "))
        own = {n: v for n, v in raw.items() if n not in _FRAME}
        function = PANELS[frame["draw"]]
        options = read_options(f"{what} ({frame['draw']})", function, own, catalogue, defaults, here)
        panels.append((Frame(**frame), options))
    return spec, panels


def draw(
    given: Mapping[str, Any],
    lab: Lab,
    key: str,
    places: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    *,
    only: Sequence[int] | None = None,
    foot: Sequence[str] = (),
) -> Drawn:
    """Draw a figure, each panel for a column of a page.

    ``given``: fields of ``FigureSpec``; ``key``: names the drawings; ``places`` and ``defaults``: as for
    ``read_figure``; ``only``: the panels that are drawn, counted from 1; ``foot``: lines below each panel. Returns a
    figure that is ready for a page.
    """
    spec, panels = read_figure(given, lab.catalogue, places, defaults)
    many, columns = len(panels) > 1, -(-len(panels) // spec.rows)
    data: Columns = {}
    charts: list[tuple[Chart, str | None]] = []
    for k, (frame, options) in enumerate(panels):
        if only is not None and k + 1 not in only:
            continue
        chart = Chart(72 * max(spec.height / spec.rows, LOWEST))
        prefix = f"{frame.title}: " if many and frame.title else ""
        whole = PANELS[frame.draw](Panel(chart=chart, lab=lab, data=data, prefix=prefix), **options)
        _frame(chart, _named_alone(frame, [f for f, _ in panels], spec))
        charts.append((chart, whole))
    _share([chart.x for chart, _ in charts], spec.sharex, columns)
    _share([chart.y for chart, _ in charts], spec.sharey, columns)
    legend: tuple[tuple[str, str], ...] = ()
    if spec.legend:
        legend = _legend(charts[spec.legend_of if only is None or len(charts) == len(panels) else 0][0])
    svgs = []
    for k, (chart, whole) in enumerate(charts):
        alt = chart.title if k and chart.title else f"{chart.title}. {spec.alt}".removeprefix(". ")
        svg = with_foot(whole or "", foot) or chart.svg(f"{key}-{k + 1}", alt, foot)
        svgs.append(svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1) if whole else svg)
    longest = max((len(column) for column in data.values()), default=0)
    filled = {name: [*column, *[""] * (longest - len(column))] for name, column in data.items()}
    caption = spec.caption
    for word, found in (
        ("{runs}", lab.n * max(lab.draws, 1)), ("{adults}", 20 * lab.n), ("{drive}", _drive(lab.catalogue)),
    ):  # fmt: skip
        caption = caption.replace(word, str(found))
    return Drawn(
        alt=spec.alt, panels=tuple(svgs), legend=legend, legend_title=spec.legend_title, caption=caption, data=filled
    )


def _legend(chart: Chart) -> tuple[tuple[str, str], ...]:
    """A small drawing of each line or mark, and its words."""
    found: dict[str, str] = {}
    for kind, ink, alpha, form, words, _ in chart.named:
        shape = f'<path d="M1 1h18v10h-18z" fill="{ink}"/>'
        if kind == "line":
            dashes = {"--": "6 3", "-.": "6 2 2 2", ":": "2 2"}.get(form, "none")
            pale = f' stroke-opacity="{alpha:g}"' if alpha < 1 else ""
            shape = f'<path d="M0 6h20" stroke="{ink}"{pale} stroke-width="2.4" stroke-dasharray="{dashes}"/>'
        elif kind == "mark":
            shape = f'<circle cx="10" cy="6" r="4" fill="none" stroke="{ink}" stroke-width="1.4"/>'
        found.setdefault(words, f'<svg viewBox="0 0 20 12" width="20" height="12" aria-hidden="true">{shape}</svg>')
    return tuple((svg, words) for words, svg in found.items())


def _share(axes: Sequence[Axis], how: str, columns: int) -> None:
    """Give panels that share an axis the same limits, and its words where only some have them."""
    groups: dict[int, list[Axis]] = {}
    for k, axis in enumerate(axes):
        if how != "none":
            groups.setdefault({"all": 0, "row": k // columns, "col": k % columns}[how], []).append(axis)
    for some in groups.values():
        limits = np.array([axis.limits() for axis in some])
        words = next((axis.label for axis in some if axis.label), "")
        for axis in some:
            axis.lim = float(limits[:, 0].min()), float(limits[:, 1].max())
            axis.label = axis.label or words


def _drive(catalogue: Catalogue) -> str:
    """Drive of the default mechanism of adaptation, in words."""
    drive = next(entry.drive for entry in catalogue.adaptation.values() if entry.default)
    return "activation" if drive == "activation" else "the response that activation makes, with receptors to spare"


def _named_alone(frame: Frame, frames: Sequence[Frame], spec: FigureSpec) -> Frame:
    """Name the axes of a panel that stands alone as its neighbours name them, where they are the same axes."""
    alike = [f for f in frames if f.draw == frame.draw]
    x = next((f.x for f in alike if f.x and f.xlim == frame.xlim), None)
    y = next((f.y for f in alike if f.y and spec.sharey != "none"), None)
    return replace(frame, x=frame.x or x, y=frame.y or y)


def _frame(chart: Chart, frame: Frame) -> None:
    """Set words, limits and reference lines of a panel where they are given."""
    for place in frame.hlines:
        chart.rule(y=place)
    for place, words in frame.vlines:
        chart.rule(x=place)
        if words:
            chart.note(words, place, 0.97, shares="y", va="top", right_by=3)
    for axis, letter, label, lim in ((chart.x, "x", frame.x, frame.xlim), (chart.y, "y", frame.y, frame.ylim)):
        axis.log = axis.log or letter in frame.log
        axis.label = axis.label if label is None else label
        axis.lim = axis.lim if lim is None else lim
    chart.title, chart.legend = frame.title, frame.legend
    if frame.xticks:
        chart.x.ticks, chart.x.words = frame.xticks, frame.xlabels
