"""The compiled kernel: linear kinetics in closed form, competitive binding by a structured Radau IIA method.

One compilation serves every model: ports, modes, channels, slots and receptors are run-time loops, and the lanes of
``schild.engine.lanes`` carry ``W`` subjects through them. Each lane keeps its own time, step size, events and error
control. The equations, the layout of the workspace and the traps are explained in ``docs/design/engine.md``; the plain
right-hand side in ``schild.model.reference`` is what holds this file to its word.

Vocabulary: a *port* is a place where doses enter, with its own exponential modes; a *channel* is a concentration; a
*slot* is one ligand at one receptor; a *lag* is an adaptation state, which follows the drive; a *signal*
is a channel, a slot's occupancy, a receptor's free fraction or a lag.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from schild.engine.cache import compiled
from schild.engine.lanes import W, absolute, choose, decay, load, maximum, minimum, splat, square_root, store

# Radau IIA, three stages, order five.
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
MU = 3 + 3 ** (2 / 3) - 3 ** (1 / 3)
E0, E1, E2 = (-13 - 7 * _S6) / 3, (-13 + 7 * _S6) / 3, -1 / 3

# Event kinds.
ADD, RESET, TRAIN, RECEPTORS, CLEAR = 0, 1, 2, 3, 4
# Subject status.
OK, BAD_INPUT, STEP_TOO_SMALL, NOT_FINITE, TOO_MANY_STEPS = 0, 1, 2, 3, 4
# Reducers keep this many numbers per signal: peak, time of peak, trough, area, time above.
N_REDUCED = 5

MAX_REJECTIONS = 60
MAX_TERMS = 200
AMPLIFICATION = 1e4
#: Share of the jump of an adaptation state's rate that counts as error where the drive crosses it.
KINK = 0.1


@compiled
def _advance_block(z, first, size, center, offset, coupling, terms, dt):
    """Propagate one cluster of modes by ``dt``: exp of (bidiagonal matrix) by its finite-plus-small Taylor series."""
    work = np.empty(size)
    for i in range(size):
        work[i] = z[first + i]
    for p in range(terms, 0, -1):
        for i in range(size - 1, -1, -1):
            low = coupling[first + i] * work[i - 1] if i > 0 else 0.0
            work[i] = z[first + i] + dt / p * (low - offset[first + i] * work[i])
    scale = math.exp(-center * dt)
    for i in range(size):
        z[first + i] = scale * work[i]


@compiled
def _modes(row, poles, m, lam, offset, coupling, order):
    """Sort a port's poles, find near-equal ones and write their modes. Returns the Taylor terms the clusters need.

    Simple poles get partial fractions. Where those would cancel (the product of a pole's inverse relative gaps exceeds
    ``AMPLIFICATION``) it joins its nearest neighbour, until no cluster loses more to the poles outside it. A cluster
    shares a centre and forms a chain, whose state is a polynomial times one exponential: exact for repeated rates.
    """
    for k in range(m):
        order[k] = k
        lam[k] = row[poles[k]]
        offset[k] = 0.0
        coupling[k] = 0.0
    for k in range(1, m):
        value, index, j = lam[k], order[k], k - 1
        while j >= 0 and lam[j] > value:
            lam[j + 1], order[j + 1] = lam[j], order[j]
            j -= 1
        lam[j + 1], order[j + 1] = value, index
    # offset doubles as a flag here: 1 where a pole belongs to the cluster of the pole before it.
    merged = 0
    while True:
        worst, at = AMPLIFICATION, -1
        first = 0
        while first < m:
            last = first
            while last + 1 < m and offset[last + 1] != 0.0:
                last += 1
            for k in range(first, last + 1):
                product = 1.0
                for j in range(m):
                    if j < first or j > last:
                        high = max(lam[j], lam[k])
                        gap = abs(lam[j] - lam[k])
                        if gap < 0.5 * high:
                            product *= high / max(gap, 1e-300)
                if product > worst:
                    worst = product
                    # Join the nearer neighbour of the cluster.
                    below = (lam[first] - lam[first - 1]) / lam[first] if first > 0 else 2.0
                    above = (lam[last + 1] - lam[last]) / lam[last + 1] if last + 1 < m else 2.0
                    at = first if below < above else last + 1
            first = last + 1
        if at < 0:
            break
        offset[at] = 1.0
        merged += 1
    if merged == 0:
        return 0
    terms = 0
    first = 0
    while first < m:
        last = first
        while last + 1 < m and offset[last + 1] != 0.0:
            last += 1
        size = last - first + 1
        center = lam[first]
        offset[first] = 0.0
        if size > 1:
            center = 0.5 * (lam[first] + lam[last])
            spread = 0.5 * (lam[last] - lam[first]) / center
            # Term n of the series is at most binomial(n, size - 1) spread^(n - size + 1), whatever the time.
            needed = size - 1
            bound = 1.0
            while bound > 1e-16 and needed < MAX_TERMS:
                needed += 1
                bound *= spread * needed / (needed - size + 1)
            terms = max(terms, needed)
        for k in range(first, last + 1):
            offset[k] = lam[k] - center
            coupling[k] = center if k > first else 0.0
            lam[k] = center
        first = last + 1
    return terms


@compiled
def _residues(row, m, order, lam, offset, coupling, gain, has, zeros, out):
    """Add one path's output coefficients to ``out``: divided differences of its transfer function at each cluster.

    For a simple pole this is the ordinary residue; for a cluster it applies each factor (s + a) to the last unit
    vector through the bidiagonal matrix of the cluster's nodes (Opitz), so nothing cancels.
    """
    v = np.empty(m)
    first = 0
    while first < m:
        last = first
        while last + 1 < m and coupling[last + 1] != 0.0:
            last += 1
        for i in range(first, last):
            v[i] = 0.0
        v[last] = gain
        for i in range(zeros.size):
            a = row[zeros[i]]
            for j in range(first, last + 1):
                v[j] = (a - lam[j] - offset[j]) * v[j] + (v[j + 1] if j < last else 0.0)
        for i in range(m):
            inside = first <= i <= last
            if inside == has[order[i]]:
                continue
            a = lam[i] + offset[i]
            if inside:
                for j in range(first, last + 1):
                    v[j] = (a - lam[j] - offset[j]) * v[j] + (v[j + 1] if j < last else 0.0)
            else:
                for j in range(last, first - 1, -1):
                    above = v[j + 1] if j < last else 0.0
                    v[j] = (v[j] - above) / (a - lam[j] - offset[j])
        scale = 1.0
        for j in range(first, last + 1):
            out[j] += v[j] * scale
            if j < last:
                scale /= lam[first]
        first = last + 1


@compiled
def port_modes(row, poles, lam, offset, coupling, order):
    """Modes of one port for one subject (the scalar door to what the kernel does per lane; used by tests)."""
    return _modes(row, poles, poles.size, lam, offset, coupling, order)


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
def _saturable(ws, h, inverse_h, at_in, at_out, at_release, MM, MMP, REL, RELP):
    """One step of the species with saturable elimination and of the release that follows it.

    Writes their nodes and gives the error relative to what counts, and the sum of all errors. Newton at the nodes; the
    peripheral compartment is linear in the central one and eliminated, ``p = M (p_0 1 + u A c)``.
    """
    zero = splat(0.0)
    in_a, in_b, in_c, in_d = load(ws, at_in), load(ws, at_in + W), load(ws, at_in + 2 * W), load(ws, at_in + 3 * W)
    inverse_v, vmax, km = 1.0 / load(ws, MMP), load(ws, MMP + W), load(ws, MMP + 2 * W)
    cl, q, vp = load(ws, MMP + 3 * W), load(ws, MMP + 4 * W), load(ws, MMP + 5 * W)
    c, p = load(ws, MM), load(ws, MM + W)
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
    defect = rate + (E0 * (x0 - c) + E1 * (x1 - c) + E2 * (x2 - c)) * inverse_h
    error = absolute(defect) * h / (MU + h * inverse_v * (vmax * km * r0 * r0 + cl + q))
    # What Newton left is an error of the step as well.
    check = error + absolute(c + h * (A20 * f0 + A21 * f1 + A22 * f2) - x2)
    worst = check / maximum(maximum(c, x2), km)
    store(ws, at_out, c)
    store(ws, at_out + W, x0)
    store(ws, at_out + 2 * W, x1)
    store(ws, at_out + 3 * W, x2)
    store(ws, MM + 2 * W, y2)
    if at_release >= 0:
        ke, rho, c50, phi = load(ws, RELP), load(ws, RELP + W), load(ws, RELP + 2 * W), load(ws, RELP + 3 * W)
        y, u = load(ws, REL), h * ke
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
        defect = ke * (r_a - y) + (E0 * (x0 - y) + E1 * (x1 - y) + E2 * (x2 - y)) * inverse_h
        error = absolute(defect) * h / (MU + u)
        worst = maximum(worst, error / maximum(absolute(y), absolute(x2)))
        check = check + error
        store(ws, at_release, y)
        store(ws, at_release + W, x0)
        store(ws, at_release + 2 * W, x1)
        store(ws, at_release + 3 * W, x2)
    return worst, check


@compiled
def _lag(ws, h, inverse_h, at, LC, LS, d_a, d_b, d_c, d_d):
    """One step of an adaptation state on the drive at the start and the nodes; its error, relative and not."""
    g_up, g_down, l_up, l_down = load(ws, LC), load(ws, LC + W), load(ws, LC + 2 * W), load(ws, LC + 3 * W)
    sat = load(ws, LC + 4 * W)
    y = load(ws, at)
    x0, x1, x2 = y, y, y
    for _ in range(2):  # the branch at each node is guessed from the start of the step, then corrected
        g0, g1, g2 = choose(d_b - x0, g_up, g_down), choose(d_c - x1, g_up, g_down), choose(d_d - x2, g_up, g_down)
        u0, u1, u2 = choose(d_b - x0, l_up, l_down), choose(d_c - x1, l_up, l_down), choose(d_d - x2, l_up, l_down)
        q0, q1, q2 = h * g0 * d_b, h * g1 * d_c, h * g2 * d_d
        x0, x1, x2 = _relax3(
            h * u0 + sat * q0, h * u1 + sat * q1, h * u2 + sat * q2,
            y + A00 * q0 + A01 * q1 + A02 * q2,
            y + A10 * q0 + A11 * q1 + A12 * q2,
            y + A20 * q0 + A21 * q1 + A22 * q2,
        )  # fmt: skip
    store(ws, LS, x0)
    store(ws, LS + W, x1)
    store(ws, LS + 2 * W, x2)
    gain, loss = choose(d_a - y, g_up, g_down) * d_a, choose(d_a - y, l_up, l_down)
    loss = loss + sat * gain
    defect = gain - loss * y + (E0 * (x0 - y) + E1 * (x1 - y) + E2 * (x2 - y)) * inverse_h
    error = absolute(defect) * h / (MU + loss * h)
    # Where the drive crosses the state inside the step the polynomial cannot bend as the rates do, and the embedded
    # estimate does not see it: what the other branch would have changed at the nearer end counts as error.
    dg, dl = g_up - g_down, l_up - l_down
    bend_a = absolute(dg * d_a * (1.0 - sat * y) - dl * y)
    bend_d = absolute(dg * d_d * (1.0 - sat * x2) - dl * x2)
    crossed = choose((y - d_a) * (d_d - x2), splat(KINK), splat(0.0))
    error = error + crossed * h * minimum(bend_a, bend_d)
    return error / maximum(maximum(absolute(y), absolute(x2)), splat(0.05)), error


@compiled
def run_group(
    first_subject, stop_subject, rows, status_in,
    pole_ptr, pole_col, path_ptr, path_out, path_gain, path_has, zero_ptr, zero_col,
    out_ptr, out_channel, out_live, n_channels, tone_channel,
    rec_ptr, slot_channel, slot_kon, slot_koff, slot_start, slot_drive, lag_bend, lag_col,
    mm_in, mm_out, mm_col, release_channel, release_col,
    ev_first, ev_last, ev_time, ev_kind, ev_port, ev_amount, ev_scale, ev_offset, ev_offset2, ev_ii, ev_count, ev_cap,
    start_states, times, signals, reduced_signals, thresholds, window, rtol, h_max, max_steps,
    out_base, out, reduced, status, counts,
):  # fmt: skip
    """Integrate up to ``W`` neighbouring subjects from ``times[0]`` to ``times[-1]``; everything is arrays."""
    n_lanes = stop_subject - first_subject
    n_ports = pole_ptr.size - 1
    n_modes = pole_ptr[n_ports]
    n_slots = slot_channel.size
    n_rec = rec_ptr.size - 1
    n_lag = lag_col.size // 5
    n_out = out_ptr[n_ports]
    n_red = reduced_signals.size
    n_coef = 0
    live = out_live.copy()  # channels that a receptor or a reducer reads inside steps
    coef_at = np.empty(n_out, np.int64)
    for q in range(n_ports):
        for o in range(out_ptr[q], out_ptr[q + 1]):
            coef_at[o] = n_coef
            for i in range(n_red):
                live[o] |= reduced_signals[i] == out_channel[o]
            n_coef += pole_ptr[q + 1] - pole_ptr[q]

    # One flat workspace; each name is an offset, element k of a quantity sits at name + k*W. It begins on a cache line,
    # so that no lane straddles two.
    LAM = 0
    OFF = LAM + n_modes * W
    COU = OFF + n_modes * W
    Z = COU + n_modes * W
    ZS = Z + n_modes * W  # z at the three nodes: 3 per mode
    G = ZS + 3 * n_modes * W
    CH = G + n_coef * W  # channels at the step start and the three nodes: 4 per channel
    KON = CH + 4 * n_channels * W
    KOFF = KON + n_slots * W
    X = KOFF + n_slots * W
    XS = X + n_slots * W  # occupancy at the three nodes: 3 per slot
    TMP = XS + 3 * n_slots * W  # 4 per slot
    DRV = TMP + 4 * n_slots * W  # weight of each slot in the drive of adaptation
    LAG = DRV + n_slots * W
    LS = LAG + n_lag * W  # lags at the three nodes: 3 per lag
    LC = LS + 3 * n_lag * W  # gain above and below the drive, loss above and below, saturation: 5 per lag
    BEND = LC + 5 * n_lag * W
    MM = BEND + W  # saturable species: central and peripheral concentration, the four nodes' spare room
    MMP = MM + 8 * W  # its numbers: vc, vmax, km, cl, q, vp
    REL = MMP + 6 * W  # release: state and its three nodes
    RELP = REL + 4 * W  # its numbers: ke, rho, c50, phi
    RED = RELP + 4 * W
    H = RED + N_REDUCED * n_red * W
    T = H + W
    ERR = T + W
    FAC = ERR + W
    ACC = FAC + W
    INS = ACC + W
    ONE = INS + W
    MINUS = ONE + W
    raw = np.zeros(MINUS + 2 * W)
    shift = (-raw.ctypes.data) % 64 // 8
    ws = raw[shift : shift + MINUS + W]
    for l in range(W):
        ws[ONE + l] = 1.0
        ws[MINUS + l] = -1.0
    one = load(ws, ONE)
    zero = splat(0.0)

    lane_z = np.zeros(n_modes)
    lam = np.empty(n_modes)
    offset = np.empty(n_modes)
    coupling = np.empty(n_modes)
    order = np.empty(n_modes, np.int64)
    coef = np.empty(n_modes)
    terms = np.zeros((n_ports, W), np.int64)
    terms_max = np.zeros(n_ports, np.int64)
    chain_lo = pole_ptr[1:].copy()
    chain_hi = np.zeros(n_ports, np.int64)
    used = np.zeros(n_ports, np.bool_)
    alive = np.zeros(W, np.bool_)
    left = 0

    # ---- Per-lane set-up: modes and output coefficients from the subject's row.
    for l in range(W):
        j = min(first_subject + l, stop_subject - 1)
        row = rows[j]
        good = status_in[j] == OK
        if l < n_lanes:
            status[j] = status_in[j]
            if good:
                alive[l] = True
                left += 1
        for s in range(n_slots):
            ws[KON + s * W + l] = row[slot_kon[s]] if good else 0.0
            ws[KOFF + s * W + l] = row[slot_koff[s]] if good else 1.0
            ws[X + s * W + l] = row[slot_start[s]] if good else 0.0
            ws[DRV + s * W + l] = row[slot_drive[s]] if good else 0.0
        ws[BEND + l] = row[lag_bend] if good else 0.0
        for k in range(mm_col.size):
            ws[MMP + k * W + l] = row[mm_col[k]] if good else 1.0
        for k in range(release_col.size):
            ws[RELP + k * W + l] = row[release_col[k]] if good else 1.0
        ws[REL + l] = 1.0
        for k in range(5 * n_lag):
            ws[LC + k * W + l] = row[lag_col[k]] if good else 0.0
        if not good:
            continue
        for q in range(n_ports):
            a, m = pole_ptr[q], pole_ptr[q + 1] - pole_ptr[q]
            terms[q, l] = _modes(row, pole_col[a : a + m], m, lam, offset, coupling, order)
            terms_max[q] = max(terms_max[q], terms[q, l])
            for k in range(m):
                ws[LAM + (a + k) * W + l] = lam[k]
                ws[OFF + (a + k) * W + l] = offset[k]
                ws[COU + (a + k) * W + l] = coupling[k]
                if coupling[k] != 0.0:  # the chains of all lanes lie from chain_lo to chain_hi
                    chain_lo[q] = min(chain_lo[q], a + k - 1)
                    chain_hi[q] = max(chain_hi[q], a + k + 1)
            for o in range(out_ptr[q], out_ptr[q + 1]):
                for k in range(m):
                    coef[k] = 0.0
                for path in range(path_ptr[q], path_ptr[q + 1]):
                    if path_out[path] == o:
                        zeros = zero_col[zero_ptr[path] : zero_ptr[path + 1]]
                        _residues(row, m, order, lam, offset, coupling, row[path_gain[path]],
                                  path_has[path], zeros, coef)  # fmt: skip
                for k in range(m):
                    ws[G + (coef_at[o] + k) * W + l] = coef[k]

    # 1/p for the Taylor series of each port; zero for lanes that need fewer terms than their neighbours.
    inverse_at = np.zeros(n_ports + 1, np.int64)
    for q in range(n_ports):
        inverse_at[q + 1] = inverse_at[q] + (terms_max[q] + 1 if terms_max[q] > 0 else 0)
    inverses = np.zeros(inverse_at[n_ports] * W)
    for q in range(n_ports):
        for l in range(W):
            for p in range(1, terms[q, l] + 1):
                inverses[(inverse_at[q] + p) * W + l] = 1.0 / p

    # ---- Every stored signal is a base plus a sum of products of two places of the workspace.
    base = np.zeros(signals.size)
    plain = np.zeros(signals.size, np.bool_)
    term_ptr = np.zeros(signals.size + 1, np.int64)
    term_a = np.empty(signals.size * (n_modes + n_slots + 1), np.int64)
    term_b = np.empty(signals.size * (n_modes + n_slots + 1), np.int64)
    n_terms = 0
    for i in range(signals.size):
        signal = signals[i]
        if signal < n_channels and signal in (mm_out, release_channel):
            term_a[n_terms] = ONE
            term_b[n_terms] = MM if signal == mm_out else REL
            plain[i] = True
            n_terms += 1
        elif signal < n_channels:
            if signal == tone_channel:
                base[i] = 1.0
            for q in range(n_ports):
                for o in range(out_ptr[q], out_ptr[q + 1]):
                    if out_channel[o] == signal:
                        for k in range(pole_ptr[q], pole_ptr[q + 1]):
                            term_a[n_terms] = G + (coef_at[o] + k - pole_ptr[q]) * W
                            term_b[n_terms] = Z + k * W
                            n_terms += 1
        elif signal < n_channels + n_slots:
            term_a[n_terms] = ONE
            term_b[n_terms] = X + (signal - n_channels) * W
            plain[i] = True
            n_terms += 1
        elif signal >= n_channels + n_slots + n_rec:
            term_a[n_terms] = ONE
            term_b[n_terms] = LAG + (signal - n_channels - n_slots - n_rec) * W
            plain[i] = True
            n_terms += 1
        else:
            base[i] = 1.0
            r = signal - n_channels - n_slots
            for s in range(rec_ptr[r], rec_ptr[r + 1]):
                term_a[n_terms] = MINUS
                term_b[n_terms] = X + s * W
                n_terms += 1
        term_ptr[i + 1] = n_terms

    t = np.full(W, times[0])
    h_prop = np.full(W, 0.05)
    stop = np.full(W, times[0])
    pieces = np.ones(W, np.int64)
    next_event = np.empty(W, np.int64)
    next_out = np.zeros(W, np.int64)
    rejected = np.zeros(W, np.int64)
    last_event = np.empty(W, np.int64)
    n_times = times.size
    t_end = times[n_times - 1]
    for l in range(W):
        j = min(first_subject + l, stop_subject - 1)
        next_event[l] = ev_first[j]
        last_event[l] = ev_last[j]
        ws[H + l] = 0.01
        for r in range(n_red):
            ws[RED + (r * N_REDUCED + 0) * W + l] = -np.inf
            ws[RED + (r * N_REDUCED + 1) * W + l] = np.nan
            ws[RED + (r * N_REDUCED + 2) * W + l] = np.inf
    if tone_channel >= 0:
        for s in range(4):
            store(ws, CH + (4 * tone_channel + s) * W, one)

    inverse_rtol = 1.0 / rtol
    while left > 0:
        # ---- Per-lane control: events, outputs, next stop, step size.
        for l in range(W):
            if not alive[l]:
                continue
            j = first_subject + l
            while next_event[l] < last_event[l] and ev_time[next_event[l]] <= t[l]:
                e = next_event[l]
                next_event[l] += 1
                h_prop[l] = min(h_prop[l], ev_cap[e])
                if ev_kind[e] == RESET or ev_kind[e] == CLEAR:
                    for k in range(n_modes):
                        ws[Z + k * W + l] = 0.0
                    ws[MM + l] = 0.0
                    ws[MM + W + l] = 0.0
                    ws[REL + l] = 1.0
                    if ev_kind[e] == CLEAR:
                        continue
                    # Adaptation stays: it is the person, not the drug.
                    for s in range(n_slots):
                        ws[X + s * W + l] = rows[j, slot_start[s]]
                elif ev_kind[e] == RECEPTORS:
                    for s in range(n_slots):
                        ws[X + s * W + l] = start_states[j, ev_port[e], s]
                    for k in range(n_lag):
                        ws[LAG + k * W + l] = start_states[j, ev_port[e], n_slots + k]
                else:
                    q = ev_port[e]
                    used[q] = True
                    amount = ev_amount[e] * rows[j, ev_scale[e]]
                    a, b = pole_ptr[q], pole_ptr[q + 1]
                    if ev_kind[e] == ADD:
                        for k in range(a, b):
                            if ws[COU + k * W + l] == 0.0:
                                ws[Z + k * W + l] += amount
                    else:
                        _add_train(ws, LAM, OFF, COU, Z, l, a, b, terms[q, l], amount, ev_offset[e], ev_offset2[e],
                                   ev_ii[e], ev_count[e], lane_z, lam, offset, coupling)  # fmt: skip
            target = out[j - out_base]
            while next_out[l] < n_times and times[next_out[l]] <= t[l]:
                now = next_out[l]
                for i in range(signals.size):
                    k = term_ptr[i]
                    if plain[i]:
                        target[i, now] = ws[term_b[k] + l]
                    else:
                        value = base[i]
                        for m in range(k, term_ptr[i + 1]):
                            value += ws[term_a[m] + l] * ws[term_b[m] + l]
                        target[i, now] = value
                next_out[l] += 1
            if t[l] >= t_end:
                alive[l] = False
                left -= 1
                continue
            s_ = times[next_out[l]]
            if next_event[l] < last_event[l] and ev_time[next_event[l]] < s_:
                s_ = ev_time[next_event[l]]
            if t[l] < window[0] < s_:
                s_ = window[0]
            if t[l] < window[1] < s_:
                s_ = window[1]
            rem = s_ - t[l]
            step = min(h_prop[l], h_max)
            stop[l] = s_
            if rem < 1e9 * step:
                pieces[l] = max(math.ceil(rem / step - 1e-9), 1)
                ws[H + l] = rem / pieces[l]
            else:
                pieces[l] = 2
                ws[H + l] = step
            ws[T + l] = t[l]
            ws[INS + l] = 1.0 if window[0] <= t[l] < window[1] else 0.0
        if left == 0:
            break

        # ---- Modes and channels at the nodes.
        h = load(ws, H)
        h0, h1 = h * C0, h * C1
        for c in range(n_channels):
            if c != tone_channel:
                for s in range(4):
                    store(ws, CH + (4 * c + s) * W, zero)
        for q in range(n_ports):
            if not used[q]:
                continue
            a, b = pole_ptr[q], pole_ptr[q + 1]
            if terms_max[q] == 0:
                for k in range(a, b):
                    z = load(ws, Z + k * W)
                    rate = load(ws, LAM + k * W)
                    store(ws, ZS + 3 * k * W, z * decay(rate * h0))
                    store(ws, ZS + (3 * k + 1) * W, z * decay(rate * h1))
                    store(ws, ZS + (3 * k + 2) * W, z * decay(rate * h))
            else:
                lo, hi = chain_lo[q], chain_hi[q]
                for s in range(3):
                    node = h0 if s == 0 else (h1 if s == 1 else h)
                    for k in range(a, b):
                        store(ws, ZS + (3 * k + s) * W, load(ws, Z + k * W))
                    for p in range(terms_max[q], 0, -1):
                        step = node * load(inverses, (inverse_at[q] + p) * W)
                        for k in range(hi - 1, lo - 1, -1):
                            value = load(ws, OFF + k * W) * load(ws, ZS + (3 * k + s) * W)
                            below = load(ws, ZS + (3 * (k - 1) + s) * W) if k > a else zero
                            value = load(ws, COU + k * W) * below - value
                            store(ws, ZS + (3 * k + s) * W, load(ws, Z + k * W) + step * value)
                    for k in range(a, b):
                        value = load(ws, ZS + (3 * k + s) * W) * decay(load(ws, LAM + k * W) * node)
                        store(ws, ZS + (3 * k + s) * W, value)
            for o in range(out_ptr[q], out_ptr[q + 1]):
                if not live[o]:
                    continue
                at = CH + 4 * out_channel[o] * W
                g = G + coef_at[o] * W
                c_a, c_b, c_c, c_d = (
                    load(ws, at),
                    load(ws, at + W),
                    load(ws, at + 2 * W),
                    load(ws, at + 3 * W),
                )
                for k in range(a, b):
                    w = load(ws, g + (k - a) * W)
                    c_a = c_a + w * load(ws, Z + k * W)
                    c_b = c_b + w * load(ws, ZS + 3 * k * W)
                    c_c = c_c + w * load(ws, ZS + (3 * k + 1) * W)
                    c_d = c_d + w * load(ws, ZS + (3 * k + 2) * W)
                store(ws, at, c_a)
                store(ws, at + W, c_b)
                store(ws, at + 2 * W, c_c)
                store(ws, at + 3 * W, c_d)

        worst, check = zero, zero
        inverse_h = 1.0 / h
        # ---- A species with saturable elimination, fed by a channel, and release; linear models have none.
        if mm_out >= 0:
            at = CH + 4 * release_channel * W if release_channel >= 0 else -1
            worst, check = _saturable(ws, h, inverse_h, CH + 4 * mm_in * W, CH + 4 * mm_out * W, at, MM, MMP, REL, RELP)

        # ---- Receptors: one 3x3 solve each, then the embedded error estimate, filtered once.
        for r in range(n_rec):
            lo, hi = rec_ptr[r], rec_ptr[r + 1]
            u0, u1, u2, v0, v1, v2, w0, w1, w2 = zero, zero, zero, zero, zero, zero, zero, zero, zero
            y0, y1, y2, bound = one, one, one, zero
            for s in range(lo, hi):
                at = CH + 4 * slot_channel[s] * W
                kon, x = load(ws, KON + s * W), load(ws, X + s * W)
                z = load(ws, KOFF + s * W) * h
                gamma = 1.0 / (1.0 + z * (_TR + z * (_MIN + z * _DET)))
                store(ws, TMP + 4 * s * W, gamma)
                q0, q1, q2 = kon * load(ws, at + W), kon * load(ws, at + 2 * W), kon * load(ws, at + 3 * W)
                g = gamma * h
                u0, u1, u2 = u0 + g * q0, u1 + g * q1, u2 + g * q2
                g = g * z
                v0, v1, v2 = v0 + g * q0, v1 + g * q1, v2 + g * q2
                g = g * z
                w0, w1, w2 = w0 + g * q0, w1 + g * q1, w2 + g * q2
                g = gamma * x
                y0 = y0 - g * (1.0 + z * ((_TR - C0) + z * (_MIN - R0)))
                y1 = y1 - g * (1.0 + z * ((_TR - C1) + z * (_MIN - R1)))
                y2 = y2 - g * (1.0 + z * ((_TR - 1.0) + z * (_MIN - R2)))
                bound = bound + x
            s00 = 1.0 + A00 * u0 + B00 * v0 + _DET * w0
            s01, s02 = A01 * u1 + B01 * v1, A02 * u2 + B02 * v2
            s11 = 1.0 + A11 * u1 + B11 * v1 + _DET * w1
            s10, s12 = A10 * u0 + B10 * v0, A12 * u2 + B12 * v2
            s22 = 1.0 + A22 * u2 + B22 * v2 + _DET * w2
            s20, s21 = A20 * u0 + B20 * v0, A21 * u1 + B21 * v1
            f0, f1, f2 = _solve3(s00, s01, s02, s10, s11, s12, s20, s21, s22, y0, y1, y2)
            free = 1.0 - bound
            sum_r, sum_a = zero, one
            for s in range(lo, hi):
                at = CH + 4 * slot_channel[s] * W
                kon, x, koff = load(ws, KON + s * W), load(ws, X + s * W), load(ws, KOFF + s * W)
                gamma, z = load(ws, TMP + 4 * s * W), koff * h
                q0, q1, q2 = (
                    kon * load(ws, at + W) * f0, kon * load(ws, at + 2 * W) * f1, kon * load(ws, at + 3 * W) * f2,
                )  # fmt: skip
                zz = z * z * _DET
                g = gamma * h
                m = gamma * x
                x0 = m * (1.0 + z * ((_TR - C0) + z * (_MIN - R0))) + g * (
                    (A00 + z * B00 + zz) * q0 + (A01 + z * B01) * q1 + (A02 + z * B02) * q2
                )
                x1 = m * (1.0 + z * ((_TR - C1) + z * (_MIN - R1))) + g * (
                    (A10 + z * B10) * q0 + (A11 + z * B11 + zz) * q1 + (A12 + z * B12) * q2
                )
                x2 = m * (1.0 + z * ((_TR - 1.0) + z * (_MIN - R2))) + g * (
                    (A20 + z * B20) * q0 + (A21 + z * B21) * q1 + (A22 + z * B22 + zz) * q2
                )
                store(ws, XS + 3 * s * W, x0)
                store(ws, XS + (3 * s + 1) * W, x1)
                store(ws, XS + (3 * s + 2) * W, x2)
                rate = kon * load(ws, at)
                defect = rate * free - koff * x + (E0 * (x0 - x) + E1 * (x1 - x) + E2 * (x2 - x)) * inverse_h
                inverse = h / (MU + z)
                # The slower end of the step decides how strongly the estimate is damped.
                rate = minimum(rate, kon * load(ws, at + 3 * W))
                sum_r = sum_r + defect * inverse
                sum_a = sum_a + rate * inverse
                store(ws, TMP + 4 * s * W, defect)
                store(ws, TMP + (4 * s + 1) * W, inverse)
                store(ws, TMP + (4 * s + 2) * W, rate)
            shared = sum_r * (1.0 / sum_a)  # the error of the bound fraction, and so of the free one
            worst = maximum(worst, absolute(shared) / maximum(maximum(absolute(free), absolute(f2)), splat(0.01)))
            for s in range(lo, hi):
                inverse, rate = load(ws, TMP + (4 * s + 1) * W), load(ws, TMP + (4 * s + 2) * W)
                error = absolute((load(ws, TMP + 4 * s * W) - rate * shared) * inverse)
                size = maximum(absolute(load(ws, XS + (3 * s + 2) * W)), absolute(load(ws, X + s * W)))
                worst = maximum(worst, error / maximum(size, splat(0.01)))
                check = check + error

        # ---- Lags follow the drive, which all slots make; nothing follows them. One 3x3 solve each.
        d_a, d_b, d_c, d_d = zero, zero, zero, zero
        if n_lag:
            for s in range(n_slots):
                e = load(ws, DRV + s * W)
                d_a = d_a + e * load(ws, X + s * W)
                d_b = d_b + e * load(ws, XS + 3 * s * W)
                d_c = d_c + e * load(ws, XS + (3 * s + 1) * W)
                d_d = d_d + e * load(ws, XS + (3 * s + 2) * W)
            bend = load(ws, BEND)
            d_a, d_b = d_a / (1.0 + bend * d_a), d_b / (1.0 + bend * d_b)
            d_c, d_d = d_c / (1.0 + bend * d_c), d_d / (1.0 + bend * d_d)
        for k in range(n_lag):
            relative, error = _lag(ws, h, inverse_h, LAG + k * W, LC + 5 * k * W, LS + 3 * k * W, d_a, d_b, d_c, d_d)
            worst, check = maximum(worst, relative), check + error
        worst = worst + 0.0 * check  # a NaN that a later maximum dropped comes back here
        store(ws, ERR, worst)
        store(ws, FAC, 0.9 / square_root(square_root(worst * inverse_rtol + 1e-12)))

        # ---- Accept or reject each lane on its own, commit where accepted.
        for l in range(W):
            ws[ACC + l] = 1.0 if alive[l] and ws[ERR + l] <= rtol else 0.0
        accept = load(ws, ACC)
        for i in range(n_red):
            _reduce(ws, reduced_signals[i], thresholds[i], n_channels, n_slots, rec_ptr, CH, X, XS, LAG, LS,
                    RED + i * N_REDUCED * W, T, h, accept * load(ws, INS))  # fmt: skip
        for s in range(n_slots):
            store(ws, X + s * W, choose(accept, load(ws, XS + (3 * s + 2) * W), load(ws, X + s * W)))
        if mm_out >= 0:
            store(ws, MM, choose(accept, load(ws, CH + (4 * mm_out + 3) * W), load(ws, MM)))
            store(ws, MM + W, choose(accept, load(ws, MM + 2 * W), load(ws, MM + W)))
            if release_channel >= 0:
                store(ws, REL, choose(accept, load(ws, CH + (4 * release_channel + 3) * W), load(ws, REL)))
        for k in range(n_lag):
            store(ws, LAG + k * W, choose(accept, load(ws, LS + (3 * k + 2) * W), load(ws, LAG + k * W)))
        for q in range(n_ports):
            if used[q]:
                for k in range(pole_ptr[q], pole_ptr[q + 1]):
                    store(ws, Z + k * W, choose(accept, load(ws, ZS + (3 * k + 2) * W), load(ws, Z + k * W)))
        for l in range(W):
            if not alive[l]:
                continue
            j = first_subject + l
            error = ws[ERR + l]
            if ws[ACC + l] > 0.0:
                factor = min(4.0, ws[FAC + l]) if error > 0.0 else 4.0
                step = ws[H + l]
                h_prop[l] = step * factor if pieces[l] == 1 or factor < 1.0 else max(h_prop[l], step * factor)
                t[l] = stop[l] if pieces[l] == 1 else t[l] + step
                rejected[l] = 0
                counts[j, 0] += 1
                if counts[j, 0] >= max_steps:
                    status[j] = TOO_MANY_STEPS
            else:
                factor = 0.2
                if error < 1e300 and rtol > 0.0:  # false for NaN: then the step is simply cut
                    factor = max(0.2, min(0.9, ws[FAC + l]))
                h_prop[l] = ws[H + l] * factor
                rejected[l] += 1
                counts[j, 1] += 1
                if rejected[l] > MAX_REJECTIONS:
                    status[j] = STEP_TOO_SMALL if error < 1e300 else NOT_FINITE
            if status[j] != OK:
                alive[l] = False
                left -= 1

    for l in range(n_lanes):
        j = first_subject + l
        if status[j] == OK:
            for i in range(n_red):
                for k in range(N_REDUCED):
                    reduced[j - out_base, i, k] = ws[RED + (i * N_REDUCED + k) * W + l]
        else:
            for i in range(n_red):
                for k in range(N_REDUCED):
                    reduced[j - out_base, i, k] = np.nan
            for i in range(signals.size):
                for k in range(next_out[l], n_times):
                    out[j - out_base, i, k] = np.nan


@compiled
def _add_train(ws, LAM, OFF, COU, Z, l, a, b, terms, amount, age, age_off, ii, ongoing, z, lam, offset, coupling):
    """Add what an endless past of equal doses has left: ``amount * sum_n exp(-rate (age + n ii))``.

    For a prolonged input ``age`` and ``age_off`` are the ages of the newest start and the newest end, and ``ongoing``
    inputs are still running; ``ii == 0`` is a constant input that has run for ever.
    """
    m = b - a
    for k in range(m):
        lam[k] = ws[LAM + (a + k) * W + l]
        offset[k] = ws[OFF + (a + k) * W + l]
        coupling[k] = ws[COU + (a + k) * W + l]
    first = 0
    while first < m:
        size = 1
        while first + size < m and coupling[first + size] != 0.0:
            size += 1
        if lam[first] == 0.0:
            ws[Z + (a + first) * W + l] += amount * ongoing
        elif ii > 0.0:
            # (I - exp(B ii))^-1 [exp(B age) - exp(B age_off)] e_1 by a truncated doubling of the geometric sum.
            for i in range(size):
                z[i] = 0.0
            total = np.zeros(size)
            for sign in range(2):
                when = age if sign == 0 else age_off
                if when < 0.0:
                    continue
                v = np.zeros(m)
                v[first] = amount if sign == 0 else -amount
                _advance_block(v, first, size, lam[first], offset, coupling, terms, when)
                if size == 1:
                    total[0] += v[first] / -math.expm1(-lam[first] * ii)
                else:
                    span = ii
                    for _ in range(64):
                        old = v.copy()
                        _advance_block(v, first, size, lam[first], offset, coupling, terms, span)
                        for i in range(first, first + size):
                            v[i] += old[i]
                        span *= 2.0
                        if lam[first] * span > 1500.0:
                            break
                    for i in range(size):
                        total[i] += v[first + i]
            for i in range(size):
                ws[Z + (a + first + i) * W + l] += total[i]
        first += size


@compiled
def _reduce(ws, signal, threshold, n_channels, n_slots, rec_ptr, CH, X, XS, LAG, LS, at, T, h, inside):
    """Fold one accepted step into peak, its time, trough, area and time above (masked by ``inside``)."""
    if signal < n_channels:
        base = CH + 4 * signal * W
        a, b, c, d = load(ws, base), load(ws, base + W), load(ws, base + 2 * W), load(ws, base + 3 * W)
    elif signal < n_channels + n_slots:
        s = signal - n_channels
        a = load(ws, X + s * W)
        b, c, d = load(ws, XS + 3 * s * W), load(ws, XS + (3 * s + 1) * W), load(ws, XS + (3 * s + 2) * W)
    elif signal >= n_channels + n_slots + rec_ptr.size - 1:
        s = signal - n_channels - n_slots - rec_ptr.size + 1
        a = load(ws, LAG + s * W)
        b, c, d = load(ws, LS + 3 * s * W), load(ws, LS + (3 * s + 1) * W), load(ws, LS + (3 * s + 2) * W)
    else:
        r = signal - n_channels - n_slots
        a, b, c, d = splat(1.0), splat(1.0), splat(1.0), splat(1.0)
        for s in range(rec_ptr[r], rec_ptr[r + 1]):
            a = a - load(ws, X + s * W)
            b = b - load(ws, XS + 3 * s * W)
            c = c - load(ws, XS + (3 * s + 1) * W)
            d = d - load(ws, XS + (3 * s + 2) * W)
    t = load(ws, T)
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
    better = choose(inside, top - load(ws, at), splat(-1.0))
    store(ws, at + W, choose(better, t + h * top_at, load(ws, at + W)))
    store(ws, at, choose(better, top, load(ws, at)))
    lower = choose(inside, load(ws, at + 2 * W) - low, splat(-1.0))
    store(ws, at + 2 * W, choose(lower, low, load(ws, at + 2 * W)))
    area = h * (A20 * b + A21 * c + A22 * d)
    store(ws, at + 3 * W, load(ws, at + 3 * W) + choose(inside, area, splat(0.0)))
    above = C0 * _above(a, b, threshold) + (C1 - C0) * _above(b, c, threshold) + (1.0 - C1) * _above(c, d, threshold)
    store(ws, at + 4 * W, load(ws, at + 4 * W) + choose(inside, above * h, splat(0.0)))


@compiled
def _above(a, b, threshold):
    """Fraction of a straight segment from ``a`` to ``b`` that lies above the threshold."""
    high = maximum(a, b)
    fraction = (high - threshold) / maximum(high - minimum(a, b), splat(1e-300))
    return maximum(splat(0.0), minimum(fraction, splat(1.0)))


_I, _F = types.int64, types.float64
_IS, _FS, _BS = _I[::1], _F[::1], types.boolean[::1]
#: The only types of the arguments of ``run_group``; any others are refused, so nothing compiles twice.
SIGNATURE = (
    _I, _I, _F[:, ::1], _IS,
    _IS, _IS, _IS, _IS, _IS, types.boolean[:, ::1], _IS, _IS,
    _IS, _IS, _BS, _I, _I,
    _IS, _IS, _IS, _IS, _IS, _IS, _I, _IS,
    _I, _I, _IS, _I, _IS,
    _IS, _IS, _FS, _IS, _IS, _FS, _IS, _FS, _FS, _FS, _FS, _FS,
    _F[:, :, ::1], _FS, _IS, _IS, _FS, _FS, _F, _F, _I,
    _I, _F[:, :, ::1], _F[:, :, ::1], _IS, _I[:, ::1],
)  # fmt: skip


def get_ready() -> None:
    """Load the kernel from the cache, or compile it; once for each process."""
    if not run_group.signatures:
        run_group.compile(SIGNATURE)
        run_group.disable_compile()
