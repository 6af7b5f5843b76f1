"""Results of compiled functions, kept by the content of their arguments while one command runs.

Claims, rows of studies and figures need the same people with the same doses: such a call is computed once. Equal
arguments give equal bits, so results do not depend on whether one was kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

#: Memory for results, of which one may take a quarter. [byte]
MOST = 256_000_000
#: Arguments that do not affect a result.
_APART = ("threads", "chunk", "progress")

#: Types whose ``repr`` is their whole content.
_PLAIN = (str, int, float, bool, type(None), np.generic, np.dtype, type)

_bookkeeping = Lock()  # not held while something is computed
_results: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
_depth = 0
_held = 0


@contextmanager
def keeping() -> Iterator[None]:
    """Keep results inside the block; blocks may be nested, and the end of the outermost drops all results.

    >>> with keeping():
    ...     call(np.cumsum, np.ones(3)) is call(np.cumsum, np.ones(3))
    True
    >>> call(np.cumsum, np.ones(3)) is call(np.cumsum, np.ones(3))
    False
    """
    global _depth, _held
    with _bookkeeping:
        _depth += 1
    try:
        yield
    finally:
        with _bookkeeping:
            _depth -= 1
            if not _depth:
                _results.clear()
                _held = 0


def call(function: Callable[..., T], *given: Any, **named: Any) -> T:
    """Call a function of arrays, or return the kept result of the same call.

    ``function``: returns an array or a dataclass of arrays, which depend on its arguments only;
    ``threads``, ``chunk`` and ``progress`` do not affect them. Arrays of a kept result cannot be written to. Raises
    TypeError for an argument whose content cannot be read: expected numbers, text, types, arrays of numbers, and
    sequences, dicts or dataclasses of these.
    """
    if not _depth:
        return function(*given, **named)
    content: list[Hashable] = [function.__module__, function.__qualname__]
    _write([given, *((name, named[name]) for name in sorted(named) if name not in _APART)], content)
    return once(tuple(content), lambda: function(*given, **named))


def once(key: Hashable, make: Callable[[], T]) -> T:
    """Call ``make``, or return its kept result under the same key, which contains all that it depends on."""
    global _held
    if not _depth:
        return make()
    with _bookkeeping:
        if key in _results:
            _results.move_to_end(key)  # the last to be dropped
            again: T = _results[key][0]
            return again
    found = make()
    size = _bytes(found)
    if size <= MOST // 4:
        _lock(found)
        with _bookkeeping:
            if _depth and key not in _results:  # another thread may have ended the block, or computed the same
                _results[key] = found, size
                _held += size
                while _held > MOST:
                    _held -= _results.popitem(last=False)[1][1]
    return found


def _parts(value: Any) -> tuple[Any, ...] | None:
    """What a value is made of: fields of a dataclass, entries of a dict, members of a sequence; None for another."""
    if isinstance(value, (list, tuple)):
        return tuple(value)
    if isinstance(value, dict):
        return tuple(value.items())
    fields = getattr(value, "__dataclass_fields__", None)
    return None if fields is None else tuple(getattr(value, name) for name in fields)


def _write(value: Any, into: list[Hashable]) -> None:
    """Add the content of a value to a key, with the shapes and kinds that tell equal bytes apart.

    Of an array the key holds Python's hash, 64 bits: it is made in half of the time of a digest, of which a page of an
    answer would need 330 MB, and the chance that two of its thousand calls agree by accident is below 1e-12.
    """
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        into += (value.dtype.str, value.shape, hash(value.tobytes()))
    elif isinstance(value, _PLAIN):
        into.append(repr(value))
    elif (parts := _parts(value)) is None:
        raise TypeError(f"The content of {type(value).__name__} cannot be told; expected numbers, text or arrays.")
    elif all(isinstance(part, _PLAIN) for part in parts):
        into += (type(value).__name__, repr(parts))
    else:
        into += (type(value).__name__, len(parts))
        for part in parts:
            _write(part, into)


def _bytes(value: Any) -> int:
    return value.nbytes if isinstance(value, np.ndarray) else sum(map(_bytes, _parts(value) or ()))


def _lock(value: Any) -> None:
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    for part in _parts(value) or ():
        _lock(part)
