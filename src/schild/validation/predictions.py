"""Predictions of published designs, frozen once with their hash, and how the change of an effect is computed there.

The file ``frozen/step_a_second.csv`` was written before any challenge under an antagonist was read, from fits to
agonists alone, scans and withdrawal. It never changes (docs/validation.md); ``tests/frozen_designs.py`` predicts its
designs again. ``frozen/step_a.csv`` is the first, which it replaces. Each opioid has one published challenge dose by
route, the same in every row: the antagonist, its dose and the time vary, never the opioid's dose.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.simulation import Run, simulate_run
from schild.units import TICKS_PER_HOUR

#: The frozen file and the hash of its bytes.
FROZEN = Path(__file__).parent / "frozen" / "step_a_second.csv"
SHA256 = "91065f732c30aa81a19676ad30ad703c701f5d00313b2ca6cc495194741585f6"
#: Commit and day of the freeze, and the day on which the released challenges were opened after it.
COMMIT, FROZEN_ON, OPENED_ON = "f3af468", "2026-11-29", "2026-11-29"

#: People of a virtual study; parameter sets, each used for a study of its own.
PEOPLE, STUDIES, SEED = 10, 40, 20261129
#: Time after the opioid over which effects are followed. [h]
WINDOW_H, STEP_H = 5.0, 1 / 12


def changes(
    words: str, effects: Sequence[str], from_h: float, who: Mapping[str, Any], read_h: float | None = None, **more: Any
) -> dict[str, Floats]:
    """Change of effects: the largest after a time, or that at a time from the start; each of shape (n_runs,).

    ``words``: doses, with ``; `` between them; ``who``: subject or population, and seed, of a run; ``more``: catalogue
    and overrides.
    """
    hours = [from_h, read_h] if read_h is not None else from_h + STEP_H * np.arange(round(WINDOW_H / STEP_H) + 1)
    run = Run.of(
        *words.split("; "), until=f"{max(hours) + 1.0:.3f} h", receptors=["kor", "mor"], outputs=list(effects), **who
    )
    found = simulate_run(run, times_tick=[round(h * TICKS_PER_HOUR) for h in hours], warn=False, **more)
    values = {name: np.asarray(found[name].values, dtype=np.float64) for name in effects}
    return {name: np.abs(v - v[:, :1]).max(axis=1) for name, v in values.items()}


def means(values: Floats, studies: int = STUDIES) -> Floats:
    """Means of the people of each virtual study, shape (n_studies,)."""
    return np.asarray(np.asarray(values).reshape(studies, -1).mean(axis=1))


def frozen() -> list[Mapping[str, str]]:
    """Return the frozen rows, columns as printed.

    Examples
    --------
    >>> {row["effect"] for row in frozen()} >= {"liking", "pupil", "cows"}
    True
    """
    return list(csv.DictReader(FROZEN.read_text(encoding="utf-8").splitlines()))
