"""``schild check``: report on a table of observed data, person by person, and on the model's predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from schild.cli.console import Whole, say_if_compiling, writable, write
from schild.cli.exchange import as_options, compartments
from schild.cli.options import Draws, Files, Levels, Table, pairs
from schild.errors import InputError
from schild.tables import people_words

if TYPE_CHECKING:
    from rich.console import Console

    from schild.observed import Observed
    from schild.observed.check import Check

#: Persons that are listed on a terminal.
_MOST = 40


def check(
    table: Annotated[Path, Parameter(name="TABLE.csv")],
    /,
    *,
    predict: Path | None = None,
    vpc: Whole | None = None,
    columns: Table = Table(),
    levels: Levels = Levels(),
    data: Draws = Draws(),
    files: Files = Files(),
) -> int:
    """Report what was read from a table of doses, covariates and observed levels, person by person.

    schild check examples/nonmem_levels.csv

    schild check examples/nonmem_levels.csv --plot out/levels.svg --vpc 50

    Parameters
    ----------
    table
        NONMEM table with a header: TIME, AMT, DV and any of ID, EVID, MDV, CENS, LLOQ, ANALYTE, WT, AGE,
        SEX, CRCL, LIVER and the columns of `schild import nonmem`.
    predict
        File for the predictions and residuals (CSV).
    vpc
        Visual predictive check with so many simulated tables; printed as a table.
    """
    from schild.observed.check import check as run

    files.check()
    writable(predict)
    if vpc is not None and not 10 <= vpc <= 2000:
        raise InputError(f"--vpc is {vpc}; expected 10 to 2,000 simulated tables. Choose one of them.")
    observed = read_table(table, columns, levels, data)
    say_if_compiling()
    if files.plot is not None and not observed.outputs:
        raise InputError(f"{table} holds no observations, so there is nothing to draw. Leave --plot out.")
    found = run(observed, vpc=vpc, **data.options)
    if predict is not None:
        write(predict, observed.predict(**found.options).to_csv(index=False, lineterminator="\n"))
    return files.finish(found, _show, title="Observed levels", table="people.csv")


def _show(found: Check, screen: Console) -> None:
    from rich.text import Text

    from schild.tables import between, number_words
    from schild.tables import table as made

    rows = found.summary()
    screen.print(Text(f"{found.data.name}: {people_words(len(rows))}", style="bold"))
    for row in rows[:_MOST]:
        screen.print(Text(_line(row)), soft_wrap=True)
    if len(rows) > _MOST:
        screen.print(Text(f"{len(rows) - _MOST} more people; --json lists all."))
    if found.vpc is None:
        return
    heads = ("of", "at [h]", "quantile", "n", "observed", "simulated", "90 % of tables")
    lines = [
        (
            r["output"].removeprefix("plasma_"),
            number_words(r["time_h"]),
            f"{100 * r['quantile']:g} %",
            r["observations"],
            _level(r["output"], r["observed"]),
            _level(r["output"], r["simulated"]),
            between(_level(r["output"], r["simulated_q05"]), _level(r["output"], r["simulated_q95"])),
        )
        for r in found.vpc.to_dict("records")
    ]
    screen.print(made("Visual predictive check", heads, lines))


def read_table(table: Path, columns: Table, levels: Levels, data: Draws) -> Observed:
    """Read the table of a command; messages name the options of the command line."""
    from schild.observed import read_observed

    try:
        return read_observed(
            table, compartments(columns.cmt), dv=_meaning(levels.dv), dv_unit=levels.dv_unit,
            sex=pairs(levels.sex_is or (), "sex", "a number and its meaning", "'1=female'") or None,
            catalogue=data.catalogue, **columns.options,
        )  # fmt: skip
    except InputError as error:
        raise InputError(as_options(str(error) if table.name in str(error) else f"{table}: {error}")) from None


def _level(output: str, value: float) -> str:
    from schild.tables import value_words

    return value_words("[ng/mL]" if output.startswith("plasma_") else output, value)


def _line(row: dict[str, Any]) -> str:
    """Say what was read of one person."""
    units = {"weight_kg": "kg", "age_years": "years", "crcl_ml_min": "mL/min"}
    who = [
        f"{row[name]:.3g} {unit}" if (unit := units.get(name)) else f"{name} {row[name]}"
        for name in (*units, "sex", "liver", "cyp2d6")
        if row[name] is not None
    ]
    seen = "no observations"
    if row["observations"]:
        below = f" ({row['below the limit']} below the limit)" if row["below the limit"] else ""
        seen = f"{row['observations']} observations of {row['of']}{below}, {row['first_h']:g} to {row['last_h']:g} h"
    return f"{row['person']}: {row['doses'] or 'no doses'}; {', '.join(who) or 'a typical person'}; {seen}"


def _meaning(entries: list[str] | None) -> str | dict[str, str] | None:
    if entries and len(entries) == 1 and "=" not in entries[0]:
        return entries[0].strip()
    return pairs(entries or (), "dv", "a value and its meaning", "'1=plasma_naltrexone'") or None
