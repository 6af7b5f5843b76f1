"""Parts of a trial: made in any order by any worker, kept whole on disk, found again, merged in the order of people."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from schild.catalog import Catalogue, load
from schild.errors import InputError
from schild.people import Given, Uses
from schild.population import groups
from schild.trial.follow import COUNTS, WEEKLY, Part, follow
from schild.trial.numbers import trial_numbers
from schild.trial.occupancy import evening_occupancy
from schild.trial.people import kinetic_people
from schild.trial.trialfile import Trial

__all__ = ["PEOPLE", "Range", "merge", "ranges", "run_parts", "trial_key", "uses_of"]

#: People of one part unless asked otherwise: bounds the memory, changes no number.
PEOPLE = 1000

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
    >>> trial_key(trial, load()) == trial_key(Trial.parse(trial.model_dump()), load())
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
            np.savez_compressed(handle, counts=made.counts, people=made.people, weekly=made.weekly)
        aside.replace(file)  # whole or not at all
    return made


def _found(file: Path, trial: Trial, part: tuple[Range, ...]) -> Part | None:
    """Read a part that an earlier run left; None where there is none that can be used."""
    try:
        with file.open("rb") as handle, np.load(handle, allow_pickle=False) as kept:
            got = Part(counts=kept["counts"], people=kept["people"], weekly=kept["weekly"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    n = part[-1][1] - part[0][0]
    fits = got.counts.shape == (n, len(trial.arm), len(COUNTS)) and got.people.shape == (n, len(trial.arm), 6)
    return got if fits and got.weekly.shape == (len(trial.arm), trial.trial.weeks, len(WEEKLY)) else None


def run_parts(
    trial: Trial,
    *,
    out: Path | None = None,
    workers: int = 1,
    people: int = PEOPLE,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
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
    found: list[Part | None] = [
        None if file is None else _found(file, trial, part) for file, part in zip(files, parts, strict=True)
    ]
    done = 0

    def advance(part: tuple[Range, ...]) -> None:
        nonlocal done
        done += part[-1][1] - part[0][0]
        if progress is not None:
            progress(done, trial.size)

    for part, have in zip(parts, found, strict=True):
        if have is not None:
            advance(part)
    waiting = [k for k, have in enumerate(found) if have is None]
    if workers == 1 or len(waiting) < 2:
        made: Iterator[Part] = (_make(trial, parts[k], catalogue, overrides, files[k]) for k in waiting)
        for k, one in zip(waiting, made, strict=True):
            found[k] = one
            advance(parts[k])
    else:
        # Fresh processes: a fork of one with threads may hang.
        with ProcessPoolExecutor(min(workers, len(waiting)), mp_context=get_context("spawn")) as pool:
            futures = [pool.submit(_make, trial, parts[k], catalogue, overrides, files[k]) for k in waiting]
            try:
                for k, future in zip(waiting, futures, strict=True):
                    found[k] = future.result()
                    advance(parts[k])
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return merge([part for part in found if part is not None])
