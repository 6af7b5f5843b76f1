"""Sizes of trials: the closed form, virtual trials of that size, assurance."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console
from scipy import stats
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import power_proportions_2indep

from schild.cli.trial import _show_sizes
from schild.errors import InputError
from schild.report.trial import sizing_html
from schild.trial.endpoints import compare
from schild.trial.kinds import Kind
from schild.trial.sizing import TRIALS, power_of, simulated_power, size_trial
from schild.trial.trialfile import Trial
from trial_coverage import check_coverage

SHARE, MEAN = Kind(unit="%", says="", share=True), Kind(unit="%", says="")
TABLET = {"name": "tablet", "drug": "naltrexone", "amount": "50 mg"}


@pytest.mark.parametrize(("d", "sd", "n"), [(0.5, 1.0, 64), (0.3, 1.0, 100), (1.0, 3.0, 150)])
def test_power_of_means_is_that_of_statsmodels(d, sd, n):
    expected = TTestIndPower().power(d / sd, n, 0.05)
    assert power_of(MEAN, n, d, 0.0, sd, sd) == pytest.approx(expected, abs=2e-4)
    assert power_of(MEAN, 4000, d / 20, 0.0, sd, sd) == pytest.approx(
        NormalIndPower().power(d / sd / 20, 4000, 0.05), abs=2e-3
    )


@pytest.mark.parametrize(("p", "q", "n"), [(0.6, 0.5, 392), (0.3, 0.2, 200), (0.1, 0.02, 80)])
def test_power_of_shares_is_that_of_statsmodels(p, q, n):
    expected = power_proportions_2indep(p - q, q, n, alpha=0.05, return_results=False)
    assert power_of(SHARE, n, 100 * p, 100 * q, 0.0, 0.0) == pytest.approx(float(expected), abs=0.02)


def test_virtual_trials_have_the_power_of_the_closed_form():
    rng = np.random.default_rng(3)
    x, y = rng.normal(0.4, 1.0, 20_000), rng.normal(0.0, 1.0, 20_000)
    found = simulated_power(MEAN, x, y, 100)
    expected = power_of(MEAN, 100, float(x.mean()), float(y.mean()), float(x.std()), float(y.std()))
    assert found == pytest.approx(expected, abs=3.5 * math.sqrt(expected * (1 - expected) / TRIALS))
    a, b = (100.0 * (rng.random(20_000) < p) for p in (0.45, 0.3))
    found = simulated_power(SHARE, a, b, 150)
    expected = power_of(SHARE, 150, float(a.mean()), float(b.mean()), 0.0, 0.0)
    assert found == pytest.approx(expected, abs=3.5 * math.sqrt(expected * (1 - expected) / TRIALS) + 0.01)


def test_the_test_that_is_simulated_is_that_of_a_trial():
    """Trials drawn one by one and tested by ``compare``, against the share that ``simulated_power`` gives."""
    rng = np.random.default_rng(5)
    for name, kind in (("percent_heavy_drinking_days", MEAN), ("abstinence", SHARE)):
        x, y = rng.normal(20, 15, 5000), rng.normal(26, 15, 5000)
        if kind.share:
            x, y = 100.0 * (x > 26), 100.0 * (y > 26)
        hits = 0
        for _ in range(300):
            a, b = (z[rng.integers(0, 5000, 60)] for z in (x, y))
            hits += next(c.p for c in compare(name, "a", "b", a, b, paired=False) if c.measure == "difference") < 0.05
        share = simulated_power(kind, x, y, 60)
        assert hits / 300 == pytest.approx(share, abs=3.5 * math.sqrt(share * (1 - share) / 300))


@pytest.fixture(scope="module")
def sizes():
    trial = Trial.of(TABLET, weeks=4)
    return size_trial(trial, 0.8, endpoints=["percent_heavy_drinking_days", "abstinence", "left"], sets=6)


def test_sizes_come_with_their_errors_fewest_people_first(sizes):
    found = [row.n for row in sizes.rows]
    assert found[-1] is None  # leaving does not depend on the drug
    assert found[:-1] == sorted(found[:-1])
    for row in sizes.rows[:-1]:
        assert row.n_low <= row.n
        assert row.n_high is None or row.n <= row.n_high
        assert row.power == pytest.approx(0.8, abs=3 * row.power_se + 0.02)
        assert 0 < row.assurance <= 1
        assert row.mc_se > 0
        assert row.half_width > 0


def test_sizes_are_told_in_json_and_on_a_page(sizes):
    data = json.loads(sizes.to_json())
    assert data["target"] == 0.8
    assert data["warnings"] == list(sizes.warnings)
    assert sizes.warnings[0].startswith("People before treatment are assumed")
    assert all(warning[:40] in sizing_html(sizes) for warning in sizes.warnings)
    assert {"n", "n_assurance", "power", "power_se", "assurance_se", "half_width"} <= set(data["sizes"][0])
    page = sizing_html(sizes)
    assert sizes.fewest()[0] in page
    assert f"{sizes.rows[0].n:,} in each arm" in sizes.fewest()[0]
    assert len(sizes.fewest()) == 1
    assert "<script" not in page


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_of_sizes_keeps_both_borders(sizes, width):
    longer = replace(sizes, rows=(*sizes.rows, replace(sizes.rows[0], arm="an injection every month")))
    for found in (sizes, longer):  # one arm, and a column for two
        text = StringIO()
        _show_sizes(found, Console(file=text, width=width))
        lines = text.getvalue().splitlines()
        assert max(map(len, lines)) <= width
        rows = [line.rstrip() for line in lines if line.startswith(("┏", "┃", "┡", "│", "└"))]
        assert len(rows) > 10
        assert {line[-1] for line in rows} == set("┓┃┩│┘")
        assert len({len(line) for line in rows}) == 1


def test_sizes_of_those_with_a_first_dose_are_named_apart(sizes):
    few = replace(sizes.rows[0], name="percent_negative_inducted", n=9, n_assurance=None)
    harm = replace(sizes.rows[0], name="nausea", n=5)
    said = replace(sizes, rows=(harm, few, *sizes.rows)).fewest()
    assert said[0] == sizes.fewest()[0]
    assert said[1] == "Fewest people, of those who had a first dose: percent negative, 9 in each arm."
    assert "no test of the treatment" in said[2]


def test_a_size_that_makes_no_sense_is_refused():
    trial = Trial.of(TABLET, weeks=4)
    with pytest.raises(InputError, match=r"A power of 1\.2"):
        size_trial(trial, 1.2)
    with pytest.raises(InputError, match=r"'craving' is not an endpoint"):
        size_trial(trial, endpoints=["craving"])
    with pytest.raises(InputError, match="has one arm"):
        size_trial(trial.model_copy(update={"arm": trial.arm[:1]}))


@pytest.mark.slow
@pytest.mark.parametrize("null", [True, False])
@pytest.mark.parametrize("disorder", ["alcohol", "opioid"])
def test_tests_keep_their_level_and_intervals_cover(disorder, null):
    """A hundred trials of the thousand of docs/design/trial.md, by the middle 99.99 % of a binomial of a hundred."""
    found = check_coverage(disorder, null, 100)
    low, high = stats.binom.ppf([0.00005, 0.99995], 100, 0.05)
    assert len(found) > 30
    assert [c for c in found if not c.holds((100 - high, 100 - low), (low, high))] == []
