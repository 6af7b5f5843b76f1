"""Sections of the page of an opioid trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from schild.figures import COLOURS
from schild.report.drawing import draw_on, new_figure, svg_of
from schild.report.parts import Raw, figure, paragraph, table

if TYPE_CHECKING:
    from schild.trial import TrialResult

#: People of each arm whose courses are drawn.
_SWIMMERS = 20
_URINE = {0: "negative", 1: "positive", 2: "missing"}


def people_rows(result: TrialResult) -> list[tuple[str, str]]:
    """Describe the people before treatment, for the page's table."""
    trial = result.trial
    people = result.part.people.reshape(-1, 6)
    return [
        ("setting", trial.setting.place),
        ("days from the last opioid to randomisation", f"{people[:, 1].mean():.1f}"),
        ("share of fentanyl in the opioids used", f"{100 * trial.setting.fentanyl:.0f} %"),
        ("women", f"{100 * people[:, 0].mean():.0f} %"),
    ]


def swimmers(result: TrialResult) -> Raw:
    """Draw the weeks of the first people of each arm: urine, first dose, end of treatment."""
    from schild.trial.opioid_part import COUNTS, urine_codes

    colours = {0: COLOURS[0], 1: COLOURS[1], 2: "#d0d0d0"}
    data: dict[str, list[Any]] = {
        "arm": [],
        "person": [],
        "first dose, day": [],
        "treatment ends, day": [],
        "urine": [],
    }
    n = min(_SWIMMERS, len(result.part.counts))
    with draw_on():
        drawn = new_figure(7.2, 0.7 + 0.11 * n * len(result.arms))
        ax = drawn.subplots()
        place = 0
        ticks = []
        for k, arm in enumerate(result.arms):
            counts = result.part.counts[:n, k]
            codes = urine_codes(result.trial, counts)
            ticks.append((place + n / 2, arm))
            for j in range(n):
                for week, code in enumerate(codes[j]):
                    if code >= 0:
                        ax.barh(place, 1, left=week, height=0.8, color=colours[int(code)], linewidth=0)
                first, stop = (int(counts[j, COUNTS.index(c)]) for c in ("first", "stop"))
                if first >= 0:
                    ax.plot(first / 7, place, ">", color="black", markersize=4, clip_on=False)
                if stop < result.trial.days:
                    ax.plot(stop / 7, place, "x", color="black", markersize=3.5, markeredgewidth=0.9)
                word = "".join("-+o "[int(c)] for c in codes[j])
                for column, value in zip(data, (arm, j, first, stop, word), strict=True):
                    data[column].append(value)
                place += 1
            place += 1
        ax.set_yticks([t for t, _ in ticks], [a for _, a in ticks])
        ax.set(xlabel="week", xlim=(-0.4, result.trial.trial.weeks))
        ax.invert_yaxis()
        svg = svg_of(drawn, "swimmers", "Weeks of the first people of each arm, coloured by their urine.")
    caption = (
        "The first people of each arm, one line each. Blue: negative; orange: positive; grey: missing. Triangle: first "
        "dose; cross: end of treatment."
    )
    return figure(svg, caption=caption, data=data, name="swimmers")


def weeks(result: TrialResult) -> Raw:
    """Draw use, treatment, occupancy and the overdose ratio by week."""
    weekly = result.weekly()
    week = np.arange(1, result.trial.trial.weeks + 1)
    columns = ("used", "on", "seen", "positive", "negative", "occupancy", "craving", "cows", "overdose")
    data: dict[str, list[Any]] = {"week": [], "arm": [], **{c: [] for c in columns}}
    with draw_on():
        drawn = new_figure(7.2, 5.2)
        axes = drawn.subplots(2, 2)
        panels = ((axes[0][0], "used", "on", "share of days: solid, use; dashed, in treatment"),
                  (axes[0][1], "occupancy", None, "mu occupied by the treatment, mean of all"),
                  (axes[1][0], "craving", None, "craving, 0 to 1"),
                  (axes[1][1], "overdose", None, "overdose hazard over that of daily use"))  # fmt: skip
        for k, (name, w) in enumerate(weekly.items()):
            colour = COLOURS[k % len(COLOURS)]
            for ax, solid, dashed, title in panels:
                ax.plot(week, w[solid], color=colour, label=name)
                if dashed:
                    ax.plot(week, w[dashed], "--", color=colour)
                ax.set_title(title, fontsize=9)
                ax.grid(True)
            for j in range(len(week)):
                for column, value in zip(data, (int(week[j]), name, *(float(w[c][j]) for c in columns)), strict=True):
                    data[column].append(value)
        for ax, *_ in panels:
            ax.set_ylim(0, None)  # after all arms, or the first would set the top
        axes[1][0].set_xlabel("week")
        axes[1][1].set_xlabel("week")
        axes[0][0].legend()
        svg = svg_of(drawn, "weeks", "Use, treatment, occupancy, craving and overdose ratio by week and arm.")
    return figure(svg, caption="All randomised people, seen or not. The ratio is not a risk.", data=data, name="weeks")


def leaving(result: TrialResult) -> Raw:
    """Tabulate first doses, end of treatment and leaving, after use or not."""
    from schild.trial.opioid_part import COUNTS

    rows = []
    for k, arm in enumerate(result.arms):
        c = {name: result.part.counts[:, k, j] for j, name in enumerate(COUNTS)}
        n, begun = len(c["first"]), c["first"] >= 0
        stopped = begun & (c["stop"] < result.trial.days - 1)
        after = stopped & (c["first_use"] >= 0) & (c["first_use"] <= c["stop"])
        day = f"{np.median(c['stop'][stopped] - c['first'][stopped]):.0f}" if stopped.any() else ""
        rows.append((
            arm, f"{100 * (n - begun.sum()) / n:.0f} %", f"{100 * stopped.sum() / n:.0f} %", day,
            f"{100 * after.sum() / max(stopped.sum(), 1):.0f} %",
            f"{100 * (c['leave'] < result.trial.days).mean():.0f} %",
        ))  # fmt: skip
    heads = (
        "arm",
        "no first dose",
        "stopped treatment",
        "days of treatment till then, median",
        "of these after use",
        "left the trial",
    )
    return table(heads, rows, caption="Who leaves when, of all randomised")


def exposure(result: TrialResult) -> Raw:
    """Draw use in a week against the occupancy of that week, over weeks and arms."""
    weekly = result.weekly()
    data: dict[str, list[Any]] = {"arm": [], "occupancy": [], "share of days with use": []}
    with draw_on():
        drawn = new_figure(7.2, 2.8)
        ax = drawn.subplots()
        for k, (name, w) in enumerate(weekly.items()):
            ax.plot(w["occupancy"], w["used"], "o", color=COLOURS[k % len(COLOURS)], markersize=3.5, label=name)
            data["arm"] += [name] * len(w["used"])
            data["occupancy"] += [float(v) for v in w["occupancy"]]
            data["share of days with use"] += [float(v) for v in w["used"]]
        ax.set(xlabel="mu occupied by the treatment, mean of a week", ylabel="share of days with use", xlim=(0, 1))
        ax.grid(True)
        ax.legend()
        svg = svg_of(drawn, "exposure", "Share of days with use against mean occupancy, a point for each week.")
    return figure(svg, caption="Exposure and use, a point for each week of an arm.", data=data, name="exposure")


def unknowable() -> Raw:
    """State what no model of this kind can predict."""
    return paragraph(
        "The model does not predict how severe withdrawal will be in one person, who relapses, the absolute risk of "
        "overdose, how far routine care falls short of a trial, what happens after 24 weeks, or withdrawal after years "
        "of fentanyl."
    )
