"""What a table of events means, computed a second time: rules by hand, linear kinetics by matrix exponentials.

It shares the numbers of a built model and the plain compartments with the package; the expansion of doses, steady
states, resets and lags, and the integration, are its own. ``docs/event-semantics.md`` has the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from model_reference import collocate, plain
from schild.catalog import Catalogue, load
from schild.model.build import Built, build
from schild.model.spec import PlainDose
from schild.people import Values
from schild.population import Subject, people_of
from schild.regimen import Dose, expand, parse_regimen
from schild.simulation.solve import solve
from schild.units import TICKS_PER_HOUR, amount_nmol, parse_amount, ticks

Floats = NDArray[np.float64]
Curves = dict[str, Floats]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table: times in ticks, amounts in nmol of base; ``rate`` [nmol/h] only without an amount."""

    tick: int
    evid: int = 1
    drug: str = ""
    route: str = ""
    nmol: float = 0.0
    duration: int = 0
    rate: float = 0.0
    ii: int = 0
    addl: int = 0
    ss: int = 0
    lag: int = 0
    f: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Door:
    """A branch of a route: where a dose enters, how much later, and over how long if the route itself says so."""

    port: str
    lag: int
    duration: int


def doors(catalogue: Catalogue, row: Row) -> list[Door]:
    """Every place where the dose of a row enters."""
    drug = catalogue.drug(row.drug)
    found = []
    for k, branch in enumerate(drug.routes[row.route].branches):
        port = f"{drug.key}.{row.route}.{k + 1}" + (".infusion" if row.duration or row.rate else "")
        lag = 0 if branch.lag is None else ticks(drug.number(branch.lag).value)
        own = ticks(drug.number(str(branch.duration)).value) if branch.input == "zero_order" else 0
        found.append(Door(port=port, lag=row.lag + lag, duration=row.duration or own))
    return found


class Linear:
    """The compartments of a built model for one person, moved by matrix exponentials."""

    def __init__(self, built: Built, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.system = plain(built.spec, {k: float(np.ravel(v)[0]) for k, v in built.parameters.items()})
        self.size = self.system.start.size - len(self.system.binding)
        self.ports = list(self.system.entry)
        m = self.size + len(self.ports)
        self.generator = np.zeros((m, m))
        self.generator[: self.size, : self.size] = self.system.matrix[: self.size, : self.size]
        for k, port in enumerate(self.ports):
            self.generator[: self.size, self.size + k] = self.system.entry[port][: self.size]
        self.known: dict[int, Floats] = {}

    def move(self, y: Floats, inflow: Floats, dt: int) -> Floats:
        """Compartments after ``dt`` ticks of constant inflow."""
        if dt not in self.known:
            self.known[dt] = expm(self.generator * (dt / TICKS_PER_HOUR))[: self.size]
        return np.asarray(self.known[dt] @ np.concatenate([y, inflow]))

    def door(self, port: str) -> Floats:
        """Where one nmol goes that enters."""
        return self.system.entry[port][: self.size]

    def periodic(self, door: Door, nmol: float, ii: int) -> Floats:
        """Compartments just before a multiple of ``ii``, where such a dose was given at every multiple before."""
        start = door.lag % ii
        edges: list[tuple[int, float, float]] = []  # phase, amount at once, change of the inflow
        inflow = np.zeros(len(self.ports))
        k = self.ports.index(door.port)
        if door.duration:
            rate = nmol / (door.duration / TICKS_PER_HOUR)
            edges += [(start, 0.0, rate), ((start + door.duration) % ii, 0.0, -rate)]
            # Just before phase 0: those that began at start - ii, start - 2 ii, ... and have not ended.
            age = ii - start
            while age < door.duration:
                inflow[k] += rate
                age += ii
            if age == door.duration:  # it ends now, and its end is among the edges
                inflow[k] += rate
        else:
            edges.append((start, nmol, 0.0))
        y, at = np.zeros(self.size), 0
        for phase, amount, change in sorted(edges):
            y, at = self.move(y, inflow, phase - at) if phase > at else y, phase
            y = y + amount * self.door(door.port)
            inflow[k] += change
        y = self.move(y, inflow, ii - at)
        whole = self.move(np.zeros(self.size), np.zeros(len(self.ports)), ii)
        assert not whole.any()
        return np.asarray(np.linalg.solve(np.eye(self.size) - self.known[ii][:, : self.size], y))

    def run(self, rows: Sequence[Row], times: Sequence[int]) -> Floats:
        """Compartments at the times (ticks), shape (n_states, n_times)."""
        doses = [
            (row.tick + k * row.ii, number, k, row) for number, row in enumerate(rows) for k in range(row.addl + 1)
        ]
        doses = [d for d in doses if d[0] <= times[-1]]
        doses.sort(key=lambda d: d[:2])
        coming: list[tuple[int, str, float, float]] = []  # tick, port, amount at once, change of the inflow
        clear = (-(10**18), -1)
        y, inflow = np.zeros(self.size), np.zeros(len(self.ports))
        now = min(times[0], doses[0][0]) if doses else times[0]
        out = np.empty((self.size, len(times)))
        done = 0
        while done < len(times):
            # Everything at `now`: what was on its way, then records in the order written.
            here = [c for c in coming if c[0] == now]
            coming = [c for c in coming if c[0] > now]
            for _, port, amount, change in here:
                y = y + amount * self.door(port)
                inflow[self.ports.index(port)] += change
            while doses and doses[0][0] == now:
                tick, number, k, row = doses.pop(0)
                if k and (row.tick, number) < clear:
                    continue  # an additional dose of a record before the last clearing
                if (row.evid in (3, 4) and k == 0) or (row.ss == 1 and k == 0):
                    y, inflow, coming, clear = np.zeros(self.size), np.zeros(len(self.ports)), [], (tick, number)
                if row.evid == 3:
                    continue
                for door in doors(self.catalogue, row):
                    p = self.ports.index(door.port)
                    nmol = row.nmol * row.f
                    if row.rate:  # it has run for ever and stops now
                        matrix = self.generator[: self.size, : self.size]
                        y = y - np.linalg.solve(matrix, row.rate * row.f * self.door(door.port))
                        continue
                    starts = [tick + door.lag]
                    if row.ss and k == 0:
                        y = y + self.periodic(door, nmol, row.ii)
                        longest = door.lag + door.duration
                        starts += [tick + door.lag - n * row.ii for n in range(1, longest // row.ii + 2)]
                    for start in starts:
                        own = start == tick + door.lag
                        if not door.duration:
                            if start > tick:
                                coming.append((start, door.port, nmol, 0.0))
                            elif start == tick:
                                y = y + nmol * self.door(door.port)
                            continue
                        rate, end = nmol / (door.duration / TICKS_PER_HOUR), start + door.duration
                        if end <= tick and not own:
                            continue
                        if start > tick:
                            coming.append((start, door.port, 0.0, rate))
                        else:
                            inflow[p] += rate
                        coming.append((end, door.port, 0.0, -rate))
            while done < len(times) and times[done] <= now:
                out[:, done] = y
                done += 1
            stops = [c[0] for c in coming] + [d[0] for d in doses[:1]] + list(times[done : done + 1])
            if done < len(times):
                y = self.move(y, inflow, min(stops) - now)
                now = min(stops)
        return out

    def curves(self, rows: Sequence[Row], times: Sequence[int]) -> Curves:
        """Concentrations by name."""
        states = self.run(rows, times)
        return {name: row[: self.size] @ states for name, row in self.system.concentration.items()}


def by_dose(catalogue: Catalogue, drug: str, route: str, nmol: float) -> float:
    """Share of a dose that arrives, over the share in the table, for the typical person."""
    d = catalogue.drug(drug)
    law = d.routes[route].by_dose
    if law is None:
        return 1.0
    value = {name: number.value for name, number in d.numbers.items()}
    salt = d.routes[route].salt
    mg = nmol * value[str(d.mw)] / 1e6 / (1.0 if salt in ("base", "") else value[d.salts[salt]])
    delivered = [x for branch in d.routes[route].branches for x in branch.deliver]
    whole = sum(
        (value[x.of] - (value[x.less] if x.less else 0)) * (value[x.times] if x.times else 1) for x in delivered
    )
    return float(min((mg / value[law.reference]) ** value[law.exponent], 1.0 / whole))


class Bench:
    """One person, one regimen, two computations: the engine's, and doses written out one by one."""

    def __init__(
        self, given: str | Sequence[Dose], until: str, *, step: str = "30 min", structure: str | None = None,
        receptors: Sequence[str] = ("mor",), tone: bool = True, start: str = "0 h",
    ) -> None:  # fmt: skip
        self.catalogue = load()
        self.doses = tuple(parse_regimen(given)) if isinstance(given, str) else tuple(given)
        self.times = list(range(ticks(start), ticks(until) + 1, ticks(step)))
        values = Values(self.catalogue, people_of(Subject(), self.catalogue, 1))
        self.rebuild: Callable[..., Built] = lambda events: build(
            values, events, structure=structure, receptors=receptors, tone=tone
        )
        self.built = self.rebuild(expand(self.doses, self.times[-1]))

    def engine(self, rtol: float = 1e-9) -> Curves:
        """Every signal as the engine computes it."""
        found = solve(self.built, 1, self.times, rebuild=self.rebuild, rtol=rtol, threads=1)
        assert found.engine.status[0] == 0
        return dict(zip(found.names, found.engine.out[0], strict=True))

    def nmol(self, drug: str, route: str, amount: str, basis: str | None = None) -> float:
        """Nanomoles of base in an amount of what the route is labelled in.

        Where the share absorbed changes with the dose: the amount that would bring as much at the share in the table.
        """
        d = self.catalogue.drug(drug)
        salt = basis or d.routes[route].salt
        factor = 1.0 if salt in ("base", "") else d.number(d.salts[salt]).value
        nmol = amount_nmol(parse_amount(amount), d.number(str(d.mw)).value, factor)
        return nmol * by_dose(self.catalogue, drug, route, nmol)

    def agrees(self, *doses: tuple[str, str, str, float] | tuple[str, str, str, float, float] | float) -> Curves:
        """Hold the engine to doses written out one by one, and return its signals."""
        found = self.engine()
        linear, bound = gap(found, self.plain(*doses))
        assert linear <= 1e-8, f"concentrations differ by {linear:.1e} of their maximum"
        assert bound <= 1e-6, f"occupancies differ by {bound:.1e}"
        return found

    def plain(self, *doses: tuple[str, str, str, float] | tuple[str, str, str, float, float] | float) -> Curves:
        """Every signal from doses ``(drug, route, amount, time_h[, duration_h])`` and times of resets [h]."""
        system = plain(self.built.spec, {k: float(np.ravel(v)[0]) for k, v in self.built.parameters.items()})
        entered: list[PlainDose] = []
        for dose in doses:
            if isinstance(dose, (float, int)):
                entered.append((float(dose), "reset", 0.0, 0.0))
                continue
            drug, route, amount, time, duration = (*dose, 0.0)[:5]
            row = Row(tick=0, drug=drug, route=route, duration=ticks(float(duration)))
            for door in doors(self.catalogue, row):
                lasts = door.duration / TICKS_PER_HOUR
                entered.append(
                    (time + door.lag / TICKS_PER_HOUR, door.port, self.nmol(drug, route, amount), lasts)
                )  # fmt: skip
        times = np.array(self.times) / TICKS_PER_HOUR
        lead = [min(d[0] for d in entered)] if entered and min(d[0] for d in entered) < times[0] else []
        states = collocate(system, entered, np.concatenate([lead, times]))[:, len(lead) :]
        found = {name: row @ states for name, row in system.concentration.items()}
        for r in self.built.spec.receptors:
            free = np.ones(times.size)
            for k, name in enumerate(system.states):
                if name.startswith(f"{r.name}."):
                    found[name.replace(".", "_occupancy_")] = states[k]
                    free = free - states[k]
            found[f"{r.name}_free"] = free
        return found


def gap(found: Mapping[str, Floats], expected: Mapping[str, Floats]) -> tuple[float, float]:
    """Largest difference of a concentration, relative to the maximum of its curve, and of an occupancy."""
    linear = bound = 0.0
    for name, values in expected.items():
        error = float(np.abs(found[name] - values).max())
        if name.startswith(("plasma_", "effect_")):
            top = float(np.abs(values).max())
            linear = max(linear, error / top if top > 0.0 else error)
        else:
            bound = max(bound, error)
    return linear, bound
