"""What the controls of a live page offer: antagonist regimens, people and published challenges (``controls.toml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

from schild.catalog.reader import Table

#: Where the program is described; it stands in every picture, because people take pictures of the screen.
ADDRESS = "schild.readthedocs.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dosing:
    """A way in which an antagonist is given.

    ``words`` is the regimen with a place for the amount; amounts go from ``low_mg`` to ``high_mg`` in steps of
    ``step_mg``; ``every_h`` is the usual interval and ``most`` the largest number of doses. ``says`` is what a sentence
    calls it; a course of several has ``course`` doses and is followed for ``after_h`` beyond the last interval.
    """

    drug: str
    name: str
    words: str
    low_mg: float
    high_mg: float
    step_mg: float
    usual_mg: float
    every_h: float
    most: int
    says: str
    after_h: float
    course: int

    @property
    def key(self) -> str:
        """Name of the model: drug and way."""
        return f"{self.drug} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenged:
    """One published challenge: a fixed dose of an opioid, what a sentence calls it, and the effects that are read."""

    name: str
    words: str
    says: str
    effects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What a control is called, and its bounds where the way of giving does not set them.

    ``low``, ``high`` and ``step`` are in ``unit``; where ``hours`` is given, the unit is so many hours.
    """

    words: str
    unit: str = ""
    hours: float | None = None
    low: float | None = None
    high: float | None = None
    step: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A question with a scenario, the controls that change it, and the sentence that follows.

    ``scenario`` is written as a link has it; ``says`` has places for fields of the scenario and for its results.
    ``gives`` are the ways of giving that its control of the drug offers. ``claims`` are tests of the drug's claims that
    the numbers stand or fall with: where one is missed the page says it.
    """

    drug: str
    key: str
    title: str
    scenario: str
    controls: tuple[str, ...]
    says: str
    gives: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()

    @property
    def drugs(self) -> set[str]:
        """Antagonists that it can be asked of."""
        return {self.drug, *(key.split()[0] for key in self.gives)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """Everything that the controls offer."""

    weight_kg: tuple[float, ...]
    liver: tuple[str, ...]
    crcl_ml_min: tuple[float, ...]
    dosings: tuple[Dosing, ...]
    challenges: tuple[Challenged, ...]
    named: Mapping[str, Control]
    results: Mapping[str, Control]
    scenes: tuple[Scene, ...]

    @property
    def people(self) -> list[dict[str, Any]]:
        """Covariates of each person offered; the last covariate varies fastest."""
        every = product(self.weight_kg, self.liver, self.crcl_ml_min)
        return [{"weight_kg": w, "liver": liver, "crcl_ml_min": c} for w, liver, c in every]


@cache
def controls() -> Controls:
    """Read the controls.

    >>> [d.key for d in controls().dosings][:2]
    ['naltrexone tablet', 'naltrexone injection']
    """
    top = Table.of(files("schild.web").joinpath("controls.toml").read_text(encoding="utf-8"), "web/controls.toml")
    people = top.table("people")
    found = Controls(
        weight_kg=tuple(float(v) for v in people.data["weight_kg"]),
        liver=people.texts("liver"),
        crcl_ml_min=tuple(float(v) for v in people.data["crcl_ml_min"]),
        dosings=tuple(t.record(Dosing) for t in top.tables("dosing")),
        challenges=tuple(t.record(Challenged) for t in top.tables("challenge")),
        named={name: t.record(Control) for name, t in top.named("control").items()},
        results={name: t.record(Control) for name, t in top.named("result").items()},
        scenes=tuple(t.record(Scene) for t in top.tables("scene")),
    )
    top.done()
    return found
