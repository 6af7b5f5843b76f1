"""The challenge: what is compared, what is refused, what comes out as JSON."""

import json

import numpy as np
import pytest

from schild.challenges import Response, challenge
from schild.errors import InputError, UnknownNameError
from schild.simulation import Run, simulate_run
from schild.units import ticks

HEROIN = "heroin 10 mg iv"


def test_block_is_one_minus_the_ratio_and_is_not_clipped():
    r = Response(
        time_h=1.0, effect="liking", unit="points", without=np.array([50.0, 5.0, 50.0]),
        with_=np.array([10.0, 1.0, 60.0]), noise=10.0,
    )  # fmt: skip
    assert r.block[0] == pytest.approx(0.8)
    assert np.isnan(r.block[1])  # nothing to block
    assert r.block[2] == pytest.approx(-0.2)
    assert r.median_block == pytest.approx(0.3)
    assert not r.blocked


def test_nobody_responds_then_there_is_no_block():
    r = Response(time_h=1.0, effect="x", unit="1", without=np.zeros(2), with_=np.zeros(2), noise=0.1)
    assert np.isnan(r.median_block)
    assert r.to_dict()["block"] is None


def test_each_time_is_a_run_of_its_own_and_block_wanes():
    found = challenge("naltrexone 50 mg po", agonist=HEROIN, at=["2 h", "24 h", "72 h", "168 h"])
    block = [r.median_block for r in found.responses]
    assert block[1] > block[2] > block[3]
    alone = challenge("naltrexone 50 mg po", agonist=HEROIN, at="72 h")
    assert alone.responses[0].median_block == pytest.approx(block[2], abs=1e-3)


def test_the_agonist_alone_is_followed_once_but_after_earlier_use_at_each_time(monkeypatch):
    followed = []

    def counted(run, **options):
        followed.append([d.to_words() for d in run.doses])
        return simulate_run(run, **options)

    monkeypatch.setattr("schild.challenges.simulate_run", counted)
    times = ["2 h", "30 h"]
    found = challenge("naltrexone 50 mg po", agonist=HEROIN, at=times, effect="pupil", n=3)
    assert sum(len(doses) == 1 for doses in followed) == 1
    late = simulate_run(
        Run.of(f"{HEROIN} at 30 h", until="37 h", population={"n": 3}, receptors=["mor"], outputs=["pupil"]),
        times_tick=[ticks("30 h") + k * 60_000_000 for k in range(361)], metrics=False,
    )["pupil"].values.astype(float)  # fmt: skip
    assert found.responses[1].without == pytest.approx(abs(late - late[:, :1]).max(axis=1), rel=1e-5)
    followed.clear()
    challenge(
        "naltrexone 50 mg po", agonist=HEROIN, at=times, effect="pupil",
        history="morphine 30 mg po q12h for 30 d stopped 1 d",
    )  # fmt: skip
    assert len(followed) == 4


def test_the_same_people_take_both_runs():
    found = challenge("naltrexone 50 mg po", agonist=HEROIN, at="24 h", effect=["liking", "pupil"], n=40)
    for r in found.responses:
        assert (r.with_ <= r.without + 1e-3 * np.abs(r.without)).all()


def test_json_has_the_keys_of_the_contract():
    found = challenge("naltrexone 50 mg po", agonist=HEROIN, at="24 h", n=20)
    data = json.loads(found.to_json())
    assert {"manifest", "challenge", "warnings"} <= set(data)
    (row,) = data["challenge"]
    assert {"time_h", "effect", "without", "with", "block", "block_q05", "block_q95"} <= set(row)
    assert any("can kill" in warning for warning in data["warnings"])
    assert len(found.to_frame()) == 1
    assert "Dunbar2007" in found.cite()


def test_the_figure_is_drawn():
    found = challenge("naltrexone 50 mg po", agonist=HEROIN, at=["24 h", "48 h"], n=20)
    assert found.plot().axes[0].get_ylabel() == "block"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"agonist": "heroin 26 mg iv"}, "published human challenges"),
        ({"agonist": "heroin 10 mg iv at 3 h"}, "without a time"),
        ({"agonist": "naloxone 1 mg iv"}, "an antagonist"),
        ({"agonist": "heroin 5 mg iv; heroin 5 mg iv"}, "one single dose"),
        ({"antagonist": "heroin 10 mg iv"}, "expected an antagonist"),
        ({"at": []}, "one of them is empty"),
        ({"at": "-3 h"}, "0 or later"),
        ({"effect": "happiness"}, "No effect is called"),
        ({"structure": "magic"}, "No structure is called"),
    ],
)
def test_what_makes_no_challenge_is_refused(change, message):
    given = {"antagonist": "naltrexone 50 mg po", "agonist": HEROIN, "at": "24 h", **change}
    with pytest.raises((InputError, UnknownNameError), match=message):
        challenge(given.pop("antagonist"), **given)
