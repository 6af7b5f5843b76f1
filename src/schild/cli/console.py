"""What the commands share: options of the parser, consoles, files, progress."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from schild.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

#: Settings of every parser.
APP: dict[str, Any] = {
    "help_format": "plaintext",
    "default_parameter": Parameter(negative=(), show_default=False),
}

#: Said once wherever a dose is entered.
NOTICE = "For research and education, not for treating a person."

#: Narrowest table that still can be read where there is no terminal.
_WIDTH = 100


def _whole(kind: Any, tokens: Sequence[Any]) -> int:
    # The parser's own reading rounds 1.5 to 2.
    text = tokens[0].value
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text):
        shown = text if len(text) <= 40 else text[:37] + "..."
        raise ValueError(f"{shown!r} is no whole number; expected one such as 1000.")
    return int(text)


#: An option that is a whole number, and nothing that could be rounded to one.
Whole = Annotated[int, Parameter(converter=_whole)]


def out() -> Console:
    """Return a console on standard output."""
    return _console(sys.stdout)


def err() -> Console:
    """Return a console on standard error."""
    return _console(sys.stderr)


def _console(stream: Any) -> Console:
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    found = Quiet(file=stream, highlight=False, emoji=False)
    return found if found.is_terminal else Quiet(file=stream, highlight=False, emoji=False, width=_WIDTH)


def say_if_compiling() -> None:
    """Say why the first run on a machine takes longer, only where standard error is a terminal."""
    if not sys.stderr.isatty():
        return
    from schild.engine.cache import cache_directory

    if not cache_directory().is_dir():
        print("Compiling the engine, once on this machine: about ten seconds.", file=sys.stderr)


@contextmanager
def progress(label: str, *, show: bool = True) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on standard error while something runs, only where that is a terminal.

    Parameters
    ----------
    label : str
        What runs.
    show : bool
        Whether it takes long enough for a bar.

    Yields
    ------
    callable or None
        To be called with what is done and what there is in all.
    """
    if not show or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task(label, total=None, visible=False)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        yield advance


def write(path: Path, content: str | bytes) -> None:
    """Write a file, making its folder.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8", newline="\n")
        else:
            path.write_bytes(content)
    except (OSError, ValueError) as error:
        raise InputError(_unwritable(path, error, "a file")) from None


def folder(path: Path) -> Path:
    """Make a folder for results, before anything long runs.

    Raises
    ------
    InputError
        If it cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".schild-writes"
        probe.touch()
        probe.unlink()
    except (OSError, ValueError) as error:
        raise InputError(_unwritable(path, error, "a folder")) from None
    return path


def _unwritable(path: Path, error: Exception, kind: str) -> str:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{str(path)!r} cannot be written ({why}); expected {kind} that can be. Give another place."
