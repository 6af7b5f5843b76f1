"""Parts of a trial on disk: Parquet files, written whole or not at all, with a hash, listed in a registry.

A part has a row for each person and arm; its metadata hold the trial, the sums by week and a hash of everything. DuckDB
writes and reads it. ``runs.sqlite`` lists the parts and can be rebuilt from them at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.errors import InputError, needed
from schild.trial.follow import Part, counts_of, people_of_part, weekly_of
from schild.trial.trialfile import Trial

if TYPE_CHECKING:
    import pandas as pd

REGISTRY = "runs.sqlite"
SUFFIX = ".parquet"

#: Entry of the metadata of a part.
_ENTRY = "schild"


@cache
def storage() -> Any:
    """Connect to DuckDB in memory, on one processor; raises InputError where it is not installed."""
    (duckdb,) = needed("stats", "A trial with a folder, whose parts are Parquet files,", "duckdb")
    return duckdb.connect(config={"threads": 1})


def part_digest(part: Part) -> str:
    """Hash of the people of a part, which does not depend on how a trial was divided into parts.

    >>> import numpy as np
    >>> empty = Part(counts=np.zeros((0, 1, 1), np.int32), people=np.zeros((0, 1, 6)), weekly=np.zeros((1, 4, 2)))
    >>> len(part_digest(empty))
    64
    """
    digest = hashlib.sha256()
    for array in (part.counts, part.people):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _whole_digest(head: dict[str, Any], part: Part) -> str:
    said = json.dumps([head["part"], head["trial"], head["weekly"], part_digest(part)])
    return hashlib.sha256(said.encode()).hexdigest()


def write_part(file: Path, part: Part, trial: Trial) -> None:
    """Write a part under a temporary name, flush it to disk, and rename it.

    Raises InputError where the file cannot be written; no incomplete file is left under the name of the part.
    """
    head: dict[str, Any] = {"part": file.stem, "trial": trial.canonical(), "weekly": part.weekly.tolist()}
    head["digest"] = _whole_digest(head, part)
    rows = _who(file, trial)
    for names, values in ((people_of_part(trial), part.people), (counts_of(trial), part.counts)):
        rows |= {name: np.ascontiguousarray(values[:, :, k]).ravel() for k, name in enumerate(names)}
    base = storage().cursor()
    from duckdb import Error

    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        base.register("rows", rows)
        base.execute(
            "copy (from rows) to $1 "
            f"(format parquet, compression zstd, use_tmp_file false, kv_metadata {{{_ENTRY}: $2}})",
            [str(aside), json.dumps(head)],
        )
        with aside.open("r+b") as handle:
            os.fsync(handle.fileno())
        aside.replace(file)
    except BaseException as error:
        aside.unlink(missing_ok=True)
        if not isinstance(error, (OSError, Error)):
            raise
        raise InputError(
            f"{file} cannot be written ({getattr(error, 'strerror', None) or error}); finished parts are kept. Make "
            "room or give another --out, and run it again."
        ) from None
    finally:
        base.close()
    if os.name == "posix":
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _place(file: Path) -> tuple[str, int, int]:
    """Key of the trial of a part, its first person, and one past its last."""
    key, first, last = file.stem.rsplit("-", 2)
    return key, int(first), int(last)


def _who(file: Path, trial: Trial) -> dict[str, Any]:
    """Columns that identify the rows of a part, from its name and its trial."""
    key, first, last = _place(file)
    arms = [arm.name for arm in trial.arm]
    return {
        "run": np.full((last - first) * len(arms), key, dtype=object),
        "person": np.repeat(np.arange(first, last), len(arms)),
        "arm": np.array(arms * (last - first), dtype=object),
    }


def _head(file: Path) -> dict[str, Any]:
    """Metadata of a part: its name, trial, sums by week and hash."""
    asked = "select value from parquet_kv_metadata($1) where key = $2"
    ((value,),) = storage().cursor().execute(asked, [str(file), _ENTRY.encode()]).fetchall()
    found = json.loads(value)
    if not isinstance(found, dict):
        raise ValueError(found)
    return found


def read_part(file: Path, trial: Trial, n: int) -> Part | str:
    """Read a part of an earlier run, or say why it cannot be used; empty where there is none."""
    if not file.exists():
        return ""
    arms = len(trial.arm)
    try:
        head = _head(file)
        if (own := head["part"]) != file.stem:
            return f"{file.name} holds the part {str(own)[:60]!r}"
        table = storage().cursor().execute("from read_parquet($1)", [str(file)]).fetchnumpy()
        if len(table["person"]) != n * arms:
            return f"{file.name} holds people of another number"

        def read(names: tuple[str, ...], dtype: type) -> Any:
            return np.stack([table[name].reshape(n, arms) for name in names], axis=2).astype(dtype, copy=False)

        got = Part(
            counts=read(counts_of(trial), np.int32), people=read(people_of_part(trial), np.float64),
            weekly=np.array(head["weekly"], dtype=np.float64),
        )  # fmt: skip
        same = all(np.array_equal(table[name], column) for name, column in _who(file, trial).items())
        if not same or head["trial"] != trial.canonical() or head["digest"] != _whole_digest(head, got):
            return f"{file.name} does not hold what was written"
    except Exception as error:  # damaged data can raise anything: duckdb.Error, ValueError, UnicodeError, ...
        storage.cache_clear()  # DuckDB may refuse further work after it
        return f"{file.name} cannot be read ({type(error).__name__})"
    return got


def _heads(folder: Path) -> Iterator[tuple[Path, dict[str, Any] | None]]:
    """Parts of a folder in the order of their people, with their metadata; None for a file that cannot be read."""
    named = re.compile(r"[0-9a-f]+-\d+-\d+")
    for file in sorted((f for f in folder.glob(f"*{SUFFIX}") if named.fullmatch(f.stem)), key=_place):
        try:
            head: dict[str, Any] | None = _head(file)
        except Exception:  # as in read_part
            storage.cache_clear()
            head = None
        yield file, head


def _registry(heads: Mapping[Path, Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """Tables ``part`` and ``run`` of parts with these metadata."""
    import pandas as pd

    rows = [(file.name, *_place(file), str(head["digest"]), str(head["trial"])) for file, head in heads.items()]
    part = pd.DataFrame(rows, columns=["file", "run", "first", "last", "digest", "trial"])
    of = part.assign(people=part["last"] - part["first"]).groupby("run", sort=False)
    run = of.agg(trial=("trial", "first"), parts=("file", "size"), people=("people", "sum")).reset_index()
    return {"part": part.drop(columns="trial"), "run": run}


def rebuild_registry(out: Path) -> int:
    """Rebuild ``runs.sqlite`` of a folder from its parts.

    ``out``: folder of a trial, with its ``parts``. Returns the number of parts that could be read.
    """
    heads = {file: head for file, head in _heads(out / "parts") if head is not None}
    with closing(sqlite3.connect(out / REGISTRY, timeout=30)) as base, base:
        for name, table in _registry(heads).items():
            table.to_sql(name, base, index=False, if_exists="replace")
    return len(heads)


#: Most rows that a query returns, and memory that it may take, none of it on disk; whoever wants more reads the Parquet
#: files of the parts.
MOST_ROWS, MOST_MEMORY = 1_000_000, "3GB"


def query(out: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]], list[str]]:
    """Query the parts of a folder with SQL (DuckDB).

    ``out``: folder of a trial; ``sql``: one SELECT over the tables ``people`` (a row for each person and arm: ``run``,
    ``person``, ``arm``, values before treatment, counts), ``weekly`` (sums of a week by arm), ``part`` and ``run``.
    Returns names of columns, rows, and a line for each part that is damaged and left out. Raises InputError for a
    folder without parts, for SQL that fails or is not one SELECT, and for more than ``MOST_ROWS`` rows.
    """
    storage()
    import duckdb
    import pandas as pd

    heads, weekly, left = {}, [], []
    parsed = cache(lambda said: Trial.parse(json.loads(said)))
    for file, head in _heads(out / "parts"):
        key, first, last = _place(file)
        trial = None if head is None else parsed(head["trial"])
        part = f"{file.name} cannot be read" if trial is None else read_part(file, trial, last - first)
        if head is None or trial is None or isinstance(part, str):
            left.append(f"{part}; it was left out. The next run of the trial on this folder computes it again.")
            continue
        heads[file] = head
        for arm, sums in zip(trial.arm, part.weekly, strict=True):
            weeks = pd.DataFrame(sums, columns=list(weekly_of(trial)))
            weekly.append(weeks.assign(run=key, arm=arm.name, week=weeks.index + 1))
    if not heads:
        raise InputError(f"{out} holds no parts of a trial; expected the folder of `schild trial FILE --out FOLDER`.")
    sums = pd.concat(weekly).groupby(["run", "arm", "week"], sort=False).sum(min_count=1).reset_index()
    with duckdb.connect(config={"memory_limit": MOST_MEMORY, "temp_directory": ""}) as base:
        for name, table in {**_registry(heads), "weekly": sums}.items():
            base.register(name, table)
        people = base.read_parquet([str(file) for file in heads], union_by_name=True)
        people.create_view("people")
        try:
            asked = duckdb.extract_statements(sql)
            if [one.type for one in asked] != [duckdb.StatementType.SELECT]:
                raise duckdb.ParserException("it is not one SELECT")
            found = base.execute(sql)
            columns = [column[0] for column in found.description or ()]
            rows = found.fetchmany(MOST_ROWS + 1)
        except duckdb.OutOfMemoryException:
            rows = [()] * (MOST_ROWS + 1)
        except duckdb.Error as error:
            said = str(error).partition("\n")[0]
            raise InputError(
                f"The query is not understood ({said}); expected one SELECT over people, weekly, part or run. "
                f"Columns of people: {', '.join(people.columns)}."
            ) from None
    if len(rows) > MOST_ROWS:
        raise InputError(
            f"The answer has more than {MOST_ROWS:,} rows, or takes more than {MOST_MEMORY}; expected less. Aggregate, "
            f"or add a LIMIT; the parts in {out / 'parts'} are Parquet files, which hold all people."
        )
    return columns, [tuple(_plain(x) for x in row) for row in rows], left


def _plain(x: Any) -> Any:
    """Convert decimals to floats, and dates and other types to text."""
    return (
        float(x) if isinstance(x, Decimal) else x if isinstance(x, (int, float, str, list, dict, NoneType)) else str(x)
    )
