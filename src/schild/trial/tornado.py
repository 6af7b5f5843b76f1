"""How the answer moves with each assumed number, all else held: ``python -m schild.trial.tornado``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schild.catalog import load
from schild.drinking.value import DAY_NUMBERS
from schild.errors import InputError
from schild.evidence import Number
from schild.trial.endpoints import values
from schild.trial.numbers import trial_numbers
from schild.trial.parts import run_parts
from schild.trial.trialfile import Trial

__all__ = ["Swing", "tornado"]

#: What is watched: differences in percentage points.
WATCHED = ("percent_heavy_drinking_days", "last4_no_heavy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """Effect of the active arm with one number at either end of its range."""

    number: str  #: ``trial.<number>`` or ``alcohol.<number>``
    #: Ends of its range
    low: float
    high: float
    #: Differences in ``WATCHED`` there
    at_low: tuple[float, ...]
    at_high: tuple[float, ...]

    @property
    def width(self) -> float:
        """How far heavy drinking days move."""
        return abs(self.at_high[0] - self.at_low[0])


def _ends(number: Number) -> tuple[float, float] | None:
    """Two standard errors of a fitted number, else the range of its value; None where there is neither."""
    if number.chosen.basis == "fitted" and number.uncertainty is not None:
        off = 1.96 * number.uncertainty.cv * abs(number.value)
        return number.value - off, number.value + off
    if number.chosen.low is None or number.chosen.high is None:
        return None
    return number.chosen.low, number.chosen.high


def tornado(trial: Trial, names: Sequence[str] = ()) -> tuple[Swing, ...]:
    """Move each number of a trial to the ends of its range.

    ``trial``: with one active arm first and a reference; ``names``: numbers; all of ``trial.toml`` with a range and the
    drug's by default. Raises InputError for a number without a range.

    >>> trial = Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"}, n=100, weeks=4)
    >>> [s.number for s in tornado(trial, ["trial.adherence.daily"])]
    ['trial.adherence.daily']
    """
    catalogue = load()
    known = {f"trial.{k}": v for k, v in catalogue.trial.items() if not k.startswith("who.")}
    known |= {f"alcohol.{k}": catalogue.alcohol[k] for k in DAY_NUMBERS.values()}
    wanted = names or [k for k, v in known.items() if _ends(v) is not None]

    def effect(overrides: dict[str, float]) -> tuple[float, ...]:
        part = run_parts(trial, overrides=overrides)
        numbers = trial_numbers(trial, catalogue, overrides=overrides)
        a, b = (values(trial, part.counts[:, k], part.people[:, k], numbers) for k in range(2))
        return tuple(float(np.nanmean(a[name]) - np.nanmean(b[name])) for name in WATCHED)

    found = []
    for name in wanted:
        ends = _ends(known[name]) if name in known else None
        if ends is None:
            raise InputError(f"{name!r} has no range; expected a number of a trial that has one. See `trial.toml`.")
        at = [effect({name: value}) for value in ends]
        found.append(Swing(number=name, low=ends[0], high=ends[1], at_low=at[0], at_high=at[1]))
    return tuple(sorted(found, key=lambda s: -s.width))


def main() -> int:
    """Print the tornado of 50 mg a day for 12 weeks."""
    trial = Trial.of({"name": "active", "drug": "naltrexone", "amount": "50 mg"}, n=4000, people="shared")
    print(f"{'number':32s} {'range':>17s}   {WATCHED[0]:>28s}   {WATCHED[1]:>16s}")
    for s in tornado(trial):
        print(
            f"{s.number:32s} {s.low:8.3g} {s.high:8.3g}   {s.at_low[0]:13.2f} {s.at_high[0]:14.2f}   "
            f"{s.at_low[1]:7.1f} {s.at_high[1]:8.1f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
