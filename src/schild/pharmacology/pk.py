"""Linear pharmacokinetics: rates of mammillary compartment models."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from schild.array_types import Floats


def disposition_rates(k10: ArrayLike, *exchange: tuple[ArrayLike, ArrayLike]) -> tuple[Floats, ...]:
    r"""Exponential rates of a mammillary model with elimination from the centre.

    Parameters
    ----------
    k10 : array_like
        Elimination rate constant, CL / Vc. [1/h]
    *exchange : tuple of (out, back)
        Rate constants from the centre to a peripheral compartment and back, Q / Vc and Q / Vp; none, one or two
        compartments. [1/h]

    Returns
    -------
    tuple of ndarray
        One rate for each compartment, fastest first. [1/h]

    Raises
    ------
    ValueError
        For more than two peripheral compartments.

    Notes
    -----
    The rates are the eigenvalues of the compartment matrix. With one peripheral compartment

    .. math:: \alpha + \beta = k_{10} + k_{12} + k_{21}, \qquad \alpha \beta = k_{10} k_{21},

    and :math:`\beta = k_{10} k_{21} / \alpha` avoids the cancellation of the textbook root. With two, the matrix is
    similar to a symmetric one, whose eigenvalues are real; the product rule
    :math:`\lambda_1 \lambda_2 \lambda_3 = k_{10} k_{21} k_{31}` sharpens the smallest.

    References
    ----------
    :cite:t:`GibaldiPerrier1982`

    Examples
    --------
    >>> [round(float(r), 4) for r in disposition_rates(1.0, (0.5, 0.2))]
    [1.5728, 0.1272]
    """
    k10 = np.asarray(k10, dtype=np.float64)
    if not exchange:
        return (k10,)
    if len(exchange) == 1:
        k12, k21 = (np.asarray(k, dtype=np.float64) for k in exchange[0])
        total = k10 + k12 + k21
        # (k10 - k21)^2 + k12 (k12 + 2 k10 + 2 k21) has no cancellation; total^2 - 4 k10 k21 has.
        root = np.sqrt((k10 - k21) ** 2 + k12 * (k12 + 2 * k10 + 2 * k21))
        alpha = 0.5 * (total + root)
        return alpha, k10 * k21 / alpha
    if len(exchange) == 2:
        (k12, k21), (k13, k31) = (
            (np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)) for a, b in exchange
        )
        k10, k12, k21, k13, k31 = np.broadcast_arrays(k10, k12, k21, k13, k31)
        matrix = np.zeros((*k10.shape, 3, 3))
        matrix[..., 0, 0] = k10 + k12 + k13
        matrix[..., 1, 1] = k21
        matrix[..., 2, 2] = k31
        matrix[..., 0, 1] = matrix[..., 1, 0] = -np.sqrt(k12 * k21)
        matrix[..., 0, 2] = matrix[..., 2, 0] = -np.sqrt(k13 * k31)
        slow, middle, fast = np.moveaxis(np.linalg.eigvalsh(matrix), -1, 0)
        for _ in range(2):  # Newton steps on the characteristic polynomial remove the rounding errors of eigvalsh
            fast, middle, slow = (_polish(x, k10, k12, k21, k13, k31) for x in (fast, middle, slow))
        return fast, middle, slow
    raise ValueError(f"disposition_rates takes at most two peripheral compartments; {len(exchange)} were given.")


def _polish(x: Floats, k10: Floats, k12: Floats, k21: Floats, k13: Floats, k31: Floats) -> Floats:
    """One Newton step for the secular equation times its poles."""
    a, b = k21 - x, k31 - x
    f = (k10 + k12 + k13 - x) * a * b - k12 * k21 * b - k13 * k31 * a
    slope = -a * b - (k10 + k12 + k13 - x) * (a + b) + k12 * k21 + k13 * k31
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(slope != 0, f / slope, 0.0)
    return np.where(np.abs(step) < 1e-3 * x, x - step, x)
