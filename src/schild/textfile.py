"""Text files named by a user: regular, not compressed, UTF-8 or UTF-16 with a byte order mark, of limited size."""

from __future__ import annotations

import codecs
import os
import re
import stat
import tomllib
from os import PathLike
from pathlib import Path
from typing import Any

from schild.errors import InputError

MAX_BYTES = 20_000_000
"""The largest file that is read where nothing else is said. [bytes]"""

_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip, as .xlsx is",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "7z",
}
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def read_text(path: str | PathLike[str], what: str, *, most: int = MAX_BYTES) -> str:
    """Read a text file that a user named.

    ``path``: a regular file: no folder, no device, no pipe; ``what``: what it should be, for messages: ``"a table as
    CSV"``; ``most``: the largest size [bytes]. Returns the text without a byte order mark. Line ends are kept as they
    are. Raises InputError if it is not a regular file, too large, compressed, or not text in UTF-8.

    >>> read_text("/dev/zero", "a run file")
    Traceback (most recent call last):
    schild.errors.InputError: '/dev/zero' is a device or a pipe; expected a run file. Save it as a file first.
    """
    shown = repr(str(path))
    try:
        state = Path(path).stat()
        kind, size = stat.S_IFMT(state.st_mode), state.st_size
        raw = b""
        if kind == stat.S_IFREG and size <= most:
            with open(path, "rb", opener=_at_once) as file:
                raw = file.read(most) or b""
    except FileNotFoundError:
        raise InputError(f"{shown} is not a file (No such file); expected {what}. Check the path.") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{shown} cannot be read ({why}); expected {what}. Check the path.") from None
    if kind == stat.S_IFDIR:
        raise InputError(f"{shown} is not a file but a directory; expected {what}. Name the file in it.")
    if kind != stat.S_IFREG:
        raise InputError(f"{shown} is a device or a pipe; expected {what}. Save it as a file first.")
    if size > most:
        raise InputError(f"{shown} has {size / 1e6:.0f} MB; expected {what} of at most {most / 1e6:g} MB. Shorten it.")
    for magic, name in _PACKED.items():
        if raw.startswith(magic):
            raise InputError(f"{shown} is compressed ({name}); expected {what}, as plain text. Unpack it first.")
    mark = next((mark for mark in _MARKS if raw.startswith(mark)), b"")
    raw, encoding = raw[len(mark) :], _MARKS.get(mark, "utf-8")
    if encoding == "utf-8" and b"\0" in raw:
        raise InputError(f"{shown} holds zero bytes, so it is not plain text; expected {what}. Save it as UTF-8.")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(_undecodable(shown, what, raw, error)) from None


def _at_once(path: str, flags: int) -> int:
    """Open without waiting: a file of the system can block as a pipe does."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _undecodable(shown: str, what: str, raw: bytes, error: UnicodeDecodeError) -> str:
    line = raw.count(b"\n", 0, error.start) + 1
    byte = raw[error.start : error.start + 1]
    letter = byte.decode("cp1252", errors="ignore")
    meant = f", which is {letter!r} in Windows-1252 (Latin-1)" if letter.isprintable() and letter else ""
    return (
        f"{shown}, line {line}: the byte 0x{byte.hex()} is not UTF-8{meant}; expected {what}. Save the file as UTF-8."
    )


_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def without_controls(text: str) -> str:
    r"""Replace by blanks all characters that move the cursor, turn the direction of writing, or are invalid in XML.

    >>> without_controls("a\x1b[2J")
    'a [2J'
    """
    return _CONTROLS.sub(" ", text)


_DEEP_KEY = re.compile(
    r"""(?:^|[{,\[])[^\S\n]*(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[^\S\n]*\.[^\S\n]*){20}""", re.MULTILINE | re.ASCII
)
_LONG_NUMBER = re.compile(r"(?:0x|[0-9])[0-9A-Fa-f_]{249}", re.ASCII)


def read_toml(path: str | PathLike[str], what: str, *, most: int = MAX_BYTES) -> dict[str, Any]:
    """Read a TOML file that a user named.

    ``path``, ``what`` and ``most``: as for :func:`read_text`. Returns what the file holds; a file without an entry is
    refused. Raises InputError as for :func:`read_text`; if it is not TOML; and, before it is parsed, if a key has
    twenty parts or a number 250 digits, because the parser takes minutes over such a file or fails.
    """
    text = read_text(path, what, most=most)
    check_toml(text, str(path), what)
    if not text.strip():
        raise InputError(f"{path} is empty; expected {what}. Write it, or check the name.")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not TOML: {fault_of(error)}. Correct that place.") from None


def fault_of(error: ValueError | RecursionError) -> str:
    """Say what a parser found wrong."""
    return "tables or lists are nested too deeply" if isinstance(error, RecursionError) else str(error)


def check_toml(text: str, name: str, what: str) -> None:
    """Refuse text over which a parser of TOML takes minutes or fails.

    Raises InputError if a key has more than twenty parts or a number 250 digits.

    >>> check_toml("a.b = 1", "x.toml", "a run file")
    """
    for pattern, found in ((_DEEP_KEY, "a key of more than 20 parts"), (_LONG_NUMBER, "a number of 250 digits")):
        if place := pattern.search(text):
            line = text.count("\n", 0, place.end()) + 1
            raise InputError(f"{name}, line {line}: {found} stands there; expected {what}. Correct that place.")
