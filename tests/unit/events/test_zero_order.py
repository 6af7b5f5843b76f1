"""A route whose own input has a length: the plateau of the injection."""

from __future__ import annotations

import pytest

from plainly import Bench
from schild.errors import InputError
from schild.units import TICKS_PER_HOUR

#: The third input of the injection.
PLATEAU = "naltrexone.im_depot.3"


def test_the_amount_enters_evenly_over_the_length_of_the_route():
    bench = Bench("naltrexone 380 mg im_depot at 1 d", "40 d", step="6 h")
    bench.agrees(("naltrexone", "im_depot", "380 mg", 24.0))


def test_its_own_place_and_times():
    bench = Bench("naltrexone 380 mg im_depot", "40 d")
    number = bench.catalogue.drug("naltrexone").number
    entries = [e for e in bench.built.entries if e.port == PLATEAU]
    begin = number("depot.plateau.lag").value
    assert [e.tick / TICKS_PER_HOUR for e in entries] == [begin, begin + number("depot.plateau.duration").value]
    assert entries[0].amount == -entries[1].amount
    whole = entries[0].amount * number("depot.plateau.duration").value
    assert whole == pytest.approx(bench.nmol("naltrexone", "im_depot", "380 mg"), rel=1e-12)


def test_a_length_of_the_dose_has_no_meaning_there():
    with pytest.raises(InputError, match="already enters at a constant rate of its own"):
        Bench("naltrexone 380 mg im_depot over 2 h", "2 d")


@pytest.mark.parametrize("every", [13, *(pytest.param(n, marks=pytest.mark.slow) for n in (7, 14, 28))])
def test_at_steady_state_unfinished_plateaus_are_part_of_the_state(every):
    bench = Bench(f"naltrexone 380 mg im_depot q{every}d x1 ss", "40 d", step="12 h")
    bench.agrees(*[("naltrexone", "im_depot", "380 mg", 24.0 * every * k) for k in range(-900 // every, 1)])
