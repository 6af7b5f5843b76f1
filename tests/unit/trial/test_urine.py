"""Endpoints of opioid trials as rows of data, read by one function."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from schild.catalog import load
from schild.errors import InputError
from schild.trial.urine import evaluate, time_to_run, urine_endpoints, words

RULES = urine_endpoints()

#: Words and what an independent reading of the rule by hand gives: week of the event, and whether it came.
BY_HAND = [
    ("relapse_4wk", "oooo--------", 9, False),  # weeks 1 and 2 do not count, so two bad weeks are left
    ("relapse_4wk", "--oooo------", 3, True),
    ("relapse_4wk", "--o+*o------", 3, True),  # missing, positive and mixed are all not negative
    ("relapse_4wk", "--------+ooo", 9, True),
    ("relapse_4wk_positive", "--+o++++----", 5, True),
    ("dropout_4wk", "oooo--------", 1, True),
    ("relapse_3wk", "-+o+", 2, True),
    ("two_positives", "+-+-++", 5, True),
]
VALUES = [
    ("percent_weeks_abstinent", "++++----oo", 100 * 4 / 6),
    ("percent_negative", "-+o-", 50.0),
    ("percent_negative_of_given", "-+o-", 100 * 2 / 3),
    ("abstinent_throughout", "----", 100.0),
    ("abstinent_throughout", "---o", 0.0),
    ("abstinent_last4", "++----", 100.0),
    ("longest_abstinence", "--+---o-", 3.0),
    ("positives", "+o*-", 2.0),
]


@pytest.mark.parametrize(("rule", "word", "week", "came"), BY_HAND)
def test_the_week_of_an_event_is_what_the_rule_says(rule, word, week, came):
    found = time_to_run(RULES[rule], words([word]))
    assert (int(found[0][0]), bool(found[1][0])) == (week, came)


@pytest.mark.parametrize(("rule", "word", "value"), VALUES)
def test_the_value_is_what_the_rule_says(rule, word, value):
    assert evaluate(RULES[rule], words([word]))[0] == pytest.approx(value)


def test_weeks_that_are_not_scheduled_do_not_count():
    short, whole = evaluate(RULES["percent_negative"], words(["--", "--oo"]))
    assert (short, whole) == (100.0, 50.0)
    assert np.isnan(evaluate(RULES["percent_negative_of_given"], words(["oo"]))[0])


def test_every_rule_has_a_source_that_is_known_and_says_what_it_makes_of_leaving():
    known = set(load().references) | {"schild"}
    for rule in RULES.values():
        assert rule.source in known, rule.name
        assert rule.says
        assert rule.locator
        assert rule.intercurrent


def test_a_letter_that_stands_for_nothing_is_named():
    with pytest.raises(InputError, match="A week is 'x'; expected one of"):
        words(["-x"])


@pytest.mark.skipif("SCHILD_CTN_PEOPLE" not in os.environ, reason="needs the open table, which is not shipped")
def test_events_of_the_open_data_are_reproduced_person_by_person(capsys):
    """SCHILD_CTN_PEOPLE names ctn0051_participants.csv: words, and times of two rules computed by others."""
    with Path(os.environ["SCHILD_CTN_PEOPLE"]).open(encoding="utf-8") as file:
        people = list(csv.DictReader(file))
    codes = words([p["weekly_uds"] for p in people])
    for name, time, event in (("relapse_4wk", "rel_t", "rel_e"), ("dropout_4wk", "drop_t", "drop_e")):
        week, came = time_to_run(RULES[name], codes)
        same = (week == [int(p[time]) for p in people]) & (came == [int(p[event]) for p in people])
        with capsys.disabled():
            print(f"\n{name}: {same.sum()} of {len(people)} people")
        assert same.all()
