"""Overdose and rescue: one stated exposure under different antagonists, delays and tolerances."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from numbers import Real
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from schild import __version__
from schild.catalog import Catalogue, load
from schild.errors import InputError
from schild.overdose.follow import RTOL, CollapseRule, Intervention, warm_up
from schild.overdose.measure import together
from schild.overdose.parameters import Physiology, published, record, scaled
from schild.overdose.sources import Body, PublishedSource
from schild.overdose.table import FRAMING, Rescued, Row
from schild.overdose.words import Delay, Plan, parse_care, parse_delay, parse_lung, parse_opioid, parse_plan
from schild.people import Given, Values
from schild.population import Population, groups, people_of
from schild.simulation.caution import unit_slips
from schild.simulation.runfile import parse_history
from schild.tables import percent_words, time_words
from schild.units import TICKS_PER_HOUR, TimeLike, ticks

if TYPE_CHECKING:
    from schild.overdose.general import GeneralSource

TOLERANCES = ("naive", "chronic", "model")
BODIES = ("typical", "drawn")
LINKS = ("anchored", "plain")
MAX_PEOPLE = 100_000

#: People of all cells together: hours on one processor.
MAX_IN_ALL = 1_000_000

#: Routes whose overdose ends within two hours or does not begin; others are followed for a day.
_FAST = ("iv", "in", "smoked")
#: People followed at once in short and long runs, limited by memory.
_SHORT_S, _MANY, _FEW = 3 * 3600.0, 256, 64
#: Units of numbers that are given without one.
_SIZES = {"altitude": "m", "weight": "kg", "age": "years"}
#: Longest run. [s]
_LONGEST_S = 7 * 24 * 3600.0


def rescue(
    opioid: str,
    antagonist: str | Sequence[str] = ("none", "naloxone 4 mg in"),
    *,
    delay: str | Sequence[str] = "60 s",
    tolerance: str | Sequence[str] = "chronic",
    n: int = 2000,
    seed: int = 1,
    history: str | Sequence[str] = (),
    source: str = "auto",
    collapse: CollapseRule = "clock",
    link: str = "anchored",
    parameters: str = "typical",
    until: TimeLike | None = None,
    breathing: str | None = None,
    oxygen: str | None = None,
    altitude: float = 0.0,
    lung: str | None = None,
    bodies: str = "typical",
    weight: float | None = None,
    age: float | None = None,
    threads: int | None = None,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Rescued:
    """Overdose and rescue: one stated opioid exposure per table of antagonist regimens, delays and tolerances.

    For naloxone programmes, labelling, teaching and research. Opioid doses are not varied, searched or ranked.

    Parameters
    ----------
    opioid : str
        One regimen of one opioid from time 0 on, such as ``"fentanyl 1.625 mg iv"``.
    antagonist : str or sequence of str
        ``"none"``; regimens whose times count from the first dose of the rescue, such as ``"naloxone 4 mg in q150s
        x2"``, parts joined by semicolons; names of the published tables such as ``"IN4mg_x2_150s"``. Negative times
        count from the opioid: ``"naltrexone 50 mg po at -12 h"``. The first one is the reference of comparisons. By
        default none and ``"naloxone 4 mg in"``.
    delay : str or sequence of str
        Time from the loss of breathing to the first dose: ``"60 s"``, ``"1 min to 10 min"``, ``"median 5 min cv 0.8"``.
    tolerance : str or sequence of str
        ``naive``, ``chronic`` (both as the reference) or ``model``: adaptation after the history.
    n : int
        Number of people.
    seed : int
        Seed of the draws; all cells of a table have the same people.
    history : str or sequence of str
        Earlier use: ``"morphine 30 mg po q6h for 60 d"``.
    source : {"auto", "published", "general"}
        Kinetics of the reference, or of the receptor module; by default the former if it has all drugs.
    collapse : {"clock", "two_pass", "hazard", "none"}
        Rule by which hypoxia becomes arrest; ``two_pass`` is the reference's rule.
    link : {"anchored", "plain"}
        For the general source: whether fentanyl on every receptor removes all drive, as in the reference, or as much
        as the catalogue's effect gives. The percentages depend on it (docs/rescue.md).
    parameters : {"typical", "drawn"}
        For the general source: whether all people have the catalogue's numbers, or each their own parameter set, so
        that a percentage includes the uncertainty of the drugs.
    until : time, optional
        End of the run; by default 2 h after opioids given into a vein or the nose or smoked, 24 h otherwise.
    breathing : str, optional
        Rescue breathing: ``"from 2 min to 10 min"`` after the rescuer's arrival, as much as at rest, or
        ``"8 L/min from 2 min to 10 min"``.
    oxygen : str, optional
        Oxygen, as its share of inhaled gas: ``"0.5 from 2 min to 10 min"`` after the rescuer's arrival.
    altitude : float
        Altitude. [m]
    lung : str, optional
        Lung disease: ``"shunt 0.15, dead space 0.5"``.
    bodies : {"typical", "drawn"}
        Whether all have the reference's body, or weights and ages of the catalogue's adults scale it.
    weight, age : float, optional
        Values for everyone [kg], [years]; by default the reference's physiology, and the catalogue's people.
    threads : int, optional
        Number of threads; by default all processors. It never changes a result.
    catalogue : Catalogue, optional
        Another catalogue than the built-in one.
    overrides : mapping, optional
        Numbers in place of the catalogue's, as for ``simulate``; ``"rescue.<number>"`` are those of the published
        physiology, kinetics and protocol. People are drawn around them.
    progress : callable, optional
        Called with the number of people done and their total, over all cells.

    Returns
    -------
    Rescued
        Rows with arrest and its Wilson interval, time to breathing, hypoxia, renarcotisation, withdrawal; paired
        comparisons; courses.

    Raises
    ------
    InputError
        For anything that cannot be computed; the message says what was given, what was expected and what to do.

    Examples
    --------
    >>> found = rescue("fentanyl 1.625 mg iv", ["none", "naloxone 4 mg in"], n=40)
    >>> [row["regimen"] for row in found.summary()]
    ['none', 'naloxone 4 mg in']
    >>> found.comparisons[0].points <= 0
    True
    """
    catalogue = catalogue or load()
    numbers = Values(catalogue, overrides=overrides)
    plans_in, delays_in = _many(antagonist, "antagonist"), _many(delay, "delay")
    tolerances, earlier = _many(tolerance, "tolerance"), _many(history, "history") if history else []
    if not isinstance(n, int | np.integer) or not 1 <= n <= MAX_PEOPLE:
        raise InputError(f"n is {n!r}; expected 1 to {MAX_PEOPLE:,} people.")
    for name, size in (("altitude", altitude), ("weight", weight), ("age", age)):
        if size is not None and not isinstance(size, Real):
            raise InputError(f"{name} is {size!r}; expected a number [{_SIZES[name]}].")
    for name, value, known in (
        ("collapse", collapse, get_args(CollapseRule)),
        ("bodies", bodies, BODIES),
        ("link", link, LINKS),
        ("parameters", parameters, BODIES),
        *(("tolerance", one, TOLERANCES) for one in tolerances),
    ):
        if value not in known:
            raise InputError(f"{name} is {value!r}; expected one of {', '.join(known)}.")
    if bodies == "drawn" and (weight is not None or age is not None):
        raise InputError("Drawn bodies and one weight or age for everyone were given; expected one of the two.")
    if "model" in tolerances and not earlier:
        raise InputError(
            "The tolerance is 'model', which comes from earlier use, and no history was given; expected one. Add a "
            "history such as 'morphine 30 mg po q6h for 60 d'."
        )
    exposure, dose_mg = parse_opioid(opioid, catalogue, ticks("7 d"))
    horizon_s = _horizon(until, exposure)
    horizon_tick = round(horizon_s / 3600.0 * TICKS_PER_HOUR)
    exposure = tuple(e for e in exposure if e.tick <= horizon_tick)
    plans = [parse_plan(words, catalogue, horizon_tick) for words in plans_in]
    slips = unit_slips(catalogue, [*exposure, *(e for plan in plans for e in (*plan.before, *plan.after))])
    delays = [parse_delay(words) for words in delays_in]
    past = [parse_history(words) for words in earlier]
    kind = _source(source, dose_mg, plans, tolerances, earlier)
    body = Body(
        **_surroundings(numbers, altitude, lung, weight, age, breathing, oxygen),
        drawn=_drawn(numbers, seed, altitude, lung) if bodies == "drawn" else None,
        horizon_s=horizon_s,
        grid_s=10.0 if horizon_s <= _SHORT_S else 30.0,
        rule=collapse,
        seed=seed,
        threads=threads,
    )
    made: PublishedSource | GeneralSource
    if kind == "published":
        if parameters == "drawn":
            raise InputError("Drawn parameters were given for the published source; expected the general one. Add "
                             "source 'general' (--source general), or leave them out.")  # fmt: skip
        assert dose_mg is not None  # _source has checked
        made = PublishedSource(exposure[0].drug or "", dose_mg, n, body, numbers)
    else:
        from schild.overdose.general import GeneralSource

        fixed = {k: v for k, v in (("weight_kg", weight), ("age_years", age)) if v is not None}
        made = general = GeneralSource(
            exposure, past, fixed, n, body, numbers, anchored=link == "anchored", drawn=parameters == "drawn"
        )
        for plan in plans:
            general.check(plan)
    rows = _rows(made, plans, delays, tolerances, n, body, progress)
    return Rescued(
        opioid=opioid.strip(),
        source=kind,
        rows=rows,
        times_s=body.times_s,
        baseline_l_min=body.baseline_l_min,
        horizon_s=horizon_s,
        warnings=(
            *_dangers(rows),
            *_late(plans, rows, horizon_s),
            *slips,
            *made.warnings,
            *numbers.uses.unused(numbers.overrides),
        ),
        manifest={
            **_manifest(locals()),
            "catalogue": numbers.uses.digests(catalogue),
            **catalogue.stamp,
            "numbers": dict(numbers.overrides),
        },
        sources=made.cited,
        catalogue=catalogue,
    )


def _rows(
    made: PublishedSource | GeneralSource,
    plans: Sequence[Plan],
    delays: Sequence[Delay],
    tolerances: Sequence[str],
    n: int,
    body: Body,
    progress: Callable[[int, int], None] | None,
) -> tuple[Row, ...]:
    """Compute the cells of the table, some people at a time."""

    def waits(plan: Plan) -> bool:
        given = plan.after or (plan.published is not None and plan.published.doses)
        return bool(given or body.interventions)

    cells = []
    for name in tolerances:
        for k, when in enumerate(delays):
            # A regimen without a rescuer does not depend on the delay and is computed once.
            cells += [(plan, when, name) for plan in plans if waits(plan) or k == 0]
    if n * len(cells) > MAX_IN_ALL:
        raise InputError(
            f"{n:,} people in {len(cells):,} cells of regimen, delay and tolerance are {n * len(cells):,}; expected at "
            f"most {MAX_IN_ALL:,} in all. Ask for fewer people or delays."
        )
    together_s = _MANY if body.horizon_s <= _SHORT_S else _FEW
    rows, done = [], 0
    for plan, when, name in cells:
        parts = []
        for first, last in groups(0, n, together_s):
            parts.append(made.cell(first, last, plan, when, name))
            done += last - first
            if progress is not None:
                progress(done, n * len(cells))
        rows.append(
            Row(
                regimen=plan.words,
                delay=when.words if waits(plan) else "",
                tolerance=name,
                people=together(parts),
                typical=made.typical(plan, when, name),
            )
        )
    return tuple(rows)


def _dangers(rows: Sequence[Row]) -> list[str]:
    """Warnings of danger."""
    arrest = max(row.arrest()[0] for row in rows)
    lost = max(100.0 * float(np.isfinite(row.people.trigger_s).mean()) for row in rows)
    again = max(
        (100.0 * float(r.people.renarcotised[r.people.awake].mean()) for r in rows if r.people.awake.any()), default=0.0
    )
    found = []
    if lost > 0.0:
        found.append(
            f"An exposure like this can kill: up to {percent_words(lost / 100)} of these people lose breathing, "
            f"up to {percent_words(arrest / 100)} have a cardiac arrest."
        )
    if again > 0.0:
        found.append(
            f"Breathing is lost again in up to {percent_words(again / 100)} of those who breathed after the first "
            "dose: an antagonist may wear off before the opioid."
        )
    return found


def _late(plans: Sequence[Plan], rows: Sequence[Row], horizon_s: float) -> Iterator[str]:
    """Name regimens that some of those who lost breathing are not given, because the run ends before."""
    end = f"the end of the run at {time_words(horizon_s / 3600.0)}"
    for plan in plans:
        doses = () if plan.published is None else plan.published.doses
        first_s = min([d.after_s for d in doses] + [e.tick / TICKS_PER_HOUR * 3600.0 for e in plan.after], default=None)
        if first_s is None:
            if plan.published is None and not plan.before:
                yield f"{plan.words}: no dose is given before {end}. Set a later end."
            continue
        for row in rows:
            due = (row.people.trigger_s + row.people.wait_s + first_s)[np.isfinite(row.people.trigger_s)]
            if row.regimen == plan.words and due.size and (late := float((due >= horizon_s).mean())) > 0.0:
                yield (
                    f"{plan.words}, {row.delay}, {row.tolerance}: {percent_words(late)} of those who lose breathing "
                    f"are given no dose before {end}. Set a later end or a shorter delay."
                )


def _many(given: str | Sequence[str], name: str) -> list[str]:
    if not isinstance(given, str | Sequence) or not all(isinstance(x, str) for x in given):
        raise InputError(f"{name} is {given!r}; expected words, or several of them.")
    found = [given] if isinstance(given, str) else list(given)
    if not found:
        raise InputError(f"No {name} was given; expected one or more.")
    if len(set(found)) < len(found):
        raise InputError(f"{name} has one entry twice ({', '.join(map(repr, found))}); expected each once.")
    return found


def _horizon(until: TimeLike | None, exposure: Sequence[Any]) -> float:
    if until is None:
        return (2.0 if all(e.route in _FAST for e in exposure) else 24.0) * 3600.0
    found = ticks(until) / TICKS_PER_HOUR * 3600.0
    if not 60.0 <= found <= _LONGEST_S:
        raise InputError(f"until is {until!r}; expected 1 min to 7 d.")
    return found


def _source(
    wanted: str, dose_mg: float | None, plans: Sequence[Plan], tolerances: Sequence[str], history: Sequence[str]
) -> str:
    if wanted not in ("auto", "published", "general"):
        raise InputError(f"source is {wanted!r}; expected auto, published or general.")
    why = []
    if dose_mg is None:
        why.append("the opioid is not one dose of fentanyl or carfentanil iv")
    why += [f"it has no {plan.words!r}" for plan in plans if plan.published is None]
    if "model" in tolerances or history:
        why.append("it has no history")
    named = [plan.words for plan in plans if plan.published is not None and plan.published.doses and not plan.after]
    if wanted == "published" and why:
        raise InputError(f"The published source cannot do this: {'; '.join(why)}. Leave the source out.")
    if wanted == "general" or (wanted == "auto" and why):
        if named:
            raise InputError(
                f"{named[0]!r} is a name of the published tables, which the general source does not have"
                f"{' (needed here: ' + '; '.join(why) + ')' if why else ''}. Write the regimen in words."
            )
        return "general"
    return "published"


def _surroundings(
    values: Values,
    altitude: float,
    lung: str | None,
    weight: float | None,
    age: float | None,
    breathing: str | None,
    oxygen: str | None,
) -> dict[str, Any]:
    """Physiology, its starting state, and care of the person."""
    physiology, plan = published(values), record("protocol", values)
    body = {"weight_kg": weight, "age_years": age, **({} if lung is None else parse_lung(lung))}
    changes = {key: value for key, value in body.items() if value is not None}
    if changes or altitude:
        physiology = scaled(physiology, altitude_m=altitude, values=values, **changes)
    start = warm_up(1, physiology, seconds=plan.warmup)
    found: list[Intervention] = []
    if breathing is not None:
        care = parse_care(breathing, "breathing")
        plain = Body(physiology=physiology, start=start, horizon_s=1.0, grid_s=1.0)
        found.append(care if care.value is not None else replace(care, value=plain.baseline_l_min))
    if oxygen is not None:
        care = parse_care(oxygen, "oxygen")
        found.append(replace(care, value=_inspired(values, physiology, altitude, care.value)))
    return {"physiology": physiology, "start": start, "interventions": tuple(found), "plan": plan}


def _drawn(values: Values, seed: int, altitude: float, lung: str | None) -> Callable[[int, int], Any]:
    """Bodies of the catalogue's adults, the same people whose kinetics the general source draws."""
    changes = {} if lung is None else parse_lung(lung)

    @cache
    def some(first: int, last: int) -> tuple[Physiology, Any]:
        who = people_of(Population(n=last - first), values, seed, first=first).covariates
        weight, age = (np.asarray(who[name], dtype=np.float64) for name in ("weight_kg", "age_years"))
        physiology = scaled(
            published(values), altitude_m=altitude, weight_kg=weight, age_years=age, values=values, **changes
        )
        return physiology, warm_up(last - first, physiology, seconds=record("protocol", values).warmup)

    return some


def _inspired(values: Values, physiology: Physiology, altitude_m: float, share: float) -> float:
    """Pressure of inhaled oxygen: its share of the pressure without water vapour. [mmHg]"""
    rule = record("scaling", values)
    dry = float(rule.pressure * np.exp(-altitude_m / rule.height) - rule.water)
    return max(share * dry, float(physiology.lung.inspired_o2))


def _manifest(given: Mapping[str, Any]) -> dict[str, Any]:
    named = ("opioid", "seed", "collapse", "link", "parameters", "breathing", "oxygen", "altitude", "lung", "weight",
             "age", "horizon_s")  # fmt: skip
    return {
        "schild": __version__,
        **{key: given[key] for key in named},
        "antagonist": given["plans_in"],
        "delay": given["delays_in"],
        "tolerance": given["tolerances"],
        "history": given["earlier"],
        "source": given["kind"],
        "subjects": given["n"],
        "rtol": RTOL,
        "framing": FRAMING,
    }
