"""SS=2: a steady state added to what is there."""

from __future__ import annotations

import numpy as np
import pytest

from plainly import Bench
from schild.regimen import expand, parse_regimen
from schild.units import ticks


def test_it_adds_and_cancels_nothing():
    words = "morphine 10 mg po q4h x4; naltrexone 50 mg po q24h x2 ss2 from 9 h"
    events = expand(parse_regimen(words), ticks("2 d"))
    assert [e.time for e in events] == [0.0, 4.0, 8.0, 9.0, 12.0, 33.0]
    assert [e.ss for e in events] == [0, 0, 0, 2, 0, 0]
    assert not any(e.clears for e in events)


def test_morning_and_evening_doses_at_steady_state():
    words = "naltrexone 50 mg po q24h x2 ss; naltrexone 25 mg po q24h x2 ss2 from 12 h"
    events = expand(parse_regimen(words), ticks("2 d"))
    assert [(e.time, e.ss, e.ii_tick) for e in events] == [
        (0.0, 1, ticks("1 d")), (12.0, 2, ticks("1 d")), (24.0, 0, 0), (36.0, 0, 0),
    ]  # fmt: skip


def test_two_steady_states_at_one_time():
    words = "naltrexone 50 mg po q24h x1 ss; methadone 60 mg po q24h x1 ss2"
    assert [e.ss for e in expand(parse_regimen(words), 0)] == [1, 2]


# ---- in the engine

STRUCTURES = (
    "plasma_equilibrium", "effect_compartment", "slow_receptor", "effect_compartment_slow_receptor", "plasma_and_store",
)  # fmt: skip


def test_amounts_add_to_what_is_there():
    bench = Bench("morphine 10 mg po q4h x4; naltrexone 50 mg po q24h x2 ss2 from 9 h", "2 d")
    found, expected = bench.engine(), bench.plain(
        *[("morphine", "oral", "10 mg", 4.0 * k) for k in range(4)],
        *[("naltrexone", "oral", "50 mg", 9.0 + 24.0 * k) for k in range(-30, 2)],
    )  # fmt: skip
    for name in ("plasma_morphine", "effect_morphine", "plasma_m6g"):
        assert abs(found[name] - expected[name]).max() < 1e-8 * expected[name].max()
    late = np.array(bench.times) >= ticks("9 h")
    for name in ("plasma_naltrexone", "plasma_beta_naltrexol"):
        assert abs(found[name] - expected[name])[late].max() < 1e-8 * expected[name].max()
        assert not found[name][~late].any()


@pytest.mark.parametrize("structure", STRUCTURES)
def test_in_the_middle_of_a_run_receptors_go_on_from_where_they_are(structure):
    bench = Bench("morphine 12 mg iv; naltrexone 50 mg po q24h ss2 from 2 h", "4 h", step="1 s", start="2 h",
                  structure=structure)  # fmt: skip
    bench.times = [ticks("2 h") - 1, *bench.times[:3]]
    found = bench.engine()
    assert found["plasma_naltrexone"][0] == 0.0
    assert found["plasma_naltrexone"][1] > 0.01
    for name, values in found.items():
        if name.startswith("mor_"):
            assert abs(values[1] - values[0]) < 1e-6, name
    assert found["mor_occupancy_morphine"][1] > 0.1


@pytest.mark.parametrize("structure", STRUCTURES)
def test_at_the_start_receptors_are_on_the_joint_course(structure):
    words = "naltrexone 50 mg po q24h x2 ss; morphine 10 mg po q8h x4 ss2"
    bench = Bench(words, "30 h", structure=structure)
    days = 85 if structure == "slow_receptor" else 45  # until what came before is forgotten
    bench.agrees(
        *[("naltrexone", "oral", "50 mg", 24.0 * k) for k in range(-days, 2)],
        *[("morphine", "oral", "10 mg", 8.0 * k) for k in range(-3 * days, 4)],
    )


def test_at_the_start_without_any_ss1():
    bench = Bench("morphine 10 mg po q6h x2 ss2; naloxone 1 mg iv q8h x2 ss2; naloxone 1 mg iv at 1 h", "30 h")
    bench.agrees(
        *[("morphine", "oral", "10 mg", 6.0 * k) for k in range(-50, 2)],
        *[("naloxone", "iv", "1 mg", 8.0 * k) for k in range(-30, 2)],
        ("naloxone", "iv", "1 mg", 1.0),
    )  # fmt: skip


def test_morning_and_evening():
    bench = Bench("morphine 30 mg oral_er q24h ss; morphine 10 mg oral q24h ss2 from 12 h", "36 h")
    found, expected = bench.engine(), bench.plain(
        *[("morphine", "oral_er", "30 mg", 24.0 * k) for k in range(-30, 2)],
        *[("morphine", "oral", "10 mg", 12.0 + 24.0 * k) for k in range(-30, 2)],
    )  # fmt: skip
    late = np.array(bench.times) >= ticks("12 h")
    assert (
        abs(found["plasma_morphine"] - expected["plasma_morphine"])[late].max()
        < 1e-8 * expected["plasma_morphine"].max()
    )


def test_a_constant_infusion_added():
    bench = Bench("morphine 10 mg po q8h x4 ss; fentanyl 50 ug/h iv ss2; fentanyl 50 ug/h iv for 30 h", "30 h")
    bench.agrees(
        *[("morphine", "oral", "10 mg", 8.0 * k) for k in range(-40, 4)], ("fentanyl", "iv", "21.5 mg", -400.0, 430.0)
    )
