"""What is exported as SBML, another simulator solves to the same course."""

from __future__ import annotations

import numpy as np
import pytest

from schild.simulation import simulate

pytest.importorskip("schild.model.sbml")


@pytest.mark.parametrize(
    "words",
    [
        ("naltrexone 50 mg po q24h x2",),
        ("naltrexone 380 mg im_depot",),
        ("morphine 2 mg/h iv for 6 h", "naloxone 0.4 mg iv at 5 h"),
        ("morphine 2 mg/h iv for 6 h", "reset at 3 h", "morphine 0.1 mg/kg iv over 30 min at 4 h"),
    ],
    ids=lambda words: "; ".join(words),
)
def test_another_program_finds_the_same_occupancy(call, tmp_path, words):
    roadrunner = pytest.importorskip("roadrunner")
    file = tmp_path / "run.xml"
    told = call("export", "sbml", *words, "--until", "2d", "--out", file)
    assert told.code == 0, told.err
    assert told.out.count("not for treating a person") == 1
    model = roadrunner.RoadRunner(str(file))
    model.integrator.setValue("relative_tolerance", 1e-9)
    model.integrator.setValue("absolute_tolerance", 1e-12)
    result = simulate(*words, until="2 d", every="1 h", receptors=["mor", "kor", "dor"], plain_grid=True)
    names = [name for name in result.outputs if name.startswith("mor_occupancy_")]
    assert len(names) >= 2
    table = np.asarray(model.simulate(0, 48, 49, ["time", *names]))
    events = {0, 3, 4, 4.5, 5, 6}
    between = [k for k in range(49) if k not in events]  # at an event, one shows before, the other after
    for column, name in enumerate(names, 1):
        ours = result[name].values[0]
        assert table[between, column] == pytest.approx(ours[between], abs=2e-3), name


def test_antimony_is_text_that_people_read(call):
    told = call("export", "sbml", "naltrexone 50 mg po q24h x2", "--until", "3d", "--antimony")
    assert told.code == 0
    assert "model" in told.out
    assert told.out.count(" at (time >=") == 2
    assert told.out.isascii()


def test_a_population_is_exported_as_its_typical_person(call, examples):
    assert call("export", "sbml", examples / "population.toml", "--antimony").code == 0


def test_what_a_document_of_events_cannot_say_is_refused(call):
    told = call("export", "sbml", "naltrexone 50 mg po q24h ss", "--until", "3d")
    assert told.code == 2
    assert "steady state" in told.err
    told = call("export", "sbml", "naltrexone 50 mg po from -3 d", "--until", "3d")
    assert told.code == 2
    assert "-72 h" in told.err


def test_a_missing_part_says_how_to_get_it(call, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "antimony", None)
    told = call("export", "sbml", "naltrexone 50 mg po", "--until", "3d")
    assert told.code == 2
    assert "schild[sbml]" in told.err


def test_the_guard_holds_for_exports(call):
    told = call("export", "sbml", "naltrexone 50 mg po", "heroin 500 mg iv at 1 d", "--until", "2d")
    assert told.code == 2
    assert "can kill" in told.err
