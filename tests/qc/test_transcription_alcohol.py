"""Second transcription of the rows about alcohol: typed from the evidence rows, not copied from the TOML."""

import re

import pytest

from evidence import table
from schild.catalog import load
from schild.catalog.alcohol import ALCOHOL_UNITS, DRINK

ROWS = {o.id: o for o in load().studies["alcohol_laboratory"].observations}

#: Norberg 2000: number, evidence row, printed value and SD, factor to the unit of the catalogue.
KINETICS = {
    "vmax": ("H094", 95, 25, 60 / 1000),  # mg/min to g/h
    "km": ("H095", 27, 19, 1 / 1000),  # mg/L to g/L
    "cld": ("H096", 809, 232, 60 / 1000),  # mL/min to L/h
    "vc": ("H097", 14.5, 4.3, 1),
    "vt": ("H098", 21.2, 4.4, 1),
    "clr": ("H099", 3.6, 2.0, 60 / 1000),
}

#: Pooled effect sizes: row of the catalogue, evidence row, people, g, interval.
POOLED = {
    "hendershot2017_drinks": ("H109", 490, -0.277, -0.421, -0.133),
    "hendershot2017_craving": ("H110", 748, -0.286, -0.416, -0.156),
    "ray2019_craving": ("H111", 686, -0.252, -0.375, -0.130),
    "ray2019_stimulation": ("H112", 675, -0.223, -0.372, -0.074),
    "ray2019_sedation": ("H113", 777, 0.251, 0.112, 0.389),
    "ray2019_mood": ("H114", 281, 0.227, 0.100, 0.354),
}

#: Single studies: evidence row, words it prints, direction (0: nothing found), people.
SINGLE = {
    "omalley2002_drinks": ("H115", "fewer drinks", -1, 18),
    "omalley2002_first": ("H115", "slower", 1, 18),
    "omalley2002_craving": ("H115", "less craving", -1, 18),
    "drobes2004_craving": ("H118", "craving and stimulation suppressed", -1, 125),
    "drobes2004_stimulation": ("H118", "craving and stimulation suppressed", -1, 125),
    "mccaul2000_stimulation_50": ("H119", "liking, best effect, desire down", -1, 23),
    "mccaul2000_stimulation_100": ("H119", "liking, best effect, desire down", -1, 23),
    "mccaul2000_sedation_50": ("H119", "sedation/unpleasant up", 1, 23),
    "mccaul2000_sedation_100": ("H119", "sedation/unpleasant up", 1, 23),
    "mccaul2000_craving_50": ("H119", "desire down", -1, 23),
    "mccaul2000_craving_100": ("H119", "desire down", -1, 23),
    "davidson1999_drinks": ("H120", "less beer", -1, 51),
    "davidson1999_first": ("H120", "slower", 1, 51),
    "davidson1999_craving": ("H120", "lower urge", -1, 51),
    "davidson1999_some_more": ("H120", "some drank more", 0.1, 51),
    "setiawan2011": ("H121", "only in women and A118G", 0, 40),
    "doty1995_25mg": ("H122", "no attenuation", 0, 13),
    "doty1997_50mg": ("H122", "no attenuation", 0, 25),
    "plebani2011": ("H123", "no naltrexone effect", 0, 43),
}


@pytest.mark.parametrize("name", KINETICS)
def test_kinetics(name):
    row, value, sd, factor = KINETICS[name]
    number = load().alcohol[name]
    assert number.value == pytest.approx(value * factor)
    assert number.between_subject.cv == pytest.approx(sd / value, abs=5e-4)
    assert number.chosen.row == (f"outcomes/data.csv#{row}",)
    assert number.chosen.verified == "abstract"


def test_the_derived_correlation():
    assert load().alcohol["rho.vc.vt"].value == pytest.approx((4.3**2 - 4.3**2 - 4.4**2) / (2 * 4.3 * 4.4), abs=5e-3)
    assert load().alcohol["vss"].value == 35.8


@pytest.mark.parametrize("key", POOLED)
def test_pooled_effect_sizes(key):
    row, n, g, low, high = POOLED[key]
    o = ROWS[key]
    assert (o.n, o.value, o.low, o.high, o.role) == (n, g, low, high, "calibration")
    assert o.sd_fixed == pytest.approx((high - low) / (2 * 1.96), abs=1e-4)
    assert o.row == (f"outcomes/data.csv#{row}",)


@pytest.mark.parametrize("key", SINGLE)
def test_single_studies(key):
    row, _, direction, n = SINGLE[key]
    o = ROWS[key]
    assert (o.value, o.n, o.role) == (direction, n, "check")
    assert o.row == (f"outcomes/data.csv#{row}",)


def test_every_row_was_typed():
    assert set(ROWS) == {*POOLED, *SINGLE}


def test_what_was_typed_stands_in_the_evidence():
    evidence = table("outcomes/data.csv")
    for row, value, sd, _ in KINETICS.values():
        assert float(evidence[row]["value"]) == value
        assert evidence[row]["spread"] == f"SD {sd}"
    for row, n, g, low, high in POOLED.values():
        assert (float(evidence[row]["value"]), int(evidence[row]["n"])) == (g, n)
        printed = [float(x) for x in re.findall(r"-?\d+\.\d+", evidence[row]["spread"].split(",")[0])]
        assert printed == [low, high]
        assert evidence[row]["verified"] == "abstract"
    for row, words, _, n in SINGLE.values():
        assert words.lower() in " ".join(evidence[row].values()).lower()
        assert str(n) in evidence[row]["n"]


def test_recalled_numbers_are_said_to_be():
    for name in ("widmark.male", "widmark.female", *(k for k in load().alcohol if k.startswith(DRINK))):
        value = load().alcohol[name].chosen
        assert (value.source, value.verified) == (("Recalled",), "memory")
    for name in ("release.gain", "release.rise", "release.rate", "release.c50", "ka.fasted", "ka.fed"):
        assert load().alcohol[name].chosen.basis == "assumed"
        assert load().alcohol[name].chosen.low is not None


def test_nothing_is_missing_and_nothing_is_extra():
    assert {k for k in load().alcohol if not k.startswith(DRINK)} == set(ALCOHOL_UNITS)
