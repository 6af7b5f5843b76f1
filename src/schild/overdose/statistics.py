"""Intervals of percentages and of paired differences, from SciPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["paired_points", "percent_of"]

LEVEL = 0.95


def percent_of(flags: ArrayLike) -> tuple[float, float, float, int]:
    """Percentage of people for whom a flag is true, and its Wilson interval.

    ``flags``: one for each person. Returns percentage, low, high, number of people; NaN for nobody.

    >>> [round(x, 1) for x in percent_of([True] * 20 + [False] * 80)]
    [20.0, 13.3, 28.9, 100]
    """
    from scipy.stats import binomtest

    found: NDArray[np.bool_] = np.asarray(flags, dtype=bool)
    n = int(found.size)
    if not n:
        return float("nan"), float("nan"), float("nan"), 0
    limits = binomtest(int(found.sum()), n).proportion_ci(LEVEL, method="wilson")
    return 100.0 * float(found.mean()), 100.0 * float(limits.low), 100.0 * float(limits.high), n


def paired_points(one: ArrayLike, other: ArrayLike) -> tuple[float, float, float]:
    """Difference of two percentages of the same people, and its interval.

    ``one`` and ``other``: flags of the same people in the same order. Returns ``one`` minus ``other``, low, high, in
    points. Where nobody differs, the limits are exact ones for zero differences.

    >>> [round(x, 1) for x in paired_points([0, 0, 0, 1] * 50, [1, 0, 0, 1] * 50)]
    [-25.0, -31.1, -18.9]
    """
    from scipy.stats import binomtest, ttest_1samp

    difference = np.asarray(one, dtype=float) - np.asarray(other, dtype=float)
    n = difference.size
    if n == 0:
        return float("nan"), float("nan"), float("nan")
    mean = 100.0 * float(difference.mean())
    if np.all(difference == difference[0]):
        # All differences are equal, so there is no spread for an interval.
        high = 100.0 * float(binomtest(0, n).proportion_ci(LEVEL, method="exact").high)
        return mean, max(mean - high, -100.0), min(mean + high, 100.0)
    limits = ttest_1samp(difference, 0.0).confidence_interval(LEVEL)
    return mean, 100.0 * float(limits.low), 100.0 * float(limits.high)
