"""Every number of a run passes through the resolver: whoever else reads a value of the catalogue is caught."""

import sys

import pytest

import schild
from schild.catalog import load
from schild.drinking import laboratory
from schild.evidence import Number
from schild.explanation.lab import Lab, published_dose
from schild.people import Values
from schild.trial import Trial

#: Who may read a value: the resolver, and the loader, which copies numbers that repeat others.
RESOLVER = ("schild.people.values", "schild.people.spread_between_studies", "schild.people.overrides",
            "schild.catalog.numbers")  # fmt: skip
TABLET = {"name": "active", "drug": "naltrexone", "amount": "50 mg"}


def _simulate():
    schild.simulate("heroin 5 mg iv", "naltrexone 50 mg po at 1 h", until="3 h", every="1 h", warn=False,
                    adaptation=True, population={"n": 2, "uncertainty": 2, "weight": "80 kg"})  # fmt: skip


def _ethanol():
    schild.simulate("ethanol 20 g po", "naloxone 8 mg in", "morphine 0.1 mg/kg iv", until="2 h", every="1 h")


def _history():
    schild.simulate("naltrexone 50 mg po", until="2 h", every="1 h", history="morphine 30 mg po q6h for 20 d")


def _challenge():
    schild.challenge("naltrexone 100 mg po", agonist="heroin 25 mg iv", at="24 h", effect=["liking", "pupil"], n=2)


def _plan():
    schild.plan("naltrexone", target=0.8, hold="4 h", n=4, draws=2)


def _rescue():
    schild.rescue("fentanyl 1.625 mg iv", ["none", "naloxone 4 mg in"], n=1, until="2 min", altitude=500.0,
                  oxygen="0.5 from 0 min to 1 min")  # fmt: skip


def _rescue_general():
    schild.rescue("morphine 30 mg iv", ["none", "nalmefene 1 mg im"], n=1, until="2 min", tolerance="model",
                  history="morphine 30 mg po q6h for 2 d", bodies="drawn")  # fmt: skip


def _laboratory():
    laboratory("self_administration", n=3, draws=2, moderators={"a118g": True})


def _trial():
    schild.run_trial(Trial.of(TABLET, n=4, weeks=4, uncertainty=True, between_trials=True))


def _answer():
    lab = Lab(catalogue=load(), n=2, draws=2)
    lab.run("naltrexone 50 mg po", 24.0, 12.0, ["mor_pet_occupancy"], many=True)
    lab.challenge("naltrexone 50 mg po", published_dose(load(), "heroin", "iv"), 24.0, population=None)


VERBS = (_simulate, _ethanol, _history, _challenge, _plan, _rescue, _rescue_general, _laboratory, _trial, _answer)


@pytest.fixture
def readers(monkeypatch):
    """Who read the value of a number, and which: ``(module, owner's number)``."""
    seen: list[tuple[str, str]] = []
    plain = Number.value.fget

    def value(number):
        frame = sys._getframe(1)
        seen.append((frame.f_globals["__name__"], number.name))
        return plain(number)

    monkeypatch.setattr(Number, "value", property(value))
    return seen


@pytest.fixture
def recorded(monkeypatch):
    """Numbers that passed through the resolver."""
    found: set[tuple[str, str]] = set()
    plain = Values._typical

    def typical(self, owner, name, number):
        found.add((owner, number.name))
        return plain(self, owner, name, number)

    monkeypatch.setattr(Values, "_typical", typical)
    return found


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__[1:])
def test_every_number_of_a_verb_passes_through_the_resolver(verb, readers, recorded):
    verb()
    assert {module for module, _ in readers if module not in RESOLVER} == set()
    assert {name for module, name in readers if module == "schild.people.values"} <= {name for _, name in recorded}
    assert len(recorded) > 10


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__[1:])
def test_no_chosen_value_is_read_beside_its_number(verb, monkeypatch):
    """``number.chosen.value`` would be a way around: only citations look at what was chosen."""
    seen: set[str] = set()
    plain = Number.chosen.fget

    def chosen(number):
        frame = sys._getframe(1)
        seen.add(frame.f_globals["__name__"])
        return plain(number)

    monkeypatch.setattr(Number, "chosen", property(chosen))
    verb()
    assert seen <= {"schild.evidence", *RESOLVER}
