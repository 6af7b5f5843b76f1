"""Held rows of opioid trials: each is compared with virtual trials of its size."""

from __future__ import annotations

import pytest

from schild.trial.opioid_checks import opioid_rows
from trial_held_rows import predict_rows


@pytest.mark.slow
@pytest.mark.parametrize("hazard", [False, True])
def test_a_held_row_is_compared_with_the_middle_of_virtual_trials(hazard):
    row = next(r for r in opioid_rows("held") if r.measure.startswith("hazard:") == hazard)
    (found,) = predict_rows([row.id], sets=1, people=60, trials=5)
    assert found.row == row
    assert found.low <= found.predicted <= found.high
    inside = found.predicted if row.low is not None else row.value
    low, high = (row.low, row.high) if row.low is not None else (found.low, found.high)
    assert found.holds == (low <= inside <= high)
