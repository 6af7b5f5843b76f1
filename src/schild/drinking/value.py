"""Effect of receptor occupancy on the decision to drink on a day, as a change of log odds.

As in a session, occupancy lowers the opioid part of reward and adds aversion, and both change the decision. The
coefficients are in ``catalog/data/alcohol.toml`` (``day.*``), fitted by ``calibration.trial``; no row of the data
separates reward from aversion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from schild.array_types import Floats
from schild.catalog import load
from schild.errors import InputError
from schild.people import Values
from schild.pharmacology.alcohol import opioid_reward_left

__all__ = ["DAY_NUMBERS", "DayValue", "aversion", "day_value", "drinking_log_odds", "reward_lost"]


def reward_lost(
    occupancy: ArrayLike, share: ArrayLike, gain: ArrayLike = 1.0, *, e0: float = 0.05, load: float = 0.065
) -> Floats:
    """Loss of reward under an antagonist, in units of the whole reward of a typical person. [1]

    ``occupancy``: of mu by the antagonist, 0 to 1 [1]; ``share``: opioid share of reward [1]; ``gain``: release of
    the person relative to a typical person [1]; ``e0`` and ``load``: load of endogenous opioid at rest and after
    alcohol [1]. Returns 0 without antagonist or without release; ``share * gain`` at full occupancy [1].

    >>> reward_lost([0.0, 1.0], 0.15).tolist()
    [0.0, 0.15]
    >>> float(reward_lost(0.95, 0.15, gain=0.0))
    0.0
    """
    left = opioid_reward_left(np.asarray(occupancy, dtype=np.float64), e0, load)
    return np.asarray(np.asarray(share) * np.asarray(gain) * (1.0 - left), dtype=np.float64)


def aversion(occupancy: ArrayLike, factor: ArrayLike) -> Floats:
    """Additional sedation by alcohol under an antagonist, as a fraction of its own sedation.

    >>> aversion([0.0, 0.5], 0.3).tolist()
    [0.0, 0.15]
    """
    return np.asarray(np.asarray(factor) * np.asarray(occupancy), dtype=np.float64)


def drinking_log_odds(lost: ArrayLike, averse: ArrayLike, reward_weight: float, aversion_weight: float) -> Floats:
    """Change of the log odds of drinking; ``exp`` of it multiplies the odds.

    ``lost`` and ``averse``: from ``reward_lost`` and ``aversion`` [1]; ``reward_weight`` and ``aversion_weight``: log
    odds for one unit of each [1]. Returns 0 without antagonist, else negative for positive weights [1].

    >>> drinking_log_odds([0.0, 0.1], [0.0, 0.2], 1.0, 0.5).tolist()
    [-0.0, -0.2]
    """
    return np.asarray(
        -(reward_weight * np.asarray(lost) + aversion_weight * np.asarray(averse)),
        dtype=np.float64,
    )


#: Numbers of ``alcohol`` that decide the effect of a tablet on a day.
DAY_NUMBERS = {
    "share": "reward.share",
    "sedation": "sedation.occupied",
    "drink_reward": "day.drink.reward",
    "drink_aversion": "day.drink.aversion",
    "heavy_reward": "day.heavy.reward",
    "heavy_aversion": "day.heavy.aversion",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DayValue:
    """The coefficients of a catalogue with the functions that use them; fields are the numbers of ``alcohol.toml``.

    >>> value = day_value()
    >>> float(value.drink(0.0)), bool(value.drink(0.95) < 0.0), bool(value.drink(0.95, gain=2.0) < value.drink(0.95))
    (-0.0, True, True)
    """

    e0: float
    load: float
    share: float
    sedation: float
    drink_reward: float
    drink_aversion: float
    heavy_reward: float
    heavy_aversion: float

    def drink(self, occupancy: ArrayLike, gain: ArrayLike = 1.0) -> Floats:
        """Change of the log odds of drinking on a day."""
        return self.drink_of(*self.felt(occupancy, gain))

    def heavy(self, occupancy: ArrayLike, gain: ArrayLike = 1.0) -> Floats:
        """Change of the log odds of a heavy day among days with drinking."""
        return self.heavy_of(*self.felt(occupancy, gain))

    def drink_of(self, lost: Floats, averse: Floats) -> Floats:
        """Change of the log odds of drinking on a day by what is felt."""
        return drinking_log_odds(lost, averse, self.drink_reward, self.drink_aversion)

    def heavy_of(self, lost: Floats, averse: Floats) -> Floats:
        """Change of the log odds of a heavy day by what is felt."""
        return drinking_log_odds(lost, averse, self.heavy_reward, self.heavy_aversion)

    def feels_as(self, other: DayValue) -> bool:
        """Whether an occupancy is felt in the same way, however much it counts in a decision."""
        mine, its = ((v.e0, v.load, v.share, v.sedation) for v in (self, other))
        return mine == its

    def felt(self, occupancy: ArrayLike, gain: ArrayLike = 1.0) -> tuple[Floats, Floats]:
        """Loss of reward and additional sedation. [1]"""
        given = np.asarray(occupancy, dtype=np.float64)
        if not np.all((given >= 0.0) & (given <= 1.0)):  # NaN fails as well
            raise InputError(
                f"The occupancy runs from {np.min(given):g} to {np.max(given):g}; expected fractions from 0 to 1. "
                "Divide percent by 100."
            )
        lost = reward_lost(given, self.share, gain, e0=self.e0, load=self.load)
        return lost, aversion(given, self.sedation)


def day_value(values: Values | None = None) -> DayValue:
    """Read the coefficients.

    ``values``: numbers of a run, given and drawn ones included; those of the catalogue by default. Returns coefficients
    of a typical person.

    >>> day_value(Values(load(), overrides={"alcohol.reward.share": 0.0})).share
    0.0
    """
    source = Values(load()) if values is None else values

    def of(name: str) -> float:
        return float(np.max(source.of("alcohol", name)))

    e0 = of("e0")
    return DayValue(
        e0=e0,
        load=e0 * (1.0 + of("release.gain")),
        **{field: of(name) for field, name in DAY_NUMBERS.items()},
    )
