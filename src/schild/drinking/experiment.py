"""Laboratory experiments with alcohol: the same session with placebo and with an antagonist."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from schild import __version__
from schild.array_types import Floats
from schild.catalog import Catalogue, load
from schild.drinking.effect_size import EffectSize, hedges_g
from schild.drinking.people import Drinkers, drinkers
from schild.drinking.protocols import PROTOCOLS, Protocol, protocol
from schild.engine.kept import call
from schild.engine.session import SessionResult, run_sessions
from schild.engine.streams import normals, uniforms
from schild.errors import InputError
from schild.figures import COLOURS, GREY, INK, Chart, Picture
from schild.people import Given, Uses, Values
from schild.population import Population, Subject, people_of
from schild.regimen import expand, parse_regimen
from schild.results import Shown
from schild.simulation import Result, Run, simulate_run
from schild.tables import people_words
from schild.units import TICKS_PER_HOUR, TimeLike, hours

#: Rated outcomes, by signal of the session; all others are counted or measured.
RATED = {"stimulation": "reward", "sedation": "sedation", "mood": "mood", "craving": "craving"}
#: Outcomes in words, with their units.
OUTCOMES = {
    "stimulation": "stimulation [points]", "sedation": "sedation [points]", "mood": "negative mood [points]",
    "craving": "craving [points]", "drinks": "drinks", "first": "time to the first drink [h]",
    "peak_bac": "peak level [g/L]",
}  # fmt: skip
PLACEBO, ANTAGONIST = "placebo", "antagonist"
#: Time from the last dose to the beginning of a session, by default. [h]
_AFTER_H = 3.0
#: Largest number of people: courses of both sessions are kept, about 5 kB for each person.
MAX_PEOPLE = 200_000


def occupancy_course(
    regimens: Sequence[str],
    begin_h: float,
    grid: Floats,
    *,
    population: Mapping[str, Any] | None = None,
    seed: int = 1,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    threads: int | None = None,
    uses: Uses | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Floats, Subject | Population, Result]:
    """Occupancy of mu by all antagonists on board during a session, as a scan would see it.

    ``begin_h``: beginning of the session on the time axis of the regimens [h]; ``grid``, shape (n_grid,): times in the
    session [h]; ``population``, ``seed``, ``catalogue``, ``overrides``, ``threads`` and ``progress``:
    as for ``simulate``; ``uses``: record to add to. Returns ``occupancy`` [1], shape (n, n_grid); ``who``: the people,
    for ``people_of``; ``result``: the run, for its sources and manifest. Raises InputError if a regimen holds an
    agonist: occupancy by an opioid that also activates is not that of an antagonist.

    >>> import numpy as np
    >>> held, _, _ = occupancy_course(["naltrexone 50 mg po"], 3.0, np.array([0.0, 1.0]))
    >>> held.shape, bool(held.min() > 0.8)
    ((1, 2), True)
    """
    catalogue = catalogue or load()
    for text in regimens:
        for dose in parse_regimen(text).doses:
            if dose.drug is not None and catalogue.drug(dose.drug).role != "antagonist":
                raise InputError(
                    f"{dose.drug} has the role {catalogue.drug(dose.drug).role}; expected an antagonist. A session "
                    "with alcohol in the laboratory takes antagonists only."
                )
    # All protocols on the usual grid read the course of the longest, so that while a command runs they share a run.
    longest = max((plan.grid for plan in PROTOCOLS.values()), key=len)
    times = longest if np.array_equal(grid, longest[: grid.size]) else grid
    run = Run.of(
        *regimens,
        until=f"{begin_h + float(times[-1]) + 1.0:g} h",
        seed=seed,
        receptors=["mor"],
        outputs=["mor_pet_occupancy"],
        adaptation=False,
        population=population,
    )
    ticks = [round((begin_h + t) * TICKS_PER_HOUR) for t in times]
    result = simulate_run(
        run, times_tick=ticks, catalogue=catalogue, overrides=overrides, threads=threads, uses=uses, progress=progress,
        metrics=False,
    )  # fmt: skip
    held = np.clip(result["mor_pet_occupancy"].values[:, : grid.size].astype(np.float64), 0.0, 1.0)
    return held, run.who, result


def sit(plan: Protocol, people: Drinkers, occupancy: Floats, seed: int, occasion: str, **options: Any) -> SessionResult:
    """Run one session of some people.

    ``plan``: what is given and offered; ``occupancy``, shape (n, n_grid) or (n,): of mu by an antagonist [1];
    ``occasion``: name of the session, which determines the random decisions; ``options``: of ``run_sessions``.

    >>> from schild.drinking.protocols import PROTOCOLS
    >>> one = drinkers(Values(load(), people_of(Subject(), load(), 1)))
    >>> result = sit(PROTOCOLS["fixed_dose"], one, np.zeros(1), 1, "placebo")
    >>> bool(0.3 < result.signal("bac").max() < 1.2)
    True
    """
    grid = plan.grid
    n = people.n
    given, infusion = np.zeros((n, grid.size)), np.zeros((n, grid.size))
    dose = plan.first_dose(people)
    if plan.infused_over > 0.0:
        pieces = max(1, round(plan.infused_over / plan.every))
        infusion[:, :pieces] = (dose / (pieces * plan.every))[:, None]
    else:
        given[:, 0] = dose
    offered = plan.during(plan.offered)
    uniform = np.ones((n, grid.size))
    for k in np.flatnonzero(offered):
        uniform[:, k] = uniforms(seed, f"session.{occasion}.{k}", 0, n)
    return call(
        run_sessions,
        people.with_(drink_g=plan.one_drink(people)).rows,
        grid,
        occupancy,
        uniform,
        cue=plan.during(plan.cue).astype(np.float64),
        given=given,
        infusion=infusion,
        offered=offered,
        most=plan.most,
        **options,
    )


def measure(plan: Protocol, people: Drinkers, found: SessionResult, seed: int, occasion: str) -> dict[str, Floats]:
    """Scores of the session, shape (n,) each: ratings with the noise of people and of the occasion.

    ``seed`` and ``occasion``: as for ``sit``: the noise of a person is the same on all occasions, the rest
    is new. Returns ratings in points of 100 (latent: not cut off at the ends), drinks, hours, g/L.
    """
    values: dict[str, Floats] = {}
    for name in plan.measures:
        if name in RATED:
            rest, points, sd = people.rating[name]
            course = found.signal(RATED[name])
            during = plan.during(plan.cue)
            raw = course[:, during].mean(axis=1) if name == "craving" and during.any() else course.max(axis=1)
            own = normals(seed, f"laboratory.person.{name}", 0, people.n)
            new = normals(seed, f"laboratory.{occasion}.{name}", 0, people.n)
            noise = np.sqrt(1.0 - people.within) * own + np.sqrt(people.within) * new
            values[name] = rest + points * raw + sd * noise
        elif name == "drinks":
            values[name] = found.drinks.astype(np.float64)
        elif name == "first" and plan.offered is not None:
            begin, end = plan.offered
            values[name] = np.where(np.isfinite(found.first_h), found.first_h, end) - begin
        elif name == "peak_bac":
            values[name] = found.signal("bac").max(axis=1)
    return values


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Laboratory(Shown):
    """Experiment in the laboratory: outcomes of people with placebo and with an antagonist."""

    plan: Protocol  #: The session
    antagonist: tuple[str, ...]  #: Regimens in words
    design: str  #: ``crossover`` or ``parallel``
    effects: Mapping[str, EffectSize]  #: Antagonist against placebo, by outcome
    bands: Mapping[str, tuple[float, float]]  #: 90 % range of g over parameter draws; empty without draws
    values: Mapping[str, tuple[Floats, Floats]]  #: Placebo and antagonist, one value for each person
    courses: Mapping[str, Floats]  #: Median course of some signals: placebo, antagonist; shape (2, n_grid)
    occupancy: Floats  #: Mean occupancy of each person during the session [1]; shape (n,)
    warnings: tuple[str, ...]  #: To read before using the numbers
    sources: Mapping[str, tuple[str, ...]]  #: Citation key to the numbers it is used for
    manifest: Mapping[str, Any]  #: Data needed to repeat the experiment
    catalogue: Catalogue = field(repr=False)

    def about(self) -> str:
        """Describe the result in one line."""
        found = ", ".join(f"{OUTCOMES[name].partition(' [')[0]} {e.g:+.2f}" for name, e in self.effects.items())
        who = people_words(self.occupancy.size)
        return f"{self.plan.says} {'; '.join(self.antagonist)}; {who}; Hedges g against placebo: {found}"

    def summary(self) -> list[dict[str, Any]]:
        """Return one row for each outcome."""
        rows = []
        for name, e in self.effects.items():
            row = {
                "outcome": name, "g": e.g, "low": e.low, "high": e.high, "p": e.p, "placebo": e.control,
                "antagonist": e.treated, "sd": e.sd, "n": e.n,
            }  # fmt: skip
            if name in self.bands:
                row["q05"], row["q95"] = self.bands[name]
            rows.append(row)
        return rows

    def content(self) -> dict[str, Any]:
        """Return the rows of the outcomes."""
        return {"laboratory": self.summary()}

    def picture(self) -> Picture:
        """Charts of median courses with placebo and antagonist, and of the effect sizes."""
        titles = {name: OUTCOMES[name] for name in ("stimulation", "sedation", "craving")}
        titles = {"bac": "alcohol in blood [g/L]", **titles, "drinks": "drinks chosen, mean"}
        charts = []
        for name, title in titles.items():
            chart = Chart(220.0)
            for k, label in enumerate((PLACEBO, ANTAGONIST)):
                chart.line(60.0 * self.plan.grid, self.courses[name][k], color=COLOURS[k], label=label)
            chart.title, chart.x.label, chart.legend = title, "minutes", "below"
            charts.append(chart)
        chart = Chart(0.0)
        chart.rows([OUTCOMES[name].partition(" [")[0] for name in self.effects])
        for k, e in enumerate(self.effects.values()):
            chart.line([e.low, e.high], [k, k], color=INK, width=1.2)
            chart.marks([e.g], [k], color=COLOURS[1], size=5.0)
        chart.rule(x=0.0, dashes="-", color=GREY)
        chart.title = "Hedges g, 95 % interval"
        title = f"{'; '.join(self.antagonist)}: {self.plan.says}"
        caption = "Medians under placebo and the antagonist; effect sizes with their 95 % intervals."
        return Picture([*charts, chart], title, caption, columns=3)


def laboratory(
    plan: str | Protocol,
    antagonist: str | Sequence[str] = "naltrexone 50 mg po q24h x7",
    *,
    at: TimeLike | None = None,
    n: int = 200,
    design: str = "crossover",
    population: Mapping[str, Any] | None = None,
    moderators: Mapping[str, bool] | None = None,
    draws: int = 0,
    common: bool = False,
    seed: int = 1,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    **changes: Any,
) -> Laboratory:
    """Let people drink in a laboratory with placebo and with an antagonist.

    Parameters
    ----------
    plan : str or Protocol
        ``fixed_dose``, ``cue``, ``self_administration``, ``bar``, or your own protocol.
    antagonist : str or sequence of str
        Regimens in words.
    at : time, optional
        Beginning of the session on the time axis of the regimen; 3 h after the last dose by default.
    n : int
        People; in each group of a parallel design.
    design : {"crossover", "parallel"}
        Whether both sessions are of the same people.
    population : mapping, optional
        As for ``simulate``: covariates given to all, ``variability``, ``occasions``.
    moderators : mapping, optional
        Subgroups to which everybody belongs, see ``drinkers``. None by default.
    draws : int
        Parameter sets drawn from the uncertainty of the typical values, each given to the same people; they make
        the bands.
    common : bool
        Whether both sessions use the same random decisions and ratings: less noise in a difference of means, but no
        longer what a study would see.
    seed : int
        Seed of people, decisions and ratings.
    catalogue, overrides, threads, progress
        As for ``simulate``; numbers of a session are those of ``alcohol``, and the kinetics of ``ethanol``.
    **changes
        Fields of the protocol to replace, e.g. ``grams_per_kg=0.4``.

    Returns
    -------
    Laboratory
        Effect sizes, values of each person, courses.

    Raises
    ------
    InputError
        For anything that cannot be run; the message says what was given, what was expected and what to do.

    Examples
    --------
    >>> found = laboratory("fixed_dose", n=40, common=True)
    >>> found.effects["stimulation"].g < 0.0 < found.effects["sedation"].g
    True
    """
    if design not in ("crossover", "parallel"):
        raise InputError(f"design is {design!r}; expected 'crossover' or 'parallel'. Choose one of them.")
    catalogue = catalogue or load()
    plan = protocol(plan, **changes)
    regimens = (antagonist,) if isinstance(antagonist, str) else tuple(antagonist)
    groups = 2 if design == "parallel" else 1
    begin_h = last_dose_h(regimens) + _AFTER_H if at is None else hours(at)
    if not begin_h >= 0.0:
        raise InputError(f"The session begins at {begin_h:g} h; expected 0 or later. Give doses before 0 with 'from'.")
    if groups * n * max(draws, 1) > MAX_PEOPLE:
        raise InputError(
            f"{groups * n:,} people and {draws} parameter sets were asked for; expected at most {MAX_PEOPLE:,} people "
            "times sets. Ask for fewer, or run several seeds."
        )
    uses = Uses()
    values = Values(catalogue, overrides=overrides, uses=uses)
    held, who, result = occupancy_course(
        regimens,
        begin_h,
        plan.grid,
        population={**(population or {}), "n": groups * n, "uncertainty": draws},
        seed=seed,
        catalogue=catalogue,
        overrides=values.overrides,
        threads=threads,
        uses=uses,
        progress=progress,
    )
    values = values.of_people(people_of(who, values, seed))
    people = drinkers(values, food=plan.food, moderators=moderators)
    in_all = groups * n
    none = np.zeros(people.n)
    sat = [
        sit(plan, people, occupancy, seed, PLACEBO if common else occasion, threads=threads)
        for occasion, occupancy in ((PLACEBO, none), (ANTAGONIST, held))
    ]
    scored = [
        measure(plan, people, found, seed, PLACEBO if common else occasion)
        for occasion, found in zip((PLACEBO, ANTAGONIST), sat, strict=True)
    ]
    failed = int(np.count_nonzero(sat[0].status | sat[1].status | (result.status != 0)))
    good = (sat[0].status == 0) & (sat[1].status == 0) & (result.status == 0)
    # In a parallel design the first n people take placebo and the others the antagonist.
    sides = [np.arange(people.n) % in_all < n, np.arange(people.n) % in_all >= n] if groups == 2 else [good, good]
    each_side = {name: (scored[0][name][sides[0] & good], scored[1][name][sides[1] & good]) for name in plan.measures}
    paired = groups == 1
    if draws:
        sets = np.arange(people.n) // in_all
        bands = {}
        for name in plan.measures:
            each = [
                hedges_g(
                    scored[1][name][sides[1] & good & (sets == k)],
                    scored[0][name][sides[0] & good & (sets == k)],
                    paired=paired,
                ).g
                for k in range(draws)
            ]
            bands[name] = (float(np.quantile(each, 0.05)), float(np.quantile(each, 0.95)))
        # All else is computed with the best values: people of all sets together are no experiment of this size.
        best = laboratory(
            plan, regimens, at=begin_h, n=n, design=design, population=population, moderators=moderators,
            common=common, seed=seed, catalogue=catalogue, overrides=values.overrides, threads=threads,
        )  # fmt: skip
        return replace(best, bands=bands, manifest={**best.manifest, "draws": draws})
    effects = {name: hedges_g(treated, control, paired=paired) for name, (control, treated) in each_side.items()}
    warnings = [*result.warnings, *values.warnings, *_SAID, *uses.unused(values.overrides, who.given)]
    if failed:
        warnings.append(f"{failed} of {people.n} people could not be followed and are left out.")
    return Laboratory(
        plan=plan,
        antagonist=regimens,
        design=design,
        effects=effects,
        bands={},
        values=each_side,
        courses=_courses(people, sat),
        occupancy=held.mean(axis=1),
        warnings=tuple(warnings),
        sources=uses.sources,
        catalogue=catalogue,
        manifest={
            **result.manifest,
            "catalogue": uses.digests(catalogue),
            "schild": __version__,
            "laboratory": plan.key,
            "design": design,
            "session_at_h": begin_h,
            "subjects": people.n,
            "draws": draws,
            "seed": seed,
            "common": common,
        },
    )


#: Warnings of every experiment.
_SAID = (
    "Sizes of the endogenous release, of ratings and of the spread of drinking between people are assumed; the effects "
    "of an antagonist are fitted to pooled laboratory studies.",
)


def last_dose_h(regimens: Sequence[str]) -> float:
    """Time of the last dose of some regimens. [h]

    >>> last_dose_h(["naltrexone 50 mg po q24h x7"])
    144.0
    """
    ticks = [
        event.tick
        for text in regimens
        for event in expand(parse_regimen(text).doses, 10_000 * TICKS_PER_HOUR)
        if event.drug is not None
    ]
    if not ticks:
        raise InputError("No antagonist is given; expected at least one dose, e.g. 'naltrexone 50 mg po q24h x7'.")
    return max(ticks) / TICKS_PER_HOUR


def _median(courses: Floats) -> Floats:
    """Median of courses, shape (n, n_times), over people: sorting takes half of the time of ``np.median``.

    >>> _median(np.array([[1.0], [4.0], [2.0], [9.0]])).tolist()
    [3.0]
    """
    rows = np.sort(courses.T, axis=1)
    return np.asarray((rows[:, (len(courses) - 1) // 2] + rows[:, len(courses) // 2]) / 2.0)


def _courses(people: Drinkers, sat: Sequence[SessionResult]) -> dict[str, Floats]:
    # The median that looks for missing values takes long; values are missing where a person failed.
    median = partial(np.nanmedian, axis=0) if any(s.status.any() for s in sat) else _median
    found: dict[str, Floats] = {"bac": np.array([median(s.signal("bac")) for s in sat])}
    for name, signal in RATED.items():
        rest, points, _ = people.rating[name]
        found[name] = np.array([rest + points * median(s.signal(signal)) for s in sat])
    found["drinks"] = np.array([np.nanmean(s.signal("drinks"), axis=0) for s in sat])
    return found
