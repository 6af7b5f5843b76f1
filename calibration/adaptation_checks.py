"""Rows of withdrawal, computed with the code of the fit, for rivals of adaptation that the engine does not have.

The typical person; shares are those of people whose ``half`` is spread as for the anchors of CTN-0030
(docs/design/adaptation-refit.md). A history is integrated once for each use, and the time after it from its end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from scipy.special import ndtri

from calibration.adaptation import (
    _drive,
    _parts,
    _rates,
    _slow_reference,
    breathing_depth,
)
from calibration.adaptation_anchors import drive_of
from schild.array_types import Floats
from schild.catalog import Observation, load
from schild.engine.lags import follow
from schild.pharmacology.adaptation import cows_of_drive, ec50_shift, tau_divisor, withdrawal_drive
from schild.pharmacology.effects import transducer_ratio
from schild.simulation import Run
from schild.simulation.observe_withdrawal import (
    _HOURS,
    _TIMES,
    BASELINE,
    FLOOR,
    PEOPLE,
    RATED,
    WithdrawalCourse,
    rated_shares,
    split_words,
)
from schild.simulation.observe_withdrawal import KINDS as _KINDS
from schild.simulation.runfile import parse_history
from schild.units import TICKS_PER_HOUR

__all__ = ["ROWS", "Rows", "window"]

#: Checks, then fitted rows.
ROWS = {
    o.id: o for table in ("withdrawal_checks", "withdrawal_fitted") for o in load().studies[table].observations
}  # fmt: skip

_RISE = np.array([0.0, 0.05, 0.15, 0.3, 0.6, 1.0, 1.5, 2.2, 3.0, 4.0, 5.0])


def window(o: Observation) -> tuple[float, float]:
    """Window of a row, ends included; infinite on a side without a limit."""
    if o.sd_fixed is not None:
        return o.value - o.sd_fixed, o.value + o.sd_fixed
    return (-np.inf if o.low is None else o.low), (np.inf if o.high is None else o.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """A course of drive and tone."""

    time_h: Floats
    drive: dict[str, Floats]
    tone: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Protocol:
    """Regimen of a row in time since its first dose. [h]"""

    past: tuple[str, ...]  #: Earlier use, in words
    doses: tuple[str, ...]  #: All later doses
    last_h: float  #: Last dose of the history
    zero_h: float  #: First antagonist, else last opioid


def _antagonist(words: str) -> bool:
    return load().drug(words.split(" ", 1)[0]).role == "antagonist"


def _plain(words: str, start_h: float, every_h: float | None = None, count: int = 1) -> str:
    head = re.split(r"\s(?:q\d|for\s|at\s|x\d)", words, maxsplit=1)[0]
    repeated = f" q{every_h:g}h x{count}" if every_h and count > 1 else ""
    return f"{head} at {start_h:.8g} h{repeated}"


@cache
def _protocol(regimen: str, without: bool = False) -> _Protocol:
    history, doses = split_words(regimen)
    told = [(words, parse_history(words)) for words in history]
    origin = min((h.time_tick for _, h in told), default=0) / TICKS_PER_HOUR
    past = tuple(_plain(w, h.time_tick / TICKS_PER_HOUR - origin, h.every, h.count or 1) for w, h in told)
    last = max(
        ((h.time_tick + ((h.count or 1) - 1) * h.every_tick) / TICKS_PER_HOUR - origin for _, h in told), default=0
    )
    later: list[tuple[str, float, float]] = []
    for words in doses:
        d = Run.of(words, until="1000 d").doses[0]
        begin = d.time_tick / TICKS_PER_HOUR - origin
        end = begin + ((d.count or 1) - 1) * (d.every or 0.0)
        if (d.count or 1) == 1:  # given once, at its time since the first dose
            what = re.sub(r"\sat\s.*$", "", words)
            words = f"{what} at {begin:.8g} h"
        later.append((words, begin, end))
    blocked = [begin for words, begin, _ in later if _antagonist(words)]
    taken = [end for words, _, end in later if not _antagonist(words)]
    zero = min(blocked) if blocked else max([last, *taken])
    kept = tuple(words for words, _, _ in later if not (without and _antagonist(words)))
    return _Protocol(past=past, doses=kept, last_h=last, zero_h=zero)


@cache
def _past(past: tuple[str, ...], last_h: float) -> _Past:
    times = [np.arange(0.0, last_h, 2.0), np.array([0.0, last_h])]
    for dose in Run.of(*past, until=f"{last_h + 1.0} h").doses:
        starts = dose.time_tick / TICKS_PER_HOUR + (dose.every or 0.0) * np.arange(dose.count or 1)
        times.append((starts[:, None] + _RISE).ravel())
    grid = np.unique(np.round(np.concatenate(times), 4))
    grid = grid[grid <= last_h]
    drive, tone = drive_of(past, grid)
    return _Past(time_h=grid, drive=drive, tone=tone)


@cache
def _later(protocol: _Protocol, end_h: float, taken: tuple[str, ...]) -> _Past:
    zero, last = protocol.zero_h, protocol.last_h
    after = [
        np.linspace(0.0, 2.0, 61),
        np.arange(2.0, 24.0, 0.2),
        np.arange(24.0, 240.0, 1.0),
        np.arange(240.0, 1200.0, 4.0),
    ]
    times = [last + _RISE, np.arange(last, zero, 1.0), np.array([zero - 0.01, end_h]), zero + np.concatenate(after)]
    for dose in Run.of(*protocol.doses, until=f"{end_h} h").doses if protocol.doses else ():
        start = dose.time_tick / TICKS_PER_HOUR
        times.append((start + (dose.every or 0.0) * np.arange(dose.count or 1)[:, None] + _RISE).ravel())
    grid = np.unique(np.round(np.concatenate(times), 4))
    grid = grid[(grid >= last) & (grid <= end_h)]
    drive, tone = drive_of((*protocol.past, *taken), grid)
    return _Past(time_h=grid, drive=drive, tone=tone)


@dataclass(kw_only=True)
class Rows:
    """Rows of a rival with given numbers."""

    rival: str
    numbers: Mapping[str, float]
    _kept: dict[object, tuple[Floats, Floats, Floats]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        key, self.parts = _parts(self.rival)
        self.entry = load().adaptation[key]
        typical = {name: number.value for name, number in self.entry.numbers.items()}
        self.everything = {**typical, **self.numbers}
        self.rates = _rates(self.rival, self.everything)[
            [list(self.entry.states).index(s) for s in ("fast", "slow", "residual")]
        ]
        if "expression" in self.parts:
            once = 1.0 / self.everything["tau_expression"]
            self.rates = np.concatenate([self.rates, [[once, once, once, once, 0.0]]])
        if "tolerance" in self.parts:
            self.reference = _slow_reference(self.rival, self.everything)

    def _states(self, part: _Past, start: Floats | None, called: Floats) -> tuple[Floats, Floats, Floats]:
        """States, what is felt, and what follows the unopposed drive (two states), along a part of a course."""
        e = self.everything
        drive = _drive(self.rival, e, part)  # type: ignore[arg-type]
        states = follow(part.time_h, drive[None], self.rates[None], None if start is None else start[None])[0]
        weights = [e[str(self.entry.states[name].weight)] for name in ("fast", "slow", "residual")]
        if "expression" in self.parts:
            weights.append(-e["w_expression"])
        tone = e[self.entry.tone] * part.tone
        if "tolerance" in self.parts:
            tone = tone / tau_divisor(states[1], self.reference, breathing_depth())
        left = np.asarray(withdrawal_drive(np.asarray(weights) @ states, drive, tone))
        times = [e.get("tau_stress", np.inf), e.get("tau_acute", np.inf)]
        rates = np.array([[[1.0 / t] * 4 + [0.0] for t in times]])
        after = follow(part.time_h, left[None], rates, called[None])[0]
        felt = left
        if "stress" in self.parts or "stress" in self.entry.follower:
            felt = felt + e["w_stress"] * after[0]
        if "acute" in self.parts or "acute" in self.entry.follower:
            felt = felt + e["w_acute"] * np.maximum(left - after[1], 0.0)
        return states, felt, after

    def _before(self, protocol: _Protocol) -> tuple[Floats | None, Floats]:
        if not protocol.past:
            return None, np.zeros(2)
        key = protocol.past
        if key not in self._kept:
            self._kept[key] = self._states(_past(protocol.past, protocol.last_h), None, np.zeros(2))
        states, _, after = self._kept[key]
        return np.ascontiguousarray(states[:, -1]), np.ascontiguousarray(after[:, -1])

    def drive_left(self, regimen: str, hours: float, without: bool = False) -> tuple[Floats, Floats, Floats]:
        """Time from time zero, unopposed drive, slow state, to some hours after time zero."""
        protocol = _protocol(regimen)
        end = protocol.zero_h + max(hours, 1.0)
        taken = _protocol(regimen, without).doses
        key = (protocol, end, taken)
        if key not in self._kept:
            if not (protocol.past or taken):
                time_h = _later(protocol, end, protocol.doses).time_h
                left = slow = np.zeros_like(time_h)
            else:
                part = _later(protocol, end, taken)
                states, left, _ = self._states(part, *self._before(protocol))
                time_h, slow = part.time_h, states[1]
            self._kept[key] = time_h - protocol.zero_h, left, slow
        return self._kept[key]

    def course(self, regimen: str, hours: float, without: bool = False, half: float | None = None) -> WithdrawalCourse:
        """Latent score from time zero on."""
        e = self.everything
        time_h, left, _ = self.drive_left(regimen, hours, without)
        half = e[self.entry.half] if half is None else half
        score = np.asarray(cows_of_drive(left, half, e[self.entry.slope]))
        return WithdrawalCourse(time_h=time_h, score=score[None])

    def value(self, o: Observation) -> float:
        """Prediction of one row, in its unit; infinite for a time that is never reached."""
        kind, _, word = o.observable.partition(":")
        hours = float(o.time_h or 0.0)
        if kind == "sows_share":
            found = self._share(o, word)
        elif kind == "tolerance":
            found = self._tolerance(o)
        elif kind == "cows_ratio":
            a, b = (self.course(words, hours).after(hours).peak()[0] for words in (o.regimen, o.normalisation))
            found = float((a + FLOOR) / (b + FLOOR))
        elif kind in ("cows_added", "cows_added_at"):
            with_, none = self.course(o.regimen, hours), self.course(o.regimen, hours, without=True)
            if kind == "cows_added":
                found = float((with_.after(hours).score - none.after(hours).score).max())
            else:
                found = float(with_.at(hours)[0] - none.at(hours)[0])
        else:
            found = float(_KINDS[kind](_Seen(o=o, rows=self), word)[0])  # type: ignore[arg-type]
        if o.normalisation == RATED:
            found += BASELINE
        return found / _HOURS[o.unit] if kind in _TIMES else found

    def _share(self, o: Observation, category: str) -> float:
        time_h, left, _ = self.drive_left(o.regimen, 1008.0)
        spread = self.entry.numbers["half"].between_subject
        assert spread is not None  # the catalogue has it for every rival
        half = self.everything[self.entry.half] * np.exp(spread.omega * ndtri((np.arange(PEOPLE) + 0.5) / PEOPLE))
        at = float(np.interp(float(o.time_h or 0.0), time_h, left))
        score = np.asarray(cows_of_drive(np.full(PEOPLE, at), half, self.everything[self.entry.slope]))
        shares = rated_shares(score)
        if category == "none":
            return shares["none"]
        names = list(shares)
        return sum(shares[name] for name in names[names.index(category) :])

    def _tolerance(self, o: Observation) -> float:
        time_h, _, slow = self.drive_left(o.regimen, float(o.time_h or 0.0))
        effect, drug = load().effects["ventilation_isohypercapnic"], load().drug("fentanyl")
        efficacy = drug.number(str(drug.binding["mor"].efficacy)).value
        tau = float(transducer_ratio(effect.numbers[effect.reserve["mor"]].value, efficacy))
        # The thirtieth day under morphine as a share of the steady course.
        steady = _slow_reference(self.rival, self.everything) / -float(np.expm1(-720.0 * self.rates[1, 2]))
        shift = float(np.interp(float(o.time_h or 0.0), time_h, slow))
        return float(ec50_shift(tau, tau_divisor(shift, steady, breathing_depth())))

    def values(self) -> dict[str, float]:
        """Predictions of all rows."""
        return {key: self.value(o) for key, o in ROWS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the rules of rows ask of a row."""

    o: Observation
    rows: Rows

    @property
    def hours(self) -> float:
        return float(self.o.time_h or 0.0)

    def course(self) -> WithdrawalCourse:
        return self.rows.course(self.o.regimen, self.hours)

    def looked(self) -> WithdrawalCourse:
        return self.course().after(self.hours)
