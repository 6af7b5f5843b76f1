"""Regimens in words: what each form means."""

from __future__ import annotations

import pytest

from schild.errors import InputError
from schild.regimen import Dose, parse_regimen

NTX = {"drug": "naltrexone", "amount": "50 mg", "route": "oral"}

MEANING = {
    "naltrexone 50 mg po": NTX,
    "naltrexone 50 mg po q24h x7": NTX | {"every": "24 h", "count": 7},
    "naltrexone 50 mg po q24h": NTX | {"every": "24 h", "count": None},
    "naltrexone 50 mg po q24h x28 skip 5-8,20": NTX
    | {"every": "24 h", "count": 28, "skip": (5, 6, 7, 8, 20)},
    "naltrexone 50 mg base po": NTX | {"basis": "base"},
    "naltrexone 50 mg hcl po": NTX | {"basis": "hydrochloride"},
    "naltrexone 380 mg im_depot q28d x6": NTX
    | {"amount": "380 mg", "route": "im_depot", "every": "28 d", "count": 6},
    "naltrexone 100 mg po at 2 d": NTX | {"amount": "100 mg", "time": "2 d"},
    "heroin 25 mg iv at 3 d": {"drug": "heroin", "amount": "25 mg", "route": "iv", "time": 72.0},
    "naloxone 4 mg in at 60 s": {"drug": "naloxone", "amount": "4 mg", "route": "in", "time": "1 min"},
    "morphine 2 mg/h iv for 6 h": {"drug": "morphine", "rate": "2 mg/h", "route": "iv", "duration": 6.0},
    "morphine 10 mg iv over 30 min": {"drug": "morphine", "amount": "10 mg", "route": "iv", "duration": 0.5},
    "methadone 60 mg po q24h x30 from -30 d": {
        "drug": "methadone", "amount": "60 mg", "route": "po", "every": "1 d", "count": 30, "time": "-30 d",
    },
    "naltrexone 50 mg po q24h ss": NTX | {"every": 24.0, "ss": 1},
    "naltrexone 50 mg po q24h ss1": NTX | {"every": 24.0, "ss": 1},
    "naltrexone 50 mg po q24h ss2": NTX | {"every": 24.0, "ss": 2},
    "naltrexone 50 mg po at 1 d reset": NTX | {"time": "1 d", "evid": 4},
    "reset at 3 d": {"evid": 3, "time": "3 d"},
    "naloxone 0.4 mcg/kg iv": {"drug": "naloxone", "amount": "0.4 ug/kg", "route": "iv"},
    "naloxone 0.1 ug/kg/min iv for 1 h": {
        "drug": "naloxone", "rate": "0.1 ug/kg/min", "route": "iv", "duration": 1.0,
    },
    "beta-naltrexol 150 nmol iv": {"drug": "beta_naltrexol", "amount": "150 nmol", "route": "iv"},
    "6-mam 1 mg iv": {"drug": "6_mam", "amount": "1 mg", "route": "iv"},
}  # fmt: skip


@pytest.mark.parametrize("words", MEANING)
def test_meaning(words):
    (dose,) = parse_regimen(words)
    assert dose == Dose(**MEANING[words])


@pytest.mark.parametrize(
    "words",
    [
        "NALTREXONE 50 MG PO Q24H X7",
        "naltrexone 50mg po q 24 h x 7",
        "naltrexone 50 mg oral q24 h ×7",
        "  naltrexone  50  mg  po  x7  q1d ",
        "naltrexone 50 mg po q24h x7 at 0 h",
    ],
)
def test_the_same_in_other_words(words):
    assert parse_regimen(words) == parse_regimen("naltrexone 50 mg po q24h x7")


@pytest.mark.parametrize(
    ("word", "route"),
    [
        ("po", "oral"), ("Oral", "oral"), ("intravenous", "iv"), ("nasal", "in"), ("td", "transdermal"),
        ("patch", "transdermal"), ("im-depot", "im_depot"), ("SL", "sl"), ("sc", "sc"), ("im", "im"),
        ("sprinkled", "sprinkled"),
    ],
)  # fmt: skip
def test_routes_and_their_aliases(word, route):
    assert parse_regimen(f"naltrexone 50 mg {word}")[0].route == route


def test_several_doses_in_one_text_keep_their_order():
    regimen = parse_regimen("naltrexone 25 mg po; naltrexone 50 mg po q24h from 1 d\nheroin 25 mg iv at 3 d\n")
    assert [dose.drug for dose in regimen] == ["naltrexone", "naltrexone", "heroin"]


def test_the_text_is_kept():
    assert parse_regimen(" naltrexone 50 mg po ").text == "naltrexone 50 mg po"


def test_a_regimen_is_text():
    with pytest.raises(InputError, match="is not a regimen; expected words"):
        parse_regimen(50)
