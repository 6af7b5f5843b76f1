"""What a page states is run again: the same numbers pass, a changed one is named."""

import json
import re

import pytest

from schild.cli import main
from schild.errors import InputError
from schild.explanation import explain
from schild.explanation.verify import STATED, stated_of, verify


@pytest.fixture(scope="module")
def page():
    stated = stated_of(explain("naloxone", quick=True))
    return f'<html><script type="application/json" id="{STATED}">{stated}</script></html>'


def test_the_same_version_gives_the_same_numbers(page, tmp_path, capsys):
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    assert main(["verify", str(file)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^\d+ numbers of the page on naloxone .* none differ\.$", " ".join(said.split()))


def test_a_number_that_was_changed_is_named(page, tmp_path, capsys):
    stated = json.loads(re.search(r">(\{.*\})<", page)[1])
    stated["results"]["one-dose"]["mor_peak"] += 0.01
    file = tmp_path / "page.html"
    file.write_text(f'<script type="application/json" id="{STATED}">{json.dumps(stated)}</script>', encoding="utf-8")
    assert main(["verify", str(file), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [d["what"] for d in found["differences"]] == ["scene one-dose mor_peak"]


@pytest.mark.parametrize("text", ["", "<html>", f'<script type="application/json" id="{STATED}">{{"a": 1}}</script>'])
def test_a_page_that_states_nothing_is_refused(text):
    with pytest.raises(InputError, match="Write"):
        verify(text)
