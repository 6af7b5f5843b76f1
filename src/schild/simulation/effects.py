"""Effects of a run: stimuli from the occupancies of every ligand, and outputs from them (docs/design/effects.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from schild.array_types import AnyFloats
from schild.catalog import Catalogue
from schild.model.build import Built
from schild.pharmacology.adaptation import tau_divisor
from schild.pharmacology.effects import amplified_occupancy, operational_response, resting_ventilation, transducer_ratio
from schild.simulation.output import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Contribution of one ligand to the stimulus of an effect: ``ratio`` times occupancy, amplified by ``factor``."""

    signal: str  #: Occupancy
    ratio: Any  #: Transducer ratio; a number, or one for each person
    factor: Any  #: Shape (n_subjects, 1); None where occupancy is not amplified


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """The effects that a run can show."""

    built: Built  #: The model with its values; an effect is available if the run follows every receptor it depends on
    #: Whether a species activates a receptor, by both names; many effects ask for the same ones
    _active: dict[tuple[str, str], bool] = field(init=False, default_factory=dict, repr=False, compare=False)

    @property
    def catalogue(self) -> Catalogue:
        """Return the catalogue with the effects."""
        return self.built.values.catalogue

    def _activates(self, receptor: str, species: str) -> bool:
        pair = (receptor, species)
        if pair not in self._active:
            self._active[pair] = bool((np.asarray(self.built.values.efficacy(receptor, species)) > 0).any())
        return self._active[pair]

    def available(self) -> tuple[str, ...]:
        """Return the names of the effects that this run can show."""
        followed = {r.name for r in self.built.spec.receptors}
        return tuple(key for key, effect in self.catalogue.effects.items() if set(effect.reserve) <= followed)

    def stimulated(self) -> bool:
        """Return whether any drug of the run activates a receptor: only then are effects shown by default."""
        return any(self._activates(r.name, x.species) for r in self.built.spec.receptors for x in r.ligands)

    def signals(self, name: str) -> tuple[str, ...]:
        """Return the occupancies from which an effect is computed."""
        reserve = self.catalogue.effects[name].reserve
        state = self.state_of(name)
        return (
            *(
                f"{r.name}_occupancy_{x.species}"
                for r in self.built.spec.receptors
                if r.name in reserve
                for x in r.ligands
                if self._activates(r.name, x.species)
            ),
            *(() if state is None else (f"adaptation_{state}",)),
        )

    def state_of(self, name: str) -> str | None:
        """Return the adaptation state that lowers an effect's tau in this run, None where none does."""
        mechanism = self.built.mechanism
        if mechanism is None or name not in mechanism.tolerance:
            return None
        return mechanism.tolerance[name].state

    def divisor(self, name: str, signal: Signals) -> Any:
        """Return the factor by which tolerance lowers an effect's tau, shape (n_subjects, n_times) or 1."""
        state, mechanism = self.state_of(name), self.built.mechanism
        if state is None or mechanism is None:
            return 1.0
        column = self.built.values.column
        reference = column(mechanism.key, str(mechanism.states[state].reference))
        depth = column(mechanism.key, mechanism.tolerance[name].depth)
        return tau_divisor(signal(f"adaptation_{state}"), reference, np.maximum(1.0, depth))

    def terms(self, name: str) -> list[Term]:
        """Return the contribution of each ligand to an effect's stimulus."""
        effect, values = self.catalogue.effects[name], self.built.values
        found = []
        for signal in self.signals(name):
            if signal.startswith("adaptation_"):
                continue
            receptor, _, species = signal.partition("_occupancy_")
            ratio = transducer_ratio(values.of(name, effect.reserve[receptor]), values.efficacy(receptor, species))
            named = [x for x in (effect.sensitivity, effect.transduction.get(species)) if x is not None]
            factor: Any = math.prod(values.column(name, x) for x in named)
            found.append(Term(signal=signal, ratio=ratio, factor=factor if np.any(factor != 1.0) else None))
        return found

    def values(self, name: str, signal_of: Signals) -> AnyFloats:
        """Return an effect over time.

        ``name``: key of the effect; ``signal_of``: occupancies and adaptation, each of shape (n_subjects, n_times).
        Returns values in the effect's unit, shape (n_subjects, n_times).
        """
        effect, values = self.catalogue.effects[name], self.built.values
        stimulus = np.zeros(signal_of.shape)
        tolerated = self.divisor(name, signal_of)
        for term in self.terms(name):
            taken: AnyFloats = signal_of(term.signal)
            if term.factor is not None:
                taken = amplified_occupancy(taken, term.factor)
            stimulus += column_of(term.ratio) / tolerated * taken
        response = operational_response(stimulus, values.column(name, effect.slope))
        if effect.form == "fraction_left":
            return np.asarray(1.0 - response)
        if effect.form == "resting":
            baseline, pco2, threshold = (
                values.column(name, str(x)) for x in (effect.baseline, effect.pco2, effect.threshold)
            )
            return resting_ventilation(1.0 - response, baseline, pco2, threshold)
        size = values.column(name, str(effect.range))
        if effect.form == "rise":
            return np.asarray(size * response)
        # A pupil cannot close: the range varies between people in its odds to the baseline, and never exceeds it.
        whole, rest = (values.typical(name, str(x)) for x in (effect.range, effect.baseline))
        typical = whole / rest
        odds = typical / (1.0 - typical) * size / whole
        return np.asarray(values.column(name, str(effect.baseline)) * (1.0 - odds / (1.0 + odds) * response))


def column_of(value: Any) -> Any:
    """Write one number, or one for each person, so that it multiplies arrays of shape (n, n_times)."""
    array = np.asarray(value, dtype=np.float64)
    return array[:, None] if array.ndim else array
