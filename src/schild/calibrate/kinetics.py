"""Kinetic numbers once tuned by hand on calibration rows, fitted to just those rows (docs/design/calibration.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from schild.array_types import Floats
from schild.calibrate import Fit, Fitted, calibration_rows, gauss_newton
from schild.catalog import Observation
from schild.simulation.observe import predict

__all__ = ["RESIDUAL", "STAGES", "Stage", "fit", "rows_of"]

#: Assay and sampling, as the standard deviation of a row's logarithm: that of the bands (schild.validation.check).
RESIDUAL = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Numbers fitted together: starting values, rows as ``study/id``, and priors (centre, spread of the logarithm)."""

    title: str
    start: Mapping[str, float]
    rows: tuple[str, ...]
    priors: Mapping[str, tuple[float, float]] = field(default_factory=dict)


STAGES = (
    Stage(
        title="glucuronides of morphine",
        start={"m3g.cl": 5.0, "m6g.cl": 9.4},
        rows=("morphine_pk/iv10_m3g_auc", "morphine_pk/iv10_m6g_auc"),
    ),
    Stage(
        title="heroin and 6-acetylmorphine",
        start={"heroin.vc": 10.0, "mam.vc": 70.0},
        rows=("heroin_pk/inturrisi1984_half_life", "heroin_pk/rook2006_mam_half_life"),
    ),
    Stage(
        title="codeine",
        start={"codeine.cl": 65.0, "codeine.fm.morphine": 0.04, "c6g.cl": 4.9},
        rows=("codeine_pk/yue1991_auc", "codeine_pk/kirchheiner2007_em", "codeine_pk/yue1991_c6g_ratio"),
    ),
    Stage(
        title="hydrocodone",
        start={
            "hydrocodone.cl": 38.7, "hydrocodone.vc": 212.0, "hydrocodone.oral.ka": 1.9, "hydrocodone.oral_er.ka": 0.22,
        },
        rows=(
            "hydrocodone_pk/hydromet_cmax", "hydrocodone_pk/hydromet_tmax", "hydrocodone_pk/hydrocodone_er_auc",
            "hydrocodone_pk/hydrocodone_er_cmax", "hydrocodone_pk/hydrocodone_er_tmax",
        ),
        priors={"hydrocodone.vc": (211.75, 0.2)},
    ),
    Stage(
        title="oxycodone",
        start={"oxycodone.cl": 60.0, "oxycodone.oral.ka": 1.1},
        rows=(
            "oxycodone_pk/oxycodone15_auc", "oxycodone_pk/oxycodone30_auc",
            "oxycodone_pk/oxycodone15_cmax", "oxycodone_pk/oxycodone15_tmax",
        ),
        priors={"oxycodone.cl": (48.0, 0.25)},
    ),
    Stage(
        title="oxymorphone",
        start={"oxymorphone.oral.f": 0.115, "oxymorphone.oral_er.ka": 0.12},
        rows=("oxymorphone_pk/oxymorphone_er20_auc", "oxymorphone_pk/oxymorphone_er20_cmax"),
        priors={"oxymorphone.oral.f": (0.10, 0.3)},
    ),
    Stage(
        title="methylnaltrexone",
        start={"methylnaltrexone.vc": 40.0, "methylnaltrexone.sc.ka": 4.0},
        rows=("methylnaltrexone_pk/methylnaltrexone_cmax", "methylnaltrexone_pk/methylnaltrexone_tmax"),
        priors={"methylnaltrexone.vc": (40.0, 0.3)},
    ),
    Stage(
        title="nalmefene from the nose",
        start={"nalmefene.in.ka": 18.0},
        rows=("nalmefene_pk/crystal2024_in_tmax",),
    ),
    Stage(
        title="norbuprenorphine",
        start={"norbuprenorphine.cl": 31.0},
        rows=("buprenorphine_pk/greenwald2003_norbuprenorphine",),
    ),
)  # fmt: skip


def rows_of(stage: Stage) -> tuple[Observation, ...]:
    """Return the rows of a stage, each of which must be marked for calibration.

    >>> [o.id for o in rows_of(STAGES[1])]
    ['inturrisi1984_half_life', 'rook2006_mam_half_life']
    """
    found = []
    for name in stage.rows:
        study, _, key = name.partition("/")
        found += [o for o in calibration_rows(study, key) if o.id == key]
    return tuple(found)


def _logs(rows: Sequence[Observation], overrides: Mapping[str, float]) -> Floats:
    """Logarithms of predicted over observed."""
    said = [float(predict(o, overrides=dict(overrides), receptors=["mor"])[0]) for o in rows]
    return np.asarray(np.log(np.array(said) / np.array([o.value for o in rows])), dtype=np.float64)


def fit_stage(stage: Stage, base: Mapping[str, float]) -> tuple[dict[str, float], Floats]:
    """Fit one stage on top of the ones before; numbers, and log residuals of its rows."""
    rows, names = rows_of(stage), tuple(stage.start)

    def residuals(x: Floats) -> Floats:
        now = dict(zip(names, (float(v) for v in x), strict=True))
        held = [np.log(now[name] / centre) / spread for name, (centre, spread) in stage.priors.items()]
        return np.concatenate([_logs(rows, {**base, **now}) / RESIDUAL, held])

    value, left, _ = gauss_newton(residuals, stage.start.values())
    return dict(zip(names, (float(v) for v in value), strict=True)), left[: len(rows)] * RESIDUAL


def fit() -> Fit:
    """Fit every stage in order.

    Uncertainties stay those of the catalogue: one study says nothing of the spread between studies.
    """
    known: dict[str, float] = {}
    lines: list[str] = []
    for stage in STAGES:
        numbers, left = fit_stage(stage, known)
        known |= numbers
        lines.append(stage.title)
        for o, r in zip(rows_of(stage), left, strict=True):
            lines.append(
                f"    {o.id:32s} observed {o.value:7.4g} {o.unit:8s} model {o.value * np.exp(r):7.4g}"
                f"  ({r / RESIDUAL:+.2f} SD)"
            )
        for name, (centre, spread) in stage.priors.items():
            off = np.log(known[name] / centre) / spread
            lines.append(f"    prior of {name:23s} {centre:g}, {spread:g} of the logarithm ({off:+.2f} SD)")
    fitted = []
    for name, value in known.items():
        drug, _, number = name.partition(".")
        fitted.append(Fitted(drug=drug, name=number, value=value))
    return Fit(title="kinetics of other drugs", numbers=tuple(fitted), lines=tuple(lines))
