"""One family of errors: each message says what was given, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import SequenceMatcher, get_close_matches
from importlib import import_module
from typing import Any


class SchildError(Exception):
    """Base of every error that schild raises on purpose."""


class InputError(SchildError, ValueError):
    """Input from the user cannot be used."""


class CatalogueError(SchildError):
    """The catalogue contradicts itself or lacks something."""


class OverlayError(CatalogueError, InputError):
    """A data file that a user laid over the catalogue cannot be used."""


class UnknownNameError(InputError, KeyError):
    """A name that the catalogue, a model or a result does not have.

    ``kind``: what was looked up, e.g. ``"drug"``. ``name``: the name that was given; ``known``: the names that exist;
    at most five are listed; ``also``: other names that are understood and may be meant; ``says``: what is known of the
    name, in place of names that are like it; ``list_with``: the command that lists all names.

    >>> str(UnknownNameError("drug", "naltrexon", ["naltrexone", "naloxone"]))
    "No drug is called 'naltrexon'. Did you mean 'naltrexone'?"
    """

    def __init__(
        self,
        kind: str,
        name: str,
        known: Iterable[str],
        *,
        also: Iterable[str] = (),
        says: str = "",
        list_with: str = "",
    ) -> None:
        name, names = name if isinstance(name, str) else repr(name), sorted(known)
        if says:
            hint = says
        elif close := close_names(name, {*names, *also}):
            hint = f"Did you mean {' or '.join(map(repr, close))}?"
        else:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            listed = f"; {list_with} lists them" if more and list_with else ""
            hint = f"Known: {', '.join(names[:5]) or 'none'}{more}{listed}."
        shown = name if len(name) <= 64 else name[:61] + "..."
        self.message = f"No {kind} is called {shown!r}. {hint}"
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Callable[[str], UnknownNameError], tuple[str]]:
        # Exceptions are rebuilt from their arguments; here the message is all there is to keep.
        return _again, (self.message,)

    def __str__(self) -> str:
        # KeyError would print the repr.
        return self.message


def _again(message: str) -> UnknownNameError:
    error = UnknownNameError("name", "", ())
    error.message = message
    error.args = (message,)
    return error


def needed(extra: str, use: str, *modules: str) -> tuple[Any, ...]:
    """Import modules of a package that an extra brings; ``use``: what needs it, as the beginning of a sentence.

    >>> needed("surgery", "A transplant", "no_such_package")
    Traceback (most recent call last):
    schild.errors.InputError: A transplant needs no_such_package, which is not installed; expected the extra ...
    """
    try:
        return tuple(map(import_module, modules))
    except ImportError:
        package = modules[0].partition(".")[0]
        raise InputError(
            f"{use} needs {package}, which is not installed; expected the extra {extra!r}. Install it with "
            f"pip install 'schild[{extra}]'."
        ) from None


def close_names(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known names closest to a misspelled one: few, and none that is only roughly similar.

    Without one, the names that begin with what was typed, where at least three letters were.

    >>> close_names("morfine", ["morphine", "hydromorphone"]), close_names("suboxone", ["naloxone"])
    (['morphine'], [])
    >>> close_names("bup", ["buprenorphine", "naloxone"])
    ['buprenorphine']
    """
    plain, names = name.strip().lower(), sorted(set(known))
    close = get_close_matches(plain, names, n=most, cutoff=0.75)
    if not close and len(plain) >= 3:
        return [one for one in names if one.startswith(plain)][:most]
    best = SequenceMatcher(None, close[0], plain).ratio() if close else 0.0
    return [one for one in close if SequenceMatcher(None, one, plain).ratio() > best - 0.08]
