"""Kinetics and binding of the reference's drugs, and regimens of its antagonist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schild.catalog import load
from schild.errors import InputError
from schild.overdose.parameters import group, record
from schild.people import Values
from schild.pharmacology.physiology import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Transit:
    """A spray or an injection: bioavailability, two transit steps [1/s], volumes [mL], clearances [mL/s]."""

    f: Any
    k_tr: Any
    k_in: Any
    v1: Any
    cl: Any
    q: Any
    v2: Any
    f_third: Any = 0.0
    f_rapid: Any = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vein:
    """A dose into a vein: three compartments, rate constants [1/s], ``volume`` [L], length of the infusion [s]."""

    k_el: Any
    k12: Any
    k21: Any
    k13: Any
    k31: Any
    volume: Any
    infusion: Any
    pulses: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """One dose of the antagonist."""

    after_s: float  #: Seconds after the first dose
    amount_ng: float
    bioavailability: str = "f"  #: Number of the route it is absorbed with: ``f``, ``f_third`` or ``f_rapid``


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescue:
    """An antagonist regimen of the reference."""

    key: str  #: Name in the published tables
    route: str  #: ``none``, ``in_4mg``, ``im_generic``, ``im_evzio`` or ``iv``: a group of numbers of the catalogue
    doses: tuple[Dose, ...]


def _rescue(key: str, route: str, *doses: tuple[float, float, str]) -> Rescue:
    # Time [s], amount [mg] and bioavailability of each dose.
    return Rescue(
        key=key, route=route, doses=tuple(Dose(after_s=t, amount_ng=1e6 * mg, bioavailability=f) for t, mg, f in doses)
    )


#: Regimens of the published tables, by their names.
REGIMENS = {
    entry.key: entry
    for entry in (
        _rescue("none", "none"),
        _rescue("IN4mg_x1", "in_4mg", (0, 4, "f")),
        _rescue("IN4mg_x2_150s", "in_4mg", (0, 4, "f"), (150, 4, "f")),
        _rescue("IN4mg_x3_150s", "in_4mg", (0, 4, "f"), (150, 4, "f"), (300, 4, "f_third")),
        _rescue("IN4mg_x4_150s", "in_4mg", (0, 4, "f"), (150, 4, "f"), (300, 4, "f_third"), (450, 4, "f_third")),
        _rescue("IN4mg_2rapid", "in_4mg", (0, 8, "f")),
        _rescue("IN4mg_4rapid", "in_4mg", (0, 8, "f"), (150, 8, "f_rapid")),
        _rescue("IM2mg_generic", "im_generic", (0, 2, "f")),
        _rescue("IM2mg_EVZIO", "im_evzio", (0, 2, "f")),
        *(_rescue(f"IV{mg:g}mg", "iv", (0, mg, "f")) for mg in (0.04, 0.5, 1.0, 2.0, 4.0, 10.0)),
    )
}


def opioid(key: str, values: Values | None = None) -> Record:
    """Return the typical opioid of the reference: kinetics and binding at mu, with units as the catalogue has them.

    ``key``: ``"fentanyl"`` or ``"carfentanil"``. Raises InputError if the reference has no such opioid.

    >>> opioid("fentanyl").n
    0.8439
    """
    if f"{key}.k_on" not in load().rescue or key == "naloxone":
        raise InputError(f"The published rescue model has no opioid {key!r}; expected fentanyl or carfentanil.")
    return record(key, values)


def naloxone(values: Values | None = None) -> Record:
    """Return the typical naloxone at the effect site and at mu; ``values`` are the numbers of a run.

    >>> naloxone().k_off
    0.03959
    """
    return record("naloxone", values)


def route(key: str, values: Values | None = None) -> Transit | Vein | None:
    """Return the typical kinetics of a route of naloxone.

    ``key``: ``none``, ``in_4mg``, ``im_generic``, ``im_evzio`` or ``iv``.

    >>> route("in_4mg").f_rapid
    0.165
    """
    if key == "none":
        return None
    if key in ("in_4mg", "im_generic", "im_evzio", "iv"):
        return group(Vein, key, values) if key == "iv" else group(Transit, key, values)
    raise InputError(f"The route is {key!r}; expected none, in_4mg, im_generic, im_evzio or iv.")
