"""Programs that tests start: each wait has an end, and no program outlives its test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Longest wait for a program [s]; far longer than any takes, so that load fails no test.
PATIENCE = 300.0


@contextmanager
def started(code: str, *words: str, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start Python code as a module that Ctrl-C and SIGTERM end even where this process was told to ignore them.

    The program is killed when the block ends, whatever happened.
    """
    code = (
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"signal.signal(signal.SIGTERM, signal.SIG_DFL)\n{code}\n"
    )
    (cwd / "program.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "program", *words]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()
