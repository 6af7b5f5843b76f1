"""Outputs of adaptation in a run: tolerance, dependence, withdrawal scores (docs/design/adaptation.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from schild.array_types import AnyFloats
from schild.model.build import Built
from schild.model.spec import ENDOGENOUS
from schild.people import Values
from schild.pharmacology.adaptation import cows_of_drive, ec50_shift, sows_of_cows, withdrawal_drive
from schild.pharmacology.effects import transducer_ratio
from schild.simulation.effects import Effects, column_of
from schild.simulation.output import Kind, Offer, Recipe, Signals, stored

TOLERANCE = Kind(name="tolerance", unit="1", words="tolerance", group="adaptation", tabled=True, ratio=True)
DEPENDENCE = Kind(name="dependence", unit="1", words="dependence", group="adaptation", tabled=True, ratio=True)
COWS = Kind(name="cows", unit="points", words="withdrawal, latent COWS (0 to 48)", group="adaptation", tabled=True)
SOWS = Kind(name="sows", unit="points", words="withdrawal, latent SOWS (0 to 64)", group="adaptation")
STATE = Kind(name="adaptation_<state>", unit="1", words="adaptation, <state> state", group="adaptation", ratio=True)
#: Outputs that only a run with adaptation has.
ADAPTATION = (TOLERANCE, DEPENDENCE, COWS, SOWS, STATE)


def adaptation_outputs(effects: Effects) -> Iterator[Offer]:
    """Outputs of adaptation; none in a run without."""
    built, mechanism = effects.built, effects.built.mechanism
    if mechanism is None:
        return
    slow = mechanism.tolerance["ventilation"].state
    scored = (
        *(f"adaptation_{name}" for name, state in mechanism.states.items() if state.weight is not None),
        *(f"adaptation_{name}" for name in mechanism.follower),
        *_drivers(built),
        *(f"{r.name}_occupancy_{ENDOGENOUS}" for r in built.spec.receptors if r.name == "mor" and r.tone),
    )

    def tolerance(get: Signals) -> AnyFloats:
        return np.asarray(ec50_shift(_tau_of_breathing(built.values), effects.divisor("ventilation", get)))

    def dependence(get: Signals) -> AnyFloats:
        reference = built.values.column(mechanism.key, str(mechanism.states[slow].reference))
        return np.asarray(get(f"adaptation_{slow}") / reference)

    def cows(get: Signals) -> Any:
        return _cows(built, get)

    def sows(get: Signals) -> AnyFloats:
        return np.asarray(sows_of_cows(cows(get)))

    def offer(kind: Kind, signals: tuple[str, ...], values: Callable[[Signals], AnyFloats]) -> Offer:
        return kind.name, lambda: Recipe(kind=kind, signals=signals, values=values)

    yield offer(TOLERANCE, (f"adaptation_{slow}",), tolerance)
    yield offer(DEPENDENCE, (f"adaptation_{slow}",), dependence)
    yield offer(COWS, scored, cows)
    yield offer(SOWS, scored, sows)
    for name in built.spec.adaptation.lags if built.spec.adaptation else ():
        signal = f"adaptation_{name}"
        yield offer(STATE.of(state=name), (signal,), partial(stored, signal))


def _cows(built: Built, get: Signals) -> AnyFloats:
    """Latent score of withdrawal, from adaptation, the drive that is left and endogenous tone."""
    mechanism = built.mechanism
    assert mechanism is not None  # callers have checked
    number = partial(built.values.column, mechanism.key)
    adapted: Any = 0.0
    for key, state in mechanism.states.items():
        if state.weight is not None:
            adapted = adapted + number(state.weight) * get(f"adaptation_{key}")
    drive: Any = 0.0
    for label in _drivers(built):
        receptor, _, species = label.partition("_occupancy_")
        drive = drive + column_of(built.parameters[f"{receptor}.{species}.drive"]) * get(label)
    drive = drive / (1.0 + float(np.max(built.parameters["adaptation.bend"])) * drive)
    tone: Any = 0.0
    if any(r.name == "mor" and r.tone for r in built.spec.receptors):
        tone = number(mechanism.tone) * get(f"mor_occupancy_{ENDOGENOUS}")
    left: Any = withdrawal_drive(adapted, drive, tone)
    felt = left
    for key, follower in mechanism.follower.items():
        own = get(f"adaptation_{key}")
        # An integrated state may lie below zero by its error.
        felt = felt + number(follower.weight) * np.maximum(left - own if follower.beyond else own, 0.0)
    half, slope = (number(name) for name in (mechanism.half, mechanism.slope))
    return np.asarray(cows_of_drive(felt, half, slope))


def _drivers(built: Built) -> tuple[str, ...]:
    """Occupancies from which the drive of adaptation is computed."""
    assert built.spec.adaptation is not None  # callers have checked
    return tuple(
        f"{r.name}_occupancy_{x.species}"
        for r in built.spec.receptors
        if r.name in built.spec.adaptation.receptors
        for x in r.ligands
        if np.any(np.asarray(built.parameters[f"{r.name}.{x.species}.drive"]) > 0)
    )


def _tau_of_breathing(values: Values) -> float:
    effect, typical = values.catalogue.effects["ventilation_isohypercapnic"], values.of_people(None)
    reserve = typical.typical(effect.key, effect.reserve["mor"])
    return float(transducer_ratio(reserve, typical.efficacy("mor", str(effect.reference_agonist))))
