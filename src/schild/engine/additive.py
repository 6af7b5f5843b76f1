"""A stepper for stiff systems with transport delays, eight people at a time; it knows no equations.

An additive Runge-Kutta pair of order 4(3) (`KennedyCarpenter2003`): explicit, with a linear implicit part for a few
fast states and for one coupled pair, frozen for each step. Its order holds for any choice of that part, so no exact
Jacobian is needed. The past of lagged quantities is a cubic Hermite polynomial through the accepted steps.

A kernel lays out its workspace, tells where things are by `Places`, and writes rates between the stages.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from schild.engine.cache import compiled, inlined
from schild.engine.lanes import W, absolute, load, maximum, splat, store

SOURCES = ("additive.py", "lanes.py", "layout.py", "cache.py")

NH = 512  # entries of history for each lane, a power of two


class Places(NamedTuple):
    """Number of states and of fast ones, and where the workspace of a kernel holds what the stepper uses."""

    n: int
    n_stiff: int
    y: int  # states, the new ones, those of a stage
    yn: int
    ys: int
    f: int  # six sets of rates
    g: int  # implicit parts: stages by fast states and the pair
    diag: int  # slopes of the fast states by themselves, and of the pair
    weights: int  # one over the size of an error, by state
    h: int
    error: int


# ARK4(3)6L[2]SA: explicit and implicit tables, common weights, weights of the embedded method.
_AE = np.zeros((6, 6))
_AE[1, :1] = [1 / 2]
_AE[2, :2] = [13861 / 62500, 6889 / 62500]
_AE[3, :3] = [-116923316275 / 2393684061468, -2731218467317 / 15368042101831, 9408046702089 / 11113171139209]
_AE[4, :4] = [
    -451086348788 / 2902428689909,
    -2682348792572 / 7519795681897,
    12662868775082 / 11960479115383,
    3355817975965 / 11060851509271,
]
_AE[5, :5] = [
    647845179188 / 3216320057751,
    73281519250 / 8382639484533,
    552539513391 / 3454668386233,
    3354512671639 / 8306763924573,
    4040 / 17871,
]
_AI = np.zeros((6, 6))
_AI[1, :2] = [1 / 4, 1 / 4]
_AI[2, :3] = [8611 / 62500, -1743 / 31250, 1 / 4]
_AI[3, :4] = [5012029 / 34652500, -654441 / 2922500, 174375 / 388108, 1 / 4]
_AI[4, :5] = [15267082809 / 155376265600, -71443401 / 120774400, 730878875 / 902184768, 2285395 / 8070912, 1 / 4]
_AI[5, :6] = [82889 / 524892, 0, 15625 / 83664, 69875 / 102672, -2260 / 8211, 1 / 4]
_B = _AI[5].copy()
_BHAT = np.array(
    [4586570599 / 29645900160, 0, 178811875 / 945068544, 814220225 / 1159782912, -3700637 / 11593932, 61727 / 225920]
)
NODES = np.array([0.0, 1 / 2, 83 / 250, 31 / 50, 17 / 20, 1.0])
_AD = _AI - _AE
_E = _B - _BHAT
GAMMA = 0.25


@compiled(SOURCES)
def hermite(u, h, y0, d0, y1, d1):
    """Cubic polynomial through two values and slopes; ``u`` from 0 to 1 over the length ``h``."""
    v = 1.0 - u
    return v * v * ((1.0 + 2.0 * u) * y0 + u * h * d0) + u * u * ((3.0 - 2.0 * u) * y1 - v * h * d1)


@compiled(SOURCES)
def past_value(hist, lane, newest, at, time, column):
    """Value of a lagged quantity at a past time, and the entry where it was found."""
    k = min(at, newest - 1)
    low = max(0, newest - NH + 1)
    while k > low and hist[lane, k & (NH - 1), 0] > time:
        k -= 1
    while k + 1 < newest and hist[lane, (k + 1) & (NH - 1), 0] <= time:
        k += 1
    if k < 0:
        return hist[lane, 0, column], 0
    i, j = k & (NH - 1), (k + 1) & (NH - 1)
    t0, t1 = hist[lane, i, 0], hist[lane, j, 0]
    if time <= t0 or t1 <= t0:
        return hist[lane, i if time <= t0 else j, column], k
    h = t1 - t0
    u = (time - t0) / h
    return hermite(
        u, h, hist[lane, i, column], hist[lane, i, column + 1], hist[lane, j, column], hist[lane, j, column + 1]
    ), k


@compiled(SOURCES)
def course_value(values, slopes, times, at, time):
    """Given activation at a time, and the grid cell where it was found."""
    n = times.shape[0]
    k = at
    while k > 0 and times[k] > time:
        k -= 1
    while k + 2 < n and times[k + 1] <= time:
        k += 1
    if n == 1 or time <= times[0]:
        return values[0], k
    if time >= times[n - 1]:
        return values[n - 1], k
    h = times[k + 1] - times[k]
    return hermite((time - times[k]) / h, h, values[k], slopes[k, 0], values[k + 1], slopes[k + 1, 1]), k


@inlined
def stage_state(ws, at, stiff, pair_a, pair_b, stage):
    """State of a stage from the rates of those before it; the fast states and one coupled pair implicitly."""
    len_stiff = at.n_stiff
    h = load(ws, at.h)
    for s in range(at.n):
        sum_ = splat(0.0)
        for j in range(stage):
            if _AE[stage, j] != 0.0:
                sum_ = sum_ + _AE[stage, j] * load(ws, at.f + (j * at.n + s) * W)
        store(ws, at.ys + s * W, h * sum_)
    for k in range(len_stiff):
        s = stiff[k]
        sum_ = splat(0.0)
        for j in range(1, stage):
            sum_ = sum_ + _AD[stage, j] * load(ws, at.g + (j * (len_stiff + 2) + k) * W)
        slope = load(ws, at.diag + k * W)
        z = (load(ws, at.ys + s * W) + h * sum_) / (1.0 - GAMMA * h * slope)
        store(ws, at.ys + s * W, z)
        store(ws, at.g + (stage * (len_stiff + 2) + k) * W, slope * z)
    sum_a = load(ws, at.ys + pair_a * W)
    sum_b = load(ws, at.ys + pair_b * W)
    for j in range(1, stage):
        sum_a = sum_a + h * _AD[stage, j] * load(ws, at.g + (j * (len_stiff + 2) + len_stiff) * W)
        sum_b = sum_b + h * _AD[stage, j] * load(ws, at.g + (j * (len_stiff + 2) + len_stiff + 1) * W)
    a11, a12 = load(ws, at.diag + len_stiff * W), load(ws, at.diag + (len_stiff + 1) * W)
    a21, a22 = load(ws, at.diag + (len_stiff + 2) * W), load(ws, at.diag + (len_stiff + 3) * W)
    gh = GAMMA * h
    m11, m12, m21, m22 = 1.0 - gh * a11, gh * a12, gh * a21, 1.0 - gh * a22
    det = 1.0 / (m11 * m22 - m12 * m21)
    za = (m22 * sum_a + m12 * sum_b) * det
    zb = (m11 * sum_b + m21 * sum_a) * det
    store(ws, at.ys + pair_a * W, za)
    store(ws, at.ys + pair_b * W, zb)
    store(ws, at.g + (stage * (len_stiff + 2) + len_stiff) * W, a11 * za + a12 * zb)
    store(ws, at.g + (stage * (len_stiff + 2) + len_stiff + 1) * W, a21 * za + a22 * zb)
    for s in range(at.n):
        store(ws, at.ys + s * W, load(ws, at.y + s * W) + load(ws, at.ys + s * W))


@inlined
def finish_step(ws, at, n_relative):
    """New state, and the size of the error of each lane in units of the tolerance."""
    h = load(ws, at.h)
    worst = splat(0.0)
    bad = splat(0.0)
    for s in range(at.n):
        sum_ = splat(0.0)
        err = splat(0.0)
        for j in range(6):
            if _B[j] != 0.0:
                rate = load(ws, at.f + (j * at.n + s) * W)
                sum_ = sum_ + _B[j] * rate
                err = err + _E[j] * rate
        y = load(ws, at.y + s * W)
        new = y + h * sum_
        store(ws, at.yn + s * W, new)
        # Kinetics (the first states) relative to their size above a floor, the others absolutely.
        size = absolute(h * err) * load(ws, at.weights + s * W)
        if s < n_relative:
            size = size / maximum(splat(1.0), absolute(new) * load(ws, at.weights + s * W))
        worst = maximum(worst, size)
        bad = bad + 0.0 * size
    store(ws, at.error, worst + bad)


@compiled(SOURCES)
def time_below(t0, t1, y0, y1, level):
    """Time that a straight line spends below a level."""
    if y0 <= level and y1 <= level:
        return t1 - t0
    if y0 > level and y1 > level:
        return 0.0
    cross = t0 + (t1 - t0) * (level - y0) / (y1 - y0)
    return cross - t0 if y0 <= level else t1 - cross


@compiled(SOURCES)
def first_below(h, y0, d0, y1, d1, level):
    """First fraction of a step at which a cubic has come down to a level: bisection on a descending end."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        if hermite(middle, h, y0, d0, y1, d1) <= level:
            high = middle
        else:
            low = middle
    return high
