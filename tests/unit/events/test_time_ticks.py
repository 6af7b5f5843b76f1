"""Times are whole microseconds: equal times are equal, however they were written (RxODE#405)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schild.errors import InputError
from schild.regimen import expand, parse_regimen
from schild.units import MAX_TICKS, TICKS_PER_HOUR, format_ticks, hours, ticks


def test_a_dose_every_4_5_h_meets_a_dose_written_at_its_time():
    words = "a 1 mg iv q4.5h x4; b 1 mg iv at 4.5 h; b 1 mg iv at 9 h; b 1 mg iv at 810 min"
    events = expand(parse_regimen(words), ticks("1 d"))
    assert [e.drug for e in events] == ["a", "a", "b", "a", "b", "a", "b"]
    assert [e.time for e in events if e.drug == "a"] == [0.0, 4.5, 9.0, 13.5]


@pytest.mark.parametrize("interval", ["0.1 h", "4.5 h", "7.7 h", "20 min", "1.1 d"])
def test_the_thousandth_dose_is_where_multiplying_says(interval):
    events = expand(parse_regimen(f"a 1 mg iv q{interval} x1001"), MAX_TICKS)
    assert events[-1].tick == 1000 * ticks(interval)


def test_the_same_time_in_any_words():
    same = [
        "1.5 d",
        "36 h",
        "2160 min",
        "129600 s",
        36,
        36.0,
        " 36h ",
        "36 hours",
        "3.6e1 h",
    ]
    assert {ticks(t) for t in same} == {36 * TICKS_PER_HOUR}


def test_a_tenth_of_an_hour_is_exact():
    assert ticks("0.1 h") == ticks(0.1) == ticks("6 min") == 360_000_000


@given(st.integers(-(2**51), 2**51))
def test_hours_carry_every_tick(tick):
    assert ticks(tick / TICKS_PER_HOUR) == tick


@given(st.integers(-MAX_TICKS, MAX_TICKS))
def test_words_carry_every_tick(tick):
    assert ticks(format_ticks(tick)) == tick


@given(st.fractions(0, 1000, max_denominator=10**6))
def test_decimals_go_to_the_nearest_tick(value):
    text = f"{float(value):.9f}"
    assert abs(ticks(f"{text} h") - Fraction(text) * TICKS_PER_HOUR) <= Fraction(1, 2)


@pytest.mark.parametrize(
    "bad", [float("nan"), float("inf"), True, None, [1], "", "24", "h", "nan h", "inf h", "24 x", "24 mg", "1e999 h",
            "101000 y", "1 month", "2 years", "3 m", "1,5 h", "24 h h", "1e9 d", 1e9, "9**9 h", "h**9"]
)  # fmt: skip
def test_what_is_no_time_is_refused(bad):
    with pytest.raises(InputError):
        ticks(bad)


def test_pint_helps_with_rare_units():
    assert hours("1 fortnight") == 336.0
