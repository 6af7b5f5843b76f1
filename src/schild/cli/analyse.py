"""``schild fit`` and ``schild curves``: Schild analysis of a table, and the model's own curves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from schild.cli.console import NOTICE, out
from schild.cli.figures import check_figure, save_figure
from schild.errors import InputError

if TYPE_CHECKING:
    from schild.analysis import SchildFit, SchildRegression


def fit(
    data: Annotated[Path, Parameter(name="DATA.csv")],
    /,
    *,
    antagonist_unit: str | None = None,
    agonist_unit: str | None = None,
    response_unit: str = "",
    molar_mass: float | None = None,
    bottom: float | None = None,
    top: float | None = None,
    slope: float | None = None,
    title: str = "",
    plot: Path | None = None,
    json: bool = False,
) -> int:
    """Schild analysis: agonist curves at several antagonist levels, or dose ratios.

    schild fit curves.csv --antagonist-unit nM --agonist-unit nM --plot schild.svg

    A table with the columns antagonist, agonist and response (and perhaps curve, replicate, sd) is fitted as a whole by
    the equation of Gaddum and Schild: pA2 and Schild slope with limits, dose ratios, tests of parallelism, of a common
    maximum and of slope 1. A table with the columns antagonist and dose_ratio (and perhaps series) is fitted by the
    classical regression. A header may carry the unit: antagonist [nM].

    Parameters
    ----------
    data
        A CSV file with a header; lines that start with # are comments.
    antagonist_unit
        Unit of the antagonist: nM, uM, mol/L, mg/kg, mol/kg, ng/mL, or Kd for a concentration over Kd.
    agonist_unit
        Unit of the agonist, likewise.
    response_unit
        Unit of the response, for text and figure.
    molar_mass
        Of the antagonist as weighed, in g/mol, to count masses in moles.
    bottom
        Hold the lower end of the curves at this response.
    top
        Hold the maximum at this response.
    slope
        Hold the Schild slope, such as 1.
    title
        For the figure.
    plot
        File for the figure: .svg, .png or .pdf.
    json
        Print one JSON object and nothing else.
    """
    import json as writer

    from schild.analysis import SchildFit, schild_fit, schild_regression

    check_figure(plot)
    found: SchildFit | SchildRegression
    if _has_ratios(data):
        given = {"--agonist-unit": agonist_unit, "--bottom": bottom, "--top": top, "--slope": slope}
        if extra := [name for name, value in given.items() if value is not None]:
            raise InputError(f"{extra[0]} was given, but {data.name} holds dose ratios, which have none. Leave it out.")
        found = schild_regression(data, antagonist_unit=antagonist_unit, molar_mass=molar_mass, title=title)
    else:
        found = schild_fit(
            data,
            antagonist_unit=antagonist_unit,
            agonist_unit=agonist_unit,
            response_unit=response_unit,
            molar_mass=molar_mass,
            bottom=bottom,
            top=top,
            slope=slope,
            title=title,
        )
    if plot is not None:
        save_figure(found.plot(), plot)
    if json:
        print(writer.dumps(found.to_dict(), allow_nan=False))
    elif isinstance(found, SchildFit):
        _show_fit(found, plot)
    else:
        _show_regression(found, plot)
    return 0


def _has_ratios(path: Path) -> bool:
    """Whether the header of a table has a column of dose ratios."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            head = next((line for line in file if line.strip() and not line.startswith("#")), "")
    except OSError as error:
        raise InputError(
            f"{str(path)!r} cannot be read ({error.strerror or error}); expected a CSV file. Check its name."
        ) from None
    names = {column.split("[")[0].split("(")[0].strip().strip('"').lower() for column in head.split(",")}
    return "dose_ratio" in names


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None or value != value else f"{value:.{digits}f}"


def _range(low: float | None, high: float | None, digits: int = 2) -> str:
    return "-" if low is None and high is None else f"{_number(low, digits)} to {_number(high, digits)}"


def _show_fit(found: SchildFit, plot: Path | None) -> None:
    from rich.table import Table
    from rich.text import Text

    console = out()
    for warning in found.warnings:
        console.print(Text(f"Warning: {warning}", style="bold red"))
    table = Table(title=found.title, title_justify="left", caption_justify="left",
                  caption=f"Residual SD {found.residual_sd:.3g}, {found.df} degrees of freedom.")  # fmt: skip
    for name in ("", "value", "95 % by profile", "95 % by curvature", "unit"):
        table.add_column(name, justify="right" if name and name != "unit" else "left", overflow="fold")
    words = {"bottom": "bottom", "top": "top", "hill": "Hill slope", "log_ec50": "log EC50", "pa2": "pA2",
             "slope": "Schild slope", "pkb": "pKB (slope 1)"}  # fmt: skip
    for name, estimate in found.estimates.items():
        held = "held" if estimate.held else ""
        limits = _range(estimate.profile_low, estimate.profile_high)
        if estimate.value is None and estimate.profile_high is not None:
            limits = f"below {_number(estimate.profile_high)} (one-sided)"
        table.add_row(
            words[name.split("[")[0]] + (f" {name[name.index('[') :]}" if "[" in name else ""),
            _number(estimate.value),
            held or limits,
            held or _range(estimate.low, estimate.high),
            estimate.unit,
        )
    console.print(table)
    ratios = Table(title="Dose ratios of curves that shift freely", title_justify="left")
    for name in (f"antagonist [{found.antagonist.unit}]", "tissue or curve", "dose ratio", "95 %"):
        ratios.add_column(name, justify="left" if name == "tissue or curve" else "right", overflow="fold")
    for ratio in found.ratios:
        ratios.add_row(f"{ratio.level:g}", ratio.curve, f"{ratio.ratio:.3g}", f"{ratio.low:.3g} to {ratio.high:.3g}")
    console.print(ratios)
    tests = Table(title="Tests (extra sum of squares)", title_justify="left")
    for name in ("question", "F", "df", "p", "answer at 5 %"):
        tests.add_column(name, justify="right" if name in ("F", "df", "p") else "left", overflow="fold")
    for test in found.tests.values():
        f = "-" if test.f is None else f"{test.f:.3g}"
        p = "-" if test.p is None else f"{test.p:.2g}"
        tests.add_row(test.question, f, f"{test.df1}, {test.df2}", p, test.says)
    console.print(tests)
    line = found.line
    console.print(
        Text(
            f"Classical regression of log(dose ratio - 1): slope {_number(line.slope)} "
            f"({_range(line.slope_low, line.slope_high)}), pA2 {_number(line.pa2)} "
            f"({_range(line.pa2_low, line.pa2_high)}), with slope 1 pKB {_number(line.pkb)} "
            f"({_range(line.pkb_low, line.pkb_high)}), {len(line.log_b)} points."
        )
    )
    for dropped in line.dropped:
        console.print(Text(f"Left out of the regression: {dropped}."))
    if plot is not None:
        console.print(Text(f"Figure: {plot}"))


def _show_regression(found: SchildRegression, plot: Path | None) -> None:
    from rich.table import Table
    from rich.text import Text

    console = out()
    for warning in found.warnings:
        console.print(Text(f"Warning: {warning}", style="bold red"))
    table = Table(title=f"{found.title}, -log10 {found.scale.canonical}", title_justify="left")
    for name in ("series", "points", "slope (95 %)", "pA2 (95 %)", "pKB, slope 1 (95 %)", "p of slope 1"):
        table.add_column(name, justify="left" if name == "series" else "right", overflow="fold")
    for name, line in found.lines.items():
        table.add_row(
            name,
            str(len(line.log_b)),
            f"{_number(line.slope)} ({_range(line.slope_low, line.slope_high)})",
            f"{_number(line.pa2)} ({_range(line.pa2_low, line.pa2_high)})",
            f"{_number(line.pkb)} ({_range(line.pkb_low, line.pkb_high)})",
            _number(line.p_slope_1),
        )
    console.print(table)
    if plot is not None:
        console.print(Text(f"Figure: {plot}"))


def curves(
    antagonist: str,
    /,
    *,
    agonist: str,
    receptor: str = "mor",
    levels: str | None = None,
    at: str | None = None,
    contact: str = "30 min",
    tau: float | None = None,
    structure: str | None = None,
    tone: bool = False,
    plot: Path | None = None,
    json: bool = False,
) -> int:
    """Agonist curves of the model under an antagonist, over C/Kd: at equilibrium, or as a challenge meets them.

    schild curves naltrexone --agonist morphine

    schild curves "naltrexone 50 mg po" --agonist morphine --at "24 h, 48 h" --structure slow_receptor

    Concentrations over Kd only: no dose of an agonist is computed.

    Parameters
    ----------
    antagonist
        An antagonist (equilibrium), or a regimen of one in quotes (challenges at the times of --at).
    agonist
        Drug whose binding is used, such as morphine.
    receptor
        mor, kor or dor.
    levels
        Antagonist levels over Kd, such as "1, 10, 100".
    at
        Times of the challenges after the first dose, such as "24 h, 48 h".
    contact
        How long the agonist is at the receptor before the response is read.
    tau
        Transducer ratio of the operational model; the occupancy itself by default.
    structure
        Rival mechanism between plasma and receptor.
    tone
        Whether the endogenous agonist competes too.
    plot
        File for the figure: .svg, .png or .pdf.
    json
        Print one JSON object and nothing else.
    """
    from rich.table import Table
    from rich.text import Text

    from schild.analysis import model_curves

    check_figure(plot)
    more: dict[str, Any] = {} if levels is None else {"levels": _levels(levels)}
    found = model_curves(
        antagonist, agonist=agonist, receptor=receptor, at=_parts(at, "at"), contact=contact, tau=tau,
        structure=structure, tone=tone, **more,
    )  # fmt: skip
    if plot is not None:
        save_figure(found.plot(), plot)
    if json:
        print(found.to_json())
        return 0
    console = out()
    table = Table(title=found.title, title_justify="left", caption=found.says, caption_justify="left")
    for name in ("antagonist", "its C/Kd", "maximum over that without", "half of it at agonist C/Kd"):
        table.add_column(name, justify="left" if name == "antagonist" else "right", overflow="fold")
    for row in found.summary()["curves"]:
        half = row["half_at"]
        table.add_row(
            row["curve"],
            f"{row['antagonist_over_kd']:.3g}",
            f"{row['maximum']:.3f}",
            "-" if half is None else f"{half:.3g}",
        )
    console.print(table)
    if len(found.load) > 2 and found.surmountable:
        fit = found.fit()
        pa2, slope = fit["pa2"].value, fit["slope"].value
        console.print(
            Text(f"An experimenter's Schild fit: slope {slope:.3f}, pA2 {pa2:.3f} (simple competition gives 1 and 0).")
        )
    if plot is not None:
        console.print(Text(f"Figure: {plot}"))
    console.print(NOTICE, style="dim")
    return 0


def _parts(text: str | None, option: str) -> list[str]:
    if text is None:
        return []
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise InputError(f"--{option} is {text!r}; expected values with commas between. Write it like '24 h, 48 h'.")
    return parts


def _levels(text: str) -> list[float]:
    try:
        return [float(part) for part in _parts(text, "levels")]
    except ValueError:
        raise InputError(
            f"--levels is {text!r}; expected numbers with commas between. Write it like 1,10,100."
        ) from None
