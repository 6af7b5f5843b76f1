"""``schild ledger``: predictions frozen before their result was known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from schild.cli.console import APP, out, say_if_compiling, write
from schild.cli.options import Data, Files
from schild.tables import number_words

if TYPE_CHECKING:
    from rich.console import Console

    from schild.validation.ledger import Ledger

ledger_app = App(
    name="ledger", help="Show predictions that were frozen before their result was known, with their results.", **APP
)

#: Where own predictions are kept, unless the option says otherwise.
_FOLDER = Path("ledger")


@ledger_app.default
def show(
    *,
    folder: Annotated[Path | None, Parameter(name="--in")] = None,
    data: Data = Data(),
    files: Files = Files(),
) -> int:
    """List each result with the prediction made before it, whether it lies inside the band, and by how much it is off.

    Parameters
    ----------
    folder
        Folder of your own predictions beside those that come with schild; ./ledger where there is one.
    """
    from schild.validation.ledger import INDEX, ledger

    files.check()
    if folder is None and (_FOLDER / INDEX).is_file():
        folder = _FOLDER
    return files.finish(ledger(folder, data.catalogue), _show, title="Ledger of predictions", table="ledger.csv")


def _show(found: Ledger, console: Console) -> None:
    console.print(found.about() + ".")
    for row in found.summary():
        fold = "" if row["fold"] is None else f"; fold {number_words(row['fold'])}"
        console.print(
            f"\n{row['study']} {row['result']} ({row['field']}), frozen {row['frozen']}\n"
            f"  predicted {row['predicted (90 %)']}; found {row['found'] or 'nothing yet'}"
            f"{'; inside: ' + row['inside'] if row['inside'] else ''}{fold}; counts: {row['counts']}"
        )
    for s in found.scores():
        console.print(
            f"\n{s['field']}, entered {s['entered']}: {s['inside']} of {s['results']} inside; "
            f"median width {number_words(s['width'])} ({s['width_of']})"
        )


@ledger_app.command
def add(
    study: Annotated[Path, Parameter(name="STUDY.toml")],
    /,
    *,
    folder: Annotated[Path, Parameter(name="--in")] = _FOLDER,
    data: Data = Data(),
) -> int:
    """Freeze a prediction for a study whose result is not yet entered. Commit the folder, so that others can date it.

    Parameters
    ----------
    study
        File with `study`, `source` and a table [[result]] for each result that the study will print: `id`, `field`,
        `regimen`, and `effect` with `without` (the regimen without the antagonist), or `observable`, `species`, `unit`.
    folder
        Folder of the ledger.
    """
    from schild.validation.ledger import add as freeze

    say_if_compiling()
    files = freeze(study, folder, data.catalogue)
    for path, text in files.items():
        write(path, text)
    out().print(f"Frozen: {next(iter(files))}. Commit the folder; the file does not change any more.", markup=False)
    return 0


@ledger_app.command
def enter(
    study: str,
    result: str,
    value: float,
    /,
    *,
    bound: str = "",
    se: float | None = None,
    source: str = "",
    folder: Annotated[Path, Parameter(name="--in")] = _FOLDER,
) -> int:
    """Enter the result of a frozen prediction.

    Parameters
    ----------
    study
        Key of the study.
    result
        Id of the result.
    value
        The result, in the unit of the prediction; for a block, 1 less the share of the effect that is left.
    bound
        "at least" or "at most", where the study prints a bound.
    se
        Standard error of a block; 0.1 is assumed where none is given.
    source
        Where the result was printed.
    folder
        Folder of the ledger.
    """
    from schild.validation.ledger import enter as put

    for path, text in put(study, result, value, folder, bound=bound, se=se, source=source).items():
        write(path, text)
    return show(folder=folder)
