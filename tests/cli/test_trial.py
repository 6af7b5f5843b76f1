"""``schild trial`` and ``schild schema trial``."""

from __future__ import annotations

import json

import pytest

FILE = """
disorder = "alcohol"
[trial]
title = "Small"
n = 40
weeks = 4
[[arm]]
name = "naltrexone"
drug = "naltrexone"
amount = "50 mg"
[[arm]]
name = "placebo"
placebo = true
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "trial.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_trial_leaves_a_page_a_table_and_json(call, file, tmp_path):
    told = call("trial", file, "--out", tmp_path / "out")
    assert told.code == 0, told.err
    assert "Against placebo" in told.out
    kept = {p.name for p in (tmp_path / "out").iterdir()}
    assert kept == {"report.html", "summary.json", "people.csv", "figure.svg", "parts", "runs.sqlite"}
    data = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    again = json.loads(call("trial", file, "--out", tmp_path / "out", "--json").out)
    assert again == data
    assert {"manifest", "endpoints", "contrasts", "warnings", "cite"} <= set(data)
    assert len((tmp_path / "out" / "people.csv").read_text(encoding="utf-8").splitlines()) == 81


def test_options_win_over_the_file(call, file):
    data = json.loads(call("trial", file, "--n", "20", "--replicates", "2", "--seed", "5", "--json").out)
    head = data["manifest"]["trial"]["trial"]
    assert (head["n"], head["replicates"], head["seed"]) == (20, 2, 5)
    assert data["contrasts"][0]["power"] is not None


@pytest.mark.parametrize("idle", [["--n", "20"], ["--replicates", "2"], ["--shard", "1/2"], ["--workers", "2"]])
def test_an_option_that_would_change_nothing_beside_power_is_refused(call, file, idle):
    told = call("trial", file, "--power", "0.8", *idle)
    assert told.code == 2
    assert f"{idle[0]} would change nothing beside --power" in told.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("[trial", "not TOML"),
        (FILE.replace("naltrexone", "naltrexon"), "naltrexon"),
        (FILE.replace("weeks = 4", "weeks = 400"), "weeks"),
        (FILE.replace('"50 mg"', '"50"'), "50"),
        (FILE.replace('drug = "naltrexone"', 'drug = "heroin"'), "not an antagonist"),
        (FILE.replace('disorder = "alcohol"', ""), 'disorder = "opioid" or "alcohol"'),
        (FILE.replace('"alcohol"', '"opioid"') + "[eligibility]\nheavy_days = 4", "about drinking"),
    ],
)
def test_bad_files_are_one_message(call, tmp_path, text, says):
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    told = call("trial", path)
    assert told.code == 2
    assert says in told.err
    assert "Traceback" not in told.err


def test_a_file_that_is_not_there(call, tmp_path):
    told = call("trial", tmp_path / "nothing.toml")
    assert told.code == 2
    assert "No such file" in told.err


def test_the_schema_is_that_of_the_file(call):
    schema = json.loads(call("schema", "trial").out)
    assert {
        "disorder",
        "trial",
        "population",
        "setting",
        "eligibility",
        "response",
        "learning",
        "arm",
    } == set(schema["properties"])


def test_without_statsmodels_it_says_what_to_install(call, file, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "statsmodels", None)
    monkeypatch.setitem(sys.modules, "statsmodels.api", None)
    told = call("trial", file)
    assert told.code == 2
    assert "schild[stats]" in told.err
