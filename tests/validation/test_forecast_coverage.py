"""Bands of a forecast hold what they say: 2,000 simulated people over all structures, each with one measured level."""

import math

import numpy as np
import pytest

from schild.catalog import load
from schild.forecasts import Level, people_like, quantile, weights_of

REGIMEN = "naltrexone 380 mg im_depot q28d x2"
MEASURED_H, ASKED_H, ERROR = 50 * 24.0, 63 * 24.0, 0.2


def seen(n, seed):
    """Level when it is measured, and occupancy when it is asked for, of people of every structure."""
    catalogue, found = load(), []
    for name in catalogue.drug("naltrexone").structures:
        result = people_like(
            [REGIMEN], None, "64 d", n, seed, {"naltrexone": name}, ["plasma_naltrexone", "mor_pet_occupancy"],
            catalogue, None, every="1 d",
        )  # fmt: skip
        found.append((result["plasma_naltrexone"].at(MEASURED_H), result["mor_pet_occupancy"].at(ASKED_H)))
    return np.concatenate(found, axis=1)


@pytest.mark.slow
def test_ninety_percent_bands_hold_ninety_percent_ofpeople_like():
    plasma, occupancy = seen(400, 1)
    true_plasma, true_occupancy = seen(400, 2)
    assert true_plasma.size == 2000
    sigma = math.sqrt(math.log1p(ERROR**2))
    measured = true_plasma * np.exp(sigma * np.random.default_rng(3).standard_normal(2000))
    held, narrower = [], []
    wide = np.diff(np.quantile(occupancy, (0.05, 0.95)))[0]
    for y, truth in zip(measured, true_occupancy, strict=True):
        weights, _ = weights_of(plasma[:, None], [Level("naltrexone", float(y), MEASURED_H, False)], ERROR)
        low, high = quantile(occupancy, weights, (0.05, 0.95))
        held.append(low <= truth <= high)
        narrower.append((high - low) / wide)
    print(f"held {np.mean(held):.4f}; width of the band without a level: {np.mean(narrower):.3f}")
    assert 0.88 <= np.mean(held) <= 0.92
    assert np.mean(narrower) < 1.0
