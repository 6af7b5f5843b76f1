"""Load at mu of one dose; the loop over hours adds the loads of all doses (docs/design/opioid-trials.md)."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.catalog import Adaptation, Catalogue
from schild.model.build import build
from schild.model.spec import ENDOGENOUS
from schild.people import Values
from schild.regimen import Dose, expand
from schild.simulation.effects import Effects
from schild.simulation.prepare import prepare
from schild.simulation.registry import outputs_of
from schild.units import TICKS_PER_HOUR

#: Rows of a load: occupied over free receptors, and its contributions to the drive of adaptation, to liking, and to the
#: amplification of liking [1]. A load has the shape (4, n, n_times).
LOAD, PUSH, LIKE, AMPLIFIED = range(4)


def shares(load: Floats) -> list[float]:
    """Sums of the contributions over the sum of the load: exact where the proportions of ligands are constant. [1]"""
    total = float(load[LOAD].sum())
    return [float(part.sum()) / total if total > 0.0 else 0.0 for part in load[PUSH:]]


def hourly(load: Floats, times_h: Floats, hours: int) -> Floats:
    """Read a load at whole hours 0 to ``hours``, by linear interpolation."""
    grid = np.arange(hours + 1)
    found = np.zeros((*load.shape[:2], grid.size))
    for part, read in zip(load, found, strict=True):
        if part.any():  # an antagonist has a load and no more
            read[:] = [np.interp(grid, times_h, row) for row in part]
    return found


def default_mechanism(catalogue: Catalogue) -> Adaptation:
    """Return the default mechanism of adaptation."""
    return next(m for m in catalogue.adaptation.values() if m.default)


def load_of(dose: Dose, values: Values, times_h: Floats) -> Floats:
    """Compute the load of one dose in each person.

    ``dose``: given once, at time 0; ``values``: of the people, whose variation between occasions is left out;
    ``times_h``: output times, from 0 on [h]. Raises InputError for a dose that the catalogue cannot give.
    """
    own = values.of_people(dataclasses.replace(values.people, between_occasion=None))
    events = expand((dose,), round(float(times_h[-1]) * TICKS_PER_HOUR))
    prepared = prepare(own, events, receptors=("mor",), threads=1)
    effects = Effects(built=prepared.built)
    (receptor,) = prepared.built.spec.receptors
    ligands = [x.species for x in receptor.ligands if x.species != ENDOGENOUS]
    recipes = outputs_of(effects, [*(f"mor_occupancy_{x}" for x in ligands), "mor_free"])
    found = prepared.outputs([round(float(h) * TICKS_PER_HOUR) for h in times_h], recipes)
    mechanism = default_mechanism(values.catalogue)
    drives = build(own, events, receptors=tuple(mechanism.receptors), adaptation=mechanism.key).parameters
    terms = {t.signal: t for t in effects.terms("liking")}
    parts = np.zeros((4, own.people.n, times_h.size))
    for ligand in ligands:
        name = f"mor_occupancy_{ligand}"
        load = np.maximum(np.asarray(found[name].values) / np.asarray(found["mor_free"].values), 0.0)
        parts[LOAD] += load
        parts[PUSH] += _column(drives.get(f"mor.{ligand}.drive", 0.0)) * load
        if name in terms:
            factor = 1.0 if terms[name].factor is None else _column(terms[name].factor)
            parts[LIKE] += _column(terms[name].ratio) * factor * load
            parts[AMPLIFIED] += (factor - 1.0) * load
    return parts


def _column(value: Any) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    return array.reshape(-1, 1) if array.ndim else array


def one_use(values: Values, mass_mg: float, fentanyl: float) -> tuple[Floats, Floats]:
    """Load of one use by the hour, its mean in the first hour, and load, liking and amplification at the maximum.

    ``values``: of the typical person; ``mass_mg``: heroin of a use into a vein [mg]; ``fentanyl``: share of uses that
    are fentanyl with the same maximum of liking [1].
    """
    heroin, best = _use("heroin", mass_mg, values)
    if fentanyl <= 0.0:
        return heroin, best
    # The search starts from a hundredth of the mass; loads are proportional to mass.
    other, its = _use("fentanyl", mass_mg / 100.0, values)
    scale = fentanyl * float(best[1] / its[1])
    return (1.0 - fentanyl) * heroin + scale * other, (1.0 - fentanyl) * best + scale * its


def _use(drug: str, mass_mg: float, values: Values) -> tuple[Floats, Floats]:
    early = np.arange(0, 61) / 60.0
    times = np.r_[early, np.arange(2, 25)]
    found = load_of(Dose(drug=drug, amount=f"{mass_mg:g} mg", route="iv", time=0.0, count=1), values, times)
    at = int(found[LIKE, 0, : early.size].argmax())
    by_hour = hourly(found, times, 24)
    by_hour[:, :, 0] = found[:, :, : early.size].mean(axis=2)
    return by_hour, found[[LOAD, LIKE, AMPLIFIED], 0, at]
