"""Numbers of overdose and rescue: the published physiology, the spread of its population, its published results."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from schild.catalog.loader import _numbers
from schild.catalog.reader import Table, parse_toml
from schild.errors import CatalogueError
from schild.evidence import Number

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormal:
    """A joint log-normal distribution of some numbers.

    Parameters
    ----------
    key : str
        Name of the table.
    names : tuple of str
        The numbers, in the order of the arrays.
    geometric_mean, sd_log : ndarray
        Shape (n,); the mean in the numbers' own units, the standard deviation of the natural logarithm.
    correlation : ndarray
        Shape (n, n), of the logarithms.
    cap : mapping of str to float
        Largest value of some numbers.
    source : tuple of str
        Citation keys.
    locator, row, note : str
        Where the moments come from.
    """

    key: str
    names: tuple[str, ...]
    geometric_mean: Floats
    sd_log: Floats
    correlation: Floats
    cap: Mapping[str, float]
    source: tuple[str, ...]
    locator: str
    row: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedArrest:
    """One published percentage of cardiac arrests.

    Parameters
    ----------
    model : str
        ``IN`` (Chaturbedi and others 2024) or ``IM`` (Mann and others 2022).
    subject : str
        ``naive`` or ``chronic`` opioid user.
    opioid : str
        Key of the opioid.
    dose_mg, delay_s : float
        Bolus into a vein; seconds from the trigger to the first dose of the antagonist.
    regimen : str
        ``none``, ``IN4mg_x1`` and so on, as the source names them.
    percent, low, high : float
        Median and 95 % interval of resampled populations.
    source : str
        Citation key.
    """

    model: str
    subject: str
    opioid: str
    dose_mg: float
    delay_s: float
    regimen: str
    percent: float
    low: float
    high: float
    source: str


def _read(name: str) -> str:
    return files("schild.catalog").joinpath("data", "rescue", name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def physiology_numbers() -> Mapping[str, Number]:
    """Read every number of the published physiology, kinetics and protocol.

    Returns
    -------
    mapping of str to Number
        By name, in seconds, mmHg and litres; each with unit, source and locator.

    Examples
    --------
    >>> number = physiology_numbers()["lung.shunt"]
    >>> number.value, number.chosen.row
    (0.024, ('overdose/parameters.yaml#physiology.lung.shunt',))
    """
    table = Table(parse_toml(_read("physiology.toml"), "rescue/physiology.toml"), "rescue/physiology.toml")
    table.text("name")
    table.text("says")

    def copied(drug: str, number: str) -> Number:
        raise KeyError(number)

    numbers = _numbers(table, "rescue", copied)
    table.done()
    return numbers


@lru_cache(maxsize=1)
def population_spreads() -> Mapping[str, LogNormal]:
    """Read the spread of the reference's virtual population, one distribution per published table.

    Returns
    -------
    mapping of str to LogNormal
        By name of the table.

    Raises
    ------
    CatalogueError
        If a table does not fit together.

    Examples
    --------
    >>> spread = population_spreads()["fentanyl_binding"]
    >>> spread.names, float(spread.correlation[0, 2])
    (('k_on', 'k_off', 'n'), -0.989)
    """
    top = Table(parse_toml(_read("population.toml"), "rescue/population.toml"), "rescue/population.toml")
    found = {}
    for key in top.data:
        table = top.table(key)
        names = table.texts("names")
        table.asked |= {"geometric_mean", "sd_log", "correlation", "cap", "verified"}
        mean, sd = (np.array(table.data.get(k, ()), dtype=np.float64) for k in ("geometric_mean", "sd_log"))
        correlation = np.array(table.data.get("correlation", np.eye(len(names))), dtype=np.float64)
        if mean.shape != (len(names),) or sd.shape != mean.shape or correlation.shape != (len(names), len(names)):
            raise CatalogueError(f"rescue/population.toml: [{key}] has arrays whose length is not that of its names.")
        caps = table.table("cap")
        found[key] = LogNormal(
            key=key,
            names=names,
            geometric_mean=mean,
            sd_log=sd,
            correlation=correlation,
            cap={name: caps.real(name) for name in caps.data},
            source=table.texts("source"),
            locator=table.text("locator"),
            row=table.text("row"),
            note=table.text("note"),
        )
        table.done()
    return found


@lru_cache(maxsize=1)
def published_arrests() -> tuple[PublishedArrest, ...]:
    """Read the published percentages of cardiac arrest.

    Returns
    -------
    tuple of PublishedArrest
        In the order of the file.

    Examples
    --------
    >>> first = published_arrests()[0]
    >>> first.opioid, first.regimen, first.percent
    ('fentanyl', 'none', 52.1)
    """
    rows = csv.DictReader(line for line in _read("arrest_published.csv").splitlines() if not line.startswith("#"))
    return tuple(
        PublishedArrest(
            model=row["model"],
            subject=row["subject"],
            opioid=row["opioid"],
            dose_mg=float(row["dose_mg"]),
            delay_s=float(row["delay_s"]),
            regimen=row["regimen"],
            percent=float(row["percent"]),
            low=float(row["low"]),
            high=float(row["high"]),
            source=row["source"],
        )
        for row in rows
    )
