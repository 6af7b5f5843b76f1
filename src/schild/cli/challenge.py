"""``schild challenge``: an agonist with and without the antagonist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schild.cli.console import Whole, progress, say_if_compiling
from schild.cli.options import Draws, Files
from schild.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from schild.challenges import Challenge


def challenge(
    antagonist: list[str],
    /,
    *,
    agonist: str,
    at: str,
    effect: str = "liking",
    n: Whole | None = None,
    uncertainty: Whole = 0,
    structure: str | None = None,
    history: list[str] | None = None,
    data: Draws = Draws(),
    files: Files = Files(),
) -> int:
    """Give an agonist with and without the antagonist and compare its effects.

    schild challenge "naltrexone 100 mg po" --agonist "heroin 25 mg iv" --at "24 h, 48 h, 72 h" --effect liking

    Block is 1 - response with / response without, from the largest change within 6 h; "blocked" means a median of at
    least 0.8. Agonist doses above those of published human challenges are refused.

    Parameters
    ----------
    antagonist
        Regimens of the antagonist, in words.
    agonist
        One dose of one agonist, in words, without a time.
    at
        When the agonist is given, such as "24 h, 48 h": each is a run of its own.
    effect
        liking, ventilation, ventilation_isohypercapnic, pupil, analgesia, gut_transit; several with commas.
    n
        How many virtual people; one typical person otherwise.
    uncertainty
        Parameter sets drawn from the uncertainty of the typical values, each for the same people.
    structure
        Rival mechanism between plasma and receptor.
    history
        Earlier use of an opioid, once for each: "morphine 30 mg po q6h for 60 d stopped 10 d". Both runs have it.
    """
    from schild.challenges import challenge as run

    files.check()
    population = None
    if n is not None:
        population = {"n": n, "uncertainty": uncertainty}
    elif uncertainty:
        raise InputError(f"--uncertainty {uncertainty} was given without people; expected --n as well. Add --n 200.")
    say_if_compiling()
    with progress("runs") as advance:
        found = run(
            antagonist,
            agonist=agonist,
            at=_parts(at, "--at", "24 h, 48 h"),
            effect=_parts(effect, "--effect", "liking, pupil"),
            population=population,
            structure=structure,
            history=history or (),
            progress=advance,
            **data.options,
        )
    return files.finish(found, lambda screen: show_challenge(screen, found), title="Challenge with an agonist")


def show_challenge(console: Console, found: Challenge) -> None:
    """Print warnings, then a row for each time and effect."""
    from rich.table import Table

    for warning in found.warnings:
        console.print(f"Warning: {warning}", style="bold red", markup=False)
    for words in found.history:
        console.print(f"Before: {words}", markup=False)
    table = Table(title=f"{found.antagonist}, then {found.agonist}")
    for head in ("at [h]", "effect", "without", "with", "block", "90 % of people", ""):
        table.add_column(head, justify="left" if head in ("effect", "") else "right")
    for row in found.summary():
        low, high = row.get("block_q05"), row.get("block_q95")
        table.add_row(
            f"{row['time_h']:g}",
            row["effect"],
            f"{row['without']:.3g} {row['unit'] if row['unit'] != '1' else ''}".strip(),
            f"{row['with']:.3g}",
            "nothing to block" if row["block"] is None else f"{row['block']:.2f}",
            "" if low is None or high is None else f"{low:.2f} to {high:.2f}",
            "blocked" if row["blocked"] else "",
        )
    console.print(table)


def _parts(text: str, option: str, example: str) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise InputError(f"{option} is {text!r}; expected one or more, with commas. Write {option} '{example}'.")
    return parts
