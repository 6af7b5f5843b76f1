"""``schild plan`` and ``schild induction``: dose and time of an antagonist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from schild.cli.verbs import command
from schild.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from schild.inductions import Induction
    from schild.planner import Plan


def _show(found: Plan, console: Console) -> None:
    from rich.text import Text

    from schild.tables import time_words

    console.print(Text(f"{found.drug}, {found.route}", style="bold"))
    console.print(Text(found.about()))
    if found.needed_mg is not None:
        console.print(Text(f"Before rounding up to what can be given: {found.needed_mg:.3g} mg (to 1 %)."))
    session, washed = time_words(found.step_h), time_words(found.wash_step_h)
    console.print(Text(f"Times are exact to {session}, the wash-out to {washed}."))


@command(
    "schild.planner:plan", _show, title="Plan for {.drug}", table="course.csv", names={"draws": "uncertainty"},
    without=("agonist",), good=lambda found: found.feasible,
)  # fmt: skip
def plan(
    given: dict[str, Any],
    agonist: Annotated[str | None, Parameter(name=("--agonist", "--opioid", "--against"), show=False)] = None,
    overcome: Annotated[bool, Parameter(name=("--overcome", "--surmount"), show=False)] = False,
) -> None:
    """Plan dose and time of an antagonist that keep a required receptor occupancy.

    schild plan --drug naltrexone --route oral --target 0.8 --receptor mor --hold "4 h"

    The command exits with status 1 if the largest labelled dose is not enough. Agonists are refused.
    """
    from schild.planner import REFUSED
    from schild.simulation.guard import DANGER

    if overcome:
        raise InputError(f"Overcoming a block was asked for. {REFUSED} {DANGER}")
    given["agonist"] = agonist


def _show_induction(found: Induction, console: Console) -> None:
    from rich.text import Text

    from schild.tables import number_words, percent_words, table, time_words

    said = found.about()
    console.print(Text(f"{said[:1].upper()}{said[1:]}"))
    rows = [
        (row["doses"], time_words(row["wait_h"]), percent_words(row["share"]),
         *(number_words(row[f"added_{q}"]) for q in ("q05", "q50", "q95")), "chosen" if row["chosen"] else "")
        for row in sorted(found.summary(), key=lambda row: (row["doses"], row["wait_h"]))
    ]  # fmt: skip
    heads = ("begin with", "after", f"below {found.added:g} points", "added, 5 %", "median", "95 %", "")
    console.print(table("Withdrawal that the antagonist adds [points of COWS]", heads, rows, left=("begin with", "")))


@command(
    "schild.inductions:induction", _show_induction, title="Start of {.drug}", table="starts.csv",
    places={"history": "HISTORY"}, good=lambda found: found.chosen is not None,
)  # fmt: skip
def induction(given: dict[str, Any]) -> None:
    """Plan when and how an antagonist is begun after opioids, so that it adds little withdrawal.

    schild induction "heroin 25 mg iv q6h for 30 d" --n 20

    A wait is never shorter than the label asks for. No interval and no test is wholly reliable, and severity in one
    person cannot be predicted. The command exits with
    status 1 if no wait within three weeks of the label's is long enough.
    """
