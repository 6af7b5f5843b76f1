"""One regression test for each note on fidelity to the published program, and for each of its peculiarities."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

import rescue_reference as reference
import rescuing
from schild.overdose import layout
from schild.overdose.drugs import REGIMENS
from schild.overdose.follow import GivenCourse, follow, warm_up
from schild.overdose.parameters import REPRODUCTION, Quirks, published, record
from schild.pharmacology.physiology import mann2022 as mann

P = published()
X1 = layout.STATES.index("x1")


@lru_cache(maxsize=1)
def start():
    return warm_up(1, P)


def run(dose_mg=1.625, key="none", subject="chronic", physiology=P, quirks=REPRODUCTION, **options):
    rescue = REGIMENS[key]
    arguments = dict(
        p_chemo=getattr(P.drive, f"chemo_{subject}"),
        p_wake=getattr(P.drive, f"wake_{subject}"),
        starts=start(),
        opioid=record("fentanyl"),
        dose_mg=dose_mg,
        antagonist=record("naloxone"),
        route=record(rescue.route),
        rescue=rescue,
        rule="two_pass",
        quirks=quirks,
    )
    return follow(1, physiology, **arguments | options)


def case(name):
    return next(c for c in rescuing.cases(rescuing.HERE) if c.path.stem == name)


def misfit(found, rows):
    got = {k: v[0] if v.ndim == 2 else v for k, v in found.outputs().items()}
    sizes = rescuing.compare(got, rows, found.outcome["collapse_s"][0])
    return max(size / rescuing.BARS[name] for name, size in sizes.items())


ROWS = case("chronic_fentanyl_1.625mg__IN4mg_x1").rows


def test_the_case_itself_fits():
    assert misfit(run(key="IN4mg_x1", out_times_s=ROWS["time_s"]), ROWS) < 1


def test_wakefulness_has_the_small_exponent():
    """The program, not its description: exchanged exponents miss the trajectory by far."""
    swapped = run(
        key="IN4mg_x1", out_times_s=ROWS["time_s"], p_chemo=P.drive.wake_chronic, p_wake=P.drive.chemo_chronic
    )
    assert misfit(swapped, ROWS) > 20


def test_floors_of_metabolism_bound_the_amount_from_below():
    co2, o2 = reference.metabolism(0.0, 30.0, P.tissue.co2_brain, P.tissue.o2_brain, P.drive)
    assert co2 == pytest.approx(0.87 * P.tissue.co2_brain)
    assert o2 == pytest.approx(0.93 * P.tissue.o2_brain)
    inverted = replace(P, drive=replace(P.drive, co2_floor=0.0, o2_floor=0.0))
    assert misfit(run(key="IN4mg_x1", physiology=inverted, out_times_s=ROWS["time_s"]), ROWS) > 20


def test_low_oxygen_ends_metabolism():
    co2, o2 = reference.metabolism(6.62, [12.0, 6.0, 3.0, 0.0], 1.0, -1.0, P.drive)
    np.testing.assert_allclose(co2, [1.0, 1.0, 0.5, 0.0])
    np.testing.assert_allclose(o2, [-1.0, -1.0, -0.5, 0.0])


def test_concentrations_rise_with_flow_and_only_with_the_quirk():
    flow = np.linspace(0.01, 0.3, 200)
    scale = mann.concentration_scale(flow, P.flow)
    assert np.all(np.diff(scale) >= 0)
    assert scale[0] == pytest.approx(1.0)
    assert scale[-1] == pytest.approx(2.0)
    with_quirk = run(dose_mg=2.0)
    without = run(dose_mg=2.0, quirks=replace(REPRODUCTION, flow_scales_concentration=False))
    assert with_quirk.outcome["pao2_at_decision"][0] != without.outcome["pao2_at_decision"][0]


def test_naloxone_is_conserved_without_the_flow_quirk_only():
    """Central and peripheral amounts of a spray that leaves no way: what was absorbed stays, unless flow scales it."""
    spray = replace(record("in_4mg"), cl=1e-12)
    amounts = {}
    for name, quirks in (("off", Quirks()), ("on", Quirks(flow_scales_concentration=True))):
        found = run(dose_mg=2.965, key="IN4mg_x1", route=spray, quirks=quirks, rule="none")
        end = dict(zip(layout.STATES, found.ends[0], strict=True))
        nose = spray.f * 4e6 - end["d"] - end["t1"] - end["t2"]
        amounts[name] = (end["x1"] * spray.v1 + end["x2"] * spray.v2) / nose
    assert amounts["off"] == pytest.approx(1.0, abs=1e-4)
    assert amounts["on"] > 1.05


def test_dead_space_is_in_alveolar_ventilation_only():
    found = run(dose_mg=0.0, horizon_s=10.0, out_times_s=[0.0, 10.0]).outputs()
    np.testing.assert_allclose(
        found["V_E_L_per_min"], found["wakefulness_drive"] + found["chemoreflex_drive"], rtol=1e-12
    )
    assert mann.alveolar_ventilation(6.0, 0.5, 1.0, 0.0, P.drive) == pytest.approx(0.66 * 6.5 / 60)


def test_lags_matter_little_for_the_decision_but_are_there():
    none = replace(P, reflex=replace(P.reflex, lag_peripheral=0.05, lag_central=0.05))
    with_lags, without = (run(physiology=p) for p in (P, none))
    difference = with_lags.outcome["pao2_at_decision"] - without.outcome["pao2_at_decision"]
    assert 1e-3 < abs(difference[0]) < 1.0
    assert with_lags.arrest[0] == without.arrest[0]


def test_before_the_start_lags_read_the_present():
    now, past = (
        run(dose_mg=2.965, horizon_s=40.0, quirks=replace(REPRODUCTION, present_value_before_start=flag))
        for flag in (True, False)
    )
    k = layout.STATES.index("dp")
    assert now.ends[0, k] != past.ends[0, k]
    np.testing.assert_allclose(now.ends[0, k], past.ends[0, k], atol=0.2)


def test_lagged_contents_do_not_depend_on_collapse():
    """The program recomputes lagged contents with present collapse: it scales both flows alike, so it drops out."""
    y = reference.cold_start(P)
    y[[reference.Y_C, reference.Y_O]] = 0.4, 1.5
    whole = reference._blood(y, P)
    y[reference.CHI] = 1e-3
    assert reference._blood(y, P)[0] == pytest.approx(whole[0])


def test_a_later_spray_changes_what_lies_in_the_nose_only_with_the_quirk():
    on = run(dose_mg=0.5, key="IN4mg_x4_150s", rule="none", horizon_s=4500.0)
    off = run(
        dose_mg=0.5,
        key="IN4mg_x4_150s",
        rule="none",
        horizon_s=4500.0,
        quirks=replace(REPRODUCTION, depot_takes_new_bioavailability=False),
    )
    # The third spray has a smaller share; with the quirk so has what was left of the first two.
    assert 0.9 < on.ends[0, X1] / off.ends[0, X1] < 0.999


def test_the_grid_puts_the_decision_off_by_less_than_its_step():
    on, off = (run(quirks=replace(REPRODUCTION, arrest_on_grid=flag)) for flag in (True, False))
    late = on.outcome["severe_s"][0] - off.outcome["severe_s"][0]
    assert 0.0 <= late < 0.1
    assert round(on.outcome["severe_s"][0] * 10) == pytest.approx(on.outcome["severe_s"][0] * 10, abs=1e-9)


def test_the_collapse_trigger_is_one_shot_and_a_second_hypoxia_counts_in_one_branch_only():
    """A short rescue, a long opioid: recovered at the decision, hypoxic again later."""
    times = np.array([0.0, 20.0, 250.0, 320.0, 900.0, 1000.0, 4500.0])
    course = GivenCourse(times_s=times, activation=np.array([[0.0, 0.99, 0.99, 0.3, 0.3, 0.99, 0.99]]))
    intranasal = run(course=course, subject="naive")
    main = run(course=course, subject="naive", renarcotisation=False)
    for found in (intranasal, main):
        assert found.outcome["pao2_at_decision"][0] > P.collapse.pao2
        assert found.outcome["decision_s"][0] == pytest.approx(found.outcome["severe_s"][0] + P.collapse.delay)
    assert intranasal.outcome["collapse_s"][0] > 1000.0 + P.collapse.delay
    assert intranasal.arrest[0]
    assert not main.arrest[0]


def test_collapse_does_not_come_back_from_an_antagonist_in_the_reference():
    found = run(dose_mg=2.965, key="IN4mg_4rapid", wait_s=500.0)
    assert found.arrest[0]
    assert found.outcome["collapse_s"][0] < found.outcome["trigger_s"][0] + 500.0


def test_the_warm_up_is_near_but_not_at_the_steady_state():
    longer = warm_up(1, P, seconds=4 * 3600.0)
    k = layout.STATES.index("ah")
    assert 1e-8 < abs(longer[0, k] - start()[0, k]) < 1e-3
