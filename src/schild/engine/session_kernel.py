"""The compiled part of ``schild.engine.session``: one person after the other through a session."""

from __future__ import annotations

import math

import numpy as np

from schild.engine.cache import compiled
from schild.engine.portable import KERNELS

SOURCES = KERNELS["follow_sessions"].sources

# Columns of a person's row, in the order of ``session.PARAMETERS``.
(VC, VT, CLD, VMAX, KM, CLR, KA, F) = range(8)
(E0, KE, GAIN, EC50, RISE) = range(8, 13)
(SHARE, RC50, KR, SPAN) = range(13, 17)
(SC50, SSLOPE, SOCC, MC50, MOCC) = range(17, 22)
(Y0, YPRIME, KY, YSHARE) = range(22, 26)
(LAMBDA, BR, BS, BY, PAUSE, DRINK) = range(26, 32)

_N = 7  # states: gut, level, tissue level, endorphin, reward, craving, eliminated
_ATOL = 1e-10


@compiled(SOURCES)
def _activation(load, occupancy, e0):
    left = 1.0 - occupancy
    return load * left / ((1.0 + load) * left + occupancy * (1.0 + e0))


@compiled(SOURCES)
def _rates(y, p, occupancy, cue, infusion, out):
    level = max(y[1], 0.0)
    absorbed = p[KA] * y[0]
    lost = p[VMAX] * level / (p[KM] + level) + p[CLR] * level
    across = p[CLD] * (y[1] - y[2])
    rise = (absorbed + infusion - lost - across) / p[VC]
    e0 = p[E0]
    target = e0 * (1.0 + p[GAIN] * level / (level + p[EC50]) + p[RISE] * max(0.0, rise))
    opioid = 0.0
    if p[SPAN] > 0.0:
        opioid = (_activation(y[3], occupancy, e0) - _activation(e0, occupancy, e0)) / p[SPAN]
    reward = p[SHARE] * opioid + (1.0 - p[SHARE]) * level / (level + p[RC50])
    out[0] = -absorbed
    out[1] = rise
    out[2] = across / p[VT]
    out[3] = p[KE] * (target - y[3])
    out[4] = p[KR] * (reward - y[4])
    out[5] = p[KY] * (p[Y0] + (cue + p[YPRIME] * y[4]) * (1.0 - p[YSHARE] * occupancy) - y[5])
    out[6] = lost


@compiled(SOURCES)
def _advance(t0, t1, y, p, occ0, occ1, cue, infusion, rtol, step, a, c, weights, k, trial):
    """Integrate one piece of the grid in place; the step that came next, or a negative one where it failed."""
    t = t0
    slope = (occ1 - occ0) / (t1 - t0)
    n_states = y.size
    _rates(y, p, occ0, cue, infusion, k[0])
    for _ in range(100_000):
        left = t1 - t
        if left <= 1e-12 * max(1.0, abs(t1)):
            return step
        h = min(step, left)
        if h > 0.5 * left and h < left:
            h = 0.5 * left  # two equal steps rather than a long and a tiny one
        for s in range(1, 7):
            for i in range(n_states):
                total = 0.0
                for j in range(s):
                    total += a[s, j] * k[j, i]
                trial[i] = y[i] + h * total
            _rates(trial, p, occ0 + slope * (t + c[s] * h - t0), cue, infusion, k[s])
        worst = 0.0
        for i in range(n_states):
            e = 0.0
            for j in range(7):
                e += weights[j] * k[j, i]
            ratio = abs(h * e) / (_ATOL + rtol * max(abs(y[i]), abs(trial[i])))
            if not ratio < 1e300:  # not a number as well
                return -1.0
            worst = max(worst, ratio)
        factor = 5.0 if worst == 0.0 else min(5.0, max(0.2, 0.9 * worst**-0.2))
        if worst <= 1.0:
            t = t1 if h == left else t + h
            for i in range(n_states):
                y[i] = trial[i]
                k[0, i] = k[6, i]
            if h == step or factor < 1.0:
                step = h * factor
        else:
            step = h * factor
        if step < 1e-9:
            return -1.0
    return -1.0


@compiled(SOURCES)
def follow_sessions(
    start, stop, people, grid, occupancy, cue, given, infusion, offered, most, uniform, rtol, a, c, weights, out,
    drinks, first, status,
):  # fmt: skip
    """Follow the people from ``start`` to ``stop``; ``session.run_sessions`` explains the arrays."""
    k = np.empty((7, _N))
    trial = np.empty(_N)
    y = np.empty(_N)
    for j in range(start, stop):
        p = people[j]
        taken = 0
        first[j] = np.inf
        free = -np.inf
        y[:] = 0.0
        y[3] = p[E0]
        y[5] = p[Y0]
        step = 0.01
        for g in range(grid.size):
            occ = occupancy[j, g]
            y[0] += p[F] * given[j, g]
            level = max(y[1], 0.0)
            power = level ** p[SSLOPE]
            sedation = power / (power + p[SC50] ** p[SSLOPE]) * (1.0 + p[SOCC] * occ)
            if offered[g] and taken < most and g + 1 < grid.size and grid[g] >= free - 1e-9:
                drive = p[BR] * y[4] - p[BS] * sedation + p[BY] * (y[5] - p[Y0] - 1.0)
                hazard = p[LAMBDA] * math.exp(drive)
                if uniform[j, g] < -math.expm1(-hazard * (grid[g + 1] - grid[g])):
                    y[0] += p[F] * p[DRINK]
                    if taken == 0:
                        first[j] = grid[g]
                    taken += 1
                    free = grid[g] + p[PAUSE]
            out[j, 0, g] = y[1]
            out[j, 1, g] = y[2]
            out[j, 2, g] = y[0]
            out[j, 3, g] = y[6]
            out[j, 4, g] = y[3]
            out[j, 5, g] = _activation(y[3], occ, p[E0])
            out[j, 6, g] = y[4]
            out[j, 7, g] = sedation
            out[j, 8, g] = level / (level + p[MC50]) * (1.0 + p[MOCC] * occ)
            out[j, 9, g] = y[5]
            out[j, 10, g] = taken
            if g + 1 < grid.size:
                step = _advance(grid[g], grid[g + 1], y, p, occ, occupancy[j, g + 1], cue[g], infusion[j, g], rtol,
                                step, a, c, weights, k, trial)  # fmt: skip
                if step < 0.0:
                    status[j] = 1
                    out[j, :, g + 1 :] = np.nan
                    break
                step = min(step, 0.25)
        drinks[j] = taken
