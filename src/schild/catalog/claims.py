"""Claims about a drug: statements, experiments and criteria (``data/claims/<drug>.toml``)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from schild.catalog.reader import meant
from schild.catalog.references import read_reference
from schild.catalog.studies import Observation
from schild.errors import SchildError
from schild.units import hours

if TYPE_CHECKING:
    from schild.catalog.loader import Catalogue
    from schild.catalog.reader import Table

Op: TypeAlias = Literal["within", "fold", "between", "at_least", "at_most"]
Evidence: TypeAlias = Literal["fitted", "checked", "predicted", "label", "construction"]
OPS: tuple[str, ...] = get_args(Op)
EVIDENCE: tuple[str, ...] = get_args(Evidence)
#: Kinds of evidence that count as support where the test holds.
SUPPORT = ("checked", "predicted")

#: A place of the answer that takes the result of a test, such as ``{M1.1}``.
PLACE = re.compile(r"\{([A-Z]\d+\.\d+[a-d]?)\}")

#: The numbers that each criterion needs.
_NEEDS = {"within": ("value", "tolerance"), "fold": ("value", "tolerance"), "between": ("low", "high")}
#: Keys of a test that are not options of its experiment.
_OWN = (
    "id", "statement", "run", "op", "value", "tolerance", "low", "high", "unit", "observed", "why", "evidence",
    "source", "rows", "note",
)  # fmt: skip


def unit_words(unit: str, number: str = "") -> str:
    """Write a unit as it follows a number, with its space; after a ``number`` of one in the singular.

    >>> unit_words("day"), unit_words("1"), unit_words("ng/mL"), unit_words("points", "1")
    (' days', '', ' ng/mL', ' point')
    """
    words = {"1": "", "day": " days", "month": " months", "d": " days", "fold": "-fold"}.get(unit, f" {unit}")
    return words.removesuffix("s") if number == "1" and words in (" days", " months", " points") else words


def _said(value: float | None, unit: str) -> str:
    said = f"{value:g}" if value is None or not 0 < abs(value) < 1e-4 else f"{value:.12f}".rstrip("0")
    return said + unit_words(unit, said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One experiment with its criterion."""

    __test__ = False  # not a test of pytest's

    #: Number and what is said
    id: str
    statement: str
    run: str  #: Name of the experiment, in ``schild.explanation.experiments``
    options: Mapping[str, Any]  #: What it is run with
    evidence: str  #: One of ``EVIDENCE``
    unit: str  #: Unit of the prediction and of the criterion
    op: str = ""  #: One of ``OPS``; empty where no data decide
    value: float | None = None
    tolerance: float | None = None
    low: float | None = None
    high: float | None = None
    #: What was measured, why this criterion, cautions
    observed: str = ""
    why: str = ""
    note: str = ""
    #: Citation keys and evidence rows
    source: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    place: str = ""  #: File and line of the test, for messages
    places: Mapping[str, str] = field(default_factory=dict)  #: The same of each key

    def holds(self, predicted: float) -> bool | None:
        """Whether a prediction meets the criterion; None where there is none.

        >>> one = Test(id="a", statement="", run="", options={}, evidence="checked", unit="h",
        ...            op="between", low=2, high=3)
        >>> one.holds(2.5), one.holds(4.0)
        (True, False)
        """
        if not self.op:
            return None
        if not math.isfinite(predicted):
            return False
        value, tolerance = self.value or 0.0, self.tolerance or 0.0
        if self.op == "within":
            return abs(predicted - value) <= tolerance
        if self.op == "fold":
            return value / tolerance <= predicted <= value * tolerance
        if self.op == "between":
            return float(self.low or 0.0) <= predicted <= float(self.high or 0.0)
        return predicted >= value if self.op == "at_least" else predicted <= value

    def size(self, predicted: float) -> str:
        """Distance of a prediction from the criterion, in words; in points between percentages."""
        unit = unit_words("points" if self.unit == "%" else self.unit)
        value = self.value or 0.0
        if self.op == "within":
            return f"{abs(predicted - value):.3g}{unit} {'above' if predicted > value else 'below'} the observed"
        if self.op == "fold":
            ratio = predicted / value
            if ratio < 1:
                return (
                    f"{100 * ratio:.0f} % of the observed"
                    if ratio >= 0.005
                    else f"{value - predicted:.3g}{unit} too low"
                )
            return f"{ratio:.2g} times the observed"
        if self.op == "between":
            low, high = float(self.low or 0.0), float(self.high or 0.0)
            if predicted < low:
                return f"{low - predicted:.3g}{unit} below the range"
            return f"{predicted - high:.3g}{unit} above the range" if predicted > high else "in the range"
        if self.op:
            return f"{abs(predicted - value):.3g}{unit} {'above' if predicted > value else 'below'} the limit"
        return ""

    @property
    def criterion(self) -> str:
        """Return the criterion in words."""
        unit = unit_words(self.unit)
        if self.op == "within":
            return f"{self.value:g} ± {self.tolerance:g}{unit}"
        if self.op == "fold":
            return f"within {self.tolerance:g}-fold of {self.value:g}{unit}"
        if self.op == "between":
            return f"{self.low:g} to {self.high:g}{unit}"
        if self.op:
            return f"{self.op.replace('_', ' ')} {_said(self.value, self.unit)}"
        return "none: no data in people decide it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement with its tests and its figure."""

    #: Number, and what is said
    id: str
    statement: str
    figure: Mapping[str, Any]  #: Fields of ``schild.explanation.panels.FigureSpec``; empty where none is drawn
    tests: tuple[Test, ...]
    #: File and line of the figure (under ``""``), of its keys, and of panels and their keys (``panel 1.draw``)
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Agonists that drugs are run with, in tables of block and in answers about drugs without claims."""

    #: The antagonist, and how much later an opioid is given
    regimen: str
    at: str
    #: The opioid that other antagonists are shown against, and how long after them it is given
    agonist: str
    route: str
    after: str
    inert: str  #: Amount of a drug that binds no opioid receptor
    caution: str = ""  #: How far the block that is shown was found in people


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One box of the diagram from dose to effect."""

    #: Name of the box, and what happens there
    name: str
    says: str
    number: str = ""  #: Test that gives its number; empty for none
    shows: str = ""  #: What the number is
    output: str = ""  #: Output of a run with the usual dose, drawn small; empty for none


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A question of a reader with its answer."""

    #: Name of the card, and the question
    id: str
    question: str
    says: str  #: What is known in people, without a number of the model
    number: str = ""  #: Test that gives the number; empty for none
    shows: str = ""  #: What the number is
    witness: Mapping[str, str] = field(default_factory=dict)  #: Other tests it rests on, and what each measures
    picture: str = ""  #: Claim whose figure is shown; empty for none
    panel: int = 1  #: Panel of that figure, counted from 1
    caption: str = ""  #: Below the picture
    scene: str = ""  #: Scene of ``web/controls.toml`` whose sentence can be changed here; empty for none


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All claims about one drug."""

    #: What it is about, the question it answers, and how the line of occupancy is drawn
    drug: str
    question: str
    line: str = ""
    #: Answer in at most 90 words, and what is not known
    answer: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    #: Warnings that go with every answer
    danger: str = ""
    advice: str = ""
    claims: tuple[Claim, ...]
    remember: tuple[str, ...] = ()  #: Three lines to take away
    steps: tuple[Step, ...] = ()
    cards: tuple[Card, ...] = ()
    related: tuple[str, ...] = ()  #: Other questions, each with the command that answers it
    keywords: tuple[str, ...] = ()
    not_tested: tuple[tuple[str, str, str], ...] = ()
    #: Sources that the bibliography does not have
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    compared: Comparison | None = None  #: With what published doses of opioids are tabulated
    known: Mapping[str, str] = field(default_factory=dict)  #: Tests that are known to miss, each with the reason
    #: Options of every experiment and figure that takes one of that name and is not given another
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tests(self) -> tuple[Test, ...]:
        """Return every test in the order of the file."""
        return tuple(test for claim in self.claims for test in claim.tests)

    @property
    def told(self) -> frozenset[str]:
        """Names of the tests whose results appear in the answer and its cards."""
        return frozenset(
            [name for said in self.answer for name in PLACE.findall(said)]
            + [name for card in self.cards for name in (card.number, *card.witness) if name]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMiss:
    """A published result that is known to be missed (``data/known_misses.toml``)."""

    id: str  #: Row of a study
    #: ``fold``: the typical prediction is more than two-fold away. ``band``: the observation lies outside the 90 %
    #: band. ``window``: the typical prediction lies outside the window of a row about withdrawal or trials.
    kinds: tuple[str, ...]
    reason: str  #: Why, as far as known
    miss: float | None = None  #: Distance to the window, in the unit of the row; None for a time that is never reached


def read_book(top: Table, catalogue: Catalogue) -> Book:
    """Read and check the claims about a drug.

    ``catalogue``: where studies and references are looked up. Raises CatalogueError if a key is unknown or lacking, a
    value has the wrong type, a study, row or reference is not there, or an identifier stands twice. The message names
    file and line.
    """
    references = {}
    for entry in top.tables("reference"):
        found = read_reference(entry)
        references[found.key] = (found.label, found.fields.get("url", ""))
    cited = {*catalogue.references, *references}
    claims = []
    ids: set[str] = set()
    for entry in top.tables("claim"):
        tests = tuple(_test(table, catalogue, cited) for table in entry.tables("test"))
        if not tests:
            raise entry.fail("has no [[claim.test]]; a claim needs at least one test.")
        claims.append(
            Claim(
                id=entry.text("id"), statement=entry.text("statement"), figure=entry.table("figure").data, tests=tests,
                places=_places(entry.table("figure")),
            )
        )  # fmt: skip
        entry.done()
        for key, place in ((claims[-1].id, entry.place("id")), *((test.id, test.place) for test in tests)):
            if key in ids:
                raise entry.fail(f"holds the id {key!r} ({place}), which stands above already; expected another.")
            ids.add(key)
    table = top.maybe_table("comparison")
    if table is not None:
        for key in ("at", "after"):
            _hours(table, key)
    book = top.record(
        Book,
        claims=tuple(claims),
        steps=tuple(_step(entry, claims) for entry in top.tables("step")),
        cards=tuple(_card(entry, claims) for entry in top.tables("card")),
        not_tested=tuple(_not_tested(entry) for entry in top.tables("not_tested")),
        references=references,
        compared=None if table is None else table.record(Comparison),
        known=top.names("known_misses"),
        defaults=top.table("defaults").data,
    )
    if book.drug not in catalogue.drugs:
        raise top.fail(f"has drug = {book.drug!r}, which is not a drug of the catalogue.", "drug")
    if not any(said.strip() for said in book.answer):
        raise top.fail(
            "has no answer; expected one or more sentences, with places such as {M1.1} for results.", "answer"
        )
    known = {test.id for claim in claims for test in claim.tests}
    for place in re.findall(r"\{(.*?)\}", " ".join(book.answer)):
        if place not in known or not PLACE.fullmatch(f"{{{place}}}"):
            hint = meant(place, known)
            raise top.fail(f"tells the result of {place!r}, which is not a test of this file.{hint}", "answer")
    for key in book.known:
        if key not in ids:
            raise top.table("known_misses").fail(f"lists {key!r}, which is not a test of this file.", key)
    return book


def _step(table: Table, claims: Sequence[Claim]) -> Step:
    step = table.record(Step)
    _named(table, claims, "number", step.number)
    return step


def _card(table: Table, claims: Sequence[Claim]) -> Card:
    card = table.record(Card)
    for key in (card.number, *card.witness):
        _named(table, claims, "number" if key == card.number else "witness", key)
    figure = next((claim.figure for claim in claims if claim.id == card.picture), {"panel": ()})
    if card.picture and not 1 <= card.panel <= len(figure.get("panel", ())):
        said = f"shows panel {card.panel} of {card.picture!r}, which no claim of this file draws; expected a claim"
        raise table.fail(f"{said} with a figure, and one of its panels.", "picture")
    return card


def _named(table: Table, claims: Sequence[Claim], name: str, key: str) -> None:
    if key and key not in {test.id for claim in claims for test in claim.tests}:
        raise table.fail(f"names {key!r} as {name!r}, which is not a test of this file; expected a test's id.", name)


def _not_tested(table: Table) -> tuple[str, str, str]:
    found = table.text("id"), table.text("statement"), table.text("why")
    table.done()
    return found


def _hours(table: Table, key: str) -> float:
    try:
        return hours(table.text(key))
    except SchildError as error:
        raise table.fail(f"has a bad {key!r}. {error}", key) from None


def _places(figure: Table) -> dict[str, str]:
    """File and line of a figure, its keys, and its panels and theirs."""
    found = {"": figure.place(), **{key: figure.place(key) for key in figure.data}}
    for k, panel in enumerate(figure.tables("panel"), 1):
        found[f"panel {k}"] = panel.place()
        found |= {f"panel {k}.{key}": panel.place(key) for key in panel.data}
    return found


def _test(table: Table, catalogue: Catalogue, cited: set[str]) -> Test:
    op = table.choice("op", OPS, "")
    row = _row(table, catalogue)
    value, tolerance, low, high = (table.one(key, float, None) for key in ("value", "tolerance", "low", "high"))
    test = Test(
        id=table.text("id"),
        statement=table.text("statement"),
        run=table.text("run"),
        options={key: value for key, value in table.data.items() if key not in _OWN},
        evidence=table.choice("evidence", EVIDENCE),
        op=op,
        unit=table.text("unit", row.unit if row else ""),
        value=row.value if row and value is None else value,
        tolerance=tolerance,
        low=low,
        high=high,
        observed=table.text("observed", _observed(row) if row else ""),
        why=table.text("why", ""),
        note=table.text("note", row.note if row else ""),
        source=table.texts("source", row.source if row else ()),
        rows=table.texts("rows", row.row if row else ()),
        place=table.place(),
        places={key: table.place(key) for key in table.data},
    )
    for key in test.options:
        if key not in ("study", "row") and (close := get_close_matches(key, _OWN, n=1, cutoff=0.8)):
            raise table.fail(f"has an unknown key '{key}'; did you mean '{close[0]}'?", key)
    for name in _NEEDS.get(op, ("value",) if op else ()):
        if getattr(test, name) is None:
            raise table.fail(f"has op = {op!r} and no {name!r}; that criterion needs it.", "op")
    for key in test.source:
        if key not in cited:
            raise table.fail(
                f"cites {key!r}, which neither references.bib nor a [[reference]] of this file has.", "source"
            )
    return test


def _row(table: Table, catalogue: Catalogue) -> Observation | None:
    # The published result that decides the test, where it names one.
    if "row" not in table.data:
        return None
    study, key = table.text("study"), table.text("row")
    if study not in catalogue.studies:
        raise table.fail(f"has study = {study!r}, which is not a study of the catalogue.", "study")
    for row in catalogue.studies[study].observations:
        if row.id == key:
            return row
    hint = meant(key, [row.id for row in catalogue.studies[study].observations])
    raise table.fail(f"has row = {key!r}, which the study {study!r} does not have.{hint}", "row")


def _observed(o: Observation) -> str:
    unit = unit_words(o.unit)
    spread = f" ({o.spread_stat} {o.spread:g})" if o.spread is not None else ""
    people = "" if not o.n else ", one person" if o.n == 1 else f", {o.n} people"
    if o.low is not None and o.high is not None:
        return f"{o.low:g} to {o.high:g}{unit}{people}"
    least = "at least " if o.low is not None else "at most " if o.high is not None else ""
    return f"{least}{_said(o.value, o.unit)}{spread}{people}"
