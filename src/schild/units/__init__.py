"""Units at the edge: words and quantities become hours, ticks, nmol, kg, L and L/h, once.

The units of everyday dosing are read from a small table; anything rarer is handed to pint, which is imported only then.
"""

from schild.units.amounts import Amount, Rate, amount_nmol, parse_amount, parse_rate
from schild.units.measures import convert, parse_clearance, parse_weight
from schild.units.reading import MAX_TICKS, TICKS_PER_HOUR, Quantity, TimeLike, format_number
from schild.units.time import format_hours, format_ticks, hours, ticks

__all__ = [
    "MAX_TICKS",
    "TICKS_PER_HOUR",
    "Amount",
    "Quantity",
    "Rate",
    "TimeLike",
    "amount_nmol",
    "convert",
    "format_hours",
    "format_number",
    "format_ticks",
    "hours",
    "parse_amount",
    "parse_clearance",
    "parse_rate",
    "parse_weight",
    "ticks",
]
