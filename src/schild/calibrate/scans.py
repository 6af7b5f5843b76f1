"""Constants in man of naloxone, nalmefene and buprenorphine, from tomography alone (docs/design/calibration.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.calibrate import Fit, Fitted, calibration_rows, cv_of, gauss_newton
from schild.catalog import Observation, load
from schild.simulation.observe import predict

__all__ = ["BRAIN_SHARE", "SCANS", "Scans", "fit", "fit_one", "followers"]

#: Share of the free level of norbuprenorphine that the brain sees, recalled (pk.csv, role recommended).
BRAIN_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Scans:
    """A drug, the rows its factor is fitted to, and rows that are only shown beside them."""

    drug: str
    study: str
    ids: tuple[str, ...]
    shown: tuple[str, ...] = ()


SCANS = (
    Scans(drug="naloxone", study="naloxone_pet", ids=("trostheim2023",)),
    Scans(drug="nalmefene", study="nalmefene_pet", ids=("kyhl2016",)),
    Scans(
        drug="buprenorphine",
        study="buprenorphine_pk",
        ids=("greenwald2003_2mg", "greenwald2003_16mg"),
        shown=("greenwald2003_32mg",),
    ),
)


def followers(drug: str, factor: float) -> dict[str, float]:
    """Return the overrides that a drug's factor brings along: its own, and its metabolite's by formula.

    >>> followers("buprenorphine", 0.5)
    {'buprenorphine.mor.factor': 0.5, 'norbuprenorphine.mor.factor': 10.0}
    """
    found = {f"{drug}.mor.factor": factor}
    return found | {"norbuprenorphine.mor.factor": factor / BRAIN_SHARE} if drug == "buprenorphine" else found


def scan_rows(scans: Scans) -> tuple[Observation, ...]:
    """Return the fitted rows: scans, not the levels printed for the same people, which have role check.

    >>> [o.value for o in scan_rows(SCANS[2])]
    [41.0, 80.0]
    """
    rows = calibration_rows(scans.study, *scans.ids)
    return tuple(o for o in rows if o.observable in ("occupancy", "half_occupancy:mor"))


def _model(o: Observation, overrides: Mapping[str, float]) -> float:
    options: dict[str, Any] = {"receptors": ["mor"]} if o.observable == "occupancy" else {}
    return float(predict(o, overrides=dict(overrides), **options)[0])


def _of(scans: Scans, base: Mapping[str, float]) -> Callable[[Floats], Floats]:
    rows = scan_rows(scans)

    def residuals(x: Floats) -> Floats:
        overrides = {**base, **followers(scans.drug, float(x[0]))}
        out = []
        for o in rows:
            assert o.sd_fixed is not None  # rows for calibration carry it
            said = _model(o, overrides)
            level = o.observable != "occupancy"  # levels are positive and skewed
            out.append(np.log(said / o.value) / (o.sd_fixed / o.value) if level else (said - o.value) / o.sd_fixed)
        return np.array(out)

    return residuals


def fit_one(scans: Scans, base: Mapping[str, float]) -> tuple[float, Floats, float]:
    """Fit the factor of one drug; value, standardised residuals, CV of its uncertainty."""
    start = load().drug(scans.drug).number("mor.factor").value
    value, left, covariance = gauss_newton(_of(scans, base), [start])
    return float(value[0]), left, cv_of(covariance[0, 0])


def fit(base: Mapping[str, float]) -> Fit:
    """Fit each drug; print its rows, the rows that are only shown, and how far the rival anchors lie.

    ``base``: overrides from the kinetic fits, so that one refit is consistent in itself.
    """
    numbers: list[Fitted] = []
    lines: list[str] = []
    for scans in SCANS:
        factor, left, cv = fit_one(scans, base)
        drug = load().drug(scans.drug)
        number = drug.number("mor.factor")
        overrides = {**base, **followers(scans.drug, factor)}
        per_nM = drug.number(str(drug.mw)).value / drug.number("fu").value / 1000.0
        ki = drug.number("mor.ki").value
        lines.append(f"{scans.drug}: constant {factor * ki:.3g} nM free, {factor * ki * per_nM:.3g} ng/mL of plasma")
        said_of = [(o, f"({r:+.2f} SD)") for o, r in zip(scan_rows(scans), left, strict=True)]
        said_of += [(o, "(not fitted)") for o in load().study(scans.study).observations if o.id in scans.shown]
        lines += [
            f"    {o.id:28s} observed {o.value:6.4g} {o.unit:6s} model {_model(o, overrides):6.4g}  {how}"
            for o, how in said_of
        ]
        for rival in number.values:
            if rival.basis == "fitted":
                continue
            beside = {**base, **followers(scans.drug, rival.value)}
            said = ", ".join(f"{_model(o, beside):.3g}" for o in scan_rows(scans))
            lines.append(
                f"    rival {rival.key:14s} {rival.value:8.4g} = {rival.value * ki * per_nM:6.3g} ng/mL, "
                f"the fit is {factor / rival.value:5.3g} times that; with it the rows are {said}"
            )
        for name, value in followers(scans.drug, factor).items():
            key, _, what = name.partition(".")
            numbers.append(Fitted(drug=key, name=what, value=value, cv=cv if key == scans.drug else None))
    lines.append("nalmefene: the printed maximum is 99.4 %, the model's 100 % (not fitted)")
    return Fit(title="scans of other drugs", numbers=tuple(numbers), lines=tuple(lines))
