"""Occupancy of mu on the evening of each day, for people who take doses on different days."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.engine.run import EngineEvents
from schild.errors import InputError
from schild.model.arrays import Program
from schild.model.entries import Entry
from schild.people import Values
from schild.regimen import Dose, expand
from schild.simulation.effects import Effects
from schild.simulation.prepare import prepare
from schild.simulation.registry import outputs_of
from schild.simulation.solve import engine_events, events_of_each
from schild.trial.numbers import TrialNumbers
from schild.trial.trialfile import Arm
from schild.units import TICKS_PER_HOUR

#: Roles of drugs that a trial may give: antagonists, which lower reward.
_ROLES = ("antagonist",)
#: Tolerance: the worst error of an evening moves no percentage of a trial by more than 0.01 points; and longest step
#: under a depot, whose levels move over days (docs/design/trial.md, Accuracy of the evenings). [1], [h]
_RTOL, _DEPOT_STEP_H = 1e-2, 24.0


def evening_occupancy(arm: Arm, taken: NDArray[np.bool_], people: Values, numbers: TrialNumbers) -> Floats:
    """Run the engine for people who take an arm's drug on some days.

    ``arm``: drug, amount, route, dosing; ``taken``, shape (n, n_days): days with a dose; ``people``: their kinetics;
    variation between occasions is left out (docs/design/trial.md). Returns occupancy of mu by the drug and its
    metabolites at the hour of the evening [1], shape (n, n_days). Raises InputError for a drug that is not an
    antagonist.
    """
    n, days = taken.shape
    hour = numbers["hour.evening"] - numbers["hour.before"] if arm.dosing == "as_needed" else numbers["hour.tablet"]
    dose = Dose(drug=arm.drug, amount=arm.amount, route=arm.route, time=hour, count=1, product=arm.product)
    drug = people.catalogue.drug(arm.drug or "")
    if drug.role not in _ROLES:
        raise InputError(
            f"The arm {arm.name!r} gives {drug.name}, which is not an antagonist; expected one such as naltrexone, "
            "because trials here are of antagonists in alcohol use disorder. Choose another drug."
        )
    day = 24 * TICKS_PER_HOUR
    prepared = prepare(
        people.of_people(dataclasses.replace(people.people, between_occasion=None)),
        expand((dose,), days * day),
        receptors=("mor",),
        rtol=_RTOL,
        threads=1,
    )
    once, given = prepared.built.entries, np.flatnonzero(taken.any(axis=0))
    wanted = [f"mor_occupancy_{x.species}" for r in prepared.built.spec.receptors for x in r.ligands]
    if not given.size or not once or not wanted:  # a drug that stays out of the brain has no ligand there
        return np.zeros((n, days))

    def own(program: Program, once: Sequence[Entry]) -> EngineEvents:
        # Entries of a dose are the same on every day, so they are shifted; each person keeps those of doses taken.
        tick = np.add.outer(given * day, [e.tick for e in once]).ravel()
        of_day, of_once = np.repeat(given, len(once)), np.tile(np.arange(len(once)), given.size)
        kind, order = (np.array([getattr(e, name) for e in once])[of_once] for name in ("kind", "order"))
        place = np.lexsort((order, of_day, kind, tick))
        plain = engine_events(program, once).at(of_once[place], tick[place] / TICKS_PER_HOUR)
        return events_of_each(plain, keep=taken[:, of_day[place]])

    evenings = [round((24.0 * d + numbers["hour.evening"]) * TICKS_PER_HOUR) for d in range(days)]
    recipes = outputs_of(Effects(built=prepared.built), wanted)
    found = prepared.outputs(
        [0, *evenings], recipes, tabulate=own, h_max=_DEPOT_STEP_H if "depot" in arm.route else None
    )
    return np.asarray(sum(found[name].values[:, 1:] for name in wanted))
