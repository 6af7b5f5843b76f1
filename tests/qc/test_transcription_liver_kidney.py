"""Second transcription of what liver and kidney change: typed again from the abstracts, and what a run then gives."""

import numpy as np
import pytest

import schild
from schild.catalog import load

# Drug, number, citation, and what the source prints turned into the catalogue's unit.
TYPED = [
    ("buprenorphine", "cl.liver_moderate", "Nasser2015", 100 / 163.9),
    ("buprenorphine", "cl.liver_severe", "Nasser2015", 171.8 / 281.4),
    ("buprenorphine", "sl.f.liver_severe", "Nasser2015", 171.8 / 100),
    ("naloxone", "oral.f.liver_moderate", "Nasser2015", 317.6 / 100),
    ("naloxone", "oral.f.liver_severe", "Nasser2015", 1401.9 / 100),
    ("methylnaltrexone", "cl.per_crcl", "RelistorMonograph", 44.1 / 2 / 80),
    ("nalmefene", "cl.liver", "Frye1997", 0.61 / 0.90),
    ("samidorphan", "cl.liver_moderate", "Sun2019", 1 / 1.52),
    ("samidorphan", "cl.per_crcl", "Sun2019", 35.4 * (1 - 1 / 2.31) / 78),
    ("hydromorphone", "cl.per_crcl", "HydromorphoneRenal2023", 108 * 0.5 / 65),
    ("hydromorphone", "oral.f.liver_moderate", "HydromorphoneReview", (2 * 4) ** 0.5),
    ("morphine", "cl.liver_severe", "Mazoit1987", 21 / 33.5),
    ("morphine", "oral.f.liver_severe", "Hasselstrom1990", 0.99 / 0.33),
    ("naltrexone", "oral.f.liver_moderate", "Recalled", 5),
    ("naltrexone", "oral.f.liver_severe", "Bertolotti1997", 6.6),
]


@pytest.mark.parametrize(("drug", "name", "source", "wanted"), TYPED)
def test_number_and_source(drug, name, source, wanted):
    number = load().drug(drug).number(name)
    assert number.value == pytest.approx(wanted, rel=1e-5)
    assert source in number.chosen.source


def test_every_factor_of_liver_and_kidney_that_this_page_brought_is_typed():
    named = {
        (drug.key, name)
        for drug in load().drugs.values()
        for c in drug.covariates
        if c.of == "liver" or (c.of == "crcl_ml_min" and drug.role in ("antagonist", "agonist"))
        for name in (*c.factors.values(), *filter(None, [c.slope]))
    }
    assert named == {(drug, name) for drug, name, _, _ in TYPED}


def exposure(words: str, species: str, **who: str) -> float:
    """Area under plasma until nothing is left, by a grid that is fine where the curve is."""
    found = schild.simulate(words, subject=who, until="7 d", every="5 min", outputs=[f"plasma_{species}"])
    output = found[f"plasma_{species}"]
    return float(np.trapezoid(output.values[0], output.time_h))


# Exposure over a healthy person's, as printed; within the error of a change read off two numbers.
PRINTED = [
    ("buprenorphine 2 mg sl", "buprenorphine", {"liver": "moderate"}, 1.639),
    ("buprenorphine 2 mg sl", "buprenorphine", {"liver": "severe"}, 2.814),
    ("methylnaltrexone 12 mg sc", "methylnaltrexone", {"crcl": "20 mL/min"}, 2.0),
    ("nalmefene 18 mg po", "nalmefene", {"liver": "moderate"}, 0.90 / 0.61),
    ("samidorphan 10 mg po", "samidorphan", {"liver": "moderate"}, 1.52),
    ("samidorphan 10 mg po", "samidorphan", {"crcl": "22 mL/min"}, 2.31),
    ("hydromorphone 4 mg po", "hydromorphone", {"crcl": "35 mL/min"}, 2.0),
    ("naltrexone 100 mg po", "naltrexone", {"liver": "moderate"}, 5.0),
]


@pytest.mark.parametrize(("words", "species", "who", "wanted"), PRINTED)
def test_exposure_changes_as_printed(words, species, who, wanted):
    assert exposure(words, species, **who) / exposure(words, species) == pytest.approx(wanted, rel=0.07)


def test_severe_cirrhosis_leaves_no_first_pass_and_gives_no_more_than_the_abstract():
    healthy, ill = (exposure("naltrexone 100 mg po", "naltrexone", liver=liver) for liver in ("normal", "severe"))
    assert 6.5 < ill / healthy < 8.05


def test_the_monthly_injection_does_not_change_with_the_liver():
    # Turncliff 2005: areas alike in Child-Pugh A, B and controls; severe disease was not studied.
    found = schild.simulate("naltrexone 380 mg im_depot", until="1 d", every="1 h", subject={"liver": "moderate"})
    assert any("no number of this run depends on it" in w for w in found.warnings)


def test_where_nothing_was_read_the_run_says_that_nothing_changes():
    who = {"liver": "severe", "crcl": "20 mL/min"}
    found = schild.simulate("oxycodone 10 mg po", until="4 h", every="1 h", subject=who)
    assert any("crcl = 20 mL/min, liver = severe were given, and no number" in w for w in found.warnings)
