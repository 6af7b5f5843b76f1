"""What the kernel of an overdose and its callers share: columns, states, workspace, events, outcomes.

``schild.overdose.arrays`` derives the columns from the records of ``schild.pharmacology.physiology``. Seconds, mmHg,
litres.
"""

from __future__ import annotations

import numpy as np

from schild.engine.layout import W

# Columns of a person's row. ``schild.overdose.arrays`` fills them, derived numbers included.
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

# Rules of collapse.
NO_COLLAPSE, TWO_PASS, CLOCK, HAZARD = range(4)

# States with an implicit part of their own; binding (two states) comes after them.
STIFF = np.array([ST2, SPAC, SPAO, SPBO, SPTO], dtype=np.int64)
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

# Events.
ADD_OPIOID, ADD_DEPOT, SET_F, ADD_PLASMA, SET_RATE, SET_FLOOR, SET_INSPIRED = range(7)

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

NK = 5  # entries of history: time, firing, slope, brain CO2, slope
