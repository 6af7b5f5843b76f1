"""Virtual people as drinkers: the numbers of ``alcohol.toml`` for each person, as rows of the compiled session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Catalogue
from schild.catalog.alcohol import MODERATORS
from schild.engine.session import PARAMETERS
from schild.errors import InputError, UnknownNameError
from schild.model.build import People
from schild.pharmacology.alcohol import endogenous_activation, widmark_volume

__all__ = ["Drinkers", "drinkers"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drinkers:
    """People with the numbers that a session needs.

    Attributes
    ----------
    rows : ndarray, shape (n, n_parameters)
        Columns ``schild.engine.session.PARAMETERS``; grams, litres, hours. ``drink_g`` is 0 until a session sets it.
    weight_kg, volume_l : ndarray, shape (n,)
        Body weight [kg] and Widmark's volume [L].
    gain : ndarray, shape (n,)
        Release over that of the typical person. [1]
    rating : mapping of str to (float, float, float)
        ``stimulation``, ``sedation``, ``mood``, ``craving``: points at rest, points for one unit, and the standard
        deviation between people under placebo.
    within : float
        Share of the variance of ratings that changes from session to session. [1]
    """

    rows: Floats
    weight_kg: Floats
    volume_l: Floats
    gain: Floats
    rating: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    within: float = 0.5

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
        return Drinkers(
            rows=rows,
            weight_kg=self.weight_kg,
            volume_l=self.volume_l,
            gain=self.gain,
            rating=self.rating,
            within=self.within,
        )


def drinkers(
    people: People,
    catalogue: Catalogue,
    *,
    food: str = "fasted",
    moderators: Mapping[str, bool | NDArray[np.bool_]] | None = None,
    overrides: Mapping[str, float] | None = None,
) -> Drinkers:
    """Give people their numbers: typical, uncertain, by weight and sex, and between people.

    Parameters
    ----------
    people : People
        From ``schild.population.people_of``; the same seed gives the same people as in a run.
    catalogue : Catalogue
        Where the numbers stand.
    food : {"fasted", "fed"}
        Whether the stomach is empty.
    moderators : mapping, optional
        Subgroups that are switched on, ``a118g``, ``family_history`` or ``reward_drinking``: for all, or for some of
        the people. Off by default: the evidence for each fails or conflicts.
    overrides : mapping, optional
        Typical values in place of the catalogue's, by ``"alcohol.<number>"``; other names are left alone.

    Returns
    -------
    Drinkers
        In the order of ``people``.

    Raises
    ------
    InputError
        For another word for food, or a number of alcohol that does not exist.

    Examples
    --------
    >>> from schild.catalog import load
    >>> from schild.population import Subject, people_of
    >>> one = drinkers(people_of(Subject(), load(), 1), load())
    >>> round(float(one.volume_l[0]), 1), round(float(one.column("vmax")[0]), 2)
    (47.6, 7.58)
    """
    if food not in ("fasted", "fed"):
        raise InputError(f"food is {food!r}; expected 'fasted' or 'fed'. Choose one of them.")
    numbers = catalogue.alcohol
    everything = overrides or {}
    given = {k.partition(".")[2]: v for k, v in everything.items() if k.startswith("alcohol.")}
    for name in given:
        if name not in numbers:
            raise UnknownNameError("number of alcohol", name, numbers)
    for name in moderators or {}:
        if name not in MODERATORS:
            raise UnknownNameError("moderator", name, MODERATORS)

    def typical(name: str) -> Floats:
        number = numbers[name]
        # A copied number follows its origin, in what is given and in what is drawn.
        label = f"alcohol.{name}" if number.same_as is None else number.same_as.replace(":", ".", 1)
        value = np.full(people.n, float(everything.get(f"alcohol.{name}", everything.get(label, number.value))))
        if people.uncertainty is not None and number.uncertainty is not None:
            value = value * np.exp(number.uncertainty.omega * people.uncertainty(label))
        return _held(value, number.bounds)

    def eta(name: str) -> Floats:
        spread = numbers[name].between_subject
        if people.between_subject is None or spread is None:
            return np.zeros(people.n)
        return spread.omega * people.between_subject(f"alcohol.{name}")

    def own(name: str) -> Floats:
        return _held(typical(name) * np.exp(eta(name)), numbers[name].bounds)

    weight = np.asarray(people.covariates["weight_kg"], dtype=np.float64)
    female = np.asarray(people.covariates["sex"]) == "female"
    factor = np.where(female, typical("widmark.female"), typical("widmark.male"))
    volume = widmark_volume(weight, factor)
    size = volume / typical("vss")
    rho = float(given.get("rho.vc.vt", numbers["rho.vc.vt"].value))
    central = eta("vc")
    # Independent normals mixed to the published correlation of the two volumes.
    spread_c, spread_t = numbers["vc"].between_subject, numbers["vt"].between_subject
    ratio = spread_t.omega / spread_c.omega if spread_c and spread_t else 0.0
    tissue = rho * ratio * central + np.sqrt(1.0 - rho**2) * eta("vt")

    gain = np.exp(eta("release.gain"))
    for name, switch in (moderators or {}).items():
        gain = gain * np.where(switch, typical(f"moderator.{name}"), 1.0)
    e0, most = typical("e0"), typical("release.gain")
    load_max = e0 * (1.0 + most)
    nobody = np.zeros(people.n)
    rating = {
        what: tuple(
            float(given.get(f"{what}.{part}", numbers[f"{what}.{part}"].value)) for part in ("rest", "range", "sd")
        )
        for what in ("stimulation", "sedation", "mood", "craving")
    }
    scale = typical("thirst.scale")

    def by(what: str, rated: str) -> Floats:
        _, points, sd = rating[rated]
        return scale * typical(f"thirst.{what}") * points / sd

    columns = {
        "vc": typical("vc") * np.exp(central) * size,
        "vt": typical("vt") * np.exp(tissue) * size,
        "cld": own("cld") * size,
        "vmax": own("vmax") * size,
        "km": own("km"),
        "clr": own("clr") * size,
        "ka": own(f"ka.{food}"),
        "f": own(f"f.{food}"),
        "e0": e0,
        "release_rate": typical("release.rate"),
        "release_gain": most * gain,
        "release_c50": typical("release.c50"),
        "release_rise": typical("release.rise") * gain,
        "share": typical("reward.share"),
        "reward_c50": typical("reward.c50"),
        "reward_rate": 1.0 / typical("reward.tau"),
        "opioid_range": endogenous_activation(load_max, nobody, e0) - endogenous_activation(e0, nobody, e0),
        "sedation_c50": typical("sedation.c50"),
        "sedation_slope": typical("sedation.slope"),
        "sedation_occupied": typical("sedation.occupied"),
        "mood_c50": typical("mood.c50"),
        "mood_occupied": typical("mood.occupied"),
        "craving_start": typical("craving.start"),
        "craving_prime": typical("craving.prime"),
        "craving_rate": 1.0 / typical("craving.tau"),
        "craving_share": typical("craving.share"),
        "thirst_rate": own("thirst.rate"),
        "by_reward": by("reward", "stimulation"),
        "by_sedation": by("sedation", "sedation"),
        "by_craving": by("craving", "craving"),
        "pause": typical("thirst.pause"),
        "drink_g": nobody,
    }
    return Drinkers(
        rows=np.column_stack([columns[name] for name in PARAMETERS]),
        weight_kg=weight,
        volume_l=volume,
        gain=gain,
        rating=rating,  # type: ignore[arg-type]  # three parts each
        within=float(given.get("rating.within", numbers["rating.within"].value)),
    )


def _held(value: Floats, bounds: tuple[float, float] | None) -> Floats:
    return value if bounds is None else np.clip(value, *bounds)
