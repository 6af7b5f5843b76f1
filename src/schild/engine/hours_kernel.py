"""The compiled part of ``schild.engine.hours``: one person after the other from hour to hour."""

from __future__ import annotations

import math

import numpy as np

from schild.engine.cache import compiled
from schild.engine.hours import DOSED, FOLLOWED, REWARDED, TREATED, USED, WARD
from schild.engine.portable import KERNELS

SOURCES = KERNELS["follow_hours"].sources

#: Hour of the day at which a clinic sees people.
CLINIC = 9


@compiled(SOURCES)
def _uniform(key, stream, count):
    """Draw number ``count`` of a stream of a person: a hash (splitmix64), in (0, 1)."""
    x = key + np.uint64(0x9E3779B97F4A7C15) * (np.uint64(stream) * np.uint64(1000003) + np.uint64(count) + np.uint64(1))
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return (np.float64(x >> np.uint64(11)) + 0.5) * 2.0**-53


@compiled(SOURCES)
def _chance(log_odds):
    return 1.0 / (1.0 + math.exp(-log_odds))


@compiled(SOURCES)
def _adapt(drive, state, states):
    """One hour of every state under a constant drive, exact where the state does not cross it."""
    for i in range(state.size):
        if drive > state[i]:
            state[i] += (drive * states[i, 1] - state[i]) * states[i, 2]
        else:
            state[i] += (drive * states[i, 3] - state[i]) * states[i, 4]


@compiled(SOURCES)
def settle_states(load, push, every, hours, states, tone, bend, state):
    """Follow the states, from ``state`` on, under one dose every so many hours up to the last dose."""
    reach = load.size
    for k in range(hours):
        x = 0.0
        s = 0.0
        at = k % every
        while at < reach and at <= k:
            x += load[at]
            s += push[at]
            at += every
        s = s / (1.0 + tone + x)
        _adapt(s / (1.0 + bend * s), state, states)


@compiled(SOURCES)
def follow_hours(
    key, frailty, leaving, severity, before, refuses, adherence, start, treat, taper, low, used, states, body,
    behaviour, plan, days, urine, weekly, marks,
):  # fmt: skip
    """Follow every person; ``hours.run_hours`` explains the arrays."""
    (
        tone, tone_weight, bend, half, slope, like_slope, like_depth, like_reference, breath_tau, breath_depth,
        breath_reference, kappa, treat_push, treat_like, treat_amplified, taper_push, taper_like, taper_amplified,
        peak, peak_like, peak_amplified, usual_tolerance,
    ) = body  # fmt: skip
    (
        use, memory, withdrawal, blocked, exponent, cue, gain, fade, access, ward_leave, ward_withdrawal, comfort,
        ready, leave, leave_off, leave_use, leave_free, return_, return_use, stop, miss, miss_use, miss_off, window,
    ) = behaviour  # fmt: skip
    kind, every, wait, taper_days, low_days, until, ward, placebo, contingency = plan
    n, n_days = days.shape
    reach = treat.shape[1]
    earliest = 0
    for j in range(n):
        earliest = max(earliest, before[j])
    whole = earliest + 24 * n_days + 1
    longest = max(reach, max(used.shape[1], max(taper.size, low.size)))
    held = np.zeros(whole + longest)  # load of the treatment
    tapered = np.zeros(whole + longest)
    mine = np.zeros((4, whole + longest))  # what is used: load, push, liking, amplified
    state = np.zeros(states.shape[0])
    lower, upper = math.log(leave_use), math.log(leave_free)
    for j in range(n):
        pre = int(before[j])
        end = pre + 24 * n_days
        held[:] = 0.0
        tapered[:] = 0.0
        mine[:] = 0.0
        for i in range(state.size):
            state[i] = start[i]
        craving = 1.0
        last_use = 0  # of any opioid; a taper counts
        last_own = -10000
        events = 0
        threshold = -math.log(_uniform(key[j], 1, 0))
        gathered = 0.0
        on_ward = ward > 0.5
        ward_threshold = -math.log(_uniform(key[j], 2, 0))
        ward_gathered = 0.0
        treated = False
        given_up = False
        gone = False
        first = -1
        next_dose = -1
        doses = 0
        stop_day = n_days
        leave_day = n_days
        reward = 1.0
        used_week = 0
        reward_week = 0.0
        used_interval = 0
        low_given = 0
        fixed = 0.0
        for k in range(end):
            day = (k - pre) // 24 if k >= pre else -1
            clinic = k >= pre and (k - pre) % 24 == CLINIC
            # A taper on the ward: buprenorphine, less each day, from the first withdrawal on.
            if taper_days > 0 and k % 24 == 12 and k // 24 < taper_days and (on_ward or k < pre):
                part = 1.0 - (k // 24) / taper_days
                for h in range(taper.size):
                    tapered[k + h] += part * taper[h]
                last_use = max(last_use, k)
            b, t = held[k], tapered[k]
            agonist = kind == 1
            x = 1.0 + tone + b + t + mine[0, k]
            drive = taper_push * t + mine[1, k]
            if agonist:
                drive += treat_push * b
            drive /= x
            drive = drive / (1.0 + bend * drive)
            _adapt(drive, state, states)
            adapted = 0.0
            for i in range(state.size):
                adapted += states[i, 0] * state[i]
            gap = adapted - drive - tone_weight * tone / x
            cows = 0.0
            if gap > 0.0:
                ratio = (severity[j] * gap / half) ** slope
                cows = 48.0 * ratio / (1.0 + ratio)
            if k % 3 == 0 or mine[0, k] > 1e-3:
                # Rise in liking by one more dose now, over that without drugs.
                divisor = 1.0 + (like_depth - 1.0) * state[3] / like_reference
                own = taper_like * t + mine[2, k]
                amplified = taper_amplified * t + mine[3, k]
                if agonist:
                    own += treat_like * b
                    amplified += treat_amplified * b
                before_it = 0.0
                if own > 1e-9:
                    before_it = (own / (x + amplified) / divisor) ** like_slope
                after = ((own + peak_like) / (x + amplified + peak + peak_amplified) / divisor) ** like_slope
                alone = (peak_like / (1.0 + tone + peak + peak_amplified)) ** like_slope
                reward = (after / (1.0 + after) - before_it / (1.0 + before_it)) / (alone / (1.0 + alone))
                reward = min(max(reward, 0.0), 1.0)
                fixed = blocked + (1.0 - blocked) * reward**exponent
            if k % 24 == 0:
                # Sum of four uniforms: near enough to a normal for a cue.
                z = -2.0
                for i in range(4):
                    z += _uniform(key[j], 3, 4 * (k // 24) + i)
                of_day = cue * z * math.sqrt(3.0)
            craving *= fade
            if on_ward and k >= pre:
                ward_gathered += ward_leave * math.exp(ward_withdrawal * comfort * cows / 10.0 + leaving[j]) / 24.0
                if ward_gathered > ward_threshold:
                    on_ward = False
            hazard = use * math.exp(frailty[j] + memory * craving + withdrawal * cows / 10.0 + of_day) * fixed
            if k >= pre:
                gathered += hazard * access if on_ward else hazard
            if gathered > threshold:
                events += 1
                gathered = 0.0
                threshold = -math.log(_uniform(key[j], 1, events))
                for h in range(used.shape[1]):
                    for i in range(4):
                        mine[i, k + h] += used[i, h]
                craving += gain * (reward - craving)
                last_use = last_own = k
                used_week += 1
                reward_week += reward
                used_interval += 1
                days[j, day] |= USED
                if reward > 0.5:
                    days[j, day] |= REWARDED
                shift = 1.0 + (breath_depth - 1.0) * state[1] / breath_reference
                tolerance = (1.0 + breath_tau) / (1.0 + breath_tau / shift)
                weekly[j, day // 7, 3] += (usual_tolerance / (tolerance * (1.0 + b + t))) ** kappa
            if k >= pre:
                week = day // 7
                weekly[j, week, 0] += craving / 168.0
                weekly[j, week, 1] += cows / 168.0
                weekly[j, week, 2] += (b / x) / 168.0
                if treated and not given_up:
                    days[j, day] |= TREATED
                if not gone:
                    days[j, day] |= FOLLOWED
                if on_ward:
                    days[j, day] |= WARD
            if not clinic:
                continue
            # ---- the clinic's hour: induction, doses, visits
            if kind == 1 and not treated and not given_up and not gone:
                if refuses[j] > 0.5:
                    given_up = True
                    stop_day = day
                else:
                    treated = True
                    first = day
                    next_dose = k
                on_ward = False
            elif kind == 0 and day == 0:
                on_ward = False
            elif kind == 2 and not treated and not given_up and not gone:
                if day >= until or (refuses[j] > 0.5 and day >= 1):
                    given_up = True
                    on_ward = False
                    stop_day = day
                elif k - last_use >= 24.0 * wait and cows < ready:
                    if low_given < low_days:
                        part = 0.5 * (low_given + 1.0) / low_days
                        if placebo < 0.5:
                            for h in range(low.size):
                                held[k + h] += part * low[h]
                        low_given += 1
                    elif refuses[j] < 0.5:
                        treated = True
                        first = day
                        next_dose = k
                        on_ward = False
                        used_interval = 0
                elif k - last_use < 24:
                    low_given = 0
            if treated and not given_up and not gone and k >= next_dose:
                takes = True
                comes = True
                if every > 48:
                    if doses > 0:
                        odds = return_ + contingency - leaving[j] + (return_use if used_interval > 0 else 0.0)
                        comes = _uniform(key[j], 4, doses) < _chance(odds)
                else:
                    takes = _uniform(key[j], 5, day) < adherence[j]
                if not comes:
                    given_up = True
                    stop_day = day
                elif takes:
                    if placebo < 0.5:
                        for h in range(reach):
                            if k + h < held.size:
                                held[k + h] += treat[j, h]
                    doses += 1
                    used_interval = 0
                    days[j, day] |= DOSED
                next_dose += int(every)
            if day % 7 == 6:
                week = day // 7
                missing = True
                if treated and not given_up and stop > 0.0 and _uniform(key[j], 8, week) < stop:
                    given_up = True
                    stop_day = day
                if not gone:
                    odds = (leave if treated and not given_up else leave_off) - contingency + leaving[j]
                    if used_week > 0:
                        odds += lower + (upper - lower) * reward_week / used_week
                    # Who waits on the ward leaves by the ward's own hazard.
                    if not on_ward and _uniform(key[j], 6, week) < _chance(odds):
                        gone = True
                        leave_day = day
                        if not given_up:
                            given_up = True
                            stop_day = day
                    else:
                        recent = k - last_own <= window
                        odds = miss + (miss_use if recent else 0.0)
                        if not on_ward and (not treated or given_up):
                            odds += miss_off
                        missing = _uniform(key[j], 7, week) < _chance(odds)
                        if not missing:
                            urine[j, week] = 1 if recent else 0
                if missing:
                    urine[j, week] = 2
                used_week = 0
                reward_week = 0.0
        marks[j, 0] = first
        marks[j, 1] = stop_day
        marks[j, 2] = leave_day
        marks[j, 3] = doses
