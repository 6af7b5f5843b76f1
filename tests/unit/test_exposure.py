"""Non-compartmental metrics of a run, and one row for each person."""

import json

import numpy as np
import pytest

import schild
from schild.cli import main
from schild.errors import InputError

WEEK = "naltrexone 50 mg po q24h x7"


def _values(result, **options):
    table = result.nca(**options)
    return {(r.output, r.dose, r.metric): r.value for r in table.itertuples()}


def test_metrics_of_a_dose_by_mouth_agree_with_the_model_and_with_the_engine():
    result = schild.simulate("naltrexone 50 mg po", until="10 d", without=["beta_naltrexol"])
    found, m = _values(result, lloq=0.0), result.metrics
    assert found["naltrexone", 1, "CMAX"] == pytest.approx(m["cmax_naltrexone_ng_ml"], rel=2e-3)
    assert found["naltrexone", 1, "TMAX"] == pytest.approx(m["tmax_naltrexone_h"], rel=0.03)
    assert found["naltrexone", 1, "AUCIFO"] == pytest.approx(m["auc_naltrexone_ng_h_ml"], rel=2e-3)
    value = result.values.typical
    apparent = value("naltrexone", "cl") / value("naltrexone", "oral.f")
    assert found["naltrexone", 1, "CLFO"] == pytest.approx(apparent, rel=2e-3)
    assert ("beta_naltrexol", 1, "CLFO") not in found


def test_clearance_and_terminal_half_life_after_a_vein():
    result = schild.simulate("naloxone 0.4 mg iv", until="2 d")
    found, value = _values(result, lloq=0.0, parts=[(0, 1), (1, 48)]), result.values.typical
    assert found["naloxone", 1, "CLO"] == pytest.approx(value("naloxone", "cl"), rel=2e-3)
    assert ("naloxone", 1, "CLFO") not in found
    both = found["naloxone", 1, "AUC_0_1"] + found["naloxone", 1, "AUC_1_48"]
    assert both == pytest.approx(found["naloxone", 1, "AUCLST"], rel=1e-6)


def test_the_interval_of_the_last_dose():
    result = schild.simulate(WEEK, until="10 d")
    found = _values(result)
    tau = 24.0
    assert found["naltrexone", 7, "CAVG"] == pytest.approx(found["naltrexone", 7, "AUCTAU"] / tau)
    assert found["beta_naltrexol", 1, "CTROUGH"] == pytest.approx(
        result["plasma_beta_naltrexol"].before("24 h"), rel=1e-9
    )
    assert found["beta_naltrexol", 7, "CTROUGH"] == pytest.approx(result["plasma_beta_naltrexol"].at("168 h"), rel=1e-9)
    assert found["beta_naltrexol", 7, "ARAUC"] == pytest.approx(
        found["beta_naltrexol", 7, "AUCTAU"] / found["beta_naltrexol", 1, "AUCTAU"]
    )
    assert found["mor_pet_occupancy", 7, "hours_above_80_percent"] == pytest.approx(tau, abs=1e-6)
    assert found["mor_pet_occupancy", 7, "at_end"] == pytest.approx(result["mor_pet_occupancy"].at("168 h"), abs=1e-6)
    above = _values(result, above=0.95)["mor_pet_occupancy", 7, "hours_above_95_percent"]
    assert 0.0 < above < tau


def test_a_run_that_ends_within_the_interval_has_no_metrics_of_it():
    found = _values(schild.simulate(WEEK, until="150 h"))
    assert ("naltrexone", 7, "CMAX") in found
    assert ("naltrexone", 7, "AUCTAU") not in found


def test_one_row_for_each_person():
    result = schild.simulate("naltrexone 1 mg/kg po", until="1 d", n=12)
    rows = result.people()
    assert len(rows) == 12
    assert rows["cmax_naltrexone_ng_ml"].to_numpy() == pytest.approx(rows["naltrexone.CMAX"].to_numpy(), rel=5e-3)
    assert rows["naltrexone.cl"].nunique() == 12
    dose = rows["weight_kg"] * 1e6 * 341.4 / 377.9  # hydrochloride as base
    apparent = dose / rows["naltrexone.AUCIFO"] / 1000
    assert rows["naltrexone.CLFO"].to_numpy() == pytest.approx(apparent.to_numpy(), rel=2e-3)
    table = result.nca().set_index(["output", "metric"])
    assert table.loc[("naltrexone", "CMAX"), "q50"] == pytest.approx(np.median(rows["naltrexone.CMAX"]))


def test_what_has_no_sides_of_doses_is_refused():
    with pytest.raises(InputError, match="plain grid"):
        schild.simulate(WEEK, until="8 d", plain_grid=True).nca()


def test_the_command_prints_and_writes_them(capsys, tmp_path):
    assert main(["simulate", WEEK, "--until", "8d", "--nca"]) == 0
    said = capsys.readouterr().out
    assert "LAMZHL [h]" in said
    assert "hours above 80 percent" in said
    assert main(["simulate", WEEK, "--until", "8d", "--nca", "--json", "--out", str(tmp_path)]) == 0
    rows = json.loads(capsys.readouterr().out)["nca"]
    assert set(rows[0]) == {"output", "dose", "metric", "unit", "value"}
    assert (tmp_path / "nca.csv").read_text().startswith("output,dose,metric,unit,value\n")
    assert (tmp_path / "people.csv").read_text().startswith("person,weight_kg,")


def test_a_result_is_a_labelled_array_too():
    pytest.importorskip("xarray")
    result = schild.simulate("naltrexone 50 mg po", until="6 h", every="1 h", n=4)
    data = result.to_xarray("plasma_naltrexone", "mor_pet_occupancy")
    plasma = result.shown["plasma_naltrexone"]
    assert data["plasma_naltrexone"].dims == ("person", "time_h")
    assert np.array_equal(data["plasma_naltrexone"].values, plasma.values)
    assert data["weight_kg"].values.tolist() == result.values.people.covariates["weight_kg"].tolist()
    assert data["mor_pet_occupancy"].sel(person=2).attrs["units"] == "1"


def test_doses_of_one_time_count_together():
    found = _values(schild.simulate("naltrexone 25 mg po", "naltrexone 25 mg po", until="1 d"))
    whole = _values(schild.simulate("naltrexone 50 mg po", until="1 d"))
    assert found["naltrexone", 1, "CLFO"] == pytest.approx(whole["naltrexone", 1, "CLFO"], rel=1e-6)
    mixed = _values(schild.simulate("morphine 10 mg iv", "codeine 30 mg po", until="1 d"))
    assert ("morphine", 1, "AUCIFO") in mixed
    assert ("morphine", 1, "CLO") not in mixed  # some of it comes from the codeine


def test_a_dose_at_the_very_end_has_no_metrics():
    found = _values(schild.simulate("naltrexone 50 mg po q24h", until="2 d"))
    assert {dose for output, dose, _ in found if output == "naltrexone"} == {1, 2}
    assert found["naltrexone", 2, "CMAX"] > 10
    assert found["mor_pet_occupancy", 2, "peak"] > 0.9


def test_nothing_is_extrapolated_over_a_reset():
    found = _values(schild.simulate("naltrexone 50 mg po q24h x2", "reset at 27 h", until="2 d"))
    last = {metric: value for (output, dose, metric), value in found.items() if (output, dose) == ("naltrexone", 2)}
    assert {"CMAX", "TMAX", "CLST", "TLST", "AUCLST"} <= set(last)
    assert not {"LAMZ", "AUCIFO", "AUCTAU", "CTROUGH", "CLFO", "CLFTAU"} & set(last)
    assert last["TLST"] == pytest.approx(3.0)
    alone = _values(schild.simulate("naltrexone 50 mg po", until="3 h"))
    assert last["AUCLST"] == pytest.approx(alone["naltrexone", 1, "AUCLST"], rel=0.01)


def test_an_alias_is_the_drug():
    found, same = (schild.simulate(f"{name} 50 mg po q24h x2", until="2 d") for name in ("LDN", "naltrexone"))
    assert _values(found) == _values(same)
    assert list(found.doses) == list(same.doses)
