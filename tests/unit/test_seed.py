"""The seed of the property tests: the same in CI every time, another each time elsewhere, always said."""

import pytest

pytest_plugins = ["pytester"]

TESTS = """
from hypothesis import given, settings, strategies as st
seen = []

@settings(database=None, max_examples=5)
@given(st.integers(0, 10**9))
def test_it(n):
    seen.append(n)

def test_fails():
    raise AssertionError(f"seen {seen}")
"""


@pytest.fixture
def ran(pytester, request, monkeypatch):
    pytester.makeconftest((request.config.rootpath / "tests" / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(TESTS)
    monkeypatch.delenv("SCHILD_TEST_SEED", raising=False)

    def run(ci="", *options):
        monkeypatch.setenv("CI", ci)
        found = pytester.runpytest_subprocess(*options, timeout=300)
        found.assert_outcomes(passed=1, failed=1)
        return next(line for line in found.outlines if line.startswith("E ") and "seen [" in line), found.outlines

    return run


def said(lines):
    return {line for line in lines if line.startswith("seed of the property tests: ")}


def test_ci_draws_the_same_each_time_and_says_its_seed(ran, monkeypatch):
    (one, lines), (two, again) = ran("true"), ran("true")
    assert one == two
    told = "seed of the property tests: 0 (again with --hypothesis-seed or SCHILD_TEST_SEED)"
    assert said(lines) == said(again) == {told}
    monkeypatch.setenv("SCHILD_TEST_SEED", "7")
    assert ran("true")[0] != one


def test_elsewhere_each_run_differs_and_a_failure_says_the_seed_that_repeats_it(ran):
    one, lines = ran("", "-q")
    two, _ = ran("", "-q")
    assert one != two
    seed = next(iter(said(lines))).split()[5]
    assert ran("", "-q", f"--hypothesis-seed={seed}")[0] == one
