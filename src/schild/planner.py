"""Study planner: dose and time of an antagonist for a required receptor occupancy. It plans antagonists only."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schild.array_types import AnyFloats
from schild.catalog import Catalogue, Drug, Strength, load
from schild.errors import InputError, UnknownNameError
from schild.figures import COLOURS, GREY, Chart, Picture
from schild.people import Given, Overrides, Uses
from schild.results import ShownRun
from schild.simulation import Result, Run, simulate_run
from schild.simulation.guard import AGONISTS, DANGER
from schild.tables import time_words
from schild.units import TimeLike, format_hours, hours

if TYPE_CHECKING:
    import pandas as pd


#: Relative tolerance of the dose before it is rounded up to what can be given. [1]
DOSE_TOLERANCE = 0.01
#: Time after the last dose within which a session has to be able to begin. [h]
LOOK_H, LOOK_DEPOT_H = 24.0, 21 * 24.0
#: Longest wash-out that is looked for. [h]
LONGEST_H = 240 * 24.0
#: Steps of the time grid, and how many of them at most.
STEPS_H = (1 / 60, 2 / 60, 5 / 60, 10 / 60, 15 / 60, 0.5, 1.0, 2.0, 4.0, 6.0, 12.0)
MAX_STEPS = 800

REFUSED = (
    "schild plans antagonists only; it does not plan, search for or rank doses of an opioid, or anything that would "
    "overcome a block."
)
CAUTION = "After an antagonist is washed out tolerance is lost: opioid doses that were once tolerated can then kill."


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Plan(ShownRun):
    """A dose and its times.

    Examples
    --------
    >>> found = plan("naltrexone", target=0.8, hold="4 h", n=50, draws=4)
    >>> found.feasible, found.dose_mg <= 150
    (True, True)
    """

    drug: str  #: The antagonist
    route: str  #: Its route
    receptor: str  #: ``mor``, ``kor``, ``dor`` or ``mor_gut``
    feasible: bool  #: Whether the required occupancy is reached within the largest labelled dose
    target: float  #: Required occupancy [1]
    hold_h: float  #: Time for which it is required [h]
    at_least: float  #: Share of people in whom it is required [1]
    floor: float  #: Occupancy that counts as washed out [1]
    strength: Strength  #: Strength of which the dose is made up
    #: Smallest dose that does it, to 1 %, before rounding; None if the largest labelled dose does not, or if only one
    #: amount can be given [mg]
    needed_mg: float | None
    dose_mg: float  #: Amount of each dose, in units that can be given [mg]
    doses: int  #: Number of doses, ``every_h`` apart
    every_h: float | None  #: Interval between doses [h]; None for one dose
    units: float  #: Units of ``strength`` in all
    ready_h: float | None  #: Earliest time after the first dose at which a session may begin [h]
    latest_h: float | None  #: Latest time at which it may still begin [h]
    lost_h: float | None  #: Time from which fewer than ``at_least`` of the people are at the target [h]
    #: Time from which ``at_least`` of the people stay below ``floor``; None if beyond the run [h]
    washed_out_h: float | None
    share: float  #: Share of people at the target through the session [1]
    share_low: float  #: Its 5th percentile over the uncertainty about the typical person [1]
    share_high: float  #: Its 95th percentile [1]
    at_start: Mapping[str, float]  #: Quantiles of occupancy at the start of the session [1]
    at_end: Mapping[str, float]  #: The same at its end [1]
    step_h: float  #: Tolerance of the times of a session [h]
    wash_step_h: float  #: Tolerance of the wash-out [h]
    result: Result
    warnings: tuple[str, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def about(self) -> str:
        """Describe the plan in sentences."""
        who = f"{100 * self.at_least:.0f} % of people"
        known = {
            "mor": "mu receptors",
            "kor": "kappa receptors",
            "dor": "delta receptors",
            "mor_gut": "mu receptors of the gut",
        }
        receptor = known.get(self.receptor, f"{self.receptor} receptors")
        want = f"{100 * self.target:g} % of {receptor} for {format_hours(self.hold_h)} in {who}"
        each = self.units / self.doses
        dose = _units(each, self.strength) + ("" if each == 1 else f" ({self.dose_mg:g} mg)")
        if self.doses > 1 and self.every_h is not None:
            dose += f" every {format_hours(self.every_h)}, {self.doses} times"
            dose += f" ({_units(self.units, self.strength)} in all)"
        share = f"{100 * self.share:.0f} % of people"
        share += f" ({100 * self.share_low:.0f} to {100 * self.share_high:.0f} % over the uncertainty of the numbers)"
        if not self.feasible or self.ready_h is None or self.latest_h is None or self.lost_h is None:
            return f"{want}: not reached. {dose}, the largest labelled dose, is enough in {share}."
        out = "beyond the run" if self.washed_out_h is None else f"{time_words(self.washed_out_h)} after the first dose"
        start = self.at_start
        ready, latest, lost = map(time_words, (self.ready_h, self.latest_h, self.lost_h))
        return (
            f"{want}: {dose}. A session may begin {ready} after the first dose at the earliest and {latest} at the "
            f"latest; the target is lost after {lost}. It is kept in {share}; at the start the median occupancy is "
            f"{100 * start['q50']:.0f} % ({100 * start['q05']:.0f} to {100 * start['q95']:.0f} %). Occupancy stays "
            f"below {100 * self.floor:g} % in {who} from {out}: no further session before that."
        )

    def summary(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        skip = {"result", "warnings", "manifest", "strength"}
        found = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in skip}
        ends = {"at_start": dict(self.at_start), "at_end": dict(self.at_end)}
        return {**found, **ends, "strength": asdict(self.strength), "says": self.about()}

    def to_frame(self) -> pd.DataFrame:
        """Return the course of the occupancy: quantiles over people, and the share at the target."""
        frame = self.result.to_frame(self._output)
        values = self.result[self._output].values
        frame["share_at_target"] = (values >= self.target).mean(axis=0)
        frame["share_below_floor"] = (values < self.floor).mean(axis=0)
        return frame

    @property
    def _output(self) -> str:
        return f"{self.receptor}_pet_occupancy"

    def picture(self) -> Picture:
        """Charts of occupancy and of the share of people at the target, with the times of the plan."""
        output = self.result[self._output]
        end = float(output.time_h[-1])
        if self.washed_out_h is not None:
            end = min(end, 1.15 * self.washed_out_h)
        scale, word = (24.0, "days") if end > 96 else (1.0, "hours")
        t = np.asarray(output.time_h) / scale
        top, bottom = Chart(270.0), Chart(220.0)
        for low, high, alpha in ((0.05, 0.95, 0.15), (0.25, 0.75, 0.25)):
            top.band(t, output.quantile(low), output.quantile(high), color=COLOURS[0], alpha=alpha)
        top.line(t, output.quantile(0.5), color=COLOURS[0], label="median, 50 % and 90 % of people")
        top.rule(y=self.target, dashes="-", width=1.2, color=COLOURS[1], label=f"target {self.target:g}")
        top.rule(y=self.floor, dashes="--", color=GREY, label=f"floor {self.floor:g}")
        bottom.line(t, (output.values >= self.target).mean(axis=0), color=COLOURS[1], label="at the target")
        bottom.line(
            t, (output.values < self.floor).mean(axis=0), color=GREY, width=1.2, dashes="--", label="below the floor"
        )
        bottom.rule(y=self.at_least, dashes="-", color=GREY)
        top.y.label, bottom.y.label = "occupied, as PET sees it", "share of people"
        for chart in (top, bottom):
            if self.ready_h is not None and self.lost_h is not None:
                ends = [self.ready_h / scale, self.lost_h / scale]
                chart.rule(x=ends, color=COLOURS[2], alpha=0.12, label="held")
            if self.washed_out_h is not None:
                chart.rule(x=self.washed_out_h / scale, dashes="-", color=GREY, label="washed out from here")
            chart.x.label, chart.x.lim = f"time after the first dose [{word}]", (0.0, end / scale)
            chart.y.lim, chart.legend = (-0.02, 1.02), "below"
        dose = f"{self.drug} {self.dose_mg:g} mg {self.route}"
        if self.doses > 1 and self.every_h is not None:
            dose += f" every {format_hours(self.every_h)} x{self.doses}"
        reached = "" if self.feasible else " (target not reached)"
        title = f"{dose}: {100 * self.target:g} % for {format_hours(self.hold_h)}{reached}"
        caption = "Thin line below: the share of people that has to be at the target."
        return Picture((top, bottom), title, caption)

    def cite(self) -> str:
        """Return the sources of the numbers used, with what each was used for."""
        own = f"[{', '.join(self.strength.source)}] strength and largest labelled dose ({self.strength.verified})"
        return "\n".join((self.result.cite(), own))

    def content(self) -> dict[str, Any]:
        """Return the plan, and the course of the occupancy."""
        return {"plan": self.summary(), "outputs": {self._output: self.result.to_dict()["outputs"][self._output]}}


def _units(count: float, strength: Strength) -> str:
    shown = f"{count:g}".replace("0.5", "1/2") if count == 0.5 else f"{count:g}"
    return f"{shown} {strength.unit if count <= 1 else strength.units}"


def plan(
    drug: str = "naltrexone",
    *,
    target: float = 0.9,
    receptor: str = "mor",
    hold: TimeLike = "4 h",
    route: str | None = None,
    at_least: float = 0.9,
    floor: float = 0.05,
    every: TimeLike | None = None,
    n: int = 200,
    draws: int = 10,
    seed: int = 1,
    people: Mapping[str, Any] | None = None,
    structure: str | None = None,
    agonist: str | None = None,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Find dose and time of an antagonist that keep a required receptor occupancy.

    Parameters
    ----------
    drug : str
        An antagonist, such as naltrexone.
    target : float
        Required occupancy, a fraction, as measured by tomography.
    receptor : str
        ``mor``, ``kor``, ``dor`` or ``mor_gut``.
    hold : str or float
        Length of the session for which it has to last, such as ``"4 h"``.
    route : str, optional
        Such as oral or im_depot; by mouth where the drug has that, else its first.
    at_least : float
        Share of people who have to hold it through the whole session. [1]
    floor : float
        Occupancy that counts as washed out. [1]
    every : str or float, optional
        Repeat the dose at this interval, such as "24 h", as often as the session needs; one dose by default.
    n : int
        People.
    draws : int
        Sets of parameters drawn from what is not known; each is given to all people.
    seed : int
        Seed of the draws.
    people : mapping, optional
        Properties given to all: entries of ``[population]`` such as ``{"weight": "60 kg"}``.
    structure : str, optional
        Rival mechanism between plasma and receptor.
    agonist : str, optional
        Refused: an agonist is never planned, alone or against an antagonist.
    catalogue : Catalogue, optional
        The one that comes with schild by default.
    overrides : mapping, optional
        Numbers in place of the catalogue's, as for ``simulate``.
    progress : callable, optional
        Called with runs done and runs in all.

    Returns
    -------
    Plan
        Also where the largest labelled dose does not do it: ``feasible`` is then False.

    Raises
    ------
    InputError
        For an agonist, a partial agonist, a prodrug, a combination, or anything about overcoming a block; and for
        numbers without meaning.

    Notes
    -----
    More of an antagonist never occupies less, at any time, in anybody, so the share of people who hold the target rises
    with the dose: the smallest dose is found by bisection to 1 %, then rounded up to what can be given. The share
    counts people whose occupancy is at the target at every grid time of the session. A repeated dose stays within the
    largest labelled dose per day.

    Examples
    --------
    >>> found = plan("naltrexone", target=0.8, hold="4 h", n=50, draws=4)
    >>> found.ready_h < found.latest_h < found.lost_h < found.washed_out_h
    True
    >>> plan("heroin")
    Traceback (most recent call last):
        ...
    schild.errors.InputError: heroin (prodrug) was asked for. schild plans antagonists only; ...
    """
    catalogue = catalogue or load()
    uses, given = Uses(), Overrides.of(overrides, catalogue)
    entry = antagonist_of(catalogue, drug, agonist)
    strength, way = strength_of(entry, route)
    catalogue.receptor(receptor)
    if receptor not in entry.binding:
        raise InputError(
            f"{entry.name} does not bind to {receptor} in the catalogue; expected one of {', '.join(entry.binding)}. "
            "Choose one of these."
        )
    hold_h = hours(hold)
    every_h = None if every is None else hours(every)
    _check(target, hold_h, at_least, floor, every_h, n, draws)
    doses = 1 if every_h is None else math.ceil(hold_h / every_h - 1e-9) + 1
    look = (LOOK_DEPOT_H if way == "im_depot" else LOOK_H) + (doses - 1) * (every_h or 0.0)
    step = _grid(look + hold_h)
    largest = strength.largest_mg if every_h is None else min(strength.largest_mg, strength.per_day_mg * every_h / 24)
    quantum = strength.mg / strength.parts
    total = math.ceil(math.log2(1 / DOSE_TOLERANCE)) + 3
    done = 0

    def run(mg: float, until_h: float, step_h: float) -> Result:
        nonlocal done
        words = f"{entry.key} {mg!r} mg {way}" + (f" q{every_h!r}h x{doses}" if every_h is not None else "")
        asked = Run.of(
            words, population={"n": n, "uncertainty": draws, **(people or {})}, until=f"{until_h!r} h",
            every=f"{step_h!r} h", seed=seed, receptors=[receptor], outputs=[f"{receptor}_pet_occupancy"],
            structure=structure,
        )  # fmt: skip
        found = simulate_run(asked, catalogue=catalogue, overrides=given, uses=uses, plain_grid=True)
        done += 1
        if progress is not None:
            progress(min(done, total), total)
        return found

    def shares(mg: float) -> AnyFloats:
        result = run(mg, look + hold_h, step)
        return _share_of_windows(result[f"{receptor}_pet_occupancy"].values >= target, hold_h, step)

    top = math.floor(largest / quantum + 1e-9) * quantum
    if top <= 0:
        raise InputError(
            f"{_units(1 / strength.parts, strength)} of {entry.name} every {format_hours(every_h or 0)} is more than "
            f"is labelled ({strength.per_day_mg:g} mg a day); expected a longer interval. Lengthen it."
        )
    feasible = bool(shares(top).max() >= at_least)
    # Where only one amount can be given there is nothing to look for.
    search = feasible and top > quantum
    needed = _bisect(lambda mg: bool(shares(mg).max() >= at_least), top) if search else None
    dose = top if needed is None else min(top, math.ceil(needed / quantum - 1e-9) * quantum)
    dose = round(dose, 9)

    session = run(dose, look + hold_h, step)
    at_target = session[f"{receptor}_pet_occupancy"].values >= target
    windows = _share_of_windows(at_target, hold_h, step)
    best = int(np.argmax(windows >= at_least)) if feasible else int(np.argmax(windows))
    last = round(hold_h / step)
    held = np.lib.stride_tricks.sliding_window_view(at_target, last + 1, axis=1)[:, best].all(axis=1)
    by_draw = held.reshape(max(draws, 1), -1).mean(axis=1)
    course, long_step, washed = _wash_out(run, receptor, dose, look + hold_h, at_least, floor)
    ready = latest = lost = None
    if feasible:
        long = course[f"{receptor}_pet_occupancy"]
        ready = best * step
        # Beyond the looked-for window the long run carries on, on its coarser grid.
        latest, lost = _until(windows, ready, step, long.values >= target, hold_h, long_step, at_least)
    output = session[f"{receptor}_pet_occupancy"]
    checked = "recalled, not looked up" if strength.verified == "memory" else "as labelled"
    unused = uses.unused(given, None if session.run is None else session.run.who.given)
    manifest = {
        **course.manifest, "target": target, "receptor": receptor, "hold_h": hold_h, "at_least": at_least,
        "floor": floor, "every_h": every_h, "dose_tolerance": DOSE_TOLERANCE, "time_step_h": step,
    }  # fmt: skip
    return Plan(
        drug=entry.key, route=way, receptor=receptor, feasible=feasible, target=target, hold_h=hold_h,
        at_least=at_least, floor=floor, strength=strength, needed_mg=needed, dose_mg=dose, doses=doses, every_h=every_h,
        units=round(doses * dose / strength.mg, 9), ready_h=ready, latest_h=latest, lost_h=lost, washed_out_h=washed,
        share=float(windows[best]), share_low=float(np.quantile(by_draw, 0.05)),
        share_high=float(np.quantile(by_draw, 0.95)),
        at_start=_spread(output.values[:, best]), at_end=_spread(output.values[:, best + last]),
        step_h=step, wash_step_h=long_step, result=course,
        warnings=(CAUTION, f"Strength and largest dose are {checked}: {strength.note}", *course.warnings, *unused),
        manifest=manifest,
    )  # fmt: skip


def antagonist_of(catalogue: Catalogue, name: str, agonist: str | None) -> Drug:
    """Find the drug, and refuse everything that is not one antagonist alone."""
    if agonist is not None:
        raise InputError(f"The agonist {agonist!r} was given. {REFUSED} {DANGER} Leave it out.")
    parts = [part.strip() for part in re.split(r"[+,;&/|]|\b(?:and|with|plus|against|then)\b", name) if part.strip()]
    found = []
    for part in parts:
        try:
            entry = catalogue.drug(part)
        except UnknownNameError:
            words = part.split()
            if len(words) < 2:
                raise
            entry = catalogue.drug(words[0])
            if entry.role == "antagonist" and len(parts) == 1:
                raise InputError(
                    f"{name!r} was given; expected the name of an antagonist alone: the dose is what is looked for. "
                    f"Write {entry.key}."
                ) from None
        found.append(entry)
    if not found:
        raise InputError("No drug was named; expected an antagonist such as naltrexone. Name one.")
    for entry in found:
        if entry.role in AGONISTS:
            raise InputError(
                f"{entry.name} ({entry.role}) was asked for. {REFUSED} Name an antagonist, such as naltrexone."
            )
        if entry.role != "antagonist":
            raise InputError(f"{entry.name} ({entry.role}) is not given as a drug. {REFUSED} Name an antagonist.")
    if len(found) > 1:
        raise InputError(f"{len(found)} drugs were named: {name!r}; expected one antagonist alone. Name one.")
    return found[0]


def strength_of(drug: Drug, route: str | None) -> tuple[Strength, str]:
    """Find what a dose is made of, and the route: by mouth where the drug has that and none is named."""
    known = drug.strengths
    known = {key: value for key, value in known.items() if key in drug.routes}
    if not known:
        raise InputError(
            f"No strength of {drug.name} is known to the planner; expected a drug that has one. Choose naltrexone."
        )
    if route is None:
        way = "oral" if "oral" in known else next(iter(known))
    else:
        from schild.regimen import parse_regimen

        # The words of regimens: po is oral.
        way = str(next(iter(parse_regimen(f"{drug.key} 1 mg {route}"))).route)
    if way not in known:
        raise InputError(
            f"{drug.name} by the route {route!r} has no strength that is sold; expected one of {', '.join(known)}. "
            "Choose one of these."
        )
    return known[way], way


def _check(
    target: float, hold_h: float, at_least: float, floor: float, every_h: float | None, n: int, draws: int
) -> None:
    for name, value in (("target", target), ("at_least", at_least), ("floor", floor)):
        if not (math.isfinite(value) and 0 < value < 1):
            raise InputError(f"{name} is {value!r}; expected a fraction between 0 and 1, such as 0.9. Correct it.")
    if floor >= target:
        raise InputError(f"The floor of {floor:g} is not below the target of {target:g}; expected less. Lower it.")
    if not 0 < hold_h <= 90 * 24:
        raise InputError(f"The hold is {hold_h:g} h; expected above 0 and at most 90 d. Give a session's length.")
    if every_h is not None and not 1 <= every_h <= 60 * 24:
        raise InputError(f"The interval is {every_h:g} h; expected 1 h to 60 d. Correct it.")
    if every_h is not None and hold_h / every_h > 100:
        raise InputError(f"{hold_h / every_h:.0f} doses would be needed; expected at most 100. Lengthen the interval.")
    if n < 1 or draws < 0:
        raise InputError(
            f"{n} people and {draws} draws were asked for; expected 1 or more, and 0 or more. Correct them."
        )


def _grid(span_h: float) -> float:
    return next((step for step in STEPS_H if span_h / step <= MAX_STEPS), STEPS_H[-1])


def _share_of_windows(at_target: NDArray[np.bool_], hold_h: float, step_h: float) -> AnyFloats:
    """Share of people at the target through a whole session, by the time at which it begins."""
    width = round(hold_h / step_h) + 1
    if width > at_target.shape[1]:
        return np.zeros(1)
    # People at the target everywhere in a window are those with no miss in it.
    misses = np.cumsum(np.pad(~at_target, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
    return np.asarray((misses[:, width:] - misses[:, :-width] == 0).mean(axis=0))


def _bisect(enough: Callable[[float], bool], top: float) -> float:
    """Smallest dose that is enough, to the tolerance; ``top`` is."""
    low, high = 0.0, top
    while high - low > DOSE_TOLERANCE * high:
        middle = 0.5 * (low + high)
        if middle < 1e-6 * top:
            break
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _wash_out(
    run: Callable[[float, float, float], Result],
    receptor: str,
    dose: float,
    span_h: float,
    at_least: float,
    floor: float,
) -> tuple[Result, float, float | None]:
    """Run until people stay below the floor, twice as long each time; then once more on a finer grid."""
    until = max(4 * 24.0, 1.5 * span_h)
    while True:
        step = _grid(until)
        result = run(dose, until, step)
        below = (result[f"{receptor}_pet_occupancy"].values < floor).mean(axis=0) >= at_least
        if below[-1] or until >= LONGEST_H:
            break
        until = min(2 * until, LONGEST_H)
    if not below[-1]:
        return result, step, None
    first = 0 if below.all() else int(len(below) - np.argmin(below[::-1]))
    return result, step, first * step


def _until(
    windows: AnyFloats,
    ready: float,
    step: float,
    later: NDArray[np.bool_],
    hold_h: float,
    long_step: float,
    at_least: float,
) -> tuple[float, float]:
    """Latest start of a session, possible from ``ready`` on, and the time at which the target is lost."""
    start = round(ready / step)
    misses = np.flatnonzero(windows[start:] < at_least)
    latest = (start + int(misses[0]) - 1) * step if len(misses) else None
    if latest is None:
        coarse = _share_of_windows(later, hold_h, long_step)
        first = math.ceil(ready / long_step)
        gone = np.flatnonzero(coarse[first:] < at_least)
        latest = (first + (int(gone[0]) if len(gone) else len(coarse) - first) - 1) * long_step
        latest = max(latest, (len(windows) - 1) * step)
    share = later.mean(axis=0)
    first = math.ceil((latest + hold_h) / long_step - 1e-9)
    gone = np.flatnonzero(share[first:] < at_least)
    lost = (first + (int(gone[0]) if len(gone) else len(share) - first - 1)) * long_step
    return latest, max(lost, latest + hold_h)


def _spread(values: AnyFloats) -> dict[str, float]:
    good = values[np.isfinite(values)]
    return {name: float(np.quantile(good, q)) for name, q in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95))}
