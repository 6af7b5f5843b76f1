"""The recipes of CONTRIBUTING.md, followed: their files are written into an empty folder and their commands are run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

TEXT = (Path(__file__).resolve().parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^### Add (?:a|an) (\w+)\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL))

#: What a command of each recipe has to print.
SHOWN = {
    "drug": ("zaloxone in plasma peaks at", "What does zaloxone do?"),
    "effect": ("cough suppressed", "cough"),
    "study": ("own2026_4h",),
    "claim": ("✓ held  Z1.1", "✓ held  Z1.2"),
}


def files(recipe):
    """Name and content of each file that a recipe shows."""
    return re.findall(r"^```toml\n# (mine/\S+)\n(.*?)^```", RECIPES[recipe], re.MULTILINE | re.DOTALL)


def commands(recipe):
    """Commands that a recipe runs."""
    blocks = re.findall(r"^```sh\n(.*?)^```", RECIPES[recipe], re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return how to write the files of the recipes up to one into an empty folder, which lies over the catalogue."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCHILD_CATALOGUE", str(tmp_path / "mine"))

    def write(recipe):
        for name in list(RECIPES)[: list(RECIPES).index(recipe) + 1]:
            for path, content in files(name):
                Path(path).parent.mkdir(exist_ok=True)
                Path(path).write_text(content, encoding="utf-8")

    return write


def test_there_are_four_recipes_each_with_a_file_and_commands():
    assert list(RECIPES) == ["drug", "effect", "study", "claim"] == list(SHOWN)
    assert all(len(files(name)) == 1 and commands(name)[0] == "schild drugs --audit" for name in RECIPES)


@pytest.mark.parametrize("recipe", SHOWN)
def test_a_recipe_leads_there(own, call, recipe):
    own(recipe)
    shown = ""
    for line in commands(recipe):
        program, *words = shlex.split(line)
        assert program == "schild"
        told = call(*words)
        assert told.code == 0, (line, told)
        shown += told.out
    assert [words for words in SHOWN[recipe] if words not in shown] == []


#: A slip: recipe, what stands there, what was written, the command that finds it.
AUDIT = ("drugs", "--audit", "--json")
SLIPS = [
    ("drug", 'rate = "oral.ka"', 'rat = "oral.ka"', AUDIT),
    ("drug", "deliver = { zaloxone", "deliver = { zaloxon", AUDIT),
    ("drug", 'cl.unit = "L/h"', 'cl.unit = "L/day"', AUDIT),
    ("effect", 'form = "rise"', 'form = "rises"', AUDIT),
    ("effect", 'range = "range"', 'rang = "range"', AUDIT),
    ("study", 'role = "check"', 'role = "checks"', AUDIT),
    ("claim", "tolerance = 10", "tolerence = 10", AUDIT),
    ("claim", 'row = "own2026_4h"', 'row = "own2026_5h"', AUDIT),
]


@pytest.mark.parametrize(("recipe", "right", "wrong", "command"), SLIPS, ids=[slip[2] for slip in SLIPS])
def test_a_slip_in_the_first_try_is_named_with_its_file_and_line(own, call, recipe, right, wrong, command):
    own(recipe)
    path, content = files(recipe)[0]
    assert right in content
    content = content.replace(right, wrong, 1)
    Path(path).write_text(content, encoding="utf-8")
    told = call(*command)
    said = told.out + told.err
    assert told.code in (1, 2)
    lines = [int(n) for n in re.findall(rf"{re.escape(path)}, line (\d+)", said)]
    at = next(n for n, line in enumerate(content.splitlines(), 1) if wrong in line)
    assert at in lines, said
