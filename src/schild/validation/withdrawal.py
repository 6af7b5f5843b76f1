"""Statements about tolerance, dependence and withdrawal, each with a window that the model meets or misses.

Criteria: docs/design/adaptation.md, "Checks, written down before they were run". Most rows are ordinal or ranges, so
they have a window in place of a fold error and stay out of the coverage of the other drugs.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from schild.catalog import Catalogue, Observation
from schild.catalog.claims import unit_words
from schild.simulation.observe_withdrawal import WithdrawalCourse, observe_withdrawal

#: Study file whose rows are anchors of the fit.
FITTED = "withdrawal_fitted"

#: Anchors that are numbers; the others are ordinal.
NUMERIC = ("tompkins2009_peak", "tompkins2009_time")

#: Words of a row's observable.
_WORDS = {
    "cows_peak": "peak of withdrawal",
    "cows_peak_time": "time of the peak",
    "cows_peak_when": "time of the peak, from the last dose",
    "cows_onset": "onset (5 points)",
    "cows_end": "end (1 point)",
    "cows_at": "withdrawal",
    "cows_ratio": "peak over the peak of the other",
    "cows_added": "added by the antagonist",
    "cows_added_at": "added by the antagonist",
    "cows_hours": "time at least",
    "tolerance": "shift of tolerance",
    "sows_share": "share of people, category",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A published statement and its prediction."""

    #: The row; its ``low`` and ``high`` are the window, or ``value`` plus and minus ``sd_fixed``
    observation: Observation
    table: str  #: Key of its study file
    #: For the typical person, or for people where the row is a share; infinite for a time that is never reached
    predicted: float
    #: 90 % of virtual people; NaN where the row is about a population
    low: float
    high: float
    people: int  #: Virtual people behind the band

    @property
    def wanted(self) -> tuple[float, float]:
        """Window, ends included; infinite on a side without a limit."""
        o = self.observation
        if o.sd_fixed is not None:
            return o.value - o.sd_fixed, o.value + o.sd_fixed
        return (-np.inf if o.low is None else o.low), (np.inf if o.high is None else o.high)

    @property
    def judged(self) -> float:
        """Value that has to lie in the window."""
        return self.predicted

    @property
    def holds(self) -> bool:
        """Whether the criterion is met."""
        low, high = self.wanted
        return bool(low <= self.judged <= high)

    @property
    def miss(self) -> float:
        """Distance to the window in the row's unit; 0 inside it."""
        low, high = self.wanted
        return float(max(low - self.judged, self.judged - high, 0.0))

    @property
    def size(self) -> float:
        """Distance to the window as a share of the nearer end, for sorting."""
        low, high = self.wanted
        end = low if self.predicted < low else high
        return self.miss / max(abs(end), 0.1) if self.miss else 0.0

    @property
    def evidence(self) -> Literal["fitted", "checked"]:
        """Whether numbers were fitted to the study."""
        return "fitted" if self.observation.role == "calibration" else "checked"

    @property
    def words(self) -> str:
        """Subject of the row."""
        o = self.observation
        kind, _, word = o.observable.partition(":")
        what = f"{_WORDS[kind]} {word}".strip() + (", as rated" if o.normalisation == "as rated" else "")
        if kind in ("cows_at", "cows_added_at", "sows_share", "tolerance") and o.time_h is not None:
            what += f" at {o.time_h:g} h" if abs(o.time_h) < 48 else f" at {o.time_h / 24:g} d"
        other = f" against: {_short(o.normalisation)}" if kind == "cows_ratio" else ""
        return f"{what}; {_short(o.regimen)}{other}"

    @property
    def window(self) -> str:
        """Return the window in words."""
        low, high = (f"{x:.3g}" for x in self.wanted)
        unit = unit_words(self.observation.unit)
        if np.isinf(self.wanted[0]):
            return f"at most {high}{unit}"
        return f"at least {low}{unit}" if np.isinf(self.wanted[1]) else f"{low} to {high}{unit}"

    @property
    def said(self) -> str:
        """Return the prediction in words."""
        middle, low, high = map(_number, (self.predicted, self.low, self.high))
        band = "" if np.isnan(self.low) or middle == low == high else f" ({low} to {high})"
        return f"{middle}{band}" + (unit_words(self.observation.unit) if np.isfinite(self.predicted) else "")


def _number(value: float) -> str:
    return "never" if np.isinf(value) else "<0.001" if 0 < value < 1e-3 else f"{value:.3g}"


def _short(words: str) -> str:
    """A regimen without the many steps of a taper."""
    parts = [part.strip() for part in words.split(";")]
    return "; ".join(parts if len(parts) <= 3 else [*parts[:2], f"... {parts[-1]}"])


def state(
    o: Observation,
    table: str,
    *,
    n: int,
    seed: int,
    kept: MutableMapping[Any, WithdrawalCourse] | None = None,
    catalogue: Catalogue | None = None,
) -> Statement:
    """Predict a row on withdrawal and compare it with its window.

    ``table``: key of its study file; ``n``: virtual people behind the band; ``kept``: courses shared between rows.
    Returns prediction, band and window.

    >>> from schild.catalog import load
    >>> rows = {o.id: o for o in load().studies["withdrawal_fitted"].observations}
    >>> state(rows["heishman1989b_15min"], "withdrawal_fitted", n=2, seed=1).window
    'at most 0.5 points'
    """
    kept = {} if kept is None else kept
    if o.observable.startswith("sows_share"):
        share = float(observe_withdrawal(o, kept, seed=seed, catalogue=catalogue)[0])
        return Statement(observation=o, table=table, predicted=share, low=np.nan, high=np.nan, people=n)
    typical = float(observe_withdrawal(o, kept, seed=seed, catalogue=catalogue)[0])
    people = observe_withdrawal(o, kept, seed=seed, catalogue=catalogue, population={"n": n})
    low, high = np.quantile(people, [0.05, 0.95], method="nearest")  # a time that is never reached has no mean
    return Statement(observation=o, table=table, predicted=typical, low=float(low), high=float(high), people=n)
