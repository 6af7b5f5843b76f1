"""EVID 4: a reset and then a dose, one event."""

from __future__ import annotations

import io

import pytest

from plainly import Bench
from schild.errors import InputError
from schild.regimen import Dose, expand, parse_regimen, read_nonmem
from schild.units import Amount, ticks


def test_only_the_first_of_a_series_resets():
    events = expand(parse_regimen("a 1 mg iv q24h x3 reset from 1 d"), ticks("9 d"))
    assert [e.evid for e in events] == [4, 1, 1]
    assert [e.clears for e in events] == [True, False, False]


def test_it_cancels_earlier_records_and_not_itself():
    events = expand(parse_regimen("a 1 mg iv q24h x9; a 2 mg iv q24h x2 reset from 36 h"), ticks("9 d"))
    assert [(e.time, e.amount) for e in events] == [
        (0.0, Amount(1, "mg")), (24.0, Amount(1, "mg")), (36.0, Amount(2, "mg")), (60.0, Amount(2, "mg")),
    ]  # fmt: skip


def test_occasions_run_on_through_a_reset():
    events = expand(parse_regimen("a 1 mg iv; a 1 mg iv reset at 1 d"), ticks("9 d"))
    assert [e.occasion for e in events] == [1, 2]


def test_it_is_the_same_as_a_reset_and_a_dose():
    one = expand(parse_regimen("b 1 mg iv q6h; a 2 mg iv reset at 9 h"), ticks("1 d"))
    two = expand(parse_regimen("b 1 mg iv q6h; reset at 9 h; a 2 mg iv at 9 h"), ticks("1 d"))
    assert [(e.tick, e.drug) for e in one] == [(e.tick, e.drug) for e in two if e.evid != 3]


def test_steady_state_after_a_reset():
    (event, *_) = expand(parse_regimen("a 1 mg iv q24h ss reset"), ticks("1 d"))
    assert (event.evid, event.ss) == (4, 1)


def test_the_first_dose_cannot_be_skipped():
    with pytest.raises(InputError, match="Dose 1 of a is skipped but carries the reset"):
        Dose(drug="a", amount="1 mg", route="iv", every="1 d", count=3, skip=[1], evid=4)


@pytest.mark.parametrize("evid", [0, 2, 5, True])
def test_no_other_numbers(evid):
    with pytest.raises(InputError, match="evid is"):
        Dose(drug="a", amount="1 mg", route="iv", evid=evid)


def test_in_a_table():
    regimen = read_nonmem(io.StringIO("TIME,AMT,EVID\n0,5,1\n3,6,4\n"), drug="a", route="iv", amount_unit="mg")
    assert regimen == parse_regimen("a 5 mg iv; a 6 mg iv reset at 3 h")


# ---- in the engine


def test_a_reset_and_then_the_dose():
    bench = Bench("morphine 2 mg/h iv for 20 h; morphine 5 mg im q2h x9; naloxone 1 mg iv reset at 5 h", "12 h")
    found = bench.engine()
    after = Bench("naloxone 1 mg iv at 5 h", "12 h").engine()
    for name, values in after.items():
        if name in found:
            assert abs(found[name][10:] - values[10:]).max() < 1e-9 * max(1.0, values.max()), name
    assert not found["plasma_morphine"][10:].any()


def test_additional_doses_do_not_reset_again():
    bench = Bench("morphine 5 mg iv; morphine 10 mg iv q4h x3 reset from 2 h", "16 h")
    bench.agrees(("morphine", "iv", "5 mg", 0.0), 2.0, *[("morphine", "iv", "10 mg", t) for t in (2.0, 6.0, 10.0)])


def test_with_a_lag_the_body_stays_empty_until_the_dose_enters():
    bench = Bench("morphine 5 mg iv; morphine 10 mg iv reset at 2 h lag 1 h", "8 h")
    found = bench.agrees(("morphine", "iv", "5 mg", 0.0), 2.0, ("morphine", "iv", "10 mg", 3.0))
    assert found["plasma_morphine"][4:6].tolist() == [0.0, 0.0]


def test_with_an_infusion():
    bench = Bench("morphine 5 mg iv; morphine 10 mg iv over 3 h reset at 2 h", "8 h")
    bench.agrees(("morphine", "iv", "5 mg", 0.0), 2.0, ("morphine", "iv", "10 mg", 2.0, 3.0))


def test_with_a_steady_state_it_is_the_steady_state():
    one = Bench("heroin 10 mg iv; naltrexone 50 mg po q24h ss reset at 2 h", "3 d").engine()
    two = Bench("heroin 10 mg iv; naltrexone 50 mg po q24h ss at 2 h", "3 d").engine()
    assert all((one[name] == two[name]).all() for name in one)
