"""Classical Schild regression, and naltrexone in monkeys as its check."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schild.analysis import regress, schild_regression
from schild.errors import InputError, UnknownNameError

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@given(pa2=st.floats(6, 10), slope=st.floats(0.3, 3))
def test_an_exact_line_comes_back(pa2, slope):
    b = np.array([-9.5, -9.0, -8.0, -7.5])
    line = regress(b, 1 + 10 ** (slope * (b + pa2)))
    assert line.slope == pytest.approx(slope, abs=1e-6)
    assert line.pa2 == pytest.approx(pa2, abs=1e-6)


def test_points_without_a_logarithm_are_named_and_left_out():
    line = regress([-9, -8, -7, -6], [0.9, 11, 101, 1001], ["1 nM", "10 nM", "100 nM", "1 uM"])
    assert line.dropped == ("1 nM: a dose ratio of 0.9 has no log(ratio - 1)",)
    assert len(line.log_b) == 3


def test_one_level_leaves_no_slope():
    line = regress([-8.0, -8.0], [11.0, 12.0])
    assert np.isnan(line.slope)
    assert line.pkb == pytest.approx(9.02, abs=0.01)


def test_fieller_limits_cover_as_they_say():
    rng = np.random.default_rng(11)
    b, hits, n = np.array([-9.0, -8.5, -8.0, -7.5, -7.0]), 0, 2000
    for _ in range(n):
        line = regress(b, 1 + 10 ** (b + 8.4 + rng.normal(0, 0.15, b.size)))
        hits += line.pa2_low is not None and line.pa2_low < 8.4 < line.pa2_high
    assert 0.935 < hits / n < 0.965


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"antagonist": [0.0], "dose_ratio": [1.0]}, "no antagonist level above 0"),
        ({"antagonist": [0.0, 1.0], "dose_ratio": [2.0, 3.0]}, "without antagonist the dose ratio is 2"),
        ({"antagonist": [1.0], "dose_ratio": [-1.0]}, "dose_ratio is -1"),
    ],
)
def test_bad_tables(table, says):
    with pytest.raises(InputError, match=says):
        schild_regression(table, antagonist_unit="nM")


def test_naltrexone_in_monkeys_against_the_published_pa2():
    """Rows F05 to F08 against C21: pA2 8.66 (8.47 to 8.85) against alfentanil in the same species.

    The check as it comes out: with naltrexone as hydrochloride the four series give pKB 7.9 to 8.4, all together 8.16
    (8.03 to 8.30), a third of the published potency; slopes do not differ from 1. A miss by half a log unit, of
    another agonist, effect and time after the dose.
    """
    found = schild_regression(EXAMPLES / "schild_dose_ratios.csv", molar_mass=377.86)
    every = found["all"]
    assert every.pkb == pytest.approx(8.16, abs=0.01)
    assert (every.pkb_low, every.pkb_high) == pytest.approx((8.03, 8.30), abs=0.01)
    assert every.slope_low < 1 < every.slope_high
    assert every.pkb_high < 8.47, "the miss is gone: say so where it is told"
    assert every.pa2_high > 8.66 > every.pa2
    for name, line in found.lines.items():
        if name != "all":
            assert 7.8 < line.pkb < 8.5
            assert line.p_slope_1 > 0.3
    assert len(found.warnings) == 2
    with pytest.raises(UnknownNameError):
        found["codeine"]


def test_verbs():
    found = schild_regression(EXAMPLES / "schild_dose_ratios.csv")
    assert found.scale.canonical == "mg/kg"
    assert list(found.to_frame()["series"])[-1] == "all"
    assert "Schild HO" in found.cite()
    assert found.manifest["rows"] == 13
    assert len(found.plot().axes) == 1
    assert set(found.summary()) == set(found.lines)
    assert found.to_dict()["unit"] == "mg/kg"


@pytest.mark.parametrize("off", [1e-9, 1e-6, 1e-3])
def test_dose_ratios_that_are_almost_one_have_a_limit(off):
    fit = schild_regression(
        {"antagonist": [1, 10, 100, 1000], "dose_ratio": [1 + off, 1 - off, 1 - off, 1 + off]}, antagonist_unit="nM"
    )
    assert "no shift is seen, so there is no estimate; pKB is below" in " ".join(fit.warnings)


@pytest.mark.parametrize("wrong", [0.0, -0.0])
def test_a_dose_ratio_that_cannot_be_is_named_with_its_line(wrong):
    with pytest.raises(InputError, match=r"row 2.*dose ratio is -?0.*above 0"):
        schild_regression({"antagonist": [3, 10, 30, 100], "dose_ratio": [1.6, wrong, 3, 21]}, antagonist_unit="nM")


@given(logs=st.lists(st.floats(-99, 99), min_size=3, max_size=6))
def test_dose_ratios_of_any_size_end_in_an_answer(logs):
    b = 10.0 ** np.arange(len(logs))
    fit = schild_regression({"antagonist": b, "dose_ratio": 10.0 ** np.array(logs)}, antagonist_unit="nM")
    assert set(fit.lines) == {"all"}


def test_a_plot_without_a_line_has_no_legend():
    fit = schild_regression({"antagonist": [1, 10, 100], "dose_ratio": [0.9, 1.1, 1.0]}, antagonist_unit="nM")
    assert fit.plot().axes[0].get_legend() is None
