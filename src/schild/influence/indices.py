"""Sobol's and Morris's indices of a function of numbers, by SALib."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.errors import needed

Value = Callable[[Mapping[str, float]], float]
Quantiles = Mapping[str, Callable[[float], float]]


def sobol_indices(quantiles: Quantiles, value: Value, size: int, seed: int) -> dict[str, tuple[float, float]]:
    """Return first-order and total index of each number.

    ``quantiles``: each number at a probability; ``value``: the metric for values by name; ``size``: a power of two, for
    size times (numbers + 2) values. Raises InputError if SALib is missing.
    """
    sample, analyze = _salib("sobol")
    problem = _problem(quantiles, 0.0, 1.0)
    draws = sample.sample(problem, size, calc_second_order=False, seed=seed)
    found = analyze.analyze(problem, _metrics(quantiles, value, draws), calc_second_order=False, seed=seed)
    return {n: (float(a), float(b)) for n, a, b in zip(quantiles, found["S1"], found["ST"], strict=True)}


def morris_indices(quantiles: Quantiles, value: Value, size: int, seed: int) -> dict[str, tuple[float, float]]:
    """Return the mean size of the elementary effects of each number and their standard deviation.

    Numbers move between their 5th and 95th percentile on four levels; ``size``: trajectories, each of numbers + 1
    values. Raises InputError if SALib is missing.
    """
    sample, analyze = _salib("morris")
    problem = _problem(quantiles, 0.05, 0.95)
    draws = sample.sample(problem, size, num_levels=4, seed=seed)
    found = analyze.analyze(problem, draws, _metrics(quantiles, value, draws), num_levels=4, scaled=False, seed=seed)
    return {n: (float(a), float(b)) for n, a, b in zip(quantiles, found["mu_star"], found["sigma"], strict=True)}


def _problem(quantiles: Quantiles, low: float, high: float) -> dict[str, Any]:
    return {"num_vars": len(quantiles), "names": list(quantiles), "bounds": [[low, high]] * len(quantiles)}


def _metrics(quantiles: Quantiles, value: Value, draws: Floats) -> Floats:
    """The metric of each draw; its logarithm where all are above zero."""
    inside = np.clip(draws, 1e-9, 1 - 1e-9)
    found = np.array(
        [value({n: at(float(q)) for (n, at), q in zip(quantiles.items(), row, strict=True)}) for row in inside]
    )
    return np.log(found) if (found > 0).all() else found


def _salib(method: str) -> tuple[Any, ...]:
    return needed("sensitivity", "An index of sensitivity", f"SALib.sample.{method}", f"SALib.analyze.{method}")
