"""Random numbers that depend only on the seed, a name and the subject.

A counter-based generator (Philox) keyed by seed and name is set to the subject's position, so the draw of subject 7
is the same alone, in a chunk, on any thread, and in a run that asks for other quantities as well. Runs that share a
seed share their subjects: common random numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from threading import local

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats

#: The generator of each thread; its state is set for every stream, which takes a third of the time of making one.
_own = local()


def _words(seed: int, name: str, start: int, stop: int) -> NDArray[np.uint64]:
    """Draw 64 random bits for each of subjects ``start`` to ``stop``."""
    if not hasattr(_own, "bits"):
        _own.bits = np.random.Philox(key=0)
    key = blake2b(f"{seed}:{name}".encode(), digest_size=16).digest()
    _own.bits.state = {
        "bit_generator": "Philox",
        "state": {
            "counter": np.array([start // 4, 0, 0, 0], dtype=np.uint64),  # Philox gives four words a step
            "key": np.frombuffer(key, dtype="<u8"),
        },
        "buffer": np.zeros(4, dtype=np.uint64), "buffer_pos": 4, "has_uint32": 0, "uinteger": 0,
    }  # fmt: skip
    found: NDArray[np.uint64] = _own.bits.random_raw(stop - start + start % 4)
    return found[start % 4 :]


def _unit(words: NDArray[np.uint64]) -> Floats:
    """Uniform numbers of random words, which are overwritten."""
    words >>= np.uint64(11)
    found = words.view(np.int64).astype(np.float64)  # 53 bits: signed numbers become doubles faster
    found += 0.5
    found *= 2.0**-53
    return found


def uniforms(seed: int, name: str, start: int, stop: int) -> Floats:
    """Uniform draws in (0, 1) of subjects ``start`` to ``stop`` for one named quantity.

    ``seed``: seed of the run. ``name``: quantity, e.g. ``"naltrexone.cl"``. ``start`` and ``stop``: subjects;
    subject numbers, not positions in a chunk. Returns draws that are never exactly 0 or 1 [1], shape (stop - start,).

    >>> bool((uniforms(1, "cl", 0, 9)[4:] == uniforms(1, "cl", 4, 9)).all())
    True
    """
    return _unit(_words(seed, name, start, stop))


def uniforms_of(seed: int, names: Sequence[str], start: int, stop: int) -> Floats:
    """Draw ``uniforms`` of several quantities at once, shape (stop - start, n_names).

    >>> bool((uniforms_of(1, ["cl", "vc"], 4, 9)[:, 1] == uniforms(1, "vc", 4, 9)).all())
    True
    """
    return np.ascontiguousarray(_unit(np.stack([_words(seed, name, start, stop) for name in names])).T)


def normals(seed: int, name: str, start: int, stop: int) -> Floats:
    """Draw standard normals, with the same guarantee as ``uniforms``.

    ``seed``, ``name``, ``start`` and ``stop``: as for ``uniforms``. Returns standard normal draws [1], shape (stop -
    start,).

    >>> normals(1, "cl", 0, 2).shape
    (2,)
    """
    return normal_of(uniforms(seed, name, start, stop))


def normal_of(uniform: Floats) -> Floats:
    """Standard normals of uniform draws, the same shape."""
    from scipy.special import ndtri  # slow to import, and a run of one person draws nothing

    return np.asarray(ndtri(uniform), dtype=np.float64)
