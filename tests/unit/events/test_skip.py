"""Skipped doses are left out; the others keep their times and their numbers."""

from __future__ import annotations

import pytest

from plainly import Bench
from schild.errors import InputError
from schild.regimen import Dose, expand, parse_regimen
from schild.units import ticks


def test_the_others_keep_times_and_occasions():
    events = expand(parse_regimen("naltrexone 50 mg po q24h x7 skip 2-4,6"), ticks("9 d"))
    assert [(e.time, e.occasion) for e in events] == [(0.0, 1), (96.0, 5), (144.0, 7)]


def test_occasions_count_the_doses_of_a_drug_over_records():
    words = "a 1 mg iv q24h x3 skip 2; b 1 mg iv at 30 h; a 1 mg iv at 36 h"
    events = expand(parse_regimen(words), ticks("9 d"))
    assert [(e.drug, e.occasion) for e in events] == [("a", 1), ("b", 1), ("a", 3), ("a", 4)]


@pytest.mark.parametrize("written", ["5-8,20", "5-8, 20", "5-8 ,20", "20,5,6,7,8", "5-8,20,6-7"])
def test_ways_to_write_it(written):
    assert parse_regimen(f"naltrexone 50 mg po q24h x28 skip {written}")[0].skip == (5, 6, 7, 8, 20)


@pytest.mark.parametrize("written", ["0", "8-5", "a", "5-", ",", "5,,6", "1.5", "-3", "99999999", "1-99999999"])
def test_what_is_no_number_of_a_dose_is_refused(written):
    with pytest.raises(InputError, match="expected"):
        parse_regimen(f"naltrexone 50 mg po q24h x28 skip {written}")


def test_more_than_were_ordered_is_refused():
    with pytest.raises(InputError, match="is 8; expected a whole number from 1 to 7"):
        parse_regimen("naltrexone 50 mg po q24h x7 skip 8")


def test_all_skipped_is_refused():
    with pytest.raises(InputError, match="All 3 doses are skipped"):
        Dose(drug="a", amount="1 mg", route="iv", every="1 d", count=3, skip=[1, 2, 3])


def test_a_skip_list_is_numbers():
    with pytest.raises(InputError, match="`skip` is"):
        Dose(drug="a", amount="1 mg", route="iv", every="1 d", count=3, skip="2")


# ---- in the engine


def test_a_skipped_dose_does_not_enter():
    bench = Bench("naltrexone 50 mg po q24h x5 skip 2,4", "6 d", step="2 h")
    bench.agrees(*[("naltrexone", "oral", "50 mg", 24.0 * k) for k in (0, 2, 4)])
