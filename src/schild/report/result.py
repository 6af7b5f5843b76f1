"""Page of any result."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from schild.catalog import load
from schild.figures import Chart
from schild.report.parts import charts_svg, columns_of, figure, foot_of, notice, page, paragraph, section, table
from schild.report.simulation import ADVICE, sources
from schild.results import Shown, plain, summary_table
from schild.tables import number_words, spread_words

#: Entries of a value of the catalogue that say where it was read; the sources of the page cite it.
_PROVENANCE = ("source", "row", "verified")
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
        svg = charts_svg(picture.charts, "result", f"{title}.", foot_of(title, getattr(found, "sources", ())))
        numbers = _numbers(picture.charts)
        parts.append(section("Figure", figure(svg, caption=picture.caption or title, data=numbers, name="figure")))
    parts.append(section("Numbers", *_tables(title, found.summary(), found.about())))
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


def _tables(title: str, summary: Any, about: str) -> list[str]:
    """Write a summary as tables: one of its numbers, and one for each entry that has rows of its own."""
    nested: dict[str, list[Mapping[str, Any]]] = {}
    if isinstance(summary, Mapping):
        for key, value in summary.items():
            if isinstance(value, Mapping) and value and all(isinstance(v, Mapping) for v in value.values()):
                nested[key] = [{"": name, **v} for name, v in value.items()]
            elif isinstance(value, (list, tuple)) and value and all(isinstance(v, Mapping) for v in value):
                nested[key] = list(value)
        # A sentence that stands above already is left out.
        summary = {k: v for k, v in summary.items() if k not in nested and not (isinstance(v, str) and v in about)}
    found: list[str] = []
    for caption, part in ((title, summary), *((key.replace("_", " "), rows) for key, rows in nested.items())):
        heads, rows = summary_table(part)
        if not rows:
            continue
        cells = [[_cell(value) for value in row] for row in rows[:ROWS]]
        heads = [_head(head) for head in heads]
        # On a phone a row is a card whose title is its first cell: a number alone would say nothing.
        cells = [[f"{heads[0]} {row[0]}" if _is_number(row[0]) else row[0], *row[1:]] for row in cells]
        right = [k for k in range(len(heads)) if any(isinstance(row[k], (int, float)) for row in cells)]
        left_out = f" The first {ROWS:,} of {len(rows):,} rows." if len(rows) > ROWS else ""
        found.append(table(heads, cells, caption=f"{caption}.{left_out}", numeric=right))
    return found


def _head(name: str) -> str:
    """Write the name of an entry as the head of a column.

    >>> _head("added_q95"), _head("wait_h"), _head("share_of_time")
    ('added, 95 %', 'wait [h]', 'share of time')
    """
    words = re.sub(r"_h$", " [h]", re.sub(r"(^|_)q0*(\d+)$", r", \2 %", name).removeprefix(", "))
    return re.sub(r"\b50 %", "median", words.replace("_", " "))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return "" if value is None else str(value)
    if isinstance(value, Mapping):
        return _pairs(value)
    found = plain(value)
    if isinstance(found, list):
        return ", ".join(str(_cell(v)) if isinstance(v, Mapping) else _short(v) for v in found)
    return found if isinstance(found, (int, float)) else str(found)


def _pairs(value: Mapping[str, Any]) -> str:
    """Write entries in one line: a median with its range, or each with its name."""
    if "q50" in value:
        return spread_words(value, number_words)
    told = {key: v for key, v in plain(value).items() if v not in (None, "", []) and key not in _PROVENANCE}
    return "; ".join(f"{key.replace('_', ' ')} {_short(v)}" for key, v in told.items())


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_short, value))
    return number_words(value) if isinstance(value, float) else str(value)
