"""Two sources of the opioid's effect with one interface: the reference's kinetics, or the receptor module's course."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.engine.streams import uniforms
from schild.overdose.drugs import Rescue
from schild.overdose.follow import CollapseRule, Followed, Intervention, follow
from schild.overdose.measure import Measured, measure
from schild.overdose.outputs import Person, outputs
from schild.overdose.parameters import Physiology, Quirks, mapped, record
from schild.overdose.population import naloxone_people, opioid_people
from schild.overdose.words import Delay, Plan
from schild.people import Values
from schild.pharmacology.physiology import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Parts shared by both sources: the physiology, the care given to the person, and the storage of a run."""

    physiology: Physiology  #: Numbers of the typical body
    start: Floats  #: State from ``warm_up``; shape (1, states)
    #: Function of physiology and starts of persons ``first`` to ``last``; by default all have the typical body
    drawn: Callable[[int, int], tuple[Physiology, Floats]] | None = None
    interventions: tuple[Intervention, ...] = ()  #: Rescue breathing and oxygen
    #: End, and spacing of stored states [s]
    horizon_s: float
    grid_s: float
    rule: CollapseRule = "clock"
    quirks: Quirks = field(default_factory=Quirks)  #: Peculiarities of the reference
    plan: Record = field(default_factory=lambda: record("protocol"))  #: Protocol, with the limit of lost breathing
    seed: int = 1
    threads: int | None = None  #: Number of threads; all processors by default

    @property
    def times_s(self) -> Floats:
        """Times at which courses are stored. [s]"""
        return np.arange(0.0, self.horizon_s + 0.5 * self.grid_s, self.grid_s)

    @property
    def baseline_l_min(self) -> float:
        """Ventilation of the typical body without drug. [L/min]"""
        return float(self._breath(self.physiology, self.start)[0])

    def _breath(self, physiology: Physiology, starts: Floats) -> Floats:
        """Ventilation at the start, shape (people,). [L/min]"""
        person = Person(physiology=physiology, p_chemo=1.0, p_wake=1.0)
        return np.asarray(outputs(starts, person, self.quirks)["V_E_L_per_min"])

    def bodies(self, first: int, n: int) -> tuple[Physiology, Floats]:
        """Return physiology and starts of people ``first`` to ``first + n``; a negative number is the typical body."""
        if self.drawn is None or first < 0:
            return self.physiology, np.repeat(self.start, n, axis=0)
        return self.drawn(first, first + n)

    def exponents(self, tolerance: str) -> dict[str, Any]:
        """Return the exponents of the loss of drive; adaptation of the receptor module keeps the naive ones."""
        name = "chronic" if tolerance == "chronic" else "naive"
        drive = self.physiology.drive
        return {"p_chemo": getattr(drive, f"chemo_{name}"), "p_wake": getattr(drive, f"wake_{name}")}

    def follow(
        self, first: int, n: int, tolerance: str, wait_s: Floats, *, lead_s: float = 0.0, **opioid_effect: Any
    ) -> Followed:
        """Follow people ``first`` to ``first + n``; a course may begin ``lead_s`` before time 0."""
        threshold = None
        if self.rule == "hazard":
            threshold = -np.log(uniforms(self.seed, "rescue.hazard", max(first, 0), max(first, 0) + n))
        physiology, starts = self.bodies(first, n)
        found = follow(
            n,
            physiology,
            **self.exponents(tolerance),
            starts=starts,
            wait_s=wait_s,
            interventions=self.interventions,
            horizon_s=self.horizon_s + lead_s,
            out_times_s=self.times_s + lead_s,
            rule=self.rule,
            hazard_threshold=threshold,
            stop_at_arrest=True,
            quirks=self.quirks,
            plan=self.plan,
            threads=self.threads,
            **opioid_effect,
        )
        outcome = {**found.outcome, "trigger_s": found.outcome["trigger_s"] - lead_s}
        return replace(found, times_s=found.times_s - lead_s, outcome=outcome)

    def measured(
        self, followed: Followed, first: int, wait_s: Floats, cows: Floats | None = None, *, treated: bool = True
    ) -> Measured:
        """Count the outcomes of people from ``first`` on."""
        baseline = self._breath(*self.bodies(first, followed.arrest.size))
        return measure(followed, baseline, float(self.plan.trigger), wait_s, cows, treated=treated)


class PublishedSource:
    """The reference's fentanyl or carfentanil and naloxone.

    ``drug``: ``fentanyl`` or ``carfentanil``; ``dose_mg``: bolus into a vein [mg]; ``n``: people of a table;
    ``numbers``: the catalogue's numbers and those given in their place.
    """

    warnings: Sequence[str] = ()

    def __init__(self, drug: str, dose_mg: float, n: int, body: Body, numbers: Values) -> None:
        self.drug, self.dose_mg, self.n, self.body, self.numbers = drug, dose_mg, n, body, numbers
        self.people = opioid_people(drug, n, body.seed, numbers)
        self._naloxone: dict[str, Any] = {}

    @property
    def cited(self) -> dict[str, tuple[str, ...]]:
        """Sources of the numbers, and the use of each."""
        return {
            "Mann2022": ("physiology", "opioid and naloxone: kinetics, binding", "tolerance"),
            "Chaturbedi2024": ("repeated sprays", "naloxone into a vein"),
        }

    def cell(self, first: int, last: int, plan: Plan, delay: Delay, tolerance: str) -> Measured:
        """Follow persons ``first`` to ``last``."""
        assert plan.published is not None  # this source is chosen only with published regimens
        way = plan.published.route
        if way not in self._naloxone:
            self._naloxone[way] = naloxone_people(way, self.n, self.body.seed, self.numbers)
        here = slice(first, last)
        drugs = [mapped(record, lambda values: values[here]) for record in (self.people, *self._naloxone[way])]
        wait = delay.seconds(self.n, self.body.seed)[here]
        return self._follow(first, last - first, plan.published, wait, tolerance, drugs)

    def typical(self, plan: Plan, delay: Delay, tolerance: str) -> Measured:
        """Follow one person with the typical numbers."""
        assert plan.published is not None  # as above
        drugs = [record(key, self.numbers) for key in (self.drug, "naloxone", plan.published.route)]
        return self._follow(-1, 1, plan.published, np.array([delay.typical]), tolerance, drugs)

    def _follow(
        self, first: int, n: int, rescue: Rescue, wait: Floats, tolerance: str, drugs: Sequence[Record]
    ) -> Measured:
        given, antagonist, kinetics = drugs
        followed = self.body.follow(
            first, n, tolerance, wait,
            opioid=given, dose_mg=self.dose_mg, antagonist=antagonist, route=kinetics, rescue=rescue,
        )  # fmt: skip
        return self.body.measured(followed, first, wait, treated=bool(rescue.doses))


def cited_drugs(numbers: Values) -> dict[str, tuple[str, ...]]:
    """Sources of the numbers used so far, without those of the published physiology, which are cited as a whole."""
    found = {}
    for source, names in numbers.uses.sources.items():
        if some := tuple(name for name in names if not name.startswith("rescue.")):
            found[source] = some
    return found
