"""The compiled drinking session: ethanol, endorphin, reward, craving and the next drink, for many people at once.

Each person is followed separately by an embedded Runge-Kutta pair of order 5(4) [Dormand1980] with its own steps, so
results do not depend on neighbours, chunks or threads. Steps end at the points of the grid, where drinks are given or
chosen. The relations are those of ``schild.pharmacology.alcohol``; ``tests/session_reference.py`` is a plain
implementation.
Hours, grams, litres.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.engine.portable import entry, plain
from schild.engine.run import threads_available

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

#: Signals kept at each point of the grid.
SIGNALS = (
    "bac", "bac_tissue", "gut", "eliminated", "endorphin", "mu", "reward", "sedation", "mood", "craving", "drinks",
)  # fmt: skip

#: Subjects of one task.
CHUNK = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResult:
    """Result of laboratory sessions."""

    time_h: Floats  #: The grid [h]; shape (n_grid,)
    #: ``SIGNALS`` at the grid, after the events there: levels in blood and tissue [g/L], ethanol in the gut and
    #: eliminated [g], load of endogenous opioid, activation of mu by it, reward, sedation, mood, craving [1], drinks
    #: chosen so far; shape (n, n_signals, n_grid)
    out: Floats
    drinks: Ints  #: Drinks chosen; shape (n,)
    first_h: Floats  #: Time of the first drink, infinite where there was none [h]; shape (n,)
    #: 0, or 1 where the numbers left the finite range, from where on that person's results are NaN; shape (n,)
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
    - ``offered``, shape (n_grid,): points at which the person may choose a drink; none by default.
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
        plain(people),
        plain(grid),
        plain(held),
        plain(np.zeros(times) if cue is None else cue),
        plain(nothing if given is None else given),
        plain(nothing if infusion is None else infusion),
        plain(np.zeros(times, dtype=bool) if offered is None else offered, np.bool_),
        int(most),
        plain(uniform),
        float(rtol),
    )
    out = np.empty((n, len(SIGNALS), times))
    drinks, status = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    first = np.empty(n)
    parts = [(k, min(k + chunk, n)) for k in range(0, n, chunk)]

    follow = entry("follow_sessions")

    def task(part: tuple[int, int]) -> None:
        follow(*part, *arrays, out, drinks, first, status)

    workers = min(threads or threads_available(), len(parts))
    if workers <= 1:
        for part in parts:
            task(part)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(task, parts))
    return SessionResult(time_h=np.array(grid, dtype=np.float64), out=out, drinks=drinks, first_h=first, status=status)
