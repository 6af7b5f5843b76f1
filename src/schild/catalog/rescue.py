"""Numbers of overdose and rescue: the published physiology, the spread of its population, its published results."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.catalog.reader import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class JointNormal:
    """A joint distribution of some numbers, normal on the scale of each: of its logarithm, unless it is ``plain``."""

    key: str  #: Name of the table
    names: tuple[str, ...]  #: The numbers, in the order of the arrays
    #: Shape (n,); geometric mean and standard deviation of the natural logarithm; mean and standard deviation of plain
    #: numbers
    centre: Floats
    sd: Floats
    correlation: Floats
    cap: Mapping[str, float]  #: Largest value of some numbers
    source: tuple[str, ...]
    #: Where the moments come from
    locator: str
    row: str
    note: str = ""
    plain: tuple[str, ...] = ()  #: Numbers that are normal themselves
    #: Other drugs in the same people: factors on rate constants [1]
    others: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedArrest:
    """One published percentage of cardiac arrests."""

    model: str  #: ``IN`` (Chaturbedi and others 2024) or ``IM`` (Mann and others 2022)
    subject: str  #: ``naive`` or ``chronic`` opioid user
    opioid: str  #: Key of the opioid
    #: Bolus into a vein; seconds from the trigger to the first dose of the antagonist
    dose_mg: float
    delay_s: float
    regimen: str  #: ``none``, ``IN4mg_x1`` and so on, as the source names them
    #: Median and 95 % interval of resampled populations
    percent: float
    low: float
    high: float
    source: str


def read_spread(key: str, table: Table) -> JointNormal:
    """Read one joint distribution; a fault is named with file and line (CatalogueError)."""
    names = table.texts("names", ...)
    centre, sd = (table.array(name, (len(names),)) for name in ("centre", "sd"))
    correlation = table.array("correlation", (len(names), len(names)), np.eye(len(names)))
    caps = table.table("cap")
    table.text("verified")
    return table.record(
        JointNormal,
        key=key,
        names=names,
        centre=centre,
        sd=sd,
        correlation=correlation,
        cap={name: caps.one(name, float) for name in caps.data},
        others={
            key: {name: entry.one(name, float) for name in entry.data} for key, entry in table.named("others").items()
        },
    )


@lru_cache(maxsize=4)
def read_arrests(text: str) -> tuple[PublishedArrest, ...]:
    """Read the published percentages of cardiac arrest, in the order of the file."""
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(_arrest(row) for row in rows)


def _arrest(row: Mapping[str, Any]) -> PublishedArrest:
    numbers = ("dose_mg", "delay_s", "percent", "low", "high")
    values: dict[str, Any] = {key: float(value) if key in numbers else value for key, value in row.items()}
    return PublishedArrest(**values)
