"""Bad input: exit code 2 and one message that names what was given and what is expected; never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

GOOD = '[[dose]]\nregimen = "naltrexone 50 mg po"\n'
TABLE = ("import", "nonmem")
CMT = ("--cmt", "1=naltrexone oral", "--unit", "mg")


@pytest.fixture
def refused(call):
    """Run a command that must be refused, and give its message."""

    def run(*words: object, names: tuple[str, ...]) -> str:
        told = call(*words)
        assert told.code == 2, told
        assert told.out == ""
        assert told.err.startswith("schild: ")
        assert told.err.count("schild: ") == 1
        assert told.err.endswith("\n")
        assert "Traceback" not in told.err
        assert "bug" not in told.err
        for name in names:
            assert name in told.err, told.err
        return told.err

    return run


@pytest.mark.parametrize(
    ("words", "names"),
    [
        # what is given
        ((), ("Nothing to simulate", "run file or regimens")),
        (("",), ("empty", "expected")),
        (("naltrexon 50 mg po",), ("'naltrexon'", "'naltrexone'")),
        (("aspirin 100 mg po",), ("'aspirin'", "Known")),
        (("naltrexone 50 mg smoked",), ("'smoked'", "oral")),
        (("naltrexone 50 mg up",), ("'up'", "oral, iv, im_depot")),
        (("beta_naltrexol 50 mg po",), ("'oral'", "iv")),
        (("mam 1 mg iv",), ("6-monoacetylmorphine", "none")),
        (("endogenous 1 mg iv",), ("'iv'", "none")),
        (("naltrexone -50 mg po",), ("'-50 mg'", "positive")),
        (("naltrexone 0 mg po",), ("'0 mg'", "positive")),
        (("naltrexone 50 po",), ("'50'", "no unit")),
        (("naltrexone 50 mL po",), ("'mL'", "expected")),
        (("naltrexone nan mg po",), ("'nan'", "expected an amount")),
        (("naltrexone inf mg po",), ("'inf'", "expected")),
        (("naltrexone 1e999 mg po",), ("1e999", "expected")),
        (("naltrexone 50 mg po x7",), ("x7", "q24h")),
        (("naltrexone 50 mg po q0h",), ("q0h", "above 0")),
        (("naltrexone 50 mg citrate po",), ("citrate", "hydrochloride")),
        (("naltrexone 50 mg po q24h x99999999",), ("99999999", "20000")),
        (("naltrexone 50 mg po q1us",), ("expected",)),
        (("naltrexone", "50", "mg", "po"), ("'naltrexone 50 mg po'", "quotes")),
        (("naltrexone 50 mg po", "reset at nowhere"), ("nowhere", "expected")),
        (("reset at 1 d",), ("No dose", "at least one")),
        # how long and how fine
        (("naltrexone 50 mg po at 3 d", "--until", "1d"), ("24 h", "longer")),
        (("naltrexone 50 mg po", "--until", "0h"), ("'0h'", "after 0")),
        (("naltrexone 50 mg po", "--until=-1h"), ("'-1h'", "after 0")),
        (("naltrexone 50 mg po", "--until", "14"), ("'14'", "unit")),
        (("naltrexone 50 mg po", "--until", "soon"), ("'soon'", "expected")),
        (("naltrexone 50 mg po", "--until", "nan h"), ("nan", "expected")),
        (("naltrexone 50 mg po", "--until", "9999 y"), ("9999 y", "expected")),
        (("naltrexone 50 mg po", "--every", "0h"), ("'0h'", "above 0")),
        (("naltrexone 50 mg po", "--every", "0"), ("'0'", "unit")),
        (("naltrexone 50 mg po", "--every", "1s", "--until", "99d"), ("'1s'", "at most")),
        # who
        (("naltrexone 50 mg po", "--n", "0"), ("population.n", "given 0")),
        (("naltrexone 50 mg po", "--n", "-5"), ("population.n", "given -5")),
        (("naltrexone 50 mg po", "--n", "1000000000"), ("population.n", "1000000000")),
        (("naltrexone 50 mg po", "--n", "1000000"), ("1,000,000 subjects", "at most")),
        (("naltrexone 50 mg po", "--n", "many"), ("--n", "'many'", "whole number")),
        (("naltrexone 50 mg po", "--n", "nan"), ("--n", "'nan'")),
        (("naltrexone 50 mg po", "--n", "9" * 5000), ("--n",)),
        (("naltrexone 50 mg po", "--uncertainty", "-1"), ("uncertainty", "given -1")),
        (("naltrexone 50 mg po", "--n", "1000", "--uncertainty", "100000"), ("100000", "at most")),
        (("naltrexone 50 mg po", "--weight", "70"), ("'70'", "unit")),
        (("naltrexone 50 mg po", "--weight", "2 kg"), ("weight_kg", "20 to 300 kg")),
        (("naltrexone 50 mg po", "--weight=-70 kg"), ("'-70 kg'", "expected")),
        (("naltrexone 50 mg po", "--age", "old"), ("'old'", "years")),
        (("naltrexone 50 mg po", "--liver", "bad"), ("subject.liver", "'bad'", "'severe'")),
        (("naltrexone 50 mg po", "--sex", "x", "--n", "4"), ("population.sex", "'female'")),
        (("naltrexone 50 mg po", "--crcl", "100"), ("'100'", "unit")),
        (("naltrexone 50 mg po", "--seed", "-4"), ("run.seed", "given -4")),
        (("naltrexone 50 mg po", "--seed", "1.5"), ("--seed", "'1.5'", "whole number")),
        # what comes out
        (("naltrexone 50 mg po", "--structure", "foo"), ("'foo'", "slow_receptor")),
        (("naltrexone 50 mg po", "--structure", "naltrexone=foo"), ("'foo'", "naltrexone", "slow_receptor")),
        (("naltrexone 50 mg po", "--structure", "a=b=c"), ("'a=b=c'", "DRUG=NAME")),
        (("naltrexone 50 mg po", "--receptors", "foo"), ("'foo'", "mor")),
        (("naltrexone 50 mg po", "--receptors", ","), ("--receptors", "a,b")),
        (("naltrexone 50 mg po", "--outputs", "foo"), ("'foo'", "Known: ", " more")),
        (("naltrexone 50 mg po", "--without", "foo"), ("'foo'", "No drug")),
        (("naltrexone 50 mg po", "--threads", "0"), ("--threads", "1 or more")),
        (("naltrexone 50 mg po", "--plot", "figure.gif"), ("figure.gif", ".svg")),
        # the parser's own
        (("naltrexone 50 mg po", "--until"), ("--until has no value", "schild simulate --help")),
        (("naltrexone 50 mg po", "--untill", "1d"), ("--untill", "--until")),
        (("naltrexone 50 mg po", "-x"), ("-x", "schild simulate --help")),
        (("naltrexone 50 mg po", "--n", "1", "--n", "2"), ("--n", "multiple")),
        (("naltrexone 50 mg po", "--json=maybe"), ("--json", "maybe")),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else None,
)
def test_simulate(refused, words, names):
    refused("simulate", *words, names=names)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("simulat",), ('"simulat"', '"simulate"')),
        (("--nothing",), ("--nothing", "schild --help")),
        (("drugs", "foo"), ("'foo'", "Known")),
        (("drugs", "naltrexone", "heroin"), ("'heroin'", "schild drugs --help")),
        (("drugs", "naltrexone", "--audit"), ("--audit", "'naltrexone'")),
        (("explain",), ("DRUG", "schild explain --help")),
        (("explain", "foo"), ("'foo'", "Known")),
        (("schema", "ran"), ("ran",)),
        (("export", "sbml"), ("Nothing", "expected")),
        (("export", "nonmem", "naltrexone 50 mg po"), ("--times is not given", "schild export nonmem --help")),
        (("export", ""), ("Unknown command", "schild export")),
        (("export", "xml"), ("xml", "sbml")),
        (("cite", "foo"), ("expected",)),
        (("import", "nonmem"), ("TABLE.csv",)),
        (("import", "nonmem", "none.csv"), ("none.csv", "expected")),
        (("simulate", "naltrexone 50 mg po", "--weight", "-60 kg"), ("-60 kg", "body weight")),
        (("simulate", "naltrexone 50 mg po", "--until", "-1 d"), ("'-1 d'", "after 0")),
        (("simulate", "naltrexone 50 mg po", "--weight"), ("--weight has no value",)),
        (("curves", "morphine", "naltrexone"), ("--agonist is not given",)),
        (("simulate", "naltrexone 50 mg po", "--receptors", "mu"), ("'mu'", "Write 'mor' or 'mor_gut'")),
        (("drugs", "bup"), ("'bup'", "Did you mean 'buprenorphine'")),
        (("coverage", "naltrexone 50 mg po q24h x30 skip 5-8"), ("skips doses of its own", "Leave skip out")),
        (("import", "nonmem", "x.csv", "--cmt", "naltrexone"), ("'naltrexone'", "1=naltrexone oral")),
        (("import", "nonmem", "x.csv", "--cmt", "1=a b", "--cmt", "1=a c"), ("1 twice",)),
        (("import", "nonmem", "x.csv", "--json"), ("--json", "--simulate")),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else None,
)
def test_other_commands(refused, words, names):
    refused(*words, names=names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ("empty", "[[dose]]")),
        ("# only a remark\n", ("[[dose]]", "[[subject.history]]", "add one")),
        ("dose = []\n", ("dose",)),
        ("dose = 3\n", ("dose", "given 3")),
        ('dose = "naltrexone 50 mg po"\n', ("dose", "list")),
        ("[[dose]]\n", ("drug", "expected")),
        ("[[dose]\n", ("not TOML", "line 1")),
        ("a = " + "[" * 5000, ("not TOML",)),
        (GOOD + "[run]\nuntil = 14\n", ("run.until", "14", "'24 h'")),
        (GOOD + "[run]\nuntil = nan\n", ("run.until", "nan")),
        (GOOD + "[run]\nuntil = true\n", ("run.until", "True")),
        (GOOD + "[run]\nseed = 1.5\n", ("run.seed", "1.5")),
        (GOOD + "[run]\nseed = inf\n", ("run.seed", "inf")),
        (GOOD + "[run]\nseed = 99999999999999999999999\n", ("run.seed",)),
        (GOOD + "[run]\ntitle = 7\n", ("run.title", "7")),
        (GOOD + "[run]\nlength = '3 d'\n", ("run.length", "not a known entry")),
        (GOOD + '[run]\nevery = "0 h"\n', ("`every`", "above 0")),
        (GOOD + '[run]\nreceptors = "mor"\n', ("run.receptors", "list")),
        (GOOD + "[run]\nreceptors = []\n", ("run.receptors",)),
        (GOOD + '[run]\noutputs = ["foo"]\n', ("'foo'", "Known: ", " more")),
        (GOOD + '[run]\nstructure = "foo"\n', ("'foo'", "slow_receptor")),
        (GOOD + '[run]\nstructure = { foo = "slow_receptor" }\n', ("'foo'", "No drug")),
        (GOOD + "[subject]\nweight = 70\n", ("subject.weight", "70")),
        (GOOD + '[subject]\nweight = "nan kg"\n', ("nan kg", "expected")),
        (GOOD + '[subject]\nsex = "other"\n', ("subject.sex", "'female'")),
        (GOOD + "[population]\n", ("population.n is missing",)),
        (GOOD + "[population]\nn = 1000000000\n", ("population.n", "1000000000")),
        (GOOD + "[population]\nn = 2.0\n", ("population.n", "2.0")),
        (GOOD + '[population]\nn = 2\nreference = "martians"\n', ("'martians'", "adult")),
        (GOOD + "[subject]\n[population]\nn = 2\n", ("[subject]", "[population]", "not both")),
        ("[[dose]]\ndrug = 'naltrexone'\namount = 50\nroute = 'po'\n", ("dose.0.amount", "50")),
        ("[[dose]]\ndrug = 'naltrexone'\namount = '50'\nroute = 'po'\n", ("'50'", "unit")),
        ("[[dose]]\ndrug = 'naltrexone'\nroute = 'po'\n", ("no amount", "expected")),
        ("[[dose]]\ndrug = 'naltrexone'\namount = '50 mg'\nroute = 'po'\ncount = 7\n", ("`count` is 7", "`every`")),
        ("[[dose]]\ndrug = 'naltrexone'\namount = '50 mg'\nroute = 'po'\ntime = 3\n", ("dose.0.time", "3")),
        ("[[dose]]\ndrug = 'naltrexone'\namount = '50 mg'\nroute = 'po'\nevid = 9\n", ("evid", "9")),
        ("[[dose]]\ndrug = 'naltrexone'\namount = '50 mg'\nroute = 'po'\naddl = 9\n", ("dose.0.addl", "not a known")),
        ("[[dose]]\nregimen = 'naltrexone 50 mg po'\nroute = 'po'\n", ("route", "one or the other")),
        ("[[dose]]\ndrug = 'naltrexone'\namount = '50 mg'\nroute = 'po'\nevery = '-1 h'\n", ("'-1 h'", "above 0")),
    ],
    ids=lambda value: value.replace("\n", "; ")[:60] if isinstance(value, str) else None,
)
def test_run_files(refused, tmp_path, text, names):
    file = tmp_path / "run.toml"
    file.write_text(text, encoding="utf-8")
    refused("simulate", file, names=names)


@pytest.mark.parametrize("command", [("simulate",), ("export", "sbml"), ("cite",)])
def test_files_that_are_none(refused, tmp_path, command):
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\x00\x01\x02\xff\xfe" * 100)
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * 20_000_001)
    refused(*command, folder, names=("folder.toml", "directory", "run file"))
    refused(*command, binary, names=("binary.toml", "UTF-8", "run file"))
    refused(*command, huge, names=("huge.toml", "20 MB"))
    refused(*command, tmp_path / "none.toml", names=("none.toml", "No such file"))
    refused(*command, binary / "none.toml", names=("none.toml",))
    refused(*command, tmp_path / ("x" * 300 + ".toml"), names=("too long",))
    refused(*command, "regimen " * 1000, names=("expected",))


def test_a_file_that_may_not_be_read(refused, tmp_path):
    file = tmp_path / "secret.toml"
    file.write_text(GOOD, encoding="utf-8")
    file.chmod(0)
    try:
        file.read_text(encoding="utf-8")
    except PermissionError:
        refused("simulate", file, names=("secret.toml", "Permission denied"))
    else:
        pytest.skip("this user reads every file")


def test_a_table_in_place_of_a_run_file_names_the_command_that_reads_it(refused, tmp_path):
    file = tmp_path / "doses.csv"
    file.write_text("ID,TIME,AMT\n1,0,50\n", encoding="utf-8")
    refused("simulate", file, names=("is a table", "schild import nonmem"))


def test_a_run_file_takes_no_company(refused, tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(GOOD, encoding="utf-8")
    refused("simulate", file, file, names=("run.toml", "one run file"))
    refused("simulate", "naltrexone 50 mg po", file, names=("run.toml", "one run file"))


@pytest.mark.parametrize("option", ["--out", "--plot"])
def test_places_that_cannot_be_written(refused, tmp_path, option):
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    place = file / "inside.svg"
    refused(
        "simulate", "naltrexone 50 mg po", "--until", "1h", option, place, names=("inside.svg", "cannot be written")
    )
    assert file.read_text(encoding="utf-8") == "x"


def test_a_folder_is_no_page_and_no_run_file(refused, tmp_path, examples):
    refused("explain", "naltrexone", "--html", tmp_path, names=("folder", "expected a file"))
    table = examples / "nonmem_table.csv"
    refused(*TABLE, table, *CMT, "--out", tmp_path, names=("folder", "expected a file"))


# ------------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ("empty", "header")),
        ("TIME,AMT\n", ("no rows", "under the header")),
        ("a,b\n1,2\n", ("TIME", "AMT")),
        ("TIME,AMT,CMT\n0,50,2\n", ("Line 2", "CMT is 2", "--cmt '2=")),
        ("TIME,AMT,CMT\n0,-50,1\n", ("Line 2", "AMT is -50", "0 or more")),
        ("TIME,AMT,CMT\n0,nan,1\n", ("Line 2", "AMT is 'nan'", "finite")),
        ("TIME,AMT,CMT\n0,inf,1\n", ("Line 2", "AMT is 'inf'", "finite")),
        ("TIME,AMT,CMT\n0,fifty,1\n", ("Line 2", "AMT is 'fifty'", "number")),
        ("TIME,AMT,CMT,ADDL\n0,50,1,6\n", ("Line 2", "ADDL is 6", "II")),
        ("TIME,AMT,CMT,SS\n0,50,1,1\n", ("Line 2", "SS is 1", "II")),
        ("TIME,AMT,CMT,EVID\n0,50,1,7\n", ("Line 2", "EVID is 7")),
        ("TIME,AMT,CMT\n5,50,1\n3,50,1\n", ("Line 3", "go back")),
        ("TIME,AMT,CMT\n0,50,1,9\n", ("Line 2", "4 cells where the header has 3")),
        ("TIME,AMT,CMT,EVID\n0,0,1,0\n", ("no dose", "EVID 1")),
        ("TIME,AMT,CMT,RATE\n0,50,1,-2\n", ("Line 2", "RATE is -2", "DUR")),
    ],
    ids=lambda value: value.replace("\n", "; ")[:60] if isinstance(value, str) else None,
)
def test_tables(refused, tmp_path, text, names):
    table = tmp_path / "table.csv"
    table.write_text(text, encoding="utf-8")
    refused(*TABLE, table, *CMT, names=("table.csv", *names))


def test_tables_that_are_no_text(refused, tmp_path):
    table = tmp_path / "table.csv"
    table.write_bytes(b"\x00\xff\xfe" * 1000)
    refused(*TABLE, table, *CMT, names=("table.csv", "zero bytes", "UTF-8"))
    refused(*TABLE, tmp_path, *CMT, names=("not a file",))


def _million(path: Path, bad: str | None) -> None:
    row = 654_321
    with path.open("w", encoding="utf-8") as file:
        file.write("TIME,AMT,CMT\n")
        file.writelines(f"{k},{bad if k == row and bad is not None else 50},1\n" for k in range(1_000_000))


@pytest.mark.slow
def test_one_bad_row_in_a_million_is_found_and_named(refused, tmp_path):
    table = tmp_path / "table.csv"
    _million(table, "-1")
    refused(*TABLE, table, *CMT, names=("Line 654323", "AMT is -1", "expected 0 or more"))


@pytest.mark.slow
def test_a_million_good_rows_are_too_many_for_a_run_file(refused, tmp_path):
    table = tmp_path / "table.csv"
    _million(table, None)
    refused(*TABLE, table, *CMT, names=("table.csv", "expected"))
