"""Potency of agonists without their own dose series; the others are in ``calibrate.dose_response``.

No run here has an antagonist on board.
"""

from __future__ import annotations

from collections.abc import Mapping

from calibration import Fit, Fitted, calibration_rows, fit_rows
from schild.catalog import load
from schild.pharmacology.effects import transducer_ratio

#: Drug with pain relief by mu and kappa; its factor comes from the table of equal doses.
PENTAZOCINE = ("equianalgesic", "equal_pentazocine_im")

#: Agonists whose factor is read from the concentration at half effect on breathing.
BY_FORMULA = ("methadone", "carfentanil")


def _with_reserve(drug: str) -> float:
    """Convert a half-effect factor to one of affinity: at half effect occupancy is 1 / tau, so Kd = C50 (tau - 1)."""
    entry = load().drug(drug)
    (anchor,) = (v.value for v in entry.number("mor.factor").values[1:2])
    reserve = load().effects["ventilation_isohypercapnic"].numbers["reserve"].value
    efficacy = entry.number(str(entry.binding["mor"].efficacy)).value
    return anchor * (float(transducer_ratio(reserve, efficacy)) - 1.0)


def fit(base: Mapping[str, float] | None = None) -> Fit:
    """Compute the factors by formula and fit that of pentazocine.

    ``base``: overrides from the fits of kinetics and scans, so that all fits of one refit are consistent.
    """
    numbers = [Fitted(drug=drug, name="mor.factor", value=_with_reserve(drug)) for drug in BY_FORMULA]
    solved = fit_rows(calibration_rows(*PENTAZOCINE), {"pentazocine.mor.factor": 50.0}, base or {})
    numbers += [Fitted.of(name, value, solved.cv[name]) for name, value in solved.numbers.items()]
    lines = (
        "by formula: concentration at half effect over Ki, times the transducer ratio for breathing less 1",
        *solved.lines(base or {}),
    )
    return Fit(title="potency of agonists without a dose series", numbers=tuple(numbers), lines=lines)
