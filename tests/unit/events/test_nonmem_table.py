"""NONMEM tables: columns, placeholders, units, names, errors with row and column, and the way back."""

from __future__ import annotations

import io
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schild.errors import InputError
from schild.regimen import Dose, Regimen, expand, parse_regimen, read_nonmem, read_nonmem_rows, to_nonmem
from schild.units import Amount, ticks

CMT = {1: ("naltrexone", "po"), 2: ("heroin", "iv")}


def read(*lines, **options):
    options = {"cmt": CMT, "amount_unit": "mg"} | options
    return read_nonmem(io.StringIO("\n".join(lines) + "\n"), **options)


def test_compartments_are_named_by_the_caller():
    regimen = read("TIME,AMT,CMT", "0,50,1", "72,25,2")
    assert regimen == parse_regimen("naltrexone 50 mg po; heroin 25 mg iv at 3 d")
    assert [dose.cmt for dose in regimen] == [1, 2]


def test_names_and_units_may_stand_in_the_table():
    regimen = read("time,amt,amtu,drug,route,basis", "0,50,mg,Naltrexone,PO,HCl", "1,100,mcg,fentanyl,iv,.", cmt=None)
    assert regimen == parse_regimen("naltrexone 50 mg hcl po; fentanyl 100 ug iv at 1 h")


def test_points_blanks_and_spaces_are_zero():
    regimen = read("#ID, TIME, AMT, EVID, II, ADDL, CMT", "1, 0, 50, 1, ., , 1", "1, 4, ., 0, ., ., .")
    assert regimen.to_words() == "naltrexone 50 mg oral"
    assert regimen.observations == (4.0,)


def test_without_evid_a_row_with_an_amount_is_a_dose():
    regimen = read("TIME,AMT,DV,CMT", "0,50,.,1", "1,0,3.5,2")
    assert (len(regimen), regimen.observations) == (1, (1.0,))
    assert regimen.notes[0] == "Columns that are not read, as they say nothing of what is given: DV."


def test_other_events_are_kept_as_marks():
    regimen = read("TIME,AMT,EVID,CMT", "0,50,1,1", "2,0,2,0")
    assert (len(regimen), regimen.marks, regimen.observations) == (1, (2.0,), ())


def test_unit_of_time():
    regimen = read("TIME,AMT,II,ADDL,RATE,CMT", "2,48,1,3,24,1", time_unit="d")
    assert regimen == parse_regimen("naltrexone 48 mg po over 2 d q1d x4 from 2 d")
    with pytest.raises(InputError, match="time_unit is 'wk'"):
        read("TIME,AMT", "0,1", time_unit="wk")


def test_several_people():
    table = io.StringIO("ID,TIME,AMT,CMT\n7,0,50,1\n7,24,50,1\n3,0,100,1\n")
    people, _ = read_nonmem_rows(table, CMT, amount_unit="mg")
    assert {who: len(regimen) for who, regimen in people.items()} == {7: 2, 3: 1}
    table.seek(0)
    with pytest.raises(InputError, match=r"holds 2 persons \(7, 3\).* Choose one with id=.*read_nonmem_rows"):
        read_nonmem(table, CMT, amount_unit="mg")


REFUSED = {
    "no unit": (["TIME,AMT,CMT", "0,50,1"], {"amount_unit": None}, "Line 2: AMT has no unit; .*amount_unit='mg'"),
    "not a unit": (["TIME,AMT,CMT", "0,50,1"], {"amount_unit": "Mg"}, "Did you mean 'mg'"),
    "unit in row": (["TIME,AMT,AMTU,CMT", "0,50,mg,1", "0,50,IU,1"], {}, "Line 3: AMTU: 'IU'"),
    "unit left out in row": (["TIME,AMT,AMTU,CMT", "0,50,mg,1", "0,50,.,1"], {"amount_unit": None}, "Line 3: AMT has"),
    "unknown cmt": (["TIME,AMT,CMT", "0,50,1", "0,50,9"], {}, r"Line 3: CMT is 9, .*\(named: 1, 2\)"),
    "negative cmt": (["TIME,AMT,CMT", "0,50,-1"], {}, "Line 2: CMT is -1"),
    "no drug": (["TIME,AMT", "0,50"], {"cmt": None}, "Line 2: a dose, but nothing says of which drug"),
    "bad drug": (["TIME,AMT,DRUG,ROUTE", "0,50,nal trex,po"], {}, "Line 2: DRUG: 'nal trex'"),
    "negative amount": (["TIME,AMT,CMT", "0,50,1", "1,-50,1"], {}, "Line 3: AMT is -50"),
    "no amount": (["TIME,AMT,EVID,CMT", "0,0,1,1"], {}, "Line 2: AMT is 0 in a dose"),
    "absurd amount": (["TIME,AMT,CMT", "0,1e20,1"], {}, r"Line 2: AMT is 1e\+20"),
    "tiny amount": (["TIME,AMT,CMT", "0,1e-20,1"], {}, "Line 2: AMT: An amount of 1e-20 mg cannot be given"),
    "observation with amount": (["TIME,AMT,EVID,CMT", "0,5,0,1"], {}, "Line 2: AMT is 5 but EVID is 0"),
    "reset with amount": (["TIME,AMT,EVID,CMT", "0,5,3,1"], {}, "Line 2: AMT is 5 but EVID is 3"),
    "evid": (["TIME,AMT,EVID,CMT", "0,5,5,1"], {}, "Line 2: EVID is 5"),
    "not a number": (["TIME,AMT,CMT", "0,5O,1"], {}, "Line 2: AMT is '5O'"),
    "NaN": (["TIME,AMT,CMT", "0,5,1", "1,NaN,1"], {}, "Line 3: AMT is 'NaN'"),
    "infinite": (["TIME,AMT,CMT", "0,inf,1"], {}, "Line 2: AMT is 'inf'"),
    "no time": (["TIME,AMT,CMT", "0,5,1", ".,5,1"], {}, "Line 3: TIME is missing"),
    "clock time": (["TIME,AMT,CMT", "10:30,5,1", "11,5,1"], {}, "Line 3: TIME is '11' where.*one way"),
    "far time": (["TIME,AMT,CMT", "1e9,5,1"], {}, r"Line 2: TIME is 1e\+09 h; expected less than 100 years"),
    "time goes back": (["TIME,AMT,CMT", "3,5,1", "2,5,1"], {}, "Line 3: TIME is 2 after 3"),
    "fractional addl": (["TIME,AMT,ADDL,II,CMT", "0,5,1.5,24,1"], {}, "Line 2: ADDL is 1.5"),
    "negative addl": (["TIME,AMT,ADDL,II,CMT", "0,5,-1,24,1"], {}, "Line 2: ADDL is -1"),
    "negative rate": (["TIME,AMT,RATE,CMT", "0,5,-3,1"], {}, "Line 2: RATE is -3"),
    "slow rate": (["TIME,AMT,RATE,CMT", "0,5,1e-300,1"], {}, "Line 2: RATE is .* more than 100 years"),
    "fast rate": (["TIME,AMT,RATE,CMT", "0,5,1e30,1"], {}, "Line 2: RATE is .* under a microsecond"),
    "short interval": (["TIME,AMT,II,ADDL,CMT", "0,5,1e-20,1,1"], {}, "Line 2: II is 1e-20"),
    "person comes back": (["ID,TIME,AMT,CMT", "1,0,5,1", "2,0,5,1", "1,1,5,1"], {}, "holds 2 persons"),
    "no ID": (["ID,TIME,AMT,CMT", "1,0,5,1", ".,0,5,1"], {}, "Line 3: ID is missing"),
    "missing columns": (["AMOUNT,CMT", "5,1"], {}, "no column TIME and no AMT; .*found: AMOUNT, CMT"),
    "column twice": (["TIME,AMT,AMT", "0,5,5"], {}, "two columns AMT"),
    "observation twice": (["TIME,AMT,DV,dv", "0,5,.,."], {}, "two columns DV"),
    "date": (["DATE,TIME,AMT", "1,48,5"], {}, "Line 2: TIME is 48 beside DATE; .*drop=.'DATE',"),
    "row too long": (["TIME,AMT,CMT", "0,5,1,7"], {}, "Line 2: 4 cells where the header has 3"),
    "no rows": (["TIME,AMT,CMT"], {}, "has no rows"),
    "nothing": ([""], {}, "is empty"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_row_and_column(case):
    lines, options, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as caught:
        read(*lines, **options)
    assert "expected" in str(caught.value)


def test_a_file_that_is_not_there():
    with pytest.raises(InputError, match="is not a file"):
        read_nonmem("nowhere.csv", CMT)


def test_a_file(tmp_path):
    path = tmp_path / "doses.csv"
    path.write_text("TIME,AMT,CMT\n0,50,1\n")
    assert read_nonmem(path, CMT, amount_unit="mg").text == "doses.csv"
    assert read_nonmem(str(path), CMT, amount_unit="mg").to_words() == "naltrexone 50 mg oral"


def test_a_frame_with_a_missing_number_is_refused():
    frame = pd.DataFrame({"TIME": [0.0, 1.0], "AMT": [50.0, np.nan], "CMT": 1})
    with pytest.raises(InputError, match="Row 2: AMT is missing"):
        read_nonmem(frame, CMT, amount_unit="mg")


def test_a_million_rows_with_one_bad_one():
    n = 1_000_000
    k = np.arange(n)
    frame = pd.DataFrame({"ID": k // 100, "TIME": k % 100 * 0.5, "AMT": np.where(k % 100, 0.0, 50.0), "CMT": 1})
    frame["ADDL"] = 0
    frame.loc[700_000, "ADDL"] = 3
    start = time.process_time()
    with pytest.raises(InputError, match="Row 700001: II is 0 but ADDL is 3"):
        read_nonmem_rows(frame, CMT, amount_unit="mg")
    assert time.process_time() - start < 20


@st.composite
def regimens(draw):
    doses, clock = [], 0
    for _ in range(draw(st.integers(1, 5))):
        clock += draw(st.integers(0, 10**11))
        if draw(st.integers(0, 5)) == 0:
            doses.append(Dose(evid=3, time=clock / 3.6e9))
            continue
        parts = {
            "drug": draw(st.sampled_from(["naltrexone", "heroin"])),
            "route": draw(st.sampled_from(["oral", "iv"])),
            "time": clock / 3.6e9,
            "basis": draw(st.sampled_from([None, "base"])),
            "evid": draw(st.sampled_from([1, 4])),
        }
        if draw(st.booleans()):
            parts |= {"every": draw(st.integers(1, 10**11)) / 3.6e9, "count": draw(st.integers(2, 9))}
            parts["ss"] = draw(st.sampled_from([0, 2]))
        amount = f"{draw(st.floats(0.01, 1e4))!r} {draw(st.sampled_from(['mg', 'nmol', 'ug/kg']))}"
        duration = draw(st.none() | st.integers(10**6, 10**12).map(lambda tick: tick / 3.6e9))
        doses.append(Dose(amount=amount, duration=duration, **parts))
    return Regimen(tuple(doses), observations=(1.0, 2.5), marks=(3.0,))


@given(regimens())
def test_round_trip(regimen):
    assert read_nonmem(to_nonmem(regimen)) == regimen


@given(regimens())
def test_round_trip_through_a_file(regimen):
    text = to_nonmem(regimen).to_csv(index=False)
    assert read_nonmem(io.StringIO(text)) == regimen


def test_skipped_doses_become_rows():
    regimen = parse_regimen("naltrexone 50 mg po q24h x7 skip 2,5; reset at 84 h")
    back = read_nonmem(to_nonmem(regimen))
    here, there = (expand(r, ticks("9 d")) for r in (regimen, back))
    assert [(e.tick, e.evid, e.amount) for e in here] == [(e.tick, e.evid, e.amount) for e in there]
    assert [e.time for e in here] == [0.0, 48.0, 72.0, 84.0]


def test_constant_infusion_and_rate_round_trip():
    regimen = parse_regimen("morphine 2 mg/h iv ss; morphine 2 mg/h iv for 6 h")
    table = to_nonmem(regimen)
    assert table["RATE"].tolist() == [2.0, 2.0]
    assert [d.amount for d in read_nonmem(table)] == [None, Amount(12, "mg")]
    assert read_nonmem(table)[0] == regimen[0]


def test_a_table_has_an_end():
    with pytest.raises(InputError, match="repeats until the end of the run"):
        to_nonmem(parse_regimen("naltrexone 50 mg po q24h"))
    assert to_nonmem(parse_regimen("naltrexone 50 mg po q24h"), until="3 d")["ADDL"].tolist() == [3]


@pytest.mark.parametrize("words", ["naltrexone 50 mg po lag 1 h", "naltrexone 50 mg po f 0.5"])
def test_a_table_holds_no_lag_or_f(words):
    with pytest.raises(InputError, match="has its own lag or f"):
        to_nonmem(parse_regimen(words))
