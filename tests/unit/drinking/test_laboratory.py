"""Laboratory experiments: fitted effect sizes, the flat response, checks as committed, kinetics, effect sizes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from calibration import alcohol
from schild.catalog import load
from schild.drinking.effect_size import hedges_g
from schild.drinking.experiment import laboratory, sit
from schild.drinking.people import drinkers
from schild.drinking.protocols import PROTOCOLS, protocol
from schild.errors import InputError
from schild.people import Values
from schild.population import Population, Subject, people_of
from schild.validation.laboratory import STUDY, state_laboratory

ROWS = load().studies[STUDY].observations


@pytest.fixture(scope="module")
def kept():
    return {}


@pytest.mark.parametrize("row", ROWS, ids=[o.id for o in ROWS])
def test_every_row_is_as_stated(row, kept):
    found = state_laboratory(row, seed=1, kept=kept)
    assert found.holds, (found.predicted, found.wanted)


def test_the_catalogue_s_numbers_give_the_pooled_effect_sizes():
    numbers = {name: load().alcohol[name].value for _, step in alcohol.STEPS for name in step}
    goal = alcohol.targets()
    for plan, step in alcohol.STEPS:
        if plan == "self_administration":
            continue  # decisions are chances: the slow refit holds it
        regimen = goal[next(iter(step.values()))][2][0].regimen
        found = alcohol.Bench(plan, alcohol.PEOPLE, [regimen], {}).effects(numbers)
        for outcome in step.values():
            assert found[outcome] == pytest.approx(goal[outcome][0], abs=5e-4)


@pytest.mark.slow
def test_alcohol_refits_to_the_catalogue():
    from calibration.files import differs

    assert not [n.name for n in alcohol.fit().numbers if differs(n)]


def test_the_two_rows_of_craving_count_as_one_for_the_error():
    mean, error, rows = alcohol.targets()["craving"]
    assert -0.286 < mean < -0.252
    assert error == max(o.sd_fixed for o in rows)


@pytest.mark.parametrize("plan", ["fixed_dose", "cue", "self_administration"])
def test_the_response_is_flat_from_50_to_100_mg(plan):
    one, two = (laboratory(plan, f"naltrexone {mg} mg po q24h x7", n=2000, common=True).effects for mg in (50, 100))
    for name in set(one) - {"peak_bac", "first"}:
        assert abs(two[name].g - one[name].g) < 0.05
        assert abs(two[name].g / one[name].g - 1.0) < 0.15


def _fall(people, every=1 / 60):
    """Fall from 0.3 to 0.15 g/L after 0.4 g/kg into a vein over half an hour. [g/L/h]"""
    plan = protocol("fixed_dose", grams_per_kg=0.4, infused_over=0.5, hours=8.0, every=every, measures=("peak_bac",))
    level = sit(plan, people, np.zeros(people.n), 1, "kinetics").signal("bac")
    after = plan.grid >= 0.5
    t = plan.grid[after]
    falls = []
    for course in level[:, after]:
        k = np.argmax(course)
        high, low = (float(np.interp(-x, -course[k:], t[k:])) for x in (0.3, 0.15))
        falls.append(0.15 / (low - high))
    return np.array(falls)


def _norberg():
    one = drinkers(Values(load(), people_of(Subject(weight_kg=70.0), load(), 1)))
    size = load().alcohol["vss"].value / one.volume_l[0]
    return one.with_(**{name: one.column(name) * size for name in ("vc", "vt", "cld", "vmax", "clr")})


def test_norberg_s_person_has_his_numbers_and_falls_by_his_equation():
    norberg = _norberg()
    assert norberg.column("vmax")[0] == pytest.approx(95 * 60 / 1000)
    assert norberg.column("cld")[0] == pytest.approx(809 * 60 / 1000)
    # One compartment: time from 0.3 to 0.15 g/L is (0.15 + Km log 2) V / Vmax; the kidney takes about 1 % more.
    closed = 0.15 / (0.15 + 0.027 * np.log(2)) * 5.7 / 35.7
    assert _fall(norberg)[0] == pytest.approx(closed, rel=0.02)


@pytest.mark.xfail(
    strict=True,
    reason="Missed as committed: 0.141 for 0.159 g/L/h, 11 % low. The criterion compared a fall at 0.15 to 0.3 g/L, "
    "where the enzyme works at 89 %, with its full capacity (docs/alcohol.md).",
)
def test_norberg_s_numbers_fall_within_ten_percent_of_full_capacity():
    assert _fall(_norberg())[0] == pytest.approx(0.159, rel=0.10)


def test_elimination_of_a_population_is_in_the_published_range():
    people = drinkers(Values(load(), people_of(Population(n=1000), load(), 1)))
    fall = _fall(people, every=1 / 30)
    assert np.mean((fall > 0.10) & (fall < 0.25)) >= 0.80
    assert 0.12 < np.median(fall) < 0.20


def test_the_two_volumes_are_correlated_as_published():
    people = drinkers(
        Values(load(), people_of(Population(n=20_000, fixed={"weight_kg": 70.0, "sex": "male"}), load(), 1))
    )
    vc, vt = np.log(people.column("vc")), np.log(people.column("vt"))
    assert np.corrcoef(vc, vt)[0, 1] == pytest.approx(load().alcohol["rho.vc.vt"].value, abs=0.02)
    total = (people.column("vc") + people.column("vt")) / people.volume_l * 35.8
    assert total.std() == pytest.approx(4.3, rel=0.1)


def test_hedges_g_agrees_with_its_parts():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.4, 1.0, 30), rng.normal(0.0, 1.0, 25)
    found = hedges_g(a, b, paired=False)
    assert found.p == pytest.approx(stats.ttest_ind(a, b).pvalue)
    t = stats.ttest_ind(a, b).statistic
    d = t * np.sqrt(1 / 30 + 1 / 25)
    assert found.g == pytest.approx(d * (1 - 3 / (4 * 53 - 1)), rel=1e-3)  # the usual approximation of J
    own = hedges_g(a[:25] + 2 * b, 2 * b, paired=True)
    assert own.p == pytest.approx(stats.ttest_rel(a[:25] + 2 * b, 2 * b).pvalue)
    assert own.low < own.g < own.high


def test_intervals_of_a_crossover_cover():
    rng = np.random.default_rng(2)
    n, r, true = 20, 0.6, 0.5
    inside = 0
    for _ in range(400):
        common = rng.normal(size=n) * np.sqrt(r)
        a, b = (common + rng.normal(size=n) * np.sqrt(1 - r) for _ in range(2))
        found = hedges_g(a + true, b, paired=True)
        inside += found.low <= true <= found.high
    assert 0.91 <= inside / 400 <= 0.98


def test_statsmodels_says_the_same():
    meta = pytest.importorskip("statsmodels.stats.meta_analysis")
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.3, 1.2, 22), rng.normal(0.0, 0.9, 31)
    g, variance = meta.effectsize_smd(a.mean(), a.std(ddof=1), a.size, b.mean(), b.std(ddof=1), b.size)
    found = hedges_g(a, b, paired=False)
    assert found.g == pytest.approx(float(g), rel=2e-3)
    assert (found.high - found.low) / 3.92 == pytest.approx(np.sqrt(float(variance)), rel=0.03)


def test_a_parallel_study_has_other_people_and_a_wider_interval():
    crossover = laboratory("fixed_dose", n=60, seed=4)
    parallel = laboratory("fixed_dose", n=60, seed=4, design="parallel")
    assert parallel.effects["stimulation"].n == 120

    def width(found):
        return found.effects["stimulation"].high - found.effects["stimulation"].low

    assert width(parallel) > width(crossover)
    assert np.array_equal(
        parallel.values["stimulation"][0], laboratory("fixed_dose", n=120, seed=4).values["stimulation"][0][:60]
    )


def test_a_moderator_is_off_by_default_and_raises_the_effect_when_on():
    off = laboratory("fixed_dose", n=300, common=True)
    on = laboratory("fixed_dose", n=300, common=True, moderators={"family_history": True})
    assert on.effects["stimulation"].g < off.effects["stimulation"].g
    assert off.effects["sedation"].g == pytest.approx(on.effects["sedation"].g)


def test_what_cannot_be_run_is_refused_in_words():
    for wrong, words in (
        ({"plan": "pub"}, "pub"),
        ({"plan": "bar", "design": "both"}, "crossover"),
        ({"plan": "bar", "antagonist": "morphine 10 mg im"}, "expected an antagonist"),
        ({"plan": "fixed_dose", "grams_per_kg": 3.0}, "expected 0 to 1.5"),
        ({"plan": "fixed_dose", "moderators": {"zodiac": True}}, "zodiac"),
        ({"plan": "fixed_dose", "overrides": {"alcohol.nothing": 1.0}}, "nothing"),
        ({"plan": "fixed_dose", "food": "thirsty"}, "fasted"),
        ({"plan": "fixed_dose", "strength": 2.0}, "strength"),
    ):
        with pytest.raises(InputError, match=words):
            laboratory(n=4, **wrong)


def test_an_experiment_can_be_shown_and_cited():
    found = laboratory("self_administration", n=30, draws=3)
    assert set(found.to_frame()["outcome"]) == set(PROTOCOLS["self_administration"].measures)
    assert set(found.bands) == set(found.effects)
    assert "Norberg2000" in found.cite()
    assert '"laboratory"' in found.to_json()
    assert len(found.plot().axes) == 6
