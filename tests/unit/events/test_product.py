"""`product` says which product of a route; a dose that has the strength of one is that one, and that is said."""

from __future__ import annotations

import json

import numpy as np
import pytest

import schild
from schild.catalog import drug_from_dict, load
from schild.cli import main
from schild.errors import CatalogueError, InputError
from schild.model.products import with_products
from schild.people import Values
from schild.regimen import Dose, expand, parse_regimen, read_nonmem, to_nonmem
from schild.simulation import Run, model_of
from schild.units import ticks


def peak(*words, **options):
    found = schild.simulate(*words, until="3 h", every="1 min", receptors=["mor"], plain_grid=True, **options)
    return found["plasma_naloxone"].values


def test_the_product_is_a_part_of_the_dose_and_of_its_words():
    (dose,) = parse_regimen("naloxone 8 mg in product Spray-8mg q3min x2")
    assert dose == Dose(drug="naloxone", amount="8 mg", route="in", product="spray_8mg", every="3 min", count=2)
    assert parse_regimen(dose.to_words())[0] == dose
    assert {e.product for e in expand([dose], ticks("1 h"))} == {"spray_8mg"}


def test_it_has_the_numbers_of_the_product():
    parameters = model_of(Run.of("naloxone 5 mg in product spray_8mg")).parameters
    value = {name: n.value for name, n in load().drug("naloxone").numbers.items()}
    assert parameters["naloxone.in.spray_8mg.1.rate"] == value["spray_8mg.ka"] != value["in.ka"]
    assert parameters["naloxone.in.spray_8mg.1.fraction.naloxone"] == value["spray_8mg.f"]
    doubled = model_of(Run.of("naloxone 5 mg in product spray_8mg"), catalogue=load())
    assert ("naloxone", "spray_8mg.ka") in doubled.values.uses.numbers
    assert ("naloxone", "in.ka") not in doubled.values.uses.numbers


@pytest.mark.parametrize(
    ("words", "product"),
    [
        ("naloxone 8 mg in", "spray_8mg"),
        ("naloxone 8000 ug hydrochloride in", "spray_8mg"),
        ("naloxone 4 mg in", "spray_4mg"),
        ("naloxone 8.001 mg in", None),
        ("naloxone 2 mg in", None),
        ("naloxone 0.1 mg/kg in", None),
        ("naloxone 8 mg iv", None),
        ("naloxone 8 mg in product spray_4mg", "spray_4mg"),
    ],
)
def test_a_dose_of_just_its_strength_is_that_product(words, product):
    (event,) = with_products(Values(load()), expand(parse_regimen(words), 0))
    assert event.product == product
    assert with_products(Values(load()), [event]) == (event,)


def test_the_run_says_what_the_strength_decided_and_a_named_product_is_not_remarked_on():
    with_strength = schild.simulate("naloxone 8 mg in", until="1 h")
    assert any("nasal spray 8 mg, by its strength" in warning for warning in with_strength.warnings)
    for words in ("naloxone 8 mg in product spray_8mg", "naloxone 8 mg in product spray_4mg", "naloxone 4 mg in"):
        assert not schild.simulate(words, until="1 h").warnings


def test_the_usual_product_is_the_route_itself():
    np.testing.assert_array_equal(peak("naloxone 4 mg in product spray_4mg"), peak("naloxone 4 mg in"))
    twice = 2 * peak("naloxone 4 mg in")
    assert np.abs(peak("naloxone 8 mg in product spray_4mg") - twice).max() <= 1e-12 * twice.max()
    np.testing.assert_array_equal(peak("naloxone 8 mg in product spray_8mg"), peak("naloxone 8 mg in"))
    assert peak("naloxone 8 mg in").max() > 1.2 * peak("naloxone 8 mg in product spray_4mg").max()


@pytest.mark.parametrize("n", [None, 40])
def test_two_products_in_one_run_add_up(n):
    first, second = "naloxone 8 mg in product spray_8mg", "naloxone 4 mg in at 10 min"
    people = {} if n is None else {"n": n}
    one, two, both = (peak(*words, seed=5, **people) for words in ((first,), (second,), (first, second)))
    if n is None:
        assert np.abs(one + two - both).max() <= 1e-12 * both.max()
    else:  # occasions count the doses of a drug, so the second spray of the run draws another day
        assert np.isfinite(both).all()
        assert len(np.unique(both[:, 60])) == n


def test_an_override_reaches_the_number_of_the_product():
    plain = peak("naloxone 8 mg in")
    halved = peak("naloxone 8 mg in", overrides={"naloxone.spray_8mg.f": 0.24})
    np.testing.assert_allclose(halved, plain / 2, rtol=1e-12)
    np.testing.assert_array_equal(plain, peak("naloxone 8 mg in", overrides={"naloxone.in.f": 0.1}))


@pytest.mark.parametrize("drug", ["oxycodone", "hydrocodone", "oxymorphone", "morphine"])
def test_a_product_may_have_the_inputs_of_another_route(drug):
    (named,) = with_products(Values(load()), expand(parse_regimen(f"{drug} 20 mg po product er"), 0))
    assert (named.route, named.product) == ("oral_er", None)
    a, b = (schild.simulate(f"{drug} 20 mg {x}", until="12 h", every="1 h") for x in ("po product er", "oral_er"))
    np.testing.assert_array_equal(a[f"plasma_{drug}"].values, b[f"plasma_{drug}"].values)


def test_depots_of_buprenorphine_have_products():
    words = ("product weekly", "product monthly", "")
    events = with_products(
        Values(load()), expand(parse_regimen("; ".join(f"buprenorphine 24 mg sc_depot {w}" for w in words)), 0)
    )
    assert [e.route for e in events] == ["sc_depot_weekly", "sc_depot", "sc_depot"]
    assert (
        len(
            {
                i.name
                for i in model_of(
                    Run.of("buprenorphine 24 mg sc_depot product monthly", "buprenorphine 24 mg sc_depot at 1 d")
                ).spec.inputs
            }
        )
        == 2
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("naloxone 8 mg in product nasal_8mg", r"spray_4mg \(nasal spray 4 mg\); spray_8mg \(nasal spray 8 mg\)"),
        ("naloxone 8 mg iv product spray_8mg", "one product"),
        ("buprenorphine 8 mg sl product monthly", r"sc_depot_weekly \(weekly injection"),
        ("naloxone 8 mg in product", "ends early"),
        ("naloxone 8 mg in product spray_8mg product spray_4mg", "repeats"),
        ("naloxone 8 mg in product 8", "not the name of a product"),
        ("reset product x", "only a time"),
    ],
)
def test_what_makes_no_sense_is_refused_and_says_what_there_is(words, said):
    with pytest.raises(InputError, match=said):
        schild.simulate(words, until="1 h")


def test_a_run_file_names_a_product_and_the_schema_knows_it():
    run = Run.parse({"dose": [{"drug": "naloxone", "amount": "8 mg", "route": "in", "product": "spray_4mg"}]})
    assert run.doses[0].product == "spray_4mg"
    assert "product" in Run.model_json_schema()["$defs"]["DoseEntry"]["properties"]


def test_a_table_of_nonmem_carries_it_there_and_back(tmp_path):
    regimen = parse_regimen("naloxone 8 mg in product spray_4mg; naloxone 2 mg in at 1 h")
    table = to_nonmem(regimen)
    assert table["PRODUCT"].tolist() == ["spray_4mg", "."]
    assert tuple(read_nonmem(table)) == tuple(regimen)
    assert "PRODUCT" not in to_nonmem(parse_regimen("naloxone 2 mg in"))


def test_the_dry_run_shows_it(capsys):
    main(
        [
            "simulate",
            "naloxone 8 mg in",
            "oxycodone 200 mg po product er at 1 h",
            "--until",
            "1 d",
            "--dry-run",
            "--json",
        ]
    )
    # More than published challenges while an antagonist is on board: refused, also in a dry run.
    assert "published human challenges" in capsys.readouterr().err
    main(["simulate", "naloxone 8 mg in", "--dry-run", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["events"][0]["product"] == "spray_8mg"
    assert "write 'product spray_4mg' for another" in told["notes"][0]
    main(["simulate", "oxycodone 20 mg po product er", "--dry-run"])
    shown = capsys.readouterr().out
    assert "oral_er" in shown
    assert "oxycodone oral product er is the route oral_er" in shown


def test_the_entry_lists_them(capsys):
    main(["drugs", "naloxone"])
    shown = capsys.readouterr().out
    assert "Products" in shown
    assert "spray_4mg" in shown


def test_a_broken_product_is_a_broken_entry():
    drug = {
        "key": "x", "name": "x", "role": "agonist", "summary": "A test.",
        "route": {"iv": {"product": "p", "branch": [{"input": "bolus", "deliver": {"x": "f"}}]}},
    }  # fmt: skip
    for product in ({"route": "iv", "becomes": "po"}, {"route": "iv", "becomes": "iv", "replaces": {"f": "g"}}):
        with pytest.raises(CatalogueError):
            drug_from_dict({**drug, "product": {"a": {"name": "a", **product}}})


@pytest.mark.parametrize(("drug", "product"), [(key, p) for key, drug in load().drugs.items() for p in drug.products])
def test_every_product_of_the_catalogue_runs(drug, product):
    route = load().drug(drug).products[product].route
    found = schild.simulate(f"{drug} 1 mg {route} product {product}", until="2 d", every="2 h", receptors=["mor"])
    assert found[f"plasma_{drug}"].values.max() > 0
    assert found.status.tolist() == [0]


def test_people_keep_their_own_numbers_of_a_product():
    first = model_of(Run.of("naloxone 8 mg in", population={"n": 50}))
    assert first.parameters  # the typical person stands for a group
    found = schild.simulate("naloxone 8 mg in", until="1 h", every="5 min", n=50)["plasma_naloxone"].values
    assert len(np.unique(found[:, 6])) == 50
