"""Claims are read as strictly as drugs: what is wrong is named with file and line."""

import re
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from schild.catalog import Catalogue, load
from schild.catalog.reader import Table, line_of
from schild.errors import CatalogueError

SHIPPED = Path(str(files("schild.catalog") / "data"))
CLAIMS = """drug = "naltrexone"
question = "What does it do?"
answer = ["It holds {A1.1} of the mu receptors."]

[[claim]]
id = "A1"
statement = "It holds mu receptors."

[[claim.test]]
id = "A1.1"
statement = "Four hours after the fourth tablet."
run = "observation"
study = "naltrexone_pet"
row = "weerts2008_mor"
op = "within"
tolerance = 4.9
evidence = "fitted"

[[claim.test]]
id = "A1.2"
statement = "At the peak."
run = "peak"
regimen = "naltrexone 50 mg po"
receptor = "mor"
op = "at_least"
value = 50
unit = "%"
evidence = "checked"
source = ["Own2026"]

[[reference]]
key = "Own2026"
label = "A study of one's own"

[known_misses]
"A1.2" = "The reason of the miss."
"""


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SHIPPED, tmp_path / "data"))


def book(folder, text=CLAIMS):
    (folder / "claims" / "naltrexone.toml").write_text(text, encoding="utf-8")
    return Catalogue(folder).claims["naltrexone"]


def test_a_book_is_read(folder):
    found = book(folder)
    first, second = found.tests
    row = next(row for row in load().studies["naltrexone_pet"].observations if row.id == "weerts2008_mor")
    assert (first.value, first.unit, first.source) == (row.value, row.unit, row.source)
    assert first.place == "claims/naltrexone.toml, line 9"
    assert second.options == {"regimen": "naltrexone 50 mg po", "receptor": "mor"}
    assert second.value == 50.0
    assert isinstance(second.value, float)
    assert found.known == {"A1.2": "The reason of the miss."}
    assert found.references == {"Own2026": ("A study of one's own", "")}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tolerance = 4.9", "tolerence = 4.9", r"line 16: .*unknown key 'tolerence'; did you mean 'tolerance'"),
        ("tolerance = 4.9\n", "", r"line 15: .*op = 'within' and no 'tolerance'"),
        ("value = 50", "value = 50\ntolerence = 3", r"line 27: .*unknown key 'tolerence'; did you mean 'tolerance'"),
        ("value = 50", 'value = "50"', r"line 26: .*value = '50'; expected a number"),
        ('op = "at_least"', 'op = "atleast"', r"line 25: .*op = 'atleast'; expected one of .*Did you mean 'at_least'"),
        ('evidence = "checked"', 'evidence = "cheked"', r"line 28: .*evidence = 'cheked'.*Did you mean 'checked'"),
        (
            'row = "weerts2008_mor"',
            'row = "weerts2008_mu"',
            r"line 14: .*study 'naltrexone_pet' does not have.*Did you",
        ),
        ('study = "naltrexone_pet"', 'study = "naltrexone"', r"line 13: .*'naltrexone', which is not a study"),
        ('source = ["Own2026"]', 'source = ["Own2027"]', r"line 29: .*cites 'Own2027'"),
        ('statement = "At the peak."\n', "", r"line 19: .*lacks 'statement' \(a string\)"),
        ('id = "A1.2"', 'id = "A1.1"', r"holds the id 'A1.1' \(.*line 19\), which stands above"),
        ('question = "What', 'questoin = "What', r"the top of the file lacks 'question'"),
        (
            'label = "A study',
            'lable = "A study',
            r"line 33: \[reference\[0\]\] has an unknown key .lable.*did you mean .label",
        ),
        ('"A1.2" = "The', '"A1.3" = "The', r"line 36: \[known_misses\] lists 'A1.3', which is not a test"),
        ('[known_misses]\n"A1.2"', '[known_miss]\n"A1.2"', r"line 35: .*unknown key 'known_miss'"),
        (
            "answer = [",
            'answer = ["{A1.3} of them."]\nkeywords = [',
            r"tells the result of 'A1.3', which is not a test",
        ),
        ("answer = [", 'answer = ["{x} of them."]\nkeywords = [', r"tells the result of 'x', which is not a test"),
        ("answer = [", "keywords = [", r"has no answer; expected one or more sentences"),
        ('drug = "naltrexone"', 'drug = "naltrexon"', r"line 1: .*'naltrexon', which is not a drug"),
        ("[[claim.test]]", "[claim.test]", r"line 9: .*test that is not a list|valid TOML"),
    ],
)
def test_a_fault_is_named_with_its_line(folder, old, new, message):
    assert CLAIMS.count(old) >= 1
    with pytest.raises(CatalogueError, match=r"claims/naltrexone\.toml") as error:
        book(folder, CLAIMS.replace(old, new, 1))
    assert re.search(message, str(error.value)), str(error.value)


def test_a_known_miss_stands_once(folder):
    path = folder / "known_misses.toml"
    path.write_text(path.read_text() + '\n[[miss]]\nid = "iv50_cmax"\nkinds = ["band"]\nreason = "Again."\n')
    with pytest.raises(CatalogueError, match=r"known_misses.toml, line \d+: .*'iv50_cmax' a second time"):
        dict(Catalogue(folder).known_misses)


def test_every_book_of_the_catalogue_can_be_read():
    assert load().claims["naltrexone"].claims
    assert load().known_misses["wall1981_oral_half_life"].kinds == ("fold", "band")


def test_lines_are_found_in_every_form_of_toml():
    text = '''top = 1
long = """
[not.a.table]
"""
[a."b.c"]
x = { y = 2 }
z.w = 3
[[a.list]]
k = 1
[[a.list]]
k = [
  "one",
]
[a.list.inner]
k = 5
'''
    assert line_of(text, ("top",)) == 1
    assert line_of(text, ("a", "b.c", "x", "y")) == 6
    assert line_of(text, ("a", "b.c", "z", "w")) == 7
    assert line_of(text, ("a", "list", 1, "k")) == 11
    assert line_of(text, ("a", "list", 1, "inner", "k")) == 15
    assert line_of(text, ("a", "list", 0, "absent")) == 8
    with pytest.raises(CatalogueError, match=r"x.toml, line 11: \[a.list\[1\]\] has k = .*; expected a number"):
        Table.of(text, "x.toml").table("a").tables("list")[1].one("k", float)


def test_every_source_of_a_claim_has_an_address():
    catalogue = load()
    for book in catalogue.claims.values():
        cited = {key for test in book.tests for key in test.source} - {"schild"}
        found = {key: book.references[key][1] for key in cited & book.references.keys()}
        found |= {key: catalogue.references[key].address for key in cited - found.keys()}
        assert [key for key, address in found.items() if not address.startswith(("10.", "http"))] == []
