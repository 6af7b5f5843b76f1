"""Units at the edge: words and quantities become hours, ticks, nmol, kg, L and L/h, once.

The units of everyday dosing are read from a small table; anything rarer is handed to pint, which is
imported only then.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from numbers import Real
from typing import Any, Protocol, TypeAlias, runtime_checkable

from schild.errors import InputError

TICKS_PER_HOUR = 3_600_000_000
"""Ticks in an hour; a tick is a microsecond, so two events are simultaneous or they are not."""

MAX_TICKS = 100 * 8766 * TICKS_PER_HOUR
"""The farthest time that is accepted, one hundred years, either side of time 0."""

_TIME = {
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1_000),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1_000_000),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60_000_000),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), TICKS_PER_HOUR),
    **dict.fromkeys(("d", "day", "days"), 24 * TICKS_PER_HOUR),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 168 * TICKS_PER_HOUR),
}
_PER = {1_000_000: "s", 60_000_000: "min", TICKS_PER_HOUR: "h", 24 * TICKS_PER_HOUR: "d"}
_UNCERTAIN_TIME = {
    "m": "m is a minute, a month or a metre. Write min, or days",
    **dict.fromkeys(("mo", "month", "months"), "a month has 28 to 31 days. Write days, e.g. 28 d"),
    **dict.fromkeys(("y", "yr", "yrs", "a", "year", "years"), "a year has 365 or 366 days. Write 365 d"),
}

# Powers of ten over ng and over nmol.
_MASS = {"kg": 12, "g": 9, "mg": 6, "ug": 3, "ng": 0}
_MOLAR = {"mol": 9, "mmol": 6, "umol": 3, "nmol": 0}
_AMOUNT_NAMES = {
    **{unit: unit for unit in (*_MASS, *_MOLAR)},
    **dict.fromkeys(("mcg", "µg", "μg", "UG", "MCG", "microgram", "micrograms"), "ug"),
    **dict.fromkeys(("µmol", "μmol"), "umol"),
    **dict.fromkeys(("MG", "milligram", "milligrams"), "mg"),
    **dict.fromkeys(("G", "gram", "grams"), "g"),
    **dict.fromkeys(("KG", "kilogram", "kilograms"), "kg"),
    **dict.fromkeys(("NG", "nanogram", "nanograms"), "ng"),
}
_VOLUME = {
    **dict.fromkeys(("L", "l", "litre", "litres", "liter", "liters"), Fraction(1)),
    **dict.fromkeys(("dL", "dl"), Fraction(1, 10)),
    **dict.fromkeys(("mL", "ml"), Fraction(1, 1000)),
    **dict.fromkeys(("uL", "ul", "µL", "μL", "µl", "μl"), Fraction(1, 1_000_000)),
}

# Bounds of any number with a unit here: wide enough for every drug, narrow enough never to overflow.
_LEAST, _MOST = 1e-12, 1e15

_AMOUNTS = "kg, g, mg, ug (or mcg), ng, mol, mmol, umol, nmol, each also per kg of body weight (mg/kg)"
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


TimeLike: TypeAlias = str | float | timedelta | Quantity


# --------------------------------------------------------------------------------------------- helpers


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}...{text[-1]}"


def _split(text: str, kind: str, example: str) -> tuple[str, str]:
    cleaned = text.strip().replace("\N{MINUS SIGN}", "-")
    found = _NUMBER.fullmatch(cleaned)
    if found is None or len(found[1]) > 40:
        comma = " Write the decimal sign as a point." if re.match(r"[+-]?[0-9]+,[0-9]", cleaned) else ""
        raise InputError(
            f"{_shown(text)} is not {kind}; expected a number and its unit. Write it like {example!r}.{comma}"
        )
    number, unit = found[1], found[2].strip()
    if not math.isfinite(float(number)):
        raise InputError(f"{_shown(text)} is too large for {kind}; expected a finite number, like {example!r}.")
    return number, unit


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    return pint.UnitRegistry()


@lru_cache(maxsize=256)
def _pint_factor(unit: str, target: str) -> float | None:
    """Size of one unit in another, or None where pint knows no such unit or the kinds differ."""
    if not _PLAIN_UNIT.fullmatch(unit):  # never hand an expression to a parser that evaluates it
        return None
    try:
        registry = _registry()
        factor = float(registry.Quantity(1.0, unit).to(target).magnitude)
    except Exception:
        # pint raises a dozen unrelated classes for text it cannot read; each means "not a unit".
        return None
    return factor if math.isfinite(factor) and factor > 0 else None


def _magnitude(quantity: Quantity, unit: str, kind: str, example: str) -> float:
    try:
        return float(quantity.to(unit).magnitude)
    except Exception as error:
        raise InputError(
            f"{_shown(quantity)} is not {kind}; expected something that converts to {unit}. Give a quantity "
            f"of that kind, or words like {example!r}."
        ) from error


def format_number(value: float) -> str:
    """Write a number the short way that reads back as the same number.

    Parameters
    ----------
    value : float
        The number.

    Returns
    -------
    str
        Without a decimal point where it is whole.

    Examples
    --------
    >>> format_number(50.0), format_number(0.15)
    ('50', '0.15')
    """
    number = float(value)
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return repr(number)


# ------------------------------------------------------------------------------------------------ time


def ticks(time: TimeLike) -> int:
    """Read a time as a whole number of ticks (microseconds).

    Parameters
    ----------
    time : str, float, timedelta or Quantity
        Words such as ``"24 h"``, ``"2.5 d"``, ``"60 s"``, ``"4 wk"``, ``"6 d 4 h"``, or hours as a plain number.

    Returns
    -------
    int
        Ticks, exact; what lies between two ticks goes to the nearest. [us]

    Raises
    ------
    InputError
        If it is no time, has no unit, is not finite, or is more than one hundred years from 0.

    Notes
    -----
    A number is read as the shortest decimal that denotes it, so ``0.1`` hours are 360 000 000 ticks
    and not the binary neighbour of that.

    Examples
    --------
    >>> ticks("0.1 h"), ticks(0.1), ticks("-30 d")
    (360000000, 360000000, -2592000000000)
    """
    exact: Fraction
    if isinstance(time, str):
        exact = _ticks_of_text(time)
    elif isinstance(time, timedelta):
        exact = Fraction(time // timedelta(microseconds=1))
    elif isinstance(time, Real) and not isinstance(time, bool):
        exact = _finite(time) * TICKS_PER_HOUR
    elif isinstance(time, Quantity):
        exact = _finite(_magnitude(time, "hour", "a time", "24 h")) * TICKS_PER_HOUR
    else:
        raise InputError(
            f"{_shown(time)} is not a time; expected words with a unit or a number of hours. Write it like "
            "'24 h', '60 s' or 24.0."
        )
    if abs(exact) > MAX_TICKS:
        raise InputError(f"{_shown(time)} is more than 100 years from time 0; expected a nearer time. Check its unit.")
    return round(exact)


def _finite(value: Any) -> Fraction:
    if isinstance(value, int):
        return Fraction(value)
    number = float(value)
    if not math.isfinite(number):
        raise InputError(f"{number!r} is not a time; expected a finite number of hours. Give one, like 24.0.")
    return Fraction(Decimal(repr(number)))


_PART = re.compile(r"[0-9]+(?:\.[0-9]+)?\s*[A-Za-z]+")
#: Several times in a row, such as "6 d 4h"; no sign, because it would be unclear what it belongs to.
_SPAN = re.compile(rf"(?:{_PART.pattern}\s*){{2,5}}")


def _ticks_of_text(text: str) -> Fraction:
    number, unit = _split(text, "a time", "24 h")
    if not unit:
        raise InputError(
            f"The time {_shown(text)} has no unit; expected one of s, min, h, d, wk. Write for example '{number} h'."
        )
    size = _TIME.get(unit.lower())
    if size is None:
        if unit.lower() in _UNCERTAIN_TIME:
            raise InputError(
                f"The time {_shown(text)} is not exact; expected s, min, h, d or wk: {_UNCERTAIN_TIME[unit.lower()]}."
            )
        if parts := _SPAN.fullmatch(text.strip()):
            return sum((_ticks_of_text(part) for part in _PART.findall(parts.group())), Fraction(0))
        factor = _pint_factor(unit, "microsecond")
        if factor is None:
            raise InputError(
                f"{_shown(unit)} is not a unit of time; expected s, min, h, d or wk. Write it like '24 h'."
            )
        return Fraction(Decimal(number)) * Fraction(Decimal(repr(factor)))
    return Fraction(Decimal(number)) * size


def hours(time: TimeLike) -> float:
    """Read a time as hours, on the grid of ticks.

    Parameters
    ----------
    time : str, float, timedelta or Quantity
        As for :func:`ticks`.

    Returns
    -------
    float
        The time. [h]

    Raises
    ------
    InputError
        As for :func:`ticks`.

    Examples
    --------
    >>> hours("2.5 d"), hours("90 min"), hours(3)
    (60.0, 1.5, 3.0)
    """
    return ticks(time) / TICKS_PER_HOUR


def format_ticks(tick: int, gap: str = " ") -> str:
    """Write a time exactly, in the unit a reader would choose.

    Parameters
    ----------
    tick : int
        The time. [us]
    gap : str, default " "
        What stands between number and unit.

    Returns
    -------
    str
        Words that :func:`ticks` reads back as the same number.

    Examples
    --------
    >>> [format_ticks(ticks(t)) for t in ("72 h", "24 h", "60 s", "1.5 h", "15 min", "0 d")]
    ['3 d', '24 h', '60 s', '1.5 h', '15 min', '0 h']
    """
    if tick == 0:
        return f"0{gap}h"
    size = abs(tick)
    hour, minute = TICKS_PER_HOUR, 60_000_000
    # unit, its size, the step it is written in, the least that is worth the unit
    for unit, one, step, least in (
        ("d", 24 * hour, 12 * hour, 48 * hour),
        ("h", hour, hour // 2, hour),
        ("min", minute, minute, 2 * minute),
        ("s", 1_000_000, 1_000_000, 1_000_000),
        ("ms", 1_000, 1_000, 1_000),
    ):
        if size >= least and size % step == 0:
            return f"{format_number(tick / one)}{gap}{unit}"
    return f"{tick}{gap}us"


def format_hours(time: float) -> str:
    """Write hours exactly, in the unit a reader would choose.

    Parameters
    ----------
    time : float
        The time. [h]

    Returns
    -------
    str
        As :func:`format_ticks` writes it.

    Examples
    --------
    >>> format_hours(72.0)
    '3 d'
    """
    return format_ticks(ticks(time))


# ---------------------------------------------------------------------------------------------- amounts


def _amount_unit(unit: str, text: str) -> tuple[str, float]:
    """Canonical unit, and how many of it the unit given is (1 unless pint had to help)."""
    name = unit.replace(" ", "")
    tail = ""
    for ending in ("/kg", "/KG"):
        if name.endswith(ending):
            name, tail = name[: -len(ending)], "/kg"
    if name in _AMOUNT_NAMES:
        return _AMOUNT_NAMES[name] + tail, 1.0
    for target in ("mg", "mmol"):
        # A capital can change a unit a billionfold (Mg is a tonne), so those are not guessed.
        if name.lower() not in _AMOUNT_NAMES and (factor := _pint_factor(name, target)) is not None:
            return target + tail, factor
    hint = f" Did you mean {name.lower()!r}?" if name.lower() in _AMOUNT_NAMES else ""
    raise InputError(
        f"{_shown(unit)} in {_shown(text)} is not a unit of amount; expected {_AMOUNTS}.{hint} Write it like '50 mg'."
    )


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of a drug: a number and its unit, as they were given.

    Parameters
    ----------
    value : float
        The number, above zero and finite. [unit]
    unit : str
        One of kg, g, mg, ug, ng, mol, mmol, umol, nmol, or one of these with ``/kg`` (of body weight).

    Raises
    ------
    InputError
        If the value is not a finite number above zero, or the unit is none of these.

    Examples
    --------
    >>> str(Amount(50, "mg"))
    '50 mg'
    """

    value: float
    unit: str

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not isinstance(self.value, Real):
            raise InputError(f"{_shown(self.value)} is not a number; expected one above 0, as in Amount(50, 'mg').")
        value = float(self.value)
        if not _LEAST <= value <= _MOST:
            raise InputError(
                f"An amount of {value!r} {self.unit} cannot be given; expected a finite number above 0 "
                f"({_LEAST:g} to {_MOST:g}). Leave the dose out, or correct it."
            )
        unit = self.unit.removesuffix("/kg")
        if unit not in _MASS and unit not in _MOLAR:
            raise InputError(
                f"{_shown(self.unit)} is not a unit of amount; expected {_AMOUNTS}. Use parse_amount for "
                "other spellings."
            )
        object.__setattr__(self, "value", value)

    @property
    def per_kg(self) -> bool:
        """Whether the amount is per kilogram of body weight."""
        return self.unit.endswith("/kg")

    @property
    def molar(self) -> bool:
        """Whether the amount counts molecules rather than mass."""
        return self.unit.removesuffix("/kg") in _MOLAR

    def scaled(self, weight_kg: float) -> Amount:
        """Give the amount for a body weight.

        Parameters
        ----------
        weight_kg : float
            Body weight, used only by an amount per kilogram. [kg]

        Returns
        -------
        Amount
            Without ``/kg``; the same amount if it had none.

        Raises
        ------
        InputError
            If the weight is needed and is not a finite number above zero.

        Examples
        --------
        >>> str(Amount(0.15, "mg/kg").scaled(70))
        '10.5 mg'
        """
        if not self.per_kg:
            return self
        if not (math.isfinite(weight_kg) and weight_kg > 0):
            raise InputError(f"A weight of {weight_kg!r} kg cannot scale {self}; expected one above 0. Correct it.")
        exact = Decimal(repr(self.value)) * Decimal(repr(float(weight_kg)))
        return Amount(float(exact), self.unit.removesuffix("/kg"))

    def __str__(self) -> str:
        return f"{format_number(self.value)} {self.unit}"


def parse_amount(text: str | Amount | Quantity) -> Amount:
    """Read an amount of drug.

    Parameters
    ----------
    text : str, Amount or Quantity
        Words such as ``"50 mg"``, ``"0.4mg"``, ``"100 mcg"``, ``"150 nmol"``, ``"0.15 mg/kg"``.

    Returns
    -------
    Amount
        In the unit it was given in, spelled the canonical way.

    Raises
    ------
    InputError
        If there is no unit, the unit is no amount, or the number is not finite and above zero.

    Examples
    --------
    >>> parse_amount("100 mcg")
    Amount(value=100.0, unit='ug')
    """
    if isinstance(text, Amount):
        return text
    if not isinstance(text, str):
        if isinstance(text, Quantity):
            return Amount(_magnitude(text, "mg", "an amount of mass", "50 mg"), "mg")
        raise InputError(
            f"{_shown(text)} is not an amount; expected words with a unit, because 50 may be mg, ug or nmol. "
            "Write it like '50 mg'."
        )
    number, unit = _split(text, "an amount", "50 mg")
    if not unit:
        raise InputError(
            f"The amount {_shown(text)} has no unit; expected {_AMOUNTS}. Write for example '{number} mg'."
        )
    canonical, factor = _amount_unit(unit, text)
    value = float(number) if factor == 1.0 else float(number) * factor
    if value <= 0:
        raise InputError(f"The amount {_shown(text)} is not above 0; expected a positive amount. Correct it.")
    return Amount(value, canonical)


def amount_nmol(amount: Amount, mw: float, base_per_salt: float = 1.0) -> float:
    """Turn an amount into nanomoles of base.

    Parameters
    ----------
    amount : Amount
        What was given; an amount per kilogram has to be scaled first.
    mw : float
        Molar mass of the base. [g/mol]
    base_per_salt : float, default 1
        Mass of base in one unit mass of what was weighed; 1 if the base itself was. [1]

    Returns
    -------
    float
        Molecules of drug. [nmol]

    Raises
    ------
    InputError
        If the amount is per kilogram, or the molar mass or the salt factor is not above zero.

    Notes
    -----
    A molar amount counts molecules of drug, so the salt does not change it. Units are powers of ten
    applied to the decimal number, so the same dose in mg, ug or g gives the same bits.

    Examples
    --------
    >>> amount_nmol(Amount(50, "mg"), 341.4) == amount_nmol(Amount(0.05, "g"), 341.4)
    True
    >>> round(amount_nmol(Amount(50, "mg"), 341.4, 0.9035))
    132323
    """
    if amount.per_kg:
        raise InputError(f"{amount} needs a body weight; expected an absolute amount. Call amount.scaled(weight_kg).")
    if not (math.isfinite(mw) and mw > 0):
        raise InputError(f"A molar mass of {mw!r} g/mol is impossible; expected one above 0. Correct the entry.")
    if not (math.isfinite(base_per_salt) and base_per_salt > 0):
        raise InputError(
            f"A base fraction of {base_per_salt!r} is impossible; expected one above 0, at most 1. Correct the entry."
        )
    exact = Decimal(repr(amount.value))
    if amount.molar:
        return float(exact.scaleb(_MOLAR[amount.unit]))
    return float(exact.scaleb(_MASS[amount.unit])) * base_per_salt / mw


# ------------------------------------------------------------------------------------------------ rates


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a drug is infused: an amount per unit of time.

    Parameters
    ----------
    value : float
        The number, above zero and finite. [unit/per]
    unit : str
        A unit of :class:`Amount`.
    per : str
        One of s, min, h, d.

    Raises
    ------
    InputError
        If the number, the unit or the time is none of these.

    Examples
    --------
    >>> str(Rate(2, "mg", "h").over(ticks("6 h")))
    '12 mg'
    """

    value: float
    unit: str
    per: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", Amount(self.value, self.unit).value)
        if self.per not in _PER.values():
            raise InputError(f"{_shown(self.per)} is not s, min, h or d; expected a rate such as 2 mg/h. Correct it.")

    def over(self, duration_tick: int) -> Amount:
        """Give the amount infused in a time.

        Parameters
        ----------
        duration_tick : int
            Length of the infusion, above zero. [us]

        Returns
        -------
        Amount
            In the unit of the rate.

        Examples
        --------
        >>> str(Rate(100, "ug", "min").over(ticks("1 h")))
        '6000 ug'
        """
        exact = Fraction(Decimal(repr(self.value))) * Fraction(duration_tick, _TIME[self.per])
        return Amount(float(exact), self.unit)

    def duration_tick(self, amount: Amount) -> int:
        """Give the time that an amount takes at this rate.

        Parameters
        ----------
        amount : Amount
            What is infused; mass with mass, molar with molar, per kilogram with per kilogram.

        Returns
        -------
        int
            To the nearest tick. [us]

        Raises
        ------
        InputError
            If rate and amount are not of one kind.

        Examples
        --------
        >>> Rate(2, "mg", "h").duration_tick(Amount(12, "mg")) == ticks("6 h")
        True
        """
        if (amount.molar, amount.per_kg) != (Amount(1, self.unit).molar, self.unit.endswith("/kg")):
            raise InputError(
                f"An infusion of {amount} at {self} mixes kinds of unit; expected mass with mass, or nmol "
                "with nmol, or both per kg. Write both in one unit."
            )
        powers = _MOLAR if amount.molar else _MASS
        shift = powers[amount.unit.removesuffix("/kg")] - powers[self.unit.removesuffix("/kg")]
        exact = Fraction(Decimal(repr(amount.value))) / Fraction(Decimal(repr(self.value)))
        tick = round(exact * Fraction(10) ** shift * _TIME[self.per])
        if tick > MAX_TICKS:
            raise InputError(f"{amount} at {self} takes more than 100 years; expected less. Check the units.")
        return tick

    def __str__(self) -> str:
        return f"{format_number(self.value)} {self.unit}/{self.per}"


def parse_rate(text: str | Rate) -> Rate:
    """Read the rate of an infusion.

    Parameters
    ----------
    text : str or Rate
        Words such as ``"2 mg/h"``, ``"100 mcg/min"``, ``"0.1 ug/kg/min"``.

    Returns
    -------
    Rate
        In the units it was given in.

    Raises
    ------
    InputError
        If it is no amount per time.

    Examples
    --------
    >>> parse_rate("0.1 mcg/kg/min")
    Rate(value=0.1, unit='ug/kg', per='min')
    """
    if isinstance(text, Rate):
        return text
    if not isinstance(text, str):
        raise InputError(f"{_shown(text)} is not a rate; expected an amount per time. Write it like '2 mg/h'.")
    number, unit = _split(text, "a rate", "2 mg/h")
    amount_unit, slash, per = unit.rpartition("/")
    size = _TIME.get(per.strip().lower())
    if not slash or size not in _PER:
        raise InputError(
            f"{_shown(text)} is not a rate; expected an amount per s, min, h or d. Write it like '2 mg/h'."
        )
    canonical, factor = _amount_unit(amount_unit.strip(), text)
    value = float(number) if factor == 1.0 else float(number) * factor
    return Rate(value, canonical, _PER[size])


# --------------------------------------------------------------------------- weight, volume, clearance


def _measured(value: str | Quantity, kind: str, target: str, example: str) -> tuple[Fraction, str]:
    """Exact number and its unit, above zero; a quantity is already in the target unit."""
    if isinstance(value, str):
        number, unit = _split(value, kind, example)
        exact = Fraction(Decimal(number))
        if not unit:
            raise InputError(f"{_shown(value)} has no unit; expected {kind}. Write it like {example!r}.")
    elif isinstance(value, Quantity):
        number = repr(_magnitude(value, target, kind, example))
        exact, unit = Fraction(Decimal(number)) if math.isfinite(float(number)) else Fraction(0), target
    else:
        raise InputError(f"{_shown(value)} is not {kind}; expected a number with its unit. Write it like {example!r}.")
    if not _LEAST <= exact <= _MOST:
        raise InputError(
            f"{_shown(value)} is not above 0 or is absurd; expected {kind} such as {example!r}. Correct it."
        )
    return exact, unit


def parse_weight(text: str | Quantity) -> float:
    """Read a body weight.

    Parameters
    ----------
    text : str or Quantity
        Words such as ``"70 kg"`` or ``"154 lb"``.

    Returns
    -------
    float
        The weight. [kg]

    Raises
    ------
    InputError
        If it has no unit, is no mass, or is not above zero.

    Examples
    --------
    >>> parse_weight("70 kg"), round(parse_weight("154 lb"), 1)
    (70.0, 69.9)
    """
    exact, unit = _measured(text, "a body weight", "kg", "70 kg")
    name = _AMOUNT_NAMES.get(unit)
    if name in _MASS:
        return float(exact * Fraction(10) ** (_MASS[name] - 12))
    factor = _pint_factor(unit, "kg") if unit.lower() not in _AMOUNT_NAMES else None
    if factor is None:
        raise InputError(f"{_shown(unit)} is not a unit of weight; expected kg, g or lb. Write it like '70 kg'.")
    return float(exact) * factor


def parse_volume(text: str | Quantity) -> float:
    """Read a volume.

    Parameters
    ----------
    text : str or Quantity
        Words such as ``"5 L"`` or ``"250 mL"``.

    Returns
    -------
    float
        The volume. [L]

    Raises
    ------
    InputError
        If it has no unit, is no volume, or is not above zero.

    Examples
    --------
    >>> parse_volume("250 mL")
    0.25
    """
    exact, unit = _measured(text, "a volume", "liter", "5 L")
    size = _VOLUME.get(unit) or (Fraction(1) if unit == "liter" else None)
    if size is not None:
        return float(exact * size)
    factor = _pint_factor(unit, "liter")
    if factor is None:
        raise InputError(f"{_shown(unit)} is not a unit of volume; expected L, dL, mL or uL. Write it like '5 L'.")
    return float(exact) * factor


def parse_clearance(text: str | Quantity, to: str = "L/h") -> float:
    """Read a clearance.

    Parameters
    ----------
    text : str or Quantity
        Words such as ``"100 mL/min"`` or ``"6 L/h"``.
    to : {"L/h", "mL/min"}, default "L/h"
        The unit to give it in.

    Returns
    -------
    float
        The clearance. [to]

    Raises
    ------
    InputError
        If it has no unit, is no volume per time, or is not above zero.

    Examples
    --------
    >>> parse_clearance("100 mL/min"), parse_clearance("6 L/h", to="mL/min")
    (6.0, 100.0)
    """
    if to not in ("L/h", "mL/min"):
        raise InputError(f"{_shown(to)} is not a unit to convert to; expected 'L/h' or 'mL/min'. Choose one.")
    exact, unit = _measured(text, "a clearance", "L/h", "100 mL/min")
    volume, _, time = unit.partition("/")
    litres, size = _VOLUME.get(volume.strip()), _TIME.get(time.strip().lower())
    if litres is None or size is None:
        raise InputError(
            f"{_shown(unit)} is not a unit of clearance; expected a volume per time, as mL/min or L/h, not "
            "scaled to body surface or weight. Write it like '100 mL/min'."
        )
    per_hour = exact * litres * Fraction(TICKS_PER_HOUR, size)
    return float(per_hour if to == "L/h" else per_hour * Fraction(1000, 60))


#: Unit of a number, as the catalogue writes it: names joined by / and *, parts of it in brackets.
_COMPOUND_UNIT = re.compile(r"(?:1/)?[A-Za-zµμ]+(?:[*/](?:[A-Za-zµμ]+|\([A-Za-zµμ]+(?:[*/][A-Za-zµμ]+)*\)))*")


def convert(text: str, unit: str, kind: str = "a number") -> float:
    """Read a number with its unit, and give it in another unit.

    Parameters
    ----------
    text : str
        Such as ``"120 L/h"``, ``"0.5 nM"`` or ``"50 %"``.
    unit : str
        Unit to give it in; ``"1"`` for a number without dimension, of which the text may leave the unit out.
    kind : str
        What is read, for messages.

    Returns
    -------
    float
        In ``unit``.

    Raises
    ------
    InputError
        If the text is no number, lacks its unit, or has one of another dimension.

    Examples
    --------
    >>> convert("2 L/min", "L/h"), convert("50 %", "1"), convert("0.5 nM", "nM")
    (120.0, 0.5, 0.5)
    """
    example = "0.5" if unit == "1" else f"1.5 {unit}"
    number, given = _split(text, kind, example)
    value = float(number)
    if given == unit or (unit == "1" and not given):
        return value
    if unit == "1":
        factor = 0.01 if given == "%" else None
    elif not given:
        raise InputError(f"{_shown(text)} has no unit; expected {kind} in {unit}. Write it like {example!r}.")
    else:
        factor = _compound_factor(given, unit)
    if factor is None:
        raise InputError(
            f"{_shown(text)} has the unit {_shown(given)}; expected {kind} "
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
        registry = _registry()
        return float((1.0 * registry.parse_units(unit)).to(registry.parse_units(target)).magnitude)
    except Exception:  # as in `_pint_factor`
        return None
