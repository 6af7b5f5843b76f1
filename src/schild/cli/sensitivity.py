"""``schild sensitivity``: how a metric depends on each number, and the sources of its variation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schild.cli.simulate import is_file, read_run
from schild.cli.verbs import command

if TYPE_CHECKING:
    from rich.console import Console

    from schild.influence import Sensitivity


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
    title = f"{found.metric} with the numbers of the catalogue: {number_words(found.typical)}"
    screen.print(table(title, heads, rows, left=("number", "unit")))
    if found.parts:
        said = [(name, percent_words(value)) for name, value in found.parts.items()]
        screen.print(table("Spread of the metric (standard deviation of its logarithm)", ("by", ""), said))


@command(
    "schild.influence:sensitivity", _show, title="Sensitivity of {.metric}", table="swings.csv",
    places={"regimens": "REGIMEN"}, names={"numbers": "number"},
)  # fmt: skip
def sensitivity(given: dict[str, Any]) -> None:
    """Compute the sensitivity of a metric to each number, and the sources of its variation.

    schild sensitivity "naltrexone 50 mg po" --metric auc_naltrexone_ng_h_ml --until 2d

    schild sensitivity "naltrexone 50 mg po" --metric "mor_pet_occupancy at 24 h" --morris 4

    schild sensitivity "naltrexone 50 mg po q24h x7" --protocol self_administration --metric drinks

    For research and education, not for treating a person.

    Parameters
    ----------
    regimens
        Regimens in words, each in quotes; or one run file or trial file.
    metric
        A metric of `schild simulate --json`, such as auc_naltrexone_ng_h_ml; an output at a time, such as
        "mor_pet_occupancy at 24 h"; one of --nca after the last dose, such as naltrexone.LAMZHL; of a trial file, an
        endpoint as a difference from the reference, such as percent_heavy_drinking_days; with --protocol, an outcome of
        the session, such as drinks, whose Hedges g is watched.
    """
    what = given.get("regimens", ())
    if len(what) == 1 and is_file(what[0]):
        from schild.textfile import read_toml
        from schild.trial import Trial

        of_trial = "trial" in read_toml(what[0], "a run file or a trial file")
        given["regimens"] = (Trial.read(what[0]) if of_trial else read_run(what),)
