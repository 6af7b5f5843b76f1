"""The executable answer: claims about a drug, each run and held against what was measured in people."""

from __future__ import annotations

from collections.abc import Callable

from schild import _callable
from schild.catalog import Catalogue, load
from schild.explain.answer import Explanation, Finding, filled
from schild.explain.claims import book_of, has_book
from schild.explain.experiments import Lab, run_test
from schild.explain.other import block_table, explain_entry
from schild.people import Given, Overrides

__all__ = ["Explanation", "Finding", "explain"]

#: Virtual people and parameter sets behind each band.
PEOPLE, DRAWS = 15, 20
QUICK_PEOPLE, QUICK_DRAWS = 4, 5


def explain(
    drug: str,
    *,
    progress: Callable[..., None] | None = None,
    quick: bool = False,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
) -> Explanation:
    """Answer what a drug does, by running the claims about it.

    Parameters
    ----------
    drug : str
        Name or alias in the catalogue.
    progress : callable, optional
        Called with experiments done and in all.
    quick : bool
        Fewer virtual people behind bands: the same typical predictions, rougher bands. Challenges of effects, whose
        verdict is on the median of people, keep all of them.
    catalogue : Catalogue, optional
        The one that comes with schild by default.
    overrides : mapping, optional
        Numbers in place of the catalogue's, as for ``simulate``.

    Returns
    -------
    Explanation
        For naltrexone every claim with its verdict; for other drugs what the catalogue holds and a usual course.

    Raises
    ------
    UnknownNameError
        For a drug that the catalogue does not have.

    Examples
    --------
    >>> answer = explain("naltrexone", quick=True)          # doctest: +SKIP
    >>> answer.ok                                           # doctest: +SKIP
    True
    """
    catalogue = catalogue or load()
    entry = catalogue.drug(drug)
    n, draws = (QUICK_PEOPLE, QUICK_DRAWS) if quick else (PEOPLE, DRAWS)
    lab = Lab(catalogue=catalogue, n=n, draws=draws, overrides=Overrides.of(overrides, catalogue))
    if not has_book(entry.key, catalogue):
        return explain_entry(entry, lab, progress)
    book = book_of(entry.key, catalogue)
    known = dict(book.known)
    findings: list[Finding] = []
    for claim in book.claims:
        for test in claim.tests:
            findings.append(
                Finding(claim=claim.id, test=test, outcome=run_test(lab, test), reason=known.get(test.id, ""))
            )
            if progress is not None:
                progress(len(findings), len(book.tests))
    return Explanation(
        drug=entry.key,
        name=entry.name,
        question=book.question,
        paragraphs=filled(book.answer, findings),
        claims=book.claims,
        findings=tuple(findings),
        not_tested=book.not_tested,
        unknown=book.unknown,
        danger=book.danger,
        advice=book.advice,
        line=book.line,
        tables=(block_table(lab, *book.table),) if book.table else (),
        references=book.references,
        lab=lab,
        known=known,
    )


_callable(__name__, "explain")
