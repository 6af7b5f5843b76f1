"""The plain reading of a ModelSpec: compartments, rates and an ordinary right-hand side.

Slow and obvious. It shares nothing with the kernel but the ModelSpec, so agreement between the two means something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from schild.model.spec import ENDOGENOUS, LAG, RELEASE, ModelSpec, PlainDose

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A linear compartment system feeding competitive binding.

    ``states`` names every state: amounts [nmol], effect-site concentrations [nM], occupancies, adaptation [1]. The
    linear part is ``dy/dt = matrix @ y + input``; ``binding`` lists ``(state, receptor, concentration row, kon, koff,
    tone)``, ``lags`` lists ``(state, gain_up, gain_down, loss_up, loss_down, saturation)``, which follow
    ``S / (1 + bend S)`` with ``S = drive @ y``. ``saturable`` is ``(state, vc, vmax, km)`` and ``release`` is
    ``(state, ke, rho, c50, phi)``.
    """

    spec: ModelSpec
    states: tuple[str, ...]
    matrix: Floats
    entry: dict[str, Floats]
    concentration: dict[str, Floats]
    binding: tuple[tuple[int, int, Floats, float, float, float], ...]
    lags: tuple[tuple[int, float, float, float, float, float], ...]
    drive: Floats
    left: Floats | None
    followers_of_left: tuple[tuple[int, float], ...]
    bend: float
    saturable: tuple[int, float, float, float] | None
    release: tuple[int, float, float, float, float] | None
    start: Floats

    @property
    def n_followers(self) -> int:
        """Number of adaptation states."""
        return len(self.lags) + len(self.followers_of_left)

    def rhs(self, t: float, y: Floats, inflow: Floats) -> Floats:
        """Right-hand side with a constant inflow [nmol/h]."""
        dy = self.matrix @ y + inflow
        if self.saturable is not None:
            central, vc, vmax, km = self.saturable
            level = y[central] / vc
            dy[central] -= vmax * level / (km + level)
            if self.release is not None:
                state, ke, rho, c50, phi = self.release
                rising = max(0.0, dy[central] / vc)
                dy[state] += ke * (1.0 + rho * level / (level + c50) + phi * rising - y[state])
        free = np.ones(len(self.spec.receptors))
        for state, receptor, *_ in self.binding:
            free[receptor] -= y[state]
        for state, receptor, row, kon, koff, tone in self.binding:
            dy[state] += (kon * (row @ y) + tone) * free[receptor] - koff * y[state]
        raw = float(self.drive @ y)
        for state, *numbers in self.lags:
            gain, loss = lag_rates(raw / (1.0 + self.bend * raw), y[state], *numbers)
            dy[state] += gain - loss * y[state]
        for state, rate in self.followers_of_left:
            left = max(0.0, float(self.left @ y) - raw / (1.0 + self.bend * raw))
            dy[state] += rate * (left - y[state])
        return dy

    def jacobian(self, t: float, y: Floats, inflow: Floats) -> Floats:
        """Jacobian of ``rhs``, of a model without saturable elimination."""
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
        raw = float(self.drive @ y)
        for state, *numbers in self.lags:
            drive = raw / (1.0 + self.bend * raw)
            gain, loss = lag_rates(drive, y[state], *numbers)
            jac[state, state] -= loss
            if drive > 0:
                slope = (1.0 - numbers[-1] * y[state]) / (1.0 + self.bend * raw) ** 2
                jac[state] += gain / drive * slope * self.drive
        for state, rate in self.followers_of_left:
            jac[state, state] -= rate
            if float(self.left @ y) > raw / (1.0 + self.bend * raw):
                jac[state] += rate * (self.left - self.drive / (1.0 + self.bend * raw) ** 2)
        return jac


def lag_rates(
    drive: float, state: float, gain_up: float, gain_down: float, loss_up: float, loss_down: float, saturation: float
) -> tuple[float, float]:
    """Gain [1/h] and rate of loss [1/h] of an adaptation state: ``a' = gain - loss a``."""
    gain = (gain_up if drive > state else gain_down) * drive
    return gain, (loss_up if drive > state else loss_down) + saturation * gain


def plain(spec: ModelSpec, parameters: dict[str, float]) -> Plain:
    """Assemble the plain system of one subject.

    ``parameters``: one number per name of ``parameter_names(spec)``. Returns states in the order: input stages,
    compartments, effect sites, occupancies, adaptation.
    """
    p = parameters
    states: list[str] = []
    for i in spec.inputs:
        states += [f"{i.name}.stage{k}" for k in range(i.stages)]
    for s in spec.species:
        states += [f"{s.name}.{part}" for part in ("central", "peripheral", "peripheral2")[: s.peripherals + 1]]
    effect = spec.effect_species()
    states += [f"{name}.effect" for name in effect]
    states += ["release"] if spec.releasing else []
    for r in spec.receptors:
        states += [f"{r.name}.{x.species}" for x in r.ligands] + ([f"{r.name}.{ENDOGENOUS}"] if r.tone else [])
    adaptation = spec.adaptation
    states += [f"adaptation.{name}" for name in adaptation.lags] if adaptation else []
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
            share = p[f"{s.name}.direct"] if s.direct else 0.0
            row[site] = 1.0 - share
            row[central] = share * p[f"{s.name}.fu"] / vc
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
            row = np.zeros(n)
            if r.released:
                row[at["release"]] = 1.0
            binding.append((at[name], k, row, koff * e0 if r.released else 0.0, koff, 0.0 if r.released else koff * e0))
            start[at[name]] = e0 / (1.0 + e0)

    saturable = release = None
    for s in spec.species:
        if s.saturable:
            saturable = (at[f"{s.name}.central"], p[f"{s.name}.vc"], p[f"{s.name}.vmax"], p[f"{s.name}.km"])
    if spec.releasing:
        ke, rho, c50, phi = (p[f"release.{name}"] for name in RELEASE)
        release = (at["release"], ke, rho, c50, phi)
        start[at["release"]] = 1.0
    lags: list[tuple[int, float, float, float, float, float]] = []
    drive = np.zeros(n)
    if adaptation is not None:
        for r in spec.receptors:
            if r.name in adaptation.receptors:
                for x in r.ligands:
                    drive[at[f"{r.name}.{x.species}"]] = p[f"{r.name}.{x.species}.drive"]
        for name in adaptation.states:
            rates = [p[f"adaptation.{name}.{part}"] for part in LAG]
            lags.append((at[f"adaptation.{name}"], rates[0], rates[1], rates[2], rates[3], rates[4]))
    left, after = None, []
    if adaptation is not None and adaptation.followers:
        left = np.zeros(n)
        for name in adaptation.states:
            left[at[f"adaptation.{name}"]] = p[f"adaptation.{name}.weight"]
        if f"{adaptation.receptors[0]}.{ENDOGENOUS}" in at:
            left[at[f"{adaptation.receptors[0]}.{ENDOGENOUS}"]] = -p["adaptation.tone"]
        after = [(at[f"adaptation.{name}"], p[f"adaptation.{name}.gain_up"]) for name in adaptation.followers]
    return Plain(
        spec=spec,
        states=tuple(states),
        matrix=matrix,
        entry=entry,
        concentration=concentration,
        binding=tuple(binding),
        lags=tuple(lags),
        drive=drive,
        left=left,
        followers_of_left=tuple(after),
        bend=p["adaptation.bend"] if adaptation else 0.0,
        saturable=saturable,
        release=release,
        start=start,
    )


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

    ``system``: the model of one subject; ``doses``: doses [h, nmol, h]; ``"reset"`` as input empties the body and frees
    the receptors. ``times``, shape (n_times,): output times, rising. A value is taken after everything that happens at
    its time [h]. ``rtol`` and ``atol``: tolerances of the solver; ``method``: any stiff method of
    ``scipy.integrate.solve_ivp``; ``rhs``: a faster right-hand side with the same signature as ``system.rhs``. Returns
    every state at every time, shape (n_states, n_times).
    """
    from scipy.integrate import solve_ivp

    changes = _changes(doses)
    function = rhs or system.rhs
    y = system.start.copy()
    inflow = np.zeros_like(y)
    out = np.empty((y.size, times.size))
    t = float(times[0])
    done = 0
    last = float(times[-1])
    for time, kind, name, size in [*(c for c in changes if c[0] <= last), (last, -1, "", 0.0)]:
        if time > t:
            inside = times[(times >= t) & (times < time)]
            found = solve_ivp(  # type: ignore[call-overload]
                function,
                (t, time),
                y,
                method=method,
                t_eval=np.unique(np.append(inside, time)),
                rtol=rtol,
                atol=atol,
                jac=system.jacobian if system.saturable is None else None,
                args=(inflow,),
            )
            if not found.success:
                raise RuntimeError(found.message)
            out[:, done : done + inside.size] = found.y[:, : inside.size]
            done += inside.size
            y = found.y[:, -1].copy()
            t = time
        y, inflow = _act(system, y, inflow, kind, name, size)
    out[:, done:] = y[:, None]
    return out


#: ``(time, order, input, amount or rate)``; order 0 ends an infusion, 1 resets, 2 starts an infusion, 3 is a bolus.
_Change = tuple[float, int, str, float]


def _changes(doses: Sequence[PlainDose]) -> list[_Change]:
    """Doses as instantaneous changes, in the order in which they act."""
    changes: list[_Change] = []
    for time, name, amount, duration in doses:
        if name == "reset":
            changes.append((time, 1, name, 0.0))
        elif duration > 0:
            changes.append((time, 2, name, amount / duration))
            # A reset ends the infusions that run, so their end must not act any more.
            end = time + duration
            if not any(other == "reset" and time < when < end for when, other, *_ in doses):
                changes.append((end, 0, name, -amount / duration))
        else:
            changes.append((time, 3, name, amount))
    return sorted(changes, key=lambda c: c[:2])


def _act(system: Plain, y: Floats, inflow: Floats, kind: int, name: str, size: float) -> tuple[Floats, Floats]:
    if kind == 1:
        empty = system.start.copy()
        for state in range(y.size - system.n_followers, y.size):
            empty[state] = y[state]  # adaptation stays: it is the person, not the drug
        return empty, np.zeros_like(y)
    if kind in (0, 2):
        return y, inflow + size * system.entry[name]
    if kind == 3:
        return y + size * system.entry[name], inflow
    return y, inflow


@cache
def _radau(stages: int) -> tuple[Floats, Floats]:
    """Nodes and matrix of the Radau IIA method with that many stages, from its definition as collocation."""
    # Right Radau points: roots of P_s - P_(s-1) on [-1, 1], the last of them 1.
    series = np.zeros(stages + 1)
    series[stages], series[stages - 1] = 1.0, -1.0
    roots = np.sort(np.polynomial.legendre.legroots(series))
    for _ in range(3):
        slope = np.polynomial.legendre.legder(series)
        roots -= np.polynomial.legendre.legval(roots, series) / np.polynomial.legendre.legval(roots, slope)
    nodes = 0.5 * (roots + 1.0)
    nodes[-1] = 1.0
    # In Legendre polynomials the integrals are well conditioned: A = (integrals at nodes) (values at nodes)^-1.
    values = np.polynomial.legendre.legvander(2 * nodes - 1, stages - 1)
    integrals = np.empty((stages, stages))
    for k in range(stages):
        unit = np.zeros(k + 1)
        unit[k] = 1.0
        primitive = np.polynomial.legendre.legint(unit, lbnd=-1)
        integrals[:, k] = 0.5 * np.polynomial.legendre.legval(2 * nodes - 1, primitive)
    return nodes, np.asarray(np.linalg.solve(values.T, integrals.T).T, dtype=np.float64)


def collocate(
    system: Plain,
    doses: Sequence[PlainDose],
    times: Floats,
    *,
    tolerance: float = 1e-11,
    stages: int = 7,
    finest: int = 45,
) -> Floats:
    """Solve the plain system to nearly machine precision, much faster than ``solve`` at the same accuracy.

    The compartments are linear with constant inflow, so matrix exponentials carry them; occupancies, affine once the
    concentrations are known, are collocated at the Radau points (order ``2 stages - 1``) by one dense solve for each
    receptor. Steps are halved until one step and its two halves agree.

    ``system``, ``doses`` and ``times``: as for ``solve``; ``tolerance``: largest difference between a step and its two
    halves, as a fraction of the larger of the occupancy and 0.01; ``stages``: radau points in a step; ``finest``: how
    often a step may be halved. Returns every state at every time, shape (n_states, n_times). Raises RuntimeError if a
    step was halved ``finest`` times without agreement.

    >>> from schild.model.spec import Input, Ligand, ModelSpec, Receptor, Species
    >>> spec = ModelSpec(
    ...     species=(Species(name="drug"),),
    ...     inputs=(Input(name="drug.iv", delivers=("drug",)),),
    ...     receptors=(Receptor(name="mor", ligands=(Ligand(species="drug", site="plasma"),)),),
    ... )
    >>> numbers = {"drug.vc": 50.0, "drug.cl": 20.0, "drug.fu": 1.0, "drug.iv.fraction.drug": 1.0}
    >>> system = plain(spec, numbers | {"mor.drug.kd": 1.0, "mor.drug.koff": 2.0})
    >>> doses = [(0.0, "drug.iv", 100.0, 0.0)]
    >>> times = np.array([0.0, 1.0, 8.0])
    >>> fine, slow = collocate(system, doses, times), solve(system, doses, times)
    >>> bool(abs(fine - slow).max() < 1e-7)
    True
    """
    if system.saturable is not None:
        raise ValueError("collocate is for models whose kinetics are linear; use solve.")
    nodes, tableau = _radau(stages) if system.binding else (np.ones(1), np.zeros((1, 1)))
    n = system.start.size
    groups: dict[int, list[tuple[int, Floats, float, float, float]]] = {}
    for state, receptor, row, kon, koff, tone in system.binding:
        groups.setdefault(receptor, []).append((state, row, kon, koff, tone))
    tables = []
    for group in groups.values():
        at = np.array([g[0] for g in group])
        rows = np.array([g[2] * g[1] for g in group])[:, : n - len(system.binding) - system.n_followers]
        tables.append((at, rows, np.array([g[3] for g in group]), np.array([g[4] for g in group])))

    # Occupancies are the last states and no part of the linear system; constant inflows are states that never change.
    linear = n - len(system.binding) - system.n_followers
    running = sorted({name for _, name, _, duration in doses if duration > 0})
    size_all = linear + len(running)
    generator = np.zeros((size_all, size_all))
    generator[:linear, :linear] = system.matrix[:linear, :linear]
    for k, name in enumerate(running):
        generator[:linear, linear + k] = system.entry[name][:linear]
    known: dict[float, Floats] = {}

    def powers(h: float) -> Floats:
        """Exponentials of the compartments, with the inflows as states, at every node of a step."""
        if h not in known:
            known[h] = expm(nodes[:, None, None] * h * generator)[:, :linear]
        return known[h]

    def step(y: Floats, inflow: Floats, h: float) -> tuple[Floats, float]:
        """End of a step, and what a change of sign of withdrawal inside it may cost: no polynomial can bend there."""
        inside = powers(h) @ np.concatenate([y[:linear], inflow])
        new = np.concatenate([inside[-1], y[linear:]])
        raw = np.zeros(stages)
        inner = np.zeros((stages, n))
        for at, rows, koff, tone in tables:
            m = at.size
            rate = inside @ rows.T + tone
            # X_i = x + h sum_j A_ij (rate_j (1 - sum X_j) - koff X_j)
            slope = -rate[:, :, None] * np.ones(m) - koff[:, None] * np.eye(m)
            system_matrix = np.eye(stages * m).reshape(stages, m, stages, m)
            system_matrix = system_matrix - h * np.einsum("ij,jkl->ikjl", tableau, slope)
            right = y[at] + h * tableau @ rate
            found = np.linalg.solve(system_matrix.reshape(stages * m, -1), right.ravel())
            inner[:, at] = found.reshape(stages, m)
            new[at] = inner[-1, at]
            raw += inner[:, at] @ system.drive[at]
        drive = raw / (1.0 + system.bend * raw)
        for state, *numbers in system.lags:
            # The branch at each node is found by trying again until it no longer changes.
            guess = np.full(stages, y[state])
            for _ in range(stages + 1):
                rates = np.array([lag_rates(s, a, *numbers) for s, a in zip(drive, guess, strict=True)])
                matrix = np.eye(stages) + h * tableau * rates[:, 1]
                found = np.linalg.solve(matrix, y[state] + h * tableau @ rates[:, 0])
                same = np.array_equal(drive > found, drive > guess)
                guess = found
                if same:
                    break
            inner[:, state] = guess
            new[state] = guess[-1]
        bend = 0.0
        for state, rate in system.followers_of_left:
            assert system.left is not None
            first = float(system.drive @ y)
            whole = np.r_[system.left @ y - first / (1.0 + system.bend * first), inner @ system.left - drive]
            held = np.eye(stages) + h * tableau * rate
            new[state] = np.linalg.solve(held, y[state] + h * rate * tableau @ np.maximum(whole[1:], 0.0))[-1]
            bend = max(bend, h * rate * min(max(whole.max(), 0.0), max(-whole.min(), 0.0)))
        return new, bend

    changes = _changes(doses)
    bound = np.arange(linear, n)
    y, inflow = system.start.copy(), np.zeros(len(running))
    out = np.empty((n, times.size))
    stops = np.unique(np.concatenate([times, [c[0] for c in changes if times[0] <= c[0] <= times[-1]]]))
    done = acted = 0
    for k, t in enumerate(stops):
        while acted < len(changes) and changes[acted][0] <= t:
            _, kind, name, size = changes[acted]
            y, _ = _act(system, y, y, kind, name, size)
            if kind == 1:
                inflow = np.zeros(len(running))
            elif kind in (0, 2):
                inflow[running.index(name)] += size
            acted += 1
        while done < times.size and times[done] == t:
            out[:, done] = y
            done += 1
        if k + 1 == stops.size:
            break
        span = stops[k + 1] - t
        if abs(span - round(span * 2**20) / 2**20) < 1e-12:
            span = round(span * 2**20) / 2**20
        level, place = 0, 0  # the position is place * span / 2**level
        while place < 2**level:
            h = span / 2**level
            whole, bend = step(y, inflow, h)
            if not tables:
                y, place = whole, place + 1
                continue
            half, _ = step(y, inflow, 0.5 * h)
            halves, _ = step(half, inflow, 0.5 * h)
            error = np.abs(whole[bound] - halves[bound]) / np.maximum(np.abs(halves[bound]), 0.01)
            if not max(error.max(), bend) <= tolerance:
                level, place = level + 1, 2 * place
                if level > finest:
                    raise RuntimeError(f"No agreement at {t} h after {finest} halvings.")
                continue
            y, place = halves, place + 1
            while level and place % 2 == 0 and error.max() < 0.1 * tolerance:
                level, place = level - 1, place // 2
    return out
