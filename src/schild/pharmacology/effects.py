"""Effects from receptor occupancy: the operational model, and breathing at rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from schild.array_types import Floats

#: Intrinsic efficacies above this are taken as this: the transducer ratio of a perfect agonist has no limit.
EFFICACY_CAP = 0.97


def transducer_ratio(reserve: ArrayLike, efficacy: ArrayLike) -> Floats:
    r"""Transducer ratio of a ligand for one effect.

    Parameters
    ----------
    reserve : array_like
        Reserve k of the effect: the ratio of an agonist of efficacy one half. [1]
    efficacy : array_like
        Intrinsic efficacy e of the ligand, 0 to 1. [1]

    Returns
    -------
    ndarray
        :math:`\tau = k\, e / (1 - e)`. [1]

    Raises
    ------
    ValueError
        If an efficacy lies outside 0 to 1.

    Notes
    -----
    In a system without reserve the operational model gives the maximal response :math:`\tau / (1 + \tau)`, so a ligand
    that reaches the fraction e there has :math:`\tau = e / (1 - e)`; reserve multiplies it.

    References
    ----------
    :cite:t:`BlackLeff1983`

    Examples
    --------
    >>> transducer_ratio(4.0, [0.0, 0.5, 0.9]).round(3).tolist()
    [0.0, 4.0, 36.0]
    """
    e = np.asarray(efficacy, dtype=np.float64)
    if np.any(e < 0) or np.any(e > 1):
        raise ValueError(f"efficacy must lie between 0 and 1; given {e.min():g} to {e.max():g}.")
    e = np.minimum(e, EFFICACY_CAP)
    return np.asarray(np.asarray(reserve, dtype=np.float64) * e / (1.0 - e))


def amplified_occupancy(occupancy: ArrayLike, factor: ArrayLike) -> Floats:
    r"""Effective occupancy of a ligand whose transduction in an effect is stronger than its occupancy.

    Parameters
    ----------
    occupancy : array_like
        Occupancy of the ligand, 0 to 1. [1]
    factor : array_like
        Transduction factor x of the ligand in this effect; 1 changes nothing. [1]

    Returns
    -------
    ndarray
        :math:`x\, o / (1 + (x - 1)\, o)`. [1]

    Notes
    -----
    Alone and at equilibrium the ligand acts as one whose dissociation constant is x times smaller; at full occupancy it
    acts as before, so the plateau does not change. Beside a competitor occupancy is :math:`c / (1 + c + a)`, which
    becomes :math:`x c / (1 + a + x c)`: the same competitor, the same dose ratio. It names an open conflict between
    scans and breathing (docs/design/calibration.md) and is not a mechanism.

    References
    ----------
    :cite:t:`BlackLeff1983`

    Examples
    --------
    >>> amplified_occupancy([0.0, 0.2, 1.0], 6.0).round(6).tolist()
    [0.0, 0.6, 1.0]
    """
    o, x = np.asarray(occupancy, dtype=np.float64), np.asarray(factor, dtype=np.float64)
    return np.asarray(x * o / (1.0 + (x - 1.0) * o))


def operational_response(stimulus: ArrayLike, slope: ArrayLike) -> Floats:
    r"""Fraction of the maximal response of a system that a stimulus reaches.

    Parameters
    ----------
    stimulus : array_like
        Sum over ligands of transducer ratio times occupancy; not negative. [1]
    slope : array_like
        Slope n of the transducer. [1]

    Returns
    -------
    ndarray
        :math:`S^n / (1 + S^n)`. [1]

    Notes
    -----
    The operational model of agonism for competitive occupancies; one transducer for all ligands.

    References
    ----------
    :cite:t:`BlackLeff1983`

    Examples
    --------
    >>> operational_response([0.0, 1.0, 3.0], 1.0).tolist()
    [0.0, 0.5, 0.75]
    """
    # Integration leaves occupancies of -1e-13 where nothing is bound, and powers of negative numbers are NaN.
    power = np.maximum(np.asarray(stimulus, dtype=np.float64), 0.0) ** np.asarray(slope, dtype=np.float64)
    return np.asarray(power / (1.0 + power))


def resting_ventilation(
    drive: ArrayLike, baseline_l_min: ArrayLike, pco2_mmhg: ArrayLike, threshold_mmhg: ArrayLike
) -> Floats:
    r"""Ventilation of a person who breathes air when the drive to breathe is reduced.

    Parameters
    ----------
    drive : array_like
        Fraction of the normal CO2 response that is left, 0 to 1. [1]
    baseline_l_min : array_like
        Ventilation at rest. [L/min]
    pco2_mmhg : array_like
        Carbon dioxide tension at rest. [mmHg]
    threshold_mmhg : array_like
        Tension at which the response starts; below ``pco2_mmhg``. [mmHg]

    Returns
    -------
    ndarray
        Steady ventilation. [L/min]

    Notes
    -----
    The point where the reduced response :math:`V = d\, G (P - B)` meets the metabolic hyperbola
    :math:`P V = P_0 V_0`, with :math:`G = V_0 / (P_0 - B)`:

    .. math:: V = \tfrac12 \left( \sqrt{d^2 G^2 B^2 + 4 d G P_0 V_0} - d G B \right).

    Carbon dioxide rises as breathing falls and maintains part of it. Without oxygen drive and delay: a steady state,
    which takes minutes to be reached. After a fast injection breathing first falls much further
    (docs/design/effects.md).

    References
    ----------
    :cite:t:`Grodins1954`

    Examples
    --------
    >>> resting_ventilation([1.0, 0.5, 0.0], 6.5, 40.0, 36.0).round(2).tolist()
    [6.5, 5.99, 0.0]
    """
    d = np.asarray(drive, dtype=np.float64)
    v0, p0, b = (np.asarray(x, dtype=np.float64) for x in (baseline_l_min, pco2_mmhg, threshold_mmhg))
    gain = v0 / (p0 - b)
    # The root of the drive is factored out, so that the product of a tiny drive and the gain does not underflow.
    return np.asarray(0.5 * (np.sqrt(d) * np.sqrt(d * (gain * b) ** 2 + 4.0 * gain * p0 * v0) - d * gain * b))
