"""The plain reading of the rescue model: published relations, SciPy, one person, the arrest rule as two simulations.

Slow and simple. It shares records and the relations of reported quantities with the package; the rest of the paper is
written here a second time. It is what the compiled kernel is held to.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import LSODA

from schild.errors import SchildError
from schild.overdose import layout
from schild.overdose.drugs import Rescue
from schild.overdose.outputs import Person, outputs
from schild.overdose.parameters import REPRODUCTION, Physiology, Quirks, into_vein
from schild.pharmacology.physiology import Record
from schild.pharmacology.physiology import mann2022 as mann
from schild.pharmacology.physiology import spencer1979 as spencer

Floats = NDArray[np.float64]
Real = float | Floats


_NAMES = (
    "a1 a2 a3 l_opioid depot t1 t2 c c2 b1 b2 b3 l_antagonist r_opioid r_antagonist "
    "pa_co2 pa_o2 cb_co2 cb_o2 ct_co2 ct_o2 y_co2 y_o2 d_p d_c a_h chi"
)
#: The states, in order: kinetics, binding, gases [mmHg and L/L], control, collapse.
STATES = tuple(_NAMES.split())
N = len(STATES)
(A1, A2, A3, L_A, DEPOT, T1, T2, C, C2, B1, B2, B3, L_B, R_A, R_B) = range(15)
(PA_C, PA_O, CB_C, CB_O, CT_C, CT_O, Y_C, Y_O, D_P, D_C, A_H, CHI) = range(15, N)
_ATOL = np.full(N, 1e-9)
_ATOL[[PA_C, PA_O]] = 1e-7
_ATOL[[CB_O, CT_O]] = 1e-11
_ATOL[[DEPOT, T1, T2, B1, B2, B3]] = 1e-2  # ng, of millions


@dataclass(slots=True)
class Course:
    """A solution that can be read at any time.

    Attributes
    ----------
    person : Person
        Who.
    pieces : list
        Interpolants of SciPy, and ``ends``, the time up to which each holds. [s]
    """

    person: Person
    quirks: Quirks
    start: Floats
    ends: list[float] = field(default_factory=list)
    pieces: list[Callable[[Any], Any]] = field(default_factory=list)
    evaluations: int = 0

    def states(self, times: Any) -> Floats:
        """Return the states at some times, shape (states, times)."""
        times = np.asarray(times, dtype=np.float64)
        out = np.empty((N, times.size))
        places = np.minimum(np.searchsorted(self.ends, times, side="left"), len(self.pieces) - 1)
        for place in np.unique(places):
            here = places == place
            out[:, here] = self.pieces[place](times[here])
        out[:, times <= 0.0] = self.start[:, None]
        return out

    def state(self, time: float) -> Floats:
        """Return the states at one past time, shape (states,)."""
        place = min(bisect_right(self.ends, time), len(self.pieces) - 1)
        return np.asarray(self.pieces[place](time))

    def outputs(self, times: Any) -> dict[str, Floats]:
        """Return what the reference reports, by the column names of its trajectories."""
        return outputs(kernel_states(self.states(times), self.person), self.person, self.quirks)


def kernel_states(y: Floats, person: Person) -> Floats:
    """Bring states into the order and units of the kernel, shape (times, states)."""
    gas, vein = person.physiology.gas, into_vein(person.route)
    found = np.zeros((y.shape[1], layout.NS))
    names = dict(a1=A1, a2=A2, a3=A3, la=L_A, d=DEPOT, t1=T1, t2=T2, x1=B1 if vein else C, x2=B2 if vein else C2, x3=B3)
    names |= dict(lb=L_B, ra=R_A, rb=R_B, pac=PA_C, pao=PA_O, yc=Y_C, yo=Y_O, dp=D_P, dc=D_C, ah=A_H, chi=CHI)
    pressures = dict(
        pbo=y[CB_O] / gas.alpha_o2,
        pto=y[CT_O] / gas.alpha_o2,
        pbc=(y[CB_C] - gas.hco3_brain) / gas.alpha_co2,
        ptc=(y[CT_C] - gas.hco3_tissue) / gas.alpha_co2,
    )
    for name, value in ({name: y[k] for name, k in names.items()} | pressures).items():
        found[:, layout.STATES.index(name)] = value
    return found


def binding_rates(bound: Real, bound_rival: Real, ligand_pm: Real, k_on: Real, k_off: Real, n: Real) -> Floats:
    """Rate at which a ligand's share of the receptors grows, beside a rival."""
    return np.asarray(
        k_on * (1.0 - np.asarray(bound) - bound_rival) * np.maximum(ligand_pm, 0.0) ** n - np.asarray(k_off) * bound
    )


def chemoreflex_gain(activation: Real, exponent: Real) -> Floats:
    """Share of both chemoreflexes that an opioid leaves."""
    return np.asarray(1.0 - np.maximum(activation, 0.0) ** exponent)


def flow_target_co2(paco2: Real, flow: Record) -> Floats:
    """Steady change of brain blood flow by carbon dioxide."""
    ml_100g_min = flow.a_co2 + flow.b_co2 / (1.0 + np.exp(-(np.asarray(paco2) - flow.c_co2) / flow.d_co2))
    return np.asarray(ml_100g_min * flow.brain_mass / (100.0 * 1000.0 * 60.0) / flow.brain)


def flow_target_o2(pao2: Real, flow: Record) -> Floats:
    """Steady rise of blood flow in lack of oxygen."""
    rise = flow.c1_o2 * (np.exp(-np.asarray(pao2) / flow.c2_o2) - np.exp(-flow.pao2_0 / flow.c2_o2))
    return np.asarray(np.minimum(flow.psi_cap, rise))


def relaxation(value: Real, target: Real, tau_s: Real) -> Floats:
    """First-order approach of a value to its target."""
    return np.asarray((np.asarray(target) - value) / tau_s)


def metabolism(wakefulness: Real, po2: Real, co2_rest: Real, o2_rest: Real, drive: Record) -> tuple[Floats, Floats]:
    """Carbon dioxide and oxygen that a tissue makes, in depressed wakefulness and in lack of oxygen."""
    w = (np.maximum(wakefulness, 0.0) / drive.wake_max) ** drive.metabolism
    low = np.minimum(1.0, np.asarray(po2) / drive.metabolism_po2)
    return (
        np.asarray(co2_rest * np.maximum(w, drive.co2_floor) * low),
        np.asarray(o2_rest * np.maximum(w, drive.o2_floor) * low),
    )


def store_balance(flow: Real, arterial: Real, venous: Real, made: Real, volume: Real) -> Floats:
    """Rate of change of a gas content in a tissue."""
    return np.asarray((np.asarray(flow) * (np.asarray(arterial) - venous) + made) / volume)


def lung_balance(
    ventilation: Real,
    inspired: Real,
    alveolar: Real,
    cardiac_output: Real,
    venous: Real,
    capillary: Real,
    lung: Record,
) -> Floats:
    """Rate of change of a gas pressure in the lung."""
    exchange = lung.conversion * np.asarray(cardiac_output) * (1.0 - lung.shunt) * (np.asarray(venous) - capillary)
    return np.asarray((np.asarray(ventilation) * (np.asarray(inspired) - alveolar) + exchange) / lung.volume)


def transport_delay(volume: Real, cardiac_output: Real, collapse: Record) -> Floats:
    """Time blood needs from the lung to a sensor."""
    q = np.asarray(cardiac_output, dtype=np.float64)
    return np.where(60.0 * q < collapse.taper_high, 0.0, volume / np.maximum(q, 1e-300))


def peripheral_firing(pao2: Real, paco2: Real, reflex: Record) -> Floats:
    """Firing of the peripheral chemoreceptors."""
    x = np.exp((np.asarray(pao2) - reflex.pao2_mid) / reflex.pao2_width)
    by_co2 = reflex.k_firing * np.log(np.asarray(paco2) / reflex.b_co2)
    return np.asarray(by_co2 * (reflex.f_max + reflex.f_min * x) / (1.0 + x))


def central_depression_target(po2_brain: Real, reflex: Record) -> Floats:
    """Factor on the peripheral reflex that lack of oxygen in the brain tends to."""
    bounded = np.clip(po2_brain, reflex.theta_min, reflex.theta_max)
    return np.asarray(1.0 + reflex.gain_depression * (bounded - reflex.pbo2_0) / reflex.pbo2_0)


def collapse_rate(paco2: Real, collapse: Record) -> Floats:
    """Rate constant at which flow falls after collapse."""
    return np.asarray(
        collapse.rate * (collapse.weight_constant + collapse.weight_co2 * np.asarray(paco2) / collapse.co2_scale)
    )


def arrest_hazard(pao2: Real, rate: Real, width: Real, collapse: Record) -> Floats:
    """Hazard of circulatory collapse by lack of oxygen: an alternative to the fixed delay."""
    return np.asarray(rate * np.exp(-(np.asarray(pao2, dtype=np.float64) - collapse.pao2) / width))


def _blood(y: Floats, physiology: Physiology) -> tuple[Any, ...]:
    """Pressures and contents everywhere, and flows, from the states."""
    gas = physiology.gas
    qb, qt = mann.regional_flows(y[Y_C], y[Y_O], y[CHI], physiology.flow)
    # In a tissue gases are dissolved, and carbon dioxide is bound as bicarbonate too.
    pb_o, pt_o = max(y[CB_O], 0.0) / gas.alpha_o2, max(y[CT_O], 0.0) / gas.alpha_o2
    pb_c = (max(y[CB_C], 0.0) - gas.hco3_brain) / gas.alpha_co2
    pt_c = (max(y[CT_C], 0.0) - gas.hco3_tissue) / gas.alpha_co2
    vb = spencer.blood_contents(pb_o, pb_c, gas)
    vt = spencer.blood_contents(pt_o, pt_c, gas)
    end = spencer.blood_contents(y[PA_O], y[PA_C], gas)
    # Collapse scales both flows alike, so the shares stay defined when flow has gone.
    wb, wt = mann.regional_flows(y[Y_C], y[Y_O], 1.0, physiology.flow)
    venous = [(wb * b + wt * t) / (wb + wt) for b, t in zip(vb, vt, strict=True)]
    s = physiology.lung.shunt
    arterial = [(1.0 - s) * e + s * v for e, v in zip(end, venous, strict=True)]
    pressures = spencer.blood_pressures(arterial[0], arterial[1], gas)
    return pressures, arterial, venous, end, vb, vt, (pb_o, pb_c), (pt_o, pt_c), qb, qt


def _ventilation(y: Floats, q: Any, person: Person, floor: Any) -> tuple[Any, Any, Any]:
    """Wakefulness and chemoreflex drives [L/min] and alveolar ventilation [L/s]."""
    physiology = person.physiology
    wake = mann.residual_wakefulness(y[R_A], person.p_wake, physiology.drive)
    reflex = mann.chemoreflex_drive(y[D_P], y[D_C], y[A_H])
    taper = mann.flow_taper(q, physiology.collapse)
    return wake, reflex, mann.alveolar_ventilation(wake, reflex, taper, floor, physiology.drive)


@dataclass(frozen=True, slots=True)
class _Now:
    """What holds between two events."""

    bioavailability: float = 1.0
    rate_ng_s: float = 0.0
    collapsing: bool = False
    floor_l_min: float = 0.0
    inspired_o2: float | None = None


def rates(t: float, y: Floats, course: Course, now: _Now) -> Floats:
    """Right-hand side: every published relation once.

    Parameters
    ----------
    t : float
        Time. [s]
    y : ndarray
        States, shape (states,).
    course : Course
        The past, for the lags.
    now : _Now
        Piecewise constant inputs.

    Returns
    -------
    ndarray
        Rates, shape (states,). [1/s]
    """
    course.evaluations += 1
    person, quirks = course.person, course.quirks
    p = person.physiology
    out = np.zeros(N)
    (_, paco2), arterial, venous, end, vb, vt, (pb_o, _), (pt_o, _), qb, qt = blood = _blood(y, p)
    pao2 = blood[0][0]
    q = qb + qt
    scale = float(mann.concentration_scale(q, p.flow)) if quirks.flow_scales_concentration else 1.0
    # Kinetics and binding.
    if person.opioid is not None:
        o = person.opioid
        out[A1] = -(o.k_el + o.k12 + o.k13) * y[A1] + o.k21 * y[A2] + o.k31 * y[A3]
        out[A2] = o.k12 * y[A1] - o.k21 * y[A2]
        out[A3] = o.k13 * y[A1] - o.k31 * y[A3]
        out[L_A] = o.k_e0 * (1e9 * y[A1] * scale / o.volume / o.molar_mass - y[L_A])
        out[R_A] = binding_rates(y[R_A], y[R_B], y[L_A], o.k_on, o.k_off, o.n)
    if person.antagonist is not None:
        b, r = person.antagonist, person.route
        plasma = 0.0  # pM
        if not into_vein(r):
            out[DEPOT] = -r.k_tr * y[DEPOT]
            out[T1] = now.bioavailability * r.k_tr * y[DEPOT] - r.k_tr * y[T1]
            out[T2] = r.k_tr * y[T1] - r.k_in * y[T2]
            out[C] = scale / r.v1 * (r.k_in * y[T2] - r.cl * y[C] - r.q * (y[C] - y[C2]))
            out[C2] = scale_free(r.q, r.v2, y[C], y[C2])
            plasma = 1e6 * y[C] / b.molar_mass
        else:
            out[B1] = now.rate_ng_s - (r.k_el + r.k12 + r.k13) * y[B1] + r.k21 * y[B2] + r.k31 * y[B3]
            out[B2] = r.k12 * y[B1] - r.k21 * y[B2]
            out[B3] = r.k13 * y[B1] - r.k31 * y[B3]
            plasma = 1e3 * y[B1] * scale / (r.volume * b.molar_mass)
        out[L_B] = b.k_e0 * (plasma - y[L_B])
        out[R_B] = binding_rates(y[R_B], y[R_A], y[L_B], b.k_on, b.k_off, b.n)
    # Breathing.
    wake, _, vdot = _ventilation(y, q, person, now.floor_l_min)
    inspired = p.lung.inspired_o2 if now.inspired_o2 is None else now.inspired_o2
    out[PA_O] = lung_balance(vdot, inspired, y[PA_O], q, venous[0], end[0], p.lung)
    out[PA_C] = lung_balance(vdot, p.lung.inspired_co2, max(y[PA_C], 0.0), q, venous[1], end[1], p.lung)
    # Stores. Metabolism sees the wakefulness drive after the taper of low flow, as in the program.
    awake = wake * mann.flow_taper(q, p.collapse)
    for flow, po, volume, names, vein, at in (
        (qb, pb_o, p.tissue.volume_brain, ("co2_brain", "o2_brain"), vb, (CB_C, CB_O)),
        (qt, pt_o, p.tissue.volume_tissue, ("co2_tissue", "o2_tissue"), vt, (CT_C, CT_O)),
    ):
        made = metabolism(awake, po, getattr(p.tissue, names[0]), getattr(p.tissue, names[1]), p.drive)
        out[at[0]] = store_balance(flow, arterial[1], vein[1], made[0], volume)
        out[at[1]] = store_balance(flow, arterial[0], vein[0], made[1], volume)
    # Blood flow.
    out[Y_C] = relaxation(y[Y_C], flow_target_co2(paco2, p.flow), p.flow.tau_co2)
    out[Y_O] = relaxation(y[Y_O], flow_target_o2(pao2, p.flow), p.flow.tau_o2)
    # Control, with the lagged arterial and brain pressures.
    (lag_o, lag_c), _ = lagged(t, p.reflex.lag_peripheral, q, blood, course)
    _, lag_b = lagged(t, p.reflex.lag_central, q, blood, course)
    gain = chemoreflex_gain(y[R_A], person.p_chemo)
    firing = peripheral_firing(lag_o, lag_c, p.reflex)
    out[D_P] = relaxation(y[D_P], gain * p.reflex.gain_peripheral * (firing - p.reflex.f_0), p.reflex.tau_peripheral)
    out[D_C] = relaxation(y[D_C], gain * p.reflex.gain_central * (lag_b - p.reflex.pbco2_0), p.reflex.tau_central)
    out[A_H] = relaxation(y[A_H], central_depression_target(pb_o, p.reflex), p.reflex.tau_depression)
    if now.collapsing:
        out[CHI] = -collapse_rate(paco2, p.collapse) * y[CHI]
    return out


def scale_free(q: float, volume: float, c: float, c2: float) -> float:
    """Rate of the peripheral concentration of naloxone; the scale of flow is not in it, so mass is not conserved."""
    return q / volume * (c - c2)


def lagged(t: float, volume: float, q: Any, blood: tuple[Any, ...], course: Course) -> tuple[Any, Any]:
    """Arterial pressures and brain carbon dioxide of the blood that reaches a sensor now."""
    p, quirks = course.person.physiology, course.quirks
    if quirks.no_lag_at_low_flow:
        tau = float(transport_delay(volume, q, p.collapse))
    else:
        tau = volume / max(float(q), p.collapse.taper_low / 60.0)
    past = t - tau
    if tau == 0.0 or (past <= 0.0 and quirks.present_value_before_start) or not course.pieces:
        return blood[0], blood[6][1]
    then = _blood(course.start if past <= 0.0 else course.state(past), p)
    return then[0], then[6][1]


def cold_start(physiology: Physiology) -> Floats:
    """Return the states from which the warm-up begins, shape (states,)."""
    y = np.zeros(N)
    s = physiology.start
    y[[PA_C, PA_O, CB_C, CB_O, CT_C, CT_O]] = (
        s.alveolar_co2,
        s.alveolar_o2,
        s.brain_co2,
        s.brain_o2,
        s.tissue_co2,
        s.tissue_o2,
    )
    y[A_H], y[CHI] = s.depression, 1.0
    return y


def warm_up(physiology: Physiology, seconds: float = 3600.0, rtol: float = 1e-10) -> Floats:
    """Breathe without drug, and return the states at the end.

    Parameters
    ----------
    physiology : Physiology
        Numbers, not arrays.
    seconds : float
        How long. [s]
    rtol : float
        Relative tolerance.

    Returns
    -------
    ndarray
        Shape (states,).
    """
    person = Person(physiology=physiology, p_chemo=1.0, p_wake=1.0)
    return simulate(person, cold_start(physiology), seconds, quirks=REPRODUCTION, rtol=rtol).states([seconds])[:, 0]


def simulate(
    person: Person,
    start: Floats,
    until: float,
    *,
    first_dose: float | None = None,
    rescue: Rescue | None = None,
    collapse_at: float | None = None,
    interventions: tuple[tuple[float, str, float], ...] = (),
    quirks: Quirks = REPRODUCTION,
    rtol: float = 1e-8,
) -> Course:
    """Solve one run by the method of steps.

    Parameters
    ----------
    person : Person
        Who, and what they took at time 0.
    start : ndarray
        States before the opioid, from `warm_up`.
    until : float
        End. [s]
    first_dose : float, optional
        Time of the first dose of the antagonist. [s]
    rescue : Rescue, optional
        Its doses.
    collapse_at : float, optional
        Time from which flow falls. [s]
    interventions : tuple of (time, what, value)
        ``what`` is ``floor`` (ventilation by a rescuer, L/min) or ``inspired_o2`` (mmHg), from that time on.
    quirks : Quirks
        Peculiarities of the reference.
    rtol : float
        Relative tolerance of LSODA.

    Returns
    -------
    Course
        The solution.

    Raises
    ------
    SchildError
        If LSODA fails.
    """
    y = start.copy()
    y[A1] += person.dose_mg
    course = Course(person=person, quirks=quirks, start=y.copy())
    events = _events(person, first_dose, rescue, collapse_at, interventions, quirks)
    now: dict[str, Any] = {}
    stops = sorted({time for time, _, _ in events if 0.0 < time < until} | {until})
    t = 0.0
    # Lags are at least 3.5 s at the highest flow, so a step of 3 s never needs its own end.
    for stop in stops:
        for time, what, value in events:
            if time == t:
                _apply(y, now, what, value)
        state = _Now(**now)
        solver = LSODA(
            partial(_right_hand_side, course, state),
            t,
            y,
            stop,
            rtol=rtol,
            atol=_ATOL * (rtol / 1e-8),
            max_step=3.0,
            first_step=min(1e-3, stop - t),
        )
        while solver.status == "running":
            if message := solver.step():
                raise SchildError(f"LSODA failed at {solver.t:g} s: {message}. Give a looser rtol than {rtol:g}.")
            course.pieces.append(solver.dense_output())
            course.ends.append(solver.t)
        y, t = solver.y.copy(), stop
    return course


def _right_hand_side(course: Course, now: _Now, t: float, y: Floats) -> Floats:
    return rates(t, y, course, now)


def _apply(y: Floats, now: dict[str, Any], what: str, value: float) -> None:
    if what in ("depot", "vein"):
        y[DEPOT if what == "depot" else B1] += value
    else:
        now[what] = value


def _events(
    person: Person,
    first_dose: float | None,
    rescue: Rescue | None,
    collapse_at: float | None,
    interventions: tuple[tuple[float, str, float], ...],
    quirks: Quirks,
) -> list[tuple[float, str, Any]]:
    events: list[tuple[float, str, Any]] = []
    for time, what, value in interventions:
        events.append((time, {"floor": "floor_l_min", "inspired_o2": "inspired_o2"}[what], value))
    if collapse_at is not None:
        events.append((collapse_at, "collapsing", True))
    route = person.route
    for dose in rescue.doses if rescue is not None and first_dose is not None else ():
        assert first_dose is not None
        at = first_dose + dose.after_s
        if not into_vein(route):
            share = getattr(route, dose.bioavailability)
            if quirks.depot_takes_new_bioavailability:
                events += [(at, "bioavailability", share), (at, "depot", dose.amount_ng)]
            else:
                events += [(at, "depot", share * dose.amount_ng)]
        elif quirks.iv_pulses:
            steps = round(route.pulses)
            gap = route.infusion / (steps - 1)
            events += [(at + k * gap, "vein", dose.amount_ng / (steps - 1)) for k in range(steps)]
        else:
            rate = dose.amount_ng / route.infusion
            events += [(at, "rate_ng_s", rate), (at + route.infusion, "rate_ng_s", 0.0)]
    return events


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the two simulations of the reference find.

    Attributes
    ----------
    course : Course
        The second simulation (the first where nobody collapses).
    first_severe, decision, collapse : float
        First time of severe hypoxia, time of the decision, start of collapse; NaN where there is none. [s]
    pao2_at_decision : float
        What the decision rests on. [mmHg]
    arrest : bool
        Whether flow ever stopped.
    dropped : bool
        Whether the decision lies beyond the horizon, where the reference's script fails and the person drops out.
    """

    course: Course
    first_severe: float
    decision: float
    collapse: float
    pao2_at_decision: float
    arrest: bool
    dropped: bool


def two_pass(
    person: Person,
    start: Floats,
    protocol: Record,
    *,
    first_dose: float | None = None,
    rescue: Rescue | None = None,
    renarcotisation: bool = True,
    arrest_flow: float | None = None,
    quirks: Quirks = REPRODUCTION,
    rtol: float = 1e-8,
) -> Verdict:
    """Apply the arrest rule of the reference, literally: simulate, look, simulate again with collapse.

    Parameters
    ----------
    person, start, first_dose, rescue, quirks, rtol
        As for `simulate`.
    protocol : Record
        Horizon and grid. [s]
    renarcotisation : bool
        Look for a second severe hypoxia after a recovery (intranasal branch). Off: the person has recovered (main).
    arrest_flow : float, optional
        Arrest is flow at or below this. [L/min]

    Returns
    -------
    Verdict
        The outcome.
    """
    c = person.physiology.collapse
    limit = c.arrest_flow if arrest_flow is None else arrest_flow

    def run(collapse_at: float | None) -> Course:
        return simulate(
            person,
            start,
            protocol.horizon,
            first_dose=first_dose,
            rescue=rescue,
            collapse_at=collapse_at,
            quirks=quirks,
            rtol=rtol,
        )

    first = run(None)
    times = np.arange(round(protocol.horizon / protocol.grid) + 1) * protocol.grid
    pao2 = first.outputs(times)["PaO2_mmHg"]
    severe = np.flatnonzero(pao2 <= c.pao2)
    nan = float("nan")

    def none(t15: float, at: float, value: float, dropped: bool) -> Verdict:
        return Verdict(
            course=first,
            first_severe=t15,
            decision=at,
            collapse=nan,
            pao2_at_decision=value,
            arrest=bool(np.any(first.outputs(times)["cardiac_output_L_per_min"] <= limit)),
            dropped=dropped,
        )

    if severe.size == 0:
        return none(nan, nan, nan, False)
    steps = round(c.delay / protocol.grid)
    place = int(severe[0]) + steps
    t15 = float(times[severe[0]])
    if place >= times.size:
        return none(t15, t15 + c.delay, nan, True)
    value = float(pao2[place])
    decision = float(times[place])
    if value > c.pao2:
        later = severe[severe > place]
        if later.size == 0 or not renarcotisation:
            return none(t15, decision, value, False)
        place = int(later[0]) + steps
        if place >= times.size:
            return none(t15, decision, value, True)
    second = run(float(times[place]))
    flow = second.outputs(times)["cardiac_output_L_per_min"]
    return Verdict(
        course=second,
        first_severe=t15,
        decision=decision,
        collapse=float(times[place]),
        pao2_at_decision=value,
        arrest=bool(np.any(flow <= limit)),
        dropped=False,
    )


def trigger_time(course: Course, protocol: Record) -> float:
    """Return when ventilation first crosses the share of its baseline that alarms a bystander; NaN if never. [s]"""
    times = np.arange(round(protocol.horizon / protocol.grid) + 1) * protocol.grid
    breath = course.outputs(times)["V_E_L_per_min"]
    level = protocol.trigger * breath[0]
    below = np.flatnonzero(breath <= level)
    if below.size == 0:
        return float("nan")
    k = int(below[0])
    return float(times[k - 1] + protocol.grid * (breath[k - 1] - level) / (breath[k - 1] - breath[k]))
