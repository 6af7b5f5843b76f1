"""The workspace of the kernel: where each quantity of a group of subjects lies in one flat array.

Element ``k`` of a quantity for lane ``l`` lies at ``at.<quantity> + k * W + l``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from schild.engine.cache import compiled, inlined
from schild.engine.layout import N_REDUCED, W


class Layout(NamedTuple):
    """Where each quantity of the workspace begins."""

    lam: int  # centre of each mode's cluster, offset from it, coupling to the mode before
    off: int
    cou: int
    series: int  # Taylor terms of each port
    z: int  # modes, and at the three nodes of a step: 3 per mode
    zs: int
    g: int  # output coefficients
    ch: int  # channels at the start of a step and its three nodes: 4 per channel
    kon: int
    koff: int
    x: int  # occupancy, and at the three nodes: 3 per slot
    xs: int
    tmp: int  # 4 per slot
    drv: int  # weight of each slot in the drive of adaptation
    lag: int  # adaptation states, and at the three nodes: 3 per lag
    ls: int
    lc: int  # gain above and below the drive, loss above and below, saturation: 5 per lag
    bend: int
    left: int  # weights of the tone and of each state in what is left: 1 + n_lags
    mm: int  # saturable species: central and peripheral concentration, and spare room
    mmp: int  # its numbers: vc, vmax, km, cl, q, vp
    rel: int  # release: state and its three nodes
    relp: int  # its numbers: ke, rho, c50, phi
    red: int  # reducers
    slope: int  # slope of each channel at the start of a step, where a reducer reads it
    terms: int  # sum of the sizes of its modes
    peak: int  # its largest level so far
    zt: int  # modes of one lane at eight output times
    points: int  # those times from the start of the step, or values at them
    poly: int  # polynomial of each stored signal over a step: 4 per signal
    h: int
    t: int
    proposed: int  # the step that the last error allows
    first: int  # the step that was right after the last dose into each port; 0 until one was accepted
    fresh: int  # positive from a dose to the first accepted step
    stop: int  # next event, end of the window or end of the run
    due: int  # next output time, where steps pass over them
    last: int  # positive where this step leads there
    alive: int  # whether the lane is still followed
    halted: int  # positive where a lane has something to do besides stepping
    err: int
    refused: int  # steps refused in a row
    n_taken: int
    n_refused: int
    one: int
    minus: int
    end: int


@inlined
def lay_out(model, n_coef, n_red, n_out):
    """Lay out the workspace of one model."""
    n_modes = model.pole_ptr[model.pole_ptr.size - 1]
    n_slots, n_lag = model.slot_channel.size, model.lag_col.size // 5
    lam = 0
    off = lam + n_modes * W
    cou = off + n_modes * W
    series = cou + n_modes * W
    z = series + (model.pole_ptr.size - 1) * W
    zs = z + n_modes * W
    g = zs + 3 * n_modes * W
    ch = g + n_coef * W
    kon = ch + 4 * model.n_channels * W
    koff = kon + n_slots * W
    x = koff + n_slots * W
    xs = x + n_slots * W
    tmp = xs + 3 * n_slots * W
    drv = tmp + 4 * n_slots * W
    lag = drv + n_slots * W
    ls = lag + n_lag * W
    lc = ls + 3 * n_lag * W
    bend = lc + 5 * n_lag * W
    left = bend + W
    mm = left + (1 + n_lag) * W
    mmp = mm + 8 * W
    rel = mmp + 6 * W
    relp = rel + 4 * W
    red = relp + 4 * W
    slope = red + N_REDUCED * n_red * W
    terms = slope + model.n_channels * W
    peak = terms + model.n_channels * W
    zt = peak + model.n_channels * W
    points = zt + n_modes * W
    poly = points + W
    first = poly + 4 * n_out * W
    h = first + (model.pole_ptr.size - 1) * W
    return Layout(
        lam, off, cou, series, z, zs, g, ch, kon, koff, x, xs, tmp, drv, lag, ls, lc, bend, left, mm, mmp, rel, relp,
        red, slope, terms, peak, zt, points, poly,
        h, h + W, h + 2 * W, first, h + 3 * W, h + 4 * W, h + 5 * W, h + 6 * W, h + 7 * W, h + 8 * W, h + 9 * W,
        h + 10 * W, h + 11 * W, h + 12 * W, h + 13 * W, h + 14 * W, h + 15 * W,
    )  # fmt: skip


@compiled
def aligned(size):
    """Zeros that begin on a cache line, so that no lane straddles two."""
    raw = np.zeros(size + W)
    shift = (-raw.ctypes.data) % 64 // 8
    return raw[shift : shift + size]
