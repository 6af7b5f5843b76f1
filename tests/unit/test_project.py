"""Ground rules of the repository itself."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "schild"
MODULES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "calibration").rglob("*.py")])
MEBIBYTE = 1024 * 1024

# A home or workspace folder as an absolute path; not the path part of a web address, not a relative path.
MACHINE_PATH = re.compile(r"(?<![\w.)\]}~-])(?:/(?:home|Users|root|work|workspace|mnt)/\w|[A-Z]:\\Users\\)")
LOCK_FILES = re.compile(
    r"(?:^|/)(?:[\w.-]+\.lock|pylock[\w.-]*\.toml|package-lock\.json|pnpm-lock\.yaml|conda-lock\.yml)$"
)


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent if path.is_relative_to(PACKAGE) else ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tracked() -> tuple[Path, ...]:
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True, timeout=60).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs a git checkout")
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def text_of(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content[:8192] else content.decode("utf-8")


def test_the_pattern_knows_a_machine_path_from_other_paths():
    slash = "/"
    assert MACHINE_PATH.search(f"open('{slash}home{slash}ada/x.csv')")
    assert MACHINE_PATH.search(f"# see {slash}Users{slash}ada")
    assert not MACHINE_PATH.search("https://example.org/home/page and docs/work/notes and ~/play/x")


def test_no_file_holds_a_path_of_somebody_s_machine():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


def test_no_lock_file_is_kept():
    assert [str(path) for path in tracked() if LOCK_FILES.search(path.relative_to(ROOT).as_posix())] == []


def test_no_file_is_large():
    sizes = {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in tracked()}
    assert {name: size for name, size in sizes.items() if size > MEBIBYTE} == {}


def test_constraints_are_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin)] == []
    names = [re.sub(r"[-_.]+", "-", pin.split("==")[0]).lower() for pin in pins]
    assert len(names) == len(set(names))
    assert "schild" not in names


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_names_the_two_commands(command):
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_has_a_line_for_each_module():
    # `__init__`, `__main__` and private modules are no part of the map.
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    public = sorted(name for name in names if not name.startswith("_"))
    assert [name for name in public if not re.search(rf"^(?:\w+ +)*{name}\b", readme, re.MULTILINE)] == []


def test_the_version_is_the_same_wherever_it_stands():
    import tomllib

    import schild

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert project["version"] == schild.__version__ == cited


def test_every_citation_of_a_docstring_has_an_entry():
    entries = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.bib"))
    known = set(re.findall(r"@\w+\{([^,\s]+),", entries))
    text = "".join(path.read_text(encoding="utf-8") for path in MODULES)
    cited = {key.strip() for keys in re.findall(r":cite:\w*:`([^`]+)`", text) for key in keys.split(",")}
    assert cited
    assert cited <= known


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_every_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_examples_in_docstrings_are_true(path):
    module = importlib.import_module(module_name(path))
    outcome = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert outcome.failed == 0
