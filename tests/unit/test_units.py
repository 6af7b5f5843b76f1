"""Units: amounts, rates, weights, volumes and clearances become numbers once."""

from __future__ import annotations

import keyword
import subprocess
import sys
from contextlib import suppress

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schild.errors import InputError
from schild.regimen import Dose
from schild.units import (
    Amount,
    Rate,
    amount_nmol,
    format_hours,
    hours,
    parse_amount,
    parse_clearance,
    parse_rate,
    parse_weight,
    ticks,
)
from schild.units.reading import pint_factor

MW = 341.401


@pytest.mark.parametrize(
    "same", ["50 mg", "50mg", "0.05 g", "50000 ug", "50000 mcg", "50000 µg", "5e7 ng", "0.00005 kg", "50 MG"]
)
def test_the_same_mass_in_any_unit_is_the_same_bits(same):
    assert amount_nmol(parse_amount(same), MW, 0.9) == amount_nmol(Amount(50, "mg"), MW, 0.9)


@pytest.mark.parametrize("same", ["150 nmol", "0.15 umol", "0.15 µmol", "1.5e-4 mmol", "1.5e-7 mol"])
def test_molecules_do_not_depend_on_the_salt(same):
    assert amount_nmol(parse_amount(same), MW, 0.9) == 150.0


@given(st.decimals("0.001", "1000", places=6))
def test_grams_and_milligrams_agree(value):
    grams, milligrams = parse_amount(f"{value} g"), parse_amount(f"{value * 1000} mg")
    assert amount_nmol(grams, MW) == amount_nmol(milligrams, MW)


def test_50_mg_of_the_base():
    assert amount_nmol(Amount(50, "mg"), MW) == pytest.approx(50e6 / MW)


@pytest.mark.parametrize(
    "bad", ["50", "", "mg", "50 mgs", "50 Mg", "50 KG/kG", "0 mg", "-1 mg", "nan mg", "1e400 mg", "50 L", "50 mg mg",
            50, None, True, "5,0 mg", "50 mg/h", "50 mg**2", "1_0 mg"]
)  # fmt: skip
def test_what_is_no_amount_is_refused(bad):
    with pytest.raises(InputError):
        parse_amount(bad)


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_refused(text):
    for parse in (parse_amount, parse_rate, parse_weight, parse_clearance, ticks):
        with suppress(InputError):
            parse(text)


@pytest.mark.parametrize(("value", "unit"), [(0, "mg"), (-1, "mg"), (float("nan"), "mg"), (True, "mg"), (1, "lb")])
def test_an_amount_in_python_is_checked(value, unit):
    with pytest.raises(InputError):
        Amount(value, unit)


def test_per_kilogram():
    amount = parse_amount("0.15 mg/kg")
    assert amount == Amount(0.15, "mg/kg")
    assert amount_nmol(amount, MW) == amount_nmol(Amount(0.15, "mg"), MW)


@pytest.mark.parametrize(("mw", "salt"), [(0, 1), (float("nan"), 1), (MW, 0), (MW, float("inf"))])
def test_impossible_molecules(mw, salt):
    with pytest.raises(InputError, match="impossible"):
        amount_nmol(Amount(1, "mg"), mw, salt)


def test_rates():
    assert parse_rate("2mg/h") == Rate(2, "mg", "h")
    assert parse_rate("2 mg/hour").over(ticks("90 min")) == Amount(3, "mg")
    assert str(parse_rate("0.1 mcg/kg/min")) == "0.1 ug/kg/min"
    assert Rate(2, "mg", "h").duration_tick(Amount(3000, "ug")) == ticks("90 min")


@pytest.mark.parametrize("bad", ["2 mg", "2 mg/kg", "2/h", "2 L/h", "0 mg/h", "mg/h", 2.0, "2 mg/wk"])
def test_what_is_no_rate_is_refused(bad):
    with pytest.raises(InputError):
        parse_rate(bad)


def test_a_rate_in_python_is_checked():
    with pytest.raises(InputError, match="is not s, min, h or d"):
        Rate(2, "mg", "wk")


def test_a_rate_that_never_ends():
    with pytest.raises(InputError, match="more than 100 years"):
        Rate(1e-9, "ng", "d").duration_tick(Amount(1, "kg"))


def test_weight_and_clearance():
    assert parse_weight("70 kg") == parse_weight("70000 g") == 70.0
    assert parse_weight("1 stone") == pytest.approx(6.35, abs=0.01)
    assert parse_clearance("100 mL/min") == parse_clearance("0.1 L/min") == parse_clearance("6 L/h") == 100.0


@pytest.mark.parametrize(
    ("parse", "bad"),
    [
        (parse_weight, "70"), (parse_weight, "70 L"), (parse_weight, "-1 kg"), (parse_weight, 70.0),
        (parse_weight, "70 Kg"),
        (parse_clearance, "100"), (parse_clearance, "100 mL"), (parse_clearance, "100 mL/min/1.73 m2"),
        (parse_clearance, "100 mL/min/kg"), (parse_clearance, None),
    ],
)  # fmt: skip
def test_what_is_no_weight_or_clearance_is_refused(parse, bad):
    with pytest.raises(InputError):
        parse(bad)


def test_quantities_of_pint_are_taken():
    quantity = pint.UnitRegistry().Quantity
    assert hours(quantity(90, "min")) == 1.5
    assert parse_amount(quantity(0.05, "g")) == Amount(50, "mg")
    dose = Dose(drug="naltrexone", amount=quantity(50, "mg"), route="po", time=quantity(1, "day"))
    assert (dose.amount, dose.time_tick) == (Amount(50, "mg"), ticks("24 h"))
    with pytest.raises(InputError, match="is not a time"):
        ticks(quantity(1, "kg"))


@pytest.mark.parametrize(
    ("time", "words"),
    [(0, "0 h"), (24, "24 h"), (48, "2 d"), (60, "2.5 d"), (4.5, "4.5 h"), (0.25, "15 min"), (1 / 60, "60 s"),
     (-720, "-30 d"), (1, "1 h"), (1e-9 / 3.6 * 2500, "2500 us")],
)  # fmt: skip
def test_times_are_written_as_a_reader_would(time, words):
    assert format_hours(time) == words


def test_everyday_units_need_no_pint():
    code = (
        "import sys; from schild.regimen import parse_regimen; from schild.units import parse_clearance;"
        "parse_regimen('naltrexone 50 mg po q24h x7'); parse_clearance('100 mL/min');"
        "sys.exit('pint' in sys.modules or 'pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=300).returncode == 0


@pytest.mark.parametrize("word", [*keyword.kwlist, *keyword.softkwlist, "degC", "dB", "dBm", "pH", "delta", "mgmg"])
def test_a_word_that_is_no_factor_of_milligrams_is_no_unit(word):
    assert pint_factor(word, "mg") is None
