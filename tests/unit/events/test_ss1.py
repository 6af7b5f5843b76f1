"""SS=1: the first dose of a regimen at steady state, in place of everything before. Event level."""

from __future__ import annotations

import io

import pytest

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
    with pytest.raises(InputError, match="Row 1: II is 0 but SS is 1"):
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
    with pytest.raises(InputError, match="Row 1: ADDL is 2"):
        read_nonmem(io.StringIO("TIME,AMT,RATE,SS,ADDL\n0,0,2,1,2\n"), drug="m", route="iv", amount_unit="mg")


@pytest.mark.parametrize("ss", [3, -1, True, 1.5])
def test_no_other_kinds(ss):
    with pytest.raises(InputError, match="ss is"):
        Dose(drug="a", amount="1 mg", route="iv", every="1 d", ss=ss)


def test_ss_3_of_a_table_is_refused():
    with pytest.raises(InputError, match="Row 1: SS is 3"):
        read_nonmem(io.StringIO("TIME,AMT,SS,II\n0,50,3,24\n"), drug="a", route="iv", amount_unit="mg")
