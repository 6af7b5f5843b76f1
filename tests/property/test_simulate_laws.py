"""Laws that every run obeys: units, time, superposition, competition, order, outputs, people, draws."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schild.catalog import load
from schild.engine.run import run
from schild.errors import InputError
from schild.simulation import simulate as simulate_with_sides

#: Runs are compared point by point, so they have one grid whatever their doses.
simulate = partial(simulate_with_sides, plain_grid=True)

STRUCTURES = (
    "plasma_equilibrium", "effect_compartment", "slow_receptor", "effect_compartment_slow_receptor", "plasma_and_store",
)  # fmt: skip
#: Bar of the occupancies at the default tolerance, relative with a floor of 0.01.
CLAIM = 1e-4


def same(a, b, names=None, bar=0.0):
    """Outputs agree: bit for bit, or within a fraction of the maximum of each."""
    for name in names or a.outputs:
        x, y = a[name].values, b[name].values
        if bar == 0.0:
            np.testing.assert_array_equal(x, y, err_msg=name)
        else:
            assert np.abs(x - y).max() <= bar * max(np.abs(x).max(), 1e-300), name


# ---- the dose


@pytest.mark.parametrize("words", ["naltrexone 0.05 g po", "naltrexone 50000 ug po", "naltrexone 50000000 ng po"])
def test_one_dose_in_other_units_is_the_same_bit_for_bit(words):
    same(simulate("naltrexone 50 mg po", until="2 d"), simulate(words, until="2 d"))


def test_one_dose_as_base_as_salt_and_in_moles():
    drug = load().drug("naltrexone")
    base = 50 * drug.number("salt.hydrochloride").value
    nmol = base * 1e6 / drug.number("mw").value
    salt = simulate("naltrexone 50 mg po", until="2 d")
    same(salt, simulate("naltrexone 50 mg hydrochloride po", until="2 d"))
    same(salt, simulate(f"naltrexone {base!r} mg base po", until="2 d"), bar=1e-12)
    same(salt, simulate(f"naltrexone {nmol!r} nmol po", until="2 d"), bar=1e-12)


@pytest.mark.parametrize("shift", [1, 24, 9600, -1, -50, -720])
def test_a_shift_of_all_times_shifts_the_curves(shift):
    words = "naltrexone 50 mg po q24h x4 from {} h skip 2; heroin 10 mg iv at {} h"
    first = simulate(words.format(0, 30.3), until=f"{96 + max(0, -shift)} h", every="1 h")
    moved = simulate(words.format(shift, 30.3 + shift), until=f"{96 + max(0, shift)} h", every="1 h")
    for name in first.outputs:
        a, b = first[name].values[:, max(0, -shift) :], moved[name].values[:, max(0, shift) :]
        linear = name.startswith(("plasma", "free"))
        assert a.shape == b.shape
        assert np.abs(a - b).max() <= (1e-10 * first[name].values.max() if linear else CLAIM), name


def test_kinetics_superpose():
    one = simulate("naltrexone 50 mg po", until="4 d", every="30 min")
    two = simulate("naltrexone 20 mg iv at 7 h", until="4 d", every="30 min")
    both = simulate("naltrexone 50 mg po; naltrexone 20 mg iv at 7 h", until="4 d", every="30 min")
    for name in ("plasma_naltrexone", "plasma_beta_naltrexol", "free_naltrexone", "free_beta_naltrexol"):
        total = one[name].values + two[name].values
        assert np.abs(both[name].values - total).max() < 1e-12 * total.max()


@settings(max_examples=15)
@given(st.floats(0.001, 1000))
def test_kinetics_are_proportional_to_the_dose(factor):
    one = simulate("morphine 1 mg po", until="1 d", every="1 h")
    many = simulate(f"morphine {factor!r} mg po", until="1 d", every="1 h")
    for name in ("plasma_morphine", "plasma_m6g", "free_morphine"):
        assert np.abs(many[name].values - factor * one[name].values).max() < 1e-11 * many[name].values.max()


@pytest.mark.parametrize("structure", STRUCTURES)
def test_more_drug_occupies_more(structure):
    last = None
    for amount in ("0.1 mg", "1 mg", "5 mg", "25 mg", "50 mg", "150 mg"):
        found = simulate(f"naltrexone {amount} po q24h x2", until="4 d", structure=structure)
        if last is not None:
            for receptor in ("mor", "kor", "dor"):
                name = f"{receptor}_pet_occupancy"
                assert (found[name].values - last[name].values).min() > -1e-6
            rise = found["plasma_naltrexone"].values - last["plasma_naltrexone"].values
            assert rise.min() >= -1e-14 * found["plasma_naltrexone"].values.max()
        last = found


# ---- receptors


@pytest.mark.parametrize("structure", STRUCTURES)
def test_occupancies_and_the_free_part_make_one(structure):
    words = ("naltrexone 50 mg po q24h x2", "heroin 10 mg iv at 26 h", "naloxone 2 mg in at 30 h")
    found = simulate(*words, until="3 d", structure=structure, receptors=("mor", "kor", "dor", "mor_gut"))
    for receptor in ("mor", "kor", "dor", "mor_gut"):
        parts = [o.values for name, o in found.outputs.items() if name.startswith(f"{receptor}_occupancy_")]
        total = sum(parts) + found[f"{receptor}_free"].values
        assert np.abs(total - 1.0).max() < 1e-9
        assert min(part.min() for part in parts) > -1e-9


def test_occupancies_of_a_population_make_one_in_single_precision():
    found = simulate("naltrexone 50 mg po", "heroin 10 mg iv at 6 h", until="1 d", n=20)
    parts = [o.values for name, o in found.outputs.items() if name.startswith("mor_occupancy_")]
    assert np.abs(sum(parts) + found["mor_free"].values - 1.0).max() < 5e-7


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize(
    ("agonist", "species"),
    [
        ("heroin 10 mg iv", ("heroin", "mam", "morphine", "m6g")),
        ("morphine 10 mg po", ("morphine", "m6g")),
        ("fentanyl 50 ug iv", ("fentanyl",)),
        ("hydromorphone 2 mg iv", ("hydromorphone",)),
    ],
)
def test_an_antagonist_never_raises_what_the_agonist_occupies(structure, agonist, species):
    alone = simulate(f"{agonist} at 3 h", until="2 d", every="15 min", receptors=("mor", "kor"))
    for antagonist in ("naltrexone 50 mg po", "naltrexone 0.5 mg po at 4 h", "naloxone 0.4 mg iv at 4 h"):
        options = {"structure": structure} if "naltrexone" in antagonist else {}
        both = simulate(
            f"{agonist} at 3 h", antagonist, until="2 d", every="15 min", receptors=("mor", "kor"), **options
        )
        for receptor in ("mor", "kor"):
            total = [sum(r[f"{receptor}_occupancy_{s}"].values for s in species) for r in (alone, both)]
            assert (total[1] - total[0]).max() <= 1e-5, (antagonist, receptor)
            raised = both[f"{receptor}_activation"].values - alone[f"{receptor}_activation"].values
            assert raised.max() <= 1e-5


# ---- what is asked for


def test_the_order_of_doses_at_one_time_does_not_matter():
    words = ["naltrexone 50 mg po at 1 h", "heroin 10 mg iv at 1 h", "naltrexone 10 mg iv at 1 h"]
    one, two = simulate(*words, until="1 d"), simulate(*words[::-1], until="1 d")
    for name in one.outputs:
        x, y = one[name].values, two[name].values
        assert np.abs(x - y).max() <= (1e-12 if name.startswith(("plasma", "free")) else CLAIM) * max(x.max(), 0.01)


def test_fewer_outputs_change_nothing_but_steps():
    # Only the receptors of the outputs are followed; concentrations do not depend on steps.
    words = ("naltrexone 50 mg po q24h x2", "heroin 10 mg iv at 26 h")
    whole = simulate(*words, until="2 d")
    for name, bar in (("mor_pet_occupancy", 1e-6), ("plasma_naltrexone", 1e-12), ("free_morphine", 1e-12)):
        same(simulate(*words, until="2 d", outputs=[name]), whole, [name], bar)


def test_plasma_alone_follows_no_receptor(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "schild.simulation.solve.run", lambda program, *a, **k: seen.append(program) or run(program, *a, **k)
    )
    found = simulate("naltrexone 50 mg po q24h x2", until="2 d", outputs=["plasma_naltrexone"])
    assert [p.slot_channel.size for p in seen] == [0]
    assert [name for name in found.metrics if "occupancy" in name or "beta_naltrexol" in name] == []


@pytest.mark.parametrize("others", [("mor", "kor"), ("mor", "kor", "dor"), ("mor", "mor_gut"), ("mor_gut", "mor")])
@pytest.mark.parametrize("n", [None, 8])
def test_another_receptor_changes_nothing_but_steps(others, n):
    words = ("naltrexone 50 mg po q24h x2", "heroin 10 mg iv at 26 h")
    alone, more = (simulate(*words, until="2 d", receptors=r, n=n) for r in (("mor",), others))
    for name in alone.outputs:
        x, y = alone[name].values, more[name].values
        if name.startswith(("plasma", "free")):
            assert np.abs(x - y).max() <= (1e-12 if n is None else 2e-7) * x.max(), name
        else:  # the steps are those of the fastest receptor; the answer stays within the claimed error
            assert (np.abs(x - y) / np.maximum(np.abs(x), 0.01)).max() <= CLAIM, name


def test_a_finer_grid_does_not_change_the_values_it_shares():
    words = ("naltrexone 50 mg po q24h x2", "heroin 10 mg iv at 26 h")
    coarse, fine = (simulate(*words, until="2 d", every=e) for e in ("2 h", "30 min"))
    for name in coarse.outputs:
        x, y = coarse[name].values, fine[name].values[:, ::4]
        bar = 1e-12 if name.startswith(("plasma", "free")) else CLAIM
        assert (np.abs(x - y) / np.maximum(np.abs(x), bar and 0.01)).max() <= bar, name


def test_a_failed_person_is_said_and_never_a_number():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = simulate("naltrexone 50 mg po", until="1 d", overrides={"naltrexone.oral.ka": 1e300})
    assert found.status.tolist() == [3]
    assert any("1 of 1 people could not be solved" in said for said in found.warnings)
    assert not np.isfinite(found["plasma_naltrexone"].values).any()


@pytest.mark.parametrize("n", [None, 6])
def test_no_value_of_a_sound_run_is_missing(n):
    found = simulate("naltrexone 380 mg im_depot q28d ss", "heroin 10 mg iv at 3 d", until="9 d", n=n)
    assert not found.status.any()
    for name, output in found.outputs.items():
        assert np.isfinite(output.values).all(), name
        assert output.values.min() > -1e-9, name


# ---- people

WORDS = ("naltrexone 50 mg po q24h x3", "morphine 10 mg po at 30 h")
PLASMA = ("plasma_naltrexone", "plasma_beta_naltrexol", "plasma_morphine")


def test_a_person_is_the_same_in_a_small_and_a_large_group():
    few, many = (simulate(*WORDS, until="3 d", n=n) for n in (5, 50))
    for name in few.outputs:
        np.testing.assert_array_equal(few[name].values, many[name].values[:5], err_msg=name)


def test_threads_change_no_bit():
    same(*(simulate(*WORDS, until="3 d", n=70, threads=t) for t in (1, 2)))


def test_another_seed_is_other_people():
    one, two = (simulate(*WORDS, until="3 d", n=20, seed=s) for s in (1, 2))
    for name in PLASMA:
        late = one[name].values.shape[1] // 2
        assert not (one[name].values[:, late] == two[name].values[:, late]).any()


def test_runs_that_share_a_seed_share_their_people():
    one = simulate("naltrexone 50 mg po", until="2 d", n=40)
    two = simulate("naltrexone 150 mg po", until="2 d", n=40)
    for name in ("plasma_naltrexone", "plasma_beta_naltrexol"):
        x, y = one[name].values[:, 1:], two[name].values[:, 1:]
        np.testing.assert_allclose(y, 3 * x, rtol=1e-6)
        assert np.std(x[:, 3]) > 0.1 * np.mean(x[:, 3])


def test_other_drugs_do_not_change_the_people():
    alone, more = (
        simulate(WORDS[0], until="3 d", n=20),
        simulate(*WORDS, "fentanyl 10 ug iv at 40 h", until="3 d", n=20),
    )
    for name in PLASMA[:2]:
        np.testing.assert_allclose(more[name].values, alone[name].values, rtol=2e-7, atol=1e-12)


def test_a_missed_dose_changes_no_other_draw():
    taken = simulate("naltrexone 50 mg po q24h x4", until="4 d", n=30)
    missed = simulate("naltrexone 50 mg po q24h x4 skip 2", until="4 d", n=30)
    alone = simulate("naltrexone 50 mg po q24h x4 skip 1,3,4", until="4 d", n=30)
    for name in ("plasma_naltrexone", "plasma_beta_naltrexol"):
        total = missed[name].values.astype(float) + alone[name].values
        assert np.abs(total - taken[name].values).max() < 1e-6 * taken[name].values.max()


def test_uncertainty_is_an_axis_of_its_own():
    from schild.population import Population, people_of

    plain, drawn = (people_of(Population(n=30, draws=d), load(), 1) for d in (0, 4))
    for name in ("naltrexone.cl", "morphine.vc"):
        x = plain.between_subject(name)
        np.testing.assert_array_equal(drawn.between_subject(name), np.tile(x, 4))
        u = drawn.uncertainty(name).reshape(4, 30)
        assert (u == u[:, :1]).all()
        assert len(np.unique(u[:, 0])) == 4
    for name, values in plain.covariates.items():
        np.testing.assert_array_equal(drawn.covariates[name], np.tile(values, 4))
    fewer = people_of(Population(n=30, draws=2), load(), 1)
    np.testing.assert_array_equal(fewer.uncertainty("naltrexone.cl"), drawn.uncertainty("naltrexone.cl")[:60])


def test_covariates_have_their_moments_and_correlations():
    from schild.population import Population, people_of

    n = 40_000
    who = people_of(Population(n=n), load(), 5).covariates
    group = load().populations["adult"]
    number = {name: value.value for name, value in group.numbers.items()}
    for name, short in (("weight_kg", "weight"), ("age_years", "age"), ("crcl_ml_min", "crcl")):
        low, high = number[f"{short}.low"], number[f"{short}.high"]
        assert low <= who[name].min() <= who[name].max() <= high
        # The tails that trials leave out are cut, which moves the mean a little.
        assert who[name].mean() == pytest.approx(number[f"{short}.mean"], rel=0.03)
    rank = {name: np.argsort(np.argsort(who[name])) for name in ("weight_kg", "age_years", "crcl_ml_min")}
    for a, b, rho in (("weight_kg", "crcl_ml_min", "rho.weight.crcl"), ("age_years", "crcl_ml_min", "rho.age.crcl")):
        # Rank correlation of a normal copula.
        expected = 6 / np.pi * np.arcsin(number[rho] / 2)
        assert np.corrcoef(rank[a], rank[b])[0, 1] == pytest.approx(expected, abs=4 / np.sqrt(n))
    assert (who["sex"] == "female").mean() == pytest.approx(number["sex.female"], abs=0.01)


def test_bands_are_in_order():
    found = simulate(*WORDS, until="3 d", n=60)
    for name in ("plasma_naltrexone", "mor_pet_occupancy"):
        low, mid, high = (np.quantile(found[name].values, q, axis=0) for q in (0.05, 0.5, 0.95))
        assert (low <= mid).all()
        assert (mid <= high).all()
        assert (high - low)[5:].min() > 0


def test_an_amount_per_kilogram_gives_each_their_own():
    found = simulate("morphine 0.1 mg/kg iv", until="4 h", n=30)
    fixed = simulate("morphine 7 mg iv", until="4 h", n=30)
    from schild.population import Population, people_of

    weight = people_of(Population(n=30), load(), 1).covariates["weight_kg"]
    ratio = found["plasma_morphine"].values[:, 1] / fixed["plasma_morphine"].values[:, 1]
    np.testing.assert_allclose(ratio, 0.1 * weight / 7, rtol=1e-6)


def test_a_number_that_is_none_is_refused():
    with pytest.raises(InputError):
        simulate("naltrexone nan mg po", until="1 d")
