"""Trials: files, endpoints against direct computations, doses, parts that resume, pages."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from tokenize import TokenError

import numpy as np
import pandas as pd
import pytest

from schild.catalog import load
from schild.errors import InputError
from schild.report.trial import _points, trial_html
from schild.trial import Arm, Trial, endpoints, run_trial
from schild.trial.endpoints import ALCOHOL_ENDPOINTS, compare, describe, risk_level, survival, times_of, values
from schild.trial.follow import COUNTS, LAST, counted, course, draws_of, follow
from schild.trial.numbers import trial_numbers
from schild.trial.parts import ranges, run_parts
from schild.trial.people import BASELINE_DAYS, enrol, kinetic_people
from schild.validation.trials import STUDY, state_trial

TABLET = {"name": "naltrexone", "drug": "naltrexone", "amount": "50 mg"}
LEAVING = {"trial.leave.weekly": 0.15}


def small(**head: object) -> Trial:
    return Trial.of(TABLET, **{"n": 60, "weeks": 5, **head})


@pytest.fixture(scope="module")
def days():
    """A trial in which many leave, day by day, and its people."""
    trial = small(n=150)
    catalogue = load()
    numbers = trial_numbers(trial, catalogue, overrides=LEAVING)
    who = enrol(trial, numbers, kinetic_people(trial, numbers, 0, 150, 0), 0)
    draws = draws_of(trial, 0, 150)
    done = course(trial, trial.arm[0], who, numbers, draws)
    return trial, numbers, who, done


@pytest.mark.parametrize("missing", ["nonresponder", "heavy", "observed"])
@pytest.mark.parametrize("estimand", ["treatment_policy", "while_on_treatment"])
def test_endpoints_are_those_of_a_table_of_days(days, missing, estimand):
    trial, numbers, who, done = days
    trial = Trial.parse(
        {**trial.said(), "trial": {**trial.trial.model_dump(), "missing": missing, "estimand": estimand}}
    )
    people = np.column_stack([who.female, who.baseline, who.gain, np.zeros(who.n)])
    found = values(trial, counted(trial, trial.arm[0], done), people, numbers)

    end = done.taking.leave if estimand == "treatment_policy" else done.taking.stop
    person, day = np.indices(done.days.state.shape)
    table = pd.DataFrame(
        {
            "person": person.ravel(), "day": day.ravel(),
            "state": done.days.state.ravel().astype(float), "drinks": done.days.drinks.ravel().astype(float),
        }
    )  # fmt: skip
    gone = table["day"] >= end[table["person"]]
    assert gone.any()
    limit = np.where(who.female, 4, 5)
    usual = np.maximum(who.baseline[:, 2] / np.maximum(who.baseline[:, 0], 1), limit)
    if missing == "heavy":
        table.loc[gone, "state"] = 2
        table.loc[gone, "drinks"] = usual[table["person"][gone]]
    else:
        table.loc[gone, ["state", "drinks"]] = np.nan
    table["drank"], table["heavy"] = (
        (table["state"] > 0).where(table["state"].notna()),
        (table["state"] == 2).where(table["state"].notna()),
    )
    by = table.groupby("person")
    last = table[table["day"] >= trial.days - LAST].groupby("person")
    mean = by["drank"].apply(lambda x: x.astype(float).mean()).to_numpy()
    assert np.allclose(found["percent_drinking_days"], 100 * mean, equal_nan=True)
    heavy = by["heavy"].apply(lambda x: x.astype(float).mean()).to_numpy()
    assert np.allclose(found["percent_heavy_drinking_days"], 100 * heavy, equal_nan=True)
    per_day = by.apply(lambda g: g["drinks"].sum() / (g["drank"] == 1).sum() if (g["drank"] == 1).any() else np.nan)
    assert np.allclose(found["drinks_per_drinking_day"], per_day.to_numpy(), equal_nan=True)
    lost = by["state"].apply(lambda x: x.isna().any()).to_numpy()
    any_heavy = by["heavy"].apply(lambda x: (x == 1).any()).to_numpy()
    any_drink = by["drank"].apply(lambda x: (x == 1).any()).to_numpy()
    fails = lost if missing == "nonresponder" else np.zeros(who.n, dtype=bool)
    empty = by["state"].apply(lambda x: x.isna().all()).to_numpy()
    blank = np.where(empty & (missing == "observed"), np.nan, 1.0)
    assert np.allclose(found["return_to_heavy_drinking"], 100 * (any_heavy | fails) * blank, equal_nan=True)
    assert np.allclose(found["abstinence"], 100 * (~any_drink & ~fails) * blank, equal_nan=True)
    late = last["state"].apply(lambda x: x.isna().any()).to_numpy() & (missing == "nonresponder")
    late_blank = np.where(last["state"].apply(lambda x: x.isna().all()).to_numpy() & (missing == "observed"), np.nan, 1)
    calm = ~last["heavy"].apply(lambda x: (x == 1).any()).to_numpy()
    assert np.allclose(found["last4_no_heavy"], 100 * (calm & ~late) * late_blank, equal_nan=True)
    grams = (14 * last["drinks"].sum() / last["drinks"].count()).fillna(0).to_numpy()
    before = 14 * who.baseline[:, 2] / BASELINE_DAYS
    fall = risk_level(before, who.female, numbers) - risk_level(grams, who.female, numbers)
    assert np.allclose(found["last4_who2"], 100 * ((fall >= 2) & ~late) * late_blank, equal_nan=True)
    assert np.allclose(found["last4_who1"], 100 * ((fall >= 1) & ~late) * late_blank, equal_nan=True)


def test_kaplan_meier_is_the_product_of_what_is_left(days):
    trial, _, _, done = days
    counts = counted(trial, trial.arm[0], done)
    time, came = times_of(trial, counts)
    left = 1.0
    expected = []
    for t in np.unique(time):
        left *= 1 - ((time == t) & (came == 1)).sum() / (time >= t).sum()
        expected.append((t, left))
    found = survival(trial, counts)
    events = [(t, s) for t, s in expected if ((time == t) & (came == 1)).any()]
    at = dict(zip(found.time_day, found.share, strict=True))
    assert all(at[t] == pytest.approx(s) for t, s in events)


def test_levels_of_risk_by_sex():
    numbers = trial_numbers(small(), load())
    grams = np.array([0.0, 20.0, 20.1, 40.1, 60.1, 100.1])
    assert risk_level(grams, np.ones(6, dtype=bool), numbers).tolist() == [0, 1, 2, 3, 4, 4]
    assert risk_level(grams, np.zeros(6, dtype=bool), numbers).tolist() == [0, 1, 1, 2, 3, 4]


def test_a_mean_percentage_has_the_interval_of_fractional_regression():
    import statsmodels.api as sm

    x = 100.0 * np.random.default_rng(3).beta(0.3, 2.0, 60)
    found = describe("percent_heavy_drinking_days", "a", x)
    fit = sm.GLM(x / 100.0, np.ones((60, 1)), family=sm.families.Binomial()).fit(cov_type="HC0", use_t=True)
    # HC1 is HC0 times n / (n - 1); for a GLM statsmodels leaves that out.
    half = np.diff(fit.conf_int()[0])[0] / 2 * np.sqrt(60 / 59)
    wanted = 100.0 / (1.0 + np.exp(-fit.params[0] - np.array([-half, half])))
    assert [found.low, found.high] == pytest.approx(wanted, rel=1e-6)
    assert found.high - found.estimate > found.estimate - found.low > 0.0
    # Whatever it is about, a mean of nearly 100 stays below 100, and one of drinks keeps the t interval.
    assert describe("doses_taken", "a", np.array([100.0, 100.0, 99.0])).high < 100.0
    drinks = describe("drinks_per_drinking_day", "a", x)
    assert drinks.high - drinks.estimate == pytest.approx(drinks.estimate - drinks.low)


def test_number_needed_by_hand():
    x, y = np.repeat([0.0, 100.0], [60, 40]), np.repeat([0.0, 100.0], [40, 60])
    by = {c.measure: c for c in compare("return_to_heavy_drinking", "a", "b", x, y, paired=False)}
    assert by["difference"].estimate == pytest.approx(-20)
    assert by["risk_ratio"].estimate == pytest.approx(40 / 60)
    assert by["number_needed"].estimate == pytest.approx(5)
    assert 100 / by["number_needed"].low == pytest.approx(-by["difference"].low)
    same = {c.measure: c for c in compare("abstinence", "a", "b", x, x, paired=True)}
    assert same["number_needed"].estimate is None
    assert same["difference"].mc_se == 0.0


@pytest.mark.parametrize(("x", "y"), [(0, 0), (0, 100), (100, 0), (100, 100)])
@pytest.mark.parametrize("name", ["abstinence", "return_to_heavy_drinking", "percent_drinking_days"])
def test_arms_in_which_all_or_nobody_has_it(name, x, y):
    for c in compare(name, "a", "b", np.full(9, float(x)), np.full(9, float(y)), paired=True):
        assert all(v is None or np.isfinite(v) for v in (c.estimate, c.low, c.high, c.p, c.mc_se))
        assert c.measure != "difference" or c.estimate == x - y


def test_tablets_are_taken_as_often_as_asked():
    for share in (0.5, 0.9):
        trial = Trial.of({**TABLET, "adherence": share, "stop": 0.0}, n=400, weeks=8)
        part = follow(trial, 0, 400, overrides={"trial.leave.weekly": 0.0, "trial.adherence.between": 0.0})
        taken = part.counts[:, 0, COUNTS.index("taken")] / trial.days
        assert taken.mean() == pytest.approx(share, abs=0.02)


def test_injections_end_with_the_first_that_is_missed():
    arm = {
        "name": "depot",
        "drug": "naltrexone",
        "amount": "380 mg",
        "route": "im_depot",
        "dosing": "schedule",
        "every": "28 d",
    }
    trial = Trial.of({**arm, "adherence": 0.6}, n=300, weeks=12)
    part = follow(trial, 0, 300, overrides={"trial.leave.weekly": 0.0})
    taken = part.counts[:, 0, COUNTS.index("taken")]
    assert set(taken) == {1, 2, 3}
    assert (taken >= 2).mean() == pytest.approx(0.6, abs=0.09)
    stop = part.counts[:, 0, COUNTS.index("stop")]
    assert np.array_equal(stop, np.where(taken == 3, trial.days, 28 * taken))


def test_as_needed_tablets_are_on_days_that_would_have_been_drinking_days():
    arm = {**TABLET, "dosing": "as_needed", "adherence": 1.0, "stop": 0.0}
    trial = Trial.of(arm, n=80, weeks=4, people="shared")
    part = follow(trial, 0, 80, overrides={"trial.leave.weekly": 0.0})
    taken = part.counts[:, 0, COUNTS.index("taken")]
    assert np.array_equal(taken, part.counts[:, 1, COUNTS.index("drinking")])
    assert 0 < taken.mean() < trial.days


def test_eligible_people_only():
    trial = small(eligibility={"heavy_days": 20, "drinks_per_week": 60})
    part = follow(trial, 0, 60)
    assert part.people[..., 2].min() >= 20
    assert part.people[..., 3].min() >= 240
    with pytest.raises(InputError, match="none was eligible"):
        follow(
            small(eligibility={"heavy_days": 28, "drinks_per_week": 150}), 0, 60, overrides={"trial.day.heavy": -9.0}
        )


def test_parts_are_found_again_and_broken_ones_made_again(tmp_path, monkeypatch):
    trial = small()
    whole = run_parts(trial, out=tmp_path, people=25)
    files = sorted((tmp_path / "parts").iterdir())
    assert len(files) == 3
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:50])
    made = []

    import schild.trial.parts as parts

    real = parts.follow
    monkeypatch.setattr(parts, "follow", lambda t, a, b, **k: made.append((a, b)) or real(t, a, b, **k))
    again = run_parts(trial, out=tmp_path, people=25)
    assert sorted(made) == sorted([tuple(int(x) for x in f.stem.split("-")[1:]) for f in files[:2]])
    assert (again.counts == whole.counts).all()
    assert (again.weekly == whole.weekly).all()
    other = run_parts(small(seed=2), out=tmp_path, people=25)
    assert (other.counts != whole.counts).any()


@pytest.mark.parametrize("error", [zlib.error, RuntimeError, NotImplementedError, TokenError, UnicodeError])
def test_a_part_that_raises_anything_is_made_again_and_said(tmp_path, monkeypatch, error):
    trial = small(n=2, weeks=4)
    whole = run_trial(trial, out=tmp_path)

    def damaged(*_, **__):
        raise error("flipped")

    monkeypatch.setattr("schild.trial.partfile._head", damaged)
    again = run_trial(trial, out=tmp_path)
    (part,) = (tmp_path / "parts").iterdir()
    assert f"{part.name} cannot be read ({error.__name__}); the part was computed again." in again.warnings
    assert (again.part.counts == whole.part.counts).all()


def test_one_flipped_bit_of_a_part_never_stops_a_trial(tmp_path):
    trial = small(n=2, weeks=4)
    whole = run_parts(trial, out=tmp_path)
    (part,) = (tmp_path / "parts").iterdir()
    good = part.read_bytes()
    for place in np.random.default_rng(1).integers(0, 8 * len(good), 40):
        bad = bytearray(good)
        bad[place // 8] ^= 1 << (place % 8)
        part.write_bytes(bad)
        found = run_parts(trial, out=tmp_path)
        assert (found.counts == whole.counts).all()
        assert (found.people == whole.people).all()


@pytest.mark.parametrize("disorder", ["alcohol", "opioid"])
def test_people_counted_a_few_at_a_time_have_the_same_endpoints(monkeypatch, disorder):
    trial = small(n=30, weeks=4, disorder=disorder)
    part = follow(trial, 0, 30)
    told = [values(trial, part.counts[:, 0], part.people[:, 0], trial_numbers(trial, load()))]
    monkeypatch.setattr(endpoints, "_BLOCK", 7)
    told.append(values(trial, part.counts[:, 0], part.people[:, 0], trial_numbers(trial, load())))
    assert list(told[0]) == list(told[1])
    for name, x in told[0].items():
        np.testing.assert_array_equal(x, told[1][name])


def test_a_part_of_another_trial_is_not_taken_up_under_a_new_name(tmp_path):
    mine, other = small(n=2, weeks=4), small(n=2, weeks=4, seed=7)
    whole = run_parts(mine, out=tmp_path)
    (own,) = (tmp_path / "parts").iterdir()
    run_parts(other, out=tmp_path)
    (foreign,) = set((tmp_path / "parts").iterdir()) - {own}
    foreign.replace(own)
    said = []
    assert (run_parts(mine, out=tmp_path, say=said.append).people == whole.people).all()
    assert said == [f"{own.name} holds the part {foreign.stem!r}; the part was computed again."]


def test_too_many_people_are_refused_before_anything_is_computed(monkeypatch):
    monkeypatch.setattr("schild.trial.parts.follow", lambda *_, **__: pytest.fail("it began"))
    with pytest.raises(InputError, match=r"10,000,000 people in each of 2 arms .* need 6\.5 GB of memory; .* 3 GB"):
        run_trial(small(n=10_000_000))


def test_a_single_trial_of_validation_is_the_first_people_of_the_largest_of_its_regimen():
    rows = {o.id: o for o in load().studies[STUDY].observations}
    assert [rows[key].n // 2 for key in ("omalley1992_abstinence", "anton1999_relapse")] == [24, 65]
    one = state_trial(rows["omalley1992_abstinence"], trials=2)
    head = {"n": 65, "replicates": 2, "people": "own", "uncertainty": True, "between_trials": True}
    trial = Trial.of(TABLET, weeks=12, **head)
    counts = run_parts(trial).counts.reshape(2, 65, 2, len(COUNTS))
    drinking, missing = counts[..., COUNTS.index("drinking")], trial.days - counts[..., COUNTS.index("seen")]
    abstinent = 100.0 * ((drinking == 0) & (missing == 0))[:, :24].mean(axis=1)
    difference = np.sort(np.diff(abstinent[:, ::-1], axis=1)[:, 0])
    wanted = np.quantile(difference, [0.025, 0.5, 0.975])
    np.testing.assert_allclose([one.low, one.predicted, one.high], wanted, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"disorder": None}, r'disorder is missing; expected disorder = "opioid" or "alcohol"'),
        ({"disorder": "opioids"}, "disorder is 'opioids'; expected"),
        ({"disorder": "opioid", "eligibility": {"heavy_days": 4}}, r"\[eligibility\] belongs to .* \"alcohol\" only"),
        ({"disorder": "opioid", "learning": {"on": True}}, r"\[learning\] .* they are about drinking"),
        ({"disorder": "opioid", "arm": [{**TABLET, "dosing": "as_needed"}]}, "as needed, which alcohol trials alone"),
        ({"setting": {"place": "inpatient"}}, r'\[setting\] belongs to disorder = "opioid" only'),
        ({"arm": [{**TABLET, "induction": {"wait": 7}}]}, "induction belongs to .* they are about opioid use"),
        ({"arm": [{"name": "a", "usual_care": True}]}, "usual_care belongs to"),
        ({"arm": [{**TABLET, "observed": True}]}, "observed belongs to"),
    ],
)
def test_a_file_that_fits_the_other_disorder_is_refused_with_the_reason(change, says):
    """An opioid trial once ran as one of alcohol without a word."""
    whole = {"disorder": "alcohol", "arm": [TABLET, {"name": "placebo", "placebo": True}]}
    assert Trial.parse(whole).disorder == "alcohol"
    with pytest.raises(InputError, match=says):
        Trial.parse({**whole, **change})
    with pytest.raises(InputError, match="disorder is missing"):
        Trial.parse({"arm": whole["arm"]})


def test_an_agonist_is_refused_in_a_trial_of_alcohol():
    with pytest.raises(InputError, match=r"not an antagonist; .* alcohol use disorder"):
        run_trial(small(n=2).model_copy(update={"arm": [Arm(name="a", drug="methadone", amount="60 mg")]}))


def test_comparisons_are_told_in_a_row_for_each_endpoint():
    own = run_trial(small(n=80, replicates=2))
    names = ("percent_heavy_drinking_days", "return_to_heavy_drinking", "time_to_first_heavy_day")
    rows = own.comparison_cells(names)
    assert [row[0] for row in rows] == [
        "percent heavy drinking days",
        "return to heavy drinking",
        "time to first heavy day",
    ]
    days, share, time = rows
    difference = own.contrast(names[0], "naltrexone")
    assert days[2] == f"{difference.estimate:.1f} ({difference.low:.1f} to {difference.high:.1f}) points"
    assert days[3:5] == ("", "")
    assert days[5] == f"{100 * difference.power:.0f} %"
    ratio = own.contrast(names[1], "naltrexone", "risk_ratio")
    assert share[3] == f"{ratio.estimate:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
    assert time[2] == ""
    assert time[3]
    paired = run_trial(small(n=80, people="shared"))
    effect = paired.contrast(names[0], "naltrexone")
    assert paired.comparison_cells(names[:1])[0][2:] == (
        f"{effect.estimate:.1f} (error {effect.mc_se:.2f}) points", "", "", "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [(-4.4, -1.1, "95 %: 1.1 to 4.4"), (1.1, 4.4, "95 %: 1.1 to 4.4"), (-4.4, 1.1, "95 %: 4.4 fewer to 1.1 more"),
     (None, None, "no interval")],
)  # fmt: skip
def test_limits_of_a_difference_are_told_in_the_direction_of_the_sentence(low, high, says):
    c = run_trial(small(n=20)).contrast("percent_heavy_drinking_days", "naltrexone")
    assert _points(replace(c, low=low, high=high)) == says


@pytest.mark.parametrize("scenario", [{"drinking": -20}, {"heavy": -20}, {"drinking": 20, "heavy": 20}])
def test_what_is_not_estimable_is_said(scenario):
    found = run_trial(small(n=20, weeks=4, response=scenario))
    assert len(found.plot().axes[0].lines) == 2
    told = " ".join(found.warnings)
    for e in found.endpoints:
        if e.n == 0:
            assert f"{e.name} is not estimable in" in told
        else:
            assert np.isfinite([e.estimate, e.low, e.high, e.mc_se]).all()
    for c in found.contrasts:
        assert all(v is None or np.isfinite(v) for v in (c.estimate, c.low, c.high, c.p, c.mc_se)), c
    compared = {c.name for c in found.contrasts}
    assert all(name in compared or f"{name} is not estimable" in told for name in ALCOHOL_ENDPOINTS)
    assert "time_to_first_heavy_day" in compared or "hazard ratio of the first heavy day is not estimable" in told


def test_ranges_cover_everyone_once():
    for n, replicates, people in ((7, 3, 2), (100, 5, 250), (10, 1, 1000)):
        flat = [r for part in ranges(small(n=n, replicates=replicates), people) for r in part]
        assert [a for a, _ in flat] == [0, *(b for _, b in flat[:-1])]
        assert flat[-1][1] == n * replicates
        assert all((a // n) == (b - 1) // n for a, b in flat)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"arm": []}, "arm"),
        ({"arm": [{"name": "a", "placebo": True, "drug": "naltrexone"}]}, "drop one"),
        ({"arm": [{"name": "a"}]}, "needs drug and amount"),
        ({"arm": [{**TABLET, "every": "28 d"}]}, "schedule"),
        ({"arm": [{**TABLET, "dosing": "schedule", "every": "36 h"}]}, "whole number of days"),
        ({"arm": [{**TABLET, "route": "im_depot"}]}, "gives im_depot daily; a depot needs dosing"),
        ({"arm": [TABLET, TABLET]}, "different names"),
        ({"trial": {"weeks": 2}}, "weeks"),
        ({"trial": {"size": 2}}, "not a known entry"),
        ({"arm": [{**TABLET, "adherence": 1.5}]}, "adherence"),
    ],
)
def test_what_is_wrong_with_a_trial_is_said(change, says):
    with pytest.raises(InputError, match=says):
        Trial.parse({"disorder": "alcohol", "arm": [TABLET, {"name": "placebo", "placebo": True}], **change})


def test_an_alias_in_an_arm_is_the_drug():
    arms = [{**TABLET, "drug": name} for name in ("naltrexone", "LDN")]
    one, other = (run_trial(Trial.of(arm, n=20, weeks=4)) for arm in arms)
    assert other.to_frame().equals(one.to_frame())
    assert other.warnings == one.warnings


def test_an_opioid_is_refused():
    with pytest.raises(InputError, match="not an antagonist"):
        follow(Trial.of({"name": "a", "drug": "morphine", "amount": "10 mg"}, n=4, weeks=4), 0, 4)


def test_the_result_speaks_json_and_html(tmp_path):
    found = run_trial(small(replicates=3, uncertainty=True, between_trials=True, people="shared"), out=tmp_path)
    data = json.loads(found.to_json())
    assert {"name", "arm", "estimate", "low", "high"} <= set(data["endpoints"][0])
    assert {e["name"] for e in data["endpoints"]} == set(ALCOHOL_ENDPOINTS)
    assert all(c["power"] is None or 0 <= c["power"] <= 1 for c in data["contrasts"])
    page = trial_html(found)
    assert page.count("<figure>") == 4
    assert "<script" not in page
    assert "http://" not in page.split("Sources of the trial")[0]
    assert len(found.to_frame()) == 2 * 180
    assert "Falk2019" in found.cite()


def test_the_same_people_in_both_arms_have_no_interval_p_or_power():
    """Two-group tests on one group that is counted twice gave 100 % power where people of their own give 70 %."""
    both = {how: run_trial(small(people=how, replicates=2)) for how in ("own", "shared")}
    for c in both["shared"].contrasts:
        assert (c.low, c.high, c.p, c.power) == (None, None, None, None), c
    assert all(c.power is not None for c in both["own"].contrasts if c.measure == "difference")
    assert any('people = "own"' in w for w in both["shared"].warnings)
    assert not both["own"].individual
    assert both["shared"].individual
    once = run_trial(small(people="shared"))
    assert all(c.low is None and c.p is None for c in once.contrasts)
    difference = once.contrast("percent_heavy_drinking_days", once.arms[0])
    own = run_trial(small()).contrast("percent_heavy_drinking_days", once.arms[0])
    assert difference.mc_se < own.mc_se
    assert own.low < own.estimate < own.high
    assert "no interval" in trial_html(once)


def test_people_of_their_own_is_what_a_trial_has_by_default():
    assert small().trial.people == "own"


@pytest.mark.parametrize(
    ("days", "came", "median"),
    [
        ([1, 2, 3, 4], [1, 1, 1, 1], 2.0),  # exactly half are left from day 2 on
        ([1, 2, 3], [1, 1, 1], 2.0),
        ([1, 2, 3, 4], [1, 0, 0, 0], None),
        ([5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45], [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1], 23.0),
    ],
)
def test_the_median_of_kaplan_and_meier_is_the_first_day_with_at_most_half(days, came, median, monkeypatch):
    """The last row is the group without maintenance of Miller's leukaemia data, whose published median is 23 weeks."""
    monkeypatch.setattr(endpoints, "times_of", lambda trial, counts: (np.array(days, float), np.array(came)))
    assert endpoints.survival(small(), np.zeros((1, len(COUNTS)), dtype=np.int32)).median == median


def test_the_hash_of_the_people_breaks_on_a_narrow_page():
    found = run_trial(small(n=4, weeks=4))
    page = trial_html(found)
    before = page[: page.index(found.manifest["people_hash"])]
    assert 'class="fixed"' in before[before.rindex("<table") :]
