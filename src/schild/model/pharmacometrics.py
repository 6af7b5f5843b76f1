"""The kinetics of a ModelSpec as text of rxode2 (and nlmixr2), mrgsolve and NONMEM, with one data set for all three.

Hours, nanomoles, litres and nanomolar throughout, stated in the text. Receptors, adaptation and release are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from schild.model.equations import Equations, equations, sum_of
from schild.model.spec import ModelSpec, PlainDose

#: Name of the data set that the texts read, and its columns.
DATA = "doses.csv"
COLUMNS = ("ID", "TIME", "EVID", "MDV", "CMT", "AMT", "RATE", "DV")

_UNITS = {"litre": "L", "L_per_h": "L/h", "per_h": "1/h", "nmol_per_h": "nmol/h", "dimensionless": "1"}
_HEAD = (
    "Kinetics of one person, written by schild. For research and education, not for treating a person.",
    "Units: TIME h, amounts nmol, volumes L, clearances L/h, rate constants 1/h, plasma levels nM (nmol/L), total.",
)


def _equations(spec: ModelSpec) -> Equations:
    """The equations of the kinetics; infusions are in the column RATE of the data set."""
    made = equations(replace(spec, receptors=(), adaptation=None, releasing=None))
    infused = tuple(f"+{inflow}" for inflow in made.inflows.values())
    kept = {s: tuple(t for t in terms if not t.startswith(infused or ("?",))) for s, terms in made.rates.items()}
    return replace(made, rates=kept)


def _unit(made: Equations, name: str) -> str:
    return _UNITS.get(made.units[name], made.units[name])


def data_rows(
    spec: ModelSpec, parameters: Mapping[str, float], doses: Sequence[PlainDose], times_h: Sequence[float]
) -> list[tuple[float | int | str, ...]]:
    """Write doses and times of observation as the rows of a data set.

    ``doses``: as ``PlainDose`` says; ``times_h``: times of the levels. Returns rows of ``COLUMNS``, by time; CMT
    counts the states of the text from 1. A dose that enters plasma at once is multiplied by its share, so that
    bioavailability is 1 for every row.

    >>> from schild.model.spec import Input, Species
    >>> spec = ModelSpec(species=(Species(name="a"),), inputs=(Input(name="a.iv", delivers=("a",)),))
    >>> numbers = {"a.vc": 5.0, "a.cl": 1.0, "a.fu": 1.0, "a.iv.fraction.a": 0.5}
    >>> data_rows(spec, numbers, [(0.0, "a.iv", 8.0, 2.0)], [1.0])
    [(1, 0.0, 1, 1, 1, 4.0, 2.0, '.'), (1, 1.0, 0, 0, 1, 0.0, 0.0, '.')]
    """
    made = _equations(spec)
    number = {state: k for k, state in enumerate(made.rates, 1)}
    value = {made.parameters[name]: parameters[name] for name in made.parameters}
    rows: list[tuple[float | int | str, ...]] = []
    for time, given, amount, duration in doses:
        if given == "reset":
            rows.append((1, time, 3, 1, 1, 0.0, 0.0, "."))
            continue
        for state, share in made.entry[given]:
            nmol = amount * (value[share] if share else 1.0)
            if nmol > 0:
                rows.append((1, time, 1, 1, number[state], nmol, nmol / duration if duration else 0.0, "."))
    plasma = next((k for s, k in number.items() if s.endswith("_central")), 1)
    rows += [(1, float(t), 0, 0, plasma, 0.0, 0.0, ".") for t in times_h]
    # An observation at the time of a dose is read before it.
    return sorted(rows, key=lambda row: (row[1], row[2] == 1, row[2] != 3))


def to_rxode2(spec: ModelSpec, parameters: Mapping[str, float], *, title: str = "") -> str:
    """Write the kinetics as an R script for rxode2; the function ``kinetics`` is a model of nlmixr2 as well.

    ``parameters``: a number for each parameter; ``title``: a line of the header.
    """
    made = _equations(spec)
    lines = [f"# {text}" for text in (title, *_HEAD) if text]
    lines += ["# For nlmixr2: remove fix() where you estimate, and add a residual model.", "library(rxode2)", ""]
    lines += ["kinetics <- function() {", "  ini({"]
    for name, ident in made.parameters.items():
        lines.append(f"    {ident} <- fix({float(parameters[name])!r})  # {_unit(made, ident)}")
    lines += ["  })", "  model({"]
    lines += [f"    d/dt({s}) <- {sum_of(terms, 'nmol')}  # nmol/h" for s, terms in made.rates.items()]
    lines += [f"    {name} <- {formula}  # nM" for name, formula in made.assigned.items()]
    lines += ["  })", "}", "", f'data <- read.csv("{DATA}", na.strings = ".")  # CMT counts the equations above']
    lines += ["solved <- rxSolve(kinetics, data, atol = 1e-10, rtol = 1e-10)", ""]
    return "\n".join(lines)


def to_mrgsolve(spec: ModelSpec, parameters: Mapping[str, float], *, title: str = "") -> str:
    """Write the kinetics as a model of mrgsolve; arguments as for ``to_rxode2``."""
    made = _equations(spec)
    lines = ["$PROB", *(f"# {text}" for text in (title, *_HEAD) if text)]
    lines.append(f'# In R: mrgsim(mread("model.cpp"), data = read.csv("{DATA}", na.strings = "."))')
    lines += ["", "$PARAM @annotated"]
    for name, ident in made.parameters.items():
        lines.append(f"{ident} : {float(parameters[name])!r} : {name} ({_unit(made, ident)})")
    lines += ["", "$CMT @annotated", *(f"{state} : amount (nmol)" for state in made.rates), "", "$ODE"]
    lines += [f"dxdt_{s} = {sum_of(terms, 'nmol')};  // nmol/h" for s, terms in made.rates.items()]
    lines += ["", "$TABLE", *(f"double {name} = {formula};  // nM" for name, formula in made.assigned.items())]
    lines += ["", "$CAPTURE", *made.assigned, "", "$SET delta = 0, atol = 1e-12, rtol = 1e-10, maxsteps = 100000", ""]
    return "\n".join(lines)


def to_nonmem(spec: ModelSpec, parameters: Mapping[str, float], *, title: str = "") -> str:
    """Write the kinetics as a control stream of NONMEM that simulates; arguments as for ``to_rxode2``."""
    made = _equations(spec)
    short = _short([*made.parameters.values(), *made.assigned])
    here = short | {state: f"A({k})" for k, state in enumerate(made.rates, 1)}

    def said(formula: str) -> str:
        return re.sub(r"[A-Za-z]\w*", lambda word: here.get(word[0], word[0]), formula)

    lines = [f"$PROBLEM {title[:120] or 'Kinetics of one person'}", *(f"; {text}" for text in _HEAD)]
    lines += [f"$INPUT {' '.join(COLUMNS)}", f"$DATA {DATA} IGNORE=@", "$SUBROUTINES ADVAN13 TOL=10", "$MODEL"]
    lines += [f"  COMP=(C{k}) ; A({k}): {state} [nmol]" for k, state in enumerate(made.rates, 1)]
    lines.append("$PK")
    for k, (name, ident) in enumerate(made.parameters.items(), 1):
        lines.append(f"  {here[ident]} = THETA({k}) ; {name} [{_unit(made, ident)}]")
    lines.append("$DES")
    for k, terms in enumerate(made.rates.values(), 1):
        lines += _continued(f"  DADT({k}) = ", [said(term) for term in terms])
    lines.append("$ERROR")
    lines += [f"  {here[name]} = {said(formula)} ; {name} [nM]" for name, formula in made.assigned.items()]
    first = here[next(iter(made.assigned))]
    lines += [f"  Y = {first} + EPS(1)", "$THETA"]
    lines += [f"  {float(parameters[name])!r} FIX ; {k} {name}" for k, name in enumerate(made.parameters, 1)]
    lines += ["$OMEGA 0 FIX", "$SIGMA 0 FIX", "$SIMULATION (20261129) ONLYSIMULATION"]
    wanted = [here[name] for name in made.assigned]
    lines += ["$TABLE ID TIME EVID", *(f"  {name}" for name in wanted), "  NOPRINT ONEHEADER FILE=levels.tab", ""]
    return "\n".join(lines)


def _short(names: Sequence[str]) -> dict[str, str]:
    """Unique names of at most 20 characters."""
    found: dict[str, str] = {}
    for name in names:
        short, k = name.upper()[:20], 1
        while short in found.values():
            k += 1
            short = f"{name.upper()[: 19 - len(str(k))]}_{k}"
        found[name] = short
    return found


def _continued(begin: str, terms: Sequence[str]) -> list[str]:
    """Write a sum over several lines, as NONMEM takes at most 160 characters in a line."""
    lines = [begin]
    for term in terms or ["0"]:
        sign, rest = (term[0], term[1:]) if term[0] in "+-" else ("+", term)
        part = {True: "" if sign == "+" else "-", False: f" {sign} "}[lines == [begin]] + rest
        if len(lines[-1]) + len(part) > 110:
            lines[-1] += " &"
            lines.append("    ")
        lines[-1] += part
    return lines


#: By program: function that writes its text, and name of the file.
PROGRAMS = {
    "rxode2": (to_rxode2, "model.R"),
    "mrgsolve": (to_mrgsolve, "model.cpp"),
    "nonmem": (to_nonmem, "model.ctl"),
}
