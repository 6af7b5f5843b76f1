"""An infusion by its rate: amount over rate is its length, rate times length its amount."""

from __future__ import annotations

import io

import pytest

from plainly import Bench
from schild.errors import InputError
from schild.regimen import Dose, expand, parse_regimen, read_nonmem
from schild.units import Amount, ticks


def test_rate_and_length_give_the_amount():
    (event,) = expand(parse_regimen("morphine 2 mg/h iv for 6 h"), 0)
    assert (event.amount, event.duration_tick, event.rate) == (Amount(12, "mg"), ticks("6 h"), None)


@pytest.mark.parametrize(
    ("rate", "length"),
    [("100 ug/min", "2 h"), ("0.2 mg/min", "1 h"), ("288 mg/d", "1 h"), ("12 mg/h", "60 min")],
)
def test_units_of_the_rate(rate, length):
    dose = Dose(drug="morphine", rate=rate, duration=length, route="iv")
    assert dose.rate is not None
    assert dose.rate.duration_tick(Amount(12, "mg")) == dose.duration_tick


def test_amount_and_rate_give_the_length_and_keep_the_amount():
    dose = Dose(drug="morphine", amount="10 mg", rate="7 mg/h", route="iv")
    assert dose.amount == Amount(10, "mg")
    assert dose.duration_tick == round(10 / 7 * ticks("1 h"))


def test_amount_rate_and_length_have_to_agree():
    assert Dose(drug="m", amount="12 mg", rate="2 mg/h", duration="6 h", route="iv").duration == 6.0
    with pytest.raises(InputError, match="lasts 6 h, but `duration` is 5 h"):
        Dose(drug="m", amount="12 mg", rate="2 mg/h", duration="5 h", route="iv")


def test_a_rate_alone_has_no_end():
    with pytest.raises(InputError, match="has no end"):
        Dose(drug="m", rate="2 mg/h", route="iv")


def test_mass_and_molar_do_not_mix():
    with pytest.raises(InputError, match="mixes kinds of unit"):
        Dose(drug="m", amount="12 mg", rate="2 nmol/h", route="iv")


def test_rate_column_of_a_table():
    regimen = read_nonmem(io.StringIO("TIME,AMT,RATE\n0,12,2\n"), drug="m", route="iv", amount_unit="mg")
    assert regimen == parse_regimen("m 12 mg iv over 6 h")


@pytest.mark.parametrize("rate", [-1, -2])
def test_a_rate_left_to_a_model_file_is_refused(rate):
    with pytest.raises(InputError, match=f"Line 2: RATE is {rate}, which leaves the infusion to a model file"):
        read_nonmem(io.StringIO(f"TIME,AMT,RATE\n0,12,{rate}\n"), drug="m", route="iv", amount_unit="mg")


# ---- in the engine


def test_the_amount_enters_evenly():
    words = "morphine 2 mg/h iv for 6 h at 1 h"
    Bench(words, "24 h").agrees(("morphine", "iv", "12 mg", 1.0, 6.0))


def test_an_infusion_of_any_route_goes_where_its_own_input_would():
    bench = Bench("morphine 2 mg/h oral for 6 h; naltrexone 10 mg/h po for 3 h", "24 h")
    bench.agrees(("morphine", "oral", "12 mg", 0.0, 6.0), ("naltrexone", "oral", "30 mg", 0.0, 3.0))


def test_after_a_long_infusion_clearance_sets_the_level():
    bench = Bench("fentanyl 0.05 mg/h iv for 200 h", "200 h", step="10 h")
    found = bench.agrees(("fentanyl", "iv", "10 mg", 0.0, 200.0))
    level = bench.nmol("fentanyl", "iv", "50 ug") / bench.built.parameters["fentanyl.cl"]
    assert found["plasma_fentanyl"][-2] == pytest.approx(level, rel=1e-3)
