"""Build the kernel as a WebAssembly module: ``python -m schild.web.build``, called by ``make engine-wasm``.

Numba compiles ``schild.engine.kernel.run_group`` for a generic processor to LLVM's text, from which the parts that
belong to the host are taken; llvmlite, which comes with Numba, compiles that text for ``wasm32``, and ``wasm-ld``
(Debian package ``lld``) links it. The same sources and tools give the same bytes. The module imports ``exp``, ``expm1``
and one allocator; its function takes the kernel's arguments one after the other (``stamp()["arguments"]``).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["arguments", "build", "main"]

NAME = "run_group"
FEATURES = "+simd128,+bulk-memory,+nontrapping-fptoint"

#: A decrement of a reference count that says whether it reached zero: an intrinsic of one processor in Numba's text.
_COUNT_DOWN = """
define internal i8 @count_down(ptr %p, i64 %v, i32 %cc) {
  %o = load i64, ptr %p
  %n = sub i64 %o, %v
  store i64 %n, ptr %p
  %z = icmp eq i64 %n, 0
  %r = zext i1 %z to i8
  ret i8 %r
}
"""


def arguments() -> list[tuple[str, str, int]]:
    """List the arguments of ``run_group`` in order: name, kind and number of dimensions (0 for a number).

    >>> arguments()[4]
    ('structure.pole_ptr', 'Ints', 1)
    """
    from schild.engine.layout import SIGNATURE, Events, Found, Structure, Task, kinds

    names: tuple[Any, ...] = (
        "first_subject", "stop_subject", "rows", "status_in", Structure, Events, "start_states", Task, "out_base",
        Found,
    )  # fmt: skip
    found: list[tuple[str, str, int]] = []
    signature: tuple[Any, ...] = SIGNATURE
    for name, what in zip(names, signature, strict=True):
        if isinstance(name, str):
            found.append((name, *_kind(what)))
        else:
            part = name.__name__.lower()
            found += [(f"{part}.{field}", *_kind(of)) for field, of in zip(kinds(name), what.types, strict=True)]
    return found


def _kind(what: Any) -> tuple[str, int]:
    dtype = {"int64": "Ints", "float64": "Floats", "bool": "Flags", "boolean": "Flags"}
    if hasattr(what, "ndim"):
        return dtype[str(what.dtype)], int(what.ndim)
    return {"int64": "int", "float64": "float"}[str(what)], 0


def _host_text() -> str:
    """Compile the kernel and return LLVM's text of it and of all that it calls."""
    from numba.core import registry

    from schild.engine.kernel import run_group
    from schild.engine.layout import SIGNATURE

    compiler: Any = import_module("numba.core.compiler")
    flags = compiler.Flags()
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = flags.nrt = flags.release_gil = True
    flags.error_model, flags.enable_pyobject = "numpy", False
    cpu: Any = registry.cpu_target
    typing, target = cpu.typing_context, cpu.target_context
    typing.refresh()
    target.refresh()
    made = compiler.compile_extra(typing, target, run_group.py_func, SIGNATURE, None, flags, {})
    text: str = made.library.get_llvm_str()
    name = made.fndesc.llvm_func_name
    return text.replace(f'@"{name}"', f"@{NAME}").replace(f"@{name}(", f"@{NAME}(")


def _portable(text: str) -> str:
    """Take out what belongs to the host's processor."""
    text = re.sub(r"^target (datalayout|triple) = .*$", "", text, flags=re.M)
    text = re.sub(r"^(attributes #\d+ = )\{.*\}$", r"\1{ nounwind }", text, flags=re.M)
    text = re.sub(r"^declare [^\n]*@llvm\.x86\.atomic\.sub\.cc\.i64[^\n]*$", "", text, flags=re.M)
    text = text.replace("@llvm.x86.atomic.sub.cc.i64", "@count_down")
    return re.sub(r" common (local_unnamed_addr )?global", " internal global", text) + _COUNT_DOWN


def _linker() -> str:
    found = shutil.which("wasm-ld") or next((p for v in range(22, 13, -1) if (p := shutil.which(f"wasm-ld-{v}"))), None)
    if found is None:
        raise SystemExit("wasm-ld was not found; expected LLVM's linker. Install the Debian package 'lld'.")
    return found


def build() -> tuple[bytes, dict[str, Any]]:
    """Build the module; returns its bytes and its stamp."""
    import llvmlite  # type: ignore[import-untyped]
    import llvmlite.binding as llvm  # type: ignore[import-untyped]
    import numba

    from schild.web.module import sources_digest

    linker = _linker()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple("wasm32-unknown-unknown").create_target_machine(opt=3, features=FEATURES)
    head = f'target datalayout = "{machine.target_data}"\ntarget triple = "wasm32-unknown-unknown"\n'
    module = llvm.parse_assembly(head + _portable(_host_text()))
    module.verify()
    with tempfile.TemporaryDirectory() as folder:
        compiled, linked = Path(folder) / "kernel.o", Path(folder) / "engine.wasm"
        compiled.write_bytes(machine.emit_object(module))
        subprocess.run(
            [linker, "--no-entry", "--allow-undefined", f"--export={NAME}", "--export=__heap_base", "--strip-all",
             "--gc-sections", "-O3", str(compiled), "-o", str(linked)],
            check=True,
        )  # fmt: skip
        made = linked.read_bytes()
    version = subprocess.run([linker, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    return made, {
        "sources": sources_digest(),
        "module": hashlib.sha256(made).hexdigest(),
        "tools": {"numba": numba.__version__, "llvmlite": llvmlite.__version__, "linker": version},
        "arguments": arguments(),
    }


def main() -> int:
    """Build the module and its stamp into the package."""
    made, said = build()
    folder = Path(__file__).parent
    folder.joinpath("engine.wasm").write_bytes(made)
    rows = ",\n  ".join(json.dumps(row) for row in said.pop("arguments"))
    text = json.dumps(said, indent=1)[:-2] + f',\n "arguments": [\n  {rows}\n ]\n}}\n'
    folder.joinpath("engine.json").write_text(text, encoding="utf-8")
    print(f"engine.wasm: {len(made):,} bytes, sha256 {said['module'][:12]}, sources {said['sources'][:12]}")
    return 0


if __name__ == "__main__":
    # The text must not depend on the processor of this machine; Numba reads these when it is imported.
    if os.environ.get("NUMBA_CPU_NAME") != "generic":
        with tempfile.TemporaryDirectory() as cache:
            settings = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": cache}
            sys.exit(subprocess.call([sys.executable, "-m", "schild.web.build"], env=os.environ | settings))
    sys.exit(main())
