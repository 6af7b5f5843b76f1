"""The joint fit of agonists alone and challenges: its blocks, its errors, and its values in the catalogue."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.challenge_fit import JOINT, errors_of
from calibration.challenge_rows import with_challenges
from calibration.dose_model import blocks
from calibration.dose_response import seen, today
from calibration.dose_rows import EFFECTS, SPECIES, build_table
from schild.catalog import load
from schild.people import Overrides
from schild.validation.blocks import left


def one(reserve=5.0, slope=2.0, level=1.0, by=4.0, spread=0.0):
    """One challenge by one opioid, everything else one."""
    k, n = len(EFFECTS), len(SPECIES)
    felt = np.zeros((1, 2, n))
    felt[..., 0] = level
    a = {
        "block_effect": np.array([2]), "block_felt": felt, "block_spread": np.zeros((1, 2)), "block_arm": np.array([0]),
        "block_by": np.array([by]), "block_by_sd": np.array([0.5]), "block_who": np.array([0]),
    }  # fmt: skip
    p = {
        "reserve": np.full(k, reserve), "odds": np.zeros(n), "slope": np.full(k, slope), "omega": np.full(k, spread),
        "kd": np.ones(n), "x": np.ones((k, n)), "eta": np.zeros(1), "blocker": np.zeros(2),
    }  # fmt: skip
    return float(blocks(p, a, np)[0])


def test_a_block_in_one_person_is_that_of_the_operational_model():
    def response(blocked):
        stimulus = (5.0 * 1.0 / (1.0 + 1.0 + blocked)) ** 2.0
        return stimulus / (1.0 + stimulus)

    assert one() == pytest.approx(1.0 - response(4.0) / response(0.0), rel=1e-12)
    assert one(by=0.0) == pytest.approx(0.0, abs=1e-12)


def test_people_who_differ_are_blocked_less_where_the_curve_is_steep():
    assert one(level=0.2, slope=3.0, spread=1.0) < one(level=0.2, slope=3.0)


def test_a_bound_is_no_error_on_its_right_side():
    side = np.array([0.0, 1.0, 1.0, -1.0, -1.0])
    found = errors_of(np.array([0.5, 0.95, 0.85, 0.1, 0.3]), np.array([0.5, 0.9, 0.9, 0.2, 0.2]), side)
    assert found[[0, 1, 3]].tolist() == [0.0, 0.0, 0.0]
    assert found[2] < 0.0 < found[4]


def test_a_challenge_meets_what_the_engine_gives():
    arrays = with_challenges(build_table()).arrays
    rows = {r["id"]: k for k, r in enumerate(r for r in load().challenges if r["block"])}
    low, high = arrays["block_by"][rows["schuh1999_25mg"]], arrays["block_by"][rows["schuh1999_100mg"]]
    assert high / low == pytest.approx(4.0, rel=0.01)  # occupancy over the free fraction follows the dose
    assert arrays["block_side"].tolist() == [1.0, 1.0, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("row", "joint", "wanted"),
    [("schuh1999_25mg", 0.80, 0.408), ("schuh1999_5d", 0.707, 0.312), ("schuh1999_5d_pupil", 0.04, 0.42)],
)
def test_the_joint_values_block_as_the_note_says(row, joint, wanted):
    entry = next(r for r in load().challenges if r["id"] == row)
    for given, block in (({"rivals": JOINT}, joint), ({}, wanted)):
        without, with_ = left(entry, {"subject": None, "seed": 1}, overrides=given)
        assert 1.0 - with_[0] / without[0] == pytest.approx(block, abs=0.006)


def test_the_joint_values_describe_agonists_alone_no_worse():
    table = build_table()
    value, weight = seen(table)
    joint = Overrides.of({"rivals": JOINT}, load())
    before, after = (float(np.sqrt(np.mean(((value - today(table, g)) / weight) ** 2))) for g in ({}, joint))
    assert (before, after) == pytest.approx((2.0599, 2.0235), abs=0.002)
