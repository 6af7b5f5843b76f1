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
    >>> full, released = value.felt(1.0), value.felt(0.95, gain=2.0)
    >>> [round(float(x), 2) for x in full], bool(value.drink(*released) < value.drink(*value.felt(0.95)) < 0.0)
    ([0.11, 0.25], True)
    """

    #: Load of endogenous opioid at rest and after alcohol [1]
    e0: float
    load: float
    share: float
    sedation: float
    drink_reward: float
    drink_aversion: float
    heavy_reward: float
    heavy_aversion: float

    def drink(self, lost: Floats, averse: Floats) -> Floats:
        """Change of the log odds of drinking on a day by what is ``felt``."""
        return np.asarray(-(self.drink_reward * lost + self.drink_aversion * averse))

    def heavy(self, lost: Floats, averse: Floats) -> Floats:
        """Change of the log odds of a heavy day among days with drinking by what is ``felt``."""
        return np.asarray(-(self.heavy_reward * lost + self.heavy_aversion * averse))

    def feels_as(self, other: DayValue) -> bool:
        """Whether an occupancy is felt in the same way, however much it counts in a decision."""
        mine, its = ((v.e0, v.load, v.share, v.sedation) for v in (self, other))
        return mine == its

    def felt(self, occupancy: ArrayLike, gain: ArrayLike = 1.0) -> tuple[Floats, Floats]:
        """Reward that an antagonist takes away, and the sedation that it adds.

        ``occupancy``: of mu, 0 to 1 [1]; ``gain``: release relative to that of a typical person [1]. Returns the loss
        in units of the whole reward of a typical person, and the addition as a fraction of alcohol's own sedation [1].
        """
        given = np.asarray(occupancy, dtype=np.float64)
        if not np.all((given >= 0.0) & (given <= 1.0)):  # NaN fails as well
            raise InputError(
                f"The occupancy runs from {np.min(given):g} to {np.max(given):g}; expected fractions from 0 to 1. "
                "Divide percent by 100."
            )
        left = opioid_reward_left(given, self.e0, self.load)
        return np.asarray(self.share * np.asarray(gain) * (1.0 - left)), np.asarray(self.sedation * given)


def day_value(values: Values | None = None) -> DayValue:
    """Read the coefficients of the value of a day of drinking for each person.

    ``values``: numbers of a run, given and drawn ones included; those of the catalogue by default. Returns coefficients
    of a typical person.

    >>> day_value(Values(load(), overrides={"alcohol.reward.share": 0.0})).share
    0.0
    """
    source = Values(load()) if values is None else values

    def of(name: str) -> float:
        return float(np.max(source.of("alcohol", name)))

    e0 = of("e0")
    load_after = e0 * (1.0 + of("release.gain"))
    return DayValue(e0=e0, load=load_after, **{field: of(name) for field, name in DAY_NUMBERS.items()})
