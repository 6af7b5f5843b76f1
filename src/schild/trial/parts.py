"""Parts of a trial: computed in any order by any worker, stored, read again, merged in the order of people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from schild.catalog import Catalogue, load
from schild.errors import InputError
from schild.people import Given, Uses
from schild.population import groups
from schild.simulation.work import check_work
from schild.trial.follow import Part, counts_of, follow, weekly_of
from schild.trial.numbers import numbers_of, trial_numbers
from schild.trial.occupancy import evening_occupancy
from schild.trial.opioid import body_of, treatment_load
from schild.trial.partfile import SUFFIX, read_part, rebuild_registry, storage, write_part
from schild.trial.people import kinetic_people
from schild.trial.trialfile import Trial
from schild.trial.workers import engine_of

#: Default number of people in a part: bounds the memory, changes no result.
PEOPLE = 1000

#: People of one replicate, from the first to one past the last.
Range = tuple[int, int]


def uses_of(trial: Trial, catalogue: Catalogue, overrides: Given | None = None) -> Uses:
    """Record of every number that a trial uses, without following its people.

    >>> trial = Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"})
    >>> used = uses_of(trial, load()).numbers
    >>> ("beta_naltrexol", "cl") in used, ("endogenous", "mor.e0") in used, ("trial", "adherence.daily") in used
    (True, True, True)
    """
    numbers = trial_numbers(trial, catalogue, 0, overrides)
    for name in numbers_of(trial, catalogue):
        numbers.values.of("trial", name)
    kinetics = kinetic_people(trial, numbers, 0, 1, 0)
    if trial.disorder == "opioid":
        body_of(numbers, trial.setting.fentanyl)
        for arm in trial.arm:
            treatment_load(trial, arm, numbers, 0, 1, 0)
        return numbers.values.uses
    kinetics.between("alcohol", "release.gain")
    kinetics.covariate("sex")
    for arm in trial.arm:
        if not arm.placebo:
            evening_occupancy(arm, np.ones((1, 1), dtype=bool), kinetics, numbers)
    return numbers.values.uses


@cache
def _code() -> str:
    """Hash of the program: parts made by other code are not used."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def trial_key(trial: Trial, catalogue: Catalogue, overrides: Given | None = None) -> str:
    """Hash of everything that decides a trial's numbers: the trial, every number used, the program.

    >>> trial = Trial.of({"name": "a", "drug": "naltrexone", "amount": "50 mg"})
    >>> trial_key(trial, load()) == trial_key(Trial.parse(trial.said()), load())
    True
    """
    said = [_code(), trial.canonical(), uses_of(trial, catalogue, overrides).digests(catalogue),
            counts_of(trial), weekly_of(trial)]  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def ranges(trial: Trial, people: int = PEOPLE) -> list[tuple[Range, ...]]:
    """Divide a trial into parts of at most ``people``, each of contiguous people of replicates.

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
    if file is not None and isinstance(have := read_part(file, trial, part[-1][1] - part[0][0]), Part):
        return have  # another run on the same folder was faster
    made = merge([follow(trial, start, stop, catalogue=catalogue, overrides=overrides) for start, stop in part])
    if file is not None:
        write_part(file, made, trial)
    return made


def run_parts(
    trial: Trial,
    *,
    out: Path | None = None,
    workers: int = 1,
    cluster: str | None = None,
    shard: tuple[int, int] | None = None,
    people: int = PEOPLE,
    catalogue: Catalogue | None = None,
    overrides: Given | None = None,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Part:
    """Run every part that is not there yet, and merge all.

    ``out``: folder whose ``parts`` are kept and taken up again; nothing is kept without; ``shard``: which of how many
    shares of the parts to make, from 1; the others are left to other runs; ``people``: people of a part; ``say``:
    called with a line on each part that had to be made again; the others as for ``run_trial``. Returns all people, in
    order: the same bits for any workers, people of a part, shards, or interruptions before; of a shard, its own people
    only. Raises InputError if the folder cannot be written, or a cluster or a shard makes no sense.
    """
    if workers < 1:
        raise InputError(f"{workers} workers were asked for; expected at least 1. Ask for 1.")
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise InputError(f"{shard[0]}/{shard[1]} is not a shard; expected one like 3/64, from 1/64 to 64/64.")
    if out is None and (cluster is not None or shard is not None):
        raise InputError("A cluster or a shard writes its parts to a folder; expected --out. Give one.")
    check_work(
        f"{trial.size:,} people in each of {len(trial.arm)} arms over {trial.trial.weeks} weeks",
        people=trial.size * len(trial.arm),
        steps=trial.days,
        # Memory for a person in an arm, and twice as much again while endpoints are computed.
        byte=3 * (4 * len(counts_of(trial)) + 8 * 6),
        instead="Ask for fewer people or replicates (n, replicates).",
    )
    engine = engine_of(workers, cluster)
    parts = ranges(trial, people)
    files: list[Path | None] = [None] * len(parts)
    if out is not None:
        storage()  # reports at once if DuckDB is missing
        folder = out.resolve() / "parts"  # workers of a cluster may run in another folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder} cannot be made ({error.strerror}); expected a folder that can be.") from None
        key = trial_key(trial, catalogue or load(), overrides)
        files = [folder / f"{key}-{part[0][0]}-{part[-1][1]}{SUFFIX}" for part in parts]
    if shard is not None:
        parts, files = parts[shard[0] - 1 :: shard[1]], files[shard[0] - 1 :: shard[1]]
        if not parts:
            raise InputError(
                f"There are fewer parts than {shard[1]} shards; expected at most {len(ranges(trial, people))}."
            )
    found: list[Part | None] = []
    for file, part in zip(files, parts, strict=True):
        have = "" if file is None else read_part(file, trial, part[-1][1] - part[0][0])
        if isinstance(have, str) and have and say is not None:
            say(f"{have}; the part was computed again.")
        found.append(None if isinstance(have, str) else have)
    total = sum(part[-1][1] - part[0][0] for part in parts)
    done = 0

    def advance(part: tuple[Range, ...]) -> None:
        nonlocal done
        done += part[-1][1] - part[0][0]
        if progress is not None:
            progress(done, total)

    for part, ready in zip(parts, found, strict=True):
        if ready is not None:
            advance(part)
    waiting = [k for k, have in enumerate(found) if have is None]
    for j, made in engine(_make, [(trial, parts[k], catalogue, overrides, files[k]) for k in waiting]):
        found[waiting[j]] = made
        advance(parts[waiting[j]])
    if out is not None:
        rebuild_registry(out)
    return merge([part for part in found if part is not None])
