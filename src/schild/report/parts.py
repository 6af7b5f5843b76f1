"""Parts of a page, from templates that escape everything that is not ``Raw``."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from io import StringIO
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from schild import __version__
from schild.figures import Chart
from schild.tables import is_level, too_small
from schild.textfile import without_controls
from schild.web.controls import ADDRESS

#: Text that is not escaped.
Raw = Markup
#: Rows of a figure's table on the page; the download has all.
SHOWN = 40
#: Names that a citation key runs together.
_NAMES = {
    "YanceyWrona": "Yancey-Wrona",
    "DotyDeWit": "Doty and de Wit",
    "OMalley": "O'Malley",
    "CTN": "CTN-",
    "JToxicolClinToxicol": "J Toxicol Clin Toxicol",
    "StuartHarris": "Stuart-Harris",
    "HillZacny": "Hill and Zacny",
    "HoskinHanks": "Hoskin and Hanks",
    "LevyCooperman": "Levy-Cooperman",
    "JenkinsCone": "Jenkins and Cone",
}
#: Keys of which only the whole is a name.
_WHOLE = {
    "NlmixrLib": "nlmixr2lib", "BindingDBCollation": "BindingDB", "DrugBankUniChem": "DrugBank and UniChem",
    "GalDiFazio1986": "Gal and DiFazio 1986", "LabelTablet": "tablet label",
}  # fmt: skip


#: The blank between a number and its unit, and those around "to" in a range.
_UNIT = re.compile(
    r"(?:(?<=\d)|^) (?=%|(?:[munpk]?[gMs]|µ[gm]|m?L|[mk]?m|mmHg|[nmµ]g/m?L|g/L|h|min|d|days?|points|kg/m²|Hz)\b)"
    r"|(?<=\d) (?=to [<>-]?\d)|(?<=\d to) (?=[<>-]?\d)"
)
#: The sign between two units that are multiplied.
_TIMES = re.compile(r"(?<=[a-z])\*(?=h/)")


def _plain(value: Any) -> Any:
    """Text as a page shows it: without control characters, and no line ends inside a range or before a unit."""
    if not isinstance(value, str) or isinstance(value, Raw):
        return value
    return _TIMES.sub("·", _UNIT.sub("\N{NO-BREAK SPACE}", without_controls(value)))


def esc(value: Any) -> Raw:
    """Escape a value; ``Raw`` passes.

    >>> str(esc("a < b")), str(esc(Raw("<b>x</b>")))
    ('a &lt; b', '<b>x</b>')
    """
    return escape(_plain(value))


@cache
def _templates() -> Environment:
    found = Environment(
        loader=PackageLoader("schild.report", "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_plain,
    )  # fmt: skip
    # In a narrow cell a line may end inside a range.
    found.filters |= {"number": number, "without_files": without_files, "narrow": escape}
    return found


def render(template: str, **view: Any) -> str:
    """Fill a template of the package.

    >>> render("base.html", title="A & B", lead="", foot="", content="").count("<h1>A &amp; B</h1>")
    1
    """
    return _templates().get_template(template).render(view)


def _part(name: str, *given: Any, **more: Any) -> Raw:
    return Raw(getattr(_templates().get_template("parts.html").module, name)(*given, **more))


def number(value: Any, digits: int = 3) -> str:
    """Write a number with a given count of significant digits, without exponents where they are not needed.

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


def without_files(said: str) -> str:
    """Remove references to files of the documentation, which a reader of the page does not have.

    >>> without_files("At least mild. The amounts are assumed (docs/design/a.md), as in docs/b.md.")
    'At least mild. The amounts are assumed.'
    """
    return re.sub(r"\s*\(docs/[^)]*\)|,? (?:as )?in docs/[\w/-]+\.md", "", said)


def paragraph(text: Any, *, kind: str = "") -> Raw:
    """Write a paragraph."""
    return _part("paragraph", text, kind)


def notice(text: Any, *, kind: str = "note", title: str = "") -> Raw:
    """Write a box: ``note``, ``warning``."""
    return _part("notice", text, kind, title)


def badge(word: str) -> Raw:
    """Write a verdict as a sign and a word, readable without colour."""
    return _part("badge", word)


def scene(told: Any) -> Raw:
    """Write a scene: its sentence, the places of its controls and its chart; ``told`` from ``schild.web.scenes``."""
    return _part("scene", told)


def section(title: str, *parts: str, key: str = "") -> Raw:
    """Put parts under a heading."""
    return _part("section", title, Raw("").join(esc(part) for part in parts), key)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    caption: str = "",
    numeric: Sequence[int] = (),
    head: bool = True,
    widths: Sequence[int] = (),
) -> Raw:
    """Write a table; on a narrow screen each row becomes a card with the names of its columns.

    ``rows``: cells; text is escaped, numbers are written with three digits; ``numeric``: columns that are aligned
    right; ``head``: whether the first cell of each row is its heading; ``widths``: shares of the width [%].
    """
    return _part("table", columns, list(rows), caption, set(numeric), head, widths)


def csv_text(data: Mapping[str, Sequence[Any]]) -> str:
    """Write columns as CSV."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(data)
    for row in zip(*data.values(), strict=True):
        writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in row])
    return buffer.getvalue()


def source_words(key: str) -> str:
    """Write a citation key as words.

    >>> source_words("YanceyWrona2011"), source_words("McCaul2000"), source_words("VivitrolLabel")
    ('Yancey-Wrona 2011', 'McCaul 2000', 'Vivitrol label')
    """
    if key in _WHOLE:
        return _WHOLE[key]
    for run_together, written in _NAMES.items():
        key = key.replace(run_together, written)
    key = re.sub(r"(?<=[a-z])(?<!Mc)(?=[A-Z\d])|(?<=[A-Z])(?=[A-Z][a-z]{2})|(?<=\d)(?=[A-Z])", " ", key)
    return key.replace(" Label", " label")


def foot_of(about: str, sources: Iterable[str], room: int = 54) -> tuple[str, str]:
    """Lines below a chart, which stay in a picture of the screen: what it is, sources, version and address.

    As many sources as fit are named whole, one at least, and how many more there are; ``room``: length of a line.

    >>> [foot_of("naltrexone", ["Lee1988", "Trostheim2022"], room)[0] for room in (40, 34)]
    ['naltrexone. Lee 1988, Trostheim 2022', 'naltrexone. Lee 1988 and 1 more']
    """
    names, tail = [source_words(key) for key in dict.fromkeys(sources) if key != "schild"], ""
    for count in range(len(names), 0, -1):
        more = f" and {len(names) - count} more" if count < len(names) else ""
        tail = f". {', '.join(names[:count])}{more}"
        if len(about + tail) <= room:
            break
    if len(about + tail) > room:
        about, tail = f"{about[: max(room - len(tail), 12)].rstrip()}…", tail.removeprefix(".")
    return about + tail, f"schild {__version__}, {ADDRESS}"


def charts_svg(charts: Sequence[Chart], key: str, alt: str, foot: Sequence[str]) -> Raw:
    """Write charts as SVG in a grid, which a phone stacks.

    ``key``: names them on their page; ``alt``: what they show, for people who do not see it; ``foot``: lines below
    each, as ``foot_of`` gives them.
    """
    drawn = []
    for k, chart in enumerate(charts):
        said = f"{chart.title}. {alt}" if chart.title else f"{alt} Chart {k + 1}." if k else alt
        drawn.append(chart.svg(f"{key}-{k + 1}", said, foot))
    return Raw(f'<div class="panels">{"".join(drawn)}</div>')


def figure(svg: str, *, caption: Any, data: Mapping[str, Sequence[Any]] | None = None, name: str = "figure") -> Raw:
    """Write a figure with its caption and its numbers.

    ``svg``: from ``charts_svg``; ``data``: columns, shown folded, with a download of all rows; ``name``: name of the
    file to download. Returns a ``figure`` element.
    """
    below = ""
    if data:
        rows = list(zip(*(_told(column, values) for column, values in data.items()), strict=True))
        step = max(1, math.ceil(len(rows) / SHOWN))
        said = "" if step == 1 else f" (one row in {step})"
        shown = table(list(data), rows[::step], caption=f"{name}{said}", numeric=range(1, len(data)), head=False)
        address = f"data:text/csv;charset=utf-8,{quote(csv_text(data))}"
        below = _part("numbers", shown, address, f"{name}.csv")
    return _part("figure", Raw(svg), caption, below)


def columns_of(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """Turn rows into the columns of a figure."""
    return {head: [row[k] for row in rows] for k, head in enumerate(heads)}


def _told(column: str, values: Sequence[Any]) -> list[Any]:
    """Replace values too small to be shown beside the larger ones of a column."""
    largest = max((abs(v) for v in values if isinstance(v, float) and math.isfinite(v)), default=0.0)
    if largest < 0.01 and not is_level(column):
        return list(values)
    return [(too_small(column, v) or v) if isinstance(v, float) else v for v in values]


def bibliography(entries: Iterable[tuple[str, str, str, str]]) -> Raw:
    """Write a list of sources: key, label, DOI or address, note. A page links to addresses and loads none."""
    return _part("bibliography", [(key, label, link(address), note) for key, label, address, note in entries])


def link(address: str) -> str:
    """Return the address of a source; a bare DOI gets that of its resolver.

    >>> link("10.1000/182"), link("https://example.org/a"), link("javascript:x"), link("")
    ('https://doi.org/10.1000/182', 'https://example.org/a', '', '')
    """
    if address.startswith("10."):
        return f"https://doi.org/{address}"
    return address if address.startswith(("https://", "http://")) else ""


def page(title: str, *parts: str, lead: str = "", foot: str = "") -> str:
    """Put parts together as one document.

    ``title``: of the page, also its first heading; ``lead``: a line below the heading; ``foot``: a line at the end.
    Returns a whole HTML document that loads nothing.

    >>> page("A & B", paragraph("x < y")).count("<h1>A &amp; B</h1>")
    1
    """
    content = Raw("").join(esc(part) for part in parts)
    return render("base.html", title=title, lead=lead, foot=foot, content=content)
