"""A parameter estimation problem in PEtab 2: model and doses as SBML, levels, and parameters to estimate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from schild.errors import InputError, UnknownNameError
from schild.model.equations import equations
from schild.model.sbml import to_sbml
from schild.model.spec import ModelSpec, PlainDose

#: Bounds of an estimated number: its value divided and multiplied by this. [1]
_RANGE = 10.0

_PROBLEM = """\
format_version: 2.0.0
parameter_files: [parameters.tsv]
model_files:
  schild:
    location: model.xml
    language: sbml
measurement_files: [measurements.tsv]
observable_files: [observables.tsv]
condition_files: []
experiment_files: []
"""


def to_petab(
    spec: ModelSpec,
    parameters: Mapping[str, float],
    doses: Sequence[PlainDose],
    levels: Sequence[tuple[str, float, float]],
    *,
    free: Sequence[str],
    error: float,
) -> dict[str, str]:
    """Write a problem as its files.

    ``spec``, ``parameters`` and ``doses``: as for ``to_sbml``; ``levels``: species, time [h] and measured plasma level
    of total drug [nM]; ``free``: parameters to estimate, such as ``"naltrexone.cl"``; ``error``: coefficient of
    variation of a level, log-normal [1]. Returns the text of each file by its name; problem.yaml lists the others. Time
    in hours, levels in nM. Raises InputError for a parameter that the model does not have, or no level above zero.
    """
    made = equations(spec, {given for _, given, _, duration in doses if duration > 0})
    for name in free:
        if name not in made.parameters:
            raise UnknownNameError("parameter of this model", name, made.parameters)
    seen = [(species, t, v) for species, t, v in levels if v > 0]
    if not seen:
        raise InputError("No level lies above zero; expected levels after a dose. Give later times.")
    rows = ["parameterId\testimate\tlowerBound\tupperBound\tnominalValue"]
    for name in free:
        value = float(parameters[name])
        rows.append(f"{made.parameters[name]}\ttrue\t{value / _RANGE!r}\t{value * _RANGE!r}\t{value!r}")
    sigma = math.sqrt(math.log1p(error**2))
    species = list(dict.fromkeys(name for name, _, _ in seen))
    heads = "observableId\tobservableFormula\tnoiseFormula\tnoiseDistribution"
    observables = [heads, *(f"level_{name}\tplasma_{name}\t{sigma!r}\tlog-normal" for name in species)]
    measured = ["observableId\texperimentId\ttime\tmeasurement"]
    measured += [f"level_{name}\t\t{float(t)!r}\t{float(v)!r}" for name, t, v in seen]
    return {
        "problem.yaml": _PROBLEM, "model.xml": to_sbml(spec, parameters, doses),
        "parameters.tsv": "\n".join(rows) + "\n", "observables.tsv": "\n".join(observables) + "\n",
        "measurements.tsv": "\n".join(measured) + "\n",
    }  # fmt: skip
