"""Comparisons of the sixth to eighth step of docs/design/adaptation-refit.md, and a search of the whole range.

``python -m calibration.adaptation_search [RIVAL ...]`` compares rivals (a minute of CPU each), and with ``--global`` it
searches the numbers of each by differential evolution (two to four minutes).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Mapping

import numpy as np
from scipy.optimize import Bounds, differential_evolution, minimize

from calibration import gauss_newton
from calibration.adaptation import TIE, anchor_values, prior, score
from calibration.adaptation_anchors import ANCHORS, STUDIES
from schild.array_types import Floats
from schild.catalog import load

RIVALS = (
    "response_two_state+reserve+stress",
    "response_two_state+reserve+stress+tone",
    "response_two_state+reserve+stress+tone+other",
    "response_two_state",
    "response_two_state+tone",
)

#: Numbers of the fourth step, from which fits of forms with its parts begin.
FOURTH = {
    "tau_fast_up": 0.80897, "tau_fast_down": 4.2217, "tau_slow_up": 272.94, "tau_slow_down": 354.18, "w_fast": 0.49686,
    "w_slow": 0.51878, "slope": 1.0534, "half": 1.1087, "reserve": 1.8841, "w_stress": 1.29, "tau_stress": 27.779,
}  # fmt: skip

#: Draws of the priors that begin a fit, and evaluations that refine the best: of all studies, and without one.
DRAWS, REFINED, REFINED_WITHOUT = 2, 1000, 500


def _first(rival: str) -> dict[str, float]:
    """Numbers of the fourth step where the form has its parts, else those of the catalogue, else the priors' centre."""
    typical = {name: number.value for name, number in load().adaptation[rival.split("+")[0]].numbers.items()}
    known = FOURTH if "stress" in rival else typical
    return {name: known.get(name, centre) for name, (centre, _) in prior(rival).items()}


def solve(
    rival: str, starts: Iterable[Mapping[str, float]], refined: int, leave_out: str = ""
) -> tuple[dict[str, float], float]:
    """Fit a rival to all anchors but those of one study.

    ``starts``: numbers by name; ``refined``: evaluations of the search without derivatives from the best end. Returns
    numbers, and the squared error with the priors.
    """
    centre = prior(rival)
    names = tuple(centre)
    kept = [a for a in ANCHORS if a.study != leave_out]

    def residuals(x: Floats) -> Floats:
        values = anchor_values(rival, dict(zip(names, map(float, x), strict=True)))
        held = [np.log(v / mid) / sd for v, (mid, sd) in zip(x, centre.values(), strict=True)]
        return np.array([*(a.residual(values[a.id]) for a in kept), *held])

    def error(logs: Floats) -> float:
        return float(np.sum(residuals(np.exp(logs)) ** 2))

    ends = [gauss_newton(residuals, [start[n] for n in names]) for start in starts]
    best, _, _ = min(ends, key=lambda end: float(np.sum(end[1] ** 2)))
    begin = np.log(best)
    corners = np.vstack([begin, begin + 0.1 * np.eye(begin.size)])
    found = minimize(
        error, begin, method="Nelder-Mead", options={"maxfev": refined, "initial_simplex": corners, "fatol": 1e-4}
    )
    return dict(zip(names, map(float, np.exp(found.x)), strict=True)), float(found.fun)


#: Standard deviations of the priors that the global search goes from their centre; people and generations for a number.
REACH, PEOPLE, GENERATIONS = 3.0, 10, 150


def least(rival: str, seed: int = 1) -> tuple[dict[str, float], float]:
    """Numbers with the least error, priors included, within ``REACH`` standard deviations of the priors; that error."""
    centre = prior(rival)
    mid = np.log([m for m, _ in centre.values()])
    spread = np.array([sd for _, sd in centre.values()])

    def numbers(z: Floats) -> dict[str, float]:
        return dict(zip(centre, map(float, np.exp(mid + spread * z)), strict=True))

    def error(z: Floats) -> float:
        return score(anchor_values(rival, numbers(z))) + float(np.sum(z**2))

    found = differential_evolution(
        error, Bounds([-REACH] * mid.size, [REACH] * mid.size), seed=seed, popsize=PEOPLE, maxiter=GENERATIONS, tol=0.0,
        polish=False, init="sobol",
    )  # fmt: skip
    end = minimize(
        error, found.x, method="Nelder-Mead", options={"maxfev": 3000, "fatol": 1e-6, "xatol": 1e-5, "adaptive": True}
    )
    return numbers(end.x), float(end.fun)


def compare(rivals: Iterable[str] = RIVALS) -> dict[str, tuple[float, float]]:
    """Print the fits of each rival; return its error in sample and, summed, over studies left out one at a time.

    A rival that is stopped has an infinite sum.
    """
    scores: dict[str, tuple[float, float]] = {}
    least = math.inf
    for rival in rivals:
        begin = time.process_time()
        centre = prior(rival)
        first = _first(rival)
        draws = np.random.default_rng(1).standard_normal((DRAWS, len(centre)))
        starts = [first, {n: mid for n, (mid, _) in centre.items()}]
        starts += [{n: mid * math.exp(sd * z) for (n, (mid, sd)), z in zip(centre.items(), row, strict=True)}
                   for row in draws]  # fmt: skip
        best, error = solve(rival, starts, REFINED)
        values = anchor_values(rival, best)
        inside = score(values)
        print(f"{rival}: {len(best)} numbers, anchors {inside:.2f}, with the priors {error:.2f}", flush=True)
        print("  " + ", ".join(f"{n} {v:.5g}" for n, v in best.items()))
        print("  " + ", ".join(f"{a.id} {values[a.id]:.3g} ({a.residual(values[a.id]):+.1f})" for a in ANCHORS))
        outside = 0.0
        for study in STUDIES:
            without, _ = solve(rival, [best, first], REFINED_WITHOUT, study)
            own = score(anchor_values(rival, without), study)
            outside += own
            print(f"  without {study}: {own:.2f}, sum {outside:.2f}", flush=True)
            if outside > TIE * least:
                outside = math.inf
                break
        least = min(least, outside)
        scores[rival] = inside, outside
        print(f"  {time.process_time() - begin:.0f} s of CPU", flush=True)
    return scores


if __name__ == "__main__":
    asked = [word for word in sys.argv[1:] if word != "--global"] or list(RIVALS)
    if "--global" in sys.argv:
        for key in asked:
            print(key, *least(key), flush=True)
    else:
        for key, (inside, outside) in compare(asked).items():
            print(f"{key:48s} {inside:8.2f} {outside:8.2f}")
