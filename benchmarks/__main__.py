"""Print the table of speed and accuracy. ``--quick`` only checks that everything runs."""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numba
import numpy as np
import scipy

from benchmarks import peers, rescue, waiting
from benchmarks.problem import DOSES, HOURS, PEOPLE, compiled, error, person, spec
from model_reference import collocate, plain
from schild.engine.portable import entry
from schild.engine.run import run
from schild.errors import InputError
from schild.simulation import Run, simulate_run


def cpu_ms(work: Callable[[], object], repeats: int = 3) -> float:
    """Median CPU time of this process. [ms]"""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times)


def wall_ms(work: Callable[[], object], repeats: int = 3) -> float:
    """Least wall time. [ms]"""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return min(times)


def histories(n: int, repeats: int) -> dict[str, float]:
    """CPU of 28 days after 180 days of the same use over that of 28 days from nothing, with adaptation in both."""
    found = {}
    for name, use, count in (("heroin", "heroin 50 mg iv q8h", 84), ("methadone", "methadone 60 mg po q24h", 28)):
        head = {"until": "28 d", "outputs": ["cows"], "adaptation": True}
        past = {"n": n, "history": [f"{use} for 180 d stopped {use.rsplit('q', 1)[1]}"]}
        with_, without = (
            Run.of(f"{use} x{count}", population=who, **head)  # type: ignore[arg-type]
            for who in (past, {"n": n})
        )
        costs: list[list[float]] = [[], []]
        for _ in range(repeats + 1):  # in turn, so that both meet the same machine; the first warms up
            for cost, one in zip(costs, (with_, without), strict=True):
                cost.append(cpu_ms(lambda one=one: simulate_run(one, threads=1, warn=False), 1))
        found[name] = statistics.median(costs[0][1:]) / statistics.median(costs[1][1:])
    return found


def verdict(held: bool) -> str:
    return "holds" if held else "MISSED"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few subjects, no verdicts")
    quick = parser.parse_args().quick
    begun = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    n = 64 if quick else 10_000
    checked = 2 if quick else PEOPLE
    few = 1 if quick else 3
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, SciPy {scipy.__version__}, Numba {numba.__version__}"
    )
    print(
        "Problem P: 28 days, 56 doses, 9 linear states, 3 ligands x 3 receptors, tolerance: 19 states, 10 hourly.\n"
        "Tolerance follows the opioid's response for every solver; it does not lower it, as it did in the bake-off.\n"
    )
    start = time.perf_counter()
    entry("run_groups")
    print(f"engine ready (from the cache, or made for this processor) after {time.perf_counter() - start:.2f} s\n")

    model = spec()
    people = [person(j) for j in range(checked)]
    reference = [collocate(plain(model, p), DOSES, HOURS)[-10:] for p in people]

    program, rows, events, occupancies = compiled(PEOPLE)
    exact = run(program, rows[:checked], events, HOURS, occupancies)
    kernel_error = max(error(exact.out[j], reference[j]) for j in range(checked))
    program, rows, events, occupancies = compiled(n)
    ours = cpu_ms(lambda: run(program, rows, events, HOURS, occupancies, threads=1, dtype=np.float32)) / n
    table = [(f"schild kernel, {n} subjects, 1 thread", kernel_error, ours, 1.0)]
    some, rounds = rows[:1000], 1 if quick else 5

    def kernel_ms() -> float:
        run_some = lambda: run(program, some, events, HOURS, occupancies, threads=1, dtype=np.float32)  # noqa: E731
        return cpu_ms(run_some, 1) / len(some)

    solvers = [
        ("SciPy solve_ivp LSODA, rtol 1e-5, Numba RHS", peers.scipy(interface="solve_ivp")),
        ("SciPy odeint (LSODA), rtol 1e-5, Numba RHS", peers.scipy(interface="odeint")),
    ]
    others: list[tuple[str, Callable[[], peers.Solver]]] = [
        ("libroadrunner, rtol 1e-6, SBML events", lambda: peers.roadrunner(people[0], events=True)),
        ("libroadrunner, rtol 1e-6, doses from outside", lambda: peers.roadrunner(people[0], events=False)),
        ("COPASI (LSODA), rtol 1e-6, SBML events", lambda: peers.copasi(people[0])),
        ("diffrax Kvaerno5, rtol 1e-4, 64-bit JAX", peers.diffrax),
    ]
    for name, load in others:
        try:
            solvers.append((name, load()))
        except (ImportError, InputError) as missing:
            print(f"Left out: {name}; {missing}. See docs/performance.md.")
    for name, solve in solvers:
        solve(people[0])  # compile, load
        worst = max(error(solve(people[j]), reference[j]) for j in range(min(few, checked)))

        def peer_ms(solve: Callable[[dict[str, float]], object] = solve) -> float:
            return cpu_ms(lambda: [solve(p) for p in people[:few]], 1) / min(few, checked)

        table.append((name, worst, *waiting.beside(peer_ms, kernel_ms, rounds)))
    print(f"{'solver':48s} {'max error':>10s} {'CPU ms/subject':>15s} {'ratio':>8s}")
    for name, worst, cost, ratio in table:
        print(f"{name:48s} {worst:10.1e} {cost:15.3f} {ratio:8.0f}")
    print("Errors: relative with a floor of 0.01, against collocation at 1e-11.\n")

    bare = compiled(n, tolerance=False)
    plainly = cpu_ms(lambda: run(bare[0], bare[1], bare[2], HOURS, bare[3], threads=1, dtype=np.float32)) / n
    wide = compiled(n if quick else 2000, copies=3)

    def nine_ms() -> float:
        work = lambda: run(wide[0], wide[1], wide[2], HOURS, wide[3], threads=1, dtype=np.float32)  # noqa: E731
        return cpu_ms(work, 1) / len(wide[1])

    def single_ms() -> float:
        return cpu_ms(lambda: run(program, rows[:1], events, HOURS, occupancies), 20)

    nine, nine_ratio = waiting.beside(nine_ms, kernel_ms, rounds)
    single, single_ratio = waiting.beside(single_ms, kernel_ms, rounds)
    one, two = (
        wall_ms(lambda k=k: run(program, rows, events, HOURS, occupancies, threads=k, dtype=np.float32), 2)
        for k in (1, 2)
    )
    reduced = cpu_ms(lambda: run(program, rows, events, HOURS[[0, -1]], [], reduced=occupancies, threads=1)) / n
    memory = float(subprocess.check_output([sys.executable, "-m", "benchmarks.memory", str(n)], text=True))

    past = histories(4 if quick else 200, 1 if quick else 5)
    numbers = np.linspace(-20.0, 0.0, 100_000)
    _, over_exp = waiting.beside(kernel_ms, lambda: cpu_ms(lambda: np.exp(numbers), 9), rounds)
    road = min((ratio for name, *_, ratio in table if "libroadrunner" in name), default=math.nan)
    lsoda = next(ratio for name, *_, ratio in table if "solve_ivp" in name)
    lines: list[tuple[str, str, float, str, bool | None]] = [
        ("one subject of P, over exp of 100,000 numbers", f"{ours:.3f} ms", over_exp, "<= 4", over_exp <= 4),
        ("largest error of P", "", kernel_error, "<= 1e-4", kernel_error <= 1e-4),
        ("libroadrunner (its better way), over P", "", road, ">= 100", road >= 100),
        ("SciPy solve_ivp LSODA, over P", "", lsoda, ">= 500", lsoda >= 500),
        ("nine ligands x three receptors, over P", f"{nine:.3f} ms", nine_ratio, "<= 4", nine_ratio <= 4),
        ("one subject, warm, over one of many", f"{single:.1f} ms", single_ratio, "<= 20", single_ratio <= 20),
        ("memory with reducers only [MB]", "", memory, "< 60", memory < 60),
        *((f"180-day history + 28 d over 28 d: {name}", "", ratio, "< 3", ratio < 3) for name, ratio in past.items()),
        *(
            (what, value, ratio, f"<= {most:g}" if most else "", ratio <= most if most else None)
            for what, value, ratio, most in waiting.rows(quick)
        ),
    ]
    print(f"{'ratio (or what the line says)':56s} {'CPU':>10s} {'ratio':>9s}   {'bar':8s}")
    for what, value, ratio, bar, held in lines:
        said = "" if quick or held is None else verdict(held)
        print(f"{what:56s} {value:>10s} {ratio:9.3g}   {bar:8s} {said}")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    print(f"Load of the machine: {begun:.1f} at the start, {load:.1f} now, on {os.cpu_count()} processors.")
    print(f"{'CPU of one subject without tolerance [ms]':48s} {plainly:10.3g}")
    print(f"{'CPU of one subject, reducers only [ms]':48s} {reduced:10.3g}")
    print(f"{'wall, 1 thread and 2 threads [ms]':48s} {one:10.0f} {two:10.0f}   ratio {one / two:.2f}")
    print()
    rescued = rescue.main(quick) == 0
    return 0 if quick or (rescued and all(held is not False for *_, held in lines)) else 1


if __name__ == "__main__":
    sys.exit(main())
