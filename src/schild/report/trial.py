"""Page of a virtual trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.figures import COLOURS, Chart, stairs
from schild.report import trial_opioid
from schild.report.parts import Raw, charts_svg, columns_of, figure, foot_of, notice, page, paragraph, section, table
from schild.report.simulation import ADVICE, sources
from schild.report.trial_opioid import weekly_data
from schild.results import json_text
from schild.trial.kinds import words_of

if TYPE_CHECKING:
    from schild.trial import Sizing, TrialResult
    from schild.trial.endpoints import Contrast, Endpoint

#: Endpoints whose differences are drawn, all in percentage points; those of which less is good first.
DRAWN = {
    "alcohol": (
        "percent_drinking_days", "percent_heavy_drinking_days", "return_to_heavy_drinking", "abstinence",
        "last4_abstinence", "last4_no_heavy", "last4_who2", "last4_who1",
    ),
    "opioid": (
        "relapse_4wk", "relapse_4wk_inducted", "relapse_4wk_positive", "dropout_4wk", "use_days", "inducted", "kept",
        "percent_negative", "abstinent_throughout",
    ),
}  # fmt: skip


def trial_html(result: TrialResult) -> str:
    """Write a trial as one self-contained page.

    ``result``: of ``run_trial``. Returns HTML: answer, endpoints, comparisons, survival, weeks, effect on each person,
    sources, how to repeat it.

    >>> from schild.trial import Trial, run_trial
    >>> arm = {"name": "a", "drug": "naltrexone", "amount": "50 mg"}
    >>> text = trial_html(run_trial(Trial.of(arm, n=100, weeks=4)))
    >>> text.startswith("<!DOCTYPE html>"), "<script" in text
    (True, False)
    """
    trial = result.trial
    head = trial.trial
    parts: list[str] = [paragraph(_answer(result), kind="answer")]
    parts += [notice(w, kind="warning", title="Note.") for w in result.warnings]
    parts.append(section("Arms and people", _design(result)))
    parts.append(section("Endpoints", _endpoints(result)))
    if result.contrasts:
        parts.append(section("Comparisons", _forest(result), _contrasts(result)))
    opioid = trial.disorder == "opioid"
    what = "Time to relapse" if opioid else "Time to the first heavy drinking day"
    parts.append(section(what, _survival(result), _at_risk(result)))
    parts.append(section("Week by week", trial_opioid.weeks(result, foot(result)) if opioid else _weeks(result)))
    if opioid:
        swimmers = trial_opioid.swimmers(result, foot(result))
        parts.append(section("Who leaves when", trial_opioid.leaving(result), swimmers))
        parts.append(section("Exposure and use", trial_opioid.exposure(result, foot(result))))
        parts.append(section("What cannot be predicted", trial_opioid.unknowable()))
    if result.individual:
        parts.append(section("Effect on each person", _individual(result)))
    parts.append(section("Sources of the trial's numbers", sources(result.sources, result.catalogue)))
    rows = [(k, v if isinstance(v, str) else json_text(v)) for k, v in result.manifest.items()]
    made = table(("entry", "value"), rows, caption="Manifest", widths=(20, 80))
    parts.append(section("To repeat this trial", made))
    lead = f"A virtual trial: {head.n:,} people in each arm, {head.weeks} weeks" + (
        f", {head.replicates:,} times." if head.replicates > 1 else "."
    )
    return page(head.title or "A virtual trial", *parts, lead=lead, foot=ADVICE)


def foot(found: TrialResult | Sizing) -> tuple[str, str]:
    """Lines below each chart of a trial."""
    trial = found.trial.trial
    return foot_of(trial.title or "A virtual trial", found.sources)


def _opioid_answer(result: TrialResult) -> str:
    said = []
    against = result.trial.reference.name
    for arm in result.arms:
        of = {name: result.endpoint(name, arm).estimate for name in ("inducted", "relapse_4wk", "relapse_4wk_inducted")}
        text = f"Under {arm} {of['inducted']:.0f} % had a first dose, and {of['relapse_4wk']:.0f} % of all relapsed"
        if np.isfinite(of["relapse_4wk_inducted"]):
            text += f" ({of['relapse_4wk_inducted']:.0f} % of those with a first dose)"
        c = next(
            (c for c in result.contrasts if (c.name, c.arm, c.measure) == ("relapse_4wk", arm, "difference")), None
        )
        if c is not None and c.estimate is not None:
            which = "fewer" if c.estimate < 0 else "more"
            text += f", {abs(c.estimate):.1f} percentage points {which} than under {against} ({_points(c)})"
        said.append(text + ".")
    return " ".join(said)


def _answer(result: TrialResult) -> str:
    if result.trial.disorder == "opioid":
        return _opioid_answer(result)
    said = []
    by = {(c.name, c.arm, c.measure): c for c in result.contrasts}
    for arm in result.arms:
        heavy = by.get(("percent_heavy_drinking_days", arm, "difference"))
        ratio = by.get(("return_to_heavy_drinking", arm, "risk_ratio"))
        needed = by.get(("last4_no_heavy", arm, "number_needed"))
        if heavy is None or heavy.estimate is None:
            continue
        text = (
            f"Under {arm}, {abs(heavy.estimate):.1f} percentage points {'fewer' if heavy.estimate < 0 else 'more'} "
            f"heavy drinking days than under {heavy.against} ({_points(heavy)})"
        )
        if ratio is not None and ratio.estimate is not None:
            text += f"; return to heavy drinking {ratio.estimate:.2f} times as frequent ({_range(ratio)})"
        if needed is not None and needed.estimate is not None:
            good = "one more has" if needed.estimate > 0 else "one fewer has"
            text += f"; of {abs(needed.estimate):.0f} treated, {good} no heavy day in the last four weeks"
        said.append(text + ".")
    return " ".join(said) or "One arm: nothing to compare it with."


def _range(c: Contrast) -> str:
    return "no interval" if c.low is None or c.high is None else f"95 %: {c.low:.2f} to {c.high:.2f}"


def _points(c: Contrast) -> str:
    """Write the limits of a difference in words: both on one side of 0, or one on each."""
    if c.low is None or c.high is None:
        return "no interval"
    if c.low * c.high > 0.0:
        near, far = sorted((abs(c.low), abs(c.high)))
        return f"95 %: {near:.1f} to {far:.1f}"
    return f"95 %: {abs(c.low):.1f} fewer to {c.high:.1f} more"


def _design(result: TrialResult) -> Raw:
    trial = result.trial
    arms = [
        (
            arm.name,
            arm.words,
            "as in the catalogue" if arm.adherence is None else f"{arm.adherence:g}",
            f"{arm.counselling:+g}" if arm.counselling else "none",
        )
        for arm in trial.arm
    ]
    rule = trial.eligibility
    least = [
        f"at least {value:g} {what}"
        for value, what in (
            (rule.drinking_days, "drinking days"), (rule.heavy_days, "heavy days"),
            (rule.drinks_per_week, "drinks a week"),
        ) if value
    ]  # fmt: skip
    eligible = [f"in the 28 days before {', '.join(least)}"] if least else []
    eligible += ["abstinent the day before"] if rule.abstinent else []
    people = result.part.people.reshape(-1, 6)
    drinkers = [
        ("eligible", "; ".join(eligible) or "everybody"),
        ("drinking days before, of 28", f"{people[:, 1].mean():.1f}"),
        ("heavy days before, of 28", f"{people[:, 2].mean():.1f}"),
        ("drinks a drinking day before", f"{people[:, 3].sum() / max(people[:, 1].sum(), 1.0):.1f}"),
        ("women", f"{100 * people[:, 0].mean():.0f} %"),
    ]
    rule_of_missing = "" if trial.disorder == "opioid" else f"{trial.trial.missing}: "
    missing = f"{rule_of_missing}{result.manifest['missing']}"
    rows = [
        (
            "people in the arms",
            "the same in every arm" if trial.trial.people == "shared" else "different people in each arm",
        ),
        *(trial_opioid.people_rows(result) if trial.disorder == "opioid" else drinkers),
        ("estimand", f"{trial.trial.estimand}: {result.manifest['estimand']}"),
        ("missing data", missing),
        ("parameter sets", "one for each replicate" if trial.trial.uncertainty else "the typical one"),
        ("effect and response differ between trials", "yes" if trial.trial.between_trials else "no"),
    ]
    made = table(("arm", "given", "adherence", "counselling, log odds"), arms, caption="Arms")
    return Raw(made + table(("what", "how"), rows, caption="People and analysis"))


def _cell(e: Endpoint) -> str:
    from schild.trial.endpoints import ENDPOINTS

    if not np.isfinite(e.estimate):
        return ""
    d = ENDPOINTS[e.name].digits
    return f"{e.estimate:.{d}f} ({e.low:.{d}f} to {e.high:.{d}f}); error {e.mc_se:.2f}"


def _endpoints(result: TrialResult) -> Raw:
    from schild.trial.endpoints import ENDPOINTS, endpoints_of, event_of

    rows: list[Sequence[Any]] = [
        (
            words_of(name) + f" [{kind.unit}]" * (kind.unit != "1"),
            kind.says,
            *(_cell(result.endpoint(name, a)) for a in result.arms),
        )
        for name in endpoints_of(result.trial)
        for kind in (ENDPOINTS[name],)
    ]
    medians = []
    for s in result.survival.values():
        limits = "" if s.low is None or s.high is None else f" ({s.low:.0f} to {s.high:.0f})"
        medians.append("not reached" if s.median is None else f"{s.median:.0f}{limits}")
    event = words_of(event_of(result.trial)[0])
    rows.append((f"{event} [d]", "median, Kaplan-Meier", *medians))
    many = result.trial.trial.replicates > 1
    told = "mean of replicates (the middle 95 % of them)" if many else "estimate (95 % interval)"
    return table(("endpoint", "what it is", *result.arms), rows, caption=f"{told}; error: Monte Carlo standard error")


def _contrasts(result: TrialResult) -> Raw:
    from schild.trial.endpoints import endpoints_of, event_of

    repeated = result.trial.trial.replicates > 1
    errors = {(words_of(c.name), c.arm): c.mc_se for c in result.contrasts if c.measure == "difference"}
    rows = [
        (*row, errors.get((row[0], row[1])))
        for row in result.comparison_cells((*endpoints_of(result.trial), event_of(result.trial)[0]))
    ]
    heads = (
        "endpoint", "arm", "difference", "ratio", "number needed to treat", "power" if repeated else "p",
        "Monte Carlo error",
    )  # fmt: skip
    caption = (
        f"Compared with {result.trial.reference.name}. Ratios are risk ratios, and hazard ratios for times. A number "
        "needed to treat below 0 is a number needed to harm; it has limits only where the interval of the difference "
        "excludes 0. The Monte Carlo error is that of the difference."
    )
    return table(heads, rows, caption=caption, numeric=(5, 6))


def _forest(result: TrialResult) -> Raw:
    by = {(c.name, c.arm): c for c in result.contrasts if c.measure == "difference"}
    arms = [a for a in result.arms if any(arm == a for _, arm in by)]
    rows: list[tuple[Any, ...]] = []
    names, chart = DRAWN[result.trial.disorder], Chart(0.0)
    chart.rows([words_of(name) for name in names])
    for k, arm in enumerate(arms):
        colour = COLOURS[k % len(COLOURS)]
        found = [(row + (k - (len(arms) - 1) / 2) * 0.22, by.get((name, arm))) for row, name in enumerate(names)]
        told = [(y, c) for y, c in found if c is not None and c.estimate is not None]
        for y, c in told:
            if c.low is not None and c.high is not None:
                chart.line([c.low, c.high], [y, y], color=colour, width=1.6)
            rows.append((c.name, arm, c.estimate, c.low, c.high))
        chart.marks([c.estimate for _, c in told], [y for y, _ in told], color=colour, size=6.0, label=arm)
    chart.rule(x=0.0, dashes="-")
    chart.x.label = f"difference from {result.trial.reference.name}, percentage points"
    chart.legend = "below" if len(arms) > 1 else ""
    said = "Differences from the reference arm with intervals, one line for each endpoint."
    svg = charts_svg([chart], "forest", said, foot(result))
    limits = " with 95 % intervals" if result.trial.trial.people == "own" else ", without intervals: the same people"
    better = "relapse, leaving and use" if result.trial.disorder == "opioid" else "days and return"
    caption = f"Differences{limits}. Left of zero is better for {better}, right of zero for the rest."
    data = columns_of(("endpoint", "arm", "difference", "low", "high"), rows)
    return figure(svg, caption=caption, data=data, name="differences")


def _survival(result: TrialResult) -> Raw:
    from schild.trial.endpoints import event_of

    event = event_of(result.trial)[1]
    rows = [
        (name, *map(float, each))
        for name, s in result.survival.items()
        for each in zip(s.time_day, s.share, s.se, strict=True)
    ]
    data = columns_of(("arm", "day", f"share without {event}", "standard error"), rows)
    svg = charts_svg(result.picture().charts, "km", f"Kaplan-Meier curves of {event} by arm.", foot(result))
    return figure(svg, caption="Kaplan-Meier with pointwise 95 % bands.", data=data, name="survival")


def _at_risk(result: TrialResult) -> Raw:
    """People at risk, a column for every four weeks."""
    from schild.trial.endpoints import times_of

    days = np.arange(0, result.trial.days, 28)
    rows = []
    for k, name in enumerate(result.arms):
        time, _ = times_of(result.trial, result.part.counts[:, k])
        rows.append((name, *(f"{int((time > d).sum()):,}" for d in days)))
    return table(("at risk after", *(f"{d} d" for d in days)), rows, caption="People at risk")


def sizing_html(found: Sizing) -> str:
    """Write the sizes of a trial as one self-contained page."""
    from schild.trial.sizing import size_cells

    share = f"{100 * found.target:g} %"
    rows = [size_cells(row) for row in found.rows]
    heads = (
        "endpoint", "arm", "difference (Monte Carlo error)", f"people in each arm for {share} power, closed form",
        "power at that size, simulated", "assurance at that size", f"people for {share} assurance",
        "half width of the 95 % interval",
    )  # fmt: skip
    said = "People in each arm by endpoint, for power and for assurance."
    svg = charts_svg(found.picture().charts, "sizes", said, foot(found))
    told = (
        "Power takes the numbers as certain; assurance is the chance of p below 0.05 in the right direction, averaged "
        "over their uncertainty. In brackets: n with a difference two Monte Carlo errors larger and smaller."
    )
    manifest = [(k, str(v)) for k, v in found.manifest.items()]
    data: dict[str, list[Any]] = {"endpoint": [r.name for r in found.rows], "n": [r.n for r in found.rows],
            "n for assurance": [r.n_assurance for r in found.rows]}  # fmt: skip
    return page(
        found.trial.trial.title or "Size of a trial",
        paragraph(" ".join(found.fewest()), kind="answer"),
        *(notice(w, kind="warning", title="Note.") for w in found.warnings),
        section(
            "Sizes", table(heads, rows, caption=told), figure(svg, caption="Fewest first.", data=data, name="sizes")
        ),
        section("Sources of the trial's numbers", sources(found.sources, found.catalogue)),
        section("To repeat it", table(("entry", "value"), manifest, caption="Manifest")),
        lead="How many people a trial needs.",
        foot=ADVICE,
    )  # fmt: skip


def _weeks(result: TrialResult) -> Raw:
    weekly = result.weekly()
    week = np.arange(1, result.trial.trial.weeks + 1)
    drinking, treated = Chart(240.0), Chart(240.0)
    for k, (name, w) in enumerate(weekly.items()):
        colour = COLOURS[k % len(COLOURS)]
        drinking.line(week, 100 * (w["low"] + w["heavy"]), color=colour, dashes="--")
        drinking.line(week, 100 * w["heavy"], color=colour, label=name)
        treated.line(week, w["occupancy"], color=colour, label=name)
        treated.line(week, w["on"], color=colour, dashes=":")
    drinking.title, treated.title = "heavy days; dashed: any drinking", "occupancy; dotted: still taking"
    drinking.y.label, treated.y.label = "% of days seen", "share"
    drinking.y.lim, treated.y.lim = (0.0, None), (0.0, 1.02)
    for chart in (drinking, treated):
        chart.x.label, chart.legend = "week", "below"
    said = "Drinking and heavy days by week, and occupancy and treatment by week, by arm."
    svg = charts_svg((drinking, treated), "weeks", said, foot(result))
    caption = "Days with drinking and heavy days; mean evening occupancy of mu, and people still in treatment."
    data = weekly_data(
        weekly, {"low": "lighter drinking", "heavy": "heavy drinking", "on": "on treatment", "occupancy": "occupancy"}
    )
    return figure(svg, caption=caption, data=data, name="weeks")


def _individual(result: TrialResult) -> Raw:
    said = []
    rows: list[tuple[Any, ...]] = []
    chart = Chart(230.0)
    for k, one in enumerate(result.individual):
        d = one.difference
        edges = np.arange(np.floor(d.min()), np.ceil(d.max()) + 2) - 0.5
        count, _ = np.histogram(d, edges)
        share = 100 * count / d.size
        chart.line(*stairs(edges, np.r_[share, share[-1]]), color=COLOURS[k % len(COLOURS)], label=one.arm)
        rows += [(one.arm, float(x), int(n)) for x, n in zip(edges[:-1] + 0.5, count, strict=True)]
        fewer, same, more = one.shares()
        said.append(
            f"{one.arm}: mean {d.mean():+.1f} heavy days over the trial, standard deviation {d.std():.1f}; fewer "
            f"in {100 * fewer:.0f} % of people, as many in {100 * same:.0f} %, more in {100 * more:.0f} %. Sex, "
            "drinking before treatment and release (which nobody can measure) explain "
            f"{100 * one.foreseen:.0f} % of its variance."
        )
    every = np.concatenate([one.difference for one in result.individual])
    low, high = np.quantile(every, [0.005, 0.995])
    chart.x.lim = (float(low) - 1, float(high) + 1)  # the table holds the rest
    chart.x.label = f"heavy days, arm minus {result.individual[0].against}, same person"
    chart.y.label, chart.legend = "% of people", "below"
    alt = "Histogram of the difference in heavy days of the same person between arms."
    svg = charts_svg([chart], "person", alt, foot(result))
    caption = (
        "The same person with the same random numbers in both arms, which a virtual trial can show and a real one "
        "cannot. That nobody has more under the mean effect follows from the structure of the model, not from data."
    )
    data = columns_of(("arm", "heavy days", "people"), rows)
    return Raw("".join(paragraph(s) for s in said) + figure(svg, caption=caption, data=data, name="people"))
