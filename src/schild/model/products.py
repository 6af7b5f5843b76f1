"""Products of the catalogue for doses, and notes on what the catalogue adds to a dose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import attrgetter
from typing import Any

from schild.catalog import Drug, Product
from schild.model.ports import base_nmol
from schild.people import Values
from schild.regimen import Event
from schild.units import Amount


def with_products(values: Values, events: Iterable[Event]) -> tuple[Event, ...]:
    """Give each dose its product: the one it names, or the one of that strength.

    ``values``: numbers of the run; its catalogue has the products. Returns the events: one with the strength of
    a product of its route has that product; one whose product has the inputs of another route has that route and no
    product. Raises InputError if the route has no product of that name; the message lists those it has.

    >>> from schild.catalog import load
    >>> from schild.regimen import expand, parse_regimen
    >>> words = "naloxone 8 mg in; naloxone 8 mg in product spray_4mg; naloxone 2 mg in"
    >>> [event.product for event in with_products(Values(load()), expand(parse_regimen(words), 0))]
    ['spray_8mg', 'spray_4mg', None]
    """
    events = tuple(events)
    meant = {kind: _with_product(values, event) for kind, event in _kinds(events).items()}

    def own(event: Event) -> Event:
        route, product = (found := meant[_kind(event)]).route, found.product
        same = (route, product) == (event.route, event.product)
        return event if same else replace(event, route=route, product=product)

    return tuple(map(own, events))


#: Fields that decide the product of a dose.
_kind = attrgetter("drug", "route", "product", "amount", "basis", "duration_tick")


def _kinds(events: Iterable[Event]) -> dict[Any, Event]:
    """One of the doses of each kind, in order: a history has hundreds of equal ones."""
    return {_kind(event): event for event in events}


def _with_product(values: Values, event: Event) -> Event:
    if event.drug is None or event.route is None:
        return event
    drug = values.catalogue.drug(event.drug)
    if event.route not in drug.routes:
        return event  # the build reports it, with the names that exist
    if event.product is None:
        fitting = [p for p in drug.products_of(event.route).values() if _is_strength(values, drug, p, event)]
        return replace(event, product=fitting[0].key) if len(fitting) == 1 else event
    drug.route(event.route, event.product)
    becomes = drug.products[event.product].becomes
    return event if becomes is None else replace(event, route=becomes, product=None)


def _is_strength(values: Values, drug: Drug, product: Product, event: Event) -> bool:
    if product.strength is None or event.amount is None or event.amount.per_kg or event.duration_tick:
        return False
    salt = product.salt or drug.routes[product.route].salt
    given = event.basis or salt
    if given not in ("base", *drug.salts):
        return False  # the build reports it, with the names that exist
    unit = base_nmol(values, drug, salt, Amount(values.typical(drug.key, product.strength), "mg"))
    return bool(abs(base_nmol(values, drug, given, event.amount) / unit - 1.0) < 1e-9)


def notes(values: Values, events: Iterable[Event]) -> tuple[str, ...]:
    """Describe what the catalogue adds to the events of a regimen, each addition once.

    ``values``: numbers of the run; its catalogue has the routes. Returns sentences, in the order of the events; none
    where nothing is added.

    >>> from schild.catalog import load
    >>> from schild.regimen import expand, parse_regimen
    >>> print(*notes(Values(load()), expand(parse_regimen("buprenorphine 2 mg sl"), 0)))
    Of buprenorphine 2 mg sl, the share absorbed is that of 16 mg x 2.16, (dose / 16 mg)^-0.371, at most the whole.
    """
    return tuple(dict.fromkeys(_said(values, events)))


def chosen(values: Values, events: Iterable[Event]) -> Iterator[str]:
    """Name the doses whose strength decided the product, once for equal ones; ``events``: as written."""
    for event in _kinds(events).values():
        meant = _with_product(values, event)
        if event.drug is None or event.product is not None or meant.product is None:
            continue
        drug = values.catalogue.drug(event.drug)
        product = drug.products[meant.product]
        if product.replaces:
            others = " or ".join(p for p in drug.products_of(product.route) if p != product.key)
            yield (
                f"{drug.name} {event.amount} {event.route} is taken as {product.name}, by its strength; "
                f"write 'product {others}' for another."
            )


def _said(values: Values, events: Iterable[Event]) -> Iterator[str]:
    for event in events:
        if event.drug is None:
            continue
        drug = values.catalogue.drug(event.drug)
        meant = _with_product(values, event)
        if meant.route not in drug.routes:
            continue
        route = drug.route(str(meant.route), meant.product)
        yield from chosen(values, [event])
        if event.product is not None and meant.route != event.route:
            yield f"{drug.name} {event.route} product {event.product} is the route {meant.route} ({route.product})."
        if route.by_dose is not None:
            of = values.typical(drug.key, route.by_dose.reference)
            power = values.typical(drug.key, route.by_dose.exponent)
            yield (
                f"Of {drug.name} {event.amount or event.rate} {meant.route}, the share absorbed is that of {of:g} mg "
                f"x {_times(values, drug, event, of, power)}(dose / {of:g} mg)^{power:g}, at most the whole."
            )


def _times(values: Values, drug: Drug, event: Event, of: float, power: float) -> str:
    """Write the factor of a dose given as a mass; that of a dose per kilogram differs between people."""
    amount, salt = event.amount, drug.routes[str(event.route)].salt
    if amount is None or amount.per_kg:
        return ""
    dose = base_nmol(values, drug, event.basis or salt, amount) / base_nmol(values, drug, salt, Amount(of, "mg"))
    return f"{dose**power:.3g}, "
