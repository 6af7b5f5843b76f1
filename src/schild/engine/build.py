"""Compile the kernels for any processor into ``bitcode``: part of ``make engine``.

Numba compiles each kernel of ``schild.engine.portable`` for a generic processor to LLVM's text, from which the parts
that belong to the host are removed. Numba must have been imported with ``NUMBA_CPU_NAME=generic`` and no
``NUMBA_CPU_FEATURES``, or the text depends on this machine. The same sources and tools give the same bytes.
"""

from __future__ import annotations

import lzma
import re
from hashlib import sha256
from importlib import import_module
from typing import Any

from schild.engine.portable import KERNELS, OUTSIDE, numba_signature, sources_digest

#: Kernels that LLVM does not optimise as a whole after Numba has optimised each function: multiply-adds would be fused
#: across functions, which changes bits.
BY_FUNCTION = ("run_people", "follow_sessions", "follow_hours")
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
#: Memory of arrays inside a kernel: a block begins with the record that Numba's code expects (count of references, two
#: words, address of the numbers), and the numbers follow on a cache line.
_MEMORY = """
declare noalias ptr @malloc(i64)
declare void @free(ptr)
define internal noalias ptr @NRT_MemInfo_alloc_aligned(i64 %size, i32 %align) {
  %whole = add i64 %size, 128
  %record = call ptr @malloc(i64 %whole)
  %none = icmp eq ptr %record, null
  br i1 %none, label %end, label %fill
fill:
  %place = ptrtoint ptr %record to i64
  %past = add i64 %place, 127
  %even = and i64 %past, -64
  %data = inttoptr i64 %even to ptr
  store i64 1, ptr %record
  %at = getelementptr i8, ptr %record, i64 24
  store ptr %data, ptr %at
  br label %end
end:
  ret ptr %record
}
define internal noalias ptr @NRT_MemInfo_alloc(i64 %size) {
  %record = call ptr @NRT_MemInfo_alloc_aligned(i64 %size, i32 64)
  ret ptr %record
}
define internal void @NRT_MemInfo_call_dtor(ptr %record) {
  call void @free(ptr %record)
  ret void
}
"""


def tools() -> dict[str, str]:
    """Return the versions of the compilers."""
    import llvmlite  # type: ignore[import-untyped]
    import numba

    return {"numba": numba.__version__, "llvmlite": llvmlite.__version__}


def portable_text(module: str, function: str, signature: tuple[Any, ...]) -> str:
    """Compile a function with Numba; return LLVM's text of it and of all it calls, without the host's parts."""
    from numba.core import registry

    compiler: Any = import_module("numba.core.compiler")
    flags = compiler.Flags()
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = flags.nrt = flags.release_gil = True
    flags.error_model, flags.enable_pyobject = "numpy", False
    cpu: Any = registry.cpu_target
    typing, target = cpu.typing_context, cpu.target_context
    typing.refresh()
    target.refresh()
    source = getattr(import_module(module), function).py_func
    made = compiler.compile_extra(typing, target, source, signature, None, flags, {})
    text, name = made.library.get_llvm_str(), made.fndesc.llvm_func_name
    text = text.replace(f'@"{name}"', f"@{function}").replace(f"@{name}(", f"@{function}(")
    text = re.sub(r"^target (datalayout|triple) = .*$", "", text, flags=re.M)
    text = re.sub(r"^(attributes #\d+ = )\{.*\}$", r"\1{ nounwind }", text, flags=re.M)
    text = re.sub(r"^declare [^\n]*@llvm\.x86\.atomic\.sub\.cc\.i64[^\n]*$", "", text, flags=re.M)
    text = text.replace("@llvm.x86.atomic.sub.cc.i64", "@count_down")
    return re.sub(r" common (local_unnamed_addr )?global", " internal global", text) + _COUNT_DOWN


def _entry(function: Any, types: list[str]) -> str:
    """Text of a function that takes every argument from one block of words of eight bytes, and calls a kernel.

    The first two words of an array would identify its owner. They are constant zeros, so that the optimiser removes the
    counts of references to arguments.
    """
    lines, passed = ["  %return = alloca ptr", "  %error = alloca ptr"], ["ptr %return", "ptr %error"]
    owner = [k < 2 and ":" in t for t in types for k in range(5 + 2 * int(t[-1]) if ":" in t else 1)]
    for k, kind in enumerate([str(argument.type) for argument in function.arguments][2:]):
        word = "i64" if kind.startswith("i") else kind
        lines += [f"  %p{k} = getelementptr i64, ptr %block, i64 {k}", f"  %w{k} = load {word}, ptr %p{k}"]
        lines += [f"  %v{k} = trunc i64 %w{k} to {kind}"] if word != kind else []
        passed.append(f"{kind} " + ("null" if owner[k] else f"%{'w' if word == kind else 'v'}{k}"))
    assert len(passed) - 2 == len(owner)
    call = f"  %status = call i32 @{function.name}({', '.join(passed)})"
    return "\n".join(["define i32 @entry(ptr %block) {", *lines, call, "  ret i32 %status", "}"])


def bitcode_of(name: str) -> bytes:
    """Compile a kernel and return its code in LLVM's own format."""
    import llvmlite.binding as llvm  # type: ignore[import-untyped]

    text = portable_text(KERNELS[name].module, name, numba_signature(name))
    text = re.sub(r"^declare [^\n]*@NRT_MemInfo_\w+\([^\n]*$", "", text, flags=re.M) + _MEMORY
    # Nobody else counts the references of a kernel's arrays.
    text = re.sub(
        r"(?:%\S+ = )?atomicrmw add ptr (%\S+), i64 1 monotonic[^\n]*",
        r"%count = load i64, ptr \1\n  %more = add i64 %count, 1\n  store i64 %more, ptr \1",
        text,
    )
    # Names of alias scopes hold Numba's count of the functions that this process has compiled.
    text = re.sub(r'^(!\d+ = distinct !\{.*), !"[^"]*"\}$', r"\1}", text, flags=re.M)
    # Pickled exceptions, which contain paths of this machine, are not used here.
    text = re.sub(r'^(@\.const\.pickledata[^=]* = [^"\n]*\]) c"[^"\n]*"', r"\1 zeroinitializer", text, flags=re.M)
    text += _entry(llvm.parse_assembly(text).get_function(name), KERNELS[name].types())
    module = llvm.parse_assembly(text)
    module.verify()
    for number, part in enumerate((*module.functions, *module.global_variables)):
        if not part.is_declaration and part.name != "entry":
            part.linkage, part.name = "internal", f"p{number}"  # Numba's names are long
    outside = {f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")}
    assert outside <= set(OUTSIDE), outside
    machine = llvm.Target.from_default_triple().create_target_machine()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, tuning)
    if name in BY_FUNCTION:
        passes = llvm.create_new_module_pass_manager()
        passes.add_global_dead_code_eliminate_pass()
    else:
        passes = builder.getModulePassManager()
    passes.add_strip_dead_debug_info_pass()
    passes.add_strip_symbols_pass()  # names of values hold that count too
    passes.run(module, builder)
    made: bytes = module.as_bitcode()
    return made


def build(folder: Any) -> None:
    """Build the code of every kernel, with its stamp, into a folder."""
    import json

    said: dict[str, Any] = {"tools": tools(), "kernels": {}}
    for name in KERNELS:
        code = bitcode_of(name)
        (folder / f"{name}.bc.xz").write_bytes(lzma.compress(code, preset=9))
        said["kernels"][name] = {"sources": sources_digest(name), "bitcode": sha256(code).hexdigest()}
        print(f"{name}: {len(code):,} bytes")
    (folder / "stamp.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
