"""Placebo arms of alcohol trials that were not fitted: ``python -m schild.trial.placebo_checks``.

The rule is in docs/design/trial.md, written before the first run: an observed value agrees if it lies in the middle
95 % of virtual arms of its size, each with numbers and a response of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from schild.catalog import load
from schild.trial.follow import COUNTS
from schild.trial.parts import run_parts
from schild.trial.people import BASELINE_DAYS
from schild.trial.trialfile import Trial

__all__ = ["PlaceboCheck", "check_placebo"]

#: Virtual arms behind an interval.
ARMS = 200
_INJECTION = {"drug": "naltrexone", "amount": "380 mg", "route": "im_depot", "dosing": "schedule", "every": "28 d"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboCheck:
    """A published number of a placebo arm, or of adherence, and the middle 95 % of virtual ones."""

    id: str
    measure: str
    observed: float
    predicted: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the observed value lies inside."""
        return self.low <= self.observed <= self.high


@lru_cache(maxsize=32)
def _arms(weeks: int, n: int, injections: bool, arms: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    arm = {"name": "placebo", "placebo": True}
    if injections:
        arm = {"name": "injections", **_INJECTION}
    trial = Trial.parse({
        "disorder": "alcohol", "arm": [arm],
        "trial": {"n": n, "weeks": weeks, "replicates": arms, "uncertainty": True, "between_trials": True},
    })  # fmt: skip
    part = run_parts(trial)
    return part.counts[:, 0].reshape(arms, n, -1), part.people[:, 0].reshape(arms, n, -1)


def _values(row: Mapping[str, str], arms: int) -> NDArray[np.float64]:
    """The measure in each virtual arm, shape (n_arms,)."""
    what, *rest = row["measure"].split(":")
    counts, people = _arms(int(row["weeks"]), int(row["n"]), what == "injections", arms)
    c = {name: counts[..., k].astype(np.float64) for k, name in enumerate(COUNTS)}
    if what == "injections":
        return np.asarray(100.0 * (c["taken"] >= float(rest[0])).mean(axis=1))
    if what == "doses":
        each = 100.0 * c["taken"] / c["due"]
    elif what == "before":
        drinking, heavy, drinks = (people[..., k] for k in (1, 2, 3))
        each = {
            "heavy": 100.0 * heavy / BASELINE_DAYS, "abstinent": 100.0 * (1.0 - drinking / BASELINE_DAYS),
            "drinks": drinks / np.maximum(drinking, 1.0),
        }[rest[0]]  # fmt: skip
    else:
        each = 100.0 * c["heavy"] / np.maximum(c["seen"], 1.0)
    return np.asarray(each.std(axis=1, ddof=1) if rest[-1:] == ["sd"] else each.mean(axis=1), dtype=np.float64)


def check_placebo(arms: int = ARMS) -> tuple[PlaceboCheck, ...]:
    """Hold every row of ``alcohol_placebo.csv`` against virtual arms of its size."""
    found = []
    for row in load().placebo_arms:
        low, middle, high = (float(v) for v in np.quantile(_values(row, arms), [0.025, 0.5, 0.975]))
        found.append(
            PlaceboCheck(id=row["id"], measure=row["measure"], observed=float(row["value"]), predicted=middle,
                         low=low, high=high)
        )  # fmt: skip
    return tuple(found)


def main() -> int:
    """Print every row."""
    found = check_placebo()
    for c in found:
        print(
            f"{'held  ' if c.holds else 'MISSED'} {c.id:34s} {c.measure:20s} observed {c.observed:6.2f}  model "
            f"{c.predicted:6.2f}  middle 95 % {c.low:6.2f} to {c.high:6.2f}"
        )
    print(f"{sum(c.holds for c in found)} of {len(found)} held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
