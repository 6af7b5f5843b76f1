"""Kernels as code of the package for any processor, which is made native once on each machine.

``bitcode`` holds the kernels as Numba compiled them when the package was built (``schild.engine.build``), in LLVM's
code for any processor. At first use llvmlite makes an object for this processor, which is kept in the user's cache
folder; no start imports Numba. Where the sources have been edited, or llvmlite cannot read or load the code, Numba
compiles the same sources. The design is in ``docs/design/engine.md``.
"""

from __future__ import annotations

import ctypes
import json
import logging
import lzma
import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.engine.layout import Events, Found, Structure, Task, kinds
from schild.result_cache import forget_unused, mark_used, read_checked, user_cache_folder, write_checked

#: Environment variable: with the value ``numba`` Numba always compiles the kernels.
VARIABLE = "SCHILD_ENGINE"
#: External functions that the code calls.
OUTSIDE = ("malloc", "free", "exp", "expm1", "log", "pow", "sqrt", "floor", "ceil")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A function that Numba compiles, with its arguments.

    ``takes`` has a type for each argument, as ``layout.kinds`` writes it, or a tuple of them, or a class of tuples.
    ``sources`` are the files it is compiled from, relative to this folder.
    """

    module: str
    takes: tuple[Any, ...]
    sources: tuple[str, ...]

    def types(self) -> list[str]:
        """Return the types of all numbers and arrays in order."""
        return [what for name in self.takes for what in _types(name)]


def _types(what: Any) -> list[str]:
    if isinstance(what, str):
        return [what]
    return [t for part in (what if isinstance(what, tuple) else kinds(what).values()) for t in _types(part)]


#: Every kernel that others call.
KERNELS = {
    "run_groups": Kernel(
        "schild.engine.kernel",
        ("int64", "int64", "float64:2", "int64:1", Structure, Events, "float64:3", Task, "int64", Found),
        ("kernel.py", "layout.py", "workspace.py", "modes.py", "radau.py", "outputs.py", "lanes.py", "cache.py"),
    ),
    "follow_lags": Kernel(
        "schild.engine.lags_kernel",
        ("float64:1", "float64:2", "float64:3", "float64:2", "float64:3"),
        ("lags_kernel.py", "cache.py"),
    ),
    "carry_lags": Kernel(
        "schild.engine.lags_kernel",
        ("float64:1", "float64:3", "int64:1", "int64", "int64", "float64:3", "float64:2"),
        ("lags_kernel.py", "cache.py"),
    ),
    "follow_sessions": Kernel(
        "schild.engine.session_kernel",
        (
            "int64", "int64", "float64:2", "float64:1", "float64:2", "float64:1", "float64:2", "float64:2", "bool:1",
            "int64", "float64:2", "float64", "float64:3", "int64:1", "float64:1", "int64:1",
        ),
        ("session_kernel.py", "lane_math.py", "lanes.py", "layout.py", "cache.py"),
    ),
    "follow_days": Kernel(
        "schild.engine.days_kernel",
        (
            "float64:1", "float64:1", "float64:2", "float64:2", "float64:2", "float64:1", "float64:1", "float64:1",
            "float64:2", "float64:2", "float64:2", "float64:2", "int8:1", "float64:1", "float64:1", "int8:2", "int16:2",
        ),
        ("days_kernel.py", "cache.py"),
    ),
    "settle_states": Kernel(
        "schild.engine.hours_kernel",
        ("float64:1", "float64:1", "int64", "int64", "float64:2", ("float64",) * 5, "float64:1"),
        ("hours_kernel.py", "hours.py", "lane_math.py", "lanes.py", "layout.py", "cache.py"),
    ),
    "follow_hours": Kernel(
        "schild.engine.hours_kernel",
        (
            "uint64:1", "float64:1", "float64:1", "float64:1", "int64:1", "float64:1", "float64:1", "float64:1",
            "float64:2", "float64:1", "float64:1", "float64:2", "float64:2", ("float64",) * 26, ("float64",) * 24,
            ("float64",) * 9, "uint8:2", "int8:2", "float32:3", "int32:2",
        ),
        ("hours_kernel.py", "hours.py", "lane_math.py", "lanes.py", "layout.py", "cache.py"),
    ),
    "run_people": Kernel(
        "schild.overdose.kernel",
        (
            "float64:2", "float64:2", "float64", "float64:2", "int64:2", "float64:2", "float64:2", "int64:2",
            "float64:2", "float64:1", "float64:2", "float64:3", "float64:1", "float64:3", "float64:2", "float64:2",
            "int64", "bool", "bool", "bool", "bool", "bool", "bool", "float64:1", "float64", "float64", "int64",
        ),
        ("../overdose/kernel.py", "../overdose/equations.py", "../overdose/layout.py", "additive.py", "lane_math.py",
         "lanes.py", "layout.py", "cache.py"),
    ),
}  # fmt: skip


def sources_digest(name: str, folder: Path | None = None) -> str:
    """Return the hash of a kernel's sources and types as they are now; ``folder``: another place of the sources.

    Line endings do not matter, as Git may change them.

    >>> len(sources_digest("run_groups"))
    64
    """
    digest = sha256(repr(KERNELS[name].types()).encode())
    for source in KERNELS[name].sources:
        digest.update(((folder or Path(__file__).parent) / source).read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


@cache
def stamp() -> dict[str, Any]:
    """Return the record of the build: tools, and hashes of the sources and of the code of each kernel."""
    found: dict[str, Any] = json.loads(files("schild.engine").joinpath("bitcode/stamp.json").read_text("utf-8"))
    return found


def bitcode(name: str) -> bytes:
    """Return the code of a kernel, in LLVM's own format."""
    return lzma.decompress(files("schild.engine").joinpath(f"bitcode/{name}.bc.xz").read_bytes())


@cache
def _machine() -> Any:
    """LLVM's description of this processor; Numba compiles for the same."""
    import llvmlite.binding as llvm  # type: ignore[import-untyped]

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True,
        reloc="static" if target.name.startswith("x86") else "default", codemodel="jitdefault",
    )  # fmt: skip


def object_file(name: str) -> Path:
    """Return the file of a kernel's native code, named by code, LLVM and processor."""
    import llvmlite.binding as llvm

    about = (
        stamp()["kernels"][name]["bitcode"], str(llvm.llvm_version_info), llvm.get_process_triple(),
        llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(),
    )  # fmt: skip
    top = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(top) if top else user_cache_folder()
    return folder / "kernels" / f"{name}-{sha256(repr(about).encode()).hexdigest()[:16]}.o"


def is_portable(name: str) -> bool:
    """Return whether the package has code of a kernel that was made from its present sources."""
    try:
        return os.environ.get(VARIABLE) != "numba" and stamp()["kernels"][name]["sources"] == sources_digest(name)
    except (OSError, ValueError, KeyError):  # no sources, or no code, beside this file
        return False


def _native_object(name: str) -> bytes:
    """Read the native code of a kernel, or compile and keep it."""
    import llvmlite.binding as llvm

    file = object_file(name)
    with suppress(OSError, ValueError):
        found = read_checked(file)
        mark_used(file)
        return found
    code = bitcode(name)
    if sha256(code).hexdigest() != stamp()["kernels"][name]["bitcode"]:
        raise ValueError(f"The code of {name} differs from the one that was built.")
    module = llvm.parse_bitcode(code)
    module.triple, module.data_layout = _machine().triple, str(_machine().target_data)
    made: bytes = _machine().emit_object(module)
    with suppress(OSError):  # a full disk, a folder that cannot be written to
        write_checked(file, made)
        forget_unused(file.parent, r"\w+-[0-9a-f]{16}\.o|\.\d+-[0-9a-f]{8}")  # objects, and files never finished
    return made


@cache
def _linker() -> Any:
    import llvmlite.binding as llvm

    return llvm.create_lljit_compiler(_machine(), suppress_errors=True)


class _Native:
    """A kernel as native code, called like Numba's function; it lets other threads run."""

    def __init__(self, name: str) -> None:
        import llvmlite.binding as llvm

        library: Any = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
        builder = llvm.JITLibraryBuilder().add_object_img(_native_object(name)).export_symbol("entry")
        for outside in OUTSIDE:
            builder.import_symbol(outside, ctypes.cast(library[outside], ctypes.c_void_p).value)
        self._name = name
        self._code = builder.add_current_process().link(_linker(), f"{name}-{id(self)}")  # kept as long as this object
        self._function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p)(self._code["entry"])
        self._takes = _plan(KERNELS[name].takes)
        words = [
            5 + 2 * int(what[-1]) if ":" in what else "d" if what == "float64" else 1 for what in KERNELS[name].types()
        ]
        self._block = struct.Struct("".join("d" if n == "d" else f"{n}q" for n in words))

    def __call__(self, *given: Any) -> None:
        flat: list[Any] = []
        _flatten(given, self._takes, flat)
        try:
            block = self._block.pack(*flat)
        except struct.error as error:
            raise TypeError(f"No matching definition of {self._name}: {error}.") from None
        if self._function(block) not in (0, _NOTHING):
            raise MemoryError(f"There is not enough memory for the workspace of the kernel {self._name}.")


_NOTHING = -2  # status of Numba's functions that return None


def _plan(takes: Any) -> tuple[Any, ...]:
    """Expected form of each argument: type and dimensions of an array, None for a number, a plan for a tuple."""
    return tuple(
        (_plan(what if isinstance(what, tuple) else tuple(kinds(what).values())) if not isinstance(what, str)
         else (np.dtype(what.partition(":")[0]), int(what[-1])) if ":" in what else None)
        for what in takes
    )  # fmt: skip


def _address(array: Any) -> int:
    """Address of an array's data, in a third of the time of ``array.ctypes.data``."""
    return ctypes.addressof(ctypes.c_char.from_buffer(array))


def _flatten(given: Any, plan: tuple[Any, ...], flat: list[Any]) -> None:
    """Append the words that the code takes for some arguments: numbers, and a description of each array."""
    if not isinstance(given, tuple) or len(given) != len(plan):
        raise TypeError(f"No matching definition: expected {len(plan)} values, got {given!r}.")
    for value, what in zip(given, plan, strict=True):
        if what is None:
            flat.append(value)
        elif isinstance(what[0], np.dtype):
            dtype, ndim = what
            if not isinstance(value, np.ndarray) or value.dtype != dtype or value.ndim != ndim:
                raise TypeError(f"No matching definition: expected {ndim}-dimensional {dtype}, got {type(value)}.")
            if not value.flags.carray:
                raise TypeError("No matching definition: an array is not contiguous and writable.")
            size = value.size  # an empty array has no valid address
            place = _address(value) if size else 0
            flat += (0, 0, size, dtype.itemsize, place, *value.shape, *value.strides)
        else:
            _flatten(value, what, flat)


def plain(values: Any, dtype: Any = np.float64) -> NDArray[Any]:
    """Return an array as kernels take it: of one type, contiguous, writable; the same array if it is so already."""
    if isinstance(values, np.ndarray) and values.dtype == dtype and values.flags.carray:
        return values
    return np.require(values, dtype, ["C", "W"])


_entries: dict[str, Callable[..., None]] = {}
_one_at_a_time = Lock()


def entry(name: str) -> Callable[..., None]:
    """Return a kernel to call: native code of the package, or that of Numba where the former is not available.

    Arrays must have the types in ``KERNELS`` and be contiguous and writable; TypeError otherwise.
    """
    if name not in _entries:
        with _one_at_a_time:
            if name not in _entries:
                _entries[name] = _made(name)
    return _entries[name]


def is_native(name: str) -> bool:
    """Return whether a kernel is the package's code; False where Numba compiles it."""
    return isinstance(entry(name), _Native)


def _made(name: str) -> Callable[..., None]:
    if is_portable(name):
        try:
            return _Native(name)
        except Exception:  # any failure of LLVM to read, emit or link on this machine
            logging.getLogger(__name__).info("Numba compiles %s: its code cannot be used here.", name, exc_info=True)
    return compiled_by_numba(name)


def compiled_by_numba(name: str) -> Callable[..., None]:
    """Return a kernel as Numba compiles it, for the types in ``KERNELS`` alone."""
    function: Any = getattr(import_module(KERNELS[name].module), name)
    if not function.signatures:
        function.compile(numba_signature(name))
        function.disable_compile()
    made: Callable[..., None] = function
    return made


def numba_signature(name: str) -> tuple[Any, ...]:
    """Return the types of a kernel's arguments as Numba's."""
    from numba.np.numpy_support import from_dtype

    types: Any = import_module("numba.types")

    def one(what: Any) -> Any:
        if isinstance(what, tuple):
            return types.BaseTuple.from_types([one(part) for part in what])
        if not isinstance(what, str):
            return types.NamedTuple([one(part) for part in kinds(what).values()], what)
        dtype, _, ndim = what.partition(":")
        scalar = from_dtype(np.dtype(dtype))
        return types.Array(scalar, int(ndim), "C") if ndim else scalar

    return tuple(one(what) for what in KERNELS[name].takes)
