"""The same problem by libroadrunner, COPASI, SciPy and diffrax (JAX)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from scipy.integrate import odeint, solve_ivp

from benchmarks.problem import DOSES, HOURS, spec
from schild.model.sbml import to_sbml

#: Numbers of a person to occupancies and tolerance, shape (10, 673).
Solver = Callable[[dict[str, float]], np.ndarray]

_NAMES = [f"r{r}_occupancy_{s}" for r in range(3) for s in "amo"] + ["adaptation_t"]


def roadrunner(typical: dict[str, float], *, events: bool, rtol: float = 1e-6) -> Solver:
    """Load the SBML model once; set each person's numbers; doses as SBML events, or driven from outside."""
    # Steps near a dose are shorter than time resolves; the integrator says so on the terminal and goes on.
    os.environ.setdefault("SUNLOGGER_WARNING_FILENAME", os.devnull)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import roadrunner
    model = roadrunner.RoadRunner(to_sbml(spec(), typical, DOSES if events else ()))
    integrator = model.getIntegrator()
    integrator.setValue("relative_tolerance", rtol)
    integrator.setValue("absolute_tolerance", 1e-9)
    integrator.setValue("maximum_num_steps", 100_000)
    model.timeCourseSelections = _NAMES
    stops = sorted({0.0, HOURS[-1], *(d[0] for d in DOSES)})
    pieces = []
    for start, end in pairwise(stops):
        inside = HOURS[(start < HOURS) & (end > HOURS)]
        pieces.append((np.concatenate([[start], inside, [end]]).tolist(), [d for d in DOSES if d[0] == start]))

    def solve(numbers: dict[str, float]) -> np.ndarray:
        model.resetAll()
        for name, value in numbers.items():
            model[name.replace(".", "_")] = value
        if events:
            return np.array(model.simulate(times=HOURS.tolist())).T
        out = np.empty((10, HOURS.size))
        for times, doses in pieces:
            for _, name, amount, _ in doses:
                model[name.replace(".", "_") + "_stage0"] += amount
            found = np.array(model.simulate(times=times))
            for row, time in zip(found, times, strict=True):
                if time == round(time):
                    out[:, round(time)] = row
        return out

    return solve


def copasi(typical: dict[str, float], *, rtol: float = 1e-6) -> Solver:
    """Load the SBML model once; set each person's numbers; LSODA with doses as SBML events."""
    import basico
    import COPASI

    source = basico.load_model_from_string(to_sbml(spec(), typical, DOSES))
    settings = {"relative_tolerance": rtol, "absolute_tolerance": 1e-9, "max_internal_steps": 100_000}
    basico.set_task_settings("Time-Course", {"method": {"name": "Deterministic (LSODA)", **settings}}, model=source)
    model = source.getModel()

    def solve(numbers: dict[str, float]) -> np.ndarray:
        changed = COPASI.ObjectStdVector()
        for name, value in numbers.items():
            found = model.getModelValue(name.replace(".", "_"))
            found.setInitialValue(value)
            changed.append(found.getInitialValueReference())
        model.updateInitialValues(changed)
        frame = basico.run_time_course(values=HOURS.tolist(), model=source, update_model=False)
        return np.array([frame[name if name in frame else f"Values[{name}]"].to_numpy() for name in _NAMES])

    return solve


def diffrax(*, rtol: float = 1e-4) -> Solver:
    """Kvaerno's method of order 5, compiled by JAX in 64 bits, restarted at every dose."""
    import diffrax as d
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def rates(t: Any, y: Any, p: Any) -> Any:
        made: list[Any] = [0.0] * 19
        fill.py_func(y, p, made)
        return jnp.stack(made)

    term, solver = d.ODETerm(rates), d.Kvaerno5()
    steps = d.PIDController(rtol=rtol, atol=1e-9)

    def piece(y: Any, p: Any, start: Any, length: float, inside: Any) -> Any:
        ts = start + jnp.asarray([*inside, length])
        found = d.diffeqsolve(
            term, solver, start, start + length, 0.01, y, p, saveat=d.SaveAt(ts=ts), stepsize_controller=steps,
            max_steps=10_000,
        ).ys  # fmt: skip
        return found[-1], found

    def day(p: Any, y: Any, start: Any) -> Any:
        y, first = piece(y.at[0].add(DOSES[0][2]), p, start, 10.3, range(1, 11))
        y, second = piece(y.at[4].add(DOSES[1][2]), p, start + 10.3, 13.7, [k - 10.3 for k in range(11, 24)])
        return y, jnp.concatenate([first[:10, 9:], second[:, 9:]])

    def one(p: Any) -> Any:
        _, found = jax.lax.scan(lambda y, start: day(p, y, start), jnp.zeros(19), jnp.arange(28) * 24.0)
        return jnp.concatenate([jnp.zeros((1, 10)), found.reshape(-1, 10)]).T

    compiled = jax.jit(one)
    return lambda numbers: np.asarray(compiled(jnp.asarray(pack(numbers))))


def scipy(*, interface: str, rtol: float = 1e-5) -> Solver:
    """LSODA with right-hand side and Jacobian compiled by Numba, restarted at every dose."""

    def solve(numbers: dict[str, float]) -> np.ndarray:
        p = pack(numbers)
        y = np.zeros(19)
        out = np.empty((10, HOURS.size))
        stops = sorted({0.0, HOURS[-1], *(d[0] for d in DOSES)})
        for start, end in pairwise(stops):
            for time, name, amount, _ in DOSES:
                if time == start:
                    y[0 if name == "a.oral" else 4] += amount
            inside = HOURS[(start <= HOURS) & (end > HOURS)]
            times = np.unique(np.concatenate([[start], inside, [end]]))
            if interface == "solve_ivp":
                found = solve_ivp(
                    right, (start, end), y, "LSODA", t_eval=times, rtol=rtol, atol=1e-9, jac=jacobian, args=(p,)
                ).y.T
            else:
                found = odeint(
                    right, y, times, args=(p,), Dfun=jacobian, rtol=rtol, atol=1e-9, mxstep=100_000, tfirst=True
                )
            for row, time in zip(found, times, strict=True):
                if time == round(time):
                    out[:, round(time)] = row[9:]
            y = found[-1].copy()
        return out

    return solve


_ORDER = (
    "a.oral.rate", "a.cl", "a.vc", "a.q", "a.vp", "a.feeds.m", "a.oral.fraction.m", "m.cl", "m.vc", "o.oral.rate",
    "o.cl", "o.vc", "a.ke0", "m.ke0", "o.ke0",
)  # fmt: skip

_LAG = ("r0.o.drive", "adaptation.t.gain_up", "adaptation.t.loss_up")


def pack(numbers: dict[str, float]) -> np.ndarray:
    """Numbers as the array that the compiled functions take."""
    koff = [numbers[f"r{r}.{s}.koff"] for r in range(3) for s in "amo"]
    kon = [
        k / numbers[f"r{r}.{s}.kd"] for k, (r, s) in zip(koff, [(r, s) for r in range(3) for s in "amo"], strict=True)
    ]
    return np.array([numbers[name] for name in _ORDER] + kon + koff + [numbers[name] for name in _LAG])


@njit
def right(t, y, p):
    """Right-hand side of problem P."""
    d = np.empty(19)
    fill(y, p, d)
    return d


@njit
def fill(y, p, d):
    """Write the right-hand side into ``d``; plain Python for JAX, whose numbers take the place of floats."""
    ka, cl, vc, q, vp, fm, direct, clm, vm, kao, clo, vo, ke_a, ke_m, ke_o = p[:15]
    d[0] = -ka * y[0]
    d[1] = ka * y[0] - (cl + q) / vc * y[1] + q / vp * y[2]
    d[2] = q / vc * y[1] - q / vp * y[2]
    d[3] = direct * ka * y[0] + fm * cl / vc * y[1] - clm / vm * y[3]
    d[4] = -kao * y[4]
    d[5] = kao * y[4] - clo / vo * y[5]
    d[6] = ke_a * (y[1] / vc - y[6])
    d[7] = ke_m * (y[3] / vm - y[7])
    d[8] = ke_o * (y[5] / vo - y[8])
    for r in range(3):
        free = 1.0 - y[9 + 3 * r] - y[10 + 3 * r] - y[11 + 3 * r]
        for i in range(3):
            k = 3 * r + i
            d[9 + k] = p[15 + k] * y[6 + i] * free - p[24 + k] * y[9 + k]
    response = p[33] * y[11]
    d[18] = p[34] * response / (1.0 + response) - p[35] * y[18]


@njit
def jacobian(t, y, p):
    """Jacobian of ``right``."""
    ka, cl, vc, q, vp, fm, direct, clm, vm, kao, clo, vo, ke_a, ke_m, ke_o = p[:15]
    j = np.zeros((19, 19))
    j[0, 0], j[1, 0], j[1, 1], j[1, 2] = -ka, ka, -(cl + q) / vc, q / vp
    j[2, 1], j[2, 2] = q / vc, -q / vp
    j[3, 0], j[3, 1], j[3, 3] = direct * ka, fm * cl / vc, -clm / vm
    j[4, 4], j[5, 4], j[5, 5] = -kao, kao, -clo / vo
    j[6, 1], j[6, 6], j[7, 3], j[7, 7], j[8, 5], j[8, 8] = ke_a / vc, -ke_a, ke_m / vm, -ke_m, ke_o / vo, -ke_o
    for r in range(3):
        free = 1.0 - y[9 + 3 * r] - y[10 + 3 * r] - y[11 + 3 * r]
        for i in range(3):
            k = 3 * r + i
            j[9 + k, 6 + i] = p[15 + k] * free
            for m in range(3):
                j[9 + k, 9 + 3 * r + m] = -p[15 + k] * y[6 + i]
            j[9 + k, 9 + k] -= p[24 + k]
    j[18, 11] = p[34] * p[33] / (1.0 + p[33] * y[11]) ** 2
    j[18, 18] = -p[35]
    return j
