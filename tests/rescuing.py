"""What several tests of the rescue model share: cases, the files of the reference, the bars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from schild.overdose.drugs import REGIMENS
from schild.overdose.outputs import Person
from schild.overdose.parameters import published, record

HERE = Path(__file__).parent / "data" / "rescue"
EVIDENCE = Path(__file__).parents[2] / "shared" / "science" / "overdose"
NAMES = {"IM2mg_Generic": "IM2mg_generic"}

#: Column and the largest difference from the reference, up to 120 s after collapse began.
BARS = {
    "PaO2_mmHg": 0.05,
    "PaCO2_mmHg": 0.05,
    "V_E_L_per_min": 0.01,
    "cardiac_output_L_per_min": 0.01,
    "opioid_bound": 1e-4,
    "antagonist_bound": 1e-4,
}
AFTER_COLLAPSE_S = 120.0


@dataclass(frozen=True)
class Case:
    """One trajectory of the reference."""

    path: Path
    subject: str
    opioid: str
    dose_mg: float
    regimen: str

    @property
    def rows(self):
        return np.genfromtxt(self.path, delimiter=",", names=True)

    @property
    def arrest(self) -> bool:
        return bool(self.rows["arrest"].max())

    def person(self) -> Person:
        physiology = published()
        return Person(
            physiology=physiology,
            p_chemo=getattr(physiology.drive, f"chemo_{self.subject}"),
            p_wake=getattr(physiology.drive, f"wake_{self.subject}"),
            opioid=record(self.opioid),
            dose_mg=self.dose_mg,
            antagonist=record("naloxone"),
            route=record(REGIMENS[self.regimen].route),
        )


def cases(folder: Path) -> list[Case]:
    found = []
    for path in sorted(folder.glob("*__*.csv")):
        head, _, name = path.stem.partition("__")
        subject, drug, dose = head.split("_")
        found.append(
            Case(path=path, subject=subject, opioid=drug, dose_mg=float(dose[:-2]), regimen=NAMES.get(name, name))
        )
    return found


def stem(case: object) -> str | None:
    """Name of a case in the list of tests; None where there is no case, because the tables are not here."""
    return case.path.stem if isinstance(case, Case) else None


def compare(outputs, rows, collapse: float) -> dict[str, float]:
    """Largest difference by column, up to 120 s after collapse."""
    kept = rows["time_s"] <= (collapse + AFTER_COLLAPSE_S if np.isfinite(collapse) else np.inf)
    return {name: float(np.abs(outputs[name] - rows[name])[kept].max()) for name in BARS}


def tables(name: str):
    """One sampling table of the reference's population (evidence tables; never part of this project)."""
    frame = pd.read_csv(EVIDENCE / "samples" / f"{name}.csv")
    return {column: frame[column].to_numpy() for column in frame.columns}


def published_people(drug: str, way: str):
    """Opioid, antagonist and route of the 2,000 published people, as arrays of shape (2000,)."""
    pk, binding, rival = tables("fentanyl_pk"), tables(f"{drug}_binding"), tables("naloxone_binding")
    slow, fast = (0.1, 10.0) if drug == "carfentanil" else (1.0, 1.0)
    people = replace(
        record(drug),
        volume=pk["VP"],
        k_el=pk["kout"] * slow,
        k12=pk["k12"],
        k13=pk["k13"] * slow,
        k21=pk["k21"] * fast,
        k31=pk["k31"] * fast,
        k_on=binding["A1"],
        k_off=binding["B1"],
        n=binding["n"],
    )
    antagonist = replace(record("naloxone"), k_on=rival["A2"], k_off=rival["B2"], n=rival["n2"])
    kinetics = record(way)
    if way == "in_4mg":
        table = tables("naloxone_in_4mg_pk")
        names = dict(f="F", f_third="f1", f_rapid="f2", k_tr="Ktr", k_in="Kin", v1="V1", cl="Kout", q="k12N", v2="V2")
        kinetics = replace(kinetics, **{ours: table[theirs] for ours, theirs in names.items()})
    return people, antagonist, kinetics
