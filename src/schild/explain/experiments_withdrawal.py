"""Experiments of dependence and withdrawal: naltrexone in people who used opioids, and who used them under it.

What counts was written down before the first run: docs/design/withdrawal-criteria.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.explain.lab import CROWD, RECEPTORS, Lab, Outcome, published_dose
from schild.units import hours

__all__ = [
    "FORMER_USE",
    "NALOXONE_AT_H",
    "WAITS_H",
    "WITHDRAWAL",
    "added_after",
    "course_after",
    "daily_use",
    "months_of_tablets",
    "people_of_withdrawal",
    "tolerance_after",
]

Floats = NDArray[np.float64]

#: Earlier use of each class, in words without its length; why: docs/design/withdrawal-criteria.md.
FORMER_USE = {
    "heroin": "heroin 25 mg iv q6h",
    "morphine": "morphine 30 mg sc q6h",
    "methadone": "methadone 60 mg po q24h",
    "buprenorphine": "buprenorphine 16 mg sl q24h",
    "pentazocine": "pentazocine 60 mg im q6h",
    "methadone, more": "methadone 100 mg po q24h",
}
#: How long. [days]
LONG = 60
#: From the last dose of the opioid to naltrexone. [h]
WAITS_H = (6.0, 24.0, 72.0, 120.0, 168.0, 240.0, 336.0)
#: A peak is looked for so long after naltrexone, and a course is followed so long. [h]
PEAK_H, FOLLOWED_H = 24.0, 48.0
#: Lower ends of mild, moderate, moderately severe and severe withdrawal. [points]
MILD, MODERATE, MODERATELY_SEVERE, SEVERE = 5.0, 13.0, 25.0, 37.0
TABLET = "naltrexone 50 mg po"
STEP_H = 0.5
#: Challenge test with naloxone, and how long one watches. [h]
TEST_DOSES, TEST_H = (("naloxone 0.2 mg iv", 0.0), ("naloxone 0.6 mg iv", 1 / 60)), 0.4
#: Days of use from the first on, naloxone 6 h after the last dose, and how long one watches: protection. [h]
DAYS_USED, NALOXONE, NALOXONE_AT_H, WATCHED_H = 30, "naloxone 10 mg iv", 30 * 24.0 + 6.0, 6.0


def people_of_withdrawal(lab: Lab, many: bool | None) -> dict[str, Any]:
    """Whom to run: the typical person (False), people behind a band (True), or those of a verdict (None).

    A third of the people of other bands stand behind these, each under all parameter sets: there are many waits.
    """
    if many is None:
        return {"many": True, "population": CROWD}
    return {"many": True, "population": {"n": max(1, lab.n // 3), "uncertainty": lab.draws}} if many else {}


def _receptors(lab: Lab) -> list[str]:
    """Those that adaptation follows."""
    return list(next(entry.receptors for entry in lab.catalogue.adaptation.values() if entry.default))


def _course(
    lab: Lab, regimen: str, former: str, days: float, until_h: float, many: bool | None, output: str, step: float
) -> tuple[Floats, Floats]:
    history = f"{FORMER_USE[former]} for {days:g} d stopped 0 d"
    found = lab.run(
        regimen, until_h, step, [output], history=history, receptors=_receptors(lab), **people_of_withdrawal(lab, many)
    )[output]
    return np.asarray(found.time_h, dtype=np.float64), np.asarray(found.values, dtype=np.float64)


def course_after(
    lab: Lab,
    former: str,
    wait_h: float | None,
    *,
    days: float = LONG,
    many: bool | None = False,
    drug: str = TABLET,
    output: str = "cows",
    followed_h: float = FOLLOWED_H,
) -> tuple[Floats, Floats]:
    """Course from the last dose of an opioid on.

    Parameters
    ----------
    lab : Lab
        For its runs.
    former : str
        Of ``FORMER_USE``.
    wait_h : float or None
        When naltrexone is given; None for never. [h]
    days : float
        How long the opioid was used.
    many : bool or None
        As for ``people_of_withdrawal``.
    drug : str
        What is given, in words.
    output : str
        ``cows``, ``sows`` or ``tolerance``.
    followed_h : float
        How long it is followed after naltrexone, or after the longest wait. [h]

    Returns
    -------
    tuple of ndarray
        Times [h], shape (n_times,), and values, shape (n, n_times).
    """
    if wait_h is None:
        return _course(lab, "", former, days, WAITS_H[-1] + followed_h, many, output, STEP_H)
    return _course(lab, f"{drug} at {wait_h:g} h", former, days, wait_h + followed_h, many, output, STEP_H)


def added_after(
    lab: Lab, former: str, wait_h: float, *, days: float = LONG, many: bool | None = False
) -> tuple[Floats, Floats]:
    """Peak of COWS after a tablet, and what it adds to the course without it, shape (n,) each.

    Parameters
    ----------
    lab : Lab
        For its runs.
    former : str
        Of ``FORMER_USE``.
    wait_h : float
        When the tablet is taken. [h]
    days : float
        How long the opioid was used.
    many : bool or None
        As for ``people_of_withdrawal``.

    Returns
    -------
    tuple of ndarray
        Peak and added part. [points]
    """
    t, blocked = course_after(lab, former, wait_h, days=days, many=many)
    without = course_after(lab, former, None, days=days, many=many)[1][:, : t.size]
    inside = (t >= wait_h - 1e-6) & (t <= wait_h + PEAK_H + 1e-6)
    return blocked[:, inside].max(axis=1), (blocked - without)[:, inside].max(axis=1)


def _peak_cows(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    wait = hours(x["wait"])
    if "share" in x:
        return _share(added_after(lab, x["former"], wait, many=None)[0], x["share"])
    return lab.both(lambda many: added_after(lab, x["former"], wait, many=many)[0])


def _added_cows(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    wait, days = hours(x["wait"]), float(x.get("days", LONG))
    if "share" in x:
        return _share(added_after(lab, x["former"], wait, days=days, many=None)[1], x["share"])
    return lab.both(lambda many: added_after(lab, x["former"], wait, days=days, many=many)[1])


def _share(values: Floats, share: float) -> Outcome:
    """The person at a share of people: one number, an end of the band itself."""
    return Outcome(predicted=float(np.quantile(values, share)))


def _added_more(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    wait = hours(x["wait"])
    # People of two runs are the same where seed and number are.
    return lab.both(
        lambda many: added_after(lab, x["former"], wait, many=many)[1] - added_after(lab, x["than"], wait, many=many)[1]
    )


def _hours_severe(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    wait = hours(x["wait"])

    def of(many: bool) -> Floats:
        t, values = course_after(lab, x["former"], wait, many=many, followed_h=168.0)
        return np.asarray(STEP_H * (values[:, t >= wait] >= MODERATELY_SEVERE).sum(axis=1), dtype=np.float64)

    return lab.both(of)


def _after_injection(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    """Largest score in the week after an injection, or what it adds to the course without."""
    wait, drug, output = hours(x["wait"]), "naltrexone 380 mg im_depot", x["output"]

    def of(many: bool) -> Floats:
        t, values = course_after(lab, x["former"], wait, many=many, drug=drug, output=output, followed_h=168.0)
        if x["less"]:
            values = values - _course(lab, "", x["former"], LONG, wait + 168.0, many, output, STEP_H)[1]
        return np.asarray(values[:, t >= wait - 1e-6].max(axis=1), dtype=np.float64)

    return lab.both(of)


def _test_fails(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    """Of people whom a naloxone test shows no withdrawal, the share that a tablet brings into it."""
    wait, step = hours(x["wait"]), 0.1
    doses = "; ".join(f"{dose} at {wait + later:.6f} h" for dose, later in TEST_DOSES)
    t, tested = _course(lab, doses, x["former"], LONG, wait + TEST_H, None, "cows", step)
    without = _course(lab, "", x["former"], LONG, wait + TEST_H, None, "cows", step)[1]
    passed = (tested - without)[:, t >= wait - 1e-6].max(axis=1) < MILD
    reacts = added_after(lab, x["former"], wait, many=None)[1] >= MILD
    if not passed.any():
        return Outcome(predicted=float("nan"), missing="nobody passes the test")
    return Outcome(predicted=float(100 * reacts[passed].mean()))


def _band_width(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    peak = added_after(lab, x["former"], hours(x["wait"]), many=None)[0]
    return Outcome(predicted=float(np.quantile(peak, 0.95) - np.quantile(peak, 0.05)))


def _longer_use(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    wait = hours(x["wait"])

    def of(many: bool) -> Floats:
        few, more = (added_after(lab, x["former"], wait, days=float(d), many=many)[0] for d in x["lengths"])
        return np.asarray(more / np.where(few > 0.0, few, np.nan), dtype=np.float64)

    return lab.both(of)


def _interval(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    """Days from which on a tablet adds less than mild withdrawal, interpolated between the waits."""
    days = np.array(WAITS_H) / 24.0

    def of(many: bool) -> Floats:
        added = np.stack([added_after(lab, x["former"], wait, many=many)[1] for wait in WAITS_H], axis=1)
        found = np.array([_falls_below(days, row, MILD) for row in added])
        # People who still react after the longest wait count with it, or a band would leave them out.
        return np.minimum(found, days[-1]) if many else found

    return lab.both(of)


def _falls_below(at: Floats, value: Floats, level: float) -> float:
    """Where a course falls below a level for good; its first place if it is below all along, infinite if never.

    Examples
    --------
    >>> at = np.array([1.0, 2.0, 3.0])
    >>> _falls_below(at, np.array([9.0, 6.0, 4.0]), 5.0), _falls_below(at, np.array([4.0, 3.0, 2.0]), 5.0)
    (2.5, 1.0)
    """
    above = np.flatnonzero(value >= level)
    if not above.size:
        return float(at[0])
    k = int(above[-1])
    if k == len(at) - 1:
        return float("inf")
    return float(at[k] + (at[k + 1] - at[k]) * (value[k] - level) / (value[k] - value[k + 1]))


# ------------------------------------------------------------------------------------------------ protection


def daily_use(
    lab: Lab, agonist: str, route: str, *, blocked: bool, many: bool | None = False, outputs: tuple[str, ...]
) -> tuple[Floats, dict[str, Floats]]:
    """Use an opioid once a day for a month, with or without a tablet a day, and give naloxone at the end.

    Parameters
    ----------
    lab : Lab
        For its runs.
    agonist, route : str
        Given at the largest published dose, the largest that is run under naltrexone.
    blocked : bool
        Whether naltrexone is taken from the day before on.
    many : bool or None
        As for ``people_of_withdrawal``.
    outputs : tuple of str
        What is kept.

    Returns
    -------
    tuple
        Times [h], and values of each output, shape (n, n_times).
    """
    dose = published_dose(lab.catalogue, agonist, route)
    use = f"{dose} q24h x{DAYS_USED} at 24 h; {NALOXONE} at {NALOXONE_AT_H:g} h"
    regimen = f"{TABLET} q24h x{DAYS_USED + 1}; {use}" if blocked else use
    found = lab.run(
        regimen, NALOXONE_AT_H + WATCHED_H, 0.25, outputs, receptors=_receptors(lab), adaptation=True,
        **people_of_withdrawal(lab, many),
    )  # fmt: skip
    return np.asarray(found[outputs[0]].time_h, dtype=np.float64), {
        name: np.asarray(found[name].values, dtype=np.float64) for name in outputs
    }


def _daily(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    def of(many: bool) -> Floats:
        t, found = daily_use(
            lab, x["agonist"], x["route"], blocked=x["blocked"], many=many, outputs=("cows", "tolerance")
        )
        if x["output"] == "tolerance":
            return found["tolerance"][:, int(np.searchsorted(t, NALOXONE_AT_H))]
        return np.asarray(found["cows"][:, t >= NALOXONE_AT_H].max(axis=1))

    return lab.both(of)


def months_of_tablets(lab: Lab, many: bool | None = False) -> Mapping[str, Any]:
    """Half a year of a tablet a day and four weeks without, in people who never took opioids."""
    outputs = ["liking", "cows", "dependence", "mor_activation", "adaptation_fast", "adaptation_slow"]
    return lab.run(
        f"{TABLET} q24h x180", 208 * 24.0, 6.0, outputs, receptors=RECEPTORS[:3], adaptation=True,
        **people_of_withdrawal(lab, many),
    ).outputs  # fmt: skip


def _stopping(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    return lab.both(
        lambda many: np.abs(np.asarray(months_of_tablets(lab, many)[x["output"]].values, dtype=np.float64)).max(axis=1)
    )


def _alone_cows(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    def of(many: bool) -> Floats:
        worst = np.zeros(1)
        for regimen, until in zip(x["regimens"], x["ends"], strict=True):
            end = hours(until)
            found = lab.run(
                regimen, end, end / 100, ["cows"], receptors=_receptors(lab), **people_of_withdrawal(lab, many)
            )["cows"]
            worst = np.maximum(worst, np.asarray(found.values, dtype=np.float64).max(axis=1))
        return worst

    return lab.both(of)


# ------------------------------------------------------------------------------------------------ lost tolerance

#: Injection ten days after the last dose of heroin; when its interval ends, and when its block has gone. [h]
INJECTED_H, DUE_H, GONE_H = 240.0, 240.0 + 28 * 24.0, 240.0 + 84 * 24.0


def tolerance_after(lab: Lab, many: bool | None = False) -> tuple[Floats, Floats]:
    """Tolerance for breathing from the last dose of heroin on, with an injection ten days later; times [h], values."""
    regimen = f"naltrexone 380 mg im_depot at {INJECTED_H:g} h"
    return _course(lab, regimen, "heroin", LONG, GONE_H, many, "tolerance", 6.0)


def _tolerance_left(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    def of(many: bool) -> Floats:
        t, values = tolerance_after(lab, many)
        first, later = values[:, 0], values[:, int(np.searchsorted(t, DUE_H - 1e-6))]
        return np.asarray(100 * (later - 1) / (first - 1) if x["as"] == "left" else first / later, dtype=np.float64)

    return lab.both(of)


def _deeper(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    """How much further one published dose lowers breathing when block and tolerance have gone."""
    dose, name, step = published_dose(lab.catalogue, "heroin", "iv"), "ventilation_isohypercapnic", 0.25
    history = f"{FORMER_USE['heroin']} for {LONG} d stopped 0 d"

    def of(many: bool) -> Floats:
        lowest = []
        for regimen, at in (
            (f"{dose} at 6 h", 6.0),
            (f"naltrexone 380 mg im_depot at {INJECTED_H:g} h; {dose} at {GONE_H:g} h", GONE_H),
        ):
            found = lab.run(
                regimen, at + 6.0, step, [name], history=history, receptors=sorted({*_receptors(lab), "mor"}),
                **people_of_withdrawal(lab, many),
            )[name]  # fmt: skip
            t = np.asarray(found.time_h)
            lowest.append(100 * np.asarray(found.values, dtype=np.float64)[:, t >= at - 1e-6].min(axis=1))
        return np.asarray(lowest[0] - lowest[1])

    return lab.both(of)


WITHDRAWAL: dict[str, Callable[[Lab, Mapping[str, Any]], Outcome]] = {
    "peak_cows": _peak_cows,
    "added_cows": _added_cows,
    "added_more": _added_more,
    "hours_severe": _hours_severe,
    "after_injection": _after_injection,
    "test_fails": _test_fails,
    "band_width": _band_width,
    "longer_use": _longer_use,
    "interval": _interval,
    "daily": _daily,
    "stopping": _stopping,
    "alone_cows": _alone_cows,
    "tolerance_left": _tolerance_left,
    "deeper": _deeper,
}
