"""Trials in opioid use disorder: loads, the loop over hours, and laws that hold whatever was fitted."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import schild
from calibration.opioid_trial import main as calibration
from schild.catalog import load
from schild.engine.hours import DOSED, FOLLOWED, TREATED, USED
from schild.errors import InputError
from schild.population import Subject, people_of
from schild.regimen import Dose
from schild.report.trial import trial_html
from schild.trial.cautions import cautions
from schild.trial.endpoints import endpoints_of
from schild.trial.follow import follow
from schild.trial.loads import LOAD, load_of
from schild.trial.numbers import trial_numbers
from schild.trial.opioid import body_of, follow_arm, treatment_load
from schild.trial.opioid_checks import known_misses, opioid_rows, scenario
from schild.trial.opioid_part import COUNTS, opioid_values, urine_codes
from schild.trial.policy import DICTIONARY, policy_table
from schild.trial.result import run_trial
from schild.trial.trialfile import Trial

DESIGN = Path(__file__).parents[3] / "docs" / "design" / "opioid-trials.md"

INJECTION = {
    "name": "injection", "drug": "naltrexone", "amount": "380 mg", "route": "im_depot", "dosing": "schedule",
    "every": "28 d",
}  # fmt: skip
TABLET = {"name": "tablet", "drug": "naltrexone", "amount": "50 mg"}
BUPRENORPHINE = {"name": "buprenorphine", "drug": "buprenorphine", "amount": "16 mg", "route": "sl"}
METHADONE = {"name": "methadone", "drug": "methadone", "amount": "80 mg"}
PLACEBO = {"name": "placebo", "placebo": True, "dosing": "schedule", "every": "28 d"}


def trial_of(*arms, **more):
    head = {"n": 60, "weeks": 8} | more.pop("trial", {})
    return Trial.parse({"disorder": "opioid", "trial": head, "arm": list(arms), **more})


def run(arm, n=200, given=None, **more):
    trial = trial_of(arm, trial={"n": n, "weeks": 12}, **more)
    numbers = trial_numbers(trial, load(), overrides={f"trial.oud.{k}": v for k, v in (given or {}).items()})
    return follow_arm(trial, trial.arm[0], numbers, body_of(numbers, trial.setting.fentanyl), 0, n, 0)[0]


@pytest.fixture(scope="module")
def typical():
    numbers = trial_numbers(trial_of(INJECTION), load())
    return numbers.values.of_people(people_of(Subject(), load(), 0)), body_of(numbers, 0.0)


@pytest.mark.parametrize(
    ("arm", "count", "hours", "most"), [(INJECTION, 4, 112 * 24, 0.01), (TABLET, 14, 336, 0.01),
                                        (BUPRENORPHINE, 14, 336, 0.02), (METHADONE, 14, 336, 0.01)]
)  # fmt: skip
def test_perfect_adherence_equals_the_plain_regimen(arm, count, hours, most, typical):
    """Sums of the course of one dose against the engine with every dose given, as occupancy of mu."""
    values, _ = typical
    trial = trial_of(arm)
    one = trial.arm[0]
    every = 24 * one.interval_days
    times = np.arange(0.0, hours + 1.0, 12.0)
    dose = Dose(
        drug=one.drug, amount=one.amount, route=one.route, time=0.0, every=float(every), count=count,
    )  # fmt: skip
    plain = load_of(dose, values, times)[LOAD, 0]
    numbers = trial_numbers(trial, load())
    single = treatment_load(trial, one, numbers, 0, 1, 0)
    assert single is not None
    alone = load_of(Dose(drug=one.drug, amount=one.amount, route=one.route, time=0.0, count=1), values, times)[LOAD, 0]
    summed = np.zeros(times.size)
    for k in range(count):
        late = times - k * every
        summed += np.where(late >= 0, np.interp(late, times, alone), 0.0)
    off = np.abs(plain / (1.05 + plain) - summed / (1.05 + summed))
    # At the hour of a dose either side of the jump counts.
    assert np.delete(off, np.flatnonzero(times % every == 0)).max() < most


def test_adaptation_by_the_hour_is_that_of_the_engine(typical):
    """Withdrawal after sixty days of heroin: a loop of hours against the integrated model."""
    _, body = typical
    found = schild.simulate(
        "naloxone 0.0001 mg iv at 400h", history="heroin 25 mg iv q6h for 60 d stopped 0 h", until="96 h", every="6 h"
    )
    fast, slow = (float(np.ravel(found[f"adaptation_{name}"].values)[0]) for name in ("fast", "slow"))
    assert body.start[0] == pytest.approx(fast, rel=0.1)
    assert body.start[1] == pytest.approx(slow, rel=0.05)


def test_what_follows_withdrawal_by_the_hour_is_that_of_the_engine(tmp_path):
    text = (Path(schild.__file__).parent / "catalog" / "data" / "adaptation.toml").read_text(encoding="utf-8")
    own = re.search(r"^\[response_stress\]\n.*?(?=^\[response_inhibitor\]\n)", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "adaptation.toml").write_text(own[0].replace("\ndrive", "\ndefault = true\ndrive", 1), encoding="utf-8")
    catalogue, trial = load(tmp_path), trial_of(PLACEBO, trial={"n": 8, "weeks": 4})
    weeks = []
    for one in (catalogue, load()):
        # Nobody uses anything, so the score of a week is that of stopping.
        numbers = trial_numbers(trial, one, overrides={"trial.oud.use": 1e-9})
        body = body_of(numbers, 0.0)
        weeks.append((body.start, follow_arm(trial, trial.arm[0], numbers, body, 0, 8, 0)[0].weekly[:, :2, 1]))
    (start, with_), (plain_start, plain) = weeks
    found = schild.simulate(
        "naloxone 0.0001 mg iv at 400h", history="heroin 25 mg iv q6h for 60 d stopped 0 h", until="96 h", every="6 h",
        adaptation="response_stress",
    )  # fmt: skip
    assert start[4] == pytest.approx(float(found["adaptation_stress"].values[0, 0]), rel=0.15)
    assert start[5] == pytest.approx(float(found["adaptation_acute"].values[0, 0]), abs=0.05)
    assert not plain_start[4:].any()
    assert (with_ > plain).all()


def test_a_person_does_not_depend_on_the_part_or_on_the_company_of_arms():
    trial = trial_of(INJECTION, BUPRENORPHINE, trial={"people": "shared", "n": 40})
    whole, some = follow(trial, 0, 40), follow(trial, 11, 17)
    assert (whole.counts[11:17] == some.counts).all()
    other = trial_of(PLACEBO, BUPRENORPHINE, INJECTION, trial={"people": "shared", "n": 40})
    assert (follow(other, 0, 40).counts[:, 2] == whole.counts[:, 0]).all()


def test_a_drug_without_dose_is_placebo():
    """The same people with the same luck: an arm whose drug never arrives equals placebo but for its leaving."""
    given = {"leave.naltrexone": -2.0, "leave.none": -2.0}
    tiny = run({**INJECTION, "amount": "0.0000000001 mg"}, given=given)
    nothing = run(PLACEBO, given=given)
    assert (tiny.days & USED == nothing.days & USED).all()
    assert (tiny.urine == nothing.urine).all()


def test_a_block_lowers_use_and_outlasts_its_reward():
    given = {"refuse.antagonist": 0.0, "leave.naltrexone": -9.0, "leave.none": -9.0, "return": 9.0, "return.use": 0.0}
    setting = {"place": "inpatient", "admitted": [10.0]}
    blocked, free = (run(arm, given=given, setting=setting) for arm in (INJECTION, PLACEBO))
    treated = (blocked.days & TREATED) > 0
    assert treated.mean() > 0.5
    share = ((blocked.days & USED) > 0)[treated].mean()
    assert share < 0.3 * ((free.days & USED) > 0)[(free.days & TREATED) > 0].mean()
    assert blocked.weekly[:, -1, 0].mean() < free.weekly[:, -1, 0].mean()


def test_use_without_a_block_reinforces_and_use_under_it_extinguishes():
    given = {"use.between": 0.0, "use.cue": 0.0, "use.memory": 0.0, "use": 0.05, "use.blocked": 1.0,
             "refuse.antagonist": 0.0, "leave.none": -9.0, "leave.naltrexone": -9.0, "return": 9.0,
             "craving.fade": 10_000.0, "leave.between": 0.0}  # fmt: skip
    setting = {"place": "inpatient", "admitted": [10.0]}
    blocked, free = (run(arm, given=given, setting=setting) for arm in (INJECTION, PLACEBO))
    on = blocked.marks[:, 0] == 0
    assert on.mean() > 0.9
    assert blocked.weekly[on, 3, 0].mean() < 0.2
    assert free.weekly[on, 3, 0].mean() > 2 * blocked.weekly[on, 3, 0].mean()


def test_nobody_is_dosed_before_the_first_dose_or_after_giving_up():
    for arm in (INJECTION, TABLET, BUPRENORPHINE):
        found = run(arm)
        day = np.arange(found.days.shape[1])
        dosed = (found.days & DOSED) > 0
        first, stop = found.marks[:, 0], found.marks[:, 1]
        never = first < 0
        assert not dosed[never].any()
        assert not (dosed & (day < first[:, None])).any()
        assert not (dosed & (day > stop[:, None])).any()
        assert (dosed.sum(axis=1) == found.marks[:, 3]).all()
        assert ((found.days & FOLLOWED) > 0).sum(axis=1).max() <= found.days.shape[1]


def test_a_missing_urine_follows_leaving():
    found = run(PLACEBO)
    for leave, urine in zip(found.marks[:, 2], found.urine, strict=True):
        assert (urine[leave // 7 :] == 2).all()


def test_a_longer_wait_loses_people_and_waiting_begun_before_does_not():
    setting = {"place": "inpatient", "admitted": [2.0]}

    def inducted(**how):
        return (run({**INJECTION, "induction": how}, n=400, setting=setting).marks[:, 0] >= 0).mean()

    short, usual, long = inducted(wait=3), inducted(wait=7), inducted(wait=21)
    assert short > usual > long
    assert inducted(procedure="rapid") >= usual
    early = (run(INJECTION, n=400, setting={"place": "inpatient", "admitted": [12.0]}).marks[:, 0] >= 0).mean()
    assert early > usual


def test_overdose_is_a_ratio_to_daily_use_and_rises_when_tolerance_is_lost():
    given = {"use": 0.002, "use.between": 0.0, "use.memory": 0.0, "use.withdrawal": 0.0, "use.active": 0.0}
    fresh = run({"name": "a", "usual_care": True}, given=given, setting={"place": "outpatient", "admitted": [0.5]})
    clean = run({"name": "a", "usual_care": True}, given=given, setting={"place": "outpatient", "admitted": [30.0]})

    def of_a_use(found):
        return found.weekly[:, 0, 3].sum() / (found.weekly[:, 0, 3] > 0).sum()  # few have more than one use

    assert of_a_use(clean) > of_a_use(fresh) > 0


def test_what_opioid_trials_do_not_know_is_refused():
    with pytest.raises(InputError, match="cover naltrexone, buprenorphine and methadone"):
        run({"name": "a", "drug": "nalmefene", "amount": "18 mg"})
    with pytest.raises(InputError, match="`missing` belongs to drinking days"):
        trial_of(INJECTION, trial={"missing": "heavy"})
    with pytest.raises(InputError, match="no row gives the variation between opioid trials"):
        trial_of(INJECTION, trial={"between_trials": True})
    for arm in (BUPRENORPHINE, METHADONE, {"name": "care", "usual_care": True}):
        with pytest.raises(InputError, match="has an induction, which is for naltrexone or its placebo"):
            trial_of({**arm, "induction": {"wait": 3}})


@pytest.mark.parametrize(
    ("arm", "setting", "said"),
    [
        ({**INJECTION, "induction": {"procedure": "rapid", "wait": 0}}, {}, "heroin by 0 h. The label asks for"),
        ({**TABLET, "induction": {"wait": 3}}, {}, "heroin by 72 h. The label asks for at least 7 to 10 days"),
        ({**INJECTION, "induction": {"procedure": "taper"}}, {}, "buprenorphine by 7 d. After methadone or"),
        (BUPRENORPHINE, {"admitted": [9, 0]}, "heroin by 0 h. The label asks for clear signs of withdrawal"),
        ({**INJECTION, "induction": {"wait": 10}}, {}, None),
        (BUPRENORPHINE, {}, None),
        (PLACEBO, {"admitted": [0]}, None),
    ],
)  # fmt: skip
def test_an_arm_that_starts_sooner_than_the_label_says_so_whatever_the_model_computes(arm, setting, said):
    """A rapid start after no wait came out as the better arm, and nothing was said about the label."""
    found = cautions(trial_of(arm, setting=setting), load())
    labels = [w for w in found if "label" in w]
    assert len(labels) == (said is not None)
    assert said is None or (said in labels[0] and labels[0].startswith(f"Arm {arm['name']!r}"))


@pytest.mark.parametrize("given", [{"trial.oud.use.mass": 100.0}, {"mam.cl": 0.1}])
def test_a_use_above_published_challenges_is_refused_under_a_blockade(given):
    """The heroin of one use is a number of the user's: a trial was a way around the guard."""
    with pytest.raises(InputError, match="can kill"):
        run_trial(trial_of(INJECTION), overrides=given)
    care = {"name": "care", "usual_care": True}
    assert run_trial(trial_of(care), overrides=given).endpoints
    assert run_trial(trial_of(INJECTION), overrides={"trial.oud.use.mass": 10.0}).endpoints


@pytest.mark.parametrize(("placebo", "said"), [({"name": "p", "placebo": True}, True), (PLACEBO, False)])
def test_a_placebo_that_is_given_otherwise_than_the_drug_is_named(placebo, said):
    """Daily placebo beside a monthly injection: people stay by another rule, which was taken for the drug's effect."""
    found = cautions(trial_of(INJECTION, placebo), load())
    assert any("'p' is given daily, and no arm with a drug is" in w for w in found) == said


def test_people_of_an_arm_are_those_of_one_trial():
    """Twenty repeats with six people were called 120 people in an arm, and nothing was said."""
    found = cautions(trial_of(INJECTION, PLACEBO, trial={"n": 6, "replicates": 20}), load())
    assert "6 people in an arm: intervals are wide." in found


def test_a_slip_of_unit_in_an_arm_is_named():
    assert any("Was 380 mg meant" in w for w in cautions(trial_of({**INJECTION, "amount": "380 g"}), load()))


def test_estimands_look_at_the_days_they_name():
    trial = trial_of(INJECTION, BUPRENORPHINE)
    counts = follow(trial, 0, 60).counts[:, 0]
    only = trial.model_copy(update={"trial": trial.trial.model_copy(update={"estimand": "while_on_treatment"})})
    codes = urine_codes(only, counts)
    assert (codes[counts[:, COUNTS.index("first")] < 0, 1:] == -1).all()
    assert (urine_codes(trial, counts) >= 0).all()
    values = opioid_values(trial, counts)
    never = counts[:, 0] < 0
    assert np.isnan(values["relapse_4wk_inducted"][never]).all()
    assert (values["inducted"][never] == 0).all()


def test_a_trial_is_told_on_a_page_and_in_a_table_for_models_of_policy():
    found = run_trial(trial_of(INJECTION, BUPRENORPHINE, trial={"n": 40, "weeks": 6}))
    page = trial_html(found)
    for words in (
        "Who leaves when",
        "What cannot be predicted",
        "People at risk",
        "each endpoint has its own rule",
        "The model misses a published result (M16.5): The order of arms",
        "The model misses a published result (M17.14): Too few people stay on injections",
    ):
        assert words in page
    assert "M19.5" not in page  # about detoxified outpatients; these are on a ward
    assert "<script" not in page
    table = policy_table(found)
    assert list(table) == list(DICTIONARY)
    assert len(table) == 12
    for name in ("retention", "relapse", "overdose_ratio"):
        assert (table[f"{name}_low"] <= table[name] + 1e-12).all()
        assert (table[name] <= table[f"{name}_high"] + 1e-12).all()
    last = table[table.week == 6].set_index("arm")
    assert 100 * last.retention["injection"] == pytest.approx(found.endpoint("kept", "injection").estimate)
    assert {e.name for e in found.endpoints} == set(endpoints_of(found.trial))


@pytest.mark.parametrize(
    ("place", "arms", "ids"),
    [
        ("inpatient", [INJECTION], ["M17.14"]),
        ("outpatient", [INJECTION], ["M17.14", "M19.5"]),
        ("inpatient", [INJECTION, BUPRENORPHINE], ["M16.5", "M17.14"]),
        ("inpatient", [BUPRENORPHINE], []),
    ],
)
def test_known_misses_follow_from_the_drugs_and_the_place_of_held_trials(place, arms, ids):
    trial = trial_of(*arms, setting={"place": place})
    said = known_misses(trial, load())
    assert sorted(line.partition(")")[0].removeprefix("The model misses a published result (") for line in said) == ids


def test_every_row_has_a_scenario_and_a_source():
    known = set(load().references)
    for row in opioid_rows():
        assert row.source in known, row.id
        assert row.row.startswith(("outcomes/", "more/"))
        assert row.role in ("calibration", "held")
        assert (row.se is None) == (row.role == "held")
        assert scenario(row.scenario, n=2).disorder == "opioid"


@pytest.mark.slow
def test_rows_of_calibration_beyond_two_standard_errors_are_listed_with_their_size(capsys):
    assert calibration(["--rows"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert len(lines) == 57
    beyond = [line.split() for line in lines if abs(float(line.split()[-2])) > 2]
    assert last.strip() == f"{57 - len(beyond)} of 57 rows within two standard errors"
    listed = DESIGN.read_text(encoding="utf-8").partition("*Fitted*: ")[2].partition("*Held*")[0]
    for _, _, observed, _, model, *_ in beyond:
        assert re.search(rf"{shown(observed)} and {shown(model)}", listed), (observed, model)


def shown(value: str) -> str:
    """Say a percentage with as many decimals as the document may have."""
    x = float(value)
    return "(" + "|".join(re.escape(f"{x:.{d}f}") for d in (2, 1, 0)) + ")"
