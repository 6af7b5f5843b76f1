"""Doses written in words and read back are the same doses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schild.regimen import Dose, Regimen, expand, parse_regimen
from schild.units import MAX_TICKS, TICKS_PER_HOUR, ticks

UNITS = ["kg", "g", "mg", "ug", "ng", "mol", "mmol", "umol", "nmol", "mg/kg", "nmol/kg"]
values = st.floats(1e-6, 1e6)
times = st.integers(1, ticks("500 d")).map(lambda tick: tick / TICKS_PER_HOUR)
names = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True).filter(lambda name: name != "reset")


@st.composite
def doses(draw):
    if draw(st.integers(0, 9)) == 0:
        return Dose(evid=3, time=draw(times))
    parts = {
        "drug": draw(names.filter(lambda n: n not in ("then", "and", "followed"))),
        "route": draw(st.sampled_from(["oral", "iv", "in", "im_depot", "transdermal", "chewed"])),
        "time": draw(st.sampled_from([0.0, -720.0, 1.5]) | times),
        "basis": draw(st.sampled_from([None, "base", "hydrochloride", "sulfate"])),
        "lag": draw(st.none() | times),
        "f": draw(st.none() | st.floats(1e-3, 10)),
    }
    amount, unit = draw(values), draw(st.sampled_from(UNITS))
    kind = draw(st.sampled_from(["bolus", "over", "for", "constant"]))
    if kind == "for":
        per = draw(st.sampled_from(["s", "min", "h", "d"]))
        parts |= {"rate": f"{amount!r} {unit}/{per}", "duration": draw(st.integers(1, 1000))}
    elif kind == "constant":
        return Dose(**parts, rate=f"{amount!r} {unit}/h", ss=draw(st.sampled_from([1, 2])))
    else:
        parts |= {"amount": f"{amount!r} {unit}", "duration": draw(times) if kind == "over" else None}
    if draw(st.booleans()):
        count = draw(st.none() | st.integers(2, 60))
        skip = draw(st.sets(st.integers(2, count or 60), max_size=10))
        parts |= {"every": draw(times), "count": count, "skip": skip, "ss": draw(st.sampled_from([0, 1, 2]))}
    return Dose(**parts, evid=draw(st.sampled_from([1, 4])))


@given(st.lists(doses(), min_size=1, max_size=4))
def test_words_round_trip(some):
    regimen = Regimen(tuple(some))
    assert parse_regimen(regimen.to_words()) == regimen


@given(doses())
def test_replacing_nothing_changes_nothing(dose):
    from dataclasses import replace

    assert replace(dose) == dose


@given(doses())
def test_a_dose_as_ordered_and_its_words_give_the_same_events(dose):
    until = min(dose.time_tick + 3 * (dose.every_tick or 1), MAX_TICKS)
    assert expand([dose], until) == expand(parse_regimen(dose.to_words()), until)
