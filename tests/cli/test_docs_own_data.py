"""The page on own data: its commands and its Python code run, in one folder and in order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import matplotlib as mpl
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "own-data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_each_job_takes_under_25_lines():
    assert all(len(block.splitlines()) < 25 for _, block in BLOCKS)


@pytest.mark.slow
def test_the_page_runs(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    names: dict = {}
    for kind, block in BLOCKS:
        if kind == "python":
            exec(compile(block, "docs/own-data.md", "exec"), names)
            continue
        for line in block.splitlines():
            words = [str(ROOT / w) if w.startswith("examples/") else w for w in shlex.split(line, comments=True)[1:]]
            told = call(*words)
            assert told.code == 0, (line, told.err)
            assert told.out
