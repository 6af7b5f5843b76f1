"""Numbers that an entry of the catalogue refers to by name, with the unit in which the model counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeAlias, get_type_hints

from schild.catalog.drugs import Disposition, Drug
from schild.catalog.numbers import Names

__all__ = ["Use", "named", "uses_of"]

#: Name of a number that an entry refers to, the unit in which the model counts (None for any), and the place.
Use: TypeAlias = tuple[str, str | None, str]

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
            yield from (
                (number, unit, place or ".".join(filter(None, (name, key)))) for key, number in entries if number
            )
        elif name != "numbers":
            for key, inner in entries:
                where = place or ".".join(filter(None, (name.removesuffix("s"), key)))
                for part in inner if isinstance(inner, tuple) else (inner,):
                    if is_dataclass(part):
                        yield from named(part, where)


def uses_of(drug: Drug) -> Iterator[Use]:
    yield from named(drug)
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


def _uses_of_disposition(disposition: Disposition) -> Iterator[Use]:
    for name, unit in list(_DISPOSITION.items())[: 3 + 2 * disposition.peripherals]:
        yield name, unit, "disposition"
    if disposition.saturable:
        yield "vmax", "g/h", "disposition.saturable"
        yield "km", "g/L", "disposition.saturable"
    if disposition.releases:
        for part, unit in (("rate", "1/h"), ("gain", "1"), ("c50", "g/L"), ("rise", "h*L/g")):
            yield f"release.{part}", unit, "disposition.releases"
    if disposition.effect_site:
        yield "ke0", "1/h", "disposition.effect_site"
