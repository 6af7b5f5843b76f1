"""Predictions of published designs, frozen once with their hash: ``python -m schild.validation.predictions FILE``.

The file ``frozen/step_a_second.csv`` was written by this script before any challenge under an antagonist was read, from
fits to agonists alone, scans and withdrawal. It never changes; what the script writes later may differ
(docs/validation.md). ``frozen/step_a.csv`` is the first, which it replaces. Each opioid has one published challenge
dose by route, the same in every row: the antagonist, its dose and the time vary, never the opioid's dose. The designs
are those of the file.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.simulation import Run, simulate, simulate_run
from schild.units import TICKS_PER_HOUR

__all__ = ["FROZEN", "SHA256", "changes", "frozen", "main", "means", "rows"]


#: The frozen file and the hash of its bytes; then the first file, from the earlier fit of adaptation.
FROZEN = Path(__file__).parent / "frozen" / "step_a_second.csv"
SHA256 = "91065f732c30aa81a19676ad30ad703c701f5d00313b2ca6cc495194741585f6"
#: Commit and day of the freeze, and the day on which the released challenges were opened after it.
COMMIT, FROZEN_ON, OPENED_ON = "f3af468", "2026-11-29", "2026-11-29"
SUPERSEDED = {"step_a.csv": "8b639324de02d0c3a323d0f173a264d9cd0c9ddb129696654c310d8960c29399"}

#: What tells designs apart, and the columns of the file.
DESIGN = ("design", "opioid", "antagonist", "at_h")
COLUMNS = (*DESIGN, "effect", "unit", "without", "with", "block", "mean_block", "low", "high")

#: People of a virtual study; parameter sets, each used for a study of its own.
PEOPLE, STUDIES, SEED = 10, 40, 20261129
#: Time after the opioid over which effects are followed. [h]
WINDOW_H, STEP_H = 5.0, 1 / 12
EFFECTS = ("liking", "pupil", "ventilation_isohypercapnic", "analgesia")


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


def _who(many: bool) -> dict[str, Any]:
    who = {"population": {"n": PEOPLE, "uncertainty": STUDIES}} if many else {"subject": None}
    return {**who, "seed": SEED}


@cache
def _alone(opioid: str, many: bool) -> dict[str, Floats]:
    return changes(opioid, EFFECTS, 0.0, _who(many))


def _shown(row: Mapping[str, str], many: bool) -> Mapping[str, Floats]:
    """What a design shows, by effect, each of shape (n_runs,).

    That is the largest score of withdrawal within a day of a start, breathing at a time, or the changes by an opioid.
    """
    opioid, antagonist, at_h = row["opioid"], row["antagonist"], float(row["at_h"])
    options: dict[str, Any] = {"outputs": [row["effect"]], "warn": False, **_who(many)}
    if row["effect"] == "cows":
        start = antagonist or "naloxone 0.0001 mg im"
        history = f"{opioid} stopped {at_h:g} h"
        score = simulate(start, history=history, until="24 h", every="10 min", **options)["cows"].values
        return {"cows": np.asarray(score, dtype=np.float64).max(axis=1)}
    if not row["block"]:
        doses = "; ".join(filter(None, (opioid, antagonist)))
        found = simulate(doses, until="4 h", every="3 min", receptors=["mor"], **options)
        return {row["effect"]: np.atleast_1d(found[row["effect"]].at(at_h))}
    return changes(f"{antagonist}; {opioid}" + (f" at {at_h:g} h" if at_h else ""), EFFECTS, at_h, _who(many))


def rows() -> Iterator[dict[str, Any]]:
    """Run every design of the frozen file with the catalogue as it is."""
    for _, some in groupby(frozen(), key=itemgetter(*DESIGN)):
        group = list(some)
        typical, many = (_shown(group[0], several) for several in (False, True))
        for row in group:
            name = row["effect"]
            with_, spread = float(typical[name][0]), means(many[name])
            found: dict[str, Any] = {"without": "", "with": with_, "block": ""}
            if row["block"]:
                without = float(_alone(row["opioid"], False)[name][0])
                found |= {"without": without, "block": 1.0 - with_ / without}
                spread = 1.0 - spread / np.maximum(means(_alone(row["opioid"], True)[name]), 1e-9)
            low, middle, high = np.quantile(spread, [0.05, 0.5, 0.95])
            said = {column: row[column] for column in (*DESIGN, "effect", "unit")}
            yield {**said, **found, "mean_block": middle, "low": low, "high": high}


def frozen() -> list[Mapping[str, str]]:
    """Return the frozen rows, columns as printed.

    Examples
    --------
    >>> {row["effect"] for row in frozen()} >= {"liking", "pupil", "cows"}
    True
    """
    return list(csv.DictReader(FROZEN.read_text(encoding="utf-8").splitlines()))


def main(arguments: list[str] | None = None) -> int:
    """Write today's predictions to a file and print its hash."""
    (name,) = sys.argv[1:] if arguments is None else arguments
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for row in rows():
            table.writerow({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()})
            file.flush()
    print(sha256(Path(name).read_bytes()).hexdigest())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
