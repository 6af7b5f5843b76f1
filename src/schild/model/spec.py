"""Structural definition of a model: species in the body, inputs, and receptors.

A ``ModelSpec`` holds structure and parameter *names*; ``Parameters`` maps the names to numbers, one per model or one
per subject. The compiled kernel (``arrays``), SBML (``sbml``) and the plain right-hand side of the tests are three
implementations of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schild.errors import SchildError

#: Values by parameter name: one float for every subject, or an array with one value per subject.
Parameters = Mapping[str, float | NDArray[np.float64]]

#: Name of the lumped endogenous agonist in ligand and output names.
ENDOGENOUS = "endogenous"

Site = Literal["plasma", "effect"]

#: ``(time_h, input, amount_nmol, duration_h)``; duration 0 is a bolus; input ``"reset"`` empties the body.
PlainDose = tuple[float, str, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Species:
    """A substance in the body: a mammillary disposition and the metabolites it feeds."""

    #: Catalogue key. Its parameters are ``<name>.vc`` [L], ``.cl`` [L/h], ``.q``, ``.q2`` [L/h], ``.vp``, ``.vp2`` [L]
    #: for as many peripheral compartments as there are, ``.fu`` [1], and ``.ke0`` [1/h] where a ligand uses the effect
    #: site.
    name: str
    peripherals: int = 0  #: Number of peripheral compartments, 0 to 2
    #: Species formed from this one; ``<name>.feeds.<other>`` is the molar fraction of the clearance [1]
    feeds: tuple[str, ...] = ()
    #: Whether the effect site is in part plasma itself: its concentration is ``<name>.direct`` [1] times the unbound
    #: plasma concentration plus the rest of the delayed one, a site of fast exchange beside a slow store.
    direct: bool = False
    #: Whether elimination saturates as well: ``<name>.vmax`` [nmol/h] and ``<name>.km`` [nM] beside the clearance. Such
    #: a species has at most one peripheral compartment, feeds nothing and binds nothing; a model has at most one.
    saturable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """An input through which doses enter the body."""

    name: str  #: Its parameters are ``<name>.rate`` [1/h] if it has stages, and ``<name>.fraction.<species>`` [1]
    stages: int = 0  #: 0 enters at once; 1 is a first-order depot; n a chain of n equal stages (a gamma-shaped pulse)
    prolonged: bool = False  #: Whether the dose enters the first stage at a constant rate over the event's duration
    delivers: tuple[str, ...]  #: Species that appear; a molar fraction of the dose for each


@dataclass(frozen=True, slots=True, kw_only=True)
class Ligand:
    """A species as a receptor sees it: unbound in plasma, or at the effect site."""

    species: str
    site: Site = "effect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receptor:
    """One receptor pool and the ligands that compete for it.

    ``<receptor>.<species>.kd`` [nM] and ``.koff`` [1/h] are the parameters of each ligand. With ``tone`` an endogenous
    agonist of load ``<receptor>.endogenous.e0`` (concentration over Kd) [1] and ``.koff`` competes as well; it is
    constant, or with ``released`` multiplied by the model's release.
    """

    name: str
    ligands: tuple[Ligand, ...]
    tone: bool = False
    released: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptation:
    """States that follow the action of drugs at some receptors with a delay (docs/design/adaptation.md).

    With ``S`` the sum of ``<receptor>.<species>.drive`` [1] times occupancy over all ligands of ``receptors``, and
    ``s = S / (1 + bend S)`` with ``adaptation.bend`` [1], each state obeys ``a' = gain s (1 - saturation a) - loss a``.
    ``adaptation.<state>.gain_up``, ``.loss_up`` [1/h] hold while ``s > a``, ``.gain_down`` and ``.loss_down`` while
    not; ``.saturation`` [1].

    States in ``followers`` follow in the same way what of adaptation is not opposed, which is withdrawal,
    ``max(0, sum of <state>.weight a - s - tone o)``: ``adaptation.<state>.weight`` and ``adaptation.tone`` [1] weigh
    the states and the occupancy ``o`` by the endogenous agonist of the first of ``receptors``.
    """

    states: tuple[str, ...]
    receptors: tuple[str, ...] = ("mor",)
    followers: tuple[str, ...] = ()

    @property
    def lags(self) -> tuple[str, ...]:
        """Names of all states, in the order in which the kernel has them."""
        return (*self.states, *self.followers)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """Structure of a model: compartments, flows, receptors and entries, without numbers.

    With ``releasing``, endogenous release ``E`` (1 at rest) follows the concentration ``C`` of that species and its
    rise, ``E' = ke (1 + rho C / (C + c50) + phi max(0, C') - E)``, with ``release.ke``, ``.rho``, ``.c50``, ``.phi``.

    >>> spec = ModelSpec(
    ...     species=(Species(name="drug", peripherals=1),),
    ...     inputs=(Input(name="drug.oral", stages=1, delivers=("drug",)),),
    ...     receptors=(Receptor(name="mor", ligands=(Ligand(species="drug", site="plasma"),)),),
    ... )
    >>> parameter_names(spec)[:4]
    ('drug.vc', 'drug.cl', 'drug.fu', 'drug.q')
    """

    species: tuple[Species, ...]
    inputs: tuple[Input, ...]
    receptors: tuple[Receptor, ...] = ()
    adaptation: Adaptation | None = None
    releasing: str | None = None

    def __post_init__(self) -> None:
        names = [s.name for s in self.species]
        if len(set(names)) != len(names):
            raise SchildError(f"A model names each species once; got {names}.")
        known = set(names)
        used = {t for s in self.species for t in s.feeds} | {t for i in self.inputs for t in i.delivers}
        used |= {x.species for r in self.receptors for x in r.ligands}
        if missing := sorted(used - known):
            raise SchildError(f"The model uses species it does not define: {', '.join(missing)}.")
        followed = set(self.adaptation.receptors if self.adaptation else ())
        if missing := sorted(followed - {r.name for r in self.receptors}):
            raise SchildError(f"Adaptation follows receptors that the model lacks: {', '.join(missing)}.")
        saturable = [s for s in self.species if s.saturable]
        bound = {x.species for r in self.receptors for x in r.ligands}
        if len(saturable) > 1 or any(s.peripherals > 1 or s.feeds or s.name in bound for s in saturable):
            raise SchildError(
                "A model has at most one species with saturable elimination, with at most one peripheral compartment; "
                "it feeds nothing and binds nothing."
            )
        if self.releasing is not None and [s.name for s in saturable] != [self.releasing]:
            raise SchildError(f"Release follows the saturable species; {self.releasing!r} is not one.")
        if self.releasing is None and any(r.released for r in self.receptors):
            raise SchildError("A receptor has a released tone, and nothing releases it. Name the releasing species.")
        for s in self.species:
            if s.name in self.downstream(s.name)[1:]:
                raise SchildError(f"{s.name} is formed from itself; expected chains of metabolites without a circle.")

    def find(self, name: str) -> Species:
        """Return the species of that name."""
        return next(s for s in self.species if s.name == name)

    def downstream(self, name: str) -> list[str]:
        """Return the species and everything formed from it, each once, parents first."""
        found = [name]
        for at in found:
            if len(found) > 10 * len(self.species):
                break
            found.extend(t for t in self.find(at).feeds if t not in found or t == name)
        return found

    def for_signals(self, names: Collection[str]) -> ModelSpec:
        """Leave out receptors and adaptation that the given signals do not need; kinetics stay.

        >>> spec = ModelSpec(
        ...     species=(Species(name="drug"),),
        ...     inputs=(Input(name="drug.iv", delivers=("drug",)),),
        ...     receptors=(Receptor(name="mor", ligands=(Ligand(species="drug"),)),),
        ... )
        >>> spec.for_signals(["plasma_drug"]).receptors, len(spec.for_signals(["mor_free"]).receptors)
        ((), 1)
        """
        adaptation = self.adaptation if any(name.startswith("adaptation_") for name in names) else None
        followed = adaptation.receptors if adaptation else ()

        def read(r: Receptor) -> bool:
            sites = {f"effect_{x.species}" for x in r.ligands if x.site == "effect"}
            own = any(name == f"{r.name}_free" or name.startswith(f"{r.name}_occupancy_") for name in names)
            return own or r.name in followed or bool(sites & set(names)) or (r.tone and "tone" in names)

        receptors = tuple(r for r in self.receptors if read(r))
        releases = "release" in names or any(r.released for r in receptors)
        return replace(self, receptors=receptors, adaptation=adaptation, releasing=self.releasing if releases else None)

    def for_levels(self, names: Collection[str]) -> ModelSpec:
        """Leave out, in a model without receptors, metabolites of the species that the given signals show.

        Species that a signal shows stay, and so do other drugs, because their doses end steps. A model with saturable
        elimination stays whole.

        >>> spec = ModelSpec(
        ...     species=(Species(name="drug", feeds=("metabolite",)), Species(name="metabolite")),
        ...     inputs=(Input(name="drug.oral", stages=1, delivers=("drug", "metabolite")),),
        ... )
        >>> one = spec.for_levels(["plasma_drug"])
        >>> [s.name for s in one.species], one.species[0].feeds, one.inputs[0].delivers
        (['drug'], (), ('drug',))
        >>> len(spec.for_levels(["plasma_metabolite"]).species)
        2
        """
        shown = {name.partition("_")[2] for name in names}
        wanted = {s.name for s in self.species if shown & set(self.downstream(s.name))}
        kept = {s.name for s in self.species} - ({t for name in wanted for t in self.downstream(name)} - wanted)
        if self.receptors or any(s.saturable for s in self.species):
            return self
        species = tuple(
            replace(s, feeds=tuple(t for t in s.feeds if t in kept)) for s in self.species if s.name in kept
        )
        ways = (replace(i, delivers=tuple(t for t in i.delivers if t in kept)) for i in self.inputs)
        return replace(self, species=species, inputs=tuple(i for i in ways if i.delivers))

    def effect_species(self) -> tuple[str, ...]:
        """Return the species that have an effect site, in order of definition."""
        wanted = {x.species for r in self.receptors for x in r.ligands if x.site == "effect"}
        return tuple(s.name for s in self.species if s.name in wanted)


#: Parameters of an adaptation state, in the order in which the kernel reads them.
LAG = ("gain_up", "gain_down", "loss_up", "loss_down", "saturation")

#: Endogenous release: rate [1/h], gain of the level [1], level at half gain [nM], gain of its rise [h/nM].
RELEASE = ("ke", "rho", "c50", "phi")

_DISPOSITION = (("vc", "cl", "fu"), ("q", "vp"), ("q2", "vp2"))


def parameter_names(spec: ModelSpec) -> tuple[str, ...]:
    """Return the name of every parameter that the model needs."""
    names: list[str] = []
    effect = spec.effect_species()
    for s in spec.species:
        for group in _DISPOSITION[: s.peripherals + 1]:
            names += [f"{s.name}.{p}" for p in group]
        if s.saturable:
            names += [f"{s.name}.vmax", f"{s.name}.km"]
        if s.name in effect:
            names += [f"{s.name}.ke0"] + [f"{s.name}.direct"] * s.direct
        names += [f"{s.name}.feeds.{t}" for t in s.feeds]
    for i in spec.inputs:
        if i.stages:
            names.append(f"{i.name}.rate")
        names += [f"{i.name}.fraction.{t}" for t in i.delivers]
    for r in spec.receptors:
        for x in r.ligands:
            names += [f"{r.name}.{x.species}.kd", f"{r.name}.{x.species}.koff"]
        if r.tone:
            names += [f"{r.name}.{ENDOGENOUS}.e0", f"{r.name}.{ENDOGENOUS}.koff"]
        if spec.adaptation is not None and r.name in spec.adaptation.receptors:
            names += [f"{r.name}.{x.species}.drive" for x in r.ligands]
    if spec.releasing is not None:
        names += [f"release.{p}" for p in RELEASE]
    if spec.adaptation is not None:
        names.append("adaptation.bend")
        names += [f"adaptation.{state}.{p}" for state in spec.adaptation.lags for p in LAG]
        if spec.adaptation.followers:
            names += ["adaptation.tone", *(f"adaptation.{state}.weight" for state in spec.adaptation.states)]
    return tuple(names)
