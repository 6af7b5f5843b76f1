"""The experiments that claims name: each gives a number for the typical person and the same for many people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.analysis.regression import regress
from schild.catalog import Catalogue, Observation
from schild.errors import SchildError
from schild.explain.claims import Test
from schild.explain.experiments_alcohol import ALCOHOL
from schild.explain.experiments_withdrawal import WITHDRAWAL
from schild.explain.lab import CROWD, EFFECTS, RECEPTORS, Lab, Outcome, last_dose_h, published_dose
from schild.pharmacology.binding import competitive_occupancy, dose_ratio, kinetic_occupancy
from schild.pharmacology.effects import operational_response, transducer_ratio
from schild.simulate.observe import predict
from schild.units import hours

__all__ = ["EFFECTS", "EXPERIMENTS", "RECEPTORS", "Lab", "Outcome", "last_dose_h", "published_dose", "run_test"]

Floats = NDArray[np.float64]

#: Levels of naltrexone in the Schild experiment, over its Kd.
LEVELS = (1.0, 3.0, 10.0, 30.0, 100.0)
#: A concentration over Kd at which nothing is left to gain.
PLENTY = 1e7
#: Length of a challenge of receptors. [h]
CHALLENGE_H = 1.0
#: The same number of adults with the best values of all numbers.
BEST = {"n": 300}


def run_test(lab: Lab, test: Test) -> Outcome:
    """Run the experiment of a test.

    Examples
    --------
    >>> from schild.catalog import load
    >>> from schild.explain.claims import book_of
    >>> first = book_of("naltrexone").tests[0]
    >>> 80 < run_test(Lab(catalogue=load(), n=2, draws=2), first).predicted < 100
    True
    """
    return EXPERIMENTS[test.run](lab, test.options)


def _observation(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    row = next(o for o in lab.catalogue.study(x["study"]).observations if o.id == x["row"])
    receptors = [row.species] if row.observable.startswith("occupancy") else ["mor"]

    def of(many: bool) -> Floats:
        extra: dict[str, Any] = {"population": {"n": lab.n, "uncertainty": lab.draws}} if many else {}
        return predict(row, receptors=receptors, seed=lab.seed, catalogue=lab.catalogue, **extra)

    key = (row.observable, row.species, row.regimen, row.time_h, row.unit, row.normalisation)
    if key not in lab.measured:
        lab.measured[key] = lab.both(of)
    return lab.measured[key]


def _occupancy(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    at = hours(x["at"])
    return lab.both(lambda many: 100 * lab.pet(x["regimen"], x["receptor"], at, at, many=many)[1][:, -1])


def _peak(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    until = hours(x["until"])
    return lab.both(lambda many: 100 * lab.pet(x["regimen"], x["receptor"], until, 0.1, many=many)[1].max(axis=1))


def _order(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    at = hours(x["at"])

    def of(many: bool) -> Floats:
        mu, kappa, delta = (lab.pet(x["regimen"], r, at, at, many=many)[1][:, -1] for r in ("mor", "kor", "dor"))
        return 100 * np.minimum(mu - kappa, kappa - delta)

    return lab.both(of)


def _activation(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    names = [f"{r}_activation" for r in ("mor", "kor", "dor")]
    found = lab.run(x["regimen"], 192.0, 1.0, names)
    return Outcome(predicted=100 * max(float(np.abs(found[n].values).max()) for n in names))


def _sum_to_one(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    worst = 0.0
    for receptor in ("mor", "kor", "dor", "mor_gut"):
        names = [f"{receptor}_occupancy_{s}" for s in ("naltrexone", "beta_naltrexol", "endogenous")]
        found = lab.run(x["regimen"], 168.0, 0.5, [*names, f"{receptor}_free"], receptors=[receptor])
        total = sum(found[n].values for n in (*names, f"{receptor}_free"))
        worst = max(worst, float(np.abs(total - 1).max()))
    return Outcome(predicted=worst)


def _ablation(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    at, extra = hours(x["at"]), {}
    if rival := x.get("rival"):
        number = lab.catalogue.drug(rival["drug"]).number(rival["number"])
        value = next(v.value for v in number.values if v.key == rival["value"])
        extra["overrides"] = {f"{rival['drug']}.{rival['number']}": value}

    def of(many: bool) -> Floats:
        whole = lab.pet(x["regimen"], x["receptor"], at, at, many=many, **extra)[1][:, -1]
        less = lab.pet(x["regimen"], x["receptor"], at, at, many=many, without=["beta_naltrexol"], **extra)[1][:, -1]
        return 100 * (whole - less)

    return lab.both(of)


def _half_dose(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    at, doses = hours(x["at"]), np.geomspace(x["doses"][0], x["doses"][1], 25)

    def of(many: bool) -> Floats:
        curve = np.stack(
            [lab.pet(x["regimen"].format(dose=f"{d:.6g}"), x["receptor"], at, at, many=many)[1][:, -1] for d in doses],
            axis=1,
        )
        return np.array([np.exp(np.interp(0.5, row, np.log(doses), left=np.nan, right=np.nan)) for row in curve])

    return lab.both(of)


# ------------------------------------------------------------------------------------------------ competition


def mu_loads(lab: Lab, structure: str) -> tuple[float, float, float]:
    """Kd [nM] and koff [1/h] of naltrexone at mu under a structure, and the load of the endogenous agonist."""
    drug = lab.catalogue.drug("naltrexone")
    kd = drug.number("mor.kd", structure).value
    koff = drug.number("mor.koff", structure).value
    return kd, koff, lab.catalogue.drug("endogenous").number("mor.e0").value


def equilibrium_curve(agonist: Floats, antagonist: float, tone: float) -> Floats:
    """Occupancy by an agonist, beside an antagonist and the body's own agonist; all as concentration over Kd."""
    free = np.stack([agonist, np.full_like(agonist, antagonist), np.full_like(agonist, tone)], axis=-1)
    return competitive_occupancy(free, np.ones(3))[..., 0]


def half_point(agonist: Floats, curve: Floats, level: float) -> float:
    """Agonist concentration over Kd at a level of a rising curve; infinite where it is never reached."""
    if curve[-1] < level:
        return float("inf")
    return float(np.exp(np.interp(level, curve, np.log(agonist))))


def _schild(lab: Lab) -> tuple[float, float, float]:
    structure = lab.catalogue.drug("naltrexone").default_structure
    assert structure is not None  # naltrexone has rival structures
    kd, _, tone = mu_loads(lab, structure.key)
    agonist = np.geomspace(1e-4, PLENTY, 4001)
    control = equilibrium_curve(agonist, 0.0, tone)
    start = half_point(agonist, control, 0.5)
    curves = [equilibrium_curve(agonist, level, tone) for level in LEVELS]
    ratios = [half_point(agonist, c, 0.5) / start for c in curves]
    line = regress(np.log10(np.array(LEVELS) * kd) - 9.0, ratios)
    return line.slope, line.pa2 - (9.0 - np.log10(kd)), 100 * min(float(c[-1]) for c in curves)


def _schild_slope(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    return Outcome(predicted=_schild(lab)[0])


def _schild_intercept(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    return Outcome(predicted=_schild(lab)[1])


def _schild_top(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    return Outcome(predicted=_schild(lab)[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """State of mu when an agonist arrives, and the constants of its ligands.

    The order of ligands is agonist, naltrexone, its metabolite, the body's own agonist. Concentrations of the last
    three stand still for the hour; the agonist's is given over its Kd.
    """

    free: Floats
    start: Floats
    kd: Floats
    koff: Floats

    def curve(self, agonist: Floats, row: int = 0, *, blocked: bool = True) -> Floats:
        """Occupancy by the agonist after the challenge."""
        out = np.empty(len(agonist))
        for k, c in enumerate(agonist):
            free = np.array([c, *self.free[row]])
            start = np.array([0.0, *self.start[row]])
            if not blocked:
                free[1:3] = 0.0
                start[1:3] = 0.0
                start[3] = free[3] / (1 + free[3])
            out[k] = kinetic_occupancy([CHALLENGE_H], free, self.kd, self.koff, start)[0, 0]
        return out


def challenge_of(lab: Lab, structure: str, regimen: str, at_h: float, agonist: str, many: bool = False) -> Challenge:
    """Run up to the challenge and take the state there."""
    species = ("naltrexone", "beta_naltrexol")
    names = [f"free_{s}" for s in species] + [f"mor_occupancy_{s}" for s in (*species, "endogenous")]
    found = lab.run(regimen, at_h, at_h, names, structure=structure, receptors=["mor"], many=many)
    last = {n: np.asarray(found[n].values, dtype=np.float64)[:, -1] for n in names}
    kd, koff, tone = mu_loads(lab, structure)
    metabolite = lab.catalogue.drug("beta_naltrexol")
    kd_metabolite = metabolite.number("mor.ki").value * metabolite.number("brain.factor").value
    off = (
        lab.catalogue.drug(agonist).number("mor.koff").value, koff, metabolite.number("mor.koff", structure).value,
        lab.catalogue.drug("endogenous").number("mor.koff").value,
    )  # fmt: skip
    return Challenge(
        free=np.stack([last["free_naltrexone"], last["free_beta_naltrexol"], np.full(found.n, tone)], axis=1),
        start=np.stack([last[f"mor_occupancy_{s}"] for s in (*species, "endogenous")], axis=1),
        kd=np.array([1.0, kd, kd_metabolite, 1.0]),
        koff=np.array(off),
    )


def _challenge_top(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    plenty = np.array([PLENTY])

    def of(many: bool) -> Floats:
        c = challenge_of(lab, x["structure"], x["regimen"], hours(x["at"]), x["agonist"], many)
        control = c.curve(plenty, blocked=False)[0]
        return np.array([100 * c.curve(plenty, row)[0] / control for row in range(len(c.free))])

    return lab.both(of)


def _challenge_shift(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    c = challenge_of(lab, x["structure"], x["regimen"], hours(x["at"]), x["agonist"])
    agonist = np.geomspace(1e-3, PLENTY, 161)
    control, blocked = c.curve(agonist, blocked=False), c.curve(agonist)
    level = 0.5 * control[-1]
    shift = half_point(agonist, blocked, level) / half_point(agonist, control, level)
    # The body's own agonist competes before and after.
    tone = c.free[0, 2]
    wanted = (dose_ratio(c.free[0, :2], c.kd[1:3]) + tone) / (1 + tone)
    return Outcome(predicted=float(100 * (shift - 1) / (wanted - 1)))


# ------------------------------------------------------------------------------------------------ time and people


def _hours_above(lab: Lab, x: Mapping[str, Any], regimen: str = "", threshold: float = 0.9) -> Outcome:
    step, until = 0.25, hours(x["until"])

    def of(many: bool) -> Floats:
        values = lab.pet(regimen or x["regimen"], x["receptor"], until, step, many=many)[1]
        return np.asarray(step * (values > threshold).sum(axis=1), dtype=np.float64)

    return lab.both(of)


def _hours_gained(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    few, more = (_hours_above(lab, x, regimen) for regimen in x["regimens"])
    assert few.many is not None  # people were asked for
    assert more.many is not None
    return Outcome(predicted=more.predicted - few.predicted, many=more.many - few.many)


def _lowest(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    begin, end = (hours(t) for t in x["window"])

    def of(many: bool) -> Floats:
        t, values = lab.pet(x["regimen"], x["receptor"], end, 0.5, many=many)
        return np.asarray(100 * values[:, t >= begin].min(axis=1))

    return lab.both(of)


def _time_below(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    after, until, last = hours(x["after"]), hours(x["until"]), last_dose_h(x["regimen"])

    def of(many: bool) -> Floats:
        t, values = lab.pet(x["regimen"], x["receptor"], until, 1.0, many=many)
        out = np.full(len(values), np.nan)
        for k, row in enumerate(values):
            # Not before the peak that follows the last dose: a tablet takes hours to reach its height.
            peak = int(np.flatnonzero(t >= max(after, last))[0])
            peak += int(row[peak : peak + 24].argmax())
            hit = np.flatnonzero(row[peak:] < x["threshold"])
            if len(hit):
                out[k] = (t[peak + hit[0]] - last) / 24.0
        return out

    return lab.both(of)


def _spread(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    at = hours(x["at"])
    group = {"n": 20 * lab.n}
    best = lab.pet(x["regimen"], x["receptor"], at, at, many=True, population=group)[1][:, -1]
    drawn = lab.pet(x["regimen"], x["receptor"], at, at, many=True)[1][:, -1].reshape(lab.draws, lab.n)
    return Outcome(predicted=float(100 * best.std(ddof=1)), many=100 * drawn.std(axis=1, ddof=1))


def _range(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    at, people = hours(x["at"]), int(x["people"])
    name = f"plasma_{x['species']}"
    found = lab.run(x["regimen"], at, at, [name], many=True, population={"n": 20 * people}, receptors=["mor"])
    levels = np.asarray(found[name].values, dtype=np.float64)[:, -1].reshape(20, people)
    ratio = levels.max(axis=1) / levels.min(axis=1)
    return Outcome(predicted=float(np.median(ratio)), many=ratio)


def mu_scans(catalogue: Catalogue) -> list[Observation]:
    """Mu tomography of naltrexone that constants were fitted to."""
    rows = catalogue.study("naltrexone_pet").observations
    return [o for o in rows if o.species == "mor" and o.role == "calibration" and o.sd_fixed is not None]


def _rmse(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    left = [
        (float(predict(o, structure=x["structure"], receptors=["mor"])[0]) - o.value) / float(o.sd_fixed or 1.0)
        for o in mu_scans(lab.catalogue)
    ]
    return Outcome(predicted=float(np.sqrt(np.mean(np.square(left)))))


# ------------------------------------------------------------------------------------------------ effects


def _block(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    dose = published_dose(lab.catalogue, x["agonist"], x["route"])
    people = BEST if x.get("numbers") == "best" else CROWD
    effect = x["effect"]
    asked = EFFECTS if effect in EFFECTS else (effect,)
    r = lab.challenge(x["regimen"], dose, hours(x["at"]), x.get("structure"), people, asked)[effect]
    return Outcome(predicted=100 * r.median_block, many=100 * r.block)


def _block_order(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    dose = published_dose(lab.catalogue, x["agonist"], x["route"])
    found = lab.challenge(x["regimen"], dose, hours(x["at"]), x.get("structure"))
    first, others = found[x["first"]], [found[name] for name in x["others"]]
    rest = np.max([r.block for r in others], axis=0)
    typical = first.median_block - max(r.median_block for r in others)
    return Outcome(predicted=100 * typical, many=np.asarray(100 * (first.block - rest)))


def _alone(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    effects = lab.catalogue.effects

    def of(many: bool) -> Floats:
        worst = np.zeros(1)
        for regimen, until in zip(x["regimens"], x["ends"], strict=True):
            found = lab.run(regimen, hours(until), hours(until) / 100, list(effects), receptors=RECEPTORS, many=many)
            for name, effect in effects.items():
                values = np.asarray(found[name].values, dtype=np.float64)
                change = np.abs(values - values[:, :1]).max(axis=1) / effect.numbers[effect.noise].value
                worst = np.maximum(worst, change)
        return worst

    return lab.both(of)


def _unchanged(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    names = [f"plasma_{x['species']}", *lab.catalogue.effects]
    runs = [lab.run(regimen, 24.0, 0.05, names, receptors=RECEPTORS) for regimen in (x["alone"], x["together"])]
    return Outcome(predicted=max(float(np.abs(runs[0][n].values - runs[1][n].values).max()) for n in names))


def ventilation_curve(lab: Lab, agonist: str, over_kd: Floats, antagonist: float) -> Floats:
    """Ventilation left, as a fraction, over concentration / Kd of an agonist beside an antagonist, at equilibrium.

    Parameters
    ----------
    lab : Lab
        Holds the catalogue.
    agonist : str
        Whose efficacy is taken.
    over_kd : ndarray
        Concentration over Kd of the agonist. [1]
    antagonist : float
        The same of the antagonists, added up. [1]

    Returns
    -------
    ndarray
        Fraction of ventilation at a carbon dioxide held constant. [1]
    """
    effect = lab.catalogue.effects["ventilation_isohypercapnic"]
    drug = lab.catalogue.drug(agonist)
    efficacy = drug.number(str(drug.binding["mor"].efficacy)).value
    ratio = transducer_ratio(effect.numbers[effect.reserve["mor"]].value, efficacy)
    tone = lab.catalogue.drug("endogenous").number("mor.e0").value
    occupied = equilibrium_curve(over_kd, antagonist, tone)
    return np.asarray(1.0 - operational_response(ratio * occupied, effect.numbers[effect.slope].value))


def antagonist_load(lab: Lab, regimen: str, at_h: float) -> float:
    """Free naltrexone and metabolite at mu, over their Kd, in the typical person and the default mechanism."""
    structure = lab.catalogue.drug("naltrexone").default_structure
    assert structure is not None  # naltrexone has rival structures
    c = challenge_of(lab, structure.key, regimen, at_h, "morphine")
    return float((c.free[0, :2] / c.kd[1:3]).sum())


def _surmounted(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    plenty = np.array([PLENTY])
    load = antagonist_load(lab, x["regimen"], hours(x["at"]))
    free, blocked = (1 - ventilation_curve(lab, x["agonist"], plenty, level)[0] for level in (0.0, load))
    return Outcome(predicted=float(100 * blocked / free))


def _structures(lab: Lab, x: Mapping[str, Any]) -> Outcome:
    from schild.structure import structure

    try:
        found = structure(*x["compounds"])
    except SchildError as error:
        if "extra" not in str(error) and "RDKit" not in str(error):
            raise
        return Outcome(predicted=float("nan"), missing="needs the extra structure (RDKit)")
    if x["count"] == "core":
        return Outcome(predicted=float(sum(d.core == x["core"] for d in found.descriptions)))
    places = set(found.differences()) - set(x.get("besides", ()))
    return Outcome(predicted=float(len(places)))


EXPERIMENTS: dict[str, Callable[[Lab, Mapping[str, Any]], Outcome]] = {
    "observation": _observation,
    "occupancy": _occupancy,
    "peak": _peak,
    "order": _order,
    "activation": _activation,
    "sum_to_one": _sum_to_one,
    "ablation": _ablation,
    "half_dose": _half_dose,
    "schild_slope": _schild_slope,
    "schild_intercept": _schild_intercept,
    "schild_top": _schild_top,
    "challenge_top": _challenge_top,
    "challenge_shift": _challenge_shift,
    "hours_above": _hours_above,
    "hours_gained": _hours_gained,
    "lowest": _lowest,
    "time_below": _time_below,
    "spread": _spread,
    "range": _range,
    "rmse": _rmse,
    "block": _block,
    "block_order": _block_order,
    "alone": _alone,
    "unchanged": _unchanged,
    "surmounted": _surmounted,
    "structures": _structures,
    **WITHDRAWAL,
    **ALCOHOL,
}
