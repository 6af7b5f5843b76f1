"""The compiled part of ``schild.engine.session``: eight people at a time, each with steps of its own."""

from __future__ import annotations

import math

import numpy as np

from schild.engine.cache import compiled
from schild.engine.lane_math import apart, power, put_row, row
from schild.engine.lanes import W, absolute, choose, maximum, minimum, positive, splat
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

# Places in the workspace, in lanes: states, states of a stage, rates at seven stages, numbers of the people; occupancy
# at both ends of a piece of the grid, infusion, next step; positive for those who are followed; what is kept.
_Y, _TRIAL, _K1, _K2, _K3, _K4, _K5, _K6, _K7, _P = 0, 7, 14, 21, 28, 35, 42, 49, 56, 63
_OCC, _OCC1, _INFUSION, _STEP, _GOOD, _HALF, _OUT, _SIZE = 95, 96, 97, 98, 99, 100, 101, 112

# Dormand and Prince, 1980: weights of the stages before each stage (the seventh is the end of the step), times of the
# stages within the step, and weights of the error.
_A21 = 1 / 5
_A31, _A32 = 3 / 40, 9 / 40
_A41, _A42, _A43 = 44 / 45, -56 / 15, 32 / 9
_A51, _A52, _A53, _A54 = 19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729
_A61, _A62, _A63, _A64, _A65 = 9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656
_A71, _A73, _A74, _A75, _A76 = 35 / 384, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84
_C2, _C3, _C4, _C5 = 1 / 5, 3 / 10, 4 / 5, 8 / 9
_E1, _E3, _E4, _E5, _E6, _E7 = 71 / 57600, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40


@compiled(SOURCES)
def _activation(endorphin, occupancy, e0):
    left = 1.0 - occupancy
    return endorphin * left / ((1.0 + endorphin) * left + occupancy * (1.0 + e0))


@compiled(SOURCES)
def _rates(ws, y, occupancy, cue, out):
    """Rates of the states at ``y``, written to ``out``."""
    apart()
    blood, endorphin, reward = row(ws, y + 1), row(ws, y + 3), row(ws, y + 4)
    level = maximum(blood, 0.0)
    absorbed = row(ws, _P + KA) * row(ws, y)
    lost = row(ws, _P + VMAX) * level / (row(ws, _P + KM) + level) + row(ws, _P + CLR) * level
    across = row(ws, _P + CLD) * (blood - row(ws, y + 2))
    rise = (absorbed + row(ws, _INFUSION) - lost - across) / row(ws, _P + VC)
    e0, span, share = row(ws, _P + E0), row(ws, _P + SPAN), row(ws, _P + SHARE)
    released = row(ws, _P + GAIN) * level / (level + row(ws, _P + EC50)) + row(ws, _P + RISE) * maximum(rise, 0.0)
    opioid = (_activation(endorphin, occupancy, e0) - _activation(e0, occupancy, e0)) / span
    pleased = share * choose(span, opioid, splat(0.0)) + (1.0 - share) * level / (level + row(ws, _P + RC50))
    urge = (cue + row(ws, _P + YPRIME) * reward) * (1.0 - row(ws, _P + YSHARE) * occupancy)
    put_row(ws, out, 0.0 - absorbed)
    put_row(ws, out + 1, rise)
    put_row(ws, out + 2, across / row(ws, _P + VT))
    put_row(ws, out + 3, row(ws, _P + KE) * (e0 * (1.0 + released) - endorphin))
    put_row(ws, out + 4, row(ws, _P + KR) * (pleased - reward))
    put_row(ws, out + 5, row(ws, _P + KY) * (row(ws, _P + Y0) + urge - row(ws, y + 5)))
    put_row(ws, out + 6, lost)


@compiled(SOURCES)
def _advance(ws, t0, t1, cue, rtol):
    """Integrate one piece of the grid in place; whoever fails is no longer good."""
    apart()
    least = 1e-12 * max(1.0, abs(t1))
    t, step, nothing = splat(t0), row(ws, _STEP), splat(0.0)
    slope = (row(ws, _OCC1) - row(ws, _OCC)) / (t1 - t0)
    _rates(ws, _Y, row(ws, _OCC), cue, _K1)
    for _ in range(100_000):
        left = t1 - t
        going = choose(row(ws, _GOOD), left - least, nothing)
        if positive(going) == 0:
            break
        h = minimum(step, left)
        h = choose(left - h, minimum(h, 0.5 * left), h)  # two equal steps rather than a long and a tiny one
        occ, by_h = row(ws, _OCC) + slope * (t - t0), slope * h
        for i in range(_N):
            put_row(ws, _TRIAL + i, row(ws, _Y + i) + h * (_A21 * row(ws, _K1 + i)))
        _rates(ws, _TRIAL, occ + _C2 * by_h, cue, _K2)
        for i in range(_N):
            put_row(ws, _TRIAL + i, row(ws, _Y + i) + h * (_A31 * row(ws, _K1 + i) + _A32 * row(ws, _K2 + i)))
        _rates(ws, _TRIAL, occ + _C3 * by_h, cue, _K3)
        for i in range(_N):
            d = _A41 * row(ws, _K1 + i) + _A42 * row(ws, _K2 + i) + _A43 * row(ws, _K3 + i)
            put_row(ws, _TRIAL + i, row(ws, _Y + i) + h * d)
        _rates(ws, _TRIAL, occ + _C4 * by_h, cue, _K4)
        for i in range(_N):
            d = _A51 * row(ws, _K1 + i) + _A52 * row(ws, _K2 + i) + _A53 * row(ws, _K3 + i) + _A54 * row(ws, _K4 + i)
            put_row(ws, _TRIAL + i, row(ws, _Y + i) + h * d)
        _rates(ws, _TRIAL, occ + _C5 * by_h, cue, _K5)
        for i in range(_N):
            d = _A61 * row(ws, _K1 + i) + _A62 * row(ws, _K2 + i) + _A63 * row(ws, _K3 + i) + _A64 * row(ws, _K4 + i)
            put_row(ws, _TRIAL + i, row(ws, _Y + i) + h * (d + _A65 * row(ws, _K5 + i)))
        _rates(ws, _TRIAL, occ + by_h, cue, _K6)
        for i in range(_N):
            d = _A71 * row(ws, _K1 + i) + _A73 * row(ws, _K3 + i) + _A74 * row(ws, _K4 + i) + _A75 * row(ws, _K5 + i)
            put_row(ws, _TRIAL + i, row(ws, _Y + i) + h * (d + _A76 * row(ws, _K6 + i)))
        _rates(ws, _TRIAL, occ + by_h, cue, _K7)
        worst, total = nothing, nothing
        for i in range(_N):
            e = _E1 * row(ws, _K1 + i) + _E3 * row(ws, _K3 + i) + _E4 * row(ws, _K4 + i) + _E5 * row(ws, _K5 + i)
            e = e + _E6 * row(ws, _K6 + i) + _E7 * row(ws, _K7 + i)
            size = maximum(absolute(row(ws, _Y + i)), absolute(row(ws, _TRIAL + i)))
            ratio = absolute(h * e) / (_ATOL + rtol * size)
            worst, total = maximum(worst, ratio), total + ratio
        finite = choose(1e300 - total, going, nothing)
        accepted = choose(worst - 1.0, nothing, finite)
        factor = minimum(maximum(0.9 * power(worst, -0.2), 0.2), 5.0)
        wanted = choose(step - h, choose(1.0 - factor, h * factor, step), h * factor)
        step = choose(going, wanted, step)
        put_row(ws, _GOOD, choose(going, choose(1e-9 - step, nothing, finite), row(ws, _GOOD)))
        t = choose(accepted, choose(left - h, t + h, splat(t1)), t)
        for i in range(_N):
            put_row(ws, _Y + i, choose(accepted, row(ws, _TRIAL + i), row(ws, _Y + i)))
            put_row(ws, _K1 + i, choose(accepted, row(ws, _K7 + i), row(ws, _K1 + i)))
    put_row(ws, _GOOD, choose(t1 - t - least, nothing, row(ws, _GOOD)))
    put_row(ws, _STEP, minimum(step, 0.25))


@compiled(SOURCES)
def _look(ws):
    """Work out what is kept of the states."""
    apart()
    occ, level, nothing = row(ws, _OCC), maximum(row(ws, _Y + 1), 0.0), splat(0.0)
    risen = choose(level, power(level, row(ws, _P + SSLOPE)), nothing)
    for i, place in enumerate((1, 2, 0, 6, 3)):
        put_row(ws, _OUT + i, row(ws, _Y + place))
    put_row(ws, _OUT + 5, _activation(row(ws, _Y + 3), occ, row(ws, _P + E0)))
    put_row(ws, _OUT + 6, row(ws, _Y + 4))
    put_row(ws, _OUT + 7, risen / (risen + row(ws, _HALF)) * (1.0 + row(ws, _P + SOCC) * occ))
    put_row(ws, _OUT + 8, level / (level + row(ws, _P + MC50)) * (1.0 + row(ws, _P + MOCC) * occ))
    put_row(ws, _OUT + 9, row(ws, _Y + 5))


@compiled(SOURCES)
def follow_sessions(
    start, stop, people, grid, occupancy, cue, given, infusion, offered, most, uniform, rtol, out, drinks, first,
    status,
):  # fmt: skip
    """Follow the people from ``start`` to ``stop``; ``session.run_sessions`` explains the arrays."""
    ws = np.zeros(_SIZE * W)
    free = np.empty(W)
    for block in range(start, stop, W):
        here = min(W, stop - block)
        for l in range(W):
            p = people[min(block + l, stop - 1)]
            for i in range(32):
                ws[(_P + i) * W + l] = p[i]
            for i in range(_N):
                ws[(_Y + i) * W + l] = 0.0
            ws[(_Y + 3) * W + l], ws[(_Y + 5) * W + l] = p[E0], p[Y0]
            ws[_STEP * W + l], ws[_GOOD * W + l] = 0.01, 1.0 if l < here else 0.0
            free[l] = -np.inf
        put_row(ws, _HALF, power(row(ws, _P + SC50), row(ws, _P + SSLOPE)))
        for l in range(here):
            drinks[block + l] = 0
            first[block + l] = np.inf
        for g in range(grid.size):
            for l in range(here):
                ws[_OCC * W + l] = occupancy[block + l, g]
                ws[_Y * W + l] += ws[(_P + F) * W + l] * given[block + l, g]
            _look(ws)
            for l in range(here):
                j = block + l
                if ws[_GOOD * W + l] <= 0.0:
                    continue
                if offered[g] and drinks[j] < most and g + 1 < grid.size and grid[g] >= free[l] - 1e-9:
                    p = people[j]
                    reward, sedation, craving = ws[(_OUT + 6) * W + l], ws[(_OUT + 7) * W + l], ws[(_OUT + 9) * W + l]
                    drive = p[BR] * reward - p[BS] * sedation + p[BY] * (craving - p[Y0] - 1.0)
                    hazard = p[LAMBDA] * math.exp(drive)
                    if uniform[j, g] < -math.expm1(-hazard * (grid[g + 1] - grid[g])):
                        ws[_Y * W + l] += p[F] * p[DRINK]
                        ws[(_OUT + 2) * W + l] = ws[_Y * W + l]
                        if drinks[j] == 0:
                            first[j] = grid[g]
                        drinks[j] += 1
                        free[l] = grid[g] + p[PAUSE]
                ws[(_OUT + 10) * W + l] = drinks[j]
                for i in range(11):
                    out[j, i, g] = ws[(_OUT + i) * W + l]
            if g + 1 == grid.size:
                break
            for l in range(here):
                ws[_OCC1 * W + l], ws[_INFUSION * W + l] = occupancy[block + l, g + 1], infusion[block + l, g]
            _advance(ws, grid[g], grid[g + 1], cue[g], rtol)
            for l in range(here):
                if ws[_GOOD * W + l] <= 0.0 and status[block + l] == 0:
                    status[block + l] = 1
                    out[block + l, :, g + 1 :] = np.nan
