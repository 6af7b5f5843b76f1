"""The numbers of one replicate of a trial: typical, overridden, or drawn from their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from schild.catalog import Catalogue
from schild.drinking.value import DayValue, day_value
from schild.engine.streams import normals
from schild.errors import UnknownNameError
from schild.trial.trialfile import Trial

__all__ = ["DRUG_NUMBERS", "TrialNumbers", "trial_numbers"]

#: Numbers of alcohol.toml that decide what a tablet does to a day.
DRUG_NUMBERS = {
    "share": "reward.share",
    "sedation": "sedation.occupied",
    "drink_reward": "day.drink.reward",
    "drink_aversion": "day.drink.aversion",
    "heavy_reward": "day.heavy.reward",
    "heavy_aversion": "day.heavy.aversion",
}

#: Of these, those whose uncertainty is drawn here; share and sedation are absorbed by what was fitted on top of them.
_DRAWN = ("drink_reward", "drink_aversion", "heavy_reward", "heavy_aversion")
#: Reward and aversion of one effect were fitted as halves of one number, so they are drawn as one.
_TOGETHER = {"day.drink.aversion": "day.drink.reward", "day.heavy.aversion": "day.heavy.reward"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialNumbers:
    """Numbers of one replicate.

    Attributes
    ----------
    values : mapping of str to float
        Every number of ``trial.toml`` by name.
    drug : DayValue
        From occupancy to log odds.
    effect : float
        What multiplies the drug's effect in this trial; one but for trials that differ. [1]
    gain_omega : float
        Spread between people of the release of endogenous opioid. [1]
    drink_g : float
        Alcohol of a standard drink. [g]
    overrides : mapping of str to float
        What was given in place of the catalogue's.
    """

    values: Mapping[str, float]
    drug: DayValue
    effect: float
    gain_omega: float
    drink_g: float
    overrides: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        return self.values[name]


def trial_numbers(
    trial: Trial, catalogue: Catalogue, replicate: int = 0, overrides: Mapping[str, float] | None = None
) -> TrialNumbers:
    """Give a replicate its numbers.

    Parameters
    ----------
    trial : Trial
        Says whether parameter sets are drawn and whether trials differ; its scenario wins over the catalogue.
    catalogue : Catalogue
        Where the numbers stand.
    replicate : int
        Which repeat of the trial.
    overrides : mapping, optional
        Values in place of the catalogue's, by ``"trial.<number>"`` or ``"alcohol.<number>"``; others are left alone.

    Returns
    -------
    TrialNumbers
        With limits kept.

    Examples
    --------
    >>> from schild.catalog import load
    >>> trial = Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"})
    >>> trial_numbers(trial, load(), overrides={"trial.limit.male": 6})["limit.male"]
    6.0
    """
    given = dict(overrides or {})
    for name in given:
        if name.startswith("trial.") and name[6:] not in catalogue.trial:
            raise UnknownNameError("number of trials", name[6:], catalogue.trial)
    seed = trial.trial.seed

    def drawn(label: str) -> float:
        return float(normals(seed, f"uncertain:{label}", replicate, replicate + 1)[0])

    values: dict[str, float] = {}
    for name, number in catalogue.trial.items():
        value = float(given.get(f"trial.{name}", number.value))
        if trial.trial.uncertainty and number.uncertainty is not None:
            # Log odds may be negative, and a standard error is additive there.
            value += number.uncertainty.cv * abs(value) * drawn(f"trial.{name}")
        low, high = number.bounds or (None, None)
        value = value if low is None else max(low, value)
        values[name] = value if high is None else min(high, value)
    for name, said in (
        ("response.drinking", trial.response.drinking),
        ("response.heavy", trial.response.heavy),
        ("response.between", trial.response.between),
        ("learning.rate", trial.learning.rate),
        ("learning.weight", trial.learning.weight),
    ):
        if said is not None:
            values[name] = said
    values["response.between"] = max(values["response.between"], 0.0)
    effect = 1.0
    if trial.trial.between_trials:
        effect += values["trials.effect"] * drawn("trial.effect")
        shift = values["trials.response"] * drawn("trial.response")
        values["response.drinking"] += shift
        values["response.heavy"] += shift
    if trial.trial.uncertainty:
        for field in _DRAWN:
            name = DRUG_NUMBERS[field]
            number = catalogue.alcohol[name]
            if number.uncertainty is not None:
                base = float(given.get(f"alcohol.{name}", number.value))
                off = 1.0 + number.uncertainty.cv * drawn(f"alcohol.{_TOGETHER.get(name, name)}")
                given[f"alcohol.{name}"] = base * off
    gain = catalogue.alcohol["release.gain"].between_subject
    return TrialNumbers(
        values=values,
        drug=day_value(catalogue, given),
        effect=effect,
        gain_omega=0.0 if gain is None else float(np.asarray(gain.omega)),
        drink_g=float(given.get("alcohol.drink.us", catalogue.alcohol["drink.us"].value)),
        overrides=dict(overrides or {}),
    )


assert set(DRUG_NUMBERS) <= {f.name for f in fields(DayValue)}  # the joint to the session must not move unnoticed
