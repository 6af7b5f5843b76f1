"""Placebo arms that were not fitted: every row is read, and what agrees is said."""

from __future__ import annotations

import math

import pytest

from schild.catalog import load
from schild.trial.placebo_checks import PlaceboCheck, check_placebo


def test_every_row_has_a_source_and_a_prediction():
    rows = load().placebo_arms
    assert {row["source"] for row in rows} <= set(load().references)
    found = check_placebo(arms=3)
    assert [c.id for c in found] == [row["id"] for row in rows]
    for c in found:
        assert math.isfinite(c.predicted)
        assert c.low <= c.predicted <= c.high
        assert c.holds == (c.low <= c.observed <= c.high)
        assert 0 <= c.predicted <= 100


@pytest.mark.parametrize(("observed", "holds"), [(1.0, True), (2.1, False), (0.4, False)])
def test_a_row_agrees_inside_the_middle_of_virtual_arms(observed, holds):
    assert PlaceboCheck(id="a", measure="doses", observed=observed, predicted=1, low=0.5, high=2).holds == holds
