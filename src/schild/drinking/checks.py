"""Predictions of published laboratory results: effect sizes, signs, and the power of studies that found nothing."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import numpy as np

from schild.catalog import Catalogue, Observation
from schild.drinking.experiment import Laboratory, laboratory
from schild.errors import InputError

#: Virtual people behind a check, as committed (docs/design/alcohol.md).
PEOPLE = 2000
#: Parameter sets behind a band, and people in each.
DRAWS, PER_DRAW = 40, 200

#: Words of an observable, ``kind:protocol@g/kg:outcome``.
KINDS = {
    "hedges_g": "Hedges g",
    "sign": "direction (Hedges g)",
    "null": "chance that the study finds a difference (p < 0.05)",
    "share_more": "share of people who drink more under the antagonist",
}


def power_of_crossover(difference: float, sd: float, n: int) -> float:
    """Power of a paired t test.

    ``difference`` and ``sd``: mean and standard deviation of the differences within people. Returns the probability
    of p below 0.05, two-sided [1].

    >>> round(power_of_crossover(0.0, 1.0, 20), 3), round(power_of_crossover(0.5, 1.0, 34), 2)
    (0.05, 0.81)
    """
    from scipy.special import nctdtr, stdtrit  # scipy.stats takes half a second to import

    nu, shift = n - 1, difference / sd * np.sqrt(n)
    edge = stdtrit(nu, 0.975)
    return float(1.0 - nctdtr(nu, shift, edge) + nctdtr(nu, shift, -edge))


def laboratory_check(
    o: Observation,
    *,
    seed: int = 1,
    kept: MutableMapping[Any, Laboratory] | None = None,
    catalogue: Catalogue | None = None,
) -> tuple[float, float, float]:
    """Simulate a study and compute its result.

    ``o``: a row of ``studies/alcohol_laboratory.toml``; ``seed``: of people, decisions and ratings; ``kept``:
    experiments shared between rows. Returns the prediction in the unit of the row, and its 90 % band over parameter
    draws (NaN where there is none). Raises InputError for a kind of result that no rule computes.

    >>> from schild.catalog import load
    >>> rows = {o.id: o for o in load().studies["alcohol_laboratory"].observations}
    >>> laboratory_check(rows["omalley2002_craving"])[0] < 0.0
    True
    """
    kind, _, rest = o.observable.partition(":")
    place, _, outcome = rest.partition(":")
    if kind not in KINDS or not outcome:
        raise InputError(
            f"{o.id} measures {o.observable!r}; expected one of {', '.join(KINDS)} with protocol and outcome, like "
            "sign:bar:drinks. Correct the row."
        )
    name, _, dose = place.partition("@")
    changes: dict[str, Any] = {"grams_per_kg": float(dose)} if dose else {}
    kept = {} if kept is None else kept

    def run(**options: Any) -> Laboratory:
        key = (place, o.regimen, *sorted(options.items()))
        if key not in kept:
            kept[key] = laboratory(name, o.regimen, seed=seed, catalogue=catalogue, **options, **changes)
        return kept[key]

    if kind == "null":
        placebo, treated = run(n=PEOPLE).values[outcome]
        change = treated - placebo
        power = power_of_crossover(float(change.mean()), float(change.std(ddof=1)), o.n or 20)
        return power, np.nan, np.nan
    if kind == "share_more":
        placebo, treated = run(n=PEOPLE).values["drinks"]
        return float(np.mean(treated > placebo)), np.nan, np.nan
    g = run(n=PEOPLE, common=True).effects[outcome].g
    if kind == "sign":
        return g, np.nan, np.nan
    return g, *run(n=PER_DRAW, draws=DRAWS, common=True).bands[outcome]
