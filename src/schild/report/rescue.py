"""Page of a rescue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from schild.report.parts import charts_svg, figure, foot_of, notice, page, paragraph, section, table
from schild.report.simulation import ADVICE, ROWS, sources

if TYPE_CHECKING:
    from schild.overdose.published import PublishedTable
    from schild.overdose.table import Rescued


def rescue_html(found: Rescued) -> str:
    """Write a rescue as one self-contained page.

    Returns HTML with the table, comparisons, courses with their numbers, warnings, sources and the manifest.

    >>> import schild
    >>> text = rescue_html(schild.rescue("fentanyl 1.625 mg iv", n=16))
    >>> text.startswith("<!DOCTYPE html>"), "<script" in text
    (True, False)
    """
    from schild.overdose.table import FRAMING

    rows = found.summary()
    parts: list[str] = [paragraph(FRAMING, kind="answer")]
    parts += [notice(w, kind="warning", title="Warning.") for w in found.warnings]
    plain = [{k: v for k, v in row.items() if not isinstance(v, dict)} for row in rows]
    named = list(dict.fromkeys(key for row in plain for key in row))
    shown = [[_cell(row.get(key)) for key in named] for row in plain]
    numeric = [k for k, key in enumerate(named) if key not in ("regimen", "delay", "tolerance")]
    parts.append(section("Arrest", table([_words(key) for key in named], shown, numeric=numeric)))
    spread = list(dict.fromkeys(key for row in rows for key in row if isinstance(row[key], dict)))
    quantiles = [
        [row.label, _words(key), *(_cell(summary[key][q]) for q in ("q05", "q50", "q95"))]
        for row, summary in zip(found.rows, rows, strict=True)
        for key in spread
        if key in summary
    ]
    heads = ("row", "what", "5th percentile", "median", "95th percentile")
    parts.append(section("Times and withdrawal", table(heads, quantiles, numeric=(2, 3, 4))))
    if found.comparisons:
        compared = [(c.regimen, c.against, c.delay, c.tolerance, c.points, c.low, c.high) for c in found.comparisons]
        heads7 = ("antagonist", "against", "delay", "tolerance", "difference, points of arrest", "low", "high")
        parts.append(section("The same people, compared", table(heads7, compared, numeric=(4, 5, 6))))
    said = "Breathing, arterial oxygen and arrest by antagonist, delay and tolerance."
    picture = found.picture()
    svg = charts_svg(picture.charts, "rescue", said, foot_of(found.opioid, found.sources))
    parts.append(section("Courses", figure(svg, caption=picture.caption, data=_columns(found), name="courses")))
    parts.append(section("Sources of the numbers", sources(found.sources, found.catalogue)))
    manifest = [(key, str(value)) for key, value in found.manifest.items()]
    parts.append(section("To repeat this table", table(("entry", "value"), manifest, caption="Manifest")))
    return page(f"Rescue: {found.opioid}", *parts, lead="Overdose and rescue by schild.", foot=ADVICE)


def published_html(found: PublishedTable) -> str:
    """Write the published and the predicted table as one page, misses first."""
    from schild.overdose.published import BAR

    rows = found.summary()
    keys = [key for key in rows[0] if key != "miss"] if rows else []
    head = f"{len(found.misses)} of {len(rows)} percentages differ by more than {BAR:g} points."
    shown = [["miss" if row["miss"] else "", *(_cell(row[key]) for key in keys)] for row in rows]
    parts = [paragraph(head, kind="answer"), *(notice(w) for w in found.warnings)]
    parts.append(section("Published, and ours", table(["", *map(_words, keys)], shown, head=False)))
    return page("Cardiac arrests: published, and ours", *parts, lead="Overdose and rescue by schild.", foot=ADVICE)


def _columns(found: Rescued) -> dict[str, list[Any]]:

    step = max(1, -(-found.times_s.size // ROWS))
    columns: dict[str, list[Any]] = {"time [min]": (found.times_s[::step] / 60.0).tolist()}
    for row in found.rows:
        name = row.label
        columns[f"breathing [L/min], {name}"] = np.median(row.people.ventilation[:, ::step], axis=0).tolist()
    return columns


#: Columns whose names say more than their keys.
_NAMES = {
    "percent": "arrest [%]", "low": "95 % limit, low", "high": "95 % limit, high", "n": "people",
    "below_sao2_90_s": "SaO2 below 90 % [s]", "below_pao2_30_s": "PaO2 below 30 mmHg [s]",
    "below_pbo2_20_s": "PO2 of the brain below 20 mmHg [s]", "peak_cows": "peak COWS [points]",
}  # fmt: skip


def _words(key: str) -> str:
    if key in _NAMES:
        return _NAMES[key]
    name = key.replace("_percent", " [%]").removesuffix("_s").replace("_", " ")
    return f"{name} [s]" if key.endswith("_s") else name


def _cell(value: Any) -> Any:
    return "" if value is None else value
