"""``schild compare``: regimens side by side in the same people."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from schild.cli.console import Whole, progress, warn
from schild.cli.options import Draws, Files, Person
from schild.cli.simulate import is_file, names_of, read_run
from schild.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from schild.comparison import Comparison
    from schild.simulation import Run


def compare(
    *what: Annotated[str, Parameter(name="RUN.toml|REGIMEN")],
    label: list[str] | None = None,
    reference: str | None = None,
    until: str | None = None,
    every: str | None = None,
    n: Whole | None = None,
    outputs: str | None = None,
    nca: bool = False,
    person: Person = Person(),
    data: Draws = Draws(),
    files: Files = Files(),
) -> int:
    """Compare regimens in the same people: metrics, ratios within each person, curves over one another.

    schild compare "naltrexone 50 mg po q24h x28" "naltrexone 380 mg im_depot" --until 28d --n 100

    schild compare "naltrexone 50 mg po" "naltrexone 100 mg po" --label low --label high --html out/compare.html

    For research and education, not for treating a person.

    Parameters
    ----------
    what
        Run files, or regimens in words, each in quotes; two or more. Several drugs of one arm stand in one text, with
        semicolons between.
    label
        Name of an arm; repeat the option for each, in their order. By default title, file name or words.
    reference
        Name of the arm that the others are compared with; the first by default.
    until
        End of the runs, such as 28d; that of the longest by default.
    every
        Output grid, such as 1h.
    n
        Number of people in a population, instead of one person.
    outputs
        Outputs to keep, such as plasma_naltrexone,mor_pet_occupancy; all by default.
    nca
        Also the metrics of the last dose by CDISC names, and those of occupancies and effects over its interval.
    """
    from schild.comparison import compare as run

    if len(what) < 2:
        raise InputError(
            f"{len(what)} regimen was given; expected two or more, each in quotes, or run files. Write for example "
            '"naltrexone 50 mg po" "naltrexone 100 mg po".'
        )
    files.check()
    head = {"until": until, "every": every, "seed": data.seed, "outputs": names_of(outputs, "outputs")}
    runs = [read_run((text,), head=head, person=person.given, n=n, numbers=data.overrides) for text in what]
    labels = label or [_label(text, found) for text, found in zip(what, runs, strict=True)]
    if len(labels) != len(runs) or len(set(labels)) != len(labels):
        raise InputError(
            f"{len(labels)} labels ({', '.join(labels)}) were given for {len(runs)} arms; expected one for each, all "
            "different. Give --label once for each arm."
        )
    if until is None:
        longest = f"{max(found.until_h for found in runs):.12g} h"
        runs = [found.model_copy(update={"run": found.run.model_copy(update={"until": longest})}) for found in runs]
    with progress("arms", show=n is not None) as advance:
        found = run(
            dict(zip(labels, runs, strict=True)),
            reference=reference,
            nca=nca,
            catalogue=data.catalogue,
            progress=advance,
        )
    return files.finish(found, _show, page="schild.report.comparison:comparison_html", table="comparison.csv")


def _label(text: str, run: Run) -> str:
    return run.run.title or (Path(text).stem if is_file(text) else " ".join(text.split()))


def _show(found: Comparison, screen: Console) -> None:
    """Print the warnings of the runs, then a line for each metric: every arm, and its ratio to the reference."""
    from schild.tables import spread_words, table, value_words

    warn(screen, found.said())
    cells: dict[str, dict[str, str]] = {}
    for row in found.summary():
        line = cells.setdefault(row["metric"], {})
        for key, head in (("value", row["arm"]), ("ratio", f"{row['arm']} / {found.reference}")):
            if key in row:
                spread = {q: row.get(f"{key}_{q}") for q in ("q05", "q95")} | {"q50": row[key]}
                words = partial(value_words, row["metric"] if key == "value" else "ratio")
                line[head] = spread_words(spread if found.n > 1 else row[key], words, gap="\n")
    others = [label for label in found.results if label != found.reference]
    heads = [found.reference, *(h for a in others for h in (a, f"{a} / {found.reference}"))]
    rows = [(name, *(line.get(head, "-") for head in heads)) for name, line in cells.items()]
    who = "" if found.n == 1 else f": median (5th to 95th percentile) of the same {found.n:,} people"
    caption = "Ratios are within each person."
    screen.print(table(f"Compared with {found.reference}{who}", ("metric", *heads), rows, caption=caption))
