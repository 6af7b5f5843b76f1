"""Virtual people: covariates, variability between people and occasions, and uncertainty as a separate axis.

Every draw comes from a stream keyed by seed, name and subject, so two runs that share a seed share their people,
whatever else differs between them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from itertools import count

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.catalog import Catalogue, PopulationCovariate, ReferencePopulation
from schild.engine.kept import once
from schild.engine.streams import normals
from schild.errors import InputError
from schild.people import FEW, People, Uses, Values

#: One property of every person: numbers or words.
Column = NDArray[np.float64] | NDArray[np.str_]

MAX_SUBJECTS = 1_000_000
LIVER = ("normal", "mild", "moderate", "severe")
SEX = ("female", "male")
CYP2D6 = ("PM", "IM", "EM", "UM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One person, whose parameters are the typical ones for these properties.

    Parameters
    ----------
    weight_kg : float
        Body weight. [kg]
    age_years : float
        Age. [years]
    crcl_ml_min : float
        Creatinine clearance. [mL/min]
    sex : {"female", "male"}
        Sex; no clinically relevant effect is known for naltrexone.
    liver : {"normal", "mild", "moderate", "severe"}
        Liver function.
    dependent : {"no", "yes"}
        Dependence on opioids or alcohol, as a covariate of kinetics.
    cyp2d6 : {"PM", "IM", "EM", "UM"}
        Class of CYP2D6: poor, intermediate, extensive, ultrarapid. Codeine and hydrocodone turn into stronger opioids
        by it.

    Examples
    --------
    >>> Subject(weight_kg=60).age_years
    40.0
    """

    weight_kg: float = 70.0
    age_years: float = 40.0
    crcl_ml_min: float = 100.0
    sex: str = "male"
    liver: str = "normal"
    dependent: str = "no"
    cyp2d6: str = "EM"

    @property
    def given(self) -> dict[str, float | str]:
        """Covariates that differ from those of the typical person."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) != f.default}

    def __post_init__(self) -> None:
        for name, low, high, unit in (
            ("weight_kg", 20.0, 300.0, "kg"),
            ("age_years", 12.0, 110.0, "years"),
            ("crcl_ml_min", 1.0, 300.0, "mL/min"),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(
                    f"{name} is {value!r}; expected {low:g} to {high:g} {unit}. Correct the subject's {name}."
                )
        for name, levels in (("sex", SEX), ("liver", LIVER), ("dependent", ("no", "yes")), ("cyp2d6", CYP2D6)):
            value = getattr(self, name)
            if value not in levels:
                raise InputError(f"{name} is {value!r}; expected one of {', '.join(levels)}. Choose one of them.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """A group of virtual people.

    Parameters
    ----------
    n : int
        Number of people.
    key : str
        Reference population of the catalogue, for the covariates.
    fixed : mapping
        Covariates that are the same for all, by the names of ``Subject``.
    variability : bool
        Whether people differ beyond their covariates.
    occasions : bool
        Whether one person differs from dose to dose.
    draws : int
        Parameter sets drawn from the uncertainty of the typical values; each is given to the same ``n`` people.
        0 takes the best values.

    Examples
    --------
    >>> Population(n=100, draws=5).size
    500
    """

    n: int
    key: str = "adult"
    fixed: Mapping[str, float | str] = field(default_factory=dict)
    variability: bool = True
    occasions: bool = True
    draws: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.n <= MAX_SUBJECTS:
            raise InputError(
                f"A population of {self.n} was asked for; expected 1 to {MAX_SUBJECTS:,}. "
                "Run several seeds, or ask for fewer people."
            )
        if self.draws < 0 or self.size > MAX_SUBJECTS:
            raise InputError(
                f"{self.draws} parameter draws for {self.n} people were asked for; expected 0 or more, and at most "
                f"{MAX_SUBJECTS:,} runs in all. Lower one of the two."
            )
        Subject(**self.fixed)  # type: ignore[arg-type]  # checks names' values with the same messages

    @property
    def given(self) -> dict[str, float | str]:
        """Covariates of everybody that differ from those of the typical person."""
        return Subject(**self.fixed).given  # type: ignore[arg-type]  # checked when it was made

    @property
    def size(self) -> int:
        """Number of runs: people times parameter draws."""
        return self.n * max(self.draws, 1)


def people_of(who: Subject | Population, numbers: Catalogue | Values, seed: int, first: int = 0) -> People:
    """Draw the people of a run.

    ``who``: one typical person, or a group; ``numbers``: hold the reference populations; ``Values`` also hold what is
    given in place of their numbers; ``seed``: seed of the run; ``first``: number of the first person of a population:
    persons ``first`` to ``first + n`` of one that has no end. Returns: for a population with parameter draws, the
    people of the first draw come first, then the same people again under the second, and so on.

    >>> from schild.catalog import load
    >>> people_of(Subject(), load(), seed=1).n
    1
    """
    values = numbers if isinstance(numbers, Values) else Values(numbers)
    if isinstance(who, Subject):
        person, run = _person(who, values.key)
        if next(run) >= _RUNS:
            _person.cache_clear()
        return person
    if who.n > FEW:
        return _drawn(who, values, seed, first)

    def make() -> tuple[People, Uses]:
        alone = Values(values.catalogue, overrides=values.overrides)
        return _drawn(who, alone, seed, first), alone.uses

    people, uses = once(("people", repr(who), seed, first, values.key), make)
    values.uses.add(uses)
    return people


#: Runs after which a typical person is made anew: what is kept of the models of its runs must not grow without end.
_RUNS = 500


@lru_cache(maxsize=8)
def _person(who: Subject, numbers: Hashable) -> tuple[People, Iterator[int]]:
    """A typical person with what is kept of runs under the same numbers (``Values.key``), and a count of these runs.

    One run after another of one person, as in a notebook, then builds structure and parameters once.
    """
    columns = {name: np.array([getattr(who, name)]) for name in Subject.__dataclass_fields__}
    return People(n=1, covariates=columns), count()


def _drawn(who: Population, values: Values, seed: int, first: int) -> People:
    base = _covariates(values, values.catalogue.populations[who.key], who, seed, first)
    last = first + who.n
    repeat = max(who.draws, 1)

    def between(name: str) -> Floats:
        return np.tile(_draw(seed, f"between:{name}", first, last), repeat)

    def occasion(name: str) -> Floats:
        return np.tile(_draw(seed, f"occasion:{name}", first, last), repeat)

    def uncertain(name: str) -> Floats:
        return np.repeat(_draw(seed, f"uncertain:{name}", 0, who.draws), who.n)

    return People(
        n=who.size,
        covariates={name: _repeated(values, repeat) for name, values in base.items()},
        between_subject=between if who.variability else None,
        between_occasion=occasion if who.variability and who.occasions else None,
        uncertainty=uncertain if who.draws else None,
    )


def _draw(seed: int, name: str, first: int, last: int) -> Floats:
    """Standard normals of a name; those of few people are kept, since many runs share their people."""
    return _kept_draw(seed, name, first, last) if last - first <= FEW else normals(seed, name, first, last)


@lru_cache(maxsize=2048)
def _kept_draw(seed: int, name: str, first: int, last: int) -> Floats:
    found = normals(seed, name, first, last)
    found.flags.writeable = False
    return found


def groups(first: int, last: int, most: int) -> Iterator[tuple[int, int]]:
    """Cut people ``first`` to ``last`` into groups of at most ``most``: what is kept of one group fits into memory.

    >>> list(groups(0, 5, 2))
    [(0, 2), (2, 4), (4, 5)]
    """
    for start in range(first, last, most):
        yield start, min(start + most, last)


def _repeated(values: Column, times: int) -> Column:
    """Give the same people again, once for each parameter set."""
    again: Column = np.tile(values, times)  # type: ignore[assignment]  # tiling keeps the type; NumPy's stub forgets it
    return again


def _covariates(
    values: Values, group: ReferencePopulation, who: Population, seed: int, first: int
) -> dict[str, Column]:
    """Covariates by a Gaussian copula: correlated normals turned into each covariate's own distribution."""
    from scipy.special import ndtr  # a third of a second to import, and one person has no need of it

    names = sorted(group.covariates)
    matrix = np.eye(len(names))
    for c in group.correlations:
        i, j = names.index(c.a), names.index(c.b)
        matrix[i, j] = matrix[j, i] = values.typical(group.key, c.rho)
    root = np.linalg.cholesky(matrix)
    independent = np.stack([_draw(seed, f"covariate:{name}", first, first + who.n) for name in names])
    typical = Subject()
    columns = {name: np.full(who.n, getattr(typical, name)) for name in Subject.__dataclass_fields__}
    for name, z in zip(names, root @ independent, strict=True):
        if name not in who.fixed:
            columns[name] = _shape(values, group, group.covariates[name], ndtr(z))
    for name, value in who.fixed.items():
        columns[name] = np.full(who.n, value)
    return columns


def _shape(values: Values, group: ReferencePopulation, covariate: PopulationCovariate, u: Floats) -> Column:
    """Turn uniform ranks into values of one covariate."""
    from scipy.special import ndtr, ndtri

    def number(name: str | None) -> float:
        return values.typical(group.key, str(name))

    if covariate.distribution == "categorical":
        levels = list(covariate.shares)
        edges = np.cumsum([number(covariate.shares[level]) for level in levels])
        return np.array(levels)[np.minimum(np.searchsorted(edges / edges[-1], u), len(levels) - 1)]
    low, high = number(covariate.low), number(covariate.high)
    if covariate.distribution == "uniform":
        return low + u * (high - low)
    mean, cv = number(covariate.mean), number(covariate.cv)
    if covariate.distribution == "normal":
        a, b = ndtr((low - mean) / (cv * mean)), ndtr((high - mean) / (cv * mean))
        return np.asarray(mean + cv * mean * ndtri(a + u * (b - a)))
    sigma = np.sqrt(np.log1p(cv * cv))
    mu = np.log(mean) - 0.5 * sigma * sigma
    a, b = ndtr((np.log(low) - mu) / sigma), ndtr((np.log(high) - mu) / sigma)
    return np.asarray(np.exp(mu + sigma * ndtri(a + u * (b - a))))
