"""Virtual people of the rescue model: draws with the moments of the published population."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from schild.array_types import Floats
from schild.catalog import load
from schild.catalog.rescue import JointNormal
from schild.engine.streams import normals
from schild.overdose.parameters import record
from schild.people import Values
from schild.pharmacology.physiology import Record


def draw(spread: JointNormal, people: int, seed: int) -> dict[str, Floats]:
    """Draw people from one distribution.

    ``spread``: moments on the log scale; ``people``: their number; person 7 is the same in any number of people;
    ``seed``: runs with the same seed have the same people. Returns values by name, each of shape (people,).

    Correlations are printed to three digits, so a matrix may have slightly negative eigenvalues, which are set to zero.

    >>> from schild.catalog import load
    >>> binding = draw(load().rescue_spreads["fentanyl_binding"], 2000, 1)
    >>> round(float(np.corrcoef(np.log(binding["ec50"]), binding["n"])[0, 1]), 1)
    -0.4
    """
    z = np.array([normals(seed, f"rescue.{spread.key}.{name}", 0, people) for name in spread.names])
    values, vectors = np.linalg.eigh(spread.correlation)
    z = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T @ z
    drawn = {}
    for k, name in enumerate(spread.names):
        if name in spread.plain:
            drawn[name] = spread.centre[k] + spread.sd[k] * z[k]
        else:
            drawn[name] = spread.centre[k] * np.exp(spread.sd[k] * z[k])
    return drawn | {name: np.minimum(drawn[name], cap) for name, cap in spread.cap.items()}


def _binding(spread: JointNormal, people: int, seed: int) -> dict[str, Floats]:
    """Association, dissociation and exponent from half-effective concentration [pM], dissociation and exponent."""
    drawn = draw(spread, people, seed)
    return {"k_on": drawn["k_off"] / drawn["ec50"] ** drawn["n"], "k_off": drawn["k_off"], "n": drawn["n"]}


def _around(key: str, values: Values | None, **drawn: Floats) -> Record:
    """A group of numbers with the people drawn, shifted to typical values that are given in the catalogue's place."""
    given, typical, moved = record(key, values), record(key), {}
    for name, people in drawn.items():
        ours, theirs = getattr(given, name), getattr(typical, name)
        moved[name] = people if ours == theirs else people * (ours / theirs)
    return replace(given, **moved)


def opioid_people(key: str, people: int, seed: int, values: Values | None = None) -> Record:
    """Draw an opioid's kinetics and binding.

    ``key``: ``fentanyl``, or another opioid of the spread of its kinetics (``others``), such as ``carfentanil``;
    ``people`` and ``seed``: as for `draw`. Returns arrays of shape (people,).

    >>> opioid_people("fentanyl", 3, 1).k_el.shape
    (3,)
    """
    spreads = (load() if values is None else values.catalogue).rescue_spreads
    pk = draw(spreads["fentanyl_pk"], people, seed)
    factor = defaultdict(lambda: 1.0, spreads["fentanyl_pk"].others.get(key, {}))
    return _around(
        key,
        values,
        volume=pk["v1"],
        k_el=factor["k_el"] * pk["cl"] / pk["v1"],
        k12=pk["q2"] / pk["v1"],
        k21=factor["k21"] * pk["q2"] / pk["v2"],
        k13=factor["k13"] * pk["q3"] / pk["v1"],
        k31=factor["k31"] * pk["q3"] / pk["v3"],
        **_binding(spreads[f"{key}_binding"], people, seed),
    )


def naloxone_people(way: str, people: int, seed: int, values: Values | None = None) -> tuple[Record, Record]:
    """Draw naloxone's binding and its kinetics by one route.

    ``way``: ``in_4mg``, ``im_generic``, ``im_evzio`` or ``iv``; ``people`` and ``seed``: as for `draw`. Returns arrays
    of shape (people,) where the reference varies something.

    >>> binding, spray = naloxone_people("in_4mg", 5, 1)
    >>> bool((spray.f <= 0.9).all())
    True
    """
    spreads = (load() if values is None else values.catalogue).rescue_spreads
    binding = _binding(spreads["naloxone_binding"], people, seed)
    return _around("naloxone", values, **binding), _around(way, values, **draw(spreads[way], people, seed))
