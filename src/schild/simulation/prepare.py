"""Prepare, solve and read a model from people's numbers and doses, for every command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from schild.errors import InputError
from schild.model.build import Built, build
from schild.people import FEW, Values
from schild.regimen import Dose, Event
from schild.simulation.history import begin_of, plan_history
from schild.simulation.output import Output, Recipe
from schild.simulation.registry import read
from schild.simulation.solve import RTOL, Begin, Solution, for_signals, solve


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A model of some people, ready to be solved."""

    built: Built  #: Structure, parameters, entries and values
    rebuild: Callable[..., Built]  #: Builds the model of other events for the same people
    begin: Callable[[], Begin | None]  #: Gives the states that earlier use has left, None for people who start without
    #: Options of the solver, as for ``solve``
    rtol: float
    threads: int | None

    def solve(self, times_tick: Sequence[int], recipes: Sequence[Recipe], **options: Any) -> Solution:
        """Solve the model and keep the signals from which some outputs are computed.

        ``times_tick``: output times, rising [us]; ``recipes``: outputs, from ``schild.simulation.registry.outputs_of``;
        ``options``: others of ``schild.simulation.solve.solve``. Returns signals at the output times.
        """
        store = signals_of(recipes)
        asked = (*store, *(name for name, _ in options.get("reduce", ())))
        return solve(
            self.built,
            self.built.values.people.n,
            times_tick,
            store=store,
            rtol=self.rtol,
            threads=self.threads,
            rebuild=self.rebuild,
            begin=self.begin() if for_signals(self.built, asked).spec.receptors else None,
            **options,
        )

    def outputs(self, times_tick: Sequence[int], recipes: Sequence[Recipe], **options: Any) -> dict[str, Output]:
        """Solve the model and read outputs, by name; as for ``solve``.

        Raises InputError if a person cannot be solved.
        """
        solution = self.solve(times_tick, recipes, **options)
        if said := solution.failures():
            raise InputError(f"{said} Give another seed or other doses.")
        return read(recipes, solution)


def signals_of(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """Engine signals from which some outputs are computed, each once."""
    return tuple(dict.fromkeys(signal for recipe in recipes for signal in recipe.signals))


def prepare(
    values: Values,
    events: Sequence[Event],
    *,
    history: Sequence[Dose] = (),
    fast_forward: bool = True,
    rtol: float = RTOL,
    threads: int | None = None,
    **structure: Any,
) -> Prepared:
    """Build the model of some events, and carry earlier use forward to the start of the run.

    ``events``: expanded doses, in order; those of earlier use have the numbers (``order``) below ``len(history)``;
    ``fast_forward``: whether regular earlier use is solved period by period; False leaves its doses among the events;
    ``structure``: of ``schild.model.build.build``: ``structure``, ``receptors``, ``tone``, ``without``, ``adaptation``.
    Returns a model that is ready to be solved.
    """

    def rebuild(some: Sequence[Event], **changes: Any) -> Built:
        return build(values, some, **(structure | changes))

    past = plan_history(history) if fast_forward and structure.get("adaptation") is not None else None
    own = [e for e in events if e.order >= len(history)]
    if past is not None and own and own[0].tick < past.until:
        past = None  # doses of the run lie among the earlier ones
    if past is not None:
        last = max(e.tick for e in events if e.order < len(history))
        events = sorted((*past.events(past.until, past.until, last + 1), *own), key=lambda e: (e.tick, e.order))
    built = rebuild(events)

    def begin() -> Begin | None:
        if past is None or built.spec.adaptation is None:
            return None
        followed, people = built.spec.adaptation.receptors, values.people
        # Earlier use is the same before every regimen of the same people; the run records the numbers that it uses.
        place = (values.key, repr((past, structure, sorted(built.structures.items()))), followed, rtol)
        found: Begin | None = people.kept.get(place)
        if found is None:
            found = begin_of(past, lambda some: rebuild(some, receptors=followed), people.n, rtol=rtol, threads=threads)
            if people.n <= FEW:
                people.kept[place] = found
        return found

    return Prepared(built=built, rebuild=rebuild, begin=begin, rtol=rtol, threads=threads)
