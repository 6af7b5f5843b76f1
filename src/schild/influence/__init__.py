"""Sensitivity of a metric of a run, a trial or a session to each number, and the sources of its variation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from schild import __version__
from schild.catalog import Catalogue, load
from schild.errors import InputError, UnknownNameError
from schild.figures import COLOURS, GREY, Chart, Picture
from schild.influence.course import run_target
from schild.influence.indices import morris_indices, sobol_indices
from schild.influence.target import Target, session_target, trial_target
from schild.people import Given
from schild.results import ShownRun, plain
from schild.simulation import Result, Run
from schild.trial import Trial

if TYPE_CHECKING:
    from schild.drinking import Laboratory
    from schild.trial import TrialResult

__all__ = ["Sensitivity", "Swing", "sensitivity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """Values of a metric with one number at either end of its uncertainty and all others fixed."""

    number: str
    unit: str
    low: float  #: 5th percentile of the number, or the low end of its range
    high: float  #: 95th percentile of the number, or the high end of its range
    at_low: float
    at_high: float
    #: Sobol indices, where asked for: share of the variance by the number alone, and with its interactions [1]
    first: float | None = None
    total: float | None = None
    #: Morris's elementary effects, where asked for: mean of their sizes, and their standard deviation
    mu_star: float | None = None
    sigma: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sensitivity(ShownRun):
    """Sensitivity of a metric to each number of a run.

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
    parts: Mapping[str, float]  #: Spread by source: standard deviation of the logarithm of the metric [1]
    result: Result | TrialResult | Laboratory
    warnings: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what is needed to repeat the analysis."""
        return {"schild": __version__, "metric": self.metric, **self.more, "run": dict(self.result.manifest)}

    def about(self) -> str:
        """Say in one line which number moves the metric most."""
        ends = [(s.number, f"{s.at_low:.3g}", f"{s.at_high:.3g}") for s in self.swings[:3]]
        most = ", ".join(f"{name} ({low} to {high})" for name, low, high in ends if low != high) or "no number"
        return f"{self.title}: {self.metric} is {self.typical:.4g}; it depends most on {most}"

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each number, widest swing first."""
        return [
            {
                "number": s.number, "unit": s.unit, "low": s.low, "high": s.high, "at_low": s.at_low,
                "at_high": s.at_high, **({} if s.total is None else {"sobol_first": s.first, "sobol_total": s.total}),
                **({} if s.sigma is None else {"morris_mu_star": s.mu_star, "morris_sigma": s.sigma}),
            }
            for s in self.swings
        ]  # fmt: skip

    def content(self) -> dict[str, Any]:
        """Return the metric, its swings and the parts of its spread."""
        return {
            "metric": self.metric, "typical": self.typical, "swings": plain(self.summary()),
            "spread": plain(dict(self.parts)),
        }  # fmt: skip

    def picture(self, *, most: int = 12) -> Picture:
        """Charts of the tornado and, where they were asked for, of the indices and the parts of the spread.

        Parameters
        ----------
        most : int
            Numbers that are drawn, widest first.

        Returns
        -------
        Picture
            Blue at the low end of a number, orange at its high end.
        """
        shown = self.swings[:most]
        at, names = np.arange(len(shown)), [s.number for s in shown]

        def chart_of(label: str, rows: Sequence[str]) -> Chart:
            chart = Chart(0.0)
            chart.rows(rows)
            chart.x.label = label
            charts.append(chart)
            return chart

        charts: list[Chart] = []
        tornado = chart_of(self.metric.replace("_", " "), names)
        for ends, colour in (([s.at_low for s in shown], COLOURS[0]), ([s.at_high for s in shown], COLOURS[1])):
            tornado.bars(self.typical, ends, at - 0.4, at + 0.4, color=colour)
        tornado.rule(x=self.typical, dashes="-", color=GREY)
        if any(s.total is not None for s in shown):
            index = chart_of("Sobol index", names)
            for part, up, colour in (("first", -0.4, COLOURS[0]), ("total", 0.0, COLOURS[1])):
                values = [getattr(s, part) or 0.0 for s in shown]
                index.bars(0.0, values, at + up, at + up + 0.4, color=colour, label=part, across=True)
            index.legend = "below"
        elif any(s.mu_star is not None for s in shown):
            index = chart_of("Morris: mean size of effects (line: standard deviation)", names)
            size, sigma = (np.array([getattr(s, name) or 0.0 for s in shown]) for name in ("mu_star", "sigma"))
            index.bars(0.0, size, at - 0.4, at + 0.4, color=COLOURS[0], across=True)
            index.whiskers(None, at, size - sigma, size + sigma, color=GREY, across=True)
        if self.parts:
            part_of = chart_of("spread of the metric [%]", list(self.parts))
            rows = np.arange(len(self.parts))
            shares = [100 * v for v in self.parts.values()]
            part_of.bars(0.0, shares, rows - 0.4, rows + 0.4, color=COLOURS[2], across=True)
        caption = "Blue: the metric at the low end of each number; orange: at its high end."
        return Picture(charts, caption=caption, columns=len(charts))


def sensitivity(
    *regimens: str | Run | Trial,
    metric: str,
    numbers: Sequence[str] | None = None,
    until: str | None = None,
    subject: Mapping[str, Any] | None = None,
    structure: str | None = None,
    protocol: str | None = None,
    n: int = 200,
    sobol: int = 0,
    morris: int = 0,
    seed: int = 1,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sensitivity:
    """Compute the sensitivity of a metric to each number, and the sources of its variation.

    Parameters
    ----------
    *regimens : str, or one Run or Trial
        Regimens in words; or a run; or a trial, whose metric is a difference from its reference.
    metric : str
        Of a run: a metric of ``schild.simulate`` (``"auc_naltrexone_ng_h_ml"``), an output at a time
        (``"mor_pet_occupancy at 24 h"``), or one of ``Result.nca`` after the last dose (``"naltrexone.LAMZHL"``). Of a
        trial: an endpoint (``"percent_heavy_drinking_days"``). Of a session with alcohol: an outcome, whose Hedges g
        is watched (``"drinks"``).
    numbers : sequence of str, optional
        Numbers to vary; by default all that are used and have an uncertainty or a range in the catalogue.
    until, subject, structure, seed, catalogue, overrides
        As for ``schild.simulate``.
    protocol : str, optional
        Session with alcohol under the regimens: fixed_dose, cue, self_administration or bar; its metric is an outcome.
    n : int
        People for the parts of the spread, 0 to leave them out; for a session, its people.
    sobol : int
        Samples for Sobol indices, a power of two; they need that many runs times numbers, and the package SALib.
    morris : int
        Trajectories of Morris's elementary effects, such as 10; each needs a run for each number, and SALib.
    progress : callable, optional
        Called with the number of runs done and their total.

    Returns
    -------
    Sensitivity
        Swings of the metric, widest first, and, for a run, its spread by its parts.

    Raises
    ------
    InputError
        For an unknown metric or number, or a number without a stated uncertainty or range.

    Notes
    -----
    Each number is set to its 5th and 95th percentile, or to the ends of its possible range where it has no
    uncertainty; all else is fixed, random draws included. The spread is the standard deviation of the logarithm of the
    metric over: people (variability alone), occasions (within a person), parameters (uncertainty of typical values) and
    structure (all structures of the first drug), each with the others left out and the same random numbers. Indices are
    those of the logarithm of a metric that is above zero, by SALib.

    Examples
    --------
    >>> found = sensitivity("naloxone 0.4 mg iv", metric="auc_naloxone_ng_h_ml", until="6 h", n=0)
    >>> [s.number for s in found.swings if abs(s.at_high - s.at_low) > 1e-6 * found.typical][:1]
    ['naloxone.cl']
    """
    if n < 0 or (sobol and (sobol & (sobol - 1) or not 8 <= sobol <= 4096)) or not 0 <= morris <= 1000:
        raise InputError(
            f"n is {n}, sobol {sobol} and morris {morris}; expected 0 or more, 0 or a power of two from 8 to 4,096, "
            "and 0 to 1,000. Correct them."
        )
    catalogue = catalogue or load()
    options: dict[str, Any] = {"catalogue": catalogue, "overrides": overrides}
    given = regimens[0] if len(regimens) == 1 else None
    target: Target
    if isinstance(given, Trial):
        target = trial_target(given, metric, **options)
    elif not (isinstance(given, Run) or all(isinstance(x, str) for x in regimens)):
        raise InputError("Several runs or trials were given; expected regimens in words, or one run, or one trial.")
    elif protocol is not None:
        words = [str(x) for x in regimens]
        target = session_target(protocol, words, metric, n=max(n, 20), seed=seed, **options)
    else:
        target = run_target(regimens, metric, until=until, subject=subject, structure=structure, seed=seed, **options)
    if numbers is not None:
        for name in numbers:
            if name not in target.numbers:
                raise UnknownNameError("number of this run with an uncertainty", name, target.numbers)
    names = list(target.numbers if numbers is None else dict.fromkeys(numbers))
    total = 2 * len(names) + sobol * (len(names) + 2) * bool(sobol) + morris * (len(names) + 1)
    done = 0

    def value(extra: Mapping[str, float]) -> float:
        nonlocal done
        done += 1
        if progress is not None:
            progress(min(done, total), max(total, 1))
        return target.value(extra)

    swings = []
    for name in names:
        low, high = (target.quantile(name, q) for q in (0.05, 0.95))
        swings.append(
            Swing(number=name, unit=target.numbers[name].unit, low=low, high=high, at_low=value({name: low}),
                  at_high=value({name: high}))
        )  # fmt: skip
    swings.sort(key=lambda s: -abs(s.at_high - s.at_low))
    quantiles = {s.number: partial(target.quantile, s.number) for s in swings}
    if sobol and swings:
        found = sobol_indices(quantiles, value, sobol, seed)
        swings = [replace(s, first=found[s.number][0], total=found[s.number][1]) for s in swings]
    if morris and swings:
        found = morris_indices(quantiles, value, morris, seed)
        swings = [replace(s, mu_star=found[s.number][0], sigma=found[s.number][1]) for s in swings]
    return Sensitivity(
        title=target.title, metric=metric, typical=target.typical, swings=tuple(swings),
        parts=target.parts(n) if n and target.parts is not None else {}, result=target.result,
        warnings=tuple(target.result.warnings), more={"n": n, "sobol": sobol, "morris": morris},
    )  # fmt: skip
