"""The compiled loop over hours: opioid use, withdrawal, treatment and leaving of many people at once.

Each person is followed alone with random numbers of its own, so nothing depends on neighbours, chunks or threads. The
model is in docs/design/opioid-trials.md. Hours, loads (occupied over free receptors), log odds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schild.engine.portable import entry, plain

__all__ = ["BEHAVIOUR", "BODY", "PLAN", "STATES", "HoursResult", "run_hours", "settle"]

Floats = NDArray[np.float64]

#: Numbers of the body that all people share, in the order of ``body``.
BODY = (
    "tone", "tone_weight", "bend", "half", "slope", "like_slope", "like_depth", "like_reference", "breath_tau",
    "breath_depth", "breath_reference", "kappa",
    "treat_push", "treat_like", "treat_amplified", "taper_push", "taper_like", "taper_amplified",
    "peak", "peak_like", "peak_amplified", "usual_tolerance", "stress", "stress_step",
    "acute", "acute_step",
)  # fmt: skip
#: Those of them that ``settle`` takes.
SETTLED = ("tone", "tone_weight", "bend", "stress_step", "acute_step")
#: Columns of ``states``: weight in withdrawal; gain over loss, and share of a distance that an hour takes, while the
#: drive is above the state and below it. Rows are fast, slow, residual, relief.
STATES = ("weight", "ratio_up", "step_up", "ratio_down", "step_down")
#: Numbers of behaviour that all people share, in the order of ``behaviour``.
BEHAVIOUR = (
    "use", "memory", "withdrawal", "blocked", "exponent", "cue", "gain", "fade", "access", "ward_leave",
    "ward_withdrawal", "comfort", "ready", "leave", "leave_off", "leave_use", "leave_free", "return_", "return_use",
    "stop", "miss", "miss_use", "miss_off", "window",
)  # fmt: skip
#: The arm, in the order of ``plan``: kind 0 none, 1 agonist, 2 naltrexone or its placebo.
PLAN = ("kind", "every", "wait", "taper", "low_dose", "until", "ward", "placebo", "contingency")

#: Bits of a day: use; use with more than half of its reward; dose taken; in treatment; followed; on the ward.
USED, REWARDED, DOSED, TREATED, FOLLOWED, WARD = 1, 2, 4, 8, 16, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursResult:
    """What the loop leaves; days and weeks count from randomisation."""

    days: NDArray[np.uint8]  #: Bits of each day; shape (n, n_days)
    urine: NDArray[np.int8]  #: 0 negative, 1 positive, 2 missing; shape (n, n_weeks)
    #: Mean craving, COWS and occupancy by treatment of each week; overdose ratio summed over it; shape (n, n_weeks, 4)
    weekly: NDArray[np.float32]
    #: Day of the first dose, of giving up treatment, of leaving (n_days for never); doses; shape (n, 4)
    marks: NDArray[np.int32]


def settle(load: Floats, push: Floats, every: int, hours: int, states: Floats, body: Mapping[str, float]) -> Floats:
    """Follow the states under one dose every so many hours.

    Returns them at the last dose, and last the two that follow withdrawal; shape (n_states + 2,).
    """
    state = np.zeros(states.shape[0] + 2)
    numbers = tuple(float(body[x]) for x in SETTLED)
    entry("settle_states")(plain(load), plain(push), every, hours, plain(states), numbers, state)
    return state


def run_hours(
    *,
    key: NDArray[np.uint64],
    frailty: Floats,
    leaving: Floats,
    severity: Floats,
    before: NDArray[np.int64],
    refuses: Floats,
    adherence: Floats,
    start: Floats,
    treat: Floats,
    taper: Floats,
    low: Floats,
    used: Floats,
    states: Floats,
    body: Mapping[str, float],
    behaviour: Mapping[str, float],
    plan: Mapping[str, float],
    n_days: int,
) -> HoursResult:
    """Follow people from their last opioid before treatment, hour by hour.

    - ``key``, shape (n,): a number for each person, from which its luck is drawn; the same in every arm.
    - ``frailty`` and ``leaving``, shape (n,): added to the log hazard of use, and to the log odds of leaving.
    - ``severity``, shape (n,): what multiplies the drive of withdrawal [1].
    - ``before``, shape (n,): hours from the last opioid to randomisation [h].
    - ``refuses``, shape (n,): 1 for those who never begin treatment.
    - ``adherence``, shape (n,): chance of taking a dose that is due each day [1].
    - ``start``, shape (n_states + 2,): states of adaptation at the last opioid, of ``settle`` [1].
    - ``treat``, shape (n, n_hours): load by one dose of the treatment, hour by hour; ``taper`` and ``low``, shape
      (n_hours,): by one dose of buprenorphine and one tablet of naltrexone.
    - ``used``, shape (4, n_hours): load, push of adaptation, liking and amplified load by one use.
    - ``states``, shape (n_states, 5): columns ``STATES``; ``body``, ``behaviour`` and ``plan``: by ``BODY``,
      ``BEHAVIOUR`` and ``PLAN``.

    Returns days, urine, weeks and marks of each person.
    """
    n = key.size
    weeks = n_days // 7
    found = HoursResult(
        days=np.zeros((n, n_days), dtype=np.uint8),
        urine=np.zeros((n, weeks), dtype=np.int8),
        weekly=np.zeros((n, weeks, 4), dtype=np.float32),
        marks=np.zeros((n, 4), dtype=np.int32),
    )

    entry("follow_hours")(
        plain(key, np.uint64), plain(frailty), plain(leaving), plain(severity),
        plain(before, np.int64), plain(refuses), plain(adherence), plain(start), plain(treat),
        plain(taper), plain(low), plain(used), plain(states), tuple(float(body[x]) for x in BODY),
        tuple(float(behaviour[x]) for x in BEHAVIOUR), tuple(float(plan[x]) for x in PLAN),
        found.days, found.urine, found.weekly, found.marks,
    )  # fmt: skip
    return found
