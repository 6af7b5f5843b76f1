"""Run a compiled model: chunks of subjects over threads, with the same bits for any number of threads.

The kernel releases the interpreter lock, so plain threads use every core; a subject's numbers do not depend on its
chunk, its neighbours or the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from schild.array_types import Floats
from schild.engine.layout import H_INSIDE, N_REDUCED, Events, Found, Structure, Task, W, kinds
from schild.engine.portable import entry, plain

if TYPE_CHECKING:
    from schild.model.arrays import Program

Ints = NDArray[np.int64]

#: Message of each subject status.
STATUS = {
    0: "ok",
    1: "a parameter of this subject is not a finite number, or not in its range",
    2: "the step size became too small; the tolerance cannot be met",
    3: "the numbers left the finite range",
    4: "more steps than the cap",
}

#: Results of a reducer for each signal, in the order of the last axis of ``EngineResult.reduced``.
REDUCED = ("peak", "peak_time_h", "trough", "area", "time_above_h")

CHUNK = 256

#: Longest step of runs that follow receptors [h]: where reducers or outputs inside a step read the polynomial through
#: its nodes, and elsewhere. Of 250 random models the worst error at times 13 to 32 h apart is 2e-5 with the first
#: and 5e-5 with the second (5e-4 with 24 h).
H_MAX, H_FREE = H_INSIDE, 4.0

#: Mean distance of output times, of the later half, below which a step may pass over them: ending at each would need
#: more steps than the error requires. [h]
DENSE_H = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineEvents:
    """Events as arrays, sorted by time; ``first`` and ``last`` give each subject its slice (all of it by default)."""

    time: Floats  #: Time of each event; events at one time act in the order of the table [h]
    #: ``layout.ADD``, ``RESET``, ``TRAIN``, ``RECEPTORS``, or ``CLEAR`` (empties the body and keeps receptors)
    kind: Ints
    port: Ints  #: Input (``Program.ports``); for ``RECEPTORS`` the number of the start state
    #: Amount, multiplied by the subject's column ``scale``: a dose [nmol]; for a prolonged input a rate [nmol/h], which
    #: the same negative rate ends. A reset ends every input, so no end may follow it.
    amount: Floats
    scale: Ints  #: Column of the subject's row that multiplies ``amount``; column 1 holds one
    #: For ``TRAIN``, an endless past of equal doses: ages of the newest start and, for prolonged inputs, of the newest
    #: end; a negative ``offset2`` means none [h]
    offset: Floats
    offset2: Floats
    ii: Floats  #: For ``TRAIN``, the interval; 0 with ``count`` 1 is an input without a beginning [h]
    count: Floats  #: For ``TRAIN``, the number of prolonged inputs still running; each needs its end as an ``ADD``
    #: Longest step after the event: small where concentrations jump (an IV bolus into plasma that receptors see) [h]
    cap: Floats
    #: Slice of each subject
    first: Ints | None = None
    last: Ints | None = None

    @classmethod
    def build(
        cls, rows: Sequence[tuple[float, int, int, float, int, float, float, float, float, float]]
    ) -> EngineEvents:
        """Make events from tuples in the order of the fields, sorted by time."""
        table = np.array(rows, dtype=np.float64).reshape(-1, 10)
        of = list(kinds(Events).items())[:10]
        columns: dict[str, Any] = {
            name: plain(table[:, k], kind.partition(":")[0]) for k, (name, kind) in enumerate(of)
        }
        return cls(**columns)

    def at(self, rows: Ints, time_h: Floats) -> EngineEvents:
        """Return events by row, with repetition, at other times [h]."""
        own = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name not in ("time", "first", "last")}
        return EngineEvents(time=time_h, **own)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineResult:
    """Result of a run of the engine.

    ``out`` has shape (subjects, signals, times), ``reduced`` (subjects, signals, 5), ``status`` (subjects,) and
    ``counts``, the accepted and the rejected steps, (subjects, 2).
    """

    out: NDArray[np.floating]
    reduced: Floats
    status: Ints
    counts: Ints


def threads_available() -> int:
    """Return the number of processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def run(
    program: Program,
    rows: Floats,
    events: EngineEvents,
    times: Floats,
    signals: Sequence[int],
    *,
    reduced: Sequence[int] = (),
    thresholds: Sequence[float] = (),
    window: tuple[float, float] | None = None,
    start_states: Floats | None = None,
    rtol: float = 3e-5,
    h_max: float | None = None,
    threads: int | None = None,
    chunk: int | None = None,
    max_steps: int = 20_000_000,
    dtype: DTypeLike = np.float64,
    progress: Callable[[int], None] | None = None,
) -> EngineResult:
    """Integrate every subject.

    - ``program``: structure, from ``schild.model.arrays.compile_spec``.
    - ``rows``, shape (n, n_columns): numbers of each subject. Rows with a number that is not finite get status 1 and
      NaN results.
    - ``events``: doses, resets and steady states.
    - ``times``, shape (n_times,): output times, rising; the run starts at the first [h].
    - ``signals``: signals to store at ``times``.
    - ``reduced`` and ``thresholds``: signals to reduce inside the run and the threshold of each.
    - ``window``: start and end of the reducers; the whole run by default [h].
    - ``start_states``, shape (n, n_states, n_slots + n_lags): states of receptors and adaptation that events may set.
    - ``rtol``: tolerance of the binding integrator, relative with a floor of 0.01.
    - ``h_max``: longest step where receptors are followed; ``H_MAX`` with reducers, else ``H_FREE`` by default; across
      outputs never longer than ``H_MAX`` [h].
    - ``threads``: threads; all processors by default, one for small runs.
    - ``chunk``: subjects per task; at most 256 by default.
    - ``max_steps``: steps after which a subject fails.
    - ``dtype``: type of ``out``.
    - ``progress``: called with the number of subjects finished, after each chunk.

    Subjects that fail have a status, and NaN from the failure on; others are not affected.
    Raises ValueError if the times do not rise, or signals to reduce and thresholds do not match in number.

    At the default tolerance the largest error of occupancies and free fractions over 1,400 random models was 8e-5,
    relative with a floor of 0.01; at ``rtol=1e-9`` it was 2e-8. Concentrations do not depend on the tolerance: 5e-11 of
    the largest value. Reducers read the polynomial through the nodes of a step, whose error for concentrations bounds
    the step as well where no receptor is followed (measured against steps of 0.01 h: area 1e-7, time above a threshold
    1e-4 h); with receptors their error is that of steps of up to ``H_MAX`` (peak 3e-5, area 2e-4). Output
    times closer than ``DENSE_H`` are read from the polynomials too; concentrations are exact.

    >>> import numpy as np
    >>> from schild.model.arrays import compile_spec
    >>> from schild.model.spec import Input, Ligand, ModelSpec, Receptor, Species
    >>> spec = ModelSpec(
    ...     species=(Species(name="drug"),),
    ...     inputs=(Input(name="drug.iv", delivers=("drug",)),),
    ...     receptors=(Receptor(name="mor", ligands=(Ligand(species="drug", site="plasma"),)),),
    ... )
    >>> values = {"drug.vc": 50.0, "drug.cl": 20.0, "drug.fu": 1.0, "drug.iv.fraction.drug": 1.0}
    >>> program, rows = compile_spec(spec, values | {"mor.drug.kd": 1.0, "mor.drug.koff": 2.0}, 1)
    >>> events = EngineEvents.build([(0.0, 0, 0, 100.0, 1, 0.0, -1.0, 0.0, 0.0, 1e-3)])
    >>> result = run(program, rows, events, np.array([0.0, 1.0]), [program.signal("plasma_drug")])
    >>> result.out[0, 0].round(4).tolist()
    [2.0, 1.3406]
    """
    run_groups = entry("run_groups")
    p = program
    n = rows.shape[0]
    numbers = plain(rows)
    grid = plain(times)
    if grid.size == 0 or not np.all(np.diff(grid) > 0):
        raise ValueError(f"times must rise and not be empty; got {grid.size} times, the first {grid[:5]}.")
    if len(thresholds) not in (0, len(reduced)):
        raise ValueError(f"{len(reduced)} signals are reduced, but {len(thresholds)} thresholds were given.")
    model, rates = _structure(p)
    good = np.isfinite(numbers).all(axis=1) & (numbers[:, rates] >= 0).all(axis=1)
    status_in = np.where(good, 0, 1).astype(np.int64)
    signal_ids = np.array(signals, dtype=np.int64)
    reduced_ids = np.array(reduced, dtype=np.int64)
    limits = np.array(thresholds, dtype=np.float64) if len(thresholds) else np.full(len(reduced_ids), np.inf)
    span = np.array(window if window is not None else (grid[0], grid[-1]), dtype=np.float64)
    first = np.zeros(n, dtype=np.int64) if events.first is None else events.first
    last = np.full(n, events.time.size) if events.last is None else events.last
    states = plain(start_states) if start_states is not None else np.zeros((0, 0, 0))
    width = p.slot_channel.size + p.lag_col.size // 5
    if start_states is not None and states.shape[0::2] != (n, width):
        raise ValueError(f"start_states has shape {states.shape}; expected ({n}, any, {width}).")
    out = np.empty((n, len(signal_ids), grid.size), dtype=dtype)
    folded = np.empty((n, len(reduced_ids), N_REDUCED))
    status = np.zeros(n, dtype=np.int64)
    counts = np.zeros((n, 2), dtype=np.int64)
    what = Events(*_fields(Events, events, first=first, last=last))
    dense = not (p.slot_channel.size or p.mm_out >= 0) or _mean_distance(grid) < DENSE_H
    if h_max is None:
        h_max = H_MAX if len(reduced) else H_FREE
    asked = Task(grid, signal_ids, reduced_ids, limits, span, float(rtol), float(h_max), int(dense), int(max_steps))

    workers = threads or threads_available()
    if chunk is None:  # small runs are spread over the threads in whole groups of lanes
        chunk = min(CHUNK, max(4 * W, -(-n // (workers * W)) * W))
    spare: list[Floats] = []

    def task(start: int, stop: int) -> int:
        # Results of another type are converted through a reused block: new memory takes time.
        own = out.dtype == np.float64
        whole = None if own else (spare.pop() if spare else np.empty((chunk, len(signal_ids), grid.size)))
        block = out[start:stop] if whole is None else whole[: stop - start]
        reduction = folded[start:stop]
        place = Found(block, reduction, status, counts)
        run_groups(start, stop, numbers, status_in, model, what, states, asked, start, place)
        if whole is not None:
            out[start:stop] = block
            spare.append(whole)
        return stop - start

    parts = [(k, min(k + chunk, n)) for k in range(0, n, chunk)]
    workers = min(workers, len(parts))
    if workers <= 1:
        for part in parts:
            done = task(*part)
            if progress:
                progress(done)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for done in pool.map(lambda part: task(*part), parts):
                if progress:
                    progress(done)
    return EngineResult(out=out, reduced=folded, status=status, counts=counts)


@lru_cache(maxsize=64)
def _structure(p: Program) -> tuple[Structure, Ints]:
    """Structure of a model as the kernel takes it, and the columns that hold rates: the same for all its runs."""
    rates = np.concatenate(
        [p.pole_col, p.slot_kon, p.slot_koff, p.slot_drive, p.lag_col, np.array([p.lag_bend]), p.mm_col, p.release_col]
    )
    return Structure(*_fields(Structure, p)), rates


def _mean_distance(grid: Floats) -> float:
    """Mean distance of the later half of some times: the first may lie days before the others."""
    half = grid[grid.size // 2 :]
    return float((half[-1] - half[0]) / (half.size - 1)) if half.size > 1 else np.inf


def _fields(kind: type, record: Any, **instead: Ints) -> list[Any]:
    """Fields of a record, or others in their place, in the form of one of the kernel's tuples."""
    given = ((instead.get(name, getattr(record, name)), what) for name, what in kinds(kind).items())
    return [plain(value, what.partition(":")[0]) if ":" in what else value for value, what in given]
