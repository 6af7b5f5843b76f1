"""The drive of adaptation over time, from occupancies of the receptors it follows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schild.array_types import AnyFloats, Floats
from schild.engine.lags import carry, follow
from schild.errors import SchildError
from schild.model.build import Built
from schild.model.spec import ENDOGENOUS, LAG
from schild.units import TICKS_PER_HOUR

#: Pieces of the course after a dose, by its interval. [h]
_NODES = ((8.0, 48), (24.0, 72), (1e9, 144))

#: Periods after which every state is on its steady course, whatever its times and the period's length.
_ENDLESS = 10_000_000

#: Largest change of a state over one more period that counts as steady.
_STEADY = 1e-6


def nodes_of(doses: Sequence[int], length: int, finer: int = 1) -> list[int]:
    """Ticks from 0 to ``length``, close together after each dose.

    ``doses``: times of doses, rising, the first at 0 [us]; ``length``: end [us]; ``finer``: factor on the number
    of times. Returns them, rising [us].

    >>> nodes = nodes_of([0], 6 * TICKS_PER_HOUR)
    >>> nodes[0], len(nodes), nodes[-1] == 6 * TICKS_PER_HOUR
    (0, 49, True)
    """
    found = {0, length}
    for a, b in zip(doses, [*doses[1:], length], strict=True):
        count = finer * next(n for hours, n in _NODES if (b - a) / TICKS_PER_HOUR <= hours)
        found |= {a + round((b - a) * (k / count) ** 1.6) for k in range(count + 1)}
    return sorted(found)


def rates_of(built: Built, n: int) -> Floats:
    """Rates of the adaptation states of ``n`` people, shape (n, n_states, 5), as ``schild.engine.lags`` takes them.

    Without those that follow withdrawal (``after_withdrawal``).
    """
    adaptation = built.spec.adaptation
    assert adaptation is not None  # callers have built it so
    rates = np.empty((n, len(adaptation.states), len(LAG)))
    for k, name in enumerate(adaptation.states):
        for m, part in enumerate(LAG):
            rates[:, k, m] = built.parameters[f"adaptation.{name}.{part}"]
    return rates


def drive_of(built: Built, slots: Sequence[str], occupancy: AnyFloats) -> Floats:
    """Drive of adaptation from occupancies.

    ``built``: a model with adaptation; ``slots``: names of the occupancies; ``occupancy``, shape (n, n_slots, n_times):
    their values [1]. Returns drive [1], shape (n, n_times).
    """
    n = occupancy.shape[0]
    drive = np.zeros((n, occupancy.shape[2]))
    for m, slot in enumerate(slots):
        weight = np.asarray(built.parameters.get(slot.replace("_occupancy_", ".") + ".drive", 0.0))
        if np.any(weight > 0):
            drive += np.broadcast_to(weight, (n,))[:, None] * occupancy[:, m, :]
    return drive / (1.0 + np.broadcast_to(np.asarray(built.parameters["adaptation.bend"]), (n,))[:, None] * drive)


def steady_lags(hours: Floats, drive: Floats, rates: Floats) -> Floats:
    """Adaptation states at the beginning of a period that has been repeated without end.

    ``hours``, shape (n_nodes,): nodes of one period, from 0 to its length [h]; ``drive``, shape (n, n_nodes): drive in
    it [1]; ``rates``, shape (n, n_states, 5): from ``rates_of``. Returns states, shape (n, n_states). Raises
    SchildError if a state does not settle.

    >>> rates = np.array([[[0.01, 0.01, 0.01, 0.01, 0.0]]])
    >>> steady_lags(np.linspace(0.0, 6.0, 7), np.full((1, 7), 0.3), rates).round(6).tolist()
    [[0.3]]
    """
    window = np.array([0])
    state = carry(hours, drive[:, None, :], window, (0, _ENDLESS), rates, np.zeros(rates.shape[:2]))
    again = carry(hours, drive[:, None, :], window, (0, 1), rates, state)
    moved = np.abs(again - state)
    if np.any(moved > _STEADY):
        raise SchildError(
            f"Adaptation under endless equal doses still moves by {np.nanmax(moved):.1e} in a period; expected a "
            f"steady course within {_STEADY:g}. Give the earlier use as a history with an end."
        )
    return state


def after_withdrawal(
    built: Built, slots: Sequence[str], occupancy: AnyFloats, hours: Floats, states: Floats
) -> tuple[Floats, Floats]:
    """States that follow withdrawal after one period, and what the period leaves of what was there before.

    ``built``: a model whose mechanism has such states; ``slots`` and ``occupancy``, shape (n, n_slots,
    n_nodes): as for ``drive_of``; ``hours``, shape (n_nodes,): nodes of the period, from 0 to its length [h];
    ``states``, shape (n, n_states): the other states at its beginning. Returns them after the period from a start at
    zero, and the factors on a start [1], shape (n, n_followers) each.
    """
    adaptation = built.spec.adaptation
    assert adaptation is not None  # callers have built it so
    n = occupancy.shape[0]

    def number(name: str) -> Floats:
        return np.broadcast_to(np.asarray(built.parameters[f"adaptation.{name}"]), (n,))[:, None]

    drive = drive_of(built, slots, occupancy)
    along = follow(hours, drive, rates_of(built, n), states)
    left = -drive
    for k, name in enumerate(adaptation.states):
        left = left + number(f"{name}.weight") * along[:, k]
    if (slot := f"{adaptation.receptors[0]}_occupancy_{ENDOGENOUS}") in slots:
        left = left - number("tone") * occupancy[:, list(slots).index(slot)]
    rate = np.concatenate([number(f"{name}.gain_up") for name in adaptation.followers], axis=1)
    rates = np.stack([rate, rate, rate, rate, np.zeros_like(rate)], axis=2)
    gained = follow(hours, np.maximum(left, 0.0), rates, np.zeros_like(rate))[:, :, -1]
    return gained, np.exp(-rate * hours[-1])
