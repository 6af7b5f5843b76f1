"""Breathing at rest against the whole published control loop, as docs/design/effects.md reports it."""

from __future__ import annotations

import numpy as np
import pytest

from rescue_reference import R_A, Person, simulate, warm_up
from schild.catalog import load
from schild.overdose.parameters import REPRODUCTION, published
from schild.pharmacology.effects import resting_ventilation

#: Drive at wakefulness and exponents of the published loop; ventilation at a held CO2 (Yassen 2007).
WAKE, P_WAKE, P_CHEMO, HELD = 6.62, 0.9, 2.875, 20.2


def number(name: str) -> float:
    return load().effects["ventilation"].numbers[name].value


def test_the_threshold_is_that_of_the_published_gain():
    gain = published().reflex.gain_central
    # A straight response of that gain passes through the resting point.
    assert number("threshold") == pytest.approx(number("pco2") - number("baseline") / float(gain), abs=5e-4)
    assert load().effects["ventilation"].numbers["threshold"].chosen.basis == "derived"


def held(x: float) -> float:
    """Share of breathing at a held CO2 that activation x leaves in the published loop."""
    return (WAKE * (1 - x**P_WAKE) + (HELD - WAKE) * (1 - x**P_CHEMO)) / HELD


def two_drives(x: float, v0: float, p0: float, gain: float) -> float:
    """The published loop without oxygen, on the metabolic hyperbola."""
    a, k = v0 * (1 - x**P_WAKE), (1 - x**P_CHEMO) * gain
    return 0.5 * ((a - k * p0) + np.sqrt((a - k * p0) ** 2 + 4 * k * p0 * v0))


@pytest.mark.slow
def test_distance_from_the_whole_loop_is_the_reported_one():
    """Root mean square of log ratios over x from 0.1 to 0.9: assumed, by the gain (in use), two drives."""
    physiology = published()
    rest = warm_up(physiology, rtol=1e-7)
    v0, p0, gain = number("baseline"), number("pco2"), physiology.reflex.gain_central
    errors = []
    for x in np.linspace(0.1, 0.9, 9):
        start = rest.copy()
        start[R_A] = x
        person = Person(physiology=physiology, p_chemo=P_CHEMO, p_wake=P_WAKE)
        found = simulate(person, start, 7200.0, quirks=REPRODUCTION, rtol=1e-6).outputs([0.0, 7200.0])
        assert found["PaO2_mmHg"][-1] > 15.0
        whole = float(found["V_E_L_per_min"][-1])
        at_once = float(found["V_E_L_per_min"][0])
        assert at_once < 0.95 * whole  # what a steady relation cannot show: carbon dioxide has not risen yet
        said = [float(resting_ventilation(held(x), v0, p0, b)) for b in (35.0, number("threshold"))]
        errors.append([np.log(v / whole) for v in (*said, two_drives(x, v0, p0, gain))])
    rms = np.sqrt(np.mean(np.square(errors), axis=0))
    assert rms == pytest.approx([0.068, 0.071, 0.059], abs=0.001)
    assert np.min([row[1] for row in errors]) > 0  # it breathes more than the whole loop throughout
