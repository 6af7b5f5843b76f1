"""Constants of naloxone, nalmefene and buprenorphine in people, from tomography (docs/design/calibration.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calibration import Fit, Fitted, calibration_rows, cv_of, distances, gauss_newton, predicted, told
from schild.array_types import Floats
from schild.catalog import Observation, load

__all__ = ["BRAIN_SHARE", "SCANS", "Scans", "fit", "fit_one", "followers"]

#: Share of the free level of norbuprenorphine in the brain, recalled (pk.csv, role recommended).
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
    """Return the overrides of a drug's factor: its own, and that of its metabolite by formula.

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


def fit_one(scans: Scans, base: Mapping[str, float]) -> tuple[float, Floats, float]:
    """Fit the factor of one drug; value, standardised residuals, CV of its uncertainty."""
    rows, start = scan_rows(scans), load().drug(scans.drug).number("mor.factor").value
    value, left, covariance = gauss_newton(
        lambda x: distances(rows, {**base, **followers(scans.drug, float(x[0]))}), [start]
    )
    return float(value[0]), left, cv_of(covariance[0, 0])


def fit(base: Mapping[str, float]) -> Fit:
    """Fit each drug; print its rows, the rows that are only shown, and the distance of the rival anchors.

    ``base``: overrides from the kinetic fits, so that all fits of one refit are consistent.
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
        shown = [(o, f"({r:+.2f} SD)") for o, r in zip(scan_rows(scans), left, strict=True)]
        shown += [(o, "(not fitted)") for o in load().studies[scans.study].observations if o.id in scans.shown]
        lines += [told(o, predicted(o, overrides), how) for o, how in shown]
        for rival in number.values:
            if rival.basis == "fitted":
                continue
            beside = {**base, **followers(scans.drug, rival.value)}
            said = ", ".join(f"{predicted(o, beside):.3g}" for o in scan_rows(scans))
            lines.append(
                f"    rival {rival.key:14s} {rival.value:8.4g} = {rival.value * ki * per_nM:6.3g} ng/mL, "
                f"the fit is {factor / rival.value:5.3g} times that; with it the rows are {said}"
            )
        numbers += [
            Fitted.of(name, value, cv if name.startswith(scans.drug) else None)
            for name, value in followers(scans.drug, factor).items()
        ]
    lines.append("nalmefene: the printed maximum is 99.4 %, the model's 100 % (not fitted)")
    return Fit(title="scans of other drugs", numbers=tuple(numbers), lines=tuple(lines))
