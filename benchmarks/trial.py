"""A trial of 10,000 people x 16 weeks x 2 arms: CPU on one core, memory above the warm process.

``python -m benchmarks.trial [people]``; run in a process of its own.

``python -m benchmarks.trial FILE PEOPLE [WORKERS]`` runs a trial file as a command with its parts on disk, and says the
CPU and the largest memory of all its processes together (Linux).
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.memory import _forget_peak, _peak_mb
from schild.trial import Trial, run_trial

#: Bars of docs/design/trial.md.
CPU_S, MEMORY_MB = 120.0, 300.0
#: Bars of a million people in each arm: fifteen minutes on two cores, and memory of all processes.
WHOLE_CPU_S, WHOLE_MEMORY_MB = 2 * 15 * 60.0, 2000.0


def measure(n: int) -> tuple[float, float]:
    """CPU seconds, and megabytes above a process that has run a small trial."""
    arm = {"name": "naltrexone", "drug": "naltrexone", "amount": "50 mg"}
    run_trial(Trial.of(arm, n=50, weeks=16)).to_json()
    _forget_peak()
    before, begin = _peak_mb(), time.process_time()
    run_trial(Trial.of(arm, n=n, weeks=16)).to_json()
    return time.process_time() - begin, _peak_mb() - before


def _memory_mb(pid: int) -> float:
    """Memory of a process and its children; what they share counts once."""
    try:
        rolled = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:  # it has just ended
        return 0.0
    own = next(float(line.split()[1]) / 1024.0 for line in rolled.splitlines() if line.startswith("Pss:"))
    return own + sum(_memory_mb(int(child)) for child in children)


def measure_command(file: str, n: int, workers: int) -> tuple[float, float, float]:
    """CPU and wall seconds, and megabytes at the peak, of ``schild trial`` with its parts on disk."""
    peak, begin = 0.0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        words = ["trial", file, "--n", str(n), "--workers", str(workers), "--out", folder, "--json"]
        running = subprocess.Popen([sys.executable, "-m", "schild", *words], stdout=subprocess.DEVNULL)
        while running.poll() is None:
            peak = max(peak, _memory_mb(running.pid))
            time.sleep(0.5)
        if running.returncode:
            raise SystemExit(running.returncode)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, time.monotonic() - begin, peak


def main() -> int:
    if len(sys.argv) > 2:
        file, n, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 2
        cpu, wall, memory = measure_command(file, n, workers)
        print(
            f"{file}, {n:,} people in each arm, {workers} workers: {cpu:,.0f} s of CPU, {wall:,.0f} s, {memory:,.0f} MB"
        )
        print(f"bars of a million: {WHOLE_CPU_S:g} s of CPU, {WHOLE_MEMORY_MB:g} MB")
        return 0
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
