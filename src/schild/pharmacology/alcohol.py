"""Alcohol: ethanol, endogenous opioid release, reward, sedation, craving, the next drink (docs/design/alcohol.md)."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "alcohol_reward",
    "breath_level",
    "craving_target",
    "drink_hazard",
    "drink_probability",
    "elimination_rate",
    "endogenous_activation",
    "endorphin_target",
    "grams_for_level",
    "occupied_response",
    "opioid_reward",
    "opioid_reward_left",
    "saturating",
    "widmark_volume",
]

Value = TypeVar("Value", float, NDArray[np.float64])


def _plain(found: Any) -> Any:
    return found if np.ndim(found) else float(found)


def widmark_volume(weight_kg: Value, factor_l_kg: Value | float) -> Value:
    """Apparent volume of distribution of ethanol, Widmark's factor times weight.

    Parameters
    ----------
    weight_kg : float or ndarray
        Body weight. [kg]
    factor_l_kg : float or ndarray
        Widmark's r; it differs between women and men. [L/kg]

    Returns
    -------
    float or ndarray
        Volume. [L]

    Examples
    --------
    >>> round(widmark_volume(70.0, 0.68), 1)
    47.6
    """
    return weight_kg * factor_l_kg


def grams_for_level(volume_l: Value, level_g_l: Value | float) -> Value:
    """Mass of ethanol that gives a level in blood if it is distributed at once and none is eliminated. [g]

    Examples
    --------
    >>> round(grams_for_level(47.6, 0.3), 1)
    14.3
    """
    return volume_l * level_g_l


def breath_level(level_g_l: Value, ratio: Value | float) -> Value:
    """Ethanol in breath for a level in blood [mg/L of breath].

    Parameters
    ----------
    level_g_l : float or ndarray
        Level in blood. [g/L]
    ratio : float or ndarray
        Ratio of blood to breath. [1]

    Returns
    -------
    float or ndarray
        Level at equilibrium with blood of the lungs; not valid with alcohol in the mouth. [mg/L]

    Examples
    --------
    >>> round(breath_level(0.5, 2100.0), 3)
    0.238
    """
    return 1000.0 * level_g_l / ratio


def elimination_rate(level_g_l: Value, vmax_g_h: Value | float, km_g_l: Value | float, clr_l_h: Value | float) -> Value:
    r"""Rate at which ethanol leaves the central compartment, by enzyme and kidney [Norberg2000].

    .. math:: V_{max} C / (K_m + C) + CL_r C

    Parameters
    ----------
    level_g_l : float or ndarray
        Level in blood, C. [g/L]
    vmax_g_h, km_g_l, clr_l_h : float or ndarray
        Capacity [g/h], level at half of it [g/L], renal clearance [L/h].

    Returns
    -------
    float or ndarray
        [g/h]

    Examples
    --------
    >>> round(elimination_rate(0.5, 5.7, 0.027, 0.216), 2)
    5.52
    """
    return vmax_g_h * level_g_l / (km_g_l + level_g_l) + clr_l_h * level_g_l


def saturating(level_g_l: Value, c50_g_l: Value | float, slope: float = 1.0) -> Value:
    """Effect of a concentration, 0 to 1: ``C^s / (C^s + C50^s)``.

    Examples
    --------
    >>> saturating(0.4, 0.4)
    0.5
    """
    if slope == 1.0:
        return level_g_l / (level_g_l + c50_g_l)
    found: Value = _plain(np.asarray(level_g_l) ** slope / (np.asarray(level_g_l) ** slope + c50_g_l**slope))
    return found


def endorphin_target(
    level_g_l: Value,
    rise_g_l_h: Value,
    e0: Value | float,
    gain: Value | float,
    c50_g_l: float,
    rise_gain_h_l_g: Value | float,
) -> Value:
    r"""Target of the load of endogenous opioid under release.

    .. math:: E_0 \left(1 + \rho \frac{C}{C + C_{50}} + \phi \max(0, C')\right)

    The load itself follows as ``E' = kE (target - E)``.

    Parameters
    ----------
    level_g_l, rise_g_l_h : float or ndarray
        Level [g/L] and its rate of change [g/L/h].
    e0 : float or ndarray
        Load at rest, concentration over Kd. [1]
    gain : float or ndarray
        Rise at saturating alcohol over rest. [1]
    c50_g_l : float
        Level at half of it. [g/L]
    rise_gain_h_l_g : float or ndarray
        Rise for each g/L/h on the rising limb. [h L/g]

    Returns
    -------
    float or ndarray
        Target, never below ``e0``, and equal to it without alcohol. [1]

    Notes
    -----
    Sizes are not known in man; imaging shows the sign [Mitchell2012].

    Examples
    --------
    >>> endorphin_target(0.0, 0.0, 0.05, 0.3, 0.4, 0.1)
    0.05
    >>> round(endorphin_target(0.4, 1.0, 0.05, 0.3, 0.4, 0.1), 4)
    0.0625
    """
    rising = np.maximum(0.0, rise_g_l_h)
    found: Value = _plain(e0 * (1.0 + gain * level_g_l / (level_g_l + c50_g_l) + rise_gain_h_l_g * rising))
    return found


def endogenous_activation(load: Value, occupancy: Value | float, e0: Value | float) -> Value:
    r"""Occupancy of mu by the endogenous agonist beside an antagonist: ``E / (1 + E + B)``.

    Parameters
    ----------
    load : float or ndarray
        Endogenous agonist over its Kd, E. [1]
    occupancy : float or ndarray
        Fraction of receptors that the antagonist occupies while the load is at rest, 0 to 1. [1]
    e0 : float or ndarray
        Load at rest. [1]

    Returns
    -------
    float or ndarray
        [1]

    Notes
    -----
    The antagonist over its Kd is ``B = occ (1 + E0) / (1 - occ)``; written so that full occupancy gives 0.

    Examples
    --------
    >>> round(endogenous_activation(0.1, 0.0, 0.05), 4), endogenous_activation(0.1, 1.0, 0.05)
    (0.0909, 0.0)
    """
    left = 1.0 - occupancy
    return load * left / ((1.0 + load) * left + occupancy * (1.0 + e0))


def opioid_reward(load: Value, occupancy: Value | float, e0: Value | float, load_max: float) -> Value:
    r"""Opioid part of reward: the rise of mu activation by alcohol, over its maximum in a typical person.

    .. math:: \frac{O(E, occ) - O(E_0, occ)}{O(E_{max}, 0) - O(E_0, 0)}

    Parameters
    ----------
    load, occupancy, e0
        As for ``endogenous_activation``.
    load_max : float
        Load of a typical person at saturating alcohol; at ``e0`` there is no opioid reward. [1]

    Returns
    -------
    float or ndarray
        0 without alcohol, with or without an antagonist, and 0 under a full blockade; it falls with occupancy while
        ``e0 * load < 1``. [1]

    Examples
    --------
    >>> round(opioid_reward(0.065, 0.0, 0.05, 0.065), 6), opioid_reward(0.065, 1.0, 0.05, 0.065)
    (1.0, 0.0)
    """
    most = load_max / (1.0 + load_max) - e0 / (1.0 + e0)
    rest: Any = endogenous_activation(np.asarray(e0), occupancy, e0)
    added = endogenous_activation(load, occupancy, e0) - rest
    found: Value = _plain(np.where(np.asarray(most) > 0.0, added / np.where(most > 0.0, most, 1.0), 0.0))
    return found


def opioid_reward_left(occupancy: Value, e0: float, load: float) -> Value:
    """Share of the opioid reward of one load that an antagonist leaves.

    Parameters
    ----------
    occupancy : float or ndarray
        Occupancy of mu by the antagonist. [1]
    e0, load : float
        Load at rest and after alcohol. [1]

    Returns
    -------
    float or ndarray
        1 without antagonist, 0 at full occupancy; almost ``1 - occupancy`` for small loads. [1]

    Examples
    --------
    >>> opioid_reward_left(0.0, 0.05, 0.06), round(opioid_reward_left(0.95, 0.05, 0.06), 3)
    (1.0, 0.053)
    """
    left = 1.0 - np.asarray(occupancy, dtype=np.float64)
    a, d = 1.0 + e0, load - e0
    found: Value = _plain((a * left - e0 * left**2) / (a + d * left) * (a + d))
    return found


def alcohol_reward(opioid: Value, level_g_l: Value, share: Value | float, c50_g_l: Value | float) -> Value:
    """Momentary reward: ``f x opioid part + (1 - f) x C / (C + C50)``.

    Parameters
    ----------
    opioid : float or ndarray
        From ``opioid_reward``. [1]
    level_g_l, c50_g_l : float or ndarray
        Level, and level at half of the part that is not opioid. [g/L]
    share : float or ndarray
        Opioid share, f. [1]

    Returns
    -------
    float or ndarray
        1 at saturating alcohol in a typical person. [1]

    Examples
    --------
    >>> round(alcohol_reward(0.0, 0.4, 0.15, 0.4), 3)
    0.425
    """
    return share * opioid + (1.0 - share) * saturating(level_g_l, c50_g_l)


def occupied_response(response: Value, occupancy: Value | float, factor: Value | float) -> Value:
    """Sedation or negative mood of alcohol under an antagonist: ``response (1 + factor x occupancy)``.

    Examples
    --------
    >>> round(occupied_response(0.2, 0.95, 0.3), 3)
    0.257
    """
    return response * (1.0 + factor * occupancy)


def craving_target(
    cue: Value, reward: Value, occupancy: Value | float, start: float, prime: float, share: Value | float
) -> Value:
    """Target of craving at present: ``start + (cue + prime x reward)(1 - share x occupancy)``.

    Parameters
    ----------
    cue : float or ndarray
        Sight, smell and taste of a drink, 0 to 1. [1]
    reward : float or ndarray
        Reward of what was drunk. [1]
    occupancy : float or ndarray
        Occupancy of mu by the antagonist. [1]
    start, prime : float
        Craving without a cue, and craving for a unit of reward. [1]
    share : float or ndarray
        Share that full occupancy removes. [1]

    Returns
    -------
    float or ndarray
        In units of the effect of the cue; ``start`` without cue and alcohol, with or without an antagonist. [1]

    Examples
    --------
    >>> craving_target(0.0, 0.0, 0.95, 0.2, 0.5, 0.3)
    0.2
    """
    return start + (cue + prime * reward) * (1.0 - share * occupancy)


def drink_hazard(
    rate_1_h: Value,
    scale: Value | float,
    reward: Value,
    sedation: Value,
    craving: Value,
    weights: tuple[float, float, float],
) -> Value:
    r"""Rate at which the next drink is taken.

    .. math:: \lambda \exp\left(b\,(w_R R - w_S S + w_Y Y)\right)

    Parameters
    ----------
    rate_1_h : float or ndarray
        Rate where reward, sedation and craving are 0. [1/h]
    scale : float or ndarray
        b. [1]
    reward, sedation, craving : float or ndarray
        In standard deviations of their ratings; craving over that at the start of the session. [1]
    weights : (float, float, float)
        Weights of reward, sedation and craving, all positive. [1]

    Returns
    -------
    float or ndarray
        [1/h]

    Examples
    --------
    >>> drink_hazard(3.0, 0.5, 0.0, 0.0, 0.0, (1.0, 1.0, 1.0))
    3.0
    """
    drive = weights[0] * reward - weights[1] * sedation + weights[2] * craving
    found: Value = _plain(rate_1_h * np.exp(scale * drive))
    return found


def drink_probability(hazard_1_h: Value, hours: float) -> Value:
    """Probability that the next drink is taken within a time: ``1 - exp(-hazard x time)``.

    Examples
    --------
    >>> round(drink_probability(3.0, 1 / 12), 3)
    0.221
    """
    found: Value = _plain(-np.expm1(-hazard_1_h * hours))
    return found
