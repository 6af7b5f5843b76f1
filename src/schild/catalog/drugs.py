"""Records of drugs: disposition, routes, products, binding, structures, covariates (``data/drugs/<key>.toml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, TypeAlias

from schild.catalog.numbers import Copied, Names, read_numbers
from schild.catalog.reader import Table
from schild.catalog.substances import Strength, read_strength
from schild.errors import InputError, UnknownNameError
from schild.evidence import Number

Role: TypeAlias = Literal[
    "agonist", "partial agonist", "antagonist", "prodrug", "metabolite", "endogenous", "non-opioid"
]
Input: TypeAlias = Literal["bolus", "first_order", "zero_order", "transit"]
Form: TypeAlias = Literal["additive", "power", "factor"]
Site: TypeAlias = Literal["effect", "plasma", "plasma and store"]
Of: TypeAlias = Literal["weight_kg", "age_years", "crcl_ml_min", "liver", "sex", "dependent", "cyp2d6"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """Compartments of a drug: numbers ``vc cl fu``, ``q vp`` for one peripheral, ``q2 vp2`` for the second."""

    peripherals: int  #: 0, 1 or 2
    #: Whether the brain is an effect compartment with the number ``ke0``; a structure overrules it
    effect_site: bool = False
    #: Metabolite to the number that holds the molar fraction of this drug's clearance that forms it
    feeds: Annotated[Mapping[str, str], Names("1", 0.0)] = field(default_factory=dict)
    saturable: bool = False  #: Whether elimination saturates as well, by the numbers ``vmax`` and ``km``
    #: Receptors whose endogenous agonist it releases, by the numbers ``release.rate``, ``.gain``, ``.c50``, ``.rise``
    releases: tuple[str, ...] = ()
    #: How long after the last dose its levels are followed where a published result is computed [h]
    looked_h: float = 48.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Molar fraction of a dose that one branch delivers as one species: ``(of - less) x times``."""

    species: str  #: The drug that appears in plasma
    #: Names of numbers; ``less`` and ``times`` may be None
    of: Annotated[str, Names("1", 0.0)]
    less: Annotated[str | None, Names("1", 0.0)] = None
    times: Annotated[str | None, Names("1", 0.0)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One input of a route."""

    #: ``bolus``, ``first_order`` (rate), ``zero_order`` (duration) or ``transit`` (``stages`` first-order steps in a
    #: row, each with this rate: a gamma density of that shape and scale 1/rate)
    input: Input
    rate: Annotated[str | None, Names("1/h")] = None
    duration: Annotated[str | None, Names("h")] = None
    lag: Annotated[str | None, Names("h")] = None
    stages: int = 1  #: Number of steps of a transit input
    deliver: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDose:
    """Dependence of the absorbed share on the dose: ``x (dose / reference) ** exponent``.

    The route's deliveries apply at the reference dose. No more than the whole dose ever arrives.
    """

    reference: Annotated[str, Names("mg")]  #: Number of the dose at which the deliveries hold [mg of the route's salt]
    exponent: Annotated[str, Names("1")]  #: Number of the exponent, above -1, so that a larger dose brings more [1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way to give a drug: one or more parallel inputs."""

    key: str  #: ``oral``, ``iv``, ``im_depot`` and so on
    product: str  #: What is given, in words
    salt: str = "base"  #: Salt that a dose means unless it says otherwise; ``base`` for none
    branches: tuple[Branch, ...] = ()
    #: For an agonist: number of the largest dose of a published study, in mg of the route's salt. Larger ones are
    #: refused while an antagonist is on board.
    challenge: Annotated[str | None, Names("mg")] = None
    by_dose: ByDose | None = None  #: How the share that arrives changes with the dose; None where it does not
    #: ``cl``, ``vc``, ... to the number that stands in for it in a run that uses this route: for kinetics that were
    #: measured with this route alone and cannot be had from the drug's own by a fraction of at most one.
    disposition: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product of a route: the same inputs with some numbers replaced, or the inputs of another route."""

    #: What it is; ``salt`` may be empty (the route's own)
    key: str
    name: str
    route: str
    salt: str = ""
    says: str = ""
    #: Number of the route to the number that stands in for it; empty for the product that the route describes
    replaces: Annotated[Mapping[str, str], Names()] = field(default_factory=dict)
    becomes: str | None = None  #: Route whose inputs it has, where these differ in kind (an extended-release tablet)
    #: Number of the dose in one unit, in mg of its salt: a dose of just that is taken as this product
    strength: Annotated[str | None, Names("mg")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Numbers of a ligand at one receptor."""

    receptor: str  #: Key of the receptor
    kd: Annotated[str | None, Names("nM")] = (
        None  #: Number of the dissociation constant in man, free concentration [nM]
    )
    #: Or an affinity in vitro and the factor that turns it into one in man: ``kd = ki x factor``
    ki: Annotated[str | None, Names("nM")] = None
    factor: Annotated[str | None, Names("1", 0.0)] = None
    koff: Annotated[str | None, Names("1/h")] = None  #: Number of the dissociation rate constant [1/h]
    efficacy: Annotated[str | None, Names("1", 0.0, 1.0)] = (
        None  #: Number of the intrinsic efficacy; None means no activation
    )
    e0: Annotated[str | None, Names("1", 0.0)] = (
        None  #: For the endogenous tone: number of the basal load, concentration over Kd [1]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A rival mechanism between plasma and receptor."""

    key: str  #: Prefix of the numbers that this structure overrules
    #: ``plasma``, ``effect`` (an effect compartment with ``ke0``) or ``plasma and store`` (the share ``direct`` of the
    #: level follows plasma at once, the rest is the effect compartment)
    site: Site
    default: bool = False  #: Whether it is used unless a run says otherwise
    says: str = ""
    #: Of its fit to human occupancy: sum of squared standardised residuals, and how many numbers were fitted; None
    #: where it was not fitted. Structures of one drug are fitted to the same rows.
    chi_square: float | None = None
    fitted: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariate:
    """Effect of a property of a person on a number."""

    on: str
    #: ``weight_kg``, ``age_years``, ``crcl_ml_min``, ``liver``, ``sex``, ``dependent`` or ``cyp2d6`` (``PM``, ``IM``,
    #: ``EM``, ``UM``: poor, intermediate, extensive, ultrarapid metaboliser)
    of: Of
    #: ``additive``: typical + slope (x - reference). ``power``: typical (x / reference) ** slope. ``factor``: typical x
    #: factors[x]; a level without a factor leaves the number alone.
    form: Form
    slope: str | None = None
    reference: str | None = None
    factors: Mapping[str, str] = field(default_factory=dict)  #: Level to the number that holds its factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Between-subject correlation of two numbers (on the log scale)."""

    a: str
    b: str
    rho: Annotated[str, Names("1", -1.0, 1.0)]  #: Number that holds the correlation coefficient


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Wait after another opioid that the label requires before a drug is begun."""

    says: str  #: What a person is told, in a sentence of our own
    wait: Annotated[str, Names("d", 0.0)]  #: Number of the interval without opioids [d]
    after: tuple[str, ...] = ()  #: Opioids that it holds for; empty for every other one


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """One entry of the catalogue: a drug, a metabolite or the endogenous tone.

    Examples
    --------
    >>> from schild.catalog import load
    >>> drug = load().drug("naltrexone")
    >>> drug.number("cl").value, drug.number("cl").unit
    (140.0, 'L/h')
    >>> drug.default_structure.key
    'plasma_and_store'
    """

    key: str  #: Name of the file, and of the species in outputs
    name: str  #: Name in words
    role: Role  #: One of the values of ``Role``
    summary: str = ""  #: What it is, in a sentence or two
    aliases: tuple[str, ...] = ()  #: Other names that are accepted
    mw: Annotated[str | None, Names("g/mol")] = None  #: Number of the molar mass of the base
    #: Salt to the number that holds the mass of base per mass of salt
    salts: Annotated[Mapping[str, str], Names("1", 0.0, 1.0)] = field(default_factory=dict)
    follows: str | None = None  #: Drug whose choice of structure this one follows (a metabolite follows its parent)
    #: Whether the spread between studies was estimated for this drug and stands in the uncertainty of its numbers
    between_studies_estimated: bool = False
    disposition: Disposition | None = None  #: None for the endogenous tone
    routes: Mapping[str, Route] = field(default_factory=dict)  #: By key
    products: Mapping[str, Product] = field(default_factory=dict)  #: By key
    binding: Mapping[str, Binding] = field(default_factory=dict)  #: By receptor
    structures: Mapping[str, Structure] = field(default_factory=dict)  #: Between plasma and receptor, by key
    #: Strengths in which the drug is sold, by route; needed by the planner
    strengths: Mapping[str, Strength] = field(default_factory=dict)
    starts: tuple[Start, ...] = ()  #: Intervals without opioids that the label asks for before the drug is begun
    covariates: tuple[Covariate, ...] = ()  #: In the order of the file
    correlations: tuple[Correlation, ...] = ()  #: In the order of the file
    numbers: Mapping[str, Number] = field(default_factory=dict)  #: All numbers by name
    digest: str = ""  #: Hash of the file, for manifests

    def number(self, name: str, structure: str | None = None) -> Number:
        """Look up a number, in the version of a structure where there is one.

        Parameters
        ----------
        name : str
            E.g. ``"mor.kd"``.
        structure : str, optional
            E.g. ``"slow_receptor"``; a number called ``slow_receptor.mor.kd`` then wins.

        Returns
        -------
        Number
            The number.

        Raises
        ------
        UnknownNameError
            If the drug has no such number.

        Examples
        --------
        >>> from schild.catalog import load
        >>> load().drug("naltrexone").number("mor.koff", "slow_receptor").name
        'slow_receptor.mor.koff'
        """
        found = self.numbers.get(f"{structure}.{name}") if structure else None
        found = found or self.numbers.get(name)
        if found is None:
            raise UnknownNameError(f"number of {self.key}", name, self.numbers)
        return found

    @property
    def default_structure(self) -> Structure | None:
        """The structure used unless a run says otherwise; None where the drug has none of its own."""
        return next((entry for entry in self.structures.values() if entry.default), None)

    def route(self, key: str, product: str | None = None) -> Route:
        """Find a route, as one of its products has it.

        Parameters
        ----------
        key : str
            Key of the route.
        product : str, optional
            Key of a product of the route; left out, the route as it stands.

        Returns
        -------
        Route
            The route with the numbers of the product in place of its own. Its key names the product too where that
            changes what enters: ``in.spray_8mg``.

        Raises
        ------
        UnknownNameError
            If the drug has no such route.
        InputError
            If the route has no such product; the message lists those it has.

        Examples
        --------
        >>> from schild.catalog import load
        >>> load().drug("naloxone").route("in", "spray_8mg").branches[0].rate
        'spray_8mg.ka'
        """
        if key not in self.routes:
            raise UnknownNameError(f"route of {self.key}", key, self.routes)
        route = self.routes[key]
        if product is None:
            return route
        entry = self.products_of(key).get(product)
        if entry is None:
            offered = "; ".join(f"{p.key} ({p.name})" for p in self.products_of(key).values())
            others = "; ".join(f"{r.key} ({r.product})" for r in self.routes.values())
            raise InputError(
                f"{self.name} by {key} was given as product {product!r}; expected "
                + (f"one of: {offered}. Write one of these, or leave the product out." if offered else "none: it has ")
                + ("" if offered else f"one product. Leave it out, or choose another route: {others}.")
            )
        if entry.becomes is not None:
            return self.route(entry.becomes)
        salt = entry.salt or route.salt
        if not entry.replaces:
            return replace(route, product=entry.name, salt=salt)

        def other(name: str | None) -> str | None:
            return entry.replaces.get(name, name) if name is not None else None

        branches = tuple(
            replace(
                branch,
                rate=other(branch.rate),
                duration=other(branch.duration),
                lag=other(branch.lag),
                deliver=tuple(
                    replace(d, of=str(other(d.of)), less=other(d.less), times=other(d.times)) for d in branch.deliver
                ),
            )
            for branch in route.branches
        )
        law = route.by_dose
        if law is not None:
            law = ByDose(reference=str(other(law.reference)), exponent=str(other(law.exponent)))
        return replace(route, key=f"{key}.{product}", product=entry.name, salt=salt, branches=branches, by_dose=law)

    def products_of(self, route: str) -> dict[str, Product]:
        """Products of a route, by key; empty where it has one only."""
        return {key: product for key, product in self.products.items() if product.route == route}


def read_drug(table: Table, copied: Copied, digest: str = "") -> Drug:
    """Read one drug.

    ``copied``: finds the number of another owner that this drug repeats (``same_as``); ``digest``: hash of the file.
    Raises CatalogueError if the file breaks the schema; the message names file and line.
    """
    key = table.text("key")
    disposition = table.maybe_table("disposition")
    drug = table.record(
        Drug,
        disposition=None if disposition is None else _disposition(disposition),
        routes={name: _route(name, entry, key) for name, entry in table.named("route").items()},
        products={name: _product(name, entry) for name, entry in table.named("product").items()},
        binding={name: _binding(name, entry) for name, entry in table.named("binding").items()},
        structures={name: entry.record(Structure, key=name) for name, entry in table.named("structure").items()},
        strengths={name: read_strength(entry) for name, entry in table.named("strength").items()},
        starts=tuple(entry.record(Start) for entry in table.tables("start")),
        covariates=tuple(_covariate(entry) for entry in table.tables("covariate")),
        correlations=tuple(entry.record(Correlation) for entry in table.tables("correlation")),
        numbers=read_numbers(table, key, copied),
        digest=digest,
    )
    for product in drug.products.values():
        for route in (product.route, product.becomes or product.route):
            if route not in drug.routes:
                raise table.table("product").fail(
                    f"has a product '{product.key}' of a route '{route}' that is not there.", product.key
                )
    for way in drug.strengths:
        if way not in drug.routes:
            raise table.table("strength").fail(f"has a strength of a route '{way}' that is not there.", way)
    for start in drug.starts:
        if start.wait not in drug.numbers:
            raise table.fail(f"has a start whose wait '{start.wait}' is not a number of the drug.", "start")
    defaults = [entry.key for entry in drug.structures.values() if entry.default]
    if drug.structures and len(defaults) != 1:
        raise table.fail(f"marks {len(defaults)} structures as default; expected exactly one.", "structure")
    return drug


def _disposition(table: Table) -> Disposition:
    entry = table.record(Disposition)
    if entry.releases and not entry.saturable:
        raise table.fail("releases an endogenous agonist; only a drug with saturable elimination can, so far.")
    if entry.peripherals not in (0, 1, 2):
        raise table.fail(f"has peripherals = {entry.peripherals}; expected 0, 1 or 2.", "peripherals")
    return entry


def _route(key: str, table: Table, drug: str) -> Route:
    by_dose = table.maybe_table("by_dose")
    route = table.record(
        Route,
        key=key,
        branches=tuple(_branch(entry) for entry in table.tables("branch")),
        by_dose=None if by_dose is None else by_dose.record(ByDose),
    )
    if odd := set(route.disposition) - {"vc", "cl", "q", "vp", "q2", "vp2"}:
        names = ", ".join(sorted(odd))
        raise table.fail(f"replaces {names} of the disposition; expected vc, cl, q, vp, q2 or vp2.", "disposition")
    if not route.branches:
        raise table.fail(f"has no [[route.{key}.branch]]; a route of {drug} needs at least one input.")
    return route


def _branch(table: Table) -> Branch:
    inner = table.table("deliver")
    deliver = tuple(
        Delivery(species=species, of=what)
        if isinstance(what, str)
        else inner.table(species).record(Delivery, species=species)
        for species, what in inner.data.items()
    )
    branch = table.record(Branch, deliver=deliver)
    needs = {"first_order": "rate", "zero_order": "duration", "transit": "rate"}.get(branch.input)
    if needs is not None and getattr(branch, needs) is None:
        raise table.fail(f"lacks '{needs}', which the input '{branch.input}' needs.")
    if not deliver:
        raise table.fail("delivers nothing; write deliver = { <species> = <number> }.")
    return branch


def _product(key: str, table: Table) -> Product:
    product = table.record(Product, key=key)
    if product.becomes is not None and (product.replaces or product.salt):
        raise table.fail("has 'becomes' beside 'replaces' or 'salt'; another route brings its own numbers.")
    return product


def _binding(receptor: str, table: Table) -> Binding:
    binding = table.record(Binding, receptor=receptor)
    given = [binding.kd is not None, binding.ki is not None and binding.factor is not None]
    if binding.e0 is None and given.count(True) != 1:
        raise table.fail("needs either 'kd', or 'ki' and 'factor', or (endogenous tone) 'e0'.")
    return binding


def _covariate(table: Table) -> Covariate:
    covariate = table.record(Covariate)
    complete = bool(covariate.factors) if covariate.form == "factor" else covariate.slope and covariate.reference
    if not complete:
        raise table.fail("needs 'factors' (form = factor) or 'slope' and 'reference' (additive, power).")
    return covariate
