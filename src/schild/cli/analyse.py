"""``schild fit`` and ``schild curves``: Schild analysis of a table, and the model's own curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schild.cli.options import Files
from schild.cli.verbs import command
from schild.errors import InputError
from schild.tables import table

if TYPE_CHECKING:
    from rich.console import Console

    from schild.analysis import ModelCurves, SchildFit, SchildRegression


def _number(value: float | None, digits: int = 2, kind: str = "f") -> str:
    return "-" if value is None or value != value else f"{value:.{digits}{kind}}"


def _range(low: float | None, high: float | None, digits: int = 2) -> str:
    return "-" if low is None and high is None else f"{_number(low, digits)} to {_number(high, digits)}"


def _show_fit(found: SchildFit, console: Console) -> None:
    words = {"bottom": "bottom", "top": "top", "hill": "Hill slope", "log_ec50": "log EC50", "pa2": "pA2",
             "slope": "Schild slope", "pkb": "pKB (slope 1)"}  # fmt: skip
    rows = []
    for name, estimate in found.estimates.items():
        bare, bracket, tissue = name.partition("[")
        limits = _range(estimate.profile_low, estimate.profile_high)
        if estimate.value is None and estimate.profile_high is not None:
            limits = f"below {_number(estimate.profile_high)}"
        held = "held" if estimate.held else ""
        wald = _range(estimate.low, estimate.high)
        label = words[bare] + (f" {bracket}{tissue}" if bracket else "")
        rows.append((label, _number(estimate.value), held or limits, held or wald, estimate.unit))
    console.print(
        table(
            found.title,
            ("", "value", "95 % by profile", "95 % by curvature", "unit"),
            rows,
            left=("", "unit"),
            caption=f"Residual SD {found.residual_sd:.3g}, {found.df} degrees of freedom.",
        )
    )
    console.print(
        table(
            "Dose ratios of curves that shift freely",
            (f"antagonist [{found.antagonist.unit}]", "tissue or curve", "dose ratio", "95 %"),
            [(f"{r.level:g}", r.curve, f"{r.ratio:.3g}", f"{r.low:.3g} to {r.high:.3g}") for r in found.ratios],
            left=("tissue or curve",),
        )
    )
    console.print(
        table(
            "Tests (extra sum of squares)",
            ("question", "F", "df", "p", "answer at 5 %"),
            [
                (t.question, _number(t.f, 3, "g"), f"{t.df1}, {t.df2}", _number(t.p, 2, "g"), t.says)
                for t in found.tests.values()
            ],
            left=("question", "answer at 5 %"),
        )
    )
    line = found.line
    if len(line.log_b):
        console.print(
            f"Classical regression of log(dose ratio - 1): slope {_number(line.slope)} "
            f"({_range(line.slope_low, line.slope_high)}), pA2 {_number(line.pa2)} "
            f"({_range(line.pa2_low, line.pa2_high)}), with slope 1 pKB {_number(line.pkb)} "
            f"({_range(line.pkb_low, line.pkb_high)}), {len(line.log_b)} points."
        )
    for dropped in line.dropped:
        console.print(f"Left out of the regression: {dropped}.")


def _show_regression(found: SchildRegression, console: Console) -> None:
    rows = [
        (
            name,
            str(len(line.log_b)),
            f"{_number(line.slope)} ({_range(line.slope_low, line.slope_high)})",
            f"{_number(line.pa2)} ({_range(line.pa2_low, line.pa2_high)})",
            f"{_number(line.pkb)} ({_range(line.pkb_low, line.pkb_high)})",
            _number(line.p_slope_1),
        )
        for name, line in found.lines.items()
    ]
    heads = ("series", "points", "slope (95 %)", "pA2 (95 %)", "pKB, slope 1 (95 %)", "p of slope 1")
    console.print(table(f"{found.title}, -log10 {found.scale.canonical}", heads, rows))


def _show_curves(found: ModelCurves, console: Console) -> None:
    rows = [
        (
            row["curve"],
            "<0.0001" if 0 < (over := row["antagonist_over_kd"]) < 1e-4 else f"{over:.3g}",
            f"{row['maximum']:.3f}",
            "-" if row["half_at"] is None else f"{row['half_at']:.3g}",
        )
        for row in found.summary()["curves"]
    ]
    heads = ("antagonist", "its C/Kd", "maximum, of that without it", "agonist C/Kd at half maximum")
    console.print(table(found.title, heads, rows, caption=found.says))
    if len(found.load) > 2 and found.surmountable:
        fit = found.fit()
        slope, pa2 = _number(fit["slope"].value, 3), _number(fit["pa2"].value, 3)
        says = "no shift is seen" if slope == "-" else f"slope {slope}, pA2 {pa2} (simple competition gives 1 and 0)"
        console.print(f"An experimenter's Schild fit: {says}.")


@command(
    "schild.analysis:schild_fit", _show_fit, title="{.title}", table="estimates.csv", places={"data": "DATA.csv"},
)  # fmt: skip
def fit(given: dict[str, Any], files: Files) -> int | None:
    """Analyse agonist curves at several antagonist concentrations, or dose ratios, by Schild.

    schild fit examples/schild_curves.csv --plot schild.svg

    A table with the columns antagonist, agonist and response (and perhaps tissue, curve, replicate, sd) is fitted as a
    whole by the equation of Gaddum and Schild: pA2 and Schild slope with limits, dose ratios, tests of parallelism, of
    a common maximum and of slope 1. A table with antagonist and dose_ratio (and perhaps series) is fitted by the
    classical regression. A header may carry the unit: antagonist [nM].

    Parameters
    ----------
    data
        A CSV file with a header; lines that start with # are comments.
    """
    from schild.analysis import schild_regression
    from schild.analysis.table import has_ratios

    data = given["data"]
    if not has_ratios(data):
        return None
    if extra := [name for name in ("agonist_unit", "bottom", "top", "slope") if name in given]:
        said = f"--{extra[0].replace('_', '-')}"
        raise InputError(f"{said} was given, but {data.name} holds dose ratios, which have none. Leave it out.")
    given.pop("response_unit", None)
    ratios = schild_regression(**given)
    return files.finish(ratios, _show_regression, title=ratios.title, table="lines.csv")


@command(
    "schild.analysis:model_curves", _show_curves, title="Agonist curves", table="curves.csv",
    places={"antagonist": "ANTAGONIST"}, commas={"levels": ("1,10,100", float), "at": ("'24 h, 48 h'", str)},
)  # fmt: skip
def curves(given: dict[str, Any]) -> None:
    """Compute agonist curves of the model under an antagonist, against C/Kd: at equilibrium, or in a challenge.

    schild curves naltrexone --agonist morphine

    schild curves "naltrexone 50 mg po" --agonist morphine --at "24 h, 48 h" --structure slow_receptor

    The axis is concentration divided by Kd: no dose of an agonist is computed.

    Parameters
    ----------
    antagonist
        An antagonist (equilibrium), or a regimen of one in quotes (challenges at the times of --at).
    """
