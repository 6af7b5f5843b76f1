"""Every number of the rescue model has a value, a unit, a source and a place in it; spreads are distributions."""

from __future__ import annotations

import re
from dataclasses import asdict, fields

import numpy as np
import pint
import pytest

import rescuing
from schild.catalog import load
from schild.errors import InputError
from schild.evidence import BASES, VERIFIED
from schild.overdose.parameters import published, scaled

REGISTRY = pint.UnitRegistry()


@pytest.mark.parametrize("name", load().rescue)
def test_each_number_says_where_it_comes_from(name):
    number = load().rescue[name]
    value = number.chosen
    assert np.isfinite(value.value)
    assert number.unit == "1" or REGISTRY.parse_units(number.unit)
    assert value.basis in BASES
    assert value.verified in VERIFIED
    assert value.locator
    assert set(value.source) <= set(load().references)
    if value.basis == "assumed":
        assert value.note
        assert value.source == ("schild",)
    else:
        assert value.row
        assert value.row[0].startswith("overdose/parameters.yaml#")


@pytest.mark.parametrize("name", load().rescue_spreads)
def test_each_spread_is_a_distribution(name):
    spread = load().rescue_spreads[name]
    assert (spread.centre > 0).all()
    assert (spread.sd > 0).all()
    assert (spread.correlation == spread.correlation.T).all()
    # Printed to three digits, so a singular matrix may look indefinite by that much.
    assert np.linalg.eigvalsh(spread.correlation).min() > -5e-3
    assert set(spread.source) <= set(load().references)
    assert re.fullmatch(r"overdose/(parameters\.yaml#population\.\w+|samples/\w+\.csv)", spread.row)


def test_published_percentages_lie_in_their_intervals():
    rows = load().published_arrests
    assert len(rows) == 219
    assert all(0 <= row.low <= row.percent <= row.high <= 100 for row in rows)


def test_scaling_leaves_the_reference_adult_alone():
    typical = published()
    same = scaled(typical, weight_kg=70.0, age_years=30.0)
    for part in fields(typical):
        assert asdict(getattr(same, part.name)) == pytest.approx(asdict(getattr(typical, part.name)), rel=1e-12)


@pytest.mark.parametrize("change", [{"weight_kg": 5.0}, {"altitude_m": 9000.0}, {"shunt": 0.9}, {"age_years": np.nan}])
def test_scaling_refuses_what_it_is_not_meant_for(change):
    with pytest.raises(InputError, match=f"{next(iter(change))} is .*; expected"):
        scaled(published(), **change)


COLUMNS = {
    "fentanyl_binding": ("A1", "B1", "n"),
    "carfentanil_binding": ("A1", "B1", "n"),
    "naloxone_binding": ("A2", "B2", "n2"),
}


@pytest.mark.skipif(not rescuing.EVIDENCE.is_dir(), reason="the sampling tables are not here")
@pytest.mark.parametrize("name", COLUMNS)
def test_moments_of_binding_are_those_of_the_published_rows(name):
    """The script behind the derived moments: run again, it gives the same numbers."""
    table, spread = rescuing.tables(name), load().rescue_spreads[name]
    k_on, k_off, n = (table[column] for column in COLUMNS[name])
    rows = np.array([np.log((k_off / k_on) ** (1.0 / n)), np.log(k_off), n])
    mean = rows.mean(axis=1)
    np.testing.assert_allclose(spread.centre, [np.exp(mean[0]), np.exp(mean[1]), mean[2]], rtol=2e-4)
    np.testing.assert_allclose(spread.sd, rows.std(axis=1, ddof=1), rtol=2e-4)
    np.testing.assert_allclose(spread.correlation, np.corrcoef(rows), atol=6e-5)
