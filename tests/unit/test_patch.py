"""A route with a disposition of its own: the fentanyl patch."""

from __future__ import annotations

import numpy as np
import pytest

import schild
from schild.catalog import drug_from_dict, load
from schild.errors import CatalogueError
from schild.simulation import Run, model_of


def test_the_mean_level_of_patches_is_rate_over_apparent_clearance():
    found = schild.simulate("fentanyl 1.8 mg td q72h ss", until="72 h", every="15 min", receptors=["mor"])
    level, time_h = found["plasma_fentanyl"].values[0], found["plasma_fentanyl"].time_h
    mean = np.trapezoid(level, time_h) / 72
    assert mean == pytest.approx(25 / 49.6, rel=1e-3)  # ug/h over L/h: ng/mL
    assert level.max() / level.min() < 2.2


def test_only_runs_with_a_patch_clear_at_its_rate_and_a_mixture_says_so():
    alone, patch = (model_of(Run.of(w)) for w in ("fentanyl 50 ug iv", "fentanyl 1.8 mg td"))
    assert (alone.parameters["fentanyl.cl"], patch.parameters["fentanyl.cl"]) == (75.6, 49.6)
    assert alone.parameters["fentanyl.vc"] == patch.parameters["fentanyl.vc"]
    assert not alone.warnings
    assert not patch.warnings
    both = model_of(Run.of("fentanyl 1.8 mg td", "fentanyl 50 ug iv at 1 d"))
    assert both.parameters["fentanyl.cl"] == 49.6
    assert any("serves the whole run, iv too" in warning for warning in both.warnings)


def test_what_stands_in_is_a_part_of_the_disposition():
    assert load().drug("fentanyl").routes["transdermal"].disposition == {"cl": "transdermal.cl"}
    route = {"product": "p", "disposition": {"fu": "x"}, "branch": [{"input": "bolus", "deliver": {"x": "f"}}]}
    with pytest.raises(CatalogueError, match="expected vc, cl"):
        drug_from_dict({"key": "x", "name": "x", "role": "agonist", "summary": "A.", "route": {"iv": route}})
