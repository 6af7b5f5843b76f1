"""Observed data: what a table says of each person, how the model predicts it, and the table that is written."""

import io
import json

import numpy as np
import pytest

import schild
from schild.cli import BAD_INPUT, main
from schild.errors import InputError, UnknownNameError
from schild.observed import read_observed, simulated_table
from schild.observed.check import check

ONE = {"drug": "naltrexone", "route": "oral", "amount_unit": "mg"}


def table(*rows):
    return io.StringIO("\n".join(rows))


def test_a_simulated_table_reads_back_as_it_was_written():
    result = schild.simulate("naltrexone 50 mg po q24h x3", until="4 d", n=3, seed=5)
    times = [1.0, 4.0, 24.0, 50.0]
    data = read_observed(simulated_table(result, times, lloq=0.3))
    assert data.outputs == ("plasma_naltrexone", "plasma_beta_naltrexol")
    for k, person in enumerate(data.people):
        assert person.regimen.to_words() == "naltrexone 50 mg oral q24h x3"
        assert person.covariates["weight_kg"] == result.values.people.covariates["weight_kg"][k]
        assert person.covariates["sex"] == result.values.people.covariates["sex"][k]
        for name in data.outputs:
            mine = np.array(person.output) == name
            exact = np.array([result[name].at(t)[k] for t in times])
            assert np.array_equal(person.below[mine], exact < 0.3)
            assert person.value[mine] == pytest.approx(np.maximum(exact, 0.3))


def test_a_typical_person_is_predicted_without_residual():
    result = schild.simulate("naltrexone 50 mg po", until="1 d", subject={"weight": "90 kg", "liver": "moderate"})
    frame = read_observed(simulated_table(result, [0.5, 2.0, 12.0])).predict()
    assert frame["log_residual"].abs().max() < 1e-6
    moved = read_observed(simulated_table(result, [12.0])).predict(overrides={"naltrexone.cl": "300 L/h"})
    assert moved["residual"].iloc[0] > 0


def test_columns_say_who_a_person_is():
    data = read_observed(
        table(
            "ID,TIME,AMT,DV,WT,AGE,SEXF,CLCR,HEPA,RACE",
            "1,0,50,.,80,50,1,60,2,3",
            "1,1,.,10.5,81,50,1,60,2,3",
            "2,0,50,.,70,30,0,.,0,3",
            "2,1,.,7,70,30,0,.,0,3",
        ),
        **ONE,
    )
    first, second = (p.covariates for p in data.people)
    assert first == {
        "weight_kg": 80.0, "age_years": 50.0, "sex": "female", "crcl_ml_min": 60.0, "liver": "moderate"
    }  # fmt: skip
    assert second == {"weight_kg": 70.0, "age_years": 30.0, "sex": "male", "liver": "normal"}
    said = " ".join(data.notes)
    assert "WT changes within a person" in said
    assert "Columns that are not read: RACE" in said
    assert "typical person is used: cyp2d6" in said


def test_units_analytes_and_limits():
    data = read_observed(
        table(
            "ID,TIME,AMT,DV,DVID,EVID,MDV,LLOQ",
            "1,0,50,.,0,1,1,.",
            "1,1,.,0.0105,1,0,0,0.001",
            "1,1,.,0.09,2,0,0,0.001",
            "1,30,.,0.0005,1,0,0,0.001",
            "1,31,.,0.002,1,0,1,0.001",
        ),
        **ONE,
        dv={"1": "plasma_naltrexone", "2": "plasma_beta_naltrexol"},
        dv_unit="mg/L",
    )
    (person,) = data.people
    assert person.value.tolist() == pytest.approx([10.5, 90.0, 1.0])
    assert person.below.tolist() == [False, False, True]


def test_a_level_before_a_dose_at_the_same_time_is_a_trough():
    rows = ["ID,TIME,EVID,AMT,DV", "1,0,1,50,.", "1,24,0,.,0.03", "1,24,1,50,.", "1,25,0,.,13"]
    (person,) = read_observed(table(*rows), **ONE).people
    assert person.tick.tolist() == [24 * 3_600_000_000 - 1, 25 * 3_600_000_000]
    iv = {**ONE, "route": "iv"}
    before = read_observed(table(*rows), **iv).predict()["predicted"].iloc[0]
    after = read_observed(table(*rows[:2], rows[3], rows[2], rows[4]), **iv).predict()["predicted"].iloc[0]
    assert after > 100 * before


@pytest.mark.parametrize(
    ("head", "cells", "value", "below", "limit"),
    [
        ("CENS", "0.5,1", 0.5, True, 0.5),  # without a limit DV is it
        ("CENS,LIMIT", "0.5,1,0", 0.5, True, 0.5),  # LIMIT is the lower end, as in Monolix and nlmixr2
        ("CENS,LIMIT", "0.5,0,0.1", 0.5, False, 0.0),
        ("BLQ,LLOQ", ".,1,0.1", 0.1, True, 0.1),  # a value that was not reported is still one below the limit
        ("BLQ,LLOQ", "0,1,0.1", 0.1, True, 0.1),
        ("LLOQ", "0.05,0.1", 0.1, True, 0.1),
        ("LLOQ", "0.3,0.1", 0.3, False, 0.1),
        ("CENS,LLOQ", "0.5,1,0.1", 0.5, True, 0.5),  # a diluted sample has a limit of its own
        ("DVU", "0.3,ug/L", 0.3, False, 0.0),
    ],
)
def test_values_below_the_limit_by_the_conventions_of_the_programs(head, cells, value, below, limit):
    empty = ",.".join([""] * (head.count(",") + 2))
    (person,) = read_observed(table(f"TIME,AMT,DV,{head}", f"0,50,.{empty}", f"4,.,{cells}"), **ONE).people
    assert (person.value.tolist(), person.below.tolist(), person.limit.tolist()) == ([value], [below], [limit])


def test_rows_below_the_limit_that_mdv_leaves_out_are_said():
    rows = ["TIME,AMT,DV,MDV,BLQ", "0,50,.,1,0", "4,.,3,0,0", "9,.,0.1,1,1"]
    data = read_observed(table(*rows), **ONE)
    assert data.people[0].value.tolist() == [3.0]
    assert "MDV 1, which are left out: 1" in data.notes[0]


def test_rows_that_stand_twice_are_named():
    """A row copied by mistake counted double without a word."""
    twice = ["ID,TIME,AMT,DV", "1,0,50,.", "1,0,50,.", "1,1,.,8", "1,1,.,8", "1,1,.,7"]
    notes = read_observed(table(*twice), **ONE).notes
    assert "1 rows repeat an observation above them, and count again (Line 5)." in notes
    assert any("naltrexone 50 mg oral is given twice at one time" in note for note in notes)
    once = [row for k, row in enumerate(twice) if row not in twice[:k]]
    assert not any("again" in note or "twice" in note for note in read_observed(table(*once), **ONE).notes)


def test_amounts_and_levels_in_another_unit_are_asked_about():
    """Levels in ug/mL read as ng/mL, and tablets of 50 g, were reported and fitted without a word."""
    result = schild.simulate("naltrexone 50 mg po", until="1 d", n=4, seed=2)
    rows = simulated_table(result, [1.0, 4.0, 8.0], outputs=["plasma_naltrexone"], error=0.2)
    assert check(read_observed(rows)).warnings == ()
    (said,) = check(read_observed(rows, dv_unit="ug/mL")).warnings
    assert said.startswith("Levels of naltrexone are ")
    assert said.endswith("times those predicted (median). Check the unit of DV.")
    (said,) = check(read_observed(rows, dv_unit="pg/mL")).warnings
    assert "% of those predicted" in said
    grams = check(read_observed(rows.assign(AMTU=rows["AMTU"].replace("mg", "g")))).warnings
    assert any("Was 50 mg meant?" in said for said in grams)
    found = schild.fit_levels(read_observed(rows, dv_unit="ug/mL"), ["naltrexone.cl"])
    assert any("Check the unit of DV" in said for said in found.warnings)


def test_a_level_before_the_first_dose_is_left_out_and_said():
    iv = {**ONE, "route": "iv"}
    data = read_observed(table("TIME,AMT,DV", "0,0,0", "0,50,.", "1,.,9"), **iv)
    assert data.predict()["time_h"].tolist() == [1.0]
    assert "before the first dose have no prediction" in data.notes[0]
    marked = read_observed(table("TIME,AMT,DV,BLQ", "0,0,0,1", "0,50,.,0", "1,.,9,0"), **iv)
    assert marked.people[0].value.tolist() == [9.0]  # it needs no limit
    earlier = read_observed(table("TIME,AMT,DV", "-24,50,.", "0,0,2", "0,50,."), **iv)
    assert earlier.people[0].value.tolist() == [2.0]


def test_a_covariate_that_the_first_row_lacks_is_taken_from_a_later_one():
    data = read_observed(table("TIME,AMT,DV,WT,SEX", "0,50,.,.,", "4,.,3,80,m"), **ONE)
    assert data.people[0].covariates == {"weight_kg": 80.0, "sex": "male"}


@pytest.mark.parametrize(
    ("rows", "options", "told"),
    [
        (["TIME,AMT,DV,CENS", "0,50,.,0", "1,.,80,-1"], {}, "Line 3: CENS is -1, which marks a value above a limit"),
        (["TIME,AMT,DV,BLQ", "0,50,.,0", "1,.,0,1"], {}, "Line 3: the value is marked as below the limit"),
        (["TIME,AMT,DV,CENS,LIMIT", "0,50,.,0,.", "1,.,1,1,0.5"], {}, "LIMIT is 0.5, the lower end of a censored"),
        (["TIME,AMT,DV,CMT", "0,50,.,1", "1,.,3,2", "1,.,9,3"], {}, "Nothing says which output DV is (CMT"),
        (["TIME,AMT,DV,DVU", "0,50,.,.", "1,.,3,ug/mL"], {}, "Line 3: DVU is 'ug/mL' where DV is read in ng/mL"),
        (["TIME,AMT,DV", "0,50,.", "1,.,1_0"], {}, "Line 3: DV is '1_0'; expected a number"),
        (["TIME,AMT,DV", "0,50,.", "1,.,\u0661"], {}, "expected a number"),
        (["TIME,AMT,DV", "0,50,.", "1,.,BLQ"], {}, "marked by CENS 1, with the limit in DV"),
        (["TIME,AMT,DV,LLOQ", "0,50,.,.", "1,.,-3,1"], {}, "not a logarithm"),
        (["TIME,AMT", "0,50"], {}, "no column DV"),
        (["TIME,AMT,DV", "0,50,.", "1,.,x"], {}, "Line 3: DV is 'x'; expected a number"),
        (["TIME,AMT,DV", "0,50,.", "1,.,-3"], {}, "not a logarithm"),
        (["TIME,AMT,DV,WT", "0,50,.,700", "1,.,3,700"], {}, "weight_kg is 700"),
        (["TIME,AMT,DV,SEX", "0,50,.,1", "1,.,3,1"], {}, "Say what the numbers mean"),
        (["TIME,AMT,DV,DVID", "0,50,.,0", "1,.,3,1"], {}, "Nothing says which output DV is"),
        (["TIME,AMT,DV,DVID", "0,50,.,0", "1,.,3,7"], {"dv": {"1": "plasma_naltrexone"}}, "DVID is '7'"),
        (["TIME,AMT,DV,ANALYTE", "0,50,.,.", "1,.,3,water"], {}, "Line 3: ANALYTE: No drug is called 'water'"),
        (["TIME,AMT,DV", "0,50,.", "1,.,3"], {"dv_unit": "nM"}, "dv_unit is 'nM'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(rows, options, told):
    with pytest.raises(InputError) as caught:
        read_observed(table(*rows), **ONE, **options)
    assert told in str(caught.value)


def test_a_table_without_observations_has_nothing_to_predict():
    with pytest.raises(InputError, match="holds no observations"):
        read_observed(table("TIME,AMT,DV", "0,50,."), **ONE).predict()


def test_a_check_of_the_model_by_its_own_data_holds():
    result = schild.simulate("naltrexone 50 mg po", until="1 d", n=30, seed=8, population={"occasions": False})
    data = read_observed(simulated_table(result, [1.0, 6.0], outputs=["plasma_naltrexone"], error=0.1, seed=3))
    rows = data.vpc(n=40, bins=2, error=0.1)
    middle = rows[rows["quantile"] == 0.5]
    assert len(rows) == 6
    assert ((middle["observed"] > middle["simulated_q05"]) & (middle["observed"] < middle["simulated_q95"])).all()


def test_only_plasma_levels_are_written():
    result = schild.simulate("naltrexone 50 mg po", until="1 h")
    with pytest.raises(UnknownNameError):
        simulated_table(result, [1.0], outputs=["mor_pet_occupancy"])


def test_the_commands(capsys, tmp_path):
    file, figure, csv = tmp_path / "levels.csv", tmp_path / "levels.svg", tmp_path / "predicted.csv"
    words = ["export", "nonmem", "naltrexone 50 mg po", "--times", "1 h, 4 h", "--n", "2", "--lloq", "0.1"]
    assert main([*words, "--out", str(file)]) == 0
    assert "2 people, 8 levels" in capsys.readouterr().out
    assert main(["check", str(file), "--plot", str(figure), "--predict", str(csv)]) == 0
    told = capsys.readouterr().out
    assert "1: naltrexone 50 mg oral; " in told
    assert "4 observations of plasma_naltrexone, plasma_beta_naltrexol, 1 to 4 h" in told
    assert figure.stat().st_size > 1000
    assert csv.read_text().startswith("person,output,time_h,observed,below,predicted,residual,log_residual\n")
    assert main(["check", str(file), "--json", "--vpc", "10"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["people"]) == 2
    assert found["vpc"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["check", "missing.csv"], "missing.csv"),
        (["check", "{file}", "--vpc", "3"], "--vpc is 3"),
        (["check", "{file}", "--dv", "1"], "1"),
        (["export", "nonmem", "naltrexone 50 mg po", "--times", ","], "--times"),
        (["export", "nonmem", "naltrexone 50 mg po", "--times", "1 h", "--error", "-1"], "--error is -1"),
        (["export", "nonmem", "naltrexone 50 mg po", "--times", "900 d"], "the run covers"),
    ],
)
def test_bad_input_gets_one_message(capsys, tmp_path, words, told):
    file = tmp_path / "levels.csv"
    file.write_text("TIME,AMT,AMTU,DRUG,ROUTE,DV\n0,50,mg,naltrexone,oral,.\n1,.,.,.,.,5\n")
    code = main([word.replace("{file}", str(file)) for word in words])
    said = capsys.readouterr().err
    assert code == BAD_INPUT, said
    assert said.startswith("schild: ")
    assert told in said


def test_a_person_who_took_nothing_has_no_level():
    rows = ["ID,TIME,AMT,DV", "1,0,50,.", "1,1,.,10.5", "2,1,.,0.1"]
    data = read_observed(io.StringIO("\n".join(rows)), drug="naltrexone", route="oral", amount_unit="mg")
    assert data.predict()["predicted"].tolist()[1] == 0.0
    assert set(data.vpc(n=10, bins=1)["observations"]) == {2}
    assert data.plot() is not None
