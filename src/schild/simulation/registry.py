"""The registry of outputs: each is named, computed and described in one place.

``FAMILIES`` is the registry. A family looks at a model and offers each output that it can give: its name, and what
makes its recipe, because most runs ask for one output of many. Effects are read from ``effects.toml``, states of
adaptation from ``adaptation.toml``: a new entry there is simulated, printed, drawn and in the schema without code.
Tables, sentences, figures, pages and the schema read the ``Kind`` of an output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
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
from schild.simulation.output import Kind, Offer, Output, Recipe, Signals, stored
from schild.simulation.solve import Solution
from schild.simulation.times import Between

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


def _plasma(effects: Effects) -> Iterator[Offer]:
    for s in effects.built.spec.species:
        yield f"plasma_{s.name}", partial(_plasma_of, effects.built, s.name)


def _plasma_of(built: Built, name: str) -> Recipe:
    signal, mass = f"plasma_{name}", built.molar_mass(name) / 1000.0

    def values(get: Signals) -> AnyFloats:
        level = get(signal)
        # Modes that cancel, as at an oral dose, leave rounding errors below zero; larger negative values are kept.
        below = (level < 0).any()  # else there is nothing to copy; a copy without a name is multiplied in place
        return np.asarray(
            (np.where((level < 0) & (level > -1e-6), 0, level) if below else level) * get.dtype.type(mass)
        )

    def metrics(seen: Mapping[str, AnyFloats], span: float) -> dict[str, AnyFloats]:
        return {
            f"cmax_{name}_ng_ml": seen["peak"] * mass,
            f"tmax_{name}_h": seen["peak_time_h"],
            f"auc_{name}_ng_h_ml": seen["area"] * mass,
        }

    kind = PLASMA.of({"species": built.drugs[name].name}, species=name)
    return Recipe(kind=kind, signals=(signal,), values=values, fold=(signal, np.inf), metrics=metrics)


def _alcohol(effects: Effects) -> Iterator[Offer]:
    """Alcohol in blood (Norberg's kinetics are those of blood) and breath, and release (docs/design/alcohol.md)."""
    built = effects.built
    if "ethanol" in built.drugs:
        signals = ("plasma_ethanol",)

        def blood(get: Signals) -> Any:
            return np.asarray(get("plasma_ethanol") * (built.molar_mass("ethanol") / 1e9))

        def breath(get: Signals) -> AnyFloats:
            return np.asarray(breath_level(blood(get), built.values.typical("alcohol", "breath.ratio")))

        yield BLOOD_ALCOHOL.name, lambda: Recipe(kind=BLOOD_ALCOHOL, signals=signals, values=blood)
        yield BREATH_ALCOHOL.name, lambda: Recipe(kind=BREATH_ALCOHOL, signals=signals, values=breath)
    if built.spec.releasing is not None:
        yield RELEASE.name, lambda: Recipe(kind=RELEASE, signals=("release",), values=partial(stored, "release"))


def _free(effects: Effects) -> Iterator[Offer]:
    seen = effects.built.spec.effect_species()
    for s in effects.built.spec.species:
        yield f"free_{s.name}", partial(_free_of, effects.built, s.name, s.name in seen)


def _free_of(built: Built, name: str, at_effect: bool) -> Recipe:
    kind = FREE.of({"species": built.drugs[name].name}, species=name)
    if at_effect:
        return Recipe(kind=kind, signals=(f"effect_{name}",), values=partial(stored, f"effect_{name}"))

    def unbound(get: Signals) -> AnyFloats:
        return np.asarray(get(f"plasma_{name}") * get.column(built.parameters[f"{name}.fu"]))

    return Recipe(kind=kind, signals=(f"plasma_{name}",), values=unbound)


def _receptors(effects: Effects) -> Iterator[Offer]:
    built = effects.built
    for r in built.spec.receptors:
        kind = partial(_kind_at, effects, r.name)
        for species in (*(x.species for x in r.ligands), *([ENDOGENOUS] if r.tone else [])):
            yield (
                f"{r.name}_occupancy_{species}",
                partial(_one_signal, kind, BOUND, f"{r.name}_occupancy_{species}", species=species),
            )
        yield f"{r.name}_free", partial(_one_signal, kind, UNOCCUPIED, f"{r.name}_free")
        yield f"{r.name}_pet_occupancy", partial(_pet_of, kind, built, r.name)
        bound = tuple(f"{r.name}_occupancy_{x.species}" for x in r.ligands)
        yield f"{r.name}_activation", partial(_activation_of, kind, built, r.name, bound)
        if r.tone:
            yield f"{r.name}_tone", partial(_one_signal, kind, TONE, f"{r.name}_occupancy_{ENDOGENOUS}")


def _kind_at(effects: Effects, receptor: str, pattern: Kind, **names: str) -> Kind:
    drugs = effects.built.drugs
    words = {key: drugs[x].name if x in drugs else "endogenous opioid" for key, x in names.items()}
    return pattern.of({"receptor": effects.catalogue.receptors[receptor].name, **words}, receptor=receptor, **names)


def _one_signal(kind: Callable[..., Kind], pattern: Kind, signal: str, **names: str) -> Recipe:
    return Recipe(kind=kind(pattern, **names), signals=(signal,), values=partial(stored, signal))


def _pet_of(kind: Callable[..., Kind], built: Built, receptor: str) -> Recipe:
    free, e0 = f"{receptor}_free", built.parameters.get(f"{receptor}.{ENDOGENOUS}.e0", 0.0)

    def pet(get: Signals) -> AnyFloats:
        return np.asarray(1 - get(free) * (1 + get.column(e0)))

    def metrics(seen: Mapping[str, AnyFloats], span: float) -> dict[str, AnyFloats]:
        empty = 1.0 / (1.0 + np.asarray(e0))
        return {
            f"{receptor}_pet_occupancy_peak": 1 - seen["trough"] / empty,
            f"{receptor}_pet_occupancy_mean": 1 - seen["area"] / (span * empty),
            f"{receptor}_pet_occupancy_hours_above_90_percent": span - seen["time_above_h"],
        }

    passed = 0.1 / (1.0 + float(np.asarray(e0).mean()))  # free fraction at which PET shows the level of the kind
    return Recipe(kind=kind(PET), signals=(free,), values=pet, fold=(free, passed), metrics=metrics)


def _activation_of(kind: Callable[..., Kind], built: Built, receptor: str, bound: tuple[str, ...]) -> Recipe:
    return Recipe(kind=kind(ACTIVATION), signals=bound, values=partial(_activation, built, receptor, bound))


def _activation(built: Built, receptor: str, bound: Sequence[str], get: Signals) -> AnyFloats:
    total: AnyFloats = np.zeros(get.shape, dtype=get.dtype)
    for signal in bound:
        efficacy = built.values.efficacy(receptor, signal.removeprefix(f"{receptor}_occupancy_"))
        if np.asarray(efficacy).any():
            total = total + get.column(efficacy) * get(signal)
    return total


def _effects(effects: Effects) -> Iterator[Offer]:
    shown = cache(effects.stimulated)
    for name in effects.available():
        yield name, partial(_effect_of, effects, name, shown)


def _effect_of(effects: Effects, name: str, shown: Callable[[], bool]) -> Recipe:
    return Recipe(
        kind=_effect_kind(effects.catalogue, name),
        signals=effects.signals(name),
        values=partial(effects.values, name),
        default=shown(),
    )


def _effect_kind(catalogue: Catalogue, name: str) -> Kind:
    effect = catalogue.effects[name]
    return Kind(name=name, unit=effect.unit, words=effect.name, group="effects", tabled=True)


#: The registry, in the order in which a run lists its outputs.
FAMILIES: tuple[Callable[[Effects], Iterator[Offer]], ...] = (
    _plasma, _alcohol, _free, _receptors, adaptation_outputs, _effects,
)  # fmt: skip


def outputs_of(effects: Effects, wanted: Sequence[str] | None = None) -> list[Recipe]:
    """List the outputs of a run.

    ``effects``: the model and the effects that it can show; ``wanted``: names to keep; the defaults where none are
    given. Returns them in the registry's order. Raises UnknownNameError for a name that this run cannot give.
    """
    offers = (offer for family in FAMILIES for offer in family(effects))
    if wanted is None:
        return [recipe for _, make in offers if (recipe := make()).default]
    found: list[Recipe] = []
    known: list[str] = []
    missing = set(wanted)
    while missing and (offer := next(offers, None)) is not None:
        name, make = offer
        known.append(name)
        if name in missing:
            missing.discard(name)
            found.append(make())
    if missing:
        raise UnknownNameError("output of this run", next(name for name in wanted if name in missing), known)
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
    places["<state>"] = sorted({x for entry in catalogue.adaptation.values() for x in (*entry.states, *entry.follower)})
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
