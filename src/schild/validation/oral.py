"""Oral kinetics of naltrexone: arms of studies at one dose, their mean, and what the model says of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from schild.catalog import Catalogue, Observation
from schild.regimen import parse_regimen
from schild.simulation.observe import predict

STUDY = "naltrexone_oral_pk"
DOSE_MG = 50.0
#: Quantities and their units.
QUANTITIES = {"auc": "ng*h/mL", "cmax": "ng/mL", "tmax": "h", "half_life": "h"}


def arms(catalogue: Catalogue, roles: Collection[str]) -> dict[tuple[str, str], list[Observation]]:
    """Rows of single oral doses by species and quantity; bounds and other routes are left out."""
    found: dict[tuple[str, str], list[Observation]] = {
        (species, quantity): [] for species in ("naltrexone", "beta_naltrexol") for quantity in QUANTITIES
    }
    for o in catalogue.studies[STUDY].observations:
        key = (o.species, o.observable.removesuffix("_last"))
        if key in found and o.role in roles and o.regimen.endswith(" po") and o.high is None:
            found[key].append(o)
    return {key: rows for key, rows in found.items() if rows}


def scaled(o: Observation) -> float:
    """Value of a row scaled to 50 mg; concentrations and areas are proportional to dose."""
    dose = parse_regimen(o.regimen).doses[0].amount
    assert dose is not None  # every oral row gives an amount
    return o.value * (DOSE_MG / dose.value if o.observable in ("cmax", "auc", "auc_last") else 1.0)


def geometric_mean(rows: Sequence[Observation]) -> tuple[float, float]:
    """n-weighted geometric mean of rows scaled to 50 mg, and the standard deviation of log values between studies.

    An arm of unknown size has the weight of the smallest known one.
    """
    smallest = min((o.n for o in rows if o.n), default=1)
    logs = np.log([scaled(o) for o in rows])
    mean = float(np.average(logs, weights=[o.n or smallest for o in rows]))
    studies = sorted({o.study for o in rows})
    by_study = [np.average([x for x, o in zip(logs, rows, strict=True) if o.study == s]) for s in studies]
    return float(np.exp(mean)), float(np.std(by_study, ddof=1)) if len(by_study) > 1 else 0.0


def predicted(species: str, quantity: str, **options: Any) -> float:
    """Prediction for 50 mg by mouth; ``options``: of ``schild.simulation.observe.predict``."""
    o = Observation(
        id=quantity, study="", observable=quantity, species=species, regimen=f"naltrexone {DOSE_MG:g} mg po",
        value=1.0, unit=QUANTITIES[quantity],
    )  # fmt: skip
    return float(predict(o, **options)[0])
