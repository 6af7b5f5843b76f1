"""The published model of breathing, gases, flow and collapse as compiled equations (`Mann2022`, `Spencer1979`).

Columns of a person's numbers, states, and the right-hand side for eight people at a time, in the order of the paper.
Seconds, mmHg, litres. ``schild.overdose.arrays`` derives the columns from the records of
``schild.pharmacology.physiology``; ``tests/rescue_reference.py`` is the plain reading that holds this file to its word.
"""

from __future__ import annotations

from schild.engine.cache import compiled
from schild.engine.lane_math import exponential, logarithm, power
from schild.engine.lanes import W, choose, load, maximum, minimum, splat, square_root, store
from schild.engine.portable import KERNELS
from schild.overdose.layout import *

SOURCES = KERNELS["run_people"].sources


@compiled(SOURCES)
def contents(ws, po, pc):
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
def coupling(ws, po, pc):
    """Slopes of the logarithms of the reduced pressures by the other gas."""
    be1, al1 = load(ws, PAR + BE1 * W), load(ws, PAR + AL1 * W)
    be2, al2 = load(ws, PAR + BE2 * W), load(ws, PAR + AL2 * W)
    return be1 / (1.0 + be1 * pc) - al1 / (1.0 + al1 * pc), be2 / (1.0 + be2 * po) - al2 / (1.0 + al2 * po)


@compiled(SOURCES)
def rates(ws, y, f, rule, given, present, final):
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
    eo, ec, eso, esc = contents(ws, pao, pac)
    bo, bc, bso, bsc = contents(ws, pbo, pbc)
    to, tc, tso, tsc = contents(ws, pto, ptc)
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
    e1, e2 = coupling(ws, pao, pac)
    deo = slope_eo * fpao + eso * e1 * fpac
    dec = slope_ec * fpac + esc * e2 * fpao
    b1, b2 = coupling(ws, pbo, pbc)
    dbo = slope_bo * fpbo + bso * b1 * fpbc
    dbc = bsc / maximum(tiny, pbc) * fpbc + bsc * b2 * fpbo
    t1_, t2_ = coupling(ws, pto, ptc)
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
    h1, h2 = coupling(ws, pa, pc)
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
