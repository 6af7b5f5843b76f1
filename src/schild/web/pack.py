"""What a page needs to run the engine: structures, rows of numbers, doses per milligram, outputs; as one binary block.

A pack is a JSON header, whose length comes first (four bytes, little endian), and after it the arrays that the header
names by place, kind and shape. ``live.js`` reads it.
"""

from __future__ import annotations

import dataclasses
import gzip
import inspect
import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Catalogue, load
from schild.engine.layout import Structure, kinds
from schild.engine.run import DENSE_H, H_FREE, H_MAX
from schild.engine.run import run as run_engine
from schild.engine.streams import normals
from schild.model.arrays import Program, compile_spec
from schild.model.spec import ENDOGENOUS
from schild.people import People
from schild.population import Subject
from schild.simulation import Run, prepared_of
from schild.simulation.effects import Effects
from schild.simulation.registry import outputs_of
from schild.simulation.solve import RTOL_ONE, engine_events
from schild.units import TICKS_PER_HOUR
from schild.web.controls import ADDRESS, Challenged, Dosing, controls
from schild.web.module import stamp

#: How long after a challenge its effect is followed, and how finely, as ``schild.challenge`` does. [h]
CHALLENGE_H, CHALLENGE_STEP_H = 6.0, 1 / 60.0

#: Forms of effects that a page computes: those that are straight lines of the response of the operational model.
FORMS = ("rise", "fraction_left")


#: Virtual people of a band.
BAND = 28
#: Tolerance and longest step [h] while a control moves: occupancies within 1e-4 of those at rest.
MOVING = {"rtol": 1e-5, "h_free": 12.0}


class _Block:
    """Arrays one after the other, each at a multiple of eight bytes; equal bytes are stored once."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.places: dict[bytes, int] = {}

    def put(self, values: NDArray[Any]) -> dict[str, Any]:
        kind = {"float64": "f8", "float32": "f4", "int64": "i8", "bool": "b1"}[values.dtype.name]
        data = np.ascontiguousarray(values).tobytes()
        if data not in self.places:
            self.bytes += b"\0" * (-len(self.bytes) % 8)
            self.places[data] = len(self.bytes)
            self.bytes += data
        return {"at": self.places[data], "kind": kind, "shape": list(values.shape)}


def pack(drugs: Sequence[str], *, catalogue: Catalogue | None = None) -> bytes:
    """Make the pack of a page for antagonists; the same catalogue and version give the same bytes, compressed by gzip.

    >>> header, _ = unpack(pack(["naloxone"]))
    >>> [model["key"] for model in header["models"]]
    ['naloxone vein', 'naloxone vein + heroin', 'naloxone vein + hydromorphone']
    """
    from schild import __version__

    catalogue = catalogue or load()
    offered = controls()
    block = _Block()
    models = [
        _model(dosing, challenge, catalogue, block)
        for dosing in offered.dosings
        if dosing.drug in drugs
        for challenge in (None, *offered.challenges)
    ]
    defaults = inspect.signature(run_engine).parameters
    header = {
        "version": __version__, "address": ADDRESS,
        "arguments": stamp()["arguments"],
        "rtol": RTOL_ONE, "h_max": H_MAX, "h_free": H_FREE, "moving": MOVING, "dense_h": DENSE_H,
        "max_steps": defaults["max_steps"].default,
        "ticks_per_hour": TICKS_PER_HOUR,
        "band": BAND,
        "people": {"weight_kg": offered.weight_kg, "liver": offered.liver, "crcl_ml_min": offered.crcl_ml_min},
        "dosings": [dataclasses.asdict(d) | {"key": d.key} for d in offered.dosings if d.drug in drugs],
        "challenges": [dataclasses.asdict(c) for c in offered.challenges],
        "controls": {name: dataclasses.asdict(c) for name, c in offered.named.items()},
        "results": {name: {"words": c.words, "unit": c.unit} for name, c in offered.results.items()},
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


def band_people(offered: Sequence[Mapping[str, Any]], n: int = BAND) -> People:
    """Draw the virtual people of a band: ``n`` for each person that the controls offer, the same in all but that.

    Each has numbers of a person and a set of parameters of one's own, drawn evenly (Latin hypercube), and does not
    differ from dose to dose. ``offered``: covariates of each person. Returns ``n`` for the first, then for the second.

    >>> band_people([{"weight_kg": 70.0}, {"weight_kg": 90.0}], n=5).n
    10
    """
    from scipy.special import ndtri

    def draw(kind: str) -> Callable[[str], NDArray[np.float64]]:
        def of(name: str) -> NDArray[np.float64]:
            order = np.argsort(np.argsort(normals(1, f"{kind}:{name}", 0, n)))
            return np.tile(ndtri((order + 0.5) / n), len(offered))

        return of

    return dataclasses.replace(
        _people(offered, n), between_subject=draw("band between"), uncertainty=draw("band uncertain")
    )


def _people(offered: Sequence[Mapping[str, Any]], n: int = 1) -> People:
    """Typical people with given covariates, each ``n`` times."""
    every = [dataclasses.asdict(Subject(**each)) for each in offered]
    return People(
        n=n * len(every), covariates={name: np.repeat([each[name] for each in every], n) for name in every[0]}
    )


def _model(dosing: Dosing, challenge: Challenged | None, catalogue: Catalogue, block: _Block) -> dict[str, Any]:
    """Write one model: an antagonist given in one way, alone or with one challenge."""
    doses = [dosing.words.format(amount=dosing.usual_mg), *([challenge.words] if challenge else [])]
    run, offered = Run.of(*doses, until="1 d"), controls().people
    built = prepared_of(run, people=_people(offered), catalogue=catalogue).built
    effects = Effects(built=built)
    if challenge is not None:
        asked = {signal for name in challenge.effects for signal in effects.signals(name)}
        built = dataclasses.replace(built, spec=built.spec.for_signals(asked))
        effects = Effects(built=built)
    program, every = compile_spec(built.spec, built.parameters, len(offered), built.scales)
    rows, person = np.unique(every, axis=0, return_inverse=True)
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
            name: value if what == "int64" else block.put(np.asarray(value))
            for name, what in kinds(Structure).items()
            for value in (getattr(program, name),)
        },
        "columns": rows.shape[1],
        "rows": block.put(rows),
        "person": block.put(person.reshape(-1).astype(np.int64)),
        "per_mg": own,
        "fixed": [e for e in table if e["dose"] == 1],
        "outputs": outputs,
        "alone": None if challenge is None else block.put(_alone(challenge, catalogue)),
        "band": [] if challenge is not None else _band(run, every, catalogue, block),
    }


def _alone(challenge: Challenged, catalogue: Catalogue) -> NDArray[np.float64]:
    """The largest change of each effect without an antagonist, for each person; shape (people, effects)."""
    steps = round(CHALLENGE_H / CHALLENGE_STEP_H)
    ticks = [round(k * CHALLENGE_STEP_H * TICKS_PER_HOUR) for k in range(steps + 1)]
    run = Run.of(challenge.words, until="7 h", outputs=list(challenge.effects))
    prepared = prepared_of(run, people=_people(controls().people), catalogue=catalogue)
    found = prepared.outputs(ticks, outputs_of(Effects(built=prepared.built), challenge.effects))
    courses = [np.asarray(found[name].values) for name in challenge.effects]
    return np.stack([np.abs(c - c[:, :1]).max(axis=1) for c in courses], axis=1)


def _band(run: Run, typical: NDArray[np.float64], catalogue: Catalogue, block: _Block) -> list[dict[str, Any]]:
    """Write by how much the numbers of the people of a band differ from the typical person's, in single precision.

    Each entry has its column and arrays of shape (weights, livers, clearances, people), whose product is the factor
    from the typical person's number; an axis along which nothing changes has length one.
    """
    offered = controls()
    axes = len(offered.weight_kg), len(offered.liver), len(offered.crcl_ml_min)
    built = prepared_of(run, people=band_people(offered.people), catalogue=catalogue).built
    rows = compile_spec(built.spec, built.parameters, len(offered.people) * BAND, built.scales)[1]
    rows, plain = rows.reshape(*axes, BAND, -1), typical.reshape(*axes, 1, -1)
    found = []
    for column in np.flatnonzero((rows != plain).any(axis=(0, 1, 2, 3))):
        values, usual = rows[..., column], plain[..., column]
        factor = np.divide(values, usual, out=np.full_like(values, np.nan), where=usual != 0.0)
        parts = _parts(factor)
        if not np.allclose(usual * math.prod(parts), values, rtol=1e-6, atol=0.0):
            raise ValueError(f"Column {column}: its numbers are not the typical person's times a factor of each axis.")
        found.append({"column": int(column), "parts": [block.put(part) for part in parts]})
    return found


def _parts(factor: NDArray[np.float64]) -> list[NDArray[np.float32]]:
    """Split factors into those of the first person offered and those of each axis along which they change.

    Parts are rounded to ten digits first, so that equal parts of two columns have equal bytes and are stored once.
    """
    first = factor[:1, :1, :1]
    parts = [first]
    for axis in range(3):
        along = factor[tuple(slice(None) if k == axis else slice(1) for k in range(3))]
        along = np.divide(along, first, out=np.ones_like(along), where=first != 0.0)
        if not np.allclose(along, 1.0, rtol=1e-12, atol=0.0):
            parts.append(along)
    return [np.array([float(f"{v:.10g}") for v in part.flat], np.float32).reshape(part.shape) for part in parts]


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
