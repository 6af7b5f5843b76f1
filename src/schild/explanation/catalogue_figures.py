"""Figures of the page of a drug without claims: its course in the body and its effects, as data for drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.catalog import Claim, Drug
from schild.explanation.catalogue_numbers import RECEPTOR_WORDS, capitalised, regimen_words
from schild.explanation.figures import EFFECT_WORDS
from schild.explanation.lab import RECEPTORS, Lab

#: Lengths of figures of courses. [h]
SPANS = (3.0, 6.0, 12.0, 24.0, 48.0, 72.0, 168.0)

PEOPLE = "Line: typical person; band: 90 % of {runs} runs of virtual people, uncertainty of the numbers included."


def is_active(drug: Drug) -> bool:
    """Return whether a drug switches a receptor on."""
    return any(b.efficacy is not None and drug.number(b.efficacy).value > 0 for b in drug.binding.values())


def active_family(drug: Drug, lab: Lab) -> list[str]:
    """Return the drug and those of its metabolites that act: at most four."""
    found = [drug.key]
    for key in found:
        entry = lab.catalogue.drug(key)
        fed = [] if entry.disposition is None else list(entry.disposition.feeds)
        found += [k for k in fed if k not in found and is_active(lab.catalogue.drug(k))]
    return found[:4]


def level_of(drug: Drug) -> str:
    """Output that shows the level of a drug: in blood for alcohol, else in plasma."""
    return "bac" if drug.disposition is not None and drug.disposition.releases else f"plasma_{drug.key}"


def span_of(time_h: Floats, value: Floats) -> float:
    """Time over which a course is followed: until it has fallen to a twentieth of its maximum, rounded. [h]

    >>> t = np.linspace(0.0, 168.0, 1681)
    >>> span_of(t, np.exp(-t)), span_of(t, np.exp(-t / 20)), span_of(t, np.exp(-t / 500))
    (6.0, 72.0, 168.0)
    """
    above = np.flatnonzero(value > 0.05 * value.max()) if value.max() > 0 else np.zeros(1, dtype=int)
    last = float(time_h[above[-1]])
    return next((s for s in SPANS if s >= 1.1 * last), SPANS[-1])


def figure_of(key: str, title: str, figure: dict[str, Any]) -> Claim:
    """Return a figure of a page as a claim without tests."""
    return Claim(id=key, statement=title, figure=figure, tests=())


def _time_axis(span: float) -> dict[str, Any]:
    end = span / 24 if span > 72 else span
    return {"unit": "d" if span > 72 else "h", "xlim": (-0.01 * end, end), "until": f"{span!r} h"}


def course_figure(drug: Drug, lab: Lab, regimen: str, span: float) -> dict[str, Any]:
    """Plasma levels of a drug and its metabolites, and occupancy of receptors; with several species, mu by species."""
    receptors = [r for r in RECEPTORS if r in drug.binding]
    species = active_family(drug, lab) if drug.role == "prodrug" else [drug.key]
    names = {s: lab.catalogue.drug(s).name for s in species}
    if len(species) > 1:
        held = {f"mor_occupancy_{s}": n for s, n in names.items() if "mor" in lab.catalogue.drug(s).binding}
    else:
        held = {f"{r}_occupancy_{drug.key}": RECEPTOR_WORDS[r] for r in receptors}
    several = len(species) > 1
    same = {"draw": "courses", "every": f"{span / 240!r} h", **_time_axis(span)}
    plasma = {
        **same, "title": "blood" if level_of(drug) == "bac" else "plasma",
        "y": "g/L" if level_of(drug) == "bac" else "ng/mL",
        "lines": [
            {"regimen": regimen, "output": level_of(lab.catalogue.drug(s)), "label": name} for s, name in names.items()
        ],
    }  # fmt: skip
    if several or span > 24:
        plasma["floor"] = 30.0 if several else 1000.0
    panels = [plasma]
    if held and receptors:
        lines = [{"regimen": regimen, "output": output, "label": label} for output, label in held.items()]
        title = "mu receptors by drug" if several else "receptors occupied"
        legend = "" if several else "best"
        panels.append({**same, "title": title, "y": "occupied [%]", "lines": lines, "legend": legend})
    return {
        "alt": f"Course after {regimen_words(regimen)}.",
        "caption": f"{capitalised(regimen_words(regimen))}. {PEOPLE}", "panel": panels,
        "legend": len(species) if several else 0,
    }  # fmt: skip


def effects_figure(
    lab: Lab, agonist: str, antagonist: str, at_h: float, names: Sequence[str], span: float
) -> dict[str, Any]:
    """Effects of a published dose over time, alone and after an antagonist."""
    given = f"{agonist} at {at_h:g} h" if at_h else agonist
    every = span / 240
    # The grid begins at zero, so the dose has to fall on it.
    every = at_h / max(1, round(at_h / every)) if at_h else every
    axis = {**_time_axis(span), "until": f"{at_h + span!r} h", "begin": f"{at_h!r} h", "zero": f"{at_h!r} h"}
    before, own = regimen_words(antagonist), regimen_words(agonist)
    labels = ((given, "alone"), (f"{antagonist}; {given}", f"{at_h:g} h after {before}"))
    panels = [
        {
            "draw": "courses", "title": EFFECT_WORDS[name][0], "y": EFFECT_WORDS[name][1], "every": f"{every!r} h",
            "ylim": None if name == "pupil" else (-3, 103), **axis,
            "lines": [{"regimen": regimen, "output": name, "label": label} for regimen, label in labels],
        }
        for name in names
    ]  # fmt: skip
    return {
        "alt": f"Effects of {own} over {span:g} h, alone and given {at_h:g} h after {before}.",
        "caption": f"{capitalised(own)}, alone and {at_h:g} h after {before}. {PEOPLE} "
        "Tolerance and expectation are not modelled.",
        "panel": [{k: v for k, v in panel.items() if v is not None} for panel in panels],
        "rows": (len(names) + 1) // 2, "height": 5.2 if len(names) > 2 else 2.9, "legend": 2,
    }  # fmt: skip
