"""Laboratory protocols: doses given, drinks offered, outcomes measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.drinking.people import Drinkers
from schild.errors import InputError, UnknownNameError
from schild.pharmacology.alcohol import grams_for_level


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Protocol of a session: what is drunk or offered, for how long, and what is measured."""

    key: str
    says: str
    #: Length, and the grid of decisions [h]
    hours: float
    every: float = 1.0 / 12.0
    grams_per_kg: float = 0.0  #: Ethanol given at the beginning, by weight [g/kg]
    level: float = 0.0  #: Or the dose as the level it would reach if absorbed at once [g/L]
    infused_over: float = 0.0  #: Duration of its infusion into a vein; 0 for a drink [h]
    offered: tuple[float, float] | None = None  #: Begin and end of the time in which drinks may be chosen [h]
    most: int = 0  #: Drinks that may be chosen
    #: Size of one drink, as a level [g/L] or a mass [g]
    drink_level: float = 0.0
    drink_g: float = 0.0
    cue: tuple[float, float] | None = None  #: Begin and end of the time in which drinks are in sight [h]
    food: str = "fasted"  #: ``fasted`` or ``fed``
    #: ``stimulation``, ``sedation``, ``mood``: peaks; ``craving``: mean while drinks are in sight; ``drinks``: chosen;
    #: ``first``: hours to the first chosen, the whole time offered where there was none; ``peak_bac`` [g/L]
    measures: tuple[str, ...] = ()

    @property
    def grid(self) -> Floats:
        """Times of decisions and outputs. [h]"""
        return np.asarray(np.arange(round(self.hours / self.every) + 1) * self.every, dtype=np.float64)

    def during(self, span: tuple[float, float] | None) -> NDArray[np.bool_]:
        """Points of the grid from the beginning of a span up to, not including, its end."""
        if span is None:
            return np.zeros(self.grid.size, dtype=bool)
        return np.asarray((self.grid >= span[0] - 1e-9) & (self.grid < span[1] - 1e-9))

    def first_dose(self, people: Drinkers) -> Floats:
        """Ethanol given at the beginning, shape (n,). [g]"""
        return np.asarray(self.grams_per_kg * people.weight_kg + grams_for_level(people.volume_l, self.level))

    def one_drink(self, people: Drinkers) -> Floats:
        """Ethanol in a drink that is chosen, shape (n,). [g]"""
        return np.asarray(self.drink_g + grams_for_level(people.volume_l, self.drink_level))


#: The protocols by name.
PROTOCOLS: Mapping[str, Protocol] = {
    p.key: p
    for p in (
        Protocol(
            key="fixed_dose",
            says="Everybody drinks 0.6 g/kg within minutes and rates the effects for three hours.",
            hours=3.0,
            grams_per_kg=0.6,
            measures=("stimulation", "sedation", "mood"),
        ),
        Protocol(
            key="cue",
            says="Drinks are in sight for an hour; a first drink raises alcohol in blood to 0.3 g/L.",
            hours=1.0,
            level=0.3,
            cue=(0.0, 1.0),
            measures=("craving",),
        ),
        Protocol(
            key="self_administration",
            says="A first drink raises alcohol in blood to 0.3 g/L. From half an hour on, for two hours, people may "
            "choose up to eight more of 0.15 g/L each.",
            hours=2.5,
            level=0.3,
            offered=(0.5, 2.5),
            most=8,
            drink_level=0.15,
            cue=(0.0, 2.5),
            measures=("drinks", "first", "craving", "stimulation", "peak_bac"),
        ),
        Protocol(
            key="bar",
            says="After a meal people drink in a bar without limit for 90 minutes; a drink holds 14 g.",
            hours=1.5,
            offered=(0.0, 1.5),
            most=20,
            drink_g=14.0,
            cue=(0.0, 1.5),
            food="fed",
            measures=("drinks", "first", "craving", "peak_bac"),
        ),
    )
}


def protocol(name: str | Protocol, **changes: float | str | int) -> Protocol:
    """Find a protocol by name and replace some of its fields.

    ``name``: one of ``PROTOCOLS``. ``changes``: fields of ``Protocol`` to replace, e.g. ``grams_per_kg=0.4``. Raises
    UnknownNameError for an unknown name or field; InputError if the session has no length.

    >>> protocol("fixed_dose", grams_per_kg=0.4).grams_per_kg
    0.4
    """
    if isinstance(name, str):
        if name not in PROTOCOLS:
            raise UnknownNameError("protocol", name, PROTOCOLS)
        name = PROTOCOLS[name]
    for field in changes:
        if field not in Protocol.__dataclass_fields__:
            raise UnknownNameError("field of a protocol", field, Protocol.__dataclass_fields__)
    found = replace(name, **changes)  # type: ignore[arg-type]  # the names were checked
    if not found.hours >= found.every > 0.0:
        raise InputError(
            f"The session lasts {found.hours:g} h in steps of {found.every:g} h; expected at least one step. "
            "Give a longer session or a finer grid."
        )
    amounts = (found.grams_per_kg, found.level, found.drink_level, found.drink_g, float(found.most))
    if min(amounts) < 0.0 or found.grams_per_kg > 1.5 or found.level > 1.5:
        raise InputError(
            f"The session gives {found.grams_per_kg:g} g/kg and {found.level:g} g/L of ethanol; expected 0 to 1.5, and "
            "no negative amount. Laboratories give no more."
        )
    return found
