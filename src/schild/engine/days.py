"""The compiled chain of days: none, low or heavy drinking, and how many drinks, for many people at once.

Each person is followed alone with numbers of its own, so nothing depends on neighbours, chunks or threads. The model is
in docs/design/trial.md; ``tests/days_reference.py`` is its plain reading. Log odds, drinks, days.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schild.engine.cache import compiled

__all__ = ["HABIT", "DaysResult", "run_days"]

Floats = NDArray[np.float64]

#: Numbers of the chain that all people share, in the order of ``run_days``'s ``habit``.
HABIT = ("drinking", "heavy", "heavy_heavy", "weight", "persistence", "most", "rate", "value")

#: Files that decide whether the compiled chain is still the right one.
SOURCES = ("days.py", "cache.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysResult:
    """Result of the daily chain of drinking."""

    state: NDArray[np.int8]  #: 0 none, 1 low, 2 heavy; shape (n, n_days)
    drinks: NDArray[np.int16]  #: Drinks of the day; shape (n, n_days)
    #: Slow craving [SD] and learned value [1] after the last day; shape (n,)
    craving: Floats
    value: Floats


@compiled(SOURCES)
def _probability(log_odds):
    return 1.0 / (1.0 + math.exp(-log_odds))


@compiled(SOURCES)
def _follow(
    drinking, heavy, shift_drinking, shift_heavy, lost, limit, tail, habit,
    u_drinking, u_heavy, u_amount, z_craving, before, craving, value, state, drinks,
):  # fmt: skip
    n, days = u_drinking.shape
    fresh = math.sqrt(1.0 - habit[4] * habit[4])
    for j in range(n):
        last = before[j]
        slow = craving[j]
        worth = value[j]
        for d in range(days):
            slow = habit[4] * slow + fresh * z_craving[j, d]
            common = habit[3] * slow + habit[7] * (worth - 1.0)
            odds = drinking[j] + shift_drinking[j, d] + common
            if last > 0:
                odds += habit[0]
            if last == 2:
                odds += habit[1]
            now = 0
            many = 0
            if u_drinking[j, d] < _probability(odds):
                odds = heavy[j] + shift_heavy[j, d] + common
                if last == 2:
                    odds += habit[2]
                if u_heavy[j, d] < _probability(odds):
                    now = 2
                    above = -tail[j] * math.log(1.0 - u_amount[j, d])
                    many = int(min(limit[j] + math.floor(above), habit[5]))
                else:
                    now = 1
                    many = 1 + math.floor(u_amount[j, d] * (limit[j] - 1))
                worth += habit[6] * (1.0 - lost[j, d] - worth)
            state[j, d] = now
            drinks[j, d] = many
            last = now
        craving[j] = slow
        value[j] = worth


def run_days(
    *,
    drinking: Floats,
    heavy: Floats,
    shift_drinking: Floats,
    shift_heavy: Floats,
    lost: Floats,
    limit: Floats,
    tail: Floats,
    habit: Floats,
    uniform: tuple[Floats, Floats, Floats],
    normal: Floats,
    before: NDArray[np.int8],
    craving: Floats,
    value: Floats | None = None,
) -> DaysResult:
    """Follow people from day to day.

    - ``drinking`` and ``heavy``, shape (n,): the person's log odds of drinking, and of a heavy day among days with
      drinking.
    - ``shift_drinking`` and ``shift_heavy``, shape (n, n_days): what a day adds to them: response, drug.
    - ``lost``, shape (n, n_days): share of reward that the drug takes away; counts only where ``habit`` has a rate of
      learning [1].
    - ``limit`` and ``tail``, shape (n,): drinks that make a day heavy, and mean of the exponential tail above [drinks].
    - ``habit``, shape (8,): in the order of ``HABIT``.
    - ``uniform``, shape (n, n_days): random numbers for drinking, heavy, amount.
    - ``normal``, shape (n, n_days): standard normals of craving.
    - ``before``, shape (n,): state of the day before the first.
    - ``craving``, shape (n,): craving before the first day [SD].
    - ``value``, shape (n,): learned value of drinking before the first day; one by default.

    Returns states, drinks and where craving and value ended.

    >>> import numpy as np
    >>> one, day = np.ones(1), np.full((1, 3), 0.5)
    >>> found = run_days(
    ...     drinking=-9 * one, heavy=one, shift_drinking=0 * day, shift_heavy=0 * day, lost=0 * day, limit=5 * one,
    ...     tail=4 * one, habit=np.array([0, 0, 0, 0, 0, 40, 0, 0.0]), uniform=(day, day, day), normal=0 * day,
    ...     before=np.zeros(1, dtype=np.int8), craving=0 * one,
    ... )
    >>> found.state.tolist()
    [[0, 0, 0]]
    """
    n, days = uniform[0].shape
    state = np.zeros((n, days), dtype=np.int8)
    drinks = np.zeros((n, days), dtype=np.int16)
    slow = np.array(craving, dtype=np.float64)
    worth = np.ones(n) if value is None else np.array(value, dtype=np.float64)

    def real(values: Floats) -> Floats:
        return np.require(values, np.float64, ["C", "W"])

    _follow(
        real(drinking), real(heavy), real(shift_drinking), real(shift_heavy), real(lost), real(limit), real(tail),
        real(habit), real(uniform[0]), real(uniform[1]), real(uniform[2]), real(normal),
        np.require(before, np.int8, ["C", "W"]), slow, worth, state, drinks,
    )  # fmt: skip
    return DaysResult(state=state, drinks=drinks, craving=slow, value=worth)
