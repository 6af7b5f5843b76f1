"""How an effect of an antagonist moves with each assumed number: one at a time, everything else held."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from schild.catalog import Catalogue, load
from schild.catalog.alcohol import ALCOHOL_UNITS
from schild.drinking.experiment import laboratory
from schild.errors import UnknownNameError

__all__ = ["Swing", "tornado"]

#: Numbers of days and of subgroups do not enter a session.
_ELSEWHERE = ("day.", "moderator.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """Effect size with one number at the ends of its range."""

    name: str  #: Number of ``alcohol.toml``
    #: Range: the one thought possible, or 90 % of the uncertainty of a fitted number
    low: float
    high: float
    #: Hedges g there [1]
    g_low: float
    g_high: float

    @property
    def size(self) -> float:
        """Distance between the two. [1]"""
        return abs(self.g_high - self.g_low)


def tornado(
    plan: str = "self_administration",
    outcome: str = "drinks",
    antagonist: str = "naltrexone 50 mg po q24h x7",
    *,
    n: int = 1000,
    catalogue: Catalogue | None = None,
    names: tuple[str, ...] | None = None,
    **options: Any,
) -> tuple[float, tuple[Swing, ...]]:
    """Move each number that has a range to both ends of it, without fitting anything again.

    ``plan``, ``outcome``, ``antagonist`` and ``n``: the experiment; both sessions use the same random decisions;
    ``catalogue``: the one that comes with schild by default; ``names``: numbers to move; all with a range by default;
    ``options``: of ``laboratory``. Returns ``g``: with the best values [1]; ``swings``: the largest first. Raises
    UnknownNameError if the protocol has no such outcome.

    >>> g, (swing,) = tornado("cue", "craving", n=20, names=("craving.share",))
    >>> swing.g_high < g < swing.g_low < 0.0
    True
    """
    catalogue = catalogue or load()

    def effect(**numbers: float) -> float:
        overrides = {f"alcohol.{name}": value for name, value in numbers.items()}
        found = laboratory(plan, antagonist, n=n, common=True, catalogue=catalogue, overrides=overrides, **options)
        if outcome not in found.effects:
            raise UnknownNameError("outcome of this protocol", outcome, found.effects)
        return found.effects[outcome].g

    swings = []
    for name in names or ALCOHOL_UNITS:
        if name.startswith(_ELSEWHERE):
            continue
        number = catalogue.alcohol[name]
        low, high = number.chosen.low, number.chosen.high
        if low is None and number.uncertainty is not None:
            factor = math.exp(1.645 * number.uncertainty.omega)
            low, high = number.value / factor, number.value * factor
        if low is None or high is None or number.same_as is not None:
            continue
        swings.append(Swing(name=name, low=low, high=high, g_low=effect(**{name: low}), g_high=effect(**{name: high})))
    return effect(), tuple(sorted(swings, key=lambda s: -s.size))
