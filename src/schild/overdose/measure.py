"""Outcomes that are counted in the people followed, and intervals of their percentages."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from schild.array_types import Floats
from schild.overdose.follow import Followed

Singles = NDArray[np.float32]

#: Time for which breathing must be back, or lost again, to count. [s]
HOLD_S = 60.0
LEVEL = 0.95
#: Outcomes of the kernel that are times below a threshold.
BELOW = ("below_pao2_30_s", "below_pbo2_20_s", "below_sao2_90_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One cell of a table, for each person; shape (people,) unless said."""

    counted: NDArray[np.bool_]  #: Whether arrest was decided within the horizon
    arrest: NDArray[np.bool_]  #: Whether there was a cardiac arrest
    #: Time at which ventilation fell below 40 % of baseline, NaN for never; time from there to the first dose [s]
    trigger_s: Floats
    wait_s: Floats
    breathing_s: Floats  #: Time from the trigger to the return of spontaneous breathing, NaN for never [s]
    #: Whether there was breathing after the first dose, and whether it was lost again
    awake: NDArray[np.bool_]
    renarcotised: NDArray[np.bool_]
    #: Time with arterial oxygen below 30 mmHg, brain oxygen below 20 mmHg, saturation below 90 % [s]
    below_pao2_30_s: Floats
    below_pbo2_20_s: Floats
    below_sao2_90_s: Floats
    cows: Floats  #: Largest latent withdrawal score after the first dose; NaN without a history [points]
    #: Spontaneous breathing [L/min], arterial oxygen [mmHg], bound fraction at mu or its equivalent [1]; shape (people,
    #: times)
    ventilation: Singles
    pao2: Singles
    activation: Singles


def measure(
    followed: Followed,
    baseline_l_min: Floats,
    share: float,
    wait_s: Floats,
    cows: Floats | None = None,
    *,
    treated: bool = True,
) -> Measured:
    """Count the outcomes of people.

    ``followed``: with states stored on a regular grid; ``baseline_l_min``, shape (people,): ventilation without drug
    [L/min]; ``share``: share of it below which breathing counts as lost [1]; ``wait_s``, shape (people,): time from
    there to the first dose [s]; ``cows``, shape (people,): largest withdrawal scores; ``treated``: whether an
    antagonist is given after the loss of breathing. Returns one entry for each person.
    """
    found, o = followed.outputs(), followed.outcome
    stopped = ~np.isfinite(found["V_E_L_per_min"])
    # A run ends with the arrest: breathing is zero after it, and oxygen stays as it was.
    breath = np.where(stopped, 0.0, found["V_E_L_per_min"])
    times, trigger = followed.times_s, o["trigger_s"]
    n = trigger.size
    wait = np.broadcast_to(np.asarray(wait_s, dtype=np.float64), (n,)).copy()
    up = breath >= share * baseline_l_min[:, None]
    back, _ = _returns(times, up, trigger)
    treated = treated and bool(np.isfinite(trigger).any())
    awake, lost = _returns(times, up, trigger + wait) if treated else (np.full(n, np.nan), np.zeros(n, dtype=bool))
    return Measured(
        counted=o["dropped"] == 0 if np.isfinite(o["dropped"]).any() else np.ones(n, dtype=bool),
        arrest=followed.arrest,
        trigger_s=trigger,
        wait_s=wait,
        breathing_s=back - trigger,
        awake=np.isfinite(awake),
        renarcotised=lost,
        **{name: o[name] for name in BELOW},
        cows=np.full(n, np.nan) if cows is None else cows,
        ventilation=breath.astype(np.float32),
        pao2=np.where(stopped, np.nan, found["PaO2_mmHg"]).astype(np.float32),
        activation=np.where(stopped, np.nan, found["opioid_bound"]).astype(np.float32),
    )


def _returns(times: Floats, up: NDArray[np.bool_], since: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Time at which breathing has returned, and whether it is lost again.

    >>> up = np.array([[1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0]], dtype=bool)
    >>> back, lost = _returns(np.arange(0.0, 330.0, 30.0), up, np.array([15.0]))
    >>> back.tolist(), lost.tolist()
    ([150.0], [True])
    """
    step = float(times[1] - times[0])
    need = int(np.ceil(HOLD_S / step)) + 1  # number of consecutive points that cover this time
    later = times[None, :] >= np.where(np.isfinite(since), since, np.inf)[:, None]
    held = _held(up & later, need)
    back = np.where(held.any(axis=1), times[held.argmax(axis=1)], np.nan)
    afterwards = times[None, :] > np.where(np.isfinite(back), back, np.inf)[:, None]
    return back, np.asarray(_held(~up & afterwards, need).any(axis=1))


def _held(flags: NDArray[np.bool_], need: int) -> NDArray[np.bool_]:
    """Points from which a flag stays set for ``need`` points."""
    later = np.pad(flags, ((0, 0), (0, need - 1)))
    return np.asarray(sliding_window_view(later, need, axis=1).all(axis=2))


def together(parts: list[Measured]) -> Measured:
    """Join groups of people in order."""
    return Measured(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Measured)})


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
