"""The numbers of one replicate of a trial: typical, given, or drawn from their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Catalogue
from schild.drinking.value import DAY_NUMBERS, DayValue, day_value
from schild.engine.streams import normals
from schild.people import Given, People, Uses, Values
from schild.trial.trialfile import Trial

#: Numbers of alcohol whose uncertainty a trial draws; that of the others is part of numbers that were fitted later.
_DRAWN = tuple(name for name in DAY_NUMBERS.values() if name.startswith("day."))
#: Reward and aversion of one effect were fitted as halves of one number, so they are drawn as one.
_TOGETHER = {"alcohol.day.drink.aversion": "alcohol.day.drink.reward",
             "alcohol.day.heavy.aversion": "alcohol.day.heavy.reward"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialNumbers:
    """Numbers of one replicate: ``numbers["adherence.daily"]`` is a number of ``trial``."""

    values: Values  #: Values of the replicate, with the record of numbers used
    #: Numbers of ``trial`` given by the scenario, or drawn for a trial that differs from others
    said: Mapping[str, float]
    drug: DayValue  #: From occupancy to log odds
    effect: float  #: Factor on the drug's effect in this trial; 1 unless trials differ [1]
    known: dict[str, float] = field(default_factory=dict, repr=False, compare=False)  #: Numbers read before

    @property
    def drink_g(self) -> float:
        """Alcohol of a standard drink. [g]"""
        return self.values.typical("alcohol", "drink.us")

    def __getitem__(self, name: str) -> float:
        if name in self.said:
            return self.said[name]
        if name not in self.known:
            self.known[name] = _number(self.values, name)
        return self.known[name]


def numbers_of(trial: Trial, catalogue: Catalogue) -> tuple[str, ...]:
    """Names of the numbers of ``trial.toml`` that a trial reads: those of its disorder.

    >>> from schild.catalog import load
    >>> trial = Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"})
    >>> any(name.startswith("oud.") for name in numbers_of(trial, load()))
    False
    """
    return tuple(name for name in catalogue.trial if name.startswith("oud.") == (trial.disorder == "opioid"))


def _number(values: Values, name: str) -> float:
    return float(np.max(values.of("trial", name)))


def trial_numbers(
    trial: Trial,
    catalogue: Catalogue,
    replicate: int = 0,
    overrides: Given | None = None,
    *,
    uses: Uses | None = None,
) -> TrialNumbers:
    """Return the numbers of a replicate.

    ``trial``: says whether parameter sets are drawn and whether trials differ; its scenario takes precedence over the
    catalogue; ``catalogue``: with the numbers; ``replicate``: number of the repeat; ``overrides``: values in place of
    the catalogue's, by ``"trial.<number>"``, ``"alcohol.<number>"`` and so on; ``uses``: record to add to.

    >>> from schild.catalog import load
    >>> trial = Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"})
    >>> trial_numbers(trial, load(), overrides={"trial.limit.male": 6})["limit.male"]
    6.0
    """
    seed = trial.trial.seed

    def drawn(label: str) -> NDArray[np.float64]:
        return normals(seed, f"uncertain:{_TOGETHER.get(label, label)}", replicate, replicate + 1)

    def uncertain(label: str) -> NDArray[np.float64]:
        owner, _, name = label.partition(".")
        return drawn(label) if owner == "trial" or name in _DRAWN else np.zeros(1)

    people = People(n=1, uncertainty=uncertain if trial.trial.uncertainty else None)
    values = Values(catalogue, people, overrides, uses=uses)
    inputs = (
        ("response", trial.response, ("drinking", "heavy", "between")),
        ("learning", trial.learning, ("rate", "weight")),
    )
    said = {f"{head}.{k}": x for head, of, names in inputs for k in names if (x := getattr(of, k)) is not None}

    def now(name: str) -> float:
        return said[name] if name in said else _number(values, name)

    said["response.between"] = max(now("response.between"), 0.0)
    effect = 1.0
    if trial.trial.between_trials:
        effect += now("trials.effect") * float(drawn("trial.effect")[0])
        shift = now("trials.response") * float(drawn("trial.response")[0])
        said["response.drinking"] = now("response.drinking") + shift
        said["response.heavy"] = now("response.heavy") + shift
    return TrialNumbers(values=values, said=said, drug=day_value(values), effect=effect)
