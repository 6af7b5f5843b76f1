"""Records of effects and of the mechanisms of adaptation (``data/effects.toml``, ``data/adaptation.toml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

import numpy as np

from schild.catalog.numbers import Copied, Names, read_numbers
from schild.catalog.reader import Table
from schild.evidence import Number

EffectForm: TypeAlias = Literal["fraction_left", "rise", "decrease", "resting"]
Drive: TypeAlias = Literal["activation", "response"]
#: What each form of an effect needs beside reserve, slope and noise.
_NEEDS = {
    "fraction_left": (), "rise": ("range",), "decrease": ("baseline", "range"),
    "resting": ("baseline", "pco2", "threshold"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One effect of receptor activation: reserve by receptor, slope of the transducer, scale of the output."""

    #: Identity; ``key`` is the name of the output
    key: str
    name: str
    unit: str
    #: ``fraction_left``: 1 - f. ``rise``: range x f. ``decrease``: baseline - range x f. ``resting``: breathing at
    #: rest, from ``baseline``, ``pco2`` and ``threshold``.
    form: EffectForm
    #: Numbers of the transducer's slope, and of the change that counts as none (in ``unit``)
    slope: Annotated[str, Names("1", 0.01)]
    noise: Annotated[str, Names("", 0.0)]
    reserve: Annotated[Mapping[str, str], Names("1", 0.0)] = field(
        default_factory=dict
    )  #: Receptor to the number of its reserve
    #: Further numbers, as ``form`` needs them
    baseline: Annotated[str | None, Names("")] = None
    range: Annotated[str | None, Names("", 0.0)] = None
    pco2: Annotated[str | None, Names("mmHg")] = None
    threshold: Annotated[str | None, Names("mmHg")] = None
    #: Number by which people, and studies, differ in the level that gives an effect: it multiplies every concentration
    #: that the receptor feels [1]
    sensitivity: Annotated[str | None, Names("1", 0.0)] = None
    #: Drug whose efficacy stands for a full agonist of the studies behind it: tolerance of breathing and the anchor of
    #: the rescue model speak of it
    reference_agonist: str | None = None
    #: Drug to the number by which its occupancy is amplified in this effect alone
    transduction: Annotated[Mapping[str, str], Names("1", 0.0)] = field(default_factory=dict)
    says: str = ""
    numbers: Mapping[str, Number] = field(default_factory=dict)  #: All numbers by name


@dataclass(frozen=True, slots=True, kw_only=True)
class LagState:
    """One adaptation state: names of its times [h], by which side of the drive it is on."""

    #: Numbers of the times of gain and loss while the drive is above the state, and while not
    gain_up: Annotated[str, Names("h")]
    gain_down: Annotated[str, Names("h")]
    loss_up: Annotated[str, Names("h")]
    loss_down: Annotated[str, Names("h")]
    saturates: bool = False  #: Whether it cannot pass one, in place of following the drive itself
    weight: Annotated[str | None, Names("1")] = None  #: Number of its weight in withdrawal; None keeps it out
    reference: Annotated[str | None, Names("1")] = None  #: Number of its steady value under morphine 120 mg a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Tolerance of one effect: the state that lowers its tau, and the number that says by how much."""

    state: str
    depth: Annotated[str, Names("1")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A state that follows withdrawal and changes what is felt of it: names of its time [h] and of its weight."""

    time: Annotated[str, Names("h")]
    weight: Annotated[str, Names("1")]
    #: Whether withdrawal beyond this state is what counts in addition (an acute reaction), and not the state itself
    beyond: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptation:
    """One of the rival mechanisms from activation to tolerance and withdrawal (docs/design/adaptation.md)."""

    key: str
    name: str
    #: What the states follow: ``activation`` (efficacy times occupancy), or ``response`` (a full response at one, with
    #: a reserve: the operational model)
    drive: Drive
    receptors: Annotated[
        Mapping[str, str], Names("1")
    ]  #: Receptor to the number that weighs it in the drive: a share, or a reserve
    tone: Annotated[str, Names("1")]  #: Number that weighs the endogenous agonist's occupancy against withdrawal
    states: Mapping[str, LagState]
    tolerance: Mapping[str, Tolerance]  #: By effect; effects without one are not tolerated, for want of data
    #: Numbers that turn the drive of withdrawal into a score
    slope: Annotated[str, Names("1", 0.01)]
    half: Annotated[str, Names("1", 0.0)]
    follower: Mapping[str, Follower] = field(default_factory=dict)  #: What follows withdrawal, by name
    default: bool = False  #: Whether runs use it unless they ask for another
    says: str = ""
    #: Numbers whose uncertainty is drawn together, and the correlations of their logarithms
    correlated: tuple[str, ...] = ()
    correlation: tuple[tuple[float, ...], ...] = ()
    numbers: Mapping[str, Number] = field(default_factory=dict)  #: All numbers by name


def read_effect(key: str, table: Table, copied: Copied) -> Effect:
    """Read one effect; a fault is named with file and line (CatalogueError)."""
    effect = table.record(Effect, key=key, numbers=read_numbers(table, key, copied))
    for name in _NEEDS[effect.form]:
        if getattr(effect, name) is None:
            raise table.fail(f"has form = {effect.form!r} and no {name!r}; that form needs it.", "form")
    return effect


def read_adaptation(key: str, table: Table, copied: Copied) -> Adaptation:
    """Read one mechanism of adaptation; a fault is named with file and line (CatalogueError)."""
    states = {name: inner.record(LagState) for name, inner in table.named("state").items()}
    tolerance = {}
    for name, inner in table.named("tolerance").items():
        tolerance[name] = inner.record(Tolerance)
        if tolerance[name].state not in states:
            raise inner.fail(f"names a state {tolerance[name].state!r} that is not there.", "state")
    numbers = read_numbers(table, key, copied)
    names = table.texts("correlated")
    for name in names:
        if name not in numbers:
            raise table.fail(f"correlates {name!r}, which is not a number of it.", "correlated")
    matrix = table.array("correlation", (len(names), len(names)), np.eye(len(names)))
    if names and np.linalg.eigvalsh(matrix).min() <= 0:
        raise table.fail("has a correlation that is not positive definite; lower its correlations.", "correlation")
    follower = {name: inner.record(Follower) for name, inner in table.named("follower").items()}
    return table.record(
        Adaptation, key=key, follower=follower, states=states, tolerance=tolerance, numbers=numbers,
        correlated=names, correlation=tuple(tuple(map(float, row)) for row in matrix),
    )  # fmt: skip
