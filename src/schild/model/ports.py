"""Inputs of a model, through which doses enter the body, and the share of a dose that each delivers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from schild.array_types import Floats
from schild.catalog import Branch, Catalogue, Delivery, Disposition, Drug, Route
from schild.errors import InputError, UnknownNameError
from schild.model.spec import Input
from schild.people import Values
from schild.regimen import Event
from schild.units import Amount, amount_nmol

#: Largest dose, for a person of 100 kg: far larger ones take solvers hours. [g]
MAX_GRAMS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """Origin of an input of the model: some of the deliveries of a branch, and whether occasions vary them."""

    drug: Drug
    route: Route
    branch: Branch
    deliver: tuple[Delivery, ...]
    varies: bool


def inputs_of(
    values: Values, routes: Mapping[tuple[str, str], Route], events: Sequence[Event]
) -> tuple[tuple[Input, ...], dict[str, Port]]:
    """List the inputs of a model; a branch that some event prolongs gets a second, prolonged input.

    ``routes``: routes in use, by drug and key; ``events``: doses, with their products. Returns ``inputs``: for the
    structure of the model; ``ports``: origin of each input, by its name.
    """
    plain: set[tuple[str, str]] = set()
    infused: set[tuple[str, str]] = set()
    for event in events:
        if event.drug is not None and event.route is not None:
            drug = values.catalogue.drug(event.drug)
            given = (drug.key, drug.route(event.route, event.product).key)
            (infused if event.duration_tick or event.rate else plain).add(given)
    inputs: list[Input] = []
    ports: dict[str, Port] = {}
    for (key, name), route in routes.items():
        drug = values.catalogue.drugs[key]
        for k, branch in enumerate(route.branches):
            if (key, name) in infused and branch.input == "zero_order":
                raise InputError(
                    f"{drug.name} by {name} already enters at a constant rate of its own; a duration or rate "
                    "has no meaning there. Leave it out."
                )
            stages = {"bolus": 0, "zero_order": 0, "first_order": 1, "transit": branch.stages}[branch.input]
            for suffix, wanted in (("", plain), (".infusion", infused)):
                if (key, name) not in wanted:
                    continue
                for label, deliver, varies in parts_of(values, port_name(key, name, k) + suffix, drug, branch):
                    ports[label] = Port(drug=drug, route=route, branch=branch, deliver=deliver, varies=varies)
                    inputs.append(
                        Input(
                            name=label,
                            stages=stages,
                            prolonged=bool(suffix) or branch.input == "zero_order",
                            delivers=tuple(d.species for d in deliver),
                        )
                    )
    return tuple(inputs), ports


def parts_of(values: Values, label: str, drug: Drug, branch: Branch) -> list[tuple[str, tuple[Delivery, ...], bool]]:
    """List the inputs that a branch needs: one, or one for each delivery where these vary separately by occasion."""
    vary = [_varies(values, drug, branch, d) for d in branch.deliver]
    if len(branch.deliver) == 1 or not any(vary):
        return [(label, tuple(branch.deliver), vary[0])]
    return [(f"{label}.{d.species}", (d,), v) for d, v in zip(branch.deliver, vary, strict=True)]


def disposition_of(drug: Drug) -> Disposition:
    """Return a drug's kinetics in the body.

    Raises InputError if the catalogue has none.
    """
    if drug.disposition is None:
        raise InputError(f"{drug.name} cannot be given: the catalogue has no kinetics for it. Choose another drug.")
    return drug.disposition


def formed(catalogue: Catalogue, keys: Iterable[str]) -> list[str]:
    """List some drugs and all that forms from them in the body, each once."""
    found = list(dict.fromkeys(keys))
    for key in found:
        disposition = catalogue.drug(key).disposition
        found += [k for k in (disposition.feeds if disposition is not None else ()) if k not in found]
    return found


def port_name(drug: str, route: str, branch: int) -> str:
    """Name of the input of a branch of a route."""
    return f"{drug}.{route}.{branch + 1}"


def fraction(values: Values, port: Port, d: Delivery, occasion: int = 0) -> float | Floats:
    """Molar fraction of a dose that becomes a species: (of - less) x times. [1]"""
    drug = port.drug
    whole = values.on_occasion(drug.key, d.of, occasion)
    if d.less is not None:
        whole = whole - np.minimum(values.on_occasion(drug.key, d.less, occasion), whole)
    elif (limit := _limit(port.branch, d.of)) is not None:
        # The share that reaches the blood unchanged cannot exceed the share absorbed.
        whole = np.minimum(whole, values.on_occasion(drug.key, limit, occasion))
    if d.times is not None:
        whole = whole * values.on_occasion(drug.key, d.times, occasion) * _evened(values, port.route, drug, d)
    return whole * _room(values, port, occasion) if d is not port.branch.deliver[0] and d.less is None else whole


def _room(values: Values, port: Port, occasion: int) -> float | Floats:
    """Factor that keeps the deliveries of a branch after its first species within the rest of the dose."""
    beside = [d for d in port.branch.deliver[1:] if d.less is None]
    first = values.on_occasion(port.drug.key, port.branch.deliver[0].of, occasion)
    rest = sum(values.on_occasion(port.drug.key, d.of, occasion) for d in beside)
    return np.minimum(1.0, (1.0 - first) / rest)


def _evened(values: Values, route: Route, drug: Drug, d: Delivery) -> float | Floats:
    """Factor that keeps the sum of uncertain shares of one dose equal to that in the catalogue."""
    parts = [x for b in route.branches for x in b.deliver if x.species == d.species and x.of == d.of]
    names = dict.fromkeys(x.times for x in parts if x.times is not None)
    if len(names) < 2:
        return 1.0
    now = sum(values.of(drug.key, name) for name in names)
    typical = sum(values.typical(drug.key, name) for name in names)
    return typical / now


def _varies(values: Values, drug: Drug, branch: Branch, d: Delivery) -> bool:
    """Whether a delivery varies between occasions, itself or through the share that the first one leaves."""
    if values.people.between_occasion is None:
        return False
    names = {d.of, d.less, d.times, branch.deliver[0].of if d.less is None else None} - {None}
    return any(values.number(drug.key, str(name)).between_occasion is not None for name in names)


def _limit(branch: Branch, name: str) -> str | None:
    """Return the number that bounds ``name``, because another delivery of the branch is the difference of the two."""
    return next((d.of for d in branch.deliver if d.less == name), None)


def base_nmol(values: Values, drug: Drug, salt: str, amount: Amount) -> float:
    """Convert an amount of a salt (``base`` for none) to base; an amount per kilogram is that of 1 kg. [nmol]"""
    if salt == "base" or not salt:
        factor = 1.0
    else:
        if salt not in drug.salts:
            raise UnknownNameError(f"salt of {drug.name}", salt, ["base", *drug.salts])
        factor = values.typical(drug.key, drug.salts[salt])
    mw = values.typical(drug.key, str(drug.mw))
    nmol = amount_nmol(amount, mw, factor)
    if (grams := nmol * mw * 1e-9) > 1.000001 * MAX_GRAMS / (100.0 if amount.per_kg else 1.0):
        raise InputError(
            f"{amount} of {drug.name} is {grams:.3g} g{'/kg' if amount.per_kg else ''} of the base; expected at most "
            f"{MAX_GRAMS:g} g for a person of 100 kg. Check the number and the unit."
        )
    return nmol
