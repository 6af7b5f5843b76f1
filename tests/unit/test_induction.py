"""Induction plans: the antagonist only, and never sooner than its label."""

import json

import pytest

import schild
from schild.cli import main
from schild.errors import InputError
from schild.simulation.caution import UNRELIABLE

HEROIN = "heroin 25 mg iv q6h for 30 d"


def test_a_wait_is_never_shorter_than_the_label():
    found = schild.induction(HEROIN, n=4, added=48.0)  # anything goes: the model alone would not wait at all
    assert found.wait_h == found.label_h == 240.0
    assert all(start.wait_h >= 240.0 for start in found.starts)
    assert schild.induction("methadone 60 mg po q24h for 30 d", n=4, added=48.0).label_h == 336.0


def test_label_and_the_sentence_are_always_said():
    found = schild.induction(HEROIN, n=4)
    assert UNRELIABLE in found.about()
    assert UNRELIABLE in found.warnings[0]
    assert found.label in found.warnings[0]
    assert found.to_dict()["unreliable"] == UNRELIABLE


@pytest.mark.slow
def test_less_added_withdrawal_needs_a_longer_wait_and_a_low_first_dose_a_shorter():
    use = "methadone 60 mg po q24h for 90 d"
    strict, lax = (schild.induction(use, n=40, added=points) for points in (2.0, 10.0))
    assert strict.wait_h > lax.wait_h >= strict.label_h
    assert strict.chosen.share >= 0.9
    assert strict.chosen.doses.startswith("naltrexone 25 mg")
    later = {doses: [s for s in strict.starts if s.doses == doses and s.share >= 0.9] for doses in
             dict.fromkeys(s.doses for s in strict.starts)}  # fmt: skip
    low, usual = (min(s.wait_h for s in mine) for _, mine in sorted(later.items()))
    assert low <= usual
    impossible = schild.induction(use, n=10, added=1e-9, at_least=0.99)
    assert impossible.chosen is None
    assert "is not reached within 35 d" in impossible.about()


@pytest.mark.parametrize(
    ("given", "options", "told"),
    [
        ((), {}, "No earlier use was given"),
        (("heroin 25 mg iv q6h for 30 d stopped 3 d",), {}, "says when it stopped"),
        (("naltrexone 50 mg po q24h for 3 d",), {}, "lists as antagonist; expected an opioid agonist"),
        (("ethanol 28 g po q24h for 3 d",), {}, "expected an opioid agonist"),
        ((HEROIN,), {"drug": "buprenorphine"}, "schild plans antagonists only"),
        ((HEROIN,), {"drug": "naloxone"}, "no wait after opioids from the label"),
        ((HEROIN,), {"added": 0.0}, "added is 0"),
        (("heroin",), {}, "heroin"),
    ],
)
def test_what_is_not_planned(given, options, told):
    with pytest.raises(InputError) as caught:
        schild.induction(*given, **options)
    assert told in str(caught.value)


def test_the_command(capsys):
    assert main(["induction", HEROIN, "--n", "3"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert UNRELIABLE in said
    assert "7 to 10 days without opioids" in said
    assert main(["induction", HEROIN, "--n", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["wait_h"] == 240.0
