"""The commands and the Python of docs/rescue.md run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "rescue.md").read_text(encoding="utf-8")
LINES = [
    line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines() if line.strip()
]
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_page_shows_commands():
    assert len(LINES) > 5
    assert len(PYTHON) == 1


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_page(call, tmp_path, monkeypatch, line):
    monkeypatch.chdir(tmp_path)
    told = call(*shlex.split(line)[1:])
    assert told.code == 0, told.err
    assert "naloxone programmes" in told.out


def test_the_python_of_the_page():
    names: dict[str, object] = {}
    exec(PYTHON[0], names)
    assert names["found"].summary()[0]["percent"] > 0  # type: ignore[attr-defined]
