"""Follow people through an overdose and its rescue with the compiled kernel."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.engine.portable import entry, plain
from schild.errors import InputError
from schild.overdose import arrays, layout
from schild.overdose.drugs import Rescue
from schild.overdose.outputs import Person, outputs
from schild.overdose.parameters import Physiology, Quirks, mapped, record
from schild.pharmacology.physiology import Record

CollapseRule: TypeAlias = Literal["two_pass", "clock", "hazard", "none"]
_RULES: dict[str, int] = {
    "none": layout.NO_COLLAPSE,
    "two_pass": layout.TWO_PASS,
    "clock": layout.CLOCK,
    "hazard": layout.HAZARD,
}

#: Local error of a step, relative to 10 mmHg, 0.1 of the receptors, 1 L/min of drive.
RTOL = 5e-5
H_MAX = 10.0
MAX_STEPS = 2_000_000

#: Message of each status.
STATUS = {
    0: "ok",
    1: "a number of this person is not finite",
    2: "the step became too small; the tolerance cannot be met",
    3: "the numbers left the finite range",
    4: "more steps than the cap",
    5: "the history is shorter than a lag: steps are too small for it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """One act of a rescuer over a period of time."""

    what: str  #: ``ventilation`` (least value at the mouth, L/min) or ``inspired_o2`` (mmHg)
    value: Any  #: Amount, a number or shape (people,)
    #: Begin and end [s]
    start_s: Any
    end_s: Any
    #: Whether times count from the first dose (trigger plus delay) rather than from the opioid
    after_trigger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCourse:
    """Effective activation of mu receptors over time, for any drugs, from the receptor module; monotone in between."""

    times_s: Floats  #: Shape (n,), increasing [s]
    activation: Floats  #: Shape (people, n): occupancy by a full agonist with the same effect, 0 to 1 [1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Courses and outcomes of people after an overdose."""

    #: By the names of ``layout.OUTCOMES``, each of shape (people,); NaN for events that did not occur
    outcome: dict[str, Floats]
    times_s: Floats  #: Times of the stored states [s]
    states: Floats  #: Shape (people, times, states), in the kernel's order and units
    ends: Floats  #: States at the end, shape (people, states)
    person: Person
    quirks: Quirks

    @property
    def arrest(self) -> NDArray[np.bool_]:
        """Whether each person had a cardiac arrest, shape (people,)."""
        return self.outcome["arrest"] > 0.5

    def outputs(self) -> dict[str, Floats]:
        """Return the reported quantities, by the reference's column names; each of shape (people, times)."""
        return outputs(self.states, self.person, self.quirks)


def _column(values: Any) -> Any:
    """Add a second axis, for times, to values of people."""
    return np.asarray(values)[:, None] if np.ndim(values) == 1 else values


def warm_up(people: int, physiology: Physiology, *, rtol: float = RTOL, seconds: float | None = None) -> Floats:
    """Run the physiology without drug until it is near its steady state.

    ``physiology``: numbers (then one run serves all) or arrays of shape (people,); ``rtol``: tolerance, of
    which a hundredth is used; ``seconds``: duration; by default that of the reference [s].

    >>> from schild.overdose.parameters import published
    >>> y = warm_up(1, published())[0]
    >>> round(float(y[layout.STATES.index("pao")]), 3)
    100.674
    """
    parts = [getattr(physiology, entry.name) for entry in fields(physiology)]
    same = all(np.ndim(getattr(part, entry.name)) == 0 for part in parts for entry in fields(part))
    n = 1 if same else people
    found = follow(
        n,
        physiology,
        p_chemo=1.0,
        p_wake=1.0,
        starts=arrays.cold_starts(n, physiology),
        horizon_s=record("protocol").warmup if seconds is None else seconds,
        rule="none",
        quirks=Quirks(present_value_before_start=True),
        rtol=0.01 * rtol,
    )
    return np.repeat(found.ends, people, axis=0) if same else found.ends


def follow(
    people: int,
    physiology: Physiology,
    *,
    p_chemo: Any,
    p_wake: Any,
    starts: Floats,
    opioid: Record | None = None,
    dose_mg: Any = 0.0,
    antagonist: Record | None = None,
    route: Record | None = None,
    rescue: Rescue | None = None,
    wait_s: Any = None,
    course: GivenCourse | None = None,
    interventions: Sequence[Intervention] = (),
    horizon_s: float | None = None,
    out_times_s: Any = (),
    rule: CollapseRule = "clock",
    hazard_threshold: Any = None,
    renarcotisation: bool = True,
    stop_at_arrest: bool = False,
    quirks: Quirks | None = None,
    plan: Record | None = None,
    rtol: float = RTOL,
    threads: int | None = 1,
) -> Followed:
    """Follow people from an opioid dose to the horizon.

    - ``physiology``: numbers, or arrays of shape (people,).
    - ``p_chemo`` and ``p_wake``: exponents of the loss of drive: tolerance [1].
    - ``starts``: shape (people, states), from `warm_up`.
    - ``opioid`` and ``dose_mg``: bolus at time 0, unless ``course`` is given [mg].
    - ``antagonist``, ``route`` and ``rescue``: antagonist and its regimen, from the trigger plus ``wait_s`` on.
    - ``wait_s``: time from the trigger to the first dose; by default that of the reference [s].
    - ``course``: given activation, in place of kinetics and binding of the kernel.
    - ``interventions``: breathing for the person, oxygen.
    - ``horizon_s``: end of the run; by default that of the reference [s].
    - ``out_times_s``: times at which states are stored; none by default [s].
    - ``rule``: rule of collapse: ``two_pass`` (the reference), ``clock``, ``hazard`` or ``none``.
    - ``hazard_threshold``: for ``hazard``: cumulative hazard at which a person collapses, an exponential draw each; by
      default its median.
    - ``renarcotisation``: for ``two_pass``: whether a second severe hypoxia is followed.
    - ``stop_at_arrest``: end a person's run there.
    - ``quirks``: peculiarities of the reference; none by default.
    - ``plan``: trigger, delay and horizon; those of the reference by default.
    - ``threads``: number of threads, None for all processors; it changes no result.

    Returns outcomes, states kept, states at the end. Raises InputError if shapes do not fit, times do not increase, or
    a person cannot be followed.
    """
    quirks = Quirks() if quirks is None else quirks
    plan = record("protocol") if plan is None else plan
    horizon = plan.horizon if horizon_s is None else float(horizon_s)
    if starts.shape != (people, layout.NS):
        raise InputError(f"starts has shape {starts.shape}; expected ({people}, {layout.NS}), as warm_up gives it.")
    if rule not in _RULES:
        raise InputError(f"The rule of collapse is {rule!r}; expected one of {', '.join(_RULES)}.")
    limit = None
    if rule == "hazard":
        limit = np.log(2.0) if hazard_threshold is None else hazard_threshold
    rows = arrays.kernel_rows(
        people,
        physiology,
        p_chemo=p_chemo,
        p_wake=p_wake,
        opioid=opioid,
        dose_mg=dose_mg,
        antagonist=antagonist,
        route=route,
        quirks=quirks,
        trigger=plan.trigger,
        wait_s=plan.delay if wait_s is None else wait_s,
        limit=limit,
    )
    fixed: list[tuple[Any, int, Any]] = []
    if opioid is not None and course is None:
        fixed.append((0.0, layout.ADD_OPIOID, dose_mg))
    later = [] if rescue is None or course is not None else arrays.doses(rescue, route, quirks)
    for item in interventions:
        kinds = {"ventilation": layout.SET_FLOOR, "inspired_o2": layout.SET_INSPIRED}
        if item.what not in kinds:
            raise InputError(f"The intervention is {item.what!r}; expected one of {', '.join(kinds)}.")
        if not np.all(np.asarray(item.end_s) > np.asarray(item.start_s)):
            raise InputError(f"{item.what} ends at {item.end_s} s, not after its start at {item.start_s} s.")
        normal = 0.0 if item.what == "ventilation" else physiology.lung.inspired_o2
        table = later if item.after_trigger else fixed
        table += [(item.start_s, kinds[item.what], item.value), (item.end_s, kinds[item.what], normal)]
    out_times = np.ascontiguousarray(np.asarray(out_times_s, dtype=np.float64).ravel())
    if out_times.size and (np.any(np.diff(out_times) <= 0) or out_times[0] < 0 or out_times[-1] > horizon):
        raise InputError(f"out_times_s must increase from 0 or later to the horizon of {horizon:g} s.")
    grid, act, slope = _given(people, course)
    states = np.full((people, out_times.size, layout.NS), np.nan)
    outcome = np.full((people, layout.NO), np.nan)
    ends = np.full((people, layout.NS), np.nan)
    tables = (*arrays.events(people, fixed), *arrays.events(people, later))

    def part(first: int, last: int) -> None:
        here = slice(first, last)
        entry("run_people")(
            plain(rows[here]),
            plain(starts[here]),
            horizon,
            *(plain(table[here], table.dtype) for table in tables),
            grid,
            plain(act[here]),
            plain(slope[here]),
            out_times,
            states[here],
            outcome[here],
            ends[here],
            _RULES[rule],
            course is not None,
            quirks.arrest_on_grid,
            quirks.present_value_before_start,
            quirks.no_lag_at_low_flow,
            renarcotisation,
            stop_at_arrest,
            arrays.WEIGHTS,
            rtol,
            H_MAX,
            MAX_STEPS,
        )

    count = (os.cpu_count() or 1) if threads is None else max(1, threads)
    edges = np.linspace(0, people, min(count, max(1, people // 8)) + 1).astype(int)
    if edges.size == 2:
        part(0, people)
    else:
        with ThreadPoolExecutor(edges.size - 1) as pool:
            list(pool.map(part, edges[:-1], edges[1:]))
    status = outcome[:, layout.O_STATUS]
    if np.any(status != 0):
        first_bad = int(np.flatnonzero(status != 0)[0])
        raise InputError(
            f"{int(np.sum(status != 0))} of {people} people could not be followed; the first is person {first_bad}: "
            f"{STATUS[int(status[first_bad])]}. Check that person's numbers, or give another tolerance than {rtol:g}."
        )
    if course is not None and out_times.size:
        inside = np.clip(out_times, course.times_s[0], course.times_s[-1])
        states[:, :, layout.SRA] = _interpolant(course.times_s, course.activation)(inside)
    person = Person(
        physiology=Physiology(
            **{entry.name: mapped(getattr(physiology, entry.name), _column) for entry in fields(physiology)}
        ),
        p_chemo=_column(p_chemo),
        p_wake=_column(p_wake),
        opioid=mapped(opioid, _column),
        route=mapped(route, _column),
    )
    return Followed(
        outcome={name: outcome[:, k] for k, name in enumerate(layout.OUTCOMES)},
        times_s=out_times,
        states=states,
        ends=ends,
        person=person,
        quirks=quirks,
    )


def _interpolant(times_s: Floats, activation: Floats) -> Any:
    from scipy.interpolate import PchipInterpolator  # takes half a second to import

    # Slopes of values near the smallest floats overflow inside SciPy, so such values are set to zero.
    return PchipInterpolator(times_s, np.where(activation < 1e-12, 0.0, activation), axis=1)


def _given(people: int, course: GivenCourse | None) -> tuple[Floats, Floats, Floats]:
    if course is None:
        return np.zeros(1), np.zeros((people, 1)), np.zeros((people, 1, 2))
    times = np.ascontiguousarray(course.times_s, dtype=np.float64)
    act = np.ascontiguousarray(course.activation, dtype=np.float64)
    if act.shape != (people, times.size) or times.ndim != 1 or times.size < 2:
        raise InputError(
            f"The course has {act.shape} activations at {times.shape} times; expected ({people}, n) at (n,), n >= 2."
        )
    if np.any(np.diff(times) <= 0):
        raise InputError("The times of the course must increase.")
    if not (np.all(act >= 0.0) and np.all(act <= 1.0)):
        raise InputError(f"Activation lies between 0 and 1; given {act.min():g} to {act.max():g}.")
    both = _interpolant(times, act).derivative()(times)
    return times, np.where(act < 1e-12, 0.0, act), np.stack([both, both], axis=-1)
