"""Memory that a run with reducers only needs above a warmed process; run in a process of its own."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

from benchmarks.problem import HOURS, compiled
from schild.engine.run import run

_SELF = Path("/proc/self")


def _peak_mb() -> float:
    status = _SELF / "status"
    if status.exists():
        line = next(x for x in status.read_text(encoding="ascii").splitlines() if x.startswith("VmHWM"))
        return float(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _forget_peak() -> None:
    # Not on Linux: then the peak of the warm-up stays, and the figure is a lower bound.
    with suppress(OSError):
        (_SELF / "clear_refs").write_text("5", encoding="ascii")


def main(n: int) -> None:
    program, rows, events, occupancies = compiled(8)
    run(program, rows, events, HOURS[[0, -1]], [], reduced=occupancies, threads=1)
    _forget_peak()
    before = _peak_mb()
    program, rows, events, occupancies = compiled(n)
    run(program, rows, events, HOURS[[0, -1]], [], reduced=occupancies, threads=1)
    print(_peak_mb() - before)


if __name__ == "__main__":
    main(int(sys.argv[1]))
