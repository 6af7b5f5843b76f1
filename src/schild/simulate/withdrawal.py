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
from schild.simulate.effects import Effects

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
    scored = (
        *(f"adaptation_{name}" for name, state in built.mechanism.states.items() if state.weight is not None),
        *_drivers(built),
        *(f"{r.name}_occupancy_{ENDOGENOUS}" for r in built.spec.receptors if r.name == "mor" and r.tone),
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
    drive: Any = 0.0
    for label in _drivers(built):
        receptor, _, species = label.partition("_occupancy_")
        drive = drive + _column(built.parameters[f"{receptor}.{species}.drive"]) * signal(label)
    drive = drive / (1.0 + float(np.max(built.parameters["adaptation.bend"])) * drive)
    tone: Any = 0.0
    if any(r.name == "mor" and r.tone for r in built.spec.receptors):
        tone = _column(numbers[mechanism.tone]) * signal(f"mor_occupancy_{ENDOGENOUS}")
    cows = cows_of_drive(
        withdrawal_drive(adapted, drive, tone),
        _column(numbers[mechanism.half]),
        _column(numbers[mechanism.slope]),
    )
    return np.asarray(cows if name == "cows" else sows_of_cows(cows))


def _drivers(built: Built) -> tuple[str, ...]:
    """Occupancies that make the drive of adaptation."""
    assert built.spec.adaptation is not None  # callers have checked
    return tuple(
        f"{r.name}_occupancy_{x.species}"
        for r in built.spec.receptors
        if r.name in built.spec.adaptation.receptors
        for x in r.ligands
        if np.any(np.asarray(built.parameters[f"{r.name}.{x.species}.drive"]) > 0)
    )


def _tau_of_breathing(catalogue: Catalogue) -> float:
    effect = catalogue.effects["ventilation_isohypercapnic"]
    drug = catalogue.drug(_REFERENCE_AGONIST)
    efficacy = drug.number(str(drug.binding["mor"].efficacy)).value
    return float(transducer_ratio(effect.numbers[effect.reserve["mor"]].value, efficacy))


def _column(value: Any) -> Any:
    array = np.asarray(value, dtype=np.float64)
    return array[:, None] if array.ndim else array
