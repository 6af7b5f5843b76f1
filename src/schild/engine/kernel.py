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
from schild.engine.lanes import (
    choose,
    fourth_root_inverse,
    load,
    lowest,
    maximum,
    minimum,
    positive,
    put,
    splat,
    store,
)
from schild.engine.layout import (
    ADD,
    CLEAR,
    H_INSIDE,
    N_REDUCED,
    NOT_FINITE,
    OK,
    RECEPTORS,
    RESET,
    STEP_TOO_SMALL,
    TOO_MANY_STEPS,
    W,
)
from schild.engine.modes import add_train, coefficient_places, fill_ports, lay_ports, propagate
from schild.engine.outputs import channel_error, fold, keep, keep_inside, polynomials, sums_of
from schild.engine.radau import step_adaptation, step_receptors, step_saturable
from schild.engine.workspace import aligned, lay_out

MAX_REJECTIONS = 60
_THIRD = 1.0 / 3.0


@inlined
def _seat(ws, at, model, ports, row, l, start, n_red):
    """Give a lane to a subject: what does not change over its run, and its states at the start."""
    n_slots, n_lag = model.slot_channel.size, model.lag_col.size // 5
    for s in range(n_slots):
        ws[at.kon + s * W + l] = row[model.slot_kon[s]]
        ws[at.koff + s * W + l] = row[model.slot_koff[s]]
        ws[at.x + s * W + l] = row[model.slot_start[s]]
        ws[at.drv + s * W + l] = row[model.slot_drive[s]]
    ws[at.bend + l] = row[model.lag_bend]
    for k in range(model.mm_col.size):
        ws[at.mmp + k * W + l] = row[model.mm_col[k]]
    for k in range(model.release_col.size):
        ws[at.relp + k * W + l] = row[model.release_col[k]]
    for k in range(5 * n_lag):
        ws[at.lc + k * W + l] = row[model.lag_col[k]]
    for k in range(model.left_col.size):
        ws[at.left + k * W + l] = row[model.left_col[k]]
    for k in range(n_lag):
        ws[at.lag + k * W + l] = 0.0
    for c in range(model.n_channels):
        ws[at.peak + c * W + l] = 0.0
    for r in range(n_red):
        ws[at.red + (r * N_REDUCED + 0) * W + l] = -np.inf
        ws[at.red + (r * N_REDUCED + 1) * W + l] = np.nan
        ws[at.red + (r * N_REDUCED + 2) * W + l] = np.inf
        ws[at.red + (r * N_REDUCED + 3) * W + l] = 0.0
        ws[at.red + (r * N_REDUCED + 4) * W + l] = 0.0
    ws[at.mm + l] = 0.0
    ws[at.mm + W + l] = 0.0
    ws[at.rel + l] = 1.0
    ws[at.t + l] = start
    ws[at.proposed + l] = 0.05
    for q in range(model.pole_ptr.size - 1):
        ws[at.first + q * W + l] = np.inf
    ws[at.fresh + l] = 0.0
    ws[at.alive + l] = 1.0
    ws[at.refused + l] = 0.0
    fill_ports(ws, at, model, ports, row, l)


@inlined
def _leave(ws, at, found, j, row, l, next_out):
    """Write what a subject that has ended leaves: its steps, its reducers, NaN where it did not come."""
    found.counts[j, 0] = int(ws[at.n_taken + l])
    found.counts[j, 1] = int(ws[at.n_refused + l])
    good = found.status[j] == OK
    for i in range(found.reduced.shape[1]):
        for k in range(N_REDUCED):
            found.reduced[row, i, k] = ws[at.red + (i * N_REDUCED + k) * W + l] if good else np.nan
    if not good:
        for i in range(found.out.shape[1]):
            for k in range(next_out, found.out.shape[2]):
                found.out[row, i, k] = np.nan


@inlined
def _apply(ws, at, model, ports, events, e, l, j, rows, start_states):
    """Let one event act on one lane, and return how long a step may follow it."""
    cap = events.cap[e]
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
        # The step that was right after the last dose here is right again, or nearly so.
        first = ws[at.first + q * W + l]
        if first > 0.0:
            cap = min(cap, first)
        ws[at.first + q * W + l] = 0.0
        ws[at.fresh + l] = 1.0
        amount = events.amount[e] * row[events.scale[e]]
        a, b = model.pole_ptr[q], model.pole_ptr[q + 1]
        if kind == ADD:
            for k in range(a, b):
                if ws[at.cou + k * W + l] == 0.0:
                    ws[at.z + k * W + l] += amount
        else:
            add_train(ws, at, l, a, b, ports.terms[q, l], amount, events.offset[e], events.offset2[e], events.ii[e],
                      events.count[e])  # fmt: skip
    return cap


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
def run_groups(first_subject, stop_subject, rows, status_in, model, events, start_states, task, out_base, found):
    """Integrate subjects from ``task.times[0]`` to its last, ``W`` at a time; everything is arrays.

    A lane whose subject has ended is given to the next one.
    """
    n_red = task.reduced.size
    status, times, window = found.status, task.times, task.window
    n_times = times.size
    n_kept = task.signals.size * n_times  # numbers of one subject
    t_end = times[n_times - 1]
    coef_at, n_coef = coefficient_places(model)
    at = lay_out(model, n_coef, n_red, task.signals.size)
    ws = aligned(at.end)
    zero, one = splat(0.0), splat(1.0)
    store(ws, at.one, one)
    store(ws, at.minus, splat(-1.0))
    store(ws, at.halted, one)
    if model.tone_channel >= 0:
        for s in range(4):
            store(ws, at.ch + (4 * model.tone_channel + s) * W, one)
    ports = lay_ports(model, coef_at, task.reduced, task.dense)
    sums = sums_of(at, model, task.signals, coef_at)

    at_nodes = np.full(model.rec_ptr.size - 1, task.dense != 0 or n_red > 0)
    for r in range(at_nodes.size):
        for s in range(model.rec_ptr[r], model.rec_ptr[r + 1]):
            at_nodes[r] |= model.lag_col.size > 0 and model.slot_drive[s] > 0  # column 0 holds zero
            at_nodes[r] |= s == model.left_slot
    who = np.full(W, -1)
    next_event, last_event, next_out = np.zeros(W, np.int64), np.zeros(W, np.int64), np.zeros(W, np.int64)
    next_subject, left = first_subject, W
    # Where nothing is integrated or reduced, one step leads from event to event.
    integrated = model.slot_channel.size > 0 or model.mm_out >= 0
    inverse_rtol = 1.0 / task.rtol
    h_max = task.h_max if integrated else np.inf
    h_inside = min(h_max, H_INSIDE) if integrated else np.inf
    stepping = integrated or n_red > 0
    while left > 0:
        # ---- Lanes that have come to a stop: events, outputs, the next subject, the next stop.
        halted = positive(load(ws, at.halted))
        while halted != 0:
            l = lowest(halted)
            j, now, cap = who[l], ws[at.t + l], np.inf
            if j >= 0 and status[j] == OK:
                while next_event[l] < last_event[l] and events.time[next_event[l]] <= now:
                    e = next_event[l]
                    next_event[l] += 1
                    cap = min(cap, _apply(ws, at, model, ports, events, e, l, j, rows, start_states))
                while next_out[l] < n_times and times[next_out[l]] <= now:
                    keep(ws, sums, l, found.out, (j - out_base) * n_kept, next_out[l])
                    next_out[l] += 1
            if j < 0 or status[j] != OK or now >= t_end:
                if j >= 0:
                    _leave(ws, at, found, j, j - out_base, l, next_out[l])
                if next_subject == stop_subject:
                    ws[at.alive + l] = 0.0
                    halted &= halted - 1
                    left -= 1
                    continue
                j = who[l] = next_subject
                next_subject += 1
                next_event[l], last_event[l], next_out[l] = events.first[j], events.last[j], 0
                ws[at.n_taken + l] = 0.0
                ws[at.n_refused + l] = 0.0
                status[j] = status_in[j]
                if status[j] == OK:
                    _seat(ws, at, model, ports, rows[j], l, times[0], n_red)
                continue
            halted &= halted - 1
            stop = times[next_out[l]] if task.dense == 0 else t_end
            if next_event[l] < last_event[l] and events.time[next_event[l]] < stop:
                stop = events.time[next_event[l]]
            if now < window[0] < stop:
                stop = window[0]
            if now < window[1] < stop:
                stop = window[1]
            store(ws, at.stop, put(load(ws, at.stop), l, stop))
            store(ws, at.due, put(load(ws, at.due), l, times[next_out[l]]))
            cap = cap if stepping else stop - now
            if cap < np.inf:
                longest = put(splat(np.inf), l, cap)
                store(ws, at.proposed, minimum(load(ws, at.proposed) if stepping else longest, longest))
        if left == 0:
            break

        # ---- Steps of all lanes, the last three to the next stop in equal pieces; an ended lane keeps a harmless one.
        living, t, stop = load(ws, at.alive), load(ws, at.t), load(ws, at.stop)
        # Where steps pass over outputs: above zero in lanes that have one before they stop. They read polynomials.
        passing = choose(splat(task.dense - 0.5), stop - load(ws, at.due), zero)
        rest = stop - t
        step = minimum(load(ws, at.proposed), choose(passing, splat(h_inside), splat(h_max))) * (1.0 + 1e-9)
        h = choose(
            rest - step, choose(rest - 2.0 * step, choose(rest - 3.0 * step, step, rest * _THIRD), rest * 0.5), rest
        )
        h = choose(living, h, splat(0.01))
        store(ws, at.h, h)
        store(ws, at.last, choose(rest - step, zero, one))
        inside = choose(window[0] - t, zero, choose(window[1] - t, one, zero))

        propagate(ws, at, model, ports, h)
        worst, check = zero, zero
        if model.mm_out >= 0:
            release = at.ch + 4 * model.release_channel * W if model.release_channel >= 0 else -1
            into, out = at.ch + 4 * model.mm_in * W, at.ch + 4 * model.mm_out * W
            worst, check = step_saturable(ws, at, h, into, out, release)
        worst, check = step_receptors(ws, at, model, at_nodes, h, worst, check)
        if model.lag_col.size:
            worst, check = step_adaptation(ws, at, model, h, worst, check)
        if task.dense != 0 and (n_red > 0 or positive(passing) != 0):
            error = channel_error(ws, at, model, ports, worst, h)
            worst = error if n_red > 0 else choose(passing, error, worst)
        worst = worst + 0.0 * check  # a NaN that a later maximum dropped comes back here
        factor = 0.9 * fourth_root_inverse(worst * inverse_rtol + 1e-12)

        # ---- Accept or reject each lane on its own; keep what was asked, commit where accepted.
        accept = choose(worst - task.rtol, zero, choose(worst + 1.0, living, zero))  # zero for NaN
        for i in range(n_red):
            fold(ws, at, model, task.reduced[i], task.thresholds[i], at.red + i * N_REDUCED * W, h, accept * inside)
        last = load(ws, at.last)
        reached = choose(accept, choose(last, stop, t + h), t)
        store(ws, at.err, reached)
        if task.dense != 0:
            passed = positive(choose(accept, reached - load(ws, at.due), zero))
            if passed != 0:
                polynomials(ws, at, sums)
            while passed != 0:
                l = lowest(passed)
                passed &= passed - 1
                place, end = (who[l] - out_base) * n_kept, ws[at.err + l]
                next_out[l] = keep_inside(ws, at, model, ports, sums, l, times, found.out, place, next_out[l], end)
                store(ws, at.due, put(load(ws, at.due), l, times[next_out[l]]))
        _commit(ws, at, model, ports, accept)
        old = load(ws, at.proposed)
        grown = h * minimum(splat(4.0), factor)
        begun = choose(accept, load(ws, at.fresh), zero)
        if positive(begun) != 0:
            store(ws, at.fresh, choose(begun, zero, load(ws, at.fresh)))
            for q in range(model.pole_ptr.size - 1):
                first = load(ws, at.first + q * W)
                store(ws, at.first + q * W, choose(begun, choose(first, first, grown), first))
        grown = choose(last, grown, choose(1.0 - factor, grown, maximum(old, grown)))
        cut = h * choose(1e300 - worst, maximum(splat(0.2), minimum(splat(0.9), factor)), splat(0.2))
        store(ws, at.proposed, choose(living, choose(accept, grown, cut), old))
        store(ws, at.t, reached)
        refused = choose(accept, zero, living)
        in_a_row, taken = choose(accept, zero, load(ws, at.refused) + refused), load(ws, at.n_taken) + accept
        store(ws, at.refused, in_a_row)
        store(ws, at.n_taken, taken)
        store(ws, at.n_refused, load(ws, at.n_refused) + refused)
        store(ws, at.err, worst)
        failed = choose(in_a_row - (MAX_REJECTIONS + 0.5), one, choose(taken - (task.max_steps - 0.5), one, zero))
        failed = choose(living, failed, zero)
        store(ws, at.halted, choose(living, maximum(choose(stop - reached, zero, one), failed), zero))
        struck = positive(failed)
        while struck != 0:
            l = lowest(struck)
            struck &= struck - 1
            if ws[at.refused + l] > MAX_REJECTIONS:
                status[who[l]] = STEP_TOO_SMALL if ws[at.err + l] < 1e300 else NOT_FINITE
            else:
                status[who[l]] = TOO_MANY_STEPS
