"""SS=1: the first dose of a regimen at steady state, in place of everything before."""

from __future__ import annotations

import io

import pytest

from plainly import Bench
from schild.errors import InputError
from schild.regimen import Dose, expand, parse_regimen, read_nonmem
from schild.units import Rate, ticks


def test_only_the_first_dose_carries_it():
    events = expand(parse_regimen("naltrexone 50 mg po q24h x3 ss"), ticks("9 d"))
    assert [(e.ss, e.ii_tick) for e in events] == [(1, ticks("24 h")), (0, 0), (0, 0)]
    assert [e.clears for e in events] == [True, False, False]


def test_additional_doses_of_earlier_records_stop():
    events = expand(parse_regimen("morphine 10 mg po q4h; naltrexone 50 mg po q24h ss from 9 h"), ticks("2 d"))
    assert [(e.drug, e.time) for e in events] == [
        ("morphine", 0.0), ("morphine", 4.0), ("morphine", 8.0), ("naltrexone", 9.0), ("naltrexone", 33.0),
    ]  # fmt: skip


def test_records_after_it_go_on():
    events = expand(parse_regimen("naltrexone 50 mg po q24h x2 ss; morphine 10 mg po q4h x3 from 1 h"), ticks("2 d"))
    assert [e.time for e in events] == [0.0, 1.0, 5.0, 9.0, 24.0]


def test_wiping_out_a_dose_given_at_the_same_time_is_refused():
    words = "heroin 25 mg iv at 1 d; naltrexone 50 mg po q24h ss at 1 d"
    with pytest.raises(InputError, match="would wipe out 'heroin 25 mg iv at 24 h'"):
        expand(parse_regimen(words), ticks("2 d"))
    assert len(expand(parse_regimen(words.replace("ss", "ss2")), ticks("1 d"))) == 2


def test_it_needs_an_interval():
    with pytest.raises(InputError, match="without `every`; expected an interval"):
        parse_regimen("naltrexone 50 mg po ss")
    with pytest.raises(InputError, match="Line 2: II is 0 but SS is 1"):
        read_nonmem(io.StringIO("TIME,AMT,SS\n0,50,1\n"), drug="a", route="iv", amount_unit="mg")


def test_the_first_dose_cannot_be_skipped():
    with pytest.raises(InputError, match="Dose 1 of a is skipped but carries the steady state"):
        Dose(drug="a", amount="1 mg", route="iv", every="1 d", count=3, skip=[1], ss=1)


def test_an_infusion_may_outlast_the_interval():
    (event, *_) = expand(parse_regimen("morphine 10 mg iv over 6 h q4h ss"), ticks("1 h"))
    assert (event.duration_tick, event.ii_tick) == (ticks("6 h"), ticks("4 h"))


def test_constant_infusion_has_a_rate_and_neither_amount_nor_interval():
    (event,) = expand(parse_regimen("morphine 2 mg/h iv ss"), 0)
    assert (event.rate, event.amount, event.ii_tick, event.duration_tick) == (Rate(2, "mg", "h"), None, 0, 0)


def test_constant_infusion_in_a_table():
    table = io.StringIO("TIME,AMT,RATE,SS,II\n0,0,2,1,0\n")
    regimen = read_nonmem(table, drug="morphine", route="iv", amount_unit="mg")
    assert regimen == parse_regimen("morphine 2 mg/h iv ss")


def test_constant_infusion_takes_no_amount_length_or_count():
    with pytest.raises(InputError, match="constant infusion of m at steady state has an amount"):
        Dose(drug="m", rate="2 mg/h", duration="6 h", route="iv", ss=1)
    with pytest.raises(InputError, match="Line 2: ADDL is 2"):
        read_nonmem(io.StringIO("TIME,AMT,RATE,SS,ADDL\n0,0,2,1,2\n"), drug="m", route="iv", amount_unit="mg")


@pytest.mark.parametrize("ss", [3, -1, True, 1.5])
def test_no_other_kinds(ss):
    with pytest.raises(InputError, match="ss is"):
        Dose(drug="a", amount="1 mg", route="iv", every="1 d", ss=ss)


def test_ss_3_of_a_table_is_refused():
    with pytest.raises(InputError, match="Line 2: SS is 3"):
        read_nonmem(io.StringIO("TIME,AMT,SS,II\n0,50,3,24\n"), drug="a", route="iv", amount_unit="mg")


# ---- in the engine

STRUCTURES = (
    "plasma_equilibrium", "effect_compartment", "slow_receptor", "effect_compartment_slow_receptor", "plasma_and_store",
)  # fmt: skip


@pytest.mark.parametrize("structure", STRUCTURES)
def test_tablets_as_if_they_had_always_been_taken(structure):
    bench = Bench("naltrexone 50 mg po q24h x2 ss", "3 d", structure=structure)
    bench.agrees(*[("naltrexone", "oral", "50 mg", 24.0 * k) for k in range(-45, 2)])


def test_a_depot_that_outlasts_its_interval():
    bench = Bench("naltrexone 380 mg im_depot q7d x1 ss", "21 d", step="6 h")
    bench.agrees(*[("naltrexone", "im_depot", "380 mg", 168.0 * k) for k in range(-60, 1)])


@pytest.mark.parametrize("lasts", [1.0, 4.0, 6.0, 8.0, 11.0])
def test_infusions_shorter_and_longer_than_their_interval(lasts):
    bench = Bench(f"morphine 10 mg iv over {lasts} h q4h x2 ss", "1 d")
    bench.agrees(*[("morphine", "iv", "10 mg", 4.0 * k, lasts) for k in range(-30, 2)])


def test_a_constant_infusion_stops_at_its_time():
    bench = Bench("morphine 2 mg/h iv ss", "1 d")
    bench.agrees(("morphine", "iv", "300 mg", -150.0, 150.0))


def test_a_constant_infusion_that_is_written_on_goes_on_evenly():
    bench = Bench("morphine 2 mg/h iv ss; morphine 2 mg/h iv for 24 h", "1 d")
    found = bench.agrees(("morphine", "iv", "348 mg", -150.0, 174.0))
    assert abs(found["mor_occupancy_morphine"] - found["mor_occupancy_morphine"][0]).max() < 1e-9


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_constant_infusion_of_the_antagonist(structure):
    bench = Bench("naltrexone 1 mg/h iv ss", "1 d", structure=structure)
    bench.agrees(("naltrexone", "iv", "2400 mg", -2400.0, 2400.0))


def test_in_the_middle_of_a_run_everything_else_is_taken_away():
    words = (
        "heroin 10 mg iv; morphine 2 mg/h iv for 2 d; morphine 5 mg iv lag 20 h; naltrexone 50 mg po q24h ss from 9 h"
    )
    bench = Bench(words, "2 d")
    found = bench.engine()
    alone = Bench("naltrexone 50 mg po q24h ss from 9 h", "2 d", start="9 h").engine()
    late = [k for k, t in enumerate(bench.times) if t >= ticks("9 h")]
    for name, values in found.items():
        rest = values[late]
        if name in alone:
            assert abs(rest - alone[name]).max() < 1e-7 * max(1.0, rest.max()), name
        else:
            assert not rest.any(), name


def test_a_dose_of_another_drug_at_its_time_is_given_when_written_after():
    bench = Bench("naltrexone 50 mg po q24h x1 ss; heroin 10 mg iv", "1 d")
    bench.agrees(*[("naltrexone", "oral", "50 mg", 24.0 * k) for k in range(-40, 1)], ("heroin", "iv", "10 mg", 0.0))


def test_periods_that_hardly_ever_meet_are_refused():
    with pytest.raises(InputError, match="coincide only every"):
        Bench("naltrexone 50 mg po q24h ss; morphine 10 mg po q4.001h ss2", "1 d")


def test_two_steady_states_one_after_the_other():
    words = "naltrexone 50 mg po q24h x2 ss; reset at 40 h; morphine 10 mg po q8h x3 ss from 50 h"
    bench = Bench(words, "3 d")
    found = bench.engine()
    first = Bench("naltrexone 50 mg po q24h x2 ss", "39 h").engine()
    second = Bench("morphine 10 mg po q8h x3 ss from 50 h", "3 d", start="50 h").engine()
    late = [k for k, t in enumerate(bench.times) if t >= ticks("50 h")]
    for name in ("mor_free", "mor_occupancy_naltrexone", "plasma_naltrexone"):
        assert abs(found[name][: len(first[name])] - first[name]).max() < 1e-7
    for name in ("mor_free", "mor_occupancy_morphine", "plasma_morphine"):
        assert abs(found[name][late] - second[name]).max() < 1e-7 * max(1.0, second[name].max())
