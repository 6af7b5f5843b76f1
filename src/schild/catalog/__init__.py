"""The catalogue: drugs, receptors, populations, studies, references as data, each number with its paper."""

from schild.catalog.claims import Book, Card, Claim, Comparison, KnownMiss, Step, Test
from schild.catalog.drugs import (
    Binding,
    Branch,
    ByDose,
    Correlation,
    Covariate,
    Delivery,
    Disposition,
    Drug,
    Product,
    Route,
    Structure,
)
from schild.catalog.effects import Adaptation, Effect, LagState, Tolerance
from schild.catalog.loader import Catalogue, drug_from_dict, load
from schild.catalog.populations import PopulationCovariate, ReferencePopulation
from schild.catalog.references import Reference
from schild.catalog.studies import Observation, Receptor, Study
from schild.catalog.substances import Compound, Strength

__all__ = [
    "Adaptation",
    "Binding",
    "Book",
    "Branch",
    "ByDose",
    "Card",
    "Catalogue",
    "Claim",
    "Comparison",
    "Compound",
    "Correlation",
    "Covariate",
    "Delivery",
    "Disposition",
    "Drug",
    "Effect",
    "KnownMiss",
    "LagState",
    "Observation",
    "PopulationCovariate",
    "Product",
    "Receptor",
    "Reference",
    "ReferencePopulation",
    "Route",
    "Step",
    "Strength",
    "Structure",
    "Study",
    "Test",
    "Tolerance",
    "drug_from_dict",
    "load",
]
