"""The compiled part of ``schild.engine.days``: eight people at a time from day to day."""

from __future__ import annotations

import math

import numpy as np

from schild.engine.cache import compiled
from schild.engine.lane_math import exponential, logarithm, put_row, row, whole_part
from schild.engine.lanes import W, choose, maximum, minimum, number, splat, write
from schild.engine.portable import KERNELS

SOURCES = KERNELS["follow_days"].sources

# Places of a day in the workspace, in lanes: what is given, and in the first two what is found.
(_SHIFT_DRINKING, _SHIFT_HEAVY, _LOST, _U_DRINKING, _U_HEAVY, _U_AMOUNT, _Z, _OF_DAY) = range(8)
_STATE, _DRINKS = 0, 1
# Places of the people, behind those of all days.
(_DRINKING, _HEAVY, _LIMIT, _TAIL, _CRAVING, _VALUE, _DRANK, _DRANK_MUCH, _OF_PEOPLE) = range(9)


@compiled(SOURCES)
def _probability(log_odds):
    """Probability of log odds, of which 700 are as good as any larger number."""
    return 1.0 / (1.0 + exponential(0.0 - maximum(-700.0, minimum(700.0, log_odds))))


@compiled(SOURCES)
def _gather(ws, place, l, values, first, days):
    """Write a person's numbers of all days into a lane."""
    for d in range(days):
        write(ws, (d * _OF_DAY + place) * W + l, number(values, first + d))


@compiled(SOURCES)
def follow_days(
    drinking, heavy, shift_drinking, shift_heavy, lost, limit, tail, habit,
    u_drinking, u_heavy, u_amount, z_craving, before, craving, value, state, drinks,
):  # fmt: skip
    """Follow every person; ``days.run_days`` explains the arrays."""
    n, days = u_drinking.shape
    people = _OF_DAY * days
    ws = np.empty((people + _OF_PEOPLE) * W)
    fresh = math.sqrt(1.0 - habit[4] * habit[4])
    nothing, one = splat(0.0), splat(1.0)
    for block in range(0, n, W):
        here = min(W, n - block)
        for l in range(W):
            j = min(block + l, n - 1)
            _gather(ws, _SHIFT_DRINKING, l, shift_drinking, j * days, days)
            _gather(ws, _SHIFT_HEAVY, l, shift_heavy, j * days, days)
            _gather(ws, _LOST, l, lost, j * days, days)
            _gather(ws, _U_DRINKING, l, u_drinking, j * days, days)
            _gather(ws, _U_HEAVY, l, u_heavy, j * days, days)
            _gather(ws, _U_AMOUNT, l, u_amount, j * days, days)
            _gather(ws, _Z, l, z_craving, j * days, days)
            at = people * W + l
            ws[at + _DRINKING * W], ws[at + _HEAVY * W] = drinking[j], heavy[j]
            ws[at + _LIMIT * W], ws[at + _TAIL * W] = limit[j], tail[j]
            ws[at + _CRAVING * W], ws[at + _VALUE * W] = craving[j], value[j]
            ws[at + _DRANK * W] = 1.0 if before[j] > 0 else 0.0
            ws[at + _DRANK_MUCH * W] = 1.0 if before[j] == 2 else 0.0
        slow, worth = row(ws, people + _CRAVING), row(ws, people + _VALUE)
        drank, drank_much = row(ws, people + _DRANK), row(ws, people + _DRANK_MUCH)
        few, mean = row(ws, people + _LIMIT), row(ws, people + _TAIL)
        for d in range(days):
            day = d * _OF_DAY
            slow = habit[4] * slow + fresh * row(ws, day + _Z)
            common = habit[3] * slow + habit[7] * (worth - 1.0)
            odds = row(ws, people + _DRINKING) + row(ws, day + _SHIFT_DRINKING) + common
            odds = odds + habit[0] * drank + habit[1] * drank_much
            drinks_now = _probability(odds) - row(ws, day + _U_DRINKING)
            odds = row(ws, people + _HEAVY) + row(ws, day + _SHIFT_HEAVY) + common + habit[2] * drank_much
            much_now = choose(drinks_now, _probability(odds) - row(ws, day + _U_HEAVY), nothing)
            worth = choose(drinks_now, worth + habit[6] * (1.0 - row(ws, day + _LOST) - worth), worth)
            drank, drank_much = choose(drinks_now, one, nothing), choose(much_now, one, nothing)
            u = row(ws, day + _U_AMOUNT)
            many = minimum(few + whole_part(0.0 - mean * logarithm(1.0 - u)), habit[5])
            many = choose(much_now, many, 1.0 + whole_part(u * (few - 1.0)))
            put_row(ws, day + _STATE, drank + drank_much)
            put_row(ws, day + _DRINKS, choose(drinks_now, many, nothing))
        put_row(ws, people + _CRAVING, slow)
        put_row(ws, people + _VALUE, worth)
        for l in range(here):
            j, at = block + l, people * W + l
            craving[j], value[j] = ws[at + _CRAVING * W], ws[at + _VALUE * W]
            for d in range(days):
                at = d * _OF_DAY * W + l
                state[j, d], drinks[j, d] = number(ws, at + _STATE * W), number(ws, at + _DRINKS * W)
