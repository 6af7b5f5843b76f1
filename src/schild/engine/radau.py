"""One step of what is not linear: receptors, a species with saturable elimination, release and adaptation.

The three-stage Radau IIA method of order five, eight subjects at a time. Given the concentrations at the nodes the
equations of a receptor are affine, so each takes one 3x3 solve and no iteration. Every step gives its error relative to
what counts, and the sum of all errors, which carries a NaN that a maximum drops. ``docs/design/engine.md`` has the
mathematics.
"""

from __future__ import annotations

import math

import numpy as np

from schild.engine.cache import compiled, inlined
from schild.engine.lanes import W, absolute, choose, load, maximum, minimum, positive, splat, store

_S6 = math.sqrt(6.0)
_C = np.array([(4 - _S6) / 10, (4 + _S6) / 10, 1.0])
_A = np.array(
    [
        [(88 - 7 * _S6) / 360, (296 - 169 * _S6) / 1800, (-2 + 3 * _S6) / 225],
        [(296 + 169 * _S6) / 1800, (88 + 7 * _S6) / 360, (-2 - 3 * _S6) / 225],
        [(16 - _S6) / 36, (16 + _S6) / 36, 1 / 9],
    ]
)
_TR = float(np.trace(_A))
_DET = float(np.linalg.det(_A))
_MIN = 0.5 * (_TR**2 - float(np.trace(_A @ _A)))
_B = _TR * _A - _A @ _A
A00, A01, A02, A10, A11, A12, A20, A21, A22 = (float(v) for v in _A.ravel())
B00, B01, B02, B10, B11, B12, B20, B21, B22 = (float(v) for v in _B.ravel())
C0, C1 = float(_C[0]), float(_C[1])
R0, R1, R2 = (float(v) for v in _B.sum(axis=1))
_V = np.linalg.inv(np.vander(_C, 4, increasing=True)[:, 1:])  # values at the nodes to coefficients of x, x^2, x^3
P0, P1, P2, Q0, Q1, Q2 = (float(v) for v in _V[:2].ravel())
#: Share of the jump of an adaptation state's rate that counts as error where the drive crosses it.
KINK = 0.1
MU = 3 + 3 ** (2 / 3) - 3 ** (1 / 3)
E0, E1, E2 = (-13 - 7 * _S6) / 3, (-13 + 7 * _S6) / 3, -1 / 3
# What the error estimate takes of the three nodes, as sums over them: of A and B, and of the start of a step.
_E = np.array([E0, E1, E2])
EA0, EA1, EA2, EB0, EB1, EB2 = (float(v) for v in np.concatenate([_E @ _A, _E @ _B]))
E_SUM, E_TR, E_MIN = float(_E.sum()), float(_E @ (_TR - _C)), float(_E @ (_MIN - _B.sum(axis=1)))


@compiled
def _solve3(s00, s01, s02, s10, s11, s12, s20, s21, s22, y0, y1, y2):
    """Solve one 3x3 system for each lane, by cofactors."""
    k00, k01, k02 = s11 * s22 - s12 * s21, s12 * s20 - s10 * s22, s10 * s21 - s11 * s20
    d = 1.0 / (s00 * k00 + s01 * k01 + s02 * k02)
    x0 = (k00 * y0 + (s02 * s21 - s01 * s22) * y1 + (s01 * s12 - s02 * s11) * y2) * d
    x1 = (k01 * y0 + (s00 * s22 - s02 * s20) * y1 + (s02 * s10 - s00 * s12) * y2) * d
    x2 = (k02 * y0 + (s01 * s20 - s00 * s21) * y1 + (s00 * s11 - s01 * s10) * y2) * d
    return x0, x1, x2


@compiled
def _relax3(u0, u1, u2, y0, y1, y2):
    """Solve (I + A diag(u)) x = y: what an implicit linear loss at the nodes comes to."""
    return _solve3(
        1.0 + A00 * u0, A01 * u1, A02 * u2, A10 * u0, 1.0 + A11 * u1, A12 * u2, A20 * u0, A21 * u1, 1.0 + A22 * u2,
        y0, y1, y2,
    )  # fmt: skip


@compiled
def step_saturable(ws, at, h, at_in, at_out, at_release):
    """One step of the species with saturable elimination and of the release that follows it.

    Writes their nodes and gives the error relative to what counts, and the sum of all errors. Newton at the nodes; the
    peripheral compartment is linear in the central one and eliminated, ``p = M (p_0 1 + u A c)``.
    """
    zero = splat(0.0)
    in_a, in_b, in_c, in_d = load(ws, at_in), load(ws, at_in + W), load(ws, at_in + 2 * W), load(ws, at_in + 3 * W)
    inverse_v, vmax, km = 1.0 / load(ws, at.mmp), load(ws, at.mmp + W), load(ws, at.mmp + 2 * W)
    cl, q, vp = load(ws, at.mmp + 3 * W), load(ws, at.mmp + 4 * W), load(ws, at.mmp + 5 * W)
    c, p = load(ws, at.mm), load(ws, at.mm + W)
    u = h * q / vp
    # Columns of M u A, and M p_0.
    b00, b10, b20 = _relax3(u, u, u, u * A00, u * A10, u * A20)
    b01, b11, b21 = _relax3(u, u, u, u * A01, u * A11, u * A21)
    b02, b12, b22 = _relax3(u, u, u, u * A02, u * A12, u * A22)
    p0, p1, p2 = _relax3(u, u, u, p, p, p)
    x0, x1, x2 = c, c, c
    w = h * inverse_v
    e = w * q
    for _ in range(4):
        r0, r1, r2 = 1.0 / (km + x0), 1.0 / (km + x1), 1.0 / (km + x2)
        y0 = p0 + b00 * x0 + b01 * x1 + b02 * x2
        y1 = p1 + b10 * x0 + b11 * x1 + b12 * x2
        y2 = p2 + b20 * x0 + b21 * x1 + b22 * x2
        f0 = w * (in_b - vmax * x0 * r0 - cl * x0 + q * (y0 - x0))
        f1 = w * (in_c - vmax * x1 * r1 - cl * x1 + q * (y1 - x1))
        f2 = w * (in_d - vmax * x2 * r2 - cl * x2 + q * (y2 - x2))
        g0, g1, g2 = (
            w * (vmax * km * r0 * r0 + cl + q),
            w * (vmax * km * r1 * r1 + cl + q),
            w * (vmax * km * r2 * r2 + cl + q),
        )
        j00, j01, j02 = g0 - e * b00, 0.0 - e * b01, 0.0 - e * b02
        j10, j11, j12 = 0.0 - e * b10, g1 - e * b11, 0.0 - e * b12
        j20, j21, j22 = 0.0 - e * b20, 0.0 - e * b21, g2 - e * b22
        d0, d1, d2 = _solve3(
            1.0 + A00 * j00 + A01 * j10 + A02 * j20, A00 * j01 + A01 * j11 + A02 * j21, A00 * j02 + A01 * j12 + A02 * j22,
            A10 * j00 + A11 * j10 + A12 * j20, 1.0 + A10 * j01 + A11 * j11 + A12 * j21, A10 * j02 + A11 * j12 + A12 * j22,
            A20 * j00 + A21 * j10 + A22 * j20, A20 * j01 + A21 * j11 + A22 * j21, 1.0 + A20 * j02 + A21 * j12 + A22 * j22,
            c + A00 * f0 + A01 * f1 + A02 * f2 - x0,
            c + A10 * f0 + A11 * f1 + A12 * f2 - x1,
            c + A20 * f0 + A21 * f1 + A22 * f2 - x2,
        )  # fmt: skip
        x0, x1, x2 = maximum(zero, x0 + d0), maximum(zero, x1 + d1), maximum(zero, x2 + d2)
    y0 = p0 + b00 * x0 + b01 * x1 + b02 * x2
    y1 = p1 + b10 * x0 + b11 * x1 + b12 * x2
    y2 = p2 + b20 * x0 + b21 * x1 + b22 * x2
    r0 = 1.0 / (km + c)
    rate = (in_a - vmax * c * r0 - cl * c + q * (p - c)) * inverse_v
    f0 = (in_b - vmax * x0 / (km + x0) - cl * x0 + q * (y0 - x0)) * inverse_v
    f1 = (in_c - vmax * x1 / (km + x1) - cl * x1 + q * (y1 - x1)) * inverse_v
    f2 = (in_d - vmax * x2 / (km + x2) - cl * x2 + q * (y2 - x2)) * inverse_v
    defect = h * rate + (E0 * (x0 - c) + E1 * (x1 - c) + E2 * (x2 - c))
    error = absolute(defect) / (MU + h * inverse_v * (vmax * km * r0 * r0 + cl + q))
    # What Newton left is an error of the step as well.
    check = error + absolute(c + h * (A20 * f0 + A21 * f1 + A22 * f2) - x2)
    worst = check / maximum(maximum(c, x2), km)
    store(ws, at_out, c)
    store(ws, at_out + W, x0)
    store(ws, at_out + 2 * W, x1)
    store(ws, at_out + 3 * W, x2)
    store(ws, at.mm + 2 * W, y2)
    if at_release >= 0:
        ke, rho, c50, phi = (
            load(ws, at.relp),
            load(ws, at.relp + W),
            load(ws, at.relp + 2 * W),
            load(ws, at.relp + 3 * W),
        )
        y, u = load(ws, at.rel), h * ke
        r_a = 1.0 + rho * c / (c + c50) + phi * maximum(zero, rate)
        r0 = 1.0 + rho * x0 / (x0 + c50) + phi * maximum(zero, f0)
        r1 = 1.0 + rho * x1 / (x1 + c50) + phi * maximum(zero, f1)
        r2 = 1.0 + rho * x2 / (x2 + c50) + phi * maximum(zero, f2)
        x0, x1, x2 = _relax3(
            u, u, u,
            y + u * (A00 * r0 + A01 * r1 + A02 * r2),
            y + u * (A10 * r0 + A11 * r1 + A12 * r2),
            y + u * (A20 * r0 + A21 * r1 + A22 * r2),
        )  # fmt: skip
        defect = u * (r_a - y) + (E0 * (x0 - y) + E1 * (x1 - y) + E2 * (x2 - y))
        error = absolute(defect) / (MU + u)
        worst = maximum(worst, error / maximum(absolute(y), absolute(x2)))
        check = check + error
        store(ws, at_release, y)
        store(ws, at_release + W, x0)
        store(ws, at_release + 2 * W, x1)
        store(ws, at_release + 3 * W, x2)
    return worst, check


@compiled
def _lag(ws, h, at, lc, ls, d_a, d_b, d_c, d_d):
    """One step of an adaptation state on the drive at the start and the nodes; its error, relative and not."""
    g_up, g_down, l_up, l_down = load(ws, lc), load(ws, lc + W), load(ws, lc + 2 * W), load(ws, lc + 3 * W)
    sat = load(ws, lc + 4 * W)
    y = load(ws, at)
    x0, x1, x2 = y, y, y
    before = -1
    for _ in range(2):  # the branch at each node is guessed from the start of the step, then corrected
        up = positive(d_b - x0) + (positive(d_c - x1) << W) + (positive(d_d - x2) << 2 * W)
        if up == before:
            break
        before = up
        g0, g1, g2 = choose(d_b - x0, g_up, g_down), choose(d_c - x1, g_up, g_down), choose(d_d - x2, g_up, g_down)
        u0, u1, u2 = choose(d_b - x0, l_up, l_down), choose(d_c - x1, l_up, l_down), choose(d_d - x2, l_up, l_down)
        q0, q1, q2 = h * g0 * d_b, h * g1 * d_c, h * g2 * d_d
        x0, x1, x2 = _relax3(
            h * u0 + sat * q0, h * u1 + sat * q1, h * u2 + sat * q2,
            y + A00 * q0 + A01 * q1 + A02 * q2,
            y + A10 * q0 + A11 * q1 + A12 * q2,
            y + A20 * q0 + A21 * q1 + A22 * q2,
        )  # fmt: skip
    store(ws, ls, x0)
    store(ws, ls + W, x1)
    store(ws, ls + 2 * W, x2)
    gain, loss = choose(d_a - y, g_up, g_down) * d_a, choose(d_a - y, l_up, l_down)
    loss = loss + sat * gain
    defect = h * (gain - loss * y) + (E0 * (x0 - y) + E1 * (x1 - y) + E2 * (x2 - y))
    error = absolute(defect) / (MU + loss * h)
    # Where the drive crosses the state inside the step the polynomial cannot bend as the rates do, and the embedded
    # estimate does not see it: what the other branch would have changed at the nearer end counts as error.
    dg, dl = g_up - g_down, l_up - l_down
    bend_a = absolute(dg * d_a * (1.0 - sat * y) - dl * y)
    bend_d = absolute(dg * d_d * (1.0 - sat * x2) - dl * x2)
    crossed = choose((y - d_a) * (d_d - x2), splat(KINK), splat(0.0))
    error = error + crossed * h * minimum(bend_a, bend_d)
    return error / maximum(maximum(absolute(y), absolute(x2)), splat(0.05)), error


@inlined
def step_receptors(ws, at, model, at_nodes, h, worst, check):
    """One step of all receptors: one 3x3 solve each, then the embedded error estimate, filtered once.

    ``at_nodes``: receptors whose occupancies something reads inside the step; of others only those at its end are found.
    """
    zero, one = splat(0.0), splat(1.0)
    # The largest error over its size, with one division for all.
    top, under = worst, one
    for r in range(model.rec_ptr.size - 1):
        lo, hi = model.rec_ptr[r], model.rec_ptr[r + 1]
        u0, u1, u2, v0, v1, v2, w0, w1, w2 = zero, zero, zero, zero, zero, zero, zero, zero, zero
        m0, m1, m2, bound = zero, zero, zero, zero
        for s in range(lo, hi):
            place = at.ch + 4 * model.slot_channel[s] * W
            x, z = load(ws, at.x + s * W), load(ws, at.koff + s * W) * h
            below, damped = 1.0 + z * (_TR + z * (_MIN + z * _DET)), MU + z
            both = 1.0 / (below * damped)
            gamma = both * damped
            m, g = gamma * x, gamma * (load(ws, at.kon + s * W) * h)
            store(ws, at.tmp + 4 * s * W, g)
            store(ws, at.tmp + (4 * s + 1) * W, m)
            store(ws, at.tmp + (4 * s + 2) * W, both * below)
            c0, c1, c2 = load(ws, place + W), load(ws, place + 2 * W), load(ws, place + 3 * W)
            u0, u1, u2 = u0 + g * c0, u1 + g * c1, u2 + g * c2
            g = g * z
            v0, v1, v2 = v0 + g * c0, v1 + g * c1, v2 + g * c2
            g = g * z
            w0, w1, w2 = w0 + g * c0, w1 + g * c1, w2 + g * c2
            m0, m = m0 + m, m * z
            m1, m2 = m1 + m, m2 + m * z
            bound = bound + x
        s00 = 1.0 + A00 * u0 + B00 * v0 + _DET * w0
        s01, s02 = A01 * u1 + B01 * v1, A02 * u2 + B02 * v2
        s11 = 1.0 + A11 * u1 + B11 * v1 + _DET * w1
        s10, s12 = A10 * u0 + B10 * v0, A12 * u2 + B12 * v2
        s22 = 1.0 + A22 * u2 + B22 * v2 + _DET * w2
        s20, s21 = A20 * u0 + B20 * v0, A21 * u1 + B21 * v1
        m0 = 1.0 - m0
        y0 = m0 - (_TR - C0) * m1 - (_MIN - R0) * m2
        y1 = m0 - (_TR - C1) * m1 - (_MIN - R1) * m2
        y2 = m0 - (_TR - 1.0) * m1 - (_MIN - R2) * m2
        f0, f1, f2 = _solve3(s00, s01, s02, s10, s11, s12, s20, s21, s22, y0, y1, y2)
        free = 1.0 - bound
        sum_r, sum_a = zero, one
        for s in range(lo, hi):
            place = at.ch + 4 * model.slot_channel[s] * W
            x, z = load(ws, at.x + s * W), load(ws, at.koff + s * W) * h
            g, m = load(ws, at.tmp + 4 * s * W), load(ws, at.tmp + (4 * s + 1) * W)
            last = load(ws, place + 3 * W)
            q0, q1, q2 = load(ws, place + W) * f0, load(ws, place + 2 * W) * f1, last * f2
            zz, n = z * (z * _DET), m * z
            x2 = (
                m
                + n * ((_TR - 1.0) + z * (_MIN - R2))
                + g * ((A20 + z * B20) * q0 + (A21 + z * B21) * q1 + (A22 + z * B22 + zz) * q2)
            )
            store(ws, at.xs + (3 * s + 2) * W, x2)
            if at_nodes[r]:
                x0 = (
                    m
                    + n * ((_TR - C0) + z * (_MIN - R0))
                    + g * ((A00 + z * B00 + zz) * q0 + (A01 + z * B01) * q1 + (A02 + z * B02) * q2)
                )
                x1 = (
                    m
                    + n * ((_TR - C1) + z * (_MIN - R1))
                    + g * ((A10 + z * B10) * q0 + (A11 + z * B11 + zz) * q1 + (A12 + z * B12) * q2)
                )
                store(ws, at.xs + 3 * s * W, x0)
                store(ws, at.xs + (3 * s + 1) * W, x1)
            # The same sum of the three nodes, whether or not the first two are known.
            nodes = (E_SUM * (m - x) + n * (E_TR + z * E_MIN)) + g * (
                (EA0 + z * EB0 + zz * E0) * q0 + (EA1 + z * EB1 + zz * E1) * q1 + (EA2 + z * EB2 + zz * E2) * q2
            )
            kon, inverse = load(ws, at.kon + s * W) * h, load(ws, at.tmp + (4 * s + 2) * W)
            rate = kon * load(ws, place)
            defect = rate * free - z * x + nodes
            # The slower end of the step decides how strongly the estimate is damped.
            defect, rate = defect * inverse, minimum(rate, kon * last) * inverse
            sum_r, sum_a = sum_r + defect, sum_a + rate
            store(ws, at.tmp + 4 * s * W, defect)
            store(ws, at.tmp + (4 * s + 1) * W, rate)
        shared = sum_r * (1.0 / sum_a)  # the error of the bound fraction, and so of the free one
        for s in range(lo, hi + 1):
            if s < hi:
                error = absolute(load(ws, at.tmp + 4 * s * W) - load(ws, at.tmp + (4 * s + 1) * W) * shared)
                size = maximum(absolute(load(ws, at.xs + (3 * s + 2) * W)), absolute(load(ws, at.x + s * W)))
            else:
                error, size = absolute(shared), maximum(absolute(free), absolute(f2))
            size = maximum(size, splat(0.01))
            larger = error * under - top * size
            top, under = choose(larger, error, top), choose(larger, size, under)
            check = check + error
    return top / under, check


@inlined
def step_adaptation(ws, at, model, h, worst, check):
    """One step of the adaptation states, which follow the drive that all slots make.

    The last of them may follow what of adaptation is not opposed.
    """
    zero = splat(0.0)
    d_a, d_b, d_c, d_d = zero, zero, zero, zero
    for s in range(model.slot_channel.size):
        e = load(ws, at.drv + s * W)
        d_a = d_a + e * load(ws, at.x + s * W)
        d_b = d_b + e * load(ws, at.xs + 3 * s * W)
        d_c = d_c + e * load(ws, at.xs + (3 * s + 1) * W)
        d_d = d_d + e * load(ws, at.xs + (3 * s + 2) * W)
    bend = load(ws, at.bend)
    d_a, d_b = d_a / (1.0 + bend * d_a), d_b / (1.0 + bend * d_b)
    d_c, d_d = d_c / (1.0 + bend * d_c), d_d / (1.0 + bend * d_d)
    last = model.lag_col.size // 5 - model.n_followers
    for k in range(last):
        relative, error = _lag(ws, h, at.lag + k * W, at.lc + 5 * k * W, at.ls + 3 * k * W, d_a, d_b, d_c, d_d)
        worst, check = maximum(worst, relative), check + error
    if model.n_followers > 0:
        a, b, c, d = zero - d_a, zero - d_b, zero - d_c, zero - d_d
        if model.left_slot >= 0:
            tone, s = load(ws, at.left), model.left_slot
            a, b = a - tone * load(ws, at.x + s * W), b - tone * load(ws, at.xs + 3 * s * W)
            c, d = c - tone * load(ws, at.xs + (3 * s + 1) * W), d - tone * load(ws, at.xs + (3 * s + 2) * W)
        for k in range(last):
            w = load(ws, at.left + (1 + k) * W)
            a, b = a + w * load(ws, at.lag + k * W), b + w * load(ws, at.ls + 3 * k * W)
            c, d = c + w * load(ws, at.ls + (3 * k + 1) * W), d + w * load(ws, at.ls + (3 * k + 2) * W)
        # Where nothing is left from some point inside the step on, or until then, the polynomial cannot bend either.
        kink = choose(zero - a * d, splat(KINK), zero) * h * minimum(absolute(a), absolute(d))
        a, b, c, d = maximum(a, zero), maximum(b, zero), maximum(c, zero), maximum(d, zero)
        for k in range(last, last + model.n_followers):
            place, rates, nodes = at.lag + k * W, at.lc + 5 * k * W, at.ls + 3 * k * W
            relative, error = _lag(ws, h, place, rates, nodes, a, b, c, d)
            bend = kink * load(ws, rates)
            size = maximum(maximum(load(ws, place), load(ws, nodes + 2 * W)), splat(0.05))
            worst, check = maximum(worst, relative + bend / size), check + error + bend
    return worst, check
