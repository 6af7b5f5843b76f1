"""People drawn from the posterior of one person after plasma levels were measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.catalog import Catalogue
from schild.errors import InputError
from schild.forecasts.levels import Level, likelihood, off_of, weights_of
from schild.people import Given, People
from schild.population import Population, people_of
from schild.simulation import Run, prepared_of
from schild.simulation.effects import Effects
from schild.simulation.registry import outputs_of
from schild.units import TICKS_PER_HOUR

#: Distance of the most probable person from the typical one that is taken as an error. [standard deviations]
_IMPOSSIBLE = 6.0

#: Factor on the variances of draws around the mode, in directions that the levels inform.
_WIDER = 1.3

#: Effective share of the people drawn above which draws from the population are enough.
_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Posterior:
    """Weighted people: their covariates, and the standard normals behind their numbers."""

    base: People  #: People of the population: covariates, and draws of numbers that do not affect plasma
    columns: dict[str, Floats]  #: Standard normals that affect plasma, by kind and name, shape (n,)
    weights: Floats  #: Weights, of sum 1
    effective: float  #: Effective number of people
    seed: int
    #: Distance of the most probable person from the typical one, with the residuals of the levels, in standard
    #: deviations; 0 where draws from the population were enough
    far: float = 0.0

    def people(self, n: int, stream: int = 0) -> People:
        """Draw ``n`` people by their weights (systematic resampling); ``stream`` distinguishes draws."""
        rng = np.random.default_rng([self.seed, stream])
        at = (rng.random() + np.arange(n)) / n
        rows = np.minimum(np.searchsorted(np.cumsum(self.weights), at * self.weights.sum()), len(self.weights) - 1)
        return taken(self.base, {key: z[rows] for key, z in self.columns.items()}, rows)


def taken(
    base: People, columns: dict[str, Floats], rows: NDArray[np.int64], names: dict[str, None] | None = None
) -> People:
    """Return some of the people, with the columns that are given for them in place of their draws.

    ``columns``: in the order of ``rows``; ``names`` notes draws.
    """

    def draw(kind: str, source: Callable[[str], Floats] | None) -> Callable[[str], Floats] | None:
        if source is None:
            return None

        def of(name: str) -> Floats:
            key = f"{kind}:{name}"
            if names is not None:
                names[key] = None
            return columns[key] if key in columns else source(name)[rows]

        return of

    return People(
        n=len(rows),
        covariates={name: values[rows] for name, values in base.covariates.items()},
        between_subject=draw("between", base.between_subject),
        between_occasion=draw("occasion", base.between_occasion),
    )


@dataclass(slots=True)
class _Plasma:
    """Predicts the measured levels of people, and records the numbers that they depend on."""

    run: Run
    levels: Sequence[Level]
    base: People
    catalogue: Catalogue
    overrides: Given | None
    names: dict[str, None] = field(default_factory=dict)

    def __call__(self, columns: dict[str, Floats], rows: NDArray[np.int64]) -> Floats:
        """Levels, shape (n_rows, n_levels). [ng/mL]"""
        people = taken(self.base, columns, rows, self.names)
        prepared = prepared_of(self.run, people=people, catalogue=self.catalogue, overrides=self.overrides)
        wanted = list(dict.fromkeys(f"plasma_{level.species}" for level in self.levels))
        ticks = [round(level.time_h * TICKS_PER_HOUR) for level in self.levels]
        grid = sorted({0, *ticks})
        outputs = prepared.outputs(grid, outputs_of(Effects(built=prepared.built), wanted), dtype=np.float64)
        at = np.searchsorted(grid, ticks)
        return np.stack(
            [outputs[f"plasma_{x.species}"].values[:, k] for x, k in zip(self.levels, at, strict=True)], axis=1
        )


def sample(
    run: Run, levels: Sequence[Level], error: float, n: int, catalogue: Catalogue, overrides: Given | None
) -> Posterior:
    """Draw and weigh people for measured levels.

    ``run``: of a population of ``2 n`` people with the covariates of the person; ``n``: people drawn from the
    population, and as many around the most probable person where the first are not enough. Raises InputError for a
    level outside the run, or if nobody can have such levels.
    """
    for level in levels:
        if not 0 <= level.time_h <= run.until_h:
            raise InputError(
                f"A level was measured at {level.time_h:g} h; expected a time that the run covers, 0 to "
                f"{run.until_h:g} h. Correct it, or give a later end (until)."
            )
    who = run.who
    assert isinstance(who, Population)  # the run was made so
    base = people_of(who, catalogue, run.run.seed)
    plasma = _Plasma(run, levels, base, catalogue, overrides)
    first, second = np.arange(n), np.arange(n, 2 * n)
    log = likelihood(plasma({}, first), levels, error)
    weights, effective = weights_of(log)
    names = list(plasma.names)
    z = {key: _drawn(base, key) for key in names}
    if effective >= _ENOUGH * n or not names:
        return Posterior(base, z, np.concatenate([weights, np.zeros(n)]), effective, run.run.seed)
    before = np.stack([z[key][:n] for key in names], axis=1)
    start = int(np.argmax(log - 0.5 * (before**2).sum(axis=1)))
    middle, slopes, far = _mode(plasma, names, before[start], start, levels, error)
    if not far < _IMPOSSIBLE:
        raise InputError(
            "Nobody of the virtual population has such levels; expected doses, times and units that fit. Check them."
        )
    # Curvature of the posterior: 1 from the population in every direction, more where the levels inform it.
    values, vectors = np.linalg.eigh(slopes.T @ slopes)
    values = np.maximum(values, 0.0)
    sizes = np.where(values > 0.05, _WIDER, 1.0) / (1.0 + values)
    own = np.stack([z[key][n:] for key in names], axis=1)
    around = middle + (own * np.sqrt(sizes)) @ vectors.T
    for j, key in enumerate(names):
        z[key] = np.concatenate([before[:, j], around[:, j]])
    log = np.concatenate([log, likelihood(plasma({key: z[key][second] for key in names}, second), levels, error)])
    every = np.concatenate([before, around])
    prior = -0.5 * (every**2).sum(axis=1)
    off = (every - middle) @ vectors
    near = -0.5 * (off**2 / sizes).sum(axis=1) - 0.5 * np.log(sizes).sum()
    weights, effective = weights_of(log + prior - np.logaddexp(prior, near))
    return Posterior(base, z, weights, effective, run.run.seed, far)


def _drawn(base: People, key: str) -> Floats:
    kind, _, name = key.partition(":")
    draw = base.between_subject if kind == "between" else base.between_occasion
    assert draw is not None  # the name was recorded when it was drawn
    return draw(name)


def _mode(
    plasma: _Plasma, names: Sequence[str], start: Floats, row: int, levels: Sequence[Level], error: float
) -> tuple[Floats, Floats, float]:
    """Find the most probable person with the covariates of one, by Gauss-Newton steps; and the slopes there.

    Returns the standard normals, shape (n_names,); the slopes of the residuals, shape (n_levels, n_names); and the
    norm of both, in standard deviations.
    """
    size, step = len(names), 1e-3
    rows = np.full(size + 1, row)

    def residuals(x: Floats) -> Floats:
        """Residuals at the point and at a step in each direction; shape (n_names + 1, n_levels)."""
        points = np.concatenate([x[None, :], x + step * np.eye(size)])
        return off_of(plasma(dict(zip(names, points.T, strict=True)), rows), levels, error)

    x = start
    found = residuals(x)
    for _ in range(8):
        slopes = ((found[1:] - found[0]) / step).T
        move = np.linalg.solve(np.eye(size) + slopes.T @ slopes, -(x + slopes.T @ found[0]))
        best = float((found[0] ** 2).sum() + (x**2).sum())
        for factor in (1.0, 0.5, 0.25, 0.1):
            other = x + factor * move
            there = residuals(other)
            if float((there[0] ** 2).sum() + (other**2).sum()) < best:
                break
        else:
            break
        done = float(np.abs(other - x).max()) < 1e-3
        x, found = other, there
        if done:
            break
    return x, ((found[1:] - found[0]) / step).T, float(np.sqrt((found[0] ** 2).sum() + (x**2).sum()))
