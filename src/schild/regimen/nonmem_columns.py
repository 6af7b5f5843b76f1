"""Names of columns in tables of NONMEM, Monolix, Pumas, mrgsolve and rxode2: read, refused or harmless.

The names are those that the programs reserve, and those that public tables carry beside them. The list is closed: a
column that is not in it is refused, unless the caller leaves it out by name or it is empty.
"""

from __future__ import annotations

import re

READ = {
    "ID": "person; rows of one person stand together",
    "TIME": "time: a number, a clock time hh:mm, or a date with a time",
    "AMT": "amount of a dose",
    "RATE": "rate of an infusion; -1 and -2 only beside DUR",
    "DUR": "length of an infusion",
    "II": "interval",
    "ADDL": "additional doses",
    "SS": "steady state: 0, 1, 2",
    "EVID": "0 observation, 1 dose, 2 other event, 3 reset, 4 reset and dose",
    "MDV": "without EVID, a row without dose is an observation (0) or another event (1)",
    "CMT": "compartment, a number or a name that `cmt` explains",
    "LAG": "delay of a dose, on top of the route's own",
    "DRUG": "drug",
    "ROUTE": "route",
    "BASIS": "salt or base that was weighed",
    "PRODUCT": "product of the route",
    "AMTU": "unit of AMT",
    "TIMEUNIT": "unit of TIME, II, DUR and LAG, one for the table",
    "DATE": "day: a number, yyyy-mm-dd, or month/day/year",
    "DAT1": "day/month/year",
    "DAT2": "year/month/day",
    "DAT3": "year/day/month",
    "C": "C on a row that is struck out, a point or nothing on the others",
}
"""Columns that are read, and what they mean."""

ALIASES = {
    **dict.fromkeys(("TINF", "DURATION", "INFDUR"), "DUR"),
    **dict.fromkeys(("ADM", "ADMID", "ADMINISTRATION"), "CMT"),
    **dict.fromkeys(("ALAG", "TLAG", "LAGTIME"), "LAG"),
    **dict.fromkeys(("AMTUNIT", "AMT_UNIT", "AMOUNTUNITS", "DOSEU", "DOSEUNIT", "DOSE_UNIT"), "AMTU"),
    **dict.fromkeys(("TIMEU", "TIMEUNITS", "TIME_UNIT", "TIME_UNITS", "TUNIT"), "TIMEUNIT"),
    "SALT": "BASIS",
}
"""Other programs' names of columns that are read."""

REFUSED = {
    "F# BIO BIOAV# FBIO FREL": "a bioavailability, which the route has. Write a factor on it in words (f 0.8)",
    "ALAG# TLAG# LAG#": "a lag of one compartment. Rename it LAG if it is that of the doses",
    "D# R# DUR# RATE#": "the duration or rate of one compartment. Rename it DUR or RATE if it is that of the doses",
    "TAU INTERVAL INTERDOSE DOSINT": "an interval. Rename it II if it is",
    "NDOSE NDOSES NBDOSES TOTAL UNTIL": "a number of doses or their end. Give the doses after the first in ADDL",
    "DOSE DOSES AMOUNT AMNT DOSEAMT MGKG": "an amount. Rename it AMT if it is",
    "EVENT EVTYPE EVENTID": "the kind of an event. Rename it EVID if it is",
    "XVID#": "a second kind of event. Give EVID alone",
    "CONT": "a continuation of the row before. Write each event in one row",
    "RPT_ REPL_": "a repeat of records. Write each row once",
    "FORM FORMULATION DOSEFORM ADMIN METHOD DEVICE": "a formulation or way of giving. Write it in ROUTE or PRODUCT",
    "UNIT UNITS DOSEUNITS": "a unit, but not of what. Call the unit of AMT AMTU",
    "EXCL* IGNORE IGN OMIT SKIP DROP NULL FLAG OUT OUTLIER": "a mark on rows to leave out. Delete those rows",
    "RESET WASHOUT": "a reset. Write it as EVID 3 or 4",
    "CLOCK CLOCKTIME ACTTIME ATIME": "a second time. Rename it TIME if it counts",
}
"""Columns that affect dosing and are not read: names (# any number, * any ending), contents and the remedy.

Empty or 0 they do no harm.
"""

_OBSERVED = """
    DV LDV LNDV LIDV Y YOBS OBS OBSERVATION CONC CP PRED IPRED IPRE RES WRES CWRES IRES IWRES NPDE PHI DVID DVNAME YTYPE
    OBSID OBSNAME CENS LIMIT LLOQ ULOQ LOQ BLQ BQL BLOQ LOD AMTX DVU DVUNIT EVENTU NAME NAMEU VALUE VALUETXT CMTNAME
    ANALYTE ASSAY MATRIX METAB STRT LOGDV DVOR DVLOG SMPTIME
"""
_PERSON = """
    WT BWT WTB WEIGHT WEIGHTB WTKG BW LBM LBW FFM IBW HT HEIGHT HTCM BMI BSA AGE AGEY AGEM PMA GA PNA SEX SEXF SEXM MALE
    FEMALE GENDER RACE ETHN ETHNIC COUNTRY REGION CRCL CLCR EGFR GFR SCR SCREAT CREAT ALB ALT AST BILI TBIL TBILI ALP
    HGB HCT CRP AAG WBC SMOK SMOKE ALCOHOL GENO CYP CYP2D6 CYP3A5 CYP2C9 CYP2C19 UGT2B7 OPRM1 STUDY STUDYID STDY STUD
    PROT SITE CENTER CENTRE ARM TRT TRTACT TRTNAME TREATMENT GROUP GRP COHORT PART PERIOD SEQ SEQUENCE OCC OCCASION IOV
    VISIT VISITN VIS CYCLE PHASE POP HV PAT DIS DISEASE STATUS COMED CONMED FED FAST FOOD HEPA RENAL LIVER FAMILY EFF0
    SUBJ SUBJID SUBJECT SUBJECTID USUBJID SID NID NEWID CID PID PATIENT PATID UCID RECORD ROW ROWID ROWNUM LINE NUM REC
    RECN RECSEQ NREC SEQN COM COMMENT COMMENTS NOTE REP IREP SIM SIMNUM REPLICATE STRAT WEEK DAY DAYS NDAY HOUR
"""
_TIMES = """
    TAD TALD TSLD TSFD TAFD TAFD TPFD NTIME NOMTIME NTFD NTAD NT TNOM PTIME PROFDAY PROFTIME RTIME DATETIME DTTM DTM DTC
    DOSEN DOSENO DOSENUM NTAFD ATAFD ATALD TIMEHR
"""
_MODEL = """
    CALL PCMT L1 L2 RAW_ MRG_ EVENT_DATA SOLVERTIME NEWIND X CL V V1 V2 V3 VC VP Q Q2 Q3 KA KE KEL K VMAX KM TVCL TVV
"""
HARMLESS = frozenset(f"{_OBSERVED}{_PERSON}{_TIMES}{_MODEL}".split())
"""Columns that say nothing of what is given."""

_PERSONS = "SUBJ SUBJID SUBJECT SUBJECTID USUBJID SID NID NEWID PID PATIENT PATID UCID"
_DAYS = "DAY DAYS NDAY PROFDAY DATETIME DTTM DTM DTC WEEK VISIT VISITN VIS"
_STRETCHES = """
    OCC OCCASION IOV PERIOD CYCLE PHASE PART STUDY STUDYID STDY STUD PROT ARM COHORT GROUP GRP SIM SIMNUM REP IREP
    REPLICATE TSFD TAFD TPFD NTIME NOMTIME NTFD NTAFD ATAFD NT TNOM PTIME PROFTIME RTIME TIMEHR
"""
ONE_IN_A_PERSON = frozenset(_PERSONS.split())
"""Harmless columns that part persons: they must not change within an ID."""
DAYS = frozenset(_DAYS.split())
"""Harmless columns that contain or represent a day: TIME must not count within it."""
ONE_AT_A_TIME = frozenset(f"{_DAYS} {_STRETCHES}".split())
"""Harmless columns that part one stretch of time from the next: doses of two must not be at one time."""

HARMLESS_NUMBERED = "ETA# ET# ETC# COV# CAT# REG# S# A# LNDV# DV# OBS# CONTCOV# CATCOV#"
"""More of them, with any number."""


def _pattern(names: str) -> re.Pattern[str]:
    return re.compile("|".join(names.split()).replace("*", r"\w*").replace("#", r"_?\d*"))


_HARMLESS_NUMBERED = _pattern(HARMLESS_NUMBERED)
_REFUSED = [(_pattern(names), why) for names, why in REFUSED.items()]


def known_as(name: str) -> str | None:
    """Give the name under which a column is read, or None.

    >>> known_as("tinf"), known_as("DV")
    ('DUR', None)
    """
    key = clean(name)
    return ALIASES.get(key, key if key in READ else None)


def clean(name: str) -> str:
    """Spell the name of a column: capitals, without the mark of a comment before it or quotes around it."""
    return name.strip().strip("\"'").lstrip("#@").strip().upper().replace(".", "_")


def harmless(name: str) -> bool:
    """Whether a column has no effect on dosing.

    >>> harmless("wt"), harmless("ETA2"), harmless("F1"), harmless("TAU")
    (True, True, False, False)
    """
    key = clean(name)
    return key in HARMLESS or _HARMLESS_NUMBERED.fullmatch(key) is not None


def why_refused(name: str) -> str:
    """Describe a column that affects dosing, and what to do about it; empty if it is not known.

    >>> why_refused("TAU")
    'an interval. Rename it II if it is'
    """
    return next((why for pattern, why in _REFUSED if pattern.fullmatch(clean(name))), "")
