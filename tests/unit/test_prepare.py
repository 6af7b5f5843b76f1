"""One pipeline: prepare, solve, read serve a run, a trial, a rescue and the guard alike."""

import numpy as np
import pytest

import schild
from schild.catalog import load
from schild.drinking import laboratory
from schild.engine.kept import keeping
from schild.engine.run import H_MAX, EngineEvents
from schild.errors import InputError
from schild.people import Values
from schild.population import Population, Subject, people_of
from schild.regimen import expand, parse_regimen
from schild.simulation.effects import Effects
from schild.simulation.prepare import Prepared, prepare
from schild.simulation.registry import outputs_of
from schild.simulation.solve import engine_events, events_of_each
from schild.trial import Trial
from schild.units import TICKS_PER_HOUR, ticks

NAMES = ["plasma_naltrexone", "mor_pet_occupancy"]


def _prepared(words="naltrexone 50 mg po q24h x2", n=3, **structure):
    values = Values(load(), people_of(Population(n=n), load(), 1))
    return prepare(values, expand(parse_regimen(words), ticks("2 d")), **structure)


def test_the_steps_taken_apart_give_the_outputs_of_a_run(monkeypatch):
    # A run has reducers and its steps are as short as they need; here both take the same.
    monkeypatch.setattr("schild.engine.run.H_FREE", H_MAX)
    run = schild.simulate("naltrexone 50 mg po q24h x2", until="2 d", every="4 h", n=3, outputs=NAMES, plain_grid=True)
    prepared = _prepared()
    recipes = outputs_of(Effects(built=prepared.built), NAMES)
    times = [k * 4 * TICKS_PER_HOUR for k in range(13)]
    found = prepared.outputs(times, recipes, dtype=np.float32)
    for name in NAMES:
        np.testing.assert_array_equal(found[name].values, run[name].values)


def test_steps_before_outputs_that_lie_close_together_are_as_long_as_elsewhere(monkeypatch):
    values = Values(load(), people_of(Population(n=8), load(), 1))
    prepared = prepare(values, expand(parse_regimen("naltrexone 380 mg im_depot"), ticks("15 d")), receptors=("mor",))
    recipes = outputs_of(Effects(built=prepared.built), NAMES[1:])
    times = [14 * 24 * TICKS_PER_HOUR + k * TICKS_PER_HOUR // 60 for k in range(121)]
    few = prepared.solve(times, recipes)
    monkeypatch.setattr("schild.engine.run.H_FREE", H_MAX)
    many = prepared.solve(times, recipes)
    assert (few.engine.counts[:, 0] < 0.5 * many.engine.counts[:, 0]).all()
    np.testing.assert_allclose(few.engine.out, many.engine.out, atol=5e-5)


def test_runs_that_share_their_people_record_what_each_of_them_used():
    use = {"history": "heroin 25 mg iv q6h for 12 d", "outputs": ["cows", "mor_pet_occupancy"], "warn": False}

    def run(dose, n=4, uncertainty=2):
        population = {"n": n, "uncertainty": uncertainty}
        return schild.simulate(dose, until="2 d", every="12 h", population=population, **use)

    doses = ("naltrexone 50 mg po at 1 d", "naltrexone 100 mg po at 1 d")
    alone = [run(dose) for dose in doses]
    with keeping():
        together = [run(dose) for dose in doses]
    for one, shared in zip(alone, together, strict=True):
        assert (shared.sources, shared.warnings, shared.manifest) == (one.sources, one.warnings, one.manifest)
        # One person's numbers are not kept, so each is recorded as it is read.
        assert shared.sources == run("naltrexone 50 mg po at 1 d", n=1, uncertainty=1).sources
        for name, output in one.outputs.items():
            np.testing.assert_array_equal(shared[name].values, output.values)


def test_people_with_events_of_their_own_are_as_if_alone():
    prepared = _prepared("naltrexone 50 mg po", n=3, receptors=("mor",))
    recipes = outputs_of(Effects(built=prepared.built), NAMES)
    times = [k * TICKS_PER_HOUR for k in range(25)]
    shift_h = np.array([0.0, 3.0, 0.0])

    def own(program, entries):
        plain = engine_events(program, entries)
        keep = np.ones((3, plain.time.size), dtype=bool)
        keep[2] = False  # the third person takes nothing
        return events_of_each(plain, plain.time[None, :] + shift_h[:, None], keep)

    same, moved = prepared.outputs(times, recipes), prepared.outputs(times, recipes, tabulate=own)
    for name in NAMES:
        a, b = same[name].values, moved[name].values
        np.testing.assert_allclose(b[0], a[0], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(b[1, 3:], a[1, :-3], rtol=1e-3, atol=1e-4)
        assert not b[2].any() or (name == "mor_pet_occupancy" and abs(b[2]).max() < 1e-9)


def test_events_of_each_are_in_the_order_of_time_and_keep_their_own():
    plain = EngineEvents.build([(t, 0, 0, 10.0 * t, 0, 0.0, -1.0, 0.0, 0.0, 1e-3) for t in (1.0, 2.0, 3.0)])
    time = np.array([[1.0, 2.0, 3.0], [9.0, 2.0, 3.0]])
    keep = np.array([[True, True, True], [True, False, True]])
    found = events_of_each(plain, time, keep)
    assert found.time.tolist() == [1.0, 2.0, 3.0, 3.0, 9.0]
    assert found.amount.tolist() == [10.0, 20.0, 30.0, 30.0, 10.0]
    assert (found.first.tolist(), found.last.tolist()) == ([0, 3], [3, 5])


def test_a_person_who_cannot_be_solved_ends_the_reading_of_outputs():
    values = Values(load(), people_of(Subject(), load(), 1), {"naltrexone.oral.ka": 1e300})
    prepared = prepare(values, expand(parse_regimen("naltrexone 50 mg po"), ticks("1 d")))
    recipes = outputs_of(Effects(built=prepared.built), NAMES)
    with pytest.raises(InputError, match="1 of 1 people could not be solved"):
        prepared.outputs([0, TICKS_PER_HOUR], recipes)


@pytest.mark.parametrize(
    "verb",
    [
        lambda: schild.simulate("naltrexone 50 mg po", until="2 h", every="1 h"),
        lambda: schild.challenge("naltrexone 50 mg po", agonist="heroin 5 mg iv", at="24 h", effect="liking"),
        lambda: schild.plan("naltrexone", target=0.8, n=2, draws=0),
        lambda: schild.rescue("morphine 30 mg iv", ["none"], n=1, until="1 min"),
        lambda: laboratory("fixed_dose", n=2),
        lambda: schild.run_trial(Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"}, n=2, weeks=4)),
    ],
    ids=["simulate", "challenge", "plan", "rescue", "laboratory", "trial"],
)
def test_every_verb_solves_through_the_pipeline(verb, monkeypatch):
    solved = []
    plain = Prepared.solve

    def solve(self, *args, **options):
        solved.append(self)
        return plain(self, *args, **options)

    monkeypatch.setattr(Prepared, "solve", solve)
    verb()
    assert solved


def test_people_are_solved_some_at_a_time_with_the_same_bits(monkeypatch):
    def run():
        return schild.simulate(
            "naltrexone 50 mg po q24h x3; morphine 5 mg iv at 30 h", until="3 d", every="6 h", n=20, warn=False,
            outputs=["plasma_naltrexone", "mor_pet_occupancy", "cows"],
            history="morphine 30 mg po q12h for 60 d stopped 1 d",
        )  # fmt: skip

    whole = run()
    monkeypatch.setattr("schild.simulation.solve.PEOPLE", 8)
    parts = run()
    for name in whole.outputs:
        assert np.array_equal(whole[name].values, parts[name].values)
    assert whole.each.keys() == parts.each.keys()
    assert all(np.array_equal(whole.each[name], parts.each[name], equal_nan=True) for name in whole.each)
    assert np.array_equal(whole["plasma_naltrexone"].at("7.3 h"), parts["plasma_naltrexone"].at("7.3 h"))


def test_entries_that_name_no_drug_of_the_run_are_said():
    options = {"until": "2 d", "every": "1 d", "outputs": ["plasma_naltrexone"]}
    run = schild.simulate("naltrexone 50 mg po", "naloxone 0.4 mg iv at 5 d", without=["morphine"], **options)
    assert "naloxone 0.4 mg iv at 5 d lies after the end of the run at 2 d; it is left out." in run.warnings
    assert "without names morphine, which is not a drug of this run or a metabolite of one." in run.warnings
    told = schild.simulate("naltrexone 50 mg po", without=["endogenous"], **options).warnings
    assert told[0].endswith("not a drug of this run or a metabolite of one. Leave it out with tone = false.")
    told = schild.simulate("naltrexone 50 mg po", structure={"morphine": "slow_receptor"}, **options).warnings
    assert told == ("structure names morphine, which is not a drug of this run or a metabolite of one.",)
    told = schild.simulate("morphine 10 mg iv", structure="slow_receptor", until="1 h", outputs=["plasma_morphine"])
    assert told.warnings == ("structure = slow_receptor was given, and no drug of this run has it.",)
    quiet = schild.simulate("LDN 4.5 mg po", without=["beta_naltrexol"], structure={"LDN": "slow_receptor"}, **options)
    assert quiet.warnings == ()


@pytest.mark.parametrize("dose", ["naltrexone 50 mg po q24h x3", "heroin 5 mg im; naltrexone 50 mg po at 1 h"])
def test_levels_of_a_parent_do_not_depend_on_what_is_formed_from_it(dose):
    drug = dose.split()[0]
    one, every = (
        schild.simulate(dose, until="3 d", n=5, warn=False, outputs=outputs)
        for outputs in ([f"plasma_{drug}"], None)
    )  # fmt: skip
    shown = next(iter(one.outputs.values()))
    prepared = _prepared(dose).built
    assert len(prepared.spec.for_signals([shown.name]).for_levels([shown.name]).species) < len(prepared.spec.species)
    assert shown.values == pytest.approx(every[shown.name].values, rel=1e-6, abs=1e-9 * float(shown.values.max()))
    assert one.sources.keys() <= every.sources.keys()
