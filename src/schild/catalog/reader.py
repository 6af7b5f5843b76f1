"""Reads TOML tables key by key and says which file, which key and what was expected when one is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from schild.errors import CatalogueError


def parse_toml(text: str, file: str) -> dict[str, Any]:
    """Parse TOML and name the file in the error.

    Parameters
    ----------
    text : str
        The document.
    file : str
        Name for messages.

    Returns
    -------
    dict
        The document.

    Raises
    ------
    CatalogueError
        If it is not TOML.

    Examples
    --------
    >>> parse_toml("a = 1", "x.toml")
    {'a': 1}
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{file} is not valid TOML: {error}.") from error


class Table:
    """A TOML table that remembers where it stands and which of its keys were asked for.

    Parameters
    ----------
    data : mapping
        The table.
    file : str
        Name of the file, for messages.
    where : str
        Dotted place of the table in the file, for messages.

    Examples
    --------
    >>> table = Table({"unit": "L/h", "val": 3}, "drugs/x.toml", "number.cl")
    >>> table.text("unit")
    'L/h'
    >>> table.real("value")
    Traceback (most recent call last):
        ...
    schild.errors.CatalogueError: drugs/x.toml: [number.cl] lacks 'value' (a number).
    """

    def __init__(self, data: Mapping[str, Any], file: str, where: str = "") -> None:
        self.data, self.file, self.where = data, file, where
        self.asked: set[str] = set()

    def fail(self, message: str) -> CatalogueError:
        """Make an error that starts with file and table."""
        place = f"[{self.where}]" if self.where else "the top of the file"
        return CatalogueError(f"{self.file}: {place} {message}")

    def _get(self, key: str, kinds: type | tuple[type, ...], expected: str, default: Any) -> Any:
        self.asked.add(key)
        if key not in self.data:
            if default is ...:
                raise self.fail(f"lacks '{key}' ({expected}).")
            return default
        value = self.data[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise self.fail(f"has {key} = {value!r}; expected {expected}.")
        return value

    def text(self, key: str, default: Any = ...) -> str:
        """A string; required unless there is a default."""
        return str(self._get(key, str, "a string", default))

    def maybe_text(self, key: str) -> str | None:
        """A string or None."""
        found = self._get(key, str, "a string", None)
        return None if found is None else str(found)

    def choice(self, key: str, known: Iterable[str], default: Any = ...) -> str:
        """A string out of a set."""
        names = tuple(known)
        value = self.text(key, default)
        if value not in names:
            raise self.fail(f"has {key} = {value!r}; expected one of {', '.join(names)}.")
        return value

    def real(self, key: str, default: Any = ...) -> float:
        """A number; required unless there is a default."""
        return float(self._get(key, (int, float), "a number", default))

    def maybe_real(self, key: str) -> float | None:
        """A number or None."""
        found = self._get(key, (int, float), "a number", None)
        return None if found is None else float(found)

    def whole(self, key: str, default: Any = ...) -> int:
        """A whole number; required unless there is a default."""
        return int(self._get(key, int, "a whole number", default))

    def maybe_whole(self, key: str) -> int | None:
        """A whole number or None."""
        found = self._get(key, int, "a whole number", None)
        return None if found is None else int(found)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        return bool(self._get(key, bool, "true or false", default))

    def texts(self, key: str) -> tuple[str, ...]:
        """A string or a list of strings; empty when absent."""
        found = self._get(key, (str, list), "a string or a list of strings", [])
        items = [found] if isinstance(found, str) else found
        if not all(isinstance(item, str) for item in items):
            raise self.fail(f"has {key} = {found!r}; expected a string or a list of strings.")
        return tuple(items)

    def pair(self, key: str) -> tuple[float, float] | None:
        """A list of two numbers, or None."""
        found = self._get(key, list, "two numbers", None)
        if found is None:
            return None
        if len(found) != 2 or not all(isinstance(item, (int, float)) for item in found):
            raise self.fail(f"has {key} = {found!r}; expected two numbers.")
        return float(found[0]), float(found[1])

    def table(self, key: str) -> Table:
        """A table; empty when absent."""
        return Table(self._get(key, dict, "a table", {}), self.file, self._below(key))

    def maybe_table(self, key: str) -> Table | None:
        """A table or None."""
        return self.table(key) if key in self.data else None

    def tables(self, key: str) -> list[Table]:
        """A list of tables (``[[key]]``); empty when absent."""
        found = self._get(key, list, "a list of tables", [])
        if not all(isinstance(item, dict) for item in found):
            raise self.fail(f"has {key} that is not a list of tables; write [[{self._below(key)}]].")
        return [Table(item, self.file, f"{self._below(key)}[{i}]") for i, item in enumerate(found)]

    def named(self, key: str) -> dict[str, Table]:
        """A table of tables (``[key.name]``)."""
        inner = self.table(key)
        return {name: inner.table(name) for name in inner.data}

    def names(self, key: str) -> dict[str, str]:
        """A table of strings."""
        inner = self.table(key)
        return {name: inner.text(name) for name in inner.data}

    def done(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self.data:
            if key not in self.asked:
                close = get_close_matches(key, self.asked, n=1)
                known = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(sorted(self.asked))}."
                raise self.fail(f"has an unknown key '{key}'; {known}")

    def _below(self, key: str) -> str:
        name = f'"{key}"' if "." in key else key
        return f"{self.where}.{name}" if self.where else name
