"""People with opioid use disorder through one arm of a trial (docs/design/opioid-trials.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from schild.array_types import Floats
from schild.engine.hours import HoursResult, run_hours, settle
from schild.engine.kept import call
from schild.engine.streams import normals, uniforms
from schild.errors import InputError
from schild.people import Values
from schild.pharmacology.adaptation import ec50_shift, tau_divisor
from schild.pharmacology.effects import transducer_ratio
from schild.population import Subject, people_of
from schild.regimen import Dose, expand
from schild.simulation.guard import check_doses
from schild.trial.loads import LOAD, PUSH, default_mechanism, hourly, load_of, one_use, shares
from schild.trial.numbers import TrialNumbers
from schild.trial.people import kinetic_people
from schild.trial.trialfile import Arm, Induction, Trial
from schild.units import TICKS_PER_HOUR

#: Hours between two doses of the history, and hours for which the load of one dose is followed.
_EVERY = 6
_REACH = {"naltrexone": 240, "buprenorphine": 240, "methadone": 336}
_DEPOT_DAYS = 84
#: Doses of the procedures: buprenorphine of the first day of a taper, and the tablet whose parts are given before an
#: injection.
_TAPER = Dose(drug="buprenorphine", amount="8 mg", route="sl", time=0.0, count=1)
_TABLET = Dose(drug="naltrexone", amount="50 mg", route="oral", time=0.0, count=1)
_STATES = ("fast", "slow", "residual", "relief")
#: States that follow withdrawal, and whether withdrawal beyond them is what counts.
_FOLLOWERS = {"stress": False, "acute": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Numbers and loads shared by all people of a replicate, before any treatment."""

    numbers: Mapping[str, float]  #: By the names of ``schild.engine.hours.BODY``, without those of the arm
    states: Floats  #: As the loop reads them; shape (n_states, 5)
    start: Floats  #: States of adaptation at the last opioid, and the two that follow withdrawal; shape (n_states + 2,)
    #: Loads of one use, of buprenorphine in a taper, of a tablet; shape (4, 1, n_hours), see ``schild.trial.loads``
    used: Floats
    taper: Floats
    tablet: Floats


def kind_of(arm: Arm) -> str:
    """Kind of an arm for the loop: ``none``, ``agonist`` or ``antagonist``; placebo is an antagonist without drug.

    Raises InputError for a drug that opioid trials do not cover.
    """
    if arm.usual_care:
        return "none"
    if arm.placebo or arm.drug == "naltrexone":
        return "antagonist"
    if arm.drug in ("buprenorphine", "methadone"):
        return "agonist"
    raise InputError(
        f"The arm {arm.name!r} gives {arm.drug}; trials of opioid use disorder cover naltrexone, buprenorphine and "
        "methadone, because behaviour was fitted under these alone. Choose one of them, placebo or usual_care."
    )


def body_of(numbers: TrialNumbers, fentanyl: float) -> Body:
    """Gather the body's numbers and the loads of the typical person.

    Raises InputError for a mechanism of adaptation that the loop cannot follow.
    """
    values = _typical(numbers)
    catalogue = values.catalogue
    mechanism = default_mechanism(catalogue)
    if missing := [s for s in _STATES if s not in mechanism.states]:
        raise InputError(f"The mechanism {mechanism.key!r} has no state {missing[0]!r}; expected {', '.join(_STATES)}.")

    def one(name: str) -> float:
        return float(np.max(values.of(mechanism.key, name)))

    rows = []
    for name in _STATES:
        state = mechanism.states[name]
        up, down = one(state.loss_up), one(state.loss_down)
        rows.append([
            0.0 if state.weight is None else one(state.weight),
            up / one(state.gain_up), -math.expm1(-1.0 / up), down / one(state.gain_down), -math.expm1(-1.0 / down),
        ])  # fmt: skip
        if state.saturates:
            raise InputError(f"The state {name!r} of {mechanism.key!r} saturates; trials by the hour cannot follow it.")
    states = np.array(rows)
    used, best = one_use(values, numbers["oud.use.mass"], fentanyl)
    hours = np.arange(_REACH["buprenorphine"] + 1.0)
    taper = load_of(_TAPER, values, hours)
    tone = values.typical("endogenous", "mor.e0")
    bend = 1.0 if mechanism.drive == "response" else 0.0
    days = numbers["oud.use.days"]
    opposed = {"tone": tone, "tone_weight": one(mechanism.tone), "bend": bend}
    if strange := [name for name, f in mechanism.follower.items() if f.beyond is not _FOLLOWERS.get(name)]:
        raise InputError(
            f"The state {strange[0]!r} of {mechanism.key!r} follows withdrawal in a way that trials by the hour cannot "
            f"follow; expected {', '.join(_FOLLOWERS)}, the last of them beyond = true."
        )
    for name in _FOLLOWERS:
        follower = mechanism.follower.get(name)
        opposed[name] = 0.0 if follower is None else one(follower.weight)
        opposed[f"{name}_step"] = 0.0 if follower is None else -math.expm1(-1.0 / one(follower.time))
    start = settle(used[LOAD, 0], used[PUSH, 0], _EVERY, int(24 * days), states, opposed)
    liking, breathing = mechanism.tolerance["liking"], mechanism.tolerance["ventilation"]
    effect = catalogue.effects["ventilation_isohypercapnic"]
    tau = float(transducer_ratio(
        values.typical(effect.key, effect.reserve["mor"]), values.efficacy("mor", str(effect.reference_agonist))
    ))  # fmt: skip
    depth, reference = one(breathing.depth), one(str(mechanism.states[breathing.state].reference))
    shared = {
        **opposed, "half": one(mechanism.half),
        "slope": one(mechanism.slope), "like_slope": values.typical("liking", "slope"),
        "like_depth": max(1.0, one(liking.depth)),
        "like_reference": one(str(mechanism.states[liking.state].reference)),
        "breath_tau": tau, "breath_depth": depth, "breath_reference": reference, "kappa": numbers["oud.overdose.kappa"],
        **dict(zip(("taper_push", "taper_like", "taper_amplified"), shares(taper), strict=True)),
        "peak": float(best[0]), "peak_like": float(best[1]), "peak_amplified": float(best[2]),
        "usual_tolerance": float(ec50_shift(tau, float(tau_divisor(float(start[1]), reference, depth)))),
    }  # fmt: skip
    return Body(
        numbers=shared, states=states, start=start, used=used, taper=taper, tablet=load_of(_TABLET, values, hours)
    )


_WEIGHTS = ("treat_push", "treat_like", "treat_amplified")


def _typical(numbers: TrialNumbers) -> Values:
    return numbers.values.of_people(people_of(Subject(), numbers.values.catalogue, 0))


def _course(arm: Arm, people: Values) -> Floats:
    dose = Dose(drug=arm.drug, amount=arm.amount, route=arm.route, time=0.0, count=1, product=arm.product)
    if arm.interval_days > 2:
        times = 24.0 * np.r_[0.0, 0.25, np.arange(1, _DEPOT_DAYS + 1)]
        return hourly(load_of(dose, people, times), times, 24 * _DEPOT_DAYS)
    hours = _REACH[str(arm.drug)]
    times = np.r_[np.arange(0.0, 24.0), np.arange(24.0, hours + 1.0, 4.0)]
    return hourly(load_of(dose, people, times), times, hours)


def _weights(arm: Arm, numbers: TrialNumbers) -> dict[str, float]:
    """Weights of a load of the arm's drug in the drive and in liking, for the typical person."""
    if kind_of(arm) == "antagonist":
        return dict.fromkeys(_WEIGHTS, 0.0)
    return dict(zip(_WEIGHTS, shares(_course(arm, _typical(numbers))), strict=True))


def treatment_load(trial: Trial, arm: Arm, numbers: TrialNumbers, first: int, n: int, replicate: int) -> Floats | None:
    """Load of one dose of the arm in each person by the hour; None where nothing is given."""
    if arm.placebo or kind_of(arm) == "none":
        return None
    return _course(arm, kinetic_people(trial, numbers, first, n, replicate))


def follow_arm(
    trial: Trial,
    arm: Arm,
    numbers: TrialNumbers,
    body: Body,
    first: int,
    n: int,
    replicate: int,
    load: Floats | None = None,
) -> tuple[HoursResult, Floats]:
    """Follow people ``first`` to ``first + n`` through an arm.

    ``load``: of ``treatment_load``, where it is already known.
    Returns the result of the loop, and women (1) or men (0), days from the last opioid to randomisation, severity,
    frailty of use and of leaving, replicate: shape (n, 6). Raises InputError for an arm that cannot be run.
    """
    seed, kind = trial.trial.seed, kind_of(arm)
    if arm.drug is not None:
        _check_use(arm, numbers)
    people = kinetic_people(trial, numbers, first, n, replicate)

    def normal(what: str) -> Floats:
        return normals(seed, f"oud:{what}", first, first + n)

    def number(name: str) -> float:
        return numbers[f"oud.{name}"]

    frailty, leaving = number("use.between") * normal("use"), number("leave.between") * normal("leave")
    severity = np.exp(number("severity.between") * normal("severity"))
    choices = np.asarray(trial.setting.admitted)
    place = np.minimum((uniforms(seed, "oud:admitted", first, first + n) * choices.size).astype(int), choices.size - 1)
    admitted = choices[place]
    if trial.setting.place == "outpatient":
        frailty = frailty + number("use.active") * (admitted < 2.0)
    refuse = number(f"refuse.{kind}") if kind != "none" else 0.0
    share = arm.adherence
    if share is None:
        share = number("adherence.agonist" if kind == "agonist" else "adherence.tablet")
    if arm.observed or share in (0.0, 1.0):
        own = np.full(n, 1.0 if arm.observed else share)
    else:
        own = expit(logit(share) + number("adherence.between") * normal("adherence"))
    if load is None:
        load = treatment_load(trial, arm, numbers, first, n, replicate)
    weights = _weights(arm, numbers) if load is not None else dict.fromkeys(_WEIGHTS, 0.0)
    wait, taper, low, comfort = (arm.induction or Induction()).whole()
    stops = number("stop.tablet") if kind == "antagonist" and arm.interval_days == 1 else 0.0
    leave = number("leave.none" if kind == "none" or arm.placebo else f"leave.{arm.drug}")
    behaviour = {
        "use": number("use") * math.exp(arm.counselling), "memory": number("use.memory"),
        "withdrawal": number("use.withdrawal"), "blocked": min(max(number("use.blocked"), 0.0), 1.0),
        "exponent": number("use.exponent"), "cue": number("use.cue"), "gain": number("craving.gain"),
        "fade": math.exp(-1.0 / (24.0 * number("craving.fade"))), "access": number("ward.access"),
        "ward_leave": number("ward.leave"), "ward_withdrawal": number("ward.withdrawal"),
        "comfort": number("ward.comfort") if comfort else 1.0, "ready": number("ward.ready"), "leave": leave,
        "leave_off": number("leave.none"),
        "leave_use": number("leave.use_blocked"), "leave_free": number("leave.use_free"),
        "return_": number("return"), "return_use": number("return.use"),
        "stop": stops if arm.stop is None else arm.stop,
        "miss": number("urine.miss"), "miss_use": number("urine.miss_use"),
        "miss_off": number("urine.miss_off"), "window": number("urine.window"),
    }  # fmt: skip
    plan = {
        "kind": {"none": 0, "agonist": 1, "antagonist": 2}[kind], "every": 24 * arm.interval_days, "wait": wait,
        "taper": taper if kind == "antagonist" else 0, "low_dose": low,
        "until": (arm.induction or Induction()).until,
        "ward": trial.setting.place == "inpatient", "placebo": arm.placebo, "contingency": arm.contingency,
    }  # fmt: skip
    if arm.adherence is not None and arm.interval_days > 2:
        behaviour |= {"return_": float(logit(np.clip(arm.adherence, 1e-9, 1 - 1e-9))), "return_use": 0.0}
    found = call(
        run_hours,
        key=_keys(seed, first, n), frailty=frailty, leaving=leaving, severity=severity,
        before=np.rint(24.0 * admitted).astype(np.int64),
        refuses=(uniforms(seed, "oud:refuses", first, first + n) < refuse).astype(np.float64),
        adherence=own, start=body.start, treat=np.zeros((n, 1)) if load is None else load[LOAD],
        taper=body.taper[LOAD, 0], low=body.tablet[LOAD, 0],
        used=np.ascontiguousarray(body.used[:, 0]),
        states=body.states, body={**body.numbers, **weights}, behaviour=behaviour, plan=plan, n_days=trial.days,
    )  # fmt: skip
    female = people.covariate("sex") == "female"
    who = np.column_stack([female, admitted, severity, frailty, leaving, np.full(n, replicate)])
    return found, np.asarray(who, dtype=np.float64)


def _check_use(arm: Arm, numbers: TrialNumbers) -> None:
    """Refuse a use above published challenges under the blockade of an arm: its size is a number of the user's."""
    mass = numbers.values.typical("trial", "oud.use.mass")
    doses = [
        Dose(drug=arm.drug, amount=arm.amount, route=arm.route, product=arm.product, time=0.0, count=1),
        Dose(drug="heroin", amount=f"{mass!r} mg", route="iv", time=24.0, count=1),
    ]
    values = Values(numbers.values.catalogue, overrides=numbers.values.overrides)
    tuple(check_doses(values, expand(doses, 24 * TICKS_PER_HOUR), Subject()))


def _keys(seed: int, first: int, n: int) -> NDArray[np.uint64]:
    return np.asarray(uniforms(seed, "oud:key", first, first + n) * 2.0**53, dtype=np.uint64)
