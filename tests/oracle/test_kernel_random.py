"""The kernel against the plain right-hand side, on random models with awkward rates planted on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from model_reference import collocate, plain, solve

TIMES = np.arange(0.0, 73.0)
#: Tolerance of the tight runs; the bar for them is 1e-7.
TIGHT = 1e-9
SLOW = range(320)
QUICK = (2, 4, 7, 18, 20, 144, 203, 209, 280, 308)


def relative(found, expected, floor=0.01):
    """Largest error, relative with a floor."""
    return float(np.max(np.abs(found - expected) / np.maximum(np.abs(expected), floor)))


def check(case, expected):
    names = case.program.signals
    for options, bar in (({}, 1e-4), ({"rtol": TIGHT}, 1e-7)):
        result = case.kernel(TIMES, **options)
        assert result.status[0] == 0
        out = dict(zip(names, result.out[0], strict=True))
        for name, values in expected.items():
            if "_occupancy_" in name or name.endswith("_free"):
                assert relative(out[name], values) <= bar, (name, options)
                assert out[name].min() >= -1e-12
            elif name.startswith("adaptation_"):
                assert relative(out[name], values, 0.05) <= bar, (name, options)
                assert out[name].min() >= -1e-12
            else:
                assert np.abs(out[name] - values).max() <= 1e-8 * values.max(), name
        for receptor in case.spec.receptors:
            bound = sum(out[n] for n in names if n.startswith(f"{receptor.name}_occupancy_"))
            assert np.max(bound) <= 1.0 + 1e-12
            np.testing.assert_allclose(bound + out[f"{receptor.name}_free"], 1.0, rtol=0, atol=1e-14)


@pytest.mark.parametrize("seed", QUICK)
def test_kernel_and_plain_model_agree(random_case, seed):
    case = random_case(seed)
    states = collocate(plain(case.spec, case.parameters), case.doses, TIMES)
    check(case, case.expected(states))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(16))
def test_kernel_and_plain_model_agree_on_many_models(random_case, block):
    for seed in SLOW[block::16]:
        case = random_case(seed)
        states = collocate(plain(case.spec, case.parameters), case.doses, TIMES)
        check(case, case.expected(states))


@pytest.mark.parametrize("seed", [2, 7])
def test_collocation_agrees_with_scipy(random_case, seed):
    # The reference itself: a general solver on the whole right-hand side, and a higher order of its own.
    case = random_case(seed)
    system = plain(case.spec, case.parameters)
    linear = system.start.size - len(system.binding) - system.n_followers
    states = collocate(system, case.doses, TIMES)
    finer = collocate(system, case.doses, TIMES, tolerance=1e-13, stages=9)
    assert relative(states[linear:], finer[linear:]) < 1e-11
    slow = solve(system, case.doses, TIMES, rtol=1e-12, atol=1e-14)
    assert relative(states[linear:], slow[linear:]) < 1e-9
    top = np.abs(states[:linear]).max(axis=1, keepdims=True)
    assert np.max(np.abs(states[:linear] - slow[:linear]) / np.maximum(top, 1e-9)) < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_collocation_agrees_with_scipy_on_many_models(random_case, block):
    for seed in range(block, 20, 10):
        case = random_case(seed)
        system = plain(case.spec, case.parameters)
        linear = system.start.size - len(system.binding) - system.n_followers
        states = collocate(system, case.doses, TIMES)
        slow = solve(system, case.doses, TIMES, rtol=1e-12, atol=1e-14)
        assert relative(states[linear:], slow[linear:]) < 2e-9, seed
