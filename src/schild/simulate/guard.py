"""What schild does not do: agonists above published human challenges while an antagonist is on board.

Surmounting a blockade with more agonist is how people die after treatment. The mechanism is shown elsewhere, over
concentrations relative to affinity; here doses of that kind are refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schild.catalog import Drug, Route
from schild.errors import InputError
from schild.model.given import with_products
from schild.people import Values
from schild.population import Population, Subject
from schild.regimen import Event
from schild.units import TICKS_PER_HOUR, Amount, amount_nmol, format_ticks

AGONISTS = ("agonist", "partial agonist", "prodrug")

#: An antagonist counts as on board for this long after a dose: a monthly injection with a margin. [h]
ON_BOARD_H = 60 * 24.0

#: Doses this close count as one: a dose must not be cut into pieces. [h]
TOGETHER_H = 24.0

DANGER = (
    "Trying to overcome a blockade with a large opioid dose can kill: breathing stops before or when the blockade "
    "fades, and tolerance has been lost."
)


def check_doses(values: Values, events: Sequence[Event], who: Subject | Population) -> Iterator[str]:
    """Refuse what must not be computed, and yield a warning for what may.

    Parameters
    ----------
    values : Values
        Numbers of the run; its catalogue holds the largest published challenge of each agonist and route.
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
    weight = _heaviest(values, who)
    values = Values(values.catalogue)  # what is given in place of the catalogue's numbers must not move a limit
    events = with_products(values, events)
    given = [(e, values.catalogue.drug(e.drug)) for e in events if e.drug is not None]
    blocked_from = [e.tick for e, drug in given if drug.role == "antagonist"]
    if not blocked_from:
        return
    window = int(ON_BOARD_H * TICKS_PER_HOUR)
    day = int(TOGETHER_H * TICKS_PER_HOUR)
    warned = False
    earlier: list[tuple[int, str, str, float]] = []
    for event, drug in given:
        if drug.role not in AGONISTS:
            continue
        # Of an infusion that an antagonist interrupts, what still comes afterwards counts: a rescue is no challenge.
        end = event.tick + event.duration_tick
        blocked = [tick for tick in blocked_from if event.tick <= tick + window and end >= tick]
        if not blocked or (event.duration_tick and end == min(blocked)):
            continue
        share = 1.0
        if event.duration_tick:
            share = (end - max(event.tick, min(blocked))) / event.duration_tick
        if not warned:
            warned = True
            yield f"An opioid is given while an antagonist is on board. {DANGER}"
        limit = _limit_nmol(values, drug, event)
        earlier = [e for e in earlier if event.tick - e[0] < day]
        earlier.append(
            (event.tick, drug.key, str(event.route), share * _nmol_in_a_day(values, drug, event, weight, day))
        )
        together = sum(nmol for _, key, route, nmol in earlier if (key, route) == (drug.key, str(event.route)))
        if limit is None or together > limit * (1 + 1e-9):
            said = (
                "none is known for this route"
                if limit is None
                else f"the largest is {_limit_words(values, drug, event)}"
            )
            given_words = str(event.amount or event.rate)
            raise InputError(
                f"{drug.name} {given_words} at {format_ticks(event.tick)} while an antagonist is on board is, "
                f"with what was given in the {TOGETHER_H:g} h before, more than published human challenges ({said}); "
                f"schild does not compute it. {DANGER} Use a dose of a published challenge."
            )


def _route(drug: Drug, event: Event) -> Route | None:
    return drug.route(str(event.route), event.product) if event.route in drug.routes else None


def _heaviest(values: Values, who: Subject | Population) -> float:
    """Body weight that an amount per kilogram is judged by: the heaviest that can occur. [kg]"""
    if isinstance(who, Subject):
        return who.weight_kg
    if "weight_kg" in who.fixed:
        return float(who.fixed["weight_kg"])
    group = values.catalogue.populations.get(who.key)
    covariate = None if group is None else group.covariates.get("weight_kg")
    if group is None or covariate is None or covariate.high is None:
        return 300.0
    return values.typical(group.key, covariate.high)


def _nmol_in_a_day(values: Values, drug: Drug, event: Event, weight_kg: float, day: int) -> float:
    """Amount of one event, or of a day of the endless past and rate that it stands for. [nmol]"""
    if event.rate is not None:
        return _nmol(values, drug, event, event.rate.over(day), weight_kg)
    assert event.amount is not None  # every other dose has one
    repeats = max(1.0, day / event.ii_tick) if event.ss and event.ii_tick else 1.0
    nmol = _nmol(values, drug, event, event.amount, weight_kg)
    return repeats * nmol * _absorbed_more(values, drug, event, nmol)


def _absorbed_more(values: Values, drug: Drug, event: Event, nmol: float) -> float:
    """How much more of a dose is absorbed than of the largest published one: pieces must not bring more than it."""
    limit, route = _limit_nmol(values, drug, event), _route(drug, event)
    if limit is None or route is None or route.by_dose is None:
        return 1.0
    return float(max(1.0, (nmol / limit) ** values.typical(drug.key, route.by_dose.exponent)))


def _nmol(values: Values, drug: Drug, event: Event, amount: Amount, weight_kg: float) -> float:
    route = _route(drug, event)
    salt = event.basis or (route.salt if route is not None else "base")
    factor = 1.0 if salt in ("base", "") or salt not in drug.salts else values.typical(drug.key, drug.salts[salt])
    return amount_nmol(amount.scaled(weight_kg), values.typical(drug.key, str(drug.mw)), factor)


def _limit_nmol(values: Values, drug: Drug, event: Event) -> float | None:
    route = _route(drug, event)
    if route is None or route.challenge is None:
        return None
    salt = route.salt
    factor = 1.0 if salt in ("base", "") else values.typical(drug.key, drug.salts[salt])
    return values.typical(drug.key, route.challenge) * 1e6 * factor / values.typical(drug.key, str(drug.mw))


def _limit_words(values: Values, drug: Drug, event: Event) -> str:
    route = drug.route(str(event.route), event.product)
    pieces = ", of which less is absorbed than of smaller doses" if route.by_dose is not None else ""
    return f"{values.typical(drug.key, str(route.challenge)):g} mg{pieces}"
