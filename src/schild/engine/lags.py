r"""Adaptation states on a given drive, as the kernel computes them with the receptors.

Used to follow adaptation through many equal periods of earlier use, and to fit its numbers without solving receptors
again. A state a on a drive s follows [Ouellet1995]

.. math:: a' = g\,s\,(1 - \sigma a) - l\,a,

where gain g and loss l have one value while the drive is above the state and another otherwise, and the saturation
sigma is 0 for a state that follows the drive itself and 1 for one that cannot pass one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.engine.portable import entry, plain


def follow(times: Floats, drive: Floats, rates: Floats, start: Floats | None = None) -> Floats:
    """Adaptation states on a drive that is linear between given times.

    ``times``, shape (n_times,): rising [h]; ``drive``, shape (n, n_times): activation [1]; ``rates``, shape (n,
    n_states, 5): gain_up, gain_down, loss_up, loss_down [1/h], saturation [1]; ``start``, shape (n, n_states): states
    at the first time; zero by default. Returns states, shape (n, n_states, n_times).

    >>> times = np.linspace(0.0, 10.0, 11)
    >>> rates = np.array([[[0.5, 0.1, 0.5, 0.1, 0.0]]])
    >>> a = follow(times, np.ones((1, 11)), rates)
    >>> bool(np.allclose(a[0, 0], 1 - np.exp(-0.5 * times)))
    True
    """
    begin = np.zeros((drive.shape[0], rates.shape[1])) if start is None else start
    out = np.empty((drive.shape[0], rates.shape[1], times.size))
    entry("follow_lags")(plain(times), plain(drive), plain(rates), plain(begin), out)
    return out


def carry(
    times: Floats,
    drive: Floats,
    index: NDArray[np.int64],
    periods: tuple[int, int],
    rates: Floats,
    start: Floats,
) -> Floats:
    """Adaptation states after many periods whose drive is known in some of them.

    ``times``, shape (n_nodes,): nodes of one period, from 0 to its length [h]; ``drive``, shape (n, n_windows,
    n_nodes): activation in the periods numbered ``index``; in between parabolas, beyond them constant;
    ``index``, shape (n_windows,): rising, the first at most the first period; ``periods``: first period, and the one
    after the last; ``rates`` and ``start``: as for ``follow``; ``start`` has shape (n, n_states). Returns states
    at the end, shape (n, n_states).

    Period m represents the ``1 + m // 8`` periods that begin with it, by its affine map, which is exact while no branch
    changes; the drive is that of their middle.

    >>> rates = np.array([[[0.01, 0.01, 0.01, 0.01, 0.0]]])
    >>> node, window = np.linspace(0.0, 6.0, 7), np.array([0])
    >>> end = carry(node, np.ones((1, 1, 7)), window, (0, 40), rates, np.zeros((1, 1)))
    >>> round(float(end[0, 0]), 4), round(1 - np.exp(-2.4), 4)
    (0.9093, np.float64(0.9093))
    """
    state = np.array(start, dtype=np.float64)
    first, last = int(periods[0]), int(periods[1])
    entry("carry_lags")(plain(times), plain(drive), plain(index, np.int64), first, last, plain(rates), state)
    return state
