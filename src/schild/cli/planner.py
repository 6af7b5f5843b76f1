"""``schild plan``: dose and time of an antagonist for a required receptor occupancy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from schild.cli.console import Whole, progress
from schild.cli.options import Draws, Files, Person, Structure
from schild.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from schild.inductions import Induction
    from schild.planner import Plan


def plan(
    *,
    drug: str = "naltrexone",
    target: float = 0.9,
    receptor: str = "mor",
    hold: str = "4 h",
    route: str | None = None,
    at_least: float = 0.9,
    floor: float = 0.05,
    every: str | None = None,
    n: Whole = 200,
    uncertainty: Whole = 10,
    person: Person = Person(),
    structure: Structure = None,
    agonist: Annotated[str | None, Parameter(name=("--agonist", "--opioid", "--against"), show=False)] = None,
    overcome: Annotated[bool, Parameter(name=("--overcome", "--surmount"), show=False)] = False,
    data: Draws = Draws(),
    files: Files = Files(),
) -> int:
    """Study planner: dose and time of an antagonist that keep a required receptor occupancy.

    schild plan --drug naltrexone --route oral --target 0.8 --receptor mor --hold "4 h"

    Exit code 1 means that the largest labelled dose is not enough. Agonists are refused.

    Parameters
    ----------
    drug
        An antagonist, such as naltrexone.
    target
        Required occupancy, a fraction, as measured by tomography.
    receptor
        mor, kor, dor or mor_gut.
    hold
        Length of the session for which it has to last.
    route
        Such as oral or im_depot; by mouth where the drug has that.
    at_least
        Share of people who have to hold it through the whole session.
    floor
        Occupancy that counts as washed out.
    every
        Repeat the dose at this interval, such as "24 h", as often as the session needs.
    n
        People.
    uncertainty
        Sets of parameters drawn from what is not known; each is given to all people.
    agonist
        Refused.
    overcome
        Refused.
    """
    from schild.planner import REFUSED
    from schild.planner import plan as find
    from schild.simulation.guard import DANGER

    if overcome:
        raise InputError(f"Overcoming a block was asked for. {REFUSED} {DANGER}")
    files.check()
    with progress("runs") as advance:
        found = find(
            drug, target=target, receptor=receptor, hold=hold, route=route, at_least=at_least, floor=floor, every=every,
            n=n, draws=uncertainty, people=person.given, structure=structure,
            agonist=agonist, progress=advance, **data.options,
        )  # fmt: skip
    return files.finish(
        found, _show, title=f"Plan for {found.drug}", table="course.csv",
        code=0 if found.feasible else 1,
    )  # fmt: skip


def _show(found: Plan, console: Console) -> None:
    from rich.text import Text

    from schild.tables import time_words

    console.print(Text(f"{found.drug}, {found.route}", style="bold"))
    console.print(Text(found.aloud()))
    if found.needed_mg is not None:
        console.print(Text(f"Before rounding up to what can be given: {found.needed_mg:.3g} mg (to 1 %)."))
    session, washed = time_words(found.step_h), time_words(found.wash_step_h)
    console.print(Text(f"Times are exact to {session}, the wash-out to {washed}."))


def induction(
    *history: Annotated[str, Parameter(name="HISTORY")],
    drug: str = "naltrexone",
    route: str | None = None,
    added: float = 5.0,
    at_least: float = 0.9,
    n: Whole = 100,
    person: Person = Person(),
    data: Draws = Draws(),
    files: Files = Files(),
) -> int:
    """Induction plan: when and how an antagonist is begun after opioids, so that it adds little withdrawal.

    schild induction "heroin 25 mg iv q6h for 30 d" --n 20

    A wait is never shorter than the label asks for. No interval and no test is wholly reliable, and severity in one
    person cannot be predicted. Exit code 1 means that no wait within three weeks of the label's is long enough.

    Parameters
    ----------
    history
        Earlier use of opioids, up to the last dose, such as "heroin 25 mg iv q6h for 90 d".
    drug
        An antagonist whose label states a wait.
    route
        Such as oral or im_depot; by mouth where the drug has that.
    added
        Withdrawal that it may add in the day after each of the first two doses: points of COWS, 0 to 48.
    at_least
        Share of people in whom it has to stay below that.
    n
        People.
    """
    from schild.inductions import induction as find

    files.check()
    with progress("runs") as advance:
        found = find(
            *history, drug=drug, route=route, added=added, at_least=at_least, n=n, people=person.given,
            progress=advance, **data.options,
        )  # fmt: skip
    return files.finish(
        found, _show_induction, title=f"Beginning of {found.drug}", table="starts.csv",
        code=0 if found.chosen is not None else 1,
    )  # fmt: skip


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
