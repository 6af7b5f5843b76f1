"""Amounts and rates: mass or moles, each also per kilogram of body weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Real

from schild.errors import InputError
from schild.units.reading import (
    AMOUNT_NAMES,
    AMOUNTS,
    LEAST,
    MASS,
    MAX_TICKS,
    MOLAR,
    MOST,
    PER,
    TIME,
    UNCERTAIN_AMOUNT,
    Quantity,
    format_number,
    magnitude,
    pint_factor,
    shown,
    split,
)


def _amount_unit(unit: str, text: str) -> tuple[str, float]:
    """Canonical unit, and the size of the given unit in it (1 unless pint was needed)."""
    name = unit.replace(" ", "")
    tail = ""
    for ending in ("/kg", "/KG"):
        if name.endswith(ending):
            name, tail = name[: -len(ending)], "/kg"
    if name in AMOUNT_NAMES:
        return AMOUNT_NAMES[name] + tail, 1.0
    if name in UNCERTAIN_AMOUNT:
        raise InputError(f"{shown(text)} is not clear: {UNCERTAIN_AMOUNT[name]}; expected {AMOUNTS}. Write g, or mg.")
    for target in ("mg", "mmol"):
        # A capital can change a unit a billionfold (Mg is a tonne), so those are not guessed.
        if name.lower() not in AMOUNT_NAMES and (factor := pint_factor(name, target)) is not None:
            return target + tail, factor
    hint = f" Did you mean {name.lower()!r}?" if name.lower() in AMOUNT_NAMES else ""
    raise InputError(
        f"{shown(unit)} in {shown(text)} is not a unit of amount; expected {AMOUNTS}.{hint} Write it like '50 mg'."
    )


@dataclass(frozen=True, slots=True)
class Amount:
    """Amount of a drug: a number and its unit, as given.

    Raises InputError if the value is not a finite number above zero, or the unit is none of these.

    >>> str(Amount(50, "mg"))
    '50 mg'
    """

    value: float  #: The number, above zero and finite [unit]
    unit: str  #: One of kg, g, mg, ug, ng, mol, mmol, umol, nmol, or one of these with ``/kg`` (of body weight)

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not isinstance(self.value, Real):
            raise InputError(f"{shown(self.value)} is not a number; expected one above 0, as in Amount(50, 'mg').")
        value = float(self.value)
        if not LEAST <= value <= MOST:
            raise InputError(
                f"An amount of {value!r} {self.unit} cannot be given; expected a finite number above 0 "
                f"({LEAST:g} to {MOST:g}). Leave the dose out, or correct it."
            )
        unit = self.unit.removesuffix("/kg")
        if unit not in MASS and unit not in MOLAR:
            raise InputError(
                f"{shown(self.unit)} is not a unit of amount; expected {AMOUNTS}. Use parse_amount for other spellings."
            )
        object.__setattr__(self, "value", value)

    @property
    def per_kg(self) -> bool:
        """Whether the amount is per kilogram of body weight."""
        return self.unit.endswith("/kg")

    @property
    def molar(self) -> bool:
        """Whether the amount counts molecules rather than mass."""
        return self.unit.removesuffix("/kg") in MOLAR

    def __str__(self) -> str:
        return f"{format_number(self.value)} {self.unit}"


def parse_amount(text: str | Amount | Quantity) -> Amount:
    """Read an amount of drug.

    ``text``: words such as ``"50 mg"``, ``"0.4mg"``, ``"100 mcg"``, ``"150 nmol"``, ``"0.15 mg/kg"``. Returns the
    amount in the unit given, in canonical spelling. Raises InputError if there is no unit, the unit is not one of
    amount, or the number is not finite and above zero.

    >>> parse_amount("100 mcg")
    Amount(value=100.0, unit='ug')
    """
    if isinstance(text, Amount):
        return text
    if not isinstance(text, str):
        if isinstance(text, Quantity):
            return Amount(magnitude(text, "mg", "an amount of mass", "50 mg"), "mg")
        raise InputError(
            f"{shown(text)} is not an amount; expected words with a unit, because 50 may be mg, ug or nmol. "
            "Write it like '50 mg'."
        )
    number, unit = split(text, "an amount", "50 mg")
    if not unit:
        raise InputError(f"The amount {shown(text)} has no unit; expected {AMOUNTS}. Write for example '{number} mg'.")
    canonical, factor = _amount_unit(unit, text)
    value = float(number) * factor
    if value <= 0:
        raise InputError(f"The amount {shown(text)} is not above 0; expected a positive amount. Correct it.")
    return Amount(value, canonical)


def amount_nmol(amount: Amount, mw: float, base_per_salt: float = 1.0) -> float:
    """Turn an amount into nanomoles of base; an amount per kilogram is that of 1 kg. [nmol]

    ``mw``: molar mass of the base [g/mol]; ``base_per_salt``: mass of base in one unit mass of what was weighed; 1 if
    the base itself was [1]. Raises InputError if one of the two is not above zero.

    A molar amount counts molecules of drug, so the salt does not change it. Units are powers of ten
    applied to the decimal number, so the same dose in mg, ug or g gives the same bits.

    >>> amount_nmol(Amount(50, "mg"), 341.4) == amount_nmol(Amount(0.05, "g"), 341.4)
    True
    >>> round(amount_nmol(Amount(50, "mg"), 341.4, 0.9035))
    132323
    """
    for value, what in ((mw, "molar mass [g/mol]"), (base_per_salt, "base fraction")):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"A {what} of {value!r} is impossible; expected one above 0. Correct the entry.")
    exact, unit = Decimal(repr(amount.value)), amount.unit.removesuffix("/kg")
    if amount.molar:
        return float(exact.scaleb(MOLAR[unit]))
    return float(exact.scaleb(MASS[unit])) * base_per_salt / mw


@dataclass(frozen=True, slots=True)
class Rate:
    """Rate of an infusion: an amount per unit of time.

    Raises InputError if the number, the unit or the time is none of these.

    >>> from schild.units import ticks
    >>> str(Rate(2, "mg", "h").over(ticks("6 h")))
    '12 mg'
    """

    value: float  #: The number, above zero and finite [unit/per]
    unit: str  #: A unit of :class:`Amount`
    per: str  #: One of s, min, h, d

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", Amount(self.value, self.unit).value)
        if self.per not in PER.values():
            raise InputError(f"{shown(self.per)} is not s, min, h or d; expected a rate such as 2 mg/h. Correct it.")

    def over(self, duration_tick: int) -> Amount:
        """Give the amount infused in a time.

        ``duration_tick``: length of the infusion, above zero [us]. Returns values in the unit of the rate.

        >>> from schild.units import ticks
        >>> str(Rate(100, "ug", "min").over(ticks("1 h")))
        '6000 ug'
        """
        exact = Fraction(Decimal(repr(self.value))) * Fraction(duration_tick, TIME[self.per])
        return Amount(float(exact), self.unit)

    def duration_tick(self, amount: Amount) -> int:
        """Give the time that an amount takes at this rate.

        ``amount``: what is infused; mass with mass, molar with molar, per kilogram with per kilogram. Returns to the
        nearest tick [us]. Raises InputError if rate and amount are not of one kind.

        >>> from schild.units import ticks
        >>> Rate(2, "mg", "h").duration_tick(Amount(12, "mg")) == ticks("6 h")
        True
        """
        if (amount.molar, amount.per_kg) != (Amount(1, self.unit).molar, self.unit.endswith("/kg")):
            raise InputError(
                f"An infusion of {amount} at {self} mixes kinds of unit; expected mass with mass, or nmol "
                "with nmol, or both per kg. Write both in one unit."
            )
        powers = MOLAR if amount.molar else MASS
        shift = powers[amount.unit.removesuffix("/kg")] - powers[self.unit.removesuffix("/kg")]
        exact = Fraction(Decimal(repr(amount.value))) / Fraction(Decimal(repr(self.value)))
        tick = round(exact * Fraction(10) ** shift * TIME[self.per])
        if tick > MAX_TICKS:
            raise InputError(f"{amount} at {self} takes more than 100 years; expected less. Check the units.")
        return tick

    def __str__(self) -> str:
        return f"{format_number(self.value)} {self.unit}/{self.per}"


def parse_rate(text: str | Rate) -> Rate:
    """Read the rate of an infusion.

    ``text``: words such as ``"2 mg/h"``, ``"100 mcg/min"``, ``"0.1 ug/kg/min"``. Returns: in the units it was given in.
    Raises InputError if it is not an amount per time.

    >>> parse_rate("0.1 mcg/kg/min")
    Rate(value=0.1, unit='ug/kg', per='min')
    """
    if isinstance(text, Rate):
        return text
    if not isinstance(text, str):
        raise InputError(f"{shown(text)} is not a rate; expected an amount per time. Write it like '2 mg/h'.")
    number, unit = split(text, "a rate", "2 mg/h")
    amount_unit, slash, per = unit.rpartition("/")
    size = TIME.get(per.strip().lower())
    if not slash or size not in PER:
        raise InputError(f"{shown(text)} is not a rate; expected an amount per s, min, h or d. Write it like '2 mg/h'.")
    canonical, factor = _amount_unit(amount_unit.strip(), text)
    return Rate(float(number) * factor, canonical, PER[size])
