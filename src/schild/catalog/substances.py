"""Records of the strengths of a drug (in its file) and of chemical structures (``data/structures.toml``)."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from schild.catalog.reader import Table
from schild.units import parse_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """A strength in which a drug is sold."""

    #: One, and several: ``"tablet of 50 mg"``
    unit: str
    units: str
    amount: str  #: Content of one, in the salt of the route
    parts: int  #: Equal parts into which one may be divided
    largest: str  #: Largest labelled single dose
    per_day_mg: float  #: Largest labelled dose per day when it is repeated [mg]
    source: tuple[str, ...] = ()
    #: Evidence row, how it was checked, cautions
    row: str = ""
    verified: str = ""
    note: str = ""
    shown: bool = False  #: Whether ``schild explain`` shows a drug without claims after one of these

    @property
    def mg(self) -> float:
        """Content of one unit. [mg]"""
        return parse_amount(self.amount).value

    @property
    def largest_mg(self) -> float:
        """Largest labelled single dose. [mg]"""
        return parse_amount(self.largest).value


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeName:
    """A name in common use that is not itself a drug of the catalogue."""

    #: Identity, and how it is written
    key: str
    name: str
    contains: tuple[str, ...]  #: Drugs in it; none for a drug that the catalogue does not have
    form: str  #: What it is, in words
    verified: str  #: How the entry was checked

    def says(self, drugs: Container[str]) -> str:
        """Explain the name and say what to write instead, given the drugs of the catalogue."""
        here = [drug for drug in self.contains if drug in drugs]
        if len(self.contains) == 1 and here:
            return (
                f"{self.name} is a trade name of {here[0]} ({self.form}). "
                f"Write {here[0]}, with the amount and the route of the product."
            )
        if not here:
            return f"{self.name} ({self.form}) is not in the catalogue, and no drug there stands for it."
        has = f" The catalogue has {here[0]} alone." if len(here) < len(self.contains) else ""
        return (
            f"{self.name} ({self.form}) is a combination of {' and '.join(self.contains)}; expected one drug.{has} "
            "Write one regimen for each drug, with the amount of that drug."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compound:
    """A structure of the catalogue."""

    key: str
    name: str
    smiles: str  #: Isomeric SMILES of the base
    formula: str
    inchikey: str
    relation: str = ""  #: To its relatives, in words
    #: Identifiers; empty where unknown
    pubchem_cid: str = ""
    chembl: str = ""
    unii: str = ""
    #: Where they come from and how they were checked
    source: str = ""
    url: str = ""
    verified: str = ""
    row: str = ""
    note: str = ""


def read_strength(table: Table) -> Strength:
    """Read the strength of a drug for one route; a fault is named with file and line (CatalogueError)."""
    strength = table.record(Strength)
    for key in ("amount", "largest"):
        if not re.fullmatch(r"[\d.]+ mg", getattr(strength, key)):
            raise table.fail(f"has {key} = {getattr(strength, key)!r}; expected an amount such as '50 mg'.", key)
    if strength.parts < 1:
        raise table.fail(f"has parts = {strength.parts}; expected 1 or more.", "parts")
    return strength
