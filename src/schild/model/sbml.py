"""A ModelSpec for other programs: Antimony text and SBML, with doses as events.

Hours, nanomoles, litres and nanomolar throughout, declared in the document. Each state has a rate rule; all
changes at one time are one event, because the order of simultaneous events is not defined in SBML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from schild.errors import InputError, SchildError, needed
from schild.model.equations import Equations, equations, sum_of
from schild.model.spec import ModelSpec, PlainDose, parameter_names

_UNITS = """\
  unit hour = 3600 second
  unit nmol = 1e-9 mole
  unit nM = 1e-9 mole / litre
  unit per_h = 1 / 3600 second
  unit L_per_h = litre / 3600 second
  unit nmol_per_h = 1e-9 mole / 3600 second
  unit nM_per_h = 1e-9 mole / (litre * 3600 second)
  unit h_per_nM = 3600e9 second * litre / mole
  unit time_unit = 3600 second
  unit substance = 1e-9 mole
"""


def to_antimony(spec: ModelSpec, parameters: Mapping[str, float], doses: Sequence[PlainDose] = ()) -> str:
    r"""Write a model and its doses as Antimony text.

    ``parameters``: one number for each name of ``parameter_names(spec)``; ``doses``: as ``PlainDose`` says. Dots in
    names become underscores: ``mor.naltrexone.kd`` is ``mor_naltrexone_kd``; occupancies are called
    ``mor_occupancy_naltrexone``, adaptation states ``adaptation_slow``. Raises InputError if a parameter is missing, or
    a dose cannot be placed.

    >>> from schild.model.spec import Input, Species
    >>> spec = ModelSpec(
    ...     species=(Species(name="drug"),), inputs=(Input(name="drug.oral", stages=1, delivers=("drug",)),)
    ... )
    >>> numbers = {"drug.vc": 50.0, "drug.cl": 20.0, "drug.fu": 1.0}
    >>> numbers |= {"drug.oral.rate": 1.0, "drug.oral.fraction.drug": 0.5}
    >>> text = to_antimony(spec, numbers, [(0.0, "drug.oral", 100.0, 0.0)])
    >>> print(*[line.strip() for line in text.splitlines() if "'" in line or " at " in line], sep="\n")
    drug_oral_stage0' = -drug_oral_rate*drug_oral_stage0;
    drug_central' = drug_oral_fraction_drug*drug_oral_rate*drug_oral_stage0 - drug_cl/drug_vc*drug_central;
    dose0: at (time >= 0.0 hour), t0=false: drug_oral_stage0 = drug_oral_stage0 + 100.0 nmol;
    """
    if missing := [n for n in parameter_names(spec) if n not in parameters]:
        raise InputError(f"The model needs a value for {', '.join(missing)}; none was given.")
    infused = {given for _, given, _, duration in doses if duration > 0}
    made = equations(spec, infused)
    lines: list[str] = ["  // Hours, nanomoles, litres, nanomolar.", _UNITS, "  // Parameters"]
    for parameter, ident in made.parameters.items():
        lines.append(f"  {ident} = {float(parameters[parameter])!r}; {ident} has {made.units[ident]};")
    lines.append("\n  // States")
    lines += [f"  {s} = {value}; {s} has {made.units[s]};" for s, value in made.start.items()]
    lines += [f"  {inflow} = 0; {inflow} has nmol_per_h;" for inflow in made.inflows.values()]
    lines.append("\n  // Concentrations of all drug in plasma, free receptors")
    lines += [f"  {name} := {formula}; {name} has {made.units[name]};" for name, formula in made.assigned.items()]
    lines.append("\n  // Rates of change")
    lines += [f"  {s}' = {sum_of(terms, made.units[s])};" for s, terms in made.rates.items()]
    events = _events(made, doses)
    if events:
        lines.append("\n  // Doses")
        lines += events
    changing = ", ".join([*made.rates, *made.inflows.values()])
    return "model schild()\n" + "\n".join(lines) + (f"\n\n  var {changing};" if changing else "") + "\nend\n"


def _with_unit(value: str, unit: str) -> str:
    """Add the unit to a plain number; a formula has one."""
    return f"{value} {unit}" if re.fullmatch(r"[0-9.]+", value) else value


def _events(made: Equations, doses: Sequence[PlainDose]) -> list[str]:
    """One event for each time of a change: ends of infusions, then a reset, then doses."""
    start = {state: _with_unit(value, made.units[state]) for state, value in made.start.items()}
    known = made.entry
    for time, given, amount, duration in doses:
        if given != "reset" and given not in known:
            raise InputError(f"No input is called {given!r}. Known: {', '.join(sorted(known))}.")
        if not (0 <= time < float("inf") and abs(amount) < float("inf") and 0 <= duration < float("inf")):
            raise InputError(
                f"A dose in SBML needs a time from 0 on and finite numbers; {time}, {amount}, {duration} were given."
            )
    resets = {float(t) for t, given, *_ in doses if given == "reset"}
    running = [
        (float(t), min([float(t + d), *(r for r in resets if r > t)]), given, float(a) / float(d))
        for t, given, a, d in doses
        if given != "reset" and d > 0
    ]
    times = sorted({float(t) for t, *_ in doses} | {end for _, end, *_ in running})
    lines: list[str] = []
    for k, time in enumerate(times):
        changed: dict[str, str] = {}
        if time in resets:
            # A reset empties the body of drugs; adaptation of the person stays.
            changed |= {state: value for state, value in start.items() if not state.startswith("adaptation_")}
        for t, given, amount, duration in doses:
            if given != "reset" and duration == 0 and float(t) == time:
                for reached, factor in made.entry[given]:
                    changed[reached] = f"{changed.get(reached, reached)} + {float(amount)!r} nmol" + (
                        f"*{factor}" if factor else ""
                    )
        for given, inflow in made.inflows.items():
            edges = {s for s, _, g, _ in running if g == given} | {e for _, e, g, _ in running if g == given}
            if time in edges:
                rate = sum(r for s, e, g, r in running if g == given and s <= time < e)
                changed[inflow] = f"{float(rate)!r} nmol_per_h"
        assignments = ", ".join(f"{variable} = {value}" for variable, value in changed.items())
        if assignments:
            lines.append(f"  dose{k}: at (time >= {time!r} hour), t0=false: {assignments};")
    return lines


def to_sbml(spec: ModelSpec, parameters: Mapping[str, float], doses: Sequence[PlainDose] = ()) -> str:
    """Write a model and its doses as SBML Level 3 Version 2.

    ``spec``, ``parameters`` and ``doses``: as for ``to_antimony``. Raises InputError if the package antimony
    is missing, or for what ``to_antimony`` refuses.
    """
    (antimony,) = needed("sbml", "Writing SBML", "antimony")
    text = to_antimony(spec, parameters, doses)
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        raise SchildError(f"Antimony does not take the model: {antimony.getLastError()}")
    return str(antimony.getSBMLString("schild"))
