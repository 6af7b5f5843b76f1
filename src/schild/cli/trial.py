"""``schild trial``: a virtual trial from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from schild.cli.console import NOTICE, Whole, progress, say_if_compiling, writable, write
from schild.cli.console import out as standard_output
from schild.cli.options import Numbers

if TYPE_CHECKING:
    from rich.console import Console

    from schild.trial import TrialResult

#: Endpoints of the table; the page and the JSON have all.
_SHOWN = (
    "percent_drinking_days", "percent_heavy_drinking_days", "drinks_per_drinking_day", "return_to_heavy_drinking",
    "abstinence", "last4_abstinence", "last4_no_heavy", "last4_who2", "last4_who1",
)  # fmt: skip

#: Longest table of people that is written; the parts hold everybody.
_ROWS = 200_000


def trial(
    file: Path,
    /,
    *,
    out: Path | None = None,
    workers: Whole = 1,
    n: Whole | None = None,
    replicates: Whole | None = None,
    seed: Whole | None = None,
    people: Literal["own", "shared"] | None = None,
    html: Path | None = None,
    json: bool = False,
    data: Numbers = Numbers(),
) -> int:
    """Run a virtual trial: arms of virtual people, as a real trial has them.

    schild trial examples/alcohol_oral_50mg.toml --out out/trial

    The folder gets report.html, trial.json, people.csv (up to 200,000 rows) and the parts, with which an interrupted
    trial goes on.

    Parameters
    ----------
    file
        Trial file in TOML; `schild schema trial` lists what there is.
    out
        Folder for the results.
    workers
        Processes; never changes a number.
    n
        People in each arm, in place of the file's.
    replicates
        How often the trial is repeated with new people, in place of the file's.
    seed
        In place of the file's.
    people
        own: people of its own in each arm, as in a real trial; shared: the same people in every arm, for the effect on
        each person, without intervals, p-values or power. In place of the file's.
    html
        File for the report.
    json
        Print one JSON object and nothing else.
    """
    from schild.trial import Trial, run_trial

    writable(html)
    asked = Trial.read(file)
    head = {k: v for k, v in (("n", n), ("replicates", replicates), ("seed", seed), ("people", people))
            if v is not None}  # fmt: skip
    if head:
        said = asked.said()
        asked = Trial.parse({**said, "trial": {**said["trial"], **head}})
    say_if_compiling()
    with progress("people") as advance:
        found = run_trial(
            asked, out=out, workers=workers, catalogue=data.catalogue, overrides=data.overrides, progress=advance
        )
    if json:
        print(found.to_json())
    else:
        _print(found, standard_output())
    if out is not None or html is not None:
        from schild.report.trial import trial_html

        page = trial_html(found)
        if html is not None:
            write(html, page)
        if out is not None:
            write(out / "report.html", page)
            write(out / "trial.json", found.to_json())
            if asked.size * len(asked.arm) <= _ROWS:
                write(out / "people.csv", found.to_frame().to_csv(index=False))
    return 0


def _print(found: TrialResult, console: Console) -> None:
    from rich.table import Table

    head = found.trial.trial
    for warning in found.warnings:
        console.print(f"Note: {warning}", style="yellow", markup=False)
    repeats = f", {head.replicates} times" if head.replicates > 1 else ""
    table = Table(
        title=f"{head.title or 'A virtual trial'}: {head.n:,} people in each arm, {head.weeks} weeks{repeats}"
    )
    for title in ("endpoint", *found.arms):
        table.add_column(title, justify="left" if title == "endpoint" else "right")
    for name in _SHOWN:
        cells = [found.endpoint(name, arm) for arm in found.arms]
        table.add_row(
            f"{name.replace('_', ' ')} [{cells[0].unit}]",
            *(f"{e.estimate:.1f} ({e.low:.1f} to {e.high:.1f})" if e.n else "not estimable" for e in cells),
        )
    console.print(table)
    if len(found.arms) > 1:
        against = Table(title=f"Against {found.trial.reference.name}")
        for title in ("endpoint", "arm", "difference", "ratio", "treated for one"):
            against.add_column(title, justify="left" if title in ("endpoint", "arm") else "right")
        by = {(c.name, c.arm, c.measure): c for c in found.contrasts}
        for arm in found.arms:
            for name in (*_SHOWN, "time_to_first_heavy_day"):
                cells_of = [by.get((name, arm, m)) for m in ("difference", "risk_ratio", "number_needed")]
                cells_of[1] = cells_of[1] or by.get((name, arm, "hazard_ratio"))
                if any(cells_of):
                    against.add_row(name.replace("_", " "), arm, *(_cell(c) for c in cells_of))
        console.print(against)
    console.print(NOTICE, markup=False)


def _cell(c: object) -> str:
    from schild.trial.endpoints import Contrast

    if not isinstance(c, Contrast) or c.estimate is None:
        return ""
    limits = "" if c.low is None or c.high is None else f" ({c.low:.2f} to {c.high:.2f})"
    return f"{c.estimate:.2f}{limits}"
