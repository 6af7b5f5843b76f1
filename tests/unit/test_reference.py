"""The reference pages show the whole public interface; each verb and noun has an example (test_project.py runs it)."""

import importlib
import inspect
import re
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

import schild

PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference"
SHOWN = [
    f"{page.stem}:{name if name.startswith('schild.') else f'schild.{name}'}"
    for page in sorted(PAGES.glob("*.rst"))
    for name in re.findall(r"^\.\. auto(?:function|class):: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
]


def found(path):
    module, _, name = path.rpartition(".")
    value = getattr(importlib.import_module(module), name)
    return getattr(value, name) if isinstance(value, ModuleType) else value


def test_every_public_name_is_shown_once():
    names = [entry.partition(":")[2] for entry in SHOWN]
    assert len(names) == len(set(names))
    assert {f"schild.{name}" for name in schild.__all__ if name != "__version__"} <= set(names)


@pytest.mark.parametrize("page", sorted({entry.partition(":")[0] for entry in SHOWN}))
def test_the_list_of_a_page_names_what_it_shows(page):
    text = (PAGES / f"{page}.rst").read_text(encoding="utf-8")
    listed = re.search(r"^\.\. autosummary::\n   :nosignatures:\n\n((?:   \S+\n)+)", text, re.MULTILINE)[1].split()
    assert listed == re.findall(r"^\.\. auto(?:function|class):: (\S+)$", text, re.MULTILINE)


@pytest.mark.parametrize("entry", [entry for entry in SHOWN if entry.startswith(("verbs:", "nouns:"))])
def test_every_verb_and_every_noun_has_an_example(entry):
    assert ">>> " in found(entry.partition(":")[2]).__doc__


@pytest.mark.parametrize("noun", [schild.Dose, schild.Regimen, schild.Subject, schild.Population])
def test_help_of_a_noun_describes_every_field(noun):
    """The pages show comments beside fields; ``help()`` shows the docstring alone."""
    described = re.findall(r"^([a-z0-9_, ]+?) : ", inspect.getdoc(noun), re.MULTILINE)
    assert {field.name for field in fields(noun)} <= {name for names in described for name in names.split(", ")}
