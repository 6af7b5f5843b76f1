"""A session in plain words: the published functions and SciPy, one person at a time. The compiled one is held to it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from schild.engine.session import PARAMETERS, SIGNALS
from schild.pharmacology.alcohol import (
    alcohol_reward,
    craving_target,
    drink_hazard,
    drink_probability,
    elimination_rate,
    endogenous_activation,
    endorphin_target,
    occupied_response,
    saturating,
)

__all__ = ["follow"]

Floats = NDArray[np.float64]


def follow(
    row: Floats,
    grid: Floats,
    occupancy: Floats,
    uniform: Floats,
    *,
    cue: Floats,
    given: Floats,
    infusion: Floats,
    offered: NDArray[np.bool_],
    most: int,
    rtol: float = 1e-11,
) -> Floats:
    """Follow one person; parameters as for ``schild.engine.session.run_sessions``, of this person alone.

    Returns ``SIGNALS`` at the grid, shape (n_signals, n_grid).

    >>> row = np.ones(len(PARAMETERS))
    >>> grid, nothing = np.array([0.0, 1.0]), np.zeros(2)
    >>> found = follow(
    ...     row, grid, nothing, nothing, cue=nothing, given=nothing, infusion=nothing, offered=nothing > 0, most=0
    ... )
    >>> found[SIGNALS.index("craving")].tolist()
    [1.0, 1.0]
    """
    p: dict[str, Any] = dict(zip(PARAMETERS, row.tolist(), strict=True))

    def rates(t: float, y: Floats, k: int) -> list[float]:
        gut, level, tissue, load, reward, craving, _ = y.tolist()
        held = float(np.interp(t, grid[k : k + 2], occupancy[k : k + 2]))
        level = max(level, 0.0)
        lost = elimination_rate(level, p["vmax"], p["km"], p["clr"])
        across = p["cld"] * (y[1] - tissue)
        rise = (p["ka"] * gut + infusion[k] - lost - across) / p["vc"]
        release = (p["e0"], p["release_gain"], p["release_c50"], p["release_rise"])
        added = endogenous_activation(load, held, p["e0"]) - endogenous_activation(p["e0"], held, p["e0"])
        opioid = added / p["opioid_range"] if p["opioid_range"] > 0.0 else 0.0
        now = alcohol_reward(opioid, level, p["share"], p["reward_c50"])
        wanted = craving_target(float(cue[k]), reward, held, p["craving_start"], p["craving_prime"], p["craving_share"])
        return [
            -p["ka"] * gut,
            rise,
            across / p["vt"],
            p["release_rate"] * (endorphin_target(level, rise, *release) - load),
            p["reward_rate"] * (now - reward),
            p["craving_rate"] * (wanted - craving),
            lost,
        ]

    y = np.array([0.0, 0.0, 0.0, p["e0"], 0.0, p["craving_start"], 0.0])
    taken, free = 0, -np.inf
    out = np.empty((len(SIGNALS), grid.size))
    for k, t in enumerate(grid):
        held = float(occupancy[k])
        y[0] += p["f"] * given[k]
        level = max(float(y[1]), 0.0)
        sedation = occupied_response(
            saturating(level, p["sedation_c50"], p["sedation_slope"]), held, p["sedation_occupied"]
        )
        last = k + 1 == grid.size
        if offered[k] and taken < most and not last and t >= free - 1e-9:
            hazard = drink_hazard(
                p["thirst_rate"],
                1.0,
                float(y[4]),
                sedation,
                float(y[5]) - p["craving_start"] - 1.0,
                (p["by_reward"], p["by_sedation"], p["by_craving"]),
            )
            if uniform[k] < drink_probability(hazard, grid[k + 1] - t):
                y[0] += p["f"] * p["drink_g"]
                taken += 1
                free = t + p["pause"]
        mood = occupied_response(saturating(level, p["mood_c50"]), held, p["mood_occupied"])
        mu = endogenous_activation(float(y[3]), held, p["e0"])
        out[:, k] = [y[1], y[2], y[0], y[6], y[3], mu, y[4], sedation, mood, y[5], taken]
        if not last:
            found = solve_ivp(
                rates, (t, grid[k + 1]), y, method="DOP853", args=(k,), rtol=rtol, atol=1e-13, max_step=0.02
            )
            y = found.y[:, -1]
    return out
