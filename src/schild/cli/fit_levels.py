"""``schild fit-levels``: numbers of the catalogue fitted to observed levels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from schild.cli.check import read_table
from schild.cli.console import say_if_compiling
from schild.cli.options import Draws, Files, Levels, Structure, Table

if TYPE_CHECKING:
    from rich.console import Console

    from schild.observed import LevelsFit


def fit_levels(
    table: Annotated[Path, Parameter(name="TABLE.csv")],
    /,
    *,
    free: list[str],
    prior: Literal["uncertainty", "people", "none"] = "uncertainty",
    error: Literal["proportional", "additive", "both"] = "proportional",
    profile: bool = False,
    structure: Structure = None,
    columns: Table = Table(),
    levels: Levels = Levels(),
    data: Draws = Draws(),
    files: Files = Files(),
) -> int:
    """Fit numbers of the catalogue to observed levels; the mean of all persons, with their covariates.

    schild fit-levels examples/nonmem_levels.csv --free naltrexone.cl --free naltrexone.oral.f

    --out also writes one file for each drug, an overlay for --catalogue. Nothing is drawn at random, so --seed
    changes nothing. For research and education, not for treating a person.

    Parameters
    ----------
    table
        NONMEM table as for `schild check`.
    free
        A number to fit, such as naltrexone.cl; once for each.
    prior
        Prior: uncertainty of the typical value (a group), people (one person), or none.
    error
        Residual error: proportional, additive or both.
    profile
        Also limits by profile likelihood, which takes longer.
    """
    from schild.observed import fit_levels as fit

    files.check()
    observed = read_table(table, columns, levels, data)
    say_if_compiling()
    found = fit(
        observed, free, prior=prior, error=error, profile=profile, structure=structure, overrides=data.overrides,
        catalogue=data.catalogue,
    )  # fmt: skip
    return files.finish(
        found, _show, title="Numbers fitted to observed levels", table="numbers.csv",
        more={} if files.out is None else found.to_overlay(f"schild fit-levels {table.name}"),
    )  # fmt: skip


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
