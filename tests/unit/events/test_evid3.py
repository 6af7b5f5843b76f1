"""EVID 3: a reset takes everything away and cancels what is still to come. Event level."""

from __future__ import annotations

import io

import pytest

from schild.errors import InputError
from schild.regimen import Dose, Event, expand, parse_regimen, read_nonmem
from schild.units import ticks


def seen(words, until="9 d"):
    return [(e.drug, e.time) for e in expand(parse_regimen(words), ticks(until))]


def test_additional_doses_of_earlier_records_are_cancelled():
    assert seen("a 1 mg iv q24h x5; reset at 36 h") == [("a", 0.0), ("a", 24.0), (None, 36.0)]


def test_later_records_are_not():
    words = "a 1 mg iv q24h x5; reset at 36 h; b 1 mg iv q24h x2 from 40 h"
    assert seen(words)[-2:] == [("b", 40.0), ("b", 64.0)]


def test_earlier_is_by_time_before_it_is_by_the_order_written():
    assert seen("reset at 36 h; a 1 mg iv q24h x5") == [("a", 0.0), ("a", 24.0), (None, 36.0)]


def test_at_one_time_the_order_written_decides():
    assert seen("a 1 mg iv at 1 h; reset at 1 h") == [("a", 1.0), (None, 1.0)]
    assert seen("reset at 1 h; a 1 mg iv at 1 h") == [(None, 1.0), ("a", 1.0)]
    # An additional dose that falls on the reset belongs to the record written before it.
    assert seen("a 1 mg iv q1h x3; reset at 1 h") == [("a", 0.0), ("a", 1.0), (None, 1.0)]
    assert seen("reset at 1 h; a 1 mg iv q1h x3") == [("a", 0.0), (None, 1.0)]


def test_a_reset_after_the_end_does_not_happen():
    assert seen("a 1 mg iv; reset at 2 d", "1 d") == [("a", 0.0)]


def test_the_event_of_a_reset_holds_only_a_time():
    (event,) = expand([Dose(evid=3, time="3 d")], ticks("3 d"))
    assert event == Event(ticks("3 d"), 0, 3)
    assert event.clears


@pytest.mark.parametrize(
    "extra", [{"drug": "a"}, {"amount": "1 mg"}, {"route": "iv"}, {"every": "1 d"}, {"ss": 1}, {"count": 2}]
)
def test_a_reset_gives_nothing(extra):
    with pytest.raises(InputError, match=rf"A reset \(evid 3\) was given {next(iter(extra))}"):
        Dose(evid=3, **extra)


def test_in_a_table():
    regimen = read_nonmem(io.StringIO("TIME,AMT,EVID\n0,5,1\n3,.,3\n"), drug="a", route="iv", amount_unit="mg")
    assert regimen == parse_regimen("a 5 mg iv; reset at 3 h")


def test_a_table_may_not_turn_time_back_at_a_reset():
    with pytest.raises(InputError, match="Row 2: TIME is 0 after 9; expected times that do not go back"):
        read_nonmem(io.StringIO("TIME,AMT,EVID\n9,5,1\n0,.,3\n"), drug="a", route="iv", amount_unit="mg")
