"""The compiled part of ``schild.engine.lags``: adaptation states over intervals with a linear drive."""

from __future__ import annotations

import math

import numpy as np

from schild.engine.cache import compiled
from schild.engine.portable import KERNELS

SOURCES = KERNELS["follow_lags"].sources

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
def follow_lags(times, drive, rates, start, out):
    """Write the states at every time; ``lags.follow`` explains the arrays."""
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
def carry_lags(times, drive, index, first, last, rates, state):
    """Take the states through many periods; ``lags.carry`` explains the arrays."""
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
