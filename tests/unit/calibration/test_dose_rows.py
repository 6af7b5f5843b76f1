"""Dose series of agonists alone: what enters the analysis, and the arithmetic of its model."""

import numpy as np
import pytest

from calibration.dose_model import PAIRS, centres, predict, stimulus_response
from calibration.dose_response import (
    MONTE_CARLO,
    distances,
    draws_of,
    fitted_of,
    key_of,
    main,
    sampler_of,
    sensitivities_of,
    today,
)
from calibration.dose_rows import EFFECTS, SPECIES, build_table, read_rows, steady
from calibration.files import number_of
from schild.catalog import load
from schild.people import Values
from schild.pharmacology.effects import operational_response, transducer_ratio
from schild.population import Population, people_of
from schild.simulation import simulate


@pytest.fixture(scope="module")
def table():
    return build_table()


def test_every_row_has_a_source_a_flag_and_a_place_in_the_evidence():
    found = load().dose_series
    assert len({r["id"] for r in found}) == len(found) == 93
    references = load().references
    for r in found:
        assert r["study"] in references, r["study"]
        assert r["verified"] in ("read", "abstract"), r["id"]
        assert r["row"].startswith(("opioids/pd.csv#L", "more/agonist_alone.csv#L", "more/rescue.csv#L"))
        assert r["effect"] in EFFECTS


def test_a_row_is_never_both_calibration_and_check():
    fitted = {(r["row"], r["value"]) for r in load().dose_series if r["role"] == "calibration"}
    others = [o for study in load().studies.values() for o in study.observations]
    checks = {(row, f"{o.value:g}") for o in others for row in o.row if o.role == "check"}
    assert not fitted & checks
    assert not {r["id"] for r in load().dose_series} & {o.id for o in others}


def test_scales_become_shares_of_their_span():
    rows = {r.id: r for r in read_rows()}
    assert rows["levy2016_overall_15mgpo"].value == pytest.approx((76.4 - 50) / 50)
    assert rows["webster2012_3h_80mg"].value == pytest.approx((209.1 / 3 - 50) / 50)
    assert rows["cooper2012_int1_liking_5mgpo"].value == pytest.approx(0.8 / 4)
    assert rows["gal1986_0.14mgiv"].value == pytest.approx(0.71)
    # Three scales of the same nine people are not three studies.
    assert rows["lanier2010_200_good_6mgim"].se == pytest.approx(0.25 / 3 * np.sqrt(3))
    assert rows["levy2016_pupil_30mgpo"].se == pytest.approx(0.8 / np.sqrt(32))


@pytest.mark.slow
def test_the_mean_of_steep_curves_is_shallower_than_one_of_them(table):
    z = np.linspace(-3, 3, 601)
    weight = np.exp(-(z**2) / 2)
    people = np.exp(0.8 * z)[:, None]
    mean = [np.average(stimulus_response(v * people, np.array([1e3]), 3.0), weights=weight) for v in (1e-3, 2e-3)]

    def slope(low, high):
        return np.log(high / (1 - high) / (low / (1 - low))) / np.log(2)

    alone = stimulus_response(np.array([[1e-3], [2e-3]]), np.array([1e3]), 3.0)
    assert slope(*alone) == pytest.approx(3.0, abs=0.01)
    assert slope(*mean) < 2.2


@pytest.mark.slow
def test_without_people_the_model_is_that_of_the_product(table):
    """One drug alone, no spread, no study: the operational model of `schild.pharmacology`."""
    said = dict(zip(table.ids, today(table), strict=True))
    effect, drug = load().effects["liking"], load().drug("hydromorphone")
    run = simulate("hydromorphone 6 mg im", until="6 h", every="2 min", receptors=["mor"], tone=False, warn=False)
    peak = np.max(run["liking"].values)
    assert said["walsh2024_18mgim"] > said["nasser2016_6mgim"]
    assert 100 * said["nasser2016_6mgim"] == pytest.approx(peak, abs=0.5)
    ratio = transducer_ratio(effect.numbers["reserve"].value, drug.number("mor.efficacy").value)
    assert peak < 100 * operational_response(ratio, effect.numbers["slope"].value)


@pytest.mark.slow
def test_a_study_left_out_touches_no_other_study(table):
    a = table.arrays
    arms = [{table.arms[k].split(":")[0] for k in a["node_arm"][row > 0]} for row in a["average"]]
    assert all(found <= {study} for found, study in zip(arms, table.study_of, strict=False))


@pytest.mark.slow
def test_predictions_rise_with_dose_and_stay_on_the_scale(table):
    prior = centres()
    k, s = len(EFFECTS), len(SPECIES)
    p = {
        "reserve": np.full(k, 3.0), "slope": np.full(k, 2.0), "omega": np.full(k, 0.5), "kd": np.exp(prior["kd"]),
        "odds": prior["odds"], "x": np.ones((k, s)), "eta": np.zeros(len(table.arms)), "theta": 0.5,
        "top": np.full(len(table.series), 0.8), "placebo": np.zeros(len(table.series)),
    }  # fmt: skip
    scale, _ = predict(p, table.arrays, np)
    said = dict(zip(table.ids, scale, strict=False))
    for series in ("lanier2010_200_good", "lanier2010_800_high"):
        one = [said[f"{series}_{dose}"] for dose in ("0", "1.5mgim", "3mgim", "6mgim")]
        assert one == sorted(one)
        assert one[0] == 0
    assert scale.min() >= 0
    assert scale[table.arrays["group"] < 2].max() <= 0.8 + 1e-12
    assert len(PAIRS) == len(set(PAIRS))


def test_stored_draws_are_draws_of_the_numbers_in_use():
    """Numbers in use come from all draws, of which every fifteenth is stored: medians of 400 draws have an error."""
    columns = load().posterior
    assert {len(values) for values in columns.values()} == {400}
    for fitted in fitted_of(columns):
        number = number_of(fitted)
        assert number.chosen.basis == "fitted"
        assert number.uncertainty.cv == pytest.approx(fitted.cv, rel=0.25), fitted
    for fitted in sensitivities_of(columns):
        people, studies = number_of(fitted).between_subject, number_of(fitted).uncertainty
        width = np.std(np.log(columns[f"{fitted.drug}.spread"]))
        assert people.cv == pytest.approx(fitted.between_people, rel=MONTE_CARLO * width)
        assert studies.cv == pytest.approx(fitted.cv, rel=0.25)
    apart = [distance for name, (_, _, distance) in distances(columns).items() if not name.startswith("between.")]
    assert max(apart) < MONTE_CARLO


def test_numbers_that_were_sampled_together_are_drawn_together():
    values = Values(load(), people_of(Population(n=1, draws=300, variability=False), load(), seed=3))
    slope, reserve = values.of("liking", "slope"), values.of("liking", "reserve")
    stored = load().posterior
    pairs = {(round(a, 6), round(b, 6)) for a, b in zip(stored["liking.slope"], stored["liking.reserve"], strict=True)}
    shift = [load().effects["liking"].numbers[n].value / np.median(stored[f"liking.{n}"]) for n in ("slope", "reserve")]
    assert {(round(a, 6), round(b, 6)) for a, b in zip(slope / shift[0], reserve / shift[1], strict=True)} <= pairs
    efficacy = np.asarray(values.of("heroin", "mor.efficacy") * np.ones(300))
    assert (efficacy == efficacy[0]).all()  # nothing was sampled for it
    drawn = np.asarray(values.of("morphine", "mor.efficacy"))
    assert 0.0 < drawn.min() < 0.7 < drawn.max() < 1.0


@pytest.mark.parametrize("moved", [1e-8, -1e-8, 1e-5, -1e-5])
def test_what_enters_is_the_same_for_every_engine_that_agrees_to_the_digits_of_the_data(moved):
    for value in (*np.geomspace(1e-3, 1e3, 500), 1.2345, 99.995):
        stored = steady(value, None, 4)
        assert stored == float(f"{value:.4g}")
        assert steady(value * (1 + moved), stored, 4) == stored
    # Rounding alone lets a number between two steps jump.
    assert steady(1.2345 * (1 - 1e-5), None, 4) != steady(1.2345 * (1 + 1e-5), None, 4)
    assert steady(1.2361, 1.234, 4) == 1.236


@pytest.mark.slow
def test_levels_and_spreads_that_enter_are_those_stored(table):
    assert load().exposures == table.exposures


@pytest.mark.slow
def test_the_same_seed_gives_the_same_draws(table):
    pytest.importorskip("numpyro")

    def draws():
        sampler = sampler_of(table, 2, 10, 5)
        sampler.run(key_of(20261129), np.ones(len(table.ids)), centres())
        return draws_of(sampler)

    first, second = draws(), draws()
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_the_fit_again_gives_the_numbers_in_use(capsys):
    pytest.importorskip("numpyro")
    assert main(["--quick"]) == 0, capsys.readouterr().out
