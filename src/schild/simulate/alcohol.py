"""Outputs of a run with ethanol: alcohol in blood and breath, and endogenous release (docs/design/alcohol.md)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Catalogue
from schild.model.build import Built
from schild.pharmacology.alcohol import breath_level

Floats = NDArray[np.floating]

__all__ = ["ALCOHOL_OUTPUTS", "alcohol_plan", "alcohol_values"]

#: Outputs that only a run with ethanol has, with their units.
ALCOHOL_OUTPUTS = {"bac": "g/L", "brac": "mg/L", "release": "1"}


def alcohol_plan(built: Built) -> list[tuple[str, str, tuple[str, ...]]]:
    """Name, unit and engine signals of each output; empty in a run without ethanol."""
    plan: list[tuple[str, str, tuple[str, ...]]] = []
    if "ethanol" in built.drugs:
        plan += [(name, ALCOHOL_OUTPUTS[name], ("plasma_ethanol",)) for name in ("bac", "brac")]
    if built.spec.releasing is not None:
        plan.append(("release", ALCOHOL_OUTPUTS["release"], ("release",)))
    return plan


def alcohol_values(name: str, built: Built, catalogue: Catalogue, signal: Callable[[str], Floats]) -> Floats:
    """Values of one output.

    Parameters
    ----------
    name : str
        ``bac``, the level in blood [g/L] (Norberg's kinetics are those of blood), ``brac``, in breath [mg/L], or
        ``release``, the load of the endogenous agonist over its load at rest [1].
    built : Built
        The model.
    catalogue : Catalogue
        For the ratio of blood to breath.
    signal : callable
        Gives an engine signal, shape (n_subjects, n_times).

    Returns
    -------
    ndarray, shape (n_subjects, n_times)
        In the output's unit.
    """
    if name == "release":
        return signal("release")
    drug = built.drugs["ethanol"]
    level = np.asarray(signal("plasma_ethanol") * (drug.number(str(drug.mw)).value / 1e9))
    return level if name == "bac" else np.asarray(breath_level(level, catalogue.alcohol["breath.ratio"].value))
