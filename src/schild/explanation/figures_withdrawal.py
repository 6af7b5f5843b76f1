"""Panels of dependence and withdrawal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from schild.array_types import Floats
from schild.explanation.experiments_withdrawal import (
    BEFORE_H,
    MILD,
    WAITS_H,
    added_after,
    course_after,
    daily_use,
    tolerance_after,
)
from schild.explanation.options import Hours, Regimen
from schild.explanation.panels import LINES, PINK, Panel, panel
from schild.figures import INK
from schild.pharmacology.adaptation import SEVERITY

#: Colours of waits, from the shortest to the longest.
_SHADES = ("#7a1f5c", "#b8325f", "#e0623f", "#e69f00", "#7fb13d", "#2f9e8f", "#2f6fb0")
#: Colours of the bands of severity that dark ink stands out from.
_BANDS = ("#eceff1", "#ffe082", "#ffb74d", "#f5855f", "#dd6b8e")
_CELL_INK = "#141414"


def _words(wait_h: float) -> str:
    return f"{wait_h:g} h" if wait_h < 24 else f"{wait_h / 24:g} d"


def _severities(p: Panel, named: bool) -> None:
    """Lines at the lower ends of the bands, with their names beside them."""
    for low, name in SEVERITY[1:]:
        p.chart.rule(y=low, width=0.6, over=0)
        if named:
            p.chart.note(name.replace(" ", "\n"), 1.015, low, shares="x")
    p.chart.y.lim = -1, 48


@panel
def cows_by_wait(p: Panel, *, use: Regimen, dose: Regimen, days: float, named: bool = False) -> None:
    """Withdrawal without an antagonist and with one at each of the waits, typical person."""
    t, alone = course_after(p.lab, use, dose, None, days=days)
    p.chart.line(t[::2] / 24, alone[0, ::2], color=INK, width=2.4, alpha=0.35, label="none")
    # Lines from every half hour or hour; the table has every second hour.
    p.keep("time [h]", t[::4])
    p.keep("none", alone[0, ::4])
    for k, (wait, colour) in enumerate(zip(WAITS_H, _SHADES, strict=True)):
        after, cows = course_after(p.lab, use, dose, wait, days=days)
        late = after >= wait - 1e-6
        p.line(k, after[late] / 24, cows[0, late], label=_words(wait), color=colour, dashes="-", width=1.6)
        p.keep(_words(wait), cows[0, ::4])
    _severities(p, named)


@panel
def added_by_wait(
    p: Panel, *, uses: Sequence[tuple[str, Regimen]], dose: Regimen, days: float, advised: tuple[float, float],
    named: bool = False,
) -> None:  # fmt: skip
    """Withdrawal that an antagonist adds over the days since the last dose; grey: the interval that is advised."""
    waits = np.array(WAITS_H) / 24
    p.chart.rule(x=advised)
    p.chart.note("label's interval", sum(advised) / 2, 45.2, ha="center")
    p.keep("wait [d]", waits)
    for k, (name, use) in enumerate(uses):

        def added(many: bool, use: str = use) -> Floats:
            return np.array([added_after(p.lab, use, dose, wait, days=days, many=many)[1] for wait in WAITS_H])

        y, (low, high) = added(False)[:, 0], np.quantile(added(True), [0.05, 0.95], axis=1)
        p.line(k, waits, y, (low, high), name, mark="o", size=4.2)
        p.keep(f"added after {name}", y, low, high)
    _severities(p, named)


@panel
def severity_map(
    p: Panel, *, use: Regimen, dose: Regimen, lengths: Sequence[float], what: Literal["peak", "added"]
) -> None:
    """Withdrawal after an antagonist by days of earlier use and by wait, typical person."""
    place = ("peak", "added").index(what)
    values = np.array(
        [[added_after(p.lab, use, dose, wait, days=days)[place][0] for wait in WAITS_H] for days in lengths]
    )
    bands = np.searchsorted([low for low, _ in SEVERITY[1:]], values, side="right")
    for k, (colour, (low, name)) in enumerate(zip(_BANDS, SEVERITY, strict=True)):
        row, column = np.nonzero(bands == k)
        words = f"{name} ({low:g}+)" if low else name
        p.chart.bars(column, column + 1, row, row + 1, color=colour, edge=_CELL_INK, label=words)
    for (row, column), value in np.ndenumerate(values):
        p.chart.note(f"{value:.0f}", column + 0.5, row + 0.5, ha="center", va="center", color=_CELL_INK)
    p.chart.x.ticks, p.chart.x.words = [k + 0.5 for k in range(len(WAITS_H))], [_words(w) for w in WAITS_H]
    p.chart.y.ticks, p.chart.y.words = [k + 0.5 for k in range(len(lengths))], [f"{d:g} d" for d in lengths]
    p.chart.x.lim, p.chart.y.lim = (0, len(WAITS_H)), (0, len(lengths))
    p.chart.grid, p.chart.tick = False, 0.0
    p.keep("days of use", [d for d in lengths for _ in WAITS_H])
    p.keep("wait [d]", [w / 24 for _ in lengths for w in WAITS_H])
    p.keep("COWS [points]", values.ravel())


@panel
def month_of_use(
    p: Panel, *, challenge: Regimen, dose: Regimen, naloxone: Regimen, output: Literal["cows", "tolerance"]
) -> None:
    """Tolerance over a month of daily use, or withdrawal around naloxone at its end, with and without an antagonist."""
    for k, (blocked, label) in enumerate(((False, "without"), (True, "with a tablet a day"))):
        t, at, one = daily_use(p.lab, challenge, dose, naloxone, blocked=blocked)
        many = daily_use(p.lab, challenge, dose, naloxone, blocked=blocked, many=True)[2][output]
        some = t % 6.0 < 1e-6 if output == "tolerance" else t >= at - BEFORE_H
        x = t[some] / 24 if output == "tolerance" else t[some] - at
        low, high = np.quantile(many[:, some], [0.05, 0.95], axis=0)
        p.line(1 - k, x, one[output][0, some], (low, high), label, dashes=LINES[k][1])
        p.keep("days" if output == "tolerance" else "hours from naloxone", x)
        p.keep(f"{'COWS' if output == 'cows' else output}, {label}", one[output][0, some], low, high)
    if output == "cows":
        p.chart.rule(y=MILD, width=0.6)
        p.chart.note("mild", -29.5, MILD)
        top = max(p.chart.y.limits()[1], MILD + 1.0)
        p.chart.y.lim = -0.03 * top, top


@panel
def tolerance_lost(
    p: Panel, *, use: Regimen, injection: Regimen, days: float, injected: Hours, due: Hours, gone: Hours
) -> None:
    """Tolerance for breathing from the last use on, under an injection some days later."""
    t, one = tolerance_after(p.lab, use, injection, injected, gone, days=days)
    _, many = tolerance_after(p.lab, use, injection, injected, gone, days=days, many=True)
    low, high = np.quantile(many, [0.05, 0.95], axis=0)
    p.line(3, t / 24, one[0], (low, high), "tolerance for breathing", color=PINK, dashes="-")
    for at, word in ((injected, "injection"), (due, "next one due")):
        p.chart.rule(x=at / 24)
        p.chart.note(word, at / 24 + 1, 0.97, shares="y", va="top")
    p.chart.rule(y=1.0, width=0.6, dashes="-")
    p.chart.y.lim = 0.9, None
    p.keep("time [h]", t)
    p.keep("tolerance [-fold]", one[0], low, high)
