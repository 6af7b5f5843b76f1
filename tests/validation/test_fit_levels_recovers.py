"""A fit to simulated levels recovers the numbers behind them: bias and coverage over 200 data sets."""

import numpy as np
import pytest

import schild
from schild.observed import simulated_table

TRUTH = {"naltrexone.cl": 200.0, "naltrexone.oral.f": 0.18}
TIMES = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0)


@pytest.mark.slow
def test_bias_and_coverage():
    truth = schild.simulate("naltrexone 50 mg po", until="2 d", overrides=TRUTH)
    fits = [
        schild.fit_levels(simulated_table(truth, TIMES, error=0.15, lloq=0.05, seed=seed), list(TRUTH), prior="none")
        for seed in range(200)
    ]
    for k, (name, exact) in enumerate(TRUTH.items()):
        ratio = np.array([fit.overrides[name] / exact for fit in fits])
        covered = np.mean([fit.estimates[k].low < exact < fit.estimates[k].high for fit in fits])
        print(name, f"bias {ratio.mean() - 1:+.4f}", f"coverage {covered:.3f}")
        assert abs(ratio.mean() - 1) < 0.05
        assert 0.90 <= covered <= 0.98
