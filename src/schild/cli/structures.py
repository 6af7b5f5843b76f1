"""``schild structure``: structures compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from schild.cli.console import out, writable, write
from schild.cli.options import Data
from schild.errors import InputError


def structure(
    *names: Annotated[str, Parameter(name="DRUG")],
    svg: Path | None = None,
    json: bool = False,
    list_all: Annotated[bool, Parameter(name="--list")] = False,
    data: Data = Data(),
) -> int:
    """Structures compared: shared scaffold, what replaces what on the nitrogen, similarity. Needs RDKit.

    schild structure naltrexone oxymorphone naloxone nalorphine nalmefene --svg structures.svg

    Parameters
    ----------
    names
        Drugs, such as naltrexone oxymorphone.
    svg
        File for the drawing: .svg or .png.
    json
        Print one JSON object and nothing else.
    list_all
        List the structures there are, and nothing else.
    """
    from rich.table import Table
    from rich.text import Text

    from schild.compounds import structure as compare

    console = out()
    if list_all:
        table = Table(title="Structures", title_justify="left")
        for name in ("key", "formula", "relation", "identifiers"):
            table.add_column(name, overflow="fold")
        for c in data.catalogue.compounds.values():
            table.add_row(c.key, c.formula, Text(c.relation), c.verified)
        console.print(table)
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
        console.print(Text(f"{'Scaffold' if one else 'Shared scaffold'}: {found.shared_core}."))
    elif found.common_atoms:
        console.print(Text(f"No scaffold in common; the largest common part has {found.common_atoms} heavy atoms."))
    for description in found.descriptions:
        console.print(Text(f"  {description.words()}"))
    if found.differences():
        table = Table(title="What differs (numbering of morphine)", title_justify="left")
        table.add_column("position")
        for c in found.compounds:
            table.add_column(c.name, overflow="fold")
        for place, said in found.differences().items():
            table.add_row(place, *(Text(said[c.key] or "H") for c in found.compounds))
        console.print(table)
    if len(found.compounds) > 1:
        table = Table(
            title="Similarity (Tanimoto of Morgan fingerprints, radius 2)", title_justify="left",
            caption="1 is alike; the fingerprint does not see stereochemistry.", caption_justify="left",
        )  # fmt: skip
        table.add_column("")
        for c in found.compounds:
            table.add_column(c.name, justify="right", overflow="fold")
        for c, row in zip(found.compounds, found.similarity, strict=True):
            table.add_row(c.name, *(f"{value:.2f}" for value in row))
        console.print(table)
    if svg is not None:
        console.print(Text(f"Drawing: {svg}"))
    return 0
