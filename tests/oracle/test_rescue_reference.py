"""The plain reading repeats trajectories of the published program."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pytest

import rescue_reference as reference
import rescuing
from schild.overdose.drugs import REGIMENS
from schild.overdose.parameters import published, record

#: End state of the published warm-up.
WARM = {
    "pa_co2": 38.6606943951592,
    "pa_o2": 100.674131803113,
    "cb_co2": 0.612709830767351,
    "cb_o2": 0.00100200561145404,
    "ct_co2": 0.610561113113971,
    "ct_o2": 0.0012287666243166,
    "y_co2": -0.0934446316495109,
    "y_o2": 0.000669870366744431,
    "d_p": -0.199682609109815,
    "d_c": 0.344050263883466,
    "a_h": 0.877686038624678,
}


@lru_cache(maxsize=1)
def start():
    return reference.warm_up(published())


def follow(case):
    person = case.person()
    early = reference.simulate(person, start(), 1000.0)
    trigger = reference.trigger_time(early, replace(record("protocol"), horizon=1000.0))
    rescue = REGIMENS[case.regimen]
    main = case.regimen.startswith("IM")
    limit = published().collapse.arrest_flow_main if main else None
    return reference.two_pass(
        person,
        start(),
        record("protocol"),
        first_dose=trigger + record("protocol").delay if rescue.doses else None,
        rescue=rescue,
        renarcotisation=not main,
        arrest_flow=limit,
    )


def check(case):
    verdict = follow(case)
    rows = case.rows
    found = rescuing.compare(verdict.course.outputs(rows["time_s"]), rows, verdict.collapse)
    # Printed to six digits: this reading is a hundred times closer than the bars.
    assert {name: size for name, size in found.items() if size > rescuing.BARS[name] / 100} == {}
    assert verdict.arrest == case.arrest


def test_the_warm_up_ends_where_the_published_one_does():
    y = dict(zip(reference.STATES, start(), strict=True))
    assert {name: y[name] for name in WARM} == pytest.approx(WARM, rel=1e-5)


@pytest.mark.parametrize("case", rescuing.cases(rescuing.HERE)[:2], ids=rescuing.stem)
def test_shipped_trajectories(case):
    check(case)


@pytest.mark.slow
@pytest.mark.skipif(not rescuing.EVIDENCE.is_dir(), reason="the evidence tables are not here")
@pytest.mark.parametrize("case", rescuing.cases(rescuing.EVIDENCE / "trajectories"), ids=rescuing.stem)
def test_all_trajectories(case):
    check(case)
