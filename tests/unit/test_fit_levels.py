"""Numbers fitted to observed levels: against lmfit, priors, limits, and the file that lies over the catalogue."""

import json
import tomllib

import lmfit
import numpy as np
import pytest

import schild
from schild.cli import BAD_INPUT, main
from schild.errors import InputError, UnknownNameError
from schild.observed import fit_levels, simulated_table

TIMES = [0.5, 1.0, 2.0, 4.0, 8.0, 12.0]
TRUTH = {"naltrexone.cl": 200.0}


@pytest.fixture(scope="module")
def table():
    truth = schild.simulate("naltrexone 50 mg po", until="1 d", overrides=TRUTH)
    return simulated_table(truth, TIMES, outputs=["plasma_naltrexone"], error=0.1, seed=4)


@pytest.fixture(scope="module")
def fitted(table):
    return fit_levels(table, ["naltrexone.cl"], prior="none", profile=True)


def test_the_number_behind_the_data_is_found(fitted):
    (estimate,) = fitted.estimates
    assert estimate.low < 200.0 < estimate.high
    assert estimate.value == pytest.approx(200.0, rel=0.15)
    assert estimate.profile == pytest.approx((estimate.low, estimate.high), rel=0.05)
    assert 0.02 < fitted.proportional < 0.25
    assert not fitted.warnings


def test_it_is_least_squares_where_the_error_is_additive():
    """Against lmfit: estimates, standard errors, and limits by profile (its F test)."""
    result = schild.simulate("naloxone 0.4 mg iv", until="4 h")
    times = np.array([0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0])
    data = simulated_table(result, times)
    data.loc[data["EVID"] == 0, "DV"] *= [1.05, 0.93, 1.1, 0.97, 0.9, 1.06, 1.04]
    observed = data.loc[data["EVID"] == 0, "DV"].to_numpy(dtype=float)
    found = fit_levels(data, ["naloxone.cl", "naloxone.vc"], prior="none", error="additive", profile=True)

    def residuals(numbers):
        given = {f"naloxone.{name}": float(part.value) for name, part in numbers.items()}
        run = schild.simulate("naloxone 0.4 mg iv", until="4 h", overrides=given, outputs=["plasma_naloxone"])
        return np.array([run["plasma_naloxone"].at(float(x)) for x in times]) - observed

    minimizer = lmfit.Minimizer(residuals, lmfit.create_params(cl=230.0, vc=34.4), epsfcn=1e-6)
    best = minimizer.minimize()
    limits = lmfit.conf_interval(minimizer, best, sigmas=[0.95])
    for estimate in found.estimates:
        name = estimate.name.removeprefix("naloxone.")
        theirs = best.params[name]
        assert estimate.value == pytest.approx(theirs.value, rel=1e-3)
        assert estimate.cv == pytest.approx(theirs.stderr / theirs.value, rel=0.05)
        low, _, high = (value for _, value in limits[name])
        assert estimate.profile == pytest.approx((low, high), rel=0.01)


def test_a_prior_pulls_towards_the_catalogue(table, fitted):
    typical = fit_levels(table, ["naltrexone.cl"], prior="uncertainty")
    people = fit_levels(table, ["naltrexone.cl"], prior="people")
    assert 140.0 < typical.overrides["naltrexone.cl"] < people.overrides["naltrexone.cl"]
    assert people.overrides["naltrexone.cl"] < fitted.overrides["naltrexone.cl"]


def test_values_below_the_limit_count():
    truth = schild.simulate("naltrexone 50 mg po", until="1 d", overrides={"naltrexone.cl": 300})
    data = simulated_table(truth, TIMES, outputs=["plasma_naltrexone"], error=0.05, lloq=1.0, seed=2)
    assert data["CENS"].sum() >= 2
    without = data[data["CENS"] == 0]
    both = [fit_levels(d, ["naltrexone.cl"], prior="none").estimates[0] for d in (data, without)]
    assert both[0].value == pytest.approx(300.0, rel=0.1)
    assert abs(both[0].value - both[1].value) > 1.0


def test_the_file_lies_over_the_catalogue(fitted, tmp_path):
    (name, text), = fitted.to_overlay("a script").items()  # fmt: skip
    file = tmp_path / name
    file.write_text(text)
    cl = schild.load(file).drug("naltrexone").numbers["cl"]
    assert cl.chosen.basis == "fitted"
    assert cl.value == pytest.approx(fitted.overrides["naltrexone.cl"], rel=1e-5)
    assert "a script" in cl.chosen.note
    assert {v.key for v in cl.rivals} >= {"dunbar2007", "label"}
    assert tomllib.loads(text)["number"]["cl"]["chosen"] == "own_levels"
    told = schild.simulate("naltrexone 50 mg po", until="1 d", catalogue=schild.load(file))
    given = schild.simulate("naltrexone 50 mg po", until="1 d", overrides=fitted.overrides)
    assert told.metrics["auc_naltrexone_ng_h_ml"] == pytest.approx(given.metrics["auc_naltrexone_ng_h_ml"], rel=1e-5)


@pytest.mark.parametrize(
    ("free", "options", "error", "told"),
    [
        ([], {}, InputError, "expected names of numbers"),
        (["naltrexone.cl", "naltrexone.cl"], {}, InputError, "each once"),
        (["cl"], {}, InputError, "expected owner and name"),
        (["naltrexone.clx"], {}, UnknownNameError, "clx"),
        (["nobody.cl"], {}, UnknownNameError, "nobody"),
        (["heroin.cl"], {}, InputError, "no observation depends on it"),
        (["naltrexone.cl"], {"prior": "flat"}, InputError, "prior is 'flat'"),
        (["naltrexone.cl"], {"error": "log"}, InputError, "error is 'log'"),
        (["naltrexone.cl", "naltrexone.vc", "naltrexone.vp", "naltrexone.oral.f", "naltrexone.oral.ka"], {}, InputError,
         "6 observations were given for 5 numbers"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused(table, free, options, error, told):
    with pytest.raises(error) as caught:
        fit_levels(table, free, **options)
    assert told in str(caught.value)


def test_numbers_that_the_data_do_not_tell_apart_are_said():
    truth = schild.simulate("naltrexone 50 mg po", until="1 d")
    times = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0]
    data = simulated_table(truth, times, outputs=["plasma_naltrexone"], error=0.1)
    scaled = ["naltrexone.oral.f", "naltrexone.cl", "naltrexone.vc", "naltrexone.vp", "naltrexone.q"]
    found = fit_levels(data, scaled, prior="none")  # all times two give the same levels
    assert any("determine" in warning for warning in found.warnings)


def test_the_command(table, capsys, tmp_path):
    file, out = tmp_path / "levels.csv", tmp_path / "out"
    table.to_csv(file, index=False)
    assert main(["fit-levels", str(file), "--free", "naltrexone.cl", "--prior", "none", "--out", str(out)]) == 0
    assert "Fit to 6 observations" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == [
        "figure.svg", "naltrexone.toml", "numbers.csv", "report.html", "summary.json",
    ]  # fmt: skip
    words = ["simulate", "naltrexone 50 mg po", "--until", "1 h", "--catalogue", str(out / "naltrexone.toml"), "--json"]
    assert main(words) == 0
    capsys.readouterr()
    assert main(["fit-levels", str(file), "--free", "naltrexone.cl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["numbers"][0]["number"] == "naltrexone.cl"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["missing.csv", "--free", "naltrexone.cl"], "missing.csv"),
        (["{file}"], "free"),
        (["{file}", "--free", "naltrexone.clx"], "clx"),
        (["{file}", "--free", "naltrexone.cl", "--prior", "x"], "prior"),
    ],
)
def test_bad_input_gets_one_message(table, capsys, tmp_path, words, told):
    file = tmp_path / "levels.csv"
    table.to_csv(file, index=False)
    assert main(["fit-levels", *(word.replace("{file}", str(file)) for word in words)]) == BAD_INPUT
    said = capsys.readouterr().err
    assert said.startswith("schild: ")
    assert told in said
