"""Too much work is refused before it starts, with the estimate and the bound."""

from __future__ import annotations

import dataclasses
import math
import time
import tracemalloc

import pytest

import schild
from schild.errors import InputError
from schild.regimen import Event
from schild.simulation import Run, events_of, model_of
from schild.simulation.guard import _Arrival, _judge
from schild.simulation.history import plan_history
from schild.simulation.runfile import parse_history
from schild.simulation.work import MAX_BYTES, MAX_STEPS, check_work
from schild.units import Amount

NONE = "naltrexone 50 mg po q1us x20000"


@pytest.mark.parametrize(
    "regimens",
    [
        ("naltrexone 50 mg po q1us",),
        ("naltrexone 50 mg po q1us x15000", "morphine 1 mg iv q1us x15000"),
        ("naltrexone 50 mg po q1s ss lag 24 h",),
        ("naloxone 1 mg iv over 24 h q1s x2 ss",),
    ],
)
def test_too_many_doses(regimens):
    began = time.process_time()
    for call in (lambda: schild.simulate(*regimens, until="1 d"), lambda: model_of(Run.of(*regimens, until="1 d"))):
        with pytest.raises(InputError, match=r"[0-9]{2},[0-9]{3}.*expected at most 20,000"):
            call()
    assert time.process_time() < began + 20.0


def test_a_count_beyond_the_bound_is_refused_where_it_is_written():
    with pytest.raises(InputError, match="from 1 to 20000"):
        schild.parse_regimen("naltrexone 50 mg po q1us x1000000")
    assert len(events_of(Run.of(NONE, until="1 d"))) == 20_000


@pytest.mark.parametrize("amount", ["1e15 kg", "2 kg", "1e9 mg/kg", "12 g/kg", "1e12 mmol"])
def test_amounts_beyond_any_sense(amount):
    for call in (
        lambda: schild.simulate(f"naltrexone {amount} po", until="1 d"),
        lambda: schild.laboratory("bar", f"naltrexone {amount} po"),
        lambda: schild.run_trial(schild.Trial.of({"name": "a", "drug": "naltrexone", "amount": amount}, n=2)),
    ):
        with pytest.raises(InputError, match="expected at most 1000 g for a person of 100 kg"):
            call()


def test_histories_that_overlap_many_times():
    words = [f"morphine {k} mg po q{4 + k % 9}h for {k % 50 + 1} d stopped {k % 7} d" for k in range(1, 301)]
    many = [parse_history(course) for course in words]
    with pytest.raises(InputError, match=r"history of 300 courses falls into .* expected at most 20,000"):
        plan_history(many)
    with pytest.raises(InputError, match="expected at most"):
        schild.simulate("naltrexone 50 mg po", until="1 d", history=["morphine 1 mg po q6h for 100 d"] * 100)


def test_many_courses_are_read_once_not_once_for_each_dose(monkeypatch):
    read = []
    monkeypatch.setattr(
        "schild.simulation.runfile.parse_history", lambda text: read.append(text) or parse_history(text)
    )
    history = [f"morphine 1 mg po q24h for {k % 4 + 1} d stopped {k % 3} d" for k in range(40)]
    schild.simulate("morphine 1 mg iv", until="1 d", every="12 h", history=history, outputs=["plasma_morphine"])
    assert len(read) < 40 * 20


@pytest.mark.parametrize(
    ("more", "says"),
    [({"byte": MAX_BYTES}, "6.0 GB of memory"), ({"steps": MAX_STEPS}, "10,000,000,000 steps")],
)
def test_the_estimate_and_the_bound_are_said(more, says):
    with pytest.raises(InputError, match=f"^2 people .*{says}.* expected at most .* Ask for one\\.$"):
        check_work("2 people", **{"people": 2, "steps": 1, "byte": 1, "instead": "Ask for one.", **more})


def test_the_guard_sums_many_doses_in_bounded_memory():
    event = Event(0, 0, drug="morphine", route="iv", amount=Amount(1, "mg"), f=1.0)
    times = [k / 100.0 for k in range(1500)]
    many = [
        _Arrival(event=event, entries=((t, 1.0, 0, math.inf, False),), windows=((0.0, 15.0),), limit_nmol=1600.0)
        for t in times
    ]
    catalogue = schild.load()
    tracemalloc.start()
    try:
        _judge(catalogue, many)  # 1,500 doses of 1 nmol in a day
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()
    with pytest.raises(InputError, match="more than published human challenges"):
        _judge(catalogue, [dataclasses.replace(a, limit_nmol=1499.0) for a in many])
