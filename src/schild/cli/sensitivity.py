"""``schild sensitivity``: how a metric depends on each number, and the sources of its variation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from schild.cli.console import Whole, progress
from schild.cli.options import Draws, Files, Person, Structure
from schild.cli.simulate import is_file, read_run

if TYPE_CHECKING:
    from rich.console import Console

    from schild.influence import Sensitivity
    from schild.simulation import Run
    from schild.trial import Trial


def sensitivity(
    *what: Annotated[str, Parameter(name="REGIMEN")],
    metric: str,
    number: list[str] | None = None,
    until: str | None = None,
    structure: Structure = None,
    n: Whole = 200,
    sobol: Whole = 0,
    morris: Whole = 0,
    protocol: str | None = None,
    person: Person = Person(),
    data: Draws = Draws(),
    files: Files = Files(),
) -> int:
    """Compute the sensitivity of a metric to each number, and the sources of its variation.

    schild sensitivity "naltrexone 50 mg po" --metric auc_naltrexone_ng_h_ml --until 2d

    schild sensitivity "naltrexone 50 mg po" --metric "mor_pet_occupancy at 24 h" --morris 4

    schild sensitivity "naltrexone 50 mg po q24h x7" --protocol self_administration --metric drinks

    For research and education, not for treating a person.

    Parameters
    ----------
    what
        Regimens in words, each in quotes; or one run file or trial file.
    metric
        A metric of `schild simulate --json`, such as auc_naltrexone_ng_h_ml; an output at a time, such as
        "mor_pet_occupancy at 24 h"; one of --nca after the last dose, such as naltrexone.LAMZHL; of a trial file, an
        endpoint as a difference from the reference, such as percent_heavy_drinking_days.
    number
        A number to move, such as naltrexone.cl; once for each; all that have an uncertainty or a range by default.
    until
        End of the run, such as 7d.
    n
        People for the spread by people, occasions and parameters; 0 leaves that out.
    sobol
        Samples for Sobol indices, a power of two; they need that many runs times numbers, and the package SALib.
    morris
        Trajectories of Morris's elementary effects, such as 10; each needs a run for each number.
    protocol
        Watch Hedges g of an outcome (--metric drinks) in a session with alcohol under the regimens: fixed_dose, cue,
        self_administration or bar.
    """
    from schild.influence import sensitivity as run

    files.check()
    with progress("runs") as advance:
        found = run(
            *_asked(what),
            metric=metric,
            numbers=number,
            until=until,
            subject=person.given,
            structure=structure,
            n=n,
            sobol=sobol,
            morris=morris,
            protocol=protocol,
            progress=advance,
            **data.options,
        )
    return files.finish(found, _show, title=f"What moves {found.metric}", table="swings.csv")


def _asked(what: tuple[str, ...]) -> tuple[str | Run | Trial, ...]:
    """Read the one run file or trial file; regimens stay words."""
    if len(what) != 1 or not is_file(what[0]):
        return what
    from schild.textfile import read_toml
    from schild.trial import Trial

    if "trial" in read_toml(what[0], "a run file or a trial file"):
        return (Trial.read(what[0]),)
    return (read_run(what),)


def _show(found: Sensitivity, screen: Console) -> None:

    from schild.tables import number_words, percent_words, table

    sobol, morris = (any(getattr(s, name) is not None for s in found.swings) for name in ("total", "sigma"))
    heads = ("number", "unit", "5 %", "95 %", "metric at 5 %", "at 95 %", *(["first", "total"] if sobol else []),
             *(["mean size of effects", "their deviation"] if morris else []))  # fmt: skip
    rows = [
        (
            s.number,
            s.unit,
            *map(number_words, (s.low, s.high, s.at_low, s.at_high)),
            *([number_words(s.first or 0.0), number_words(s.total or 0.0)] if sobol else []),
            *([number_words(s.mu_star or 0.0), number_words(s.sigma or 0.0)] if morris else []),
        )
        for s in found.swings[:20]
    ]
    title = f"{found.metric} as it is: {number_words(found.typical)}"
    screen.print(table(title, heads, rows, left=("number", "unit")))
    if found.parts:
        said = [(name, percent_words(value)) for name, value in found.parts.items()]
        screen.print(table("Spread of the metric (standard deviation of its logarithm)", ("by", ""), said))
