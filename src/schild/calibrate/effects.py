"""Effects of agonists alone: reserve and scale of each effect, one potency factor a drug (docs/design/effects.md).

No run here has an antagonist on board, and the catalogue holds the result before one is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from schild.calibrate import Fit, Fitted, Floats, calibration_rows, gauss_newton
from schild.catalog import Observation, load
from schild.pharmacology.effects import transducer_ratio
from schild.simulation.observe import predict

STUDY = "agonist_effects"

#: What each stage fits, with starting values, and the rows it fits to. Later stages stand on earlier ones.
STAGES: tuple[tuple[str, Mapping[str, float], tuple[str, ...]], ...] = (
    ("reserve of breathing", {"ventilation_isohypercapnic.reserve": 2.5}, ("dahan2005_plateau",)),
    (
        "potency on breathing",
        {"fentanyl.mor.factor": 3.0, "morphine.mor.factor": 120.0, "m6g.mor.factor": 6000.0},
        ("algera2021_naive", "dahan2004_morphine", "romberg2003_morphine", "romberg2003_m6g"),
    ),
    (
        "transduction of buprenorphine in breathing",
        {"ventilation_isohypercapnic.transduction.buprenorphine": 7.0},
        ("yassen2007_buprenorphine",),
    ),
    ("reserve of miosis", {"pupil.reserve": 2.3}, ("lotsch2001_morphine",)),
    (
        "range of miosis, potency of hydromorphone and 6-acetylmorphine",
        {"pupil.range": 4.0, "hydromorphone.mor.factor": 100.0, "mam.mor.factor": 120.0},
        ("brands2004_hydromorphone_pupil", "brands2004_heroin_pupil", "hill2000_ratio", "dunn2018_ratio"),
    ),
    ("potency of oxycodone", {"oxycodone.mor.factor": 20.0}, ("ladebo2020",)),
    (
        "liking",
        {"liking.reserve": 2.0, "liking.slope": 1.0},
        (
            "brands2004_hydromorphone_liking",
            "brands2004_heroin_liking",
            "webster2011_morphine",
            "backonja2016_oxycodone",
        ),
    ),
    ("potency of hydrocodone", {"hydrocodone.mor.factor": 20.0}, ("darwish2017_hydrocodone",)),
    ("reserve of pain relief", {"analgesia.reserve": 1.6}, ("sarton2000",)),
    # No effect of its own is measured; its factor, for mu and kappa alike, is that of the table of equal doses.
    ("potency of pentazocine", {"pentazocine.mor.factor": 50.0}, ("equianalgesic/equal_pentazocine_im",)),
)


#: What is held to be likely before the rows are looked at: centre and spread of the logarithm. Four ratings of single
#: doses cannot tell reserve from slope; the dossier judges that liking sits near breathing, and one is the plain form.
PRIORS: Mapping[str, tuple[float, float]] = {"liking.reserve": (2.57, 0.5), "liking.slope": (1.0, 0.3)}

#: Agonists without an effect of their own to fit: their factor was read from the concentration at half effect.
BY_FORMULA = ("oxymorphone", "methadone", "carfentanil")


def _with_reserve(drug: str, known: Mapping[str, float]) -> float:
    """Turn a half-effect factor into one of affinity: at half effect occupancy is 1 / tau, so Kd = C50 (tau - 1)."""
    entry = load().drug(drug)
    (anchor,) = (v.value for v in entry.number("mor.factor").values[1:2])
    efficacy = entry.number(str(entry.binding["mor"].efficacy)).value
    ratio = float(transducer_ratio(known["ventilation_isohypercapnic.reserve"], efficacy))
    return anchor * (ratio - 1.0)


def residuals(rows: Sequence[Observation], overrides: Mapping[str, float]) -> Floats:
    """Standardised residuals; of logarithms for concentrations and ratios, which are positive and skewed."""
    out = []
    for o in rows:
        assert o.sd_fixed is not None  # rows for calibration carry it
        found = float(predict(o, overrides=dict(overrides))[0])
        if o.observable.startswith(("c50", "c25", "half_plateau", "dose_ratio", "equal_dose")):
            out.append(np.log(found / o.value) / (o.sd_fixed / o.value))
        else:
            out.append((found - o.value) / o.sd_fixed)
    return np.array(out)


def _of(rows: Sequence[Observation], names: Sequence[str], known: Mapping[str, float]) -> Callable[[Floats], Floats]:
    """Residuals of one stage as a function of its numbers."""

    def residual(x: Floats) -> Floats:
        now = dict(zip(names, (float(v) for v in x), strict=True))
        held = [np.log(now[name] / centre) / sd for name, (centre, sd) in PRIORS.items() if name in now]
        return np.concatenate([residuals(rows, {**known, **now}), held])

    return residual


def fit(base: Mapping[str, float] | None = None) -> Fit:
    """Run every stage in order.

    ``base``: overrides from the fits of kinetics and scans, so that one refit is consistent in itself.
    """
    known: dict[str, float] = dict(base or {})
    numbers: list[Fitted] = []
    lines: list[str] = []
    for title, start, ids in STAGES:
        if any(name.partition(".")[0] not in {*load().drugs, *load().effects} for name in start):
            continue
        study, _, _ = ids[0].rpartition("/")
        rows = calibration_rows(study or STUDY, *(i.rpartition("/")[2] for i in ids))
        names = tuple(start)
        value, left, covariance = gauss_newton(_of(rows, names, dict(known)), start.values())
        known |= dict(zip(names, (float(v) for v in value), strict=True))
        lines.append(title)
        lines += [
            f"    {o.id:32s} observed {o.value:7.4g} {o.unit:6s} ({r:+.2f} SD)"
            for o, r in zip(rows, left, strict=False)
        ]
        for name, v, variance in zip(names, value, np.diag(covariance), strict=True):
            owner, _, number = name.partition(".")
            cv = float(np.sqrt(np.expm1(min(float(variance), 4.0))))
            numbers.append(Fitted(drug=owner, name=number, value=float(v), cv=cv))
        if "ventilation_isohypercapnic.reserve" in names:  # metabolites among them: later stages need these
            lines.append(
                "by formula: concentration at half effect over Ki, times the transducer ratio for breathing less 1"
            )
            for drug in BY_FORMULA:
                known[f"{drug}.mor.factor"] = _with_reserve(drug, known)
                numbers.append(Fitted(drug=drug, name="mor.factor", value=known[f"{drug}.mor.factor"]))
    return Fit(title="effects of agonists alone", numbers=tuple(numbers), lines=tuple(lines))
