"""Published opioid trials as scenarios, and the measures of their rows (docs/design/opioid-trials.md)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.catalog import Catalogue, load
from schild.engine.hours import DOSED, FOLLOWED, USED, WARD, HoursResult
from schild.engine.streams import uniforms
from schild.errors import InputError
from schild.trial.trialfile import Trial
from schild.trial.urine import evaluate, time_to_run, urine_endpoints

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpioidRow:
    """One published number; ``se``: None for held-out rows; ``low``, ``high``: None where no interval is printed."""

    id: str
    role: str
    scenario: str
    measure: str
    value: float
    unit: str
    se: float | None
    low: float | None
    high: float | None
    n: int
    source: str
    row: str
    verified: str
    note: str


@dataclass(frozen=True, slots=True)
class Pool:
    """People of one scenario under one set of numbers."""

    found: HoursResult
    who: Floats  #: As ``schild.trial.opioid.follow_arm`` gives it
    report: float  #: Share of days with use that is reported [1]


@cache
def opioid_rows(role: str | None = None) -> tuple[OpioidRow, ...]:
    """Rows of ``catalog/data/opioid_trials/rows.csv``; of one role only, ``calibration`` or ``held``."""
    found = []
    for row in load().opioid_trials:
        numbers: dict[str, Any] = {k: float(row[k]) if row[k] else None for k in ("value", "se", "low", "high")}
        found.append(OpioidRow(**{**row, **numbers, "n": int(row["n"])}))
    return tuple(r for r in found if role in (None, r.role))


def scenario(name: str, *, n: int, weeks: int = 24, **head: Any) -> Trial:
    """Make the trial of a scenario, of one arm.

    >>> scenario("ctn27_methadone", n=10).arm[0].words
    'methadone 80 mg oral, daily'
    """
    found = load().opioid_scenarios[name]
    data = {"disorder": "opioid", "trial": {"n": n, "weeks": weeks, **head}, "setting": found["setting"],
            "arm": [{"name": name, **found["arm"]}]}  # fmt: skip
    return Trial.parse(data)


def known_misses(trial: Trial, catalogue: Catalogue) -> list[str]:
    """Describe known misses of claims that rest on held-out trials with drugs and routes of this trial.

    A test applies if each of its scenarios has an arm here with its drug and route, and the same setting if it names
    one. Returns a sentence for each, in the order of the claims.
    """
    given = {(arm.drug, arm.route) for arm in trial.arm}
    rows = {row.id: row for row in opioid_rows()}

    def here(name: str) -> bool:
        found = catalogue.opioid_scenarios[name]
        arm, place = found["arm"], found["setting"].get("place", trial.setting.place)
        return (arm.get("drug"), arm.get("route")) in given and place == trial.setting.place

    said = []
    for book in catalogue.claims.values():
        for test in book.tests:
            names = [test.options.get("published"), *test.options.get("rows_of", ())]
            held = [rows[name].scenario for name in names if name in rows and rows[name].role == "held"]
            if test.id in book.known and held and all(here(name) for name in held):
                said.append(f"The model misses a published result ({test.id}): {book.known[test.id]}")
    return said


def reported(days: NDArray[np.uint8], share: float, seed: int, first: int) -> Bools:
    """Days with use that people report, each with the probability ``share``; shape (n, n_days)."""
    used = (days & USED) > 0
    told = np.empty(days.shape, dtype=bool)
    for d in range(days.shape[1]):
        told[:, d] = uniforms(seed, f"oud:report:{d}", first, first + len(days)) < share
    return np.asarray(used & told)


def _since(days: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Days since the last dose, 1 on the day after; 0 before the first one."""
    dosed = (days & DOSED) > 0
    day = np.arange(days.shape[1])
    last = np.maximum.accumulate(np.where(dosed, day, -1), axis=1)
    # The day of a dose belongs to the interval before it.
    before = np.concatenate([np.full((len(days), 1), -1), last[:, :-1]], axis=1)
    return np.asarray(np.where(before >= 0, day - before, 0), dtype=np.int64)


def _percent(x: Any, among: Any) -> float:
    many = float(among.sum())
    return 100.0 * float((x & among).sum()) / many if many else float("nan")


def measure(name: str, found: HoursResult, who: Floats, report: float, seed: int = 1) -> float:
    """Compute the measure of a row from the people of its scenario, in percent (a median of weeks in percent of weeks).

    ``name``: as in the rows, ``what:argument``; ``found`` and ``who``: of ``schild.trial.opioid.follow_arm``;
    ``report``: share of days with use that is reported [1]. Raises InputError for an unknown measure.
    """
    what, *rest = name.split(":")
    days, urine, marks = found.days, found.urine, found.marks
    n_days = days.shape[1]
    inducted = marks[:, 0] >= 0
    seen = (days & FOLLOWED) > 0
    if what == "event":
        rule, (week, who_) = urine_endpoints()[rest[0]], rest[1:]
        time, came = time_to_run(rule, urine)
        among = np.ones(len(days), dtype=bool) if who_ == "all" else inducted
        return _percent(came & (time <= int(week)), among)
    if what in ("median", "mean"):
        x = evaluate(urine_endpoints()[rest[0]], urine)
        return float(np.nanmedian(x) if what == "median" else np.nanmean(x))
    if what == "started":
        return 100.0 * float(inducted.mean())
    if what == "kept":
        return _percent(marks[:, 1] >= 7 * int(rest[0]) - 1, inducted | ~inducted)
    if what == "all_injections":
        return _percent(marks[:, 3] >= (n_days + 27) // 28, inducted)
    if what == "inducted":
        low, high = (float(x) for x in rest[0].split("-"))
        return _percent(inducted, (who[:, 1] >= low) & (who[:, 1] <= high))
    if what == "injection":
        k = int(rest[0])
        due = marks[:, 0] + 28 * (k - 1) < n_days
        return _percent(marks[:, 3] >= k, inducted & due & (marks[:, 3] >= k - 1))
    if what.startswith("urine_"):
        return 100.0 * float((urine[:, int(rest[0]) - 1] == {"missing": 2, "positive": 1}[what[6:]]).mean())
    if what == "ward":
        return 100.0 * float(((days[:, int(rest[0])] & WARD) > 0).mean())
    if what == "lapse":
        return 100.0 * float(((days[:, : int(rest[0])] & USED) > 0).any(axis=1).mean())
    used = reported(days, report, seed, 0)
    if what in ("any_use", "seven"):
        among = inducted if rest[0] == "inducted" else ~inducted
        seen_used = used & seen
        in_a_row = sliding_window_view(seen_used, 1 if what == "any_use" else 7, axis=1)
        return _percent(np.any(np.all(in_a_row, axis=2), axis=1), among)
    since = _since(days)
    if what == "use_since":
        if rest[0] in ("before1st", "never_injected"):
            among = (since == 0) & (inducted if rest[0] == "before1st" else ~inducted)[:, None]
        else:
            begin, _, end = rest[0].rstrip("+").partition("-")
            among = (since >= int(begin)) & (since <= int(end or n_days))
        return _percent(used, among & seen)
    at = np.arange(n_days)
    dosed = (days & DOSED) > 0
    upcoming = np.minimum.accumulate(np.where(dosed, at, 10 * n_days)[:, ::-1], axis=1)[:, ::-1]
    if what == "use_within":
        start, last = (int(x) for x in rest[0].split("-"))
        gap = since + upcoming - at
        return _percent(used, (since >= start) & (since <= last) & (gap <= 35))
    first = np.where(inducted, marks[:, 0], 0)[:, None]
    early = (used & (at > first) & (at <= first + 28)).any(axis=1)
    if what == "used_28":
        return _percent(early, inducted)
    if what == "injection_2":
        return _percent(marks[:, 3] >= 2, inducted & (early if rest[0] == "used" else ~early))
    fresh, never = (since >= 1) & (since <= 28), np.broadcast_to(~inducted[:, None], days.shape)
    visits = np.arange(6, n_days, 7)
    shares = {
        "followed_1_28": (seen, fresh),
        "given_1_28": (urine != 2, (fresh & seen)[:, visits]),
        "positive_1_28": (urine == 1, fresh[:, visits] & (urine != 2)),
        "followed_never": (seen, never),
        "given_never": (urine != 2, never[:, visits]),
    }
    if what in shares:
        return _percent(*shares[what])
    raise InputError(f"{name!r} is not a measure of an opioid trial; correct the row.")
