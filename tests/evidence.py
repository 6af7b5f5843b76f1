"""The evidence tables that the second transcription reads (tests/data/evidence)."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent / "data" / "evidence"


@cache
def rows(name: str) -> list[dict[str, str]]:
    """Rows of one table, as text."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def table(name: str) -> dict[str, dict[str, str]]:
    """Rows of one table by their first column, which is their key."""
    return {next(iter(row.values())): row for row in rows(name)}


def cited(reference: str) -> dict[str, str]:
    """The row that a reference such as ``opioids/pk.csv#L42`` names."""
    name, _, key = reference.partition("#")
    try:
        return table(name)[key]
    except (FileNotFoundError, KeyError):
        raise LookupError(
            f"{reference} is not in tests/data/evidence: write its tables again with extract.py there"
        ) from None
