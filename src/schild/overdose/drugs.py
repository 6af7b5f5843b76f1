"""Kinetics and binding of the reference's drugs, and regimens of its antagonist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schild.catalog import load
from schild.errors import InputError, UnknownNameError
from schild.overdose.parameters import group
from schild.people import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Opioid:
    """An opioid given into a vein: rate constants [1/s], ``volume`` [L], ``molar_mass`` [g/mol], binding at mu.

    Fields are numbers or arrays of people; ``k_on`` is in 1/s per pM to the power ``n``.
    """

    k_el: Any
    k12: Any
    k21: Any
    k13: Any
    k31: Any
    k_e0: Any
    volume: Any
    molar_mass: Any
    k_on: Any
    k_off: Any
    n: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The antagonist at its effect site and at mu: ``k_e0`` [1/s], ``molar_mass`` [g/mol], binding as for `Opioid`."""

    k_e0: Any
    molar_mass: Any
    k_on: Any
    k_off: Any
    n: Any


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
    f_third: Any = None
    f_rapid: Any = None


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
    """One dose of the antagonist.

    Parameters
    ----------
    after_s : float
        Seconds after the first dose.
    amount_ng : float
        Amount given.
    bioavailability : str
        ``f``, ``f_third`` or ``f_rapid``: which number of the route this dose is absorbed with.
    """

    after_s: float
    amount_ng: float
    bioavailability: str = "f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescue:
    """An antagonist regimen of the reference."""

    key: str  #: As the published tables name it
    route: str  #: ``none``, ``in_4mg``, ``im_generic``, ``im_evzio`` or ``iv``: a group of numbers of the catalogue
    doses: tuple[Dose, ...]


def _sprays(key: str, *doses: tuple[float, float, str]) -> Rescue:
    return Rescue(
        key=key, route="in_4mg", doses=tuple(Dose(after_s=t, amount_ng=a, bioavailability=f) for t, a, f in doses)
    )


_MG = 1e6
_REGIMENS = {
    entry.key: entry
    for entry in (
        Rescue(key="none", route="none", doses=()),
        _sprays("IN4mg_x1", (0.0, 4 * _MG, "f")),
        _sprays("IN4mg_x2_150s", (0.0, 4 * _MG, "f"), (150.0, 4 * _MG, "f")),
        _sprays("IN4mg_x3_150s", (0.0, 4 * _MG, "f"), (150.0, 4 * _MG, "f"), (300.0, 4 * _MG, "f_third")),
        _sprays(
            "IN4mg_x4_150s",
            (0.0, 4 * _MG, "f"),
            (150.0, 4 * _MG, "f"),
            (300.0, 4 * _MG, "f_third"),
            (450.0, 4 * _MG, "f_third"),
        ),
        _sprays("IN4mg_2rapid", (0.0, 8 * _MG, "f")),
        _sprays("IN4mg_4rapid", (0.0, 8 * _MG, "f"), (150.0, 8 * _MG, "f_rapid")),
        Rescue(key="IM2mg_generic", route="im_generic", doses=(Dose(after_s=0.0, amount_ng=2 * _MG),)),
        Rescue(key="IM2mg_EVZIO", route="im_evzio", doses=(Dose(after_s=0.0, amount_ng=2 * _MG),)),
        *(
            Rescue(key=f"IV{mg:g}mg", route="iv", doses=(Dose(after_s=0.0, amount_ng=mg * _MG),))
            for mg in (0.04, 0.5, 1.0, 2.0, 4.0, 10.0)
        ),
    )
}


def regimen(key: str) -> Rescue:
    """Find a regimen of the published tables.

    ``key``: e.g. ``"IN4mg_x2_150s"``. Raises UnknownNameError if there is none.

    >>> [dose.bioavailability for dose in regimen("IN4mg_4rapid").doses]
    ['f', 'f_rapid']
    """
    if key not in _REGIMENS:
        raise UnknownNameError("regimen", key, _REGIMENS)
    return _REGIMENS[key]


def regimens() -> tuple[str, ...]:
    """Return the names of all regimens of the published tables.

    >>> regimens()[:2]
    ('none', 'IN4mg_x1')
    """
    return tuple(_REGIMENS)


def opioid(key: str, values: Values | None = None) -> Opioid:
    """Return the reference's typical opioid.

    ``key``: ``"fentanyl"`` or ``"carfentanil"``. Raises InputError if the reference has no such opioid.

    >>> opioid("fentanyl").n
    0.8439
    """
    if f"{key}.k_on" not in load().rescue or key == "naloxone":
        raise InputError(f"The published rescue model has no opioid {key!r}; expected fentanyl or carfentanil.")
    return group(Opioid, key, values=values)


def naloxone(values: Values | None = None) -> Binding:
    """Return the typical naloxone at the effect site and at mu; ``values`` are the numbers of a run.

    >>> naloxone().k_off
    0.03959
    """
    return group(Binding, "naloxone", values=values)


def route(key: str, values: Values | None = None) -> Transit | Vein | None:
    """Return the typical kinetics of a route of naloxone.

    ``key``: ``none``, ``in_4mg``, ``im_generic``, ``im_evzio`` or ``iv``.

    >>> route("in_4mg").f_rapid
    0.165
    """
    if key == "none":
        return None
    if key == "iv":
        return group(Vein, "iv", values=values)
    if key == "in_4mg":
        return group(Transit, key, values=values)
    if key in ("im_generic", "im_evzio"):
        return group(Transit, key, {"f_third": 0.0, "f_rapid": 0.0}, values)
    raise InputError(f"The route is {key!r}; expected none, in_4mg, im_generic, im_evzio or iv.")
