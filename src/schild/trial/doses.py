"""Doses of each person by day: tablets daily or before anticipated drinking, injections, and discontinuation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from schild.engine.streams import normals, uniforms
from schild.trial.numbers import TrialNumbers
from schild.trial.people import draw_days
from schild.trial.trialfile import Arm, Trial

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Doses of the people of one arm."""

    dose: Bools  #: Whether a tablet or an injection is taken on the day; shape (n, n_days)
    #: Days of the end of treatment and of leaving the trial, the length of the trial for never; shape (n,)
    stop: Ints
    leave: Ints
    nausea: Bools  #: Whether the person has nausea; shape (n,)


def taking(trial: Trial, arm: Arm, numbers: TrialNumbers, first: int, n: int, wanted: Bools | None = None) -> Taking:
    """Draw the doses that people ``first`` to ``first + n`` take in an arm.

    ``trial``, ``arm`` and ``numbers``: of the replicate; arms share every random number; ``wanted``, shape (n, n_days):
    days on which the person would drink without the drug; needed for as-needed dosing. Nobody takes a dose after
    the end of treatment.
    """
    seed, days = trial.trial.seed, trial.days
    day = np.arange(days)

    def one(what: str) -> NDArray[np.float64]:
        return uniforms(seed, f"trial:{what}", first, first + n)

    share = arm.adherence
    if share is None:
        share = numbers["adherence.injection" if arm.dosing == "schedule" else "adherence.daily"]
    risk = numbers["nausea.placebo"] + (0.0 if arm.placebo or share == 0.0 else numbers["nausea.added"])
    nausea = one("nausea") < risk
    # Injections end when a person does not come to the next one, unless the arm gives a weekly share.
    given_up = numbers["stop.weekly"] if arm.dosing != "schedule" else 0.0
    stop = _when(one("stop"), given_up if arm.stop is None else arm.stop, days)
    if arm.dosing != "schedule" and arm.stop != 0.0:
        early = np.floor(14 * one("nausea:day")).astype(np.int64)
        stop = np.where(nausea & (one("nausea:stops") < numbers["nausea.stops"]), np.minimum(stop, early), stop)
    leave = _when(one("leave"), numbers["leave.weekly"], days)
    stop = np.minimum(stop, leave)
    if arm.dosing == "schedule":
        due = day % arm.interval_days == 0
        comes = np.zeros((n, days), dtype=bool)
        going = np.ones(n, dtype=bool)
        for k, d in enumerate(np.flatnonzero(due).tolist()):
            if k:
                going &= uniforms(seed, f"trial:next:{k}", first, first + n) < share
            comes[:, d] = going
        dose = comes
        # For a person who does not come to the next injection, treatment ends on the day it was due.
        missed = due[None, :] & ~comes
        stop = np.where(missed.any(axis=1), np.minimum(stop, missed.argmax(axis=1)), stop)
    elif arm.dosing == "as_needed":
        assert wanted is not None
        dose = wanted & (draw_days(seed, "trial:takes", first, n, days) < share)
    elif share in (0.0, 1.0):
        dose = np.full((n, days), share == 1.0)
    else:
        own = expit(logit(share) + numbers["adherence.between"] * normals(seed, "trial:adherence", first, first + n))
        keep = numbers["adherence.persistence"]
        after_taken, after_left_out = own + keep * (1.0 - own), own * (1.0 - keep)
        draws = np.ascontiguousarray(draw_days(seed, "trial:takes", first, n, days).T)
        by_day = np.empty((days, n), dtype=bool)
        by_day[0] = draws[0] < own
        for d in range(1, days):
            by_day[d] = draws[d] < np.where(by_day[d - 1], after_taken, after_left_out)
        dose = np.ascontiguousarray(by_day.T)
    return Taking(dose=dose & (day[None, :] < stop[:, None]), stop=stop, leave=leave, nausea=nausea)


def _when(u: NDArray[np.float64], weekly: float, days: int) -> Ints:
    """Day of an event with a constant weekly share; ``days`` for never."""
    if weekly <= 0.0:
        return np.full(u.size, days, dtype=np.int64)
    if weekly >= 1.0:
        return np.zeros(u.size, dtype=np.int64)
    return np.asarray(np.minimum(np.floor(7.0 * np.log(u) / np.log1p(-weekly)), days), dtype=np.int64)
