"""Scenes of a page: the sentence of each at its first setting, and the engine that changes it."""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from schild.catalog import Catalogue
from schild.web.controls import Scene, controls
from schild.web.module import module_bytes
from schild.web.pack import BAND, pack
from schild.web.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A scene as a template shows it: ``parts`` are pieces of the sentence, as (text, name of the number or "")."""

    scene: Scene
    parts: tuple[tuple[str, str], ...]
    results: dict[str, float]
    band: str  #: Where virtual people lie, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """End of a page: module, pack and script, each compressed and in base64, and the code that starts them."""

    module: str
    pack: str
    script: str
    start: str


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
        band = band_words([name for _, name in parts], scenario.band(catalogue=catalogue).results)
        found.append(Shown(scene=scene, parts=tuple(parts), results=results, band=band))
    return tuple(found)


def band_words(names: Sequence[str], ends: Mapping[str, tuple[float, float]]) -> str:
    """Write the band of the results of a sentence; ``page.js`` writes the same.

    >>> band_words(["mor_peak", "mg"], {"mor_peak": (70.2, 96.0), "dor_peak": (1.0, 2.0)})
    '90 % of 28 virtual people like this one: highest occupancy 70 to 96 %.'
    """
    told = [
        f"{of.words} {_result(name, ends[name][0])} to {_result(name, ends[name][1])} {of.unit}"
        for name, of in controls().results.items()
        if name in names and name in ends
    ]
    return f"90 % of {BAND} virtual people like this one: {'; '.join(told)}." if told else ""


def engine_of(drug: str, *, catalogue: Catalogue | None = None) -> Engine | None:
    """Return the engine for the scenes of a drug, None for a drug without."""
    drugs = {name for scene in controls().scenes if scene.drug == drug for name in scene.drugs}
    if not drugs:
        return None
    folder = files("schild.web")
    script = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in ("live.js", "page.js"))
    script = re.sub(r"/\*.*?\*/|^ +|\n(?=\s*\n)", "", script, flags=re.S | re.M)  # comments and indents stay at home
    module, packed_script = (gzip.compress(data, 9, mtime=0) for data in (module_bytes(), script.encode()))
    return Engine(
        module=b64encode(module).decode(), pack=b64encode(pack(sorted(drugs), catalogue=catalogue)).decode(),
        script=b64encode(packed_script).decode(), start=folder.joinpath("start.js").read_text(encoding="utf-8"),
    )  # fmt: skip


def shown(name: str, scenario: Scenario, results: dict[str, float]) -> str:
    """Write a number of a sentence; ``page.js`` writes the same.

    >>> shown("mor_peak", Scenario(give="naloxone vein", mg=0.4, n=1, every_h=1, until_h=6), {"mor_peak": 99.7})
    'more than 99'
    """
    if name == "missed_count":
        n = len(scenario.missed)
        return "None is" if n == 0 else f"Number {scenario.missed[0]} is" if n == 1 else f"{n} are"
    if name == "challenge":
        return next((c.says for c in controls().challenges if c.name == scenario.challenge), "nothing")
    if name == "each":
        return "a day" if scenario.every_h == 24 else f"every {scenario.every_h / 24:g} days"
    if name == "give":
        return next(d.says for d in controls().dosings if d.key == scenario.give)
    if name not in results:
        value = getattr(scenario, name)
        control = controls().named.get(name)
        if isinstance(value, str):
            return value
        return f"{value / (control.hours if control is not None and control.hours else 1.0):.10g}"
    return _result(name, results[name])


def _result(name: str, value: float) -> str:
    if name.endswith("_h"):
        return f"{value:.0f}" if value >= 10 or value < 0.05 else f"{value:.1f}"
    if name.endswith("ng_ml"):
        return f"{value:.2g}" if value >= 0.05 else "too little to measure"
    return "less than 1" if value < 1 else "more than 99" if value > 99 else f"{value:.0f}"
