"""The answer: tests with their verdicts, as text, page and data."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from schild.array_types import Floats
from schild.catalog.claims import PLACE, SUPPORT, Book, Test, unit_words
from schild.errors import InputError
from schild.figures import COLOURS, Chart, Picture
from schild.results import Shown

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from schild.explanation.lab import Lab

EVIDENCE_WORDS = {
    "fitted": "fitted to this",
    "checked": "checked, not fitted",
    "predicted": "predicted beforehand",
    "label": "against a label or guide",
    "construction": "follows from the equations",
}

_ORDER = ("predicted", "checked", "label", "fitted", "construction")


def quantity(value: float | None, unit: str, digits: int = 3, *, bare: bool = False) -> str:
    """Write a number with its unit; ``bare``: without it.

    >>> quantity(95.697, "%"), quantity(46.09, "day", 2), quantity(1.0, "1"), quantity(None, "h")
    ('95.7 %', '46 days', '1', '')
    >>> quantity(0.04, "%"), quantity(99.99, "%"), quantity(104.9, "%", 2)
    ('<0.1 %', '>99.9 %', '105 %')
    >>> quantity(-3.2e-4, "1"), quantity(1e-6, "1"), quantity(2e-16, "1")
    ('-0.0003', '0.000001', '<0.000001')
    """
    if value is None or not math.isfinite(value):
        return ""
    if unit in ("%", "points") and 0 < abs(value) < 0.1:
        text = "<0.1"
    elif unit == "%" and 99.95 <= value < 100:
        text = ">99.9"
    elif abs(value) >= 10 ** (digits - 1):
        text = f"{value:,.0f}"
    elif value == 0 or abs(value) >= 1e-3:
        text = f"{value:.{digits}g}"
    elif abs(value) >= 1e-6:
        text = f"{float(f'{value:.1g}'):f}".rstrip("0")
    else:
        text = "<0.000001" if value > 0 else ">-0.000001"
    return text if bare else text + unit_words(unit, text)


def with_band(value: float, band: tuple[float | None, float | None], unit: str, digits: int = 3) -> str:
    """Write a prediction with its band, to two digits where the band is wide.

    >>> with_band(95.697, (85.44, 98.46), "%", 2)
    '96 % (85 to 98)'
    """
    low, high = band
    said = quantity(value, unit, digits)
    if low is None or high is None or math.isclose(low, high, rel_tol=1e-3):
        return said
    a, b = (quantity(v, unit, 2, bare=True) for v in (low, high))
    return f"{said} ({a} to {b})" if a != b else said


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Result of the experiment behind a test: the prediction, and its values in people."""

    predicted: float  #: For the typical person; for a challenge of effects the median over people
    many: Floats | None = None  #: One value for each person, where people matter
    missing: str = ""  #: What the experiment needs and does not have; empty where it ran
    #: The band itself, where it holds 90 % of parameter sets and not of people
    ends: tuple[float | None, float | None] | None = None

    @property
    def band(self) -> tuple[float | None, float | None]:
        """Range of 90 % of virtual people, or of parameter sets."""
        if self.ends is not None:
            return self.ends
        good = np.empty(0) if self.many is None else self.many[np.isfinite(self.many)]
        if not good.size:
            return None, None
        low, high = np.quantile(good, [0.05, 0.95])
        return float(low), float(high)

    def to_plain(self) -> dict[str, Any] | None:
        """Return it as data for JSON, digit for digit; None where something is not installed."""
        if self.missing:
            return None
        many = None if self.many is None else [self.many.dtype.name, *self.many.tolist()]
        return {"predicted": float(self.predicted), "many": many, "ends": self.ends}

    @classmethod
    def of_plain(cls, data: dict[str, Any]) -> Outcome:
        """Rebuild the object from plain data.

        >>> one = Outcome(predicted=0.1, many=np.array([0.1, np.nan]))
        >>> again = Outcome.of_plain(one.to_plain())
        >>> again.predicted == one.predicted and np.array_equal(again.many, one.many, equal_nan=True)
        True
        """
        many, ends = data["many"], data["ends"]
        return cls(
            predicted=float(data["predicted"]),
            many=None if many is None else np.array(many[1:], dtype=many[0]),
            ends=None if ends is None else (ends[0], ends[1]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A test that was run."""

    claim: str  #: Number of the claim it belongs to
    test: Test  #: Statement, experiment and criterion
    outcome: Outcome
    reason: str = ""  #: Reason of a miss, where it is known

    @property
    def holds(self) -> Literal["yes", "no", "not tested"]:
        """The verdict; none without a criterion, or where something needed is not installed."""
        if self.outcome.missing:
            return "not tested"
        found = self.test.holds(self.outcome.predicted)
        return "not tested" if found is None else "yes" if found else "no"

    @property
    def verdict(self) -> str:
        """The verdict as a word for pages."""
        return {"yes": "held", "no": "missed", "not tested": "not tested"}[self.holds]

    @property
    def predicted(self) -> str:
        """Prediction with its band."""
        return self.outcome.missing or with_band(self.outcome.predicted, self.outcome.band, self.test.unit)

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of the JSON contract."""
        low, high = self.outcome.band
        t, predicted = self.test, self.outcome.predicted
        return {
            "id": t.id, "statement": t.statement, "observed": t.value if t.op not in ("between", "") else None,
            "predicted": predicted if math.isfinite(predicted) else None, "low": low, "high": high,
            "evidence": t.evidence, "holds": self.holds, "source": list(t.source), "unit": t.unit,
            "observed_text": t.observed, "criterion": t.criterion, "size": t.size(predicted), "reason": self.reason,
            "why": t.why, "note": t.note, "rows": list(t.rows), "claim": self.claim,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True, repr=False)
class Explanation(Shown):
    """Explanation of a drug, with the runs behind it."""

    name: str  #: The drug that is explained
    book: Book  #: Question, answer and claims; a figure that belongs to no test is a claim without tests
    findings: tuple[Finding, ...]  #: In the order of the claims
    #: Further tables: caption, columns, rows
    tables: tuple[tuple[str, tuple[str, ...], tuple[tuple[Any, ...], ...]], ...]
    lab: Lab  #: The runs, for figures
    whole: bool = True  #: Whether every claim was run, not only those that the answer and its cards tell

    @property
    def drug(self) -> str:
        """Key of the drug."""
        return self.book.drug

    @cached_property
    def by_id(self) -> Mapping[str, Finding]:
        """Findings by the name of their test."""
        return {f.test.id: f for f in self.findings}

    @cached_property
    def paragraphs(self) -> tuple[str, ...]:
        """The answer; a place such as ``{M1.1}`` takes the result, or what was observed where the claim is missed."""

        def place(match: re.Match[str]) -> str:
            f = self.by_id[match.group(1)]
            said = f.outcome.missing or quantity(f.outcome.predicted, f.test.unit, 2)
            return f"{f.test.observed} (the model gives {said}, a miss)" if f.holds == "no" else said

        return tuple(PLACE.sub(place, said) for said in self.book.answer)

    @cached_property
    def ordered(self) -> tuple[Finding, ...]:
        """Misses first, then what held, then what has no data."""
        rank = {"no": 0, "yes": 1, "not tested": 2}
        return tuple(sorted(self.findings, key=lambda f: (rank[f.holds], _ORDER.index(f.test.evidence))))

    @property
    def misses(self) -> tuple[Finding, ...]:
        """Tests that missed."""
        return tuple(f for f in self.ordered if f.holds == "no")

    @property
    def ok(self) -> bool:
        """Whether every miss is one that is listed with its reason."""
        return all(f.test.id in self.book.known for f in self.misses)

    def count(self, *evidence: str) -> tuple[int, int]:
        """Number of tests of these kinds that held, and number tested."""
        some = [f for f in self.findings if f.test.evidence in evidence and f.holds != "not tested"]
        return sum(f.holds == "yes" for f in some), len(some)

    @property
    def counts(self) -> str:
        """Number of tests that held, by kind of evidence, in one sentence."""
        held, tested = self.count(*SUPPORT)
        parts = [f"{held} of {tested} compared with data that no number was fitted to"] if tested else []
        for kind, words in (
            ("label", "against labels and guides"),
            ("fitted", "fitted to their data (no support)"),
            ("construction", "following from the equations (no support)"),
        ):
            h, n = self.count(kind)
            if n:
                parts.append(f"{h} of {n} {words}")
        return f"Held: {'; '.join(parts)}." if parts else "There is no published result to compare with."

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Data needed to repeat the answer: version, people, draws, seed, hashes of the catalogue."""
        from schild import __version__

        return {
            "schild": __version__, "drug": self.drug, "people": self.lab.n, "draws": self.lab.draws,
            "seed": self.lab.seed, "catalogue": {k: d.digest for k, d in self.lab.catalogue.drugs.items()},
            **self.lab.catalogue.stamp,
        }  # fmt: skip

    def about(self) -> str:
        """Describe the result in one line."""
        return f"{self.book.question} {self.counts}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each test, misses first."""
        import pandas as pd

        return pd.DataFrame([f.to_dict() for f in self.ordered])

    def picture(self) -> Picture:
        """Chart of predicted over observed, with its 90 % band, for each test with one observed number.

        The page has a figure for each claim.
        """
        rows = [f.to_dict() for f in self.ordered]
        shown = [r for r in rows if r["observed"] and r["predicted"] is not None and r["predicted"] * r["observed"] > 0]
        chart = Chart(0.0)
        chart.rows([r["id"] for r in shown])
        for k, r in enumerate(shown):
            colour = COLOURS[1] if r["holds"] == "no" else COLOURS[0]
            if r["low"] is not None and r["high"] is not None:
                chart.line([r["low"] / r["observed"], r["high"] / r["observed"]], [k, k], color=colour, width=1.4)
            chart.marks([r["predicted"] / r["observed"]], [k], color=colour, size=4.0)
        chart.rule(x=1.0, dashes="-")
        chart.x.label = "predicted / observed (orange: missed)"
        return Picture([chart], caption="Dots: predicted; lines: 90 % bands; orange: missed.")

    def summary(self) -> dict[str, Any]:
        """Return the counts."""
        return {
            "drug": self.drug,
            "tested": sum(f.holds != "not tested" for f in self.findings),
            "missed": [f.test.id for f in self.misses],
            "support": dict(zip(("held", "of"), self.count(*SUPPORT), strict=True)),
            "counts": self.counts,
        }

    def cite(self) -> str:
        """Return the sources of claims."""
        return "\n".join(f"[{key}] {label} {address}".rstrip() for key, label, address in self.sources())

    def sources(self) -> list[tuple[str, str, str]]:
        """Sources of the claims: key, label, address."""
        found = []
        for key in sorted({key for f in self.findings for key in f.test.source}):
            if key in self.book.references:
                label, address = self.book.references[key]
            elif key in self.lab.catalogue.references:
                entry = self.lab.catalogue.references[key]
                label, address = entry.label, entry.address
            else:
                label, address = "", ""
            found.append((key, label, address))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract as Python data.

        Raises InputError for an answer without its claims.
        """
        self._need_claims("JSON object")
        return {
            "manifest": dict(self.manifest),
            "question": self.book.question, "answer": list(self.paragraphs),
            "remember": list(self.book.remember), "ok": self.ok, "summary": self.summary(),
            "claims": [f.to_dict() for f in self.ordered]
            + [
                {
                    "id": key, "statement": said, "observed": None, "predicted": None, "low": None, "high": None,
                    "evidence": "predicted", "holds": "not tested", "source": [], "reason": why,
                }
                for key, said, why in self.book.not_tested
            ],
            "tables": [
                {"caption": caption, "columns": list(columns), "rows": [list(r) for r in rows]}
                for caption, columns, rows in self.tables
            ],
            "not_known": list(self.book.unknown), "warnings": [w for w in (self.book.danger, self.book.advice) if w],
            "cite": [{"key": key, "label": label} for key, label, _ in self.sources()],
        }  # fmt: skip

    def to_text(self, console: Console, *, everything: bool = False) -> None:
        """Print the answer, its cards and the misses; with ``everything`` each claim and what is not known too."""
        from schild.explanation.show import print_text

        print_text(self, console, everything)

    def to_html(self) -> str:
        """Return the answer as one self-contained page with a figure for each claim.

        Raises InputError for an answer without its claims.
        """
        self._need_claims("page")
        from schild.explanation.show import html_page

        return self.lab.results.once("page", lambda: html_page(self), read=str)

    def _need_claims(self, what: str) -> None:
        if not self.whole:
            raise InputError(
                f"A {what} of {self.name} needs every claim, and only those that the answer tells were run. "
                "Ask for the answer with claims=True, the default."
            )
