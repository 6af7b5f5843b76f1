"""Warnings of a trial that follow from its file: what the model leaves open, and what labels say."""

from __future__ import annotations

from collections.abc import Iterator

from schild.catalog import Catalogue
from schild.people import Given
from schild.regimen import Dose, expand
from schild.simulation.caution import label_cautions, unit_slips
from schild.trial.numbers import trial_numbers
from schild.trial.opioid import kind_of
from schild.trial.opioid_checks import known_misses
from schild.trial.trialfile import ARM_WORDS, Arm, Induction, Trial
from schild.units import TICKS_PER_HOUR

#: The last opioid before a first dose: what is used, or the taper.
_USED = Dose(drug="heroin", amount="25 mg", route="iv", time=0.0, count=1)
_TAPERED = Dose(drug="buprenorphine", amount="8 mg", route="sl", time=0.0, count=1)


def cautions(trial: Trial, catalogue: Catalogue, overrides: Given | None = None) -> list[str]:
    """Warn of what a trial assumes, of amounts that look like slips, and of starts sooner than a label asks for.

    ``trial``: with drugs by their keys; ``overrides``: as for ``trial_numbers``.
    """
    return [*_assumed(trial, catalogue), *_doses(trial, catalogue, overrides)]


def _doses(trial: Trial, catalogue: Catalogue, overrides: Given | None) -> Iterator[str]:
    """Warn of the arms' doses, as a run warns of its own."""
    values = trial_numbers(trial, catalogue, 0, overrides).values
    treated = {(arm.dosing, arm.interval_days) for arm in trial.arm if arm.drug}
    for arm in trial.arm:
        if arm.placebo and treated and (arm.dosing, arm.interval_days) not in treated:
            yield (
                f"Arm {arm.name!r} is given {_rhythm(arm)}, and no arm with a drug is: people take it and stay on it "
                "otherwise, so differences are not of the drug alone. Give it the drug's dosing and every."
            )
        if arm.drug is None:
            continue
        said = unit_slips(catalogue, expand([_dose(arm, 0.0)], 0))
        yield from (f"Arm {arm.name!r}: {words}" for words in said)
        if trial.disorder == "opioid":
            # The earliest start that the arm allows, after the last opioid before it.
            wait, taper, _, _ = (arm.induction or Induction()).whole()
            last = _TAPERED if taper else _USED
            if kind_of(arm) == "agonist":
                wait, last = min(trial.setting.admitted), _USED
            events = expand([last, _dose(arm, 24.0 * wait)], round(24 * wait * TICKS_PER_HOUR))
            yield from (
                f"Arm {arm.name!r}, at the earliest start that the file allows: {x}"
                for x in label_cautions(values, events)
            )


def _rhythm(arm: Arm) -> str:
    return f"every {arm.every}" if arm.every else ARM_WORDS[arm.dosing]


def _dose(arm: Arm, time: float) -> Dose:
    return Dose(drug=arm.drug, amount=arm.amount, route=arm.route, time=time, count=1, product=arm.product)


def _assumed(trial: Trial, catalogue: Catalogue) -> list[str]:
    said = (
        []
        if trial.trial.people == "own"
        else [
            "The same people are in every arm: effects have no interval, p-value or power. For those of a trial write "
            'people = "own".',
        ]
    )
    if trial.disorder == "opioid":
        return [*said, *_assumed_of_opioids(trial), *known_misses(trial, catalogue)]
    said += [
        "People before treatment are assumed, and so are adherence and leaving; response and effect are fitted to "
        "published rates. The model misses most published levels of drinking under placebo: read differences between "
        "arms, not levels.",
    ]
    others = sorted({arm.drug for arm in trial.arm if arm.drug and arm.drug != "naltrexone"})
    if others:
        said.append(f"{', '.join(others)}: the effect of an occupied receptor was fitted to naltrexone only.")
    if trial.learning.on:
        said.append("Learning under blockade is on: it is speculative, and nothing was fitted to it.")
    if any(arm.dosing == "as_needed" for arm in trial.arm):
        said.append(
            "As-needed tablets: people are assumed to foresee the days on which they would drink without the drug."
        )
    if trial.days > 16 * 7:
        said.append(f"{trial.trial.weeks} weeks: no row that was fitted goes beyond 16 weeks.")
    if trial.trial.n < 100:
        said.append(f"{trial.trial.n} people in an arm: intervals are wide.")
    return said


def _assumed_of_opioids(trial: Trial) -> list[str]:
    said = [
        "Behaviour is fitted to counts of published trials of 2000 to 2016, mostly of heroin. Overdose is given as a "
        "ratio, never as a risk.",
    ]
    if trial.setting.fentanyl > 0:
        said.append(
            "Fentanyl in the supply: its kinetics alone are in the model, nothing was fitted to people who use it."
        )
    if any(arm.induction and arm.induction.procedure in ("low_dose", "rapid") for arm in trial.arm):
        said.append("Low-dose and rapid starts follow from withdrawal in the model; no trial of them was fitted.")
    if trial.days > 24 * 7:
        said.append(f"{trial.trial.weeks} weeks: no row goes beyond 24 weeks.")
    if trial.trial.n < 100:
        said.append(f"{trial.trial.n} people in an arm: intervals are wide.")
    return said
