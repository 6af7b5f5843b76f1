"""Laws of competition that hold for any concentrations and affinities."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.linalg import expm

from schild.analysis.regression import regress
from schild.pharmacology.binding import (
    competitive_occupancy,
    dose_ratio,
    kinetic_occupancy,
)
from schild.pharmacology.linear import matrix_exponential

concentrations = hnp.arrays(float, 3, elements=st.floats(0, 1e6))
constants = hnp.arrays(float, 3, elements=st.floats(1e-3, 1e4))
rates = hnp.arrays(float, 3, elements=st.floats(1e-3, 50))


@given(concentrations, constants)
def test_occupied_and_free_make_one(free, kd):
    theta = competitive_occupancy(free, kd)
    unbound = 1 / (1 + (free / kd).sum())
    assert (theta >= 0).all()
    assert theta.sum() + unbound == pytest.approx(1)


@given(concentrations, constants, st.floats(1e-3, 1e6), st.floats(1e-3, 1e4))
def test_an_antagonist_never_raises_agonist_occupancy(free, kd, more, kd_more):
    before = competitive_occupancy(free, kd)
    after = competitive_occupancy(np.append(free, more), np.append(kd, kd_more))[:3]
    assert (after <= before * (1 + 1e-12)).all()


@given(concentrations, constants, st.permutations(range(3)))
def test_order_of_ligands_is_irrelevant(free, kd, order):
    order = list(order)
    assert competitive_occupancy(free[order], kd[order]) == pytest.approx(competitive_occupancy(free, kd)[order])


@given(st.floats(1e-3, 1e3), st.lists(st.floats(1e-2, 1e4), min_size=2, max_size=5, unique=True), st.floats(0.05, 0.95))
def test_schild_slope_is_one_and_its_intercept_the_affinity(kd, levels, wanted):
    levels = np.array(sorted(levels))
    if levels[-1] < 1.5 * levels[0]:
        return
    agonist = np.geomspace(1e-6, 1e14, 2001)
    half = [
        np.interp(
            wanted,
            competitive_occupancy(np.stack([agonist, np.full_like(agonist, b * kd)], axis=1), [1.0, kd])[:, 0],
            np.log(agonist),
        )
        for b in (0.0, *levels)
    ]
    line = regress(np.log10(levels * kd) - 9.0, np.exp(np.array(half[1:]) - half[0]))
    assert line.slope == pytest.approx(1, abs=0.05)
    assert line.pa2 == pytest.approx(9 - np.log10(kd), abs=0.1)


@given(concentrations, constants)
def test_dose_ratio_is_one_over_what_the_antagonists_leave(free, kd):
    left = 1 / dose_ratio(free, kd)
    assert left == pytest.approx(1 - competitive_occupancy(free, kd).sum(), abs=1e-9)


@settings(deadline=None)
@given(concentrations, constants, rates)
def test_kinetics_end_in_gaddum(free, kd, koff):
    late = kinetic_occupancy([1e6], free, kd, koff, start=[0.2, 0.3, 0.1])[0]
    assert late == pytest.approx(competitive_occupancy(free, kd), abs=1e-7)


@settings(deadline=None)
@given(concentrations, constants, rates, st.floats(0, 100))
def test_kinetics_stay_in_the_pool(free, kd, koff, time):
    theta = kinetic_occupancy([time], free, kd, koff, start=[0.5, 0.25, 0.25])[0]
    assert (theta >= -1e-9).all()
    assert theta.sum() <= 1 + 1e-9


def test_kinetics_of_several_pools_are_those_of_each():
    free = np.array([[0.1, 2.0, 0.05], [30.0, 0.0, 0.05]])
    start = np.array([[0.0, 0.9, 0.02], [0.2, 0.0, 0.1]])
    times, kd, koff = [0.2, 1.0], np.array([1.0, 2.0, 1.0]), np.array([40.0, 0.3, 20.0])
    together = kinetic_occupancy(times, free, kd, koff, start)
    each = [kinetic_occupancy(times, f, kd, koff, s) for f, s in zip(free, start, strict=True)]
    assert together == pytest.approx(np.array(each), rel=1e-12)


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1), st.floats(-3, 2))
def test_the_exponential_of_a_matrix_is_that_of_scipy(n, seed, size):
    rng = np.random.default_rng(seed)
    several = rng.normal(size=(4, n, n)) - 10**size * np.diag(rng.uniform(0, 1, n))
    several[1] *= 1e-6
    found = matrix_exponential(several)
    for matrix, one in zip(several, found, strict=True):
        assert np.array_equal(matrix_exponential(matrix), one)
        np.testing.assert_allclose(one, expm(matrix), rtol=0, atol=1e-12 * max(1.0, np.abs(one).max()))


def test_kinetics_start_no_threads_of_linear_algebra():
    """SciPy's ``expm`` does, for each matrix: 9,300 of four ligands took 1 to 4 s with two threads, and now 0.04 s."""
    says = (
        "import sys; from schild.pharmacology.binding import kinetic_occupancy as k; k([1.0], [1.0, 2.0], [1.0, 1.0],"
        "[0.3, 4.0]); sys.exit('scipy.linalg' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", says], check=False).returncode == 0


def test_occupancy_of_one_ligand_counts_the_complexes_of_the_other():
    """PK-Sim issue 3255: an occupancy that is bound / (bound + free), blind to the rival's complexes, is too high."""
    free, kd = np.array([1.0, 9.0]), np.array([1.0, 1.0])
    theta = competitive_occupancy(free, kd)
    unbound = 1 - theta.sum()
    blind = theta[0] / (theta[0] + unbound)
    assert theta[0] == pytest.approx(1 / 11)
    assert blind == pytest.approx(0.5)
    assert unbound == pytest.approx(1 / 11)


def test_naltrexone_counts_against_an_agonist_in_a_run():
    """The same case in a run: with naltrexone on board all occupancies and the free fraction make one."""
    import schild

    result = schild.simulate("naltrexone 50 mg po", "morphine 10 mg iv at 4 h", until="8 h")
    parts = [n for n in result.outputs if n.startswith("mor_occupancy_")] + ["mor_free"]
    assert sum(result[n].value for n in parts) == pytest.approx(1, abs=1e-9)
    alone = schild.simulate("morphine 10 mg iv at 4 h", until="8 h")
    assert result["mor_occupancy_morphine"].at("5 h") < 0.5 * alone["mor_occupancy_morphine"].at("5 h")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: competitive_occupancy([-1.0], [1.0]), "must not be negative"),
        (lambda: competitive_occupancy([1.0], [0.0]), "must be positive"),
        (lambda: kinetic_occupancy([1], [1.0], [1.0], [0.0]), "must be positive"),
        (lambda: kinetic_occupancy([1], [1.0], [1.0], [1.0], start=[1.5]), "at most 1 in all"),
    ],
)
def test_impossible_input_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_several_people_are_followed_at_once_as_each_alone():
    free, start = np.array([[[3.0, 1.0], [0.5, 2.0], [0.0, 4.0]]] * 2), np.full((2, 3, 2), 0.2)
    free[1] *= 2.0
    whole = kinetic_occupancy([0.5, 2.0], free, [1.0, 2.0], [0.3, 0.7], start)
    assert whole.shape == (2, 3, 2, 2)
    for i, j in np.ndindex(2, 3):
        alone = kinetic_occupancy([0.5, 2.0], free[i, j], [1.0, 2.0], [0.3, 0.7], start[i, j])
        np.testing.assert_allclose(whole[i, j], alone, rtol=1e-12)
