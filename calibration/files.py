"""Compare fitted numbers with the catalogue, and write them into its files without other changes."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import schild.catalog
from calibration import Fit, Fitted
from schild.array_types import Floats
from schild.catalog import load
from schild.errors import CatalogueError
from schild.evidence import Number

__all__ = ["differs", "number_of", "report", "run_script", "write_numbers"]

_FOLDER = Path(schild.catalog.__file__).parent / "data" / "drugs"
_SHARED = ("effects.toml", "adaptation.toml")


def write_numbers(numbers: Sequence[Fitted], folder: Path = _FOLDER, key: str = "fitted") -> None:
    """Write the value of each number's ``fitted`` entry and, where they are given, its CVs.

    ``numbers``: results of the fits; ``folder``: folder of the drug files; ``key``: key of the entry that is
    written. Raises CatalogueError if a file has no entry of that key for a number: the entry, with its sources, is
    written by hand first.
    """
    for drug in sorted({n.drug for n in numbers}):
        path = folder / f"{drug}.toml"
        if drug in ("alcohol", "trial"):
            path = folder.parent / f"{drug}.toml"
        elif not path.is_file():  # an effect, or a mechanism of adaptation
            path = folder.parent / _SHARED[drug in load().adaptation]
        text = path.read_text(encoding="utf-8")
        for number in (n for n in numbers if n.drug == drug):
            text = _replace(text, number, path.name, key)
        path.write_text(text, encoding="utf-8")


def _replace(text: str, number: Fitted, file: str, key: str) -> str:
    name = re.escape(number.name)
    prefix = rf"{re.escape(number.drug)}\." if file in _SHARED else ""
    head = rf'\[\[{prefix}number\.(?:"{name}"|{name})\.value\]\]\nkey = "{key}"\nvalue = '
    text, found = re.subn(rf"({head})\S+", rf"\g<1>{number.value:.6g}", text)
    if found != 1:
        raise CatalogueError(f'{file}: {number.name} has {found} values with key "{key}"; expected one to write to.')
    for table, cv in (("uncertainty", number.cv), ("between_subject", number.between_people)):
        if cv is None:
            continue
        head = rf'\[{prefix}number\.(?:"{name}"|{name})\.{table}\]\ncv = '
        text, found = re.subn(rf"({head})\S+", rf"\g<1>{cv:.4g}", text)
        if found != 1:
            raise CatalogueError(f"{file}: {number.name} has no {table} to write to; add the table first.")
    return text


def _write_correlation(mechanism: str, matrix: Floats) -> None:
    """Replace the matrix beside ``correlated`` of one mechanism of adaptation."""
    path = _FOLDER.parent / "adaptation.toml"
    rows = "".join(f"    [{', '.join(f'{0.0 if abs(x) < 0.0005 else x:.3f}' for x in row)}],\n" for row in matrix)
    head = rf"(^\[{re.escape(mechanism)}\]\n(?:(?!\[{re.escape(mechanism)}).*\n)*?correlation = \[\n)(?:    \[.*\n)+"
    text, found = re.subn(head, rf"\g<1>{rows}", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if found != 1:
        raise CatalogueError(f"adaptation.toml: {mechanism} has {found} matrices of correlation; expected one.")
    path.write_text(text, encoding="utf-8")


def number_of(fitted: Fitted) -> Number:
    """Return the catalogue's entry of a fitted number."""
    return load().numbers_of(fitted.drug)[fitted.name]


def differs(number: Fitted) -> bool:
    """Whether the catalogue's value differs by half a unit of the third digit, or is not marked as fitted."""
    have = number_of(number)
    return have.chosen.basis not in ("fitted", "derived") or abs(number.value / have.value - 1.0) > 5e-4


def run_script(fit: Callable[[], Fit], arguments: Sequence[str] | None) -> int:
    """Fit, print beside the catalogue and with ``--write`` write to it; return how many numbers differ."""
    begin = time.process_time()
    done = fit()
    bad = report([done], "--write" in (sys.argv[1:] if arguments is None else arguments))
    print(f"{len(done.numbers)} fitted numbers, {bad} differ; {time.process_time() - begin:.1f} s of CPU")
    return 1 if bad else 0


def report(fits: Sequence[Fit], write: bool) -> int:
    """Print fits and their numbers beside the catalogue's; return the count of differences.

    ``write``: put those that differ into the catalogue, with the correlations of their mechanism; numbers that agree
    stay as they are.
    """
    new: list[Fitted] = []
    for fit in fits:
        print(f"\n== {fit.title}", *fit.lines, sep="\n")
        for number in fit.numbers:
            if wrong := differs(number):
                new.append(number)
            spread = "" if number.cv is None else f" (uncertainty CV {number.cv:.3f})"
            print(
                f"  {number.drug}.{number.name:46s} refit {number.value:<10.5g} catalogue "
                f"{number_of(number).value:<10.5g}{'DIFFERS' if wrong else 'same'}{spread}"
            )
    if write:
        write_numbers(new)
        moved = {n.drug for n in new}
        for mechanism, matrix in ((m, x) for fit in fits for m, x in fit.correlations.items() if m in moved):
            _write_correlation(mechanism, matrix)
        print(f"\nWritten to the catalogue: {len(new)} numbers; the others agree and stay.")
        return 0
    return len(new)
