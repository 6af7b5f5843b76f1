"""Shapes of real tables: separators x conventions of rows x reserved names, read right or refused with the remedy."""

from __future__ import annotations

import io
import random
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from schild.errors import InputError
from schild.regimen import parse_regimen, read_nonmem, read_nonmem_rows
from schild.regimen.nonmem_columns import columns

NAMES = tomllib.loads(files("schild.regimen").joinpath("nonmem_columns.toml").read_text("utf-8"))
REFUSED, HARMLESS_NUMBERED = NAMES["refused"], NAMES["numbered"]
READ, ALIASES, HARMLESS = columns().read, columns().other_names, columns().harmless
ONE_IN_A_PERSON, ONE_AT_A_TIME = columns().one_in_a_person, columns().one_at_a_time

SEPARATORS = {"commas": ",", "tabs": "\t", "semicolons": ";", "blanks": "  ", "bars": "|"}
RIGHT = "naltrexone 50 mg oral q24h x3; naltrexone 25 mg oral at 4 d"
HEAD = ["ID", "TIME", "AMT", "EVID", "II", "ADDL", "CMT", "DV"]
ROWS = [
    ["1", "0", "50", "1", "24", "2", "1", "."],
    ["1", "5", ".", "0", ".", ".", "2", "3.25"],
    ["1", "96", "25", "1", ".", ".", "1", "."],
]
OPTIONS = {"cmt": {1: ("naltrexone", "oral"), "depot": ("naltrexone", "oral")}, "amount_unit": "mg"}


def text(rows, separator):
    return [separator.join(row) for row in rows]


def read(lines, **more):
    return read_nonmem(io.StringIO("\n".join(lines) + "\n"), **(OPTIONS | more))


def with_column(name, cells, at=None):
    """The table with one column more, before the others or behind them."""
    both = [[*HEAD], *([*row] for row in ROWS)]
    for row, cell in zip(both, [name, *cells], strict=True):
        row.insert(len(row) if at is None else at, cell)
    return both


def header_twice(lines):
    return [*lines[:2], lines[0], *lines[2:]]


CONVENTIONS = {
    "plain": lambda lines: lines,
    "empty lines": lambda lines: ["", lines[0], "", *lines[1:], "", ""],
    "comments": lambda lines: ["# made by hand", lines[0], "#" + lines[1], *lines[1:], " # the end"],
    "marked header": lambda lines: ["#" + lines[0], *lines[1:]],
    "header again": header_twice,
    "separator of Excel": lambda lines: ["sep=;", *lines],
    "titles of NONMEM": lambda lines: ["TABLE NO.  1", *lines],
    "small letters": lambda lines: [lines[0].lower(), *lines[1:]],
    "NA for nothing": lambda lines: [lines[0], *(line.replace(" .", " NA") for line in lines[1:])],
    "quoted": lambda lines: [lines[0].replace("TIME", '"TIME"'), *(line.replace("50", '"50"') for line in lines[1:])],
    "carriage returns": lambda lines: [line + "\r" for line in lines],
    "numbers of NONMEM": lambda lines: [lines[0], *(line.replace("50", "5.0000E+01") for line in lines[1:])],
    "room at the end": lambda lines: [line + "   " for line in lines],
}


@pytest.mark.parametrize("name", sorted(ONE_IN_A_PERSON))
@pytest.mark.parametrize("head", ["", "ID,"])
def test_persons_told_apart_by_another_column_than_id_are_not_read_as_one(name, head):
    lines = [f"{head}{name},TIME,AMT", *(f"{head and '1,'}{who},0,50" for who in ("A-1", "A-1", "A-2"))]
    with pytest.raises(
        InputError, match=rf"Line 4: {name} is 'A-2' after 'A-1', .*Call it ID, or leave the column out"
    ):
        read(lines)
    assert len(read(lines, drop=[name])) == 3
    assert len(read(lines[:3])) == 2


@pytest.mark.parametrize("name", sorted(ONE_AT_A_TIME))
def test_doses_of_one_time_that_another_column_puts_at_two_are_refused(name):
    lines = [f"ID,{name},TIME,AMT", "1,1,0,50", "1,1,8,.", "1,2,24,50", "2,2,0,25"]
    assert len(read(lines, id="1")) == 2
    with pytest.raises(InputError, match=rf"Line 3: {name} is '2' after '1', but TIME stays behind"):
        read([lines[0], lines[1], "1,2,0,50"])
    assert len(read([lines[0], "1,1,24,.", "1,2,24,50"])) == 1  # a level before the dose belongs to what was before


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["DAY,TIME,AMT", "1,08:00,50", "2,08:30,50"], "Line 3: DAY is '2' after '1', and TIME is a clock time"),
        (["DTC,TIME,AMT", "2024-01-01,8:00,5", "2024-01-02,8:30,5"], "Line 3: DTC .*expected it in DATE, or yyyy"),
        (["DAY,TIME,AMT", "1,8,50", "8,9,50"], "Line 3: DAY is '8' after '1', but TIME stays behind"),
    ],
)
def test_a_day_beside_hours_of_the_day_is_refused(lines, message):
    with pytest.raises(InputError, match=message):
        read(lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["DAY,TIME,AMT", "1,0,50", "2,24,50", "8,168.5,50", "9,185,."],
        ["DAY,TIME,AMT", "1,8:00,50", "1,20:00,50"],
        ["DATE,DAY,TIME,AMT", "1,1,8:00,50", "2,2,8:00,50"],
        ["DAY,TIME,AMT", "-1,0,.", "1,12,50", "2,36,50"],
    ],
)
def test_a_day_that_agrees_with_the_time_is_harmless(lines):
    assert len(read(lines)) >= 2


def test_a_point_between_thousands_beside_decimal_commas_is_refused():
    with pytest.raises(InputError, match=r"Line 3: AMT is '1.000', which is 1.000 or 1000"):
        read(["TIME;AMT;DV", "0;50;0,5", "24;1.000;0,5"])
    assert read(["TIME;AMT;DV", "0;50;0,5", "24;0.500;0,5"])[1].amount.value == 0.5
    assert read(["TIME;AMT", "0;1.000"])[0].amount.value == 1.0
    assert read(["\ufeffID,TIME,AMT", "1,0,50"])[0].amount.value == 50.0


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("separator", SEPARATORS)
def test_rows_are_read_right(separator, convention):
    found = read(CONVENTIONS[convention](text([HEAD, *ROWS], SEPARATORS[separator])))
    assert (found.to_words(), found.observations) == (RIGHT, (5.0,))


@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_row_struck_out_in_column_c_gives_nothing(separator):
    rows = with_column("C", [".", "C", "C"], at=0)
    found = read(text(rows, SEPARATORS[separator]))
    assert (found.to_words(), found.observations) == ("naltrexone 50 mg oral q24h x3", ())
    assert found.notes[0] == "Rows struck out in column C, which give nothing: 2."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path, encoding):
    path = tmp_path / "table.csv"
    path.write_bytes("\n".join(text(with_column("AMTU", ["µg"] * 3), ",")).encode(encoding))
    assert read_nonmem(path, OPTIONS["cmt"]).to_words() == RIGHT.replace("mg", "ug")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16-le"])
def test_other_encodings_are_refused_with_the_remedy(tmp_path, encoding):
    path = tmp_path / "table.csv"
    path.write_bytes("\n".join(text(with_column("AMTU", ["µg"] * 3), ",")).encode(encoding))
    with pytest.raises(InputError, match=r"Save (it|the file) as UTF-8"):
        read_nonmem(path, OPTIONS["cmt"])


@pytest.mark.parametrize("separator", ["semicolons", "tabs", "blanks"])
def test_decimal_commas(separator):
    rows = [[cell.replace(".", ",") if cell != "." else cell for cell in row] for row in ROWS]
    rows[0][2], rows[1][1] = "50,5", "5,25"
    found = read(text([HEAD, *rows], SEPARATORS[separator]))
    assert (found[0].amount.value, found.observations) == (50.5, (5.25,))
    rows[0][2], rows[2][2] = "50", "1,000"
    with pytest.raises(InputError, match=r"Line 4: AMT is '1,000', which is 1.000 or 1000"):
        read(text([HEAD, *rows], SEPARATORS[separator]))


@pytest.mark.parametrize("separator", SEPARATORS)
def test_every_harmless_name_changes_nothing(separator):
    names = sorted(HARMLESS) + [name.replace("#", "2") for name in HARMLESS_NUMBERED.split()]
    names = [name for name in names if name not in HEAD]
    rows = [[*HEAD, *names], *([*row, *["7"] * len(names)] for row in ROWS)]
    found = read(text(rows, SEPARATORS[separator]))
    assert found.to_words() == RIGHT
    assert all(name in found.notes[0] for name in names)


BEARING = [name.replace("#", "1").replace("*", "") for names in REFUSED for name in names.split()]


@pytest.mark.parametrize("name", BEARING)
def test_only_a_bioavailability_of_one_changes_nothing(name):
    lines = text(with_column(name, ["1", "1", "1"]), ",")
    if name in ("F1", "BIO", "BIOAV1", "FBIO", "FREL"):
        assert read(lines).to_words() == RIGHT
    else:
        with pytest.raises(InputError, match=rf"Line 2: {name} is '1'"):
            read(lines)


@pytest.mark.parametrize("name", BEARING)
def test_a_name_that_bears_on_dosing_is_refused_with_the_remedy_unless_empty(name):
    with pytest.raises(InputError, match=rf"Line 2: {name} is '7', .*Or leave it out with drop=\('{name}',\)"):
        read(text(with_column(name, ["7", ".", "."]), ","))
    assert read(text(with_column(name, [".", "0", ""]), ",")).to_words() == RIGHT
    assert read(text(with_column(name, ["7", "7", "7"]), ","), drop=[name.lower()]).to_words() == RIGHT


def test_a_name_that_nobody_knows_is_refused_with_the_remedy():
    with pytest.raises(InputError, match=r"Line 2: QQQ is '7', in a column that is not known.*drop=\('QQQ',\)"):
        read(text(with_column("QQQ", ["7", ".", "."]), ","))
    with pytest.raises(InputError, match="has no column ZZZ to leave out"):
        read(text([HEAD, *ROWS], ","), drop=["ZZZ"])


def shape(case):
    """Draw the lines of a table, and the columns in it that are harmless and refused: 60 are tried."""
    rng = random.Random(case)
    harmless = rng.sample(sorted(HARMLESS - {*HEAD}), rng.randint(1, 6))
    refused = rng.sample(BEARING, 1) if case % 3 == 0 else []
    told = {name: other for name, other in (("CMT", "ADM"), ("EVID", "EVID")) if rng.random() < 0.5}
    rows = [[told.get(name, name) for name in HEAD], *([*row] for row in ROWS)]
    for name in harmless + refused:
        at = rng.randint(1, len(rows[0]))
        cells = [name, *(rng.choice(["7", "0.5", "12"]) for _ in ROWS)]
        if name in ONE_IN_A_PERSON | ONE_AT_A_TIME:  # these must not change within a person, or go on as TIME does
            cells = [name, "7", "7", "7"]
        for row, cell in zip(rows, cells, strict=True):
            row.insert(at, cell)
    order = rng.sample(range(1, len(rows[0])), len(rows[0]) - 1)
    rows = [[row[0], *(row[k] for k in order)] for row in rows]
    convention, separator = rng.choice(sorted(CONVENTIONS)), rng.choice(sorted(SEPARATORS))
    return CONVENTIONS[convention](text(rows, SEPARATORS[separator])), harmless, refused


@pytest.mark.parametrize("case", range(60))
def test_sixty_shapes_of_tables_are_read_right_or_refused_with_the_remedy(case):
    lines, harmless, refused = shape(case)
    if refused:
        with pytest.raises(
            InputError, match=rf"(?i)Line \d+: {refused[0]} is .*leave it out with drop=\('{refused[0]}',\)"
        ):
            read(lines)
    found = read(lines, drop=refused)
    assert (found.to_words(), found.observations) == (RIGHT, (5.0,))
    assert all(name in found.notes[0].upper() for name in harmless)


TABLES = {
    "TINF": (["TIME,AMT,TINF", "0,12,6"], "naltrexone 12 mg oral over 6 h"),
    "DURATION": (["TIME,AMT,DURATION", "0,12,6"], "naltrexone 12 mg oral over 6 h"),
    "INFDUR": (["TIME,AMT,INFDUR", "0,12,6"], "naltrexone 12 mg oral over 6 h"),
    "RATE -2 and its duration": (["TIME,AMT,RATE,DUR", "0,12,-2,6"], "naltrexone 12 mg oral over 6 h"),
    "RATE -1 and its duration": (["TIME,AMT,RATE,TINF", "0,12,-1,6"], "naltrexone 12 mg oral over 6 h"),
    "ADM": (["TIME,AMT,ADM", "0,50,1"], "naltrexone 50 mg oral"),
    "compartment by name": (["TIME,AMT,CMT", "0,50,Depot"], "naltrexone 50 mg oral"),
    "no compartment": (["TIME,AMT", "0,50"], "naltrexone 50 mg oral"),
    "compartment 0": (["TIME,AMT,CMT", "0,50,0"], "naltrexone 50 mg oral"),
    "observed compartment off": (["TIME,AMT,CMT", "0,50,1", "1,0,-3"], "naltrexone 50 mg oral"),
    "LAG": (["TIME,AMT,LAG", "0,50,1.5"], "naltrexone 50 mg oral lag 90 min"),
    "ALAG": (["TIME,AMT,ALAG", "0,50,1.5"], "naltrexone 50 mg oral lag 90 min"),
    "DOSE that repeats AMT": (["TIME,AMT,DOSE", "0,50,50", "1,0,50"], "naltrexone 50 mg oral"),
    "F of 1": (["TIME,AMT,F", "0,50,1"], "naltrexone 50 mg oral"),
    "unit of time": (["TIME,AMT,TIMEUNIT,II,ADDL", "1,50,days,1,3"], "naltrexone 50 mg oral q24h x4 from 24 h"),
    "unit of time in minutes": (["TIME,AMT,TIMEU", "90,50,min"], "naltrexone 50 mg oral at 90 min"),
    "unit of amount": (["TIME,AMT,AMTUNIT", "0,50,ug"], "naltrexone 50 ug oral"),
    "clock times": (
        ["TIME,AMT", "08:00,50", "20:30,25"],
        "naltrexone 50 mg oral; naltrexone 25 mg oral at 12.5 h",
    ),
    "clock interval": (["TIME,AMT,II,ADDL", "08:00,50,12:00,1"], "naltrexone 50 mg oral q12h x2"),
    "day and clock": (
        ["DATE,TIME,AMT", "1,08:00,50", "2,09:00,25"],
        "naltrexone 50 mg oral; naltrexone 25 mg oral at 25 h",
    ),
    "DATE month first": (
        ["DATE,TIME,AMT", "02/28/2024,08:00,50", "03/01/2024,08:00,25"],
        "naltrexone 50 mg oral; naltrexone 25 mg oral at 2 d",
    ),
    "DAT1 day first": (
        ["DAT1,TIME,AMT", "28/02/24,08:00,50", "01/03/24,08:00,25"],
        "naltrexone 50 mg oral; naltrexone 25 mg oral at 2 d",
    ),
    "DAT2 year first": (
        ["DAT2,TIME,AMT", "24/02/28,8,50", "24/03/01,8,25"],
        "naltrexone 50 mg oral; naltrexone 25 mg oral at 2 d",
    ),
    "DAT3": (
        ["DAT3,TIME,AMT", "24/28/02,8,50", "24/01/03,8,25"],
        "naltrexone 50 mg oral; naltrexone 25 mg oral at 2 d",
    ),
    "DATE of ISO": (
        ["DATE,TIME,AMT", "2023-12-31,8,50", "2024-01-01,8,25"],
        "naltrexone 50 mg oral; naltrexone 25 mg oral at 24 h",
    ),
    "moments of ISO": (
        ["TIME,AMT", "2024-02-28T08:00:00,50", "2024-02-29T08:30:00Z,25"],
        "naltrexone 50 mg oral; naltrexone 25 mg oral at 24.5 h",
    ),
    "row numbers of R": (['"",TIME,AMT', "1,0,50", "2,24,25"], "naltrexone 50 mg oral; naltrexone 25 mg oral at 24 h"),
    "column C without a name": ([",TIME,AMT", ".,0,50", "C,24,25"], "naltrexone 50 mg oral"),
    "MDV without EVID": (["TIME,AMT,MDV", "0,50,1", "3,0,1"], "naltrexone 50 mg oral"),
    "SS": (["TIME,AMT,SS,II", "0,50,1,24"], "naltrexone 50 mg oral q24h x1 ss"),
    "trailing comma": (["TIME,AMT,", "0,50,"], "naltrexone 50 mg oral"),
    "reset": (["TIME,AMT,EVID", "0,50,1", "3,0,3"], "naltrexone 50 mg oral; reset at 3 h"),
}


@pytest.mark.parametrize("case", TABLES)
def test_read_right(case):
    lines, words = TABLES[case]
    assert parse_regimen(read(lines).to_words()) == parse_regimen(words)


REFUSED_TABLES = {
    "EVID 5": (["TIME,AMT,EVID", "0,5,5"], "EVID is 5, which replaces an amount"),
    "EVID 6": (["TIME,AMT,EVID", "0,5,6"], "EVID is 6, which multiplies an amount"),
    "EVID 8": (["TIME,AMT,EVID", "0,5,8"], "EVID is 8, which replaces an amount in mrgsolve"),
    "EVID 101": (["TIME,AMT,EVID", "0,5,101"], "EVID is 101; expected 0, 1, 2, 3 or 4"),
    "compartment off": (["TIME,AMT,EVID,CMT", "0,5,1,1", "1,0,2,-1"], "Line 3: CMT is -1, which switches"),
    "compartment unknown": (["TIME,AMT,CMT", "0,50,gut"], r"CMT is gut, .*cmt=\{'gut': \('naltrexone', 'oral'\)\}"),
    "RATE -1 alone": (["TIME,AMT,RATE", "0,5,-1"], "RATE is -1, .*Give the duration in a column DUR"),
    "F": (["TIME,AMT,F", "0,50,0.4"], "F is '0.4', a bioavailability"),
    "two names for one thing": (["TIME,AMT,DUR,TINF", "0,5,1,1"], "two columns DUR"),
    "units of time that differ": (["TIME,AMT,TIMEUNIT", "0,5,h", "1,5,d"], "Line 3: TIMEUNIT is d after h"),
    "unit of time unknown": (["TIME,AMT,TIMEUNIT", "0,5,week"], "Line 2: TIMEUNIT: 'week' is not a unit of time"),
    "elapsed time beside DATE": (["DATE,TIME,AMT", "1,0,5", "2,30,5"], "Line 3: TIME is 30 beside DATE"),
    "day first under DATE": (
        ["DATE,TIME,AMT", "28/02/2024,8,5"],
        "Line 2: DATE: '28/02/2024' is not a date as month.*DAT1",
    ),
    "two dates": (["DATE,DAT2,TIME,AMT", "1,1,8,5"], "DATE and DAT2"),
    "clock back at midnight": (["TIME,AMT", "20:00,5", "08:00,5"], "Line 3: TIME is -12 after 0.*column DATE"),
    "half a clock": (["TIME,AMT", "8:00 PM,5"], "'8:00 PM' is not a clock time"),
    "C that is a concentration": (["TIME,AMT,C", "0,5,3.2"], r"Line 2: C is '3.2'; .*drop=\('C',\)"),
    "row that begins with C": (["ID,TIME,AMT", "1,0,5", "C1,3,5"], "Line 3: ID is 'C1' where others are numbers"),
    "row too short": (["TIME,AMT,CMT", "0,5"], "Line 2: 2 cells where the header has 3, separated by commas"),
    "units under the header": (["TIME,AMT", "h,mg", "0,5"], "Line 2: TIME is 'h'; expected a finite number"),
    "unit in the cell": (["TIME,AMT", "0,50 mg"], "Line 2: AMT is '50 mg'.*AMTU"),
    "no header": (["1,0,50,1", "1,24,50,1"], "has no header: line 1 holds numbers"),
    "control stream": (["$PROBLEM x", "$INPUT ID TIME AMT"], "belongs to a NONMEM control stream"),
    "two separators": (["ID TIME,AMT,CMT", "1 0,50,1"], "'ID TIME' stands between commas.*one separator"),
    "comment behind a row": (["TIME,AMT", "0,50 # first"], "Line 2: AMT is '50 # first'"),
    "weight and mg/kg": (["TIME,AMT,AMTU,WT", "0,5,mg/kg,80"], "the weight stands in WT"),
    "a dose in another unit of time": (["TIME,AMT,II,ADDL", "0,5,12:00,1"], "clock times, in hours"),
    "no dose item": (["ID,WT,DV", "1,70,3"], "no column TIME and no AMT.*found: ID, WT, DV, separated by commas"),
}


@pytest.mark.parametrize("case", REFUSED_TABLES)
def test_refused_with_the_remedy(case):
    lines, message = REFUSED_TABLES[case]
    more = {"time_unit": "d"} if "another unit" in case else {}
    with pytest.raises(InputError, match=message):
        read(lines, **more)


def test_one_persons_fault_does_not_block_another():
    lines = ["ID,TIME,AMT", "1,0,50", "2,0,-5", "2,1", "3,0,25"]
    assert [read(lines, id=who).to_words() for who in (1, "3")] == ["naltrexone 50 mg oral", "naltrexone 25 mg oral"]
    with pytest.raises(InputError, match="Line 4: 2 cells"):
        read(lines, id=2)
    with pytest.raises(InputError, match="Line 4: 2 cells"):
        read_nonmem_rows(io.StringIO("\n".join(lines)), **OPTIONS)
    with pytest.raises(InputError, match=r"id is '4'; expected a person of The table \(1, 2, 3\)"):
        read(lines, id="4")


def test_persons_with_names_and_leading_zeros_stay_apart():
    people, _ = read_nonmem_rows(io.StringIO("ID,TIME,AMT\n001,0,50\n1,0,25\n"), **OPTIONS)
    assert {who: regimen[0].amount.value for who, regimen in people.items()} == {"001": 50.0, "1": 25.0}


def test_what_was_given_and_columns_overrule_is_said():
    lines = ["TIME,AMT,DRUG,ROUTE,AMTU,BASIS", "0,50,naltrexone,oral,mg,base"]
    given = {
        "drug": "morphine",
        "route": "iv",
        "basis": "hydrochloride",
        "amount_unit": "ug",
        "cmt": {7: ("heroin", "iv")},
    }
    found = read(lines, **given)
    assert found.to_words() == "naltrexone 50 mg base oral"
    said = " ".join(found.notes)
    for value, column in (("morphine", "DRUG"), ("iv", "ROUTE"), ("hydrochloride", "BASIS"), ("ug", "AMTU")):
        assert f"'{value}' was given and is not used: {column} says it of every dose." in said
    assert "Compartments that were explained and that no dose goes into: 7." in said
    some = ["TIME,AMT,CMT,AMTU", "0,50,1,mg", "1,50,1,."]
    assert read(some, cmt={1: ("naltrexone", "oral")}).notes == ()


def test_lines_count_comments_and_empty_lines_and_titles():
    with pytest.raises(InputError, match="Line 8: AMT is -5"):
        read(["# a", "", "TIME,AMT", "0,5", "# b", "", "1,5", "2,-5"])


CASES = Path(__file__).parents[2] / "data" / "cases" / "nonmem"
ORAL = {"drug": "naltrexone", "route": "oral", "amount_unit": "mg"}
EVERY_TWO = "naltrexone 50 mg oral; naltrexone 50 mg oral at 2 d"
RIGHT_CASES = {
    "c_column": EVERY_TWO,
    "hash_end": EVERY_TWO,
    "hash_mid": EVERY_TWO,
    "hash_notid": EVERY_TWO,
    "timeunit": "naltrexone 50 mg oral q24h x7; naltrexone 50 mg oral at 10 d",
    "obs": "naltrexone 50 mg oral",
    "space": "naltrexone 50 mg oral; naltrexone 50 mg oral at 24 h",
    "tab": "naltrexone 50 mg oral; naltrexone 50 mg oral at 24 h",
}


@pytest.mark.parametrize("name", RIGHT_CASES)
def test_files_after_public_reports(name):
    found = read_nonmem(CASES / f"{name}.csv", **ORAL)
    assert parse_regimen(found.to_words()) == parse_regimen(RIGHT_CASES[name])
    assert found.observations == ((0.37, 1.13, 7.9, 30.2) if name == "obs" else ())


def test_files_after_public_reports_that_are_refused(tmp_path):
    latin = tmp_path / "latin.csv"  # not kept as a file, because every file of the project is UTF-8
    latin.write_bytes(b"ID,TIME,AMT,AMTU\n1,0,50,\xb5g\n")
    with pytest.raises(InputError, match=r"line 2: the byte 0xb5 is not UTF-8, which is 'µ'.*Save the file as UTF-8"):
        read_nonmem(latin, drug="naltrexone", route="oral")
    with pytest.raises(InputError, match="Line 5: AMT is -5"):
        read_nonmem(CASES / "blank.csv", **ORAL)
    with pytest.raises(InputError, match="CMT is depot, and nothing says which drug"):
        read_nonmem(CASES / "cmtname.csv", amount_unit="mg")
    assert read_nonmem(CASES / "cmtname.csv", {"depot": ("naltrexone", "oral")}, amount_unit="mg").to_words() == (
        "naltrexone 10 mg oral"
    )


def test_the_page_lists_every_name():
    page = (Path(__file__).parents[3] / "docs" / "event-semantics.md").read_text(encoding="utf-8")
    words = set(page.replace("`", " ").replace(",", " ").split())
    refused = [name for names in REFUSED for name in names.split()]
    missing = {*READ, *ALIASES, *refused, *HARMLESS, *HARMLESS_NUMBERED.split()} - words
    assert not missing
