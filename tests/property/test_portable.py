"""The package's own code of the kernels: made from these sources, never trusted when damaged, never in the way."""

from __future__ import annotations

import copy
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import schild
from schild.engine import days, lags, portable, session
from schild.result_cache import forget_unused, write_checked
from schild.trial.result import run_trial
from sessions import some_people, some_session

FOLDER = Path(portable.__file__).parent
NAMES = sorted(portable.KERNELS)
SMALLEST = min(NAMES, key=lambda name: len(portable.bitcode(name)))


@pytest.mark.parametrize("name", NAMES)
def test_the_code_is_made_from_the_sources_as_they_are(name):
    assert portable.is_portable(name), "A kernel has changed: run `make engine` and commit what it writes."
    assert portable.stamp()["kernels"][name]["bitcode"] == sha256(portable.bitcode(name)).hexdigest()
    assert portable.is_native(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_source_of_a_kernel_counts(name, tmp_path):
    kernel = portable.KERNELS[name]
    found, new = set(), {kernel.sources[0]}
    while new:
        found |= new
        text = "".join((FOLDER / source).read_text(encoding="utf-8") for source in new - {"portable.py"})
        modules = re.findall(r"^from schild\.(engine|overdose)\.(\w+) import", text, re.M)
        modules += re.findall(r"^from schild\.(overdose) import (\w+)", text, re.M)
        new = {f"{file}.py" if part == "engine" else f"../{part}/{file}.py" for part, file in modules} - found
    assert found - {"portable.py"} == set(kernel.sources)
    inner = tmp_path / "engine"
    inner.mkdir()
    (tmp_path / "overdose").mkdir()
    for source in kernel.sources:
        (inner / source).write_bytes((FOLDER / source).read_bytes())
    assert portable.sources_digest(name, inner) == portable.sources_digest(name)
    first = inner / kernel.sources[0]
    first.write_bytes(first.read_bytes().replace(b"\n", b"\r\n"))  # as Git writes it on Windows
    assert portable.sources_digest(name, inner) == portable.sources_digest(name)
    for source in kernel.sources:
        before = portable.sources_digest(name, inner)
        (inner / source).write_bytes((inner / source).read_bytes() + b"\n")
        assert portable.sources_digest(name, inner) != before


@pytest.mark.parametrize("name", NAMES)
def test_no_path_of_the_machine_that_built_is_in_the_code(name):
    text = portable.bitcode(name)
    for word in (b"site-packages", b".py\x94", str(FOLDER.parent.parent).encode()):
        assert word not in text
    import llvmlite.binding as llvm

    plain = str(llvm.parse_bitcode(text))
    assert "site-packages" not in plain
    assert ".py" not in plain
    assert "_ZN" not in plain  # Numba's names hold a count of what the process has compiled


def test_other_types_are_another_kernel(monkeypatch):
    before = portable.KERNELS[SMALLEST]
    monkeypatch.setitem(portable.KERNELS, SMALLEST, replace(before, takes=(*before.takes, "int64")))
    assert not portable.is_portable(SMALLEST)


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """A folder without native code; Numba compiles nothing but says that it was asked."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(portable, "_entries", {})
    monkeypatch.setattr(portable, "compiled_by_numba", lambda name: f"Numba compiles {name}")
    monkeypatch.delenv(portable.VARIABLE, raising=False)
    return tmp_path


FALLS_BACK = f"Numba compiles {SMALLEST}"


def test_the_native_code_is_made_once_and_kept(fresh, monkeypatch):
    assert not portable.object_file(SMALLEST).exists()
    assert portable.is_native(SMALLEST)
    kept = portable.object_file(SMALLEST).read_bytes()
    assert [file.name for file in (fresh / "kernels").iterdir()] == [portable.object_file(SMALLEST).name]
    monkeypatch.setattr(portable, "_entries", {})
    monkeypatch.setattr(portable, "bitcode", lambda name: pytest.fail("made a second time"))
    assert portable.is_native(SMALLEST)
    assert portable.object_file(SMALLEST).read_bytes() == kept


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "none of ours"])
def test_native_code_that_is_damaged_is_made_again(fresh, damage, monkeypatch):
    portable.entry(SMALLEST)
    file = portable.object_file(SMALLEST)
    whole = file.read_bytes()
    body = whole[65:]
    file.write_bytes(
        {"cut": whole[:-9], "changed": whole[:65] + body[:300] + bytes([body[300] ^ 1]) + body[301:], "empty": b"",
         "none of ours": b"\x7fELF"}[damage]
    )  # fmt: skip
    monkeypatch.setattr(portable, "_entries", {})
    assert portable.is_native(SMALLEST)
    assert file.read_bytes() == whole


def _months_old(path, days=31):
    os.utime(path, times=(time.time() - 86400 * days,) * 2)
    return path


@pytest.fixture
def kept(fresh):
    """A folder with an object that was used yesterday, a file of somebody, and things that are old."""
    folder = fresh / "kernels"
    folder.mkdir()
    names = {
        "young": "run_groups-0123456789abcdef.o",
        "old": "run_groups-fedcba9876543210.o",
        "renamed": "a_former_kernel-0123456789abcdef.o",
        "unfinished": ".123-0123abcd",
        "foreign": "notes.o",
    }
    for kind, name in names.items():
        (folder / name).write_bytes(b"x")
        _months_old(folder / name, 1 if kind == "young" else 31)
    return folder, names


def test_objects_that_nobody_used_for_a_month_are_deleted_when_one_is_made(kept):
    folder, names = kept
    assert portable.is_native(SMALLEST)
    left = {file.name for file in folder.iterdir()}
    assert left == {names["young"], names["foreign"], portable.object_file(SMALLEST).name}


def test_reading_an_object_marks_it_as_used(fresh, monkeypatch):
    assert portable.is_native(SMALLEST)
    file = _months_old(portable.object_file(SMALLEST))
    monkeypatch.setattr(portable, "_entries", {})
    assert portable.is_native(SMALLEST)
    assert file.stat().st_mtime > time.time() - 3600
    write_checked(file.with_name(f"other-{'0' * 16}.o"), b"")
    forget_unused(file.parent, ".*")
    assert file.exists()


def test_what_another_process_deleted_or_holds_stops_nothing(kept, monkeypatch):
    folder, names = kept

    def held(self, missing_ok=False):
        (folder / names["renamed"]).replace(folder / "elsewhere")  # as if deleted between list and look
        monkeypatch.setattr(Path, "unlink", refused)
        raise PermissionError(13, "in use", str(self))

    def refused(self, missing_ok=False):
        raise PermissionError(13, "in use", str(self))

    monkeypatch.setattr(Path, "unlink", held)
    assert portable.is_native(SMALLEST)
    assert (folder / names["old"]).exists()


def test_where_no_folder_can_be_written_it_is_made_for_this_process(fresh, monkeypatch):
    (fresh / "kernels").write_text("a file, not a folder")
    assert portable.is_native(SMALLEST)


def test_numba_compiles_where_sources_and_code_disagree(fresh, monkeypatch):
    monkeypatch.setattr(portable, "sources_digest", lambda name: "0" * 64)
    assert portable.entry(SMALLEST) == FALLS_BACK


def test_numba_compiles_where_it_is_asked_to(fresh, monkeypatch):
    monkeypatch.setenv(portable.VARIABLE, "numba")
    assert portable.entry(SMALLEST) == FALLS_BACK


@pytest.mark.parametrize("code", [b"", b"BC\xc0\xde of another LLVM"])
def test_numba_compiles_where_the_code_cannot_be_read(fresh, monkeypatch, code):
    monkeypatch.setattr(portable, "bitcode", lambda name: code)
    assert portable.entry(SMALLEST) == FALLS_BACK
    about = {"sources": portable.sources_digest(SMALLEST), "bitcode": sha256(code).hexdigest()}
    monkeypatch.setattr(portable, "stamp", lambda: {"kernels": {SMALLEST: about}})
    monkeypatch.setattr(portable, "_entries", {})
    assert portable.entry(SMALLEST) == FALLS_BACK


def test_numba_compiles_where_the_object_cannot_be_linked(fresh):
    write_checked(portable.object_file(SMALLEST), b"no object of any system")
    assert portable.entry(SMALLEST) == FALLS_BACK


def test_numba_compiles_where_a_function_is_missing_and_the_log_says_why(fresh, monkeypatch, caplog):
    monkeypatch.setattr(portable, "OUTSIDE", ("no_such_function_anywhere",))
    with caplog.at_level("INFO", logger="schild"):
        assert portable.entry(SMALLEST) == FALLS_BACK
    assert SMALLEST in caplog.text
    assert "no_such_function_anywhere" in caplog.text


def test_threads_get_the_same_kernel(fresh):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(portable.entry, [SMALLEST] * 8))
    assert len({id(one) for one in found}) == 1
    assert portable.is_native(SMALLEST)


def test_an_array_is_copied_only_where_it_has_to_be():
    fine = np.zeros(3)
    assert portable.plain(fine) is fine
    frozen = np.zeros(3)
    frozen.setflags(write=False)
    for other in (frozen, np.zeros(6)[::2], np.zeros(3, dtype=np.float32), [0.0, 0.0, 0.0]):
        made = portable.plain(other)
        assert made.flags.carray
        assert made.dtype == np.float64
        assert made is not other


def _use_every_kernel():
    """Examples that call every kernel: a run, states on courses, a session, days, a trial of opioid use, a rescue."""
    schild.simulate("heroin 25 mg iv", "naltrexone 50 mg po at 1 d", until="2 d", n=11, warn=False)
    schild.rescue("fentanyl 1.625 mg iv", "naloxone 4 mg in", n=8)
    rng = np.random.default_rng(5)
    hours, rates = np.linspace(0.0, 24.0, 13), rng.uniform(0.01, 0.2, (3, 2, 5))
    lags.carry(hours, rng.uniform(0.1, 1.0, (3, 3, 13)), np.array([0, 7, 50]), (0, 200), rates, np.zeros((3, 2)))
    lags.follow(hours, rng.uniform(0.1, 1.0, (3, 13)), rates)
    people = some_people(9)
    grid, what = some_session(people)
    session.run_sessions(people.rows, grid, **what)
    day, one = rng.random((7, 30)), np.ones(7)
    days.run_days(
        drinking=0 * one, heavy=0 * one, shift_drinking=day, shift_heavy=day, lost=day, limit=5 * one, tail=4 * one,
        habit=np.array([1.0, 0.5, 0.3, 0.2, 0.5, 40.0, 0.1, 0.5]), uniform=(day, day, day), normal=day - 0.5,
        before=np.ones(7, dtype=np.int8), craving=one,
    )  # fmt: skip
    arm = {"name": "n", "drug": "naltrexone", "amount": "50 mg"}
    run_trial({"disorder": "opioid", "trial": {"n": 9, "weeks": 8}, "arm": [arm]})


@pytest.mark.slow
def test_the_bits_are_those_of_what_numba_compiles(monkeypatch):
    calls: dict[str, list[tuple[tuple, tuple]]] = {}

    def recorded(name):
        native = portable.entry(name)

        def call(*given):
            before = copy.deepcopy(given)
            native(*given)
            if len(calls.setdefault(name, [])) < 20:
                calls[name].append((before, copy.deepcopy(given)))

        return call

    monkeypatch.setattr(portable, "_entries", {name: recorded(name) for name in NAMES})
    _use_every_kernel()
    assert sorted(calls) == NAMES
    for name, made in calls.items():
        compiled = portable.compiled_by_numba(name)
        for before, after in made:
            compiled(*before)
            assert _bytes(before) == _bytes(after), name


def _bytes(values):
    return [_bytes(v) if isinstance(v, tuple) else np.asarray(v).tobytes() for v in values]


def test_a_kernel_gives_its_memory_back():
    given = (np.linspace(0.0, 24.0, 2001), np.ones((1, 1, 2001)), np.array([0]), (0, 1), np.full((1, 2, 5), 0.01))
    for _ in range(20):
        lags.carry(*given, np.zeros((1, 2)))
    before = _memory_mb()
    for _ in range(1000):  # of 0.2 MB each
        lags.carry(*given, np.zeros((1, 2)))
    assert _memory_mb() - before < 50.0


def _memory_mb() -> float:
    status = Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("needs Linux")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
