"""Parts shared by the commands: options of the parser, consoles, files, progress."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from schild.errors import InputError
from schild.textfile import without_controls

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.segment import Segment


def _paragraphs(part: Any) -> None:
    """Join the lines of each paragraph: in a docstring they end where the code does."""
    text: Any = getattr(part, "primary_renderable", None)
    if hasattr(text, "plain"):
        text.plain = "\n\n".join(" ".join(paragraph.split()) for paragraph in text.plain.split("\n\n"))


class _Help:
    """Cyclopts' help, filled to the width of the terminal."""

    def __call__(self, console: Any, options: Any, panel: Any) -> None:
        from cyclopts.help import DefaultFormatter

        for entry in panel.entries:
            _paragraphs(entry.description)
        DefaultFormatter()(console, options, panel)

    def render_usage(self, console: Any, options: Any, usage: Any) -> None:
        from cyclopts.help import DefaultFormatter

        DefaultFormatter().render_usage(console, options, usage)

    def render_description(self, console: Any, options: Any, description: Any) -> None:
        from cyclopts.help import DefaultFormatter

        _paragraphs(description)
        DefaultFormatter().render_description(console, options, description)


#: Settings of every parser.
APP: dict[str, Any] = {
    "help_format": "plaintext",
    "help_formatter": _Help(),
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
        raise ValueError(f"{shown!r} is not a whole number; expected one such as 1000.")
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
    """Make a console that shows text as it is: what a user wrote is never read as markup."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

        def render(self, renderable: Any, options: Any = None) -> Iterator[Segment]:
            for part in super().render(renderable, options):
                yield part if part.control else part._replace(text=without_controls(part.text))

    found = Quiet(file=stream, markup=False, highlight=False, emoji=False)
    if not found.is_terminal:
        found.width = _WIDTH
    return found


def warn(console: Console, warnings: Iterable[str]) -> None:
    """Print what to read before the numbers."""
    for warning in warnings:
        console.print(f"Warning: {warning}", style="bold red")


def say_if_compiling() -> None:
    """Say why the first run on a machine takes longer, only where standard error is a terminal."""
    if not sys.stderr.isatty():
        return
    from schild.engine.portable import is_portable, object_file

    if is_portable("run_groups"):
        if not object_file("run_groups").is_file():
            print("Making the engine ready for this processor, once: about two seconds.", file=sys.stderr)
        return
    from schild.engine.cache import cache_directory

    if not cache_directory().is_dir():
        print("Compiling the engine, once on this machine: about half a minute.", file=sys.stderr)


class _Lines:
    """Progress without a terminal: a line now and then, the first after some seconds."""

    def __init__(self, label: str) -> None:
        self._label, self._begun, self._due = label, time.monotonic(), 5.0
        self._first: tuple[int, float] | None = None

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._first is None and done > 0:
            # The first piece may compile the engine: it says nothing of the others.
            self._first = done, now
        if now - self._begun >= self._due and 0 < done < total:
            self._due = 2.0 * (now - self._begun)
            before, since = self._first or (0, self._begun)
            left = f", about {(now - since) * (total - done) / (done - before):,.0f} s left" if done > before else ""
            print(f"{self._label}: {done:,} of {total:,}{left}", file=sys.stderr, flush=True)

    def say(self, line: str) -> None:
        """Print nothing: the result is in the output."""


class _Bar:
    """Progress on a terminal: a bar, and lines above it."""

    def __init__(self, label: str, bar: Progress) -> None:
        self._bar, self._task = bar, bar.add_task(label, total=None, visible=False)

    def __call__(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total, visible=True)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(line)


@contextmanager
def progress(label: str, *, show: bool = True) -> Iterator[_Lines | _Bar | None]:
    """Show a bar on standard error while something runs; without a terminal, a line now and then.

    ``label``: name of the task; ``show``: whether it takes long enough for a bar. Yields a callable for what is done
    and what there is in all; its ``say`` prints a line on a terminal. Without a terminal the first line comes after
    some seconds, each other one after twice the time.
    """
    say_if_compiling()
    if not show:
        yield None
        return
    if not sys.stderr.isatty():
        yield _Lines(label)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err(), transient=True) as bar:
        yield _Bar(label, bar)


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, making its folder.

    The content goes to a temporary file beside it, which then takes its place. Raises InputError if it cannot be
    written; an earlier file of that name is then as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        _replace(_target(path), data)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(_unwritable(path, error, "a file")) from None


def writable(*paths: Path | None) -> None:
    """Check, before anything long runs, that files can be written, or raise InputError; None is skipped."""
    for path in paths:
        if path is None:
            continue
        try:
            probe = _temporary(_target(path))
            probe.touch(exist_ok=False)
            probe.unlink()
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(_unwritable(path, error, "a file")) from None


def _target(path: Path) -> Path:
    """Return the file behind a link, in a folder that exists, and refuse anything that is not a file."""
    target = path.resolve()
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
        return target
    if not stat.S_ISREG(mode):
        raise OSError(None, "it is a folder" if stat.S_ISDIR(mode) else "it is a device or a pipe")
    if not os.access(target, os.W_OK):
        raise OSError(None, "it is write-protected")
    return target


def _temporary(target: Path) -> Path:
    return target.with_name(f".schild-{os.getpid()}-{secrets.token_hex(4)}")


def _replace(target: Path, data: bytes) -> None:
    temporary = _temporary(target)
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def folder(path: Path) -> Path:
    """Make a folder for results, before anything long runs; InputError if it cannot be made or written to."""
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
