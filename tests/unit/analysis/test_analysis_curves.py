"""Agonist curves of the model: laws at equilibrium, kinetics in a challenge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schild
from schild.analysis import model_curves
from schild.analysis.curves import STEPS, _contact
from schild.errors import InputError, UnknownNameError
from schild.pharmacology.binding import kinetic_occupancy
from schild.simulation import model_of


@settings(max_examples=15)
@given(levels=st.lists(st.floats(0.5, 200), min_size=2, max_size=5, unique_by=lambda x: round(np.log(x), 1)))
def test_at_equilibrium_the_slope_is_one_and_pa2_is_kd(levels):
    curves = model_curves("naloxone", agonist="morphine", levels=levels)
    fit = curves.fit()
    assert fit["slope"].value == pytest.approx(1, abs=1e-5)
    assert fit["pa2"].value == pytest.approx(0, abs=1e-5)
    assert curves.surmountable
    shifts = [row["half_at"] for row in curves.summary()["curves"]]
    assert shifts == pytest.approx(1 + curves.load, rel=0.01)


def test_a_contact_equals_the_closed_form_at_constant_concentrations():
    koff, load, start = np.array([30.0, 0.4, 1.0]), np.array([2.0, 0.3]), np.array([0.5, 0.1])
    agonist = np.array([0.0, 1.0, 50.0])
    found = _contact(agonist, np.tile(load, (STEPS, 1)), koff, start, 0.5)
    for a, occupied in zip(agonist, found, strict=True):
        expected = kinetic_occupancy([0.5], [a, *load], [1.0, 1.0, 1.0], koff, [0.0, 0.5, 0.1])[0, 0]
        assert occupied == pytest.approx(expected, abs=1e-12)


def test_without_agonist_the_antagonist_follows_the_kernel():
    result = schild.simulate("naltrexone 50 mg po", until="8 h", every="1 min", structure="slow_receptor", tone=False)
    run = schild.Run.of("naltrexone 50 mg po", until="8 h", structure="slow_receptor", tone=False)
    p = model_of(run).parameters
    names = ("naltrexone", "beta_naltrexol")
    kd, koff = (np.array([float(np.ravel(p[f"mor.{n}.{k}"])[0]) for n in names]) for k in ("kd", "koff"))
    middles = (np.arange(STEPS) + 0.5) / STEPS * 0.5 + 2.0
    loads = np.array([[result[f"free_{n}"].at(float(t)) for n in names] for t in middles]) / kd
    start = np.array([result[f"mor_occupancy_{n}"].at("2 h") for n in names])
    # A tracer of an agonist that follows at once, and takes nothing, shows the free fraction.
    tracer = _contact(np.array([1e-6]), loads, np.array([1e4, *koff]), start, 0.5)
    assert tracer[0] / 1e-6 == pytest.approx(result["mor_free"].at("2.5 h"), rel=2e-3)


def test_the_maximum_falls_with_a_slow_receptor_and_stays_with_an_effect_compartment():
    slow = model_curves("naltrexone 50 mg po", agonist="morphine", at=["24 h"], structure="slow_receptor")
    fast = model_curves("naltrexone 50 mg po", agonist="morphine", at=["24 h"], structure="effect_compartment")
    assert slow.maxima[1] < 0.5
    assert not slow.surmountable
    assert fast.surmountable
    assert "occupied by the antagonist" in slow.says
    assert "keep their maximum" in fast.says


def test_after_wash_out_the_curve_returns():
    curves = model_curves("naloxone 0.4 mg iv", agonist="morphine", at=["2 min", "72 h"])
    half = [row["half_at"] for row in curves.summary()["curves"]]
    assert half[1] > 1.5
    assert half[2] == pytest.approx(half[0], rel=0.01)


def test_longer_contact_never_lowers_the_maximum():
    tops = [
        model_curves("naltrexone 50 mg po", agonist="morphine", at=["24 h"], contact=c, structure="slow_receptor")
        for c in ("10 min", "1 h", "12 h")
    ]
    values = [c.maxima[1] for c in tops]
    assert values == sorted(values)


def test_verbs():
    curves = model_curves("naltrexone 50 mg po", agonist="morphine", at=["24 h"])
    assert list(curves.to_frame().columns) == ["curve", "antagonist_over_kd", "agonist_over_kd", "response"]
    assert "Dunbar" in curves.cite()
    assert curves.manifest["at_h"] == [24.0]
    assert len(curves.plot().axes) == 1
    assert "mg" not in curves.plot().axes[0].get_xlabel()
    assert '"response"' in curves.to_json()


@pytest.mark.parametrize(
    ("words", "options", "says"),
    [
        ("naltrexone", {"agonist": "naloxone"}, "no binding as an agonist"),
        ("morphine", {"agonist": "morphine"}, "expected an antagonist"),
        ("morphine 10 mg iv", {"agonist": "morphine", "at": ["1 h"]}, "expected an antagonist"),
        ("naltrexone", {"agonist": "morphine", "at": ["1 h"]}, "is a drug and no regimen"),
        ("naltrexone", {"agonist": "morphine", "structure": "slow_receptor"}, "is a drug and no regimen"),
        ("naltrexone 50 mg po", {"agonist": "morphine"}, "No time of a challenge"),
        ("naltrexone 50 mg po", {"agonist": "morphine", "at": ["-1 h"]}, "lies before the run"),
        ("naltrexone 50 mg po", {"agonist": "morphine", "at": ["1 h"], "contact": "0 h"}, "contact is 0 h"),
        ("naltrexone", {"agonist": "morphine", "levels": [-1.0]}, "C/Kd of 0, or from 1e-9 to 1e9"),
        ("naltrexone", {"agonist": "morphine", "levels": [1.0, 1e-300]}, "level is 1e-300"),
    ],
)
def test_bad_input(words, options, says):
    with pytest.raises(InputError, match=says):
        model_curves(words, **options)


def test_unknown_names():
    with pytest.raises(UnknownNameError):
        model_curves("naltrexone", agonist="morphine", receptor="nop")
    with pytest.raises(UnknownNameError):
        model_curves("naltrexon", agonist="morphine")
