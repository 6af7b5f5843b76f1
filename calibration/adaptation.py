"""Adaptation: rivals fitted to the anchors of docs/design/adaptation.md and adaptation-refit.md, and the choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from calibration import Fit, Fitted, gauss_newton
from schild.array_types import Floats
from schild.catalog import load
from schild.engine.lags import follow
from schild.model.spec import ENDOGENOUS
from schild.pharmacology.adaptation import COWS_MAX, cows_of_drive, tau_divisor, withdrawal_drive
from schild.pharmacology.effects import transducer_ratio
from schild.simulation import Run, model_of, simulate_run
from schild.simulation.observe_withdrawal import BASELINE, FLOOR, MILD, NOISE_SD, PEOPLE
from schild.units import TICKS_PER_HOUR

#: Names and values in place of the catalogue's.
Given = tuple[tuple[str, float], ...]

__all__ = ["ANCHORS", "Anchor", "Course", "along", "courses", "fit", "profile", "reference_levels"]

#: Mechanisms of the catalogue that were fitted to the anchors of the first fit, and the one fitted to all of them.
RIVALS = (
    "two_state", "inhibitor", "turnover", "response_two_state", "response_inhibitor", "response_turnover",
)  # fmt: skip
ALL_ANCHORS = "response_stress"

#: Share of people of CTN-0030 who complain whatever their withdrawal, found with the numbers of ``ALL_ANCHORS``.
OTHER = 0.134816

#: Standard deviation of the priors, natural logarithms; wider for the half-effect drive, and for the loss of slow
#: adaptation, whose centre was tuned by hand.
PRIOR_SD, PRIOR_SD_WIDE = 0.7, 1.5
_WIDE = ("half", "tau_slow_down", "tau_slow", "tau_slow_loss")

#: Numbers that a rival of the third to sixth step adds to a mechanism (docs/design/adaptation-refit.md).
_PARTS = {
    "reserve": ("reserve",),
    "expression": ("w_expression", "tau_expression"),
    "stress": ("w_stress", "tau_stress"),
    "tolerance": (),
    "tone": ("tone",),
    "other": ("other",),
    "acute": ("w_acute", "tau_acute"),
}

#: Further starting points of a fit, drawn from the priors.
STARTS = 24

#: Scores that differ by less than this share are a tie.
TIE = 1.1

_PRESENT, _NONE = 1.0, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Drive of adaptation in one experiment, by kind; the tone; the time of its antagonist or last dose."""

    time_h: Floats
    drive: Mapping[str, Floats]
    tone: Floats
    at_h: float
    residual: dict[str, Floats] = field(default_factory=dict)  #: State that no fit changes, by rival


@dataclass(frozen=True, kw_only=True)
class Found:
    """Prediction of a rival along a course."""

    course: Course
    left: Floats  # adaptation that is not opposed by activation, shape (n_times,)
    half: float
    slope: float
    other: float = 0.0  # share of people who complain whatever their withdrawal

    @cached_property
    def cows(self) -> Floats:
        """Latent score, shape (n_times,)."""
        return np.asarray(cows_of_drive(self.left, self.half, self.slope))

    @property
    def after(self) -> NDArray[np.bool_]:
        """Times from the antagonist or last dose to 240 h later."""
        time_h, at_h = self.course.time_h, self.course.at_h
        return np.asarray((time_h >= at_h) & (time_h <= at_h + 240.0))

    def left_at(self, hours: float) -> float:
        """Unopposed drive some hours after the antagonist or last dose."""
        return float(np.interp(self.course.at_h + hours, self.course.time_h, self.left))


Rule = Callable[[Mapping[str, Found]], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One statement: a target, or a limit with a residual of 0 while it is met."""

    id: str
    study: str
    kind: str  # equal, at_least, at_most
    wanted: float
    sd: float
    of: Rule

    def residual(self, found: float) -> float:
        """Standardised distance; 0 for a limit that is met."""
        off = (found - self.wanted) / self.sd
        if self.kind == "at_least":
            return min(0.0, off)
        return max(0.0, off) if self.kind == "at_most" else off


_HEROIN = "heroin 25 mg iv q6h x240"
_OXYCODONE = "oxycodone 30 mg po q6h x84"
_TAPER = (
    "buprenorphine 16 mg sl q24h x84",
    *(f"buprenorphine {mg} mg sl at {(84 + 7 * k) * 24} h q24h x7" for k, mg in enumerate((12, 8, 4, 2))),
)

#: Experiments in words: doses, time of the antagonist, of the last dose or of the visit, end. [h]
EXPERIMENTS: dict[str, tuple[tuple[str, ...], float, float]] = {
    "tompkins2009": (("morphine 30 mg sc q6h x121", "naloxone 0.4 mg im at 723 h"), 723.0, 729.0),
    "tompkins2014": (("morphine 30 mg im q6h x36",), 210.0, 450.0),
    "bickel1988": (("morphine 17 mg im", "naloxone 10 mg im at 6 h"), 6.0, 12.0),
    "heishman1989_15min": (("morphine 18 mg im", "naloxone 10 mg im at 15 min"), 0.25, 6.25),
    "heishman1989_45min": (("morphine 18 mg im", "naloxone 10 mg im at 45 min"), 0.75, 6.75),
    "heishman1990_6h": (("morphine 18 mg im", "naloxone 10 mg im at 6 h"), 6.0, 12.0),
    "heishman1990_24h": (("morphine 18 mg im", "naloxone 10 mg im at 24 h"), 24.0, 30.0),
    "azorlosa1994_once": (("morphine 15 mg im", "naloxone 30 mg im at 4.33 h"), 4.33, 10.33),
    "azorlosa1994_twice": (("morphine 15 mg im q24h x2", "naloxone 30 mg im at 28.33 h"), 28.33, 34.33),
    "stitzer1991_24h": (("methadone 30 mg iv", "naloxone 0.75 mg im at 24 h"), 24.0, 30.0),
    "stitzer1991_96h": (("methadone 30 mg iv", "naloxone 0.75 mg im at 96 h"), 96.0, 102.0),
    "stitzer1991_168h": (("methadone 30 mg iv", "naloxone 0.75 mg im at 168 h"), 168.0, 174.0),
    # Visits 18 h after the last of 240 doses (1434 h) and of 84 (498 h).
    "ctn0027_buprenorphine": ((_HEROIN, "buprenorphine 4 mg sl at 1452 h"), 1452.0, 1454.0),
    "ctn0027_methadone": ((_HEROIN, "methadone 30 mg po at 1452 h"), 1452.0, 1454.0),
    "lofwall2016_placebo": ((_OXYCODONE,), 516.0, 522.0),
    "lofwall2016_oxycodone": ((_OXYCODONE, "oxycodone 60 mg po at 516 h"), 516.0, 522.0),
    "ctn0030": (_TAPER, 2664.0, 2664.0 + 24 * 36.0),
}  # fmt: skip


#: Experiments that were not part of the first fit.
_SECOND = ("ctn", "lofwall")


def _peak(name: str) -> Rule:
    return lambda found: float(np.max(found[name].cows[found[name].after]))


def _lowest(name: str) -> Rule:
    return lambda found: float(np.min(found[name].cows[found[name].after]))


def _when(name: str) -> Rule:
    def of(found: Mapping[str, Found]) -> float:
        one = found[name]
        t, y = one.course.time_h[one.after] - one.course.at_h, one.cows[one.after]
        k = int(np.argmax(y))
        if not 0 < k < t.size - 1:
            return float(t[k])
        # The maximum of the parabola through three points: times of the grid alone would have no derivative.
        a, b = t[k - 1] - t[k], t[k + 1] - t[k]
        p, q = (y[k - 1] - y[k]) / a, (y[k + 1] - y[k]) / b
        return float(t[k] - (p * b - q * a) / (2.0 * (q - p)) if q < p else t[k])

    return of


def _at(name: str, hours: float) -> Rule:
    def of(found: Mapping[str, Found]) -> float:
        one = found[name]
        return float(np.interp(one.course.at_h + hours, one.course.time_h, one.cows))

    return of


def _log_ratio(a: str, b: str, of: Callable[[str], Rule] = _peak) -> Rule:
    return lambda found: float(np.log((of(a)(found) + FLOOR) / (of(b)(found) + FLOOR)))


def _at_of_those_who_began_at(name: str, before: float, hours: float) -> Rule:
    """Score of people whose ``half`` makes them score ``before`` points at the visit."""

    def of(found: Mapping[str, Found]) -> float:
        one = found[name]
        left = max(one.left_at(-_JUST), 1e-9)
        log_half = np.log(left) - np.log(before / (COWS_MAX - before)) / one.slope
        return float(cows_of_drive(one.left_at(hours), float(np.exp(np.clip(log_half, -50.0, 50.0))), one.slope))

    return of


def _share_without(name: str, days: float) -> Rule:
    """Share of people, ``half`` spread as in the catalogue, whose rated score is below "mild"."""

    def of(found: Mapping[str, Found]) -> float:
        one = found[name]
        spread = load().adaptation["response_two_state"].numbers["half"].between_subject
        assert spread is not None  # the catalogue has it for every rival
        half = one.half * np.exp(spread.omega * ndtri((np.arange(PEOPLE) + 0.5) / PEOPLE))
        score = np.asarray(cows_of_drive(np.full(PEOPLE, one.left_at(24.0 * days)), half, one.slope))
        return float(np.mean(ndtr((MILD - 0.5 - BASELINE - score) / NOISE_SD))) * (1.0 - one.other)

    return of


#: Time before a visit at which "before" is read. [h]
_JUST = 0.01

#: Anchors as committed before the first fit (A, docs/design/adaptation.md) and the second (B, adaptation-refit.md).
ANCHORS = (
    Anchor(id="A1", study="Tompkins2009", kind="equal", wanted=6.3, sd=1.0, of=_peak("tompkins2009")),
    Anchor(id="A2", study="Tompkins2009", kind="equal", wanted=0.5, sd=1 / 6, of=_when("tompkins2009")),
    Anchor(id="A3", study="Tompkins2009", kind="at_most", wanted=1.0, sd=1.0, of=_at("tompkins2009", -0.01)),
    Anchor(id="A4", study="Tompkins2014", kind="equal", wanted=48.0, sd=12.0, of=_when("tompkins2014")),
    Anchor(id="A5", study="Tompkins2014", kind="at_most", wanted=2.0, sd=1.0, of=_at("tompkins2014", 168.0)),
    Anchor(id="A6", study="Bickel1988", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("bickel1988")),
    Anchor(id="A7", study="Bickel1988", kind="at_most", wanted=0.25, sd=1 / 12, of=_when("bickel1988")),
    Anchor(id="A8", study="Heishman1989b", kind="at_most", wanted=_NONE, sd=0.5, of=_peak("heishman1989_15min")),
    Anchor(id="A9", study="Heishman1989b", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("heishman1989_45min")),
    Anchor(id="A10", study="Heishman1990", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("heishman1990_6h")),
    Anchor(id="A11", study="Heishman1990", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("heishman1990_24h")),
    Anchor(id="A12", study="Azorlosa1994", kind="at_least", wanted=float(np.log(1.25)), sd=0.2,
           of=_log_ratio("azorlosa1994_twice", "azorlosa1994_once")),
    Anchor(id="A13", study="Stitzer1991", kind="equal", wanted=0.0, sd=0.4,
           of=_log_ratio("stitzer1991_96h", "stitzer1991_24h")),
    Anchor(id="A14", study="Stitzer1991", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("stitzer1991_24h")),
    Anchor(id="A15", study="Stitzer1991", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("stitzer1991_96h")),
    Anchor(id="A16", study="Stitzer1991", kind="at_most", wanted=_NONE, sd=0.5, of=_peak("stitzer1991_168h")),
    Anchor(id="B1", study="CTN0027", kind="equal", wanted=11.3, sd=3.0, of=_at("ctn0027_methadone", -_JUST)),
    Anchor(id="B2", study="CTN0027", kind="equal", wanted=4.7, sd=2.0, of=_at("ctn0027_buprenorphine", 1.5)),
    Anchor(id="B3", study="CTN0027", kind="equal", wanted=3.9, sd=2.0, of=_at("ctn0027_methadone", 1.5)),
    Anchor(id="B4", study="CTN0027", kind="equal", wanted=3.4, sd=2.0,
           of=_at_of_those_who_began_at("ctn0027_buprenorphine", 9.55, 1.5)),
    Anchor(id="B5", study="CTN0027", kind="equal", wanted=6.7, sd=2.0,
           of=_at_of_those_who_began_at("ctn0027_buprenorphine", 13.8, 1.5)),
    Anchor(id="B6", study="CTN0027", kind="equal", wanted=2.5, sd=2.0,
           of=_at_of_those_who_began_at("ctn0027_methadone", 9.4, 1.5)),
    Anchor(id="B7", study="CTN0027", kind="equal", wanted=6.2, sd=2.0,
           of=_at_of_those_who_began_at("ctn0027_methadone", 13.9, 1.5)),
    Anchor(id="B8", study="Lofwall2016", kind="equal", wanted=-1.26, sd=0.5,
           of=_log_ratio("lofwall2016_oxycodone", "lofwall2016_placebo", _lowest)),
    *(Anchor(id=f"B{9 + k}", study="CTN0030", kind="equal", wanted=share, sd=0.15, of=_share_without("ctn0030", days))
      for k, (days, share) in enumerate([(1, 0.722), (2.5, 0.517), (5.5, 0.595), (9, 0.486), (12.5, 0.702),
                                         (18, 0.714), (25, 0.772), (35.5, 0.810)])),
)  # fmt: skip

#: Anchors of the first fit, whose numbers are in use.
FIRST = tuple(a for a in ANCHORS if a.id.startswith("A"))

STUDIES = tuple(dict.fromkeys(a.study for a in ANCHORS))


def _grid(doses: Iterable[str], at_h: float, end_h: float) -> Floats:
    """Output times: fine after every dose, where activation rises, finest after the antagonist, hourly before it."""
    fine = np.concatenate([np.linspace(0.0, 1.0, 21), np.linspace(1.25, 6.0, 20)])
    coarse = np.array([0.0, 0.05, 0.15, 0.3, 0.6, 1.0, 1.5, 2.2, 3.0, 4.0, 5.0])
    every = [np.linspace(max(0.0, at_h - 48.0), end_h, int((end_h - max(0.0, at_h - 48.0)) * 2) + 1)]
    for dose in Run.of(*doses, until=f"{end_h} h").doses:
        for start in dose.time_tick / TICKS_PER_HOUR + (dose.every or 0.0) * np.arange(dose.count or 1):
            every.append(start + (fine if start > at_h - 48.0 else coarse))
    every += [at_h + np.linspace(0.0, 2.0, 121), np.arange(0.0, at_h, 1.0)]
    times: Floats = np.unique(np.round(np.concatenate(every), 4)).astype(np.float64)
    return times[times <= end_h]


@cache
def course_of(doses: tuple[str, ...], at_h: float, end_h: float, given: Given = ()) -> Course:
    """Run an experiment without adaptation, on which receptors do not depend, and keep the drive of adaptation."""
    times = _grid(doses, at_h, end_h)
    drive, tone = drive_of(doses, times, given)
    return Course(time_h=times, drive=drive, tone=tone, at_h=at_h)


def drive_of(doses: Iterable[str], times: Floats, given: Given = ()) -> tuple[dict[str, Floats], Floats]:
    """Drive of adaptation, by kind, and tone at given times [h] under doses of a person without adaptation."""
    drive: dict[str, Floats] = {}
    run = Run.of(*doses, until=f"{times[-1]} h", adaptation=False)
    built = model_of(run)
    slots = [f"{r.name}_occupancy_{x.species}" for r in built.spec.receptors for x in r.ligands]
    result = simulate_run(run, times_tick=[round(t * TICKS_PER_HOUR) for t in times], overrides=dict(given))
    for kind in ("activation", "response"):
        entry = next(e for e in load().adaptation.values() if e.drive == kind)
        total = np.zeros(times.size)
        for slot in slots:
            receptor, _, species = slot.partition("_occupancy_")
            if receptor in entry.receptors:
                share = built.values.of(entry.key, entry.receptors[receptor])
                e = built.values.efficacy(receptor, species)
                total += share * (transducer_ratio(1.0, e) if kind == "response" else e) * result[slot].value
        drive[kind] = total / (1.0 + total) if kind == "response" else total
    return drive, np.asarray(result[f"mor_occupancy_{ENDOGENOUS}"].value, dtype=np.float64)


@cache
def courses(given: Given = (), first: bool = False) -> dict[str, Course]:
    """Courses of all experiments. ``given``: names and values in place of the catalogue's; ``first``: as for a fit."""
    return {n: course_of(*what, given) for n, what in EXPERIMENTS.items() if not (first and n.startswith(_SECOND))}


def _parts(rival: str) -> tuple[str, tuple[str, ...]]:
    """Mechanism of the catalogue, and the additions of a rival of the third step.

    >>> _parts("response_two_state+reserve+expression")
    ('response_two_state', ('reserve', 'expression'))
    """
    key, *parts = rival.split("+")
    return key, tuple(parts)


def fitted_names(rival: str) -> tuple[str, ...]:
    """Names of the numbers that are fitted for a rival."""
    key, parts = _parts(rival)
    entry = load().adaptation[key]
    more = [name for part in parts for name in _PARTS[part]]
    more = [name for f in entry.follower.values() for name in (f.weight, f.time)] + more
    fast, slow = entry.states["fast"], entry.states["slow"]
    taus = (fast.gain_up, fast.gain_down, fast.loss_up, fast.loss_down,
            slow.gain_up, slow.gain_down, slow.loss_up, slow.loss_down)  # fmt: skip
    return (*dict.fromkeys(taus), "w_fast", "w_slow", "slope", "half", *more)


def prior(rival: str, first: bool = False) -> dict[str, tuple[float, float]]:
    """Centre and standard deviation of the logarithm of each fitted number; ``first``: those of the first fit."""
    steady = morphine_level(load().adaptation[_parts(rival)[0]].drive)
    centre = {
        "tau_fast_up": 0.75, "tau_fast_down": 24.0, "tau_slow_up": 144.0, "tau_slow_down": 66.0,
        "tau_fast": 4.2, "tau_slow": 97.0,
        "tau_fast_gain": 0.75, "tau_fast_loss": 24.0, "tau_slow_gain": 144.0, "tau_slow_loss": 66.0,
        "w_fast": 0.3, "w_slow": 0.6, "slope": 1.9, "half": 0.5 * steady,
        "reserve": 2.57, "w_expression": 0.3, "tau_expression": 24.0, "w_stress": 1.0, "tau_stress": 24.0,
        "tone": 2.1, "other": 0.13, "w_acute": 0.5, "tau_acute": 6.0,
    }  # fmt: skip
    parts = {"reserve": 1.0, "w_stress": 1.0, "tone": 0.3, "other": 0.5, "w_acute": 1.0, "tau_acute": 1.0}
    spread = dict.fromkeys(("half",) if first else _WIDE, PRIOR_SD_WIDE) | parts
    return {n: (centre[n], spread.get(n, PRIOR_SD)) for n in fitted_names(rival)}


@cache
def morphine_level(kind: str) -> float:
    """Mean drive under morphine 120 mg a day, over the last day of a month."""
    course = courses(first=True)["tompkins2009"]
    return _thirtieth_day(course, course.drive[kind])


def _thirtieth_day(course: Course, values: Floats) -> float:
    inside = (course.time_h >= 696.0) & (course.time_h <= 720.0)
    t = course.time_h[inside]
    return float(np.trapezoid(values[inside], t) / (t[-1] - t[0]))


def _numbers(rival: str, numbers: Mapping[str, float]) -> dict[str, float]:
    """All numbers of a rival, with the given ones in place of the catalogue's."""
    return {**_typical(rival), **numbers}


@cache
def _typical(rival: str) -> dict[str, float]:
    return {name: number.value for name, number in load().adaptation[_parts(rival)[0]].numbers.items()}


def _rates(rival: str, numbers: Mapping[str, float]) -> Floats:
    states = load().adaptation[_parts(rival)[0]].states.values()
    return np.array(
        [
            [*(1.0 / numbers[n] for n in (s.gain_up, s.gain_down, s.loss_up, s.loss_down)), float(s.saturates)]
            for s in states
        ]
    )


def _residual(rival: str, course: Course) -> Floats:
    """The slowest state: none of its numbers is fitted, so it is computed once for each course."""
    if rival not in course.residual:
        entry = load().adaptation[_parts(rival)[0]]
        rates = _rates(rival, _typical(rival))[None, [list(entry.states).index("residual")]]
        course.residual[rival] = follow(course.time_h, course.drive[entry.drive][None], rates)[0, 0]
    return course.residual[rival]


def _drive(rival: str, everything: Mapping[str, float], course: Course) -> Floats:
    """Drive along a course; the odds of the response are in proportion to the reserve."""
    key, parts = _parts(rival)
    entry = load().adaptation[key]
    drive = course.drive[entry.drive]
    if "reserve" not in parts:
        return drive
    share = everything["reserve"] / everything[entry.receptors["mor"]]
    return share * drive / (1.0 + (share - 1.0) * drive)


def along(rival: str, numbers: Mapping[str, float], course: Course) -> Found:
    """Prediction of a rival along a course."""
    key, parts = _parts(rival)
    entry, everything = load().adaptation[key], _numbers(rival, numbers)
    drive, rates = _drive(rival, everything, course), _rates(rival, everything)[:2]
    if "reserve" in parts:
        last = _rates(rival, everything)[[list(entry.states).index("residual")]]
        rates = np.concatenate([rates, last])
    if "expression" in parts:
        once = 1.0 / everything["tau_expression"]
        rates = np.concatenate([rates, [[once, once, once, once, 0.0]]])
    states = follow(course.time_h, drive[None], rates[None])[0]
    fast, slow, residual = (everything[str(entry.states[name].weight)] for name in ("fast", "slow", "residual"))
    adapted = fast * states[0] + slow * states[1]
    adapted += residual * (states[2] if "reserve" in parts else _residual(rival, course))
    if "expression" in parts:
        adapted -= everything["w_expression"] * states[-1]
    tone = everything[entry.tone] * course.tone
    if "tolerance" in parts:
        tone = tone / tau_divisor(states[1], _slow_reference(rival, everything), breathing_depth())
    left = np.asarray(withdrawal_drive(adapted, drive, tone))

    def following(time_h: float) -> Floats:
        once = 1.0 / time_h
        return np.asarray(follow(course.time_h, left[None], np.array([[[once, once, once, once, 0.0]]]))[0, 0])

    felt = left
    if "stress" in parts or "stress" in entry.follower:
        felt = felt + everything["w_stress"] * following(everything["tau_stress"])
    if "acute" in parts or "acute" in entry.follower:
        felt = felt + everything["w_acute"] * np.maximum(left - following(everything["tau_acute"]), 0.0)
    half, slope = everything[entry.half], everything[entry.slope]
    return Found(course=course, left=felt, half=half, slope=slope, other=everything.get("other", 0.0))


def _slow_reference(rival: str, everything: Mapping[str, float]) -> float:
    """Mean of the slow state on the thirtieth day under morphine 120 mg a day."""
    course = courses(first=True)["tompkins2009"]
    rates = _rates(rival, everything)[None, [1]]
    return _thirtieth_day(course, follow(course.time_h, _drive(rival, everything, course)[None], rates)[0, 0])


def anchor_values(rival: str, numbers: Mapping[str, float], given: Given = (), first: bool = False) -> dict[str, float]:
    """Prediction of a rival for each anchor, or for those of the first fit."""
    found = {name: along(rival, numbers, course) for name, course in courses(given, first).items()}
    return {a.id: a.of(found) for a in (FIRST if first else ANCHORS)}


def solve(
    rival: str,
    leave_out: str = "",
    starts: int = STARTS,
    held: Mapping[str, float] | None = None,
    given: Given = (),
    first: bool = False,
    near: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Fit a rival to all anchors except those of one study.

    ``leave_out``: study whose anchors are not used. ``starts``: starting points drawn from the priors with a fixed
    seed, besides their centre and the catalogue's numbers, because limits and a drive that cannot be negative make the
    objective flat in places. With 0 the fit begins at the catalogue's numbers alone. ``held``: numbers that are not
    fitted and whose priors are left out. ``first``: anchors and priors of the first fit alone. ``near``: a further
    start.
    Returns numbers by name.
    """
    fixed = dict(held or {})
    centre = {name: values for name, values in prior(rival, first).items() if name not in fixed}
    names = tuple(centre)
    kept = [a for a in (FIRST if first else ANCHORS) if a.study != leave_out]

    def residuals(x: Floats) -> Floats:
        numbers = dict(zip(names, map(float, x), strict=True))
        values = anchor_values(rival, numbers | fixed, given, first)
        own = [a.residual(values[a.id]) for a in kept]
        from_priors = [np.log(numbers[n] / mid) / sd for n, (mid, sd) in centre.items()]
        return np.array([*own, *from_priors])

    mids = np.array([mid for mid, _ in centre.values()])
    begin = [np.array([_typical(rival).get(n, centre[n][0]) for n in names])]
    if near is not None:
        begin.append(np.array([near[n] for n in names]))
    if starts:
        spread = np.array([sd for _, sd in centre.values()])
        draws = np.random.default_rng(1).standard_normal((starts, mids.size))
        begin += [mids, *(mids * np.exp(spread * z) for z in draws)]
    found = [gauss_newton(residuals, start) for start in begin]
    best, _, _ = min(found, key=lambda f: float(np.sum(f[1] ** 2)))
    return dict(zip(names, map(float, best), strict=True)) | fixed


#: Half step of the logarithm for derivatives, which must exceed the resolution of times of peaks.
_STEP = 0.05


def covariance(rival: str, numbers: Mapping[str, float]) -> Floats:
    """Joint covariance of the logarithms of a fit's numbers at its minimum, with the priors."""
    first = not rival.startswith(ALL_ANCHORS)
    centre, anchors = prior(rival, first), FIRST if first else ANCHORS

    def residuals(x: Floats) -> Floats:
        values = dict(zip(centre, map(float, np.exp(x)), strict=True))
        found = anchor_values(rival, values, first=first)
        own = [a.residual(found[a.id]) for a in anchors]
        return np.array([*own, *(np.log(values[n] / mid) / sd for n, (mid, sd) in centre.items())])

    at = np.log([numbers[n] for n in centre])
    steps = _STEP * np.eye(at.size)
    slopes = np.array([(residuals(at + h) - residuals(at - h)) / (2.0 * _STEP) for h in steps])
    return np.asarray(np.linalg.inv(slopes @ slopes.T) * max(1.0, float(np.mean(residuals(at) ** 2))))


def profile(rival: str, name: str, grid: Iterable[float], starts: int = STARTS) -> list[tuple[float, float, float]]:
    """Profile of one number of the first fit without its own prior: the others are fitted again at each value.

    ``rival``: key of the rival; ``name``: the number that is fixed; ``grid``: its values, in its own unit; ``starts``:
    as for :func:`solve`. Returns value, squared error of the anchors, and the same with the priors of the other
    numbers.
    """
    found = []
    for value in grid:
        numbers = solve(rival, starts=starts, held={name: value}, first=True)
        error = score(anchor_values(rival, numbers, first=True))
        priors = sum((np.log(numbers[n] / mid) / sd) ** 2 for n, (mid, sd) in prior(rival, True).items() if n != name)
        found.append((value, error, error + float(priors)))
    return found


def reference_levels(rival: str, numbers: Mapping[str, float]) -> dict[str, float]:
    """Steady values of the states under morphine 120 mg a day, mean over a day."""
    entry, everything = load().adaptation[_parts(rival)[0]], _numbers(rival, numbers)
    course = courses(first=True)["tompkins2009"]
    inside = (course.time_h >= 696.0) & (course.time_h <= 720.0)
    day_t, day_s = course.time_h[inside] - 696.0, course.drive[entry.drive][inside]
    days = 400
    times = (day_t[None, :-1] + 24.0 * np.arange(days)[:, None]).ravel()
    states = follow(times, np.tile(day_s[:-1], days)[None], _rates(rival, everything)[None])[0]
    last = times >= 24.0 * (days - 1)
    return {name: float(states[k, last].mean()) for k, name in enumerate(entry.states)}


def breathing_depth() -> float:
    """Factor on tau that shifts fentanyl's half-effect concentration as in chronic users (1.82 / 0.42)."""
    effect, drug = load().effects["ventilation_isohypercapnic"], load().drug("fentanyl")
    tau = transducer_ratio(
        effect.numbers[effect.reserve["mor"]].value, drug.number(str(drug.binding["mor"].efficacy)).value
    )
    return float(tau / ((1.0 + tau) / (1.82 / 0.42) - 1.0))


def score(values: Mapping[str, float], study: str = "") -> float:
    """Sum of squared anchor residuals, of one study or of all."""
    return sum(a.residual(values[a.id]) ** 2 for a in ANCHORS if a.id in values and study in ("", a.study))


def compare(rivals: Iterable[str] = RIVALS, starts: int = STARTS) -> dict[str, tuple[float, float]]:
    """Score of each rival of the second fit in sample, and summed over studies left out one at a time (30 min).

    A fit without a study also starts from the fit to all of them.
    """
    found = {}
    for rival in rivals:
        best = solve(rival, starts=starts)
        outside = sum(score(anchor_values(rival, solve(rival, s, starts, near=best)), s) for s in STUDIES)
        found[rival] = (score(anchor_values(rival, best)), outside)
    return found


def choose(scores: Mapping[str, tuple[float, float]]) -> str:
    """Return the rival that predicts left-out studies best; among ties the one with fewest numbers.

    >>> choose({"two_state": (1.0, 30.0), "inhibitor": (2.0, 32.0)})
    'inhibitor'
    """
    least = min(outside for _, outside in scores.values())
    ties = [rival for rival, (_, outside) in scores.items() if outside <= TIE * least]
    return min(ties, key=lambda r: (len(fitted_names(r)), scores[r][1]))


def fit(starts: int = 0) -> Fit:
    """Fit all mechanisms to their anchors, from the catalogue's numbers or ``starts`` draws of the priors.

    Six know the anchors of the first fit, one knows all (docs/design/adaptation-refit.md).
    """
    lines: list[str] = []
    numbers: list[Fitted] = []
    scores: dict[str, float] = {}
    correlations: dict[str, Floats] = {}
    for key in (*RIVALS, ALL_ANCHORS):
        first, rival = key in RIVALS, key if key in RIVALS else f"{key}+other"
        anchors, near = (FIRST, None) if first else (ANCHORS, _typical(key) | {"other": OTHER})
        best = solve(rival, starts=starts, first=first, near=near)
        joint = covariance(rival, best)
        error = dict(zip(best, np.sqrt(np.expm1(np.minimum(np.diag(joint), 4.0))), strict=True))
        values = anchor_values(rival, best, first=first)
        scores[key] = score(values)
        lines.append(f"{rival}: squared error of the anchors {score(values):.2f}, {len(best)} numbers")
        for a in anchors:
            sign = {"equal": "", "at_least": ">= ", "at_most": "<= "}[a.kind]
            off = a.residual(values[a.id])
            lines.append(f"  {a.id:4} {a.study:14} {values[a.id]:8.3g}  wanted {sign}{a.wanted:.3g}  {off:+.2f} sd")
        if "other" in best:
            lines.append(f"  other {best['other']:.4g} (no number of the catalogue; {OTHER:g} in the file)")
        numbers += [Fitted(drug=key, name=n, value=v, cv=float(error[n])) for n, v in best.items() if n != "other"]
        lines.append(f"  correlations of {', '.join(best)}:")
        spread = np.sqrt(np.diag(joint))
        correlations[key] = joint / np.outer(spread, spread)
        lines += ["  " + ", ".join(f"{rho:5.2f}" for rho in row) for row in correlations[key]]
        levels = reference_levels(rival, best)
        numbers += [
            Fitted(drug=key, name=str(state.reference), value=levels[name])
            for name, state in load().adaptation[key].states.items()
            if state.reference is not None
        ]
    numbers.append(Fitted(drug="two_state", name="d_breathing", value=breathing_depth()))
    title = "Adaptation"
    return Fit(title=title, numbers=tuple(numbers), lines=tuple(lines), scores=scores, correlations=correlations)
