"""Guard: no opioid above the doses of published human studies is computed under a blockade.

The rule and its reasons are in docs/design/guard.md.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from schild.array_types import Floats
from schild.catalog import Catalogue, Drug
from schild.errors import InputError
from schild.model.build import build
from schild.model.entries import ADD, END
from schild.model.products import with_products
from schild.people import Values
from schild.population import Population, Subject, people_of
from schild.regimen import Event
from schild.simulation.effects import Effects
from schild.simulation.prepare import prepare
from schild.simulation.registry import outputs_of
from schild.simulation.solve import solve
from schild.units import TICKS_PER_HOUR, Amount, format_ticks

AGONISTS = ("agonist", "partial agonist", "prodrug")

#: Receptor whose blockade is guarded, and the same receptor outside the brain: entry into the brain is uncertain, so a
#: drug that enters it counts by the larger occupancy of the two.
RECEPTOR, OUTSIDE = "mor", "mor_gut"
#: Roles that count as blocking whatever efficacy is fitted, and the largest efficacy, relative to a full agonist, of
#: any other species that does. [1]
BLOCKERS = ("antagonist", "partial agonist")
LOW_EFFICACY = 0.3
#: Largest efficacy of a species that does not count as an agonist. [1]
INERT = 0.1
#: Share of the receptors that blocking species occupy while a blockade exists: a dose ratio of 1.25. [1]
SHARE = 0.2
#: A blockade counts from this time before the blocking drug is given. [h]
LEAD_H = 1.0
#: Likewise for an antagonist given by injection or spray: after an overdose it is a rescue. [h]
RESCUE_LEAD_H = 30.0 / 3600.0
RESCUE_ROUTES = ("iv", "im", "sc", "in")
#: A blockade that exists within this time after a dose is attributed to that dose. [h]
RISE_H = 48.0
#: Doses within this time count together. [h]
TOGETHER_H = 24.0
#: Earlier days with a drug that make its use a course; the share of what remains of it that counts.
COURSE_DAYS, COURSE_SHARE = 3, 0.1
#: Factor by which overrides may raise the exposure of an agonist's receptors. [1]
OVERRIDE_FOLD = 2.0

#: Doses of a run up to which its check is kept.
KEPT_DOSES = 60

#: Ends of days at which arrivals are summed, at most.
MOST_ENDS = 4000

#: Smaller shares of a limit count as zero. [1]
NOTHING = 1e-9
_DAY = 24 * TICKS_PER_HOUR
#: Days before a steady state whose doses are written out, and the largest number of these doses.
_PAST_DAYS, _MOST = 3, 500

#: An input of a dose: time [h], or times of doses that are alike; nmol or nmol/h; stages; rate [1/h]; prolonged or not.
_Input: TypeAlias = tuple[Any, float, int, float, bool]

DANGER = (
    "Trying to overcome a blockade with a large opioid dose can kill: breathing can stop before or when the blockade "
    "fades, and tolerance has been lost."
)


def check_doses(values: Values, events: Sequence[Event], who: Subject | Population) -> Iterator[str]:
    """Refuse what must not be computed, and yield a warning for an opioid under a blockade.

    ``values``: numbers of the run; those of the catalogue set the limits and the blockade, overrides apply to the
    doses. ``events``: expanded doses, earlier use included. ``who``: for covariates; amounts per kilogram are judged by
    the heaviest person. Raises InputError for an agonist above the published doses during a blockade.

    >>> from schild.catalog import load
    >>> from schild.regimen import expand, parse_regimen
    >>> words = "naltrexone 50 mg po; heroin 25 mg iv at 24 h"
    >>> [w[:56] for w in check_doses(Values(load()), expand(parse_regimen(words), 10**12), Subject())]
    ['An opioid is given while an antagonist acts. Trying to o']
    """
    if len({values.catalogue.drug(e.drug).key for e in events if e.drug is not None}) < 2:
        return  # an opioid is blocked by another drug
    # Many runs of a command have the same doses. Long histories are not kept.
    check = _checked if len(events) <= KEPT_DOSES else _checked.__wrapped__
    given = tuple(sorted(values.overrides.items()))
    yield from check(values.catalogue, given, tuple(events), _judged_by(values.catalogue, who))


@lru_cache(maxsize=512)
def _checked(
    catalogue: Catalogue, numbers: tuple[tuple[str, float], ...], events: tuple[Event, ...], person: Subject
) -> tuple[str, ...]:
    # The build reports drugs and routes that do not exist; here they are left out.
    drug_of = {name: catalogue.drug(name) for name in {e.drug for e in events} if name is not None}
    given = [e for e in events if e.drug is not None and e.route in drug_of[e.drug].routes]
    given = list(with_products(Values(catalogue), given))
    changed = dict(numbers)
    acting = {drug for drug in {str(e.drug) for e in given} if _activates(catalogue, drug, changed)}
    agonists = [e for e in given if e.drug in acting]
    arrivals: list[_Arrival] = []
    key_of = {name: catalogue.drug(name).key for name in {str(e.drug) for e in given}}
    for own in sorted({key_of[str(e.drug)] for e in agonists}):
        blocking = frozenset(
            s.key
            for s in _others(catalogue, own)
            if s.role in BLOCKERS or _efficacy(catalogue, s, changed)[0] <= LOW_EFFICACY
        )
        other = {drug for drug, key in key_of.items() if key != own}
        other = {drug for drug in other if blocking & {s.key for s in _species(catalogue, drug)}}
        blockers = [e for e in given if e.drug in other]
        if blockers:
            of = [e for e in agonists if key_of[str(e.drug)] == own]
            arrivals += _under_blockade(catalogue, of, blockers, blocking, person, changed)
    if not arrivals:
        return ()
    _judge(catalogue, arrivals)
    return (f"An opioid is given while an antagonist acts. {DANGER}",)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """Amount of one dose that arrives in the blood under a blockade, as a share of the limit.

    ``entries`` are (time [h], nmol or nmol/h, stages, rate [1/h], prolonged) of the inputs of the dose.
    """

    event: Event
    entries: tuple[_Input, ...]
    windows: tuple[tuple[float, float], ...]
    limit_nmol: float

    def by(self, times_h: Floats) -> Floats:
        """Share of the limit that has arrived under a blockade by these times."""
        total = _under(self.entries, self.windows, times_h)
        return total / self.limit_nmol if self.limit_nmol > 0 else np.where(total > 0, np.inf, 0.0)


def _under(entries: Sequence[_Input], windows: Sequence[tuple[float, float]], times_h: Floats) -> Floats:
    """Amount that inputs bring under blockades by these times; or by one time, of doses that differ in time. [nmol]"""
    total: Floats = np.zeros(1)
    for low, high in windows:
        before = sum(_arrived(e, np.array([low]), inclusive=False) for e in entries)
        now = sum(_arrived(e, np.clip(times_h, low, high)) for e in entries)
        total = total + np.where(times_h >= low, np.maximum(now - before, 0.0), 0.0)
    return total


def _species(catalogue: Catalogue, name: str) -> list[Drug]:
    """A drug and all its metabolites."""
    keys = [catalogue.drug(name).key]
    for at in keys:
        drug = catalogue.drug(at)
        feeds = () if drug.disposition is None else drug.disposition.feeds
        delivered = (d.species for route in drug.routes.values() for b in route.branches for d in b.deliver)
        keys += [k for k in dict.fromkeys((*feeds, *delivered)) if k not in keys]
    return [catalogue.drug(k) for k in keys]


def _others(catalogue: Catalogue, own: str) -> list[Drug]:
    """Species that bind the guarded receptor and come from other drugs than ``own``."""
    mine = {s.key for s in _species(catalogue, own)}
    return [drug for key, drug in catalogue.drugs.items() if key not in mine and RECEPTOR in drug.binding]


def _efficacy(catalogue: Catalogue, drug: Drug, changed: Mapping[str, float]) -> tuple[float, float]:
    """Smallest and largest efficacy: as shipped, as the catalogue in use has it, and as overridden. [1]"""
    known = _efficacies(catalogue, drug.key)
    found = [x for name, value in known for x in (value, float(changed.get(f"{drug.key}.{name}", value)))]
    return min(found, default=0.0), max(found, default=0.0)


@lru_cache(maxsize=1024)
def _efficacies(catalogue: Catalogue, key: str) -> list[tuple[str, float]]:
    """Names and values of a drug's efficacy as shipped and as the catalogue in use has it."""
    drugs = [(source, source.drugs[key]) for source in (catalogue.shipped, catalogue) if key in source.drugs]
    names = [(source, drug.binding[RECEPTOR].efficacy) for source, drug in drugs if RECEPTOR in drug.binding]
    return [(name, Values(source).typical(key, name)) for source, name in names if name is not None]


def _activates(catalogue: Catalogue, name: str, changed: Mapping[str, float]) -> bool:
    return any(_efficacy(catalogue, s, changed)[1] > INERT for s in _species(catalogue, name))


def _judged_by(catalogue: Catalogue, who: Subject | Population) -> Subject:
    """Person by whom doses are judged: typical except for the weight, which is the largest that can occur."""
    if isinstance(who, Subject):
        return who
    group = catalogue.populations.get(who.key)
    covariate = None if group is None else group.covariates.get("weight_kg")
    heaviest = 300.0
    if group is not None and covariate is not None and covariate.high is not None:
        heaviest = Values(catalogue).typical(group.key, covariate.high)
    return Subject(**({"weight_kg": heaviest} | dict(who.fixed)))  # type: ignore[arg-type]


# ---- when a blockade exists -----------------------------------------------------------------------------------------


def _windows(
    catalogue: Catalogue, blockers: Sequence[Event], blocking: frozenset[str], until_h: float, person: Subject
) -> list[tuple[float, float]]:
    """Return the disjoint intervals [h] of blockade, with the lead before each dose."""
    events = tuple(e for e in blockers if _start_h(e) <= until_h)
    if not events:
        return []
    first = min(e.tick for e in events)
    last = max(round(until_h * TICKS_PER_HOUR), first + TICKS_PER_HOUR)
    step = max(TICKS_PER_HOUR // 4, (last - first) // 4000)
    grid = np.arange(first, last + step, step)
    # Their occupancy depends on the times between doses alone, and at no time on later doses.
    moved = tuple(dataclasses.replace(e, tick=e.tick - first, order=k) for k, e in enumerate(events))
    enough = 1 << (len(grid) - 1).bit_length()
    above = _occupied(catalogue, moved, blocking, (enough, step), person)[: len(grid)] > SHARE
    at_h = grid / TICKS_PER_HOUR
    edges = np.flatnonzero(np.diff(np.concatenate([[False], above, [False]]).astype(int)))
    stretches = [(at_h[a], at_h[min(b, len(grid) - 1)]) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    found = list(stretches)
    for event in events:
        rescue = event.route in RESCUE_ROUTES and catalogue.drug(str(event.drug)).role == "antagonist"
        start = _start_h(event)
        # The dose belongs to the interval of blockade around it, or to the one that begins soon after it.
        if end := max((high for low, high in stretches if low - RISE_H <= start <= high), default=0.0):
            found.append((start - (RESCUE_LEAD_H if rescue else LEAD_H), end))
    merged: list[tuple[float, float]] = []
    for low, high in sorted(found):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((float(low), float(high)))
    return merged


def _start_h(event: Event) -> float:
    return (event.tick + event.lag_tick) / TICKS_PER_HOUR


@lru_cache(maxsize=256)
def _occupied(
    catalogue: Catalogue,
    events: tuple[Event, ...],
    blocking: frozenset[str],
    grid: tuple[int, int],
    person: Subject,
) -> Floats:
    """Share of the receptors that the blocking species alone occupy, at ``n`` times from the first dose on."""
    values = Values(catalogue, people_of(person, catalogue, 1))
    receptors = [name for name in (RECEPTOR, OUTSIDE) if name in catalogue.receptors]

    prepared = prepare(values, events, receptors=receptors, tone=False, threads=1)
    n, step = grid
    by_receptor = [
        [f"{r.name}_occupancy_{x.species}" for x in r.ligands if x.species in blocking]
        for r in prepared.built.spec.receptors
    ]
    recipes = outputs_of(Effects(built=prepared.built), [name for names in by_receptor for name in names])
    found = prepared.outputs([k * step for k in range(n)], recipes)
    held = np.zeros(n)
    for names in by_receptor:
        held = np.maximum(held, sum((found[name].values[0] for name in names), np.zeros(n)))
    return held


# ---- what arrives during a blockade ---------------------------------------------------------------------------------


def _under_blockade(
    catalogue: Catalogue,
    agonists: Sequence[Event],
    blockers: Sequence[Event],
    blocking: frozenset[str],
    person: Subject,
    changed: Mapping[str, float],
) -> list[_Arrival]:
    """Doses of one drug that arrive in part under a blockade."""
    doses = sorted((copy for event in agonists for copy in _spread(event)), key=lambda e: e.tick)
    inputs = _inputs(catalogue, doses, person, changed)
    everything = [i for of in inputs for i in of]
    slowest = min((rate for _, _, stages, rate, _ in everything if stages), default=np.inf)
    end_h = max(t for t, *_ in everything) + 12.0 / slowest
    # A dose given just before a blocking drug counts too, so the search continues after the last arrival.
    windows = _windows(catalogue, blockers, blocking, end_h + RISE_H, person)
    if not windows:
        return []
    first_h = min(map(_start_h, blockers))
    days = sorted({e.tick // _DAY for e in doses})
    by_route = {(e.route, e.product): e for e in doses}
    more = max(_magnified(catalogue, e, person, changed) for e in by_route.values())
    # Most of the hundreds of doses of a history have arrived before.
    arrived = np.zeros(len(doses))
    kinds: dict[object, list[int]] = {}
    for k, event in enumerate(doses):
        kinds.setdefault(_alike(event), []).append(k)
    for places in kinds.values():
        first, *_ = places
        together = [
            (np.array([inputs[k][i][0] for k in places]), *inputs[first][i][1:]) for i in range(len(inputs[first]))
        ]
        arrived[places] = _under(together, windows, np.array([windows[-1][1]]))
    found = []
    for k in np.flatnonzero(arrived).tolist():
        event, entries = doses[k], inputs[k]
        course = _start_h(event) <= first_h and bisect_left(days, event.tick // _DAY) >= COURSE_DAYS - 1
        limit = _limit_nmol(catalogue, event, person, changed) / (more * (COURSE_SHARE if course else 1.0))
        if limit <= 0 or arrived[k] / limit > NOTHING:
            found.append(_Arrival(event=event, entries=tuple(entries), windows=tuple(windows), limit_nmol=limit))
    return found


def _spread(event: Event) -> list[Event]:
    """Expand a steady state into the doses of the days before it."""
    if event.evid == 1 and not event.ss:
        return [event]
    plain = dataclasses.replace(event, evid=1, ss=0, ii_tick=0)
    if event.rate is not None:  # an endless infusion that stops here
        span = _PAST_DAYS * _DAY
        whole = event.rate.over(span)
        return [dataclasses.replace(plain, tick=event.tick - span, amount=whole, rate=None, duration_tick=span)]
    if not (event.ss and event.ii_tick):
        return [plain]
    real = _PAST_DAYS * _DAY // event.ii_tick
    kept = min(real, _MOST)
    every = max(_PAST_DAYS * _DAY // max(kept, 1), 1)
    earlier = [
        dataclasses.replace(plain, tick=event.tick - k * every, f=event.f * real / kept) for k in range(1, kept + 1)
    ]
    return earlier if event.evid == 2 else [*earlier, plain]


#: Fields that are equal in two doses that differ in time alone.
_alike = attrgetter(*(f.name for f in dataclasses.fields(Event) if f.name not in ("tick", "order", "occasion")))


def _inputs(
    catalogue: Catalogue, doses: Sequence[Event], person: Subject, changed: Mapping[str, float]
) -> list[list[_Input]]:
    """Inputs of each dose: time [h], nmol or nmol/h, stages, rate [1/h], whether prolonged.

    Doses that differ in nothing but their time are built once: a history has hundreds of them.
    """
    given, known = tuple(sorted(changed.items())), {}
    for event in doses:
        if (kind := _alike(event)) not in known:
            at_zero = dataclasses.replace(event, tick=0, order=0, occasion=1)
            known[kind] = _inputs_from(catalogue, at_zero, person, given)
    return [[((event.tick + one[0]) / TICKS_PER_HOUR, *one[1:]) for one in known[_alike(event)]] for event in doses]


@lru_cache(maxsize=256)
def _inputs_from(
    catalogue: Catalogue, dose: Event, person: Subject, changed: tuple[tuple[str, float], ...]
) -> list[tuple[int, float, int, float, bool]]:
    """Inputs of a dose at time zero, with times in ticks."""
    values = Values(catalogue, people_of(person, catalogue, 1), dict(changed))
    built = build(values, [dose], receptors=(), tone=False)
    ports = {i.name: i for i in built.spec.inputs}
    found = []
    for entry in built.entries:
        if entry.kind not in (ADD, END):
            continue
        port = ports[entry.port]
        whole = sum(_one(built.parameters[f"{port.name}.fraction.{s}"]) for s in port.delivers)
        scale = 1.0 if entry.scale == "one" else _one(built.scales[entry.scale])
        rate = _one(built.parameters[f"{port.name}.rate"]) if port.stages else np.inf
        found.append((entry.tick, entry.amount * scale * whole, port.stages, rate, port.prolonged))
    return found


def _one(value: float | Floats) -> float:
    return float(np.asarray(value).reshape(-1)[0])


def _arrived(entry: _Input, times_h: Floats, inclusive: bool = True) -> Floats:
    """Amount that has entered the blood by these times. [nmol]"""
    start, amount, stages, rate, prolonged = entry
    x = times_h - start
    begun = x >= 0 if inclusive else x > 0
    x = np.maximum(x, 0.0)
    if not prolonged:
        passed = _through(stages, rate * x) if stages else np.ones(len(x))
    elif stages:  # the integral of that share
        passed = x * _through(stages, rate * x) - stages / rate * _through(stages + 1, rate * x)
    else:
        passed = x
    return np.asarray(amount * np.where(begun, passed, 0.0))


def _through(stages: int, x: Floats) -> Floats:
    """Share that has passed a chain of equal stages: the distribution function of a gamma law of integer shape."""
    term, total = np.ones(len(x)), np.ones(len(x))
    for k in range(1, stages):
        term = term * x / k
        total = total + term
    return np.asarray(1.0 - np.exp(-x) * total)


def _published_mg(catalogue: Catalogue, key: str, route: str) -> float:
    """Give the largest published dose, 0 for none; an overlay does not change that of a built-in drug."""
    source = catalogue.shipped if key in catalogue.shipped.drugs else catalogue
    found = source.drugs[key].routes.get(route)
    return 0.0 if found is None or found.challenge is None else Values(source).typical(key, found.challenge)


def _limit_nmol(catalogue: Catalogue, event: Event, person: Subject, changed: Mapping[str, float]) -> float:
    """Amount that arrives from the largest published dose by the event's route, or by other routes; 0 for none."""
    drug, given = catalogue.drug(str(event.drug)), tuple(sorted(changed.items()))
    own = _published_nmol(catalogue, drug.key, str(event.route), person, given)
    return own or max(
        (_published_nmol(catalogue, drug.key, route, person, given) for route in drug.routes), default=0.0
    )


@lru_cache(maxsize=256)
def _published_nmol(
    catalogue: Catalogue, key: str, route: str, person: Subject, changed: tuple[tuple[str, float], ...]
) -> float:
    mg = _published_mg(catalogue, key, route)
    if not mg or route not in catalogue.drugs[key].routes:
        return 0.0
    return _total(_inputs(catalogue, [_challenge(key, route, mg)], person, dict(changed))[0])


def _challenge(key: str, route: str, mg: float) -> Event:
    return Event(0, 0, 1, drug=key, route=route, amount=Amount(mg, "mg"), f=1.0)


def _total(inputs: Sequence[_Input]) -> float:
    """Amount that the inputs of one dose bring into the blood in the end: rates are on from start to end. [nmol]"""
    return sum(-nmol * time if prolonged else nmol for time, nmol, _, _, prolonged in inputs)


def _magnified(catalogue: Catalogue, dose: Event, person: Subject, changed: Mapping[str, float]) -> float:
    """Factor beyond twofold by which the user's numbers raise the exposure of receptors at a limit; 1 for none. [1]

    A built-in drug is compared with its shipped entry; a user's own drug, at its limit, with the published dose of the
    built-in drug that gives receptors the largest exposure.
    """
    key, shipped = catalogue.drug(str(dose.drug)).key, catalogue.shipped
    routes = [r for r in catalogue.drugs[key].routes if _published_mg(catalogue, key, r)]
    if key not in shipped.drugs:
        doses = [_challenge(key, r, _published_mg(catalogue, key, r)) for r in routes]
        met = np.max([_met(catalogue, e, person, changed) for e in doses] or [np.zeros(2)], axis=0)
        most = _most_met(shipped, person)
    else:
        mine = {s.key for s in _species(catalogue, key)}
        if catalogue is shipped and not any(name.partition(".")[0] in mine for name in changed):
            return 1.0
        event = dataclasses.replace(dose, tick=0, lag_tick=0, order=0)
        if event.route not in shipped.drugs[key].routes:
            if not routes:
                return 1.0  # there is no limit to raise
            event = _challenge(key, routes[0], 1.0)
        met, most = _met(catalogue, event, person, changed), _met(shipped, event, person, {})
    fold = np.divide(met, most, out=np.where(met > 0, np.inf, 1.0), where=most > 0)
    return max(1.0, float(fold.max()) / OVERRIDE_FOLD)


def _met(catalogue: Catalogue, event: Event, person: Subject, changed: Mapping[str, float]) -> Floats:
    """Exposure of receptors to a dose within a day: its peak, and its sum over the day."""
    values = Values(catalogue, people_of(person, catalogue, 1), changed)
    built = build(values, [event], receptors=(RECEPTOR,), tone=False)
    ligands = [x for r in built.spec.receptors for x in r.ligands]
    names = [f"{x.site}_{x.species}" for x in ligands]
    grid = [k * TICKS_PER_HOUR // 20 for k in range(24 * 20 + 1)]
    total = np.zeros(len(grid))
    if names:
        out = solve(built, 1, grid, store=names, threads=1).engine.out[0]
        for x, course in zip(ligands, out, strict=True):
            fu = _one(built.parameters[f"{x.species}.fu"]) if x.site == "plasma" else 1.0
            efficacy = _efficacy(catalogue, catalogue.drug(x.species), changed)[1]
            total += efficacy * fu * course / _one(built.parameters[f"{RECEPTOR}.{x.species}.kd"])
    return np.array([total.max(), total.sum()])


@lru_cache(maxsize=16)
def _most_met(shipped: Catalogue, person: Subject) -> Floats:
    """Largest exposure of receptors to any published dose of a full agonist: peak, and sum over a day."""
    found = [
        _met(shipped, _challenge(key, route, mg), person, {})
        for key, drug in shipped.drugs.items()
        for route in drug.routes
        if drug.role != "partial agonist" and (mg := _published_mg(shipped, key, route))
    ]
    return np.asarray(np.max(found, axis=0))


def _judge(catalogue: Catalogue, arrivals: Sequence[_Arrival]) -> None:
    """Refuse where more than the limits arrives within a day."""
    marks = [t for a in arrivals for t, *_ in a.entries] + [t for a in arrivals for w in a.windows for t in w]
    low, high = min(w[0] for a in arrivals for w in a.windows), max(w[1] for a in arrivals for w in a.windows)
    ends = np.unique(np.concatenate([marks, np.linspace(low, high, max(2, min(1500, int(high - low) + 2)))]))
    ends, span_h = ends[(ends >= low) & (ends <= high)], TOGETHER_H
    if len(ends) > MOST_ENDS:  # a day longer by one step of this grid contains every day that ends within the step
        ends = np.linspace(low, high, MOST_ENDS)
        span_h += ends[1] - ends[0]

    def within(a: _Arrival, ends: Floats) -> Floats:
        with np.errstate(invalid="ignore"):  # without any limit every amount is too much: infinity minus infinity
            share = a.by(ends) - a.by(ends - span_h)
        return np.where(np.isnan(share), np.inf, share)

    together = sum((within(a, ends) for a in arrivals), np.zeros(len(ends)))
    if (worst := float(together.max())) <= 1.0 + 1e-6:
        return
    at = ends[[int(together.argmax())]]
    event = max(arrivals, key=lambda a: within(a, at)[0]).event
    drug = catalogue.drug(str(event.drug))
    mg = _published_mg(catalogue, drug.key, str(event.route))
    if not np.isfinite(worst):
        said = "none is known"
    elif not mg:
        said = "none is known for this route, and those by other routes bring less into the blood"
    else:
        said = f"the largest by this route is {mg:g} mg"
    raise InputError(
        f"{drug.name} {event.amount} {event.route} at {format_ticks(event.tick)} while an antagonist acts: with "
        f"what else arrives within {TOGETHER_H:g} h this is more than published human challenges ({said}); schild does "
        f"not compute it. {DANGER} Use a dose of a published challenge."
    )
