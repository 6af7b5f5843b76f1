"""Simulation of a run for one subject or many, from words, a run file or Python."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from schild.catalog import Catalogue, load
from schild.errors import InputError
from schild.model.build import Built
from schild.model.spec import ENDOGENOUS
from schild.people import Given, Overrides, People, Uses, Values
from schild.population import Population, Subject, people_of
from schild.regimen import Event, expand
from schild.simulation.adaptation import ADAPTATION
from schild.simulation.caution import cautions, label_cautions, left_out, unit_slips
from schild.simulation.effects import Effects
from schild.simulation.guard import AGONISTS, INERT, check_doses
from schild.simulation.output import Output, Recipe
from schild.simulation.prepare import Prepared, prepare, signals_of
from schild.simulation.registry import outputs_of, read, read_metrics
from schild.simulation.result import Result, manifest_of
from schild.simulation.runfile import Run, history_words
from schild.simulation.solve import RTOL, RTOL_ONE
from schild.simulation.times import Between, by_key, doses_of_each, with_sides
from schild.simulation.work import check_work
from schild.units import TICKS_PER_HOUR

__all__ = ["Output", "Result", "Run", "events_of", "model_of", "prepared_of", "simulate", "simulate_run"]

#: Opioids taken for longer than this build adaptation that a run includes: none is seen within hours [Angst2009], and
#: effects were fitted to single doses. [h]
SINGLE_H = 24.0


def simulate(
    *regimens: str,
    until: str | None = None,
    every: str | None = None,
    n: int | None = None,
    subject: Mapping[str, Any] | None = None,
    population: Mapping[str, Any] | None = None,
    seed: int = 1,
    structure: str | Mapping[str, str] | None = None,
    receptors: Sequence[str] = ("mor", "kor", "dor"),
    outputs: Sequence[str] | None = None,
    tone: bool = True,
    without: Sequence[str] = (),
    history: str | Sequence[str] = (),
    adaptation: bool | str | None = None,
    title: str = "",
    rtol: float | None = None,
    threads: int | None = None,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    warn: bool = True,
    plain_grid: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Simulate regimens, given in words, for one person or a population.

    Parameters
    ----------
    *regimens : str
        Such as ``"naltrexone 50 mg po q24h x7"``; one drug each.
    until, every : str, optional
        End of the run and output grid, such as ``"14 d"`` and ``"1 h"``.
    n : int, optional
        Shorthand for ``population={"n": n}``.
    subject, population : mapping, optional
        Sections of the run file: one typical person, or many.
    seed : int
        Seed of the random numbers: runs with the same seed have the same people.
    structure : str or mapping, optional
        Rival mechanism between plasma and receptor, e.g. ``"slow_receptor"``.
    receptors : sequence of str
        ``mor``, ``kor``, ``dor``, ``mor_gut``.
    outputs : sequence of str, optional
        Outputs to keep; all by default.
    tone : bool
        Whether the endogenous agonist competes.
    without : sequence of str
        Species that are followed but bind nothing.
    history : str or sequence of str
        Earlier use of opioids: ``"morphine 30 mg po q6h for 60 d stopped 10 d"``.
    adaptation : bool or str, optional
        Tolerance, dependence and withdrawal: yes, no, or a mechanism of the catalogue. By default yes with a history,
        with opioids for more than a day, or if one of its outputs is asked for.
    title : str
        Title in figures and manifest.
    rtol : float, optional
        Tolerance of the binding integrator.
    threads : int, optional
        Number of threads; by default all processors. It never changes a result.
    catalogue : Catalogue, optional
        Another catalogue than the built-in one.
    overrides : mapping, optional
        Numbers in place of the catalogue's, by ``"owner.number"``: a value in the number's own unit, or text with a
        unit, such as ``{"naltrexone.cl": "120 L/h", "pupil.baseline": "5 mm"}``. Those that no number of the run uses
        are named in ``warnings``.
    warn : bool
        Whether to warn of withdrawal and of lost tolerance, which needs further runs.
    plain_grid : bool
        Keep exactly the times of ``every``, to compare runs point by point. By default the output times also hold both
        sides of every event: 1 us before it, and at it.
    progress : callable, optional
        Called with the number of subjects done and their total.

    Returns
    -------
    Result
        Outputs, metrics, warnings, manifest.

    Raises
    ------
    InputError
        For anything that cannot be simulated; the message says what was given, what was expected and what to do.

    Examples
    --------
    >>> result = simulate("naltrexone 50 mg po q24h x7", until="8 d")
    >>> round(result["mor_pet_occupancy"].at("148 h"), 2)
    0.96
    """
    run = Run.of(
        *regimens, subject=subject, population=population, n=n, history=history, until=until, every=every, seed=seed,
        title=title, tone=tone, structure=structure, receptors=list(receptors), without=list(without),
        outputs=None if outputs is None else list(outputs), adaptation=adaptation, rtol=rtol,
    )  # fmt: skip
    return simulate_run(
        run, threads=threads, catalogue=catalogue, overrides=overrides, warn=warn, plain_grid=plain_grid,
        progress=progress,
    )  # fmt: skip


def events_of(run: Run) -> tuple[Event, ...]:
    """Expand the doses of a run, earlier use included, as ``--dry-run`` prints them."""
    return expand((*run.history, *run.doses), run.until_tick)


def model_of(run: Run, *, catalogue: Catalogue | None = None, overrides: Given | None = None) -> Built:
    """Check a run and build its model for one typical person, without solving it.

    ``run``: what to simulate; of a population, the covariates given to all are kept; ``catalogue``: the built-in
    one by default; ``overrides``: numbers in place of the catalogue's, as for ``simulate``. Returns structure,
    parameters, engine entries and the numbers used. Raises InputError as for ``simulate``.
    """
    return prepared_of(run, catalogue=catalogue, overrides=overrides).built


def prepared_of(
    run: Run,
    *,
    people: People | None = None,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
) -> Prepared:
    """Check a run and prepare its model, for one typical person or for given people.

    ``people``: the people who take the doses; ``run``, ``catalogue`` and ``overrides`` as for ``model_of``. Returns a
    model that is solved with the tolerance of one person. Raises InputError as for ``simulate``.

    >>> prepared_of(Run.of("naloxone 0.4 mg iv", until="1 h")).built.values.people.n
    1
    """
    catalogue = catalogue or load()
    who = run.who
    if isinstance(who, Population):
        catalogue.populations[who.key]  # an unknown one is refused
        who = Subject(**who.fixed)  # type: ignore[arg-type]  # the population has checked them
    numbers = Values(catalogue, overrides=_given(run, overrides, catalogue))
    prepared = _prepare(run, who, numbers, people, fast_forward=False, rtol=RTOL_ONE)[1]
    outputs_of(Effects(built=prepared.built), run.run.outputs)
    return prepared


def _given(run: Run, overrides: Given | None, catalogue: Catalogue) -> Overrides:
    """Numbers given in the run file and as an argument; the argument takes precedence."""
    return Overrides.of(run.numbers, catalogue).and_(overrides, catalogue)


def _prepare(
    run: Run, who: Subject | Population, numbers: Values, people: People | None = None, **options: Any
) -> tuple[tuple[Event, ...], Prepared, list[str]]:
    """Events of a run, its model, and warnings about its doses."""
    events = by_key(events_of(run), numbers.catalogue)
    if not any(e.drug is not None for e in events):
        raise InputError(
            f"No dose is given before the end of the run at {run.until_h:g} h; expected at least one. "
            "Make the run longer or the doses earlier."
        )
    warnings = [
        *check_doses(numbers, events, who),
        *label_cautions(numbers, events),
        *unit_slips(numbers.catalogue, events),
        *left_out(run),
    ]
    prepared = prepare(
        numbers.of_people(people or people_of(who, numbers, run.run.seed)),
        events,
        history=run.history,
        structure=run.run.structure,
        receptors=run.run.receptors,
        tone=run.run.tone,
        without=run.run.without,
        adaptation=_mechanism(run, numbers.catalogue, events),
        **options,
    )
    return events, prepared, warnings


def _idle(run: Run, built: Built) -> Iterator[str]:
    """Warn of entries of a run that name a drug or a structure that it does not have."""
    catalogue, wanted = built.values.catalogue, run.run.structure
    for name in run.run.without or ():
        if (key := catalogue.drug(name).key) not in built.drugs:
            instead = " Leave it out with tone = false." if key == ENDOGENOUS else ""
            yield f"without names {name}, which is not a drug of this run or a metabolite of one.{instead}"
    of = {key: drug.follows or key for key, drug in built.drugs.items()}
    if isinstance(wanted, str):
        if not any(wanted in catalogue.drug(source).structures for source in of.values()):
            yield f"structure = {wanted} was given, and no drug of this run has it."
    elif wanted:
        for name in wanted:
            if catalogue.drug(name).key not in {*of, *of.values()}:
                yield f"structure names {name}, which is not a drug of this run or a metabolite of one."


def _own_effects(built: Built, outputs: Collection[str]) -> Iterator[str]:
    """Warn of effects that an antagonist has by itself in the model, on efficacies that are assumed."""
    catalogue, effects = built.values.catalogue, Effects(built=built)
    for key in built.drugs:
        drug = catalogue.drug(key)
        if drug.role != "antagonist":
            continue
        felt: dict[str, list[str]] = {}
        for name in effects.available():
            for signal in effects.signals(name) if name in outputs else ():
                receptor, _, species = signal.partition("_occupancy_")
                if species == key:
                    felt.setdefault(receptor, []).append(catalogue.effects[name].name)
        for receptor, names in felt.items():
            efficacy = str(drug.binding[receptor].efficacy)
            size = built.values.typical(key, efficacy)
            if size > INERT and drug.numbers[efficacy].chosen.basis == "assumed":
                yield (
                    f"{drug.name} has an assumed efficacy of {size:g} at the {catalogue.receptors[receptor].name}, and "
                    f"so an effect of its own here ({', '.join(names)}). Do not read it as measured in people."
                )


def _mechanism(run: Run, catalogue: Catalogue, events: Sequence[Event]) -> str | None:
    """Mechanism of adaptation of a run, None for a run without."""
    wanted = run.run.adaptation
    if wanted is False:
        return None
    if isinstance(wanted, str):
        return catalogue.adaptation[wanted].key
    if wanted is None and not run.history:
        names = {kind.name for kind in ADAPTATION}
        asked = [o for o in run.run.outputs or () if o in names or o.startswith("adaptation_")]
        taken = [e for e in events if e.drug is not None and catalogue.drug(e.drug).role in AGONISTS]
        long = bool(taken) and (
            max(e.tick + e.duration_tick for e in taken) - taken[0].tick > SINGLE_H * TICKS_PER_HOUR
            or any(e.ss for e in taken)
        )
        if not asked and not long:
            return None
    key = next((key for key, entry in catalogue.adaptation.items() if entry.default), None)
    if (
        wanted is None
        and not run.history
        and key is not None
        and not set(catalogue.adaptation[key].receptors) <= set(run.run.receptors)
    ):
        return None  # the run follows other receptors only
    return key


def simulate_run(
    run: Run,
    *,
    people: People | None = None,
    rtol: float | None = None,
    threads: int | None = None,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
    times_tick: Sequence[int] | None = None,
    fast_forward: bool = True,
    warn: bool = True,
    uses: Uses | None = None,
    plain_grid: bool = False,
    metrics: bool = True,
) -> Result:
    """Simulate a run whose content has been checked.

    Parameters
    ----------
    run : Run
        The run to simulate.
    people : People, optional
        People who take the doses, in place of those that the run draws; as many as the run has.
    rtol, threads, catalogue, overrides, progress
        As in ``simulate``.
    times_tick : sequence of int, optional
        Output times in place of the grid of the run and the sides of events: rising, none before 0. [us]
    fast_forward : bool
        Whether regular earlier use is solved period by period; False integrates it dose by dose, as a check.
    warn : bool
        Whether to warn of withdrawal and of lost tolerance, which needs further runs with 200 people.
    uses : Uses, optional
        Record of the command that this run is a part of, which reports the given numbers that were not used.
    plain_grid : bool
        As in ``simulate``.
    metrics : bool
        Whether to follow peaks, areas and times between output times; without them the result has no metrics.

    Returns
    -------
    Result
        Outputs, metrics, warnings, sources and the manifest.

    Raises
    ------
    InputError
        If the run cannot be made or needs too much memory; the message says what to change.

    Examples
    --------
    >>> run = Run.of("naltrexone 50 mg po", until="1 h", every="30 min", outputs=["plasma_naltrexone"])
    >>> simulate_run(run)["plasma_naltrexone"].values.shape
    (1, 3)
    """
    catalogue = catalogue or load()
    given = _given(run, overrides, catalogue)
    if overrides or rtol is not None:
        head = run.run if rtol is None else run.run.model_copy(update={"rtol": rtol})
        run = run.model_copy(update={"numbers": dict(given), "run": head})
    who = run.who
    rtol = run.run.rtol or (RTOL if isinstance(who, Population) else RTOL_ONE)
    events, prepared, warnings = _prepare(
        run, who, Values(catalogue, overrides=given, uses=uses), people, fast_forward=fast_forward, rtol=rtol,
        threads=threads,
    )  # fmt: skip
    built, values = prepared.built, prepared.built.values
    people = values.people
    whole_grid = times_tick is None and not plain_grid
    first = len(run.history)
    own = [e for e in events if e.order >= first]
    grid = run.grid_tick if times_tick is None else times_tick
    if whole_grid:
        grid = with_sides(grid, own, built.entries)
    asked = None if run.run.outputs is None else tuple(run.run.outputs)
    recipes, numbers = built.once(("outputs", asked), lambda: _outputs(built, asked))
    reduced = [recipe for recipe in recipes if recipe.fold is not None and metrics]
    store, single = signals_of(recipes), people.n == 1
    dtype = np.float64 if single else np.float32
    check_work(
        f"{people.n:,} subjects, {len(store)} signals, {len(events):,} doses and {len(grid):,} times",
        people=people.n,
        steps=len(events) + len(grid),
        byte=max(len(store), 1) * len(grid) * dtype().nbytes + built.bytes_each,
        instead="Ask for fewer outputs, a coarser grid (every) or fewer people.",
    )
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(done, people.n)

    solution = prepared.solve(
        grid,
        recipes,
        reduce=[recipe.fold for recipe in reduced if recipe.fold is not None],
        dtype=dtype,
        progress=advance,
    )
    if said := solution.failures():
        warnings.append(said)
    title = [*(history_words(d) for d in run.history), *(d.to_words() for d in run.doses)]
    if warn and built.mechanism is not None:

        def again(other: Run, times: Sequence[int]) -> Result:
            return simulate_run(
                other,
                threads=threads,
                catalogue=catalogue,
                overrides=given,
                times_tick=times,
                warn=False,
                uses=Uses(),
                metrics=False,
            )

        warnings += cautions(run, events, catalogue, again)

    def between(times: Sequence[int]) -> dict[str, Output]:
        return read(recipes, prepared.solve(times, recipes, dtype=dtype))

    draws = who.draws if isinstance(who, Population) else 0
    outputs = read(recipes, solution, draws, Between(between, grid, built.entries) if whole_grid else None)
    values.take_over(numbers)
    found = read_metrics(reduced, solution)
    doses = doses_of_each([e for e in own if 0 <= e.tick <= grid[-1]], catalogue) if whole_grid else {}
    if metrics:
        found |= _troughs(outputs, doses, grid)
    if uses is None:
        warnings += (*values.uses.unused(given, who.given), *_idle(run, built), *_own_effects(built, outputs))
    return Result(
        title=run.run.title or "; ".join(title),
        outputs=outputs,
        each=found,
        values=values,
        doses=doses,
        warnings=(*warnings, *built.warnings),
        describe=partial(manifest_of, run, values, dict(built.structures), rtol),
        status=solution.engine.status,
        catalogue=catalogue,
        run=run if times_tick is None else None,
    )


def _outputs(built: Built, wanted: Sequence[str] | None) -> tuple[list[Recipe], Values]:
    """Outputs of a model, and the values that these use: apart from those of the run, as they serve every later run."""
    values = built.values if built.kept is None else built.values.apart()
    return outputs_of(Effects(built=replace(built, values=values, kept=None)), wanted), values


def _troughs(
    outputs: Mapping[str, Output], doses: Mapping[str | None, Sequence[Event]], grid: Sequence[int]
) -> dict[str, Any]:
    """Levels and occupancies just before the last dose of drugs that were given more than once.

    ``grid``: output times, which hold both sides of every dose. [us]
    """
    last = {key: bisect_left(grid, some[-1].tick - 1) for key, some in doses.items() if some[-1].tick > some[0].tick}
    found: dict[str, Any] = {}
    for name, output in outputs.items():
        kind, _, species = name.partition("_")
        if kind == "plasma" and species in last:
            found[f"ctrough_{species}_ng_ml"] = output.values[:, last[species]].astype(np.float64)
        elif name.endswith("_pet_occupancy") and None in last:
            found[f"{name}_trough"] = output.values[:, last[None]].astype(np.float64)
    return found
