"""Standardised mean differences, as pooled in reviews of laboratory studies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from schild.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSize:
    """Standardised difference between two groups, with its interval and p-value."""

    #: Hedges' g and its interval [1]
    g: float
    low: float
    high: float
    p: float  #: Two-sided p of the t test that goes with the design [1]
    #: Means, and the standard deviation that standardises, in the unit of the values
    treated: float
    control: float
    sd: float
    n: int


def hedges_g(treated: ArrayLike, control: ArrayLike, *, paired: bool) -> EffectSize:
    r"""Hedges' g of two groups or of two sessions of the same people [Borenstein2009].

    .. math::

        g = J(\nu)\,\frac{\bar x_1 - \bar x_2}{S},\qquad
        J(\nu) = \frac{\Gamma(\nu/2)}{\sqrt{\nu/2}\;\Gamma((\nu-1)/2)}

    ``treated`` and ``control``: one value for each person; of the same people in the same order if ``paired``;
    ``paired``: whether both are of the same people (crossover): the variance then has the factor 2 (1 - r). S is the
    pooled standard deviation between people in both designs, so that they can be compared. The interval is that of
    95 %. Raises InputError if a group has fewer than two people, or all values are equal.

    >>> import numpy as np
    >>> x = np.arange(10.0)
    >>> found = hedges_g(x - 1.0, x, paired=False)
    >>> round(found.g, 3), round(found.low, 3), round(found.high, 3)
    (-0.316, -1.161, 0.529)
    """
    a, b = np.asarray(treated, dtype=np.float64), np.asarray(control, dtype=np.float64)
    if min(a.size, b.size) < 2 or (paired and a.size != b.size):
        raise InputError(
            f"The groups have {a.size} and {b.size} people; expected at least two in each, and as many in both for the "
            "same people. Ask for more people."
        )
    pooled = ((a.size - 1) * a.var(ddof=1) + (b.size - 1) * b.var(ddof=1)) / (a.size + b.size - 2)
    if not pooled > 0.0:
        raise InputError("All values are equal; expected people who differ. Choose another outcome or more people.")
    sd = float(np.sqrt(pooled))
    d = float(a.mean() - b.mean()) / sd
    if paired:
        nu = a.size - 1
        r = float(np.clip(np.corrcoef(a, b)[0, 1], -1.0, 1.0)) if a.std() > 0 and b.std() > 0 else 0.0
        variance = (1.0 / a.size + d * d / (2.0 * a.size)) * 2.0 * (1.0 - r)
        moved = a - b
        with np.errstate(divide="ignore"):  # all differences are equal
            t = moved.mean() / np.sqrt(moved.var(ddof=1) / a.size) if np.any(moved) else 0.0
    else:
        nu = a.size + b.size - 2
        variance = (a.size + b.size) / (a.size * b.size) + d * d / (2.0 * (a.size + b.size))
        t = d / np.sqrt(1.0 / a.size + 1.0 / b.size)
    small = (
        float(np.exp(special.gammaln(nu / 2.0) - special.gammaln((nu - 1) / 2.0)) / np.sqrt(nu / 2.0))
        if nu > 1
        else 0.0
    )
    half = float(special.ndtri(0.975)) * small * float(np.sqrt(variance))
    return EffectSize(
        g=small * d,
        low=small * d - half,
        high=small * d + half,
        p=2.0 * float(special.stdtr(nu, -abs(t))),  # of SciPy's t tests, whose module takes half a second to import
        treated=float(a.mean()),
        control=float(b.mean()),
        sd=sd,
        n=a.size if paired else a.size + b.size,
    )
