"""Outputs of adaptation in a run: tolerance, dependence, withdrawal scores (docs/design/adaptation.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Catalogue
from schild.model.build import Built
from schild.model.spec import ENDOGENOUS
from schild.pharmacology.adaptation import cows_of_drive, ec50_shift, sows_of_cows, withdrawal_drive
from schild.pharmacology.effects import transducer_ratio
from schild.simulate.effects import Effects, efficacy_of

Floats = NDArray[np.floating]

__all__ = ["ADAPTATION_OUTPUTS", "adaptation_plan", "adaptation_values"]

#: Outputs that only a run with adaptation has, with their units.
ADAPTATION_OUTPUTS = {"tolerance": "1", "dependence": "1", "cows": "points", "sows": "points"}

#: The agonist that ``tolerance`` speaks of, as the study that gives its size.
_REFERENCE_AGONIST = "fentanyl"


def adaptation_plan(built: Built) -> list[tuple[str, str, tuple[str, ...]]]:
    """Name, unit and engine signals of each output; empty in a run without adaptation."""
    if built.mechanism is None:
        return []
    states = tuple(f"adaptation_{name}" for name in built.mechanism.states)
    slow = (f"adaptation_{built.mechanism.tolerance['ventilation'].state}",)
    needs = {"tolerance": slow, "dependence": slow}
    scored = tuple(
        f"adaptation_{name}" for name, state in built.mechanism.states.items() if state.weight is not None
    ) + tuple(
        f"{r.name}_occupancy_{name}"
        for r in built.spec.receptors
        if r.name == "mor"
        for name in (*(x.species for x in r.ligands), *((ENDOGENOUS,) if r.tone else ()))
        if name == ENDOGENOUS or efficacy_of(built, r.name, name) > 0
    )
    plan = [(name, unit, needs.get(name, scored)) for name, unit in ADAPTATION_OUTPUTS.items()]
    return plan + [(name, "1", (name,)) for name in states]


def adaptation_values(
    name: str, built: Built, catalogue: Catalogue, effects: Effects, signal: Callable[[str], Floats]
) -> Floats:
    """Values of one output.

    Parameters
    ----------
    name : str
        Of ``adaptation_plan``.
    built : Built
        A model with adaptation.
    catalogue : Catalogue
        For the agonist that ``tolerance`` speaks of.
    effects : Effects
        For the reserve of breathing.
    signal : callable
        Gives an engine signal, shape (n_subjects, n_times).

    Returns
    -------
    ndarray, shape (n_subjects, n_times)
        In the output's unit.
    """
    mechanism, numbers = built.mechanism, built.lagging
    assert mechanism is not None  # the plan is empty otherwise
    if name.startswith("adaptation_"):
        return signal(name)
    slow = mechanism.tolerance["ventilation"].state
    if name == "dependence":
        return np.asarray(signal(f"adaptation_{slow}") / _column(numbers[str(mechanism.states[slow].reference)]))
    if name == "tolerance":
        return np.asarray(ec50_shift(_tau_of_breathing(catalogue), effects.divisor("ventilation", signal)))
    adapted: Any = 0.0
    for key, state in mechanism.states.items():
        if state.weight is not None:
            adapted = adapted + _column(numbers[state.weight]) * signal(f"adaptation_{key}")
    activation: Any = 0.0
    tone: Any = 0.0
    for receptor in built.spec.receptors:
        if receptor.name != "mor":
            continue
        for ligand in receptor.ligands:
            efficacy = efficacy_of(built, receptor.name, ligand.species)
            if efficacy > 0:
                activation = activation + efficacy * signal(f"mor_occupancy_{ligand.species}")
        if receptor.tone:
            tone = signal(f"mor_occupancy_{ENDOGENOUS}")
    cows = cows_of_drive(
        withdrawal_drive(adapted, activation, tone),
        _column(numbers[mechanism.half]),
        _column(numbers[mechanism.slope]),
    )
    return np.asarray(cows if name == "cows" else sows_of_cows(cows))


def _tau_of_breathing(catalogue: Catalogue) -> float:
    effect = catalogue.effects["ventilation_isohypercapnic"]
    drug = catalogue.drug(_REFERENCE_AGONIST)
    efficacy = drug.number(str(drug.binding["mor"].efficacy)).value
    return float(transducer_ratio(effect.numbers[effect.reserve["mor"]].value, efficacy))


def _column(value: Any) -> Any:
    array = np.asarray(value, dtype=np.float64)
    return array[:, None] if array.ndim else array
