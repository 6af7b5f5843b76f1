"""A dose without length enters at once, at its time."""

from __future__ import annotations

import pytest

from plainly import Bench
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


# ---- in the engine


def test_a_bolus_is_in_plasma_at_its_time_and_not_before():
    bench = Bench("naloxone 0.4 mg iv at 1 h", "6 h")
    found = bench.agrees(("naloxone", "iv", "0.4 mg", 1.0))
    assert found["plasma_naloxone"][:2].tolist() == [0.0, 0.0]
    volume = bench.built.parameters["naloxone.vc"]
    assert found["plasma_naloxone"][2] == pytest.approx(bench.nmol("naloxone", "iv", "0.4 mg") / volume, rel=1e-12)


def test_a_tablet_enters_through_its_depot():
    Bench("naltrexone 100 mg po at 90 min", "3 d").agrees(("naltrexone", "oral", "100 mg", 1.5))


def test_the_four_inputs_of_the_injection():
    Bench("naltrexone 380 mg im_depot", "35 d", step="6 h").agrees(("naltrexone", "im_depot", "380 mg", 0.0))


def test_several_drugs_and_their_metabolites_compete():
    words = "naltrexone 50 mg po; heroin 20 mg iv at 2 h; morphine 10 mg im at 3 h; naloxone 2 mg in at 5 h"
    Bench(words, "12 h", receptors=("mor", "kor", "mor_gut")).agrees(
        ("naltrexone", "oral", "50 mg", 0.0), ("heroin", "iv", "20 mg", 2.0), ("morphine", "im", "10 mg", 3.0),
        ("naloxone", "in", "2 mg", 5.0),
    )  # fmt: skip


def test_doses_before_time_zero_have_been_taken():
    bench = Bench("naltrexone 50 mg po q24h x30 from -30 d", "1 d")
    found = bench.agrees(*[("naltrexone", "oral", "50 mg", 24.0 * k) for k in range(-30, 0)])
    assert found["mor_occupancy_naltrexone"][0] > 0.5


def test_a_run_may_begin_and_end_before_time_zero():
    bench = Bench("morphine 10 mg iv at -20 h", "-2 h", start="-10 h")
    bench.agrees(("morphine", "iv", "10 mg", -20.0))


def test_a_bolus_and_an_infusion_of_one_route_do_not_hide_each_other():
    bench = Bench("morphine 5 mg iv; morphine 10 mg iv over 2 h at 1 h; morphine 5 mg iv at 90 min", "8 h")
    bench.agrees(
        ("morphine", "iv", "5 mg", 0.0), ("morphine", "iv", "10 mg", 1.0, 2.0), ("morphine", "iv", "5 mg", 1.5)
    )
