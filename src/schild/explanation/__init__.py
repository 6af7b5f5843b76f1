"""The executable answer: claims about a drug, each run and compared with what was measured in people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from schild.catalog import Book, Catalogue, Test, load
from schild.engine.kept import keeping
from schild.errors import CatalogueError, UnknownNameError
from schild.explanation.answer import Explanation, Finding, Outcome
from schild.explanation.lab import Lab
from schild.people import Given, Overrides
from schild.result_cache import ResultCache

if TYPE_CHECKING:
    from schild.explanation.catalogue_numbers import Table

__all__ = ["Explanation", "Finding", "check_book", "explain"]

#: Virtual people and parameter sets behind each band.
PEOPLE, DRAWS = 15, 20
QUICK_PEOPLE, QUICK_DRAWS = 4, 5


@keeping()
def explain(
    drug: str,
    *,
    progress: Callable[..., None] | None = None,
    quick: bool = False,
    fresh: bool = False,
    claims: bool = True,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
) -> Explanation:
    """Answer what a drug does, by running the claims about it.

    Parameters
    ----------
    drug : str
        Name or alias in the catalogue.
    progress : callable, optional
        Called with the number of experiments done and their total.
    quick : bool
        Compute bands from fewer virtual people: the same typical predictions, rougher bands. Challenges of effects,
        whose verdict is on the median of people, keep all of them.
    fresh : bool
        Run every claim again. By default results that an earlier call has kept are read, where neither the catalogue
        nor the code has changed since (``schild.result_cache``).
    claims : bool
        Run every claim. Otherwise only those run that the answer and its cards tell, in a fifth of the time, but
        without page or JSON object. The published results of a drug without claims are always run.
    catalogue : Catalogue, optional
        Another catalogue than the one that comes with the package, with drugs and claims of its own.
    overrides : mapping, optional
        Numbers in place of the catalogue's, as for ``simulate``.

    Returns
    -------
    Explanation
        For a drug with claims each claim that was run, with its verdict; for others what the catalogue holds and a
        usual course.

    Raises
    ------
    UnknownNameError
        For a drug that the catalogue does not have.
    CatalogueError
        For claims that name an unknown experiment, panel or option; the message names file and line.

    Examples
    --------
    >>> answer = explain("naltrexone", quick=True)          # doctest: +SKIP
    >>> answer.ok                                           # doctest: +SKIP
    True
    """
    catalogue = catalogue or load()
    entry = catalogue.drug(drug)
    n, draws = (QUICK_PEOPLE, QUICK_DRAWS) if quick else (PEOPLE, DRAWS)
    given = Overrides.of(overrides, catalogue)
    kept = ResultCache("explain", catalogue.digest, entry.key, n, draws, sorted(given.items()), fresh=fresh)
    lab = Lab(catalogue=catalogue, n=n, draws=draws, overrides=given, results=kept)
    findings: list[Finding] = []
    tables: tuple[Table, ...] = ()
    reasons: Mapping[str, str] = {}
    claims = claims or entry.key not in catalogue.claims
    if entry.key in catalogue.claims:
        book = catalogue.claims[entry.key]
        if claims:
            kept.once("claims are right", lambda: _checked(book, catalogue))
            tables = kept.once("tables", lambda: _block_table(lab, book), read=_tables)
        else:
            kept.once("tests are right", lambda: _checked(book, catalogue, figures=False))
        reasons = book.known
    else:
        from schild.explanation.catalogue_answer import book_of_entry

        book, tables, findings = book_of_entry(entry, lab)
        reasons = {key: miss.reason for key, miss in catalogue.known_misses.items()}

    def outcome_of(test: Test) -> Outcome:
        return kept.once(test.id, lambda: _run(lab, test, book), Outcome.to_plain, Outcome.of_plain)

    before, told = len(findings), book.told
    asked = [(claim, test) for claim in book.claims for test in claim.tests if claims or test.id in told]
    for claim, test in asked:
        reason = reasons.get(test.id, "")
        findings.append(Finding(claim=claim.id, test=test, outcome=outcome_of(test), reason=reason))
        if progress is not None:
            progress(len(findings) - before, len(asked))
    return Explanation(name=entry.name, book=book, findings=tuple(findings), tables=tables, lab=lab, whole=claims)


# What runs anything is imported where it is needed: it takes seconds, and an answer that was kept needs none of it.


def _run(lab: Lab, test: Test, book: Book) -> Outcome:
    from schild.explanation.experiments import run_test

    return run_test(lab, test, book)


def _block_table(lab: Lab, book: Book) -> tuple[Table, ...]:
    from schild.explanation.catalogue_answer import block_table

    return block_table(lab, book.compared)


def _checked(book: Book, catalogue: Catalogue, figures: bool = True) -> bool:
    (check_book if figures else _check_tests)(book, catalogue)
    return True


def _check_tests(book: Book, catalogue: Catalogue) -> None:
    from schild.explanation.experiments import options_of

    for test in book.tests:
        options_of(test, book, catalogue)


def _tables(data: Any) -> tuple[Table, ...]:
    return tuple((str(title), tuple(heads), tuple(tuple(row) for row in rows)) for title, heads, rows in data)


def check_book(book: Book, catalogue: Catalogue) -> None:
    """Check experiments, units, figures and options of all claims of a book, without running anything.

    ``book``: claims about a drug; ``catalogue``: for names of drugs, receptors, effects and structures. Raises
    CatalogueError for the first that is unknown, missing or wrong; the message names file and line.

    >>> check_book(load().claims["naltrexone"], load())
    """
    from schild.explanation import figures  # noqa: F401 - it registers panels
    from schild.explanation.lab import EXPERIMENTS
    from schild.explanation.options import options_taken
    from schild.explanation.panels import PANELS, read_figure

    _check_tests(book, catalogue)
    for claim in book.claims:
        if claim.figure:
            read_figure(claim.figure, catalogue, claim.places, book.defaults)
    taken = options_taken(*EXPERIMENTS.values(), *PANELS.values())
    for name in book.defaults:
        if name not in taken:
            raise CatalogueError(f"claims/{book.drug}.toml: [defaults] {UnknownNameError('option', name, taken)}")
