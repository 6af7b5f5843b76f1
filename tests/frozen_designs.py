"""Designs of the frozen predictions with today's numbers: ``python tests/frozen_designs.py FILE``."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.simulation import simulate
from schild.validation.predictions import PEOPLE, SEED, STUDIES, changes, frozen, means

#: What tells designs apart, and the columns of the file.
DESIGN = ("design", "opioid", "antagonist", "at_h")
COLUMNS = (*DESIGN, "effect", "unit", "without", "with", "block", "mean_block", "low", "high")

EFFECTS = ("liking", "pupil", "ventilation_isohypercapnic", "analgesia")


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
    sys.exit(main())
