"""Virtual people as drinkers: the numbers of ``alcohol.toml`` for each person, as rows of the compiled session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.catalog.alcohol import MODERATORS
from schild.engine.session import PARAMETERS
from schild.errors import InputError, UnknownNameError
from schild.people import Values
from schild.pharmacology.alcohol import endogenous_activation, widmark_volume

#: Parameters that are numbers of ``alcohol`` as they are, by the same name with a point.
_AS_THEY_ARE = (
    "reward_c50", "sedation_c50", "sedation_slope", "sedation_occupied", "mood_c50", "mood_occupied", "craving_start",
    "craving_prime", "craving_share", "thirst_rate",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Drinkers:
    """People with the numbers that a session needs."""

    #: Columns ``schild.engine.session.PARAMETERS``; grams, litres, hours. ``drink_g`` is 0 until a session sets it;
    #: shape (n, n_parameters)
    rows: Floats
    #: Body weight [kg] and Widmark's volume [L]; shape (n,)
    weight_kg: Floats
    volume_l: Floats
    gain: Floats  #: Release relative to the typical person [1]; shape (n,)
    #: ``stimulation``, ``sedation``, ``mood``, ``craving``: points at rest, points for one unit, and the standard
    #: deviation between people under placebo
    rating: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    within: float = 0.5  #: Share of the variance of ratings that changes from session to session [1]

    @property
    def n(self) -> int:
        """Number of people."""
        return int(self.rows.shape[0])

    def column(self, name: str) -> Floats:
        """Return one parameter of every person."""
        return np.asarray(self.rows[:, PARAMETERS.index(name)])

    def with_(self, **columns: Floats | float) -> Drinkers:
        """Return the same people with some parameters replaced."""
        rows = self.rows.copy()
        for name, value in columns.items():
            rows[:, PARAMETERS.index(name)] = value
        return replace(self, rows=rows)


def drinkers(
    values: Values, *, food: str = "fasted", moderators: Mapping[str, bool | NDArray[np.bool_]] | None = None
) -> Drinkers:
    """Give people their numbers as drinkers: kinetics and release of ethanol, reward, ratings, thirst.

    ``values``: of the people; the same seed gives the same people as in a run; ``food``: ``fasted`` or ``fed``.
    ``moderators``: subgroups, ``a118g``, ``family_history`` or ``reward_drinking``, to which all or some of the people
    belong. None by default: the evidence for each is negative or conflicting. Returns drinkers in the order of the
    people. Raises InputError for another word for food, or a moderator that does not exist.

    >>> from schild.catalog import load
    >>> from schild.population import Subject, people_of
    >>> one = drinkers(Values(load(), people_of(Subject(), load(), 1)))
    >>> round(float(one.volume_l[0]), 1), round(float(one.column("vmax")[0]), 2)
    (47.6, 7.58)
    """
    if food not in ("fasted", "fed"):
        raise InputError(f"food is {food!r}; expected 'fasted' or 'fed'. Choose one of them.")
    for name in moderators or {}:
        if name not in MODERATORS:
            raise UnknownNameError("moderator", name, MODERATORS)
    n = values.people.n

    def of(name: str, owner: str = "alcohol") -> Floats:
        return np.broadcast_to(np.asarray(values.of(owner, name), dtype=np.float64), (n,))

    weight = np.asarray(values.covariate("weight_kg"), dtype=np.float64)
    female = values.covariate("sex") == "female"
    volume = widmark_volume(weight, np.where(female, of("widmark.female"), of("widmark.male")))
    gain = np.broadcast_to(np.asarray(values.between("alcohol", "release.gain")), (n,))
    stronger = np.ones(n)
    for name, switch in (moderators or {}).items():
        stronger = stronger * np.where(switch, of(f"moderator.{name}"), 1.0)
    e0 = of("e0")
    # The load of the typical person, whatever the person's own release.
    load_max = e0 * (1.0 + of("release.gain") / gain)
    nobody = np.zeros(n)
    rating = {
        what: tuple(values.of("alcohol", f"{what}.{part}") for part in ("rest", "range", "sd"))
        for what in ("stimulation", "sedation", "mood", "craving")
    }
    scale = of("thirst.scale")

    def by(what: str, rated: str) -> Floats:
        _, points, sd = rating[rated]
        return scale * of(f"thirst.{what}") * points / sd

    swallowed = values.catalogue.drug("ethanol").route("oral", "with_food" if food == "fed" else None).branches[0]
    columns = {
        **{name: of(name, "ethanol") for name in ("vc", "vmax", "km")},
        "vt": of("vp", "ethanol"),
        "cld": of("q", "ethanol"),
        "clr": of("cl", "ethanol"),
        "ka": of(str(swallowed.rate), "ethanol"),
        "f": of(swallowed.deliver[0].of, "ethanol"),
        "e0": e0,
        "release_rate": of("release.rate", "ethanol"),
        "release_gain": of("release.gain", "ethanol") * stronger,
        "release_c50": of("release.c50", "ethanol"),
        "release_rise": of("release.rise", "ethanol") * gain * stronger,
        **{name: of(name.replace("_", ".")) for name in _AS_THEY_ARE},
        "share": of("reward.share"),
        "reward_rate": 1.0 / of("reward.tau"),
        "opioid_range": endogenous_activation(load_max, nobody, e0) - endogenous_activation(e0, nobody, e0),
        "craving_rate": 1.0 / of("craving.tau"),
        "by_reward": by("reward", "stimulation"),
        "by_sedation": by("sedation", "sedation"),
        "by_craving": by("craving", "craving"),
        "pause": of("thirst.pause"),
        "drink_g": nobody,
    }
    return Drinkers(
        rows=np.column_stack([columns[name] for name in PARAMETERS]),
        weight_kg=weight,
        volume_l=volume,
        gain=gain * stronger,
        rating=rating,  # type: ignore[arg-type]  # three parts each
        within=values.typical("alcohol", "rating.within"),
    )
