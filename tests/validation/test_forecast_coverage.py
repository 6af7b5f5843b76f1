"""Bands of a forecast hold what they say: simulated people of all structures, each forecast from one measured level.

SCHILD_COVERAGE sets how many people; docs/own-data.md has the result for 2,000.
"""

import math
import os

import numpy as np
import pytest

import schild
from schild.catalog import load
from schild.forecasts import allot, run_like, structure_weights
from schild.simulation import simulate_run

REGIMEN = "naltrexone 380 mg im_depot q28d x2"
MEASURED_H, ASKED_H, ERROR = 50 * 24.0, 63 * 24.0, 0.2
MANY = int(os.environ.get("SCHILD_COVERAGE", "60"))


def people(n, seed):
    """Level when it is measured, and occupancy when it is asked for, of people of every structure by its weight."""
    weights, _ = structure_weights(load(), "naltrexone", None)
    found = []
    for name, count in allot(n, weights).items():
        wanted = ["plasma_naltrexone", "mor_pet_occupancy"]
        run = run_like([REGIMEN], None, "64 d", count, seed, {"naltrexone": name}, wanted, every="1 d")
        result = simulate_run(run, warn=False)
        found.append((result["plasma_naltrexone"].at(MEASURED_H), result["mor_pet_occupancy"].at(ASKED_H)))
    return np.concatenate(found, axis=1)


@pytest.mark.slow
def test_ninety_percent_bands_hold_ninety_percent_of_people():
    plasma, occupancy = people(MANY, 2)
    wide = float(np.diff(np.quantile(occupancy, (0.05, 0.95)))[0])
    sigma = math.sqrt(math.log1p(ERROR**2))
    measured = plasma * np.exp(sigma * np.random.default_rng(3).standard_normal(plasma.size))
    held, widths = [], []
    for k, (y, truth) in enumerate(zip(measured, occupancy, strict=True)):
        found = schild.forecast(REGIMEN, levels=[f"{y:.6g} ng/mL at 50 d"], until="64 d", seed=100 + k, error=ERROR)
        row = found.row("mor_pet_occupancy", ASKED_H)
        held.append(row["q05"] <= truth <= row["q95"])
        widths.append((row["q95"] - row["q05"]) / wide)
    print(f"held {np.mean(held):.4f} of {len(held)}; width of the band without a level: {np.mean(widths):.3f}")
    noise = 3.0 * math.sqrt(0.9 * 0.1 / len(held))
    assert abs(np.mean(held) - 0.9) < max(0.02, noise)
    assert np.mean(widths) < 1.0
