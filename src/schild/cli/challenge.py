"""``schild challenge``: an agonist with and without the antagonist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schild.cli.console import Whole
from schild.cli.verbs import command
from schild.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from schild.challenges import Challenge


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


@command(
    "schild.challenges:challenge", show_challenge, title="Challenge with an agonist",
    places={"antagonist": "ANTAGONIST"}, commas={"at": ("'24 h, 48 h'", str), "effect": ("'liking, pupil'", str)},
    without=("subject", "population", "threads"),
)  # fmt: skip
def challenge(given: dict[str, Any], uncertainty: Whole = 0) -> None:
    """Give an agonist with and without the antagonist and compare its effects.

    schild challenge "naltrexone 100 mg po" --agonist "heroin 25 mg iv" --at "24 h, 48 h, 72 h" --effect liking

    Block is 1 - response with / response without, from the largest change within 6 h; "blocked" means a median of at
    least 0.8. Agonist doses above those of published human challenges are refused.

    Parameters
    ----------
    n
        Virtual people; by default one typical person.
    uncertainty
        Parameter sets drawn from the uncertainty of the typical values, each for the same people.
    history
        Earlier use of an opioid, in both runs: "morphine 30 mg po q6h for 60 d stopped 10 d".
    """
    if "n" in given:
        given["population"] = {"n": given.pop("n"), "uncertainty": uncertainty}
    elif uncertainty:
        raise InputError(f"--uncertainty {uncertainty} was given without people; expected --n as well. Add --n 200.")
