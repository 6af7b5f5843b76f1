"""``schild verify``: run what a page states again, and compare."""

from __future__ import annotations

from pathlib import Path

from schild.cli.console import out, progress
from schild.cli.options import Data, Json


def verify(page: Path, /, *, json: Json = False, data: Data = Data()) -> int:
    """Run what a page of `schild explain DRUG --html PAGE` states again, and compare every number.

    The command exits with status 1 if a number differs by more than a millionth, or a verdict differs.

    Parameters
    ----------
    page
        The page.
    """
    from schild.explanation.verify import verify as run
    from schild.results import json_text
    from schild.textfile import read_text

    text = read_text(page, "a page of `schild explain`")
    with progress("claims") as advance:
        found = run(text, catalogue=data.catalogue, progress=advance)
    if json:
        print(json_text(found.to_dict()))
        return 0 if found.ok else 1
    console = out()
    for d in found.differences:
        console.print(f"{d.what}: the page states {d.stated}, now {d.now}", markup=False)
    differ = len(found.differences)
    console.print(
        f"{found.compared} numbers of the page on {found.drug} (schild {found.version}) were run again; "
        f"{differ or 'none'} differ{'s' if differ == 1 else ''}.",
        markup=False,
    )
    return 0 if found.ok else 1
