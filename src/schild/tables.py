"""Tables on a terminal, and numbers, shares and times as words: one way for every command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


#: Plasma concentrations below this are shown as "below quantification". A choice for display, not the limit of a
#: named assay: it lies far below the lowest level that a study in the catalogue reports, 0.085 ng/mL. [ng/mL]
QUANTIFIED_NG_ML = 1e-3


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    left: Sequence[str] | None = None,
    whole: Sequence[str] = (),
    caption: str = "",
) -> Table:
    """Make a table for a terminal; what a user wrote is shown as it is, never read as markup.

    ``rows``: cells; a ``rich`` text passes, anything else is shown as its ``str``. ``left``: columns set to the left;
    the first by default. The others hold numbers and are set to the right. ``whole``: columns whose cells are never
    broken.
    """
    from rich.table import Table
    from rich.text import Text

    def text(cell: Any) -> Text:
        return cell if isinstance(cell, Text) else Text(str(cell))

    made = Table(
        title=text(title) if title else None,
        title_justify="left",
        caption=text(caption) if caption else None,
        caption_justify="left",
    )
    for name in columns:
        right = name not in (columns[:1] if left is None else left)
        made.add_column(text(name), justify="right" if right else "left", overflow="fold", no_wrap=name in whole)
    for row in rows:
        made.add_row(*map(text, row))
    return made


def number_words(value: float) -> str:
    """Write a number with three digits.

    >>> number_words(0.012345), number_words(2440.4), number_words(1.5e-7)
    ('0.0123', '2,440', '1.50e-07')
    """
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2e}"
    return f"{float(f'{value:.3g}'):,g}" if abs(value) < 1e5 else f"{value:,.0f}"


def people_words(n: int) -> str:
    """Write a number of people.

    >>> people_words(1), people_words(2000)
    ('1 person', '2,000 people')
    """
    return "1 person" if n == 1 else f"{n:,} people"


def is_level(name: str) -> bool:
    """Whether a column or a metric is a plasma concentration, by the unit in its name.

    >>> is_level("plasma_naltrexone [ng/mL]"), is_level("cmax_naltrexone_ng_ml"), is_level("auc_naltrexone_ng_h_ml")
    (True, True, False)
    """
    return "[ng/mL]" in name or name.endswith("_ng_ml")


def too_small(name: str, value: float | None) -> str:
    """Say that a value is too small to be reported; empty where it is not.

    ``name``: of a column or metric; its unit at the end says whether it is a plasma concentration.

    >>> too_small("cmax_naltrexone_ng_ml", 5.54e-217), too_small("plasma_naltrexone [ng/mL]", -4e-14)
    ('below quantification', 'below quantification')
    >>> too_small("occupied [1]", 6e-8), too_small("occupied [1]", -6e-8), too_small("occupied [1]", 0.2)
    ('<0.0001', '>-0.0001', '')
    >>> too_small("occupied [1]", -1e-17)
    '0'
    """
    if not value:
        return ""
    if is_level(name):
        return "below quantification" if value < QUANTIFIED_NG_ML else ""
    if abs(value) < 1e-12:  # a rounding error
        return "0"
    return ("<0.0001" if value > 0 else ">-0.0001") if abs(value) < 1e-4 else ""


def value_words(name: str, value: float) -> str:
    """Write a value with three digits, or that it is too small.

    >>> value_words("plasma_naltrexone [ng/mL]", 2440.4), value_words("occupied [1]", 6e-8)
    ('2,440', '<0.0001')
    """
    return too_small(name, value) or number_words(value)


def concentration_words(value: float) -> str:
    """Write a plasma concentration [ng/mL], or that it is below quantification.

    >>> concentration_words(11.63), concentration_words(5.54e-217), concentration_words(0.0)
    ('11.6', 'below quantification', '0')
    """
    return value_words("[ng/mL]", value)


def spread_words(value: Any, words: Callable[[float], str], gap: str = " ") -> str:
    """Write one value, or the median with the 5th and the 95th percentile in brackets; a dash where there is none.

    >>> spread_words({"q05": 1.0, "q50": 2.0, "q95": 4.0}, number_words)
    '2 (1 to 4)'
    """
    if isinstance(value, Mapping):
        parts = [value.get(q) for q in ("q50", "q05", "q95")]
        if any(part is None for part in parts):
            return "-"
        middle, low, high = (words(float(part)) for part in parts if part is not None)
        same = low == high == middle == "below quantification"
        return middle if same else f"{middle}{gap}({between(low, high)})"
    return "-" if value is None or value != value else str(words(float(value)))


def between(low: str, high: str) -> str:
    """Write a range, its unit once if both ends have the same.

    >>> between("76 %", "95 %"), between("35 min", "6 d")
    ('76 to 95 %', '35 min to 6 d')
    """
    number, space, unit = low.rpartition(" ")
    return f"{number if space and number[-1:].isdigit() and high.endswith(' ' + unit) else low} to {high}"


def percent_words(fraction: float) -> str:
    """Write a fraction as a percentage.

    >>> percent_words(0.954), percent_words(0.9996), percent_words(1.0), percent_words(0.004), percent_words(-1e-9)
    ('95 %', '>99.9 %', '100 %', '0.4 %', '0 %')
    """
    percent = 100 * fraction
    if -0.05 < percent < 0:  # a rounding error, which would be written as -0
        percent = 0.0
    if 99.95 <= percent < 100:
        return ">99.9 %"
    if 0 < percent < 0.05:
        return "<0.1 %"
    return f"{percent:.1f} %" if 99 < percent < 100 or 0 < percent < 1 else f"{percent:.0f} %"


def time_words(hours: float) -> str:
    """Write a time in the unit that reads best.

    >>> time_words(0.5), time_words(24), time_words(177.1)
    ('30 min', '24 h', '7.38 d')
    """
    if hours == 0:
        return "0 h"
    if hours < 2 / 60:
        return f"{3600 * hours:.3g} s"
    if hours < 2:
        return f"{60 * hours:.3g} min"
    return f"{hours:.3g} h" if hours <= 72 else f"{hours / 24:.3g} d"
