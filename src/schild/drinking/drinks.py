"""Standard drinks in grams of ethanol."""

from __future__ import annotations

from schild.catalog import Catalogue, load
from schild.catalog.alcohol import DRINK
from schild.errors import UnknownNameError

__all__ = ["countries", "grams"]


def countries(catalogue: Catalogue | None = None) -> tuple[str, ...]:
    """Countries whose standard drink is in the catalogue.

    >>> "uk" in countries()
    True
    """
    return tuple(name.removeprefix(DRINK) for name in (catalogue or load()).alcohol if name.startswith(DRINK))


def grams(drinks: float, country: str = "us", catalogue: Catalogue | None = None) -> float:
    """Ethanol in a number of standard drinks.

    ``country``: one of ``countries()``; definitions differ more than twofold; ``catalogue``: the built-in one by
    default. Returns the mass [g]. Raises UnknownNameError for a country that the catalogue lacks.

    >>> grams(2), grams(2, "uk")
    (28.0, 16.0)
    """
    catalogue = catalogue or load()
    if country not in countries(catalogue):
        raise UnknownNameError("country", country, countries(catalogue))
    return drinks * catalogue.alcohol[f"{DRINK}{country}"].value
