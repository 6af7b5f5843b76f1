"""What a rescue is told in words."""

from __future__ import annotations

import numpy as np
import pytest

from schild.catalog import load
from schild.errors import InputError
from schild.overdose.drugs import REGIMENS
from schild.overdose.words import parse_care, parse_delay, parse_lung, parse_opioid, parse_plan
from schild.units import TICKS_PER_HOUR

DAY = 24 * TICKS_PER_HOUR


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("naloxone 4 mg in", "IN4mg_x1"),
        ("Narcan 4 mg in", "IN4mg_x1"),
        ("naloxone 4 mg in q150s x2", "IN4mg_x2_150s"),
        ("naloxone 4 mg in q150s x4", "IN4mg_x4_150s"),
        ("naloxone 8 mg in product spray_4mg", "IN4mg_2rapid"),
        ("naloxone 8 mg in product spray_4mg q150s x2", "IN4mg_4rapid"),
        ("naloxone 2 mg im", "IM2mg_generic"),
        ("naloxone 0.5 mg iv", "IV0.5mg"),
        ("naloxone 500 ug iv", "IV0.5mg"),
        ("none", "none"),
        ("IM2mg_EVZIO", "IM2mg_EVZIO"),
    ],
)
def test_words_mean_the_published_regimen(words, key):
    found, named = parse_plan(words, load(), DAY).published, REGIMENS[key]
    assert found is not None
    assert found.route == named.route
    assert [(d.after_s, d.amount_ng, d.bioavailability) for d in found.doses] == [
        (d.after_s, pytest.approx(d.amount_ng, rel=1e-12), d.bioavailability) for d in named.doses
    ]


@pytest.mark.parametrize(
    "words",
    [
        "naloxone 8 mg in",  # another product
        "nalmefene 3 mg in",
        "naltrexone 50 mg po at -12 h",
        "naloxone 4 mg in; naloxone 2 mg im at 150 s",
        "naloxone 2 mg iv over 10 min",
        "naloxone 10 ug/kg iv",
        "naloxone 1 mg iv q5s x2",
    ],
)
def test_what_the_published_kinetics_do_not_have(words):
    assert parse_plan(words, load(), DAY).published is None


def test_what_was_taken_before_and_what_comes_as_rescue():
    plan = parse_plan("naltrexone 50 mg po at -12 h; naloxone 4 mg in q150s x2", load(), DAY)
    assert [e.tick / TICKS_PER_HOUR for e in plan.before] == [-12.0]
    assert [e.tick / TICKS_PER_HOUR * 3600 for e in plan.after] == [0.0, 150.0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "empty"),
        ("fentanyl 1 mg iv", "agonist"),
        ("naloxone 4 mg", "expected"),
        ("reset at 1 h", "a reset"),
        ("naloxone 1 mg iv over 2 h at -1 h", "still running"),
    ],
)
def test_antagonists_that_are_none(words, told):
    with pytest.raises(InputError, match=told):
        parse_plan(words, load(), DAY)


def test_the_published_opioids_and_others():
    assert parse_opioid("fentanyl 1.625 mg iv", load(), DAY)[1] == pytest.approx(1.625, rel=1e-12)
    assert parse_opioid("carfentanil 12 ug iv", load(), DAY)[1] == pytest.approx(0.012, rel=1e-12)
    for words in (
        "fentanyl 1 mg iv over 10 min",
        "fentanyl 10 ug/kg iv",
        "fentanyl 0.1 mg iv q1h x2",
        "heroin 10 mg iv",
    ):
        assert parse_opioid(words, load(), DAY)[1] is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("fentanyl 1 mg iv; heroin 1 mg iv", "one stated exposure"),
        ("naltrexone 50 mg po", "opioid agonist"),
        ("fentanyl 1 mg iv at 1 h", "time 0"),
        ("reset at 0 h", "one regimen"),
    ],
)
def test_exposures_that_are_none(words, told):
    with pytest.raises(InputError, match=told):
        parse_opioid(words, load(), DAY)


def test_delays_are_drawn_once_for_each_person():
    some = parse_delay("median 5 min cv 0.8")
    many = some.seconds(4000, 1)
    assert np.array_equal(many[:50], some.seconds(50, 1))
    assert np.median(many) == pytest.approx(300.0, rel=0.05)
    assert many.std() / many.mean() == pytest.approx(0.8, rel=0.1)
    flat = parse_delay("1 min to 10 min").seconds(4000, 1)
    assert 60.0 < flat.min() < 65.0 < 595.0 < flat.max() < 600.0
    assert np.all(parse_delay("60 s").seconds(5, 1) == 60.0)


@pytest.mark.parametrize(
    "words", ["soon", "-1 min", "10 min to 1 min", "median 0 s cv 1", "median 5 min cv 0", "5 min to", ""]
)
def test_delays_that_are_none(words):
    with pytest.raises(InputError, match="expected"):
        parse_delay(words)


def test_breathing_and_oxygen():
    assert parse_care("from 2 min to 10 min", "breathing").value is None
    assert parse_care("8 L/min from 0 s to 1 h", "breathing").end_s == 3600.0
    for words, what in (
        ("from 10 min to 2 min", "breathing"),
        ("0.1 from 2 min to 3 min", "oxygen"),
        ("from 2 min to 3 min", "oxygen"),
        ("0.5 L/min from 2 min to 3 min", "oxygen"),
        ("100 L/min from 2 min to 3 min", "breathing"),
        ("always", "breathing"),
    ):
        with pytest.raises(InputError, match="expected"):
            parse_care(words, what)


@pytest.mark.parametrize("words", ["copd", "shunt", "shunt 2", "shunt 0.1; dead space 0.4"])
def test_lungs_that_are_none(words):
    with pytest.raises(InputError, match="expected"):
        parse_lung(words)
