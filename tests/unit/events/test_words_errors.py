"""Regimens in words that cannot be read: what was given, what was expected, what to do, and where."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schild.errors import InputError
from schild.regimen import expand, parse_regimen
from schild.units import ticks

REFUSED = {
    "": "The regimen is empty",
    " ; ": "The regimen is empty",
    "naltrexone": "ends early; expected an amount",
    "naltrexone po": "'po' stands here; expected an amount",
    "naltrexone 50 po": "'50' has no unit; expected an amount with its unit",
    "naltrexone 50": "'50' has no unit",
    "naltrexone 50 mg": "does not say how the drug is given",
    "naltrexone 50 mg base": "does not say how the drug is given",
    "naltrexone 50 mg q24h": "does not say how the drug is given",
    "naltrexone 50 Mg po": "Did you mean 'mg'?",
    "naltrexone 50 IU po": "is not a unit of amount",
    "naltrexone 0 mg po": "not above 0",
    "naltrexone -5 mg po": "not above 0",
    "naltrexone 1e99 mg po": "cannot be given",
    "naltrexone 1,5 mg po": "decimal sign as a point",
    "naltrexone hydrochloride 50 mg po": "A salt comes after the amount",
    "25 mg then 50 mg po q24h": "'then' joins two",
    "naltrexone 25 mg po then 50 mg po": "Write two regimens",
    "naltrexone 25 mg po + heroin 25 mg iv": "'+' joins two",
    "25 mg po": "is not the name of a drug|stands here; expected an amount",
    "naltrexone 50 mg po daily": "Write q24h",
    "naltrexone 50 mg po BID": "Write q12h",
    "naltrexone 50 mg po repeated 24 h": "'repeated' is not part of a regimen",
    "naltrexone 50 mg po q24h skp 5": "Did you mean 'skip'?",
    "naltrexone 50 mg po q24": "'24' has no unit",
    "naltrexone 50 mg po q24 x7": "'24' has no unit",
    "naltrexone 50 mg po q0h": "expected a time above 0",
    "naltrexone 50 mg po q": "ends early; expected an interval",
    "naltrexone 50 mg po q24h x0": "expected a number of doses",
    "naltrexone 50 mg po q24h x": "ends early; expected a number of doses",
    "naltrexone 50 mg po q24h x7 x8": "'x8' repeats what 'x7' said",
    "naltrexone 50 mg po at 1 d from 2 d": "'from' repeats what 'at' said",
    "naltrexone 50 mg po at 2": "'2' has no unit; expected a time",
    "naltrexone 50 mg po at noon": "'noon' stands here; expected a time",
    "naltrexone 50 mg po at 1 month": "a month has 28 to 31 days",
    "naltrexone 50 mg po at 200000 d": "more than 100 years",
    "morphine 12 mg iv for 6 h": "'over' with an amount",
    "morphine 2 mg/h iv over 6 h": "'for' with a rate",
    "morphine 2 mg/h iv": "has no end",
    "morphine 2 mg/h iv for 0 h": "expected a time above 0",
    "morphine 2 mg/fortnight iv for 6 h": "is not a rate",
    "naltrexone 50 mg po f much": "expected a factor",
    "naltrexone 50 mg po f 0": "expected a factor above 0",
    "reset at 3 d x7": "A reset was given 'x7'",
    "nal\N{SNOWMAN}trexone 50 mg po": "is not the name of a drug",
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused_with_reason(words):
    with pytest.raises(InputError, match=REFUSED[words].replace("+", r"\+").replace("?", r"\?")) as caught:
        parse_regimen(words)
    message = str(caught.value)
    assert "expected" in message
    assert any(verb in message for verb in ("Write", "Correct", "Give", "Say", "Leave", "Check", "Skip"))


def test_the_picture_points_at_the_word():
    with pytest.raises(InputError) as caught:
        parse_regimen("naltrexone 50 mg po repeated 24 h")
    _, shown, marks = str(caught.value).split("\n")
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "repeated"


PIECES = """naltrexone 50 0 -1 1e9 nan inf mg mg/h mg/kg ug nmol base hcl po iv in im_depot q24h x7 skip 5-8,20
    q q0h x , - at from for over 2 d h 30 min ss ss2 lag f 0.8 reset then and ; 50mg 2d \N{MINUS SIGN}30 µg × /"""
WORDS = st.sampled_from(re.findall(r"\S+", PIECES))


@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=60))
@example("a 1 mg iv q24h x7 skip 1-" + "9" * 5000)
@example("a " + "9" * 5000 + " mg iv")
@example("a 1e-999 mg iv")
@example("a 1 9**9**9 iv")
@example("a 1 mg iv at ١ h")
def test_any_text_is_read_or_refused_in_words(text):
    try:
        regimen = parse_regimen(text)
        expand(regimen, ticks("1 h"))
    except InputError:
        return
    assert parse_regimen(regimen.to_words()) == regimen
