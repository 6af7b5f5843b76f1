"""Records of receptors and of published results (``data/receptors.toml``, ``data/studies/<key>.toml``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schild.catalog.reader import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Receptor:
    """A receptor pool."""

    #: E.g. ``"mor"``, ``"mu-opioid receptor in the brain"``.
    key: str
    name: str
    #: ``brain`` (sees the effect site of a drug that has one) or ``gut`` (always sees plasma)
    site: Literal["brain", "gut"]
    says: str = ""  #: What it stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One published result in people.

    Parameters
    ----------
    id, study : str
        Row and study.
    observable : str
        ``cmax``, ``tmax``, ``auc``, ``half_life``, ``mean_concentration``, ``occupancy`` and so on.
    species : str
        Drug or, for occupancy, receptor.
    regimen : str
        The regimen, in schild's words.
    time_h : float or None
        Time of the observation after the first dose. [h]
    value : float
        Observed value in ``unit``.
    unit : str
        Its unit.
    low, high : float or None
        Limits where the source prints a range; ``value`` is then their middle.
    spread : float or None
        Spread in ``unit``, of kind ``spread_stat`` (``SD``, ``SEM``, ``CV`` as a fraction).
    sd_fixed : float or None
        Standard deviation to weigh the row with in calibration, in ``unit``.
    normalisation : str
        ``absolute``, or what the value is relative to, e.g. ``"1 h"``.
    plasma_ng_ml : float or None
        Of a scan: concentration of the drug in plasma that is printed for the people scanned, at ``time_h``. [ng/mL]
    n : int or None
        People.
    role : str
        ``calibration`` (may be fitted), ``check`` (compared only).
    source, row : tuple of str
        Citation keys and evidence rows.
    locator, verified, assay, loq, time_basis, note : str
        Place in the source, way of checking, assay, limit of quantification, basis of the time, cautions.
    """

    id: str
    study: str
    observable: str
    species: str
    regimen: str
    value: float
    unit: str
    time_h: float | None = None
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    spread_stat: str = ""
    sd_fixed: float | None = None
    normalisation: str = ""
    plasma_ng_ml: float | None = None
    n: int | None = None
    role: Literal["calibration", "check"] = "check"
    source: tuple[str, ...] = ()
    locator: str = ""
    verified: str = ""
    assay: str = ""
    loq: str = ""
    time_basis: str = ""
    note: str = ""
    row: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A set of published results.

    Parameters
    ----------
    key, title, says : str
        Identity.
    observations : tuple of Observation
        The rows.
    """

    key: str
    title: str
    says: str = ""
    observations: tuple[Observation, ...] = ()


def read_study(table: Table) -> Study:
    """Read one set of published results; a fault is named with file and line (CatalogueError)."""
    rows = table.tables("observation")
    for row in rows:
        row.text("role")  # nothing is a check by oversight
    return table.record(Study, observations=tuple(row.record(Observation) for row in rows))
