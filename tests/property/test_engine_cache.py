"""The compile cache: its own directory for each version of the sources, and no trace in Numba's settings."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import numba
import pytest
from numba.core.caching import IndexDataCacheFile

import schild.engine
from schild.engine import cache

SOURCES = Path(schild.engine.__file__).parent


@pytest.mark.parametrize("name", cache.SOURCES)
def test_an_edit_in_any_source_changes_the_directory(tmp_path, name):
    for source in cache.SOURCES:
        shutil.copy(SOURCES / source, tmp_path / source)
    before = cache.cache_directory(tmp_path)
    assert before == cache.cache_directory()
    times = (tmp_path / name).stat()
    (tmp_path / name).write_text((tmp_path / name).read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    os.utime(tmp_path / name, (times.st_atime, times.st_mtime))  # wheels have constant times
    assert cache.cache_directory(tmp_path) != before


def test_every_compiled_source_counts():
    found, new = set(), {"kernel.py"}
    while new:
        found |= new
        text = "".join((SOURCES / name).read_text(encoding="utf-8") for name in new)
        new = {f"{module}.py" for module in re.findall(r"^from schild\.engine\.(\w+) import", text, re.M)} - found
    assert found - {"portable.py"} == set(cache.SOURCES)


def test_the_user_s_directory_is_respected(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert cache.cache_directory().parent == tmp_path


def test_decorating_leaves_numba_as_it_was(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "_ready", {"at": tmp_path})
    before = numba.config.CACHE_DIR
    made = cache.compiled(_twice)
    assert before == numba.config.CACHE_DIR
    assert made(2.0) == 4.0
    assert list(tmp_path.rglob("*.nbi"))


def test_directories_that_nobody_used_for_a_month_are_deleted(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "_ready", {})
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    for name, days in (("kernel", 31), ("lanes", 31), ("session_kernel", 29), ("results", 31), ("of_somebody_", 31)):
        folder = tmp_path / f"{name}-0123456789abcdef"
        folder.mkdir()
        (folder / "inner").write_bytes(b"")
        os.utime(folder, times=(time.time() - 86400 * days,) * 2)
    assert cache.compiled(_twice)(2.0) == 4.0
    left = {folder.name.rpartition("-")[0] for folder in tmp_path.iterdir()}
    assert left == {"kernel", "session_kernel", "results", "of_somebody_"}
    assert cache.cache_directory().is_dir()
    assert not (tmp_path / "kernel-0123456789abcdef").exists()


def test_without_a_writable_directory_it_still_compiles(monkeypatch, tmp_path):
    blocked = tmp_path / "a file, not a directory"
    blocked.write_text("")
    monkeypatch.setattr(cache, "_ready", {})
    monkeypatch.setattr(cache, "user_cache_folder", lambda: blocked)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    assert cache.compiled(_twice)(3.0) == 6.0


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("content", [b"", b"\x80\x04 cut off", b"not a pickle at all"])
def test_a_file_that_cannot_be_read_is_compiled_anew(monkeypatch, tmp_path, suffix, content):
    monkeypatch.setattr(cache, "_ready", {"at": tmp_path})
    assert cache.compiled(_twice)(2.0) == 4.0
    (broken,) = tmp_path.rglob(f"*.{suffix}")
    broken.write_bytes(content)
    again = cache.compiled(_twice)
    assert again(2.0) == 4.0
    assert sum(again.stats.cache_hits.values()) == 0
    mended = cache.compiled(_twice)
    assert mended(2.0) == 4.0
    assert sum(mended.stats.cache_hits.values()) == 1


def test_a_full_disk_stops_no_run(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "_ready", {"at": tmp_path})

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "save", full)
    assert cache.compiled(_twice)(2.0) == 4.0
    assert not list(tmp_path.rglob("*.nbi"))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_importing_writes_nothing_beside_the_sources(tmp_path):
    # A copy of the package in a read-only folder, with a cache directory elsewhere.
    package = tmp_path / "lib" / "schild"
    shutil.copytree(SOURCES.parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    folder = package / "engine"
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    code = "from schild.engine import kernel, cache; import numba; print(kernel.run_groups.stats.cache_path)"
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "lib"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
    }
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    assert Path(run.stdout.strip()).is_relative_to(tmp_path / "cache")
    assert not (folder / "__pycache__").exists()
    folder.chmod(stat.S_IRWXU)


def _twice(x):
    return 2.0 * x
