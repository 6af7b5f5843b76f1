import numpy as np
import pytest

from schild.catalog import drug_from_dict, load

AGONISTS = ("agonist", "partial agonist", "prodrug")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("methylnaltrexone bromide", "methylnaltrexone"),
        ("Codeine phosphate", "codeine"),
        ("codeine-6-glucuronide", "c6g"),
        ("morphine 3 glucuronide", "m3g"),
        ("oxycodone hydrochloride", "oxycodone"),
        ("racemic methadone", "methadone"),
    ],
)
def test_other_names_of_the_opioids(name, key):
    assert load().drug(name).key == key


@pytest.mark.parametrize("key", [key for key, drug in load().drugs.items() if drug.disposition])
def test_no_drug_forms_more_than_it_loses(key):
    drug = load().drugs[key]
    assert sum(drug.number(name).value for name in drug.disposition.feeds.values()) <= 1


@pytest.mark.parametrize(
    ("key", "route"), [(drug.key, route) for drug in load().drugs.values() for route in drug.routes]
)
def test_no_route_delivers_more_than_the_dose(key, route):
    drug = load().drugs[key]

    def value(name):
        return 1.0 if name is None else drug.number(name).value

    delivered = sum(
        (value(part.of) - (value(part.less) if part.less else 0.0)) * value(part.times)
        for branch in drug.routes[route].branches
        for part in branch.deliver
    )
    assert 0 < delivered <= 1 + 1e-9


def test_parallel_inputs_split_what_is_absorbed():
    number = load().drug("oxycodone").number
    assert number("oral_er.fast").value + number("oral_er.slow").value == pytest.approx(1)
    number = load().drug("buprenorphine").number
    for way in ("sl", "sc_depot", "sc_depot_weekly"):
        assert number(f"{way}.fast").value + number(f"{way}.slow").value == pytest.approx(1)


def test_metabolites_that_act_are_followed():
    feeds = {key: set(drug.disposition.feeds) for key, drug in load().drugs.items() if drug.disposition}
    assert feeds["morphine"] == {"m6g", "m3g"}
    assert feeds["codeine"] == {"morphine", "c6g", "m6g", "m3g"}
    assert feeds["hydrocodone"] == {"hydromorphone"}
    assert feeds["oxycodone"] == {"oxymorphone"}
    assert feeds["buprenorphine"] == {"norbuprenorphine"}


def test_the_whole_dose_of_codeine_gives_the_published_shares():
    number = load().drug("codeine").number
    swallowed = number("oral.fa").value - number("oral.f").value
    # 11 ug.h/L x 82.4 L/h / 21.0 mg of morphine equivalents = 0.043, the arithmetic of the dossier.
    for name, share in (("fm.morphine", 0.043), ("fm.c6g", 0.6)):
        assert (swallowed + number("oral.f").value) * number(name).value == pytest.approx(share, rel=0.01)


def test_heroin_by_mouth_brings_neither_heroin_nor_its_first_metabolite():
    drug = load().drug("heroin")
    (branch,) = drug.routes["oral"].branches
    assert {part.species for part in branch.deliver} == {"morphine", "m6g", "m3g"}
    swallowed = load().drug("morphine").number("oral.f").value
    assert drug.number("oral.morphine").value == swallowed


def test_what_stays_out_of_the_brain_binds_only_in_the_gut():
    assert set(load().drug("methylnaltrexone").binding) == {"mor_gut"}


@pytest.mark.parametrize("key", ["cocaine", "m3g"])
def test_what_is_inert_binds_nothing(key):
    assert load().drug(key).binding == {}


def test_only_cocaine_and_ethanol_are_no_opioids():
    assert [drug.key for drug in load().drugs.values() if drug.role == "non-opioid"] == ["cocaine", "ethanol"]


def test_carfentanil_has_no_published_challenge():
    assert all(route.challenge is None for route in load().drug("carfentanil").routes.values())


@pytest.mark.parametrize("key", [key for key, drug in load().drugs.items() if drug.role in AGONISTS])
def test_an_agonist_says_how_it_acts_and_how_sure_that_is(key):
    drug = load().drugs[key]
    assert {"mor", "kor", "dor", "mor_gut"} <= set(drug.binding)
    assert drug.number("mor.efficacy").value > 0
    assert drug.number("mor.factor").uncertainty.cv > 0


def test_the_conflict_over_buprenorphine_stands_side_by_side():
    number = load().drug("buprenorphine").number("mor.factor")
    ways = {value.key: value.value for value in number.values}
    assert number.chosen_key == "fitted"
    assert 12 < ways["pet"] / ways["ventilation"] < 17  # as printed, from the levels of the same people
    assert ways["fitted"] / ways["ventilation"] > 8  # through the regimen: still no reconciliation
    assert ways["analgesia"] == pytest.approx(ways["pet"], rel=0.05)
    breathing = load().effects["ventilation_isohypercapnic"].numbers["transduction.buprenorphine"]
    # What breathing needs on top of the scans: curves of one group say more, a dose series says none.
    low, high = np.quantile(load().posterior["ventilation_isohypercapnic.transduction.buprenorphine"], [0.05, 0.95])
    assert low < 1 < breathing.value < 5.5 < high
    assert {value.key: value.value for value in breathing.values}["none"] == 1.0


def test_the_share_of_a_sublingual_dose_falls_with_the_dose():
    drug = load().drug("buprenorphine")
    law = drug.routes["sl"].by_dose
    assert drug.number(law.reference).value == 16
    shares = [drug.number("sl.f").value * (mg / 16) ** drug.number(law.exponent).value for mg in (2, 8, 24)]
    assert shares == pytest.approx([0.30, 0.18, 0.12], abs=0.005)  # as the row of evidence prints them


def test_a_covariate_may_be_the_class_of_cyp2d6():
    covariate = {"on": "fm", "of": "cyp2d6", "form": "factor", "factors": {"PM": "fm.pm"}}
    drug = drug_from_dict({"key": "x", "name": "x", "role": "prodrug", "covariate": [covariate]})
    assert drug.covariates[0].of == "cyp2d6"
