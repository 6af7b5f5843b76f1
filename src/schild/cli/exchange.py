"""``schild import``: files of other programs."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from schild.cli.console import APP, NOTICE, writable, write
from schild.cli.options import Files, Numbers, Table, pairs
from schild.cli.simulate import print_events, show_run
from schild.errors import InputError
from schild.units import format_ticks, ticks

import_app = App(name="import", help="Read files of other programs.", **APP)

#: A run file with more single doses than this is no longer one that people read.
MAX_ROWS = 100_000


@import_app.command
def nonmem(
    table: Annotated[Path, Parameter(name="TABLE.csv")],
    /,
    *,
    columns: Table = Table(),
    id: str | None = None,
    until: str | None = None,
    out: Path | None = None,
    dry_run: bool = False,
    simulate: bool = False,
    json: bool = False,
    data: Numbers = Numbers(),
) -> int:
    """Turn a NONMEM event table into a run file, its events, or a result.

    schild import nonmem examples/nonmem_table.csv --cmt "1=naltrexone oral" --unit mg --id 1 --out run.toml

    Without --out, --dry-run or --simulate the run file is printed.

    Parameters
    ----------
    table
        Table with a header: TIME, AMT and any of RATE, DUR, II, ADDL, SS, EVID, CMT, ID, DRUG, ROUTE, AMTU, BASIS.
        Columns are separated by commas, tabs, semicolons or blanks; the page on event semantics lists all names.
    id
        The person to take from a table of several; the rows of the others are not checked.
    until
        End of the run; by default a week after the last dose, and not before the last row.
    out
        File for the run.
    dry_run
        Print the events that the rows stand for, and nothing else.
    simulate
        Simulate at once and print the summary.
    json
        With --simulate or --dry-run: print one JSON object and nothing else.
    """
    from schild.regimen import read_nonmem
    from schild.simulation import Run, model_of

    if json and not (simulate or dry_run):
        raise InputError("--json was given alone; expected it with --simulate or --dry-run. Add one of them.")
    writable(out)
    try:
        regimen = read_nonmem(table, compartments(columns.cmt), id=id, **columns.options)
    except InputError as error:
        raise InputError(as_options(str(error) if str(table.name) in str(error) else f"{table}: {error}")) from None
    doses = tuple(regimen)
    if not doses:
        raise InputError(f"{table} gives no dose; expected at least one row with EVID 1 and AMT above 0. Check EVID.")
    if len(doses) > MAX_ROWS:
        raise InputError(
            f"{table} has {len(doses):,} dose rows for one person; expected at most {MAX_ROWS:,}. Write repeated doses "
            "as one row with II and ADDL."
        )
    notes = list(regimen.notes)
    words = [dose.to_words() for dose in doses]
    head: dict[str, Any] = {"title": table.stem} | ({} if until is None else {"until": until})
    run = Run.parse({"run": head, "dose": words})
    last = ticks(max((*regimen.observations, *regimen.marks), default=0.0))
    if until is None and last > run.until_tick:
        head["until"] = format_ticks(last)
    end = max(run.until_tick, last) if until is None else run.until_tick
    asked = sorted({ticks(time) for time in regimen.observations})
    if observe := [format_ticks(time) for time in asked if 0 <= time <= end]:
        head["observe"] = observe
        notes.append(f"Observation times, which become output times: {len(observe)}.")
    if outside := len(asked) - len(observe):
        notes.append(f"Observation times before 0 or after the end, which are left out: {outside}.")
    run = Run.parse({"run": head, "dose": words, "numbers": data.overrides})
    model_of(run, catalogue=data.catalogue)
    if dry_run:
        print_events(run, data.catalogue, json, notes)
        return 0
    text = "".join(f"# {note}\n" for note in notes) + run.to_toml()
    if out is not None:
        write(out, text)
    for note in notes:
        print(f"Note: {note}", file=sys.stderr)
    if simulate:
        return show_run(run, Files(json=json), notes=notes, catalogue=data.catalogue)
    if out is None:
        print(text, end="")
    else:
        print(f"Written: {out} ({len(doses)} doses). {NOTICE}")
    return 0


def as_options(message: str) -> str:
    """Name the options of the command line where the message names those of Python."""
    message = re.sub(r"cmt=\{'?(\w+)'?: \('(\w+)', '(\w+)'\)\}", r"--cmt '\1=\2 \3'", message)
    message = re.sub(r"amount_unit='(\w+)'", r"--unit \1", message).replace("time_unit", "--time-unit")
    message = (
        re.sub(r"drop=\('(.+?)',\)", r"--drop '\1'", message).replace("`drop`", "--drop").replace("drop=", "--drop")
    )
    message = message.replace("id=..., or use read_nonmem_rows, which gives a regimen for each", "--id")
    return re.sub(r"\b(drug|route)='(\w+)'", r"--\1 \2", re.sub(r"^id is", "--id is", message))


def compartments(entries: list[str] | None) -> dict[int | str, tuple[str, str]]:
    """Read the options --cmt: drug and route of a dose into a compartment."""
    what, example = "a compartment, a drug and a route", "'1=naltrexone oral'"
    found: dict[int | str, tuple[str, str]] = {}
    for place, words in pairs(entries or (), "cmt", what, example).items():
        parts = re.split(r"\s*[\s:,/]\s*", words)
        if not re.fullmatch(r"[0-9]{1,9}|[A-Za-z_]\w*", place) or len(parts) != 2:
            raise InputError(f"--cmt is '{place}={words}'; expected {what}. Write it like {example}.")
        key = int(place) if place.isdecimal() else place.lower()
        if key in found:
            raise InputError(f"--cmt names compartment {key} twice; expected once. Drop one of them.")
        found[key] = (parts[0], parts[1])
    return found
