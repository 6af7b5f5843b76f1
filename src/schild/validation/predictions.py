"""Predictions of published designs, frozen once with their hash: ``python -m schild.validation.predictions FILE``.

The file ``frozen/step_a_second.csv`` was written by this script before any challenge under an antagonist was read, from
fits to agonists alone, scans and withdrawal. It never changes; what the script writes later may differ
(docs/validation.md). ``frozen/step_a.csv`` is the first, which it replaces. Each opioid has one published challenge
dose by route, the same in every row: the antagonist, its dose and the time vary, never the opioid's dose.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.catalog import load
from schild.people import Values
from schild.simulation import Run, simulate, simulate_run
from schild.units import TICKS_PER_HOUR

__all__ = ["FROZEN", "SHA256", "frozen", "main", "rows"]


#: The frozen file and the hash of its bytes; then the first file, from the earlier fit of adaptation.
FROZEN = Path(__file__).parent / "frozen" / "step_a_second.csv"
SHA256 = "91065f732c30aa81a19676ad30ad703c701f5d00313b2ca6cc495194741585f6"
#: Commit and day of the freeze, and the day on which the released challenges were opened after it.
COMMIT, FROZEN_ON, OPENED_ON = "f3af468", "2026-11-29", "2026-11-29"
SUPERSEDED = {"step_a.csv": "8b639324de02d0c3a323d0f173a264d9cd0c9ddb129696654c310d8960c29399"}

COLUMNS = (
    "design", "opioid", "antagonist", "at_h", "effect", "unit", "without", "with", "block", "mean_block", "low", "high",
)  # fmt: skip

#: People of a virtual study; parameter sets, each used for a study of its own.
PEOPLE, STUDIES, SEED = 10, 40, 20261129
#: Time after the opioid over which effects are followed. [h]
WINDOW_H, STEP_H = 5.0, 1 / 12
EFFECTS = ("liking", "pupil", "ventilation_isohypercapnic", "analgesia")

#: One published challenge dose by route.
OPIOIDS = (
    "heroin 25 mg iv", "hydromorphone 6 mg im", "morphine 30 mg iv", "fentanyl 0.05 mg iv", "oxycodone 40 mg po",
    "hydromorphone 16 mg po", "hydrocodone 45 mg po", "morphine 60 mg po",
)  # fmt: skip
ORAL_MG, ORAL_H = (12.5, 25, 50, 100, 200), (1, 4, 8, 24, 48, 72, 96, 120, 168)
DEPOT_MG, DEPOT_D = (75, 150, 192, 384), (7, 14, 28, 42, 56)
#: Plasma levels of naltrexone that an infusion over two days keeps constant. [ng/mL]
HELD_NG_ML = (0.5, 1, 2, 3)


def _who(people: bool) -> dict[str, Any]:
    return {"population": {"n": PEOPLE, "uncertainty": STUDIES}} if people else {"subject": None}


def _changes(doses: Sequence[str], at_h: float, many: bool) -> dict[str, Floats]:
    """Largest change of each effect after a time, shape (n_runs,)."""
    grid = [round((at_h + i * STEP_H) * TICKS_PER_HOUR) for i in range(round(WINDOW_H / STEP_H) + 1)]
    run = Run.of(
        *doses, until=f"{at_h + WINDOW_H + 1:.3f} h", seed=SEED, receptors=["kor", "mor"], outputs=list(EFFECTS),
        **_who(many),
    )  # fmt: skip
    found = simulate_run(run, times_tick=grid, warn=False)
    values = {name: np.asarray(found[name].values, dtype=np.float64) for name in EFFECTS}
    return {name: np.abs(v - v[:, :1]).max(axis=1) for name, v in values.items()}


def _held(ng_ml: float) -> str:
    return f"naltrexone {Values(load()).typical('naltrexone', 'cl') * ng_ml / 1000.0:.5g} mg/h iv for 48 h"


def _challenges() -> Iterator[tuple[str, str, tuple[str, ...], float]]:
    """Design, opioid, regimen before it, time of the opioid [h]."""
    for k, opioid in enumerate(OPIOIDS):
        main = k < 5
        for mg in ORAL_MG if main else (50,):
            for h in ORAL_H if main else (1, 24, 72):
                yield "oral, one dose", opioid, (f"naltrexone {mg:g} mg po",), h
        for mg in DEPOT_MG if k < 3 else (384,):
            for d in DEPOT_D if k < 3 else (14, 28):
                yield "injection", opioid, (f"naltrexone {mg} mg im_depot",), 24.0 * d
        if main:
            for d in range(1, 6):
                yield "days after a week of tablets", opioid, ("naltrexone 50 mg po q24h x7",), 24.0 * (6 + d)
            for ng_ml in HELD_NG_ML:
                yield f"plasma held at {ng_ml:g} ng/mL", opioid, (_held(ng_ml),), 24.0
            for antagonist in ("naltrexone 1 mg iv", "naloxone 0.4 mg iv", "naloxone 2 mg iv"):
                yield "into a vein together with the opioid", opioid, (antagonist,), 0.0
    for mg in (2, 8, 16, 24, 32):
        for h in (4, 24, 48):
            words = f"buprenorphine {mg} mg sl q24h x7"
            yield "after a week of buprenorphine", "hydromorphone 6 mg im", (words,), 24.0 * 6 + h


def _blocks() -> Iterator[dict[str, Any]]:
    alone: dict[tuple[str, bool], dict[str, Floats]] = {}
    for design, opioid, before, at_h in _challenges():
        words = f"{opioid} at {at_h:g} h" if at_h else opioid
        with_ = {many: _changes((*before, words), at_h, many) for many in (False, True)}
        for many in (False, True):
            if (opioid, many) not in alone:
                alone[opioid, many] = _changes((opioid,), 0.0, many)
        for name in EFFECTS:
            means = [x[name].reshape(STUDIES, PEOPLE).mean(axis=1) for x in (alone[opioid, True], with_[True])]
            block = 1.0 - means[1] / np.maximum(means[0], 1e-9)
            low, middle, high = np.quantile(block, [0.05, 0.5, 0.95])
            without, blocked = float(alone[opioid, False][name][0]), float(with_[False][name][0])
            yield {
                "design": design, "opioid": opioid, "antagonist": "; ".join(before), "at_h": at_h, "effect": name,
                "unit": "points" if name == "liking" else "mm" if name == "pupil" else "1", "without": without,
                "with": blocked, "block": 1.0 - blocked / without, "mean_block": middle, "low": low, "high": high,
            }  # fmt: skip


def _reversals() -> Iterator[dict[str, Any]]:
    """Lowest breathing at a held carbon dioxide: buprenorphine and fentanyl, with and without an antagonist."""
    for opioid in ("buprenorphine 0.3 mg iv", "fentanyl 0.05 mg iv"):
        for antagonist in ("", "naloxone 0.4 mg iv at 0.5 h", "naloxone 2 mg iv at 0.5 h", "naltrexone 50 mg po"):
            doses = "; ".join(filter(None, (opioid, antagonist)))
            for at in (0.75, 1.0, 2.0):
                shown = []
                for many in (False, True):
                    found = simulate(
                        doses, until="4 h", every="3 min", seed=SEED, receptors=["mor"], warn=False,
                        outputs=["ventilation_isohypercapnic"], **_who(many),
                    )["ventilation_isohypercapnic"]  # fmt: skip
                    shown.append(np.atleast_1d(found.at(at)))
                means = shown[1].reshape(STUDIES, PEOPLE).mean(axis=1)
                low, middle, high = np.quantile(means, [0.05, 0.5, 0.95])
                yield {
                    "design": "breathing left", "opioid": opioid, "antagonist": antagonist, "at_h": at,
                    "effect": "ventilation_isohypercapnic", "unit": "1", "without": "", "with": float(shown[0][0]),
                    "block": "", "mean_block": middle, "low": low, "high": high,
                }  # fmt: skip


#: Use of an opioid for 60 days, and times since the last dose.
HISTORIES = (
    "heroin 25 mg iv q6h for 60 d", "morphine 30 mg sc q6h for 60 d", "methadone 100 mg po q24h for 60 d",
    "buprenorphine 16 mg sl q24h for 60 d",
)  # fmt: skip
INTERVALS = ("12 h", "24 h", "3 d", "7 d", "10 d", "14 d")
STARTS = ("", "naltrexone 50 mg po", "naltrexone 380 mg im_depot", "naloxone 0.8 mg im", "buprenorphine 4 mg sl")


def _withdrawal() -> Iterator[dict[str, Any]]:
    """Largest withdrawal score within a day of the start of a treatment, by interval after the last dose."""
    for history in HISTORIES:
        for since in INTERVALS:
            for start in STARTS:
                shown = []
                for many in (False, True):
                    found = simulate(
                        start or "naloxone 0.0001 mg im", history=f"{history} stopped {since}", until="24 h",
                        every="10 min", seed=SEED, outputs=["cows"], warn=False, **_who(many),
                    )["cows"]  # fmt: skip
                    shown.append(np.asarray(found.values, dtype=np.float64).max(axis=1))
                means = shown[1].reshape(STUDIES, PEOPLE).mean(axis=1)
                low, middle, high = np.quantile(means, [0.05, 0.5, 0.95])
                hours = float(since.split()[0]) * (24.0 if since.endswith("d") else 1.0)
                yield {
                    "design": "withdrawal" if not start else "precipitation", "opioid": history, "antagonist": start,
                    "at_h": hours, "effect": "cows", "unit": "points", "without": "", "with": float(shown[0][0]),
                    "block": "", "mean_block": middle, "low": low, "high": high,
                }  # fmt: skip


def rows() -> Iterator[dict[str, Any]]:
    """Run every design with the catalogue as it is."""
    yield from _withdrawal()
    yield from _reversals()
    yield from _blocks()


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
