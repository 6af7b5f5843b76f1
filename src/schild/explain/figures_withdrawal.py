"""Figures of dependence and withdrawal, drawn from the runs of the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schild.explain.experiments_withdrawal import (
    DUE_H,
    FORMER_USE,
    INJECTED_H,
    MILD,
    MODERATE,
    MODERATELY_SEVERE,
    NALOXONE_AT_H,
    SEVERE,
    WAITS_H,
    added_after,
    course_after,
    daily_use,
    months_of_tablets,
    tolerance_after,
)
from schild.explain.lab import Lab
from schild.explain.panels import BLUE, GREEN, ORANGE, PINK, Columns, band, even, keep_in
from schild.report import INK, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["WITHDRAWAL_FIGURES", "tolerance_panel"]

Floats = NDArray[np.floating]
Drawing = tuple["Figure", str, str, Columns]

#: Colours of waits, from the shortest to the longest.
_SHADES = ("#7a1f5c", "#b8325f", "#e0623f", "#e69f00", "#7fb13d", "#2f9e8f", "#2f6fb0")
#: Bands of severity: lower end, name, colour of a cell that dark ink stands out from.
_BANDS = (
    (0.0, "none", "#eceff1"),
    (MILD, "mild", "#ffe082"),
    (MODERATE, "moderate", "#ffb74d"),
    (MODERATELY_SEVERE, "moderately severe", "#f5855f"),
    (SEVERE, "severe", "#dd6b8e"),
)
_CELL_INK = "#141414"
_BAND = "Line: typical person; band: 90 % of virtual people."
_NOT_YOU = "Severity in one person cannot be foretold."
#: Prior use of the heat map. [days]
_LENGTHS = (3, 7, 14, 30, 60, 180)


def _words(wait_h: float) -> str:
    return f"{wait_h:g} h" if wait_h < 24 else f"{wait_h / 24:g} d"


def _severities(axis: Axes, *, named: bool = True) -> None:
    """Lines at the lower ends of the bands, with their names beside them."""
    for low, name, _ in _BANDS[1:]:
        axis.axhline(low, color=INK, linewidth=0.6, linestyle=":", zorder=0)
        if named:
            axis.annotate(
                name.replace(" ", "\n"), (1.015, low), xycoords=("axes fraction", "data"), va="bottom", fontsize=7.5
            )
    axis.set(ylim=(-1, 48), ylabel="COWS [points]")


def _by_wait(lab: Lab) -> Drawing:
    figure = new_figure(7.4, 5.8)
    axes = list(figure.subplots(2, 2, sharey=True).flat)
    data: Columns = {}
    for axis, former in zip(axes, ("heroin", "methadone", "buprenorphine", "pentazocine"), strict=True):
        t, alone = course_after(lab, former, None)
        axis.plot(t[::2] / 24, alone[0, ::2], color=INK, linewidth=2.4, alpha=0.35, label="no naltrexone")
        # Lines from every half hour or hour; the table has every second hour.
        data.setdefault("time [h]", [float(v) for v in t[::4]])
        keep_in(data, f"{former}, none", alone[0, ::4])
        for wait, colour in zip(WAITS_H, _SHADES, strict=True):
            t_wait, cows = course_after(lab, former, wait)
            late = t_wait >= wait - 1e-6
            axis.plot(t_wait[late] / 24, cows[0, late], color=colour, linewidth=1.6, label=_words(wait))
            keep_in(data, f"{former}, {_words(wait)}", cows[0, ::4])
        _severities(axis, named=former in ("methadone", "pentazocine"))
        axis.set(xlim=(0, 16.5), xticks=range(0, 17, 2))
        axis.set_title(f"{FORMER_USE[former]}, 60 days", loc="left")
        axis.grid(True, axis="x")
    for axis in axes[2:]:
        axis.set_xlabel("days after the last dose")
    for axis in (axes[1], axes[3]):
        axis.set_ylabel("")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=8, title="50 mg of naltrexone after",
        title_fontsize=8.5, handlelength=1.4, columnspacing=1.2,
    )  # fmt: skip
    return (
        figure,
        "Withdrawal score over days after the last dose of four opioids, without naltrexone and with a tablet at "
        "seven waits: high after early tablets, little added after long waits.",
        "Typical person, followed for two days after each tablet. Grey: the opioid's own withdrawal. Amounts of "
        f"earlier use are assumed. {_NOT_YOU}",
        even(data),
    )


def _intervals(lab: Lab) -> Drawing:
    figure = new_figure(7.4, 3.6)
    axes = list(figure.subplots(1, 2, sharey=True))
    days = np.array(WAITS_H) / 24
    data: Columns = {"wait [d]": [float(d) for d in days]}
    short = (("heroin", BLUE, "-"), ("morphine", ORANGE, "--"), ("pentazocine", GREEN, "-."))
    long = (("methadone", BLUE, "-"), ("buprenorphine", PINK, "--"))
    for axis, drugs, (begin, end), title in (
        (axes[0], short, (7.0, 10.0), "short-acting"),
        (axes[1], long, (7.0, 14.0), "long-acting, partial"),
    ):
        axis.axvspan(begin, end, color=INK, alpha=0.07, linewidth=0)
        for former, colour, style in drugs:
            one = np.array([added_after(lab, former, wait)[1][0] for wait in WAITS_H])
            low, high = np.array(
                [np.quantile(added_after(lab, former, wait, many=True)[1], [0.05, 0.95]) for wait in WAITS_H]
            ).T
            band(axis, days, one, low, high, colour, former, style)
            axis.plot(days, one, "o", color=colour, markersize=3.2)
            keep_in(data, f"added after {former}", one, low, high)
        _severities(axis, named=axis is axes[1])
        axis.set(xlim=(0, 14.2), xticks=range(0, 15, 2), xlabel="days between the last dose and the tablet")
        axis.set_title(title, loc="left")
        axis.legend(loc="upper right", bbox_to_anchor=(1.0, 0.93))
        axis.annotate("label's interval", ((begin + end) / 2, 45.2), ha="center", fontsize=8)
    axes[0].set_ylabel("COWS added by a tablet [points]")
    axes[1].set_ylabel("")
    return (
        figure,
        "What a tablet adds to the withdrawal score, over the days since the last dose, for five opioids with bands.",
        f"{_BAND} Grey: intervals of the label, 7 to 10 days after short-acting opioids, up to 14 after methadone or "
        "buprenorphine. A low added part after early tablets can also mean that withdrawal is already high. "
        f"No interval and no test is wholly reliable. {_NOT_YOU}",
        data,
    )


def _prior_use(lab: Lab) -> Drawing:
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    figure = new_figure(7.4, 3.7)
    axes = list(figure.subplots(1, 2, sharey=True))
    colours = ListedColormap([colour for _, _, colour in _BANDS])
    norm = BoundaryNorm([*(low for low, _, _ in _BANDS), 49.0], len(_BANDS))
    grids = np.array(
        [[[part[0] for part in added_after(lab, "heroin", wait, days=days)] for wait in WAITS_H] for days in _LENGTHS]
    )
    data: Columns = {"days of use": [float(d) for d in _LENGTHS for _ in WAITS_H]}
    data["wait [d]"] = [w / 24 for _ in _LENGTHS for w in WAITS_H]
    for k, (axis, title) in enumerate(zip(axes, ("peak after the tablet", "added by the tablet"), strict=True)):
        values = grids[:, :, k]
        axis.pcolormesh(values, cmap=colours, norm=norm, edgecolors=_CELL_INK, linewidth=0.3)
        for (row, column), value in np.ndenumerate(values):
            axis.annotate(
                f"{value:.0f}", (column + 0.5, row + 0.5), ha="center", va="center", fontsize=8, color=_CELL_INK
            )
        axis.set_xticks(np.arange(len(WAITS_H)) + 0.5, [_words(w) for w in WAITS_H])
        axis.set_yticks(np.arange(len(_LENGTHS)) + 0.5, [f"{d:g} d" for d in _LENGTHS])
        axis.set(xlabel="from the last dose to the tablet")
        axis.set_title(title, loc="left")
        axis.tick_params(length=0)
        data[f"{title} [points]"] = [float(v) for v in values.ravel()]
    axes[0].set_ylabel("prior use")
    figure.legend(
        handles=[
            Patch(facecolor=colour, edgecolor=_CELL_INK, linewidth=0.3, label=f"{name} ({low:g}+)" if low else name)
            for low, name, colour in _BANDS
        ],
        loc="outside upper center", ncols=5, handlelength=1.1, columnspacing=1.0,
    )  # fmt: skip
    return (
        figure,
        "Heat map of the withdrawal score after a tablet, by days of prior heroin use and by the time since the last "
        "dose: high for long use and short waits.",
        f"{FORMER_USE['heroin']}, typical person; latent COWS. In people length of use did not foretell severity in "
        f"one study and did in another. {_NOT_YOU}",
        data,
    )


def _drive(lab: Lab) -> str:
    """What the default mechanism follows, in words."""
    drive = next(entry.drive for entry in lab.catalogue.adaptation.values() if entry.default)
    return "activation" if drive == "activation" else "the response that activation makes, with receptors to spare"


def _half_a_year(lab: Lab) -> Drawing:
    figure = new_figure(7.4, 4.6)
    axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(1.25, 1))
    states = ["adaptation_fast", "adaptation_slow"]
    tablets = months_of_tablets(lab)
    opioid = lab.run(
        f"{FORMER_USE['morphine']} x720", 208 * 24.0, 3.0, ["mor_activation", *states, "cows"], adaptation=True
    ).outputs
    data: Columns = {}
    top = max(float(np.max(opioid[name].value)) for name in ("mor_activation", *states))
    for column, (found, title, what) in enumerate(
        (
            (tablets, "naltrexone 50 mg a day", "naltrexone"),
            (opioid, "morphine 120 mg a day under the skin", "morphine"),
        )
    ):
        upper, lower = axes[0][column], axes[1][column]
        time_h = np.asarray(found["cows"].time_h)
        late = time_h >= 160 * 24.0
        t = time_h[late]
        keep_in(data, f"{what}: time [h]", t)
        for name, label, colour, style, width in (
            ("mor_activation", "activation of mu by drugs", "#888888", "-", 0.8),
            ("adaptation_fast", "fast adaptation", ORANGE, "-", 1.3),
            ("adaptation_slow", "slow adaptation", BLUE, "-", 1.8),
        ):
            values = np.asarray(found[name].value)[late]
            upper.plot(t / 24, values, color=colour, linestyle=style, linewidth=width, label=label)
            keep_in(data, f"{what}: {label}", values)
        cows = np.asarray(found["cows"].value)[late]
        lower.plot(t / 24, cows, color=PINK, linewidth=1.7)
        keep_in(data, f"{what}: COWS [points]", cows)
        for axis in (upper, lower):
            axis.axvline(180, color=INK, linewidth=0.8, linestyle=":")
            axis.grid(True)
            axis.set(xlim=(160, 208))
        upper.annotate("stopped", (180.6, 1.02 * top), fontsize=8.5, va="top")
        upper.set_title(title, loc="left")
        upper.set_ylim(-0.03 * top, 1.06 * top)
        _severities(lower, named=column == 1)
        lower.set_xlabel("days; use from day 0 to 180")
    axes[0][0].set_ylabel("activation, states")
    axes[1][1].set_ylabel("")
    figure.legend(*axes[0][1].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return (
        figure,
        "Half a year of naltrexone leaves activation, adaptation and withdrawal at zero; half a year of morphine "
        "builds adaptation, which outlives activation when it stops, and withdrawal follows.",
        "Typical person, the last weeks of 180 days of use and 28 days after. Adaptation lags behind its drive "
        f"({_drive(lab)}); withdrawal is what of it is left uncovered. Zero on the left follows from the equations.",
        even(data),
    )


def _protection(lab: Lab) -> Drawing:
    figure = new_figure(7.4, 5.2)
    axes = figure.subplots(2, 2, sharex="col")
    data: Columns = {}
    for row, (agonist, route, title) in enumerate(
        (("morphine", "oral", "morphine 30 mg by mouth a day"), ("heroin", "iv", "heroin 25 mg into a vein a day"))
    ):
        for blocked, label, colour, style in (
            (False, "without naltrexone", ORANGE, "-"),
            (True, "with 50 mg a day", BLUE, "--"),
        ):
            names = ("cows", "tolerance")
            t, one = daily_use(lab, agonist, route, blocked=blocked, outputs=names)
            many = daily_use(lab, agonist, route, blocked=blocked, outputs=names, many=True)[1]
            for axis, name in zip(axes[row], ("tolerance", "cows"), strict=True):
                # Every sixth hour is enough for weeks.
                some = np.arange(t.size) % 24 == 0 if name == "tolerance" else t >= NALOXONE_AT_H - 30
                x = t[some] / 24 if name == "tolerance" else t[some] - NALOXONE_AT_H
                low, high = np.quantile(many[name][:, some], [0.05, 0.95], axis=0)
                band(axis, x, one[name][0, some], low, high, colour, label, style)
                data.setdefault("days" if name == "tolerance" else "hours from naloxone", [float(v) for v in x])
                keep_in(data, f"{agonist}, {name}, {label}", one[name][0, some], low, high)
        axes[row][0].set(ylabel="tolerance [-fold]", xlim=(0, 30.5))
        axes[row][0].set_title(title, loc="left")
        axes[row][1].set(ylabel="COWS [points]", xlim=(-30, 6), xticks=range(-30, 7, 6))
        axes[row][1].axvline(0, color=INK, linewidth=0.8, linestyle=":")
        axes[row][1].axhline(MILD, color=INK, linewidth=0.6, linestyle=":")
        for axis in axes[row]:
            axis.grid(True)
        top = max(axes[row][1].get_ylim()[1], MILD + 1.0)
        axes[row][1].set_ylim(-0.03 * top, top)
        axes[row][1].annotate("mild", (-29.5, MILD), va="bottom", fontsize=7.5)
        axes[row][1].annotate("naloxone", (-0.4, 0.97 * top), va="top", ha="right", fontsize=8.5)
    axes[1][0].set_xlabel("days of use")
    axes[1][1].set_xlabel("hours from 10 mg of naloxone, day 30")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return (
        figure,
        "Tolerance over a month of daily use, and withdrawal score around naloxone at its end, with and without "
        "naltrexone, for morphine by mouth and heroin into a vein.",
        "The largest published doses, the only ones that are run under naltrexone; people who use take more. "
        f"Tolerance: shift of the half-effect concentration for breathing. {_BAND}",
        even(data),
    )


def tolerance_panel(axis: Axes, lab: Lab, data: Columns) -> None:
    """Draw tolerance for breathing from the last use on, under an injection ten days later."""
    t, one = tolerance_after(lab)
    _, many = tolerance_after(lab, True)
    low, high = np.quantile(many, [0.05, 0.95], axis=0)
    band(axis, t / 24, one[0], low, high, PINK, "tolerance for breathing")
    for at, word in ((INJECTED_H, "injection"), (DUE_H, "next one due")):
        axis.axvline(at / 24, color=INK, linewidth=0.8, linestyle=":")
        axis.annotate(word, (at / 24 + 1, 0.97), xycoords=("data", "axes fraction"), va="top", fontsize=8)
    axis.axhline(1.0, color=INK, linewidth=0.6)
    axis.set(xlim=(0, 80), ylim=(0.9, None), xlabel="days after the last heroin", ylabel="tolerance [-fold]")
    axis.set_title("tolerance lost under treatment", loc="left")
    axis.grid(True)
    keep_in(data, "time [h]", t)
    keep_in(data, "tolerance [-fold]", one[0], low, high)


WITHDRAWAL_FIGURES: dict[str, Callable[[Lab], Any]] = {
    "by_wait": _by_wait,
    "intervals": _intervals,
    "prior_use": _prior_use,
    "half_a_year": _half_a_year,
    "protection": _protection,
}
