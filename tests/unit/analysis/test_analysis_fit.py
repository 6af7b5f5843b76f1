"""Schild fit: recovers what was put in, says what was left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schild
from schild.analysis import schild_fit
from schild.analysis.table import Scale
from schild.errors import InputError, UnknownNameError

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
NM = {"antagonist_unit": "nM", "agonist_unit": "nM"}
LEVELS = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0)


def design(levels=LEVELS, low=-1.0, high=6.0, per_decade=2, copies=1):
    a = 10.0 ** np.arange(low, high + 1e-9, 1 / per_decade)
    b, a = np.meshgrid(levels, np.repeat(a, copies), indexing="ij")
    return b.ravel(), a.ravel()


def curves(b, a, *, pa2=9.0, slope=1.0, ec50=50.0, hill=1.0, bottom=0.0, top=100.0):
    shifted = ec50 * (1 + (b * 1e-9 * 10**pa2) ** slope)
    return bottom + (top - bottom) / (1 + (shifted / a) ** hill)


def data(b, a, y, **more):
    return {"antagonist": b, "agonist": a, "response": y, **more}


# ----------------------------------------------------------------------------------------------------- recovery


@settings(max_examples=25)
@given(
    pa2=st.floats(7.8, 9.3),
    slope=st.floats(0.6, 1.6),
    hill=st.floats(0.6, 2.2),
    log_ec50=st.floats(0.5, 2.5),
    bottom=st.floats(-20, 20),
    span=st.one_of(st.floats(20, 200), st.floats(-200, -20)),
)
def test_numbers_come_back_without_noise(pa2, slope, hill, log_ec50, bottom, span):
    b, a = design()
    y = curves(b, a, pa2=pa2, slope=slope, hill=hill, ec50=10**log_ec50, bottom=bottom, top=bottom + span)
    fit = schild_fit(data(b, a, y), **NM)
    found = {name: fit[name].value for name in ("pa2", "slope", "hill", "log_ec50")}
    assert found == pytest.approx({"pa2": pa2, "slope": slope, "hill": hill, "log_ec50": log_ec50 - 9}, abs=1e-6)
    assert fit["bottom"].value == pytest.approx(bottom, abs=1e-6 * abs(span))
    assert fit["top"].value == pytest.approx(bottom + span, abs=1e-6 * abs(span))


@settings(max_examples=15)
@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 50), order=st.randoms(use_true_random=False))
def test_units_scales_and_order_of_rows_do_not_matter(scale, seed, order):
    b, a = design(levels=(0.0, 3.0, 30.0), per_decade=1)
    y = curves(b, a, pa2=8.7) + np.random.default_rng(seed).normal(0, 3, a.size)
    fit = schild_fit(data(b, a, y), **NM)
    index = list(range(a.size))
    order.shuffle(index)
    shuffled = schild_fit(data(b[index], a[index], y[index]), **NM)
    assert shuffled["pa2"] == fit["pa2"]
    assert shuffled["slope"] == fit["slope"]
    other = schild_fit(data(b / 1000, a * 1000, scale * y + 7), antagonist_unit="uM", agonist_unit="pM")
    for name in ("pa2", "slope", "hill", "log_ec50"):
        assert other[name].value == pytest.approx(fit[name].value, abs=1e-6)
        assert other[name].low == pytest.approx(fit[name].low, abs=1e-5)
    assert other["pa2"].profile_high == pytest.approx(fit["pa2"].profile_high, abs=1e-5)
    assert other.tests["slope"].p == pytest.approx(fit.tests["slope"].p, abs=1e-5)


def test_the_public_name_and_the_example_file():
    fit = schild.schild_fit(EXAMPLES / "schild_curves.csv")
    assert fit["pa2"].profile_low < 9.0 < fit["pa2"].profile_high
    assert fit["slope"].profile_low < 1.0 < fit["slope"].profile_high
    assert fit["pkb"].low < 9.0 < fit["pkb"].high
    assert [name for name, test in fit.tests.items() if test.rejects] == ["shift"]
    assert fit["pa2"].unit == "-log10 M"


def test_dose_ratios_and_the_classical_line_without_noise():
    b, a = design()
    fit = schild_fit(data(b, a, curves(b, a, pa2=9.0)), **NM)
    assert [r.ratio for r in fit.ratios] == pytest.approx([2, 4, 11, 31, 101], rel=1e-6)
    assert fit.line.slope == pytest.approx(1, abs=1e-6)
    assert fit.line.pa2 == pytest.approx(9, abs=1e-6)
    assert fit.predict(10.0, np.array([550.0])) == pytest.approx([50.0], rel=1e-6)


def test_a_held_slope_needs_one_level_only():
    b, a = design(levels=(0.0, 9.0))
    fit = schild_fit(data(b, a, curves(b, a, pa2=9.0)), slope=1, **NM)
    assert fit["slope"].held
    assert fit["pa2"].value == pytest.approx(9.0, abs=1e-6)
    assert "slope" not in fit.tests


def test_ends_can_be_held_and_zero_agonist_is_the_bottom():
    b, a = design(levels=(0.0, 3.0, 30.0))
    b, a = np.r_[b, 0.0, 3.0], np.r_[a, 0.0, 0.0]
    with np.errstate(divide="ignore"):
        y = curves(b, a, pa2=8.5)
    fit = schild_fit(data(b, a, y), bottom=0.0, top=100.0, **NM)
    assert fit["bottom"].held
    assert fit["top"].value == 100.0
    assert fit["pa2"].value == pytest.approx(8.5, abs=1e-6)


def test_masses_become_moles_with_a_molar_mass_and_stay_otherwise():
    b, a = design()
    y = curves(b, a, pa2=9.0)
    relative = schild_fit(data(b, a, y), antagonist_unit="Kd", agonist_unit="Kd")
    assert relative["pa2"].value == pytest.approx(0.0, abs=1e-6)
    assert relative["pa2"].unit == "-log10 Kd"
    weighed = schild_fit(data(b, a, y), antagonist_unit="ng/mL", agonist_unit="nM", molar_mass=400.0)
    assert weighed["pa2"].value == pytest.approx(-np.log10(1 / 400 * 1e-6), abs=1e-6)
    assert schild_fit(data(b, a, y), antagonist_unit="ng/mL", agonist_unit="nM")["pa2"].unit == "-log10 ng/mL"


@pytest.mark.parametrize(
    ("unit", "mass", "canonical", "factor"),
    [
        ("nM", None, "M", -9), ("uM", None, "M", -6), ("µM", None, "M", -6), ("mol/L", None, "M", 0),
        ("nmol/kg", None, "mol/kg", -9), ("mg/kg", 100.0, "mol/kg", -5), ("ng/mL", 100.0, "M", -8),
        ("mg/L", 100.0, "M", -5), ("Kd", None, "Kd", 0), ("mg/kg", None, "mg/kg", 0),
    ],
)  # fmt: skip
def test_units(unit, mass, canonical, factor):
    scale = Scale.of(unit, mass)
    assert (scale.canonical, scale.log_factor) == (canonical, pytest.approx(factor))


# -------------------------------------------------------------------------------------------------------- tests


def noisy(seed, sd=3.0, **shape):
    b, a = design(levels=(0.0, 1.0, 10.0, 100.0), per_decade=1, copies=2)
    return b, a, curves(b, a, **shape) + np.random.default_rng(seed).normal(0, sd, a.size)


def test_a_slope_of_two_thirds_is_seen_and_then_there_is_no_pkb():
    b, a, y = noisy(1, slope=0.67)
    fit = schild_fit(data(b, a, y), **NM)
    assert fit.tests["slope"].rejects
    assert "pkb" not in fit.estimates
    assert any("slope differs from 1" in text for text in fit.warnings)
    assert fit["slope"].profile_low < 0.67 < fit["slope"].profile_high


def test_a_falling_maximum_is_seen():
    b, a, y = noisy(2)
    y = y * np.where(b > 0, 1 - 0.2 * np.log10(1 + b), 1)
    fit = schild_fit(data(b, a, y), **NM)
    assert fit.tests["maximum"].rejects
    assert any("not surmountable" in text for text in fit.warnings)


def test_curves_that_are_not_parallel_are_seen():
    b, a = design(levels=(0.0, 1.0, 10.0, 100.0), per_decade=1, copies=2)
    y = np.where(b > 5, curves(b, a, hill=2.2), curves(b, a, hill=0.8)) + np.random.default_rng(3).normal(0, 2, a.size)
    fit = schild_fit(data(b, a, y), **NM)
    assert fit.tests["parallel"].rejects
    assert any("not parallel" in text for text in fit.warnings)


def test_shifts_that_saturate_are_seen():
    b, a = design(per_decade=2)
    level = 30.0 * b / (30.0 + b)  # an allosteric ceiling
    y = curves(level, a) + np.random.default_rng(4).normal(0, 2, a.size)
    fit = schild_fit(data(b, a, y), **NM)
    assert fit.tests["schild"].rejects


def test_weights_take_the_weight_from_a_bad_point():
    b, a = design()
    y = curves(b, a)
    y[10] += 40.0
    plain = schild_fit(data(b, a, y), **NM)
    sd = np.ones_like(y)
    sd[10] = 1e6
    weighed = schild_fit(data(b, a, y, sd=sd), **NM)
    assert abs(weighed["pa2"].value - 9) < 1e-4 < abs(plain["pa2"].value - 9)


def test_several_curves_at_one_level_each_have_a_dose_ratio():
    b, a = design(levels=(0.0, 1.0, 10.0))
    b, a = np.r_[b, b], np.r_[a, a]
    half = np.repeat(["one", "two"], b.size // 2)
    curve = [f"{name} at {level:g}" for name, level in zip(half, b, strict=True)]
    fit = schild_fit(data(b, a, curves(b, a), curve=curve), **NM)
    assert [(r.level, r.curve.split()[0]) for r in fit.ratios] == [
        (1.0, "one"),
        (1.0, "two"),
        (10.0, "one"),
        (10.0, "two"),
    ]
    assert any("too narrow" in text for text in fit.warnings)


def test_a_weak_antagonist_is_said_to_be_one():
    b, a = design(levels=(0.0, 1.0, 3.0))
    y = curves(b, a, pa2=7.5) + np.random.default_rng(5).normal(0, 2, a.size)
    fit = schild_fit(data(b, a, y), **NM)
    assert any("shift is too small" in text for text in fit.warnings)


@pytest.mark.slow
def test_type_1_error_of_the_tests_and_coverage_of_the_limits():
    n, rejected, inside = 1000, dict.fromkeys(("parallel", "maximum", "schild", "slope"), 0), {}
    for seed in range(n):
        b, a, y = noisy(seed, sd=5.0, pa2=8.8)
        fit = schild_fit(data(b, a, y), **NM)
        for name in rejected:
            rejected[name] += fit.tests[name].rejects
        for name, true in (("pa2", 8.8), ("slope", 1.0)):
            e = fit[name]
            hits = {"wald": e.low < true < e.high, "profile": e.profile_low < true < e.profile_high}
            for kind, hit in hits.items():
                inside[name, kind] = inside.get((name, kind), 0) + hit
    # 99.9 % band of a binomial with p = 0.05 and n = 1000.
    low, high = 29, 74
    assert {name: count for name, count in rejected.items() if not low <= count <= high} == {}
    assert {name: n - count for name, count in inside.items() if not low <= n - count <= high} == {}


# -------------------------------------------------------------------------------------------------------- verbs


def test_verbs():
    fit = schild_fit(EXAMPLES / "schild_curves.csv", response_unit="% of maximum")
    assert set(fit.summary()) >= {"estimates", "dose_ratios", "tests", "regression"}
    assert list(fit.to_frame()["name"]) == ["bottom", "top", "hill", "log_ec50", "pa2", "slope", "pkb"]
    assert "Schild HO" in fit.cite()
    assert fit.manifest["units"] == {"antagonist": "nM", "agonist": "nM"}
    assert len(fit.plot().axes) == 2
    assert '"pa2"' in fit.to_json()
    with pytest.raises(UnknownNameError, match="No estimate is called 'pa3'"):
        fit["pa3"]


def test_the_same_data_give_the_same_manifest_from_file_and_frame():
    frame = pd.read_csv(EXAMPLES / "schild_curves.csv", comment="#")
    one, two = schild_fit(EXAMPLES / "schild_curves.csv"), schild_fit(frame)
    assert one.manifest == two.manifest
    assert one["pa2"] == two["pa2"]


# ---------------------------------------------------------------------------------------------------- bad input


GOOD_B, GOOD_A = design(levels=(0.0, 1.0, 10.0), per_decade=1)
GOOD = data(GOOD_B, GOOD_A, curves(GOOD_B, GOOD_A))


def broken(**columns):
    return {**GOOD, **columns}


@pytest.mark.parametrize(
    ("table", "options", "says"),
    [
        (broken(antagonist=GOOD_B + 1), NM, "none of 0"),
        (broken(antagonist=0 * GOOD_B), NM, "no antagonist level above 0"),
        (broken(response=np.where(GOOD_A == 1, np.nan, 1.0)), NM, "row 2: response is nan"),
        (broken(agonist=-GOOD_A), NM, "row 1: agonist is -0.1"),
        (broken(antagonist=-GOOD_B), NM, "antagonist is -1"),
        (broken(response=["x"] * GOOD_A.size), NM, "row 1: response is 'x'; expected a number"),
        (broken(response=np.ones_like(GOOD_A)), NM, "Every response of The data is 1"),
        (broken(agonist=np.ones_like(GOOD_A)), NM, "1 different agonist concentrations at 0 nM"),
        (broken(sd=np.zeros_like(GOOD_A)), NM, "sd is 0; expected above 0"),
        (broken(response=[1.0]), NM, "differ in length"),
        (broken(dose=GOOD_A), NM, "the column 'dose'"),
        ({"antagonist": [], "agonist": [], "response": []}, NM, "has no rows"),
        ({"antagonist": [1.0], "agonist": [1.0]}, NM, "lacks the column response"),
        (GOOD, {}, "unit of the antagonist was not given"),
        (GOOD, {**NM, "antagonist_unit": "mg"}, "unit of the antagonist is 'mg'"),
        (GOOD, {**NM, "slope": 0}, "Schild slope is held at 0"),
        (GOOD, {**NM, "slope": 1e308}, "Schild slope is held at 1e"),
        (GOOD, {**NM, "slope": float("nan")}, "Schild slope is held at nan"),
        (GOOD, {**NM, "bottom": 1, "top": 1}, "expected a top above the bottom"),
        (GOOD, {**NM, "bottom": 100, "top": 0}, "expected a top above the bottom"),
        (GOOD, {**NM, "bottom": float("nan")}, "bottom is held at nan"),
        (GOOD, {**NM, "top": float("inf")}, "top is held at inf"),
        (GOOD, {**NM, "top": 1e200}, "top is held at 1e"),
        (broken(agonist=GOOD_A * 1e200), NM, "from 1e-100 to 1e100"),
        (GOOD, {**NM, "antagonist_unit": "mg/kg", "molar_mass": -1}, "molar mass is -1"),
    ],
)
def test_bad_input_is_refused_in_words(table, options, says):
    with pytest.raises(InputError, match=says) as caught:
        schild_fit(table, **options)
    assert "xpected" in str(caught.value)


def test_a_file_that_is_no_table(tmp_path):
    with pytest.raises(InputError, match="is not a file"):
        schild_fit(tmp_path / "none.csv", **NM)
    file = tmp_path / "odd.csv"
    file.write_text("antagonist,agonist,response\n1,2,3,4,5\n1,2\n")
    with pytest.raises(InputError):
        schild_fit(file, **NM)
    file.write_text("antagonist [nM],antagonist [uM],response\n1,2,3\n")
    with pytest.raises(InputError, match="twice"):
        schild_fit(file, **NM)
    file.write_text("")
    with pytest.raises(InputError, match="is empty"):
        schild_fit(file, **NM)


def test_limits_by_profile_where_a_search_may_end_in_another_valley():
    """Concentrations written wrongly (1 for 1000) make curves that fall; their fit ends with limits or without."""
    agonist = [1, 3, 10, 30, 100, 300, 1, 3000, 1]
    true = [1, 3, 10, 30, 100, 300, 1000, 3000, 10000]
    data = {
        "antagonist": [b for b in (0, 3, 30, 300) for _ in agonist],
        "agonist": agonist * 4,
        "response": [round(100 * a / (a + 10 * (1 + b / 2)), 6) for b in (0, 3, 30, 300) for a in true],
    }
    fit = schild_fit(data, antagonist_unit="nM", agonist_unit="nM")
    for name in ("pa2", "slope"):
        low, high = fit[name].profile_low, fit[name].profile_high
        assert low is None or low <= fit[name].value
        assert high is None or high >= fit[name].value
