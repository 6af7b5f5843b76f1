"""Exponential of small matrices: the solution of linear equations with constant coefficients."""

from __future__ import annotations

from math import comb, factorial

import numpy as np

from schild.array_types import Floats

_DEGREE = 13
#: Coefficients of the numerator of the Padé approximant, relative to the first.
_PADE = [comb(_DEGREE, k) * factorial(2 * _DEGREE - k) / factorial(2 * _DEGREE) for k in range(_DEGREE + 1)]
#: Largest 1-norm for which the approximant is exact to double precision.
_LARGEST = 5.371920351148152


def matrix_exponential(matrices: Floats) -> Floats:
    r"""Exponential :math:`e^M` of each square matrix of an array of finite numbers, shape (..., n, n).

    Scaling and squaring with the diagonal Padé approximant of degree 13 [Higham2005]. A result does not depend on the
    other matrices of the array. SciPy's ``expm`` starts the threads of linear algebra for every small matrix, and they
    wait for each other most of the time.

    >>> matrix_exponential(np.array([[0.0, 1.0], [-1.0, 0.0]])).round(6).tolist()
    [[0.540302, 0.841471], [-0.841471, 0.540302]]
    """
    norm = np.abs(matrices).sum(axis=-2).max(axis=-1)
    halvings = np.ceil(np.log2(np.maximum(norm / _LARGEST, 1.0))).astype(int)
    a = np.ldexp(matrices, -halvings[..., None, None])
    b, one = _PADE, np.eye(a.shape[-1])
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a @ (a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one
    found: Floats = np.linalg.solve(even - odd, even + odd)
    for k in range(int(halvings.max(initial=0))):
        more = halvings > k
        found[more] = found[more] @ found[more]
    return found
