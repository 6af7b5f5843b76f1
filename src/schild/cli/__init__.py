"""The command line: parse, call, show.

Commands are named here and imported when they are called, so that help is quick.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from schild import __version__
from schild.errors import CatalogueError, InputError, SchildError

if TYPE_CHECKING:
    from cyclopts import App

__all__ = ["main", "make_app"]

#: Exit codes: done, a check failed, bad input, a bug in schild, interrupted, reader went away.
DONE, FAILED, BAD_INPUT, BUG, INTERRUPTED, PIPE = 0, 1, 2, 70, 130, 141

#: Set it to see where an error arose.
TRACEBACK = "SCHILD_TRACEBACK"

_HELP = {"--help", "-h", "--version"}

_COMMANDS = (
    ("explain", "answers:explain", "Explain what a drug does, tested against human data, with figures and sources."),
    ("simulate", "simulate:simulate", "Simulate one person or a population, from a run file or regimens in words."),
    ("compare", "compare:compare", "Compare regimens in the same people: metrics, ratios, curves."),
    (
        "forecast",
        "forecast:forecast",
        "Forecast plasma, receptors and the next dose of one person from measured levels.",
    ),
    ("coverage", "forecast:coverage", "Count the days on which mu receptors stay occupied, by missed doses."),
    (
        "sensitivity",
        "sensitivity:sensitivity",
        "Compute how a metric depends on each number, and the sources of its variation.",
    ),
    ("challenge", "challenge:challenge", "Give an agonist with and without an antagonist: block by effect and time."),
    ("open", "opened:open_link", "Run the scenario in a link of a live page, and print its numbers."),
    (
        "laboratory",
        "laboratory:laboratory",
        "Let virtual people drink in a laboratory, with placebo and with an antagonist.",
    ),
    ("trial", "trial:trial", "Run a virtual trial from a file: endpoints by arm, comparisons, survival, a page."),
    ("results", "trial:results", "Query the people of a trial with SQL, from the parts in its folder."),
    ("rescue", "rescue:rescue", "Compute cardiac arrests after an overdose by antagonist, delay and tolerance."),
    ("validate", "answers:validate", "Compare predictions with every published study; misses first."),
    (
        "ledger",
        "ledger:ledger_app",
        "Show predictions that were frozen before their result was known, with their results.",
    ),
    ("verify", "verify:verify", "Run again what a page states, and compare."),
    ("check", "check:check", "Report on a table of observed levels, person by person, with predictions."),
    ("fit-levels", "fit_levels:fit_levels", "Fit numbers of the catalogue to observed levels."),
    ("fit", "analyse:fit", "Analyse your agonist curves or dose ratios by Schild: pA2, slope, limits, tests."),
    ("curves", "analyse:curves", "Compute agonist curves of the model under an antagonist, against C/Kd."),
    ("plan", "planner:plan", "Plan dose and time of an antagonist for a required receptor occupancy."),
    (
        "induction",
        "planner:induction",
        "Plan the start of an antagonist after opioids, never sooner than the label.",
    ),
    ("structure", "structures:structure", "Compare structures: scaffold, nitrogen, similarity, drawing."),
    ("drugs", "catalogue:drugs", "Show the catalogue, with the source of each number."),
    ("import", "exchange:import_app", "Read files of other programs."),
    ("export", "export:export_app", "Write a run for other programs."),
    ("schema", "tools:schema", "Print the JSON Schema of the run file, the trial file or the outputs of a run."),
    ("doctor", "tools:doctor", "Check this installation: versions, extras, cache, threads, speed."),
    ("bench", "tools:bench", "Time a few standard runs on this machine."),
    ("cite", "tools:cite", "Print how to cite schild, and the sources of a run."),
)


def make_app(chosen: str | None = None) -> App:
    """Build the command line; it raises instead of printing or leaving.

    ``chosen``: command whose help is that of its docstring, with its examples; the others have one line each.
    """
    from cyclopts import App

    from schild.cli.console import APP

    app = App(
        name="schild",
        help="The mechanism of action of opioid antagonists, naltrexone first, made executable.\n\n"
        "For research and education, not for treating a person.",
        help_epilogue="Exit status: 0 done, 1 a check failed or a target was not reached, 2 bad input.",
        version=f"schild {__version__}",
        result_action="return_value",
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        **APP,
    )
    for order, (name, where, says) in enumerate(_COMMANDS):
        told = {} if name == chosen else {"help": says}
        app.command(f"schild.cli.{where}", name=name, sort_key=order, **told)
    return app


#: How many threads linear algebra takes. The systems here are small, and its threads wait for each other.
_BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    ``argv``: arguments after the name of the program; those of the process by default. Returns the exit code: 0 done,
    1 a check failed or a target was not reached, 2 bad input, 70 a bug in schild, 130 interrupted, 141 nobody reads.

    >>> main(["simulate", "naltrexone 50 mg po", "--until", "1 h", "--dry-run"])
    time  event  drug        amount  as       route  occasion
    0 h   dose   naltrexone  50 mg   product  oral   1
    0
    """
    tokens = list(sys.argv[1:] if argv is None else argv)
    _forgiving_streams()
    for name in _BLAS:
        os.environ.setdefault(name, "1")
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions and argv is None:
                # What a user should know is in the result's own warnings.
                warnings.simplefilter("ignore")
            # A letter of a title that the font lacks is drawn as a box.
            warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
            code = _call(tokens)
        sys.stdout.flush()
    except KeyboardInterrupt:
        # CPython notes an interrupt inside `exec` of a text (named tuples and compiled code are made so) and kills the
        # process with the signal as it leaves, although the interrupt was caught. The next `exec` clears the note.
        exec("")
        _say("Interrupted; nothing more was written.")
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return PIPE
    except Exception as error:
        return _report(error)
    return code


def _call(tokens: list[str]) -> int:
    for token in tokens:
        if not _encodes(token):
            raise InputError(f"{token!r} is not text in UTF-8; expected text. Check how it was typed or quoted.")
    from cyclopts.exceptions import CycloptsError, MissingArgumentError, UnusedCliTokensError

    try:
        app = make_app(tokens[0] if tokens else None)
        if not tokens or _HELP & set(tokens):
            from schild.cli.console import out

            app.console = out()  # it knows a reader who leaves early
        found = app(_values_below_zero(tokens))
    except CycloptsError as error:
        command = next((_words(tokens, where) for name, where, _ in _COMMANDS if tokens and tokens[0] == name), "")
        told = " ".join(str(error).split())
        if isinstance(error, UnusedCliTokensError):
            told = f"{', '.join(map(repr, error.unused_tokens or ()))} is more than `{command}` takes."
        elif isinstance(error, MissingArgumentError) and error.argument is not None:
            name = error.argument.name
            told = f"{name} has no value." if name in tokens else f"{name} is not given, and `{command}` needs it."
        told += "" if told.endswith((".", "?")) else "."
        raise InputError(f"{told} See `{' '.join(('schild', command)).strip()} --help`.") from None
    return found if isinstance(found, int) else DONE


def _words(tokens: list[str], where: str) -> str:
    """Return the command as it was typed, with the second word of those that have commands of their own."""
    return " ".join(
        tokens[:2] if where.endswith("_app") and tokens[1:2] and not tokens[1].startswith("-") else tokens[:1]
    )


def _values_below_zero(tokens: list[str]) -> list[str]:
    """Bind a value such as "-60 kg" to the option before it; a word that begins with a dash is an option otherwise."""
    bound: list[str] = []
    for token in tokens:
        before = bound[-1] if bound else ""
        if re.match(r"-\.?\d", token) and re.fullmatch(r"--[a-z][a-z0-9-]*", before):
            bound[-1] = f"{before}={token}"
        else:
            bound.append(token)
    return bound


def _report(error: Exception) -> int:
    """Say what went wrong in one message, and give the exit code."""
    if os.environ.get(TRACEBACK, "") not in ("", "0"):
        import traceback

        traceback.print_exception(error)
    how = f"Run it again with {TRACEBACK}=1 to see where, and report it."
    if isinstance(error, InputError) or (isinstance(error, SchildError) and not isinstance(error, CatalogueError)):
        _say(str(error))
        return BAD_INPUT
    if isinstance(error, CatalogueError):
        _say(f"The catalogue does not hold: {error} `schild drugs --audit` lists what is wrong.")
        return BUG
    if isinstance(error, MemoryError):
        _say("There is not enough memory for this; expected a smaller run. Ask for fewer people, outputs or times.")
        return BAD_INPUT
    if isinstance(error, OSError) and error.filename is None and error.errno is not None:
        _say(f"The output cannot be written ({error.strerror}); expected a place with room. Write somewhere else.")
        return BAD_INPUT
    _say(f"This is a bug in schild: {type(error).__name__}: {error}. {how}")
    return BUG


def _say(message: str) -> None:
    # A place in a text is shown on lines of its own; everything else a user gave is kept from moving the cursor.
    message = re.sub(r"\S{400,}", lambda word: f"{word[0][:100]}...", message)
    lines = ["".join(c if c.isprintable() else " " for c in line).rstrip() for line in message.split("\n")]
    try:
        print("schild: " + "\n  ".join(lines), file=sys.stderr, flush=True)
    except OSError:
        return


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _forgiving_streams() -> None:
    # A program started without standard output still runs.
    sys.stdout = sys.stdout or StringIO()
    sys.stderr = sys.stderr or StringIO()
    # A terminal that cannot show a letter gets a question mark, not an error.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _silence_stdout() -> None:
    # Python flushes stdout once more when it leaves; give it a place that takes it.
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        return
