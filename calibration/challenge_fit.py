"""The joint fit of agonists alone and of released challenges, sampled; its errors under left-out studies.

``python -m calibration.challenge_fit`` samples it with fixed seeds, then again without each study of a challenge
and without any, prints what decides the default by the rule of docs/design/challenge-fit.md (step C), and compares the
stored values with its own: those of the key ``joint`` in the catalogue's effects. ``--write`` stores them. It needs the
extra ``fit`` (NumPyro).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from calibration import Fitted
from calibration.challenge_rows import BLOCK_SD, with_challenges
from calibration.dose_model import PAIRS, centres
from calibration.dose_response import (
    WARM,
    columns_of,
    draws_of,
    key_of,
    r_hat_of,
    sampler_of,
    seen,
    today,
)
from calibration.dose_rows import EFFECTS, SPECIES, Table, affinity, build_table
from calibration.files import write_numbers
from schild.array_types import Floats
from schild.catalog import load
from schild.people import RIVALS, Overrides, Values

__all__ = ["JOINT", "errors_of", "main", "with_constants_held"]

#: Key of the values of the joint fit in the catalogue.
JOINT = "joint"
#: Chains of the whole fits, and of those without a study; draws that each keeps.
CHAINS, LEFT_CHAINS, KEPT = 4, 2, 500
SEED = 20261129
#: Whose constant the fit of pain relief by kappa holds, so that its draws tell a potency only.
_NOT_HELD = ("pentazocine",)
#: What step C has to reach to become the default: error of left-out challenges, and of agonists alone, over step A's.
_WANTED = (0.90, 1.05)


def errors_of(block: Floats, value: Floats, side: Floats) -> Floats:
    """Distance of predicted blocks from what studies found, in standard deviations.

    ``block`` and ``value``, shape (n_rows,): predicted and observed; ``side``: 0 for a number, 1 for "at least", -1 for
    "at most": there a prediction on the right side of the bound has no error.

    >>> errors_of(np.array([0.8, 0.8, 0.8]), np.array([0.9, 0.7, 0.7]), np.array([0.0, 1.0, -1.0])).round(2).tolist()
    [-0.89, 0.0, 0.89]
    """
    off = (block - value) / BLOCK_SD
    return np.asarray(np.where(side == 0.0, off, np.where(side * off < 0.0, off, 0.0)))


def with_constants_held(draws: Mapping[str, Floats]) -> dict[str, Floats]:
    """Move constants and efficacies by one factor each to the catalogue's medians; potencies take over the constants'.

    ``draws``: from the sampler. What a drug alone does in an effect stays the same, draw by draw.
    """
    values, moved = Values(load()), {name: np.array(draw) for name, draw in draws.items()}
    for k, species in enumerate(SPECIES):
        efficacy = values.typical(species, "mor.efficacy")
        moved["odds"][:, k] += np.log(efficacy / (1.0 - efficacy)) - np.median(moved["odds"][:, k])
        if species in _NOT_HELD:
            continue
        factor = affinity(species) * values.typical(species, "mor.factor") / np.median(moved["kd"][:, k])
        moved["kd"][:, k] *= factor
        for name, effect in PAIRS:
            if name == species:
                moved["x"][:, effect, k] *= factor
    return moved


def _numbers(draws: Mapping[str, Floats]) -> dict[str, float]:
    """Medians of the numbers of effects, which are what the joint fit moves."""
    kept = ("reserve", "slope", "range")
    return {
        name: float(np.median(draw)) for name, draw in columns_of(with_constants_held(draws)).items()
        if name.split(".", 1)[0] in EFFECTS and (name.split(".")[1] in kept or ".transduction." in name)
    }  # fmt: skip


def _sample(table: Table, keep: Floats, chains: int) -> tuple[dict[str, Floats], str]:
    sampler = sampler_of(table, chains, WARM, KEPT)
    sampler.run(key_of(SEED), keep, centres(), extra_fields=("diverging",))
    diverged = int(np.asarray(sampler.get_extra_fields()["diverging"]).sum())
    largest = max(r_hat_of(sampler).values())
    return draws_of(sampler), f"{diverged} of {chains * KEPT} diverged, R-hat at most {largest:.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Sample, print, decide by the rule, compare with the stored values; 1 if one differs in its second digit."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if find_spec("numpyro") is None:
        print("Left out: the joint fit needs NumPyro (python -m pip install 'schild[fit]').")
        return 0
    alone = build_table()
    table, rows = with_challenges(alone), [r for r in load().challenges if r["block"]]
    studies, n = np.array([r["study"] for r in rows]), len(alone.ids)
    fits: dict[str, Any] = {}
    for left_out in ("nothing", "every challenge", *dict.fromkeys(studies)):
        out = studies == left_out if left_out in studies else np.full(len(rows), left_out == "every challenge")
        keep = np.concatenate([np.ones(n), 1.0 - out])
        draws, told = _sample(table, keep, LEFT_CHAINS if left_out in studies else CHAINS)
        fits[left_out] = (draws, np.median(draws["block"], axis=0))
        print(f"without {left_out}: {told}", flush=True)
    value, side = table.arrays["block_value"], table.arrays["block_side"]
    apart = np.array([fits[study][1][k] for k, study in enumerate(studies)])
    print("block: observed, agonists alone, joint, without its study")
    for k, row in enumerate(rows):
        said = [fits[name][1][k] for name in ("every challenge", "nothing")]
        print(f"  {row['id']:22s} {row['bound']:9s} {value[k]:.2f}   {said[0]:.2f}  {said[1]:.2f}  {apart[k]:.2f}")
    first, second = (
        float(np.sqrt(np.mean(errors_of(b, value, side) ** 2))) for b in (fits["every challenge"][1], apart)
    )
    numbers = _numbers(fits["nothing"][0])
    seen_, weight = seen(alone)
    typical = [float(np.sqrt(np.mean(((seen_ - today(alone, m)) / weight) ** 2))) for m in ({}, numbers)]
    for what, (a, b) in (("(a) challenges, study left out", (first, second)), ("(b) agonists alone, typical", typical)):
        print(f"{what}: {a:.2f} to {b:.2f} SD, {b / a - 1.0:+.1%}")
    better = second <= _WANTED[0] * first and typical[1] <= _WANTED[1] * typical[0]
    print(f"default by the rule: step {'C' if better else 'A'}")
    if "--write" in arguments:
        write_numbers(
            [Fitted(drug=owner, name=name, value=v) for (owner, _, name), v in
             ((label.partition("."), v) for label, v in numbers.items())], key=JOINT,
        )  # fmt: skip
        return 0
    bad, stored, values = 0, Overrides.of({RIVALS: JOINT}, load()), Values(load())
    for label, now in numbers.items():
        wrong = abs(stored[label] - now) > 0.005 * abs(stored[label])
        bad += wrong
        print(f"  {label:50s} {values.typical(*label.split('.', 1)):9.4g} {now:9.4g}{'  DIFFERS' if wrong else ''}")
    print(f"{bad} values differ")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
