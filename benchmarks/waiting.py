"""What people wait for, beside a yardstick measured in turn with it: starts, kept answers, people of plasma alone."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from schild.simulation import simulate

#: Starting Python with NumPy, the yardstick of commands.
_START = [sys.executable, "-c", "import numpy"]
_RUN = [sys.executable, "-m", "schild"]
_DOSES = "naltrexone 50 mg po q24h x28"


def _spent(command: list[str], **environment: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 1):  # 1 says that a check missed
        raise SystemExit(f"{' '.join(command)} left with {done.returncode}.")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def beside(one: Callable[[], float], other: Callable[[], float], repeats: int) -> tuple[float, float]:
    """Median of the first [s], and of its ratio to the second: in turn, so that both meet the same machine."""
    pairs = [(one(), other()) for _ in range(repeats)]
    return statistics.median(a for a, _ in pairs), statistics.median(a / b for a, b in pairs)


def _plasma(n: int) -> float:
    """CPU seconds of 28 daily doses, plasma alone, for each person."""
    start = time.process_time()
    simulate(_DOSES, until="28 d", every="24 h", n=n, outputs=["plasma_naltrexone"], warn=False, threads=1)
    return (time.process_time() - start) / n


def rows(quick: bool) -> list[tuple[str, str, float, float | None]]:
    """What is measured, its value in words, its ratio, and the most that the ratio may be (None: shown only)."""
    repeats = 1 if quick else 5
    found: list[tuple[str, str, float, float | None]] = []
    with tempfile.TemporaryDirectory() as cache:
        for name, command, most in (
            ("schild --help", [*_RUN, "--help"], 4.0),
            ("second schild simulate", [*_RUN, "simulate", "naltrexone 50 mg po q24h x7"], 20.0),
            ("schild validate naltrexone_pet --quick, kept", [*_RUN, "validate", "naltrexone_pet", "--quick"], 25.0),
            *(() if quick else (("schild explain naltrexone, kept", [*_RUN, "explain", "naltrexone"], 12.0),)),
        ):
            kept = {"SCHILD_CACHE": cache, "OPENBLAS_NUM_THREADS": "1"}
            _spent(command, **kept)  # the first compiles, or keeps its answer
            cpu, ratio = beside(lambda c=command, k=kept: _spent(c, **k), lambda: _spent(_START), repeats)
            found.append((f"{name}, over `import numpy`", f"{cpu:.2f} s", ratio, most))
    few, many = (100, 200) if quick else (2_000, 20_000)
    _plasma(few)
    cost, ratio = beside(lambda: _plasma(many), lambda: _plasma(few), repeats)
    found.append((f"a person of plasma alone: {many:,} over {few:,} people", f"{1e3 * cost:.3f} ms", ratio, 1.3))
    return found
