"""Occupancy of mu on the evening of each day, for people who each take doses on days of their own."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from schild.engine.run import EngineEvents, run
from schild.errors import InputError, SchildError
from schild.model.arrays import compile_spec
from schild.model.build import build
from schild.model.spec import ENDOGENOUS
from schild.people import Values
from schild.regimen import Dose, expand
from schild.simulate.solve import RTOL, engine_events
from schild.trial.numbers import TrialNumbers
from schild.trial.trialfile import Arm
from schild.units import TICKS_PER_HOUR

__all__ = ["evening_occupancy"]

Floats = NDArray[np.float64]

#: Roles of the catalogue that a trial may give: it is about taking reward away.
_ROLES = ("antagonist",)


def evening_occupancy(arm: Arm, taken: NDArray[np.bool_], people: Values, numbers: TrialNumbers) -> Floats:
    """Run the engine for people who take an arm's drug on some days.

    Parameters
    ----------
    arm : Arm
        Drug, amount, route, dosing.
    taken : ndarray of bool, shape (n, n_days)
        Days with a dose.
    people : Values
        Their kinetics; variation between occasions is left out (docs/design/trial.md).
    numbers : TrialNumbers
        Of the replicate.

    Returns
    -------
    ndarray, shape (n, n_days)
        Occupancy of mu by the drug and what it turns into, at the hour of the evening. [1]

    Raises
    ------
    InputError
        For something that is not an antagonist.
    """
    n, days = taken.shape
    hour = numbers["hour.evening"] - numbers["hour.before"] if arm.dosing == "as_needed" else numbers["hour.tablet"]
    dose = Dose(drug=arm.drug, amount=arm.amount, route=arm.route, time=hour, count=1, product=arm.product)
    drug = people.catalogue.drug(arm.drug or "")
    if drug.role not in _ROLES:
        raise InputError(
            f"The arm {arm.name!r} gives {drug.name}, which is no antagonist; expected one such as naltrexone. "
            "Choose another drug."
        )
    day = 24 * TICKS_PER_HOUR
    built = build(
        people.of_people(dataclasses.replace(people.people, between_occasion=None)),
        expand((dose,), days * day),
        receptors=("mor",),
    )
    program, rows = compile_spec(built.spec, built.parameters, n, built.scales)
    # What one dose does is the same on every day, so its entries are shifted; each person keeps those it takes.
    given = np.flatnonzero(taken.any(axis=0))
    entries = sorted(
        ((dataclasses.replace(e, tick=e.tick + int(d) * day), int(d)) for d in given for e in built.entries),
        key=lambda x: (x[0].tick, x[0].kind, x[1], x[0].order),
    )
    if not entries:
        return np.zeros((n, days))
    table = engine_events(program, [e for e, _ in entries])
    keep = taken[:, [d for _, d in entries]]
    column = np.nonzero(keep)[1]
    count = keep.sum(axis=1)
    last = np.cumsum(count)
    events = EngineEvents(
        **{
            f.name: getattr(table, f.name)[column]
            for f in dataclasses.fields(EngineEvents)
            if f.name not in ("first", "last")
        },
        first=(last - count).astype(np.int64),
        last=last.astype(np.int64),
    )
    evening = 24.0 * np.arange(days) + numbers["hour.evening"]
    names = [s for s in program.signals if s.startswith("mor_occupancy_") and s != f"mor_occupancy_{ENDOGENOUS}"]
    found = run(
        program,
        rows,
        events,
        np.concatenate([[0.0], evening]),
        [program.signal(name) for name in names],
        rtol=RTOL,
        threads=1,
    )
    if found.status.any():
        raise SchildError(f"{int((found.status != 0).sum())} of {n} people could not be solved; report this.")
    return np.asarray(found.out[:, :, 1:].sum(axis=1))
