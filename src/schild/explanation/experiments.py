"""Experiments on receptors and effects that claims name.

Each gives a number for the typical person and, where people differ, one for each of many people. Regimens, drugs and
times are options: they stand in the file of claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from schild.array_types import Floats
from schild.catalog import Book, Catalogue, Test
from schild.errors import CatalogueError, SchildError, UnknownNameError
from schild.explanation import (  # noqa: F401 - they register their experiments
    experiments_alcohol,
    experiments_opioid,
    experiments_withdrawal,
)
from schild.explanation.answer import Outcome
from schild.explanation.lab import (
    CROWD,
    EFFECTS,
    EXPERIMENTS,
    RECEPTORS,
    UNITS,
    Lab,
    experiment,
    experiment_in_people,
    grid,
    last_dose_h,
    ligands_of,
    row_of,
)
from schild.explanation.options import DrugKey, EffectName, Hours, Receptor, Regimen, Structure, Template, read_options
from schild.people import RIVALS
from schild.pharmacology.binding import competitive_occupancy, dose_ratio, kinetic_occupancy
from schild.pharmacology.effects import operational_response, transducer_ratio
from schild.simulation.observe import predict, weighted_error

#: A concentration over Kd that saturates the receptor.
PLENTY = 1e7
#: Distance of the times between which the fall below a fraction is interpolated: the longest step of the engine. [h]
BELOW_H = 4.0
#: Length of a challenge of receptors. [h]
CHALLENGE_H = 1.0
#: As many people as in ``CROWD``, each a different adult, with the best estimates of all numbers.
BEST = {"n": 300}


def options_of(test: Test, book: Book, catalogue: Catalogue) -> dict[str, Any]:
    """Check the experiment, the unit and the options of a test, before anything is run.

    ``book``: its defaults hold for every experiment that has an option of that name. Returns options in the units of
    the experiment. Raises CatalogueError for an unknown experiment or unit, or an option that is unknown, missing or
    wrong; it names file and line.
    """
    what = f"{test.id}: the experiment {test.run!r}"
    if test.run not in EXPERIMENTS:
        raise _fault(test, "run", str(UnknownNameError("experiment", test.run, EXPERIMENTS)))
    units = UNITS[test.run]
    if units and test.unit not in units:
        raise _fault(test, "unit", f"{what} gives {' or '.join(units)}, and unit = {test.unit!r}.")
    places = {"": test.place, **test.places} if test.place else {}
    return read_options(what, EXPERIMENTS[test.run], test.options, catalogue, book.defaults, places)


def _fault(test: Test, key: str, said: str) -> CatalogueError:
    place = test.places.get(key, test.place)
    return CatalogueError(f"{place}: {said}" if place else said)


def run_test(lab: Lab, test: Test, book: Book) -> Outcome:
    """Run the experiment of a test.

    >>> from schild.catalog import load
    >>> book = load().claims["naltrexone"]
    >>> 80 < run_test(Lab(catalogue=load(), n=2, draws=2), book.tests[0], book).predicted < 100
    True
    """
    return EXPERIMENTS[test.run](lab, **options_of(test, book, lab.catalogue))


@experiment()
def observation(lab: Lab, *, study: str, row: str) -> Outcome:
    """Run what a published study did and compute what it measured."""
    o = row_of(lab.catalogue, study, row)

    def of(many: bool) -> Floats:
        extra: dict[str, Any] = {"population": lab.people} if many else {}
        return predict(o, seed=lab.seed, catalogue=lab.catalogue, overrides=lab.overrides, **extra)

    # Rows that need the same prediction share it.
    key = ("observation", o.observable, o.species, o.regimen, o.time_h, o.unit, o.normalisation)
    return lab.once(key, lambda: Outcome(predicted=float(of(False)[0]), many=of(True)))


# ------------------------------------------------------------------------------------------------ occupancy


@experiment_in_people("%")
def occupancy(lab: Lab, many: bool, *, regimen: Regimen, receptor: Receptor, at: Hours) -> Floats:
    """Occupancy at a time, as a scan sees it."""
    return 100 * lab.pet(regimen, receptor, at, at, many=many)[1][:, -1]


@experiment_in_people("%")
def peak(lab: Lab, many: bool, *, regimen: Regimen, receptor: Receptor, until: Hours) -> Floats:
    """Largest occupancy up to a time."""
    return np.asarray(100 * lab.pet(regimen, receptor, until, 0.1, many=many)[1].max(axis=1))


@experiment_in_people("points")
def order(lab: Lab, many: bool, *, regimen: Regimen, receptors: Sequence[Receptor], at: Hours) -> Floats:
    """Smallest gap between the occupancies of receptors that are named from the most to the least occupied."""
    held = [lab.pet(regimen, receptor, at, at, many=many)[1][:, -1] for receptor in receptors]
    return np.asarray(100 * np.min([a - b for a, b in pairwise(held)], axis=0))


@experiment("%")
def activation(lab: Lab, *, regimen: Regimen, receptors: Sequence[Receptor], until: Hours) -> Outcome:
    """Largest activation of receptors by everything that is given."""
    names = [f"{receptor}_activation" for receptor in receptors]
    found = lab.run(regimen, until, 1.0, names)
    return Outcome(predicted=100 * max(float(np.abs(found[n].values).max()) for n in names))


@experiment("1")
def sum_to_one(lab: Lab, *, regimen: Regimen, until: Hours) -> Outcome:
    """Largest error of the sum of bound and free receptors."""
    worst = 0.0
    for receptor in RECEPTORS:
        ligands = [*ligands_of(lab.catalogue, regimen, receptor), "endogenous"]
        names = [*(f"{receptor}_occupancy_{s}" for s in ligands), f"{receptor}_free"]
        found = lab.run(regimen, until, 0.5, names, receptors=[receptor])
        worst = max(worst, float(np.abs(sum(found[n].values for n in names) - 1).max()))
    return Outcome(predicted=worst)


@experiment_in_people("points")
def ablation(
    lab: Lab, many: bool, *, regimen: Regimen, receptor: Receptor, at: Hours, without: DrugKey,
    rival: dict[str, str] | None = None,
) -> Floats:  # fmt: skip
    """Occupancy that is lost without one ligand; under a rival value of a number where one is named."""
    extra: dict[str, Any] = {}
    if rival:
        number = lab.catalogue.drug(rival["drug"]).number(rival["number"])
        value = next(v.value for v in number.values if v.key == rival["value"])
        extra["overrides"] = {f"{rival['drug']}.{rival['number']}": value}
    whole = lab.pet(regimen, receptor, at, at, many=many, **extra)[1][:, -1]
    return 100 * (whole - lab.pet(regimen, receptor, at, at, many=many, without=[without], **extra)[1][:, -1])


@experiment_in_people("mg")
def half_dose(
    lab: Lab, many: bool, *, regimen: Template, receptor: Receptor, at: Hours, doses: tuple[float, float]
) -> Floats:
    """Dose that occupies half of a receptor at a time, between the smallest and the largest that are named."""
    tried = np.geomspace(*doses, 25)
    held = [lab.pet(regimen.format(dose=f"{d:.6g}"), receptor, at, at, many=many)[1][:, -1] for d in tried]
    return np.array(
        [np.exp(np.interp(0.5, row, np.log(tried), left=np.nan, right=np.nan)) for row in np.stack(held, axis=1)]
    )


@experiment_in_people("h")
def hours_above(
    lab: Lab, many: bool, *, regimen: Regimen, receptor: Receptor, until: Hours, threshold: float = 0.9
) -> Floats:
    """Time above a fraction of occupancy."""
    # Occupancy rises within the first hours; after that an hour is short, and each output ends a step of the engine.
    times = np.union1d(grid(0.0, min(24.0, until), 0.25), grid(0.0, until, 1.0))
    t, values = lab.pet(regimen, receptor, until, times, many=many)
    return hours_over(t, values, threshold)


def hours_over(t: Floats, values: Floats, level: float) -> Floats:
    """Time for which courses, straight between their times, lie above a level; shape (n,). [h]

    >>> hours_over(np.array([0.0, 1.0, 2.0, 4.0]), np.array([[0.0, 1.0, 1.0, 0.0]]), 0.5).tolist()
    [2.5]
    """
    low, high = np.sort(np.stack([values[:, :-1], values[:, 1:]]) - level, axis=0)
    share = np.where(low > 0.0, 1.0, np.maximum(high, 0.0) / np.maximum(high - low, 1e-300))
    return np.asarray(share @ np.diff(t))


@experiment_in_people("h")
def hours_gained(
    lab: Lab, many: bool, *, regimens: tuple[Regimen, Regimen], receptor: Receptor, until: Hours, threshold: float = 0.9
) -> Floats:
    """Time above a fraction that the second regimen adds to that of the first."""
    few, more = (
        hours_above(lab, many, regimen=r, receptor=receptor, until=until, threshold=threshold) for r in regimens
    )
    return more - few


@experiment_in_people("%")
def lowest(lab: Lab, many: bool, *, regimen: Regimen, receptor: Receptor, window: tuple[Hours, Hours]) -> Floats:
    """Smallest occupancy between two times."""
    begin, end = window
    _, values = lab.pet(regimen, receptor, end, grid(begin, end, 0.5), many=many)
    return np.asarray(100 * values.min(axis=1))


@experiment_in_people("d")
def time_below(
    lab: Lab, many: bool, *, regimen: Regimen, receptor: Receptor, threshold: float, after: Hours, until: Hours
) -> Floats:
    """Days after the last dose until occupancy is below a fraction."""
    last = last_dose_h(regimen)
    t, values = lab.pet(regimen, receptor, until, grid(max(after, last), until, BELOW_H), many=many)
    out = np.full(len(values), np.nan)
    for k, row in enumerate(values):
        # Not before the peak that follows the last dose: a tablet takes hours to reach its height.
        top = int(row[: round(24.0 / BELOW_H)].argmax())
        hit = np.flatnonzero(row[top:] < threshold)
        if len(hit):
            at = top + hit[0]
            two = slice(max(at - 1, top), at + 1)  # alone where the peak itself is below
            out[k] = (np.interp(-threshold, -row[two], t[two]) - last) / 24.0
    return out


@experiment("points")
def spread(lab: Lab, *, regimen: Regimen, receptor: Receptor, at: Hours) -> Outcome:
    """Standard deviation of occupancy between people with the best values of numbers; its band over drawn sets."""
    best = lab.pet(regimen, receptor, at, at, many=True, population={"n": 20 * lab.n})[1][:, -1]
    drawn = lab.pet(regimen, receptor, at, at, many=True)[1][:, -1].reshape(lab.draws, lab.n)
    return Outcome(predicted=float(100 * best.std(ddof=1)), many=100 * drawn.std(axis=1, ddof=1))


@experiment("fold")
def range_of_levels(lab: Lab, *, regimen: Regimen, species: DrugKey, at: Hours, people: int) -> Outcome:
    """Highest over lowest plasma level in a group of people; median of 20 groups."""
    values = lab.course(regimen, at, at, f"plasma_{species}", many=True, population={"n": 20 * people},
                        receptors=["mor"])[1]  # fmt: skip
    levels = values[:, -1].reshape(20, people)
    ratio = levels.max(axis=1) / levels.min(axis=1)
    return Outcome(predicted=float(np.median(ratio)), many=ratio)


@experiment("SD")
def rmse(lab: Lab, *, study: str, receptor: Receptor, structure: Structure) -> Outcome:
    """Weighted error of a structure against the scans that were fitted."""
    return Outcome(predicted=weighted_error(lab.catalogue, study, receptor, structure, overrides=lab.overrides))


# ------------------------------------------------------------------------------------------------ competition


def constants(lab: Lab, drug: str, structure: str | None) -> tuple[float, float]:
    """Kd [nM] and koff [1/h] of a ligand at mu, under a structure."""
    values, b = lab.values, lab.catalogue.drug(drug).binding["mor"]
    if structure:
        values.structures[drug] = structure
    if b.kd is not None:
        kd = values.typical(drug, b.kd)
    else:
        kd = values.typical(drug, str(b.ki)) * (values.typical(drug, b.factor) if b.factor else 1.0)
    return kd, values.typical(drug, str(b.koff))


def structure_of(catalogue: Catalogue, drug: str) -> str | None:
    """Default structure of a drug; None where it has one mechanism only."""
    default = catalogue.drug(drug).default_structure
    return None if default is None else default.key


def tone_of(lab: Lab) -> float:
    """Load of the endogenous agonist at mu, concentration over Kd."""
    return lab.values.typical("endogenous", "mor.e0")


def equilibrium_curve(agonist: Floats, antagonist: float, tone: float) -> Floats:
    """Occupancy by an agonist beside an antagonist and the endogenous agonist; all as concentration over Kd."""
    free = np.stack([agonist, np.full_like(agonist, antagonist), np.full_like(agonist, tone)], axis=-1)
    return competitive_occupancy(free, np.ones(3))[..., 0]


def half_point(agonist: Floats, curve: Floats, level: float) -> float:
    """Agonist concentration over Kd at a level of a rising curve; infinite where it is never reached."""
    if curve[-1] < level:
        return float("inf")
    return float(np.exp(np.interp(level, curve, np.log(agonist))))


@experiment("1", "%", "log units")
def schild(lab: Lab, *, drug: DrugKey, levels: Sequence[float], what: Literal["slope", "intercept", "top"]) -> Outcome:
    """Schild experiment at equilibrium: slope; pA2 minus -log Kd; lowest top of the agonist's curves [%]."""
    kd, _ = constants(lab, drug, structure_of(lab.catalogue, drug))
    tone = tone_of(lab)
    agonist = np.geomspace(1e-4, PLENTY, 4001)
    start = half_point(agonist, equilibrium_curve(agonist, 0.0, tone), 0.5)
    curves = [equilibrium_curve(agonist, level, tone) for level in levels]
    if what == "top":
        return Outcome(predicted=100 * min(float(c[-1]) for c in curves))
    ratio = np.array([half_point(agonist, c, 0.5) for c in curves]) / start
    slope, at_0 = np.polyfit(np.log10(np.array(levels) * kd) - 9.0, np.log10(ratio - 1.0), 1)
    return Outcome(predicted=float(slope if what == "slope" else at_0 / slope - (9.0 - np.log10(kd))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """State of mu when an agonist arrives, and the constants of its ligands.

    The order of ligands is agonist, antagonist and its metabolites, endogenous agonist. Concentrations of all but the
    first are constant for the hour; the agonist's is given relative to its Kd.
    """

    free: Floats
    start: Floats
    kd: Floats
    koff: Floats

    def curve(self, agonist: Floats, row: int | slice = 0, *, blocked: bool = True) -> Floats:
        """Occupancy by the agonist after the challenge, in one person or several; shape (..., n_concentrations)."""
        free = np.zeros((*self.free[row].shape[:-1], agonist.size, self.kd.size))
        start = np.zeros_like(free)
        free[..., 0], free[..., 1:] = agonist, self.free[row][..., None, :]
        start[..., 1:] = self.start[row][..., None, :]
        if not blocked:
            free[..., 1:-1] = start[..., 1:-1] = 0.0
            start[..., -1] = free[..., -1] / (1 + free[..., -1])
        return kinetic_occupancy([CHALLENGE_H], free, self.kd, self.koff, start)[..., 0, 0]

    @property
    def load(self) -> float:
        """Free antagonist and metabolites over their Kd, in the first person."""
        return float((self.free[0, :-1] / self.kd[1:-1]).sum())


def challenge_of(
    lab: Lab, structure: str | None, regimen: str, at_h: float, agonist: str, many: bool = False
) -> Challenge:
    """Run to the time of the challenge and return the state there."""
    ligands = ligands_of(lab.catalogue, regimen, "mor")
    names = [f"free_{s}" for s in ligands] + [f"mor_occupancy_{s}" for s in (*ligands, "endogenous")]
    extra = {"structure": structure} if structure else {}
    found = lab.run(regimen, at_h, at_h, names, receptors=["mor"], many=many, **extra)
    last = {n: np.asarray(found[n].values, dtype=np.float64)[:, -1] for n in names}
    kds, koffs = zip(*(constants(lab, s, structure) for s in ligands), strict=True)
    off = (lab.values.typical(s, "mor.koff") for s in (agonist, "endogenous"))
    return Challenge(
        free=np.stack([*(last[f"free_{s}"] for s in ligands), np.full(found.n, tone_of(lab))], axis=1),
        start=np.stack([last[f"mor_occupancy_{s}"] for s in (*ligands, "endogenous")], axis=1),
        kd=np.array([1.0, *kds, 1.0]),
        koff=np.array([next(off), *koffs, next(off)]),
    )


@experiment_in_people("%")
def challenge_top(
    lab: Lab, many: bool, *, structure: Structure, regimen: Regimen, at: Hours, agonist: DrugKey
) -> Floats:
    """Top of an agonist's curve after a challenge, relative to that without the antagonist."""
    plenty = np.array([PLENTY])
    c = challenge_of(lab, structure, regimen, at, agonist, many)
    control = c.curve(plenty, blocked=False)[0]
    return np.asarray(100 * c.curve(plenty, slice(None))[:, 0] / control)


@experiment("%")
def challenge_shift(lab: Lab, *, structure: Structure, regimen: Regimen, at: Hours, agonist: DrugKey) -> Outcome:
    """Shift of an agonist's curve after a challenge, relative to that at equilibrium."""
    c = challenge_of(lab, structure, regimen, at, agonist)
    agonists = np.geomspace(1e-3, PLENTY, 161)
    control, blocked = c.curve(agonists, blocked=False), c.curve(agonists)
    level = 0.5 * control[-1]
    shift = half_point(agonists, blocked, level) / half_point(agonists, control, level)
    # The endogenous agonist competes before and after.
    tone = c.free[0, -1]
    wanted = (dose_ratio(c.free[0, :-1], c.kd[1:-1]) + tone) / (1 + tone)
    return Outcome(predicted=float(100 * (shift - 1) / (wanted - 1)))


# ------------------------------------------------------------------------------------------------ effects


@experiment("%")
def block(
    lab: Lab, *, regimen: Regimen, challenge: Regimen, at: Hours, effect: EffectName,
    structure: Structure | None = None, numbers: Literal["drawn", "best", "joint"] = "drawn",
) -> Outcome:  # fmt: skip
    """Median block of an effect of an agonist at its largest published dose.

    ``numbers``: effects as drawn, the typical ones alone, or those of the fit that also uses challenges.
    """
    asked = EFFECTS if effect in EFFECTS else (effect,)
    people, given = BEST if numbers == "best" else CROWD, {RIVALS: numbers} if numbers == "joint" else None
    r = lab.challenge(regimen, challenge, at, structure, people, asked, given)[effect]
    return Outcome(predicted=100 * r.median_block, many=100 * r.block)


@experiment("points")
def block_order(
    lab: Lab, *, regimen: Regimen, challenge: Regimen, at: Hours, first: EffectName,
    others: Sequence[EffectName],
) -> Outcome:  # fmt: skip
    """Median block of one effect minus the largest of the others."""
    found = lab.challenge(regimen, challenge, at)
    rest = np.max([found[name].block for name in others], axis=0)
    typical = found[first].median_block - max(found[name].median_block for name in others)
    return Outcome(predicted=100 * typical, many=np.asarray(100 * (found[first].block - rest)))


@experiment_in_people("1")
def alone(lab: Lab, many: bool, *, regimens: Sequence[Regimen], ends: Sequence[Hours]) -> Floats:
    """Largest change of any effect under regimens on their own, over the noise of that effect."""
    effects = lab.catalogue.effects
    worst = np.zeros(1)
    for regimen, end in zip(regimens, ends, strict=True):
        found = lab.run(regimen, end, end / 100, list(effects), receptors=RECEPTORS, many=many)
        for name, effect in effects.items():
            values = np.asarray(found[name].values, dtype=np.float64)
            change = np.abs(values - values[:, :1]).max(axis=1) / lab.values.typical(name, effect.noise)
            worst = np.maximum(worst, change)
    return worst


def largest_difference(lab: Lab, names: Sequence[str], *regimens: str) -> float:
    """Largest difference of any of some outputs between two regimens in the typical person, in their units."""
    a, b = (lab.run(regimen, 24.0, 0.05, names, receptors=RECEPTORS) for regimen in regimens)
    return max(float(np.abs(a[n].values - b[n].values).max()) for n in names)


@experiment("1")
def unchanged(lab: Lab, *, species: DrugKey, alone: Regimen, together: Regimen) -> Outcome:
    """Largest difference of a plasma level and of every effect between two regimens."""
    return Outcome(predicted=largest_difference(lab, [f"plasma_{species}", *lab.catalogue.effects], alone, together))


def ventilation_curve(lab: Lab, agonist: str, over_kd: Floats, antagonist: float) -> Floats:
    """Ventilation left over the concentration of an agonist beside an antagonist, at equilibrium.

    ``agonist``: its efficacy is taken; ``over_kd``: concentration over Kd of the agonist [1]; ``antagonist``: the same
    of the antagonists, added up [1]. Returns fraction of ventilation at a carbon dioxide held constant [1].
    """
    name, values = "ventilation_isohypercapnic", lab.values
    effect = lab.catalogue.effects[name]
    efficacy = values.typical(agonist, str(lab.catalogue.drug(agonist).binding["mor"].efficacy))
    ratio = transducer_ratio(values.typical(name, effect.reserve["mor"]), efficacy)
    occupied = equilibrium_curve(over_kd, antagonist, tone_of(lab))
    return np.asarray(1.0 - operational_response(ratio * occupied, values.typical(name, effect.slope)))


def antagonist_load(lab: Lab, regimen: str, at_h: float) -> float:
    """Free antagonist and metabolites at mu over their Kd, in the typical person and the default mechanism."""
    drug = ligands_of(lab.catalogue, regimen, "mor")[0]
    return challenge_of(lab, structure_of(lab.catalogue, drug), regimen, at_h, drug).load


@experiment("%")
def surmounted(lab: Lab, *, regimen: Regimen, at: Hours, agonist: DrugKey) -> Outcome:
    """Depth of the curve of slowed breathing under what is left of an antagonist, relative to that without it."""
    plenty, load = np.array([PLENTY]), antagonist_load(lab, regimen, at)
    free, blocked = (1 - ventilation_curve(lab, agonist, plenty, level)[0] for level in (0.0, load))
    return Outcome(predicted=float(100 * blocked / free))


@experiment("1")
def structures(
    lab: Lab, *, compounds: Sequence[str], count: Literal["places", "core"], core: str = "", besides: Sequence[str] = ()
) -> Outcome:
    """Places at which compounds differ, or how many have a scaffold."""
    from schild.compounds import structure

    try:
        found = structure(*compounds)
    except SchildError as error:
        if "extra" not in str(error) and "RDKit" not in str(error):
            raise
        return Outcome(predicted=float("nan"), missing="needs the extra structure (RDKit)")
    if count == "core":
        return Outcome(predicted=float(sum(d.core == core for d in found.descriptions)))
    return Outcome(predicted=float(len(set(found.differences()) - set(besides))))
