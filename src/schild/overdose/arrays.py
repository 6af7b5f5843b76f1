"""Rows of the kernel from records with units: derived numbers and conversions of units."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.errors import InputError
from schild.overdose import layout
from schild.overdose.drugs import Rescue
from schild.overdose.parameters import Physiology, Quirks, into_vein
from schild.pharmacology.physiology import Record

#: Error that equals the tolerance, by state; kinetics are relative (see ``kernel_rows``).
_SIZES = {
    "ra": 0.1,
    "rb": 0.1,
    **dict.fromkeys(("pac", "pao", "pbc", "pbo", "ptc", "pto"), 10.0),
    "yc": 0.1,
    "yo": 0.1,
    "dp": 1.0,
    "dc": 1.0,
    "ah": 0.1,
    "chi": 0.1,
    "clk": 10.0,
}
WEIGHTS = np.array([1.0 / _SIZES.get(name, 1.0) for name in layout.STATES])

#: Columns that are numbers of the physiology as they are, and columns that are one over a number.
_AS_THEY_ARE = {
    "lung": "pi_c=inspired_co2 pi_o=inspired_o2 sh=shunt",
    "gas": "a1=a1 a2=a2 al1=alpha1 be1=beta1 al2=alpha2 be2=beta2 k1=k1 k2=k2",
    "tissue": "mbc=co2_brain mbo=o2_brain mtc=co2_tissue mto=o2_tissue",
    "drive": "pmet=metabolism fc=co2_floor fo=o2_floor w=wake wmax=wake_max",
    "flow": "qb0=brain qt0=tissue rho=rho fc0=c_co2 c1=c1_o2 cap=psi_cap smid=scale_mid smax=scale_max",
    "reflex": "kp=lag_peripheral kc=lag_central kf=k_firing fmax=f_max fmin=f_min f0=f_0 omid=pao2_mid "
    "gp=gain_peripheral gc=gain_central pb0=pbco2_0 thmin=theta_min thmax=theta_max pbo0=pbo2_0",
    "collapse": "p15=pao2 delay=delay",
    "clock": "krec=flow_recovery noret=no_return pbrec=recovery_po2",
    "hazard": "hzrate=rate",
}
_INVERSE = {
    "lung": "inv_va=volume",
    "gas": "ik1=k1 ik2=k2 ia1=a1 ia2=a2",
    "drive": "iwmax=wake_max ipo2=metabolism_po2",
    "flow": "fid=d_co2 itc=tau_co2 ic2=c2_o2 ito=tau_o2 iqref=q_ref siw=scale_width",
    "reflex": "ibp=b_co2 iow=pao2_width itp=tau_peripheral itd=tau_central ith=tau_depression",
    "hazard": "hziw=width",
}


def _named(record: Record, pairs: str) -> dict[str, Any]:
    """Fields of a record by the names of their columns, ``column=field``."""
    return {column: getattr(record, field) for column, field in (pair.split("=") for pair in pairs.split())}


def kernel_rows(
    people: int,
    physiology: Physiology,
    *,
    p_chemo: Any,
    p_wake: Any,
    opioid: Record | None = None,
    dose_mg: Any = 0.0,
    antagonist: Record | None = None,
    route: Record | None = None,
    quirks: Quirks,
    trigger: Any = 0.4,
    wait_s: Any = 60.0,
    limit: Any = None,
) -> Floats:
    """Fill the kernel's table of people.

    - ``physiology``, ``opioid``, ``antagonist`` and ``route``: fields are numbers or arrays of shape (people,).
    - ``p_chemo`` and ``p_wake``: exponents of the loss of drive [1].
    - ``dose_mg``: dose that scales the errors of the opioid's kinetics [mg].
    - ``quirks``: peculiarities of the reference.
    - ``trigger``: share of baseline ventilation that starts the rescue [1].
    - ``wait_s``: time from there to the first dose [s].
    - ``limit``: value of the clock or the cumulative hazard at collapse; by default the delay [s, or 1].

    Raises InputError if a number is not finite.
    """
    p = physiology
    lung, gas, tissue, flow, reflex, drive, c = p.lung, p.gas, p.tissue, p.flow, p.reflex, p.drive, p.collapse
    per_100g = flow.brain_mass / (100.0 * 1000.0 * 60.0) / flow.brain
    columns: dict[str, Any] = {}
    for record, pairs in _AS_THEY_ARE.items():
        columns |= _named(getattr(p, record), pairs)
    for record, pairs in _INVERSE.items():
        columns |= {column: 1.0 / value for column, value in _named(getattr(p, record), pairs).items()}
    columns |= dict(
        lam=lung.conversion * (1.0 - lung.shunt),
        zc1=gas.z * gas.c1,
        zc2=gas.z * gas.c2,
        vbo=1.0 / (tissue.volume_brain * gas.alpha_o2),
        vbc=1.0 / (tissue.volume_brain * gas.alpha_co2),
        vto=1.0 / (tissue.volume_tissue * gas.alpha_o2),
        vtc=1.0 / (tissue.volume_tissue * gas.alpha_co2),
        fa=flow.a_co2 * per_100g,
        fb=flow.b_co2 * per_100g,
        o20=flow.c1_o2 * np.exp(-flow.pao2_0 / flow.c2_o2),
        gh=reflex.gain_depression / reflex.pbo2_0,
        pch=p_chemo,
        pw=p_wake,
        share=drive.alveolar_share / 60.0,
        kcol0=c.rate * c.weight_constant,
        kcol1=c.rate * c.weight_co2 / c.co2_scale,
        qarr=c.arrest_flow / 60.0,
        taper=c.taper_high / 60.0,
        tlo=c.taper_low / 60.0,
        clkrec=c.delay / p.clock.recovery,
        limit=c.delay if limit is None else limit,
        fla=np.maximum(1e-3 * np.asarray(dose_mg), 1e-9),
        flt=4e3,  # ng: a thousandth of a spray
        flx=0.01,
        flla=1.0,
        fllb=1.0,
        trigger=trigger,
        wait=wait_s,
    )
    columns |= _opioid_columns(opioid, quirks) | _antagonist_columns(antagonist, route, quirks)
    rows = np.zeros((people, layout.NP))
    for k, name in enumerate(layout.PARAMETERS):
        if name in columns:
            rows[:, k] = columns[name]
    if not np.isfinite(rows).all():
        wrong = [layout.PARAMETERS[k] for k in np.flatnonzero(~np.isfinite(rows).all(axis=0))]
        raise InputError(f"Some people have numbers that are not finite ({', '.join(wrong)}); expected finite ones.")
    return rows


def _opioid_columns(opioid: Record | None, quirks: Quirks) -> dict[str, Any]:
    if opioid is None:
        return {}
    o = opioid
    return _named(o, "o12=k12 o13=k13 o21=k21 o31=k31 ke0a=k_e0 kona=k_on koffa=k_off na=n") | dict(
        oa=o.k_el + o.k12 + o.k13,
        topa=1e9 / (o.volume * o.molar_mass),  # mg to pM
        qsa=float(quirks.flow_scales_concentration),
        flla=(o.k_off / o.k_on) ** (1.0 / o.n),
    )


def _antagonist_columns(antagonist: Record | None, route: Record | None, quirks: Quirks) -> dict[str, Any]:
    if antagonist is None or route is None:
        return {}
    b, r = antagonist, route
    columns = _named(b, "ke0b=k_e0 konb=k_on koffb=k_off nb=n") | dict(fllb=(b.k_off / b.k_on) ** (1.0 / b.n))
    scales = float(quirks.flow_scales_concentration)
    if into_vein(r):
        return columns | _named(r, "x21=k21 x31=k31 e12=k12 e13=k13 e21=k21 e31=k31") | dict(
            xout=r.k_el + r.k12 + r.k13,
            topb=1e3 / (r.volume * b.molar_mass),  # ng in litres to pM
            flx=10.0 * r.volume,  # 0.01 ng/mL
            qsout=scales,
        )  # fmt: skip
    return columns | _named(r, "ktr=k_tr kin=k_in") | dict(
        t2g=1.0 / r.v1,
        xout=(r.cl + r.q) / r.v1,
        x21=r.q / r.v1,
        e12=r.q / r.v2,
        e21=r.q / r.v2,
        topb=1e6 / b.molar_mass,  # ng/mL to pM
        qsrate=scales,
    )  # fmt: skip


def events(people: int, items: list[tuple[Any, int, Any]]) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Turn events into the kernel's tables, sorted by time for each person, those at one time in the order given.

    ``items``: times and values are numbers or arrays of shape (people,); an infinite time means never. Returns times,
    kinds and values, each of shape (people, events).
    """
    shape = (people, len(items))
    time, kind, value = np.empty(shape), np.empty(shape, dtype=np.int64), np.empty(shape)
    for k, (t, what, v) in enumerate(items):
        time[:, k], kind[:, k], value[:, k] = t, what, v
    order = np.argsort(time, axis=1, kind="stable")
    return tuple(np.take_along_axis(table, order, axis=1) for table in (time, kind, value))  # type: ignore[return-value]


def doses(rescue: Rescue, route: Record, quirks: Quirks) -> list[tuple[Any, int, Any]]:
    """Events of an antagonist regimen, in seconds after its first dose.

    ``quirks``: effect of a later spray on earlier ones; pulses into a vein. Returns items for `events`. The 101 pulses
    of the reference are replaced by half a pulse, an infusion and half a pulse: the same amount midway between pulses.
    """
    found: list[tuple[Any, int, Any]] = []
    for dose in rescue.doses:
        if into_vein(route):
            end = dose.after_s + route.infusion
            found += [(dose.after_s, layout.SET_RATE, dose.amount_ng / route.infusion), (end, layout.SET_RATE, 0.0)]
            if quirks.iv_pulses:
                half = dose.amount_ng / (2.0 * (route.pulses - 1.0))
                found += [(dose.after_s, layout.ADD_PLASMA, half), (end, layout.ADD_PLASMA, half)]
            continue
        share = getattr(route, dose.bioavailability)
        if quirks.depot_takes_new_bioavailability:
            found += [(dose.after_s, layout.SET_F, share), (dose.after_s, layout.ADD_DEPOT, dose.amount_ng)]
        else:
            found += [(dose.after_s, layout.ADD_DEPOT, share * dose.amount_ng)]
    return found


def cold_starts(people: int, physiology: Physiology) -> Floats:
    """Return the kernel's states at the beginning of the warm-up, shape (people, states)."""
    s, gas = physiology.start, physiology.gas
    known = dict(
        pac=s.alveolar_co2,
        pao=s.alveolar_o2,
        pbc=(s.brain_co2 - gas.hco3_brain) / gas.alpha_co2,
        pbo=s.brain_o2 / gas.alpha_o2,
        ptc=(s.tissue_co2 - gas.hco3_tissue) / gas.alpha_co2,
        pto=s.tissue_o2 / gas.alpha_o2,
        ah=s.depression,
        chi=1.0,
    )
    starts = np.zeros((people, layout.NS))
    for k, name in enumerate(layout.STATES):
        starts[:, k] = known.get(name, 0.0)
    return starts
