"""Records of groups of people: distributions of their covariates (``data/populations.toml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from schild.catalog.drugs import Correlation
from schild.catalog.numbers import Copied, Names, read_numbers
from schild.catalog.reader import Table
from schild.evidence import Number


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationCovariate:
    """Distribution of one property of the people of a population."""

    key: str  #: ``weight_kg``, ``age_years``, ``crcl_ml_min`` or ``sex``
    #: ``normal`` or ``log-normal`` (numbers ``mean``, ``cv``, truncated at ``low`` and ``high``), ``uniform`` (``low``
    #: to ``high``) or ``categorical`` (``shares``)
    distribution: Literal["normal", "log-normal", "uniform", "categorical"]
    #: Names of numbers; ``mean`` is the arithmetic mean before truncation
    mean: Annotated[str | None, Names()] = None
    cv: Annotated[str | None, Names()] = None
    low: Annotated[str | None, Names()] = None
    high: Annotated[str | None, Names()] = None
    shares: Annotated[Mapping[str, str], Names()] = field(
        default_factory=dict
    )  #: Level to the number that holds its share


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePopulation:
    """Covariate distributions of a group of people."""

    key: str
    name: str
    says: str = ""
    covariates: Mapping[str, PopulationCovariate] = field(default_factory=dict)
    correlations: tuple[Correlation, ...] = ()  #: Rank (Gaussian copula) correlations between properties
    numbers: Mapping[str, Number] = field(default_factory=dict)  #: All numbers by name


def read_population(key: str, table: Table, copied: Copied) -> ReferencePopulation:
    """Read one group of people; a fault is named with file and line (CatalogueError)."""
    return table.record(
        ReferencePopulation,
        key=key,
        covariates={
            name: entry.record(PopulationCovariate, key=name) for name, entry in table.named("covariate").items()
        },
        correlations=tuple(entry.record(Correlation) for entry in table.tables("correlation")),
        numbers=read_numbers(table, key, copied),
    )
