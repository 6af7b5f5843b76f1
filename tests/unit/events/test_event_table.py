"""The event table that is shown before anything runs."""

from __future__ import annotations

from schild.regimen import event_table, expand, parse_regimen, render_event_table
from schild.units import ticks

WORDS = (
    "naltrexone 50 mg base po q24h x2 ss; morphine 2 mg/h iv for 6 h at 12 h; reset at 3 d; "
    "morphine 10 mg iv over 30 min at 4 d f 0.5 lag 5 min reset; naloxone 2 mg/h iv ss2 at 5 d"
)


def rows():
    return event_table(expand(parse_regimen(WORDS), ticks("9 d")))


def test_one_row_per_event():
    assert [row["event"] for row in rows()] == [
        "dose", "infusion", "dose", "reset", "reset, then infusion", "constant infusion ends",
    ]  # fmt: skip


def test_amount_as_given_and_what_was_weighed():
    assert [(row["amount"], row["as"]) for row in rows()] == [
        ("50 mg", "base"), ("12 mg", "product"), ("50 mg", "base"), ("", ""),
        ("10 mg", "product"), ("2 mg/h", "product"),
    ]  # fmt: skip


def test_the_rest_of_a_row():
    first, _, second, _, fourth, _ = rows()
    assert (first["interval"], first["ss"], first["occasion"]) == ("24 h", "1 (replaces)", "1")
    assert (second["interval"], second["ss"], second["occasion"]) == ("", "", "2")
    assert (fourth["time"], fourth["length"], fourth["lag"], fourth["f"]) == ("4 d", "30 min", "5 min", "0.5")


def test_rendered_lines():
    lines = render_event_table(expand(parse_regimen(WORDS), ticks("9 d"))).splitlines()
    assert len(lines) == 7
    assert lines[0].split() == [
        "time", "event", "drug", "amount", "as", "route", "length", "interval", "ss", "lag", "f", "occasion",
    ]  # fmt: skip
    assert lines[1].split("  ")[0] == "0 h"


def test_nothing_to_show():
    assert render_event_table(()) == "No events."
