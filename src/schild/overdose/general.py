"""Courses of the receptor module for the physiology: any opioid and antagonist, adaptation after a history.

The antagonist is given when a person's breathing fails, at a different time for each person: people are followed
without it, the times are read, and the receptor module runs again (docs/design/rescue-command.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.engine.run import EngineEvents
from schild.engine.streams import normals
from schild.errors import InputError
from schild.model.arrays import Program
from schild.model.entries import Entry
from schild.overdose.follow import GivenCourse
from schild.overdose.measure import Measured
from schild.overdose.parameters import Physiology, published
from schild.overdose.sources import Body, cited_drugs
from schild.overdose.words import Delay, Plan, moved
from schild.people import Values
from schild.pharmacology.effects import operational_response, transducer_ratio
from schild.population import Population, Subject, people_of
from schild.regimen import Dose, Event, expand
from schild.simulation.adaptation import COWS
from schild.simulation.effects import Effects
from schild.simulation.guard import check_doses
from schild.simulation.prepare import prepare
from schild.simulation.registry import outputs_of
from schild.simulation.solve import engine_events, events_of_each
from schild.units import TICKS_PER_HOUR

#: The effect that was studied in volunteers, and its receptor.
_EFFECT = "ventilation_isohypercapnic"
_RECEPTOR = "mor"

#: Time of the antagonist until it is known: later than any run. [us]
_PARKED = 10_000 * 24 * TICKS_PER_HOUR

#: Spacing of the course that the physiology reads, in short and long runs. [s]
_FINE_S, _COARSE_S, _LONG_S = 5.0, 10.0, 3 * 3600.0

#: Time before 0 over which effects of earlier use are introduced: half as a ramp, half for gases to settle. [s]
_LEAD_S, _LEAD_STEP_S = 3600.0, 60.0


def bound_equivalent(ventilation: Any, most: float = 1.0, physiology: Physiology | None = None) -> Floats:
    r"""Bound fraction that lowers the chemoreflexes by the share by which breathing has fallen.

    ``ventilation``: ventilation at a carbon dioxide held constant, fraction of baseline [1]; ``physiology``: source of
    the naive exponent; the published one by default; ``most``: depression :math:`d_1` by fentanyl on every receptor,
    which the physiology takes as the loss of all drive [1]. Returns :math:`r = \min(1, (1 - v) / d_1)^{1/p}` with the
    naive exponent p of the physiology [1].

    >>> bound_equivalent([1.0, 0.5, 0.0]).round(3).tolist()
    [0.0, 0.786, 1.0]
    """
    lost = np.clip((1.0 - np.asarray(ventilation, dtype=np.float64)) / most, 0.0, 1.0)
    return np.asarray(lost ** (1.0 / float((physiology or published()).drive.chemo_naive)))


def most_depression(values: Values) -> float:
    """Depression of breathing by the reference agonist on every receptor, in a typical person. [1]"""
    effect, typical = values.catalogue.effects[_EFFECT], values.of_people(None)
    reserve, slope = (typical.typical(_EFFECT, name) for name in (effect.reserve[_RECEPTOR], effect.slope))
    return float(
        operational_response(
            transducer_ratio(reserve, typical.efficacy(_RECEPTOR, str(effect.reference_agonist))), slope
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """The physiology's course of some people, and their withdrawal score; shapes (people, times)."""

    given: GivenCourse
    lead_s: float
    cows: Floats | None


class GeneralSource:
    """Source of courses for any drugs of the catalogue.

    ``fixed``: covariates given to all people, by the names of ``Subject``; ``n``: people of a table; ``numbers``: the
    catalogue's numbers and those given in their place; ``anchored``: whether fentanyl on every receptor removes
    all drive, as in the reference; ``drawn``: whether each person has its own parameter set. Raises InputError if a
    drug of the exposure has no effect on breathing in the catalogue.
    """

    def __init__(
        self,
        opioid: tuple[Event, ...],
        history: Sequence[Dose],
        fixed: dict[str, Any],
        n: int,
        body: Body,
        numbers: Values,
        anchored: bool = True,
        drawn: bool = False,
    ) -> None:
        catalogue = numbers.catalogue
        self.opioid, self.history, self.fixed, self.n = opioid, tuple(history), fixed, n
        self.body, self.numbers = body, numbers
        self.most = most_depression(numbers) if anchored else 1.0
        self.drawn = drawn
        self.warnings: list[str] = []
        self._triggers: dict[tuple[Any, ...], Floats] = {}
        self.mechanism: str | None = None
        self.receptors: tuple[str, ...] = (_RECEPTOR,)
        if self.history:
            self.mechanism = next((key for key, entry in catalogue.adaptation.items() if entry.default), None)
        if self.mechanism is not None:
            followed = catalogue.adaptation[self.mechanism].receptors
            self.receptors = tuple(dict.fromkeys((_RECEPTOR, *followed)))

    @property
    def cited(self) -> dict[str, tuple[str, ...]]:
        """Sources of the numbers, and the use of each."""
        found = cited_drugs(self.numbers)
        return {**found, "Mann2022": ("physiology", "tolerance", *found.get("Mann2022", ()))}

    def check(self, plan: Plan) -> None:
        """Refuse an opioid dose above those of published challenges under a blockade, whenever it was taken."""
        last = max(e.tick for e in self.opioid)
        earlier = (*expand(self.history, last), *plan.before)
        # A dose of the opioid after the rescue is given under a blockade too; the first one is what is treated.
        rescued = (*earlier, *plan.after, *(e for e in self.opioid if e.tick > 0))
        for doses in ((*earlier, *self.opioid), rescued if plan.after else ()):
            events = sorted(doses, key=lambda e: (e.tick, e.order))
            for warning in check_doses(self.numbers, events, Population(n=1, fixed=self.fixed)):
                if warning not in self.warnings:
                    self.warnings.append(warning)

    def cell(self, first: int, last: int, plan: Plan, delay: Delay, tolerance: str) -> Measured:
        """Follow persons ``first`` to ``last``."""
        who = Population(n=last - first, fixed=self.fixed)
        people = people_of(who, self.numbers, self.body.seed, first=first)
        if self.drawn:
            people = replace(people, uncertainty=lambda name: normals(self.body.seed, f"uncertain:{name}", first, last))
        values = self.numbers.of_people(people)
        wait = delay.seconds(self.n, self.body.seed)[first:last]
        return self._follow(values, first, plan, wait, tolerance)

    def typical(self, plan: Plan, delay: Delay, tolerance: str) -> Measured:
        """Follow one person with the typical numbers."""
        values = self.numbers.of_people(people_of(Subject(**self.fixed), self.numbers, self.body.seed))
        return self._follow(values, -1, plan, np.array([delay.typical]), tolerance)

    def _follow(self, values: Values, first: int, plan: Plan, wait: Floats, tolerance: str) -> Measured:
        n = values.people.n
        if not plan.after:
            course = self._course(values, plan, None, tolerance)
            followed = self.body.follow(first, n, tolerance, wait, course=course.given, lead_s=course.lead_s)
            self._triggers[(first, tolerance, plan.before)] = followed.outcome["trigger_s"]
            return self.body.measured(followed, first, wait, _peak(course.cows, self.body, None), treated=False)
        key = (first, tolerance, plan.before)
        if key not in self._triggers:
            alone = replace(plan, after=())
            self._follow(values, first, alone, wait, tolerance)
        # A person whose breathing has failed before time 0 is treated from time 0 on.
        dose_s = np.maximum(self._triggers[key] + wait, 0.0)
        course = self._course(values, plan, dose_s, tolerance)
        followed = self.body.follow(first, n, tolerance, wait, course=course.given, lead_s=course.lead_s)
        return self.body.measured(followed, first, wait, _peak(course.cows, self.body, dose_s))

    def _course(self, values: Values, plan: Plan, dose_s: Floats | None, tolerance: str) -> _Course:
        """Run the receptor module; ``dose_s``: time of the first dose of each person, NaN for never [s]."""
        horizon = round(self.body.horizon_s / 3600.0 * TICKS_PER_HOUR)
        order = len(self.history)
        own = [*moved(plan.before, 0, order), *moved(self.opioid, 0, order + 1000)]
        if dose_s is not None:
            own += moved(plan.after, _PARKED, order + 2000)
        prepared = prepare(
            values,
            sorted([*expand(self.history, horizon), *own], key=lambda e: (e.tick, e.order)),
            history=self.history,
            receptors=self.receptors,
            adaptation=self.mechanism,
            threads=self.body.threads,
        )
        built = prepared.built
        # Groups of people are built one by one, so their numbers in warnings are left out.
        said = [re.sub(r"\b\d+ of \d+ people", "some people", w) for w in built.warnings]
        self.warnings += [w for w in dict.fromkeys(said) if w not in self.warnings]
        effects = Effects(built=built if tolerance == "model" else replace(built, mechanism=None))
        if not effects.stimulated():
            raise InputError("The opioid activates no receptor in the catalogue; expected one that does.")
        recipes = outputs_of(effects, [_EFFECT])
        if built.mechanism is not None:
            recipes += outputs_of(Effects(built=built), [COWS.name])
        step = _FINE_S if self.body.horizon_s <= _LONG_S else _COARSE_S
        times_s = np.arange(0.0, self.body.horizon_s + step, step)
        found = prepared.outputs(
            [round(t / 3600.0 * TICKS_PER_HOUR) for t in times_s],
            recipes,
            tabulate=engine_events if dose_s is None else partial(_own, first_dose_h=dose_s / 3600.0),
        )
        breath = found[_EFFECT].values
        cows = np.asarray(found[COWS.name].values, dtype=np.float64) if COWS.name in found else None
        activation, lead_s = bound_equivalent(breath, self.most, self.body.physiology), 0.0
        if self.history:
            lead_s = _LEAD_S
            early = np.arange(0.0, lead_s, _LEAD_STEP_S)
            rise = np.minimum(1.0, early / (0.5 * lead_s)) * activation[:, :1]
            times_s, activation = np.append(early, times_s + lead_s), np.concatenate([rise, activation], axis=1)
        return _Course(given=GivenCourse(times_s=times_s, activation=activation), lead_s=lead_s, cows=cows)


def _own(program: Program, entries: Sequence[Entry], first_dose_h: Floats) -> EngineEvents:
    """Give each person the same entries, with those of the antagonist at the person's own times."""
    plain = engine_events(program, entries)
    parked = np.array([e.tick >= _PARKED for e in entries])
    # People who never lose breathing get the doses long after the end.
    begin = np.where(np.isfinite(first_dose_h), first_dose_h, _PARKED / TICKS_PER_HOUR)[:, None]
    return events_of_each(plain, np.where(parked, plain.time - _PARKED / TICKS_PER_HOUR + begin, plain.time))


def _peak(cows: Floats | None, body: Body, since_s: Floats | None) -> Floats | None:
    """Largest score of each person after a time, NaN where that time is never reached."""
    if cows is None:
        return None
    step = body.horizon_s / max(cows.shape[1] - 1, 1)
    times = np.arange(cows.shape[1]) * step
    since = np.zeros(cows.shape[0]) if since_s is None else np.where(np.isfinite(since_s), since_s, np.inf)
    after = np.where(times[None, :] >= since[:, None], cows, -np.inf).max(axis=1)
    return np.where(np.isfinite(after), after, np.nan)
