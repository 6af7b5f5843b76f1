"""Reported quantities of an overdose: ventilation, flows, gases and receptors, from the states of the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.overdose import layout
from schild.overdose.parameters import Physiology, Quirks, into_vein
from schild.pharmacology.physiology import Record
from schild.pharmacology.physiology import mann2022 as mann
from schild.pharmacology.physiology import spencer1979 as spencer


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person, or people, with their drugs; fields are numbers or arrays that fit the states."""

    physiology: Physiology  #: Numbers of the body
    #: Exponents of the loss of chemoreflexes and of wakefulness drive; larger in tolerance [1]
    p_chemo: Any
    p_wake: Any
    opioid: Record | None = None  #: Kinetics and binding; None for a run without drug
    dose_mg: float = 0.0  #: Bolus of the opioid at time 0 [mg]
    antagonist: Record | None = None
    route: Record = None  #: Its kinetics by route


def outputs(states: Floats, person: Person, quirks: Quirks) -> dict[str, Floats]:
    """Compute the reported quantities from states.

    ``states``: shape (..., states), in the order and units of ``layout.STATES``; ``quirks``: concentrations may
    scale with flow. Returns values by the column names of the reference's trajectories; each of the shape of ``states``
    without its last axis.
    """
    p, k = person.physiology, {name: states[..., i] for i, name in enumerate(layout.STATES)}
    pbo, pto = np.maximum(k["pbo"], 0.0), np.maximum(k["pto"], 0.0)
    qb, qt = mann.regional_flows(k["yc"], k["yo"], k["chi"], p.flow)
    # Collapse scales both flows equally, so shares remain defined at zero flow.
    wb, wt = mann.regional_flows(k["yc"], k["yo"], 1.0, p.flow)
    brain, rest = spencer.blood_contents(pbo, k["pbc"], p.gas), spencer.blood_contents(pto, k["ptc"], p.gas)
    end = spencer.blood_contents(k["pao"], k["pac"], p.gas)
    s = p.lung.shunt
    arterial = [(1.0 - s) * e + s * (wb * b + wt * t) / (wb + wt) for e, b, t in zip(end, brain, rest, strict=True)]
    pao2, paco2 = spencer.blood_pressures(arterial[0], arterial[1], p.gas)
    q = qb + qt
    wake = mann.residual_wakefulness(k["ra"], person.p_wake, p.drive)
    reflex = mann.chemoreflex_drive(k["dp"], k["dc"], k["ah"])
    taper = mann.flow_taper(q, p.collapse)
    vdot = mann.alveolar_ventilation(wake, reflex, taper, 0.0, p.drive)
    scale = mann.concentration_scale(q, p.flow) if quirks.flow_scales_concentration else np.ones_like(q)
    found = {
        "V_E_L_per_min": 60.0 * vdot / p.drive.alveolar_share,
        "wakefulness_drive": wake * taper,
        "chemoreflex_drive": reflex * taper,
        "Q_brain_L_per_min": 60.0 * qb,
        "Q_tissue_L_per_min": 60.0 * qt,
        "cardiac_output_L_per_min": 60.0 * q,
        "PaO2_mmHg": pao2,
        "PaCO2_mmHg": paco2,
        "PbO2_mmHg": pbo,
        "PbCO2_mmHg": k["pbc"],
        "PtO2_mmHg": pto,
        "PtCO2_mmHg": k["ptc"],
        "SaO2_pct": 100.0 * arterial[0] / (p.gas.z * p.gas.c1),
        "opioid_effect_nM": 1e-3 * k["la"],
        "antagonist_effect_nM": 1e-3 * k["lb"],
        "opioid_bound": k["ra"],
        "antagonist_bound": k["rb"],
    }
    if person.opioid is not None:
        found["opioid_plasma_ng_per_mL"] = 1000.0 * k["a1"] * scale / person.opioid.volume
    x1 = k["x1"]
    found["antagonist_plasma_ng_per_mL"] = (
        x1 * scale / (1000.0 * person.route.volume) if into_vein(person.route) else x1
    )
    return found
