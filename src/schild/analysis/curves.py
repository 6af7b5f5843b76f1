"""Agonist curves of the model itself, over concentration divided by dissociation constant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.analysis.fit import schild_fit
from schild.analysis.fit_result import SchildFit
from schild.array_types import Floats
from schild.catalog import Catalogue, Drug, load
from schild.errors import InputError
from schild.figures import Picture
from schild.people import Given, Values
from schild.pharmacology.binding import competitive_occupancy, kinetic_occupancy
from schild.results import Shown, versions
from schild.units import TimeLike, format_hours, hours

if TYPE_CHECKING:
    import pandas as pd

#: Antagonist concentrations over Kd at which equilibrium is shown.
LEVELS = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0)

#: Steps of a contact; the antagonist's concentration is constant within one.
STEPS = 60

#: Default length of a challenge.
CONTACT = "30 min"

_AGONISTS = ("agonist", "partial agonist", "metabolite", "prodrug")


#: Largest number of curves besides the one without antagonist.
MAX_CURVES = 50


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ModelCurves(Shown):
    """Agonist curves at several antagonist levels.

    Examples
    --------
    >>> curves = model_curves("naltrexone", agonist="morphine")
    >>> fit = curves.fit()
    >>> round(fit["slope"].value, 6), abs(round(fit["pa2"].value, 6))
    (1.0, 0.0)
    """

    title: str
    kind: str  #: ``"equilibrium"`` or ``"challenge"``
    antagonist: str
    agonist: str
    receptor: str
    labels: tuple[str, ...]  #: Name of each curve
    #: Antagonist at the receptor, free concentration over Kd, summed over competing species [1]; shape (n_curves,)
    load: Floats
    agonist_load: Floats  #: Agonist at the receptor, free concentration over Kd [1]; shape (n_agonist,)
    #: Occupancy by the agonist [1]; shape (n_curves, n_agonist)
    response: Floats
    says: str
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    catalogue: Catalogue | None = None
    warnings: tuple[str, ...] = ()

    @property
    def maxima(self) -> Floats:
        """Response to the highest agonist load relative to that without antagonist. [1]"""
        return np.asarray(self.response[:, -1] / self.response[0, -1])

    @property
    def surmountable(self) -> bool:
        """Whether every curve reaches the maximum without antagonist, to 2 %."""
        return bool(np.min(self.maxima) > 0.98)

    def fit(self) -> SchildFit:
        """Fit the Gaddum/Schild equation to these curves.

        The curves have no noise: estimates are those of an ideal experiment, and limits have no meaning.

        Returns
        -------
        SchildFit
            Loads are over Kd, so simple competition gives pA2 = 0 and slope 1.
        """
        n = len(self.agonist_load)
        return schild_fit(
            {
                "antagonist": np.repeat(self.load, n),
                "agonist": np.tile(self.agonist_load, len(self.load)),
                "response": self.response.ravel(),
                "curve": np.repeat(np.array(self.labels), n),
            },
            antagonist_unit="Kd",
            agonist_unit="Kd",
            bottom=0.0,
            title=self.title,
        )

    def about(self) -> str:
        """Describe the result in one line."""
        return f"{', '.join(self.title.splitlines())}; {len(self.labels)} curves. {self.says}"

    def summary(self) -> dict[str, Any]:
        """Return the maximum and the half response of each curve."""
        rows = []
        for label, b, y, top in zip(self.labels, self.load, self.response, self.maxima, strict=True):
            half = float(10 ** np.interp(0.5 * y[-1], y, np.log10(self.agonist_load))) if y[-1] > 0 else None
            rows.append({"curve": label, "antagonist_over_kd": float(b), "maximum": float(top), "half_at": half})
        return {"kind": self.kind, "says": self.says, "curves": rows}

    def to_frame(self) -> pd.DataFrame:
        """Return one row per curve and agonist load."""
        import pandas as pd

        n = len(self.agonist_load)
        return pd.DataFrame(
            {
                "curve": np.repeat(np.array(self.labels), n),
                "antagonist_over_kd": np.repeat(self.load, n),
                "agonist_over_kd": np.tile(self.agonist_load, len(self.load)),
                "response": self.response.ravel(),
            }
        )

    def picture(self) -> Picture:
        """Chart of the curves over the agonist's C/Kd."""
        from schild.analysis.plot import draw_curves

        return draw_curves(self)

    def content(self) -> dict[str, Any]:
        """Return what the JSON object has beside manifest, warnings and citations."""
        return {**self.summary(), "agonist_over_kd": self.agonist_load.tolist(), "response": self.response.tolist()}


def model_curves(
    antagonist: str,
    *,
    agonist: str,
    receptor: str = "mor",
    levels: Sequence[float] = LEVELS,
    at: Sequence[TimeLike] = (),
    contact: TimeLike = CONTACT,
    structure: str | None = None,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
) -> ModelCurves:
    """Agonist curves under an antagonist, at equilibrium or in a challenge.

    Parameters
    ----------
    antagonist : str
        A drug (equilibrium at ``levels``), or a regimen such as ``"naltrexone 50 mg po"`` (challenges ``at`` times
        after its first dose).
    agonist : str
        Drug whose binding kinetics are used, such as morphine.
    receptor : str
        ``mor``, ``kor`` or ``dor``.
    levels : sequence of float
        Antagonist concentrations over Kd; 0 is always added. [1]
    at : sequence of str or float
        Times of the challenges after the first dose.
    contact : str or float
        Time of the agonist at the receptor before the response is read.
    structure : str, optional
        Rival mechanism between plasma and receptor, for a regimen.
    catalogue : Catalogue, optional
        Another catalogue than the built-in one.
    overrides : mapping, optional
        Numbers in place of the catalogue's, as for ``simulate``.

    Returns
    -------
    ModelCurves
        The first curve is without antagonist.

    Raises
    ------
    UnknownNameError
        For an unknown drug or receptor.
    InputError
        For options that exclude each other, or values out of range.

    Notes
    -----
    Equilibrium is Gaddum's equation for any number of ligands. In a challenge the agonist jumps to a constant load for
    ``contact`` while the antagonist follows its own course: the run gives the antagonist's occupancy at the start and
    its concentration during the contact, and binding, which is linear at constant concentrations, is stepped by
    matrix exponentials. Where the antagonist dissociates slowly compared with the contact, the maximum falls. Agonists
    are drawn over C/Kd only; no dose is computed.

    Examples
    --------
    >>> found = model_curves("naltrexone 50 mg po", agonist="morphine", at=["24 h"], structure="slow_receptor")
    >>> found.labels, bool(found.maxima[1] < 0.9)
    (('without', '24 h'), True)
    """
    values = Values(catalogue or load(), overrides=overrides)
    catalogue = values.catalogue
    catalogue.receptor(receptor)
    drug = _agonist(catalogue, agonist, receptor)
    for many, what in ((levels, "levels"), (at, "times of a challenge")):
        if len(many) > MAX_CURVES:
            raise InputError(f"{len(many):,} {what} were given; expected at most {MAX_CURVES}. Choose fewer.")
    grid = np.logspace(-2, 5, 57)
    if " " in antagonist.strip():
        if tuple(levels) != LEVELS:
            raise InputError(
                f"Levels were given, but in {antagonist!r} the level is that of the regimen at each time; expected "
                "times. Leave the levels out, or name a drug alone."
            )
        return _challenge(values, antagonist, drug, receptor, at, hours(contact), grid, structure)
    if at or structure is not None or contact != CONTACT:
        raise InputError(
            f"Times, a contact or a structure were given, but {antagonist!r} is a drug and no regimen; expected a "
            f"regimen such as '{antagonist} 50 mg po'. Add amount and route, or leave times, contact and structure out."
        )
    return _equilibrium(values, antagonist, drug, receptor, levels, grid)


def _agonist(catalogue: Catalogue, name: str, receptor: str) -> Drug:
    drug = catalogue.drug(name)
    binding = drug.binding.get(receptor)
    if drug.role not in _AGONISTS or binding is None or binding.koff is None or binding.efficacy is None:
        raise InputError(
            f"{drug.name} ({drug.role}) has no binding as an agonist at {receptor} in the catalogue; expected a drug "
            "that activates this receptor itself, such as morphine. Choose one (`schild drugs` lists them)."
        )
    return drug


def _antagonist(catalogue: Catalogue, name: str) -> Drug:
    drug = catalogue.drug(name)
    if drug.role != "antagonist":
        raise InputError(
            f"{drug.name} has the role {drug.role}; expected an antagonist, such as naltrexone. Choose one."
        )
    return drug


def _equilibrium(
    values: Values,
    antagonist: str,
    agonist: Drug,
    receptor: str,
    levels: Sequence[float],
    grid: Floats,
) -> ModelCurves:
    catalogue = values.catalogue
    drug = _antagonist(catalogue, antagonist)
    if receptor not in drug.binding:
        raise InputError(
            f"{drug.name} does not bind to {receptor} in the catalogue; expected {', '.join(drug.binding)}."
        )
    if odd := [level for level in levels if level and not 1e-9 <= level <= 1e9]:
        raise InputError(f"A level is {odd[0]!r}; expected C/Kd of 0, or from 1e-9 to 1e9. Correct it.")
    load = np.array(sorted({0.0, *map(float, levels)}))
    a, b = np.broadcast_arrays(grid, load[:, None])
    # Concentrations are relative to Kd, so every Kd is 1.
    occupancy = competitive_occupancy(np.stack([a, b], axis=-1), np.ones(2))[..., 0]
    return ModelCurves(
        title=f"{agonist.name} under {drug.name}, {receptor}, at equilibrium",
        kind="equilibrium",
        antagonist=drug.key,
        agonist=agonist.key,
        receptor=receptor,
        labels=tuple("without" if b == 0 else f"{b:g} x Kd" for b in load),
        load=load,
        agonist_load=grid,
        response=occupancy,
        says="Equilibrium: the curves shift in parallel and keep their maximum.",
        sources={},
        manifest={
            **versions("scipy"), "antagonist": drug.key, "agonist": agonist.key, "receptor": receptor,
            "catalogue": {drug.key: drug.digest, agonist.key: agonist.digest}, **catalogue.stamp,
        },
        catalogue=catalogue,
        warnings=tuple(values.uses.unused(values.overrides)),
    )  # fmt: skip


def _challenge(
    values: Values,
    regimen: str,
    agonist: Drug,
    receptor: str,
    at: Sequence[TimeLike],
    contact_h: float,
    grid: Floats,
    structure: str | None,
) -> ModelCurves:
    from schild.simulation import Run, model_of, simulate_run

    catalogue, given = values.catalogue, values.overrides
    times = [hours(time) for time in at]
    if not times:
        raise InputError("No time of a challenge was given; expected some, such as 8 h and 24 h. Give them with at.")
    if min(times) < 0:
        raise InputError(f"A challenge at {min(times):g} h lies before the run; expected 0 h or later. Correct it.")
    if contact_h <= 0:
        raise InputError(f"The contact is {contact_h:g} h; expected above 0. Give one such as '30 min'.")
    until = max(times) + contact_h
    every = f"{max(until / 20000, 1 / 60)!r} h"
    run = Run.of(regimen, until=f"{until!r} h", every=every, receptors=[receptor], tone=False, structure=structure)
    built = model_of(run, catalogue=catalogue, overrides=given)
    for dose in run.doses:
        if dose.drug is not None:
            _antagonist(catalogue, dose.drug)
    # The grid holds the start of each challenge and the middles of its steps.
    edges = np.linspace(0.0, contact_h, STEPS + 1)
    result = simulate_run(run, catalogue=catalogue, overrides=given, plain_grid=True, uses=values.uses)
    species = [x.species for r in built.spec.receptors if r.name == receptor for x in r.ligands]
    p = built.parameters
    kd, koff = (np.array([float(np.ravel(p[f"{receptor}.{s}.{name}"])[0]) for s in species]) for name in ("kd", "koff"))
    own = values.typical(agonist.key, str(agonist.binding[receptor].koff))
    rates = np.array([own, *koff])
    loads, curves = [0.0], []
    rest = np.zeros(len(species))
    curves.append(_contact(grid, np.zeros((STEPS, len(species))), rates, rest, contact_h))
    for time in times:
        free = np.array([[_at(result[f"free_{s}"], time + t) for s in species] for t in 0.5 * (edges[1:] + edges[:-1])])
        start = np.array([_at(result[f"{receptor}_occupancy_{s}"], time) for s in species])
        curves.append(_contact(grid, free / kd, rates, start, contact_h))
        loads.append(float(np.sum(free[-1] / kd)))
    response = np.stack(curves)
    fall = 1.0 - float(np.min(response[1:, -1]) / response[0, -1])
    says = (
        f"After {format_hours(contact_h)} of contact the curves shift and keep their maximum (to {100 * fall:.1f} %)."
        if fall < 0.02
        else f"After {format_hours(contact_h)} of contact the maximum falls by up to {100 * fall:.0f} %: part "
        "of the receptors is still occupied by the antagonist."
    )
    return ModelCurves(
        title=f"{agonist.name} after {regimen}, {receptor}, {format_hours(contact_h)} of contact"
        + (f"\n{structure.replace('_', ' ')}" if structure else ""),
        kind="challenge",
        antagonist=regimen,
        agonist=agonist.key,
        receptor=receptor,
        labels=("without", *(format_hours(time) for time in times)),
        load=np.array(loads),
        agonist_load=grid,
        response=response,
        says=says,
        sources=result.sources,
        manifest={**result.manifest, "agonist": agonist.key, "at_h": times, "contact_h": contact_h},
        catalogue=catalogue,
        warnings=(*result.warnings, *values.uses.unused(given)),
    )


def _at(output: Any, time: float) -> float:
    return float(output.at(min(time, float(output.time_h[-1]))))


def _contact(agonist: Floats, loads: Floats, koff: Floats, start: Floats, contact_h: float) -> Floats:
    """Occupancy by the agonist at the end of a contact, for each agonist load.

    ``loads`` are the antagonists' concentrations over Kd, shape (n_steps, n_antagonists), constant within a step.
    """
    held = np.tile([0.0, *start], (len(agonist), 1))
    for antagonists in loads:
        load = np.column_stack([agonist, np.tile(antagonists, (len(agonist), 1))])
        held = kinetic_occupancy(contact_h / len(loads), load, np.ones(len(koff)), koff, np.maximum(held, 0.0))[:, 0]
    return held[:, 0]
