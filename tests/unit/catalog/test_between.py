"""The part between studies: which values count, how they spread, and who is drawn with it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from schild.catalog import load
from schild.evidence import Number, Value
from schild.people.spread_between_studies import between_studies, kind_of, published, squares
from schild.simulation import simulate


def value(key: str, x: float, note: str = "", basis: str = "reported", verified: str = "read") -> Value:
    return Value(key=key, value=x, basis=basis, verified=verified, note=note)


def number(*values: Value, name: str = "cl") -> Number:
    return Number(name=name, unit="L/h", values=values, chosen_key=values[0].key)


def test_what_counts_as_published():
    n = number(
        value("used", 10.0), value("near", 20.0), value("same", 20.1), value("far", 60.0),
        value("odd", 15.0, note="Outlier: an assay."), value("apparent", 12.0, note="Apparent, CL/F."),
        value("guess", 13.0, basis="assumed"), value("fit", 13.0, basis="fitted"),
        value("recalled", 13.0, verified="memory"),
    )  # fmt: skip
    assert published(n) == (10.0, 20.0)


def test_spread_is_around_the_value_in_use():
    found = squares(number(value("a", 10.0), value("b", 20.0), value("c", 40.0)), "clearance")
    assert (found.n, found.freedom) == (3, 2)
    assert found.squares == pytest.approx(5 * math.log(2) ** 2)
    judged = number(value("a", 10.0, basis="assumed"), value("b", 20.0), value("c", 40.0))
    assert squares(judged, "clearance").freedom == 2


def test_a_bioavailability_spreads_in_its_odds_and_a_complete_one_does_not():
    n = number(value("a", 0.5), value("b", 0.8), name="oral.f")
    assert squares(n, "bioavailability").squares == pytest.approx(math.log(4) ** 2)
    catalogue = load()
    between, heroin = between_studies(catalogue), catalogue.drug("heroin")
    assert between.omega(heroin, "iv.f", heroin.number("iv.f")) == 0.0
    smoked = heroin.number("smoked.f")
    pooled = between.pooled["bioavailability"]
    assert between.omega(heroin, "smoked.f", smoked) == pytest.approx(pooled * (1 - smoked.value))


def test_who_has_a_spread_of_its_own():
    catalogue = load()
    between = between_studies(catalogue)
    naltrexone = catalogue.drug("naltrexone")
    assert all(between.omega(naltrexone, name, naltrexone.number(name)) == 0.0 for name in ("cl", "vc", "oral.f"))
    heroin = catalogue.drug("heroin")
    assert between.omega(heroin, "cl", heroin.number("cl")) == between.pooled["clearance"]
    assert between.omega(heroin, "fm.mam", heroin.number("cl")) == 0.0
    assert kind_of(catalogue.drug("endogenous"), "cl") is None


def test_the_pool_is_of_sums_of_squares():
    catalogue = load()
    own = [squares(d.number("cl"), "clearance") for d in catalogue.drugs.values() if d.disposition is not None]
    own = [s for s in own if s.n >= 3]
    wanted = math.sqrt(sum(s.squares for s in own) / sum(s.freedom for s in own))
    assert between_studies(catalogue).pooled["clearance"] == pytest.approx(wanted)


def test_a_study_shares_it_and_the_larger_of_the_two_is_drawn():
    """With nobody differing, people of one set are alike, and sets spread as the rule says."""
    regimen = "heroin 5 mg iv"
    who = {"n": 3, "uncertainty": 400, "variability": False}
    found = simulate(regimen, until="1 h", every="1 h", outputs=["plasma_heroin"], population=who, seed=1)
    built = np.asarray(found["plasma_heroin"].values)[:, -1].reshape(400, 3)
    assert np.ptp(built, axis=1).max() <= 1e-12 * built.max()
    spread = between_studies(load()).pooled
    drawn = simulate(regimen, until="0.001 h", every="0.001 h", outputs=["plasma_heroin"], population=who, seed=1)
    peak = np.asarray(drawn["plasma_heroin"].values)[:, -1].reshape(400, 3)[:, 0]
    assert np.log(peak).std() == pytest.approx(spread["volume"], rel=0.1)


def test_runs_without_uncertainty_never_ask(monkeypatch):
    """Neither numbers nor time of an ordinary run depend on the spread between studies."""

    def refuse(_):
        raise AssertionError("asked")

    monkeypatch.setattr("schild.people.values.between_studies", refuse)
    found = simulate("morphine 10 mg iv", until="4 h", every="1 h", outputs=["plasma_morphine"], population={"n": 2})
    assert np.asarray(found["plasma_morphine"].values).shape == (2, 5)
    with pytest.raises(AssertionError, match="asked"):
        simulate("morphine 10 mg iv", until="4 h", outputs=["plasma_morphine"], population={"n": 2, "uncertainty": 1})
