"""``schild laboratory``: a session with alcohol in the laboratory, with placebo and with an antagonist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schild.cli.verbs import command

if TYPE_CHECKING:
    from rich.console import Console

    from schild.drinking.experiment import Laboratory


def _show(found: Laboratory, console: Console) -> None:
    from schild.drinking.experiment import OUTCOMES
    from schild.tables import table

    heads = ["outcome", "placebo", "antagonist", "Hedges g", "95 % interval", "p"]
    rows = [
        (
            OUTCOMES[row["outcome"]],
            f"{row['placebo']:.3g}",
            f"{row['antagonist']:.3g}",
            f"{row['g']:+.2f}",
            f"{row['low']:+.2f} to {row['high']:+.2f}",
            f"{row['p']:.2g}",
            *([f"{row['q05']:+.2f} to {row['q95']:+.2f}"] if found.bands else []),
        )
        for row in found.summary()
    ]
    title = f"{found.plan.says} {'; '.join(found.antagonist)}, {found.design}"
    console.print(table(title, [*heads, "90 % of parameters"] if found.bands else heads, rows))


@command(
    "schild.drinking.experiment:laboratory", _show, title="Alcohol in the laboratory", label="people",
    places={"plan": "PROTOCOL", "antagonist": "ANTAGONIST"}, names={"draws": "uncertainty"},
    without=("population", "moderators", "common", "threads", "changes"),
)  # fmt: skip
def laboratory(
    given: dict[str, Any],
    dose: float | None = None,
    food: str | None = None,
    sex: str | None = None,
    moderator: list[str] | None = None,
) -> None:
    """Let virtual people drink in a laboratory, with placebo and with an antagonist.

    schild laboratory self_administration "naltrexone 50 mg po q24h x6" --n 200

    Effect sizes are Hedges g with a 95 % interval of an experiment of this size. The part that an antagonist removes is
    fitted to pooled laboratory studies; sizes of release, of ratings and the spread between people are assumed.

    Parameters
    ----------
    plan
        fixed_dose (0.6 g/kg, ratings), cue (craving), self_administration (a drink, then up to eight), bar (no limit).
    antagonist
        Regimens in words; naltrexone 50 mg a day for a week by default.
    dose
        Ethanol given at the beginning, in g/kg, in place of the protocol's.
    food
        fasted or fed, in place of the protocol's.
    sex
        female or male, for all; mixed otherwise.
    moderator
        Subgroups switched on for all: a118g, family_history, reward_drinking. Off by default, as the evidence fails or
        conflicts.
    """
    given |= {"population": {"sex": sex} if sex else None, "moderators": dict.fromkeys(moderator or (), True)}
    if dose is not None:
        given |= {"grams_per_kg": dose, "level": 0.0}
    if food is not None:
        given["food"] = food
