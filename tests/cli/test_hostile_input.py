"""What nobody means to write: markup and formulas in names, files that choke a parser, numbers beyond any sense."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

MARKS = ("[/x][bold red]\\[/ :smile:", "$\\frac{1$ x_$%", "\x1b[2J\x07<b>&amp;")

CURVES = "curve,antagonist [nM],agonist [nM],response\n" + "".join(
    f"{name},{b},{a},{100 * a / (a + 10 * (1 + b / 5))}\n"
    for name, b in (("none", 0), ("NAME", 30))
    for a in (1, 3, 10, 30, 100, 300, 1000)
)
TRIAL = """
disorder = "alcohol"
[trial]
n = 4
weeks = 4
[[arm]]
name = {name}
drug = "naltrexone"
amount = "50 mg"
[[arm]]
name = "placebo"
placebo = true
"""


@pytest.mark.parametrize("mark", MARKS[:2])
def test_markup_and_formulas_in_the_names_of_a_fit_are_shown_as_written(call, tmp_path, mark):
    (tmp_path / "data.csv").write_text(CURVES.replace("NAME", mark), encoding="utf-8")
    figure = tmp_path / "figure.svg"
    told = call("fit", tmp_path / "data.csv", "--title", mark, "--response-unit", mark, "--plot", figure)
    assert told.code == 0, told.err
    assert mark in told.out
    assert figure.read_text(encoding="utf-8").count(mark) >= 2


@pytest.mark.parametrize("mark", ["".join(MARKS), *(pytest.param(mark, marks=pytest.mark.slow) for mark in MARKS)])
def test_markup_and_formulas_in_the_title_of_a_run_are_shown_as_written(call, tmp_path, mark):
    run = tmp_path / "run.toml"
    run.write_text(
        f'[run]\ntitle = {json.dumps(mark)}\nuntil = "2 h"\nevery = "1 h"\noutputs = ["plasma_naltrexone"]\n'
        '[[dose]]\nregimen = "naltrexone 50 mg po"\n',
        encoding="utf-8",
    )
    told = call("simulate", run, "--plot", tmp_path / "figure.svg", "--out", tmp_path / "out")
    assert told.code == 0, told.err
    assert "\x1b" not in told.out
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert not {"\x1b", "\x07"} & set(page)
    ElementTree.parse(tmp_path / "figure.svg")


@pytest.mark.slow
@pytest.mark.parametrize("mark", MARKS)
def test_markup_and_formulas_in_the_name_of_an_arm_are_shown_as_written(call, tmp_path, mark):
    (tmp_path / "trial.toml").write_text(TRIAL.format(name=json.dumps(mark)), encoding="utf-8")
    told = call("trial", tmp_path / "trial.toml", "--out", tmp_path / "out")
    assert told.code == 0, told.err
    assert "\x1b" not in told.out
    assert not {"\x1b", "\x07"} & set((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))


NESTED = {
    "lists": "a = " + "[" * 3000 + "]" * 3000,
    "tables": "a = " + "{a = " * 3000 + "1" + "}" * 3000,
    "keys": ".".join("a" * 2000) + " = 1",
    "digits": "a = 0x" + "f" * 5000,
    "fewer digits": "role = 1" + "9" * 320,
}


@pytest.mark.parametrize("case", NESTED)
@pytest.mark.parametrize("command", [("simulate", "FILE"), ("cite", "FILE"), ("drugs", "--catalogue", "FILE")])
def test_toml_that_chokes_a_parser(call, tmp_path, command, case):
    file = tmp_path / "x.toml"
    file.write_text(NESTED[case] + "\n", encoding="utf-8")
    told = call(*(str(file) if word == "FILE" else word for word in command))
    assert (told.code, told.out) == (2, "")
    assert told.err.count("schild: ") == 1
    assert "x.toml" in told.err
    assert any(says in told.err for says in ("nested too deeply", "more than 20 parts", "a number of 250 digits"))


@pytest.mark.parametrize(
    ("mass", "says"),
    [
        ("0", "above 0"), ("-5", "above 0"), ("nan", "above 0"), ("inf", "above 0"),
        ("377.9", "the antagonist is in nM"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", [(), ("--json",)])
def test_a_molar_mass_that_is_none_or_that_nothing_needs(call, tmp_path, mass, says, how):
    (tmp_path / "data.csv").write_text(CURVES, encoding="utf-8")
    told = call("fit", tmp_path / "data.csv", f"--molar-mass={mass}", *how)
    assert (told.code, told.out) == (2, "")
    assert says in told.err


@pytest.mark.parametrize("case", ["digits", "letters", "columns", "header", "quote"])
@pytest.mark.parametrize(
    ("command", "head", "row"),
    [
        (("import", "nonmem", "FILE", "--cmt", "1=naltrexone oral", "--unit", "mg"), "TIME,AMT,CMT,ID", "0,50,1"),
        (("fit", "FILE"), "antagonist [nM],agonist [nM],response,curve", "0,1,2"),
        (("fit", "FILE"), "antagonist [nM],dose_ratio,series", "10,3"),
    ],
)
def test_tables_with_cells_beyond_any_sense(call, tmp_path, command, head, row, case):
    head, row = {
        "digits": (head, f"{row},{'9' * 5000}"),
        "letters": (head, f"{row},{'x' * 200_000}"),
        "columns": (head + ",x" * 100_000, row + ",1" * 100_000),
        "header": (f"{head},{'A' * 1_000_000}", row),
        "quote": (head, f'{row},"' + "\n1,2,3,4" * 30_000),
    }[case]
    (tmp_path / "x.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    told = call(*(str(tmp_path / "x.csv") if word == "FILE" else word for word in command))
    assert (told.code, told.out) == (2, "")
    assert "x.csv, line" in told.err
    assert len(told.err) < 600


def test_a_word_beyond_any_sense_is_shown_short(call):
    for words in (
        ("import", "nonmem", "x.csv", "--cmt", f"{'9' * 5000}=naltrexone oral"),
        ("simulate", f"naltrexone {'9' * 5000} mg po"),
        ("simulate", "naltrexone 50 mg po", "--until", f"{'9' * 5000} d"),
        ("drugs", "x" * 5000),
    ):
        told = call(*words)
        assert (told.code, told.out) == (2, "")
        assert len(told.err) < 900, told.err


@pytest.mark.parametrize(
    "rows",
    [
        [(f"t{k // 20}", k // 10 % 2 * 5, 10.0 ** (k % 10)) for k in range(4000)],
        [("t", k % 25, 1 + k % 1000) for k in range(10_000)],
        [("t", k % 300, 1 + k) for k in range(3000)],
    ],
)
def test_fits_that_would_take_hours(call, tmp_path, rows):
    lines = [f"{tissue},{b},{a},{a / (a + 10 * (1 + b))}" for tissue, b, a in rows]
    (tmp_path / "x.csv").write_text(
        "tissue,antagonist [nM],agonist [nM],response\n" + "\n".join(lines), encoding="utf-8"
    )
    told = call("fit", tmp_path / "x.csv")
    assert (told.code, told.out) == (2, "")
    assert "expected responses times curves squared of at most 4,000,000" in told.err


def test_work_of_the_other_commands_is_bounded_too(call):
    for words, says in (
        (
            ("rescue", "--opioid", "fentanyl 1.6 mg iv", "--delay", ", ".join(f"{k} s" for k in range(1, 900))),
            "1,000,000",
        ),
        (("curves", "naltrexone", "--agonist", "morphine", "--levels", ",".join(map(str, range(51)))), "at most 50"),
        (("curves", "naltrexone", "--agonist", "morphine", "--levels", "1,1e-300"), "1e-9"),
        (("export", "sbml", "naltrexone 1 mg po q1h x10000"), "expected at most"),
        (("laboratory", "bar", "--n", "1000000000"), "expected at most"),
        (("plan", "--drug", "naltrexone", "--target", "0.9", "--n", "1000000000"), "1000000"),
    ):
        told = call(*words)
        assert (told.code, told.out) == (2, ""), words
        assert says in told.err, told.err


@pytest.mark.slow
def test_a_plan_that_is_not_reached_leaves_with_one_and_the_help_says_so(call):
    told = call("plan", "--drug", "naltrexone", "--target", "0.999", "--n", "20")
    assert told.code == 1, told.err
    assert "not reached" in told.out
    assert "a target was not reached" in call("plan", "--help").out


@pytest.mark.parametrize("place", ["x" * 300, "MANY"])
def test_overlays_that_are_no_folder_of_data(call, tmp_path, monkeypatch, place):
    monkeypatch.setattr("schild.catalog.files.MAX_ITEMS", 10)
    for k in range(20):
        (tmp_path / f"{k}.txt").touch()
    told = call("drugs", "--catalogue", str(tmp_path) if place == "MANY" else place)
    assert (told.code, told.out) == (2, "")
    assert "more than 10 files" in told.err if place == "MANY" else "File name too long" in told.err


def test_a_letter_that_the_font_lacks_is_no_error(call, tmp_path):
    for kind in ("svg", "png"):
        file = tmp_path / f"figure.{kind}"
        told = call("simulate", "naltrexone 50 mg po", "--until", "1 d", "--title", "\ud7ff$\\frac{1$", "--plot", file)
        assert told.code == 0, told.err
        assert file.stat().st_size > 1000
    curves = tmp_path / "curves.csv"
    curves.write_text("antagonist [nM],dose_ratio\n1,1.2\n10,3\n100,21\n", encoding="utf-8")
    told = call("fit", curves, "--title", "\ud7ff", "--plot", tmp_path / "fit.svg")
    assert told.code == 0, told.err
