"""Parts of a trial: made in any order by any worker, kept whole on disk, found again, merged in the order of people."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path

import numpy as np

from schild.catalog import Catalogue, load
from schild.errors import InputError
from schild.people import Given, Uses
from schild.population import groups
from schild.simulation.work import check_work
from schild.trial.follow import COUNTS, WEEKLY, Part, follow
from schild.trial.numbers import trial_numbers
from schild.trial.occupancy import evening_occupancy
from schild.trial.people import kinetic_people
from schild.trial.trialfile import Trial

__all__ = ["PEOPLE", "Range", "merge", "ranges", "run_parts", "trial_key", "uses_of"]

#: People of one part unless asked otherwise: bounds the memory, changes no number.
PEOPLE = 1000

#: Kept of a person in an arm, and as much again twice while endpoints are made of it. [bytes]
_BYTES = 3 * (4 * len(COUNTS) + 8 * 6)

#: People of one replicate, from the first to one past the last.
Range = tuple[int, int]


def uses_of(trial: Trial, catalogue: Catalogue, overrides: Given | None = None) -> Uses:
    """Record of every number that following a trial's people uses, without following them.

    Examples
    --------
    >>> trial = Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"})
    >>> used = uses_of(trial, load()).numbers
    >>> ("beta_naltrexol", "cl") in used, ("endogenous", "mor.e0") in used, ("trial", "adherence.daily") in used
    (True, True, True)
    """
    numbers = trial_numbers(trial, catalogue, 0, overrides)
    for name in catalogue.trial:
        numbers.values.of("trial", name)
    kinetics = kinetic_people(trial, numbers, 0, 1, 0)
    kinetics.between("alcohol", "release.gain")
    kinetics.covariate("sex")
    for arm in trial.arm:
        if not arm.placebo:
            evening_occupancy(arm, np.ones((1, 1), dtype=bool), kinetics, numbers)
    return numbers.values.uses


@cache
def _code() -> str:
    """Hash of the program: parts that other code made are not taken up."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def trial_key(trial: Trial, catalogue: Catalogue, overrides: Given | None = None) -> str:
    """Hash of everything that decides a trial's numbers: what is tried, every number used, the program.

    Examples
    --------
    >>> trial = Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"})
    >>> trial_key(trial, load()) == trial_key(Trial.parse(trial.said()), load())
    True
    """
    said = [_code(), trial.canonical(), uses_of(trial, catalogue, overrides).digests(catalogue), COUNTS, WEEKLY]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def ranges(trial: Trial, people: int = PEOPLE) -> list[tuple[Range, ...]]:
    """Cut a trial into parts of at most ``people``; a part holds whole stretches of replicates.

    Examples
    --------
    >>> trial = Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"}, n=300, replicates=3)
    >>> ranges(trial, 600)
    [((0, 300), (300, 600)), ((600, 900),)]
    """
    if people < 1:
        raise InputError(f"Parts of {people} people were asked for; expected at least 1. Ask for 1000.")
    found: list[tuple[Range, ...]] = []
    now: list[Range] = []
    n = trial.trial.n
    for replicate in range(trial.trial.replicates):
        for start, stop in groups(replicate * n, (replicate + 1) * n, people):
            if now and stop - now[0][0] > people:
                found.append(tuple(now))
                now = []
            now.append((start, stop))
    return [*found, tuple(now)]


def merge(parts: list[Part]) -> Part:
    """Join parts in the order given."""
    return Part(
        counts=np.concatenate([p.counts for p in parts]),
        people=np.concatenate([p.people for p in parts]),
        weekly=np.sum([p.weekly for p in parts], axis=0),
    )


def _make(
    trial: Trial, part: tuple[Range, ...], catalogue: Catalogue | None, overrides: Given | None, file: Path | None
) -> Part:
    made = merge([follow(trial, start, stop, catalogue=catalogue, overrides=overrides) for start, stop in part])
    if file is not None:
        aside = file.with_name(f".{file.name}.{os.getpid()}")
        with aside.open("wb") as handle:
            np.savez_compressed(
                handle, counts=made.counts, people=made.people, weekly=made.weekly, name=np.array(file.stem)
            )
        aside.replace(file)  # whole or not at all
    return made


def _found(file: Path, trial: Trial, part: tuple[Range, ...]) -> Part | str:
    """Read a part that an earlier run left, or say why it cannot be used; nothing is said where there is none."""
    try:
        with file.open("rb") as handle, np.load(handle, allow_pickle=False) as kept:
            own = str(kept["name"])
            got = Part(counts=kept["counts"], people=kept["people"], weekly=kept["weekly"])
    except FileNotFoundError:
        return ""
    except Exception as error:  # damaged data can raise anything: zlib.error, RuntimeError, TokenError, ...
        return f"{file.name} cannot be read ({type(error).__name__})"
    if own != file.stem:
        return f"{file.name} holds the part {own[:60]!r}"
    n, arms = part[-1][1] - part[0][0], len(trial.arm)
    shapes = (n, arms, len(COUNTS)), (n, arms, 6), (arms, trial.trial.weeks, len(WEEKLY))
    if (got.counts.shape, got.people.shape, got.weekly.shape) != shapes:
        return f"{file.name} holds people of another number"
    return got


def _end_with_parent() -> None:
    """Let a worker end when its parent does, however that ends; the parent alone is interrupted by the keyboard."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None  # a worker has one

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def run_parts(
    trial: Trial,
    *,
    out: Path | None = None,
    workers: int = 1,
    people: int = PEOPLE,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Part:
    """Run every part that is not there yet, and merge all.

    Parameters
    ----------
    trial : Trial
        What to try.
    out : Path, optional
        Folder whose ``parts`` are kept and taken up again; nothing is kept without.
    workers : int
        Processes.
    people : int
        People of a part.
    catalogue : Catalogue, optional
        The one that comes with schild by default.
    overrides : mapping, optional
        As for ``trial_numbers``.
    progress : callable, optional
        Called with people done and people in all.

    Returns
    -------
    Part
        All people, in order: the same bits for any workers, people of a part, or interruptions before.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    if workers < 1:
        raise InputError(f"{workers} workers were asked for; expected at least 1. Ask for 1.")
    check_work(
        f"{trial.size:,} people in each of {len(trial.arm)} arms over {trial.trial.weeks} weeks",
        people=trial.size * len(trial.arm),
        steps=trial.days,
        byte=_BYTES,
        instead="Ask for fewer people or replicates (n, replicates).",
    )
    parts = ranges(trial, people)
    files: list[Path | None] = [None] * len(parts)
    if out is not None:
        folder = out / "parts"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder} cannot be made ({error.strerror}); expected a folder that can be.") from None
        key = trial_key(trial, catalogue or load(), overrides)
        files = [folder / f"{key}-{part[0][0]}-{part[-1][1]}.npz" for part in parts]
    found: list[Part | None] = []
    for file, part in zip(files, parts, strict=True):
        have = "" if file is None else _found(file, trial, part)
        if isinstance(have, str) and have and say is not None:
            say(f"{have}; the part was computed again.")
        found.append(None if isinstance(have, str) else have)
    done = 0

    def advance(part: tuple[Range, ...]) -> None:
        nonlocal done
        done += part[-1][1] - part[0][0]
        if progress is not None:
            progress(done, trial.size)

    for part, ready in zip(parts, found, strict=True):
        if ready is not None:
            advance(part)
    waiting = [k for k, have in enumerate(found) if have is None]
    if workers == 1 or len(waiting) < 2:
        made: Iterator[Part] = (_make(trial, parts[k], catalogue, overrides, files[k]) for k in waiting)
        for k, one in zip(waiting, made, strict=True):
            found[k] = one
            advance(parts[k])
    else:
        # Fresh processes: a fork of one with threads may hang.
        with ProcessPoolExecutor(
            min(workers, len(waiting)), mp_context=get_context("spawn"), initializer=_end_with_parent
        ) as pool:
            futures = [pool.submit(_make, trial, parts[k], catalogue, overrides, files[k]) for k in waiting]
            try:
                for k, future in zip(waiting, futures, strict=True):
                    found[k] = future.result()
                    advance(parts[k])
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return merge([part for part in found if part is not None])
