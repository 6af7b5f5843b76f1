"""Adaptation states on a given drive: what the kernel does beside the receptors, here for a course that is known.

Used to carry adaptation through many equal periods of earlier use, and to fit its numbers without solving receptors
again. The equation is that of ``schild.pharmacology.adaptation.adaptation_rate``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from schild.engine.cache import compiled

Floats = NDArray[np.float64]

__all__ = ["carry", "follow"]

#: Files that decide whether the compiled functions are still the right ones.
SOURCES = ("lags.py", "cache.py")

_PARTS = 8  # pieces of an interval in which a state crosses its drive
_STRIDE = 8  # period m is taken for the 1 + m // _STRIDE periods that begin with it


@compiled(SOURCES)
def _decay(a, s0, s1, h, gain, loss, sat):
    """One interval with a linear drive and one branch: exact without saturation, of second order with it.

    Returns the state at the end and what is left there of a difference at the beginning.
    """
    rate = loss + sat * gain * 0.5 * (s0 + s1)
    x = rate * h
    if x < 1e-4:
        e = 1.0 - x * (1.0 - 0.5 * x)
        return a * e + gain * h * (0.5 * (s0 + s1) - x * (s0 / 3.0 + s1 / 6.0)), e
    e = math.exp(-x)
    phi = (1.0 - e) / x
    return a * e + gain * h * (s0 * phi + (s1 - s0) * (1.0 - phi) / x), e


@compiled(SOURCES)
def _step(a, s0, s1, h, r):
    """One interval; where the state crosses its drive, in pieces."""
    up = s0 > a
    end, left = _decay(a, s0, s1, h, r[0] if up else r[1], r[2] if up else r[3], r[4])
    if (s1 > end) == up or (r[0] == r[1] and r[2] == r[3]):
        return end, left
    part = h / _PARTS
    left = 1.0
    for k in range(_PARTS):
        u0, u1 = s0 + (s1 - s0) * k / _PARTS, s0 + (s1 - s0) * (k + 1) / _PARTS
        up = 0.5 * (u0 + u1) > a
        a, e = _decay(a, u0, u1, part, r[0] if up else r[1], r[2] if up else r[3], r[4])
        left *= e
    return a, left


@compiled(SOURCES)
def _follow(times, drive, rates, start, out):
    for j in range(drive.shape[0]):
        for k in range(rates.shape[1]):
            a = start[j, k]
            out[j, k, 0] = a
            for i in range(times.size - 1):
                a, _ = _step(a, drive[j, i], drive[j, i + 1], times[i + 1] - times[i], rates[j, k])
                out[j, k, i + 1] = a


@compiled(SOURCES)
def _weights(h, gain, loss, w):
    """What a start and the two ends of a linear drive weigh in the state after an interval, without saturation."""
    x = loss * h
    if x < 1e-4:
        w[0] = 1.0 - x * (1.0 - 0.5 * x)
        w[1] = gain * h * (0.5 - x / 3.0)
        w[2] = gain * h * (0.5 - x / 6.0)
    else:
        w[0] = math.exp(-x)
        phi = (1.0 - w[0]) / x
        w[2] = gain * h * (1.0 - phi) / x
        w[1] = gain * h * phi - w[2]


@compiled(SOURCES)
def _carry(times, drive, index, first, last, rates, state):
    n_nodes = times.size
    n_lags = rates.shape[1]
    course = np.empty(n_nodes)
    weights = np.empty((n_lags, 2, n_nodes - 1, 3))
    for j in range(drive.shape[0]):
        # The same intervals come again in every period, so what they weigh is worked out once.
        for k in range(n_lags):
            for b in range(2):
                for i in range(n_nodes - 1):
                    _weights(times[i + 1] - times[i], rates[j, k, b], rates[j, k, 2 + b], weights[k, b, i])
        m = first
        w = 0
        while m < last:
            while w + 2 < index.size and index[w + 1] <= m:
                w += 1
            v = min(w + 1, index.size - 1)
            repeat = min(1 + (m - first) // _STRIDE, last - m)
            middle = max(float(index[w]), min(m + 0.5 * (repeat - 1), float(index[v])))
            share = (middle - index[w]) / (index[v] - index[w]) if v > w else 0.0
            # What builds up or is washed out is curved: a parabola through a third window takes most of that.
            u = w - 1 if w > 0 else v + 1
            bend = 0.0
            if v > w and u < index.size:
                bend = (middle - index[w]) * (middle - index[v])
            for i in range(n_nodes):
                here, rise = drive[j, w, i], drive[j, v, i] - drive[j, w, i]
                course[i] = here + share * rise
                if bend != 0.0:
                    slope_uw = (drive[j, u, i] - here) / (index[u] - index[w])
                    second = (slope_uw - rise / (index[v] - index[w])) / (index[u] - index[v])
                    course[i] = max(0.0, course[i] + bend * second)
            for k in range(n_lags):
                # The map of one period is affine while the branches stay: a -> one + slope (a - a_0).
                a = one = state[j, k]
                slope = 1.0
                plain = rates[j, k, 4] == 0.0
                alike = rates[j, k, 0] == rates[j, k, 1] and rates[j, k, 2] == rates[j, k, 3]
                for i in range(n_nodes - 1):
                    s0, s1 = course[i], course[i + 1]
                    if plain:
                        up = s0 > one
                        own = weights[k, 0 if up else 1, i]
                        end = one * own[0] + s0 * own[1] + s1 * own[2]
                        if alike or (s1 > end) == up:
                            one = end
                            slope *= own[0]
                            continue
                    one, left = _step(one, s0, s1, times[i + 1] - times[i], rates[j, k])
                    slope *= left
                if repeat == 1 or slope >= 1.0:
                    a += repeat * (one - a)
                else:
                    fixed = a + (one - a) / (1.0 - slope)
                    a = fixed + (a - fixed) * slope**repeat
                state[j, k] = a
            m += repeat


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
    _follow(_own(times), _own(drive), _own(rates), _own(begin), out)
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
    n_nodes): activation in the periods numbered ``index``; in between it is interpolated by parabolas, beyond it stays;
    ``index``, shape (n_windows,): rising, the first at most the first period; ``periods``: first period, and the one
    before which to stop; ``rates`` and ``start``: as for ``follow``; ``start`` has shape (n, n_states). Returns states
    at the end, shape (n, n_states).

    Period m stands for the ``1 + m // 8`` periods that begin with it, by the affine map that it is while no branch
    changes; the drive is that of their middle.

    >>> rates = np.array([[[0.01, 0.01, 0.01, 0.01, 0.0]]])
    >>> node, window = np.linspace(0.0, 6.0, 7), np.array([0])
    >>> end = carry(node, np.ones((1, 1, 7)), window, (0, 40), rates, np.zeros((1, 1)))
    >>> round(float(end[0, 0]), 4), round(1 - np.exp(-2.4), 4)
    (0.9093, np.float64(0.9093))
    """
    state = np.array(start, dtype=np.float64)
    where = np.require(index, np.int64, ["C", "W"])
    _carry(_own(times), _own(drive), where, int(periods[0]), int(periods[1]), _own(rates), state)
    return state


def _own(values: Floats) -> Floats:
    return np.require(values, np.float64, ["C", "W"])
