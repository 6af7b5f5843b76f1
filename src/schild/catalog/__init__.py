"""The catalogue: drugs, receptors, populations, studies, references as data, each number with its paper."""

from schild.catalog.entries import (
    Binding,
    Branch,
    Correlation,
    Covariate,
    Delivery,
    Disposition,
    Drug,
    Observation,
    PopulationCovariate,
    Product,
    Receptor,
    Reference,
    ReferencePopulation,
    Route,
    Structure,
    Study,
)
from schild.catalog.loader import Catalogue, drug_from_dict, load

__all__ = [
    "Binding",
    "Branch",
    "Catalogue",
    "Correlation",
    "Covariate",
    "Delivery",
    "Disposition",
    "Drug",
    "Observation",
    "PopulationCovariate",
    "Product",
    "Receptor",
    "Reference",
    "ReferencePopulation",
    "Route",
    "Structure",
    "Study",
    "drug_from_dict",
    "load",
]
