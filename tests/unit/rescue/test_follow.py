"""What the entrance to the rescue kernel refuses, and what it says."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from schild.errors import InputError, UnknownNameError
from schild.overdose.drugs import REGIMENS
from schild.overdose.follow import GivenCourse, Intervention, follow, warm_up
from schild.overdose.parameters import published, record

P = published()


@lru_cache(maxsize=1)
def start():
    return warm_up(1, P)


def run(**options):
    arguments = dict(p_chemo=2.9, p_wake=0.9, starts=start(), horizon_s=60.0)
    return follow(1, P, **arguments | options)


TIMES = np.array([0.0, 30.0, 60.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"starts": np.zeros((2, 3))}, r"starts has shape \(2, 3\); expected \(1, 26\)"),
        ({"rule": "sudden"}, "rule of collapse is 'sudden'; expected one of none, two_pass, clock, hazard"),
        ({"out_times_s": [10.0, 5.0]}, "out_times_s must increase"),
        ({"out_times_s": [100.0]}, "to the horizon of 60 s"),
        ({"course": GivenCourse(times_s=TIMES, activation=np.zeros((2, 3)))}, r"\(2, 3\) activations"),
        ({"course": GivenCourse(times_s=TIMES[::-1], activation=np.zeros((1, 3)))}, "must increase"),
        ({"course": GivenCourse(times_s=TIMES, activation=np.full((1, 3), 1.2))}, "between 0 and 1; given 1.2 to 1.2"),
        ({"course": GivenCourse(times_s=TIMES, activation=np.full((1, 3), np.nan))}, "between 0 and 1"),
        (
            {"interventions": [Intervention(what="prayer", value=1.0, start_s=0.0, end_s=9.0)]},
            "'prayer'; expected one of ventilation, inspired_o2",
        ),
        (
            {"interventions": [Intervention(what="ventilation", value=1.0, start_s=9.0, end_s=9.0)]},
            "not after its start",
        ),
        ({"p_wake": np.nan}, r"not finite \(pw\)"),
    ],
)
def test_bad_input_is_refused_in_words(options, message):
    with pytest.raises(InputError, match=message):
        run(**options)


def test_a_person_whose_numbers_run_away_is_named():
    wild = replace(record("fentanyl"), k12=-5.0)
    with pytest.raises(InputError, match="1 of 1 people could not be followed; the first is person 0"):
        run(opioid=wild, dose_mg=1.0, horizon_s=4500.0)


def test_unknown_names():
    with pytest.raises(UnknownNameError, match="No group of numbers of the published rescue model is called 'oral'"):
        record("oral")


def test_interventions_count_from_the_first_dose_where_they_say_so():
    common = dict(opioid=record("fentanyl"), dose_mg=2.0, horizon_s=600.0, rule="none", out_times_s=[599.0])
    late = Intervention(what="ventilation", value=6.0, start_s=0.0, end_s=500.0, after_trigger=True)
    without, with_breaths = run(**common), run(**common, interventions=[late])
    trigger = with_breaths.outcome["trigger_s"][0]
    assert trigger == pytest.approx(without.outcome["trigger_s"][0], abs=1e-6)
    fixed = Intervention(what="ventilation", value=6.0, start_s=trigger + 60.0, end_s=trigger + 560.0)
    same = run(**common, interventions=[fixed])
    assert same.outcome["pao2_min"][0] == pytest.approx(with_breaths.outcome["pao2_min"][0], abs=1e-3)
    assert with_breaths.outcome["pao2_min"][0] > without.outcome["pao2_min"][0]


def test_a_dose_right_at_the_trigger_is_given_there():
    """A delay shorter than a step: the step is taken again, up to the dose."""
    found = run(
        opioid=record("fentanyl"),
        dose_mg=1.0,
        antagonist=record("naloxone"),
        route=record("in_4mg"),
        rescue=REGIMENS["IN4mg_x1"],
        wait_s=0.0,
        horizon_s=300.0,
        rule="none",
        out_times_s=np.arange(0.0, 300.0, 0.5),
    )
    trigger = found.outcome["trigger_s"][0]
    depot = found.states[0, :, 4]
    assert depot[found.times_s < trigger - 0.01].max() == 0.0
    after = np.flatnonzero(found.times_s > trigger + 1e-6)[0]
    given = record("in_4mg").f * 4e6 * np.exp(-record("in_4mg").k_tr * (found.times_s[after] - trigger))
    assert depot[after] == pytest.approx(given, rel=1e-4)


def test_outcomes_do_not_depend_on_what_is_kept():
    options = dict(opioid=record("fentanyl"), dose_mg=2.965, horizon_s=1500.0, rule="two_pass")
    bare, kept = run(**options), run(**options, out_times_s=np.arange(0.0, 1500.0, 1.0))
    for name, value in bare.outcome.items():
        np.testing.assert_array_equal(value, kept.outcome[name], err_msg=name)
