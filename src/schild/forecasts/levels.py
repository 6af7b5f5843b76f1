"""Measured plasma levels in words, and their likelihood in people."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from schild.array_types import Floats
from schild.catalog import Catalogue
from schild.errors import InputError
from schild.observed.read import UNITS, ng_ml
from schild.units import hours

_LEVEL = re.compile(
    r"(?:(?P<drug>\S+)\s+)?(?P<below><\s*)?(?P<value>\d+(?:\.\d*)?|\.\d+)\s*(?P<unit>[A-Za-zµμ]+/[A-Za-z]+)\s+at\s+(?P<time>.+)"
)


class Level(NamedTuple):
    """A measured plasma level."""

    species: str
    value: float  #: [ng/mL]
    time_h: float
    below: bool  #: Whether it lies below ``value``, the limit of quantification


def level_of(words: str, drug: str, catalogue: Catalogue) -> Level:
    """Read a level in words.

    ``words``: such as ``"0.8 ng/mL at 25 d"``, ``"6-beta-naltrexol 1.1 ng/mL at 25 d"`` or ``"<0.5 ng/mL at 25 d"``;
    ``drug``: the drug where none is named. Raises InputError for other words.

    >>> from schild.catalog import load
    >>> level_of("6-beta-naltrexol 1.1 ug/L at 1 d", "naltrexone", load())
    Level(species='beta_naltrexol', value=1.1, time_h=24.0, below=False)
    """
    found = _LEVEL.fullmatch(words.strip())
    if found is None:
        raise InputError(
            f"{words!r} is not a level; expected an amount, a unit and a time. Write it like '0.8 ng/mL at 25 d'."
        )
    size = ng_ml(found["unit"])
    if size is None:
        raise InputError(
            f"{words!r} has the unit {found['unit']}; expected one of {', '.join(UNITS)}. Convert it to one."
        )
    value = float(found["value"]) * size
    if value <= 0:
        raise InputError(
            f"{words!r} is not above 0; expected a level, or '<' and the limit of quantification. Correct it."
        )
    species = catalogue.drug((found["drug"] or drug).lower()).key
    return Level(species, value, hours(found["time"]), found["below"] is not None)


def likelihood(seen: Floats, levels: Sequence[Level], error: float) -> Floats:
    """Logarithm of the likelihood of measured levels for each person, without constants; shape (n_people,).

    ``seen``, shape (n_people, n_levels): the level of each at the times [ng/mL]; ``error``: coefficient of variation of
    a log-normal error. A level below the limit of quantification enters by its probability.
    """
    return np.asarray(-0.5 * (off_of(seen, levels, error) ** 2).sum(axis=1))


def off_of(seen: Floats, levels: Sequence[Level], error: float) -> Floats:
    """Residuals whose squares are twice the negative logarithm of the likelihood; arguments as for ``likelihood``."""
    from scipy.special import log_ndtr

    sigma = math.sqrt(math.log1p(error**2))
    with np.errstate(divide="ignore"):
        off = (np.log([x.value for x in levels]) - np.log(np.maximum(seen, 1e-300))) / sigma
    return np.where([x.below for x in levels], np.sqrt(-2.0 * log_ndtr(off)), off)


def weights_of(log: Floats) -> tuple[Floats, float]:
    """Convert logarithms of weights to weights of sum 1, and return the effective number of people (Kish)."""
    weights = np.exp(log - np.max(log))
    weights /= weights.sum()
    return weights, float(1.0 / np.sum(weights**2))


def quantile(values: Floats, weights: Floats, q: float | Sequence[float]) -> Any:
    """Weighted quantiles, where the cumulative weight passes ``q``.

    >>> float(quantile(np.array([3.0, 1.0, 2.0]), np.array([0.2, 0.2, 0.6]), 0.5))
    2.0
    """
    return np.quantile(values, q, weights=weights, method="inverted_cdf")
