"""Laws of a drug's own transduction in one effect: it shifts potency and leaves plateau and competition alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.dose_model import PAIRS
from calibration.dose_rows import EFFECTS
from schild import simulate
from schild.catalog import load
from schild.pharmacology.effects import amplified_occupancy, operational_response, transducer_ratio
from schild.simulation.observe import predict

FACTORS = st.floats(1e-2, 1e2)
SHARES = st.floats(0.0, 1.0)


@given(SHARES, FACTORS)
def test_it_stays_a_share_and_full_or_no_occupancy_stay(occupancy, factor):
    assert 0.0 <= float(amplified_occupancy(occupancy, factor)) <= 1.0 + 1e-12
    assert amplified_occupancy([0.0, 1.0], factor).tolist() == pytest.approx([0.0, 1.0])
    assert float(amplified_occupancy(occupancy, 1.0)) == pytest.approx(occupancy)


@given(st.floats(1e-3, 1e3), st.floats(0.0, 1e3), FACTORS)
def test_beside_a_competitor_it_is_a_ligand_of_higher_affinity(load_of_drug, competitor, factor):
    occupancy = load_of_drug / (1 + load_of_drug + competitor)
    wanted = factor * load_of_drug / (1 + competitor + factor * load_of_drug)
    assert float(amplified_occupancy(occupancy, factor)) == pytest.approx(wanted, rel=1e-9)


@given(SHARES, SHARES, FACTORS)
def test_more_occupancy_is_never_less(a, b, factor):
    low, high = sorted((a, b))
    assert float(amplified_occupancy(low, factor)) <= float(amplified_occupancy(high, factor)) + 1e-12


@given(FACTORS)
def test_plateau_of_breathing_does_not_depend_on_it_and_the_half_level_does(factor):
    rows = {o.id: o for o in load().studies["agonist_effects"].observations}
    key = "ventilation_isohypercapnic.transduction.buprenorphine"
    assert predict(rows["dahan2005_plateau"], overrides={key: factor})[0] == pytest.approx(0.5, abs=0.01)
    half, whole = (
        float(predict(rows["yassen2007_buprenorphine"], overrides={key: x})[0]) for x in (factor, 2.0 * factor)
    )
    assert half / whole == pytest.approx(2.0, rel=1e-6)


def test_only_drugs_with_rows_of_an_effect_have_a_potency_of_their_own_in_it():
    effects = load().effects
    amplified = {key: set(effect.transduction) for key, effect in effects.items() if effect.transduction}
    fitted = {key: {drug for drug, at in PAIRS if at == k} for k, key in enumerate(EFFECTS)}
    fitted = {key: drugs | ({"heroin"} if "mam" in drugs else set()) for key, drugs in fitted.items()}
    assert amplified == {**fitted, "ventilation": fitted["ventilation_isohypercapnic"]}
    assert all(effects[key].transduction["heroin"] == "transduction.mam" for key in ("pupil", "liking"))


@pytest.mark.parametrize("factor", [1.0, 5.0])
def test_a_run_uses_it(factor):
    effect = load().effects["ventilation_isohypercapnic"]
    key = "ventilation_isohypercapnic.transduction.buprenorphine"
    outputs = ["ventilation_isohypercapnic", "mor_occupancy_buprenorphine", "mor_occupancy_norbuprenorphine"]
    result = simulate("buprenorphine 0.6 mg iv", until="8 h", outputs=outputs, overrides={key: factor})
    parent, metabolite = (np.asarray(result[name].values) for name in outputs[1:])
    reserve, slope = effect.numbers["reserve"].value, effect.numbers["slope"].value
    efficacy = {key: load().drug(key).number("mor.efficacy").value for key in ("buprenorphine", "norbuprenorphine")}
    stimulus = transducer_ratio(reserve, efficacy["buprenorphine"]) * amplified_occupancy(parent, factor)
    stimulus = stimulus + transducer_ratio(reserve, efficacy["norbuprenorphine"]) * metabolite
    wanted = 1.0 - operational_response(stimulus, slope)
    assert np.asarray(result[outputs[0]].values) == pytest.approx(wanted, rel=1e-9)
    assert wanted.min() < 0.95  # something happened


def test_hill_slope_is_that_of_the_transducer_form():
    rows = {o.id: o for o in load().studies["agonist_effects"].observations}
    # With a slope of one the response is a hyperbola of the level, whatever the reserve.
    flat = predict(rows["dyer1999_pain"], overrides={"analgesia.slope": 1.0})[0]
    assert flat == pytest.approx(1.0, abs=1e-4)
    assert predict(rows["dyer1999_pain"])[0] > 1.5


def test_half_of_the_receptors_is_what_a_scan_at_a_steady_level_sees():
    (row,) = load().studies["nalmefene_pet"].observations
    level = float(predict(row)[0])  # ng/mL
    drug = load().drug("nalmefene")
    rate = level * drug.number("cl").value / 1000.0  # mg/h that holds it
    outputs = ["mor_pet_occupancy", "plasma_nalmefene"]
    result = simulate(f"nalmefene {rate:.9g} mg/h iv for 400 h", until="399 h", every="1 h", outputs=outputs)
    assert float(np.asarray(result["plasma_nalmefene"].values)[0, -1]) == pytest.approx(level, rel=1e-3)
    assert float(np.asarray(result["mor_pet_occupancy"].values)[0, -1]) == pytest.approx(0.5, abs=1e-3)
