"""A dose without length enters at once, at its time."""

from __future__ import annotations

import pytest

from schild.errors import InputError
from schild.regimen import Dose, Event, expand, parse_regimen
from schild.units import Amount, ticks


def test_one_dose_is_one_event():
    (event,) = expand(parse_regimen("naltrexone 100 mg po at 2 d"), ticks("7 d"))
    assert event == Event(ticks("2 d"), 0, 1, "naltrexone", "oral", Amount(100, "mg"), occasion=1)
    assert event.time == 48.0


def test_a_dose_at_the_end_of_the_run_is_given_and_a_later_one_is_not():
    doses = parse_regimen("naltrexone 50 mg po at 2 d")
    assert len(expand(doses, ticks("2 d"))) == 1
    assert expand(doses, ticks("2 d") - 1) == ()


def test_before_time_zero_is_before():
    events = expand(parse_regimen("methadone 60 mg po q24h x30 from -30 d"), ticks("1 d"))
    assert [events[0].time, events[-1].time, len(events)] == [-720.0, -24.0, 30]


@pytest.mark.parametrize("field", ["drug", "route", "amount"])
def test_a_dose_needs_drug_route_and_amount(field):
    parts = {"drug": "naltrexone", "route": "po", "amount": "50 mg"}
    del parts[field]
    with pytest.raises(InputError, match=rf"has no {field}; expected"):
        Dose(**parts)


def test_f_and_lag_are_kept_for_the_model():
    (event,) = expand([Dose(drug="a", amount="1 mg", route="iv", f=0.8, lag="30 min")], 0)
    assert (event.f, event.lag_tick) == (0.8, ticks("30 min"))


@pytest.mark.parametrize("f", [0, -1, float("nan"), float("inf"), True])
def test_f_is_a_positive_number(f):
    with pytest.raises(InputError, match="`f` is"):
        Dose(drug="a", amount="1 mg", route="iv", f=f)
