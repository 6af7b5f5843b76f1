"""Shape of the monthly injection: the label's peaks and the half-life of the decline."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from calibration import Fit, Fitted, calibration_rows, fit_rows

START = {
    "naltrexone.depot.burst.rate": np.log(2) / (0.2 * 24),
    "naltrexone.depot.pulse.rate": 1 / (0.6 * 24),
    "naltrexone.depot.tail.rate": np.log(2) / (6 * 24),
}


def fit(base: Mapping[str, float]) -> Fit:
    """Fit the rates of burst, pulse and tail to first peak, second peak and half-life.

    ``base``: overrides from the oral fit, so that all fits of one refit are consistent.
    """
    rows = calibration_rows("naltrexone_depot", "label_first_peak", "label_second_peak", "dunbar2006_half_life")
    solved = fit_rows(rows, START, base)
    numbers = tuple(Fitted.of(name, value) for name, value in solved.numbers.items())
    return Fit(title="shape of the injection", numbers=numbers, lines=tuple(solved.lines(base)))
