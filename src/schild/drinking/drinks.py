"""Standard drinks in grams of ethanol."""

from __future__ import annotations

from schild.catalog import Catalogue, load
from schild.catalog.alcohol import DRINK
from schild.errors import UnknownNameError


def grams(drinks: float, country: str = "us", catalogue: Catalogue | None = None) -> float:
    """Ethanol in a number of standard drinks, whose definitions differ more than twofold between countries. [g]

    ``country``: a number ``drink.<country>`` of ``alcohol``; ``catalogue``: the built-in one by default. Raises
    UnknownNameError for a country that the catalogue lacks.

    >>> grams(2), grams(2, "uk")
    (28.0, 16.0)
    """
    known = {k.removeprefix(DRINK): x for k, x in (catalogue or load()).alcohol.items() if k.startswith(DRINK)}
    if country not in known:
        raise UnknownNameError("country", country, known)
    return drinks * known[country].value
