"""Rows of agonists alone on their scales, with the exposure that the engine gives for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from calibration import calibration_rows
from schild.array_types import Floats
from schild.catalog import Observation, load
from schild.simulation import Result, simulate

__all__ = [
    "BEFORE",
    "EFFECTS",
    "SPECIES",
    "Course",
    "DoseRow",
    "Table",
    "affinity",
    "build_table",
    "read_rows",
    "steady",
]

#: Effects of the analysis; a row of ``pooled effects`` belongs to liking and pupil.
EFFECTS = ("ventilation_isohypercapnic", "pupil", "liking", "analgesia")

#: Species whose potency is estimated. Heroin counts as 6-acetylmorphine, by their ratio of affinity and efficacy.
SPECIES = (
    "fentanyl", "morphine", "m6g", "hydromorphone", "oxycodone", "oxymorphone", "hydrocodone", "mam", "pentazocine",
    "buprenorphine",
)  # fmt: skip

#: Constants [nM] and intrinsic efficacies of the catalogue of 2026-11-28, before this analysis: centres of its priors,
#: so that a refit does not start from its own result. Buprenorphine's constant is that of the scans, which are not
#: fitted here.
BEFORE: Mapping[str, tuple[float, float]] = {
    "fentanyl": (4.42227, 0.9), "morphine": (244.537, 0.75), "m6g": (8078.4, 0.7), "hydromorphone": (167.05, 0.85),
    "oxycodone": (324.669, 0.6), "oxymorphone": (27.6079, 0.85), "hydrocodone": (292.123, 0.6), "mam": (1356.19, 0.9),
    "pentazocine": (5603.46, 0.25), "buprenorphine": (0.120183, 0.28), "heroin": (10849.5, 0.8),
}  # fmt: skip
#: Stimulus of each species per free concentration, for small doses. [1/nM]
_STRENGTH = {key: e / (1.0 - e) / kd for key, (kd, e) in BEFORE.items()}

#: Standard deviation between people where none is printed, as a share of the span; 0.8 mm for the pupil.
PEOPLE_SD = {"unipolar": 0.25, "bipolar": 0.40, "signed4": 0.25, "points4": 0.25, "rise": 0.25, "rise_bipolar": 0.40}
#: Neutral point and span of each scale; ventilation in litres as a share of 24 L/min.
SPAN = {
    "unipolar": (0.0, 100.0), "bipolar": (50.0, 50.0), "signed4": (0.0, 4.0), "points4": (0.0, 4.0),
    "rise": (0.0, 100.0), "rise_bipolar": (0.0, 50.0), "mm": (0.0, 1.0), "litres": (0.0, 24.0),
    "fraction": (1.0, -1.0),
}  # fmt: skip
#: Share of the tolerance of people maintained on full agonists.
TOLERANCE = {"not dependent": 0.0, "tramadol": 0.5, "full agonist": 1.0}
#: Measures that are not peaks: they have separate maxima.
NO_PEAK = ("overall liking at 12 h", "take again at 12 h")
#: Printed peaks of plasma [ng/mL] that scale a course (Webster 2022, the same people as Webster 2020).
PRINTED_PEAK = {"webster2020_bupr": ("buprenorphine", 1.06, 0.9), "webster2020_oxyc": ("oxycodone", 132.0, 60.0)}
#: Significant digits with which a number of the engine enters: concentrations, and the spread of people.
LEVEL_DIGITS, SPREAD_DIGITS = 4, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRow:
    """One printed mean of a dose series; columns as in ``catalog/data/dose_response/rows.csv``."""

    id: str
    study: str
    drug: str
    effect: str
    regimen: str
    at: str
    scale: str
    measure: str
    series: str
    same_people: str
    value: float
    se: float
    n: int
    people: str
    row: str


_TEXT = ("id", "study", "drug", "effect", "regimen", "at", "scale", "measure", "series", "same_people", "people", "row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Free concentrations at receptors. [nM]

    ``felt`` has shape (n_nodes, n_species), one node for a peak; ``spread`` is the standard deviation over people of
    the log stimulus at the peak.
    """

    felt: Floats
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Arrays that the model of the meta-analysis reads.

    Curve rows (levels at a fraction of the effect, slopes, dose ratios) follow scale rows in ``ids``. ``exposures`` are
    the numbers of the engine that entered, by regimen, time of reading and quantity.
    """

    ids: tuple[str, ...]
    studies: tuple[str, ...]
    study_of: tuple[str, ...]
    arms: tuple[str, ...]
    series: tuple[str, ...]
    arrays: Mapping[str, Floats] = field(default_factory=dict)
    exposures: Mapping[tuple[str, str, str], float] = field(default_factory=dict)


def read_rows(role: str = "calibration") -> tuple[DoseRow, ...]:
    """Return the dose series of a role, values as shares of their scale.

    Examples
    --------
    >>> [round(r.value, 3) for r in read_rows() if r.series == "levy2016_overall"]
    [-0.124, 0.528, 0.618]
    """
    found = [raw for raw in load().dose_series if raw["role"] == role]
    members: dict[str, set[str]] = {}
    for raw in found:
        members.setdefault(raw["same_people"], set()).add(raw["series"])
    rows = []
    for raw in found:
        low, span = SPAN[raw["scale"]]
        hours = float(raw["at"].split("-")[1].split()[0]) if raw["at"].startswith("mean") else 1.0
        value, n = float(raw["value"]) / hours, int(raw["n"] or 10)
        people = PEOPLE_SD.get(raw["scale"], 0.8)
        if raw["spread"]:
            size = float(raw["spread"]) / hours / abs(span)
            if raw["spread_stat"] == "RSE":
                size *= value
            se = size / np.sqrt(n) if raw["spread_stat"] == "SD" else size
        else:
            se = people / np.sqrt(n)
        se *= np.sqrt(len(members[raw["same_people"]]))
        kept = {k: raw[k] for k in _TEXT}
        rows.append(DoseRow(value=(value - low) / span, se=float(se), n=n, **kept))
    return tuple(rows)


def affinity(drug: str) -> float:
    """In vitro affinity of a drug at mu, to which its factor applies. [nM]"""
    entry = load().drug(drug)
    return entry.number(str(entry.binding["mor"].ki)).value


def _felt(result: Result, names: Sequence[str]) -> Floats:
    """Free concentrations at receptors, shape (n_people, n_times, n_species). [nM]"""
    taken = {n: np.asarray(result[f"mor_occupancy_{n}"].values, dtype=np.float64) for n in names}
    left = 1.0 - np.sum(list(taken.values()), axis=0)
    out = np.zeros((*left.shape, len(SPECIES)))
    for name in names:
        level = np.maximum(taken[name], 0.0) / left * BEFORE[name][0]
        if name == "heroin":  # as 6-acetylmorphine of the same stimulus
            out[..., SPECIES.index("mam")] += level * _STRENGTH["heroin"] / _STRENGTH["mam"]
        else:
            out[..., SPECIES.index(name)] += level
    return out


def steady(value: float, stored: float | None, digits: int) -> float:
    """Return a number of the engine as it enters the fit: the stored one, unless the engine has left it.

    Parameters
    ----------
    value : float
        What the engine gives.
    stored : float or None
        What entered the last fit that was written; None where nothing did.
    digits : int
        Significant digits. The stored number stays while ``value`` lies within a unit of the last one; rounding alone
        would let a number near the middle of two steps jump at the least change.

    Examples
    --------
    >>> steady(1.23449, None, 4), steady(1.23451, 1.234, 4), steady(1.2361, 1.234, 4)
    (1.234, 1.234, 1.236)
    """
    if stored is not None and abs(value - stored) < 10.0 ** (1 - digits) * abs(stored):
        return stored
    return float(f"{value:.{digits}g}")


def _entered(regimen: str, at: str, quantity: str, value: float, digits: int = LEVEL_DIGITS) -> float:
    return steady(value, load().exposures.get((regimen, at, quantity)), digits)


@cache
def course(regimen: str, at: str) -> Course:
    """Run a regimen alone and return the free concentrations at the largest stimulus, at a time or over a span.

    Parameters
    ----------
    regimen : str
        One dose of an agonist.
    at : str
        ``peak``, a time (``0.5 h``) or a span (``mean 0-3 h``, a node each half hour).
    """
    held = {f"{key}.mor.factor": kd / affinity(key) for key, (kd, _) in BEFORE.items() if key != "heroin"}
    options: dict[str, Any] = {
        "until": "6 h", "every": "2 min", "receptors": ["mor"], "tone": False, "warn": False, "overrides": held,
    }  # fmt: skip
    typical = simulate(regimen, **options)
    names = [x.removeprefix("mor_occupancy_") for x in typical.outputs if x.startswith("mor_occupancy_")]
    names = [n for n in names if n in BEFORE]
    weights = np.array([_STRENGTH[s] for s in SPECIES])
    felt = _felt(typical, names)[0]
    hours = np.asarray(typical["mor_free"].time_h)
    if at == "peak":
        nodes = felt[[int((felt @ weights).argmax())]]
    elif at.startswith("mean"):
        end = float(at.split("-")[1].split()[0])
        wanted = np.arange(0.25, end, 0.5)
        nodes = felt[[int(np.abs(hours - t).argmin()) for t in wanted]]
    else:
        nodes = felt[[int(np.abs(hours - float(at.split()[0])).argmin())]]
    people = simulate(regimen, population={"n": 100}, seed=1, **options)
    top = (_felt(people, names) @ weights).max(axis=1)
    for k, s in zip(*np.nonzero(nodes), strict=True):
        nodes[k, s] = _entered(regimen, at, f"{SPECIES[s]} {k}", float(nodes[k, s]))
    return Course(felt=nodes, spread=_entered(regimen, at, "spread", float(np.std(np.log(top))), SPREAD_DIGITS))


@cache
def _plasma_peak(regimen: str, drug: str) -> float:
    """Largest concentration of a drug in plasma. [ng/mL]"""
    found = simulate(regimen, until="6 h", every="2 min", receptors=["mor"], outputs=[f"plasma_{drug}"], warn=False)
    return _entered(regimen, "peak", f"plasma {drug}", float(np.max(found[f"plasma_{drug}"].values)))


def _scaled(row: DoseRow) -> float:
    """Factor on a row's course that gives its printed peak of plasma."""
    if row.series not in PRINTED_PEAK:
        return 1.0
    drug, printed, of_mg = PRINTED_PEAK[row.series]
    return printed * float(row.regimen.split()[1]) / of_mg / _plasma_peak(row.regimen, drug)


def _exposures(rows: Sequence[DoseRow], curves: Sequence[Observation]) -> dict[tuple[str, str, str], float]:
    """Numbers of the engine that rows read, by regimen, time of reading and quantity."""
    runs = {(r.regimen, r.at) for r in rows if r.regimen}
    runs |= {(x, "peak") for o in curves if CURVES[o.id] == "ratio" for x in (o.regimen, o.normalisation)}
    found = {}
    for r in (r for r in rows if r.regimen and r.series in PRINTED_PEAK):
        drug = PRINTED_PEAK[r.series][0]
        found[r.regimen, "peak", f"plasma {drug}"] = _plasma_peak(r.regimen, drug)
    for regimen, at in runs:
        read = course(regimen, at)
        found[regimen, at, "spread"] = read.spread
        for k, s in zip(*np.nonzero(read.felt), strict=True):
            found[regimen, at, f"{SPECIES[s]} {k}"] = float(read.felt[k, s])
    return dict(sorted(found.items()))


#: Calibration rows of ``agonist_effects`` that are a peak on a scale: series, measure, scale, people.
PEAKS = {
    "brands2004_hydromorphone_pupil": ("brands2004_pupil", "mm"),
    "brands2004_heroin_pupil": ("brands2004_pupil", "mm"),
    "brands2004_hydromorphone_liking": ("brands2004_drug_iv", "rise"),
    "brands2004_heroin_liking": ("brands2004_drug_iv", "rise"),
    "webster2011_morphine": ("webster2011_liking", "unipolar"),
    "backonja2016_oxycodone": ("backonja2016_liking", "bipolar"),
    "darwish2017_hydrocodone": ("darwish2017", "bipolar"),
}
#: Pairs of series rated by the same people, whose partner is in the other file.
_SHARED = {"brands2004_drug_iv": 2, "webster2011_liking": 2, "backonja2016_liking": 2}
_PARTNERS = ("brands2004_rush_iv", "webster2011_high", "backonja2016_high")
#: Curves: id, effect, kind, fraction. Levels are total plasma levels of the median person.
CURVES = {
    "dahan2005_plateau": "plateau",
    "algera2021_naive": "level",
    "yassen2007_fentanyl": "level",
    "yassen2007_fentanyl_slope": "slope",
    "dahan2004_morphine": "level",
    "romberg2003_morphine": "level",
    "romberg2003_m6g": "level",
    "yassen2007_buprenorphine": "half_plateau",
    "lotsch2001_morphine": "level",
    "lotsch2001_slope": "slope",
    "ladebo2020_men": "level",
    "ladebo2020_women": "level",
    "sarton2000_men": "level",
    "sarton2000_women": "level",
    "dahan2004_slope": "slope",
    "hill2000_ratio": "ratio",
    "dunn2018_ratio": "ratio",
}


def build_table() -> Table:
    """Collect every calibration row with its exposure, as arrays for the model."""
    rows = list(read_rows())
    for o in calibration_rows("agonist_effects", *PEAKS):
        series, scale = PEAKS[o.id]
        low, span = SPAN[scale]
        kind = o.observable.split(":")[1]
        se = PEOPLE_SD.get(scale, 0.8) / np.sqrt(o.n or 10) * np.sqrt(_SHARED.get(series, 1))
        rows.append(
            DoseRow(
                id=o.id, study=o.study, drug=o.species, effect=kind, regimen=o.regimen, at="peak", scale=scale,
                measure="drug liking", series=series, same_people=series, value=(o.value - low) / span, se=float(se),
                n=o.n or 10, people="not dependent", row=o.row[0],
            )
        )  # fmt: skip
    for i, r in enumerate(rows):
        if r.series in _PARTNERS:
            rows[i] = replace(r, se=r.se * float(np.sqrt(2.0)))
    curves = calibration_rows("agonist_effects", *CURVES)
    arms = sorted({_arm(r.study, r.drug) for r in rows if r.regimen} | {_arm(o.study, o.species) for o in curves})
    studies = sorted({r.study for r in rows} | {o.study for o in curves})
    keys = sorted({r.series for r in rows})
    nodes: dict[tuple[object, ...], int] = {}  # nodes that rows share count once
    average = np.zeros((len(rows), 0))
    for k, r in enumerate(rows):
        if not r.regimen:
            continue
        found, factor = course(r.regimen, r.at), _scaled(r)
        for felt in found.felt:
            key = (
                tuple(felt * factor), found.spread, arms.index(_arm(r.study, r.drug)), EFFECTS.index(r.effect),
                TOLERANCE[r.people],
            )  # fmt: skip
            at = nodes.setdefault(key, len(nodes))
            average = np.pad(average, ((0, 0), (0, max(0, at + 1 - average.shape[1]))))
            average[k, at] += 1.0 / len(found.felt)
    felt, spread, node_arm, node_effect, node_people = (np.array(column) for column in zip(*nodes, strict=True))
    per_series = [next(r for r in rows if r.series == key) for key in keys]
    own = [any(r.measure in NO_PEAK or r.at != "peak" for r in rows if r.series == key) for key in keys]
    scale_group = [{"mm": 1, "litres": 2, "fraction": 3}.get(r.scale, 0) for r in rows]
    arrays = {
        "felt": felt, "spread": spread, "node_arm": node_arm, "node_effect": node_effect,
        "node_people": node_people, "average": average,
        "value": np.array([r.value for r in rows]), "se": np.array([r.se for r in rows]),
        "row_series": np.array([keys.index(r.series) for r in rows]), "group": np.array(scale_group),
        "given": np.array([float(bool(r.regimen)) for r in rows]),
        "series_own": np.array(own, dtype=float),
        "series_pupil": np.array([float(r.scale == "mm") for r in per_series]),
        "series_rise": np.array([float(r.scale in ("rise", "rise_bipolar")) for r in per_series]),
        **_curve_arrays(curves, arms),
    }  # fmt: skip
    ids = (*(r.id for r in rows), *(o.id for o in curves))
    study_of = (*(r.study for r in rows), *(o.study for o in curves))
    return Table(
        ids=ids, studies=tuple(studies), study_of=study_of, arms=tuple(arms), series=tuple(keys), arrays=arrays,
        exposures=_exposures(rows, curves),
    )  # fmt: skip


def _arm(study: str, drug: str) -> str:
    """Name of an arm, whose rows share one deviation: people of a study under one drug."""
    return f"{study}:{drug}"


def _curve_arrays(curves: Sequence[Observation], arms: Sequence[str]) -> dict[str, Floats]:
    """Arrays of the published curves; a level is free [nM], and all but the plateau are logarithms."""
    kinds = ("level", "slope", "half_plateau", "plateau", "ratio")
    out: dict[str, list[float]] = {k: [] for k in ("kind", "species", "arm", "effect", "fraction", "value", "se")}
    reference, other = np.zeros((len(curves), len(SPECIES))), np.zeros((len(curves), len(SPECIES)))
    for k, o in enumerate(curves):
        kind, drug = CURVES[o.id], load().drug(o.species)
        effect = o.observable.split(":")[1]
        value, relative = o.value, (o.sd_fixed or 0.0) / o.value
        if kind in ("level", "half_plateau"):
            per = 1.0 if o.unit == "nM" else 1000.0 / drug.number(str(drug.mw)).value
            value = o.value * per * drug.number("fu").value
        out["kind"].append(kinds.index(kind))
        name = "mam" if o.species == "heroin" else o.species
        out["species"].append(SPECIES.index(name))
        out["arm"].append(arms.index(_arm(o.study, o.species)))
        out["effect"].append(EFFECTS.index(effect))
        out["fraction"].append({"c25": 0.25}.get(o.observable.split(":")[0], 0.5))
        out["value"].append(value if kind == "plateau" else float(np.log(value)))
        out["se"].append(float(o.sd_fixed or 0.0) if kind == "plateau" else relative)
        if kind == "ratio":  # stimulus per mg of each
            reference[k] = course(o.normalisation, "peak").felt[0]
            other[k] = course(o.regimen, "peak").felt[0] / float(o.regimen.split()[1])
    found = {f"curve_{k}": np.array(v) for k, v in out.items()}
    return found | {"curve_reference": reference, "curve_other": other}
