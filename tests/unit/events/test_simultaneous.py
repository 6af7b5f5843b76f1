"""Events at one tick act in the order written; others by time, whatever the order written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainly import Bench
from schild.regimen import Dose, expand, parse_regimen
from schild.units import TICKS_PER_HOUR, ticks


def test_the_order_written_decides_at_one_time():
    events = expand(parse_regimen("b 1 mg iv at 1 h; a 1 mg iv at 1 h; c 1 mg iv"), ticks("1 d"))
    assert [(e.drug, e.order) for e in events] == [("c", 2), ("b", 0), ("a", 1)]


def test_two_doses_of_one_drug_at_one_time_are_two_events():
    events = expand(parse_regimen("a 1 mg iv; a 1 mg iv"), ticks("1 d"))
    assert [e.occasion for e in events] == [1, 2]


@pytest.mark.parametrize("apart", [1, -1])
def test_a_microsecond_apart_is_apart(apart):
    first, second = Dose(drug="a", amount="1 mg", route="iv", time="1 h"), ticks("1 h") + apart
    doses = [first, Dose(drug="b", amount="1 mg", route="iv", time=second / TICKS_PER_HOUR)]
    assert [e.drug for e in expand(doses, ticks("1 d"))] == (["a", "b"] if apart > 0 else ["b", "a"])


@st.composite
def separate_doses(draw):
    """Doses whose times never coincide: each has its own residue of a common interval."""
    starts = draw(st.lists(st.integers(0, 23), min_size=1, max_size=6, unique=True))
    return [
        Dose(
            drug=draw(st.sampled_from("abc")),
            amount="1 mg",
            route="iv",
            time=float(start),
            every="24 h",
            count=draw(st.integers(1, 4)),
            evid=draw(st.sampled_from([1, 1, 4])),
        )
        for start in starts
    ]


def content(events):
    return [(e.tick, e.evid, e.drug, e.occasion) for e in events]


@given(separate_doses(), st.randoms(use_true_random=False))
def test_order_written_does_not_matter_where_no_times_coincide(doses, random):
    shuffled = list(doses)
    random.shuffle(shuffled)
    assert content(expand(doses, ticks("30 d"))) == content(expand(shuffled, ticks("30 d")))


@given(separate_doses(), st.integers(-(10**14), 10**14))
def test_shifting_all_times_shifts_all_events(doses, shift):
    moved = [
        Dose(
            drug=d.drug, amount=d.amount, route=d.route, every=d.every, count=d.count, evid=d.evid,
            time=(d.time_tick + shift) / TICKS_PER_HOUR,
        )
        for d in doses
    ]  # fmt: skip
    until = ticks("60 h")
    plain = [(tick + shift, *rest) for tick, *rest in content(expand(doses, until))]
    assert content(expand(moved, until + shift)) == plain


@given(separate_doses())
def test_events_are_sorted(doses):
    events = expand(doses, ticks("30 d"))
    assert list(events) == sorted(events, key=lambda e: (e.tick, e.order))


# ---- in the engine


def test_a_dose_written_before_a_reset_at_its_time_is_gone_and_one_written_after_stays():
    bench = Bench("morphine 10 mg iv at 1 h; reset at 1 h; naloxone 1 mg iv at 1 h", "6 h")
    found = bench.engine()
    assert not found["plasma_morphine"].any()
    alone = Bench("naloxone 1 mg iv at 1 h", "6 h").engine()
    assert abs(found["mor_free"] - alone["mor_free"]).max() < 1e-9


def test_infusions_end_before_a_reset_and_before_doses():
    bench = Bench("morphine 2 mg/h iv for 1 h; reset at 1 h; morphine 2 mg/h iv for 1 h at 1 h", "6 h")
    bench.agrees(("morphine", "iv", "2 mg", 0.0, 1.0), 1.0, ("morphine", "iv", "2 mg", 1.0, 1.0))


def test_an_infusion_begun_before_a_reset_at_its_time_never_runs():
    bench = Bench("morphine 2 mg/h iv for 5 h at 1 h; reset at 1 h", "9 h")
    assert not bench.engine()["plasma_morphine"].any()


def test_a_lagged_dose_that_would_enter_with_a_reset_is_cancelled():
    bench = Bench("morphine 10 mg iv lag 1 h; reset at 1 h", "6 h")
    assert not bench.engine()["plasma_morphine"].any()


def test_an_end_and_a_start_at_one_time_leave_no_gap():
    bench = Bench("morphine 2 mg/h iv for 3 h; morphine 2 mg/h iv for 3 h at 3 h", "12 h", step="10 min")
    bench.agrees(("morphine", "iv", "12 mg", 0.0, 6.0))


@pytest.mark.parametrize("order", ["012", "120", "201", "210"])
def test_the_order_of_doses_at_one_time_does_not_matter(order):
    words = ["morphine 10 mg iv at 1 h", "naltrexone 50 mg po at 1 h", "morphine 4 mg iv over 2 h at 1 h"]
    first = Bench("; ".join(words), "9 h").engine()
    other = Bench("; ".join(words[int(k)] for k in order), "9 h").engine()
    for name, values in first.items():
        assert abs(other[name] - values).max() <= 1e-12 * max(1.0, values.max()), name
