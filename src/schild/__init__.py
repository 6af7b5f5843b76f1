"""The mechanism of action of opioid antagonists, naltrexone first, made executable.

For research and education, not for treating a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0.dev0"

_PUBLIC = {
    "simulate": "schild.simulation",
    "simulate_run": "schild.simulation",
    "Run": "schild.simulation",
    "Result": "schild.simulation",
    "Dose": "schild.regimen",
    "Regimen": "schild.regimen",
    "parse_regimen": "schild.regimen",
    "Subject": "schild.population",
    "Population": "schild.population",
    "load": "schild.catalog",
    "challenge": "schild.challenges",
    "compare": "schild.comparison",
    "explain": "schild.explanation",
    "fit_levels": "schild.observed",
    "forecast": "schild.forecasts",
    "coverage": "schild.missed_doses",
    "induction": "schild.inductions",
    "laboratory": "schild.drinking",
    "model_curves": "schild.analysis",
    "plan": "schild.planner",
    "rescue": "schild.overdose.compare",
    "schild_fit": "schild.analysis",
    "sensitivity": "schild.influence",
    "schild_regression": "schild.analysis",
    "structure": "schild.compounds",
    "Trial": "schild.trial",
    "run_trial": "schild.trial",
    "validate": "schild.validation",
}

__all__ = ["__version__", *sorted(_PUBLIC)]

if TYPE_CHECKING:
    from schild.analysis import model_curves as model_curves
    from schild.analysis import schild_fit as schild_fit
    from schild.analysis import schild_regression as schild_regression
    from schild.catalog import load as load
    from schild.challenges import challenge as challenge
    from schild.comparison import compare as compare
    from schild.compounds import structure as structure
    from schild.drinking import laboratory as laboratory
    from schild.explanation import explain as explain
    from schild.forecasts import forecast as forecast
    from schild.inductions import induction as induction
    from schild.influence import sensitivity as sensitivity
    from schild.missed_doses import coverage as coverage
    from schild.observed import fit_levels as fit_levels
    from schild.overdose.compare import rescue as rescue
    from schild.planner import plan as plan
    from schild.population import Population as Population
    from schild.population import Subject as Subject
    from schild.regimen import Dose as Dose
    from schild.regimen import Regimen as Regimen
    from schild.regimen import parse_regimen as parse_regimen
    from schild.simulation import Result as Result
    from schild.simulation import Run as Run
    from schild.simulation import simulate as simulate
    from schild.simulation import simulate_run as simulate_run
    from schild.trial import Trial as Trial
    from schild.trial import run_trial as run_trial
    from schild.validation import validate as validate


def __getattr__(name: str) -> Any:
    # Names are loaded when they are first used, so that `import schild` stays light.
    if name in _PUBLIC:
        from importlib import import_module

        module = import_module(_PUBLIC[name])
        value = getattr(module, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'schild' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
