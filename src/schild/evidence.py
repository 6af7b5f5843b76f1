"""Where a number comes from: a value, its spread, and a number with all its rival values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Basis: TypeAlias = Literal["reported", "digitised", "derived", "fitted", "assumed"]
"""How a value came about.

``reported`` stands in the source, ``digitised`` was read off a figure, ``derived`` was computed from other
numbers by the formula in its note, ``fitted`` was estimated by a script of this project, ``assumed`` was
chosen for the reason in its note.
"""

Verified: TypeAlias = Literal["read", "abstract", "memory", "second_hand", "derived"]
"""How closely the source was checked.

``read``: in the page or file as opened. ``abstract``: in the published abstract. ``memory``: recalled, not
looked up. ``second_hand``: taken from somebody else's extraction. ``derived``: nothing to look up, the number
is this project's own.
"""

BASES: tuple[str, ...] = get_args(Basis)
VERIFIED: tuple[str, ...] = get_args(Verified)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of a number, as one source gives it.

    Examples
    --------
    >>> Value(key="label", value=0.79, basis="reported", source=("Label",), verified="read").value
    0.79
    """

    key: str  #: Short name of the value, unique within its number, e.g. ``"dunbar2007"``
    value: float  #: The value in the unit of its number
    basis: str = ""  #: One of `BASES`
    source: tuple[str, ...] = ()  #: Citation keys
    locator: str = ""  #: Place of the value in the source
    verified: str = ""  #: One of `VERIFIED`
    population: str = ""  #: The people or material that was measured
    note: str = ""  #: Reason (assumed), formula (derived), script (fitted), or a caution
    row: tuple[str, ...] = ()  #: Rows of the evidence tables behind the value, e.g. ``"naltrexone/data.csv#A28"``
    given: str = ""  #: The value as the source prints it, where that differs, e.g. ``"3.5 L/min"``
    #: Range that the source or this project considers possible, in the unit of the number
    low: float | None = None
    high: float | None = None  #: Its upper end


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A spread around a typical value, log-normal unless said otherwise; its evidence as in `Value`.

    Examples
    --------
    >>> round(Spread(cv=0.3).omega, 4)
    0.2936
    """

    cv: float  #: Coefficient of variation of the natural value; 0.3 means 30 % [1]
    basis: str = ""
    source: tuple[str, ...] = ()
    locator: str = ""
    verified: str = ""
    note: str = ""
    row: tuple[str, ...] = ()
    #: ``log-normal``, or ``normal`` for a number that may be negative, such as log odds
    law: Literal["log-normal", "normal"] = "log-normal"

    @property
    def omega(self) -> float:
        """Standard deviation of the logarithm that gives this CV. [1]"""
        return math.sqrt(math.log1p(self.cv * self.cv))


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number of a model with every value that was found for it and the one that is used.

    Examples
    --------
    >>> low, high = Value(key="a", value=94.0), Value(key="b", value=140.0)
    >>> cl = Number(name="cl", unit="L/h", values=(low, high), chosen_key="b")
    >>> cl.value, cl.chosen.key, [v.key for v in cl.rivals]
    (140.0, 'b', ['a'])
    """

    name: str  #: Name within its drug, e.g. ``"oral.ka"``
    unit: str  #: Unit of all values; ``"1"`` is dimensionless
    values: tuple[Value, ...]  #: The rival values
    chosen_key: str  #: Key of the value that is used
    why: str = ""  #: Why that one
    between_subject: Spread | None = None  #: Spread between people
    between_occasion: Spread | None = None  #: Spread within a person between occasions
    uncertainty: Spread | None = None  #: Spread of the typical value itself
    bounds: tuple[float, float] | None = None  #: Physical limits of an individual value
    #: ``"drug:number"`` where the number was copied from, when it has no data of its own. Whoever draws or
    #: overwrites the origin must treat this number alike.
    same_as: str | None = None

    @property
    def chosen(self) -> Value:
        """The value that is used, with its provenance."""
        for value in self.values:
            if value.key == self.chosen_key:
                return value
        raise KeyError(self.chosen_key)

    @property
    def value(self) -> float:
        """The chosen value, in ``unit``."""
        return self.chosen.value

    @property
    def rivals(self) -> tuple[Value, ...]:
        """The values that are not used."""
        return tuple(value for value in self.values if value.key != self.chosen_key)

    @property
    def sources(self) -> tuple[str, ...]:
        """Citation keys of the chosen value and of the spreads, each once."""
        spreads = (self.between_subject, self.between_occasion, self.uncertainty)
        keys = [*self.chosen.source, *(key for spread in spreads if spread for key in spread.source)]
        return tuple(dict.fromkeys(keys))
