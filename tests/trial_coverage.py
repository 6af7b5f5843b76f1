"""Level of tests and coverage of intervals in virtual trials: ``python tests/trial_coverage.py``.

``--trials`` and ``--seed`` change the sets; ``--endpoint NAME`` checks one endpoint.

The rule is in docs/design/trial.md, written before the first run.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schild.catalog import load
from schild.trial.endpoints import ENDPOINTS, Contrast, Endpoint, endpoints_of
from schild.trial.parts import run_parts
from schild.trial.result import analyse, analyse_each
from schild.trial.trialfile import Trial

__all__ = ["Coverage", "check_coverage", "trials_of"]

#: Trials of each set, and their seed.
TRIALS, SEED = 1000, 11
#: Share of trials whose interval must hold the true value, and of null trials that may reject. [%]
COVERED, REJECTED = (93.0, 97.0), (2.9, 7.4)
#: Share of people, in percent, below which and above whose complement an endpoint is rare.
RARE = 8.0
#: Fewest people with a value for an endpoint.
FEWEST = 20

_PLACEBO = {"placebo": True}
_ACTIVE = {
    "alcohol": {"drug": "naltrexone", "amount": "50 mg"},
    "opioid": {"drug": "naltrexone", "amount": "380 mg", "route": "im_depot", "dosing": "schedule", "every": "28 d"},
}
_HEAD = {"alcohol": {"weeks": 8}, "opioid": {"weeks": 12}}
_SETTING = {"alcohol": {}, "opioid": {"setting": {"place": "inpatient", "admitted": [8, 14]}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How often an interval held the true value, and how often a test rejected."""

    disorder: str
    null: bool
    name: str  #: Name of the endpoint
    measure: str  #: ``value`` of an arm, ``difference``, ``risk_ratio`` or ``hazard_ratio``
    arm: str
    trials: int  #: Number of trials that give an interval
    true: float
    covered: float  #: Share of trials whose interval holds the true value [%]
    below: float  #: Share of trials whose true value lies below the interval [%]
    rejected: float | None  #: Share of trials with p < 0.05; of comparisons [%]
    rare: bool  #: Too few events, or too few people with a value: listed, not judged

    def holds(self, covered: tuple[float, float] = COVERED, rejected: tuple[float, float] = REJECTED) -> bool:
        """Whether the criterion is met; rare endpoints are not judged."""
        level = self.rejected is None or not self.null or rejected[0] <= self.rejected <= rejected[1]
        return self.rare or (covered[0] <= self.covered <= covered[1] and level)


def trials_of(disorder: str, null: bool, trials: int = TRIALS, n: int = 100, seed: int = SEED) -> Trial:
    """One of the four sets of trials."""
    arm = _ACTIVE[disorder] | {"name": "active"}
    placebo = _PLACEBO | {"name": "placebo"} | ({"dosing": "schedule", "every": "28 d"} if disorder == "opioid" else {})
    return Trial.parse({
        "disorder": disorder, "arm": [placebo | {"name": "other"} if null else arm, placebo], **_SETTING[disorder],
        "trial": {"n": n, "replicates": trials, "seed": seed, **_HEAD[disorder]},
    })  # fmt: skip


def check_coverage(
    disorder: str, null: bool, trials: int = TRIALS, *, seed: int = SEED, names: Sequence[str] | None = None
) -> tuple[Coverage, ...]:
    """Run one set of trials and compare each interval with the true value; ``names``: endpoints, all by default."""
    trial, catalogue = trials_of(disorder, null, trials, seed=seed), load()
    part = run_parts(trial)
    # One trial of all people gives the true values.
    head = {**trial.said()["trial"], "n": trial.size, "replicates": 1}
    whole = analyse(Trial.parse({**trial.said(), "trial": head}), part, catalogue, names=names, time=names is None)
    few = {e.name for e in whole[0] if e.n < FEWEST * trials or _rare(e)}
    everything: list[Endpoint | Contrast] = [*whole[0], *whole[1]]
    true = {_key(x): x.estimate for x in everything}
    seen: dict[tuple[str, str, str], list[Endpoint | Contrast]] = defaultdict(list)
    for endpoints, contrasts in analyse_each(trial, part, catalogue, names=names, time=names is None):
        everything = [*endpoints, *contrasts]
        for x in everything:
            seen[_key(x)].append(x)
    found = []
    for (name, measure, arm), group in seen.items():
        known = true.get((name, measure, arm))
        if measure == "number_needed" or known is None:
            continue
        centre = known if measure == "value" or not null else 0.0 if measure == "difference" else 1.0
        limits = np.array([(x.low, x.high) for x in group], dtype=np.float64)  # None becomes NaN
        kept = limits[np.isfinite(limits).all(axis=1)]
        inside = (kept[:, 0] <= centre) & (centre <= kept[:, 1])
        p = [x.p for x in group if isinstance(x, Contrast) and x.p is not None]
        found.append(
            Coverage(
                disorder=disorder, null=null, name=name, measure=measure, arm=arm, trials=len(kept), true=centre,
                covered=100.0 * float(inside.mean()) if kept.size else math.nan,
                below=100.0 * float((centre < kept[:, 0]).mean()) if kept.size else math.nan,
                rejected=100.0 * float(np.mean(np.array(p) < 0.05)) if p else None, rare=name in few,
            )
        )  # fmt: skip
    return tuple(found)


def _key(x: Endpoint | Contrast) -> tuple[str, str, str]:
    return (x.name, x.measure if isinstance(x, Contrast) else "value", x.arm)


def _rare(e: Endpoint) -> bool:
    return ENDPOINTS[e.name].share and not RARE <= e.estimate <= 100.0 - RARE


def main() -> int:
    """Print the intervals outside the rule, the rare ones, and the number that meet it."""
    reader = argparse.ArgumentParser(prog="python tests/trial_coverage.py", description=__doc__)
    reader.add_argument("--trials", type=int, default=TRIALS)
    reader.add_argument("--seed", type=int, default=SEED)
    reader.add_argument("--endpoint", choices=ENDPOINTS, help="one endpoint; of the disorder that has it")
    asked = reader.parse_args()
    for disorder in ("alcohol", "opioid"):
        names = None if asked.endpoint is None else [asked.endpoint]
        if names and not set(names) <= set(endpoints_of(trials_of(disorder, null=True))):
            continue
        for null in (True, False):
            found = check_coverage(disorder, null, asked.trials, seed=asked.seed, names=names)
            judged = [c for c in found if not c.rare]
            which = "null" if null else "known effect"
            print(f"{disorder}, {which}: {sum(c.holds() for c in judged)} of {len(judged)} hold")
            for c in found:
                mark = "rare  " if c.rare else "held  " if c.holds() else "MISSED"
                level = "" if c.rejected is None else f"  p < 0.05 in {c.rejected:5.1f} %"
                above = 100.0 - c.covered - c.below
                print(
                    f"  {mark} {c.name:32s} {c.measure:12s} {c.arm:8s} true {c.true:8.3f}  covered {c.covered:5.1f} % "
                    f"of {c.trials} (true below {c.below:.1f}, above {above:.1f}){level}"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
