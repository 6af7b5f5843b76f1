"""Sessions at random, for tests of the compiled kernel: people, courses of occupancy, drinks given and offered."""

from __future__ import annotations

import numpy as np

from schild.catalog import load
from schild.drinking.people import drinkers
from schild.engine.session import run_sessions
from schild.engine.streams import uniforms
from schild.people import Values
from schild.population import Population, people_of


def some_people(n: int, seed: int = 1, **options):
    found = drinkers(Values(load(), people_of(Population(n=n), load(), seed)), **options)
    return found.with_(drink_g=0.15 * found.volume_l)


def some_session(people, seed: int = 1, *, hours: float = 3.0, every: float = 1 / 12, occupied: bool = True):
    n = people.n
    grid = np.arange(round(hours / every) + 1) * every
    rng = np.random.default_rng(seed)
    occupancy = np.clip(rng.uniform(0, 1, (n, 1)) + 0.2 * np.sin(grid + rng.uniform(0, 6, (n, 1))), 0, 1)
    given = np.zeros((n, grid.size))
    given[:, 0] = 0.3 * people.volume_l
    infusion = np.where(np.arange(grid.size) % 9 == 4, rng.uniform(0, 20, (n, 1)), 0.0)
    return grid, {
        "occupancy": occupancy if occupied else np.zeros((n, grid.size)),
        "uniform": np.column_stack([uniforms(seed, f"session.decision.{k}", 0, n) for k in range(grid.size)]),
        "cue": (grid > 0.4).astype(float),
        "given": given,
        "infusion": infusion,
        "offered": grid > 0.6,
        "most": 8,
    }


def run(people, grid, what, **options):
    what = dict(what)
    return run_sessions(people.rows, grid, what.pop("occupancy"), what.pop("uniform"), **what, **options)
