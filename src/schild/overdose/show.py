"""Output of a rescue on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schild.overdose.published import BAR, PublishedTable
from schild.overdose.table import FRAMING, Rescued
from schild.tables import table

if TYPE_CHECKING:
    from rich.console import Console


def show_rescue(found: Rescued, console: Console) -> None:
    """Print the table of a rescue."""
    rows = found.summary()
    kinds = {"published": "published kinetics", "general": "receptor module"}
    hours = found.horizon_s / 3600.0
    same = len({row["tolerance"] for row in rows}) == 1
    who = f"{rows[0]['n']} people" + (f", {rows[0]['tolerance']}" if same else "")
    scored = any("peak_cows" in row for row in rows)
    left = ("antagonist", "delay", *(() if same else ("tolerance",)))
    right = ("arrest %", "breathing", "SaO2<90", "PaO2<30", "lost again %", *(("COWS",) if scored else ()))
    cells = [
        (
            *(row[head] for head in ("regimen", *left[1:])),
            f"{row['percent']:.1f} ({row['low']:.1f} to {row['high']:.1f})",
            _back(row),
            _minutes(row["below_sao2_90_s"]),
            _minutes(row["below_pao2_30_s"]),
            "" if (again := row["renarcotised_percent"]) is None else f"{again:.1f}",
            *((_band(row.get("peak_cows")),) if scored else ()),
        )
        for row in rows
    ]
    title = f"{found.opioid}: {kinds[found.source]}, {hours:g} h, {who}"
    console.print(table(title, (*left, *right), cells, left=left, whole=("arrest %",)))
    console.print(
        "Breathing: median minutes from its loss to its return, and the share of people in whom it returned. "
        "SaO2, PaO2: median minutes below, of people who lost breathing and had no arrest. Lost again: of those who "
        "breathed after the first dose." + (" COWS: peak after it, median (5 to 95 % of people)." if scored else ""),
        style="dim",
        markup=False,
    )
    if found.comparisons:
        heads = ("antagonist", "against", "delay", "tolerance", "difference", "95 %")
        compared = [
            (c.regimen, c.against, c.delay, c.tolerance, f"{c.points:+.1f}", f"{c.low:+.1f} to {c.high:+.1f}")
            for c in found.comparisons
        ]
        console.print(table("The same people, compared: points of arrest", heads, compared, left=heads[:4]))
    console.print(FRAMING, markup=False)


def show_published(found: PublishedTable, console: Console) -> None:
    """Print the published and the computed table, misses first."""
    count = len(found.misses)
    console.print(
        f"{count} of {len(found.rows)} percentages differ by more than {BAR:g} points "
        f"({found.n} virtual people in each cell, drawn with the published moments; chronic users; delay in seconds).",
        style="bold red" if count else "bold",
        markup=False,
    )
    doses = dict.fromkeys(f"{b.row.opioid} {b.row.dose_mg:g} mg iv" for b in found.rows)
    rows = [
        (
            (p := row.row).opioid,
            f"{p.delay_s:g}",
            p.regimen,
            f"{p.percent:.1f} ({p.low:.0f}-{p.high:.0f})",
            f"{row.percent:.1f} ({row.low:.0f}-{row.high:.0f})",
            f"{row.difference:+.1f}" + (" miss" if row.miss else ""),
            p.source,
        )
        for row in found.rows
    ]
    heads = ("opioid", "delay", "antagonist", "published %", "ours %", "points", "source")
    left = ("opioid", "antagonist", "source")
    # Only names may be wrapped, so that no number is cut.
    numbers = tuple(head for head in heads if head not in left)
    title = f"Cardiac arrests, published and computed: {', '.join(doses)}"
    console.print(table(title, heads, rows, left=left, whole=numbers))
    console.print(FRAMING, markup=False)


def _minutes(quantiles: dict[str, Any]) -> str:
    middle = quantiles["q50"]
    return "" if middle is None else f"{middle / 60.0:.1f}"


def _back(row: dict[str, Any]) -> str:
    middle, share = row["time_to_breathing_s"]["q50"], row["breathing_back_percent"]
    if share is None:
        return "never lost"
    return (
        f"nobody of {row['lost_breathing_percent']:.0f} %" if middle is None else f"{middle / 60.0:.1f} ({share:.0f} %)"
    )


def _band(quantiles: dict[str, Any] | None) -> str:
    if quantiles is None or quantiles["q50"] is None:
        return ""
    return f"{quantiles['q50']:.0f} ({quantiles['q05']:.0f} to {quantiles['q95']:.0f})"
