"""A scenario of a live page: what its controls say, as a link, as regimens in words, and run in Python."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import parse_qsl, quote

import numpy as np

from schild import challenges
from schild.array_types import Floats
from schild.catalog import Catalogue
from schild.errors import InputError
from schild.people import People
from schild.simulation import Result, Run, prepared_of, simulate_run
from schild.simulation.effects import Effects
from schild.simulation.registry import outputs_of
from schild.units import TICKS_PER_HOUR
from schild.web.controls import Challenged, Dosing, controls
from schild.web.pack import band_people

#: Output times of a scenario, evenly spaced.
POINTS = 337
#: Occupancy of mu receptors whose duration is told.
HELD = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Range of 90 % of the virtual people of a scenario."""

    low: Floats  #: Occupancy of mu receptors at the times of a page; shape (POINTS,)
    high: Floats
    results: Mapping[str, tuple[float, float]]  #: Ends of each of ``Scenario.results`` but the challenge's


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One setting of the controls; a link has exactly these fields and the version that wrote it."""

    give: str  #: Antagonist and way, such as ``"naltrexone tablet"``
    mg: float  #: Amount of each dose [mg]
    n: int  #: Number of doses that are due, one every ``every_h``
    every_h: float  #: Interval [h]
    until_h: float  #: End of the run [h]
    missed: tuple[int, ...] = ()  #: Numbers of the doses that are not taken; the first is 1
    #: The person
    weight_kg: float = 70.0
    liver: str = "normal"
    crcl_ml_min: float = 100.0
    challenge: str = ""  #: Name of a published challenge; empty for none
    at_h: float = 24.0  #: Time at which it is given [h]
    version: str = field(default="", compare=False)  #: Version of schild that wrote the link

    def __post_init__(self) -> None:
        offered = controls()
        dosing = self._dosing
        for name, value, low, high in (
            ("mg", self.mg, 0.0, dosing.high_mg), ("n", self.n, 1, dosing.most),
            ("every_h", self.every_h, 0.25, 8760.0), ("until_h", self.until_h, 0.1, 17520.0),
            ("at_h", self.at_h, 0.0, 17520.0),
        ):  # fmt: skip
            if not low <= value <= high:
                raise InputError(
                    f"{name} is {value:g}; expected {low:g} to {high:g} for {self.give}. Correct the link."
                )
        if any(not 1 <= k <= self.n for k in self.missed):
            raise InputError(
                f"missed is {self.missed}; expected numbers of doses from 1 to {self.n}. Correct the link."
            )
        if len(set(self.missed)) == self.n:
            raise InputError("Every dose is missed; expected one that is taken. Correct the link.")
        listed: tuple[tuple[str, str | float, tuple[str | float, ...]], ...] = (
            ("weight_kg", self.weight_kg, offered.weight_kg), ("liver", self.liver, offered.liver),
            ("crcl_ml_min", self.crcl_ml_min, offered.crcl_ml_min),
            ("challenge", self.challenge, ("", *(c.name for c in offered.challenges))),
        )  # fmt: skip
        for name, given, known in listed:
            if given not in known:
                said = ", ".join(str(k) if isinstance(k, str) else f"{k:g}" for k in known if k != "")
                raise InputError(f"{name} is {given!r}; expected one of {said}. Correct the link.")

    @property
    def _dosing(self) -> Dosing:
        known = {d.key: d for d in controls().dosings}
        if self.give not in known:
            raise InputError(f"give is {self.give!r}; expected one of {', '.join(known)}. Correct the link.")
        return known[self.give]

    @property
    def _challenge(self) -> Challenged | None:
        return next((c for c in controls().challenges if c.name == self.challenge), None)

    @property
    def amounts(self) -> list[tuple[float, float]]:
        """Time [h] and amount [mg] of each dose that is taken."""
        return [(k * self.every_h, self.mg) for k in range(self.n) if k + 1 not in self.missed]

    @property
    def seen_h(self) -> float:
        """Time from which the lowest level counts: the first missed dose, else four hours after the first dose. [h]"""
        return max(4.0, (min(self.missed, default=1) - 1) * self.every_h)

    @property
    def words(self) -> list[str]:
        """The doses that are taken, in words: one regimen where none is missed, one for each dose otherwise."""
        dose = self._dosing.words.format(amount=self.mg)
        if self.missed:
            return [dose + (f" at {t:g} h" if t else "") for t, _ in self.amounts]
        return [dose if self.n == 1 else f"{dose} q{self.every_h:g}h x{self.n}"]

    @property
    def subject(self) -> dict[str, str]:
        """The person, as a run file has it."""
        return {"weight": f"{self.weight_kg:g} kg", "liver": self.liver, "crcl": f"{self.crcl_ml_min:g} mL/min"}

    @property
    def run(self) -> Run:
        """The run of the antagonist."""
        return Run.of(*self.words, until=f"{self.until_h:g} h", subject=self.subject)

    def simulate(self, *, catalogue: Catalogue | None = None) -> Result:
        """Simulate the antagonist of the scenario.

        >>> round(Scenario(give="naltrexone tablet", mg=50, n=1, every_h=24, until_h=48).simulate()[
        ...     "mor_pet_occupancy"].at("24 h"), 2) > 0.5
        True
        """
        return simulate_run(self.run, catalogue=catalogue)

    def challenged(self, *, catalogue: Catalogue | None = None) -> challenges.Challenge | None:
        """Run the challenge; None where there is none."""
        given = self._challenge
        if given is None:
            return None
        return challenges.challenge(
            self.words, agonist=given.words, at=f"{self.at_h:g} h", effect=list(given.effects), subject=self.subject,
            catalogue=catalogue,
        )  # fmt: skip

    def results(self, *, catalogue: Catalogue | None = None) -> dict[str, float]:
        """Return what a page says of the scenario: computed at the times that its script takes.

        ``peak_ng_ml`` of the antagonist in plasma; in percent ``mor_peak``, ``mor_end``, ``mor_lowest`` (from the first
        missed dose, or where none is missed four hours after the first one, to the end of the last interval),
        ``kor_peak`` and ``dor_peak``; ``above_80_h``, for how long more than 80 % of mu receptors are occupied;
        ``block_EFFECT`` of the challenge in percent.

        >>> found = Scenario(give="naloxone vein", mg=0.4, n=1, every_h=1, until_h=6).results()
        >>> sorted(found)[:3]
        ['above_80_h', 'dor_peak', 'kor_peak']
        """
        found = {name: float(values[0]) for name, values in self._told(None, catalogue)[1].items()}
        challenged = self.challenged(catalogue=catalogue)
        for response in () if challenged is None else challenged.responses:
            found[f"block_{response.effect}"] = 100 * float(response.block[0])
        return found

    def band(self, *, catalogue: Catalogue | None = None) -> Band:
        """Run the virtual people of a band: the same as those of a page.

        >>> band = Scenario(give="naloxone vein", mg=0.4, n=1, every_h=1, until_h=6).band()
        >>> bool((band.low <= band.high).all()), sorted(band.results)[-1]
        (True, 'peak_ng_ml')
        """
        who = {"weight_kg": self.weight_kg, "liver": self.liver, "crcl_ml_min": self.crcl_ml_min}
        mor, each = self._told(band_people([who]), catalogue)
        low, high = np.quantile(mor, [0.05, 0.95], axis=0)
        ends = {name: np.quantile(values, [0.05, 0.95]) for name, values in each.items()}
        return Band(low=low, high=high, results={name: (float(a), float(b)) for name, (a, b) in ends.items()})

    def _told(self, people: People | None, catalogue: Catalogue | None) -> tuple[Floats, dict[str, Floats]]:
        """Occupancy of mu receptors at the times of a page, shape (n, n_times), and what is said of each person."""
        last = round(self.until_h * TICKS_PER_HOUR)
        ticks = [round(k * last / (POINTS - 1)) for k in range(POINTS)]
        prepared = prepared_of(self.run, people=people, catalogue=catalogue)
        names = [f"plasma_{self._dosing.drug}", *(f"{r}_pet_occupancy" for r in ("mor", "kor", "dor"))]
        run = prepared.outputs(ticks, outputs_of(Effects(built=prepared.built), names))
        t, mor = run["mor_pet_occupancy"].time_h, np.asarray(run["mor_pet_occupancy"].values, dtype=np.float64)
        found: dict[str, Floats] = {"peak_ng_ml": run[names[0]].values.max(axis=1)}
        found |= {f"{r}_peak": 100 * run[f"{r}_pet_occupancy"].values.max(axis=1) for r in ("mor", "kor", "dor")}
        seen = mor[:, (t >= self.seen_h) & (t <= self.n * self.every_h)]
        found["mor_lowest"] = 100 * (seen.min(axis=1) if seen.size else mor[:, -1])
        found["mor_end"] = 100 * mor[:, -1]
        # Straight lines between the times: the part of each that lies above.
        a, b = np.maximum(mor[:, :-1], mor[:, 1:]) - HELD, HELD - np.minimum(mor[:, :-1], mor[:, 1:])
        share = np.where(a <= 0, 0.0, np.where(b <= 0, 1.0, a / np.where(a + b > 0, a + b, 1.0)))
        found["above_80_h"] = share @ np.diff(t)
        return mor, found

    @property
    def fragment(self) -> str:
        """The link's part behind ``#``; values that are the default are left out.

        >>> Scenario(give="naltrexone tablet", mg=50, n=7, every_h=24, until_h=336, missed=(3,)).fragment
        'give=naltrexone+tablet&mg=50&n=7&every_h=24&until_h=336&missed=3'
        """
        said = []
        for f in fields(self):
            value = getattr(self, f.name)
            if value != f.default:
                said.append((f.name, ",".join(map(str, value)) if f.name == "missed" else _plain(value)))
        return "&".join(f"{name}={quote(value, safe=',').replace('%20', '+')}" for name, value in said)

    @classmethod
    def of(cls, link: str) -> Scenario:
        """Read a link, or the part after its ``#``; the name of the scene that a page writes into it plays no part.

        Raises InputError for a link that no page of schild writes.

        >>> Scenario.of("#give=naloxone+vein&mg=0.4&n=1&every_h=1&until_h=6").words
        ['naloxone 0.4 mg iv']
        """
        text = link.rpartition("#")[2]
        if len(text) > 2000:
            raise InputError(f"The link has {len(text):,} characters; expected at most 2,000. Copy it from the page.")
        pairs = [(name, value) for name, value in parse_qsl(text, keep_blank_values=True) if name != "scene"]
        given = dict(pairs)
        known = {f.name: f for f in fields(cls)}
        unknown = [name for name, _ in pairs if name not in known]
        missing = [n for n in ("give", "mg", "n", "every_h", "until_h") if n not in given]
        if unknown or missing or len(given) < len(pairs):
            said = (
                f"unknown: {', '.join(unknown)}"
                if unknown
                else f"missing: {', '.join(missing)}"
                if missing
                else "twice"
            )
            raise InputError(
                f"The link is not understood ({said}); expected what a page of schild writes behind '#', such as "
                "give=naltrexone+tablet&mg=50&n=7&every_h=24&until_h=336. Copy the whole link, in quotes."
            )
        return cls(**{name: _read(name, value) for name, value in given.items()})


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else repr(value).removesuffix(".0")


def _read(name: str, text: str) -> Any:
    if name in ("give", "liver", "challenge", "version"):
        return text
    try:
        if name == "n":
            return int(text)
        if name == "missed":
            return tuple(int(k) for k in text.split(",") if k)
        value = float(text)
    except ValueError:
        raise InputError(f"{name} is {text[:40]!r}; expected a number. Correct the link.") from None
    if not math.isfinite(value):
        raise InputError(f"{name} is {text[:40]!r}; expected a finite number. Correct the link.")
    return value
