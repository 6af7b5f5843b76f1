"""Challenges under an antagonist for the joint fit: exposure of receptors with and without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.dose_rows import EFFECTS, SPECIES, Table, affinity
from schild.array_types import Floats
from schild.catalog import load
from schild.people import Values
from schild.simulation import Run, simulate_run
from schild.units import TICKS_PER_HOUR

__all__ = ["BLOCK_SD", "with_challenges"]

#: Standard deviation of a block around its prediction: 0.10 if a study prints none, and 0.05 for misfit. [1]
BLOCK_SD = float(np.hypot(0.1, 0.05))
#: Time after the opioid over which an effect is followed, and the step. [h]
_WINDOW_H, _STEP_H = 6.0, 1.0 / 30.0
_ANTAGONISTS = ("naltrexone", "naloxone")
#: Ratings of the same people in the same session.
_SAME = {"webster2011_liking": 2, "webster2011_high": 2}


def with_challenges(table: Table) -> Table:
    """Add the scored challenges of the catalogue to the rows of agonists alone.

    ``table``: from ``build_table``. Returns it with two nodes for each challenge, without and with the antagonist, as
    arrays whose names begin with ``block``, and an arm for each study that had none.
    """
    rows = [r for r in load().challenges if r["block"]]
    names = [_arm(r) for r in rows]
    arms = (*table.arms, *sorted(set(names) - set(table.arms)))
    nodes = [_nodes(r) for r in rows]
    arrays = {
        "block_felt": np.array([[n["felt"] for n in pair] for pair in nodes]),
        "block_spread": np.array([[n["spread"] for n in pair] for pair in nodes]),
        "block_by": np.array([n["by"] for _, n in nodes]),
        "block_by_sd": np.array([n["by_sd"] for _, n in nodes]),
        "block_who": np.array([next(k for k, a in enumerate(_ANTAGONISTS) if a in r["regimen"]) for r in rows]),
        "block_arm": np.array([arms.index(n) for n in names]),
        "block_effect": np.array([EFFECTS.index(r["effect"]) for r in rows]),
        "block_value": np.array([float(r["block"]) for r in rows]),
        "block_sd": np.array([BLOCK_SD * np.sqrt(_SAME.get(r["id"], 1)) for r in rows]),
        "block_side": np.array([{"": 0.0, "at least": 1.0, "at most": -1.0}[r["bound"]] for r in rows]),
    }
    return replace(table, arms=arms, arrays={**table.arrays, **arrays})


def _arm(row: Mapping[str, str]) -> str:
    """Name of the arm of a study whose deviation the challenge shares: as in the dose series."""
    return f"{row['study']}:{row['without'].split()[0]}"


def _nodes(row: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    return tuple(_node(row, row[kind]) for kind in ("without", "regimen"))  # type: ignore[return-value]


def _node(row: Mapping[str, str], words: str) -> dict[str, Any]:
    """Exposure of receptors at the largest stimulus: free levels [nM], and antagonists over the free fraction."""
    start = float(row["from_h"])
    hours = [start, float(row["read_h"])] if row["read_h"] else list(start + _STEP_H * np.arange(1, 181))
    ticks = [round(h * TICKS_PER_HOUR) for h in hours]
    values = Values(load())

    def of(who: Mapping[str, Any]) -> tuple[Floats, Floats]:
        run = Run.of(*words.split("; "), until=f"{max(hours) + 1.0:.3f} h", receptors=["mor"], tone=False, **who)
        found = simulate_run(run, times_tick=ticks, warn=False)
        free = np.asarray(found["mor_free"].values, dtype=np.float64)
        over: dict[str, Floats] = {
            name.removeprefix("mor_occupancy_"): np.maximum(np.asarray(found[name].values, dtype=np.float64), 0) / free
            for name in found.outputs if name.startswith("mor_occupancy_")
        }  # fmt: skip
        felt = np.stack([over.get(s, np.zeros_like(free)) for s in SPECIES], axis=-1)
        by = sum((v for name, v in over.items() if _blocks(name)), np.zeros_like(free))
        return felt, by

    efficacy = np.array([values.typical(s, "mor.efficacy") for s in SPECIES])
    weight = efficacy / (1.0 - efficacy)

    def when(felt: Floats, by: Floats) -> NDArray[np.intp]:
        stimulus = (felt @ weight) / (1.0 + felt.sum(axis=-1) + by)
        return np.full(len(by), len(hours) - 1) if row["read_h"] else stimulus.argmax(axis=1)

    felt, by = of({"subject": None, "seed": 1})
    at = int(when(felt, by)[0])
    many, many_by = of({"population": {"n": 100}, "seed": 1})
    strength = ((many @ weight) / (1.0 + many_by))[np.arange(100), when(many, many_by)]
    draws = of({"population": {"n": 1, "uncertainty": 200, "variability": False}, "seed": 1})[1][:, at]
    kd = np.array([affinity(s) * values.typical(s, "mor.factor") for s in SPECIES])
    return {
        "felt": felt[0, at] * kd, "by": float(by[0, at]), "spread": float(np.std(np.log(strength))),
        "by_sd": float(np.std(np.log(draws))) if by[0, at] > 0.0 else 0.0,
    }  # fmt: skip


def _blocks(name: str) -> bool:
    return name in ("naltrexone", "beta_naltrexol", "naloxone")
