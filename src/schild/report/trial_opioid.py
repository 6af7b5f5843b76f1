"""Sections of the page of an opioid trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.figures import COLOURS, INK, Chart, folded
from schild.report.parts import Raw, charts_svg, columns_of, figure, paragraph, table

if TYPE_CHECKING:
    from schild.trial import TrialResult

#: People of each arm whose courses are drawn.
_SWIMMERS = 20
#: Results of urine by code, and their colours.
_URINE = (("negative", COLOURS[0]), ("positive", COLOURS[1]), ("missing", "#b0b0b0"))


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


def swimmers(result: TrialResult, foot: Sequence[str]) -> Raw:
    """Draw the weeks of the first people of each arm: urine, first dose, end of treatment."""
    from schild.trial.opioid_part import COUNTS, urine_codes

    told: list[tuple[Any, ...]] = []
    n = min(_SWIMMERS, len(result.part.counts))
    marks: tuple[list[Any], list[Any]] = [], []
    chart, places, codes = Chart(70.0 + 7.5 * n * len(result.arms)), [], []
    for k, arm in enumerate(result.arms):
        counts = result.part.counts[:n, k]
        codes.append(urine_codes(result.trial, counts))
        places.append(np.arange(n) + k * (n + 1.0))
        for j, place in enumerate(places[-1]):
            first, stop = (int(counts[j, COUNTS.index(c)]) for c in ("first", "stop"))
            if first >= 0:
                marks[0].append((first / 7, place))
            if stop < result.trial.days:
                marks[1].append((stop / 7, place))
            told.append((arm, j, first, stop, "".join("-+o "[int(c)] for c in codes[-1][j])))
    every, rows = np.concatenate(codes), np.concatenate(places)
    for code, (words, colour) in enumerate(_URINE):
        person, week = np.nonzero(every == code)
        y = rows[person]
        chart.bars(week, week + 1.0, y - 0.4, y + 0.4, color=colour, label=words)
    for (words, shape), at in zip((("first dose", ">"), ("end of treatment", "X")), marks, strict=True):
        if at:
            week, place = np.transpose(at)
            chart.marks(week, place, shape, color=INK, size=5.5, label=words, over=3)
    chart.y.ticks, chart.y.words = [p.mean() for p in places], [folded(arm, 120.0) for arm in result.arms]
    chart.y.lim, chart.x.lim = (rows[-1] + 1.0, -1.0), (-0.4, float(result.trial.trial.weeks))
    chart.x.label, chart.legend, chart.grid = "week", "below", False
    said = "Weeks of the first people of each arm, coloured by their urine."
    svg = charts_svg([chart], "swimmers", said, foot)
    caption = (
        "The first people of each arm, one line each. Blue: urine negative; orange: positive; grey: missing. Triangle: "
        "first dose; cross: end of treatment."
    )
    data = columns_of(("arm", "person", "first dose, day", "treatment ends, day", "urine"), told)
    return figure(svg, caption=caption, data=data, name="swimmers")


def weekly_data(weekly: Mapping[str, Mapping[str, Any]], columns: Mapping[str, str]) -> dict[str, list[Any]]:
    """Courses of arms by week as columns; ``columns``: keys of ``TrialResult.weekly`` and their headings."""
    weeks = [len(next(iter(w.values()))) for w in weekly.values()]
    found: dict[str, list[Any]] = {"week": [k + 1 for n in weeks for k in range(n)]}
    found["arm"] = [name for name, n in zip(weekly, weeks, strict=True) for _ in range(n)]
    return found | {head: [float(v) for w in weekly.values() for v in w[key]] for key, head in columns.items()}


def weeks(result: TrialResult, foot: Sequence[str]) -> Raw:
    """Draw use, treatment, occupancy and the overdose ratio by week."""
    weekly = result.weekly()
    week = np.arange(1, result.trial.trial.weeks + 1)
    columns = ("used", "on", "seen", "positive", "negative", "occupancy", "craving", "cows", "overdose")
    panels = (("used", "on", "share of days: use; dashed: in treatment"),
              ("occupancy", None, "mu occupied by the treatment, mean of all"),
              ("craving", None, "craving, 0 to 1"),
              ("overdose", None, "overdose hazard over that of daily use"))  # fmt: skip
    charts = []
    for solid, dashed, title in panels:
        chart = Chart(220.0)
        for k, (name, w) in enumerate(weekly.items()):
            chart.line(week, w[solid], color=COLOURS[k % len(COLOURS)], label=name)
            if dashed:
                chart.line(week, w[dashed], color=COLOURS[k % len(COLOURS)], dashes="--")
        chart.title, chart.x.label, chart.y.lim, chart.legend = title, "week", (0.0, None), "below"
        charts.append(chart)
    data = weekly_data(weekly, {c: c for c in columns})
    svg = charts_svg(charts, "weeks", "Use, treatment, occupancy, craving and overdose ratio by week and arm.", foot)
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


def exposure(result: TrialResult, foot: Sequence[str]) -> Raw:
    """Draw use in a week against the occupancy of that week, over weeks and arms."""
    weekly = result.weekly()
    chart = Chart(240.0)
    for k, (name, w) in enumerate(weekly.items()):
        chart.marks(w["occupancy"], w["used"], color=COLOURS[k % len(COLOURS)], size=4.5, label=name)
    chart.x.label, chart.y.label = "mu occupied by the treatment, mean of a week", "share of days with use"
    chart.x.lim, chart.legend = (0.0, 1.0), "below"
    said = "Share of days with use against mean occupancy, a point for each week."
    svg = charts_svg([chart], "exposure", said, foot)
    data = weekly_data(weekly, {"occupancy": "occupancy", "used": "share of days with use"})
    data.pop("week")
    return figure(svg, caption="Exposure and use, a point for each week of an arm.", data=data, name="exposure")


def unknowable() -> Raw:
    """State what no model of this kind can predict."""
    return paragraph(
        "The model does not predict how severe withdrawal will be in one person, who relapses, the absolute risk of "
        "overdose, how far routine care falls short of a trial, what happens after 24 weeks, or withdrawal after years "
        "of fentanyl."
    )
