from __future__ import annotations

import pickle

import pytest

from schild import errors
from schild.errors import CatalogueError, InputError, SchildError, UnknownNameError


def test_every_error_belongs_to_the_family():
    ours = [item for item in vars(errors).values() if isinstance(item, type) and item.__module__ == errors.__name__]
    assert len(ours) >= 4
    assert all(issubclass(item, SchildError) for item in ours)


@pytest.mark.parametrize(
    ("error", "habit"),
    [(InputError, ValueError), (UnknownNameError, KeyError), (UnknownNameError, ValueError)],
)
def test_built_in_habits_still_catch(error, habit):
    assert issubclass(error, habit)


def test_a_fault_of_the_catalogue_is_not_the_fault_of_the_user():
    assert not issubclass(CatalogueError, InputError)


def test_a_slip_of_the_pen_is_answered_with_close_names():
    message = str(UnknownNameError("drug", "naltrexon", ["naloxone", "naltrexone", "morphine"]))
    assert message == "No drug is called 'naltrexon'. Did you mean 'naltrexone'?"


def test_an_unlike_name_is_answered_with_at_most_five_that_exist_in_order():
    message = str(UnknownNameError("route", "zzz", iter(["oral", "iv"])))
    assert message == "No route is called 'zzz'. Known: iv, oral."
    many = str(UnknownNameError("drug", "zzz", map(str, range(9)), list_with="schild drugs"))
    assert many == "No drug is called 'zzz'. Known: 0, 1, 2, 3, 4 and 4 more; schild drugs lists them."


def test_nothing_known_is_said():
    assert str(UnknownNameError("output", "cows", [])) == "No output is called 'cows'. Known: none."


def test_the_message_is_no_quoted_repr():
    # KeyError alone would print it in quotation marks.
    error = UnknownNameError("drug", "x", ["naltrexone"])
    assert str(error) == error.message == error.args[0]
    with pytest.raises(SchildError, match=r"^No drug is called 'x'\."):
        raise error


@pytest.mark.parametrize("error", [InputError("a"), CatalogueError("b")])
def test_errors_cross_a_process_boundary(error):
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
