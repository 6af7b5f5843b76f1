"""Linear kinetics in closed form: from a port's poles to modes and output coefficients, and modes over a step.

A *port* is a place where doses enter, with its own exponential modes. What a dose does to a concentration is a sum of
exponentials, so nothing is integrated here and a step of any length is exact. ``docs/design/engine.md`` has the
mathematics.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schild.engine.cache import compiled, inlined
from schild.engine.lanes import W, absolute, choose, decay, load, splat, store
from schild.engine.radau import C0, C1

MAX_TERMS = 200
AMPLIFICATION = 1e4


@compiled
def advance_block(z, first, size, center, offset, coupling, terms, dt):
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
def find_modes(row, poles, lam, offset, coupling, order):
    """Sort a port's poles, find near-equal ones and write their modes. Returns the Taylor terms the clusters need.

    Simple poles get partial fractions. Where those would cancel (the product of a pole's inverse relative gaps exceeds
    ``AMPLIFICATION``) it joins its nearest neighbour, until no cluster loses more to the poles outside it. A cluster
    shares a centre and forms a chain, whose state is a polynomial times one exponential: exact for repeated rates.
    """
    m = poles.size
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
def add_residues(row, order, lam, offset, coupling, gain, has, zeros, out):
    """Add one path's output coefficients to ``out``: divided differences of its transfer function at each cluster.

    For a simple pole this is the ordinary residue; for a cluster it applies each factor (s + a) to the last unit
    vector through the bidiagonal matrix of the cluster's nodes (Opitz), so nothing cancels.
    """
    m = out.size
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
def add_train(ws, at, l, a, b, terms, amount, age, age_off, ii, ongoing):
    """Add what an endless past of equal doses has left: ``amount * sum_n exp(-rate (age + n ii))``.

    For a prolonged input ``age`` and ``age_off`` are the ages of the newest start and the newest end, and ``ongoing``
    inputs are still running; ``ii == 0`` is a constant input that has run for ever.
    """
    m = b - a
    lam, offset, coupling = np.empty(m), np.empty(m), np.empty(m)
    for k in range(m):
        lam[k] = ws[at.lam + (a + k) * W + l]
        offset[k] = ws[at.off + (a + k) * W + l]
        coupling[k] = ws[at.cou + (a + k) * W + l]
    first = 0
    while first < m:
        size = 1
        while first + size < m and coupling[first + size] != 0.0:
            size += 1
        if lam[first] == 0.0:
            ws[at.z + (a + first) * W + l] += amount * ongoing
        elif ii > 0.0:
            # (I - exp(B ii))^-1 [exp(B age) - exp(B age_off)] e_1 by a truncated doubling of the geometric sum.
            total = np.zeros(size)
            for sign in range(2):
                when = age if sign == 0 else age_off
                if when < 0.0:
                    continue
                v = np.zeros(m)
                v[first] = amount if sign == 0 else -amount
                advance_block(v, first, size, lam[first], offset, coupling, terms, when)
                if size == 1:
                    total[0] += v[first] / -math.expm1(-lam[first] * ii)
                else:
                    span = ii
                    for _ in range(64):
                        old = v.copy()
                        advance_block(v, first, size, lam[first], offset, coupling, terms, span)
                        for i in range(first, first + size):
                            v[i] += old[i]
                        span *= 2.0
                        if lam[first] * span > 1500.0:
                            break
                    for i in range(size):
                        total[i] += v[first + i]
            for i in range(size):
                ws[at.z + (a + first + i) * W + l] += total[i]
        first += size


class Ports(NamedTuple):
    """Modes of all ports of a group: what the workspace does not hold."""

    coef_at: NDArray[np.int64]  # place of each output's coefficients
    live: NDArray[np.bool_]  # outputs that a receptor or a reducer reads inside steps
    watched: NDArray[np.bool_]  # outputs whose polynomials over a step are read, by reducers or for receptors
    fed: NDArray[np.bool_]  # channels of live outputs, and of watched ones
    sloped: NDArray[np.bool_]
    terms: NDArray[np.int64]  # Taylor terms of each port and lane, and the most of each port
    terms_max: NDArray[np.int64]
    low: NDArray[np.int64]  # the chains of each port and lane lie between these, and those of each port
    high: NDArray[np.int64]
    chain_lo: NDArray[np.int64]
    chain_hi: NDArray[np.int64]
    used: NDArray[np.bool_]


@compiled
def coefficient_places(model):
    """Place of each output's coefficients, and how many there are."""
    n_ports = model.pole_ptr.size - 1
    coef_at = np.empty(model.out_ptr[n_ports], np.int64)
    n_coef = 0
    for q in range(n_ports):
        for o in range(model.out_ptr[q], model.out_ptr[q + 1]):
            coef_at[o] = n_coef
            n_coef += model.pole_ptr[q + 1] - model.pole_ptr[q]
    return coef_at, n_coef


@inlined
def lay_ports(model, coef_at, reduced, dense):
    """Find which outputs and channels are followed; no lane has modes yet."""
    n_ports = model.pole_ptr.size - 1
    live = model.out_live.copy()
    watched = np.zeros(live.size, np.bool_)
    fed, sloped = np.zeros(model.n_channels, np.bool_), np.zeros(model.n_channels, np.bool_)
    for o in range(live.size):
        c = model.out_channel[o]
        watched[o] = dense != 0 and live[o]
        for i in range(reduced.size):
            live[o] |= reduced[i] == c
        watched[o] |= model.slot_channel.size == 0 and live[o]
        fed[c] |= live[o] and c != model.tone_channel
        sloped[c] |= watched[o]
    terms, terms_max = np.zeros((n_ports, W), np.int64), np.zeros(n_ports, np.int64)
    low, high = np.zeros((n_ports, W), np.int64), np.zeros((n_ports, W), np.int64)
    for q in range(n_ports):
        low[q] = model.pole_ptr[q + 1]
    chain_lo, chain_hi, used = np.zeros(n_ports, np.int64), np.zeros(n_ports, np.int64), np.zeros(n_ports, np.bool_)
    return Ports(coef_at, live, watched, fed, sloped, terms, terms_max, low, high, chain_lo, chain_hi, used)


@inlined
def fill_ports(ws, at, model, ports, row, l):
    """Write modes and output coefficients of a subject into its lane."""
    n_ports = model.pole_ptr.size - 1
    n_modes = model.pole_ptr[n_ports]
    lam, offset, coupling, coef = np.empty(n_modes), np.empty(n_modes), np.empty(n_modes), np.empty(n_modes)
    order = np.empty(n_modes, np.int64)
    for q in range(n_ports):
        a, m = model.pole_ptr[q], model.pole_ptr[q + 1] - model.pole_ptr[q]
        ports.terms[q, l] = find_modes(row, model.pole_col[a : a + m], lam, offset, coupling, order)
        ports.low[q, l], ports.high[q, l] = a + m, 0
        for k in range(m):
            ws[at.z + (a + k) * W + l] = 0.0
            ws[at.lam + (a + k) * W + l] = lam[k]
            ws[at.off + (a + k) * W + l] = offset[k]
            ws[at.cou + (a + k) * W + l] = coupling[k]
            if coupling[k] != 0.0:
                ports.low[q, l] = min(ports.low[q, l], a + k - 1)
                ports.high[q, l] = a + k + 1
        ws[at.series + q * W + l] = ports.terms[q, l]
        ports.terms_max[q], ports.chain_lo[q], ports.chain_hi[q] = 0, a + m, 0
        for other in range(W):
            ports.terms_max[q] = max(ports.terms_max[q], ports.terms[q, other])
            ports.chain_lo[q] = min(ports.chain_lo[q], ports.low[q, other])
            ports.chain_hi[q] = max(ports.chain_hi[q], ports.high[q, other])
        for o in range(model.out_ptr[q], model.out_ptr[q + 1]):
            for k in range(m):
                coef[k] = 0.0
            for path in range(model.path_ptr[q], model.path_ptr[q + 1]):
                if model.path_out[path] == o:
                    zeros = model.zero_col[model.zero_ptr[path] : model.zero_ptr[path + 1]]
                    gain = row[model.path_gain[path]]
                    add_residues(row, order, lam, offset, coupling, gain, model.path_has[path], zeros, coef[:m])
            for k in range(m):
                ws[at.g + (ports.coef_at[o] + k) * W + l] = coef[k]


@inlined
def propagate(ws, at, model, ports, h):
    """Bring modes and channels to the nodes of a step of each lane."""
    zero = splat(0.0)
    h0, h1 = h * C0, h * C1
    for c in range(model.n_channels):
        if ports.fed[c]:
            for s in range(4):
                store(ws, at.ch + (4 * c + s) * W, zero)
        if ports.sloped[c]:
            store(ws, at.slope + c * W, zero)
            store(ws, at.terms + c * W, zero)
    for q in range(model.pole_ptr.size - 1):
        if not ports.used[q]:
            continue
        a, b = model.pole_ptr[q], model.pole_ptr[q + 1]
        if ports.terms_max[q] == 0:
            for k in range(a, b):
                z = load(ws, at.z + k * W)
                rate = load(ws, at.lam + k * W)
                store(ws, at.zs + 3 * k * W, z * decay(rate * h0))
                store(ws, at.zs + (3 * k + 1) * W, z * decay(rate * h1))
                store(ws, at.zs + (3 * k + 2) * W, z * decay(rate * h))
        else:
            lo, hi = ports.chain_lo[q], ports.chain_hi[q]
            for s in range(3):
                node = h0 if s == 0 else (h1 if s == 1 else h)
                for k in range(a, b):
                    store(ws, at.zs + (3 * k + s) * W, load(ws, at.z + k * W))
                for p in range(ports.terms_max[q], 0, -1):
                    # A lane that needs fewer terms than its neighbours has zero there.
                    step = node * choose(load(ws, at.series + q * W) - (p - 0.5), splat(1.0 / p), zero)
                    for k in range(hi - 1, lo - 1, -1):
                        value = load(ws, at.off + k * W) * load(ws, at.zs + (3 * k + s) * W)
                        below = load(ws, at.zs + (3 * (k - 1) + s) * W) if k > a else zero
                        value = load(ws, at.cou + k * W) * below - value
                        store(ws, at.zs + (3 * k + s) * W, load(ws, at.z + k * W) + step * value)
                for k in range(a, b):
                    value = load(ws, at.zs + (3 * k + s) * W) * decay(load(ws, at.lam + k * W) * node)
                    store(ws, at.zs + (3 * k + s) * W, value)
        for o in range(model.out_ptr[q], model.out_ptr[q + 1]):
            if not ports.live[o]:
                continue
            place = at.ch + 4 * model.out_channel[o] * W
            g = at.g + ports.coef_at[o] * W
            c_a, c_b, c_c, c_d = (
                load(ws, place),
                load(ws, place + W),
                load(ws, place + 2 * W),
                load(ws, place + 3 * W),
            )
            for k in range(a, b):
                w = load(ws, g + (k - a) * W)
                c_a = c_a + w * load(ws, at.z + k * W)
                c_b = c_b + w * load(ws, at.zs + 3 * k * W)
                c_c = c_c + w * load(ws, at.zs + (3 * k + 1) * W)
                c_d = c_d + w * load(ws, at.zs + (3 * k + 2) * W)
            store(ws, place, c_a)
            store(ws, place + W, c_b)
            store(ws, place + 2 * W, c_c)
            store(ws, place + 3 * W, c_d)
            if ports.watched[o]:
                c = model.out_channel[o]
                slope, terms = load(ws, at.slope + c * W), load(ws, at.terms + c * W)
                for k in range(a, b):
                    rate = load(ws, at.lam + k * W) + load(ws, at.off + k * W)
                    change = zero - rate * load(ws, at.z + k * W)
                    if k > a:
                        change = change + load(ws, at.cou + k * W) * load(ws, at.z + (k - 1) * W)
                    slope = slope + load(ws, g + (k - a) * W) * change
                    terms = terms + absolute(load(ws, g + (k - a) * W) * load(ws, at.z + k * W))
                store(ws, at.slope + c * W, slope)
                store(ws, at.terms + c * W, terms)


@inlined
def modes_at(ws, at, model, ports, l, dt):
    """Bring the modes of one lane to eight times after the start of its step."""
    zero = splat(0.0)
    for q in range(model.pole_ptr.size - 1):
        a, b = model.pole_ptr[q], model.pole_ptr[q + 1]
        for k in range(a, b):
            store(ws, at.zt + k * W, splat(ws[at.z + k * W + l]))
        if not ports.used[q]:
            continue
        for p in range(ports.terms[q, l], 0, -1):
            step = dt * (1.0 / p)
            for k in range(b - 1, a - 1, -1):
                value = ws[at.off + k * W + l] * load(ws, at.zt + k * W)
                below = load(ws, at.zt + (k - 1) * W) if k > a else zero
                value = ws[at.cou + k * W + l] * below - value
                store(ws, at.zt + k * W, ws[at.z + k * W + l] + step * value)
        for k in range(a, b):
            store(ws, at.zt + k * W, load(ws, at.zt + k * W) * decay(ws[at.lam + k * W + l] * dt))
