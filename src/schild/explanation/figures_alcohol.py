"""Panels of alcohol: the laboratory and trials beside what was published, craving, what one person gains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Observation
from schild.explanation.experiments import run_test
from schild.explanation.experiments_alcohol import individual_effects, one_session, session
from schild.explanation.lab import Outcome, row_of
from schild.explanation.options import Hours, Regimen
from schild.explanation.panels import BLUE, GREEN, LINES, ORANGE, Panel, panel
from schild.regimen import parse_regimen
from schild.report import INK

Floats = NDArray[np.floating]

#: People of a point of craving over days, and of a scatter.
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
        p.axis.plot([low, high], [k - 0.16, k - 0.16], color=INK, linewidth=1.2)
        p.axis.plot([row.value], [k - 0.16], "s", color=INK, markersize=4.5)
        colour = ORANGE if evidence == "fitted" else BLUE
        left, right = found.band
        if left is not None and right is not None:
            p.axis.plot([left, right], [k + 0.16, k + 0.16], color=colour, linewidth=2.2, alpha=0.5)
        p.axis.plot([found.predicted], [k + 0.16], "o", color=colour, markersize=5.5)
        kept.append((words, study, row, found, evidence))
    # One entry for each kind of mark, drawn or not.
    p.axis.plot([], [], "s-", color=INK, markersize=4.5, linewidth=1.2, label="published, 95 % interval")
    for colour, words in ((ORANGE, "model, fitted to it; 90 % of parameter sets"), (BLUE, "model, not fitted to it")):
        p.axis.plot([], [], "o-", color=colour, markersize=5.5, linewidth=2.2, label=words)
    p.axis.set_yticks(range(len(tests)), [f"{words}\n{study}" for words, _, study in tests])
    p.axis.set_ylim(len(tests) - 0.5, -0.5)
    _keep_rows(p, kept)


@panel
def rates(p: Panel, *, drug: str, study: str, tests: Sequence[tuple[str, str, str]]) -> None:
    """Rates of a trial in both arms; ``tests`` are words and the numbers of the tests of placebo and of the drug."""
    width, kept = 0.16, []
    for k, (words, *keys) in enumerate(tests):
        for j, (arm, key, colour) in enumerate(zip(("placebo", "active"), keys, (ORANGE, BLUE), strict=True)):
            row, found, evidence = _tested(p, drug, key)
            at, (low, high) = k + (j - 0.5) * 0.36, _published(row)
            p.axis.errorbar(
                [at - width / 2], [row.value], yerr=[[row.value - low], [high - row.value]], fmt="s", color=INK,
                markersize=4.5, capsize=2.5, linewidth=1,
            )  # fmt: skip
            p.axis.bar(
                [at + width / 2], [found.predicted], width, color=colour, alpha=0.8,
                label=None if k else f"model, {arm}",
            )  # fmt: skip
            kept.append((f"{words}, {arm}", study, row, found, evidence))
    p.axis.set_xticks(range(len(tests)), [words for words, *_ in tests])
    _keep_rows(p, kept)


@panel
def reward(p: Panel, *, regimen: Regimen, grams_per_kg: float, occupied: Sequence[tuple[float, str]]) -> None:
    """Reward of a drink over time with shares of mu receptors held, typical person."""
    for k, (share, label) in enumerate(occupied):
        found = one_session(p.lab, regimen, occupied=share, grams_per_kg=grams_per_kg)
        p.line(k, found.time_h, found.signal("reward")[0], label=label)
        p.keep("time [h]", found.time_h[::2])
        p.keep(label, found.signal("reward")[0][::2])
    p.axis.set_ylim(0, None)


@panel
def craving(p: Panel, *, regimen: Regimen) -> None:
    """Craving while drinks are in sight, with placebo and under an antagonist; median of people."""
    found = session(p.lab, "cue", regimen)
    minutes = 60 * found.plan.grid
    p.keep("minutes", minutes)
    drug = p.lab.catalogue.drug(str(parse_regimen(regimen)[0].drug))
    for k, label in enumerate(("placebo", drug.name)):
        p.line(1 - k, minutes, found.courses["craving"][k], label=label, linestyle="-")
        p.keep(f"{label} [points]", found.courses["craving"][k])


@panel
def craving_by_day(
    p: Panel, *, regimen: Regimen, days: Sequence[float], after: Hours, taken: tuple[float, float]
) -> None:
    """Effect on craving after a cue on days from the first tablet on, and mu receptors held."""
    runs = [session(p.lab, "cue", regimen, n=_FEW, at=f"{24 * d + after:g} h") for d in days]
    g = np.array([run.effects["craving"].g for run in runs])
    held = np.array([float(np.median(run.occupancy)) for run in runs])
    p.axis.axvspan(*taken, color=INK, alpha=0.07, linewidth=0)
    p.axis.annotate("tablets", (0.3, 0.95), xycoords=("data", "axes fraction"), va="top")
    p.axis.plot(days, g, "o-", color=BLUE, linewidth=1.7, markersize=4)
    p.axis.axhline(0, color=INK, linewidth=0.6)
    other = p.axis.twinx()
    other.plot(days, 100 * held, color=GREEN, linewidth=1.3, linestyle="--")
    # The right axis is turned round, so that both lines go down together.
    other.set(ylim=(100 * p.axis.get_ylim()[0] / min(g), 100 * p.axis.get_ylim()[1] / min(g)))
    other.set_ylabel("mu held [%] (dashed)")
    p.keep("days", days)
    p.keep("Hedges g", g)
    p.keep("mu held, median [%]", 100 * held)


@panel
def gain_of_people(p: Panel, *, regimen: Regimen, weeks: int) -> None:
    """Heavy drinking days that each person gains in a trial."""
    own = individual_effects(p.lab, regimen, weeks)[0].mean(axis=1)
    steps = np.arange(np.floor(own.min()), np.ceil(own.max()) + 1.0, 1.0)
    p.axis.hist(own, bins=steps.tolist(), color=ORANGE, alpha=0.75)
    p.axis.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    middle = float(np.median(own))
    p.axis.axvline(middle, color=INK, linewidth=1.2)
    p.axis.annotate(f"median {middle:.1f} days", (middle + 0.6, 0.94), xycoords=("data", "axes fraction"), va="top")
    p.axis.set(xlabel=f"heavy drinking days less in {7 * weeks}", ylabel="virtual people")
    quantiles = np.linspace(0.05, 0.95, 19)
    p.keep("quantile", quantiles)
    p.keep("heavy days less", np.quantile(own, quantiles))


@panel
def days_with_and_without(p: Panel, *, regimen: Regimen, weeks: int) -> None:
    """Heavy days of each person under an antagonist against those without."""
    effects, placebo = individual_effects(p.lab, regimen, weeks)
    alone = placebo.mean(axis=1)
    left, end = alone - effects.mean(axis=1), 7 * weeks
    p.axis.plot([0, end], [0, end], color=INK, linewidth=0.7, linestyle=":")
    p.axis.plot(alone[:_DOTS], left[:_DOTS], "o", color=LINES[1][0], markersize=2.6, alpha=0.55, markeredgewidth=0)
    p.axis.set(xlim=(-2, end + 2), ylim=(-2, end + 2))
    p.keep("heavy days without", alone[:_DOTS])
    p.keep("heavy days with", left[:_DOTS])
