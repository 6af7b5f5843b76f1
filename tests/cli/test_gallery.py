"""The gallery: the code of each page runs, in one folder and in order, and no job takes 25 lines."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import matplotlib as mpl
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "gallery"
PAGES = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "index")
JOBS = {"dose-finding", "missed-doses", "challenge", "withdrawal", "trial", "own-antagonist", "forecast"}


def blocks(page: str) -> list[tuple[str, str]]:
    """Code of a page by kind; figures are code as well."""
    found = []
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    for kind, block in re.findall(r"^```(python|toml|\{eval-rst\})\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if kind == "{eval-rst}":
            kind, block = "python", textwrap.dedent(block.split(":include-source:\n", 1)[1])
        found.append((kind, block))
    return found


def test_every_job_has_its_page():
    assert set(PAGES) == JOBS
    index = (FOLDER / "index.md").read_text(encoding="utf-8")
    assert all(f"\n{page}\n" in index for page in PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_each_job_takes_under_25_lines(page):
    assert all(len(block.strip().splitlines()) < 25 for _, block in blocks(page))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_page_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    names: dict = {}
    for kind, block in blocks(page):
        if kind == "toml":
            Path("own.toml").write_text(block, encoding="utf-8")
        else:
            exec(compile(block, f"docs/gallery/{page}.md", "exec"), names)
    if "figure" in names:
        assert all(axis.has_data() for axis in names["figure"].axes)
        mpl.pyplot.close("all")
    assert capsys.readouterr().out
