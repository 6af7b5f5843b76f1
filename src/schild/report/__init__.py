"""Self-contained pages: no network, no script; figures as inline SVG with their numbers beside them.

The parts (``table``, ``figure``, ``notice``, ``page``) take plain data and escape it. ``simulation_html`` writes
a run with them and ``result_html`` any other result; the pages of ``explain`` and ``validate`` use the same parts.
"""

from __future__ import annotations

from schild.report.parts import (
    Raw,
    badge,
    bibliography,
    charts_svg,
    esc,
    figure,
    foot_of,
    link,
    notice,
    number,
    page,
    paragraph,
    render,
    section,
    source_words,
    table,
    without_files,
)
from schild.report.result import result_html
from schild.report.simulation import simulation_html

__all__ = [
    "Raw", "badge", "bibliography", "charts_svg", "esc", "figure", "foot_of", "link", "notice", "number", "page",
    "paragraph", "render", "result_html", "section", "simulation_html", "source_words", "table", "without_files",
]  # fmt: skip
