"""The event table that ``--dry-run`` prints: what will happen, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable

from schild.regimen.dose import Event
from schild.units import format_number, format_ticks


def event_table(events: Iterable[Event]) -> list[dict[str, str]]:
    """Give events as rows of words.

    ``events``: as :func:`~schild.regimen.expand` gives them. Returns one row per event, its columns by name and in
    order; what does not apply is empty. ``as`` is the salt or ``base`` that was said, and ``product`` where the
    catalogue decides.

    >>> from schild.regimen import expand, parse_regimen
    >>> from schild.units import ticks
    >>> row = event_table(expand(parse_regimen("naltrexone 50 mg po q24h x7 ss"), ticks("14 d")))[0]
    >>> row["event"], row["amount"], row["as"], row["interval"], row["ss"]
    ('dose', '50 mg', 'product', '24 h', '1 (replaces)')
    """
    return [_row(event) for event in events]


def _row(event: Event) -> dict[str, str]:
    reset, constant = event.evid == 3, event.rate is not None
    kind = "constant infusion ends" if constant else "infusion" if event.duration_tick else "dose"
    return {
        "time": format_ticks(event.tick),
        "event": "reset" if reset else f"reset, then {kind}" if event.evid == 4 else kind,
        "drug": event.drug or "",
        "amount": "" if reset else str(event.rate if constant else event.amount),
        "as": "" if reset else event.basis or "product",
        "route": event.route or "",
        "product": event.product or "",
        "length": format_ticks(event.duration_tick) if event.duration_tick else "",
        "interval": format_ticks(event.ii_tick) if event.ii_tick else "",
        "ss": {0: "", 1: "1 (replaces)", 2: "2 (adds)"}[event.ss],
        "lag": format_ticks(event.lag_tick) if event.lag_tick else "",
        "f": format_number(event.f) if event.f != 1.0 else "",
        "occasion": "" if reset else str(event.occasion),
    }


def render_event_table(events: Iterable[Event]) -> str:
    """Write events as a plain table.

    ``events``: as :func:`~schild.regimen.expand` gives them. Returns a header and one line per event; columns that
    nothing uses are left out.

    >>> from schild.regimen import expand, parse_regimen
    >>> from schild.units import ticks
    >>> print(render_event_table(expand(parse_regimen("naloxone 4 mg in at 60 s"), ticks("1 h"))))
    time  event  drug      amount  as       route  occasion
    60 s  dose   naloxone  4 mg    product  in     1
    """
    rows = event_table(events)
    if not rows:
        return "No events."
    used = {name: len(name) for name in rows[0] if any(row[name] for row in rows)}
    wide = {name: max(least, *(len(row[name]) for row in rows)) for name, least in used.items()}
    lines = [{name: name for name in used}, *rows]
    return "\n".join("  ".join(f"{line[name]:{width}}" for name, width in wide.items()).rstrip() for line in lines)
