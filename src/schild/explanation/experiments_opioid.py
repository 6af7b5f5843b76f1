"""Experiments with trials in opioid use disorder: use under a block, who begins, who stays, craving.

Criteria were written down before the first run: docs/design/opioid-trials.md.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from schild.engine.hours import DOSED, TREATED, USED
from schild.explanation.answer import Outcome
from schild.explanation.lab import Lab, experiment
from schild.trial.numbers import trial_numbers
from schild.trial.opioid import body_of, follow_arm, treatment_load
from schild.trial.opioid_checks import Pool, measure, opioid_rows, scenario

#: People of a scenario; the same people in each.
PEOPLE = 1000


def people_of_scenario(lab: Lab, name: str) -> Pool:
    """Follow the people of a published trial's scenario, or return the same ones again."""

    def run() -> Pool:
        trial = scenario(name, n=PEOPLE, seed=lab.seed)
        numbers = trial_numbers(trial, lab.catalogue, overrides=lab.overrides)
        body = lab.once(("opioid body",), lambda: body_of(numbers, 0.0))
        arm = trial.arm[0]
        # Arms that give the same people the same dose share what it does in them.
        dose = (arm.drug, arm.amount, arm.route, arm.product, arm.interval_days, arm.placebo, arm.usual_care)
        load = lab.once(
            ("opioid load", *dose, repr(trial.population)),
            lambda: treatment_load(trial, arm, numbers, 0, PEOPLE, 0),
        )
        found, who = follow_arm(trial, arm, numbers, body, 0, PEOPLE, 0, load)
        return Pool(found, who, numbers["oud.report"])

    return lab.once(("opioid trial", name), run)


@experiment()
def opioid_row(lab: Lab, *, published: str) -> Outcome:
    """Compute a published number of an opioid trial from its scenario."""
    wanted = next(r for r in opioid_rows() if r.id == published)
    pool = people_of_scenario(lab, wanted.scenario)
    return Outcome(predicted=measure(wanted.measure, pool.found, pool.who, pool.report))


@experiment("points")
def opioid_difference(lab: Lab, *, rows_of: tuple[str, str]) -> Outcome:
    """Difference between two published numbers, each computed from its scenario: the first minus the second."""
    first, second = (opioid_row(lab, published=row).predicted for row in rows_of)
    return Outcome(predicted=first - second)


@experiment("1")
def opioid_use_ratio(lab: Lab, *, trial: tuple[str, str], days: tuple[int, int]) -> Outcome:
    """Share of days with use in a range of days after a dose, over that of the same days in another arm."""
    active, other = (people_of_scenario(lab, name).found.days for name in trial)
    dosed = (active & DOSED) > 0
    day = np.arange(active.shape[1])
    last = np.maximum.accumulate(np.where(dosed, day, -10_000), axis=1)
    inside = (day - last >= days[0]) & (day - last <= days[1])
    treated = (other & TREATED) > 0
    return Outcome(predicted=float(((active & USED) > 0)[inside].mean() / ((other & USED) > 0)[treated].mean()))


@experiment("1")
def opioid_craving(lab: Lab, *, trial: tuple[str, str], week: int, what: Literal["ratio", "difference"]) -> Outcome:
    """Mean craving of everybody in a week: ratio or difference between two arms."""
    a, b = (float(people_of_scenario(lab, name).found.weekly[:, week - 1, 0].mean()) for name in trial)
    return Outcome(predicted=a / b if what == "ratio" else a - b)
