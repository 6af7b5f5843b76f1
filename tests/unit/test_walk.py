"""The walk of a regimen that docs/design/architecture.md tells is the one that the code takes."""

import re
import sys
from pathlib import Path

import pytest

import schild
from schild.cli import main

ROOT = Path(schild.__file__).parent
PAGE = Path(__file__).parents[2] / "docs/design/architecture.md"


def _told():
    walk = PAGE.read_text(encoding="utf-8").split("## The walk of a regimen")[1].split("\n## ")[0]
    return re.findall(r"^\d+\. `([\w/]+\.py)`: `(\w+)`", walk, flags=re.MULTILINE)


def test_the_walk_is_ten_sentences_with_a_file_each():
    told = _told()
    assert len(told) == 10
    assert len({file for file, _ in told}) == 10
    assert all((ROOT / file).is_file() for file, _ in told)


def test_the_code_takes_that_walk(tmp_path):
    told = _told()
    calls = []

    def see(frame, event, _):
        if event == "call":
            code = frame.f_code
            if code.co_filename.startswith(str(ROOT)):
                step = (Path(code.co_filename).relative_to(ROOT).as_posix(), code.co_name)
                if step in told and step not in calls:
                    calls.append(step)

    # A person whom no other test has: what is kept of a person is not computed again.
    before = sys.getprofile()
    sys.setprofile(see)
    try:
        with pytest.raises(SystemExit) as left:
            sys.exit(
                main(["simulate", "naltrexone 50 mg po", "--until", "4h", "--weight", "71 kg", "--out", str(tmp_path)])
            )
    finally:
        sys.setprofile(before)
    assert not left.value.code
    assert calls == told
