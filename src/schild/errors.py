"""One family of errors: each message says what was given, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SchildError(Exception):
    """Base of every error that schild raises on purpose."""


class InputError(SchildError, ValueError):
    """Something the user gave cannot be used."""


class CatalogueError(SchildError):
    """The catalogue contradicts itself or lacks something."""


class OverlayError(CatalogueError, InputError):
    """A data file that a user laid over the catalogue cannot be used."""


class UnknownNameError(InputError, KeyError):
    """A name that the catalogue, a model or a result does not have.

    Parameters
    ----------
    kind : str
        What was looked up, e.g. ``"drug"``.
    name : str
        The name that was given.
    known : iterable of str
        The names that exist.

    Examples
    --------
    >>> str(UnknownNameError("drug", "naltrexon", ["naltrexone", "naloxone"]))
    "No drug is called 'naltrexon'. Did you mean 'naltrexone', 'naloxone'?"
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = get_close_matches(name, names, n=3)
        hint = f"Did you mean {', '.join(map(repr, close))}?" if close else f"Known: {', '.join(names) or 'none'}."
        self.message = f"No {kind} is called {name!r}. {hint}"
        self._given = (kind, name, names)
        super().__init__(self.message)

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str, list[str]]]:
        # Exceptions are rebuilt from their arguments; the message alone is not enough.
        return type(self), self._given

    def __str__(self) -> str:
        # KeyError would print the repr.
        return self.message
