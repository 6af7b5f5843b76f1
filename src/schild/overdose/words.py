"""Reading a rescue in words: delay, antagonist regimens, rescue breathing, oxygen, lungs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from schild.array_types import Floats
from schild.catalog import Catalogue
from schild.engine.streams import normals, uniforms
from schild.errors import InputError
from schild.overdose.drugs import REGIMENS, Dose, Rescue
from schild.overdose.follow import Intervention
from schild.regimen import Event, expand, parse_regimen
from schild.simulation.guard import AGONISTS
from schild.simulation.times import by_key
from schild.units import TICKS_PER_HOUR, amount_nmol, hours, ticks

NONE = "none"
#: Least time between doses of naloxone into a vein: the duration of one. [s]
_VEIN_S = 10.0
_SPRAY_MG = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Time from the loss of breathing to the first dose, the same for all or drawn."""

    words: str
    kind: str  #: ``fixed``, ``uniform`` or ``lognormal``
    #: Time; shortest and longest time; or median [s] and coefficient of variation [1]
    a: float
    b: float = 0.0

    def seconds(self, n: int, seed: int) -> Floats:
        """Draw it for people, shape (n,): the same for every antagonist. [s]"""
        if self.kind == "uniform":
            return self.a + (self.b - self.a) * uniforms(seed, "rescue.delay", 0, n)
        if self.kind == "lognormal":
            return np.asarray(self.a * np.exp(np.sqrt(np.log1p(self.b**2)) * normals(seed, "rescue.delay", 0, n)))
        return np.full(n, self.a)

    @property
    def typical(self) -> float:
        """Return the middle of the range. [s]"""
        return 0.5 * (self.a + self.b) if self.kind == "uniform" else self.a


def parse_delay(words: str) -> Delay:
    """Read the delay between the loss of breathing and the first dose of an antagonist.

    ``words``: ``"60 s"``, ``"1 min to 10 min"`` (uniform) or ``"median 5 min cv 0.8"`` (log-normal). Raises InputError
    for other words.

    >>> parse_delay("60 s").a, parse_delay("1 min to 10 min").b, parse_delay("median 5 min cv 0.8").kind
    (60.0, 600.0, 'lognormal')
    """
    text = str(words).strip()
    if found := re.fullmatch(r"median\s+(.+?),?\s+cv\s+([\d.]+)", text):
        median, cv = _seconds(found[1], words), _real(found[2], f"cv of the delay {words!r}", 0.0, 5.0)
        if median <= 0.0 or cv <= 0.0:
            raise InputError(f"The delay is {words!r}; expected a median and a cv above 0. Or give one time.")
        return Delay(words=text, kind="lognormal", a=median, b=cv)
    low, to, high = text.partition(" to ")
    if not to:
        return Delay(words=text, kind="fixed", a=_seconds(text, words))
    a, b = _seconds(low, words), _seconds(high, words)
    if b <= a:
        raise InputError(f"The delay is {words!r}; expected the shorter time first. Write it like '1 min to 10 min'.")
    return Delay(words=text, kind="uniform", a=a, b=b)


def parse_care(words: str, what: str) -> Intervention:
    """Read rescue breathing or oxygen.

    ``words``: ``"from 2 min to 10 min"``, with an amount before it: ``"8 L/min from ..."`` or ``"0.5 from ..."``;
    ``what``: ``breathing`` (L/min at the mouth) or ``oxygen`` (share of inhaled gas). Times count from the arrival of
    the rescuer; the value is None where no amount was given. Raises InputError for other words, or oxygen without its
    share.

    >>> care = parse_care("0.5 from 0 min to 10 min", "oxygen")
    >>> care.value, care.start_s, care.end_s
    (0.5, 0.0, 600.0)
    """
    example = "'from 2 min to 10 min'" if what == "breathing" else "'0.5 from 2 min to 10 min'"
    found = re.fullmatch(r"(?:([\d.]+)\s*(L/min|%)?\s+)?from\s+(.+?)\s+to\s+(.+)", words.strip())
    unit = "L/min" if what == "breathing" else None
    if found is None or (found[1] is not None and found[2] != unit):
        raise InputError(f"{what} is {words!r}; expected an amount and two times. Write it like {example}.")
    amount = None
    if found[1] is not None:
        low, high = (0.5, 40.0) if what == "breathing" else (0.2095, 1.0)
        amount = _real(found[1], f"amount of {what} {words!r}", low, high)
    elif what == "oxygen":
        raise InputError(f"oxygen is {words!r}; expected the share that is inhaled first. Write it like {example}.")
    start, end = _seconds(found[3], words), _seconds(found[4], words)
    if end <= start:
        raise InputError(f"{what} is {words!r}, which ends before it starts; expected the earlier time first.")
    kind = "ventilation" if what == "breathing" else "inspired_o2"
    return Intervention(what=kind, value=amount, start_s=start, end_s=end, after_trigger=True)


def parse_lung(words: str) -> dict[str, float]:
    """Read the shunt and the dead space of a lung disease.

    ``words``: ``"shunt 0.15"``, ``"dead space 0.5"`` or both with a comma; shares. Returns ``shunt`` and
    ``dead_space_share``, as ``schild.overdose.parameters.scaled`` takes them. Raises InputError for other words.

    >>> parse_lung("shunt 0.15, dead space 0.5")
    {'shunt': 0.15, 'dead_space_share': 0.5}
    """
    found: dict[str, float] = {}
    for part in words.split(","):
        match = re.fullmatch(r"(shunt|dead space)\s+([\d.]+)", part.strip())
        if match is None:
            raise InputError(
                f"The lung is {words!r}; expected the share of blood without gas exchange, the share of breath in "
                "dead space, or both. Write it like 'shunt 0.15, dead space 0.5'."
            )
        name = "shunt" if match[1] == "shunt" else "dead_space_share"
        found[name] = _real(match[2], f"lung {words!r}", 0.0, 1.0)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Regimen of an antagonist in a rescue: amounts and times."""

    words: str  #: As given
    before: tuple[Event, ...] = ()  #: Doses taken before the opioid, at negative ticks
    after: tuple[Event, ...] = ()  #: The rescue, at ticks from its first dose
    published: Rescue | None = None  #: The same by the reference's kinetics; None where it has none


def parse_plan(words: str, catalogue: Catalogue, until_tick: int) -> Plan:
    """Read an antagonist regimen.

    ``words``: ``"none"``, regimens with semicolons between them, or a name of the published tables such as
    ``"IN4mg_x2_150s"``. Times count from the first dose of the rescue; negative ones are before the opioid.
    ``until_tick``: end of the run [us]. Raises InputError for other words, or a drug that is not an antagonist.
    """
    text = words.strip()
    if text in REGIMENS:
        return Plan(words=text, published=REGIMENS[text])
    if not text:
        raise InputError("An antagonist is empty; expected a regimen, or none. Write it like 'naloxone 4 mg in'.")
    doses = parse_regimen(text).doses
    for dose in doses:
        if dose.drug is None or catalogue.drug(dose.drug).role != "antagonist":
            role = "a reset" if dose.drug is None else f"which the catalogue lists as {catalogue.drug(dose.drug).role}"
            raise InputError(
                f"The antagonist is {words!r}, {role}; expected an antagonist or none. Give the opioid separately."
            )
    events = by_key(expand(doses, until_tick), catalogue)
    before = tuple(e for e in events if e.tick < 0)
    after = tuple(e for e in events if e.tick >= 0)
    if before and any(e.duration_tick + e.tick > 0 for e in before):
        raise InputError(f"The antagonist {words!r} is still running at the opioid; expected it to be given by then.")
    return Plan(words=text, before=before, after=after, published=None if before else _published(text, after))


def _plain_mg(event: Event) -> float | None:
    """Mass of a dose that is nothing but an amount by a route [mg]; None for any other event."""
    amount = event.amount
    if amount is None or amount.per_kg or amount.molar or event.evid != 1 or event.ss or event.duration_tick:
        return None
    if event.lag_tick or event.basis is not None or event.f != 1.0:
        return None
    return 1e-3 * amount_nmol(amount, 1000.0)  # with molar mass 1000 nanomoles are micrograms


def _published(words: str, events: tuple[Event, ...]) -> Rescue | None:
    """The same regimen with the reference's kinetics; None where it has none."""
    mg = [x for e in events if e.drug == "naloxone" and (x := _plain_mg(e)) is not None]
    routes = {e.route for e in events}
    if len(mg) < len(events) or len(routes) != 1:
        return None
    route = str(routes.pop())
    after = [e.tick / TICKS_PER_HOUR * 3600.0 for e in events]
    if route == "in":
        spray = all(
            e.product == "spray_4mg" or (e.product is None and x == _SPRAY_MG) for e, x in zip(events, mg, strict=True)
        )
        pairs = {round(x / _SPRAY_MG, 9) for x in mg}
        if not spray or pairs not in ({1.0}, {2.0}):
            return None
        shares = [
            ("f" if k < 2 else "f_third") if pairs == {1.0} else ("f" if k < 1 else "f_rapid") for k in range(len(mg))
        ]
        doses = tuple(
            Dose(after_s=t, amount_ng=1e6 * x, bioavailability=f) for t, x, f in zip(after, mg, shares, strict=True)
        )
        return Rescue(key=words, route="in_4mg", doses=doses)
    if any(e.product is not None for e in events) or route not in ("im", "iv"):
        return None
    if route == "iv" and np.any(np.diff(after) < _VEIN_S):
        return None
    doses = tuple(Dose(after_s=t, amount_ng=1e6 * x) for t, x in zip(after, mg, strict=True))
    return Rescue(key=words, route="im_generic" if route == "im" else "iv", doses=doses)


def parse_opioid(words: str, catalogue: Catalogue, until_tick: int) -> tuple[tuple[Event, ...], float | None]:
    """Read the one stated exposure.

    ``words``: one regimen of one opioid from time 0 on; ``until_tick``: end of the run [us]. Returns its events, and
    its dose [mg] where the reference has the drug: one dose of fentanyl or carfentanil into a vein. Raises InputError
    if it is not one regimen of one opioid.
    """
    found = parse_regimen(words)
    if len(found) != 1 or found[0].drug is None:
        raise InputError(
            f"The opioid is {words!r}; expected one regimen of one opioid, such as 'fentanyl 1.625 mg iv'. A table has "
            "one stated exposure: vary antagonist, delay or tolerance."
        )
    drug = catalogue.drug(found[0].drug)
    if drug.role not in AGONISTS:
        raise InputError(
            f"The opioid is {words!r}, which the catalogue lists as {drug.role}; expected an opioid agonist."
        )
    events = by_key(expand(found, until_tick), catalogue)
    if not events or events[0].tick != 0:
        raise InputError(f"The opioid is {words!r}; expected its first dose at time 0. Leave the time out.")
    one = events[0]
    known = drug.key in ("fentanyl", "carfentanil") and one.route == "iv" and one.product is None and len(events) == 1
    return events, _plain_mg(one) if known else None


def moved(events: tuple[Event, ...], by_tick: int, order: int) -> tuple[Event, ...]:
    """Shift events in time, and number them after ``order`` among those at one time."""
    return tuple(replace(e, tick=e.tick + by_tick, order=e.order + order) for e in events)


def _seconds(text: str, whole: str) -> float:
    try:
        tick = ticks(text.strip())
    except InputError as error:
        raise InputError(f"{whole!r}: {error}") from None
    if tick < 0:
        raise InputError(f"{whole!r} has the time {text.strip()!r}; expected 0 or later.")
    return 3600.0 * hours(text.strip())


def _real(text: str, name: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise InputError(f"The {name} has the number {text!r}; expected {low:g} to {high:g}.")
    return value
