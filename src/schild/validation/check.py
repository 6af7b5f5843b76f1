"""Comparison of one observation with its prediction: bands, fold errors, verdicts."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from schild.array_types import Floats
from schild.catalog import Catalogue, Observation, load
from schild.engine.streams import normals
from schild.people import Values
from schild.simulation.observe import TOMOGRAPHY, predict

#: Error of assay and sampling of a plasma level: standard deviation of its logarithm. [1]
PLASMA_RESIDUAL = 0.15
#: People assumed where neither a row nor its study file states them.
UNKNOWN_N = 10
#: Parameter sets behind the band of a property of a curve.
STUDIES = 200
#: Virtual studies drawn for each parameter set.
REPLICATES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An observation and its prediction."""

    observation: Observation  #: The row of the catalogue
    table: str  #: Key of its study file
    predicted: float  #: Prediction for the typical person, in the row's unit
    #: 90 % band of the results of such a study
    low: float
    high: float
    people: int  #: People of the virtual study: those of the row, or the fewest known in its file

    @property
    def bound(self) -> Literal["", "at least", "at most"]:
        """Whether the row is a bound rather than a value."""
        o = self.observation
        if o.low is not None and o.high is None and o.low == o.value:
            return "at least"
        if o.high is not None and o.low is None and o.high == o.value:
            return "at most"
        return ""

    @property
    def fold(self) -> float:
        """Predicted over observed; 1 where a bound is kept."""
        ratio = self.predicted / self.observation.value
        if (self.bound == "at least" and ratio >= 1) or (self.bound == "at most" and ratio <= 1):
            return 1.0
        return ratio

    @property
    def inside(self) -> bool:
        """Whether the observation lies in the band, or the band reaches a bound."""
        value = self.observation.value
        if self.bound == "at least":
            return self.high >= value
        if self.bound == "at most":
            return self.low <= value
        return self.low <= value <= self.high

    @property
    def words(self) -> str:
        """What the row measures, in words."""
        o = self.observation
        when = f" at {o.time_h:g} h" if o.time_h is not None and o.observable == "occupancy" else ""
        relative = f" relative to {o.normalisation}" if o.normalisation == "1 h" else ""
        what = o.observable.replace("_", " ").replace(":", " on ")
        return f"{what} of {o.species}{when}{relative}" + (f", {o.regimen}" if o.regimen else "")

    @property
    def effect(self) -> bool:
        """Whether the row is about an effect rather than plasma or a scan."""
        return ":" in self.observation.observable

    @property
    def within_two(self) -> bool:
        """Whether the typical prediction is within two-fold."""
        return 0.5 <= self.fold <= 2.0

    @property
    def evidence(self) -> Literal["fitted", "checked"]:
        """Whether a number may have been fitted to the row."""
        return "fitted" if self.observation.role == "calibration" else "checked"

    @property
    def holds(self) -> bool:
        """In the band and within two-fold."""
        return self.inside and self.within_two

    @property
    def size(self) -> float:
        """Size of the error, as the absolute logarithm of the fold; 0 is perfect."""
        return float(abs(np.log(self.fold))) if self.fold > 0 else float("inf")


def people_of_study(o: Observation, rows: Sequence[Observation]) -> int:
    """People of a virtual study: those of the row, or the fewest known in its file."""
    return o.n or min((r.n for r in rows if r.n), default=UNKNOWN_N)


def spread_of(o: Observation) -> float:
    """Fixed standard deviation of a scan or an effect, in the row's unit; a printed range counts as 95 % of it."""
    if o.sd_fixed is not None:
        return o.sd_fixed
    return (o.high - o.low) / (2 * 1.96) if o.low is not None and o.high is not None else 0.0


def _deviation(values: Values, effect: str) -> float:
    """Standard deviation of the log potency of a drug between studies of an effect. [1]"""
    name = values.catalogue.effects[effect].sensitivity
    spread = None if name is None else values.number(effect, name).uncertainty
    return 0.0 if spread is None else spread.omega


def study_draws(o: Observation, values: Floats, people: int, seed: int) -> Floats:
    """Draw the results of virtual studies of the size of a published one.

    ``values``, shape (n_draws, n_people): value of each person under each parameter set; ``people``: people of one
    study. Returns means over ``people`` people each, with the residual of assay or scan, shape (n_draws * REPLICATES,).
    """
    draws, pool = values.shape
    stream = f"{o.id}:{zlib.crc32(o.regimen.encode())}"
    # Ranks from the counter-based stream, so that a row does not depend on which other rows are run.
    u = normals(seed, f"resample:{stream}", 0, draws * REPLICATES * people)
    from scipy.special import ndtr

    pick = np.minimum((ndtr(u) * pool).astype(np.int64), pool - 1).reshape(draws, REPLICATES, people)
    means = np.nanmean(np.take_along_axis(values[:, None, :], pick, axis=2), axis=2).ravel()
    z = normals(seed, f"residual:{stream}", 0, means.size)
    if o.observable in TOMOGRAPHY or ":" in o.observable:
        return np.asarray(means + z * spread_of(o))
    if o.observable == "accumulation":  # percent above one
        return np.asarray((1 + means / 100) * np.exp(PLASMA_RESIDUAL * z) * 100 - 100)
    return np.asarray(means * np.exp(PLASMA_RESIDUAL * z))


def check(
    o: Observation,
    table: str,
    rows: Sequence[Observation],
    *,
    n: int,
    draws: int,
    seed: int,
    kept: dict[Any, Floats] | None = None,
    catalogue: Catalogue | None = None,
) -> Check:
    """Predict one row with its band.

    ``table``: key of its study file; ``rows``: all rows of the file, for the fewest people known; ``n`` and ``draws``:
    virtual people and parameter sets; ``seed``: of people, parameters and residuals; ``kept``: predictions that
    rows share between calls. Returns typical prediction and band.
    """
    kind, _, effect = o.observable.partition(":")
    options: dict[str, Any] = {"seed": seed, "catalogue": catalogue}
    typical, people = float(predict(o, **options)[0]), people_of_study(o, rows)
    if effect and kind != "peak":  # a property of the curve of typical people: studies and parameter sets are drawn
        found = predict(o, population={"n": 1, "uncertainty": STUDIES, "variability": False}, **options)
        # Two drugs of one study each have a deviation of their own, as in the fit.
        if kind in ("dose_ratio", "equal_dose"):
            values = Values(catalogue or load())
            rng = (normals(seed, f"deviation:{o.id}:{k}", 0, STUDIES) for k in (0, 1))
            found = found * np.exp(_deviation(values, effect) * np.subtract(*rng))
        z = normals(seed, f"residual:{o.id}", 0, found.size) * spread_of(o)
        results = found + z if kind == "plateau" else found * np.exp(z / o.value)
        low, high = np.quantile(np.where(np.isnan(results), np.inf, results), [0.05, 0.95])
    else:
        kept = {} if kept is None else kept
        key = (o.observable, o.species, o.regimen, o.time_h, o.unit, o.normalisation)
        if key not in kept:
            kept[key] = predict(o, population={"n": n, "uncertainty": draws}, **options).reshape(draws, n)
        results = study_draws(o, kept[key], people, seed)
        low, high = np.quantile(results[np.isfinite(results)], [0.05, 0.95])
    return Check(observation=o, table=table, predicted=typical, low=float(low), high=float(high), people=people)
