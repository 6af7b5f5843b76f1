"""``schild trial``: a virtual trial from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from schild.cli.console import Whole, err, progress
from schild.cli.options import Files, Json, Numbers

if TYPE_CHECKING:
    from rich.console import Console

    from schild.trial import Sizing, Trial, TrialResult

#: Endpoints of the table; the page and the JSON have all.
_SHOWN = {
    "alcohol": (
        "percent_drinking_days", "percent_heavy_drinking_days", "drinks_per_drinking_day", "return_to_heavy_drinking",
        "abstinence", "last4_abstinence", "last4_no_heavy", "last4_who2", "last4_who1",
    ),
    "opioid": (
        "inducted", "relapse_4wk", "relapse_4wk_inducted", "dropout_4wk", "kept", "percent_negative",
        "abstinent_throughout", "use_days", "overdose_ratio",
    ),
}  # fmt: skip

#: Longest table of people that is written; the parts hold everybody.
_ROWS = 200_000


def trial(
    file: Path,
    /,
    *,
    workers: Whole = 1,
    cluster: str | None = None,
    shard: str | None = None,
    n: Whole | None = None,
    replicates: Whole | None = None,
    seed: Whole | None = None,
    people: Literal["own", "shared"] | None = None,
    power: float | None = None,
    data: Numbers = Numbers(),
    files: Files = Files(),
) -> int:
    """Run a virtual trial: arms of virtual people, as a real trial has them.

    schild trial examples/alcohol_oral_50mg.toml --out out/trial

    The folder also contains people.csv (up to 200,000 rows) and the parts, from which an interrupted trial continues;
    for an opioid trial also weekly.csv, a table for models of policy, and dictionary.csv, which describes its columns.

    Parameters
    ----------
    file
        Trial file in TOML; `schild schema trial` lists its keys.
    workers
        Number of processes; it changes no result.
    cluster
        Address of a Dask scheduler in place of processes, such as tls://host:8786; needs --out on a folder that its
        machines share. tcp:// is for this machine alone.
    shard
        Make one share of the parts only, such as 3/64, and leave the rest to other runs on the same --out; the run
        without it joins all.
    n
        Number of people in each arm, in place of that of the file.
    replicates
        Number of repeats of the trial with new people, in place of that of the file.
    seed
        Seed, in place of that of the file.
    people
        own: people of its own in each arm, as in a real trial; shared: the same people in every arm, for the effect on
        each person, without intervals, p-values or power. It replaces the choice of the file.
    power
        Do not run the trial but find how many people it needs in each arm for this power, such as 0.8, and for an
        assurance as large, by endpoint.
    """
    from schild.trial import Trial, run_trial, size_trial

    if power is not None:
        idle = {"--n": n, "--replicates": replicates, "--people": people, "--shard": shard, "--cluster": cluster,
                "--workers": workers if workers != 1 else None}  # fmt: skip
        _no_effect("--power", [name for name, given in idle.items() if given is not None])
    files.check()
    asked = Trial.read(file)
    head = {k: v for k, v in (("n", n), ("replicates", replicates), ("seed", seed), ("people", people))
            if v is not None}  # fmt: skip
    if head:
        said = asked.said()
        asked = Trial.parse({**said, "trial": {**said["trial"], **head}})
    if shard is not None:
        return _shard(asked, shard, files.out, workers, cluster, data)
    if power is not None:
        with progress("people") as advance:
            sizes = size_trial(asked, power, progress=advance, **data.options)
        return files.finish(sizes, _show_sizes, page="schild.report.trial:sizing_html", table="sizes.csv")
    with progress("people") as advance:
        found = run_trial(asked, out=files.out, workers=workers, cluster=cluster, progress=advance, **data.options)
    more: dict[str, str | bytes] = {}
    if files.out is not None and asked.disorder == "opioid":
        from schild.report.parts import csv_text
        from schild.trial.policy import DICTIONARY, policy_table

        columns = {"column": list(DICTIONARY), "meaning": list(DICTIONARY.values())}
        more = {"weekly.csv": policy_table(found).to_csv(index=False), "dictionary.csv": csv_text(columns)}
    return files.finish(
        found, _show, page="schild.report.trial:trial_html", more=more,
        table="people.csv" if asked.size * len(asked.arm) <= _ROWS else None,
    )  # fmt: skip


def _no_effect(beside: str, idle: list[str]) -> None:
    """Refuse options that would be ignored."""
    from schild.errors import InputError

    if idle:
        raise InputError(f"{', '.join(idle)} would change nothing beside {beside}. Leave {beside} or the others out.")


def _shard(asked: Trial, shard: str, out: Path | None, workers: int, cluster: str | None, data: Numbers) -> int:
    from schild.errors import InputError
    from schild.people import Overrides
    from schild.trial.partfile import part_digest
    from schild.trial.parts import run_parts

    which, _, of = shard.partition("/")
    if not (which.isdigit() and of.isdigit()):
        raise InputError(f"{shard!r} is not a shard; expected one like 3/64.")
    with progress("people") as advance:
        found = run_parts(
            asked, out=out, workers=workers, cluster=cluster, shard=(int(which), int(of)), catalogue=data.catalogue,
            overrides=Overrides.of(data.overrides, data.catalogue), progress=advance,
        )  # fmt: skip
    print(f"shard {shard}: {len(found.counts):,} people of each arm, hash {part_digest(found)[:16]}; in {out}")
    return 0


def results(folder: Path, sql: str, /, *, json: Json = False) -> int:
    """Query the people of a finished or unfinished trial with SQL.

    schild results out/trial "select arm, avg(heavy) from people group by arm"

    Tables: people (a row for each person and arm), weekly (sums of a week by arm), part and run. Damaged parts are
    named and left out. Parts are Parquet files, one thousand people each, which other programs read too.

    Parameters
    ----------
    folder
        Folder that was given to `schild trial --out`.
    sql
        One SELECT, in the words of DuckDB.
    json
        Print one JSON object with columns and rows.
    """
    import csv
    import sys

    from schild.results import json_text
    from schild.trial.partfile import query

    columns, rows, left_out = query(folder, sql)
    for note in left_out:
        err().print(f"Note: {note}", style="yellow", markup=False)
    if json:
        print(json_text({"columns": columns, "rows": rows, "left_out": left_out}))
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return 0


def _show_sizes(found: Sizing, console: Console) -> None:
    from schild.tables import table
    from schild.trial.sizing import size_cells

    arms = {row.arm for row in found.rows}
    one = f"{', '.join(arms)} against {found.trial.reference.name}; " if len(arms) == 1 else ""
    heads = ("endpoint", "arm", "difference (MC error)", "n, closed form", "power at n, simulated", "assurance at n",
             f"n for {100 * found.target:g} % assurance", "interval at n")  # fmt: skip
    shown = [k for k, title in enumerate(heads) if title != "arm" or not one]
    rows = [[cells[k] for k in shown] for cells in map(size_cells, found.rows)]
    title = f"{one}people in each arm for {100 * found.target:g} % power, fewest first; 5 %, two-sided"
    console.print(table(title, [heads[k] for k in shown], rows, left=("endpoint", "arm")))
    for line in found.fewest():
        console.print(line)


def _show(found: TrialResult, console: Console) -> None:
    from schild.tables import table
    from schild.trial.endpoints import ENDPOINTS, event_of
    from schild.trial.kinds import words_of

    head = found.trial.trial
    repeats = f", {head.replicates} times" if head.replicates > 1 else ""
    title = f"{head.title or 'A virtual trial'}: {head.n:,} people in each arm, {head.weeks} weeks{repeats}"
    shown = _SHOWN[found.trial.disorder]
    rows = []
    for name in shown:
        cells, d = [found.endpoint(name, arm) for arm in found.arms], ENDPOINTS[name].digits
        said = (f"{e.estimate:.{d}f} ({e.low:.{d}f} to {e.high:.{d}f})" if e.n else "not estimable" for e in cells)
        rows.append((words_of(name) + f" [{cells[0].unit}]" * (cells[0].unit != "1"), *said))
    console.print(table(title, ("endpoint", *found.arms), rows))
    if len(found.arms) > 1:
        heads = ("endpoint", "arm", "difference", "ratio", "needed to treat", "power" if repeats else "p")
        compared = found.comparison_cells((*shown, event_of(found.trial)[0]))
        console.print(table(f"Against {found.trial.reference.name}", heads, compared, left=("endpoint", "arm")))
