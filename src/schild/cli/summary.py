"""The result of a run on a terminal: warnings, a sentence, and a table for each group of outputs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from schild.simulation.aloud import aloud
from schild.simulation.exposure import COURSE
from schild.simulation.output import GROUPS
from schild.simulation.result import metric
from schild.tables import concentration_words, number_words, percent_words, spread_words, table, time_words, value_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from schild.simulation import Output, Result
    from schild.simulation.exposure import Row


def show_result(result: Result, console: Console) -> None:
    """Print a sentence on the result, then a table for each group of outputs."""
    from rich.text import Text

    console.print(Text(result.title, style="bold"))
    if words := aloud(result):
        console.print(Text(words))
    console.print()
    _plasma(result, console)
    _receptors(result, console)
    _courses(result, console)


def _plasma(result: Result, console: Console) -> None:
    m = result.metrics
    rows = []
    for name in result.species():
        output = result.outputs.get(f"plasma_{name}")
        rows.append(
            (
                name,
                _cell(m[f"cmax_{name}_ng_ml"], concentration_words),
                _cell(m[f"tmax_{name}_h"], _hours),
                _cell(m.get(f"ctrough_{name}_ng_ml"), concentration_words),
                _cell(_end(output), concentration_words),
                _cell(m[f"auc_{name}_ng_h_ml"], number_words),
            )
        )
    heads = ("species", "peak", "at", "trough", "at the end", "area [ng h/mL]")
    _print(result, console, "Plasma, total [ng/mL]", heads, rows)


def _receptors(result: Result, console: Console) -> None:
    m = result.metrics
    rows = []
    for name in result.receptors():
        output = result.outputs.get(f"{name}_pet_occupancy")
        rows.append(
            (
                name,
                _cell(m[f"{name}_pet_occupancy_peak"], percent_words),
                _cell(m.get(f"{name}_pet_occupancy_trough"), percent_words),
                _cell(m[f"{name}_pet_occupancy_mean"], percent_words),
                _cell(_end(output), percent_words),
                _cell(m[f"{name}_pet_occupancy_hours_above_90_percent"], _hours),
            )
        )
    heads = ("receptor", "peak", "trough", "mean", "at the end", "above 90 % for")
    caption = "Trough: just before the last dose. A dash: fewer than two doses, or not among the outputs."
    _print(result, console, "Receptors occupied by drugs, as PET would see it", heads, rows, caption)


def _courses(result: Result, console: Console) -> None:
    """Print a table for each group of outputs that are read by their course: effects, adaptation, alcohol."""
    captions = {
        "adaptation": "Dependence: 1 is steady use of morphine 120 mg a day. Tolerance: half-effect concentration for "
        "breathing over that of a person without opioids."
    }
    shown = [output for output in result.shown.values() if output.kind.tabled]
    for group, heading in GROUPS.items():
        rows = []
        for output in (o for o in shown if o.kind.group == group):
            values, t, say = output.values, output.time_h, output.kind.say
            unit = "" if output.unit in ("1", "points") else f" [{output.unit}]"
            low, high = (metric(t[at(values, axis=1)]) for at in (np.argmin, np.argmax))
            rows.append(
                (
                    f"{output.kind.words}{unit}",
                    _cell(metric(values[:, 0]), say),
                    _cell(metric(values.min(axis=1)), say),
                    _cell(low, _hours),
                    _cell(metric(values.max(axis=1)), say),
                    _cell(high, _hours),
                    _cell(metric(values[:, -1]), say),
                )
            )
        heads = ("", "at the start", "lowest", "at", "highest", "at", "at the end")
        _print(result, console, heading, heads, rows, captions.get(group, ""))


def show_nca(rows: Sequence[Row], result: Result, console: Console) -> None:
    """Print non-compartmental metrics of plasma by name, and occupancies and effects by output and dose."""
    found = {(row.output, row.dose, row.metric): row for row in rows}
    plasma = {(o, d): None for o, d, _ in found if o not in result.outputs}
    metrics = {row.metric: row.unit for row in rows if row.output not in result.outputs}
    cells = [
        (
            (head := f"{name} [{unit}]"),
            *(_of(found.get((o, d, name)), partial(value_words, head)) for o, d in plasma),
        )
        for name, unit in metrics.items()
    ]
    heads = ("", *(f"{output}, dose {dose}" for output, dose in plasma))
    _print(result, console, "Non-compartmental metrics of plasma", heads, cells)
    above = dict.fromkeys(name for _, _, name in found if name.startswith("hours_above"))
    lines = []
    for o, d in dict.fromkeys((row.output, row.dose) for row in rows if row.output in result.outputs):
        kind = result.outputs[o].kind
        says = (kind.say, _hours, kind.say, kind.say, kind.say, *[_hours] * len(above))
        names = (*COURSE, *above)
        lines.append(
            (f"{kind.words}, dose {d}", *(_of(found.get((o, d, n)), say) for n, say in zip(names, says, strict=True)))
        )
    heads = ("", "peak", "at", "lowest", "mean", "at the end", *(name.replace("_", " ") for name in above))
    _print(result, console, "Over the interval of the dose", heads, lines)


def _of(row: Row | None, words: Any) -> str:
    return "-" if row is None else _cell(metric(row.values), words)


def _print(
    result: Result, console: Console, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str = ""
) -> None:
    if rows:
        who = "" if result.n == 1 else ": median (5th to 95th percentile)"
        console.print(table(f"{title}{who}", heads, rows, caption=caption))


def _hours(value: float) -> str:
    return time_words(value) if 0 < value < 2 else f"{value:.4g} h"


def _cell(value: Any, words: Any) -> str:
    return spread_words(value, words, gap="\n")


def _end(output: Output | None) -> Any:
    return None if output is None else metric(output.values[:, -1])
