"""Target of a sensitivity analysis: a metric as a function of numbers, for trials and sessions with alcohol."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schild.catalog import Catalogue
from schild.drinking import laboratory
from schild.drinking.value import DAY_NUMBERS
from schild.errors import InputError, UnknownNameError
from schild.evidence import Number
from schild.people import Given, Overrides
from schild.trial import Trial, run_trial
from schild.trial.endpoints import values
from schild.trial.numbers import numbers_of, trial_numbers
from schild.trial.parts import run_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A metric, the numbers that may be varied, and their values."""

    title: str
    result: Any  #: Result with unchanged numbers
    typical: float  #: Metric of that result
    numbers: Mapping[str, Number]  #: Numbers with an uncertainty or a range
    held: Mapping[str, float]  #: Values in place of the catalogue's
    value: Callable[[Mapping[str, float]], float]  #: The metric with some numbers replaced
    parts: Callable[[int], dict[str, float]] | None = None  #: Spread by source, for a number of people

    def quantile(self, name: str, q: float) -> float:
        """Value of a number at a quantile of its uncertainty."""
        number = self.numbers[name]
        return at_quantile(number, float(self.held.get(name, number.value)), q)


def known(numbers: Mapping[str, Number]) -> dict[str, Number]:
    """Return the numbers that have a stated uncertainty, or a range of the value."""
    return {
        name: x for name, x in numbers.items()
        if x.same_as is None and (x.uncertainty or (x.chosen.low is not None and x.chosen.high is not None))
    }  # fmt: skip


def at_quantile(number: Number, typical: float, q: float) -> float:
    """Value of a number at a quantile of its uncertainty, within its bounds; else between the ends of its range.

    The ends of a range are its 5th and 95th percentile, with a straight line (of the logarithm, above zero) between
    and beyond them.
    """
    from scipy.special import ndtri  # SciPy takes time to import

    z = float(ndtri(q))
    spread = number.uncertainty
    if spread is not None:
        value = (
            typical + spread.cv * abs(typical) * z if spread.law == "normal" else typical * math.exp(spread.omega * z)
        )
    else:
        low, high = number.chosen.low, number.chosen.high
        assert low is not None
        assert high is not None  # only such numbers are moved
        share = (q - 0.05) / 0.9
        value = low * (high / low) ** share if low > 0 else low + (high - low) * share
    return value if number.bounds is None else float(np.clip(value, *number.bounds))


def trial_target(trial: Trial, metric: str, *, catalogue: Catalogue, overrides: Given | None) -> Target:
    """Return the difference of an endpoint between first arm and reference, in the same people, as a target."""
    held = Overrides.of(overrides, catalogue)
    head = {**trial.said()["trial"], "people": "shared"}
    trial = Trial.parse({**trial.said(), "trial": head})
    names = [arm.name for arm in trial.arm]
    first = next(k for k, arm in enumerate(trial.arm) if arm.name != trial.reference.name)
    against = names.index(trial.reference.name)
    own = [k for k in numbers_of(trial, catalogue) if not k.startswith("who.")]
    numbers = {f"trial.{k}": catalogue.trial[k] for k in own}
    if trial.disorder == "alcohol":
        numbers |= {f"alcohol.{k}": catalogue.alcohol[k] for k in DAY_NUMBERS.values()}
    numbers = known(numbers)

    def value(extra: Mapping[str, float]) -> float:
        given = {**held, **extra}
        part = run_parts(trial, catalogue=catalogue, overrides=given)
        used = trial_numbers(trial, catalogue, overrides=given)
        a, b = (values(trial, part.counts[:, k], part.people[:, k], used) for k in (first, against))
        if metric not in a:
            raise UnknownNameError("endpoint of this trial", metric, a)
        return float(np.nanmean(a[metric]) - np.nanmean(b[metric]))

    typical = value({})
    return Target(
        title=f"{names[first]} against {names[against]}", typical=typical, numbers=numbers,
        result=run_trial(trial, catalogue=catalogue, overrides=overrides), value=value, held=held,
    )  # fmt: skip


def session_target(
    protocol: str, regimens: Sequence[str], metric: str, *, n: int, seed: int, catalogue: Catalogue,
    overrides: Given | None,
) -> Target:  # fmt: skip
    """Return Hedges g of an outcome of a session with alcohol, with common random decisions, as a target."""
    held = Overrides.of(overrides, catalogue)
    if not regimens:
        raise InputError("No regimen was given; expected the doses that are taken, such as 'naltrexone 50 mg po'.")

    def run(extra: Mapping[str, float]) -> Any:
        found = laboratory(
            protocol, list(regimens), n=n, seed=seed, common=True, catalogue=catalogue, overrides={**held, **extra}
        )
        if metric not in found.effects:
            raise UnknownNameError("outcome of this protocol", metric, found.effects)
        return found

    result = run({})
    # Numbers of days and of subgroups do not enter a session.
    numbers = known(
        {f"alcohol.{k}": x for k, x in catalogue.alcohol.items() if not k.startswith(("day.", "moderator."))}
    )
    return Target(
        title=f"{result.plan.says} {'; '.join(regimens)}", result=result, typical=result.effects[metric].g,
        numbers=numbers, held=held, value=lambda extra: float(run(extra).effects[metric].g),
    )  # fmt: skip
