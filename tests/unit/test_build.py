"""How numbers move before they reach the engine: covariates, variability, occasions, limits, shares, copies."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from schild.catalog import Catalogue, load
from schild.evidence import Spread
from schild.model.build import build
from schild.model.entries import ADD
from schild.people import Values
from schild.population import Population, Subject, people_of
from schild.regimen import expand, parse_regimen
from schild.units import ticks

N = 4000


def built(words, who, seed=3, until="9 d", overrides=None, **options):
    catalogue = load()
    events = expand(parse_regimen(words), ticks(until))
    return build(Values(catalogue, people_of(who, catalogue, seed), overrides), events, **options)


def delivered(model, tick=None):
    """Fraction of the dose (at a time, if there are several) that each species gets, for each person."""
    given = [e for e in model.entries if e.kind == ADD and e.amount > 0 and tick in (None, e.tick)]
    dose = max(e.amount for e in given)
    found = {}
    for entry in given:
        scale = np.asarray(model.scales.get(entry.scale, 1.0))
        (port,) = [i for i in model.spec.inputs if i.name == entry.port]
        for species in port.delivers:
            part = entry.amount / dose * scale * model.parameters[f"{port.name}.fraction.{species}"]
            found[species] = found.get(species, 0.0) + part
    return found


# ---- limits


@pytest.mark.parametrize("liver", ["normal", "severe"])
@pytest.mark.parametrize("occasions", [True, False])
def test_no_one_absorbs_more_than_was_swallowed(liver, occasions):
    who = Population(n=N, fixed={"liver": liver}, occasions=occasions, draws=0)
    model = built("naltrexone 50 mg po q24h x2", who)
    fa = load().drug("naltrexone").number("oral.fa").value
    made = load().drug("naltrexone").number("oral.yield").value
    for tick in (0, ticks("24 h")):
        found = delivered(model, tick)
        assert found["naltrexone"].max() <= fa + 1e-12
        # What does not pass unchanged is turned into the metabolite, also on the day.
        np.testing.assert_allclose(found["beta_naltrexol"], (fa - found["naltrexone"]) * made, rtol=1e-12, atol=1e-15)
    assert (delivered(model)["naltrexone"].std() > 0.02).all()


@pytest.mark.parametrize(
    "words", ["fentanyl 50 ug in", "hydromorphone 4 mg po", "heroin 5 mg in", "naloxone 4 mg in", "morphine 10 mg po"]
)
def test_a_fraction_of_one_person_keeps_its_bounds(words):
    model = built(words, Population(n=N))
    total = sum(delivered(model).values())
    assert total.max() <= 1.0 + 1e-12
    assert total.std() > 0.05


def test_a_value_held_at_its_bound_is_said():
    # At its bound a fraction has no odds, so it keeps its log-normal spread.
    model = built("fentanyl 50 ug in", Population(n=N, occasions=False), overrides={"fentanyl.in.f": 1.0})
    (said,) = model.warnings
    assert said.startswith("fentanyl: ")
    assert f"of {N} people" in said
    assert "in.f" in said
    held = (model.parameters["fentanyl.in.1.fraction.fentanyl"] == 1.0).sum()
    assert said.startswith(f"fentanyl: {held} of")
    assert 0.3 * N < held < 0.7 * N


def test_uncertain_shares_of_one_dose_still_add_up():
    model = built("naltrexone 380 mg im_depot", Population(n=1, draws=2000))
    shares = [v for name, v in model.parameters.items() if name.startswith("naltrexone.im_depot")
              and ".fraction." in name]  # fmt: skip
    assert len(shares) == 4
    assert np.std(shares[0]) > 0.005
    np.testing.assert_allclose(sum(shares), 1.0, rtol=1e-12)


def test_a_covariate_never_turns_a_clearance_negative():
    model = built("m6g 1 mg iv", Subject(crcl_ml_min=1.0))
    catalogue = load()
    m6g = catalogue.drug("m6g")
    straight = m6g.number("cl").value + m6g.number("cl.per_crcl").value * (1.0 - m6g.number("reference.crcl").value)
    assert straight < 0.1 * m6g.number("cl").value
    assert model.parameters["m6g.cl"] == pytest.approx(0.1 * m6g.number("cl").value)
    assert any("m6g" in said and "that tenth was taken" in said for said in model.warnings)


# ---- amounts per kilogram


def test_an_amount_per_kilogram_is_multiplied_by_each_weight():
    who = Population(n=50)
    model = built("morphine 0.1 mg/kg iv q24h x2", who)
    plain = built("morphine 1 mg iv", who)
    weight = people_of(who, load(), 3).covariates["weight_kg"]
    for tick in (0, ticks("24 h")):
        (entry,) = [e for e in model.entries if e.tick == tick]
        np.testing.assert_allclose(
            entry.amount * model.scales[entry.scale], 0.1 * weight * plain.entries[0].amount, rtol=1e-12
        )


def test_a_rate_per_kilogram_too():
    model = built("morphine 0.1 mg/kg/h iv ss", Subject(weight_kg=50.0))
    fixed = built("morphine 5 mg/h iv ss", Subject())
    for a, b in zip(model.entries, fixed.entries, strict=True):
        assert a.amount * float(np.ravel(model.scales.get(a.scale, 1.0))[0]) == pytest.approx(b.amount, rel=1e-12)


# ---- occasions


def test_occasions_differ_within_a_person_and_keep_their_number():
    who = Population(n=N)
    model = built("naltrexone 50 mg po q24h x3", who)
    days = [delivered(model, ticks(f"{24 * k} h"))["naltrexone"] for k in range(3)]
    spread = load().drug("naltrexone").number("oral.f").between_occasion
    ratio = np.log(days[0] / days[1])[days[0] < 0.9]
    assert ratio.std() == pytest.approx(np.sqrt(2) * spread.omega, rel=0.05)
    skipped = built("naltrexone 50 mg po q24h x3 skip 2", who)
    for tick in (0, ticks("48 h")):
        np.testing.assert_array_equal(delivered(skipped, tick)["naltrexone"], delivered(model, tick)["naltrexone"])


def test_without_occasions_every_dose_is_alike():
    model = built("naltrexone 50 mg po q24h x3", Population(n=20, occasions=False))
    assert model.scales == {}


# ---- copies and correlations


def test_a_copied_number_is_drawn_with_its_origin():
    model = built("naltrexone 50 mg po", Population(n=1, draws=300))
    np.testing.assert_array_equal(model.parameters["beta_naltrexol.ke0"], model.parameters["naltrexone.ke0"])
    assert np.std(model.parameters["naltrexone.ke0"]) > 0
    for receptor in ("kor", "dor"):
        p = model.parameters
        np.testing.assert_array_equal(p[f"{receptor}.beta_naltrexol.koff"], p["mor.beta_naltrexol.koff"])


def test_an_override_of_the_origin_moves_its_copies():
    model = built("naltrexone 50 mg po", Subject(), overrides={"naltrexone.plasma_and_store.ke0": 0.1})
    assert model.parameters["beta_naltrexol.ke0"] == model.parameters["naltrexone.ke0"] == 0.1


def test_draws_do_not_depend_on_what_else_varies():
    with_it = built("naltrexone 50 mg po; morphine 10 mg po", Population(n=30, draws=2))
    alone = built("naltrexone 50 mg po", Population(n=30, draws=2))
    for name, value in alone.parameters.items():
        np.testing.assert_array_equal(with_it.parameters[name], value)


def test_correlated_numbers_have_the_correlation_of_the_catalogue(tmp_path):
    folder = Path(shutil.copytree(str(files("schild.catalog") / "data"), tmp_path / "data"))
    file = folder / "drugs" / "morphine.toml"
    added = """
[[correlation]]
a = "cl"
b = "vc"
rho = "rho.cl.vc"
[number."rho.cl.vc"]
unit = "1"
[[number."rho.cl.vc".value]]
key = "test"
value = 0.6
"""
    file.write_text(file.read_text(encoding="utf-8") + added, encoding="utf-8")
    catalogue = Catalogue(folder)
    events = expand(parse_regimen("morphine 10 mg iv"), 0)
    model = build(Values(catalogue, people_of(Population(n=20_000), catalogue, 1)), events)
    logs = {name: np.log(model.parameters[f"morphine.{name}"]) for name in ("cl", "vc")}
    assert np.corrcoef(logs["cl"], logs["vc"])[0, 1] == pytest.approx(0.6, abs=0.02)
    for name, values in logs.items():
        assert values.std() == pytest.approx(catalogue.drug("morphine").number(name).between_subject.omega, rel=0.02)


def test_spreads_are_coefficients_of_variation():
    model = built("naltrexone 50 mg po", Population(n=40_000, fixed={"weight_kg": 70, "age_years": 40}))
    cl = model.parameters["naltrexone.cl"]
    assert cl.std() / cl.mean() == pytest.approx(load().drug("naltrexone").number("cl").between_subject.cv, rel=0.02)
    assert np.median(cl) == pytest.approx(load().drug("naltrexone").number("cl").value, rel=0.01)
    assert Spread(cv=0.28).omega == pytest.approx(0.2748, abs=1e-4)


def test_nested_draws_recover_both_moments():
    people, draws = 500, 400
    who = Population(n=people, draws=draws, fixed={"weight_kg": 70, "age_years": 40}, occasions=False)
    model = built("naltrexone 50 mg po", who)
    for name in ("cl", "vc"):
        number = load().drug("naltrexone").number(name)
        logs = np.log(model.parameters[f"naltrexone.{name}"]).reshape(draws, people)
        # Between people, the same in every draw; between draws, the same for all people.
        assert logs.std(axis=1).mean() == pytest.approx(number.between_subject.omega, rel=3 / np.sqrt(2 * people))
        assert logs.mean(axis=1).std() == pytest.approx(number.uncertainty.omega, rel=3 / np.sqrt(2 * draws))
        np.testing.assert_allclose(logs - logs[0], (logs - logs[0])[:, :1] + np.zeros(people), atol=1e-12)


# ---- what is kept for the same people


@pytest.mark.parametrize("who", [Subject(), Population(n=12)])
def test_a_model_is_the_same_where_its_people_had_other_doses_before(who):
    def of(people, words):
        return build(
            Values(catalogue, people), expand(parse_regimen(words), ticks("4 d")), adaptation="response_two_state"
        )

    catalogue = load()
    people = people_of(who, catalogue, 3)
    # A model is kept from the second time on.
    first = [of(people, "naltrexone 50 mg po; heroin 25 mg iv at 24 h; buprenorphine 8 mg sl at 2 d") for _ in "ab"][-1]
    words = "naltrexone 50 mg po; heroin 25 mg iv at 30 h; buprenorphine 2 mg sl at 2 d; naltrexone 150 mg po at 3 d"
    again, alone = of(people, words), of(people_of(who, catalogue, 3), words)
    assert again.spec is first.spec
    assert again.spec == alone.spec
    assert again.entries == alone.entries
    assert again.warnings == alone.warnings
    for one, other in ((again.parameters, alone.parameters), (again.scales, alone.scales)):
        assert list(one) == list(other)
        assert all(np.array_equal(one[name], other[name]) for name in other)
    assert list(again.values.uses.numbers) == list(alone.values.uses.numbers)
    assert again.values.uses == alone.values.uses
    assert again.values.differing().keys() == alone.values.differing().keys()


def test_nothing_is_kept_for_many_people():
    model = built("naltrexone 50 mg po", Population(n=600))
    assert model.kept is None
    assert not model.values.people.kept
