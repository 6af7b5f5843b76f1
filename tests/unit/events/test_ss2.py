"""SS=2: a steady state added to what is there. Event level."""

from __future__ import annotations

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
