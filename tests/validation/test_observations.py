"""Every published result against its prediction: misses are listed with a reason, or the test fails."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from schild.catalog import Observation, load
from schild.simulation.observe import predict, weighted_error
from schild.validation import Validation, validate
from schild.validation.check import Check, check, people_of_study, spread_of, study_draws
from schild.validation.trials import STUDY as TRIALS
from webpage import check_self_contained

#: Bars that are broken, in the open; the list shrinks when the model gets better.
BROKEN = ["Withdrawal after naloxone 0.4 mg (fitted)", "Ordinal anchors of withdrawal (fitted)"]

KEYS = {"id", "statement", "observed", "predicted", "low", "high", "evidence", "holds", "source"}

#: Weighted error of mu tomography by structure, as fitted; a change belongs in the changelog.
RMSE = {
    "effect_compartment": 1.012, "slow_receptor": 0.875, "plasma_equilibrium": 5.839,
    "effect_compartment_slow_receptor": 1.841, "plasma_and_store": 0.572,
}  # fmt: skip

ROWS = {o.id: (s.key, o, s.observations) for s in load().studies.values() for o in s.observations}


def one(key: str, **options) -> Check:
    table, o, rows = ROWS[key]
    return check(o, table, rows, **{"n": 8, "draws": 8, "seed": 1, **options})


def observation(**changes) -> Observation:
    base = {
        "id": "x",
        "study": "S",
        "observable": "cmax",
        "species": "naltrexone",
        "regimen": "r",
        "value": 10.0,
        "unit": "h",
    }
    return Observation(**{**base, **changes})


def made(predicted, bottom, top, **changes) -> Check:
    return Check(observation=observation(**changes), table="t", predicted=predicted, low=bottom, high=top, people=1)


@pytest.mark.parametrize("structure", RMSE)
def test_weighted_error_of_scans(structure):
    assert weighted_error(load(), "naltrexone_pet", "mor", structure) == pytest.approx(RMSE[structure], abs=0.01)


def test_the_default_fits_the_scans():
    default = load().drug("naltrexone").default_structure
    assert weighted_error(load(), "naltrexone_pet", "mor", default.key) <= 1.1


def test_known_misses_name_rows_to_check_and_say_why():
    for key, entry in load().known_misses.items():
        assert key in ROWS, key
        assert ROWS[key][1].role == "check", key
        assert set(entry.kinds) <= (
            {"window"} if ROWS[key][0].startswith("withdrawal_") or ROWS[key][0] == TRIALS else {"fold", "band"}
        )
        assert entry.kinds
        assert len(entry.reason) > 20


def test_a_row_does_not_depend_on_the_others():
    first = one("meyer1984_naltrexone_half_life")
    one("verebey1976_single_naltrexone_cmax")
    assert one("meyer1984_naltrexone_half_life") == first
    assert one("meyer1984_naltrexone_half_life", kept={}) == first


def test_a_mean_of_many_has_a_narrower_band_than_one_person():
    o = observation()
    values = np.exp(0.5 * np.random.default_rng(1).standard_normal((50, 40)))
    wide = np.ptp(np.quantile(study_draws(o, values, 1, 1), [0.05, 0.95]))
    narrow = np.ptp(np.quantile(study_draws(o, values, 25, 1), [0.05, 0.95]))
    assert narrow < 0.5 * wide


def test_the_residual_of_plasma_is_fifteen_percent():
    logs = np.log(study_draws(observation(), np.ones((200, 1)), 1, 1))
    assert logs.std() == pytest.approx(0.15, abs=0.01)


def test_a_scan_is_read_at_the_plasma_printed_for_its_people_whatever_the_kinetics_give():
    _, scan, rows = ROWS["greenwald2003_16mg"]
    plasma = next(o for o in rows if o.id == "greenwald2003_16mg_plasma")
    assert scan.plasma_ng_ml == plasma.value
    twice = {"buprenorphine.sl.f": 0.28, "norbuprenorphine.mor.factor": 1e6}
    other = {"buprenorphine.sl.f": 0.07, "norbuprenorphine.mor.factor": 1e6}
    assert predict(plasma, overrides=twice)[0] == pytest.approx(4.0 * predict(plasma, overrides=other)[0], rel=1e-5)
    read = [predict(scan, overrides=given, receptors=["mor"])[0] for given in (twice, other)]
    assert read[0] == pytest.approx(read[1], abs=0.01)
    at = {"buprenorphine.sl.f": 0.14 * plasma.value / predict(plasma)[0]}  # as if the kinetics gave the printed level
    assert predict(scan, receptors=["mor"])[0] == pytest.approx(
        predict(replace(scan, plasma_ng_ml=None), overrides=at, receptors=["mor"])[0], abs=0.01
    )


def test_every_scan_of_people_whose_plasma_is_printed_carries_it():
    for study in load().studies.values():
        levels = {(o.study, o.regimen, o.time_h): o for o in study.observations if o.observable == "concentration"}
        for o in (o for o in study.observations if o.observable == "occupancy"):
            beside = levels.get((o.study, o.regimen, o.time_h))
            assert o.plasma_ng_ml == (None if beside is None else beside.value), o.id
            assert beside is None or set(beside.row) <= set(o.row)


def test_scans_get_their_fixed_deviation():
    o = observation(observable="occupancy", species="mor", sd_fixed=10.0, unit="%")
    assert study_draws(o, np.full((200, 1), 50.0), 1, 1).std() == pytest.approx(10.0, abs=0.5)
    assert spread_of(observation(low=0.0, high=3.92)) == pytest.approx(1.0)
    assert spread_of(observation()) == 0.0


def test_unknown_sizes_take_the_smallest_known():
    rows = [observation(n=9), observation(n=4), observation()]
    assert people_of_study(rows[2], rows) == 4
    assert people_of_study(rows[0], rows) == 9
    assert people_of_study(rows[2], [rows[2]]) == 10


def test_bounds_are_kept_or_not():
    assert made(20.0, 15.0, 25.0, low=10.0).holds
    assert made(20.0, 15.0, 25.0, low=10.0).fold == 1.0
    assert not made(4.0, 3.0, 5.0, low=10.0).holds
    assert made(8.0, 7.0, 9.0, high=10.0).bound == "at most"
    assert not made(25.0, 22.0, 28.0, high=10.0).inside


def test_both_ways_to_miss_are_told_apart():
    assert made(10.0, 9.0, 11.0).holds
    far = made(25.0, 9.0, 40.0)
    assert far.inside
    assert not far.within_two
    tight = made(12.0, 11.0, 13.0)
    assert tight.within_two
    assert not tight.inside


@pytest.fixture(scope="module")
def small() -> Validation:
    """A validation of a few rows, so that its pages are tested without an hour of people."""
    keys = ("meyer1984_naltrexone_half_life", "wall1981_oral_half_life", "weerts2008_mor", "label_measurable")
    return Validation(
        checks=tuple(one(k) for k in keys), catalogue=load(), people=8, draws=8, seed=1,
        rmse=dict.fromkeys(RMSE, 1.0), skipped=(("row", "reason <b>"),),
    )  # fmt: skip


def test_json_and_table_keep_the_contract(small):
    data = json.loads(small.to_json())
    assert {"manifest", "claims", "ok", "summary"} <= set(data)
    for claim in data["claims"]:
        assert set(claim) >= KEYS
        assert claim["holds"] in ("yes", "no")
        assert claim["low"] <= claim["high"]
    assert data["claims"][0]["id"] == "wall1981_oral_half_life"
    assert len(small.to_frame()) == 4


def test_page_and_text(small):
    parsed = check_self_contained(small.to_html())
    assert parsed.named("svg")
    console = Console(file=StringIO(), width=100)
    small.to_text(console)
    assert "wall1981_oral_half_life" in console.file.getvalue()
    assert "Wall1981" in small.cite()


def test_a_broken_bar_is_not_ok(small):
    from dataclasses import replace

    assert not replace(small, rmse={**small.rmse, "plasma_and_store": 2.0}).ok


@pytest.mark.slow
def test_misses_are_the_listed_ones():
    found = validate()
    assert not found.skipped
    seen = {
        c.observation.id: [*([] if c.within_two else ["fold"]), *([] if c.inside else ["band"])]
        for c in found.checks
        if c.evidence == "checked" and not c.holds
    }
    stated = (*found.withdrawal, *found.trials)
    seen |= {s.observation.id: ["window"] for s in stated if s.evidence == "checked" and not s.holds}
    assert seen == {key: list(entry.kinds) for key, entry in load().known_misses.items()}
    naltrexone = [c for c in found.checks if c.evidence == "checked" and c.table.startswith("naltrexone_")]
    assert 0.80 <= np.mean([c.inside for c in naltrexone]) <= 0.97
    # Since the part between studies is drawn for every drug, by a rule written before its effect was seen, 81 to 82 %
    # of all check rows are covered. Effects alone (printed error only) are not: 28 % of 18. Not every anchor of
    # withdrawal is met (test_withdrawal_statements.py has the misses), so two bars are broken, and nothing else.
    assert [bar.name for bar in found.bars if bar.kept is False] == BROKEN
    assert not found.ok
