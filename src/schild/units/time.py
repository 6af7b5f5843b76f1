"""Times: words, hours and quantities become ticks, and ticks become words."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from numbers import Real
from typing import Any

from schild.errors import InputError
from schild.units.reading import (
    MAX_TICKS,
    TICKS_PER_HOUR,
    TIME,
    UNCERTAIN_TIME,
    Quantity,
    TimeLike,
    format_number,
    magnitude,
    pint_factor,
    shown,
    split,
)


def ticks(time: TimeLike) -> int:
    """Read a time as a whole number of ticks (microseconds).

    ``time``: words such as ``"24 h"``, ``"2.5 d"``, ``"60 s"``, ``"4 wk"``, ``"6 d 4 h"``, or hours as a plain number.
    Returns ticks, exact; a time between two ticks is rounded to the nearest [us]. Raises InputError if it is not a
    time, has no unit, is not finite, or is more than one hundred years from 0.

    A number is read as the shortest decimal that denotes it, so ``0.1`` hours are 360 000 000 ticks
    and not the binary neighbour of that.

    >>> ticks("0.1 h"), ticks(0.1), ticks("-30 d")
    (360000000, 360000000, -2592000000000)
    """
    return _ticks(time) if isinstance(time, (str, float, int)) else _ticks.__wrapped__(time)


@lru_cache(maxsize=4096, typed=True)
def _ticks(time: TimeLike) -> int:
    exact: Fraction
    if isinstance(time, str):
        exact = _ticks_of_text(time)
    elif isinstance(time, Real) and not isinstance(time, bool):
        exact = _finite(time) * TICKS_PER_HOUR
    elif isinstance(time, Quantity):
        exact = _finite(magnitude(time, "hour", "a time", "24 h")) * TICKS_PER_HOUR
    else:
        raise InputError(
            f"{shown(time)} is not a time; expected words with a unit or a number of hours. Write it like "
            "'24 h', '60 s' or 24.0."
        )
    if abs(exact) > MAX_TICKS:
        raise InputError(f"{shown(time)} is more than 100 years from time 0; expected a nearer time. Check its unit.")
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
    number, unit = split(text, "a time", "24 h")
    if not unit:
        raise InputError(
            f"The time {shown(text)} has no unit; expected one of s, min, h, d, wk. Write for example '{number} h'."
        )
    size = TIME.get(unit.lower())
    if size is None:
        if unit.lower() in UNCERTAIN_TIME:
            raise InputError(
                f"The time {shown(text)} is not exact; expected s, min, h, d or wk: {UNCERTAIN_TIME[unit.lower()]}."
            )
        if parts := _SPAN.fullmatch(text.strip()):
            return sum((_ticks_of_text(part) for part in _PART.findall(parts.group())), Fraction(0))
        factor = pint_factor(unit, "microsecond")
        if factor is None:
            raise InputError(f"{shown(unit)} is not a unit of time; expected s, min, h, d or wk. Write it like '24 h'.")
        return Fraction(Decimal(number)) * Fraction(Decimal(repr(factor)))
    return Fraction(Decimal(number)) * size


def hours(time: TimeLike) -> float:
    """Read a time as hours, on the grid of ticks.

    ``time``: as for :func:`ticks`. Returns the time [h]. Raises InputError as for :func:`ticks`.

    >>> hours("2.5 d"), hours("90 min"), hours(3)
    (60.0, 1.5, 3.0)
    """
    return ticks(time) / TICKS_PER_HOUR


def format_ticks(tick: int, gap: str = " ") -> str:
    """Write a time exactly, in the unit a reader would choose.

    ``tick``: the time [us]; ``gap``: what stands between number and unit. Returns words that :func:`ticks` reads back
    as the same number.

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

    ``time``: the time [h]. Returns the text of :func:`format_ticks`.

    >>> format_hours(72.0)
    '3 d'
    """
    return format_ticks(ticks(time))
