"""Where kernels that Numba compiles are kept, so that a stale one is never run.

It does so for the build, and where the package's own code cannot be used (``schild.engine.portable``).

Numba's own cache looks at the file of the compiled function only: an edit in a module that it imports goes unnoticed, a
read-only installation has no place to write, and a truncated file raises. So each version of the sources, of Numba, of
Python and of the processor gets a directory of its own under the user's cache directory (under ``NUMBA_CACHE_DIR``
where that is set), and what cannot be read or written there is compiled again.
"""

from __future__ import annotations

import hashlib
import platform
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import llvmlite  # type: ignore[import-untyped]
import llvmlite.binding  # type: ignore[import-untyped]
import numba
from numba.core.caching import FunctionCache

from schild.engine.portable import KERNELS
from schild.result_cache import forget_unused, mark_used, user_cache_folder

__all__ = ["cache_directory", "compiled", "inlined"]

settings: Any = numba.config

#: The files whose content decides whether the compiled engine is still the right one.
SOURCES = KERNELS["run_groups"].sources


def cache_directory(folder: Path | None = None, sources: tuple[str, ...] = SOURCES) -> Path:
    """Return the directory for kernels compiled from the sources as they are now.

    ``folder``: where the sources are; this package by default; ``sources``: files that count; the first one's name is
    that of the directory.

    >>> cache_directory().name.startswith("kernel-")
    True
    """
    folder = folder or Path(__file__).parent
    digest = hashlib.sha256()
    for name in sources:
        digest.update((folder / name).read_bytes())
    llvm = llvmlite.binding
    for part in (
        numba.__version__,
        llvmlite.__version__,
        platform.python_implementation(),
        sys.version,
        platform.machine(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    ):
        digest.update(part.encode())
    top = Path(settings.CACHE_DIR) if settings.CACHE_DIR else user_cache_folder()
    return top / f"{Path(sources[0]).stem}-{digest.hexdigest()[:16]}"


def _writable(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except OSError:
        return False
    return True


_ready: dict[str, Any] = {}


def compiled(function: Callable[..., Any] | tuple[str, ...]) -> Any:
    """Compile a kernel function with Numba, cached in ``cache_directory()``; without a cache where none can be written.

    Numba reads its configuration while it decorates, so the directory is set for that moment and then put back. A tuple
    of file names in place of a function gives a decorator for kernels made of those files.
    """
    if isinstance(function, tuple):
        return partial(_compile, sources=function)
    return _compile(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Mark a part of the kernel that is compiled into its one caller, so that its many tables need not be passed."""
    return _compile(function, inline="always")


class _Cache(FunctionCache):
    """Numba's cache of one function; a file that cannot be read or written costs a compilation and no more."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception:  # truncated or foreign bytes raise whatever unpickling meets
            with suppress(Exception):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):  # a full disk
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]


def _compile(function: Callable[..., Any], sources: tuple[str, ...] = SOURCES, inline: str = "never") -> Any:
    key = "at" if sources == SOURCES else "|".join(sources)
    if key not in _ready:
        directory = cache_directory(sources=sources)
        new = not directory.is_dir()
        _ready[key] = directory if _writable(directory) else None
        mark_used(directory)
        if new:
            forget_unused(directory.parent, r"(\w*kernel|additive|lane_math|lanes|lags)-[0-9a-f]{16}")
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "inline": inline}
    made: Any = numba.njit(**options)(function)
    if _ready[key] is None:
        return made
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(_ready[key])
    try:
        made._cache = _Cache(function)  # type: ignore[no-untyped-call]
    except RuntimeError:  # no folder for this function can be made
        return made
    finally:
        settings.CACHE_DIR = before
    return made
