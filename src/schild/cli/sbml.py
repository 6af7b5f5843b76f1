"""From a run to a document for another program: one typical person, plain doses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schild.errors import InputError
from schild.population import Population
from schild.units import TICKS_PER_HOUR

if TYPE_CHECKING:
    from schild.catalog import Catalogue
    from schild.model.build import Built
    from schild.simulation import Run

#: A document holds each dose of a history as an event of its own, and not more than these.
MAX_EARLIER = 1000

#: And not more pieces of doses than this in all: each is an event, and programs read thousands of them slowly.
MAX_PIECES = 5000

#: ``(time_h, input, amount_nmol, duration_h)``; duration 0 is a bolus; input ``"reset"`` empties the body.
Dose = tuple[float, str, float, float]


class Document(NamedTuple):
    """A run as a document of one person: structure, numbers, doses."""

    built: Built
    parameters: dict[str, float]
    doses: list[Dose]
    notes: tuple[str, ...]  #: What of the run it does not hold


def document(run: Run, catalogue: Catalogue | None = None) -> Document:
    """Build the model and doses of a run; of a population, of the typical person.

    Raises InputError if the run starts at a steady state, which a document of events cannot say, or has a very long
    history.
    """
    from schild.simulation import model_of
    from schild.simulation.caution import left_out

    earlier = sum(dose.count or 1 for dose in run.history)
    if earlier > MAX_EARLIER:
        raise InputError(
            f"The history has {earlier:,} doses, and a document holds each as an event; expected at most "
            f"{MAX_EARLIER:,}. Shorten it: after some months of use adaptation no longer changes."
        )
    built = model_of(run, catalogue=catalogue)
    doses = plain_doses(built, shift_h=before_h(run))
    if len(doses) > MAX_PIECES:
        raise InputError(
            f"The run has {len(doses):,} pieces of doses, and a document holds each as an event; expected at most "
            f"{MAX_PIECES:,}. Shorten the run."
        )
    notes = [*left_out(run), *built.warnings, *built.values.uses.unused(built.values.overrides, run.who.given)]
    if isinstance(run.who, Population) and run.who.n > 1:
        notes.append(f"One typical person is written, not the population of {run.who.n:,} people.")
    parameters = {name: float(np.asarray(value).flat[0]) for name, value in built.parameters.items()}
    return Document(built, parameters, doses, tuple(notes))


def text_of(found: Document, *, antimony: bool = False) -> str:
    """Write a document as SBML, or as Antimony."""
    from schild.model.sbml import to_antimony, to_sbml

    return (to_antimony if antimony else to_sbml)(found.built.spec, found.parameters, found.doses)


def before_h(run: Run) -> float:
    """Hours from the first dose of a history, where the document begins, to time 0 of the run; 0 without a history.

    >>> from schild.simulation import Run
    >>> before_h(Run.of(subject={"history": "morphine 30 mg po q6h for 1 d stopped 2 d"}))
    66.0
    """
    return -min((dose.time_tick for dose in run.history), default=0) / TICKS_PER_HOUR


def plain_doses(built: Built, shift_h: float = 0.0) -> list[Dose]:
    """Turn the entries that the engine reads for one person into separate doses, in order of time.

    ``shift_h``: added to all times [h]. Raises InputError for a steady state, or a dose before time 0.

    >>> from schild.simulation import Run, model_of
    >>> [(t, port) for t, port, _, _ in plain_doses(model_of(Run.of("naltrexone 50 mg po q24h x2")))]
    [(0.0, 'naltrexone.oral.1'), (24.0, 'naltrexone.oral.1')]
    """
    from schild.model.entries import ADD, END, RECEPTORS_AT, RESET, TRAIN

    prolonged = {i.name for i in built.spec.inputs if i.prolonged}
    found: list[Dose] = []
    running: list[tuple[int, str, float]] = []  # start, input, rate [nmol/h]

    def stop(k: int, tick: int) -> None:
        start, port, rate = running.pop(k)
        hours = (tick - start) / TICKS_PER_HOUR
        if hours > 0:
            found.append((start / TICKS_PER_HOUR, port, rate * hours, hours))

    for e in built.entries:
        if e.kind in (TRAIN, RECEPTORS_AT):
            raise InputError(
                "The run starts at a steady state (ss); expected doses from an empty body, because an SBML document "
                "holds events and no endless past. Give the earlier doses too, counted from 0."
            )
        if e.kind == RESET:
            while running:
                stop(0, e.tick)
            found.append((e.tick / TICKS_PER_HOUR, "reset", 0.0, 0.0))
            continue
        amount = e.amount if e.scale == "one" else e.amount * float(np.asarray(built.scales[e.scale]).flat[0])
        if e.kind == END:
            k = next((k for k, (_, port, rate) in enumerate(running) if port == e.port and rate == -amount), None)
            if k is not None:
                stop(k, e.tick)
        elif e.kind == ADD and e.port in prolonged:
            running.append((e.tick, e.port, amount))
        else:
            found.append((e.tick / TICKS_PER_HOUR, e.port, amount, 0.0))
    found = [(time + shift_h, *rest) for time, *rest in found]  # type: ignore[misc]  # three values are left
    if found and min(dose[0] for dose in found) < 0:
        raise InputError(
            f"The first dose is given at {min(dose[0] for dose in found):g} h; expected doses at 0 or later, because "
            "an SBML document begins at 0. Count the times from the first dose."
        )
    order = {id(dose): k for k, dose in enumerate(found)}
    return sorted(found, key=lambda dose: (dose[0], dose[1] != "reset", order[id(dose)]))
