"""Agonists above published human challenges are refused while an antagonist is on board, however they are written."""

import pytest

import schild
from schild.errors import InputError

NALTREXONE = "naltrexone 50 mg po"


@pytest.mark.parametrize(
    "agonist",
    [
        "heroin 26 mg iv at 1 h",
        "heroin 25 mg base iv at 1 h",
        "morphine 1000 mg/h iv ss2",
        "morphine 100 mg iv q12h x3 ss2 from 12 h",
        "morphine 10 mg iv q1min x60 from 1 h",
        "morphine 2 mg/h iv for 6 h at 1 h",
        "morphine 20 mg iv over 10 h",
        "carfentanil 1 ug iv at 1 h",
    ],
)
def test_too_much_is_refused_with_the_reason(agonist):
    with pytest.raises(InputError, match="published human challenges"):
        schild.simulate(NALTREXONE, agonist, until="1 d")


def test_doses_per_kilogram_are_judged_by_the_heaviest_person():
    with pytest.raises(InputError, match="published human challenges"):
        schild.simulate(NALTREXONE, "morphine 0.14 mg/kg iv at 1 h", until="3 h", n=20)
    schild.simulate(NALTREXONE, "morphine 0.14 mg/kg iv at 1 h", until="3 h", subject={"weight": "70 kg"})


@pytest.mark.parametrize(
    "agonist", ["heroin 25 mg iv at 24 h", "morphine 10 mg iv at 24 h", "morphine 5 mg iv q12h x2"]
)
def test_published_challenges_run_with_the_warning(agonist):
    result = schild.simulate(NALTREXONE, agonist, until="30 h")
    assert any("can kill" in warning for warning in result.warnings)


def test_without_an_antagonist_and_long_after_one_there_is_no_limit_here():
    assert not schild.simulate("morphine 60 mg po", until="6 h").warnings
    schild.simulate(NALTREXONE, "morphine 60 mg po at 70 d", until="71 d", every="1 h")


def test_an_infusion_that_runs_into_the_antagonist_counts():
    with pytest.raises(InputError, match="published human challenges"):
        schild.simulate("morphine 2 mg/h iv for 20 h", "naltrexone 50 mg po at 10 h", until="1 d")


def test_a_rescue_is_no_challenge():
    schild.simulate("morphine 2 mg/h iv for 6 h", "naloxone 0.4 mg iv at 5 h", until="8 h")
    schild.simulate("fentanyl 1 mg iv", "naloxone 4 mg in at 2 min", until="2 h")
