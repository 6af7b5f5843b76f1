"""``schild forecast`` and ``schild coverage``: receptor occupancy after measured levels, or missed doses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from schild.cli.console import Whole, progress, say_if_compiling
from schild.cli.options import Draws, Files, Person, listed
from schild.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from schild.forecasts import Forecast
    from schild.missed_doses import Coverage


def forecast(
    *what: Annotated[str, Parameter(name="REGIMEN")],
    level: list[str],
    target: float = 0.8,
    share: float = 0.9,
    error: float = 0.2,
    n: Whole = 200,
    until: str | None = None,
    person: Person = Person(),
    data: Draws = Draws(),
    files: Files = Files(),
) -> int:
    """Forecast plasma and mu occupancy of one person from measured plasma levels.

    schild forecast "naltrexone 380 mg im_depot q28d x3" --level "0.8 ng/mL at 80 d" --weight "90 kg"

    For research and education, not for treating a person.

    Parameters
    ----------
    what
        Past and future doses, in words.
    level
        A measured level: "0.8 ng/mL at 25 d", "6-beta-naltrexol 1.1 ng/mL at 25 d" or "<0.5 ng/mL at 30 d"; once for
        each.
    target
        Occupancy of mu receptors that is wanted, 0 to 1.
    share
        Share of the posterior in which it is wanted, 0 to 1.
    error
        Error of a measured level, as a coefficient of variation; assumed.
    n
        Virtual people of the posterior, over all structures between plasma and receptor.
    until
        End of the forecast, such as 120d.
    """
    from schild.forecasts import forecast as run

    files.check()
    with progress("structures", show=n > 1000) as advance:
        found = run(
            *what, levels=level, subject=person.given, until=until, target=target, share=share, error=error, n=n,
            progress=advance, **data.options,
        )  # fmt: skip
    return files.finish(found, _show, title="Forecast from measured levels", table="forecast.csv")


def _show(found: Forecast, screen: Console) -> None:
    from rich.text import Text

    from schild.tables import concentration_words, number_words, table, time_words

    said = found.said()
    screen.print(Text(f"{said[:1].upper()}{said[1:]}."))
    rows = [
        (row["output"].removeprefix("plasma_"), time_words(row["time_h"]),
         *((concentration_words if row["output"].startswith("plasma_") else number_words)(row[q])
           for q in ("q05", "q50", "q95")))
        for row in found.summary()
    ]  # fmt: skip
    heads = ("output", "at", "5 %", "median", "95 %")
    basis = "; ".join(f"{name.removeprefix('plasma_')}: {row}" for name, row in
                      dict((r["output"], r["evidence"]) for r in found.summary()).items())  # fmt: skip
    caption = f"Posterior of {found.effective:.0f} effective people. {' '.join(found.assumptions)}"
    caption += f" Numbers behind it: {basis}."
    screen.print(table(found.title, heads, rows, caption=caption))


def coverage(
    what: Annotated[str, Parameter(name="REGIMEN")],
    /,
    *,
    missed: str = "0,1,2,3",
    target: float = 0.8,
    n: Whole = 200,
    person: Person = Person(),
    data: Draws = Draws(),
    files: Files = Files(),
) -> int:
    """Count the days on which mu receptors stay occupied, by how many doses in a row are missed.

    schild coverage "naltrexone 50 mg po q24h x28" --missed 0,1,2,4

    For research and education, not for treating a person.

    Parameters
    ----------
    what
        One repeated dose with its number, in words.
    missed
        Numbers of doses in a row that are missed, with commas.
    target
        Occupancy of mu receptors that protects, 0 to 1.
    n
        Virtual people.
    """
    from schild.missed_doses import coverage as run

    parts = listed(missed, "missed", "0,1,2")
    if not all(part.isdecimal() and len(part) < 6 for part in parts):
        raise InputError(f"--missed is {missed[:60]!r}; expected whole numbers with commas. Write it like 0,1,2.")
    files.check()
    say_if_compiling()
    found = run(what, missed=[int(part) for part in parts], subject=person.given, target=target, n=n, **data.options)
    return files.finish(found, _show_coverage, title="Days protected", table="coverage.csv")


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
