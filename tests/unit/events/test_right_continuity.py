"""A value at time t is taken after everything that happens at t."""

from __future__ import annotations

import numpy as np
import pytest

from plainly import Bench
from schild.units import ticks


def at(words, moment, until="6 h", **options):
    """Signals just before, at, and just after a moment (a microsecond each side)."""
    bench = Bench(words, until, **options)
    bench.times = [ticks(moment) + k for k in (-1, 0, 1)]
    return bench, bench.engine()


def test_a_bolus_is_seen_at_its_time():
    bench, found = at("naloxone 1 mg iv at 2 h", "2 h")
    before, now, after = found["plasma_naloxone"]
    assert before == 0.0
    assert now == pytest.approx(bench.nmol("naloxone", "iv", "1 mg") / bench.built.parameters["naloxone.vc"])
    assert after == pytest.approx(now, rel=1e-7)


def test_a_dose_at_the_first_and_at_the_last_time_is_seen():
    found = Bench("naloxone 1 mg iv; naloxone 1 mg iv at 6 h", "6 h").engine()["plasma_naloxone"]
    assert found[0] > 0
    assert found[-1] > 0.9 * found[0]


def test_a_reset_is_seen_at_its_time():
    _, found = at("naloxone 1 mg iv at 1 h; reset at 2 h", "2 h")
    assert found["plasma_naloxone"][0] > 0
    assert found["plasma_naloxone"][1:].tolist() == [0.0, 0.0]
    assert found["mor_occupancy_naloxone"][1:].tolist() == [0.0, 0.0]


def test_a_steady_state_is_seen_at_its_time():
    _, found = at("naltrexone 50 mg po q24h ss at 2 h", "2 h")
    assert found["plasma_naltrexone"][0] == found["mor_occupancy_naltrexone"][0] == 0.0
    assert found["plasma_naltrexone"][1] > 0.01
    assert found["mor_occupancy_naltrexone"][1] > 0.1


def test_occupancy_does_not_jump_with_a_dose():
    _, found = at("naltrexone 50 mg iv at 1 h; heroin 20 mg iv at 2 h", "2 h", receptors=("mor", "mor_gut"))
    for name, values in found.items():
        if name.startswith("mor"):
            assert np.abs(np.diff(values)).max() < 1e-5, name
