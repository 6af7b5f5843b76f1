"""The equations of a ModelSpec as text: parameters with units, states, rates, and the states that doses enter.

Writers for other programs (``sbml``, ``pharmacometrics``) print them. Numbers in formulas have their unit, as in
Antimony.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from schild.model.spec import ENDOGENOUS, LAG, RELEASE, ModelSpec, parameter_names

_UNIT_OF = {
    "vc": "litre", "vp": "litre", "vp2": "litre", "cl": "L_per_h", "q": "L_per_h", "q2": "L_per_h", "ke0": "per_h",
    "rate": "per_h", "kd": "nM", "koff": "per_h", "gain_up": "per_h", "gain_down": "per_h", "loss_up": "per_h",
    "loss_down": "per_h", "vmax": "nmol_per_h", "km": "nM", "c50": "nM", "ke": "per_h",
    "phi": "h_per_nM",
}  # fmt: skip
#: Numbers in formulas have their unit, so that a program that reads the document can check each formula.
_ONE = "1 dimensionless"
_TWO = "2 dimensionless"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Equations:
    """A model as text; a dot in a name is an underscore in its identifier."""

    parameters: Mapping[str, str]  #: Identifier by name
    units: Mapping[str, str]  #: Unit of each identifier, as Antimony names them
    start: Mapping[str, str]  #: Value of each state in an empty body
    rates: Mapping[str, tuple[str, ...]]  #: Terms of the rate of each state, each with its sign
    assigned: Mapping[str, str]  #: Formulas of plasma levels, free receptors, and inputs of adaptation and release
    entry: Mapping[str, tuple[tuple[str, str], ...]]  #: By input: states that a dose enters, with the share or ""
    inflows: Mapping[str, str]  #: By input: identifier of its rate of infusion [nmol/h]


def equations(spec: ModelSpec, infused: Collection[str] = ()) -> Equations:
    """Write the equations of a model.

    ``infused``: inputs that need a rate of infusion, in addition to those that always have one.

    >>> from schild.model.spec import Input, Species
    >>> spec = ModelSpec(species=(Species(name="a"),), inputs=(Input(name="a.iv", delivers=("a",)),))
    >>> made = equations(spec)
    >>> dict(made.rates), made.entry["a.iv"]
    ({'a_central': ('-a_cl/a_vc*a_central',)}, (('a_central', 'a_iv_fraction_a'),))
    """
    ident = _Names()
    named = {name: ident(name) for name in parameter_names(spec)}
    unit_of = {ident(name): _UNIT_OF.get(name.rsplit(".", 1)[-1], "dimensionless") for name in named}
    rules: dict[str, list[str]] = {}  # state: terms of its rate
    start: dict[str, str] = {}  # state: its value in an empty body
    entry: dict[str, list[tuple[str, str]]] = {}

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
        entry[i.name] = [(stages[0], "")] if stages else shares
        for k, here in enumerate(stages):
            out = f"{ident(f'{i.name}.rate')}*{here}"
            rules[here].append(f"-{out}")
            if k + 1 < len(stages):
                rules[stages[k + 1]].append(f"+{out}")
            else:
                for central, share in shares:
                    rules[central].append(f"+{share}*{out}")
        if i.prolonged or i.name in infused:
            inflows[i.name] = ident(f"{i.name}.inflow")
            for reached, factor in entry[i.name]:
                rules[reached].append(f"+{inflows[i.name]}" + (f"*{factor}" if factor else ""))
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
    assigned: dict[str, str] = {}
    for s in spec.species:
        made = ident(f"plasma_{s.name}")
        assigned[made], unit_of[made] = f"{ident(f'{s.name}.central')}/{ident(f'{s.name}.vc')}", "nM"
    for r in spec.receptors:
        names = [x.species for x in r.ligands] + ([ENDOGENOUS] if r.tone else [])
        e0 = ident(f"{r.name}.{ENDOGENOUS}.e0") if r.tone else ""
        held = [
            state(f"{r.name}_occupancy_{n}", "dimensionless", f"{e0}/({_ONE} + {e0})" if n == ENDOGENOUS else "0")
            for n in names
        ]
        free = ident(f"{r.name}_free")
        assigned[free], unit_of[free] = f"{_ONE} - ({' + '.join(held)})", "dimensionless"
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
        assigned[raw], unit_of[raw] = f"{' + '.join(terms) or '0 dimensionless'}", "dimensionless"
        assigned[drive], unit_of[drive] = f"{raw}/({_ONE} + {ident('adaptation.bend')}*{raw})", "dimensionless"
        for lag in spec.adaptation.states:
            made = state(f"adaptation_{lag}", "dimensionless")
            up_g, down_g, up_l, down_l, sat = (ident(f"adaptation.{lag}.{p}") for p in LAG)
            rules[made] += [
                f"piecewise({up_g}, {drive} > {made}, {down_g})*{drive}*({_ONE} - {sat}*{made})",
                f"-piecewise({up_l}, {drive} > {made}, {down_l})*{made}",
            ]
        if spec.adaptation.followers:
            left, at = ident("adaptation_left"), spec.adaptation.receptors[0]
            toned = any(r.name == at and r.tone for r in spec.receptors)
            held_back = f"{ident('adaptation.tone')}*{ident(f'{at}_occupancy_{ENDOGENOUS}')}"
            unopposed = (
                " + ".join(
                    f"{ident(f'adaptation.{lag}.weight')}*{ident(f'adaptation_{lag}')}"
                    for lag in spec.adaptation.states
                )
                + f" - {drive}"
                + (f" - {held_back}" if toned else "")
            )
            whole = ident("adaptation_unopposed")
            assigned[whole], unit_of[whole] = unopposed, "dimensionless"
            assigned[left], unit_of[left] = f"({whole} + abs({whole}))/{_TWO}", "dimensionless"
            for follower in spec.adaptation.followers:
                made = state(f"adaptation_{follower}", "dimensionless")
                rules[made].append(f"{ident(f'adaptation.{follower}.gain_up')}*({left} - {made})")

    if spec.releasing is not None:
        central, vc = ident(f"{spec.releasing}.central"), ident(f"{spec.releasing}.vc")
        rise, level = ident("release_rise"), ident(f"plasma_{spec.releasing}")
        assigned[rise], unit_of[rise] = f"({sum_of(rules[central], 'nmol')})/{vc}", "nM_per_h"
        ke, rho, c50, phi = (ident(f"release.{p}") for p in RELEASE)
        rising = f"{phi}*piecewise({rise}, {rise} > 0 nM_per_h, 0 nM_per_h)"
        rules[ident("release")] += [f"{ke}*({_ONE} + {rho}*{level}/({level} + {c50}) + {rising} - {ident('release')})"]

    for made in inflows.values():
        unit_of[made] = "nmol_per_h"
    return Equations(
        parameters=named, units=unit_of, start=start, rates={k: tuple(v) for k, v in rules.items()}, assigned=assigned,
        entry={k: tuple(v) for k, v in entry.items()}, inflows=inflows,
    )  # fmt: skip


def sum_of(terms: Collection[str], unit: str) -> str:
    """Add terms; without any, zero in the state's unit per hour."""
    text = " ".join(f"{t[0]} {t[1:]}" if t[0] in "+-" else f"+ {t}" for t in terms)
    return "-" + text[2:] if text.startswith("- ") else text.removeprefix("+ ") or f"0 {_PER_H[unit]}"
