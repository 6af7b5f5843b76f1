"""Laws of trials: what must hold whatever the numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schild
from days_reference import follow_one
from schild.catalog import load
from schild.engine.days import run_days
from schild.engine.streams import normals, uniforms, uniforms_of
from schild.trial import Trial, occupancy
from schild.trial.endpoints import compare, values
from schild.trial.follow import COUNTS, follow
from schild.trial.numbers import trial_numbers
from schild.trial.occupancy import evening_occupancy
from schild.trial.parts import run_parts
from schild.trial.people import draw_days, kinetic_people

TABLET = {"name": "naltrexone", "drug": "naltrexone", "amount": "50 mg"}
PLACEBO = {"name": "placebo", "placebo": True}
#: What the arms of a trial must share to the bit where no drug is on board.
DRANK = [COUNTS.index(c) for c in ("seen", "drinking", "heavy", "drinks", "first_heavy", "last_drinks", "all_heavy")]

log_odds = st.floats(-6, 6)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    habit=st.tuples(log_odds, log_odds, log_odds, st.floats(0, 3), st.floats(0, 0.99), st.integers(5, 60),
                    st.floats(0, 1), st.floats(0, 3)),
)  # fmt: skip
def test_the_compiled_chain_is_the_plain_one(seed, habit):
    rng = np.random.default_rng(seed)
    n, days = 5, 40
    uniform = tuple(rng.random((n, days)) for _ in range(3))
    a = {
        "drinking": rng.normal(0, 2, n), "heavy": rng.normal(0, 2, n), "shift_drinking": rng.normal(0, 1, (n, days)),
        "shift_heavy": rng.normal(0, 1, (n, days)), "lost": rng.random((n, days)), "limit": rng.integers(4, 6, n) * 1.0,
        "tail": rng.uniform(1, 9, n), "craving": rng.normal(size=n),
    }  # fmt: skip
    before, normal = rng.integers(0, 3, n).astype(np.int8), rng.normal(size=(n, days))
    found = run_days(**a, habit=np.array(habit, dtype=float), uniform=uniform, normal=normal, before=before)
    for j in range(n):
        states, drinks, craving, value = follow_one(
            **{k: v[j] for k, v in a.items()}, habit=habit, uniform=tuple(u[j] for u in uniform), normal=normal[j],
            before=int(before[j]),
        )  # fmt: skip
        assert found.state[j].tolist() == states
        assert found.drinks[j].tolist() == drinks
        assert found.craving[j] == pytest.approx(craving, abs=1e-9)
        assert found.value[j] == pytest.approx(value, abs=1e-9)
    limit = a["limit"][:, None]
    assert ((found.drinks == 0) == (found.state == 0)).all()
    assert (found.drinks[found.state == 1] < np.broadcast_to(limit, found.state.shape)[found.state == 1]).all()
    heavy = found.state == 2
    assert (found.drinks[heavy] >= np.minimum(np.broadcast_to(limit, heavy.shape), habit[5])[heavy]).all()


@pytest.fixture(scope="module")
def whole():
    trial = Trial.of(
        TABLET, PLACEBO, n=90, weeks=6, replicates=2, uncertainty=True, between_trials=True, people="shared"
    )
    return trial, run_parts(trial)


@settings(max_examples=8, deadline=None)
@given(start=st.integers(0, 88), length=st.integers(1, 40), replicate=st.integers(0, 1))
def test_a_person_does_not_depend_on_the_part(whole, start, length, replicate):
    trial, part = whole
    first = 90 * replicate + start
    last = min(first + length, 90 * (replicate + 1))
    some = follow(trial, first, last)
    assert (some.counts == part.counts[first:last]).all()
    assert (some.people == part.people[first:last]).all()


def test_parts_and_workers_change_nothing(whole, tmp_path):
    trial, part = whole
    for again in (run_parts(trial, people=17), run_parts(trial, people=50, workers=2, out=tmp_path)):
        assert (again.counts == part.counts).all()
        assert (again.people == part.people).all()
        assert np.allclose(again.weekly, part.weekly, rtol=1e-12)


def test_the_order_and_company_of_arms_change_nothing(whole):
    trial, part = whole
    half = {**TABLET, "name": "half", "amount": "25 mg"}
    data = trial.said()
    other = Trial.parse({**data, "arm": [half, data["arm"][1], data["arm"][0]]})
    counts = run_parts(other).counts
    assert (counts[:, 1] == part.counts[:, 1]).all()
    assert (counts[:, 2] == part.counts[:, 0]).all()


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**40), estimand=st.sampled_from(["treatment_policy", "while_on_treatment"]))
def test_without_drug_the_arms_are_equal_to_the_bit(seed, estimand):
    never = {**TABLET, "adherence": 0.0}
    trial = Trial.of(
        never, PLACEBO, n=20, weeks=4, seed=seed, estimand=estimand, learning={"on": True}, people="shared"
    )
    counts = follow(trial, 0, 20).counts[:, :, DRANK]
    assert (counts[:, 0] == counts[:, 1]).all()


def test_a_drug_without_effect_leaves_the_arms_equal():
    names = ("drink.reward", "drink.aversion", "heavy.reward", "heavy.aversion")
    trial = Trial.of(TABLET, PLACEBO, n=60, weeks=4, people="shared")
    counts = follow(trial, 0, 60, overrides={f"alcohol.day.{k}": 0.0 for k in names}).counts[:, :, DRANK]
    assert (counts[:, 0] == counts[:, 1]).all()


def test_learning_off_is_learning_at_rate_zero_and_with_it_people_drink_less():
    def heavy(**learning):
        trial = Trial.of(TABLET, PLACEBO, n=300, weeks=12, learning=learning, people="shared")
        return follow(trial, 0, 300).counts[:, :, COUNTS.index("all_heavy")].mean(axis=0)

    off, zero, on = heavy(), heavy(on=True, rate=0.0), heavy(on=True)
    assert (off == zero).all()
    assert on[1] == off[1]  # nothing is unlearned without a drug
    assert on[0] < off[0]


def test_perfect_adherence_is_the_plain_regimen():
    # Populations are stored as 32-bit numbers; the tolerance is the one of the design.
    trial = Trial.of({**TABLET, "adherence": 1.0, "stop": 0.0}, n=6, weeks=4, seed=11)
    catalogue = load()
    numbers = trial_numbers(trial, catalogue)
    found = evening_occupancy(
        trial.arm[0], np.ones((6, 28), dtype=bool), kinetic_people(trial, numbers, 0, 6, 0), numbers
    )
    plain = schild.simulate(
        "naltrexone 50 mg po q24h x28 from 9 h", until="28 d", every="1 h", seed=11, receptors=["mor"],
        population={"n": 6, "occasions": False},
    )  # fmt: skip
    names = ("mor_occupancy_naltrexone", "mor_occupancy_beta_naltrexol")
    both = sum(np.stack([plain[name].at(24.0 * d + 19.0) for d in range(28)], axis=1) for name in names)
    assert np.abs(found - both).max() < 1e-4


def test_an_antagonist_that_stays_out_of_the_brain_is_like_placebo():
    outside = {"name": "outside", "drug": "methylnaltrexone", "amount": "12 mg", "route": "sc"}
    counts = follow(Trial.of(outside, PLACEBO, n=20, weeks=4, people="shared"), 0, 20).counts
    drinks = COUNTS.index("all_heavy")
    assert (counts[:, 0, drinks] == counts[:, 1, drinks]).all()
    assert counts[:, 1, drinks].sum() > 0


def test_missed_tablets_are_those_of_a_regimen_that_skips_them():
    trial = Trial.of(TABLET, n=3, weeks=4, seed=5)
    catalogue = load()
    taken = np.ones((3, 28), dtype=bool)
    taken[:, [4, 5, 6, 19]] = False
    numbers = trial_numbers(trial, catalogue)
    found = evening_occupancy(trial.arm[0], taken, kinetic_people(trial, numbers, 0, 3, 0), numbers)
    plain = schild.simulate(
        "naltrexone 50 mg po q24h x28 from 9 h skip 5-7,20", until="28 d", every="1 h", seed=5, receptors=["mor"],
        population={"n": 3, "occasions": False},
    )  # fmt: skip
    names = ("mor_occupancy_naltrexone", "mor_occupancy_beta_naltrexol")
    both = sum(np.stack([plain[name].at(24.0 * d + 19.0) for d in range(28)], axis=1) for name in names)
    assert np.abs(found - both).max() < 1e-4


@pytest.mark.parametrize(
    ("drug", "given"),
    [
        ("naltrexone", {"amount": "50 mg", "dosing": "as_needed"}),
        ("samidorphan", {"amount": "10 mg", "dosing": "as_needed"}),
        ("naltrexone", {"amount": "380 mg", "route": "im_depot", "dosing": "schedule", "every": "28 d"}),
    ],
)
def test_an_evening_is_as_exact_as_its_rule_asks(drug, given, monkeypatch):
    # docs/design/trial.md, Accuracy of the evenings: then no percentage of a trial moves by more than 0.01 points.
    trial = Trial.of({"name": drug, "drug": drug, **given}, n=40, weeks=4, seed=3, uncertainty=True)
    numbers = trial_numbers(trial, load())
    taken = uniforms_of(3, [f"taken:{d}" for d in range(28)], 0, 40) < 0.6
    if given["dosing"] == "schedule":
        taken[:, 1:] = False

    def evenings():
        return evening_occupancy(trial.arm[0], taken, kinetic_people(trial, numbers, 0, 40, 0), numbers)

    found = evenings()
    monkeypatch.setattr(occupancy, "_RTOL", 1e-9)
    monkeypatch.setattr(occupancy, "_DEPOT_STEP_H", 0.25)
    assert 0.0 < np.abs(found - evenings()).max() < 4.8e-4


def test_own_people_are_those_of_a_place_further_on():
    # Arm k of a trial with own people holds the people that a shared trial has k trials later: all of them, not only
    # their days, for levels of risk are counted from their own drinking before.
    own = follow(Trial.of(TABLET, PLACEBO, n=20, weeks=4), 0, 20)
    later = follow(Trial.of(TABLET, PLACEBO, n=20, weeks=4, replicates=2, people="shared"), 20, 40)
    assert (own.counts[:, 1] == later.counts[:, 1]).all()
    assert (own.people[:, 1, :5] == later.people[:, 1, :5]).all()
    assert (own.people[:, 0, 3] != own.people[:, 1, 3]).any()


def test_null_trials_reject_as_often_as_they_say():
    trial = Trial.of({**PLACEBO, "name": "a"}, {**PLACEBO, "name": "b"}, n=60, weeks=4, replicates=200, seed=3)
    part = run_parts(trial)
    numbers = trial_numbers(trial, load())
    names = ("percent_heavy_drinking_days", "return_to_heavy_drinking", "last4_who2")
    rejected = dict.fromkeys(names, 0)
    for r in range(200):
        some = slice(60 * r, 60 * (r + 1))
        a, b = (values(trial, part.counts[some, k], part.people[some, k], numbers) for k in range(2))
        for name in names:
            p = compare(name, "a", "b", a[name], b[name], paired=False)[0].p
            rejected[name] += p < 0.05
    # Central 99.9 % of a binomial of 200 with 5 %: 2 to 20.
    assert all(4 <= k <= 20 for k in rejected.values()), rejected


def test_twice_the_tablet_does_the_same():
    double = {**TABLET, "name": "double", "amount": "100 mg"}
    trial = Trial.of(TABLET, double, PLACEBO, n=2500, weeks=12, people="shared")
    part = run_parts(trial)
    numbers = trial_numbers(trial, load())
    mean = [
        np.nanmean(values(trial, part.counts[:, k], part.people[:, k], numbers)["percent_heavy_drinking_days"])
        for k in range(3)
    ]
    effect, more = mean[0] - mean[2], mean[1] - mean[0]
    assert effect < -1.0
    assert abs(more) < 1.0
    assert abs(more) < 0.15 * abs(effect)


@pytest.mark.parametrize("normal", [False, True])
@pytest.mark.parametrize(("first", "n"), [(0, 1), (990, 20), (1995, 250), (2500, 251)])
def test_draws_of_days_do_not_depend_on_blocks(first, n, normal):
    found = draw_days(7, "x", first, n, 5, normal=normal)
    draw = normals if normal else uniforms
    expected = np.stack([draw(7, f"x:{day}", first, first + n) for day in range(5)], axis=1)
    np.testing.assert_array_equal(found, expected)
    found[:] = 0.0  # what is kept must not change with what was given
    np.testing.assert_array_equal(draw_days(7, "x", first, n, 5, normal=normal), expected)
