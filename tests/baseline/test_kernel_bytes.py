"""Outputs of the compiled kernels beside stored ones: a change of their layout must not change a bit.

``kernel_bytes.npz`` holds outputs of the general kernel, the rescue kernel and the drinking session, and a fingerprint
of what made them: processor, Numba, LLVM, NumPy. Where the fingerprint is the same every bit is compared.

Bits differ elsewhere, because LLVM fuses products and sums as the processor allows. There numbers are compared to 1e-12
of the largest of their column (``ROUGH`` ones to 1e-9); steps and times of peaks (several peaks may be
equally high) are not compared. Compiled for a generic processor without fused instructions this holds; it would not
where one machine accepts a step that another refuses, so a failure on another machine alone proves no fault.

A change that is meant to move numbers stores new ones and says so in the changelog:
``python tests/baseline/test_kernel_bytes.py``.
"""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

import llvmlite
import llvmlite.binding
import numba
import numpy as np
import pytest

from schild.engine import layout, session
from schild.engine.run import EngineEvents, run
from schild.engine.streams import uniforms
from schild.model.arrays import compile_spec
from schild.model.spec import Adaptation, Input, Ligand, ModelSpec, Receptor, Species, parameter_names
from schild.overdose.drugs import REGIMENS
from schild.overdose.follow import GivenCourse, Intervention, follow, warm_up
from schild.overdose.parameters import REPRODUCTION, published, record

STORED = Path(__file__).with_name("kernel_bytes.npz")
MG = 1e6 / 46.07  # nmol in a milligram of ethanol

PLAIN = ModelSpec(
    species=(Species(name="a", peripherals=1, feeds=("m",)), Species(name="m"), Species(name="o", peripherals=2)),
    inputs=(
        Input(name="oral", stages=1, delivers=("a", "m")),
        Input(name="pulse", stages=5, delivers=("a",)),
        Input(name="vein", delivers=("o",)),
        Input(name="drip", prolonged=True, delivers=("a",)),
    ),
    receptors=(
        Receptor(
            name="mor",
            ligands=(Ligand(species="a"), Ligand(species="m"), Ligand(species="o", site="plasma")),
            tone=True,
        ),
        Receptor(name="kor", ligands=(Ligand(species="a"), Ligand(species="o"))),
    ),
)
FULL = ModelSpec(
    species=(*PLAIN.species, Species(name="eth", peripherals=1, saturable=True)),
    inputs=(*PLAIN.inputs, Input(name="drink", stages=1, prolonged=True, delivers=("eth",))),
    receptors=(
        Receptor(name="mor", ligands=PLAIN.receptors[0].ligands, tone=True, released=True),
        PLAIN.receptors[1],
    ),
    adaptation=Adaptation(states=("fast", "slow")),
    releasing="eth",
)
LINEAR = ModelSpec(species=PLAIN.species, inputs=PLAIN.inputs)

TYPICAL = {
    "a.vc": 200.0, "a.cl": 150.0, "a.q": 70.0, "a.vp": 300.0, "a.fu": 0.8, "a.ke0": 0.75, "a.feeds.m": 0.6,
    "m.vc": 600.0, "m.cl": 40.0, "m.fu": 0.8, "m.ke0": 0.75,
    "o.vc": 10.0, "o.cl": 75.0, "o.q": 120.0, "o.vp": 14.0, "o.q2": 130.0, "o.vp2": 165.0, "o.fu": 0.2, "o.ke0": 5.0,
    "oral.rate": 1.5, "oral.fraction.a": 0.3, "oral.fraction.m": 0.5, "pulse.rate": 1.5, "pulse.fraction.a": 0.5,
    "vein.fraction.o": 1.0, "drip.fraction.a": 1.0, "drink.rate": 2.0, "drink.fraction.eth": 0.9,
    "mor.a.kd": 0.3, "mor.a.koff": 1.8, "mor.m.kd": 2.0, "mor.m.koff": 10.0, "mor.o.kd": 3.0, "mor.o.koff": 400.0,
    "mor.a.drive": 0.1, "mor.m.drive": 0.0, "mor.o.drive": 0.9,
    "mor.endogenous.e0": 0.05, "mor.endogenous.koff": 40.0,
    "kor.a.kd": 1.0, "kor.a.koff": 0.01, "kor.o.kd": 10.0, "kor.o.koff": 3.0,
    "eth.vc": 15.0, "eth.cl": 0.1, "eth.fu": 1.0, "eth.q": 60.0, "eth.vp": 25.0, "eth.vmax": 7000.0 * MG,
    "eth.km": 40.0 * MG,
    "release.ke": 3.0, "release.rho": 1.0, "release.c50": 300.0 * MG, "release.phi": 0.001 / MG,
    "adaptation.bend": 0.5,
    "adaptation.fast.gain_up": 0.3, "adaptation.fast.gain_down": 0.1, "adaptation.fast.loss_up": 0.3,
    "adaptation.fast.loss_down": 0.1, "adaptation.fast.saturation": 0.0,
    "adaptation.slow.gain_up": 0.02, "adaptation.slow.gain_down": 0.004, "adaptation.slow.loss_up": 0.01,
    "adaptation.slow.loss_down": 0.003, "adaptation.slow.saturation": 0.8,
}  # fmt: skip


def model(spec, *, people=19, until=26.0, rtol=3e-5):
    """One model with every kind of event; people differ in everything, some have equal rates."""
    rng = np.random.default_rng(11)
    fixed = ("fraction", "feeds", ".fu", "drive", "saturation")
    p = {
        name: TYPICAL[name] * np.exp(0.0 if any(x in name for x in fixed) else 0.3 * rng.standard_normal(people))
        for name in parameter_names(spec)
    }
    if "a.ke0" in p:
        p["a.ke0"][::7] = p["oral.rate"][::7] * (1 + 1e-9)
        p["pulse.rate"][::5] = p["a.ke0"][::5]
    program, rows = compile_spec(spec, {k: np.broadcast_to(v, people) for k, v in p.items()}, people)
    rows[people - 2, -1] = np.nan  # one person fails at the door
    port = {name: k for k, name in enumerate(program.ports)}
    width = program.slot_channel.size + program.lag_col.size // 5

    def one(time, kind, name="oral", amount=0.0, *, cap=0.1, offset=0.0, offset2=-1.0, ii=0.0, count=0.0):
        return (time, kind, port[name] if isinstance(name, str) else name, amount, 1, offset, offset2, ii, count, cap)

    table = [
        one(0.0, layout.TRAIN, "oral", 30000.0, offset=1.0, ii=6.0),
        one(0.0, layout.TRAIN, "pulse", 20000.0, offset=2.0, ii=8.0),
        one(0.0, layout.TRAIN, "drip", 500.0, offset=1.0, offset2=5.0, ii=12.0, count=1.0),
        one(1.0, layout.ADD, "drip", -500.0),
        one(2.0, layout.ADD, "pulse", 20000.0),
        one(5.3, layout.ADD, "vein", 3000.0, cap=1e-3),
        one(14.0, layout.RESET, cap=0.05),
        one(14.0, layout.ADD, "vein", 1000.0, cap=1e-3),
        one(16.0, layout.CLEAR, cap=0.05),
        one(17.0, layout.ADD, "drip", 900.0),
        one(19.5, layout.ADD, "drip", -900.0),
    ]
    if width:
        table.append(one(0.0, layout.RECEPTORS, 0))
    if "drink" in port:
        for time, sign in ((3.0, 1), (3.5, -1), (4.0, 1), (4.25, -1), (18.0, 1), (18.5, -1)):
            table.append(one(time, layout.ADD, "drink", sign * 28000.0 * MG, cap=0.01))
    table.sort(key=lambda row: row[0])
    signals = range(len(program.signals))
    found = run(
        program,
        rows,
        EngineEvents.build(table),
        np.linspace(0.0, until, 14),
        signals,
        reduced=signals,
        thresholds=[0.2] * len(program.signals),
        window=(1.0, until - 0.5),
        start_states=np.full((people, 1, width), 0.1) if width else None,
        rtol=rtol,
        threads=1,
    )
    peak_times, counts = found.reduced[:, :, 1], np.column_stack([found.status, found.counts])
    return {
        "out": found.out,
        "reduced": np.delete(found.reduced, 1, axis=2),
        "peak_times": peak_times,
        "counts": counts,
    }


def rescued(rule, **options):
    """An overdose of nine people who differ in their opioid; the ninth waits for a free lane."""
    p = published()
    people = 9
    rng = np.random.default_rng(3)
    drug = record("fentanyl")
    way = REGIMENS[options.pop("regimen", "IN4mg_x2_150s")]
    times = np.arange(0.0, 1201.0, 150.0)
    given = options.pop("given", False)
    course = None
    if given:
        dense = np.linspace(0.0, 1200.0, 61)
        rise = np.exp(-dense / rng.uniform(300, 900, (people, 1))) * (1 - np.exp(-dense / 20.0))
        course = GivenCourse(times_s=dense, activation=rng.uniform(0.6, 1.0, (people, 1)) * rise)
    found = follow(
        people,
        p,
        p_chemo=p.drive.chemo_chronic,
        p_wake=np.linspace(p.drive.wake_naive, p.drive.wake_chronic, people),
        starts=np.repeat(warm_up(1, p, seconds=300.0), people, axis=0),
        opioid=None if given else replace(drug, k_on=drug.k_on * np.exp(rng.uniform(-0.3, 0.3, people))),
        dose_mg=np.linspace(0.2, 3.0, people),
        antagonist=None if given else record("naloxone"),
        route=None if given else record(way.route),
        rescue=None if given else way,
        course=course,
        horizon_s=1200.0,
        out_times_s=times,
        rule=rule,
        interventions=(
            Intervention(what="ventilation", value=3.0, start_s=500.0, end_s=560.0),
            Intervention(what="inspired_o2", value=300.0, start_s=60.0, end_s=90.0, after_trigger=True),
        ),
        **options,
    )
    return {
        "states": found.states,
        "ends": found.ends,
        "outcome": np.column_stack([v for k, v in found.outcome.items() if k not in ("steps", "rejected")]),
        "counts": np.column_stack([found.outcome["steps"], found.outcome["rejected"]]),
    }


def drinking():
    """A session of eleven people with drinks given, offered and infused."""
    rng = np.random.default_rng(7)
    people, grid = 11, np.arange(25) / 12
    base = dict(
        vc=15.0, vt=21.0, cld=60.0, vmax=7.0, km=0.03, clr=0.1, ka=3.0, f=0.9, e0=0.05, release_rate=3.0,
        release_gain=1.0, release_c50=0.3, release_rise=0.5, share=0.4, reward_c50=0.4, reward_rate=2.0,
        opioid_range=0.3, sedation_c50=1.5, sedation_slope=2.0, sedation_occupied=0.3, mood_c50=0.5, mood_occupied=0.2,
        craving_start=1.0, craving_prime=0.5, craving_rate=1.0, craving_share=0.5, thirst_rate=1.0, by_reward=1.0,
        by_sedation=1.0, by_craving=0.5, pause=0.2, drink_g=14.0,
    )  # fmt: skip
    rows = np.array([[base[name] for name in session.PARAMETERS]] * people)
    rows *= np.exp(0.2 * rng.standard_normal(rows.shape))
    rows[:, session.PARAMETERS.index("f")] = 0.9
    given = np.zeros((people, grid.size))
    given[:, 0] = 14.0
    found = session.run_sessions(
        rows,
        grid,
        rng.uniform(0.0, 0.9, (people, grid.size)),
        np.column_stack([uniforms(1, f"decision.{k}", 0, people) for k in range(grid.size)]),
        cue=(grid > 0.4).astype(float),
        given=given,
        infusion=np.where(np.arange(grid.size) % 9 == 4, 5.0, 0.0) * np.ones((people, 1)),
        offered=grid > 0.5,
        most=5,
        threads=1,
    )
    return {"out": found.out, "first": found.first_h, "counts": np.column_stack([found.drinks, found.status])}


CASES = {
    "linear": lambda: model(LINEAR),
    "binding": lambda: model(PLAIN),
    "fine": lambda: model(PLAIN, people=3, rtol=1e-8),
    "adaptation_saturable_release": lambda: model(FULL),
    "rescue_two_pass": lambda: rescued("two_pass", quirks=REPRODUCTION),
    "rescue_clock": lambda: rescued("clock", regimen="IV2mg"),
    "rescue_hazard": lambda: rescued("hazard", stop_at_arrest=True),
    "rescue_given": lambda: rescued("clock", given=True),
    "session": drinking,
}

#: Cases that other machines repeat to 1e-9 only: bisections, and thousands of steps.
ROUGH = ("fine", "rescue_two_pass", "rescue_clock", "rescue_hazard", "rescue_given")


def fingerprint() -> str:
    llvm = llvmlite.binding
    return "; ".join(
        (
            platform.machine(),
            llvm.get_host_cpu_name(),
            llvm.get_host_cpu_features().flatten(),
            str(numba.config.CPU_NAME),
            str(numba.config.CPU_FEATURES),
            numba.__version__,
            llvmlite.__version__,
            np.__version__,
        )
    )


@pytest.mark.parametrize("case", CASES)
def test_the_outputs_of_a_kernel_are_the_stored_ones(case):
    found = CASES[case]()
    with np.load(STORED) as stored:
        same = str(stored["fingerprint"]) == fingerprint()
        for name, values in found.items():
            before = stored[f"{case}.{name}"]
            assert before.shape == values.shape
            if same:
                assert before.tobytes() == np.ascontiguousarray(values).tobytes(), name
            elif name not in ("counts", "peak_times"):
                column = 2 if name == "states" else min(1, before.ndim - 1)
                others = tuple(k for k in range(before.ndim) if k != column)
                finite = np.isfinite(before)
                assert np.array_equal(finite, np.isfinite(values))
                near = np.where(finite, np.abs(before), 0.0).max(axis=others, keepdims=True)
                near = np.broadcast_to(near * (1e-9 if case in ROUGH else 1e-12), before.shape)
                assert np.all(np.abs(values[finite] - before[finite]) <= near[finite]), name


if __name__ == "__main__":
    tables = {f"{case}.{name}": values for case, make in CASES.items() for name, values in make().items()}
    np.savez_compressed(STORED, fingerprint=np.array(fingerprint()), **tables)
    print(STORED, STORED.stat().st_size, "bytes")
