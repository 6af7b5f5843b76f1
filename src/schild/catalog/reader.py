"""Reads TOML tables key by key; an error names the file, the line, the key and what was expected."""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from schild.errors import CatalogueError, OverlayError
from schild.textfile import fault_of

T = TypeVar("T")
Path = tuple[str | int, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_ASSIGNED = re.compile(rf"\s*({_DOTTED})\s*=")


def parse_toml(text: str, file: str, own: bool = False) -> dict[str, Any]:
    """Parse TOML and name the file in the error.

    ``own``: whether it belongs to an overlay. Raises CatalogueError if it is not TOML; an OverlayError for an overlay.

    >>> parse_toml("a = 1", "x.toml")
    {'a': 1}
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise (OverlayError if own else CatalogueError)(f"{file} is not valid TOML: {fault_of(error)}.") from error


def line_of(text: str, path: Path) -> int:
    r"""Find the line of a TOML document where a table or key stands.

    ``path``: names of tables and keys from the top; an int is the place in a list of tables. Returns the first line,
    counted from 1, that belongs to the longest part of the path that the document has.

    >>> line_of('name = "x"\n[[value]]\nkey = "a"\n[[value]]\nkey = "b"', ("value", 1, "key"))
    5
    """
    lines = _lines(text)
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 1)


def has_path(text: str, path: Path) -> bool:
    """Whether a TOML document has a table or key of that path."""
    return path in _lines(text)


@lru_cache(maxsize=64)
def _lines(text: str) -> Mapping[Path, int]:
    found: dict[Path, int] = {}
    here: Path = ()
    quoted = ""
    last: dict[Path, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if quoted:  # inside a string of several lines
            quoted = "" if quoted in line else quoted
            continue
        if header := _HEADER.match(line):
            path = here = _header_path(header[2], header[1] == "[[", last)
        elif assigned := _ASSIGNED.match(line):
            path = here + _names(assigned[1])
            quoted = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), "")
        else:
            continue
        for n in range(1, len(path) + 1):
            found.setdefault(path[:n], number)
    return found


def _names(dotted: str) -> Path:
    return tuple(name.strip("\"'") for name in re.findall(_KEY, dotted))


def _header_path(dotted: str, listed: bool, last: dict[Path, int]) -> Path:
    # [[a.b]] opens the next table of a list; [a.b.c] belongs to the last one.
    path: Path = ()
    names = _names(dotted)
    for i, name in enumerate(names):
        path += (name,)
        if listed and i == len(names) - 1:
            last[path] = last.get(path, -1) + 1
        if path in last:
            path += (last[path],)
    return path


#: Types of one value, as TOML has them and in words.
_ONE: Mapping[type, tuple[Any, str]] = {
    str: (str, "a string"), float: ((int, float), "a number"), int: (int, "a whole number"),
    bool: (bool, "true or false"),
}  # fmt: skip


def meant(name: str, known: Iterable[str]) -> str:
    """Ask whether the closest of some names was meant; empty if none is close.

    >>> meant("oral.kaa", ["oral.ka", "oral.f"])
    " Did you mean 'oral.ka'?"
    """
    close = get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


class Table:
    r"""A TOML table that remembers its place and the keys that were read.

    ``file``: name of the file, for messages; ``path``: names of the tables around it, for messages; ``document``: the
    text, to find lines in; empty when there is none; ``own``: whether it belongs to an overlay; a fault is then an
    OverlayError.

    >>> text = '[number.cl]\nunit = "L/h"\nval = 3'
    >>> table = Table.of(text, "drugs/x.toml").table("number").table("cl")
    >>> table.text("unit")
    'L/h'
    >>> table.one("value", float)
    Traceback (most recent call last):
        ...
    schild.errors.CatalogueError: drugs/x.toml, line 1: [number.cl] lacks 'value' (a number).
    """

    def __init__(
        self, data: Mapping[str, Any], file: str, path: Path = (), document: str = "", own: bool = False
    ) -> None:
        self.data, self.file, self.path, self.document, self.own = data, file, path, document, own
        self.asked: set[str] = set()

    @classmethod
    def of(cls, document: str, file: str, own: bool = False) -> Table:
        """Parse a document; the table at its top."""
        return cls(parse_toml(document, file, own), file, (), document, own)

    @property
    def where(self) -> str:
        """Dotted name of the table, e.g. ``route.oral.branch[0]``."""
        parts = (f"[{p}]" if isinstance(p, int) else f'."{p}"' if "." in p else f".{p}" for p in self.path)
        return "".join(parts).removeprefix(".")

    def place(self, key: str | None = None) -> str:
        """File and line of the table, or of one of its keys."""
        path = self.path if key is None else (*self.path, key)
        return f"{self.file}, line {line_of(self.document, path)}" if self.document else self.file

    def fail(self, message: str, key: str | None = None) -> CatalogueError:
        """Make an error that starts with file, line and table."""
        table = f"[{self.where}]" if self.path else "the top of the file"
        return (OverlayError if self.own else CatalogueError)(f"{self.place(key)}: {table} {message}")

    def _get(self, key: str, kinds: type | tuple[type, ...], expected: str, default: Any) -> Any:
        self.asked.add(key)
        if key not in self.data:
            if default is ...:
                raise self.fail(f"lacks '{key}' ({expected}).")
            return default
        value = self.data[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise self.fail(f"has {key} = {value!r}; expected {expected}.", key)
        if isinstance(value, float) and not math.isfinite(value):
            raise self.fail(f"has {key} = {value!r}; expected a finite number.", key)
        return value

    def has(self, key: str) -> bool:
        """Whether the table has a key, which is then known."""
        self.asked.add(key)
        return key in self.data

    def text(self, key: str, default: Any = ...) -> str:
        """A string; required unless there is a default."""
        return str(self.one(key, str, default))

    def one(self, key: str, kind: type, default: Any = ...) -> Any:
        """A string, number, whole number, or true or false, by its type; required unless there is a default."""
        kinds, expected = _ONE[kind]
        found = self._get(key, kinds, expected, default)
        return None if found is None else kind(found)

    def choice(self, key: str, known: Iterable[str], default: Any = ...) -> str:
        """One of a set of strings."""
        names = tuple(known)
        value = self.text(key, default)
        if value not in names and (key in self.data or default is ...):
            raise self.fail(f"has {key} = {value!r}; expected one of {', '.join(names)}.{meant(value, names)}", key)
        return value

    def texts(self, key: str, default: Any = ()) -> tuple[str, ...]:
        """A string or a list of strings; empty when absent, unless it is required (default ``...``)."""
        found = self._get(key, (str, list, tuple), "a string or a list of strings", default)
        items = [found] if isinstance(found, str) else found
        if not all(isinstance(item, str) for item in items):
            raise self.fail(f"has {key} = {found!r}; expected a string or a list of strings.", key)
        return tuple(items)

    def pair(self, key: str) -> tuple[float, float] | None:
        """A list of two numbers, or None."""
        if not self.has(key):
            return None
        found = self._get(key, list, "two numbers", ...)
        if len(found) != 2 or not all(isinstance(item, (int, float)) for item in found):
            raise self.fail(f"has {key} = {found!r}; expected two numbers.", key)
        return float(found[0]), float(found[1])

    def array(
        self, key: str, shape: tuple[int, ...], default: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Numbers of a given shape."""
        if not self.has(key) and default is not None:
            return default
        try:
            found = np.array(self.data.get(key, ()), dtype=np.float64)
        except (TypeError, ValueError):
            found = np.empty(0)
        if found.shape != shape:
            names = "as many as there are names"
            raise self.fail(f"has {key} of shape {found.shape}; expected numbers of shape {shape}, {names}.", key)
        return found

    def table(self, key: str) -> Table:
        """A table; empty when absent."""
        return self._below(self._get(key, dict, "a table", {}), key)

    def maybe_table(self, key: str) -> Table | None:
        """Read a table; None if the key is absent."""
        return self.table(key) if self.has(key) else None

    def tables(self, key: str) -> list[Table]:
        """A list of tables (``[[key]]``); empty when absent."""
        found = self._get(key, list, "a list of tables", [])
        if not all(isinstance(item, dict) for item in found):
            name = ".".join(str(p) for p in (*self.path, key) if isinstance(p, str))
            raise self.fail(f"has {key} that is not a list of tables; write [[{name}]].", key)
        return [self._below(item, key, i) for i, item in enumerate(found)]

    def _below(self, data: Mapping[str, Any], *path: str | int) -> Table:
        return Table(data, self.file, (*self.path, *path), self.document, self.own)

    def named(self, key: str) -> dict[str, Table]:
        """A table of tables (``[key.name]``)."""
        inner = self.table(key)
        return {name: inner.table(name) for name in inner.data}

    def names(self, key: str) -> dict[str, str]:
        """Read a table of strings."""
        inner = self.table(key)
        return {name: inner.text(name) for name in inner.data}

    def record(self, kind: type[T], **given: Any) -> T:
        """Read a dataclass field by field, as its annotations say, and refuse all other keys.

        ``given``: fields that are not read here. Returns an object of type ``kind``.
        """
        values = {
            name: self._field(name, hint, default)
            for name, hint, default in _fields(cast(Any, kind))
            if name not in given
        }
        self.done()
        return kind(**values, **given)

    def _field(self, name: str, hint: Any, default: Any) -> Any:
        if get_origin(hint) is Literal:
            return self.choice(name, get_args(hint), default)
        for kind in _ONE:
            if hint in (kind, kind | None):
                return self.one(name, kind, default if hint is kind else None)
        if hint == tuple[str, ...]:
            return self.texts(name, default)
        return self.names(name) if hint == Mapping[str, str] else self.pair(name)

    def done(self) -> None:
        """Refuse keys that were not read."""
        for key in self.data:
            if key not in self.asked:
                close = get_close_matches(key, self.asked, n=1)
                known = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(sorted(self.asked))}."
                raise self.fail(f"has an unknown key '{key}'; {known}", key)


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any, Any], ...]:
    hints = get_type_hints(kind)
    return tuple(
        (f.name, hints[f.name], ... if f.default is dataclasses.MISSING else f.default)
        for f in dataclasses.fields(kind)
    )
