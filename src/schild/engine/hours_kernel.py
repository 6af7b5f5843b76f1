"""The compiled part of ``schild.engine.hours``: eight people at a time from hour to hour."""

from __future__ import annotations

import math

import numpy as np

from schild.engine.cache import compiled
from schild.engine.hours import DOSED, FOLLOWED, REWARDED, TREATED, USED, WARD
from schild.engine.lane_math import exponential, power, put_row, row
from schild.engine.lanes import W, choose, load, lowest, maximum, minimum, positive, splat
from schild.engine.portable import KERNELS

SOURCES = KERNELS["follow_hours"].sources

#: Hour of the day at which a clinic sees people.
CLINIC = 9

# Places in the workspace, in lanes: states of adaptation; what is followed and what limits it; constants of the people;
# sums of a week.
(_STATE, _STRESS, _ACUTE, _CRAVING, _GATHERED, _THRESHOLD, _STAY, _STAY_LIMIT, _ON_WARD, _REWARD, _FIXED, _COWS,
 _OF_DAY, _OTHERS, _FRAILTY, _LEAVING, _SEVERITY, _PRE, _END, _SUMS, _SIZE) = 0, *range(4, 23), 26  # fmt: skip


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
    for i in range(states.shape[0]):
        if drive > state[i]:
            state[i] += (drive * states[i, 1] - state[i]) * states[i, 2]
        else:
            state[i] += (drive * states[i, 3] - state[i]) * states[i, 4]


@compiled(SOURCES)
def settle_states(load, push, every, hours, states, body, state):
    """Follow the states, from ``state`` on, under one dose every so many hours up to the last dose."""
    tone, tone_weight, bend, stress_step, acute_step = body
    n_states = states.shape[0]
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
        s = s / (1.0 + bend * s)
        _adapt(s, state, states)
        left = -s - tone_weight * tone / (1.0 + tone + x)
        for i in range(n_states):
            left += states[i, 0] * state[i]
        state[n_states] += (max(left, 0.0) - state[n_states]) * stress_step
        state[n_states + 1] += (max(left, 0.0) - state[n_states + 1]) * acute_step


@compiled(SOURCES)
def _cover(course, k, l, part, dose):
    """Add the course of a dose to that of a lane from an hour on."""
    for h in range(min(dose.size, course.shape[0] - k)):
        course[k + h, l] += part * dose[h]


@compiled(SOURCES)
def follow_hours(
    key, frailty, leaving, severity, before, refuses, adherence, start, treat, taper, low, used, states, body,
    behaviour, plan, days, urine, weekly, marks,
):  # fmt: skip
    """Follow every person; ``hours.run_hours`` explains the arrays."""
    (
        tone, tone_weight, bend, half, slope, like_slope, like_depth, like_reference, breath_tau, breath_depth,
        breath_reference, kappa, treat_push, treat_like, treat_amplified, taper_push, taper_like, taper_amplified,
        peak, peak_like, peak_amplified, usual_tolerance, stress, stress_step,
        acute, acute_step,
    ) = body  # fmt: skip
    (
        use, memory, withdrawal, blocked, exponent, cue, gain, fade, access, ward_leave, ward_withdrawal, comfort,
        ready, leave, leave_off, leave_use, leave_free, return_, return_use, stop, miss, miss_use, miss_off, window,
    ) = behaviour  # fmt: skip
    kind, every, wait, taper_days, low_days, until, ward, placebo, contingency = plan
    n, n_days = days.shape
    earliest = 0
    for j in range(n):
        earliest = max(earliest, before[j])
    whole = earliest + 24 * n_days + 1
    held = np.zeros((whole, W))  # load of the treatment
    tapered = np.zeros((whole, W))
    mine = np.zeros((4, whole, W))  # what is used: load, push, liking, amplified
    ws = np.zeros(_SIZE * W)
    lower, upper = math.log(leave_use), math.log(leave_free)
    alone = (peak_like / (1.0 + tone + peak + peak_amplified)) ** like_slope
    alone = alone / (1.0 + alone)
    agonist = kind == 1
    whole_numbers, flags = np.zeros((12, W), dtype=np.int64), np.zeros((3, W), dtype=np.bool_)
    pre, events, last_use, last_own = whole_numbers[0], whole_numbers[1], whole_numbers[2], whole_numbers[3]
    first, next_dose, doses = whole_numbers[4], whole_numbers[5], whole_numbers[6]
    stop_day, leave_day = whole_numbers[7], whole_numbers[8]
    used_week, used_interval, low_given = whole_numbers[9], whole_numbers[10], whole_numbers[11]
    treated, given_up, gone = flags[0], flags[1], flags[2]
    reward_week = np.zeros(W)
    for block in range(0, n, W):
        here = min(W, n - block)
        held[:] = 0.0
        tapered[:] = 0.0
        mine[:] = 0.0
        ws[:] = 0.0
        whole_numbers[:] = 0
        flags[:] = False
        last = 0
        for l in range(W):
            j = min(block + l, n - 1)
            pre[l] = before[j]
            # A lane without a person of its own is never in the trial.
            end = pre[l] + 24 * n_days if l < here else 0
            last = max(last, end)
            for i in range(4):
                ws[(_STATE + i) * W + l] = start[i]
            ws[_STRESS * W + l], ws[_ACUTE * W + l] = start[4], start[5]
            ws[_CRAVING * W + l] = ws[_REWARD * W + l] = 1.0
            ws[_THRESHOLD * W + l] = -math.log(_uniform(key[j], 1, 0))
            ws[_STAY_LIMIT * W + l] = -math.log(_uniform(key[j], 2, 0))
            ws[_ON_WARD * W + l] = 1.0 if ward > 0.5 else 0.0
            ws[_FRAILTY * W + l], ws[_LEAVING * W + l], ws[_SEVERITY * W + l] = frailty[j], leaving[j], severity[j]
            ws[_PRE * W + l], ws[_END * W + l] = pre[l], end
        last_own[:] = -10000
        first[:] = -1
        next_dose[:] = -1
        stop_day[:] = n_days
        leave_day[:] = n_days
        reward_week[:] = 0.0
        for k in range(last):
            # A taper on the ward: buprenorphine, less each day, from the first withdrawal on.
            if taper_days > 0 and k % 24 == 12 and k // 24 < taper_days:
                for l in range(here):
                    if ws[_ON_WARD * W + l] > 0.0 or k < pre[l]:
                        _cover(tapered, k, l, 1.0 - (k // 24) / taper_days, taper)
                        last_use[l] = max(last_use[l], k)
            if k % 24 == 0:
                for l in range(here):
                    # Sum of four uniforms: near enough to a normal for a cue.
                    z = -2.0
                    for i in range(4):
                        z += _uniform(key[block + l], 3, 4 * (k // 24) + i)
                    ws[_OF_DAY * W + l] = cue * z * math.sqrt(3.0)
            nothing = splat(0.0)
            inside = choose(k + 0.5 - row(ws, _PRE), choose(row(ws, _END) - k, splat(1.0), nothing), nothing)
            b, t, own = load(held, k * W), load(tapered, k * W), load(mine, k * W)
            x = own + b + t + (1.0 + tone)
            drive = taper_push * t + load(mine, (whole + k) * W)
            if agonist:
                drive = drive + treat_push * b
            drive = drive / x
            drive = drive / (1.0 + bend * drive)
            adapted = nothing
            for i in range(4):
                state = row(ws, _STATE + i)
                up = (drive * states[i, 1] - state) * states[i, 2]
                state = state + choose(drive - state, up, (drive * states[i, 3] - state) * states[i, 4])
                put_row(ws, _STATE + i, state)
                adapted = adapted + states[i, 0] * state
            gap = maximum(adapted - drive - tone_weight * tone / x, 0.0)
            recruited = row(ws, _STRESS)
            recruited = recruited + (gap - recruited) * stress_step
            put_row(ws, _STRESS, recruited)
            usual = row(ws, _ACUTE)
            usual = usual + (gap - usual) * acute_step
            put_row(ws, _ACUTE, usual)
            gap = gap + stress * recruited + acute * maximum(gap - usual, 0.0)
            cows = nothing
            if positive(gap):
                ratio = power(row(ws, _SEVERITY) * gap / half, slope)
                cows = choose(gap, 48.0 * ratio / (1.0 + ratio), nothing)
            now = splat(1.0) if k % 3 == 0 else own - 1e-3
            if positive(now):
                # Rise in liking by one more dose now, over that without drugs.
                divisor = 1.0 + (like_depth - 1.0) / like_reference * row(ws, _STATE + 3)
                liked = taper_like * t + load(mine, (2 * whole + k) * W)
                amplified = x + taper_amplified * t + load(mine, (3 * whole + k) * W)
                if agonist:
                    liked, amplified = liked + treat_like * b, amplified + treat_amplified * b
                earlier = nothing
                if positive(liked - 1e-9):
                    earlier = choose(liked - 1e-9, power(liked / amplified / divisor, like_slope), nothing)
                after = power((liked + peak_like) / (amplified + (peak + peak_amplified)) / divisor, like_slope)
                reward = (after / (1.0 + after) - earlier / (1.0 + earlier)) / alone
                reward = minimum(maximum(reward, 0.0), 1.0)
                put_row(ws, _REWARD, choose(now, reward, row(ws, _REWARD)))
                fixed = blocked + (1.0 - blocked) * power(reward, exponent)
                put_row(ws, _FIXED, choose(now, fixed, row(ws, _FIXED)))
            craving = fade * row(ws, _CRAVING)
            urge = withdrawal / 10.0 * cows + row(ws, _OF_DAY)
            if ward > 0.5 and positive(row(ws, _ON_WARD)):
                fear = exponential(ward_withdrawal * comfort / 10.0 * cows + row(ws, _LEAVING))
                stay = row(ws, _STAY) + inside * (ward_leave / 24.0 * fear)
                put_row(ws, _STAY, stay)
                left = choose(stay - row(ws, _STAY_LIMIT), nothing, row(ws, _ON_WARD))
                put_row(ws, _ON_WARD, left)
                exposed = choose(left, access * inside, inside)
            else:
                exposed = inside
            hazard = use * exponential(row(ws, _FRAILTY) + memory * craving + urge) * row(ws, _FIXED)
            gathered = row(ws, _GATHERED) + exposed * hazard
            put_row(ws, _CRAVING, craving)
            put_row(ws, _GATHERED, gathered)
            put_row(ws, _COWS, cows)
            put_row(ws, _OTHERS, b + t)
            bits = positive(gathered - row(ws, _THRESHOLD))
            while bits:
                l = lowest(bits)
                bits &= bits - 1
                j, day, reward_now = block + l, (k - pre[l]) // 24, ws[_REWARD * W + l]
                events[l] += 1
                ws[_GATHERED * W + l] = 0.0
                ws[_THRESHOLD * W + l] = -math.log(_uniform(key[j], 1, events[l]))
                for i in range(4):
                    _cover(mine[i], k, l, 1.0, used[i])
                ws[_CRAVING * W + l] += gain * (reward_now - ws[_CRAVING * W + l])
                last_use[l] = last_own[l] = k
                used_week[l] += 1
                reward_week[l] += reward_now
                used_interval[l] += 1
                days[j, day] |= USED
                if reward_now > 0.5:
                    days[j, day] |= REWARDED
                shift = 1.0 + (breath_depth - 1.0) * ws[(_STATE + 1) * W + l] / breath_reference
                tolerance = (1.0 + breath_tau) / (1.0 + breath_tau / shift)
                against = tolerance * (1.0 + ws[_OTHERS * W + l])
                weekly[j, day // 7, 3] += (usual_tolerance / against) ** kappa
            put_row(ws, _SUMS, row(ws, _SUMS) + inside * row(ws, _CRAVING))
            put_row(ws, _SUMS + 1, row(ws, _SUMS + 1) + inside * cows)
            put_row(ws, _SUMS + 2, row(ws, _SUMS + 2) + inside * (b / x))
            for l in range(here):
                since = k - pre[l]
                if since < 0 or since >= 24 * n_days:
                    continue
                hour, day, j = since % 24, since // 24, block + l
                if hour == 23 and day % 7 == 6:
                    for i in range(3):
                        weekly[j, day // 7, i] = ws[(_SUMS + i) * W + l] / 168.0
                        ws[(_SUMS + i) * W + l] = 0.0
                if hour not in (0, CLINIC):
                    continue
                on_ward = ws[_ON_WARD * W + l] > 0.0
                if hour == CLINIC:
                    # ---- the clinic's hour: induction, doses, visits
                    if kind == 1 and not treated[l] and not given_up[l] and not gone[l]:
                        if refuses[j] > 0.5:
                            given_up[l] = True
                            stop_day[l] = day
                        else:
                            treated[l] = True
                            first[l] = day
                            next_dose[l] = k
                        on_ward = False
                    elif kind == 0 and day == 0:
                        on_ward = False
                    elif kind == 2 and not treated[l] and not given_up[l] and not gone[l]:
                        if day >= until or (refuses[j] > 0.5 and day >= 1):
                            given_up[l] = True
                            on_ward = False
                            stop_day[l] = day
                        elif k - last_use[l] >= 24.0 * wait and ws[_COWS * W + l] < ready:
                            if low_given[l] < low_days:
                                part = 0.5 * (low_given[l] + 1.0) / low_days
                                if placebo < 0.5:
                                    _cover(held, k, l, part, low)
                                low_given[l] += 1
                            elif refuses[j] < 0.5:
                                treated[l] = True
                                first[l] = day
                                next_dose[l] = k
                                on_ward = False
                                used_interval[l] = 0
                        elif k - last_use[l] < 24:
                            low_given[l] = 0
                    if treated[l] and not given_up[l] and not gone[l] and k >= next_dose[l]:
                        takes = True
                        comes = True
                        if every > 48:
                            if doses[l] > 0:
                                odds = (
                                    return_ + contingency - leaving[j] + (return_use if used_interval[l] > 0 else 0.0)
                                )
                                comes = _uniform(key[j], 4, doses[l]) < _chance(odds)
                        else:
                            takes = _uniform(key[j], 5, day) < adherence[j]
                        if not comes:
                            given_up[l] = True
                            stop_day[l] = day
                        elif takes:
                            if placebo < 0.5:
                                _cover(held, k, l, 1.0, treat[j])
                            doses[l] += 1
                            used_interval[l] = 0
                            days[j, day] |= DOSED
                        next_dose[l] += int(every)
                    if day % 7 == 6:
                        week = day // 7
                        missing = True
                        if treated[l] and not given_up[l] and stop > 0.0 and _uniform(key[j], 8, week) < stop:
                            given_up[l] = True
                            stop_day[l] = day
                        if not gone[l]:
                            odds = (leave if treated[l] and not given_up[l] else leave_off) - contingency + leaving[j]
                            if used_week[l] > 0:
                                odds += lower + (upper - lower) * reward_week[l] / used_week[l]
                            # Who waits on the ward leaves by the ward's own hazard.
                            if not on_ward and _uniform(key[j], 6, week) < _chance(odds):
                                gone[l] = True
                                leave_day[l] = day
                                if not given_up[l]:
                                    given_up[l] = True
                                    stop_day[l] = day
                            else:
                                recent = k - last_own[l] <= window
                                odds = miss + (miss_use if recent else 0.0)
                                if not on_ward and (not treated[l] or given_up[l]):
                                    odds += miss_off
                                missing = _uniform(key[j], 7, week) < _chance(odds)
                                if not missing:
                                    urine[j, week] = 1 if recent else 0
                        if missing:
                            urine[j, week] = 2
                        used_week[l] = 0
                        reward_week[l] = 0.0
                    ws[_ON_WARD * W + l] = 1.0 if on_ward else 0.0
                # Nothing but a visit, or leaving the ward, changes these.
                if treated[l] and not given_up[l]:
                    days[j, day] |= TREATED
                if not gone[l]:
                    days[j, day] |= FOLLOWED
                if on_ward:
                    days[j, day] |= WARD
        for l in range(here):
            marks[block + l, 0] = first[l]
            marks[block + l, 1] = stop_day[l]
            marks[block + l, 2] = leave_day[l]
            marks[block + l, 3] = doses[l]
