"""``schild fit-levels``: numbers of the catalogue fitted to observed levels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from schild.cli.check import read_table
from schild.cli.options import Draws, Levels, Table
from schild.cli.verbs import command

if TYPE_CHECKING:
    from rich.console import Console

    from schild.observed import LevelsFit


def _show(found: LevelsFit, screen: Console) -> None:
    from rich.text import Text

    from schild.tables import number_words
    from schild.tables import table as made

    for note in found.data.notes:
        screen.print(Text(f"Note: {note}"))
    profile = any(e.profile for e in found.estimates)
    heads = ("number", "unit", "catalogue", "estimate", "standard error", "95 %", *(["profile"] if profile else []))
    rows = [
        (
            e.name, e.unit, number_words(e.catalogue), number_words(e.value), f"{100 * e.cv:.3g} %",
            f"{number_words(e.low)} to {number_words(e.high)}",
            *([] if not profile else ["-"] if e.profile is None else [" to ".join(map(number_words, e.profile))]),
        )
        for e in found.estimates
    ]  # fmt: skip
    size = [f"{100 * found.proportional:.3g} %"] * bool(found.proportional)
    size += [f"{found.additive:.3g} in the unit of the levels"] * bool(found.additive)
    caption = f"Residual error {' and '.join(size)}; -2 log likelihood {found.objective:.6g}."
    title = f"Fit to {found.predicted.size} observations"
    screen.print(made(title, heads, rows, left=("number", "unit"), caption=caption))


@command(
    "schild.observed:fit_levels", _show, title="Numbers fitted to observed levels", table="numbers.csv",
    places={"table": "TABLE.csv"}, without=("data",),
    more=lambda found: found.to_overlay(f"schild fit-levels {found.data.name}"),
)  # fmt: skip
def fit_levels(
    given: dict[str, Any],
    data: Draws,
    table: Annotated[Path, Parameter(name="TABLE.csv")],
    columns: Table = Table(),
    levels: Levels = Levels(),
) -> None:
    """Fit numbers of the catalogue to observed levels; the mean of all people, with their covariates.

    schild fit-levels examples/nonmem_levels.csv --free naltrexone.cl --free naltrexone.oral.f

    --out also writes one file for each drug, an overlay for --catalogue. Nothing is drawn at random, so --seed
    changes nothing. For research and education, not for treating a person.

    Parameters
    ----------
    table
        NONMEM table as for `schild check`.
    free
        A number to fit, such as naltrexone.cl.
    """
    given["data"] = read_table(table, columns, levels, data)
