"""The run file, checked by one model that is also its JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from schild.errors import InputError
from schild.inputfile import InputFile, Section, Sex, Time
from schild.population import MAX_SUBJECTS, Population, Subject
from schild.regimen import Dose, Regimen, parse_regimen
from schild.simulation.times import merged
from schild.units import TICKS_PER_HOUR, format_ticks, parse_clearance, parse_weight, ticks

_MAX_TIMES = 200_000

#: Doses of one history: ten years of four a day.
MAX_HISTORY = 15_000


def _worded(key: str, *, one: bool) -> Callable[[Any], Any]:
    """Accept a list with words in place of a list of tables with that key; with ``one``, words alone too."""

    def tables(value: Any) -> Any:
        some = [value] if one and isinstance(value, str) else value
        return [{key: x} if isinstance(x, str) else x for x in some] if isinstance(some, list) else some

    return tables


def _words_alone(entry: Section, what: str, key: str) -> None:
    """Refuse an entry in words that has other entries as well."""
    if others := sorted(entry.model_fields_set - {key}):
        raise InputError(
            f"A {what} and also {', '.join(others)}; expected one or the other. Put everything into the words."
        )


class Head(Section, strict=True):
    """Section ``[run]``: length, output grid and seed."""

    title: str = ""
    until: Time | None = Field(
        default=None,
        description="End of the run; by default 7 d after the last dose, 42 d after a depot, and with a history at "
        "least 14 d.",
    )
    every: Time | None = Field(default=None, description="Output grid; by default chosen from the horizon.")
    observe: list[Time] = Field(default=[], description="Output times beside the grid, such as those of a table.")
    seed: int = Field(default=1, ge=0, lt=2**63)
    structure: str | dict[str, str] | None = Field(
        default=None, description="Rival mechanism between plasma and receptor, for all drugs or by drug."
    )
    receptors: list[str] = Field(default=["mor", "kor", "dor"], min_length=1)
    outputs: list[str] | None = Field(default=None, description="Outputs to keep; all by default.")
    tone: bool = Field(default=True, description="Whether the endogenous agonist competes.")
    without: list[str] = Field(default=[], description="Species that are followed but bind nothing.")
    rtol: float | None = Field(
        default=None, gt=0, le=0.1, description="Tolerance of the binding integrator; chosen by schild by default."
    )
    adaptation: bool | str | None = Field(
        default=None,
        description="Tolerance, dependence and withdrawal: true, false or a mechanism; by default with a history, and "
        "where opioids are taken for more than a day.",
    )


class HistoryEntry(Section, strict=True):
    """Section ``[[subject.history]]``: earlier use of an opioid, which causes tolerance and dependence.

    ``words`` say the same: ``"morphine 30 mg oral q6h for 60 d stopped 10 d"``; without ``stopped`` the last dose is at
    time 0.
    """

    words: str | None = None
    drug: str | None = None
    amount: str | None = None
    route: str | None = None
    every: Time | None = None
    days: float | None = Field(default=None, gt=0, le=3660, description="How long it was used.")
    stopped: Time = Field(default="0 h", description="How long before time 0 the last dose was.")
    salt: str | None = None

    def resolve(self) -> Dose:
        """Turn the entry into a repeated dose that ends before time 0."""
        if self.words is not None:
            _words_alone(self, "history has words", "words")
            return parse_history(self.words)
        missing = [name for name in ("drug", "amount", "route", "every", "days") if getattr(self, name) is None]
        if missing:
            raise InputError(
                f"A history lacks {', '.join(missing)}; expected drug, amount, route, every and days (and stopped). "
                "Add it."
            )
        dose = Dose(drug=self.drug, amount=self.amount, route=self.route, every=self.every, count=1, basis=self.salt)
        return _before_zero(dose, float(self.days or 0.0) * 24 * TICKS_PER_HOUR, self.stopped)


_HISTORY = re.compile(
    r"^(?P<what>.+?)\s+for\s+(?P<span>[\d.]+\s*\w+?)(?:,?\s+stopped\s+(?P<stop>.+?)(?:\s+ago)?)?$", re.IGNORECASE
)


@lru_cache(maxsize=64)
def parse_history(words: str) -> Dose:
    """Read earlier use in words: a regimen with an interval, the length of use, and how long ago it stopped.

    Returns the same as a repeated dose before time 0. Raises InputError if the words are not understood.

    >>> dose = parse_history("morphine 30 mg po q6h for 60 d stopped 10 d")
    >>> dose.count, dose.time_tick / TICKS_PER_HOUR / 24
    (240, -69.75)
    """
    found = _HISTORY.match(words.strip())
    if found is None:
        raise InputError(
            f"The history {words!r} is not understood; expected a regimen, how long it was used and when it stopped. "
            "Write it like 'morphine 30 mg po q6h for 60 d stopped 10 d'."
        )
    regimen = tuple(parse_regimen(found["what"]))
    if len(regimen) != 1 or not regimen[0].every_tick or regimen[0].count is not None or regimen[0].time_tick:
        raise InputError(
            f"The history {words!r} needs one regimen with an interval and without count or time of its own. "
            "Write it like 'morphine 30 mg po q6h for 60 d stopped 10 d'."
        )
    if regimen[0].ss or regimen[0].skip or regimen[0].evid != 1:
        raise InputError(
            f"The history {words!r} has skip, ss or reset; expected the same dose from the first to the last. "
            "Write two histories around a gap, or give a steady state as a dose of the run."
        )
    span = ticks(found["span"])
    if span <= 0:
        raise InputError(f"The history {words!r} lasts {found['span']!r}; expected a time above 0. Say how long.")
    return _before_zero(regimen[0], span, found["stop"] or "0 h")


def history_words(dose: Dose) -> str:
    """Write earlier use, a dose from ``parse_history``, in words that it reads.

    >>> history_words(parse_history("morphine 30 mg po q6h for 60 d stopped 10 d"))
    'morphine 30 mg oral q6h for 60 d stopped 10 d'
    """
    count = dose.count or 1
    what = replace(dose, time=0.0, count=None).to_words()
    stopped = -(dose.time_tick + (count - 1) * dose.every_tick)
    last = f" stopped {format_ticks(stopped)}" if stopped else ""
    return f"{what} for {format_ticks(count * dose.every_tick)}{last}"


def _before_zero(dose: Dose, span_tick: float, stopped: str) -> Dose:
    count = max(1, round(span_tick / dose.every_tick))
    stop = ticks(stopped)
    if stop < 0 or count > MAX_HISTORY:
        raise InputError(
            f"A history of {count:,} doses that stopped {stopped!r} before time 0 was given; expected at most "
            f"{MAX_HISTORY:,} doses and a time from 0 on. Correct it."
        )
    first = -(stop + (count - 1) * dose.every_tick)
    return replace(dose, time=first / TICKS_PER_HOUR, count=count)


class SubjectEntry(Section, strict=True):
    """Section ``[subject]``: one person with typical parameters."""

    weight: str = "70 kg"
    age: str = "40 years"
    sex: Sex = "male"
    liver: Literal["normal", "mild", "moderate", "severe"] = "normal"
    crcl: str = "100 mL/min"
    dependent: Literal["no", "yes"] = "no"
    cyp2d6: Literal["PM", "IM", "EM", "UM"] = "EM"
    history: list[HistoryEntry] = Field(default=[], description="Earlier use of opioids.")

    _words = field_validator("history", mode="before")(_worded("words", one=True))

    def resolve(self) -> Subject:
        """Turn the words into numbers."""
        return Subject(**_covariates(self))


class PopulationEntry(Section, strict=True):
    """Section ``[population]``: many people."""

    n: int = Field(ge=1, le=MAX_SUBJECTS)
    reference: str = "adult"
    variability: bool = True
    occasions: bool = True
    uncertainty: int = Field(
        default=0, ge=0, description="Parameter sets drawn from the uncertainty of the typical values."
    )
    weight: str | None = None
    age: str | None = None
    sex: Sex | None = None
    liver: Literal["normal", "mild", "moderate", "severe"] | None = None
    crcl: str | None = None
    dependent: Literal["no", "yes"] | None = None
    cyp2d6: Literal["PM", "IM", "EM", "UM"] | None = None
    history: list[HistoryEntry] = Field(default=[], description="Earlier use of opioids, the same for all.")

    _words = field_validator("history", mode="before")(_worded("words", one=True))

    def resolve(self) -> Population:
        """Turn the words into numbers."""
        return Population(
            n=self.n, key=self.reference, fixed=_covariates(self), variability=self.variability,
            occasions=self.occasions, draws=self.uncertainty,
        )  # fmt: skip


def _covariates(entry: SubjectEntry | PopulationEntry) -> dict[str, Any]:
    """Properties that an entry gives, by the names of ``Subject``."""
    given = ((name, getattr(entry, name)) for name in _PROPERTIES)
    return {_PROPERTIES[name][0]: _PROPERTIES[name][1](value) for name, value in given if value is not None}


class DoseEntry(Section, strict=True):
    """Section ``[[dose]]``: a dose, or the same dose repeated; or ``regimen``, the same in words."""

    regimen: str | None = None
    drug: str | None = None
    amount: str | None = None
    route: str | None = None
    time: Time | None = None
    duration: Time | None = None
    rate: str | None = None
    every: Time | None = None
    count: int | None = None
    skip: list[int] = Field(default=[])
    salt: str | None = None
    product: str | None = Field(
        default=None, description="Product of the route, where the catalogue has several; see `schild drugs NAME`."
    )
    ss: int = 0
    evid: int = 1

    def resolve(self) -> tuple[Dose, ...]:
        """Turn the entry into doses."""
        if self.regimen is not None:
            _words_alone(self, "dose has a regimen in words", "regimen")
            return tuple(parse_regimen(self.regimen))
        own = {name: value for name, value in self if name not in ("regimen", "salt", "time")}
        return (Dose(**own, basis=self.salt, time=self.time or 0.0),)


class Run(InputFile, strict=True):
    """A run: doses, the people who take them, its length, and numbers in place of the catalogue's.

    Examples
    --------
    >>> run = Run.of("naltrexone 50 mg po q24h x7", until="14 d")
    >>> run.until_h
    336.0
    """

    run: Head = Head()
    subject: SubjectEntry | None = None
    population: PopulationEntry | None = None
    dose: list[DoseEntry] = Field(default=[])
    numbers: dict[str, str | float] = Field(
        default={},
        description='Numbers in place of the catalogue\'s, such as "naltrexone.cl" = "120 L/h"; a value without unit '
        "is in the unit of the number.",
    )

    @field_validator("numbers", mode="before")
    @classmethod
    def _dotted(cls, value: Any) -> Any:
        # A key that is not quoted is a table within a table: naltrexone.cl = "120 L/h".
        return dict(_flat(value)) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _consistent(self) -> Run:
        if not self.dose and not self.history:
            raise ValueError("a run has at least one [[dose]] or one [[subject.history]]; add one")
        if self.history and any(dose.ss == 1 for dose in self.doses):
            raise ValueError(
                "a dose with ss starts at the steady state of that dose alone and wipes out the history; write ss2, "
                "which adds, or leave the history out"
            )
        if self.subject is not None and self.population is not None:
            raise ValueError(
                "a run has a [subject] or a [population], not both; put fixed properties into [population]"
            )
        return self

    _words = field_validator("dose", mode="before")(_worded("regimen", one=False))

    @classmethod
    def of(
        cls,
        *regimens: str,
        subject: Mapping[str, Any] | None = None,
        population: Mapping[str, Any] | None = None,
        n: int | None = None,
        history: str | Sequence[str] = (),
        numbers: Any = None,
        **head: Any,
    ) -> Run:
        """Make a run from regimens in words.

        Parameters
        ----------
        *regimens : str
            Words, one regimen each.
        subject, population : mapping, optional
            The sections of the run file.
        n : int, optional
            Shorthand for ``population={"n": n}``.
        history : str or sequence of str
            Earlier use of opioids, of the subject or the population.
        numbers : mapping, optional
            Numbers in place of the catalogue's, by ``"owner.number"``.
        **head
            Entries of ``[run]``: until, every, observe, seed, structure, receptors, outputs, tone, without, adaptation,
            title; None is left out.

        Returns
        -------
        Run
            The checked run.

        Raises
        ------
        InputError
            For anything malformed.
        """
        for name, entries in (("subject", subject), ("population", population)):
            if entries is not None and not isinstance(entries, Mapping):
                raise InputError(
                    f"The {name} is {entries!r}; expected entries by name. Write it like {{'weight': '60 kg'}}."
                )
        if n is not None:
            if population is not None and "n" in population:
                raise InputError(f"n={n} and population n={population['n']} were both given; expected one. Drop one.")
            population = {**(population or {}), "n": n}
        past = {"history": _listed(history)} if history else {}
        if population is not None:
            population = {**population, **past}
        elif subject is not None or past:
            subject = {**(subject or {}), **past}
        data = {
            "run": {name: _listed(value) for name, value in head.items() if value is not None},
            "subject": subject and dict(subject),
            "population": population,
            "dose": list(regimens),
            "numbers": dict(numbers) if numbers else None,
        }
        return cls.parse(data)

    @classmethod
    def from_toml(cls, path: str | Path) -> Run:
        """Read a run file.

        Raises
        ------
        InputError
            If the file cannot be read, is not TOML, or does not describe a run.
        """
        return cls._read(path, "dose")

    def to_toml(self) -> str:
        """Write the run file that reads back as this run.

        Examples
        --------
        >>> print(Run.of("naltrexone 50 mg po q24h x7", until="14 d").to_toml())
        [run]
        until = "14 d"
        <BLANKLINE>
        [[dose]]
        regimen = "naltrexone 50 mg po q24h x7"
        <BLANKLINE>
        """
        data = self.model_dump(exclude_unset=True, exclude_none=True)
        sections = [(f"[{name}]", data[name]) for name in ("run", "subject", "population") if name in data]
        sections += [("[[dose]]", entry) for entry in data.get("dose", [])]
        if self.numbers:
            sections.append(("[numbers]", {_toml(name): value for name, value in self.numbers.items()}))
        return "\n".join(
            "\n".join((head, *(f"{key} = {_toml(value)}" for key, value in entries.items()), ""))
            for head, entries in sections
            if entries or head != "[run]"
        )

    @property
    def doses(self) -> Regimen:
        """All doses in the order written."""
        return Regimen(tuple(d for entry in self.dose for d in entry.resolve()))

    @property
    def history(self) -> tuple[Dose, ...]:
        """Earlier use, as repeated doses before time 0."""
        who = self.population or self.subject
        return () if who is None else tuple(entry.resolve() for entry in who.history)

    @property
    def who(self) -> Subject | Population:
        """Return the person, or the population, of the run."""
        if self.population is not None:
            return self.population.resolve()
        return Subject() if self.subject is None else self.subject.resolve()

    @property
    def until_tick(self) -> int:
        """End of the run. [us]"""
        if self.run.until is not None:
            until = ticks(self.run.until)
            if until <= 0:
                raise InputError(f"The run ends at {self.run.until!r}; expected a time after 0. Write it like '14 d'.")
            return until
        day = 24 * TICKS_PER_HOUR
        last = 14 * day if self.history else 0
        for d in self.doses:
            after = 42 * day if d.route in ("im_depot", "implant", "transdermal") else 7 * day
            count = d.count or 1
            last = max(last, d.time_tick + (count - 1) * d.every_tick + d.duration_tick + after)
        return last

    @property
    def until_h(self) -> float:
        """End of the run. [h]"""
        return self.until_tick / TICKS_PER_HOUR

    @property
    def grid_tick(self) -> Sequence[int]:
        """Output times from 0 to the end: the grid, and the times of `observe`. [us]"""
        until = self.until_tick
        if self.run.every is not None:
            step = ticks(self.run.every)
            if step <= 0:
                raise InputError(f"`every` is {self.run.every!r}; expected a time above 0. Write it like '1 h'.")
            if until // step > _MAX_TIMES:
                raise InputError(
                    f"`every` {self.run.every!r} over {self.until_h:g} h makes {until // step:,} output times; "
                    f"expected at most {_MAX_TIMES:,}. Choose a coarser grid."
                )
        else:
            hour = TICKS_PER_HOUR
            parts = (3600, 720, 360, 120, 60, 30, 12, 6, 4, 2)
            steps = [*(hour // k for k in parts), *(hour * k for k in (1, 2, 3, 6, 12, 24, 48))]
            step = next((s for s in steps if until // s <= 720), max(168 * hour, until // 720))
        observed = [ticks(time) for time in self.run.observe]
        if outside := [time for time, tick in zip(self.run.observe, observed, strict=True) if not 0 <= tick <= until]:
            raise InputError(
                f"`observe` holds {outside[0]!r} in a run from 0 to {self.until_h:g} h; expected times in it. Leave it "
                "out, or give a later `until`."
            )
        return merged(range(0, until + 1, step), (until, *observed))


def _listed(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value


def _flat(table: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _toml(value: Any) -> str:
    if isinstance(value, str):
        # A JSON string is a TOML string, except for one character that TOML requires to be escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    return json.dumps(value)


def _years(text: str) -> float:
    value, _, unit = text.strip().partition(" ")
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if unit.strip() not in ("y", "year", "years") or number != number:
        raise InputError(f"The age {text!r} is not understood; expected years. Write it like '40 years'.")
    return number


#: Properties of people as files name them: their names in ``Subject``, and what reads them.
_PROPERTIES: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "weight": ("weight_kg", parse_weight), "age": ("age_years", _years), "crcl": ("crcl_ml_min", parse_clearance),
    **{name: (name, str) for name in ("sex", "liver", "dependent", "cyp2d6")},
}  # fmt: skip
