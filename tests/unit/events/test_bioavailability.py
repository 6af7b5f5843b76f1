"""`f` multiplies the bioavailability of the route; a fraction never exceeds what is there to be absorbed."""

from __future__ import annotations

import pytest

from plainly import Bench

SIGNALS = ("plasma_naltrexone", "plasma_beta_naltrexol")


@pytest.mark.parametrize("f", [0.1, 0.8, 1.5])
def test_it_multiplies_the_dose(f):
    bench = Bench(f"naltrexone 50 mg po f {f}", "2 d")
    bench.agrees(("naltrexone", "oral", f"{50 * f!r} mg", 0.0))


def test_it_multiplies_every_input_of_a_route():
    bench = Bench("naltrexone 380 mg im_depot f 0.5", "20 d", step="6 h")
    bench.agrees(("naltrexone", "im_depot", "190 mg", 0.0))


def test_at_steady_state_it_multiplies_every_implied_dose():
    bench = Bench("morphine 20 mg po q8h x1 ss f 0.5", "1 d")
    bench.agrees(*[("morphine", "oral", "10 mg", 8.0 * k) for k in range(-20, 1)])


def test_a_constant_infusion_is_multiplied_too():
    bench = Bench("morphine 2 mg/h iv ss f 0.5", "1 d")
    bench.agrees(("morphine", "iv", "150 mg", -150.0, 150.0))
