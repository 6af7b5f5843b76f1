"""An infusion by its length: the amount is spread evenly over it."""

from __future__ import annotations

import io

import pytest

from plainly import Bench
from schild.errors import InputError
from schild.regimen import Dose, expand, parse_regimen, read_nonmem
from schild.units import Amount, ticks


def test_over_spreads_the_amount():
    (event,) = expand(parse_regimen("morphine 10 mg iv over 30 min"), 0)
    assert (event.amount, event.duration_tick) == (Amount(10, "mg"), ticks("30 min"))


def test_each_repeat_is_as_long():
    events = expand(parse_regimen("morphine 10 mg iv over 30 min q4h x3"), ticks("1 d"))
    assert [event.duration_tick for event in events] == [ticks("30 min")] * 3


def test_length_zero_is_a_bolus():
    assert Dose(drug="m", amount="1 mg", route="iv", duration=0).duration is None


def test_negative_length_is_refused():
    with pytest.raises(InputError, match="`duration` is"):
        Dose(drug="m", amount="1 mg", route="iv", duration="-1 h")


def read(text):
    return read_nonmem(io.StringIO(text), drug="m", route="iv", amount_unit="mg")


@pytest.mark.parametrize("rate", [0, -2, -1, 2])
def test_dur_column_of_a_table(rate):
    assert read(f"TIME,AMT,RATE,DUR\n0,12,{rate},6\n") == parse_regimen("m 12 mg iv over 6 h")


def test_rate_and_dur_that_disagree_are_refused():
    with pytest.raises(InputError, match="Line 3: RATE is 2 and DUR is 5"):
        read("TIME,AMT,RATE,DUR\n0,12,2,6\n1,12,2,5\n")


# ---- in the engine


def test_overlapping_infusions_add():
    bench = Bench("morphine 10 mg iv over 3 h q2h x4", "24 h", step="20 min")
    bench.agrees(*[("morphine", "iv", "10 mg", 2.0 * k, 3.0) for k in range(4)])


def test_infusions_as_long_as_their_interval_are_one():
    bench = Bench("morphine 10 mg iv over 4 h q4h x3", "24 h")
    bench.agrees(("morphine", "iv", "30 mg", 0.0, 12.0))


def test_a_short_one_tends_to_a_bolus():
    short = Bench("naloxone 1 mg iv over 1 ms", "4 h").engine()["plasma_naloxone"]
    bolus = Bench("naloxone 1 mg iv", "4 h").engine()["plasma_naloxone"]
    assert abs(short[1:] - bolus[1:]).max() < 1e-5 * bolus.max()


def test_f_scales_the_rate_and_keeps_the_length():
    bench = Bench("morphine 10 mg iv over 5 h f 0.5", "12 h")
    bench.agrees(("morphine", "iv", "5 mg", 0.0, 5.0))
