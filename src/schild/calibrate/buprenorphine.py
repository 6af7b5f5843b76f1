"""Exit of buprenorphine from the receptor and its delay: rivals and rows of docs/design/buprenorphine-delays.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from schild.array_types import Floats
from schild.calibrate import adaptation
from schild.simulation import Run, simulate_run

__all__ = ["RIVALS", "compare", "rows"]

_AT_ONCE = 60.0
#: Exit from the receptor and rate of the effect site [1/h].
RIVALS: dict[str, tuple[float, float]] = {
    "dish_and_breathing": (0.4932, 0.2424),
    "breathing": (1.032, 0.2424),
    "pain": (4.71, 0.2682),
    "dish_alone": (0.4932, _AT_ONCE),
    "breathing_exit_alone": (1.032, _AT_ONCE),
    "site_alone": (_AT_ONCE, 0.2424),
}

#: Clearances [L/h] and volumes [L] of Yassen 2007 (opioids/pk.csv, line 129): CL, V1, Q2, V2, Q3, V3.
_YASSEN = (85.8, 5.71, 87.0, 22.1, 60.0, 135.0)
#: Published rates of the effect site and of exit [1/h], and of association [mL/ng/h], for breathing and pain relief.
_PUBLISHED = {
    "ventilation_isohypercapnic": (0.2424, 1.032, 0.203 * 60),
    "analgesia": (0.2682, 4.71, 0.0631 * 60),
}
_DOSE = "buprenorphine 0.2 mg iv"
_INJECTORS = (("buprenorphine 4 mg iv q12h x60", "naloxone 1.2 mg iv at 712.5 h"), 712.5, 718.5)


def given(rival: str) -> adaptation.Given:
    """Numbers of a rival, as overrides of a run."""
    exit_rate, site = RIVALS[rival]
    return ("buprenorphine.mor.koff", exit_rate), ("buprenorphine.ke0", site)


def published_peak_h(effect: str) -> float:
    """Time of the greatest occupancy after 0.2 mg into a vein by the published equations. [h]"""
    cl, v1, q2, v2, q3, v3 = _YASSEN
    site, exit_rate, association = _PUBLISHED[effect]

    def slope(_: float, y: Floats) -> list[float]:
        c, c2, c3, ce, bound = y
        return [
            (-cl * c - q2 * (c - c2) - q3 * (c - c3)) / v1, q2 * (c - c2) / v2, q3 * (c - c3) / v3,
            site * (c - ce), association * ce * (1.0 - bound) - exit_rate * bound,
        ]  # fmt: skip

    times = np.linspace(0.0, 24.0, 2881)
    start = [0.2 * 1000.0 / v1, 0.0, 0.0, 0.0, 0.0]  # ng/mL
    found = solve_ivp(slope, (0.0, 24.0), start, method="LSODA", t_eval=times, rtol=1e-8, atol=1e-10)
    return float(times[int(np.argmax(found.y[4]))])


def _course(words: str, output: str, until_h: float, over: adaptation.Given) -> tuple[Floats, Floats]:
    run = Run.of(words, until=f"{until_h} h", every="1 min", outputs=[output])
    found = simulate_run(run, overrides=dict(over))[output]
    return np.asarray(found.time_h), np.asarray(found.values[0])


def _sublingual_mg(peak: float) -> float:
    """Dose under the tongue with a given peak of plasma [mg]; ``peak`` in ng/mL."""

    def over(mg: float) -> float:
        return float(_course(f"buprenorphine {mg:.6f} mg sl", "plasma_buprenorphine", 6.0, ())[1].max()) - peak

    return float(brentq(over, 0.2, 8.0, xtol=1e-3))


def _row(id_: str, study: str, kind: str, wanted: float, sd: float) -> adaptation.Anchor:
    return adaptation.Anchor(id=id_, study=study, kind=kind, wanted=wanted, sd=sd, of=lambda _: np.nan)


def rows() -> tuple[adaptation.Anchor, ...]:
    """Rows of the comparison besides the anchors of adaptation."""
    pupil = [_row(f"D{2 + k}", "Webster2020", "at_least", 0.37, 0.18) for k in range(3)]
    peaks = [_row(f"D{5 + k}", effect, "equal", float(np.log(published_peak_h(effect))), 0.3)
             for k, effect in enumerate(_PUBLISHED)]  # fmt: skip
    return _row("D1", "Injectors", "equal", 60.0, 15.0), *pupil, *peaks


def values(rival: str, numbers: Mapping[str, float], mechanism: str) -> dict[str, float]:
    """Prediction of a rival for the rows, with given numbers of adaptation."""
    over = given(rival)
    course = adaptation.course_of(*_INJECTORS, over)
    one = adaptation.along(mechanism, numbers, course)
    late = np.where(one.after, one.cows, -1.0)
    found = {"D1": 60.0 * float(course.time_h[int(np.argmax(late))] - course.at_h)}
    dose = _sublingual_mg(1.06)
    for k, (share, hours) in enumerate([(1.0, 1.0), (2 / 3, 1.5), (1 / 3, 2.0)]):
        time_h, pupil = _course(f"buprenorphine {dose * share:.6f} mg sl", "pupil", 3.0, over)
        found[f"D{2 + k}"] = float(pupil[0] - np.interp(hours, time_h, pupil))
    for k, (effect, sign) in enumerate([("ventilation_isohypercapnic", -1.0), ("analgesia", 1.0)]):
        time_h, course_of_effect = _course(_DOSE, effect, 24.0, over)
        found[f"D{5 + k}"] = float(np.log(max(time_h[int(np.argmax(sign * course_of_effect))], 1 / 60)))
    return found


def compare(
    rivals: Iterable[str] = tuple(RIVALS), mechanism: str = "response_two_state"
) -> dict[str, dict[str, float]]:
    """Rows of each rival, with adaptation fitted again; squared errors: ``anchors``, ``rows``, ``total``."""
    found = {}
    for rival in rivals:
        numbers = adaptation.solve(mechanism, given=given(rival))
        anchors = adaptation.anchor_values(mechanism, numbers, given(rival))
        said = values(rival, numbers, mechanism)
        own = sum(row.residual(said[row.id]) ** 2 for row in rows())
        whole = adaptation.score(anchors)
        found[rival] = {**anchors, **said, "anchors": whole, "rows": own, "total": whole + own}
    return found
