"""Sensitivity of a metric to each number, and the sources of its variation."""

import json

import numpy as np
import pytest

import schild
from schild.cli import BAD_INPUT, main
from schild.errors import InputError, UnknownNameError

AUC = {"metric": "auc_naloxone_ng_h_ml", "until": "12 h"}
IV = "naloxone 0.4 mg iv"


def test_the_area_goes_with_the_inverse_of_clearance():
    found = schild.sensitivity(IV, n=0, **AUC)
    (cl,) = (s for s in found.swings if s.number == "naloxone.cl")
    assert cl.at_low / cl.at_high == pytest.approx(cl.high / cl.low, rel=1e-3)
    assert found.swings[0] is cl
    typical = schild.simulate(IV, until="12 h").metrics["auc_naloxone_ng_h_ml"]
    assert found.typical == pytest.approx(typical)


def test_the_spread_has_its_parts():
    found = schild.sensitivity("naltrexone 50 mg po", metric="mor_pet_occupancy_mean", until="1 d", n=30)
    assert set(found.parts) == {"people", "occasions", "parameters", "structure"}
    assert all(0 < value < 1 for value in found.parts.values())
    plasma = schild.sensitivity("naltrexone 50 mg po", metric="auc_naltrexone_ng_h_ml", until="1 d", n=10, numbers=[])
    assert plasma.parts["structure"] == pytest.approx(0.0, abs=1e-9)


# SALib asks pandas 2 for the unique values of a list.
@pytest.mark.filterwarnings("ignore:unique with argument:FutureWarning")
def test_morris_finds_the_numbers_that_matter():
    pytest.importorskip("SALib")
    numbers = ["naloxone.cl", "naloxone.vc"]
    found = schild.sensitivity(IV, n=0, morris=3, numbers=numbers, metric=AUC["metric"], until="24 h")
    index = {s.number: s for s in found.swings}
    # The logarithm of the area is that of the dose less that of the clearance: one effect of one size.
    cl = index["naloxone.cl"]
    levels = np.array([cl.at_low, cl.at_high])
    assert cl.mu_star == pytest.approx(abs(np.diff(np.log(levels))[0]) / 0.9, rel=0.2)
    assert index["naloxone.vc"].mu_star < 0.01 * cl.mu_star
    assert found.to_dict()["swings"][0]["morris_mu_star"] == cl.mu_star
    assert len(found.plot().axes) == 2


def test_an_output_at_a_time_and_a_metric_of_the_last_dose():
    at = schild.sensitivity(IV, metric="mor_pet_occupancy at 1 h", until="6 h", n=0, numbers=["naloxone.cl"])
    assert at.typical == pytest.approx(float(schild.simulate(IV, until="6 h")["mor_pet_occupancy"].at("1 h")), rel=1e-6)
    assert at.swings[0].at_low > at.swings[0].at_high
    half = schild.sensitivity(IV, metric="naloxone.LAMZHL", until="12 h", n=0, numbers=["naloxone.cl"])
    assert half.swings[0].at_low > half.typical > half.swings[0].at_high
    run = schild.Run.of(IV, until="6 h", subject={"weight": "90 kg"})
    heavy = schild.sensitivity(run, metric="auc_naloxone_ng_h_ml", n=0, numbers=[])
    assert heavy.typical == pytest.approx(schild.simulate_run(run).metrics["auc_naloxone_ng_h_ml"])


def test_a_session_and_a_trial():
    options = {"protocol": "cue", "metric": "craving", "numbers": ["alcohol.craving.share"], "n": 20}
    session = schild.sensitivity("naltrexone 50 mg po q24h x7", **options)
    (swing,) = session.swings
    assert swing.at_high < session.typical < swing.at_low < 0.0
    trial = schild.Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"}, n=60, weeks=4)
    found = schild.sensitivity(trial, metric="percent_heavy_drinking_days", numbers=["trial.adherence.daily"], n=0)
    (swing,) = found.swings
    assert swing.low < swing.high
    assert found.typical < 0
    with pytest.raises(UnknownNameError, match="endpoint"):
        schild.sensitivity(trial, metric="x", n=0)
    with pytest.raises(InputError, match="one run, or one trial"):
        schild.sensitivity(trial, IV, metric="x")


@pytest.mark.slow
def test_sobol_indices_of_a_product_add_up():
    found = schild.sensitivity(
        "naltrexone 50 mg po", metric="auc_naltrexone_ng_h_ml", until="2 d", n=0, sobol=64,
        numbers=["naltrexone.cl", "naltrexone.oral.f"],
    )  # fmt: skip
    index = {s.number: s for s in found.swings}
    omega = {name: found.result.values.number(*name.split(".", 1)).uncertainty.omega for name in index}
    # The logarithm of F / CL is a sum of two normals; bounds of F cut little.
    exact = omega["naltrexone.oral.f"] ** 2 / sum(x**2 for x in omega.values())
    assert index["naltrexone.oral.f"].total == pytest.approx(exact, abs=0.1)
    assert index["naltrexone.cl"].total == pytest.approx(1 - exact, abs=0.05)


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"metric": "nothing"}, UnknownNameError, "nothing"),
        ({"metric": "mor_pet_occupancy at noon"}, InputError, "noon"),
        ({**AUC, "numbers": ["naloxone.clx"]}, UnknownNameError, "clx"),
        ({**AUC, "sobol": 10}, InputError, "sobol 10"),
        ({**AUC, "n": -1}, InputError, "n is -1"),
        ({**AUC, "morris": -1}, InputError, "morris -1"),
        ({**AUC, "protocol": "x"}, UnknownNameError, "x"),
    ],
)
def test_bad_input(options, error, told):
    with pytest.raises(error) as caught:
        schild.sensitivity(IV, **options)
    assert told in str(caught.value)


def test_the_command(capsys):
    words = ["sensitivity", IV, "--metric", AUC["metric"], "--until", "6 h", "--n", "5"]
    assert main(words) == 0
    assert "naloxone.cl" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["swings"]
    assert main(["sensitivity", IV, "--metric", "x"]) == BAD_INPUT
    assert capsys.readouterr().err.startswith("schild: ")
    assert np.isfinite(schild.sensitivity(IV, n=0, **AUC).typical)
