"""Records of receptors and of published results (``data/receptors.toml``, ``data/studies/<key>.toml``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schild.catalog.reader import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Receptor:
    """A receptor pool."""

    #: E.g. ``"mor"``, ``"mu-opioid receptor in the brain"``
    key: str
    name: str
    #: ``brain`` (sees the effect site of a drug that has one) or ``gut`` (always sees plasma)
    site: Literal["brain", "gut"]
    says: str = ""  #: What it stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One published result in people."""

    id: str  #: Of the row
    study: str  #: Key of the study in the tables of evidence
    observable: str  #: ``cmax``, ``tmax``, ``auc``, ``half_life``, ``mean_concentration``, ``occupancy`` and so on
    species: str  #: Drug or, for occupancy, receptor
    regimen: str  #: The regimen, in schild's words
    value: float  #: Observed value in ``unit``
    unit: str  #: Its unit
    time_h: float | None = None  #: Time of the observation after the first dose [h]
    #: Limits where the source prints a range; ``value`` is then their middle
    low: float | None = None
    high: float | None = None  #: The upper limit
    spread: float | None = None  #: Spread in ``unit``, of kind ``spread_stat`` (``SD``, ``SEM``, ``CV`` as a fraction)
    spread_stat: str = ""
    sd_fixed: float | None = None  #: Standard deviation to weigh the row with in calibration, in ``unit``
    normalisation: str = ""  #: ``absolute``, or what the value is relative to, e.g. ``"1 h"``
    #: Of a scan: concentration of the drug in plasma that is printed for the people scanned, at ``time_h`` [ng/mL]
    plasma_ng_ml: float | None = None
    n: int | None = None  #: People
    role: Literal["calibration", "check"] = "check"  #: ``calibration`` (may be fitted), ``check`` (compared only)
    source: tuple[str, ...] = ()  #: Citation keys
    locator: str = ""  #: Place in the source
    verified: str = ""  #: Way of checking
    assay: str = ""  #: Assay of a plasma level
    loq: str = ""  #: Its limit of quantification
    time_basis: str = ""  #: Basis of the time
    note: str = ""  #: Cautions
    row: tuple[str, ...] = ()  #: Rows of the tables of evidence


#: Observables that are measured at one time.
_AT_A_TIME = ("occupancy", "occupancy_ed50", "concentration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A set of published results."""

    key: str  #: Name of the file
    title: str  #: Title in words
    says: str = ""  #: What was measured, and how it is used
    observations: tuple[Observation, ...] = ()  #: The rows


def read_study(table: Table) -> Study:
    """Read one set of published results; a fault is named with file and line (CatalogueError)."""
    found = []
    for row in table.tables("observation"):
        row.text("role")  # nothing is a check by oversight
        o = row.record(Observation)
        found.append(o)
        if o.observable in _AT_A_TIME and o.time_h is None:
            raise row.fail(f"is of {o.observable} and lacks 'time_h' (a number), the time of the measurement.")
        for name, least in (("spread", 0.0), ("sd_fixed", 1e-12), ("n", 1), ("plasma_ng_ml", 1e-12)):
            if (value := getattr(o, name)) is not None and value < least:
                wanted = "above 0" if 0.0 < least < 1.0 else f"{least:g} or more"
                raise row.fail(f"has {name} = {value:g}; expected {wanted}.", name)
        if o.low is not None and o.high is not None and o.low > o.high:
            raise row.fail(f"has low = {o.low:g} above high = {o.high:g}; expected the lower limit first.", "low")
    return table.record(Study, observations=tuple(found))
