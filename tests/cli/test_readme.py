"""The README's commands do what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines() if line.startswith("schild ")]


def test_the_readme_shows_the_command_line():
    assert len(LINES) > 5


#: The whole answer takes a minute of one core.
SLOW = ("schild explain",)


@pytest.mark.parametrize("line", [pytest.param(x, marks=pytest.mark.slow) if x.startswith(SLOW) else x for x in LINES])
def test_a_command_of_the_readme(call, tmp_path, monkeypatch, line):
    words = shlex.split(line, comments=True)[1:]
    words = [str(ROOT / word) if word.startswith("examples/") else word for word in words]
    if words[0] == "doctor":
        words.append("--json")
    monkeypatch.chdir(tmp_path)
    told = call(*words)
    assert told.code == 0, told.err
    assert told.out
