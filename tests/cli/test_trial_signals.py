"""A trial with workers is told to stop: every process ends, and the parts that were written are whole."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from programs import PATIENCE, started
from schild.trial import Trial
from schild.trial.follow import Part
from schild.trial.partfile import read_part

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs signals and /proc")

# The guard is needed because workers import the program again.
MAIN = """
if __name__ == "__main__":
    import sys
    from schild.cli import main
    sys.exit(main())
"""
TRIAL = """
disorder = "alcohol"
[trial]
n = 1000
weeks = 4
replicates = 2000
[[arm]]
name = "a"
drug = "naltrexone"
amount = "50 mg"
[[arm]]
name = "placebo"
placebo = true
"""


def children(pid: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text().rpartition(")")[2].split()[1]
        except OSError:  # it has just ended
            continue
        if int(parent) == pid:
            found.add(int(stat.parent.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow  # two workers begin anew: seconds
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_trial(tmp_path, how):
    (tmp_path / "trial.toml").write_text(TRIAL)
    parts = tmp_path / "out" / "parts"
    with started(MAIN, "trial", "trial.toml", "--workers", "2", "--out", "out", cwd=tmp_path) as running:
        began = time.monotonic()
        while not list(parts.glob("[!.]*.parquet")):
            assert running.poll() is None, running.communicate()
            assert time.monotonic() < began + PATIENCE
            time.sleep(0.05)
        workers = children(running.pid)
        assert len(workers) >= 2
        try:
            running.send_signal(how)
            running.communicate(timeout=PATIENCE)  # ends only when no worker holds standard output
            assert running.returncode == (130 if how == signal.SIGINT else -how)
            ended = time.monotonic()
            while any(map(alive, workers)):
                assert time.monotonic() < ended + PATIENCE, "workers live on"
                time.sleep(0.05)
        finally:
            for worker in filter(alive, workers):
                os.kill(worker, signal.SIGKILL)
    trial = Trial.read(tmp_path / "trial.toml")
    for part in parts.glob("[!.]*.parquet"):
        assert isinstance(read_part(part, trial, 1000), Part)
