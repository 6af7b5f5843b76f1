"""Anchors of adaptation: statements of human studies, and the experiments that they are about.

Rules: docs/design/adaptation.md (A) and adaptation-refit.md (B).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from schild.array_types import Floats
from schild.catalog import load
from schild.model.spec import ENDOGENOUS
from schild.pharmacology.adaptation import COWS_MAX, cows_of_drive
from schild.pharmacology.effects import transducer_ratio
from schild.simulation import Run, model_of, simulate_run
from schild.simulation.observe_withdrawal import BASELINE, FLOOR, MILD, NOISE_SD, PEOPLE
from schild.units import TICKS_PER_HOUR

#: Names and values in place of the catalogue's.
Given = tuple[tuple[str, float], ...]

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
