"""The executable answer: claims about a drug, each run and held against what was measured in people."""

from __future__ import annotations

from collections.abc import Callable

from schild.catalog import Book, Catalogue, load
from schild.errors import CatalogueError, UnknownNameError
from schild.explanation import figures_alcohol, figures_withdrawal  # noqa: F401 - they register their panels
from schild.explanation.answer import Explanation, Finding
from schild.explanation.catalogue_answer import LISTED, block_table, book_of_entry
from schild.explanation.experiments import EXPERIMENTS, Lab, options_of, run_test
from schild.explanation.options import options_taken
from schild.explanation.panels import PANELS, read_figure
from schild.people import Given, Overrides

__all__ = ["Explanation", "Finding", "check_book", "explain"]

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
        Another catalogue than the one that comes with the package, with drugs and claims of its own.
    overrides : mapping, optional
        Numbers in place of the catalogue's, as for ``simulate``.

    Returns
    -------
    Explanation
        For a drug with claims each claim with its verdict; for others what the catalogue holds and a usual course.

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
    lab = Lab(catalogue=catalogue, n=n, draws=draws, overrides=Overrides.of(overrides, catalogue))
    written = entry.key in catalogue.claims
    findings: list[Finding] = []
    if written:
        book = catalogue.claims[entry.key]
        check_book(book, catalogue)
        tables = block_table(lab, book.compared)
    else:
        book, tables, findings = book_of_entry(entry, lab)
    before = len(findings)
    for claim in book.claims:
        for test in claim.tests:
            reason = book.known.get(test.id, "") if written else LISTED
            findings.append(Finding(claim=claim.id, test=test, outcome=run_test(lab, test, book), reason=reason))
            if progress is not None:
                progress(len(findings) - before, len(book.tests))
    return Explanation(name=entry.name, book=book, findings=tuple(findings), tables=tables, lab=lab)


def check_book(book: Book, catalogue: Catalogue) -> None:
    """Check experiments, units, figures and options of all claims of a book, without running anything.

    ``book``: claims about a drug; ``catalogue``: for names of drugs, receptors, effects and structures. Raises
    CatalogueError for the first that is unknown, missing or wrong; the message names file and line.

    >>> check_book(load().claims["naltrexone"], load())
    """
    for test in book.tests:
        options_of(test, book, catalogue)
    for claim in book.claims:
        if claim.figure:
            read_figure(claim.figure, catalogue, claim.places, book.defaults)
    taken = options_taken(*EXPERIMENTS.values(), *PANELS.values())
    for name in book.defaults:
        if name not in taken:
            raise CatalogueError(f"claims/{book.drug}.toml: [defaults] {UnknownNameError('option', name, taken)}")
