"""Sensitivity of a metric of a run, and the parts of its spread."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.catalog import Catalogue
from schild.errors import InputError, UnknownNameError
from schild.influence.target import Target, known
from schild.people import Given, Overrides
from schild.simulation import Result, Run, simulate_run
from schild.simulation.exposure import exposure


def metric_of(result: Result, metric: str) -> NDArray[np.float64]:
    """Return a metric of every person, shape (n,).

    ``metric``: of ``Result.each``, an output at a time such as ``"mor_pet_occupancy at 24 h"``, or one of the last dose
    such as ``"naltrexone.LAMZHL"``. Raises UnknownNameError for another.
    """
    if metric in result.each:
        return np.asarray(result.each[metric], dtype=np.float64)
    output, at, time = metric.partition(" at ")
    if at and output.strip() in result.outputs:
        return np.atleast_1d(np.asarray(result[output.strip()].at(time.strip()), dtype=np.float64))
    rows = exposure(result)
    last = {row.output: row.dose for row in rows}
    found = {f"{row.output}.{row.metric}": row.values for row in rows if row.dose == last[row.output]}
    if metric not in found:
        raise UnknownNameError("metric of this run", metric, [*result.each, *found])
    return found[metric]


def run_target(
    regimens: Sequence[Any], metric: str, *, until: str | None, subject: Mapping[str, Any] | None,
    structure: str | None, seed: int, catalogue: Catalogue, overrides: Given | None,
) -> Target:  # fmt: skip
    """Return the metric of a run of one typical person as a target."""
    held: Mapping[str, float] = Overrides.of(overrides, catalogue)
    who = None if subject is None else dict(subject)
    base: dict[str, Any] = {"dose": list(regimens)}
    if len(regimens) == 1 and isinstance(regimens[0], Run):
        base = regimens[0].model_dump(exclude_unset=True)
        base.pop("population", None)
        held = {**Overrides.of(base.pop("numbers", {}) or {}, catalogue), **held}
        who = (base.pop("subject", None) or {}) | (who or {})

    def run(extra: Mapping[str, float] | None = None, **data: Any) -> Result:
        head = {"until": until, "seed": seed, "structure": structure} | data.pop("head", {})
        said = {**base.get("run", {}), **{k: v for k, v in head.items() if v is not None}}
        made = Run.parse({**base, "run": said, "subject": None if "population" in data else who, **data})
        return simulate_run(made, catalogue=catalogue, overrides={**held, **(extra or {})}, warn=False)

    typical = run()
    first = metric_of(typical, metric)
    if not np.isfinite(first).all():
        raise InputError(
            f"{metric} cannot be computed for this run; expected a metric that can. Lengthen the run, or choose "
            "another metric."
        )
    assert typical.values is not None  # simulate gives them
    numbers = known({f"{o}.{k}": x for (o, k), x in typical.values.uses.numbers.items()})
    return Target(
        title=typical.title, result=typical, typical=float(first[0]), numbers=numbers,
        held=held, value=lambda extra: float(metric_of(run(extra), metric)[0]),
        parts=lambda n: _parts(run, metric, n, who, typical, catalogue),
    )  # fmt: skip


def _parts(
    run: Callable[..., Result], metric: str, n: int, who: Mapping[str, Any] | None, typical: Result,
    catalogue: Catalogue,
) -> dict[str, float]:  # fmt: skip
    """Standard deviation of the logarithm of the metric, by source."""
    person = {k: v for k, v in (who or {}).items() if k != "history"}
    typical_person = {"weight": "70 kg", "age": "40 years", "crcl": "100 mL/min", "sex": "male", "liver": "normal",
                      "dependent": "no", "cyp2d6": "EM"} | person  # fmt: skip

    def spread(**population: Any) -> float:
        values = metric_of(run(population={"n": n, **population}), metric)
        good = values[np.isfinite(values) & (values > 0)]
        return float(np.std(np.log(good))) if good.size else math.nan

    people = spread(**person, occasions=False)
    both = spread(**person)
    found = {
        "people": people,
        "occasions": math.sqrt(max(both**2 - people**2, 0.0)),
        "parameters": spread(**{**typical_person, "n": 1}, variability=False, uncertainty=n),
    }
    assert typical.run is not None  # simulate gives it
    drug = catalogue.drug(str(next(dose.drug for dose in typical.run.doses if dose.drug is not None))).key
    names = list(catalogue.drug(drug).structures)
    # A smaller tolerance than for one person: a spread of zero must not show the error of the solver.
    values = np.array([metric_of(run(head={"structure": {drug: name}, "rtol": 1e-9}), metric)[0] for name in names])
    found["structure"] = float(np.std(np.log(values[values > 0]))) if len(names) > 1 else 0.0
    return found
