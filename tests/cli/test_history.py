"""Earlier use and adaptation on the command line: what is shown, what is refused."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

PAST = "methadone 60 mg po q24h for 30 d stopped 3 d"
SHORT = ("--until", "1d", "--every", "6h")


def test_a_history_comes_with_withdrawal_and_its_warnings(call):
    told = call("simulate", "naltrexone 50 mg po", "--history", PAST, "--until", "3d")
    assert told.code == 0
    said = " ".join(told.out.split())
    assert said.startswith("Warning: Naltrexone follows the last dose of methadone by 72 h. After methadone")
    assert "Naltrexone is begun 72 h after the last dose of methadone" in said
    assert "No interval and no test is wholly reliable" in said
    assert "a dose that was once usual can kill" in said
    assert "Withdrawal (latent COWS, 0 to 48) peaks at" in said
    for word in ("Adaptation", "dependence", "tolerance"):
        assert word in told.out


def test_a_run_may_be_a_history_alone(call):
    data = json.loads(call("simulate", "--history", PAST, "--json").out)
    assert {"cows", "sows", "tolerance", "dependence"} <= set(data["outputs"])
    assert data["outputs"]["cows"]["time_h"][-1] == 14 * 24


def test_no_adaptation_where_none_is_wanted(call):
    for words, has in ((("no",), False), (("yes",), True), (("inhibitor",), True)):
        told = call("simulate", "naltrexone 50 mg po", "--history", PAST, "--adaptation", *words, *SHORT, "--json")
        data = json.loads(told.out)
        assert ("cows" in data["outputs"]) is has, words
        assert any("is begun" in said for said in data["warnings"]) is has
    alone = json.loads(call("simulate", "naltrexone 50 mg po", "--adaptation", "yes", *SHORT, "--json").out)
    assert not any(alone["outputs"]["cows"]["value"])


def test_a_dry_run_gives_a_history_one_line(call):
    other = "heroin 25 mg iv q8h for 60 d stopped 9 d"
    told = call("simulate", "naltrexone 50 mg po", "--history", PAST, "--history", other, "--dry-run")
    lines = told.out.splitlines()
    assert lines[0] == (
        "Before: methadone 60 mg oral q24h for 30 d stopped 3 d (30 doses, the first at -32 d, the last at -3 d)"
    )
    assert lines[1].startswith("Before: heroin 25 mg iv q8h for 60 d stopped 9 d (180 doses, ")
    assert len(lines) == 4
    assert "naltrexone" in lines[3]
    data = json.loads(call("simulate", "--history", PAST, "--dry-run", "--json").out)
    assert data["events"] == []
    assert data["history"] == [
        {"words": "methadone 60 mg oral q24h for 30 d stopped 3 d", "doses": 30, "first": "-32 d", "last": "-3 d"}
    ]


def test_the_run_file_that_is_written_is_the_run(call, tmp_path):
    place = tmp_path / "out"
    for doses in (["naltrexone 50 mg po"], []):
        told = call("simulate", *doses, "--history", PAST, "--adaptation", "yes", *SHORT, "--out", place)
        assert told.code == 0, told.err
        data = tomllib.loads((place / "run.toml").read_text(encoding="utf-8"))
        assert data["subject"]["history"] == [{"words": PAST}]
        assert data["run"]["adaptation"] is True
        one, two = (
            json.loads(call("simulate", *words, "--json").out)
            for words in ([place / "run.toml"], [*doses, "--history", PAST, "--adaptation", "yes", *SHORT])
        )
        assert one["outputs"]["cows"] == two["outputs"]["cows"]


def test_an_option_takes_the_place_of_the_file_and_goes_to_people(call, tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(
        '[subject]\n[[subject.history]]\ndrug = "morphine"\namount = "30 mg"\nroute = "oral"\nevery = "6 h"\n'
        'days = 60\nstopped = "10 d"\n\n[[dose]]\nregimen = "naltrexone 50 mg po"\n',
        encoding="utf-8",
    )
    assert call("simulate", file, "--dry-run").out.startswith("Before: morphine 30 mg oral q6h for 60 d stopped 10 d")
    assert call("simulate", file, "--history", PAST, "--dry-run").out.startswith("Before: methadone 60 mg")
    data = json.loads(call("simulate", file, "--n", "5", *SHORT, "--json").out)
    assert set(data["outputs"]["cows"]) >= {"q05", "q50", "q95"}


def test_a_challenge_after_earlier_use_meets_tolerance(call):
    words = ("naltrexone 50 mg po", "--agonist", "heroin 25 mg iv", "--at", "24 h", "--effect", "ventilation", "--json")
    naive = json.loads(call("challenge", *words).out)
    used = json.loads(call("challenge", *words, "--history", "morphine 30 mg po q6h for 60 d stopped 1 d").out)
    assert used["challenge"][0]["without"] < naive["challenge"][0]["without"]
    assert any("Naltrexone is begun" in said for said in used["warnings"])
    assert not any("is begun" in said for said in naive["warnings"])
    told = call("challenge", *words[:-1], "--history", PAST)
    assert f"Before: {PAST}" in told.out


def test_sbml_holds_a_history_as_events_up_to_a_limit(call):
    told = call("export", "sbml", "naltrexone 50 mg po", "--history", PAST, "--antimony", "--until", "1d")
    assert told.code == 0, told.err
    assert told.out.count(" at (time >=") == 31
    assert "time 0 of the run is 768 h" in told.err
    told = call("export", "sbml", "--history", "heroin 25 mg iv q6h for 600 d", "--antimony")
    assert told.code == 2
    assert "2,400 doses" in told.err


def test_sbml_of_a_history_solves_to_the_same_adaptation(call, tmp_path):
    roadrunner = pytest.importorskip("roadrunner")
    from schild.simulation import simulate

    words = "morphine 30 mg po q6h for 3 d stopped 6 h"
    file = tmp_path / "run.xml"
    told = call("export", "sbml", "naltrexone 50 mg po", "--history", words, "--until", "1d", "--out", file)
    assert told.code == 0, told.err
    model = roadrunner.RoadRunner(str(file))
    model.integrator.setValue("relative_tolerance", 1e-9)
    model.integrator.setValue("absolute_tolerance", 1e-12)
    model.integrator.setValue("maximum_num_steps", 100_000)
    ours = simulate("naltrexone 50 mg po", history=words, until="1 d", every="1 h", plain_grid=True)
    names = [name for name in ours.outputs if name.startswith("adaptation_")]
    before = 72 - 6 + 6
    table = model.simulate(0, before + 24, before + 25, ["time", *names])
    for column, name in enumerate(names, 1):
        assert table[before + 1 :, column] == pytest.approx(ours[name].values[0, 1:], rel=2e-3, abs=1e-5), name


GOOD = "morphine 30 mg po q6h for 60 d"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", ("history", "stopped 10 d")),
        ("morphine", ("'morphine'", "stopped 10 d")),
        ("morphine 30 mg po q6h", ("how long", "for 60 d")),
        ("morphine 30 mg po q6h for", ("not understood",)),
        ("morphine 30 mg po q6h for 60", ("'60'", "unit")),
        ("morphine 30 mg po q6h for 60 mg", ("'mg'", "time")),
        ("morphine 30 mg po q6h for 0 d", ("'0 d'", "above 0")),
        ("morphine 30 mg po q6h for -3 d", ("not understood",)),
        ("morphine 30 mg po q6h for 1.2.3 d", ("1.2.3",)),
        ("morphine 30 mg po q6h for 99999 d", ("100 years",)),
        ("morphine 30 mg po q6h for 9999 d", ("39,996 doses", "15,000")),
        ("morphine 30 mg po for 60 d", ("interval",)),
        ("morphine 30 mg po q6h x7 for 60 d", ("count",)),
        ("morphine 30 mg po q6h at 3 d for 60 d", ("time of its own",)),
        ("morphine 30 mg po q6h ss for 60 d", ("ss", "same dose")),
        ("morphine 30 mg po q6h skip 3 for 60 d", ("skip", "two histories")),
        ("morphine 30 mg po daily for 60 d", ("'daily'", "q24h")),
        ("morphine 30 mg po q1s for 60 d", ("5,184,000 doses",)),
        ("morphine 2 mg/h iv for 60 d", ("no end",)),
        ("morphin 30 mg po q6h for 60 d", ("'morphin'", "'morphine'")),
        ("morphine 30 mg smoked q6h for 60 d stopped 1 d", ("'smoked'", "oral")),
        ("morphine 0 mg po q6h for 60 d", ("'0 mg'", "positive")),
        (f"{GOOD} stopped", ("not understood",)),
        (f"{GOOD} stopped 3", ("'3'", "unit")),
        (f"{GOOD} stopped -3 d", ("'-3 d'", "from 0 on")),
        (f"{GOOD} stopped yesterday", ("yesterday",)),
        (f"{GOOD} stopped 200000 d", ("100 years",)),
        (f"{GOOD} stopped 10 d stopped 3 d", ("d stopped 3 d",)),
    ],
)
@pytest.mark.parametrize("command", ["simulate", "dry", "challenge", "export"])
def test_bad_words_are_refused(call, words, names, command):
    given = {
        "simulate": ("simulate", "naltrexone 50 mg po"),
        "dry": ("simulate", "--dry-run"),
        "challenge": ("challenge", "naltrexone 50 mg po", "--agonist", "heroin 25 mg iv", "--at", "24 h"),
        "export": ("export", "sbml", "naltrexone 50 mg po"),
    }[command]
    told = call(*given, "--history", words)
    assert told.code == 2, told
    assert told.out == ""
    assert told.err.count("schild: ") == 1
    assert "bug" not in told.err
    for name in names:
        assert name in told.err, told.err


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--adaptation", "maybe"), ("'maybe'", "two_state")),
        (("--adaptation", ""), ("''", "yes, no")),
        (("--adaptation",), ("--adaptation", "schild simulate --help")),
        (("--history",), ("--history", "schild simulate --help")),
        (("--history", GOOD, "--receptors", "dor"), ("mor", "receptors")),
        (("naltrexone 50 mg po q24h ss", "--history", GOOD), ("ss2", "wipes out the history")),
    ],
)
def test_bad_options_are_refused(call, options, names):
    told = call("simulate", "morphine 10 mg po", *options)
    assert told.code == 2, told
    for name in names:
        assert name in told.err, told.err


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ('drug = "morphine"', ("amount", "every", "days")),
        ('words = "morphine 30 mg po q6h for 3 d"\ndays = 3', ("words", "days", "one or the other")),
        ('drug = "morphine"\namount = "30 mg"\nroute = "oral"\nevery = "6 h"\ndays = 0', ("days", "0")),
        ('drug = "morphine"\namount = "30 mg"\nroute = "oral"\nevery = "6 h"\ndays = nan', ("days", "nan")),
        ('drug = "morphine"\namount = "30 mg"\nroute = "oral"\nevery = 6\ndays = 3', ("every", "unit")),
        ('drug = "morphine"\namount = "30 mg"\nroute = "oral"\nevery = "0 h"\ndays = 3', ("'0 h'", "above 0")),
        ('drug = "morphine"\namount = "30 mg"\nroute = "oral"\nevery = "6 h"\ndays = 3\nstopped = "-1 d"', ("'-1 d'",)),
        ('drug = "morphine"\ndose = "30 mg"', ("dose", "not a known entry")),
    ],
)
@pytest.mark.parametrize("who", ["subject", "population"])
def test_bad_tables_are_refused(call, tmp_path: Path, entry, names, who):
    file = tmp_path / "run.toml"
    many = "n = 3\n" if who == "population" else ""
    file.write_text(f"[{who}]\n{many}[[{who}.history]]\n{entry}\n", encoding="utf-8")
    told = call("simulate", file)
    assert told.code == 2, told
    for name in names:
        assert name in told.err, told.err
