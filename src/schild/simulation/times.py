"""Output times of a run: both sides of every event and, for files and figures of one person, times of peaks."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from schild.array_types import AnyFloats, Floats
from schild.catalog import Catalogue
from schild.model.entries import Entry
from schild.model.ports import formed
from schild.regimen import Event
from schild.simulation.output import Output
from schild.units import TICKS_PER_HOUR

#: Largest number of doses with a search for peaks between output times; beyond, it takes longer than the run.
_MOST_DOSES = 400

#: Time of the first point after an event [us], and logarithm of the ratio of the times of successive points.
_NEAR, _GROWTH = 20_000_000, 0.15

#: Pieces into which the interval around a peak is divided at each refinement.
_PIECES = 16


def with_sides(times: Sequence[int], events: Sequence[Event], entries: Sequence[Entry]) -> list[int]:
    """Add both sides of every event to output times: just before it, 1 us earlier, and after it, at its time. [us]

    ``events``: doses as given; ``entries``: into the body, with lags and ends of infusions.
    """
    first, last = times[0], times[-1]
    happens = {e.tick for some in (events, entries) for e in some if first <= e.tick <= last}
    return merged(times, (*happens, *(tick - 1 for tick in happens if tick > first)))


def merged(times: Sequence[int], more: Iterable[int]) -> list[int]:
    """Add a few times to many that rise, each once.

    >>> merged(range(0, 5, 2), (4, 3))
    [0, 2, 3, 4]
    """
    new = {tick for tick in more if (k := bisect_left(times, tick)) == len(times) or times[k] != tick}
    return sorted((*times, *new))


def peak_times(
    times: Sequence[int], entries: Sequence[Entry], solve: Callable[[Sequence[int]], Mapping[str, Output]]
) -> set[int]:
    """Find the times at which the outputs of one person that are drawn or tabled are highest and lowest. [us]

    With them come the times at which an output passes the level of its kind; none where there are too many events.
    ``times``: output times, rising [us]; ``entries``: into the body; ``solve``: from times to outputs.
    """
    first, last = times[0], times[-1]
    begins = sorted({first, *(e.tick for e in entries if first < e.tick < last)})
    if len(begins) > _MOST_DOSES:
        return set()
    nodes = {first, last}
    for a, b in zip(begins, [*begins[1:], last], strict=True):
        nodes |= nodes_after(a, b)
    extremes: set[tuple[int, int, int]] = set()
    for again in range(3):
        found, passed = _places(solve(sorted(t for t in nodes if first <= t <= last)))
        # On the third grid an extreme is so flat that the tolerance of the run decides where it lies.
        extremes = found if again < 2 else extremes
        nodes = {first, last} | {
            a + (b - a) * k // _PIECES for a, _, b in extremes | passed for k in range(_PIECES + 1)
        }
    return {tick for _, tick, _ in extremes | passed}


def nodes_after(begin: int, end: int, growth: float = _GROWTH) -> set[int]:
    """Give times between an event and the next, dense after the event. [us]

    ``growth``: logarithm of the ratio of successive times after the event.
    """
    count = max(round(math.log(max(end - begin, _NEAR) / _NEAR) / growth), 1)
    return {begin + round(_NEAR * math.exp(growth * k)) for k in range(count)} | {begin, end - 1}


def _places(outputs: Mapping[str, Output]) -> tuple[set[tuple[int, int, int]], set[tuple[int, int, int]]]:
    """Times at which each output has its extremes, and passes the level of its kind: from, at and to. [us]

    An extreme lies between the neighbours of a stored value, near the extreme of their parabola.
    """
    extremes, passed = set(), set()
    for output in outputs.values():
        if not (output.kind.drawn or output.kind.tabled):
            continue
        t = np.rint(output.time_h * TICKS_PER_HOUR).astype(np.int64)
        y = np.asarray(output.values[0], dtype=np.float64)
        for sign in (1.0, -1.0) if output.kind.tabled else (1.0,):
            k = _highest(t, sign * y)
            a, when, b = int(t[max(k - 1, 0)]), int(t[k]), int(t[min(k + 1, len(t) - 1)])
            if a < when < b:
                rise, fall = (y[k] - y[k - 1]) / (when - a), (y[k + 1] - y[k]) / (b - when)
                if sign * (rise - fall) > 0:
                    # Here the slope of the parabola is zero.
                    when += round((rise * (b - when) + fall * (when - a)) / (2.0 * (rise - fall)))
            extremes.add((a, min(max(when, a), b), b))
        if output.kind.level is not None:
            above = y - output.kind.level
            for j in np.flatnonzero(above[:-1] * above[1:] < 0):
                a, b = int(t[j]), int(t[j + 1])
                passed.add((a, a + round((b - a) * above[j] / (above[j] - above[j + 1])), b))
    return extremes, passed


def _highest(t: NDArray[np.int64], y: Floats) -> int:
    """Index of the stored value near which a course is highest, by the parabolas through its maxima and neighbours."""
    top = y.copy()
    if len(y) > 2:
        before, after = np.diff(t)[:-1], np.diff(t)[1:]
        up, down = np.diff(y)[:-1], -np.diff(y)[1:]
        peaked = (up >= 0) & (down >= 0) & (up + down > 0)
        slope = np.divide(up * after / before - down * before / after, before + after, where=peaked, out=0 * up)
        bend = np.divide(up / before + down / after, before + after, where=peaked, out=0 * up + 1)
        # Where a dose makes the course jump the parabola means nothing, hence the limit.
        top[1:-1] += np.where(peaked, np.minimum(slope**2 / (4 * bend), np.minimum(up, down)), 0.0)
    return int(np.argmax(top))


class Between:
    """Values of a run at times that were not stored: the run is solved once more for them.

    ``solve``: from times [us] to outputs; ``times``: those stored [us]; ``entries``: into the body, with their times.
    """

    def __init__(
        self, solve: Callable[[Sequence[int]], Mapping[str, Output]], times: Sequence[int], entries: Sequence[Entry]
    ) -> None:
        self._solve, self._times, self._entries = solve, times, entries
        self._kept: dict[int, Mapping[str, Output]] = {}
        self._peaks: Mapping[str, Output] | None = None

    def __call__(self, name: str, tick: int) -> AnyFloats:
        """Values of every subject at one time."""
        if tick not in self._kept:
            self._kept[tick] = self._solve([self._times[0], tick])
        return self._kept[tick][name].values[:, -1]

    def at_times(self, times: Sequence[int]) -> Mapping[str, Output]:
        """Outputs of every subject at the stored times and at others. [us]"""
        return self._solve(sorted({*self._times, *(t for t in times if self._times[0] <= t <= self._times[-1])}))

    def with_peaks(self, outputs: Mapping[str, Output]) -> Mapping[str, Output]:
        """Outputs of one person at the stored times and at the times of peaks."""
        if self._peaks is None:
            peaks = peak_times(self._times, self._entries, self._solve) - {*self._times}
            self._peaks = self._solve(sorted({self._times[0], *peaks})) if peaks else {}
        return {name: self._joined(output, self._peaks.get(name)) for name, output in outputs.items()}

    def _joined(self, output: Output, peaks: Output | None) -> Output:
        if peaks is None:
            return output
        time_h = np.concatenate([output.time_h, peaks.time_h[1:]])
        order = np.argsort(time_h, kind="stable")
        values = np.concatenate([output.values, peaks.values[:, 1:]], axis=1)[:, order]
        return replace(output, time_h=time_h[order], values=values)


def by_key(events: Sequence[Event], catalogue: Catalogue) -> tuple[Event, ...]:
    """Replace the name of each event's drug by its key; raises UnknownNameError for an unknown name."""
    keys = {name: None if name is None else catalogue.drug(name).key for name in {e.drug for e in events}}
    if all(key == name for name, key in keys.items()):
        return tuple(events)
    return tuple(e if keys[e.drug] == e.drug else replace(e, drug=keys[e.drug]) for e in events)


def doses_of_each(events: Sequence[Event], catalogue: Catalogue) -> dict[str | None, list[Event]]:
    """Doses that bring each species into the body, metabolites included, in order.

    The key None stands for the drug that was given most often.
    """
    given: dict[str, list[Event]] = {}
    for event in events:
        if event.drug is not None:
            given.setdefault(event.drug, []).append(event)
    found: dict[str | None, list[Event]] = {}
    for key, some in given.items():
        routes = [route for name, route in catalogue.drug(key).routes.items() if name in {e.route for e in some}]
        delivered = (d.species for route in routes for b in route.branches for d in b.deliver)
        for species in formed(catalogue, [catalogue.drug(key).key, *delivered]):
            found.setdefault(species, []).extend(some)
    if given:
        found[None] = max(given.values(), key=len)
    return {species: sorted(some, key=lambda e: e.tick) for species, some in found.items()}
