"""Random numbers that depend on the seed, a name and the subject, and on nothing else.

A counter-based generator (Philox) keyed by seed and name is moved to the subject's place, so the draw of subject 7
is the same alone, in a chunk, on any thread, and in a run that asks for other quantities as well. Runs that share a
seed share their subjects: common random numbers.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def uniforms(seed: int, name: str, start: int, stop: int) -> Floats:
    """Uniform draws in (0, 1) of subjects ``start`` to ``stop`` for one named quantity.

    ``seed``: seed of the run. ``name``: what is drawn, e.g. ``"naltrexone.cl"``. ``start`` and ``stop``: subjects;
    subject numbers, not positions in a chunk. Returns draws that are never exactly 0 or 1 [1], shape (stop - start,).

    >>> bool((uniforms(1, "cl", 0, 9)[4:] == uniforms(1, "cl", 4, 9)).all())
    True
    """
    key = int.from_bytes(blake2b(f"{seed}:{name}".encode(), digest_size=16).digest(), "little")
    bits = np.random.Philox(key=key)
    bits.advance(start // 4)  # Philox makes four words a step
    words: NDArray[np.uint64] = bits.random_raw(stop - start + start % 4)[start % 4 :]
    return np.asarray(((words >> np.uint64(11)) + 0.5) * 2.0**-53, dtype=np.float64)


def normals(seed: int, name: str, start: int, stop: int) -> Floats:
    """Draw standard normals, with the same guarantee as ``uniforms``.

    ``seed``, ``name``, ``start`` and ``stop``: as for ``uniforms``. Returns standard normal draws [1], shape (stop -
    start,).

    >>> normals(1, "cl", 0, 2).shape
    (2,)
    """
    from scipy.special import ndtri  # slow to import, and a run of one person draws nothing

    return np.asarray(ndtri(uniforms(seed, name, start, stop)), dtype=np.float64)
