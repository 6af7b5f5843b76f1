"""Logarithm and power of lanes agree with NumPy's."""

from __future__ import annotations

import numpy as np

from schild.engine.cache import compiled
from schild.engine.lane_math import SOURCES, logarithm, power
from schild.engine.lanes import load, store


@compiled(SOURCES[1:])
def _all(x, a, log, pow_):
    for i in range(0, len(x), 8):
        store(log, i, logarithm(load(x, i)))
        store(pow_, i, power(load(x, i), load(a, i)))


def test_logarithm_and_power():
    rng = np.random.default_rng(1)
    x = np.concatenate([np.exp(rng.uniform(-100, 100, 8000)), np.exp(rng.uniform(-1e-6, 1e-6, 8000))])
    a = rng.uniform(0.05, 5.0, x.size)
    log, raised = np.empty_like(x), np.empty_like(x)
    _all(x, a, log, raised)
    np.testing.assert_allclose(log, np.log(x), rtol=1e-15, atol=0)
    np.testing.assert_allclose(raised, x**a, rtol=2e-13)
