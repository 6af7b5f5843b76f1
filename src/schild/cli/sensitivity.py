"""``schild sensitivity``: how a metric moves with each number, and what its spread is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from schild.cli import console
from schild.cli.console import NOTICE, Whole, progress, say_if_compiling
from schild.cli.figures import check_figure, save_figure
from schild.cli.options import Numbers


def sensitivity(
    *what: Annotated[str, Parameter(name="REGIMEN")],
    metric: str,
    number: list[str] | None = None,
    until: str | None = None,
    structure: str | None = None,
    n: Whole = 200,
    sobol: Whole = 0,
    seed: Whole = 1,
    weight: str | None = None,
    age: str | None = None,
    sex: str | None = None,
    liver: str | None = None,
    crcl: str | None = None,
    plot: Path | None = None,
    json: bool = False,
    data: Numbers = Numbers(),
) -> int:
    """Say how a metric of a run moves with each number, and what its spread is made of.

    schild sensitivity "naltrexone 50 mg po" --metric auc_naltrexone_ng_h_ml --until 2d

    For research and education, not for treating a person.

    Parameters
    ----------
    what
        Regimens in words, each in quotes.
    metric
        A metric of `schild simulate --json`, such as auc_naltrexone_ng_h_ml or mor_pet_occupancy_mean.
    number
        A number to move, such as naltrexone.cl; once for each; all that have an uncertainty by default.
    until
        End of the run, such as 7d.
    structure
        Rival mechanism between plasma and receptor.
    n
        People for the spread by people, occasions and parameters; 0 leaves that out.
    sobol
        Samples for Sobol indices, a power of two; they need that many runs times numbers.
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
    plot
        File for the figure: .svg, .png or .pdf.
    json
        Print one JSON object and nothing else.
    """
    from rich.text import Text

    from schild.cli.forecast import person_of
    from schild.influence import sensitivity as run
    from schild.tables import number_words, percent_words, table

    check_figure(plot)
    say_if_compiling()
    with progress("runs") as advance:
        found = run(
            *what,
            metric=metric,
            numbers=number,
            until=until,
            subject=person_of(weight, age, sex, liver, crcl),
            structure=structure,
            n=n,
            sobol=sobol,
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
    heads = ("number", "unit", "5 %", "95 %", "metric at 5 %", "at 95 %", *(["first", "total"] if sobol else []))
    rows = [
        (
            s.number,
            s.unit,
            *map(number_words, (s.low, s.high, s.at_low, s.at_high)),
            *([number_words(s.first or 0.0), number_words(s.total or 0.0)] if sobol else []),
        )
        for s in found.swings[:20]
    ]
    title = f"{found.metric} of the typical person: {number_words(found.typical)}"
    screen.print(table(title, heads, rows, left=("number", "unit")))
    if found.parts:
        said = [(name, percent_words(value)) for name, value in found.parts.items()]
        screen.print(table("Spread of the metric (standard deviation of its logarithm)", ("by", ""), said))
    screen.print(Text(NOTICE, style="dim"))
    return 0
