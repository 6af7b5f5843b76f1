"""Predictions of published results: each kind of measurement as a number from a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import gcd
from typing import Any

import numpy as np

from schild.array_types import AnyFloats, Floats
from schild.catalog import Catalogue, Drug, Observation, load
from schild.errors import InputError
from schild.people import Values
from schild.pharmacology.effects import amplified_occupancy, operational_response, transducer_ratio
from schild.population import Population, Subject, people_of
from schild.regimen import parse_regimen
from schild.simulation import Result, simulate
from schild.simulation.observe_withdrawal import KINDS, observe_withdrawal
from schild.units import convert

#: Covariates of the typical person.
_TYPICAL = {name: getattr(Subject(), name) for name in Subject.__dataclass_fields__}

_HOURS = {"h": 1.0, "min": 1 / 60.0, "day": 24.0, "month": 730.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One observation and the way to run it."""

    o: Observation
    catalogue: Catalogue
    options: Mapping[str, Any]

    @property
    def drug(self) -> Drug:
        """The drug that was measured."""
        return self.catalogue.drug(self.o.species)

    def run(self, regimen: str, hours: float, every_h: float, *outputs: str) -> Result:
        return simulate(
            regimen,
            until=f"{hours:.6f} h",
            every=f"{every_h:.6f} h",
            outputs=list(outputs),
            warn=False,
            catalogue=self.catalogue,
            plain_grid=True,
            **self.options,
        )

    def course(
        self, hours: float, points: int = 1500, regimen: str = "", species: str = ""
    ) -> tuple[Floats, AnyFloats]:
        """Times [h] and plasma concentrations [ng/mL], shape (n, n_times), in the precision of the run."""
        name = f"plasma_{species or self.o.species}"
        found = self.run(regimen or self.o.regimen, hours, hours / points, name)[name]
        return np.asarray(found.time_h, dtype=np.float64), found.values

    def metric(self, name: str, hours: float, regimen: str = "", species: str = "") -> Floats:
        """Metric of plasma from every step of a run, such as ``cmax_<>_ng_ml``; shape (n,)."""
        species = species or self.o.species
        found = self.run(regimen or self.o.regimen, hours, hours, f"plasma_{species}")
        return np.asarray(found.each[name.replace("<>", species)], dtype=np.float64)

    def area(self, hours: float, regimen: str = "", species: str = "") -> Floats:
        """Area of plasma from the start [ng h/mL], shape (n,)."""
        return self.metric("auc_<>_ng_h_ml", hours, regimen, species)


def _horizon(case: _Case) -> float:
    """Time of observation: until the drug is gone. [h]"""
    doses = parse_regimen(case.o.regimen).doses
    last = max(d.time + ((d.count or 1) - 1) * (d.every or 0.0) for d in doses)
    if any(d.route == "im_depot" for d in doses):
        return last + 75 * 24.0
    disposition = case.drug.disposition
    assert disposition is not None  # what was measured in plasma has one
    return last + disposition.looked_h


def _after_last(case: _Case, points: int = 4000) -> tuple[Floats, AnyFloats]:
    doses = parse_regimen(case.o.regimen).doses
    start = max(d.time + ((d.count or 1) - 1) * (d.every or 0.0) for d in doses)
    t, c = case.course(_horizon(case), points)
    first = int(np.searchsorted(t, start))
    return t[first:] - start, c[:, first:]


def _top(t: Floats, row: Floats, k: int) -> float:
    """Time of a maximum at index ``k``, between grid points, by the parabola through it and its neighbours."""
    if not 0 < k < len(row) - 1:
        return float(t[k])
    a, b, c = row[k - 1], row[k], row[k + 1]
    bend = a - 2 * b + c
    return float(t[k] + (0.5 * (a - c) / bend if bend < 0 else 0.0) * (t[k + 1] - t[k]))


def _cmax(case: _Case) -> Floats:
    hours, early = min(_horizon(case), 12.0), case.o.time_h is None or case.o.time_h < 12
    # An IV bolus has its peak at time zero, before any sample: the first one is taken at 2 minutes.
    bolus = " iv" in case.o.regimen
    if early and not bolus:
        return case.metric("cmax_<>_ng_ml", hours)
    t, c = case.course(hours, 2400) if early else _after_last(case)
    late = t >= 2 / 60.0 if bolus else t >= 0
    return np.asarray(c[:, late].max(axis=1), dtype=np.float64)


def _half_life(case: _Case) -> Floats:
    """Log-linear slope over the later half of the time in which concentrations stay above 0.5 % of the early ones."""
    t, c = _after_last(case)
    begin = np.maximum(t[c.argmax(axis=1)], 0.25)
    low = _logs_at(t, c, begin[:, None])[:, 0] + np.log(0.005)
    last = len(t) - 1 - (c >= np.exp(low)[:, None])[:, ::-1].argmax(axis=1)
    after = np.minimum(last + 1, len(t) - 1)
    a, b = (_log(c[np.arange(len(c)), k]) for k in (last, after))
    # The crossing itself, between grid points.
    end = t[last] + np.where(after > last, (a - low) / np.where(after > last, a - b, 1.0), 0.0) * (t[after] - t[last])
    window = np.linspace(0.5 * end, end, 60, axis=1)
    left = window - window.mean(axis=1, keepdims=True)
    return np.asarray(-np.log(2) * (left * left).sum(axis=1) / (left * _logs_at(t, c, window)).sum(axis=1))


def _logs_at(t: Floats, c: AnyFloats, at: Floats) -> Floats:
    """Logarithms of the courses at times of each person, shape (n, n_at), linear between grid points."""
    k = np.clip(np.searchsorted(t, at, side="right") - 1, 0, len(t) - 2)
    a, b = (_log(np.take_along_axis(c, k + more, axis=1)) for more in (0, 1))
    return np.asarray(a + (b - a) * (at - t[k]) / (t[k + 1] - t[k]))


def _log(c: AnyFloats) -> Floats:
    return np.asarray(np.log(np.maximum(np.asarray(c, dtype=np.float64), 1e-300)))


def _step_h(*times_h: float) -> float:
    """Longest step to all of some times, a quarter of an hour where they are no multiples of one. [h]

    >>> _step_h(168.0, 1.0), _step_h(4.5), _step_h(0.35)
    (1.0, 4.5, 0.25)
    """
    quarters = [round(4.0 * t) for t in times_h]
    return gcd(*quarters) / 4.0 if all(q == 4.0 * t for q, t in zip(quarters, times_h, strict=True)) else 0.25


def _at_printed_plasma(case: _Case) -> _Case:
    """Scale the share absorbed so that the typical person has the plasma that was printed for the people scanned."""
    o, given = case.o, dict(case.options.get("overrides") or {})
    if o.plasma_ng_ml is None:
        return case
    dose = parse_regimen(o.regimen).doses[0]
    alone = {name: value for name, value in case.options.items() if name not in ("population", "seed")}
    drug, share = str(dose.drug), f"{dose.route}.f"
    factor = o.plasma_ng_ml / float(_concentration(replace(case, o=replace(o, species=drug), options=alone))[0])
    absorbed = Values(case.catalogue, overrides=given).typical(drug, share)
    return replace(case, options={**case.options, "overrides": given | {f"{drug}.{share}": absorbed * factor}})


def _occupancy(case: _Case) -> Floats:
    case = _at_printed_plasma(case)
    o = case.o
    name = f"{o.species}_pet_occupancy"
    assert o.time_h is not None  # rows of occupancy have a time
    step = _step_h(o.time_h, 1.0 if o.normalisation == "1 h" else o.time_h)
    found = case.run(o.regimen, o.time_h + step, step, name)[name]
    value = np.atleast_1d(found.at(o.time_h))
    if o.normalisation == "1 h":
        value = value / np.atleast_1d(found.at(1.0))
    return np.asarray(value, dtype=np.float64)


def _occupancy_ed50(case: _Case) -> Floats:
    """Single oral dose that occupies half of the receptors at the time of the scan."""
    o = case.o
    name = f"{o.species}_pet_occupancy"
    assert o.time_h is not None
    step, doses = _step_h(o.time_h), np.geomspace(0.5, 100.0, 24)
    drug = parse_regimen(o.regimen).doses[0].drug
    curve = np.stack(
        [
            np.atleast_1d(case.run(f"{drug} {dose:.6g} mg po", o.time_h + step, step, name)[name].at(o.time_h))
            for dose in doses
        ],
        axis=1,
    )
    return np.array([np.exp(np.interp(0.5, row, np.log(doses))) for row in curve])


def _occupancy_half_time(case: _Case) -> Floats:
    """Half-time of the decline of occupancy from 48 to 168 h, as the scans were spaced."""
    name = f"{case.o.species}_pet_occupancy"
    found = case.run(case.o.regimen, 169.0, 1.0, name)[name]
    times = np.array([48.0, 72.0, 120.0, 168.0])
    rows = np.stack([np.atleast_1d(found.at(t)) for t in times], axis=1)
    return np.array([-np.log(2) / np.polyfit(times, np.log(row), 1)[0] for row in rows])


def _peaks(case: _Case) -> tuple[Floats, Floats]:
    t, c = case.course(10 * 24.0, 4800)
    first, second = np.full(len(c), np.nan), np.full(len(c), np.nan)
    for k, row in enumerate(np.asarray(c, dtype=np.float64)):
        rising = np.diff(row) > 0
        tops = np.flatnonzero(rising[:-1] & ~rising[1:]) + 1
        early = tops[t[tops] < 12.0]
        late = tops[t[tops] >= 12.0]
        if len(early):
            first[k] = _top(t, row, int(early[0]))
        if len(late):
            second[k] = _top(t, row, int(late[row[late].argmax()]))
    return first, second


def _decline_from(case: _Case) -> Floats:
    """Time after day 7 from which the curve falls faster than 5 % a day."""
    t, c = case.course(40 * 24.0, 3840)
    slope = -np.gradient(_log(c), t, axis=1) * 24.0
    out = np.full(len(c), np.nan)
    for k in range(len(c)):
        hit = np.flatnonzero((t > 7 * 24.0) & (slope[k] > 0.05))
        if len(hit):
            out[k] = t[hit[0]]
    return out


def _measurable_until(case: _Case) -> Floats:
    """Last time above 0.1 ng/mL (an assumed limit of quantification: the sources print none)."""
    t, c = case.course(_horizon(case), 4000)
    above = np.asarray(c, dtype=np.float64) >= 0.1
    return np.array([t[np.flatnonzero(row)[-1]] if row.any() else 0.0 for row in above])


def _auc_ratio_to_parent(case: _Case) -> Floats:
    parent = str(parse_regimen(case.o.regimen).doses[0].drug)
    return case.area(_horizon(case)) / case.area(_horizon(case), species=parent)


def _auc_molar_ratio(case: _Case) -> Floats:
    """Area of the species over that of the one named in ``normalisation``, in moles."""

    def moles(species: str) -> Floats:
        drug = case.catalogue.drug(species)
        return case.area(_horizon(case), species=drug.key) / _numbers(case).typical(drug.key, str(drug.mw))

    return moles(case.o.species) / moles(case.o.normalisation)


def _concentration(case: _Case) -> Floats:
    """Plasma concentration at a stated time."""
    o = case.o
    name = f"plasma_{o.species}"
    assert o.time_h is not None  # rows of concentration have a time
    step = _step_h(o.time_h)
    return np.atleast_1d(case.run(o.regimen, o.time_h + step, step, name)[name].at(o.time_h))


def _accumulation(case: _Case) -> Floats:
    """Excess of the area over the last interval above that over the first."""
    dose = parse_regimen(case.o.regimen).doses[0]
    assert dose.every is not None
    every, count = dose.every, dose.count or 1
    t, c = case.course(every * count, 6000)
    last, first = (
        np.trapezoid(np.asarray(c[:, some], dtype=np.float64), t[some], axis=1)
        for some in (t >= every * (count - 1), t <= every)
    )
    ratio = last / first
    return np.asarray(100.0 * (ratio - 1.0))


def _ratio_to_im(case: _Case, measured: str) -> Floats:
    """Dose-normalised exposure against the same dose into muscle, in percent."""
    muscle = case.o.regimen.rsplit(" ", 1)[0] + " im"
    measure = OBSERVABLES[measured]
    return 100.0 * measure(case) / measure(replace(case, o=replace(case.o, regimen=muscle)))


# ---- effects: written "kind:effect", e.g. "peak:liking" --------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """An effect of one drug alone at steady state, over its total plasma concentration, in typical people.

    ``kd`` [nM, free] over ``fu``; ``ratio`` and ``slope`` of the transducer; ``factor`` amplifies the occupancy. Arrays
    of shape (n,): one study under the typical numbers, or one under each parameter set.
    """

    kd: Floats
    fu: Floats
    mw: float
    ratio: Floats
    slope: Floats
    factor: Floats

    @property
    def top(self) -> Floats:
        """Largest fraction of the system's response that the drug can reach."""
        return operational_response(self.ratio, self.slope)

    def level(self, response: Floats | float) -> Floats:
        """Total plasma concentration [nM] at a fraction of the system's response; infinite where it is not reached."""
        reached = np.asarray(response) < self.top  # a partial agonist may never reach it
        goal = np.where(reached, response, 0.5 * self.top)
        felt = (goal / (1.0 - goal)) ** (1.0 / self.slope) / self.ratio
        occupancy = felt / (self.factor - (self.factor - 1.0) * felt)  # amplified_occupancy, solved for its argument
        return np.where(reached, self.kd * occupancy / (1.0 - occupancy) / self.fu, np.inf)

    def response(self, level: Floats) -> Floats:
        """Fraction of the system's response at a total plasma concentration [nM]."""
        occupancy = level * self.fu / (level * self.fu + self.kd)
        return operational_response(self.ratio * amplified_occupancy(occupancy, self.factor), self.slope)


def _numbers(case: _Case) -> Values:
    """Numbers under the overrides of a row: of the typical person, or of that person under each parameter set."""
    values, many = Values(case.catalogue, overrides=case.options.get("overrides")), case.options.get("population")
    if many is None:
        return values
    typical = Population(n=1, draws=many["uncertainty"], variability=False, fixed=_TYPICAL)
    return values.of_people(people_of(typical, values, case.options.get("seed", 1)))


def _reader(case: _Case) -> Callable[[str], Any]:
    """Return a function that reads a number of the row's drug under the overrides."""
    return partial(_numbers(case).of, case.drug.key)


def _kd(case: _Case, receptor: str) -> Any:
    """Free concentration at half occupancy of a receptor without other ligands. [nM]"""
    number, binding = _reader(case), case.drug.binding[receptor]
    if binding.kd:
        return number(binding.kd)
    return number(str(binding.ki)) * (number(binding.factor) if binding.factor else 1.0)


def _curve(case: _Case, effect: str) -> _Curve:
    drug, entry = case.drug, case.catalogue.effects[effect]
    values, number = _numbers(case), _reader(case)
    scale = partial(values.of, effect)
    factor = 1.0 if entry.sensitivity is None else scale(entry.sensitivity)
    if drug.key in entry.transduction:
        factor = factor * scale(entry.transduction[drug.key])
    ratio = transducer_ratio(scale(entry.reserve["mor"]), values.efficacy("mor", drug.key))
    found = (np.atleast_1d(x) for x in (_kd(case, "mor"), number("fu"), ratio, scale(entry.slope), factor))
    kd, fu, ratio, slope, factor = np.broadcast_arrays(*found)
    return _Curve(kd=kd, fu=fu, mw=float(np.mean(number(str(drug.mw)))), ratio=ratio, slope=slope, factor=factor)


def _in_unit(case: _Case, total_nM: Floats | float, mw: float) -> Floats:
    return np.atleast_1d(total_nM if case.o.unit == "nM" else total_nM * mw / 1000.0)


def _level(case: _Case, effect: str, fraction: float | None = None) -> Floats:
    """Steady total plasma concentration of a drug at a fraction of an effect, or at half of its own plateau."""
    curve = _curve(case, effect)
    return _in_unit(case, curve.level(curve.top / 2.0 if fraction is None else fraction), curve.mw)


def _hill(case: _Case, effect: str) -> Floats:
    """Slope of log(E / (top - E)) over log concentration at half of the drug's own plateau: its Hill slope there."""
    curve = _curve(case, effect)
    at, step = curve.level(curve.top / 2.0), 1e-4
    logits = []
    for level in (at * np.exp(-step), at * np.exp(step)):
        found = curve.response(level)
        logits.append(np.log(found / (curve.top - found)))
    return np.asarray((logits[1] - logits[0]) / (2.0 * step))


def _half_occupancy(case: _Case, receptor: str) -> Floats:
    """Steady total plasma concentration at half occupancy by a scan, with endogenous tone."""
    tone = case.catalogue.drug("endogenous")
    e0 = _numbers(case).typical(tone.key, str(tone.binding[receptor].e0))
    number = _reader(case)
    # 1 - free / free without drug = c / (1 + e0 + c) with c = C / Kd.
    return _in_unit(case, _kd(case, receptor) * (1.0 + e0) / number("fu"), number(str(case.drug.mw)))


def _plateau(case: _Case, effect: str) -> Floats:
    """Fraction of baseline left when the drug occupies every receptor."""
    entry, values = case.catalogue.effects[effect], _numbers(case)
    reserve, slope = (values.of(effect, name) for name in (entry.reserve["mor"], entry.slope))
    efficacy = values.efficacy("mor", case.drug.key)
    return np.atleast_1d(1.0 - operational_response(transducer_ratio(reserve, efficacy), slope))


def _peak(case: _Case, effect: str, regimen: str = "") -> Floats:
    """Largest change from baseline within 6 h of the dose."""
    found = case.run(regimen or case.o.regimen, 6.0, 1 / 60.0, effect)[effect]
    values = np.asarray(found.values, dtype=np.float64)
    change = np.asarray(np.abs(values - values[:, :1]).max(axis=1))
    # A bipolar scale has its neutral point in the middle: 50 + half of the unipolar rating.
    return np.asarray(50.0 + change / 2.0) if case.o.normalisation == "bipolar" else change


#: Logarithms of the doses among which an equal one is looked for [mg].
_LOG_MG = (np.log(1e-2), np.log(1e3))


def _dose_ratio(case: _Case, effect: str) -> Floats:
    """Dose of the first drug per unit dose of the one named in ``normalisation`` for the same peak effect."""
    dose = parse_regimen(case.o.regimen).doses[0]
    if case.options.get("population"):
        return _dose_ratios(case, effect)
    from scipy.optimize import brentq

    goal = float(_peak(case, effect, case.o.normalisation)[0])

    def beyond(log_mg: float) -> float:
        return float(_peak(case, effect, f"{dose.drug} {np.exp(log_mg):.8g} mg {dose.route}")[0]) - goal

    # Effects rise with dose: steps of four from the printed dose to one on the other side, or to the end of the range.
    assert dose.amount is not None  # a dose has one
    near = far = float(np.clip(np.log(dose.amount.value), _LOG_MG[0] + 1.0, _LOG_MG[1] - 1.0))
    over = at_near = beyond(near)
    while over * at_near > 0 and _LOG_MG[0] < far < _LOG_MG[1]:
        near, far = far, float(np.clip(far - np.copysign(np.log(4.0), over), *_LOG_MG))
        over = beyond(far)
    mg = np.exp(far if over * at_near > 0 else brentq(beyond, near, far, xtol=1e-8))
    other = parse_regimen(case.o.normalisation).doses[0].amount
    assert other is not None  # a dose has one
    return np.array([mg / other.value])


def _dose_ratios(case: _Case, effect: str) -> Floats:
    """Dose ratios of each person and parameter set, by interpolation of the peaks of a grid of doses."""
    first, other = (parse_regimen(words).doses[0] for words in (case.o.regimen, case.o.normalisation))
    assert first.amount is not None  # a dose has one
    assert other.amount is not None
    goal = _peak(case, effect, case.o.normalisation)
    grid = first.amount.value * np.geomspace(1 / 32, 32, 21)
    peaks = np.array([_peak(case, effect, f"{first.drug} {x:.8g} mg {first.route}") for x in grid])
    peaks = np.maximum.accumulate(peaks, axis=0)
    found = [np.exp(np.interp(g, column, np.log(grid))) for g, column in zip(goal, peaks.T, strict=True)]
    return np.asarray(np.array(found) / other.amount.value)


def _equal_dose(case: _Case, effect: str) -> Floats:
    """Dose of the drug that reaches the same peak effect as the regimen named in ``normalisation``."""
    other = parse_regimen(case.o.normalisation).doses[0].amount
    assert other is not None  # a dose has one
    return _dose_ratio(case, effect) * float(other.value)


_EFFECT_KINDS: dict[str, Callable[[_Case, str], Floats]] = {
    "c50": partial(_level, fraction=0.5),
    "c25": partial(_level, fraction=0.25),
    "half_plateau": _level,
    "hill": _hill,
    "plateau": _plateau,
    "peak": _peak,
    "dose_ratio": _dose_ratio,
    "equal_dose": _equal_dose,
}

#: How each kind of published result is computed.
OBSERVABLES: dict[str, Callable[[_Case], Floats]] = {
    "cmax": _cmax,
    "cmax_ss": lambda case: np.asarray(_after_last(case)[1].max(axis=1), dtype=np.float64),
    "tmax": lambda case: case.metric("tmax_<>_h", min(_horizon(case), 12.0)),
    "auc": lambda case: case.area(_horizon(case)),
    "auc_last": lambda case: case.area(24.0),  # studies printed it to their last sample, which is about there
    "half_life": _half_life,
    "occupancy": _occupancy,
    "occupancy_ed50": _occupancy_ed50,
    "occupancy_half_time": _occupancy_half_time,
    "tmax_first": lambda case: _peaks(case)[0],
    "tmax_second": lambda case: _peaks(case)[1],
    "decline_from": _decline_from,
    "measurable_until": _measurable_until,
    # Area over 28 d of the injection against 50 mg by mouth every day.
    "auc_ratio_to_oral": lambda case: (
        case.area(672.0) / case.area(672.0, regimen=f"{case.o.species} 50 mg po q24h x28")
    ),
    "auc_ratio_to_parent": _auc_ratio_to_parent,
    "auc_molar_ratio": _auc_molar_ratio,
    "concentration": _concentration,
    "accumulation": _accumulation,
    "cmax_ratio_to_im": partial(_ratio_to_im, measured="cmax"),
    "auc_ratio_to_im": partial(_ratio_to_im, measured="auc"),
}

#: What a scan measures; its species is a receptor.
TOMOGRAPHY = ("occupancy", "occupancy_ed50", "occupancy_half_time")
#: Units of predictions; a row may have another that they convert to.
_UNITS = {
    "cmax": "ng/mL", "cmax_ss": "ng/mL", "concentration": "ng/mL", "auc": "ng*h/mL", "auc_last": "ng*h/mL",
    "occupancy_ed50": "mg",
}  # fmt: skip
_TIMES = {"tmax", "half_life", "occupancy_half_time", "tmax_first", "tmax_second", "decline_from", "measurable_until"}


def predict(observation: Observation, *, catalogue: Catalogue | None = None, **options: Any) -> Floats:
    """Simulate the protocol of a study and compute its measurement.

    ``observation``: a row of a study; ``options``: of ``simulate``: population, structure, overrides, seed and so on;
    receptors, if they are not given, are the one that a scan looks at, mu for plasma, and all for an effect. Returns
    values in the unit of the observation, shape (n_subjects,). Raises InputError for a kind of result that no rule
    computes.

    >>> from schild.catalog import load
    >>> rows = {o.id: o for o in load().studies["naltrexone_pet"].observations}
    >>> bool(80 < predict(rows["weerts2008_mor"])[0] < 100)
    True
    """
    catalogue = catalogue or load()
    kind, colon, effect = observation.observable.partition(":")
    if kind in KINDS:
        return observe_withdrawal(observation, catalogue=catalogue, **options)
    if not colon:
        options = {"receptors": [observation.species if kind in TOMOGRAPHY else "mor"], **options}
    case = _Case(o=observation, catalogue=catalogue, options=options)
    if colon and kind in _EFFECT_KINDS and effect in catalogue.effects:
        return _EFFECT_KINDS[kind](case, effect)
    if kind == "half_occupancy" and effect in catalogue.receptors:
        return _half_occupancy(case, effect)
    if observation.observable not in OBSERVABLES:
        raise InputError(
            f"{observation.id} measures {observation.observable!r}; expected one of {', '.join(sorted(OBSERVABLES))}. "
            "Write a rule for it in schild.simulation.observe."
        )
    unit = _UNITS.get(observation.observable, observation.unit)
    if observation.observable in _TIMES:
        _known_unit(observation, observation.unit in _HOURS, ", ".join(_HOURS))
        return OBSERVABLES[observation.observable](case) / _HOURS[observation.unit]
    if observation.observable == "occupancy":
        _known_unit(observation, observation.unit in ("%", "1"), "% or 1")
        return OBSERVABLES[observation.observable](case) * (100.0 if observation.unit == "%" else 1.0)
    factor = 1.0 if unit == observation.unit else _factor(unit, observation)
    return OBSERVABLES[observation.observable](case) * factor


def _factor(unit: str, o: Observation) -> float:
    """Factor from the unit of a prediction to that of a row."""
    try:
        return convert(f"1 {unit}", o.unit)
    except InputError:
        _known_unit(o, False, f"{unit}, or a unit that converts to it")
        raise


def _known_unit(o: Observation, known: bool, expected: str) -> None:
    if not known:
        raise InputError(f"{o.id} gives {o.observable} in {o.unit!r}; expected {expected}. Convert the row.")


def weighted_error(catalogue: Catalogue, study: str, receptor: str, structure: str, **options: Any) -> float:
    """Root mean square of the distances to scans that constants were fitted to, in their standard deviations. [SD]

    ``catalogue``: with the rows and the drug; ``study`` and ``receptor``: key of the study, and the receptor
    that was scanned; rows for calibration with a fixed standard deviation count; ``options``: as for ``predict``.
    Returns weighted error [SD].

    >>> names = ("plasma_and_store", "plasma_equilibrium")
    >>> default, rival = (weighted_error(load(), "naltrexone_pet", "mor", name) for name in names)
    >>> default < rival
    True
    """
    options = {"structure": structure, "catalogue": catalogue, **options}
    rows = [o for o in catalogue.studies[study].observations if o.species == receptor and o.role == "calibration"]
    left = [(float(predict(o, **options)[0]) - o.value) / o.sd_fixed for o in rows if o.sd_fixed is not None]
    return float(np.sqrt(np.mean(np.square(left))))
