"""The compiled part of ``schild.engine.days``: one person after the other from day to day."""

from __future__ import annotations

import math

from schild.engine.cache import compiled
from schild.engine.portable import KERNELS

SOURCES = KERNELS["follow_days"].sources


@compiled(SOURCES)
def _probability(log_odds):
    return 1.0 / (1.0 + math.exp(-log_odds))


@compiled(SOURCES)
def follow_days(
    drinking, heavy, shift_drinking, shift_heavy, lost, limit, tail, habit,
    u_drinking, u_heavy, u_amount, z_craving, before, craving, value, state, drinks,
):  # fmt: skip
    """Follow every person; ``days.run_days`` explains the arrays."""
    n, days = u_drinking.shape
    fresh = math.sqrt(1.0 - habit[4] * habit[4])
    for j in range(n):
        last = before[j]
        slow = craving[j]
        worth = value[j]
        for d in range(days):
            slow = habit[4] * slow + fresh * z_craving[j, d]
            common = habit[3] * slow + habit[7] * (worth - 1.0)
            odds = drinking[j] + shift_drinking[j, d] + common
            if last > 0:
                odds += habit[0]
            if last == 2:
                odds += habit[1]
            now = 0
            many = 0
            if u_drinking[j, d] < _probability(odds):
                odds = heavy[j] + shift_heavy[j, d] + common
                if last == 2:
                    odds += habit[2]
                if u_heavy[j, d] < _probability(odds):
                    now = 2
                    above = -tail[j] * math.log(1.0 - u_amount[j, d])
                    many = int(min(limit[j] + math.floor(above), habit[5]))
                else:
                    now = 1
                    many = 1 + math.floor(u_amount[j, d] * (limit[j] - 1))
                worth += habit[6] * (1.0 - lost[j, d] - worth)
            state[j, d] = now
            drinks[j, d] = many
            last = now
        craving[j] = slow
        value[j] = worth
