"""``schild explain`` and ``schild validate``: the executable answers."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from cyclopts import Parameter

from schild.cli.console import out as console_out
from schild.cli.console import progress, say_if_compiling, writable, write
from schild.cli.options import Data, Numbers
from schild.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console


class Answer(Protocol):
    """What explain and validate give back."""

    @property
    def ok(self) -> bool:
        """Whether every claim that was tested holds or misses as it says."""

    def to_text(self, console: Console, **options: bool) -> None:
        """Print the result as text."""

    def to_html(self) -> str:
        """Write it as one self-contained page."""

    def to_json(self) -> str:
        """Write it as one JSON object."""


def explain(
    drug: str,
    /,
    *,
    html: Path | None = None,
    json: bool = False,
    claims: bool = False,
    all: bool = False,
    quick: bool = False,
    fresh: bool = False,
    data: Numbers = Numbers(),
) -> int:
    """What a drug does: the answer in short, and the questions people ask.

    Exit code 1 says that a claim did not come out as it says.

    Parameters
    ----------
    drug
        Name of the drug, such as naltrexone.
    html
        File for the answer as one page with figures.
    json
        Print one JSON object and nothing else.
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
    answer = _function("schild.explanation", "explain")
    say_if_compiling()
    from schild.engine.kept import keeping

    with keeping():  # the page asks for runs of the claims
        with progress("claims") as advance:
            found: Answer = answer(
                key, progress=advance, quick=quick, fresh=fresh, claims=bool(claims or all or json or html),
                catalogue=data.catalogue, overrides=data.overrides,
            )  # fmt: skip
        return _show(found, html, json, **({"everything": True} if all else {}))


def validate(
    *studies: Annotated[str, Parameter(name="STUDY")],
    html: Path | None = None,
    json: bool = False,
    quick: bool = False,
    fresh: bool = False,
    data: Data = Data(),
) -> int:
    """Every study, predicted against observed; misses first.

    Exit code 1 says that a check did not come out as it says.

    Parameters
    ----------
    studies
        Study files to look at, such as naltrexone_pet; all by default.
    html
        File for the report as one page with figures.
    json
        Print one JSON object and nothing else.
    quick
        Fewer people behind the bands: for a first look.
    fresh
        Compute everything again, and read nothing that an earlier call has kept.
    """
    writable(html)
    answer = _function("schild.validation", "validate")
    say_if_compiling()
    with progress("studies") as advance:
        found: Answer = answer(
            *studies, progress=advance, tell=advance and advance.say, quick=quick, fresh=fresh, catalogue=data.catalogue
        )
    return _show(found, html, json)


def _function(module: str, name: str) -> Any:
    found = None
    try:
        found = getattr(import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
    if found is None:
        raise InputError(
            f"{module}.{name} is not part of this version of schild; expected it to be installed. Update schild."
        )
    return found


def _show(found: Answer, html: Path | None, json: bool, **options: bool) -> int:
    if json:
        print(found.to_json())
    else:
        found.to_text(console_out(), **options)
    if html is not None:
        write(html, found.to_html())
        if not json:
            console_out().print(f"Page: {html}", markup=False)
    return 0 if found.ok else 1
