"""Block of an opioid's effect by an antagonist: published results compared with the frozen file and the model.

Rules: docs/design/challenge-fit.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.catalog import Catalogue, load
from schild.regimen import parse_regimen
from schild.validation import predictions

#: Standard error of a block whose study prints none. [1]
SE = 0.1
#: Number added to each remaining share before their ratio is formed. [1]
FLOOR = 0.05
#: Ends of a 90 % interval, in standard deviations.
_NINETY = 1.6448536269514722


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A predicted block: of the typical person, and the 90 % range of results of such a study. [1]"""

    typical: float
    middle: float
    low: float
    high: float

    def inside(self, value: float, bound: str = "", se: float = SE) -> bool:
        """Whether a published block lies in the band widened by its standard error, or a bound is reached by it."""
        low = self.middle - np.hypot(self.middle - self.low, _NINETY * se)
        high = self.middle + np.hypot(self.high - self.middle, _NINETY * se)
        if bound == "at least":
            return bool(high >= value)
        return bool(low <= value if bound == "at most" else low <= value <= high)

    def fold(self, value: float) -> float:
        """Observed over predicted share of the effect that is left, 0.05 added to each. [1]"""
        return (1.0 - value + FLOOR) / (1.0 - self.middle + FLOOR)


def left(row: Mapping[str, str], who: Mapping[str, Any], **more: Any) -> tuple[Floats, Floats]:
    """Change without and with the antagonist, each of shape (n_runs,).

    ``row``: of ``Catalogue.challenges``; ``who``: subject or population, and seed, of a run; ``more``: catalogue and
    overrides.
    """
    more["read_h"] = float(row["read_h"]) if row["read_h"] else None
    start, effect = float(row["from_h"]), row["effect"]
    without, with_ = (predictions.changes(row[k], [effect], start, who, **more)[effect] for k in ("without", "regimen"))
    return without, with_


def model_block(
    row: Mapping[str, str], people: int = predictions.PEOPLE, studies: int = predictions.STUDIES,
    catalogue: Catalogue | None = None, **more: Any,
) -> Band:  # fmt: skip
    """Predict a row with its own design: block of the typical person, median and 90 % range of a study's mean block.

    ``row``: of ``Catalogue.challenges``; ``people``: of a virtual study; ``studies``: parameter sets, each used for a
    study of its own; ``more``: ``overrides`` of the run.

    >>> from schild.catalog import load
    >>> rows = {row["id"]: row for row in load().challenges}
    >>> band = model_block(rows["schuh1999_100mg"], people=2, studies=4)
    >>> 0.0 <= band.low <= band.middle <= band.high <= 1.0
    True
    """
    more = {"catalogue": catalogue or load(), **more}
    seed, n = predictions.SEED, min(people, int(row["n"] or people))
    one = left(row, {"subject": None, "seed": seed}, **more)
    many = left(row, {"population": {"n": n, "uncertainty": studies}, "seed": seed}, **more)
    without, with_ = (predictions.means(x, studies) for x in many)
    block = 1.0 - with_ / np.maximum(without, 1e-9)
    low, middle, high = (float(q) for q in np.quantile(block, [0.05, 0.5, 0.95]))
    return Band(typical=float(1.0 - one[1][0] / one[0][0]), middle=middle, low=low, high=high)


def frozen_block(row: Mapping[str, str], table: Sequence[Mapping[str, str]] | None = None) -> Band | None:
    """Prediction of the frozen file for a row: same effect, opioid and route, antagonist and kind of design.

    Between grid points of dose and time of the antagonist the frozen numbers are interpolated in their logarithms;
    beyond them there is no prediction.

    ``row``: of ``Catalogue.challenges``; ``table``: rows of a frozen file, by default of the one in force. Returns None
    where the file has no such row.
    """
    doses = parse_regimen(row["regimen"]).doses
    if row["read_h"] or len(doses) != 2 or doses[0].amount is None:
        return None
    blocker, opioid = doses
    after_h = float(row["from_h"]) - blocker.time - ((blocker.count or 1) - 1) * (blocker.every or 0.0)
    points: dict[tuple[float, float], Floats] = {}
    single = (blocker.count or 1) == 1
    for one in table or predictions.frozen():
        if one["effect"] != row["effect"] or not one["block"] or ";" in one["antagonist"]:
            continue
        given, challenge = parse_regimen(one["antagonist"]).doses[0], parse_regimen(one["opioid"]).doses[0]
        same = (given.drug, given.route, (given.count or 1) == 1) == (blocker.drug, blocker.route, single)
        if not same or (challenge.drug, challenge.route) != (opioid.drug, opioid.route) or given.amount is None:
            continue
        if given.duration or blocker.duration:
            continue
        time = float(one["at_h"]) - ((given.count or 1) - 1) * (given.every or 0.0)
        key = (given.amount.value, time)
        points[key] = np.array([float(one[k]) for k in ("block", "mean_block", "low", "high")])
    found = _between(points, blocker.amount.value if blocker.amount else 0.0, after_h)
    if found is None:
        return None
    return Band(typical=found[0], middle=found[1], low=found[2], high=found[3])


def _between(points: Mapping[tuple[float, float], Floats], dose: float, time: float) -> Floats | None:
    """Interpolate in the logarithms of dose and time; None beyond the grid."""

    def weights(grid: list[float], x: float) -> list[tuple[float, float]]:
        if x in grid:
            return [(x, 1.0)]
        if not grid or not min(grid) <= x <= max(grid):
            return []
        low, high = max(g for g in grid if g < x), min(g for g in grid if g > x)
        w = float(np.log(x / low) / np.log(high / low))
        return [(low, 1.0 - w), (high, w)]

    of_doses = weights(sorted({d for d, _ in points}), dose)
    of_times = weights(sorted({t for _, t in points}), time)
    parts = [(d, t, a * b) for d, a in of_doses for t, b in of_times]
    if not parts or any((d, t) not in points for d, t, _ in parts):
        return None
    return np.asarray(sum(w * points[d, t] for d, t, w in parts))
