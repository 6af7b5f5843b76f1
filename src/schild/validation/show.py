"""The validation for a terminal and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from schild.figures import COLOURS, Chart, Picture
from schild.report.parts import (
    Raw,
    badge,
    bibliography,
    charts_svg,
    columns_of,
    esc,
    figure,
    foot_of,
    number,
    page,
    paragraph,
    section,
    table,
)
from schild.report.simulation import ADVICE
from schild.validation import Validation, misses_first, observations

if TYPE_CHECKING:
    from rich.console import Console

    from schild.validation.check import Check
    from schild.validation.withdrawal import Statement

_WITHDRAWAL = (
    "Latent scores of the Clinical Opiate Withdrawal Scale in the typical person; the range beside them is 90 % of "
    "virtual people. Severity of withdrawal in one person is not predictable: in two published studies it followed "
    "neither dose nor frequency nor length of use (a third found it with length), and the spread here is assumed and "
    "wide. Each row has a window that was written down before it was run. Most are ordinal or "
    "ranges of low grade, so none enters the coverage above."
)
_EVIDENCE = {"fitted": "fitted to this", "checked": "checked, not fitted"}
_HOW = (
    "Predicted: the typical person. Band: the 90 % range of results of such a study, with the uncertainty of the "
    "numbers (the part between studies included), people (a mean of n, or one), and 15 % of assay and sampling for "
    "plasma, the fixed standard deviation for scans and effects."
)

_TRIALS = (
    "These are virtual trials with the regimens of the published ones; the people before treatment are assumed. Rates "
    "of one trial and three pooled effects were fitted; reviews share trials with them, so agreement says little. "
    "The interval of a single trial is wide: it includes parameters, differences between trials and sampling."
)
_LABORATORY = (
    "Five numbers were fitted to the pooled effect sizes, one each, so those rows are no support, and a model that "
    "meets them can hardly miss the direction of a single study. Studies that found nothing count as consistent where "
    "the model gives a study of their size less than one chance in two."
)


def _flaws(c: Check) -> str:
    said = [] if c.within_two else ["two-fold"]
    return " and ".join([*said, *([] if c.inside else ["band"])])


def _observed(c: Check) -> str:
    o = c.observation
    unit = "" if o.unit == "1" else f" {o.unit}"
    return f"{c.bound} {number(o.value)}{unit}".strip()


def _reason(v: Validation, c: Check | Statement) -> str:
    entry = v.catalogue.known_misses.get(c.observation.id)
    if entry is not None:
        return entry.reason
    return "A fitted row." if c.evidence == "fitted" else "Not listed as known."


def print_text(v: Validation, console: Console) -> None:
    """Print bars and misses."""
    from rich.table import Table
    from rich.text import Text

    def grid(columns: Sequence[tuple[str, int]], rows: Iterable[Sequence[str | Text]]) -> None:
        found = Table(box=None, pad_edge=False, expand=True)
        for name, ratio in columns:
            found.add_column(name, ratio=ratio or None, no_wrap=not ratio)
        for row in rows:
            found.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
        console.print(found)

    colours = {"kept": "green", "broken": "red", "shown": "dim"}
    grid(
        (("", 0), ("bar", 4), ("wanted", 2), ("found", 5)),
        ((Text(b.verdict, style=colours[b.verdict]), b.name, b.wanted, b.found) for b in v.bars),
    )
    console.print()
    misses = [c for c in v.ordered if not c.holds]
    console.print(
        Text(f"{len(misses)} of {len(v.checks)} rows miss; the rest are in band and within two-fold.", "bold")
    )
    grid(
        (("row", 4), ("observed", 2), ("predicted (90 % band)", 4), ("fold", 1), ("evidence", 1), ("", 2)),
        (
            (c.observation.id, _observed(c), _band(c), f"{c.predicted / c.observation.value:.2f}", c.evidence,
             f"outside {_flaws(c)}")
            for c in misses
        ),
    )  # fmt: skip
    for title, _, statements, band in _sections(v):
        missed = [s for s in statements if not s.holds]
        said = f"{title}: {len(missed)} of {len(statements)} rows outside their window (range: {band})."
        console.print()
        console.print(Text(said, "bold"))
        if missed:
            grid(
                (("row", 4), ("wanted", 3), ("predicted", 5), ("evidence", 1)),
                ((s.observation.id, s.window, s.said, s.evidence) for s in missed),
            )
    for key, reason in v.skipped:
        console.print(Text(f"not predicted: {key}: {reason}"))
    console.print()
    console.print(Text(_HOW, style="dim"))
    console.print(Text(ADVICE, style="bold"))


def _band(c: Check) -> str:
    return f"{number(c.predicted)} ({number(c.low)} to {number(c.high)})"


def html_page(v: Validation) -> str:
    """Write the report as one page."""
    said = "Every stated bar is kept." if v.ok else "A stated bar is broken; see below."
    parts: list[str] = [paragraph(said, kind="answer"), paragraph(_HOW)]
    bars = [(badge(b.verdict), b.name, b.wanted, b.found) for b in v.bars]
    parts.append(section("Bars", table(("verdict", "bar", "wanted", "found"), bars, head=False)))
    misses = [
        (
            Raw(f"<strong>{esc(c.observation.id)}</strong><br>{esc(c.words)}"), _observed(c), _band(c),
            f"{c.predicted / c.observation.value:.2f}", _EVIDENCE[c.evidence], f"Outside {_flaws(c)}. {_reason(v, c)}",
        )
        for c in v.ordered
        if not c.holds
    ]  # fmt: skip
    words = ("row", "observed", "predicted (90 % band)", "fold", "evidence", "what is wrong")
    caption = f"{len(misses)} of {len(v.checks)} rows"
    wide = (28, 11, 17, 7, 10, 27)
    parts.append(section("Misses first", table(words, misses, head=False, caption=caption, widths=wide)))
    parts += [_statements(v, *group) for group in _sections(v)]
    if v.skipped:
        parts.append(section("Not predicted in this version", table(("row", "reason"), v.skipped)))
    parts.append(section("Overview", _glance(v)))
    for key, group in groupby(v.checks, key=lambda c: c.table):
        parts.append(_study(v, key, sorted(group, key=lambda c: (c.holds, -c.size))))
    keys = sorted({key for o in observations(v) for key in o.source})
    refs = v.catalogue.references
    entries = [(k, refs[k].label, refs[k].address, "") for k in keys if k in refs]
    parts.append(section("Sources", bibliography(entries)))
    lead = "Every published result of the catalogue, predicted and observed; misses first."
    return page("Validation", *parts, lead=lead, foot=ADVICE)


def _sections(v: Validation) -> list[tuple[str, str, list[Statement], str]]:
    """Title, words, rows (largest misses first) and meaning of the range, of each kind of rows with a window."""
    groups: tuple[tuple[str, str, Sequence[Statement], str], ...] = (
        ("Tolerance, dependence, withdrawal", _WITHDRAWAL, v.withdrawal, "90 % of people"),
        ("Alcohol in the laboratory", _LABORATORY, v.laboratory, "90 % over parameters"),
        ("Trials of alcohol use disorder", _TRIALS, v.trials, "95 % of trials of that size"),
    )
    return [(title, words, misses_first(some), band) for title, words, some, band in groups if some]


def _statements(v: Validation, title: str, intro: str, statements: Sequence[Statement], band: str) -> Raw:
    rows = [
        (
            badge("held" if s.holds else "missed"),
            Raw(
                f"<strong>{esc(s.observation.id)}</strong><br>{esc(s.words)}"
                + ("" if s.holds else f"<br><small>{esc(_reason(v, s))}</small>")
            ),
            s.window, s.said, _EVIDENCE[s.evidence],
            Raw(f"<small>{esc(', '.join((*s.observation.source, s.observation.verified)))}</small>"),
        )
        for s in statements
    ]  # fmt: skip
    words = ("verdict", "row", "wanted", f"predicted ({band})", "evidence", "source, how checked")
    caption = f"{sum(not s.holds for s in statements)} of {len(rows)} rows outside their window; misses first."
    return section(
        title, paragraph(intro), table(words, rows, head=False, caption=caption, widths=(8, 38, 14, 18, 10, 12))
    )


def ratios_picture(v: Validation) -> Picture:
    """Chart of a histogram of predicted over observed for fitted and checked rows."""
    chart, edges = Chart(230.0), np.geomspace(0.25, 4.0, 33)
    for (kind, words), colour in zip(_EVIDENCE.items(), COLOURS, strict=False):
        ratios = [c.predicted / c.observation.value for c in v.checks if c.evidence == kind]
        rows, _ = np.histogram(np.clip(ratios, 0.26, 3.9), edges)
        chart.bars(edges[:-1], edges[1:], 0.0, rows, color=colour, alpha=0.6, label=words)
    for x in (0.5, 1.0, 2.0):
        chart.rule(x=x, dashes=":" if x != 1.0 else "-")
    chart.x.log, chart.x.ticks = True, (0.25, 0.5, 1, 2, 4)
    chart.x.label, chart.y.label, chart.legend = "predicted / observed", "rows", "below"
    return Picture([chart], caption="Dotted: two-fold.")


def _glance(v: Validation) -> Raw:
    said = "Histogram of predicted over observed for fitted and checked rows."
    svg = charts_svg(ratios_picture(v).charts, "glance", said, foot_of("Validation of schild", ()))
    rows = [(c.observation.id, c.evidence, c.predicted / c.observation.value) for c in v.checks]
    data = columns_of(("row", "evidence", "predicted / observed"), rows)
    return figure(svg, caption="Predicted over observed; dotted: two-fold.", data=data, name="ratios")


def _study(v: Validation, key: str, checks: list[Check]) -> Raw:
    study = v.catalogue.studies[key]
    chart = Chart(0.0)
    chart.rows([c.observation.id for c in checks])
    for k, c in enumerate(checks):
        o = c.observation.value
        colour = COLOURS[0] if c.evidence == "fitted" else COLOURS[1]
        chart.bars(max(c.low / o, 0.08), min(c.high / o, 12.0), k - 0.15, k + 0.15, color=colour, alpha=0.3)
        at = min(max(c.predicted / o, 0.08), 12.0)
        chart.marks([at], [k], "o" if c.holds else "X", color=colour, size=6.0 if c.holds else 8.0)
    for x in (0.5, 1.0, 2.0):
        chart.rule(x=x, dashes=":" if x != 1.0 else "-")
    chart.x.log, chart.x.lim, chart.x.ticks = True, (0.1, 10.0), (0.1, 0.2, 0.5, 1, 2, 5, 10)
    chart.x.label = "predicted / observed"
    said = f"Predicted over observed with bands for each row of {key}."
    foot = foot_of(key.replace("_", " "), (name for c in checks for name in c.observation.source))
    svg = charts_svg([chart], f"s-{key.replace('_', '-')}", said, foot)
    rows = [
        (
            badge("held" if c.holds else "missed"),
            Raw(f"<strong>{esc(c.observation.id)}</strong><br>{esc(c.words)}"), _observed(c), _band(c),
            f"{c.predicted / c.observation.value:.2f}", _EVIDENCE[c.evidence],
            Raw(f"<small>{esc(', '.join((*c.observation.source, *c.observation.row)))}</small>"),
        )
        for c in checks
    ]  # fmt: skip
    words = ("verdict", "row", "observed", "predicted (90 % band)", "fold", "evidence", "source")
    caption = "Dot or cross: typical prediction; bar: 90 % band; blue: fitted, orange: checked; cross: a miss."
    numbers = [(c.observation.id, c.observation.value, c.predicted, c.low, c.high) for c in checks]
    data = columns_of(("row", "observed", "predicted", "low", "high"), numbers)
    return section(
        study.title,
        paragraph(study.says),
        figure(svg, caption=caption, data=data, name=key),
        table(words, rows, head=False),
        key=key,
    )
