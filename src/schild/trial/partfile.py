"""Parts of a trial on disk: written whole or not at all, checked by their own hash, listed in a registry.

The parts are the truth; ``runs.sqlite`` says what there is and can be made again from them at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from schild.errors import InputError
from schild.trial.follow import Part, counts_of, people_of_part, weekly_of
from schild.trial.trialfile import Trial

__all__ = ["REGISTRY", "part_digest", "query", "read_part", "rebuild_registry", "write_part"]

REGISTRY = "runs.sqlite"


def part_digest(part: Part) -> str:
    """Hash of the people of a part: the same for any chunks, workers and machines once parts are joined.

    >>> import numpy as np
    >>> empty = Part(counts=np.zeros((0, 1, 1), np.int32), people=np.zeros((0, 1, 6)), weekly=np.zeros((1, 4, 2)))
    >>> len(part_digest(empty))
    64
    """
    digest = hashlib.sha256()
    for array in (part.counts, part.people):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def write_part(file: Path, part: Part, trial: Trial) -> None:
    """Write a part under another name, force it to the disk, and give it its own name.

    Raises InputError where there is no room or no right to write; nothing half written is left under the part's name.
    """
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with aside.open("wb") as handle:
            np.savez_compressed(
                handle, counts=part.counts, people=part.people, weekly=part.weekly, name=np.array(file.stem),
                digest=np.array(_whole_digest(part)), trial=np.array(trial.canonical()),
            )  # fmt: skip
            handle.flush()
            os.fsync(handle.fileno())
        aside.replace(file)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise InputError(
            f"{file} cannot be written ({error.strerror}); finished parts are kept. Make room or give another --out, "
            "and run it again."
        ) from None
    if os.name == "posix":
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _whole_digest(part: Part) -> str:
    return hashlib.sha256(part_digest(part).encode() + np.ascontiguousarray(part.weekly).tobytes()).hexdigest()


def read_part(file: Path, trial: Trial, n: int) -> Part | str:
    """Read a part that an earlier run left, or say why it cannot be used; nothing is said where there is none."""
    try:
        with file.open("rb") as handle, np.load(handle, allow_pickle=False) as kept:
            own, digest = str(kept["name"]), str(kept["digest"])
            got = Part(counts=kept["counts"], people=kept["people"], weekly=kept["weekly"])
    except FileNotFoundError:
        return ""
    except Exception as error:  # damaged data can raise anything: zlib.error, RuntimeError, TokenError, ...
        return f"{file.name} cannot be read ({type(error).__name__})"
    if own != file.stem:
        return f"{file.name} holds the part {own[:60]!r}"
    arms = len(trial.arm)
    shapes = (n, arms, len(counts_of(trial))), (n, arms, 6), (arms, trial.trial.weeks, len(weekly_of(trial)))
    if (got.counts.shape, got.people.shape, got.weekly.shape) != shapes:
        return f"{file.name} holds people of another number"
    if digest != _whole_digest(got):
        return f"{file.name} does not hold what was written"
    return got


def _parts(folder: Path, *names: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Entries of the parts of a folder that can be read, in the order of their people."""

    def place(file: Path) -> tuple[str, int]:
        key, first, _ = file.stem.rsplit("-", 2)
        return key, int(first)

    good = [f for f in folder.glob("*.npz") if f.stem.count("-") == 2 and f.stem.rsplit("-", 2)[1].isdigit()]
    for file in sorted(good, key=place):
        try:
            with file.open("rb") as handle, np.load(handle, allow_pickle=False) as kept:
                found = {name: kept[name] for name in names}
        except Exception:  # damaged data can raise anything; the next run makes the part again
            continue
        yield file, found


def rebuild_registry(out: Path) -> int:
    """Make ``runs.sqlite`` of a folder again from its parts.

    ``out``: folder of a trial, with its ``parts``. Returns the number of parts that could be read.
    """
    rows = []
    for file, kept in _parts(out / "parts", "digest", "trial"):
        key, first, last = file.stem.rsplit("-", 2)
        rows.append((file.name, key, int(first), int(last), str(kept["digest"]), str(kept["trial"])))
    with closing(sqlite3.connect(out / REGISTRY, timeout=30)) as base, base:
        base.executescript(
            "drop table if exists part; drop table if exists run;"
            "create table part (file text primary key, run text, first integer, last integer, digest text);"
            "create table run (run text primary key, trial text, parts integer, people integer)"
        )
        base.executemany("insert into part values (?, ?, ?, ?, ?)", [row[:5] for row in rows])
        for key in dict.fromkeys(row[1] for row in rows):
            own = [row for row in rows if row[1] == key]
            base.execute(
                "insert into run values (?, ?, ?, ?)", (key, own[0][5], len(own), sum(r[3] - r[2] for r in own))
            )
    return len(rows)


def query(out: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Ask the parts of a folder with SQL (SQLite).

    ``out``: folder of a trial; ``sql``: one SELECT over the tables ``people`` (a row for each person and arm: ``run``,
    ``person``, ``arm``, what the person was before, counts), ``weekly`` (sums of a week by arm), ``part`` and ``run``.
    Returns names of columns, and rows. Raises InputError for a folder without parts and for SQL that fails or writes.
    """
    if not (out / "parts").is_dir() or not rebuild_registry(out):
        raise InputError(f"{out} holds no parts of a trial; expected the folder of `schild trial FILE --out FOLDER`.")
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute("attach database ? as kept", (str(out / REGISTRY),))
        base.execute("create table part as select * from kept.part")
        base.execute("create table run as select * from kept.run")
        base.commit()
        base.execute("detach database kept")
        made = False
        sums: dict[tuple[str, str], Any] = {}
        for file, kept in _parts(out / "parts", "trial", "people", "counts", "weekly"):
            trial = Trial.parse(json.loads(str(kept["trial"])))
            key, start, _ = file.stem.rsplit("-", 2)
            names = ("run", "person", "arm", *people_of_part(trial), *counts_of(trial))
            if not made:
                base.execute("create table people (" + ", ".join(f'"{x}"' for x in names) + ")")
                base.execute(
                    "create table weekly (run, arm, week, " + ", ".join(f'"{x}"' for x in weekly_of(trial)) + ")"
                )
                made, first_names = True, names
            if names != first_names:
                raise InputError(f"{out} holds trials of different shapes; ask each in a folder of its own.")
            marks = ", ".join("?" * len(names))
            for k, arm in enumerate(trial.arm):
                rows = zip(kept["people"][:, k].tolist(), kept["counts"][:, k].tolist(), strict=True)
                base.executemany(
                    f"insert into people values ({marks})",
                    ((key, int(start) + j, arm.name, *who, *counts) for j, (who, counts) in enumerate(rows)),
                )
                at = (key, arm.name)
                sums[at] = sums.get(at, 0) + kept["weekly"][k]
        for (key, arm_name), weekly in sums.items():
            marks = ", ".join("?" * (3 + weekly.shape[1]))
            base.executemany(
                f"insert into weekly values ({marks})",
                ((key, arm_name, j + 1, *row) for j, row in enumerate(weekly.tolist())),
            )
        base.commit()
        base.execute("pragma query_only = on")
        try:
            found = base.execute(sql)
            return [x[0] for x in found.description or ()], found.fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise InputError(
                f"The question is not understood ({error}); expected one SELECT over people, weekly, part or run. "
                f"Columns of people: {', '.join(first_names)}."
            ) from None
