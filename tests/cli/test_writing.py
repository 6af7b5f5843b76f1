"""Files that commands write: found out before the run, written whole or not at all."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from schild.cli.console import writable, write
from schild.errors import InputError


def test_a_file_is_written_with_its_folder_and_nothing_beside_it(tmp_path):
    place = tmp_path / "new" / "page.html"
    write(place, "one\n")
    write(place, b"two\n")
    assert place.read_bytes() == b"two\n"
    assert list(place.parent.iterdir()) == [place]


def test_a_write_that_fails_leaves_the_earlier_file(tmp_path, monkeypatch):
    place = tmp_path / "page.html"
    write(place, "earlier")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
        write(place, "later")
    assert place.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.skipif(os.name != "posix", reason="modes and links of Unix")
def test_mode_and_link_of_an_earlier_file_stay(tmp_path):
    place, link = tmp_path / "page.html", tmp_path / "link.html"
    write(place, "earlier")
    fresh = tmp_path / "fresh"
    fresh.touch()
    assert stat.S_IMODE(place.stat().st_mode) == stat.S_IMODE(fresh.stat().st_mode)
    place.chmod(0o600)
    link.symlink_to(place)
    write(link, "later")
    assert link.is_symlink()
    assert place.read_text() == "later"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_what_is_no_file_is_found_before_the_run(tmp_path):
    file = tmp_path / "file"
    file.touch()
    places = [tmp_path, file / "inside.html", tmp_path / ("x" * 300)]
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "loop").symlink_to("loop")
        places += [tmp_path / "pipe", tmp_path / "loop"]
    for place in places:
        with pytest.raises(InputError, match="cannot be written"):
            writable(None, place)
        with pytest.raises(InputError, match="cannot be written"):
            write(place, "x")


def test_looking_leaves_no_file(tmp_path):
    writable(tmp_path / "page.html", None)
    assert not list(tmp_path.iterdir())


LONG = {
    "simulate": ("naltrexone 50 mg po", "--until", "1 h"),
    "explain": ("naltrexone",),
    "validate": (),
    "trial": ("examples/alcohol_oral_50mg.toml",),
    "rescue": ("--opioid", "fentanyl 1.625 mg iv"),
    "compare": ("naltrexone 50 mg po", "naltrexone 100 mg po"),
    "challenge": ("naltrexone 50 mg po", "--agonist", "heroin 10 mg iv", "--at", "1 h"),
    "laboratory": ("bar", "naltrexone 50 mg po"),
    "plan": (),
    "curves": ("naltrexone", "--agonist", "morphine"),
    "fit": ("data.csv",),
    "check": ("examples/nonmem_levels.csv",),
    "fit-levels": ("examples/nonmem_levels.csv", "--free", "naltrexone.cl"),
    "forecast": ("naltrexone 50 mg po", "--level", "5 ng/mL at 2 h"),
    "coverage": ("naltrexone 50 mg po q24h x3",),
    "sensitivity": ("naltrexone 50 mg po", "--metric", "auc_naltrexone_ng_h_ml"),
}

#: Commands that share their options: the person's data, the seed, and what is written.
SHARED = ("simulate", "compare", "check", "fit-levels", "forecast", "coverage", "sensitivity", "plan", "challenge")
OPTIONS = [
    *((name, "--html") for name in ("explain", "validate", "trial", "rescue", "laboratory", *SHARED)),
    *((name, "--plot") for name in ("laboratory", "rescue", "curves", "fit", *SHARED)),
    *((name, "--out") for name in SHARED),
]


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=map(" ".join, OPTIONS))
def test_an_unwritable_place_is_found_before_anything_runs(call, tmp_path, examples, monkeypatch, command, option):
    monkeypatch.chdir(examples.parent)
    file = tmp_path / "file"
    file.touch()
    told = call(command, *LONG[command], option, file / "inside.svg")
    assert told.code == 2
    assert "inside.svg" in told.err
    assert "cannot be written" in told.err
    assert told.out == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")  # noqa: PTH110
def test_a_device_is_no_place_for_a_page(call):
    told = call("explain", "naltrexone", "--html", "/dev/full", "--quick")
    assert (told.code, told.out) == (2, "")
    assert "device" in told.err


def test_a_disk_that_fills_during_the_run_costs_the_page_and_not_the_answer(call, tmp_path, monkeypatch):
    import schild.cli.options as command

    def full(*_):
        raise InputError("the disk is full")

    monkeypatch.setattr(command, "write", full)
    told = call("simulate", "naltrexone 50 mg po", "--until", "1 h", "--plot", tmp_path / "plot.svg")
    assert told.code == 2
    assert "naltrexone" in told.out


#: What makes a run of each short.
SHORT = {
    "compare": ("--until", "1 h"),
    "forecast": ("--n", "20", "--until", "4 h"),
    "coverage": ("--n", "3", "--missed", "0"),
    "sensitivity": ("--n", "0", "--until", "6 h", "--number", "naltrexone.cl"),
    "plan": ("--n", "10", "--uncertainty", "1", "--target", "0.6"),
}


@pytest.mark.parametrize("command", SHARED)
def test_every_command_takes_the_shared_options(call, tmp_path, examples, monkeypatch, command):
    monkeypatch.chdir(examples.parent)
    own = Path(__file__).parents[1] / "data" / "overlay" / "exantagonist.toml"
    page, out = tmp_path / "page.html", tmp_path / "out"
    words = (command, *LONG[command], *SHORT.get(command, ()), "--catalogue", own, "--seed", "7")
    told = call(*words, "--json", "--html", page, "--out", out)
    assert told.code == 0, told.err
    found = json.loads(told.out)
    assert found["manifest"]
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "<script" not in text
    assert {"report.html", "summary.json", "figure.svg"} < {path.name for path in out.iterdir()}
    assert json.loads((out / "summary.json").read_text(encoding="utf-8"))["manifest"] == found["manifest"]
    assert call(*words, "--json").out == told.out
