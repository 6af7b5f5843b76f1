"""``schild import`` and ``schild export``: files of other programs."""

from __future__ import annotations

import re
import sys
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from schild.cli.console import APP, NOTICE, writable, write
from schild.cli.simulate import read_run, show_run
from schild.errors import InputError

if TYPE_CHECKING:
    from schild.regimen import Regimen

import_app = App(name="import", help="Read other programs' files.", **APP)
export_app = App(name="export", help="Write a run for other programs.", **APP)

#: A run file with more single doses than this is no longer one that people read.
MAX_ROWS = 100_000


@import_app.command
def nonmem(
    table: Annotated[Path, Parameter(name="TABLE.csv")],
    /,
    *,
    cmt: list[str] | None = None,
    unit: str | None = None,
    time_unit: str = "h",
    drug: str | None = None,
    route: str | None = None,
    basis: str | None = None,
    id: str | None = None,
    until: str | None = None,
    out: Path | None = None,
    dry_run: bool = False,
    simulate: bool = False,
    json: bool = False,
) -> int:
    """Turn a NONMEM event table into a run file, its events, or a result.

    schild import nonmem table.csv --cmt "1=naltrexone oral" --unit mg --out run.toml

    Without --out, --dry-run or --simulate the run file is printed.

    Parameters
    ----------
    table
        CSV with a header: TIME, AMT and any of RATE, DUR, II, ADDL, SS, EVID, CMT, ID, DRUG, ROUTE, AMTU, BASIS.
    cmt
        What a dose into a compartment is, such as "1=naltrexone oral"; once for each compartment.
    unit
        Unit of AMT, such as mg, for a table without AMTU.
    time_unit
        Unit of TIME, II and DUR: h, min, s or d.
    drug
        Drug of every dose, for a table that names none.
    route
        Route of every dose, for a table that names none.
    basis
        base or the salt weighed, for a table without BASIS; the product's own by default.
    id
        The person to take from a table of several.
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
    from schild.regimen import read_nonmem_people
    from schild.simulate import Run, model_of

    if json and not (simulate or dry_run):
        raise InputError("--json was given alone; expected it with --simulate or --dry-run. Add one of them.")
    writable(out)
    compartments = _compartments(cmt)
    try:
        people = read_nonmem_people(
            str(table), compartments, drug=drug, route=route, basis=basis, amount_unit=unit, time_unit=time_unit
        )
    except InputError as error:
        raise InputError(_as_options(f"{table}: {error}")) from None
    regimen = _person(people, id, table)
    doses = tuple(regimen)
    if not doses:
        raise InputError(f"{table} gives no dose; expected at least one row with EVID 1 and AMT above 0. Check EVID.")
    if len(doses) > MAX_ROWS:
        raise InputError(
            f"{table} has {len(doses):,} dose rows for one person; expected at most {MAX_ROWS:,}. Write repeated doses "
            "as one row with II and ADDL."
        )
    head = {"title": table.stem} if until is None else {"title": table.stem, "until": until}
    words = [dose.to_words() for dose in doses]
    run = Run.parse({"run": head, "dose": words})
    last = max((*regimen.observations, *regimen.marks), default=0.0)
    if until is None and last > run.until_h:
        run = Run.parse({"run": {**head, "until": f"{last!r} h"}, "dose": words})
    model_of(run)
    if dry_run:
        from schild.cli.simulate import print_events

        print_events(run, json)
        return 0
    if out is not None:
        write(out, run.to_toml())
    for note in regimen.notes:
        print(f"Note: {note}", file=sys.stderr)
    if simulate:
        return show_run(run, json=json)
    if out is None:
        print(run.to_toml(), end="")
    else:
        print(f"Written: {out} ({len(doses)} doses). {NOTICE}")
    return 0


@export_app.command
def sbml(
    *what: Annotated[str, Parameter(name="RUN.toml|REGIMEN")],
    until: str | None = None,
    structure: str | None = None,
    history: list[str] | None = None,
    out: Path | None = None,
    antimony: bool = False,
) -> int:
    """Write the model and doses of a run as SBML, for one typical person.

    schild export sbml "naltrexone 50 mg po q24h x7" --until 14d --out naltrexone.xml

    Parameters
    ----------
    what
        One run file, or regimens in words, each in quotes.
    until
        End of the run; no dose after it is written.
    structure
        Rival mechanism between plasma and receptor.
    history
        Earlier use of an opioid, once for each; the document then begins with its first dose.
    out
        File to write; printed by default.
    antimony
        Write Antimony, which people can read, instead of SBML.
    """
    writable(out)
    run = read_run(what, head={"until": until, "structure": structure}, person={"history": history})
    from schild.cli.sbml import before_h, text_of

    text = text_of(run, antimony=antimony)
    if before := before_h(run):
        print(
            f"Note: time 0 of the run is {before:g} h in the document, which begins with the history.", file=sys.stderr
        )
    if out is None:
        print(text)
    else:
        write(out, text)
        print(f"Written: {out}. {NOTICE}")
    return 0


def _as_options(message: str) -> str:
    """Name the options of the command line where the message names those of Python."""
    message = re.sub(r"cmt=\{(\d+): \('(\w+)', '(\w+)'\)\}", r"--cmt '\1=\2 \3'", message)
    message = re.sub(r"amount_unit='(\w+)'", r"--unit \1", message).replace("time_unit", "--time-unit")
    return re.sub(r"\b(drug|route)='(\w+)'", r"--\1 \2", message)


def _compartments(entries: list[str] | None) -> dict[int, tuple[str, str]] | None:
    if entries is None:
        return None
    found: dict[int, tuple[str, str]] = {}
    for entry in entries:
        number, equals, words = entry.partition("=")
        parts = words.split()
        if not equals or not number.strip().isdecimal() or len(parts) != 2:
            raise InputError(
                f"--cmt is {entry!r}; expected a compartment, a drug and a route. Write it like '1=naltrexone oral'."
            )
        if int(number) in found:
            raise InputError(f"--cmt names compartment {int(number)} twice; expected once. Drop one of them.")
        found[int(number)] = (parts[0], parts[1])
    return found


def _person(people: Mapping[Hashable, Regimen], wanted: str | None, table: Path) -> Regimen:
    by_name: dict[str, Any] = {f"{who:g}" if isinstance(who, float) else str(who): r for who, r in people.items()}
    some = ", ".join(list(by_name)[:8]) + (", ..." if len(by_name) > 8 else "")
    if wanted is not None:
        if wanted not in by_name:
            raise InputError(f"--id is {wanted!r}; expected a person of {table} ({some}). Choose one of them.")
        found: Regimen = by_name[wanted]
        return found
    if len(by_name) > 1:
        raise InputError(f"{table} holds {len(by_name)} persons ({some}); expected one. Choose one with --id.")
    return next(iter(people.values()))
