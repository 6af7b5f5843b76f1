"""``schild explain`` and ``schild validate``: the executable answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from schild.cli.console import out as console_out
from schild.cli.console import progress, writable, write
from schild.cli.options import Data, Json, Numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from schild.explanation.answer import Explanation
    from schild.validation import Validation


def explain(
    drug: str,
    /,
    *,
    html: Path | None = None,
    json: Json = False,
    claims: bool = False,
    all: bool = False,
    quick: bool = False,
    fresh: bool = False,
    data: Numbers = Numbers(),
) -> int:
    """Explain what a drug does: a short answer, and the questions people ask.

    The command exits with status 1 if a claim was not met.

    Parameters
    ----------
    drug
        Name of the drug, such as naltrexone.
    html
        File for the answer as one page with figures.
    claims
        Run every claim too, and print how many held and each that missed, with size and cause.
    all
        Print every claim, all tables and what is not known too.
    quick
        Fewer people in the populations: for a first look.
    fresh
        Compute everything again, and read nothing that an earlier call has kept.
    """
    key = data.catalogue.drug(drug).key
    writable(html)
    from schild.engine.kept import keeping
    from schild.explanation import explain as answer

    with keeping():  # the page asks for runs of the claims
        with progress("claims") as advance:
            found = answer(
                key, progress=advance, quick=quick, fresh=fresh, claims=bool(claims or all or json or html),
                catalogue=data.catalogue, overrides=data.overrides,
            )  # fmt: skip
        return _show(found, lambda console: found.to_text(console, everything=all), html, json)


def validate(
    *studies: Annotated[str, Parameter(name="STUDY")],
    html: Path | None = None,
    json: Json = False,
    quick: bool = False,
    fresh: bool = False,
    data: Data = Data(),
) -> int:
    """Compare predictions with every published study; misses first.

    The command exits with status 1 if a check was not met.

    Parameters
    ----------
    studies
        Study files to run, such as naltrexone_pet; all by default.
    html
        File for the report as one page with figures.
    quick
        Fewer people behind the bands: for a first look.
    fresh
        Compute everything again, and read nothing that an earlier call has kept.
    """
    writable(html)
    from schild.validation import validate as answer

    with progress("studies") as advance:
        found = answer(
            *studies,
            progress=advance,
            tell=advance.say if advance else None,
            quick=quick,
            fresh=fresh,
            catalogue=data.catalogue,
        )
    return _show(found, found.to_text, html, json)


def _show(found: Explanation | Validation, text: Callable[[Console], None], html: Path | None, json: bool) -> int:
    if json:
        print(found.to_json())
    else:
        text(console_out())
    if html is not None:
        write(html, found.to_html())
        if not json:
            console_out().print(f"Page: {html}", markup=False)
    return 0 if found.ok else 1
