import io
import json
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from rich.console import Console

from schild.catalog import Catalogue, load
from schild.catalog.audit import audit
from schild.catalog.show import audit_to_dict, drug_to_dict, render_audit, render_drug, render_drugs


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=200)


def printed(console):
    return console.file.getvalue()


def test_the_list_names_every_drug(console):
    render_drugs(load(), console)
    assert all(key in printed(console) for key in load().drugs)


@pytest.mark.parametrize("key", list(load().drugs))
def test_a_drug_shows_every_number_with_its_source(console, key):
    drug = load().drugs[key]
    render_drug(drug, console)
    text = printed(console)
    for number in drug.numbers.values():
        assert number.name[:30] in text
        assert all(source in text for source in number.chosen.source)


def test_rivals_stand_in_brackets_below_the_choice(console):
    render_drug(load().drug("naltrexone"), console)
    text = printed(console)
    assert text.index("Dunbar2007") < text.index("(210.6)") < text.index("(94)")


def test_an_audit_shows_findings_first(console, tmp_path):
    folder = Path(shutil.copytree(str(files("schild.catalog") / "data"), tmp_path / "data"))
    path = folder / "drugs" / "fentanyl.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('unit = "L/h"', 'unit = ""', 1), encoding="utf-8")
    render_audit(audit(Catalogue(folder)), console)
    assert printed(console).startswith("1 findings")
    assert "no unit" in printed(console)


def test_a_clean_audit_says_so_and_counts_memory(console):
    render_audit(audit(load()), console)
    assert printed(console).startswith("No findings")
    assert "verified: memory" in printed(console)


def test_dictionaries_go_through_json():
    for drug in load().drugs.values():
        data = json.loads(json.dumps(drug_to_dict(drug)))
        assert data["numbers"].keys() == drug.numbers.keys()
        assert all(entry["value"] == drug.numbers[name].value for name, entry in data["numbers"].items())
    assert json.loads(json.dumps(audit_to_dict(audit(load()))))["ok"] is True
