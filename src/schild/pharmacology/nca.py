"""Non-compartmental analysis of one curve: areas, terminal slope, exposure in an interval, by CDISC names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from schild.array_types import Floats
from schild.errors import InputError

__all__ = ["NAMES", "area", "last_time_at", "level_at", "measured", "metrics", "terminal_slope", "time_above"]

#: CDISC test codes (PPTESTCD) that ``metrics`` gives, with unit and meaning; ``<C>`` is the unit of the levels.
NAMES: Mapping[str, tuple[str, str]] = {
    "CMAX": ("<C>", "highest level"),
    "TMAX": ("h", "time of the highest level after the dose, the first where there are several"),
    "CLST": ("<C>", "last measurable level"),
    "TLST": ("h", "time of the last measurable level after the dose"),
    "AUCLST": ("h*<C>", "area to the last measurable level"),
    "LAMZ": ("1/h", "terminal rate constant"),
    "LAMZHL": ("h", "terminal half-life"),
    "LAMZNPT": ("1", "points in the terminal slope"),
    "LAMZLL": ("h", "first time of the terminal slope after the dose"),
    "LAMZUL": ("h", "last time of the terminal slope after the dose"),
    "R2ADJ": ("1", "adjusted R squared of the terminal slope"),
    "AUCIFO": ("h*<C>", "area to infinity, from the last level that was observed"),
    "AUCPEO": ("%", "share of AUCIFO that is extrapolated"),
    "CLFO": ("L/h", "clearance over bioavailability: dose / AUCIFO"),
    "VZFO": ("L", "terminal volume over bioavailability: CLFO / LAMZ"),
    "CLO": ("L/h", "clearance after intravenous doses: dose / AUCIFO"),
    "VZO": ("L", "terminal volume after intravenous doses: CLO / LAMZ"),
    "AUCTAU": ("h*<C>", "area over the dosing interval"),
    "CAVG": ("<C>", "mean level over the dosing interval: AUCTAU / tau"),
    "CMIN": ("<C>", "lowest level in the dosing interval"),
    "CTROUGH": ("<C>", "level at the end of the dosing interval, just before the next dose"),
    "FLUCP": ("%", "fluctuation: 100 (CMAX - CMIN) / CAVG in the dosing interval"),
    "CLFTAU": ("L/h", "clearance over bioavailability in the dosing interval: dose / AUCTAU"),
    "CLTAU": ("L/h", "clearance after intravenous doses in the dosing interval: dose / AUCTAU"),
    "ARAUC": ("1", "accumulation: AUCTAU of the last dose over that of the first"),
    "ARCMAX": ("1", "accumulation: CMAX of the last dose over that of the first"),
    "ARCTROUG": ("1", "accumulation: CTROUGH of the last dose over that of the first"),
}

#: Rules for values below the limit of quantification between two measurable ones.
Between = Literal["drop", "zero", "half"]


def measured(
    times: ArrayLike, levels: ArrayLike, lloq: float = 0.0, between: Between = "drop"
) -> tuple[Floats, Floats]:
    """Apply the rules for values below the limit of quantification (BLQ).

    Parameters
    ----------
    times, levels : array_like, shape (n,)
        Rising times, and levels; NaN marks a missing level, which is left out.
    lloq : float
        Lower limit of quantification, in the unit of the levels; values below it are BLQ, and so is 0.
    between : {"drop", "zero", "half"}
        Rule for BLQ values between two measurable ones: left out, zero, or half of the limit.

    Returns
    -------
    times, levels : ndarray
        BLQ values before the first measurable one are zero; those after the last one are left out. Both are empty
        where nothing is measurable.

    Raises
    ------
    InputError
        If times do not rise, a level is negative or infinite, or the numbers of times and levels differ.

    Examples
    --------
    >>> measured([0, 1, 2, 3, 4, 5], [0, 0.05, 2, 0.05, 1, 0.05], lloq=0.1)[1].tolist()
    [0.0, 0.0, 2.0, 1.0]
    """
    t, c = np.asarray(times, dtype=np.float64), np.asarray(levels, dtype=np.float64)
    if t.shape != c.shape or t.ndim != 1:
        raise InputError(f"{t.size} times and {c.size} levels were given; expected as many of each. Correct them.")
    if between not in ("drop", "zero", "half"):
        raise InputError(f"between is {between!r}; expected drop, zero or half. Choose one of them.")
    if np.isinf(c).any():
        raise InputError("A level is infinite; expected a finite number, or nan where it is missing. Correct it.")
    there = np.isfinite(c)
    t, c = t[there], c[there]
    if np.any(np.diff(t) <= 0) or not np.isfinite(t).all():
        raise InputError("The times do not rise; expected each later than the one before. Sort them.")
    if np.any(c < 0):
        raise InputError(f"A level is {c.min():g}; expected 0 or more. Correct it.")
    seen = np.flatnonzero((c >= lloq) & (c > 0))
    if not seen.size:
        return np.empty(0), np.empty(0)
    first, last = int(seen[0]), int(seen[-1])
    kept = np.ones(last + 1, dtype=bool)
    c = c[: last + 1].copy()
    c[:first] = 0.0
    inner = np.setdiff1d(np.arange(first, last), seen)
    if between == "drop":
        kept[inner] = False
    else:
        c[inner] = 0.0 if between == "zero" else 0.5 * lloq
    return t[: last + 1][kept], c[kept]


def area(times: ArrayLike, levels: ArrayLike, start: float | None = None, end: float | None = None) -> float:
    r"""Area under a curve by the linear-up, logarithmic-down trapezoidal rule.

    Parameters
    ----------
    times, levels : array_like, shape (n,)
        Times, rising, and levels. [h]
    start, end : float, optional
        Part of the curve; where it begins or ends between two times, the level there follows the same rule. The whole
        curve by default. [h]

    Returns
    -------
    float
        Area; NaN where the curve does not cover the part. [h times the unit of the levels]

    Notes
    -----
    A rising or level piece is a straight line. A falling piece between two levels above zero is exponential: its area
    is :math:`(c_1 - c_2) (t_2 - t_1) / \ln(c_1 / c_2)`.

    Examples
    --------
    >>> t = np.linspace(0.0, 10.0, 5)
    >>> round(area(t, np.exp(-0.3 * t)), 6), round(float(1 - np.exp(-3.0)) / 0.3, 6)
    (3.167376, 3.167376)
    """
    t, c = np.asarray(times, dtype=np.float64), np.asarray(levels, dtype=np.float64)
    a, b = t[0] if start is None else start, t[-1] if end is None else end
    if not t.size or a < t[0] or b > t[-1]:
        return float("nan")
    inside = (t > a) & (t < b)
    points = np.concatenate([[a], t[inside], [b]])
    values = np.concatenate([[level_at(t, c, a)], c[inside], [level_at(t, c, b)]])
    width, high, low = np.diff(points), values[:-1], values[1:]
    falls = (low < high) & (low > 0) & (high - low > 1e-9 * high)
    with np.errstate(divide="ignore", invalid="ignore"):
        down = (high - low) * width / np.log(high / low)
    return float(np.sum(np.where(falls, down, 0.5 * (high + low) * width)))


def level_at(times: Floats, levels: Floats, time: float) -> float:
    """Level of a curve at a time: on a line where it rises, exponential where it falls; NaN outside.

    >>> level_at(np.array([0.0, 2.0]), np.array([4.0, 1.0]), 1.0)
    2.0
    """
    if not times[0] <= time <= times[-1]:
        return float("nan")
    k = min(int(np.searchsorted(times, time, side="right")) - 1, len(times) - 2)
    if k < 0 or times[k] == time:
        return float(levels[max(k, 0)])
    w = (time - times[k]) / (times[k + 1] - times[k])
    a, b = float(levels[k]), float(levels[k + 1])
    return float(a ** (1 - w) * b**w) if 0 < b < a else (1 - w) * a + w * b


def terminal_slope(
    times: ArrayLike, levels: ArrayLike, *, with_peak: bool = False, tie: float = 1e-4
) -> dict[str, float]:
    """Terminal rate constant: the log-linear regression with the best adjusted R squared.

    Parameters
    ----------
    times, levels : array_like, shape (n,)
        Measurable part of a curve, from ``measured``. [h]
    with_peak : bool
        Whether the highest level may be a point of the slope, as after an intravenous bolus.
    tie : float
        Regressions whose adjusted R squared is within this of the best count as equal; the one with most points is
        used, as in Phoenix WinNonlin and PKNCA. 0 for curves without noise.

    Returns
    -------
    dict
        LAMZ, LAMZHL, LAMZNPT, LAMZLL, LAMZUL and R2ADJ; empty where fewer than three points come after the peak, or
        the best slope does not fall.

    Notes
    -----
    Candidates are the last 3, 4, ... measurable levels above zero, back to the first after the peak.

    Examples
    --------
    >>> t = np.array([0.0, 1.0, 2.0, 4.0, 8.0])
    >>> round(terminal_slope(t, np.exp(-0.2 * t))["LAMZ"], 9)
    0.2
    """
    t, c = np.asarray(times, dtype=np.float64), np.asarray(levels, dtype=np.float64)
    if not t.size:
        return {}
    first = int(np.argmax(c)) + (0 if with_peak else 1)
    t, c = t[first:], c[first:]
    t, c = t[c > 0][::-1], c[c > 0][::-1]
    if t.size < 3:
        return {}
    x, y = t - t[0], np.log(c) - np.log(c[0])  # from the last point, so that no digit is lost
    n = np.arange(1, t.size + 1)
    mx, my = np.cumsum(x) / n, np.cumsum(y) / n
    sxx, syy, sxy = (np.cumsum(a * b) - n * p * q for a, b, p, q in ((x, x, mx, mx), (y, y, my, my), (x, y, mx, my)))
    with np.errstate(divide="ignore", invalid="ignore"):
        adjusted = 1 - (1 - sxy**2 / (sxx * syy)) * (n - 1) / (n - 2)
    adjusted[:2] = -np.inf
    adjusted[~np.isfinite(adjusted) | (sxy >= 0)] = -np.inf
    best = float(adjusted.max())
    if best == -np.inf:
        return {}
    k = int(np.flatnonzero(adjusted >= best - tie)[-1])
    rate = -float(sxy[k] / sxx[k])
    return {
        "LAMZ": rate,
        "LAMZHL": float(np.log(2) / rate),
        "LAMZNPT": float(k + 1),
        "LAMZLL": float(t[k]),
        "LAMZUL": float(t[0]),
        "R2ADJ": float(adjusted[k]),
    }


def time_above(times: ArrayLike, levels: ArrayLike, level: float, *, straight: bool = False) -> float:
    """Time for which a curve lies above a level. [h]

    ``times``, ``levels``: shape (n,); between them the curve is a line where it rises and exponential where it falls;
    ``straight``: a line everywhere, for effects and occupancies.

    >>> time_above([0.0, 1.0, 3.0], [0.0, 2.0, 0.0], 1.0, straight=True)
    1.5
    """
    t, c = np.asarray(times, dtype=np.float64), np.asarray(levels, dtype=np.float64)
    a, b, width = c[:-1], c[1:], np.diff(t)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip((np.maximum(a, b) - level) / np.abs(b - a), 0.0, 1.0)
        if not straight and level > 0:
            falls = (b < a) & (b > 0)
            log = np.clip(np.log(np.maximum(a, level) / level) / np.log(a / np.where(falls, b, 1.0)), 0.0, 1.0)
            share = np.where(falls & (b < level), log, share)
    share = np.where((a > level) & (b > level), 1.0, np.where((a <= level) & (b <= level), 0.0, share))
    return float(np.sum(share * width))


def last_time_at(times: Floats, levels: Floats, level: float) -> float:
    """Last time at which a curve of straight lines is at a level or above it.

    Not a number where it never is; infinite where it is at the end.

    >>> last_time_at(np.array([1.0, 2.0, 3.0]), np.array([9.0, 6.0, 4.0]), 5.0)
    2.5
    """
    above = np.flatnonzero(levels >= level)
    if not above.size:
        return float("nan")
    k = int(above[-1])
    if k == len(times) - 1:
        return float("inf")
    return float(times[k] + (times[k + 1] - times[k]) * (levels[k] - level) / (levels[k] - levels[k + 1]))


def metrics(
    times: ArrayLike,
    levels: ArrayLike,
    *,
    tau: float | None = None,
    dose: float | None = None,
    intravenous: bool = False,
    lloq: float = 0.0,
    between: Between = "drop",
    tie: float = 1e-4,
    parts: Sequence[tuple[float, float]] = (),
) -> dict[str, float]:
    """Non-compartmental metrics of one curve after one dose, by CDISC test codes.

    Parameters
    ----------
    times, levels : array_like, shape (n,)
        Hours after the dose, rising, and levels in mass per mL.
    tau : float, optional
        Dosing interval: adds the metrics of the interval from 0 to ``tau``. [h]
    dose : float, optional
        Dose in the mass unit of the levels (ng for ng/mL): adds clearance, and volume for a single dose.
    intravenous : bool
        Whether the dose went into a vein: CLO and VZO in place of CLFO and VZFO, and the peak may be a point of the
        terminal slope.
    lloq, between
        As for ``measured``.
    tie
        As for ``terminal_slope``.
    parts : sequence of (start, end)
        Partial areas, named ``AUC_<start>_<end>``. [h]

    Returns
    -------
    dict
        Metrics of ``NAMES``, without those that the curve does not allow.

    Raises
    ------
    InputError
        As for ``measured``, for a dose or interval that is not above 0, and for a part that does not end after it
        begins.

    Notes
    -----
    With ``tau`` the curve after the interval still gives the terminal slope; AUCIFO, CLFO and VZFO are those of a
    single dose and are left out. Metrics of the interval are left out where the curve ends before it, and need the
    level at its start.

    Examples
    --------
    >>> t = np.arange(0.0, 25.0)
    >>> found = metrics(t, 10.0 * np.exp(-0.1 * t), dose=1e5, intravenous=True)
    >>> round(found["AUCIFO"], 6), round(found["CLO"], 6), round(found["VZO"], 6)
    (100.0, 1.0, 10.0)
    """
    for what, value in (("dose", dose), ("tau", tau)):
        if value is not None and not 0 < value < np.inf:
            raise InputError(f"{what} is {value}; expected a finite number above 0. Correct it, or leave it out.")
    if odd := [part for part in parts if not 0 <= part[0] < part[1] < np.inf]:
        raise InputError(
            f"A part is from {odd[0][0]} to {odd[0][1]} h; expected 0 or more, and an end after it. Correct it."
        )
    raw_t, raw_c = np.asarray(times, dtype=np.float64), np.asarray(levels, dtype=np.float64)
    t, c = measured(raw_t, raw_c, lloq, between)
    there = ~np.isnan(raw_c)
    raw_t, raw_c = raw_t[there], raw_c[there]
    found: dict[str, float] = {}
    for start, end in parts:
        if raw_t.size and np.isfinite(part := area(raw_t, raw_c, start, end)):
            found[f"AUC_{start:g}_{end:g}"] = part
    if not t.size:
        return found
    here = slice(None) if tau is None else t <= tau
    inside_t, inside_c = t[here], c[here]
    if inside_t.size:
        k = int(np.argmax(inside_c))
        found |= {"CMAX": float(inside_c[k]), "TMAX": float(inside_t[k])}
    found |= {"CLST": float(c[-1]), "TLST": float(t[-1]), "AUCLST": area(t, c)}
    slope = terminal_slope(t, c, with_peak=intravenous, tie=tie)
    found |= slope
    litres = None if dose is None else dose / 1000.0
    head = "CLTAU" if intravenous else "CLFTAU"
    if tau is None:
        if slope:
            rest = found["CLST"] / slope["LAMZ"]
            found["AUCIFO"] = found["AUCLST"] + rest
            found["AUCPEO"] = 100.0 * rest / found["AUCIFO"]
            if litres is not None:
                names = ("CLO", "VZO") if intravenous else ("CLFO", "VZFO")
                clearance = litres / found["AUCIFO"]
                found |= {names[0]: clearance, names[1]: clearance / slope["LAMZ"]}
    elif raw_t[0] <= 0.0 and raw_t[-1] >= tau:
        whole = area(raw_t, raw_c, 0.0, tau)
        end = level_at(raw_t, raw_c, tau)
        low = min(float(np.min(raw_c[(raw_t >= 0) & (raw_t <= tau)])), end)
        found |= {"AUCTAU": whole, "CAVG": whole / tau, "CMIN": low, "CTROUGH": end}
        if whole > 0 and "CMAX" in found:
            found["FLUCP"] = 100.0 * (found["CMAX"] - low) * tau / whole
            if litres is not None:
                found[head] = litres / whole
    return found
