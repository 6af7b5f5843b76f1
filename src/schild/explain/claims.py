"""Claims of the catalogue, under the names that the answer uses."""

from __future__ import annotations

from schild.catalog import Catalogue, load
from schild.catalog.claims import EVIDENCE, OPS, SUPPORT, Book, Claim, Test, unit_words

__all__ = ["EVIDENCE", "OPS", "SUPPORT", "Book", "Claim", "Test", "book_of", "has_book", "known_misses", "unit_words"]


def has_book(drug: str, catalogue: Catalogue | None = None) -> bool:
    """Whether claims about a drug are written."""
    return drug in (catalogue or load()).claims


def book_of(drug: str, catalogue: Catalogue | None = None) -> Book:
    """Read and check the claims about a drug.

    Parameters
    ----------
    drug : str
        Key of the catalogue.
    catalogue : Catalogue, optional
        Where they stand; the catalogue that comes with schild, unless another is given.

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
    return (catalogue or load()).claims[drug]


def known_misses(drug: str) -> dict[str, str]:
    """Return the tests that are known to miss, with the reason."""
    return dict(book_of(drug).known)
