"""The page on adaptation: its commands run, and its table is what the model gives."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from schild.simulation import Run, simulate_run

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "adaptation.md").read_text(encoding="utf-8")
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("schild ")
]
ROWS = re.findall(r"^\| (\S+ \S+ mg \S+ q\d+h) \|(.*)\|$", PAGE, re.MULTILINE)


def peak(use: str, days: float) -> float:
    past = {"history": f"{use} for 60 d stopped {days:g} d"}
    run = Run.of("naltrexone 50 mg po", subject=past, until="1 d", every="10 min", outputs=["cows"])
    return float(simulate_run(run, warn=False)["cows"].values.max())


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_page(call, tmp_path, monkeypatch, line):
    words = [str(ROOT / w) if w.startswith("examples/") else w for w in shlex.split(line)[1:]]
    monkeypatch.chdir(tmp_path)
    told = call(*words)
    assert told.code == 0, told.err
    assert told.out


def test_the_table_is_what_the_model_gives():
    assert len(ROWS) == 4
    for use, cells in ROWS:
        shown = [cell.strip() for cell in cells.split("|")]
        found = [f"{peak(use, days):.1f}" for days in (0.5, 1, 3, 7, 14)]
        assert shown == found, f"| {use} | {' | '.join(found)} |"


RISES = re.findall(r"^\| (\S+ \S+ mg \S+ q\d+h), (\d+) h \|(.*)\|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("use", "hours", "cells"), RISES)
def test_the_rise_after_buprenorphine_is_what_the_model_gives(use, hours, cells):
    past = {"history": f"{use} for 60 d stopped {hours} h"}
    found = []
    for dose in (2, 8, 16):
        words, head = f"buprenorphine {dose} mg sl at 1 min", {"until": "121 min", "every": "1 min"}
        score = simulate_run(Run.of(words, subject=past, outputs=["cows"], **head), warn=False)["cows"].values[0]
        found.append(score.max() - score[0])
    shown = [float(cell) for cell in cells.split("|")]
    assert shown == pytest.approx([score[0], *found], abs=0.051)


RIVALS = {"response_two_state": 0, "response_stress": 1}


def cells_of(row: str) -> list[str]:
    """Return the cells of both mechanisms in a row of the table of rivals."""
    found = re.search(rf"^\| {re.escape(row)} \| ([^|]+) \| ([^|]+) \|", PAGE, re.MULTILINE)
    assert found, row
    return [cell.strip() for cell in found.groups()]


@pytest.mark.parametrize("mechanism", RIVALS)
def test_the_table_of_two_mechanisms_is_what_they_give(mechanism):
    def course(use: str, *words: str, stopped: str = "0 h", every: str = "1 h", until: str = "40 d"):
        past = {"history": f"{use} for 60 d stopped {stopped}"}
        run = Run.of(*words, subject=past, until=until, every=every, outputs=["cows"], adaptation=mechanism)
        return simulate_run(run, warn=False, plain_grid=True)["cows"].values[0]

    def shown(row: str) -> str:
        return cells_of(row)[RIVALS[mechanism]]

    heroin, methadone = course("heroin 25 mg iv q6h"), course("methadone 100 mg po q24h")
    buprenorphine = course("buprenorphine 16 mg sl q24h")
    assert shown("heroin stopped: peak") == f"{heroin.max():.1f} points at {heroin.argmax()} h"
    assert shown("heroin stopped: below 1 point") == f"day {(heroin >= 1).nonzero()[0][-1] / 24:.1f}"
    begun = (methadone >= 5).nonzero()[0]
    assert shown("methadone 100 mg stopped: 5 points") == (f"{begun[0]} h" if begun.size else "never")
    assert shown("methadone 100 mg stopped: below 1 point") == f"day {(methadone >= 1).nonzero()[0][-1] / 24:.1f}"
    assert shown("buprenorphine 16 mg stopped: peak") == f"{buprenorphine.max():.1f} points"
    for use in ("heroin 25 mg iv q6h", "methadone 100 mg po q24h"):
        after = course(use, "naltrexone 50 mg po", stopped="12 h", every="10 min", until="3 d")
        row = f"naltrexone 50 mg, 12 h after {use.split()[0]}: peak"
        assert shown(row) == f"{after.max():.1f} points at {after.argmax() / 6:.1f} h"


def test_the_page_shows_rises():
    assert len(RISES) == 6


def highest(file: str, *doses: str) -> float:
    run = Run.from_toml(ROOT / "examples" / file)
    if doses:
        run = Run.parse({**run.model_dump(exclude_unset=True), "dose": list(doses)})
    return float(simulate_run(run, warn=False)["cows"].values.max())


def test_what_the_page_says_of_its_examples():
    assert highest("low_dose_induction.toml") < 0.5 * highest("low_dose_induction.toml", "naltrexone 50 mg po q24h")
    taper = Run.from_toml(ROOT / "examples" / "methadone_taper.toml")
    stopped = Run.parse({**taper.model_dump(exclude_unset=True), "dose": []})
    assert highest("methadone_taper.toml") < simulate_run(stopped, warn=False)["cows"].values.max()
    plain = Run.from_toml(ROOT / "examples" / "buprenorphine_after_methadone.toml")
    alone = Run.parse({**plain.model_dump(exclude_unset=True, exclude={"dose"}), "run": {"until": "1 d"}})
    assert highest("buprenorphine_after_methadone.toml") > simulate_run(alone, warn=False)["cows"].values.max() + 1


@pytest.mark.parametrize("stopped", ["6 h", "24 h"])
def test_buprenorphine_after_heroin_relieves_as_the_page_admits(stopped):
    past = {"history": f"heroin 25 mg iv q6h for 60 d stopped {stopped}"}
    head = {"until": "1 d", "every": "10 min", "outputs": ["cows"], "subject": past}
    with_, without = (
        simulate_run(Run.of(*words, **head), warn=False, plain_grid=True)["cows"].values
        for words in (("buprenorphine 8 mg sl",), ())
    )
    assert (with_ - without).max() < 1.0
