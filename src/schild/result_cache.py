"""Results kept between calls, by content: a result of the same code and catalogue is read, not computed again.

Each result is a file of its own in the user's cache folder: JSON with a checksum, never code. A file that is damaged,
that belongs to another user or that holds something else is as good as absent. Every change of the package's own files,
of the catalogue, or of a library that numbers depend on leads to another folder; the oldest folders are deleted.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

#: Environment variable: a folder for results, or ``off``.
VARIABLE = "SCHILD_CACHE"
#: Libraries whose version may change a number or a page.
_LIBRARIES = ("numpy", "scipy", "numba", "llvmlite", "matplotlib", "jinja2", "rdkit")
#: Folders of other versions of the code that are left when a new one is made.
_OTHERS = 3


def user_cache_folder() -> Path:
    """Return the user's cache folder on this system.

    A user without a home gets a place below a device, where no folder can be made: nothing is kept.

    >>> "schild" in user_cache_folder().parts
    True
    """
    try:
        home = Path.home()
    except RuntimeError:
        home = Path(os.devnull)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "schild" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "schild"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "schild"


def results_folder() -> Path | None:
    """Return the folder for the results of this version of the code; None where ``SCHILD_CACHE`` is ``off``."""
    given = os.environ.get(VARIABLE, "").strip()
    if given.lower() == "off":
        return None
    try:
        return (Path(given) if given else user_cache_folder()) / f"results-{_code()}"
    except OSError:  # a package that is no folder
        return None


@cache
def _code() -> str:
    """Hash of the package's own files, of Python and of the libraries."""
    from importlib.metadata import PackageNotFoundError, version

    digest = sha256(sys.version.encode())
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            digest.update(f"{name} {version(name)}\n".encode())
    root = Path(__file__).parent
    for file in sorted(root.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(f"{file.relative_to(root)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class ResultCache:
    """Results that are kept for one question under the same code, catalogue and numbers.

    ``question``: what the results depend on besides the code: hash of the catalogue, drug, people, seed; each part is
    told apart by its ``repr``. ``fresh``: whether to compute everything again; what is found is kept all the same.

    >>> kept = ResultCache("a question", fresh=True)
    >>> kept.once("what", lambda: 6 * 7)
    42
    """

    def __init__(self, *question: object, fresh: bool = False) -> None:
        self._question, self._fresh = repr(question), fresh
        self._folder = results_folder()

    @classmethod
    def off(cls) -> ResultCache:
        """Return one that keeps nothing."""
        found = cls()
        found._folder = None
        return found

    def once(
        self,
        key: object,
        make: Callable[[], T],
        write: Callable[[T], Any] = lambda made: made,
        read: Callable[[Any], T] = lambda found: found,
    ) -> T:
        """Return a result that was kept, or make it and keep it.

        ``key``: which result, told apart by its ``repr``; ``write`` and ``read``: to plain data for JSON and back. What
        ``write`` turns into None is not kept; data from which ``read`` cannot make a result (KeyError, TypeError,
        ValueError) are as good as absent.
        """
        if self._folder is None:
            return make()
        name = f"{self._question}\n{key!r}"
        file = self._folder / f"{sha256(name.encode()).hexdigest()[:32]}.json"
        if not self._fresh:
            with suppress(OSError, KeyError, TypeError, ValueError):
                return read(_read(file, name))
        made = make()
        plain = write(made)
        if plain is not None:
            with suppress(OSError):  # a full disk, a folder that cannot be written to
                _write(file, json.dumps({"name": name, "result": plain}, default=float))
        return made


def read_checked(file: Path) -> bytes:
    """Read a file of the user's own that ``write_checked`` wrote; ValueError where it is not what was written."""
    with file.open("rb") as opened:
        if hasattr(os, "getuid") and os.fstat(opened.fileno()).st_uid != os.getuid():
            raise ValueError("another user's file")
        checksum, _, body = opened.read().partition(b"\n")
    if checksum != sha256(body).hexdigest().encode():
        raise ValueError("a damaged file")
    return body


def write_checked(file: Path, body: bytes) -> None:
    """Write a file and its checksum, whole or not at all: others may read or write the same one meanwhile."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = file.with_name(f".{os.getpid()}-{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(sha256(body).hexdigest().encode() + b"\n" + body)
        temporary.replace(file)
    except BaseException:  # an interrupt too leaves nothing behind
        temporary.unlink(missing_ok=True)
        raise


def mark_used(path: Path) -> None:
    """Give a file or a folder the time of now, so that ``forget_unused`` leaves it."""
    with suppress(OSError):  # a folder that cannot be written to
        os.utime(path)


def forget_unused(folder: Path, names: str, days: float = 30.0) -> None:
    """Delete the files and folders whose whole name matches a pattern and that were not used for some days.

    Whoever uses one marks it (``mark_used``): other versions of the package, in use on the same or another machine,
    keep theirs. What another process deletes meanwhile, or the system does not let go, is left out.
    """
    with suppress(OSError):
        for path in list(folder.iterdir()):
            with suppress(OSError):
                if re.fullmatch(names, path.name) and path.stat().st_mtime < time.time() - 86400.0 * days:
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
                    else:
                        path.unlink(missing_ok=True)


def _read(file: Path, name: str) -> Any:
    found = json.loads(read_checked(file))
    if found["name"] != name:
        raise ValueError("another result")
    return found["result"]


def _write(file: Path, text: str) -> None:
    new = not file.parent.is_dir()
    write_checked(file, text.encode())
    if new:
        _forget_old(file.parent)


def _forget_old(folder: Path) -> None:
    """Delete the folders of other versions of the code but the newest."""
    others = [p for p in folder.parent.iterdir() if re.fullmatch("results-[0-9a-f]{16}", p.name) and p != folder]
    for old in sorted(others, key=lambda p: p.stat().st_mtime)[:-_OTHERS]:
        shutil.rmtree(old, ignore_errors=True)
