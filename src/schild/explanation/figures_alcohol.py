"""Panels of alcohol: the laboratory and trials beside what was published, craving, what one person gains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schild.catalog import Observation
from schild.explanation.answer import Outcome
from schild.explanation.experiments import run_test
from schild.explanation.experiments_alcohol import individual_effects, one_session, session
from schild.explanation.lab import row_of
from schild.explanation.options import Hours, Regimen
from schild.explanation.panels import BLUE, GREEN, LINES, ORANGE, Panel, panel
from schild.figures import INK
from schild.regimen import parse_regimen

#: People behind a point of craving over days, and points of a scatter.
_FEW, _DOTS = 500, 250


def _published(row: Observation) -> tuple[float, float]:
    """Printed interval of a result, or 1.96 standard errors."""
    if row.low is not None and row.high is not None:
        return row.low, row.high
    half = 1.96 * float(row.sd_fixed or 0.0)
    return row.value - half, row.value + half


def _tested(p: Panel, book: str, key: str) -> tuple[Observation, Outcome, str]:
    """Published row, outcome and evidence of a test of a book."""
    claims = p.lab.catalogue.claims[book]
    test = next(t for t in claims.tests if t.id == key)
    row = row_of(p.lab.catalogue, test.options["study"], test.options["row"])
    return row, p.lab.once(("test", test.id), lambda: run_test(p.lab, test, claims)), test.evidence


def _keep_rows(p: Panel, rows: Sequence[tuple[str, str, Observation, Outcome, str]]) -> None:
    """Keep outcome, study, published value and model of rows as columns, below those of other panels."""
    for words, study, row, found, evidence in rows:
        low, high = _published(row)
        for name, value in (
            ("outcome", words.replace("\n", " ")), ("study", study), ("published", row.value), ("published low", low),
            ("published high", high), ("model", found.predicted), ("model 5 %", found.band[0]),
            ("model 95 %", found.band[1]), ("evidence", evidence),
        ):  # fmt: skip
            p.data.setdefault(name, []).append("" if value is None else value)


@panel
def forest(p: Panel, *, drug: str, tests: Sequence[tuple[str, str, str]]) -> None:
    """Published intervals and the model beside them; ``tests`` are words, number of the test, and study."""
    kept = []
    for k, (words, key, study) in enumerate(tests):
        row, found, evidence = _tested(p, drug, key)
        low, high = _published(row)
        p.chart.line([low, high], [k - 0.16, k - 0.16], color=INK, width=1.2)
        p.chart.marks([row.value], [k - 0.16], "s", color=INK, size=5.5)
        colour = ORANGE if evidence == "fitted" else BLUE
        left, right = found.band
        if left is not None and right is not None:
            p.chart.line([left, right], [k + 0.16, k + 0.16], color=colour, width=2.2, alpha=0.5)
        p.chart.marks([found.predicted], [k + 0.16], color=colour, size=6.5)
        kept.append((words, study, row, found, evidence))
    # One entry for each kind of mark, drawn or not.
    for colour, words in (
        (INK, "published, 95 % interval"), (ORANGE, "model, fitted to it; 90 % of parameter sets"),
        (BLUE, "model, not fitted to it"),
    ):  # fmt: skip
        p.chart.line([], [], color=colour, label=words)
    p.chart.y.ticks, p.chart.y.words = range(len(tests)), [f"{words}\n{study}" for words, _, study in tests]
    p.chart.y.lim = len(tests) - 0.5, -0.5
    _keep_rows(p, kept)


@panel
def rates(p: Panel, *, drug: str, study: str, tests: Sequence[tuple[str, str, str]]) -> None:
    """Rates of a trial in both arms; ``tests`` are words and the numbers of the tests of placebo and of the drug."""
    width, kept = 0.16, []
    for k, (words, *keys) in enumerate(tests):
        for j, (arm, key, colour) in enumerate(zip(("placebo", "active"), keys, (ORANGE, BLUE), strict=True)):
            row, found, evidence = _tested(p, drug, key)
            at, (low, high) = k + (j - 0.5) * 0.36, _published(row)
            p.chart.whiskers([at - width / 2], [row.value], [low], [high], color=INK)
            p.chart.marks([at - width / 2], [row.value], "s", color=INK, size=5.5)
            words_once = "" if k else f"model, {arm}"
            p.chart.bars(at, at + width, 0.0, found.predicted, color=colour, alpha=0.8, label=words_once)
            kept.append((f"{words}, {arm}", study, row, found, evidence))
    p.chart.x.ticks, p.chart.x.words = range(len(tests)), [words for words, *_ in tests]
    _keep_rows(p, kept)


@panel
def reward(p: Panel, *, regimen: Regimen, grams_per_kg: float, occupied: Sequence[tuple[float, str]]) -> None:
    """Reward of a drink over time with shares of mu receptors occupied, typical person."""
    for k, (share, label) in enumerate(occupied):
        found = one_session(p.lab, regimen, occupied=share, grams_per_kg=grams_per_kg)
        p.line(k, found.time_h, found.signal("reward")[0], label=label)
        p.keep("time [h]", found.time_h[::2])
        p.keep(label, found.signal("reward")[0][::2])
    p.chart.y.lim = 0, None


@panel
def craving(p: Panel, *, regimen: Regimen) -> None:
    """Craving while drinks are in sight, with placebo and under an antagonist; median of people."""
    found = session(p.lab, "cue", regimen)
    minutes = 60 * found.plan.grid
    p.keep("minutes", minutes)
    drug = p.lab.catalogue.drug(str(parse_regimen(regimen)[0].drug))
    for k, label in enumerate(("placebo", drug.name)):
        p.line(1 - k, minutes, found.courses["craving"][k], label=label, dashes="-")
        p.keep(f"{label} [points]", found.courses["craving"][k])


@panel
def craving_by_day(
    p: Panel, *, regimen: Regimen, days: Sequence[float], after: Hours, taken: tuple[float, float]
) -> None:
    """Effect on craving after a cue on days from the first tablet on, and the occupancy of mu receptors."""
    runs = [session(p.lab, "cue", regimen, n=_FEW, at=f"{24 * d + after:g} h") for d in days]
    g = np.array([run.effects["craving"].g for run in runs])
    held = np.array([float(np.median(run.occupancy)) for run in runs])
    p.chart.rule(x=taken)
    p.chart.note("tablets", 0.3, 0.95, shares="y", va="top")
    p.chart.line(days, g, color=BLUE, mark="o", size=5)
    p.chart.rule(y=0, width=0.6, dashes="-")
    # The right axis is inverted, so that both lines fall together.
    p.chart.line(days, held * min(g), color=GREEN, width=1.3, dashes="--")
    p.chart.right = "mu occupied [%] (dashed)", 100 / float(min(g))
    p.keep("days", days)
    p.keep("Hedges g", g)
    p.keep("mu occupied, median [%]", 100 * held)


@panel
def gain_of_people(p: Panel, *, regimen: Regimen, weeks: int) -> None:
    """Heavy drinking days that each person gains in a trial."""
    own = individual_effects(p.lab, regimen, weeks)[0].mean(axis=1)
    steps = np.arange(np.floor(own.min()), np.ceil(own.max()) + 1.0, 1.0)
    p.chart.bars(steps[:-1], steps[1:], 0.0, np.histogram(own, bins=steps)[0], color=ORANGE, alpha=0.75)
    p.chart.rule(x=0)
    middle = float(np.median(own))
    p.chart.rule(x=middle, width=1.2, dashes="-")
    p.chart.note(f"median {middle:.1f} days", middle + 0.6, 0.94, shares="y", va="top")
    p.chart.x.label, p.chart.y.label = f"heavy drinking days prevented in {7 * weeks}", "virtual people"
    quantiles = np.linspace(0.05, 0.95, 19)
    p.keep("quantile", quantiles)
    p.keep("heavy days prevented", np.quantile(own, quantiles))


@panel
def days_with_and_without(p: Panel, *, regimen: Regimen, weeks: int) -> None:
    """Heavy days of each person under an antagonist against those without."""
    effects, placebo = individual_effects(p.lab, regimen, weeks)
    alone = placebo.mean(axis=1)
    left, end = alone - effects.mean(axis=1), 7 * weeks
    p.chart.line([0, end], [0, end], color=INK, width=0.7, dashes=":")
    p.chart.marks(alone[:_DOTS], left[:_DOTS], color=LINES[1][0], size=2.6, alpha=0.55)
    p.chart.x.lim = p.chart.y.lim = -2, end + 2
    p.keep("heavy days without", alone[:_DOTS])
    p.keep("heavy days with", left[:_DOTS])
