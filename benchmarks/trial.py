"""A trial of 10,000 people x 16 weeks x 2 arms: CPU on one core, memory above the warm process.

``python -m benchmarks.trial [people]``; run in a process of its own.
"""

from __future__ import annotations

import sys
import time

from benchmarks.memory import _forget_peak, _peak_mb
from schild.trial import Trial, run_trial

#: Bars of docs/design/trial.md.
CPU_S, MEMORY_MB = 120.0, 300.0


def measure(n: int) -> tuple[float, float]:
    """CPU seconds, and megabytes above a process that has run a small trial."""
    arm = {"name": "naltrexone", "drug": "naltrexone", "amount": "50 mg"}
    run_trial(Trial.of(arm, n=50, weeks=16)).to_json()
    _forget_peak()
    before, begin = _peak_mb(), time.process_time()
    run_trial(Trial.of(arm, n=n, weeks=16)).to_json()
    return time.process_time() - begin, _peak_mb() - before


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    cpu, memory = measure(n)
    for what, value, bar in (
        (f"trial, {n:,} people x 16 weeks x 2 arms, CPU [s]", cpu, CPU_S),
        ("memory above the warm process [MB]", memory, MEMORY_MB),
    ):
        print(f"{what:56s} {value:8.1f}   bar < {bar:g}   {'holds' if value < bar else 'MISSED'}")
    return 0 if cpu < CPU_S and memory < MEMORY_MB else 1


if __name__ == "__main__":
    sys.exit(main())
