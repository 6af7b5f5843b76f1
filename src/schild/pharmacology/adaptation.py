"""Adaptation to opioids: states that follow receptor activation, and their effects (docs/design/adaptation.md)."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "COWS_MAX",
    "SEVERITY",
    "cows_of_drive",
    "ec50_shift",
    "severity",
    "sows_of_cows",
    "tau_divisor",
    "withdrawal_drive",
]

Value = TypeVar("Value", float, NDArray[np.float64])

#: Highest score of the Clinical Opiate Withdrawal Scale [Wesson2003]; of the subjective scale, 16 items of 0 to 4.
COWS_MAX, SOWS_MAX = 48.0, 64.0

#: Bands of the Clinical Opiate Withdrawal Scale: lowest score and word [Wesson2003].
SEVERITY = ((0.0, "none"), (5.0, "mild"), (13.0, "moderate"), (25.0, "moderately severe"), (37.0, "severe"))


def _plain(found: Any) -> Any:
    """Return a number for a number, and an array for an array."""
    return found if np.ndim(found) else float(found)


def withdrawal_drive(adapted: Value, activation: Value, tone: Value) -> Value:
    """Unopposed part of adaptation: ``max(0, adapted - activation - tone)``.

    Parameters
    ----------
    adapted : float or ndarray
        Weighted sum of the adaptation states. [1]
    activation : float or ndarray
        Activation by drugs now. [1]
    tone : float or ndarray
        Occupancy by the endogenous agonist now; an antagonist displaces it. [1]

    Returns
    -------
    float or ndarray
        Never negative; 0 in a person without adaptation, with or without an antagonist. [1]

    Examples
    --------
    >>> withdrawal_drive(0.0, 0.0, 0.001)
    0.0
    >>> round(withdrawal_drive(0.3, 0.05, 0.01), 2)
    0.24
    """
    found: Value = _plain(np.maximum(0.0, np.asarray(adapted) - activation - tone))
    return found


def cows_of_drive(drive: Value, half: Value | float, slope: Value | float) -> Value:
    """Latent score on the Clinical Opiate Withdrawal Scale, 0 to 48.

    Parameters
    ----------
    drive : float or ndarray
        From ``withdrawal_drive``. [1]
    half : float or ndarray
        Drive at half of the scale. [1]
    slope : float or ndarray
        Steepness. [1]

    Returns
    -------
    float or ndarray
        Score without the points of people without withdrawal, and without rating noise. [points]

    Examples
    --------
    >>> cows_of_drive(0.2, 0.2, 2.0)
    24.0
    """
    ratio = np.asarray(drive / half, dtype=np.float64) ** slope
    found: Value = _plain(COWS_MAX * ratio / (1.0 + ratio))
    return found


def sows_of_cows(cows: Value) -> Value:
    """Latent score on the Subjective Opiate Withdrawal Scale, 0 to 64: the same share of its range (assumed).

    Examples
    --------
    >>> sows_of_cows(24.0)
    32.0
    """
    return cows * (SOWS_MAX / COWS_MAX)


def tau_divisor(state: Value, reference: Value | float, depth: Value | float) -> Value:
    """Factor by which tolerance lowers tau of the operational model.

    Parameters
    ----------
    state : float or ndarray
        Adaptation state of the effect. [1]
    reference : float or ndarray
        Its steady value under morphine 120 mg a day. [1]
    depth : float or ndarray
        The factor at that reference, at least 1. [1]

    Returns
    -------
    float or ndarray
        ``1 + (depth - 1) state / reference``. [1]

    Examples
    --------
    >>> tau_divisor(0.1, 0.2, 5.0)
    3.0
    """
    return 1.0 + (depth - 1.0) * state / reference


def ec50_shift(tau: float, divisor: Value) -> Value:
    """Ratio of half-effect concentrations when tau falls, for slope one: ``(1 + tau) / (1 + tau / divisor)``.

    Parameters
    ----------
    tau : float
        Transducer ratio of the agonist in a naive person. [1]
    divisor : float or ndarray
        From ``tau_divisor``. [1]

    Returns
    -------
    float or ndarray
        Half-effect concentration (half of the agonist's own maximum) over the naive one. [1]

    Examples
    --------
    >>> round(ec50_shift(23.0, 5.0), 2)
    4.29
    """
    return (1.0 + tau) / (1.0 + tau / divisor)


def severity(cows: float) -> str:
    """Return the word for a withdrawal score.

    Examples
    --------
    >>> severity(14.0)
    'moderate'
    """
    return [word for low, word in SEVERITY if cows >= low or low == 0.0][-1]
