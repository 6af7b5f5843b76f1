"""Challenges: the same run with and without the antagonist, and the block of an agonist's effect over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from schild.array_types import Floats
from schild.catalog import Catalogue, load
from schild.engine.kept import once
from schild.errors import InputError
from schild.figures import COLOURS, GREY, Chart, Picture
from schild.people import Given, Uses, Values
from schild.regimen import Regimen, parse_regimen
from schild.results import ShownRun, plain
from schild.simulation import Result, Run, simulate_run
from schild.simulation.output import QUANTILES
from schild.tables import people_words
from schild.units import TICKS_PER_HOUR, TimeLike, format_hours, ticks

#: How long after the agonist a response is looked for. [h]
WINDOW_H = 6.0
STEP_H = 1 / 60.0
#: "Blocked" in words means a median block of at least this.
BLOCKED = 0.8
_LABELS = tuple(f"block_q{round(100 * q):02d}" for q in QUANTILES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One effect of one challenge."""

    time_h: float  #: When the agonist is given [h]
    #: Which effect, and its unit
    effect: str
    unit: str
    #: Largest change from the value just before the agonist, within 6 h; shape (n_subjects,)
    without: Floats
    with_: Floats
    noise: float  #: Change that counts as none; where the response without is smaller the block is not a number

    @property
    def block(self) -> Floats:
        """1 - response with / response without, not clipped; NaN where there is nothing to block."""
        safe = np.where(self.without >= self.noise, self.without, np.nan)
        return np.asarray(1.0 - self.with_ / safe)

    @property
    def median_block(self) -> float:
        """Median over subjects who respond without the antagonist; NaN if nobody does."""
        block = self.block[np.isfinite(self.block)]
        return float(np.median(block)) if block.size else float("nan")

    @property
    def blocked(self) -> bool:
        """Whether the median block is at least 0.8."""
        return bool(self.median_block >= BLOCKED)

    def to_dict(self) -> dict[str, Any]:
        """Return one row of the JSON contract."""
        row: dict[str, Any] = {
            "time_h": self.time_h,
            "effect": self.effect,
            "unit": self.unit,
            "without": np.median(self.without),
            "with": np.median(self.with_),
            "block": self.median_block,
            "blocked": self.blocked,
        }
        if self.without.size > 1:
            good = self.block[np.isfinite(self.block)]
            row |= {
                label: np.quantile(good, q) if good.size else None for label, q in zip(_LABELS, QUANTILES, strict=True)
            }
            row["responders"] = int(good.size)
        return dict(plain(row))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Challenge(ShownRun):
    """Responses of a challenge at one or more times."""

    antagonist: str  #: Its regimens, in words
    agonist: str  #: Its dose, in words
    responses: tuple[Response, ...]  #: By time and effect
    warnings: tuple[str, ...]  #: To read before using the numbers
    manifest: Mapping[str, Any]  #: Of the last run with the antagonist
    result: Result  #: The last run with the antagonist, for its sources
    history: tuple[str, ...] = ()  #: Earlier use, the same in both runs

    def about(self) -> str:
        """Describe the result in one line."""
        n = self.responses[0].without.size if self.responses else 0
        effects: dict[str, list[str]] = {}
        for r in self.responses:
            block = "nothing to block" if np.isnan(r.median_block) else f"{100 * r.median_block:.0f} %"
            effects.setdefault(r.effect, []).append(f"{block} at {r.time_h:g} h")
        said = "; ".join(f"{effect} {', '.join(times)}" for effect, times in effects.items())
        who = "one typical person; block" if n == 1 else f"{people_words(n)}; median block"
        return f"{self.antagonist}, then {self.agonist}; {who}: {said}"

    def summary(self) -> list[dict[str, Any]]:
        """Return the rows of the JSON contract."""
        return [r.to_dict() for r in self.responses]

    def content(self) -> dict[str, Any]:
        """Return the responses."""
        return {"challenge": self.summary()}

    def picture(self) -> Picture:
        """Chart of block over time, one line for each effect; populations with a 90 % band."""
        chart = Chart(260.0)
        chart.title = f"{self.antagonist}, then {self.agonist}"
        for k, name in enumerate(dict.fromkeys(r.effect for r in self.responses)):
            rows = [r for r in self.responses if r.effect == name]
            days, colour = [r.time_h / 24.0 for r in rows], COLOURS[k % len(COLOURS)]
            words = self.result.catalogue.effects[name].name if self.result.catalogue else name
            chart.line(days, [r.median_block for r in rows], color=colour, mark="o", size=5.0, label=words)
            if rows[0].without.size > 1:
                low, high = (
                    [float(np.nanquantile(r.block, q)) if np.isfinite(r.block).any() else np.nan for r in rows]
                    for q in (0.05, 0.95)
                )
                chart.band(days, low, high, color=colour)
        chart.rule(y=BLOCKED, dashes="--", color=GREY)
        chart.x.label, chart.y.label = "time of the agonist [days]", "block"
        chart.y.lim, chart.legend = (-0.1, 1.05), "below"
        chart.x.lim = (0.0, None)
        return Picture([chart], caption=f"Medians; broken line: a block of {BLOCKED:g}, which counts as blocked.")


def challenge(
    antagonist: str | Sequence[str],
    *,
    agonist: str,
    at: TimeLike | Sequence[TimeLike],
    effect: str | Sequence[str] = "liking",
    n: int | None = None,
    subject: Mapping[str, Any] | None = None,
    population: Mapping[str, Any] | None = None,
    seed: int = 1,
    structure: str | Mapping[str, str] | None = None,
    history: str | Sequence[str] = (),
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Challenge:
    """Give an agonist with and without an antagonist on board and compare its effects.

    Parameters
    ----------
    antagonist : str or sequence of str
        Regimens of the antagonist, in words.
    agonist : str
        One dose of one agonist, in words, without a time.
    at : time or sequence of times
        Times at which the agonist is given; each is a separate run.
    effect : str or sequence of str
        ``liking``, ``ventilation``, ``ventilation_isohypercapnic``, ``pupil``, ``analgesia``, ``gut_transit``.
    n, subject, population, seed, structure, history, catalogue, overrides, threads
        As in ``simulate``; the same people take both runs.
    progress : callable, optional
        Called with runs done and runs in all.

    Returns
    -------
    Challenge
        Response without and with, and block = 1 - with / without: a fraction, not clipped, NaN where the response
        without is below the effect's noise.

    Raises
    ------
    InputError
        For doses or times that make no challenge, and for agonist doses above published human challenges.

    Examples
    --------
    >>> found = challenge("naltrexone 50 mg po", agonist="heroin 10 mg iv", at="8 h", effect="pupil")
    >>> [(response.effect, response.time_h, response.block.shape) for response in found.responses]
    [('pupil', 8.0, (1,))]
    """
    catalogue = catalogue or load()
    uses = Uses()
    numbers = Values(catalogue, overrides=overrides, uses=uses)
    regimens = [antagonist] if isinstance(antagonist, str) else list(antagonist)
    effects = [effect] if isinstance(effect, str) else list(effect)
    times = [at] if isinstance(at, (str, float, int)) or not isinstance(at, Sequence) else list(at)
    if not regimens or not effects or not times:
        raise InputError("A challenge needs an antagonist, an effect and a time; one of them is empty. Name it.")
    entries = [catalogue.effects[name] for name in effects]
    _check_agonist(parse_regimen(agonist), agonist, catalogue)
    _check_antagonist(regimens, catalogue)
    receptors = sorted({r for entry in entries for r in entry.reserve} | {"mor"})
    past = [history] if isinstance(history, str) else list(history)
    if past:
        # Tolerance and dependence follow receptors of their own; both runs carry them.
        mechanism = next(entry for entry in catalogue.adaptation.values() if entry.default)
        receptors = sorted({*receptors, *mechanism.receptors})
    head: dict[str, Any] = {
        "subject": subject, "population": population, "n": n, "history": past, "seed": seed, "structure": structure,
        "receptors": receptors, "outputs": effects, "adaptation": True if past else None,
    }  # fmt: skip
    grid = [round(i * STEP_H * TICKS_PER_HOUR) for i in range(round(WINDOW_H / STEP_H) + 1)]

    def run_of(doses: Sequence[str], tick: int) -> Run:
        until = format_hours((tick + grid[-1] + TICKS_PER_HOUR) / TICKS_PER_HOUR)
        return Run.of(*doses, until=until, **head)

    def follow(run: Run, tick: int) -> Result:
        return simulate_run(
            run, catalogue=catalogue, overrides=numbers.overrides, threads=threads,
            times_tick=[tick + t for t in grid], uses=uses, metrics=False,
        )  # fmt: skip

    def alone(tick: int) -> tuple[Floats, ...]:
        found = follow(run_of([_at(agonist, tick)], tick), tick)
        return tuple(_response(found, name) for name in effects)

    # Without a history the agonist alone does the same at every time.
    same_alone: dict[int, tuple[Floats, ...]] = {}
    responses: list[Response] = []
    warnings: list[str] = []
    result: Result | None = None
    for k, when in enumerate(times):
        tick = ticks(when)
        if tick < 0:
            raise InputError(
                f"The challenge is at {when!r}; expected a time of 0 or later. Move the antagonist earlier."
            )
        start = tick if past else 0
        if start not in same_alone:
            key = ("alone", agonist, start, repr((head, numbers.overrides)), catalogue.digest)
            same_alone[start] = once(key, partial(alone, start))
        without = same_alone[start]
        if progress is not None:
            progress(1 + 2 * k, 2 * len(times))
        run = run_of([*regimens, _at(agonist, tick)], tick)
        result = follow(run, tick)
        if progress is not None:
            progress(2 + 2 * k, 2 * len(times))
        warnings += [w for w in result.warnings if w not in warnings]
        responses += [
            Response(
                time_h=tick / TICKS_PER_HOUR,
                effect=entry.key,
                unit=entry.unit,
                without=response,
                with_=_response(result, entry.key),
                noise=numbers.typical(entry.key, entry.noise),
            )
            for entry, response in zip(entries, without, strict=True)
        ]
    assert result is not None  # there is at least one time
    warnings += uses.unused(numbers.overrides, run.who.given)
    return Challenge(
        antagonist="; ".join(regimens),
        agonist=agonist,
        responses=tuple(responses),
        warnings=tuple(warnings),
        manifest={**result.manifest, "catalogue": uses.digests(catalogue)},
        result=result,
        history=tuple(past),
    )


def _at(dose: str, tick: int) -> str:
    return f"{dose} at {format_hours(tick / TICKS_PER_HOUR)}" if tick else dose


def _response(result: Result, effect: str) -> Floats:
    values = np.asarray(result[effect].values)
    ends = np.stack([values.min(axis=1), values.max(axis=1)]).astype(np.float64)  # the largest change is to one of them
    return np.asarray(np.abs(ends - values[:, 0]).max(axis=0))


def _check_agonist(regimen: Regimen, words: str, catalogue: Catalogue) -> None:
    if len(regimen) != 1 or regimen[0].drug is None or (regimen[0].count or 1) != 1 or regimen[0].time:
        raise InputError(
            f"The agonist is {words!r}; expected one single dose without a time, such as 'heroin 25 mg iv'. "
            "Say when with `at`."
        )
    role = catalogue.drug(regimen[0].drug).role
    if role == "antagonist":
        raise InputError(f"The agonist is {words!r}, an antagonist; expected an agonist. Swap the two.")


def _check_antagonist(regimens: Sequence[str], catalogue: Catalogue) -> None:
    for words in regimens:
        for dose in parse_regimen(words):
            if dose.drug is not None and catalogue.drug(dose.drug).role != "antagonist":
                raise InputError(
                    f"The antagonist is {words!r}, which the catalogue lists as {catalogue.drug(dose.drug).role}; "
                    "expected an antagonist. Swap the two, or use `simulate` for other mixtures."
                )
