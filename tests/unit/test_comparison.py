"""Regimens in the same people: ratios within each person, curves over one another, a page, a command."""

import json
import re

import numpy as np
import pytest

import schild
from schild.cli import BAD_INPUT, main
from schild.errors import InputError, UnknownNameError
from schild.report.comparison import comparison_html
from schild.simulation import Run

TWO = {"low": "naltrexone 50 mg po", "high": "naltrexone 100 mg po"}


def rows_of(found):
    return {(row["metric"], row["arm"]): row for row in found.summary()}


def test_the_same_people_take_each_regimen():
    found = schild.compare(TWO, until="2 d", n=8, seed=3)
    low, high = found.results["low"], found.results["high"]
    assert np.array_equal(low.people()["naltrexone.cl"], high.people()["naltrexone.cl"])
    row = rows_of(found)["auc_naltrexone_ng_h_ml", "high"]
    assert (row["ratio_q05"], row["ratio"], row["ratio_q95"]) == pytest.approx((2.0, 2.0, 2.0), rel=1e-5)
    assert row["value_q05"] < row["value"] < row["value_q95"]
    assert "ratio" not in rows_of(found)["auc_naltrexone_ng_h_ml", "low"]


def test_arms_run_as_long_as_the_longest():
    found = schild.compare({"a": "naltrexone 50 mg po", "b": "naltrexone 50 mg po q24h x5"})
    assert {r["plasma_naltrexone"].time_h[-1] for r in found.results.values()} == {4 * 24 + 7 * 24.0}
    assert not found.warnings
    mixed = schild.compare({"a": Run.of(TWO["low"], until="1 d"), "b": Run.of(TWO["high"], until="2 d")})
    assert "different lengths (a 24 h, b 48 h)" in mixed.warnings[0]


def test_metrics_of_the_last_dose():
    found = schild.compare(TWO, until="2 d", nca=True, reference="high")
    assert rows_of(found)["naltrexone.AUCIFO [h*ng/mL]", "low"]["ratio"] == pytest.approx(0.5, rel=1e-3)
    assert 0.9 < rows_of(found)["mor_pet_occupancy.peak [1]", "low"]["ratio"] < 1.0


def test_drugs_that_differ_have_no_ratio():
    found = schild.compare({"a": "naltrexone 50 mg po", "b": "nalmefene 20 mg po"}, until="1 d")
    assert rows_of(found)["cmax_nalmefene_ng_ml", "b"]["ratio"] is None
    assert json.loads(found.to_json())["comparison"]


@pytest.mark.parametrize(
    ("arms", "options", "told"),
    [
        ({"a": "naltrexone 50 mg po"}, {}, "expected two or more"),
        ({"a": "naltrexone 50 mg po", " ": "naltrexone 50 mg po"}, {}, "expected words"),
        ({**TWO, "c": Run.of("naltrexone 50 mg po", seed=2)}, {}, "differ in their seed"),
        ({**TWO, "c": Run.of("naltrexone 50 mg po", population={"n": 3})}, {}, "differ in their people"),
    ],
)
def test_what_cannot_be_compared_is_refused(arms, options, told):
    with pytest.raises(InputError, match=told):
        schild.compare(arms, until="1 h", **options)


@pytest.mark.parametrize(
    "more", ["heroin 5 mg iv at 24 h", "heroin 12.5 mg iv at 48 h", "heroin 12.5 mg iv q2h x2 at 24 h"]
)
def test_doses_of_an_opioid_under_a_blockade_are_not_compared(more):
    """A table of heroin 5 against 25 mg under a tablet ranks doses against the block."""
    arms = {"a": "naltrexone 50 mg po; heroin 12.5 mg iv at 24 h", "b": f"naltrexone 50 mg po; {more}"}
    if "48 h" in more:  # the same dose, later
        assert schild.compare(arms, until="50 h").n == 1
        return
    with pytest.raises(InputError, match=r"'a' and 'b' give different doses of heroin .* can kill"):
        schild.compare(arms, until="50 h")
    with pytest.raises(InputError, match="never the dose of an opioid"):
        schild.compare({label: Run.of(words, until="50 h") for label, words in arms.items()})
    without = {label: words.partition("; ")[2] for label, words in arms.items()}
    assert schild.compare(without, until="50 h").n == 1


def test_an_unknown_reference_is_refused():
    with pytest.raises(UnknownNameError, match="arm"):
        schild.compare(TWO, reference="middle")


def test_the_figure_has_a_panel_for_each_output_and_labels_in_words():
    found = schild.compare(TWO, until="1 d")
    figure = found.plot()
    assert [axis.get_title() for axis in figure.axes][:2] == ["naltrexone", "6-beta-naltrexol"]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["low", "high"]
    with pytest.raises(UnknownNameError):
        found.plot("nothing")


def test_arms_with_doses_at_other_times_have_a_page_in_which_nothing_is_too_small_to_be_seen(tmp_path, capsys):
    arms = ("naltrexone 50 mg po q24h x3", "naloxone 0.4 mg iv q24h x2 from 1 h")
    assert main(["compare", *arms, "--until", "20d", "--nca", "--html", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    text = re.sub(r"<style.*?</style>|<svg.*?</svg>|<.*?>", " ", page, flags=re.DOTALL)
    for told in (text, capsys.readouterr().out):
        assert "below quantification" in " ".join(told.split())
        assert "&lt;0.0001" in told or "<0.0001" in told
        # Of the manifest are the tolerance and names drawn at random, such as 3305f0b-fb9e-40.
        assert set(re.findall(r"(?<![\w.-])\d[\d.]*e-\d+(?![\w-])", told)) <= {"1e-07"}


def test_the_page_escapes_what_a_user_wrote():
    page = comparison_html(schild.compare({"<b>": TWO["low"], "c": TWO["high"]}, until="6 h"))
    assert "<b>" not in page
    assert "Ratio to &lt;b&gt;" in page


def test_the_command(capsys, tmp_path):
    page = tmp_path / "page.html"
    words = ["compare", *TWO.values(), "--until", "1d", "--label", "low", "--label", "high", "--html", str(page)]
    assert main([*words]) == 0
    assert "high / low" in capsys.readouterr().out
    assert page.read_text().startswith("<!DOCTYPE html>")
    run = tmp_path / "own.toml"
    run.write_text(Run.of(TWO["high"], until="1 d").to_toml())
    assert main(["compare", TWO["low"], str(run), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["arm"] for row in found["comparison"]} == {TWO["low"], "own"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["naltrexone 50 mg po"], "expected two or more"),
        ([*TWO.values(), "--label", "a"], "expected one for each"),
        ([*TWO.values(), "--label", "a", "--label", "a"], "all different"),
        ([*TWO.values(), "--reference", "c"], "c"),
        ([TWO["low"], "nothing 5 mg po"], "nothing"),
        ([TWO["low"], "missing.toml"], "missing.toml"),
    ],
)
def test_bad_input_gets_one_message(capsys, words, told):
    assert main(["compare", *words]) == BAD_INPUT
    said = capsys.readouterr().err
    assert said.startswith("schild: ")
    assert told in said
