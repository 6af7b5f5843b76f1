"""``schild challenge``: an agonist with and without the antagonist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schild.cli.console import Whole, progress
from schild.cli.options import Draws, Files, Structure, listed
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
    structure: Structure = None,
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
        Times at which the agonist is given, such as "24 h, 48 h"; each is a separate run.
    effect
        liking, ventilation, ventilation_isohypercapnic, pupil, analgesia, gut_transit; several with commas.
    n
        Number of virtual people; by default one typical person.
    uncertainty
        Parameter sets drawn from the uncertainty of the typical values, each for the same people.
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
    with progress("runs") as advance:
        found = run(
            antagonist,
            agonist=agonist,
            at=listed(at, "at", "'24 h, 48 h'"),
            effect=listed(effect, "effect", "'liking, pupil'"),
            population=population,
            structure=structure,
            history=history or (),
            progress=advance,
            **data.options,
        )
    return files.finish(found, show_challenge, title="Challenge with an agonist")


def show_challenge(found: Challenge, console: Console) -> None:
    """Print a row for each time and effect."""
    from schild.tables import table

    for words in found.history:
        console.print(f"Before: {words}")
    rows = [
        (
            f"{row['time_h']:g}",
            row["effect"],
            f"{row['without']:.3g} {row['unit'] if row['unit'] != '1' else ''}".strip(),
            f"{row['with']:.3g}",
            "nothing to block" if row["block"] is None else f"{row['block']:.2f}",
            "" if row.get("block_q05") is None else f"{row['block_q05']:.2f} to {row['block_q95']:.2f}",
            "blocked" if row["blocked"] else "",
        )
        for row in found.summary()
    ]
    heads = ("at [h]", "effect", "without", "with", "block", "90 % of people", "")
    console.print(table(f"{found.antagonist}, then {found.agonist}", heads, rows, left=("effect", "")))
