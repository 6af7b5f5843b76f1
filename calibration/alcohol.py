"""Effects of an antagonist on responses to alcohol, from pooled laboratory studies (docs/design/alcohol.md).

Five numbers are fitted to five effect sizes, so the fit is exact and no support; single studies serve as checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from calibration import Fit, Fitted, calibration_rows
from schild.array_types import Floats
from schild.catalog import Observation, load
from schild.drinking.effect_size import hedges_g
from schild.drinking.experiment import last_dose_h, measure, occupancy_course, sit
from schild.drinking.people import Drinkers, drinkers
from schild.drinking.protocols import protocol
from schild.engine.session import SessionResult
from schild.people import Values
from schild.population import people_of

__all__ = ["PEOPLE", "STEPS", "STUDY", "fit", "targets"]

STUDY = "alcohol_laboratory"

#: Virtual people of a fit, and of that of drinking, whose decisions are random.
PEOPLE, PEOPLE_DRINKING = 4000, 8000
#: Seed of the fit: the same people and decisions with and without the antagonist.
SEED = 11
#: Time after the last tablet. [h]
AFTER_H = 3.0

#: Numbers in the order of fitting, with the protocol and outcome of each.
STEPS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("fixed_dose", {"reward.share": "stimulation", "sedation.occupied": "sedation", "mood.occupied": "mood"}),
    ("cue", {"craving.share": "craving"}),
    ("self_administration", {"thirst.scale": "drinks"}),
)

#: Values of the scale of thirst whose effect sizes determine a parabola: decisions are discrete, so their own root
#: would depend on the last digit of a person.
SCALES = (0.2, 0.35, 0.5, 0.65, 0.8)


def targets() -> dict[str, tuple[float, float, tuple[Observation, ...]]]:
    """Effect size to fit by outcome: mean by weight, its standard error, the rows.

    Rows of one outcome overlap in their trials, so their mean has the standard error of one, the larger.
    """
    found = {}
    for plan, numbers in STEPS:
        for outcome in numbers.values():
            rows = tuple(o for o in calibration_rows(STUDY) if o.observable == f"hedges_g:{plan}:{outcome}")
            errors = np.array([float(o.sd_fixed or 1.0) for o in rows])
            mean = float(np.average([o.value for o in rows], weights=errors**-2.0))
            found[outcome] = (mean, float(errors.max()), rows)
    return found


class Bench:
    """One protocol with its people and their occupancy, for repeated sessions with other numbers."""

    def __init__(self, plan: str, n: int, regimens: Sequence[str], base: Mapping[str, float]) -> None:
        self.plan = protocol(plan)
        self.base = base
        self.held, who, _ = occupancy_course(
            regimens, last_dose_h(regimens) + AFTER_H, self.plan.grid, population={"n": n}, seed=SEED, overrides=base
        )
        self.people = people_of(who, load(), SEED)
        self.nobody = np.zeros(n)

    def drinkers(self, numbers: Mapping[str, float]) -> Drinkers:
        given = {f"alcohol.{name}": value for name, value in numbers.items()}
        return drinkers(Values(load(), self.people, {**self.base, **given}), food=self.plan.food)

    def effects(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Hedges g of every outcome, with common random decisions and ratings in both sessions."""
        someone = self.drinkers(numbers)

        def scores(found: SessionResult) -> dict[str, Floats]:
            return measure(self.plan, someone, found, SEED, "fit")

        without, with_ = (scores(sit(self.plan, someone, held, SEED, "fit")) for held in (self.nobody, self.held))
        return {name: hedges_g(with_[name], without[name], paired=True).g for name in self.plan.measures}


def fit(base: Mapping[str, float] | None = None) -> Fit:
    """Fit the five numbers.

    ``base``: overrides from the fits of naltrexone, so that all fits of one refit are consistent.
    """
    goal = targets()
    known: dict[str, float] = {}
    cv: dict[str, float] = {}
    lines = []
    for plan, numbers in STEPS:
        drinking = plan == "self_administration"
        regimens = [goal[next(iter(numbers.values()))][2][0].regimen]
        bench = Bench(plan, PEOPLE_DRINKING if drinking else PEOPLE, regimens, base or {})
        if drinking:
            ((name, outcome),) = numbers.items()
            known[name], slope = _by_parabola(bench, known, name, outcome, goal[outcome][0])
            slopes = {name: slope}
        else:
            solved, slopes = _by_secants(bench, known, numbers, {n: goal[o][0] for n, o in numbers.items()})
            known |= solved
        last = bench.effects(known)
        for name, outcome in numbers.items():
            wanted, error, rows = goal[outcome]
            cv[name] = error / abs(slopes[name] * known[name])
            printed = "; ".join(f"{o.value:+.3f} ({o.low:+.3f} to {o.high:+.3f})" for o in rows)
            lines.append(f"    {outcome:12s} g {last[outcome]:+.3f}, wanted {wanted:+.3f}; printed {printed}")
    return Fit(
        title="alcohol: effects of naltrexone in the laboratory",
        numbers=tuple(Fitted(drug="alcohol", name=name, value=known[name], cv=cv[name]) for name in known),
        lines=tuple(lines),
    )


def _by_secants(
    bench: Bench, known: Mapping[str, float], numbers: Mapping[str, str], wanted: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """Roots for several numbers at once by secants; each changes its own outcome only, almost linearly."""
    before = dict.fromkeys(numbers, 0.05)
    now = dict.fromkeys(numbers, 0.2)
    g_before = bench.effects({**known, **before})
    slope = dict.fromkeys(numbers, 0.0)
    for _ in range(8):
        g = bench.effects({**known, **now})
        step = {}
        for name, outcome in numbers.items():
            if now[name] != before[name]:
                slope[name] = (g[outcome] - g_before[outcome]) / (now[name] - before[name])
            step[name] = (wanted[name] - g[outcome]) / slope[name]
        before, g_before = now, g
        now = {name: now[name] + step[name] for name in numbers}
        if max(abs(step[name] / now[name]) for name in numbers) < 1e-6:
            break
    return now, slope


def _by_parabola(
    bench: Bench, known: Mapping[str, float], name: str, outcome: str, wanted: float
) -> tuple[float, float]:
    """Root of the parabola through the effect sizes at ``SCALES``, the one inside them, and the slope there."""
    g = [bench.effects({**known, name: scale})[outcome] for scale in SCALES]
    a, b, c = np.polynomial.polynomial.polyfit(SCALES, g, 2)[::-1]
    roots = np.roots([a, b, c - wanted])
    inside = [float(r.real) for r in roots if abs(r.imag) < 1e-12 and SCALES[0] <= r.real <= SCALES[-1]]
    if len(inside) != 1:
        raise ValueError(f"The effect sizes {np.round(g, 3).tolist()} at {SCALES} do not enclose {wanted:.3f} once.")
    return inside[0], float(2.0 * a * inside[0] + b)
