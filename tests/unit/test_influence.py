"""How a metric moves with each number, and what its spread is made of."""

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
        ({**AUC, "numbers": ["naloxone.clx"]}, UnknownNameError, "clx"),
        ({**AUC, "sobol": 10}, InputError, "sobol 10"),
        ({**AUC, "n": -1}, InputError, "n is -1"),
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
