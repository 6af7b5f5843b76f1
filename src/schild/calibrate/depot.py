"""Shape of the monthly injection: the label's peaks and the half-life of the decline."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from schild.array_types import Floats
from schild.calibrate import Fit, Fitted, calibration_rows, gauss_newton
from schild.simulation.observe import predict

STUDY = "naltrexone_depot"
NAMES = ("depot.burst.rate", "depot.pulse.rate", "depot.tail.rate")


def fit(base: Mapping[str, float]) -> Fit:
    """Fit the rates of burst, pulse and tail to first peak, second peak and half-life.

    ``base``: overrides from the oral fit, so that one refit is consistent in itself.
    """
    rows = calibration_rows(STUDY, "label_first_peak", "label_second_peak", "dunbar2006_half_life")

    def overrides(x: Floats) -> dict[str, float]:
        return {**base} | {f"naltrexone.{name}": float(v) for name, v in zip(NAMES, x, strict=True)}

    def residuals(x: Floats) -> Floats:
        found = [float(predict(o, overrides=overrides(x), receptors=["mor"])[0]) for o in rows]
        # A curve without a first peak is as wrong as one 20 times too late.
        return np.array([np.log(v / o.value) if np.isfinite(v) else 3.0 for v, o in zip(found, rows, strict=True)])

    start = (np.log(2) / (0.2 * 24), 1 / (0.6 * 24), np.log(2) / (6 * 24))
    value, left, _ = gauss_newton(residuals, start)
    lines = [
        f"{o.id:28s} observed {o.value:6.3g} {o.unit:4s} model {o.value * np.exp(r):6.3g}"
        for o, r in zip(rows, left, strict=True)
    ]
    numbers = tuple(Fitted(drug="naltrexone", name=name, value=float(v)) for name, v in zip(NAMES, value, strict=True))
    return Fit(title="shape of the injection", numbers=numbers, lines=tuple(lines))
