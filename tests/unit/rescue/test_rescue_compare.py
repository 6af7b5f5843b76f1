"""The verb: the same people in every cell, the two sources, what is counted."""

from __future__ import annotations

import json

import numpy as np
import pytest

import schild
from schild.errors import InputError
from schild.overdose import layout
from schild.overdose.follow import GivenCourse, follow, warm_up
from schild.overdose.general import bound_equivalent, most_depression
from schild.overdose.measure import _returns, paired_points, percent_of
from schild.overdose.parameters import published
from schild.overdose.population import naloxone_people, opioid_people
from schild.overdose.published import published_table
from schild.overdose.sources import Body
from schild.overdose.words import parse_delay, parse_plan
from schild.people import Values

FENTANYL = "fentanyl 1.625 mg iv"
ROW = {
    "regimen", "delay", "tolerance", "percent", "low", "high", "n", "lost_breathing_percent", "breathing_back_percent",
    "time_to_breathing_s", "renarcotised_percent", "renarcotised_low", "renarcotised_high", "renarcotised_of",
    "below_pao2_30_s", "below_pbo2_20_s", "below_sao2_90_s",
}  # fmt: skip


@pytest.fixture(scope="module")
def table():
    regimens = ["none", "naloxone 4 mg in", "naloxone 2 mg iv"]
    return schild.rescue(FENTANYL, regimens, delay=["60 s", "180 s"], n=120)


def flags(found, regimen, delay):
    return next(r.people.arrest for r in found.rows if (r.regimen, r.delay) == (regimen, delay))


def test_rows_and_names_of_the_contract(table):
    data = json.loads(table.to_json())
    assert set(data) == {"manifest", "arrest", "comparisons", "warnings", "cite"}
    assert [(r["regimen"], r["delay"]) for r in data["arrest"]] == [
        ("none", ""),
        ("naloxone 4 mg in", "60 s"),
        ("naloxone 2 mg iv", "60 s"),
        ("naloxone 4 mg in", "180 s"),
        ("naloxone 2 mg iv", "180 s"),
    ]
    for row in data["arrest"]:
        assert set(row) == ROW
        assert row["n"] == 120
        assert 0 <= row["low"] <= row["percent"] <= row["high"] <= 100
    assert set(data["comparisons"][0]) == {"regimen", "against", "delay", "tolerance", "points", "low", "high"}
    assert {c["key"] for c in data["cite"]} == {"Mann2022", "Chaturbedi2024"}
    assert "can kill" in data["warnings"][0]
    assert len(table.to_frame()) == 5
    assert "Mann" in table.cite()


def test_the_same_people_in_every_table(table):
    """Nobody's run depends on what else is asked, how many people there are, or on threads."""
    other = schild.rescue(FENTANYL, "none", n=40, threads=1)
    assert np.array_equal(other.rows[0].people.arrest, flags(table, "none", "")[:40])
    assert np.array_equal(other.rows[0].people.trigger_s, table.rows[0].people.trigger_s[:40], equal_nan=True)
    again = schild.rescue(FENTANYL, ["naloxone 4 mg in", "none"], delay="180 s", n=40)
    assert np.array_equal(again.rows[0].people.arrest, flags(table, "naloxone 4 mg in", "180 s")[:40])
    assert np.array_equal(again.rows[1].people.arrest, other.rows[0].people.arrest)
    assert not np.array_equal(
        schild.rescue(FENTANYL, "none", n=40, seed=2).rows[0].people.trigger_s, other.rows[0].people.trigger_s
    )


@pytest.mark.parametrize("source", ["published", "general"])
def test_drawn_bodies_are_the_same_people_in_any_number(source):
    many, few = (
        schild.rescue(FENTANYL, "none", n=n, bodies="drawn", source=source, tolerance="naive").rows[0].people
        for n in (24, 16)
    )
    assert np.array_equal(many.arrest[:16], few.arrest)
    first = many.ventilation[:, 0]
    assert first.std() > 0.1  # they breathe differently before the drug
    assert np.array_equal(first[:16], few.ventilation[:, 0])
    typical = schild.rescue(FENTANYL, "none", n=24, source=source, tolerance="naive").rows[0].people
    assert typical.ventilation[:, 0].std() < 1e-4


def test_comparisons_are_paired(table):
    first = table.comparisons[0]
    assert (first.regimen, first.against, first.delay) == ("naloxone 4 mg in", "none", "60 s")
    one, other = flags(table, "naloxone 4 mg in", "60 s"), flags(table, "none", "")
    assert first.points == pytest.approx(100.0 * (one.mean() - other.mean()))
    assert first.low < first.points < first.high < 0.0


def test_an_earlier_antagonist_saves_no_fewer(table):
    for regimen in ("naloxone 4 mg in", "naloxone 2 mg iv"):
        early, late = flags(table, regimen, "60 s"), flags(table, regimen, "180 s")
        assert early.sum() <= late.sum() <= flags(table, "none", "").sum()


def test_breathing_and_oxygen_save(table):
    for care in ({"breathing": "from 0 min to 30 min"}, {"oxygen": "0.5 from 0 min to 30 min"}):
        found = schild.rescue(FENTANYL, ["none", "naloxone 4 mg in"], n=120, **care)
        assert not np.any(found.rows[1].people.arrest & ~flags(table, "naloxone 4 mg in", "60 s"))
        assert found.rows[1].people.arrest.sum() < flags(table, "naloxone 4 mg in", "60 s").sum()


def test_a_place_a_lung_and_a_delay_that_is_drawn():
    plain = schild.rescue(FENTANYL, n=64, delay="1 min to 10 min")
    high = schild.rescue(FENTANYL, n=64, delay="1 min to 10 min", altitude=3000.0, lung="shunt 0.15")
    assert high.rows[0].people.arrest.sum() > plain.rows[0].people.arrest.sum()
    wait = plain.rows[1].people.wait_s
    assert 60.0 <= wait.min() < 200.0 < 400.0 < wait.max() <= 600.0
    assert np.array_equal(wait, high.rows[1].people.wait_s)
    assert high.baseline_l_min > 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"n": 0}, "people"),
        ({"tolerance": "model"}, "history"),
        ({"tolerance": "some"}, "naive, chronic, model"),
        ({"source": "mine"}, "auto, published or general"),
        ({"parameters": "some"}, "typical, drawn"),
        ({"parameters": "drawn", "source": "published"}, "general"),
        ({"collapse": "soon"}, "clock"),
        ({"link": "none"}, "anchored"),
        ({"bodies": "mine"}, "typical, drawn"),
        ({"bodies": "drawn", "weight": 60.0}, "one of the two"),
        ({"until": "30 d"}, "7 d"),
        ({"altitude": 9000.0}, "6000"),
        ({"antagonist": []}, "antagonist"),
        ({"antagonist": ["none", "none"]}, "twice"),
        ({"source": "published", "antagonist": "nalmefene 3 mg in"}, "nalmefene"),
        ({"source": "general", "antagonist": "IN4mg_x1"}, "in words"),
        ({"antagonist": ["IM2mg_EVZIO", "nalmefene 3 mg in"]}, "in words"),
        ({"history": "lots"}, "history"),
    ],
)
def test_what_cannot_be_computed_is_said(arguments, told):
    with pytest.raises(InputError, match=told):
        schild.rescue(FENTANYL, **{"n": 8, **arguments})


def test_a_blockade_taken_before_keeps_the_rule_of_challenges():
    """Opioid doses above published challenges are refused while an antagonist is on board; a rescue is no challenge."""
    before = "naltrexone 50 mg po at -12 h"
    with pytest.raises(InputError, match="can kill"):
        schild.rescue("heroin 250 mg iv", before, n=8)
    found = schild.rescue("heroin 25 mg iv", ["none", before], tolerance="naive", n=8)
    assert "can kill" in found.warnings[0]
    alone, blocked = (np.nanmax(row.people.activation, axis=1) for row in found.rows)
    assert np.all(blocked < alone)
    assert schild.rescue("heroin 250 mg iv", "naloxone 4 mg in", n=8).source == "general"


@pytest.mark.parametrize("blocker", ["naltrexone 50 mg po q24h for 7 d", "buprenorphine 16 mg sl q24h for 30 d"])
def test_a_blockade_from_earlier_use_keeps_it_too(blocker):
    """Fentanyl after a week of naltrexone gave a table in which everybody lived, where `simulate` refuses the dose."""
    with pytest.raises(InputError, match="can kill"):
        schild.rescue(FENTANYL, "none", history=blocker, n=8)


def test_an_opioid_dose_after_the_rescue_keeps_it_too():
    with pytest.raises(InputError, match="can kill"):
        schild.rescue("heroin 250 mg iv q1h x2", "naltrexone 50 mg po", n=8)
    assert schild.rescue("heroin 25 mg iv q12h x2", "naloxone 0.4 mg iv", n=8, until="13 h").rows


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"antagonist": "naloxone 4 mg in", "delay": "3 h"}, "100 % of those who lose breathing are given no dose"),
        ({"antagonist": "naloxone 4 mg in at 3 h"}, "no dose is given before the end of the run at 2 h"),
        ({"antagonist": "naloxone 4 g iv"}, "Was 4 mg meant?"),
    ],
)  # fmt: skip
def test_a_rescue_that_never_comes_or_looks_like_a_slip_is_named(arguments, said):
    """A delay beyond the end of the run gave naloxone the arrests of no naloxone, and nothing was said."""
    assert any(said in w for w in schild.rescue(FENTANYL, n=8, **arguments).warnings)
    assert not any("no dose" in w or "meant" in w for w in schild.rescue(FENTANYL, n=8).warnings)


def test_a_course_of_the_kernel_given_back_to_it():
    """Criterion of docs/design/rescue-command.md: at most 0.5 points of arrest apart in 500 people."""
    n, p = 500, published()
    start = np.repeat(warm_up(1, p), n, axis=0)
    binding, spray = naloxone_people("in_4mg", n, 1)
    plan = parse_plan("naloxone 4 mg in", schild.load(), 10**10).published
    times = np.arange(0.0, 4501.0, 5.0)
    shared = dict(p_chemo=p.drive.chemo_chronic, p_wake=p.drive.wake_chronic, starts=start, wait_s=60.0, threads=None)
    own = follow(
        n, p, **shared, opioid=opioid_people("fentanyl", n, 1), dose_mg=1.625, antagonist=binding, route=spray,
        rescue=plan, horizon_s=4500.0, out_times_s=times,
    )  # fmt: skip
    bound = np.clip(own.states[:, :, layout.STATES.index("ra")], 0.0, 1.0)
    given = follow(n, p, **shared, course=GivenCourse(times_s=times, activation=bound), horizon_s=4500.0)
    assert abs(100.0 * (given.arrest.mean() - own.arrest.mean())) <= 0.5
    lost = np.isfinite(own.outcome["trigger_s"])
    assert np.allclose(given.outcome["trigger_s"][lost], own.outcome["trigger_s"][lost], atol=2.0)


@pytest.mark.xfail(reason="a known miss of tens of points: all arrest by either link (docs/rescue.md)", strict=True)
@pytest.mark.parametrize("link", ["anchored", "plain"])
@pytest.mark.parametrize("antagonist", ["none", "naloxone 4 mg in"])
def test_the_receptor_module_against_the_published_kinetics(link, antagonist):
    """Criterion of docs/design/rescue-command.md: a bar of 10 points."""
    share = [
        100.0 * schild.rescue(FENTANYL, antagonist, n=256, source=source, link=link).rows[0].people.arrest.mean()
        for source in ("published", "general")
    ]
    assert abs(share[1] - share[0]) <= 10.0


def test_the_link_is_exact_at_both_ends():
    most = most_depression(Values(schild.load()))
    assert 0.9 < most < 1.0
    assert bound_equivalent(1.0, most) == 0.0
    assert bound_equivalent(1.0 - most, most) == 1.0
    rising = bound_equivalent(np.linspace(1.0, 0.0, 50), most)
    assert np.all(np.diff(rising) >= 0)


def test_each_person_gets_the_antagonist_at_a_time_of_their_own():
    found = schild.rescue("morphine 200 mg iv", ["none", "naloxone 2 mg iv"], tolerance="naive", n=64, delay="2 min")
    alone, treated = (row.people for row in found.rows)
    lost = np.isfinite(alone.trigger_s)
    assert 0 < lost.sum() < 64
    assert np.allclose(treated.trigger_s[lost], alone.trigger_s[lost], atol=1.0)
    assert np.isnan(treated.trigger_s[~lost]).all()
    # Who never loses breathing is given none; who does has the same course until then, and another afterwards.
    assert np.allclose(treated.activation[~lost], alone.activation[~lost], atol=2e-3)
    before = found.times_s[None, :] < (alone.trigger_s + 110.0)[lost][:, None]
    moved = np.abs(treated.activation - alone.activation)[lost]
    assert np.nanmax(np.where(before, moved, 0.0)) < 5e-3
    late = found.times_s > 600.0
    assert np.nanmax(treated.activation[lost][:, late] / alone.activation[lost][:, late]) < 1.0


def test_tolerance_and_withdrawal_after_a_history():
    history = "morphine 30 mg po q6h for 60 d"
    found = schild.rescue(FENTANYL, n=24, history=history, tolerance=["naive", "model"])
    assert found.source == "general"
    naive, naive_treated, model, _ = (row.people for row in found.rows)
    assert np.isfinite(naive_treated.cows).any()
    assert np.nanmedian(naive_treated.cows) > np.nanmedian(naive.cows)  # precipitated
    assert np.all(model.activation[:, 0] < naive.activation[:, 0])  # tolerance of what the history left
    assert model.arrest.sum() <= naive.arrest.sum()
    assert "peak_cows" in found.summary()[1]
    assert np.all(naive.ventilation[:, 0] < found.baseline_l_min)


def test_long_opioids_are_followed_for_a_day():
    found = schild.rescue("methadone 100 mg po", ["none", "nalmefene 1 mg im"], tolerance="naive", n=8)
    assert found.times_s[-1] == 24 * 3600.0
    assert 0.8 < np.nanmax(found.rows[0].typical.activation) < 1.0


def test_renarcotisation_is_breathing_that_is_lost_again():
    """A course that falls for ten minutes and comes back, as under a short antagonist of a long opioid."""
    start = warm_up(1, published())
    body = Body(physiology=published(), start=start, horizon_s=7200.0, grid_s=10.0, rule="none")
    t = np.arange(0.0, 7201.0, 5.0)
    long = np.clip(t / 60.0, 0.0, 1.0) * 0.995
    dip = np.where((t > 200.0) & (t < 800.0), 0.5, long)
    course = GivenCourse(times_s=t, activation=np.stack([long, dip]))
    wait = np.array([60.0, 60.0])
    followed = body.follow(0, 2, "naive", wait, course=course)
    found = body.measured(followed, 0, wait)
    assert found.awake.tolist() == [False, True]
    assert found.renarcotised.tolist() == [False, True]
    assert not body.measured(followed, 0, wait, treated=False).renarcotised.any()


def test_a_minute_counts_and_less_does_not():
    times = np.arange(0.0, 400.0, 10.0)
    up = np.zeros((2, times.size), dtype=bool)
    up[0, 10:16] = True  # 50 s
    up[1, 10:17] = True  # 60 s
    back, lost = _returns(times, up, np.array([20.0, 20.0]))
    assert np.isnan(back[0])
    assert back[1] == 100.0
    assert lost.tolist() == [False, True]


def test_intervals():
    percent, low, high, n = percent_of(np.arange(100) < 20)
    assert (percent, n) == (20.0, 100)
    assert (low, high) == (pytest.approx(13.34, abs=0.01), pytest.approx(28.88, abs=0.01))
    mean, low, high = paired_points(np.zeros(50), np.zeros(50))
    assert mean == 0.0
    assert -8.0 < low < 0.0 < high < 8.0
    assert paired_points(np.ones(50), np.zeros(50))[2] == 100.0
    assert np.isnan(percent_of([])[0])


def test_the_published_table_shows_misses_first():
    found = published_table(24, only=lambda row: row.model == "IM" or row.regimen.startswith("IN3mg"))
    assert len(found.rows) == 6
    assert found.left_out[0].regimen == "IN3mg_nalmefene_x1"
    assert "1 published rows" in found.warnings[0]
    order = [row.miss for row in found.rows]
    assert order == sorted(order, reverse=True)
    row = found.summary()[0]
    assert row["difference"] == pytest.approx(row["percent"] - row["published"])
    assert {"regimen", "percent", "low", "high", "n", "opioid", "delay_s", "tolerance", "miss"} <= set(row)
    json.loads(found.to_json())
    with pytest.raises(InputError, match="people"):
        published_table(0)


def test_escalating_doses_are_read_from_their_name():
    found = published_table(16, only=lambda row: row.regimen in ("IV0.04+0.5+2mg", "IV2mg") and row.delay_s == 60)
    assert not found.left_out
    assert {row.row.regimen for row in found.rows} == {"IV0.04+0.5+2mg", "IV2mg"}


def test_delays_and_people_match():
    body_delay = parse_delay("median 3 min cv 0.5")
    found = schild.rescue(FENTANYL, "naloxone 4 mg in", n=16, delay="median 3 min cv 0.5")
    assert np.array_equal(found.rows[0].people.wait_s, body_delay.seconds(16, 1))


def test_each_person_may_have_a_parameter_set_of_its_own():
    options = {"source": "general", "until": "10 min", "link": "plain", "tolerance": "naive"}
    same, drawn, few = (
        schild.rescue("heroin 5 mg iv", "none", **{**options, **more})
        for more in ({"n": 6}, {"n": 6, "parameters": "drawn"}, {"n": 3, "parameters": "drawn", "threads": 1})
    )
    lowest = [found.rows[0].people.ventilation.min(axis=1) for found in (same, drawn, few)]
    assert np.abs(lowest[1] - lowest[0]).max() > 0.1
    assert lowest[2].tolist() == lowest[1][:3].tolist()
    assert drawn.manifest["parameters"] == "drawn"
