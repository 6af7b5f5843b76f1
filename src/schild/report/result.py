"""Page of any result."""

from __future__ import annotations

from typing import Any

from schild.catalog import load
from schild.report.drawing import draw_on, svg_of
from schild.report.parts import figure, notice, page, paragraph, section, table
from schild.report.simulation import ADVICE, sources
from schild.results import Shown, plain, summary_table

#: Rows of a summary that a page shows.
ROWS = 500


def result_html(found: Shown, title: str) -> str:
    """Write a result as one self-contained page: description, warnings, figure, numbers, sources, manifest.

    >>> import schild
    >>> rows = schild.coverage("naltrexone 50 mg po q24h x3", missed=[0], n=4)
    >>> "<svg" in result_html(rows, "Days protected")
    True
    """
    parts: list[str] = [paragraph(f"{found.about().rstrip('.')}.", kind="answer")]
    parts += [notice(w, kind="warning", title="Warning.") for w in getattr(found, "warnings", ())]
    with draw_on():
        drawn = found.plot()
        if drawn is not None:
            parts.append(
                section("Figure", figure(svg_of(drawn, "result", f"{title}: {found.about()}."), caption=title))
            )
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


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return "" if value is None else str(value)
    found = plain(value)
    return found if isinstance(found, (int, float)) else str(found)
