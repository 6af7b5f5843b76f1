"""Endpoints of opioid trials as rows of data, read by one function (``catalog/data/opioid_trials/endpoints.toml``).

A person's urine is a row of weeks: 0 negative, 1 positive, 2 missing, -1 not scheduled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from schild.array_types import Floats
from schild.catalog import load
from schild.errors import InputError

Codes = NDArray[np.integer]

#: Codes of the letters of a word; a mixed week is not negative.
LETTERS = {"-": 0, "+": 1, "*": 1, "o": 2, "_": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class UrineEndpoint:
    """Definition of an endpoint of urine tests: which weeks count, and how missing ones do.

    ``bad``: letters of weeks that count against; ``skip``: letters of weeks that do not count at all; ``length``: weeks
    in a row of a run; ``start``: first week that counts, from 1; ``last``: number of last weeks that alone count,
    0 for all; ``intercurrent``: rule for people who leave or never begin.
    """

    name: str
    kind: Literal["run", "share", "every", "longest", "count"]
    bad: str
    says: str
    source: str
    locator: str
    intercurrent: str
    skip: str = ""
    length: int = 1
    start: int = 1
    last: int = 0


@cache
def urine_endpoints() -> Mapping[str, UrineEndpoint]:
    """Read every definition, by name.

    >>> urine_endpoints()["relapse_4wk"].length
    4
    """
    return {
        name: UrineEndpoint(name=name, start=row["from"], **{key: value for key, value in row.items() if key != "from"})
        for name, row in load().opioid_endpoints.items()
    }


def words(text: list[str]) -> NDArray[np.int8]:
    """Turn words, one letter a week, into codes; shorter words are not scheduled at their end.

    Raises InputError for a letter that stands for nothing.

    >>> words(["-+o", "-"]).tolist()
    [[0, 1, 2], [0, -1, -1]]
    """
    longest = max((len(x) for x in text), default=0)
    if odd := {letter for x in text for letter in x} - set(LETTERS):
        raise InputError(f"A week is {sorted(odd)[0]!r}; expected one of {' '.join(LETTERS)}. Correct the word.")
    return np.array([[LETTERS[letter] for letter in x.ljust(longest, "_")] for x in text], dtype=np.int8)


def _is(codes: Codes, letters: str) -> NDArray[np.bool_]:
    return np.isin(codes, [LETTERS[x] for x in letters])


def time_to_run(rule: UrineEndpoint, codes: Codes) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Week in which the first row of bad weeks begins, and whether there is one.

    ``codes``, shape (n, n_weeks). Who has none is followed until the last week in which one could begin. Shape (n,).

    >>> rule = urine_endpoints()["relapse_4wk"]
    >>> [x.tolist() for x in time_to_run(rule, words(["oooo----++++", "------------"]))]
    [[9, 9], [True, False]]
    """
    bad = _is(codes, rule.bad)
    later = np.pad(bad, ((0, 0), (0, rule.length - 1)))
    row = np.asarray(np.all(sliding_window_view(later, rule.length, axis=1), axis=2))
    row[:, : rule.start - 1] = False
    came = row.any(axis=1)
    scheduled = (codes >= 0).sum(axis=1)
    last = np.maximum(scheduled - rule.length + 1, rule.start)
    return np.where(came, row.argmax(axis=1) + 1, last).astype(np.int64), np.asarray(came)


def evaluate(rule: UrineEndpoint, codes: Codes) -> Floats:
    """Value of an endpoint for each person, shape (n,): yes or no as 100 or 0, shares in percent, rows in weeks.

    NaN where a person has no week that counts.

    >>> evaluate(urine_endpoints()["percent_negative"], words(["--+o"])).tolist()
    [50.0]
    """
    if rule.kind == "run":
        return np.asarray(100.0 * time_to_run(rule, codes)[1], dtype=np.float64)
    looked = codes[:, rule.start - 1 :]
    if rule.last:
        looked = looked[:, -rule.last :]
    counts = (looked >= 0) & ~_is(looked, rule.skip)
    bad = _is(looked, rule.bad) & counts
    if rule.kind == "count":
        return np.asarray(bad.sum(axis=1), dtype=np.float64)
    if rule.kind == "longest":
        good, best, now = counts & ~bad, np.zeros(len(codes)), np.zeros(len(codes))
        for week in good.T:
            now = np.where(week, now + 1, 0)
            best = np.maximum(best, now)
        return np.asarray(best, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(counts.any(axis=1), 100.0 * (counts & ~bad).sum(axis=1) / counts.sum(axis=1), np.nan)
    every = np.where(np.isnan(share), np.nan, 100.0 * (share == 100.0))
    return np.asarray(share if rule.kind == "share" else every, dtype=np.float64)
