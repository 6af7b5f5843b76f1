"""Turns the data files into records: quickly, and only those that are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_args

from schild.catalog.claims import Book, KnownMiss, read_book
from schild.catalog.entries import (
    Adaptation,
    Binding,
    Branch,
    ByDose,
    Correlation,
    Covariate,
    Delivery,
    Disposition,
    Drug,
    Effect,
    Form,
    Input,
    LagState,
    Observation,
    PopulationCovariate,
    Product,
    Receptor,
    Reference,
    ReferencePopulation,
    Role,
    Route,
    Site,
    Structure,
    Study,
    Tolerance,
)
from schild.catalog.reader import Table
from schild.errors import CatalogueError, UnknownNameError
from schild.evidence import Number, Spread, Value

T = TypeVar("T")

#: Owners of numbers that are tables of their own.
_TABLES = ("alcohol", "trial", "rescue")


class _Folder(Protocol):
    # The part of importlib's Traversable that pathlib.Path shares.
    @property
    def name(self) -> str: ...
    def iterdir(self) -> Iterator[Any]: ...
    def joinpath(self, *names: str) -> Any: ...
    def is_dir(self) -> bool: ...


class _Lazy(Mapping[str, T]):
    """A mapping whose names are known and whose values are read on first use."""

    def __init__(self, names: Iterable[str], read: Callable[[str], T]) -> None:
        self._names = tuple(names)
        self._read = read
        self._kept: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._kept:
            if name not in self._names:
                raise KeyError(name)
            self._kept[name] = self._read(name)
        return self._kept[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


class _LazyWhole(Mapping[str, T]):
    """A mapping that is read as a whole on first use."""

    def __init__(self, read: Callable[[], dict[str, T]]) -> None:
        self._read = read
        self._kept: dict[str, T] | None = None

    def _all(self) -> dict[str, T]:
        if self._kept is None:
            self._kept = self._read()
        return self._kept

    def __getitem__(self, name: str) -> T:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


class Catalogue:
    """All data files of one folder.

    Files are read when first needed; the heads of the drug files (key, name, aliases) are read at once.

    Parameters
    ----------
    folder : path-like or None
        A folder laid out like ``schild/catalog/data``; None is the one that comes with schild.

    Attributes
    ----------
    drugs, receptors, populations, studies, references : mapping
        Records by key.
    aliases : mapping of str to str
        Accepted other names (lower case) to the key of the drug.

    Examples
    --------
    >>> catalogue = Catalogue()
    >>> catalogue.drug("diamorphine").key
    'heroin'
    >>> catalogue.receptors["mor"].site
    'brain'
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        root: _Folder = files("schild.catalog").joinpath("data") if folder is None else Path(folder)
        if not root.joinpath("drugs").is_dir():
            raise CatalogueError(f"{folder} is not a catalogue: it has no folder 'drugs'.")
        self._root = root
        self._texts: dict[str, str] = {}
        keys = _stems(root.joinpath("drugs"))
        self.aliases: dict[str, str] = {}
        for key in keys:
            for alias in (key, *self._head(f"drugs/{key}.toml").texts("aliases")):
                other = self.aliases.setdefault(_plain(alias), key)
                if other != key:
                    raise CatalogueError(f"drugs/{key}.toml: the name {alias!r} already belongs to {other}.")
        self.drugs: Mapping[str, Drug] = _Lazy(keys, self._drug)
        self.studies: Mapping[str, Study] = _Lazy(_stems(root.joinpath("studies")), self._study)
        self.claims: Mapping[str, Book] = _Lazy(_stems(root.joinpath("claims")), self._claims)
        self.known_misses: Mapping[str, KnownMiss] = _LazyWhole(self._known_misses)
        self.receptors: Mapping[str, Receptor] = _LazyWhole(self._receptors)
        self.populations: Mapping[str, ReferencePopulation] = _LazyWhole(self._populations)
        self.effects: Mapping[str, Effect] = _LazyWhole(self._effects)
        self.adaptation: Mapping[str, Adaptation] = _LazyWhole(self._adaptation)
        self.alcohol: Mapping[str, Number] = _LazyWhole(self._alcohol)
        self.trial: Mapping[str, Number] = _LazyWhole(self._trial)
        self.references: Mapping[str, Reference] = _LazyWhole(self._references)
        self.rescue: Mapping[str, Number] = _LazyWhole(_physiology)

    @property
    def owners(self) -> tuple[str, ...]:
        """Keys of all that has numbers: drugs, effects, mechanisms of adaptation, populations, and three tables.

        Examples
        --------
        >>> {"naltrexone", "pupil", "two_state", "adult", "alcohol"} <= set(load().owners)
        True
        """
        return (*self.drugs, *self.effects, *self.adaptation, *self.populations, *_TABLES)

    def entry_of(self, owner: str) -> Drug | Effect | Adaptation | ReferencePopulation | None:
        """Find the record that numbers belong to; None for the tables ``alcohol``, ``trial`` and ``rescue``.

        Raises
        ------
        UnknownNameError
            If nothing is called so; the message names close matches.
        """
        if owner in _TABLES:
            return None
        for records in (self.drugs, self.effects, self.adaptation, self.populations):
            if owner in records:
                return records[owner]
        raise UnknownNameError("drug, effect or other owner of numbers", owner, self.owners)

    def numbers_of(self, owner: str) -> Mapping[str, Number]:
        """Numbers of an owner, by name.

        Parameters
        ----------
        owner : str
            One of ``owners``.

        Returns
        -------
        mapping of str to Number
            Everything that a run may use or replace of it.

        Raises
        ------
        UnknownNameError
            If nothing is called so; the message names close matches.

        Examples
        --------
        >>> load().numbers_of("pupil")["baseline"].unit
        'mm'
        """
        entry = self.entry_of(owner)
        return getattr(self, owner) if entry is None else entry.numbers

    def drug(self, name: str) -> Drug:
        """Find a drug by key or alias.

        Parameters
        ----------
        name : str
            E.g. ``"naltrexone"``, ``"diamorphine"``, ``"6-MAM"``; upper case and blanks do not matter.

        Returns
        -------
        Drug
            The entry.

        Raises
        ------
        UnknownNameError
            If there is none; the message names close matches.

        Examples
        --------
        >>> load().drug("6-beta-naltrexol").key
        'beta_naltrexol'
        """
        key = self.aliases.get(_plain(name))
        if key is None:
            raise UnknownNameError("drug", name, {*self.drugs, *self.aliases})
        return self.drugs[key]

    def reference(self, key: str) -> Reference:
        """Find a bibliography entry.

        Parameters
        ----------
        key : str
            Citation key.

        Returns
        -------
        Reference
            The entry.

        Raises
        ------
        UnknownNameError
            If there is none.

        Examples
        --------
        >>> load().reference("Dunbar2007").fields["year"]
        '2007'
        """
        if key not in self.references:
            raise UnknownNameError("reference", key, self.references)
        return self.references[key]

    def study(self, key: str) -> Study:
        """Find a set of published results.

        Parameters
        ----------
        key : str
            Name of the study file.

        Returns
        -------
        Study
            The entry.

        Raises
        ------
        UnknownNameError
            If there is none.

        Examples
        --------
        >>> load().study("naltrexone_pet").observations[0].role
        'calibration'
        """
        if key not in self.studies:
            raise UnknownNameError("study", key, self.studies)
        return self.studies[key]

    def _text(self, file: str) -> str:
        if file not in self._texts:
            try:
                self._texts[file] = self._root.joinpath(*file.split("/")).read_text(encoding="utf-8")
            except FileNotFoundError:
                raise CatalogueError(f"The catalogue lacks the file {file}.") from None
        return self._texts[file]

    def _table(self, file: str) -> Table:
        return Table.of(self._text(file), file)

    def _head(self, file: str) -> Table:
        # In TOML whatever stands before the first table header is a document of its own.
        return Table.of(self._text(file).split("\n[", 1)[0], file)

    def _drug(self, key: str) -> Drug:
        file = f"drugs/{key}.toml"
        drug = drug_from_table(self._table(file), self._copied, _digest(self._text(file)))
        if drug.key != key:
            raise CatalogueError(f"{file}: key is {drug.key!r}; expected {key!r}, as the file is called.")
        return drug

    def _copied(self, drug: str, number: str) -> Number:
        return self.alcohol[number] if drug == "alcohol" else self.drugs[drug].number(number)

    def _study(self, key: str) -> Study:
        table = self._table(f"studies/{key}.toml")
        study = Study(
            key=table.text("key"),
            title=table.text("title"),
            says=table.text("says", ""),
            observations=tuple(_observation(row) for row in table.tables("observation")),
        )
        table.done()
        return study

    def _claims(self, key: str) -> Book:
        table = self._table(f"claims/{key}.toml")
        book = read_book(table, self)
        if book.drug != key:
            raise table.fail(f"has drug = {book.drug!r}; expected {key!r}, as the file is called.", "drug")
        return book

    def _known_misses(self) -> dict[str, KnownMiss]:
        top = self._table("known_misses.toml")
        rows = [(table, table.record(KnownMiss)) for table in top.tables("miss")]
        top.done()
        found: dict[str, KnownMiss] = {}
        for table, row in rows:
            if row.id in found:
                raise table.fail(f"lists {row.id!r} a second time.", "id")
            found[row.id] = row
        return found

    def _receptors(self) -> dict[str, Receptor]:
        top = self._table("receptors.toml")
        found = {}
        for key in top.data:
            table = top.table(key)
            found[key] = Receptor(
                key=key,
                name=table.text("name"),
                site=table.choice("site", ("brain", "gut")),
                says=table.text("says", ""),
            )
            table.done()
        return found

    def _populations(self) -> dict[str, ReferencePopulation]:
        top = self._table("populations.toml")
        return {key: _population(key, top.table(key), self._copied) for key in top.data}

    def _effects(self) -> dict[str, Effect]:
        top = self._table("effects.toml")
        found: dict[str, Effect] = {}
        for key in top.data:
            found[key] = _effect(key, top.table(key), lambda other, name: found[other].numbers[name])
        return found

    def _adaptation(self) -> dict[str, Adaptation]:
        top = self._table("adaptation.toml")
        found: dict[str, Adaptation] = {}
        for key in top.data:
            found[key] = _adaptation(key, top.table(key), lambda other, name: found[other].numbers[name])
        if found and sum(entry.default for entry in found.values()) != 1:
            raise top.fail("marks no mechanism or several as default; expected exactly one.")
        return found

    def _alcohol(self) -> dict[str, Number]:
        return self._plain_numbers("alcohol")

    def _trial(self) -> dict[str, Number]:
        return self._plain_numbers("trial")

    def _plain_numbers(self, what: str) -> dict[str, Number]:
        table = self._table(f"{what}.toml")
        table.text("name")
        table.text("says", "")
        numbers = _numbers(table, what, self._copied)
        table.done()
        return numbers

    def _references(self) -> dict[str, Reference]:
        return {entry.key: entry for entry in parse_bibtex(self._text("references.bib"), "references.bib")}


def _physiology() -> dict[str, Number]:
    from schild.catalog.rescue import physiology_numbers

    return dict(physiology_numbers())


@lru_cache(maxsize=1)
def _shipped() -> Catalogue:
    return Catalogue()


def load(path: str | Path | None = None) -> Catalogue:
    """Load the catalogue.

    Parameters
    ----------
    path : path-like, optional
        Another folder of the same layout. The one that comes with schild is loaded once per process.

    Returns
    -------
    Catalogue
        The catalogue.

    Raises
    ------
    CatalogueError
        If the folder is no catalogue; later, if a file that is asked for is broken.

    Examples
    --------
    >>> "naltrexone" in load().drugs
    True
    """
    return _shipped() if path is None else Catalogue(path)


def drug_from_dict(data: Mapping[str, Any], file: str = "<dict>") -> Drug:
    """Build one drug from a parsed TOML document.

    Parameters
    ----------
    data : mapping
        The document.
    file : str
        Name for messages.

    Returns
    -------
    Drug
        The entry. Numbers copied from other drugs (``same_as``) come from the shipped catalogue.

    Raises
    ------
    CatalogueError
        If the document breaks the schema.

    Examples
    --------
    >>> drug_from_dict({"key": "x", "name": "x", "role": "agonist", "summary": "A test."}).key
    'x'
    """
    return drug_from_table(Table(data, file), lambda drug, number: load().drug(drug).number(number), "")


def drug_from_table(table: Table, copied: Callable[[str, str], Number], digest: str) -> Drug:
    """Build one drug; ``copied(drug, number)`` finds a number that this one repeats."""
    key = table.text("key")
    drug = Drug(
        key=key,
        name=table.text("name"),
        role=table.choice("role", get_args(Role)),
        summary=table.text("summary", ""),
        aliases=table.texts("aliases"),
        mw=table.maybe_text("mw"),
        salts=table.names("salts"),
        follows=table.maybe_text("follows"),
        disposition=_disposition(table.maybe_table("disposition")),
        routes={name: _route(name, entry, key) for name, entry in table.named("route").items()},
        products={name: _product(name, entry) for name, entry in table.named("product").items()},
        binding={name: _binding(name, entry) for name, entry in table.named("binding").items()},
        structures={name: _structure(name, entry) for name, entry in table.named("structure").items()},
        covariates=tuple(_covariate(entry) for entry in table.tables("covariate")),
        correlations=tuple(_correlation(entry) for entry in table.tables("correlation")),
        numbers=_numbers(table, key, copied),
        digest=digest,
    )
    table.done()
    for product in drug.products.values():
        for route in (product.route, product.becomes or product.route):
            if route not in drug.routes:
                raise table.fail(f"has a product '{product.key}' of a route '{route}' that is not there.")
    defaults = [entry.key for entry in drug.structures.values() if entry.default]
    if drug.structures and len(defaults) != 1:
        raise table.fail(f"marks {len(defaults)} structures as default; expected exactly one.")
    return drug


def _disposition(table: Table | None) -> Disposition | None:
    if table is None:
        return None
    entry = Disposition(
        peripherals=table.whole("peripherals"),
        effect_site=table.flag("effect_site", False),
        feeds=table.names("feeds"),
        saturable=table.flag("saturable", False),
        releases=tuple(table.texts("releases")),
    )
    table.done()
    if entry.releases and not entry.saturable:
        raise table.fail("releases an endogenous agonist; only a drug with saturable elimination can, so far.")
    if entry.peripherals not in (0, 1, 2):
        raise table.fail(f"has peripherals = {entry.peripherals}; expected 0, 1 or 2.")
    return entry


def _route(key: str, table: Table, drug: str) -> Route:
    route = Route(
        key=key,
        product=table.text("product"),
        salt=table.text("salt", "base"),
        challenge=table.maybe_text("challenge"),
        branches=tuple(_branch(entry) for entry in table.tables("branch")),
        by_dose=_by_dose(table.maybe_table("by_dose")),
        disposition=table.names("disposition"),
    )
    table.done()
    if odd := set(route.disposition) - {"vc", "cl", "q", "vp", "q2", "vp2"}:
        raise table.fail(f"replaces {', '.join(sorted(odd))} of the disposition; expected vc, cl, q, vp, q2 or vp2.")
    if not route.branches:
        raise table.fail(f"has no [[route.{key}.branch]]; a route of {drug} needs at least one input.")
    return route


def _by_dose(table: Table | None) -> ByDose | None:
    if table is None:
        return None
    entry = ByDose(reference=table.text("reference"), exponent=table.text("exponent"))
    table.done()
    return entry


def _branch(table: Table) -> Branch:
    kind = table.choice("input", get_args(Input))
    inner = table.table("deliver")
    deliver = []
    for species, what in inner.data.items():
        if isinstance(what, str):
            deliver.append(Delivery(species=species, of=what))
            continue
        parts = inner.table(species)
        deliver.append(
            Delivery(
                species=species,
                of=parts.text("of"),
                less=parts.maybe_text("less"),
                times=parts.maybe_text("times"),
            )
        )
        parts.done()
    branch = Branch(
        input=kind,
        rate=table.maybe_text("rate"),
        duration=table.maybe_text("duration"),
        lag=table.maybe_text("lag"),
        stages=table.whole("stages", 1),
        deliver=tuple(deliver),
    )
    table.done()
    needs = {"bolus": (), "first_order": ("rate",), "zero_order": ("duration",), "transit": ("rate",)}[kind]
    for name in needs:
        if getattr(branch, name) is None:
            raise table.fail(f"lacks '{name}', which the input '{kind}' needs.")
    if not deliver:
        raise table.fail("delivers nothing; write deliver = { <species> = <number> }.")
    return branch


def _product(key: str, table: Table) -> Product:
    product = Product(
        key=key,
        name=table.text("name"),
        route=table.text("route"),
        salt=table.text("salt", ""),
        says=table.text("says", ""),
        replaces=table.names("replaces"),
        becomes=table.maybe_text("becomes"),
        strength=table.maybe_text("strength"),
    )
    table.done()
    if product.becomes is not None and (product.replaces or product.salt):
        raise table.fail("has 'becomes' beside 'replaces' or 'salt'; another route brings its own numbers.")
    return product


def _binding(receptor: str, table: Table) -> Binding:
    binding = Binding(
        receptor=receptor,
        kd=table.maybe_text("kd"),
        ki=table.maybe_text("ki"),
        factor=table.maybe_text("factor"),
        koff=table.maybe_text("koff"),
        efficacy=table.maybe_text("efficacy"),
        e0=table.maybe_text("e0"),
    )
    table.done()
    given = [binding.kd is not None, binding.ki is not None and binding.factor is not None]
    if binding.e0 is None and given.count(True) != 1:
        raise table.fail("needs either 'kd', or 'ki' and 'factor', or (endogenous tone) 'e0'.")
    return binding


def _structure(key: str, table: Table) -> Structure:
    structure = Structure(
        key=key,
        site=table.choice("site", get_args(Site)),
        default=table.flag("default", False),
        says=table.text("says", ""),
    )
    table.done()
    return structure


def _covariate(table: Table) -> Covariate:
    covariate = Covariate(
        on=table.text("on"),
        of=table.choice("of", ("weight_kg", "age_years", "crcl_ml_min", "liver", "sex", "dependent", "cyp2d6")),
        form=table.choice("form", get_args(Form)),
        slope=table.maybe_text("slope"),
        reference=table.maybe_text("reference"),
        factors=table.names("factors"),
    )
    table.done()
    complete = bool(covariate.factors) if covariate.form == "factor" else covariate.slope and covariate.reference
    if not complete:
        raise table.fail("needs 'factors' (form = factor) or 'slope' and 'reference' (additive, power).")
    return covariate


def _correlation(table: Table) -> Correlation:
    correlation = Correlation(a=table.text("a"), b=table.text("b"), rho=table.text("rho"))
    table.done()
    return correlation


def _numbers(table: Table, drug: str, copied: Callable[[str, str], Number]) -> dict[str, Number]:
    entries = table.named("number")
    numbers: dict[str, Number] = {}
    copies: dict[str, tuple[Table, str]] = {}
    for name, entry in entries.items():
        origin = entry.maybe_text("same_as")
        if origin is None:
            numbers[name] = _number(name, entry)
        else:
            copies[name] = (entry, origin)
    for name, (entry, origin) in copies.items():
        where, _, other = origin.rpartition(":")
        try:
            found = numbers[other] if where in ("", drug) else copied(where, other)
        except KeyError:
            raise entry.fail(
                f"has same_as = {origin!r}; expected another number, as 'number' or 'drug:number', "
                "which is not itself a copy."
            ) from None
        numbers[name] = _copy(name, entry, found, where or drug)
    return {name: numbers[name] for name in entries}


def _copy(name: str, table: Table, found: Number, drug: str) -> Number:
    value = Value(
        key=f"as_{found.name}".replace(".", "_"),
        value=found.value,
        basis="assumed",
        source=("schild",),
        locator=f"taken over from {found.name} of {drug}",
        verified="derived",
        note=table.text("note", ""),
        low=found.chosen.low,
        high=found.chosen.high,
    )
    number = Number(
        name=name,
        unit=found.unit,
        values=(value, *(_value(entry) for entry in table.tables("value"))),
        chosen_key=value.key,
        why=table.text("why", ""),
        between_subject=_spread(table.maybe_table("between_subject")),
        between_occasion=_spread(table.maybe_table("between_occasion")),
        uncertainty=_spread(table.maybe_table("uncertainty")) or found.uncertainty,
        bounds=table.pair("bounds") or found.bounds,
        same_as=f"{drug}:{found.name}",
    )
    table.done()
    return number


def _number(name: str, table: Table) -> Number:
    values = tuple(_value(entry) for entry in table.tables("value"))
    if not values:
        raise table.fail("has no [[...value]]; a number needs at least one value, or same_as.")
    keys = [value.key for value in values]
    if len(set(keys)) < len(keys):
        raise table.fail(f"has two values with the same key ({', '.join(keys)}).")
    number = Number(
        name=name,
        unit=table.text("unit", ""),
        values=values,
        chosen_key=table.choice("chosen", keys, keys[0] if len(keys) == 1 else ...),
        why=table.text("why", ""),
        between_subject=_spread(table.maybe_table("between_subject")),
        between_occasion=_spread(table.maybe_table("between_occasion")),
        uncertainty=_spread(table.maybe_table("uncertainty")),
        bounds=table.pair("bounds"),
    )
    table.done()
    return number


def _value(table: Table) -> Value:
    value = Value(
        key=table.text("key"),
        value=table.real("value"),
        basis=table.text("basis", ""),
        source=table.texts("source"),
        locator=table.text("locator", ""),
        verified=table.text("verified", ""),
        population=table.text("population", ""),
        note=table.text("note", ""),
        row=table.texts("row"),
        given=table.text("given", ""),
        low=table.maybe_real("low"),
        high=table.maybe_real("high"),
    )
    table.done()
    return value


def _spread(table: Table | None) -> Spread | None:
    if table is None:
        return None
    spread = Spread(
        cv=table.real("cv"),
        basis=table.text("basis", ""),
        source=table.texts("source"),
        locator=table.text("locator", ""),
        verified=table.text("verified", ""),
        note=table.text("note", ""),
        row=table.texts("row"),
    )
    table.done()
    if spread.cv < 0:
        raise table.fail(f"has cv = {spread.cv:g}; expected a fraction that is not negative (0.3 is 30 %).")
    return spread


def _observation(table: Table) -> Observation:
    row = Observation(
        id=table.text("id"),
        study=table.text("study"),
        observable=table.text("observable"),
        species=table.text("species"),
        regimen=table.text("regimen"),
        value=table.real("value"),
        unit=table.text("unit"),
        time_h=table.maybe_real("time_h"),
        low=table.maybe_real("low"),
        high=table.maybe_real("high"),
        spread=table.maybe_real("spread"),
        spread_stat=table.text("spread_stat", ""),
        sd_fixed=table.maybe_real("sd_fixed"),
        normalisation=table.text("normalisation", ""),
        n=table.maybe_whole("n"),
        role=table.choice("role", ("calibration", "check")),
        source=table.texts("source"),
        locator=table.text("locator", ""),
        verified=table.text("verified", ""),
        assay=table.text("assay", ""),
        loq=table.text("loq", ""),
        time_basis=table.text("time_basis", ""),
        note=table.text("note", ""),
        row=table.texts("row"),
    )
    table.done()
    return row


def _population(key: str, table: Table, copied: Callable[[str, str], Number]) -> ReferencePopulation:
    covariates = {}
    for name, entry in table.named("covariate").items():
        covariates[name] = PopulationCovariate(
            key=name,
            distribution=entry.choice("distribution", ("normal", "log-normal", "uniform", "categorical")),
            mean=entry.maybe_text("mean"),
            cv=entry.maybe_text("cv"),
            low=entry.maybe_text("low"),
            high=entry.maybe_text("high"),
            shares=entry.names("shares"),
        )
        entry.done()
    population = ReferencePopulation(
        key=key,
        name=table.text("name"),
        says=table.text("says", ""),
        covariates=covariates,
        correlations=tuple(_correlation(entry) for entry in table.tables("correlation")),
        numbers=_numbers(table, key, copied),
    )
    table.done()
    return population


def _effect(key: str, table: Table, copied: Callable[[str, str], Number]) -> Effect:
    effect = Effect(
        key=key,
        name=table.text("name"),
        unit=table.text("unit"),
        form=table.choice("form", ("fraction_left", "rise", "decrease", "resting")),
        reserve=table.names("reserve"),
        slope=table.text("slope"),
        noise=table.text("noise"),
        baseline=table.maybe_text("baseline"),
        range=table.maybe_text("range"),
        pco2=table.maybe_text("pco2"),
        threshold=table.maybe_text("threshold"),
        transduction=table.names("transduction"),
        says=table.text("says", ""),
        numbers=_numbers(table, key, copied),
    )
    table.done()
    needs = {"fraction_left": (), "rise": ("range",), "decrease": ("baseline", "range")}.get(
        effect.form, ("baseline", "pco2", "threshold")
    )
    for name in needs:
        if getattr(effect, name) is None:
            raise table.fail(f"has form = {effect.form!r} and no {name!r}; that form needs it.")
    return effect


def _adaptation(key: str, table: Table, copied: Callable[[str, str], Number]) -> Adaptation:
    states = {}
    for name, inner in table.named("state").items():
        states[name] = LagState(
            gain_up=inner.text("gain_up"),
            gain_down=inner.text("gain_down"),
            loss_up=inner.text("loss_up"),
            loss_down=inner.text("loss_down"),
            saturates=inner.flag("saturates", False),
            weight=inner.maybe_text("weight"),
            reference=inner.maybe_text("reference"),
        )
        inner.done()
    tolerance = {}
    for name, inner in table.named("tolerance").items():
        tolerance[name] = Tolerance(state=inner.text("state"), depth=inner.text("depth"))
        inner.done()
        if tolerance[name].state not in states:
            raise inner.fail(f"names a state {tolerance[name].state!r} that is not there.")
    entry = Adaptation(
        key=key,
        name=table.text("name"),
        drive=table.choice("drive", ("activation", "response")),
        receptors=table.names("receptors"),
        tone=table.text("tone"),
        states=states,
        tolerance=tolerance,
        slope=table.text("slope"),
        half=table.text("half"),
        default=table.flag("default", False),
        says=table.text("says", ""),
        numbers=_numbers(table, key, copied),
    )
    table.done()
    return entry


_ENTRY = re.compile(r"@(\w+)\s*\{\s*([^,\s]+)\s*,(.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"(\w+)\s*=\s*\{(.*?)\}\s*(?:,|$)", re.DOTALL | re.MULTILINE)


def parse_bibtex(text: str, file: str = "<text>") -> list[Reference]:
    r"""Parse the plain BibTeX that the catalogue uses: fields in braces, the closing brace on its own line.

    Parameters
    ----------
    text : str
        The bibliography.
    file : str
        Name for messages.

    Returns
    -------
    list of Reference
        The entries in order.

    Raises
    ------
    CatalogueError
        If an entry cannot be read or a key stands twice.

    Examples
    --------
    >>> parse_bibtex("@book{Hill1909,\n  author = {Hill, A. V.},\n  year = {1909},\n}")[0].fields["year"]
    '1909'
    """
    entries = [
        Reference(
            key=key,
            kind=kind.lower(),
            fields={name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(body)},
        )
        for kind, key, body in _ENTRY.findall(text)
    ]
    starts = re.findall(r"^@\w+\s*\{\s*([^,\s]*)", text, re.MULTILINE)
    if len(starts) != len(entries):
        lost = sorted(set(starts) - {entry.key for entry in entries})
        raise CatalogueError(
            f"{file}: cannot read {', '.join(lost) or 'an entry'}; end it with a brace on its own line."
        )
    keys = [entry.key for entry in entries]
    if len(set(keys)) < len(keys):
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise CatalogueError(f"{file}: {', '.join(twice)} stands twice.")
    return entries


def _stems(folder: Any) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-]+", "-", name.strip().lower())


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
