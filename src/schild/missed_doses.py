"""Days on which mu receptors stay occupied when doses are missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schild.catalog import Catalogue, load
from schild.errors import InputError
from schild.figures import COLOURS, INK, Chart, Picture
from schild.forecasts import check_shares, run_like
from schild.people import Given
from schild.regimen import parse_regimen
from schild.results import ShownRun, plain
from schild.simulation import Result, simulate_run
from schild.units import TICKS_PER_HOUR, format_ticks


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Coverage(ShownRun):
    """Days protected by a regimen, by how many doses in a row are missed.

    Examples
    --------
    >>> import schild
    >>> found = schild.coverage("naltrexone 50 mg po q24h x7", missed=[0, 2], n=10)
    >>> found.to_frame()["missed"].tolist()
    [0, 2]
    """

    title: str
    target: float  #: Occupancy of mu receptors that protects [1]
    rows: tuple[Mapping[str, Any], ...]  #: One for each pattern, as ``coverage`` says
    result: Result  #: The run of the last pattern

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warnings of all runs, each once."""
        return self.result.warnings

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what is needed to repeat the result."""
        return {**self.result.manifest, "regimens": [self.title], "target": self.target}

    def about(self) -> str:
        """Describe the result in one line."""
        said = "; ".join(
            f"{row['missed']} missed: {row['days_protected']:g} of {row['days']} days" for row in self.rows
        )
        return f"{self.title}: days with mu receptors at {100 * self.target:g} % or more: {said}"

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each pattern of missed doses."""
        return [dict(row) for row in self.rows]

    def content(self) -> dict[str, Any]:
        """Return the target, and a row for each number of missed doses."""
        return {"target": self.target, "coverage": plain(self.summary())}

    def picture(self) -> Picture:
        """Chart of the share of time protected by doses missed in a row: median, with the middle 90 % of people."""
        middle, low, high = ([100 * row[f"share_of_time{q}"] for row in self.rows] for q in ("", "_q05", "_q95"))
        at, chart = np.arange(len(self.rows)), Chart(230.0)
        chart.bars(at - 0.3, at + 0.3, 0.0, middle, color=COLOURS[0])
        chart.whiskers(at, None, low, high, color=INK, width=1.5)
        chart.x.ticks, chart.x.words = range(len(self.rows)), [str(row["missed"]) for row in self.rows]
        chart.x.label, chart.y.label = "doses missed in a row", f"time at {100 * self.target:g} % or more [%]"
        chart.y.lim = 0.0, 105.0
        return Picture([chart], caption="Bars: medians; strokes: the middle 90 % of people.")


def coverage(
    regimen: str,
    *,
    missed: Sequence[int] = (0, 1, 2, 3),
    subject: Mapping[str, Any] | None = None,
    target: float = 0.8,
    n: int = 200,
    seed: int = 1,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
) -> Coverage:
    """Count the days on which mu receptors stay occupied, by how many doses in a row are missed.

    Parameters
    ----------
    regimen : str
        Repeated doses with their number, such as ``"naltrexone 50 mg po q24h x28"``.
    missed : sequence of int
        Doses in a row that are missed, around the middle of the course.
    subject, n, seed, catalogue, overrides
        As for ``schild.forecast``.
    target : float
        Occupancy of mu receptors that protects, 0 to 1.

    Returns
    -------
    Coverage
        For each pattern: missed, skipped (numbers of the doses), days in all, days_protected (the whole day at or above
        the target) and share_of_time, each as median and 5th and 95th percentile of people.

    Raises
    ------
    InputError
        For a regimen without interval and number, of a drug that blocks nothing, or more missed doses than there are.

    Examples
    --------
    >>> rows = coverage("naltrexone 50 mg po q24h x7", missed=[0, 2], n=10).rows
    >>> [row["skipped"] for row in rows], rows[0]["days_protected"] > rows[1]["days_protected"]
    ([[], [4, 5]], True)
    """
    catalogue = catalogue or load()
    check_shares(target=target)
    doses = parse_regimen(regimen).doses
    if len(doses) != 1 or doses[0].every is None or not doses[0].count:
        raise InputError(
            f"{regimen!r} is not one repeated dose with a number; expected an interval and how many. Write it like "
            "'naltrexone 50 mg po q24h x28'."
        )
    (dose,) = doses
    if dose.skip:
        raise InputError(
            f"{regimen!r} skips doses of its own; expected the whole course, since `missed` says how many are missed. "
            "Leave skip out."
        )
    drug = catalogue.drug(str(dose.drug))
    if drug.role in ("agonist", "prodrug") or "mor" not in drug.binding:
        raise InputError(
            f"{drug.name} ({drug.role}) blocks no mu receptors in the brain, so no day is protected by it; expected an "
            "antagonist or a partial agonist that enters it. Name one, such as naltrexone."
        )
    count = int(dose.count or 0)
    end = dose.time_tick + count * dose.every_tick
    if not missed:
        raise InputError("No pattern of missed doses was given; expected one or more numbers. Write missed=[0, 1, 2].")
    rows = []
    for some in missed:
        if not 0 <= some < count:
            raise InputError(f"{some} missed doses of {count} were asked for; expected 0 to {count - 1}. Choose fewer.")
        start = (count - some) // 2 + 1
        skipped = list(range(start + 1, start + 1 + some)) if start + some <= count else list(range(2, 2 + some))
        words = f"{regimen} skip {','.join(map(str, skipped))}" if skipped else regimen
        run = run_like((words,), subject, format_ticks(end), n, seed, None, ["mor_pet_occupancy"], every="1 h")
        result = simulate_run(run, catalogue=catalogue, overrides=overrides, warn=False)
        output = result["mor_pet_occupancy"]
        time, values = np.asarray(output.time_h, dtype=np.float64), np.asarray(output.values, dtype=np.float64)
        day = np.floor((time - dose.time_tick / TICKS_PER_HOUR) / 24.0).astype(int)
        whole = [d for d in range(int(day.max()) + 1) if (day == d).sum() > 1]
        above = np.stack([(values[:, day == d] >= target).all(axis=1) for d in whole], axis=1).sum(axis=1)
        inside = day >= 0
        width = np.diff(time[inside])
        share = ((values[:, inside][:, :-1] >= target) * width).sum(axis=1) / width.sum()
        q = (0.5, 0.05, 0.95)
        entry: dict[str, Any] = {"missed": some, "skipped": skipped, "days": len(whole)}
        for name, found in (("days_protected", above), ("share_of_time", share)):
            middle, low, high = (float(x) for x in np.quantile(found, q))
            entry |= {name: middle, f"{name}_q05": low, f"{name}_q95": high}
        rows.append(entry)
    return Coverage(title=" ".join(regimen.split()), target=target, rows=tuple(rows), result=result)
