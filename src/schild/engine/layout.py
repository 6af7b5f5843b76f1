"""The tables that the kernel takes, the layout of its workspace, and the one signature that is compiled.

The workspace of a group of ``W`` subjects is one flat array. Element ``k`` of a quantity for lane ``l`` lies at
``at.<quantity> + k * W + l``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from schild.engine.cache import compiled, inlined
from schild.engine.lanes import W

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Event kinds.
ADD, RESET, TRAIN, RECEPTORS, CLEAR = 0, 1, 2, 3, 4
# Subject status.
OK, BAD_INPUT, STEP_TOO_SMALL, NOT_FINITE, TOO_MANY_STEPS = 0, 1, 2, 3, 4
# Reducers keep this many numbers per signal: peak, time of peak, trough, area, time above.
N_REDUCED = 5


class Structure(NamedTuple):
    """Structure of a model: the tables of ``schild.model.arrays.Program``, which explains them."""

    pole_ptr: Ints
    pole_col: Ints
    path_ptr: Ints
    path_out: Ints
    path_gain: Ints
    path_has: Flags
    zero_ptr: Ints
    zero_col: Ints
    out_ptr: Ints
    out_channel: Ints
    out_live: Flags
    n_channels: int
    tone_channel: int
    rec_ptr: Ints
    slot_channel: Ints
    slot_kon: Ints
    slot_koff: Ints
    slot_start: Ints
    slot_drive: Ints
    lag_bend: int
    lag_col: Ints
    mm_in: int
    mm_out: int
    mm_col: Ints
    release_channel: int
    release_col: Ints


class Events(NamedTuple):
    """Events sorted by time; ``schild.engine.run.EngineEvents`` explains them."""

    time: Floats
    kind: Ints
    port: Ints
    amount: Floats
    scale: Ints
    offset: Floats
    offset2: Floats
    ii: Floats
    count: Floats  # type: ignore[assignment]  # hides the method of tuples
    cap: Floats
    first: Ints
    last: Ints


class Task(NamedTuple):
    """What is computed, and how finely; ``schild.engine.run.run`` explains it."""

    times: Floats
    signals: Ints
    reduced: Ints
    thresholds: Floats
    window: Floats
    rtol: float
    h_max: float
    dense: int  # 1 where steps pass over output times, which are then read from the polynomials of a step
    max_steps: int


class Found(NamedTuple):
    """Where results go: outputs and reducers of one chunk of subjects, status and step counts of all."""

    out: Floats
    reduced: Floats
    status: Ints
    counts: Ints


class Layout(NamedTuple):
    """Where each quantity of the workspace begins."""

    lam: int  # centre of each mode's cluster, offset from it, coupling to the mode before
    off: int
    cou: int
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
    stop: int  # next event, end of the window or end of the run
    pieces: int  # steps until there
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
    z = cou + n_modes * W
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
    mm = bend + W
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
    h = poly + 4 * n_out * W
    return Layout(
        lam, off, cou, z, zs, g, ch, kon, koff, x, xs, tmp, drv, lag, ls, lc, bend, mm, mmp, rel, relp, red,
        slope, terms, peak, zt, points, poly,
        h, h + W, h + 2 * W, h + 3 * W, h + 4 * W, h + 5 * W, h + 6 * W, h + 7 * W, h + 8 * W, h + 9 * W, h + 10 * W,
        h + 11 * W, h + 12 * W, h + 13 * W,
    )  # fmt: skip


@compiled
def aligned(size):
    """Zeros that begin on a cache line, so that no lane straddles two."""
    raw = np.zeros(size + W)
    shift = (-raw.ctypes.data) % 64 // 8
    return raw[shift : shift + size]


_TYPES = {
    "int": types.int64,
    "float": types.float64,
    "Ints": types.int64[::1],
    "Floats": types.float64[::1],
    "Flags": types.boolean[::1],
}


def kinds(record: type) -> dict[str, str]:
    """Give the kind of each field of one of the tuples: ``int``, ``float``, ``Ints``, ``Floats`` or ``Flags``."""
    return {name: what.__forward_arg__ for name, what in record.__annotations__.items()}


def _named(record: type, **others: types.Type) -> types.Type:
    return types.NamedTuple([others.get(name) or _TYPES[what] for name, what in kinds(record).items()], record)


#: The only types of the arguments of ``kernel.run_group``; any others are refused, so nothing compiles twice.
SIGNATURE = (
    types.int64, types.int64, types.float64[:, ::1], types.int64[::1],
    _named(Structure, path_has=types.boolean[:, ::1]), _named(Events), types.float64[:, :, ::1], _named(Task),
    types.int64,
    _named(Found, out=types.float64[:, :, ::1], reduced=types.float64[:, :, ::1], counts=types.int64[:, ::1]),
)  # fmt: skip
