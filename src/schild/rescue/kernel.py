"""The compiled rescue kernel: breathing, gases, flow and collapse of eight people at a time, with transport delays.

The right-hand side is the published model once, in the order of the paper; ``schild.engine.additive`` steps it. Each
lane has its own time, step, events, history and error control, and takes the next person when its own has ended; no
lane sees another. Rules of collapse, events and outcomes are in the loop. Seconds, mmHg, litres.

The plain reading of the same paper that holds this file to its word is ``tests/rescue_reference.py``; the design is in
``docs/design/rescue.md``.
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
from schild.engine.lane_math import exponential, logarithm, power
from schild.engine.lanes import W, choose, load, maximum, minimum, splat, square_root, store

#: Files that decide whether the compiled kernel is still the right one, seen from the engine.
SOURCES = ("../rescue/kernel.py", "additive.py", "lane_math.py", "lanes.py", "cache.py")

# Columns of a person's row. ``schild.rescue.arrays`` fills them, derived numbers included.
_COLUMNS = (
    "inv_va pi_c pi_o lam sh ik1 ik2 ia1 ia2 a1 a2 al1 be1 al2 be2 zc1 zc2 k1 k2 "
    "vbo vbc vto vtc mbc mbo mtc mto pmet iwmax fc fo ipo2 "
    "qb0 qt0 rho fa fb fc0 fid itc c1 ic2 o20 ito cap iqref smid siw smax "
    "kp kc kf ibp fmax fmin f0 omid iow itp itd gp gc pb0 thmin thmax gh pbo0 ith "
    "pch pw w wmax share p15 delay kcol0 kcol1 qarr taper tlo "
    "oa o12 o13 o21 o31 topa ke0a kona koffa na qsa "
    "ktr kin t2g xout x21 x31 e12 e13 e21 e31 topb ke0b konb koffb nb qsrate qsout "
    "clkrec krec noret hzrate hziw limit pbrec fla flt flx flla fllb trigger wait"
)
PARAMETERS = tuple(_COLUMNS.split())
NP = len(PARAMETERS)
(INV_VA, PI_C, PI_O, LAM, SH, IK1, IK2, IA1, IA2, G1, G2, AL1, BE1, AL2, BE2, ZC1, ZC2, K1, K2) = range(19)
(VBO, VBC, VTO, VTC, MBC, MBO, MTC, MTO, PMET, IWMAX, FC, FO, IPO2) = range(19, 32)
(QB0, QT0, RHO, FA, FBB, FC0, FID, ITC, C1, IC2, O20, ITO, CAP, IQREF, SMID, SIW, SMAX) = range(32, 49)
(KP, KC, KF, IBP, FMAX, FMIN, F0, OMID, IOW, ITP, ITD, GP, GC, PB0, THMIN, THMAX, GH, PBO0, ITH) = range(49, 68)
(PCH, PW, W0, WMAX, SHARE, P15, DELAY, KCOL0, KCOL1, QARR, TAPER, TLO) = range(68, 80)
(OA, O12, O13, O21, O31, TOPA, KE0A, KONA, KOFFA, NA, QSA) = range(80, 91)
(KTR, KIN, T2G, XOUT, X21, X31, E12, E13, E21, E31, TOPB, KE0B, KONB, KOFFB, NB, QSRATE, QSOUT) = range(91, 108)
(CLKREC, KREC, NORET, HZRATE, HZIW, LIMIT, PBREC, FLA, FLT, FLX, FLLA, FLLB, TRIGGER, WAIT) = range(108, 122)

_NAMES = "a1 a2 a3 la d t1 t2 x1 x2 x3 lb ra rb pac pao pbc pbo ptc pto yc yo dp dc ah chi clk"
STATES = tuple(_NAMES.split())
NS = len(STATES)
(SA1, SA2, SA3, SLA, SD, ST1, ST2, SX1, SX2, SX3, SLB, SRA, SRB) = range(13)
(SPAC, SPAO, SPBC, SPBO, SPTC, SPTO, SYC, SYO, SDP, SDC, SAH, SCHI, SCLK) = range(13, NS)

# Events and rules.
ADD_OPIOID, ADD_DEPOT, SET_F, ADD_PLASMA, SET_RATE, SET_FLOOR, SET_INSPIRED = range(7)
NO_COLLAPSE, TWO_PASS, CLOCK, HAZARD = range(4)

# Outcomes of a person.
OUTCOMES = (
    "status",
    "arrest",
    "trigger_s",
    "severe_s",
    "decision_s",
    "pao2_at_decision",
    "collapse_s",
    "arrest_s",
    "dropped",
    "pao2_min",
    "pbo2_min",
    "below_pbo2_20_s",
    "below_pao2_30_s",
    "below_sao2_90_s",
    "breathing_again_s",
    "recovered_s",
    "chi_end",
    "steps",
    "rejected",
)
(
    O_STATUS,
    O_ARREST,
    O_TRIGGER,
    O_SEVERE,
    O_DECISION,
    O_PAO2,
    O_COLLAPSE,
    O_ARRESTED,
    O_DROPPED,
    O_PMIN,
    O_BMIN,
    O_T20,
    O_T30,
    O_T90,
    O_AGAIN,
    O_RECOVERED,
    O_CHI,
    O_STEPS,
    O_REJECTED,
) = range(19)
NO = len(OUTCOMES)
OK, BAD_INPUT, STEP_TOO_SMALL, NOT_FINITE, TOO_MANY_STEPS, HISTORY_TOO_SHORT = range(6)

# States with an implicit part of their own; binding (two states) comes after them.
_STIFF = np.array([ST2, SPAC, SPAO, SPBO, SPTO], dtype=np.int64)
N_STIFF = 5

# Workspace: blocks of W numbers; element k of lane l at offset + k * W + l.
PAR = 0
Y = PAR + NP * W
YN = Y + NS * W  # the new state
YS = YN + NS * W  # a stage
F = YS + NS * W  # six sets of rates
FN = F + 6 * NS * W  # rates at the new state
G = FN + NS * W  # implicit parts, stages by stiff states and binding
DIAG = G + 6 * (N_STIFF + 2) * W  # slopes for the present step; those of the new state follow
DIAGN = DIAG + (N_STIFF + 4) * W
WEI = DIAGN + (N_STIFF + 4) * W  # one over the size of an error, by state
LF = WEI + NS * W  # lagged firing, lagged brain carbon dioxide, present value instead (1 or 0, both)
LB = LF + W
PP = LB + W
PC = PP + W
GIV = PC + W  # given activation
FB = GIV + W  # bioavailability, input rate, rescuer's ventilation, inspired oxygen, collapse and recovery going on
RATE = FB + W
FLOOR = RATE + W
INSP = FLOOR + W
COLL = INSP + W
RECV = COLL + W
LH = RECV + W  # step
ACC = LH + W  # accepted: 1 or 0
ERR = ACC + W
OBS = ERR + W  # at the new state: see below
N_OBS = 11
(
    B_PAO2,
    B_DPAO2,
    B_FIRE,
    B_DFIRE,
    B_PBC,
    B_DPBC,
    B_VE,
    B_Q,
    B_SAO2,
    B_PBO,
    B_PACO2,
) = range(N_OBS)
OBO = OBS + N_OBS * W  # the same at the old state
SIZE = OBO + N_OBS * W

NK = 5  # entries of history: time, firing, slope, brain CO2, slope

_AT = Places(NS, N_STIFF, Y, YN, YS, F, G, DIAG, WEI, LH, ERR)


@compiled(SOURCES)
def _contents(ws, po, pc):
    """Contents of blood, and each divided by (1 + x) a: slopes by the logarithm of the reduced pressure."""
    fo = po * (1.0 + load(ws, PAR + BE1 * W) * pc) * load(ws, PAR + IK1 * W) / (1.0 + load(ws, PAR + AL1 * W) * pc)
    fc = pc * (1.0 + load(ws, PAR + BE2 * W) * po) * load(ws, PAR + IK2 * W) / (1.0 + load(ws, PAR + AL2 * W) * po)
    x = power(fo, load(ws, PAR + IA1 * W))
    y = power(fc, load(ws, PAR + IA2 * W))
    rx = 1.0 / (1.0 + x)
    ry = 1.0 / (1.0 + y)
    co = load(ws, PAR + ZC1 * W) * x * rx
    cc = load(ws, PAR + ZC2 * W) * y * ry
    return co, cc, co * rx * load(ws, PAR + IA1 * W), cc * ry * load(ws, PAR + IA2 * W)


@compiled(SOURCES)
def _coupling(ws, po, pc):
    """Slopes of the logarithms of the reduced pressures by the other gas."""
    be1, al1 = load(ws, PAR + BE1 * W), load(ws, PAR + AL1 * W)
    be2, al2 = load(ws, PAR + BE2 * W), load(ws, PAR + AL2 * W)
    return be1 / (1.0 + be1 * pc) - al1 / (1.0 + al1 * pc), be2 / (1.0 + be2 * po) - al2 / (1.0 + al2 * po)


@compiled(SOURCES)
def _rates(ws, y, f, rule, given, present, final):
    """Right-hand side of all lanes: states at ``y`` to rates at ``f``; at the end of a step also what is observed."""
    zero = splat(0.0)
    tiny = splat(1e-9)
    yc, yo, chi = load(ws, y + SYC * W), load(ws, y + SYO * W), load(ws, y + SCHI * W)
    wb = load(ws, PAR + QB0 * W) * (1.0 + yc + yo)
    wt = load(ws, PAR + QT0 * W) * (1.0 + load(ws, PAR + RHO * W) * yo)
    total = wb + wt
    q = total * chi
    sb = wb / total
    st = 1.0 - sb
    pac, pao = maximum(zero, load(ws, y + SPAC * W)), maximum(zero, load(ws, y + SPAO * W))
    pbc, pbo = load(ws, y + SPBC * W), maximum(zero, load(ws, y + SPBO * W))
    ptc, pto = load(ws, y + SPTC * W), maximum(zero, load(ws, y + SPTO * W))
    eo, ec, eso, esc = _contents(ws, pao, pac)
    bo, bc, bso, bsc = _contents(ws, pbo, pbc)
    to, tc, tso, tsc = _contents(ws, pto, ptc)
    vo, vc = sb * bo + st * to, sb * bc + st * tc
    sh = load(ws, PAR + SH * W)
    ao, ac = eo + sh * (vo - eo), ec + sh * (vc - ec)
    # Arterial pressures: the inverse relations.
    uo, uc = 1.0 / (load(ws, PAR + ZC1 * W) - ao), 1.0 / (load(ws, PAR + ZC2 * W) - ac)
    d1 = load(ws, PAR + K1 * W) * power(ao * uo, load(ws, PAR + G1 * W))
    d2 = load(ws, PAR + K2 * W) * power(ac * uc, load(ws, PAR + G2 * W))
    al1, be1 = load(ws, PAR + AL1 * W), load(ws, PAR + BE1 * W)
    al2, be2 = load(ws, PAR + AL2 * W), load(ws, PAR + BE2 * W)
    n1, n2 = 1.0 / (be2 + al2 * be1 * d2), 1.0 / (be1 + al1 * be2 * d1)
    cross = al1 * al2 * d1 * d2
    p, r = be1 * d2, be2 * d1
    r1, r2 = -0.5 * (1.0 + p - r - cross) * n1, -0.5 * (1.0 + r - p - cross) * n2
    pa = r1 + square_root(r1 * r1 + d1 * (1.0 + al1 * d2) * n1)
    pc = r2 + square_root(r2 * r2 + d2 * (1.0 + al2 * d1) * n2)
    # Concentration scale at high flow.
    scale = 1.0 + 1.0 / (
        1.0 + exponential((load(ws, PAR + SMID * W) - q * load(ws, PAR + IQREF * W)) * load(ws, PAR + SIW * W))
    )
    scale = minimum(load(ws, PAR + SMAX * W), scale) - 1.0
    # Drug.
    ra, rb = load(ws, y + SRA * W), load(ws, y + SRB * W)
    if given:
        act = load(ws, GIV)
    else:
        act = ra
        a1, a2, a3 = load(ws, y + SA1 * W), load(ws, y + SA2 * W), load(ws, y + SA3 * W)
        la, lb = load(ws, y + SLA * W), load(ws, y + SLB * W)
        store(
            ws,
            f + SA1 * W,
            load(ws, PAR + O21 * W) * a2 + load(ws, PAR + O31 * W) * a3 - load(ws, PAR + OA * W) * a1,
        )
        store(ws, f + SA2 * W, load(ws, PAR + O12 * W) * a1 - load(ws, PAR + O21 * W) * a2)
        store(ws, f + SA3 * W, load(ws, PAR + O13 * W) * a1 - load(ws, PAR + O31 * W) * a3)
        plasma = load(ws, PAR + TOPA * W) * a1 * (1.0 + load(ws, PAR + QSA * W) * scale)
        store(ws, f + SLA * W, load(ws, PAR + KE0A * W) * (plasma - la))
        d, t1, t2 = load(ws, y + SD * W), load(ws, y + ST1 * W), load(ws, y + ST2 * W)
        x1, x2, x3 = load(ws, y + SX1 * W), load(ws, y + SX2 * W), load(ws, y + SX3 * W)
        ktr, kin = load(ws, PAR + KTR * W), load(ws, PAR + KIN * W)
        store(ws, f + SD * W, zero - ktr * d)
        store(ws, f + ST1 * W, ktr * (load(ws, FB) * d - t1))
        store(ws, f + ST2 * W, ktr * t1 - kin * t2)
        inflow = load(ws, PAR + T2G * W) * kin * t2 + load(ws, PAR + X21 * W) * x2 + load(ws, PAR + X31 * W) * x3
        store(
            ws,
            f + SX1 * W,
            (inflow - load(ws, PAR + XOUT * W) * x1) * (1.0 + load(ws, PAR + QSRATE * W) * scale) + load(ws, RATE),
        )
        store(ws, f + SX2 * W, load(ws, PAR + E12 * W) * x1 - load(ws, PAR + E21 * W) * x2)
        store(ws, f + SX3 * W, load(ws, PAR + E13 * W) * x1 - load(ws, PAR + E31 * W) * x3)
        plasma = load(ws, PAR + TOPB * W) * x1 * (1.0 + load(ws, PAR + QSOUT * W) * scale)
        store(ws, f + SLB * W, load(ws, PAR + KE0B * W) * (plasma - lb))
        free = 1.0 - ra - rb
        on_a = load(ws, PAR + KONA * W) * power(maximum(zero, la), load(ws, PAR + NA * W))
        on_b = load(ws, PAR + KONB * W) * power(maximum(zero, lb), load(ws, PAR + NB * W))
        store(ws, f + SRA * W, on_a * free - load(ws, PAR + KOFFA * W) * ra)
        store(ws, f + SRB * W, on_b * free - load(ws, PAR + KOFFB * W) * rb)
        if final:
            store(ws, DIAGN + 5 * W, zero - on_a - load(ws, PAR + KOFFA * W))
            store(ws, DIAGN + 6 * W, zero - on_a)
            store(ws, DIAGN + 7 * W, zero - on_b)
            store(ws, DIAGN + 8 * W, zero - on_b - load(ws, PAR + KOFFB * W))
            store(ws, DIAGN, zero - kin)
    # Drives and ventilation.
    ln_act = logarithm(maximum(act, splat(1e-300)))
    wake = load(ws, PAR + W0 * W) - load(ws, PAR + WMAX * W) * exponential(ln_act * load(ws, PAR + PW * W))
    gain = 1.0 - exponential(ln_act * load(ws, PAR + PCH * W))
    dp, dc, ah = load(ws, y + SDP * W), load(ws, y + SDC * W), load(ws, y + SAH * W)
    reflex = maximum(zero, choose(dp, ah * dp, dp) + dc)
    taper = choose(q - load(ws, PAR + TLO * W), minimum(splat(1.0), q / load(ws, PAR + TAPER * W)), zero)
    own = maximum(zero, (wake + reflex) * taper)
    vdot = load(ws, PAR + SHARE * W) * maximum(load(ws, FLOOR), own)
    # Lung.
    lam = load(ws, PAR + LAM * W) * q
    inv = load(ws, PAR + INV_VA * W)
    fpao = (vdot * (load(ws, INSP) - load(ws, y + SPAO * W)) + lam * (vo - eo)) * inv
    fpac = (vdot * (load(ws, PAR + PI_C * W) - pac) + lam * (vc - ec)) * inv
    store(ws, f + SPAO * W, fpao)
    store(ws, f + SPAC * W, fpac)
    # Stores.
    w = power(maximum(zero, wake * taper) * load(ws, PAR + IWMAX * W), load(ws, PAR + PMET * W))
    mc, mo = maximum(load(ws, PAR + FC * W), w), maximum(load(ws, PAR + FO * W), w)
    one = splat(1.0)
    low_b = minimum(one, pbo * load(ws, PAR + IPO2 * W))
    low_t = minimum(one, pto * load(ws, PAR + IPO2 * W))
    qb, qt = wb * chi, wt * chi
    fpbo = (qb * (ao - bo) + load(ws, PAR + MBO * W) * mo * low_b) * load(ws, PAR + VBO * W)
    fpbc = (qb * (ac - bc) + load(ws, PAR + MBC * W) * mc * low_b) * load(ws, PAR + VBC * W)
    fpto = (qt * (ao - to) + load(ws, PAR + MTO * W) * mo * low_t) * load(ws, PAR + VTO * W)
    fptc = (qt * (ac - tc) + load(ws, PAR + MTC * W) * mc * low_t) * load(ws, PAR + VTC * W)
    store(ws, f + SPBO * W, fpbo)
    store(ws, f + SPBC * W, fpbc)
    store(ws, f + SPTO * W, fpto)
    store(ws, f + SPTC * W, fptc)
    # Flow.
    psi_c = load(ws, PAR + FA * W) + load(ws, PAR + FBB * W) / (
        1.0 + exponential((load(ws, PAR + FC0 * W) - pc) * load(ws, PAR + FID * W))
    )
    rise = load(ws, PAR + C1 * W) * exponential(zero - pa * load(ws, PAR + IC2 * W)) - load(ws, PAR + O20 * W)
    psi_o = minimum(load(ws, PAR + CAP * W), rise)
    fyc = (psi_c - yc) * load(ws, PAR + ITC * W)
    fyo = (psi_o - yo) * load(ws, PAR + ITO * W)
    store(ws, f + SYC * W, fyc)
    store(ws, f + SYO * W, fyo)
    # Control.
    lag_f, lag_b = load(ws, LF), load(ws, LB)
    fire = zero
    ex = zero
    by_co2 = zero
    if present or final:
        ex = exponential((pa - load(ws, PAR + OMID * W)) * load(ws, PAR + IOW * W))
        by_co2 = load(ws, PAR + KF * W) * logarithm(maximum(tiny, pc * load(ws, PAR + IBP * W)))
        fire = by_co2 * (load(ws, PAR + FMAX * W) + load(ws, PAR + FMIN * W) * ex) / (1.0 + ex)
        lag_f = choose(load(ws, PP), fire, lag_f)
        lag_b = choose(load(ws, PC), pbc, lag_b)
    fdp = (gain * load(ws, PAR + GP * W) * (lag_f - load(ws, PAR + F0 * W)) - dp) * load(ws, PAR + ITP * W)
    store(ws, f + SDP * W, fdp)
    store(
        ws,
        f + SDC * W,
        (gain * load(ws, PAR + GC * W) * (lag_b - load(ws, PAR + PB0 * W)) - dc) * load(ws, PAR + ITD * W),
    )
    bounded = minimum(load(ws, PAR + THMAX * W), maximum(load(ws, PAR + THMIN * W), pbo))
    target = 1.0 + load(ws, PAR + GH * W) * (bounded - load(ws, PAR + PBO0 * W))
    store(ws, f + SAH * W, (target - ah) * load(ws, PAR + ITH * W))
    # Collapse.
    falling = (load(ws, PAR + KCOL0 * W) + load(ws, PAR + KCOL1 * W) * pc) * chi
    back = load(ws, PAR + KREC * W) * (1.0 - chi)
    store(ws, f + SCHI * W, load(ws, RECV) * back - load(ws, COLL) * falling)
    if rule == CLOCK:
        clock = load(ws, y + SCLK * W)
        up = choose(pa - load(ws, PAR + P15 * W), choose(clock, zero - load(ws, PAR + CLKREC * W), zero), one)
        store(ws, f + SCLK * W, up * (1.0 - load(ws, COLL)))
    elif rule == HAZARD:
        x = minimum(splat(50.0), (load(ws, PAR + P15 * W) - pa) * load(ws, PAR + HZIW * W))
        store(ws, f + SCLK * W, load(ws, PAR + HZRATE * W) * exponential(x) * (1.0 - load(ws, COLL)))
    if not final:
        return
    # Slopes of the fast states by themselves.
    slope_eo, slope_ec = eso / maximum(tiny, pao), esc / maximum(tiny, pac)
    slope_bo, slope_to = bso / maximum(tiny, pbo), tso / maximum(tiny, pto)
    store(ws, DIAGN + 1 * W, zero - (vdot + lam * slope_ec) * inv)
    store(ws, DIAGN + 2 * W, zero - (vdot + lam * slope_eo) * inv)
    ipo2 = load(ws, PAR + IPO2 * W)
    burn_b = choose(one - pbo * ipo2, load(ws, PAR + MBO * W) * mo * ipo2, zero)
    burn_t = choose(one - pto * ipo2, load(ws, PAR + MTO * W) * mo * ipo2, zero)
    store(ws, DIAGN + 3 * W, (burn_b - qb * slope_bo) * load(ws, PAR + VBO * W))
    store(ws, DIAGN + 4 * W, (burn_t - qt * slope_to) * load(ws, PAR + VTO * W))
    # Arterial pressures and firing in time, for the history and for crossings.
    e1, e2 = _coupling(ws, pao, pac)
    deo = slope_eo * fpao + eso * e1 * fpac
    dec = slope_ec * fpac + esc * e2 * fpao
    b1, b2 = _coupling(ws, pbo, pbc)
    dbo = slope_bo * fpbo + bso * b1 * fpbc
    dbc = bsc / maximum(tiny, pbc) * fpbc + bsc * b2 * fpbo
    t1_, t2_ = _coupling(ws, pto, ptc)
    dto = slope_to * fpto + tso * t1_ * fptc
    dtc = tsc / maximum(tiny, ptc) * fptc + tsc * t2_ * fpto
    dwb = load(ws, PAR + QB0 * W) * (fyc + fyo)
    dwt = load(ws, PAR + QT0 * W) * load(ws, PAR + RHO * W) * fyo
    dsb = (dwb * wt - wb * dwt) / (total * total)
    dvo = sb * dbo + st * dto + dsb * (bo - to)
    dvc = sb * dbc + st * dtc + dsb * (bc - tc)
    dao, dac = deo + sh * (dvo - deo), dec + sh * (dvc - dec)
    # At the arterial pressures one over (1 + x) is one minus the content over its capacity.
    aso = ao * (1.0 - ao / load(ws, PAR + ZC1 * W)) * load(ws, PAR + IA1 * W)
    asc = ac * (1.0 - ac / load(ws, PAR + ZC2 * W)) * load(ws, PAR + IA2 * W)
    h1, h2 = _coupling(ws, pa, pc)
    m11, m12 = aso / maximum(tiny, pa), aso * h1
    m21, m22 = asc * h2, asc / maximum(tiny, pc)
    det = 1.0 / (m11 * m22 - m12 * m21)
    dpa, dpc = (m22 * dao - m12 * dac) * det, (m11 * dac - m21 * dao) * det
    fmax, fmin = load(ws, PAR + FMAX * W), load(ws, PAR + FMIN * W)
    shape = (fmax + fmin * ex) / (1.0 + ex)
    dshape = ex * load(ws, PAR + IOW * W) * (fmin - fmax) / ((1.0 + ex) * (1.0 + ex))
    dfire = load(ws, PAR + KF * W) / maximum(tiny, pc) * shape * dpc + by_co2 * dshape * dpa
    store(ws, OBS + B_PAO2 * W, pa)
    store(ws, OBS + B_DPAO2 * W, dpa)
    store(ws, OBS + B_FIRE * W, fire)
    store(ws, OBS + B_DFIRE * W, dfire)
    store(ws, OBS + B_PBC * W, pbc)
    store(ws, OBS + B_DPBC * W, fpbc)
    store(ws, OBS + B_VE * W, own)
    store(ws, OBS + B_Q * W, q)
    store(ws, OBS + B_SAO2 * W, 100.0 * ao / load(ws, PAR + ZC1 * W))
    store(ws, OBS + B_PBO * W, pbo)
    store(ws, OBS + B_PACO2 * W, pc)


@compiled(SOURCES)
def _gather(ws, y, c, clock, who, hist, newest, at, mode, no_lag, given, grid, act, slope, cell):
    """Read the past of every lane for a stage at ``t + c h``; whether any lane needs its present values instead."""
    present = False
    for l in range(W):
        s = who[l]
        if s < 0:
            continue
        time = clock[l] + c * ws[LH + l]
        yo = ws[y + SYO * W + l]
        q = ws[PAR + QB0 * W + l] * (1.0 + ws[y + SYC * W + l] + yo)
        q = (q + ws[PAR + QT0 * W + l] * (1.0 + ws[PAR + RHO * W + l] * yo)) * ws[y + SCHI * W + l]
        none = False
        if no_lag:
            none = q < ws[PAR + TAPER * W + l]
        else:
            q = max(q, ws[PAR + TLO * W + l])
        here = none or mode[l, 0] == 0 or newest[l] < 0
        ws[PP + l] = 1.0 if here else 0.0
        if here:
            present = True
        else:
            value, k = past_value(hist, l, newest[l], at[l, 0], time - ws[PAR + KP * W + l] / q, 1)
            at[l, 0] = k
            ws[LF + l] = value
        here = none or mode[l, 1] == 0 or newest[l] < 0
        ws[PC + l] = 1.0 if here else 0.0
        if here:
            present = True
        else:
            value, k = past_value(hist, l, newest[l], at[l, 1], time - ws[PAR + KC * W + l] / q, 3)
            at[l, 1] = k
            ws[LB + l] = value
        if given:
            value, k = course_value(act[s], slope[s], grid, cell[l], time)
            cell[l] = k
            ws[GIV + l] = min(max(value, 0.0), 1.0)
    return present


@compiled(SOURCES)
def _commit(ws):
    """Take over the new state where a lane's step was accepted."""
    ok = load(ws, ACC)
    for s in range(NS):
        store(ws, Y + s * W, choose(ok, load(ws, YN + s * W), load(ws, Y + s * W)))
        store(ws, F + s * W, choose(ok, load(ws, FN + s * W), load(ws, F + s * W)))
    for k in range(N_STIFF + 4):
        store(ws, DIAG + k * W, choose(ok, load(ws, DIAGN + k * W), load(ws, DIAG + k * W)))
    for k in range(N_OBS):
        store(ws, OBO + k * W, choose(ok, load(ws, OBS + k * W), load(ws, OBO + k * W)))


@compiled(SOURCES)
def _apply(ws, l, kind, value):
    """One event of one lane."""
    if kind == ADD_OPIOID:
        ws[Y + SA1 * W + l] += value
    elif kind == ADD_DEPOT:
        ws[Y + SD * W + l] += value
    elif kind == SET_F:
        ws[FB + l] = value
    elif kind == ADD_PLASMA:
        ws[Y + SX1 * W + l] += value
    elif kind == SET_RATE:
        ws[RATE + l] = value
    elif kind == SET_FLOOR:
        ws[FLOOR + l] = value
    elif kind == SET_INSPIRED:
        ws[INSP + l] = value


@compiled(SOURCES)
def starts_ventilation(ws, l, start):
    """Ventilation of a person before any drug. [L/min]"""
    dp = start[SDP]
    reflex = max(0.0, (start[SAH] * dp if dp >= 0.0 else dp) + start[SDC])
    return max(0.0, ws[PAR + W0 * W + l] + reflex)


@compiled(SOURCES)
def _breath(ws, l, activation, dp, dc, ah):
    wake = ws[PAR + W0 * W + l] - ws[PAR + WMAX * W + l] * max(activation, 1e-300) ** ws[PAR + PW * W + l]
    return max(0.0, wake + max(0.0, (ah * dp if dp >= 0.0 else dp) + dc))


@compiled(SOURCES)
def _inside(ws, l, k, u, h):
    """A state inside the present step."""
    return hermite(u, h, ws[Y + k * W + l], ws[F + k * W + l], ws[YN + k * W + l], ws[FN + k * W + l])


@compiled(SOURCES)
def _crossing(ws, l, h, level, given, values, slopes, times, cell, t0):
    """Fraction of a step at which ventilation has come down to a level, from the interpolated states."""
    low, high = 0.0, 1.0
    for _ in range(40):
        u = 0.5 * (low + high)
        if given:
            activation, cell = course_value(values, slopes, times, cell, t0 + u * h)
        else:
            activation = _inside(ws, l, SRA, u, h)
        if (
            _breath(ws, l, activation, _inside(ws, l, SDP, u, h), _inside(ws, l, SDC, u, h), _inside(ws, l, SAH, u, h))
            <= level
        ):
            high = u
        else:
            low = u
    return high


@compiled(SOURCES)
def run_people(
    rows,
    starts,
    horizon,
    ev_time,
    ev_kind,
    ev_value,
    rel_time,
    rel_kind,
    rel_value,
    grid,
    act,
    slope,
    out_times,
    out_states,
    outcome,
    ends,
    rule,
    given,
    on_grid,
    present_at_start,
    no_lag,
    renarcotisation,
    stop_at_arrest,
    weights,
    rtol,
    h_max,
    max_steps,
):
    """Follow every person to the horizon, to arrest where ``stop_at_arrest``, or to a failure.

    ``rows`` (people, NP); ``starts`` (people, NS); absolute and relative events (people, m), padded with infinite
    times; ``grid`` (n,), ``act`` (people, n) and ``slope`` (people, n, 2: to the right and from the left) the given
    course; ``out_states`` (people, times, NS) may have no times; ``outcome`` (people, NO) and ``ends`` (people, NS) are
    written.
    """
    people = rows.shape[0]
    buffer = np.zeros(SIZE + W)
    shift = (64 - (buffer.ctypes.data & 63)) // 8 % W
    ws = buffer[shift : shift + SIZE]
    hist = np.zeros((W, NH, NK))
    newest = np.zeros(W, dtype=np.int64)
    at = np.zeros((W, 2), dtype=np.int64)
    mode = np.zeros((W, 2), dtype=np.int64)  # 0 present value, 1 lagged
    cell = np.zeros(W, dtype=np.int64)
    who = np.full(W, -1, dtype=np.int64)
    clock = np.zeros(W)
    stop = np.zeros(W)  # end of the present step
    fresh = np.zeros(W, dtype=np.int64)  # rates are to be computed anew, by a step of length zero
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
    for k in range(NS * W):
        ws[WEI + k] = 1.0
    # Idle lanes hold harmless numbers: the first person's.
    for l in range(W):
        for k in range(NP):
            ws[PAR + k * W + l] = rows[0, k]
        for k in range(NS):
            ws[Y + k * W + l] = starts[0, k]
        ws[INSP + l] = rows[0, PI_O]
    while True:
        # Give idle lanes the next people.
        for l in range(W):
            if who[l] >= 0 or pending >= people:
                continue
            s = pending
            pending += 1
            active += 1
            who[l] = s
            for k in range(NP):
                ws[PAR + k * W + l] = rows[s, k]
            for k in range(NS):
                ws[Y + k * W + l] = starts[s, k]
                ws[WEI + k * W + l] = weights[k]
                ws[F + k * W + l] = 0.0
            for k in range(N_STIFF + 4):
                ws[DIAG + k * W + l] = 0.0
            for k in range(6 * (N_STIFF + 2)):
                ws[G + k * W + l] = 0.0
            ws[WEI + SLA * W + l] = 1.0 / rows[s, FLLA]
            ws[WEI + SLB * W + l] = 1.0 / rows[s, FLLB]
            for k in (SA1, SA2, SA3):
                ws[WEI + k * W + l] = 1.0 / rows[s, FLA]
            for k in (SD, ST1, ST2):
                ws[WEI + k * W + l] = 1.0 / rows[s, FLT]
            for k in (SX1, SX2, SX3):
                ws[WEI + k * W + l] = 1.0 / rows[s, FLX]
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
            ws[FB + l], ws[RATE + l], ws[FLOOR + l], ws[INSP + l] = 1.0, 0.0, 0.0, rows[s, PI_O]
            ws[COLL + l], ws[RECV + l] = 0.0, 0.0
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
                ws[LH + l] = 0.0
                stop[l] = clock[l]
                continue
            t = clock[l]
            h = min(h_next[l], h_max)
            q = ws[OBO + B_Q * W + l]
            low = no_lag and q < ws[PAR + TAPER * W + l]
            if not low:
                q = max(q, ws[PAR + TLO * W + l])
                for k in range(2):
                    tau = ws[PAR + (KP if k == 0 else KC) * W + l] / q
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
            ws[LH + l] = stop[l] - t
        for stage in range(1, 6):
            stage_state(ws, _AT, _STIFF, SRA, SRB, stage)
            present = _gather(
                ws, YS, NODES[stage], clock, who, hist, newest, at, mode, no_lag, given, grid, act, slope, cell
            )
            _rates(ws, YS, F + stage * NS * W, rule, given, present, False)
        finish_step(ws, _AT, SLB + 1)
        present = _gather(ws, YN, 1.0, clock, who, hist, newest, at, mode, no_lag, given, grid, act, slope, cell)
        _rates(ws, YN, FN, rule, given, present, True)
        for l in range(W):
            ws[ACC + l] = 0.0
            s = who[l]
            if s < 0:
                continue
            t0, t1 = clock[l], stop[l]
            h = t1 - t0
            err = ws[ERR + l] / rtol
            if fresh[l] > 0:
                err = 0.0
            p1 = ws[OBS + B_PAO2 * W + l]
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
            p0, dp0, dp1 = ws[OBO + B_PAO2 * W + l], ws[OBO + B_DPAO2 * W + l], ws[OBS + B_DPAO2 * W + l]
            ve1 = ws[OBS + B_VE * W + l]
            if fresh[l] == 0:
                # Things that must end a step: go back and land on them.
                land = -1.0
                if first_dose[l] == np.inf and base[l] >= 0.0:
                    level = ws[PAR + TRIGGER * W + l] * base[l]
                    if ve1 <= level:
                        u = _crossing(ws, l, h, level, given, act[s], slope[s], grid, cell[l], t0)
                        at_time = t0 + u * h
                        planned = at_time + ws[PAR + WAIT * W + l]
                        if planned < t1 - 1e-9 and rel_time.shape[1] > 0 and u * h > 1e-6:
                            land = u * h
                        if land < 0.0:
                            outcome[s, O_TRIGGER] = at_time
                            first_dose[l] = max(planned, t1 if u * h <= 1e-6 else planned)
                if rule >= CLOCK and land < 0.0:
                    c0, c1, limit = ws[Y + SCLK * W + l], ws[YN + SCLK * W + l], ws[PAR + LIMIT * W + l]
                    if ws[COLL + l] == 0.0 and c0 < limit and c1 > limit * (1.0 + 1e-7):
                        u = (limit - c0) / (c1 - c0)
                        if u * h > 1e-7:
                            land = u * h
                    elif ws[COLL + l] > 0.0 and ws[YN + SCHI * W + l] > ws[PAR + NORET * W + l]:
                        b0, b1, level = ws[OBO + B_PBO * W + l], ws[OBS + B_PBO * W + l], ws[PAR + PBREC * W + l]
                        if b0 < level and b1 > level + 1e-6:
                            u = (level - b0) / (b1 - b0)
                            if u * h > 1e-7:
                                land = u * h
                if ws[COLL + l] > 0.0 and land < 0.0:
                    # Breathing and lags jump where flow falls below two levels: stop just above each, then pass it.
                    q0, q1 = ws[OBO + B_Q * W + l], ws[OBS + B_Q * W + l]
                    for k in range(2):
                        level = ws[PAR + (TAPER if k == 0 else TLO) * W + l]
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
                    for k in range(NS):
                        out_states[s, outn[l], k] = hermite(
                            u,
                            h,
                            ws[Y + k * W + l],
                            ws[F + k * W + l],
                            ws[YN + k * W + l],
                            ws[FN + k * W + l],
                        )
                    outn[l] += 1
                outcome[s, O_STEPS] += 1.0
                level = ws[PAR + P15 * W + l]
                if stage_of[l] != 4:
                    outcome[s, O_PMIN] = min(outcome[s, O_PMIN], p1)
                    outcome[s, O_BMIN] = min(outcome[s, O_BMIN], ws[OBS + B_PBO * W + l])
                outcome[s, O_T20] += time_below(t0, t1, ws[OBO + B_PBO * W + l], ws[OBS + B_PBO * W + l], 20.0)
                outcome[s, O_T30] += time_below(t0, t1, p0, p1, 30.0)
                outcome[s, O_T90] += time_below(t0, t1, ws[OBO + B_SAO2 * W + l], ws[OBS + B_SAO2 * W + l], 90.0)
                back = first_dose[l] < np.inf and t0 > outcome[s, O_TRIGGER]
                if back and again[l] == 0 and ve1 > ws[PAR + TRIGGER * W + l] * base[l]:
                    again[l] = 1
                    outcome[s, O_AGAIN] = t1
                if rule != TWO_PASS and p1 <= level and not (outcome[s, O_SEVERE] >= 0.0):
                    share = first_below(h, p0, dp0, p1, dp1, level) if p0 > level else 0.0
                    outcome[s, O_SEVERE] = t0 + h * share
                # Severe hypoxia sets the time of the decision.
                if rule == TWO_PASS and (stage_of[l] == 0 or stage_of[l] == 2):
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
                        decision[l] = max(found + ws[PAR + DELAY * W + l], t1)
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
                        for k in range(NS):
                            out_states[s, outn[l], k] = ws[YN + k * W + l]
                        outn[l] += 1
                    base[l] = starts_ventilation(ws, l, starts[s])
            # Take the step.
            rejected[l] = 0
            ws[ACC + l] = 1.0
            clock[l] = t1
            if fresh[l] == 0 and h > 0.0:
                # A step that was cut to land somewhere says little about the next one.
                h_next[l] = max(proposal, min(h_next[l], 4.0 * h)) if proposal >= h else proposal
            fresh[l] = 0
            newest[l] += 1
            k = newest[l] & (NH - 1)
            hist[l, k, 0] = t1
            hist[l, k, 1] = ws[OBS + B_FIRE * W + l]
            hist[l, k, 2] = ws[OBS + B_DFIRE * W + l]
            hist[l, k, 3] = ws[OBS + B_PBC * W + l]
            hist[l, k, 4] = ws[OBS + B_DPBC * W + l]
            if outcome[s, O_STEPS] >= max_steps:
                outcome[s, O_STATUS] = TOO_MANY_STEPS
                who[l] = -1
                active -= 1
            elif newest[l] >= NH - 2 and mode[l, 1] == 1:
                q = max(ws[OBS + B_Q * W + l], ws[PAR + TLO * W + l])
                if not (no_lag and q < ws[PAR + TAPER * W + l]):
                    oldest = hist[l, (newest[l] + 2) & (NH - 1), 0]
                    if t1 - ws[PAR + KC * W + l] / q - 1.0 < oldest and oldest > 0.0:
                        outcome[s, O_STATUS] = HISTORY_TOO_SHORT
                        who[l] = -1
                        active -= 1
        _commit(ws)
        # What happens at the new time.
        for l in range(W):
            s = who[l]
            if s < 0 or ws[ACC + l] == 0.0:
                continue
            t = clock[l]
            jump = False
            if ws[COLL + l] > 0.0:
                for k in range(2):
                    level = ws[PAR + (TAPER if k == 0 else TLO) * W + l]
                    q = ws[OBO + B_Q * W + l]
                    if q >= level and q <= level * (1.0 + 1e-8):
                        ws[Y + SCHI * W + l] *= 1.0 - 3e-8
                        jump = True
            if t >= decision[l]:
                decision[l] = np.inf
                p = ws[OBO + B_PAO2 * W + l]
                if stage_of[l] == 1:
                    outcome[s, O_DECISION] = t
                    outcome[s, O_PAO2] = p
                if stage_of[l] == 3 or p <= ws[PAR + P15 * W + l]:
                    ws[COLL + l] = 1.0
                    outcome[s, O_COLLAPSE] = t
                    stage_of[l] = 4
                    jump = True
                else:
                    outcome[s, O_RECOVERED] = t
                    stage_of[l] = 2 if renarcotisation else 4
            if rule >= CLOCK:
                p = ws[OBO + B_PAO2 * W + l]
                if ws[COLL + l] == 0.0:
                    full = ws[Y + SCLK * W + l] >= ws[PAR + LIMIT * W + l] * (1.0 - 1e-9)
                    if full and (rule == HAZARD or p <= ws[PAR + P15 * W + l]):
                        ws[COLL + l], ws[RECV + l] = 1.0, 0.0
                        jump = True
                        if not (outcome[s, O_COLLAPSE] <= t):
                            outcome[s, O_COLLAPSE] = t
                elif (
                    ws[OBO + B_PBO * W + l] >= ws[PAR + PBREC * W + l]
                    and ws[Y + SCHI * W + l] > ws[PAR + NORET * W + l]
                ):
                    ws[COLL + l], ws[RECV + l] = 0.0, 1.0
                    outcome[s, O_RECOVERED] = t
                    jump = True
                    if rule == HAZARD:
                        ws[Y + SCLK * W + l] = 0.0
            while ev[l] < ev_time.shape[1] and ev_time[s, ev[l]] <= t:
                _apply(ws, l, ev_kind[s, ev[l]], ev_value[s, ev[l]])
                ev[l] += 1
                jump = True
            while rel[l] < rel_time.shape[1] and first_dose[l] + rel_time[s, rel[l]] <= t:
                _apply(ws, l, rel_kind[s, rel[l]], rel_value[s, rel[l]])
                rel[l] += 1
                jump = True
            done = t >= horizon
            if ws[COLL + l] > 0.0 and ws[OBO + B_Q * W + l] <= ws[PAR + QARR * W + l]:
                if outcome[s, O_ARREST] == 0.0:
                    outcome[s, O_ARREST] = 1.0
                    outcome[s, O_ARRESTED] = t
                done = done or stop_at_arrest
            if done:
                for k in range(NS):
                    ends[s, k] = ws[Y + k * W + l]
                outcome[s, O_CHI] = ws[Y + SCHI * W + l]
                who[l] = -1
                active -= 1
            elif jump:
                fresh[l] = 1
                h_next[l] = min(h_next[l], 0.05)
