"""Links of live pages: what they hold, what they refuse, and that a page's script gives Python's numbers."""

import json
import os
import random
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schild.cli import main
from schild.errors import InputError
from schild.simulation import Run, simulate_run
from schild.units import TICKS_PER_HOUR
from schild.web.controls import controls
from schild.web.pack import pack
from schild.web.scenario import POINTS, Scenario

LINK = "page.html#give=naltrexone+tablet&mg=50&n=7&every_h=24&until_h=336&missed=3"


@st.composite
def scenarios(draw):
    c = controls()
    dosing = draw(st.sampled_from(c.dosings))
    steps = st.integers(round(dosing.low_mg / dosing.step_mg), round(dosing.high_mg / dosing.step_mg))
    n = draw(st.integers(1, min(dosing.most, 6)))
    missed = draw(st.sets(st.integers(1, n), max_size=n - 1)) if n > 1 else set()
    every = dosing.every_h + draw(st.sampled_from([0.0, 1.5]))
    return Scenario(
        give=dosing.key, mg=draw(steps) * dosing.step_mg, n=n, every_h=every, missed=tuple(sorted(missed)),
        until_h=n * every + draw(st.sampled_from([0.0, 24.0, 168.0])), weight_kg=draw(st.sampled_from(c.weight_kg)),
        liver=draw(st.sampled_from(c.liver)), crcl_ml_min=draw(st.sampled_from(c.crcl_ml_min)),
        challenge=draw(st.sampled_from(["", "", *(x.name for x in c.challenges)])),
        at_h=n * every + draw(st.sampled_from([0.0, 12.0, 72.0])),
    )  # fmt: skip


def as_asked(scenario):
    """Write a scenario as ``live.js`` takes it."""
    asked = {
        "dosing": scenario.give, "amounts": scenario.amounts, "until": scenario.until_h,
        "due": scenario.n * scenario.every_h, "seen": scenario.seen_h, "points": POINTS,
        "person": {"weight_kg": scenario.weight_kg, "liver": scenario.liver, "crcl_ml_min": scenario.crcl_ml_min},
    }  # fmt: skip
    return asked | ({"challenge": scenario.challenge, "at": scenario.at_h} if scenario.challenge else {})


@given(scenarios())
def test_a_link_holds_the_whole_scenario(scenario):
    assert Scenario.of("https://x/y.html#" + scenario.fragment) == scenario


def test_a_link_that_a_page_copies_names_its_scene():
    assert Scenario.of(LINK.replace("#", "#scene=missed-doses&")) == Scenario.of(LINK)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("", "missing: give"),
        ("#give=naltrexone+tablet", "missing: mg"),
        (LINK.replace("tablet", "patch"), "expected one of naltrexone tablet"),
        (LINK.replace("mg=50", "mg=5000"), "expected 0 to 150"),
        (LINK.replace("mg=50", "mg=nan"), "finite"),
        (LINK.replace("n=7", "n=1000000"), "expected 1 to 28"),
        (LINK + "&heroin_mg=25", "unknown: heroin_mg"),
        (LINK + "&n=7", "twice"),
        (LINK.replace("missed=3", "missed=9"), "from 1 to 7"),
        (LINK + "&weight_kg=71", "expected one of 50, 60"),
        (LINK + "&challenge=fentanyl", "expected one of heroin"),
        (LINK + "&x=" + "y" * 3000, "at most 2,000"),
    ],
)
def test_a_link_that_no_page_writes_is_refused(link, said, capsys):
    with pytest.raises(InputError, match=said):
        Scenario.of(link)
    assert main(["open", link]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_open_prints_the_numbers_of_the_link(capsys, tmp_path):
    file = tmp_path / "run.toml"
    assert main(["open", LINK, "--json", "--run-file", str(file)]) == 0
    found = json.loads(capsys.readouterr().out)
    direct = Scenario.of(LINK).simulate()
    assert found["run"]["metrics"]["cmax_naltrexone_ng_ml"] == direct.metrics["cmax_naltrexone_ng_ml"]
    low, high = found["page"]["band"]["mor_lowest"]
    assert low < found["page"]["results"]["mor_lowest"] < high
    assert "naltrexone 50 mg po at 72 h" in file.read_text()
    assert "at 48 h" not in file.read_text()


def test_open_says_the_run_and_the_challenge(capsys):
    assert main(["open", LINK + "&challenge=heroin&at_h=200&version=0.0.1"]) == 0
    said = capsys.readouterr()
    assert "written by schild 0.0.1" in said.err
    assert "liking" in said.out
    assert "90 % of 28 virtual people like this one: highest occupancy" in " ".join(said.out.split())
    assert "naltrexone" in said.out


def _live(asked, tmp_path, **more):
    packed = tmp_path / "pack"
    packed.write_bytes(pack(sorted({s.give.split()[0] for s in asked})))
    web = files("schild.web")
    runner = Path(__file__).parents[2] / "live_runner.mjs"
    done = subprocess.run(
        ["node", runner, str(web / "live.js"), str(web / "engine.wasm"), packed],
        input=json.dumps([{**as_asked(s), **more} for s in asked]), capture_output=True, text=True, timeout=600,
        check=True,
    )  # fmt: skip
    return zip(asked, json.loads(done.stdout), strict=True)


def _distance(theirs, ours):
    return float((np.abs(np.asarray(theirs) - ours) / (np.abs(ours) + 1e-2)).max())


def _compare(asked, tmp_path):
    worst = 0.0
    for scenario, found in _live(asked, tmp_path):
        last = round(scenario.until_h * TICKS_PER_HOUR)
        run = simulate_run(scenario.run, times_tick=[round(k * last / 336) for k in range(337)], warn=False)
        pairs = [(values, run[name].values[0]) for name, values in found["courses"].items()]
        results = scenario.results()
        assert results.keys() == found["results"].keys()
        pairs += [(found["results"][name], value) for name, value in results.items()]
        worst = max(worst, *(_distance(theirs, ours) for theirs, ours in pairs))
    return worst


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js (Debian package nodejs)")


def _drawn(n):
    rng, c = random.Random(n), controls()
    for _ in range(n):
        d = rng.choice(c.dosings)
        count = rng.randint(1, min(d.most, 6))
        every = d.every_h + rng.choice([0, 1.5])
        yield Scenario(
            give=d.key, mg=rng.randint(round(d.low_mg / d.step_mg), round(d.high_mg / d.step_mg)) * d.step_mg, n=count,
            every_h=every, until_h=count * every + rng.choice([0, 24, 168]),
            missed=tuple(sorted(rng.sample(range(1, count + 1), rng.randint(0, count - 1)))),
            weight_kg=rng.choice(c.weight_kg), liver=rng.choice(c.liver), crcl_ml_min=rng.choice(c.crcl_ml_min),
            challenge=rng.choice(["", "", *(x.name for x in c.challenges)]),
            at_h=count * every + rng.choice([0, 12, 72]),
        )  # fmt: skip


@needs_node
def test_the_script_gives_pythons_numbers(tmp_path):
    few = [s for s in _drawn(60) if s.give == "naltrexone tablet"][:8]
    assert any(s.challenge for s in few)
    assert _compare(few, tmp_path) < 1e-6


@needs_node
def test_the_band_of_a_page_is_pythons(tmp_path):
    """Also of another weight, a sick liver and weak kidneys: the same people with these."""
    some = [
        Scenario(give="naltrexone tablet", mg=50, n=3, every_h=24, until_h=96, missed=(2,)),
        Scenario(give="naltrexone injection", mg=380, n=1, every_h=672, until_h=672, weight_kg=90, crcl_ml_min=30),
        Scenario(give="naltrexone tablet", mg=25, n=1, every_h=24, until_h=72, weight_kg=60, liver="severe"),
    ]
    for scenario, found in _live(some, tmp_path, banded=True):
        band = scenario.band()
        assert _distance(found["band"]["low"], band.low) < 1e-6
        assert _distance(found["band"]["high"], band.high) < 1e-6
        assert found["band"]["results"].keys() == band.results.keys()
        for name, ends in band.results.items():
            assert _distance(found["band"]["results"][name], np.array(ends)) < 1e-6, name
        assert band.high.max() > band.low.max() + 0.01


def test_the_people_of_a_band_are_spread_as_other_virtual_people_are():
    """Twenty-eight drawn evenly give the band of two thousand within eight points."""
    scenario = Scenario(give="naltrexone tablet", mg=50, n=1, every_h=24, until_h=24)
    many = {"n": 20, "uncertainty": 100, "occasions": False, "weight": "70 kg", "liver": "normal", "crcl": "100 mL/min"}
    run = Run.of(*scenario.words, until="24 h", population=many, outputs=["mor_pet_occupancy"], receptors=["mor"])
    wide = np.quantile(simulate_run(run, warn=False)["mor_pet_occupancy"].values[:, -1], [0.05, 0.95])
    band = scenario.band()
    assert np.abs(np.array([band.low[-1], band.high[-1]]) - wide).max() < 0.08


@needs_node
@pytest.mark.slow
def test_the_script_gives_pythons_numbers_for_many_scenarios(tmp_path):
    """SCHILD_SCENARIOS=1000 takes two minutes."""
    assert _compare(list(_drawn(int(os.environ.get("SCHILD_SCENARIOS", "250")))), tmp_path) < 1e-6
