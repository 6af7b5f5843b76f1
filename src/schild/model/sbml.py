"""The reading of a ModelSpec that other programs understand: Antimony text and SBML, with doses as events.

Hours, nanomoles, litres and nanomolar throughout, declared in the document. Each state has a rate rule; all that
happens at one time is one event, because the order of simultaneous events is not defined in SBML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from schild.errors import InputError, SchildError
from schild.model.spec import ENDOGENOUS, LAG, RELEASE, ModelSpec, PlainDose, parameter_names

__all__ = ["to_antimony", "to_sbml"]

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

_UNIT_OF = {
    "vc": "litre", "vp": "litre", "vp2": "litre", "cl": "L_per_h", "q": "L_per_h", "q2": "L_per_h", "ke0": "per_h",
    "rate": "per_h", "kd": "nM", "koff": "per_h", "gain_up": "per_h", "gain_down": "per_h", "loss_up": "per_h",
    "loss_down": "per_h", "vmax": "nmol_per_h", "km": "nM", "c50": "nM", "ke": "per_h",
    "phi": "h_per_nM",
}  # fmt: skip
#: Numbers in formulas carry their unit, so that a reader of the document can check each formula.
_ONE = "1 dimensionless"
_PER_H = {"nmol": "nmol_per_h", "nM": "nM_per_h", "dimensionless": "per_h"}


class _Names:
    """Valid and unique identifiers; a dot in a name becomes an underscore."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        if name not in self.of:
            made = re.sub(r"\W", "_", name, flags=re.ASCII)
            made = made if "_" in made and not made[0].isdigit() else f"v_{made}"  # no keyword has an underscore
            taken = set(self.of.values())
            unique, k = made, 2
            while unique in taken:
                unique, k = f"{made}_{k}", k + 1
            self.of[name] = unique
        return self.of[name]


def to_antimony(
    spec: ModelSpec, parameters: Mapping[str, float], doses: Sequence[PlainDose] = (), *, name: str = "schild"
) -> str:
    r"""Write a model and its doses as Antimony text.

    ``parameters``: one number for each name of ``parameter_names(spec)``; ``doses``: as ``PlainDose`` says; ``name``:
    identifier of the model. Returns Antimony text. Dots in names become underscores: ``mor.naltrexone.kd`` is
    ``mor_naltrexone_kd``; occupancies are called ``mor_occupancy_naltrexone``, adaptation states ``adaptation_slow``.
    Raises InputError if the name is no identifier, a parameter is missing, or a dose cannot be placed.

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
    if not re.fullmatch(r"[A-Za-z_]\w*", name, flags=re.ASCII):
        raise InputError(f"A model in SBML needs an identifier as its name (letters, digits, _); {name!r} was given.")
    if missing := [n for n in parameter_names(spec) if n not in parameters]:
        raise InputError(f"The model needs a value for {', '.join(missing)}; none was given.")
    ident = _Names()
    lines: list[str] = ["  // Hours, nanomoles, litres, nanomolar.", _UNITS, "  // Parameters"]
    for parameter in parameter_names(spec):
        unit = _UNIT_OF.get(parameter.rsplit(".", 1)[-1], "dimensionless")
        lines.append(f"  {ident(parameter)} = {float(parameters[parameter])!r}; {ident(parameter)} has {unit};")

    rules: dict[str, list[str]] = {}  # state: terms of its rate
    start: dict[str, str] = {}  # state: its value in an empty body
    unit_of: dict[str, str] = {}
    entry: dict[str, list[tuple[str, str]]] = {}  # input: (state, factor) of what a dose reaches

    def state(full: str, unit: str, value: str = "0") -> str:
        made = ident(full)
        rules[made], start[made], unit_of[made] = [], value, unit
        return made

    for i in spec.inputs:
        for k in range(i.stages):
            state(f"{i.name}.stage{k}", "nmol")
    parts = ("central", "peripheral", "peripheral2")
    for s in spec.species:
        for part in parts[: s.peripherals + 1]:
            state(f"{s.name}.{part}", "nmol")
    effect = spec.effect_species()
    for species in effect:
        state(f"{species}.effect", "nM")

    inflows: dict[str, str] = {}
    for i in spec.inputs:
        stages = [ident(f"{i.name}.stage{k}") for k in range(i.stages)]
        shares = [(ident(f"{t}.central"), ident(f"{i.name}.fraction.{t}")) for t in i.delivers]
        entry[i.name] = [(stages[0], "")] if stages else [(c, f"*{share}") for c, share in shares]
        for k, here in enumerate(stages):
            out = f"{ident(f'{i.name}.rate')}*{here}"
            rules[here].append(f"-{out}")
            if k + 1 < len(stages):
                rules[stages[k + 1]].append(f"+{out}")
            else:
                for central, share in shares:
                    rules[central].append(f"+{share}*{out}")
        if i.prolonged or any(d[1] == i.name and d[3] > 0 for d in doses):
            inflows[i.name] = ident(f"{i.name}.inflow")
            for reached, factor in entry[i.name]:
                rules[reached].append(f"+{inflows[i.name]}{factor}")
    for s in spec.species:
        central, vc = ident(f"{s.name}.central"), ident(f"{s.name}.vc")
        rules[central].append(f"-{ident(f'{s.name}.cl')}/{vc}*{central}")
        for q, v, part in (("q", "vp", "peripheral"), ("q2", "vp2", "peripheral2"))[: s.peripherals]:
            other, flow = ident(f"{s.name}.{part}"), ident(f"{s.name}.{q}")
            back = f"{flow}/{ident(f'{s.name}.{v}')}*{other}"
            rules[central] += [f"-{flow}/{vc}*{central}", f"+{back}"]
            rules[other] += [f"+{flow}/{vc}*{central}", f"-{back}"]
        for target in s.feeds:
            formed = f"{ident(f'{s.name}.feeds.{target}')}*{ident(f'{s.name}.cl')}/{vc}*{central}"
            rules[ident(f"{target}.central")].append(f"+{formed}")
        if s.saturable:
            level = f"{central}/{vc}"
            rules[central].append(f"-{ident(f'{s.name}.vmax')}*({level})/({ident(f'{s.name}.km')} + {level})")
        if s.name in effect:
            site = ident(f"{s.name}.effect")
            free = f"{ident(f'{s.name}.fu')}*{central}/{vc}"
            rules[site].append(f"{ident(f'{s.name}.ke0')}*({free} - {site})")

    if spec.releasing is not None:
        state("release", "dimensionless", "1")
    assigned: list[str] = []
    for s in spec.species:
        made = ident(f"plasma_{s.name}")
        assigned.append(f"  {made} := {ident(f'{s.name}.central')}/{ident(f'{s.name}.vc')}; {made} has nM;")
    for r in spec.receptors:
        names = [x.species for x in r.ligands] + ([ENDOGENOUS] if r.tone else [])
        e0 = ident(f"{r.name}.{ENDOGENOUS}.e0") if r.tone else ""
        held = [
            state(f"{r.name}_occupancy_{n}", "dimensionless", f"{e0}/({_ONE} + {e0})" if n == ENDOGENOUS else "0")
            for n in names
        ]
        free = ident(f"{r.name}_free")
        assigned.append(f"  {free} := {_ONE} - ({' + '.join(held)}); {free} has dimensionless;")
        for x, bound in zip(r.ligands, held, strict=False):
            koff, kd = (ident(f"{r.name}.{x.species}.{p}") for p in ("koff", "kd"))
            level = f"{ident(f'{x.species}.fu')}*{ident(f'plasma_{x.species}')}"
            if x.site == "effect":
                slow = ident(f"{x.species}.effect")
                share = ident(f"{x.species}.direct") if spec.find(x.species).direct else ""
                level = f"({share}*{level} + ({_ONE} - {share})*{slow})" if share else slow
            rules[bound].append(f"{koff}*({level}/{kd}*{free} - {bound})")
        if r.tone:
            load = f"{e0}*{ident('release')}" if r.released else e0
            rules[held[-1]].append(f"{ident(f'{r.name}.{ENDOGENOUS}.koff')}*({load}*{free} - {held[-1]})")

    if spec.adaptation is not None:
        terms = [
            f"{ident(f'{r.name}.{x.species}.drive')}*{ident(f'{r.name}_occupancy_{x.species}')}"
            for r in spec.receptors
            if r.name in spec.adaptation.receptors
            for x in r.ligands
        ]
        raw, drive = ident("adaptation_sum"), ident("adaptation_drive")
        assigned.append(f"  {raw} := {' + '.join(terms) or '0 dimensionless'}; {raw} has dimensionless;")
        assigned.append(f"  {drive} := {raw}/({_ONE} + {ident('adaptation.bend')}*{raw}); {drive} has dimensionless;")
        for lag in spec.adaptation.states:
            made = state(f"adaptation_{lag}", "dimensionless")
            up_g, down_g, up_l, down_l, sat = (ident(f"adaptation.{lag}.{p}") for p in LAG)
            rules[made] += [
                f"piecewise({up_g}, {drive} > {made}, {down_g})*{drive}*({_ONE} - {sat}*{made})",
                f"-piecewise({up_l}, {drive} > {made}, {down_l})*{made}",
            ]

    if spec.releasing is not None:
        central, vc = ident(f"{spec.releasing}.central"), ident(f"{spec.releasing}.vc")
        rise, level = ident("release_rise"), ident(f"plasma_{spec.releasing}")
        assigned.append(f"  {rise} := ({_sum(rules[central], 'nmol')})/{vc}; {rise} has nM_per_h;")
        ke, rho, c50, phi = (ident(f"release.{p}") for p in RELEASE)
        rising = f"{phi}*piecewise({rise}, {rise} > 0 nM_per_h, 0 nM_per_h)"
        rules[ident("release")] += [f"{ke}*({_ONE} + {rho}*{level}/({level} + {c50}) + {rising} - {ident('release')})"]

    lines.append("\n  // States")
    lines += [f"  {s} = {start[s]}; {s} has {unit_of[s]};" for s in rules]
    lines += [f"  {made} = 0; {made} has nmol_per_h;" for made in inflows.values()]
    lines.append("\n  // Concentrations of all drug in plasma, free receptors")
    lines += assigned
    lines.append("\n  // Rates of change")
    lines += [f"  {s}' = {_sum(terms, unit_of[s])};" for s, terms in rules.items()]
    events = _events(spec, doses, entry, inflows, {s: _with_unit(start[s], unit_of[s]) for s in start})
    if events:
        lines.append("\n  // Doses")
        lines += events
    changing = ", ".join([*rules, *inflows.values()])
    return f"model {name}()\n" + "\n".join(lines) + (f"\n\n  var {changing};" if changing else "") + "\nend\n"


def _with_unit(value: str, unit: str) -> str:
    """Give a plain number its unit; a formula has one."""
    return f"{value} {unit}" if re.fullmatch(r"[0-9.]+", value) else value


def _sum(terms: Sequence[str], unit: str) -> str:
    """Add terms; without any, nothing per hour of the state's unit."""
    text = " ".join(f"{t[0]} {t[1:]}" if t[0] in "+-" else f"+ {t}" for t in terms)
    return "-" + text[2:] if text.startswith("- ") else text.removeprefix("+ ") or f"0 {_PER_H[unit]}"


def _events(
    spec: ModelSpec,
    doses: Sequence[PlainDose],
    entry: Mapping[str, Sequence[tuple[str, str]]],
    inflows: Mapping[str, str],
    start: Mapping[str, str],
) -> list[str]:
    """One event for each time at which something happens: infusions end, then a reset, then doses."""
    known = {i.name for i in spec.inputs}
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
            # Adaptation stays: it is the person, not the drug.
            changed |= {state: value for state, value in start.items() if not state.startswith("adaptation_")}
        for t, given, amount, duration in doses:
            if given != "reset" and duration == 0 and float(t) == time:
                for reached, factor in entry[given]:
                    changed[reached] = f"{changed.get(reached, reached)} + {float(amount)!r} nmol{factor}"
        for given, inflow in inflows.items():
            edges = {s for s, _, g, _ in running if g == given} | {e for _, e, g, _ in running if g == given}
            if time in edges:
                rate = sum(r for s, e, g, r in running if g == given and s <= time < e)
                changed[inflow] = f"{float(rate)!r} nmol_per_h"
        assignments = ", ".join(f"{variable} = {value}" for variable, value in changed.items())
        if assignments:
            lines.append(f"  dose{k}: at (time >= {time!r} hour), t0=false: {assignments};")
    return lines


def _antimony() -> Any:
    try:
        import antimony
    except ImportError:
        raise InputError(
            "Writing SBML needs the package antimony. Install it with: pip install 'schild[sbml]'"
        ) from None
    return antimony


def to_sbml(
    spec: ModelSpec, parameters: Mapping[str, float], doses: Sequence[PlainDose] = (), *, name: str = "schild"
) -> str:
    """Write a model and its doses as SBML Level 3 Version 2.

    ``spec``, ``parameters``, ``doses`` and ``name``: as for ``to_antimony``. Raises InputError if the package antimony
    is missing, or for what ``to_antimony`` refuses.
    """
    antimony = _antimony()
    text = to_antimony(spec, parameters, doses, name=name)
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        raise SchildError(f"Antimony does not take the model: {antimony.getLastError()}")
    return str(antimony.getSBMLString(name))
