"""Page of any result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from schild.catalog import load
from schild.figures import Chart
from schild.report.parts import charts_svg, columns_of, figure, foot_of, notice, page, paragraph, section, table
from schild.report.simulation import ADVICE, sources
from schild.results import Shown, plain, summary_table

#: Rows of a summary that a page shows, and points of each curve.
ROWS, POINTS = 500, 100


def result_html(found: Shown, title: str) -> str:
    """Write a result as one self-contained page: description, warnings, figure, numbers, sources, manifest.

    >>> import schild
    >>> rows = schild.coverage("naltrexone 50 mg po q24h x3", missed=[0], n=4)
    >>> "<svg" in result_html(rows, "Days protected")
    True
    """
    parts: list[str] = [paragraph(f"{found.about().rstrip('.')}.", kind="answer")]
    parts += [notice(w, kind="warning", title="Warning.") for w in getattr(found, "warnings", ())]
    picture = found.picture()
    if picture.charts:
        svg = charts_svg(
            picture.charts, "result", f"{title}: {found.about()}.", foot_of(title, getattr(found, "sources", ()))
        )
        numbers = _numbers(picture.charts)
        parts.append(section("Figure", figure(svg, caption=picture.caption or title, data=numbers, name="figure")))
    heads, rows = summary_table(found.summary())
    cells = [[_cell(value) for value in row] for row in rows[:ROWS]]
    right = [k for k in range(len(heads)) if any(isinstance(row[k], (int, float)) for row in cells)]
    left_out = f" The first {ROWS:,} of {len(rows):,} rows." if len(rows) > ROWS else ""
    parts.append(section("Numbers", table(heads, cells, caption=f"{title}.{left_out}", numeric=right)))
    if said := getattr(found, "assumptions", ()):
        parts.append(section("Assumed", *(paragraph(text) for text in said)))
    if hasattr(found, "sources"):
        cited = sources(found.sources, getattr(found, "catalogue", None) or load())
    else:  # numbers of the user's own table
        cited = paragraph(found.cite())
    parts.append(section("Sources of the numbers", cited))
    manifest = [(key, str(value)) for key, value in found.manifest.items()]
    parts.append(section("To repeat it", table(("entry", "value"), manifest, caption="Manifest")))
    return page(title, *parts, lead="A result of schild.", foot=ADVICE)


def _numbers(charts: Sequence[Chart]) -> dict[str, list[Any]]:
    """Numbers behind charts as columns: points of lines and marks, ends of bands and bars."""
    heads, rows = ("chart", "what", "x", "x, end", "y", "y, end"), []
    for chart in charts:
        names = dict(enumerate(chart.y.words)) if chart.y.ticks is not None else {}
        for _, _, (method, args, options) in chart.drawn:
            if method not in ("plot", "fill_between", "bar"):
                continue
            first, *others = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in args)
            for k in range(0, len(first), max(1, -(-len(first) // POINTS))):
                x, *more = (float(v[k]) for v in (first, *others))
                told: Any = {"plot": (x, None, more[0], None), "fill_between": (x, None, *more[:2])}.get(method)
                x, end, y, top = told or (x, x + more[1], more[2], more[2] + more[0])
                if names and math.isfinite(y):
                    y, top = names.get(round(y if top is None else (y + top) / 2), ""), None
                what = options.get("label") or {"fill_between": "band"}.get(method, "")
                if math.isfinite(x):
                    rows.append((chart.title or chart.y.label or chart.x.label, what, x, end, y, top))
    return {
        head: values for head, values in columns_of(heads, rows).items() if any(v not in (None, "") for v in values)
    }


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return "" if value is None else str(value)
    found = plain(value)
    return found if isinstance(found, (int, float)) else str(found)
