"""Columns of a table of NONMEM or a similar program: which are read, whose rows they are, and their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from schild.delimited import Rows
from schild.errors import InputError
from schild.regimen.nonmem_columns import clean, columns, harmless, known_as, why_refused

if TYPE_CHECKING:
    import pandas as pd

_T = TypeVar("_T")
NONE = ("", ".", "NA", "<NA>")
"""Cells that count as empty."""
DATES = ("DATE", "DAT1", "DAT2", "DAT3")
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?")
_NEUTRAL = (*NONE, "0", "N", "NO", "FALSE")


class Table:
    """The rows that count, by column.

    - ``rows``: all rows of the table.
    - ``drop``: columns left out on purpose.
    - ``wanted``: the one person to keep.
    - ``columns``: columns that are read, under the names of ``Columns.read``.
    - ``other``: the others, under their own.
    - ``code``, shape (n,): which of `ids` a row belongs to.
    - ``clock``: whether a column holds clock times, which are read as hours.
    - ``notes``: assumptions of the reader, as sentences.
    """

    def __init__(self, rows: Rows, drop: Collection[str], wanted: Hashable | None = None) -> None:
        self.rows = rows
        self.notes: list[str] = []
        self.clock = False
        self.columns: dict[str, pd.Series[Any]] = {}
        self.other: dict[str, pd.Series[Any]] = {}
        self._sort_columns({clean(name) for name in drop})
        self._strike_out()
        self._persons(wanted)
        if not self.n:
            raise InputError(f"{rows.name} has no rows; expected a header and at least one dose. Check the file.")
        self._whole_rows()
        self._other_columns()

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.rows.lines)

    def fail(self, row: int, message: str) -> NoReturn:
        """Refuse a row, naming its place."""
        raise InputError(f"{self.rows.place(row)}: {message}")

    # ------------------------------------------------------------------------------------------ columns

    def _sort_columns(self, drop: set[str]) -> None:
        frame, name = self.rows.frame, self.rows.name
        if missing := sorted(drop - set(map(clean, map(str, frame.columns)))):
            raise InputError(
                f"{name} has no column {missing[0]} to leave out; expected one of its own. Correct `drop`."
            )
        for k, written in enumerate(map(str, frame.columns)):
            if clean(written) in drop:
                continue
            key = known_as(written)
            if key is None:
                if clean(written) and clean(written) in map(clean, self.other):
                    raise InputError(
                        f"{name} has two columns {clean(written)}; expected one. Rename one, or leave both out with "
                        f"drop=('{written}',)."
                    )
                self.other[written] = frame.iloc[:, k]
            elif key in self.columns:
                raise InputError(
                    f"{name} has two columns {key} ({written} is one of them); expected one. Rename one, or leave it "
                    f"out with drop=('{written}',)."
                )
            else:
                self.columns[key] = frame.iloc[:, k]
        if missing := [key for key in ("TIME", "AMT") if key not in self.columns]:
            told = ", ".join(map(str, frame.columns)) or "none"
            by = f", separated by {self.rows.separator}" if self.rows.separator else ""
            raise InputError(
                f"{name} has no column {' and no '.join(missing)}; expected at least TIME and AMT in the header "
                f"(found: {told[:200]}{by}). Rename or add it."
            )
        if len(dates := [key for key in DATES if key in self.columns]) > 1:
            raise InputError(
                f"{name} has the columns {' and '.join(dates)}; expected one date. Leave one out with drop=."
            )

    def text(self, column: pd.Series[Any]) -> pd.Series[Any]:
        """Return the cells of a column as stripped text; empty cells as an empty text."""
        return column.astype("string").fillna("").str.strip()

    def _strike_out(self) -> None:
        """Leave out the rows that a column C strikes out; R writes such a column without a name, or row numbers."""
        for written in [name for name in self.other if clean(name) in ("", "UNNAMED:_0", "UNNAMED: 0")]:
            text = self.text(self.other.pop(written))
            if text.str.upper().isin([*NONE, "C"]).all():
                self.columns.setdefault("C", text)
            elif not text.str.fullmatch(r"\d+").all():
                raise InputError(
                    f"{self.rows.name} has a column without a name; expected a name in the header. Write it there."
                )
        if "C" not in self.columns:
            return
        text = self.text(self.columns.pop("C")).str.upper()
        struck = (text == "C").to_numpy(dtype=bool)
        if (odd := ~struck & ~text.isin([*NONE, "0"]).to_numpy(dtype=bool)).any():
            row = int(odd.argmax())
            self.fail(
                row,
                f"C is {text.iloc[row]!r}; expected C on a row that is struck out, else a point or nothing. If the "
                "column is something else, rename it or leave it out with drop=('C',).",
            )
        if struck.any():
            self.notes.append(f"Rows struck out in column C, which give nothing: {int(struck.sum())}.")
            self._keep(~struck)

    def _keep(self, keep: NDArray[np.bool_]) -> None:
        self.rows = self.rows.take(keep)
        self.columns = {key: column[keep].reset_index(drop=True) for key, column in self.columns.items()}
        self.other = {key: column[keep].reset_index(drop=True) for key, column in self.other.items()}

    def _persons(self, wanted: Hashable | None) -> None:
        """Find who there is; keep one person's rows where one is wanted, so that no other person's fault counts."""
        import pandas as pd

        if "ID" not in self.columns:
            code, ids = np.zeros(self.n, dtype=np.intp), [1]
        else:
            column = self.columns["ID"].astype(object)
            if self.rows.from_file:
                text = self.text(column)
                column = text.mask(text.isin(NONE)).astype(object)
                if text.str.fullmatch(r"[+-]?(0|[1-9]\d{0,14})(\.\d*)?([eE][+-]?0?\d)?").all():
                    number = pd.to_numeric(text)
                    column = (number.astype(np.int64) if (number % 1 == 0).all() else number).astype(object)
                elif wanted is None:
                    self._struck_by_letter(text)
            code, found = pd.factorize(column, use_na_sentinel=True)
            ids = list(found)
        if wanted is not None:
            named = [f"{who:g}" if isinstance(who, float) else str(who) for who in ids]
            if str(wanted) not in named:
                some = ", ".join(named[:8]) + (", ..." if len(named) > 8 else "")
                raise InputError(
                    f"id is {wanted!r}; expected a person of {self.rows.name} ({some}). Choose one of them."
                )
            at = named.index(str(wanted))
            self._keep(code == at)
            code, ids = np.zeros(self.n, dtype=np.intp), [ids[at]]
        self.code, self.ids = code, ids
        if (code < 0).any():
            self.fail(int((code < 0).argmax()), "ID is missing; expected one in each row. Give it.")

    def _struck_by_letter(self, ids: pd.Series[Any]) -> None:
        letter = ids.str.match(r"[A-Za-z@]").to_numpy(dtype=bool)
        if letter.any() and ids.str.fullmatch(r"\d+").any():
            row = int(letter.argmax())
            self.fail(
                row,
                f"ID is {ids.iloc[row]!r} where others are numbers; NONMEM leaves out rows that begin with a letter or "
                "@ (IGNORE=C, IGNORE=@). Delete the row, put # before it, or give every person a name.",
            )

    def _whole_rows(self) -> None:
        if self.rows.cells is None:
            return
        width = self.rows.frame.shape[1]
        if (odd := self.rows.cells != width).any():
            row = int(odd.argmax())
            self.fail(
                row,
                f"{self.rows.cells[row]} cells where the header has {width}, separated by {self.rows.separator}; "
                "expected as many. Write a point into a cell that is empty.",
            )

    def _other_columns(self) -> None:
        """Refuse columns that affect dosing or are not known, unless they are empty; name the harmless ones."""
        idle: list[str] = []
        for written, column in self.other.items():
            text = self.text(column).str.upper()
            why = why_refused(written)
            neutral = (*_NEUTRAL, "1") if why.startswith("a bioavailability") else _NEUTRAL
            said = ~text.isin(neutral if why else NONE).to_numpy(dtype=bool)
            if harmless(written) or not said.any() or (clean(written) == "DOSE" and self._repeats_amount(text)):
                idle.append(written)
                continue
            row = int(said.argmax())
            out = f"leave it out with drop=('{written}',)"
            if why:
                self.fail(row, f"{written} is {text.iloc[row]!r}, {why}; expected it to be empty. Or {out}.")
            self.fail(
                row,
                f"{written} is {text.iloc[row]!r}, in a column that is not known; expected names that say what is "
                f"given ({', '.join(columns().read)}) or that are known to say nothing of it. Rename it, or {out} if "
                "it says nothing of it.",
            )
        if idle:
            self.notes.append(f"Columns that are not read, as they say nothing of what is given: {', '.join(idle)}.")

    def _repeats_amount(self, text: pd.Series[Any]) -> bool:
        import pandas as pd

        amount = pd.to_numeric(self.text(self.columns["AMT"]), errors="coerce").fillna(0.0)
        return bool((pd.to_numeric(text, errors="coerce") == amount)[amount != 0].all())

    # ---------------------------------------------------------------------------------------- numbers

    def each(self, key: str, parse: Callable[[str], _T], text: pd.Series[Any] | None = None) -> list[_T]:
        """Parse the distinct texts of a column, and give one value per row."""
        import pandas as pd

        code, names = pd.factorize((self.text(self.columns[key]) if text is None else text).to_numpy(dtype=object))
        values: list[_T] = []
        for k, name in enumerate(names):
            try:
                values.append(parse(str(name)))
            except InputError as error:
                self.fail(int((code == k).argmax()), f"{key}: {error}" if text is None else str(error))
        return [values[k] for k in code]

    def numbers(self, key: str) -> NDArray[np.float64]:
        """Return a column as numbers, 0 for an empty cell; clock times as hours."""
        import pandas as pd

        if key not in self.columns:
            return np.zeros(self.n)
        column = self.columns[key]
        blank = np.zeros(self.n, dtype=bool)
        if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
            text = self.text(column)
            blank = text.isin(NONE).to_numpy(dtype=bool)
            if key in ("TIME", "II", "DUR", "LAG") and (clock := text.str.contains(":")).any():
                text = text.where(
                    ~clock, pd.Series(self.each(key, clock_hours, text.where(clock, "0:00")), dtype="string")
                )
                self.clock = True
            text = text.mask(blank, "0")
            known = pd.to_numeric(text, errors="coerce").notna()
            # pandas says what a number is; before its third version it rounds the last digit wrongly, Python does not.
            column = pd.Series([float(one) if read else np.nan for one, read in zip(text, known, strict=True)])
        values = np.array(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
        bad = ~np.isfinite(values)
        if key == "TIME":
            bad |= blank
        if bad.any():
            row = int(bad.argmax())
            cell = self.columns[key].iloc[row]
            shown = "missing" if blank[row] or cell is pd.NA or cell != cell else repr(str(cell))
            self.fail(row, f"{key} is {shown.strip()}; expected a finite number. {_hint(key, str(cell))}")
        return values


def _hint(key: str, cell: str) -> str:
    if key == "TIME" and cell.strip() in (*NONE, "nan", "None"):
        return "Give the time of the row."
    if ":" in cell:
        return "Write TIME as clock times too, or turn clock times into hours from one moment."
    if re.fullmatch(r"\s*[\d.]+\s*[a-zA-Zµμ/%]+\s*", cell) and not re.fullmatch(r"\s*\d+O\s*", cell):
        return "Write the number alone; the unit of AMT stands in AMTU, that of time in TIMEUNIT."
    return "Correct it; a point or an empty cell stands for none."


def clock_hours(text: str) -> str:
    """Turn a clock time into hours, as text."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise InputError(f"{text!r} is not a clock time; expected hh:mm or hh:mm:ss, 24 hours a day. Rewrite it.")
    return repr(int(found[1]) + int(found[2]) / 60 + float(found[3] or 0) / 3600)
