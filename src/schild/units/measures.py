"""Body weight, clearance, and any number with a unit."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from schild.errors import InputError
from schild.units.reading import (
    AMOUNT_NAMES,
    LEAST,
    MASS,
    MOST,
    TICKS_PER_HOUR,
    TIME,
    VOLUME,
    pint_factor,
    pint_registry,
    shown,
    split,
)


def _measured(value: str, kind: str, example: str) -> tuple[Fraction, str]:
    """Exact number and its unit, above zero."""
    if not isinstance(value, str):
        raise InputError(f"{shown(value)} is not {kind}; expected a number with its unit. Write it like {example!r}.")
    number, unit = split(value, kind, example)
    exact = Fraction(Decimal(number))
    if not unit:
        raise InputError(f"{shown(value)} has no unit; expected {kind}. Write it like {example!r}.")
    if not LEAST <= exact <= MOST:
        raise InputError(
            f"{shown(value)} is not above 0 or is absurd; expected {kind} such as {example!r}. Correct it."
        )
    return exact, unit


def parse_weight(text: str) -> float:
    """Read a body weight with its unit.

    ``text``: words such as ``"70 kg"`` or ``"154 lb"``. Returns the weight [kg]. Raises InputError if it has no unit,
    is not a mass, or is not above zero.

    >>> parse_weight("70 kg"), round(parse_weight("154 lb"), 1)
    (70.0, 69.9)
    """
    exact, unit = _measured(text, "a body weight", "70 kg")
    name = AMOUNT_NAMES.get(unit)
    if name in MASS:
        return float(exact * Fraction(10) ** (MASS[name] - 12))
    factor = pint_factor(unit, "kg") if unit.lower() not in AMOUNT_NAMES else None
    if factor is None:
        raise InputError(f"{shown(unit)} is not a unit of weight; expected kg, g or lb. Write it like '70 kg'.")
    return float(exact) * factor


def parse_clearance(text: str) -> float:
    """Read a clearance with its unit.

    ``text``: words such as ``"100 mL/min"`` or ``"6 L/h"``. Returns the clearance [mL/min]. Raises InputError if it has
    no unit, is not a volume per time, or is not above zero.

    >>> parse_clearance("100 mL/min"), parse_clearance("6 L/h")
    (100.0, 100.0)
    """
    exact, unit = _measured(text, "a clearance", "100 mL/min")
    volume, _, time = unit.partition("/")
    litres, size = VOLUME.get(volume.strip()), TIME.get(time.strip().lower())
    if litres is None or size is None:
        raise InputError(
            f"{shown(unit)} is not a unit of clearance; expected a volume per time, as mL/min or L/h, not "
            "scaled to body surface or weight. Write it like '100 mL/min'."
        )
    return float(exact * litres * Fraction(TICKS_PER_HOUR, size) * Fraction(1000, 60))


#: Unit of a number, as the catalogue writes it: names joined by / and *, parts of it in brackets.
_COMPOUND_UNIT = re.compile(r"(?:1/)?[A-Za-zµμ]+(?:[*/](?:[A-Za-zµμ]+|\([A-Za-zµμ]+(?:[*/][A-Za-zµμ]+)*\)))*")


def convert(text: str, unit: str, kind: str = "a number") -> float:
    """Read a number with its unit, and give it in another unit.

    ``text``: such as ``"120 L/h"``, ``"0.5 nM"`` or ``"50 %"``; ``unit``: unit to give it in; ``"1"`` for a number
    without dimension, of which the text may leave the unit out; ``kind``: what is read, for messages. Returns: in
    ``unit``. Raises InputError if the text is not a number, lacks its unit, or has one of another dimension.

    >>> convert("2 L/min", "L/h"), convert("50 %", "1"), convert("0.5 nM", "nM")
    (120.0, 0.5, 0.5)
    """
    example = "0.5" if unit == "1" else f"1.5 {unit}"
    number, given = split(text, kind, example)
    value = float(number)
    if given == unit or (unit == "1" and not given):
        return value
    if unit == "1":
        factor = 0.01 if given == "%" else None
    elif not given:
        raise InputError(f"{shown(text)} has no unit; expected {kind} in {unit}. Write it like {example!r}.")
    else:
        factor = _compound_factor(given, unit)
    if factor is None:
        raise InputError(
            f"{shown(text)} has the unit {shown(given)}; expected {kind} "
            + ("without a unit, or in %" if unit == "1" else f"in {unit}, or in a unit that converts to it")
            + f". Write it like {example!r}."
        )
    return float(f"{value * factor:.15g}")


@lru_cache(maxsize=256)
def _compound_factor(unit: str, target: str) -> float | None:
    """Size of one unit in another, None where pint knows no such unit or the kinds differ."""
    # Never hand an expression to a parser that evaluates it.
    if len(unit) > 40 or not _COMPOUND_UNIT.fullmatch(unit):
        return None
    try:
        registry = pint_registry()
        return float((1.0 * registry.parse_units(unit)).to(registry.parse_units(target)).magnitude)
    except Exception:  # as in `pint_factor`
        return None
