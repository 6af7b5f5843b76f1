"""Load at mu of one dose; the loop over hours adds the loads of all doses (docs/design/opioid-trials.md)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
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

__all__ = ["Load", "default_mechanism", "load_of", "one_use"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Load of one dose over time.

    ``load``: occupied over free receptors [1]; ``push``, ``like`` and ``amplified``: its contributions to the drive of
    adaptation, to liking, and to the amplification of liking. Shape (n, n_times) each.
    """

    load: Floats
    push: Floats
    like: Floats
    amplified: Floats

    def share(self, part: Floats) -> float:
        """Sum of a part over the sum of the load: exact where the proportions of ligands are constant. [1]"""
        total = float(self.load.sum())
        return float(part.sum()) / total if total > 0.0 else 0.0

    def hourly(self, times_h: Floats, hours: int) -> Load:
        """Read it at whole hours 0 to ``hours``, by linear interpolation."""
        grid = np.arange(hours + 1)

        def read(x: Floats) -> Floats:
            if not x.any():  # an antagonist has a load and no more
                return np.zeros((len(x), grid.size))
            return np.stack([np.interp(grid, times_h, row) for row in x])

        return self._each(read)

    def mixed(self, own: float, other: Load, its: float) -> Load:
        """Weighted sum of two loads."""
        return Load(**{f: own * getattr(self, f) + its * getattr(other, f) for f in _PARTS})

    def _each(self, change: Any) -> Load:
        return Load(**{f: change(getattr(self, f)) for f in _PARTS})


_PARTS = tuple(f.name for f in dataclasses.fields(Load))


def default_mechanism(catalogue: Catalogue) -> Adaptation:
    """Return the default mechanism of adaptation."""
    return next(m for m in catalogue.adaptation.values() if m.default)


def load_of(dose: Dose, values: Values, times_h: Floats) -> Load:
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
    parts = {name: np.zeros((own.people.n, times_h.size)) for name in _PARTS}
    for ligand in ligands:
        name = f"mor_occupancy_{ligand}"
        load = np.maximum(np.asarray(found[name].values) / np.asarray(found["mor_free"].values), 0.0)
        parts["load"] += load
        parts["push"] += _column(drives.get(f"mor.{ligand}.drive", 0.0)) * load
        if name in terms:
            factor = 1.0 if terms[name].factor is None else _column(terms[name].factor)
            parts["like"] += _column(terms[name].ratio) * factor * load
            parts["amplified"] += (factor - 1.0) * load
    return Load(**parts)


def _column(value: Any) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    return array.reshape(-1, 1) if array.ndim else array


def one_use(values: Values, mass_mg: float, fentanyl: float) -> tuple[Load, Floats]:
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
    return heroin.mixed(1.0 - fentanyl, other, scale), (1.0 - fentanyl) * best + scale * its


def _use(drug: str, mass_mg: float, values: Values) -> tuple[Load, Floats]:
    early = np.arange(0, 61) / 60.0
    times = np.r_[early, np.arange(2, 25)]
    found = load_of(Dose(drug=drug, amount=f"{mass_mg:g} mg", route="iv", time=0.0, count=1), values, times)
    at = int(found.like[0, : early.size].argmax())
    hourly = found.hourly(times, 24)
    for name in _PARTS:
        getattr(hourly, name)[:, 0] = getattr(found, name)[:, : early.size].mean(axis=1)
    return hourly, np.array([found.load[0, at], found.like[0, at], found.amplified[0, at]])
