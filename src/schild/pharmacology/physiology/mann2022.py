"""Breathing, blood flow, oxygen stores and collapse under opioids, from the published regulatory model.

Time in seconds, pressures in mmHg, flows in L/s, drives in L/min; one relation per function. Equations and numbers
were read in the authors' program (``FDARescueModel``), with which the published results were computed.
"""

from __future__ import annotations

import numpy as np

from schild.array_types import Floats
from schild.pharmacology.physiology import Real, Record

# Opioid to drive


def residual_wakefulness(activation: Real, exponent: Real, drive: Record) -> Floats:
    r"""Wakefulness drive that an opioid leaves, :math:`W - W_{max} R^p` [Mann2022]. [L/min]

    ``activation``: share R of mu receptors occupied by agonist, or its effective equivalent [1]; ``exponent``: p,
    larger in tolerance [1]; ``drive``: numbers of the catalogue.

    Half the drive is gone at 46 % of receptors in a naive person:

    >>> from schild.overdose.parameters import published
    >>> residual_wakefulness([0.0, 0.463, 1.0], 0.9, published().drive).round(2).tolist()
    [6.62, 3.31, 0.0]
    """
    return np.asarray(drive.wake - drive.wake_max * np.maximum(activation, 0.0) ** exponent)


# Blood flow


def regional_flows(y_co2: Real, y_o2: Real, remaining: Real, flow: Record) -> tuple[Floats, Floats]:
    r"""Blood flow of the brain and of the rest of the body [Mann2022]. [L/s]

    These are :math:`Q_b (1 + y_c + y_o) \chi` and :math:`Q_t (1 + \rho y_o) \chi`. ``y_co2`` and ``y_o2``: present
    responses to the gases, relative to resting flow [1]; ``remaining``: share of flow that collapse has left [1];
    ``flow``: numbers of the catalogue.

    >>> from schild.overdose.parameters import published
    >>> [round(60 * float(q), 2) for q in regional_flows(0.0, 0.0, 1.0, published().flow)]
    [0.75, 4.25]
    """
    brain = flow.brain * (1.0 + np.asarray(y_co2) + y_o2) * remaining
    return np.asarray(brain), np.asarray(flow.tissue * (1.0 + flow.rho * np.asarray(y_o2)) * remaining)


def concentration_scale(cardiac_output: Real, flow: Record) -> Floats:
    r"""Factor, 1 to 2, by which the reference multiplies drug concentrations at high flow [FDARescueModel]. [1]

    It is half-way at 1.6 times the reference flow. This is a peculiarity of the reference: its stated reason is
    haemorrhagic shock, where flow is low, but it acts when flow is high. ``cardiac_output``: total flow [L/s];
    ``flow``: numbers of the catalogue.

    >>> from schild.overdose.parameters import published
    >>> concentration_scale([0.0812, 0.13, 0.2], published().flow).round(2).tolist()
    [1.0, 1.51, 2.0]
    """
    ratio = np.asarray(cardiac_output) / flow.q_ref
    return np.asarray(
        np.clip(1.0 + 1.0 / (1.0 + np.exp((flow.scale_mid - ratio) / flow.scale_width)), 1.0, flow.scale_max)
    )


# Ventilatory control


def chemoreflex_drive(peripheral: Real, central: Real, depression: Real) -> Floats:
    r"""Drive of both chemoreflexes together, not negative [Mann2022]. [L/min]

    ``peripheral`` and ``central``: drives [L/min]; ``depression``: factor on a positive peripheral drive [1].

    >>> chemoreflex_drive([2.0, -2.0], [0.5, 0.5], 0.5).tolist()
    [1.5, 0.0]
    """
    d = np.asarray(peripheral, dtype=np.float64)
    return np.maximum(0.0, np.where(d >= 0.0, depression * d, d) + central)


def flow_taper(cardiac_output: Real, collapse: Record) -> Floats:
    r"""Share of breathing that low flow leaves [Mann2022]. [1]

    It is 1 above 0.98 L/min, :math:`Q/0.98` below, 0 at or below 0.49 L/min. ``cardiac_output``: total flow [L/s];
    ``collapse``: numbers of the catalogue.

    >>> from schild.overdose.parameters import published
    >>> flow_taper([5 / 60, 0.784 / 60, 0.4 / 60], published().collapse).round(3).tolist()
    [1.0, 0.8, 0.0]
    """
    q = 60.0 * np.asarray(cardiac_output, dtype=np.float64)
    return np.where(q <= collapse.taper_low, 0.0, np.minimum(1.0, q / collapse.taper_high))


def alveolar_ventilation(wakefulness: Real, chemoreflex: Real, taper: Real, floor_l_min: Real, drive: Record) -> Floats:
    r"""Alveolar ventilation from the drives [Mann2022], or from a rescuer (this project's). [L/s]

    It is :math:`0.66 \max(0, W_r + E)/60`; ventilation at the mouth is this over 0.66. ``wakefulness`` and
    ``chemoreflex``: drives [L/min]; ``taper``: share that is left at low flow [1]; ``floor_l_min``: ventilation that a
    rescuer or a machine provides at least, 0 for none [L/min]; ``drive``: numbers of the catalogue.

    >>> from schild.overdose.parameters import published
    >>> alveolar_ventilation([6.62, 0.0], [0.0, 0.0], 1.0, [0.0, 5.0], published().drive).round(4).tolist()
    [0.0728, 0.055]
    """
    own = np.maximum(0.0, (np.asarray(wakefulness) + chemoreflex) * taper)
    return np.asarray(drive.alveolar_share * np.maximum(own, floor_l_min) / 60.0)
