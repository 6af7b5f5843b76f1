"""Effects that an antagonist has by itself in the model, on assumed efficacies, are named."""

import pytest

import schild


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        ("nalmefene 18 mg po", {}, "nalmefene has an assumed efficacy of 0.4 at the kappa-opioid receptor"),
        ("samidorphan 10 mg po", {}, "samidorphan has an assumed efficacy of 0.35"),
        ("nalmefene 18 mg po", {"outputs": ["plasma_nalmefene"]}, None),
        ("nalmefene 18 mg po", {"overrides": {"nalmefene.kor.efficacy": 0.0}}, None),
        ("naltrexone 50 mg po", {}, None),
        ("morphine 10 mg iv", {}, None),
    ],
)
def test_an_effect_of_an_antagonist_on_assumed_numbers_is_named(words, options, said):
    """Nalmefene alone relieved more pain than morphine 10 mg, without a word."""
    found = [w for w in schild.simulate(words, until="8 h", warn=False, **options).warnings if "assumed efficacy" in w]
    assert len(found) == (said is not None)
    assert said is None or (said in found[0] and "relief of experimental pain" in found[0])
