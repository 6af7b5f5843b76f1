"""One part of a trial: some people through every arm, as counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.catalog import Catalogue, load
from schild.drinking.value import DayValue
from schild.engine.days import DaysResult, run_days
from schild.people import Given
from schild.trial.doses import Taking, taking
from schild.trial.numbers import TrialNumbers, trial_numbers
from schild.trial.occupancy import evening_occupancy
from schild.trial.opioid import body_of, follow_arm
from schild.trial.opioid_part import OPIOID_PEOPLE, OPIOID_WEEKLY, opioid_columns, opioid_counted, opioid_weekly
from schild.trial.people import Drinkers, draw_days, enrol, habit_of, kinetic_people
from schild.trial.trialfile import Arm, Trial

#: Days at the end of a trial in which responders are counted.
LAST = 28

#: Counts of a person in an arm, over the days of the estimand; the last four weeks separately.
COUNTS = (
    "seen", "drinking", "heavy", "drinks", "first_heavy",
    "last_seen", "last_drinking", "last_heavy", "last_drinks",
    "taken", "due", "stop", "leave", "nausea", "all_heavy",
)  # fmt: skip

#: Sums of a week over people.
WEEKLY = ("seen", "drinking", "heavy", "drinks", "on", "occupancy")
_PEOPLE = ("female", "before_drinking", "before_heavy", "before_drinks", "release", "replicate")


def counts_of(trial: Trial) -> tuple[str, ...]:
    """Name the counts of a person in an arm."""
    return opioid_columns(trial) if trial.disorder == "opioid" else COUNTS


def weekly_of(trial: Trial) -> tuple[str, ...]:
    """Name the sums of a week over people."""
    return OPIOID_WEEKLY if trial.disorder == "opioid" else WEEKLY


def people_of_part(trial: Trial) -> tuple[str, ...]:
    """Name the stored values of a person before treatment."""
    return OPIOID_PEOPLE if trial.disorder == "opioid" else _PEOPLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Random numbers of people and days, shape (n, n_days) each: three uniforms, and the normals of craving."""

    uniform: tuple[Floats, Floats, Floats]
    normal: Floats


def draws_of(trial: Trial, first: int, n: int) -> Draws:
    """Draw for people ``first`` to ``first + n``: the same in every arm."""
    seed, days = trial.trial.seed, trial.days
    a, b, c = (draw_days(seed, f"trial:day:{k}", first, n, days) for k in range(3))
    return Draws(uniform=(a, b, c), normal=draw_days(seed, "trial:day:craving", first, n, days, normal=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One arm, day by day."""

    days: DaysResult
    taking: Taking  #: Doses, end of treatment, leaving
    occupancy: Floats  #: Occupancy of mu in the evening [1]; shape (n, n_days)
    #: How the drug is felt: by which numbers, reward that it takes away, aversion [1], shape (n, n_days) each
    felt: tuple[DayValue, Floats, Floats] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Results of some people of a trial."""

    counts: NDArray[np.int32]  #: Columns ``counts_of``; shape (n, n_arms, n_counts)
    #: Columns ``people_of_part``: women (1) or men (0), values before treatment, replicate; shape (n, n_arms, 6)
    people: Floats
    weekly: Floats  #: Columns ``weekly_of``; sums over people and days; shape (n_arms, n_weeks, n_sums)


def course(
    trial: Trial,
    arm: Arm,
    who: Drinkers,
    numbers: TrialNumbers,
    draws: Draws,
    before: Course | None = None,
) -> Course:
    """Follow people through one arm.

    ``before``: the same people in the same arm under other numbers of drinking: doses and occupancy are taken from it.
    """
    n, days = who.n, trial.days
    own = numbers["response.between"] * who.response
    drinking = (numbers["response.drinking"] + own + arm.counselling)[:, None]
    heavy = (numbers["response.heavy"] + numbers["response.share"] * own + arm.counselling)[:, None]
    habit = habit_of(numbers, trial.learning.on)
    nothing = np.zeros((n, days))

    def chain(with_drinking: Floats, with_heavy: Floats, lost: Floats) -> DaysResult:
        return run_days(
            drinking=who.drinking, heavy=who.heavy, shift_drinking=np.broadcast_to(with_drinking, (n, days)),
            shift_heavy=np.broadcast_to(with_heavy, (n, days)), lost=lost,
            limit=who.limit, tail=who.tail, habit=habit, uniform=draws.uniform, normal=draws.normal,
            before=who.before, craving=who.craving,
        )  # fmt: skip

    if before is not None:
        took, occupancy = before.taking, before.occupancy
    else:
        wanted = None
        if arm.dosing == "as_needed":
            wanted = chain(drinking, heavy, nothing).state > 0
        took = taking(trial, arm, numbers, who.first, n, wanted)
        occupancy = nothing
        if not arm.placebo and took.dose.any():
            found = evening_occupancy(arm, took.dose, who.kinetics, numbers)
            # An occupancy may lie outside its limits by a rounding error of the integrator.
            occupancy = np.clip(found, 0.0, 1.0)
    if not occupancy.any():
        return Course(days=chain(drinking, heavy, nothing), taking=took, occupancy=occupancy)
    drug, effect = numbers.drug, numbers.effect
    felt = None if before is None else before.felt
    if felt is None or not drug.feels_as(felt[0]):
        felt = drug, *drug.felt(occupancy, who.gain[:, None])
    lost = np.clip(effect * felt[1], 0.0, 1.0) if trial.learning.on else nothing
    done = chain(drinking + effect * drug.drink(*felt[1:]), heavy + effect * drug.heavy(*felt[1:]), lost)
    return Course(days=done, taking=took, occupancy=occupancy, felt=felt)


def follow(
    trial: Trial,
    start: int,
    stop: int,
    *,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
) -> Part:
    """Follow people ``start`` to ``stop`` of a trial through every arm.

    ``start`` and ``stop``: numbers of people, counted over replicates; all of one replicate; ``catalogue`` and
    ``overrides``: as for ``trial_numbers``. A person's results are the same whatever the range.

    >>> trial = Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"}, n=8, weeks=4)
    >>> whole, some = follow(trial, 0, 8), follow(trial, 3, 5)
    >>> bool((whole.counts[3:5] == some.counts).all())
    True
    """
    catalogue = catalogue or load()
    replicate = start // trial.trial.n
    assert (stop - 1) // trial.trial.n == replicate
    numbers = trial_numbers(trial, catalogue, replicate, overrides)
    n, weeks = stop - start, trial.trial.weeks
    counts = np.zeros((n, len(trial.arm), len(counts_of(trial))), dtype=np.int32)
    weekly = np.zeros((len(trial.arm), weeks, len(weekly_of(trial))))
    everybody = np.zeros((n, len(trial.arm), 6))
    shared = trial.trial.people == "shared"
    if trial.disorder == "opioid":
        body = body_of(numbers, trial.setting.fentanyl)
        for k, arm in enumerate(trial.arm):
            first = start if shared else start + k * trial.size
            found, everybody[:, k] = follow_arm(trial, arm, numbers, body, first, n, replicate)
            counts[:, k] = opioid_counted(trial, arm, found, numbers["oud.report"], first)
            weekly[k] = opioid_weekly(found)
        return Part(counts=counts, people=everybody, weekly=weekly)
    who: Drinkers | None = None
    draws: Draws | None = None
    for k, arm in enumerate(trial.arm):
        first = start if shared else start + k * trial.size
        if who is None or draws is None or not shared:
            draws = draws_of(trial, first, n)
            who = enrol(trial, numbers, kinetic_people(trial, numbers, first, n, replicate), first)
        everybody[:, k] = np.column_stack([who.female, who.baseline, who.gain, np.full(n, replicate)])
        done = course(trial, arm, who, numbers, draws)
        counts[:, k] = counted(trial, arm, done)
        weekly[k] = _by_week(trial, done)
    return Part(counts=counts, people=everybody, weekly=weekly)


def _seen(trial: Trial, done: Course) -> NDArray[np.bool_]:
    end = done.taking.leave if trial.trial.estimand == "treatment_policy" else done.taking.stop
    return np.asarray(np.arange(trial.days)[None, :] < end[:, None])


def counted(trial: Trial, arm: Arm, done: Course) -> NDArray[np.int32]:
    """Count the behaviour of each person, columns ``COUNTS``."""
    seen = _seen(trial, done)
    state, drinks = done.days.state, done.days.drinks
    drinking, heavy = (state > 0) & seen, (state == 2) & seen
    amount = drinks * seen
    first = np.where(heavy.any(axis=1), heavy.argmax(axis=1), -1)
    end = slice(trial.days - LAST, None)
    due = np.arange(trial.days) % arm.interval_days == 0
    columns = (
        seen.sum(axis=1), drinking.sum(axis=1), heavy.sum(axis=1), amount.sum(axis=1), first,
        seen[:, end].sum(axis=1), drinking[:, end].sum(axis=1), heavy[:, end].sum(axis=1), amount[:, end].sum(axis=1),
        done.taking.dose.sum(axis=1), np.full(len(state), due.sum()), done.taking.stop, done.taking.leave,
        done.taking.nausea, (state == 2).sum(axis=1),
    )  # fmt: skip
    return np.column_stack(columns).astype(np.int32)


def _by_week(trial: Trial, done: Course) -> Floats:
    seen = _seen(trial, done)
    state = done.days.state
    on = np.arange(trial.days)[None, :] < done.taking.stop[:, None]
    daily = np.stack(
        [
            seen.sum(axis=0), ((state > 0) & seen).sum(axis=0), ((state == 2) & seen).sum(axis=0),
            (done.days.drinks * seen).sum(axis=0), on.sum(axis=0), done.occupancy.sum(axis=0),
        ],
        axis=1,
    )  # fmt: skip
    return np.asarray(daily.reshape(trial.trial.weeks, 7, len(WEEKLY)).sum(axis=1), dtype=np.float64)
