"""Every example runs, and says what its first lines promise."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.toml"))


#: Three arms and twenty repeats take half a minute.
SLOW = ("alcohol_as_needed",)


@pytest.mark.parametrize(
    "file", [pytest.param(x, marks=pytest.mark.slow if x.stem in SLOW else (), id=x.stem) for x in EXAMPLES]
)
def test_the_example_runs_as_its_first_lines_say(call, tmp_path, monkeypatch, file):
    said = re.search(
        r"^#   (schild (?:simulate|trial) examples/\S+\.toml.*)$", file.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert said is not None
    words = said[1].split()[1:]
    words[1] = str(file)
    assert file.name in said[1]
    monkeypatch.chdir(tmp_path)
    told = call(*words)
    assert told.code == 0, told.err
    assert told.out.count("not for treating a person") == 1


def test_the_week_blocks_mu_receptors_for_most_of_it(call, examples):
    data = json.loads(call("simulate", examples / "naltrexone_week.toml", "--json").out)
    assert data["metrics"]["mor_pet_occupancy_hours_above_90_percent"] > 5 * 24
    assert data["metrics"]["mor_pet_occupancy_peak"] > 0.9


def test_the_month_warns_of_the_challenge_and_follows_occupancy_only(call, examples):
    data = json.loads(call("simulate", examples / "depot_month_challenge.toml", "--json").out)
    assert "opioid is given while an antagonist acts" in data["warnings"][0]
    assert set(data["outputs"]) == {
        "plasma_naltrexone",
        "mor_occupancy_naltrexone",
        "mor_occupancy_beta_naltrexol",
        "mor_pet_occupancy",
    }
    told = call("simulate", examples / "depot_month_challenge.toml")
    assert told.out.startswith("Warning: ")


def test_a_larger_challenge_is_refused(call, examples, tmp_path):
    text = (examples / "depot_month_challenge.toml").read_text(encoding="utf-8")
    file = tmp_path / "larger.toml"
    file.write_text(text.replace('"25 mg"', '"250 mg"'), encoding="utf-8")
    told = call("simulate", file)
    assert told.code == 2
    assert "can kill" in told.err


def test_the_table_means_what_it_says(call, examples):
    table = examples / "nonmem_table.csv"
    told = call("import", "nonmem", table, "--cmt", "1=naltrexone oral", "--unit", "mg", "--dry-run")
    assert told.code == 0
    assert [line.split()[0] for line in told.out.splitlines()[1:] if not line.startswith("Note")] == [
        "0",
        "24",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "9",
        "11",
    ]
