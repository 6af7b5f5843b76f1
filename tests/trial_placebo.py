"""Placebo arms of alcohol trials that were not fitted: ``python tests/trial_placebo.py [--own-level]``.

The rule is in docs/design/trial.md, written before the first run: an observed value agrees if it lies in the middle
95 % of virtual arms of its size, each with its own numbers and response. ``--own-level`` tests a cause of disagreement:
each trial is given the level of its own baseline, and the remaining rows are compared with that.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from schild.catalog import load
from schild.trial.follow import COUNTS
from schild.trial.numbers import trial_numbers
from schild.trial.parts import run_parts
from schild.trial.people import BASELINE_DAYS
from schild.trial.trialfile import Trial

__all__ = ["PlaceboCheck", "check_placebo"]

#: Virtual arms behind an interval.
ARMS = 200
#: Measures that determine the level of a trial.
_LEVEL = ("before:heavy", "before:abstinent")
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
def _arms(
    weeks: int, n: int, injections: bool, arms: int, level: tuple[float, float] | None
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    arm = {"name": "placebo", "placebo": True}
    if injections:
        arm = {"name": "injections", **_INJECTION}
    trial = Trial.parse({
        "disorder": "alcohol", "arm": [arm],
        "trial": {"n": n, "weeks": weeks, "replicates": arms, "uncertainty": True, "between_trials": True},
    })  # fmt: skip
    part = run_parts(trial, overrides=_overrides(level))
    return part.counts[:, 0].reshape(arms, n, -1), part.people[:, 0].reshape(arms, n, -1)


def _overrides(level: tuple[float, float] | None) -> dict[str, float] | None:
    return None if level is None else dict(zip(("trial.day.drinking", "trial.day.heavy"), level, strict=True))


def _own_level(rows: Sequence[Mapping[str, str]]) -> tuple[float, float] | None:
    """Levels of drinking and of heavy drinking [log odds] that give a trial's baseline; None where it has none.

    Where only one of the two is known both levels move by the same step.
    """
    from scipy.optimize import least_squares

    known = {row["measure"]: float(row["value"]) for row in rows}
    wanted = {name: known[name] for name in _LEVEL if name in known}
    if not wanted:
        return None
    numbers = trial_numbers(Trial.of({"name": "a", "placebo": True}), load())
    start = np.array([numbers["day.drinking"], numbers["day.heavy"]])

    def miss(step: NDArray[np.float64]) -> NDArray[np.float64]:
        drinking, heavy = (float(v) for v in start + step - 3.0)
        people = _arms(4, 1500, False, 1, (drinking, heavy))[1][0]
        days = 100.0 * people[:, [2, 1]].mean(axis=0) / BASELINE_DAYS
        found = dict(zip(_LEVEL, (days[0], 100.0 - days[1]), strict=True))
        return np.array([found[name] - value for name, value in wanted.items()])

    # The start is not 0, where the step of the derivative would vanish.
    step = least_squares(
        miss, np.full(len(wanted), 3.0), diff_step=[0.05] * len(wanted), bounds=(-1.0, 9.0), max_nfev=12
    ).x
    drinking, heavy = (float(v) for v in start + step - 3.0)
    return drinking, heavy


def _values(row: Mapping[str, str], arms: int, level: tuple[float, float] | None) -> NDArray[np.float64]:
    """The measure in each virtual arm, shape (n_arms,)."""
    what, *rest = row["measure"].split(":")
    counts, people = _arms(int(row["weeks"]), int(row["n"]), what == "injections", arms, level)
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


def check_placebo(arms: int = ARMS, *, own_level: bool = False) -> tuple[PlaceboCheck, ...]:
    """Compare every row of ``alcohol_placebo.csv`` with virtual arms of its size.

    ``own_level``: give each trial the level of its own baseline, and compare only the rows that this does not use.
    """
    rows, found = load().placebo_arms, []
    levels = {
        s: _own_level([r for r in rows if r["study"] == s]) if own_level else None for s in {r["study"] for r in rows}
    }
    for row in rows:
        level = levels[row["study"]]
        if own_level and (level is None or row["measure"] in _LEVEL):
            continue
        low, middle, high = (float(v) for v in np.quantile(_values(row, arms, level), [0.025, 0.5, 0.975]))
        found.append(
            PlaceboCheck(id=row["id"], measure=row["measure"], observed=float(row["value"]), predicted=middle,
                         low=low, high=high)
        )  # fmt: skip
    return tuple(found)


def main() -> int:
    """Print every row."""
    found = check_placebo(own_level="--own-level" in sys.argv[1:])
    for c in found:
        print(
            f"{'held  ' if c.holds else 'MISSED'} {c.id:34s} {c.measure:20s} observed {c.observed:6.2f}  model "
            f"{c.predicted:6.2f}  middle 95 % {c.low:6.2f} to {c.high:6.2f}"
        )
    print(f"{sum(c.holds for c in found)} of {len(found)} held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
