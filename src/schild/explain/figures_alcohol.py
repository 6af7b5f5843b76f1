"""Figures of alcohol: the laboratory and trials beside what was published, craving over time, what one person gains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schild.explain.claims import Test, book_of
from schild.explain.experiments_alcohol import ALCOHOL, WEEK, individual_effects, one_session, row_of, session
from schild.explain.lab import Lab
from schild.explain.panels import BLUE, GREEN, ORANGE, PINK, Columns, even, keep_in
from schild.report import INK, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ALCOHOL_FIGURES", "individual_panels"]

Floats = NDArray[np.floating]
Drawing = tuple["Figure", str, str, Columns]

#: Days after the first of seven tablets on which craving is asked for, 3 h after the hour of the tablet.
_CRAVING_DAYS = (0, 1, 3, 6, 7, 8, 9, 10, 11, 13, 16, 20)
#: People of a point of that course.
_FEW = 500
#: People of a scatter.
_DOTS = 250
_SETS = "90 % of parameter sets"


def _test(key: str) -> Test:
    return next(t for t in book_of("naltrexone").tests if t.id == key)


def _forest(axis: Axes, lab: Lab, rows: Sequence[tuple[str, str, str]], data: Columns, *, none: float = 0.0) -> None:
    """Published intervals, and the model beside them; rows of words, test, and study."""
    for k, (words, key, study) in enumerate(rows):
        test = _test(key)
        row = row_of(lab, test.options)
        low, high = row.low, row.high
        if low is None or high is None:
            half = 1.96 * float(row.sd_fixed or 0.0)
            low, high = row.value - half, row.value + half
        found = ALCOHOL[test.run](lab, test.options)
        ends = found.band
        axis.plot([low, high], [k - 0.16, k - 0.16], color=INK, linewidth=1.2)
        axis.plot([row.value], [k - 0.16], "s", color=INK, markersize=4.5)
        colour = ORANGE if test.evidence == "fitted" else BLUE
        if ends[0] is not None and ends[1] is not None:
            axis.plot([ends[0], ends[1]], [k + 0.16, k + 0.16], color=colour, linewidth=2.2, alpha=0.5)
        axis.plot([found.predicted], [k + 0.16], "o", color=colour, markersize=5.5)
        for name, value in (
            ("outcome", words), ("study", study), ("published", row.value), ("published low", low),
            ("published high", high), ("model", found.predicted), ("model 5 %", ends[0]), ("model 95 %", ends[1]),
            ("evidence", test.evidence),
        ):  # fmt: skip
            data.setdefault(name, []).append("" if value is None else value)
    axis.axvline(none, color=INK, linewidth=0.7, linestyle=":")
    axis.set_yticks(range(len(rows)), [f"{words}\n{study}" for words, _, study in rows], fontsize=8)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.grid(True, axis="x")


def _named(axis: Axes) -> None:
    """One entry for each kind of mark, drawn or not."""
    axis.plot([], [], "s-", color=INK, markersize=4.5, linewidth=1.2, label="published, 95 % interval")
    axis.plot([], [], "o-", color=ORANGE, markersize=5.5, linewidth=2.2, label=f"model, fitted to it; {_SETS}")
    axis.plot([], [], "o-", color=BLUE, markersize=5.5, linewidth=2.2, label="model, not fitted to it")


def _legend(figure: Figure, axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    some = dict(zip(labels, handles, strict=True))
    figure.legend(list(some.values()), list(some), loc="outside upper center", ncols=3)


def _laboratory(lab: Lab) -> Drawing:
    figure = new_figure(7.4, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    data: Columns = {}
    rows = (
        ("stimulation", "M13.1", "Ray 2019"), ("craving", "M13.2", "Hendershot 2017"),
        ("craving", "M13.3", "Ray 2019"), ("drinks chosen", "M13.4", "Hendershot 2017"),
        ("sedation", "M13.5", "Ray 2019"), ("negative mood", "M13.6", "Ray 2019"),
    )  # fmt: skip
    _forest(left, lab, rows, data)
    _named(left)
    left.set_xlabel("Hedges g, 50 mg a day against placebo")
    left.set_title("in the laboratory", loc="left")
    for occupied, label, colour, style in (
        (0.0, "no naltrexone", INK, "-"), (0.95, "95 % of mu held", BLUE, "--"), (1.0, "all of mu held", PINK, ":")
    ):  # fmt: skip
        found = one_session(lab, occupied=occupied, grams_per_kg=0.6)
        reward = found.signal("reward")[0]
        right.plot(found.time_h, reward, color=colour, linestyle=style, linewidth=1.7, label=label)
        data.setdefault("time [h]", [float(v) for v in found.time_h[::2]])
        keep_in(data, f"reward, {label}", reward[::2])
    right.set(xlabel="hours after 0.6 g/kg", ylabel="reward of alcohol [1]", xlim=(0, 3), ylim=(0, None))
    right.set_title("what an occupied receptor takes", loc="left")
    right.legend(loc="lower right")
    right.grid(True)
    _legend(figure, left)
    return (
        figure,
        "Effect sizes of naltrexone on stimulation, craving, drinks, sedation and mood, published and modelled, and "
        "the course of reward after a drink with none, 95 % and all of mu occupied.",
        "Left: the six pooled effect sizes were fitted, so agreement is no support. Right: typical person; the opioid "
        "share of reward is small, and what is left with every receptor held is the rest.",
        even(data),
    )


def _trial(lab: Lab) -> Drawing:
    figure = new_figure(7.4, 6.4)
    grid = figure.add_gridspec(2, 1, height_ratios=(1.35, 1))
    above = grid[0].subgridspec(1, 2, width_ratios=(1.6, 1))
    points, ratios = figure.add_subplot(above[0]), figure.add_subplot(above[1])
    data: Columns = {}
    _forest(
        points,
        lab,
        (
            ("days with drinking", "M14.2", "Roesner 2010"), ("days with drinking", "M14.15", "Jonas 2014"),
            ("heavy days", "M14.3", "Roesner 2010"), ("heavy days", "M14.16", "Jonas 2014"),
            ("heavy days, injection", "M14.18", "Jonas 2014"), ("return to heavy drinking", "M14.17", "Jonas 2014"),
        ),
        data,
    )  # fmt: skip
    _named(points)
    points.set_xlabel("naltrexone less placebo [points]")
    points.set_title("50 mg a day, 12 weeks", loc="left")
    _forest(
        ratios,
        lab,
        (
            ("return to\nheavy drinking", "M14.1", "Roesner 2010"), ("any drinking", "M14.13", "Roesner 2010"),
            ("return, in non-carriers", "M15.13", "Oslin 2015, odds"),
        ),
        data,
        none=1.0,
    )  # fmt: skip
    ratios.set(xlim=(0.35, 1.25), xlabel="risk or odds ratio")
    rates = figure.add_subplot(grid[1])
    words = ("no drinking", "no heavy day", "risk two\nlevels lower", "risk one\nlevel lower")
    width = 0.16
    for k, name in enumerate(words):
        for j, (arm, colour) in enumerate((("placebo", ORANGE), ("100 mg a day", BLUE))):
            test = _test(f"M14.{4 + 2 * k + j}")
            row, found = row_of(lab, test.options), ALCOHOL[test.run](lab, test.options)
            at = k + (j - 0.5) * 0.36
            half = 1.96 * float(row.sd_fixed or 0.0)
            rates.errorbar(
                [at - width / 2], [row.value], yerr=[half], fmt="s", color=INK, markersize=4.5, capsize=2.5, linewidth=1
            )
            rates.bar(
                [at + width / 2],
                [found.predicted],
                width,
                color=colour,
                alpha=0.8,
                label=None if k else f"model, {arm}",
            )
            for column, value in (
                ("outcome", f"{name}, {arm}".replace("\n", " ")), ("study", "COMBINE, last four weeks"),
                ("published", row.value), ("published low", row.value - half), ("published high", row.value + half),
                ("model", found.predicted), ("model 5 %", found.band[0]), ("model 95 %", found.band[1]),
                ("evidence", test.evidence),
            ):  # fmt: skip
                data[column].append(value)
    rates.set_xticks(range(len(words)), words)
    rates.set(ylim=(0, 100), ylabel="people [%]", xlim=(-0.6, 3.6))
    rates.set_title("COMBINE, last four of 16 weeks: published (squares) and model, fitted to it", loc="left")
    rates.legend(loc="upper left")
    rates.grid(True, axis="y")
    _legend(figure, points)
    return (
        figure,
        "Differences and ratios of trial endpoints, published and modelled, and responder rates of COMBINE in both "
        "arms.",
        "The same 3,000 virtual people with and without naltrexone; a missing day fails yes/no endpoints. Reviews "
        "share trials with those that were fitted. COMBINE's rates with naltrexone: mean effect of trials.",
        even(data),
    )


def _craving(lab: Lab) -> Drawing:
    figure = new_figure(7.4, 3.3)
    left, right = figure.subplots(1, 2)
    data: Columns = {}
    found = session(lab, "cue", WEEK)
    minutes = 60 * found.plan.grid
    data["minutes"] = [float(v) for v in minutes]
    for k, (label, colour) in enumerate((("placebo", ORANGE), ("50 mg a day for a week", BLUE))):
        left.plot(minutes, found.courses["craving"][k], color=colour, linewidth=1.7, label=label)
        keep_in(data, f"craving, {label} [points]", found.courses["craving"][k])
    left.set(xlabel="minutes with drinks in sight", ylabel="craving [points]")
    left.legend(loc="lower right")
    left.set_title("after a cue", loc="left")
    left.grid(True)
    days = np.array(_CRAVING_DAYS, dtype=np.float64)
    runs = [session(lab, "cue", WEEK, n=_FEW, at=f"{24 * d + 3:g} h") for d in days]
    g = np.array([run.effects["craving"].g for run in runs])
    held = np.array([float(np.median(run.occupancy)) for run in runs])
    right.axvspan(0, 7, color=INK, alpha=0.07, linewidth=0)
    right.annotate("tablets", (0.3, 0.95), xycoords=("data", "axes fraction"), va="top", fontsize=8.5)
    right.plot(days, g, "o-", color=BLUE, linewidth=1.7, markersize=4)
    right.axhline(0, color=INK, linewidth=0.6)
    right.set(xlabel="days", ylabel="craving after a cue, Hedges g", xlim=(-0.5, 20.5))
    other = right.twinx()
    other.plot(days, 100 * held, color=GREEN, linewidth=1.3, linestyle="--")
    # The right axis is turned round, so that both lines go down together.
    other.set(ylim=(100 * right.get_ylim()[0] / min(g), 100 * right.get_ylim()[1] / min(g)))
    other.set_ylabel("mu held [%] (dashed)")
    right.set_title("with the block", loc="left")
    right.grid(True)
    data["days"] = [float(d) for d in days]
    keep_in(data, "Hedges g", g)
    keep_in(data, "mu held, median [%]", 100 * held)
    return (
        figure,
        "Craving while drinks are in sight, with placebo and after a week of naltrexone; and the effect on craving "
        "over a week of tablets and two weeks after.",
        f"Left: median of virtual people. Right: {_FEW} people a point, the same in all; the size was fitted, the "
        "course follows from occupancy and was measured in nobody.",
        even(data),
    )


def individual_panels(left: Axes, right: Axes, lab: Lab, data: Columns) -> None:
    """Draw how much each person gains in a trial of 12 weeks, and heavy days with tablets against without."""
    effects, placebo = individual_effects(lab, "50 mg", 12)
    own, alone = effects.mean(axis=1), placebo.mean(axis=1)
    steps = np.arange(np.floor(own.min()), np.ceil(own.max()) + 1.0, 1.0)
    left.hist(own, bins=steps.tolist(), color=ORANGE, alpha=0.75)
    left.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    left.axvline(float(np.median(own)), color=INK, linewidth=1.2)
    left.annotate(
        f"median {np.median(own):.1f} days", (float(np.median(own)) + 0.6, 0.94), xycoords=("data", "axes fraction"),
        va="top", fontsize=8.5,
    )  # fmt: skip
    left.set(xlabel="heavy drinking days less in 84", ylabel="virtual people")
    left.set_title("50 mg a day: effect on one person", loc="left")
    right.plot([0, 84], [0, 84], color=INK, linewidth=0.7, linestyle=":")
    right.plot(alone[:_DOTS], (alone - own)[:_DOTS], "o", color=ORANGE, markersize=2.6, alpha=0.55, markeredgewidth=0)
    right.set(xlim=(-2, 86), ylim=(-2, 86), xlabel="heavy days without tablets", ylabel="with tablets")
    right.set_title(f"{_DOTS} of them", loc="left")
    right.grid(True)
    quantiles = np.linspace(0.05, 0.95, 19)
    keep_in(data, "heavy days less in 84", np.quantile(own, quantiles))
    keep_in(data, "heavy days without tablets", alone[:_DOTS])
    keep_in(data, "heavy days with tablets", (alone - own)[:_DOTS])


ALCOHOL_FIGURES: dict[str, Callable[[Lab], Any]] = {
    "laboratory": _laboratory,
    "trial": _trial,
    "craving": _craving,
}
