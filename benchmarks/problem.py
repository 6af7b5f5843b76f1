"""Problem P: four weeks of an oral antagonist, its metabolite and an opioid at three receptors, and tolerance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from schild.engine.run import EngineEvents
from schild.model.arrays import Program, compile_spec
from schild.model.spec import Adaptation, Input, Ligand, ModelSpec, PlainDose, Receptor, Species

HOURS = np.arange(0.0, 28 * 24 + 1)
#: Antagonist daily, opioid daily at 18 minutes past an hour: half of the doses lie off the output grid.
DOSES: tuple[PlainDose, ...] = tuple(
    sorted(
        [(24.0 * day, "a.oral", 30000.0, 0.0) for day in range(28)]
        + [(24.0 * day + 10.3, "o.oral", 10000.0, 0.0) for day in range(28)]
    )
)
# Typical value and spread (SD of the logarithm).
_KINETICS = {
    "a.oral.rate": (1.5, 0.4), "a.cl": (200.0, 0.3), "a.vc": (1000.0, 0.2), "a.q": (150.0, 0.2), "a.vp": (800.0, 0.2),
    "a.feeds.m": (0.6, 0.0), "a.oral.fraction.m": (2.0, 0.2), "m.cl": (40.0, 0.3), "m.vc": (600.0, 0.2),
    "o.oral.rate": (2.0, 0.4), "o.cl": (60.0, 0.3), "o.vc": (200.0, 0.2),
    "a.ke0": (1.0, 0.2), "m.ke0": (0.7, 0.2), "o.ke0": (1.3, 0.2),
}  # fmt: skip
_KOFF = np.array([[1.8, 10.8, 360.0], [5.0, 30.0, 200.0], [12.0, 60.0, 90.0]])
_KD = np.array([[0.3, 2.0, 3.0], [0.8, 6.0, 60.0], [8.0, 30.0, 40.0]])


def spec(copies: int = 1) -> ModelSpec:
    """Problem P, or several of it side by side at the same three receptors."""
    tags = [""] if copies == 1 else [str(k) for k in range(copies)]
    species: list[Species] = []
    inputs: list[Input] = []
    for t in tags:
        species += [
            Species(name=f"a{t}", peripherals=1, feeds=(f"m{t}",)),
            Species(name=f"m{t}"),
            Species(name=f"o{t}"),
        ]
        inputs += [
            Input(name=f"a{t}.oral", stages=1, delivers=(f"a{t}", f"m{t}")),
            Input(name=f"o{t}.oral", stages=1, delivers=(f"o{t}",)),
        ]
    ligands = tuple(Ligand(species=s.name) for s in species)
    receptors = tuple(Receptor(name=f"r{k}", ligands=ligands) for k in range(3))
    lag = Adaptation(states=("t",), receptors=("r0",))
    return ModelSpec(species=tuple(species), inputs=tuple(inputs), receptors=receptors, adaptation=lag)


def parameters(n: int, copies: int = 1) -> dict[str, np.ndarray]:
    """Numbers of ``n`` people."""
    rng = np.random.default_rng(1)
    found: dict[str, np.ndarray] = {}
    for copy in range(copies):
        t = "" if copies == 1 else str(copy)

        def tagged(name: str, t: str = t) -> str:
            return ".".join(part + t if part in {"a", "m", "o"} else part for part in name.split("."))

        for name, (typical, sd) in _KINETICS.items():
            found[tagged(name)] = typical * np.exp(sd * rng.standard_normal(n))
        for r in range(3):
            for i, s in enumerate("amo"):
                kon = _KOFF[r, i] / _KD[r, i] * np.exp(0.1 * rng.standard_normal(n))
                found[f"r{r}.{s}{t}.koff"] = _KOFF[r, i] * np.exp(0.1 * rng.standard_normal(n))
                found[f"r{r}.{s}{t}.kd"] = found[f"r{r}.{s}{t}.koff"] / kon
        for s in "amo":
            found[f"{s}{t}.fu"] = np.ones(n)
            found[f"r0.{s}{t}.drive"] = np.zeros(n)
        found[tagged("a.oral.fraction.a")] = np.ones(n)
        found[tagged("o.oral.fraction.o")] = np.ones(n)
    # Tolerance: a lag on the response S / (1 + S), S 8 times the opioid's occupancy; gained at 0.03/h, lost at 0.01/h.
    # In the bake-off it lowered the 8 as well; the engine's states act on outputs and on nothing that drives them.
    loss = 0.01 * np.exp(0.2 * rng.standard_normal(n))
    response = 8.0 * np.exp(0.2 * rng.standard_normal(n))
    for copy in range(copies):
        found[f"r0.o{'' if copies == 1 else copy}.drive"] = response
    found |= {"adaptation.bend": np.ones(n), "adaptation.t.saturation": np.zeros(n)}
    found |= {f"adaptation.t.{name}": 3.0 * loss for name in ("gain_up", "gain_down")}
    found |= {f"adaptation.t.{name}": loss for name in ("loss_up", "loss_down")}
    return found


def compiled(n: int, copies: int = 1, *, tolerance: bool = True) -> tuple[Program, np.ndarray, EngineEvents, list[int]]:
    """Program, rows, events and the signals of the occupancies and of tolerance."""
    model, numbers = spec(copies), parameters(n, copies)
    if not tolerance:
        model = replace(model, adaptation=None)
        numbers = {k: v for k, v in numbers.items() if not k.startswith("adaptation.") and not k.endswith(".drive")}
    program, rows = compile_spec(model, numbers, n)
    events = [
        (time, 0, k, amount, 1, 0.0, -1.0, 0.0, 0.0, 0.1)
        for time, name, amount, _ in DOSES
        for k, port in enumerate(program.ports)
        if port.rstrip("0123456789").split(".")[0][0] == name[0]
    ]
    signals = [k for k, s in enumerate(program.signals) if "_occupancy_" in s or s == "adaptation_t"]
    return program, rows, EngineEvents.build(events), signals


def person(j: int) -> dict[str, float]:
    """Numbers of one of the people."""
    return {name: float(values[j]) for name, values in parameters(PEOPLE).items()}


#: Peers and the accuracy check take the first of these.
PEOPLE = 16


def error(found: np.ndarray, reference: np.ndarray) -> float:
    """Largest error, relative with a floor of 0.01."""
    return float(np.max(np.abs(found - reference) / np.maximum(np.abs(reference), 0.01)))
