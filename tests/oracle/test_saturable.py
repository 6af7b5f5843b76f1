"""Saturable elimination and endogenous release in the kernel, against the plain right-hand side and libroadrunner."""

from __future__ import annotations

import numpy as np
import pytest

from model_reference import plain, solve
from schild.engine.run import EngineEvents, run
from schild.errors import SchildError
from schild.model.arrays import compile_spec
from schild.model.spec import Input, Ligand, ModelSpec, Receptor, Species

TIMES = np.concatenate([[0.0], np.arange(0.25, 36.0, 0.25) + 0.003])
MG = 1e6 / 46.07  # nmol in a milligram of ethanol

SPEC = ModelSpec(
    species=(Species(name="eth", peripherals=1, saturable=True), Species(name="drug", peripherals=1)),
    inputs=(
        Input(name="drink", stages=1, prolonged=True, delivers=("eth",)),
        Input(name="vein", prolonged=True, delivers=("eth",)),
        Input(name="tablet", stages=1, delivers=("drug",)),
    ),
    receptors=(
        Receptor(name="mor", ligands=(Ligand(species="drug"),), tone=True, released=True),
        Receptor(name="kor", ligands=(Ligand(species="drug"),), tone=True),
    ),
    releasing="eth",
)  # fmt: skip


def numbers(seed):
    rng = np.random.default_rng(seed)
    some = lambda low, high: float(np.exp(rng.uniform(np.log(low), np.log(high))))  # noqa: E731
    p = {
        "eth.vc": some(8, 30), "eth.cl": some(0.01, 0.5), "eth.fu": 1.0, "eth.q": some(5, 90), "eth.vp": some(10, 40),
        "eth.vmax": some(2000, 12000) * MG, "eth.km": some(5, 150) * MG,
        "drug.vc": 400.0, "drug.cl": 100.0, "drug.fu": 0.8, "drug.q": 20.0, "drug.vp": 900.0, "drug.ke0": some(0.02, 2),
        "drink.rate": some(0.4, 6), "drink.fraction.eth": 0.9, "vein.fraction.eth": 1.0,
        "tablet.rate": 1.5, "tablet.fraction.drug": 0.1,
        "release.ke": some(1, 8), "release.rho": some(0.1, 3), "release.c50": some(100, 900) * MG,
        "release.phi": some(0.1, 2) / (1000 * MG),
    }  # fmt: skip
    for r in ("mor", "kor"):
        p |= {f"{r}.drug.kd": some(0.2, 5), f"{r}.drug.koff": some(0.05, 50)}
        p |= {f"{r}.endogenous.e0": some(0.01, 0.5), f"{r}.endogenous.koff": some(5, 500)}
    doses = [(float(k) * some(0.5, 1.5), "drink", 14000 * MG, 0.25) for k in range(5)]
    doses += [(some(8, 20), "vein", some(5000, 40000) * MG, 0.5), (1.0, "tablet", 1.3e5, 0.0)]
    return p, sorted(doses)


def kernel(p, doses, **options):
    program, rows = compile_spec(SPEC, p, 1)
    table = []
    for time, name, amount, duration in doses:
        port = program.ports.index(name)
        if duration:
            table.append((time, 1, (time, 0, port, amount / duration, 1, 0.0, -1.0, 0.0, 0.0, 0.01)))
            table.append(
                (time + duration, 0, (time + duration, 0, port, -amount / duration, 1, 0.0, -1.0, 0.0, 0.0, 0.01))
            )
        else:
            table.append((time, 1, (time, 0, port, amount, 1, 0.0, -1.0, 0.0, 0.0, 0.1)))
    events = EngineEvents.build([row for *_, row in sorted(table, key=lambda x: x[:2])])
    result = run(program, rows, events, TIMES, range(len(program.signals)), **options)
    assert result.status[0] == 0
    return dict(zip(program.signals, result.out[0], strict=True)), result.counts[0]


@pytest.mark.parametrize("seed", range(8))
def test_kernel_agrees_with_the_plain_model(seed):
    p, doses = numbers(seed)
    system = plain(SPEC, p)
    states = solve(system, doses, TIMES, rtol=1e-11, atol=1e-9)
    at = {name: k for k, name in enumerate(system.states)}
    level = states[at["eth.central"]] / p["eth.vc"]
    for options, bar in (({}, 2e-4), ({"rtol": 1e-9}, 2e-7)):
        out, _ = kernel(p, doses, **options)
        assert np.max(np.abs(out["plasma_eth"] - level) / np.maximum(level, p["eth.km"])) < bar
        assert np.max(np.abs(out["release"] / states[at["release"]] - 1.0)) < bar
        for name in ("mor.endogenous", "mor.drug", "kor.endogenous"):
            found, wanted = out[name.replace(".", "_occupancy_")], states[at[name]]
            assert np.max(np.abs(found - wanted) / np.maximum(wanted, 0.01)) < bar
        assert out["plasma_eth"].min() >= 0.0


def test_without_alcohol_release_stays_at_one():
    p, _ = numbers(0)
    out, _ = kernel(p, [(1.0, "tablet", 1.3e5, 0.0)])
    np.testing.assert_allclose(out["release"], 1.0, rtol=0, atol=1e-12)
    assert np.all(out["plasma_eth"] == 0.0)


def test_roadrunner_agrees():
    roadrunner = pytest.importorskip("roadrunner")
    from schild.model.sbml import to_sbml

    p, doses = numbers(3)
    model = roadrunner.RoadRunner(to_sbml(SPEC, p, doses))
    integrator = model.getIntegrator()
    integrator.setValue("relative_tolerance", 1e-10)
    integrator.setValue("absolute_tolerance", 1e-10)
    model.timeCourseSelections = ["plasma_eth", "mor_occupancy_endogenous"]
    found = np.array(model.simulate(times=list(TIMES))).T
    out, _ = kernel(p, doses, rtol=1e-9)
    assert np.max(np.abs(found[0] - out["plasma_eth"])[1:]) < 1e-6 * found[0].max()
    assert np.max(np.abs(found[1] - out["mor_occupancy_endogenous"])[1:]) < 1e-6


def test_a_dose_all_at_once_is_refused():
    spec = ModelSpec(
        species=(Species(name="eth", saturable=True),), inputs=(Input(name="in", delivers=("eth",)),)
    )  # fmt: skip
    p = {"eth.vc": 20.0, "eth.cl": 0.0, "eth.fu": 1.0, "eth.vmax": 1e8, "eth.km": 1e6, "in.fraction.eth": 1.0}
    with pytest.raises(SchildError, match="given as a bolus"):
        compile_spec(spec, p, 1)
