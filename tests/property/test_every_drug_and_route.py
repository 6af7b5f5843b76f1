"""One standard suite for every drug and every route of the catalogue, whatever is added to it."""

from __future__ import annotations

import numpy as np
import pytest

from plainly import by_dose
from schild.catalog import load
from schild.errors import InputError
from schild.model.build import build
from schild.people import Values
from schild.population import Subject, people_of
from schild.regimen import expand, parse_regimen
from schild.simulation import simulate
from schild.simulation.solve import solve
from schild.units import TICKS_PER_HOUR, amount_nmol, parse_amount

CATALOGUE = load()
GIVEN = [(key, route) for key in CATALOGUE.drugs for route in CATALOGUE.drugs[key].routes]
#: Drugs whose elimination saturates: their own laws stand below.
SATURABLE = [(key, route) for key, route in GIVEN if CATALOGUE.drug(key).disposition.saturable]
LINEAR = [given for given in GIVEN if given not in SATURABLE]


def slowest(drug):
    """Hours in which what has entered plasma falls to about 1e-6."""
    d = CATALOGUE.drug(drug)
    value = {name: n.value for name, n in d.numbers.items()}
    central, *rest = [("vc", "cl"), ("vp", "q"), ("vp2", "q2")][: d.disposition.peripherals + 1]
    volume = sum(value[v] for v, _ in (central, *rest))
    return 14 * (volume / value["cl"] + sum(value[v] / value[q] for v, q in rest))


def slowest_input(drug, route):
    """Hours in which what is left at the place of entry falls to about 1e-6."""
    branches = CATALOGUE.drug(drug).routes[route].branches
    value = {name: n.value for name, n in CATALOGUE.drug(drug).numbers.items()}
    rates = [value[b.rate] for b in branches if b.rate]
    waits = [value[n] for b in branches for n in (b.lag, b.duration) if n]
    return 20 * max([0.0, *(1 / r for r in rates)]) + sum(waits)


@pytest.mark.parametrize(("drug", "route"), GIVEN)
def test_it_runs_and_says_where_its_numbers_come_from(drug, route):
    found = simulate(f"{drug} 1 mg {route}", until="3 d", receptors=("mor", "kor", "dor", "mor_gut"))
    assert found.status.tolist() == [0]
    for name, output in found.outputs.items():
        assert np.isfinite(output.values).all(), name
        assert output.values.min() >= -1e-12 * max(output.values.max(), 1.0), name
        if ("occupancy" in name and "pet" not in name) or name.endswith("_free"):
            assert output.values.max() <= 1.0 + 1e-12, name
    delivered = [d.species for b in CATALOGUE.drug(drug).routes[route].branches for d in b.deliver]
    for species in delivered:
        assert found[f"plasma_{species}"].values.max() > 0
    assert found.sources
    assert "schild" in found.cite() or len(found.cite()) > 20


@pytest.mark.parametrize(("drug", "route"), LINEAR)
def test_what_enters_or_is_formed_is_what_is_cleared(drug, route):
    events = expand(parse_regimen(f"{drug} 1 mg {route}"), 0)
    model = build(Values(CATALOGUE, people_of(Subject(), CATALOGUE, 1)), events, receptors=("mor",))
    d = CATALOGUE.drug(drug)
    salt = d.routes[route].salt
    factor = 1.0 if salt in ("base", "") else d.number(d.salts[salt]).value
    nmol = amount_nmol(parse_amount("1 mg"), d.number(str(d.mw)).value, factor)
    p, species = model.parameters, [s.name for s in model.spec.species]
    entered = dict.fromkeys(species, 0.0)
    for i in model.spec.inputs:
        for name in i.delivers:
            entered[name] += nmol * by_dose(CATALOGUE, drug, route, nmol) * p[f"{i.name}.fraction.{name}"]
    assert 0.0 < sum(entered.values()) <= nmol * (1 + 1e-12)
    hours = max(slowest(name) for name in species) * len(species) + slowest_input(drug, route)
    found = solve(
        model, 1, [0, round(hours * TICKS_PER_HOUR)], store=[], reduce=[(f"plasma_{s}", np.inf) for s in species]
    )
    cleared = {s: found.engine.reduced[0, k, 3] * p[f"{s}.cl"] for k, s in enumerate(species)}
    for s in species:
        formed = entered[s] + sum(
            p[f"{x.name}.feeds.{s}"] * cleared[x.name] for x in model.spec.species if s in x.feeds
        )
        assert cleared[s] == pytest.approx(formed, rel=1e-3), s


@pytest.mark.parametrize(("drug", "route"), LINEAR)
def test_a_larger_dose_brings_more_and_where_linear_in_proportion(drug, route):
    small, large = (simulate(f"{drug} {mg} mg {route}", until="1 d", every="1 h", receptors=("mor",)) for mg in (1, 4))
    linear = CATALOGUE.drug(drug).routes[route].by_dose is None
    for name in (name for name in small.outputs if name.startswith("plasma_")):
        one, four = small[name].values, large[name].values
        top = four.max()
        assert (four >= one - 1e-12 * top).all(), name
        assert top > one.max() or not top, name  # heroin that is swallowed arrives as morphine
        assert (np.abs(four - 4 * one).max() <= 1e-12 * top) == (linear or not top), name


@pytest.mark.parametrize(("drug", "route"), LINEAR)
def test_two_doses_are_the_sum_of_each(drug, route):
    # Also where the share absorbed depends on the dose: that is a matter of each dose, not of what is there already.
    runs = [
        simulate(words, until="2 d", every="1 h", receptors=("mor",), plain_grid=True)
        for words in (
            f"{drug} 1 mg {route}", f"{drug} 2 mg {route} at 7 h", f"{drug} 1 mg {route}; {drug} 2 mg {route} at 7 h",
        )
    ]  # fmt: skip
    for name in runs[0].outputs:
        if name.startswith("plasma_"):
            one, two, both = (r[name].values for r in runs)
            assert np.abs(one + two - both).max() <= 1e-12 * both.max(), name


@pytest.mark.parametrize(("drug", "route"), GIVEN)
def test_people_differ_and_stay_sound(drug, route):
    found = simulate(f"{drug} 1 mg {route} q12h x2", until="1 d", every="1 h", receptors=("mor",), n=24)
    assert not found.status.any()
    for name, output in found.outputs.items():
        assert np.isfinite(output.values).all(), name
        if name.startswith(("plasma_", "free_")) or "_occupancy_" in name or name.endswith("_free"):
            assert output.values.min() > -1e-6, name
    first = CATALOGUE.drug(drug).routes[route].branches[0].deliver[0].species
    # Over the whole day: nothing has come through the skin after three hours.
    assert len(np.unique(found[f"plasma_{first}"].values.sum(axis=1))) > 20


@pytest.mark.parametrize(("drug", "route"), LINEAR)
def test_a_steady_state_is_one(drug, route):
    found = simulate(f"{drug} 1 mg {route} q24h ss", until="2 d", every="2 h", receptors=("mor",), plain_grid=True)
    for name, output in found.outputs.items():
        first, second = output.values[0, 0:12], output.values[0, 12:24]
        # At its foot an effect moves by its slope times what moves an occupancy.
        steep = CATALOGUE.effects[name].numbers["slope"].value if name in CATALOGUE.effects else 1.0
        assert np.abs(first - second).max() <= 1e-4 * max(steep, 1.0) * max(second.max(), 1.0), name


@pytest.mark.parametrize(("drug", "route"), SATURABLE)
def test_a_saturable_drug_is_cleared_whole_and_more_than_in_proportion(drug, route):
    d = CATALOGUE.drug(drug)
    value = {name: n.value for name, n in d.numbers.items()}
    size = value["widmark.male"] * (70.0 / value["vss"]) ** value["size.exponent"]
    areas = []
    for grams in (14.0, 42.0):
        found = simulate(f"{drug} {grams} g {route}", until="20 h", every="1 min", receptors=("mor",))
        level = found["bac"].values[0]
        rate = size * (value["vmax"] * level / (value["km"] + level) + value["cl"] * level)
        given = grams * value[d.routes[route].branches[0].deliver[0].of]
        assert np.trapezoid(rate, found["bac"].time_h) == pytest.approx(given, rel=1e-3)
        areas.append(np.trapezoid(level, found["bac"].time_h))
    assert areas[1] > 3.5 * areas[0]


@pytest.mark.parametrize(("drug", "route"), SATURABLE)
def test_a_saturable_drug_has_no_steady_state_in_closed_form(drug, route):
    with pytest.raises(InputError, match="saturates"):
        simulate(f"{drug} 1 g {route} q24h ss", until="2 d")
