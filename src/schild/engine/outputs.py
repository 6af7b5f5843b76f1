"""What is kept of a run: signals at given times, and peak, its time, trough, area and time above of signals.

A *signal* is a channel, a slot's occupancy, a receptor's free fraction or an adaptation state, numbered in that order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schild.engine.cache import compiled, inlined
from schild.engine.lanes import W, absolute, choose, load, maximum, minimum, number, splat, square_root, store, write
from schild.engine.modes import modes_at
from schild.engine.radau import A20, A21, A22, P0, P1, P2, Q0, Q1, Q2


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
    t, one, zero = load(ws, at.t), splat(1.0), splat(0.0)
    # Extrema of the collocation polynomial a + x (p + x (q + x r)): where p + 2 q x + 3 r x^2 = 0 within the step.
    p, q, r = _cubic(a, b, c, d)
    root = square_root(maximum(q * q - 3.0 * (r * p), zero))
    large = choose(q, q + root, q - root)  # no cancellation
    top, low = maximum(d, a), minimum(d, a)
    top_at = choose(d - a, one, zero)
    turns = (zero - p) / large, large / (-3.0 * r)  # outside, infinite or NaN where there is none
    first = choose(turns[0], choose(1.0 - turns[0], turns[0], zero), zero)
    second = choose(turns[1], choose(1.0 - turns[1], turns[1], zero), zero)
    for k in range(2):
        x = first if k == 0 else second
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
        low_turn, high_turn = minimum(first, second), maximum(first, second)
        above = (
            _above(a - threshold, p, q, r, zero, low_turn)
            + _above(a - threshold, p, q, r, low_turn, high_turn)
            + _above(a - threshold, p, q, r, high_turn, one)
        )
        store(ws, place + 4 * W, load(ws, place + 4 * W) + choose(inside, above * h, zero))


@compiled
def _cubic(a, b, c, d):
    """Coefficients of x, x^2 and x^3 of the polynomial through the start of a step and its nodes."""
    ba, ca, da = b - a, c - a, d - a
    p = P0 * ba + P1 * ca + P2 * da
    q = Q0 * ba + Q1 * ca + Q2 * da
    return p, q, da - p - q


@compiled
def _above(a, p, q, r, left, right):
    """Length of what lies above zero of a cubic between two points with no turn between them.

    The crossing by Newton's method from the chord, kept between the points.
    """
    zero = splat(0.0)
    low, high = a + left * (p + left * (q + left * r)), a + right * (p + right * (q + right * r))
    falls = low - high
    x = left + (right - left) * minimum(maximum(low / choose(absolute(falls), falls, splat(1e-300)), zero), splat(1.0))
    for _ in range(5):
        slope = p + x * (2.0 * q + x * (3.0 * r))
        step = (a + x * (p + x * (q + x * r))) / choose(absolute(slope), slope, splat(1e-300))
        x = minimum(maximum(x - step, left), right)
    length = choose(falls, x - left, right - x)
    none = minimum(zero - low, zero - high)  # positive where both ends lie below
    whole = minimum(low, high)
    return choose(whole, right - left, choose(none, zero, length))


@inlined
def channel_error(ws, at, model, ports, worst, h):
    """Largest error of the polynomials of channels that are watched, and ``worst``.

    At the start of a step the slope of the polynomial can be wrong by five and a half times its largest error over the
    step, in parts of the step. Relative to the level; to a hundredth of the peak so far where that is more.
    """
    for o in range(ports.watched.size):
        if ports.watched[o]:
            c = model.out_channel[o]
            a, b, d = load(ws, at.ch + 4 * c * W), load(ws, at.ch + (4 * c + 1) * W), load(ws, at.ch + (4 * c + 3) * W)
            p, _, _ = _cubic(a, b, load(ws, at.ch + (4 * c + 2) * W), d)
            size = maximum(maximum(absolute(a), absolute(b)), absolute(d))
            top = maximum(load(ws, at.peak + c * W), size)
            store(ws, at.peak + c * W, top)
            # What is left of modes that cancel is rounding error, and no reason for short steps.
            terms = load(ws, at.terms + c * W)
            size = maximum(maximum(size, 0.01 * top), 1e-7 * terms + 1e-300)
            error = absolute(h * load(ws, at.slope + c * W) - p)
            worst = maximum(worst, choose(error - 1e-14 * terms, 0.18 * error / size, 0.0 * size))
    return worst


class Sums(NamedTuple):
    """Every stored signal as a base plus a sum of products of two places of the workspace."""

    base: NDArray[np.float64]
    plain: NDArray[np.int64]  # its place, where it is taken as it is; else negative
    first: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    nodes: NDArray[np.int64]  # where the second is at the three nodes of a step, unless it is a mode
    modal: NDArray[np.bool_]  # whether a signal is a sum of modes
    any_modal: bool


@inlined
def sums_of(at, model, signals, coef_at):
    """Find where each signal comes from."""
    n_channels, n_slots, rec_ptr = model.n_channels, model.slot_channel.size, model.rec_ptr
    n_modes, n_rec = model.pole_ptr[model.pole_ptr.size - 1], rec_ptr.size - 1
    base = np.zeros(signals.size)
    plain = np.full(signals.size, -1)
    term_ptr = np.zeros(signals.size + 1, np.int64)
    term_a = np.empty(signals.size * (n_modes + n_slots + 1), np.int64)
    term_b = np.empty(signals.size * (n_modes + n_slots + 1), np.int64)
    nodes = np.full(signals.size * (n_modes + n_slots + 1), -1)
    modal = np.zeros(signals.size, np.bool_)
    any_modal = False  # not modal.any(): Numba's array functions import SciPy at every start
    n_terms = 0
    for i in range(signals.size):
        signal = signals[i]
        if signal < n_channels and signal in (model.mm_out, model.release_channel):
            term_a[n_terms] = at.one
            term_b[n_terms] = at.mm if signal == model.mm_out else at.rel
            nodes[n_terms] = at.ch + (4 * signal + 1) * W
            plain[i] = term_b[n_terms]
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
                            modal[i] = any_modal = True
                            n_terms += 1
        elif signal < n_channels + n_slots:
            term_a[n_terms] = at.one
            term_b[n_terms] = at.x + (signal - n_channels) * W
            nodes[n_terms] = at.xs + 3 * (signal - n_channels) * W
            plain[i] = term_b[n_terms]
            n_terms += 1
        elif signal >= n_channels + n_slots + n_rec:
            term_a[n_terms] = at.one
            term_b[n_terms] = at.lag + (signal - n_channels - n_slots - n_rec) * W
            nodes[n_terms] = at.ls + 3 * (signal - n_channels - n_slots - n_rec) * W
            plain[i] = term_b[n_terms]
            n_terms += 1
        else:
            base[i] = 1.0
            r = signal - n_channels - n_slots
            for s in range(rec_ptr[r], rec_ptr[r + 1]):
                term_a[n_terms] = at.minus
                term_b[n_terms] = at.x + s * W
                nodes[n_terms] = at.xs + 3 * s * W
                n_terms += 1
        term_ptr[i + 1] = n_terms
    return Sums(base, plain, term_ptr, term_a, term_b, nodes, modal, any_modal)


@inlined
def keep(ws, sums, l, out, place, now):
    """Write the signals of one lane at the output time numbered ``now``; the subject's begin at ``place``."""
    place, stride = place + now, out.shape[2]
    for i in range(sums.base.size):
        if sums.plain[i] >= 0:
            write(out, place, number(ws, sums.plain[i] + l))
        else:
            value = sums.base[i]
            for m in range(sums.first[i], sums.first[i + 1]):
                value += number(ws, sums.a[m] + l) * number(ws, sums.b[m] + l)
            write(out, place, value)
        place += stride


@inlined
def polynomials(ws, at, sums):
    """Write the polynomials over a step of the signals that are not sums of modes, for all lanes."""
    for i in range(sums.base.size):
        if sums.modal[i]:
            continue
        a, b, c, d = splat(sums.base[i]), splat(sums.base[i]), splat(sums.base[i]), splat(sums.base[i])
        for m in range(sums.first[i], sums.first[i + 1]):
            weight, node = load(ws, sums.a[m]), sums.nodes[m]
            a = a + weight * load(ws, sums.b[m])
            b = b + weight * load(ws, node)
            c = c + weight * load(ws, node + W)
            d = d + weight * load(ws, node + 2 * W)
        p, q, r = _cubic(a, b, c, d)
        store(ws, at.poly + 4 * i * W, a)
        store(ws, at.poly + (4 * i + 1) * W, p)
        store(ws, at.poly + (4 * i + 2) * W, q)
        store(ws, at.poly + (4 * i + 3) * W, r)


@inlined
def keep_inside(ws, at, model, ports, sums, l, times, out, place, now, end):
    """Write the signals of one lane at the output times before ``end``; return the first one after them.

    All are found for eight times at once, sums of modes exactly and the others from ``polynomials``. What is written
    beyond ``end`` is overwritten by the steps that reach there.
    """
    start, width, stride, n_times = ws[at.t + l], 1.0 / ws[at.h + l], out.shape[2], times.size
    while now < n_times and times[now] < end:
        whole = now + W <= n_times
        if not whole:
            for k in range(W):
                ws[at.points + k] = times[min(now + k, n_times - 1)]
        after = (load(times, now) if whole else load(ws, at.points)) - start
        x = after * width
        if sums.any_modal:
            modes_at(ws, at, model, ports, l, after)
        for i in range(sums.base.size):
            if sums.modal[i]:
                value = splat(0.0)
                for m in range(sums.first[i], sums.first[i + 1]):
                    value = value + number(ws, sums.a[m] + l) * load(ws, at.zt + sums.b[m] - at.z)
            else:
                k = at.poly + 4 * i * W + l
                c, d = splat(number(ws, k + 2 * W)), number(ws, k + 3 * W)
                value = number(ws, k) + x * (number(ws, k + W) + x * (c + x * d))
            if whole:
                store(out, place + i * stride + now, value)
            else:
                store(ws, at.points, value)
                for k in range(n_times - now):
                    write(out, place + i * stride + now + k, number(ws, at.points + k))
        for _ in range(W):
            now += now < n_times and times[now] < end
    return now
