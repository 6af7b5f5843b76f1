"""The registry of outputs: a new effect is data only, and whatever shows a result knows no names."""

import json
import re
import shutil
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

import schild.catalog
from schild import simulate_run
from schild.catalog import load
from schild.cli.summary import show_result
from schild.report.simulation import simulation_html
from schild.simulation.output import GROUPS, concentration_words
from schild.simulation.registry import schema
from schild.simulation.runfile import Run

ITCH = """
[itch]
name = "itch, 0 to 10"
unit = "points"
form = "rise"
slope = "slope"
range = "range"
noise = "noise"
says = "An invented effect of a test."
[itch.reserve]
mor = "reserve"
[itch.number.reserve]
same_as = "liking:reserve"
note = "Invented."
[itch.number.slope]
same_as = "liking:slope"
note = "Invented."
[itch.number.noise]
same_as = "liking:noise"
note = "Invented."
[itch.number.range]
unit = "points"
chosen = "assumed"
[[itch.number.range.value]]
key = "assumed"
value = 10.0
basis = "assumed"
source = "schild"
locator = "no data"
verified = "derived"
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalogue") / "data"
    shutil.copytree(Path(schild.catalog.__file__).parent / "data", folder)
    effects = folder / "effects.toml"
    effects.write_text(effects.read_text(encoding="utf-8") + ITCH, encoding="utf-8")
    return load(folder)


def test_a_new_effect_in_the_data_is_simulated_printed_drawn_and_in_the_schema(catalogue):
    run = Run.of("morphine 10 mg iv", until="6 h")
    result = simulate_run(run, catalogue=catalogue, warn=False)
    assert result["itch"].unit == "points"
    assert 0 < result["itch"].value.max() < 10

    text = StringIO()
    show_result(result, Console(file=text, width=120))
    row = next(line for line in text.getvalue().splitlines() if "itch, 0 to 10" in line)
    assert f"{result['itch'].value.max():.3g}" in row

    drawn = result.plot("itch")
    assert [t.get_text() for t in drawn.axes[0].get_legend().get_texts()] == ["itch, 0 to 10"]
    assert "itch, 0 to 10" in simulation_html(result)
    assert "^itch$" in schema(catalogue)["patternProperties"]


@pytest.mark.parametrize(
    ("regimens", "options"),
    [
        (("naltrexone 50 mg po", "heroin 25 mg iv at 6 h"), {"receptors": ["mor", "kor", "dor", "mor_gut"]}),
        (("ethanol 40 g po",), {}),
        (("morphine 10 mg iv",), {"adaptation": True}),
    ],
)
def test_every_output_is_in_the_schema_with_its_unit_and_has_words(regimens, options):
    result = simulate_run(Run.of(*regimens, until="8 h", **options), warn=False)
    known = schema(load())["patternProperties"]
    for name, entry in json.loads(result.to_json())["outputs"].items():
        fitting = [pattern for pattern in known if re.fullmatch(pattern, name)]
        assert len(fitting) == 1, name
        assert known[fitting[0]]["properties"]["unit"]["const"] == entry["unit"]
        kind = result[name].kind
        assert kind.words
        assert not re.search(r"[<>_]", kind.words), kind
        assert kind.group in GROUPS


def test_the_schema_of_outputs_is_printed(call):
    told = call("schema", "outputs")
    assert told.code == 0
    assert "^cows$" in json.loads(told.out)["patternProperties"]


def test_a_level_that_no_assay_could_see_is_said_to_be_so(call):
    assert concentration_words(5.54e-217) == "below quantification"
    told = call("simulate", "heroin 25 mg iv", "--until", "10d")
    assert told.code == 0, told.err
    assert "below quantification" in told.out
    assert not re.search(r"\de-\d\d", told.out)


def test_the_table_the_file_and_the_figure_have_the_same_peak(call, tmp_path):
    regimen = "heroin 25 mg iv at 3.2 h"
    told = call("simulate", regimen, "--until", "10d", "--out", tmp_path)
    assert told.code == 0, told.err
    assert re.search(r"heroin +│ +2,440 │ +3.2 h", told.out)
    rows = pd.read_csv(tmp_path / "result.csv", comment="#")
    peak = rows.value[rows.output == "plasma_heroin"].max()
    assert peak == pytest.approx(2444.8, abs=0.1)
    result = simulate_run(Run.of(regimen, until="10d"))
    assert result.metrics["cmax_heroin_ng_ml"] == pytest.approx(peak, rel=1e-9)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "below quantification" in page
    text = re.sub(r"<style.*?</style>|<svg.*?</svg>|<.*?>", " ", page, flags=re.DOTALL)
    assert re.findall(r"\S*\de-\d\d\S*", text) == ["1e-07"]  # the tolerance, in the manifest
    panel = result.plot("plasma_heroin").axes[0]
    assert max(max(line.get_ydata()) for line in panel.lines) == pytest.approx(peak, rel=1e-9)
