"""The examples of a command's help are shown there, and run as they are written."""

from __future__ import annotations

import ast
import shlex
import shutil
from pathlib import Path

import pytest

import schild.cli

ROOT = Path(__file__).parents[2]


def _examples() -> list[str]:
    """Every example in the docstrings of the commands, in the order of the files."""
    found: list[str] = []
    for path in sorted(Path(schild.cli.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
            paragraphs = (" ".join(paragraph.split()) for paragraph in (text or "").split("\n\n"))
            found += [paragraph for paragraph in paragraphs if paragraph.startswith("schild ")]
    return found


def test_help_shows_the_examples_of_a_command(call):
    examples = _examples()
    assert len(examples) > 25
    for command in ("simulate", "trial", "export rxode2"):
        told = " ".join(call(*command.split(), "--help").out.split())
        mine = [example for example in examples if example.startswith(f"schild {command} ")]
        assert mine
        assert all(example in told for example in mine)


def test_lines_of_help_are_filled(call):
    told = call("laboratory", "--help").out
    assert "The part that an antagonist removes is fitted" in " ".join(told.split())
    for line, after in zip(told.splitlines(), told.splitlines()[1:], strict=False):
        if line and after and not set("╭│╰") & {line[0], after[0]}:
            assert len(line) + len(after.split()[0]) >= 98, f"{line!r} has room for the next word"


@pytest.mark.slow
@pytest.mark.parametrize("example", _examples())
def test_an_example_runs_as_it_is_written(call, example, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    if example.startswith("schild results"):
        trial = next(one for one in _examples() if one.startswith("schild trial"))
        assert call(*shlex.split(trial)[1:]).code == 0
    told = call(*shlex.split(example)[1:])
    assert told.code == 0, told.err
    assert told.out or told.err
