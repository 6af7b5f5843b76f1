"""Measurements of courses that claims rest on."""

from types import SimpleNamespace

import numpy as np
import pytest

from schild.explanation.experiments import BELOW_H, hours_over, time_below


def test_days_below_are_interpolated_and_count_from_the_peak_on():
    t = BELOW_H * np.arange(5)
    courses = np.array([
        [0.2, 0.9, 0.7, 0.3, 0.1],  # falls through 0.5 halfway between 8 and 12 h
        [0.1, 0.3, 0.4, 0.2, 0.0],  # is below at its peak, at 8 h
        [0.8, 0.9, 0.9, 0.8, 0.7],  # stays above
        [0.2, 0.1, 0.1, 0.0, 0.0],  # is below from the first point on
    ])  # fmt: skip
    lab = SimpleNamespace(pet=lambda *_, **__: (t, courses))
    found = time_below(lab, True, regimen="naltrexone 50 mg po", receptor="mor", threshold=0.5, after=0.0, until=16.0)
    assert found == pytest.approx([10 / 24, 8 / 24, np.nan, 0.0], nan_ok=True)


def test_hours_over_a_level_are_those_of_straight_lines():
    t = np.array([0.0, 1.0, 3.0])
    assert hours_over(t, np.array([[0.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.4, 0.2]]), 0.5).tolist() == [1.5, 3.0, 0.0]
