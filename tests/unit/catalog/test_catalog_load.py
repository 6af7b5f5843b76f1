import math
import pickle
import shutil
import time
from importlib.resources import files
from pathlib import Path

import pytest

from schild.catalog import Catalogue, drug_from_dict, load
from schild.catalog.references import parse_bibtex
from schild.errors import CatalogueError, InputError, UnknownNameError

SHIPPED = Path(str(files("schild.catalog") / "data"))


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SHIPPED, tmp_path / "data"))


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_loading_is_quick_and_kept():
    best = math.inf
    for _ in range(5):
        start = time.process_time()
        Catalogue().drug("naltrexone")
        best = min(best, time.process_time() - start)
    assert best < 0.3  # about 0.02 s on an idle machine
    assert load() is load()


def test_only_the_drugs_asked_for_are_read(folder):
    (folder / "drugs" / "heroin.toml").write_text('key = "heroin"\nname = "heroin"\nrole = 3\n')
    catalogue = Catalogue(folder)
    assert catalogue.drug("fentanyl").key == "fentanyl"
    with pytest.raises(CatalogueError, match=r"heroin\.toml.*role = 3; expected a string"):
        catalogue.drug("heroin")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("diamorphine", "heroin"),
        ("6-MAM", "mam"),
        ("6-beta-naltrexol", "beta_naltrexol"),
        ("6bn", "beta_naltrexol"),
        ("Beta naltrexol", "beta_naltrexol"),
        (" Naltrexone ", "naltrexone"),
        ("morphine-6-glucuronide", "m6g"),
    ],
)
def test_other_names_are_accepted(name, key):
    assert load().drug(name).key == key


def test_an_unknown_drug_gets_close_matches():
    with pytest.raises(UnknownNameError, match="Did you mean 'naltrexone'"):
        load().drug("naltrexon")
    with pytest.raises(UnknownNameError, match="No study"):
        load().studies["naltrexone_pett"]
    with pytest.raises(UnknownNameError, match="No reference"):
        load().references["Dunbar2008"]
    with pytest.raises(UnknownNameError, match="No number of naltrexone"):
        load().drug("naltrexone").number("clearance")


def test_the_same_alias_twice_is_refused(folder):
    edit(folder / "drugs" / "heroin.toml", '"diamorphine"', '"morphine"')
    with pytest.raises(CatalogueError, match=r"line 3: .*'morphine', which already belongs to heroin"):
        Catalogue(folder)


def test_a_folder_that_is_no_catalogue_is_refused(tmp_path):
    with pytest.raises(CatalogueError, match="no folder 'drugs'"):
        Catalogue(tmp_path)


@pytest.mark.parametrize("key", list(load().drugs))
def test_every_drug_holds_finite_numbers_and_survives_pickling(key):
    drug = load().drugs[key]
    assert pickle.loads(pickle.dumps(drug)) == drug
    for number in drug.numbers.values():
        assert math.isfinite(number.value)
        if number.bounds is not None:
            assert number.bounds[0] <= number.value <= number.bounds[1]
        for value in number.values:
            if value.low is not None:
                assert value.low <= value.value
            if value.high is not None:
                assert value.value <= value.high


def test_naltrexone_has_five_structures_and_one_default():
    drug = load().drug("naltrexone")
    assert set(drug.structures) == {
        "plasma_equilibrium",
        "effect_compartment",
        "slow_receptor",
        "effect_compartment_slow_receptor",
        "plasma_and_store",
    }
    assert sum(structure.default for structure in drug.structures.values()) == 1
    assert load().drug("beta_naltrexol").follows == "naltrexone"
    assert load().drug("beta_naltrexol").default_structure is None


def test_a_structure_overrules_numbers():
    drug = load().drug("naltrexone")
    assert drug.number("mor.kd").name == "mor.kd"
    assert drug.number("mor.kd", "slow_receptor").name == "slow_receptor.mor.kd"
    assert drug.number("cl", "slow_receptor").name == "cl"


def test_the_four_inputs_of_the_injection_add_up_to_the_dose():
    drug = load().drug("naltrexone")
    parts = [part for branch in drug.routes["im_depot"].branches for part in branch.deliver]
    assert sum(drug.number(part.times).value for part in parts) == pytest.approx(1, abs=2e-6)


def test_the_injection_has_no_step_where_the_tail_begins():
    number = load().drug("naltrexone").number
    plateau = number("depot.plateau.fraction").value / number("depot.plateau.duration").value
    assert number("depot.tail.fraction").value * number("depot.tail.rate").value == pytest.approx(plateau, rel=1e-4)
    end = number("depot.plateau.lag").value + number("depot.plateau.duration").value
    assert number("depot.tail.lag").value == end


def test_first_pass_forms_0_72_of_the_dose_at_the_bioavailability_it_was_derived_with():
    number = load().drug("naltrexone").number
    (dossier,) = (v.value for v in number("oral.f").values if v.key == "auc40")
    formed = (number("oral.fa").value - dossier) * number("oral.yield").value
    assert formed == pytest.approx(0.72, rel=1e-5)


def test_the_human_bound_of_the_metabolite_is_1000_nM():
    number = load().drug("beta_naltrexol").number
    assert number("mor.ki").value * number("brain.factor").value == pytest.approx(1000, rel=1e-5)
    assert number("mor.ki").value * number("gut.factor").value == 2.12


def test_copies_follow_their_origin(folder):
    fitted = load().drug("naltrexone").number("slow_receptor.mor.koff").value
    edit(folder / "drugs" / "naltrexone.toml", f"value = {fitted!r}\n", "value = 0.0123\n")
    catalogue = Catalogue(folder)
    copy = catalogue.drug("beta_naltrexol").number("kor.koff", "slow_receptor")
    assert copy.value == 0.0123
    assert copy.same_as == "naltrexone:slow_receptor.kor.koff"
    assert copy.chosen.basis == "assumed"
    assert load().drug("beta_naltrexol").number("kor.koff", "slow_receptor").value == fitted


def test_a_product_swaps_numbers_of_its_route():
    drug = load().drug("naloxone")
    spray = drug.route("in", "spray_8mg")
    assert drug.number(spray.branches[0].rate).value == 2.2
    assert spray.product == "nasal spray 8 mg"
    assert drug.number(drug.route("in").branches[0].rate).value == 1.5
    with pytest.raises(InputError, match="spray_8mg"):
        drug.route("in", "spray_9mg")
    with pytest.raises(UnknownNameError, match="No route of naloxone"):
        drug.route("rectal")


def test_the_digest_names_the_content(folder):
    same = Catalogue(folder).drug("naltrexone").digest
    assert same == load().drug("naltrexone").digest
    edit(folder / "drugs" / "naltrexone.toml", "value = 140", "value = 141")
    assert Catalogue(folder).drug("naltrexone").digest != same


VALUE = {"key": "a", "value": 1.0}
DRUG = {"key": "x", "name": "x", "role": "agonist"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"role": "friend"}, "role = 'friend'; expected one of agonist"),
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"numbers": {}}, "did you mean 'number'"),
        ({"number": {"cl": {"unit": "L/h"}}}, r"\[number\.cl\] has no \[\[\.\.\.value\]\]"),
        ({"number": {"a.b": {"chosen": "b", "value": [VALUE]}}}, r'\[number\."a\.b"\] has chosen = \'b\''),
        ({"number": {"cl": {"value": [VALUE, VALUE], "chosen": "a"}}}, "two values with the same key"),
        ({"number": {"cl": {"value": [{"key": "a", "value": "many"}]}}}, "expected a number"),
        ({"number": {"cl": {"value": [{"key": "a", "value": True}]}}}, "expected a number"),
        ({"number": {"cl": {"same_as": "cm"}}}, "same_as = 'cm'; expected another number"),
        ({"number": {"cl": {"value": [VALUE], "uncertainty": {"cv": -0.1}}}}, "not negative"),
        ({"number": {"cl": {"value": [VALUE], "bounds": [1]}}}, "expected two numbers"),
        ({"disposition": {"peripherals": 3}}, "expected 0, 1 or 2"),
        ({"disposition": {"peripherals": 1, "effect_site": "yes"}}, "expected true or false"),
        ({"route": {"oral": {"product": "tablet"}}}, "needs at least one input"),
        (
            {"route": {"oral": {"product": "t", "branch": [{"input": "first_order", "deliver": {"x": "f"}}]}}},
            "lacks 'rate', which the input 'first_order' needs",
        ),
        ({"route": {"oral": {"product": "t", "branch": [{"input": "bolus"}]}}}, "delivers nothing"),
        ({"route": {"oral": {"product": "t", "branch": 3}}}, "expected a list of tables"),
        ({"binding": {"mor": {"koff": "k"}}}, "needs either 'kd', or 'ki' and 'factor'"),
        ({"structure": {"a": {"site": "plasma"}}}, "marks 0 structures as default"),
        ({"covariate": [{"on": "cl", "of": "height", "form": "power"}]}, "expected one of weight_kg"),
        ({"covariate": [{"on": "cl", "of": "sex", "form": "factor"}]}, "needs 'factors'"),
        ({"product": {"a": {"name": "a", "route": "oral"}}}, "of a route 'oral' that is not there"),
    ],
)
def test_a_broken_file_is_refused_with_file_place_and_expectation(change, message):
    with pytest.raises(CatalogueError, match=message) as error:
        drug_from_dict({**DRUG, **change}, "drugs/x.toml")
    assert str(error.value).startswith("drugs/x.toml: ")


def test_text_that_is_not_toml_is_refused(folder):
    (folder / "drugs" / "heroin.toml").write_text("key = \n")
    with pytest.raises(CatalogueError, match=r"heroin\.toml is not valid TOML"):
        Catalogue(folder)


def test_the_key_must_be_the_file_name(folder):
    edit(folder / "drugs" / "heroin.toml", 'key = "heroin"', 'key = "diacetylmorphine"')
    with pytest.raises(CatalogueError, match="expected 'heroin', as the file is called"):
        Catalogue(folder).drug("heroin")


def test_bibliography_entries_that_cannot_be_read_are_refused():
    with pytest.raises(CatalogueError, match="cannot read B"):
        parse_bibtex("@misc{A,\n  title = {a},\n}\n@misc{B, title = {b}}\n")
    with pytest.raises(CatalogueError, match="A stands twice"):
        parse_bibtex("@misc{A,\n  title = {a},\n}\n@misc{A,\n  title = {b},\n}\n")


def test_a_reference_has_a_label_and_a_doi():
    entry = load().references["Johnson2010"]
    assert entry.doi == "10.1016/j.clinthera.2010.05.011"
    assert entry.label.startswith("Johnson")


def test_the_population_is_complete():
    adult = load().populations["adult"]
    assert set(adult.covariates) == {"weight_kg", "age_years", "crcl_ml_min", "sex"}
    shares = [adult.numbers[name].value for name in adult.covariates["sex"].shares.values()]
    assert sum(shares) == pytest.approx(1)


def test_studies_hold_the_points_that_may_be_fitted():
    rows = load().studies["naltrexone_pet"].observations
    fitted = [row for row in rows if row.role == "calibration" and row.species == "mor"]
    assert len(fitted) == 12
    assert all(row.sd_fixed and row.time_h for row in fitted)
    assert {row.sd_fixed for row in fitted if row.study == "Rabiner2011"} == {10.0}
    assert {row.normalisation for row in fitted if row.study == "Lee1988"} == {"1 h"}


def test_every_plasma_row_says_how_it_was_measured():
    for key, study in load().studies.items():
        if key.endswith("_pk") or key.endswith("_depot"):
            assert all(row.assay and row.loq for row in study.observations), key
