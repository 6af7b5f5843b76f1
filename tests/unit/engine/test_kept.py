"""Results of compiled functions that are kept while a command runs."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from schild.engine import kept
from schild.engine.kept import call, keeping, once
from schild.engine.session import run_sessions
from schild.simulation import simulate
from sessions import some_people, some_session


class Count:
    """A function that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def add(self, *given: np.ndarray, **named: float) -> np.ndarray:
        """Add ``more`` to the array given."""
        self.calls += 1
        return given[0] + named.get("more", 0.0)


def test_the_same_call_is_made_once_and_others_are_made():
    count, ones = Count(), np.ones(3)
    with keeping():
        for given, named in (
            ((ones,), {}), ((ones.copy(),), {"threads": 2}), ((ones,), {"more": 1.0}), ((2 * ones,), {}),
            ((ones.astype(np.float32),), {}), ((ones[:, None],), {}),
        ):  # fmt: skip
            assert np.array_equal(call(count.add, *given, **named), given[0] + named.get("more", 0.0))
    assert count.calls == 5  # threads have no part in a result


def test_nothing_is_kept_outside_a_block_and_nothing_after_it():
    count = Count()
    call(count.add, np.ones(3))
    call(count.add, np.ones(3)).flags.writeable = True
    with keeping():
        with keeping():
            first = call(count.add, np.ones(3))
        assert call(count.add, np.ones(3)) is first
        with pytest.raises(ValueError, match="read-only"):
            first[0] = 2.0
    call(count.add, np.ones(3))
    assert count.calls == 4
    assert not kept._results


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept, "MOST", 100)
    count = Count()
    with keeping():
        for value in (0.0, 1.0, 2.0, 3.0, 0.0, 3.0):  # of 24 bytes each: four are kept
            call(count.add, np.full(3, value))
        assert count.calls == 4
        call(count.add, np.full(3, 4.0))
        call(count.add, np.full(3, 1.0))  # it was the oldest
        call(count.add, np.ones(4))  # more than a quarter
        call(count.add, np.ones(4))
    assert count.calls == 8


def test_a_simulation_that_is_repeated_keeps_its_numbers():
    def run() -> np.ndarray:
        return simulate("naltrexone 50 mg po", until="1 d", n=3, warn=False)["mor_pet_occupancy"].values

    alone = run()
    with keeping():
        assert np.array_equal(run(), alone)
        held = len(kept._results)
        assert np.array_equal(run(), alone)
        assert len(kept._results) == held > 0


@dataclasses.dataclass
class _Named:
    """Plain values, of which ``repr`` leaves one out."""

    shown: float
    hidden: float = dataclasses.field(repr=False)


def test_every_field_of_a_dataclass_counts():
    def take(what: _Named) -> np.ndarray:
        return np.full(3, what.hidden)

    with keeping():
        assert call(take, _Named(1.0, 2.0))[0] == 2.0
        assert call(take, _Named(1.0, 3.0))[0] == 3.0


@pytest.mark.parametrize("value", [{1, 2}, np.array([[1], None], dtype=object), object()])
def test_an_argument_whose_content_cannot_be_told_is_refused(value):
    with keeping(), pytest.raises(TypeError, match="cannot be told"):
        call(np.size, value)


def test_dicts_count_by_their_content():
    with keeping():
        first = call(dict, body={"a": np.arange(3.0), "b": 1.0})
        assert call(dict, body={"a": np.arange(3.0), "b": 1.0}) is first
        assert call(dict, body={"a": np.arange(3.0), "b": 2.0}) is not first


def test_threads_that_make_the_same_count_its_memory_once():
    both = threading.Barrier(2)

    def make() -> np.ndarray:
        both.wait(10.0)
        return np.ones(5)

    with keeping():
        with ThreadPoolExecutor(2) as pool:
            for found in pool.map(lambda _: once("same", make), range(2)):
                assert np.array_equal(found, np.ones(5))
        assert kept._held == 40


def test_nothing_is_kept_that_is_made_after_the_block_has_ended():
    block = keeping()
    block.__enter__()

    def make() -> np.ndarray:
        block.__exit__(None, None, None)
        return np.ones(5)

    once("late", make)
    assert not kept._results
    assert not kept._held


def test_arrays_that_were_given_stay_writable():
    people = some_people(3)
    grid, what = some_session(people)
    grid = np.array(grid)
    with keeping():
        call(run_sessions, people.rows, grid, **what)
    assert grid.flags.writeable
