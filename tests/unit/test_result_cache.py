"""Results kept between calls: read again where nothing has changed, and nothing else ever trusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import schild.explanation
from schild import validation
from schild.catalog import load
from schild.cli import main
from schild.explanation import explain
from schild.explanation.answer import Outcome
from schild.result_cache import VARIABLE, ResultCache, results_folder, user_cache_folder, write_checked


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path


def one(value, *question, fresh=False):
    return ResultCache("question", *question, fresh=fresh).once("key", lambda: value)


def only(folder):
    (file,) = folder.glob("results-*/*.json")
    return file


def signed(record):
    body = json.dumps(record).encode()
    return sha256(body).hexdigest().encode() + b"\n" + body


def test_a_result_is_read_again(folder):
    assert one([0.1, 1e-300]) == [0.1, 1e-300]
    assert one("another") == [0.1, 1e-300]
    assert one("another", "asked otherwise") == "another"


def test_numbers_of_numpy_are_kept_to_the_last_digit(folder):
    one([np.float64(0.1), np.float32(0.1), np.int64(3)])
    assert one("another") == [0.1, float(np.float32(0.1)), 3.0]


def test_fresh_computes_and_keeps(folder):
    assert one(1) == 1
    assert one(2, fresh=True) == 2
    assert one(3) == 2


def test_other_code_reads_nothing_of_it(folder, monkeypatch):
    assert one(1) == 1
    monkeypatch.setattr("schild.result_cache._code", lambda: "0" * 16)
    assert one(2) == 2


def test_the_code_is_every_file_of_the_package(monkeypatch, tmp_path):
    from schild import result_cache

    monkeypatch.setattr(result_cache, "__file__", str(tmp_path / "result_cache.py"))
    found = []
    for text in ("a = 1", "a = 2"):
        (tmp_path / "numbers.toml").write_text(text)
        found.append(result_cache._code.__wrapped__())
    assert found[0] != found[1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b'{"result": 2}',
        b"0" * 64 + b'\n{"name": "x", "result": 2}',
        signed([2]),
        signed({"result": 2}),
        signed({"name": "another question", "result": 2}),
    ],
)
def test_what_is_damaged_or_foreign_is_computed_anew(folder, content):
    assert one(1) == 1
    only(folder).write_bytes(content)
    assert one(3) == 3
    assert one(4) == 3


def test_a_flipped_digit_is_seen(folder):
    one([0.125])
    file = only(folder)
    file.write_bytes(file.read_bytes().replace(b"0.125", b"0.126"))
    assert one("anew") == "anew"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")
def test_a_file_of_another_user_is_not_read(folder, monkeypatch):
    one(1)
    monkeypatch.setattr(os, "getuid", lambda: 123456)
    assert one(2) == 2


def test_a_result_of_another_shape_is_computed_anew(folder):
    one({"predicted": 1.0})
    kept = ResultCache("question")
    found = kept.once("key", lambda: Outcome(predicted=2.0), Outcome.to_plain, Outcome.of_plain)
    assert found.predicted == 2.0


def test_without_a_place_it_computes(tmp_path, monkeypatch):
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("")
    monkeypatch.setenv(VARIABLE, str(blocked))
    assert (one(1), one(2)) == (1, 2)


def test_it_can_be_switched_off(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "off")
    monkeypatch.chdir(tmp_path)
    assert results_folder() is None
    assert (one(1), one(2)) == (1, 2)
    assert not list(tmp_path.iterdir())


def test_folders_of_old_code_are_deleted(folder, monkeypatch):
    for k in range(6):
        monkeypatch.setattr("schild.result_cache._code", lambda k=k: f"{k:016x}")
        one(k)
        os.utime(results_folder(), (1000.0 * k, 1000.0 * k))
    (folder / "results of mine").mkdir()
    assert sorted(p.name for p in folder.glob("results-*")) == [f"results-{k:016x}" for k in (2, 3, 4, 5)]


def test_processes_at_once_read_whole_results(folder):
    script = (
        "import sys\nfrom schild.result_cache import ResultCache\nmine = [sys.argv[1]] * 20000\nfor k in range(60):\n"
        "    found = ResultCache('shared', fresh=k % 2 == 0).once('key', lambda: mine)\n"
        "    assert len(found) == 20000 and len(set(found)) == 1, found[:3]\n"
    )
    started = [subprocess.Popen([sys.executable, "-c", script, name]) for name in ("a", "b")]
    assert [process.wait() for process in started] == [0, 0]
    assert [p.suffix for p in results_folder().iterdir()] == [".json"]


# ---- the answer ---------------------------------------------------------------------------------------------------


@pytest.fixture
def runs(folder, monkeypatch):
    """Claims that are run, in place of running them."""
    told = []

    def run(lab, test, book):
        told.append(test.id)
        return Outcome(predicted=float(len(told)))

    monkeypatch.setattr(schild.explanation, "_run", run)
    monkeypatch.setattr(schild.explanation, "_block_table", lambda lab, book: (("Title", ("a",), (("b",),)),))
    monkeypatch.setattr(schild.explanation, "check_book", lambda book, catalogue: None)
    return told


def test_an_answer_runs_its_claims_once(runs):
    first = explain("naltrexone")
    assert len(runs) == len(first.book.tests)
    again = explain("naltrexone")
    assert len(runs) == len(first.book.tests)
    assert again.to_json() == first.to_json()


def test_a_claim_that_was_kept_needs_no_other(runs, folder):
    first = explain("naltrexone")
    next(file for file in folder.glob("results-*/*.json") if b"'M1.1'" in file.read_bytes()).unlink()
    runs.clear()
    explain("naltrexone")
    assert runs == [first.findings[0].test.id] == ["M1.1"]


def test_people_numbers_and_data_make_another_answer(runs, tmp_path):
    explain("naltrexone")
    own = tmp_path / "own.toml"
    own.write_text(load().text_of("m6g").replace("Morphine-6", "The morphine-6"), encoding="utf-8")
    for options in ({"quick": True}, {"overrides": {"m6g.cl": 1.0}}, {"catalogue": load(own)}, {"fresh": True}):
        runs.clear()
        explain("naltrexone", **options)
        assert len(runs) > 100, options


def test_the_command_computes_again_where_it_is_told(runs, capsys):
    for arguments, ran in (((), True), ((), False), (("--fresh",), True)):
        runs.clear()
        main(["explain", "naltrexone", "--json", *arguments])
        assert bool(runs) == ran
    capsys.readouterr()


def test_a_page_is_kept(runs, monkeypatch):
    pages = iter(("first", "second"))
    monkeypatch.setattr("schild.explanation.show.html_page", lambda answer: next(pages))
    assert [explain("naltrexone").to_html() for _ in range(2)] == ["first", "first"]
    assert explain("naltrexone", fresh=True).to_html() == "second"


# ---- the validation -----------------------------------------------------------------------------------------------


@pytest.fixture
def predictions(folder, monkeypatch):
    """Rows that are predicted, in place of predicting them."""
    told = []
    numbers = {"predicted": 0.1, "low": float("nan"), "high": float("inf"), "people": 7}

    def by(kind, **more):
        def predict(o, table, **_):
            told.append(o.id)
            return kind(observation=o, table=table, **numbers, **more)

        return predict

    monkeypatch.setattr(validation, "check", by(validation.Check))
    monkeypatch.setattr(validation, "state", by(validation.Statement))
    monkeypatch.setattr(validation, "state_laboratory", by(validation.LaboratoryStatement))
    monkeypatch.setattr(validation, "state_trial", by(validation.TrialStatement, single=True))
    return told


STUDIES = ("naltrexone_pet", "withdrawal_fitted", "alcohol_laboratory", "alcohol_trials")


def test_rows_are_predicted_once(predictions):
    first = validation.validate(*STUDIES)
    rows = sum(len(load().studies[key].observations) for key in STUDIES)
    assert len(predictions) == rows == len(validation.observations(first))
    again = validation.validate(*reversed(STUDIES))
    assert len(predictions) == rows
    for name in ("checks", "withdrawal", "laboratory", "trials"):
        shown = [sorted(map(repr, getattr(found, name))) for found in (first, again)]
        assert shown[0] == shown[1]
        assert shown[0]


def test_a_row_is_told_as_soon_as_its_study_is_done(predictions):
    lines, steps = [], []
    validation.validate(*STUDIES, tell=lines.append, progress=lambda *at: steps.append((*at, len(lines))))
    assert [line.partition(":")[0] for line in lines] == list(STUDIES)
    assert lines[0].startswith(f"naltrexone_pet: {len(load().studies['naltrexone_pet'].observations)} rows, ")
    assert steps[-1][:2] == (len(predictions), len(predictions))
    assert steps[-1][2] == len(STUDIES) - 1


def test_quick_seed_and_fresh_predict_again(predictions):
    validation.validate("naltrexone_pet")
    for options in ({"quick": True}, {"seed": 2}, {"fresh": True}):
        predictions.clear()
        validation.validate("naltrexone_pet", **options)
        assert predictions, options


def test_a_user_without_a_home_keeps_nothing_and_gets_every_answer(monkeypatch):
    def home():
        raise RuntimeError("Could not determine home directory.")

    for name in (VARIABLE, "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", home)
    with pytest.raises(OSError, match="null"):
        user_cache_folder().mkdir(parents=True)
    assert one(1) == 1
    assert one(2) == 2


def test_an_interrupt_leaves_no_half_written_file(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_checked(tmp_path / "file", b"body")
    assert not list(tmp_path.iterdir())
