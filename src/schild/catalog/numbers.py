"""Reads the numbers of an entry: rival values, the chosen one, spreads, and copies of other numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from schild.catalog.reader import Table
from schild.evidence import Number, Spread, Value

#: Finds a number by its owner and name.
Copied: TypeAlias = Callable[[str, str], Number]


#: Units of numbers that cannot be zero or negative, or cannot be negative.
POSITIVE = ("L", "nM", "g/mol", "g/L", "kg", "mm")
NOT_NEGATIVE = (*POSITIVE, "L/h", "1/h", "h", "g/h", "mg")


class Names(NamedTuple):
    """Mark of a field of a record: it holds the name of a number of the owner, or names by key."""

    unit: str | None = None  #: Unit in which the model counts; None for any, empty for the ``unit`` of the record
    low: float = -math.inf  #: Smallest and largest value that the model takes
    high: float = math.inf


def read_numbers(table: Table, owner: str, copied: Copied) -> dict[str, Number]:
    """Read the numbers of one owner.

    ``table``: with a table ``number``; ``owner``: key of the drug, effect or other entry; ``copied``: finds the number
    of another owner that is repeated here (``same_as = "owner:number"``). Returns values by name, in the order of the
    file. Raises CatalogueError if a number breaks the schema; the message names file and line.
    """
    entries = table.named("number")
    numbers: dict[str, Number] = {}
    copies: dict[str, tuple[Table, str]] = {}
    for name, entry in entries.items():
        origin = entry.one("same_as", str, None)
        if origin is None:
            numbers[name] = _number(name, entry)
        else:
            copies[name] = (entry, origin)
    for name, (entry, origin) in copies.items():
        where, _, other = origin.rpartition(":")
        try:
            own = where in ("", owner) and other in numbers
            found = numbers[other] if own else copied(where or owner, other)
        except KeyError:
            raise entry.fail(
                f"has same_as = {origin!r}; expected another number, as 'number' or 'drug:number', "
                "which is not itself a copy.",
                "same_as",
            ) from None
        numbers[name] = _copy(name, entry, found, where or owner)
    return {name: numbers[name] for name in entries}


def _copy(name: str, table: Table, found: Number, drug: str) -> Number:
    value = Value(
        key=f"as_{found.name}".replace(".", "_"),
        value=found.value,
        basis="assumed",
        source=("schild",),
        locator=f"taken over from {found.name} of {drug}",
        verified="derived",
        note=table.text("note", ""),
        low=found.chosen.low,
        high=found.chosen.high,
    )
    return table.record(
        Number,
        name=name,
        unit=found.unit,
        values=(value, *(entry.record(Value) for entry in table.tables("value"))),
        chosen_key=value.key,
        between_subject=_spread(table.maybe_table("between_subject")) or found.between_subject,
        between_occasion=_spread(table.maybe_table("between_occasion")),
        uncertainty=_spread(table.maybe_table("uncertainty")) or found.uncertainty,
        bounds=table.pair("bounds") or found.bounds,
        same_as=f"{drug}:{found.name}",
    )


def _number(name: str, table: Table) -> Number:
    values = tuple(entry.record(Value) for entry in table.tables("value"))
    if not values:
        raise table.fail("has no [[...value]]; a number needs at least one value, or same_as.")
    unit = table.text("unit", "")
    for value, entry in zip(values, table.tables("value"), strict=True):
        if (value.value < 0.0 and unit in NOT_NEGATIVE) or (value.value == 0.0 and unit in POSITIVE):
            least = f"above 0 {unit}" if unit in POSITIVE else f"0 {unit} or more"
            raise entry.fail(f"has value = {value.value:g}; expected {least}.", "value")
    keys = [value.key for value in values]
    if len(set(keys)) < len(keys):
        raise table.fail(f"has two values with the same key ({', '.join(keys)}).")
    return table.record(
        Number,
        name=name,
        unit=unit,
        values=values,
        chosen_key=table.choice("chosen", keys, keys[0] if len(keys) == 1 else ...),
        between_subject=_spread(table.maybe_table("between_subject")),
        between_occasion=_spread(table.maybe_table("between_occasion")),
        uncertainty=_spread(table.maybe_table("uncertainty")),
        same_as=None,
    )


def _spread(table: Table | None) -> Spread | None:
    if table is None:
        return None
    spread = table.record(Spread)
    if spread.cv < 0:
        raise table.fail(f"has cv = {spread.cv:g}; expected a fraction that is not negative (0.3 is 30 %).", "cv")
    return spread
