"""What doses mean once the catalogue is known, in words for a person who has not run anything yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schild.catalog import Catalogue, Drug
from schild.regimen import Event
from schild.units import Amount, amount_nmol


def notes(catalogue: Catalogue, events: Iterable[Event]) -> tuple[str, ...]:
    """Say what the catalogue adds to the events of a regimen, each thing once.

    Parameters
    ----------
    catalogue : Catalogue
        Where routes stand.
    events : iterable of Event
        Expanded doses.

    Returns
    -------
    tuple of str
        Sentences, in the order of the events; none where the events say everything.

    Examples
    --------
    >>> from schild.catalog import load
    >>> from schild.regimen import expand, parse_regimen
    >>> print(*notes(load(), expand(parse_regimen("buprenorphine 2 mg sl"), 0)))
    Of buprenorphine 2 mg sl, the share absorbed is that of 16 mg x 2.16, (dose / 16 mg)^-0.371, at most the whole.
    """
    return tuple(dict.fromkeys(_said(catalogue, events)))


def _said(catalogue: Catalogue, events: Iterable[Event]) -> Iterator[str]:
    for event in events:
        if event.drug is None:
            continue
        drug = catalogue.drug(event.drug)
        route = drug.routes.get(str(event.route))
        if route is not None and route.by_dose is not None:
            of = drug.number(route.by_dose.reference).value
            power = drug.number(route.by_dose.exponent).value
            yield (
                f"Of {drug.name} {event.amount or event.rate} {route.key}, the share absorbed is that of {of:g} mg "
                f"x {_times(drug, event, of, power)}(dose / {of:g} mg)^{power:g}, at most the whole."
            )


def _times(drug: Drug, event: Event, of: float, power: float) -> str:
    """Write the factor where the dose says its mass; one per kilogram differs from person to person."""
    amount, route = event.amount, drug.routes[str(event.route)]
    if amount is None or amount.per_kg:
        return ""
    mw = drug.number(str(drug.mw)).value
    given, wanted = (
        drug.number(drug.salts[s]).value if s in drug.salts else 1.0 for s in (event.basis or route.salt, route.salt)
    )
    dose = amount_nmol(amount, mw, given) / amount_nmol(Amount(of, "mg"), mw, wanted)
    return f"{dose**power:.3g}, "
