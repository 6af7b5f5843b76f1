"""Breathing, blood flow, oxygen stores and collapse under opioids, as the published regulatory model has them.

Time in seconds, pressures in mmHg, flows in L/s, drives in L/min; one relation per function. Equations and numbers
were read in the authors' program (``FDARescueModel``), which is what the published results were made with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: A number or an array; lists are taken too where an example shows one.
Real: TypeAlias = float | Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Lung:
    """Lung: ``volume`` [L], inspired pressures [mmHg], ``conversion`` of gas volumes [mmHg], ``shunt`` [1]."""

    volume: Any
    inspired_o2: Any
    inspired_co2: Any
    conversion: Any
    shunt: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissue:
    """Brain and the rest of the body: volumes [L]; gas made per second, oxygen negative [L/s]."""

    volume_brain: Any
    volume_tissue: Any
    co2_brain: Any
    o2_brain: Any
    co2_tissue: Any
    o2_tissue: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Blood flow: resting flows and ``q_ref`` [L/s], responses to gases, time constants [s], ``brain_mass`` [g]."""

    brain: Any
    tissue: Any
    rho: Any
    a_co2: Any
    b_co2: Any
    c_co2: Any
    d_co2: Any
    tau_co2: Any
    c1_o2: Any
    c2_o2: Any
    pao2_0: Any
    tau_o2: Any
    brain_mass: Any
    psi_cap: Any
    q_ref: Any
    scale_mid: Any
    scale_width: Any
    scale_max: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflex:
    """Chemoreflexes: volumes of the lags [L], firing [1/s], gains [L/min], set points [mmHg], time constants [s]."""

    lag_peripheral: Any
    lag_central: Any
    k_firing: Any
    b_co2: Any
    f_max: Any
    f_min: Any
    f_0: Any
    pao2_mid: Any
    pao2_width: Any
    tau_peripheral: Any
    tau_central: Any
    gain_peripheral: Any
    gain_central: Any
    pbco2_0: Any
    theta_min: Any
    theta_max: Any
    gain_depression: Any
    pbo2_0: Any
    tau_depression: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """From occupancy to breathing: exponents [1], drives [L/min], ``alveolar_share`` of ventilation [1]."""

    chemo_naive: Any
    wake_naive: Any
    chemo_chronic: Any
    wake_chronic: Any
    metabolism: Any
    wake_max: Any
    wake: Any
    alveolar_share: Any
    co2_floor: Any
    o2_floor: Any
    metabolism_po2: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse:
    """Collapse and arrest: ``pao2`` and ``co2_scale`` [mmHg], ``delay`` [s], ``rate`` [1/s], flows [L/min]."""

    pao2: Any
    delay: Any
    co2_scale: Any
    rate: Any
    weight_constant: Any
    weight_co2: Any
    arrest_flow: Any
    arrest_flow_main: Any
    taper_high: Any
    taper_low: Any


# Opioid to drive


def binding_rates(bound: Real, bound_rival: Real, ligand_pm: Real, k_on: Real, k_off: Real, n: Real) -> Floats:
    r"""Rate at which a ligand's share of the receptors grows, beside a rival.

    Parameters
    ----------
    bound, bound_rival : array_like
        Shares of receptors held by the ligand and by its rival. [1]
    ligand_pm : array_like
        Concentration at the effect site. [pM]
    k_on, k_off : array_like
        Association [1/s per pM^n] and dissociation [1/s].
    n : array_like
        Exponent of the concentration. [1]

    Returns
    -------
    ndarray
        :math:`k_{on} (1 - R - R') L^n - k_{off} R`. [1/s]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    Fentanyl at its half-effective concentration, alone, at equilibrium:

    >>> abs(float(binding_rates(0.5, 0.0, 351.1, 3.08e-5, 0.004331, 0.8439))) < 1e-6
    True
    """
    return np.asarray(
        k_on * (1.0 - np.asarray(bound) - bound_rival) * np.maximum(ligand_pm, 0.0) ** n - np.asarray(k_off) * bound
    )


def residual_wakefulness(activation: Real, exponent: Real, drive: Drive) -> Floats:
    r"""Wakefulness drive that an opioid leaves.

    Parameters
    ----------
    activation : array_like
        Share of mu receptors held by agonist (or its effective equivalent). [1]
    exponent : array_like
        Exponent p; larger in tolerance. [1]
    drive : Drive
        Numbers.

    Returns
    -------
    ndarray
        :math:`W - W_{max} R^p`. [L/min]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    Half the drive is gone at 46 % of receptors in a naive person:

    >>> from schild.rescue.parameters import published
    >>> residual_wakefulness([0.0, 0.463, 1.0], 0.9, published().drive).round(2).tolist()
    [6.62, 3.31, 0.0]
    """
    return np.asarray(drive.wake - drive.wake_max * np.maximum(activation, 0.0) ** exponent)


def chemoreflex_gain(activation: Real, exponent: Real) -> Floats:
    r"""Share of both chemoreflexes that an opioid leaves.

    Parameters
    ----------
    activation : array_like
        Share of mu receptors held by agonist. [1]
    exponent : array_like
        Exponent p. [1]

    Returns
    -------
    ndarray
        :math:`1 - R^p`. [1]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> chemoreflex_gain([0.0, 0.5, 1.0], 2.875).round(3).tolist()
    [1.0, 0.864, 0.0]
    """
    return np.asarray(1.0 - np.maximum(activation, 0.0) ** exponent)


# Blood flow


def flow_target_co2(paco2: Real, flow: Flow) -> Floats:
    r"""Steady change of brain blood flow by carbon dioxide.

    Parameters
    ----------
    paco2 : array_like
        Arterial pressure. [mmHg]
    flow : Flow
        Numbers.

    Returns
    -------
    ndarray
        :math:`\psi_c`, relative to resting flow; zero at 40 mmHg. [1]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> flow_target_co2([40.0, 60.0], published().flow).round(3).tolist()
    [0.0, 0.586]
    """
    ml_100g_min = flow.a_co2 + flow.b_co2 / (1.0 + np.exp(-(np.asarray(paco2) - flow.c_co2) / flow.d_co2))
    return np.asarray(ml_100g_min * flow.brain_mass / (100.0 * 1000.0 * 60.0) / flow.brain)


def flow_target_o2(pao2: Real, flow: Flow) -> Floats:
    r"""Steady rise of blood flow in lack of oxygen.

    Parameters
    ----------
    pao2 : array_like
        Arterial pressure. [mmHg]
    flow : Flow
        Numbers.

    Returns
    -------
    ndarray
        :math:`\min\{2, 17 (e^{-P/11} - e^{-95/11})\}`, relative to resting flow. [1]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> flow_target_o2([95.0, 40.0, 15.0], published().flow).round(3).tolist()
    [0.0, 0.445, 2.0]
    """
    rise = flow.c1_o2 * (np.exp(-np.asarray(pao2) / flow.c2_o2) - np.exp(-flow.pao2_0 / flow.c2_o2))
    return np.asarray(np.minimum(flow.psi_cap, rise))


def relaxation(value: Real, target: Real, tau_s: Real) -> Floats:
    r"""First-order approach of a value to its target.

    Parameters
    ----------
    value, target : array_like
        Same unit.
    tau_s : array_like
        Time constant. [s]

    Returns
    -------
    ndarray
        :math:`(target - value) / \tau`. [unit/s]

    Examples
    --------
    >>> relaxation(1.0, 3.0, 20.0).tolist()
    0.1
    """
    return np.asarray((np.asarray(target) - value) / tau_s)


def regional_flows(y_co2: Real, y_o2: Real, remaining: Real, flow: Flow) -> tuple[Floats, Floats]:
    r"""Blood flow of the brain and of the rest of the body.

    Parameters
    ----------
    y_co2, y_o2 : array_like
        Present responses to the gases, relative to resting flow. [1]
    remaining : array_like
        Share of flow that collapse has left. [1]
    flow : Flow
        Numbers.

    Returns
    -------
    tuple of ndarray
        :math:`Q_b (1 + y_c + y_o) \chi` and :math:`Q_t (1 + \rho y_o) \chi`. [L/s]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> [round(60 * float(q), 2) for q in regional_flows(0.0, 0.0, 1.0, published().flow)]
    [0.75, 4.25]
    """
    brain = flow.brain * (1.0 + np.asarray(y_co2) + y_o2) * remaining
    return np.asarray(brain), np.asarray(flow.tissue * (1.0 + flow.rho * np.asarray(y_o2)) * remaining)


def concentration_scale(cardiac_output: Real, flow: Flow) -> Floats:
    r"""Factor by which the reference multiplies drug concentrations at high flow.

    Parameters
    ----------
    cardiac_output : array_like
        Total flow. [L/s]
    flow : Flow
        Numbers.

    Returns
    -------
    ndarray
        Between 1 and 2, half-way at 1.6 times the reference flow. [1]

    Notes
    -----
    A peculiarity of the reference: its stated reason is haemorrhagic shock, where flow is low, but it acts when flow
    is high.

    References
    ----------
    :cite:t:`FDARescueModel`

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> concentration_scale([0.0812, 0.13, 0.2], published().flow).round(2).tolist()
    [1.0, 1.51, 2.0]
    """
    ratio = np.asarray(cardiac_output) / flow.q_ref
    return np.asarray(
        np.clip(1.0 + 1.0 / (1.0 + np.exp((flow.scale_mid - ratio) / flow.scale_width)), 1.0, flow.scale_max)
    )


# Metabolism, tissues, lung


def metabolism(wakefulness: Real, po2: Real, co2_rest: Real, o2_rest: Real, drive: Drive) -> tuple[Floats, Floats]:
    r"""Carbon dioxide and oxygen that a tissue makes, in depressed wakefulness and in lack of oxygen.

    Parameters
    ----------
    wakefulness : array_like
        Residual wakefulness drive. [L/min]
    po2 : array_like
        Oxygen in the tissue. [mmHg]
    co2_rest, o2_rest : array_like
        At rest; oxygen negative. [L/s]
    drive : Drive
        Numbers.

    Returns
    -------
    tuple of ndarray
        Carbon dioxide, and oxygen (negative). [L/s]

    Notes
    -----
    :math:`w = (W_r/W_{max})^{0.063}` bounded below by 0.87 for carbon dioxide and 0.93 for oxygen; at or below 6 mmHg
    both fall in proportion to the pressure. In the program oxygen is negative and its bound is a minimum of negative
    numbers: the *amount* is never below 93 %.

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> [float(m.round(5)) for m in metabolism(0.0, 30.0, 1.0, -1.0, published().drive)]
    [0.87, -0.93]
    >>> [float(m.round(5)) for m in metabolism(6.62, 3.0, 1.0, -1.0, published().drive)]
    [0.5, -0.5]
    """
    w = (np.maximum(wakefulness, 0.0) / drive.wake_max) ** drive.metabolism
    low = np.minimum(1.0, np.asarray(po2) / drive.metabolism_po2)
    return (
        np.asarray(co2_rest * np.maximum(w, drive.co2_floor) * low),
        np.asarray(o2_rest * np.maximum(w, drive.o2_floor) * low),
    )


def store_balance(flow: Real, arterial: Real, venous: Real, made: Real, volume: Real) -> Floats:
    r"""Rate of change of a gas content in a tissue.

    Parameters
    ----------
    flow : array_like
        Blood flow. [L/s]
    arterial, venous : array_like
        Contents of the blood that comes and goes. [L/L]
    made : array_like
        Gas made by metabolism. [L/s]
    volume : array_like
        Of the tissue. [L]

    Returns
    -------
    ndarray
        :math:`[Q (c_a - c_v) + M] / V`. [L/L/s]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> store_balance(0.0125, 0.20, 0.13, -0.000875, 1.32).round(12).tolist()
    0.0
    """
    return np.asarray((np.asarray(flow) * (np.asarray(arterial) - venous) + made) / volume)


def lung_balance(
    ventilation: Real,
    inspired: Real,
    alveolar: Real,
    cardiac_output: Real,
    venous: Real,
    capillary: Real,
    lung: Lung,
) -> Floats:
    r"""Rate of change of a gas pressure in the lung.

    Parameters
    ----------
    ventilation : array_like
        Alveolar ventilation. [L/s]
    inspired, alveolar : array_like
        Pressures. [mmHg]
    cardiac_output : array_like
        Total flow. [L/s]
    venous, capillary : array_like
        Contents of mixed venous blood and of blood that left the alveoli. [L/L]
    lung : Lung
        Numbers.

    Returns
    -------
    ndarray
        :math:`[\dot V (P_I - P_A) + \lambda Q (1 - s)(c_v - c_e)] / V_A`. [mmHg/s]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> lung_balance(0.075, 149.0, 100.0, 0.083, 0.15, 0.20, published().lung).round(3).tolist()
    0.055
    """
    exchange = lung.conversion * np.asarray(cardiac_output) * (1.0 - lung.shunt) * (np.asarray(venous) - capillary)
    return np.asarray((np.asarray(ventilation) * (np.asarray(inspired) - alveolar) + exchange) / lung.volume)


# Ventilatory control


def transport_delay(volume: Real, cardiac_output: Real, collapse: Collapse) -> Floats:
    r"""Time blood needs from the lung to a sensor.

    Parameters
    ----------
    volume : array_like
        Volume on the way. [L]
    cardiac_output : array_like
        Total flow. [L/s]
    collapse : Collapse
        Numbers.

    Returns
    -------
    ndarray
        :math:`K / Q`; zero once flow is below 0.98 L/min. [s]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> transport_delay(0.588, [0.084, 0.01], published().collapse).round(2).tolist()
    [7.0, 0.0]
    """
    q = np.asarray(cardiac_output, dtype=np.float64)
    return np.where(60.0 * q < collapse.taper_high, 0.0, volume / np.maximum(q, 1e-300))


def peripheral_firing(pao2: Real, paco2: Real, reflex: Reflex) -> Floats:
    r"""Firing of the peripheral chemoreceptors.

    Parameters
    ----------
    pao2, paco2 : array_like
        Arterial pressures. [mmHg]
    reflex : Reflex
        Numbers.

    Returns
    -------
    ndarray
        :math:`1.738 \ln(P_c/18) [f_{max} + f_{min} e^x] / [1 + e^x]` with :math:`x = (P_o - 45)/29.27`. [1/s]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> peripheral_firing([95.0, 40.0], 40.0, published().reflex).round(2).tolist()
    [3.6, 9.79]
    """
    x = np.exp((np.asarray(pao2) - reflex.pao2_mid) / reflex.pao2_width)
    by_co2 = reflex.k_firing * np.log(np.asarray(paco2) / reflex.b_co2)
    return np.asarray(by_co2 * (reflex.f_max + reflex.f_min * x) / (1.0 + x))


def central_depression_target(po2_brain: Real, reflex: Reflex) -> Floats:
    r"""Factor on the peripheral reflex that lack of oxygen in the brain tends to.

    Parameters
    ----------
    po2_brain : array_like
        Oxygen in the brain. [mmHg]
    reflex : Reflex
        Numbers.

    Returns
    -------
    ndarray
        :math:`1 + G_h (clip(P, 29.8, 37) - 32)/32`. [1]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> central_depression_target([32.0, 20.0], published().reflex).round(4).tolist()
    [1.0, 0.3125]
    """
    bounded = np.clip(po2_brain, reflex.theta_min, reflex.theta_max)
    return np.asarray(1.0 + reflex.gain_depression * (bounded - reflex.pbo2_0) / reflex.pbo2_0)


def chemoreflex_drive(peripheral: Real, central: Real, depression: Real) -> Floats:
    r"""Drive of both chemoreflexes together.

    Parameters
    ----------
    peripheral, central : array_like
        Drives. [L/min]
    depression : array_like
        Factor on a peripheral drive that is positive. [1]

    Returns
    -------
    ndarray
        Not negative. [L/min]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> chemoreflex_drive([2.0, -2.0], [0.5, 0.5], 0.5).tolist()
    [1.5, 0.0]
    """
    d = np.asarray(peripheral, dtype=np.float64)
    return np.maximum(0.0, np.where(d >= 0.0, depression * d, d) + central)


def flow_taper(cardiac_output: Real, collapse: Collapse) -> Floats:
    r"""Share of breathing that low flow leaves.

    Parameters
    ----------
    cardiac_output : array_like
        Total flow. [L/s]
    collapse : Collapse
        Numbers.

    Returns
    -------
    ndarray
        1 above 0.98 L/min, :math:`Q/0.98` below, 0 at or below 0.49 L/min. [1]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> flow_taper([5 / 60, 0.784 / 60, 0.4 / 60], published().collapse).round(3).tolist()
    [1.0, 0.8, 0.0]
    """
    q = 60.0 * np.asarray(cardiac_output, dtype=np.float64)
    return np.where(q <= collapse.taper_low, 0.0, np.minimum(1.0, q / collapse.taper_high))


def alveolar_ventilation(wakefulness: Real, chemoreflex: Real, taper: Real, floor_l_min: Real, drive: Drive) -> Floats:
    r"""Alveolar ventilation from the drives, or from a rescuer.

    Parameters
    ----------
    wakefulness, chemoreflex : array_like
        Drives. [L/min]
    taper : array_like
        Share that low flow leaves. [1]
    floor_l_min : array_like
        Ventilation that a rescuer or a machine provides at least; 0 for none. [L/min]
    drive : Drive
        Numbers.

    Returns
    -------
    ndarray
        :math:`0.66 \max(0, W_r + E)/60`; ventilation at the mouth is this over 0.66. [L/s]

    References
    ----------
    :cite:t:`Mann2022`; the floor is this project's.

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> alveolar_ventilation([6.62, 0.0], [0.0, 0.0], 1.0, [0.0, 5.0], published().drive).round(4).tolist()
    [0.0728, 0.055]
    """
    own = np.maximum(0.0, (np.asarray(wakefulness) + chemoreflex) * taper)
    return np.asarray(drive.alveolar_share * np.maximum(own, floor_l_min) / 60.0)


# Collapse


def collapse_rate(paco2: Real, collapse: Collapse) -> Floats:
    r"""Rate constant at which flow falls after collapse.

    Parameters
    ----------
    paco2 : array_like
        Arterial pressure. [mmHg]
    collapse : Collapse
        Numbers.

    Returns
    -------
    ndarray
        :math:`0.024 (0.15 + 0.85 P_c/52)`. [1/s]

    References
    ----------
    :cite:t:`Mann2022`

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> collapse_rate(52.0, published().collapse).round(4).tolist()
    0.024
    """
    return np.asarray(
        collapse.rate * (collapse.weight_constant + collapse.weight_co2 * np.asarray(paco2) / collapse.co2_scale)
    )


def arrest_hazard(pao2: Real, rate: Real, width: Real, collapse: Collapse) -> Floats:
    r"""Hazard of circulatory collapse by lack of oxygen: an alternative to the fixed delay.

    Parameters
    ----------
    pao2 : array_like
        Arterial pressure. [mmHg]
    rate : array_like
        Hazard at the threshold. [1/s]
    width : array_like
        Pressure over which it falls e-fold. [mmHg]
    collapse : Collapse
        Numbers; ``pao2`` is the threshold.

    Returns
    -------
    ndarray
        :math:`h_0 \exp(-(P_o - P_0)/w)`. [1/s]

    Notes
    -----
    Assumed, for comparison: no human data on the time from hypoxia to arrest were at hand.

    Examples
    --------
    >>> from schild.rescue.parameters import published
    >>> arrest_hazard([15.0, 92.0], 0.00315, 3.0, published().collapse).round(5).tolist()
    [0.00315, 0.0]
    """
    return np.asarray(rate * np.exp(-(np.asarray(pao2, dtype=np.float64) - collapse.pao2) / width))
