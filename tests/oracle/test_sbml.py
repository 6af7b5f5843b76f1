"""The SBML reading, run again by libroadrunner, against the plain right-hand side and the kernel."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

from model_reference import collocate, plain
from schild.catalog import load
from schild.cli.sbml import document, text_of
from schild.errors import InputError
from schild.model.sbml import to_antimony, to_sbml
from schild.model.spec import Input, Ligand, ModelSpec, Receptor, Species
from schild.simulation import Run

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    libsbml = pytest.importorskip("libsbml")
    roadrunner = pytest.importorskip("roadrunner")

# Off every event: what a simulator reports at the very time of an event is its own choice.
TIMES = np.concatenate([[0.0], np.arange(0.5, 72.0, 1.0) + 0.003])

SPEC = ModelSpec(
    species=(Species(name="time"),),
    inputs=(Input(name="in", delivers=("time",)),),
    receptors=(Receptor(name="at", ligands=(Ligand(species="time", site="plasma"),), tone=True),),
)
NUMBERS = {
    "time.vc": 50.0, "time.cl": 20.0, "time.fu": 1.0, "in.fraction.time": 1.0, "at.time.kd": 1.0, "at.time.koff": 2.0,
    "at.endogenous.e0": 0.5, "at.endogenous.koff": 10.0,
}  # fmt: skip


def simulate(sbml, times, names):
    model = roadrunner.RoadRunner(sbml)
    integrator = model.getIntegrator()
    integrator.setValue("relative_tolerance", 1e-11)
    # A scalar would be scaled by each state at every restart, so by zero where a state has not begun.
    states = len(integrator.getAbsoluteToleranceVector())
    integrator.setValue("absolute_tolerance", [1e-13] * states)
    integrator.setValue("maximum_num_steps", 500_000)
    model.timeCourseSelections = list(names)
    return np.array(model.simulate(times=list(times))).T


@pytest.mark.parametrize("seed", [1, 2, 3, 6, 7, 12, 19, 26, 27, 34])
def test_libroadrunner_agrees_with_plain_model_and_kernel(random_case, seed):
    case = random_case(seed)
    names = [n for n in case.program.signals if n != "tone"]
    shown = to_antimony(case.spec, case.parameters, case.doses)
    found = simulate(
        to_sbml(case.spec, case.parameters, case.doses),
        TIMES,
        [n if f" {n} " in shown else f"{n.removeprefix('effect_')}_effect" for n in names],
    )
    expected = case.expected(collocate(plain(case.spec, case.parameters), case.doses, TIMES))
    kernel = case.kernel(TIMES, rtol=1e-9)
    for k, name in enumerate(names):
        curve = expected[name][1:]
        floor = (
            0.01
            if "_occupancy_" in name or name.endswith("_free") or name.startswith("adaptation_")
            else max(curve.max(), 1e-30)
        )
        size = np.maximum(np.abs(curve), floor)
        assert np.max(np.abs(found[k, 1:] - curve) / size) < 1e-6, name
        own = kernel.out[0, case.program.signal(name), 1:]
        assert np.max(np.abs(found[k, 1:] - own) / size) < 1e-6, name


@pytest.mark.parametrize("seed", range(12))
def test_the_document_is_valid(random_case, seed):
    case = random_case(seed)
    written = libsbml.readSBMLFromString(to_sbml(case.spec, case.parameters, case.doses))
    written.checkConsistency()
    assert (written.getLevel(), written.getVersion()) == (3, 2)
    assert [written.getError(k).getMessage() for k in range(written.getNumErrors())] == []


REGIMENS = [
    f"{drug.key} 1 mg {route}" + (f" product {product}" if product else "")
    for drug in load().drugs.values()
    for route in drug.routes
    for product in ("", *(p.key for p in drug.products.values() if p.route == route and not p.becomes))
]


def faults(run):
    """What libsbml finds, with every check it has: consistency of units, identifiers, practice."""
    written = libsbml.readSBMLFromString(text_of(document(run)))
    written.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, True)
    written.checkConsistency()
    written.checkInternalConsistency()
    return [written.getError(k).getMessage() for k in range(written.getNumErrors())]


@pytest.mark.parametrize("words", REGIMENS)
def test_units_are_consistent_for_every_drug_and_route(words):
    assert faults(Run.of(words, until="1 d")) == []


@pytest.mark.parametrize(
    "words",
    [
        ("morphine 10 mg iv over 1 h; reset at 3 h",),
        ("ethanol 28 g po product with_food", "naltrexone 50 mg po"),
        ("oxymorphone 2.5 mg po q6h x12",),
        ("fentanyl 1.8 mg td",),
    ],
)
def test_units_are_consistent_for_infusions_resets_adaptation_and_patches(words):
    assert faults(Run.of(*words, until="2 d")) == []
    assert "release_rise has nM_per_h" in text_of(document(Run.of("ethanol 28 g po")), antimony=True)


def test_more_doses_than_a_program_reads_are_refused():
    with pytest.raises(InputError, match=r"10,000 pieces of doses, .*expected at most 5,000"):
        document(Run.of("naltrexone 50 mg iv q1h x10000"))


def test_words_of_antimony_may_be_names():
    doses = [(0.0, "in", 10.0, 0.0), (0.0, "in", 5.0, 0.0), (1.0, "in", 4.0, 2.0)]
    found = simulate(to_sbml(SPEC, NUMBERS, doses), [0.0, 0.5], ["plasma_time"])
    assert found[0, 1] == pytest.approx(15.0 / 50.0 * np.exp(-0.4 * 0.5), rel=1e-9)


def test_simultaneous_things_are_one_event():
    doses = [(2.0, "in", 10.0, 0.0), (2.0, "reset", 0.0, 0.0), (1.0, "in", 3.0, 1.0), (2.0, "in", 5.0, 2.0)]
    text = to_antimony(SPEC, NUMBERS, doses)
    assert text.count(" at (time >= 2.0 hour)") == 1
    assert "in_inflow = 2.5" in text
    assert "time_central = 0 nmol + 10.0 nmol*in_fraction_time" in text


def test_a_reset_ends_an_infusion():
    text = to_antimony(SPEC, NUMBERS, [(1.0, "in", 8.0, 4.0), (2.0, "reset", 0.0, 0.0)])
    assert "at (time >= 5.0 hour)" not in text
    assert "in_inflow = 0.0" in text.split("time >= 2.0")[1]


def test_names_stay_apart():
    # Two names that differ in a dot only.
    spec = ModelSpec(
        species=(Species(name="a"), Species(name="a_b")),
        inputs=(Input(name="a.b", delivers=("a",)), Input(name="a_b", delivers=("a_b",))),
    )
    numbers = dict.fromkeys(["a.vc", "a.cl", "a.fu", "a_b.vc", "a_b.cl", "a_b.fu"], 1.0)
    text = to_antimony(spec, numbers | {"a.b.fraction.a": 0.25, "a_b.fraction.a_b": 0.75})
    made = [line.split(" =")[0].strip() for line in text.splitlines() if " has dimensionless" in line]
    assert len(made) == len(set(made)) == 4


@pytest.mark.parametrize(
    ("doses", "word"),
    [
        ([(0.0, "on", 1.0, 0.0)], "'on'"),
        ([(-1.0, "in", 1.0, 0.0)], "time from 0"),
        ([(0.0, "in", float("nan"), 0.0)], "finite"),
    ],
)
def test_impossible_doses_are_refused(doses, word):
    with pytest.raises(InputError, match=word):
        to_antimony(SPEC, NUMBERS, doses)


def test_missing_values_are_refused():
    with pytest.raises(InputError, match=r"time\.cl"):
        to_antimony(SPEC, {k: v for k, v in NUMBERS.items() if k != "time.cl"})


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "antimony", None)
    with pytest.raises(InputError, match=r"schild\[sbml\]"):
        to_sbml(SPEC, NUMBERS)
