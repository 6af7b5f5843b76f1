"""A lag delays the entry of a dose, not the dose. Event level; entry itself is the model's."""

from __future__ import annotations

import pytest

from schild.errors import InputError
from schild.regimen import Dose, expand, parse_regimen
from schild.units import ticks


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
