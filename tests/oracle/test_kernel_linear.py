"""Linear kinetics of the kernel against matrix exponentials: repeated and near-equal rates, steady states."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from model_reference import collocate, plain
from schild.engine import layout
from schild.engine.modes import AMPLIFICATION, find_modes
from schild.engine.run import EngineEvents, run
from schild.model.arrays import compile_spec
from schild.model.spec import Input, Ligand, ModelSpec, Receptor, Species, parameter_names
from schild.pharmacology.pk import disposition_rates

TIMES = np.arange(0.0, 49.0, 0.5)


def chain_spec(stages, prolonged=False, peripherals=0, metabolites=1):
    """A drug and a chain of metabolites, each with an effect site."""
    names = ["drug", *(f"m{k}" for k in range(metabolites))]
    species = tuple(
        Species(name=x, peripherals=peripherals if k == 0 else 0, feeds=tuple(names[k + 1 : k + 2]))
        for k, x in enumerate(names)
    )
    return ModelSpec(
        species=species,
        inputs=(Input(name="in", stages=stages, prolonged=prolonged, delivers=("drug",)),),
        receptors=(Receptor(name="mor", ligands=tuple(Ligand(species=x) for x in names)),),
    )


def numbers(spec, rates):
    """All rate constants from an endless supply of rates; the rest is one."""
    p = dict.fromkeys(parameter_names(spec), 1.0)
    supply = iter(rates)
    for s in spec.species:
        p[f"{s.name}.vc"] = 20.0
        p[f"{s.name}.cl"] = 20.0 * next(supply)
        p[f"{s.name}.ke0"] = next(supply)
        p |= {f"{s.name}.feeds.{t}": 0.7 for t in s.feeds}
        if s.peripherals:
            p |= {f"{s.name}.vp": 30.0, f"{s.name}.q": 8.0}
        if s.peripherals == 2:
            p |= {f"{s.name}.vp2": 90.0, f"{s.name}.q2": 24.0}  # the same rate back: a pole on a zero
    p["in.rate"] = next(supply)
    return p


def event(time, kind, amount, *, offset=0.0, offset2=-1.0, ii=0.0, count=0.0):
    return (time, kind, 0, amount, 1, offset, offset2, ii, count, 0.1)


def errors(spec, p, events, doses, times=TIMES, start=0.0):
    """Largest error of each curve, relative to its own maximum."""
    program, rows = compile_spec(spec, p, 1)
    system = replace(plain(spec, p), binding=())  # kinetics alone
    states = collocate(system, doses, np.concatenate([[min(start, times[0])], times]))[:, 1:]
    chosen = [k for k, n in enumerate(program.signals) if n in system.concentration]
    result = run(program, rows, EngineEvents.build(events), times, chosen)
    assert result.status[0] == 0
    expected = np.array([system.concentration[program.signals[k]] @ states for k in chosen])
    return (np.abs(result.out[0] - expected).max(axis=1) / expected.max(axis=1)).max()


def modes(spec, p):
    """Taylor terms that the clusters of the only port need, and its number of clusters."""
    program, rows = compile_spec(spec, p, 1)
    m = program.pole_col.size
    lam, offset, coupling = np.empty((3, m))
    terms = find_modes(rows[0], program.pole_col, lam, offset, coupling, np.empty(m, np.int64))
    return terms, int((coupling == 0.0).sum())


@pytest.mark.parametrize("gap", [0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3])
@pytest.mark.parametrize(
    ("stages", "prolonged", "peripherals"),
    [(1, False, 0), (5, False, 0), (1, True, 1), (3, True, 2), (0, True, 0), (0, False, 2)],
)
def test_equal_and_nearly_equal_rates(stages, prolonged, peripherals, gap):
    spec = chain_spec(stages, prolonged, peripherals, metabolites=3)
    p = numbers(spec, (0.4 * (1.0 + gap) ** k for k in range(100)))
    if prolonged:
        events = [event(0.0, layout.ADD, 500.0), event(2.0, layout.ADD, -500.0)]
        doses = [(0.0, "in", 1000.0, 2.0)]
    else:
        events, doses = [event(0.0, layout.ADD, 1000.0)], [(0.0, "in", 1000.0, 0.0)]
    terms, clusters = modes(spec, p)
    if gap <= 1e-3:
        assert terms > 0
    assert clusters >= 1 + prolonged
    assert errors(spec, p, events, doses) < 1e-8


def test_clusters_are_used_only_where_partial_fractions_would_cancel():
    spec = chain_spec(1)
    apart = numbers(spec, [0.1, 1.0, 0.3, 3.0, 9.0])
    assert modes(spec, apart)[0] == 0
    assert modes(spec, apart | {"in.rate": 0.1 * (1 + 2 / AMPLIFICATION)})[0] == 0
    assert modes(spec, apart | {"in.rate": 0.1 * (1 + 0.5 / AMPLIFICATION)})[0] > 0


def test_a_gamma_pulse_with_the_elimination_rate_of_its_stages_has_its_closed_form():
    # Six equal rates k in a row: dose k^5 t^5 / 5! exp(-k t) / V.
    spec = chain_spec(5, metabolites=0)
    p = numbers(spec, [0.8, 0.8, 0.8])
    program, rows = compile_spec(spec, p, 1)
    found = run(program, rows, EngineEvents.build([event(0.0, layout.ADD, 1000.0)]), TIMES, [0, 1]).out[0]
    k = 0.8
    plasma = 1000.0 / 20.0 * (k * TIMES) ** 5 / math.factorial(5) * np.exp(-k * TIMES)
    effect = 1000.0 / 20.0 * (k * TIMES) ** 6 / math.factorial(6) * np.exp(-k * TIMES)
    assert np.abs(found[0] - plasma).max() < 1e-12 * plasma.max()
    assert np.abs(found[1] - effect).max() < 1e-12 * effect.max()


@pytest.mark.parametrize("seed", range(20))
def test_crowded_random_rates(seed):
    # Up to 30 rates within a factor of two: no pair is close, yet partial fractions alone would lose every digit.
    rng = np.random.default_rng(seed)
    spec = chain_spec(
        int(rng.integers(1, 6)), bool(seed % 2), int(rng.integers(0, 3)), metabolites=int(rng.integers(1, 12))
    )
    p = numbers(spec, 0.3 * 2.0 ** rng.random(100))
    doses = [(0.0, "in", 1000.0, 2.0 if seed % 2 else 0.0)]
    events = [event(0.0, layout.ADD, 500.0 if seed % 2 else 1000.0)]
    if seed % 2:
        events.append(event(2.0, layout.ADD, -500.0))
    assert errors(spec, p, events, doses) < 1e-8


@pytest.mark.parametrize("gap", [0.0, 1e-7, 1e-2, 1.0])
@pytest.mark.parametrize("ii", [6.0, 24.0])
def test_an_endless_past_of_single_doses(gap, ii):
    spec = chain_spec(3, metabolites=2)
    p = numbers(spec, (0.2 * (1.0 + gap) ** k for k in range(100)))
    age = 2.5
    doses = [(-age - n * ii, "in", 1000.0, 0.0) for n in range(200)]
    events = [event(0.0, layout.TRAIN, 1000.0, offset=age, ii=ii)]
    assert errors(spec, p, events, doses, start=doses[-1][0]) < 1e-10


@pytest.mark.parametrize("gap", [0.0, 1e-7, 1.0])
@pytest.mark.parametrize("duration", [0.5, 5.0, 8.0, 20.0, 30.0])
@pytest.mark.parametrize("age", [0.0, 1.0, 7.5])
def test_an_endless_past_of_infusions(gap, duration, age):
    # Infusions every 8 h; those longer than that overlap, and some still run at time 0 and end later.
    ii, rate = 8.0, 100.0
    spec = chain_spec(1, prolonged=True, metabolites=2)
    p = numbers(spec, (0.25 * (1.0 + gap) ** k for k in range(100)))
    starts = -age - ii * np.arange(200)
    doses = [(float(t), "in", rate * duration, duration) for t in starts]
    running = [float(t) for t in starts if t + duration > 0]
    newest_end = float(min(-(starts + duration)[starts + duration <= 0]))
    events = [event(0.0, layout.TRAIN, rate, offset=age, offset2=newest_end, ii=ii, count=len(running))]
    events += [event(t + duration, layout.ADD, -rate) for t in sorted(running)]
    assert errors(spec, p, events, doses, start=doses[-1][0]) < 1e-10


@pytest.mark.parametrize("stages", [0, 1, 4])
def test_an_infusion_that_has_run_for_ever(stages):
    spec = chain_spec(stages, prolonged=True, metabolites=2)
    p = numbers(spec, [0.4] * 100)
    doses = [(-400.0, "in", 100.0 * 410.0, 410.0)]
    events = [event(0.0, layout.TRAIN, 100.0, count=1.0), event(10.0, layout.ADD, -100.0)]
    assert errors(spec, p, events, doses, start=-400.0) < 1e-10


@pytest.mark.parametrize("seed", range(30))
def test_disposition_rates_are_the_eigenvalues(seed):
    rng = np.random.default_rng(seed)
    k10, *rest = np.exp(rng.uniform(-6, 4, 5))
    pairs = [tuple(rest[:2]), tuple(rest[2:])][: 1 + seed % 2]
    if seed % 3 == 0 and len(pairs) == 2:
        pairs[1] = (pairs[1][0], pairs[0][1] * (1 + rng.choice([0.0, 1e-12, 1e-8, 1e-4])))
    rates = np.array(disposition_rates(k10, *pairs))
    assert np.all(np.diff(rates) <= 0)
    # Vieta: the sum and the product are exact functions of the constants.
    assert rates.sum() == pytest.approx(k10 + sum(out + back for out, back in pairs), rel=1e-13)
    assert rates.prod() == pytest.approx(k10 * np.prod([back for _, back in pairs]), rel=1e-11)
