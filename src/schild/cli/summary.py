"""The result of a run on a terminal: warnings, a sentence, two tables."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from schild.simulate.aloud import aloud, between, percent_words, time_words
from schild.simulate.result import metric
from schild.units import TICKS_PER_HOUR

if TYPE_CHECKING:
    from rich.console import Console

    from schild.regimen import Event
    from schild.simulate import Output, Result, Run

    #: Events of each drug.
    Given: TypeAlias = dict[str, list[Event]]


def show_result(run: Run, result: Result, console: Console) -> None:
    """Print warnings first, then what the result says, then peaks, troughs, areas and hours above 90 %.

    Parameters
    ----------
    run : Run
        What was simulated.
    result : Result
        What came out.
    console : rich.console.Console
        Where to print.
    """
    from rich.text import Text

    from schild.simulate import events_of

    for warning in result.warnings:
        console.print(Text(f"Warning: {warning}", style="bold red"))
    console.print(Text(result.title, style="bold"))
    console.print(Text(aloud(result)))
    console.print()
    given: Given = {}
    earlier = len(run.history)
    for event in events_of(run):
        if event.drug is not None and event.order >= earlier:
            given.setdefault(event.drug, []).append(event)
    _plasma(given, result, console)
    _receptors(given, result, console)
    _adaptation(result, console)


def _plasma(given: Given, result: Result, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    m = result.metrics
    species = [key[5:-6] for key in m if key.startswith("cmax_") and key.endswith("_ng_ml")]
    if not species:
        return
    table = Table(title=Text(f"Plasma, total [ng/mL]{_of_whom(result)}"), title_justify="left")
    table.add_column("species", overflow="fold")
    for name in ("peak", "at", "trough", "at the end", r"area \[ng h/mL]"):
        table.add_column(name, justify="right", overflow="fold")
    for name in species:
        output = result.outputs.get(f"plasma_{name}")
        table.add_row(
            name,
            _words(m[f"cmax_{name}_ng_ml"], _number),
            _words(m[f"tmax_{name}_h"], _hours),
            _words(_trough(given, result, output, name), _number),
            _words(_end(output), _number),
            _words(m[f"auc_{name}_ng_h_ml"], _number),
        )
    console.print(table)


def _receptors(given: Given, result: Result, console: Console) -> None:
    from rich.table import Table

    m = result.metrics
    names = [key.removesuffix("_pet_occupancy_peak") for key in m if key.endswith("_pet_occupancy_peak")]
    if not names:
        return
    table = Table(
        title=f"Receptors occupied by drugs, as PET would see it{_of_whom(result)}",
        title_justify="left",
        caption="Trough: lowest between the last two doses. A dash: fewer than two doses, or not among the outputs.",
        caption_justify="left",
    )
    table.add_column("receptor")
    for name in ("peak", "trough", "mean", "at the end", "above 90 % for"):
        table.add_column(name, justify="right", overflow="fold")
    for name in names:
        output = result.outputs.get(f"{name}_pet_occupancy")
        table.add_row(
            name,
            _words(m[f"{name}_pet_occupancy_peak"], percent_words),
            _words(_trough(given, result, output, None), percent_words),
            _words(m[f"{name}_pet_occupancy_mean"], percent_words),
            _words(_end(output), percent_words),
            _words(m[f"{name}_pet_occupancy_hours_above_90_percent"], _hours),
        )
    console.print(table)


def _adaptation(result: Result, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    shown = {"cows": "withdrawal, latent COWS (0 to 48)", "dependence": "dependence", "tolerance": "tolerance"}
    names = [name for name in shown if name in result.outputs]
    if not names:
        return
    table = Table(
        title=Text(f"Adaptation{_of_whom(result)}"),
        title_justify="left",
        caption="Dependence: 1 is steady use of morphine 120 mg a day. Tolerance: half-effect concentration for "
        "breathing over that of a person without opioids.",
        caption_justify="left",
    )
    table.add_column("")
    for name in ("at the start", "peak", "at", "at the end"):
        table.add_column(name, justify="right", overflow="fold")
    for name in names:
        output = result.outputs[name]
        high = output.values.argmax(axis=1)
        table.add_row(
            shown[name],
            _words(metric(output.values[:, 0]), _number),
            _words(metric(output.values.max(axis=1)), _number),
            _words(metric(output.time_h[high]), _hours),
            _words(_end(output), _number),
        )
    console.print(table)


def _of_whom(result: Result) -> str:
    return "" if result.n == 1 else ": median (5th to 95th percentile)"


def _number(value: float) -> str:
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}"
    return f"{float(f'{value:.3g}'):,g}" if abs(value) < 1e5 else f"{value:,.0f}"


def _hours(value: float) -> str:
    return time_words(value) if 0 < value < 2 else f"{value:.4g} h"


def _words(value: Any, words: Any) -> str:
    if isinstance(value, Mapping):
        parts = [value.get(q) for q in ("q50", "q05", "q95")]
        if any(part is None for part in parts):
            return "-"
        middle, low, high = (words(float(part)) for part in parts if part is not None)
        return f"{middle}\n({between(low, high)})"
    return "-" if value is None or value != value else str(words(float(value)))


def _end(output: Output | None) -> Any:
    return None if output is None else metric(output.values[:, -1])


def _trough(given: Given, result: Result, output: Output | None, species: str | None) -> Any:
    """Lowest value between the last two doses that bring a species, or of the drug given most often."""
    if output is None:
        return None
    if species is not None:
        given = {drug: events for drug, events in given.items() if species in _brings(result, drug, events)}
    times = sorted({e.tick / TICKS_PER_HOUR for e in max(given.values(), key=len, default=[])})
    times = [t for t in times if t >= output.time_h[0]]
    if len(times) < 2:
        return None
    before, last = list(pairwise(times))[-1]
    inside = (output.time_h >= before) & (output.time_h < last)
    return metric(output.values[:, inside].min(axis=1)) if inside.any() else None


def _brings(result: Result, name: str, events: list[Event]) -> set[str]:
    """Species that a drug brings into the body by the routes it was given."""
    from schild.catalog import load

    catalogue = result.catalogue or load()
    drug = catalogue.drug(name)
    routes = {e.route for e in events if e.route in drug.routes}
    waiting = [drug.key, *(d.species for r in routes for b in drug.routes[str(r)].branches for d in b.deliver)]
    found: set[str] = set()
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            disposition = catalogue.drug(key).disposition
            waiting += list(disposition.feeds) if disposition is not None else []
    return found
