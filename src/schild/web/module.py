"""The kernel as a WebAssembly module: package data, with a stamp that says which sources it was made from.

``engine.wasm`` is made by ``make engine`` (``schild.web.build``); ``engine.json`` beside it is the stamp: digest
of the kernel's sources, digest of the module, versions of the tools, and the arguments of its one function.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def stamp() -> dict[str, Any]:
    """Return the stamp of the module.

    ``arguments`` lists what the function ``run_groups`` takes, in order: name, kind (``int``, ``float``, ``Ints``,
    ``Floats`` or ``Flags``) and number of dimensions (0 for a number). Fields of a tuple are named after it, such as
    ``events.time``.

    >>> stamp()["arguments"][0]
    ['first_subject', 'int', 0]
    """
    found: dict[str, Any] = json.loads(files("schild.web").joinpath("engine.json").read_text(encoding="utf-8"))
    return found


def module_bytes() -> bytes:
    """Return the WebAssembly module.

    >>> len(module_bytes()) < 200_000
    True
    """
    return files("schild.web").joinpath("engine.wasm").read_bytes()
