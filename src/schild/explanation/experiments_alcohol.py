"""Experiments with alcohol: sessions in a laboratory, trials, and what one person gains.

Criteria were written down before the first run: docs/design/alcohol-criteria.md. Trials are followed in memory and
without statsmodels, so that the answer needs no extra; the same people under other numbers keep their tablets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from scipy import special

from schild.array_types import Floats
from schild.drinking import Laboratory, laboratory
from schild.drinking.checks import PEOPLE, laboratory_check
from schild.drinking.experiment import occupancy_course, sit
from schild.drinking.people import drinkers
from schild.drinking.protocols import protocol
from schild.engine.session import SessionResult
from schild.explanation.answer import Outcome
from schild.explanation.lab import Lab, experiment, experiment_in_people, row_of
from schild.explanation.options import Regimen
from schild.people import Values
from schild.population import people_of
from schild.trial import Trial
from schild.trial.endpoints import ENDPOINTS, values
from schild.trial.follow import COUNTS, Course, Draws, counted, course, draws_of
from schild.trial.numbers import TrialNumbers, trial_numbers
from schild.trial.people import Drinkers, enrol, kinetic_people
from schild.trial.trialfile import arm_of

#: People under each parameter set of a laboratory band.
PER_SET = 200
#: People of a trial, the same in both arms.
TRIAL_PEOPLE = 3000
#: Repeats with other random numbers that are averaged for the effect in one person.
LUCKS = 20


# --------------------------------------------------------------------------------------------------- the laboratory


def session(lab: Lab, plan: str, regimen: str, *, n: int = PEOPLE, draws: int = 0, **options: Any) -> Laboratory:
    """Run an experiment in the laboratory, or return the same one again; parameters as for ``schild.laboratory``."""
    return lab.once(
        ("laboratory", plan, regimen, n, draws, repr(sorted(options.items()))),
        lambda: laboratory(
            plan,
            regimen,
            n=n,
            draws=draws,
            common=True,
            seed=lab.seed,
            catalogue=lab.catalogue,
            overrides=lab.overrides,
            **options,
        ),
    )


def _size(lab: Lab, plan: str, regimen: str, outcome: str, **options: Any) -> Outcome:
    """Hedges g with the range of 90 % of parameter sets."""
    g = session(lab, plan, regimen, **options).effects[outcome].g
    drawn = session(lab, plan, regimen, n=PER_SET, draws=lab.draws, **options).bands[outcome]
    return Outcome(predicted=g, ends=drawn)


@experiment()
def drinking_row(lab: Lab, *, study: str, row: str) -> Outcome:
    """Repeat a published experiment in the laboratory."""
    o = row_of(lab.catalogue, study, row)
    kind, place, outcome = o.observable.split(":")
    plan, _, dose = place.partition("@")
    options: dict[str, Any] = {"grams_per_kg": float(dose)} if dose else {}
    if kind == "hedges_g":
        return _size(lab, plan, o.regimen, outcome, **options)
    if kind == "sign":
        return Outcome(predicted=session(lab, plan, o.regimen, **options).effects[outcome].g)
    kept: dict[Any, Laboratory] = lab.once(("laboratory_check",), dict)
    return Outcome(predicted=laboratory_check(o, seed=lab.seed, kept=kept, catalogue=lab.catalogue)[0])


@experiment("1")
def drinking_effect(lab: Lab, *, protocol: str, regimen: Regimen, outcome: str, at: str) -> Outcome:
    """Hedges g of an antagonist on an outcome of a protocol."""
    return _size(lab, protocol, regimen, outcome, at=at)


@experiment("1", "%")
def flat_in_laboratory(
    lab: Lab, *, regimens: tuple[Regimen, Regimen], outcomes: Sequence[tuple[str, str]], relative: bool = False
) -> Outcome:
    """Largest change of Hedges g between two regimens over outcomes (protocol, name); relative to the first [%]."""
    g = np.array([[session(lab, plan, r).effects[name].g for plan, name in outcomes] for r in regimens])
    change = np.abs(g[1] - g[0])
    return Outcome(predicted=float((100 * change / np.abs(g[0])).max() if relative else change.max()))


@experiment("points")
def sober(lab: Lab, *, regimen: Regimen) -> Outcome:
    """Largest change of ratings by an antagonist without alcohol."""
    rated = ("stimulation", "sedation", "mood", "craving")
    found = session(lab, "fixed_dose", regimen, n=PER_SET, grams_per_kg=0.0, measures=rated).values
    return Outcome(predicted=max(float(np.abs(b - a).max()) for a, b in found.values()))


def one_session(
    lab: Lab,
    regimen: str,
    *,
    occupied: float = 0.0,
    many: bool = False,
    overrides: Mapping[str, float] | None = None,
    **changes: Any,
) -> SessionResult:
    """Let the typical person, or many, drink a fixed dose with a share of mu receptors occupied.

    ``lab``: gives the numbers of people and parameter sets; ``regimen``: its drug decides whose kinetics are drawn;
    ``occupied``: share of receptors occupied throughout, in place of the regimen's [1]; ``many``: drawn people under
    drawn numbers in place of the typical one; ``overrides`` and ``changes``: numbers of alcohol; fields of the
    protocol. Returns signals over the session.
    """
    plan = protocol("fixed_dose", **changes)
    _, who, _ = occupancy_course(
        [regimen],
        147.0,
        plan.grid[:2],
        population=lab.people if many else None,
        seed=lab.seed,
        catalogue=lab.catalogue,
        overrides=lab.overrides,
    )
    given = lab.overrides.and_(overrides, lab.catalogue)
    people = drinkers(Values(lab.catalogue, people_of(who, lab.catalogue, lab.seed), given))
    return sit(plan, people, np.full(people.n, occupied), lab.seed, "placebo")


@experiment("1")
def opioid_part(lab: Lab, *, regimen: Regimen, grams_per_kg: float) -> Outcome:
    """Largest difference between reward with every mu receptor occupied and its part that is not opioid."""
    share = lab.values.typical("alcohol", "reward.share")
    blocked = one_session(lab, regimen, occupied=1.0, grams_per_kg=grams_per_kg).signal("reward")
    other = one_session(lab, regimen, overrides={"alcohol.reward.share": 0.0}, grams_per_kg=grams_per_kg)
    return Outcome(predicted=float(np.abs(blocked - (1.0 - share) * other.signal("reward")).max()))


@experiment_in_people("%")
def endorphin_rise(lab: Lab, many: bool, *, regimen: Regimen, grams_per_kg: float) -> Floats:
    """Largest rise of the endogenous agonist after alcohol, relative to its level at rest."""
    load = one_session(lab, regimen, many=many, grams_per_kg=grams_per_kg).signal("endorphin")
    return np.asarray(100 * (load.max(axis=1) / load[:, 0] - 1), dtype=np.float64)


@experiment()
def number_of_alcohol(lab: Lab, *, number: str, scale: float) -> Outcome:
    """Return a number of the alcohol model with its 90 % range of uncertainty."""
    value, uncertainty = scale * lab.values.typical("alcohol", number), lab.catalogue.alcohol[number].uncertainty
    if uncertainty is None:
        return Outcome(predicted=value)
    omega = float(np.asarray(uncertainty.omega))
    low, high = (value * float(np.exp(z * omega)) for z in special.ndtri([0.05, 0.95]))
    return Outcome(predicted=value, ends=(low, high))


@experiment("1")
def genotype(lab: Lab, *, moderator: str, regimen: Regimen) -> Outcome:
    """Difference in the effect on stimulation between carriers of a moderator and others."""
    carriers: dict[str, Any] = {"moderators": {moderator: True}}
    g = [session(lab, "fixed_dose", regimen, **given).effects["stimulation"].g for given in ({}, carriers)]
    return Outcome(predicted=abs(g[1] - g[0]))


# -------------------------------------------------------------------------------------------------------- the trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """A trial of one regimen against placebo, followed in the same people."""

    trial: Trial  #: Arms ``active`` and ``placebo``
    who: Drinkers
    people: Floats  #: As ``schild.trial.follow.Part`` has them; shape (n, 6)
    draws: Draws
    numbers: TrialNumbers
    courses: Mapping[str, Course]
    values: Mapping[str, Mapping[str, Floats]]  #: Endpoints of each person, by arm

    def means(self) -> dict[str, dict[str, float]]:
        """Endpoints by arm."""
        return {arm: _means(of) for arm, of in self.values.items()}


def _means(of: Mapping[str, Floats]) -> dict[str, float]:
    return {name: float(np.nanmean(v)) if np.isfinite(v).any() else float("nan") for name, v in of.items()}


def trials_of(lab: Lab, regimen: str, weeks: int, counselling: float = 0.0) -> Trials:
    """Run a trial, or return the same one again.

    ``regimen``: of the active arm, in words; its number of doses is ignored; ``counselling``: added to the log odds
    of drinking and of a heavy day in both arms.
    """
    arm = arm_of(regimen)
    return lab.once(("trial", repr(arm), weeks, counselling), lambda: _follow(lab, arm, regimen, weeks, counselling))


def _follow(lab: Lab, given: Mapping[str, object], regimen: str, weeks: int, counselling: float) -> Trials:
    trial = Trial.of(
        {**given, "counselling": counselling}, {"name": "placebo", "placebo": True, "counselling": counselling},
        n=TRIAL_PEOPLE, weeks=weeks, seed=lab.seed,
    )  # fmt: skip
    numbers = trial_numbers(trial, lab.catalogue, overrides=lab.overrides)

    def enrolled() -> tuple[Drinkers, Floats]:
        who = enrol(trial, numbers, kinetic_people(trial, numbers, 0, TRIAL_PEOPLE, 0), 0)
        return who, np.column_stack([who.female, who.baseline, who.gain, np.zeros(TRIAL_PEOPLE)])

    # Neither dose nor length decides who takes part.
    who, people = lab.once(("trial people",), enrolled)
    draws = lab.once(("trial luck", weeks), lambda: draws_of(trial, 0, TRIAL_PEOPLE))
    # Counselling moves no tablet, so kinetics are those of the trial without it; placebo is the same beside any dose.
    base = trials_of(lab, regimen, weeks).courses if counselling else {}

    def of(name: str) -> tuple[Course, Mapping[str, Floats]]:
        arm = next(arm for arm in trial.arm if arm.name == name)
        found = course(trial, arm, who, numbers, draws, base.get(name))
        return found, values(trial, counted(trial, arm, found), people, numbers)

    active, placebo = of("active"), lab.once(("trial placebo", weeks, counselling), lambda: of("placebo"))
    return Trials(
        trial=trial, who=who, people=people, draws=draws, numbers=numbers,
        courses={"active": active[0], "placebo": placebo[0]}, values={"active": active[1], "placebo": placebo[1]},
    )  # fmt: skip


def _under_sets(lab: Lab, regimen: str, weeks: int) -> list[dict[str, dict[str, float]]]:
    """Means of endpoints by arm under drawn sets of the fitted numbers, in the same people with the same tablets."""
    trials = trials_of(lab, regimen, weeks)
    head = trials.trial.trial.model_copy(update={"uncertainty": True})
    drawn = trials.trial.model_copy(update={"trial": head})

    def of(name: str) -> list[dict[str, float]]:
        arm = next(arm for arm in trials.trial.arm if arm.name == name)
        sets = []
        for k in range(lab.draws):
            # Neither drug nor length decides which numbers are drawn.
            numbers = lab.once(("trial numbers", k), partial(trial_numbers, drawn, lab.catalogue, k, lab.overrides))
            again = _again(trials, name, numbers, trials.draws)
            sets.append(_means(values(trials.trial, counted(trials.trial, arm, again), trials.people, numbers)))
        return sets

    active = lab.once(("trial sets", repr(arm_of(regimen)), weeks), lambda: of("active"))
    placebo = lab.once(("trial sets", "placebo", weeks), lambda: of("placebo"))
    return [{"active": a, "placebo": b} for a, b in zip(active, placebo, strict=True)]


def _again(trials: Trials, name: str, numbers: TrialNumbers, draws: Draws) -> Course:
    """Follow the same people and tablets under other numbers, or with other random numbers."""
    arm = next(arm for arm in trials.trial.arm if arm.name == name)
    return course(trials.trial, arm, trials.who, numbers, draws, trials.courses[name])


def measured(means: Mapping[str, Mapping[str, float]], measure: str, endpoint: str) -> float:
    """Compute one measure from the means of two arms, as a row of trials names it.

    >>> of = {"active": {"any_drinking": 60.0}, "placebo": {"any_drinking": 75.0}}
    >>> [round(measured(of, name, "any_drinking"), 3) for name in ("active", "difference", "risk_ratio", "odds_ratio")]
    [60.0, -15.0, 0.8, 0.5]
    >>> round(measured(of, "number_needed", "any_drinking"), 2)
    6.67
    """
    a, b = means["active"][endpoint], means["placebo"][endpoint]
    if measure in means:
        return means[measure][endpoint]
    if measure == "difference":
        return a - b
    if measure == "risk_ratio":
        return a / b
    if measure == "odds_ratio":
        return (a / (100.0 - a)) / (b / (100.0 - b))
    gain = (a - b) if ENDPOINTS[endpoint].good else (b - a)
    return 100.0 / gain if gain > 0.0 else float("inf")


@experiment()
def trial_row(lab: Lab, *, study: str, row: str) -> Outcome:
    """Repeat a published trial, or the regimen that represents a review."""
    o = row_of(lab.catalogue, study, row)
    measure, endpoint = o.observable.split(":")
    return _measured(lab, o.regimen, round(float(o.time_h or 0.0) / 168.0), measure, endpoint)


def _measured(lab: Lab, regimen: str, weeks: int, measure: str, endpoint: str) -> Outcome:
    sets = _under_sets(lab, regimen, weeks)
    drawn = np.array([measured(of, measure, endpoint) for of in sets])
    low, high = (float(v) for v in np.quantile(drawn, [0.05, 0.95], method="nearest"))
    return Outcome(
        predicted=measured(trials_of(lab, regimen, weeks).means(), measure, endpoint),
        # A set in which nobody gains needs endlessly many people: an end of the band, not a gap in it.
        ends=(low, high) if np.isfinite(high) else (None, None),
    )


@experiment()
def trial_rate(lab: Lab, *, regimen: Regimen, weeks: int, arm: Literal["active", "placebo"], endpoint: str) -> Outcome:
    """Mean of an endpoint in one arm."""
    return _measured(lab, regimen, weeks, arm, endpoint)


@experiment("points", "%")
def flat_in_trial(
    lab: Lab, *, regimens: tuple[Regimen, Regimen], weeks: int, endpoint: str, relative: bool = False
) -> Outcome:
    """Change of an endpoint between two regimens; relative to the effect of the first [%]."""
    few, more = (trials_of(lab, regimen, weeks).means() for regimen in regimens)
    change = abs(more["active"][endpoint] - few["active"][endpoint])
    return Outcome(predicted=100 * change / abs(measured(few, "difference", endpoint)) if relative else change)


# --------------------------------------------------------------------------------------------------- the individual


def individual_effects(lab: Lab, regimen: str, weeks: int) -> tuple[Floats, Floats]:
    """Heavy days that tablets prevent in each person, with the same random numbers in both arms, repeated.

    ``regimen``: as for ``trials_of``. Returns ``effects``, shape (n, n_repeats): days with placebo minus days with
    tablets, over the whole trial, observed or not [days]; ``placebo``, shape (n, n_repeats): heavy days with placebo
    [days].
    """

    def run() -> tuple[Floats, Floats]:
        trials, at = trials_of(lab, regimen, weeks), COUNTS.index("all_heavy")
        gained, alone = [], []
        for k in range(LUCKS):
            # A seed of its own for each repeat: the same people, other random numbers.
            head = trials.trial.trial.model_copy(update={"seed": 1_000_000 + LUCKS * lab.seed + k})
            draws = draws_of(trials.trial.model_copy(update={"trial": head}), 0, TRIAL_PEOPLE)
            days = {
                arm.name: counted(trials.trial, arm, _again(trials, arm.name, trials.numbers, draws))[:, at]
                for arm in trials.trial.arm
            }
            gained.append(days["placebo"].astype(np.float64) - days["active"])
            alone.append(days["placebo"].astype(np.float64))
        return np.stack(gained, axis=1), np.stack(alone, axis=1)

    return lab.once(("individual", repr(arm_of(regimen)), weeks), run)


@experiment("day", "%")
def individual(lab: Lab, *, regimen: Regimen, weeks: int, what: Literal["median", "under_one", "foreseen"]) -> Outcome:
    """Heavy days that the median person gains; share who gain less than one; share of variance that is explained."""
    effects, _ = individual_effects(lab, regimen, weeks)
    own = effects.mean(axis=1)
    if what == "median":
        return Outcome(predicted=float(np.median(own)), many=own)
    if what == "under_one":
        return Outcome(predicted=float(100 * (own < 1.0).mean()))
    known = np.column_stack([np.ones(len(own)), trials_of(lab, regimen, weeks).people[:, :5]])
    left = effects - known @ np.linalg.lstsq(known, effects, rcond=None)[0]
    return Outcome(predicted=float(np.mean(100 * (1.0 - left.var(axis=0) / effects.var(axis=0)))))


@experiment("points", "1", "%")
def counselling(
    lab: Lab, *, regimen: Regimen, weeks: int, counselling: float, what: Literal["placebo", "ratio", "chance"],
    difference: float = 0.0, people: tuple[int, int] = (1, 1),
) -> Outcome:  # fmt: skip
    """Counselling in both arms: change of heavy days under placebo; effect over that without; chance of a difference.

    ``difference`` [points of drinking days] was observed in so many ``people`` of the active arm and of placebo.
    """
    trials = trials_of(lab, regimen, weeks, counselling)
    beside, without = trials.means(), trials_of(lab, regimen, weeks).means()
    heavy, days = "percent_heavy_drinking_days", "percent_drinking_days"
    if what == "placebo":
        return Outcome(predicted=beside["placebo"][heavy] - without["placebo"][heavy])
    if what == "ratio":
        return Outcome(predicted=measured(beside, "difference", heavy) / measured(without, "difference", heavy))
    effect = measured(beside, "difference", days)
    between = lab.values.typical("trial", "trials.effect") * effect
    sampled = sum(
        float(np.nanvar(trials.values[arm][days], ddof=1)) / n
        for arm, n in zip(("active", "placebo"), people, strict=True)
    )
    z = abs(difference - effect) / np.sqrt(sampled + between**2)
    return Outcome(predicted=float(200 * special.ndtr(-z)))
