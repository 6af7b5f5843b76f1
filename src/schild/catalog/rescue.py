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
from schild.catalog.reader import Table
from schild.errors import CatalogueError
from schild.evidence import Number

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class JointNormal:
    """A joint distribution of some numbers, normal on the scale of each: of its logarithm, unless it is ``plain``.

    Parameters
    ----------
    key : str
        Name of the table.
    names : tuple of str
        The numbers, in the order of the arrays.
    plain : tuple of str
        Numbers that are normal themselves.
    centre, sd : ndarray
        Shape (n,); geometric mean and standard deviation of the natural logarithm; mean and standard deviation of plain
        numbers.
    correlation : ndarray
        Shape (n, n).
    cap : mapping of str to float
        Largest value of some numbers.
    source : tuple of str
        Citation keys.
    locator, row, note : str
        Where the moments come from.
    """

    key: str
    names: tuple[str, ...]
    plain: tuple[str, ...]
    centre: Floats
    sd: Floats
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
    table = Table.of(_read("physiology.toml"), "rescue/physiology.toml")
    table.text("name")
    table.text("says")

    def copied(drug: str, number: str) -> Number:
        raise KeyError(number)

    numbers = _numbers(table, "rescue", copied)
    table.done()
    return numbers


@lru_cache(maxsize=1)
def population_spreads() -> Mapping[str, JointNormal]:
    """Read the spread of the reference's virtual population, one distribution per published table.

    Returns
    -------
    mapping of str to JointNormal
        By name of the table.

    Raises
    ------
    CatalogueError
        If a table does not fit together.

    Examples
    --------
    >>> spread = population_spreads()["fentanyl_binding"]
    >>> spread.names, float(spread.correlation[0, 2])
    (('ec50', 'k_off', 'n'), -0.4422)
    """
    top = Table.of(_read("population.toml"), "rescue/population.toml")
    found = {}
    for key in top.data:
        table = top.table(key)
        names = table.texts("names")
        table.asked |= {"centre", "sd", "correlation", "cap", "verified"}
        centre, sd = (np.array(table.data.get(k, ()), dtype=np.float64) for k in ("centre", "sd"))
        correlation = np.array(table.data.get("correlation", np.eye(len(names))), dtype=np.float64)
        if centre.shape != (len(names),) or sd.shape != centre.shape or correlation.shape != (len(names), len(names)):
            raise CatalogueError(f"rescue/population.toml: [{key}] has arrays whose length is not that of its names.")
        caps = table.table("cap")
        found[key] = JointNormal(
            key=key,
            names=names,
            plain=table.texts("plain"),
            centre=centre,
            sd=sd,
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
