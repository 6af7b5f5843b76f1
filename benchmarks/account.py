"""Where a step of problem P spends its time, by leaving parts out: ``python -m benchmarks.account``.

Variants run in turn; the least CPU time of several rounds is divided by the steps that were tried, of one person. The
yardstick is the rate of multiply-adds of this core, from a product of matrices on one thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.problem import HOURS, compiled, parameters, spec
from schild.engine.run import run
from schild.model.arrays import compile_spec

N, ROUNDS = 1600, 7


def variant(receptors: int, *, lag: bool, store: bool, reduce: bool = False) -> Callable[[], tuple[float, float]]:
    """A run of P with some of its parts; gives CPU time and steps of a person."""
    model = replace(spec(), receptors=spec().receptors[:receptors], adaptation=spec().adaptation if lag else None)
    program, rows = compile_spec(model, parameters(N), N)
    events = compiled(1)[2]
    found = [k for k, s in enumerate(program.signals) if "_occupancy_" in s or s == "adaptation_t"]

    def timed() -> tuple[float, float]:
        start = time.process_time()
        done = run(program, rows, events, HOURS, found if store else [], reduced=found if reduce else [], threads=1)
        return (time.process_time() - start) / N, float(done.counts.sum()) / N

    return timed


def main() -> None:
    """Print the account."""
    variants = {
        "P: three receptors, tolerance, ten outputs": variant(3, lag=True, store=True),
        "with reducers of the ten": variant(3, lag=True, store=True, reduce=True),
        "without outputs": variant(3, lag=True, store=False),
        "without outputs and tolerance": variant(3, lag=False, store=False),
        "two receptors": variant(2, lag=False, store=False),
        "one receptor": variant(1, lag=False, store=False),
    }
    a = np.random.default_rng(1).random((600, 600))
    best: dict[str, tuple[float, float]] = {}
    rate = 0.0
    for _ in range(ROUNDS):
        for name, timed in variants.items():
            found = timed()
            best[name] = min(best.get(name, found), found)
        start = time.process_time()
        a @ a
        rate = max(rate, a.shape[0] ** 3 / (time.process_time() - start) / 1e9)
    print(f"multiply-adds of this core: {rate:.1f} per ns")
    for name, (seconds, steps) in best.items():
        print(f"{name:46s} {1e6 * seconds:7.1f} us, {steps:6.0f} steps, {1e9 * seconds / steps:6.1f} ns a step")


if __name__ == "__main__":
    main()
