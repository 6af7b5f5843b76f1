"""From a built model to solved signals: compile, find periodic starts, run the engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from schild.array_types import Floats
from schild.engine.kept import call
from schild.engine.run import STATUS, EngineEvents, EngineResult, run
from schild.errors import SchildError
from schild.model.arrays import Program, compile_spec, with_scales
from schild.model.build import Built
from schild.model.entries import ADD, CLEAR, END, RECEPTORS_AT, RESET, TRAIN, Entry, SteadyStart
from schild.model.spec import ModelSpec
from schild.regimen import Event
from schild.simulation.course import after_withdrawal, drive_of, nodes_of, rates_of, steady_lags
from schild.units import TICKS_PER_HOUR

_Numbers = dict[str, float | Floats]

#: Default tolerance of the binding integrator; see docs/design/engine.md for the error it gives.
RTOL = 5e-5

#: Tolerance for one person: steps end at output times, and a value must not depend on other output times by more than
#: 1e-6. It takes twice the steps where outputs are an hour apart.
RTOL_ONE = 1e-7

#: People whose rows of numbers are in memory at a time; it changes no result.
PEOPLE = 8192

# Kinds as the kernel numbers them.
_KERNEL = {ADD: 0, END: 0, RESET: 1, TRAIN: 2, RECEPTORS_AT: 3, CLEAR: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """State from which a run continues after earlier use."""

    tick: int  #: Time [us]
    occupancy: Mapping[str, Floats]  #: Occupancies by signal; those not named start as in an empty body; shape (n,)
    lags: Floats  #: Adaptation states; shape (n, n_states)


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Signals of every subject at the output times, and the values of the reducers."""

    times_h: Floats  #: Output times [h]; shape (n_times,)
    names: tuple[str, ...]  #: Signals stored in ``engine.out``
    engine: EngineResult  #: Arrays, status and step counts

    def failures(self) -> str:
        """Say how many people could not be solved, and why; empty where all were."""
        status = self.engine.status
        failed = status[status != 0]
        reasons = sorted({STATUS[int(k)] for k in failed})
        return f"{len(failed)} of {len(status)} people could not be solved: {'; '.join(reasons)}." if reasons else ""


def engine_events(program: Program, entries: Sequence[Entry], shift_tick: int = 0) -> EngineEvents:
    """Write entries as the arrays that the engine reads; ``shift_tick`` becomes time zero."""
    rows = []
    for e in entries:
        port = int(e.port) if e.kind == RECEPTORS_AT else (program.ports.index(e.port) if e.port else 0)
        jump = e.kind in (RESET, CLEAR) or (e.kind in (ADD, TRAIN) and program.jumps[port])
        rows.append(
            (
                (e.tick - shift_tick) / TICKS_PER_HOUR, _KERNEL[e.kind], port, e.amount, program.columns.index(e.scale),
                *e.ages, e.interval, float(e.running), 1e-3 if jump else 0.1,
            )
        )  # fmt: skip
    return EngineEvents.build(rows)


def events_of_each(
    plain: EngineEvents, time_h: Floats | None = None, keep: NDArray[np.bool_] | None = None
) -> EngineEvents:
    """Give each person some of the same events, at times of the person's own.

    ``plain``: the events of everybody, from ``engine_events``; ``time_h``, shape (n, n_events): times for each person,
    those of ``plain`` by default [h]; ``keep``, shape (n, n_events): which events a person has, all by default; one of
    the two is given. Returns them in the order of people, and of time for each.
    """
    if time_h is None:
        assert keep is not None  # one of the two gives the number of people
        kept, column = keep, np.nonzero(keep)[1]
        time = plain.time[column]
    else:
        sequence = np.argsort(time_h, axis=1, kind="stable")
        kept = np.ones(time_h.shape, dtype=bool) if keep is None else np.take_along_axis(keep, sequence, axis=1)
        column, time = sequence[kept], np.take_along_axis(time_h, sequence, axis=1)[kept]
    last = np.cumsum(kept.sum(axis=1)).astype(np.int64)
    first = np.concatenate([[0], last[:-1]]).astype(np.int64)
    return dataclasses.replace(plain.at(column, time), first=first, last=last)


def solve(
    built: Built,
    n: int,
    times_tick: Sequence[int],
    *,
    store: Sequence[str] | None = None,
    reduce: Sequence[tuple[str, float]] = (),
    window_h: tuple[float, float] | None = None,
    rtol: float = RTOL,
    h_max: float | None = None,
    threads: int | None = None,
    dtype: DTypeLike = np.float64,
    rebuild: Callable[[Sequence[Event]], Built] | None = None,
    begin: Begin | None = None,
    tabulate: Callable[[Program, Sequence[Entry]], EngineEvents] = engine_events,
    progress: Callable[[int], None] | None = None,
) -> Solution:
    """Solve a built model for ``n`` subjects.

    - ``built``: from ``schild.model.build.build``.
    - ``n``: number of subjects in its parameters.
    - ``times_tick``: output times, rising [us].
    - ``store``: signals to keep at the output times; every one by default. Receptors and adaptation that neither these
      nor ``reduce`` need are left out.
    - ``reduce``: signals to fold inside the run, each with a threshold.
    - ``window_h``: window of the reducers; from the first output time to the last by default [h].
    - ``rtol``, ``h_max``, ``threads``, ``dtype`` and ``progress``: as in ``schild.engine.run.run``.
    - ``rebuild``: builds the model of a list of events for the same people; needed where receptors start on a periodic
      course.
    - ``begin``: states of receptors and adaptation at the first event.
    - ``tabulate``: writes entries as arrays; one of your own can give each subject its own times.

    Subjects that failed have NaN and a status. Raises SchildError if receptors have to start on a periodic
    course and no ``rebuild`` was given.
    """
    asked = None if store is None else {*store, *(name for name, _ in reduce)}
    built = for_signals(built, asked)
    # Rows of numbers are made for some people at a time; events of their own are tabulated for all at once.
    some = PEOPLE if tabulate is engine_events else n
    program, rows = _compiled(built, n, 0, min(some, n))
    names = tuple(store) if store is not None else program.signals
    first = min(times_tick[0], min((e.tick for e in built.entries), default=times_tick[0]))
    lead = [first] if first < times_tick[0] else []
    times = np.array([*lead, *times_tick], dtype=np.float64) / TICKS_PER_HOUR
    states = None
    if built.starts:
        if rebuild is None:
            raise SchildError("Receptors start on a periodic course; expected `rebuild`, which builds that course.")
        states = np.stack([_periodic(built, start, n, rebuild, threads, rtol, asked) for start in built.starts], axis=1)
    entries = built.entries
    if begin is not None and built.spec.receptors:
        every = rows if some >= n else _compiled(built, n, 0, n)[1]
        found = _begun(program, every, begin)[:, None]
        states = found if states is None else np.concatenate([states, found], axis=1)
        start = Entry(tick=begin.tick, kind=RECEPTORS_AT, port=str(states.shape[1] - 1))
        entries = tuple(sorted([*entries, start], key=lambda e: (e.tick, e.kind, e.order)))
    window = window_h or (times_tick[0] / TICKS_PER_HOUR, times_tick[-1] / TICKS_PER_HOUR)
    table = tabulate(program, entries)
    whole: EngineResult | None = None
    for low in range(0, n, some):
        high = min(low + some, n)
        if low:
            rows = _compiled(built, n, low, high)[1]
        part = call(
            run,
            program,
            rows,
            table,
            times,
            [program.signal(name) for name in names],
            reduced=[program.signal(name) for name, _ in reduce],
            thresholds=[threshold for _, threshold in reduce],
            window=window,
            h_max=h_max,
            start_states=None if states is None else states[low:high],
            threads=threads,
            dtype=dtype,
            progress=progress,
            rtol=rtol,
        )
        whole = part if some >= n else _fill(whole, part, n, low)
    assert whole is not None  # there is at least one person
    result = whole
    if lead:
        result = dataclasses.replace(result, out=result.out[:, :, 1:])
    return Solution(times_h=times[len(lead) :], names=names, engine=result)


def _compiled(built: Built, n: int, start: int, stop: int) -> tuple[Program, Floats]:
    """Program and rows of people ``start`` to ``stop`` of ``n``; those of few people are made once for all doses."""

    def of(numbers: _Numbers) -> _Numbers:
        if stop - start == n:
            return numbers
        return {name: x[start:stop] if isinstance(x, np.ndarray) and x.ndim else x for name, x in numbers.items()}

    def make() -> tuple[Program, Floats]:
        return compile_spec(built.spec, of(built.parameters), stop - start)

    return with_scales(*built.once(("program", built.spec, start, stop), make), of(built.scales))


def _fill(whole: EngineResult | None, part: EngineResult, n: int, start: int) -> EngineResult:
    """Write results of some people where they belong among those of ``n``."""
    arrays = {f.name: getattr(part, f.name) for f in dataclasses.fields(part)}
    if whole is None:
        whole = EngineResult(**{name: np.empty((n, *a.shape[1:]), a.dtype) for name, a in arrays.items()})
    for name, values in arrays.items():
        getattr(whole, name)[start : start + len(values)] = values
    return whole


def _begun(program: Program, rows: Floats, begin: Begin) -> Floats:
    """States of all slots and adaptation states in the kernel's order, shape (n, n_slots + n_lags)."""
    states = rows[:, program.slot_start]
    for k, name in enumerate(program.signals[program.n_channels : program.n_channels + states.shape[1]]):
        if name in begin.occupancy:
            states[:, k] = begin.occupancy[name]
    return np.concatenate([states, begin.lags[:, : program.lag_col.size // 5]], axis=1)


def for_signals(built: Built, asked: Collection[str] | None) -> Built:
    """Leave out the parts of a model that no requested signal needs."""
    if asked is None:
        return built
    spec = built.once(("spec", built.spec, frozenset(asked)), lambda: _spec_for(built.spec, asked))
    if spec.receptors:
        return dataclasses.replace(built, spec=spec)
    ways = {"", *(i.name for i in spec.inputs)}
    entries = tuple(e for e in built.entries if e.kind != RECEPTORS_AT and e.port in ways)
    scales = {e.scale: built.scales[e.scale] for e in entries if e.scale in built.scales}
    return dataclasses.replace(built, spec=spec, starts=(), entries=entries, scales=scales)


def _spec_for(spec: ModelSpec, asked: Collection[str]) -> ModelSpec:
    spec = spec.for_signals(asked)
    return spec if spec.receptors else spec.for_levels(asked)


def _periodic(
    built: Built,
    start: SteadyStart,
    n: int,
    rebuild: Callable[[Sequence[Event]], Built],
    threads: int | None,
    rtol: float,
    asked: Collection[str] | None,
) -> Floats:
    """Receptors and adaptation on the periodic course of steady-state dosing, shape (n, n_slots + n_lags).

    Binding is affine in the occupancies while concentrations are given, so one period maps a start state x to
    ``M x + b``. Runs from zero and from each unit vector give b and M; the periodic start solves ``x = M x + b``.
    Adaptation sees that course and nothing sees adaptation, so its own periodic start comes afterwards.
    """
    period = start.period
    events = []
    for event in start.events:
        # One period of plain doses on top of the steady amounts of the first; lags and running inputs come along.
        if event.rate is not None:
            # A constant infusion stops at its event, but its steady state is that of one that goes on.
            event = dataclasses.replace(
                event, amount=event.rate.over(period), duration_tick=period, ii_tick=period, rate=None
            )
        events.append(dataclasses.replace(event, tick=0, evid=1))
        if event.ii_tick:
            events += [
                dataclasses.replace(event, tick=k * event.ii_tick, evid=1, ss=0, ii_tick=0)
                for k in range(1, period // event.ii_tick)
            ]
    events.sort(key=lambda e: (e.tick, e.order))
    # With ss 1 an event would clear those at the same time; amounts add, so ss 2 gives the same and clears nothing.
    events = [dataclasses.replace(e, ss=2 if e.ss else 0) for e in events]
    course = for_signals(rebuild(events), asked)
    # The course may lack species that only later doses bring; match slots by name.
    program, rows = _compiled(course, n, 0, n)
    slots = program.signals[program.n_channels : program.n_channels + program.slot_channel.size]
    pointer = program.rec_ptr
    width = int(np.max(np.diff(pointer), initial=0))
    entries = [e for e in course.entries if e.kind != RECEPTORS_AT]
    begin = Entry(tick=0, kind=RECEPTORS_AT, port="0")
    entries = sorted([*entries, begin], key=lambda e: (e.tick, e.kind, e.order))
    n_lags = program.lag_col.size // 5
    states = np.zeros((width + 1, n, 1, len(slots) + n_lags))
    for r in range(len(pointer) - 1):
        for k in range(pointer[r + 1] - pointer[r]):
            states[k + 1, :, 0, pointer[r] + k] = 1.0
    doses = sorted({e.tick for e in events})
    # One period is cheap, and its errors would remain in everything that follows.
    grid = nodes_of(doses, period, finer=2) if n_lags else [0, period]
    times = np.array(grid, dtype=np.float64) / TICKS_PER_HOUR

    def one_period(begins: Floats, many: int, nodes: Floats) -> NDArray[np.floating]:
        return run(
            program,
            np.tile(rows, (many, 1)),
            engine_events(program, entries),
            nodes,
            [program.signal(name) for name in slots],
            start_states=begins,
            threads=threads,
            rtol=rtol,
        ).out

    found = np.zeros((n, len(slots) + n_lags))
    if built.spec.receptors:
        ends = one_period(states.reshape((width + 1) * n, 1, -1), width + 1, times[[0, -1]])[:, :, 1]
        ends = ends.reshape(width + 1, n, len(slots))
        for r in range(len(pointer) - 1):
            a, b = pointer[r], pointer[r + 1]
            if a == b:
                continue
            base = ends[0, :, a:b]
            matrix = np.stack([ends[k + 1, :, a:b] - base for k in range(b - a)], axis=-1)
            found[:, a:b] = np.linalg.solve(np.eye(b - a) - matrix, base[..., None])[..., 0]
    if n_lags:
        occupancy = one_period(found[:, None, :], 1, times)
        lags = steady_lags(times, drive_of(course, slots, occupancy), rates_of(course, n))
        found[:, len(slots) : len(slots) + lags.shape[1]] = lags
        if lags.shape[1] < n_lags:
            gained, kept = after_withdrawal(course, slots, occupancy, times, lags)
            found[:, len(slots) + lags.shape[1] :] = gained / (1.0 - kept)
    whole, rows_all = _compiled(built, n, 0, n)
    names = whole.signals[whole.n_channels : whole.n_channels + whole.slot_channel.size]
    out = np.concatenate([rows_all[:, whole.slot_start], found[:, len(slots) :]], axis=1)
    for k, name in enumerate(names):
        if name in slots:
            out[:, k] = found[:, slots.index(name)]
    return out
