"""Statements about tolerance, dependence and withdrawal: what misses is listed with its size, or the test fails."""

import json
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from schild.catalog import Observation, load
from schild.validation import Validation
from schild.validation.withdrawal import FITTED, Statement, state
from webpage import check_self_contained

#: Anchors that the fitted default misses, and by how much [unit of the row].
MISSED_ANCHORS = {
    "tompkins2009_time": 4.0,  # 44 min for 20 to 40
    "tompkins2014_peak_day": 0.725,  # day 0.78 for 1.5 to 2.5
    "bickel1988_time": 8.0,  # 23 min for at most 15
    "heishman1990_24h": 0.0373,  # 0.96 points for at least 1
    "azorlosa1994_twice": 0.1235,  # 1.13-fold for at least 1.25
}


@pytest.fixture(scope="module")
def statements():
    """Every row with three people, the typical predictions being those of the full validation."""
    kept = {}
    return tuple(
        state(o, key, n=3, seed=1, kept=kept)
        for key in load().studies
        if key.startswith("withdrawal_")
        for o in load().studies[key].observations
    )


@pytest.fixture(scope="module")
def validation(statements):
    return Validation(
        checks=(), catalogue=load(), people=3, draws=1, seed=1, rmse={"plasma_and_store": 1.0}, withdrawal=statements
    )


def made(predicted, **changes):
    base = {"id": "x", "study": "S", "observable": "cows_peak", "species": "mor", "regimen": "r", "value": 7.6}
    o = Observation(**{**base, "unit": "points", **changes})
    return Statement(observation=o, table="withdrawal_checks", predicted=predicted, low=1.0, high=9.0, people=3)


def test_windows_keep_their_ends_and_misses_have_a_size():
    assert made(4.6, sd_fixed=3.0).holds
    assert made(12.0, sd_fixed=3.0).miss == pytest.approx(1.4)
    assert made(1.0, low=1.0).holds
    assert made(0.25, low=1.0).size == pytest.approx(0.75)
    assert not made(0.6, high=0.5).holds
    never = made(np.inf, low=6.0, high=12.0)
    assert not never.holds
    assert never.miss == np.inf
    assert "never" in never.said
    assert made(np.inf, low=18.0).holds  # a course that outlasts the look has lasted at least so long


def test_misses_of_checks_are_the_listed_ones_with_their_size(statements):
    rows = {s.observation.id for s in statements}
    listed = {key: entry for key, entry in load().known_misses.items() if entry.kinds == ("window",) and key in rows}
    missed = {s.observation.id: s for s in statements if s.evidence == "checked" and not s.holds}
    assert set(missed) == set(listed)
    for key, s in missed.items():
        assert (listed[key].miss is not None) == bool(np.isfinite(s.miss)), key
        if np.isfinite(s.miss):
            assert s.miss == pytest.approx(listed[key].miss, rel=0.02, abs=2e-4), key


def test_missed_anchors_are_known_with_their_size(statements):
    missed = {s.observation.id: s.miss for s in statements if s.table == FITTED and not s.holds}
    assert missed == pytest.approx(MISSED_ANCHORS, rel=0.05)


def test_broken_bars_are_shown_and_name_the_misses(validation):
    bars = {bar.name: bar for bar in validation.bars if "ithdrawal" in bar.name}
    assert len(bars) == 3
    checks = bars["Checks of withdrawal in their window, or listed with the reason"]
    assert checks.kept
    for name in ("Withdrawal after naloxone 0.4 mg (fitted)", "Ordinal anchors of withdrawal (fitted)"):
        named = [key for key in MISSED_ANCHORS if key in bars[name].found]
        assert bars[name].kept is (not named)
    assert sum(key in bar.found for key in MISSED_ANCHORS for bar in bars.values()) == len(MISSED_ANCHORS)


def test_statements_stay_out_of_coverage(validation):
    assert validation.summary()["rows"] == 0
    assert validation.summary()["withdrawal_rows"] == len(validation.withdrawal)
    assert np.isnan(validation.coverage)


def test_claims_text_and_page(validation):
    claims = validation.to_dict()["claims"]
    json.dumps(claims, allow_nan=False)
    assert len(claims) == len(validation.withdrawal)
    holds = [claim["holds"] for claim in claims]
    assert holds == sorted(holds)  # misses ("no") first
    console = Console(file=StringIO(), width=120)
    validation.to_text(console)
    said = console.file.getvalue()
    assert "Tolerance, dependence, withdrawal" in said
    assert "never" in said
    page = validation.to_html()
    check_self_contained(page)
    assert "Tolerance, dependence, withdrawal" in page
    assert "Tompkins2009" in validation.cite()
