"""Numbers given in place of the catalogue's: names and units are checked once, for every verb alike."""

import pytest

import schild
from schild.catalog import load
from schild.errors import InputError, UnknownNameError
from schild.people import Overrides


def _of(**given):
    return Overrides.of({name.replace("__", "."): value for name, value in given.items()}, load())


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("120 L/h", 120.0), ("2 L/min", 120.0), ("100 mL/min", 6.0), (120, 120.0), (120.0, 120.0),
    ],
)  # fmt: skip
def test_a_value_with_a_unit_is_converted_to_the_unit_of_the_number(given, value):
    assert Overrides.of({"naltrexone.cl": given}, load())["naltrexone.cl"] == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("naltrexone.mor.kd", "0.5 nM", 0.5), ("naltrexone.mor.kd", "500 pM", 0.5), ("naltrexone.oral.f", "50 %", 0.5),
        ("naltrexone.oral.f", "0.5", 0.5), ("pupil.baseline", "0.5 cm", 5.0), ("two_state.tau_residual", "2 d", 48.0),
        ("adult.weight.mean", "60 kg", 60.0), ("alcohol.vmax", "95 mg/min", 5.7), ("trial.limit.male", 6, 6.0),
        ("rescue.lung.shunt", "5 %", 0.05), ("diamorphine.mw", "400 g/mol", 400.0),
    ],
)  # fmt: skip
def test_every_owner_of_numbers_takes_values(name, given, value):
    found = Overrides.of({name: given}, load())
    assert list(found.values()) == [pytest.approx(value)]


def test_another_name_of_a_drug_is_its_key():
    assert list(Overrides.of({"diamorphine.mw": 400}, load())) == ["heroin.mw"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("naltrexone.clx", "No number of naltrexone is called 'clx'. Did you mean 'cl'"),
        ("xyz.abc", "is called 'xyz'"), ("naltrexon.cl", "Did you mean 'naltrexone'"), ("pupil.baselin", "'baseline'"),
        ("two_stat.tau_residual", "'two_state'"), ("alcohol.vmx", "'vmax'"), ("trial.limit.mal", "'limit.male'"),
        ("rescue.lung.shnt", "'lung.shunt'"), ("adult.weight.men", "'weight.mean'"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_an_error_with_the_nearest_names(name, says):
    with pytest.raises(UnknownNameError) as error:
        Overrides.of({name: 1}, load())
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("naltrexone.cl", "5 mg", "'5 mg' has the unit 'mg'; expected naltrexone.cl in L/h"),
        ("naltrexone.cl", "5", "has no unit"), ("naltrexone.oral.f", "5 nM", "without a unit"),
        ("naltrexone.cl", float("nan"), "finite"), ("naltrexone.cl", None, "finite"), ("naltrexone.cl", True, "finite"),
        ("naltrexone.cl", "fast", "is not naltrexone.cl"), ("naltrexone.cl", -1, "0 L/h or more"),
        ("morphine.mor.efficacy", 1.5, "0 to 1"), ("naltrexone.mor.efficacy", -0.5, "0 to 1"),
        ("liking.slope", -1, "0.01 or more"), ("liking.noise", -1, "0 points or more"),
        ("alcohol.e0", 0.5, "0 to 0.3"), ("naltrexone.vc", 0, "above 0 L"), ("naltrexone", 1, "its owner and its name"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_an_error(name, given, says):
    with pytest.raises(InputError) as error:
        Overrides.of({name: given}, load())
    assert says in str(error.value)


def test_the_largest_published_dose_cannot_be_replaced():
    number = load().drug("heroin").routes["iv"].challenge
    with pytest.raises(InputError, match="cannot be replaced"):
        Overrides.of({f"heroin.{number}": 1000}, load())


def test_no_rival_value_replaces_a_largest_published_dose():
    numbers = [n for owner in load().owners for n in load().numbers_of(owner).values()]
    for key in {value.key for n in numbers for value in n.rivals}:
        try:
            found = Overrides.of({"rivals": key}, load())
        except UnknownNameError:
            continue
        assert not [name for name in found if "challenge." in name], key


def test_checked_overrides_are_not_checked_again():
    found = _of(naltrexone__ke0=0.05)
    assert Overrides.of(found, load()) is found
    assert Overrides.of(None, load()) == {}
    with pytest.raises(InputError, match="mapping"):
        Overrides.of(["naltrexone.cl"], load())


def test_every_owner_lists_its_numbers():
    catalogue = load()
    assert len(set(catalogue.owners)) == len(catalogue.owners)
    for owner in catalogue.owners:
        assert catalogue.numbers_of(owner), owner


def test_rival_values_are_taken_by_their_key_and_a_named_number_stays():
    found = Overrides.of({"rivals": "joint", "liking.slope": 3.0}, load())
    numbers = load().numbers_of("liking")
    assert found["liking.slope"] == 3.0
    assert found["liking.reserve"] == next(v.value for v in numbers["reserve"].rivals if v.key == "joint")
    assert found["liking.reserve"] != numbers["reserve"].value
    assert "liking.slope" not in found.by_key
    assert "liking.reserve" in found.by_key
    assert found.and_({"liking.reserve": 2.0}, load()).by_key == found.by_key - {"liking.reserve"}
    with pytest.raises(UnknownNameError, match="joint"):
        Overrides.of({"rivals": "jiont"}, load())


def test_rival_values_that_no_number_uses_are_said_once():
    found = schild.simulate("naltrexone 50 mg po", until="1 d", overrides={"rivals": "joint"})
    assert [w for w in found.warnings if "was given" in w or "were given" in w] == [
        "Rival values were given, and no number of this run uses one."
    ]
    found = schild.simulate("heroin 25 mg iv", until="1 h", outputs=["liking"], overrides={"rivals": "joint"})
    assert not [w for w in found.warnings if "given, and no number" in w]
    (joint,) = (v.value for v in load().effects["liking"].numbers["slope"].values if v.key == "joint")
    assert found.manifest["numbers"]["liking.slope"] == joint != load().effects["liking"].numbers["slope"].value
