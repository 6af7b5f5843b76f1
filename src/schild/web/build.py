"""Build the code that comes with the package: ``python -m schild.web.build``, called by ``make engine``.

Numba compiles the kernels for a generic processor (``schild.engine.build``). Of each its portable code is kept; the
engine's is also compiled by llvmlite, which comes with Numba, for ``wasm32``, and linked by ``wasm-ld`` (Debian package
``lld``). The module imports ``exp``, ``expm1`` and one allocator; its function takes the kernel's arguments one after
the other (``stamp()["arguments"]``).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from schild.engine.layout import kinds
from schild.engine.portable import KERNELS

NAME = "run_groups"
FEATURES = "+simd128,+bulk-memory,+nontrapping-fptoint"


def arguments() -> list[tuple[str, str, int]]:
    """List the arguments of ``run_groups`` in order: name, kind and number of dimensions (0 for a number).

    >>> arguments()[4]
    ('structure.pole_ptr', 'Ints', 1)
    """
    names = ("first_subject", "stop_subject", "rows", "status_in", "", "", "start_states", "", "out_base", "")
    found: list[tuple[str, str, int]] = []
    for name, what in zip(names, KERNELS["run_groups"].takes, strict=True):
        if name:
            found.append((name, *_kind(what)))
        else:
            found += [(f"{what.__name__.lower()}.{field}", *_kind(of)) for field, of in kinds(what).items()]
    return found


def _kind(what: str) -> tuple[str, int]:
    dtype, _, dimensions = what.partition(":")
    if dimensions:
        return {"int64": "Ints", "float64": "Floats", "bool": "Flags"}[dtype], int(dimensions)
    return {"int64": "int", "float64": "float"}[dtype], 0


def _linker() -> str:
    found = shutil.which("wasm-ld") or next((p for v in range(22, 13, -1) if (p := shutil.which(f"wasm-ld-{v}"))), None)
    if found is None:
        raise SystemExit("wasm-ld was not found; expected LLVM's linker. Install the Debian package 'lld'.")
    return found


def build() -> tuple[bytes, dict[str, Any]]:
    """Build the module; returns its bytes and its stamp."""
    import llvmlite.binding as llvm  # type: ignore[import-untyped]

    from schild.engine.build import portable_text, tools
    from schild.engine.portable import numba_signature, sources_digest

    linker = _linker()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple("wasm32-unknown-unknown").create_target_machine(opt=3, features=FEATURES)
    head = f'target datalayout = "{machine.target_data}"\ntarget triple = "wasm32-unknown-unknown"\n'
    module = llvm.parse_assembly(head + portable_text("schild.engine.kernel", NAME, numba_signature("run_groups")))
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
        "sources": sources_digest("run_groups"),
        "module": hashlib.sha256(made).hexdigest(),
        "tools": tools() | {"linker": version},
        "arguments": arguments(),
    }


def main() -> int:
    """Build the kernels' code, the module and their stamps into the package."""
    from schild.engine.build import build as build_bitcode

    build_bitcode(Path(__file__).parent.parent / "engine" / "bitcode")
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
