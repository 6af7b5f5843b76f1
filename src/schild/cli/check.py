"""``schild check``: what a table of observed data says, person by person, and how the model predicts it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from schild.cli import console
from schild.cli.console import NOTICE, Whole, writable, write
from schild.cli.exchange import as_options, compartments
from schild.cli.figures import check_figure, save_figure
from schild.cli.options import Numbers
from schild.errors import InputError

if TYPE_CHECKING:
    from schild.observed import Observed

#: Persons that are listed on a terminal.
_MOST = 40


def check(
    table: Annotated[Path, Parameter(name="TABLE.csv")],
    /,
    *,
    cmt: list[str] | None = None,
    unit: str | None = None,
    time_unit: str | None = None,
    drug: str | None = None,
    route: str | None = None,
    basis: str | None = None,
    dv: list[str] | None = None,
    dv_unit: str = "ng/mL",
    sex: list[str] | None = None,
    drop: list[str] | None = None,
    predict: Path | None = None,
    vpc: Whole | None = None,
    plot: Path | None = None,
    json: bool = False,
    data: Numbers = Numbers(),
) -> int:
    """Say what was read from a table of doses, covariates and observed levels, person by person.

    schild check examples/nonmem_levels.csv

    schild check examples/nonmem_levels.csv --plot out/levels.svg --vpc 50

    Parameters
    ----------
    table
        NONMEM table with a header: TIME, AMT, DV and any of ID, EVID, MDV, CENS, LLOQ, ANALYTE, WT, AGE,
        SEX, CRCL, LIVER and the columns of `schild import nonmem`.
    cmt
        What a dose into a compartment is, such as "1=naltrexone oral"; once for each.
    unit
        Unit of AMT, such as mg, for a table without AMTU.
    time_unit
        Unit of TIME, II and DUR: h, min, s or d.
    drug
        Drug of every dose, for a table that names none.
    route
        Route of every dose, for a table that names none.
    basis
        base or the salt weighed, for a table without BASIS.
    dv
        What DV is: an output such as plasma_naltrexone, or "1=plasma_naltrexone" for each value of ANALYTE, DVID, CMT.
    dv_unit
        Unit of plasma levels in DV: ng/mL, ug/L, ug/mL, mg/L, pg/mL or ng/L.
    sex
        What a number in SEX means, such as "1=female"; once for each.
    drop
        A column to leave out on purpose; once for each.
    predict
        File for the predictions and residuals (CSV).
    vpc
        Visual predictive check with so many simulated tables; printed as a table.
    plot
        File for the figure of observed values over predicted courses: .svg, .png or .pdf.
    json
        Print one JSON object and nothing else.
    """
    import json as writer

    from rich.text import Text

    from schild.results import plain
    from schild.tables import between, number_words
    from schild.tables import table as made

    check_figure(plot)
    writable(predict)
    if vpc is not None and not 10 <= vpc <= 2000:
        raise InputError(f"--vpc is {vpc}; expected 10 to 2,000 simulated tables. Choose one of them.")
    found = read_table(
        table, cmt=cmt, unit=unit, time_unit=time_unit, drug=drug, route=route, basis=basis, dv=dv, dv_unit=dv_unit,
        sex=sex, drop=drop, catalogue=data.catalogue,
    )  # fmt: skip
    options: dict[str, Any] = {"overrides": data.overrides, "catalogue": data.catalogue}
    if predict is not None:
        write(predict, found.predict(**options).to_csv(index=False, lineterminator="\n"))
    if plot is not None:
        save_figure(found.plot(**options), plot)
    rows = found.summary()
    checked = None if vpc is None else found.vpc(n=vpc, **options)
    if json:
        object_ = {"people": rows, "notes": list(found.notes)}
        if checked is not None:
            object_["vpc"] = checked.to_dict("records")
        print(writer.dumps(plain(object_), allow_nan=False, default=str))
        return 0
    screen = console.out()
    for note in found.notes:
        screen.print(Text(f"Note: {note}"))
    screen.print(Text(f"{table.name}: {len(rows)} persons", style="bold"))
    for row in rows[:_MOST]:
        screen.print(Text(_line(row)), soft_wrap=True)
    if len(rows) > _MOST:
        screen.print(Text(f"{len(rows) - _MOST} more persons; --json lists all."))
    if checked is not None:
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
            for r in checked.to_dict("records")
        ]
        screen.print(made("Visual predictive check", heads, lines))
    screen.print(Text(NOTICE, style="dim"))
    return 0


def read_table(
    table: Path,
    *,
    cmt: list[str] | None,
    unit: str | None,
    dv: list[str] | None,
    sex: list[str] | None,
    drop: list[str] | None,
    **options: Any,
) -> Observed:
    """Read the table of a command; messages name the options of the command line."""
    from schild.observed import read_observed

    try:
        return read_observed(
            table, compartments(cmt), amount_unit=unit, drop=drop or (), dv=_pairs(dv, "dv"), sex=_map(sex), **options
        )
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


def _map(entries: list[str] | None) -> dict[str, str] | None:
    found = _pairs(entries, "sex")
    if isinstance(found, str):
        raise InputError(f"--sex is {found!r}; expected a number and its meaning. Write it like '1=female'.")
    return found


def _pairs(entries: list[str] | None, option: str) -> str | dict[str, str] | None:
    if not entries:
        return None
    if len(entries) == 1 and "=" not in entries[0]:
        return entries[0].strip()
    found: dict[str, str] = {}
    for entry in entries:
        key, equals, value = (part.strip() for part in entry.partition("="))
        if not (equals and key and value):
            raise InputError(f"--{option} is {entry!r}; expected a value and its meaning. Write it like '1=...'.")
        found[key] = value
    return found
