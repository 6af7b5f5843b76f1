"""Random models: every kind of input, awkward rates planted on purpose, doses and their two readings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from model_reference import plain
from schild.engine.run import EngineEvents, EngineResult, run
from schild.model.arrays import Program, compile_spec
from schild.model.spec import LAG, Adaptation, Input, Ligand, ModelSpec, PlainDose, Receptor, Species, parameter_names

HOURS = 72.0


@dataclass(frozen=True)
class Case:
    """One random model with its numbers and doses."""

    spec: ModelSpec
    parameters: dict[str, float]
    doses: tuple[PlainDose, ...]
    program: Program
    rows: NDArray[np.float64]
    events: EngineEvents
    planted: str

    def kernel(self, times: NDArray[np.float64], **options: float) -> EngineResult:
        """Run the kernel with all signals."""
        return run(self.program, self.rows, self.events, times, range(len(self.program.signals)), **options)

    def expected(self, states: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Signals by name from the states of the plain system."""
        system = plain(self.spec, self.parameters)
        found = {name: row @ states for name, row in system.concentration.items()}
        for receptor in self.spec.receptors:
            free = 1.0
            for name in system.states:
                if name.startswith(f"{receptor.name}."):
                    occupancy = states[system.states.index(name)]
                    found[name.replace(".", "_occupancy_")] = occupancy
                    free = free - occupancy
            found[f"{receptor.name}_free"] = free
        for name in self.spec.adaptation.lags if self.spec.adaptation else ():
            found[f"adaptation_{name}"] = states[system.states.index(f"adaptation.{name}")]
        return found


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _near(rng: np.random.Generator, value: float, kind: str) -> float:
    """The same rate again, exactly or with a relative difference of 1e-3 to 1e-12."""
    return value if kind == "equal" else value * (1.0 + rng.choice([-1, 1]) * _log(rng, 1e-12, 1e-3))


def make_case(seed: int, hours: float = HOURS) -> Case:
    rng = np.random.default_rng([20240229, seed])
    n_species = int(rng.integers(1, 13)) if seed % 4 == 0 else int(rng.integers(1, 6))
    planted = str(rng.choice(["no", "near", "equal"]))
    names = [f"s{k}" for k in range(n_species)]
    feeds: dict[str, tuple[str, ...]] = {}
    for k, name in enumerate(names):
        later = names[k + 1 :]
        some = [x for x in later[:2] if rng.random() < 0.45]
        feeds[name] = tuple(some)
    species = tuple(Species(name=x, peripherals=int(rng.integers(0, 3)), feeds=feeds[x]) for x in names)

    kinds = ["bolus", "first", "prolonged", "chain", "pulse", "depot", "slow_chain"]
    inputs: list[Input] = []
    for k in range(int(rng.integers(1, 3 + min(n_species, 4)))):
        kind = kinds[int(rng.integers(len(kinds)))] if k else kinds[seed % len(kinds)]
        targets = [names[0] if k == 0 else names[int(rng.integers(n_species))]]
        if n_species > 1 and rng.random() < 0.3:
            extra = names[int(rng.integers(n_species))]
            targets += [extra] if extra not in targets else []
        stages = {"first": 1, "chain": int(rng.integers(2, 5)), "pulse": 5, "depot": 1, "slow_chain": 3}
        inputs.append(
            Input(
                name=f"in{k}_{kind}",
                stages=stages.get(kind, 0),
                prolonged=kind in {"prolonged", "depot", "slow_chain"},
                delivers=tuple(targets),
            )
        )
    receptors = []
    for r in range(int(rng.integers(1, 4))):
        size = int(rng.integers(1, n_species + 1))
        chosen = [str(x) for x in rng.permutation(names)[:size]]
        ligands = tuple(Ligand(species=x, site="plasma" if rng.random() < 0.35 else "effect") for x in chosen)
        receptors.append(Receptor(name=f"r{r}", ligands=ligands, tone=bool(rng.random() < 0.4)))
    own = np.random.default_rng([20240301, seed])  # a stream of its own, so that the rest of a case stays as it was
    followed = tuple(r.name for r in receptors if own.random() < 0.6) or (receptors[0].name,)
    count = int(own.integers(0, 4))
    followers = ("stress", "acute")[: int(np.random.default_rng([20261130, seed]).integers(0, 3))]
    names_of_lags = tuple(f"a{k}" for k in range(count))
    lags = Adaptation(states=names_of_lags, receptors=followed, followers=followers) if count else None
    spec = ModelSpec(species=species, inputs=tuple(inputs), receptors=tuple(receptors), adaptation=lags)

    p: dict[str, float] = {}
    for s in species:
        p[f"{s.name}.vc"] = _log(rng, 5, 500)
        p[f"{s.name}.cl"] = p[f"{s.name}.vc"] * _log(rng, 0.02, 5)
        p[f"{s.name}.fu"] = float(rng.uniform(0.05, 1))
        for q, v in (("q", "vp"), ("q2", "vp2"))[: s.peripherals]:
            p[f"{s.name}.{v}"] = _log(rng, 5, 1000)
            p[f"{s.name}.{q}"] = _log(rng, 1, 300)
        p[f"{s.name}.ke0"] = _log(rng, 0.05, 20)
        share = rng.uniform(0.1, 1.0) / max(len(s.feeds), 1)
        p |= {f"{s.name}.feeds.{t}": float(share) for t in s.feeds}
    for i in inputs:
        p[f"{i.name}.rate"] = _log(rng, 0.02, 10) * max(i.stages, 1) ** 0.5
        p |= {f"{i.name}.fraction.{t}": float(rng.uniform(0.1, 1.0) / len(i.delivers)) for t in i.delivers}

    if planted != "no":
        # Pull rates together: absorption, elimination, effect site and the metabolites' elimination.
        rate = _log(rng, 0.1, 2.0)
        for s in species:
            if s.peripherals == 0 and rng.random() < 0.7:
                p[f"{s.name}.cl"] = p[f"{s.name}.vc"] * _near(rng, rate, planted)
            if s.peripherals == 2 and rng.random() < 0.5:
                p[f"{s.name}.q2"] = p[f"{s.name}.vp2"] * _near(rng, p[f"{s.name}.q"] / p[f"{s.name}.vp"], planted)
            if rng.random() < 0.5:
                p[f"{s.name}.ke0"] = _near(rng, rate, planted)
        for i in inputs:
            if rng.random() < 0.7:
                p[f"{i.name}.rate"] = _near(rng, rate, planted)

    doses: list[PlainDose] = []
    moment = [float(x) / 64 for x in rng.integers(0, 40 * 64, size=24)]
    at = iter(moment)
    for i in inputs:
        for k in range(int(rng.integers(1, 4))):
            time = 0.0 if k == 0 and rng.random() < 0.6 else next(at)
            duration = float(rng.choice([0.25, 0.75, 2.0, 24.5])) if i.prolonged else 0.0
            doses.append((time, i.name, _log(rng, 300, 30000), duration))
    if rng.random() < 0.15:
        doses.append((float(rng.integers(41, 60)) + 0.5, "reset", 0.0, 0.0))
        doses.append((64.25, inputs[0].name, 1000.0, 1.0 if inputs[0].prolonged else 0.0))

    # Typical concentrations set the affinities, so that occupancies are neither all zero nor all one.
    for r in receptors:
        for x in r.ligands:
            total = sum(size * p.get(f"{n}.fraction.{x.species}", 0.3) for _, n, size, _ in doses)
            level = total / 3 / (p[f"{x.species}.vc"] * 4) * p[f"{x.species}.fu"]
            p[f"{r.name}.{x.species}.kd"] = level * _log(rng, 0.01, 30)
            p[f"{r.name}.{x.species}.koff"] = _log(rng, 1e-4, 1e4)
        p[f"{r.name}.endogenous.e0"] = _log(rng, 0.01, 3)
        p[f"{r.name}.endogenous.koff"] = _log(rng, 1, 1000)
    for r in receptors:
        p |= {f"{r.name}.{x.species}.drive": float(own.choice([0.0, own.uniform(0.1, 5.0)])) for x in r.ligands}
    p["adaptation.bend"] = float(own.choice([0.0, 1.0]))
    for name in lags.states if lags else ():
        taus = [_log(own, 0.3, 300) for _ in range(4)]
        if own.random() < 0.5:  # the form that approaches the drive itself; the other saturates
            rates = [1 / taus[0], 1 / taus[1], 1 / taus[0], 1 / taus[1], 0.0]
        else:
            rates = [1 / taus[0], 1 / taus[0], 1 / taus[1], 1 / taus[1], 1.0]
        p |= {f"adaptation.{name}.{part}": rate for part, rate in zip(LAG, rates, strict=True)}
    if lags and lags.followers:
        more = np.random.default_rng([20261130, seed, 1])
        for name in lags.followers:
            rate = 1 / _log(more, 1, 300)
            p |= dict(zip((f"adaptation.{name}.{part}" for part in LAG), [rate] * 4 + [0.0], strict=True))
        p |= {f"adaptation.{name}.weight": float(more.uniform(0, 2)) for name in lags.states}
        p["adaptation.tone"] = float(more.uniform(0, 3))
    p = {name: p[name] for name in parameter_names(spec)}

    program, rows = compile_spec(spec, p, 1)
    return Case(spec, p, tuple(doses), program, rows, kernel_events(program, doses), planted)


def kernel_events(program: Program, doses: list[PlainDose]) -> EngineEvents:
    """Plain doses as kernel events (add, end of an infusion, reset)."""
    table = []
    for time, name, amount, duration in doses:
        if name == "reset":
            table.append((time, 1, (time, 1, 0, 0.0, 1, 0.0, 0.0, 0.0, 0.0, 0.05)))
            continue
        port = program.ports.index(name)
        cap = 1e-3 if program.jumps[port] else 0.1
        if duration > 0:
            size, end = amount / duration, time + duration
            table.append((time, 2, (time, 0, port, size, 1, 0.0, 0.0, 0.0, 0.0, cap)))
            if not any(n == "reset" and time < t < end for t, n, *_ in doses):
                table.append((end, 0, (end, 0, port, -size, 1, 0.0, 0.0, 0.0, 0.0, cap)))
        else:
            table.append((time, 3, (time, 0, port, amount, 1, 0.0, 0.0, 0.0, 0.0, cap)))
    return EngineEvents.build([row for *_, row in sorted(table, key=lambda x: x[:2])])


@pytest.fixture(scope="session")
def random_case() -> Callable[[int], Case]:
    """Make the random model of a seed."""
    return make_case


@pytest.fixture(scope="session")
def events_of() -> Callable[[Program, list[PlainDose]], EngineEvents]:
    """Translate plain doses into kernel events."""
    return kernel_events
