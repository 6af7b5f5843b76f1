"""Schild analysis of agonist curves under an antagonist: a user's own curves, or the model's."""

from schild.analysis.curves import ModelCurves, model_curves
from schild.analysis.fit import schild_fit
from schild.analysis.fit_result import DoseRatio, Estimate, FTest, SchildFit
from schild.analysis.regression import Line, SchildRegression, regress, schild_regression

__all__ = [
    "DoseRatio",
    "Estimate",
    "FTest",
    "Line",
    "ModelCurves",
    "SchildFit",
    "SchildRegression",
    "model_curves",
    "regress",
    "schild_fit",
    "schild_regression",
]
