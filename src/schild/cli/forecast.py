"""``schild forecast`` and ``schild coverage``: receptor occupancy after measured levels, or missed doses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from schild.cli.verbs import command

if TYPE_CHECKING:
    from rich.console import Console

    from schild.forecasts import Forecast
    from schild.missed_doses import Coverage


def _show(found: Forecast, screen: Console) -> None:
    from rich.text import Text

    from schild.tables import concentration_words, number_words, table, time_words

    said = found.said()
    screen.print(Text(f"{said[:1].upper()}{said[1:]}."))
    rows = [
        (_named(row["output"]), time_words(row["time_h"]),
         *((concentration_words if row["output"].startswith("plasma_") else number_words)(row[q])
           for q in ("q05", "q50", "q95")))
        for row in found.summary()
    ]  # fmt: skip
    heads = ("output", "at", "5 %", "median", "95 %")
    basis = "; ".join(f"{_named(name)}: {row}" for name, row in
                      dict((r["output"], r["evidence"]) for r in found.summary()).items())  # fmt: skip
    caption = f"Effective size of the posterior: {found.effective:.0f} people. {' '.join(found.assumptions)}"
    caption += f" Basis of the numbers used: {basis}."
    screen.print(table(found.title, heads, rows, caption=caption))


def _named(output: str) -> str:
    """Name of an output, with the unit of a plasma level."""
    return f"{output.removeprefix('plasma_')} [ng/mL]" if output.startswith("plasma_") else output


@command(
    "schild.forecasts:forecast", _show, title="Forecast from measured levels", table="forecast.csv",
    label="structures", places={"regimens": "REGIMEN"}, names={"levels": "level"}, without=("structures",),
)  # fmt: skip
def forecast(given: dict[str, Any]) -> None:
    """Forecast plasma and mu occupancy of one person from measured plasma levels.

    schild forecast "naltrexone 380 mg im_depot q28d x3" --level "0.8 ng/mL at 80 d" --weight "90 kg"

    For research and education, not for treating a person.
    """


def _show_coverage(found: Coverage, screen: Console) -> None:
    from schild.tables import number_words, percent_words, spread_words, table

    def spread(row: dict[str, Any], name: str, words: Callable[[float], str]) -> str:
        return spread_words({"q50": row[name], **{q: row[f"{name}_{q}"] for q in ("q05", "q95")}}, words)

    cells = [
        (row["missed"], ", ".join(map(str, row["skipped"])) or "-", row["days"],
         spread(row, "days_protected", number_words), spread(row, "share_of_time", percent_words))
        for row in found.summary()
    ]  # fmt: skip
    heads = ("missed in a row", "doses", "days", "whole days protected", "time protected")
    title = f"Mu receptors at {100 * found.target:g} % or more: median (5th to 95th percentile)"
    screen.print(table(title, heads, cells))


@command(
    "schild.missed_doses:coverage", _show_coverage, title="Days protected", table="coverage.csv",
    places={"regimen": "REGIMEN"}, commas={"missed": ("0,1,2", int)},
)  # fmt: skip
def coverage(given: dict[str, Any]) -> None:
    """Count the days on which mu receptors stay occupied, by how many doses in a row are missed.

    schild coverage "naltrexone 50 mg po q24h x28" --missed 0,1,2,4

    For research and education, not for treating a person.
    """
