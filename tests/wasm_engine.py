"""The WebAssembly engine run by wasmtime, with the arguments of the compiled kernel: what a browser does, in a test."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from schild.web.module import module_bytes, stamp


class WasmEngine:
    """One instance of the module; ``run_groups`` takes what ``schild.engine.kernel.run_groups`` takes."""

    def __init__(self) -> None:
        wasmtime = pytest.importorskip("wasmtime")
        self.store = wasmtime.Store()
        f64, i32, i64 = wasmtime.ValType.f64(), wasmtime.ValType.i32(), wasmtime.ValType.i64()
        module = wasmtime.Module(self.store.engine, module_bytes())

        def host(inputs: list[Any], outputs: list[Any], act: Callable[..., Any]) -> Any:
            return wasmtime.Func(self.store, wasmtime.FuncType(inputs, outputs), act)

        provided = {
            "exp": host([f64], [f64], math.exp),
            "expm1": host([f64], [f64], math.expm1),
            "NRT_MemInfo_alloc_aligned": host([i64, i32], [i32], self._counted),
            "NRT_MemInfo_call_dtor": host([i32], [], lambda place: None),
        }
        instance = wasmtime.Instance(self.store, module, [provided[i.name] for i in module.imports])
        found = instance.exports(self.store)
        self.memory, self.function = found["memory"], found["run_groups"]
        self.base = found["__heap_base"].value(self.store)
        self.free = self.base

    def _room(self, size: int) -> int:
        place = -(-self.free // 64) * 64
        self.free = place + size
        missing = self.free - self.memory.data_len(self.store)
        if missing > 0:
            self.memory.grow(self.store, -(-missing // 65536) + 16)
        return place

    def _counted(self, size: int, align: int) -> int:
        """Allocate what Numba counts the references of: the count comes first, the address of the data twice."""
        record, data = self._room(64), self._room(max(size, 8))
        self.memory.write(self.store, np.int64(1).tobytes(), record)
        self.memory.write(self.store, np.int32(data).tobytes(), record + 16)
        self.memory.write(self.store, np.int32(data).tobytes(), record + 24)
        return record

    def run_groups(self, *given: Any) -> None:
        """Call the function; arrays are copied in, and back."""
        flat = [v for value in given for v in (value if isinstance(value, tuple) else (value,))]
        self.free = self.base
        passed: list[Any] = [self._room(16), self._room(16)]
        arrays: list[tuple[Any, int]] = []
        for value, (_, kind, ndim) in zip(flat, stamp()["arguments"], strict=True):
            if not ndim:
                passed.append(float(value) if kind == "float" else int(value))
                continue
            assert value.ndim == ndim
            assert value.flags.c_contiguous
            place = self._room(max(value.nbytes, 8))
            self.memory.write(self.store, value.tobytes(), place)
            arrays.append((value, place))
            passed += [0, 0, value.size, value.itemsize, place, *value.shape, *value.strides]
        assert self.function(self.store, *passed) == 0
        for value, place in arrays:
            back = bytes(self.memory.read(self.store, place, place + value.nbytes))
            value[...] = np.frombuffer(back, value.dtype).reshape(value.shape)
