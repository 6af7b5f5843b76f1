"""Planner: the smallest dose that does it, its times, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schild
from schild.catalog import load
from schild.errors import InputError, UnknownNameError
from schild.evidence import VERIFIED
from schild.planner import DOSE_TOLERANCE, REFUSED, _share_of_windows, plan

SMALL = {"n": 60, "draws": 4}


def share(dose_mg, *, target, hold_h, start_h, n=60, draws=4):
    """Share of people at the target through a session, by a run of its own."""
    result = schild.simulate(
        f"naltrexone {dose_mg!r} mg po",
        until=f"{start_h + hold_h!r} h",
        every="5 min",
        population={"n": n, "uncertainty": draws},
        receptors=["mor"],
    )
    output = result["mor_pet_occupancy"]
    inside = (output.time_h >= start_h - 1e-9) & (output.time_h <= start_h + hold_h + 1e-9)
    return float((output.values[:, inside] >= target).all(axis=1).mean())


def test_the_dose_does_it_and_a_smaller_one_does_not():
    found = plan("naltrexone", target=0.8, hold="4 h", at_least=0.8, **SMALL)
    assert found.feasible
    assert found.needed_mg <= found.dose_mg <= 150
    assert found.dose_mg - found.needed_mg < 25
    assert found.dose_mg % 25 == 0
    assert found.units == found.dose_mg / 50
    # By runs of their own, at the times of the plan.
    assert share(found.dose_mg, target=0.8, hold_h=4, start_h=found.ready_h) == pytest.approx(found.share, abs=1e-9)
    assert share(found.dose_mg, target=0.8, hold_h=4, start_h=found.ready_h) >= 0.8
    assert share(found.dose_mg, target=0.8, hold_h=4, start_h=found.ready_h - 5 / 60) < 0.8
    below = found.needed_mg * (1 - 2 * DOSE_TOLERANCE)
    starts = np.arange(0, 24, 0.5)
    assert max(share(below, target=0.8, hold_h=4, start_h=float(s)) for s in starts) < 0.8


def test_times_are_in_order_and_the_floor_is_kept():
    found = plan("naltrexone", target=0.7, hold="4 h", **SMALL)
    assert 0 < found.ready_h <= found.latest_h
    assert found.latest_h + found.hold_h <= found.lost_h < found.washed_out_h
    frame = found.to_frame()
    after = frame[frame.time_h >= found.washed_out_h]
    assert (after.share_below_floor >= found.at_least).all()
    before = frame[frame.time_h < found.washed_out_h]
    assert before.share_below_floor.iloc[-1] < found.at_least
    assert found.at_start["q05"] < found.at_start["q50"] < found.at_start["q95"]
    assert found.share_low <= found.share <= found.share_high


@settings(max_examples=8)
@given(target=st.floats(0.3, 0.75), more=st.floats(0.02, 0.15), hold=st.sampled_from([1, 3, 6]))
def test_wanting_more_never_needs_less(target, more, hold):
    def needed(wanted, hours):
        found = plan(target=wanted, hold=f"{hours} h", n=30, draws=0)
        return found.needed_mg if found.feasible else np.inf

    base = needed(target, hold)
    slack = 1 + 2 * DOSE_TOLERANCE
    assert base <= needed(target + more, hold) * slack
    assert base <= needed(target, hold + 3) * slack


def test_what_the_largest_labelled_dose_does_not_do_is_said():
    found = plan("naltrexone", target=0.95, hold="48 h", **SMALL)
    assert not found.feasible
    assert found.dose_mg == 150
    assert found.needed_mg is None
    assert found.ready_h is None
    assert "not reached" in found.about()
    assert 0 <= found.share < 0.9
    assert len(found.plot().axes) == 2


def test_repeated_doses_stay_within_the_label_and_are_counted():
    found = plan("naltrexone", target=0.6, hold="3 d", every="24 h", **SMALL)
    assert found.feasible
    assert found.doses == 4
    assert found.dose_mg <= 50
    assert found.units == 4 * found.dose_mg / 50
    with pytest.raises(InputError, match="more than is labelled"):
        plan("naltrexone", every="6 h")


def test_the_injection_is_one_amount():
    found = plan("naltrexone", route="im_depot", target=0.5, hold="7 d", **SMALL)
    assert found.dose_mg == 380
    assert found.units == 1
    assert found.needed_mg is None
    assert found.latest_h > 7 * 24


def test_the_same_seed_gives_the_same_plan():
    one, two = (plan(target=0.7, seed=5, **SMALL) for _ in range(2))
    assert one.summary() == two.summary()
    assert one.summary() != plan(target=0.7, seed=6, **SMALL).summary()


def test_one_window_by_hand():
    at = np.array([[0, 1, 1, 1, 0], [1, 1, 1, 0, 0]], dtype=bool)
    assert _share_of_windows(at, 1.0, 0.5).tolist() == [0.5, 0.5, 0.0]
    assert _share_of_windows(at, 9.0, 0.5).tolist() == [0.0]


# ------------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize("drug", sorted(k for k, d in load().drugs.items() if d.role != "antagonist"))
def test_nothing_but_an_antagonist_is_planned(drug):
    with pytest.raises(InputError, match="antagonists only") as caught:
        plan(drug)
    assert REFUSED in str(caught.value)


@pytest.mark.parametrize(
    "drug",
    [
        "naltrexone + heroin", "naltrexone and morphine", "naltrexone with fentanyl", "heroin against naltrexone",
        "naltrexone/morphine", "naltrexone, morphine", "heroin 25 mg iv", "naltrexone then heroin", "diamorphine",
        "naltrexone + heroin 25 mg iv",
    ],
)  # fmt: skip
def test_combinations_with_an_agonist_are_refused(drug):
    with pytest.raises(InputError, match="antagonists only"):
        plan(drug)


def test_an_agonist_beside_is_refused_with_the_danger():
    with pytest.raises(InputError, match=r"antagonists only.*can kill"):
        plan("naltrexone", agonist="heroin")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"drug": "naltrexone + naloxone"}, "one antagonist alone"),
        ({"drug": "naltrexone 50 mg po"}, "the dose is what is looked for"),
        ({"drug": ""}, "No drug was named"),
        ({"target": 1.0}, "target is 1.0"),
        ({"target": float("nan")}, "target is nan"),
        ({"at_least": 0.0}, "at_least is 0.0"),
        ({"floor": 0.95}, "not below the target"),
        ({"hold": "0 h"}, "hold is 0 h"),
        ({"hold": "-1 h"}, "hold is -1 h"),
        ({"every": "1 min"}, "interval is"),
        ({"every": "1 h", "hold": "30 d"}, "doses would be needed"),
        ({"n": 0}, "0 people"),
        ({"route": "iv"}, "no strength that is sold"),
        ({"drug": "methylnaltrexone"}, "does not bind to mor"),
    ],
)
def test_numbers_without_meaning(options, says):
    with pytest.raises(InputError, match=says):
        plan(**options)


def test_unknown_names():
    with pytest.raises(UnknownNameError):
        plan("aspirin")
    with pytest.raises(UnknownNameError):
        plan(receptor="nop")


def test_strengths_say_where_they_come_from():
    sold = [entry for entry in load().drugs.values() if entry.strengths]
    assert {entry.key for entry in sold} >= {"naltrexone", "naloxone", "nalmefene", "samidorphan", "methylnaltrexone"}
    for entry in sold:
        assert entry.role == "antagonist"
        for route, strength in entry.strengths.items():
            assert route in entry.routes
            assert strength.verified in VERIFIED
            assert set(strength.source) <= set(load().references)
            assert strength.largest_mg >= strength.mg / strength.parts


def test_verbs():
    found = plan(target=0.7, **SMALL)
    assert found.summary()["dose_mg"] == found.dose_mg
    assert "share_at_target" in found.to_frame().columns
    assert "LabelTablet" in found.cite()
    assert found.manifest["target"] == 0.7
    assert found.manifest["dose_tolerance"] == DOSE_TOLERANCE
    assert '"plan"' in found.to_json()
    assert any("tolerance is lost" in text for text in found.warnings)
