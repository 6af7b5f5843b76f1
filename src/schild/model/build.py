"""From catalogue and events to a ModelSpec, its parameters for every subject, and the events that the engine reads.

This is where names meet numbers: which species a dose brings into the body, which structure lies between plasma and
receptor, what a salt is worth, how covariates and variability move a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import lcm

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Adaptation as Mechanism
from schild.catalog import Branch, ByDose, Delivery, Disposition, Drug, Route
from schild.errors import CatalogueError, InputError, UnknownNameError
from schild.evidence import Number
from schild.model.given import chosen, with_products
from schild.model.spec import ENDOGENOUS, Adaptation, Input, Ligand, ModelSpec, Receptor, Site, Species
from schild.people import Values
from schild.pharmacology.effects import transducer_ratio
from schild.regimen import Event
from schild.units import TICKS_PER_HOUR, Amount, amount_nmol, format_ticks

Floats = NDArray[np.float64]

#: Receptors of a run unless it asks for others.
RECEPTORS = ("mor", "kor", "dor")

# Kinds of engine entries, in the order in which they act at one tick.
END, RESET, CLEAR, TRAIN, RECEPTORS_AT, ADD = range(6)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Port:
    """Where an input of the model comes from: some of the deliveries of a branch, and whether occasions vary them."""

    drug: Drug
    route: Route
    branch: Branch
    deliver: tuple[Delivery, ...]
    varies: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happens to the engine at one tick.

    ``amount`` is in nmol (or nmol/h for a prolonged input) times the column ``scale``; ``ages`` are the hours since
    the newest start and end of a steady-state train, ``interval`` its spacing [h], ``running`` its unfinished inputs.
    """

    tick: int
    kind: int
    order: int = 0
    port: str = ""
    amount: float = 0.0
    scale: str = "one"
    ages: tuple[float, float] = (0.0, -1.0)
    interval: float = 0.0
    running: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyStart:
    """Receptors that have to start on a periodic course at ``tick``: one period of ``period`` ticks of these events."""

    tick: int
    period: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A model ready to compile, with the values it was built from.

    ``scales`` are extra columns for the events; ``mechanism`` is the adaptation of the run, None without; ``said`` are
    warnings of the build itself.
    """

    spec: ModelSpec
    parameters: dict[str, float | Floats]
    scales: dict[str, float | Floats]
    entries: tuple[Entry, ...]
    starts: tuple[SteadyStart, ...]
    drugs: Mapping[str, Drug]
    values: Values
    sites: Mapping[str, Site]
    mechanism: Mechanism | None = None
    said: tuple[str, ...] = field(default=())

    @property
    def structures(self) -> Mapping[str, str]:
        """Structure between plasma and receptor, by drug."""
        return {key: name for key, name in self.values.structures.items() if key in self.drugs}

    def molar_mass(self, species: str) -> float:
        """Molar mass of a species as base. [g/mol]"""
        return self.values.typical(species, str(self.drugs[species].mw))

    @property
    def used(self) -> Mapping[tuple[str, str], Number]:
        """Numbers used so far, by owner and name."""
        return self.values.uses.numbers

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

    Parameters
    ----------
    values : Values
        The people's numbers; the structures that are chosen are noted there.
    events : sequence of Event
        Expanded doses and resets.
    structure : str or mapping of drug to str, optional
        Rival mechanism between plasma and receptor; one name is for every drug that has it. The catalogue's default
        otherwise.
    receptors : sequence of str
        Receptors to follow.
    tone : bool
        Whether the endogenous agonist competes.
    without : sequence of str
        Species that are carried but bind nothing (an ablation).
    adaptation : str, optional
        Mechanism of tolerance and dependence to carry along; none by default.

    Returns
    -------
    Built
        Structure, parameters and engine entries.

    Raises
    ------
    UnknownNameError
        For a drug, route, salt, receptor or structure that does not exist.
    InputError
        For a combination that has no meaning.
    """
    builder = _Builder(values, structure, receptors, tone, without)
    return builder.build(events, adaptation)


class _Builder:
    """One build; holds what the steps share."""

    def __init__(
        self,
        values: Values,
        structure: str | Mapping[str, str] | None,
        receptors: Sequence[str],
        tone: bool,
        without: Sequence[str],
    ) -> None:
        self.values, self.catalogue, self.tone = values, values.catalogue, tone
        catalogue = values.catalogue
        self.without = {catalogue.drug(name).key for name in without}
        for name in receptors:
            if name not in catalogue.receptors:
                raise UnknownNameError("receptor", name, catalogue.receptors)
        self.receptors = tuple(receptors)
        self.wanted_structure = structure
        self.scales: dict[str, float | Floats] = {}
        self.drugs: dict[str, Drug] = {}
        self.warnings: list[str] = []
        #: Numbers of the disposition that a route in use replaces.
        self.instead: dict[tuple[str, str], str] = {}

    # ---- which drugs, which structures -------------------------------------------------------------------------

    def build(self, events: Sequence[Event], adaptation: str | None) -> Built:
        self.warnings += dict.fromkeys(chosen(self.values, events))
        events = with_products(self.values, events)
        routes = self._collect(events)
        self._choose_structures()
        inputs, ports = self._inputs(routes, events)
        spec = ModelSpec(
            species=tuple(
                Species(
                    name=key,
                    peripherals=_disposition(drug).peripherals,
                    feeds=tuple(_disposition(drug).feeds),
                    saturable=_disposition(drug).saturable,
                )
                for key, drug in self.drugs.items()
            ),
            releasing=next((key for key, drug in self.drugs.items() if _disposition(drug).releases), None),
            inputs=inputs,
            receptors=self._receptors(),
            adaptation=self._lags(adaptation),
        )
        parameters = self._parameters(spec, ports) | self._lag_parameters(spec, adaptation)
        entries, starts = self._entries(events, ports)
        return Built(
            spec=spec,
            parameters=parameters,
            scales=self.scales,
            entries=entries,
            starts=starts,
            drugs=self.drugs,
            values=self.values,
            sites={key: self._site(drug) for key, drug in self.drugs.items()},
            mechanism=None if adaptation is None else self.catalogue.adaptation[adaptation],
            said=tuple(self.warnings),
        )

    def _collect(self, events: Sequence[Event]) -> dict[tuple[str, str], Route]:
        """Every drug given, every species it turns into, every route used."""
        routes: dict[tuple[str, str], Route] = {}
        waiting: list[str] = []
        for event in events:
            if event.drug is None or event.route is None:
                continue
            drug = self.catalogue.drug(event.drug)
            if event.route not in drug.routes:
                offered = ", ".join(drug.routes) or "none: it is formed in the body"
                slow = [name for name in drug.routes if name.startswith(f"{event.route}_")]
                meant = f"Did you mean {' or '.join(slow)}, the slow form by that way? " if slow else ""
                raise InputError(
                    f"{drug.name} was given by route {event.route!r}; the catalogue has {offered}. {meant}"
                    "Choose one of these, or add the route to the catalogue."
                )
            route = drug.route(event.route, event.product)
            if (drug.key, route.key) in routes:
                continue
            routes[drug.key, route.key] = route
            self.instead.update({(drug.key, part): name for part, name in route.disposition.items()})
            waiting += [drug.key, *(d.species for b in route.branches for d in b.deliver)]
        for (key, name), route in routes.items():
            others = ", ".join(r for k, r in routes if k == key and r != name)
            if route.disposition and others:
                parts = ", ".join(route.disposition)
                self.warnings.append(f"{key}: {parts} measured with {name} serves the whole run, {others} too.")
        while waiting:
            key = waiting.pop(0)
            if key in self.drugs:
                continue
            drug = self.drugs[key] = self.catalogue.drug(key)
            waiting += list(_disposition(drug).feeds)
        return routes

    def _choose_structures(self) -> None:
        wanted = self.wanted_structure
        if isinstance(wanted, Mapping):
            given = {self.catalogue.drug(name).key: s for name, s in wanted.items()}
        else:
            given = {}
            if wanted is not None:
                having = [key for key, drug in self.drugs.items() if wanted in drug.structures]
                known = {s for drug in self.drugs.values() for s in drug.structures}
                if not having and known:
                    raise UnknownNameError("structure", wanted, known)
                given = dict.fromkeys(having, wanted)
        for key, drug in self.drugs.items():
            source = self.catalogue.drug(drug.follows) if drug.follows else drug
            name = given.get(key) or given.get(source.key)
            if name is not None and name not in source.structures:
                raise UnknownNameError(f"structure of {source.name}", name, source.structures)
            default = source.default_structure
            name = name or (default.key if default else None)
            if name is not None:
                self.values.structures[key] = name

    def _site(self, drug: Drug) -> Site:
        """Where the brain's receptors meet this drug."""
        name = self.values.structures.get(drug.key)
        if name is None:
            return "effect" if _disposition(drug).effect_site else "plasma"
        source = self.catalogue.drug(drug.follows) if drug.follows else drug
        return "effect" if source.structures[name].site == "effect" else "plasma"

    # ---- fractions -----------------------------------------------------------------------------------------------

    def _fraction(self, port: _Port, d: Delivery, occasion: int = 0) -> float | Floats:
        """Molar fraction of a dose that becomes a species: (of - less) x times."""
        drug = port.drug
        whole = self.values.on_occasion(drug.key, d.of, occasion)
        if d.less is not None:
            whole = whole - np.minimum(self.values.on_occasion(drug.key, d.less, occasion), whole)
        elif (limit := _limit(port.branch, d.of)) is not None:
            # What reaches the blood unchanged cannot exceed what was absorbed at all.
            whole = np.minimum(whole, self.values.on_occasion(drug.key, limit, occasion))
        if d.times is not None:
            whole = whole * self.values.on_occasion(drug.key, d.times, occasion) * self._evened(port.route, drug, d)
        return whole * self._room(port, occasion) if d is not port.branch.deliver[0] and d.less is None else whole

    def _room(self, port: _Port, occasion: int) -> float | Floats:
        """Factor that keeps what a branch delivers besides its first species within the rest of the dose."""
        beside = [d for d in port.branch.deliver[1:] if d.less is None]
        first = self.values.on_occasion(port.drug.key, port.branch.deliver[0].of, occasion)
        rest = sum(self.values.on_occasion(port.drug.key, d.of, occasion) for d in beside)
        return np.minimum(1.0, (1.0 - first) / rest)

    def _evened(self, route: Route, drug: Drug, d: Delivery) -> float | Floats:
        """Factor that keeps the sum of the shares of one dose what it is in the catalogue when shares are uncertain."""
        parts = [x for b in route.branches for x in b.deliver if x.species == d.species and x.of == d.of]
        names = dict.fromkeys(x.times for x in parts if x.times is not None)
        if len(names) < 2:
            return 1.0
        now = sum(self.values.of(drug.key, name) for name in names)
        typical = sum(self.values.typical(drug.key, name) for name in names)
        return typical / now

    def _varies(self, drug: Drug, branch: Branch, d: Delivery) -> bool:
        """Whether a delivery differs from occasion to occasion, itself or by the room that the first one leaves."""
        if self.values.people.between_occasion is None:
            return False
        names = {d.of, d.less, d.times, branch.deliver[0].of if d.less is None else None} - {None}
        return any(self.values.number(drug.key, str(name)).between_occasion is not None for name in names)

    # ---- inputs and receptors ----------------------------------------------------------------------------------

    def _inputs(
        self, routes: Mapping[tuple[str, str], Route], events: Sequence[Event]
    ) -> tuple[tuple[Input, ...], dict[str, _Port]]:
        """Inputs of the model; a branch that some event prolongs gets a second, prolonged input."""
        plain: set[tuple[str, str]] = set()
        infused: set[tuple[str, str]] = set()
        for event in events:
            if event.drug is not None and event.route is not None:
                drug = self.catalogue.drug(event.drug)
                given = (drug.key, drug.route(event.route, event.product).key)
                (infused if event.duration_tick or event.rate else plain).add(given)
        inputs: list[Input] = []
        ports: dict[str, _Port] = {}
        for (key, name), route in routes.items():
            drug = self.drugs[key]
            for k, branch in enumerate(route.branches):
                if (key, name) in infused and branch.input == "zero_order":
                    raise InputError(
                        f"{drug.name} by {name} already enters at a constant rate of its own; a duration or rate "
                        "has no meaning there. Leave it out."
                    )
                stages = {"bolus": 0, "zero_order": 0, "first_order": 1, "transit": branch.stages}[branch.input]
                for suffix, wanted in (("", plain), (".infusion", infused)):
                    if (key, name) not in wanted:
                        continue
                    for label, deliver, varies in self._parts(_port(key, name, k) + suffix, drug, branch):
                        ports[label] = _Port(drug=drug, route=route, branch=branch, deliver=deliver, varies=varies)
                        inputs.append(
                            Input(
                                name=label,
                                stages=stages,
                                prolonged=bool(suffix) or branch.input == "zero_order",
                                delivers=tuple(d.species for d in deliver),
                            )
                        )
        return tuple(inputs), ports

    def _parts(self, label: str, drug: Drug, branch: Branch) -> list[tuple[str, tuple[Delivery, ...], bool]]:
        """Inputs that a branch needs: one, or one for each delivery where these vary apart between occasions."""
        vary = [self._varies(drug, branch, d) for d in branch.deliver]
        if len(branch.deliver) == 1 or not any(vary):
            return [(label, tuple(branch.deliver), vary[0])]
        return [(f"{label}.{d.species}", (d,), v) for d, v in zip(branch.deliver, vary, strict=True)]

    def _receptors(self) -> tuple[Receptor, ...]:
        endogenous = self.catalogue.drugs[ENDOGENOUS] if self.tone else None
        found = []
        for name in self.receptors:
            gut = self.catalogue.receptors[name].site != "brain"
            ligands = tuple(
                Ligand(species=key, site="plasma" if gut else self._site(drug))
                for key, drug in self.drugs.items()
                if name in drug.binding and key not in self.without
            )
            found.append(
                Receptor(
                    name=name,
                    ligands=ligands,
                    tone=(tone := endogenous is not None and name in endogenous.binding),
                    released=tone and any(name in _disposition(drug).releases for drug in self.drugs.values()),
                )
            )
        return tuple(found)

    def _parameters(self, spec: ModelSpec, ports: Mapping[str, _Port]) -> dict[str, float | Floats]:
        p: dict[str, float | Floats] = {}
        effect = spec.effect_species()
        for species in spec.species:
            drug = self.drugs[species.name]
            names = ["vc", "cl", "fu", "q", "vp", "q2", "vp2"][: 3 + 2 * species.peripherals]
            for name in names:
                p[f"{species.name}.{name}"] = self.values.of(drug.key, self.instead.get((drug.key, name), name))
            if species.saturable:
                nmol_per_g = 1e9 / self.values.typical(drug.key, str(drug.mw))
                p[f"{species.name}.vmax"] = self.values.of(drug.key, "vmax") * nmol_per_g
                p[f"{species.name}.km"] = self.values.of(drug.key, "km") * nmol_per_g
            if species.name == spec.releasing:
                p["release.ke"] = self.values.of(drug.key, "release.rate")
                p["release.rho"] = self.values.of(drug.key, "release.gain")
                p["release.c50"] = self.values.of(drug.key, "release.c50") * nmol_per_g
                # Who releases more at a level of alcohol releases more while it rises, too.
                gain = self.values.between(drug.key, "release.gain")
                p["release.phi"] = self.values.of(drug.key, "release.rise") * gain / nmol_per_g
            if species.name in effect:
                p[f"{species.name}.ke0"] = self.values.of(drug.key, "ke0")
            for target, name in _disposition(drug).feeds.items():
                p[f"{species.name}.feeds.{target}"] = self.values.of(drug.key, name)
        for name, port in ports.items():
            branch = port.branch
            if branch.rate is not None and branch.input in ("first_order", "transit"):
                p[f"{name}.rate"] = self.values.of(port.drug.key, branch.rate)
            for d in port.deliver:
                # Where occasions vary it, the dose carries the whole fraction of its occasion; see `_scale`.
                p[f"{name}.fraction.{d.species}"] = 1.0 if port.varies else self._fraction(port, d)
        for receptor in spec.receptors:
            for ligand in receptor.ligands:
                drug = self.drugs[ligand.species]
                binding = drug.binding[receptor.name]
                label = f"{receptor.name}.{ligand.species}"
                if binding.koff is None or (binding.kd is None and binding.ki is None):
                    raise CatalogueError(f"drugs/{drug.key}.toml: binding.{receptor.name} needs kd (or ki) and koff.")
                if binding.kd is not None:
                    p[f"{label}.kd"] = self.values.of(drug.key, binding.kd)
                else:
                    factor = 1.0 if binding.factor is None else self.values.of(drug.key, binding.factor)
                    p[f"{label}.kd"] = self.values.of(drug.key, str(binding.ki)) * factor
                p[f"{label}.koff"] = self.values.of(drug.key, binding.koff)
            if receptor.tone:
                drug = self.catalogue.drugs[ENDOGENOUS]
                binding = drug.binding[receptor.name]
                p[f"{receptor.name}.{ENDOGENOUS}.e0"] = self.values.of(drug.key, str(binding.e0))
                p[f"{receptor.name}.{ENDOGENOUS}.koff"] = self.values.of(drug.key, str(binding.koff))
        return p

    # ---- adaptation --------------------------------------------------------------------------------------------

    def _lags(self, mechanism: str | None) -> Adaptation | None:
        if mechanism is None:
            return None
        if mechanism not in self.catalogue.adaptation:
            raise UnknownNameError("mechanism of adaptation", mechanism, self.catalogue.adaptation)
        entry = self.catalogue.adaptation[mechanism]
        if missing := sorted(set(entry.receptors) - set(self.receptors)):
            raise InputError(
                f"Adaptation follows {', '.join(missing)}, which this run leaves out (receptors: "
                f"{', '.join(self.receptors)}). Add it, or switch adaptation off."
            )
        return Adaptation(states=tuple(entry.states), receptors=tuple(entry.receptors))

    def _lag_parameters(self, spec: ModelSpec, mechanism: str | None) -> dict[str, float | Floats]:
        if mechanism is None:
            return {}
        entry = self.catalogue.adaptation[mechanism]
        p: dict[str, float | Floats] = {"adaptation.bend": 1.0 if entry.drive == "response" else 0.0}
        for name, state in entry.states.items():
            for rate in ("gain_up", "gain_down", "loss_up", "loss_down"):
                p[f"adaptation.{name}.{rate}"] = 1.0 / self.values.of(mechanism, getattr(state, rate))
            p[f"adaptation.{name}.saturation"] = 1.0 if state.saturates else 0.0
        for receptor in spec.receptors:
            if receptor.name not in entry.receptors:
                continue
            share = self.values.of(mechanism, entry.receptors[receptor.name])
            for ligand in receptor.ligands:
                efficacy = self.values.efficacy(receptor.name, ligand.species)
                label = f"{receptor.name}.{ligand.species}.drive"
                if entry.drive == "response":
                    p[label] = share * transducer_ratio(1.0, efficacy)
                else:
                    p[label] = share * efficacy
        return p

    # ---- events ------------------------------------------------------------------------------------------------

    def _entries(
        self, events: Sequence[Event], ports: Mapping[str, _Port]
    ) -> tuple[tuple[Entry, ...], tuple[SteadyStart, ...]]:
        made: list[Entry] = []
        starts: list[SteadyStart] = []
        first = events[0].tick if events else 0
        steady: dict[int, list[Event]] = {}
        for event in events:
            if event.clears:
                # Everything still on its way from earlier records is cancelled, infusion ends included.
                made = [e for e in made if e.tick < event.tick or e.kind == RESET]
                made.append(Entry(tick=event.tick, kind=RESET, order=event.order))
                steady.pop(event.tick, None)
            if event.evid == 5:
                made = [e for e in made if e.tick < event.tick]
                made.append(Entry(tick=event.tick, kind=CLEAR, order=event.order))
            if event.drug is None:
                continue
            if event.ss and event.past is None:
                steady.setdefault(event.tick, []).append(event)
            made += self._dose(event, ports)
        for tick, group in sorted(steady.items()):
            if tick == first or any(e.ss == 1 for e in group):
                periods = [e.ii_tick for e in group if e.ii_tick] or [24 * TICKS_PER_HOUR]
                period = lcm(*periods)
                if period > 400 * 24 * TICKS_PER_HOUR or sum(period // p for p in periods) > 10_000:
                    said = ", ".join(format_ticks(p) for p in periods)
                    raise InputError(
                        f"Steady states that begin together have intervals {said}, which meet only every "
                        f"{format_ticks(period)}; expected intervals with a common multiple. Round the intervals."
                    )
                made.append(Entry(tick=tick, kind=RECEPTORS_AT, port=str(len(starts))))
                starts.append(SteadyStart(tick=tick, period=period, events=tuple(group)))
        made.sort(key=lambda e: (e.tick, e.kind, e.order))
        return tuple(made), tuple(starts)

    def _dose(self, event: Event, ports: Mapping[str, _Port]) -> list[Entry]:
        drug = self.drugs[self.catalogue.drug(str(event.drug)).key]
        route = drug.route(str(event.route), event.product)
        prolonged = bool(event.duration_tick or event.rate)
        if event.ss and _disposition(drug).saturable:
            raise InputError(
                f"A steady state of {drug.name} was asked for; its elimination saturates, so there is none in closed "
                "form. Begin the doses earlier instead, such as 'from -7 d'."
            )
        entries: list[Entry] = []
        labels = [
            (label, branch)
            for k, branch in enumerate(route.branches)
            for label, _, _ in self._parts(
                _port(drug.key, route.key, k) + (".infusion" if prolonged else ""), drug, branch
            )
        ]
        for port, branch in labels:
            lag = event.lag_tick
            if branch.lag is not None:
                lag += round(self.values.typical(drug.key, branch.lag) * TICKS_PER_HOUR)
            duration = event.duration_tick
            if branch.input == "zero_order":
                duration = round(self.values.typical(drug.key, str(branch.duration)) * TICKS_PER_HOUR)
            scale = self._scale(event, port, [ports[label] for label, _ in labels], ports[port])
            if event.rate is not None:  # a constant infusion that has run for ever and stops now
                amount = self._nmol(drug, route, event.rate.over(TICKS_PER_HOUR), event.basis) * event.f
                constant = Entry(tick=event.tick, kind=TRAIN, order=event.order, port=port, amount=amount, scale=scale,
                                 interval=0.0, running=1)  # fmt: skip
                entries += [
                    constant,
                    Entry(tick=event.tick, kind=ADD, order=event.order, port=port, amount=-amount, scale=scale),
                ]
                continue
            assert event.amount is not None  # every other dose has one
            amount = self._nmol(drug, route, event.amount, event.basis) * event.f
            if duration:
                amount *= TICKS_PER_HOUR / duration
            if event.past is not None:
                # So many earlier doses and no more: an endless train less one that ended before the first of them.
                since = lag + event.ii_tick - event.ago_tick
                entries += _train(event, port, amount, scale, since, duration)
                entries += _train(event, port, -amount, scale, since - event.past * event.ii_tick, duration)
            elif event.ss:
                entries += _train(event, port, amount, scale, lag, duration)
            if event.evid == 2:
                continue
            start = event.tick + lag
            entries.append(Entry(tick=start, kind=ADD, order=event.order, port=port, amount=amount, scale=scale))
            if duration:
                entries.append(
                    Entry(
                        tick=start + duration,
                        kind=END,
                        order=event.order,
                        port=port,
                        amount=-amount,
                        scale=scale,
                    )
                )
        return entries

    def _nmol(self, drug: Drug, route: Route, amount: Amount, basis: str | None) -> float:
        salt = basis or route.salt
        if salt == "base" or not salt:
            factor = 1.0
        else:
            if salt not in drug.salts:
                raise UnknownNameError(f"salt of {drug.name}", salt, ["base", *drug.salts])
            factor = self.values.typical(drug.key, drug.salts[salt])
        mw = self.values.typical(drug.key, str(drug.mw))
        # Per-kilogram amounts are scaled by the subject's own weight: a column, see `_scale`.
        return amount_nmol(amount.scaled(1.0), mw, factor)

    def _by_dose(self, event: Event, route: Route, of: ByDose, parts: Sequence[_Port]) -> float | Floats:
        """Factor on the share of this dose that arrives; ``parts`` are all inputs of the dose."""
        drug = parts[0].drug
        if event.amount is None:
            raise InputError(
                f"{drug.name} by {route.key} at a constant rate since ever was given; the share that is absorbed "
                "depends on the dose, and an endless infusion has none. Write doses with an interval and ss."
            )
        exponent = self.values.of(drug.key, of.exponent)
        if np.any(np.asarray(exponent) <= -1.0):
            raise InputError(
                f"{drug.key}.{of.exponent} is {np.min(exponent):g}; expected above -1, or a larger dose would bring "
                "less. Correct it."
            )
        dose: float | Floats = self._nmol(drug, route, event.amount, event.basis)
        if event.amount.per_kg:
            dose = dose * self.values.covariate("weight_kg")
        reference = self._nmol(drug, route, Amount(1.0, "mg"), None) * self.values.of(drug.key, of.reference)
        factor = (dose / reference) ** exponent
        whole = sum(self._fraction(port, d, event.occasion) for port in parts for d in port.deliver)
        if np.any(np.asarray(factor * whole) > 1.0):
            self._say_once(f"{drug.key}: of {event.amount} {route.key} no more than the whole can be absorbed.")
            factor = np.minimum(factor, 1.0 / np.maximum(whole, 1e-300))
        return factor

    def _say_once(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)

    def _scale(self, event: Event, label: str, parts: Sequence[_Port], port: _Port) -> str:
        """Column that multiplies this dose: body weight for an amount per kilogram, the fraction of its occasion.

        And, where the share absorbed depends on the dose, the factor of this dose; ``parts`` are all its inputs.
        """
        per_kg = (event.amount is not None and event.amount.per_kg) or (
            event.rate is not None and event.rate.unit.endswith("/kg")
        )
        by_dose = port.route.by_dose
        of_dose = "" if by_dose is None else f"{port.drug.key}.{port.route.key}({event.amount} {event.basis or ''})"
        if of_dose and any(part.varies for part in parts):
            of_dose += f"@{event.occasion}"
        name = "*".join(
            x for x in ("weight" if per_kg else "", of_dose, f"{label}@{event.occasion}" if port.varies else "") if x
        )
        if not name:
            return "one"
        if name not in self.scales:
            value: float | Floats = 1.0
            if per_kg:
                value = self.values.covariate("weight_kg")
            if port.varies:
                value = value * self._fraction(port, port.deliver[0], event.occasion)
            if by_dose is not None:
                value = value * self._by_dose(event, port.route, by_dose, parts)
            self.scales[name] = value
        return name


def _train(event: Event, port: str, amount: float, scale: str, lag: int, duration: int) -> list[Entry]:
    """Everything that equal doses before this one, every ``ii`` for ever, have left or have still to come.

    Doses number n = 1, 2, ... came ``n ii`` before the event and enter ``lag`` later. Those that have entered form a
    geometric sum; those that have not (a lag longer than the interval) are entries of the future.
    """
    ii = event.ii_tick
    entries: list[Entry] = []
    waiting = 0
    # Future starts: lag - n ii > 0. At exactly zero it enters now and counts as entered, with age zero.
    while (start := lag - (waiting + 1) * ii) > 0:
        waiting += 1
        entries.append(
            Entry(tick=event.tick + start, kind=ADD, order=event.order, port=port, amount=amount, scale=scale)
        )
        if duration:
            entries.append(
                Entry(
                    tick=event.tick + start + duration,
                    kind=END,
                    order=event.order,
                    port=port,
                    amount=-amount,
                    scale=scale,
                )
            )
    age = (waiting + 1) * ii - lag
    if not duration:
        entries.append(
            Entry(tick=event.tick, kind=TRAIN, order=event.order, port=port, amount=amount, scale=scale,
                  ages=(age / TICKS_PER_HOUR, -1.0), interval=ii / TICKS_PER_HOUR)
        )  # fmt: skip
        return entries
    running = 0
    while (end := duration - age - running * ii) > 0:  # inputs that have begun and not ended
        running += 1
        entries.append(
            Entry(tick=event.tick + end, kind=END, order=event.order, port=port, amount=-amount, scale=scale)
        )
    age_off = age + running * ii - duration
    entries.append(
        Entry(tick=event.tick, kind=TRAIN, order=event.order, port=port, amount=amount, scale=scale,
              ages=(age / TICKS_PER_HOUR, age_off / TICKS_PER_HOUR), interval=ii / TICKS_PER_HOUR, running=running)
    )  # fmt: skip
    return entries


def _port(drug: str, route: str, branch: int) -> str:
    return f"{drug}.{route}.{branch + 1}"


def _disposition(drug: Drug) -> Disposition:
    if drug.disposition is None:
        raise InputError(f"{drug.name} cannot be given: the catalogue has no kinetics for it. Choose another drug.")
    return drug.disposition


def _limit(branch: Branch, name: str) -> str | None:
    """Return the number that bounds ``name`` because another delivery of the branch is what is left of it."""
    return next((d.of for d in branch.deliver if d.less == name), None)
