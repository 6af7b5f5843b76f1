"""Parameters of a model: kinetics, binding, inputs and adaptation, each with its value for every person."""

from __future__ import annotations

from collections.abc import Mapping

from schild.array_types import Floats
from schild.catalog import Adaptation as Mechanism
from schild.errors import CatalogueError
from schild.model.ports import Port, disposition_of, fraction
from schild.model.spec import ENDOGENOUS, ModelSpec
from schild.people import Values
from schild.pharmacology.effects import transducer_ratio


def parameters_of(
    values: Values,
    spec: ModelSpec,
    ports: Mapping[str, Port],
    instead: Mapping[tuple[str, str], str],
    mechanism: Mechanism | None = None,
) -> dict[str, float | Floats]:
    """Give every parameter of a model its value for every person.

    ``spec``: structure of the model; ``ports``: origins of its inputs; ``instead``: numbers of the disposition
    that a route in use replaces, by drug and name; ``mechanism``: of tolerance and dependence. Returns values by the
    names of ``ModelSpec.parameters``: floats, or arrays of shape (n,).
    """
    p: dict[str, float | Floats] = {}
    effect = spec.effect_species()
    for species in spec.species:
        drug = values.catalogue.drugs[species.name]
        names = ["vc", "cl", "fu", "q", "vp", "q2", "vp2"][: 3 + 2 * species.peripherals]
        for name in names:
            p[f"{species.name}.{name}"] = values.of(drug.key, instead.get((drug.key, name), name))
        if species.saturable:
            nmol_per_g = 1e9 / values.typical(drug.key, str(drug.mw))
            p[f"{species.name}.vmax"] = values.of(drug.key, "vmax") * nmol_per_g
            p[f"{species.name}.km"] = values.of(drug.key, "km") * nmol_per_g
        if species.name == spec.releasing:
            p["release.ke"] = values.of(drug.key, "release.rate")
            p["release.rho"] = values.of(drug.key, "release.gain")
            p["release.c50"] = values.of(drug.key, "release.c50") * nmol_per_g
            # People who release more at a level of alcohol also release more while it rises.
            gain = values.between(drug.key, "release.gain")
            p["release.phi"] = values.of(drug.key, "release.rise") * gain / nmol_per_g
        if species.name in effect:
            p[f"{species.name}.ke0"] = values.of(drug.key, "ke0")
            if species.direct:
                p[f"{species.name}.direct"] = values.of(drug.key, "direct")
        for target, name in disposition_of(drug).feeds.items():
            p[f"{species.name}.feeds.{target}"] = values.of(drug.key, name)
    for name, port in ports.items():
        branch = port.branch
        if branch.rate is not None and branch.input in ("first_order", "transit"):
            p[f"{name}.rate"] = values.of(port.drug.key, branch.rate)
        for d in port.deliver:
            # Where it varies between occasions, the dose has the fraction of its occasion as a factor; see `_scale`.
            p[f"{name}.fraction.{d.species}"] = 1.0 if port.varies else fraction(values, port, d)
    for receptor in spec.receptors:
        for ligand in receptor.ligands:
            drug = values.catalogue.drugs[ligand.species]
            binding = drug.binding[receptor.name]
            label = f"{receptor.name}.{ligand.species}"
            if binding.koff is None or (binding.kd is None and binding.ki is None):
                raise CatalogueError(f"drugs/{drug.key}.toml: binding.{receptor.name} needs kd (or ki) and koff.")
            if binding.kd is not None:
                p[f"{label}.kd"] = values.of(drug.key, binding.kd)
            else:
                factor = 1.0 if binding.factor is None else values.of(drug.key, binding.factor)
                p[f"{label}.kd"] = values.of(drug.key, str(binding.ki)) * factor
            p[f"{label}.koff"] = values.of(drug.key, binding.koff)
        if receptor.tone:
            drug = values.catalogue.drugs[ENDOGENOUS]
            binding = drug.binding[receptor.name]
            p[f"{receptor.name}.{ENDOGENOUS}.e0"] = values.of(drug.key, str(binding.e0))
            p[f"{receptor.name}.{ENDOGENOUS}.koff"] = values.of(drug.key, str(binding.koff))
    return p if mechanism is None else p | _adaptation(values, spec, mechanism)


def _adaptation(values: Values, spec: ModelSpec, entry: Mechanism) -> dict[str, float | Floats]:
    p: dict[str, float | Floats] = {"adaptation.bend": 1.0 if entry.drive == "response" else 0.0}
    for name, state in entry.states.items():
        for rate in ("gain_up", "gain_down", "loss_up", "loss_down"):
            p[f"adaptation.{name}.{rate}"] = 1.0 / values.of(entry.key, getattr(state, rate))
        p[f"adaptation.{name}.saturation"] = 1.0 if state.saturates else 0.0
        if entry.follower:
            weight = 0.0 if state.weight is None else values.of(entry.key, state.weight)
            p[f"adaptation.{name}.weight"] = weight
    for name, follower in entry.follower.items():
        once = 1.0 / values.of(entry.key, follower.time)
        p |= {f"adaptation.{name}.{rate}": once for rate in ("gain_up", "gain_down", "loss_up", "loss_down")}
        p |= {f"adaptation.{name}.saturation": 0.0, "adaptation.tone": values.of(entry.key, entry.tone)}
    for receptor in spec.receptors:
        if receptor.name not in entry.receptors:
            continue
        share = values.of(entry.key, entry.receptors[receptor.name])
        for ligand in receptor.ligands:
            efficacy = values.efficacy(receptor.name, ligand.species)
            label = f"{receptor.name}.{ligand.species}.drive"
            if entry.drive == "response":
                p[label] = share * transducer_ratio(1.0, efficacy)
            else:
                p[label] = share * efficacy
    return p
