"""Competitive antagonism: the equation of Gaddum and Schild for curves at several antagonist levels."""

from __future__ import annotations

import math

import numpy as np

from schild.array_types import Floats

_LN10 = math.log(10.0)


def log_dose_ratio(log_antagonist: Floats, pa2: float, slope: float = 1.0) -> Floats:
    r"""Shift of an agonist curve by a competitive antagonist, as the logarithm of the dose ratio.

    Parameters
    ----------
    log_antagonist : ndarray
        Decadic logarithm of the antagonist concentration; minus infinity where there is none. [log10 M]
    pa2 : float
        Negative logarithm of the concentration with a dose ratio of 2. [-log10 M]
    slope : float
        Schild slope; 1 for simple competition. [1]

    Returns
    -------
    ndarray
        Decadic logarithm of the dose ratio. [1]

    Notes
    -----
    .. math:: \log_{10}(r - 1) = s\,(\log_{10}[B] + pA_2)

    With :math:`s = 1` this is Gaddum's equation, and :math:`pA_2 = pK_B`.

    References
    ----------
    Gaddum 1937; Arunlakshana and Schild 1959.

    Examples
    --------
    >>> (10 ** log_dose_ratio(np.array([-np.inf, -9.0, -8.0]), 9.0)).round(3)
    array([ 1.,  2., 11.])
    """
    log_b = np.asarray(log_antagonist, dtype=np.float64)
    there = np.isfinite(log_b)
    z = slope * (np.where(there, log_b, 0.0) + pa2)
    return np.where(there, np.logaddexp(0.0, z * _LN10) / _LN10, 0.0)


def gaddum_schild(
    log_agonist: Floats,
    log_antagonist: Floats,
    *,
    bottom: float,
    top: float,
    log_ec50: float,
    hill: float,
    pa2: float,
    slope: float = 1.0,
) -> Floats:
    r"""Response to an agonist in the presence of a competitive antagonist.

    Parameters
    ----------
    log_agonist, log_antagonist : ndarray
        Decadic logarithms of the concentrations; minus infinity for none. [log10 M]
    bottom, top : float
        Response without agonist and at its maximum. [response]
    log_ec50 : float
        Logarithm of the agonist concentration at half response, without antagonist. [log10 M]
    hill : float
        Steepness of the agonist curve. [1]
    pa2, slope : float
        As in `log_dose_ratio`.

    Returns
    -------
    ndarray
        Response. [response]

    Notes
    -----
    .. math:: E = E_0 + \frac{(E_m - E_0)\,[A]^n}{[A]^n + \left(EC_{50}\,(1 + ([B]\,10^{pA_2})^s)\right)^n}

    For agonist and antagonist at equilibrium: the shift is parallel and the maximum does not change.

    References
    ----------
    Gaddum 1937; Arunlakshana and Schild 1959.

    Examples
    --------
    >>> a = np.log10([1e-7, 2e-7])
    >>> b = np.log10([1e-9])
    >>> gaddum_schild(a, b, bottom=0.0, top=1.0, log_ec50=-7.0, hill=1.0, pa2=9.0).round(4)
    array([0.3333, 0.5   ])
    """
    from scipy.special import expit

    x50 = log_ec50 + log_dose_ratio(log_antagonist, pa2, slope)
    return np.asarray(bottom + (top - bottom) * expit(hill * _LN10 * (np.asarray(log_agonist) - x50)))
