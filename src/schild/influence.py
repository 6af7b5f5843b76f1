"""How a metric of a run moves with each number, and what its spread is made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schild import __version__
from schild.catalog import Catalogue, load
from schild.errors import InputError, UnknownNameError
from schild.evidence import Number
from schild.figures import COLOURS, GREY, panels
from schild.people import Given, Overrides
from schild.results import ShownRun, cited, plain
from schild.simulation import Result, Run, simulate_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

__all__ = ["Sensitivity", "Swing", "sensitivity"]

#: Ends of the range of a number: its 5th and 95th percentile.
_ENDS = 1.6448536269514722


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """A metric with one number at either end of what is not known of it, all else held."""

    number: str
    unit: str
    low: float  #: 5th percentile of the number
    high: float  #: 95th percentile of the number
    at_low: float
    at_high: float
    #: Sobol indices, where asked for: share of the variance by the number alone, and with all it acts with [1]
    first: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sensitivity(ShownRun):
    """How a metric moves with each number of a run.

    Examples
    --------
    >>> import schild
    >>> found = schild.sensitivity("naltrexone 50 mg po", metric="auc_naltrexone_ng_h_ml", until="2 d", n=0)
    >>> found.swings[0].number
    'naltrexone.oral.f'
    """

    title: str
    metric: str
    typical: float
    swings: tuple[Swing, ...]  #: Widest first
    parts: Mapping[str, float]  #: Spread by what it comes from: standard deviation of the logarithm of the metric [1]
    result: Result
    warnings: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what is needed to repeat the analysis."""
        return {"schild": __version__, "metric": self.metric, **self.more, "run": dict(self.result.manifest)}

    def about(self) -> str:
        """Say in a line what moves the metric most."""
        most = ", ".join(f"{s.number} ({s.at_low:.3g} to {s.at_high:.3g})" for s in self.swings[:3]) or "no number"
        return f"{self.title}: {self.metric} is {self.typical:.4g}; moved most by {most}"

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each number, widest swing first."""
        return [
            {
                "number": s.number, "unit": s.unit, "low": s.low, "high": s.high, "at_low": s.at_low,
                "at_high": s.at_high, **({} if s.total is None else {"sobol_first": s.first, "sobol_total": s.total}),
            }
            for s in self.swings
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract as Python data."""
        return {
            "manifest": self.manifest, "metric": self.metric, "typical": self.typical,
            "swings": plain(self.summary()), "spread": plain(dict(self.parts)), "warnings": list(self.warnings),
            "cite": cited(self.sources),
        }  # fmt: skip

    def plot(self, *, most: int = 12, ax: Any = None) -> Figure | Any:
        """Draw the tornado: the metric between the ends of each number.

        Parameters
        ----------
        most : int
            Numbers that are drawn, widest first.
        ax : Axes, optional
            Panel to draw on; a new figure by default.

        Returns
        -------
        matplotlib.figure.Figure, or ``ax``
            Blue at the low end of a number, orange at its high end.
        """
        shown = self.swings[:most][::-1]
        (axis,), drawn = panels(1, 1, (8.0, 1.2 + 0.35 * max(len(shown), 1)), ax)
        for k, s in enumerate(shown):
            axis.barh(k, s.at_low - self.typical, left=self.typical, color=COLOURS[0])
            axis.barh(k, s.at_high - self.typical, left=self.typical, color=COLOURS[1])
        axis.axvline(self.typical, color=GREY, linewidth=1)
        axis.set_yticks(range(len(shown)), [s.number for s in shown])
        axis.set_xlabel(self.metric)
        axis.grid(alpha=0.25, axis="x")
        return drawn


def sensitivity(
    *regimens: str,
    metric: str,
    numbers: Sequence[str] | None = None,
    until: str | None = None,
    subject: Mapping[str, Any] | None = None,
    structure: str | None = None,
    n: int = 200,
    sobol: int = 0,
    seed: int = 1,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sensitivity:
    """Say how a metric of a run moves with each number, and what its spread is made of.

    Parameters
    ----------
    *regimens : str
        What is taken, in words.
    metric : str
        A metric of ``schild.simulate``, such as ``"auc_naltrexone_ng_h_ml"`` or ``"mor_pet_occupancy_mean"``.
    numbers : sequence of str, optional
        Numbers to move; all that the run uses and whose uncertainty the catalogue has, by default.
    until, subject, structure, seed, catalogue, overrides
        As for ``schild.simulate``.
    n : int
        People for the spread by people, by occasions, and by what is not known; 0 leaves that out.
    sobol : int
        Power of two: samples for Sobol indices of the numbers, which need that many runs times numbers; 0 for none.
    progress : callable, optional
        Called with runs done and runs in all.

    Returns
    -------
    Sensitivity
        Swings of the typical person's metric, widest first, and the spread by its parts.

    Raises
    ------
    InputError
        For an unknown metric or number, or a number without uncertainty.

    Notes
    -----
    Each number goes to its 5th and 95th percentile, all else held. The spread is the standard deviation of the
    logarithm of the metric over: people (variability alone), occasions (within a person), parameters (uncertainty of
    typical values) and structure (all structures of the first drug), each with the others left out and the same random
    numbers.
    Sobol indices are those of the logarithm, by ``scipy.stats.sobol_indices``.

    Examples
    --------
    >>> found = sensitivity("naloxone 0.4 mg iv", metric="auc_naloxone_ng_h_ml", until="6 h", n=0)
    >>> [s.number for s in found.swings if abs(s.at_high - s.at_low) > 1e-6 * found.typical][:1]
    ['naloxone.cl']
    """
    if n < 0 or (sobol and (sobol & (sobol - 1) or not 8 <= sobol <= 4096)):
        raise InputError(f"n is {n} and sobol {sobol}; expected 0 or more, and 0 or a power of two from 8 to 4,096.")
    catalogue = catalogue or load()
    held = Overrides.of(overrides, catalogue)
    who = None if subject is None else dict(subject)

    def run(extra: Mapping[str, float] | None = None, **data: Any) -> Result:
        head = {"until": until, "seed": seed, "structure": structure} | data.pop("head", {})
        made = Run.parse(
            {
                "run": {k: v for k, v in head.items() if v is not None},
                "subject": None if "population" in data else who,
                "dose": list(regimens),
                **data,
            }
        )
        return simulate_run(made, catalogue=catalogue, overrides={**held, **(extra or {})}, warn=False)

    typical = run()
    if metric not in typical.each:
        raise UnknownNameError("metric of this run", metric, typical.each)
    assert typical.values is not None  # simulate gives them
    used = {f"{o}.{k}": x for (o, k), x in typical.values.uses.numbers.items() if x.uncertainty and not x.same_as}
    if numbers is not None:
        for name in numbers:
            if name not in used:
                raise UnknownNameError("number of this run with an uncertainty", name, used)
    names = list(used) if numbers is None else list(numbers)
    at = {name: held.get(name, used[name].value) for name in names}
    total = 2 * len(names) + (sobol * (len(names) + 2) if sobol else 0)
    done = 0

    def value(extra: Mapping[str, float]) -> float:
        nonlocal done
        done += 1
        if progress is not None:
            progress(min(done, total), max(total, 1))
        return float(run(extra).each[metric][0])

    swings = []
    for name in names:
        low, high = (_moved(used[name], at[name], z) for z in (-_ENDS, _ENDS))
        swings.append(
            Swing(number=name, unit=used[name].unit, low=low, high=high, at_low=value({name: low}),
                  at_high=value({name: high}))
        )  # fmt: skip
    middle = float(typical.each[metric][0])
    if sobol:
        swings = _sobol(swings, used, at, value, sobol, seed)
    swings.sort(key=lambda s: -abs(s.at_high - s.at_low))
    parts = _parts(run, metric, n, who, typical, catalogue) if n else {}
    return Sensitivity(
        title=typical.title, metric=metric, typical=middle, swings=tuple(swings), parts=parts, result=typical,
        warnings=typical.warnings, more={"n": n, "sobol": sobol},
    )  # fmt: skip


def _moved(number: Number, typical: float, z: float) -> float:
    """A number at a standard normal deviate of its uncertainty, within its bounds."""
    spread = number.uncertainty
    assert spread is not None  # only such numbers are moved
    value = typical + spread.cv * abs(typical) * z if spread.law == "normal" else typical * math.exp(spread.omega * z)
    return value if number.bounds is None else float(np.clip(value, *number.bounds))


def _sobol(
    swings: Sequence[Swing], used: Mapping[str, Number], at: Mapping[str, float],
    value: Callable[[Mapping[str, float]], float], size: int, seed: int,
) -> list[Swing]:  # fmt: skip
    from dataclasses import replace

    from scipy.stats import norm, sobol_indices

    names = [s.number for s in swings]

    def log_metric(z: Floats) -> Floats:
        columns = z.reshape(len(names), -1).T
        found = [value({name: _moved(used[name], at[name], float(x)) for name, x in zip(names, row, strict=True)})
                 for row in columns]  # fmt: skip
        logs: Floats = np.log(np.maximum(np.array(found), 1e-300)).reshape(1, *z.shape[1:])
        return logs

    normals: Any = [norm()] * len(names)
    found = sobol_indices(func=log_metric, n=size, dists=normals, random_state=np.random.default_rng(seed))
    first, whole = np.ravel(found.first_order), np.ravel(found.total_order)
    return [replace(s, first=float(a), total=float(b)) for s, a, b in zip(swings, first, whole, strict=True)]


def _parts(
    run: Callable[..., Result], metric: str, n: int, who: Mapping[str, Any] | None, typical: Result,
    catalogue: Catalogue,
) -> dict[str, float]:  # fmt: skip
    """Spread of the logarithm of the metric by what it comes from."""
    person = {k: v for k, v in (who or {}).items() if k != "history"}
    typical_person = {"weight": "70 kg", "age": "40 years", "crcl": "100 mL/min", "sex": "male", "liver": "normal",
                      "dependent": "no", "cyp2d6": "EM"} | person  # fmt: skip

    def spread(**population: Any) -> float:
        values = run(population={"n": n, **population}).each[metric]
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
    values = np.array([run(head={"structure": {drug: name}}).each[metric][0] for name in names])
    found["structure"] = float(np.std(np.log(values[values > 0]))) if len(names) > 1 else 0.0
    return found
