"""``schild fit-levels``: numbers of the catalogue fitted to observed levels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from schild.cli import console
from schild.cli.check import read_table
from schild.cli.console import NOTICE, folder, say_if_compiling, writable, write
from schild.cli.figures import check_figure, save_figure
from schild.cli.options import Numbers


def fit_levels(
    table: Annotated[Path, Parameter(name="TABLE.csv")],
    /,
    *,
    free: list[str],
    prior: Literal["uncertainty", "people", "none"] = "uncertainty",
    error: Literal["proportional", "additive", "both"] = "proportional",
    profile: bool = False,
    structure: str | None = None,
    cmt: list[str] | None = None,
    unit: str | None = None,
    time_unit: str | None = None,
    drug: str | None = None,
    route: str | None = None,
    basis: str | None = None,
    dv: list[str] | None = None,
    dv_unit: str = "ng/mL",
    sex: list[str] | None = None,
    drop: list[str] | None = None,
    out: Path | None = None,
    plot: Path | None = None,
    json: bool = False,
    data: Numbers = Numbers(),
) -> int:
    """Fit numbers of the catalogue to observed levels; the mean of all persons, with their covariates.

    schild fit-levels examples/nonmem_levels.csv --free naltrexone.cl --free naltrexone.oral.f

    For research and education, not for treating a person.

    Parameters
    ----------
    table
        NONMEM table as for `schild check`.
    free
        A number to fit, such as naltrexone.cl; once for each.
    prior
        What is known before: uncertainty of the typical value (a group), people (one person), or none.
    error
        Residual error: proportional, additive or both.
    profile
        Also limits by profile likelihood, which takes longer.
    structure
        Rival mechanism between plasma and receptor.
    cmt
        As for `schild check`.
    unit
        As for `schild check`.
    time_unit
        As for `schild check`.
    drug
        As for `schild check`.
    route
        As for `schild check`.
    basis
        As for `schild check`.
    dv
        As for `schild check`.
    dv_unit
        As for `schild check`.
    sex
        As for `schild check`.
    drop
        As for `schild check`.
    out
        Folder for one file for each drug, which lies over the catalogue with --catalogue.
    plot
        File for the figure: .svg, .png or .pdf.
    json
        Print one JSON object and nothing else.
    """
    from rich.text import Text

    from schild.observed import fit_levels as fit
    from schild.tables import number_words
    from schild.tables import table as made

    check_figure(plot)
    place = None if out is None else folder(out)
    writable(None if place is None else place / "fit.json")
    observed = read_table(
        table, cmt=cmt, unit=unit, time_unit=time_unit, drug=drug, route=route, basis=basis, dv=dv, dv_unit=dv_unit,
        sex=sex, drop=drop, catalogue=data.catalogue,
    )  # fmt: skip
    say_if_compiling()
    found = fit(
        observed, free, prior=prior, error=error, profile=profile, structure=structure, overrides=data.overrides,
        catalogue=data.catalogue,
    )  # fmt: skip
    if place is not None:
        for name, text in found.to_overlay(f"schild fit-levels {table.name}").items():
            write(place / name, text)
        write(place / "fit.json", found.to_json() + "\n")
    if plot is not None:
        save_figure(found.plot(), plot)
    if json:
        print(found.to_json())
        return 0
    screen = console.out()
    for said in (*(f"Note: {n}" for n in observed.notes), *(f"Warning: {w}" for w in found.warnings)):
        screen.print(Text(said))
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
    screen.print(
        made(f"Fit to {found.predicted.size} observations", heads, rows, left=("number", "unit"), caption=caption)
    )
    if place is not None:
        screen.print(Text(f"Written to {place}: use a file with --catalogue."))
    screen.print(Text(NOTICE, style="dim"))
    return 0
