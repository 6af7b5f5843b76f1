"""What a page states is run again: the same numbers pass, a changed one is named."""

import gzip
import json
import re
from base64 import b64encode

import pytest

from schild.cli import main
from schild.errors import InputError
from schild.explanation import explain
from schild.explanation.verify import STATED, read_stated, stated_of, verify


def _packed(stated):
    return b64encode(gzip.compress(json.dumps(stated).encode(), mtime=0)).decode()


@pytest.fixture(scope="module")
def page():
    stated = stated_of(explain("naloxone", quick=True))
    return f'<html><script type="text/plain" id="{STATED}">{stated}</script></html>'


def test_the_same_version_gives_the_same_numbers(page, tmp_path, capsys):
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    assert main(["verify", str(file)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^\d+ numbers of the page on naloxone .* none differ\.$", " ".join(said.split()))


def test_a_number_that_was_changed_is_named(page, tmp_path, capsys):
    stated = read_stated(re.search(r'"schild-stated">(.*?)<', page)[1])
    stated["results"]["one-dose"]["mor_peak"] += 0.01
    file = tmp_path / "page.html"
    file.write_text(f'<script type="text/plain" id="{STATED}">{_packed(stated)}</script>', encoding="utf-8")
    assert main(["verify", str(file), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [d["what"] for d in found["differences"]] == ["scene one-dose mor_peak"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        f'<script type="text/plain" id="{STATED}">{_packed({"a": 1})}</script>',
        f'<script type="text/plain" id="{STATED}">{{}}</script>',
    ],
)
def test_a_page_that_states_nothing_is_refused(text):
    with pytest.raises(InputError, match="Write"):
        verify(text)
