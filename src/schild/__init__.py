"""The mechanism of action of opioid antagonists, naltrexone first, made executable.

For research and education, not for treating a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0.dev0"

_PUBLIC = {
    "simulate": "schild.simulate",
    "simulate_run": "schild.simulate",
    "Run": "schild.simulate",
    "Result": "schild.simulate",
    "Dose": "schild.regimen",
    "Regimen": "schild.regimen",
    "parse_regimen": "schild.regimen",
    "Subject": "schild.population",
    "Population": "schild.population",
    "load": "schild.catalog",
    "challenge": "schild.challenge",
    "explain": "schild.explain",
    "laboratory": "schild.drinking",
    "model_curves": "schild.analysis",
    "plan": "schild.plan",
    "rescue": "schild.rescue",
    "schild_fit": "schild.analysis",
    "schild_regression": "schild.analysis",
    "structure": "schild.structure",
    "Trial": "schild.trial",
    "run_trial": "schild.trial",
    "validate": "schild.validate",
}

__all__ = ["__version__", *sorted(_PUBLIC)]

if TYPE_CHECKING:
    from schild.analysis import model_curves as model_curves
    from schild.analysis import schild_fit as schild_fit
    from schild.analysis import schild_regression as schild_regression
    from schild.catalog import load as load
    from schild.challenge import challenge as challenge
    from schild.drinking import laboratory as laboratory
    from schild.explain import explain as explain
    from schild.plan import plan as plan
    from schild.population import Population as Population
    from schild.population import Subject as Subject
    from schild.regimen import Dose as Dose
    from schild.regimen import Regimen as Regimen
    from schild.regimen import parse_regimen as parse_regimen
    from schild.rescue import rescue as rescue
    from schild.simulate import Result as Result
    from schild.simulate import Run as Run
    from schild.simulate import simulate as simulate
    from schild.simulate import simulate_run as simulate_run
    from schild.structure import structure as structure
    from schild.trial import Trial as Trial
    from schild.trial import run_trial as run_trial
    from schild.validate import validate as validate


def _callable(module: str, function: str) -> None:
    """Let a module be called like its main function.

    ``schild.simulate`` is a function and also the package it lives in, and Python replaces the one by the other as
    soon as anything imports the package. A module that can be called makes both the same to a user.
    """
    import sys
    from types import ModuleType

    class Callable(ModuleType):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return getattr(self, function)(*args, **kwargs)

    sys.modules[module].__class__ = Callable


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
