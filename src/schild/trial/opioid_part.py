"""Stored results of people in an opioid trial, and endpoints computed from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.engine.hours import DOSED, FOLLOWED, REWARDED, TREATED, USED, HoursResult
from schild.trial.kinds import Kind
from schild.trial.opioid_checks import reported
from schild.trial.trialfile import Arm, Trial
from schild.trial.urine import evaluate, time_to_run, urine_endpoints

#: Counts of a person in an arm: days of the first dose, of the end of treatment, of leaving (the length of the trial
#: for never, -1 for no first dose), doses taken and due, days with use, days with use that had most of its reward, days
#: with use that were reported, first day with use, overdose ratio in thousandths. Then a number for each week:
#: the code of its urine and four times the reported days with use.
COUNTS = (
    "first", "stop", "leave", "taken", "due", "used", "rewarded", "reported", "first_use", "overdose",
)  # fmt: skip
OPIOID_PEOPLE = ("female", "admitted", "severity", "frailty", "leaving", "replicate")
#: Sums of a week over people: followed and treated [person-days], use [person-days], urines by code, mean states.
OPIOID_WEEKLY = ("seen", "on", "used", "positive", "negative", "occupancy", "craving", "cows", "overdose")

#: Endpoint whose time gives survival and the hazard ratio.
EVENT = "relapse_4wk"
#: Endpoints that are also reported for those who had a first dose.
_INDUCTED = ("relapse_4wk", "relapse_4wk_positive", "percent_negative", "kept")
_GOOD = ("share", "every", "longest")
_OF_PEOPLE: Mapping[str, Kind] = {
    "inducted": Kind(unit="%", says="had a first dose", share=True, good=True),
    "kept": Kind(unit="%", says="in treatment at the end, of all randomised", share=True, good=True),
    "use_days": Kind(unit="%", says="days with use, of all days, seen or not"),
    "reported_use_days": Kind(unit="%", says="days with use that are reported, of days followed"),
    "any_use": Kind(unit="%", says="at least one day with use", share=True),
    "overdose_ratio": Kind(unit="1", says="hazard of overdose over that of a person in daily use: a ratio, no risk"),
}


def _kinds() -> dict[str, Kind]:
    found = {
        name: Kind(
            unit="weeks" if e.kind in ("longest", "count") else "%", says=e.says, share=e.kind in ("run", "every"),
            good=e.kind in _GOOD,
        )
        for name, e in urine_endpoints().items()
    } | dict(_OF_PEOPLE)  # fmt: skip
    for name in _INDUCTED:
        k = found[name]
        said = k.says.replace(", of all randomised", "")
        found[f"{name}_inducted"] = Kind(
            unit=k.unit, says=f"{said}, of those who had a first dose", share=k.share, good=k.good
        )
    return found


#: Every endpoint by name.
OPIOID_ENDPOINTS: Mapping[str, Kind] = _kinds()


def opioid_columns(trial: Trial) -> tuple[str, ...]:
    """Name the counts of a person in an arm."""
    return (*COUNTS, *(f"week_{k + 1}" for k in range(trial.trial.weeks)))


def opioid_counted(trial: Trial, arm: Arm, found: HoursResult, report: float, first: int) -> NDArray[np.int32]:
    """Count what each person did, columns ``opioid_columns``; ``report``: share of days with use that is reported."""
    n, days = found.days.shape
    used = (found.days & USED) > 0
    told = reported(found.days, report, trial.trial.seed, first) & ((found.days & FOLLOWED) > 0)
    begun = found.marks[:, 0]
    due = np.where(begun >= 0, -(-(days - begun) // arm.interval_days), 0)
    columns = (
        begun, found.marks[:, 1], found.marks[:, 2], ((found.days & DOSED) > 0).sum(axis=1), due, used.sum(axis=1),
        ((found.days & REWARDED) > 0).sum(axis=1), told.sum(axis=1),
        np.where(used.any(axis=1), used.argmax(axis=1), -1),
        np.rint(1000.0 * found.weekly[:, :, 3].sum(axis=1, dtype=np.float64)),
    )  # fmt: skip
    weeks = found.urine + 4 * told.reshape(n, -1, 7).sum(axis=2)
    return np.column_stack([*columns, weeks]).astype(np.int32)


def opioid_weekly(found: HoursResult) -> Floats:
    """Sum each week over people, columns ``OPIOID_WEEKLY``; shape (n_weeks, n_sums)."""
    n, weeks = found.urine.shape
    by_week = found.days.reshape(n, weeks, 7)

    def bits(which: int) -> Floats:
        return np.asarray(((by_week & which) > 0).sum(axis=(0, 2)), dtype=np.float64)

    states = found.weekly.sum(axis=0, dtype=np.float64)
    return np.column_stack([
        bits(FOLLOWED), bits(TREATED), bits(USED), (found.urine == 1).sum(axis=0), (found.urine == 0).sum(axis=0),
        states[:, 2], states[:, 0], states[:, 1], states[:, 3],
    ])  # fmt: skip


def urine_codes(trial: Trial, counts: NDArray[np.int32]) -> NDArray[np.int8]:
    """Urine of each week from the counts, -1 outside the estimand; shape (n, n_weeks)."""
    codes = np.asarray(counts[:, len(COUNTS) :] % 4, dtype=np.int8)
    if trial.trial.estimand == "while_on_treatment":
        begun, stop = counts[:, 0], counts[:, 1]
        end = np.where(begun >= 0, stop, 0)
        codes[7 * np.arange(1, codes.shape[1] + 1)[None, :] > end[:, None] + 7] = -1
    return codes


def opioid_values(trial: Trial, counts: NDArray[np.int32]) -> dict[str, Floats]:
    """Endpoints of each person of one arm: shares as 0 or 100; NaN for people who do not count, shape (n,)."""
    c = {name: counts[:, k].astype(np.float64) for k, name in enumerate(COUNTS)}
    codes, days = urine_codes(trial, counts), float(trial.days)
    found = {name: evaluate(rule, codes) for name, rule in urine_endpoints().items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        own: dict[str, Any] = {
            "inducted": 100.0 * (c["first"] >= 0),
            "kept": 100.0 * ((c["first"] >= 0) & (c["stop"] >= days - 1)),
            "use_days": 100.0 * c["used"] / days,
            "reported_use_days": np.where(c["leave"] > 0, 100.0 * c["reported"] / c["leave"], np.nan),
            "any_use": 100.0 * (c["first_use"] >= 0),
            # Daily use is four times a day.
            "overdose_ratio": c["overdose"] / 1000.0 / (4.0 * days),
        }
    found |= {name: np.asarray(x, dtype=np.float64) for name, x in own.items()}
    for name in _INDUCTED:
        found[f"{name}_inducted"] = np.where(c["first"] >= 0, found[name], np.nan)
    return found


def opioid_times(trial: Trial, counts: NDArray[np.int32]) -> tuple[Floats, NDArray[np.int64]]:
    """Day on which the week of relapse begins, and whether it occurred; shape (n,)."""
    week, came = time_to_run(urine_endpoints()[EVENT], urine_codes(trial, counts))
    return 7.0 * (np.maximum(week, 1) - 1.0) + 1.0, came.astype(np.int64)
