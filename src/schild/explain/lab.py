"""The laboratory of an answer: runs that experiments and figures share, and what an experiment gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Catalogue
from schild.challenge import Response, challenge
from schild.errors import SchildError
from schild.people import Overrides, Values
from schild.regimen import parse_regimen
from schild.simulate import Result, Run, simulate_run

__all__ = ["CROWD", "EFFECTS", "RECEPTORS", "Lab", "Outcome", "last_dose_h", "published_dose"]

Floats = NDArray[np.float64]

#: Of a challenge of effects: 300 runs, ten adults under thirty parameter sets, as the page of criteria wants.
CROWD = {"n": 10, "uncertainty": 30}
#: Effects that every challenge is read for, so that claims and figures share runs.
EFFECTS = ("liking", "ventilation_isohypercapnic", "pupil", "analgesia")
RECEPTORS = ("mor", "kor", "dor", "mor_gut")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an experiment gives.

    Parameters
    ----------
    predicted : float
        For the typical person; for a challenge of effects the median over people.
    many : ndarray or None
        Everybody, where people matter.
    missing : str
        What the experiment needs and does not have; empty where it ran.
    ends : tuple of (float, float), optional
        The band itself, where it holds 90 % of parameter sets and not of people.
    """

    predicted: float
    many: Floats | None = None
    missing: str = ""
    ends: tuple[float | None, float | None] | None = None

    @property
    def band(self) -> tuple[float | None, float | None]:
        """Where 90 % of virtual people lie, or of parameter sets."""
        if self.ends is not None:
            return self.ends
        good = np.empty(0) if self.many is None else self.many[np.isfinite(self.many)]
        if not good.size:
            return None, None
        low, high = np.quantile(good, [0.05, 0.95])
        return float(low), float(high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """Runs of one answer, kept so that claims share them.

    Parameters
    ----------
    catalogue : Catalogue
        Where numbers stand.
    n, draws : int
        Virtual people and parameter sets behind each band.
    seed : int
        Of people and parameters.
    overrides : Overrides
        Numbers in place of the catalogue's.
    """

    catalogue: Catalogue
    n: int
    draws: int
    seed: int = 1
    overrides: Overrides = field(default_factory=lambda: Overrides({}))
    kept: dict[Any, Result] = field(default_factory=dict)
    measured: dict[Any, Outcome] = field(default_factory=dict)
    faced: dict[Any, dict[str, Response]] = field(default_factory=dict)
    shared: dict[Any, Any] = field(default_factory=dict)

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
    ) -> dict[str, Response]:
        """Give an agonist with and without an antagonist, or return the same challenge again.

        Parameters
        ----------
        antagonist, agonist : str
            Regimen and single dose, in words.
        at_h : float
            When the agonist is given. [h]
        structure : str, optional
            Rival mechanism.
        population : mapping or None
            People; None for the typical person.
        effects : sequence of str
            What is looked at.

        Returns
        -------
        dict of str to Response
            By effect.
        """
        key = (antagonist, agonist, at_h, structure, repr(population), tuple(effects))
        if key not in self.faced:
            found = challenge(
                antagonist, agonist=agonist, at=f"{at_h:.6f} h", effect=list(effects), population=population,
                seed=self.seed, structure=structure, catalogue=self.catalogue, overrides=self.overrides,
            )  # fmt: skip
            self.faced[key] = {r.effect: r for r in found.responses}
        return self.faced[key]

    def run(
        self,
        regimen: str,
        until_h: float,
        every_h: float,
        outputs: Sequence[str],
        *,
        many: bool = False,
        **options: Any,
    ) -> Result:
        """Simulate, or return the same run again; an empty regimen with a history is that history alone."""
        key = (regimen, until_h, every_h, tuple(outputs), many, repr(sorted(options.items())))
        if key not in self.kept:
            if many and "population" not in options:
                options["population"] = {"n": self.n, "uncertainty": self.draws}
            overrides, history = options.pop("overrides", None), options.pop("history", ())
            if history:
                who = "population" if "population" in options else "subject"
                options[who] = {**options.get(who, {}), "history": history}
            for name in {"receptors", "without"} & set(options):
                options[name] = list(options[name])
            run = Run.of(
                *([regimen] if regimen else []), until=f"{until_h:.6f} h", every=f"{every_h:.6f} h",
                outputs=list(outputs), seed=self.seed, **options,
            )  # fmt: skip
            # Warnings of withdrawal would simulate 200 people of their own, and no page of an answer shows them.
            given = self.overrides.and_(overrides, self.catalogue)
            self.kept[key] = simulate_run(run, catalogue=self.catalogue, overrides=given, warn=False)
        return self.kept[key]

    def pet(self, regimen: str, receptor: str, until_h: float, every_h: float, **options: Any) -> tuple[Floats, Floats]:
        """Times [h] and occupancy as tomography sees it, shape (n, n_times)."""
        name = f"{receptor}_pet_occupancy"
        o = self.run(regimen, until_h, every_h, [name], receptors=[receptor], **options)[name]
        return np.asarray(o.time_h, dtype=np.float64), np.asarray(o.values, dtype=np.float64)

    def both(self, of: Callable[[bool], Floats]) -> Outcome:
        """Evaluate something for the typical person and for many."""
        return Outcome(predicted=float(of(False)[0]), many=np.asarray(of(True), dtype=np.float64))


def published_dose(catalogue: Catalogue, drug: str, route: str) -> str:
    """Write the largest dose of a published human study of an agonist, the only one that a challenge is run with.

    Examples
    --------
    >>> from schild.catalog import load
    >>> published_dose(load(), "heroin", "iv")
    'heroin 25 mg iv'
    """
    entry = catalogue.drug(drug)
    number = entry.routes[route].challenge
    if number is None:
        raise SchildError(f"{entry.name} by {route} has no published dose in the catalogue. Choose another route.")
    return f"{drug} {Values(catalogue).typical(entry.key, number):g} mg {route}"


def last_dose_h(regimen: str) -> float:
    """Time of the last dose of a regimen. [h]

    Examples
    --------
    >>> last_dose_h("naltrexone 50 mg po q24h x14")
    312.0
    """
    return max(d.time + ((d.count or 1) - 1) * (d.every or 0.0) for d in parse_regimen(regimen).doses)
