"""``schild sensitivity``: how a metric moves with each number, and what its spread is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from schild.cli.console import Whole, progress, say_if_compiling
from schild.cli.options import Draws, Files, Person

if TYPE_CHECKING:
    from rich.console import Console

    from schild.influence import Sensitivity


def sensitivity(
    *what: Annotated[str, Parameter(name="REGIMEN")],
    metric: str,
    number: list[str] | None = None,
    until: str | None = None,
    structure: str | None = None,
    n: Whole = 200,
    sobol: Whole = 0,
    person: Person = Person(),
    data: Draws = Draws(),
    files: Files = Files(),
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
    """
    from schild.influence import sensitivity as run

    files.check()
    say_if_compiling()
    with progress("runs") as advance:
        found = run(
            *what,
            metric=metric,
            numbers=number,
            until=until,
            subject=person.given,
            structure=structure,
            n=n,
            sobol=sobol,
            progress=advance,
            **data.options,
        )
    return files.finish(
        found, lambda screen: _show(found, screen), title=f"What moves {found.metric}", table="swings.csv"
    )


def _show(found: Sensitivity, screen: Console) -> None:
    from rich.text import Text

    from schild.tables import number_words, percent_words, table

    for warning in found.warnings:
        screen.print(Text(f"Warning: {warning}", style="bold red"))
    sobol = any(s.total is not None for s in found.swings)
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
