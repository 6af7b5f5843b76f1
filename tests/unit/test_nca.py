"""Non-compartmental analysis: closed forms, rules for values below the limit, and published results."""

from pathlib import Path

import numpy as np
import pytest

from schild.errors import InputError
from schild.pharmacology.nca import NAMES, area, level_at, measured, metrics, terminal_slope, time_above

DATA = Path(__file__).parents[1] / "data" / "nca"

#: Phoenix WinNonlin 6.3/7.0, linear up and log down, extravascular, dose 320 mg and 25 mg, as printed by S. Han,
#: "Validation of NonCompart 0.4.2", 2018-05-11 (github asancpt/NonCompart-tests, validation.md, tests 2 and 8); see
#: Kim and others 2018, Transl Clin Pharmacol 26:10.
WINNONLIN = {
    "theophylline": {
        "CMAX": (10.5, 8.33, 8.2, 8.6, 11.4, 6.44, 7.09, 7.56, 9.03, 10.21, 8.0, 9.75),
        "TMAX": (1.12, 1.92, 1.02, 1.07, 1.0, 1.15, 3.48, 2.02, 0.63, 3.55, 0.98, 3.52),
        "LAMZNPT": (3, 4, 3, 3, 4, 7, 4, 6, 3, 3, 3, 3),
        "LAMZ": (0.0484570, 0.1040864, 0.1024443, 0.0992870, 0.0866189, 0.0877957, 0.0883365, 0.0814505, 0.0824586,
                 0.0749598, 0.0954586, 0.1102595),
        "LAMZHL": (14.3043776, 6.6593416, 6.7660874, 6.9812467, 8.0022640, 7.8949979, 7.8466683, 8.5100379, 8.4059988,
                   9.2469158, 7.2612365, 6.2865082),
        "AUCIFO": (214.9236316, 97.3779346, 106.1276685, 114.2162046, 136.3047316, 82.1758833, 100.9876292,
                   102.1533003, 97.5200039, 167.8600307, 86.9026173, 125.8315397),
        "AUCPEO": (31.4943883, 8.8794850, 9.6576801, 10.1409266, 13.2976879, 12.7517562, 12.8910857, 15.0232413,
                   13.9279813, 19.2326669, 10.3669431, 8.4329665),
        "VZFO": (30.7262325, 31.5715024, 29.4329299, 28.2182304, 27.1035678, 44.3539348, 35.8708471, 38.4594978,
                 39.7942323, 25.4316257, 38.5746722, 23.0645237),
        "CLFO": (1.4889010, 3.2861654, 3.0152363, 2.8017040, 2.3476808, 3.8940865, 3.1687049, 3.1325469, 3.2813780,
                 1.9063502, 3.6822827, 2.5430826),
    },
    "indomethacin": {
        "LAMZNPT": (3, 9, 10, 10, 8, 9),
        "LAMZ": (0.1583205, 0.3022800, 0.4218926, 0.4290762, 0.2527478, 0.3535205),
        "LAMZHL": (4.3781270, 2.2930632, 1.6429468, 1.6154409, 2.7424461, 1.9606986),
        "R2ADJ": (0.9941335, 0.9401933, 0.8603043, 0.8505077, 0.8544516, 0.8902329),
        "AUCLST": (1.7193653, 2.8891436, 2.8817113, 2.4442459, 1.9211984, 2.8413138),
        "AUCIFO": (2.0351804, 3.1537989, 3.0713330, 2.6073871, 2.1585892, 3.0958959),
        "AUCPEO": (15.5177942, 8.3916343, 6.1739217, 6.2568848, 10.9974979, 8.2232127),
        "CLFO": (12.2839234, 7.9269481, 8.1397881, 9.5881430, 11.5816384, 8.0752068),
        "VZFO": (77.5889712, 26.2238573, 19.2935053, 22.3460171, 45.8229078, 22.8422576),
    },
}  # fmt: skip


@pytest.mark.parametrize(("data", "dose"), [("theophylline", 320e3), ("indomethacin", 25e3)])
def test_published_results_of_winnonlin(data, dose):
    rows = np.genfromtxt(DATA / f"{data}.csv", delimiter=",", skip_header=2)
    for k, subject in enumerate(np.unique(rows[:, 0])):
        _, t, c = rows[rows[:, 0] == subject].T
        if t[0] > 0:  # the program starts an extravascular curve at 0
            t, c = np.r_[0.0, t], np.r_[0.0, c]
        found = metrics(t, c, dose=dose)  # levels in mg/L: a dose in ug
        for name, printed in WINNONLIN[data].items():
            assert found[name] == pytest.approx(printed[k], abs=6e-8 * max(1.0, abs(printed[k]))), (subject, name)


A, B, ALPHA, BETA = 8.0, 2.0, 1.5, 0.1
T = np.linspace(0.0, 72.0, 145)
ONE = 10.0 * np.exp(-0.2 * T)
TAU, K = 24.0, 0.05
STEADY = 5.0 * np.exp(-K * np.linspace(0.0, TAU, 49)) / (1 - np.exp(-K * TAU))

CLOSED = {
    "area of one exponential": (lambda: area(T, ONE), 10 * (1 - np.exp(-14.4)) / 0.2),
    "area to infinity of one exponential": (lambda: metrics(T, ONE, tie=0.0)["AUCIFO"], 50.0),
    "clearance after a bolus": (lambda: metrics(T, ONE, dose=1e6, intravenous=True)["CLO"], 1e6 / 50.0 / 1000),
    "volume after a bolus": (lambda: metrics(T, ONE, dose=1e6, intravenous=True)["VZO"], 1e6 / 50.0 / 1000 / 0.2),
    "half-life": (lambda: metrics(T, ONE)["LAMZHL"], np.log(2) / 0.2),
    "terminal half-life of two exponentials": (
        lambda: terminal_slope(T, A * np.exp(-ALPHA * T) + B * np.exp(-BETA * T), tie=0.0)["LAMZHL"], np.log(2) / BETA
    ),
    "partial area between grid points": (
        lambda: area(T, ONE, 1.3, 7.7), 50 * (np.exp(-0.2 * 1.3) - np.exp(-0.2 * 7.7))
    ),
    "area of a rising line": (lambda: area([0, 1, 4], [0, 2, 8], 0.5, 3.5), 12.0),
    "level between falling points": (lambda: level_at(T, ONE, 3.21), 10 * np.exp(-0.2 * 3.21)),
    "time above on the way down": (lambda: time_above(T, ONE, 1.0), np.log(10) / 0.2),
    "mean level at steady state": (
        lambda: metrics(np.linspace(0, TAU, 49), STEADY, tau=TAU)["CAVG"], 5.0 / (K * TAU)
    ),
    "trough at steady state": (
        lambda: metrics(np.linspace(0, TAU, 49), STEADY, tau=TAU)["CTROUGH"], 5 / (np.exp(K * TAU) - 1)
    ),
    "clearance in the interval": (
        lambda: metrics(np.linspace(0, TAU, 49), STEADY, tau=TAU, dose=1e5)["CLFTAU"], 1e5 / (5 / K) / 1000
    ),
    "fluctuation": (
        lambda: metrics(np.linspace(0, TAU, 49), STEADY, tau=TAU)["FLUCP"], 100 * K * TAU
    ),
    "time above of a triangle": (lambda: time_above([0, 2, 6], [0, 4, 0], 1.0, straight=True), 4.5),
}  # fmt: skip


@pytest.mark.parametrize("case", CLOSED)
def test_closed_forms(case):
    found, exact = CLOSED[case]
    assert found() == pytest.approx(exact, rel=1e-6)


def test_values_below_the_limit():
    t, c = [0, 1, 2, 3, 4, 5, 6], [0.05, 3.0, 0.02, 1.0, np.nan, 0.04, 0.0]
    assert [x.tolist() for x in measured(t, c, 0.1)] == [[0, 1, 3], [0, 3, 1]]
    assert measured(t, c, 0.1, "zero")[1].tolist() == [0, 3, 0, 1]
    assert measured(t, c, 0.1, "half")[1].tolist() == [0, 3, 0.05, 1]
    assert measured(t, [0.0] * 7)[0].size == 0
    assert metrics(t, [0.0] * 7) == {}


def test_what_a_curve_does_not_allow_is_left_out():
    rising = metrics([0, 1, 2, 3], [0, 1, 2, 3], dose=100.0)
    assert "LAMZ" not in rising
    assert "CLFO" not in rising
    short = metrics([0, 1, 2], [3, 2, 1], tau=24.0)
    assert "AUCTAU" not in short
    assert np.isnan(area([0, 1, 2], [3, 2, 1], 0, 5))
    assert set(rising) | set(short) <= set(NAMES)


def test_bad_curves_are_refused():
    with pytest.raises(InputError, match="do not rise"):
        measured([0, 1, 1], [1, 2, 3])
    with pytest.raises(InputError, match="expected 0 or more"):
        measured([0, 1], [1, -2])
    with pytest.raises(InputError, match="as many of each"):
        measured([0, 1], [1])


@pytest.mark.parametrize(
    ("levels", "options", "told"),
    [
        ([0, np.inf, 1, 0.5], {}, "A level is infinite"),
        ([0, 2, 1, 0.5], {"dose": 0.0}, "dose is 0.0; expected a finite number above 0"),
        ([0, 2, 1, 0.5], {"tau": -1.0}, "tau is -1.0"),
        ([0, 2, 1, 0.5], {"parts": [(2, 0)]}, "A part is from 2 to 0 h"),
        ([0, 2, 1, 0.5], {"parts": [(np.nan, 1)]}, "A part is from nan"),
        ([0, 2, 1, 0.5], {"between": "x"}, "between is 'x'"),
    ],
)
def test_what_no_metric_can_mean_is_refused(levels, options, told):
    with pytest.raises(InputError, match=told):
        metrics([0, 1, 2, 4], levels, **options)


def test_a_missing_level_and_a_part_beyond_the_curve_give_no_nan():
    whole = metrics([0, 1, 2, 4], [0, 2, 1, 0.25], tau=4.0, dose=100.0, parts=[(0, 2), (3, 9)])
    missing = metrics([0, 1, 2, 3, 4], [0, 2, 1, np.nan, 0.25], tau=4.0, dose=100.0, parts=[(0, 2), (3, 9)])
    assert missing == whole
    assert "AUC_3_9" not in whole
    assert np.isfinite(list(whole.values())).all()
