"""Numbers that an entry of the catalogue refers to by name, with the unit in which the model counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import Any, NamedTuple, get_type_hints

from schild.catalog.drugs import Disposition, Drug
from schild.catalog.numbers import Names
from schild.catalog.reader import Table
from schild.errors import InputError
from schild.evidence import Number
from schild.units import convert

__all__ = ["Use", "check_numbers", "check_uses", "limits_of", "named", "uses_of"]


class Use(NamedTuple):
    """A number that an entry refers to."""

    name: str
    unit: str | None  #: Unit in which the model counts; None for any
    place: str
    low: float = -math.inf  #: Smallest and largest value
    high: float = math.inf


#: Numbers of a disposition and their units, those of the peripheral compartments last.
_DISPOSITION = {"vc": "L", "cl": "L/h", "fu": "1", "q": "L/h", "vp": "L", "q2": "L/h", "vp2": "L"}


@cache
def _marks(kind: Any) -> dict[str, Names | None]:
    hints = get_type_hints(kind, include_extras=True)
    marks = {name: getattr(hint, "__metadata__", (None,))[0] for name, hint in hints.items()}
    return {name: mark if isinstance(mark, Names) else None for name, mark in marks.items()}


def named(record: Any, place: str = "") -> Iterator[Use]:
    """Every number that a record, or a record in it, refers to by name."""
    for name, mark in _marks(record.__class__).items():
        value = getattr(record, name)
        entries = value.items() if isinstance(value, Mapping) else [("", value)]
        if mark is not None:
            unit = record.unit if mark.unit == "" else mark.unit
            for key, number in entries:
                if number:
                    where = place or ".".join(filter(None, (name, key)))
                    yield Use(number, unit, where, mark.low, mark.high)
        elif name != "numbers":
            for key, inner in entries:
                where = place or ".".join(filter(None, (name.removesuffix("s"), key)))
                for part in inner if isinstance(inner, tuple) else (inner,):
                    if is_dataclass(part):
                        yield from named(part, where)


def uses_of(entry: Any) -> Iterator[Use]:
    """Every number that a drug, an effect, a mechanism of adaptation or a population refers to."""
    yield from named(entry)
    if isinstance(entry, Drug):
        yield from (Use(*found) for found in _uses_of_drug(entry))


def limits_of(entry: Any) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of the numbers of an entry, by name, where its use gives any."""
    return {u.name: (u.low, u.high) for u in uses_of(entry) if (u.low, u.high) != (-math.inf, math.inf)}


def check_numbers(table: Table, entry: Any) -> None:
    """Refuse numbers of one's own that the model would misread: another unit, or a value outside its range.

    ``table``: of the entry, for file and line. Raises CatalogueError.
    """
    check_uses(table, entry.numbers, uses_of(entry), tuple(entry.structures) if isinstance(entry, Drug) else ())


def check_uses(
    table: Table, numbers: Mapping[str, Number], uses: Iterable[Use], structures: Sequence[str] = ()
) -> None:
    """Likewise for numbers with their uses; ``structures``: of the drug, which may have a version of a number each."""
    for use in uses:
        for name in (use.name, *(f"{structure}.{use.name}" for structure in structures)):
            number = numbers.get(name)
            if number is None or number.same_as is not None:
                continue
            at = table.table("number").table(name)
            if use.unit not in (None, number.unit or "1"):
                given = f"is in {number.unit}" if number.unit else "has no unit"
                raise at.fail(f"{given}; the model counts in {use.unit}.{_converted(number, str(use.unit))}", "unit")
            for value in number.values:
                if not use.low <= value.value <= use.high:
                    limits = f"{use.low:g} or more" if use.high == math.inf else f"{use.low:g} to {use.high:g}"
                    raise at.fail(f"has the value {value.value:g}; expected {limits}.", "value")


def _converted(number: Number, unit: str) -> str:
    try:
        found = convert(f"{number.value!r} {number.unit}", unit)
    except InputError:
        return ""
    return f" {number.value:g} {number.unit} is {found:g} {unit}." if number.unit else ""


def _uses_of_drug(drug: Drug) -> Iterator[tuple[Any, ...]]:
    if drug.disposition is not None:
        yield from _uses_of_disposition(drug.disposition)
    for route in drug.routes.values():
        yield from ((name, _DISPOSITION[part], f"route.{route.key}") for part, name in route.disposition.items())
    for product in drug.products.values():
        yield from ((name, None, f"product.{product.key}") for name in product.replaces)
    for structure in drug.structures.values():
        if structure.site != "plasma":
            yield "ke0", "1/h", f"structure.{structure.key}"
        if structure.site == "plasma and store":
            yield "direct", "1", f"structure.{structure.key}"
    if drug.follows is not None:
        yield "ke0", "1/h", "follows"
        if any(name.rpartition(".")[2] == "direct" for name in drug.numbers):
            yield "direct", "1", "follows"
    for covariate in drug.covariates:
        place = f"covariate of {covariate.on} on {covariate.of}"
        yield from ((name, None, place) for name in (covariate.on, covariate.slope, covariate.reference) if name)
        # A factor has no unit, unless another covariate of the same number takes it away again.
        alone = sum(other.on == covariate.on for other in drug.covariates) == 1
        yield from ((name, "1" if alone else None, place) for name in covariate.factors.values())
    for pair in drug.correlations:
        yield from ((name, None, "correlation") for name in (pair.a, pair.b))


def _uses_of_disposition(disposition: Disposition) -> Iterator[tuple[Any, ...]]:
    for name, unit in list(_DISPOSITION.items())[: 3 + 2 * disposition.peripherals]:
        yield name, unit, "disposition", 0.0, 1.0 if name == "fu" else math.inf
    if disposition.saturable:
        yield "vmax", "g/h", "disposition.saturable"
        yield "km", "g/L", "disposition.saturable"
    if disposition.releases:
        for part, unit in (("rate", "1/h"), ("gain", "1"), ("c50", "g/L"), ("rise", "h*L/g")):
            yield f"release.{part}", unit, "disposition.releases"
    if disposition.effect_site:
        yield "ke0", "1/h", "disposition.effect_site"
