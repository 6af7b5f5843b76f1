"""Parts shared by all readers of units: tables of units, a number with its unit, pint for rare units."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol, TypeAlias, runtime_checkable

from schild.errors import InputError

TICKS_PER_HOUR = 3_600_000_000
"""Ticks in an hour; a tick is a microsecond, so two events are simultaneous or they are not."""

MAX_TICKS = 100 * 8766 * TICKS_PER_HOUR
"""The farthest time that is accepted, one hundred years, either side of time 0."""

TIME = {
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1_000),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1_000_000),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60_000_000),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), TICKS_PER_HOUR),
    **dict.fromkeys(("d", "day", "days"), 24 * TICKS_PER_HOUR),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 168 * TICKS_PER_HOUR),
}
PER = {1_000_000: "s", 60_000_000: "min", TICKS_PER_HOUR: "h", 24 * TICKS_PER_HOUR: "d"}
UNCERTAIN_TIME = {
    "m": "m is a minute, a month or a metre. Write min, or days",
    **dict.fromkeys(("mo", "month", "months"), "a month has 28 to 31 days. Write days, e.g. 28 d"),
    **dict.fromkeys(("y", "yr", "yrs", "a", "year", "years"), "a year has 365 or 366 days. Write 365 d"),
}

# Powers of ten over ng and over nmol.
MASS = {"kg": 12, "g": 9, "mg": 6, "ug": 3, "ng": 0}
MOLAR = {"mol": 9, "mmol": 6, "umol": 3, "nmol": 0}
AMOUNT_NAMES = {
    **{unit: unit for unit in (*MASS, *MOLAR)},
    **dict.fromkeys(("mcg", "µg", "μg", "UG", "MCG", "microgram", "micrograms"), "ug"),
    **dict.fromkeys(("µmol", "μmol"), "umol"),
    **dict.fromkeys(("MG", "milligram", "milligrams"), "mg"),
    **dict.fromkeys(("G", "gram", "grams"), "g"),
    **dict.fromkeys(("KG", "kilogram", "kilograms"), "kg"),
    **dict.fromkeys(("NG", "nanogram", "nanograms"), "ng"),
}
UNCERTAIN_AMOUNT = {"gr": "gr is a grain (65 mg) or a gram"}
VOLUME = {
    **dict.fromkeys(("L", "l", "litre", "litres", "liter", "liters"), Fraction(1)),
    **dict.fromkeys(("dL", "dl"), Fraction(1, 10)),
    **dict.fromkeys(("mL", "ml"), Fraction(1, 1000)),
    **dict.fromkeys(("uL", "ul", "µL", "μL", "µl", "μl"), Fraction(1, 1_000_000)),
}

# Bounds of any number with a unit here: wide enough for every drug, narrow enough never to overflow.
LEAST, MOST = 1e-12, 1e15

AMOUNTS = "kg, g, mg, ug (or mcg), ng, mol, mmol, umol, nmol, each also per kg of body weight (mg/kg)"
_NUMBER = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)(?![0-9.,])\s*(.*)", re.DOTALL)
_PLAIN_UNIT = re.compile(r"[A-Za-zµμ]{1,24}")


@runtime_checkable
class Quantity(Protocol):
    """Anything that carries a magnitude and converts itself, as a pint quantity does."""

    @property
    def magnitude(self) -> Any:
        """The number without its unit."""

    def to(self, unit: str, /) -> Any:
        """Convert to another unit."""


#: A time in words, in hours, or as a quantity.
TimeLike: TypeAlias = str | float | Quantity


def shown(value: object) -> str:
    """Write what was given for a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}...{text[-1]}"


def split(text: str, kind: str, example: str) -> tuple[str, str]:
    """Split text into its number and its unit, which may be empty."""
    cleaned = text.strip().replace("\N{MINUS SIGN}", "-")
    found = _NUMBER.fullmatch(cleaned)
    if found is None or len(found[1]) > 40:
        comma = " Write the decimal sign as a point." if re.match(r"[+-]?[0-9]+,[0-9]", cleaned) else ""
        raise InputError(
            f"{shown(text)} is not {kind}; expected a number and its unit. Write it like {example!r}.{comma}"
        )
    number, unit = found[1], found[2].strip()
    if not math.isfinite(float(number)):
        raise InputError(f"{shown(text)} is too large for {kind}; expected a finite number, like {example!r}.")
    return number, unit


@lru_cache(maxsize=1)
def pint_registry() -> Any:
    """Return pint's registry, made on first use."""
    import pint

    return pint.UnitRegistry()


@lru_cache(maxsize=256)
def pint_factor(unit: str, target: str) -> float | None:
    """Size of one unit in another, or None where pint knows no such unit or the kinds differ."""
    if not _PLAIN_UNIT.fullmatch(unit):  # never hand an expression to a parser that evaluates it
        return None
    registry = pint_registry()
    from pint import PintError

    try:
        factor = float(registry.Quantity(1.0, unit).to(target).magnitude)
    except (PintError, ValueError):  # no such unit, another kind, or one that is no factor, such as degC
        return None
    return factor if math.isfinite(factor) and factor > 0 else None


def magnitude(quantity: Quantity, unit: str, kind: str, example: str) -> float:
    """Return a quantity's number in a unit."""
    try:
        return float(quantity.to(unit).magnitude)
    except Exception as error:
        raise InputError(
            f"{shown(quantity)} is not {kind}; expected something that converts to {unit}. Give a quantity "
            f"of that kind, or words like {example!r}."
        ) from error


def format_number(value: float) -> str:
    """Write a number the short way that reads back as the same number.

    A whole number has no decimal point.

    >>> format_number(50.0), format_number(0.15)
    ('50', '0.15')
    """
    number = float(value)
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return repr(number)
