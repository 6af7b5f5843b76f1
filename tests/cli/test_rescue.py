"""``schild rescue``: the table, the published table, files, and what is refused."""

from __future__ import annotations

import json

import pytest

FEW = ("rescue", "--opioid", "fentanyl 1.625 mg iv", "--n", "24")


def test_a_table(call):
    told = call(*FEW, "--delay", "60 s, 180 s")
    assert told.code == 0, told.err
    assert told.out.startswith("Warning: An exposure like this can kill")
    assert "naloxone 4 mg in" in told.out.replace("\n", " ") or "naloxone 4" in told.out
    assert told.out.count("naloxone programmes") == 1
    assert told.out.count("not for treating a person") == 1
    assert "published kinetics" in told.out


def test_the_json_object(call):
    told = call(
        *FEW, "--antagonist", "none", "--antagonist", "naloxone 2 mg iv", "--tolerance", "naive,chronic", "--json"
    )
    assert told.code == 0, told.err
    data = json.loads(told.out)
    assert set(data) == {"manifest", "arrest", "comparisons", "warnings", "cite"}
    assert {"regimen", "percent", "low", "high", "n"} <= set(data["arrest"][0])
    assert [(r["regimen"], r["tolerance"]) for r in data["arrest"]] == [
        ("none", "naive"),
        ("naloxone 2 mg iv", "naive"),
        ("none", "chronic"),
        ("naloxone 2 mg iv", "chronic"),
    ]


def test_files(call, tmp_path):
    place, page, figure = tmp_path / "out", tmp_path / "page.html", tmp_path / "course.png"
    told = call(*FEW, "--out", place, "--html", page, "--plot", figure, "--rescue-breathing", "from 2 min to 10 min")
    assert told.code == 0, told.err
    assert sorted(f.name for f in place.iterdir()) == ["arrest.csv", "figure.svg", "report.html", "summary.json"]
    assert page.read_text(encoding="utf-8") == (place / "report.html").read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "fentanyl 1.625 mg iv" in text
    assert figure.stat().st_size > 10_000
    assert (place / "arrest.csv").read_text(encoding="utf-8").startswith("regimen,delay,tolerance,percent")


def test_the_published_table_from_one_command(call, tmp_path):
    told = call("rescue", "--published", "--n", "8", "--html", tmp_path / "p.html")
    assert told.code == 0, told.err
    assert " of 77 percentages differ by more than 3 points" in " ".join(told.out.split())
    assert "IN4mg_x2_150s" in told.out
    assert "Mann2022" in told.out
    rows = [
        line for line in told.out.splitlines() if "iv" not in line and ("Chaturbedi2024" in line or "Mann2022" in line)
    ]
    missed = ["miss" in row for row in rows]
    assert missed == sorted(missed, reverse=True)
    data = json.loads(call("rescue", "--published", "--n", "8", "--json").out)
    assert len(data["arrest"]) == 77


def test_a_history_shows_withdrawal(call):
    told = call("rescue", "--opioid", "fentanyl 1.625 mg iv", "--n", "8", "--history", "morphine 30 mg po q6h for 60 d",
                "--tolerance", "model")  # fmt: skip
    assert told.code == 0, told.err
    assert "COWS" in told.out
    assert "receptor module" in told.out


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), ("No opioid", "--published")),
        (("--opioid", "fentanyl 1 mg iv; fentanyl 2 mg iv"), ("one stated exposure",)),
        (("--opioid", "fentanyl 1 mg iv", "--opioid", "fentanyl 2 mg iv"), ("--opioid",)),
        (("--opioid", "naltrexone 50 mg po"), ("antagonist", "opioid agonist")),
        (("--opioid", "fentanyl"), ("expected",)),
        (("--opioid", "fentanyl 1 mg iv", "--antagonist", "heroin 1 mg iv"), ("'heroin 1 mg iv'", "antagonist")),
        (("--opioid", "fentanyl 1 mg iv", "--delay", "soon"), ("'soon'",)),
        (("--opioid", "fentanyl 1 mg iv", "--delay", ","), ("--delay", "commas")),
        (("--opioid", "fentanyl 1 mg iv", "--tolerance", "high"), ("'high'", "naive, chronic, model")),
        (("--opioid", "fentanyl 1 mg iv", "--tolerance", "model"), ("history",)),
        (("--opioid", "fentanyl 1 mg iv", "--n", "1.5"), ("1.5",)),
        (("--opioid", "fentanyl 1 mg iv", "--n", "0"), ("n is 0",)),
        (("--opioid", "fentanyl 1 mg iv", "--seed", "-1"), ("-1",)),
        (("--opioid", "fentanyl 1 mg iv", "--threads", "0"), ("--threads",)),
        (("--opioid", "fentanyl 1 mg iv", "--altitude", "high"), ("'high'", "2500 m")),
        (("--opioid", "fentanyl 1 mg iv", "--altitude", "9000 m"), ("6000",)),
        (("--opioid", "fentanyl 1 mg iv", "--lung", "asthma"), ("'asthma'", "dead space")),
        (("--opioid", "fentanyl 1 mg iv", "--oxygen", "from 1 min to 2 min"), ("share",)),
        (("--opioid", "fentanyl 1 mg iv", "--rescue-breathing", "yes"), ("'yes'", "from 2 min")),
        (("--opioid", "fentanyl 1 mg iv", "--weight", "10 kg"), ("weight_kg", "30")),
        (("--opioid", "fentanyl 1 mg iv", "--plot", "x.gif"), (".svg",)),
        (("--opioid", "heroin 250 mg iv", "--antagonist", "naltrexone 50 mg po at -12 h"), ("can kill",)),
        (("--published", "--opioid", "fentanyl 1 mg iv"), ("--published",)),
        (("--published", "--n", "0"), ("n is 0",)),
    ],
)
def test_bad_input(call, words, names):
    told = call("rescue", *words)
    assert told.code == 2, told
    assert told.out == ""
    assert told.err.startswith("schild: ")
    assert "Traceback" not in told.err
    for name in names:
        assert name in told.err, told.err
