"""The answer for a terminal and as a page, composed from the book of claims and the verdicts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from schild import __version__
from schild.catalog import Claim, Test
from schild.catalog.claims import unit_words
from schild.engine.kept import keeping
from schild.explanation.answer import EVIDENCE_WORDS, Explanation, Finding, quantity
from schild.report.parts import Raw, foot_of, link, render, source_words, without_files
from schild.web.controls import ADDRESS

if TYPE_CHECKING:
    from rich.console import Console

    from schild.explanation.panels import Drawn
    from schild.web.scenes import Shown as Scene

#: Kinds of evidence in the order of their weight, and how the page heads them.
_KINDS = {
    "predicted": "Predicted before the data were opened",
    "checked": "Compared with human data that no number was fitted to",
    "label": "Compared with a label or a guide",
    "fitted": "Fitted to these data: agreement is no support",
    "construction": "Following from the equations: agreement is no support",
}
_SIGNS = {"yes": ("green", "✓ held"), "no": ("red", "✗ missed"), "not tested": ("dim", "– no data")}
#: Entries of the manifest in words.
_MANIFEST = {
    "schild": "version", "people": "virtual people", "draws": "parameter sets for each", "seed": "seed",
}  # fmt: skip
#: Headings of what a test compares the model with; studies are not all in people.
_OBSERVED = {"The label": "Label", "Expected": "Expected"}
#: Points of a course that the table beside a figure shows.
_SHOWN = 5


# ------------------------------------------------------------------------------------------------ words


def number_words(f: Finding) -> dict[str, Any]:
    """Tell a result: value, band, and what people showed where the model misses.

    Returns ``value`` and ``unit`` in words, ``band`` in words, ``bar`` (where band and value lie, as shares of the
    axis; empty without a band), ``verdict``, ``observed`` and ``missing``.
    """
    value, (low, high), unit = f.outcome.predicted, f.outcome.band, f.test.unit
    # The band holds 90 % of people where they differ, else 90 % of parameter sets.
    whose = "sets of parameters" if f.outcome.ends is not None else "virtual people"
    told: dict[str, Any] = {
        "value": f.outcome.missing or quantity(value, unit, 2), "band": "", "short": "", "bar": (),
        "verdict": f.verdict, "observed": f.test.observed, "evidence": evidence_words(f.test),
        "said_by": said_by(f.test.source, f.test.observed),
    }  # fmt: skip
    if low is None or high is None or f.outcome.missing:
        return told
    a, b = (quantity(v, unit, 2, bare=True) for v in (low, high))
    if a == b == quantity(value, unit, 2, bare=True):
        return {**told, "band": f"The same in 90 % of {whose}", "short": f"the same in 90 % of {whose}"}
    first, last = (0.0, 100.0) if unit == "%" and low >= 0 and high <= 100 else (min(0.0, low), max(high, value, 0.0))
    size = (last - first) or 1.0
    return {
        **told, "band": f"90 % of {whose}: {a} to {b}{unit_words(unit)}", "short": f"{a} to {b} in 90 % of {whose}",
        "bar": tuple(round((v - first) / size, 3) for v in (low, high, value)),
    }  # fmt: skip


def evidence_words(test: Test) -> str:
    """Kind of evidence that decides a test, in words."""
    return EVIDENCE_WORDS[test.evidence] if test.op else "no data decide it"


def said_by(source: Sequence[str], observed: str = "") -> str:
    """Origin of an observation: a label, studies in people, or theory.

    >>> said_by(("VivitrolLabel",)), said_by(("Lee1988", "VivitrolPI")), said_by((), "1, Gaddum's and Schild's theory")
    ('The label', 'Human data', 'Expected')
    """
    if observed.endswith("theory") or observed.startswith("by definition"):
        return "Expected"
    return "The label" if source and all(re.search("Label|PI$|USPDI", key) for key in source) else "Human data"


def witnesses(answer: Explanation, tests: Mapping[str, str]) -> list[dict[str, Any]]:
    """Describe tests that an answer rests on: what each measures, human data first and the model beside them."""
    return [{"words": words, "id": key, **number_words(answer.by_id[key])} for key, words in tests.items()]


def cards(answer: Explanation) -> list[dict[str, Any]]:
    """Describe the cards: question, what is known, number, what it rests on."""
    told = []
    for card in answer.book.cards:
        rests = {card.number: "the number above", **card.witness} if card.number else dict(card.witness)
        number = {"id": card.number, **number_words(answer.by_id[card.number])} if card.number else None
        told.append({"card": card, "number": number, "rests": witnesses(answer, rests)})
    return told


def claim_words(answer: Explanation, claim: Claim) -> str:
    """Say how the tests of a claim came out.

    Returns ``held``, ``model misses 2 of 5`` or ``no data``.
    """
    found = [answer.by_id[t.id].holds for t in claim.tests]
    tested, missed = sum(v != "not tested" for v in found), found.count("no")
    return f"model misses {missed} of {tested}" if missed else "held" if tested else "no data"


def rests_on(answer: Explanation) -> str:
    """Say on how many tests the answer rests, which of them missed, and how many of all are known to miss."""
    total = len(answer.book.tests)
    missed = ", ".join(f.test.id for f in answer.findings if f.holds == "no")
    said = f"These lines rest on {len(answer.findings)} of {total} tests of the model; "
    said += f"the model misses {missed}, as marked above. " if missed else "none of them missed. "
    return f"{said}Of all {total}, {len(answer.book.known)} are known to miss."


def cite_words(answer: Explanation) -> str:
    """Citation of the answer."""
    return f"The schild developers. schild {__version__}, {answer.book.question} {ADDRESS}, seed {answer.lab.seed}."


# ------------------------------------------------------------------------------------------------ terminal


def print_text(answer: Explanation, console: Console, everything: bool = False) -> None:
    """Print the answer and its cards; claims that were run: the misses; ``everything``: every claim and the tables."""
    from rich.text import Text

    book = answer.book

    def say(said: str, style: str = "", end: str = "\n") -> None:
        console.print(Text(said, style), end=end)

    say(book.question, "bold")
    for said in answer.paragraphs:
        say(said)
    for said in book.remember:
        say(f"- {said}")
    if book.danger:
        say(f"\nDanger. {book.danger}", "bold red")
    for told in cards(answer):
        card, number = told["card"], told["number"]
        say(f"\n{card.question}", "bold")
        say(card.says)
        if number is not None:
            if number["verdict"] == "missed":
                say(_missed(number, card.shows), "red")
            else:
                say(f"Model: {number['value']} {card.shows}.{' ' + number['band'] + '.' if number['band'] else ''}")
        for w in told["rests"]:
            if w["verdict"] == "missed" and w["id"] != card.number:
                say(_missed(w, f"for {w['words']}"), "red")
    say("")
    if not answer.whole:
        say(rests_on(answer), "bold")
        say("Every test, misses first, with their size and cause: --claims.", "dim")
    elif answer.findings:
        say(answer.counts, "bold")
        for f in answer.misses:
            say(f"✗ {f.test.id} {f.test.size(f.outcome.predicted)}: {f.reason or 'not listed as known'}")
        say("")
    if everything:
        _print_all(answer, console)
    else:
        say("Every claim, tables and what is not known: --all. With pictures: --html FILE.", "dim")
    say(book.advice, "bold")


def _missed(told: Mapping[str, Any], what: str) -> str:
    return f"{told['said_by']}: {told['observed']}. The model gives {told['value']} {what}: a miss."


def _print_all(answer: Explanation, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    for caption, columns, rows in answer.tables:
        grid = Table(*columns, title=caption, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for row in rows:
            grid.add_row(*(Text(str(cell)) for cell in row))
        console.print(grid)
        console.print()
    if answer.findings:
        grid = Table(box=None, pad_edge=False, show_edge=False, expand=True)
        for name, ratio in (("", 0), ("claim", 5), ("predicted (90 % band)", 3), ("criterion", 3), ("evidence", 2)):
            grid.add_column(name, ratio=ratio or None, no_wrap=not ratio)
        for f in answer.ordered:
            colour, sign = _SIGNS[f.holds]
            grid.add_row(
                Text(sign, style=colour), Text(f"{f.test.id} {f.test.statement}"), Text(f.predicted),
                Text(f.test.criterion if f.test.op else "–"), Text(EVIDENCE_WORDS[f.test.evidence], style="dim"),
            )  # fmt: skip
        console.print(grid)
        console.print()
    for title, lines in (
        ("Not tested in this version", [f"{key} {said}" for key, said, _ in answer.book.not_tested]),
        ("What is not known", answer.book.unknown),
    ):
        if lines:
            console.print(Text(title, style="bold"))
            for said in lines:
                console.print(Text(f"- {said}"))
            console.print()


# ------------------------------------------------------------------------------------------------ page


@keeping()
def html_page(answer: Explanation) -> str:
    """Write the answer as one page, with the engine that changes its scenes."""
    from schild.explanation.verify import stated_of
    from schild.web.scenes import engine_of, scenes_of

    book, shown = answer.book, {(card.picture, card.panel) for card in answer.book.cards if card.picture}
    claims = {claim.id: claim for claim in book.claims}
    told = cards(answer)
    for one in told:
        card = one["card"]
        one["figure"] = _figure(answer, claims[card.picture], f"card-{card.id}", [card.panel]) if card.picture else None
    mechanism: list[dict[str, Any]] = []
    addresses = {key: link(address) for key, _, address in answer.sources()}
    ids = {test.id for test in book.tests}  # numbers of cards are shown on the cards only
    for claim in book.claims:
        left = [k for k in range(1, len(claim.figure.get("panel", ())) + 1) if (claim.id, k) not in shown]
        found = [f for f in answer.ordered if f.claim == claim.id and f.test.id in ids]
        drawn = _figure(answer, claim, f"claim-{claim.id}", left) if left else None
        if found or drawn:
            on_cards = [card for card in book.cards if card.picture == claim.id]
            mechanism.append(
                {"claim": claim, "figure": drawn, "words": claim_words(answer, claim) if found else "",
                 "tests": [_row(f, addresses) for f in found], "cards": on_cards}
            )  # fmt: skip
    catalogue = answer.lab.catalogue
    scenes: dict[str, Scene] = {}
    if not answer.lab.overrides:  # scenes run the catalogue's own numbers
        shown_scenes = answer.lab.once("scenes", lambda: scenes_of(answer.drug, catalogue=catalogue))
        scenes = {s.scene.key: s for s in shown_scenes}
    for one in told:
        one["scene"] = scenes.pop(one["card"].scene, None)
    kinds = [
        (words, *answer.count(kind), [f for f in answer.misses if f.test.evidence == kind])
        for kind, words in _KINDS.items()
    ]
    return render(
        "answer.html", claimed=answer.drug in catalogue.claims,
        heading=f"The mechanism, {'claim by claim' if answer.drug in catalogue.claims else 'run by run'}",
        title=book.question, answer=answer, book=book, cards=told, steps=_steps(answer),
        mechanism=mechanism, kinds=[k for k in kinds if k[2]], quantity=quantity, said_by=said_by, shown_id=shown_id,
        observed_by=lambda test: _OBSERVED.get(said_by(test.source, test.observed), "Observed"),
        version=__version__,
        sources=[(key, label, addresses[key], "") for key, label, _ in answer.sources() if label],
        manifest=[(_MANIFEST.get(k, k), str(v)) for k, v in answer.manifest.items() if k not in ("catalogue", "drug")],
        cite=cite_words(answer), address=ADDRESS, scenes=list(scenes.values()), stated=Raw(stated_of(answer)),
        linked={t["test"].id for m in mechanism for t in m["tests"]},
        studies=next((m["words"] for m in mechanism if m["claim"].id == "studies"), ""),
        engine=engine_of(answer.drug, catalogue=catalogue) if not answer.lab.overrides else None,
    )  # fmt: skip


def _steps(answer: Explanation) -> list[dict[str, Any]]:
    """The boxes of the diagram, each with a number and the course of a usual dose drawn small."""
    steps, outputs = answer.book.steps, [s.output for s in answer.book.steps if s.output]
    found = None
    if outputs:
        found = answer.lab.run(str(answer.book.defaults["dose"]), 168.0, 1.0, outputs, receptors=["mor"])
    told = []
    for step in steps:
        spark = ""
        if found is not None and step.output:
            y = np.asarray(found[step.output].value, dtype=np.float64)
            x, y = np.linspace(1, 139, y.size), 29 - 27 * y / (y.max() or 1.0)
            keep = [*range(0, 12), *range(12, y.size, 4)]
            spark = "M" + " ".join(f"{a:.0f} {b:.1f}" for a, b in zip(x[keep], y[keep], strict=True))
        number = {"id": step.number, **number_words(answer.by_id[step.number])} if step.number else None
        told.append({"step": step, "number": number, "spark": spark})
    return told


def _figure(answer: Explanation, claim: Claim, key: str, panels: Sequence[int]) -> dict[str, Any]:
    """Panels of the figure of a claim with their table; each names source, version and address."""
    from schild.explanation import figures  # noqa: F401 - it registers panels
    from schild.explanation.panels import draw

    about = f"{answer.name}, {claim.id}" if claim.tests else answer.name
    foot = foot_of(about, (key for test in claim.tests for key in test.source))
    drawn = draw(claim.figure, answer.lab, key, claim.places, answer.book.defaults, only=panels, foot=foot)
    missed = [test.id for test in claim.tests if answer.by_id[test.id].holds == "no"]
    return {"drawn": drawn, "missed": missed, "panels": [Raw(svg) for svg in drawn.panels],
            "tables": number_tables(drawn), "legend": [(Raw(svg), words) for svg, words in drawn.legend]}  # fmt: skip


def number_tables(drawn: Drawn) -> list[tuple[str, list[str], list[list[str]]]]:
    """Thin the numbers behind each panel of a figure to a table: title, columns, rows.

    A table has a line for each curve, with five of its points and the band beside them. Numbers that belong to names
    (a forest, a map) keep a line for each name.
    """
    groups: dict[str, dict[str, list[Any]]] = {}
    for name, column in drawn.data.items():
        title, _, rest = name.rpartition(": ") if ": " in name else ("", "", name)
        values = column[: max((k + 1 for k, v in enumerate(column) if v != ""), default=0)]
        groups.setdefault(title, {})[rest] = values
    told = []
    for title, data in groups.items():
        named = any(isinstance(v, str) and v for column in data.values() for v in column)
        merged: dict[str, list[str]] = {}
        for name, column in data.items():
            if not name.endswith((" 5 %", " 95 %")) and column:
                low, high = data.get(f"{name} 5 %"), data.get(f"{name} 95 %")
                if name == "time [h]" and column[-1] > 100:
                    name, column = "time [days]", [v / 24 for v in column]
                few = {round(k * (len(column) - 1) / (_SHOWN - 1)) for k in range(_SHOWN)}
                merged[name] = [
                    _with_ends(_short(v), _short(low[k]), _short(high[k])) if low and high else _short(v)
                    for k, v in enumerate(column)
                    if named or k in few
                ]
        if named:
            longest = max(map(len, merged.values()))
            filled = [[*column, *[""] * (longest - len(column))] for column in merged.values()]
            told.append((title, list(merged), [list(row) for row in zip(*filled, strict=True)]))
        else:
            lines = [[name, *column, *[""] * (_SHOWN - len(column))] for name, column in merged.items()]
            told.append((title, [], lines))
    return told


def _short(value: Any) -> str:
    if isinstance(value, str):
        return value
    size = abs(float(value))
    if size < 1e-3:
        return "<0.001" if size > 1e-9 else "0"
    return f"{value:,.0f}" if size >= 99.5 else f"{value:.2g}"


def _with_ends(value: str, low: str, high: str) -> str:
    return value if low == high and value in (low, "0") else f"{value} ({low} to {high})"


def _row(f: Finding, addresses: Mapping[str, str]) -> dict[str, Any]:
    """A test for the page: what was run, what people showed, what the model gives, where it comes from.

    ``addresses``: links of its sources, by citation key.
    """
    test = f.test
    notes = [part for part in (test.why, test.note, f.reason if f.holds == "no" else "") if part]
    said = " ".join(part[0].upper() + part[1:].rstrip(". ") + "." for part in notes)
    return {
        "f": f, "test": test, "notes": without_files(said),
        "evidence": evidence_words(test), "shown": shown_id(test),
        "off": test.size(f.outcome.predicted) if f.holds == "no" else "",
        "sources": [(source_words(key), addresses.get(key, "")) for key in test.source if key != "schild"],
        "rows": _rows(test.rows),
        "run": f"{test.run.replace('_', ' ')}: " + "; ".join(f"{k} {_plain(v)}" for k, v in test.options.items()),
    }  # fmt: skip


def shown_id(test: Test) -> str:
    """The number of a test of a claim; a published result of the catalogue has a key instead, which is not shown."""
    return "" if "_" in test.id else test.id


def _rows(rows: Sequence[str]) -> str:
    """Rows of the evidence tables, each table named once: ``naltrexone/data.csv#D06`` is row D06 on naltrexone."""
    tables: dict[str, list[str]] = {}
    for row in rows:
        place, _, number = row.partition("#")
        tables.setdefault(place.partition("/")[0], []).append(number)
    return "; ".join(f"{name} {', '.join(numbers)}".strip() for name, numbers in tables.items())


def _plain(value: Any) -> str:
    """Write an option as readable words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    return ", ".join(map(_plain, value)) if isinstance(value, (list, tuple)) else str(value).replace("_", " ")
