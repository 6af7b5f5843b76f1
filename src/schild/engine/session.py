"""The compiled drinking session: ethanol, endorphin, reward, craving and the next drink, for many people at once.

Each person is followed alone by an embedded Runge-Kutta pair of order 5(4) [Dormand1980] with a step of its own, so no
result depends on neighbours, chunks or threads. Steps end at the points of the grid, where drinks are given or chosen.
The relations are those of ``schild.pharmacology.alcohol``; ``tests/session_reference.py`` holds this file to its word.
Hours, grams, litres.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schild.engine.cache import compiled
from schild.engine.run import threads_available

__all__ = ["PARAMETERS", "SIGNALS", "SessionResult", "run_sessions"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Columns of a person's row; units in ``schild.drinking.people``.
PARAMETERS = (
    "vc", "vt", "cld", "vmax", "km", "clr", "ka", "f",
    "e0", "release_rate", "release_gain", "release_c50", "release_rise",
    "share", "reward_c50", "reward_rate", "opioid_range",
    "sedation_c50", "sedation_slope", "sedation_occupied", "mood_c50", "mood_occupied",
    "craving_start", "craving_prime", "craving_rate", "craving_share",
    "thirst_rate", "by_reward", "by_sedation", "by_craving", "pause", "drink_g",
)  # fmt: skip
(VC, VT, CLD, VMAX, KM, CLR, KA, F) = range(8)
(E0, KE, GAIN, EC50, RISE) = range(8, 13)
(SHARE, RC50, KR, SPAN) = range(13, 17)
(SC50, SSLOPE, SOCC, MC50, MOCC) = range(17, 22)
(Y0, YPRIME, KY, YSHARE) = range(22, 26)
(LAMBDA, BR, BS, BY, PAUSE, DRINK) = range(26, 32)

#: What is kept at each point of the grid.
SIGNALS = (
    "bac", "bac_tissue", "gut", "eliminated", "endorphin", "mu", "reward", "sedation", "mood", "craving", "drinks",
)  # fmt: skip

#: Files that decide whether the compiled session is still the right one.
SOURCES = ("session.py", "cache.py")

#: Subjects of one task.
CHUNK = 1024

_N = 7  # states: gut, level, tissue level, endorphin, reward, craving, eliminated
_ATOL = 1e-10

# Dormand and Prince, 1980.
_A = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [1 / 5, 0.0, 0.0, 0.0, 0.0, 0.0],
        [3 / 40, 9 / 40, 0.0, 0.0, 0.0, 0.0],
        [44 / 45, -56 / 15, 32 / 9, 0.0, 0.0, 0.0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0.0, 0.0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0.0],
        [35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
)
_C = np.array([0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0])
_ERROR = np.array([71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])


@compiled(SOURCES)
def _activation(load, occupancy, e0):
    left = 1.0 - occupancy
    return load * left / ((1.0 + load) * left + occupancy * (1.0 + e0))


@compiled(SOURCES)
def _rates(y, p, occupancy, cue, infusion, out):
    level = max(y[1], 0.0)
    absorbed = p[KA] * y[0]
    lost = p[VMAX] * level / (p[KM] + level) + p[CLR] * level
    across = p[CLD] * (y[1] - y[2])
    rise = (absorbed + infusion - lost - across) / p[VC]
    e0 = p[E0]
    target = e0 * (1.0 + p[GAIN] * level / (level + p[EC50]) + p[RISE] * max(0.0, rise))
    opioid = 0.0
    if p[SPAN] > 0.0:
        opioid = (_activation(y[3], occupancy, e0) - _activation(e0, occupancy, e0)) / p[SPAN]
    reward = p[SHARE] * opioid + (1.0 - p[SHARE]) * level / (level + p[RC50])
    out[0] = -absorbed
    out[1] = rise
    out[2] = across / p[VT]
    out[3] = p[KE] * (target - y[3])
    out[4] = p[KR] * (reward - y[4])
    out[5] = p[KY] * (p[Y0] + (cue + p[YPRIME] * y[4]) * (1.0 - p[YSHARE] * occupancy) - y[5])
    out[6] = lost


@compiled(SOURCES)
def _advance(t0, t1, y, p, occ0, occ1, cue, infusion, rtol, step, a, c, weights, k, trial):
    """Integrate one piece of the grid in place; the step that came next, or a negative one where it failed."""
    t = t0
    slope = (occ1 - occ0) / (t1 - t0)
    n_states = y.size
    _rates(y, p, occ0, cue, infusion, k[0])
    for _ in range(100_000):
        left = t1 - t
        if left <= 1e-12 * max(1.0, abs(t1)):
            return step
        h = min(step, left)
        if h > 0.5 * left and h < left:
            h = 0.5 * left  # two equal steps rather than a long and a tiny one
        for s in range(1, 7):
            for i in range(n_states):
                total = 0.0
                for j in range(s):
                    total += a[s, j] * k[j, i]
                trial[i] = y[i] + h * total
            _rates(trial, p, occ0 + slope * (t + c[s] * h - t0), cue, infusion, k[s])
        worst = 0.0
        for i in range(n_states):
            e = 0.0
            for j in range(7):
                e += weights[j] * k[j, i]
            ratio = abs(h * e) / (_ATOL + rtol * max(abs(y[i]), abs(trial[i])))
            if not ratio < 1e300:  # not a number as well
                return -1.0
            worst = max(worst, ratio)
        factor = 5.0 if worst == 0.0 else min(5.0, max(0.2, 0.9 * worst**-0.2))
        if worst <= 1.0:
            t = t1 if h == left else t + h
            for i in range(n_states):
                y[i] = trial[i]
                k[0, i] = k[6, i]
            if h == step or factor < 1.0:
                step = h * factor
        else:
            step = h * factor
        if step < 1e-9:
            return -1.0
    return -1.0


@compiled(SOURCES)
def _follow(start, stop, people, grid, occupancy, cue, given, infusion, offered, most, uniform, rtol, a, c, weights,
            out, drinks, first, status):  # fmt: skip
    k = np.empty((7, _N))
    trial = np.empty(_N)
    y = np.empty(_N)
    for j in range(start, stop):
        p = people[j]
        taken = 0
        first[j] = np.inf
        free = -np.inf
        y[:] = 0.0
        y[3] = p[E0]
        y[5] = p[Y0]
        step = 0.01
        for g in range(grid.size):
            occ = occupancy[j, g]
            y[0] += p[F] * given[j, g]
            level = max(y[1], 0.0)
            power = level ** p[SSLOPE]
            sedation = power / (power + p[SC50] ** p[SSLOPE]) * (1.0 + p[SOCC] * occ)
            if offered[g] and taken < most and g + 1 < grid.size and grid[g] >= free - 1e-9:
                drive = p[BR] * y[4] - p[BS] * sedation + p[BY] * (y[5] - p[Y0] - 1.0)
                hazard = p[LAMBDA] * math.exp(drive)
                if uniform[j, g] < -math.expm1(-hazard * (grid[g + 1] - grid[g])):
                    y[0] += p[F] * p[DRINK]
                    if taken == 0:
                        first[j] = grid[g]
                    taken += 1
                    free = grid[g] + p[PAUSE]
            out[j, 0, g] = y[1]
            out[j, 1, g] = y[2]
            out[j, 2, g] = y[0]
            out[j, 3, g] = y[6]
            out[j, 4, g] = y[3]
            out[j, 5, g] = _activation(y[3], occ, p[E0])
            out[j, 6, g] = y[4]
            out[j, 7, g] = sedation
            out[j, 8, g] = level / (level + p[MC50]) * (1.0 + p[MOCC] * occ)
            out[j, 9, g] = y[5]
            out[j, 10, g] = taken
            if g + 1 < grid.size:
                step = _advance(grid[g], grid[g + 1], y, p, occ, occupancy[j, g + 1], cue[g], infusion[j, g], rtol,
                                step, a, c, weights, k, trial)  # fmt: skip
                if step < 0.0:
                    status[j] = 1
                    out[j, :, g + 1 :] = np.nan
                    break
                step = min(step, 0.25)
        drinks[j] = taken


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResult:
    """Result of laboratory sessions."""

    time_h: Floats  #: The grid [h]; shape (n_grid,)
    #: ``SIGNALS`` at the grid, after what happens there: levels in blood and tissue [g/L], ethanol in the gut and
    #: eliminated [g], load of endogenous opioid, activation of mu by it, reward, sedation, mood, craving [1], drinks
    #: chosen so far; shape (n, n_signals, n_grid)
    out: Floats
    drinks: Ints  #: Drinks chosen; shape (n,)
    first_h: Floats  #: When the first one was; infinite where there was none [h]; shape (n,)
    #: 0, or 1 where the numbers left the finite range; such a person's results are not numbers from there on; shape
    #: (n,)
    status: Ints

    def signal(self, name: str) -> Floats:
        """Return one of ``SIGNALS``, shape (n, n_grid)."""
        return np.asarray(self.out[:, SIGNALS.index(name)])


def run_sessions(
    people: Floats,
    grid: Floats,
    occupancy: Floats,
    uniform: Floats,
    *,
    cue: Floats | None = None,
    given: Floats | None = None,
    infusion: Floats | None = None,
    offered: NDArray[np.bool_] | None = None,
    most: int = 0,
    rtol: float = 1e-7,
    threads: int | None = None,
    chunk: int = CHUNK,
) -> SessionResult:
    """Follow one session of each person.

    - ``people``, shape (n, n_parameters): numbers of each person, columns ``PARAMETERS``.
    - ``grid``, shape (n_grid,): times of decisions and outputs, rising [h].
    - ``occupancy``, shape (n, n_grid) or (n, 1) or (n,): of mu by an antagonist, linear between points; one number for
      each person is constant [1].
    - ``uniform``, shape (n, n_grid): uniform draws of the decisions, from ``schild.engine.streams``.
    - ``cue``, shape (n_grid,): whether drinks are in sight, 0 to 1, from each point to the next; none by default [1].
    - ``given``, shape (n, n_grid): ethanol given by mouth at each point [g].
    - ``infusion``, shape (n, n_grid): ethanol into a vein from each point to the next [g/h].
    - ``offered``, shape (n_grid,): where the person may choose a drink; nowhere by default.
    - ``most``: drinks that may be chosen in all.
    - ``rtol``: tolerance of the integrator, relative, with a floor of 1e-10.
    - ``threads`` and ``chunk``: threads, all processors by default; people of one task.

    The bits are the same for any threads, chunk and neighbours. Raises ValueError if the arrays do not fit together, or
    an occupancy is not within 0 and 1.

    At the default tolerance the largest error over 10,000 random sessions was 1e-5 of a signal's largest value, at 1e-9
    below 1e-6 against SciPy (tests/oracle). A session of three hours takes a tenth of a millisecond.

    >>> import numpy as np
    >>> row = dict.fromkeys(PARAMETERS, 1.0) | {"km": 0.03, "vmax": 5.7, "vc": 15.0, "vt": 21.0, "e0": 0.05}
    >>> people = np.array([[row[name] for name in PARAMETERS]])
    >>> grid = np.linspace(0.0, 2.0, 25)
    >>> given = np.zeros((1, 25))
    >>> given[0, 0] = 28.0
    >>> found = run_sessions(people, grid, np.zeros(1), np.ones((1, 25)), given=given)
    >>> level = found.signal("bac")[0]
    >>> bool(level[0] == 0.0 and level.max() > 0.2), int(found.drinks[0])
    (True, 0)
    """
    n, times = people.shape[0], grid.size
    held = np.asarray(occupancy, dtype=np.float64).reshape(n, -1)
    if held.shape[1] == 1:
        held = np.repeat(held, times, axis=1)
    shapes = {
        "people": (people.shape, (n, len(PARAMETERS))),
        "occupancy": (held.shape, (n, times)),
        "uniform": (uniform.shape, (n, times)),
        "cue": (np.shape(cue) if cue is not None else (times,), (times,)),
        "given": (np.shape(given) if given is not None else (n, times), (n, times)),
        "infusion": (np.shape(infusion) if infusion is not None else (n, times), (n, times)),
        "offered": (np.shape(offered) if offered is not None else (times,), (times,)),
    }
    for name, (have, want) in shapes.items():
        if have != want:
            raise ValueError(f"{name} has shape {have}; expected {want}.")
    if times == 0 or not np.all(np.diff(grid) > 0):
        raise ValueError(f"grid must rise and not be empty; got {times} times, the first {grid[:5]}.")
    if not np.all((held >= 0.0) & (held <= 1.0)):
        raise ValueError(f"occupancy runs from {held.min()} to {held.max()}; expected fractions from 0 to 1.")
    nothing = np.zeros((n, times))
    arrays = (
        _floats(people),
        _floats(grid),
        _floats(held),
        _floats(np.zeros(times) if cue is None else cue),
        _floats(nothing if given is None else given),
        _floats(nothing if infusion is None else infusion),
        np.require(np.zeros(times, dtype=bool) if offered is None else offered, np.bool_, ["C", "W"]),
        int(most),
        _floats(uniform),
        float(rtol),
        _A,
        _C,
        _ERROR,
    )
    out = np.empty((n, len(SIGNALS), times))
    drinks, status = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    first = np.empty(n)
    parts = [(k, min(k + chunk, n)) for k in range(0, n, chunk)]

    def task(part: tuple[int, int]) -> None:
        _follow(*part, *arrays, out, drinks, first, status)

    workers = min(threads or threads_available(), len(parts))
    if workers <= 1:
        for part in parts:
            task(part)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(task, parts))
    return SessionResult(
        time_h=np.asarray(grid, dtype=np.float64), out=out, drinks=drinks, first_h=first, status=status
    )


def _floats(values: NDArray[np.floating]) -> Floats:
    # The kernel takes one set of types only: contiguous and writable (Numba tells read-only arrays apart).
    return np.require(values, np.float64, ["C", "W"])
