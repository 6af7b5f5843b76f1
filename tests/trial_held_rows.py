"""Held-out rows of opioid trials compared with the model: ``python tests/trial_held_rows.py``.

Rules are in docs/design/opioid-trials.md, written before any held-out row was run.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Catalogue, load
from schild.engine.hours import HoursResult
from schild.trial.numbers import trial_numbers
from schild.trial.opioid import body_of, follow_arm
from schild.trial.opioid_checks import OpioidRow, Pool, measure, opioid_rows, scenario
from schild.trial.urine import time_to_run, urine_endpoints

#: Sets of the fitted numbers, people under each, and virtual trials drawn from these.
SETS, PEOPLE, TRIALS = 40, 400, 200
#: Reference arm of a hazard ratio.
_AGAINST = "schottenfeld_buprenorphine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A held-out row and the model's prediction: median and middle 95 % of virtual trials of its size."""

    row: OpioidRow
    predicted: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the observed value lies inside; where an interval is printed, whether the median lies in it."""
        if self.row.low is not None and self.row.high is not None:
            return bool(self.row.low <= self.predicted <= self.row.high)
        return bool(self.low <= self.row.value <= self.high)


def _some(pool: Pool, index: NDArray[np.int64]) -> Pool:
    """Take some of the people, with repetition allowed."""
    f = pool.found
    some = HoursResult(days=f.days[index], urine=f.urine[index], weekly=f.weekly[index], marks=f.marks[index])
    return Pool(some, pool.who[index], pool.report)


def _pools(name: str, sets: int, people: int, catalogue: Catalogue, seed: int) -> list[Pool]:
    trial = scenario(name, n=people, replicates=sets, uncertainty=sets > 1, people="shared", seed=seed)
    found = []
    for k in range(sets):
        numbers = trial_numbers(trial, catalogue, k)
        body = body_of(numbers, 0.0)
        result, who = follow_arm(trial, trial.arm[0], numbers, body, k * people, people, k)
        found.append(Pool(result, who, numbers["oud.report"]))
    return found


def _hazard(rule: str, x: HoursResult, y: HoursResult) -> float:
    """Hazard ratio of a run of weeks by Cox's model, ties by Breslow's method."""
    from statsmodels.duration.hazard_regression import PHReg

    (a, came_a), (b, came_b) = (time_to_run(urine_endpoints()[rule], z.urine) for z in (x, y))
    if not came_a.any() or not came_b.any():
        return float("nan")
    group = np.repeat([1.0, 0.0], [a.size, b.size])
    fit = PHReg(np.r_[a, b].astype(float), group[:, None], status=np.r_[came_a, came_b].astype(int), ties="breslow")
    return float(np.exp(fit.fit(disp=0).params[0]))


def _value(row: OpioidRow, pool: Pool, against: Pool | None) -> float:
    if row.measure.startswith("hazard:"):
        assert against is not None
        return _hazard(row.measure.partition(":")[2], pool.found, against.found)
    return measure(row.measure, pool.found, pool.who, pool.report)


def predict_rows(
    ids: Sequence[str] = (), *, sets: int = SETS, people: int = PEOPLE, trials: int = TRIALS, seed: int = 1
) -> tuple[Prediction, ...]:
    """Compare every held-out row, or some, with virtual trials of its size.

    ``ids``: rows; ``sets``: draws of the fitted numbers; ``people``: in each scenario and draw; ``trials``: virtual
    trials, each of people drawn from those of one set.
    """
    catalogue = load()
    rows = [r for r in opioid_rows("held") if not ids or r.id in ids]
    pools: dict[str, list[Pool]] = {}

    def of(name: str) -> list[Pool]:
        if name not in pools:
            pools[name] = _pools(name, sets, people, catalogue, seed)
        return pools[name]

    found = []
    for row in rows:
        hazard = row.measure.startswith("hazard:")
        values = []
        rng = np.random.default_rng([seed, rows.index(row)])
        size = min(row.n, 10 * people)
        for k in range(trials):
            pool = _some(of(row.scenario)[k % sets], rng.integers(0, people, size))
            against = _some(of(_AGAINST)[k % sets], rng.integers(0, people, size)) if hazard else None
            values.append(_value(row, pool, against))
        low, middle, high = (float(v) for v in np.nanquantile(values, [0.025, 0.5, 0.975]))
        found.append(Prediction(row=row, predicted=middle, low=low, high=high))
    return tuple(found)


def expected(name: str, what: str, people: int = 4000, seed: int = 1) -> float:
    """Expected value of a measure in a scenario with the numbers of the catalogue."""
    (pool,) = _pools(name, 1, people, load(), seed)
    return measure(what, pool.found, pool.who, pool.report)


def order_of_arms(people: int = 4000, seed: int = 1) -> dict[str, tuple[float, float]]:
    """Relapse by week 21 under injections and buprenorphine in CTN-0051, expected: all randomised, and inducted.

    Returns percent of people under injections and under buprenorphine, by ``all`` and ``inducted``.
    """
    return {
        who: (
            expected("xbot_naltrexone", f"event:relapse_4wk:21:{who}", people, seed),
            expected("xbot_buprenorphine", f"event:relapse_4wk:21:{who}", people, seed),
        )
        for who in ("all", "inducted")
    }


def main() -> int:
    """Print every held-out row, and the order of arms."""
    found = predict_rows()
    for p in found:
        print(
            f"{'held  ' if p.holds else 'MISSED'} {p.row.id:24s} {p.row.measure:36s} observed {p.row.value:7.2f}  "
            f"model {p.predicted:7.2f}  middle 95 % {p.low:7.2f} to {p.high:7.2f}"
        )
    print(f"{sum(p.holds for p in found)} of {len(found)} held")
    for who, (injection, buprenorphine) in order_of_arms().items():
        print(f"relapse by week 21, {who}: injections {injection:.1f} %, buprenorphine {buprenorphine:.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
