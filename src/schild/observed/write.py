"""A simulated data set as a NONMEM table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from schild.errors import InputError, UnknownNameError
from schild.observed.data import is_plasma
from schild.regimen import to_nonmem
from schild.simulation import Result

if TYPE_CHECKING:
    import pandas as pd


def simulated_table(
    result: Result,
    times: Sequence[float],
    *,
    outputs: Sequence[str] | None = None,
    error: float = 0.0,
    lloq: float = 0.0,
    seed: int = 1,
) -> pd.DataFrame:
    """Write a simulated data set as a NONMEM table, which ``read_observed`` reads back.

    Parameters
    ----------
    result : Result
        Result of ``simulate``, of one person or many.
    times : sequence of float
        Times of observations. [h]
    outputs : sequence of str, optional
        Plasma levels that are observed; all of the result by default.
    error : float
        Residual error, as a coefficient of variation of a log-normal factor. [1]
    lloq : float
        Lower limit of quantification; a value below it is written as the limit, with CENS 1. [ng/mL]
    seed : int
        Seed of the residual error.

    Returns
    -------
    DataFrame
        ID, TIME, EVID, AMT, AMTU, RATE, II, ADDL, SS, CMT, DRUG, ROUTE, BASIS, DV, MDV, CENS, LLOQ, ANALYTE, WT, AGE,
        SEX, CRCL, LIVER and CYP2D6, in the order of persons and times.

    Raises
    ------
    InputError
        For a result without people or run, or an output that is not a plasma level.

    Examples
    --------
    >>> import schild
    >>> result = schild.simulate("naltrexone 50 mg po", until="1 d", n=2)
    >>> table = simulated_table(result, [1.0, 4.0], outputs=["plasma_naltrexone"])
    >>> list(zip(table["ID"], table["TIME"], table["EVID"], strict=True))
    [(1, 0.0, 1), (1, 1.0, 0), (1, 4.0, 0), (2, 0.0, 1), (2, 1.0, 0), (2, 4.0, 0)]
    """
    import pandas as pd

    if result.run is None or result.values is None:
        raise InputError("This result has no run; expected the result of `simulate`. Simulate the run.")
    names = [name for name in result.outputs if is_plasma(name)] if outputs is None else list(outputs)
    if odd := [name for name in names if name not in result.outputs or not is_plasma(name)]:
        raise UnknownNameError("plasma level of this result", odd[0], [n for n in result.outputs if is_plasma(n)])
    rng = np.random.default_rng(seed)
    sigma = math.sqrt(math.log1p(error**2))
    doses = to_nonmem(result.run.doses, result.run.until_h)
    levels = {name: [np.atleast_1d(result[name].at(float(t))) for t in times] for name in names}
    covariates = result.values.people.covariates
    frames = []
    for k in range(result.n):
        seen = [
            (
                float(t),
                name.removeprefix("plasma_"),
                float(levels[name][j][k]) * math.exp(sigma * rng.standard_normal()),
            )
            for j, t in enumerate(times)
            for name in names
        ]
        table = pd.DataFrame(
            {
                "TIME": [t for t, _, _ in seen],
                "EVID": 0,
                "DV": [max(v, lloq) for _, _, v in seen],
                "CENS": [int(v < lloq) for _, _, v in seen],
                "ANALYTE": [a for _, a, _ in seen],
            }
        )
        both = pd.concat([doses.assign(ANALYTE="."), table], ignore_index=True).sort_values("TIME", kind="stable")
        both.insert(0, "ID", k + 1)
        both["MDV"] = (both["EVID"] != 0).astype(int)
        both["LLOQ"] = lloq
        for column, name in (("WT", "weight_kg"), ("AGE", "age_years"), ("SEX", "sex"), ("CRCL", "crcl_ml_min"),
                             ("LIVER", "liver"), ("CYP2D6", "cyp2d6")):  # fmt: skip
            both[column] = covariates[name][k]
        frames.append(both)
    whole = pd.concat(frames, ignore_index=True)
    zero = ["AMT", "RATE", "II", "ADDL", "SS", "CMT", "CENS"]
    whole[zero] = whole[zero].fillna(0)
    text = ["AMTU", "DRUG", "ROUTE", "BASIS"]
    whole[text] = whole[text].fillna(".")
    return whole.astype({"EVID": int, "ADDL": int, "SS": int, "CMT": int, "CENS": int})
