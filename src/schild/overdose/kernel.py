"""The compiled loop of an overdose: events, delays, collapse and outcomes of eight people at a time.

``schild.overdose.equations`` has the right-hand side, ``schild.engine.additive`` steps it. Each lane has its own time,
step, events, history and error control, and takes the next person when its own has ended; no lane sees another. The
design is in ``docs/design/rescue.md``.
"""

from __future__ import annotations

import math

import numpy as np

from schild.engine.additive import (
    NH,
    NODES,
    Places,
    course_value,
    finish_step,
    first_below,
    hermite,
    past_value,
    stage_state,
    time_below,
)
from schild.engine.cache import compiled
from schild.engine.lanes import W, choose, load, store
from schild.engine.portable import KERNELS
from schild.overdose import layout as eq
from schild.overdose.equations import rates
from schild.overdose.layout import *

SOURCES = KERNELS["run_people"].sources

_AT = Places(eq.NS, eq.N_STIFF, eq.Y, eq.YN, eq.YS, eq.F, eq.G, eq.DIAG, eq.WEI, eq.LH, eq.ERR)


@compiled(SOURCES)
def _gather(ws, y, c, clock, who, hist, newest, at, mode, no_lag, given, grid, act, slope, cell):
    """Read the past of every lane for a stage at ``t + c h``; whether any lane needs its present values instead."""
    present = False
    for l in range(W):
        s = who[l]
        if s < 0:
            continue
        time = clock[l] + c * ws[eq.LH + l]
        yo = ws[y + eq.SYO * W + l]
        q = ws[eq.PAR + eq.QB0 * W + l] * (1.0 + ws[y + eq.SYC * W + l] + yo)
        q = (q + ws[eq.PAR + eq.QT0 * W + l] * (1.0 + ws[eq.PAR + eq.RHO * W + l] * yo)) * ws[y + eq.SCHI * W + l]
        none = False
        if no_lag:
            none = q < ws[eq.PAR + eq.TAPER * W + l]
        else:
            q = max(q, ws[eq.PAR + eq.TLO * W + l])
        here = none or mode[l, 0] == 0 or newest[l] < 0
        ws[eq.PP + l] = 1.0 if here else 0.0
        if here:
            present = True
        else:
            value, k = past_value(hist, l, newest[l], at[l, 0], time - ws[eq.PAR + eq.KP * W + l] / q, 1)
            at[l, 0] = k
            ws[eq.LF + l] = value
        here = none or mode[l, 1] == 0 or newest[l] < 0
        ws[eq.PC + l] = 1.0 if here else 0.0
        if here:
            present = True
        else:
            value, k = past_value(hist, l, newest[l], at[l, 1], time - ws[eq.PAR + eq.KC * W + l] / q, 3)
            at[l, 1] = k
            ws[eq.LB + l] = value
        if given:
            value, k = course_value(act[s], slope[s], grid, cell[l], time)
            cell[l] = k
            ws[eq.GIV + l] = min(max(value, 0.0), 1.0)
    return present


@compiled(SOURCES)
def _commit(ws):
    """Take over the new state where a lane's step was accepted."""
    ok = load(ws, eq.ACC)
    for s in range(eq.NS):
        store(ws, eq.Y + s * W, choose(ok, load(ws, eq.YN + s * W), load(ws, eq.Y + s * W)))
        store(ws, eq.F + s * W, choose(ok, load(ws, eq.FN + s * W), load(ws, eq.F + s * W)))
    for k in range(eq.N_STIFF + 4):
        store(ws, eq.DIAG + k * W, choose(ok, load(ws, eq.DIAGN + k * W), load(ws, eq.DIAG + k * W)))
    for k in range(eq.N_OBS):
        store(ws, eq.OBO + k * W, choose(ok, load(ws, eq.OBS + k * W), load(ws, eq.OBO + k * W)))


@compiled(SOURCES)
def _apply(ws, l, kind, value):
    """One event of one lane."""
    if kind == ADD_OPIOID:
        ws[eq.Y + eq.SA1 * W + l] += value
    elif kind == ADD_DEPOT:
        ws[eq.Y + eq.SD * W + l] += value
    elif kind == SET_F:
        ws[eq.FB + l] = value
    elif kind == ADD_PLASMA:
        ws[eq.Y + eq.SX1 * W + l] += value
    elif kind == SET_RATE:
        ws[eq.RATE + l] = value
    elif kind == SET_FLOOR:
        ws[eq.FLOOR + l] = value
    elif kind == SET_INSPIRED:
        ws[eq.INSP + l] = value


@compiled(SOURCES)
def starts_ventilation(ws, l, start):
    """Ventilation of a person before any drug. [L/min]"""
    dp = start[eq.SDP]
    reflex = max(0.0, (start[eq.SAH] * dp if dp >= 0.0 else dp) + start[eq.SDC])
    return max(0.0, ws[eq.PAR + eq.W0 * W + l] + reflex)


@compiled(SOURCES)
def _breath(ws, l, activation, dp, dc, ah):
    wake = (
        ws[eq.PAR + eq.W0 * W + l]
        - ws[eq.PAR + eq.WMAX * W + l] * max(activation, 1e-300) ** ws[eq.PAR + eq.PW * W + l]
    )
    return max(0.0, wake + max(0.0, (ah * dp if dp >= 0.0 else dp) + dc))


@compiled(SOURCES)
def _inside(ws, l, k, u, h):
    """A state inside the present step."""
    return hermite(u, h, ws[eq.Y + k * W + l], ws[eq.F + k * W + l], ws[eq.YN + k * W + l], ws[eq.FN + k * W + l])


@compiled(SOURCES)
def _crossing(ws, l, h, level, given, values, slopes, times, cell, t0):
    """Fraction of a step at which ventilation has come down to a level, from the interpolated states."""
    low, high = 0.0, 1.0
    for _ in range(40):
        u = 0.5 * (low + high)
        if given:
            activation, cell = course_value(values, slopes, times, cell, t0 + u * h)
        else:
            activation = _inside(ws, l, eq.SRA, u, h)
        if (
            _breath(
                ws,
                l,
                activation,
                _inside(ws, l, eq.SDP, u, h),
                _inside(ws, l, eq.SDC, u, h),
                _inside(ws, l, eq.SAH, u, h),
            )
            <= level
        ):
            high = u
        else:
            low = u
    return high


@compiled(SOURCES)
def run_people(
    rows, starts, horizon, ev_time, ev_kind, ev_value, rel_time, rel_kind, rel_value, grid, act, slope,
    out_times, out_states, outcome, ends, rule, given, on_grid, present_at_start, no_lag, renarcotisation,
    stop_at_arrest, weights, rtol, h_max, max_steps,
):  # fmt: skip
    """Follow every person to the horizon, to arrest where ``stop_at_arrest``, or to a failure.

    ``rows`` (people, NP); ``starts`` (people, NS); absolute and relative events (people, m), padded with infinite
    times; ``grid`` (n,), ``act`` (people, n) and ``slope`` (people, n, 2: to the right and from the left) the given
    course; ``out_states`` (people, times, NS) may have no times; ``outcome`` (people, NO) and ``ends`` (people, NS) are
    written.
    """
    people = rows.shape[0]
    buffer = np.zeros(eq.SIZE + W)
    shift = (64 - (buffer.ctypes.data & 63)) // 8 % W
    ws = buffer[shift : shift + eq.SIZE]
    hist = np.zeros((W, NH, NK))
    newest = np.zeros(W, dtype=np.int64)
    at = np.zeros((W, 2), dtype=np.int64)
    mode = np.zeros((W, 2), dtype=np.int64)  # 0 present value, 1 lagged
    cell = np.zeros(W, dtype=np.int64)
    who = np.full(W, -1, dtype=np.int64)
    clock = np.zeros(W)
    stop = np.zeros(W)  # end of the present step
    fresh = np.zeros(W, dtype=np.int64)  # eq.rates are to be computed anew, by a step of length zero
    h_next = np.zeros(W)
    ev, rel, outn = np.zeros(W, dtype=np.int64), np.zeros(W, dtype=np.int64), np.zeros(W, dtype=np.int64)
    rejected = np.zeros(W, dtype=np.int64)  # in a row
    first_dose = np.zeros(W)
    decision = np.zeros(W)  # infinite where none is waiting
    stage_of = np.zeros(
        W, dtype=np.int64
    )  # 0 looking for hypoxia, 1 waiting, 2 after recovery, 3 waiting again, 4 over
    base = np.zeros(W)  # baseline ventilation
    again = np.zeros(W, dtype=np.int64)
    pending = 0
    active = 0
    for k in range(eq.NS * W):
        ws[eq.WEI + k] = 1.0
    # Idle lanes hold harmless numbers: the first person's.
    for l in range(W):
        for k in range(eq.NP):
            ws[eq.PAR + k * W + l] = rows[0, k]
        for k in range(eq.NS):
            ws[eq.Y + k * W + l] = starts[0, k]
        ws[eq.INSP + l] = rows[0, eq.PI_O]
    while True:
        # Give idle lanes the next people.
        for l in range(W):
            if who[l] >= 0 or pending >= people:
                continue
            s = pending
            pending += 1
            active += 1
            who[l] = s
            for k in range(eq.NP):
                ws[eq.PAR + k * W + l] = rows[s, k]
            for k in range(eq.NS):
                ws[eq.Y + k * W + l] = starts[s, k]
                ws[eq.WEI + k * W + l] = weights[k]
                ws[eq.F + k * W + l] = 0.0
            for k in range(eq.N_STIFF + 4):
                ws[eq.DIAG + k * W + l] = 0.0
            for k in range(6 * (eq.N_STIFF + 2)):
                ws[eq.G + k * W + l] = 0.0
            ws[eq.WEI + eq.SLA * W + l] = 1.0 / rows[s, eq.FLLA]
            ws[eq.WEI + eq.SLB * W + l] = 1.0 / rows[s, eq.FLLB]
            for k in (eq.SA1, eq.SA2, eq.SA3):
                ws[eq.WEI + k * W + l] = 1.0 / rows[s, eq.FLA]
            for k in (eq.SD, eq.ST1, eq.ST2):
                ws[eq.WEI + k * W + l] = 1.0 / rows[s, eq.FLT]
            for k in (eq.SX1, eq.SX2, eq.SX3):
                ws[eq.WEI + k * W + l] = 1.0 / rows[s, eq.FLX]
            for k in range(NO):
                outcome[s, k] = np.nan
            outcome[s, O_STATUS] = OK
            outcome[s, O_ARREST] = 0.0
            outcome[s, O_DROPPED] = 0.0
            outcome[s, O_PMIN] = np.inf
            outcome[s, O_BMIN] = np.inf
            outcome[s, O_T20] = 0.0
            outcome[s, O_T30] = 0.0
            outcome[s, O_T90] = 0.0
            outcome[s, O_STEPS] = 0.0
            outcome[s, O_REJECTED] = 0.0
            ws[eq.FB + l], ws[eq.RATE + l], ws[eq.FLOOR + l], ws[eq.INSP + l] = 1.0, 0.0, 0.0, rows[s, eq.PI_O]
            ws[eq.COLL + l], ws[eq.RECV + l] = 0.0, 0.0
            clock[l], stop[l], h_next[l] = 0.0, 0.0, 1e-2
            ev[l], rel[l], outn[l], newest[l], cell[l], rejected[l], again[l] = 0, 0, 0, -1, 0, 0, 0
            at[l, 0], at[l, 1] = 0, 0
            mode[l, 0] = 0 if present_at_start else 1
            mode[l, 1] = mode[l, 0]
            first_dose[l], decision[l], base[l], stage_of[l] = np.inf, np.inf, -1.0, 0
            fresh[l] = 2  # 2: a new person
            while ev[l] < ev_time.shape[1] and ev_time[s, ev[l]] <= 0.0:
                _apply(ws, l, ev_kind[s, ev[l]], ev_value[s, ev[l]])
                ev[l] += 1
        if active == 0:
            break
        # Length of each lane's step.
        for l in range(W):
            s = who[l]
            if s < 0 or fresh[l] > 0:
                ws[eq.LH + l] = 0.0
                stop[l] = clock[l]
                continue
            t = clock[l]
            h = min(h_next[l], h_max)
            q = ws[eq.OBO + eq.B_Q * W + l]
            low = no_lag and q < ws[eq.PAR + eq.TAPER * W + l]
            if not low:
                q = max(q, ws[eq.PAR + eq.TLO * W + l])
                for k in range(2):
                    tau = ws[eq.PAR + (eq.KP if k == 0 else eq.KC) * W + l] / q
                    if mode[l, k] == 0:
                        # Where a lag first reaches back to time 0 the right-hand side jumps: come there slowly.
                        left = tau - t
                        if left <= 2e-3:
                            mode[l, k] = 1
                        else:
                            h = min(h, left if left < 0.05 else 0.8 * left)
                    if k == 0:
                        h = min(h, 0.98 * tau)
            limit = horizon
            if ev[l] < ev_time.shape[1]:
                limit = min(limit, ev_time[s, ev[l]])
            if rel[l] < rel_time.shape[1]:
                limit = min(limit, first_dose[l] + rel_time[s, rel[l]])
            limit = min(limit, decision[l])
            if t + h >= limit - 1e-9 * (1.0 + limit):
                stop[l] = limit
            elif t + 2.0 * h > limit:
                stop[l] = t + 0.5 * (limit - t)
            else:
                stop[l] = t + h
            ws[eq.LH + l] = stop[l] - t
        for stage in range(1, 6):
            stage_state(ws, _AT, eq.STIFF, eq.SRA, eq.SRB, stage)
            present = _gather(
                ws, eq.YS, NODES[stage], clock, who, hist, newest, at, mode, no_lag, given, grid, act, slope, cell
            )
            rates(ws, eq.YS, eq.F + stage * eq.NS * W, rule, given, present, False)
        finish_step(ws, _AT, eq.SLB + 1)
        present = _gather(ws, eq.YN, 1.0, clock, who, hist, newest, at, mode, no_lag, given, grid, act, slope, cell)
        rates(ws, eq.YN, eq.FN, rule, given, present, True)
        for l in range(W):
            ws[eq.ACC + l] = 0.0
            s = who[l]
            if s < 0:
                continue
            t0, t1 = clock[l], stop[l]
            h = t1 - t0
            err = ws[eq.ERR + l] / rtol
            if fresh[l] > 0:
                err = 0.0
            p1 = ws[eq.OBS + eq.B_PAO2 * W + l]
            if not (err <= 1.0) or not (abs(p1) < 1e6):
                rejected[l] += 1
                outcome[s, O_REJECTED] += 1.0
                shrink = 0.2
                if err > 1.0 and err < 1e6:
                    shrink = max(0.2, 0.9 * err**-0.25)
                h_next[l] = h * shrink
                if rejected[l] > 60 or fresh[l] > 0:
                    outcome[s, O_STATUS] = NOT_FINITE if fresh[l] > 0 else STEP_TOO_SMALL
                    who[l] = -1
                    active -= 1
                continue
            if fresh[l] == 0:
                grow = min(4.0, 0.9 * max(err, 1e-6) ** -0.25)
                proposal = h * grow
            else:
                proposal = h_next[l]
            p0, dp0, dp1 = (
                ws[eq.OBO + eq.B_PAO2 * W + l],
                ws[eq.OBO + eq.B_DPAO2 * W + l],
                ws[eq.OBS + eq.B_DPAO2 * W + l],
            )
            ve1 = ws[eq.OBS + eq.B_VE * W + l]
            if fresh[l] == 0:
                # Things that must end a step: go back and land on them.
                land = -1.0
                if first_dose[l] == np.inf and base[l] >= 0.0:
                    level = ws[eq.PAR + eq.TRIGGER * W + l] * base[l]
                    if ve1 <= level:
                        u = _crossing(ws, l, h, level, given, act[s], slope[s], grid, cell[l], t0)
                        at_time = t0 + u * h
                        planned = at_time + ws[eq.PAR + eq.WAIT * W + l]
                        if planned < t1 - 1e-9 and rel_time.shape[1] > 0 and u * h > 1e-6:
                            land = u * h
                        if land < 0.0:
                            outcome[s, O_TRIGGER] = at_time
                            first_dose[l] = max(planned, t1 if u * h <= 1e-6 else planned)
                if rule >= eq.CLOCK and land < 0.0:
                    c0, c1, limit = (
                        ws[eq.Y + eq.SCLK * W + l],
                        ws[eq.YN + eq.SCLK * W + l],
                        ws[eq.PAR + eq.LIMIT * W + l],
                    )
                    if ws[eq.COLL + l] == 0.0 and c0 < limit and c1 > limit * (1.0 + 1e-7):
                        u = (limit - c0) / (c1 - c0)
                        if u * h > 1e-7:
                            land = u * h
                    elif ws[eq.COLL + l] > 0.0 and ws[eq.YN + eq.SCHI * W + l] > ws[eq.PAR + eq.NORET * W + l]:
                        b0, b1, level = (
                            ws[eq.OBO + eq.B_PBO * W + l],
                            ws[eq.OBS + eq.B_PBO * W + l],
                            ws[eq.PAR + eq.PBREC * W + l],
                        )
                        if b0 < level and b1 > level + 1e-6:
                            u = (level - b0) / (b1 - b0)
                            if u * h > 1e-7:
                                land = u * h
                if ws[eq.COLL + l] > 0.0 and land < 0.0:
                    # Breathing and lags jump where flow falls below two levels: stop just above each, then pass it.
                    q0, q1 = ws[eq.OBO + eq.B_Q * W + l], ws[eq.OBS + eq.B_Q * W + l]
                    for k in range(2):
                        level = ws[eq.PAR + (eq.TAPER if k == 0 else eq.TLO) * W + l]
                        if q0 > level * (1.0 + 1e-8) and q1 < level:
                            u = math.log(q0 / (level * (1.0 + 5e-9))) / math.log(q0 / q1)
                            land = max(u, 1e-9) * h
                            break
                if land > 0.0:
                    h_next[l] = land
                    outcome[s, O_REJECTED] += 1.0
                    rejected[l] += 1
                    if rejected[l] <= 60:
                        continue
                    outcome[s, O_STATUS] = STEP_TOO_SMALL
                    who[l] = -1
                    active -= 1
                    continue
                # Outputs inside the step.
                while outn[l] < out_times.shape[0] and out_times[outn[l]] <= t1:
                    u = (out_times[outn[l]] - t0) / h
                    for k in range(eq.NS):
                        out_states[s, outn[l], k] = hermite(
                            u,
                            h,
                            ws[eq.Y + k * W + l],
                            ws[eq.F + k * W + l],
                            ws[eq.YN + k * W + l],
                            ws[eq.FN + k * W + l],
                        )
                    outn[l] += 1
                outcome[s, O_STEPS] += 1.0
                level = ws[eq.PAR + eq.P15 * W + l]
                if stage_of[l] != 4:
                    outcome[s, O_PMIN] = min(outcome[s, O_PMIN], p1)
                    outcome[s, O_BMIN] = min(outcome[s, O_BMIN], ws[eq.OBS + eq.B_PBO * W + l])
                outcome[s, O_T20] += time_below(
                    t0, t1, ws[eq.OBO + eq.B_PBO * W + l], ws[eq.OBS + eq.B_PBO * W + l], 20.0
                )
                outcome[s, O_T30] += time_below(t0, t1, p0, p1, 30.0)
                outcome[s, O_T90] += time_below(
                    t0, t1, ws[eq.OBO + eq.B_SAO2 * W + l], ws[eq.OBS + eq.B_SAO2 * W + l], 90.0
                )
                back = first_dose[l] < np.inf and t0 > outcome[s, O_TRIGGER]
                if back and again[l] == 0 and ve1 > ws[eq.PAR + eq.TRIGGER * W + l] * base[l]:
                    again[l] = 1
                    outcome[s, O_AGAIN] = t1
                if rule != eq.TWO_PASS and p1 <= level and not (outcome[s, O_SEVERE] >= 0.0):
                    share = first_below(h, p0, dp0, p1, dp1, level) if p0 > level else 0.0
                    outcome[s, O_SEVERE] = t0 + h * share
                # Severe hypoxia sets the time of the decision.
                if rule == eq.TWO_PASS and (stage_of[l] == 0 or stage_of[l] == 2):
                    found = -1.0
                    if p1 <= level:
                        found = t0 if p0 <= level else t0 + h * first_below(h, p0, dp0, p1, dp1, level)
                    elif p0 <= level:
                        found = t0
                    elif dp0 < 0.0 and dp1 > 0.0 and min(p0, p1) < level + 1.0:
                        for k in range(1, 64):
                            if hermite(k / 64.0, h, p0, dp0, p1, dp1) <= level:
                                found = t0 + h * k / 64.0
                                break
                    if found >= 0.0:
                        if on_grid:
                            found = math.ceil(found * 10.0 - 1e-6) / 10.0
                        if stage_of[l] == 0:
                            outcome[s, O_SEVERE] = found
                        decision[l] = max(found + ws[eq.PAR + eq.DELAY * W + l], t1)
                        if decision[l] >= horizon:
                            outcome[s, O_DROPPED] = 1.0
                            decision[l] = np.inf
                            stage_of[l] = 4
                        else:
                            stage_of[l] += 1
            else:
                outcome[s, O_PMIN] = min(outcome[s, O_PMIN], p1)
                if fresh[l] == 2:
                    while outn[l] < out_times.shape[0] and out_times[outn[l]] <= 0.0:
                        for k in range(eq.NS):
                            out_states[s, outn[l], k] = ws[eq.YN + k * W + l]
                        outn[l] += 1
                    base[l] = starts_ventilation(ws, l, starts[s])
            # Take the step.
            rejected[l] = 0
            ws[eq.ACC + l] = 1.0
            clock[l] = t1
            if fresh[l] == 0 and h > 0.0:
                # A step that was cut to land somewhere says little about the next one.
                h_next[l] = max(proposal, min(h_next[l], 4.0 * h)) if proposal >= h else proposal
            fresh[l] = 0
            newest[l] += 1
            k = newest[l] & (NH - 1)
            hist[l, k, 0] = t1
            hist[l, k, 1] = ws[eq.OBS + eq.B_FIRE * W + l]
            hist[l, k, 2] = ws[eq.OBS + eq.B_DFIRE * W + l]
            hist[l, k, 3] = ws[eq.OBS + eq.B_PBC * W + l]
            hist[l, k, 4] = ws[eq.OBS + eq.B_DPBC * W + l]
            if outcome[s, O_STEPS] >= max_steps:
                outcome[s, O_STATUS] = TOO_MANY_STEPS
                who[l] = -1
                active -= 1
            elif newest[l] >= NH - 2 and mode[l, 1] == 1:
                q = max(ws[eq.OBS + eq.B_Q * W + l], ws[eq.PAR + eq.TLO * W + l])
                if not (no_lag and q < ws[eq.PAR + eq.TAPER * W + l]):
                    oldest = hist[l, (newest[l] + 2) & (NH - 1), 0]
                    if t1 - ws[eq.PAR + eq.KC * W + l] / q - 1.0 < oldest and oldest > 0.0:
                        outcome[s, O_STATUS] = HISTORY_TOO_SHORT
                        who[l] = -1
                        active -= 1
        _commit(ws)
        # What happens at the new time.
        for l in range(W):
            s = who[l]
            if s < 0 or ws[eq.ACC + l] == 0.0:
                continue
            t = clock[l]
            jump = False
            if ws[eq.COLL + l] > 0.0:
                for k in range(2):
                    level = ws[eq.PAR + (eq.TAPER if k == 0 else eq.TLO) * W + l]
                    q = ws[eq.OBO + eq.B_Q * W + l]
                    if q >= level and q <= level * (1.0 + 1e-8):
                        ws[eq.Y + eq.SCHI * W + l] *= 1.0 - 3e-8
                        jump = True
            if t >= decision[l]:
                decision[l] = np.inf
                p = ws[eq.OBO + eq.B_PAO2 * W + l]
                if stage_of[l] == 1:
                    outcome[s, O_DECISION] = t
                    outcome[s, O_PAO2] = p
                if stage_of[l] == 3 or p <= ws[eq.PAR + eq.P15 * W + l]:
                    ws[eq.COLL + l] = 1.0
                    outcome[s, O_COLLAPSE] = t
                    stage_of[l] = 4
                    jump = True
                else:
                    outcome[s, O_RECOVERED] = t
                    stage_of[l] = 2 if renarcotisation else 4
            if rule >= eq.CLOCK:
                p = ws[eq.OBO + eq.B_PAO2 * W + l]
                if ws[eq.COLL + l] == 0.0:
                    full = ws[eq.Y + eq.SCLK * W + l] >= ws[eq.PAR + eq.LIMIT * W + l] * (1.0 - 1e-9)
                    if full and (rule == eq.HAZARD or p <= ws[eq.PAR + eq.P15 * W + l]):
                        ws[eq.COLL + l], ws[eq.RECV + l] = 1.0, 0.0
                        jump = True
                        if not (outcome[s, O_COLLAPSE] <= t):
                            outcome[s, O_COLLAPSE] = t
                elif (
                    ws[eq.OBO + eq.B_PBO * W + l] >= ws[eq.PAR + eq.PBREC * W + l]
                    and ws[eq.Y + eq.SCHI * W + l] > ws[eq.PAR + eq.NORET * W + l]
                ):
                    ws[eq.COLL + l], ws[eq.RECV + l] = 0.0, 1.0
                    outcome[s, O_RECOVERED] = t
                    jump = True
                    if rule == eq.HAZARD:
                        ws[eq.Y + eq.SCLK * W + l] = 0.0
            while ev[l] < ev_time.shape[1] and ev_time[s, ev[l]] <= t:
                _apply(ws, l, ev_kind[s, ev[l]], ev_value[s, ev[l]])
                ev[l] += 1
                jump = True
            while rel[l] < rel_time.shape[1] and first_dose[l] + rel_time[s, rel[l]] <= t:
                _apply(ws, l, rel_kind[s, rel[l]], rel_value[s, rel[l]])
                rel[l] += 1
                jump = True
            done = t >= horizon
            if ws[eq.COLL + l] > 0.0 and ws[eq.OBO + eq.B_Q * W + l] <= ws[eq.PAR + eq.QARR * W + l]:
                if outcome[s, O_ARREST] == 0.0:
                    outcome[s, O_ARREST] = 1.0
                    outcome[s, O_ARRESTED] = t
                done = done or stop_at_arrest
            if done:
                for k in range(eq.NS):
                    ends[s, k] = ws[eq.Y + k * W + l]
                outcome[s, O_CHI] = ws[eq.Y + eq.SCHI * W + l]
                who[l] = -1
                active -= 1
            elif jump:
                fresh[l] = 1
                h_next[l] = min(h_next[l], 0.05)
