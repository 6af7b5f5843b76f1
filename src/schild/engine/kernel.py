"""The compiled kernel: the loop that takes a group of subjects from event to event.

One compilation serves every model: ports, modes, channels, slots and receptors are run-time loops, and the lanes of
``schild.engine.lanes`` carry ``W`` subjects through them. Each lane keeps its own time, step size, events and error
control. Linear kinetics are in ``modes``, receptors and the other equations in ``radau``, what is kept in ``outputs``,
tables and workspace in ``layout``. The design and its traps are in ``docs/design/engine.md``; the plain right-hand
side in ``tests/model_reference.py`` is what holds these files to their word.

Vocabulary: a *port* is a place where doses enter, with its own exponential modes; a *channel* is a concentration; a
*slot* is one ligand at one receptor; a *lag* is an adaptation state, which follows the drive.
"""

from __future__ import annotations

import numpy as np

from schild.engine.cache import compiled, inlined
from schild.engine.lanes import ceiling, choose, load, maximum, minimum, splat, square_root, store
from schild.engine.layout import (
    ADD,
    CLEAR,
    N_REDUCED,
    NOT_FINITE,
    OK,
    RECEPTORS,
    RESET,
    STEP_TOO_SMALL,
    TOO_MANY_STEPS,
    W,
)
from schild.engine.modes import add_train, coefficient_places, fill_ports, propagate
from schild.engine.outputs import channel_error, fold, keep, keep_inside, polynomials, sums_of
from schild.engine.radau import step_adaptation, step_receptors, step_saturable
from schild.engine.workspace import aligned, lay_out

MAX_REJECTIONS = 60


@inlined
def _fill(ws, at, model, rows, who):
    """Write what does not change over a run of the subjects ``who``; harmless numbers where one is negative."""
    n_slots, n_lag = model.slot_channel.size, model.lag_col.size // 5
    for l in range(W):
        good = who[l] >= 0
        row = rows[max(who[l], 0)]
        for s in range(n_slots):
            ws[at.kon + s * W + l] = row[model.slot_kon[s]] if good else 0.0
            ws[at.koff + s * W + l] = row[model.slot_koff[s]] if good else 1.0
            ws[at.x + s * W + l] = row[model.slot_start[s]] if good else 0.0
            ws[at.drv + s * W + l] = row[model.slot_drive[s]] if good else 0.0
        ws[at.bend + l] = row[model.lag_bend] if good else 0.0
        for k in range(model.mm_col.size):
            ws[at.mmp + k * W + l] = row[model.mm_col[k]] if good else 1.0
        for k in range(model.release_col.size):
            ws[at.relp + k * W + l] = row[model.release_col[k]] if good else 1.0
        for k in range(5 * n_lag):
            ws[at.lc + k * W + l] = row[model.lag_col[k]] if good else 0.0
        ws[at.rel + l] = 1.0
        ws[at.one + l] = 1.0
        ws[at.minus + l] = -1.0
        ws[at.h + l] = 0.01
    if model.tone_channel >= 0:
        for s in range(4):
            store(ws, at.ch + (4 * model.tone_channel + s) * W, splat(1.0))


@inlined
def _apply(ws, at, model, ports, events, e, l, j, rows, start_states):
    """Let one event act on one lane."""
    kind, row = events.kind[e], rows[j]
    n_slots, n_lag = model.slot_channel.size, model.lag_col.size // 5
    if kind in (RESET, CLEAR):
        for k in range(model.pole_ptr[model.pole_ptr.size - 1]):
            ws[at.z + k * W + l] = 0.0
        ws[at.mm + l] = 0.0
        ws[at.mm + W + l] = 0.0
        ws[at.rel + l] = 1.0
        if kind == RESET:  # adaptation stays: it is the person, not the drug
            for s in range(n_slots):
                ws[at.x + s * W + l] = row[model.slot_start[s]]
    elif kind == RECEPTORS:
        for s in range(n_slots):
            ws[at.x + s * W + l] = start_states[j, events.port[e], s]
        for k in range(n_lag):
            ws[at.lag + k * W + l] = start_states[j, events.port[e], n_slots + k]
    else:
        q = events.port[e]
        ports.used[q] = True
        amount = events.amount[e] * row[events.scale[e]]
        a, b = model.pole_ptr[q], model.pole_ptr[q + 1]
        if kind == ADD:
            for k in range(a, b):
                if ws[at.cou + k * W + l] == 0.0:
                    ws[at.z + k * W + l] += amount
        else:
            add_train(ws, at, l, a, b, ports.terms[q, l], amount, events.offset[e], events.offset2[e], events.ii[e],
                      events.count[e])  # fmt: skip


@inlined
def _commit(ws, at, model, ports, accept):
    """Take over the end of the step where it was accepted."""
    for s in range(model.slot_channel.size):
        store(ws, at.x + s * W, choose(accept, load(ws, at.xs + (3 * s + 2) * W), load(ws, at.x + s * W)))
    if model.mm_out >= 0:
        store(ws, at.mm, choose(accept, load(ws, at.ch + (4 * model.mm_out + 3) * W), load(ws, at.mm)))
        store(ws, at.mm + W, choose(accept, load(ws, at.mm + 2 * W), load(ws, at.mm + W)))
        if model.release_channel >= 0:
            level = load(ws, at.ch + (4 * model.release_channel + 3) * W)
            store(ws, at.rel, choose(accept, level, load(ws, at.rel)))
    for k in range(model.lag_col.size // 5):
        store(ws, at.lag + k * W, choose(accept, load(ws, at.ls + (3 * k + 2) * W), load(ws, at.lag + k * W)))
    for q in range(model.pole_ptr.size - 1):
        if ports.used[q]:
            for k in range(model.pole_ptr[q], model.pole_ptr[q + 1]):
                store(ws, at.z + k * W, choose(accept, load(ws, at.zs + (3 * k + 2) * W), load(ws, at.z + k * W)))


@compiled
def run_group(first_subject, stop_subject, rows, status_in, model, events, start_states, task, out_base, found):
    """Integrate up to ``W`` neighbouring subjects from ``task.times[0]`` to its last; everything is arrays."""
    n_lanes = stop_subject - first_subject
    n_red = task.reduced.size
    status, counts, times, window = found.status, found.counts, task.times, task.window
    who = np.full(W, -1)
    alive = np.zeros(W, np.bool_)
    left = 0
    for l in range(W):
        j = min(first_subject + l, stop_subject - 1)
        if status_in[j] == OK:
            who[l] = j
        if l < n_lanes:
            status[j] = status_in[j]
            if status_in[j] == OK:
                alive[l] = True
                left += 1
    coef_at, n_coef = coefficient_places(model)
    at = lay_out(model, n_coef, n_red, task.signals.size)
    ws = aligned(at.end)
    zero, one = splat(0.0), splat(1.0)
    _fill(ws, at, model, rows, who)
    ports = fill_ports(ws, at, model, coef_at, task.reduced, task.dense, rows, who)
    sums = sums_of(at, model, task.signals, coef_at)

    next_event = np.empty(W, np.int64)
    next_out = np.zeros(W, np.int64)
    last_event = np.empty(W, np.int64)
    n_times = times.size
    t_end = times[n_times - 1]
    for l in range(W):
        j = min(first_subject + l, stop_subject - 1)
        next_event[l] = events.first[j]
        last_event[l] = events.last[j]
        ws[at.t + l] = times[0]
        ws[at.stop + l] = times[0]
        ws[at.proposed + l] = 0.05
        ws[at.alive + l] = 1.0 if alive[l] else 0.0
        ws[at.halted + l] = 1.0
        for r in range(n_red):
            ws[at.red + (r * N_REDUCED + 0) * W + l] = -np.inf
            ws[at.red + (r * N_REDUCED + 1) * W + l] = np.nan
            ws[at.red + (r * N_REDUCED + 2) * W + l] = np.inf

    # Where nothing is integrated or reduced, one step leads from event to event.
    integrated = model.slot_channel.size > 0 or model.mm_out >= 0
    inverse_rtol = 1.0 / task.rtol
    h_max = task.h_max if integrated else np.inf
    stepping = integrated or n_red > 0
    while left > 0:
        # ---- Lanes that have come to a stop: events, outputs, the next stop.
        for l in range(W):
            if not ws[at.halted + l] > 0.0 or not alive[l]:
                continue
            j, now = first_subject + l, ws[at.t + l]
            while next_event[l] < last_event[l] and events.time[next_event[l]] <= now:
                e = next_event[l]
                next_event[l] += 1
                ws[at.proposed + l] = min(ws[at.proposed + l], events.cap[e])
                _apply(ws, at, model, ports, events, e, l, j, rows, start_states)
            while next_out[l] < n_times and times[next_out[l]] <= now:
                keep(ws, sums, l, found.out[j - out_base], next_out[l])
                next_out[l] += 1
            if now >= t_end:
                alive[l] = False
                ws[at.alive + l] = 0.0
                left -= 1
                continue
            stop = times[next_out[l]] if task.dense == 0 else t_end
            if next_event[l] < last_event[l] and events.time[next_event[l]] < stop:
                stop = events.time[next_event[l]]
            if now < window[0] < stop:
                stop = window[0]
            if now < window[1] < stop:
                stop = window[1]
            ws[at.stop + l] = stop
            if not stepping:
                ws[at.proposed + l] = stop - now
        if left == 0:
            break

        # ---- Steps of all lanes, in equal pieces up to the next stop; a lane that has ended keeps a harmless one.
        living, t, stop = load(ws, at.alive), load(ws, at.t), load(ws, at.stop)
        rest, step = stop - t, minimum(load(ws, at.proposed), splat(h_max))
        near = 1e9 * step - rest  # a tiny step would overflow the count of pieces
        pieces = choose(near, maximum(ceiling(rest / step - 1e-9), one), splat(2.0))
        h = choose(living, choose(near, rest / pieces, step), splat(0.01))
        store(ws, at.h, h)
        store(ws, at.pieces, pieces)
        inside = choose(window[0] - t, zero, choose(window[1] - t, one, zero))

        propagate(ws, at, model, ports, h)
        worst, check = zero, zero
        inverse_h = 1.0 / h
        if model.mm_out >= 0:
            release = at.ch + 4 * model.release_channel * W if model.release_channel >= 0 else -1
            into, out = at.ch + 4 * model.mm_in * W, at.ch + 4 * model.mm_out * W
            worst, check = step_saturable(ws, at, h, inverse_h, into, out, release)
        worst, check = step_receptors(ws, at, model, h, inverse_h, worst, check)
        if model.lag_col.size:
            worst, check = step_adaptation(ws, at, model, h, inverse_h, worst, check)
        if task.dense != 0:
            worst = channel_error(ws, at, model, ports, worst, h)
        worst = worst + 0.0 * check  # a NaN that a later maximum dropped comes back here
        factor = 0.9 / square_root(square_root(worst * inverse_rtol + 1e-12))

        # ---- Accept or reject each lane on its own; keep what was asked, commit where accepted.
        accept = choose(worst - task.rtol, zero, choose(worst + 1.0, living, zero))  # zero for NaN
        for i in range(n_red):
            fold(ws, at, model, task.reduced[i], task.thresholds[i], at.red + i * N_REDUCED * W, h, accept * inside)
        last_piece = 1.5 - pieces
        reached = choose(accept, choose(last_piece, stop, t + h), t)
        store(ws, at.err, reached)
        passed = False
        for l in range(W):
            passed |= next_out[l] < n_times and times[next_out[l]] < ws[at.err + l]
        if passed:
            polynomials(ws, at, sums)
            for l in range(n_lanes):
                if next_out[l] < n_times and times[next_out[l]] < ws[at.err + l]:
                    place, end = found.out[first_subject + l - out_base], ws[at.err + l]
                    next_out[l] = keep_inside(ws, at, model, ports, sums, l, times, place, next_out[l], end)
        _commit(ws, at, model, ports, accept)
        old = load(ws, at.proposed)
        grown = h * minimum(splat(4.0), factor)
        grown = choose(last_piece, grown, choose(1.0 - factor, grown, maximum(old, grown)))
        cut = h * choose(1e300 - worst, maximum(splat(0.2), minimum(splat(0.9), factor)), splat(0.2))
        store(ws, at.proposed, choose(living, choose(accept, grown, cut), old))
        store(ws, at.t, reached)
        refused = choose(accept, zero, living)
        row, taken = choose(accept, zero, load(ws, at.refused) + refused), load(ws, at.n_taken) + accept
        store(ws, at.refused, row)
        store(ws, at.n_taken, taken)
        store(ws, at.n_refused, load(ws, at.n_refused) + refused)
        store(ws, at.err, worst)
        failed = choose(row - (MAX_REJECTIONS + 0.5), one, choose(taken - (task.max_steps - 0.5), one, zero))
        store(ws, at.halted, maximum(choose(stop - reached, zero, one), failed))
        for l in range(W):
            if ws[at.halted + l] > 0.0 and alive[l]:
                j = first_subject + l
                if ws[at.refused + l] > MAX_REJECTIONS:
                    status[j] = STEP_TOO_SMALL if ws[at.err + l] < 1e300 else NOT_FINITE
                elif ws[at.n_taken + l] >= task.max_steps:
                    status[j] = TOO_MANY_STEPS
                if status[j] != OK:
                    alive[l] = False
                    ws[at.alive + l] = 0.0
                    left -= 1

    for l in range(n_lanes):
        counts[first_subject + l, 0] = int(ws[at.n_taken + l])
        counts[first_subject + l, 1] = int(ws[at.n_refused + l])
    for l in range(n_lanes):
        j = first_subject + l
        good = status[j] == OK
        for i in range(n_red):
            for k in range(N_REDUCED):
                found.reduced[j - out_base, i, k] = ws[at.red + (i * N_REDUCED + k) * W + l] if good else np.nan
        if not good:
            for i in range(task.signals.size):
                for k in range(next_out[l], n_times):
                    found.out[j - out_base, i, k] = np.nan


@compiled
def run_groups(first_subject, stop_subject, rows, status_in, model, events, start_states, task, out_base, found):
    """Integrate the subjects from ``first_subject`` on, group by group."""
    for j in range(first_subject, stop_subject, W):
        stop = min(j + W, stop_subject)
        run_group(j, stop, rows, status_in, model, events, start_states, task, out_base, found)
