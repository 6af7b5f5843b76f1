"""Fitted numbers come out of their script again, and only calibration rows go in."""

import numpy as np
import pytest

from schild.calibrate import calibration_rows, depot, gauss_newton, oral, receptors
from schild.calibrate.__main__ import differs, main
from schild.calibrate.files import write_numbers
from schild.catalog import load
from schild.errors import CatalogueError


def catalogue_base():
    drug, metabolite = load().drug("naltrexone"), load().drug("beta_naltrexol")
    base = {f"naltrexone.{name}": drug.number(name).value for name in ("oral.f", "vc", "oral.ka", "vp")}
    return base | {"beta_naltrexol.vc": metabolite.number("vc").value}


def test_check_rows_are_never_handed_to_a_fit():
    with pytest.raises(ValueError, match="no calibration rows"):
        calibration_rows("naltrexone_oral_pk", "verebey1976")
    for study in load().studies:
        rows = load().study(study).observations
        if any(o.role == "calibration" for o in rows):
            assert all(o.role == "calibration" for o in calibration_rows(study))


def test_twelve_mu_points_with_the_fixed_standard_deviations():
    rows = receptors.mu_rows()
    assert len(rows) == 12
    assert [o.sd_fixed for o in rows if o.study == "Rabiner2011"] == [10.0] * 7
    assert [o.sd_fixed for o in rows if o.study == "Lee1988"] == [6.4, 6.3, 7.4, 13.8]
    assert [o.sd_fixed for o in rows if o.study == "Weerts2008"] == [4.9]


def test_oral_kinetics_and_injection_refit_to_the_catalogue():
    kinetics = oral.fit()
    assert not [n for n in kinetics.numbers if differs(n)]
    goal, said = oral.targets(), oral.predicted({f"{n.drug}.{n.name}": n.value for n in kinetics.numbers})
    assert all(abs(np.log(said[name] / goal[name][0])) < np.log(1.35) for name in goal)
    assert not [n for n in depot.fit(catalogue_base()).numbers if differs(n)]


def test_default_structure_refits_to_the_catalogue_within_its_bar():
    (rival,) = (r for r in receptors.RIVALS if r.key == "effect_compartment")
    numbers, left, _ = receptors.fit_mu(rival, receptors.mu_rows(), catalogue_base())
    drug = load().drug("naltrexone")
    for name, value in numbers.items():
        assert f"{value:.3g}" == f"{drug.number(name, rival.key).value:.3g}"
    assert receptors.rmse(left) <= 1.1


@pytest.mark.slow
def test_everything_refits_and_the_rule_gives_the_default(capsys):
    assert main([]) == 0
    assert "default by the rule: effect_compartment" in capsys.readouterr().out


def test_least_squares_finds_a_known_minimum():
    t = np.array([1.0, 2.0, 3.0])
    value, left, covariance = gauss_newton(lambda p: p[0] * np.exp(-p[1] * t) - 2 * np.exp(-0.5 * t), [1.0, 1.0])
    assert value == pytest.approx([2.0, 0.5], rel=1e-4)
    assert np.abs(left).max() < 1e-4
    assert covariance.shape == (2, 2)


def test_bounds_are_kept():
    value, _, _ = gauss_newton(lambda p: p - 5.0, [1.0], ([0.5], [2.0]))
    assert value[0] == pytest.approx(2.0, rel=1e-3)


def test_written_numbers_replace_only_the_fitted_entry(tmp_path):
    from schild.calibrate import Fitted

    path = tmp_path / "x.toml"
    path.write_text(
        '[number.vc]\nunit = "L"\n[[number.vc.value]]\nkey = "fitted"\nvalue = 1.0\n[[number.vc.value]]\nkey = "old"\n'
        "value = 1.0\n[number.vc.uncertainty]\ncv = 0.1\n",
        encoding="utf-8",
    )
    write_numbers([Fitted(drug="x", name="vc", value=12.3456789, cv=0.25)], tmp_path)
    text = path.read_text(encoding="utf-8")
    assert 'key = "fitted"\nvalue = 12.3457\n' in text
    assert 'key = "old"\nvalue = 1.0\n' in text
    assert "cv = 0.25" in text
    with pytest.raises(CatalogueError, match="has 0 values"):
        write_numbers([Fitted(drug="x", name="cl", value=1.0)], tmp_path)
