"""Runs that the experiments and figures of an answer share, and the register of experiments."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from schild.array_types import Floats
from schild.catalog import Catalogue, Observation
from schild.errors import SchildError
from schild.explanation.answer import Outcome
from schild.people import Given, Overrides, Values
from schild.regimen import parse_regimen
from schild.result_cache import ResultCache
from schild.units import TICKS_PER_HOUR

if TYPE_CHECKING:
    from schild.challenges import Response
    from schild.simulation import Result

T = TypeVar("T")

#: People of a challenge of effects: ten adults under thirty parameter sets (docs/design/challenge-criteria.md).
CROWD = {"n": 10, "uncertainty": 30}
#: Effects that every challenge computes, so that claims and figures share runs.
EFFECTS = ("liking", "ventilation_isohypercapnic", "pupil", "analgesia")
RECEPTORS = ("mor", "kor", "dor", "mor_gut")


#: Experiments by name, and the units that a test of each may be stated in (empty: any).
EXPERIMENTS: dict[str, Callable[..., Outcome]] = {}
UNITS: dict[str, tuple[str, ...]] = {}


def experiment(*units: str) -> Callable[[Callable[..., Outcome]], Callable[..., Outcome]]:
    """Register a function as an experiment that claims can name; its keyword-only parameters are the options."""

    def register(function: Callable[..., Outcome]) -> Callable[..., Outcome]:
        EXPERIMENTS[function.__name__], UNITS[function.__name__] = function, units
        return function

    return register


def experiment_in_people(*units: str) -> Callable[[Callable[..., Floats]], Callable[..., Floats]]:
    """Register a function of ``(lab, many)`` that gives one value for each person, typical (False) or drawn (True)."""

    def register(function: Callable[..., Floats]) -> Callable[..., Floats]:
        @wraps(function)
        def run(lab: Lab, **options: Any) -> Outcome:
            typical = float(function(lab, False, **options)[0])
            return Outcome(predicted=typical, many=np.asarray(function(lab, True, **options), dtype=np.float64))

        EXPERIMENTS[function.__name__], UNITS[function.__name__] = run, units
        return function

    return register


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """Runs of one answer, kept so that claims and figures share them."""

    catalogue: Catalogue
    #: Virtual people and parameter sets behind each band
    n: int
    draws: int
    seed: int = 1  #: Seed of people and parameters
    overrides: Overrides = field(default_factory=lambda: Overrides({}))  #: Numbers in place of the catalogue's
    kept: dict[Hashable, Any] = field(default_factory=dict)
    #: Store whose results the next call reads again; by default none
    results: ResultCache = field(default_factory=lambda: ResultCache.off())

    @property
    def people(self) -> dict[str, int]:
        """People behind a band: the same adults under each parameter set."""
        return {"n": self.n, "uncertainty": self.draws}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Call ``make``, or return what it gave under the same key before."""
        if key not in self.kept:
            self.kept[key] = make()
        found: T = self.kept[key]
        return found

    @property
    def values(self) -> Values:
        """Numbers of the typical person."""
        return Values(self.catalogue, overrides=self.overrides)

    def challenge(
        self,
        antagonist: str,
        agonist: str,
        at_h: float,
        structure: str | None = None,
        population: Mapping[str, int] | None = CROWD,
        effects: Sequence[str] = EFFECTS,
        overrides: Given | None = None,
    ) -> dict[str, Response]:
        """Give an agonist with and without an antagonist, or return the same challenge again.

        ``antagonist`` and ``agonist``: regimen and single dose, in words; ``at_h``: when the agonist is given [h];
        ``population``: people; None for the typical person; ``overrides``: numbers in place of those of the answer.
        """
        from schild.challenges import challenge

        def run() -> dict[str, Response]:
            found = challenge(
                antagonist, agonist=agonist, at=f"{at_h:.6f} h", effect=list(effects), population=population,
                seed=self.seed, structure=structure, catalogue=self.catalogue,
                overrides=self.overrides.and_(overrides, self.catalogue),
            )  # fmt: skip
            return {r.effect: r for r in found.responses}

        key = (antagonist, agonist, at_h, structure, repr(population), tuple(effects), repr(overrides))
        return self.once(("challenge", *key), run)

    def run(
        self,
        regimen: str,
        until_h: float,
        every_h: float | Floats,
        outputs: Sequence[str],
        *,
        many: bool = False,
        **options: Any,
    ) -> Result:
        """Simulate, or return the same run again; an empty regimen with a history is that history alone.

        ``every_h``: distance of output times from time 0 on, or the times themselves [h].
        """
        from schild.simulation import Run, simulate_run

        if many:
            options.setdefault("population", self.people)
        overrides = options.pop("overrides", None)
        times = tuple(round(t * TICKS_PER_HOUR) for t in every_h) if isinstance(every_h, np.ndarray) else None
        if times is None:
            options["every"] = f"{every_h:.6f} h"
        run = Run.of(
            *([regimen] if regimen else []), until=f"{until_h:.6f} h", outputs=list(outputs), seed=self.seed, **options,
        )  # fmt: skip
        # Warnings of withdrawal would simulate 200 more people, and no page of an answer shows them.
        given = self.overrides.and_(overrides, self.catalogue)
        return self.once(
            ("run", run.model_dump_json(), times, repr(overrides)),
            lambda: simulate_run(
                run, catalogue=self.catalogue, overrides=given, times_tick=times, warn=False, plain_grid=True,
                metrics=False,
            ),
        )  # fmt: skip

    def course(
        self, regimen: str, until_h: float, every_h: float | Floats, output: str, **options: Any
    ) -> tuple[Floats, Floats]:
        """Times [h] and values of one output, shape (n, n_times)."""
        found = self.run(regimen, until_h, every_h, [output], **options)[output]
        return np.asarray(found.time_h, dtype=np.float64), np.asarray(found.values, dtype=np.float64)

    def pet(
        self, regimen: str, receptor: str, until_h: float, every_h: float | Floats, **options: Any
    ) -> tuple[Floats, Floats]:
        """Times [h] and occupancy as tomography sees it, shape (n, n_times)."""
        return self.course(regimen, until_h, every_h, f"{receptor}_pet_occupancy", receptors=[receptor], **options)

    def adapted(self, many: bool | None) -> dict[str, Any]:
        """Options of a run with tolerance and dependence.

        ``many``: the typical person (False), people behind a band (True), or those of a verdict (None). These bands are
        computed from a third of the people of other bands, each under all parameter sets, because there are many
        waits. Returns receptors that adaptation follows, and people.
        """
        receptors = list(next(e.receptors for e in self.catalogue.adaptation.values() if e.default))
        if many is False:
            return {"receptors": receptors}
        some = CROWD if many is None else {"n": max(1, self.n // 3), "uncertainty": self.draws}
        return {"receptors": receptors, "many": True, "population": some}


def grid(begin_h: float, end_h: float, step_h: float) -> Floats:
    """Times of a grid that starts at 0, from a beginning to an end. [h]

    >>> grid(1.2, 2.0, 0.5).tolist()
    [1.5, 2.0]
    """
    first, last = np.ceil(begin_h / step_h - 1e-6), np.floor(end_h / step_h + 1e-6)
    return np.asarray(step_h * np.arange(first, last + 1.0))


def published_dose(catalogue: Catalogue, drug: str, route: str) -> str:
    """Write the largest dose of a published human study of an agonist, the only one that a challenge is run with.

    >>> from schild.catalog import load
    >>> published_dose(load(), "heroin", "iv")
    'heroin 25 mg iv'
    """
    entry = catalogue.drug(drug)
    number = entry.route(route).challenge
    if number is None:
        raise SchildError(f"{entry.name} by {route} has no published dose in the catalogue. Choose another route.")
    return f"{drug} {Values(catalogue).typical(entry.key, number):g} mg {route}"


def row_of(catalogue: Catalogue, study: str, row: str) -> Observation:
    """Return one published result of a study."""
    return next(o for o in catalogue.studies[study].observations if o.id == row)


def last_dose_h(regimen: str) -> float:
    """Time of the last dose of a regimen. [h]

    >>> last_dose_h("naltrexone 50 mg po q24h x14")
    312.0
    """
    return max(d.time + ((d.count or 1) - 1) * (d.every or 0.0) for d in parse_regimen(regimen).doses)


def ligands_of(catalogue: Catalogue, regimen: str, receptor: str) -> list[str]:
    """First drug of a regimen and its metabolites that bind a receptor.

    >>> from schild.catalog import load
    >>> ligands_of(load(), "naltrexone 50 mg po", "mor")
    ['naltrexone', 'beta_naltrexol']
    """
    drug = catalogue.drug(str(parse_regimen(regimen)[0].drug))
    fed = drug.disposition.feeds if drug.disposition else ()
    return [drug.key, *(key for key in fed if receptor in catalogue.drug(key).binding)]
