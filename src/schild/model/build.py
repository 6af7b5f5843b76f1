"""From catalogue and events to a ModelSpec, its parameters for every subject, and the events that the engine reads.

This is where names meet numbers: which species a dose brings into the body, which structure lies between plasma and
receptor, what a salt is worth, how covariates and variability move a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Adaptation as Mechanism
from schild.catalog import Branch, ByDose, Catalogue, Covariate, Delivery, Disposition, Drug, Route
from schild.catalog.between import between_studies
from schild.errors import CatalogueError, InputError, UnknownNameError
from schild.evidence import Number
from schild.model.given import chosen, with_products
from schild.model.spec import ENDOGENOUS, Adaptation, Input, Ligand, ModelSpec, Receptor, Site, Species
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


#: A draw of standard normals for a named quantity, one per subject.
Draw = Callable[[str], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who takes the drugs.

    Parameters
    ----------
    n : int
        Number of people.
    covariates : mapping
        ``weight_kg``, ``age_years``, ``crcl_ml_min`` as arrays of shape (n,); ``liver``, ``sex``, ``dependent`` as
        arrays of text.
    between_subject, between_occasion, uncertainty : callable, optional
        Give standard normals of shape (n,) for a name; None leaves that kind of variation out. The same name always
        gives the same draws.
    """

    n: int
    covariates: Mapping[str, NDArray[np.float64] | NDArray[np.str_]]
    between_subject: Draw | None = None
    between_occasion: Draw | None = None
    uncertainty: Draw | None = None


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
    """A model ready to compile, with the record of every number it used.

    ``used`` maps drug and number to the catalogue's entry, for citations; ``scales`` are extra columns for the events;
    ``mechanism`` is the adaptation of the run, None without, and ``lagging`` its numbers for every subject.
    """

    spec: ModelSpec
    parameters: dict[str, float | Floats]
    scales: dict[str, float | Floats]
    entries: tuple[Entry, ...]
    starts: tuple[SteadyStart, ...]
    drugs: Mapping[str, Drug]
    structures: Mapping[str, str]
    used: Mapping[tuple[str, str], Number]
    sites: Mapping[str, Site]
    mechanism: Mechanism | None = None
    lagging: Mapping[str, float | Floats] = field(default_factory=dict)
    warnings: tuple[str, ...] = field(default=())


def build(
    catalogue: Catalogue,
    events: Sequence[Event],
    people: People,
    *,
    structure: str | Mapping[str, str] | None = None,
    receptors: Sequence[str] = RECEPTORS,
    tone: bool = True,
    without: Sequence[str] = (),
    overrides: Mapping[str, float] | None = None,
    adaptation: str | None = None,
) -> Built:
    """Build the model that a list of events needs.

    Parameters
    ----------
    catalogue : Catalogue
        Where the numbers stand.
    events : sequence of Event
        Expanded doses and resets.
    people : People
        Who takes them.
    structure : str or mapping of drug to str, optional
        Rival mechanism between plasma and receptor; one name is for every drug that has it. The catalogue's default
        otherwise.
    receptors : sequence of str
        Receptors to follow.
    tone : bool
        Whether the endogenous agonist competes.
    without : sequence of str
        Species that are carried but bind nothing (an ablation).
    overrides : mapping, optional
        Typical values that replace the catalogue's, by ``"drug.number"``: for calibration and sensitivity.
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
    builder = _Builder(catalogue, people, structure, receptors, tone, without, overrides or {})
    return builder.build(events, adaptation)


class _Builder:
    """One build; holds what the steps share."""

    def __init__(
        self,
        catalogue: Catalogue,
        people: People,
        structure: str | Mapping[str, str] | None,
        receptors: Sequence[str],
        tone: bool,
        without: Sequence[str],
        overrides: Mapping[str, float],
    ) -> None:
        self.catalogue, self.people = catalogue, people
        self.tone, self.overrides = tone, overrides
        self.without = {catalogue.drug(name).key for name in without}
        for name in receptors:
            if name not in catalogue.receptors:
                raise UnknownNameError("receptor", name, catalogue.receptors)
        self.receptors = tuple(receptors)
        self.wanted_structure = structure
        self.used: dict[tuple[str, str], Number] = {}
        self.values: dict[tuple[str, str], float | Floats] = {}
        self.scales: dict[str, float | Floats] = {}
        self.drugs: dict[str, Drug] = {}
        self.structures: dict[str, str] = {}
        self.warnings: list[str] = []
        self.said: set[tuple[str, str]] = set()
        #: Numbers of the disposition that a route in use replaces.
        self.instead: dict[tuple[str, str], str] = {}
        self.lagging: dict[str, float | Floats] = {}

    # ---- which drugs, which structures -------------------------------------------------------------------------

    def build(self, events: Sequence[Event], adaptation: str | None) -> Built:
        self.warnings += dict.fromkeys(chosen(self.catalogue, events))
        events = with_products(self.catalogue, events)
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
            structures=self.structures,
            used=self.used,
            sites={key: self._site(drug) for key, drug in self.drugs.items()},
            mechanism=None if adaptation is None else self.catalogue.adaptation[adaptation],
            lagging=self.lagging,
            warnings=tuple(self.warnings),
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
                raise InputError(
                    f"{drug.name} was given by route {event.route!r}; the catalogue has {offered}. "
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
                self.structures[key] = name

    def _site(self, drug: Drug) -> Site:
        """Where the brain's receptors meet this drug."""
        name = self.structures.get(drug.key)
        if name is None:
            return "effect" if _disposition(drug).effect_site else "plasma"
        source = self.catalogue.drug(drug.follows) if drug.follows else drug
        return "effect" if source.structures[name].site == "effect" else "plasma"

    # ---- numbers -----------------------------------------------------------------------------------------------

    def number(self, drug: Drug, name: str) -> Number:
        """Look a number up, in the version of the chosen structure, and note that it was used."""
        structure = self.structures.get(drug.key)
        try:
            found = drug.number(name, structure)
        except UnknownNameError:
            if drug.follows is None:
                raise
            # A metabolite that follows its parent takes the parent's structural numbers where it has none.
            return self.number(self.catalogue.drug(drug.follows), name)
        self.used[drug.key, found.name] = found
        return found

    def value(self, drug: Drug, name: str) -> float | Floats:
        """Value of a number for every subject: typical, uncertain, covariates, variability."""
        number = self.number(drug, name)
        key = (drug.key, number.name)
        if key not in self.values:
            self.values[key] = self._value(drug, name, number)
        return self.values[key]

    def _value(self, drug: Drug, name: str, number: Number) -> float | Floats:
        owner = drug if number.name in drug.numbers else self.catalogue.drug(drug.follows or drug.key)
        own = f"{owner.key}.{number.name}"
        label = self._origin(number) or own
        typical: float | Floats = self.overrides.get(own, self.overrides.get(label, number.value))
        value = typical
        if self.people.uncertainty is not None and (omega := self._uncertain(owner, number)):
            value = value * np.exp(omega * self.people.uncertainty(label))
        for covariate in owner.covariates:
            if covariate.on == name:
                value = self._covariate(owner, covariate, value)
        if self.people.between_subject is not None and number.between_subject is not None:
            value = value * np.exp(number.between_subject.omega * self._eta(owner, number.name, label))
        return value if typical is value else self._held(own, number, value)

    def _uncertain(self, drug: Drug, number: Number) -> float:
        """Uncertainty of a typical value: the catalogue's, or the spread between studies where that is larger.

        A copy is drawn with its origin, so it spreads as that does.
        """
        own = 0.0 if number.uncertainty is None else number.uncertainty.omega
        origin = self._origin(number)
        if origin is not None:
            key, _, name = origin.partition(".")
            if key == "alcohol":  # a table of sessions, which draws no part between studies
                first = self.catalogue.alcohol[name].uncertainty
                return own if first is None else max(own, first.omega)
            drug = self.catalogue.drug(key)
            number = drug.numbers[name]
        return max(own, between_studies(self.catalogue).omega(drug, number.name, number))

    def _held(self, own: str, number: Number, value: float | Floats, when: str = "") -> float | Floats:
        """Keep what people and draws made of a number within its bounds, and say so."""
        if number.bounds is None:
            return value
        held = np.clip(value, *number.bounds)
        if moved := int(np.count_nonzero(np.broadcast_to(held != value, (self.people.n,)))):
            drug, _, name = own.partition(".")
            if not when:
                self.warnings.append(
                    f"{drug}: {moved} of {self.people.n} people would have {name} outside "
                    f"{number.bounds[0]:g} to {number.bounds[1]:g}; it was held at the limit."
                )
            elif (own, when) not in self.said:
                self.said.add((own, when))
                self.warnings.append(
                    f"{drug}: {when} some people would have {name} outside "
                    f"{number.bounds[0]:g} to {number.bounds[1]:g}; it was held at the limit."
                )
        return np.asarray(held, dtype=np.float64)

    def _on(self, drug: Drug, name: str, occasion: int) -> float | Floats:
        """Value of a number at one occasion; 0 leaves the variation between occasions out."""
        value, number = self.value(drug, name), self.number(drug, name)
        draw, spread = self.people.between_occasion, number.between_occasion
        if not occasion or draw is None or spread is None:
            return value
        own = f"{drug.key}.{number.name}"
        moved = value * np.exp(spread.omega * draw(f"{self._origin(number) or own}@{occasion}"))
        return self._held(own, number, moved, "on some occasions")

    def _fraction(self, port: _Port, d: Delivery, occasion: int = 0) -> float | Floats:
        """Molar fraction of a dose that becomes a species: (of - less) x times."""
        drug = port.drug
        whole = self._on(drug, d.of, occasion)
        if d.less is not None:
            whole = whole - np.minimum(self._on(drug, d.less, occasion), whole)
        elif (limit := _limit(port.branch, d.of)) is not None:
            # What reaches the blood unchanged cannot exceed what was absorbed at all.
            whole = np.minimum(whole, self._on(drug, limit, occasion))
        if d.times is not None:
            whole = whole * self._on(drug, d.times, occasion) * self._evened(port.route, drug, d)
        return whole * self._room(port, occasion) if d is not port.branch.deliver[0] and d.less is None else whole

    def _room(self, port: _Port, occasion: int) -> float | Floats:
        """Factor that keeps what a branch delivers besides its first species within the rest of the dose."""
        beside = [d for d in port.branch.deliver[1:] if d.less is None]
        first = self._on(port.drug, port.branch.deliver[0].of, occasion)
        rest = sum(self._on(port.drug, d.of, occasion) for d in beside)
        return np.minimum(1.0, (1.0 - first) / rest)

    def _evened(self, route: Route, drug: Drug, d: Delivery) -> float | Floats:
        """Factor that keeps the sum of the shares of one dose what it is in the catalogue when shares are uncertain."""
        parts = [x for b in route.branches for x in b.deliver if x.species == d.species and x.of == d.of]
        names = dict.fromkeys(x.times for x in parts if x.times is not None)
        if len(names) < 2:
            return 1.0
        now = sum(self.value(drug, name) for name in names)
        typical = sum(self._common(drug, name) for name in names)
        return typical / now

    def _varies(self, drug: Drug, branch: Branch, d: Delivery) -> bool:
        """Whether a delivery differs from occasion to occasion, itself or by the room that the first one leaves."""
        if self.people.between_occasion is None:
            return False
        names = {d.of, d.less, d.times, branch.deliver[0].of if d.less is None else None} - {None}
        return any(self.number(drug, str(name)).between_occasion is not None for name in names)

    def _origin(self, number: Number) -> str | None:
        """Return the number that a copy follows, through copies of copies: same override, same draws."""
        label = None
        while number.same_as:
            drug, _, name = number.same_as.partition(":")
            label = f"{drug}.{name}"
            number = self.catalogue.alcohol[name] if drug == "alcohol" else self.catalogue.drugs[drug].numbers[name]
        return label

    def _eta(self, drug: Drug, name: str, label: str) -> Floats:
        """Between-subject draw of a number, correlated as the catalogue says."""
        draw = self.people.between_subject
        assert draw is not None  # the only caller has checked
        linked = [c for c in drug.correlations if name in (c.a, c.b)]
        if not linked:
            return draw(label)
        names = sorted({x for c in drug.correlations for x in (c.a, c.b)})
        matrix = np.eye(len(names))
        for c in drug.correlations:
            i, j = names.index(c.a), names.index(c.b)
            matrix[i, j] = matrix[j, i] = self.number(drug, c.rho).value
        try:
            root = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            raise CatalogueError(
                f"The correlations of {drug.key} do not form a valid matrix; expected one that is positive definite. "
                "Lower the correlations."
            ) from None
        weights = root[names.index(name)]
        return np.asarray(sum(w * draw(f"{drug.key}.{other}") for w, other in zip(weights, names, strict=True) if w))

    def _covariate(self, drug: Drug, covariate: Covariate, value: float | Floats) -> float | Floats:
        of, form = covariate.of, covariate.form
        have = self.people.covariates[of]
        if form == "factor":
            factor = np.ones(self.people.n)
            for level, name in covariate.factors.items():
                factor[np.asarray(have) == level] = self.number(drug, name).value
            return value * factor
        slope = self.number(drug, str(covariate.slope)).value
        reference = self.number(drug, str(covariate.reference)).value
        x = np.asarray(have, dtype=np.float64)
        if form == "power":
            return value * (x / reference) ** slope
        moved = np.asarray(value + slope * (x - reference))
        base = np.broadcast_to(np.asarray(value), moved.shape)
        if (low := moved < 0.1 * base).any():
            # A straight line must not cross zero: a tenth of the typical value is the floor, and it is said.
            self.warnings.append(
                f"{drug.key}: {int(low.sum())} of {self.people.n} people have a {of} so far from {reference:g} that "
                f"{covariate.on} would fall below a tenth of its typical value; it was held there."
            )
            moved = np.maximum(moved, 0.1 * base)
        return moved

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
                p[f"{species.name}.{name}"] = self.value(drug, self.instead.get((drug.key, name), name))
            if species.saturable:
                nmol_per_g = 1e9 / float(self.number(drug, str(drug.mw)).value)
                p[f"{species.name}.vmax"] = self.value(drug, "vmax") * nmol_per_g
                p[f"{species.name}.km"] = self.value(drug, "km") * nmol_per_g
            if species.name == spec.releasing:
                p["release.ke"] = self.value(drug, "release.rate")
                p["release.rho"] = self.value(drug, "release.gain")
                p["release.c50"] = self.value(drug, "release.c50") * nmol_per_g
                p["release.phi"] = self.value(drug, "release.rise") / nmol_per_g
            if species.name in effect:
                p[f"{species.name}.ke0"] = self.value(drug, "ke0")
            for target, name in _disposition(drug).feeds.items():
                p[f"{species.name}.feeds.{target}"] = self.value(drug, name)
        for name, port in ports.items():
            branch = port.branch
            if branch.rate is not None and branch.input in ("first_order", "transit"):
                p[f"{name}.rate"] = self.value(port.drug, branch.rate)
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
                    p[f"{label}.kd"] = self.value(drug, binding.kd)
                else:
                    factor = 1.0 if binding.factor is None else self.value(drug, binding.factor)
                    p[f"{label}.kd"] = self.value(drug, str(binding.ki)) * factor
                p[f"{label}.koff"] = self.value(drug, binding.koff)
            if receptor.tone:
                drug = self.catalogue.drugs[ENDOGENOUS]
                binding = drug.binding[receptor.name]
                p[f"{receptor.name}.{ENDOGENOUS}.e0"] = self.value(drug, str(binding.e0))
                p[f"{receptor.name}.{ENDOGENOUS}.koff"] = self.value(drug, str(binding.koff))
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
        for name, number in entry.numbers.items():
            self.lagging[name] = person_value(
                self.people, self.overrides, number, f"{mechanism}.{name}", self.catalogue.adaptation
            )
            self.used[mechanism, name] = number
        p: dict[str, float | Floats] = {"adaptation.bend": 1.0 if entry.drive == "response" else 0.0}
        for name, state in entry.states.items():
            for rate in ("gain_up", "gain_down", "loss_up", "loss_down"):
                p[f"adaptation.{name}.{rate}"] = 1.0 / self.lagging[getattr(state, rate)]
            p[f"adaptation.{name}.saturation"] = 1.0 if state.saturates else 0.0
        for receptor in spec.receptors:
            if receptor.name not in entry.receptors:
                continue
            share = self.lagging[entry.receptors[receptor.name]]
            for ligand in receptor.ligands:
                drug = self.drugs[ligand.species]
                named = drug.binding[receptor.name].efficacy
                efficacy = 0.0 if named is None else float(self.number(drug, named).value)
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
                lag += round(float(self._common(drug, branch.lag)) * TICKS_PER_HOUR)
            duration = event.duration_tick
            if branch.input == "zero_order":
                duration = round(float(self._common(drug, str(branch.duration))) * TICKS_PER_HOUR)
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

    def _common(self, drug: Drug, name: str) -> float:
        """A number that must be the same for all subjects (a lag or a duration sets times, and times are shared)."""
        number = self.number(drug, name)
        return self.overrides.get(f"{drug.key}.{number.name}", number.value)

    def _nmol(self, drug: Drug, route: Route, amount: Amount, basis: str | None) -> float:
        salt = basis or route.salt
        if salt == "base" or not salt:
            factor = 1.0
        else:
            if salt not in drug.salts:
                raise UnknownNameError(f"salt of {drug.name}", salt, ["base", *drug.salts])
            factor = float(self.number(drug, drug.salts[salt]).value)
        mw = float(self.number(drug, str(drug.mw)).value)
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
        exponent = self.value(drug, of.exponent)
        if np.any(np.asarray(exponent) <= -1.0):
            raise InputError(
                f"{drug.key}.{of.exponent} is {np.min(exponent):g}; expected above -1, or a larger dose would bring "
                "less. Correct it."
            )
        dose: float | Floats = self._nmol(drug, route, event.amount, event.basis)
        if event.amount.per_kg:
            dose = dose * np.asarray(self.people.covariates["weight_kg"], dtype=np.float64)
        reference = self._nmol(drug, route, Amount(1.0, "mg"), None) * self.value(drug, of.reference)
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
                value = np.asarray(self.people.covariates["weight_kg"], dtype=np.float64)
            if port.varies:
                value = value * self._fraction(port, port.deliver[0], event.occasion)
            if by_dose is not None:
                value = value * self._by_dose(event, port.route, by_dose, parts)
            self.scales[name] = value
        return name


def person_value(
    people: People, overrides: Mapping[str, float], number: Number, own: str, others: Mapping[str, Any]
) -> float | Floats:
    """Value of a number that belongs to no drug, for every person.

    Parameters
    ----------
    people : People
        Who.
    overrides : mapping
        Typical values by ``"owner.number"``.
    number : Number
        The catalogue's.
    own : str
        ``"owner.number"``; a copy follows its origin in overrides and draws.
    others : mapping
        Owners by key, each with ``numbers``: where copies come from.

    Returns
    -------
    float or ndarray, shape (n,)
        In the number's unit.
    """
    label, origin = own, number
    while origin.same_as:
        owner, _, name = origin.same_as.partition(":")
        label, origin = f"{owner}.{name}", others[owner].numbers[name]
    value: float | Floats = overrides.get(own, overrides.get(label, number.value))
    if people.uncertainty is not None and number.uncertainty is not None:
        value = value * np.exp(number.uncertainty.omega * people.uncertainty(label))
    if people.between_subject is not None and number.between_subject is not None:
        value = value * np.exp(number.between_subject.omega * people.between_subject(label))
    return value


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
