"""The plain reading of a ModelSpec: compartments, rates and an ordinary right-hand side.

Slow and obvious. It shares nothing with the kernel but the ModelSpec, so agreement between the two means something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schild.model.spec import ENDOGENOUS, ModelSpec

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A linear compartment system feeding competitive binding.

    ``states`` names every state: amounts [nmol], effect-site concentrations [nM], occupancies [1]. The linear part is
    ``dy/dt = matrix @ y + input``; ``binding`` lists ``(state, receptor, concentration row, kon, koff, tone)``.
    """

    spec: ModelSpec
    states: tuple[str, ...]
    matrix: Floats
    entry: dict[str, Floats]
    concentration: dict[str, Floats]
    binding: tuple[tuple[int, int, Floats, float, float, float], ...]
    start: Floats

    def rhs(self, t: float, y: Floats, inflow: Floats) -> Floats:
        """Right-hand side with a constant inflow [nmol/h]."""
        dy = self.matrix @ y + inflow
        free = np.ones(len(self.spec.receptors))
        for state, receptor, *_ in self.binding:
            free[receptor] -= y[state]
        for state, receptor, row, kon, koff, tone in self.binding:
            dy[state] += (kon * (row @ y) + tone) * free[receptor] - koff * y[state]
        return dy

    def jacobian(self, t: float, y: Floats, inflow: Floats) -> Floats:
        """Jacobian of ``rhs``."""
        jac = self.matrix.copy()
        free = np.ones(len(self.spec.receptors))
        for state, receptor, *_ in self.binding:
            free[receptor] -= y[state]
        for state, receptor, row, kon, koff, tone in self.binding:
            jac[state] += kon * row * free[receptor]
            jac[state, state] -= koff
            rate = kon * (row @ y) + tone
            for other, same, *_ in self.binding:
                if same == receptor:
                    jac[state, other] -= rate
        return jac


def plain(spec: ModelSpec, parameters: dict[str, float]) -> Plain:
    """Assemble the plain system of one subject.

    Parameters
    ----------
    spec : ModelSpec
        Structure.
    parameters : dict of str to float
        One number per name of ``parameter_names(spec)``.

    Returns
    -------
    Plain
        States in the order: input stages, compartments, effect sites, occupancies.
    """
    p = parameters
    states: list[str] = []
    for i in spec.inputs:
        states += [f"{i.name}.stage{k}" for k in range(i.stages)]
    for s in spec.species:
        states += [
            f"{s.name}.{part}" for part in ("central", "peripheral", "peripheral2")[: s.peripherals + 1]
        ]
    effect = spec.effect_species()
    states += [f"{name}.effect" for name in effect]
    for r in spec.receptors:
        states += [f"{r.name}.{x.species}" for x in r.ligands] + (
            [f"{r.name}.{ENDOGENOUS}"] if r.tone else []
        )
    at = {name: k for k, name in enumerate(states)}
    n = len(states)
    matrix = np.zeros((n, n))
    entry: dict[str, Floats] = {}

    for i in spec.inputs:
        doors = np.zeros(n)
        if i.stages == 0:
            for target in i.delivers:
                doors[at[f"{target}.central"]] = p[f"{i.name}.fraction.{target}"]
        else:
            doors[at[f"{i.name}.stage0"]] = 1.0
            rate = p[f"{i.name}.rate"]
            for k in range(i.stages):
                here = at[f"{i.name}.stage{k}"]
                matrix[here, here] -= rate
                if k + 1 < i.stages:
                    matrix[at[f"{i.name}.stage{k + 1}"], here] += rate
                else:
                    for target in i.delivers:
                        matrix[at[f"{target}.central"], here] += rate * p[f"{i.name}.fraction.{target}"]
        entry[i.name] = doors

    concentration: dict[str, Floats] = {}
    for s in spec.species:
        central, vc = at[f"{s.name}.central"], p[f"{s.name}.vc"]
        matrix[central, central] -= p[f"{s.name}.cl"] / vc
        for q, v, part in (("q", "vp", "peripheral"), ("q2", "vp2", "peripheral2"))[: s.peripherals]:
            other, flow = at[f"{s.name}.{part}"], p[f"{s.name}.{q}"]
            matrix[central, central] -= flow / vc
            matrix[other, central] += flow / vc
            matrix[central, other] += flow / p[f"{s.name}.{v}"]
            matrix[other, other] -= flow / p[f"{s.name}.{v}"]
        for target in s.feeds:
            matrix[at[f"{target}.central"], central] += p[f"{s.name}.feeds.{target}"] * p[f"{s.name}.cl"] / vc
        row = np.zeros(n)
        row[central] = 1.0 / vc
        concentration[f"plasma_{s.name}"] = row
        if s.name in effect:
            site, ke0 = at[f"{s.name}.effect"], p[f"{s.name}.ke0"]
            matrix[site, central] += ke0 * p[f"{s.name}.fu"] / vc
            matrix[site, site] -= ke0
            row = np.zeros(n)
            row[site] = 1.0
            concentration[f"effect_{s.name}"] = row

    binding: list[tuple[int, int, Floats, float, float, float]] = []
    start = np.zeros(n)
    for k, r in enumerate(spec.receptors):
        for x in r.ligands:
            name = f"{r.name}.{x.species}"
            row = concentration[f"{x.site}_{x.species}"]
            if x.site == "plasma":
                row = row * p[f"{x.species}.fu"]
            koff = p[f"{name}.koff"]
            binding.append((at[name], k, row, koff / p[f"{name}.kd"], koff, 0.0))
        if r.tone:
            name = f"{r.name}.{ENDOGENOUS}"
            e0, koff = p[f"{name}.e0"], p[f"{name}.koff"]
            binding.append((at[name], k, np.zeros(n), 0.0, koff, koff * e0))
            start[at[name]] = e0 / (1.0 + e0)
    return Plain(
        spec=spec,
        states=tuple(states),
        matrix=matrix,
        entry=entry,
        concentration=concentration,
        binding=tuple(binding),
        start=start,
    )


#: ``(time_h, input, amount_nmol, duration_h)``; duration 0 is a bolus; input ``"reset"`` empties the body.
PlainDose = tuple[float, str, float, float]


def solve(
    system: Plain,
    doses: Sequence[PlainDose],
    times: Floats,
    *,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    method: str = "LSODA",
    rhs: Callable[[float, Floats, Floats], Floats] | None = None,
) -> Floats:
    """Integrate with SciPy, restarting at every event.

    Parameters
    ----------
    system : Plain
        The model of one subject.
    doses : sequence of (time, input, amount, duration)
        Doses [h, nmol, h]; ``"reset"`` as input empties the body and frees the receptors.
    times : ndarray, shape (n_times,)
        Output times, rising. A value is taken after everything that happens at its time. [h]
    rtol, atol : float
        Tolerances of the solver.
    method : str
        Any stiff method of ``scipy.integrate.solve_ivp``.
    rhs : callable, optional
        A faster right-hand side with the same signature as ``system.rhs``.

    Returns
    -------
    ndarray, shape (n_states, n_times)
        Every state at every time.
    """
    from scipy.integrate import solve_ivp

    changes: list[tuple[float, int, str, float]] = []
    for time, name, amount, duration in doses:
        if name == "reset":
            changes.append((time, 1, name, 0.0))
        elif duration > 0:
            changes.append((time, 2, name, amount / duration))
            changes.append((time + duration, 0, name, -amount / duration))
        else:
            changes.append((time, 3, name, amount))
    changes.sort(key=lambda c: c[:2])
    function = rhs or system.rhs
    y = system.start.copy()
    inflow = np.zeros_like(y)
    out = np.empty((y.size, times.size))
    t = float(times[0])
    done = 0
    for time, kind, name, size in [*changes, (float(times[-1]), -1, "", 0.0)]:
        time = min(time, float(times[-1]))
        if time > t:
            inside = times[(times >= t) & (times < time)]
            found = solve_ivp(
                function,
                (t, time),
                y,
                method=method,
                t_eval=np.unique(np.append(inside, time)),
                rtol=rtol,
                atol=atol,
                jac=system.jacobian,
                args=(inflow,),
            )
            if not found.success:
                raise RuntimeError(found.message)
            out[:, done : done + inside.size] = found.y[:, : inside.size]
            done += inside.size
            y = found.y[:, -1].copy()
            t = time
        if kind == 1:
            y, inflow = system.start.copy(), np.zeros_like(y)
        elif kind in (0, 2):
            inflow = inflow + size * system.entry[name]
        elif kind == 3:
            y = y + size * system.entry[name]
    out[:, done:] = y[:, None]
    return out
