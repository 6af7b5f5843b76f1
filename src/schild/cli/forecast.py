"""``schild forecast`` and ``schild coverage``: what measured levels, or missed doses, mean for the receptors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from schild.cli import console
from schild.cli.console import NOTICE, Whole, progress, say_if_compiling
from schild.cli.figures import check_figure, save_figure
from schild.cli.options import Numbers
from schild.errors import InputError


def forecast(
    *what: Annotated[str, Parameter(name="REGIMEN")],
    level: list[str],
    target: float = 0.8,
    share: float = 0.9,
    error: float = 0.2,
    n: Whole = 400,
    seed: Whole = 1,
    until: str | None = None,
    weight: str | None = None,
    age: str | None = None,
    sex: str | None = None,
    liver: str | None = None,
    crcl: str | None = None,
    plot: Path | None = None,
    json: bool = False,
    data: Numbers = Numbers(),
) -> int:
    """Forecast plasma and mu occupancy of one person from measured plasma levels.

    schild forecast "naltrexone 380 mg im_depot q28d x3" --level "0.8 ng/mL at 80 d" --weight "90 kg"

    For research and education, not for treating a person.

    Parameters
    ----------
    what
        What was and will be taken, in words.
    level
        A measured level: "0.8 ng/mL at 25 d", "6-beta-naltrexol 1.1 ng/mL at 25 d" or "<0.5 ng/mL at 30 d"; once for
        each.
    target
        Occupancy of mu receptors that is wanted, 0 to 1.
    share
        Share of the posterior in which it is wanted, 0 to 1.
    error
        Error of a measured level, as a coefficient of variation; assumed.
    n
        Virtual people in each structure between plasma and receptor.
    seed
        Seed of the draws.
    until
        End of the forecast, such as 120d.
    weight
        Body weight, such as "70 kg".
    age
        Age, such as "40 years".
    sex
        female or male.
    liver
        normal, mild, moderate or severe impairment.
    crcl
        Creatinine clearance, such as "100 mL/min".
    plot
        File for the figure: .svg, .png or .pdf.
    json
        Print one JSON object and nothing else.
    """
    from rich.text import Text

    from schild.forecasts import forecast as run
    from schild.tables import number_words, table, time_words

    check_figure(plot)
    say_if_compiling()
    with progress("structures") as advance:
        found = run(
            *what,
            levels=level,
            subject=person_of(weight, age, sex, liver, crcl),
            until=until,
            target=target,
            share=share,
            error=error,
            n=n,
            seed=seed,
            catalogue=data.catalogue,
            overrides=data.overrides,
            progress=advance,
        )
    if plot is not None:
        save_figure(found.plot(), plot)
    if json:
        print(found.to_json())
        return 0
    screen = console.out()
    for warning in found.warnings:
        screen.print(Text(f"Warning: {warning}", style="bold red"))
    said = found.said()
    screen.print(Text(f"{said[:1].upper()}{said[1:]}."))
    rows = [
        (row["output"].removeprefix("plasma_"), time_words(row["time_h"]),
         *(number_words(row[q]) for q in ("q05", "q50", "q95")))
        for row in found.summary()
    ]  # fmt: skip
    heads = ("output", "at", "5 %", "median", "95 %")
    caption = f"Posterior of {found.effective:.0f} effective people. {' '.join(found.assumptions)}"
    screen.print(table(found.title, heads, rows, caption=caption))
    screen.print(Text(NOTICE, style="dim"))
    return 0


def coverage(
    what: Annotated[str, Parameter(name="REGIMEN")],
    /,
    *,
    missed: str = "0,1,2,3",
    target: float = 0.8,
    n: Whole = 200,
    seed: Whole = 1,
    weight: str | None = None,
    age: str | None = None,
    sex: str | None = None,
    liver: str | None = None,
    crcl: str | None = None,
    json: bool = False,
    data: Numbers = Numbers(),
) -> int:
    """Count the days on which mu receptors stay occupied, by how many doses in a row are missed.

    schild coverage "naltrexone 50 mg po q24h x28" --missed 0,1,2,4

    For research and education, not for treating a person.

    Parameters
    ----------
    what
        One repeated dose with its number, in words.
    missed
        Numbers of doses in a row that are missed, with commas.
    target
        Occupancy of mu receptors that protects, 0 to 1.
    n
        Virtual people.
    seed
        Seed of the draws.
    weight
        Body weight, such as "70 kg".
    age
        Age, such as "40 years".
    sex
        female or male.
    liver
        normal, mild, moderate or severe impairment.
    crcl
        Creatinine clearance, such as "100 mL/min".
    json
        Print one JSON object and nothing else.
    """
    import json as writer

    from rich.text import Text

    from schild.forecasts import coverage as run
    from schild.tables import between, number_words, percent_words, table

    parts = [part.strip() for part in missed.split(",")]
    if not all(part.isdecimal() and len(part) < 6 for part in parts):
        raise InputError(f"--missed is {missed!r}; expected whole numbers with commas. Write it like 0,1,2.")
    say_if_compiling()
    rows = run(
        what, missed=[int(part) for part in parts], subject=person_of(weight, age, sex, liver, crcl), target=target,
        n=n, seed=seed, catalogue=data.catalogue, overrides=data.overrides,
    )  # fmt: skip
    if json:
        print(writer.dumps({"target": target, "coverage": rows}, allow_nan=False))
        return 0

    def spread(row: dict[str, Any], name: str, words: Any) -> str:
        return f"{words(row[name])} ({between(words(row[f'{name}_q05']), words(row[f'{name}_q95']))})"

    cells = [
        (row["missed"], ", ".join(map(str, row["skipped"])) or "-", row["days"],
         spread(row, "days_protected", number_words), spread(row, "share_of_time", percent_words))
        for row in rows
    ]  # fmt: skip
    heads = ("missed in a row", "doses", "days", "whole days protected", "time protected")
    title = f"Mu receptors at {100 * target:g} % or more: median (5th to 95th percentile)"
    screen = console.out()
    screen.print(table(title, heads, cells))
    screen.print(Text(NOTICE, style="dim"))
    return 0


def person_of(
    weight: str | None, age: str | None, sex: str | None, liver: str | None, crcl: str | None
) -> dict[str, Any]:
    """Entries of ``[subject]`` that were given."""
    given = {"weight": weight, "age": age, "sex": sex, "liver": liver, "crcl": crcl}
    return {name: value for name, value in given.items() if value is not None}
