"""The chain of days in plain Python: what the compiled one is held to."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["follow_one"]


def follow_one(
    *,
    drinking: float,
    heavy: float,
    shift_drinking: Sequence[float],
    shift_heavy: Sequence[float],
    lost: Sequence[float],
    limit: float,
    tail: float,
    habit: Sequence[float],
    uniform: tuple[Sequence[float], Sequence[float], Sequence[float]],
    normal: Sequence[float],
    before: int,
    craving: float,
    value: float = 1.0,
) -> tuple[list[int], list[int], float, float]:
    """Follow one person; parameters as for ``schild.engine.days.run_days``, for one row.

    Returns ``states`` and ``drinks``: of each day; ``craving`` and ``value``: after the last day.

    >>> days = ([0.5] * 2, [0.5] * 2, [0.5] * 2)
    >>> follow_one(
    ...     drinking=9, heavy=-9, shift_drinking=[0, 0], shift_heavy=[0, 0], lost=[0, 0], limit=5, tail=4,
    ...     habit=[0, 0, 0, 0, 0, 40, 0, 0], uniform=days, normal=[0, 0], before=0, craving=0,
    ... )[:2]
    ([1, 1], [3, 3])
    """
    after_any, after_heavy, heavy_again, weight, persistence, most, rate, worth = habit
    states: list[int] = []
    drinks: list[int] = []
    for d in range(len(normal)):
        craving = persistence * craving + math.sqrt(1 - persistence**2) * normal[d]
        common = weight * craving + worth * (value - 1)
        odds = drinking + shift_drinking[d] + common + after_any * (before > 0) + after_heavy * (before == 2)
        state = many = 0
        if uniform[0][d] < 1 / (1 + math.exp(-odds)):
            odds = heavy + shift_heavy[d] + common + heavy_again * (before == 2)
            if uniform[1][d] < 1 / (1 + math.exp(-odds)):
                state = 2
                many = int(min(limit + math.floor(-tail * math.log(1 - uniform[2][d])), most))
            else:
                state = 1
                many = 1 + math.floor(uniform[2][d] * (limit - 1))
            value += rate * (1 - lost[d] - value)
        states.append(state)
        drinks.append(many)
        before = state
    return states, drinks, craving, value
