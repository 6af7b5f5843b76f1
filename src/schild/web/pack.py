"""What a page needs to run the engine: structures, rows of numbers, doses per milligram, outputs; as one binary block.

A pack is a JSON header, whose length comes first (four bytes, little endian), and after it the arrays that the header
names by place, kind and shape. ``live.js`` reads it.
"""

from __future__ import annotations

import dataclasses
import gzip
import inspect
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Catalogue, load
from schild.engine.layout import Structure, kinds
from schild.engine.run import DENSE_H
from schild.engine.run import run as run_engine
from schild.model.arrays import Program, compile_spec
from schild.model.spec import ENDOGENOUS
from schild.simulation import Run, model_of, simulate_run
from schild.simulation.effects import Effects
from schild.simulation.solve import RTOL_ONE, engine_events
from schild.units import TICKS_PER_HOUR
from schild.web.controls import Challenged, Dosing, controls
from schild.web.module import stamp

__all__ = ["CHALLENGE_H", "CHALLENGE_STEP_H", "pack", "unpack"]

#: How long after a challenge its effect is followed, and how finely, as ``schild.challenge`` does. [h]
CHALLENGE_H, CHALLENGE_STEP_H = 6.0, 1 / 60.0

#: Forms of effects that a page computes: those that are straight lines of the response of the operational model.
FORMS = ("rise", "fraction_left")


class _Block:
    """Arrays one after the other, each at a multiple of eight bytes."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def put(self, values: NDArray[Any]) -> dict[str, Any]:
        kind = {"f": "f8", "i": "i8", "b": "b1"}[values.dtype.kind]
        self.bytes += b"\0" * (-len(self.bytes) % 8)
        place = len(self.bytes)
        self.bytes += np.ascontiguousarray(values).tobytes()
        return {"at": place, "kind": kind, "shape": list(values.shape)}


def pack(drugs: Sequence[str], *, catalogue: Catalogue | None = None) -> bytes:
    """Make the pack of a page.

    Parameters
    ----------
    drugs : sequence of str
        Antagonists whose regimens the page offers.
    catalogue : Catalogue, optional
        The one that comes with schild by default.

    Returns
    -------
    bytes
        Compressed with gzip, the same bytes for the same catalogue and version.

    Examples
    --------
    >>> header, _ = unpack(pack(["naloxone"]))
    >>> [model["key"] for model in header["models"]]
    ['naloxone vein', 'naloxone vein + heroin', 'naloxone vein + hydromorphone']
    """
    from schild import __version__

    catalogue = catalogue or load()
    offered = controls()
    block, alone = _Block(), _Alone(catalogue)
    models = [
        _model(dosing, challenge, alone, block)
        for dosing in offered.dosings
        if dosing.drug in drugs
        for challenge in (None, *offered.challenges)
    ]
    defaults = inspect.signature(run_engine).parameters
    header = {
        "version": __version__,
        "arguments": stamp()["arguments"],
        "rtol": RTOL_ONE, "h_max": defaults["h_max"].default, "max_steps": defaults["max_steps"].default,
        "dense_h": DENSE_H,
        "ticks_per_hour": TICKS_PER_HOUR,
        "people": {"weight_kg": offered.weight_kg, "liver": offered.liver, "crcl_ml_min": offered.crcl_ml_min},
        "dosings": [dataclasses.asdict(d) | {"key": d.key} for d in offered.dosings if d.drug in drugs],
        "challenges": [dataclasses.asdict(c) for c in offered.challenges],
        "controls": {name: dataclasses.asdict(c) for name, c in offered.named.items()},
        "models": models,
    }  # fmt: skip
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 4) % 8)
    return gzip.compress(struct.pack("<I", len(text)) + text + bytes(block.bytes), 9, mtime=0)


def unpack(packed: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the header of a pack and the block of arrays."""
    whole = gzip.decompress(packed)
    (length,) = struct.unpack_from("<I", whole)
    return json.loads(whole[4 : 4 + length]), whole[4 + length :]


class _Alone:
    """Effects of challenges without an antagonist: run once for people whose numbers are the same."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.found: dict[tuple[str, bytes], list[float]] = {}

    def changes(self, challenge: Challenged, who: Mapping[str, str]) -> list[float]:
        """Return the largest change of each effect."""
        steps = round(CHALLENGE_H / CHALLENGE_STEP_H)
        ticks = [round(k * CHALLENGE_STEP_H * TICKS_PER_HOUR) for k in range(steps + 1)]
        run = Run.of(challenge.words, until="7 h", subject=dict(who), outputs=list(challenge.effects))
        built = model_of(run, catalogue=self.catalogue)
        key = challenge.name, compile_spec(built.spec, built.parameters, 1, built.scales)[1].tobytes()
        if key not in self.found:
            result = simulate_run(run, catalogue=self.catalogue, times_tick=ticks, warn=False)
            courses = [result[name].values[0] for name in challenge.effects]
            self.found[key] = [float(np.abs(c - c[0]).max()) for c in courses]
        return self.found[key]


def _model(dosing: Dosing, challenge: Challenged | None, unopposed: _Alone, block: _Block) -> dict[str, Any]:
    """Write one model: an antagonist given in one way, alone or with one challenge."""
    doses = [dosing.words.format(amount=dosing.usual_mg), *([challenge.words] if challenge else [])]
    rows: list[NDArray[np.float64]] = []
    person: list[int] = []
    alone: list[list[float]] = []
    seen: dict[bytes, int] = {}
    for who in controls().people:
        run = Run.of(*doses, until="1 d", subject=who)
        built = model_of(run, catalogue=unopposed.catalogue)
        if challenge is not None:
            effects = Effects(built=built)
            asked = {signal for name in challenge.effects for signal in effects.signals(name)}
            built = dataclasses.replace(built, spec=built.spec.for_signals(asked))
        program, row = compile_spec(built.spec, built.parameters, 1, built.scales)
        if (key := row.tobytes()) not in seen:
            seen[key] = len(rows)
            rows.append(row[0])
            if challenge is not None:
                alone.append(unopposed.changes(challenge, who))
        person.append(seen[key])
    effects = Effects(built=built)
    outputs = _outputs(effects, program, dosing.drug, challenge)
    entries = engine_events(program, built.entries)
    order = [(e.order, e.kind, e.tick) for e in built.entries]
    table = [
        {"dose": number, "kind": kind, "tick": tick, "engine": int(entries.kind[k]), "port": int(entries.port[k]),
         "amount": float(entries.amount[k]), "scale": int(entries.scale[k]), "cap": float(entries.cap[k])}
        for k, (number, kind, tick) in enumerate(order)
    ]  # fmt: skip
    own = [e | {"amount": e["amount"] / dosing.usual_mg} for e in table if e["dose"] == 0]
    return {
        "key": dosing.key if challenge is None else f"{dosing.key} + {challenge.name}",
        "dosing": dosing.key,
        "challenge": None if challenge is None else challenge.name,
        "structure": {
            name: value if what == "int" else block.put(np.asarray(value))
            for name, what in kinds(Structure).items()
            for value in (getattr(program, name),)
        },
        "columns": rows[0].size,
        "rows": block.put(np.array(rows)),
        "person": block.put(np.array(person, dtype=np.int64)),
        "per_mg": own,
        "fixed": [e for e in table if e["dose"] == 1],
        "outputs": outputs,
        "alone": None if challenge is None else block.put(np.array(alone)),
    }


def _outputs(effects: Effects, program: Program, drug: str, challenge: Challenged | None) -> list[dict[str, Any]]:
    """Say how outputs are made of signals."""
    built = effects.built
    if challenge is not None:
        return [{"name": name} | _effect(effects, program, name) for name in challenge.effects]
    found: list[dict[str, Any]] = [
        {"name": f"plasma_{drug}", "unit": "ng/mL", "form": "scale", "signals": [program.signal(f"plasma_{drug}")],
         "factor": built.molar_mass(drug) / 1000.0}
    ]  # fmt: skip
    for r in built.spec.receptors:
        e0 = float(np.asarray(built.parameters.get(f"{r.name}.{ENDOGENOUS}.e0", 0.0)))
        found.append(
            {"name": f"{r.name}_pet_occupancy", "unit": "1", "form": "pet", "e0": e0,
             "signals": [program.signal(f"{r.name}_free")]}
        )  # fmt: skip
    return found


def _effect(effects: Effects, program: Program, name: str) -> dict[str, Any]:
    entry = effects.catalogue.effects[name]
    if entry.form not in FORMS or effects.state_of(name) is not None:
        raise ValueError(f"{name} has the form {entry.form!r}; a page can compute {', '.join(FORMS)}.")
    terms = effects.terms(name)
    column = effects.built.values.column
    return {
        "unit": entry.unit, "form": entry.form,
        "signals": [program.signal(t.signal) for t in terms],
        "ratio": [_one(t.ratio) for t in terms], "factor": [1.0 if t.factor is None else _one(t.factor) for t in terms],
        "slope": _one(column(name, entry.slope)),
        "size": _one(column(name, str(entry.range))) if entry.form == "rise" else 1.0,
    }  # fmt: skip


def _one(value: Any) -> float:
    return float(np.asarray(value).reshape(-1)[0])
