"""The answer for a terminal and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schild.catalog import Claim
from schild.explanation.answer import EVIDENCE_WORDS, Explanation, Finding
from schild.explanation.panels import draw
from schild.report import Raw, badge, bibliography, esc, figure, notice, page, paragraph, section, table

if TYPE_CHECKING:
    from rich.console import Console

_SHORT = {
    "fitted": "fitted",
    "checked": "checked",
    "predicted": "predicted",
    "label": "label",
    "construction": "equations",
}
_SIGNS = {"yes": ("green", "✓ held"), "no": ("red", "✗ missed"), "not tested": ("dim", "– no data")}


def print_text(answer: Explanation, console: Console) -> None:
    """Print the answer, misses first."""
    from rich.table import Table
    from rich.text import Text

    console.print(Text(answer.question, style="bold"))
    for said in answer.paragraphs:
        console.print(Text(said))
        console.print()
    if answer.danger:
        console.print(Text(f"Danger. {answer.danger}", style="bold red"))
        console.print()
    for caption, columns, rows in answer.tables:
        grid = Table(title=caption, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for name in columns:
            grid.add_column(name)
        for row in rows:
            grid.add_row(*(Text(str(cell)) for cell in row))
        console.print(grid)
        console.print()
    if answer.findings:
        console.print(Text(answer.counts, style="bold"))
        for f in answer.misses:
            reason = f.reason or "not listed as known"
            console.print(Text(f"✗ {f.test.id} {f.test.size(f.outcome.predicted)}: {reason}"))
        grid = Table(box=None, pad_edge=False, show_edge=False, expand=True)
        for name, ratio in (("", 0), ("claim", 5), ("predicted (90 % band)", 3), ("criterion", 3), ("evidence", 0)):
            grid.add_column(name, ratio=ratio or None, no_wrap=not ratio)
        for f in answer.ordered:
            colour, sign = _SIGNS[f.holds]
            grid.add_row(
                Text(sign, style=colour), Text(f"{f.test.id} {f.test.statement}"), Text(f.predicted),
                Text(f.test.criterion if f.test.op else "–"), Text(_SHORT[f.test.evidence], style="dim"),
            )  # fmt: skip
        console.print(grid)
        console.print(
            Text(
                "checked, predicted: support if held; fitted: its data chose a number; equations: follows from them.",
                "dim",
            )
        )
        console.print()
    if answer.not_tested:
        console.print(Text("Not tested in this version: ", style="bold") + Text(_skipped(answer)))
        console.print()
    if answer.unknown:
        console.print(Text("What is not known", style="bold"))
        for said in answer.unknown:
            console.print(Text(f"- {said}"))
    console.print()
    console.print(Text(answer.advice, style="bold"))


def _skipped(answer: Explanation) -> str:
    return "; ".join(f"{key} {said.rstrip('.')}" for key, said, _ in answer.not_tested) + "."


def html_page(answer: Explanation) -> str:
    """Write the answer as one page."""
    parts: list[str] = [paragraph(said, kind="answer") for said in answer.paragraphs]
    if answer.danger:
        parts.append(notice(answer.danger, kind="warning", title="Danger."))
    parts.append(notice(answer.advice))
    parts += [
        section(claim.statement, _figure(answer, claim), key=claim.id) for claim in answer.claims if not claim.tests
    ]
    for caption, columns, rows in answer.tables:
        parts.append(section(caption, table(columns, rows)))
    if answer.findings:
        parts.append(section("How it came out", _verdicts(answer), key="verdicts"))
    parts += [_claim(answer, claim) for claim in answer.claims if claim.tests]
    if answer.not_tested:
        skipped = [(key, said, why) for key, said, why in answer.not_tested]
        parts.append(section("Not tested in this version", table(("id", "claim", "why not"), skipped)))
    if answer.unknown:
        items = "".join(f"<li>{esc(said)}</li>\n" for said in answer.unknown)
        parts.append(section("What is not known", Raw(f"<ul>\n{items}</ul>\n")))
    entries = [(key, label, address, "") for key, label, address in answer.sources()]
    if entries:
        parts.append(section("Sources of the claims", bibliography(entries)))
    lead = f"An answer by running it: {answer.name}, simulated by schild."
    return page(answer.question, *parts, lead=lead, foot=answer.advice)


def _verdicts(answer: Explanation) -> Raw:
    misses = [
        (
            badge("missed"),
            Raw(f"<strong>{esc(f.test.id)}</strong> {esc(f.test.statement)}<br><small>{esc(_why(f))}</small>"),
            f.test.observed, f.predicted, f.test.size(f.outcome.predicted),
        )
        for f in answer.misses
    ]  # fmt: skip
    head = paragraph(answer.counts)
    words = ("verdict", "claim, and why it misses", "observed", "predicted (90 % band)", "size")
    first = (
        table(words, misses, caption="Misses", head=False, widths=(11, 43, 18, 15, 13))
        if misses
        else paragraph("No test missed.")
    )
    return Raw(head + first + (paragraph(answer.line) if answer.line else ""))


def _why(f: Finding) -> str:
    return f.reason or "Not listed as known."


def _figure(answer: Explanation, claim: Claim) -> Raw:
    d = draw(claim.figure, answer.lab, f"figure-{claim.id}", claim.places, answer.defaults)
    return figure(d.svg, caption=d.caption, data=d.data, name=f"{answer.drug}-{claim.id}")


def _claim(answer: Explanation, claim: Claim) -> Raw:
    found = [f for f in answer.ordered if f.claim == claim.id]
    drawn = _figure(answer, claim) if claim.figure else ""
    rows = [_row(f) for f in found]
    words = ("verdict", "what was run, and its source", "observed and criterion", "predicted (90 % band)")
    title = f"{claim.id}. {claim.statement}" if claim.figure else claim.statement
    return section(title, drawn, table(words, rows, head=False, widths=(14, 44, 25, 17)), key=claim.id)


def _row(f: Finding) -> tuple[str, ...]:
    t, missed = f.test, f.reason if f.holds == "no" else ""
    notes = " ".join(part[0].upper() + part[1:].rstrip(".") + "." for part in (t.why, t.note, missed) if part)
    lines = [f"<strong>{esc(t.id)}</strong> {esc(t.statement)}"]
    lines += [f"<small>{esc(text)}</small>" for text in (notes, ", ".join((*t.source, *t.rows))) if text]
    verdict = Raw(
        f"{badge(f.verdict)}<br><small>{esc(EVIDENCE_WORDS[t.evidence] if t.op else 'no data decide it')}</small>"
    )
    asked = t.criterion + (f"; {t.size(f.outcome.predicted)}" if f.holds == "no" else "")
    measured = Raw(f"{esc(t.observed or '–')}<br><small>criterion: {esc(asked)}</small>")
    return verdict, Raw("<br>".join(lines)), measured, f.predicted
