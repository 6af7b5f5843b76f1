"""Commands of the three tools: fit and curves, structure, plan."""

from __future__ import annotations

import json

import pytest

COMMANDS = ("fit", "curves", "structure", "plan")
QUICK = ("--n", "40", "--uncertainty", "2")


def test_help_lists_the_tools(call):
    told = call("--help").out
    for name in COMMANDS:
        assert f" {name} " in told


@pytest.mark.parametrize("name", COMMANDS)
def test_every_tool_has_help_with_each_option_explained(call, name):
    told = call(name, "--help")
    assert told.code == 0
    assert told.out.startswith(f"Usage: schild {name}")
    assert "Parameters\n" not in told.out
    assert "----" not in told.out
    assert "overcome" not in told.out


# ---------------------------------------------------------------------------------------------------------- fit


def test_fit_says_numbers_ratios_and_tests(call, examples, tmp_path):
    figure = tmp_path / "schild.svg"
    told = call("fit", examples / "schild_curves.csv", "--plot", figure)
    assert told.code == 0
    assert told.err == ""
    for words in ("pA2", "Schild slope", "pKB (slope 1)", "Dose ratios", "A slope of 1 is not rejected", "parallel"):
        assert words in told.out
    assert "mathdefault" not in figure.read_text(encoding="utf-8"), "a label is shown as its source"
    first = figure.read_bytes()
    assert first.startswith(b"<?xml")
    call("fit", examples / "schild_curves.csv", "--plot", figure)
    assert figure.read_bytes() == first


@pytest.mark.parametrize(
    ("words", "table"), [(("fit", "schild_curves.csv"), "estimates.csv"), (("ledger",), "ledger.csv")]
)
def test_what_rests_on_no_run_leaves_the_files_of_other_commands(call, examples, tmp_path, words, table):
    told = call(words[0], *(examples / word for word in words[1:]), "--out", tmp_path / "out")
    assert told.code == 0, told.err
    assert {"report.html", "summary.json", table} <= {p.name for p in (tmp_path / "out").iterdir()}
    assert "Sources of the numbers" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_fit_json(call, examples):
    data = json.loads(call("fit", examples / "schild_curves.csv", "--json").out)
    assert set(data) >= {"manifest", "estimates", "dose_ratios", "tests", "regression", "warnings", "cite"}
    assert data["estimates"]["pa2"]["value"] == pytest.approx(9, abs=0.1)
    assert data["units"] == {"antagonist": "M", "agonist": "M"}


def test_dose_ratios_are_known_by_their_column(call, examples):
    told = call("fit", examples / "schild_dose_ratios.csv", "--molar-mass", "377.86")
    assert told.code == 0
    assert "antinociception" in told.out
    assert "8.16" in told.out
    data = json.loads(call("fit", examples / "schild_dose_ratios.csv", "--json").out)
    assert data["unit"] == "mg/kg"
    assert set(data["regression"]) >= {"all", "morphine antinociception"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nothing.csv",), "is not a file"),
        (("schild_curves.csv", "--agonist-unit", "uM"), "by its header"),
        (("schild_curves.csv", "--slope", "-1"), "slope is held at -1"),
        (("schild_curves.csv", "--slope", "1e308"), "slope is held at 1e+308"),
        (("schild_curves.csv", "--bottom", "nan"), "bottom is held at nan"),
        (("schild_curves.csv", "--top", "inf"), "top is held at inf"),
        (("schild_curves.csv", "--bottom", "100", "--top", "0"), "a top above the bottom"),
        (("schild_curves.csv", "--plot", "figure.txt"), "ends in .svg, .png or .pdf"),
        (("schild_dose_ratios.csv", "--slope", "1"), "--slope was given, but"),
        (("naltrexone_week.toml",), "lacks the columns antagonist, agonist, response"),
    ],
)
def test_bad_tables_are_refused_in_words(call, examples, words, says):
    told = call("fit", examples / words[0], *words[1:])
    assert told.code == 2, told
    assert told.out == ""
    assert says in told.err
    assert "Traceback" not in told.err


# ------------------------------------------------------------------------------------------------------- curves


def test_curves_at_equilibrium_and_in_a_challenge(call):
    told = call("curves", "naltrexone", "--agonist", "morphine", "--levels", "1, 10").out
    assert "slope 1.000, pA2 0.000" in told
    slow = call("curves", "naltrexone 50 mg po", "--agonist", "morphine", "--at", "24 h, 48 h",
                "--structure", "slow_receptor")  # fmt: skip
    assert slow.code == 0
    assert "occupied by the antagonist" in " ".join(slow.out.split())
    assert "Schild fit" not in slow.out, "a falling maximum has no pA2"
    data = json.loads(call("curves", "naltrexone", "--agonist", "morphine", "--json").out)
    assert set(data) >= {"manifest", "curves", "agonist_over_kd", "response"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("morphine", "--agonist", "morphine"), "expected an antagonist"),
        (("naltrexone", "--agonist", "naloxone"), "no binding as an agonist"),
        (("naltrexone", "--agonist", "morphine", "--levels", "a"), "--levels is 'a'"),
        (("naltrexone", "--agonist", "morphine", "--contact", "1 h"), "Times, a contact or a structure were given"),
        (("naltrexone 50 mg po", "--agonist", "morphine", "--at", "4 h", "--levels", "1"), "Levels were given, but"),
        (("naltrexone 50 mg po", "--agonist", "morphine", "--at", "1 h,,2 h"), "--at is"),
        (("naltrexone", "--agonist", "morphine", "--plot", "x"), ".svg"),
    ],
)
def test_bad_curves(call, words, says):
    told = call("curves", *words)
    assert told.code == 2, told
    assert says in told.err


# ---------------------------------------------------------------------------------------------------- structure


def test_structure(call, tmp_path):
    drawing = tmp_path / "s.svg"
    told = call("structure", "naltrexone", "oxymorphone", "naloxone", "nalorphine", "nalmefene", "--svg", drawing)
    assert told.code == 0
    assert "Shared scaffold: 4,5-epoxymorphinan." in told.out
    assert "N-cyclopropylmethyl" in told.out
    assert drawing.read_text(encoding="utf-8").startswith("<?xml")
    data = json.loads(call("structure", "naltrexone", "naloxone", "--json").out)
    assert data["differences"] == {"N": {"naltrexone": "cyclopropylmethyl", "naloxone": "allyl"}}
    assert "nalorphine" in call("structure", "--list").out
    assert call("structure", "fentanyl", "naltrexone").code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "No compound was named"),
        (("naltrexon",), "'naltrexone'"),
        (("naltrexone", "--svg", "x.gif"), ".svg or .png"),
        (("naltrexone", "naltrexone"), "named twice"),
    ],
)
def test_bad_structures(call, words, says):
    told = call("structure", *words)
    assert told.code == 2, told
    assert says in told.err


# --------------------------------------------------------------------------------------------------------- plan


def test_plan(call, tmp_path):
    figure = tmp_path / "plan.png"
    told = call("plan", "--target", "0.7", "--plot", figure, *QUICK)
    assert told.code == 0, told.err
    text = " ".join(told.out.split())
    for words in (
        "70 % of mu receptors for 4 h in 90 % of people",
        "tablet",
        "A session may begin",
        "Occupancy stays below 5 %",
        "can then kill",
        "not for treating a person",
    ):
        assert words in text
    assert figure.read_bytes()[:4] == b"\x89PNG"
    data = json.loads(call("plan", "--target", "0.7", "--json", *QUICK).out)
    assert set(data) == {"manifest", "plan", "outputs", "warnings", "cite"}
    assert data["plan"]["units"] == data["plan"]["dose_mg"] / 50


def test_a_plan_that_cannot_be_met_leaves_with_1(call):
    told = call("plan", "--target", "0.97", "--hold", "3 d", *QUICK)
    assert told.code == 1
    assert "not reached" in told.out
    assert (
        json.loads(call("plan", "--target", "0.97", "--hold", "3 d", "--json", *QUICK).out)["plan"]["ready_h"] is None
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--drug", "heroin"), ("--drug", "morphine"), ("--drug", "fentanyl"), ("--drug", "naltrexone + heroin"),
        ("--drug", "naltrexone", "--agonist", "heroin"), ("--opioid", "fentanyl 1 mg iv"), ("--against", "naltrexone"),
        ("--overcome",), ("--surmount",), ("--drug", "heroin 500 mg iv against naltrexone 50 mg po"),
    ],
)  # fmt: skip
def test_nothing_about_overcoming_a_block_is_planned(call, words):
    told = call("plan", *words)
    assert told.code == 2
    assert told.out == ""
    assert told.err.count("schild plans antagonists only") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--target", "2"), "target is 2.0"),
        (("--hold", "soon"), "soon"),
        (("--receptor", "nop"), "'nop'"),
        (("--route", "smoked"), "route"),
        (("--drug", "aspirin"), "'aspirin'"),
        (("--weight", "70"), "70"),
        (("--plot", "figure"), ".svg"),
        (("--n", "1.5"), "1.5"),
    ],
)
def test_bad_plans(call, words, says):
    told = call("plan", *words)
    assert told.code == 2, told
    assert says in told.err
    assert "bug" not in told.err


def test_markup_of_a_user_is_text(call, examples, tmp_path):
    table = tmp_path / "curves.csv"
    text = (examples / "schild_curves.csv").read_text(encoding="utf-8")
    table.write_text(text.replace("replicate", "curve").replace(",a\n", ",[/a]\n"), encoding="utf-8")
    told = call("fit", table, "--title", "[/x] [bold]", "--response-unit", "[/y]")
    assert told.code == 0, told.err
    assert "[/x] [bold]" in told.out
    assert "[/y]" in told.out
    assert "[/a]" in told.out


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.zip", b"PK\x03\x04not really", "compressed (zip"),
        ("x.gz", b"\x1f\x8bnot really", "compressed (gzip)"),
        ("x.xz", b"\xfd7zXZ\x00", "compressed (xz)"),
        ("x.zst", b"\x28\xb5\x2f\xfd", "compressed (zstd)"),
        ("y.zip", b"plain text", "lacks the columns"),
        ("x.tar", b"a\0b" * 400, "zero bytes"),
    ],
)
@pytest.mark.parametrize("command", [("fit",), ("import", "nonmem")])
def test_files_that_are_no_plain_text_are_refused(call, tmp_path, command, name, content, says):
    file = tmp_path / name
    file.write_bytes(content)
    told = call(*command, file)
    assert told.code == 2, told
    assert says in told.err or (name == "y.zip" and "no column TIME" in told.err) or "no rows" in told.err


def test_more_levels_than_anyone_reads_are_refused_at_once(call):
    told = call("curves", "naltrexone", "--agonist", "morphine", "--levels", ",".join(map(str, range(9000))))
    assert told.code == 2
    assert "9,000 levels were given; expected at most 50" in told.err
