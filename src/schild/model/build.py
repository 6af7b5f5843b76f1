"""Build a model from numbers of people and events: its structure, its parameters and the entries of the engine.

The build decides which species a dose brings into the body, which structure lies between plasma and receptor, and
which receptors are followed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from schild.array_types import Floats
from schild.catalog import Adaptation as Mechanism
from schild.catalog import Drug, Route
from schild.errors import InputError, UnknownNameError
from schild.model.entries import Entry, EntryMaker, SteadyStart
from schild.model.parameters import parameters_of
from schild.model.ports import Port, disposition_of, formed, inputs_of
from schild.model.products import chosen, with_products
from schild.model.spec import ENDOGENOUS, Adaptation, Ligand, ModelSpec, Receptor, Site, Species
from schild.people import FEW, Values
from schild.regimen import Event

T = TypeVar("T")

#: Receptors of a run unless it asks for others.
RECEPTORS = ("mor", "kor", "dor")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Part of a model that depends on the ways by which doses enter, and not on the doses."""

    spec: ModelSpec
    parameters: dict[str, float | Floats]
    ports: Mapping[str, Port]  #: Origin of each input
    drugs: Mapping[str, Drug]
    mechanism: Mechanism | None  #: Adaptation of the run
    said: tuple[str, ...]  #: Warnings of the build itself
    #: What was made of the structure and the parameters, for every list of doses by the same ways; None for many people
    kept: dict[Hashable, Any] | None = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built(_Frame):
    """A model ready to compile, with the values it was built from."""

    scales: dict[str, float | Floats]  #: Extra columns for the events
    entries: tuple[Entry, ...]
    starts: tuple[SteadyStart, ...]
    values: Values

    def once(self, place: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Make something of the structure and the parameters, or return what was made at this place before.

        ``place`` holds all else that it depends on. Nothing is kept where there are many people.
        """
        if self.kept is None:
            return make()
        found: T | None = self.kept.get(place)
        if found is None:
            found = self.kept[place] = make()
        return found

    @property
    def bytes_each(self) -> int:
        """Memory of the parameters and scales of one person. [byte]"""
        numbers = (*self.parameters.values(), *self.scales.values())
        return sum(x.itemsize for x in numbers if isinstance(x, np.ndarray) and x.ndim)

    @property
    def structures(self) -> Mapping[str, str]:
        """Structure between plasma and receptor, by drug."""
        return {key: name for key, name in self.values.structures.items() if key in self.drugs}

    def molar_mass(self, species: str) -> float:
        """Molar mass of a species as base. [g/mol]"""
        return self.values.typical(species, str(self.drugs[species].mw))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of the build and of the values."""
        return (*self.said, *self.values.warnings)


def build(
    values: Values,
    events: Sequence[Event],
    *,
    structure: str | Mapping[str, str] | None = None,
    receptors: Sequence[str] = RECEPTORS,
    tone: bool = True,
    without: Sequence[str] = (),
    adaptation: str | None = None,
) -> Built:
    """Build the model that a list of events needs.

    ``values``: the people's numbers; the chosen structures are recorded there; ``events``: expanded doses and
    resets. ``structure``: rival mechanism between plasma and receptor; one name applies to every drug that has it;
    by default that of the catalogue. ``tone``: whether the endogenous agonist competes; ``without``: species that are
    followed but bind nothing (an ablation); ``adaptation``: mechanism of tolerance and dependence to include; none
    by default. Returns structure, parameters and engine entries. Raises UnknownNameError for a drug, route, salt,
    receptor or structure that does not exist; InputError for a combination that has no meaning.
    """
    for name in receptors:
        values.catalogue.receptor(name)
    said = dict.fromkeys(chosen(values, events))
    events = with_products(values, events)
    frame = _frame(values, events, structure, tuple(receptors), tone, tuple(without), adaptation)
    maker = EntryMaker(values, frame.ports, frame.kept)
    entries, starts = maker.entries(events)
    own: dict[str, Any] = {name: getattr(frame, name) for name in _Frame.__slots__}
    own["said"] = (*said, *frame.said, *maker.said)
    return Built(scales=maker.scales, entries=entries, starts=starts, values=values, **own)


def _frame(values: Values, events: Sequence[Event], structure: str | Mapping[str, str] | None, *rest: Any) -> _Frame:
    """Make the frame of a model, or return that of the same people, numbers, ways and options."""
    if values.people.n > FEW:
        return _make_frame(values, events, None, structure, *rest)
    ways = tuple(dict.fromkeys((e.drug, e.route, e.product, bool(e.duration_tick or e.rate)) for e in events))
    wanted = tuple(structure.items()) if isinstance(structure, Mapping) else structure
    place = ("frame", values.key, ways, wanted, *rest, tuple(values.structures.items()))
    kept = values.people.kept
    if place not in kept:
        kept[place] = None  # from the second run on: most models of many different people are needed once
        return _make_frame(values, events, {}, structure, *rest)
    if kept[place] is None:
        alone = values.apart()
        kept[place] = _make_frame(alone, events, {}, structure, *rest), alone
    frame, numbers = kept[place]
    values.take_over(numbers)
    found: _Frame = frame
    return found


def _make_frame(
    values: Values,
    events: Sequence[Event],
    kept: dict[Hashable, Any] | None,
    structure: str | Mapping[str, str] | None,
    receptors: tuple[str, ...],
    tone: bool,
    without: tuple[str, ...],
    adaptation: str | None,
) -> _Frame:
    said: list[str] = []
    routes = _routes(values, events, said)
    drugs = _species(values, routes)
    values.structures.update(_structures(values, drugs, structure))
    sites = {key: _site(values, drug) for key, drug in drugs.items()}
    mechanism = _mechanism(values, adaptation, receptors)
    inputs, ports = inputs_of(values, routes, events)
    dispositions = {key: disposition_of(drug) for key, drug in drugs.items()}
    spec = ModelSpec(
        species=tuple(
            Species(
                name=key,
                peripherals=d.peripherals,
                feeds=tuple(d.feeds),
                direct=_meeting(values, drugs[key]) == "plasma and store",
                saturable=d.saturable,
            )
            for key, d in dispositions.items()
        ),
        releasing=next((key for key, d in dispositions.items() if d.releases), None),
        inputs=inputs,
        receptors=_receptors(values, drugs, sites, receptors, tone, without),
        adaptation=None
        if mechanism is None
        else Adaptation(
            states=tuple(mechanism.states),
            receptors=tuple(mechanism.receptors),
            followers=tuple(mechanism.follower),
        ),
    )
    instead = {(key, part): name for (key, _), route in routes.items() for part, name in route.disposition.items()}
    parameters = parameters_of(values, spec, ports, instead, mechanism)
    return _Frame(
        spec=spec, parameters=parameters, ports=ports, drugs=drugs, mechanism=mechanism, said=tuple(said),
        kept=kept,
    )  # fmt: skip


def _routes(values: Values, events: Sequence[Event], said: list[str]) -> dict[tuple[str, str], Route]:
    """Every route used, by drug and key."""
    routes: dict[tuple[str, str], Route] = {}
    for event in events:
        if event.drug is None or event.route is None:
            continue
        drug = values.catalogue.drug(event.drug)
        if event.route not in drug.routes:
            offered = ", ".join(drug.routes) or "none: it is formed in the body"
            slow = [name for name in drug.routes if name.startswith(f"{event.route}_")]
            meant = f"Did you mean {' or '.join(slow)}, the slow form by that way? " if slow else ""
            raise InputError(
                f"{drug.name} was given by route {event.route!r}; the catalogue has {offered}. {meant}"
                "Choose one of these, or add the route to the catalogue."
            )
        route = drug.route(event.route, event.product)
        routes.setdefault((drug.key, route.key), route)
    for (key, name), route in routes.items():
        others = ", ".join(r for k, r in routes if k == key and r != name)
        if route.disposition and others:
            parts = ", ".join(route.disposition)
            said.append(f"{key}: {parts} measured with {name} serves the whole run, {others} too.")
    return routes


def _species(values: Values, routes: Mapping[tuple[str, str], Route]) -> dict[str, Drug]:
    """Every drug given, and all its metabolites."""
    delivered = {key: [d.species for b in route.branches for d in b.deliver] for key, route in routes.items()}
    given = (species for (key, _), some in delivered.items() for species in (key, *some))
    return {key: values.catalogue.drug(key) for key in formed(values.catalogue, given)}


def _structures(values: Values, drugs: Mapping[str, Drug], wanted: str | Mapping[str, str] | None) -> dict[str, str]:
    """Structure between plasma and receptor of each drug that has one."""
    catalogue = values.catalogue
    if isinstance(wanted, Mapping):
        given = {catalogue.drug(name).key: s for name, s in wanted.items()}
    else:
        given = {}
        if wanted is not None:
            having = [key for key, drug in drugs.items() if wanted in drug.structures]
            known = {s for drug in drugs.values() for s in drug.structures}
            if not having and known:
                raise UnknownNameError("structure", wanted, known)
            given = dict.fromkeys(having, wanted)
    found = {}
    for key, drug in drugs.items():
        source = catalogue.drug(drug.follows) if drug.follows else drug
        name = given.get(key) or given.get(source.key)
        if name is not None and name not in source.structures:
            raise UnknownNameError(f"structure of {source.name}", name, source.structures)
        default = source.default_structure
        name = name or (default.key if default else None)
        if name is not None:
            found[key] = name
    return found


def _site(values: Values, drug: Drug) -> Site:
    """Site at which the receptors of the brain see this drug."""
    return "plasma" if _meeting(values, drug) == "plasma" else "effect"


def _meeting(values: Values, drug: Drug) -> str:
    """Kind of site in the structure in use."""
    name = values.structures.get(drug.key)
    if name is None:
        return "effect" if disposition_of(drug).effect_site else "plasma"
    source = values.catalogue.drug(drug.follows) if drug.follows else drug
    return source.structures[name].site


def _mechanism(values: Values, mechanism: str | None, receptors: Sequence[str]) -> Mechanism | None:
    if mechanism is None:
        return None
    entry = values.catalogue.adaptation[mechanism]
    if missing := sorted(set(entry.receptors) - set(receptors)):
        raise InputError(
            f"Adaptation follows {', '.join(missing)}, which this run leaves out (receptors: "
            f"{', '.join(receptors)}). Add it, or switch adaptation off."
        )
    return entry


def _receptors(
    values: Values,
    drugs: Mapping[str, Drug],
    sites: Mapping[str, Site],
    names: Sequence[str],
    tone: bool,
    without: Sequence[str],
) -> tuple[Receptor, ...]:
    catalogue = values.catalogue
    unbound = {catalogue.drug(name).key for name in without}
    endogenous = catalogue.drugs[ENDOGENOUS] if tone else None
    found = []
    for name in names:
        gut = catalogue.receptors[name].site != "brain"
        ligands = tuple(
            Ligand(species=key, site="plasma" if gut else sites[key])
            for key, drug in drugs.items()
            if name in drug.binding and key not in unbound
        )
        found.append(
            Receptor(
                name=name,
                ligands=ligands,
                tone=(has_tone := endogenous is not None and name in endogenous.binding),
                released=has_tone and any(name in disposition_of(drug).releases for drug in drugs.values()),
            )
        )
    return tuple(found)
