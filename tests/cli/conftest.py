"""What the tests of the command line share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from programs import PATIENCE


class Told(NamedTuple):
    """What a command said and how it left."""

    code: int
    out: str
    err: str


@pytest.fixture
def examples() -> Path:
    return Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Run a command inside this process."""
    from schild.cli import main

    def run(*words: object) -> Told:
        capsys.readouterr()
        code = main([str(word) for word in words])
        found = capsys.readouterr()
        return Told(code, found.out, found.err)

    return run


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., Told]:
    """Run a command as a program of its own, in an empty folder."""

    def run(*words: object, env: dict[str, str] | None = None, **options: Any) -> Told:
        done = subprocess.run(
            [sys.executable, "-m", "schild", *map(str, words)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            timeout=PATIENCE,
            check=False,
            **options,
        )
        return Told(done.returncode, done.stdout, done.stderr)

    return run
