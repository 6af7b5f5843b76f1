"""The compiled session against the plain one (SciPy) and against a closed form of Michaelis-Menten elimination."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import lambertw

from schild.engine.session import SIGNALS
from session_reference import follow
from sessions import run, some_people, some_session


@pytest.mark.parametrize("food", ["fasted", "fed"])
def test_the_compiled_session_is_the_plain_one(food):
    people = some_people(6, seed=3, food=food)
    grid, what = some_session(people, seed=3)
    found = run(people, grid, what, rtol=1e-9)
    assert not found.status.any()
    assert found.drinks.min() < found.drinks.max()  # people differ, so decisions are compared
    for j in range(people.n):
        own = {k: v[j] for k, v in what.items() if k in ("occupancy", "uniform", "given", "infusion")}
        rest = {k: v for k, v in what.items() if k not in own}
        plain = follow(people.rows[j], grid, **own, **rest)
        assert plain[SIGNALS.index("drinks"), -1] == found.drinks[j]
        scale = np.maximum(np.abs(plain).max(axis=1, keepdims=True), 1e-3)
        assert np.abs((found.out[j] - plain) / scale).max() < 1e-6


def test_the_default_tolerance_is_close_to_a_tight_one():
    people = some_people(200, seed=5)
    grid, what = some_session(people, seed=5)
    loose, tight = run(people, grid, what), run(people, grid, what, rtol=1e-11)
    same = loose.drinks == tight.drinks  # a decision on the edge may fall otherwise
    assert same.mean() > 0.99
    scale = np.abs(tight.out).max(axis=(0, 2))[None, :, None]
    assert np.abs((loose.out - tight.out) / scale)[same].max() < 1e-5


def test_one_compartment_without_kidney_is_the_closed_form():
    people = some_people(5, seed=2).with_(cld=0.0, clr=0.0, f=1.0)
    grid = np.linspace(0.0, 4.0, 49)
    n = people.n
    infusion = np.zeros((n, grid.size))
    infusion[:, 0] = 0.6 * people.column("vc") / (grid[1] - grid[0])  # up to about 0.6 g/L
    what = {"occupancy": np.zeros((n, 1)), "uniform": np.ones((n, grid.size)), "infusion": infusion}
    level = run(people, grid, what, rtol=1e-10).signal("bac")
    for j in range(n):
        vmax, km = people.column("vmax")[j] / people.column("vc")[j], people.column("km")[j]
        start, t = level[j, 1], grid[1:] - grid[1]
        closed = km * np.real(lambertw(start / km * np.exp((start - vmax * t) / km)))
        assert np.abs(level[j, 1:] - closed).max() < 1e-8
