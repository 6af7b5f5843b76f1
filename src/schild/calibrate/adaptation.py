"""Adaptation: rivals fitted to the anchors of docs/design/adaptation.md, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from schild.calibrate import Fit, Fitted, gauss_newton
from schild.catalog import load
from schild.engine.lags import follow
from schild.model.spec import ENDOGENOUS
from schild.pharmacology.adaptation import cows_of_drive, withdrawal_drive
from schild.pharmacology.effects import transducer_ratio
from schild.simulation import Run, model_of, simulate_run
from schild.units import TICKS_PER_HOUR

Floats = NDArray[np.float64]

__all__ = ["ANCHORS", "Anchor", "Course", "courses", "fit", "predict", "profile", "reference_levels"]

RIVALS = (
    "two_state", "inhibitor", "turnover", "response_two_state", "response_inhibitor", "response_turnover",
)  # fmt: skip

#: Standard deviation of the priors, natural logarithms; of the half-effect drive.
PRIOR_SD, PRIOR_SD_HALF = 0.7, 1.5

#: Further starting points of a fit, drawn from the priors.
STARTS = 24

#: Score of rivals within this share of each other counts as a tie.
TIE = 1.1

_PRESENT, _NONE = 1.0, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What drives adaptation in one experiment, by kind of drive; the tone; when its antagonist or last dose came."""

    time_h: Floats
    drive: Mapping[str, Floats]
    tone: Floats
    at_h: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One statement: a target, or a limit that costs nothing while it is kept."""

    id: str
    study: str
    kind: str  # equal, at_least, at_most
    wanted: float
    sd: float
    of: Callable[[Mapping[str, tuple[Course, Floats]]], float]

    def residual(self, found: float) -> float:
        """Standardised distance; 0 for a limit that is kept."""
        off = (found - self.wanted) / self.sd
        if self.kind == "at_least":
            return min(0.0, off)
        return max(0.0, off) if self.kind == "at_most" else off


#: Experiments in words: doses, time of the antagonist or of the last dose, end. [h]
EXPERIMENTS: dict[str, tuple[tuple[str, ...], float, float]] = {
    "tompkins2009": (("morphine 30 mg sc q6h x121", "naloxone 0.4 mg im at 723 h"), 723.0, 729.0),
    "tompkins2014": (("morphine 30 mg im q6h x36",), 210.0, 450.0),
    "bickel1988": (("morphine 17 mg im", "naloxone 10 mg im at 6 h"), 6.0, 12.0),
    "heishman1989_15min": (("morphine 18 mg im", "naloxone 10 mg im at 15 min"), 0.25, 6.25),
    "heishman1989_45min": (("morphine 18 mg im", "naloxone 10 mg im at 45 min"), 0.75, 6.75),
    "heishman1990_6h": (("morphine 18 mg im", "naloxone 10 mg im at 6 h"), 6.0, 12.0),
    "heishman1990_24h": (("morphine 18 mg im", "naloxone 10 mg im at 24 h"), 24.0, 30.0),
    "azorlosa1994_once": (("morphine 15 mg im", "naloxone 30 mg im at 4.33 h"), 4.33, 10.33),
    "azorlosa1994_twice": (("morphine 15 mg im q24h x2", "naloxone 30 mg im at 28.33 h"), 28.33, 34.33),
    "stitzer1991_24h": (("methadone 30 mg iv", "naloxone 0.75 mg im at 24 h"), 24.0, 30.0),
    "stitzer1991_96h": (("methadone 30 mg iv", "naloxone 0.75 mg im at 96 h"), 96.0, 102.0),
    "stitzer1991_168h": (("methadone 30 mg iv", "naloxone 0.75 mg im at 168 h"), 168.0, 174.0),
}  # fmt: skip


def _peak(name: str) -> Callable[[Mapping[str, tuple[Course, Floats]]], float]:
    return lambda found: float(np.max(found[name][1][_after(found[name][0])]))


def _after(course: Course) -> NDArray[np.bool_]:
    return np.asarray((course.time_h >= course.at_h) & (course.time_h <= course.at_h + 240.0))


def _when(name: str) -> Callable[[Mapping[str, tuple[Course, Floats]]], float]:
    def of(found: Mapping[str, tuple[Course, Floats]]) -> float:
        course, cows = found[name]
        inside = np.where(_after(course), cows, -1.0)
        return float(course.time_h[int(np.argmax(inside))] - course.at_h)

    return of


def _at(name: str, hours: float) -> Callable[[Mapping[str, tuple[Course, Floats]]], float]:
    return lambda found: float(np.interp(found[name][0].at_h + hours, found[name][0].time_h, found[name][1]))


def _log_ratio(a: str, b: str) -> Callable[[Mapping[str, tuple[Course, Floats]]], float]:
    return lambda found: float(np.log((_peak(a)(found) + 0.1) / (_peak(b)(found) + 0.1)))


#: As committed before the first fit (docs/design/adaptation.md).
ANCHORS = (
    Anchor(id="A1", study="Tompkins2009", kind="equal", wanted=6.3, sd=1.0, of=_peak("tompkins2009")),
    Anchor(id="A2", study="Tompkins2009", kind="equal", wanted=0.5, sd=1 / 6, of=_when("tompkins2009")),
    Anchor(id="A3", study="Tompkins2009", kind="at_most", wanted=1.0, sd=1.0, of=_at("tompkins2009", -0.01)),
    Anchor(id="A4", study="Tompkins2014", kind="equal", wanted=48.0, sd=12.0, of=_when("tompkins2014")),
    Anchor(id="A5", study="Tompkins2014", kind="at_most", wanted=2.0, sd=1.0, of=_at("tompkins2014", 168.0)),
    Anchor(id="A6", study="Bickel1988", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("bickel1988")),
    Anchor(id="A7", study="Bickel1988", kind="at_most", wanted=0.25, sd=1 / 12, of=_when("bickel1988")),
    Anchor(id="A8", study="Heishman1989b", kind="at_most", wanted=_NONE, sd=0.5, of=_peak("heishman1989_15min")),
    Anchor(id="A9", study="Heishman1989b", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("heishman1989_45min")),
    Anchor(id="A10", study="Heishman1990", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("heishman1990_6h")),
    Anchor(id="A11", study="Heishman1990", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("heishman1990_24h")),
    Anchor(id="A12", study="Azorlosa1994", kind="at_least", wanted=float(np.log(1.25)), sd=0.2,
           of=_log_ratio("azorlosa1994_twice", "azorlosa1994_once")),
    Anchor(id="A13", study="Stitzer1991", kind="equal", wanted=0.0, sd=0.4,
           of=_log_ratio("stitzer1991_96h", "stitzer1991_24h")),
    Anchor(id="A14", study="Stitzer1991", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("stitzer1991_24h")),
    Anchor(id="A15", study="Stitzer1991", kind="at_least", wanted=_PRESENT, sd=0.5, of=_peak("stitzer1991_96h")),
    Anchor(id="A16", study="Stitzer1991", kind="at_most", wanted=_NONE, sd=0.5, of=_peak("stitzer1991_168h")),
)  # fmt: skip

STUDIES = tuple(dict.fromkeys(a.study for a in ANCHORS))


def _grid(doses: Iterable[str], at_h: float, end_h: float) -> Floats:
    """Fine after every dose, where activation rises, and finest after the antagonist."""
    fine = np.concatenate([np.linspace(0.0, 1.0, 21), np.linspace(1.25, 6.0, 20)])
    coarse = np.array([0.0, 0.05, 0.15, 0.3, 0.6, 1.0, 1.5, 2.2, 3.0, 4.0, 5.0])
    every = [np.linspace(max(0.0, at_h - 48.0), end_h, int((end_h - max(0.0, at_h - 48.0)) * 2) + 1)]
    for dose in Run.of(*doses, until=f"{end_h} h").doses:
        for start in dose.time_tick / TICKS_PER_HOUR + (dose.every or 0.0) * np.arange(dose.count or 1):
            every.append(start + (fine if start > at_h - 48.0 else coarse))
    every.append(at_h + np.linspace(0.0, 2.0, 121))
    times: Floats = np.unique(np.round(np.concatenate(every), 4)).astype(np.float64)
    return times[times <= end_h]


@cache
def course_of(doses: tuple[str, ...], at_h: float, end_h: float) -> Course:
    """Run an experiment without adaptation, which nothing in it depends on, and keep what drives adaptation."""
    times = _grid(doses, at_h, end_h)
    ticks = [round(t * TICKS_PER_HOUR) for t in times]
    drive: dict[str, Floats] = {}
    run = Run.of(*doses, until=f"{end_h} h", adaptation=False)
    built = model_of(run)
    slots = [f"{r.name}_occupancy_{x.species}" for r in built.spec.receptors for x in r.ligands]
    result = simulate_run(run, times_tick=ticks)
    for kind in ("activation", "response"):
        entry = next(e for e in load().adaptation.values() if e.drive == kind)
        total = np.zeros(times.size)
        for slot in slots:
            receptor, _, species = slot.partition("_occupancy_")
            if receptor in entry.receptors:
                share = built.values.of(entry.key, entry.receptors[receptor])
                e = built.values.efficacy(receptor, species)
                total += share * (transducer_ratio(1.0, e) if kind == "response" else e) * result[slot].value
        drive[kind] = total / (1.0 + total) if kind == "response" else total
    tone = np.asarray(result[f"mor_occupancy_{ENDOGENOUS}"].value, dtype=np.float64)
    return Course(time_h=times, drive=drive, tone=tone, at_h=at_h)


def courses() -> dict[str, Course]:
    """Courses of all experiments."""
    return {name: course_of(*what) for name, what in EXPERIMENTS.items()}


def fitted_names(rival: str) -> tuple[str, ...]:
    """Names of the numbers that are fitted for a rival."""
    entry = load().adaptation[rival]
    fast, slow = entry.states["fast"], entry.states["slow"]
    taus = (fast.gain_up, fast.gain_down, fast.loss_up, fast.loss_down,
            slow.gain_up, slow.gain_down, slow.loss_up, slow.loss_down)  # fmt: skip
    return (*dict.fromkeys(taus), "w_fast", "w_slow", "slope", "half")


def prior(rival: str) -> dict[str, tuple[float, float]]:
    """Centre and standard deviation of the logarithm of each fitted number."""
    steady = morphine_level(load().adaptation[rival].drive)
    centre = {
        "tau_fast_up": 0.75, "tau_fast_down": 24.0, "tau_slow_up": 144.0, "tau_slow_down": 66.0,
        "tau_fast": 4.2, "tau_slow": 97.0,
        "tau_fast_gain": 0.75, "tau_fast_loss": 24.0, "tau_slow_gain": 144.0, "tau_slow_loss": 66.0,
        "w_fast": 0.3, "w_slow": 0.6, "slope": 1.9, "half": 0.5 * steady,
    }  # fmt: skip
    return {n: (centre[n], PRIOR_SD_HALF if n == "half" else PRIOR_SD) for n in fitted_names(rival)}


@cache
def morphine_level(kind: str) -> float:
    """Mean drive under morphine 120 mg a day, over the last day of a month."""
    course = courses()["tompkins2009"]
    inside = (course.time_h >= 696.0) & (course.time_h <= 720.0)
    t = course.time_h[inside]
    return float(np.trapezoid(course.drive[kind][inside], t) / (t[-1] - t[0]))


def _rates(rival: str, numbers: Mapping[str, float]) -> Floats:
    states = load().adaptation[rival].states.values()
    return np.array(
        [
            [*(1.0 / numbers[n] for n in (s.gain_up, s.gain_down, s.loss_up, s.loss_down)), float(s.saturates)]
            for s in states
        ]
    )


def predict(rival: str, numbers: Mapping[str, float], course: Course) -> Floats:
    """Latent withdrawal score along a course, shape (n_times,)."""
    entry = load().adaptation[rival]
    everything = {name: number.value for name, number in entry.numbers.items()} | dict(numbers)
    drive = course.drive[entry.drive]
    states = follow(course.time_h, drive[None], _rates(rival, everything)[None])[0]
    weights = [0.0 if s.weight is None else everything[s.weight] for s in entry.states.values()]
    left = withdrawal_drive(np.asarray(weights) @ states, drive, everything[entry.tone] * course.tone)
    return np.asarray(cows_of_drive(left, everything[entry.half], everything[entry.slope]))


def anchor_values(rival: str, numbers: Mapping[str, float]) -> dict[str, float]:
    """What a rival says to each anchor."""
    found = {name: (course, predict(rival, numbers, course)) for name, course in courses().items()}
    return {a.id: a.of(found) for a in ANCHORS}


def solve(
    rival: str, leave_out: str = "", starts: int = STARTS, held: Mapping[str, float] | None = None
) -> tuple[dict[str, float], dict[str, float]]:
    """Fit a rival to all anchors but those of one study.

    ``leave_out``: study whose anchors are not used. ``starts``: starting points drawn from the priors, the same every
    time, besides their centre. Limits, and a drive that cannot be negative, leave flat places. With 0 the fit begins at
    the catalogue's numbers instead. ``held``: numbers that are not fitted and whose priors do not count. Returns
    ``numbers`` and ``errors``: numbers, and standard errors of their logarithms with the other numbers held.
    """
    fixed = dict(held or {})
    centre = {name: values for name, values in prior(rival).items() if name not in fixed}
    names = tuple(centre)
    kept = [a for a in ANCHORS if a.study != leave_out]

    def residuals(x: Floats) -> Floats:
        numbers = dict(zip(names, map(float, x), strict=True))
        values = anchor_values(rival, numbers | fixed)
        own = [a.residual(values[a.id]) for a in kept]
        from_priors = [np.log(numbers[n] / mid) / sd for n, (mid, sd) in centre.items()]
        return np.array([*own, *from_priors])

    mids = np.array([mid for mid, _ in centre.values()])
    if starts:
        spread = np.array([sd for _, sd in centre.values()])
        draws = np.random.default_rng(1).standard_normal((starts, mids.size))
        begin = [mids, *(mids * np.exp(spread * z) for z in draws)]
    else:
        begin = [np.array([load().adaptation[rival].numbers[n].value for n in names])]
    found = [gauss_newton(residuals, start) for start in begin]
    best, _, covariance = min(found, key=lambda f: float(np.sum(f[1] ** 2)))
    error = 1.0 / np.sqrt(np.diag(np.linalg.pinv(covariance)))
    return dict(zip(names, map(float, best), strict=True)) | fixed, dict(zip(names, map(float, error), strict=True))


def profile(rival: str, name: str, grid: Iterable[float], starts: int = STARTS) -> list[tuple[float, float, float]]:
    """Profile of one number without its own prior: the others are fitted again at each value of a grid.

    ``rival``: key of the rival; ``name``: the number that is held; ``grid``: its values, in its own unit; ``starts``:
    as for :func:`solve`. Returns value, squared error of the anchors, and the same with the priors of the other
    numbers.
    """
    found = []
    for value in grid:
        numbers, _ = solve(rival, starts=starts, held={name: value})
        error = score(anchor_values(rival, numbers))
        priors = sum((np.log(numbers[n] / mid) / sd) ** 2 for n, (mid, sd) in prior(rival).items() if n != name)
        found.append((value, error, error + float(priors)))
    return found


def reference_levels(rival: str, numbers: Mapping[str, float]) -> dict[str, float]:
    """Steady values of the states under morphine 120 mg a day, mean over a day."""
    entry = load().adaptation[rival]
    everything = {name: number.value for name, number in entry.numbers.items()} | dict(numbers)
    course = courses()["tompkins2009"]
    inside = (course.time_h >= 696.0) & (course.time_h <= 720.0)
    day_t, day_s = course.time_h[inside] - 696.0, course.drive[entry.drive][inside]
    days = 400
    times = (day_t[None, :-1] + 24.0 * np.arange(days)[:, None]).ravel()
    states = follow(times, np.tile(day_s[:-1], days)[None], _rates(rival, everything)[None])[0]
    last = times >= 24.0 * (days - 1)
    return {name: float(states[k, last].mean()) for k, name in enumerate(entry.states)}


def breathing_depth() -> float:
    """Factor on tau that moves fentanyl's half-effect concentration as far as in chronic users (1.82 / 0.42)."""
    effect, drug = load().effects["ventilation_isohypercapnic"], load().drug("fentanyl")
    tau = transducer_ratio(
        effect.numbers[effect.reserve["mor"]].value, drug.number(str(drug.binding["mor"].efficacy)).value
    )
    return float(tau / ((1.0 + tau) / (1.82 / 0.42) - 1.0))


def score(values: Mapping[str, float], study: str = "") -> float:
    """Sum of squared anchor residuals, of one study or of all."""
    return sum(a.residual(values[a.id]) ** 2 for a in ANCHORS if study in ("", a.study))


def compare(rivals: Iterable[str] = RIVALS, starts: int = STARTS) -> dict[str, tuple[float, float]]:
    """Score of each rival in sample, and summed over studies left out one at a time; minutes of work."""
    found = {}
    for rival in rivals:
        best, _ = solve(rival, starts=starts)
        outside = sum(score(anchor_values(rival, solve(rival, s, starts)[0]), s) for s in STUDIES)
        found[rival] = (score(anchor_values(rival, best)), outside)
    return found


def choose(scores: Mapping[str, tuple[float, float]]) -> str:
    """Return the rival that predicts left-out studies best; among ties the one with fewest numbers.

    >>> choose({"two_state": (1.0, 30.0), "inhibitor": (2.0, 32.0)})
    'inhibitor'
    """
    least = min(outside for _, outside in scores.values())
    ties = [rival for rival, (_, outside) in scores.items() if outside <= TIE * least]
    return min(ties, key=lambda r: (len(fitted_names(r)), scores[r][1]))


def fit(starts: int = 0) -> Fit:
    """Fit all rivals from the catalogue's numbers, or from ``starts`` draws of the priors."""
    lines: list[str] = []
    numbers: list[Fitted] = []
    scores: dict[str, float] = {}
    for rival in RIVALS:
        best, error = solve(rival, starts=starts)
        values = anchor_values(rival, best)
        scores[rival] = score(values)
        lines.append(f"{rival}: squared error of the anchors {score(values):.2f}, {len(best)} numbers")
        for a in ANCHORS:
            sign = {"equal": "", "at_least": ">= ", "at_most": "<= "}[a.kind]
            off = a.residual(values[a.id])
            lines.append(f"  {a.id:4} {a.study:14} {values[a.id]:8.3g}  wanted {sign}{a.wanted:.3g}  {off:+.2f} sd")
        numbers += [Fitted(drug=rival, name=n, value=v, cv=error[n]) for n, v in best.items()]
        levels = reference_levels(rival, best)
        numbers += [
            Fitted(drug=rival, name=str(state.reference), value=levels[name])
            for name, state in load().adaptation[rival].states.items()
            if state.reference is not None
        ]
    numbers.append(Fitted(drug="two_state", name="d_breathing", value=breathing_depth()))
    return Fit(title="Adaptation", numbers=tuple(numbers), lines=tuple(lines), scores=scores)
