"""Earlier use of opioids, carried forward to the start of a run (docs/design/adaptation.md).

Of months of equal doses only some periods are integrated, from concentrations in closed form at their beginning;
adaptation is followed through all periods with the drive of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import lcm

import numpy as np

from schild.array_types import Floats
from schild.engine.kept import call
from schild.engine.lags import carry, follow
from schild.errors import InputError
from schild.model.build import Built
from schild.regimen import Dose, Event
from schild.regimen.dose import MAX_DOSES
from schild.simulation.course import after_withdrawal, drive_of, nodes_of, rates_of
from schild.simulation.solve import Begin, solve
from schild.units import TICKS_PER_HOUR

#: Histories of fewer doses are integrated as part of the run.
FEW = 40

#: Receptors are treated as memoryless after this many residence times (1/koff) of the slowest ligand, and a memory
#: of fewer hours is neglected within a period. [1], [h]
FORGET, SHORT_H = 5.0, 1.0

#: Consecutive windows are at most this far apart, as a factor of the number of the period.
APART = 1.4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Regimen:
    dose: Dose
    every: int
    first: int
    count: int

    @property
    def last(self) -> int:
        return self.first + (self.count - 1) * self.every

    def before(self, tick: int) -> int:
        """Number of doses before a time."""
        return min(self.count, max(0, -(-(tick - self.first) // self.every)))

    def inside(self, start: int, stop: int) -> list[int]:
        """Times of the doses from ``start`` on and before ``stop``."""
        return [self.first + k * self.every for k in range(self.before(start), self.before(stop))]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A stretch of constant use: ``periods`` of ``length`` ticks, of which those numbered ``index`` are computed."""

    start: int
    length: int
    periods: int
    index: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Earlier use as pieces, and the time at which the run starts. [us]"""

    regimens: tuple[_Regimen, ...]
    pieces: tuple[_Piece, ...]
    until: int

    def events(self, tick: int, at: int, stop: int, order: int = 0) -> list[Event]:
        """Doses given before ``tick``, and those from then to ``stop``, as if ``tick`` were ``at``."""
        found: list[Event] = []
        for k, r in enumerate(self.regimens):
            given, due = r.before(tick), r.inside(tick, stop)
            if given:
                now = bool(due) and due[0] == tick
                ago = tick - (r.first + (given - 1) * r.every)
                past = _event(
                    r, at, order + k, given, evid=1 if now else 2, ss=2, ii_tick=r.every, past=given, ago_tick=ago
                )
                found.append(past)
                due = due[1:] if now else due
            found += [_event(r, at + t - tick, order + k, r.before(t) + 1) for t in due]
        return found


def _event(r: _Regimen, tick: int, order: int, occasion: int, **more: int) -> Event:
    d = r.dose
    return Event(
        tick=tick,
        order=order,
        drug=d.drug,
        route=d.route,
        amount=d.amount,
        basis=d.basis,
        duration_tick=d.duration_tick,
        occasion=occasion,
        f=1.0 if d.f is None else d.f,
        lag_tick=d.lag_tick,
        **{"evid": 1, **more},  # type: ignore[arg-type]
    )


def plan_history(doses: Sequence[Dose]) -> History | None:
    """Cut earlier use into pieces of equal periods.

    ``doses``: repeated doses before time 0. Returns None for so few doses that the run can begin with the
    first of them. Raises InputError if so many courses overlap that following them would take minutes.
    """
    regimens = tuple(
        _Regimen(dose=d, every=d.every_tick, first=d.time_tick, count=d.count or 1) for d in doses if d.every_tick
    )
    if len(regimens) < len(doses) or sum(r.count for r in regimens) < FEW:
        return None
    latest = max(regimens, key=lambda r: r.last)
    # The run begins one interval before the last dose, so that every receptor is on its course by then.
    until = latest.last - latest.every
    edges = {r.first for r in regimens} | {r.last + r.every for r in regimens} | {until}
    marks = sorted(e for e in edges if e <= until)
    pieces: list[_Piece] = []
    for a, b in pairwise(marks):
        active = [r.every for r in regimens if r.first <= a and r.last + r.every >= b]
        period = lcm(*active) if active else b - a
        whole = (b - a) // period
        if whole < 8:
            pieces.append(_Piece(start=a, length=b - a, periods=1, index=(0,)))
            continue
        pieces.append(_Piece(start=a, length=period, periods=whole, index=_index(whole)))
        if rest := b - a - whole * period:
            pieces.append(_Piece(start=b - rest, length=rest, periods=1, index=(0,)))
    met = sum(len(piece.index) for piece in pieces) * len(regimens)
    if met > MAX_DOSES:
        raise InputError(
            f"The history of {len(regimens)} courses falls into {len(pieces)} stretches, in which {met:,} courses "
            f"have to be followed; expected at most {MAX_DOSES:,}. Give fewer courses, or courses that begin together."
        )
    return History(regimens=regimens, pieces=tuple(pieces), until=until) if pieces else None


def _index(periods: int) -> tuple[int, ...]:
    """Numbers of the periods that are computed: close together at the beginning, and always the last one."""
    found = [0]
    while found[-1] < periods - 1:
        found.append(min(periods - 1, max(found[-1] + 1, int(found[-1] * APART))))
    return tuple(found)


def begin_of(
    history: History, rebuild: Callable[[Sequence[Event]], Built], n: int, *, rtol: float, threads: int | None
) -> Begin:
    """States of receptors and adaptation at the start of the run.

    ``history``: from ``plan_history``; ``rebuild``: builds the model of a list of events, with adaptation and the
    receptors it follows; ``rtol`` and ``threads``: as for ``schild.simulation.solve.solve``. Returns what ``solve``
    takes as ``begin``.
    """
    events, grids = _windows(history, 0)
    built = rebuild(events)
    # Where a ligand dissociates slowly, a window begins earlier than it is read, until its start no longer matters.
    if memory := _memory(built):
        events, grids = _windows(history, memory)
        built = rebuild(events)
    ticks = sorted({tick for grid in grids for tick in grid})
    slots = [
        f"{r.name}_occupancy_{name}"
        for r in built.spec.receptors
        for name in (*(x.species for x in r.ligands), *(("endogenous",) if r.tone else ()))
    ]
    solution = solve(built, n, ticks, store=slots, rtol=rtol, threads=threads, dtype=np.float32)
    out = solution.engine.out
    place = {tick: k for k, tick in enumerate(ticks)}
    adaptation = built.spec.adaptation
    assert adaptation is not None  # the caller has built it so
    rates, drive = rates_of(built, n), drive_of(built, slots, out)
    state, after = np.zeros((n, len(adaptation.states))), np.zeros((n, len(adaptation.followers)))
    grid = iter(grids)
    for piece in history.pieces:
        windows = [next(grid) for _ in piece.index]
        nodes = [np.array([place[t] for t in window]) for window in windows]
        hours = (np.array(windows[0], dtype=np.float64) - windows[0][0]) / TICKS_PER_HOUR
        begun = state
        if piece.periods == 1:
            state = follow(hours, drive[:, nodes[0]], rates, state)[:, :, -1]
        else:
            course = np.stack([drive[:, node] for node in nodes], axis=1)
            state = call(carry, hours, course, np.array(piece.index), (0, piece.periods), rates, state)
        if adaptation.followers:
            gains = []
            for k, node in enumerate(nodes):
                if k:
                    periods = (piece.index[k - 1], piece.index[k])
                    begun = call(carry, hours, course, np.array(piece.index), periods, rates, begun)
                gained, kept = after_withdrawal(built, slots, out[:, :, node], hours, begun)
                gains.append(gained)
            after = _after_periods(piece, np.stack(gains), kept, after)
    occupancy = {slot: out[:, m, place[grids[-1][-1]]].astype(np.float64) for m, slot in enumerate(slots)}
    return Begin(tick=history.until, occupancy=occupancy, lags=np.concatenate([state, after], axis=1))


def _after_periods(piece: _Piece, gains: Floats, kept: Floats, start: Floats) -> Floats:
    """States that follow withdrawal after all periods of a piece.

    ``gains``, shape (n_windows, n, n_followers): what they gain in the periods that are computed, linear in between;
    ``kept`` and ``start``, shape (n, n_followers): the factor of a period on a start, and the start of the first.
    """
    # Periods further back leave less than e^-40.
    reach = int(40.0 / -np.log(np.clip(np.max(kept), 1e-300, 1.0 - 1e-12))) + 1
    least = max(0, piece.periods - reach)
    number = np.arange(least, piece.periods)
    upper = np.clip(np.searchsorted(piece.index, number), 1, None) if len(piece.index) > 1 else np.zeros_like(number)
    lower = np.maximum(upper - 1, 0)
    index = np.array(piece.index, dtype=np.float64)
    share = (number - index[lower]) / np.where(upper > lower, index[upper] - index[lower], 1.0)
    each = gains[lower] + share[:, None, None] * (gains[upper] - gains[lower])
    return np.asarray(
        start * kept**piece.periods + np.sum(each * kept ** (piece.periods - 1 - number)[:, None, None], 0)
    )


def _windows(history: History, memory: int) -> tuple[list[Event], list[list[int]]]:
    """Events of all windows one after the other, and the ticks at which each is read."""
    events: list[Event] = []
    grids: list[list[int]] = []
    at = 0
    for piece in history.pieces:
        before = -1
        for number in piece.index:
            skipped = number - before - 1
            early = min(skipped, -(-memory // piece.length)) * piece.length
            before = number
            start = piece.start + number * piece.length
            events.append(Event(tick=at, order=0, evid=5))
            events += history.events(start - early, at, start + piece.length, order=1)
            at += early
            inside = [t for r in history.regimens for t in r.inside(start, start + piece.length)]
            grids.append([at + node for node in nodes_of(sorted({t - start for t in inside} | {0}), piece.length)])
            at += piece.length
    events.sort(key=lambda e: (e.tick, e.order))
    return events, grids


def _memory(built: Built) -> int:
    """Memory of the receptors, where it is long compared with a period between doses. [us]"""
    slowest = min(
        (
            float(np.min(np.asarray(built.parameters[f"{r.name}.{x.species}.koff"])))
            for r in built.spec.receptors
            for x in r.ligands
        ),
        default=np.inf,
    )
    hours = FORGET / slowest
    return round(hours * TICKS_PER_HOUR) if hours > SHORT_H else 0
