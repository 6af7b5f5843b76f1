"""Events at one tick act in the order written; others by time, whatever the order written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
