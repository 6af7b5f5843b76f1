"""Every result has the same verbs, a repr of a few lines, and a plot that draws on the axes it is given."""

import importlib
import inspect
import json
import pickle
import pkgutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import schild
import schild.errors
from schild.analysis.curves import ModelCurves
from schild.analysis.fit_result import SchildFit
from schild.analysis.regression import SchildRegression
from schild.analysis.table import Analysed
from schild.challenges import Challenge
from schild.comparison import Comparison
from schild.compounds import StructureComparison
from schild.drinking.experiment import Laboratory
from schild.explanation.answer import Explanation
from schild.forecasts import Forecast
from schild.inductions import Induction
from schild.influence import Sensitivity
from schild.missed_doses import Coverage
from schild.observed import LevelsFit, read_observed
from schild.observed.check import Check, check
from schild.overdose.published import PublishedTable
from schild.overdose.table import Rescued
from schild.planner import Plan
from schild.results import Shown, ShownRun, plain
from schild.trial.result import TrialResult
from schild.trial.sizing import Sizing, size_trial
from schild.validation import Validation
from schild.validation.ledger import Ledger, ledger

ARM = {"name": "a", "drug": "naltrexone", "amount": "50 mg"}
RATIOS = {"antagonist": [1.0, 10.0, 100.0], "dose_ratio": [2.0, 11.0, 101.0]}
LEVELS = pd.DataFrame(
    {
        "TIME": [0.0, 1.0, 4.0, 8.0], "AMT": [50.0, 0.0, 0.0, 0.0], "AMTU": "mg", "DRUG": "naltrexone", "ROUTE": "oral",
        "DV": [".", 10.0, 2.5, 0.9],
    }
)  # fmt: skip
CURVES = {
    "antagonist": [0.0] * 5 + [9.0] * 5 + [99.0] * 5,
    "agonist": [1.0, 3.0, 10.0, 30.0, 100.0] * 3,
    "response": [x / (x + k) for k in (5.0, 50.0, 500.0) for x in (1.0, 3.0, 10.0, 30.0, 100.0)],
}

MADE = {
    "simulate": (
        schild.Result, 2, lambda: schild.simulate("naltrexone 50 mg po q24h x7", "heroin 25 mg iv at 3 d", until="8 d")
    ),
    "population": (schild.Result, 2, lambda: schild.simulate("naltrexone 50 mg po", until="24 h", n=20)),
    "challenge": (
        Challenge, 1, lambda: schild.challenge("naltrexone 50 mg po", agonist="heroin 25 mg iv", at="24 h")
    ),
    "compare": (Comparison, 3, lambda: schild.compare({"a": "naltrexone 50 mg po", "b": "naltrexone 100 mg po"})),
    "forecast": (
        Forecast, 2, lambda: schild.forecast("naltrexone 50 mg po", levels=["5 ng/mL at 2 h"], n=60)
    ),
    "coverage": (Coverage, 1, lambda: schild.coverage("naltrexone 50 mg po q24h x4", missed=[0, 1], n=8)),
    "check": (Check, 1, lambda: check(read_observed(LEVELS))),
    "sensitivity": (
        Sensitivity, 1, lambda: schild.sensitivity("naloxone 1 mg iv", metric="auc_naloxone_ng_h_ml", until="1 h", n=0)
    ),
    "plan": (Plan, 2, lambda: schild.plan("naltrexone", target=0.7, receptor="mor", hold="4 h", n=40)),
    "induction": (Induction, 1, lambda: schild.induction("heroin 25 mg iv q6h for 30 d", n=3)),
    "rescue": (Rescued, 3, lambda: schild.rescue("fentanyl 1.625 mg iv", ["none", "naloxone 4 mg in"], n=16)),
    "laboratory": (Laboratory, 6, lambda: schild.laboratory("bar", n=40)),
    "levels": (LevelsFit, 2, lambda: schild.fit_levels(LEVELS, ["naltrexone.cl"])),
    "fit": (SchildFit, 2, lambda: schild.schild_fit(CURVES, antagonist_unit="nM", agonist_unit="nM")),
    "regression": (SchildRegression, 1, lambda: schild.schild_regression(RATIOS, antagonist_unit="nM")),
    "curves": (ModelCurves, 1, lambda: schild.model_curves("naltrexone", agonist="morphine")),
    "structures": (StructureComparison, 1, lambda: schild.structure("naltrexone", "methylnaltrexone")),
    "ledger": (Ledger, 1, lambda: ledger()),
    "sizing": (
        Sizing, 1, lambda: size_trial(schild.Trial.of(ARM, weeks=4), endpoints=["percent_heavy_drinking_days"], sets=4)
    ),
    "trial": (TrialResult, 1, lambda: schild.run_trial(schild.Trial.of(ARM, n=100, weeks=4))),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_a_result_has_every_verb_and_a_short_repr(name):
    kind, panels, make = MADE[name]
    result = make()
    assert type(result) is kind
    assert isinstance(result, Shown)
    assert len(repr(result)) < 500
    assert repr(result).startswith(f"<{type(result).__name__}: ")
    shown = result._repr_html_()
    assert len(shown) < 12_000
    assert "<table><tr><th>" in shown
    assert result.summary()
    assert len(result.to_frame())
    data = json.loads(result.to_json())
    assert data["manifest"] == plain(dict(result.manifest))
    assert isinstance(result.cite(), str)
    figure = result.plot()
    assert isinstance(figure, Figure)
    assert figure._repr_png_()[:4] == b"\x89PNG"  # what a notebook shows
    axes = list(Figure().subplots(panels, 1, squeeze=False)[:, 0])
    given = axes[0] if panels == 1 else axes
    assert result.plot(ax=given) is given
    assert all(axis.has_data() for axis in axes)
    with pytest.raises(schild.errors.InputError, match=f"this figure has {panels} panels"):
        result.plot(ax=[*axes, axes[0]])


#: Results that take long to make; their verbs are tested where they are made.
LONG = (Explanation, PublishedTable, Validation)


def test_every_result_class_is_tested_here():
    for found in pkgutil.walk_packages(schild.__path__, "schild."):
        if not found.name.endswith("__main__"):
            module = importlib.import_module(found.name)
            for name, kind in inspect.getmembers(module, inspect.isclass):
                if kind.__module__ == found.name and hasattr(kind, "to_frame"):
                    assert issubclass(kind, Shown), name
    # A data class with slots is made twice, so classes are compared by name.
    kinds = {
        kind.__qualname__
        for base in (Shown, ShownRun, Analysed)
        for kind in base.__subclasses__()
        if kind.__module__.startswith("schild.")
    }
    kinds -= {"ShownRun", "Analysed"}
    assert kinds == {kind.__qualname__ for kind in (*(kind for kind, _, _ in MADE.values()), *LONG)}


@pytest.mark.parametrize("kind", LONG)
def test_answers_that_take_long_have_the_verbs_too(kind):
    for verb in ("about", "summary", "picture"):
        assert getattr(kind, verb) is not getattr(Shown, verb)
    assert kind.to_dict is not Shown.to_dict or kind.content is not Shown.content  # to_dict holds the content
    assert kind.__repr__ is Shown.__repr__
    assert isinstance(kind.manifest, property)


def test_a_notebook_shows_text_as_it_is():
    result = schild.simulate(
        "naltrexone 50 mg po", until="1 h", title="<script>alert(1)</script>", overrides={"heroin.cl": 9}
    )
    shown = result._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "Warning: heroin.cl was given" in shown


def test_plain_data_has_no_nan_and_no_numpy():
    given = {"a": np.array([1.0, np.nan]), "b": (np.int64(2), np.bool_(True), float("inf")), "c": "x"}
    assert json.dumps(plain(given), allow_nan=False) == '{"a": [1.0, null], "b": [2, true, null], "c": "x"}'


def test_a_challenge_is_pickled():
    """What is kept of a person holds functions, and came with the challenge."""
    found = schild.challenge("naltrexone 50 mg po", agonist="heroin 25 mg iv", at="2 h")
    again = pickle.loads(pickle.dumps(found))
    assert again.to_json() == found.to_json()
    assert again.cite() == found.cite()


def test_an_output_is_shown_in_a_line():
    result = schild.simulate("naltrexone 50 mg po", until="24 h")
    assert repr(result["plasma_naltrexone"]).startswith("<Output plasma_naltrexone [ng/mL]: naltrexone; 1 person, ")
