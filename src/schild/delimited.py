"""Rows of a table in a text file: the separator of columns, the lines that are rows, and the place of each row."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from schild.errors import InputError
from schild.textfile import read_text

if TYPE_CHECKING:
    import pandas as pd

Source: TypeAlias = "str | PathLike[str] | IO[str] | pd.DataFrame"

_MOST = 200_000_000
MAX_COLUMNS = 1000
"""The most columns of a table."""
MAX_LETTERS = 1000
"""The most letters of a cell."""

_SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", " ": "blanks"}
_COMMA_DECIMAL = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*")
_POINTS_IN_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}(?:\.\d{3})+\s*")
_TITLE = re.compile(r"\s*(?:TABLE NO|sep=.?\s*$)", re.IGNORECASE)
"""Lines that NONMEM and Excel write and that are no rows."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Cells of a table as text."""

    name: str  #: What to call the table in messages
    frame: pd.DataFrame  #: One column per name in the header. Text from a file; whatever it holds from a data frame.
    lines: NDArray[np.int64]  #: Line in the file, or number of the row in a data frame, from 1; shape (n_rows,)
    cells: NDArray[np.int64] | None  #: Number of cells that the row has, for a file; shape (n_rows,)
    from_file: bool  #: Whether lines or rows are counted
    separator: str = ""  #: What stands between the columns, in words

    def take(self, keep: NDArray[np.bool_]) -> Rows:
        """Keep the rows that a condition selects."""
        cells = None if self.cells is None else self.cells[keep]
        return Rows(self.name, self.frame[keep], self.lines[keep], cells, self.from_file, self.separator)

    def place(self, row: int) -> str:
        """Name the place of a row in messages."""
        return f"{'Line' if self.from_file else 'Row'} {self.lines[row]}"


def read_rows(source: Source, known: Callable[[str], str | None], needed: Collection[str] = ()) -> Rows:
    """Read the rows of a table.

    ``source``: a text file has a header. Columns are separated by commas, tabs, semicolons, bars or blanks. Lines that
    begin with ``#``, empty lines, repeated headers and lines ``TABLE NO.`` (NONMEM writes them) are not rows. A decimal
    comma counts as a point where commas do not separate columns. ``known``: gives the name under which a column is
    known, or None; what separates the columns shows in the header; ``needed``: names that make a line a header even if
    it begins with ``#``. Returns cells as text; what a cell means is decided later. Raises InputError if it is no such
    table.
    """
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        n = len(source)
        return Rows("The table", source.reset_index(drop=True), np.arange(1, n + 1), None, False)
    if isinstance(source, str | PathLike):
        name, text = Path(source).name, read_text(source, "a table with a header (CSV)", most=_MOST)
    elif hasattr(source, "read"):
        name, text = "The table", source.read()
    else:
        raise InputError(f"The table is {source!r:.60}; expected a path, an open text file or a pandas data frame.")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at, head = _header(name, lines, known, needed)
    if len(head) > MAX_LETTERS and (
        len(row := re.split(r"[,;|\t ]+", head)) > MAX_COLUMNS or len(max(row, key=len)) > MAX_LETTERS
    ):
        raise InputError(_too_much(name, at + 1, row))
    separator = _separator(head, known)
    names = _names(name, head, separator, known)
    found: list[list[str]] = []
    numbers: list[int] = []
    reader = csv.reader(_rows(lines[at + 1 :], separator), delimiter=separator, skipinitialspace=True)
    same = [column.strip().lower() for column in names]
    try:
        for row in reader:
            if len(row) > MAX_COLUMNS or max(map(len, row), default=0) > MAX_LETTERS:
                raise InputError(_too_much(name, at + 1 + reader.line_num, row))
            if row and any(map(str.strip, row)) and [cell.strip().lower() for cell in row[: len(same)]] != same:
                found.append(row)
                numbers.append(at + 1 + reader.line_num)
    except csv.Error as error:
        raise InputError(
            f"{name}, line {at + 1 + reader.line_num}: {error}; expected a row of the table. Correct that line."
        ) from None
    if not found:
        raise InputError(f"{name} has no rows; expected some under the header. Check the file.")
    width = len(names)
    cells = np.array([_used(row, width) for row in found], dtype=np.int64)
    filled = [row[:width] if len(row) >= width else [*row, *[""] * (width - len(row))] for row in found]
    frame = pd.DataFrame(filled, columns=pd.Index(names, dtype=object), dtype=object)
    if separator != ",":
        _decimal_points(frame, numbers)
    return Rows(name, frame, np.array(numbers), cells, True, _SEPARATORS[separator])


def _too_much(name: str, line: int, row: list[str]) -> str:
    return (
        f"{name}, line {line}: {len(row):,} cells, the longest of {max(map(len, row)):,} letters; expected at most "
        f"{MAX_COLUMNS:,} cells of {MAX_LETTERS:,} letters. Correct that line; a quotation mark may be open."
    )


def _header(
    name: str, lines: list[str], known: Callable[[str], str | None], needed: Collection[str]
) -> tuple[int, str]:
    """Find the header: the first line that is neither empty nor a comment nor a title of NONMEM's own tables."""
    for at, line in enumerate(lines):
        bare = line.strip()
        if not bare or _TITLE.match(bare):
            continue
        if bare.startswith("#") and (not needed or set(needed) - set(map(known, re.split(r"[,;|\s]+", bare)))):
            continue
        if bare.startswith(("$", ";")):
            raise InputError(
                f"{name}, line {at + 1}: {bare[:40]!r} belongs to a NONMEM control stream; expected the table that its "
                "$DATA names, with the names of $INPUT as header. Give that file."
            )
        if not re.search(r"[A-Za-z]", re.sub(r"\d[eE][+-]?\d", "", bare)):
            raise InputError(
                f"{name} has no header: line {at + 1} holds numbers alone; expected names of columns. Write them as "
                "first line (those of $INPUT for a table of NONMEM)."
            )
        return at, line
    raise InputError(f"{name} is empty; expected a header and rows. Check the file.")


def _split(head: str, separator: str) -> list[str]:
    line = head.replace("\t", " ").strip() if separator == " " else head
    return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])


def _separator(head: str, known: Callable[[str], str | None]) -> str:
    """Find the separator of columns: the one with which most of the names are known, commas first."""
    return max(_SEPARATORS, key=lambda each: len({known(name) for name in _split(head, each)} - {None}))


def _names(name: str, head: str, separator: str, known: Callable[[str], str | None]) -> list[str]:
    names = [column.strip() for column in _split(head, separator)]
    while names and not names[-1]:
        names.pop()
    for column in names:
        if len(parts := column.split()) > 1 and sum(known(part) is not None for part in parts) > 1:
            raise InputError(
                f"{name}: {column!r} stands between {_SEPARATORS[separator]} in the header; expected one separator. "
                f"Separate all columns by {_SEPARATORS[separator]}."
            )
    return names


def _rows(lines: list[str], separator: str) -> Iterator[str]:
    """Give each line of the rows; a line that is not a row becomes empty, so that lines still count."""
    for line in lines:
        if line.lstrip().startswith("#") or _TITLE.match(line):
            yield ""
        else:
            yield line.replace("\t", " ").strip() if separator == " " else line


def _used(row: list[str], width: int) -> int:
    """Count the cells of a row; empty ones beyond the header do not count."""
    n = len(row)
    while n > width and not row[n - 1].strip():
        n -= 1
    return n


def _decimal_points(frame: pd.DataFrame, lines: list[int]) -> None:
    """Turn decimal commas into points, and refuse a comma or a point that may part thousands."""
    commas = [np.array([bool(_COMMA_DECIMAL.fullmatch(cell)) for cell in cells]) for _, cells in frame.items()]
    for column, comma in enumerate(commas):
        cells = frame.iloc[:, column]
        parts = [cells[row].strip().lstrip("+-").split(",") for row in np.flatnonzero(comma)]
        row = int(comma.argmax())
        unclear = bool(parts) and all(len(after) == 3 and before.strip("0") for before, after in parts)
        if not unclear and any(map(np.any, commas)):
            points = [bool(_POINTS_IN_THOUSANDS.fullmatch(cell)) for cell in cells]
            row, unclear = int(np.argmax(points)), any(points)
        if unclear:
            cell = cells[row].strip()
            whole, point = re.sub(r"[.,]", "", cell), cell.replace(",", ".")
            raise InputError(
                f"Line {lines[row]}: {frame.columns[column]} is {cell!r}, which is {point} or {whole}; expected a "
                "point for decimals and nothing between thousands. Rewrite it."
            )
        if comma.any():
            frame.isetitem(column, [x.replace(",", ".") if c else x for x, c in zip(cells, comma, strict=True)])
