"""What schild does not do: agonists above published human challenges while an antagonist is on board.

Surmounting a blockade with more agonist is how people die after treatment. The mechanism is shown elsewhere, over
concentrations relative to affinity; here doses of that kind are refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schild.catalog import Catalogue, Drug
from schild.errors import InputError
from schild.population import Population, Subject
from schild.regimen import Event
from schild.units import TICKS_PER_HOUR, amount_nmol, format_ticks

AGONISTS = ("agonist", "partial agonist", "prodrug")

#: An antagonist counts as on board for this long after a dose: a monthly injection with a margin. [h]
ON_BOARD_H = 60 * 24.0

DANGER = (
    "Trying to overcome a blockade with a large opioid dose can kill: breathing stops before or when the blockade "
    "fades, and tolerance has been lost."
)


def check_doses(catalogue: Catalogue, events: Sequence[Event], who: Subject | Population) -> Iterator[str]:
    """Refuse what must not be computed, and yield a warning for what may.

    Parameters
    ----------
    catalogue : Catalogue
        Holds the largest published challenge of each agonist and route.
    events : sequence of Event
        Expanded doses.
    who : Subject or Population
        For amounts per kilogram.

    Yields
    ------
    str
        Warnings.

    Raises
    ------
    InputError
        For an agonist dose above the published ones while an antagonist is on board.
    """
    given = [(e, catalogue.drug(e.drug)) for e in events if e.drug is not None]
    blocked_from = [e.tick for e, drug in given if drug.role == "antagonist"]
    if not blocked_from:
        return
    window = int(ON_BOARD_H * TICKS_PER_HOUR)
    warned = False
    for event, drug in given:
        if drug.role not in AGONISTS or event.amount is None:
            continue
        if not any(0 <= event.tick - tick <= window for tick in blocked_from):
            continue
        if not warned:
            warned = True
            yield f"An opioid is given while an antagonist is on board. {DANGER}"
        limit = _limit_nmol(drug, event)
        weight = who.weight_kg if isinstance(who, Subject) else float(who.fixed.get("weight_kg", 70.0))
        dose = _nmol(drug, event, weight)
        if limit is None or dose > limit * (1 + 1e-9):
            said = "none is known for this route" if limit is None else f"the largest is {_limit_words(drug, event)}"
            raise InputError(
                f"{drug.name} {event.amount} at {format_ticks(event.tick)} while an antagonist is on board is more "
                f"than published human challenges ({said}); schild does not compute it. {DANGER} "
                "Use a dose of a published challenge."
            )


def _nmol(drug: Drug, event: Event, weight_kg: float) -> float:
    assert event.amount is not None  # the caller has checked
    route = drug.routes.get(str(event.route))
    salt = event.basis or (route.salt if route is not None else "base")
    factor = 1.0 if salt in ("base", "") or salt not in drug.salts else drug.number(drug.salts[salt]).value
    return amount_nmol(event.amount.scaled(weight_kg), drug.number(str(drug.mw)).value, factor)


def _limit_nmol(drug: Drug, event: Event) -> float | None:
    route = drug.routes.get(str(event.route))
    if route is None or route.challenge is None:
        return None
    number = drug.number(route.challenge)
    salt = route.salt
    factor = 1.0 if salt in ("base", "") else drug.number(drug.salts[salt]).value
    return number.value * 1e6 * factor / drug.number(str(drug.mw)).value


def _limit_words(drug: Drug, event: Event) -> str:
    return f"{drug.number(str(drug.routes[str(event.route)].challenge)).value:g} mg"
