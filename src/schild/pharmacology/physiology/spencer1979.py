"""Gas content of blood and its inverse, with the interaction of oxygen and carbon dioxide."""

from __future__ import annotations

import numpy as np

from schild.array_types import Floats
from schild.pharmacology.physiology import Real, Record


def blood_contents(po2: Real, pco2: Real, gas: Record) -> tuple[Floats, Floats]:
    r"""Content of oxygen and carbon dioxide of blood at given pressures [Spencer1979]. [L gas (STPD) per L blood]

    With :math:`F_o = P_o (1 + \beta_1 P_c) / [K_1 (1 + \alpha_1 P_c)]`, and the indices exchanged for carbon dioxide,
    :math:`c = Z C F^{1/a} / (1 + F^{1/a})`. ``po2`` and ``pco2``: partial pressures, not negative [mmHg]; ``gas``:
    numbers of the catalogue.

    Arterial and venous blood:

    >>> from schild.overdose.parameters import published
    >>> oxygen, carbon_dioxide = blood_contents([95.0, 40.0], [40.0, 46.0], published().gas)
    >>> oxygen.round(3).tolist(), carbon_dioxide.round(3).tolist()
    ([0.198, 0.151], [0.486, 0.534])
    """
    po, pc = np.maximum(po2, 0.0), np.maximum(pco2, 0.0)
    f_o = po * (1.0 + gas.beta1 * pc) / (gas.k1 * (1.0 + gas.alpha1 * pc))
    f_c = pc * (1.0 + gas.beta2 * po) / (gas.k2 * (1.0 + gas.alpha2 * po))
    x, y = f_o ** (1.0 / gas.a1), f_c ** (1.0 / gas.a2)
    return gas.z * gas.c1 * x / (1.0 + x), gas.z * gas.c2 * y / (1.0 + y)


def blood_pressures(oxygen: Real, carbon_dioxide: Real, gas: Record) -> tuple[Floats, Floats]:
    r"""Partial pressures of blood with given contents: the inverse of `blood_contents` [Spencer1979]. [mmHg]

    With :math:`D = K [c / (ZC - c)]^a` for both gases the two curves are a pair of bilinear equations, whose positive
    solution is the root of a quadratic equation. ``oxygen`` and ``carbon_dioxide``: contents, below the capacities Z C
    [L/L]; ``gas``: numbers of the catalogue.

    >>> from schild.overdose.parameters import published
    >>> gas = published().gas
    >>> pressures = blood_pressures(*blood_contents(95.0, 40.0, gas), gas)
    >>> [round(float(p), 6) for p in pressures]
    [95.0, 40.0]
    """
    zo, zc = gas.z * gas.c1, gas.z * gas.c2
    d1 = gas.k1 * (np.maximum(oxygen, 0.0) / (zo - np.asarray(oxygen))) ** gas.a1
    d2 = gas.k2 * (np.maximum(carbon_dioxide, 0.0) / (zc - np.asarray(carbon_dioxide))) ** gas.a2
    n1 = gas.beta2 + gas.alpha2 * gas.beta1 * d2
    n2 = gas.beta1 + gas.alpha1 * gas.beta2 * d1
    cross = gas.alpha1 * gas.alpha2 * d1 * d2
    r1 = -(1.0 + gas.beta1 * d2 - gas.beta2 * d1 - cross) / (2.0 * n1)
    r2 = -(1.0 + gas.beta2 * d1 - gas.beta1 * d2 - cross) / (2.0 * n2)
    s1 = -(d1 + gas.alpha1 * d1 * d2) / n1
    s2 = -(d2 + gas.alpha2 * d1 * d2) / n2
    return r1 + np.sqrt(r1 * r1 - s1), r2 + np.sqrt(r2 * r2 - s2)
