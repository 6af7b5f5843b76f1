"""The tables that the kernel takes, and the numbers that it and its callers share. Nothing here needs Numba."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Floats3 = NDArray[np.float64]
Ints = NDArray[np.int64]
Ints2 = NDArray[np.int64]
Flags = NDArray[np.bool_]
Flags2 = NDArray[np.bool_]

#: Subjects that the kernel takes through a step together.
W = 8
# Event kinds.
ADD, RESET, TRAIN, RECEPTORS, CLEAR = 0, 1, 2, 3, 4
# Subject status.
OK, BAD_INPUT, STEP_TOO_SMALL, NOT_FINITE, TOO_MANY_STEPS = 0, 1, 2, 3, 4
# Reducers keep this many numbers per signal: peak, time of peak, trough, area, time above.
N_REDUCED = 5
#: Longest step across an output, which is then read from the polynomial through the nodes of the step. [h]
H_INSIDE = 1.0


class Structure(NamedTuple):
    """Structure of a model: the tables of ``schild.model.arrays.Program``, which explains them."""

    pole_ptr: Ints
    pole_col: Ints
    path_ptr: Ints
    path_out: Ints
    path_gain: Ints
    path_has: Flags2
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
    n_followers: int
    left_slot: int
    left_col: Ints
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

    out: Floats3
    reduced: Floats3
    status: Ints
    counts: Ints2


_KINDS = {
    "int": "int64", "float": "float64", "Ints": "int64:1", "Ints2": "int64:2", "Floats": "float64:1",
    "Floats3": "float64:3", "Flags": "bool:1", "Flags2": "bool:2",
}  # fmt: skip


@cache
def kinds(record: type) -> dict[str, str]:
    """Give the kind of each field of one of the tuples: a type such as ``int64``, and ``:n`` for n dimensions.

    >>> kinds(Task)["times"], kinds(Task)["rtol"]
    ('float64:1', 'float64')
    """
    return {name: _KINDS[what.__forward_arg__] for name, what in record.__annotations__.items()}
