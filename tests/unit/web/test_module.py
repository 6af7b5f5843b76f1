"""The WebAssembly module belongs to the kernel of this version, and computes what the kernel computes."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

import schild
from schild.engine import portable
from schild.engine.layout import W
from schild.web.build import arguments
from schild.web.module import module_bytes, stamp
from wasm_engine import WasmEngine

REGIMENS = (
    ("naltrexone 50 mg po q24h x3",),
    ("naltrexone 380 mg im_depot",),
    ("naltrexone 50 mg po", "heroin 25 mg iv at 24 h"),
    ("naloxone 0.4 mg iv over 2 min",),
)


def test_the_module_is_made_from_the_kernel_of_this_version():
    assert stamp()["sources"] == portable.sources_digest("run_groups"), (
        "The kernel has changed: run `make engine` and commit the module."
    )
    assert stamp()["module"] == hashlib.sha256(module_bytes()).hexdigest()
    assert [tuple(a) for a in stamp()["arguments"]] == arguments()
    assert len(module_bytes()) < 200_000


@pytest.mark.parametrize("regimens", REGIMENS, ids=lambda r: r[-1])
def test_the_module_computes_what_the_kernel_computes(regimens, monkeypatch):
    engine = WasmEngine()
    worst = []
    native = portable.entry("run_groups")

    def both(*given):
        first, stop, *arrays = [tuple(map(_copied, g)) if isinstance(g, tuple) else _copied(g) for g in given]
        native(*given)
        for j in range(first, stop, W):
            engine.run_groups(j, min(j + W, stop), *arrays)
        for ours, theirs in zip(given[-1], arrays[-1], strict=True):
            assert np.array_equal(np.isnan(ours), np.isnan(theirs))
            distance = np.abs(ours - theirs) / (np.abs(ours) + 1e-2)
            worst.append(np.nanmax(distance, initial=0.0))

    monkeypatch.setitem(portable._entries, "run_groups", both)
    schild.simulate(*regimens, until="2 d", warn=False)
    assert worst
    assert max(worst) < 1e-6


def _copied(value):
    return value.copy() if isinstance(value, np.ndarray) else value


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("wasm-ld") is None, reason="needs the linker wasm-ld (Debian package lld)")
def test_the_build_gives_the_committed_module_again(tmp_path):
    """Byte for byte with the same tools; with others it has to be built, and the comparison above holds the numbers."""
    code = (
        "import json, sys; from schild.engine.build import bitcode_of; code = bitcode_of('run_groups');"
        "from schild.web.build import build; made, said = build(); open(sys.argv[1] + '.bc', 'wb').write(code);"
        "open(sys.argv[1], 'wb').write(made); print(json.dumps(said['tools']))"
    )
    settings = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "engine.wasm")],
        env=os.environ | settings, capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    made = (tmp_path / "engine.wasm").read_bytes()
    if json.loads(done.stdout) == stamp()["tools"]:
        assert made == module_bytes()
        assert (tmp_path / "engine.wasm.bc").read_bytes() == portable.bitcode("run_groups")
    else:
        assert made[:4] == b"\0asm"
