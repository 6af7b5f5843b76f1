"""The laboratory on the command line and as an example."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_json_holds_the_contract(call):
    told = call("laboratory", "fixed_dose", "naltrexone 50 mg po q24h x7", "--n", "20", "--uncertainty", "3", "--json")
    assert told.code == 0, told.err
    data = json.loads(told.out)
    assert {"manifest", "laboratory", "warnings", "cite"} <= set(data)
    rows = {row["outcome"]: row for row in data["laboratory"]}
    assert set(rows) == {"stimulation", "sedation", "mood"}
    assert all(row["low"] < row["g"] < row["high"] and row["n"] == 20 for row in rows.values())
    assert rows["sedation"]["q05"] < rows["sedation"]["q95"]


def test_the_table_and_the_figure(call, tmp_path):
    file = tmp_path / "bar.svg"
    told = call("laboratory", "bar", "--n", "20", "--design", "parallel", "--sex", "female", "--plot", file)
    assert told.code == 0, told.err
    assert "time to the first drink" in told.out
    assert told.out.count("not for treating a person") == 1
    assert file.read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    "words",
    [
        ("pub",),
        ("bar", "heroin 25 mg iv"),
        ("bar", "--design", "none"),
        ("fixed_dose", "--dose", "9"),
        ("fixed_dose", "--moderator", "zodiac"),
        ("fixed_dose", "--n", "1"),
        ("fixed_dose", "--food", "soup"),
        ("fixed_dose", "--at=-1 h"),
        ("fixed_dose", "--n", "150000", "--design", "parallel"),
    ],
)
def test_bad_input_gets_one_message(call, words):
    told = call("laboratory", *words)
    assert told.code == 2
    assert told.err.startswith("schild: ")
    assert "expected" in told.err or "Known" in told.err or "Did you mean" in told.err


def test_the_example_runs(capsys):
    runpy.run_path(str(ROOT / "examples" / "alcohol_laboratory.py"))
    told = capsys.readouterr().out
    assert told.count("drinks") == 2
