"""The table of a rescue: rows, comparisons, courses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.array_types import AnyFloats, Floats
from schild.figures import COLOURS, GREY, Chart, Picture
from schild.overdose.measure import BELOW, Measured, paired_points, percent_of
from schild.results import Shown, plain
from schild.simulation.result import metric

if TYPE_CHECKING:
    import pandas as pd

    from schild.catalog import Catalogue


#: Largest number of rows in one panel of courses; the bars below show all.
MOST = 5
#: Note with every table.
FRAMING = (
    "For naloxone programmes, labelling and teaching: a table states one exposure and compares what a rescuer can "
    "vary. Percentages are of a model's people, not of patients."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One antagonist regimen after one delay in people of one tolerance."""

    #: As stated; the delay is empty where the regimen does not depend on it
    regimen: str
    delay: str
    tolerance: str
    people: Measured  #: Outcomes of each person
    typical: Measured  #: The same for one person with the typical numbers

    @property
    def label(self) -> str:
        """Name in a figure."""
        return ", ".join(x for x in (self.regimen, self.delay and f"after {self.delay}", self.tolerance) if x)

    def arrest(self) -> tuple[float, float, float, int]:
        """Percentage of arrests, its interval, and number of people counted."""
        return percent_of(self.people.arrest[self.people.counted])

    def to_dict(self) -> dict[str, Any]:
        """Return one row of the JSON contract; times in seconds, of people as named."""
        p = self.people
        percent, low, high, n = self.arrest()
        lost = np.isfinite(p.trigger_s)
        alive = lost & ~p.arrest
        back = np.isfinite(p.breathing_s)
        again, again_low, again_high, n_awake = percent_of(p.renarcotised[p.awake])
        row: dict[str, Any] = {
            "regimen": self.regimen,
            "delay": self.delay,
            "tolerance": self.tolerance,
            "percent": percent,
            "low": low,
            "high": high,
            "n": n,
            "lost_breathing_percent": 100.0 * float(lost.mean()),
            "breathing_back_percent": 100.0 * float(back[lost].mean()) if lost.any() else None,
            "time_to_breathing_s": metric(_for_quantiles(p.breathing_s[back])),
            "renarcotised_percent": again,
            "renarcotised_low": again_low,
            "renarcotised_high": again_high,
            "renarcotised_of": n_awake,
            **{name: metric(_for_quantiles(getattr(p, name)[alive])) for name in BELOW},
        }
        if np.isfinite(p.cows).any():
            row["peak_cows"] = metric(_for_quantiles(p.cows[np.isfinite(p.cows)]))
        return dict(plain(row))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Difference of two rows in the same people: the first minus the second, in points."""

    regimen: str
    against: str
    delay: str
    tolerance: str
    #: Difference of the percentages of arrest, and its interval
    points: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Rescued(Shown):
    """A table of one exposure."""

    opioid: str  #: The exposure, in words
    source: str  #: ``published`` or ``general``
    rows: tuple[Row, ...]  #: By tolerance, delay and regimen
    times_s: Floats  #: Times of courses [s]; shape (times,)
    baseline_l_min: float  #: Ventilation without drug [L/min]
    horizon_s: float  #: End of the run [s]
    warnings: tuple[str, ...]  #: To read before using the numbers
    manifest: Mapping[str, Any]  #: Data needed to repeat the table
    sources: Mapping[str, Sequence[str]]  #: Use of each source, by citation key
    catalogue: Catalogue  #: For the sources' titles

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every regimen compared with the first of its tolerance, and of its delay where the first depends on it."""
        found = []
        for row in self.rows:
            same = [r for r in self.rows if r.tolerance == row.tolerance and r.delay in ("", row.delay)]
            first = same[0]
            if first is row:
                continue
            both = first.people.counted & row.people.counted
            points, low, high = paired_points(row.people.arrest[both], first.people.arrest[both])
            found.append(
                Comparison(
                    regimen=row.regimen,
                    against=first.regimen,
                    delay=row.delay,
                    tolerance=row.tolerance,
                    points=points,
                    low=low,
                    high=high,
                )
            )
        return tuple(found)

    def about(self) -> str:
        """Describe the result in one line."""
        first = self.rows[0].people.arrest.size if self.rows else 0
        said = "; ".join(f"{row.regimen} {row.arrest()[0]:.1f} %" for row in self.rows[:4])
        return f"{self.opioid}; {len(self.rows)} rows of {first:,} people; cardiac arrest: {said}"

    def summary(self) -> list[dict[str, Any]]:
        """Return the rows of the JSON contract."""
        return [row.to_dict() for row in self.rows]

    def to_frame(self) -> pd.DataFrame:
        """Return the rows as a table; quantiles have columns of their own."""
        import pandas as pd

        return pd.json_normalize(self.summary(), sep="_")

    def content(self) -> dict[str, Any]:
        """Return the rows, and the comparisons of arrest in the same people."""
        return {"arrest": self.summary(), "comparisons": [asdict(c) for c in self.comparisons]}

    def picture(self) -> Picture:
        """Charts of breathing, arterial oxygen, and arrest with its interval, one colour for each row.

        Lines are medians of people with the middle half as a band; dashed lines are the typical person. After an arrest
        breathing is zero, and oxygen is left out.
        """
        rows = self.rows
        hours = self.horizon_s > 3.0 * 3600.0
        t = self.times_s / (3600.0 if hours else 60.0)
        breathing, oxygen, arrest = Chart(260.0), Chart(260.0), Chart(0.0)
        for chart, name, words in (
            (breathing, "ventilation", "breathing [L/min]"), (oxygen, "pao2", "arterial oxygen [mmHg]"),
        ):  # fmt: skip
            for k, row in enumerate(rows[:MOST]):
                _course(chart, t, row, name, COLOURS[k % len(COLOURS)])
            chart.x.label, chart.y.label = f"time after the opioid [{'hours' if hours else 'minutes'}]", words
            chart.y.lim, chart.legend = (0.0, None), "below"
        breathing.rule(y=0.4 * self.baseline_l_min, color=GREY)
        arrest.rows([row.label for row in rows])
        for k, row in enumerate(rows):
            percent, low, high, _ = row.arrest()
            colour = COLOURS[k % len(COLOURS)] if k < MOST else GREY
            arrest.line([low, high], [k, k], color=colour, width=1.4)
            arrest.marks([percent], [k], color=colour, size=6.0)
        arrest.x.lim, arrest.x.label = (0.0, 100.0), "cardiac arrest [%]"
        caption = "Medians of people with the middle half; dashed: the typical person; dotted: limit of lost breathing."
        return Picture((breathing, oxygen, arrest), self.opioid, caption)


def _course(chart: Chart, t: Floats, row: Row, name: str, colour: str) -> None:
    values = getattr(row.people, name)
    # Oxygen is not defined after an arrest: bands are of those whose heart beats.
    some = np.isfinite(values).any(axis=0)
    low, mid, high = np.nanquantile(values[:, some], (0.25, 0.5, 0.75), axis=0)
    chart.band(t[some], low, high, color=colour, alpha=0.15)
    chart.line(t[some], mid, color=colour, label=row.label)
    chart.line(t, getattr(row.typical, name)[0], color=colour, width=1.0, dashes="--")


def _for_quantiles(values: AnyFloats) -> Floats:
    """Values for quantiles; at least two, so that one person is shown like many."""
    found: Floats = np.asarray(values, dtype=np.float64)
    return np.repeat(found, 2) if found.size == 1 else found
