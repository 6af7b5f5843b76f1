"""``schild structure``: structures compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from schild.cli.console import out, writable, write
from schild.cli.options import Data, Json
from schild.errors import InputError


def structure(
    *names: Annotated[str, Parameter(name="DRUG")],
    svg: Path | None = None,
    json: Json = False,
    list_all: Annotated[bool, Parameter(name="--list")] = False,
    data: Data = Data(),
) -> int:
    """Compare structures: shared scaffold, substituents on the nitrogen, similarity. Needs RDKit.

    schild structure naltrexone oxymorphone naloxone nalorphine nalmefene --svg structures.svg

    Parameters
    ----------
    names
        Drugs, such as naltrexone oxymorphone.
    svg
        File for the drawing: .svg or .png.
    list_all
        List the structures there are, and nothing else.
    """
    from schild.compounds import structure as compare
    from schild.tables import table

    console = out()
    if list_all:
        fields = ("key", "formula", "relation", "identifiers")
        known = [(c.key, c.formula, c.relation, c.verified) for c in data.catalogue.compounds.values()]
        console.print(table("Structures", fields, known, left=fields))
        return 0
    if svg is not None and svg.suffix.lower() not in (".svg", ".png"):
        raise InputError(f"--svg is {str(svg)!r}; expected a file that ends in .svg or .png. Rename it.")
    writable(svg)
    found = compare(*names, catalogue=data.catalogue)
    if svg is not None:
        write(svg, found.svg() if svg.suffix.lower() == ".svg" else found.png())
    if json:
        print(found.to_json())
        return 0
    if found.shared_core is not None:
        one = len(found.compounds) == 1
        console.print(f"{'Scaffold' if one else 'Shared scaffold'}: {found.shared_core}.")
    elif found.common_atoms:
        console.print(f"No scaffold in common; the largest common part has {found.common_atoms} heavy atoms.")
    for description in found.descriptions:
        console.print(f"  {description.words()}")
    names = tuple(c.name for c in found.compounds)
    if differences := found.differences():
        places = [(place, *(said[c.key] or "H" for c in found.compounds)) for place, said in differences.items()]
        heads = ("position", *names)
        console.print(table("What differs (numbering of morphine)", heads, places, left=heads))
    if len(names) > 1:
        rows = [(name, *(f"{value:.2f}" for value in row)) for name, row in zip(names, found.similarity, strict=True)]
        title = "Similarity (Tanimoto of Morgan fingerprints, radius 2)"
        caption = "1 is alike; the fingerprint does not see stereochemistry."
        console.print(table(title, ("", *names), rows, caption=caption))
    if svg is not None:
        console.print(f"Drawing: {svg}")
    return 0
