"""Placebo arms that were not fitted: every row is read, and what agrees is said."""

from __future__ import annotations

import math

import pytest

from schild.catalog import load
from trial_placebo import PlaceboCheck, _arms, _own_level, check_placebo


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


@pytest.mark.slow
def test_a_trial_with_its_own_level_has_its_baseline_and_is_held_to_other_rows():
    rows = [row for row in load().placebo_arms if row["study"] == "Litten 2013"]
    people = _arms(4, 1500, False, 1, _own_level(rows))[1][0]
    known = {row["measure"]: float(row["value"]) for row in rows}
    assert 100 * people[:, 2].mean() / 28 == pytest.approx(known["before:heavy"], abs=0.3)
    assert 100 - 100 * people[:, 1].mean() / 28 == pytest.approx(known["before:abstinent"], abs=0.3)
    found = check_placebo(arms=3, own_level=True)
    assert len(found) == 21
    assert not {c.measure for c in found} & {"before:heavy", "before:abstinent", "doses", "injections:2"}


@pytest.mark.slow
def test_a_level_known_by_abstinent_days_alone_is_met():
    level = _own_level([{"measure": "before:abstinent", "value": "30"}])
    people = _arms(4, 1500, False, 1, level)[1][0]
    assert 100 - 100 * people[:, 1].mean() / 28 == pytest.approx(30.0, abs=0.3)
