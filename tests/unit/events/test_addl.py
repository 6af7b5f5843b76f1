"""Additional doses come one interval apart, exactly, and the first counts."""

from __future__ import annotations

import io

import pytest

from plainly import Bench
from schild.errors import InputError
from schild.regimen import Dose, expand, parse_regimen, read_nonmem
from schild.units import ticks


def times(words, until="30 d"):
    return [event.time for event in expand(parse_regimen(words), ticks(until))]


def test_x7_is_seven_doses():
    assert times("naltrexone 50 mg po q24h x7") == [24.0 * k for k in range(7)]


def test_addl_6_is_seven_doses():
    table = io.StringIO("TIME,AMT,II,ADDL\n0,50,24,6\n")
    regimen = read_nonmem(table, drug="naltrexone", route="po", amount_unit="mg")
    assert regimen == parse_regimen("naltrexone 50 mg po q24h x7")


def test_without_a_number_doses_go_on_until_the_end_of_the_run():
    assert times("naltrexone 50 mg po q24h", "3 d") == [0.0, 24.0, 48.0, 72.0]
    assert times("naltrexone 50 mg po q24h", "71 h") == [0.0, 24.0, 48.0]


def test_a_dose_without_interval_is_given_once():
    assert Dose(drug="a", amount="1 mg", route="iv").count == 1
    assert Dose(drug="a", amount="1 mg", route="iv", every="1 d").count is None


def test_doses_after_the_end_are_left_out():
    assert times("naltrexone 380 mg im_depot q28d x6", "60 d") == [0.0, 672.0, 1344.0]


def test_too_many_doses_are_refused():
    with pytest.raises(InputError, match=r"has 86,400,001 doses until .* at most 20,000"):
        expand(parse_regimen("naltrexone 50 mg po q1ms"), ticks("1 d"))
    with pytest.raises(InputError, match=r"has 20,001 doses until"):
        expand(parse_regimen("naltrexone 50 mg po q1min x15000; morphine 1 mg po q1min x5001"), ticks("100 d"))


@pytest.mark.parametrize("count", [0, -1, 1.5, True, 10**7, "7"])
def test_count_is_a_whole_number(count):
    with pytest.raises(InputError, match=r"`?count`? is"):
        Dose(drug="a", amount="1 mg", route="iv", every="1 d", count=count)


def test_additional_doses_of_two_records_each_keep_their_own_interval():
    words = "naltrexone 15 mg po q12h x3; naltrexone 10 mg po at 10 h"
    assert times(words) == [0.0, 10.0, 12.0, 24.0]


# ---- in the engine


def test_each_additional_dose_enters():
    Bench("naltrexone 50 mg po q24h x3", "5 d", step="2 h").agrees(
        *[("naltrexone", "oral", "50 mg", 24.0 * k) for k in range(3)]
    )


def test_an_interval_that_is_no_binary_fraction_does_not_drift():
    bench = Bench("morphine 1 mg iv q0.1h x40", "6 h")
    bench.agrees(*[("morphine", "iv", "1 mg", k / 10) for k in range(40)])
