"""Adaptation: rivals fitted to the anchors of docs/design/adaptation.md and adaptation-refit.md, and the choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np

from calibration import Fit, Fitted, gauss_newton
from calibration.adaptation_anchors import ANCHORS, FIRST, STUDIES, Course, Found, Given, courses
from schild.array_types import Floats
from schild.catalog import load
from schild.engine.lags import follow
from schild.pharmacology.adaptation import tau_divisor, withdrawal_drive
from schild.pharmacology.effects import transducer_ratio

#: Mechanisms of the catalogue that were fitted to the anchors of the first fit, and the one fitted to all of them.
RIVALS = (
    "two_state", "inhibitor", "turnover", "response_two_state", "response_inhibitor", "response_turnover",
)  # fmt: skip
ALL_ANCHORS = "response_stress"

#: Share of people of CTN-0030 who complain whatever their withdrawal, found with the numbers of ``ALL_ANCHORS``.
OTHER = 0.134816

#: Standard deviation of the priors, natural logarithms; wider for the half-effect drive, and for the loss of slow
#: adaptation, whose centre was tuned by hand.
PRIOR_SD, PRIOR_SD_WIDE = 0.7, 1.5
_WIDE = ("half", "tau_slow_down", "tau_slow", "tau_slow_loss")

#: Numbers that a rival of the third to sixth step adds to a mechanism (docs/design/adaptation-refit.md).
_PARTS = {
    "reserve": ("reserve",),
    "expression": ("w_expression", "tau_expression"),
    "stress": ("w_stress", "tau_stress"),
    "tolerance": (),
    "tone": ("tone",),
    "other": ("other",),
    "acute": ("w_acute", "tau_acute"),
}

#: Further starting points of a fit, drawn from the priors.
STARTS = 24

#: Scores that differ by less than this share are a tie.
TIE = 1.1


def _parts(rival: str) -> tuple[str, tuple[str, ...]]:
    """Mechanism of the catalogue, and the additions of a rival of the third step.

    >>> _parts("response_two_state+reserve+expression")
    ('response_two_state', ('reserve', 'expression'))
    """
    key, *parts = rival.split("+")
    return key, tuple(parts)


def fitted_names(rival: str) -> tuple[str, ...]:
    """Names of the numbers that are fitted for a rival."""
    key, parts = _parts(rival)
    entry = load().adaptation[key]
    more = [name for part in parts for name in _PARTS[part]]
    more = [name for f in entry.follower.values() for name in (f.weight, f.time)] + more
    fast, slow = entry.states["fast"], entry.states["slow"]
    taus = (fast.gain_up, fast.gain_down, fast.loss_up, fast.loss_down,
            slow.gain_up, slow.gain_down, slow.loss_up, slow.loss_down)  # fmt: skip
    return (*dict.fromkeys(taus), "w_fast", "w_slow", "slope", "half", *more)


def prior(rival: str, first: bool = False) -> dict[str, tuple[float, float]]:
    """Centre and standard deviation of the logarithm of each fitted number; ``first``: those of the first fit."""
    steady = morphine_level(load().adaptation[_parts(rival)[0]].drive)
    centre = {
        "tau_fast_up": 0.75, "tau_fast_down": 24.0, "tau_slow_up": 144.0, "tau_slow_down": 66.0,
        "tau_fast": 4.2, "tau_slow": 97.0,
        "tau_fast_gain": 0.75, "tau_fast_loss": 24.0, "tau_slow_gain": 144.0, "tau_slow_loss": 66.0,
        "w_fast": 0.3, "w_slow": 0.6, "slope": 1.9, "half": 0.5 * steady,
        "reserve": 2.57, "w_expression": 0.3, "tau_expression": 24.0, "w_stress": 1.0, "tau_stress": 24.0,
        "tone": 2.1, "other": 0.13, "w_acute": 0.5, "tau_acute": 6.0,
    }  # fmt: skip
    parts = {"reserve": 1.0, "w_stress": 1.0, "tone": 0.3, "other": 0.5, "w_acute": 1.0, "tau_acute": 1.0}
    spread = dict.fromkeys(("half",) if first else _WIDE, PRIOR_SD_WIDE) | parts
    return {n: (centre[n], spread.get(n, PRIOR_SD)) for n in fitted_names(rival)}


@cache
def morphine_level(kind: str) -> float:
    """Mean drive under morphine 120 mg a day, over the last day of a month."""
    course = courses(first=True)["tompkins2009"]
    return _thirtieth_day(course, course.drive[kind])


def _thirtieth_day(course: Course, values: Floats) -> float:
    inside = (course.time_h >= 696.0) & (course.time_h <= 720.0)
    t = course.time_h[inside]
    return float(np.trapezoid(values[inside], t) / (t[-1] - t[0]))


def _numbers(rival: str, numbers: Mapping[str, float]) -> dict[str, float]:
    """All numbers of a rival, with the given ones in place of the catalogue's."""
    return {**_typical(rival), **numbers}


@cache
def _typical(rival: str) -> dict[str, float]:
    return {name: number.value for name, number in load().adaptation[_parts(rival)[0]].numbers.items()}


def _rates(rival: str, numbers: Mapping[str, float]) -> Floats:
    states = load().adaptation[_parts(rival)[0]].states.values()
    return np.array(
        [
            [*(1.0 / numbers[n] for n in (s.gain_up, s.gain_down, s.loss_up, s.loss_down)), float(s.saturates)]
            for s in states
        ]
    )


def _residual(rival: str, course: Course) -> Floats:
    """The slowest state: none of its numbers is fitted, so it is computed once for each course."""
    if rival not in course.residual:
        entry = load().adaptation[_parts(rival)[0]]
        rates = _rates(rival, _typical(rival))[None, [list(entry.states).index("residual")]]
        course.residual[rival] = follow(course.time_h, course.drive[entry.drive][None], rates)[0, 0]
    return course.residual[rival]


def _drive(rival: str, everything: Mapping[str, float], course: Course) -> Floats:
    """Drive along a course; the odds of the response are in proportion to the reserve."""
    key, parts = _parts(rival)
    entry = load().adaptation[key]
    drive = course.drive[entry.drive]
    if "reserve" not in parts:
        return drive
    share = everything["reserve"] / everything[entry.receptors["mor"]]
    return share * drive / (1.0 + (share - 1.0) * drive)


def along(rival: str, numbers: Mapping[str, float], course: Course) -> Found:
    """Prediction of a rival along a course."""
    key, parts = _parts(rival)
    entry, everything = load().adaptation[key], _numbers(rival, numbers)
    drive, rates = _drive(rival, everything, course), _rates(rival, everything)[:2]
    if "reserve" in parts:
        last = _rates(rival, everything)[[list(entry.states).index("residual")]]
        rates = np.concatenate([rates, last])
    if "expression" in parts:
        once = 1.0 / everything["tau_expression"]
        rates = np.concatenate([rates, [[once, once, once, once, 0.0]]])
    states = follow(course.time_h, drive[None], rates[None])[0]
    fast, slow, residual = (everything[str(entry.states[name].weight)] for name in ("fast", "slow", "residual"))
    adapted = fast * states[0] + slow * states[1]
    adapted += residual * (states[2] if "reserve" in parts else _residual(rival, course))
    if "expression" in parts:
        adapted -= everything["w_expression"] * states[-1]
    tone = everything[entry.tone] * course.tone
    if "tolerance" in parts:
        tone = tone / tau_divisor(states[1], _slow_reference(rival, everything), breathing_depth())
    left = np.asarray(withdrawal_drive(adapted, drive, tone))

    def following(time_h: float) -> Floats:
        once = 1.0 / time_h
        return np.asarray(follow(course.time_h, left[None], np.array([[[once, once, once, once, 0.0]]]))[0, 0])

    felt = left
    if "stress" in parts or "stress" in entry.follower:
        felt = felt + everything["w_stress"] * following(everything["tau_stress"])
    if "acute" in parts or "acute" in entry.follower:
        felt = felt + everything["w_acute"] * np.maximum(left - following(everything["tau_acute"]), 0.0)
    half, slope = everything[entry.half], everything[entry.slope]
    return Found(course=course, left=felt, half=half, slope=slope, other=everything.get("other", 0.0))


def _slow_reference(rival: str, everything: Mapping[str, float]) -> float:
    """Mean of the slow state on the thirtieth day under morphine 120 mg a day."""
    course = courses(first=True)["tompkins2009"]
    rates = _rates(rival, everything)[None, [1]]
    return _thirtieth_day(course, follow(course.time_h, _drive(rival, everything, course)[None], rates)[0, 0])


def anchor_values(rival: str, numbers: Mapping[str, float], given: Given = (), first: bool = False) -> dict[str, float]:
    """Prediction of a rival for each anchor, or for those of the first fit."""
    found = {name: along(rival, numbers, course) for name, course in courses(given, first).items()}
    return {a.id: a.of(found) for a in (FIRST if first else ANCHORS)}


def solve(
    rival: str,
    leave_out: str = "",
    starts: int = STARTS,
    held: Mapping[str, float] | None = None,
    given: Given = (),
    first: bool = False,
    near: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Fit a rival to all anchors except those of one study.

    ``leave_out``: study whose anchors are not used. ``starts``: starting points drawn from the priors with a fixed
    seed, besides their centre and the catalogue's numbers, because limits and a drive that cannot be negative make the
    objective flat in places. With 0 the fit begins at the catalogue's numbers alone. ``held``: numbers that are not
    fitted and whose priors are left out. ``first``: anchors and priors of the first fit alone. ``near``: a further
    start.
    Returns numbers by name.
    """
    fixed = dict(held or {})
    centre = {name: values for name, values in prior(rival, first).items() if name not in fixed}
    names = tuple(centre)
    kept = [a for a in (FIRST if first else ANCHORS) if a.study != leave_out]

    def residuals(x: Floats) -> Floats:
        numbers = dict(zip(names, map(float, x), strict=True))
        values = anchor_values(rival, numbers | fixed, given, first)
        own = [a.residual(values[a.id]) for a in kept]
        from_priors = [np.log(numbers[n] / mid) / sd for n, (mid, sd) in centre.items()]
        return np.array([*own, *from_priors])

    mids = np.array([mid for mid, _ in centre.values()])
    begin = [np.array([_typical(rival).get(n, centre[n][0]) for n in names])]
    if near is not None:
        begin.append(np.array([near[n] for n in names]))
    if starts:
        spread = np.array([sd for _, sd in centre.values()])
        draws = np.random.default_rng(1).standard_normal((starts, mids.size))
        begin += [mids, *(mids * np.exp(spread * z) for z in draws)]
    found = [gauss_newton(residuals, start) for start in begin]
    best, _, _ = min(found, key=lambda f: float(np.sum(f[1] ** 2)))
    return dict(zip(names, map(float, best), strict=True)) | fixed


#: Half step of the logarithm for derivatives, which must exceed the resolution of times of peaks.
_STEP = 0.05


def covariance(rival: str, numbers: Mapping[str, float]) -> Floats:
    """Joint covariance of the logarithms of a fit's numbers at its minimum, with the priors."""
    first = not rival.startswith(ALL_ANCHORS)
    centre, anchors = prior(rival, first), FIRST if first else ANCHORS

    def residuals(x: Floats) -> Floats:
        values = dict(zip(centre, map(float, np.exp(x)), strict=True))
        found = anchor_values(rival, values, first=first)
        own = [a.residual(found[a.id]) for a in anchors]
        return np.array([*own, *(np.log(values[n] / mid) / sd for n, (mid, sd) in centre.items())])

    at = np.log([numbers[n] for n in centre])
    steps = _STEP * np.eye(at.size)
    slopes = np.array([(residuals(at + h) - residuals(at - h)) / (2.0 * _STEP) for h in steps])
    return np.asarray(np.linalg.inv(slopes @ slopes.T) * max(1.0, float(np.mean(residuals(at) ** 2))))


def profile(rival: str, name: str, grid: Iterable[float], starts: int = STARTS) -> list[tuple[float, float, float]]:
    """Profile of one number of the first fit without its own prior: the others are fitted again at each value.

    ``rival``: key of the rival; ``name``: the number that is fixed; ``grid``: its values, in its own unit; ``starts``:
    as for :func:`solve`. Returns value, squared error of the anchors, and the same with the priors of the other
    numbers.
    """
    found = []
    for value in grid:
        numbers = solve(rival, starts=starts, held={name: value}, first=True)
        error = score(anchor_values(rival, numbers, first=True))
        priors = sum((np.log(numbers[n] / mid) / sd) ** 2 for n, (mid, sd) in prior(rival, True).items() if n != name)
        found.append((value, error, error + float(priors)))
    return found


def reference_levels(rival: str, numbers: Mapping[str, float]) -> dict[str, float]:
    """Steady values of the states under morphine 120 mg a day, mean over a day."""
    entry, everything = load().adaptation[_parts(rival)[0]], _numbers(rival, numbers)
    course = courses(first=True)["tompkins2009"]
    inside = (course.time_h >= 696.0) & (course.time_h <= 720.0)
    day_t, day_s = course.time_h[inside] - 696.0, course.drive[entry.drive][inside]
    days = 400
    times = (day_t[None, :-1] + 24.0 * np.arange(days)[:, None]).ravel()
    states = follow(times, np.tile(day_s[:-1], days)[None], _rates(rival, everything)[None])[0]
    last = times >= 24.0 * (days - 1)
    return {name: float(states[k, last].mean()) for k, name in enumerate(entry.states)}


def breathing_depth() -> float:
    """Factor on tau that shifts fentanyl's half-effect concentration as in chronic users (1.82 / 0.42)."""
    effect, drug = load().effects["ventilation_isohypercapnic"], load().drug("fentanyl")
    tau = transducer_ratio(
        effect.numbers[effect.reserve["mor"]].value, drug.number(str(drug.binding["mor"].efficacy)).value
    )
    return float(tau / ((1.0 + tau) / (1.82 / 0.42) - 1.0))


def score(values: Mapping[str, float], study: str = "") -> float:
    """Sum of squared anchor residuals, of one study or of all."""
    return sum(a.residual(values[a.id]) ** 2 for a in ANCHORS if a.id in values and study in ("", a.study))


def compare(rivals: Iterable[str] = RIVALS, starts: int = STARTS) -> dict[str, tuple[float, float]]:
    """Score of each rival of the second fit in sample, and summed over studies left out one at a time (30 min).

    A fit without a study also starts from the fit to all of them.
    """
    found = {}
    for rival in rivals:
        best = solve(rival, starts=starts)
        outside = sum(score(anchor_values(rival, solve(rival, s, starts, near=best)), s) for s in STUDIES)
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
    """Fit all mechanisms to their anchors, from the catalogue's numbers or ``starts`` draws of the priors.

    Six know the anchors of the first fit, one knows all (docs/design/adaptation-refit.md).
    """
    lines: list[str] = []
    numbers: list[Fitted] = []
    scores: dict[str, float] = {}
    correlations: dict[str, Floats] = {}
    for key in (*RIVALS, ALL_ANCHORS):
        first, rival = key in RIVALS, key if key in RIVALS else f"{key}+other"
        anchors, near = (FIRST, None) if first else (ANCHORS, _typical(key) | {"other": OTHER})
        best = solve(rival, starts=starts, first=first, near=near)
        joint = covariance(rival, best)
        error = dict(zip(best, np.sqrt(np.expm1(np.minimum(np.diag(joint), 4.0))), strict=True))
        values = anchor_values(rival, best, first=first)
        scores[key] = score(values)
        lines.append(f"{rival}: squared error of the anchors {score(values):.2f}, {len(best)} numbers")
        for a in anchors:
            sign = {"equal": "", "at_least": ">= ", "at_most": "<= "}[a.kind]
            off = a.residual(values[a.id])
            lines.append(f"  {a.id:4} {a.study:14} {values[a.id]:8.3g}  wanted {sign}{a.wanted:.3g}  {off:+.2f} sd")
        if "other" in best:
            lines.append(f"  other {best['other']:.4g} (no number of the catalogue; {OTHER:g} in the file)")
        numbers += [Fitted(drug=key, name=n, value=v, cv=float(error[n])) for n, v in best.items() if n != "other"]
        lines.append(f"  correlations of {', '.join(best)}:")
        spread = np.sqrt(np.diag(joint))
        correlations[key] = joint / np.outer(spread, spread)
        lines += ["  " + ", ".join(f"{rho:5.2f}" for rho in row) for row in correlations[key]]
        levels = reference_levels(rival, best)
        numbers += [
            Fitted(drug=key, name=str(state.reference), value=levels[name])
            for name, state in load().adaptation[key].states.items()
            if state.reference is not None
        ]
    numbers.append(Fitted(drug="two_state", name="d_breathing", value=breathing_depth()))
    title = "Adaptation"
    return Fit(title=title, numbers=tuple(numbers), lines=tuple(lines), scores=scores, correlations=correlations)
