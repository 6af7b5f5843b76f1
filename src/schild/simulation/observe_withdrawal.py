"""Predictions of published withdrawal and tolerance (docs/design/adaptation.md, "Checks").

Every score is latent: without the points that a placebo arm shows and without the noise of a rating, unless a rule
says "as rated". Time zero is the first antagonist, or without one the last opioid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtri

from schild.array_types import Floats
from schild.catalog import Catalogue, Observation, load
from schild.errors import InputError
from schild.pharmacology.adaptation import COWS_MAX, SEVERITY, sows_of_cows
from schild.pharmacology.nca import last_time_at
from schild.simulation import Run, simulate_run
from schild.simulation.runfile import parse_history
from schild.units import TICKS_PER_HOUR

#: A latent score from which withdrawal counts as present; below it, as over.
PRESENT = 1.0
#: Points added to both scores of a ratio, so that the ratio of two zeros is 1.
FLOOR = 0.1
#: Score of the placebo arm of Tompkins 2009, and standard deviation of a rating. [points of COWS]
BASELINE, NOISE_SD = 1.3, 3.0
#: Normalisation of a row with rated scores: the points of the placebo arm are included.
RATED = "as rated"
#: Lowest rated score of each category of the trial (0, 1-10, 11-20, 21 and more). [points of SOWS]
SOWS_FROM = {"none": 0.0, "mild": 1.0, "moderate": 11.0, "severe": 21.0}
#: People behind a share.
PEOPLE = 100

_HISTORY = re.compile(r"\sq\S+.*\sfor\s")
_HOURS = {"h": 1.0, "min": 1 / 60.0, "day": 24.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalCourse:
    """Withdrawal score of people over time."""

    time_h: Floats  #: Time from time zero, negative before it [h]; shape (n_times,)
    score: Floats  #: Latent COWS, or the shift of tolerance; shape (n_people, n_times)

    def after(self, hours: float) -> WithdrawalCourse:
        """The part from zero to ``hours``."""
        inside = (self.time_h >= -1e-9) & (self.time_h <= hours + 1e-9)
        return WithdrawalCourse(time_h=self.time_h[inside], score=self.score[:, inside])

    def at(self, hours: float) -> Floats:
        """Scores at one time, shape (n_people,)."""
        return np.array([np.interp(hours, self.time_h, row) for row in self.score])

    def peak(self) -> Floats:
        """Largest scores, shape (n_people,)."""
        return np.asarray(self.score.max(axis=1))

    def peak_time(self) -> Floats:
        """Times of the largest scores, shape (n_people,). [h]"""
        return np.asarray(self.time_h[self.score.argmax(axis=1)])

    def first_at(self, level: float) -> Floats:
        """First time at or above a level, between grid points; infinite where there is none, shape (n_people,). [h]"""
        back = -self.time_h[::-1]  # the last time of the course that runs backwards
        found = np.array([-last_time_at(back, row[::-1], level) for row in self.score])
        return np.asarray(np.nan_to_num(found, nan=np.inf, neginf=float(self.time_h[0])))

    def last_at(self, level: float) -> Floats:
        """Last time at or above a level; infinite where it lasts to the end, 0 where never, shape (n_people,). [h]"""
        found = np.array([last_time_at(self.time_h, row, level) for row in self.score])
        return np.where(np.isnan(found), 0.0, found)

    def hours_at(self, level: float) -> Floats:
        """Time at or above a level, shape (n_people,). [h]"""
        step = np.diff(self.time_h)
        a, b = self.score[:, :-1] - level, self.score[:, 1:] - level
        high, low = np.maximum(a, b), np.minimum(a, b)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(low >= 0, 1.0, np.where(high <= 0, 0.0, high / (high - low)))
        return np.asarray(share @ step)


def split_words(words: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Histories and doses of a row: parts with an interval and "for" are earlier use.

    >>> split_words("morphine 30 mg sc q6h for 60 d stopped 3 h; naloxone 0.4 mg im")
    (('morphine 30 mg sc q6h for 60 d stopped 3 h',), ('naloxone 0.4 mg im',))
    """
    parts = [part.strip() for part in words.split(";") if part.strip()]
    history = tuple(part for part in parts if _HISTORY.search(part))
    return history, tuple(part for part in parts if part not in history)


def _antagonist(words: str, catalogue: Catalogue) -> bool:
    return catalogue.drug(words.split(" ", 1)[0]).role == "antagonist"


def _zero(history: Iterable[str], doses: tuple[str, ...], catalogue: Catalogue) -> float:
    """Time of the first antagonist, else of the last opioid. [h]"""
    blocked: list[tuple[int, int]] = []
    taken: list[tuple[int, int]] = []
    if doses:
        for d in Run.of(*doses, until="1000 d").doses:
            last = d.time_tick + ((d.count or 1) - 1) * d.every_tick
            (blocked if catalogue.drug(str(d.drug)).role == "antagonist" else taken).append((d.time_tick, last))
    for words in history:
        h = parse_history(words)
        taken.append((h.time_tick, h.time_tick + ((h.count or 1) - 1) * h.every_tick))
    tick = min(first for first, _ in blocked) if blocked else max(last for _, last in taken)
    return tick / TICKS_PER_HOUR


def _grid(zero: float, hours: float) -> Floats:
    """Every minute for two hours, every tenth of an hour for a day, then every half hour; before zero every hour."""
    past = np.arange(0.0, zero, 1.0)
    fine = [
        np.arange(0, 121) / 60.0,
        np.arange(2.0, 24.0, 0.1),
        np.arange(24.0, 240.0, 0.5),
        np.arange(240.0, hours, 2.0),
    ]
    after = np.concatenate([*fine, [hours]])
    times = np.concatenate([past, [zero - 0.01], zero + after[after <= hours]])
    return np.unique(np.round(times[times >= 0.0], 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    o: Observation
    catalogue: Catalogue
    options: dict[str, Any]
    kept: MutableMapping[Any, WithdrawalCourse]

    @property
    def hours(self) -> float:
        """Length of the observation, or its time. [h]"""
        if self.o.time_h is None:
            raise InputError(f"{self.o.id} has no time_h; expected the time after the antagonist. Add it.")
        return self.o.time_h

    def course(self, words: str = "", without: bool = False, output: str = "cows") -> WithdrawalCourse:
        """Course of a score; ``without``: without the antagonists, on the same time axis."""
        history, doses = split_words(words or self.o.regimen)
        zero = _zero(history, doses, self.catalogue)
        if without:
            doses = tuple(d for d in doses if not _antagonist(d, self.catalogue))
            if not doses and not history:  # nothing was ever taken
                other = self.course(words, output=output)
                return replace(other, score=np.zeros_like(other.score))
        until = zero + max(self.hours, 1.0)
        options = dict(self.options)
        key = (history, doses, zero, until, output, repr(sorted(options.items(), key=lambda x: x[0])))
        if key not in self.kept:
            self.kept[key] = _run(self.catalogue, history, doses, zero, until, output, options)
        return self.kept[key]

    def looked(self, words: str = "", without: bool = False) -> WithdrawalCourse:
        return self.course(words, without).after(self.hours)


def _run(
    catalogue: Catalogue,
    history: tuple[str, ...],
    doses: tuple[str, ...],
    zero: float,
    until: float,
    output: str,
    options: dict[str, Any],
) -> WithdrawalCourse:
    population, seed = options.pop("population", None), options.pop("seed", 1)
    overrides = options.pop("overrides", None)
    rule = options.get("adaptation")
    entries = catalogue.adaptation
    mechanism = entries[rule] if isinstance(rule, str) else next(e for e in entries.values() if e.default)
    options.setdefault("receptors", list(mechanism.receptors))
    run = Run.of(
        *doses,
        until=f"{until:.6f} h",
        outputs=[output],
        seed=seed,
        population=population or None,
        history=history,
        **options,
    )
    ticks = [round(t * TICKS_PER_HOUR) for t in _grid(zero, until - zero)]
    found = simulate_run(run, times_tick=ticks, overrides=overrides, catalogue=catalogue, warn=False)[output]
    score = np.atleast_2d(np.asarray(found.values, dtype=np.float64))
    return WithdrawalCourse(time_h=np.asarray(found.time_h, dtype=np.float64) - zero, score=score)


def _added(row: _Row) -> Floats:
    return row.looked().score - row.looked(without=True).score


def _ratio(row: _Row, _: str) -> Floats:
    other = row.looked(row.o.normalisation)
    return np.asarray((row.looked().peak() + FLOOR) / (other.peak() + FLOOR))


def rated_shares(cows: Floats) -> dict[str, float]:
    """Shares of the trial's categories when latent scores are rated with noise.

    ``cows``, shape (n_people,): latent scores. Returns shares by category of ``SOWS_FROM``; the sum is 1.

    >>> shares = rated_shares(np.zeros(3))
    >>> round(sum(shares.values()), 12), shares["severe"]
    (1.0, 0.0)
    """
    z = ndtri((np.arange(200) + 0.5) / 200)  # quantiles in place of draws: no seed needed
    noisy = np.clip(cows[:, None] + BASELINE + NOISE_SD * z[None, :], 0.0, COWS_MAX)
    rated = np.floor(np.asarray(sows_of_cows(noisy)) + 0.5)
    edges = [*SOWS_FROM.values(), np.inf]
    return {name: float(np.mean((rated >= edges[k]) & (rated < edges[k + 1]))) for k, name in enumerate(SOWS_FROM)}


def _share(row: _Row, category: str) -> Floats:
    """Share of people with a category or a worse one; of ``none`` itself."""
    given = row.options.get("population") or {"n": PEOPLE}
    row = replace(row, options={**row.options, "population": given})
    # One run serves all times of the row's course.
    course = replace(row, o=replace(row.o, time_h=max(row.hours, 1008.0))).course()
    shares = rated_shares(course.at(row.hours))
    if category == "none":
        return np.array([shares["none"]])
    names = list(SOWS_FROM)
    return np.array([sum(shares[name] for name in names[names.index(category) :])])


#: Lowest score of "mild", from which an onset is counted.
MILD = next(low for low, word in SEVERITY if word == "mild")

#: How each kind of result is computed, from a row and the word after its colon.
KINDS: dict[str, Callable[[_Row, str], Floats]] = {
    "cows_peak": lambda row, _: row.looked().peak(),
    "cows_peak_time": lambda row, _: row.looked().peak_time(),
    "cows_peak_when": lambda row, _: row.course().peak_time(),
    "cows_onset": lambda row, _: row.looked().first_at(MILD),
    "cows_end": lambda row, _: row.looked().last_at(PRESENT),
    "cows_at": lambda row, _: row.course().at(row.hours),
    "cows_ratio": _ratio,
    "cows_added": lambda row, _: np.asarray(_added(row).max(axis=1)),
    "cows_added_at": lambda row, _: row.course().at(row.hours) - row.course(without=True).at(row.hours),
    "cows_hours": lambda row, word: row.looked().hours_at({name: low for low, name in SEVERITY}[word]),
    "tolerance": lambda row, _: row.course(output="tolerance").at(row.hours),
    "sows_share": _share,
}
_TIMES = ("cows_peak_time", "cows_peak_when", "cows_onset", "cows_end", "cows_hours")
#: Words that a kind takes: bands of severity, or categories of the trial.
_WORDS = {"cows_hours": tuple(name for _, name in SEVERITY), "sows_share": tuple(SOWS_FROM)}


def observe_withdrawal(
    o: Observation,
    kept: MutableMapping[Any, WithdrawalCourse] | None = None,
    *,
    catalogue: Catalogue | None = None,
    **options: Any,
) -> Floats:
    """Simulate the protocol of a study and compute its measurement.

    ``o``: a row of a study of withdrawal; its regimen may hold earlier use ("... q6h for 60 d stopped 10 d"). ``kept``:
    courses that rows share; ``options``: of a run: population, adaptation, overrides, seed.
    Returns values in the unit of the row; a share is one number. A time that is never reached is infinite, shape
    (n_people,). Raises InputError for a kind of result that no rule computes.

    >>> o = Observation(
    ...     id="x", study="", observable="cows_peak", species="mor", time_h=6, value=1, unit="points",
    ...     regimen="naloxone 10 mg im",
    ... )
    >>> float(observe_withdrawal(o)[0])  # nobody who never took an opioid
    0.0
    """
    row = _Row(o=o, catalogue=catalogue or load(), options=options, kept={} if kept is None else kept)
    kind, _, word = o.observable.partition(":")
    if kind not in KINDS:
        raise InputError(f"{o.id} measures {o.observable!r}; expected one of {', '.join(KINDS)}. Write a rule for it.")
    if kind in _WORDS and word not in _WORDS[kind]:
        raise InputError(
            f"{o.id} measures {o.observable!r}; expected one of {', '.join(_WORDS[kind])} after the colon. Correct it."
        )
    found = KINDS[kind](row, word)
    if o.normalisation == RATED:
        found = found + BASELINE
    return found / _HOURS[o.unit] if kind in _TIMES else found
