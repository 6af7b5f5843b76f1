"""Laws of effects: antagonists alone do nothing, never raise an effect, can be surmounted; ceilings hold."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import schild
from schild.catalog import load
from schild.pharmacology.binding import competitive_occupancy
from schild.pharmacology.effects import operational_response, resting_ventilation, transducer_ratio

EFFECTS = ("ventilation", "ventilation_isohypercapnic", "pupil", "liking", "analgesia")
STRUCTURES = (
    "plasma_equilibrium", "effect_compartment", "slow_receptor", "effect_compartment_slow_receptor", "plasma_and_store",
)  # fmt: skip
AGONISTS = ("heroin 10 mg iv", "morphine 10 mg iv", "hydromorphone 2 mg iv", "fentanyl 50 ug iv", "oxycodone 10 mg po")
positive = st.floats(1e-6, 1e6)


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=2), st.floats(0.3, 4))
def test_more_stimulus_never_gives_less_response(stimuli, slope):
    low, high = sorted(stimuli)
    assert operational_response(low, slope) <= operational_response(high, slope) + 1e-15
    assert 0 <= operational_response(high, slope) <= 1


@given(st.floats(0.1, 100), st.floats(0, 1), st.floats(0.3, 4), st.floats(0, 1))
def test_no_ligand_passes_its_own_maximum(reserve, efficacy, slope, occupancy):
    ratio = transducer_ratio(reserve, efficacy)
    assert operational_response(ratio * occupancy, slope) <= operational_response(ratio, slope) + 1e-12


@given(positive, positive, st.floats(0.1, 1e3), st.floats(0.3, 4), st.floats(0.05, 0.9))
def test_at_equilibrium_an_antagonist_shifts_the_effect_curve_and_keeps_its_maximum(kd, antagonist, load_b, slope, e):
    # Gaddum: the same effect at (1 + B/Kb) times the concentration, at every level of effect.
    ratio = float(transducer_ratio(3.0, e))
    for over_kd in (0.01, 0.3, 1.0, 10.0, 1e4):
        alone = competitive_occupancy(np.array([over_kd * kd]), np.array([kd]))[0]
        shifted = np.array([over_kd * kd * (1 + load_b), load_b * antagonist])
        both = competitive_occupancy(shifted, np.array([kd, antagonist]))[0]
        assert operational_response(ratio * both, slope) == pytest.approx(
            operational_response(ratio * alone, slope), rel=1e-9
        )


@given(st.floats(0, 1), st.floats(4, 12), st.floats(35, 45), st.floats(20, 34))
@example(5e-324, 6.0, 45.0, 20.0)  # the smallest drive that a float can hold gave no breathing at all
@example(2e-308, 6.0, 45.0, 20.0)
def test_resting_ventilation_rises_with_drive_between_nothing_and_baseline(drive, baseline, pco2, threshold):
    value = float(resting_ventilation(drive, baseline, pco2, threshold))
    assert -1e-12 <= value <= baseline * (1 + 1e-12)
    assert value >= baseline * drive * (1 - 1e-9)  # carbon dioxide holds part of it up
    assert float(resting_ventilation(1.0, baseline, pco2, threshold)) == pytest.approx(baseline)


@pytest.mark.parametrize("regimen", ["naltrexone 50 mg po", "naltrexone 380 mg im_depot", "naloxone 2 mg iv"])
def test_an_antagonist_alone_changes_no_effect(regimen):
    result = schild.simulate(regimen, until="3 d", outputs=list(EFFECTS))
    for name in EFFECTS:
        assert np.ptp(result[name].value) == 0.0


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("agonist", AGONISTS)
def test_an_antagonist_never_raises_an_effect(structure, agonist):
    options = {"until": "32 h", "every": "10 min", "outputs": list(EFFECTS), "structure": structure}
    alone = schild.simulate(f"{agonist} at 24 h", until="32 h", every="10 min", outputs=list(EFFECTS))
    with_block = schild.simulate("naltrexone 50 mg po", f"{agonist} at 24 h", **options)
    for name in EFFECTS:
        change = np.abs(alone[name].value - alone[name].value[0])
        blocked = np.abs(with_block[name].value - with_block[name].value[0])
        scale = max(change.max(), 1e-9)
        assert (blocked <= change + 1e-4 * scale).all()


def test_a_partial_agonist_stays_above_its_plateau_of_breathing():
    result = schild.simulate("buprenorphine 1 mg iv", until="24 h", outputs=["ventilation_isohypercapnic"])
    assert result["ventilation_isohypercapnic"].value.min() > 0.5


def test_cocaine_is_exactly_the_same_with_naltrexone():
    route = next(iter(load().drug("cocaine").routes))
    dose = f"cocaine 25 mg {route} at 12 h"
    names = ["plasma_cocaine", *EFFECTS]
    alone = schild.simulate(dose, until="24 h", every="15 min", outputs=names)
    both = schild.simulate("naltrexone 50 mg po", dose, until="24 h", every="15 min", outputs=names)
    for name in names:
        if name == "plasma_cocaine":
            assert both[name].value == pytest.approx(alone[name].value, rel=1e-9, abs=1e-12)
        else:
            assert np.array_equal(both[name].value, alone[name].value)
