"""Figures of a drug without claims: courses, effects with and without naltrexone, block, affinities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Drug
from schild.challenge import Response
from schild.explain.experiments import RECEPTORS, Lab, last_dose_h
from schild.explain.figures import BLUE, GREEN, ORANGE, PINK, Columns, Drawn
from schild.report import INK, draw_on, new_figure, svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from schild.evidence import Number, Value

__all__ = [
    "BLOCKED", "RECEPTOR_WORDS", "Picture", "affinities", "block", "blocks", "course", "effects", "span_of", "waning",
]  # fmt: skip

Floats = NDArray[np.float64]
_Part = tuple["Figure", str, str, Columns]

RECEPTOR_WORDS = {"mor": "mu", "kor": "kappa", "dor": "delta", "mor_gut": "mu of the gut"}
#: Effects by which a block is told, with words, unit and factor for drawing.
BLOCKED = {
    "liking": ("liking", "points", 1.0),
    "ventilation_isohypercapnic": ("breathing, CO2 held constant", "% of baseline", 100.0),
    "pupil": ("pupil", "mm", 1.0),
    "analgesia": ("pain relief", "% of the most", 100.0),
    "gut_transit": ("passage through the gut", "% of baseline", 100.0),
}
#: Share of runs that have to respond before a block is told.
FEWEST = 0.05
_SPANS = (3.0, 6.0, 12.0, 24.0, 48.0, 72.0, 168.0)
_LINES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PINK, ":"))
_PEOPLE = "Line: typical person; band: 90 % of {n} runs of virtual people, uncertainty of the numbers included."


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure that a page draws when it is written.

    Parameters
    ----------
    key, title : str
        Identity on the page, and heading.
    kind : str
        Of ``_KINDS``: what is drawn.
    options : mapping
        For that function.
    """

    key: str
    title: str
    kind: str
    options: dict[str, Any]

    def draw(self, lab: Lab) -> Drawn:
        """Draw it from the runs of the lab."""
        with draw_on():
            figure, alt, caption, data = _KINDS[self.kind](lab, **self.options)
            svg = svg_of(figure, self.key, alt)
        longest = max((len(column) for column in data.values()), default=0)
        filled = {name: [*column, *[""] * (longest - len(column))] for name, column in data.items()}
        return Drawn(svg=svg, caption=caption, data=filled)


def span_of(time_h: Floats, value: Floats) -> float:
    """How long to follow a course: until it has fallen to a twentieth of its top, on a round scale. [h]

    Examples
    --------
    >>> t = np.linspace(0.0, 168.0, 1681)
    >>> span_of(t, np.exp(-t)), span_of(t, np.exp(-t / 20)), span_of(t, np.exp(-t / 500))
    (6.0, 72.0, 168.0)
    """
    above = np.flatnonzero(value > 0.05 * value.max()) if value.max() > 0 else np.zeros(1, dtype=int)
    last = float(time_h[above[-1]])
    return next((s for s in _SPANS if s >= 1.1 * last), _SPANS[-1])


def blocks(response: Response) -> Floats:
    """Percent block in those in whom the opioid alone does something; nobody, where fewer than a twentieth do.

    Examples
    --------
    >>> from schild.challenge import Response
    >>> both = {"without": np.array([10.0, 0.1]), "with_": np.array([4.0, 0.0])}
    >>> blocks(Response(time_h=0.0, effect="liking", unit="points", noise=1.0, **both)).tolist()
    [60.0]
    """
    good = 100 * response.block[np.isfinite(response.block)]
    return np.asarray(good if good.size >= FEWEST * response.block.size else good[:0])


def _said(lab: Lab, regimen: str) -> str:
    return f"{regimen[0].upper()}{regimen[1:]}. " + _PEOPLE.format(n=lab.n * max(lab.draws, 1))


def _draw(axis: Axes, t: Floats, one: Floats, many: Floats, line: tuple[str, str], label: str) -> tuple[Floats, Floats]:
    """Line and band; gives the limits of the band."""
    low, high = (np.asarray(v, dtype=np.float64) for v in np.nanquantile(many, [0.05, 0.95], axis=0))
    colour, style = line
    axis.fill_between(t, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.plot(t, one, color=colour, linestyle=style, linewidth=1.7, label=label)
    return low, high


def _keep(data: Columns, name: str, one: Floats, low: Floats, high: Floats) -> None:
    for suffix, column in (("", one), (" 5 %", low), (" 95 %", high)):
        data[name + suffix] = [float(v) for v in column]


def _panel(axis: Axes, title: str, y: str, span: float) -> None:
    """Name a panel whose time runs from 0 to ``span`` hours; long ones are told in days."""
    days = span > 72
    end = span / 24 if days else span
    axis.set(xlabel="days" if days else "hours", ylabel=y, xlim=(-0.01 * end, end))
    axis.set_xticks([end * k / 6 for k in range(7)] if not days else list(range(int(end) + 1)))
    axis.set_title(title, loc="left")
    axis.grid(True)


def _pair(
    lab: Lab, regimen: str, until: float, every: float, outputs: Sequence[str], receptors: Sequence[str]
) -> tuple[Any, Any]:
    """The typical run and that of people."""
    one, many = (lab.run(regimen, until, every, outputs, receptors=receptors, many=many) for many in (False, True))
    return one, many


def course(
    lab: Lab, *, drug: str, regimen: str, species: Sequence[str], receptors: Sequence[str], span: float
) -> _Part:
    """Plasma of a drug and what it becomes, and the receptors held, over time.

    Parameters
    ----------
    lab : Lab
        For its runs.
    drug, regimen : str
        Key, and what is given.
    species : sequence of str
        Whose plasma is drawn.
    receptors : sequence of str
        Which are drawn; with one receptor and several species, that receptor by species.
    span : float
        How long. [h]

    Returns
    -------
    tuple
        Figure, alternative text, caption, numbers.
    """
    names = {s: lab.catalogue.drug(s).name for s in species}
    plasma = {f"plasma_{s}": names[s] for s in species}
    if len(species) > 1:
        held = {f"mor_occupancy_{s}": names[s] for s in species if "mor" in lab.catalogue.drug(s).binding and receptors}
    else:
        held = {f"{r}_occupancy_{drug}": RECEPTOR_WORDS[r] for r in receptors}
    found, many = _pair(lab, regimen, span, span / 240, [*plasma, *held], list(receptors) or ["mor"])
    figure = new_figure(7.4, 3.1)
    axes = list(figure.subplots(1, 2 if held else 1, squeeze=False)[0])
    data: Columns = {}
    scale = 1.0 if span <= 72 else 24.0
    tops = {axis: 0.0 for axis in axes}
    for axis, group, factor in ((axes[0], plasma, 1.0), (axes[-1], held, 100.0)):
        for (name, label), line in zip(group.items(), _LINES, strict=False):
            t, one = np.asarray(found[name].time_h, dtype=np.float64), factor * np.asarray(found[name].value)
            low, high = _draw(axis, t / scale, one, factor * np.asarray(many[name].values), line, label)
            tops[axis] = max(tops[axis], float(high.max()), float(one.max()))
            data.setdefault("time [h]", [float(v) for v in t])
            _keep(data, f"{name} [{'ng/mL' if factor == 1 else '%'}]", one, low, high)
    _panel(axes[0], "plasma", "ng/mL", span)
    axes[0].set_ylim(bottom=0)
    if len(plasma) > 1 or span > 24:
        peaks = [float(np.max(found[name].value)) for name in plasma]
        axes[0].set(
            yscale="log",
            ylim=(max(min(peaks) / (30 if len(plasma) > 1 else 1000), max(peaks) / 1e5), 2 * tops[axes[0]]),
        )
    if len(plasma) > 1:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(plasma))
    if held:
        _panel(axes[-1], "mu receptors by drug" if len(species) > 1 else "receptors held", "occupied [%]", span)
        axes[-1].set_ylim(0, min(102.0, 1.15 * max(tops[axes[-1]], 1.0)))
        if len(plasma) == 1:
            axes[-1].legend(loc="best")
    shown = "plasma and receptors held" if held else "plasma"
    return figure, f"{shown[0].upper()}{shown[1:]} over time after {regimen}.", _said(lab, regimen), data


def effects(
    lab: Lab, *, agonist: str, antagonist: str, at_h: float, names: Sequence[str], span: float, words: Sequence[str]
) -> _Part:
    """Effects of a published dose over time, alone and after an antagonist.

    Parameters
    ----------
    lab : Lab
        For its runs.
    agonist : str
        One published dose.
    antagonist : str
        Regimen of the antagonist.
    at_h : float
        When the agonist is given. [h]
    names : sequence of str
        Effects.
    span : float
        How long after the agonist. [h]
    words : sequence of str
        Legend: alone, with the antagonist.

    Returns
    -------
    tuple
        Figure, alternative text, caption, numbers.
    """
    given = f"{agonist} at {at_h:g} h" if at_h else agonist
    every = span / 240
    # The grid begins at zero, so the dose has to fall on it.
    every = at_h / max(1, round(at_h / every)) if at_h else every
    figure = new_figure(7.4, 5.2 if len(names) > 2 else 2.9)
    axes = list(figure.subplots((len(names) + 1) // 2, 2, squeeze=False).flat)
    data: Columns = {}
    for regimen, label, line in zip((given, f"{antagonist}; {given}"), words, _LINES, strict=False):
        found, many = _pair(lab, regimen, at_h + span, every, names, RECEPTORS)
        for axis, name in zip(axes, names, strict=False):
            title, unit, factor = BLOCKED[name]
            t = np.asarray(found[name].time_h, dtype=np.float64)
            late = t >= at_h - 1e-9
            t, one = t[late] - at_h, factor * np.asarray(found[name].value)[late]
            low, high = _draw(axis, t, one, factor * np.asarray(many[name].values)[:, late], line, label)
            data.setdefault("hours after the opioid", [float(v) for v in t])
            _keep(data, f"{name}, {label} [{unit}]", one, low, high)
            _panel(axis, title, unit, span)
            axis.set_ylim(*((0, None) if name == "pupil" else (-3, 103)))
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return (
        figure,
        f"Effects of {agonist} over {span:g} h, alone and given {at_h:g} h after {antagonist}.",
        f"{agonist[0].upper()}{agonist[1:]}, alone and {at_h:g} h after {antagonist}. "
        + _PEOPLE.format(n=lab.n * max(lab.draws, 1))
        + " Receptors alone: no tolerance, no expectation.",
        data,
    )


def block(lab: Lab, *, antagonist: str, at_h: float, doses: Sequence[tuple[str, str]], names: Sequence[str]) -> _Part:
    """Percent block of each effect at published doses, with where 90 % of people lie.

    Parameters
    ----------
    lab : Lab
        For its runs.
    antagonist : str
        Regimen.
    at_h : float
        When the agonist is given. [h]
    doses : sequence of (words, regimen)
        Published doses.
    names : sequence of str
        Effects.

    Returns
    -------
    tuple
        Figure, alternative text, caption, numbers.
    """
    crowd = {"n": lab.n, "uncertainty": lab.draws}
    figure = new_figure(7.4, 0.9 + 0.26 * len(names) * len(doses))
    axis = figure.subplots()
    data: Columns = {"dose": [], "effect": [], "block [%]": [], "5 % [%]": [], "95 % [%]": []}
    labels: list[str] = []
    k = 0
    for words, dose in doses:
        found = lab.challenge(antagonist, dose, at_h, None, crowd, names)
        for name, line in zip(names, _LINES, strict=False):
            some = blocks(found[name])
            title = BLOCKED[name][0].split(",")[0]
            labels.append(f"{title}, {words}" if len(doses) > 1 else title)
            if some.size:
                low, mid, high = np.quantile(some, [0.05, 0.5, 0.95])
                axis.plot([low, high], [k, k], color=line[0], linewidth=5, alpha=0.3, solid_capstyle="butt")
                axis.plot([mid], [k], "o", color=line[0], markersize=6)
                row = (float(mid), float(low), float(high))
            else:
                axis.annotate("too little to be blocked", (2, k), va="center", fontsize=8.5)
                row = (float("nan"),) * 3
            for column, v in zip(data.values(), (words, title, *row), strict=True):
                column.append("" if isinstance(v, float) and not np.isfinite(v) else v)
            k += 1
    axis.set_yticks(range(k), labels)
    axis.invert_yaxis()
    axis.set(xlim=(-10, 103), xlabel="block [%]")
    axis.axvline(0, color=INK, linewidth=0.7)
    axis.grid(True, axis="x")
    return (
        figure,
        f"Block of effects {at_h:g} h after {antagonist}, with where 90 % of virtual people lie.",
        f"{at_h:g} h after {antagonist}. Dot: median; bar: 90 % of {lab.n * max(lab.draws, 1)} runs of virtual people, "
        "of those in whom the opioid alone does something (a twentieth of them at least). Block: 1 less the ratio of "
        "the largest changes within 6 h.",
        data,
    )


def waning(lab: Lab, *, antagonist: str, agonist: str, times: Sequence[float], names: Sequence[str]) -> _Part:
    """Percent block of a published dose at several times after an antagonist.

    Parameters
    ----------
    lab : Lab
        For its runs.
    antagonist, agonist : str
        Regimen, and a published dose.
    times : sequence of float
        When the agonist is given. [h]
    names : sequence of str
        Effects; the first gets a band.

    Returns
    -------
    tuple
        Figure, alternative text, caption, numbers.
    """
    crowd = {"n": lab.n, "uncertainty": lab.draws}
    found = [lab.challenge(antagonist, agonist, t, None, crowd, names) for t in times]
    figure = new_figure(7.4, 3.0)
    axis = figure.subplots()
    begin = last_dose_h(antagonist)
    x = (np.array(times) - begin) / (24.0 if max(times) - begin > 72 else 1.0)
    data: Columns = {"hours after the antagonist": [float(t) - begin for t in times]}
    for name, line in zip(names, _LINES, strict=False):
        each = [blocks(f[name]) for f in found]
        if not all(b.size for b in each):
            continue
        low, mid, high = np.array([np.quantile(b, [0.05, 0.5, 0.95]) for b in each]).T
        title = BLOCKED[name][0].split(",")[0]
        if name == names[0]:
            axis.fill_between(x, low, high, color=line[0], alpha=0.16, linewidth=0)
        axis.plot(x, mid, color=line[0], linestyle=line[1], marker="o", markersize=3.5, linewidth=1.6, label=title)
        _keep(data, f"block of {title} [%]", mid, low, high)
    _panel(axis, "", "block [%]", max(times) - begin)
    axis.set(xlabel=f"{axis.get_xlabel()} after the antagonist", ylim=(-10, 103))
    axis.legend(loc="best")
    return (
        figure,
        f"Block of effects of {agonist} at times after {antagonist}: it fades.",
        f"{agonist[0].upper()}{agonist[1:]}, given at each time after {antagonist}; every point is a run of its own. "
        f"Line: median of {lab.n * max(lab.draws, 1)} runs of virtual people; band (of "
        f"{BLOCKED[names[0]][0].split(',')[0]}): 90 % of them. Largest change within 6 h.",
        data,
    )


def _points(lab: Lab, drug: Drug) -> list[tuple[str, str, float, Value, bool]]:
    """Receptor, source and value of each affinity that was found, the one in use marked. [nM]"""
    default = drug.default_structure
    key = None if default is None else default.key
    found = []
    for receptor, b in drug.binding.items():
        name = b.kd if b.kd is not None else b.ki
        if name is None or receptor == "mor_gut":
            continue
        number: Number = drug.number(name, key if b.kd is not None else None)
        for v in (number.chosen, *number.rivals):
            found.append((RECEPTOR_WORDS.get(receptor, receptor), v.source[0] if v.source else v.key, v.value, v,
                          v is number.chosen))  # fmt: skip
    return found


def affinities(lab: Lab, *, drug: str) -> _Part:
    """Affinities as published, one in use and its rivals, for each receptor.

    Parameters
    ----------
    lab : Lab
        Holds the catalogue.
    drug : str
        Key.

    Returns
    -------
    tuple
        Figure, alternative text, caption, numbers.
    """
    entry = lab.catalogue.drug(drug)
    points = _points(lab, entry)
    receptors = list(dict.fromkeys(p[0] for p in points))
    figure = new_figure(7.4, 0.9 + 0.24 * len(points))
    axis = figure.subplots()
    marks = dict(zip(receptors, _LINES, strict=False))
    for k, (receptor, _, x, _, used) in enumerate(points):
        colour = marks[receptor][0]
        axis.plot([x], [k], "o", color=colour, mfc=colour if used else "none", markersize=6.5)
    axis.set_yticks(range(len(points)), [f"{receptor}: {source}" for receptor, source, *_ in points], fontsize=8)
    low, high = min(p[2] for p in points), max(p[2] for p in points)
    axis.set(xscale="log", xlabel="affinity, Ki or Kd [nM]", xlim=(low / 3, high * 3))
    axis.invert_yaxis()
    axis.grid(True, axis="x")
    data: Columns = {
        "receptor": [p[0] for p in points], "source": [p[1] for p in points], "value [nM]": [p[2] for p in points],
        "in use": ["yes" if p[4] else "" for p in points], "how it was seen": [p[3].verified for p in points],
    }  # fmt: skip
    binding = entry.binding.get("mor")
    note = ""
    if binding is not None and binding.ki is not None and binding.factor is not None:
        factor = entry.number(binding.factor).value
        note = f" In people the model multiplies these of the dish by {factor:.3g} (fitted to effects, or assumed)."
    return (
        figure,
        f"Affinities of {entry.name} for its receptors as published, in nM.",
        f"Filled: in use; open: rival values. To the left: binds more strongly.{note}",
        data,
    )


_KINDS: dict[str, Callable[..., _Part]] = {
    "course": course, "effects": effects, "block": block, "waning": waning, "affinities": affinities,
}  # fmt: skip
