"""``schild ledger``: a prediction is frozen once, its result is entered once, and what was changed does not count."""

import json
import re
import shlex
from pathlib import Path
from shutil import copytree

import pytest

from schild.cli.console import write
from schild.validation.ledger import add
from webpage import check_self_contained

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "examples" / "studies" / "planned_challenge.toml"
PAGE = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    place = tmp_path_factory.mktemp("frozen") / "ledger"
    for path, text in add(STUDY, place).items():
        write(path, text)
    return place


@pytest.fixture
def folder(frozen, tmp_path):
    return Path(copytree(frozen, tmp_path / "ledger"))


def entries(call, folder):
    return {e["id"]: e for e in json.loads(call("ledger", "--in", folder, "--json").out)["entries"]}


def test_released_results_and_what_counts(call):
    data = json.loads(call("ledger", "--json").out)
    assert [e["id"] for e in data["entries"] if e["counts"]] == ["schuh1999_25mg", "schuh1999_100mg"]
    assert {e["study"] for e in data["entries"] if e["reason"] == "numbers were fitted to this study"} == {
        "Webster2011"
    }
    (score,) = data["scores"]
    assert (score["field"], score["inside"], score["results"]) == ("liking", 2, 2)
    assert score["width"] == pytest.approx(0.738, abs=0.001)


def test_a_result_is_judged_by_the_prediction_before_it(call, folder):
    waiting = entries(call, folder)["liking_48h"]
    assert waiting["result"] is None
    assert not waiting["counts"]
    assert call("ledger", "enter", "Planned2027", "liking_48h", "0.99", "--se", "0.01", "--in", folder).code == 0
    assert call("ledger", "enter", "Planned2027", "peak", "2.5", "--in", folder).code == 0
    found = entries(call, folder)
    liking, peak = found["liking_48h"], found["peak"]
    assert liking["low"] < liking["predicted"] < liking["high"] < 0.99
    assert (liking["inside"], liking["counts"]) == (False, True)
    assert liking["fold"] == pytest.approx((0.01 + 0.05) / (1 - liking["predicted"] + 0.05))
    assert peak["fold"] == pytest.approx(2.5 / peak["predicted"])
    assert peak["inside"] is False
    assert {k: liking[k] for k in ("predicted", "low", "high")} == {k: waiting[k] for k in ("predicted", "low", "high")}


def test_a_prediction_that_was_changed_does_not_count(call, folder):
    assert call("ledger", "enter", "Planned2027", "peak", "20", "--in", folder).code == 0
    assert entries(call, folder)["peak"]["counts"]
    file = folder / "Planned2027.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"high": ', '"high": 9'), encoding="utf-8")
    entry = entries(call, folder)["peak"]
    assert not entry["counts"]
    assert "changed" in entry["reason"]


def test_nothing_is_frozen_or_entered_twice(call, folder):
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    again = call("ledger", "add", STUDY, "--in", folder)
    assert again.code == 2
    assert "never replaced" in again.err
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert call("ledger", "enter", "Planned2027", "peak", "20", "--in", folder).code == 0
    twice = call("ledger", "enter", "Planned2027", "peak", "21", "--in", folder)
    assert twice.code == 2
    assert "entered once" in twice.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("enter", "Nobody2027", "x", "0.5"), "Planned2027 liking_48h"),
        (("enter", "Planned2027", "peak", "nan"), "finite"),
        (("enter", "Planned2027", "peak", "1", "--bound", "about"), "at least"),
        (("enter", "Planned2027", "peak", "1", "--se", "0"), "above 0"),
    ],
)
def test_what_cannot_be_entered_is_refused(call, folder, words, says):
    told = call("ledger", *words, "--in", folder)
    assert told.code == 2
    assert says in told.err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("n = 12", "block = 0.9"), "block"),  # a result has no place here
        (('study = "Planned2027"', 'study = "../x"'), "letters"),
        (('without = "heroin 25 mg iv at 48 h"', ""), "without"),
        (('id = "peak"', 'id = "liking_48h"'), "once"),
        (("heroin 25 mg iv at 48 h", "heroin 250 mg iv at 48 h"), "250"),  # the guard holds here too
    ],
)
def test_a_file_of_a_study_is_checked(call, tmp_path, change, says):
    text = STUDY.read_text(encoding="utf-8")
    assert change[0] in text
    file = tmp_path / "x.toml"
    file.write_text(text.replace(*change), encoding="utf-8")
    told = call("ledger", "add", file, "--in", tmp_path / "ledger")
    assert told.code == 2, told.out
    assert says in told.err
    assert not (tmp_path / "ledger").exists()


def test_a_damaged_ledger_is_refused(call, tmp_path, folder):
    (folder / "Planned2027.json").write_text("{}", encoding="utf-8")
    assert "not a frozen prediction" in call("ledger", "--in", folder).err
    (folder / "ledger.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert "not the index" in call("ledger", "--in", folder).err
    assert call("ledger", "--in", tmp_path / "none").code == 2


def test_the_page(call, tmp_path):
    page = tmp_path / "ledger.html"
    assert call("ledger", "--html", page).code == 0
    text = page.read_text(encoding="utf-8")
    check_self_contained(text)
    assert "schuh1999_25mg" in text
    assert "1999" in text


def test_the_commands_of_the_docs_run(call, tmp_path, monkeypatch):
    lines = [line for line in re.findall(r"^schild ledger.*$", PAGE, re.MULTILINE)]
    assert len(lines) == 3
    monkeypatch.chdir(tmp_path)
    for line in lines:
        words = [str(ROOT / w) if w.startswith("examples/") else w for w in shlex.split(line)[1:]]
        assert call(*words).code == 0, line
