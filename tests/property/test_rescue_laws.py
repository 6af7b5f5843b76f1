"""Laws of the rescue model that hold whatever the numbers."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import rescue_reference as reference
from schild.overdose.drugs import REGIMENS
from schild.overdose.follow import GivenCourse, follow, warm_up
from schild.overdose.parameters import REPRODUCTION, Quirks, published, scaled
from schild.overdose.population import naloxone_people, opioid_people

P = published()


@lru_cache(maxsize=1)
def start():
    return warm_up(1, P)


def people(n, seed, key="IN4mg_x1", drug="fentanyl", dose_mg=1.625, order=None, **options):
    rescue = REGIMENS[key]
    binding, way = naloxone_people(rescue.route if rescue.doses else "in_4mg", n, seed)
    drawn = opioid_people(drug, n, seed)
    if order is not None:
        drawn, binding, way = (_pick(record, order) for record in (drawn, binding, way))
    arguments = dict(
        p_chemo=P.drive.chemo_chronic,
        p_wake=P.drive.wake_chronic,
        starts=np.repeat(start(), n, axis=0),
        opioid=drawn,
        dose_mg=dose_mg,
        antagonist=binding,
        route=way,
        rescue=rescue,
        rule="two_pass",
        quirks=REPRODUCTION,
    )
    return follow(n, P, **arguments | options)


def _pick(record, order):
    names = [entry.name for entry in fields(record) if np.ndim(getattr(record, entry.name)) == 1]
    return replace(record, **{name: getattr(record, name)[order] for name in names})


pressure = st.floats(0.5, 140.0)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.floats(20.0, 80.0), pressure),
    st.tuples(st.floats(30.0, 90.0), st.floats(0.0, 60.0)),
    st.tuples(st.floats(30.0, 80.0), st.floats(0.0, 60.0)),
    st.floats(-0.5, 1.5),
    st.floats(0.0, 2.0),
    st.floats(0.05, 1.0),
    st.floats(0.0, 1.0),
)
def test_gas_is_neither_made_nor_lost_but_by_breathing_and_metabolism(lung, brain, body, y_co2, y_o2, chi, bound):
    """Lung and stores together: what comes in with air, less what is burnt."""
    r, gas = reference, P.gas
    y = r.cold_start(P)
    y[[r.PA_C, r.PA_O]] = lung
    y[r.CB_C], y[r.CB_O] = gas.hco3_brain + gas.alpha_co2 * brain[0], gas.alpha_o2 * brain[1]
    y[r.CT_C], y[r.CT_O] = gas.hco3_tissue + gas.alpha_co2 * body[0], gas.alpha_o2 * body[1]
    y[[r.Y_C, r.Y_O, r.CHI, r.R_A]] = y_co2, y_o2, chi, bound
    person = r.Person(physiology=P, p_chemo=2.9, p_wake=0.9)
    course = r.Course(person=person, quirks=Quirks(), start=y)
    dy = r.rates(0.0, y, course, r._Now())
    out = r.outputs(r.kernel_states(y[:, None], person), person, Quirks())
    vdot = P.drive.alveolar_share * out["V_E_L_per_min"][0] / 60.0
    awake = out["wakefulness_drive"][0]
    for alveolar, inspired, stores, made in (
        (r.PA_O, P.lung.inspired_o2, (r.CB_O, r.CT_O), 1),
        (r.PA_C, P.lung.inspired_co2, (r.CB_C, r.CT_C), 0),
    ):
        burnt = 0.0
        for part, pressure_here in (("brain", out["PbO2_mmHg"][0]), ("tissue", out["PtO2_mmHg"][0])):
            co2, o2 = getattr(P.tissue, f"co2_{part}"), getattr(P.tissue, f"o2_{part}")
            burnt += float(r.metabolism(awake, pressure_here, co2, o2, P.drive)[made])
        kept = (
            P.lung.volume / P.lung.conversion * dy[alveolar]
            + P.tissue.volume_brain * dy[stores[0]]
            + P.tissue.volume_tissue * dy[stores[1]]
        )
        breathed = vdot * (inspired - y[alveolar]) / P.lung.conversion
        assert abs(kept - breathed - burnt) < 1e-12


@settings(max_examples=8, deadline=None)
@given(st.floats(45.0, 120.0), st.floats(0.0, 2500.0), st.floats(0.01, 0.08))
def test_without_opioid_nothing_happens(weight_kg, altitude_m, shunt):
    body = scaled(P, weight_kg=weight_kg, altitude_m=altitude_m, shunt=shunt)
    steady = warm_up(1, body, seconds=4 * 3600.0)
    times = np.arange(0.0, 24 * 3600.1, 1800.0)
    found = follow(
        1, body, p_chemo=2.9, p_wake=0.9, starts=steady, horizon_s=24 * 3600.0, out_times_s=times, rule="two_pass"
    )
    out = found.outputs()
    for name, size in (("PaO2_mmHg", 0.01), ("PaCO2_mmHg", 0.01), ("V_E_L_per_min", 0.002)):
        assert np.ptp(out[name]) < size
    assert not found.arrest[0]
    assert np.isnan(found.outcome["trigger_s"][0])


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 3.0), st.floats(1.05, 3.0), st.sampled_from(["none", "IN4mg_x1"]))
def test_more_opioid_never_means_less_arrest(seed, dose_mg, factor, key):
    less, more = (people(24, seed, key, dose_mg=dose, stop_at_arrest=True) for dose in (dose_mg, dose_mg * factor))
    # Whoever is dropped has his decision beyond the horizon: neither an arrest nor a survivor.
    counted = (less.outcome["dropped"] == 0) & (more.outcome["dropped"] == 0)
    assert not np.any(less.arrest & ~more.arrest & counted)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_people_changes_no_bit(seed, random):
    n = 21
    order = list(range(n))
    random.shuffle(order)
    plain, shuffled = people(n, seed), people(n, seed, order=np.array(order))
    np.testing.assert_array_equal(plain.ends[order], shuffled.ends)
    for name, values in plain.outcome.items():
        np.testing.assert_array_equal(values[order], shuffled.outcome[name], err_msg=name)


def test_neither_threads_nor_neighbours_change_a_bit():
    many = people(40, 3, threads=3)
    few = people(9, 3)
    np.testing.assert_array_equal(many.ends[:9], few.ends)
    np.testing.assert_array_equal(people(40, 3).ends, many.ends)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(0.0, 0.3))
def test_more_activation_never_means_more_breath(level, extra):
    """A constant course: after half an hour a person with more activation has less oxygen."""
    times = np.array([0.0, 30.0, 1800.0])
    act = np.array([[0.0, level, level], [0.0, min(1.0, level + extra), min(1.0, level + extra)]])
    found = follow(
        2,
        P,
        p_chemo=2.9,
        p_wake=0.9,
        starts=np.repeat(start(), 2, axis=0),
        course=GivenCourse(times_s=times, activation=act),
        horizon_s=1800.0,
        out_times_s=[1800.0],
        rule="none",
    )
    pao2 = found.outputs()["PaO2_mmHg"][:, 0]
    assert pao2[1] <= pao2[0] + 0.02


def test_recovery_needs_flow_and_oxygen_and_collapse_can_come_again():
    """The clock: a rescuer's breaths in time bring flow back; without them there is arrest."""
    from schild.overdose.follow import Intervention

    times = np.array([0.0, 20.0, 1500.0, 1600.0, 4500.0])
    act = np.array([[0.0, 0.99, 0.99, 0.3, 0.3]])
    common = dict(
        p_chemo=P.drive.chemo_naive, p_wake=P.drive.wake_naive, starts=start(), rule="clock", stop_at_arrest=True
    )
    course = GivenCourse(times_s=times, activation=act)
    alone = follow(1, P, course=course, **common)
    assert alone.arrest[0]
    collapse = alone.outcome["collapse_s"][0]
    for late, saved in ((20.0, True), (300.0, False)):
        helped = follow(
            1,
            P,
            course=course,
            interventions=[Intervention(what="ventilation", value=8.0, start_s=collapse + late, end_s=2500.0)],
            **common,
        )
        assert helped.arrest[0] != saved
        assert np.isfinite(helped.outcome["recovered_s"][0]) == saved
    hazard = follow(1, P, course=course, **common | {"rule": "hazard"})
    assert hazard.arrest[0]
