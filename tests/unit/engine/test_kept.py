"""Results of compiled functions that are kept while a command runs."""

from __future__ import annotations

import numpy as np
import pytest

from schild.engine import kept
from schild.engine.kept import call, keeping
from schild.simulation import simulate


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
