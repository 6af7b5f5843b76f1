"""Self-contained pages: no network, no script; figures as inline SVG with their numbers beside them.

The parts (``table``, ``figure``, ``notice``, ``page``) take plain data and escape it. ``simulation_html`` writes
a run with them and ``result_html`` any other result; the pages of ``explain`` and ``validate`` use the same parts.
"""

from __future__ import annotations

from schild.report.chart import Axis, Chart, Place
from schild.report.drawing import INK, WIDTH, draw_on, new_figure, svg_of, with_foot
from schild.report.parts import (
    Raw,
    badge,
    bibliography,
    esc,
    figure,
    link,
    notice,
    number,
    page,
    paragraph,
    render,
    section,
    table,
    without_files,
)
from schild.report.result import result_html
from schild.report.simulation import simulation_html

__all__ = [
    "INK",
    "WIDTH",
    "Axis",
    "Chart",
    "Place",
    "Raw",
    "badge",
    "bibliography",
    "draw_on",
    "esc",
    "figure",
    "link",
    "new_figure",
    "notice",
    "number",
    "page",
    "paragraph",
    "render",
    "result_html",
    "section",
    "simulation_html",
    "svg_of",
    "table",
    "with_foot",
    "without_files",
]
