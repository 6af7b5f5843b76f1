"""An investigational antagonist as one file outside the package, and numbers given in place of the catalogue's."""

import json
import shutil
from pathlib import Path

import pytest

from schild.cli import BAD_INPUT, main

OVERLAY = Path(__file__).parents[1] / "data" / "overlay"
ONE = "exantagonist 20 mg po"
TRIAL = """disorder = "alcohol"
[trial]
n = 20
weeks = 4
[[arm]]
name = "placebo"
placebo = true
[[arm]]
name = "active"
drug = "exantagonist"
amount = "20 mg"
"""

#: One command line for each verb; OWN is the file of the drug, FOLDER all example files.
VERBS = {
    "simulate": ["simulate", ONE, "--until", "6 h", "--json"],
    "simulate people": ["simulate", ONE, "--until", "6 h", "--n", "3", "--json"],
    "events": ["simulate", ONE, "--dry-run"],
    "challenge": ["challenge", ONE, "--agonist", "heroin 25 mg iv", "--at", "4 h", "--json"],
    "rescue": ["rescue", "--opioid", "fentanyl 1.625 mg iv", "--antagonist", "none", "--antagonist",
               "exantagonist 20 mg iv", "--n", "4", "--until", "20 min", "--json"],
    "laboratory": ["laboratory", "cue", "exantagonist 20 mg po q24h x2", "--n", "20", "--json"],
    "plan": ["plan", "--drug", "exantagonist", "--target", "0.6", "--n", "10", "--uncertainty", "1", "--json"],
    "curves": ["curves", ONE, "--agonist", "morphine", "--at", "4 h", "--json"],
    "export": ["export", "sbml", ONE, "--until", "1 d"],
    "equilibrium": ["curves", "exantagonist", "--agonist", "morphine", "--json"],
    "explain": ["explain", "exantagonist", "--quick", "--json"],
    "drugs": ["drugs", "exantagonist", "--json"],
    "cite": ["cite", ONE],
}  # fmt: skip


@pytest.fixture
def own(tmp_path):
    return shutil.copy(OVERLAY / "exantagonist.toml", tmp_path / "exantagonist.toml")


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_takes_a_drug_of_ones_own(name, own, capsys):
    assert main([*VERBS[name], "--catalogue", str(own)]) == 0
    shown = capsys.readouterr().out
    assert "exantagonist" in shown or name == "laboratory"
    if "--json" in VERBS[name] and name != "drugs":
        (overlay,) = json.loads(shown)["manifest"]["overlays"]
        assert overlay["name"] == str(own)
        assert len(overlay["hash"]) == 32


def test_without_the_file_the_drug_is_unknown(capsys):
    assert main(["simulate", ONE, "--until", "6 h"]) == BAD_INPUT
    assert "exantagonist" in capsys.readouterr().err


def test_a_trial_and_a_table_of_ones_own(own, tmp_path, capsys):
    file = tmp_path / "trial_file.toml"
    file.write_text(TRIAL)
    assert main(["trial", str(file), "--catalogue", str(own), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["manifest"]["overlays"][0]["name"] == str(own)
    assert {"placebo", "active"} == {e["arm"] for e in found["endpoints"]}
    table = tmp_path / "table.csv"
    table.write_text("TIME,AMT\n0,20\n")
    line = ["import", "nonmem", str(table), "--drug", "exantagonist", "--route", "oral", "--unit", "mg", "--simulate"]
    assert main([*line, "--catalogue", str(own)]) == 0
    assert "exantagonist" in capsys.readouterr().out


def test_validate_and_audit_of_ones_own(capsys):
    assert main(["validate", "exantagonist_pk", "--catalogue", str(OVERLAY), "--quick", "--json"]) in (0, 1)
    found = json.loads(capsys.readouterr().out)
    assert {claim["id"] for claim in found["claims"]} == {"example2026_cmax", "example2026_occupancy"}
    assert not found["skipped"]
    assert main(["drugs", "--audit", "--catalogue", str(OVERLAY)]) == 0


def test_an_effect_and_claims_of_ones_own_are_run(capsys):
    effect = str(OVERLAY / "example_effect.toml")
    assert main(["simulate", "morphine 10 mg iv", "--until", "2 h", "--json", "--catalogue", effect]) == 0
    assert max(json.loads(capsys.readouterr().out)["outputs"]["itch"]["value"]) > 0.1
    assert main(["explain", "exantagonist", "--quick", "--json", "--catalogue", str(OVERLAY)]) == 0
    claims = {claim["id"]: claim for claim in json.loads(capsys.readouterr().out)["claims"]}
    assert set(claims) == {"X1.1", "X1.2", "X1.3"}
    assert claims["X1.1"]["holds"] == "yes"
    assert claims["X1.1"]["observed"] == 95.0


def test_the_environment_serves_every_command(own, monkeypatch, capsys):
    monkeypatch.setenv("SCHILD_CATALOGUE", str(own))
    assert main(["simulate", ONE, "--until", "6 h"]) == 0
    assert main(["drugs", "exantagonist"]) == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("peripherals = 1", "peripheral = 1", "line 9"),
        ('{ exantagonist = "oral.f"', '{ exantagonst = "oral.f"', "line 18"),
    ],
)
def test_a_fault_is_bad_input_with_its_line(own, old, new, said, capsys):
    path = Path(own)
    path.write_text(path.read_text().replace(old, new, 1))
    assert main(["simulate", ONE, "--until", "6 h", "--catalogue", str(own)]) == BAD_INPUT
    shown = capsys.readouterr().err
    assert said in shown
    assert "exantagonist.toml" in shown
    assert main(["drugs", "--audit", "--catalogue", str(own)]) == 1


def numbers_of(line, capsys):
    assert main(line) == 0
    found = json.loads(capsys.readouterr().out)
    found.pop("manifest", None)
    return found


SET = {
    "simulate": (["simulate", "naltrexone 50 mg po", "--until", "6 h", "--json"], "naltrexone.cl=30 L/h"),
    "challenge": (["challenge", "naltrexone 50 mg po", "--agonist", "heroin 25 mg iv", "--at", "4 h", "--json"],
                  "naltrexone.cl=20 L/h"),
    "rescue": (["rescue", "--opioid", "fentanyl 1.625 mg iv", "--antagonist", "none", "--n", "4", "--until", "20 min",
                "--source", "general", "--json"], "fentanyl.cl=2000 L/h"),
    "laboratory": (["laboratory", "cue", "naltrexone 50 mg po q24h x2", "--n", "20", "--json"],
                   "alcohol.craving.share=0.1"),
    "plan": (["plan", "--drug", "naltrexone", "--target", "0.6", "--n", "10", "--uncertainty", "1", "--json"],
             "naltrexone.cl=500 L/h"),
    "curves": (["curves", "naltrexone 50 mg po", "--agonist", "morphine", "--at", "4 h", "--json"],
               "naltrexone.cl=20 L/h"),
}  # fmt: skip


@pytest.mark.parametrize("name", SET)
def test_a_number_given_on_the_command_line_acts(name, capsys):
    line, given = SET[name]
    assert numbers_of(line, capsys) != numbers_of([*line, "--set", given], capsys)


@pytest.mark.parametrize("name", SET)
def test_an_unknown_number_is_refused(name, capsys):
    line, _ = SET[name]
    assert main([*line, "--set", "naltrexone.clx=1"]) == BAD_INPUT
    assert "Did you mean 'cl'" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["naltrexone.cl", "=3", "naltrexone.cl="])
def test_a_number_without_a_value_is_refused(text, capsys):
    assert main(["simulate", "naltrexone 50 mg po", "--until", "6 h", "--set", text]) == BAD_INPUT
    assert "Write it like naltrexone.cl=" in capsys.readouterr().err


def test_what_was_given_stands_in_the_run_file(tmp_path, capsys):
    line = ["simulate", "naltrexone 50 mg po", "--until", "6 h", "--set", "naltrexone.cl=120 L/h", "--out"]
    assert main([*line, str(tmp_path / "out")]) == 0
    assert "naltrexone.cl" in (tmp_path / "out" / "run.toml").read_text()


LEVELS = str(Path(__file__).resolve().parents[2] / "examples" / "nonmem_levels.csv")
IDLE = {
    "curves": ["curves", "naltrexone", "--agonist", "morphine"],
    "curves of a challenge": ["curves", "naltrexone 50 mg po", "--agonist", "morphine", "--at", "4 h"],
    "check": ["check", LEVELS],
    "fit-levels": ["fit-levels", LEVELS, "--free", "naltrexone.cl"],
    "export sbml": ["export", "sbml", "naltrexone 50 mg po", "--until", "1 d", "--sex", "female"],
    "export rxode2": ["export", "rxode2", "naltrexone 50 mg po", "--until", "1 d", "--sex", "female"],
    "export nonmem": ["export", "nonmem", "naltrexone 50 mg po", "--times", "1 h", "--sex", "female"],
}


@pytest.mark.parametrize("name", IDLE)
def test_a_number_or_covariate_that_nothing_uses_is_said(name, capsys):
    assert main([*IDLE[name], "--set", "methadone.cl=20 L/h"]) == 0
    told = capsys.readouterr()
    said = told.err if "export" in name else told.out
    assert " ".join(said.split()).count("methadone.cl was given, and no number of this run uses it.") == 1
    assert ("sex = female was given, and no number of this run depends on it." in said) == ("--sex" in IDLE[name])


def test_a_document_says_which_doses_lie_after_its_end(capsys):
    assert main(["export", "rxode2", "naltrexone 50 mg po", "naloxone 0.4 mg iv at 3 d", "--until", "1 d"]) == 0
    assert "naloxone 0.4 mg iv at 3 d lies after the end of the run at 24 h" in capsys.readouterr().err


def test_a_document_says_that_it_is_one_person(capsys):
    file = str(Path(__file__).resolve().parents[2] / "examples" / "population.toml")
    assert main(["export", "sbml", file, "--antimony"]) == 0
    assert "One typical person is written, not the population of 200 people." in capsys.readouterr().err
