"""The catalogue: every record by key, read when first asked for, with a user's overlays over the built-in files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from schild.catalog.alcohol import ALCOHOL_UNITS
from schild.catalog.claims import Book, KnownMiss, read_book
from schild.catalog.drugs import Drug, read_drug
from schild.catalog.effects import Adaptation, Effect, read_adaptation, read_effect
from schild.catalog.files import DataFile, built_in, digest_of, overlay
from schild.catalog.numbers import read_numbers
from schild.catalog.populations import ReferencePopulation, read_population
from schild.catalog.printed import PrintedTables
from schild.catalog.reader import Table, has_path, line_of, meant
from schild.catalog.references import Reference, parse_bibtex, read_reference
from schild.catalog.rescue import PublishedArrest, read_arrests, read_spread
from schild.catalog.studies import Receptor, read_study
from schild.catalog.substances import Compound, TradeName
from schild.catalog.trial import TRIAL_UNITS
from schild.catalog.uses import Use, check_numbers, check_uses
from schild.errors import CatalogueError, UnknownNameError
from schild.evidence import Number

T = TypeVar("T")

#: Owners of numbers that are tables of their own.
_TABLES = ("alcohol", "trial", "rescue")
#: Environment variable with files or folders that lie over the built-in catalogue, separated as in PATH.
VARIABLE = "SCHILD_CATALOGUE"


class _Lazy(Mapping[str, T]):
    """A mapping whose names are listed, and whose values are read, on first use; ``kind``: what its values are."""

    def __init__(
        self, kind: str, listed: Callable[[], Mapping[str, Any]], read: Callable[[str, Any], T] = lambda _, made: made
    ) -> None:
        self._kind, self._listed, self._read = kind, listed, read
        self._raw: Mapping[str, Any] | None = None
        self._kept: dict[str, T] = {}
        self._busy: set[str] = set()

    @property
    def _names(self) -> Mapping[str, Any]:
        if self._raw is None:
            if "" in self._busy:
                raise KeyError("these entries refer to themselves")
            self._busy.add("")
            try:
                self._raw = self._listed()
            finally:
                self._busy.discard("")
        return self._raw

    def __getitem__(self, name: str) -> T:
        if name not in self._kept:
            if name not in self._names:
                raise UnknownNameError(self._kind, name, self._names)
            raw = self._names[name]
            if name in self._busy:
                raise KeyError(f"{name} refers to itself")
            self._busy.add(name)
            try:
                self._kept[name] = self._read(name, raw)
            finally:
                self._busy.discard(name)
        return self._kept[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value, or another for an unknown name, of which nothing has to be said."""
        if name in self:
            return self[name]
        return default

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._kept or name in self._names


class Catalogue(PrintedTables):
    """All data of the catalogue, by key.

    Files are read when first needed; the heads of the drug files (key, name, aliases) are read at once.

    Parameters
    ----------
    folder : path-like or None
        A whole catalogue, laid out like ``schild/catalog/data``; None is the one that comes with schild.
    overlays : sequence of path-like
        Files or folders of TOML and BibTeX that lie over it, the last on top. A drug, study, book of claims, effect,
        population and so on with a key of its own is added, one with a key that is there takes its place; in
        ``alcohol.toml``, ``trial.toml`` and ``rescue/physiology.toml`` this holds for each number. What a file
        holds is seen from its content, its name or its folder. ``[[reference]]`` tables add to the bibliography.

    Attributes
    ----------
    drugs, receptors, effects, adaptation, populations, studies, claims, known_misses, references : mapping
        Records by key.
    compounds : mapping
        Chemical structures by key.
    trade_names : mapping
        Trade names, fixed combinations and other drugs that people type, which are not drugs of the catalogue.
    alcohol, trial, rescue : mapping of str to Number
        Numbers of alcohol, of trials and of the published physiology of overdose.
    rescue_spreads, published_arrests : mapping, tuple
        Spread of the published population of overdose and its published results.
    aliases : mapping of str to str
        Accepted other names (lower case) to the key of the drug.
    overlays : tuple of dict
        Name and hash of each overlay, for manifests.

    Raises
    ------
    CatalogueError
        If the folder is not a catalogue or an overlay is not there; later, if a file that is asked for is broken.

    Examples
    --------
    >>> catalogue = Catalogue()
    >>> catalogue.drug("diamorphine").key
    'heroin'
    >>> catalogue.receptors["mor"].site
    'brain'
    """

    def __init__(self, folder: str | Path | None = None, overlays: Sequence[str | Path] = ()) -> None:
        self._made = (folder, tuple(overlays))
        layers = [overlay(path) for path in overlays]
        self._files = {}
        for file in [*built_in(folder), *(file for layer in layers for file in layer)]:
            self._files.setdefault(file.place, []).append(file)
        self.overlays = tuple(
            {"name": str(path), "hash": digest_of(layer)} for path, layer in zip(overlays, layers, strict=True)
        )
        self.drugs = self._entries("drugs", "drug", self._drug)
        self.studies = self._entries("studies", "study", lambda _, file: read_study(self._table(file)))
        self.claims = self._entries("claims", "drug with claims", self._claims)
        self.aliases = self._aliases()
        self.receptors = self._tables("receptors", "receptor", lambda key, t: t.record(Receptor, key=key))
        self.populations = self._tables(
            "populations", "population", lambda k, t: self._sound(t, read_population(k, t, self._copied))
        )
        self.effects = self._tables("effects", "effect", lambda k, t: self._sound(t, read_effect(k, t, self._copied)))
        self.adaptation = self._tables("adaptation", "mechanism of adaptation", self._mechanism)
        self.compounds = self._tables("structures", "structure", lambda key, t: t.record(Compound, key=key))
        self.trade_names = self._tables("trade_names", "trade name", lambda key, t: t.record(TradeName, key=key))
        self.rescue_spreads = self._tables("rescue/population", "spread", read_spread)
        self.known_misses: Mapping[str, KnownMiss] = _Lazy("known miss", self._known_misses)
        self.alcohol = self._owned("alcohol", "alcohol")
        self.trial = self._owned("trial", "trial")
        self.rescue = self._owned("rescue", "rescue/physiology")
        self.references: Mapping[str, Reference] = _Lazy("reference", self._references)
        # A run asks some ten thousand times.
        self._entry_of: dict[str, Drug | Effect | Adaptation | ReferencePopulation | None] = dict.fromkeys(_TABLES)
        self._numbers_of: dict[str, Mapping[str, Number]] = {}
        self._drug_of: dict[str, Drug] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, self._made

    @property
    def owners(self) -> tuple[str, ...]:
        """Keys of all owners of numbers: drugs, effects, mechanisms of adaptation, populations, and three tables.

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
        if owner not in self._entry_of:
            kinds: tuple[Mapping[str, Any], ...] = (self.drugs, self.effects, self.adaptation, self.populations)
            records = next((records for records in kinds if owner in records), None)
            if records is None:
                raise UnknownNameError("drug, effect or other owner of numbers", owner, self.owners)
            self._entry_of[owner] = records[owner]
        return self._entry_of[owner]

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
        if owner not in self._numbers_of:
            entry = self.entry_of(owner)
            self._numbers_of[owner] = getattr(self, owner) if entry is None else entry.numbers
        return self._numbers_of[owner]

    def receptor(self, key: str) -> Receptor:
        """Find a receptor by key; UnknownNameError otherwise, with the key of a name such as ``"mu"``."""
        if (found := self.receptors.get(key)) is not None:
            return found
        meant = [k for k, one in self.receptors.items() if one.name.split("-")[0] == key.strip().lower().split("-")[0]]
        says = f"Write {' or '.join(map(repr, meant))}." if meant else ""
        raise UnknownNameError("receptor", key, self.receptors, says=says)

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
            If there is none; the message says what a trade name or a combination contains, or names close matches.

        Examples
        --------
        >>> load().drug("6-beta-naltrexol").key
        'beta_naltrexol'
        """
        if not isinstance(name, str):
            raise UnknownNameError("drug", name, self.drugs)
        if (known := self._drug_of.get(name)) is not None:
            return known
        key = name if name in self.drugs else self.aliases.get(_plain(name))
        if key is None:
            names = self.trade_names if "trade_names.toml" in self._files else {}
            traded = names.get(re.sub(r"\W+", "_", name.strip().lower()))
            says = traded.says(self.drugs) if traded is not None else ""
            raise UnknownNameError("drug", name, self.drugs, also=self.aliases, says=says, list_with="schild drugs")
        self._drug_of[name] = self.drugs[key]
        return self._drug_of[name]

    @property
    def published_arrests(self) -> tuple[PublishedArrest, ...]:
        """Published percentages of cardiac arrest."""
        return read_arrests(self._files["rescue/arrest_published.csv"][-1].text)

    @property
    def shipped(self) -> Catalogue:
        """The catalogue that comes with schild, without any overlay."""
        return self if self._made == (None, ()) else _from_environment("")

    @cached_property
    def digest(self) -> str:
        """Hash of the whole catalogue, overlays included."""
        return digest_of(file for layers in self._files.values() for file in layers)

    @property
    def stamp(self) -> dict[str, Any]:
        """Entry of a manifest about overlays: ``{"overlays": [{"name", "hash"}, ...]}``, or nothing without any."""
        return {"overlays": [dict(entry) for entry in self.overlays]} if self.overlays else {}

    def text_of(self, drug: str) -> str:
        """Text of the file of a drug, as it lies on top."""
        return self._layers(f"drugs/{drug}.toml")[-1].text

    def where(self, place: str, *path: str | int) -> str:
        """File and line, for messages, of a table or key at a place such as ``drugs/naltrexone.toml``."""
        layers = self._files.get(place, [])
        for file in reversed(layers):
            if file is layers[0] or has_path(file.text, path[:2]):
                return f"{file.name}, line {line_of(file.text, path)}" if path else file.name
        return place

    def has(self, place: str, *path: str | int) -> bool:
        """Whether a file at a place has a table or key of that path."""
        return any(has_path(file.text, path) for file in self._files.get(place, ()))

    def _layers(self, place: str) -> list[DataFile]:
        if place not in self._files:
            raise CatalogueError(f"The catalogue lacks the file {place}.")
        return self._files[place]

    def _table(self, file: DataFile) -> Table:
        table = Table.of(file.text, file.name, file.own)
        if file.own:
            table.asked.add("reference")  # read by _references
        return table

    def _head(self, file: DataFile) -> Table:
        # In TOML whatever stands before the first table header is a document of its own.
        return Table.of(file.text.split("\n[", 1)[0], file.name, file.own)

    def _aliases(self) -> dict[str, str]:
        found: dict[str, str] = {}
        tops = {key: self._layers(f"drugs/{key}.toml")[-1] for key in self.drugs}
        for key, file in sorted(tops.items(), key=lambda item: item[1].own):
            head = self._head(file)
            for alias in (key, *head.texts("aliases")):
                other = found.setdefault(_plain(alias), key)
                if other != key:
                    raise head.fail(f"has the name {alias!r}, which already belongs to {other}.", "aliases")
        return found

    def _entries(self, folder: str, kind: str, read: Callable[[str, DataFile], T]) -> Mapping[str, T]:
        tops = [layers[-1] for place, layers in self._files.items() if place.startswith(f"{folder}/")]
        found = {file.key: file for file in sorted(tops, key=lambda file: file.key)}
        return _Lazy(kind, lambda: found, read)

    def _tops(self, place: str) -> Iterator[Table]:
        for file in self._layers(f"{place}.toml"):
            yield self._table(file)

    def _tables(self, place: str, kind: str, read: Callable[[str, Table], T]) -> Mapping[str, T]:
        def listed() -> dict[str, Table]:
            return {key: top.table(key) for top in self._tops(place) for key in top.data if key not in top.asked}

        return _Lazy(kind, listed, read)

    def _copied(self, owner: str, number: str) -> Number:
        return self.numbers_of(owner)[number]

    def _drug(self, key: str, file: DataFile) -> Drug:
        table = self._table(file)
        drug = read_drug(table, self._copied, file.digest)
        if drug.key != key:
            raise table.fail(f"has key = {drug.key!r}; expected {key!r}, as the file is called.", "key")
        for species, place in _species(table, drug):
            if species not in self.drugs:
                said = f"names the species {species!r}, which is not a drug of the catalogue."
                raise place.fail(said + meant(species, self.drugs), species)
            if species not in self._family(drug, species):
                raise place.fail(
                    f"delivers {species!r}, which is neither {key} nor one of its metabolites ([disposition.feeds], in "
                    "any number of steps); nothing would appear in its plasma.",
                    species,
                )
        return self._sound(table, drug)

    def _family(self, drug: Drug, wanted: str) -> set[str]:
        # The drug and its metabolites; other files are read only as far as the wanted species asks for it.
        found, waiting = {drug.key}, [drug]
        while waiting and wanted not in found:
            fed = waiting.pop().disposition
            new = set(fed.feeds if fed is not None else ()) - found
            found |= new
            if wanted not in found:
                waiting += [self.drugs[key] for key in sorted(new) if key in self.drugs]
        return found

    def _claims(self, key: str, file: DataFile) -> Book:
        table = self._table(file)
        book = read_book(table, self)
        if book.drug != key:
            raise table.fail(f"has drug = {book.drug!r}; expected {key!r}, as the file is called.", "drug")
        return book

    @cached_property
    def _default_mechanism(self) -> str | None:
        # An overlay that marks a mechanism as default takes the place of the built-in default.
        default = None
        for top in self._tops("adaptation"):
            marked = [name for name, entry in top.data.items() if isinstance(entry, dict) and entry.get("default")]
            if len(marked) > 1 or not (marked or default):
                raise top.fail("marks no mechanism or several as default; expected exactly one.")
            default = marked[0] if marked else default
        return default

    def _mechanism(self, key: str, table: Table) -> Adaptation:
        found = replace(read_adaptation(key, table, self._copied), default=key == self._default_mechanism)
        return self._sound(table, found)

    def _sound(self, table: Table, entry: T) -> T:
        # The built-in entries are checked by the audit.
        if table.own:
            check_numbers(table, entry)
        return entry

    def _known_misses(self) -> dict[str, KnownMiss]:
        found: dict[str, KnownMiss] = {}
        for top in self._tops("known_misses"):
            listed: dict[str, KnownMiss] = {}
            for table in top.tables("miss"):
                row = table.record(KnownMiss)
                if row.id in listed:
                    raise table.fail(f"lists {row.id!r} a second time.", "id")
                listed[row.id] = row
            top.done()
            found |= listed
        return found

    def _owned(self, owner: str, place: str) -> Mapping[str, Number]:
        return _Lazy(f"number of {owner}", lambda: self._numbers(owner, place))

    def _numbers(self, owner: str, place: str) -> dict[str, Number]:
        found: dict[str, Number] = {}

        def copied(other: str, number: str) -> Number:
            return found[number] if other == owner else self._copied(other, number)

        for top in self._tops(place):
            top.text("name", "" if found else ...)
            top.text("says", "")
            found |= (read := read_numbers(top, owner, copied))
            top.done()
            if top.own:
                units = {"alcohol": ALCOHOL_UNITS, "trial": TRIAL_UNITS}.get(owner, {})
                check_uses(top, read, [Use(name, unit, owner) for name, unit in units.items()])
        return found

    def _references(self) -> dict[str, Reference]:
        found = []
        for file in (file for layers in self._files.values() for file in layers):
            if file.path.name.endswith(".bib"):
                found += parse_bibtex(file.text, file.name)
            elif file.own:
                found += [
                    read_reference(table) for table in Table.of(file.text, file.name, file.own).tables("reference")
                ]
        return {entry.key: entry for entry in found}


@lru_cache(maxsize=4)
def _from_environment(overlays: str) -> Catalogue:
    return Catalogue(overlays=[path for path in overlays.split(os.pathsep) if path])


def _again(folder: str | Path | None, overlays: tuple[str | Path, ...]) -> Catalogue:
    # A catalogue that travels to another process is read there again.
    shared = load()
    return shared if shared._made == (folder, overlays) else Catalogue(folder, overlays)


def load(*overlays: str | Path) -> Catalogue:
    """Load the catalogue that comes with schild, with overlays over it.

    Parameters
    ----------
    *overlays : path-like
        Files or folders of one's own that lie over it, the last on top (see `Catalogue`). Those of the environment
        variable ``SCHILD_CATALOGUE`` (separated as in PATH) lie below them.

    Returns
    -------
    Catalogue
        The catalogue; without overlays the same object each time.

    Raises
    ------
    CatalogueError
        If an overlay is missing or has no data; later, if a file that is asked for is broken.

    Examples
    --------
    >>> "naltrexone" in load().drugs
    True
    """
    shared = _from_environment(os.environ.get(VARIABLE, ""))
    return Catalogue(overlays=[*shared._made[1], *overlays]) if overlays else shared


def drug_from_dict(data: Mapping[str, Any], file: str = "<dict>") -> Drug:
    """Build one drug from a parsed TOML document.

    Returns the entry. Numbers copied from other drugs (``same_as``) come from the shipped catalogue. Raises
    CatalogueError if the document breaks the schema.

    >>> drug_from_dict({"key": "x", "name": "x", "role": "agonist", "summary": "A test."}).key
    'x'
    """
    return read_drug(Table(data, file), lambda owner, number: load().numbers_of(owner)[number])


def _species(table: Table, drug: Drug) -> Iterator[tuple[str, Table]]:
    # Every species that a drug feeds or delivers, with the table that names it.
    if drug.disposition is not None:
        yield from ((key, table.table("disposition").table("feeds")) for key in drug.disposition.feeds)
    for name, route in drug.routes.items():
        inner = table.table("route").table(name).tables("branch")
        for branch, entry in zip(route.branches, inner, strict=True):
            yield from ((part.species, entry.table("deliver")) for part in branch.deliver)


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-]+", "-", name.strip().lower())
