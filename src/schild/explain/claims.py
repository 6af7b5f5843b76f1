"""Claims as data: what is said, what is run, what decides."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from schild.catalog import Observation, load
from schild.errors import CatalogueError
from schild.units import hours

__all__ = ["Book", "Claim", "Test", "book_of", "known_misses"]

OPS = ("within", "fold", "between", "at_least", "at_most")
EVIDENCE = ("fitted", "checked", "predicted", "label", "construction")
#: Kinds of evidence that count as support where the test holds.
SUPPORT = ("checked", "predicted")

_CRITERION = {
    "id",
    "statement",
    "run",
    "op",
    "value",
    "tolerance",
    "low",
    "high",
    "unit",
    "observed",
    "why",
    "evidence",
}
_CRITERION |= {"source", "rows", "note"}


def unit_words(unit: str) -> str:
    """Write a unit as it follows a number, with its space.

    Examples
    --------
    >>> unit_words("day"), unit_words("1"), unit_words("ng/mL")
    (' days', '', ' ng/mL')
    """
    return {"1": "", "day": " days", "month": " months", "d": " days", "fold": "-fold"}.get(unit, f" {unit}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One experiment with its criterion.

    Parameters
    ----------
    id, statement : str
        Number and what is said.
    run : str
        Name of the experiment, in ``schild.explain.experiments``.
    options : mapping
        What it is run with.
    evidence : str
        One of ``EVIDENCE``.
    op : str
        One of ``OPS``; empty where no data decide.
    value, tolerance, low, high : float or None
        The criterion.
    unit : str
        Of prediction and criterion.
    observed, why, note : str
        What was measured, why this criterion, cautions.
    source, rows : tuple of str
        Citation keys and evidence rows.
    """

    __test__ = False  # not a test of pytest's

    id: str
    statement: str
    run: str
    options: Mapping[str, Any]
    evidence: str
    unit: str
    op: str = ""
    value: float | None = None
    tolerance: float | None = None
    low: float | None = None
    high: float | None = None
    observed: str = ""
    why: str = ""
    note: str = ""
    source: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()

    def holds(self, predicted: float) -> bool | None:
        """Whether a prediction meets the criterion; None where there is none.

        Examples
        --------
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
        """How far a prediction is from the criterion, in words; between percentages in points."""
        unit = unit_words("points" if self.unit == "%" else self.unit)
        value = self.value or 0.0
        if self.op == "within":
            return f"off by {predicted - value:+.3g}{unit}"
        if self.op == "fold":
            return f"{predicted / value:.2f} of the observed"
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
        """The criterion in words."""
        unit = unit_words(self.unit)
        if self.op == "within":
            return f"{self.value:g} ± {self.tolerance:g}{unit}"
        if self.op == "fold":
            return f"within {self.tolerance:g}-fold of {self.value:g}{unit}"
        if self.op == "between":
            return f"{self.low:g} to {self.high:g}{unit}"
        if self.op:
            return f"{self.op.replace('_', ' ')} {self.value:g}{unit}"
        return "none: no data in people decide it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement with its tests and the name of its figure."""

    id: str
    statement: str
    figure: str
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All claims about one drug.

    Parameters
    ----------
    drug, question, line : str
        What it is about, the question it answers, and how the line of occupancy is drawn.
    answer, unknown : tuple of str
        Paragraphs with places for results, e.g. ``{M1.1}``; what is not known.
    danger, advice : str
        Warnings that go with every answer.
    claims : tuple of Claim
        What is run.
    not_tested : tuple of (id, statement, reason)
        What is not.
    references : mapping of str to (label, address)
        Sources that the catalogue does not have.
    table : tuple of (regimen, hours) or None
        After what, and how much later, published doses of opioids are tabulated with the block of their effects.
    """

    drug: str
    question: str
    line: str
    answer: tuple[str, ...]
    unknown: tuple[str, ...]
    danger: str
    advice: str
    claims: tuple[Claim, ...]
    not_tested: tuple[tuple[str, str, str], ...]
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    table: tuple[str, float] | None = None

    @property
    def tests(self) -> tuple[Test, ...]:
        """Every test in order."""
        return tuple(test for claim in self.claims for test in claim.tests)


def has_book(drug: str) -> bool:
    """Whether claims about a drug are written."""
    return files("schild.explain").joinpath("claims", f"{drug}.toml").is_file()


@cache
def book_of(drug: str) -> Book:
    """Read and check the claims about a drug.

    Parameters
    ----------
    drug : str
        Key of the catalogue.

    Returns
    -------
    Book
        Claims, tests, paragraphs.

    Raises
    ------
    CatalogueError
        If the file breaks its own rules.

    Examples
    --------
    >>> book = book_of("naltrexone")
    >>> book.tests[0].id, book.tests[0].evidence
    ('M1.1', 'fitted')
    """
    data = tomllib.loads(files("schild.explain").joinpath("claims", f"{drug}.toml").read_text(encoding="utf-8"))
    rows = {(s.key, o.id): o for s in load().studies.values() for o in s.observations}
    claims = tuple(
        Claim(
            id=entry["id"],
            statement=entry["statement"],
            figure=entry.get("figure", ""),
            tests=tuple(_test(raw, rows) for raw in entry["test"]),
        )
        for entry in data["claim"]
    )
    return Book(
        drug=data["drug"],
        question=data["question"],
        line=data["line"],
        answer=tuple(data["answer"]),
        unknown=tuple(data["unknown"]),
        danger=data["danger"],
        advice=data["advice"],
        claims=claims,
        not_tested=tuple((e["id"], e["statement"], e["why"]) for e in data["not_tested"]),
        references={e["key"]: (e["label"], e.get("url", "")) for e in data.get("reference", ())},
        table=(data["table"]["regimen"], hours(data["table"]["at"])) if "table" in data else None,
    )


def _test(raw: Mapping[str, Any], rows: Mapping[tuple[str, str], Observation]) -> Test:
    op, evidence = raw.get("op", ""), raw["evidence"]
    if (op and op not in OPS) or evidence not in EVIDENCE:
        raise CatalogueError(
            f"Claim {raw['id']} has op {op!r} and evidence {evidence!r}; expected one of {', '.join(OPS)} and one of "
            f"{', '.join(EVIDENCE)}. Correct the file of claims."
        )
    options = {key: value for key, value in raw.items() if key not in _CRITERION}
    given: dict[str, Any] = {
        key: raw[key] for key in ("tolerance", "low", "high", "observed", "why", "note") if key in raw
    }
    unit, value = raw.get("unit", ""), raw.get("value")
    source, evidence_rows = tuple(raw.get("source", ())), tuple(raw.get("rows", ()))
    if "row" in raw:
        row = rows.get((raw["study"], raw["row"]))
        if row is None:
            raise CatalogueError(
                f"Claim {raw['id']} names row {raw['row']!r} of {raw['study']!r}; expected one of the catalogue. "
                "Correct the file of claims."
            )
        unit, source, evidence_rows = unit or row.unit, row.source, row.row
        value = row.value if value is None else value
        given.setdefault("observed", _observed(row))
        given.setdefault("note", row.note)
    return Test(
        id=raw["id"], statement=raw["statement"], run=raw["run"], options=options, evidence=evidence, op=op,
        unit=unit, value=value, source=source, rows=evidence_rows, **given,
    )  # fmt: skip


def _observed(o: Observation) -> str:
    unit = unit_words(o.unit)
    spread = f" ({o.spread_stat} {o.spread:g})" if o.spread is not None else ""
    people = f", n {o.n}" if o.n else ""
    if o.low is not None and o.high is not None:
        return f"{o.low:g} to {o.high:g}{unit}{people}"
    least = "at least " if o.low is not None else "at most " if o.high is not None else ""
    return f"{least}{o.value:g}{unit}{spread}{people}"


@cache
def known_misses(drug: str) -> dict[str, str]:
    """Return the tests that are known to miss, with the reason."""
    text = files("schild.explain").joinpath("claims", "known_misses.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text).get(drug, {}))
