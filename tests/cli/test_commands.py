"""Each command does what it says, in this process."""

from __future__ import annotations

import csv
import json
import os
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from schild.catalog import load
from schild.cli.console import _Lines
from schild.simulation import Run, simulate, simulate_run

CASES = Path(__file__).parents[1] / "data" / "cases"
CONTRACT = {"manifest", "outputs", "metrics", "warnings", "cite"}
WEEK = "naltrexone 50 mg po q24h x7"
COMMANDS = ("explain", "simulate", "validate", "drugs", "import", "export", "schema", "doctor", "bench", "cite")


# --------------------------------------------------------------------------------------------------------- help


def test_without_a_command_help_lists_every_command(call):
    told = call()
    assert told.code == 0
    assert told.err == ""
    for name in COMMANDS:
        assert f" {name} " in told.out
    assert "For research and education, not for treating a person." in told.out
    assert "Exit status: 0 done, 1 a check failed or a target was not reached, 2 bad input." in told.out
    assert call("--help").out == told.out


@pytest.mark.parametrize("words", [(name,) for name in COMMANDS] + [("import", "nonmem"), ("export", "sbml")])
def test_every_command_has_help_with_each_option_explained(call, words):
    told = call(*words, "--help")
    assert told.code == 0
    assert told.out.startswith("Usage: schild " + " ".join(words))
    assert "Parameters\n" not in told.out
    assert "----" not in told.out, "a docstring was not parsed"


def test_help_of_simulate_names_its_options(call):
    told = call("simulate", "--help").out
    options = "until every n uncertainty seed structure weight liver crcl out json dry-run plot"
    for option in options.split():
        assert f"--{option} " in told
    assert "--no-json" not in told


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rescue", "--opioid STR One regimen of one opioid"),
        ("rescue", 'By default none and "naloxone 4 mg in".'),
        ("rescue", "One of clock, two_pass, hazard, none."),
        ("fit-levels", "One of uncertainty, people, none."),
        ("induction", "--n INT People. --weight"),
        ("challenge", "Earlier use of an opioid, in both runs"),
        ("sensitivity", "A metric of schild simulate --json"),
    ],
)
def test_help_made_from_a_verb_says_what_the_command_line_needs(call, name, said):
    told = " ".join(call(name, "--help").out.replace("│", " ").replace("`", "").split())
    assert said in told
    if name == "rescue":
        assert told.index("--opioid STR") < told.index("--antagonist STR")


def test_version(call):
    from schild import __version__

    assert call("--version") == (0, f"schild {__version__}\n", "")


# ----------------------------------------------------------------------------------------------------- simulate


def test_summary_reads_the_result_aloud_and_says_once_what_it_is_for(call):
    told = call("simulate", WEEK, "--until", "8d")
    assert told.code == 0
    assert told.err == ""
    assert "In this person, naltrexone in plasma peaks at" in told.out
    for word in (
        "peak",
        "trough",
        "[ng/mL]",
        "area [ng h/mL]",
        "above 90 % for",
        "beta_naltrexol",
        "mor",
        "kor",
        "dor",
    ):
        assert word in told.out
    assert told.out.count("not for treating a person") == 1


def test_json_holds_the_contract_and_nothing_else(call):
    told = call("simulate", WEEK, "--until", "1d", "--every", "6h", "--json")
    assert told.code == 0
    assert told.err == ""
    data = json.loads(told.out)
    assert set(data) == CONTRACT
    plasma = data["outputs"]["plasma_naltrexone"]
    assert set(plasma) == {"unit", "time_h", "value"}
    assert plasma["unit"] == "ng/mL"
    assert {0.0, 6.0, 12.0, 18.0, 24.0} <= set(plasma["time_h"])
    assert max(plasma["value"]) == pytest.approx(data["metrics"]["cmax_naltrexone_ng_ml"])
    assert data["manifest"]["regimens"] == ["naltrexone 50 mg oral q24h x7"]


def test_json_of_a_population_has_quantiles(call):
    told = call(
        "simulate", "naltrexone 50 mg po", "--until", "6h", "--every", "3h", "--n", "8", "--seed", "3", "--json"
    )
    data = json.loads(told.out)
    assert set(data["outputs"]["mor_pet_occupancy"]) == {"unit", "time_h", "q05", "q25", "q50", "q75", "q95"}
    assert set(data["metrics"]["cmax_naltrexone_ng_ml"]) == {"q05", "q25", "q50", "q75", "q95"}
    assert data["manifest"]["seed"] == 3
    again = call("simulate", "naltrexone 50 mg po", "--until", "6h", "--every", "3h", "--n", "8", "--seed", "3",
                 "--threads", "1", "--json")  # fmt: skip
    assert again.out == told.out


def test_uncertainty_alone_is_the_typical_person_under_many_parameters(call):
    told = call("simulate", "naltrexone 50 mg po", "--until", "2h", "--uncertainty", "3", "--json")
    data = json.loads(told.out)
    assert data["manifest"]["subjects"] == 3
    assert "median_q05" in data["outputs"]["plasma_naltrexone"]


def test_dry_run_prints_the_events_and_nothing_else(call):
    told = call("simulate", "naltrexone 50 mg po q24h x3 skip 2", "--dry-run")
    assert told.code == 0
    assert told.err == ""
    lines = told.out.splitlines()
    assert [line.split()[0] for line in lines] == ["time", "0", "2"]
    assert "naltrexone" in lines[1]
    data = json.loads(call("simulate", "naltrexone 50 mg po q24h x3 skip 2", "--dry-run", "--json").out)
    assert [row["time"] for row in data["events"]] == ["0 h", "2 d"]


def test_out_writes_every_file_and_the_run_repeats_it(call, tmp_path):
    place = tmp_path / "deep" / "folder"
    words = ("simulate", "naltrexone 50 mg po", "--until", "4h", "--every", "1h", "--weight", "60 kg", "--seed", "9")
    told = call(*words, "--out", place)
    assert told.code == 0
    files = {path.name for path in place.iterdir()}
    assert {"report.html", "result.csv", "summary.json", "figure.svg", "figure.png", "run.toml"} <= files
    data = json.loads((place / "summary.json").read_text(encoding="utf-8"))
    assert set(data) == CONTRACT
    rows = list(csv.DictReader(StringIO((place / "result.csv").read_text(encoding="utf-8"))))
    assert list(rows[0]) == ["time_h", "output", "unit", "value"]
    assert len(rows) == sum(len(output["time_h"]) for output in data["outputs"].values())
    assert (place / "figure.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert (place / "figure.png").read_bytes()[:4] == b"\x89PNG"

    second = tmp_path / "again"
    assert call("simulate", place / "run.toml", "--out", second).code == 0
    for name in sorted(files):
        assert (second / name).read_bytes() == (place / name).read_bytes(), f"{name} differs"


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_plot_writes_a_figure(call, tmp_path, kind):
    file = tmp_path / f"figure.{kind}"
    assert call("simulate", "naltrexone 50 mg po", "--until", "4h", "--plot", file).code == 0
    assert file.stat().st_size > 1000


def test_options_win_over_the_run_file(call, examples):
    file = examples / "naltrexone_week.toml"
    data = json.loads(call("simulate", file, "--until", "1d", "--every", "12h", "--weight", "90 kg", "--json").out)
    assert [t for t in data["outputs"]["plasma_naltrexone"]["time_h"] if t % 6 == 0] == [0.0, 12.0, 24.0]
    assert data["manifest"]["title"] == "50 mg by mouth, every day for a week"
    many = json.loads(call("simulate", file, "--until", "1d", "--every", "12h", "--n", "3", "--json").out)
    assert many["manifest"]["subjects"] == 3


def test_options_reach_the_model(call):
    def last(*options):
        words = ("simulate", "naltrexone 50 mg po", "--until", "1d", "--every", "1d", "--json", *options)
        told = call(*words)
        assert told.code == 0, told.err
        return json.loads(told.out)["outputs"]

    plain = last()["mor_pet_occupancy"]["value"][-1]
    assert last("--structure", "plasma_equilibrium")["mor_pet_occupancy"]["value"][-1] != plain
    by_name = last("--structure", "naltrexone=plasma_equilibrium")["mor_pet_occupancy"]["value"][-1]
    assert by_name == last("--structure", "plasma_equilibrium")["mor_pet_occupancy"]["value"][-1]
    assert last("--liver", "severe")["mor_pet_occupancy"]["value"][-1] != plain
    assert last("--without", "beta_naltrexol")["mor_pet_occupancy"]["value"][-1] < plain
    assert not any(name.endswith("_tone") for name in last("--no-tone"))
    assert set(last("--outputs", "mor_free, plasma_naltrexone")) == {"mor_free", "plasma_naltrexone"}
    assert not any(name.startswith("kor") for name in last("--receptors", "mor"))


def test_words_with_brackets_are_not_markup(call, tmp_path):
    told = call(
        "simulate", "naltrexone 50 mg po", "--until", "1h", "--title", "[/bold] [red]x", "--out", tmp_path / "[b]"
    )
    assert told.code == 0
    assert "[/bold] [red]x" in told.out
    assert "[b]" in told.out


def test_warnings_come_first(call):
    told = call("simulate", "morphine 10 mg iv", "naloxone 0.4 mg iv at 1 h", "--until", "2h")
    assert told.code == 0, told.err
    data = json.loads(call("simulate", "morphine 10 mg iv", "naloxone 0.4 mg iv at 1 h", "--until", "2h", "--json").out)
    lines = told.out.splitlines()
    for warning in data["warnings"]:
        assert warning.split(".")[0][:60] in told.out
        assert lines[0].startswith("Warning: ")


def test_subjects_that_fail_are_a_failed_check(call, monkeypatch):
    import dataclasses

    import schild.simulation as package

    whole = package.simulate_run

    def broken(run, **options):
        result = whole(run, **options)
        return dataclasses.replace(result, status=result.status + 2, warnings=("1 of 1 subjects could not be solved.",))

    monkeypatch.setattr(package, "simulate_run", broken)
    told = call("simulate", "naltrexone 50 mg po", "--until", "1h")
    assert told.code == 1
    assert told.out.startswith("Warning: 1 of 1 subjects could not be solved.")
    assert "could not be solved, so there is nothing to read" in told.out


# -------------------------------------------------------------------------------------------------------- guard


def test_an_agonist_above_published_challenges_is_refused(call):
    told = call("simulate", "naltrexone 50 mg po", "heroin 500 mg iv at 1 d", "--until", "2d")
    assert told.code == 2
    assert told.out == ""
    assert "heroin 500 mg iv at 24 h while an antagonist acts" in told.err
    assert "can kill" in told.err


@pytest.mark.parametrize("extra", [("--json",), ("--dry-run",)])
def test_no_way_around_the_refusal(call, extra):
    assert call("simulate", "naltrexone 50 mg po", "heroin 500 mg iv at 1 d", "--until", "2d", *extra).code == 2


def test_the_same_agonist_alone_is_simulated(call):
    assert call("simulate", "heroin 25 mg iv", "--until", "2h").code == 0


# ----------------------------------------------------------------------------------------------------- catalogue


def test_drugs_lists_the_catalogue(call):
    told = call("drugs")
    assert told.code == 0
    for key in load().drugs:
        assert key in told.out
    assert set(json.loads(call("drugs", "--json").out)["drugs"]) == set(load().drugs)


def test_one_drug_with_the_source_of_each_number(call):
    told = call("drugs", "naltrexone")
    assert told.code == 0
    assert "Dunbar2007" in told.out
    data = json.loads(call("drugs", "ntx", "--json").out)
    assert data["key"] == "naltrexone"
    assert all("value" in number for number in data["numbers"].values())


def test_audit_passes_and_a_finding_is_a_failed_check(call, monkeypatch):
    from schild.catalog import audit as module

    whole = module.audit(load())
    good = module.Audit(findings=(), counts=whole.counts)
    monkeypatch.setattr(module, "audit", lambda *_: good)
    told = call("drugs", "--audit")
    assert told.code == 0
    assert "No findings" in told.out
    assert json.loads(call("drugs", "--audit", "--json").out)["ok"] is True

    finding = module.Finding(kind="unit", where="drugs/x.toml", message="no unit")
    monkeypatch.setattr(module, "audit", lambda *_: module.Audit(findings=(finding,), counts=whole.counts))
    told = call("drugs", "--audit")
    assert told.code == 1
    assert "no unit" in told.out


# ------------------------------------------------------------------------------------------------------ exchange


def test_import_prints_a_run_file_that_simulates(call, examples, tmp_path):
    words = ("import", "nonmem", examples / "nonmem_table.csv", "--cmt", "1=naltrexone oral", "--unit", "mg")
    told = call(*words)
    assert told.code == 0
    assert "DV" in told.err
    file = tmp_path / "run.toml"
    file.write_text(told.out, encoding="utf-8")
    assert [dose.to_words() for dose in Run.from_toml(file).doses] == [
        "naltrexone 50 mg oral q24h x7",
        "naltrexone 100 mg oral q2d x3 from 7 d",
    ]
    for spelling in ("1=naltrexone:oral", "1 = naltrexone, oral", "1=naltrexone/oral"):
        assert call(*words[:3], "--cmt", spelling, *words[5:]).out == told.out
    written = tmp_path / "out" / "run.toml"
    assert call(*words, "--out", written).code == 0
    assert written.read_text(encoding="utf-8") == told.out

    dry = call(*words, "--dry-run").out
    assert sum(not line.startswith("Note: ") for line in dry.splitlines()) == 1 + 7 + 3
    assert "Note: Columns that are not read, as they say nothing of what is given: DV." in dry
    data = json.loads(call(*words, "--simulate", "--until", "1d", "--json").out)
    assert set(data) == {*CONTRACT, "notes"}
    assert any("DV" in note for note in data["notes"])
    assert any("DV" in note for note in json.loads(call(*words, "--dry-run", "--json").out)["notes"])


def test_observation_times_of_a_table_are_output_times(call):
    table = CASES / "nonmem" / "obs.csv"
    words = ("import", "nonmem", table, "--drug", "naltrexone", "--route", "po", "--unit", "mg")
    data = json.loads(call(*words, "--simulate", "--json").out)
    assert {0.37, 1.13, 7.9, 30.2} <= set(data["outputs"]["plasma_naltrexone"]["time_h"])
    cut = json.loads(call(*words, "--simulate", "--json", "--until", "20h").out)
    assert {0.37, 1.13, 7.9} == {0.37, 1.13, 7.9, 30.2} & set(cut["outputs"]["plasma_naltrexone"]["time_h"])
    assert "Observation times before 0 or after the end, which are left out: 1." in cut["notes"]


@pytest.mark.parametrize(
    ("table", "times"),
    [
        ("TIME,AMT,EVID,TIMEUNIT\n0,50,1,d\n0.1,.,0,d\n1.7,.,0,d\n", {2.4, 40.8}),  # in days
        ("TIME,AMT,MDV\n0,50,1\n0.05,.,0\n9.99,.,0\n", {0.05, 9.99}),  # said by MDV
        ("TIME,AMT\n08:00,50\n09:30,.\n20:00,25\n", {1.5}),  # clock times
        ("TIME,AMT,EVID,CMT\n0,50,1,1\n24,.,0,2\n24,50,1,1\n", {24.0}),  # at the time of a dose
    ],
)
def test_observation_times_are_kept_in_every_form(call, tmp_path, table, times):
    path = tmp_path / "table.csv"
    path.write_text(table, encoding="utf-8")
    words = ("import", "nonmem", path, "--drug", "naltrexone", "--route", "po", "--unit", "mg")
    told = call(*words, "--simulate", "--json")
    plasma = json.loads(told.out)["outputs"]["plasma_naltrexone"]
    assert times <= {round(t, 9) for t in plasma["time_h"]}
    assert told.code == 0


def test_observation_times_stand_in_runs_of_populations():
    run = Run.of(
        "naltrexone 50 mg po at 1 h", until="8 h", every="4 h", observe=["37 min", "1 h", "4 h"], population={"n": 3}
    )
    output = simulate_run(run)["plasma_naltrexone"]
    assert set(np.round(output.time_h, 6)) >= {round(37 / 60, 6), 1.0, 4.0, 8.0}
    assert (output.at("37 min") == 0).all()
    assert len(set(output.time_h)) == len(output.time_h)


def test_import_leaves_out_a_column_only_when_told(call, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("TIME,AMT,TAU\n0,50,24\n", encoding="utf-8")
    words = ("import", "nonmem", table, "--drug", "naltrexone", "--route", "po", "--unit", "mg")
    assert "Rename it II if it is" in call(*words).err
    assert "--drop 'TAU'" in call(*words).err
    assert "naltrexone 50 mg oral" in call(*words, "--drop", "tau").out


def test_import_runs_at_least_to_the_last_row(call, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("TIME,AMT,EVID\n0,50,1\n1000,0,0\n", encoding="utf-8")
    out = call("import", "nonmem", table, "--drug", "naltrexone", "--route", "po", "--unit", "mg").out
    assert 'until = "1000 h"' in out


def test_import_takes_one_person_of_several(call, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("ID,TIME,AMT,CMT\n7,0,50,1\n8,0,100,1\n", encoding="utf-8")
    words = ("import", "nonmem", table, "--cmt", "1=naltrexone oral", "--unit", "mg")
    assert "naltrexone 100 mg oral" in call(*words, "--id", "8").out
    told = call(*words)
    assert told.code == 2
    assert "2 persons (7, 8)" in told.err
    assert "--id" in told.err
    assert "expected a person" in call(*words, "--id", "9").err


# --------------------------------------------------------------------------------------------------------- tools


def test_schema_is_json_schema_of_the_run_file(call):
    told = call("schema", "run")
    assert told.code == 0
    schema = json.loads(told.out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert set(schema["properties"]) == {"run", "subject", "population", "dose", "numbers"}


def test_doctor_finds_everything_needed(call):
    told = call("doctor", "--json")
    data = json.loads(told.out)
    # Whether the catalogue holds is the catalogue's own test.
    assert [e for e in data["findings"] if e["state"] == "fails" and e["name"] != "audit"] == []
    assert told.code == (0 if data["ok"] else 1)
    names = {entry["name"] for entry in data["findings"]}
    assert {"schild", "python", "numba", "sbml", "io", "threads", "audit", "first run", "compiled code"} <= names
    assert call("doctor").code == told.code


def test_doctor_says_why_numba_compiles(call, monkeypatch):
    monkeypatch.setattr("schild.engine.portable.is_native", lambda name: False)
    assert "no code for this machine and these sources, so Numba" in " ".join(call("doctor", "--json").out.split())
    monkeypatch.setenv("SCHILD_ENGINE", "numba")
    assert "SCHILD_ENGINE is numba, so Numba compiles" in " ".join(call("doctor", "--json").out.split())


def test_doctor_says_what_an_absent_extra_adds_and_that_a_needed_part_is_missing(call, monkeypatch):
    from schild.cli import tools

    have = tools._version
    monkeypatch.setattr(tools, "_version", lambda name: None if name in ("pyarrow", "rich") else have(name))
    told = call("doctor")
    assert told.code == 1
    assert "schild[io]" in told.out
    assert "Parquet" in told.out
    assert "Something does not work" in told.out


def test_cite(call):
    assert "@software{schild" in call("cite").out
    told = call("cite", "naltrexone 50 mg po")
    assert told.code == 0
    assert told.out.strip() == simulate("naltrexone 50 mg po", until="1 h").cite()


@pytest.mark.slow
def test_bench_times_runs(call):
    data = json.loads(call("bench", "--json").out)
    assert all(entry["seconds"] > 0 for entry in data["runs"])
    assert "make bench" in call("bench").out


# ------------------------------------------------------------------------------------------------------- answers


class Answer:
    ok = True

    def to_text(self, console, *, everything=False):
        console.print("the answer")

    def to_html(self):
        return "<!doctype html><p>the answer</p>"

    def to_json(self):
        return '{"claims": []}'


@pytest.mark.parametrize("words", [("explain", "naltrexone"), ("validate",)])
@pytest.mark.parametrize("ok", [True, False])
def test_answers_are_shown_and_their_verdict_is_the_exit_code(call, tmp_path, monkeypatch, words, ok):
    asked = []

    def answer(*given, **options):
        asked.append((given, options))
        found = Answer()
        found.ok = ok
        return found

    monkeypatch.setattr(
        {"explain": "schild.explanation.explain", "validate": "schild.validation.validate"}[words[0]], answer
    )
    page = tmp_path / "deep" / "page.html"
    told = call(*words, "--html", page)
    assert told.code == (0 if ok else 1)
    assert "the answer" in told.out
    assert page.read_text(encoding="utf-8") == Answer().to_html()
    assert call(*words, "--json").out == '{"claims": []}\n'
    assert asked[0][0] == words[1:]


def test_explain_asks_for_a_drug_the_catalogue_has(call):
    told = call("explain", "naltrexon")
    assert told.code == 2
    assert "'naltrexone'" in told.err


def test_the_command_line_keeps_linear_algebra_to_one_thread(call, monkeypatch):
    names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    for name in names:
        monkeypatch.setenv(name, "4")
    monkeypatch.delenv(names[0])
    call("drugs")
    assert [os.environ[name] for name in names] == ["1", "4", "4"]


def test_the_time_left_is_counted_after_the_first_piece(capsys, monkeypatch):
    # The first piece compiled the engine for 27 s: the other 215 were said to take 5,904 s.
    clock = iter((0.0, 27.0, 28.0, 55.0))
    monkeypatch.setattr("schild.cli.console.time.monotonic", lambda: next(clock))
    lines = _Lines("claims")
    for done in (1, 2, 109):
        lines(done, 216)
    assert capsys.readouterr().err.splitlines() == ["claims: 1 of 216", "claims: 109 of 216, about 28 s left"]
