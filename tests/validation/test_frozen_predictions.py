"""The frozen predictions: the file never changes, and what it holds is whole."""

from hashlib import sha256
from pathlib import Path

import pytest

import frozen_designs
from frozen_designs import COLUMNS, EFFECTS
from schild.validation.predictions import FROZEN, SHA256, frozen

#: The first file, from the earlier fit of adaptation.
SUPERSEDED = {"step_a.csv": "8b639324de02d0c3a323d0f173a264d9cd0c9ddb129696654c310d8960c29399"}

#: One published challenge dose of each opioid by route.
OPIOIDS = (
    "heroin 25 mg iv", "hydromorphone 6 mg im", "morphine 30 mg iv", "fentanyl 0.05 mg iv", "oxycodone 40 mg po",
    "hydromorphone 16 mg po", "hydrocodone 45 mg po", "morphine 60 mg po",
)  # fmt: skip


def test_the_file_is_the_one_that_was_frozen():
    page = (Path(__file__).parents[2] / "docs" / "validation.md").read_text(encoding="utf-8")
    for name, digest in {FROZEN.name: SHA256, **SUPERSEDED}.items():
        assert sha256((FROZEN.parent / name).read_bytes()).hexdigest() == digest
        assert digest in page


def test_each_opioid_has_one_dose_by_route_and_each_row_a_band():
    rows = frozen()
    assert set(rows[0]) == set(COLUMNS)
    challenges = [r for r in rows if r["block"]]
    given = {r["opioid"] for r in challenges}
    assert given == set(OPIOIDS)
    drug_and_route = [(words.split()[0], words.split()[-1]) for words in given]
    assert len(drug_and_route) == len(set(drug_and_route))
    for r in rows:
        low, high = float(r["low"]), float(r["high"])
        assert low <= float(r["mean_block"]) <= high, r
    for r in challenges:
        assert -0.25 < float(r["block"]) < 1.0001, r
    assert {r["effect"] for r in challenges} == set(EFFECTS)


def test_more_antagonist_blocks_more():
    rows = [r for r in frozen() if r["design"] == "oral, one dose" and r["effect"] == "liking"]
    at = {(r["antagonist"], r["at_h"]): float(r["block"]) for r in rows if r["opioid"] == "heroin 25 mg iv"}
    for hours in {h for _, h in at}:
        blocks = [at[f"naltrexone {mg:g} mg po", hours] for mg in (12.5, 25, 50, 100, 200)]
        assert blocks == sorted(blocks)


@pytest.mark.slow
def test_the_script_still_runs(tmp_path, monkeypatch):
    first = [row for row, _ in zip(frozen_designs.rows(), range(2), strict=False)]
    monkeypatch.setattr(frozen_designs, "rows", lambda: iter(first))
    assert frozen_designs.main([str(tmp_path / "x.csv")]) == 0
    assert (tmp_path / "x.csv").read_text(encoding="utf-8").startswith("design,opioid,")
