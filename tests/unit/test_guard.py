"""Opioids above published human doses are refused while a blockade stands, however they are written."""

import re

import pytest

import schild
from schild.catalog import load
from schild.errors import InputError
from schild.population import Subject
from schild.regimen import expand, parse_regimen
from schild.simulation import guard

NALTREXONE = "naltrexone 50 mg po"
WEEK = "naltrexone 50 mg po q24h x7"


def run(*regimens, until="3 d", **options):
    return schild.simulate(*regimens, until=until, every="12 h", warn=False, **options)


@pytest.mark.parametrize(
    "agonist",
    [
        "heroin 26 mg iv at 1 h",
        "heroin 25 mg base iv at 1 h",
        "morphine 1000 mg/h iv ss2",
        "morphine 100 mg iv q12h x3 ss2 from 12 h",
        "morphine 10 mg iv q1min x60 from 1 h",
        "morphine 60 mg iv over 10 h",
        "carfentanil 1 ug iv at 1 h",
        "morphine 10 mg iv f 1000 at 2 h",
        "codeine 50 mg po f 1000000 at 1 h",
        "m6g 10000 mg iv at 1 h",
        "morphine 100 mg im at 1 h",
    ],
)
def test_too_much_is_refused_with_the_reason(agonist):
    with pytest.raises(InputError, match="published human challenges"):
        run(NALTREXONE, agonist)


@pytest.mark.parametrize(
    "agonist",
    [
        "morphine 10 g iv",
        "morphine 10 g po",
        "morphine 10 g po product er",
        "morphine 10 g im",
        "fentanyl 1 g transdermal",
        "buprenorphine 10 g sc_depot",
        "morphine 10 g iv over 6 h from -6 h",
        "morphine 10 g iv lag 10 h from -10 h",
    ],
)
@pytest.mark.parametrize("later", ["0 h", "1 us", "1 s", "20 min"])
def test_a_dose_just_before_the_tablet_counts(agonist, later):
    with pytest.raises(InputError, match="published human challenges"):
        run(agonist, f"naltrexone 50 mg po at {later}")


def test_a_lag_does_not_bring_a_dose_written_earlier_under_the_antagonist():
    with pytest.raises(InputError, match="published human challenges"):
        run("morphine 10 g iv lag 96 h", WEEK, until="8 d")


def test_a_lagged_injection_blocks_when_it_enters():
    with pytest.raises(InputError, match="published human challenges"):
        run("naltrexone 380 mg im_depot lag 61 d", "morphine 1 g iv at 70 d", until="71 d")
    run("naltrexone 380 mg im_depot lag 61 d", "morphine 60 mg po at 30 d", until="40 d")


@pytest.mark.parametrize(
    "blocker",
    [
        "beta_naltrexol 50 mg iv",
        "buprenorphine 16 mg sl",
        "nalmefene 1 mg iv",
        "naloxone 0.4 mg iv",
        "samidorphan 10 mg po",
        "buprenorphine 300 mg sc_depot",
    ],
)
def test_everything_that_blocks_is_guarded(blocker):
    with pytest.raises(InputError, match="published human challenges"):
        run(blocker, "morphine 1 g iv at 30 min")


@pytest.mark.parametrize("efficacy", [0.2, 0.35, 0.45])
def test_a_partial_agonist_blocks_whatever_efficacy_is_fitted(efficacy, monkeypatch):
    # A limit of 0.39 between the fitted efficacies of pentazocine and codeine held them apart before.
    as_fitted = guard._efficacy
    fitted = {"buprenorphine": (efficacy, efficacy)}
    monkeypatch.setattr(
        guard, "_efficacy", lambda c, drug, changed: fitted.get(drug.key) or as_fitted(c, drug, changed)
    )
    with pytest.raises(InputError, match="published human challenges"):
        run("buprenorphine 16 mg sl", "morphine 1 g iv at 1 h")


def test_opioids_at_their_own_limits_add_up():
    with pytest.raises(InputError, match="published human challenges"):
        run(NALTREXONE, "morphine 30 mg iv at 1 h", "heroin 25 mg iv at 1 h", "oxycodone 20 mg iv at 1 h")


@pytest.mark.parametrize(("number", "value"), [("iv.f", 1000.0), ("mor.ki", 1e-3), ("mor.factor", 1e-3)])
def test_overrides_do_not_lead_around(number, value):
    with pytest.raises(InputError, match="published human challenges"):
        run(NALTREXONE, "morphine 30 mg iv at 2 h", overrides={f"morphine.{number}": value})


def overlay(tmp_path, drug, *changes, name=None):
    """The catalogue under a changed copy of a drug, which may get another name."""
    text = schild.load().text_of(drug)
    for number, value in changes:
        head = rf'\[\[number\."?{re.escape(number)}"?\.value\]\]'
        text = re.sub(rf"({head}\nkey = .*\nvalue = ).*", rf"\g<1>{value}", text)
    if name:
        text = text.replace(f'"{drug}"', f'"{name}"').replace(f"{{ {drug} =", f"{{ {name} =")
        text = re.sub(r"aliases = .*", "aliases = []", text)
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    return schild.load(tmp_path / "own.toml")


@pytest.mark.parametrize(
    "changes", [("challenge.iv.largest_mg", 100000.0), ("mor.factor", 0.01), ("cl", 0.5)], ids=lambda c: c[0]
)
def test_an_overlay_does_not_lead_around(tmp_path, changes):
    own = overlay(tmp_path, "morphine", changes)
    amount = 500 if "challenge" in changes[0] else 30
    with pytest.raises(InputError, match=r"published human challenges \(the largest by this route is 30 mg\)"):
        run(NALTREXONE, f"morphine {amount} mg iv at 2 h", catalogue=own)


def test_a_drug_of_ones_own_has_no_more_effect_at_its_limit_than_published_doses(tmp_path):
    own = overlay(tmp_path, "morphine", ("challenge.iv.largest_mg", 100000.0), name="novelol")
    run(NALTREXONE, "novelol 30 mg iv at 2 h", catalogue=own)
    with pytest.raises(InputError, match="published human challenges"):
        run(NALTREXONE, "novelol 300 mg iv at 2 h", catalogue=own)


def test_a_stay_in_the_body_made_long_by_an_override_counts_too():
    with pytest.raises(InputError, match="published human challenges"):
        run(NALTREXONE, "heroin 25 mg iv at 2 h", overrides={"heroin.fm.mam": 1.0, "mam.cl": 0.1})


def test_an_override_of_one_route_counts_beside_another():
    with pytest.raises(InputError, match="published human challenges"):
        run(NALTREXONE, "morphine 1 mg po at 1 h", "morphine 20 mg iv at 2 h", overrides={"morphine.iv.f": 1000.0})


def test_an_antagonist_made_weak_by_an_override_still_counts():
    for override in ({"naltrexone.mor.efficacy": 0.9}, {"naltrexone.oral.f": 1e-3}):
        with pytest.raises(InputError, match="published human challenges"):
            run(NALTREXONE, "morphine 1 g iv at 2 h", overrides=override)


@pytest.mark.parametrize("change", [{"morphine.cl": 60.0}, {"morphine.oral.f": 0.4}, {"morphine.mor.factor": 150.0}])
def test_a_sensitivity_analysis_runs(change):
    run(NALTREXONE, "morphine 30 mg iv at 2 h", overrides=change)
    run(NALTREXONE, "morphine 60 mg po at 2 h", overrides=change)


def test_doses_per_kilogram_are_judged_by_the_heaviest_person():
    with pytest.raises(InputError, match="published human challenges"):
        run(NALTREXONE, "morphine 0.4 mg/kg iv at 1 h", n=20)
    run(NALTREXONE, "morphine 0.4 mg/kg iv at 1 h", subject={"weight": "70 kg"})


@pytest.mark.parametrize(
    "agonist",
    [
        "heroin 25 mg iv at 24 h",
        "morphine 10 mg iv at 24 h",
        "morphine 5 mg iv q12h x2",
        "hydromorphone 3 mg im at 2 h",
        "hydromorphone 18 mg im at 2 h",
        "hydromorphone 16 mg po at 2 h",
        "morphine 30 mg iv at 2 h",
        "fentanyl 0.14 mg iv at 2 h",
        "morphine 15 mg im at 2 h",
        "oxycodone 40 mg po at 2 h",
    ],
)
def test_published_challenges_run_with_the_warning(agonist):
    assert any("can kill" in warning for warning in run(NALTREXONE, agonist).warnings)


@pytest.mark.parametrize(
    "regimens",
    [
        ["morphine 60 mg po"],
        ["naltrexone 380 mg im_depot", "morphine 120 mg po at 90 d"],
        ["naloxone 0.4 mg iv", "morphine 200 mg po at 1 d"],
        [WEEK, "methadone 100 mg po q24h x5 from 17 d"],
        [WEEK, "buprenorphine 16 mg sl q24h x5 from 17 d"],
        ["methylnaltrexone 12 mg sc q48h x5", "morphine 100 mg po q12h x10"],
    ],
)
def test_where_no_blockade_stands_there_is_no_limit_here(regimens):
    until = "91 d" if "90 d" in regimens[-1] else "23 d"
    assert not any("antagonist acts" in warning for warning in run(*regimens, until=until).warnings)


@pytest.mark.parametrize(
    "regimens",
    [
        ["morphine 2 mg/h iv for 6 h", "naloxone 0.4 mg iv at 5 h"],
        ["fentanyl 1 mg iv", "naloxone 4 mg in at 2 min"],
        ["fentanyl 1.625 mg iv", "naloxone 4 mg in at 60 s"],
        ["methadone 60 mg po q24h x12 from -7 d", "naloxone 0.4 mg iv at 2 h"],
        ["methadone 100 mg po q24h x30 from -30 d", "naltrexone 50 mg po at 2 h"],
        ["oxycodone 20 mg po q12h x10", "naloxone 10 mg po q12h x10"],
    ],
)
def test_rescue_precipitated_withdrawal_and_fixed_combinations_run(regimens):
    run(*regimens)


@pytest.mark.parametrize("history", ["methadone 100 mg po q24h for 90 d", "morphine 30 mg po q6h for 60 d"])
def test_a_history_that_ends_as_the_antagonist_begins_runs(history):
    run(NALTREXONE, history=history)


def test_a_history_of_grams_does_not():
    with pytest.raises(InputError, match="published human challenges"):
        run(NALTREXONE, history="morphine 10 g po q24h for 5 d")


def test_an_infusion_that_runs_into_the_antagonist_counts():
    with pytest.raises(InputError, match="published human challenges"):
        run("morphine 10 mg/h iv for 20 h", "naltrexone 50 mg po at 10 h")


def test_equal_doses_of_a_history_are_built_once_and_arrive_each_at_its_own_time(monkeypatch):
    built = []
    build = guard.build
    guard._inputs_from.cache_clear()

    def counted(values, events, **options):
        built.append(events)
        return build(values, events, **options)

    monkeypatch.setattr(guard, "build", counted)
    words = "heroin 25 mg iv q6h x40; heroin 10 mg iv at 3 h; heroin 25 mg iv over 30 min at 5 h"
    doses = expand(parse_regimen(words), 10**12)
    together = guard._inputs(load(), doses, Subject(), {})
    assert len(built) == 3
    guard._inputs_from.cache_clear()
    assert together == [guard._inputs(load(), [dose], Subject(), {})[0] for dose in doses]
