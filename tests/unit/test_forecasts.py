"""Forecasts from measured levels, and days protected under missed doses."""

import json

import numpy as np
import pytest

import schild
from schild.catalog import load
from schild.cli import BAD_INPUT, main
from schild.errors import InputError, UnknownNameError
from schild.forecasts import Level, allot, level_of, protected, run_like, structure_weights, without_next
from schild.forecasts.levels import likelihood, quantile, weights_of
from schild.forecasts.posterior import sample
from schild.regimen import parse_regimen

DEPOT = "naltrexone 380 mg im_depot"
FEW = {"n": 60, "structures": ["plasma_and_store"], "until": "42 d"}


@pytest.mark.parametrize(
    ("words", "level"),
    [
        ("0.8 ng/mL at 25 d", Level("naltrexone", 0.8, 600.0, False)),
        ("6-beta-naltrexol 1.1 ug/L at 25 d", Level("beta_naltrexol", 1.1, 600.0, False)),
        ("<0.5 ng/mL at 30 d", Level("naltrexone", 0.5, 720.0, True)),
        ("0.002 mg/L at 2 h", Level("naltrexone", 2.0, 2.0, False)),
    ],
)
def test_levels_in_words(words, level):
    found = level_of(words, "naltrexone", load())
    assert found._replace(value=0) == level._replace(value=0)
    assert found.value == pytest.approx(level.value)


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        ("0.8", InputError, "is not a level"),
        ("0.8 ng/mL", InputError, "is not a level"),
        ("0.8 nM/L at 2 d", InputError, "has the unit"),
        ("0 ng/mL at 2 d", InputError, "not above 0"),
        ("0.8 ng/mL at noon", InputError, "noon"),
        ("water 0.8 ng/mL at 2 d", UnknownNameError, "water"),
    ],
)
def test_words_that_are_no_level_are_refused(words, error, told):
    with pytest.raises(error) as caught:
        level_of(words, "naltrexone", load())
    assert told in str(caught.value)


def test_weights_are_those_of_a_log_normal_error():
    seen = np.exp(np.random.default_rng(1).standard_normal(50_000))[:, None]  # log level N(0, 1)
    error = np.sqrt(np.expm1(0.25))  # log error of variance 0.25
    weights, effective = weights_of(likelihood(seen, [Level("x", float(np.exp(1.0)), 1.0, False)], error))
    # The posterior of two normals: mean 1 / (1 + 0.25), variance 0.25 / 1.25.
    log = np.log(seen[:, 0])
    assert np.sum(weights * log) == pytest.approx(0.8, abs=0.015)
    assert np.sum(weights * (log - 0.8) ** 2) == pytest.approx(0.2, abs=0.015)
    assert quantile(log, weights, 0.95) == pytest.approx(0.8 + 1.645 * np.sqrt(0.2), abs=0.02)
    assert 1 < effective < 50_000


def test_time_protected_ends_at_the_last_fall_below():
    time = np.arange(6.0)
    courses = np.array([[0, 0.9, 0.7, 0.9, 0.7, 0.1], [0, 0.1, 0.1, 0.1, 0.1, 0.1], [0.9] * 6])
    assert protected(time, courses, 0.0, 0.8).tolist() == pytest.approx([3.5, 0.0, 5.0])


def test_a_low_level_brings_the_next_dose_forward():
    low, high = (schild.forecast(DEPOT, levels=[f"{x} ng/mL at 20 d"], **FEW) for x in (1.2, 3.0))
    assert low.next_dose_h < high.next_dose_h
    assert low.row("mor_pet_occupancy", 28 * 24.0)["q50"] < high.row("mor_pet_occupancy", 28 * 24.0)["q50"]
    assert low.weights.sum() == pytest.approx(1.0)
    said = low.to_dict()["evidence"]
    assert said["error of levels"] == said["weights of structures"] == "assumed"
    assert sum(said["plasma_naltrexone"].values()) < sum(said["mor_pet_occupancy"].values())
    assert "reported" in low.summary()[0]["evidence"]


def test_structures_are_averaged_by_their_fits():
    weights, said = structure_weights(load(), "naltrexone", None)
    # Akaike: exp(-(chi square + 2 numbers) / 2) of the twelve rows of tomography.
    chi = {"plasma_and_store": 3.9222 + 6, "slow_receptor": 9.1917 + 4}
    ratio = np.exp(-0.5 * (chi["slow_receptor"] - chi["plasma_and_store"]))
    assert weights["slow_receptor"] / weights["plasma_and_store"] == pytest.approx(ratio)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert "Akaike" in said
    pair = ["slow_receptor", "plasma_and_store"]
    found = schild.forecast(DEPOT, levels=["2 ng/mL at 20 d"], n=40, structures=pair)
    counts = allot(40, found.structures)
    assert found.weights[: counts["slow_receptor"]].sum() == pytest.approx(found.structures["slow_receptor"])


def test_the_most_probable_person_is_found_where_few_have_such_levels():
    """Levels of one person of the tails: the posterior is narrow and centred where a large population has it."""
    words, levels = "naltrexone 50 mg po", ["25 ng/mL at 1 h", "9 ng/mL at 4 h"]
    catalogue = load()
    read = tuple(level_of(x, "naltrexone", catalogue) for x in levels)
    wanted = ["plasma_naltrexone"]
    few = sample(run_like([words], None, "1 d", 400, 1, None, wanted), read, 0.1, 200, catalogue, None)
    many = sample(run_like([words], None, "1 d", 40_000, 3, None, wanted), read, 0.1, 20_000, catalogue, None)
    assert few.effective > 60  # of 400; the population alone would leave 2 of 200

    def moments(posterior):
        z = posterior.columns["between:naltrexone.oral.f"]
        mean = np.sum(posterior.weights * z)
        return mean, np.sqrt(np.sum(posterior.weights * (z - mean) ** 2))

    assert moments(few) == pytest.approx(moments(many), abs=0.15)


@pytest.mark.parametrize(
    ("words", "now", "left", "when"),
    [
        (["naltrexone 50 mg po q24h x4"], 30, ["naltrexone 50 mg oral q24h x4 skip 3"], (48, 72)),
        (["naltrexone 50 mg po q24h x4"], 50, ["naltrexone 50 mg oral q24h x4 skip 4"], (72, 96)),
        (["naltrexone 50 mg po q24h x4 skip 3"], 30, ["naltrexone 50 mg oral q24h x4 skip 3-4"], (72, 96)),
        (["naltrexone 50 mg po", "naltrexone 100 mg po at 2 d"], 30, ["naltrexone 50 mg oral"], (48, 96)),
        (["naltrexone 50 mg po q24h"], 30, ["naltrexone 50 mg oral q24h skip 3"], (48, 72)),
        (["naltrexone 50 mg po"], 1, None, (0, 0)),
    ],
)
def test_the_dose_that_may_be_missed(words, now, left, when):
    doses = parse_regimen("; ".join(words)).doses
    assert without_next(doses, now, 96 * 3_600_000_000) == (left, when)


def test_a_missed_tablet_costs_hours():
    found = schild.forecast("naltrexone 50 mg po q24h x5", levels=["1 ng/mL at 56 h"], n=40, until="5 d")
    assert found.missed["missed_at_h"] == 72.0
    assert 0 <= found.missed["q05"] <= found.missed["q50"] <= found.missed["q95"] <= 24.0
    assert found.missed["q95"] > 0
    assert "missing the dose of day 3 costs" in found.said()
    assert schild.forecast(DEPOT, levels=["2 ng/mL at 20 d"], **FEW).missed is None


def test_a_target_that_is_never_reached_is_no_time():
    """ "Stay at 80 % or more until day 0" was told of people who never reach it, and a next dose by that day."""
    found = schild.forecast("naltrexone 1 mg po", levels=["<0.5 ng/mL at 12 h"], target=0.99, until="2 d", n=40)
    assert "mu receptors are never at 99 % after the last dose, with a probability of 100 %" in found.said()
    assert found.content()["next_dose_by_h"] is None
    some = schild.forecast("naltrexone 50 mg po", levels=["<0.1 ng/mL at 2 d"], until="4 d", n=40, share=0.99)
    assert "(90 % interval " in some.said()
    assert "by day 0 " not in some.said()


def test_an_agonist_has_no_next_dose():
    """A day was given by which the next dose of heroin keeps receptors occupied."""
    found = schild.forecast("heroin 25 mg iv q6h x8", levels=["morphine 20 ng/mL at 24 h"], n=40)
    assert "no next dose is given" in found.said()
    assert found.missed is None
    assert (found.content()["next_dose_by_h"], found.content()["protected_until_h"]) == (None, None)
    assert "mor_pet_occupancy" in found.courses


def test_few_people_and_rare_levels_are_told_apart():
    few = schild.forecast("naltrexone 50 mg po", levels=["<0.1 ng/mL at 2 d"], n=20)
    said = "The forecast rests on 20 of 40 virtual people: its limits are rough. Ask for more people (n)."
    assert few.warnings == (said,)


def test_levels_that_nobody_has_are_said():
    with pytest.raises(InputError, match="Nobody of the virtual population"):
        schild.forecast(DEPOT, levels=["9000 ng/mL at 20 d"], **FEW)
    rare = schild.forecast(DEPOT, levels=["9 ng/mL at 20 d"], **FEW)
    assert "such levels are rare" in rare.warnings[0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"levels": []}, "No level was given"),
        ({"levels": ["1 ng/mL at 90 d"]}, "the run covers"),
        ({"levels": ["1 ng/mL at 2 d"], "target": 1.5}, "target is 1.5"),
        ({"levels": ["1 ng/mL at 2 d"], "share": 0.0}, "share is 0"),
        ({"levels": ["1 ng/mL at 2 d"], "subject": {"weight": "700 kg"}}, "weight_kg"),
        ({"levels": ["1 ng/mL at 2 d"], "n": 3}, "expected 20 to 20,000"),
        ({"levels": ["1 ng/mL at 2 d"], "structures": ["x"]}, "structure of naltrexone"),
    ],
)
def test_bad_input_of_a_forecast(options, told):
    with pytest.raises(InputError) as caught:
        schild.forecast(DEPOT, **{**FEW, **options})
    assert told in str(caught.value)


def test_missed_doses_cost_days():
    rows = schild.coverage("naltrexone 50 mg po q24h x10", missed=[0, 4], n=20).rows
    assert [row["skipped"] for row in rows] == [[], [5, 6, 7, 8]]
    assert rows[0]["days_protected"] == 9  # the first day begins without drug
    assert rows[1]["days_protected"] < rows[0]["days_protected"]
    assert rows[1]["share_of_time_q05"] <= rows[1]["share_of_time"] <= rows[1]["share_of_time_q95"]


@pytest.mark.parametrize(
    ("regimen", "missed", "told"),
    [
        ("naltrexone 50 mg po", [1], "not one repeated dose"),
        ("naltrexone 50 mg po q24h", [1], "not one repeated dose"),
        ("naltrexone 50 mg po q24h x3", [3], "expected 0 to 2"),
        ("heroin 25 mg iv q24h x3", [1], "blocks no mu receptors"),
        ("ethanol 28 g po q24h x3", [1], "blocks no mu receptors"),
    ],
)
def test_bad_input_of_coverage(regimen, missed, told):
    with pytest.raises(InputError, match=told):
        schild.coverage(regimen, missed=missed)


def test_the_commands(capsys):
    words = ["forecast", DEPOT, "--level", "2 ng/mL at 20 d", "--n", "20", "--until", "42 d"]
    assert main(words) == 0
    assert "Mu receptors stay at 80 % or more until day" in capsys.readouterr().out.replace("\n", " ")
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["next_dose_by_h"] > 0
    assert main(["forecast", "naltrexone 50 mg po q24h x5", "--level", "2 ng/mL at 98 h", "--n", "20"]) == 0
    assert "below quantification" in capsys.readouterr().out  # a week after the last tablet
    assert main(["coverage", "naltrexone 50 mg po q24h x5", "--missed", "0,1", "--n", "5", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["coverage"]) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["forecast", DEPOT, "--level", "x"], "is not a level"),
        (["forecast", "--level", "1 ng/mL at 2 d"], "No regimen was given"),
        (["coverage", "naltrexone 50 mg po q24h x5", "--missed", "a"], "--missed is 'a'"),
        (["coverage", "naltrexone 50 mg po q24h x50", "--missed", "1_0"], "--missed is '1_0'; expected whole numbers"),
        (["coverage", "naltrexone 50 mg po q24h x5", "--missed", "0,,1"], "expected one or more, with commas between"),
        (["challenge", "naltrexone 50 mg po", "--agonist", "heroin 25 mg iv", "--at", ","], "expected one or more"),
    ],
)
def test_bad_input_gets_one_message(capsys, words, told):
    assert main(words) == BAD_INPUT
    said = capsys.readouterr().err
    assert said.startswith("schild: ")
    assert told in said
