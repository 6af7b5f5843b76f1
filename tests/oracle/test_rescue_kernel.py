"""The compiled rescue kernel: published trajectories, the plain reference, given courses, interventions."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

import rescue_reference as reference
import rescuing
from schild.overdose import layout
from schild.overdose.drugs import REGIMENS
from schild.overdose.follow import RTOL, GivenCourse, Intervention, follow, warm_up
from schild.overdose.parameters import REPRODUCTION, Quirks, published, record, scaled

P = published()


@lru_cache(maxsize=1)
def start():
    return warm_up(1, P)


def repeat(case, times, rtol=RTOL):
    person = case.person()
    main = case.regimen.startswith("IM")
    collapse = replace(P.collapse, arrest_flow=P.collapse.arrest_flow_main) if main else P.collapse
    return follow(
        1,
        replace(P, collapse=collapse),
        p_chemo=person.p_chemo,
        p_wake=person.p_wake,
        starts=start(),
        opioid=person.opioid,
        dose_mg=case.dose_mg,
        antagonist=person.antagonist,
        route=person.route,
        rescue=REGIMENS[case.regimen],
        out_times_s=times,
        rule="two_pass",
        quirks=REPRODUCTION,
        renarcotisation=not main,
        rtol=rtol,
    )


def first(outputs):
    return {name: value[0] if value.ndim == 2 else value for name, value in outputs.items()}


def check(case):
    rows = case.rows
    found = repeat(case, rows["time_s"])
    collapse = found.outcome["collapse_s"][0]
    sizes = rescuing.compare(first(found.outputs()), rows, collapse)
    assert {name: size for name, size in sizes.items() if size > rescuing.BARS[name]} == {}
    assert bool(found.arrest[0]) == case.arrest
    # Halving the tolerance moves nothing by more than a tenth of the bars.
    finer = repeat(case, rows["time_s"], 0.5 * RTOL)
    moved = rescuing.compare(first(found.outputs()), first(finer.outputs()) | {"time_s": rows["time_s"]}, collapse)
    assert {name: size for name, size in moved.items() if size > 0.1 * rescuing.BARS[name]} == {}


@pytest.mark.parametrize("case", rescuing.cases(rescuing.HERE), ids=rescuing.stem)
def test_shipped_trajectories(case):
    check(case)


@pytest.mark.skipif(not rescuing.EVIDENCE.is_dir(), reason="the evidence tables are not here")
@pytest.mark.parametrize("case", rescuing.cases(rescuing.EVIDENCE / "trajectories"), ids=rescuing.stem)
def test_all_trajectories(case):
    check(case)


def test_one_pass_finds_what_two_simulations_find():
    case = next(c for c in rescuing.cases(rescuing.HERE) if c.regimen == "IM2mg_generic")
    found = repeat(case, ())
    verdict = reference.two_pass(
        case.person(),
        reference.warm_up(P),
        record("protocol"),
        first_dose=found.outcome["trigger_s"][0] + record("protocol").delay,
        rescue=REGIMENS[case.regimen],
        renarcotisation=False,
        arrest_flow=P.collapse.arrest_flow_main,
    )
    assert found.outcome["severe_s"][0] == pytest.approx(verdict.first_severe, abs=1e-9)
    assert found.outcome["collapse_s"][0] == pytest.approx(verdict.collapse, abs=1e-9)
    assert found.outcome["pao2_at_decision"][0] == pytest.approx(verdict.pao2_at_decision, abs=2e-3)
    assert found.arrest[0] == verdict.arrest


@pytest.mark.parametrize("physiology", [P, scaled(P, weight_kg=50.0, altitude_m=2500.0, shunt=0.1, age_years=70.0)])
def test_without_quirks_and_with_interventions_it_is_the_plain_reference(physiology):
    plain = reference.warm_up(physiology, 600.0)
    ours = warm_up(1, physiology, seconds=600.0)
    times = np.arange(0.0, 900.1, 10.0)
    person = reference.Person(
        physiology=physiology,
        p_chemo=P.drive.chemo_chronic,
        p_wake=P.drive.wake_chronic,
        opioid=record("fentanyl"),
        dose_mg=2.0,
        antagonist=record("naloxone"),
        route=record("in_4mg"),
    )
    rescue = REGIMENS["IN4mg_4rapid"]
    found = follow(
        1,
        physiology,
        p_chemo=person.p_chemo,
        p_wake=person.p_wake,
        starts=ours,
        opioid=person.opioid,
        dose_mg=2.0,
        antagonist=person.antagonist,
        route=person.route,
        rescue=rescue,
        horizon_s=900.0,
        out_times_s=times,
        rule="none",
        interventions=[
            Intervention(what="ventilation", value=4.0, start_s=120.0, end_s=200.0),
            Intervention(what="inspired_o2", value=300.0, start_s=150.0, end_s=400.0),
        ],
    )
    course = reference.simulate(
        person,
        plain,
        900.0,
        first_dose=found.outcome["trigger_s"][0] + record("protocol").delay,
        rescue=rescue,
        interventions=(
            (120.0, "floor", 4.0),
            (200.0, "floor", 0.0),
            (150.0, "inspired_o2", 300.0),
            (400.0, "inspired_o2", physiology.lung.inspired_o2),
        ),
        quirks=Quirks(),
    )
    expected = course.outputs(times)
    got = first(found.outputs())
    for name, bar in rescuing.BARS.items():
        np.testing.assert_allclose(got[name], expected[name], rtol=0, atol=0.2 * bar, err_msg=name)


def test_a_given_course_of_activation_takes_the_place_of_the_drugs():
    times = np.unique(np.concatenate([np.linspace(0, 60, 601), np.arange(60.0, 1500.1, 2.0)]))
    common = dict(
        p_chemo=P.drive.chemo_chronic,
        p_wake=P.drive.wake_chronic,
        starts=start(),
        horizon_s=1500.0,
        rule="none",
        out_times_s=times,
    )
    own = follow(
        1,
        P,
        opioid=record("fentanyl"),
        dose_mg=1.625,
        antagonist=record("naloxone"),
        route=record("in_4mg"),
        rescue=REGIMENS["IN4mg_x1"],
        **common,
    )
    activation = np.clip(own.states[:, :, layout.SRA], 0.0, 1.0)
    given = follow(1, P, course=GivenCourse(times_s=times, activation=activation), **common)
    np.testing.assert_allclose(given.outcome["trigger_s"], own.outcome["trigger_s"], atol=0.02)
    for name in ("PaO2_mmHg", "V_E_L_per_min"):
        np.testing.assert_allclose(given.outputs()[name], own.outputs()[name], rtol=0, atol=0.02, err_msg=name)


def test_pulses_into_a_vein_count_one_percent_too_much():
    """Fidelity note: 101 boluses of a hundredth of the dose."""
    person = dict(
        p_chemo=P.drive.chemo_naive,
        p_wake=P.drive.wake_naive,
        starts=start(),
        opioid=record("fentanyl"),
        dose_mg=0.5,
        antagonist=record("naloxone"),
        route=replace(record("iv"), k_el=1e-12, k12=1e-12, k13=1e-12),
        rescue=REGIMENS["IV2mg"],
        horizon_s=400.0,
        rule="none",
    )
    x1 = layout.STATES.index("x1")
    assert follow(1, P, quirks=Quirks(iv_pulses=True), **person).ends[0, x1] == pytest.approx(2.02e6, rel=1e-6)
    assert follow(1, P, **person).ends[0, x1] == pytest.approx(2.00e6, rel=1e-6)
