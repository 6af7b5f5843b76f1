"""What is read from a run does not depend on its output grid: readings agree with a run on a grid of 10 s."""

import numpy as np
import pytest

from schild.simulation import Run, events_of, simulate, simulate_run
from schild.units import TICKS_PER_HOUR

TEN_S = TICKS_PER_HOUR // 360

#: Drugs, routes and amounts [mg] that are drawn from; of one run either all block or all activate.
DRAWN = {
    "block": (
        ("naltrexone", "po", 20, 150),
        ("naloxone", "iv", 0.1, 2),
        ("naloxone", "in", 2, 8),
        ("nalmefene", "iv", 0.2, 2),
    ),
    "activate": (
        ("morphine", "iv", 2, 10),
        ("morphine", "po", 5, 30),
        ("oxycodone", "po", 5, 20),
        ("methadone", "po", 5, 40),
    ),
}


def _run(case: int) -> Run:
    rng = np.random.default_rng([20260, case])
    kind = list(DRAWN)[case % 2]
    until_h = float(rng.integers(12, 49))
    words = []
    for _ in range(rng.integers(1, 3)):
        drug, route, low, high = DRAWN[kind][rng.integers(4)]
        start = f"{rng.uniform(0.0, 0.5 * until_h) * 3600:.3f} s"
        again = f" q{rng.integers(4, 13)}h x{rng.integers(2, 4)}" if rng.random() < 0.5 else ""
        infused = f" over {rng.integers(5, 120)} min" if route == "iv" and rng.random() < 0.5 else ""
        words.append(f"{drug} {rng.uniform(low, high):.3f} mg {route}{infused}{again} at {start}")
    every = ("97 s", "10 min", "1 h", "7 h", "1 d")[rng.integers(5)]
    return Run.of(*words, until=f"{until_h:g} h", every=every, adaptation=False)


def _check(case: int) -> None:
    run = _run(case)
    rng = np.random.default_rng([20261, case])
    result = simulate_run(run, warn=False)
    doses = [e.tick for e in events_of(run) if e.tick <= run.until_tick]
    ten = sorted({*range(0, run.until_tick + 1, TEN_S), run.until_tick, *(t - 1 for t in doses if t)})
    exact = simulate_run(run, warn=False, times_tick=ten)
    at = {tick: k for k, tick in enumerate(ten)}
    asked = rng.integers(0, run.until_tick // TEN_S, 4) * TEN_S
    frame = result.to_frame()
    for name, output in result.outputs.items():
        true = exact[name].values[0]
        size = max(float(np.abs(true).max()), 1e-12)

        def same(found, wanted, what, name=name, size=size):
            assert found == pytest.approx(wanted, rel=1e-6, abs=1e-7 * size), (case, name, what)

        for tick in asked:
            same(output.at(int(tick) / TICKS_PER_HOUR), true[at[int(tick)]], tick)
        for tick in doses:
            if tick:
                same(output.before(tick / TICKS_PER_HOUR), true[at[tick - 1]], f"before {tick}")
        rows = frame[frame.output == name]
        for hours, value in zip(rows.time_h, rows.value, strict=True):
            if (k := at.get(round(hours * TICKS_PER_HOUR))) is not None:
                same(value, true[k], hours)
        if output.kind.drawn:
            species = name.removeprefix("plasma_")
            peak = f"cmax_{species}_ng_ml" if name.startswith("plasma_") else f"{name}_peak"
            same(rows.value.max(), result.metrics[peak], "the peak of the file and of the table")
        if output.kind.level is not None:
            t, y = np.asarray(rows.time_h), np.asarray(rows.value)
            above = float(np.diff(t)[(y[:-1] + y[1:]) / 2 > output.kind.level].sum())
            counted = exact.metrics[f"{name}_hours_above_90_percent"]
            assert above == pytest.approx(counted, abs=1e-6 * run.until_h), (case, name)
    for name, value in exact.metrics.items():
        if name.startswith("tmax"):
            continue  # where a course is flat at its peak, its time means little
        limit = 1e-6 * run.until_h if name.endswith("hours_above_90_percent") else 1e-6 * abs(value)
        assert result.metrics[name] == pytest.approx(value, abs=max(limit, 1e-9)), (case, name)


def test_a_value_is_taken_after_what_happens_at_its_time_and_no_line_crosses_a_dose():
    output = simulate("naloxone 0.4 mg iv at 2 h", until="8 h", every="4 h")["plasma_naloxone"]
    assert output.at("1 h") == 0
    assert output.before("2 h") == 0
    assert output.at("2 h") == pytest.approx(11.63, abs=0.005)
    fine = simulate("naloxone 0.4 mg iv at 2 h", until="8 h", every="1 min")["plasma_naloxone"]
    for when in ("2 h 1 min", "3 h", "7 h 59 min"):
        assert output.at(when) == pytest.approx(fine.at(when), rel=1e-9)


@pytest.mark.parametrize("times", ["x2", "x3"])
def test_a_trough_is_the_level_before_the_last_dose_whatever_the_length_of_the_run(times):
    words, last = f"naltrexone 50 mg po q24h {times} from 2 h", 2 + 24 * (int(times[1:]) - 1)
    found = [
        simulate(words, until=f"{last + more} h", every=every, warn=False, receptors=["mor"])
        for more, every in ((1, "1 h"), (24, "7 h"), (240, "1 d"))
    ]
    for name in ("ctrough_naltrexone_ng_ml", "mor_pet_occupancy_trough"):
        first, *others = [result.metrics[name] for result in found]
        assert first > 0
        assert others == pytest.approx([first] * 2, rel=1e-6)
    plasma = found[0]["plasma_naltrexone"]
    assert found[0].metrics["ctrough_naltrexone_ng_ml"] == plasma.before(f"{last} h")


@pytest.mark.parametrize("case", range(6))
def test_readings_do_not_depend_on_the_grid(case):
    _check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", range(6, 200))
def test_readings_of_200_random_regimens_do_not_depend_on_the_grid(case):
    _check(case)
