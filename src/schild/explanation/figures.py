"""Panels of receptors, plasma and effects that claims and answers name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from schild.array_types import Floats
from schild.catalog import Catalogue, Drug, Observation
from schild.challenges import Response
from schild.errors import SchildError
from schild.evidence import Value
from schild.explanation import figures_alcohol, figures_opioid, figures_withdrawal  # noqa: F401 - they register panels
from schild.explanation.catalogue_numbers import RECEPTOR_WORDS
from schild.explanation.experiments import (
    antagonist_load,
    challenge_of,
    equilibrium_curve,
    tone_of,
    ventilation_curve,
)
from schild.explanation.experiments_withdrawal import MONTHS_OUTPUTS
from schild.explanation.lab import CROWD, RECEPTORS, Lab, ligands_of
from schild.explanation.options import DrugKey, EffectName, Hours, Receptor, Regimen, Structure, Template
from schild.explanation.panels import BLUE, GREEN, LINES, ORANGE, YELLOW, Panel, panel
from schild.figures import COLOURS, GREY, INK
from schild.report.parts import source_words

#: Effects whose block is shown, with words, unit and factor for drawing.
EFFECT_WORDS = {
    "liking": ("liking", "points", 1.0),
    "ventilation_isohypercapnic": ("breathing, CO2 held constant", "% of baseline", 100.0),
    "pupil": ("pupil", "mm", 1.0),
    "analgesia": ("pain relief", "% of the maximum", 100.0),
    "gut_transit": ("passage through the gut", "% of baseline", 100.0),
}
#: Share of runs that have to respond before a block is shown.
FEWEST = 0.05
#: Outputs of tolerance and dependence, which need the states of adaptation.
_ADAPTED = ("cows", "sows", "tolerance", "dependence", "adaptation_fast", "adaptation_slow")


def blocks(response: Response) -> Floats:
    """Percent block in people in whom the opioid alone has an effect; empty where fewer than a twentieth have one.

    >>> from schild.challenges import Response
    >>> both = {"without": np.array([10.0, 0.1]), "with_": np.array([4.0, 0.0])}
    >>> blocks(Response(time_h=0.0, effect="liking", unit="points", noise=1.0, **both)).tolist()
    [60.0]
    """
    good = 100 * response.block[np.isfinite(response.block)]
    return np.asarray(good if good.size >= FEWEST * response.block.size else good[:0])


# ------------------------------------------------------------------------------------------------ courses


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Line of a figure over time: regimen, output and how it is scaled."""

    #: Regimen, output that is drawn, and name of the line
    regimen: Regimen
    output: str
    label: str
    structure: Structure | None = None
    of: Literal["value", "peak", "1 h"] = "value"  #: ``value``, or percent of its ``peak`` or of its value at ``1 h``
    band: bool = True  #: Whether to draw the range of 90 % of virtual people


@dataclass(frozen=True, slots=True, kw_only=True)
class Scans:
    """Tomography of a study to draw beside courses."""

    #: Key of the study, and beginning of the names of its rows
    study: str
    rows: str
    label: str = ""  #: Name in the legend
    scaled: bool = False  #: Whether values are relative to the scan at 1 h and are drawn from the first course there


def _scans(catalogue: Catalogue, scans: Scans) -> list[Observation]:
    return [o for o in catalogue.studies[scans.study].observations if o.id.startswith(scans.rows) and o.unit == "%"]


def _outputs_beside(catalogue: Catalogue, line: Course, lines: Sequence[Course]) -> list[str]:
    """Outputs to run together, so that lines and panels of one regimen share a run."""
    same = [o.output for o in lines if (o.regimen, o.structure, o.band) == (line.regimen, line.structure, line.band)]
    if any(name in _ADAPTED for name in same):
        return list(MONTHS_OUTPUTS)
    if line.output in EFFECT_WORDS:
        return [name for name in EFFECT_WORDS if name in catalogue.effects]
    return list(dict.fromkeys(same))


def _run_options(lab: Lab, outputs: Sequence[str], many: bool) -> dict[str, Any]:
    """Receptors and people that outputs need."""
    if any(name in _ADAPTED for name in outputs):
        return {**lab.adapted(many), "receptors": RECEPTORS[:3], "adaptation": True}
    if any(name in lab.catalogue.effects for name in outputs):
        return {"receptors": RECEPTORS, "many": many}
    kinds = ("_pet_", "_occupancy_", "_activation", "_free")
    some = [r for r in RECEPTORS if any(name.startswith(tuple(r + kind for kind in kinds)) for name in outputs)]
    return {"receptors": some or ["mor"], "many": many}


def _factor(output: str) -> float:
    if output in EFFECT_WORDS:
        return EFFECT_WORDS[output][2]
    return 100.0 if "_occupancy" in output else 1.0


@panel
def courses(
    p: Panel, *, lines: Sequence[Course], until: Hours, every: Hours, begin: Hours = 0.0, zero: Hours = 0.0,
    unit: Literal["h", "d"] = "d", scans: Sequence[Scans] = (), marks: Sequence[Hours] = (), floor: float = 0.0,
) -> None:  # fmt: skip
    """Outputs over time: typical person, and the band of people.

    ``begin`` is the first time that is drawn and ``zero`` the time that is called zero. ``marks`` are times at which
    each line gets a dot, in the order of the lines. With a ``floor`` the axis is logarithmic and begins at the lowest
    peak of a line divided by it.
    """
    scale = 24.0 if unit == "d" else 1.0
    p.chart.x.label = "days" if unit == "d" else "hours"
    first: tuple[Floats, Floats] | None = None
    peaks: list[float] = []
    for k, line in enumerate(lines):
        outputs = _outputs_beside(p.lab.catalogue, line, lines)
        extra: dict[str, Any] = {"structure": line.structure} if line.structure else {}
        typical = p.lab.run(line.regimen, until, every, outputs, **_run_options(p.lab, outputs, False), **extra)
        t = np.asarray(typical[line.output].time_h, dtype=np.float64)
        y = _factor(line.output) * np.asarray(typical[line.output].value, dtype=np.float64)
        some = t >= begin - 1e-9
        band = None
        if line.band:
            people = p.lab.run(line.regimen, until, every, outputs, **_run_options(p.lab, outputs, True), **extra)
            values = _factor(line.output) * np.asarray(people[line.output].values, dtype=np.float64)
            # One time after the other where values are missing (NaN), all at once where none is: the same numbers.
            of = np.nanquantile if np.isnan(values).any() else np.quantile
            low, high = of(values[:, some], [0.05, 0.95], axis=0)
            band = low, high
        if line.of != "value":
            y = 100 * y / (y.max() if line.of == "peak" else float(np.interp(1.0, t, y)))
        first = first or (t, y)
        x = (t[some] - zero) / scale
        p.line(k, x, y[some], band, line.label)
        p.keep("time [h]", t[some] - zero)
        p.keep(line.label, y[some], *(band or ()))
        peaks.append(float(y.max()))
        if k < len(marks):
            at = [marks[k]]
            p.chart.marks((np.array(at) - zero) / scale, np.interp(at, t, y), color=LINES[k][0], size=7, edge=INK)
    if floor:
        p.chart.y.lim = max(min(peaks) / floor, max(peaks) / 1e5), 2 * p.chart.y.limits()[1]
        p.chart.y.log = True
    else:  # zero is in sight
        p.chart.x.reach(0.0 if begin <= zero else (begin - zero) / scale)
        p.chart.y.reach(0.0)
    for entry in scans:
        rows = _scans(p.lab.catalogue, entry)
        size = 1.0
        if entry.scaled and first is not None:
            size = float(np.interp(1.0, *first)) / 100
        p.points(
            [float(o.time_h or 0) / scale for o in rows], [size * o.value for o in rows],
            [size * float(o.sd_fixed or 0) for o in rows], entry.label,
        )  # fmt: skip


@panel
def shares(p: Panel, *, regimen: Regimen, receptor: Receptor, until: Hours) -> None:
    """Share of a receptor occupied by each ligand, stacked over time."""
    catalogue = p.lab.catalogue
    ligands = ligands_of(catalogue, regimen, receptor)
    names = [*(f"{receptor}_occupancy_{s}" for s in (*ligands, "endogenous")), f"{receptor}_free"]
    labels = [*(catalogue.drug(s).name for s in ligands), "endogenous", "free"]
    found = p.lab.run(regimen, until, 0.5, names, receptors=[receptor])
    t = np.asarray(found[names[0]].time_h)
    parts = [100 * np.asarray(found[n].value) for n in names]
    colours = (*(BLUE, ORANGE, GREEN)[: len(ligands)], YELLOW, GREY)
    p.chart.x.label, p.chart.y.label, p.chart.y.lim = "days", "receptors [%]", (0, 100)
    p.keep("time [h]", t)
    below = np.zeros(t.size)
    for label, part, colour in zip(labels, parts, colours, strict=True):
        p.chart.band(t / 24, below, below + part, color=colour, alpha=0.2 if colour == GREY else 1.0, label=label)
        p.keep(f"{label} [%]", part)
        below = below + part


@panel
def dose_response(
    p: Panel, *, regimen: Template, receptor: Receptor, at: Hours, doses: tuple[float, float], scans: Scans
) -> None:
    """Occupancy at a time over the dose, beside scans."""
    x = np.geomspace(*doses, 16)

    def held(many: bool) -> Floats:
        found = [p.lab.pet(regimen.format(dose=f"{d:.6g}"), receptor, at, at, many=many)[1][:, -1] for d in x]
        return 100 * np.array(found)

    y = held(False)[:, 0]
    low, high = np.quantile(held(True), [0.05, 0.95], axis=1)
    p.line(0, x, y, (low, high), "model")
    rows = _scans(p.lab.catalogue, scans)
    p.points(
        [float(o.regimen.split()[1]) for o in rows], [o.value for o in rows], [float(o.sd_fixed or 0) for o in rows],
        scans.label,
    )  # fmt: skip
    p.keep("dose [mg]", x)
    p.keep(f"{RECEPTOR_WORDS[receptor]} [%]", y, low, high)


@panel
def histogram(p: Panel, *, regimen: Regimen, receptor: Receptor, at: Hours, study: str, row: str) -> None:
    """Occupancy of many people at a time, with mean and standard deviation of the scans."""
    values = 100 * p.lab.pet(regimen, receptor, at, at, many=True, population={"n": 20 * p.lab.n})[1][:, -1]
    counts, ends = np.histogram(values, bins=24)
    p.chart.bars(ends[:-1], ends[1:], 0.0, counts, color=BLUE if receptor == "mor" else GREEN, alpha=0.75)
    (scan,) = _scans(p.lab.catalogue, Scans(study=study, rows=row))
    top, sd = p.chart.y.limits()[1], float(scan.sd_fixed or 0)
    p.chart.whiskers([], [1.06 * top], [scan.value - sd], [scan.value + sd], color=INK, across=True)
    p.chart.marks([scan.value], [1.06 * top], color=INK, size=6, hollow=True)
    p.chart.note("scans: mean, SD", scan.value, 1.1 * top, ha="center")
    p.chart.x.label, p.chart.y.label, p.chart.y.lim = "occupied [%]", "virtual people", (0, 1.3 * top)
    quantiles = np.linspace(0.05, 0.95, 19)
    p.keep("quantile", quantiles)
    p.keep(f"{RECEPTOR_WORDS[receptor]} [%]", np.quantile(values, quantiles))


# ------------------------------------------------------------------------------------------------ competition


@panel
def equilibrium(p: Panel, *, levels: Sequence[float]) -> None:
    """Occupancy by an agonist over its concentration, under levels of an antagonist, at equilibrium."""
    agonist, tone = np.geomspace(1e-2, 1e6, 65), tone_of(p.lab)
    p.keep("agonist, C/Kd", agonist)
    for level, shade in zip((0.0, *levels), (1.0, *np.linspace(0.35, 1.0, len(levels))), strict=True):
        curve = 100 * equilibrium_curve(agonist, level, tone)
        label = f"{level:g} x Kd" if level else "none"
        p.chart.line(agonist, curve, color=BLUE if level else INK, alpha=float(shade), label=label, width=1.6)
        p.keep(f"antagonist {label} [%]", curve)


@panel
def after_challenge(
    p: Panel, *, regimen: Regimen, at: Hours, agonist: DrugKey, structures: Sequence[tuple[Structure, str]]
) -> None:
    """Occupancy by an agonist over its concentration after a challenge of an hour, under rival mechanisms."""
    x = np.geomspace(1e-2, 1e6, 65)
    for k, (key, label) in enumerate(structures):
        c = challenge_of(p.lab, key, regimen, at, agonist)
        if not k:
            alone = 100 * c.curve(x, blocked=False)
            p.chart.line(x, alone, color=INK, width=1.6, label="no antagonist")
            p.keep("no antagonist [%]", alone)
        curve = 100 * c.curve(x)
        p.line(k, x, curve, label=label)
        p.keep(f"{label} [%]", curve)


@panel
def ventilation(p: Panel, *, regimen: Regimen, times: Sequence[Hours], agonist: DrugKey) -> None:
    """Ventilation over the concentration of an agonist, without an antagonist and at times after it."""
    x = np.geomspace(1e-3, 1e4, 141)
    p.keep("agonist, C/Kd", x)
    cases = [("none", 0.0), *((f"{at:g} h after", antagonist_load(p.lab, regimen, at)) for at in times)]
    for k, (label, load) in enumerate(cases):
        y = 100 * ventilation_curve(p.lab, agonist, x, load)
        style: dict[str, Any] = {} if k else {"color": INK, "dashes": "-"}
        p.line(k - 1, x, y, label=label, **style)
        p.keep(f"ventilation, {label} [%]", y)


@panel
def affinities(p: Panel, *, drug: DrugKey) -> None:
    """Published affinities, the one in use and its rivals, for each receptor."""
    points = affinities_of(p.lab.catalogue.drug(drug))
    receptors = list(dict.fromkeys(receptor for receptor, *_ in points))
    for k, (receptor, _, v, used) in enumerate(points):
        colour = LINES[receptors.index(receptor)][0]
        p.chart.marks([v.value], [k], color=colour, hollow=not used, size=7 if used else 6.5)
    p.chart.y.ticks = range(len(points))
    p.chart.y.words = [f"{receptor}: {source}" for receptor, source, *_ in points]
    p.chart.y.lim = len(points) - 0.5, -0.5
    p.chart.x.label, p.chart.x.log = "affinity, Ki or Kd [nM]", True
    p.chart.x.lim = min(v.value for _, _, v, _ in points) / 3, max(v.value for _, _, v, _ in points) * 3
    p.keep("receptor", [receptor for receptor, *_ in points])
    p.keep("source", [source for _, source, *_ in points])
    p.keep("value [nM]", [v.value for _, _, v, _ in points])
    p.keep("in use", ["yes" if used else "" for *_, used in points])
    p.keep("where read", [_SEEN.get(v.verified, v.verified) for _, _, v, _ in points])


#: How a value was checked, in words.
_SEEN = {
    "read": "in the source", "abstract": "in the abstract", "memory": "recalled", "second_hand": "at second hand",
    "derived": "computed",
}  # fmt: skip


def affinities_of(drug: Drug) -> list[tuple[str, str, Value, bool]]:
    """Receptor, source and value of each affinity that was found, and whether it is in use. [nM]"""
    default = drug.default_structure
    key = None if default is None else default.key
    found = []
    for receptor, b in drug.binding.items():
        name = b.kd if b.kd is not None else b.ki
        if name is None or receptor == "mor_gut":
            continue
        number = drug.number(name, key if b.kd is not None else None)
        for v in (number.chosen, *number.rivals):
            words = RECEPTOR_WORDS.get(receptor, receptor)
            found.append((words, source_words(v.source[0]) if v.source else v.key, v, v is number.chosen))
    return found


# ------------------------------------------------------------------------------------------------ effects


def _title(effect: str) -> str:
    return EFFECT_WORDS[effect][0].split(",")[0]


def _people(lab: Lab, people: str) -> dict[str, int] | None:
    return {"verdict": CROWD, "band": lab.people, "typical": None}[people]


@panel
def waning(
    p: Panel, *, antagonists: Sequence[Regimen], challenge: Regimen, times: Sequence[Hours],
    effects: Sequence[EffectName], labels: Sequence[str] = (), zero: Hours = 0.0, unit: Literal["h", "d"] = "d",
    people: Literal["verdict", "band", "typical"] = "verdict",
) -> None:  # fmt: skip
    """Block of effects of a published dose at times after antagonists; the first line gets the band of people.

    ``people`` are those of a verdict, those of a band, or the typical person. The time ``zero`` is called zero.
    """
    scale = 24.0 if unit == "d" else 1.0
    x = (np.array(times) - zero) / scale
    p.keep("days" if unit == "d" else "hours", x)
    k = 0
    for antagonist, label in zip(antagonists, labels or ("",) * len(antagonists), strict=True):
        asked = tuple(effects)
        found = [p.lab.challenge(antagonist, challenge, t, None, _people(p.lab, people), asked) for t in times]
        for effect in effects:
            each = [blocks(f[effect]) for f in found]
            if not all(b.size for b in each):
                continue
            low, middle, high = np.array([np.quantile(b, [0.05, 0.5, 0.95]) for b in each]).T
            name = label or _title(effect)
            drawn = people != "typical"
            p.line(
                k,
                x,
                middle,
                (low, high) if drawn and k == 0 else None,
                name,
                **({"mark": "o", "size": 4.5} if drawn else {}),
            )
            p.keep(f"block, {name} [%]", middle, *((low, high) if drawn else ()))
            k += 1
    p.chart.x.label, p.chart.y.label = "days" if unit == "d" else "hours", "block [%]"
    p.chart.y.lim = -10 if people == "band" else -3, 103


@panel
def durations(
    p: Panel, *, cases: Sequence[tuple[Regimen, Hours, str]], challenge: Regimen, effect: EffectName,
    structures: Sequence[tuple[Structure, str]],
) -> None:  # fmt: skip
    """Block of an effect at a time after each regimen, under rival mechanisms, with 90 % of people."""
    p.keep("regimen", [regimen for regimen, _, _ in cases])
    p.keep("time [h]", [at for _, at, _ in cases])
    for k, (key, label) in enumerate(structures):
        found = [p.lab.challenge(regimen, challenge, at, key if k else None)[effect] for regimen, at, _ in cases]
        y = 100 * np.array([r.median_block for r in found])
        low, high = (100 * np.array([np.nanquantile(r.block, q) for r in found]) for q in (0.05, 0.95))
        x = np.arange(len(cases)) + 0.14 * (k - 1.5)
        p.chart.whiskers(x, y, low, high, color=LINES[k][0], width=1.2)
        p.chart.marks(x, y, "osD^v"[k], color=LINES[k][0], size=6, label=label)
        p.keep(f"block, {label} [%]", y, low, high)
    p.chart.x.ticks, p.chart.x.words = range(len(cases)), [words for *_, words in cases]


@panel
def block_bars(
    p: Panel, *, antagonist: Regimen, at: Hours, doses: Sequence[tuple[str, Regimen]], effects: Sequence[EffectName]
) -> None:
    """Block of effects at published doses: median of people, and where 90 % of them lie."""
    rows: list[tuple[str, str, Floats]] = []
    for words, dose in doses:
        found = p.lab.challenge(antagonist, dose, at, None, p.lab.people, tuple(effects))
        rows += [(words, _title(effect), blocks(found[effect])) for effect in effects]
    ends = [np.quantile(some, [0.5, 0.05, 0.95]) if some.size else np.full(3, np.nan) for *_, some in rows]
    # Several doses: each stands as a line above its own bars.
    heads = len(doses) > 1
    at_y = [k + (k // len(effects) + 1) * heads for k in range(len(rows))]
    for n, (k, (middle, low, high)) in enumerate(zip(at_y, ends, strict=True)):
        colour = LINES[n % len(effects)][0]
        if np.isfinite(middle):
            p.chart.line([low, high], [k, k], color=colour, width=5, alpha=0.3)
            p.chart.marks([middle], [k], color=colour, size=7)
        else:
            p.chart.note("too little to be blocked", 2, k, va="center")
    for g, (words, _) in enumerate(doses if heads else ()):
        p.chart.note(words, -8, g * (len(effects) + 1), va="center")
    p.chart.y.ticks, p.chart.y.words = at_y, [title for _, title, _ in rows]
    p.chart.y.lim = at_y[-1] + 0.6, -0.6
    p.chart.x.label, p.chart.x.lim = "block [%]", (-10, 103)
    p.keep("dose", [words for words, *_ in rows])
    p.keep("effect", [title for _, title, _ in rows])
    for k, name in enumerate(("block [%]", "5 % [%]", "95 % [%]")):
        p.keep(name, ["" if np.isnan(row[k]) else row[k] for row in ends])


@panel
def changes(p: Panel, *, regimen: Regimen, until: Hours) -> None:
    """Change of every effect under a regimen on its own, over the noise of that effect."""
    effects = p.lab.catalogue.effects
    found = p.lab.run(regimen, until, until / 100, list(effects), receptors=RECEPTORS)
    for k, (name, effect) in enumerate(effects.items()):
        t, y = np.asarray(found[name].time_h), np.asarray(found[name].value)
        change = (y - y[0]) / p.lab.values.typical(name, effect.noise)
        words = EFFECT_WORDS.get(name, (name.replace("_", " "),))[0]
        p.chart.line(t / 24, change, color=COLOURS[k % len(COLOURS)], width=1.6, label=words)
        p.keep("time [h]", t)
        p.keep(f"{words}, change / noise", change)
    p.chart.rule(y=(-1, 1), alpha=0.08)
    p.chart.x.label, p.chart.y.label, p.chart.y.lim = "days", "change / noise", (-2, 2)


@panel
def structures(p: Panel, *, compounds: Sequence[str]) -> str | None:
    """Structures of compounds on one scaffold: the drawing that comes with the package, or one by RDKit."""
    from schild.compounds import drawn, structure

    kept = drawn(compounds, p.lab.catalogue)
    if kept is not None:
        for name, column in kept["table"].items():
            p.keep(name, column)
        return str(kept["svg"])
    try:
        found = structure(*compounds)
    except SchildError:
        p.chart.shown = False
        p.chart.note("Other structures than those drawn need the extra 'structure'.", 0.02, 0.5, shares="xy")
        return None
    p.keep("compound", [c.name for c in found.compounds])
    p.keep("on the nitrogen", [d.nitrogen for d in found.descriptions])
    p.keep(f"likeness to {found.compounds[0].name}", [round(float(v), 2) for v in found.similarity[0]])
    text = found.svg()
    size = re.search(r"viewBox='([^']*)'", text)
    assert size is not None  # RDKit writes one
    return f'<svg viewBox="{size.group(1)}">{text.partition("<!-- END OF HEADER -->")[2].strip()}'
