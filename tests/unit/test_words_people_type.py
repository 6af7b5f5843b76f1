"""Words that people type: trade names, combinations, slips of the pen, intervals and times in other words."""

from __future__ import annotations

import pytest

from schild.catalog import load
from schild.errors import InputError, UnknownNameError, close_names
from schild.regimen import parse_regimen
from schild.simulation import Run, events_of, model_of
from schild.simulation.caution import unit_slips
from schild.units import ticks

COMBINATIONS = [key for key, traded in load().trade_names.items() if len(traded.contains) > 1]
SINGLE = [key for key, traded in load().trade_names.items() if len(traded.contains) == 1]
ABSENT = [key for key, traded in load().trade_names.items() if not traded.contains]


def refused(name):
    with pytest.raises(UnknownNameError) as caught:
        load().drug(name)
    return str(caught.value)


@pytest.mark.parametrize("name", COMBINATIONS)
def test_a_combination_is_named_with_all_that_is_in_it_and_suggests_no_single_drug(name):
    told = refused(name)
    assert "is a combination of" in told
    assert all(drug in told for drug in load().trade_names[name].contains)
    assert "Did you mean" not in told
    assert "one regimen for each drug" in told


@pytest.mark.parametrize("name", SINGLE)
def test_a_trade_name_says_its_drug(name):
    drug = load().trade_names[name].contains[0]
    assert f"is a trade name of {drug}" in refused(name)
    assert drug in load().drugs


@pytest.mark.parametrize("name", ABSENT)
def test_a_drug_that_is_not_there_has_no_stand_in(name):
    told = refused(name)
    assert "is not in the catalogue, and no drug there stands for it" in told
    assert "Did you mean" not in told
    assert name not in load().aliases


def test_trade_names_are_no_aliases_and_have_a_status():
    catalogue = load()
    assert not set(catalogue.trade_names) & {alias.replace("-", "_") for alias in catalogue.aliases}
    assert {traded.verified for traded in catalogue.trade_names.values()} == {"read", "memory"}


@pytest.mark.parametrize("name", ["Suboxone", "SUBOXONE", "MS Contin", "ms-contin", "Co-Codamol"])
def test_spelling_of_a_trade_name_does_not_matter(name):
    assert "Did you mean" not in refused(name)
    assert "Known" not in refused(name)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("naltrexon", ["naltrexone"]),
        ("morfine", ["morphine"]),
        ("nalaxone", ["naloxone"]),
        ("methodone", ["methadone"]),
        ("buprenorfine", ["buprenorphine"]),
        ("suboxon", []),
        ("zzz", []),
        ("insulin", []),
        ("aspirin", []),
    ],
)
def test_suggestions_are_few_and_near(typed, meant):
    assert close_names(typed, [*load().drugs, *load().aliases]) == meant


def test_an_unknown_name_lists_at_most_five():
    told = refused("zzz")
    assert told.count(",") == 4
    assert "and 21 more; schild drugs lists them" in told
    assert len(str(UnknownNameError("drug", "x" * 5000, ["a"]))) < 200


@pytest.mark.parametrize(
    ("words", "says", "never"),
    [
        ("naltrexone 50 mg po every 24 h", "Write the interval as q24h", "over"),
        ("naltrexone 50 mg po each 12h", "Write the interval as q12h", "over"),
        ("naltrexone 50 mg po every day", "Write the interval as q24h", "'over'"),
        ("naltrexone 50 mg po every meal", "Write the interval like q24h", "'over'"),
        ("naltrexone 50 mg po q24h 7 times", "Write the number of doses as x7", "over"),
        ("naltrexone 50 mg po q24h 7x", "Write the number of doses as x7", "over"),
        ("naltrexone 50 mg po q24h for 7 d", "How long doses go on is said by their number", "12 mg iv over"),
        ("naltrexone 50 mg po weight=60", "--weight '60 kg'", "Did you mean"),
        ("naltrexone 50 mg po age: 30", "entries of [subject]", "Did you mean"),
        ("naltrexone 50 mg po every other day", "Write the interval as q48h", "q24h"),
        ("naltrexone 50 mg po every week", "Write the interval as q7d", "q24h"),
        ("naltrexone 50 mg po each night", "Write the interval as q24h", "q48h"),
        ("naltrexone 50 mg po q.d.", "Write q24h", "over"),
        ("naltrexone 50 mg po t.i.d.", "Write q8h", "over"),
        ("naltrexone 50 mg po nightly", "Write q24h", "over"),
        ("naltrexone 50 mg po q24h x 7 days", "The number after x counts doses, not days", "over"),
        ("naltrexone 50 mg po once weekly", "Write the interval as q7d", "q24h"),
        ("naltrexone 50 mg po twice a week", "one regimen for each day of the week", "q12h"),
        ("naltrexone 50 mg po 3 times daily", "Write the interval as q8h", "x3"),
        ("naltrexone 50 mg po once every 2 days", "Write the interval as q2days", "q24h"),
        ("naltrexone 50 mg po every 3 months", "such as q28d", "q3months"),
        ("naltrexone 50 mg po every Monday", "one regimen for each day of the week", "q24h"),
        ("naltrexone 50 mg po month", "is not part of a regimen", "day of the week"),
        ("naltrexone 100 mg po Mon/Wed/Fri", "one regimen for each day of the week", "over"),
        ("naltrexone 50 mg po at day 2", "Day 1 begins at 0 h and day 2 at 24 h", "2 d'"),
        ("naltrexone 50 mg po on day 2", "Day 1 begins at 0 h and day 2 at 24 h", "over"),
        ("naltrexone 50 mg po at 08:00", "a time from the start of the run", "over"),
        ("naltrexone 50 mg po @ 8am", "a time from the start of the run", "over"),
        ("naltrexone 50 mg po skp 2", "Did you mean 'skip'?", "over"),
        ("naltrexone 50 mg po until 7 d", "the end of the run (--until)", "over"),
    ],
)
def test_a_word_that_is_no_clause_gets_the_right_remedy(words, says, never):
    with pytest.raises(InputError) as caught:
        parse_regimen(words)
    told = str(caught.value).split("\n")[0].split("Write DRUG")[0]
    assert says in told
    assert never not in told.replace("expected 'for' with a rate or 'over' with an amount", "")


@pytest.mark.parametrize(
    ("text", "hours"),
    [("6 d 4h", 148), ("6d4h", 148), ("1 h 30 min", 1.5), ("1wk 2 d", 216), ("90 min 30 s", 1.508333333)],
)
def test_times_may_have_parts(text, hours):
    assert ticks(text) == round(hours * 3.6e9, -3)
    assert parse_regimen(f"naltrexone 50 mg po at {text} x1 q24h")[0].time == pytest.approx(hours)


@pytest.mark.parametrize("text", ["6 d 4", "-6 d 4 h", "6 d -4 h", "6 h of 4 h", "1 h 2 h 3 h 4 h 5 h 6 h"])
def test_times_that_are_not_clear_are_refused(text):
    with pytest.raises(InputError):
        ticks(text)


@pytest.mark.parametrize(
    ("words", "slow"),
    [("naltrexone 380 mg im", "im_depot"), ("buprenorphine 300 mg sc", "sc_depot"), ("naltrexone 50 mg sc", "")],
)
def test_a_route_that_is_not_there_hints_at_the_slow_form(words, slow):
    with pytest.raises(InputError) as caught:
        model_of(Run.of(words))
    told = str(caught.value)
    assert "the catalogue has" in told
    assert (f"Did you mean {slow}" in told) if slow else ("Did you mean" not in told)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("naltrexone IM 380 mg", "Write 'naltrexone 380 mg im'"),
        ("naltrexone depot 380 mg", "im_depot for a depot injection"),
        ("naltrexone 380 mg depot", "im_depot for a depot injection"),
        ("naltrexone xr 380 mg", "oral_er for a tablet or capsule, im_depot for a depot"),
        ("oxycodone ER 20 mg po", "oral_er"),
        ("oxycodone 20 mg ER", "oral_er"),
        ("oxycodone 20 mg po er q12h", "oral_er"),
        ("naltrexone 50 po", "'50' has no unit"),
        ("naltrexone 50 mg po once daily", "Write the interval as q24h"),
        ("naltrexone 50 mg daily po", "Then write q24h."),
        ("naltrexone 1/2 tablet", "or as a part of a tablet"),
        ("naltrexone 2 x 50 mg po", "Write the whole amount"),
        ("naltrexone 2x50mg po", "Write the whole amount"),
        ("naltrexone 0.5 gr po", "gr is a grain (65 mg) or a gram"),
        ("suboxone 8/2 mg sl", "one regimen for each drug"),
        ("buprenorphine/naloxone 8 mg sl", "one regimen for each drug"),
    ],
)
def test_what_people_type_is_refused_with_what_to_write(words, told):
    with pytest.raises(InputError) as caught:
        parse_regimen(words)
    assert told in str(caught.value)


def test_abbreviations_with_points_are_routes_too():
    assert parse_regimen("naltrexone 50 mg p.o.; morphine 10 mg i.v.").to_words() == (
        "naltrexone 50 mg oral; morphine 10 mg iv"
    )


def test_a_dose_a_day_that_was_written_as_a_rate_is_said(capsys):
    from schild.cli import main

    assert main(["simulate", "naltrexone 50 mg/day po for 7 d", "--dry-run"]) == 0
    assert "naltrexone 350 mg oral goes in evenly over 7 d" in " ".join(capsys.readouterr().out.split())
    events = events_of(Run.of("morphine 50 mg/d iv for 7 d; ethanol 28 g po over 1 h", until="7 d"))
    assert not list(unit_slips(load(), events))


def test_low_dose_naltrexone_and_narcan_are_known():
    assert load().drug("LDN").key == "naltrexone"
    assert load().drug("Narcan").key == "naloxone"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("naltrexone 50 g po", ["50 g of naltrexone is far from the published doses", "Was 50 mg meant?"]),
        ("fentanyl 100 mg iv", ["Was 100 ug meant?"]),
        ("naltrexone 20 ug po", ["Was 20 mg meant?"]),
        ("naltrexone 50 mg po", []),
        ("naltrexone 4.5 mg po", []),
        ("fentanyl 2 mg iv", []),
        ("naloxone 10 mg iv", []),
    ],
)
def test_an_amount_in_a_wrong_unit_is_said(words, told):
    said = " ".join(unit_slips(load(), events_of(Run.of(words, until="1 d"))))
    assert bool(said) == bool(told)
    assert all(part in said for part in told)


@pytest.mark.parametrize(("sex", "meant"), [("m", "male"), ("F", "female"), (" Male", "male"), ("female", "female")])
def test_sex_is_read_by_its_first_letter_too(sex, meant):
    assert Run.of("naltrexone 50 mg po", subject={"sex": sex}).subject.resolve().sex == meant
    assert Run.of("naltrexone 50 mg po", population={"n": 2, "sex": sex}).population.resolve().fixed["sex"] == meant
