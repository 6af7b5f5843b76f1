"""The registry of outputs: each is named, computed and described in one place.

``FAMILIES`` is the registry. A family looks at a model and yields a recipe for each output that it can give. Effects
are read from ``effects.toml``, states of adaptation from ``adaptation.toml``: a new entry there is simulated, printed,
drawn and in the schema without code. Tables, sentences, figures, pages and the schema read the ``Kind`` of an output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from schild.array_types import AnyFloats
from schild.catalog import Catalogue
from schild.engine.run import REDUCED
from schild.errors import UnknownNameError
from schild.model.build import Built
from schild.model.spec import ENDOGENOUS
from schild.pharmacology.alcohol import breath_level
from schild.simulation.adaptation import ADAPTATION, adaptation_outputs
from schild.simulation.effects import Effects
from schild.simulation.output import Kind, Output, Recipe, Signals, stored
from schild.simulation.solve import Solution
from schild.simulation.times import Between

__all__ = ["FAMILIES", "outputs_of", "read", "read_metrics", "schema"]

PLASMA = Kind(name="plasma_<species>", unit="ng/mL", words="<species>", group="plasma", drawn=True)
FREE = Kind(name="free_<species>", unit="nM", words="unbound <species>", group="unbound")
BOUND = Kind(name="<receptor>_occupancy_<species>", unit="1", words="<receptor>, <species>", group="receptors")
UNOCCUPIED = Kind(name="<receptor>_free", unit="1", words="<receptor>, unoccupied", group="receptors")
PET = Kind(
    name="<receptor>_pet_occupancy",
    unit="1",
    words="<receptor>, occupied as PET sees it",
    group="receptors",
    drawn=True,
    level=0.9,
)
ACTIVATION = Kind(
    name="<receptor>_activation", unit="1", words="<receptor>, activated by drugs", group="receptors", ratio=True
)
TONE = Kind(name="<receptor>_tone", unit="1", words="<receptor>, endogenous tone", group="receptors")
BLOOD_ALCOHOL = Kind(name="bac", unit="g/L", words="alcohol in blood", group="alcohol", tabled=True)
BREATH_ALCOHOL = Kind(name="brac", unit="mg/L", words="alcohol in breath", group="alcohol", tabled=True)
RELEASE = Kind(
    name="release",
    unit="1",
    words="endogenous opioid, load over that at rest",
    group="alcohol",
    tabled=True,
    ratio=True,
)
#: Kinds that are not read from the catalogue.
KINDS = (
    PLASMA, BLOOD_ALCOHOL, BREATH_ALCOHOL, RELEASE, FREE, BOUND, UNOCCUPIED, PET, ACTIVATION, TONE, *ADAPTATION,
)  # fmt: skip


def _plasma(effects: Effects) -> Iterator[Recipe]:
    built = effects.built
    for s in built.spec.species:
        drug = built.drugs[s.name]
        signal, mass = f"plasma_{s.name}", built.molar_mass(s.name) / 1000.0

        def values(get: Signals, signal: str = signal, mass: float = mass) -> AnyFloats:
            level = get(signal)
            # Modes that cancel, as at an oral dose, leave rounding errors below zero; larger negative values are kept.
            below = (level < 0).any()  # else there is nothing to copy; a copy without a name is multiplied in place
            return np.asarray(
                (np.where((level < 0) & (level > -1e-6), 0, level) if below else level) * get.dtype.type(mass)
            )

        def metrics(
            seen: Mapping[str, AnyFloats], span: float, name: str = s.name, mass: float = mass
        ) -> dict[str, AnyFloats]:
            return {
                f"cmax_{name}_ng_ml": seen["peak"] * mass,
                f"tmax_{name}_h": seen["peak_time_h"],
                f"auc_{name}_ng_h_ml": seen["area"] * mass,
            }

        kind = PLASMA.of({"species": drug.name}, species=s.name)
        yield Recipe(kind=kind, signals=(signal,), values=values, fold=(signal, np.inf), metrics=metrics)


def _alcohol(effects: Effects) -> Iterator[Recipe]:
    """Alcohol in blood (Norberg's kinetics are those of blood) and breath, and release (docs/design/alcohol.md)."""
    built = effects.built
    if "ethanol" in built.drugs:
        mass = built.molar_mass("ethanol") / 1e9

        def blood(get: Signals) -> Any:
            return np.asarray(get("plasma_ethanol") * mass)

        def breath(get: Signals) -> AnyFloats:
            return np.asarray(breath_level(blood(get), built.values.typical("alcohol", "breath.ratio")))

        yield Recipe(kind=BLOOD_ALCOHOL, signals=("plasma_ethanol",), values=blood)
        yield Recipe(kind=BREATH_ALCOHOL, signals=("plasma_ethanol",), values=breath)
    if built.spec.releasing is not None:
        yield Recipe(kind=RELEASE, signals=("release",), values=partial(stored, "release"))


def _free(effects: Effects) -> Iterator[Recipe]:
    built = effects.built
    sites = built.spec.effect_species()
    for s in built.spec.species:
        kind = FREE.of({"species": built.drugs[s.name].name}, species=s.name)
        if s.name in sites:
            yield Recipe(kind=kind, signals=(f"effect_{s.name}",), values=partial(stored, f"effect_{s.name}"))
            continue

        def unbound(get: Signals, name: str = s.name) -> AnyFloats:
            return np.asarray(get(f"plasma_{name}") * get.column(built.parameters[f"{name}.fu"]))

        yield Recipe(kind=kind, signals=(f"plasma_{s.name}",), values=unbound)


def _receptors(effects: Effects) -> Iterator[Recipe]:
    built = effects.built
    for r in built.spec.receptors:
        pool = effects.catalogue.receptors[r.name].name

        def kind(pattern: Kind, name: str = r.name, pool: str = pool, **names: str) -> Kind:
            words = {key: built.drugs[x].name if x in built.drugs else "endogenous opioid" for key, x in names.items()}
            return pattern.of({"receptor": pool, **words}, receptor=name, **names)

        bound = tuple(f"{r.name}_occupancy_{x.species}" for x in r.ligands)
        for signal in (*bound, *([f"{r.name}_occupancy_{ENDOGENOUS}"] if r.tone else [])):
            species = signal.removeprefix(f"{r.name}_occupancy_")
            yield Recipe(kind=kind(BOUND, species=species), signals=(signal,), values=partial(stored, signal))
        free = f"{r.name}_free"
        yield Recipe(kind=kind(UNOCCUPIED), signals=(free,), values=partial(stored, free))
        e0 = built.parameters.get(f"{r.name}.{ENDOGENOUS}.e0", 0.0)

        def pet(get: Signals, free: str = free, e0: Any = e0) -> AnyFloats:
            return np.asarray(1 - get(free) * (1 + get.column(e0)))

        def metrics(
            seen: Mapping[str, AnyFloats], span: float, name: str = r.name, e0: Any = e0
        ) -> dict[str, AnyFloats]:
            empty = 1.0 / (1.0 + np.asarray(e0))
            return {
                f"{name}_pet_occupancy_peak": 1 - seen["trough"] / empty,
                f"{name}_pet_occupancy_mean": 1 - seen["area"] / (span * empty),
                f"{name}_pet_occupancy_hours_above_90_percent": span - seen["time_above_h"],
            }

        passed = 0.1 / (1.0 + float(np.mean(e0)))  # free fraction at which PET shows the level of the kind
        yield Recipe(kind=kind(PET), signals=(free,), values=pet, fold=(free, passed), metrics=metrics)
        yield Recipe(kind=kind(ACTIVATION), signals=bound, values=partial(_activation, built, r.name, bound))
        if r.tone:
            signal = f"{r.name}_occupancy_{ENDOGENOUS}"
            yield Recipe(kind=kind(TONE), signals=(signal,), values=partial(stored, signal))


def _activation(built: Built, receptor: str, bound: Sequence[str], get: Signals) -> AnyFloats:
    total: AnyFloats = np.zeros(get.shape, dtype=get.dtype)
    for signal in bound:
        efficacy = built.values.efficacy(receptor, signal.removeprefix(f"{receptor}_occupancy_"))
        if np.any(efficacy):
            total = total + get.column(efficacy) * get(signal)
    return total


def _effects(effects: Effects) -> Iterator[Recipe]:
    shown = effects.stimulated()
    for name in effects.available():
        yield Recipe(
            kind=_effect_kind(effects.catalogue, name),
            signals=effects.signals(name),
            values=partial(effects.values, name),
            default=shown,
        )


def _effect_kind(catalogue: Catalogue, name: str) -> Kind:
    effect = catalogue.effects[name]
    return Kind(name=name, unit=effect.unit, words=effect.name, group="effects", tabled=True)


#: The registry, in the order in which a run lists its outputs.
FAMILIES: tuple[Callable[[Effects], Iterator[Recipe]], ...] = (
    _plasma, _alcohol, _free, _receptors, adaptation_outputs, _effects,
)  # fmt: skip


def outputs_of(effects: Effects, wanted: Sequence[str] | None = None) -> list[Recipe]:
    """List the outputs of a run.

    ``effects``: the model and the effects that it can show; ``wanted``: names to keep; the defaults where none are
    given. Returns them in the registry's order. Raises UnknownNameError for a name that this run cannot give.
    """
    every = (recipe for family in FAMILIES for recipe in family(effects))
    if wanted is None:
        return [recipe for recipe in every if recipe.default]
    found: list[Recipe] = []
    known: list[str] = []
    missing = dict.fromkeys(wanted)
    while missing and (recipe := next(every, None)) is not None:
        known.append(recipe.kind.name)
        if recipe.kind.name in missing:
            del missing[recipe.kind.name]
            found.append(recipe)
    if missing:
        raise UnknownNameError("output of this run", next(iter(missing)), known)
    return found


def read(
    recipes: Sequence[Recipe],
    solution: Solution,
    draws: int = 0,
    solve: Between | None = None,
) -> dict[str, Output]:
    """Compute outputs from the stored signals of a solution; ``draws`` and ``solve`` as in ``Output``."""
    get = Signals(solution.names, solution.engine.out)
    return {
        recipe.kind.name: Output(
            kind=recipe.kind,
            time_h=solution.times_h,
            values=np.asarray(recipe.values(get)).astype(get.dtype, copy=False),
            draws=draws,
            solve=solve,
        )
        for recipe in recipes
    }


def read_metrics(recipes: Sequence[Recipe], solution: Solution) -> dict[str, AnyFloats]:
    """Compute metrics from the reducers, which see every step and not only the output times; shape (n_subjects,)."""
    span = float(solution.times_h[-1] - solution.times_h[0])
    found: dict[str, AnyFloats] = {}
    for k, recipe in enumerate(recipes):
        assert recipe.metrics is not None  # those with something to fold have them
        found |= recipe.metrics(dict(zip(REDUCED, solution.engine.reduced[:, k, :].T, strict=True)), span)
    return found


def schema(catalogue: Catalogue) -> dict[str, Any]:
    """Describe the outputs that a run can have as JSON Schema: the object ``outputs`` of ``--json``.

    >>> from schild.catalog import load
    >>> schema(load())["patternProperties"]["^pupil$"]["description"]
    'pupil diameter [mm]'
    """
    import re

    places = {"<species>": [*catalogue.drugs], "<receptor>": [*catalogue.receptors]}
    places["<state>"] = sorted({state for entry in catalogue.adaptation.values() for state in entry.states})
    numbers = {"type": "array", "items": {"type": ["number", "null"]}}
    found = {}
    for kind in (*KINDS, *(_effect_kind(catalogue, name) for name in catalogue.effects)):
        pattern = re.escape(kind.name)
        for place, names in places.items():
            pattern = pattern.replace(place, f"({'|'.join(map(re.escape, names))})")
        found[f"^{pattern}$"] = {
            "description": f"{kind.words} [{kind.unit}]",
            "type": "object",
            "properties": {"unit": {"const": kind.unit}, "time_h": numbers},
            "additionalProperties": numbers,
            "required": ["unit", "time_h"],
        }
    return {"type": "object", "patternProperties": found, "additionalProperties": False}
