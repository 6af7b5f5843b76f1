"""Doses: one dose, a regimen of doses, and the single events that a dose becomes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import Any

from schild.errors import InputError
from schild.units import (
    TICKS_PER_HOUR,
    Amount,
    Quantity,
    Rate,
    TimeLike,
    format_ticks,
    parse_amount,
    parse_rate,
    ticks,
)

MAX_DOSES = 20_000
"""The largest number of single doses of a dose with an interval, and of all doses of a run."""

ROUTES = {
    **dict.fromkeys(("po", "oral", "orally"), "oral"),
    **dict.fromkeys(("iv", "intravenous"), "iv"),
    **dict.fromkeys(("im", "intramuscular"), "im"),
    **dict.fromkeys(("sc", "subcutaneous", "sq"), "sc"),
    **dict.fromkeys(("in", "intranasal", "nasal"), "in"),
    **dict.fromkeys(("sl", "sublingual"), "sl"),
    **dict.fromkeys(("td", "transdermal", "patch"), "transdermal"),
    **{name: name for name in ("oral_er", "im_depot", "implant", "smoked")},
}
"""Other spellings of routes; a word that is not here is kept for the catalogue to judge."""

SALTS = {"hcl": "hydrochloride", "sulphate": "sulfate", "freebase": "base"}

_NAME = re.compile(r"(?=.*[a-z])[a-z0-9][a-z0-9_]*")


def canonical_name(text: str, kind: str) -> str:
    """Spell the name of a drug, a route or a salt the way the catalogue does.

    ``text``: the name as written; capitals and hyphens are forgiven. Returns lower case with underscores, aliases
    resolved. Raises InputError if it cannot be such a name.

    >>> canonical_name("Beta-Naltrexol", "drug"), canonical_name("PO", "route")
    ('beta_naltrexol', 'oral')
    """
    if not isinstance(text, str):
        raise InputError(f"{text!r} is not the name of a {kind}; expected text. Write it in quotes.")
    name = text.strip().lower().replace("-", "_")
    if len(name) > 64 or not _NAME.fullmatch(name):
        raise InputError(
            f"{text[:64]!r} is not the name of a {kind}; expected letters, digits, '-' and '_', at most 64. "
            "Write it as the catalogue does (schild drugs)."
        )
    if kind == "route":
        return ROUTES.get(name, name)
    return SALTS.get(name, name) if kind == "salt" else name


def _whole(value: object, name: str, low: int, high: int, advice: str) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not low <= int(value) <= high:
        raise InputError(f"{name} is {value!r}; expected a whole number from {low} to {high}. {advice}")
    return int(value)


def _tick_or_none(value: TimeLike | None) -> int | None:
    return None if value is None else ticks(value)


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Dose:
    """One dose, or the same dose repeated, as ordered.

    Parameters
    ----------
    drug : str
        Name of the drug; ``None`` only for a reset.
    amount : str, Amount or quantity of pint
        Amount with its unit; without it, the amount follows from rate and duration.
    route : str
        Route: ``oral`` (po), ``iv``, ``im``, ``sc``, ``in``, ``sl``, ``im_depot``, ``transdermal`` (td), ...
    time : str, float or quantity of pint, default 0
        Time of the first dose. [h]
    duration : str or float, optional
        Duration of an infusion; by default the route's own input applies. [h]
    rate : str or Rate, optional
        Rate of an infusion, such as ``"2 mg/h"``, with either an amount or a duration.
    every : str or float, optional
        Interval between doses. [h]
    count : int, optional
        Number of doses; by default one without an interval, and until the end of the run with one.
    skip : iterable of int, default ()
        Numbers of doses left out, counted from 1.
    basis : str, optional
        ``base``, or the salt that the amount refers to; by default as the product is labelled.
    product : str, optional
        Product of the route, where the catalogue has several; by default the one of that strength, or the usual one.
    ss : {0, 1, 2}, default 0
        1 starts at the steady state of this regimen alone, 2 adds that steady state to the present amounts.
    evid : {1, 3, 4}, default 1
        1 dose, 3 reset, 4 reset and dose, as in NONMEM.
    lag : str or float, optional
        Delay before it starts to enter, on top of the route's own. [h]
    f : float, optional
        Factor on the route's own bioavailability. [1]
    cmt : int, optional
        Compartment number in the table it came from; kept only to write the table again.

    Raises
    ------
    InputError
        If a part is malformed, or the parts contradict each other.

    Notes
    -----
    Times are kept in hours on the grid of ticks (microseconds). ``rate`` is kept only where the amount
    follows from rate and duration; from amount and rate the duration is computed, and the amount stays exact.
    A rate with ``ss`` and neither amount, duration nor interval is a constant infusion that has run for ever
    and stops at ``time``.

    Examples
    --------
    >>> dose = Dose(drug="naltrexone", amount="50 mg", route="po", every="24 h", count=7)
    >>> dose.route, dose.every, dose.to_words()
    ('oral', 24.0, 'naltrexone 50 mg oral q24h x7')
    """

    drug: str | None = None
    amount: Amount | None = None
    route: str | None = None
    time: float = 0.0
    duration: float | None = None
    rate: Rate | None = None
    every: float | None = None
    count: int | None = 1
    skip: tuple[int, ...] = ()
    basis: str | None = None
    product: str | None = None
    ss: int = 0
    evid: int = 1
    lag: float | None = None
    f: float | None = None
    cmt: int | None = field(default=None, compare=False)

    def __init__(
        self,
        *,
        drug: str | None = None,
        amount: str | Amount | Quantity | None = None,
        route: str | None = None,
        time: TimeLike = 0.0,
        duration: TimeLike | None = None,
        rate: str | Rate | None = None,
        every: TimeLike | None = None,
        count: int | None = None,
        skip: Iterable[int] = (),
        basis: str | None = None,
        product: str | None = None,
        ss: int = 0,
        evid: int = 1,
        lag: TimeLike | None = None,
        f: float | None = None,
        cmt: int | None = None,
    ) -> None:
        evid = _whole(evid, "evid", 1, 4, "Use 1 for a dose, 3 for a reset, 4 for a reset and a dose.")
        if evid == 2:
            raise InputError("evid is 2, which gives nothing; expected 1, 3 or 4. Leave the dose out.")
        time_tick = ticks(time)
        if evid == 3:
            given = [
                name
                for name, value in (
                    ("drug", drug), ("amount", amount), ("route", route), ("duration", duration),
                    ("rate", rate), ("every", every), ("skip", tuple(skip)), ("basis", basis),
                    ("product", product), ("ss", ss), ("lag", lag), ("f", f),
                )
                if value not in (None, (), 0)
            ] + (["count"] if count not in (None, 1) else [])  # fmt: skip
            if given:
                raise InputError(
                    f"A reset (evid 3) was given {', '.join(given)}; expected only a time. Use evid 4 for a "
                    "reset with a dose."
                )
            self._store(time=time_tick / TICKS_PER_HOUR, evid=3, cmt=cmt)
            return

        if drug is None or route is None:
            missing = "drug" if drug is None else "route"
            raise InputError(f"A dose has no {missing}; expected drug, amount and route. Name the {missing}.")
        drug, route = canonical_name(drug, "drug"), canonical_name(route, "route")
        basis = None if basis is None else canonical_name(basis, "salt")
        product = None if product is None else canonical_name(product, "product")
        ss = _whole(ss, "ss", 0, 2, "Use 1 to start at steady state, 2 to add a steady state.")
        every_tick = _tick_or_none(every)
        if every_tick is not None and every_tick <= 0:
            raise InputError(f"The interval `every` is {every!r}; expected a time above 0. Write it like '24 h'.")
        duration_tick = _tick_or_none(duration) or 0
        if duration_tick < 0:
            raise InputError(f"`duration` is {duration!r}; expected a time of 0 or more. Write it like '30 min'.")
        parsed = None if amount is None else parse_amount(amount)
        speed = None if rate is None else parse_rate(rate)
        constant = speed is not None and ss > 0 and every_tick is None
        if constant:
            if parsed is not None or duration_tick or count not in (None, 1):
                raise InputError(
                    f"A constant infusion of {drug} at steady state has an amount, a duration or a count; "
                    "expected the rate alone (it stops at its time), or an interval. For a pump that goes "
                    "on, add a second dose with the rate and its duration."
                )
        elif speed is not None:
            parsed, duration_tick, speed = _infusion(drug, parsed, speed, duration_tick)
        elif parsed is None:
            raise InputError(f"A dose of {drug} has no amount; expected one, or rate and duration. Give '50 mg'.")

        if every_tick is None:
            if ss and not constant:
                raise InputError(
                    f"A dose of {drug} starts at steady state without `every`; expected an interval. Say how "
                    "often it was given, e.g. q24h."
                )
            if count is not None and _whole(count, "count", 1, MAX_DOSES, "Give at least one dose.") > 1:
                raise InputError(
                    f"`count` is {count} but `every` is missing; additional doses need an interval. Say how "
                    "often, e.g. q24h."
                )
            count = 1
        elif count is not None:
            count = _whole(count, "count", 1, MAX_DOSES, "Leave it out for doses until the end of the run.")
        numbers = _skipped(skip, count)
        if 1 in numbers and (ss or evid == 4):
            raise InputError(
                f"Dose 1 of {drug} is skipped but carries the {'steady state' if ss else 'reset'}; expected "
                "it to be given. Start the regimen at the first dose that is given."
            )
        lag_tick = _tick_or_none(lag)
        if lag_tick is not None and lag_tick < 0:
            raise InputError(f"`lag` is {lag!r}; expected a time of 0 or more. Write it like '30 min'.")
        if f is not None and (
            isinstance(f, bool) or not isinstance(f, Real) or not math.isfinite(f) or not 0 < f <= 1e6
        ):
            raise InputError(f"`f` is {f!r}; expected a factor above 0, such as 0.8. Skip a dose that is not absorbed.")
        if cmt is not None:
            cmt = _whole(cmt, "cmt", 1, 10**9, "Give the compartment number of the table, or leave it out.")
        self._store(
            drug=drug,
            amount=parsed,
            route=route,
            time=time_tick / TICKS_PER_HOUR,
            duration=duration_tick / TICKS_PER_HOUR if duration_tick else None,
            rate=speed,
            every=None if every_tick is None else every_tick / TICKS_PER_HOUR,
            count=count,
            skip=numbers,
            basis=basis,
            product=product,
            ss=ss,
            evid=evid,
            lag=lag_tick / TICKS_PER_HOUR if lag_tick else None,
            f=None if f is None or f == 1 else float(f),
            cmt=cmt,
        )

    def _store(self, **given: Any) -> None:
        # Names that are not given have the defaults that stand beside the fields.
        for entry in fields(self):
            object.__setattr__(self, entry.name, given.get(entry.name, entry.default))

    @property
    def time_tick(self) -> int:
        """Time of the first dose. [us]"""
        return ticks(self.time)

    @property
    def every_tick(self) -> int:
        """Interval between doses, 0 if there is none. [us]"""
        return 0 if self.every is None else ticks(self.every)

    @property
    def duration_tick(self) -> int:
        """Length of the infusion, 0 if the route's own input applies. [us]"""
        return 0 if self.duration is None else ticks(self.duration)

    @property
    def lag_tick(self) -> int:
        """Delay on top of the route's own. [us]"""
        return 0 if self.lag is None else ticks(self.lag)

    @property
    def constant(self) -> bool:
        """Whether this is a constant infusion that has run for ever and stops at its time."""
        return self.ss > 0 and self.every is None

    def to_words(self) -> str:
        """Write the dose in the words that :func:`~schild.regimen.parse_regimen` reads.

        Returns
        -------
        str
            Words that read back as an equal dose.

        Examples
        --------
        >>> Dose(drug="morphine", rate="2 mg/h", duration="6 h", route="iv", time="3 d").to_words()
        'morphine 2 mg/h iv for 6 h at 3 d'
        """
        at = f"at {format_ticks(self.time_tick)}"
        if self.evid == 3:
            return f"reset {at}"
        words = [str(self.drug), str(self.rate or self.amount)]
        if self.basis:
            words.append(self.basis)
        words.append(str(self.route))
        if self.product:
            words.append(f"product {self.product}")
        if self.duration_tick:
            words.append(f"{'for' if self.rate else 'over'} {format_ticks(self.duration_tick)}")
        if self.every is not None:
            words.append(f"q{format_ticks(self.every_tick, gap='')}")
            if self.count is not None:
                words.append(f"x{self.count}")
        if self.skip:
            words.append(f"skip {_ranges(self.skip)}")
        if self.ss:
            words.append("ss" if self.ss == 1 else "ss2")
        if self.lag is not None:
            words.append(f"lag {format_ticks(self.lag_tick)}")
        if self.f is not None:
            words.append(f"f {self.f!r}")
        if self.evid == 4:
            words.append("reset")
        if self.time_tick:
            words.append(at if self.every is None else at.replace("at", "from", 1))
        return " ".join(words)


def _infusion(drug: str, amount: Amount | None, rate: Rate, tick: int) -> tuple[Amount, int, Rate | None]:
    if amount is None:
        if not tick:
            raise InputError(
                f"An infusion of {drug} at {rate} has no end; expected a duration or an amount. Say how "
                "long, e.g. for 6 h."
            )
        return rate.over(tick), tick, rate
    if not tick:
        tick = rate.duration_tick(amount)
        if not tick:
            raise InputError(
                f"{amount} of {drug} at {rate} takes less than a microsecond; expected a slower rate. Leave "
                "the rate out to give it at once."
            )
        return amount, tick, None
    implied = rate.duration_tick(amount)
    if abs(implied - tick) > max(1.0, 1e-9 * tick):
        raise InputError(
            f"{amount} of {drug} at {rate} lasts {format_ticks(implied)}, but `duration` is "
            f"{format_ticks(tick)}; expected two of amount, rate and duration. Leave one out."
        )
    return amount, tick, rate if rate.over(tick) == amount else None


def _skipped(skip: Iterable[int], count: int | None) -> tuple[int, ...]:
    if isinstance(skip, (str, bytes)) or not isinstance(skip, Iterable):
        raise InputError(f"`skip` is {skip!r}; expected numbers of doses, counted from 1. Give e.g. (5, 6, 7).")
    high = MAX_DOSES if count is None else count
    numbers = sorted({_whole(n, "A number in `skip`", 1, high, "Doses are counted from 1.") for n in skip})
    if count is not None and len(numbers) == count:
        raise InputError(f"All {count} doses are skipped; expected at least one. Leave the regimen out instead.")
    return tuple(numbers)


def _ranges(numbers: tuple[int, ...]) -> str:
    parts: list[list[int]] = []
    for n in numbers:
        if parts and parts[-1][-1] == n - 1:
            parts[-1][1:] = [n]
        else:
            parts.append([n])
    return ",".join("-".join(map(str, part)) for part in parts)


@dataclass(frozen=True, slots=True)
class Regimen:
    """Doses in the order they were written, and the observations and notes of a table.

    Parameters
    ----------
    doses : tuple of Dose
        The doses; their order decides between doses at one time.
    text : str, default ""
        The words or the file it was read from.
    observations : tuple of float, default ()
        Times at which a table asks for values (EVID 0). [h]
    marks : tuple of float, default ()
        Times of other events of a table (EVID 2); nothing happens then. [h]
    notes : tuple of str, default ()
        Notes on what the reader left out.

    Examples
    --------
    >>> regimen = Regimen((Dose(drug="naltrexone", amount="50 mg", route="po"),))
    >>> len(regimen), regimen[0].drug
    (1, 'naltrexone')
    """

    doses: tuple[Dose, ...]
    text: str = field(default="", compare=False)
    observations: tuple[float, ...] = ()
    marks: tuple[float, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __iter__(self) -> Iterator[Dose]:
        return iter(self.doses)

    def __len__(self) -> int:
        return len(self.doses)

    def __getitem__(self, index: int) -> Dose:
        return self.doses[index]

    def to_words(self) -> str:
        """Write the doses in words, joined by ``"; "``.

        Returns
        -------
        str
            Words that read back as the same doses.

        Examples
        --------
        >>> Regimen((Dose(drug="naloxone", amount="4 mg", route="in", time="60 s"),)).to_words()
        'naloxone 4 mg in at 60 s'
        """
        return "; ".join(dose.to_words() for dose in self.doses)


@dataclass(frozen=True, slots=True)
class Event:
    """One event at one time; every dose is a separate event.

    >>> Event(3_600_000_000, 0, drug="naltrexone", route="oral", amount=Amount(50, "mg")).time
    1.0
    """

    tick: int  #: When [us]
    order: int  #: Place of the dose among the doses as written; decides between events at one tick
    #: 1 dose, 3 reset, 4 reset and then dose; 2 no dose but its past (``past``); 5 empties the body and leaves
    #: receptors and adaptation as they are (2 and 5 are written by histories only)
    evid: int = 1
    #: What and how; ``None`` for a reset
    drug: str | None = None
    route: str | None = None
    amount: Amount | None = None  #: How much; ``None`` for a reset, and for a constant infusion at steady state
    basis: str | None = None  #: ``base`` or the salt weighed; ``None`` is what the product is labelled in
    duration_tick: int = 0  #: Above zero, an infusion of this length [us]
    ii_tick: int = 0  #: Interval of the regimen whose steady state this event starts at; 0 without ``ss`` [us]
    ss: int = 0  #: 1 replaces what is there by a steady state, 2 adds one
    occasion: int = 0  #: Number of the dose among the doses of this drug, from 1, skipped ones counted; 0 for a reset
    f: float = 1.0  #: Factor on the route's own bioavailability [1]
    lag_tick: int = 0  #: Delay on top of the route's own [us]
    #: Only for a constant infusion at steady state (``ss`` with ``ii_tick`` 0): it has run for ever and stops now
    rate: Rate | None = None
    product: str | None = None  #: Which product of the route; ``None`` leaves it to the catalogue
    #: Number of equal doses given before, every ``ii_tick``, in place of the endless past of a steady state
    past: int | None = None
    ago_tick: int = 0  #: With ``past``: how long ago the newest of them was [us]

    @property
    def time(self) -> float:
        """Return the time of the first dose. [h]"""
        return self.tick / TICKS_PER_HOUR

    @property
    def clears(self) -> bool:
        """Whether everything that entered or was about to enter before is taken away (evid 3, 4, or ss 1)."""
        return self.evid in (3, 4) or self.ss == 1
