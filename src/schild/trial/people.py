"""People of a trial: the same person for the same seed, replicate and number, in any part or arm."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.engine.days import run_days
from schild.engine.streams import normal_of, normals, uniforms_of
from schild.errors import InputError
from schild.people import People, Values
from schild.population import Population, people_of
from schild.trial.numbers import TrialNumbers
from schild.trial.trialfile import Trial

Bools = NDArray[np.bool_]

#: Days of drinking before treatment that decide eligibility.
BASELINE_DAYS = 28
#: Largest number of candidates for one place; then the trial ends with an error.
TRIES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Drinkers:
    """People ``first`` to ``first + n`` of a trial on the first morning."""

    first: int  #: Number of the first person
    kinetics: Values  #: Their covariates and kinetics
    #: Individual log odds before treatment; shape (n,)
    drinking: Floats
    heavy: Floats
    response: Floats  #: The person's own deviation in response, standard normal; shape (n,)
    #: Drinks that make a day heavy; mean tail above [drinks]; shape (n,)
    limit: Floats
    tail: Floats
    female: Bools  #: Whether the limits and levels of women apply; shape (n,)
    gain: Floats  #: Release of endogenous opioid relative to the typical person [1]; shape (n,)
    #: Slow craving [SD] and state of the last day; shape (n,)
    craving: Floats
    before: NDArray[np.int8]
    baseline: NDArray[np.int64]  #: Days with drinking, heavy days and drinks in the 28 days before; shape (n, 3)

    @property
    def n(self) -> int:
        """Return the number of people."""
        return int(self.drinking.size)


def kinetic_people(trial: Trial, numbers: TrialNumbers, first: int, n: int, replicate: int) -> Values:
    """Covariates and kinetics of people ``first`` to ``first + n``; those of ``simulate`` with the same seed."""
    who = Population(n=n, key=trial.population.reference, fixed=trial.population.fixed, occasions=False)
    people = people_of(who, numbers.values, trial.trial.seed, first)
    if not trial.trial.uncertainty:
        return numbers.values.of_people(people)

    def uncertain(name: str) -> Floats:
        return np.full(n, normals(trial.trial.seed, f"uncertain:{name}", replicate, replicate + 1)[0])

    drawn = People(n=n, covariates=people.covariates, between_subject=people.between_subject, uncertainty=uncertain)
    return numbers.values.of_people(drawn)


#: Largest number of people whose draws of days come from stored blocks, and people of a block.
_FEW, _BLOCK = 1000, 4000


def draw_days(seed: int, what: str, first: int, n: int, days: int, *, normal: bool = False) -> Floats:
    """Random numbers of each person and day, shape (n, days): they depend on ``what``, day and person only.

    >>> whole = draw_days(1, "x", 0, 9, 3)
    >>> bool((draw_days(1, "x", 4, 5, 3) == whole[4:]).all())
    True
    """
    if n > _FEW:
        return _draw(seed, what, first, n, days, normal)
    # Replicates of a small trial take neighbouring people of the same streams.
    blocks = range(first // _BLOCK, (first + n - 1) // _BLOCK + 1)
    return np.concatenate(
        [_kept(seed, what, k, days, normal)[max(first - k * _BLOCK, 0) : first + n - k * _BLOCK] for k in blocks]
    )


def _draw(seed: int, what: str, first: int, n: int, days: int, normal: bool) -> Floats:
    found = uniforms_of(seed, [f"{what}:{d}" for d in range(days)], first, first + n)
    return normal_of(found) if normal else found


@lru_cache(maxsize=128)
def _kept(seed: int, what: str, block: int, days: int, normal: bool) -> Floats:
    return _draw(seed, what, block * _BLOCK, _BLOCK, days, normal)


def habit_of(numbers: TrialNumbers, learning: bool) -> Floats:
    """Return the numbers that all people share, as the chain reads them."""
    return np.array(
        [
            numbers["day.habit.drinking"], numbers["day.habit.heavy"], numbers["day.habit.heavy_heavy"],
            numbers["craving.weight"], numbers["craving.persistence"], numbers["amount.most"],
            numbers["learning.rate"] if learning else 0.0, numbers["learning.weight"] if learning else 0.0,
        ]
    )  # fmt: skip


def enrol(trial: Trial, numbers: TrialNumbers, kinetics: Values, first: int) -> Drinkers:
    """Fill places ``first`` to ``first + n`` with people whose drinking before treatment is eligible.

    Every place has its own candidates, so the person in it does not depend on other places.

    Raises InputError if no candidate for a place is eligible.
    """
    n, seed = kinetics.people.n, trial.trial.seed
    female = kinetics.covariate("sex") == "female"
    limit = np.where(female, numbers["limit.female"], numbers["limit.male"])
    # The same person has the same release in the laboratory.
    gain = np.broadcast_to(np.asarray(kinetics.between("alcohol", "release.gain")), (n,))
    rule = trial.eligibility
    least = (rule.drinking_days, rule.heavy_days, rule.drinks_per_week * BASELINE_DAYS / 7.0)
    own: dict[str, Floats] = {name: np.zeros(n) for name in ("drinking", "heavy", "tail", "craving")}
    before = np.zeros(n, dtype=np.int8)
    baseline = np.zeros((n, 3), dtype=np.int64)
    open_ = np.ones(n, dtype=bool)
    rho = numbers["day.between.rho"]
    habit = habit_of(numbers, learning=False)
    for attempt in range(TRIES):
        if not open_.any():
            break
        # Where few places are open, only the range that holds them is drawn.
        places = np.flatnonzero(open_)
        low, high = int(places[0]), int(places[-1]) + 1
        size, begin = high - low, first + low

        def one(what: str, attempt: int = attempt, begin: int = begin, size: int = size) -> Floats:
            return normals(seed, f"trial:{what}:try{attempt}", begin, begin + size)

        u = one("drinking")
        v = rho * u + np.sqrt(1.0 - rho**2) * one("heavy")
        tail = numbers["amount.tail"] * np.exp(numbers["amount.between"] * one("tail"))
        drinking = numbers["day.drinking"] + numbers["day.drinking.between"] * u
        heavy = numbers["day.heavy"] + numbers["day.heavy.between"] * v
        zero = np.zeros((size, BASELINE_DAYS))
        label = f"trial:before:try{attempt}"
        found = run_days(
            drinking=drinking,
            heavy=heavy,
            shift_drinking=zero,
            shift_heavy=zero,
            lost=zero,
            limit=limit[low:high],
            tail=tail,
            habit=habit,
            uniform=tuple(draw_days(seed, f"{label}:{k}", begin, size, BASELINE_DAYS) for k in range(3)),  # type: ignore[arg-type]
            normal=draw_days(seed, f"{label}:craving", begin, size, BASELINE_DAYS, normal=True),
            before=np.ones(size, dtype=np.int8),
            craving=one("craving"),
        )
        counts = np.stack(
            [(found.state > 0).sum(axis=1), (found.state == 2).sum(axis=1), found.drinks.sum(axis=1)], axis=1
        ).astype(np.int64)
        fits = (counts >= np.array(least)).all(axis=1) & open_[low:high]
        at = low + np.flatnonzero(fits)
        for name, values in (("drinking", drinking), ("heavy", heavy), ("tail", tail), ("craving", found.craving)):
            own[name][at] = values[fits]
        before[at] = found.state[fits, -1]
        baseline[at] = counts[fits]
        open_[at] = False
    if open_.any():
        raise InputError(
            f"Of {TRIES} candidates for each place, none was eligible for {int(open_.sum())} places; expected people "
            f"with at least {rule.drinking_days} drinking days, {rule.heavy_days} heavy days and "
            f"{rule.drinks_per_week:g} drinks a week. Ask for less in [eligibility]."
        )
    return Drinkers(
        first=first,
        kinetics=kinetics,
        drinking=own["drinking"],
        heavy=own["heavy"],
        response=normals(seed, "trial:response", first, first + n),
        limit=np.asarray(limit, dtype=np.float64),
        tail=own["tail"],
        female=np.asarray(female),
        gain=gain,
        craving=own["craving"],
        before=np.zeros(n, dtype=np.int8) if rule.abstinent else before,
        baseline=baseline,
    )
