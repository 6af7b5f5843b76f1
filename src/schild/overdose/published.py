"""Published percentages of cardiac arrest compared with those in people drawn with the published moments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from schild import __version__
from schild.catalog import Catalogue, load
from schild.catalog.rescue import PublishedArrest
from schild.errors import InputError
from schild.figures import COLOURS, GREY, Chart, Picture
from schild.overdose.drugs import REGIMENS, Dose, Rescue
from schild.overdose.follow import RTOL, follow, warm_up
from schild.overdose.measure import percent_of
from schild.overdose.parameters import REPRODUCTION, published, record
from schild.overdose.population import naloxone_people, opioid_people
from schild.results import Shown

#: Bar for people drawn from moments, in points (docs/design/rescue.md).
BAR = 3.0

_ESCALATING = re.compile(r"IV\d[\d.]*(\+\d[\d.]*)+mg")

#: Sets of published rows that are shown by default; the bar was set for the first.
MODELS = ("IN", "IM", "Laffont2024")
VEIN = ("IV_single", "IV_escalating")
MAX_PEOPLE = 100_000

#: People of a cell: an interval of four points either way in less than a minute.
PEOPLE = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One published percentage and the computed one."""

    row: PublishedArrest
    #: Computed percentage with its Wilson interval [%]
    percent: float
    low: float
    high: float
    n: int  #: Virtual people who count

    @property
    def difference(self) -> float:
        """Computed minus published percentage. [points]"""
        return self.percent - self.row.percent

    @property
    def miss(self) -> bool:
        """Whether they differ by more than the bar."""
        return abs(self.difference) > BAR

    def to_dict(self) -> dict[str, Any]:
        """Return one row of the JSON contract."""
        theirs = asdict(self.row)
        names = {"percent": "published", "low": "published_low", "high": "published_high", "subject": "tolerance"}
        return {
            "regimen": self.row.regimen,
            "percent": self.percent,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "difference": self.difference,
            "miss": self.miss,
        } | {names.get(key, key): value for key, value in theirs.items() if key != "regimen"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PublishedTable(Shown):
    """The published and the computed table, misses first."""

    rows: tuple[Beside, ...]  #: Misses first, then as published
    left_out: tuple[PublishedArrest, ...]  #: Published rows whose regimens are not computed
    n: int  #: People of each cell
    seed: int  #: Seed of their draws

    @property
    def misses(self) -> tuple[Beside, ...]:
        """Rows that differ by more than the bar."""
        return tuple(row for row in self.rows if row.miss)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings to read before using the numbers."""
        if not self.left_out:
            return ()
        names = ", ".join(dict.fromkeys(row.regimen for row in self.left_out))
        return (f"{len(self.left_out)} published rows have regimens that are not computed: {names}.",)

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Return what is needed to repeat this table."""
        return {"schild": __version__, "subjects": self.n, "seed": self.seed, "rtol": RTOL, "bar_points": BAR}

    def about(self) -> str:
        """Describe the result in one line."""
        return (
            f"{len(self.misses)} of {len(self.rows)} published percentages of arrest differ by more than {BAR:g} points"
        )

    def summary(self) -> list[dict[str, Any]]:
        """Return the rows of the JSON contract."""
        return [row.to_dict() for row in self.rows]

    def picture(self) -> Picture:
        """Chart of computed over published percentages, each with its interval."""
        chart = Chart(340.0)
        for row in self.rows:
            p, colour = row.row, COLOURS[1] if row.miss else COLOURS[0]
            chart.line([p.percent, p.percent], [row.low, row.high], color=colour, width=0.8)
            chart.line([p.low, p.high], [row.percent, row.percent], color=colour, width=0.8)
            chart.marks([p.percent], [row.percent], color=colour, size=4.0)
        chart.line([0, 100], [0, 100], color=GREY, width=0.8)
        chart.x.label, chart.y.label = "cardiac arrest, published [%]", "cardiac arrest, computed [%]"
        return Picture([chart], caption="Percentages with their intervals; orange: misses.")

    @property
    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """Sources of the published percentages."""
        return {row.row.source: ("percentages of arrest",) for row in self.rows}

    @property
    def catalogue(self) -> Catalogue:
        """The built-in catalogue, whose numbers are the reference's."""
        return load()

    def content(self) -> dict[str, Any]:
        """Return the rows."""
        return {"arrest": self.summary()}


def published_table(
    n: int = PEOPLE,
    seed: int = 1,
    *,
    only: Callable[[PublishedArrest], bool] = lambda row: row.model in MODELS,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PublishedTable:
    """Compute the published percentages of cardiac arrest.

    ``n``: people of each cell, drawn with the published moments; the same people in all cells of an opioid; ``seed``:
    seed of the draws; ``only``: chooses published rows; by default naloxone by spray and into muscle; ``threads``: all
    processors by default, which changes no result; ``progress``: called with the number of cells done and their total.
    Every peculiarity of the reference is on, and its rule of arrest is used. Raises InputError if ``n`` is out of
    range.

    >>> table = published_table(16, only=lambda row: row.regimen == "none" and row.model == "IM")
    >>> [row.row.percent for row in table.rows]
    [52.1, 59.15]
    """
    if not 1 <= n <= MAX_PEOPLE:
        raise InputError(f"n is {n}; expected 1 to {MAX_PEOPLE:,} people.")
    wanted = [row for row in load().published_arrests if only(row)]
    rows = [row for row in wanted if _known(row.regimen)]

    # Rows without an antagonist do not depend on the delay and share one run.
    def cell(row: PublishedArrest) -> tuple[Any, ...]:
        wait = row.delay_s if row.regimen != "none" else 0.0
        return row.opioid, row.dose_mg, row.subject, row.regimen, wait

    cells = list(dict.fromkeys(cell(row) for row in rows))
    start = warm_up(1, published())
    found = {}
    for k, key in enumerate(cells):
        found[key] = percent_of(_arrests(*key, n=n, seed=seed, start=start, threads=threads))
        if progress is not None:
            progress(k + 1, len(cells))
    beside = [
        Beside(row=row, percent=p, low=low, high=high, n=count)
        for row, (p, low, high, count) in ((row, found[cell(row)]) for row in rows)
    ]
    return PublishedTable(
        rows=tuple(sorted(beside, key=lambda b: -abs(b.difference) if b.miss else 0.0)),
        left_out=tuple(row for row in wanted if not _known(row.regimen)),
        n=n,
        seed=seed,
    )


def _known(name: str) -> bool:
    return name in REGIMENS or _ESCALATING.fullmatch(name) is not None


def _regimen(name: str) -> Rescue:
    """The regimen of a published row; escalating doses into a vein are named by their amounts, one for each gap."""
    if name in REGIMENS:
        return REGIMENS[name]
    amounts = name.removeprefix("IV").removesuffix("mg").split("+")
    gap = float(record("protocol").gap)
    doses = tuple(Dose(after_s=gap * k, amount_ng=1e6 * float(mg)) for k, mg in enumerate(amounts))
    return Rescue(key=name, route="iv", doses=doses)


def _arrests(
    opioid: str, dose_mg: float, subject: str, name: str, wait_s: float, *, n: int, seed: int, start: Any, threads: Any
) -> Any:
    """Flags of arrest of the people whose decision falls within the horizon, as the reference counts."""
    physiology, rescue = published(), _regimen(name)
    binding, kinetics = naloxone_people(rescue.route, n, seed)
    followed = follow(
        n,
        physiology,
        p_chemo=getattr(physiology.drive, f"chemo_{subject}"),
        p_wake=getattr(physiology.drive, f"wake_{subject}"),
        starts=np.repeat(start, n, axis=0),
        opioid=opioid_people(opioid, n, seed),
        dose_mg=dose_mg,
        antagonist=binding,
        route=kinetics,
        rescue=rescue,
        wait_s=wait_s,
        rule="two_pass",
        quirks=REPRODUCTION,
        stop_at_arrest=True,
        threads=threads,
    )
    return followed.arrest[followed.outcome["dropped"] == 0]
