"""Tissues with control, maximum and slope of their own; antagonists that do not shift; tables as people write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from schild.analysis import schild_fit
from schild.errors import InputError, UnknownNameError

NM = {"antagonist_unit": "nM", "agonist_unit": "nM"}
CASES = Path(__file__).parents[2] / "data" / "cases" / "curves"
AGONIST = 10.0 ** np.arange(-1, 6.01, 0.5)
LEVELS = (0.0, 3.0, 30.0, 300.0)


def tissue(name, *, ec50, kb=2.0, slope=1.0, top=100.0, bottom=0.0, hill=1.0, levels=LEVELS, sd=0.0, seed=0):
    """Rows of one tissue under Gaddum's equation; `kb` None is an antagonist that does not bind."""
    b, a = (grid.ravel() for grid in np.meshgrid(levels, AGONIST, indexing="ij"))
    ratio = 1.0 if kb is None else 1.0 + (b / kb) ** slope
    y = bottom + (top - bottom) * a**hill / (a**hill + (ec50 * ratio) ** hill)
    y = y + np.random.default_rng(seed).normal(0, sd, y.size) if sd else y
    return {"tissue": [name] * b.size, "antagonist": b, "agonist": a, "response": y}


def together(*parts, name="tissue"):
    found = {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}
    return {name if column == "tissue" else column: values for column, values in found.items()}


DIFFERENT = (
    {"ec50": 50.0, "top": 100.0, "hill": 1.0},
    {"ec50": 500.0, "top": 60.0, "hill": 1.6},
    {"ec50": 12.0, "top": 140.0, "hill": 0.8, "bottom": 10.0},
)


@pytest.mark.parametrize("column", ["tissue", "curve"])
def test_tissues_keep_their_own_control_maximum_and_slope(column):
    parts = [tissue(f"rat {k}", **shape) for k, shape in enumerate(DIFFERENT)]
    fit = schild_fit(together(*parts, name=column), **NM)
    assert fit["pa2"].value == pytest.approx(9 - np.log10(2), abs=1e-6)
    assert fit["slope"].value == pytest.approx(1, abs=1e-6)
    for k, shape in enumerate(DIFFERENT):
        assert fit[f"top[rat {k}]"].value == pytest.approx(shape["top"], rel=1e-6)
        assert fit[f"log_ec50[rat {k}]"].value == pytest.approx(np.log10(shape["ec50"]) - 9, abs=1e-6)
        assert fit[f"hill[rat {k}]"].value == pytest.approx(shape["hill"], rel=1e-6)
        own = [ratio.ratio for ratio in fit.ratios if ratio.curve == f"rat {k}"]
        assert own == pytest.approx([2.5, 16, 151], rel=1e-6)
        assert fit.predict(0.0, np.array([shape["ec50"]]), f"rat {k}") == pytest.approx(
            [(shape["top"] + shape.get("bottom", 0.0)) / 2], rel=1e-6
        )
    assert [name for name, test in fit.tests.items() if test.rejects] == ["shift"]
    assert len(fit.plot().axes) == 2
    with pytest.raises(UnknownNameError, match="No tissue is called 'mouse'"):
        fit.predict(0.0, AGONIST, "mouse")


def test_each_tissue_may_meet_one_level_beside_its_control():
    parts = [
        tissue(f"t{k}", ec50=20.0 * 3**k, levels=(0.0, level), sd=1.5, seed=k) for k, level in enumerate(LEVELS[1:])
    ]
    fit = schild_fit(together(*parts), **NM)
    assert fit["pa2"].profile_low < 9 - np.log10(2) < fit["pa2"].profile_high
    assert [ratio.ratio for ratio in fit.ratios] == pytest.approx([2.5, 16, 151], rel=0.15)


def test_limits_hold_the_truth_in_paired_designs():
    inside = 0
    for seed in range(20):
        parts = [tissue(f"t{k}", **shape, sd=3.0, seed=100 * seed + k) for k, shape in enumerate(DIFFERENT[:2])]
        pa2 = schild_fit(together(*parts), **NM)["pa2"]
        inside += pa2.profile_low < 9 - np.log10(2) < pa2.profile_high
    assert inside >= 17  # fewer than 17 of 20 at 95 % happens once in 60


def test_insurmountable_antagonism_is_seen_within_a_tissue_and_not_between_tissues():
    short = tissue("b", ec50=500.0, sd=1.0, seed=2)
    short["response"] = np.where(short["antagonist"] == 300, 0.5, 1.0) * short["response"]
    fit = schild_fit(together(tissue("a", ec50=50.0, top=60.0, sd=1.0, seed=1), short), **NM)
    assert fit.tests["maximum"].rejects
    whole = together(tissue("a", ec50=50.0, top=60.0, sd=1.0, seed=1), tissue("b", ec50=500.0, sd=1.0, seed=2))
    assert not schild_fit(whole, **NM).tests["maximum"].rejects


def test_a_tissue_without_control_is_refused_where_others_have_one():
    parts = together(tissue("a", ec50=50.0), tissue("b", ec50=80.0, levels=(3.0, 30.0)), name="curve")
    with pytest.raises(InputError, match="'b' has no curve without antagonist, while others have their own"):
        schild_fit(parts, **NM)
    alone = schild_fit(together(tissue("a", ec50=50.0), tissue("b", ec50=80.0, levels=(0.0,))), **NM)
    assert any("'b' has no curve with antagonist" in text for text in alone.warnings)
    assert alone["pa2"].value == pytest.approx(9 - np.log10(2), abs=1e-6)


# ------------------------------------------------------------------------------------------------------ no shift


def test_an_antagonist_that_does_not_shift_gets_a_limit_and_no_estimate():
    fits = [schild_fit(tissue("", ec50=50.0, kb=None, sd=4.0, seed=seed), **NM) for seed in range(8)]
    still = [fit for fit in fits if not fit.shifts]
    assert len(still) >= 6  # the test of a shift errs in one of twenty
    for fit in still:
        assert (fit["pa2"].value, fit["slope"].value, fit["pkb"].value) == (None, None, None)
        assert (fit["pa2"].low, fit["pa2"].profile_high) == (None, None)
        assert 4.5 < fit["pkb"].profile_high < 7.5
        assert "slope" not in fit.tests
        assert any("No shift to the right is seen" in text for text in fit.warnings)
        assert '"pkb": {"value": null' in fit.to_json()
        assert fit.predict(300.0, AGONIST) == pytest.approx(fit.predict(0.0, AGONIST))
    assert len(still[0].plot().axes) == 2


def test_the_limit_holds_the_truth():
    """An antagonist too weak to see: its pKB of 5.5 is below the limit in nearly all data sets."""
    limits = [
        fit["pkb"].profile_high
        for seed in range(12)
        if not (fit := schild_fit(tissue("", ec50=50.0, kb=3162.0, sd=6.0, seed=seed), **NM)).shifts
    ]
    assert len(limits) >= 6
    assert sum(limit > 5.5 for limit in limits) >= len(limits) - 1


def test_a_shift_to_the_left_is_no_antagonism():
    part = tissue("", ec50=50.0, kb=None, sd=1.0, seed=3)
    part["agonist"] = np.where(part["antagonist"] > 0, part["agonist"] / 3, part["agonist"])
    fit = schild_fit(part, **NM)
    assert not fit.shifts
    assert any("shift to the left" in text for text in fit.warnings)


def test_one_level_of_antagonist_holds_the_slope_at_1_and_says_so():
    fit = schild_fit(tissue("", ec50=50.0, levels=(0.0, 30.0), sd=1.0), **NM)
    assert fit["slope"].held
    assert fit["pa2"].profile_low < 9 - np.log10(2) < fit["pa2"].profile_high
    assert any("slope is held at 1" in text for text in fit.warnings)


# -------------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("name", ["hash_curve_first", "hash_curve_last", "hash_curve_last_plain", "hash_curve_quoted"])
def test_files_with_a_hash_in_a_name_hold_two_tissues(name):
    fit = schild_fit(CASES / f"{name}.csv")
    rats = {"rat no 1", "rat no 2"} if "plain" in name else {"rat #1", "rat #2"}
    assert set(fit.tissues) == rats
    assert fit["pa2"].profile_low < 8.70 < fit["pa2"].profile_high
    assert fit["slope"].profile_low < 1 < fit["slope"].profile_high
    for ratio in fit.ratios:
        assert ratio.ratio == pytest.approx({3: 2.5, 30: 16, 300: 151}[ratio.level], rel=0.08)


@pytest.mark.parametrize(("name", "limit"), [("other_receptor", 6.00), ("noshift", 5.64)])
def test_files_without_a_shift(name, limit):
    fit = schild_fit(CASES / f"{name}.csv")
    assert fit["pa2"].value is None
    assert fit["pkb"].profile_high == pytest.approx(limit, abs=0.005)


ROWS = [f"{b:g},{a:g},{y:.6g}" for b, a, y in zip(*list(tissue("", ec50=50.0).values())[1:], strict=True)]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(["antagonist [nM],agonist [nM],response", *ROWS]),
        "\r\n".join(["# made up", "", "antagonist [nM],agonist [nM],response", *ROWS, "# end"]),
        "\n".join(
            ["antagonist [nM];agonist [nM];response", *(row.replace(",", ";").replace(".", ",") for row in ROWS)]
        ),
        "\n".join(["antagonist [nM]\tagonist [nM]\tresponse", *(row.replace(",", "\t") for row in ROWS)]),
        "\n".join(["antagonist (nM),agonist (nM),response,curve", *(f"{row},a # 1" for row in ROWS)]),
        "\n".join(["\ufeffAntagonist [nM],Agonist [nM],Response", *ROWS]),
    ],
    ids=["plain", "comments", "semicolons", "tabs", "hash", "mark"],
)
def test_tables_as_people_write_them(tmp_path, text):
    path = tmp_path / "curves.csv"
    path.write_text(text, encoding="utf-8")
    assert schild_fit(path)["pa2"].value == pytest.approx(9 - np.log10(2), abs=2e-3)


def test_a_row_that_does_not_fit_the_header_is_named_by_its_line(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text("\n".join(["# a", "antagonist [nM],agonist [nM],response", *ROWS, "1,2,3,4"]), encoding="utf-8")
    with pytest.raises(InputError, match=f"line {len(ROWS) + 3}: 4 cells where the header has 3"):
        schild_fit(path)
    path.write_text("\n".join(["# a", "antagonist [nM],agonist [nM],response", *ROWS, "1,x,3"]), encoding="utf-8")
    with pytest.raises(InputError, match=f"line {len(ROWS) + 3}: agonist is 'x'"):
        schild_fit(path)
