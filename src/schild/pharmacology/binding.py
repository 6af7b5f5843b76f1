"""Competition of ligands for one receptor pool: at equilibrium, over time, and Schild's dose ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from schild.array_types import Floats
from schild.pharmacology.linear import matrix_exponential

__all__ = ["competitive_occupancy", "dose_ratio", "kinetic_occupancy"]


def _checked(free_nM: ArrayLike, kd_nM: ArrayLike) -> tuple[Floats, Floats]:
    free, kd = np.asarray(free_nM, dtype=np.float64), np.asarray(kd_nM, dtype=np.float64)
    if np.any(free < 0):
        raise ValueError(f"free_nM must not be negative; the smallest is {free.min():g} nM. Give concentrations.")
    if np.any(kd <= 0):
        raise ValueError(f"kd_nM must be positive; the smallest is {kd.min():g} nM. Give dissociation constants.")
    return free, kd


def competitive_occupancy(free_nM: ArrayLike, kd_nM: ArrayLike) -> Floats:
    r"""Equilibrium occupancy of one receptor pool by competing ligands.

    Parameters
    ----------
    free_nM : array_like, shape (..., n_ligands)
        Free concentration of each ligand at the receptor. [nM]
    kd_nM : array_like, shape (n_ligands,)
        Equilibrium dissociation constant of each ligand. [nM]

    Returns
    -------
    ndarray, shape (..., n_ligands)
        Fraction of the pool bound by each ligand. [1]

    Raises
    ------
    ValueError
        If a concentration is negative or a dissociation constant is not positive.

    Notes
    -----
    Gaddum's equation for any number of ligands,

    .. math:: \theta_i = \frac{C_i/K_i}{1 + \sum_j C_j/K_j}.

    One binding site, no depletion of ligand, no cooperativity. The free fraction is one minus the sum.

    References
    ----------
    Gaddum JH. J Physiol 1937;89:7P-9P.

    Examples
    --------
    >>> competitive_occupancy([3.0, 1.0], [1.0, 1.0])
    array([0.6, 0.2])
    """
    free, kd = _checked(free_nM, kd_nM)
    load = free / kd
    # Divided by the largest load, so that a huge concentration does not overflow the sum.
    scale = np.maximum(load.max(axis=-1, keepdims=True, initial=1.0), 1.0)
    load = load / scale
    return np.asarray(load / (1.0 / scale + load.sum(axis=-1, keepdims=True)))


def dose_ratio(free_nM: ArrayLike, kd_nM: ArrayLike) -> Floats:
    r"""Rightward shift of an agonist's curve by antagonists at equilibrium.

    Parameters
    ----------
    free_nM : array_like, shape (..., n_antagonists)
        Free concentration of each antagonist. [nM]
    kd_nM : array_like, shape (n_antagonists,)
        Its dissociation constant. [nM]

    Returns
    -------
    ndarray, shape (...)
        Agonist concentration needed with the antagonists over that without, for any occupancy. [1]

    Notes
    -----
    .. math:: DR = 1 + \sum_j C_j/K_j = \frac{1}{1 - \sum_j \theta_j}.

    It holds at equilibrium, not for a receptor that dissociates slowly during the challenge.

    References
    ----------
    Arunlakshana O, Schild HO. Br J Pharmacol 1959;14:48-58.

    Examples
    --------
    >>> float(dose_ratio([4.0], [1.0]))
    5.0
    """
    free, kd = _checked(free_nM, kd_nM)
    return np.asarray(1.0 + (free / kd).sum(axis=-1))


def kinetic_occupancy(
    time_h: ArrayLike, free_nM: ArrayLike, kd_nM: ArrayLike, koff_per_h: ArrayLike, start: ArrayLike | None = None
) -> Floats:
    r"""Occupancy over time while concentrations are constant.

    Parameters
    ----------
    time_h : array_like, shape (n_times,)
        Times after the start. [h]
    free_nM : array_like, shape (..., n_ligands)
        Constant free concentrations. [nM]
    kd_nM : array_like, shape (n_ligands,)
        Dissociation constants. [nM]
    koff_per_h : array_like, shape (n_ligands,)
        Dissociation rate constants. [1/h]
    start : array_like, shape (..., n_ligands), optional
        Occupancies at the start; none bound by default. [1]

    Returns
    -------
    ndarray, shape (..., n_times, n_ligands)
        Occupancy by each ligand. [1]

    Raises
    ------
    ValueError
        For negative concentrations, constants that are not positive, or a start that exceeds one pool.

    Notes
    -----
    With :math:`k_{on,i} = k_{off,i}/K_i` and the free fraction :math:`1 - \sum_j \theta_j`,

    .. math:: \dot\theta_i = k_{on,i} C_i \Big(1 - \sum_j \theta_j\Big) - k_{off,i} \theta_i,

    a linear system, solved by the matrix exponential. Its limit is Gaddum's equation.

    Examples
    --------
    >>> late = kinetic_occupancy([1e4], [3.0, 1.0], [1.0, 1.0], [40.0, 0.01])
    >>> [round(float(x), 6) for x in late[0]]
    [0.6, 0.2]
    """
    free, kd = _checked(free_nM, kd_nM)
    koff = np.asarray(koff_per_h, dtype=np.float64)
    begin = np.zeros(free.shape) if start is None else np.asarray(start, dtype=np.float64)
    if np.any(koff <= 0):
        raise ValueError(f"koff_per_h must be positive; the smallest is {koff.min():g} /h. Give rate constants.")
    if np.any(begin < 0) or np.any(begin.sum(axis=-1) > 1 + 1e-9):
        most = begin.sum(axis=-1).max()
        raise ValueError(
            f"start holds {begin.min():g} to {most:g} of the pool; expected 0 or more each, at most 1 in all. "
            "Give fractions of one pool."
        )
    end = competitive_occupancy(free, kd)
    rate = -np.diag(koff) - (koff / kd * free)[..., None]
    times = np.atleast_1d(np.asarray(time_h, dtype=np.float64))
    left = matrix_exponential(rate[..., None, :, :] * times[:, None, None]) @ (begin - end)[..., None, :, None]
    return np.asarray(end[..., None, :] + left[..., 0])
