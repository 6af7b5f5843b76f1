"""Scenes of a page: the sentence of each at its first setting, and the engine that changes it."""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from dataclasses import dataclass
from importlib.resources import files

from schild.catalog import Catalogue
from schild.web.controls import Scene, controls
from schild.web.module import module_bytes
from schild.web.pack import pack
from schild.web.scenario import Scenario

__all__ = ["Engine", "Shown", "engine_of", "scenes_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A scene as a template shows it: ``parts`` are pieces of the sentence, as (text, name of the number or "")."""

    scene: Scene
    parts: tuple[tuple[str, str], ...]
    results: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What stands at the end of a page: module and pack, each compressed and in base64, and the script."""

    module: str
    pack: str
    script: str


def scenes_of(drug: str, *, catalogue: Catalogue | None = None) -> tuple[Shown, ...]:
    """Run the scenes of a drug at their first setting.

    >>> [s.scene.key for s in scenes_of("naloxone")]
    ['one-dose']
    """
    found = []
    for scene in controls().scenes:
        if scene.drug != drug:
            continue
        scenario = Scenario.of(scene.scenario)
        results = scenario.results(catalogue=catalogue)
        pieces = re.split(r"\{(\w+)\}", scene.says)
        parts = [(shown(text, scenario, results), text) if k % 2 else (text, "") for k, text in enumerate(pieces)]
        found.append(Shown(scene=scene, parts=tuple(parts), results=results))
    return tuple(found)


def engine_of(drug: str, *, catalogue: Catalogue | None = None) -> Engine | None:
    """Return the engine for the scenes of a drug, None for a drug without."""
    if not any(scene.drug == drug for scene in controls().scenes):
        return None
    folder = files("schild.web")
    script = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in ("live.js", "page.js"))
    return Engine(
        module=b64encode(gzip.compress(module_bytes(), 9, mtime=0)).decode(),
        pack=b64encode(pack([drug], catalogue=catalogue)).decode(),
        script=script.replace("</", "<\\/"),
    )


def shown(name: str, scenario: Scenario, results: dict[str, float]) -> str:
    """Write a number of a sentence; ``page.js`` writes the same.

    >>> shown("mor_peak", Scenario(give="naloxone vein", mg=0.4, n=1, every_h=1, until_h=6), {"mor_peak": 99.7})
    'more than 99'
    """
    if name == "missed_count":
        n = len(scenario.missed)
        return {0: "none is", 1: "one is"}.get(n, f"{n} are")
    if name == "challenge":
        return next((c.words for c in controls().challenges if c.name == scenario.challenge), "nothing")
    if name not in results:
        value = getattr(scenario, name)
        control = controls().named.get(name)
        if isinstance(value, str):
            return value
        return f"{value / (control.hours if control is not None and control.hours else 1.0):.10g}"
    value = results[name]
    if name.endswith("_h"):
        return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
    if name.endswith("ng_ml"):
        return f"{value:.2g}" if value >= 0.05 else "too little to measure"
    return "less than 1" if value < 1 else "more than 99" if value > 99 else f"{value:.0f}"
