"""Records of what a drug is sold as (in its file) and of chemical structures (``data/structures.toml``)."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from schild.catalog.reader import Table
from schild.units import parse_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """What a drug is sold as.

    Parameters
    ----------
    unit, units : str
        One, and several: ``"tablet of 50 mg"``.
    amount : str
        Content of one, in the salt of the route.
    parts : int
        Equal parts into which one may be divided.
    largest : str
        Largest labelled single dose.
    per_day_mg : float
        Largest labelled dose per day when it is repeated. [mg]
    source : tuple of str
        Citation keys.
    row, verified, note : str
        Evidence row, how it was checked, cautions.
    shown : bool
        Whether ``schild explain`` shows a drug without claims after one of these.
    """

    unit: str
    units: str
    amount: str
    parts: int
    largest: str
    per_day_mg: float
    source: tuple[str, ...] = ()
    row: str = ""
    verified: str = ""
    note: str = ""
    shown: bool = False

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
    """A name that people type for something that is no drug of the catalogue by itself.

    Parameters
    ----------
    key, name : str
        Identity, and how it is written.
    contains : tuple of str
        Drugs in it; none for a drug that the catalogue does not have.
    form : str
        What it is, in words.
    verified : str
        How the entry was checked.
    """

    key: str
    name: str
    contains: tuple[str, ...]
    form: str
    verified: str

    def says(self, drugs: Container[str]) -> str:
        """Say what it is and what to write instead, given the drugs that there are."""
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
    """A structure of the catalogue.

    Parameters
    ----------
    key, name : str
        Identity.
    smiles : str
        Isomeric SMILES of the base.
    formula, inchikey : str
        As stored.
    relation : str
        To its relatives, in words.
    pubchem_cid, chembl, unii : str
        Identifiers; empty where unknown.
    source, url, verified, row, note : str
        Where they come from and how they were checked.
    """

    key: str
    name: str
    smiles: str
    formula: str
    inchikey: str
    relation: str = ""
    pubchem_cid: str = ""
    chembl: str = ""
    unii: str = ""
    source: str = ""
    url: str = ""
    verified: str = ""
    row: str = ""
    note: str = ""


def read_strength(table: Table) -> Strength:
    """Read what a drug is sold as by one route; a fault is named with file and line (CatalogueError)."""
    strength = table.record(Strength)
    for key in ("amount", "largest"):
        if not re.fullmatch(r"[\d.]+ mg", getattr(strength, key)):
            raise table.fail(f"has {key} = {getattr(strength, key)!r}; expected an amount such as '50 mg'.", key)
    if strength.parts < 1:
        raise table.fail(f"has parts = {strength.parts}; expected 1 or more.", "parts")
    return strength
