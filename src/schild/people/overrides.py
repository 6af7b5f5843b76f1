"""Numbers given in place of the catalogue's: names checked, values read with their units, once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from schild.catalog import Catalogue, Drug
from schild.catalog.numbers import NOT_NEGATIVE, POSITIVE
from schild.catalog.uses import limits_of
from schild.errors import InputError, UnknownNameError
from schild.evidence import Number
from schild.units import convert

#: Overrides as given: a value in the number's own unit, or text with a unit, by name.
Given: TypeAlias = Mapping[str, "float | str"]

#: Name that selects, for every number that has one, the rival value of a key.
RIVALS = "rivals"

#: Limits of a number whose use gives none.
_ANY = (-math.inf, math.inf)


class Overrides(Mapping[str, float]):
    """Checked values by ``"owner.number"``, each in the unit of its number.

    ``values``: from ``Overrides.of``, which checks them; ``by_key``: which of them are rival values taken by their key.

    >>> from schild.catalog import load
    >>> Overrides.of({"naltrexone.cl": "2 L/min", "pupil.baseline": 5}, load())
    Overrides({'naltrexone.cl': 120.0, 'pupil.baseline': 5.0})
    >>> Overrides.of({"naltrexone.clx": 1}, load())
    Traceback (most recent call last):
        ...
    schild.errors.UnknownNameError: No number of naltrexone is called 'clx'. Did you mean 'cl'?
    """

    def __init__(self, values: Mapping[str, float], by_key: Iterable[str] = ()) -> None:
        self._values = dict(values)
        self.by_key = frozenset(by_key)

    @classmethod
    def of(cls, given: Given | None, catalogue: Catalogue) -> Overrides:
        """Check names and read values.

        ``given``: values by ``"owner.number"``: a float in the number's own unit, or text such as ``"120 L/h"``. The
        owner is a drug (or one of its other names), an effect, a mechanism of adaptation, a population, ``alcohol``,
        ``trial`` or ``rescue``. ``"naltrexone.ke0"`` stands for the number of that name in whichever structure the run
        uses. ``{"rivals": "joint"}`` takes, for every number that has one, the rival value of that key; numbers that
        are given by name stay. ``catalogue``: with the numbers. Returns the same object if it has been checked
        before. Raises UnknownNameError for an owner, a number or a key that does not exist; the message names close
        matches; InputError for a value that is not a number, has a unit of another dimension, or lies outside the
        bounds of the number.
        """
        if isinstance(given, Overrides):
            return given
        if not isinstance(catalogue, Catalogue):
            raise InputError(
                f"The catalogue is {catalogue!r}; expected a loaded one. Write catalogue=schild.load('mine.toml')."
            )
        if given is not None and not isinstance(given, Mapping):
            raise InputError(
                f"The overrides are {given!r}; expected a mapping of names to values. Write it like "
                "{'naltrexone.cl': '120 L/h'}."
            )
        plain = {name: value for name, value in (given or {}).items() if name != RIVALS}
        rivals = _rivals(given[RIVALS], catalogue) if given and RIVALS in given else {}
        named = dict(_checked(name, value, catalogue) for name, value in plain.items())
        return cls(rivals | named, rivals.keys() - named.keys())

    def and_(self, given: Given | None, catalogue: Catalogue) -> Overrides:
        """Return these overrides with others, which take precedence."""
        if not given:
            return self
        over = Overrides.of(given, catalogue)
        return Overrides({**self, **over}, (self.by_key - over.keys()) | over.by_key)

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Overrides({self._values!r})"


def _rivals(key: float | str, catalogue: Catalogue) -> dict[str, float]:
    """Rival values of a key, by the name of their number; the largest published doses stay out of it."""
    numbers: dict[str, Number] = {}
    for owner in catalogue.owners:
        largest = _largest_doses(catalogue, owner)
        numbers |= {f"{owner}.{name}": n for name, n in catalogue.numbers_of(owner).items() if name not in largest}
    found = {name: value.value for name, n in numbers.items() for value in n.rivals if value.key == key}
    if not found:
        raise UnknownNameError("rival value", str(key), {value.key for n in numbers.values() for value in n.rivals})
    return found


def _largest_doses(catalogue: Catalogue, owner: str) -> set[str | None]:
    """Names of the numbers of a drug that are the largest dose of published human challenges."""
    entry = catalogue.entry_of(owner)
    return {route.challenge for route in entry.routes.values()} if isinstance(entry, Drug) else set()


def _checked(name: str, value: float | str, catalogue: Catalogue) -> tuple[str, float]:
    """Name with the key of its owner, and the value in the number's unit."""
    if not isinstance(name, str) or "." not in name:
        raise InputError(
            f"The number {name!r} was given; expected its owner and its name, as in 'naltrexone.cl'. "
            "`schild drugs NAME` lists the numbers of a drug."
        )
    owner, _, short = name.partition(".")
    if owner not in catalogue.owners and owner.lower() in catalogue.aliases:
        owner = catalogue.drug(owner).key
    numbers = catalogue.numbers_of(owner)
    entry = catalogue.entry_of(owner)
    structures = entry.structures if isinstance(entry, Drug) else {}
    versions = [numbers[full] for key in structures if (full := f"{key}.{short}") in numbers]
    if short not in numbers and not versions:
        general = {n.removeprefix(f"{key}.") for key in structures for n in numbers if n.startswith(f"{key}.")}
        raise UnknownNameError(f"number of {owner}", short, {*numbers, *general})
    if short in _largest_doses(catalogue, owner):
        raise InputError(
            f"{owner}.{short} was given; it is the largest dose of published human challenges, above which schild "
            "computes nothing while an antagonist acts, and it cannot be replaced. Leave it out."
        )
    number = numbers[short] if short in numbers else versions[0]
    return f"{owner}.{short}", _read(f"{owner}.{short}", value, number, *_limits(catalogue, owner).get(short, _ANY))


@lru_cache(maxsize=256)
def _limits(catalogue: Catalogue, owner: str) -> Mapping[str, tuple[float, float]]:
    entry = catalogue.entry_of(owner)
    return {} if entry is None else limits_of(entry)


def _read(name: str, value: float | str, number: Number, least: float, most: float) -> float:
    if isinstance(value, str):
        found = convert(value, number.unit or "1", name)
    else:
        try:
            found = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            found = math.nan
    unit = "" if number.unit in ("", "1") else f" {number.unit}"
    if not math.isfinite(found):
        raise InputError(
            f"{name} is {value!r}; expected a finite number, or text such as '{number.value:g}{unit}'. Correct it."
        )
    low, high = number.bounds or (0.0 if number.unit in NOT_NEGATIVE and number.value >= 0.0 else -math.inf, math.inf)
    low, high = max(low, least), min(high, most)
    if not low <= found <= high:
        limits = f"{low:g} to {high:g}{unit}" if math.isfinite(high) else f"{low:g}{unit} or more"
        raise InputError(f"{name} is {value!r}; expected {limits}. Correct it.")
    if found == 0.0 and number.unit in POSITIVE:
        raise InputError(f"{name} is {value!r}; expected above 0{unit}. Correct it.")
    return found
