"""Checks the whole catalogue for missing, dangling, unused or unreadable entries."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from schild.catalog.alcohol import ALCOHOL_UNITS, DRINK
from schild.catalog.claims import Book
from schild.catalog.drugs import ByDose, Drug
from schild.catalog.effects import Adaptation, Effect
from schild.catalog.loader import Catalogue
from schild.catalog.populations import ReferencePopulation
from schild.catalog.studies import Observation
from schild.catalog.substances import Strength
from schild.catalog.trial import TRIAL_UNITS
from schild.catalog.uses import Use, named, uses_of
from schild.errors import CatalogueError
from schild.evidence import BASES, VERIFIED, Number, Spread, Value
from schild.units.reading import pint_registry

KINDS: Mapping[str, str] = {
    "unreadable": "a file that breaks the schema",
    "no unit": "a number without a unit",
    "bad unit": "a unit that pint cannot read",
    "wrong unit": "a unit other than the one the model counts in",
    "out of range": "a value that the model cannot take",
    "no basis": "a value without a basis, or with an unknown one",
    "no source": "a value without a source",
    "no locator": "a value that does not say where in the source it stands",
    "no verified": "a value that does not say how it was checked, or says it in an unknown word",
    "no reason": "an assumed, derived or fitted value without reason, formula or script",
    "no why": "a choice between rivals without a reason",
    "unknown citation": "a source that the bibliography lacks",
    "unused number": "a number that nothing refers to",
    "falling": "a share absorbed that falls so fast that a larger dose brings less, or no reference dose",
    "unused spread": "a variation between occasions of a number that is not a fraction of a dose",
    "undefined": "a reference to something that is not there",
    "unused reference": "a bibliography entry that nothing cites",
    "bad doi": "a DOI that does not look like one",
}
"""Every kind of finding and what it means."""

#: Files whose tables are entries with numbers of their own.
_KEYED = ("populations.toml", "effects.toml", "adaptation.toml")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
#: Observables that are properties of a drug at an effect or a receptor, whatever is given.
_PROPERTIES = ("c50:", "c25:", "plateau:", "half_plateau:", "hill:", "half_occupancy:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault of the catalogue."""

    kind: str  #: One of `KINDS`
    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The result of an audit.

    >>> from schild.catalog import load
    >>> result = audit(load())
    >>> result.ok, result.findings
    (True, ())
    """

    findings: tuple[Finding, ...]  #: What is wrong; empty for a sound catalogue
    #: Sizes: ``drugs``, ``numbers``, ``values``, ``chosen``, ``rivals``, ``spreads``, ``observations``, ``references``.
    #: Classes: ``basis: <word>`` and ``verified: <word>`` over chosen values, rivals and spreads; ``chosen basis:
    #: <word>`` and ``chosen verified: <word>`` over the chosen values alone; ``observed verified: <word>`` over the
    #: observations.
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def audit(catalogue: Catalogue, check_book: Callable[[Book, Catalogue], None] | None = None) -> Audit:
    """Check every entry of a catalogue.

    ``catalogue``: any catalogue, sound or not; a file that cannot be read becomes a finding. ``check_book``: checks
    experiments and figures of claims: ``schild.explanation.check_book``. Left out, claims are read only. Returns
    findings and counts. `second_hand` and `memory` are counted apart, they are not findings.

    >>> from schild.catalog import load
    >>> audit(load()).counts["drugs"]
    26
    """
    walk = _Walk(catalogue)
    walk.run(check_book)
    return Audit(findings=tuple(walk.findings), counts=dict(walk.counts))


class _Walk:
    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.findings: list[Finding] = []
        self.counts: Counter[str] = Counter()
        self.cited: set[str] = set()
        self.known = self._entries("references.bib", catalogue.references)
        self.receptors = self._entries("receptors.toml", catalogue.receptors)

    def add(self, kind: str, where: str, message: str) -> None:
        self.findings.append(Finding(kind=kind, where=self._at(where), message=message))

    def _at(self, where: str) -> str:
        """File, line and entry of a place such as ``effects.toml: pupil: slope.fitted``."""
        place, *labels = where.split(": ")
        if not labels:
            return self.catalogue.where(place)
        names = labels[-1].split(".")
        tables = tuple(labels[:-1]) or ((labels[0],) if place in _KEYED else ())
        paths: list[tuple[str | int, ...]] = [
            (*tables, "number", ".".join(names[:n])) for n in range(len(names), 0, -1)
        ]
        paths += [(*tables, *names), tables]
        if place.startswith("studies/"):
            rows = self.catalogue.studies[place[8:-5]].observations
            paths = [("observation", next(i for i, row in enumerate(rows) if row.id == labels[0]))]
        found = next((path for path in paths if path and self.catalogue.has(place, *path)), ())
        return ": ".join([self.catalogue.where(place, *found), *labels])

    def _read(self, where: str, read: Any) -> Any:
        try:
            return read()
        except CatalogueError as error:
            self.add("unreadable", where, str(error))
            return None

    def _entries(self, where: str, entries: Mapping[str, Any]) -> dict[str, Any]:
        # They are read here, so that a fault in one is a finding.
        return self._read(where, lambda: dict(entries)) or {}

    def _numbers(self, file: str, numbers: Mapping[str, Number], units: Mapping[str, str] | None = None) -> None:
        for number in numbers.values():
            self._number(number, f"{file}: {number.name}")
        if units is not None:
            place = file.removesuffix(".toml")
            self._check_uses(file, numbers, [Use(name, unit, place) for name, unit in units.items()])

    def run(self, check_book: Callable[[Book, Catalogue], None] | None) -> None:
        for key in self.catalogue.drugs:
            drug = self._read(f"drugs/{key}.toml", lambda key=key: self.catalogue.drugs[key])
            if drug is not None:
                self.counts["drugs"] += 1
                self._drug(drug)
        for file, entries, walk in (
            ("populations.toml", self.catalogue.populations, self._population),
            ("effects.toml", self.catalogue.effects, self._effect),
            ("adaptation.toml", self.catalogue.adaptation, self._adaptation),
        ):
            for entry in self._entries(file, entries).values():
                walk(entry)
        alcohol = self._entries("alcohol.toml", self.catalogue.alcohol)
        drinks = {name: "g" for name in alcohol if name.startswith(DRINK)}
        self._numbers("alcohol.toml", alcohol, {**ALCOHOL_UNITS, **drinks})
        self._numbers("trial.toml", self._entries("trial.toml", self.catalogue.trial), TRIAL_UNITS)
        self._numbers("rescue/physiology.toml", self._entries("rescue/physiology.toml", self.catalogue.rescue))
        rows: set[str] = set()
        for key in self.catalogue.studies:
            study = self._read(f"studies/{key}.toml", lambda key=key: self.catalogue.studies[key])
            for row in study.observations if study else ():
                self._observation(row, f"studies/{key}.toml: {row.id}")
                rows.add(row.id)
        self.cited |= {row["study"] for row in (*self.catalogue.dose_series, *self.catalogue.challenges)}
        self.cited |= {row["source"] for row in (*self.catalogue.opioid_trials, *self.catalogue.placebo_arms)}
        for key in self.catalogue.claims:
            book = self._read(f"claims/{key}.toml", lambda key=key: self.catalogue.claims[key])
            if book is not None:
                self.cited |= {source for test in book.tests for source in test.source}
                if check_book is not None:
                    self._read(f"claims/{key}.toml", lambda book=book: check_book(book, self.catalogue))
        for row in self._entries("known_misses.toml", self.catalogue.known_misses).values():
            if row.id not in rows:
                self.add("undefined", f"known_misses.toml: {row.id}", "is not a row of any study here.")
        self._references()

    def _drug(self, drug: Drug) -> None:
        file = f"drugs/{drug.key}.toml"
        self._numbers(file, drug.numbers)
        structures = set(drug.structures)
        if drug.follows is not None:
            if drug.follows in self.catalogue.drugs:
                parent = self._read(file, lambda: self.catalogue.drugs[drug.follows or ""])
                structures |= set(parent.structures) if parent else set()
            else:
                self.add("undefined", file, f"follows a drug {drug.follows!r} that is not there.")
        self._check_uses(file, drug.numbers, uses_of(drug), structures)
        # Only what a dose brings can differ from dose to dose; a rate belongs to the person, whatever was given.
        ways = [*drug.routes.values(), *(drug.route(p.route, p.key) for p in drug.products.values())]
        brought = [d for route in ways for branch in route.branches for d in branch.deliver]
        doses = {use.name for part in brought for use in named(part)}
        for name, number in drug.numbers.items():
            if number.between_occasion is not None and name not in doses:
                self.add(
                    "unused spread",
                    f"{file}: {name}",
                    "varies between occasions, but only fractions that a route delivers can; it would have no effect.",
                )
        for way, strength in drug.strengths.items():
            self._source(strength, f"{file}: strength.{way}")
        for receptor in drug.binding:
            if receptor not in self.receptors:
                self.add("undefined", file, f"binds to {receptor!r}, which is not a receptor here.")
        for route in drug.routes.values():
            if route.salt != "base" and route.salt not in drug.salts:
                self.add("undefined", f"{file}: route.{route.key}", f"salt {route.salt!r} is not in [salts].")
            if route.by_dose is not None:
                self._by_dose(drug, route.by_dose, file)
        for product in drug.products.values():
            place = f"{file}: product.{product.key}"
            if product.salt not in ("", "base", *drug.salts):
                self.add("undefined", place, f"salt {product.salt!r} is not in [salts].")
            route = drug.routes[product.route]
            known = {use.name for part in (*route.branches, route.by_dose) if part for use in named(part)}
            for name in sorted(set(product.replaces) - known):
                self.add("undefined", place, f"replaces {name!r}, which its route does not use.")

    def _by_dose(self, drug: Drug, by_dose: ByDose, file: str) -> None:
        # Rivals too: any of them may be chosen one day.
        for name, least in ((by_dose.reference, 0.0), (by_dose.exponent, -1.0)):
            for value in drug.numbers[name].values if name in drug.numbers else ():
                if not value.value > least:
                    self.add("falling", f"{file}: {name}.{value.key}", f"is {value.value:g}; expected above {least:g}.")

    def _check_uses(
        self, file: str, numbers: Mapping[str, Number], uses: Iterable[Use], structures: Collection[str] = ()
    ) -> None:
        used: set[str] = set()
        for name, unit, place, low, high in uses:
            versions = [f"{structure}.{name}" for structure in structures]
            found = [version for version in (name, *versions) if version in numbers]
            if not found:
                self.add("undefined", f"{file}: {place}", f"the number {name!r} is not defined.")
            for version in found:
                used.add(version)
                given = numbers[version].unit
                if unit is not None and given and given != unit:
                    self.add("wrong unit", f"{file}: {version}", f"is in {given}; the model counts in {unit}.")
                for value in numbers[version].values:
                    if not low <= value.value <= high:
                        said = f"is {value.value:g}; expected {low:g} to {high:g}."
                        self.add("out of range", f"{file}: {version}.{value.key}", said)
        for name in numbers:
            if name not in used:
                self.add("unused number", f"{file}: {name}", "nothing refers to it.")

    def _population(self, population: ReferencePopulation) -> None:
        file = f"populations.toml: {population.key}"
        self._numbers(file, population.numbers)
        self._check_uses(file, population.numbers, named(population))
        for name in (name for pair in population.correlations for name in (pair.a, pair.b)):
            if name not in population.covariates:
                self.add("undefined", file, f"correlates {name!r}, which is not a covariate here.")

    def _effect(self, effect: Effect) -> None:
        file = f"effects.toml: {effect.key}"
        self._numbers(file, effect.numbers)
        self._check_uses(file, effect.numbers, named(effect))
        for receptor in effect.reserve:
            if receptor not in self.receptors:
                self.add("undefined", file, f"listens to {receptor!r}, which is not a receptor here.")
        for drug in (*effect.transduction, *((effect.reference_agonist,) if effect.reference_agonist else ())):
            if drug not in self.catalogue.drugs:
                self.add("undefined", file, f"names {drug!r}, which is not a drug here.")

    def _adaptation(self, entry: Adaptation) -> None:
        file = f"adaptation.toml: {entry.key}"
        self._numbers(file, entry.numbers)
        self._check_uses(file, entry.numbers, named(entry))
        for receptor in entry.receptors:
            if receptor not in self.receptors:
                self.add("undefined", file, f"follows {receptor!r}, which is not a receptor here.")
        for effect in entry.tolerance:
            if effect not in self.catalogue.effects:
                self.add("undefined", file, f"is a tolerance of {effect!r}, which is not an effect here.")

    def _number(self, number: Number, where: str) -> None:
        self.counts["numbers"] += 1
        if not number.unit:
            self.add("no unit", where, 'has no unit; a dimensionless number has unit = "1".')
        elif not _readable(number.unit):
            self.add("bad unit", where, f"has the unit {number.unit!r}, which pint cannot read.")
        if len(number.values) > 1 and not number.why and number.same_as is None:
            self.add("no why", where, "has rivals but does not say why one was chosen.")
        for value in number.values:
            chosen = value.key == number.chosen_key
            self.counts["chosen" if chosen else "rivals"] += 1
            self._provenance(value, f"{where}.{value.key}", chosen=chosen)
        origin = None
        if number.same_as is not None:
            owner, _, name = number.same_as.partition(":")
            origin = self.catalogue.numbers_of(owner)[name]
        for kind in ("between_subject", "between_occasion", "uncertainty"):
            spread: Spread | None = getattr(number, kind)
            if spread is not None and spread is not getattr(origin, kind, None):
                self.counts["spreads"] += 1
                self._provenance(spread, f"{where}.{kind}", chosen=False)

    def _provenance(self, entry: Value | Spread, where: str, *, chosen: bool) -> None:
        self.counts["values"] += 1
        for word in (f"basis: {entry.basis}", f"verified: {entry.verified}"):
            self.counts[word] += 1
            if chosen:
                self.counts[f"chosen {word}"] += 1
        if entry.basis not in BASES:
            self.add("no basis", where, f"has basis {entry.basis!r}; expected one of {', '.join(BASES)}.")
        if entry.basis in ("assumed", "derived", "fitted") and not entry.note:
            self.add("no reason", where, f"is {entry.basis} but its note is empty.")
        self._source(entry, where)

    def _source(self, entry: Value | Spread | Observation | Strength, where: str) -> None:
        if entry.verified not in VERIFIED:
            known = ", ".join(VERIFIED)
            self.add("no verified", where, f"has verified {entry.verified!r}; expected one of {known}.")
        if not entry.source:
            self.add("no source", where, 'names no source; a number of ours cites "schild".')
        if not (isinstance(entry, Strength) or entry.locator):
            self.add("no locator", where, "does not say where in the source it stands.")
        for key in entry.source:
            self.cited.add(key)
            if key not in self.known:
                self.add("unknown citation", where, f"cites {key!r}, which references.bib lacks.")

    def _observation(self, row: Observation, where: str) -> None:
        self.counts["observations"] += 1
        self.counts[f"observed verified: {row.verified}"] += 1
        if not _readable(row.unit):
            self.add("bad unit", where, f"has the unit {row.unit!r}, which pint cannot read.")
        self._source(row, where)
        if row.species not in self.catalogue.drugs and row.species not in self.receptors:
            self.add("undefined", where, f"observes {row.species!r}, neither a drug nor a receptor here.")
        if not row.regimen and row.observable.startswith(_PROPERTIES):
            return
        drug = row.regimen.split(" ", 1)[0]
        if drug not in self.catalogue.drugs:
            self.add("undefined", where, f"gives {drug!r}, which is not a drug here.")

    def _references(self) -> None:
        self.counts["references"] = len(self.known)
        for key, entry in self.known.items():
            if entry.doi and not _DOI.fullmatch(entry.doi):
                self.add("bad doi", f"references.bib: {key}", f"{entry.doi!r} does not look like a DOI.")
            if key not in self.cited:
                self.add("unused reference", f"references.bib: {key}", "nothing cites it.")


@lru_cache(maxsize=256)
def _readable(unit: str) -> bool:
    if unit == "1":
        return True
    try:
        pint_registry().parse_units(unit)
    except Exception:  # pint raises whatever its tokenizer or its lookup raises
        return False
    return True
