"""One way from catalogue, person and overrides to a value: what is given acts everywhere, is recorded and is cited."""

import math

import numpy as np
import pytest

import schild
from schild.catalog import load
from schild.catalog.effects import read_adaptation
from schild.catalog.reader import Table
from schild.drinking import laboratory
from schild.drinking.experiment import sit
from schild.drinking.people import drinkers
from schild.drinking.protocols import protocol
from schild.errors import CatalogueError, UnknownNameError
from schild.people import Values
from schild.people.values import spread
from schild.population import Population, people_of
from schild.simulation import Run, simulate_run
from schild.trial import Trial
from schild.trial.parts import trial_key

HEROIN = ("heroin 25 mg iv",)
MECHANISM = next(key for key, entry in load().adaptation.items() if entry.default)


def _run(**options):
    return schild.simulate(*HEROIN, until="4 h", every="30 min", **options)


# ---- what is given acts, or is said ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["heroin.clx", "xyz.abc", "liking.reserv"])
def test_an_unknown_number_ends_a_run(name):
    with pytest.raises(UnknownNameError):
        _run(overrides={name: 1})


def test_efficacy_zero_at_mu_takes_liking_to_zero():
    none = {f"{drug}.mor.efficacy": 0 for drug in ("heroin", "mam", "morphine", "m6g")}
    assert _run(outputs=["liking"])["liking"].value.max() > 50
    assert _run(outputs=["liking"], overrides=none)["liking"].value.max() == 0


def test_a_molar_mass_acts_on_molar_quantities_only():
    plain, light = (
        schild.simulate("naltrexone 50 mg iv", until="4 h", overrides=given)
        for given in (None, {"naltrexone.mw": 341.4 / 2})
    )
    assert light.metrics["cmax_naltrexone_ng_ml"] == pytest.approx(plain.metrics["cmax_naltrexone_ng_ml"])
    assert light["free_naltrexone"].at("2 h") == pytest.approx(2 * plain["free_naltrexone"].at("2 h"), rel=2e-3)


def test_a_value_in_words_is_that_value():
    in_words, plain = (
        schild.simulate("naltrexone 50 mg po", until="8 h", overrides={"naltrexone.cl": cl, "naltrexone.mor.kd": kd})
        for cl, kd in (("2 L/min", "500 pM"), (120.0, 0.5))
    )
    np.testing.assert_allclose(in_words["plasma_naltrexone"].values, plain["plasma_naltrexone"].values, rtol=1e-12)


def test_a_plain_name_stands_for_the_number_of_the_structure_in_use():
    slow = schild.simulate("naltrexone 50 mg po", until="8 h", overrides={"naltrexone.ke0": "0.01 1/h"})
    fast = schild.simulate("naltrexone 50 mg po", until="8 h")
    assert slow["free_naltrexone"].at("2 h") < 0.8 * fast["free_naltrexone"].at("2 h")
    assert not any("ke0" in warning for warning in slow.warnings)


def test_a_number_that_nothing_uses_is_named():
    found = schild.simulate(
        "naltrexone 50 mg po", until="4 h", structure="plasma_equilibrium",
        overrides={"naltrexone.ke0": 0.05, "morphine.cl": 60, "naltrexone.mor.kd": 1},
    )  # fmt: skip
    said = [warning for warning in found.warnings if "no number of this run uses it" in warning]
    assert len(said) == 3
    assert "naltrexone.ke0 was given" in said[0]
    assert "morphine.cl was given" in said[1]
    assert "It uses naltrexone.plasma_equilibrium.mor.kd" in said[2]


def test_an_unused_covariate_is_named_and_a_used_one_is_not():
    subject = {"liver": "mild", "age": "70 years", "weight": "90 kg"}
    found = schild.simulate("naltrexone 50 mg po", until="4 h", subject=subject)
    assert [w for w in found.warnings if "no number of this run depends on" in w] == [
        "liver = mild was given, and no number of this run depends on it."
    ]
    severe = schild.simulate("naltrexone 50 mg po", until="4 h", subject={"liver": "severe"})
    assert not any("depends on" in w for w in severe.warnings)
    many = schild.simulate("fentanyl 50 ug iv", until="2 h", population={"n": 3, "liver": "severe", "cyp2d6": "PM"})
    assert any("liver = severe, cyp2d6 = PM were given" in w for w in many.warnings)


def test_weight_counts_as_used_where_a_dose_is_per_kilogram():
    found = schild.simulate("heroin 0.1 mg/kg iv", until="2 h", subject={"weight": "90 kg"})
    assert not any("weight" in w for w in found.warnings)


# ---- the manifest and the run file -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {"ventilation_isohypercapnic.reserve": 4}, {"heroin.mor.efficacy": 0.2}, {"morphine.mw": 300},
        {f"{MECHANISM}.tau_residual": "20 d"}, {"endogenous.mor.e0": 0.1}, {"pupil.baseline": "5 mm"},
        {"adult.weight.mean": "80 kg"},
    ],
)  # fmt: skip
def test_every_number_that_a_run_uses_is_in_its_manifest(given):
    options = {"population": {"n": 2}, "adaptation": True, "warn": False}
    plain, changed = (_run(**options, overrides=x) for x in (None, given))
    (name,) = given
    assert name.partition(".")[0] in plain.manifest["catalogue"]
    assert changed.manifest["catalogue"] != plain.manifest["catalogue"]
    assert changed.manifest["numbers"] != plain.manifest["numbers"] == {}


def test_the_manifest_leaves_out_what_the_run_does_not_use():
    found = schild.simulate("naltrexone 50 mg po", until="4 h", outputs=["plasma_naltrexone"])
    assert not {"morphine", "pupil", MECHANISM, "trial"} & set(found.manifest["catalogue"])


def test_a_result_writes_the_run_file_that_made_it(tmp_path):
    made = _run(overrides={"heroin.cl": "20 L/min", "pupil.baseline": 5}, population={"n": 3}, seed=4, title="a run")
    text = made.run_file()
    assert '[numbers]\n"heroin.cl" = ' in text
    file = tmp_path / "run.toml"
    file.write_text(text, encoding="utf-8")
    again = simulate_run(Run.from_toml(file))
    assert again.manifest == made.manifest
    np.testing.assert_array_equal(again["pupil"].values, made["pupil"].values)
    assert again.run_file() == text


def test_a_run_file_may_quote_names_or_write_tables(tmp_path):
    file = tmp_path / "run.toml"
    runs = []
    for numbers in ('"naltrexone.cl" = "120 L/h"', 'naltrexone.cl = "120 L/h"'):
        file.write_text(f'[[dose]]\nregimen = "naltrexone 50 mg po"\n\n[numbers]\n{numbers}\n', encoding="utf-8")
        runs.append(Run.from_toml(file))
    assert runs[0] == runs[1]
    assert runs[0].numbers == {"naltrexone.cl": "120 L/h"}


# ---- copies, citations -------------------------------------------------------------------------------------------


def test_a_copy_differs_between_people_as_its_origin_does():
    people = people_of(Population(n=300), load(), 1)
    values = Values(load(), people)
    origin, copy = (values.of(f"ventilation{end}", "sensitivity") for end in ("_isohypercapnic", ""))
    assert np.std(copy) == pytest.approx(0.55, abs=0.05)
    np.testing.assert_array_equal(copy, origin)


def test_every_copy_has_the_spread_of_its_origin():
    catalogue = load()
    for owner in catalogue.owners:
        for name, number in catalogue.numbers_of(owner).items():
            if number.same_as:
                of, _, what = number.same_as.partition(":")
                origin = catalogue.numbers_of(of)[what]
                assert (number.between_subject is None) == (origin.between_subject is None), f"{owner}.{name}"


def test_people_who_drink_the_same_have_peaks_of_one_distribution():
    found = schild.simulate("ethanol 0.6 g/kg po", until="6 h", every="5 min", n=200)
    peaks = np.asarray(found["bac"].values).max(axis=1)
    assert len(np.unique(peaks)) == 200
    spread = np.std(np.log(peaks))
    assert 0.1 < spread < 0.5


def test_a_run_and_a_session_have_the_same_ethanol():
    n, catalogue = 40, load()
    run = schild.simulate("ethanol 0.6 g/kg po", until="3 h", every="5 min", n=n, receptors=["mor"])
    values = Values(catalogue, people_of(Population(n=n), catalogue, 1))
    people = drinkers(values)
    plan = protocol("fixed_dose", hours=3.0, grams_per_kg=0.6)
    session = sit(plan, people, np.zeros(n), 1, "placebo")
    for ours, theirs in (("bac", "bac"), ("release", "endorphin")):
        a, b = np.asarray(run[ours].values, dtype=float), session.signal(theirs)
        if theirs == "endorphin":
            b = b / b[:, :1]
        peaks = a.max(axis=1), b.max(axis=1)
        assert np.corrcoef(*peaks)[0, 1] > 0.999, ours
        np.testing.assert_allclose(*peaks, rtol=5e-3)


def test_the_sources_of_effects_and_adaptation_are_cited():
    found = _run(adaptation=True, warn=False)
    cited = {name for names in found.sources.values() for name in names}
    catalogue = load()
    for effect in catalogue.effects:
        if effect in found.outputs:
            assert any(name.startswith(f"{effect}.") for name in cited), effect
            for name in (*catalogue.effects[effect].reserve.values(), catalogue.effects[effect].slope):
                for source in catalogue.effects[effect].numbers[name].chosen.source:
                    assert f"{effect}.{name}" in found.sources[source]
                    assert source in found.cite()
    assert {f"{MECHANISM}.half", "heroin.mor.efficacy"} <= cited


def test_values_without_people_are_typical():
    values = Values(load(), overrides={"naltrexone.cl": 100})
    assert values.of("naltrexone", "cl") == values.typical("naltrexone", "cl") == 100
    assert math.isclose(values.efficacy("mor", "fentanyl"), load().drug("fentanyl").number("mor.efficacy").value)
    with pytest.raises(UnknownNameError, match="number of naltrexone"):
        values.of("naltrexone", "clx")


# ---- the same in every verb --------------------------------------------------------------------------------------

VERBS = {
    "simulate": lambda **given: schild.simulate("naltrexone 50 mg po", until="2 h", **given),
    "challenge": lambda **given: schild.challenge(
        "naltrexone 100 mg po", agonist="heroin 25 mg iv", at="24 h", effect="liking", **given
    ),
    "plan": lambda **given: schild.plan("naltrexone", target=0.8, n=3, draws=0, **given),
    "laboratory": lambda **given: laboratory("fixed_dose", n=3, **given),
    "trial": lambda **given: schild.run_trial(
        Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"}, n=3, weeks=4), **given
    ),
    "rescue": lambda **given: schild.rescue("fentanyl 1.625 mg iv", ["none"], n=1, until="1 min", **given),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_refuses_an_unknown_number_and_says_an_unused_one(verb):
    with pytest.raises(UnknownNameError, match="Did you mean"):
        VERBS[verb](overrides={"naltrexone.clx": 1})
    found = VERBS[verb](overrides={"codeine.cl": "1 L/min"})
    assert [w for w in found.warnings if "codeine.cl was given, and no number" in w]
    assert "codeine.cl" in found.manifest["numbers"]


@pytest.mark.parametrize(
    ("verb", "name", "value"),
    [
        ("challenge", "naltrexone.oral.f", "1 %"), ("challenge", "liking.noise", 1),
        ("plan", "naltrexone.oral.f", "1 %"),
        ("laboratory", "naltrexone.oral.f", "1 %"), ("laboratory", "alcohol.vmax", "2 g/h"),
        ("laboratory", "ethanol.km", "0.1 g/L"), ("trial", "naltrexone.oral.f", "1 %"),
        ("trial", "adult.weight.mean", 90),
        ("trial", "trial.adherence.daily", 0.2), ("trial", "alcohol.day.drink.reward", 1),
        ("rescue", "rescue.fentanyl.k_el", "0.004 1/s"), ("rescue", "rescue.protocol.trigger", "50 %"),
    ],
)  # fmt: skip
def test_what_is_given_is_in_the_manifest_of_every_verb(verb, name, value):
    plain, changed = VERBS[verb](), VERBS[verb](overrides={name: value})
    assert not any("no number of this run uses it" in w for w in changed.warnings)
    owner = name.partition(".")[0]
    assert changed.manifest["catalogue"][owner] != plain.manifest["catalogue"][owner]


def test_people_of_the_published_rescue_move_with_the_typical_number():
    from schild.overdose.population import naloxone_people, opioid_people

    values = Values(load(), overrides={"rescue.fentanyl.k_el": 2 * load().rescue["fentanyl.k_el"].value})
    plain, moved = opioid_people("fentanyl", 5, 1), opioid_people("fentanyl", 5, 1, values)
    np.testing.assert_allclose(moved.k_el, 2 * plain.k_el)
    np.testing.assert_array_equal(moved.k12, plain.k12)
    np.testing.assert_array_equal(naloxone_people("in_4mg", 5, 1, values)[1].f, naloxone_people("in_4mg", 5, 1)[1].f)


def test_the_key_of_a_trial_covers_every_number_used():
    catalogue, trial = load(), Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"}, n=3)
    keys = [
        trial_key(trial, catalogue, given)
        for given in (
            None, {"naltrexone.cl": 1}, {"beta_naltrexol.cl": 1}, {"endogenous.mor.e0": 0.1}, {"adult.age.mean": 50},
            {"trial.leave.weekly": 0.01}, {"alcohol.release.gain": 0.1}, {"beta_naltrexol.mor.koff": 1},
        )
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    samidorphan = Trial.of({"name": "a", "drug": "samidorphan", "amount": "10 mg"}, n=3)
    assert trial_key(samidorphan, catalogue) != keys[0]


@pytest.mark.parametrize("name", ["pupil.baseline", "liking.range", "alcohol.breath.ratio"])
def test_a_number_that_only_an_output_reads_is_no_unused_one(name):
    words = "ethanol 20 g po" if name.startswith("alcohol") else "heroin 5 mg iv"
    value = 1.1 * load().numbers_of(name.partition(".")[0])[name.partition(".")[2]].value
    found = schild.simulate(words, until="1 h", every="30 min", overrides={name: value})
    assert not any("no number of this run uses it" in warning for warning in found.warnings)


def test_the_uncertainty_of_adaptation_is_drawn_together():
    entry = load().adaptation["response_two_state"]
    who = people_of(Population(n=1, draws=3000), load(), seed=3)
    found = Values(load(), who)
    logs = np.array([np.log(found.of(entry.key, name)) for name in ("slope", "w_slow")])
    i, j = entry.correlated.index("slope"), entry.correlated.index("w_slow")
    assert np.corrcoef(logs)[0, 1] == pytest.approx(entry.correlation[i][j], abs=0.06)
    assert logs.std(axis=1) == pytest.approx(
        [entry.numbers[n].uncertainty.omega for n in ("slope", "w_slow")], rel=0.05
    )


def test_a_correlation_of_a_number_that_is_not_there_is_named():
    text = 'name = "x"\ndrive = "response"\ncorrelated = ["slop"]\ncorrelation = [[1.0]]\n'
    with pytest.raises(CatalogueError, match="correlates 'slop'"):
        read_adaptation("x", Table.of(text, "adaptation.toml"), lambda owner, name: load().drug(owner).number(name))


@pytest.mark.parametrize(
    ("drug", "name", "share"), [("fentanyl", "in.f", 0.3), ("methadone", "oral.f", 0.2), ("nalmefene", "in.f", 0.3)]
)
def test_fractions_near_their_bound_are_spread_in_log_odds(drug, name, share):
    catalogue = load()
    number = catalogue.drugs[drug].numbers[name]
    z = np.random.default_rng(1).standard_normal(20_000)
    omega = number.between_subject.omega
    clipped = number.value * np.exp(omega * z) >= number.bounds[1]
    assert clipped.mean() > 0.7 * share  # what a log-normal spread would hold at the bound
    found = spread(number, number.value, number.value, omega, z)
    assert found.max() < number.bounds[1]
    assert np.median(found) == pytest.approx(number.value, rel=0.01)
    # One standard deviation below lies where the log-normal has it.
    assert np.quantile(found, 0.158655) == pytest.approx(number.value * np.exp(-omega), rel=0.02)
    assert (np.diff(found[np.argsort(z)]) >= 0).all()


def test_fractions_far_from_their_bound_stay_log_normal():
    number = load().drugs["naltrexone"].numbers["oral.f"]
    z = np.array([-1.0, 0.5, 2.0])
    assert spread(number, number.value, number.value, 0.4, z) == pytest.approx(number.value * np.exp(0.4 * z))


def test_nobody_is_held_at_the_bound_of_a_fraction():
    for words in ("fentanyl 100 ug in", "methadone 30 mg po", "methylnaltrexone 12 mg sc", "naloxone 4 mg in"):
        found = schild.simulate(words, until="1 h", n=500, warn=False)
        assert not [w for w in found.warnings if "limit was taken" in w]
