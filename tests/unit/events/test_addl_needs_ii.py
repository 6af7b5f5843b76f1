"""Additional doses need an interval."""

from __future__ import annotations

import io

import pytest

from schild.errors import InputError
from schild.regimen import Dose, parse_regimen, read_nonmem


def test_in_words():
    with pytest.raises(InputError, match="how many doses but not how often; expected an interval"):
        parse_regimen("naltrexone 50 mg po x7")


def test_in_python():
    with pytest.raises(InputError, match="additional doses need an interval"):
        Dose(drug="naltrexone", amount="50 mg", route="po", count=7)


def test_in_a_table():
    table = io.StringIO("TIME,AMT,II,ADDL\n0,50,24,3\n100,50,0,3\n")
    with pytest.raises(InputError, match="Line 3: II is 0 but ADDL is 3; additional doses need an interval"):
        read_nonmem(table, drug="naltrexone", route="po", amount_unit="mg")


@pytest.mark.parametrize("every", [0, "0 h", -1.0, "-24 h"])
def test_the_interval_is_above_zero(every):
    with pytest.raises(InputError, match="expected a time above 0"):
        Dose(drug="naltrexone", amount="50 mg", route="po", every=every)
