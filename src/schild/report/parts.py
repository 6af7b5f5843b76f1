"""Parts of a page. Everything that goes in as text comes out escaped; only `Raw` passes as it is."""

from __future__ import annotations

import csv
import html
import math
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any
from urllib.parse import quote

from schild.tables import QUANTIFIED_NG_ML, concentration_words
from schild.textfile import without_controls

#: Rows of a figure's table that the page shows; the download holds all.
SHOWN = 40

#: Least value that is told in a figure's table whose column holds values of 0.01 and more.
LEAST = 0.0001


class Raw(str):
    """HTML that is already escaped."""

    __slots__ = ()


def esc(value: Any) -> Raw:
    """Escape a value; ``Raw`` passes.

    >>> esc("a < b"), esc(Raw("<b>x</b>"))
    ('a &lt; b', '<b>x</b>')
    """
    return value if isinstance(value, Raw) else Raw(html.escape(without_controls(str(value)), quote=True))


def number(value: Any, digits: int = 3) -> str:
    """Write a number with so many significant digits, without exponents where they are not needed.

    >>> number(0.0004321), number(1234.5), number(95.66), number(None), number(float("nan"))
    ('0.000432', '1,234', '95.7', '', '')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if not isinstance(value, (int, float)):
        return str(value)
    if value == 0 or isinstance(value, int):
        return f"{value:,}" if isinstance(value, int) else "0"
    size = math.floor(math.log10(abs(value)))
    if size < -5 or size > 8:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(digits - 1 - size, 0)}f}"


def paragraph(text: Any, *, kind: str = "") -> Raw:
    """Write a paragraph."""
    return Raw(f"<p{_class(kind)}>{esc(text)}</p>\n")


def notice(text: Any, *, kind: str = "note", title: str = "") -> Raw:
    """Write a box: ``note``, ``warning``."""
    head = f"<strong>{esc(title)}</strong> " if title else ""
    return Raw(f'<div class="box {esc(kind)}" role="note"><p>{head}{esc(text)}</p></div>\n')


def badge(word: str) -> Raw:
    """Write a verdict as word and sign, so that colour is not needed to read it."""
    kinds = {"held": ("yes", "✓"), "missed": ("no", "✗"), "kept": ("yes", "✓"), "broken": ("no", "✗")}
    kind, sign = kinds.get(word, ("none", "–"))
    return Raw(f'<span class="badge {kind}"><span aria-hidden="true">{sign}</span> {esc(word)}</span>')


def section(title: str, *parts: str, key: str = "", level: int = 2) -> Raw:
    """Put parts under a heading."""
    name = f' id="{esc(key)}"' if key else ""
    return Raw(f"<section{name}>\n<h{level}>{esc(title)}</h{level}>\n{''.join(parts)}</section>\n")


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    caption: str = "",
    numeric: Sequence[int] = (),
    head: bool = True,
    widths: Sequence[int] = (),
) -> Raw:
    """Write a table.

    ``rows``: cells; text is escaped, numbers are written with three digits; ``numeric``: columns that are set to the
    right; ``head``: whether the first cell of each row heads it; ``widths``: shares of the width, in percent. Returns:
    with scopes, in a box that scrolls sideways on narrow screens.
    """
    side = set(numeric)

    def cell(k: int, value: Any) -> str:
        kind = ' class="num"' if k in side else ""
        shown = esc(value if isinstance(value, str) else number(value))
        return f'<th scope="row"{kind}>{shown}</th>' if head and k == 0 else f"<td{kind}>{shown}</td>"

    body = "".join(f"<tr>{''.join(cell(k, v) for k, v in enumerate(row))}</tr>\n" for row in rows)
    names = "".join(f'<th scope="col"{_class("num" if k in side else "")}>{esc(c)}</th>' for k, c in enumerate(columns))
    top = f"<caption>{esc(caption)}</caption>" if caption else ""
    group = "".join(f'<col style="width:{w}%">' for w in widths)
    group = f"<colgroup>{group}</colgroup>" if group else ""
    kind = ' class="fixed"' if group else ""
    return Raw(
        f'<div class="wide" tabindex="0" role="region" aria-label="{esc(caption or "table")}"><table{kind}>{top}{group}'
        f"<thead><tr>{names}</tr></thead><tbody>\n{body}</tbody></table></div>\n"
    )


def csv_text(data: Mapping[str, Sequence[Any]]) -> str:
    """Write columns as CSV."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(data)
    for row in zip(*data.values(), strict=True):
        writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in row])
    return buffer.getvalue()


def figure(svg: str, *, caption: Any, data: Mapping[str, Sequence[Any]] | None = None, name: str = "figure") -> Raw:
    """Put a figure with its caption and the numbers behind it.

    ``svg``: from ``svg_of``; ``data``: columns; shown folded, with a download of the whole; ``name``: of the file to
    download. Returns a ``figure`` element.
    """
    below = ""
    if data:
        rows = list(zip(*(in_words(column, values) for column, values in data.items()), strict=True))
        step = max(1, math.ceil(len(rows) / SHOWN))
        said = "" if step == 1 else f" (every {_ordinal(step)} row)"
        address = f"data:text/csv;charset=utf-8,{quote(csv_text(data))}"
        link = f'<a download="{esc(name)}.csv" href="{address}">Download as CSV</a>'
        shown = table(list(data), rows[::step], caption=f"{name}{said}", numeric=range(1, len(data)), head=False)
        below = f"<details><summary>The numbers</summary><p>{link}</p>{shown}</details>"
    return Raw(f"<figure>\n{svg}\n<figcaption>{esc(caption)}</figcaption>\n{below}</figure>\n")


def in_words(column: str, values: Sequence[Any]) -> list[Any]:
    """Say in words what no assay could see, and rounding errors in a column of large values."""
    largest = max((abs(v) for v in values if isinstance(v, float) and math.isfinite(v)), default=0.0)

    def told(value: Any) -> Any:
        if not isinstance(value, float):
            return value
        if "[ng/mL]" in column or column.endswith("_ng_ml"):
            return concentration_words(value) if value < QUANTIFIED_NG_ML else value
        if 0 < abs(value) < LEAST and largest >= 100 * LEAST:
            return f"<{LEAST}" if value > 0 else f">-{LEAST}"
        return value

    return [told(value) for value in values]


def bibliography(entries: Iterable[tuple[str, str, str, str]]) -> Raw:
    """Write a list of sources.

    ``entries``: the address is written as text: a page loads nothing and links nowhere by itself.
    """
    items = []
    for key, label, address, note in entries:
        more = f' <span class="address">{esc(address)}</span>' if address else ""
        said = f" <em>{esc(note)}</em>" if note else ""
        items.append(f'<li id="ref-{esc(key)}"><strong>{esc(key)}</strong> {esc(label)}{more}{said}</li>\n')
    return Raw(f'<ol class="sources">\n{"".join(items)}</ol>\n')


def page(title: str, *parts: str, lead: str = "", foot: str = "") -> str:
    """Put parts together as one document.

    ``title``: of the page, also its first heading; ``lead``: a line below the heading; ``foot``: a line at the end.
    Returns a whole HTML document that loads nothing.

    >>> page("A & B", paragraph("x < y")).count("<h1>A &amp; B</h1>")
    1
    """
    below = f'<p class="lead">{esc(lead)}</p>\n' if lead else ""
    end = f"<footer><p>{esc(foot)}</p></footer>\n" if foot else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{esc(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{esc(title)}</h1>\n{below}</header>\n{''.join(parts)}{end}</main>\n</body>\n</html>\n"
    )


def _class(name: str) -> str:
    return f' class="{esc(name)}"' if name else ""


def _ordinal(n: int) -> str:
    words = {2: "second", 3: "third"}
    return words.get(n, f"{n}th")


STYLE = """\
:root { --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --wash: #f5f7f9;
  --yes: #00664a; --no: #a33b00; --none: #57606a; --accent: #005a94; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181d; --ink: #e6e9ec; --soft: #a2abb4; --line: #3a424b; --wash: #1d2329;
    --yes: #4fc79e; --no: #f29b67; --none: #a2abb4; --accent: #6cb7ea; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.55;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 2rem 1.1rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-top: .5rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
p { margin: .5rem 0 .8rem; } .lead { color: var(--soft); font-size: 1.05rem; } .answer { font-size: 1.08rem; }
a { color: var(--accent); }
.box { border-left: 4px solid var(--accent); background: var(--wash); padding: .2rem .9rem; margin: 1rem 0; }
.box.warning { border-color: var(--no); }
.badge { display: inline-block; white-space: nowrap; font-weight: 600; font-size: .86em; padding: 0 .45em;
  border: 1px solid currentColor; border-radius: .3em; }
.badge.yes { color: var(--yes); } .badge.no { color: var(--no); } .badge.none { color: var(--none); }
.wide { overflow-x: auto; margin: .8rem 0; }
small { color: var(--soft); font-size: .87em; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; }
.fixed { table-layout: fixed; min-width: 40rem; overflow-wrap: anywhere; }
caption { text-align: left; color: var(--soft); padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .55rem; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--line); font-size: .85rem; } tbody th { font-weight: 600; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 1.2rem 0 1.8rem; } figure svg { width: 100%; height: auto; display: block; color: var(--ink); }
figcaption { color: var(--soft); font-size: .92rem; margin-top: .3rem; }
details { margin: .4rem 0; font-size: .92rem; } summary { cursor: pointer; color: var(--accent); }
.sources { font-size: .9rem; padding-left: 1.4rem; } .address { word-break: break-all; color: var(--soft); }
footer { margin-top: 3rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .9rem; }
nav ul { columns: 2; padding-left: 1.2rem; font-size: .95rem; }
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #333; --line: #999; --wash: #fff; }
  main { max-width: none; padding: 0; } figure, tr, .box { break-inside: avoid; } h2, h3 { break-after: avoid; }
  details { display: none; } .wide { overflow: visible; } table { font-size: 8pt; } }
"""
