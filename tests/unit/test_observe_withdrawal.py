"""Observables of withdrawal on courses that are known, and on runs whose answer is known."""

import numpy as np
import pytest

from schild.catalog import Observation
from schild.errors import InputError
from schild.simulation.observe import predict
from schild.simulation.observe_withdrawal import (
    BASELINE,
    NOISE_SD,
    WithdrawalCourse,
    observe_withdrawal,
    rated_shares,
    split_words,
)

NALOXONE = "morphine 30 mg sc q6h for 20 d stopped 3 h; naloxone 0.4 mg im"


def row(observable="cows_peak", regimen=NALOXONE, time_h=6.0, unit="points", **more):
    return Observation(
        id="x", study="S", observable=observable, species="mor", regimen=regimen, time_h=time_h, value=1.0,
        unit=unit, **more,
    )  # fmt: skip


@pytest.fixture
def triangle():
    """Up from 0 to 10 in 10 h, down to 0 at 20 h; and one person who stays at 0.2."""
    t = np.array([0.0, 10.0, 20.0, 30.0])
    return WithdrawalCourse(time_h=t, score=np.array([[0.0, 10.0, 0.0, 0.0], [0.2, 0.2, 0.2, 0.2]]))


def test_crossings_lie_between_grid_points(triangle):
    assert triangle.first_at(5.0).tolist() == [5.0, np.inf]
    assert triangle.last_at(1.0)[0] == pytest.approx(19.0)
    assert triangle.hours_at(5.0).tolist() == pytest.approx([10.0, 0.0])
    assert triangle.peak_time()[0] == 10.0
    assert triangle.at(2.5)[0] == pytest.approx(2.5)


def test_never_and_still_are_told_apart(triangle):
    assert triangle.last_at(1.0)[1] == 0.0
    assert triangle.last_at(0.1)[1] == np.inf
    assert triangle.first_at(0.1)[1] == 0.0
    assert triangle.hours_at(0.1)[1] == pytest.approx(30.0)
    assert triangle.after(10.0).time_h.tolist() == [0.0, 10.0]


def test_histories_and_doses_are_told_apart():
    words = "heroin 25 mg iv q6h for 60 d stopped 5 d; naltrexone 380 mg im_depot at 10 d; fentanyl 0.2 mg iv over 3 h"
    history, doses = split_words(words)
    assert history == ("heroin 25 mg iv q6h for 60 d stopped 5 d",)
    assert len(doses) == 2
    assert split_words("morphine 2 mg/h iv for 6 h") == ((), ("morphine 2 mg/h iv for 6 h",))


def test_a_rating_adds_the_placebo_arm_and_noise():
    z = np.random.default_rng(1).standard_normal(200_000)
    for latent in (0.0, 6.0, 20.0):
        drawn = np.floor(64 / 48 * np.clip(latent + BASELINE + NOISE_SD * z, 0, 48) + 0.5)
        found = rated_shares(np.array([latent]))
        wanted = [np.mean(drawn < 1), np.mean((drawn >= 1) & (drawn < 11)), np.mean((drawn >= 11) & (drawn < 21))]
        assert [found["none"], found["mild"], found["moderate"]] == pytest.approx(wanted, abs=0.006)


def test_no_opioid_no_withdrawal():
    assert predict(row(regimen="naltrexone 50 mg po", time_h=24.0))[0] == 0.0
    assert predict(row("cows_added", regimen="naltrexone 50 mg po", time_h=24.0))[0] == 0.0
    assert predict(row("cows_onset", regimen="naltrexone 50 mg po", time_h=24.0, unit="h"))[0] == np.inf
    assert predict(row("cows_hours:mild", regimen="naltrexone 50 mg po", time_h=24.0, unit="h"))[0] == 0.0


def test_the_row_agrees_with_a_plain_run():
    import schild

    run = schild.simulate(
        "naloxone 0.4 mg im at 0 h", history="morphine 30 mg sc q6h for 20 d stopped 3 h", until="6 h", every="1 min",
        outputs=["cows"],
    )["cows"]  # fmt: skip
    assert predict(row())[0] == pytest.approx(run.value.max(), rel=5e-3)
    assert predict(row("cows_peak_time", unit="min"))[0] == pytest.approx(60 * run.time_h[run.value.argmax()], abs=6)
    assert predict(row("cows_at", time_h=2.0))[0] == pytest.approx(run.at(2.0), rel=5e-3)


def test_ratio_with_itself_is_one_and_without_antagonist_nothing_is_added():
    assert predict(row("cows_ratio", normalisation=NALOXONE, unit="1"))[0] == 1.0
    alone = "morphine 30 mg sc q6h for 20 d stopped 3 h"
    assert predict(row("cows_added", regimen=alone))[0] == 0.0
    assert predict(row("cows_added"))[0] > 0.0


def test_as_rated_is_the_baseline_more_and_units_are_those_of_the_row():
    assert predict(row(normalisation="as rated"))[0] - predict(row())[0] == pytest.approx(BASELINE)
    hours, minutes = (predict(row("cows_peak_time", unit=u))[0] for u in ("h", "min"))
    assert minutes == pytest.approx(60 * hours)


def test_courses_are_shared_and_people_drawn():
    kept = {}
    observe_withdrawal(row(), kept)
    observe_withdrawal(row("cows_peak_time", unit="h"), kept)
    assert len(kept) == 1
    people = observe_withdrawal(row(), kept, population={"n": 5}, seed=3)
    assert people.shape == (5,)
    assert np.unique(people).size == 5
    assert len(kept) == 2


def test_shares_are_of_people():
    o = row("sows_share:none", regimen="naltrexone 380 mg im_depot", time_h=24.0, unit="1")
    share = observe_withdrawal(o, population={"n": 3})
    assert share.shape == (1,)
    assert share[0] == pytest.approx(rated_shares(np.zeros(3))["none"])


def test_bad_rows_say_what_is_wrong():
    with pytest.raises(InputError, match="no time_h"):
        observe_withdrawal(row(time_h=None))
    with pytest.raises(InputError, match="expected one of cows_peak"):
        observe_withdrawal(row("cows_volume"))
    with pytest.raises(InputError, match="expected one of none, mild"):
        observe_withdrawal(row("cows_hours:dreadful"))
    with pytest.raises(InputError, match="after the colon"):
        observe_withdrawal(row("cows_hours", unit="h"))
