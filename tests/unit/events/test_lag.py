"""A lag delays the entry of a dose, not the dose."""

from __future__ import annotations

import numpy as np
import pytest

from plainly import Bench
from schild.errors import InputError
from schild.regimen import Dose, expand, parse_regimen
from schild.units import TICKS_PER_HOUR, ticks


def test_the_event_stays_at_the_time_of_the_dose():
    events = expand(parse_regimen("naltrexone 50 mg po q24h x2 lag 30 min"), ticks("2 d"))
    assert [(e.time, e.lag_tick) for e in events] == [(0.0, ticks("30 min")), (24.0, ticks("30 min"))]


def test_a_lag_longer_than_the_interval_is_allowed():
    (event, *_) = expand(parse_regimen("naltrexone 50 mg po q6h ss lag 7 h"), ticks("1 h"))
    assert (event.lag_tick, event.ii_tick) == (ticks("7 h"), ticks("6 h"))


def test_no_lag_is_none():
    assert Dose(drug="a", amount="1 mg", route="iv", lag=0).lag is None


def test_a_negative_lag_is_refused():
    with pytest.raises(InputError, match="`lag` is"):
        Dose(drug="a", amount="1 mg", route="iv", lag=-1.0)


# ---- in the engine


def test_the_dose_enters_later():
    bench = Bench("morphine 10 mg iv at 1 h lag 90 min", "8 h")
    found = bench.agrees(("morphine", "iv", "10 mg", 2.5))
    assert found["plasma_morphine"][4] == 0.0
    assert found["plasma_morphine"][5] > 0.0


def test_it_comes_on_top_of_the_lag_of_the_route():
    bench = Bench("hydromorphone 4 mg po lag 1 h", "8 h", step="3 min")
    enters = 1.0 + bench.catalogue.drug("hydromorphone").number("oral.lag").value
    found = bench.agrees(("hydromorphone", "oral", "4 mg", 1.0))  # the plain doses have the lag of the route too
    times = np.array(bench.times) / TICKS_PER_HOUR
    assert np.all((found["plasma_hydromorphone"] > 0) == (times > enters))


@pytest.mark.parametrize("lag", ["7 h", "6 h", "13 h"])
def test_it_may_be_longer_than_the_interval(lag):
    bench = Bench(f"naltrexone 50 mg po q6h x4 lag {lag}", "2 d")
    bench.agrees(*[("naltrexone", "oral", "50 mg", 6.0 * k + float(lag[:-2])) for k in range(4)])


@pytest.mark.parametrize("lag", [0.5, 5.5, 6.0, 7.0, 12.0, 13.25])
def test_at_steady_state_every_implied_dose_is_lagged(lag):
    bench = Bench(f"morphine 10 mg po q6h x2 ss lag {lag} h", "1 d")
    bench.agrees(*[("morphine", "oral", "10 mg", 6.0 * k + lag) for k in range(-22, 2)])


@pytest.mark.parametrize("lag", [1.0, 4.0, 9.0])
@pytest.mark.parametrize("lasts", [2.0, 4.0, 7.0])
def test_at_steady_state_infusions_are_lagged_too(lag, lasts):
    bench = Bench(f"morphine 10 mg iv over {lasts} h q4h ss lag {lag} h", "12 h")
    bench.agrees(*[("morphine", "iv", "10 mg", 4.0 * k + lag, lasts) for k in range(-30, 4)])
