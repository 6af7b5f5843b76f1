"""Observed levels of many persons: tables in and out, predictions, visual predictive check, fits."""

from schild.observed.data import Observed, Person
from schild.observed.fit import LevelsFit, fit_levels
from schild.observed.read import read_observed
from schild.observed.write import simulated_table

__all__ = ["LevelsFit", "Observed", "Person", "fit_levels", "read_observed", "simulated_table"]
