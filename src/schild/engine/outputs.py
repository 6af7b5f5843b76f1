"""What is kept of a run: signals at given times, and peak, its time, trough, area and time above of signals.

A *signal* is a channel, a slot's occupancy, a receptor's free fraction or an adaptation state, numbered in that order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schild.engine.cache import compiled, inlined
from schild.engine.lanes import W, choose, load, maximum, minimum, splat, square_root, store
from schild.engine.radau import A20, A21, A22, C0, C1, P0, P1, P2, Q0, Q1, Q2


@inlined
def fold(ws, at, model, signal, threshold, place, h, inside):
    """Fold one accepted step into peak, its time, trough, area and time above (masked by ``inside``)."""
    n_channels, n_slots, rec_ptr = model.n_channels, model.slot_channel.size, model.rec_ptr
    if signal < n_channels:
        base = at.ch + 4 * signal * W
        a, b, c, d = load(ws, base), load(ws, base + W), load(ws, base + 2 * W), load(ws, base + 3 * W)
    elif signal < n_channels + n_slots:
        s = signal - n_channels
        a = load(ws, at.x + s * W)
        b, c, d = load(ws, at.xs + 3 * s * W), load(ws, at.xs + (3 * s + 1) * W), load(ws, at.xs + (3 * s + 2) * W)
    elif signal >= n_channels + n_slots + rec_ptr.size - 1:
        s = signal - n_channels - n_slots - rec_ptr.size + 1
        a = load(ws, at.lag + s * W)
        b, c, d = load(ws, at.ls + 3 * s * W), load(ws, at.ls + (3 * s + 1) * W), load(ws, at.ls + (3 * s + 2) * W)
    else:
        r = signal - n_channels - n_slots
        a, b, c, d = splat(1.0), splat(1.0), splat(1.0), splat(1.0)
        for s in range(rec_ptr[r], rec_ptr[r + 1]):
            a = a - load(ws, at.x + s * W)
            b = b - load(ws, at.xs + 3 * s * W)
            c = c - load(ws, at.xs + (3 * s + 1) * W)
            d = d - load(ws, at.xs + (3 * s + 2) * W)
    t = load(ws, at.t)
    # Extrema of the collocation polynomial a + x (p + x (q + x r)): where p + 2 q x + 3 r x^2 = 0 within the step.
    ba, ca, da = b - a, c - a, d - a
    p = P0 * ba + P1 * ca + P2 * da
    q = Q0 * ba + Q1 * ca + Q2 * da
    r = da - p - q
    root = square_root(maximum(q * q - 3.0 * (r * p), splat(0.0)))
    large = choose(q, q + root, q - root)  # no cancellation
    top, low = maximum(d, a), minimum(d, a)
    top_at = choose(d - a, splat(1.0), splat(0.0))
    for k in range(2):
        x = (0.0 - p) / large if k == 0 else large / (-3.0 * r)  # outside, infinite or NaN where there is none
        x = choose(x, choose(1.0 - x, x, splat(0.0)), splat(0.0))
        value = a + x * (p + x * (q + x * r))
        top_at = choose(value - top, x, top_at)
        top, low = maximum(value, top), minimum(value, low)
    better = choose(inside, top - load(ws, place), splat(-1.0))
    store(ws, place + W, choose(better, t + h * top_at, load(ws, place + W)))
    store(ws, place, choose(better, top, load(ws, place)))
    lower = choose(inside, load(ws, place + 2 * W) - low, splat(-1.0))
    store(ws, place + 2 * W, choose(lower, low, load(ws, place + 2 * W)))
    area = h * (A20 * b + A21 * c + A22 * d)
    store(ws, place + 3 * W, load(ws, place + 3 * W) + choose(inside, area, splat(0.0)))
    if threshold < np.inf:
        a = a - threshold
        above = _above(a, p, q, r, 0.0, C0) + _above(a, p, q, r, C0, C1) + _above(a, p, q, r, C1, 1.0)
        store(ws, place + 4 * W, load(ws, place + 4 * W) + choose(inside, above * h, splat(0.0)))


@compiled
def _above(a, p, q, r, low, high):
    """Length of the part of ``low`` to ``high`` in which the polynomial a + x (p + x (q + x r)) is above zero.

    Where it changes sign, the place comes from a straight line and a step of Newton's method.
    """
    first, last = a + low * (p + low * (q + low * r)), a + high * (p + high * (q + high * r))
    x = low + (high - low) * first / (first - last)
    x = x - (a + x * (p + x * (q + x * r))) / (p + x * (2.0 * q + 3.0 * (x * r)))
    x = maximum(minimum(x, splat(high)), splat(low))
    part = choose(last, high - x, x - low)
    whole = choose(first, splat(high - low), splat(0.0))
    return choose(first * last, whole, choose(first * first + last * last, part, splat(0.0)))


class Sums(NamedTuple):
    """Every stored signal as a base plus a sum of products of two places of the workspace."""

    base: NDArray[np.float64]
    plain: NDArray[np.bool_]  # one place, taken as it is
    first: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]


@inlined
def sums_of(at, model, signals, coef_at):
    """Find where each signal comes from."""
    n_channels, n_slots, rec_ptr = model.n_channels, model.slot_channel.size, model.rec_ptr
    n_modes, n_rec = model.pole_ptr[model.pole_ptr.size - 1], rec_ptr.size - 1
    base = np.zeros(signals.size)
    plain = np.zeros(signals.size, np.bool_)
    term_ptr = np.zeros(signals.size + 1, np.int64)
    term_a = np.empty(signals.size * (n_modes + n_slots + 1), np.int64)
    term_b = np.empty(signals.size * (n_modes + n_slots + 1), np.int64)
    n_terms = 0
    for i in range(signals.size):
        signal = signals[i]
        if signal < n_channels and signal in (model.mm_out, model.release_channel):
            term_a[n_terms] = at.one
            term_b[n_terms] = at.mm if signal == model.mm_out else at.rel
            plain[i] = True
            n_terms += 1
        elif signal < n_channels:
            if signal == model.tone_channel:
                base[i] = 1.0
            for q in range(model.pole_ptr.size - 1):
                for o in range(model.out_ptr[q], model.out_ptr[q + 1]):
                    if model.out_channel[o] == signal:
                        for k in range(model.pole_ptr[q], model.pole_ptr[q + 1]):
                            term_a[n_terms] = at.g + (coef_at[o] + k - model.pole_ptr[q]) * W
                            term_b[n_terms] = at.z + k * W
                            n_terms += 1
        elif signal < n_channels + n_slots:
            term_a[n_terms] = at.one
            term_b[n_terms] = at.x + (signal - n_channels) * W
            plain[i] = True
            n_terms += 1
        elif signal >= n_channels + n_slots + n_rec:
            term_a[n_terms] = at.one
            term_b[n_terms] = at.lag + (signal - n_channels - n_slots - n_rec) * W
            plain[i] = True
            n_terms += 1
        else:
            base[i] = 1.0
            r = signal - n_channels - n_slots
            for s in range(rec_ptr[r], rec_ptr[r + 1]):
                term_a[n_terms] = at.minus
                term_b[n_terms] = at.x + s * W
                n_terms += 1
        term_ptr[i + 1] = n_terms
    return Sums(base, plain, term_ptr, term_a, term_b)


@inlined
def keep(ws, sums, l, target, now):
    """Write the signals of one lane at the output time numbered ``now``."""
    for i in range(sums.base.size):
        k = sums.first[i]
        if sums.plain[i]:
            target[i, now] = ws[sums.b[k] + l]
        else:
            value = sums.base[i]
            for m in range(k, sums.first[i + 1]):
                value += ws[sums.a[m] + l] * ws[sums.b[m] + l]
            target[i, now] = value
