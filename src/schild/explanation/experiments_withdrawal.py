"""Experiments on dependence and withdrawal: an antagonist given after opioids, or before them.

Criteria were written down before the first run: docs/design/withdrawal-criteria.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from schild.array_types import Floats
from schild.explanation.answer import Outcome
from schild.explanation.lab import RECEPTORS, Lab, experiment, experiment_in_people, grid
from schild.explanation.options import Hours, Regimen
from schild.pharmacology.adaptation import SEVERITY
from schild.pharmacology.nca import last_time_at

#: From the last dose of the opioid to the antagonist. [h]
WAITS_H = (6.0, 24.0, 72.0, 120.0, 168.0, 240.0, 336.0)
#: Time after the antagonist over which a peak is looked for, and over which a course is followed. [h]
PEAK_H, FOLLOWED_H = 24.0, 48.0
#: Lower ends of mild and of moderately severe withdrawal. [points]
MILD, MODERATELY_SEVERE = SEVERITY[1][0], SEVERITY[3][0]
STEP_H = 0.5
WEEK_H = 168.0
#: Outputs that are followed over months.
MONTHS_OUTPUTS = ("liking", "cows", "dependence", "mor_activation", "adaptation_fast", "adaptation_slow")
#: How long a challenge test with naloxone is watched, and naloxone at the end of daily use. [h]
TEST_H, WATCHED_H = 0.4, 6.0
#: Time before that naloxone from which on the course is followed closely. [h]
BEFORE_H = 30.0


def _course(
    lab: Lab, regimen: str, use: str, days: float, until_h: float, many: bool | None, output: str,
    step: float | Floats = STEP_H,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Course after the last dose of an opioid that was used for some days; ``step``: as ``every_h`` of ``Lab.run``."""
    return lab.course(regimen, until_h, step, output, history=f"{use} for {days:g} d stopped 0 d", **lab.adapted(many))


def course_after(
    lab: Lab,
    use: str,
    dose: str,
    wait_h: float | None,
    *,
    days: float,
    many: bool | None = False,
    output: str = "cows",
    followed_h: float = FOLLOWED_H,
) -> tuple[Floats, Floats]:
    """Course from the last dose of an opioid on; for many people from the antagonist on only.

    - ``use``: earlier use in words, without its length, e.g. ``"heroin 25 mg iv q6h"``.
    - ``dose``: the antagonist, in words.
    - ``wait_h``: time of the antagonist; None: it is not given [h].
    - ``days``: length of use of the opioid [days].
    - ``many``: as for ``Lab.adapted``.
    - ``output``: ``cows``, ``sows`` or ``tolerance``.
    - ``followed_h``: time over which it is followed after the antagonist, or after the longest wait [h].

    Returns times [h], shape (n_times,), and values, shape (n, n_times).
    """
    if wait_h is None:
        return _course(lab, "", use, days, WAITS_H[-1] + followed_h, many, output)
    end_h = wait_h + followed_h
    step = STEP_H if many is False else grid(wait_h, end_h, STEP_H)
    return _course(lab, f"{dose} at {wait_h:g} h", use, days, end_h, many, output, step)


def added_after(
    lab: Lab, use: str, dose: str, wait_h: float, *, days: float, many: bool | None = False
) -> tuple[Floats, Floats]:
    """Peak of COWS after an antagonist, and what it adds to the course without it; shape (n,) each. [points]"""
    # The typical person's courses are drawn too, so they are the same runs.
    followed = FOLLOWED_H if many is False else PEAK_H
    t, blocked = course_after(lab, use, dose, wait_h, days=days, many=many, followed_h=followed)
    inside = (t >= wait_h - 1e-6) & (t <= wait_h + PEAK_H + 1e-6)
    blocked = blocked[:, inside]
    alone, course = course_after(lab, use, dose, None, days=days, many=many, followed_h=followed)
    without = course[:, np.searchsorted(alone, t[inside] - 1e-6)]
    return blocked.max(axis=1), (blocked - without).max(axis=1)


def _cows(lab: Lab, place: int, share: float | None, **x: Any) -> Outcome:
    """Peak (place 0) or added part (place 1), in the typical person or at a quantile of people."""

    def of(many: bool | None) -> Floats:
        return added_after(lab, many=many, **x)[place]

    if share is not None:  # one number, an end of the band itself
        return Outcome(predicted=float(np.quantile(of(None), share)))
    return Outcome(predicted=float(of(False)[0]), many=of(True))


@experiment("points")
def peak_cows(
    lab: Lab, *, use: Regimen, dose: Regimen, wait: Hours, days: float, share: float | None = None
) -> Outcome:
    """Peak of withdrawal after an antagonist."""
    return _cows(lab, 0, share, use=use, dose=dose, wait_h=wait, days=days)


@experiment("points")
def added_cows(
    lab: Lab, *, use: Regimen, dose: Regimen, wait: Hours, days: float, share: float | None = None
) -> Outcome:
    """Withdrawal that an antagonist adds to the course without it."""
    return _cows(lab, 1, share, use=use, dose=dose, wait_h=wait, days=days)


@experiment_in_people("points")
def added_more(lab: Lab, many: bool, *, use: Regimen, than: Regimen, dose: Regimen, wait: Hours, days: float) -> Floats:
    """Difference between the withdrawal that an antagonist adds after one opioid and after another."""
    # People of two runs are the same where seed and number are.
    more, less = (added_after(lab, some, dose, wait, days=days, many=many)[1] for some in (use, than))
    return more - less


@experiment_in_people("h")
def hours_severe(lab: Lab, many: bool, *, use: Regimen, dose: Regimen, wait: Hours, days: float) -> Floats:
    """Time with withdrawal of at least 25 points in the week after an antagonist."""
    t, values = course_after(lab, use, dose, wait, days=days, many=many, followed_h=WEEK_H)
    return np.asarray(STEP_H * (values[:, t >= wait] >= MODERATELY_SEVERE).sum(axis=1))


@experiment_in_people("points")
def after_injection(
    lab: Lab, many: bool, *, use: Regimen, injection: Regimen, wait: Hours, days: float,
    output: Literal["cows", "sows"], less: bool,
) -> Floats:  # fmt: skip
    """Largest score in the week after an injection, or what it adds to the course without."""
    t, values = course_after(lab, use, injection, wait, days=days, many=many, output=output, followed_h=WEEK_H)
    late = t >= wait - 1e-6
    values = values[:, late]
    if less:
        values = values - _course(lab, "", use, days, wait + WEEK_H, many, output, t[late])[1]
    return np.asarray(values.max(axis=1))


@experiment("%")
def test_fails(
    lab: Lab, *, use: Regimen, dose: Regimen, wait: Hours, days: float, test: Sequence[Regimen], apart: Hours
) -> Outcome:
    """Share of people brought into withdrawal by an antagonist, of those in whom a naloxone test shows none."""
    step = grid(wait, wait + TEST_H, 0.1)
    doses = "; ".join(f"{one} at {wait + k * apart:.6f} h" for k, one in enumerate(test))
    tested, without = (_course(lab, some, use, days, wait + TEST_H, None, "cows", step)[1] for some in (doses, ""))
    passed = (tested - without).max(axis=1) < MILD
    reacts = added_after(lab, use, dose, wait, days=days, many=None)[1] >= MILD
    if not passed.any():
        return Outcome(predicted=float("nan"), missing="nobody passes the test")
    return Outcome(predicted=float(100 * reacts[passed].mean()))


@experiment("points")
def band_width(lab: Lab, *, use: Regimen, dose: Regimen, wait: Hours, days: float) -> Outcome:
    """Distance between the 5th and the 95th percentile of peaks of people."""
    top = added_after(lab, use, dose, wait, days=days, many=None)[0]
    return Outcome(predicted=float(np.quantile(top, 0.95) - np.quantile(top, 0.05)))


@experiment_in_people("fold")
def longer_use(
    lab: Lab, many: bool, *, use: Regimen, dose: Regimen, wait: Hours, lengths: tuple[float, float]
) -> Floats:
    """Peak after a long use over the peak after a short one."""
    few, more = (added_after(lab, use, dose, wait, days=days, many=many)[0] for days in lengths)
    return np.asarray(more / np.where(few > 0.0, few, np.nan))


@experiment_in_people("d")
def interval(lab: Lab, many: bool, *, use: Regimen, dose: Regimen, days: float) -> Floats:
    """Days from which on an antagonist adds less than mild withdrawal, interpolated between the waits."""
    waits = np.array(WAITS_H) / 24.0
    added = np.stack([added_after(lab, use, dose, wait, days=days, many=many)[1] for wait in WAITS_H], axis=1)
    found = np.array([_falls_below(waits, row, MILD) for row in added])
    # People who still react after the longest wait count with it, or a band would leave them out.
    return np.minimum(found, waits[-1]) if many else found


def _falls_below(at: Floats, value: Floats, level: float) -> float:
    """Return where a course falls below a level for good: its first place if it always is, infinite if it never does.

    >>> at = np.array([1.0, 2.0, 3.0])
    >>> _falls_below(at, np.array([9.0, 6.0, 4.0]), 5.0), _falls_below(at, np.array([4.0, 3.0, 2.0]), 5.0)
    (2.5, 1.0)
    """
    found = last_time_at(at, value, level)
    return float(at[0]) if np.isnan(found) else found


# ------------------------------------------------------------------------------------------------ protection


def daily_use(
    lab: Lab, challenge: str, dose: str, naloxone: str, *, blocked: bool, many: bool | None = False
) -> tuple[Floats, float, dict[str, Floats]]:
    """Use an opioid for a month, with or without an antagonist a day, and give naloxone 6 h after the last dose.

    ``challenge``: daily dose of the opioid from the second day on; ``dose`` and ``naloxone``: daily dose of the
    antagonist, and naloxone at the end; ``blocked``: whether the antagonist is taken; ``many``: as for ``Lab.adapted``.
    Returns times [h], time of naloxone [h], and values of withdrawal and tolerance, shape (n, n_times).
    """
    outputs, at = ("cows", "tolerance"), 30 * 24.0 + 6.0
    use = f"{challenge} q24h x30 at 24 h; {naloxone} at {at:g} h"
    regimen = f"{dose} q24h x31; {use}" if blocked else use
    # Every six hours is enough for weeks.
    times = np.union1d(grid(0.0, at, 6.0), grid(at - BEFORE_H, at + WATCHED_H, 0.25))
    found = lab.run(regimen, at + WATCHED_H, times, outputs, adaptation=True, **lab.adapted(many))
    values = {name: np.asarray(found[name].values, dtype=np.float64) for name in outputs}
    return np.asarray(found[outputs[0]].time_h, dtype=np.float64), at, values


@experiment_in_people("points", "fold")
def daily(
    lab: Lab, many: bool, *, challenge: Regimen, dose: Regimen, naloxone: Regimen, blocked: bool,
    output: Literal["cows", "tolerance"],
) -> Floats:  # fmt: skip
    """Peak of withdrawal after naloxone, or tolerance before it, at the end of a month of daily use."""
    t, at, found = daily_use(lab, challenge, dose, naloxone, blocked=blocked, many=many)
    if output == "tolerance":
        return found["tolerance"][:, int(np.searchsorted(t, at))]
    return np.asarray(found["cows"][:, t >= at].max(axis=1))


def months_of(lab: Lab, dose: str, many: bool | None = False) -> Mapping[str, Any]:
    """Half a year of an antagonist a day and four weeks without, in people who never took opioids."""
    options = {**lab.adapted(many), "receptors": RECEPTORS[:3], "adaptation": True}
    return lab.run(f"{dose} q24h x180", 208 * 24.0, 6.0, MONTHS_OUTPUTS, **options).outputs


@experiment_in_people("points", "1")
def stopping(lab: Lab, many: bool, *, dose: Regimen, output: Literal["liking", "cows", "dependence"]) -> Floats:
    """Largest value of an output over half a year of an antagonist and four weeks after."""
    return np.asarray(np.abs(np.asarray(months_of(lab, dose, many)[output].values, dtype=np.float64)).max(axis=1))


@experiment_in_people("points")
def alone_cows(lab: Lab, many: bool, *, regimens: Sequence[Regimen], ends: Sequence[Hours]) -> Floats:
    """Largest withdrawal under an antagonist in people who never took opioids."""
    worst = np.zeros(1)
    for regimen, end in zip(regimens, ends, strict=True):
        worst = np.maximum(worst, lab.course(regimen, end, end / 100, "cows", **lab.adapted(many))[1].max(axis=1))
    return worst


# ------------------------------------------------------------------------------------------------ lost tolerance


def tolerance_after(
    lab: Lab, use: str, injection: str, injected_h: float, gone_h: float, *, days: float, many: bool | None = False
) -> tuple[Floats, Floats]:
    """Tolerance for breathing from the last dose of an opioid on, with an injection later; times [h], values."""
    return _course(lab, f"{injection} at {injected_h:g} h", use, days, gone_h, many, "tolerance", 6.0)


@experiment_in_people("%", "fold")
def tolerance_left(
    lab: Lab, many: bool, *, use: Regimen, injection: Regimen, days: float, injected: Hours, due: Hours, gone: Hours,
    what: Literal["left", "factor"],
) -> Floats:  # fmt: skip
    """Tolerance left when the next injection is due: as a part of the first, or as the factor by which it fell."""
    t, values = tolerance_after(lab, use, injection, injected, gone, days=days, many=many)
    first, later = values[:, 0], values[:, int(np.searchsorted(t, due - 1e-6))]
    return np.asarray(100 * (later - 1) / (first - 1) if what == "left" else first / later)


@experiment_in_people("points")
def deeper(
    lab: Lab, many: bool, *, use: Regimen, injection: Regimen, days: float, injected: Hours, gone: Hours,
    challenge: Regimen,
) -> Floats:  # fmt: skip
    """Further fall of breathing after one published dose when block and tolerance have gone."""
    options = lab.adapted(many)
    options["receptors"] = sorted({*options["receptors"], "mor"})
    after = []
    for regimen, at in (
        (f"{challenge} at 6 h", 6.0),
        (f"{injection} at {injected:g} h; {challenge} at {gone:g} h", gone),
    ):
        _, values = lab.course(regimen, at + 6.0, grid(at, at + 6.0, 0.25), "ventilation_isohypercapnic",
                               history=f"{use} for {days:g} d stopped 0 d", **options)  # fmt: skip
        after.append(100 * values.min(axis=1))
    return np.asarray(after[0] - after[1])
