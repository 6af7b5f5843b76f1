"""Names of columns in tables of NONMEM, Monolix, Pumas, mrgsolve and rxode2: read, refused or harmless.

``nonmem_columns.toml`` lists them.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple


class Columns(NamedTuple):
    """Names of columns that are read, refused or harmless."""

    read: dict[str, str]  #: Columns that are read, with their meaning
    other_names: dict[str, str]  #: Other programs' names of them
    refused: list[tuple[re.Pattern[str], str]]  #: Columns that affect dosing and are not read: contents and remedy
    harmless: frozenset[str]  #: Columns that say nothing of what is given
    numbered: re.Pattern[str]  #: More of them, with any number
    one_in_a_person: frozenset[str]  #: Harmless columns that separate persons: they must not change within an ID
    days: frozenset[str]  #: Harmless columns that contain or represent a day: TIME must not count within it
    #: Harmless columns that separate one stretch of time from the next: doses of two must not be at one time
    one_at_a_time: frozenset[str]


@cache
def columns() -> Columns:
    """Read the list of names."""
    found: dict[str, Any] = tomllib.loads(files("schild.regimen").joinpath("nonmem_columns.toml").read_text("utf-8"))
    separating = found["separating"]
    return Columns(
        read=found["read"],
        other_names={other: name for name, others in found["other_names"].items() for other in others.split()},
        refused=[(_pattern(names), why) for names, why in found["refused"].items()],
        harmless=frozenset(" ".join(found["harmless"].values()).split()),
        numbered=_pattern(found["numbered"]),
        one_in_a_person=frozenset(separating["persons"].split()),
        days=frozenset(separating["days"].split()),
        one_at_a_time=frozenset((separating["days"] + " " + separating["stretches"]).split()),
    )


def _pattern(names: str) -> re.Pattern[str]:
    return re.compile("|".join(names.split()).replace("*", r"\w*").replace("#", r"_?\d*"))


def known_as(name: str) -> str | None:
    """Give the name under which a column is read, or None.

    >>> known_as("tinf"), known_as("DV")
    ('DUR', None)
    """
    key = clean(name)
    return columns().other_names.get(key, key if key in columns().read else None)


def clean(name: str) -> str:
    """Spell the name of a column: capitals, without the mark of a comment before it or quotes around it."""
    return name.strip().strip("\"'").lstrip("#@").strip().upper().replace(".", "_")


def harmless(name: str) -> bool:
    """Whether a column has no effect on dosing.

    >>> harmless("wt"), harmless("ETA2"), harmless("F1"), harmless("TAU")
    (True, True, False, False)
    """
    key = clean(name)
    return key in columns().harmless or columns().numbered.fullmatch(key) is not None


def why_refused(name: str) -> str:
    """Describe a column that affects dosing, and what to do about it; empty if it is not known.

    >>> why_refused("TAU")
    'an interval. Rename it II if it is'
    """
    return next((why for pattern, why in columns().refused if pattern.fullmatch(clean(name))), "")
