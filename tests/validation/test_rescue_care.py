"""Help on the published grid: an earlier antagonist, rescue breathing and oxygen never bring an arrest to anyone.

With one exception, which is a finding (docs/rescue.md): breathing for a person without giving an antagonist, and
ceasing while the opioid lasts.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import pytest

import schild

DELAYS = ("30 s", "60 s", "180 s", "300 s", "600 s")
REGIMENS = ("none", "IN4mg_x1", "IN4mg_x2_150s", "IN4mg_4rapid")
OPIOIDS = ("fentanyl 1.625 mg iv", "carfentanil 0.012 mg iv")
CARE = {
    "breathing": {"breathing": "from 0 min to 20 min"},
    "breathing, short": {"breathing": "from 2 min to 5 min"},
    "oxygen": {"oxygen": "0.5 from 0 min to 20 min"},
    "oxygen, short": {"oxygen": "0.5 from 2 min to 5 min"},
}
GRID = [(opioid, collapse) for opioid in OPIOIDS for collapse in ("two_pass", "clock")]
QUICK = ("fentanyl 1.625 mg iv", "clock")


@lru_cache(maxsize=8)
def arrests(opioid, collapse, care="", n=200):
    found = schild.rescue(opioid, REGIMENS, delay=DELAYS, n=n, collapse=collapse, until="75 min", **CARE.get(care, {}))
    return {(row.regimen, row.delay): row.people.arrest for row in found.rows}


def check_delay(opioid, collapse, n=200):
    found = arrests(opioid, collapse, n=n)
    for regimen in REGIMENS[1:]:
        for early, late in pairwise(DELAYS):
            assert not (found[regimen, early] & ~found[regimen, late]).any(), (regimen, early)


def check_care(opioid, collapse, care, n=200):
    plain, helped = arrests(opioid, collapse, n=n), arrests(opioid, collapse, care, n=n)
    for (regimen, delay), flags in helped.items():
        if regimen != "none":
            assert not (flags & ~plain[regimen, delay]).any(), (regimen, delay)


def test_an_earlier_antagonist_in_few_people():
    check_delay(*QUICK, n=40)


@pytest.mark.parametrize("care", ["breathing, short", "oxygen"])
def test_care_in_few_people(care):
    check_care(*QUICK, care, n=40)


@pytest.mark.slow
@pytest.mark.parametrize(("opioid", "collapse"), GRID)
def test_an_earlier_antagonist(opioid, collapse):
    check_delay(opioid, collapse)


@pytest.mark.slow
@pytest.mark.parametrize("care", CARE)
@pytest.mark.parametrize(("opioid", "collapse"), GRID)
def test_care_with_an_antagonist(opioid, collapse, care):
    check_care(opioid, collapse, care)


@pytest.mark.slow
@pytest.mark.xfail(reason="a finding: without an antagonist, breathing that ceases too early loses people", strict=True)
@pytest.mark.parametrize("collapse", ["two_pass", "clock"])
def test_breathing_without_an_antagonist(collapse):
    plain, helped = (arrests("carfentanil 0.012 mg iv", collapse, care) for care in ("", "breathing"))
    assert not any((helped["none", delay] & ~plain["none", ""]).any() for delay in DELAYS)
