"""Values of numbers for people, from catalogue and overrides, with a record of what was used."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.catalog import Adaptation, Catalogue, Covariate, Drug
from schild.errors import CatalogueError, UnknownNameError
from schild.evidence import Number
from schild.people.overrides import Given, Overrides
from schild.people.spread_between_studies import between_studies

#: Largest number of people whose draws and values are kept; copies for more would be large.
FEW = 500


#: A draw of standard normals for a named quantity, one per person.
Draw = Callable[[str], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """People who take the drugs."""

    n: int
    #: ``weight_kg``, ``age_years``, ``crcl_ml_min`` as arrays of shape (n,); ``liver``, ``sex``, ``dependent`` as
    #: arrays of text
    covariates: Mapping[str, NDArray[np.float64] | NDArray[np.str_]] = field(default_factory=dict)
    #: Give standard normals of shape (n,) for a name; None leaves that kind of variation out. The same name always
    #: gives the same draws.
    between_subject: Draw | None = None
    between_occasion: Draw | None = None
    uncertainty: Draw | None = None
    #: Values of these people that do not depend on their doses: numbers, and states after earlier use
    kept: dict[Hashable, Any] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> list[Any]:
        # What is kept holds functions, which are not pickled, and is made again.
        return [{} if entry.name == "kept" else getattr(self, entry.name) for entry in fields(self)]


@dataclass(slots=True)
class Uses:
    """Record of a run: numbers used, overrides used, and covariates that numbers depend on."""

    #: By owner and name, as the catalogue has them
    numbers: dict[tuple[str, str], Number] = field(default_factory=dict)
    #: Typical values, overrides included
    values: dict[tuple[str, str], float] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)  #: Names of overrides that were used
    covariates: set[str] = field(default_factory=set)  #: Covariates on which a number depends

    def add(self, other: Uses) -> None:
        """Add the entries of another record."""
        self.numbers.update(other.numbers)
        self.values.update(other.values)
        self.given |= other.given
        self.covariates |= other.covariates

    @property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """Citation key of each chosen value to the numbers it gives, as ``"owner.number"``."""
        found: dict[str, set[str]] = {}
        for (owner, name), number in self.numbers.items():
            for source in number.chosen.source:
                found.setdefault(source, set()).add(f"{owner}.{name}")
        return {key: tuple(sorted(names)) for key, names in found.items()}

    def digests(self, catalogue: Catalogue) -> dict[str, str]:
        """Hashes by owner: its structure, and every number used with its spreads and bounds.

        ``catalogue``: with the numbers. A hash changes with each number used, of the catalogue or given in its place.
        """
        parts: dict[str, list[tuple[str, float]]] = {}
        for (owner, name), value in sorted(self.values.items()):
            parts.setdefault(owner, []).append((name, value))
        return {owner: _digest(catalogue, owner, tuple(used)) for owner, used in parts.items()}

    def unused(self, overrides: Overrides, covariates: Mapping[str, Any] | None = None) -> list[str]:
        """Name the given numbers and covariates that changed nothing.

        ``overrides``: numbers given in place of the catalogue's; ``covariates``: covariates given for everybody that
        differ from the typical person, by the names of ``Subject``. Rival values taken by their key are named only if
        the run uses none of them.
        """
        said = []
        rivals = overrides.by_key
        if rivals and not rivals & self.given:
            said.append("Rival values were given, and no number of this run uses one.")
        for name in overrides:
            if name in self.given or name in rivals:
                continue
            owner, _, short = name.partition(".")
            others = sorted(n for o, n in self.numbers if o == owner and n.endswith(f".{short}"))
            instead = f" It uses {', '.join(f'{owner}.{n}' for n in others)}." if others else ""
            said.append(f"{name} was given, and no number of this run uses it.{instead}")
        given = covariates or {}
        idle = [_COVARIATES[name].format(value) for name, value in given.items() if name not in self.covariates]
        if idle:
            words, it = ("was", "it") if len(idle) == 1 else ("were", "them")
            said.append(f"{', '.join(idle)} {words} given, and no number of this run depends on {it}.")
        return said


@lru_cache(maxsize=256)
def _form(catalogue: Catalogue, owner: str) -> blake2b:
    """Hash of a list in JSON, as far as its first entry: the structure of an owner of numbers, without the numbers."""
    entry = catalogue.entry_of(owner)
    # The digest of a drug's file would change with its comments and with rivals that nothing uses.
    bare = None if entry is None else replace(entry, numbers={})
    form = repr(replace(bare, digest="") if isinstance(bare, Drug) else bare)
    return blake2b(f"[{json.dumps(form)}, ".encode(), digest_size=8)


@lru_cache(maxsize=1024)
def _digest(catalogue: Catalogue, owner: str, used: tuple[tuple[str, float], ...]) -> str:
    """Hash of the structure of an owner, and of its numbers of some names and values."""
    numbers, parts = catalogue.numbers_of(owner), []
    for name, value in used:
        number = numbers[name]
        spreads = [number.between_subject, number.between_occasion, number.uncertainty]
        parts.append([name, number.unit, value, number.bounds, number.same_as,
                      [None if s is None else [s.cv, s.law] for s in spreads]])  # fmt: skip
    whole = _form(catalogue, owner).copy()
    whole.update(f"{json.dumps(parts)}]".encode())
    return whole.hexdigest()


#: Covariates in the words of a run file.
_COVARIATES = {
    "weight_kg": "weight = {:g} kg",
    "age_years": "age = {:g} years",
    "crcl_ml_min": "crcl = {:g} mL/min",
    "liver": "liver = {}",
    "sex": "sex = {}",
    "dependent": "dependent = {}",
    "cyp2d6": "cyp2d6 = {}",
}


class Values:
    """Values of the numbers of a run.

    ``catalogue``: source of the numbers; ``people``: their values; by default typical values only; ``overrides``:
    values in place of the catalogue's, see ``Overrides.of``; ``uses``: record to add to; a new one by default;
    ``structures``: structure between plasma and receptor that each drug has in this run: it decides which version of a
    number is read; ``warnings``: about values set to a bound and the like, each once.

    >>> from schild.catalog import load
    >>> values = Values(load(), overrides={"naltrexone.cl": "120 L/h"})
    >>> values.typical("naltrexone", "cl"), values.typical("pupil", "baseline")
    (120.0, 6.0)
    >>> sorted(values.uses.numbers), values.uses.given
    ([('naltrexone', 'cl'), ('pupil', 'baseline')], {'naltrexone.cl'})
    """

    def __init__(
        self,
        catalogue: Catalogue,
        people: People | None = None,
        overrides: Given | None = None,
        *,
        uses: Uses | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.overrides = Overrides.of(overrides, catalogue)
        self.uses = Uses() if uses is None else uses
        self.structures: dict[str, str] = {}
        self.warnings: list[str] = []
        self._people = people
        self._kept: dict[tuple[str, str], float | Floats] = {}
        #: Numbers by owner, name and structure of the owner; typical values by owner, name and name of the number
        self._found: dict[tuple[str, str, str | None], Number] = {}
        self._known: dict[tuple[str, str, str], float] = {}

    def of_people(self, people: People | None) -> Values:
        """Return the values of other people, None for the typical person, with the same overrides and record."""
        other = Values(self.catalogue, people, self.overrides, uses=self.uses)
        other.structures, other._found, other._known = self.structures, self._found, self._known
        return other

    def apart(self) -> Values:
        """Return the values of the same people, with the same overrides and structures and a record of their own."""
        other = Values(self.catalogue, self._people, self.overrides)
        other.structures = dict(self.structures)
        return other

    def take_over(self, other: Values) -> None:
        """Take over what values that were made apart have chosen, used and said."""
        self.structures.update(other.structures)
        self.uses.add(other.uses)
        self._kept.update(other._kept)
        for warning in other.warnings:
            self.warn(warning)

    @property
    def people(self) -> People:
        """Return the people whose values these are."""
        assert self._people is not None  # callers have given them
        return self._people

    def covariate(self, name: str) -> NDArray[Any]:
        """Covariate of every person, shape (n,); its use is recorded."""
        self.uses.covariates.add(name)
        return np.asarray(self.people.covariates[name])

    def warn(self, warning: str) -> None:
        """Record a warning once."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    def number(self, owner: str, name: str) -> Number:
        """Look up a number, in the version of the chosen structure, and record its use.

        ``owner``: key of a drug, effect, mechanism or population, or ``alcohol``, ``trial``, ``rescue``. ``name``: name
        within the owner. A metabolite takes numbers that it lacks from the drug it follows. Raises UnknownNameError if
        there is none.
        """
        owner, number = self._find(owner, name)
        self._typical(owner, name, number)
        return number

    def typical(self, owner: str, name: str) -> float:
        """Value of a number for the typical person: the one given, or the catalogue's.

        ``owner`` and ``name``: as for ``number``. Returns values in the number's unit.
        """
        owner, number = self._find(owner, name)
        return self._typical(owner, name, number)

    def of(self, owner: str, name: str) -> float | Floats:
        """Value of a number for every person, with uncertainty, covariates and variability between people.

        ``owner`` and ``name``: as for ``number``. Returns values in the number's unit, within its bounds; a float where
        it is the same for all, or without people, shape (n,).
        """
        owner, number = self._find(owner, name)
        key = (owner, number.name)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._once((*key, name), lambda some: some._of(owner, name, number))
        return found

    def column(self, owner: str, name: str) -> Any:
        """Value of a number for every person, to be combined with arrays of shape (n, n_times)."""
        value = np.asarray(self.of(owner, name), dtype=np.float64)
        return value[:, None] if value.ndim else value

    def differing(self) -> dict[str, Floats]:
        """Numbers that differ between people, by ``"owner.number"``, shape (n,); of those that were used."""
        return {
            f"{owner}.{name}": np.asarray(value)
            for (owner, name), value in sorted(self._kept.items())
            if np.ndim(value) and np.ptp(value) > 0
        }

    def efficacy(self, receptor: str, species: str) -> float | Floats:
        """Intrinsic efficacy of a species at a receptor, for every person; 0 where the catalogue gives none. [1]"""
        name = self.catalogue.drugs[species].binding[receptor].efficacy
        return 0.0 if name is None else self.of(species, name)

    def between(self, owner: str, name: str) -> float | Floats:
        """Factor by which people differ from the typical person in a number, shape (n,) or 1."""
        owner, number = self._find(owner, name)
        self._typical(owner, name, number)
        if self.people.between_subject is None or number.between_subject is None:
            return 1.0
        return np.asarray(np.exp(number.between_subject.omega * self._eta(owner, number)), dtype=np.float64)

    def on_occasion(self, owner: str, name: str, occasion: int) -> float | Floats:
        """Value of a number for every person at one occasion; 0 leaves the variation between occasions out."""
        owner, number = self._find(owner, name)
        if not occasion or self.people.between_occasion is None or number.between_occasion is None:
            return self.of(owner, name)
        return self._once((owner, name, occasion), lambda some: some._on_occasion(owner, name, occasion))

    def _on_occasion(self, owner: str, name: str, occasion: int) -> float | Floats:
        value = self.of(owner, name)
        owner, number = self._find(owner, name)
        draw, within = self.people.between_occasion, number.between_occasion
        assert draw is not None  # the only caller has checked both
        assert within is not None
        z = draw(f"{self._origin(owner, number)[0]}@{occasion}")
        moved = spread(number, self._typical(owner, name, number), value, within.omega, z)
        return self._held(owner, number, moved, "on some occasions")

    # ---- rules ---------------------------------------------------------------------------------------------------

    def _find(self, owner: str, name: str) -> tuple[str, Number]:
        """Owner and number: of the structure in use, else the plain one, else that of the drug it follows."""
        key = (owner, name, self.structures.get(owner))
        if (kept := self._found.get(key)) is not None:
            return owner, kept
        numbers = self.catalogue.numbers_of(owner)
        found = numbers.get(f"{key[2]}.{name}") or numbers.get(name)
        if found is not None:
            self._found[key] = found
            return owner, found
        entry = self.catalogue.entry_of(owner)
        if isinstance(entry, Drug) and entry.follows is not None:
            return self._find(entry.follows, name)
        raise UnknownNameError(f"number of {owner}", name, numbers)

    def _origin(self, owner: str, number: Number) -> tuple[str, str, Number]:
        """Label, owner and number that a copy follows, through copies of copies: same override, same draws."""
        while number.same_as:
            owner, _, name = number.same_as.partition(":")
            number = self.catalogue.numbers_of(owner)[name]
        return f"{owner}.{number.name}", owner, number

    def _typical(self, owner: str, name: str, number: Number) -> float:
        if (known := self._known.get((owner, name, number.name))) is not None:
            return known
        given = None
        if self.overrides:
            # A name that is not a number itself means the number of that name in the structure in use.
            plain = () if name in self.catalogue.numbers_of(owner) else (f"{owner}.{name}",)
            given = next((x for x in (f"{owner}.{number.name}", *plain) if x in self.overrides), None)
        if given is not None:
            self.uses.given.add(given)
            value = self.overrides[given]
        elif number.same_as:  # a copy follows its origin, which is used and cited too
            of, _, first = number.same_as.partition(":")
            value = self._typical(of, first, self.catalogue.numbers_of(of)[first])
        else:
            value = number.value
        self.uses.numbers[owner, number.name] = number
        self.uses.values[owner, number.name] = self._known[owner, name, number.name] = value
        return value

    @cached_property
    def key(self) -> Hashable:
        """Key of the numbers of some people: catalogue, and the numbers given in its place."""
        return self.catalogue, tuple(sorted(self.overrides.items()))

    def _once(self, place: tuple[Any, ...], make: Callable[[Values], float | Floats]) -> float | Floats:
        """Make a value once for the same people, with what it used and warned of; ``place`` begins with its owner."""
        if self._people is None or not 1 < self._people.n <= FEW:
            return make(self)
        kept = self.people.kept.setdefault(self.key, {})
        place = (*place, self.structures.get(place[0]))
        if place not in kept:
            alone = self.apart()
            kept[place] = make(alone), alone.uses, alone.warnings
        value: float | Floats
        value, uses, warnings = kept[place]
        self.uses.add(uses)
        for warning in warnings:
            self.warn(warning)
        return value

    def _of(self, owner: str, name: str, number: Number) -> float | Floats:
        typical = self._typical(owner, name, number)
        if self._people is None:
            return typical
        value: float | Floats = typical
        people = self._people
        if people.uncertainty is not None:
            value = self._uncertain(owner, number, typical, people.uncertainty)
        entry = self.catalogue.entry_of(owner)
        if isinstance(entry, Drug):
            for covariate in entry.covariates:
                if covariate.on == name:
                    value = self._covariate(owner, covariate, value)
        if people.between_subject is not None and number.between_subject is not None:
            value = spread(number, typical, value, number.between_subject.omega, self._eta(owner, number))
        return value if typical is value else self._held(owner, number, value)

    def _uncertain(self, owner: str, number: Number, typical: float, draw: Draw) -> float | Floats:
        """Draw a typical value: by the catalogue's uncertainty, or by the spread between studies where it is larger.

        A copy is drawn with its origin, so it spreads as that does. Numbers that were sampled together are drawn
        together: each parameter set takes one stored draw, relative to the median of all.
        """
        label, of, origin = self._origin(owner, number)
        if (stored := self.catalogue.posterior.get(label)) is not None:
            return _by_stored(typical, stored, draw("posterior"), odds=origin.name.endswith("efficacy"))
        known = number.uncertainty
        if known is not None and known.law == "normal":
            return typical + known.cv * abs(typical) * draw(label)
        omega = 0.0 if known is None else known.omega
        entry = self.catalogue.entry_of(of)
        if isinstance(entry, Drug):
            omega = max(omega, between_studies(self.catalogue).omega(entry, origin.name, origin))
        return spread(number, typical, typical, omega, self._together(of, origin, draw)) if omega else typical

    def _together(self, owner: str, number: Number, draw: Draw) -> Floats:
        """Standard normals of a number's uncertainty, correlated with others of its mechanism as the catalogue says."""
        entry = self.catalogue.entry_of(owner)
        if not isinstance(entry, Adaptation) or number.name not in entry.correlated:
            return draw(f"{owner}.{number.name}")
        root = np.linalg.cholesky(np.array(entry.correlation))
        row = root[entry.correlated.index(number.name)]
        return np.asarray(sum(w * draw(f"{owner}.{n}") for w, n in zip(row, entry.correlated, strict=True) if w))

    def _eta(self, owner: str, number: Number) -> Floats:
        """Standard normals of a number between people, correlated as the catalogue says."""
        draw = self.people.between_subject
        assert draw is not None  # the only caller has checked
        entry = self.catalogue.entry_of(owner)
        linked = entry.correlations if isinstance(entry, Drug) else ()
        if not any(number.name in (c.a, c.b) for c in linked):
            return draw(self._origin(owner, number)[0])
        names = sorted({x for c in linked for x in (c.a, c.b)})
        matrix = np.eye(len(names))
        for c in linked:
            i, j = names.index(c.a), names.index(c.b)
            matrix[i, j] = matrix[j, i] = self.typical(owner, c.rho)
        try:
            root = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            raise CatalogueError(
                f"The correlations of {owner} do not form a valid matrix; expected one that is positive definite. "
                "Lower the correlations."
            ) from None
        eta = np.zeros(self.people.n)
        for weight, other in zip(root[names.index(number.name)], names, strict=True):
            if weight:
                eta = eta + weight * draw(self._origin(owner, self.catalogue.numbers_of(owner)[other])[0])
        return eta

    def _covariate(self, owner: str, covariate: Covariate, value: Any) -> Any:
        of, form, people = covariate.of, covariate.form, self.people
        have = people.covariates[of]
        if form == "factor":
            factor = np.ones(people.n)
            for level, name in covariate.factors.items():
                if (here := np.asarray(have) == level).any():
                    factor = np.where(here, self.of(owner, name), factor)
                    self.uses.covariates.add(of)
            return value * factor
        self.uses.covariates.add(of)
        slope, reference = self.of(owner, str(covariate.slope)), self.of(owner, str(covariate.reference))
        x = np.asarray(have, dtype=np.float64)
        if form == "power":
            return value * (x / reference) ** slope
        moved = np.asarray(value + slope * (x - reference))
        if (low := moved < 0.1 * value).any():
            # A straight line must not cross zero: the floor is a tenth of the typical value, with a warning.
            self.warn(
                f"{owner}: {int(low.sum())} of {people.n} people have a {of} so far from {np.mean(reference):g} that "
                f"{covariate.on} would fall below a tenth of its typical value; that tenth was taken."
            )
            moved = np.maximum(moved, 0.1 * value)
        return moved

    def _held(self, owner: str, number: Number, value: float | Floats, when: str = "") -> float | Floats:
        """Keep individual and drawn values of a number within its bounds, and warn where one was outside."""
        if number.bounds is None:
            return value
        low, high = number.bounds
        held = np.minimum(np.maximum(value, low), high)
        if (changed := held != value).any():
            n = self.people.n
            moved = int(np.count_nonzero(np.broadcast_to(changed, (n,))))
            who = f"{when} some people" if when else f"{moved} of {n} people"
            self.warn(f"{owner}: {who} would have {number.name} outside {low:g} to {high:g}; the limit was taken.")
        return np.asarray(held, dtype=np.float64)


def spread(number: Number, typical: float, value: float | Floats, omega: float, z: Floats) -> Floats:
    """Spread a value by standard normals: as a logarithm, or a fraction near its upper bound as log odds.

    ``typical``: the typical value; ``value``: the value after covariates and draws, of one or of each person;
    ``omega``: standard deviation of the logarithm. A number between 0 and a bound of at most 1 whose log-normal spread
    would reach the bound within three standard deviations is spread in the log odds of its share of the bound, so
    that one standard deviation below the typical value is the same as in the log-normal. The median is the typical
    value either way, and nobody is beyond the bound.

    >>> from schild.catalog import load
    >>> f = load().drugs["fentanyl"].numbers["in.f"]
    >>> f.value, spread(f, 0.85, 0.85, f.between_subject.omega, np.array([-1.0, 0.0, 1.0, 3.0])).round(3).tolist()
    (0.85, [0.634, 0.85, 0.949, 0.995])
    """
    bounds = number.bounds
    if bounds is None or not _near_bound(number, typical):
        return np.asarray(value * np.exp(omega * z), dtype=np.float64)
    share = np.clip(np.asarray(value) / bounds[1], 1e-12, 1.0 - 1e-9)
    below = share * np.exp(-omega)
    odds = np.log(share / (1.0 - share))
    width = odds - np.log(below / (1.0 - below))
    return np.asarray(bounds[1] / (1.0 + np.exp(-(odds + width * z))), dtype=np.float64)


def _near_bound(number: Number, typical: float) -> bool:
    """Whether the log-normal spread of a fraction would reach its upper bound within three standard deviations."""
    if number.bounds is None or number.bounds[0] != 0.0 or not 0.0 < typical < number.bounds[1] <= 1.0:
        return False
    people, within, known = (
        0.0 if x is None or x.law == "normal" else x.omega
        for x in (number.between_subject, number.between_occasion, number.uncertainty)
    )
    return typical * float(np.exp(3.0 * max(np.hypot(people, within), known))) > number.bounds[1]


def _by_stored(typical: float, stored: Floats, z: Floats, odds: bool) -> Floats:
    """Value of each parameter set from stored draws, moved so that their median is the typical value.

    ``z``: standard normals that pick the draw, the same for all numbers; ``odds``: move odds, for numbers below one.
    """
    from scipy.special import ndtr

    picked = stored[np.minimum((ndtr(z) * len(stored)).astype(np.int64), len(stored) - 1)]
    middle = float(np.median(stored))
    if not odds:
        return np.asarray(typical * picked / middle)
    if typical >= 1.0:
        return np.full(z.shape, typical)
    moved = typical / (1.0 - typical) * (picked / (1.0 - picked)) / (middle / (1.0 - middle))
    return np.asarray(moved / (1.0 + moved))
