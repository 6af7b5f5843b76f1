"""EVID 3: a reset takes everything away and cancels what is still to come."""

from __future__ import annotations

import io

import pytest

from plainly import Bench
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
    with pytest.raises(InputError, match="Line 3: TIME is 0 after 9; expected times that do not go back"):
        read_nonmem(io.StringIO("TIME,AMT,EVID\n9,5,1\n0,.,3\n"), drug="a", route="iv", amount_unit="mg")


# ---- in the engine


def drug_free(bench, found, since):
    """All curves from that output on are those of a body without drug."""
    e0 = bench.built.parameters["mor.endogenous.e0"]
    for name, values in found.items():
        if name == "mor_occupancy_endogenous":
            assert abs(values[since:] - e0 / (1 + e0)).max() < 1e-12
        elif name == "mor_free":
            assert abs(values[since:] - 1 / (1 + e0)).max() < 1e-12
        elif name != "tone":
            assert not values[since:].any(), name


def test_amounts_go_and_receptors_are_drug_free_at_once():
    bench = Bench("naltrexone 50 mg po; heroin 20 mg iv at 1 h; reset at 3 h", "24 h")
    found = bench.agrees(("naltrexone", "oral", "50 mg", 0.0), ("heroin", "iv", "20 mg", 1.0), 3.0)
    assert found["mor_occupancy_naltrexone"][5] > 0.1
    drug_free(bench, found, 6)


def test_without_tone_receptors_are_empty():
    bench = Bench("naloxone 2 mg iv; reset at 1 h", "4 h", tone=False)
    found = bench.engine()
    assert found["mor_free"][1] < 0.9
    assert found["mor_free"][2:].tolist() == [1.0] * 7


@pytest.mark.parametrize("structure", ["slow_receptor", "effect_compartment_slow_receptor"])
def test_slow_receptors_let_go_too(structure):
    bench = Bench("naltrexone 50 mg po q24h ss; reset at 30 h", "3 d", structure=structure)
    drug_free(bench, bench.engine(), 60)


def test_running_infusions_stop():
    bench = Bench("morphine 2 mg/h iv for 20 h; reset at 5 h", "24 h")
    drug_free(bench, bench.agrees(("morphine", "iv", "10 mg", 0.0, 5.0), 5.0), 10)


def test_inputs_with_a_length_of_their_own_stop():
    bench = Bench("naltrexone 380 mg im_depot; reset at 3 d", "20 d", step="6 h")  # the plateau runs to day 14
    drug_free(bench, bench.engine(), 12)


def test_lagged_doses_do_not_enter():
    bench = Bench("morphine 10 mg iv at 1 h lag 3 h; morphine 10 mg iv over 1 h at 1 h lag 3 h; reset at 2 h", "9 h")
    drug_free(bench, bench.engine(), 0)


def test_additional_doses_do_not_come():
    bench = Bench("morphine 10 mg iv q4h x6; reset at 9 h", "24 h")
    found = bench.agrees(*[("morphine", "iv", "10 mg", t) for t in (0.0, 4.0, 8.0)], 9.0)
    drug_free(bench, found, 18)


def test_implied_infusions_and_lagged_doses_of_a_steady_state_stop():
    bench = Bench("morphine 10 mg iv over 6 h q4h x1 ss; morphine 5 mg iv q4h x1 ss2 lag 9 h; reset at 1 h", "12 h")
    drug_free(bench, bench.engine(), 2)


def test_what_comes_after_is_untouched():
    bench = Bench("morphine 2 mg/h iv for 20 h; reset at 5 h; morphine 10 mg iv over 2 h at 5 h; "
                  "morphine 10 mg iv at 6 h", "24 h")  # fmt: skip
    before = ("morphine", "iv", "10 mg", 0.0, 5.0)
    bench.agrees(before, 5.0, ("morphine", "iv", "10 mg", 5.0, 2.0), ("morphine", "iv", "10 mg", 6.0))


def test_two_resets():
    bench = Bench("morphine 2 mg/h iv for 20 h; reset at 5 h; morphine 1 mg/h iv for 9 h at 6 h; reset at 8 h", "24 h")
    found = bench.agrees(("morphine", "iv", "10 mg", 0.0, 5.0), 5.0, ("morphine", "iv", "2 mg", 6.0, 2.0), 8.0)
    drug_free(bench, found, 16)
