"""The compiled chain of days: no, low or heavy drinking, and the number of drinks, for many people at once.

Each person is followed separately, so results do not depend on neighbours, chunks or threads. The model is
in docs/design/trial.md; ``tests/days_reference.py`` is a plain implementation. Log odds, drinks, days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.engine.portable import entry, plain

#: Numbers of the chain that all people share, in the order of ``run_days``'s ``habit``.
HABIT = ("drinking", "heavy", "heavy_heavy", "weight", "persistence", "most", "rate", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysResult:
    """Result of the daily chain of drinking."""

    state: NDArray[np.int8]  #: 0 none, 1 low, 2 heavy; shape (n, n_days)
    drinks: NDArray[np.int16]  #: Drinks of the day; shape (n, n_days)
    #: Slow craving [SD] and learned value [1] after the last day; shape (n,)
    craving: Floats
    value: Floats


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
    - ``shift_drinking`` and ``shift_heavy``, shape (n, n_days): additions of a day to these: response, drug.
    - ``lost``, shape (n, n_days): share of reward that the drug removes; used only where ``habit`` has a rate of
      learning [1].
    - ``limit`` and ``tail``, shape (n,): drinks that make a day heavy, and mean of the exponential tail above [drinks].
    - ``habit``, shape (8,): in the order of ``HABIT``.
    - ``uniform``, shape (n, n_days): random numbers for drinking, heavy, amount.
    - ``normal``, shape (n, n_days): standard normals of craving.
    - ``before``, shape (n,): state of the day before the first.
    - ``craving``, shape (n,): craving before the first day [SD].
    - ``value``, shape (n,): learned value of drinking before the first day; one by default.

    Returns states, drinks, and final craving and value.

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

    entry("follow_days")(
        plain(drinking), plain(heavy), plain(shift_drinking), plain(shift_heavy), plain(lost), plain(limit),
        plain(tail), plain(habit), plain(uniform[0]), plain(uniform[1]), plain(uniform[2]), plain(normal),
        plain(before, np.int8), slow, worth, state, drinks,
    )  # fmt: skip
    return DaysResult(state=state, drinks=drinks, craving=slow, value=worth)
