"""Records of numbers for the physiological relations, filled from the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, make_dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from schild.catalog import load
from schild.errors import InputError, UnknownNameError
from schild.people import Values
from schild.pharmacology.physiology import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Physiology:
    """All numbers of one physiology; every field is a number or an array of people.

    >>> published().lung.shunt
    0.024
    """

    lung: Record
    gas: Record
    tissue: Record
    flow: Record
    reflex: Record
    drive: Record
    collapse: Record
    start: Record
    clock: Record
    hazard: Record


@cache
def _kind(prefix: str, names: tuple[str, ...]) -> type[Record]:
    return make_dataclass(prefix.capitalize(), names, frozen=True, slots=True, kw_only=True)


def record(prefix: str, values: Values | None = None) -> Record:
    """Return all numbers of one group of the catalogue: of a part of the body, a drug, a route of naloxone.

    ``values``: numbers of a run; those of the catalogue by default. Raises UnknownNameError for another group.

    >>> record("protocol").gap, record("fentanyl").n, record("in_4mg").f_rapid
    (150.0, 0.8439, 0.165)
    """
    values = Values(load()) if values is None else values
    pairs = [name.partition(".") for name in values.catalogue.numbers_of("rescue")]
    names = tuple(name for head, _, name in pairs if head == prefix)
    if not names:
        raise UnknownNameError("group of numbers of the published rescue model", prefix, {head for head, _, _ in pairs})
    return _kind(prefix, names)(**{name: values.typical("rescue", f"{prefix}.{name}") for name in names})


def into_vein(route: Record | None) -> bool:
    """Whether the kinetics of naloxone are those of a dose into a vein; others have transit steps."""
    return hasattr(route, "infusion")


def mapped(record: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a function to the fields of a record that are arrays of people; None is kept."""
    if record is None:
        return None
    values = {entry.name: getattr(record, entry.name) for entry in fields(record)}
    return replace(record, **{name: change(value) for name, value in values.items() if np.ndim(value) == 1})


@lru_cache(maxsize=1)
def _published() -> Physiology:
    return published(Values(load()))


def published(values: Values | None = None) -> Physiology:
    """Return the published physiology: a typical adult at sea level.

    Returns every number from the catalogue.

    >>> round(60 * (published().flow.brain + published().flow.tissue), 6)
    5.0
    """
    if values is None:
        return _published()
    return Physiology(**{part.name: record(part.name, values) for part in fields(Physiology)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """Peculiarities of the reference. All off by default; all on in `REPRODUCTION`.

    One is left out, because it does not affect reported results: the reference sets states below 1e-9 to zero.
    """

    #: Drug concentrations rise up to twofold at high flow, and naloxone's mass is then not conserved
    flow_scales_concentration: bool = False
    #: A later spray changes the bioavailability of the remainder of earlier ones in the nose. Off: each spray keeps its
    #: own.
    depot_takes_new_bioavailability: bool = False
    #: A dose into a vein is 101 pulses of a hundredth over 10 s, which is 1 % too much. Off: the dose over 10 s.
    iv_pulses: bool = False
    arrest_on_grid: bool = False  #: Severe hypoxia begins at a point of a grid of 0.1 s. Off: at the exact time.
    present_value_before_start: bool = False  #: Lags that reach before time 0 read the present, not the value at time 0
    no_lag_at_low_flow: bool = False  #: Lags are zero below 0.98 L/min. Off: they keep their value there.


#: Peculiarities with which the published results were computed.
REPRODUCTION = Quirks(**{entry.name: True for entry in fields(Quirks)})


def scaled(
    physiology: Physiology,
    *,
    weight_kg: Any = None,
    age_years: Any = None,
    altitude_m: Any = 0.0,
    shunt: Any = None,
    dead_space_share: Any = None,
    values: Values | None = None,
) -> Physiology:
    """Change a physiology for weight, age, altitude and lung disease. Assumed: the reference varies none of it.

    ``physiology``: for 70 kg at sea level; ``weight_kg``: volumes in proportion, the brain excepted; metabolism, flow
    and ventilation by the power 3/4; ``age_years``: from 35 on, chemoreflex gains fall by 0.5 % a year, at most by
    half. ``altitude_m``: pressure falls exponentially; inspired oxygen is its share of the pressure without water
    vapour, 0 to 6000 [m]. ``shunt``: share of blood that passes the lung without gas exchange: pneumonia, oedema [1].
    ``dead_space_share``: share of ventilation in dead space: obstructive disease. The reference has 0.34 [1]. The
    result needs a warm-up, as its baseline differs. Raises InputError if a value lies outside the range of the scaling.

    >>> high = scaled(published(), altitude_m=3000.0)
    >>> round(float(high.lung.inspired_o2), 1)
    98.8
    """
    rule = record("scaling", values)
    wasted = 1.0 - physiology.drive.alveolar_share
    checks: tuple[tuple[str, Any, float, float], ...] = (
        ("weight_kg", rule.weight if weight_kg is None else weight_kg, 30.0, 250.0),
        ("age_years", rule.age if age_years is None else age_years, 16.0, 110.0),
        ("altitude_m", altitude_m, 0.0, 6000.0),
        ("shunt", physiology.lung.shunt if shunt is None else shunt, 0.0, 0.5),
        ("dead_space_share", wasted if dead_space_share is None else dead_space_share, 0.1, 0.8),
    )
    for name, value, low, high in checks:
        if not np.all((np.asarray(value) >= low) & (np.asarray(value) <= high)):
            raise InputError(f"{name} is {value}; expected {low:g} to {high:g}.")
    mass = np.asarray(rule.weight if weight_kg is None else weight_kg) / rule.weight
    rate = mass**rule.rate_exponent
    pressure = rule.pressure * np.exp(-np.asarray(altitude_m) / rule.height)
    inspired = physiology.lung.inspired_o2 * (pressure - rule.water) / (rule.pressure - rule.water)
    years = np.asarray(rule.age if age_years is None else age_years) - rule.age
    old = 1.0 - np.clip(rule.age_slope * years, 0.0, 1.0 - rule.age_floor)
    lung, tissue, flow, reflex = physiology.lung, physiology.tissue, physiology.flow, physiology.reflex
    drive, collapse = physiology.drive, physiology.collapse
    share = drive.alveolar_share if dead_space_share is None else 1.0 - np.asarray(dead_space_share)
    return replace(
        physiology,
        lung=replace(
            lung, volume=lung.volume * mass, inspired_o2=inspired, shunt=lung.shunt if shunt is None else shunt
        ),
        tissue=replace(
            tissue,
            volume_tissue=(tissue.volume_brain + tissue.volume_tissue) * mass - tissue.volume_brain,
            co2_tissue=(tissue.co2_brain + tissue.co2_tissue) * rate - tissue.co2_brain,
            o2_tissue=(tissue.o2_brain + tissue.o2_tissue) * rate - tissue.o2_brain,
        ),
        flow=replace(flow, tissue=(flow.brain + flow.tissue) * rate - flow.brain, q_ref=flow.q_ref * rate),
        reflex=replace(
            reflex,
            lag_peripheral=reflex.lag_peripheral * mass,
            lag_central=reflex.lag_central * mass,
            gain_peripheral=reflex.gain_peripheral * rate * old,
            gain_central=reflex.gain_central * rate * old,
        ),
        drive=replace(drive, wake=drive.wake * rate, wake_max=drive.wake_max * rate, alveolar_share=share),
        collapse=replace(
            collapse,
            taper_high=collapse.taper_high * rate,
            taper_low=collapse.taper_low * rate,
            arrest_flow=collapse.arrest_flow * rate,
        ),
    )
