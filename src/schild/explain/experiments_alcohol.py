"""Experiments with alcohol: sessions in a laboratory, trials, and what one person gains.

What counts was written down before the first run: docs/design/alcohol-criteria.md. Trials are followed in memory and
without statsmodels, so that the answer needs no extra; the same people under other numbers keep their tablets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from schild.catalog import Observation
from schild.drinking import Laboratory, laboratory
from schild.drinking.checks import PEOPLE, laboratory_check
from schild.drinking.experiment import occupancy_course, sit
from schild.drinking.people import drinkers
from schild.drinking.protocols import protocol
from schild.engine.session import SessionResult
from schild.explain.lab import Lab, Outcome
from schild.people import Values
from schild.population import people_of
from schild.trial import Trial
from schild.trial.endpoints import ENDPOINTS, values
from schild.trial.follow import COUNTS, Course, Draws, counted, course, draws_of
from schild.trial.numbers import TrialNumbers, trial_numbers
from schild.trial.people import Drinkers, enrol, kinetic_people

__all__ = [
    "ALCOHOL",
    "SIZES",
    "WEEK",
    "Side",
    "individual_effects",
    "measured",
    "one_session",
    "row_of",
    "session",
    "side_of",
]

Floats = NDArray[np.float64]

#: Parameter sets of a laboratory band are given to so many people each.
PER_SET = 200
#: People of a trial, the same in both arms.
TRIAL_PEOPLE = 3000
#: Repeats of a person's luck behind the effect on that person.
LUCKS = 20
WEEK = "naltrexone 50 mg po q24h x7"
#: Effect sizes that reviews give, by protocol.
SIZES = (
    ("fixed_dose", "stimulation"),
    ("cue", "craving"),
    ("self_administration", "drinks"),
    ("fixed_dose", "sedation"),
    ("fixed_dose", "mood"),
)
#: How each dose of a trial is given.
_GIVEN: Mapping[str, Mapping[str, str]] = {
    "50 mg": {"amount": "50 mg"},
    "100 mg": {"amount": "100 mg"},
    "380 mg": {"amount": "380 mg", "route": "im_depot", "dosing": "schedule", "every": "28 d"},
}


def row_of(lab: Lab, x: Mapping[str, Any]) -> Observation:
    """Return the published row that a test names."""
    return next(o for o in lab.catalogue.study(x["study"]).observations if o.id == x["row"])


# --------------------------------------------------------------------------------------------------- the laboratory


def session(
    lab: Lab, plan: str, regimen: str, *, n: int = PEOPLE, draws: int = 0, common: bool = True, **options: Any
) -> Laboratory:
    """Run an experiment, or return the same one again.

    Parameters
    ----------
    lab : Lab
        Keeps it.
    plan, regimen : str
        Protocol, and antagonist in words.
    n, draws, common, **options
        As for ``schild.laboratory``.

    Returns
    -------
    Laboratory
        Effect sizes, values of each person.
    """
    key = ("laboratory", plan, regimen, n, draws, common, repr(sorted(options.items())))
    if key not in lab.shared:
        lab.shared[key] = laboratory(
            plan, regimen, n=n, draws=draws, common=common, seed=lab.seed, catalogue=lab.catalogue, **options
        )
    found: Laboratory = lab.shared[key]
    return found


def _size(lab: Lab, plan: str, regimen: str, outcome: str, **options: Any) -> Outcome:
    """Hedges g with where 90 % of parameter sets lie."""
    g = session(lab, plan, regimen, **options).effects[outcome].g
    drawn = session(lab, plan, regimen, n=PER_SET, draws=lab.draws, **options).bands[outcome]
    return Outcome(predicted=g, ends=drawn)


def _drinking_row(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    o = row_of(lab, x)
    kind, place, outcome = o.observable.split(":")
    plan, _, dose = place.partition("@")
    options: dict[str, Any] = {"grams_per_kg": float(dose)} if dose else {}
    if kind == "hedges_g":
        return _size(lab, plan, o.regimen, outcome, **options)
    if kind == "sign":
        return Outcome(predicted=session(lab, plan, o.regimen, **options).effects[outcome].g)
    kept = lab.shared.setdefault("laboratory_check", {})
    return Outcome(predicted=laboratory_check(o, seed=lab.seed, kept=kept).predicted)


def _drinking_effect(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    return _size(lab, x["protocol"], x["regimen"], x["outcome"], at=x["at"])


def _flat_in_laboratory(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    g = np.array([[session(lab, plan, r).effects[name].g for plan, name in SIZES] for r in x["regimens"]])
    change = np.abs(g[1] - g[0])
    return Outcome(predicted=float((100 * change / np.abs(g[0])).max() if x.get("relative") else change.max()))


def _sober(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    rated = ("stimulation", "sedation", "mood", "craving")
    found = session(lab, "fixed_dose", x["regimen"], n=PER_SET, grams_per_kg=0.0, measures=rated).values
    return Outcome(predicted=max(float(np.abs(b - a).max()) for a, b in found.values()))


def one_session(
    lab: Lab, *, occupied: float = 0.0, many: bool = False, overrides: Mapping[str, float] | None = None, **changes: Any
) -> SessionResult:
    """Let the typical person, or many, drink a fixed dose with a share of mu receptors held.

    Parameters
    ----------
    lab : Lab
        Says how many people and parameter sets.
    occupied : float
        Held throughout. [1]
    many : bool
        Drawn people under drawn numbers in place of the typical one.
    overrides, **changes
        Numbers of alcohol; fields of the protocol.

    Returns
    -------
    SessionResult
        Signals over the session.
    """
    plan = protocol("fixed_dose", **changes)
    population = {"n": lab.n, "uncertainty": lab.draws} if many else None
    _, who, _ = occupancy_course(
        [WEEK], 147.0, plan.grid[:2], population=population, seed=lab.seed, catalogue=lab.catalogue
    )
    people = drinkers(Values(lab.catalogue, people_of(who, lab.catalogue, lab.seed), overrides))
    return sit(plan, people, np.full(people.n, occupied), lab.seed, "placebo")


def _opioid_part(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    share, dose = lab.catalogue.alcohol["reward.share"].value, {"grams_per_kg": x["grams_per_kg"]}
    blocked = one_session(lab, occupied=1.0, **dose).signal("reward")
    other = one_session(lab, overrides={"alcohol.reward.share": 0.0}, **dose).signal("reward")
    return Outcome(predicted=float(np.abs(blocked - (1.0 - share) * other).max()))


def _endorphin_rise(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    def of(many: bool) -> Floats:
        load = one_session(lab, many=many, grams_per_kg=x["grams_per_kg"]).signal("endorphin")
        return np.asarray(100 * (load.max(axis=1) / load[:, 0] - 1), dtype=np.float64)

    return lab.both(of)


def _number_of_alcohol(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    number, scale = lab.catalogue.alcohol[x["number"]], float(x["scale"])
    if number.uncertainty is None:
        return Outcome(predicted=scale * number.value)
    omega = float(np.asarray(number.uncertainty.omega))
    low, high = (scale * number.value * float(np.exp(z * omega)) for z in (stats.norm.ppf(0.05), stats.norm.ppf(0.95)))
    return Outcome(predicted=scale * number.value, ends=(low, high))


def _genotype(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    carriers: dict[str, Any] = {"moderators": {x["moderator"]: True}}
    g = [session(lab, "fixed_dose", x["regimen"], **given).effects["stimulation"].g for given in ({}, carriers)]
    return Outcome(predicted=abs(g[1] - g[0]))


# -------------------------------------------------------------------------------------------------------- the trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A trial of one dose against placebo, followed in the same people.

    Parameters
    ----------
    trial : Trial
        Arms ``active`` and ``placebo``.
    who : Drinkers
        The people.
    people : ndarray, shape (n, 6)
        As ``schild.trial.follow.Part`` has them.
    draws : Draws
        Their luck.
    numbers : TrialNumbers
        The best values.
    courses : mapping of str to Course
        By arm.
    values : mapping of str to mapping of str to ndarray
        Endpoints of each person, by arm.
    """

    trial: Trial
    who: Drinkers
    people: Floats
    draws: Draws
    numbers: TrialNumbers
    courses: Mapping[str, Course]
    values: Mapping[str, Mapping[str, Floats]]

    def means(self) -> dict[str, dict[str, float]]:
        """Endpoints by arm."""
        return {arm: _means(of) for arm, of in self.values.items()}


def _means(of: Mapping[str, Floats]) -> dict[str, float]:
    return {name: float(np.nanmean(v)) if np.isfinite(v).any() else float("nan") for name, v in of.items()}


def side_of(lab: Lab, dose: str, weeks: int, counselling: float = 0.0) -> Side:
    """Run a trial, or return the same one again.

    Parameters
    ----------
    lab : Lab
        Keeps it.
    dose : str
        ``50 mg`` or ``100 mg`` a day, or ``380 mg`` every four weeks.
    weeks : int
        Length.
    counselling : float
        Added to the log odds of drinking and of a heavy day in both arms.

    Returns
    -------
    Side
        People, courses, endpoints.
    """
    key = ("trial", dose, weeks, counselling)
    if key in lab.shared:
        kept: Side = lab.shared[key]
        return kept
    trial = Trial.of(
        {"name": "active", "drug": "naltrexone", "counselling": counselling, **_GIVEN[dose]},
        {"name": "placebo", "placebo": True, "counselling": counselling},
        n=TRIAL_PEOPLE, weeks=weeks, seed=lab.seed,
    )  # fmt: skip
    numbers = trial_numbers(trial, lab.catalogue)
    who, people = _enrolled(lab, trial, numbers)
    if (luck := ("trial luck", weeks)) not in lab.shared:
        lab.shared[luck] = draws_of(trial, 0, TRIAL_PEOPLE)
    draws: Draws = lab.shared[luck]
    # Counselling moves no tablet, so kinetics are those of the trial without it; placebo is the same beside any dose.
    base = side_of(lab, dose, weeks) if counselling else None
    alone: Side | None = lab.shared.get(("trial placebo", weeks, counselling))
    courses = {
        arm.name: alone.courses["placebo"]
        if alone and arm.placebo
        else course(trial, arm, who, numbers, 0, draws, base.courses[arm.name] if base else None)
        for arm in trial.arm
    }
    found = {
        arm.name: alone.values["placebo"]
        if alone and arm.placebo
        else values(trial, counted(trial, arm, courses[arm.name]), people, numbers)
        for arm in trial.arm
    }
    side = Side(trial=trial, who=who, people=people, draws=draws, numbers=numbers, courses=courses, values=found)
    lab.shared[key] = lab.shared[("trial placebo", weeks, counselling)] = side
    return side


def _enrolled(lab: Lab, trial: Trial, numbers: TrialNumbers) -> tuple[Drinkers, Floats]:
    """The people of every trial of an answer: neither dose nor length decides who takes part."""
    if "trial people" not in lab.shared:
        n = TRIAL_PEOPLE
        who = enrol(trial, numbers, kinetic_people(trial, numbers, 0, n, 0), 0)
        lab.shared["trial people"] = (who, np.column_stack([who.female, who.baseline, who.gain, np.zeros(n)]))
    found: tuple[Drinkers, Floats] = lab.shared["trial people"]
    return found


def _under_sets(lab: Lab, dose: str, weeks: int) -> list[dict[str, dict[str, float]]]:
    """Means of endpoints by arm under drawn sets of the fitted numbers, in the same people with the same tablets."""
    side = side_of(lab, dose, weeks)

    def drawn(name: str, key: tuple[str, str, int]) -> list[dict[str, float]]:
        if key not in lab.shared:
            arm = next(arm for arm in side.trial.arm if arm.name == name)
            head = side.trial.trial.model_copy(update={"uncertainty": True})
            trial = side.trial.model_copy(update={"trial": head})
            sets = []
            for k in range(lab.draws):
                numbers = trial_numbers(trial, lab.catalogue, k)
                again = _again(side, name, numbers, side.draws)
                sets.append(_means(values(side.trial, counted(side.trial, arm, again), side.people, numbers)))
            lab.shared[key] = sets
        found: list[dict[str, float]] = lab.shared[key]
        return found

    active, placebo = drawn("active", ("trial sets", dose, weeks)), drawn("placebo", ("trial sets", "placebo", weeks))
    return [{"active": a, "placebo": b} for a, b in zip(active, placebo, strict=True)]


def _again(side: Side, name: str, numbers: TrialNumbers, draws: Draws) -> Course:
    """The same people and tablets under other numbers, or with other luck."""
    arm = next(arm for arm in side.trial.arm if arm.name == name)
    return course(side.trial, arm, side.who, numbers, 0, draws, side.courses[name])


def measured(means: Mapping[str, Mapping[str, float]], measure: str, endpoint: str) -> float:
    """One number out of the means of two arms, by the words of a row of trials.

    Examples
    --------
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


def _scenario(o: Observation) -> tuple[str, int]:
    """Dose and weeks that stand for a row."""
    dose = next(dose for dose in ("380 mg", "100 mg", "50 mg") if dose in o.regimen)
    return dose, round(float(o.time_h or 0.0) / 168.0)


def _trial_row(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    o = row_of(lab, x)
    measure, endpoint = o.observable.split(":")
    return _measured(lab, *_scenario(o), measure, endpoint)


def _measured(lab: Lab, dose: str, weeks: int, measure: str, endpoint: str) -> Outcome:
    sets = _under_sets(lab, dose, weeks)
    return Outcome(
        predicted=measured(side_of(lab, dose, weeks).means(), measure, endpoint),
        # A set in which nobody gains needs endlessly many people: an end of the band, not a gap in it.
        ends=_ends(np.array([measured(of, measure, endpoint) for of in sets])),
    )


def _ends(drawn: Floats) -> tuple[float | None, float | None]:
    low, high = (float(v) for v in np.quantile(drawn, [0.05, 0.95], method="nearest"))
    return (low, high) if np.isfinite(high) else (None, None)


def _trial_rate(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    return _measured(lab, x["dose"], int(x["weeks"]), x["arm"], x["endpoint"])


def _flat_in_trial(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    few, more = (side_of(lab, dose, int(x["weeks"])).means() for dose in ("50 mg", "100 mg"))
    change = abs(more["active"][x["endpoint"]] - few["active"][x["endpoint"]])
    effect = abs(measured(few, "difference", x["endpoint"]))
    return Outcome(predicted=100 * change / effect if x.get("relative") else change)


# --------------------------------------------------------------------------------------------------- the individual


def individual_effects(lab: Lab, dose: str, weeks: int) -> tuple[Floats, Floats]:
    """Heavy days less with tablets, each person with the same luck on both sides, repeated.

    Parameters
    ----------
    lab : Lab
        Keeps it.
    dose : str
        As for ``side_of``.
    weeks : int
        Length.

    Returns
    -------
    effects : ndarray, shape (n, n_repeats)
        Days with placebo less days with tablets, over the whole trial, seen or not. [days]
    placebo : ndarray, shape (n, n_repeats)
        Heavy days with placebo. [days]
    """
    key = ("individual", dose, weeks)
    if key not in lab.shared:
        side, at = side_of(lab, dose, weeks), COUNTS.index("all_heavy")
        gained, alone = [], []
        for k in range(LUCKS):
            # A seed of its own for each repeat: the people stay, their luck changes.
            head = side.trial.trial.model_copy(update={"seed": 1_000_000 + LUCKS * lab.seed + k})
            draws = draws_of(side.trial.model_copy(update={"trial": head}), 0, TRIAL_PEOPLE)
            days = {
                arm.name: counted(side.trial, arm, _again(side, arm.name, side.numbers, draws))[:, at]
                for arm in side.trial.arm
            }
            gained.append(days["placebo"].astype(np.float64) - days["active"])
            alone.append(days["placebo"].astype(np.float64))
        lab.shared[key] = (np.stack(gained, axis=1), np.stack(alone, axis=1))
    found: tuple[Floats, Floats] = lab.shared[key]
    return found


def _individual(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    effects, _ = individual_effects(lab, x["dose"], int(x["weeks"]))
    own = effects.mean(axis=1)
    if x["what"] == "median":
        return Outcome(predicted=float(np.median(own)), many=own)
    if x["what"] == "under_one":
        return Outcome(predicted=float(100 * (own < 1.0).mean()))
    side = side_of(lab, x["dose"], int(x["weeks"]))
    known = np.column_stack([np.ones(len(own)), side.people[:, :5]])
    left = effects - known @ np.linalg.lstsq(known, effects, rcond=None)[0]
    return Outcome(predicted=float(np.mean(100 * (1.0 - left.var(axis=0) / effects.var(axis=0)))))


def _counselling(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    dose, weeks = x["dose"], int(x["weeks"])
    side, alone = side_of(lab, dose, weeks, float(x["counselling"])), side_of(lab, dose, weeks)
    beside, without = side.means(), alone.means()
    heavy = "percent_heavy_drinking_days"
    if x["what"] == "placebo":
        return Outcome(predicted=beside["placebo"][heavy] - without["placebo"][heavy])
    if x["what"] == "ratio":
        return Outcome(predicted=measured(beside, "difference", heavy) / measured(without, "difference", heavy))
    days = "percent_drinking_days"
    effect = measured(beside, "difference", days)
    spread = lab.catalogue.trial["trials.effect"].value * effect
    sampled = sum(
        float(np.nanvar(side.values[arm][days], ddof=1)) / n
        for arm, n in zip(("active", "placebo"), x["people"], strict=True)
    )
    z = abs(float(x["difference"]) - effect) / np.sqrt(sampled + spread**2)
    return Outcome(predicted=float(200 * stats.norm.sf(z)))


ALCOHOL: dict[str, Callable[[Lab, Mapping[str, Any]], Outcome]] = {
    "sober": _sober,
    "drinking_row": _drinking_row,
    "drinking_effect": _drinking_effect,
    "flat_in_laboratory": _flat_in_laboratory,
    "opioid_part": _opioid_part,
    "endorphin_rise": _endorphin_rise,
    "number_of_alcohol": _number_of_alcohol,
    "genotype": _genotype,
    "trial_row": _trial_row,
    "trial_rate": _trial_rate,
    "flat_in_trial": _flat_in_trial,
    "individual": _individual,
    "counselling": _counselling,
}
