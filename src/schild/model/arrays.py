"""ModelSpec and parameters as the arrays that the kernel reads.

Structure becomes a ``Program`` of integer tables, the same for all subjects; parameters become one row of numbers per
subject. Rates of the two- and three-compartment models are the roots of their characteristic polynomial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.errors import SchildError
from schild.model.spec import ENDOGENOUS, LAG, RELEASE, Input, ModelSpec, Parameters
from schild.pharmacology.pk import disposition_rates

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """Structure of a model as the kernel's integer tables, with the names that belong to them.

    ``columns`` maps each column of the subject rows to what it holds; ``signals`` names channels, slots, free
    fractions and adaptation states in the kernel's order.
    """

    pole_ptr: Ints
    pole_col: Ints
    path_ptr: Ints
    path_out: Ints
    path_gain: Ints
    path_has: NDArray[np.bool_]
    zero_ptr: Ints
    zero_col: Ints
    out_ptr: Ints
    out_channel: Ints
    out_live: NDArray[np.bool_]
    n_channels: int
    tone_channel: int
    rec_ptr: Ints
    slot_channel: Ints
    slot_kon: Ints
    slot_koff: Ints
    slot_start: Ints
    slot_drive: Ints
    lag_bend: int
    lag_col: Ints
    n_followers: int
    left_slot: int
    left_col: Ints
    mm_in: int
    mm_out: int
    mm_col: Ints
    release_channel: int
    release_col: Ints
    columns: tuple[str, ...]
    signals: tuple[str, ...]
    ports: tuple[str, ...]
    jumps: tuple[bool, ...]

    def signal(self, name: str) -> int:
        """Return the number of a named signal."""
        return self.signals.index(name)


class _Columns:
    """Columns of the subject rows, each created once."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}
        self.values: list[float | Floats] = []

    def add(self, name: str, value: float | Floats) -> int:
        if name not in self.at:
            self.at[name] = len(self.values)
            self.values.append(value)
        return self.at[name]

    def rows(self, n: int) -> Floats:
        rows = np.empty((n, len(self.values)))
        for k, value in enumerate(self.values):
            rows[:, k] = value
        return rows


def _paths(spec: ModelSpec, start: str) -> list[tuple[str, ...]]:
    """Every chain of species that begins with ``start``."""
    found: list[tuple[str, ...]] = [(start,)]
    for path in found:
        found.extend((*path, target) for target in spec.find(path[-1]).feeds)
    return found


def _ptr(lists: list[list[int]]) -> tuple[Ints, Ints]:
    ptr = np.array([*accumulate(map(len, lists), initial=0)], dtype=np.int64)
    return ptr, np.array([v for x in lists for v in x], dtype=np.int64)


def compile_spec(
    spec: ModelSpec, parameters: Parameters, n: int, scales: dict[str, Floats | float] | None = None
) -> tuple[Program, Floats]:
    """Compile a model for ``n`` subjects.

    ``parameters``: every name of ``parameter_names(spec)``: a float or an array of shape (n,). Units of ``spec``.
    ``scales``: extra columns by name that events may multiply their amount by (shape (n,) or float). The column
    ``"one"`` always exists. Returns ``program``: the integer tables; ``rows``, shape (n, n_columns): the numbers of
    each subject. Raises SchildError if a parameter is missing or two poles of one port cannot be distinguished
    numerically (never for positive rates).
    """
    col = _Columns()
    zero = col.add("zero", 0.0)
    col.add("one", 1.0)

    def value(name: str) -> float | Floats:
        try:
            return parameters[name]
        except KeyError:
            raise SchildError(f"The model needs a value for {name}; none was given.") from None

    def named(owner: str, *parts: str) -> list[int]:
        return [col.add(f"{owner}.{part}", value(f"{owner}.{part}")) for part in parts]

    effect = spec.effect_species()
    direct = {s.name for s in spec.species if s.direct and s.name in effect}
    poles: dict[str, list[int]] = {}
    zeros: dict[str, list[int]] = {}
    saturable = next((s.name for s in spec.species if s.saturable), None)
    for s in spec.species:
        if s.saturable:
            poles[s.name], zeros[s.name] = [], []
            continue
        k10 = np.asarray(value(f"{s.name}.cl")) / value(f"{s.name}.vc")
        exchange = [
            (
                np.asarray(value(f"{s.name}.{q}")) / value(f"{s.name}.vc"),
                np.asarray(value(f"{s.name}.{q}")) / value(f"{s.name}.{v}"),
            )
            for q, v in (("q", "vp"), ("q2", "vp2"))[: s.peripherals]
        ]
        rates = disposition_rates(k10, *exchange)
        poles[s.name] = [col.add(f"{s.name}.lambda{k}", r) for k, r in enumerate(rates)]
        zeros[s.name] = [col.add(f"{s.name}.back{k}", back) for k, (_, back) in enumerate(exchange)]
        if s.name in effect:
            poles[s.name + "@effect"] = named(s.name, "ke0")

    channels = [f"plasma_{s.name}" for s in spec.species] + [f"effect_{name}" for name in effect]
    tone = any(r.tone for r in spec.receptors)
    tone_channel = len(channels) if tone else -1
    if tone:
        channels.append("tone")
    if saturable:
        channels.append(f"inflow_{saturable}")
    if spec.releasing:
        channels.append("release")
    live = {f"inflow_{saturable}"} if saturable else set()
    live |= {f"{x.site}_{x.species}" for r in spec.receptors for x in r.ligands}

    pole_lists: list[list[int]] = []
    out_lists: list[list[int]] = []
    path_ptr = [0]
    path_out: list[int] = []
    path_gain: list[int] = []
    path_has: list[list[bool]] = []
    zero_lists: list[list[int]] = []
    jumps: list[bool] = []
    n_out = 0
    for port in spec.inputs:
        entry = [zero] if port.prolonged else []
        if port.stages:
            entry += named(port.name, "rate") * port.stages
        reach = [s.name for s in spec.species if any(s.name in spec.downstream(d) for d in port.delivers)]
        groups = [("entry", entry)]
        for name in reach:
            groups.append((name, poles[name]))
            if name in effect:
                groups.append((f"{name}@effect", poles[f"{name}@effect"]))
        if saturable in port.delivers and not entry:
            raise SchildError(
                f"{saturable} was given as a bolus; expected a duration, because its elimination saturates. "
                "Give it over some minutes."
            )
        pole_lists.append([c for _, cols in groups for c in cols])
        outs: list[int] = []
        for target in port.delivers:
            if target == saturable:
                outs.append(channels.index(f"inflow_{saturable}"))
                path_out.append(n_out + len(outs) - 1)
                path_gain.append(col.add(f"gain:{port.name}>inflow", _entry_gain(port, target, value)))
                path_has.append([name == "entry" for name, cols in groups for _ in cols])
                zero_lists.append([])
                continue
            for path in _paths(spec, target):
                gain = _path_gain(port, path, value)
                for site in ("plasma", "effect"):
                    if site == "effect" and path[-1] not in effect:
                        continue
                    channel = channels.index(f"{site}_{path[-1]}")
                    if channel not in outs:
                        outs.append(channel)
                    taken = {"entry", *path} | ({f"{path[-1]}@effect"} if site == "effect" else set())
                    g = gain
                    parts = [(g, site, taken)]
                    if site == "effect":
                        g = g * np.asarray(value(f"{path[-1]}.fu"))
                        share = np.asarray(value(f"{path[-1]}.direct")) if path[-1] in direct else 0.0
                        parts = [(g * (1.0 - share) * value(f"{path[-1]}.ke0"), site, taken)]
                        if path[-1] in direct:
                            parts.append((g * share, "direct", {"entry", *path}))
                    for g, part, poles_taken in parts:
                        path_out.append(n_out + outs.index(channel))
                        path_gain.append(col.add(f"gain:{port.name}>{'>'.join(path)}@{part}", g))
                        path_has.append([name in poles_taken for name, cols in groups for _ in cols])
                        zero_lists.append([c for name in path for c in zeros[name]])
        out_lists.append(outs)
        n_out += len(outs)
        path_ptr.append(len(path_out))
        at_once = {d for d in port.delivers if f"plasma_{d}" in live or d in direct}
        jumps.append(port.stages == 0 and not port.prolonged and bool(at_once))

    adapting = spec.adaptation.receptors if spec.adaptation else ()
    lags = spec.adaptation.lags if spec.adaptation else ()
    followers = spec.adaptation.followers if spec.adaptation else ()
    left_slot = -1
    slots: list[tuple[int, int, int, int, int]] = []
    slot_names: list[str] = []
    rec_ptr = [0]
    for r in spec.receptors:
        for x in r.ligands:
            name = f"{r.name}.{x.species}"
            koff = np.asarray(value(f"{name}.koff"))
            kon = koff / value(f"{name}.kd")
            if x.site == "plasma":  # the plasma channel holds the total level; the receptor sees the unbound part
                kon = kon * value(f"{x.species}.fu")
            slots.append(
                (
                    channels.index(f"{x.site}_{x.species}"),
                    col.add(f"{name}.kon@{x.site}", kon),
                    col.add(f"{name}.koff", koff),
                    zero,
                    named(name, "drive")[0] if r.name in adapting else zero,
                )
            )
            slot_names.append(f"{r.name}_occupancy_{x.species}")
        if r.tone:
            name = f"{r.name}.{ENDOGENOUS}"
            e0 = np.asarray(value(f"{name}.e0"))
            koff = np.asarray(value(f"{name}.koff"))
            slots.append(
                (
                    channels.index("release") if r.released else tone_channel,
                    col.add(f"{name}.kon", koff * e0),
                    col.add(f"{name}.koff", koff),
                    col.add(f"{name}.start", e0 / (1 + e0)),
                    zero,  # adaptation sees drugs only
                )
            )
            slot_names.append(f"{r.name}_occupancy_{ENDOGENOUS}")
            if followers and r.name == adapting[0]:
                left_slot = len(slots) - 1
        rec_ptr.append(len(slots))

    width = max((len(p) for p in pole_lists), default=0)
    has = np.zeros((len(path_has), max(width, 1)), dtype=np.bool_)
    for k, flags in enumerate(path_has):
        has[k, : len(flags)] = flags
    pole_ptr, pole_col = _ptr(pole_lists)
    out_ptr, out_channel = _ptr(out_lists)
    zero_ptr, zero_col = _ptr(zero_lists)
    slot_table = np.array(slots, dtype=np.int64).reshape(-1, 5).T.copy()
    mm_col: list[int] = []
    if saturable:  # vc, vmax, km, cl, q, vp, as the kernel reads them
        exchanges = spec.find(saturable).peripherals
        mm_col = named(saturable, "vc", "vmax", "km", "cl")
        mm_col += named(saturable, "q", "vp") if exchanges else [zero, col.add("one", 1.0)]
    program = Program(
        pole_ptr=pole_ptr,
        pole_col=pole_col,
        path_ptr=np.array(path_ptr, dtype=np.int64),
        path_out=np.array(path_out, dtype=np.int64),
        path_gain=np.array(path_gain, dtype=np.int64),
        path_has=has,
        zero_ptr=zero_ptr,
        zero_col=zero_col,
        out_ptr=out_ptr,
        out_channel=out_channel,
        out_live=np.array([channels[c] in live for c in out_channel], dtype=np.bool_),
        n_channels=len(channels),
        tone_channel=tone_channel,
        rec_ptr=np.array(rec_ptr, dtype=np.int64),
        slot_channel=slot_table[0],
        slot_kon=slot_table[1],
        slot_koff=slot_table[2],
        slot_start=slot_table[3],
        slot_drive=slot_table[4],
        lag_bend=named("adaptation", "bend")[0] if lags else zero,
        lag_col=np.array([c for state in lags for c in named(f"adaptation.{state}", *LAG)], dtype=np.int64),
        n_followers=len(followers),
        left_slot=left_slot,
        left_col=np.array(
            named("adaptation", "tone", *(f"{state}.weight" for state in lags[: -len(followers)])) if followers else [],
            dtype=np.int64,
        ),
        mm_in=channels.index(f"inflow_{saturable}") if saturable else -1,
        mm_out=channels.index(f"plasma_{saturable}") if saturable else -1,
        mm_col=np.array(mm_col, dtype=np.int64),
        release_channel=channels.index("release") if spec.releasing else -1,
        release_col=np.array(named("release", *RELEASE) if spec.releasing else [], dtype=np.int64),
        columns=tuple(col.at),
        signals=(
            *channels,
            *slot_names,
            *(f"{r.name}_free" for r in spec.receptors),
            *(f"adaptation_{state}" for state in lags),
        ),
        ports=tuple(i.name for i in spec.inputs),
        jumps=tuple(jumps),
    )
    return with_scales(program, col.rows(n), scales or {})


def with_scales(program: Program, rows: Floats, scales: Mapping[str, Floats | float]) -> tuple[Program, Floats]:
    """Add columns by which events may multiply their amount to a program and its rows, as ``compile_spec`` does.

    ``rows``, shape (n, n_columns); ``scales``: floats or arrays of shape (n,), by name.
    """
    if not scales:
        return program, rows
    more = [np.broadcast_to(scale, len(rows)) for scale in scales.values()]
    return replace(program, columns=(*program.columns, *scales)), np.column_stack([rows, *more])


def _entry_gain(port: Input, species: str, value: Callable[[str], float | Floats]) -> Floats:
    """Constant factor of the transfer function of an input, for a species that it delivers."""
    gain = np.asarray(value(f"{port.name}.fraction.{species}"), dtype=np.float64)
    return gain * np.asarray(value(f"{port.name}.rate")) ** port.stages if port.stages else gain


def _path_gain(port: Input, path: tuple[str, ...], value: Callable[[str], float | Floats]) -> Floats:
    """Constant factor of the transfer function from a dose [nmol] to the plasma concentration [nM] along a path."""
    gain = _entry_gain(port, path[0], value)
    for parent, child in pairwise(path):
        rate = np.asarray(value(f"{parent}.cl")) / value(f"{parent}.vc")
        gain = gain * rate * value(f"{parent}.feeds.{child}")
    return np.asarray(gain / value(f"{path[-1]}.vc"), dtype=np.float64)
