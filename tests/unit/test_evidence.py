import dataclasses
import math

import pytest

from schild.evidence import Number, Spread, Value


def number(**kw):
    values = (Value(key="a", value=1.0, source=("A",)), Value(key="b", value=2.0, source=("B", "A")))
    return Number(name="x", unit="1", values=values, chosen_key="b", **kw)


def test_value_is_the_chosen_one():
    assert number().value == 2.0
    assert number().chosen.key == "b"
    assert [value.key for value in number().rivals] == ["a"]


def test_sources_come_once_each_with_those_of_the_spreads():
    assert number(uncertainty=Spread(cv=0.1, source=("C", "B"))).sources == ("B", "A", "C")


def test_omega_gives_back_the_cv_of_the_log_normal():
    omega = Spread(cv=0.5).omega
    assert math.sqrt(math.expm1(omega**2)) == pytest.approx(0.5)


def test_records_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        number().unit = "L"
