"""Breathing, blood flow, oxygen stores and collapse under opioids, as the published regulatory model has them.

Time in seconds, pressures in mmHg, flows in L/s, drives in L/min; one relation per function. Equations and numbers
were read in the authors' program (``FDARescueModel``), which is what the published results were made with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from schild.array_types import Floats

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

    >>> from schild.overdose.parameters import published
    >>> residual_wakefulness([0.0, 0.463, 1.0], 0.9, published().drive).round(2).tolist()
    [6.62, 3.31, 0.0]
    """
    return np.asarray(drive.wake - drive.wake_max * np.maximum(activation, 0.0) ** exponent)


# Blood flow


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
    >>> from schild.overdose.parameters import published
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
    >>> from schild.overdose.parameters import published
    >>> concentration_scale([0.0812, 0.13, 0.2], published().flow).round(2).tolist()
    [1.0, 1.51, 2.0]
    """
    ratio = np.asarray(cardiac_output) / flow.q_ref
    return np.asarray(
        np.clip(1.0 + 1.0 / (1.0 + np.exp((flow.scale_mid - ratio) / flow.scale_width)), 1.0, flow.scale_max)
    )


# Metabolism, tissues, lung


# Ventilatory control


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
    >>> from schild.overdose.parameters import published
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
    >>> from schild.overdose.parameters import published
    >>> alveolar_ventilation([6.62, 0.0], [0.0, 0.0], 1.0, [0.0, 5.0], published().drive).round(4).tolist()
    [0.0728, 0.055]
    """
    own = np.maximum(0.0, (np.asarray(wakefulness) + chemoreflex) * taper)
    return np.asarray(drive.alveolar_share * np.maximum(own, floor_l_min) / 60.0)
