"""Published blocks against the frozen file and the model of the freeze (docs/design/challenge-fit.md)."""

import re
from pathlib import Path

import numpy as np
import pytest

from schild.catalog import load
from schild.validation.blocks import Band, frozen_block, model_block

ROWS = {row["id"]: row for row in load().challenges}
SCORED = {key: row for key, row in ROWS.items() if row["effect"]}
PAGE = (Path(__file__).parents[2] / "docs" / "design" / "challenge-fit.md").read_text(encoding="utf-8")


def test_every_released_row_is_entered_with_its_source():
    lines = {int(row["row"].rpartition("#L")[2]) for row in ROWS.values()}
    assert lines == set(range(2, 10))
    assert all(row["study"] in load().references for row in ROWS.values())
    assert len(SCORED) == 8


@pytest.mark.parametrize(
    ("key", "wanted"), [("schuh1999_25mg", (0.425, 0.098, 0.914)), ("schuh1999_100mg", (0.893, 0.336, 0.996))]
)
def test_the_file_answers_a_design_between_its_grid_points(key, wanted):
    found = frozen_block(ROWS[key])
    assert (found.typical, found.low, found.high) == pytest.approx(wanted, abs=0.001)


def test_beyond_the_grid_the_file_says_nothing():
    answered = [key for key, row in SCORED.items() if frozen_block(row) is not None]
    assert answered == ["schuh1999_25mg", "schuh1999_100mg"]
    later = {**ROWS["schuh1999_25mg"], "from_h": "169"}
    assert frozen_block({**later, "regimen": "naltrexone 25 mg po; hydromorphone 6 mg im at 169 h"}) is None


def test_between_grid_points_the_logarithms_count():
    table = [
        {"design": "oral, one dose", "opioid": "heroin 25 mg iv", "antagonist": f"naltrexone {mg} mg po", "at_h": h,
         "effect": "liking", "block": b, "mean_block": b, "low": b, "high": b}
        for mg, h, b in ((25, "4", "0.2"), (100, "4", "0.6"), (25, "16", "0.1"), (100, "16", "0.5"))
    ]  # fmt: skip
    row = {**ROWS["schuh1999_25mg"], "regimen": "naltrexone 50 mg po; heroin 25 mg iv at 8 h", "from_h": "8"}
    assert frozen_block(row, table).middle == pytest.approx(0.35)


def test_a_band_is_widened_by_the_error_of_what_was_observed():
    band = Band(typical=0.2, middle=0.2, low=0.1, high=0.3)
    assert band.inside(0.38)
    assert not band.inside(0.4)
    assert not band.inside(0.35, se=0.01)
    assert band.inside(0.35, "at least")
    assert not band.inside(0.6, "at least")
    assert band.inside(0.05, "at most")
    assert band.fold(0.2) == pytest.approx(1.0)
    assert band.fold(0.6) == pytest.approx(0.45 / 0.85)


@pytest.mark.slow
@pytest.mark.parametrize("key", SCORED)
def test_the_page_says_what_the_model_gives(key):
    found = model_block(ROWS[key])
    said = f"{found.middle:.2f} ({found.low:.2f} to {found.high:.2f})"
    assert re.search(rf"\| {re.escape(said)} \|", PAGE), said
    assert np.isfinite(found.typical)
